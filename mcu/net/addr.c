/* Socket addresses as values, the table of validated 5-tuples, and token buckets by source. */
#include "mcu/net/net_priv.h"

#include <arpa/inet.h>
#include <string.h>

/* ::ffff:a.b.c.d is a.b.c.d: one peer must not be two, and address rules must not be dodged by spelling. */
void net_addr_fold(union mcu_addr *a)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (a->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr)) {
		return;
	}
	in.sin_port = a->in6.sin6_port;
	memcpy(&in.sin_addr, a->in6.sin6_addr.s6_addr + 12, 4);
	memset(a, 0, sizeof(*a));
	a->in = in;
}

socklen_t net_addr_len(const union mcu_addr *a)
{
	return a->sa.sa_family == AF_INET6 ? sizeof(a->in6) : sizeof(a->in);
}

uint16_t net_addr_port(const union mcu_addr *a)
{
	return ntohs(a->sa.sa_family == AF_INET6 ? a->in6.sin6_port : a->in.sin_port);
}

void net_addr_set_port(union mcu_addr *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET6) {
		a->in6.sin6_port = htons(port);
	} else {
		a->in.sin_port = htons(port);
	}
}

bool net_addr_parse(const char *text, uint16_t port, union mcu_addr *ret)
{
	union mcu_addr a;

	memset(&a, 0, sizeof(a));
	if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
	} else if (inet_pton(AF_INET6, text, &a.in6.sin6_addr) == 1) {
		a.in6.sin6_family = AF_INET6;
	} else {
		return false;
	}
	net_addr_set_port(&a, port);
	net_addr_fold(&a);
	*ret = a;
	return true;
}

void net_addr_text(const union mcu_addr *a, char ret[46])
{
	const void *ip = a->sa.sa_family == AF_INET6 ? (const void *)&a->in6.sin6_addr : &a->in.sin_addr;

	if (inet_ntop(a->sa.sa_family == AF_INET6 ? AF_INET6 : AF_INET, ip, ret, 46) == NULL) {
		ret[0] = '\0';
	}
}

static void ip_bytes(const union mcu_addr *a, uint8_t ret[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (a->sa.sa_family == AF_INET6) {
		memcpy(ret, &a->in6.sin6_addr, 16);
	} else {
		memcpy(ret, mapped, 12);
		memcpy(ret + 12, &a->in.sin_addr, 4);
	}
}

bool net_addr_equal(const union mcu_addr *a, const union mcu_addr *b, bool with_port)
{
	uint8_t x[16], y[16];

	ip_bytes(a, x);
	ip_bytes(b, y);
	return memcmp(x, y, 16) == 0 && (!with_port || net_addr_port(a) == net_addr_port(b));
}

bool net_addr_any(const union mcu_addr *a)
{
	return a->sa.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr) : a->in.sin_addr.s_addr == 0;
}

bool net_addr_loopback(const union mcu_addr *a)
{
	return a->sa.sa_family == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr)
					   : ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
}

void net_key_of(const struct net_path *path, struct net_key *ret)
{
	memset(ret, 0, sizeof(*ret));
	ip_bytes(&path->remote, ret->remote);
	ip_bytes(&path->local, ret->local);
	ret->port = net_addr_port(&path->remote);
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static uint64_t hash_bytes(uint64_t seed, const void *data, size_t words)
{
	uint64_t w, h = seed;

	for (size_t i = 0; i < words; i++) {
		memcpy(&w, (const uint8_t *)data + 8 * i, 8);
		h = mix(h, w);
	}
	return h;
}

static unsigned home(const struct net_table *t, const struct net_key *key)
{
	return (unsigned)hash_bytes(t->seed, key, sizeof(*key) / 8) & (t->n_slots - 1);
}

struct net_pair *net_table_find(const struct net_table *t, const struct net_key *key)
{
	unsigned i;

	if (t->n_slots == 0) {
		return NULL;
	}
	for (i = home(t, key); t->slots[i] != NULL; i = (i + 1) & (t->n_slots - 1)) {
		if (memcmp(&t->slots[i]->key, key, sizeof(*key)) == 0) {
			return t->slots[i];
		}
	}
	return NULL;
}

static void place(struct net_table *t, struct net_pair *pair)
{
	unsigned i = home(t, &pair->key);

	while (t->slots[i] != NULL) {
		i = (i + 1) & (t->n_slots - 1);
	}
	t->slots[i] = pair;
}

void net_table_add(struct net_table *t, struct net_pair *pair)
{
	struct net_pair **old = t->slots;
	unsigned n = t->n_slots;

	if (2 * (t->n + 1) > t->n_slots) {
		t->n_slots = n > 0 ? 2 * n : 64;
		t->slots = g_new0(struct net_pair *, t->n_slots);
		for (unsigned i = 0; i < n; i++) {
			if (old[i] != NULL) {
				place(t, old[i]);
			}
		}
		g_free(old);
	}
	place(t, pair);
	t->n++;
}

/* Takes the entry out and puts those behind it again, so that no probe sequence has a hole. */
void net_table_remove(struct net_table *t, const struct net_pair *pair)
{
	unsigned mask = t->n_slots - 1, i;
	struct net_pair *moved;

	if (t->n_slots == 0) {
		return;
	}
	for (i = home(t, &pair->key); t->slots[i] != pair; i = (i + 1) & mask) {
		if (t->slots[i] == NULL) {
			return;
		}
	}
	t->slots[i] = NULL;
	t->n--;
	for (i = (i + 1) & mask; (moved = t->slots[i]) != NULL; i = (i + 1) & mask) {
		t->slots[i] = NULL;
		place(t, moved);
	}
}

static void refill(struct net_bucket *b, unsigned per_s, int64_t now_us)
{
	int64_t back = (now_us - b->at_us) * per_s / ORT_US_PER_S;

	if (b->at_us == 0 || back < 0 || back >= b->used) {
		b->used = 0;
		b->at_us = now_us;
	} else if (back > 0) {
		b->used -= (uint32_t)back;
		b->at_us += back * ORT_US_PER_S / per_s;
	}
}

bool net_bucket_empty(struct net_bucket *b, unsigned per_s, int64_t now_us)
{
	refill(b, per_s, now_us);
	return b->used >= per_s;
}

bool net_bucket_take(struct net_bucket *b, unsigned per_s, int64_t now_us)
{
	if (net_bucket_empty(b, per_s, now_us)) {
		return false;
	}
	b->used++;
	return true;
}

struct net_bucket *net_limit_of(struct net_limit *l, const union mcu_addr *source)
{
	uint8_t ip[16];

	ip_bytes(source, ip);
	if (source->sa.sa_family == AF_INET6) {
		memset(ip + 8, 0, 8);
	}
	return &l->slots[hash_bytes(l->seed, ip, 2) % NET_LIMIT_SLOTS];
}
