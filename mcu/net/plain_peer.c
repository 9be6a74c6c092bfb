/* Plain transports: where the peer is, and its keys, as signalled; again with each new offer or answer. */
#include "mcu/net/plain_priv.h"

#include <errno.h>
#include <gio/gio.h>
#include <openssl/crypto.h>
#include <string.h>

static int refuse(GError **err, int code, const char *why)
{
	g_set_error_literal(err, G_IO_ERROR, code, why);
	return -EINVAL;
}

struct told { union mcu_addr address[NET_PLAIN_HALVES]; bool muxed; };

static int read_told(const struct net_plain *p, const struct mcu_plain_peer *peer, struct told *ret, GError **err)
{
	sa_family_t family = p->announce.sa.sa_family;
	bool one_socket = p->half[NET_PLAIN_RTCP].sock.ev.fd < 0;
	uint16_t rtcp = peer->rtcp_port > 0 ? peer->rtcp_port : peer->port + 1;

	*ret = (struct told){ .address = { { .sa.sa_family = family }, { .sa.sa_family = family } } };
	ret->muxed = one_socket || (peer->port > 0 && peer->rtcp_port == peer->port);
	if (peer->port == 0) {
		return 0;
	}
	if (peer->ip == NULL || !net_addr_parse(peer->ip, peer->port, &ret->address[NET_PLAIN_RTP]) ||
	    ret->address[NET_PLAIN_RTP].sa.sa_family != family) {
		return refuse(err, G_IO_ERROR_INVALID_ARGUMENT, "ip must be a literal address of the transport's family");
	}
	if (net_addr_any(&ret->address[NET_PLAIN_RTP])) {	/* RFC 3264 8.4: hold, as it was written once */
		ret->address[NET_PLAIN_RTP] = (union mcu_addr){ .sa.sa_family = family };
		return 0;
	}
	ret->address[NET_PLAIN_RTCP] = ret->address[NET_PLAIN_RTP];
	net_addr_set_port(&ret->address[NET_PLAIN_RTCP], rtcp);
	return 0;
}

/* An equal address keeps what was latched under it: a refresh is no new peer. */
static void set_half(struct net_plain *p, struct net_plain_half *h, const union mcu_addr *told, int64_t now_us)
{
	if (h->told.sa.sa_family == told->sa.sa_family && net_addr_equal(&h->told, told, true)) {
		return;
	}
	h->told = *told;
	h->pair.path.remote = *told;
	h->heard = h->latched = false;
	p->told_us = now_us;
}

static bool same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void keep(char **slot, const char *value)
{
	net_plain_wipe(slot);
	*slot = g_strdup(value);
}

static mcu_srtp *make_srtp(mcu_transport *t, int suite, const char *base64, bool outbound)
{
	const struct mcu_srtp_suite_row *row = &mcu_srtp_suites[suite];
	g_autofree guchar *key = NULL;
	mcu_srtp *s = NULL;
	gsize n = 0;

	key = g_base64_decode(base64, &n);
	if (n == (gsize)row->key_len + row->salt_len) {
		s = mcu_srtp_new(t->port->srtp, (enum mcu_srtp_suite)suite, NULL, key,
				 outbound ? G_MAXUINT16 : NET_PLAIN_KEYS);
	}
	OPENSSL_cleanse(key, n);
	return s;
}

/* Keys that stay keep their contexts: numbers and roll-over counts go on. */
static int set_sdes(struct net_plain *p, const struct mcu_plain_peer *peer, GError **err)
{
	int suite = mcu_srtp_suite_by_sdes(peer->suite);
	mcu_transport *t = p->t;
	mcu_srtp *in, *out;

	if (suite < 0 || peer->send_key == NULL || peer->recv_key == NULL) {
		return refuse(err, G_IO_ERROR_INVALID_ARGUMENT, "srtp_suite unknown, or srtp_send or srtp_recv missing");
	}
	in = same(peer->suite, p->suite) && same(peer->recv_key, p->recv_key) ? t->in :
										make_srtp(t, suite, peer->recv_key, false);
	out = same(peer->suite, p->suite) && same(peer->send_key, p->send_key) ? t->out :
										 make_srtp(t, suite, peer->send_key, true);
	if (in == NULL || out == NULL) {
		mcu_srtp_free(in == t->in ? NULL : in);
		mcu_srtp_free(out == t->out ? NULL : out);
		return refuse(err, G_IO_ERROR_INVALID_ARGUMENT, "srtp_send, srtp_recv: key and salt of the suite, in base64");
	}
	net_out_flush(t->port);
	mcu_srtp_free(in == t->in ? NULL : t->in);
	mcu_srtp_free(out == t->out ? NULL : t->out);
	t->in = in;
	t->out = out;
	keep(&p->suite, peer->suite);
	keep(&p->send_key, peer->send_key);
	keep(&p->recv_key, peer->recv_key);
	return 0;
}

static int set_none(struct net_plain *p, const struct mcu_plain_peer *peer, GError **err)
{
	mcu_transport *t = p->t;

	t->in = t->in ? t->in : mcu_srtp_new(t->port->srtp, MCU_SRTP_NULL_, NULL, NULL, 0);
	t->out = t->out ? t->out : mcu_srtp_new(t->port->srtp, MCU_SRTP_NULL_, NULL, NULL, 0);
	return 0;
}

static int set_dtls(struct net_plain *p, const struct mcu_plain_peer *peer, GError **err)
{
	mcu_transport *t = p->t;
	uint8_t hash[MCU_DTLS_HASH];

	if (!mcu_dtls_parse_fingerprint(peer->fingerprint, hash)) {
		return refuse(err, G_IO_ERROR_INVALID_ARGUMENT, "fingerprint must be the 32 octets of a SHA-256");
	}
	if (t->connected && (peer->dtls_client != t->dtls_client || memcmp(hash, t->remote_hash, sizeof(hash)) != 0)) {
		return refuse(err, G_IO_ERROR_INVALID_ARGUMENT, "fingerprint and DTLS role cannot change: open a new transport");
	}
	memcpy(t->remote_hash, hash, sizeof(hash));
	t->dtls_client = peer->dtls_client;
	return 0;
}

static int (*const set_keys[])(struct net_plain *p, const struct mcu_plain_peer *peer, GError **err) = {
	[MCU_PLAIN_NONE] = set_none, [MCU_PLAIN_SDES] = set_sdes, [MCU_PLAIN_DTLS] = set_dtls,
};

static void begin(struct net_plain *p, int64_t now_us)
{
	mcu_transport *t = p->t;

	if (p->security != MCU_PLAIN_DTLS) {
		net_transport_plain_up(t, now_us);
		return;
	}
	if (!net_addr_equal(&p->early_from, &p->half[NET_PLAIN_RTP].pair.path.remote, true)) {
		for (unsigned i = 0; i < NET_EARLY; i++) {
			g_clear_pointer(&t->early[i], g_byte_array_unref);
		}
	}
	if (net_plain_usable(&p->half[NET_PLAIN_RTP])) {
		net_transport_plain_dtls(t, now_us);
	}
}

int mcu_transport_connect_plain(mcu_transport *t, const struct mcu_plain_peer *peer, GError **err)
{
	struct net_plain *p = t->plain;
	struct told told;
	int r;

	if (p == NULL || t->dead || t->fsm.state == TS_CLOSED) {
		return refuse(err, G_IO_ERROR_INVALID_ARGUMENT, p != NULL ? "the transport is closed" : "not a plain transport");
	}
	r = read_told(p, peer, &told, err);
	r = r < 0 ? r : set_keys[p->security](p, peer, err);
	if (r < 0) {
		return r;
	}
	net_port_enter(t->port);
	net_port_clock(t->port);
	net_out_flush(t->port);
	set_half(p, &p->half[NET_PLAIN_RTP], &told.address[NET_PLAIN_RTP], t->port->now_us);
	set_half(p, &p->half[NET_PLAIN_RTCP], &told.address[NET_PLAIN_RTCP], t->port->now_us);
	p->muxed = told.muxed;
	p->silent = peer->silent;
	t->selected = net_plain_usable(&p->half[NET_PLAIN_RTP]) ? &p->half[NET_PLAIN_RTP].pair : NULL;
	t->connected = true;
	begin(p, t->port->now_us);
	net_port_leave(t->port);
	return 0;
}
