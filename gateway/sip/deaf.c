/* Phones that do not answer a challenge, and what to do about it. */
#include "gateway/sip/deaf_priv.h"

#include <glib.h>
#include <string.h>

#include "mcu/base/clock.h"

enum { WAIT_S = 4, KEEP_S = 600, MAX_ROWS = 256 };

struct row {
	char *user, *source, *zone, *agent;
	bool account_md5, zone_md5, waits, told;
	int64_t asked_us;
	unsigned times;
	const char *why;
};
struct sip_deaf { GHashTable *rows; sip_deaf_fn fn; void *user_data; };

static void row_free(gpointer p)
{
	struct row *r = p;
	g_free(r->user);
	g_free(r->source);
	g_free(r->zone);
	g_free(r->agent);
	g_free(r);
}

struct sip_deaf *sip_deaf_new(sip_deaf_fn fn, void *user_data)
{
	struct sip_deaf *d = g_new0(struct sip_deaf, 1);
	d->rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, row_free);
	d->fn = fn;
	d->user_data = user_data;
	return d;
}

void sip_deaf_free(struct sip_deaf *d)
{
	if (d != NULL) {
		g_hash_table_unref(d->rows);
		g_free(d);
	}
}

static const char *why_of(const struct row *r)
{
	if (r->account_md5 && r->zone_md5) {
		return "this phone shows no password: set it there";
	}
	return r->account_md5 ? "this phone knows only MD5: allow md5 in its zone"
	       : r->zone_md5  ? "this phone knows only MD5: allow md5 for its account"
			      : "this phone knows only MD5: allow md5 for its account and in its zone";
}

static void tell(struct sip_deaf *d, struct row *r)
{
	const struct sip_deaf_ask ask = { r->user, r->source, r->zone, r->agent, r->account_md5, r->zone_md5 };
	bool again = r->told && r->why == why_of(r);
	r->why = why_of(r);
	r->waits = false;
	if (!again) {	/* a phone asks every few seconds: one line is enough */
		r->told = true;
		d->fn(&ask, r->why, d->user_data);
	}
}

static gboolean is_old(gpointer key, gpointer value, gpointer now)
{
	return ((const struct row *)value)->asked_us + (int64_t)KEEP_S * ORT_US_PER_S < *(const int64_t *)now;
}

static struct row *row_for(struct sip_deaf *d, const struct sip_deaf_ask *ask)
{
	g_autofree char *key = g_strdup_printf("%s\n%s", ask->source, ask->user);
	struct row *r = g_hash_table_lookup(d->rows, key);
	if (r == NULL && g_hash_table_size(d->rows) >= MAX_ROWS) {
		return NULL;	/* accounts exist, so there are not that many; a scanner's are not worth more */
	}
	if (r == NULL) {
		r = g_new0(struct row, 1);
		r->user = g_strdup(ask->user);
		r->source = g_strdup(ask->source);
		g_hash_table_insert(d->rows, g_steal_pointer(&key), r);
	}
	g_free(r->zone);
	g_free(r->agent);
	r->zone = g_strdup(ask->zone);
	r->agent = g_strdup(ask->agent);
	r->account_md5 = ask->account_md5;
	r->zone_md5 = ask->zone_md5;
	return r;
}

void sip_deaf_asked(struct sip_deaf *d, const struct sip_deaf_ask *ask, int64_t now_us)
{
	struct row *r = row_for(d, ask);
	if (r == NULL) {
		return;
	}
	r->asked_us = now_us;
	r->waits = true;
	r->times++;
}

void sip_deaf_md5(struct sip_deaf *d, const struct sip_deaf_ask *ask, int64_t now_us)
{
	struct row *r = row_for(d, ask);
	if (r != NULL) {
		r->asked_us = now_us;
		r->times++;
		tell(d, r);
	}
}

void sip_deaf_answered(struct sip_deaf *d, const char *source, const char *user)
{
	g_autofree char *key = g_strdup_printf("%s\n%s", source, user);
	(void)g_hash_table_remove(d->rows, key);
}

void sip_deaf_tick(struct sip_deaf *d, int64_t now_us)
{
	GHashTableIter it;
	struct row *r;
	g_hash_table_foreach_remove(d->rows, is_old, &now_us);
	g_hash_table_iter_init(&it, d->rows);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&r)) {
		if (r->waits && r->asked_us + (int64_t)WAIT_S * ORT_US_PER_S <= now_us) {
			tell(d, r);
		}
	}
}

json_t *sip_deaf_print(const struct sip_deaf *d)
{
	json_t *rows = json_array();
	GHashTableIter it;
	const struct row *r;
	g_hash_table_iter_init(&it, d->rows);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&r)) {
		if (r->why != NULL) {
			json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:s?,s:i,s:s}", "user", r->user, "source", r->source, "zone", r->zone,
							      "agent", r->agent, "times", (int)r->times, "why", r->why));
		}
	}
	return rows;
}
