/* Token buckets per source. */
#include "gateway/sip/limit_priv.h"

#include "mcu/base/clock.h"

struct row { double per_s, burst; };
static const struct row rows[SIP_RATE_N] = {
	[SIP_RATE_REGISTER] = { 5, 10 },	/* a registration is two requests: with and without digest */
	[SIP_RATE_INVITE] = { 5, 20 },
	[SIP_RATE_MESSAGE] = { 20, 20 },
	[SIP_RATE_OTHER] = { 20, 40 },
	[SIP_RATE_REFUSAL] = { 2, 4 },
	[SIP_RATE_TLS] = { 5, 20 },
	[SIP_RATE_TLS_ALL] = { 100, 200 },	/* some 10 % of a core with P-256 */
};

struct source { double left[SIP_RATE_N]; int64_t at_us; };
struct sip_limit { GHashTable *sources; unsigned max; };

struct sip_limit *sip_limit_new(unsigned max_sources)
{
	struct sip_limit *l = g_new0(struct sip_limit, 1);
	l->sources = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	l->max = max_sources;
	return l;
}

void sip_limit_free(struct sip_limit *l)
{
	if (l != NULL) {
		g_hash_table_unref(l->sources);
		g_free(l);
	}
}

static gboolean quiet(gpointer key, gpointer value, gpointer now)
{
	/* 4 s refill the slowest bucket: a row this old says no more than a new one */
	return ((const struct source *)value)->at_us + 4 * ORT_US_PER_S < *(const int64_t *)now;
}

static void make_room(struct sip_limit *l, int64_t now_us)
{
	GHashTableIter it;
	if (g_hash_table_size(l->sources) < l->max) {
		return;
	}
	g_hash_table_foreach_remove(l->sources, quiet, &now_us);
	g_hash_table_iter_init(&it, l->sources);
	for (unsigned n = 0; g_hash_table_size(l->sources) >= l->max && g_hash_table_iter_next(&it, NULL, NULL); n++) {
		g_hash_table_iter_remove(&it);	/* forged addresses by the thousand: the zone's own bucket holds */
	}
}

static struct source *find(struct sip_limit *l, const char *name, int64_t now_us)
{
	struct source *s = g_hash_table_lookup(l->sources, name);
	if (s == NULL) {
		make_room(l, now_us);
		s = g_new0(struct source, 1);
		for (unsigned n = 0; n < SIP_RATE_N; n++) {
			s->left[n] = rows[n].burst;
		}
		s->at_us = now_us;
		g_hash_table_insert(l->sources, g_strdup(name), s);
	}
	return s;
}

bool sip_limit_take(struct sip_limit *l, const char *source, enum sip_rate what, int64_t now_us)
{
	struct source *s = find(l, source, now_us);
	double passed_s = (double)MAX(now_us - s->at_us, 0) / (double)ORT_US_PER_S;
	for (unsigned n = 0; n < SIP_RATE_N; n++) {
		s->left[n] = MIN(s->left[n] + passed_s * rows[n].per_s, rows[n].burst);
	}
	s->at_us = now_us;
	if (s->left[what] < 1) {
		return false;
	}
	s->left[what] -= 1;
	return true;
}

void sip_limit_forget(struct sip_limit *l)
{
	g_hash_table_remove_all(l->sources);
}

unsigned sip_limit_sources(const struct sip_limit *l)
{
	return g_hash_table_size(l->sources);
}
