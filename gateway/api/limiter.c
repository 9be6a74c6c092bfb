/* Token buckets by key. Memory is bounded whatever the number of sources: a bucket that has refilled says nothing and
 * is forgotten first; in a flood of new addresses any bucket is. */
#include "gateway/api/api_priv.h"

#include <arpa/inet.h>
#include <string.h>

#include "mcu/base/clock.h"

struct gw_limiter {
	GHashTable *buckets; /* char * owned -> struct bucket * owned */
	double rate, burst;
	size_t max_keys;
	int64_t swept_us;
};

bool gw_api_bucket_take(struct bucket *b, double rate, double burst, int64_t now_us)
{
	if (now_us > b->at_us) {
		b->tokens += rate * (double)(now_us - b->at_us) / (double)ORT_US_PER_S;
		b->at_us = now_us;
	}
	if (b->tokens > burst) {
		b->tokens = burst;
	}
	if (b->tokens < 1.0) {
		return false;
	}
	b->tokens -= 1.0;
	return true;
}

gw_limiter *gw_limiter_new(double rate_per_s, double burst, size_t max_keys)
{
	gw_limiter *l = g_new0(gw_limiter, 1);
	l->buckets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	l->rate = rate_per_s;
	l->burst = burst;
	l->max_keys = MAX(max_keys, 1);
	l->swept_us = INT64_MIN;
	return l;
}

void gw_limiter_free(gw_limiter *l)
{
	if (l) {
		g_hash_table_unref(l->buckets);
		g_free(l);
	}
}

static gboolean has_refilled(gpointer key, gpointer value, gpointer user_data)
{
	const gw_limiter *l = user_data;
	const struct bucket *b = value;
	return b->tokens + l->rate * (double)(l->swept_us - b->at_us) / (double)ORT_US_PER_S >= l->burst;
}

/* The sweep walks the whole table, so at most once a second. */
static void make_room(gw_limiter *l, int64_t now_us)
{
	if (l->swept_us == INT64_MIN || now_us - l->swept_us >= ORT_US_PER_S) {
		l->swept_us = now_us;
		g_hash_table_foreach_remove(l->buckets, has_refilled, l);
	}
	if (g_hash_table_size(l->buckets) >= l->max_keys) {
		GHashTableIter it;
		g_hash_table_iter_init(&it, l->buckets);
		if (g_hash_table_iter_next(&it, NULL, NULL)) {
			g_hash_table_iter_remove(&it);
		}
	}
}

bool gw_limiter_take(gw_limiter *l, const char *key, int64_t now_us)
{
	struct bucket *b = g_hash_table_lookup(l->buckets, key);
	if (!b) {
		if (g_hash_table_size(l->buckets) >= l->max_keys) {
			make_room(l, now_us);
		}
		b = g_new(struct bucket, 1);
		*b = (struct bucket){l->burst, now_us};
		g_hash_table_insert(l->buckets, g_strdup(key), b);
	}
	return gw_api_bucket_take(b, l->rate, l->burst, now_us);
}

size_t gw_limiter_size(const gw_limiter *l)
{
	return g_hash_table_size(l->buckets);
}

/* Addresses are compared as bytes (a text prefix "::ffff:" once opened an access list elsewhere). */
char *gw_source_key(const char *address)
{
	struct in6_addr six;
	struct in_addr four;
	char text[INET6_ADDRSTRLEN] = "";
	if (address && inet_pton(AF_INET, address, &four) == 1) {
		return g_strdup(inet_ntop(AF_INET, &four, text, sizeof(text)));
	}
	if (!address || inet_pton(AF_INET6, address, &six) != 1) {
		return g_strdup("");
	}
	if (IN6_IS_ADDR_V4MAPPED(&six)) {
		return g_strdup(inet_ntop(AF_INET, &six.s6_addr[12], text, sizeof(text)));
	}
	memset(&six.s6_addr[8], 0, 8);
	return g_strdup(inet_ntop(AF_INET6, &six, text, sizeof(text)));
}
