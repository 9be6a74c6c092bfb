/* TCP and TLS under an association. One connection at a time; the passive side waits for the next, the active one dials
 * again with growing pauses. */
#include <errno.h>
#include <gio/gio.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/bfcp/link_priv.h"
#include "mcu/base/clock.h"

enum { QUEUE = 65536, REDIAL_MS = 1000, REDIAL_MOST_MS = 30000 };

static gboolean on_conn(gint fd, GIOCondition cond, gpointer data);

static void watch_conn(struct gw_bfcp_link *l)
{
	bool write = l->connecting || (l->ssl && SSL_want_write(l->ssl)) || (l->out->len > 0 && (!l->ssl || l->tls_done));
	GIOCondition wants = write ? G_IO_IN | G_IO_OUT : G_IO_IN;

	if (l->conn < 0 || (l->conn_source != NULL && wants == l->conn_wants)) {
		return;
	}
	if (l->conn_source != NULL) {
		g_source_destroy(l->conn_source);
		g_source_unref(l->conn_source);
	}
	l->conn_wants = wants;
	l->conn_source = bfcp_watch(l->b, l->conn, wants, on_conn, l);
}

static void drop(struct gw_bfcp_link *l)
{
	if (l->conn_source != NULL) {
		g_source_destroy(l->conn_source);
		g_clear_pointer(&l->conn_source, g_source_unref);
	}
	g_clear_pointer(&l->ssl, SSL_free);
	ERR_clear_error();
	if (l->conn >= 0) {
		close(l->conn);
	}
	l->conn = -1;
	l->connecting = l->tls_done = false;
	l->in_len = 0;
	g_byte_array_set_size(l->out, 0);
}

static void broke(struct gw_bfcp_link *l, const char *why)
{
	int64_t pause_ms = MIN((int64_t)REDIAL_MS << MIN(l->redials, 6), REDIAL_MOST_MS);

	drop(l);
	l->b->counters.lost++;
	if (l->active && !l->dead) {
		l->redials++;
		l->redial_us = ort_now_us() + pause_ms * ORT_US_PER_MS;
	}
	bfcp_core_down(&l->core, why);
}

static void ready(struct gw_bfcp_link *l)
{
	l->redials = 0;
	l->b->counters.connections++;
	bfcp_core_up(&l->core, ort_now_us());
}

/* ---- bytes ---- */
static ssize_t tls_result(struct gw_bfcp_link *l, int r)
{
	int e = SSL_get_error(l->ssl, r);

	ERR_clear_error();
	errno = EAGAIN;
	if (r > 0 || e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
		return r > 0 ? r : -1;
	}
	errno = ECONNRESET;
	return e == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static ssize_t read_some(struct gw_bfcp_link *l)
{
	size_t room = sizeof(l->in) - l->in_len;

	return l->ssl ? tls_result(l, SSL_read(l->ssl, l->in + l->in_len, (int)room)) : recv(l->conn, l->in + l->in_len, room, 0);
}

static ssize_t write_some(struct gw_bfcp_link *l)
{
	return l->ssl ? tls_result(l, SSL_write(l->ssl, l->out->data, (int)l->out->len))
		      : send(l->conn, l->out->data, l->out->len, MSG_NOSIGNAL);
}

static void flush(struct gw_bfcp_link *l)
{
	while (l->out->len > 0 && l->conn >= 0) {
		ssize_t n = write_some(l);

		if (n <= 0) {
			break;	/* a broken one tells itself when read */
		}
		g_byte_array_remove_range(l->out, 0, (guint)n);
	}
	watch_conn(l);
}

void bfcp_stream_send(struct gw_bfcp_link *l, const uint8_t *data, size_t len)
{
	if (l->conn < 0 || l->out->len + len > QUEUE) {
		return;
	}
	g_byte_array_append(l->out, data, (guint)len);
	flush(l);
}

/* Messages that are whole. false: what came cannot be BFCP. */
static bool take_messages(struct gw_bfcp_link *l)
{
	while (l->conn >= 0) {
		int n = bfcp_frame(l->in, l->in_len);
		uint8_t message[BFCP_LONGEST];

		if (n <= 0 || (size_t)n > l->in_len) {
			return n >= 0;
		}
		memcpy(message, l->in, (size_t)n);
		l->in_len -= (size_t)n;
		memmove(l->in, l->in + n, l->in_len);
		bfcp_core_input(&l->core, message, (size_t)n, ort_now_us());
	}
	return true;
}

static void read_all(struct gw_bfcp_link *l)
{
	for (unsigned i = 0; i < 16 && l->conn >= 0; i++) {
		ssize_t n = read_some(l);

		if (n < 0 && errno == EAGAIN) {
			return;
		}
		if (n <= 0) {
			broke(l, n == 0 ? "closed" : "reset");
			return;
		}
		l->in_len += (size_t)n;
		if (!take_messages(l)) {
			l->b->counters.malformed++;
			broke(l, "malformed");
			return;
		}
	}
}

/* ---- coming up ---- */
static void handshake(struct gw_bfcp_link *l)
{
	uint64_t refused = l->b->counters.refused_tls;
	int r = SSL_do_handshake(l->ssl);

	if (r == 1) {
		l->tls_done = true;
		ready(l);
	} else if (tls_result(l, r) == 0 || errno != EAGAIN) {
		broke(l, l->b->counters.refused_tls > refused ? "fingerprint" : "tls");
	}
}

static void connected(struct gw_bfcp_link *l)
{
	int error = 0, on = 1;
	socklen_t len = sizeof(error);

	l->connecting = false;
	if (getsockopt(l->conn, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error != 0) {
		broke(l, "refused");
		return;
	}
	(void)setsockopt(l->conn, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (l->transport == GW_BFCP_TLS) {
		l->ssl = bfcp_tls_new(l, l->conn);
		handshake(l);
	} else {
		ready(l);
	}
}

static gboolean on_conn(gint fd, GIOCondition cond, gpointer data)
{
	struct gw_bfcp_link *l = data;

	bfcp_link_enter(l);
	if (l->connecting) {
		connected(l);
	} else if (l->ssl && !l->tls_done) {
		handshake(l);
	}
	if (l->conn >= 0 && !l->connecting && (!l->ssl || l->tls_done)) {
		read_all(l);
	}
	if (l->conn >= 0 && (!l->ssl || l->tls_done) && !l->connecting) {
		flush(l);
	}
	watch_conn(l);
	bfcp_link_leave(l);
	return G_SOURCE_CONTINUE;
}

static void dial(struct gw_bfcp_link *l)
{
	l->redial_us = ORT_NEVER;
	l->conn = socket(l->remote.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	l->connecting = true;
	if (l->conn < 0 || (connect(l->conn, &l->remote.sa, bfcp_addr_len(&l->remote)) < 0 && errno != EINPROGRESS)) {
		broke(l, "refused");
		return;
	}
	watch_conn(l);
}

/* Of the signalled address only. A second connection is the peer that began anew. */
static gboolean on_listener(gint fd, GIOCondition cond, gpointer data)
{
	struct gw_bfcp_link *l = data;
	union bfcp_addr from;
	socklen_t len = sizeof(from);
	int conn = accept4(fd, &from.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	bfcp_link_enter(l);
	if (conn >= 0 && !bfcp_addr_same_ip(&from, &l->remote)) {
		l->b->counters.foreign++;
		close(conn);
	} else if (conn >= 0) {
		if (l->conn >= 0) {
			broke(l, "replaced");
		}
		l->conn = conn;
		connected(l);
		watch_conn(l);
	}
	bfcp_link_leave(l);
	return G_SOURCE_CONTINUE;
}

bool bfcp_stream_open(struct gw_bfcp_link *l, GError **err)
{
	union bfcp_addr a = l->b->local;
	int on = 1;

	l->out = g_byte_array_new();
	if (l->active) {
		return true;
	}
	l->fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0 || setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(l->fd, &a.sa, bfcp_addr_len(&a)) < 0 || listen(l->fd, 4) < 0) {
		g_set_error(err, G_IO_ERROR, g_io_error_from_errno(errno), "BFCP: %s", g_strerror(errno));
		return false;
	}
	return true;	/* connections wait in the kernel until their address is known */
}

void bfcp_stream_told(struct gw_bfcp_link *l, int64_t now_us)
{
	if (!l->active && l->fd_source == NULL) {
		l->fd_source = bfcp_watch(l->b, l->fd, G_IO_IN, on_listener, l);
	} else if (l->active && l->conn < 0) {
		l->redials = 0;
		dial(l);
	}
}

void bfcp_stream_timer(struct gw_bfcp_link *l, int64_t now_us)
{
	if (l->redial_us <= now_us) {
		dial(l);
	}
}

void bfcp_stream_close(struct gw_bfcp_link *l)
{
	if (l->ssl && l->tls_done) {
		(void)SSL_shutdown(l->ssl);	/* best effort */
	}
	if (l->out != NULL) {
		drop(l);
	}
	g_clear_pointer(&l->out, g_byte_array_unref);
}
