/* Plain transports: one m-line on sockets of its own, without ICE; keys by SDES, by DTLS (RFC 5763), or none.
 *
 * Who is heard (class 1, RTP bleed): only the signalled address. A peer behind a symmetric NAT comes from another port of
 * it; that port is taken once, while the signalled one was never heard, and only
 *   - without keys: within 500 ms of the signalling (its RTCP within 10 s, if its RTP was found so),
 *   - with SDES: on a packet that its key proves, at any time,
 *   - with DTLS: never, the hello must come from where it was said.
 * Another address is taken only from new signalling. Everything else is counted and forgotten (class 6). */
#include "mcu/net/plain_priv.h"

#include <errno.h>
#include <gio/gio.h>
#include <openssl/crypto.h>
#include <stddef.h>
#include <string.h>

#define LATCH_US (500 * ORT_US_PER_MS)
#define LATCH_RTCP_US (10 * ORT_US_PER_S)
#define STREAM_IDLE_US (5 * ORT_US_PER_S)	/* then its place may be taken by another SSRC */

enum { BIND_TRIES = 64, REPLAY_WINDOW = 64 };
/* ---- sockets ---- */
void net_plain_zones(mcu_port *port, const char *const *zones)
{
	for (unsigned i = 0; zones != NULL && zones[i] != NULL && port->n_zones < NET_SOCKS; i++) {
		g_auto(GStrv) part = g_strsplit(zones[i], "=", 2);

		if (part[0] && part[1] && net_addr_parse(part[1], 0, &port->zones[port->n_zones].address)) {
			g_strlcpy(port->zones[port->n_zones++].name, part[0], sizeof(port->zones[0].name));
		}
	}
}

/* A zone without a row of its own announces what everybody is told. */
static const union mcu_addr *address_of(const mcu_port *port, const struct mcu_plain_conf *conf)
{
	sa_family_t family = conf->ip6 ? AF_INET6 : AF_INET;

	for (unsigned i = 0; i < port->n_zones; i++) {
		if (g_strcmp0(port->zones[i].name, conf->zone) == 0 && port->zones[i].address.sa.sa_family == family) {
			return &port->zones[i].address;
		}
	}
	for (unsigned i = 0; i < port->n_announce; i++) {
		if (port->announce[i].sa.sa_family == family) {
			return &port->announce[i];
		}
	}
	return NULL;
}

static void unplug(struct net_plain *p)
{
	net_udp_unbind(&p->half[NET_PLAIN_RTP].sock);
	net_udp_unbind(&p->half[NET_PLAIN_RTCP].sock);
}

/* RFC 3550 11: RTP on an even port, RTCP on the next. `number` 0 = the kernel chooses, and may choose badly. */
static int bind_at(struct net_plain *p, const union mcu_addr *local, uint16_t number)
{
	int r = net_udp_bind(p->t->port, &p->half[NET_PLAIN_RTP].sock, local, number);
	uint16_t got;

	if (r < 0) {
		return r;
	}
	got = net_addr_port(&p->half[NET_PLAIN_RTP].sock.local);
	if (got % 2 != 0) {
		r = -EADDRINUSE;
	} else if (!p->muxed) {
		r = net_udp_bind(p->t->port, &p->half[NET_PLAIN_RTCP].sock, local, got + 1);
	}
	if (r < 0) {
		unplug(p);
	}
	return r;
}

/* From a random place in the range on: ports are not to be guessed, nor used again at once. */
static int bind_on(struct net_plain *p, const union mcu_addr *local)
{
	const struct mcu_port_conf *c = &p->t->port->conf;
	unsigned first = (c->plain_first + 1u) & ~1u, n = c->plain_last > first ? (c->plain_last - first + 1) / 2 : 0;
	uint32_t at = 0;
	int r = -EADDRINUSE;

	if (c->plain_first == 0) {
		for (unsigned i = 0; i < BIND_TRIES && r == -EADDRINUSE; i++) {
			r = bind_at(p, local, 0);
		}
		return r;
	}
	net_port_random(p->t->port, &at, sizeof(at));
	for (unsigned i = 0; i < n && (r == -EADDRINUSE || r == -EACCES); i++) {
		r = bind_at(p, local, (uint16_t)(first + 2 * ((at + i) % n)));
	}
	return r;
}

static int plug(struct net_plain *p)
{
	union mcu_addr any = { .sa.sa_family = p->announce.sa.sa_family };
	int r = bind_on(p, &p->announce);

	return r == -EADDRNOTAVAIL ? bind_on(p, &any) : r;	/* announced is what a NAT shows */
}

static struct net_plain *new_plain(mcu_transport *t, const struct mcu_plain_conf *conf, const union mcu_addr *announce)
{
	struct net_plain *p = g_new0(struct net_plain, 1);

	*p = (struct net_plain){ .t = t, .security = conf->security, .muxed = conf->rtcp_mux, .announce = *announce };
	for (unsigned i = 0; i < NET_PLAIN_HALVES; i++) {
		struct net_plain_half *h = &p->half[i];

		h->sock.ev.fd = -1;
		h->sock.plain = p;
		h->pair = (struct net_pair){ .t = t, .nominated = true, .path = { .sock = &h->sock } };
		h->pair.path.local.sa.sa_family = announce->sa.sa_family;	/* any: the kernel's choice */
	}
	p->guess = (struct net_pair){ .t = t };
	return p;
}

mcu_transport *mcu_transport_open_plain(mcu_port *port, const struct mcu_plain_conf *conf, void *transport_data,
					GError **err)
{
	const union mcu_addr *announce = address_of(port, conf);
	mcu_transport *t;
	int r;

	if (announce == NULL) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "no address of this family");
		return NULL;
	}
	t = mcu_transport_open(port, transport_data, err);
	if (t == NULL) {
		return NULL;
	}
	net_ice_forget(t, &t->local);
	memset(&t->local, 0, sizeof(t->local));
	t->plain = new_plain(t, conf, announce);
	r = plug(t->plain);
	if (r < 0) {
		g_set_error(err, G_IO_ERROR, g_io_error_from_errno(-r), "no pair of ports: %s", g_strerror(-r));
		mcu_transport_close(t);
		return NULL;
	}
	return t;
}

void net_plain_unplug(struct net_plain *p)
{
	unplug(p);
}

void net_plain_wipe(char **secret)
{
	if (*secret != NULL) {
		OPENSSL_cleanse(*secret, strlen(*secret));
	}
	g_clear_pointer(secret, g_free);
}

void net_plain_free(struct net_plain *p)
{
	unplug(p);
	net_plain_wipe(&p->send_key);
	net_plain_wipe(&p->recv_key);
	g_free(p->suite);
	g_free(p);
}

uint16_t mcu_transport_rtcp_port(const mcu_transport *t)
{
	const struct net_plain_half *h = t->plain != NULL ? &t->plain->half[NET_PLAIN_RTCP] : NULL;

	return h != NULL && h->sock.ev.fd >= 0 ? net_addr_port(&h->sock.local) : 0;
}

unsigned net_plain_candidate(const struct net_plain *p, struct mcu_candidate *ret)
{
	*ret = (struct mcu_candidate){ .foundation = "1", .protocol = "udp", .type = "host", .priority = 1,
				       .port = net_addr_port(&p->half[NET_PLAIN_RTP].sock.local) };
	net_addr_text(&p->announce, ret->ip);
	return 1;
}

void mcu_transport_mark(mcu_transport *t, bool video)
{
	uint8_t dscp = video ? t->port->conf.dscp_video : t->port->conf.dscp_audio;

	for (unsigned i = 0; t->plain != NULL && i < NET_PLAIN_HALVES; i++) {
		net_udp_mark(&t->plain->half[i].sock, dscp);
	}
}

/* ---- small things ---- */
/* DTLS without rtcp-mux: our one association has no keys for the other port, so RTCP stays unsaid there. */
struct net_pair *net_plain_rtcp(struct net_plain *p)
{
	struct net_plain_half *h = &p->half[p->muxed ? NET_PLAIN_RTP : NET_PLAIN_RTCP];
	bool keyless = p->security == MCU_PLAIN_DTLS && !p->muxed;

	return net_plain_usable(h) && !keyless ? &h->pair : NULL;
}

bool net_plain_silent(const struct net_plain *p)
{
	return p->silent || !net_plain_usable(&p->half[NET_PLAIN_RTP]);
}

/* ---- what comes in ---- */
static bool may_latch(const struct net_plain *p, const struct net_plain_half *h, const union mcu_addr *from, int64_t now_us)
{
	int64_t age = now_us - p->told_us;

	if (h->heard || h->latched || !net_plain_usable(h) || !net_addr_equal(from, &h->pair.path.remote, false)) {
		return false;
	}
	if (p->security == MCU_PLAIN_NONE) {
		return age <= LATCH_US || (h == &p->half[NET_PLAIN_RTCP] && p->half[NET_PLAIN_RTP].latched && age <= LATCH_RTCP_US);
	}
	return p->security == MCU_PLAIN_SDES;
}

void net_plain_authentic(struct net_plain *p, const struct net_pair *from, int64_t now_us)
{
	struct net_plain_half *h = &p->half[p->guessed];

	if (from != &p->guess) {
		((struct net_plain_half *)((char *)(uintptr_t)from - offsetof(struct net_plain_half, pair)))->heard = true;
	} else if (!h->latched) {
		net_out_flush(p->t->port);
		h->pair.path.remote = from->path.remote;
		h->latched = true;
		NET_COUNT(p->t->port, PLAIN_LATCHED);
	}
}

static void media(struct net_plain *p, struct net_plain_half *h, const struct net_datagram *d)
{
	mcu_port *port = p->t->port;

	if (h == &p->half[NET_PLAIN_RTCP] && !mcu_rtp_is_rtcp(d->data, d->len)) {
		NET_COUNT(port, JUNK_IN);
	} else if (net_plain_usable(h) && net_addr_equal(&d->path.remote, &h->pair.path.remote, true)) {
		net_transport_media(p->t, &h->pair, d->data, d->len, port->now_us);
	} else if (may_latch(p, h, &d->path.remote, port->now_us)) {
		p->guess.path = h->pair.path;
		p->guess.path.remote = d->path.remote;
		p->guessed = (enum net_plain_half_name)(h - p->half);
		net_transport_media(p->t, &p->guess, d->data, d->len, port->now_us);
	} else {
		NET_COUNT(port, RTP_FOREIGN);
	}
}

/* A hello may overtake the answer that tells its address; one sender's is kept until then. */
static void early_dtls(struct net_plain *p, const struct net_datagram *d)
{
	if (p->early_from.sa.sa_family == 0) {
		p->early_from = d->path.remote;
	}
	if (net_addr_equal(&p->early_from, &d->path.remote, true)) {
		net_transport_keep_early(p->t, d->data, d->len);
	} else {
		NET_COUNT(p->t->port, DTLS_FOREIGN);
	}
}

static void dtls(struct net_plain *p, struct net_plain_half *h, const struct net_datagram *d)
{
	mcu_port *port = p->t->port;

	NET_COUNT(port, DTLS_IN);
	if (p->security != MCU_PLAIN_DTLS || h == &p->half[NET_PLAIN_RTCP]) {
		NET_COUNT(port, DTLS_FOREIGN);
	} else if (!p->t->connected) {
		early_dtls(p, d);
	} else if (net_plain_usable(h) && net_addr_equal(&d->path.remote, &h->pair.path.remote, true)) {
		net_transport_dtls(p->t, &h->pair, d->data, d->len, port->now_us);
	} else {
		NET_COUNT(port, DTLS_FOREIGN);
	}
}

/* RFC 7983; STUN has no business here. */
void net_plain_datagram(mcu_port *port, const struct net_datagram *d)
{
	struct net_plain *p = d->path.sock->plain;
	struct net_plain_half *h = &p->half[d->path.sock == &p->half[NET_PLAIN_RTCP].sock ? NET_PLAIN_RTCP : NET_PLAIN_RTP];
	uint8_t first = d->len > 0 ? d->data[0] : 255;

	if (first >= 20 && first < 64) {
		dtls(p, h, d);
	} else if (first >= 128 && first < 192) {
		media(p, h, d);
	} else {
		NET_COUNT(port, JUNK_IN);
	}
}

/* ---- streams ---- */
static struct net_plain_stream *stream_of(struct net_plain *p, uint32_t ssrc, uint16_t seq, int64_t now_us)
{
	struct net_plain_stream *oldest = &p->streams[0];

	for (unsigned i = 0; i < NET_PLAIN_SSRCS; i++) {
		struct net_plain_stream *s = &p->streams[i];

		if (s->used && s->ssrc == ssrc) {
			return s;
		}
		if (!s->used || (oldest->used && s->last_us < oldest->last_us)) {
			oldest = s;
		}
	}
	if (oldest->used && now_us - oldest->last_us < STREAM_IDLE_US) {
		return NULL;
	}
	*oldest = (struct net_plain_stream){ .used = true, .ssrc = ssrc, .top = (uint16_t)(seq - 1) };
	return oldest;
}

static bool is_fresh(struct net_plain_stream *s, uint16_t seq)
{
	int step = (int16_t)(uint16_t)(seq - s->top);

	if (step > 0 || (s->bad && seq == s->bad_seq)) {
		s->bits = step > 0 && step < REPLAY_WINDOW ? s->bits << step | 1 : 1;
		s->top = seq;
		s->bad = false;
		return true;
	}
	if (-step < REPLAY_WINDOW) {
		uint64_t bit = UINT64_C(1) << -step;
		bool fresh = !(s->bits & bit);

		s->bits |= bit;
		return fresh;
	}
	s->bad = true;
	s->bad_seq = (uint16_t)(seq + 1);
	return false;
}

bool net_plain_admits(struct net_plain *p, const struct mcu_rtp *rtp, int64_t now_us)
{
	struct net_plain_stream *s = stream_of(p, rtp->ssrc, rtp->seq, now_us);

	if (s == NULL) {
		NET_COUNT(p->t->port, RTP_SSRC_LIMIT);
		return false;
	}
	s->last_us = now_us;
	if (p->security == MCU_PLAIN_NONE && !is_fresh(s, rtp->seq)) {
		NET_COUNT(p->t->port, RTP_REPLAYED);
		return false;
	}
	return true;
}

void net_plain_dump(const struct net_plain *p, GString *s)
{
	static const char *const names[] = { [MCU_PLAIN_NONE] = "none", [MCU_PLAIN_SDES] = "sdes", [MCU_PLAIN_DTLS] = "dtls" };
	unsigned n = 0;

	for (unsigned i = 0; i < NET_PLAIN_SSRCS; i++) {
		n += p->streams[i].used;
	}
	g_string_append_printf(s, ",\"plain\":{\"security\":\"%s\",\"port\":%u,\"rtcp_port\":%u,\"muxed\":%s,\"latched\":%s,"
				  "\"heard\":%s,\"streams\":%u}",
			       names[p->security], net_addr_port(&p->half[NET_PLAIN_RTP].sock.local), mcu_transport_rtcp_port(p->t),
			       p->muxed ? "true" : "false", p->half[NET_PLAIN_RTP].latched ? "true" : "false",
			       p->half[NET_PLAIN_RTP].heard ? "true" : "false", n);
}
