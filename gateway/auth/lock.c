/* Lock-out. Two clocks run side by side: one per source and name (5 failures), one per source over all names (20),
 * against one password tried on many names. A name that does not exist is locked like one that does. Attempts still
 * being hashed count, so that five at once are five. */
#include "gateway/auth/auth_priv.h"

#include "mcu/base/clock.h"

enum { SOURCE_FACTOR = 4, MAX_LOCKS = 16384, MAX_SHIFT = 20 };
static const int64_t forget_us = 15 * 60 * ORT_US_PER_S; /* without a failure the count starts anew */

static char *key_of(const char *source, const char *name)
{
	return g_strdup_printf("%s\n%s", source ? source : "", name ? name : "");
}

static bool is_stale(const struct lock *l, int64_t now_us)
{
	return l->in_flight == 0 && now_us >= l->until_us && now_us - l->last_us > forget_us;
}

static gboolean stale_row(gpointer key, gpointer value, gpointer user_data)
{
	return is_stale(value, *(int64_t *)user_data);
}

void gw_auth_lock_tick(gw_auth *auth, int64_t now_us)
{
	g_hash_table_foreach_remove(auth->locks, stale_row, &now_us);
}

static struct lock *find(gw_auth *auth, const char *source, const char *name, int64_t now_us)
{
	g_autofree char *key = key_of(source, name);
	struct lock *l = g_hash_table_lookup(auth->locks, key);
	if (l && is_stale(l, now_us)) {
		*l = (struct lock){0};
	}
	return l;
}

static int64_t wait_us(const struct lock *l, unsigned limit, int64_t now_us)
{
	if (!l) {
		return 0;
	}
	if (now_us < l->until_us) {
		return l->until_us - now_us;
	}
	unsigned left = l->failures < limit ? limit - l->failures : 1;
	return l->in_flight >= left ? ORT_US_PER_S : 0;
}

int64_t gw_auth_lock_wait_s(gw_auth *auth, const char *source, const char *name, int64_t now_us)
{
	int64_t a = wait_us(find(auth, source, name, now_us), auth->limits.failures, now_us);
	int64_t b = wait_us(find(auth, source, NULL, now_us), auth->limits.failures * SOURCE_FACTOR, now_us);
	return (MAX(a, b) + ORT_US_PER_S - 1) / ORT_US_PER_S;
}

/* Memory is bounded: in a flood of names the longest quiet give way; the per-source clock still holds. */
static void make_room(gw_auth *auth, int64_t now_us)
{
	GHashTableIter it;
	struct lock *l;
	if (g_hash_table_size(auth->locks) < MAX_LOCKS) {
		return;
	}
	gw_auth_lock_tick(auth, now_us);
	g_hash_table_iter_init(&it, auth->locks);
	while (g_hash_table_size(auth->locks) >= MAX_LOCKS && g_hash_table_iter_next(&it, NULL, (void **)&l)) {
		if (l->in_flight == 0 && now_us >= l->until_us) {
			g_hash_table_iter_remove(&it);
		}
	}
}

static void begin_one(gw_auth *auth, const char *source, const char *name, int64_t now_us)
{
	struct lock *l = find(auth, source, name, now_us);
	if (!l) {
		make_room(auth, now_us);
		l = g_new0(struct lock, 1);
		l->last_us = now_us;
		g_hash_table_insert(auth->locks, key_of(source, name), l);
	}
	l->in_flight++;
}

void gw_auth_lock_begin(gw_auth *auth, const char *source, const char *name, int64_t now_us)
{
	begin_one(auth, source, name, now_us);
	begin_one(auth, source, NULL, now_us);
}

void gw_auth_lock_cancel(gw_auth *auth, const char *source, const char *name, int64_t now_us)
{
	struct lock *all = find(auth, source, NULL, now_us);
	find(auth, source, name, now_us)->in_flight--;
	all->in_flight--;
	all->turned_away++; /* locks nobody out, but who comes again and again waits behind who does not */
}

unsigned gw_auth_lock_doubt(gw_auth *auth, const char *source)
{
	g_autofree char *key = key_of(source, NULL);
	const struct lock *l = g_hash_table_lookup(auth->locks, key);
	return l ? l->failures + l->in_flight + l->turned_away : 0;
}

static void fail_one(gw_auth *auth, struct lock *l, unsigned limit, int64_t now_us)
{
	l->failures++;
	l->last_us = now_us;
	if (l->failures >= limit) {
		unsigned shift = MIN(l->failures - limit, MAX_SHIFT);
		int64_t ms = MIN(auth->limits.lock_ms << shift, auth->limits.lock_max_ms);
		l->until_us = now_us + ms * ORT_US_PER_MS;
		count(auth, N_lockouts);
	}
}

void gw_auth_lock_end(gw_auth *auth, const char *source, const char *name, bool good, int64_t now_us)
{
	struct lock *mine = find(auth, source, name, now_us), *all = find(auth, source, NULL, now_us);
	g_assert(mine && all && mine->in_flight && all->in_flight); /* in flight is never stale, never removed */
	mine->in_flight--;
	all->in_flight--;
	if (!good) {
		fail_one(auth, mine, auth->limits.failures, now_us);
		fail_one(auth, all, auth->limits.failures * SOURCE_FACTOR, now_us);
	} else if (mine->in_flight == 0) {
		g_autofree char *key = key_of(source, name);
		g_hash_table_remove(auth->locks, key);
	}
}
