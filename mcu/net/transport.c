/* One transport: ICE has found the peer, DTLS has proved it, SRTP carries it.
 *
 *            check+connect        keys, hash equal             no sign for 6.5 s
 *  new --> ice ----------> dtls ------------------> up <------------------------> disconnected
 *   |       | 30 s          | 10 s, wrong hash      |  check or authentic packet      | 30 s
 *   |       +------+--------+                       |                                 |
 *   |              v                                |       a new check               v
 *   |            failed <---------------------------+-------------<-------------- failed
 *   +--> closed (by the owner: silent; by the peer's close_notify: told)
 */
#include "mcu/net/net_priv.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#define DTLS_KEEP_US (60 * ORT_US_PER_S)	/* a peer that lost our last flight repeats within this */
#define DTLS_ATTEMPTS 5
#define DEFAULT_RTT_US (100 * ORT_US_PER_MS)

enum { T_ICE, T_DTLS, T_QUIET, T_LOST, T_PLAIN_QUIET, T_PLAIN_LOST };
static const struct ort_timer_row timers[] = {
	[T_ICE] = { "transport.ice_ms", 30000, "RFC 8445 8.3", "a transport waits this long for a check or for connect" },
	[T_DTLS] = { "transport.dtls_ms", 10000, "class 9", "a DTLS handshake lasts at most this long" },
	[T_QUIET] = { "transport.quiet_ms", 6500, "RFC 7675 5.1", "checks come every 4-6 s: longer silence is trouble" },
	[T_LOST] = { "transport.lost_ms", 30000, "RFC 7675 5.1", "without a valid check this long nothing more is sent" },
	[T_PLAIN_QUIET] = { "transport.plain_quiet_ms", 10000, "RFC 3550 6.2", "two RTCP intervals without anything" },
	[T_PLAIN_LOST] = { "transport.plain_lost_ms", 30000, "class 12", "without a packet this long nothing more is sent" },
};
static const char *const events[TE_N] = {
	[TE_CONNECT] = "connect", [TE_CHECK] = "check", [TE_KEYS] = "keys",	   [TE_QUIET] = "quiet",
	[TE_LOST] = "lost",	  [TE_BAD] = "bad",	[TE_TIMEOUT] = "timeout", [TE_CLOSE] = "close",
};
#define E(x) ORT_BIT(TE_##x)
#define S(x) ORT_BIT(TS_##x)
static const struct ort_fsm_state states[TS_N] = {
	[TS_NEW] = { "new", E(CONNECT) | E(CHECK) | E(CLOSE), S(ICE) | S(DTLS) | S(UP) | S(CLOSED), -1 },
	[TS_ICE] = { "ice", E(CONNECT) | E(CHECK) | E(TIMEOUT) | E(CLOSE), S(DTLS) | S(FAILED) | S(CLOSED), T_ICE },
	[TS_DTLS] = { "dtls", E(CONNECT) | E(CHECK) | E(KEYS) | E(BAD) | E(TIMEOUT) | E(CLOSE),
		      S(UP) | S(FAILED) | S(CLOSED), T_DTLS },
	[TS_UP] = { "up", E(CONNECT) | E(CHECK) | E(QUIET) | E(CLOSE), S(DISCONNECTED) | S(CLOSED), -1 },
	[TS_DISCONNECTED] = { "disconnected", E(CONNECT) | E(CHECK) | E(LOST) | E(CLOSE),
			      S(UP) | S(FAILED) | S(CLOSED), -1 },
	[TS_FAILED] = { "failed", E(CONNECT) | E(CHECK) | E(CLOSE), S(UP) | S(CLOSED), -1 },
	[TS_CLOSED] = { "closed", 0, 0, -1 },
};
#undef E
#undef S
static const struct ort_fsm_table table = { "transport", states, TS_N, events, TE_N, timers, G_N_ELEMENTS(timers) };

static bool accepts(mcu_transport *t, enum transport_event event)
{
	if (ort_fsm_accepts(&t->fsm, event)) {
		return true;
	}
	NET_COUNT(t->port, FORBIDDEN);
	return false;
}

static int64_t limit_us(unsigned timer)
{
	return timers[timer].default_ms * ORT_US_PER_MS;
}

static int64_t silence_us(const mcu_transport *t, bool lost)
{
	return t->plain != NULL ? limit_us(lost ? T_PLAIN_LOST : T_PLAIN_QUIET) : limit_us(lost ? T_LOST : T_QUIET);
}

static int64_t deadline(const mcu_transport *t, int64_t now_us)
{
	int64_t d = t->fsm.deadline_us, flight = t->dtls ? mcu_dtls_timeout_us(t->dtls) : -1;

	if (flight >= 0) {
		d = MIN(d, now_us + flight);
	}
	if (t->dtls_free_us > 0) {
		d = MIN(d, t->dtls_free_us);
	}
	if (t->fsm.state == TS_UP) {
		d = MIN(d, t->alive_us + silence_us(t, false));
	} else if (t->fsm.state == TS_DISCONNECTED) {
		d = MIN(d, t->alive_us + silence_us(t, true));
	}
	return d;
}

static void enter(mcu_transport *t, enum transport_state state, const char *why, int64_t now_us)
{
	if (t->dead || !ort_fsm_enter(&t->fsm, state, now_us)) {
		return;
	}
	t->why = why;
	net_port_arm(t, deadline(t, now_us));
	if (t->port->ops.on_state != NULL) {
		t->port->ops.on_state(t, states[state].name, why, now_us, t->data);
	}
}

static void send_flight(const uint8_t *data, size_t len, void *user_data)
{
	mcu_transport *t = user_data;

	if (t->selected != NULL) {
		net_path_send(t->port, &t->selected->path, data, len);
	}
}

static void fail(mcu_transport *t, const char *why, int64_t now_us)
{
	g_clear_pointer(&t->dtls, mcu_dtls_free);
	enter(t, TS_FAILED, why, now_us);
}

static void keys_done(mcu_transport *t, int64_t now_us)
{
	uint8_t send[MCU_SRTP_KEY + MCU_SRTP_SALT], recv[MCU_SRTP_KEY + MCU_SRTP_SALT];
	enum mcu_srtp_suite suite;

	if (!accepts(t, TE_KEYS)) {
		return;
	}
	if (!mcu_dtls_keys(t->dtls, &suite, send, recv)) {
		fail(t, "no-srtp", now_us);
		return;
	}
	t->in = mcu_srtp_new(t->port->srtp, suite, NULL, recv,
			     t->plain != NULL ? NET_PLAIN_KEYS : t->port->conf.ssrc_per_transport);
	t->out = mcu_srtp_new(t->port->srtp, suite, NULL, send, G_MAXUINT16);
	memset(send, 0, sizeof(send));
	memset(recv, 0, sizeof(recv));
	NET_COUNT(t->port, DTLS_DONE);
	t->alive_us = now_us;
	t->dtls_free_us = now_us + DTLS_KEEP_US;
	enter(t, TS_UP, "", now_us);
}

static void dtls_open(mcu_transport *t, int64_t now_us);

/* One bad handshake does not end the leg while there is time left. A client tries a few times; a server waits for the
 * next hello, whose rate is limited, so that junk makes no work. */
static void begin_anew(mcu_transport *t, int64_t now_us)
{
	if (t->dtls_client && ++t->dtls_attempts < DTLS_ATTEMPTS) {
		dtls_open(t, now_us);
	} else if (t->dtls_client) {
		fail(t, "dtls", now_us);
	}
}

static void dtls_result(mcu_transport *t, enum mcu_dtls_result r, int64_t now_us)
{
	switch (r) {
	case MCU_DTLS_WAIT:
		net_port_arm(t, deadline(t, now_us));
		break;
	case MCU_DTLS_DONE:
		keys_done(t, now_us);
		break;
	case MCU_DTLS_MISMATCH:
		NET_COUNT(t->port, DTLS_FINGERPRINT);
		fail(t, "fingerprint", now_us);
		break;
	case MCU_DTLS_FAILED:
		NET_COUNT(t->port, DTLS_FAILED);
		g_clear_pointer(&t->dtls, mcu_dtls_free);
		begin_anew(t, now_us);
		break;
	case MCU_DTLS_CLOSED:
		g_clear_pointer(&t->dtls, mcu_dtls_free);
		t->dtls_free_us = 0;
		if (accepts(t, TE_CLOSE)) {
			enter(t, TS_CLOSED, "peer", now_us);
		}
		break;
	}
}

static void dtls_open(mcu_transport *t, int64_t now_us)
{
	t->dtls = mcu_dtls_new(t->port->dtls, t->dtls_client, t->remote_hash, send_flight, t);
	if (t->dtls_client) {
		dtls_result(t, mcu_dtls_start(t->dtls), now_us);
	}
}

/* Both sides are known now: shake hands, beginning with what the peer sent too early. */
static void dtls_begin(mcu_transport *t, int64_t now_us)
{
	enter(t, TS_DTLS, "", now_us);
	if (!t->dead && t->fsm.state == TS_DTLS && t->dtls == NULL) {
		dtls_open(t, now_us);
	}
	for (unsigned i = 0; i < NET_EARLY; i++) {
		g_autoptr(GByteArray) flight = g_steal_pointer(&t->early[i]);

		if (flight != NULL && t->dtls != NULL) {
			dtls_result(t, mcu_dtls_input(t->dtls, flight->data, flight->len), now_us);
		}
	}
}

/* As server we answer on any valid pair. As client we wait for the nomination (RFC 8445 12.1): before it many peers can
 * receive, but their answer to our hello has no way out and comes a retransmission later. */
static bool may_shake_hands(const mcu_transport *t)
{
	return t->fsm.state == TS_ICE && t->connected && t->selected != NULL &&
	       (!t->dtls_client || t->selected->nominated);
}

static void alive(mcu_transport *t, int64_t now_us)
{
	bool back = t->fsm.state == TS_DISCONNECTED || (t->plain != NULL && t->fsm.state == TS_FAILED);

	t->alive_us = now_us;
	if (back && accepts(t, TE_CHECK)) {
		enter(t, TS_UP, "", now_us);
	}
}

void net_transport_check(mcu_transport *t, struct net_pair *pair, int64_t now_us)
{
	if (!accepts(t, TE_CHECK)) {
		return;
	}
	alive(t, now_us);
	if (t->fsm.state == TS_NEW) {
		enter(t, TS_ICE, "check", now_us);
	} else if (t->fsm.state == TS_FAILED && t->out != NULL) {	/* consent given anew; the keys still hold */
		enter(t, TS_UP, "", now_us);
	}
	if (may_shake_hands(t)) {
		dtls_begin(t, now_us);
	}
}

void net_transport_pair_lost(mcu_transport *t)
{
	struct net_pair *best = NULL;

	for (unsigned i = 0; i < NET_PAIRS; i++) {
		struct net_pair *p = t->pairs[i];

		if (p != NULL && (best == NULL || p->last_check_us > best->last_check_us)) {
			best = p;
		}
	}
	t->selected = t->selected ? t->selected : best;
}

void net_transport_keep_early(mcu_transport *t, const uint8_t *data, size_t len)
{
	for (unsigned i = 0; i < NET_EARLY; i++) {
		if (t->early[i] == NULL) {
			t->early[i] = g_byte_array_new();
			g_byte_array_append(t->early[i], data, (guint)len);
			return;
		}
	}
	NET_COUNT(t->port, DTLS_EARLY_DROPPED);
}

/* RFC 6347 4.1, 4.2.2: handshake record, ClientHello, first fragment. */
static bool is_hello(const uint8_t *data, size_t len)
{
	return len >= 22 && data[0] == 22 && data[13] == 1 && data[19] == 0 && data[20] == 0 && data[21] == 0;
}

void net_transport_dtls(mcu_transport *t, struct net_pair *pair, const uint8_t *data, size_t len, int64_t now_us)
{
	bool hello = is_hello(data, len);

	if (hello && !net_bucket_take(&pair->hello, t->port->conf.dtls_hello_per_s, now_us)) {
		NET_COUNT(t->port, DTLS_LIMITED);
		return;
	}
	if (t->selected == NULL || !t->selected->nominated) {	/* no choice of the peer yet: answer where it talks from */
		t->selected = pair;
	}
	if (hello && t->dtls == NULL && t->fsm.state == TS_DTLS) {
		dtls_open(t, now_us);
	}
	if (t->dtls != NULL) {
		dtls_result(t, mcu_dtls_input(t->dtls, data, len), now_us);
	} else if (!t->connected) {
		net_transport_keep_early(t, data, len);
	} else {
		NET_COUNT(t->port, DTLS_LATE);
	}
}

static void count_bad(mcu_port *port, int error)
{
	if (error == -EALREADY || error == -ESTALE) {
		NET_COUNT(port, RTP_REPLAYED);
	} else if (error == -ENOSPC) {
		NET_COUNT(port, RTP_SSRC_LIMIT);
	} else {
		NET_COUNT(port, RTP_BAD);
	}
}

static void rtcp(mcu_transport *t, struct net_pair *pair, const uint8_t *data, size_t len, int64_t now_us)
{
	uint32_t plain[NET_SLOT / 4];
	int n = mcu_srtp_unprotect_rtcp(t->in, data, len, (uint8_t *)plain, sizeof(plain));

	if (n < 0) {
		NET_COUNT(t->port, RTCP_BAD);
		return;
	}
	if (t->plain != NULL) {
		net_plain_authentic(t->plain, pair, now_us);
	}
	alive(t, now_us);
	if (!t->dead && t->port->ops.on_rtcp != NULL) {
		t->port->ops.on_rtcp(t, (const uint8_t *)plain, (size_t)n, now_us, t->data);
	}
}

static void rtp(mcu_transport *t, struct net_pair *pair, const uint8_t *data, size_t len, int64_t now_us)
{
	struct mcu_packet *p = mcu_packet_new(t->port->pool);
	int n;

	if (p == NULL) {
		NET_COUNT(t->port, RTP_NO_SLOT);
		return;
	}
	n = mcu_srtp_unprotect(t->in, data, len, p->data);
	if (n >= 0 && mcu_rtp_parse(p->data, (size_t)n, &p->rtp) < 0) {
		n = -EBADMSG;
	}
	if (n < 0) {
		count_bad(t->port, n);
		mcu_packet_unref(p);
		return;
	}
	if (t->plain != NULL) {
		net_plain_authentic(t->plain, pair, now_us);
		alive(t, now_us);
	}
	if (t->plain != NULL && !net_plain_admits(t->plain, &p->rtp, now_us)) {
		mcu_packet_unref(p);
		return;
	}
	p->len = (uint16_t)n;
	p->arrival_us = t->port->arrival_us ? t->port->arrival_us : now_us;
	t->packets_in++;
	t->bytes_in += (unsigned)n;
	NET_COUNT(t->port, RTP_DELIVERED);
	alive(t, now_us);
	if (!t->dead && t->port->ops.on_rtp != NULL) {
		t->port->ops.on_rtp(t, p, now_us, t->data);
	}
	mcu_packet_unref(p);
}

void net_transport_media(mcu_transport *t, struct net_pair *pair, const uint8_t *data, size_t len, int64_t now_us)
{
	bool control = mcu_rtp_is_rtcp(data, len);

	if (control) {
		NET_COUNT(t->port, RTCP_IN);
	} else {
		NET_COUNT(t->port, RTP_IN);
	}
	if (t->in == NULL || (t->fsm.state != TS_UP && t->fsm.state != TS_DISCONNECTED &&
			      (t->plain == NULL || t->fsm.state != TS_FAILED))) {
		NET_COUNT(t->port, RTP_EARLY);
	} else if (control) {
		rtcp(t, pair, data, len, now_us);
	} else {
		rtp(t, pair, data, len, now_us);
	}
}

static void consent(mcu_transport *t, int64_t now_us)
{
	int64_t quiet;

	/* libnice asks for consent itself; of a peer on hold nothing is expected */
	if ((t->agent != NULL && net_agent_ready(t->agent)) || (t->plain != NULL && net_plain_silent(t->plain))) {
		t->alive_us = now_us;
	}
	quiet = now_us - t->alive_us;
	if (t->fsm.state == TS_UP && quiet >= silence_us(t, false) && accepts(t, TE_QUIET)) {
		enter(t, TS_DISCONNECTED, "quiet", now_us);
	}
	if (t->fsm.state == TS_DISCONNECTED && quiet >= silence_us(t, true) && accepts(t, TE_LOST)) {
		t->port->counters[NET_PLAIN_SILENT] += t->plain != NULL;
		fail(t, t->plain != NULL ? "silence" : "consent", now_us);
	}
}

void net_transport_timers(mcu_transport *t, int64_t now_us)
{
	if (t->dtls_free_us > 0 && t->dtls_free_us <= now_us) {
		t->dtls_free_us = 0;
		g_clear_pointer(&t->dtls, mcu_dtls_free_quietly);
	}
	if (t->dtls != NULL && mcu_dtls_timeout_us(t->dtls) == 0) {
		dtls_result(t, mcu_dtls_timer(t->dtls), now_us);
	}
	if (ort_fsm_expired(&t->fsm, now_us) && accepts(t, TE_TIMEOUT)) {
		fail(t, t->fsm.state == TS_ICE ? "ice-timeout" : "dtls-timeout", now_us);
	}
	consent(t, now_us);
	net_port_arm(t, deadline(t, now_us));
}

mcu_transport *mcu_transport_open(mcu_port *port, void *transport_data, GError **err)
{
	mcu_transport *t;

	if (port->n_transports >= port->conf.max_transports) {
		NET_COUNT(port, TRANSPORTS_REFUSED);
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "at most %u transports", port->conf.max_transports);
		return NULL;
	}
	t = g_new0(mcu_transport, 1);
	t->port = port;
	t->data = transport_data;
	t->why = "";
	t->rtt_us = DEFAULT_RTT_US;
	ort_fsm_init(&t->fsm, &table, TS_NEW, port->now_us);
	net_ice_creds(t);
	t->next = port->transports;
	if (t->next != NULL) {
		t->next->prev = t;
	}
	port->transports = t;
	port->n_transports++;
	NET_COUNT(port, TRANSPORTS);
	return t;
}

/* Out of all tables at once, so that nothing reaches it any more; the memory lives until nobody can hold a pointer. */
void mcu_transport_close(mcu_transport *t)
{
	mcu_port *port;

	if (t == NULL || t->dead) {
		return;
	}
	port = t->port;
	net_port_enter(port);
	net_out_flush(port);
	t->dead = true;
	net_port_disarm(t);
	g_clear_pointer(&t->dtls, mcu_dtls_free);	/* says close_notify while there is a path */
	for (unsigned i = 0; i < NET_PAIRS; i++) {
		if (t->pairs[i] != NULL) {
			net_ice_drop_pair(t, t->pairs[i]);
		}
	}
	net_ice_forget(t, &t->local);
	net_ice_forget(t, &t->old);
	if (t->plain != NULL) {
		net_plain_unplug(t->plain);
	}
	net_bridge_unplug(t->bridge);
	*(t->prev ? &t->prev->next : &port->transports) = t->next;
	if (t->next != NULL) {
		t->next->prev = t->prev;
	}
	port->n_transports--;
	t->next = port->dead;
	port->dead = t;
	net_port_leave(port);
}

void net_transport_free(mcu_transport *t)
{
	mcu_srtp_free(t->in);
	mcu_srtp_free(t->out);
	for (unsigned i = 0; i < NET_EARLY; i++) {
		g_clear_pointer(&t->early[i], g_byte_array_unref);
	}
	g_clear_pointer(&t->agent, net_agent_close);
	g_clear_pointer(&t->plain, net_plain_free);
	g_free(t->bridge);
	memset(t, 0, sizeof(*t));
	g_free(t);
}

void mcu_transport_local(const mcu_transport *t, char ret_ufrag[33], char ret_pwd[33])
{
	memcpy(ret_ufrag, t->local.ufrag, 33);
	memcpy(ret_pwd, t->local.pwd, 33);
}

void net_transport_plain_up(mcu_transport *t, int64_t now_us)
{
	if (!accepts(t, TE_CONNECT)) {
		return;
	}
	t->alive_us = now_us;
	if (t->fsm.state != TS_UP) {
		enter(t, TS_UP, "", now_us);
	}
}

void net_transport_plain_dtls(mcu_transport *t, int64_t now_us)
{
	if (t->fsm.state == TS_NEW) {
		dtls_begin(t, now_us);
	} else if (t->out != NULL) {	/* another address of the same peer: the association goes on */
		net_transport_plain_up(t, now_us);
	}
}

static int refuse(GError **err, const char *why)
{
	g_set_error_literal(err, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, why);
	return -EINVAL;
}

int mcu_transport_connect(mcu_transport *t, const char *ufrag, const char *pwd, const char *fingerprint,
			  bool dtls_client, GError **err)
{
	uint8_t hash[MCU_DTLS_HASH];

	if (t->plain != NULL) {
		return refuse(err, "a plain transport has no ICE");
	}
	if (!ufrag || !pwd || strlen(ufrag) < 4 || strlen(ufrag) > 256 || strlen(pwd) < 22 || strlen(pwd) > 256) {
		return refuse(err, "ufrag of 4-256 and pwd of 22-256 characters wanted (RFC 8839 5.4)");
	}
	if (!mcu_dtls_parse_fingerprint(fingerprint, hash)) {
		return refuse(err, "fingerprint must be the 32 octets of a SHA-256");
	}
	if (t->connected && (dtls_client != t->dtls_client || memcmp(hash, t->remote_hash, sizeof(hash)) != 0)) {
		return refuse(err, "fingerprint and DTLS role cannot change: open a new transport");
	}
	if (!accepts(t, TE_CONNECT)) {
		return refuse(err, "the transport is closed");
	}
	if (t->agent != NULL && !net_agent_connect(t->agent, ufrag, pwd)) {
		return refuse(err, "libnice takes no such credentials");
	}
	memcpy(t->remote_hash, hash, sizeof(hash));
	t->dtls_client = dtls_client;
	t->connected = true;
	net_port_enter(t->port);
	net_port_clock(t->port);
	if (t->fsm.state == TS_NEW) {
		enter(t, TS_ICE, "connect", t->port->now_us);
	} else if (may_shake_hands(t)) {
		dtls_begin(t, t->port->now_us);
	}
	net_port_leave(t->port);
	return 0;
}

int mcu_transport_restart_ice(mcu_transport *t)
{
	if (t->dead || t->fsm.state == TS_CLOSED || t->plain != NULL) {
		return -EINVAL;
	}
	if (t->agent != NULL) {
		net_agent_restart(t->agent);
		return 0;
	}
	if (t->old.live) {	/* restarted twice: the pair in use answers to the first, the second never came to life */
		net_ice_forget(t, &t->local);
	} else {
		g_hash_table_remove(t->port->by_ufrag, t->local.ufrag);
		t->old = t->local;
		g_hash_table_insert(t->port->by_ufrag, t->old.ufrag, t);
	}
	net_ice_creds(t);
	return 0;
}

void *mcu_transport_data(const mcu_transport *t)
{
	return t->data;
}

const char *mcu_transport_state(const mcu_transport *t)
{
	return states[t->fsm.state].name;
}

bool mcu_transport_up(const mcu_transport *t)
{
	return t->fsm.state == TS_UP || t->fsm.state == TS_DISCONNECTED;
}

int64_t mcu_transport_rtt_us(const mcu_transport *t)
{
	return t->rtt_us;
}

void mcu_transport_set_rtt(mcu_transport *t, int64_t rtt_us)
{
	t->rtt_us = CLAMP(rtt_us, ORT_US_PER_MS, 10 * ORT_US_PER_S);
}
