/* ICE-lite (RFC 8445 2.5): we are always controlled, send no checks, answer those of the peer and learn its addresses
 * from them. STUN is parsed and printed by libnice's codec alone. What does not carry one of our ufrags and the right
 * integrity gets no answer at all, so that nothing can be amplified and no ufrag can be found by trying. */
#include "mcu/net/net_priv.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stun/usages/ice.h>
#include <string.h>

enum { BINDING_REQUEST = 0x0001, BINDING_INDICATION = 0x0011 };
#define SWITCH_AFTER_US (3 * ORT_US_PER_S)

static const uint16_t known_attributes[] = {
	STUN_ATTRIBUTE_USERNAME, STUN_ATTRIBUTE_MESSAGE_INTEGRITY, STUN_ATTRIBUTE_ERROR_CODE,
	STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES, STUN_ATTRIBUTE_PRIORITY, STUN_ATTRIBUTE_USE_CANDIDATE,
	STUN_ATTRIBUTE_ICE_CONTROLLED, STUN_ATTRIBUTE_ICE_CONTROLLING, STUN_ATTRIBUTE_FINGERPRINT,
	STUN_ATTRIBUTE_SOFTWARE, STUN_ATTRIBUTE_NOMINATION, 0,
};

void net_ice_init(mcu_port *port)
{
	stun_agent_init(&port->stun, known_attributes, STUN_COMPATIBILITY_RFC5389,
			STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
	port->by_ufrag = g_hash_table_new(g_str_hash, g_str_equal);
}

/* RFC 8839 5.4: ice-char is 64 letters, so each carries 6 bits: 48 of ufrag, 144 of password (24 and 128 are due). */
static void ice_chars(mcu_port *port, char *out, unsigned n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t raw[32];

	net_port_random(port, raw, n);
	for (unsigned i = 0; i < n; i++) {
		out[i] = alphabet[raw[i] & 63];
	}
	out[n] = '\0';
}

void net_ice_creds(mcu_transport *t)
{
	unsigned generation = t->local.generation + 1;

	do {
		ice_chars(t->port, t->local.ufrag, 8);
	} while (g_hash_table_contains(t->port->by_ufrag, t->local.ufrag));
	ice_chars(t->port, t->local.pwd, 24);
	t->local.generation = generation;
	t->local.live = true;
	g_hash_table_insert(t->port->by_ufrag, t->local.ufrag, t);
}

void net_ice_forget(mcu_transport *t, struct net_creds *creds)
{
	if (creds->live) {
		g_hash_table_remove(t->port->by_ufrag, creds->ufrag);
		creds->live = false;
	}
}

struct lookup { mcu_port *port; mcu_transport *t; struct net_creds *creds; };

/* RFC 8445 7.3: USERNAME is "ours:theirs"; the password is that of our part. */
static bool find_password(StunAgent *agent, StunMessage *message, uint8_t *username, uint16_t username_len,
			  uint8_t **password, size_t *password_len, void *user_data)
{
	struct lookup *look = user_data;
	const uint8_t *colon = username ? memchr(username, ':', username_len) : NULL;
	char ufrag[33];

	if (colon == NULL || (size_t)(colon - username) >= sizeof(ufrag)) {
		return false;
	}
	memcpy(ufrag, username, (size_t)(colon - username));
	ufrag[colon - username] = '\0';
	look->t = g_hash_table_lookup(look->port->by_ufrag, ufrag);
	if (look->t == NULL) {
		return false;
	}
	look->creds = look->t->old.live && g_str_equal(look->t->old.ufrag, ufrag) ? &look->t->old : &look->t->local;
	*password = (uint8_t *)look->creds->pwd;
	*password_len = strlen(look->creds->pwd);
	return true;
}

void net_ice_drop_pair(mcu_transport *t, struct net_pair *pair)
{
	net_out_flush(t->port);	/* a run may point to it */
	for (unsigned i = 0; i < NET_PAIRS; i++) {
		if (t->pairs[i] == pair) {
			t->pairs[i] = NULL;
		}
	}
	if (t->selected == pair) {
		t->selected = NULL;
	}
	if (pair->path.agent != NULL) {
		net_agent_forget_pair(pair->path.agent);
	} else if (pair->path.tcp != NULL) {
		net_tcp_attach(pair->path.tcp, NULL);
	} else {
		net_table_remove(&t->port->pairs, pair);
	}
	g_free(pair);
}

static void drop_generations_before(mcu_transport *t, unsigned generation)
{
	for (unsigned i = 0; i < NET_PAIRS; i++) {
		if (t->pairs[i] != NULL && t->pairs[i]->generation < generation) {
			net_ice_drop_pair(t, t->pairs[i]);
		}
	}
}

/* A free slot, or that of the pair that was silent longest; never the selected one's. */
static unsigned pair_slot(mcu_transport *t)
{
	unsigned oldest = t->pairs[0] == t->selected ? 1 : 0;

	for (unsigned i = 0; i < NET_PAIRS; i++) {
		if (t->pairs[i] == NULL) {
			return i;
		}
		if (t->pairs[i] != t->selected && t->pairs[i]->last_check_us < t->pairs[oldest]->last_check_us) {
			oldest = i;
		}
	}
	net_ice_drop_pair(t, t->pairs[oldest]);
	return oldest;
}

static struct net_pair *add_pair(mcu_transport *t, const struct net_path *path)
{
	struct net_pair *pair = g_new0(struct net_pair, 1);

	pair->t = t;
	pair->path = *path;
	t->pairs[pair_slot(t)] = pair;
	if (path->tcp != NULL) {
		net_tcp_attach(path->tcp, pair);
	} else {
		net_key_of(path, &pair->key);
		net_table_add(&t->port->pairs, pair);
	}
	NET_COUNT(t->port, ICE_PAIR);
	return pair;
}

/* The latest nomination wins (RFC 8445 8.1.1 regular nomination, and browsers that move). While the selected pair is
 * itself being nominated by every check (old aggressive peers), only a pair that is not worse or its silence moves us:
 * a NAT that gives the peer a new port shows as a pair of equal priority. */
static bool better(const struct net_pair *now, const struct net_pair *pair, int64_t now_us)
{
	return now == NULL || !now->nominated || pair->generation > now->generation || pair->priority >= now->priority ||
	       now_us - now->last_check_us > SWITCH_AFTER_US;
}

static void nominate(mcu_transport *t, struct net_pair *pair, int64_t now_us)
{
	if (pair != t->selected && better(t->selected, pair, now_us)) {
		if (t->selected != NULL) {
			NET_COUNT(t->port, ICE_SWITCH);
		}
		t->selected = pair;
	}
	if (t->old.live && pair == t->selected && pair->generation == t->local.generation) {
		net_ice_forget(t, &t->old);
		drop_generations_before(t, t->local.generation);
	}
}

static void validated(mcu_port *port, const struct net_datagram *d, struct net_pair *pair, const struct lookup *look,
		      const StunMessage *request)
{
	mcu_transport *t = look->t;

	if (pair != NULL && pair->t != t) {	/* the peer uses its socket for another transport now */
		mcu_transport *before = pair->t;

		net_ice_drop_pair(before, pair);
		net_transport_pair_lost(before);
		if (d->path.tcp != NULL) {
			return;	/* and took its connection with it */
		}
		pair = NULL;
	}
	pair = pair ? pair : add_pair(t, &d->path);
	pair->generation = look->creds->generation;
	pair->priority = stun_usage_ice_conncheck_priority(request);
	pair->nominated = stun_usage_ice_conncheck_use_candidate(request);
	pair->last_check_us = port->now_us;
	if (pair->nominated) {
		nominate(t, pair, port->now_us);
	}
	t->selected = t->selected ? t->selected : pair;
	net_transport_check(t, pair, port->now_us);
}

static void answer(mcu_port *port, const struct net_datagram *d, struct net_pair *pair, const struct lookup *look,
		   StunMessage *request)
{
	struct sockaddr_storage from = { 0 };
	uint8_t buf[512];
	size_t len = sizeof(buf);
	StunMessage reply;
	bool control = false;
	StunUsageIceReturn r;

	memcpy(&from, &d->path.remote, sizeof(d->path.remote));
	/* Tie-breaker 0: in a role conflict the lite side stays controlled, the peer gets 487 (RFC 8445 7.3.1.1). */
	r = stun_usage_ice_conncheck_create_reply(&port->stun, request, &reply, buf, &len, &from,
						  net_addr_len(&d->path.remote), &control, 0,
						  STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
	if (len > 0) {
		net_path_send(port, &d->path, buf, len);
	}
	if (r == STUN_USAGE_ICE_RETURN_SUCCESS && !control) {
		NET_COUNT(port, STUN_VALID);
		validated(port, d, pair, look, request);
	} else {
		NET_COUNT(port, STUN_BAD);
	}
}

/* Only failures use up a source's tokens: a hundred phones behind one address may join at once. */
static void refused(mcu_port *port, const struct net_datagram *d, const struct lookup *look)
{
	if (look->port != NULL && look->t == NULL) {
		NET_COUNT(port, STUN_UNKNOWN);
	} else {
		NET_COUNT(port, STUN_BAD);
	}
	(void)net_bucket_take(net_limit_of(port->limit, &d->path.remote), port->conf.stun_per_s, port->now_us);
	if (look->t != NULL) {
		(void)net_bucket_take(&look->t->bad_checks, port->conf.stun_per_s, port->now_us);
	}
}

/* Whose ufrag the message bears, without looking at its integrity; NULL = nobody's. */
static mcu_transport *named(mcu_port *port, const struct net_datagram *d)
{
	struct lookup look = { port, NULL, NULL };
	StunMessage m = { .agent = &port->stun, .buffer = (uint8_t *)d->data, .buffer_len = d->len };
	uint16_t len = 0;
	uint8_t *username, *password;
	size_t password_len;

	if (stun_message_validate_buffer_length(d->data, d->len, true) != (int)d->len) {
		return NULL;
	}
	username = (uint8_t *)stun_message_find(&m, STUN_ATTRIBUTE_USERNAME, &len);
	(void)find_password(&port->stun, &m, username, len, &password, &password_len, &look);
	return look.t;
}

/* Nobody guesses a ufrag: what bears one of ours has tokens of its own, or one guest of a carrier's NAT could keep all
 * others behind it out. */
static bool over_limit(mcu_port *port, const struct net_datagram *d, const struct net_pair *pair)
{
	mcu_transport *t;

	if (pair != NULL || !net_bucket_empty(net_limit_of(port->limit, &d->path.remote), port->conf.stun_per_s, port->now_us)) {
		return false;
	}
	t = named(port, d);
	return t == NULL || net_bucket_empty(&t->bad_checks, port->conf.stun_per_s, port->now_us);
}

static bool seen_before(mcu_transport *t, const uint8_t *data)
{
	uint64_t id;

	memcpy(&id, data + 12, sizeof(id));	/* 64 of the 96 random bits */
	for (unsigned i = 0; i < MIN(t->n_checks, NET_CHECKS); i++) {
		if (t->checks[i] == id) {
			return true;
		}
	}
	t->checks[t->n_checks++ % NET_CHECKS] = id;
	return false;
}

/* The short-term credentials of STUN know no replay: who hears a check could send it again from elsewhere and media would
 * go there, or as if from another peer and that one's media would be read with the wrong keys. */
static bool is_replay(const mcu_port *port, const struct net_datagram *d, const struct net_pair *pair, mcu_transport *t)
{
	bool seen = seen_before(t, d->data);
	bool others = pair != NULL && pair->t != t;

	return (seen && (pair == NULL || others)) ||
	       (others && pair->t->out != NULL && port->now_us - pair->t->alive_us < SWITCH_AFTER_US);
}

void net_ice_input(mcu_port *port, const struct net_datagram *d, struct net_pair *pair)
{
	struct lookup look = { port, NULL, NULL };
	unsigned type = d->len >= 20 ? (unsigned)(d->data[0] << 8 | d->data[1]) : 0;
	StunMessage request;

	NET_COUNT(port, STUN_IN);
	if (over_limit(port, d, pair)) {
		NET_COUNT(port, STUN_LIMITED);
		return;
	}
	if (type == BINDING_INDICATION) {
		NET_COUNT(port, STUN_INDICATION);
		return;
	}
	if (type != BINDING_REQUEST) {
		look.port = NULL;
		refused(port, d, &look);
		return;
	}
	if (stun_agent_validate(&port->stun, &request, d->data, d->len, find_password, &look) !=
	    STUN_VALIDATION_SUCCESS || look.creds == NULL) {
		refused(port, d, &look);
		return;
	}
	if (is_replay(port, d, pair, look.t)) {
		NET_COUNT(port, STUN_REPLAYED);
		return;
	}
	answer(port, d, pair, &look, &request);
}

static void announce_one(mcu_port *port, const union mcu_addr *addr)
{
	for (unsigned i = 0; i < port->n_announce; i++) {
		if (net_addr_equal(&port->announce[i], addr, false)) {
			return;
		}
	}
	if (port->n_announce < NET_SOCKS) {
		port->announce[port->n_announce++] = *addr;
	}
}

/* Addresses of the interfaces that a wildcard socket of the same family listens on; link-local ones are of no use in a
 * candidate without a zone. */
static void announce_interfaces(mcu_port *port, sa_family_t family, bool loopback)
{
	struct ifaddrs *list = NULL;

	if (getifaddrs(&list) < 0) {
		return;
	}
	for (struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
		union mcu_addr a;

		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != family || !(i->ifa_flags & IFF_UP)) {
			continue;
		}
		memset(&a, 0, sizeof(a));
		memcpy(&a, i->ifa_addr, family == AF_INET6 ? sizeof(a.in6) : sizeof(a.in));
		if (net_addr_loopback(&a) != loopback ||
		    (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a.in6.sin6_addr))) {
			continue;
		}
		announce_one(port, &a);
	}
	freeifaddrs(list);
}

void net_ice_announce(mcu_port *port, const char *const *announce)
{
	union mcu_addr a;

	for (unsigned i = 0; announce != NULL && announce[i] != NULL; i++) {
		if (net_addr_parse(announce[i], 0, &a)) {
			announce_one(port, &a);
		}
	}
	for (unsigned pass = 0; announce == NULL && pass < 2; pass++) {
		for (unsigned i = 0; i < port->n_socks; i++) {
			const union mcu_addr *local = &port->socks[i].local;

			if (port->socks[i].any) {
				announce_interfaces(port, local->sa.sa_family, pass == 1);
			} else if (net_addr_loopback(local) == (pass == 1)) {
				announce_one(port, local);
			}
		}
	}
}

/* RFC 8445 5.1.2.1 for UDP; RFC 6544 4.2 for TCP: lower type preference, direction preference 4 (passive) in the top
 * bits of the local preference. Earlier announced addresses are preferred. */
static uint32_t priority_of(bool tcp, unsigned rank)
{
	uint32_t type = tcp ? 90 : 126, local = tcp ? (4u << 13) + 8191 - rank : 65535 - rank;

	return type << 24 | local << 8 | (256 - 1);
}

static void fill_candidate(const mcu_port *port, unsigned i, bool tcp, struct mcu_candidate *ret)
{
	memset(ret, 0, sizeof(*ret));
	g_snprintf(ret->foundation, sizeof(ret->foundation), "%u", 2 * i + (tcp ? 2 : 1));
	g_strlcpy(ret->protocol, tcp ? "tcp" : "udp", sizeof(ret->protocol));
	g_strlcpy(ret->type, "host", sizeof(ret->type));
	g_strlcpy(ret->tcptype, tcp ? "passive" : "", sizeof(ret->tcptype));
	ret->priority = priority_of(tcp, i);
	ret->port = port->number;
	net_addr_text(&port->announce[i], ret->ip);
}

unsigned mcu_transport_candidates(const mcu_transport *t, struct mcu_candidate *ret, unsigned max)
{
	const mcu_port *port = t->port;
	unsigned n = 0;

	if (t->plain != NULL) {
		return max > 0 ? net_plain_candidate(t->plain, ret) : 0;
	}
	if (t->agent != NULL) {
		return net_agent_candidates(t->agent, ret, max);
	}
	for (unsigned tcp = 0; tcp < 2; tcp++) {
		for (unsigned i = 0; i < port->n_announce && n < max; i++) {
			if (tcp == 0 || port->n_listeners > 0) {
				fill_candidate(port, i, tcp == 1, &ret[n++]);
			}
		}
	}
	return n;
}
