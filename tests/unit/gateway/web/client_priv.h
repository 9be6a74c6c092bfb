/* A client that speaks bytes, on the same thread and loop as the server under test: each wait turns the loop. */
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENT_PATIENCE_S = 20 };

static inline void client_turn(void)
{
	for (int i = 0; i < 50 && g_main_context_iteration(NULL, FALSE); i++) {
	}
	g_usleep(500);
}

/* Turns the loop until `expression` holds; a test that waits in vain fails here. */
#define CLIENT_UNTIL(expression)                                                                   \
	do {                                                                                       \
		gint64 end_us = g_get_monotonic_time() + CLIENT_PATIENCE_S * G_USEC_PER_SEC;       \
		while (!(expression)) {                                                            \
			client_turn();                                                             \
			g_assert_cmpint(g_get_monotonic_time(), <, end_us);                        \
		}                                                                                  \
	} while (0)

static inline int client_connect(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(connect(fd, (struct sockaddr *)&to, sizeof(to)), ==, 0);
	g_assert_cmpint(fcntl(fd, F_SETFL, O_NONBLOCK), ==, 0);
	return fd;
}

/* All of `data`, or as much as the server takes before it closes. */
static inline void client_write(int fd, const void *data, size_t len)
{
	const char *p = data;
	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN) {
			return;
		}
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
		client_turn();
	}
}

/* false: closed by the other side and nothing left */
static inline bool client_read_some(int fd, GByteArray *in)
{
	guint8 buffer[65536];
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
	if (n > 0) {
		g_byte_array_append(in, buffer, (guint)n);
	}
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static inline bool client_is_closed(int fd)
{
	g_autoptr(GByteArray) in = g_byte_array_new();
	return !client_read_some(fd, in);
}

struct answer { int status; char *head; char *body; size_t len; bool closed; };

static inline void answer_clear(struct answer *a)
{
	g_free(a->head);
	g_free(a->body);
	*a = (struct answer){ 0 };
}

static inline char *answer_header(const struct answer *a, const char *name)
{
	g_auto(GStrv) lines = g_strsplit(a->head, "\r\n", -1);
	size_t n = strlen(name);
	for (char **l = lines; *l; l++) {
		if (g_ascii_strncasecmp(*l, name, n) == 0 && (*l)[n] == ':') {
			return g_strdup(g_strstrip(*l + n + 1));
		}
	}
	return NULL;
}

static inline bool answer_complete(struct answer *a, const GByteArray *in, bool head_only)
{
	const char *end = in->len ? g_strstr_len((const char *)in->data, (gssize)in->len, "\r\n\r\n") : NULL;
	if (!end) {
		return false;
	}
	size_t head_len = (size_t)(end - (const char *)in->data) + 4;
	g_free(a->head);
	a->head = g_strndup((const char *)in->data, head_len);
	g_autofree char *length = answer_header(a, "Content-Length");
	size_t want = length && !head_only ? (size_t)g_ascii_strtoull(length, NULL, 10) : 0;
	if (in->len < head_len + want) {
		return false;
	}
	a->len = want;
	a->body = g_strndup((const char *)in->data + head_len, want);
	a->status = (int)g_ascii_strtoll(a->head + strlen("HTTP/1.1 "), NULL, 10);
	return true;
}

/* One answer from fd; status 0 = closed without one. */
static inline struct answer client_answer(int fd, bool head_only)
{
	struct answer a = { 0 };
	g_autoptr(GByteArray) in = g_byte_array_new();
	bool open = true;
	CLIENT_UNTIL((open = client_read_some(fd, in), answer_complete(&a, in, head_only) || !open));
	a.closed = !open;
	return a;
}

static inline struct answer client_ask(int port, const char *request)
{
	int fd = client_connect(port);
	client_write(fd, request, strlen(request));
	struct answer a = client_answer(fd, g_str_has_prefix(request, "HEAD"));
	close(fd);
	return a;
}

/* ---- WebSocket, RFC 6455 ---- */

static inline int client_ws(int port, const char *headers, struct answer *ret)
{
	int fd = client_connect(port);
	g_autofree char *request = g_strdup_printf("GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
						   "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
						   "Sec-WebSocket-Version: 13\r\n%s\r\n", port, headers);
	client_write(fd, request, strlen(request));
	*ret = client_answer(fd, false);
	return fd;
}

static inline void client_ws_frame(int fd, int opcode, const void *data, size_t len)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	guint8 head[14] = { (guint8)(0x80 | opcode) };
	size_t n = 2;
	if (len < 126) {
		head[1] = (guint8)(0x80 | len);
	} else if (len < 65536) {
		head[1] = 0x80 | 126;
		head[2] = (guint8)(len >> 8);
		head[3] = (guint8)len;
		n = 4;
	} else {
		head[1] = 0x80 | 127;
		for (int i = 0; i < 8; i++) {
			head[2 + i] = (guint8)((guint64)len >> (8 * (7 - i)));
		}
		n = 10;
	}
	n += 4;	/* the mask is zero: allowed, and the payload stays readable */
	g_byte_array_append(out, head, (guint)n);
	g_byte_array_append(out, data, (guint)len);
	client_write(fd, out->data, out->len);
}

static inline void client_ws_text(int fd, const char *text)
{
	client_ws_frame(fd, 1, text, strlen(text));
}

/* Takes one whole server frame off `in`. -1 = not yet; otherwise the opcode. */
static inline int client_ws_take(GByteArray *in, char **ret_data, size_t *ret_len)
{
	size_t head = 2, len;
	if (in->len < 2) {
		return -1;
	}
	len = in->data[1] & 0x7f;
	if (len == 126) {
		head = 4;
		len = in->len < 4 ? G_MAXUINT32 : (size_t)(in->data[2] << 8 | in->data[3]);
	} else if (len == 127) {
		head = 10;
		len = 0;
		for (int i = 0; i < 8 && in->len >= 10; i++) {
			len = len << 8 | in->data[2 + i];
		}
	}
	if (in->len < head || in->len - head < len) {
		return -1;
	}
	int opcode = in->data[0] & 0xf;
	*ret_data = g_malloc0(len + 1);
	memcpy(*ret_data, in->data + head, len);
	*ret_len = len;
	g_byte_array_remove_range(in, 0, (guint)(head + len));
	return opcode;
}

/* The next frame with this opcode; others are passed over. NULL = closed first. */
static inline char *client_ws_next(int fd, GByteArray *in, int opcode)
{
	char *data = NULL;
	size_t len = 0;
	bool open = true;
	int got = -1;
	do {
		g_clear_pointer(&data, g_free);
		CLIENT_UNTIL((open = client_read_some(fd, in), (got = client_ws_take(in, &data, &len)) >= 0 || !open));
	} while (got >= 0 && got != opcode);
	return data;
}

static inline int client_ws_close_code(int fd, GByteArray *in)
{
	g_autofree char *data = client_ws_next(fd, in, 8);
	return data ? (guint8)data[0] << 8 | (guint8)data[1] : 0;
}
