/* ortoo-impair: a bad network in user space. Listens on a port, passes each sender's datagrams to one server over a
 * socket of its own (as NAT does) and the answers back, through a model a direction. Commands on stdin:
 *   up|down|both KEY VALUE [KEY VALUE ...]   keys of model.h, and outage MS
 *   stats                                     one JSON line
 *   quit
 * Prints "port N" when it is ready. Ends with stdin. */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/kit/impair/model.h"

enum { MAX_CLIENTS = 1024, MAX_WAITING = 16384, MAX_DATAGRAM = 2048 };
enum direction { UP, DOWN };

struct client {
	int fd;		/* towards the server */
	struct sockaddr_in from;
};
struct waiting {
	int64_t due_us;
	struct client *client;
	enum direction direction;
	size_t len;
	uint8_t data[];
};
struct relay {
	int epoll, fd, in;	/* in: commands */
	struct sockaddr_in server;
	struct impair model[2];
	struct client clients[MAX_CLIENTS];
	int n_clients;
	GQueue waiting;		/* of struct waiting, by due time */
	uint64_t overflow;
	bool end;
};

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void watch(struct relay *r, int fd, void *ptr)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = ptr };

	epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static struct client *client_of(struct relay *r, const struct sockaddr_in *from)
{
	struct client *c;

	for (int i = 0; i < r->n_clients; i++) {
		if (memcmp(&r->clients[i].from, from, sizeof(*from)) == 0) {
			return &r->clients[i];
		}
	}
	if (r->n_clients == MAX_CLIENTS) {
		return NULL;
	}
	c = &r->clients[r->n_clients];
	c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&r->server, sizeof(r->server)) < 0) {
		return NULL;
	}
	c->from = *from;
	r->n_clients++;
	watch(r, c->fd, c);
	return c;
}

static void deliver(struct relay *r, const struct waiting *w)
{
	if (w->direction == UP) {
		(void)send(w->client->fd, w->data, w->len, 0);
	} else {
		(void)sendto(r->fd, w->data, w->len, 0, (struct sockaddr *)&w->client->from, sizeof(w->client->from));
	}
}

/* From the tail: nearly always the last. */
static void put(struct relay *r, struct waiting *w)
{
	GList *at = r->waiting.tail;

	while (at && ((struct waiting *)at->data)->due_us > w->due_us) {
		at = at->prev;
	}
	g_queue_insert_after(&r->waiting, at, w);
}

static void pass(struct relay *r, struct client *c, enum direction direction, const uint8_t *data, size_t len)
{
	int64_t due[2];
	unsigned n = impair_packet(&r->model[direction], len, now_us(), due);

	for (unsigned i = 0; i < n; i++) {
		struct waiting *w;

		if (r->waiting.length >= MAX_WAITING) {
			r->overflow++;
			return;
		}
		w = g_malloc(sizeof(*w) + len);
		*w = (struct waiting){ .due_us = due[i], .client = c, .direction = direction, .len = len };
		memcpy(w->data, data, len);
		put(r, w);
	}
}

static void from_clients(struct relay *r)
{
	uint8_t data[MAX_DATAGRAM];
	struct sockaddr_in from;
	ssize_t n;

	do {
		socklen_t len = sizeof(from);
		struct client *c;

		memset(&from, 0, sizeof(from));
		n = recvfrom(r->fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from, &len);
		c = n >= 0 ? client_of(r, &from) : NULL;
		if (c) {
			pass(r, c, UP, data, (size_t)n);
		}
	} while (n >= 0);
}

static void from_server(struct relay *r, struct client *c)
{
	uint8_t data[MAX_DATAGRAM];
	ssize_t n;

	while ((n = recv(c->fd, data, sizeof(data), MSG_DONTWAIT)) >= 0) {
		pass(r, c, DOWN, data, (size_t)n);
	}
}

static void print_stats(const struct relay *r)
{
	static const char *const names[] = { "up", "down" };

	for (int i = 0; i < 2; i++) {
		const struct impair_stats *s = &r->model[i].stats;

		printf("%s\"%s\":{\"in\":%" G_GUINT64_FORMAT ",\"lost\":%" G_GUINT64_FORMAT ",\"late\":%" G_GUINT64_FORMAT
		       ",\"dup\":%" G_GUINT64_FORMAT ",\"reordered\":%" G_GUINT64_FORMAT "}", i ? "," : "{", names[i], s->in,
		       s->lost, s->late, s->dup, s->reordered);
	}
	printf(",\"clients\":%d,\"overflow\":%" G_GUINT64_FORMAT "}\n", r->n_clients, r->overflow);
	fflush(stdout);
}

static bool apply(struct relay *r, char **word)
{
	bool up = g_str_equal(word[0], "up") || g_str_equal(word[0], "both");
	bool down = g_str_equal(word[0], "down") || g_str_equal(word[0], "both");

	for (word++; (up || down) && word[0] && word[1]; word += 2) {
		double value = g_ascii_strtod(word[1], NULL);

		if ((up && !impair_set(&r->model[UP], word[0], value, now_us())) ||
		    (down && !impair_set(&r->model[DOWN], word[0], value, now_us()))) {
			return false;
		}
	}
	return (up || down) && !word[0];
}

static void command(struct relay *r, const char *line)
{
	g_auto(GStrv) word = g_strsplit_set(line, " \t", -1);

	if (g_str_equal(line, "quit")) {
		r->end = true;
	} else if (g_str_equal(line, "stats")) {
		print_stats(r);
	} else if (*line && !apply(r, word)) {
		fprintf(stderr, "ortoo-impair: not understood: %s\n", line);
	}
}

static void from_stdin(struct relay *r)
{
	char text[4096];
	ssize_t n = read(r->in, text, sizeof(text) - 1);
	g_auto(GStrv) lines = NULL;

	if (n <= 0) {
		r->end = true;
		return;
	}
	text[n] = 0;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		command(r, *line);
	}
}

static void flush(struct relay *r)
{
	int64_t now = now_us();

	while (r->waiting.head && ((struct waiting *)r->waiting.head->data)->due_us <= now) {
		struct waiting *w = g_queue_pop_head(&r->waiting);

		deliver(r, w);
		g_free(w);
	}
}

static void turn(struct relay *r)
{
	struct epoll_event ev[64];
	const struct waiting *next = r->waiting.head ? r->waiting.head->data : NULL;
	int64_t left = next ? MAX(next->due_us - now_us(), 0) : 0;
	struct timespec ts = { left / 1000000, left % 1000000 * 1000 };
	int n = epoll_pwait2(r->epoll, ev, G_N_ELEMENTS(ev), next ? &ts : NULL, NULL);

	for (int i = 0; i < n; i++) {
		if (ev[i].data.ptr == &r->fd) {
			from_clients(r);
		} else if (ev[i].data.ptr == &r->in) {
			from_stdin(r);
		} else {
			from_server(r, ev[i].data.ptr);
		}
	}
	flush(r);
}

static bool parse(const char *text, struct sockaddr_in *ret)
{
	g_auto(GStrv) part = g_strsplit(text, ":", 2);

	*ret = (struct sockaddr_in){ .sin_family = AF_INET };
	if (!part[0] || !part[1] || inet_pton(AF_INET, part[0], &ret->sin_addr) != 1) {
		return false;
	}
	ret->sin_port = htons((uint16_t)atoi(part[1]));
	return true;
}

int main(int argc, char **argv)
{
	struct relay *r = g_new0(struct relay, 1);
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int size = 4 << 20;

	if (argc < 3 || !parse(argv[1], &at) || !parse(argv[2], &r->server)) {
		fprintf(stderr, "usage: ortoo-impair LISTEN-IP:PORT SERVER-IP:PORT [SEED]\n");
		return 2;
	}
	impair_init(&r->model[UP], argc > 3 ? strtoull(argv[3], NULL, 10) : 1);
	impair_init(&r->model[DOWN], argc > 3 ? strtoull(argv[3], NULL, 10) + 1 : 2);
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	r->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(r->fd, (struct sockaddr *)&at, sizeof(at)) < 0 || getsockname(r->fd, (struct sockaddr *)&at, &len) < 0) {
		perror("ortoo-impair");
		return 1;
	}
	watch(r, r->fd, &r->fd);
	r->in = STDIN_FILENO;
	watch(r, r->in, &r->in);
	printf("port %u\n", ntohs(at.sin_port));
	fflush(stdout);
	while (!r->end) {
		turn(r);
	}
	g_queue_clear_full(&r->waiting, g_free);
	g_free(r);
	return 0;
}
