/* The TLS front: one connection. Bytes of the peer become whole messages before the stack sees them, and back. */
#include "gateway/sip/front_priv.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"

enum { HANDSHAKE_S = 10, UNKNOWN_S = 30, IDLE_S = 75 * 60, ENDING_S = 2 };
enum { PIECE = 16 * 1024, HIGH_WATER = 256 * 1024, TURN = 128 * 1024 };

struct conn_source { GSource base; struct conn *c; };

/* ---- the source ---- */
static gboolean on_dispatch(GSource *source, GSourceFunc fn, gpointer data)
{
	struct conn *c = ((struct conn_source *)(void *)source)->c;
	if (!conn_step(c)) {
		conn_close(c, NULL);
		return G_SOURCE_REMOVE;
	}
	conn_watch(c);
	return G_SOURCE_CONTINUE;
}

static void watch(struct conn *c, gpointer *tag, int fd, GIOCondition condition)
{
	if (fd < 0 && *tag != NULL) {
		g_source_remove_unix_fd(c->source, *tag);
		*tag = NULL;
	} else if (fd >= 0 && *tag == NULL) {
		*tag = g_source_add_unix_fd(c->source, fd, condition);
	} else if (fd >= 0) {
		g_source_modify_unix_fd(c->source, *tag, condition);
	}
}

void conn_watch(struct conn *c)
{
	GIOCondition far = 0, near = 0;
	if (c->state == CONN_DIALLING) {
		far = G_IO_OUT;
	} else if (c->state == CONN_HANDSHAKE) {
		far = c->want_write ? G_IO_OUT : G_IO_IN;
	} else if (c->state == CONN_OPEN || c->state == CONN_ENDING) {
		far = (c->near_out->len < HIGH_WATER ? G_IO_IN : 0) | (c->far_out->len > 0 ? G_IO_OUT : 0);
		near = (c->far_out->len < HIGH_WATER ? G_IO_IN : 0) | (!c->near_ready || c->near_out->len > 0 ? G_IO_OUT : 0);
	}
	watch(c, &c->far_tag, c->far_fd, far);
	watch(c, &c->near_tag, c->state >= CONN_OPEN && !c->near_eof ? c->near_fd : -1, near);	/* a hang-up is always told */
	int64_t idle_us = c->last_us + (int64_t)IDLE_S * ORT_US_PER_S;
	bool stays = c->state == CONN_OPEN && (c->known || c->target != NULL);
	g_source_set_ready_time(c->source, stays ? idle_us : c->deadline_us);
}

struct conn *conn_new(struct sip_front *f, int far_fd, int near_fd)
{
	static GSourceFuncs funcs = { NULL, NULL, on_dispatch, NULL, NULL, NULL };
	struct conn *c = g_new0(struct conn, 1);
	c->front = f;
	c->far_fd = far_fd;
	c->near_fd = near_fd;
	c->since_us = c->last_us = ort_now_us();
	c->deadline_us = c->since_us + (int64_t)HANDSHAKE_S * ORT_US_PER_S;
	c->far_in = g_byte_array_new();
	c->far_out = g_byte_array_new();
	c->near_in = g_byte_array_new();
	c->near_out = g_byte_array_new();
	c->source = g_source_new(&funcs, sizeof(struct conn_source));
	((struct conn_source *)(void *)c->source)->c = c;
	g_source_attach(c->source, f->context);
	g_queue_push_tail(&f->conns, c);
	return c;
}

void conn_free(gpointer p)
{
	struct conn *c = p;
	GByteArray *all[] = { c->far_in, c->far_out, c->near_in, c->near_out };
	g_source_destroy(c->source);
	g_source_unref(c->source);
	if (c->looking != NULL) {
		g_cancellable_cancel(c->looking);
		g_object_unref(c->looking);
	}
	SSL_free(c->ssl);
	for (unsigned n = 0; n < 2; n++) {
		int fd = n == 0 ? c->far_fd : c->near_fd;
		if (fd >= 0) {
			close(fd);
		}
	}
	for (unsigned n = 0; n < G_N_ELEMENTS(all); n++) {
		g_byte_array_unref(all[n]);
	}
	g_clear_pointer(&c->places, target_places_free);
	if (c->key != NULL && g_hash_table_lookup(c->front->by_key, c->key) == c) {
		g_hash_table_remove(c->front->by_key, c->key);
	}
	g_free(c->key);
	g_free(c->address);
	g_free(c->source_key);
	g_free((char *)(uintptr_t)c->hop.loop);
	g_free((char *)(uintptr_t)c->hop.source);
	g_free(c);
}

void conn_close(struct conn *c, const char *why)
{
	struct sip_front *f = c->front;
	g_autofree char *route = c->key != NULL && c->target == NULL ? g_strdup_printf("sip:%s;transport=tcp", c->key) : NULL;
	ort_log(ORT_LOG_DEBUG, "sip", "sip.tls_closed", "a TLS connection ended", ORT_S("peer", c->address), ORT_S("why", why != NULL ? why : ""));
	(void)g_queue_remove(&f->conns, c);
	conn_free(c);
	if (route != NULL) {
		f->ops->on_gone(route, f->user_data);
	}
}

/* ---- the handshake ---- */
void conn_begin(struct conn *c, SSL *ssl, int64_t now_us)
{
	SSL_free(c->ssl);
	c->ssl = ssl;
	c->state = CONN_HANDSHAKE;
	c->want_write = c->target != NULL;
	if (c->target == NULL) {
		c->deadline_us = now_us + (int64_t)HANDSHAKE_S * ORT_US_PER_S;
	}
	c->hop.near_by = c->front->near_by;
	c->hop.far_away = c->front->far_away;
	conn_watch(c);
}

static bool failed(struct conn *c, const char *why)
{
	if (c->target != NULL) {
		return target_next(c, why);
	}
	c->front->failed++;
	ort_log(ORT_LOG_DEBUG, "sip", "sip.tls_failed", "a TLS handshake failed", ORT_S("peer", c->address), ORT_S("why", why));
	return false;
}

static bool opened(struct conn *c)
{
	c->state = CONN_OPEN;
	c->last_us = ort_now_us();
	c->deadline_us = c->last_us + (int64_t)UNKNOWN_S * ORT_US_PER_S;
	if (c->target != NULL) {
		c->front->opened_out++;
		c->near_ready = true;
		return true;
	}
	c->near_fd = front_stack_socket(c->front, c);
	return c->near_fd >= 0;
}

static bool shake(struct conn *c)
{
	ERR_clear_error();
	int got = SSL_do_handshake(c->ssl);
	int what = got == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, got);
	if (what == SSL_ERROR_NONE) {
		return opened(c);
	}
	c->want_write = what == SSL_ERROR_WANT_WRITE;
	if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE) {
		return true;
	}
	g_autofree char *why = sip_tls_why(c->ssl);
	return failed(c, why);
}

static bool dialled(struct conn *c)
{
	int err = 0;
	socklen_t len = sizeof(err);
	if (getsockopt(c->far_fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0 || err != 0) {
		return target_next(c, g_strerror(err != 0 ? err : errno));
	}
	return target_dialled(c);
}

/* ---- the pump ---- */
static bool frames(struct conn *c, GByteArray *in, GByteArray *out, bool inward)
{
	size_t at = 0, skip = 0, len = 0;
	enum sip_frame what = SIP_FRAME_MORE;
	while (at < in->len && (what = sip_frame_next((const char *)in->data + at, in->len - at, &skip, &len)) != SIP_FRAME_MORE) {
		const char *msg = (const char *)in->data + at + skip;
		if (what == SIP_FRAME_BAD) {
			c->front->malformed++;
			return false;
		}
		if (what == SIP_FRAME_PING && inward) {
			g_byte_array_append(c->far_out, (const guint8 *)"\r\n", 2);
		} else if (what == SIP_FRAME_MESSAGE) {
			bool good = inward ? sip_frame_inward(&c->hop, msg, len, out) : sip_frame_outward(&c->hop, msg, len, out);
			c->front->malformed += !good;
		}
		at += skip + len;
	}
	g_byte_array_remove_range(in, 0, (guint)at);
	return true;
}

/* >0 bytes, 0 nothing now, -1 over */
static int read_far(struct conn *c)
{
	guint8 piece[PIECE];
	if (c->near_out->len >= HIGH_WATER) {
		return 0;
	}
	ERR_clear_error();
	int got = SSL_read(c->ssl, piece, sizeof(piece));
	if (got > 0) {
		c->last_us = ort_now_us();
		g_byte_array_append(c->far_in, piece, (guint)got);
		return frames(c, c->far_in, c->near_out, true) ? got : -1;
	}
	int what = SSL_get_error(c->ssl, got);
	return what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static int read_near(struct conn *c)
{
	guint8 piece[PIECE];
	if (c->far_out->len >= HIGH_WATER || c->near_eof || c->near_fd < 0) {
		return 0;
	}
	ssize_t got = recv(c->near_fd, piece, sizeof(piece), 0);
	if (got > 0) {
		g_byte_array_append(c->near_in, piece, (guint)got);
		return frames(c, c->near_in, c->far_out, false) ? (int)got : -1;
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN)) {
		return 0;
	}
	c->near_eof = true;	/* what it said before is still delivered */
	return 0;
}

static int write_near(struct conn *c)
{
	if (c->near_out->len == 0) {
		return 0;
	}
	ssize_t put = send(c->near_fd, c->near_out->data, c->near_out->len, MSG_NOSIGNAL);
	if (put > 0) {
		c->near_ready = true;
		g_byte_array_remove_range(c->near_out, 0, (guint)put);
		return (int)put;
	}
	return errno == EAGAIN || errno == EINTR || errno == ENOTCONN ? 0 : -1;
}

static int write_far(struct conn *c)
{
	if (c->far_out->len == 0) {
		return 0;
	}
	ERR_clear_error();
	int put = SSL_write(c->ssl, c->far_out->data, (int)MIN(c->far_out->len, (guint)PIECE));
	if (put > 0) {
		g_byte_array_remove_range(c->far_out, 0, (guint)put);
		return put;
	}
	int what = SSL_get_error(c->ssl, put);
	return what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static bool pump(struct conn *c)
{
	static int (*const steps[])(struct conn *c) = { read_far, write_near, read_near, write_far };
	int moved = 1;
	for (int turn = 0; moved > 0 && turn < TURN; turn += moved) {	/* others want a turn too */
		moved = 0;
		for (unsigned n = 0; n < G_N_ELEMENTS(steps); n++) {
			int got = steps[n](c);
			if (got < 0) {
				return false;
			}
			moved += got;
		}
	}
	if (!c->near_ready) {	/* nothing to write yet: is the stack there? */
		int err = 0;
		socklen_t len = sizeof(err);
		c->near_ready = getsockopt(c->near_fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err == 0;
	}
	if (c->near_eof && c->state == CONN_OPEN) {
		c->state = CONN_ENDING;
		c->deadline_us = ort_now_us() + (int64_t)ENDING_S * ORT_US_PER_S;
	}
	if (c->state == CONN_ENDING && c->far_out->len == 0) {
		(void)SSL_shutdown(c->ssl);
		return false;
	}
	return true;
}

bool conn_step(struct conn *c)
{
	int64_t now_us = ort_now_us();
	bool stays = c->state == CONN_OPEN && (c->known || c->target != NULL);
	if (now_us >= (stays ? c->last_us + (int64_t)IDLE_S * ORT_US_PER_S : c->deadline_us)) {
		return c->state < CONN_OPEN ? failed(c, "no answer in time") : false;
	}
	switch (c->state) {
	case CONN_LOOKING:
		return true;
	case CONN_DIALLING:
		return dialled(c);
	case CONN_HANDSHAKE:
		return shake(c) && (c->state != CONN_OPEN || pump(c));
	default:
		return pump(c);
	}
}
