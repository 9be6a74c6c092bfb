/* Life of links, their addresses, and datagrams. */
#include <arpa/inet.h>
#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/bfcp/link_priv.h"
#include "mcu/base/clock.h"
#include "mcu/base/loop.h"

enum { DATAGRAMS_A_TURN = 32, DISCARD = 9 };

/* ---- addresses ---- */
static bool parse_addr(const char *text, uint16_t port, union bfcp_addr *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (text != NULL && inet_pton(AF_INET, text, &ret->in.sin_addr) == 1) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons(port);
	} else if (text != NULL && inet_pton(AF_INET6, text, &ret->in6.sin6_addr) == 1) {
		ret->in6.sin6_family = AF_INET6;
		ret->in6.sin6_port = htons(port);
	} else {
		return false;
	}
	return true;
}

socklen_t bfcp_addr_len(const union bfcp_addr *a)
{
	return a->sa.sa_family == AF_INET6 ? sizeof(a->in6) : sizeof(a->in);
}

/* The v6 form of either, so that ::ffff:a.b.c.d is a.b.c.d. */
static struct in6_addr six(const union bfcp_addr *a)
{
	struct in6_addr s = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (a->sa.sa_family == AF_INET6) {
		return a->in6.sin6_addr;
	}
	memcpy(s.s6_addr + 12, &a->in.sin_addr, 4);
	return s;
}

static in_port_t port_of(const union bfcp_addr *a)
{
	return a->sa.sa_family == AF_INET6 ? a->in6.sin6_port : a->in.sin_port;
}

bool bfcp_addr_same_ip(const union bfcp_addr *a, const union bfcp_addr *b)
{
	struct in6_addr x = six(a), y = six(b);

	return memcmp(&x, &y, sizeof(x)) == 0;
}

/* ---- the folder's root ---- */
gw_bfcp *gw_bfcp_new(GMainContext *context, const struct gw_bfcp_conf *conf, GError **err)
{
	gw_bfcp *b = g_new0(gw_bfcp, 1);
	const char *address = conf->address && conf->address[0] ? conf->address : "::";

	b->context = context ? g_main_context_ref(context) : g_main_context_ref_thread_default();
	if (!parse_addr(address, 0, &b->local)) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "no literal address: %s", address);
		gw_bfcp_free(b);
		return NULL;
	}
	if (conf->certificate && !bfcp_tls_open(b, conf->certificate, conf->key ? conf->key : conf->certificate, err)) {
		gw_bfcp_free(b);
		return NULL;
	}
	return b;
}

void gw_bfcp_free(gw_bfcp *b)
{
	if (b == NULL) {
		return;
	}
	g_assert(b->n_links == 0);
	SSL_CTX_free(b->tls);
	SSL_CTX_free(b->dtls);
	g_main_context_unref(b->context);
	g_free(b);
}

const char *gw_bfcp_fingerprint(const gw_bfcp *b)
{
	return b->tls ? b->fingerprint : NULL;
}

char *gw_bfcp_stats(const gw_bfcp *b)
{
	static const struct { const char *name; size_t offset; } rows[] = {
#define X(name, doc) { #name, offsetof(struct bfcp_counters, name) },
#include "gateway/bfcp/counters.def"
#undef X
	};
	GString *s = g_string_new("{");

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint64_t n;

		memcpy(&n, (const char *)&b->counters + rows[i].offset, sizeof(n));
		g_string_append_printf(s, "\"%s\":%" G_GUINT64_FORMAT ",", rows[i].name, n);
	}
	g_string_append_printf(s, "\"links\":%u}", b->n_links);
	return g_string_free(s, FALSE);
}

static bool is_stream(const struct gw_bfcp_link *l)
{
	return l->transport == GW_BFCP_TCP || l->transport == GW_BFCP_TLS;
}

static bool is_secure(enum gw_bfcp_transport transport)
{
	return transport == GW_BFCP_TLS || transport == GW_BFCP_DTLS;
}

/* ---- between association and owner ---- */
static void core_send(const uint8_t *data, size_t len, void *user_data)
{
	struct gw_bfcp_link *l = user_data;

	if (is_stream(l)) {
		bfcp_stream_send(l, data, len);
	} else if (l->transport == GW_BFCP_DTLS) {
		bfcp_dtls_send(l, data, len);
	} else {
		(void)sendto(l->fd, data, len, MSG_NOSIGNAL, &l->remote.sa, bfcp_addr_len(&l->remote));	/* T1 repeats it */
	}
}

#define TELL(call, ...)                                                 \
	struct gw_bfcp_link *l = user_data;                             \
	if (!l->dead && l->ops->call != NULL) {                         \
		l->ops->call(l, ##__VA_ARGS__, l->user_data);           \
	}

static void core_request(void *user_data)
{
	TELL(on_request)
}

static void core_release(void *user_data)
{
	TELL(on_release)
}

static void core_status(enum gw_bfcp_status status, void *user_data)
{
	TELL(on_status, status)
}

static void core_floor(bool held, bool by_us, void *user_data)
{
	TELL(on_floor, held, by_us)
}

static void core_gone(const char *why, void *user_data)
{
	TELL(on_gone, why)
}

static const struct bfcp_core_ops core_ops = { core_send, core_request, core_release, core_status, core_floor, core_gone };

/* ---- life ---- */
GSource *bfcp_watch(gw_bfcp *b, int fd, GIOCondition cond, gboolean (*fn)(gint, GIOCondition, gpointer), void *data)
{
	GSource *s = g_unix_fd_source_new(fd, cond);

	g_source_set_callback(s, G_SOURCE_FUNC(fn), data, NULL);
	g_source_attach(s, b->context);
	return s;
}

static void end_source(GSource **source)
{
	if (*source != NULL) {
		g_source_destroy(*source);
	}
	g_clear_pointer(source, g_source_unref);
}

static void destroy(struct gw_bfcp_link *l)
{
	if (l->transport == GW_BFCP_DTLS) {
		bfcp_dtls_close(l);
	} else {
		bfcp_stream_close(l);
	}
	end_source(&l->fd_source);
	end_source(&l->timer);
	if (l->fd >= 0) {
		close(l->fd);
	}
	l->b->n_links--;
	g_free(l);
}

static int64_t deadline(struct gw_bfcp_link *l)
{
	int64_t next = MIN(bfcp_core_deadline(&l->core), l->redial_us);

	return l->transport == GW_BFCP_DTLS ? MIN(next, bfcp_dtls_deadline(l)) : next;
}

void bfcp_link_enter(struct gw_bfcp_link *l)
{
	l->busy++;
}

void bfcp_link_leave(struct gw_bfcp_link *l)
{
	if (--l->busy > 0) {
		return;
	}
	if (l->dead) {
		destroy(l);
	} else {
		ort_timer_set(l->timer, deadline(l));
	}
}

static int64_t on_timer(int64_t now_us, void *user_data)
{
	struct gw_bfcp_link *l = user_data;
	int64_t next = ORT_NEVER;

	l->busy++;	/* not enter/leave: the return value arms the timer */
	if (is_stream(l)) {
		bfcp_stream_timer(l, now_us);
	} else if (l->transport == GW_BFCP_DTLS) {
		bfcp_dtls_timer(l, now_us);
	}
	bfcp_core_timer(&l->core, now_us);
	l->busy--;
	if (l->dead) {
		destroy(l);
	} else {
		next = deadline(l);
	}
	return next;
}

static gboolean on_datagram(gint fd, GIOCondition cond, gpointer data)
{
	struct gw_bfcp_link *l = data;
	uint8_t buf[BFCP_LONGEST + 1];

	bfcp_link_enter(l);
	for (unsigned i = 0; i < DATAGRAMS_A_TURN && !l->dead; i++) {
		union bfcp_addr from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, &from.sa, &len);

		if (n < 0) {
			break;
		}
		if (!l->told || !bfcp_addr_same_ip(&from, &l->remote) || port_of(&from) != port_of(&l->remote)) {
			l->b->counters.foreign++;
		} else {
			bfcp_core_input(&l->core, buf, (size_t)n, ort_now_us());
		}
	}
	bfcp_link_leave(l);
	return G_SOURCE_CONTINUE;
}

static gboolean on_dtls(gint fd, GIOCondition cond, gpointer data)
{
	struct gw_bfcp_link *l = data;

	bfcp_link_enter(l);
	bfcp_dtls_readable(l);
	bfcp_link_leave(l);
	return G_SOURCE_CONTINUE;
}

static bool datagram_open(struct gw_bfcp_link *l, GError **err)
{
	const union bfcp_addr *a = &l->b->local;

	l->fd = socket(a->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0 || bind(l->fd, &a->sa, bfcp_addr_len(a)) < 0) {
		g_set_error(err, G_IO_ERROR, g_io_error_from_errno(errno), "BFCP: %s", g_strerror(errno));
		return false;
	}
	l->fd_source = bfcp_watch(l->b, l->fd, G_IO_IN, l->transport == GW_BFCP_DTLS ? on_dtls : on_datagram, l);
	return true;
}

gw_bfcp_link *gw_bfcp_link_new(gw_bfcp *b, const struct gw_bfcp_link_conf *conf, const struct gw_bfcp_ops *ops,
			       void *user_data, GError **err)
{
	struct gw_bfcp_link *l;
	uint16_t tid = 0;

	if (is_secure(conf->transport) && b->tls == NULL) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "BFCP over TLS needs a certificate");
		return NULL;
	}
	(void)RAND_bytes((unsigned char *)&tid, sizeof(tid));
	l = g_new0(struct gw_bfcp_link, 1);
	l->b = b;
	l->transport = conf->transport;
	l->active = conf->active;
	l->ops = ops;
	l->user_data = user_data;
	l->fd = l->conn = -1;
	l->redial_us = ORT_NEVER;
	l->have_hash = bfcp_tls_hash(conf->fingerprint, l->hash);
	l->timer = ort_timer_new(b->context, ORT_NEVER, on_timer, l);
	b->n_links++;
	bfcp_core_init(&l->core, !is_stream(l), &core_ops, &b->counters, tid, l);
	bfcp_core_role(&l->core, conf->server, conf->conference, (uint16_t)conf->user, conf->floor);
	if (!(is_stream(l) ? bfcp_stream_open(l, err) : datagram_open(l, err))) {
		destroy(l);
		return NULL;
	}
	return l;
}

void gw_bfcp_link_free(gw_bfcp_link *l)
{
	if (l == NULL || l->dead) {
		return;
	}
	bfcp_core_bye(&l->core);
	l->dead = true;
	if (l->busy == 0) {
		destroy(l);
	}
}

uint16_t gw_bfcp_link_port(const gw_bfcp_link *l)
{
	union bfcp_addr a;
	socklen_t len = sizeof(a);

	return l->fd >= 0 && getsockname(l->fd, &a.sa, &len) == 0 ? ntohs(port_of(&a)) : DISCARD;
}

void gw_bfcp_link_set_role(gw_bfcp_link *l, bool server, uint32_t conference, uint32_t user, uint16_t floor)
{
	bfcp_core_role(&l->core, server, conference, (uint16_t)user, floor);
}

void gw_bfcp_link_set_active(gw_bfcp_link *l, bool active)
{
	g_return_if_fail(l->transport == GW_BFCP_DTLS);
	l->active = active;
}

/* From now on the peer is that one. */
static bool told(struct gw_bfcp_link *l, bool same)
{
	if (is_stream(l)) {
		bfcp_stream_told(l, ort_now_us());
	} else if (l->transport == GW_BFCP_DTLS) {
		return same || bfcp_dtls_told(l);
	} else if (!same) {
		bfcp_core_up(&l->core, ort_now_us());
	}
	return true;
}

bool gw_bfcp_link_connect(gw_bfcp_link *l, const char *ip, uint16_t port, const char *fingerprint, GError **err)
{
	union bfcp_addr a;
	bool same, ok;

	if (!parse_addr(ip, port, &a) || (port == 0 && (!is_stream(l) || l->active))) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "BFCP: a literal address and a port are needed");
		return false;
	}
	if (fingerprint != NULL) {
		l->have_hash = bfcp_tls_hash(fingerprint, l->hash);
	}
	if (is_secure(l->transport) && !l->have_hash) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "BFCP over TLS: the peer's SHA-256 fingerprint is needed");
		return false;
	}
	if (!is_stream(l) && l->b->local.sa.sa_family == AF_INET6 && a.sa.sa_family == AF_INET) {
		struct in6_addr s = six(&a);

		a = (union bfcp_addr){ .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = s } };
	}
	bfcp_link_enter(l);
	same = l->told && bfcp_addr_same_ip(&a, &l->remote) && port_of(&a) == port_of(&l->remote);
	l->remote = a;
	l->told = true;
	ok = told(l, same);
	if (!ok) {
		g_set_error(err, G_IO_ERROR, g_io_error_from_errno(errno), "BFCP: %s", g_strerror(errno));
	}
	bfcp_link_leave(l);
	return ok;
}

/* ---- what the owner decides ---- */
static void verdict(gw_bfcp_link *l, enum gw_bfcp_status status, const char *why)
{
	bfcp_link_enter(l);
	bfcp_server_verdict(&l->core, status, why, ort_now_us());
	bfcp_link_leave(l);
}

void gw_bfcp_link_grant(gw_bfcp_link *l)
{
	verdict(l, GW_BFCP_GRANTED, NULL);
}

void gw_bfcp_link_deny(gw_bfcp_link *l, const char *why)
{
	verdict(l, GW_BFCP_DENIED, why);
}

void gw_bfcp_link_revoke(gw_bfcp_link *l, const char *why)
{
	verdict(l, GW_BFCP_REVOKED, why);
}

void gw_bfcp_link_tell(gw_bfcp_link *l, bool held)
{
	bfcp_link_enter(l);
	bfcp_server_tell(&l->core, held, ort_now_us());
	bfcp_link_leave(l);
}

void gw_bfcp_link_request(gw_bfcp_link *l)
{
	bfcp_link_enter(l);
	bfcp_client_request(&l->core, ort_now_us());
	bfcp_link_leave(l);
}

void gw_bfcp_link_release(gw_bfcp_link *l)
{
	bfcp_link_enter(l);
	bfcp_client_release(&l->core, ort_now_us());
	bfcp_link_leave(l);
}
