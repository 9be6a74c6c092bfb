/* See fake_net.h. */
#include "tests/kit/fake_net.h"

#include <errno.h>
#include <string.h>

#include "mcu/proto/proto.h"

struct mcu_port {
	struct mcu_port_ops ops;
	void *user_data;
	mcu_pool *pool;
	GPtrArray *transports;
	GPtrArray *sent;
	unsigned max_transports, opened, runs;
};

struct mcu_transport {
	mcu_port *port;
	void *data;
	const char *state, *marked;
	struct mcu_plain_conf plain;
	bool up, congested;
	unsigned number, restarts;
	char *remote;
	mcu_channel *channel;	/* of a bridge */
	GHashTable *nonces;	/* ssrc << 32 | unwrapped number -> GBytes */
	GHashTable *indices;	/* ssrc -> struct mcu_unwrap, of what was sent */
	GHashTable *seen, *seen_indices;	/* likewise of what came in: replays are dropped */
};

static void free_transport(void *data)
{
	mcu_transport *t = data;

	g_hash_table_unref(t->nonces);
	g_hash_table_unref(t->indices);
	g_hash_table_unref(t->seen);
	g_hash_table_unref(t->seen_indices);
	g_free(t->remote);
	mcu_channel_free(t->channel);
	g_free(t);
}

mcu_port *mcu_port_new(const struct mcu_port_conf *conf, const struct mcu_port_ops *ops, void *user_data, GError **err)
{
	mcu_port *port = g_new0(mcu_port, 1);

	port->ops = *ops;
	port->user_data = user_data;
	port->max_transports = conf && conf->max_transports ? conf->max_transports : 4096;
	port->pool = mcu_pool_new(conf && conf->max_packets ? conf->max_packets : 4096);
	port->transports = g_ptr_array_new_with_free_func(free_transport);
	port->sent = g_ptr_array_new_with_free_func(g_free);
	return port;
}

void mcu_port_free(mcu_port *port)
{
	if (!port) {
		return;
	}
	g_ptr_array_unref(port->transports);
	g_ptr_array_unref(port->sent);
	g_assert_cmpuint(mcu_pool_in_use(port->pool), ==, 0);
	mcu_pool_free(port->pool);
	g_free(port);
}

int mcu_port_fd(const mcu_port *port)
{
	return -1;
}

int64_t mcu_port_deadline(const mcu_port *port)
{
	return INT64_MAX;
}

void mcu_port_turn(mcu_port *port, int64_t now_us)
{
}

void mcu_port_flush(mcu_port *port)
{
}

mcu_pool *mcu_port_pool(mcu_port *port)
{
	return port->pool;
}

uint16_t mcu_port_number(const mcu_port *port)
{
	return 40000;
}

const char *mcu_port_fingerprint(const mcu_port *port)
{
	return "AA:BB";
}

char *mcu_port_stats(const mcu_port *port)
{
	return g_strdup_printf("{\"net_sent\":%u}", port->sent->len);
}

mcu_transport *mcu_transport_open(mcu_port *port, void *transport_data, GError **err)
{
	if (port->transports->len >= port->max_transports) {
		return NULL;
	}
	mcu_transport *t = g_new0(mcu_transport, 1);
	t->port = port;
	t->data = transport_data;
	t->state = "new";
	t->number = ++port->opened;
	t->nonces = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_bytes_unref);
	t->indices = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	t->seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	t->seen_indices = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	g_ptr_array_add(port->transports, t);
	return t;
}

mcu_transport *mcu_transport_open_agent(mcu_port *port, const struct mcu_agent_conf *conf, void *transport_data, GError **err)
{
	if (conf->turn && !g_str_has_prefix(conf->turn, "turn:")) {
		g_set_error(err, MCU_ERROR, MCU_ERROR_INVALID, "turn: %s", conf->turn);
		return NULL;
	}
	return mcu_transport_open(port, transport_data, err);
}

mcu_transport *mcu_transport_open_plain(mcu_port *port, const struct mcu_plain_conf *conf, void *transport_data,
					GError **err)
{
	mcu_transport *t = mcu_transport_open(port, transport_data, err);

	if (t) {
		t->plain = *conf;
	}
	return t;
}

/* Up at once, but for DTLS. */
int mcu_transport_connect_plain(mcu_transport *t, const struct mcu_plain_peer *peer, GError **err)
{
	if (peer->port && !peer->ip) {
		g_set_error(err, MCU_ERROR, MCU_ERROR_INVALID, "ip");
		return -EINVAL;
	}
	g_free(t->remote);
	t->remote = g_strdup_printf("%s:%u", peer->ip ? peer->ip : "", peer->port);
	if (t->plain.security != MCU_PLAIN_DTLS && !t->up) {
		fake_net_state(t, "up", 1);
	}
	return 0;
}

uint16_t mcu_transport_rtcp_port(const mcu_transport *t)
{
	return t->plain.rtcp_mux ? 0 : 40001;
}

void mcu_transport_mark(mcu_transport *t, bool video)
{
	t->marked = video ? "video" : "audio";
}

mcu_transport *mcu_transport_open_bridge(mcu_port *port, mcu_channel *channel, void *transport_data, GError **err)
{
	mcu_transport *t = mcu_transport_open(port, transport_data, err);

	if (!t) {
		mcu_channel_free(channel);
		return NULL;
	}
	(void)mcu_transport_set_channel(t, channel);
	return t;
}

int mcu_transport_set_channel(mcu_transport *t, mcu_channel *channel)
{
	mcu_channel_free(t->channel);
	t->channel = channel;
	t->state = "up";
	t->up = true;
	return 0;
}

int mcu_transport_add_candidate(mcu_transport *t, const char *line, GError **err)
{
	if (line[0] == '\0' || g_str_has_prefix(line, "candidate:")) {
		return 0;
	}
	g_set_error(err, MCU_ERROR, MCU_ERROR_INVALID, "no candidate: %s", line);
	return -EINVAL;
}

void mcu_transport_set_rtt(mcu_transport *t, int64_t rtt_us)
{
}

static void forget_sent(mcu_port *port, const mcu_transport *t)
{
	for (unsigned i = port->sent->len; i-- > 0;) {
		if (((struct fake_sent *)g_ptr_array_index(port->sent, i))->to == t) {
			g_ptr_array_remove_index(port->sent, i);
		}
	}
}

void mcu_transport_close(mcu_transport *t)
{
	if (t) {
		forget_sent(t->port, t);
		g_ptr_array_remove(t->port->transports, t);
	}
}

void mcu_transport_local(const mcu_transport *t, char ret_ufrag[33], char ret_pwd[33])
{
	g_snprintf(ret_ufrag, 33, "ufrag%u-%u", t->number, t->restarts);
	g_snprintf(ret_pwd, 33, "pwd%u-%u", t->number, t->restarts);
}

unsigned mcu_transport_candidates(const mcu_transport *t, struct mcu_candidate *ret, unsigned max)
{
	if (!max) {
		return 0;
	}
	*ret = (struct mcu_candidate){ "1", "udp", 1000, "192.0.2.1", 40000, "host", "" };
	return 1;
}

int mcu_transport_connect(mcu_transport *t, const char *ufrag, const char *pwd, const char *fingerprint, bool dtls_client,
			  GError **err)
{
	g_free(t->remote);
	t->remote = g_strdup(ufrag);
	return 0;
}

int mcu_transport_restart_ice(mcu_transport *t)
{
	t->restarts++;
	return 0;
}

void *mcu_transport_data(const mcu_transport *t)
{
	return t->data;
}

const char *mcu_transport_state(const mcu_transport *t)
{
	return t->state;
}

bool mcu_transport_up(const mcu_transport *t)
{
	return t->up;
}

int64_t mcu_transport_rtt_us(const mcu_transport *t)
{
	return 100000;
}

char *mcu_transport_dump(const mcu_transport *t)
{
	return g_strdup("{}");
}

static struct fake_sent *record(mcu_transport *t, bool rtcp)
{
	GPtrArray *sent = t->port->sent;
	struct fake_sent *s = g_new0(struct fake_sent, 1);

	if (!sent->len || ((struct fake_sent *)g_ptr_array_index(sent, sent->len - 1))->to != t) {
		t->port->runs++;
	}
	s->to = t;
	s->rtcp = rtcp;
	g_ptr_array_add(sent, s);
	return s;
}

/* RFC 3711 3.3.1: the index of a packet is guessed from the last one of its SSRC. */
static gint64 index_of(GHashTable *indices, const struct mcu_rtp *rtp)
{
	struct mcu_unwrap *u = g_hash_table_lookup(indices, GUINT_TO_POINTER(rtp->ssrc));

	if (!u) {
		u = g_new0(struct mcu_unwrap, 1);
		g_hash_table_insert(indices, GUINT_TO_POINTER(rtp->ssrc), u);
	}
	return (gint64)((guint64)rtp->ssrc << 32 | (guint32)mcu_unwrap16(u, rtp->seq));
}

static void check_nonce(mcu_transport *t, const struct fake_sent *s)
{
	gint64 key = index_of(t->indices, &s->rtp);
	g_autoptr(GBytes) bytes = g_bytes_new(s->data, s->len);
	GBytes *before = g_hash_table_lookup(t->nonces, &key);

	if (before) {
		g_assert_true(g_bytes_equal(before, bytes));
	} else {
		g_hash_table_insert(t->nonces, g_memdup2(&key, sizeof(key)), g_steal_pointer(&bytes));
	}
}

void mcu_transport_send_rtp(mcu_transport *t, const uint8_t *header, unsigned header_len, const uint8_t *payload,
			    unsigned payload_len)
{
	if (!t->up) {
		return;
	}
	struct fake_sent *s = record(t, false);
	g_assert_cmpuint(header_len + payload_len, <=, sizeof(s->data));
	memcpy(s->data, header, header_len);
	memcpy(s->data + header_len, payload, payload_len);
	s->len = header_len + payload_len;
	g_assert_cmpint(mcu_rtp_parse(s->data, s->len, &s->rtp), ==, 0);
	g_assert_cmpuint(s->rtp.header_len, ==, header_len);
	check_nonce(t, s);
}

void mcu_transport_send_rtcp(mcu_transport *t, const uint8_t *data, unsigned len)
{
	struct mcu_rtcp r;
	size_t pos = 0;
	int rc;

	if (!t->up) {
		return;
	}
	struct fake_sent *s = record(t, true);
	g_assert_cmpuint(len, <=, 1400);
	memcpy(s->data, data, len);
	s->len = len;
	while ((rc = mcu_rtcp_next(data, len, &pos, &r)) == 1) {
	}
	g_assert_cmpint(rc, ==, 0);
}

bool mcu_transport_congested(const mcu_transport *t)
{
	return t->congested;
}

mcu_transport *fake_net_last(const mcu_port *port)
{
	return g_ptr_array_index(port->transports, port->transports->len - 1);
}

unsigned fake_net_transports(const mcu_port *port)
{
	return port->transports->len;
}

void fake_net_state(mcu_transport *t, const char *state, int64_t now_us)
{
	t->state = state;
	t->up = !strcmp(state, "up");
	t->port->ops.on_state(t, state, NULL, now_us, t->data);
}

void fake_net_congest(mcu_transport *t, bool on)
{
	t->congested = on;
}

static bool is_replay(mcu_transport *t, const struct mcu_rtp *rtp)
{
	gint64 key = index_of(t->seen_indices, rtp);

	return !g_hash_table_add(t->seen, g_memdup2(&key, sizeof(key)));
}

void fake_net_rtp(mcu_transport *t, const uint8_t *data, size_t len, int64_t now_us)
{
	struct mcu_packet *p = len <= MCU_PACKET_ROOM ? mcu_packet_new(t->port->pool) : NULL;

	if (!p) {
		return;
	}
	memcpy(p->data, data, len);
	p->len = (uint16_t)len;
	p->arrival_us = now_us;
	if (mcu_rtp_parse(p->data, p->len, &p->rtp) == 0 && !is_replay(t, &p->rtp)) {
		t->port->ops.on_rtp(t, p, now_us, t->data);
	}
	mcu_packet_unref(p);
}

void fake_net_rtcp(mcu_transport *t, const uint8_t *data, size_t len, int64_t now_us)
{
	t->port->ops.on_rtcp(t, data, len, now_us, t->data);
}

void fake_net_batch(mcu_port *port, int64_t now_us)
{
	port->ops.on_batch_end(port, now_us, port->user_data);
}

unsigned fake_net_sent(const mcu_port *port)
{
	return port->sent->len;
}

const struct fake_sent *fake_net_get(const mcu_port *port, unsigned i)
{
	return g_ptr_array_index(port->sent, i);
}

void fake_net_clear(mcu_port *port)
{
	g_ptr_array_set_size(port->sent, 0);
	port->runs = 0;
}

unsigned fake_net_runs(const mcu_port *port)
{
	return port->runs;
}
