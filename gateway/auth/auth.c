/* The object, its limits, its counters, and what expires. */
#include "gateway/auth/auth_priv.h"

#include <string.h>

const char *const gw_auth_error_names[] = {"ok",   "credentials", "locked", "busy",    "unknown",  "expired",
					   "used", "revoked",	  "weak",   "invalid", "conflict", "second", NULL};

static const int64_t second_ms = 1000, minute_ms = 60000, hour_ms = 3600000, day_ms = 86400000;
static const int64_t link_memory_ms = 7 * 86400000LL; /* an expired link still says "expired" this long */

#define FILL(member, value) l->member = l->member ? l->member : (value)
static void fill_limits(struct gw_auth_limits *l)
{
	FILL(memory_kib, 65536);
	FILL(passes, 3);
	FILL(max_hashes, 2);
	FILL(max_queue, 64);
	FILL(failures, 5);
	FILL(lock_ms, 30 * second_ms);
	FILL(lock_max_ms, hour_ms);
	FILL(idle_ms, 8 * hour_ms);
	FILL(life_ms, day_ms);
	FILL(link_open_ms, 30 * minute_ms);
	FILL(link_life_ms, 12 * hour_ms);
	FILL(device_ms, 365 * day_ms);
	FILL(token_ms, 90 * day_ms);
	FILL(max_sessions, 20000);
	FILL(max_per_subject, 32);
}

gw_auth *gw_auth_new(const struct gw_auth_ops *ops, const struct gw_auth_limits *limits, void *user_data)
{
	gw_auth *auth = g_new0(gw_auth, 1);
	auth->ops = ops ? *ops : (struct gw_auth_ops){0};
	auth->limits = limits ? *limits : (struct gw_auth_limits){0};
	fill_limits(&auth->limits);
	auth->user_data = user_data;
	auth->accounts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, gw_auth_account_free);
	auth->sessions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, gw_auth_session_free);
	auth->links = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, gw_auth_link_free);
	auth->devices = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, gw_auth_device_free);
	auth->scripts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, gw_auth_script_free);
	auth->sessions_by_hash = g_hash_table_new(g_str_hash, g_str_equal);
	auth->links_by_hash = g_hash_table_new(g_str_hash, g_str_equal);
	auth->devices_by_hash = g_hash_table_new(g_str_hash, g_str_equal);
	auth->scripts_by_hash = g_hash_table_new(g_str_hash, g_str_equal);
	auth->locks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	auth->dummy = gw_auth_dummy_hash(&auth->limits);
	return auth;
}

void gw_auth_free(gw_auth *auth)
{
	if (!auth) {
		return;
	}
	g_assert(auth->running == 0);
	g_queue_clear_full(&auth->waiting, (GDestroyNotify)gw_auth_job_free);
	GHashTable *const tables[] = {
		auth->sessions_by_hash, auth->links_by_hash, auth->devices_by_hash, auth->scripts_by_hash,
		auth->accounts,		auth->sessions,	     auth->links,	    auth->devices,
		auth->scripts,		auth->locks};
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		g_hash_table_unref(tables[i]);
	}
	g_free(auth->lent);
	g_free(auth->lent_subject);
	g_free(auth->setup_hash);
	g_free(auth->dummy);
	g_free(auth);
}

static void tick_sessions(gw_auth *auth, int64_t now_us, int64_t wall_ms)
{
	g_autoptr(GList) all = g_hash_table_get_values(auth->sessions);
	for (GList *i = all; i; i = i->next) {
		struct auth_session *s = i->data;
		bool idle = s->person && now_us - s->touched_us > auth->limits.idle_ms * 1000;
		if (idle || wall_ms >= s->expires_ms) {
			gw_auth_session_end(auth, s);
		}
	}
}

static void tick_links(gw_auth *auth, int64_t wall_ms)
{
	GHashTableIter it;
	struct link *l;
	g_hash_table_iter_init(&it, auth->links);
	while (g_hash_table_iter_next(&it, NULL, (void **)&l)) {
		if (wall_ms >= l->expires_ms + link_memory_ms) {
			gw_auth_forget(auth, "link", l->id);
			g_hash_table_remove(auth->links_by_hash, l->hash);
			g_hash_table_iter_remove(&it);
		}
	}
}

static void tick_scripts(gw_auth *auth, int64_t wall_ms)
{
	GHashTableIter it;
	struct script *t;
	g_hash_table_iter_init(&it, auth->scripts);
	while (g_hash_table_iter_next(&it, NULL, (void **)&t)) {
		if (wall_ms >= t->expires_ms) {
			gw_auth_forget(auth, "token", t->id);
			g_hash_table_remove(auth->scripts_by_hash, t->hash);
			g_hash_table_iter_remove(&it);
		}
	}
}

void gw_auth_tick(gw_auth *auth, int64_t now_us, int64_t wall_ms)
{
	tick_sessions(auth, now_us, wall_ms);
	tick_links(auth, wall_ms);
	tick_scripts(auth, wall_ms);
	gw_auth_lock_tick(auth, now_us);
}

static const char *const counter_names[] = {
#define X(id, doc) #id,
#include "gateway/auth/counters.def"
#undef X
};

json_t *gw_auth_counters(const gw_auth *auth)
{
	json_t *out = json_object();
	for (int i = 0; i < N_COUNTERS; i++) {
		json_object_set_new(out, counter_names[i], json_integer((json_int_t)auth->counters[i]));
	}
	json_object_set_new(out, "sessions", json_integer(g_hash_table_size(auth->sessions)));
	json_object_set_new(out, "accounts", json_integer(g_hash_table_size(auth->accounts)));
	return out;
}
