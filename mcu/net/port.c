/* A port: its sockets in one epoll, the demultiplexer, the order of a turn, timers. */
#include "mcu/net/net_priv.h"
#include "mcu/net/rx_priv.h"

#include <errno.h>
#include <gio/gio.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 64 };

static const struct { const char *name, *doc; } counter_rows[NET_COUNTERS] = {
#define MCU_COUNTER(id, json, sentence) [NET_##id] = { json, sentence },
#include "mcu/net/counters.def"
#undef MCU_COUNTER
};

void net_port_random(mcu_port *port, void *out, size_t len)
{
	uint8_t *at = out;

	if (port->random == 0) {
		g_assert(RAND_bytes(out, (int)len) == 1);
		return;
	}
	for (size_t i = 0; i < len; i++) {	/* splitmix64: repeatable, for tests */
		uint64_t z = port->random += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		at[i] = (uint8_t)(z >> 56);
	}
}

static void set_defaults(struct mcu_port_conf *c)
{
	c->max_transports = c->max_transports ? c->max_transports : 4096;
	c->max_packets = c->max_packets ? c->max_packets : 65536;
	c->stun_per_s = c->stun_per_s ? c->stun_per_s : 50;
	c->dtls_hello_per_s = c->dtls_hello_per_s ? c->dtls_hello_per_s : 5;
	c->ssrc_per_transport = c->ssrc_per_transport ? c->ssrc_per_transport : 64;
	c->tcp_queue = c->tcp_queue ? c->tcp_queue : 1 << 20;
	c->listen = c->announce = c->zones = NULL;
}

mcu_port *mcu_port_new(const struct mcu_port_conf *conf, const struct mcu_port_ops *ops, void *user_data, GError **err)
{
	mcu_port *port = g_new0(mcu_port, 1);

	port->conf = *conf;
	port->ops = *ops;
	port->user_data = user_data;
	port->random = conf->seed;
	port->tcp_deadline_us = ORT_NEVER;
	port->now_us = ort_now_us();
	set_defaults(&port->conf);
	port->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	port->rx = g_new0(struct net_rx, 1);
	port->out.area = g_malloc((size_t)NET_OUT * NET_SLOT);
	port->limit = g_new0(struct net_limit, 1);
	port->srtp = mcu_srtp_lib_new();
	port->pool = mcu_pool_new(port->conf.max_packets);
	net_port_random(port, &port->limit->seed, sizeof(port->limit->seed));
	net_port_random(port, &port->pairs.seed, sizeof(port->pairs.seed));
	net_ice_init(port);
	port->dtls = mcu_dtls_ctx_new(err);
	if (port->dtls == NULL || !net_udp_open(port, conf->listen, err)) {
		mcu_port_free(port);
		return NULL;
	}
	net_ice_announce(port, conf->announce);
	net_plain_zones(port, conf->zones);
	return port;
}

static void bury(mcu_port *port)
{
	while (port->dead != NULL) {
		mcu_transport *t = port->dead;

		port->dead = t->next;
		net_transport_free(t);
	}
	net_tcp_bury(port);
}

void mcu_port_free(mcu_port *port)
{
	if (port == NULL) {
		return;
	}
	while (port->transports != NULL) {
		mcu_transport_close(port->transports);
	}
	bury(port);
	net_agents_free(port);
	net_tcp_close_all(port);
	net_udp_close(port);
	close(port->epoll_fd);
	mcu_dtls_ctx_free(port->dtls);
	mcu_srtp_lib_free(port->srtp);
	mcu_pool_free(port->pool);
	g_hash_table_unref(port->by_ufrag);
	g_free(port->pairs.slots);
	g_free(port->heap);
	g_free(port->limit);
	g_free(port->out.area);
	g_free(port->rx);
	g_free(port);
}

int mcu_port_fd(const mcu_port *port)
{
	return port->epoll_fd;
}

mcu_pool *mcu_port_pool(mcu_port *port)
{
	return port->pool;
}

uint16_t mcu_port_number(const mcu_port *port)
{
	return port->number;
}

const char *mcu_port_fingerprint(const mcu_port *port)
{
	return mcu_dtls_fingerprint(port->dtls);
}

char *mcu_port_stats(const mcu_port *port)
{
	GString *s = g_string_new("{");

	for (unsigned i = 0; i < NET_COUNTERS; i++) {
		g_string_append_printf(s, "\"%s\":%" G_GUINT64_FORMAT ",", counter_rows[i].name, port->counters[i]);
	}
	g_string_append_printf(s, "\"transports.open\":%u,\"pairs.open\":%u,\"packets.in_use\":%u,", port->n_transports,
			       port->pairs.n, mcu_pool_in_use(port->pool));
	g_string_append_printf(s, "\"srtp.gcm\":\"%s\",\"srtp.cm80\":\"%s\"}",
			       mcu_srtp_backend_of(port->srtp, MCU_SRTP_GCM128),
			       mcu_srtp_backend_of(port->srtp, MCU_SRTP_CM80));
	return g_string_free(s, FALSE);
}

/* RFC 7983: the first octet tells. STUN may come from anywhere; the rest only from where a valid check came. */
void net_port_datagram(mcu_port *port, const struct net_datagram *d)
{
	uint8_t first = d->len > 0 ? d->data[0] : 255;
	struct net_pair *pair;
	struct net_key key;

	if (d->path.sock != NULL && d->path.sock->plain != NULL) {
		net_plain_datagram(port, d);
		return;
	}
	if (d->path.tcp != NULL) {
		pair = net_tcp_pair(d->path.tcp);
	} else if (d->path.agent != NULL) {
		pair = net_agent_pair(d->path.agent);
	} else {
		net_key_of(&d->path, &key);
		pair = net_table_find(&port->pairs, &key);
	}
	if (d->len > 0 && first < 4) {
		net_ice_input(port, d, pair);
	} else if (first >= 20 && first < 64) {
		NET_COUNT(port, DTLS_IN);
		if (pair == NULL) {
			NET_COUNT(port, DTLS_FOREIGN);
		} else {
			net_transport_dtls(pair->t, pair, d->data, d->len, port->now_us);
		}
	} else if (first >= 128 && first < 192) {
		if (pair == NULL) {
			NET_COUNT(port, RTP_FOREIGN);
		} else {
			net_transport_media(pair->t, pair, d->data, d->len, port->now_us);
		}
	} else {
		NET_COUNT(port, JUNK_IN);
	}
}

void net_port_batch_end(mcu_port *port)
{
	port->batch_open = false;
	if (port->ops.on_batch_end != NULL) {
		port->ops.on_batch_end(port, port->now_us, port->user_data);
	}
	net_out_batch_end(port);
}

/* Timers: a binary heap of transports by their earliest deadline. A deadline that moves later (each valid check does
 * that) is left where it is; when it comes up the transport says its true one. */
static void heap_set(mcu_port *port, unsigned i, mcu_transport *t)
{
	port->heap[i] = t;
	t->heap_at = i + 1;
}

static void heap_up(mcu_port *port, unsigned i)
{
	mcu_transport *t = port->heap[i];

	while (i > 0 && port->heap[(i - 1) / 2]->heap_us > t->heap_us) {
		heap_set(port, i, port->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_set(port, i, t);
}

static void heap_down(mcu_port *port, unsigned i)
{
	mcu_transport *t = port->heap[i];
	unsigned child;

	while ((child = 2 * i + 1) < port->n_heap) {
		if (child + 1 < port->n_heap && port->heap[child + 1]->heap_us < port->heap[child]->heap_us) {
			child++;
		}
		if (port->heap[child]->heap_us >= t->heap_us) {
			break;
		}
		heap_set(port, i, port->heap[child]);
		i = child;
	}
	heap_set(port, i, t);
}

void net_port_arm(mcu_transport *t, int64_t deadline_us)
{
	mcu_port *port = t->port;

	if (t->dead || deadline_us == ORT_NEVER || (t->heap_at > 0 && t->heap_us <= deadline_us)) {
		return;
	}
	t->heap_us = deadline_us;
	if (t->heap_at == 0) {
		if (port->n_heap == port->heap_room) {
			port->heap_room = port->heap_room ? 2 * port->heap_room : 64;
			port->heap = g_renew(mcu_transport *, port->heap, port->heap_room);
		}
		heap_set(port, port->n_heap++, t);
	}
	heap_up(port, t->heap_at - 1);
}

void net_port_disarm(mcu_transport *t)
{
	mcu_port *port = t->port;
	unsigned i = t->heap_at - 1;
	mcu_transport *last;

	if (t->heap_at == 0) {
		return;
	}
	t->heap_at = 0;
	last = port->heap[--port->n_heap];
	if (last != t) {
		heap_set(port, i, last);
		heap_up(port, i);
		heap_down(port, last->heap_at - 1);
	}
}

int64_t mcu_port_deadline(const mcu_port *port)
{
	int64_t heap = port->n_heap > 0 ? port->heap[0]->heap_us : ORT_NEVER;

	return port->bridge_work ? 0 : MIN(MIN(heap, port->tcp_deadline_us), net_agents_deadline(port));
}

static void run_timers(mcu_port *port)
{
	while (port->n_heap > 0 && port->heap[0]->heap_us <= port->now_us) {
		mcu_transport *t = port->heap[0];

		net_port_disarm(t);
		net_transport_timers(t, port->now_us);
	}
	if (port->tcp_deadline_us <= port->now_us || port->n_tcp_idle > 0) {
		port->tcp_deadline_us = net_tcp_timers(port, port->now_us);
	}
}

void net_port_enter(mcu_port *port)
{
	port->depth++;
}

/* Calls of the owner between turns have no `now`, and the last turn may be long ago: a state's timer must not begin
 * in the past. */
void net_port_clock(mcu_port *port)
{
	if (port->depth <= 1) {
		port->now_us = MAX(port->now_us, ort_now_us());
	}
}

void net_port_leave(mcu_port *port)
{
	if (--port->depth == 0) {
		net_out_flush(port);
		bury(port);
	}
}

void mcu_port_turn(mcu_port *port, int64_t now_us)
{
	struct epoll_event events[EVENTS];
	int n;

	port->now_us = now_us;
	net_port_enter(port);
	n = epoll_wait(port->epoll_fd, events, EVENTS, 0);
	for (int i = 0; i < n; i++) {
		struct net_event *ev = events[i].data.ptr;

		ev->ready(port, ev, events[i].events);
	}
	net_bridges_turn(port);
	if (port->batch_open) {
		net_port_batch_end(port);
	}
	net_agents_turn(port);
	run_timers(port);
	net_port_leave(port);
}
