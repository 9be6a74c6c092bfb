/* A gw_auth in held time whose records are kept in a table, for the tests of gateway/auth. */
#pragma once
#include <string.h>
#include "gateway/auth/auth.h"
#include "mcu/base/json.h"

static const int64_t second_us = 1000000, minute_ms = 60000, hour_ms = 3600000;

struct kept_job { void (*work)(void *), (*done)(void *); void *job; };
struct world {
	gw_auth *auth;
	GHashTable *records;	/* "kind/key" -> json_t */
	GQueue jobs;		/* struct kept_job, when held */
	bool hold;
	int64_t now_us, wall_ms;
	/* last answer */
	int answers;
	enum gw_auth_error err;
	int64_t retry_s;
	char *token, *id, *why;
};

static inline void keep(const char *kind, const char *key, json_t *record, void *user_data)
{
	struct world *w = user_data;
	g_hash_table_replace(w->records, g_strdup_printf("%s/%s", kind, key), json_incref(record));
}

static inline void drop(const char *kind, const char *key, void *user_data)
{
	g_autofree char *name = g_strdup_printf("%s/%s", kind, key);
	g_assert_true(g_hash_table_remove(((struct world *)user_data)->records, name));
}

static inline void run(void (*work)(void *), void (*done)(void *), void *job, void *user_data)
{
	struct world *w = user_data;
	if (w->hold) {
		struct kept_job *kept = g_new(struct kept_job, 1);
		*kept = (struct kept_job){ work, done, job };
		g_queue_push_tail(&w->jobs, kept);
		return;
	}
	work(job);
	done(job);
}

static inline void release(struct world *w)
{
	struct kept_job *kept;
	w->hold = false;
	while ((kept = g_queue_pop_head(&w->jobs))) {
		kept->work(kept->job);
		kept->done(kept->job);
		g_free(kept);
	}
}

static inline gw_auth *make(struct world *w)
{
	static const struct gw_auth_ops ops = { keep, drop, run };
	return gw_auth_new(&ops, &(struct gw_auth_limits){ .memory_kib = 8, .passes = 1, .max_queue = 16 }, w);
}

static inline void init(struct world *w)
{
	*w = (struct world){ .wall_ms = 1700000000000, .now_us = second_us };
	w->records = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
	w->auth = make(w);
}

static inline void finish(struct world *w)
{
	gw_auth_free(w->auth);
	g_hash_table_unref(w->records);
	g_free(w->token);
	g_free(w->id);
	g_free(w->why);
}

static inline void granted(enum gw_auth_error err, const struct gw_auth_grant *grant, int64_t retry_s, void *user_data)
{
	struct world *w = user_data;
	w->answers++;
	w->err = err;
	w->retry_s = retry_s;
	if (err == GW_AUTH_OK) {
		g_free(w->token);
		g_free(w->id);
		w->token = g_strdup(grant->token);
		w->id = g_strdup(grant->who.id);
	}
}

static inline void done(enum gw_auth_error err, const char *why, void *user_data)
{
	struct world *w = user_data;
	w->answers++;
	w->err = err;
	g_free(w->why);
	w->why = g_strdup(why);
}

static inline enum gw_auth_error login_from(struct world *w, const char *name, const char *password, const char *source)
{
	gw_auth_login(w->auth, name, password, source, w->now_us, w->wall_ms, granted, w);
	return w->err;
}

static inline enum gw_auth_error login(struct world *w, const char *name, const char *password)
{
	return login_from(w, name, password, "192.0.2.1");
}

static inline enum gw_auth_error put(struct world *w, const char *name, const char *role, const char *password, bool disabled)
{
	struct gw_auth_account_put in = { name, role, password, NULL, disabled };
	gw_auth_account_put(w->auth, &in, w->wall_ms, done, w);
	return w->err;
}

static inline enum gw_auth_error check(struct world *w, const char *token)
{
	struct gw_auth_identity who = { 0 };
	return gw_auth_check(w->auth, token, w->now_us, w->wall_ms, &who);
}

static inline void advance(struct world *w, int64_t ms)
{
	w->wall_ms += ms;
	w->now_us += ms * 1000;
}

static inline json_int_t counter(struct world *w, const char *name)
{
	g_autoptr(json_t) all = gw_auth_counters(w->auth);
	g_assert_nonnull(json_object_get(all, name));
	return json_integer_value(json_object_get(all, name));
}

#define GOOD "correct horse battery"
