/* Accounts, lock-out, sessions, links, tokens: in virtual time, hashes at the lowest cost, records in a table. */
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

static void keep(const char *kind, const char *key, json_t *record, void *user_data)
{
	struct world *w = user_data;
	g_hash_table_replace(w->records, g_strdup_printf("%s/%s", kind, key), json_incref(record));
}

static void drop(const char *kind, const char *key, void *user_data)
{
	g_autofree char *name = g_strdup_printf("%s/%s", kind, key);
	g_assert_true(g_hash_table_remove(((struct world *)user_data)->records, name));
}

static void run(void (*work)(void *), void (*done)(void *), void *job, void *user_data)
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

static void release(struct world *w)
{
	struct kept_job *kept;
	w->hold = false;
	while ((kept = g_queue_pop_head(&w->jobs))) {
		kept->work(kept->job);
		kept->done(kept->job);
		g_free(kept);
	}
}

static gw_auth *make(struct world *w)
{
	static const struct gw_auth_ops ops = { keep, drop, run };
	return gw_auth_new(&ops, &(struct gw_auth_limits){ .memory_kib = 8, .passes = 1 }, w);
}

static void init(struct world *w)
{
	*w = (struct world){ .wall_ms = 1700000000000, .now_us = second_us };
	w->records = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
	w->auth = make(w);
}

static void finish(struct world *w)
{
	gw_auth_free(w->auth);
	g_hash_table_unref(w->records);
	g_free(w->token);
	g_free(w->id);
	g_free(w->why);
}

static void granted(enum gw_auth_error err, const struct gw_auth_grant *grant, int64_t retry_s, void *user_data)
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

static void done(enum gw_auth_error err, const char *why, void *user_data)
{
	struct world *w = user_data;
	w->answers++;
	w->err = err;
	g_free(w->why);
	w->why = g_strdup(why);
}

static enum gw_auth_error login_from(struct world *w, const char *name, const char *password, const char *source)
{
	gw_auth_login(w->auth, name, password, source, w->now_us, w->wall_ms, granted, w);
	return w->err;
}

static enum gw_auth_error login(struct world *w, const char *name, const char *password)
{
	return login_from(w, name, password, "192.0.2.1");
}

static enum gw_auth_error put(struct world *w, const char *name, const char *role, const char *password, bool disabled)
{
	struct gw_auth_account_put in = { name, role, password, NULL, disabled };
	gw_auth_account_put(w->auth, &in, w->wall_ms, done, w);
	return w->err;
}

static enum gw_auth_error check(struct world *w, const char *token)
{
	struct gw_auth_identity who = { 0 };
	return gw_auth_check(w->auth, token, w->now_us, w->wall_ms, &who);
}

static void advance(struct world *w, int64_t ms)
{
	w->wall_ms += ms;
	w->now_us += ms * 1000;
}

static json_int_t counter(struct world *w, const char *name)
{
	g_autoptr(json_t) all = gw_auth_counters(w->auth);
	g_assert_nonnull(json_object_get(all, name));
	return json_integer_value(json_object_get(all, name));
}

#define GOOD "correct horse battery"

/* ---- accounts ---- */

static void set_up_once(void)
{
	struct world w;
	init(&w);
	g_assert_true(gw_auth_setup_needed(w.auth));
	g_autofree char *old = gw_auth_setup_token(w.auth), *token = gw_auth_setup_token(w.auth);
	gw_auth_setup(w.auth, old, "admin", GOOD, "s", w.now_us, w.wall_ms, granted, &w);
	g_assert_cmpint(w.err, ==, GW_AUTH_UNKNOWN);
	gw_auth_setup(w.auth, token, "admin", "short", "s", w.now_us, w.wall_ms, granted, &w);
	g_assert_cmpint(w.err, ==, GW_AUTH_WEAK);
	gw_auth_setup(w.auth, token, "admin", GOOD, "s", w.now_us, w.wall_ms, granted, &w);
	g_assert_cmpint(w.err, ==, GW_AUTH_OK);
	g_assert_cmpint(check(&w, w.token), ==, GW_AUTH_OK);
	gw_auth_setup(w.auth, token, "second", GOOD, "s", w.now_us, w.wall_ms, granted, &w);
	g_assert_cmpint(w.err, ==, GW_AUTH_USED);
	g_assert_null(gw_auth_setup_token(w.auth));
	g_assert_cmpint(login(&w, "admin", GOOD), ==, GW_AUTH_OK);
	finish(&w);
}

static void two_set_ups_at_once_make_one(void)
{
	struct world w;
	init(&w);
	g_autofree char *token = gw_auth_setup_token(w.auth);
	w.hold = true;
	gw_auth_setup(w.auth, token, "one", GOOD, "s", w.now_us, w.wall_ms, granted, &w);
	gw_auth_setup(w.auth, token, "two", GOOD, "s", w.now_us, w.wall_ms, granted, &w);
	release(&w);
	g_assert_cmpint(w.answers, ==, 2);
	g_assert_cmpint(w.err, ==, GW_AUTH_USED);
	g_assert_cmpint(counter(&w, "accounts"), ==, 1);
	finish(&w);
}

static const struct rule_row { const char *label, *name, *role, *password; enum gw_auth_error want; } rules[] = {
	{ "good", "ann", "viewer", GOOD, GW_AUTH_OK },
	{ "chinese", "值班员甲", "dispatcher", "呼伦贝尔草原的风很大啊", GW_AUTH_OK },
	{ "nine-characters", "ann", "viewer", "123456789", GW_AUTH_WEAK },
	{ "is-the-name", "administrator", "viewer", "ADMINISTRATOR", GW_AUTH_WEAK },
	{ "one-letter", "ann", "viewer", "aaaaaaaaaaaaaaaa", GW_AUTH_WEAK },
	{ "no-password", "ann", "viewer", NULL, GW_AUTH_WEAK },
	{ "broken-utf8", "ann", "viewer", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", GW_AUTH_WEAK },
	{ "no-such-role", "ann", "root", GOOD, GW_AUTH_INVALID },
	{ "field-is-no-account", "ann", "field", GOOD, GW_AUTH_INVALID },
	{ "empty-name", "", "viewer", GOOD, GW_AUTH_INVALID },
	{ "line-feed-in-name", "a\nb", "viewer", GOOD, GW_AUTH_INVALID },
	{ "blank-at-end", "ann ", "viewer", GOOD, GW_AUTH_INVALID },
};

static void rule(const void *data)
{
	const struct rule_row *row = data;
	struct world w;
	init(&w);
	g_assert_cmpint(put(&w, row->name, row->role, row->password, false), ==, row->want);
	g_assert_true(row->want == GW_AUTH_OK || w.why);
	if (row->want == GW_AUTH_OK) {
		g_assert_cmpint(login(&w, row->name, row->password), ==, GW_AUTH_OK);
	}
	finish(&w);
}

static void records_hold_no_secret(void)
{
	struct world w;
	GHashTableIter it;
	char *key;
	json_t *record;
	init(&w);
	put(&w, "ann", "viewer", GOOD, false);
	login(&w, "ann", GOOD);
	g_hash_table_iter_init(&it, w.records);
	while (g_hash_table_iter_next(&it, (void **)&key, (void **)&record)) {
		char *text = json_dumps(record, 0);
		g_assert_null(strstr(text, GOOD));
		g_assert_null(strstr(text, w.token));
		g_assert_null(strstr(key, w.token));
		free(text);
	}
	finish(&w);
}

static void unknown_disabled_and_wrong_look_alike(void)
{
	struct world w;
	init(&w);
	put(&w, "ann", "viewer", GOOD, false);
	put(&w, "off", "viewer", GOOD, true);
	json_int_t before = counter(&w, "hashes");
	g_assert_cmpint(login(&w, "nobody", GOOD), ==, GW_AUTH_CREDENTIALS);
	g_assert_cmpint(login(&w, "off", GOOD), ==, GW_AUTH_CREDENTIALS);
	g_assert_cmpint(login(&w, "ann", "wrong password"), ==, GW_AUTH_CREDENTIALS);
	g_assert_cmpint(counter(&w, "hashes"), ==, before + 3);	/* each cost one hash */
	finish(&w);
}

static void last_administrator_stays(void)
{
	struct world w;
	init(&w);
	put(&w, "a", "administrator", GOOD, false);
	g_assert_cmpint(gw_auth_account_remove(w.auth, "a"), ==, GW_AUTH_CONFLICT);
	g_assert_cmpint(put(&w, "a", "viewer", NULL, false), ==, GW_AUTH_CONFLICT);
	g_assert_cmpint(put(&w, "a", "administrator", NULL, true), ==, GW_AUTH_CONFLICT);
	put(&w, "b", "administrator", GOOD, false);
	g_assert_cmpint(gw_auth_account_remove(w.auth, "a"), ==, GW_AUTH_OK);
	g_assert_cmpint(gw_auth_account_remove(w.auth, "a"), ==, GW_AUTH_UNKNOWN);
	finish(&w);
}

static void changes_end_sessions(void)
{
	struct world w;
	init(&w);
	put(&w, "ann", "viewer", GOOD, false);
	login(&w, "ann", GOOD);
	put(&w, "ann", "viewer", NULL, false);
	g_assert_cmpint(check(&w, w.token), ==, GW_AUTH_OK);	/* nothing harder than before */
	put(&w, "ann", "dispatcher", NULL, false);
	g_assert_cmpint(check(&w, w.token), ==, GW_AUTH_UNKNOWN);
	login(&w, "ann", GOOD);
	gw_auth_password(w.auth, "ann", "wrong password", "another password", "s", w.now_us, w.wall_ms, done, &w);
	g_assert_cmpint(w.err, ==, GW_AUTH_CREDENTIALS);
	gw_auth_password(w.auth, "ann", GOOD, "another password", "s", w.now_us, w.wall_ms, done, &w);
	g_assert_cmpint(w.err, ==, GW_AUTH_OK);
	g_assert_cmpint(check(&w, w.token), ==, GW_AUTH_UNKNOWN);
	g_assert_cmpint(login(&w, "ann", GOOD), ==, GW_AUTH_CREDENTIALS);
	g_assert_cmpint(login(&w, "ann", "another password"), ==, GW_AUTH_OK);
	finish(&w);
}

/* ---- lock-out ---- */

static void five_failures_lock_and_double(void)
{
	struct world w;
	init(&w);
	put(&w, "ann", "viewer", GOOD, false);
	for (int i = 0; i < 5; i++) {
		g_assert_cmpint(login(&w, "ann", "wrong password"), ==, GW_AUTH_CREDENTIALS);
	}
	g_assert_cmpint(login(&w, "ann", GOOD), ==, GW_AUTH_LOCKED);
	g_assert_cmpint(w.retry_s, ==, 30);
	g_assert_cmpint(login_from(&w, "ann", GOOD, "192.0.2.2"), ==, GW_AUTH_OK);	/* the officer elsewhere is not hurt */
	advance(&w, 30001);
	g_assert_cmpint(login(&w, "ann", "wrong password"), ==, GW_AUTH_CREDENTIALS);
	g_assert_cmpint(login(&w, "ann", GOOD), ==, GW_AUTH_LOCKED);
	g_assert_cmpint(w.retry_s, ==, 60);
	advance(&w, 60001);
	g_assert_cmpint(login(&w, "ann", GOOD), ==, GW_AUTH_OK);
	g_assert_cmpint(login(&w, "ann", "wrong password"), ==, GW_AUTH_CREDENTIALS);	/* counting anew */
	g_assert_cmpint(login(&w, "ann", GOOD), ==, GW_AUTH_OK);
	finish(&w);
}

static void unknown_names_lock_too(void)
{
	struct world w;
	init(&w);
	for (int i = 0; i < 5; i++) {
		g_assert_cmpint(login(&w, "ghost", "wrong password"), ==, GW_AUTH_CREDENTIALS);
	}
	g_assert_cmpint(login(&w, "ghost", "wrong password"), ==, GW_AUTH_LOCKED);
	g_assert_cmpint(w.retry_s, ==, 30);
	finish(&w);
}

static void parallel_attempts_are_counted(void)
{
	struct world w;
	init(&w);
	put(&w, "ann", "viewer", GOOD, false);
	w.hold = true;
	for (int i = 0; i < 5; i++) {
		login(&w, "ann", "wrong password");
	}
	w.answers = 0;
	g_assert_cmpint(login(&w, "ann", GOOD), ==, GW_AUTH_LOCKED);
	release(&w);
	g_assert_cmpint(w.answers, ==, 6);
	finish(&w);
}

static void one_source_on_many_names(void)
{
	struct world w;
	init(&w);
	for (int i = 0; i < 20; i++) {
		g_autofree char *name = g_strdup_printf("user%d", i);
		g_assert_cmpint(login(&w, name, "wrong password"), ==, GW_AUTH_CREDENTIALS);
	}
	g_assert_cmpint(login(&w, "user99", "wrong password"), ==, GW_AUTH_LOCKED);
	g_assert_cmpint(login_from(&w, "user99", "wrong password", "192.0.2.9"), ==, GW_AUTH_CREDENTIALS);
	finish(&w);
}

static void failures_are_forgotten(void)
{
	struct world w;
	init(&w);
	for (int i = 0; i < 4; i++) {
		login(&w, "ann", "wrong password");
	}
	advance(&w, 16 * minute_ms);
	for (int i = 0; i < 4; i++) {
		g_assert_cmpint(login(&w, "ann", "wrong password"), ==, GW_AUTH_CREDENTIALS);
	}
	g_assert_cmpint(login(&w, "ann", "wrong password"), ==, GW_AUTH_CREDENTIALS);
	g_assert_cmpint(login(&w, "ann", "wrong password"), ==, GW_AUTH_LOCKED);
	finish(&w);
}

static void hash_queue_is_bounded(void)
{
	struct world w;
	init(&w);
	w.hold = true;
	for (int i = 0; i < 18; i++) {
		g_autofree char *name = g_strdup_printf("u%d", i), *source = g_strdup_printf("10.0.0.%d", i);
		gw_auth_login(w.auth, name, "wrong password", source, w.now_us, w.wall_ms, granted, &w);
	}
	g_assert_cmpint(w.jobs.length, ==, 2);
	g_assert_cmpint(w.answers, ==, 0);
	gw_auth_login(w.auth, "last", "wrong password", "10.0.1.1", w.now_us, w.wall_ms, granted, &w);
	g_assert_cmpint(w.answers, ==, 1);
	g_assert_cmpint(w.err, ==, GW_AUTH_BUSY);
	release(&w);
	g_assert_cmpint(w.answers, ==, 19);
	finish(&w);
}

/* ---- sessions ---- */

static void sessions_idle_and_end(void)
{
	struct world w;
	init(&w);
	put(&w, "ann", "viewer", GOOD, false);
	login(&w, "ann", GOOD);
	advance(&w, 7 * hour_ms);
	g_assert_true(gw_auth_touch(w.auth, w.id, w.now_us, w.wall_ms));
	advance(&w, 7 * hour_ms);
	g_assert_cmpint(check(&w, w.token), ==, GW_AUTH_OK);
	advance(&w, 9 * hour_ms);
	g_assert_false(gw_auth_touch(w.auth, w.id, w.now_us, w.wall_ms));
	g_assert_cmpint(check(&w, w.token), ==, GW_AUTH_EXPIRED);
	g_assert_cmpint(check(&w, w.token), ==, GW_AUTH_UNKNOWN);
	login(&w, "ann", GOOD);
	for (int i = 0; i < 5; i++) {
		g_assert_true(gw_auth_touch(w.auth, w.id, w.now_us, w.wall_ms));
		advance(&w, 5 * hour_ms);
	}
	g_assert_false(gw_auth_touch(w.auth, w.id, w.now_us, w.wall_ms));	/* 24 h are the end */
	gw_auth_tick(w.auth, w.now_us, w.wall_ms);
	g_assert_cmpint(counter(&w, "sessions"), ==, 0);
	g_assert_cmpuint(g_hash_table_size(w.records), ==, 1);
	finish(&w);
}

static void sessions_of_one_subject_are_bounded(void)
{
	struct world w;
	init(&w);
	put(&w, "ann", "viewer", GOOD, false);
	login(&w, "ann", GOOD);
	g_autofree char *first = g_strdup(w.token);
	for (int i = 0; i < 32; i++) {
		advance(&w, 1000);
		login(&w, "ann", GOOD);
	}
	g_assert_cmpint(check(&w, first), ==, GW_AUTH_UNKNOWN);
	g_assert_cmpint(counter(&w, "sessions"), ==, 32);
	g_assert_cmpuint(gw_auth_revoke_subject(w.auth, "account:ann"), ==, 32);
	finish(&w);
}

static void log_out_ends_it(void)
{
	struct world w;
	init(&w);
	put(&w, "ann", "viewer", GOOD, false);
	login(&w, "ann", GOOD);
	g_assert_true(gw_auth_logout(w.auth, w.id));
	g_assert_false(gw_auth_logout(w.auth, w.id));
	g_assert_cmpint(check(&w, w.token), ==, GW_AUTH_UNKNOWN);
	finish(&w);
}

static void all_survives_a_restart(void)
{
	struct world w;
	GHashTableIter it;
	char *key;
	json_t *record;
	int64_t expires_ms = 0;
	struct gw_auth_grant grant;
	init(&w);
	put(&w, "ann", "administrator", GOOD, false);
	login(&w, "ann", GOOD);
	g_autofree char *wall = gw_auth_device_issue(w.auth, "wall", "大厅", w.wall_ms, NULL);
	g_autofree char *script = gw_auth_token_issue(w.auth, "backup", "auditor", w.wall_ms, &expires_ms, NULL);
	g_autofree char *link = gw_auth_link_issue(w.auth, &(struct gw_auth_link){ "l-1", "i-1", "s-1", "Bao" }, w.wall_ms, NULL);
	gw_auth *old = w.auth;
	w.auth = make(&w);
	g_hash_table_iter_init(&it, w.records);
	while (g_hash_table_iter_next(&it, (void **)&key, (void **)&record)) {
		g_auto(GStrv) parts = g_strsplit(key, "/", 2);
		g_assert_cmpint(gw_auth_load(w.auth, parts[0], parts[1], record, w.now_us, w.wall_ms), ==, 0);
		g_assert_cmpint(gw_auth_load(w.auth, parts[0], parts[1], record, w.now_us, w.wall_ms), <, 0);
	}
	g_autoptr(json_t) junk = json_pack("{s:i}", "id", 7);
	g_assert_cmpint(gw_auth_load(w.auth, "link", "x", junk, w.now_us, w.wall_ms), <, 0);
	g_assert_cmpint(gw_auth_load(w.auth, "what", "x", junk, w.now_us, w.wall_ms), <, 0);
	g_assert_false(gw_auth_setup_needed(w.auth));
	g_assert_cmpint(check(&w, w.token), ==, GW_AUTH_OK);
	g_assert_cmpint(check(&w, script), ==, GW_AUTH_OK);
	g_assert_cmpint(gw_auth_device_open(w.auth, wall, "s", w.now_us, w.wall_ms, &grant), ==, GW_AUTH_OK);
	g_assert_cmpint(gw_auth_link_open(w.auth, link, NULL, "s", w.now_us, w.wall_ms, &grant), ==, GW_AUTH_OK);
	gw_auth_free(old);
	finish(&w);
}

/* ---- links ---- */

static char *issue(struct world *w)
{
	int64_t expires_ms = 0;
	char *token = gw_auth_link_issue(w->auth, &(struct gw_auth_link){ "l-1", "i-1", "s-1", "Bao" }, w->wall_ms, &expires_ms);
	g_assert_cmpint(expires_ms, ==, w->wall_ms + 30 * minute_ms);
	return token;
}

static enum gw_auth_error open_link(struct world *w, const char *token, const char *current, struct gw_auth_grant *ret)
{
	return gw_auth_link_open(w->auth, token, current, "s", w->now_us, w->wall_ms, ret);
}

static void first_opener_binds_the_link(void)
{
	struct world w;
	struct gw_auth_grant grant;
	init(&w);
	g_autofree char *token = issue(&w);
	g_assert_cmpint(open_link(&w, token, NULL, &grant), ==, GW_AUTH_OK);
	g_assert_cmpstr(grant.who.role, ==, "field");
	g_assert_cmpstr(grant.who.incident, ==, "i-1");
	g_assert_cmpstr(grant.who.scene, ==, "s-1");
	g_assert_cmpstr(grant.who.subject, ==, "link:l-1");
	g_autofree char *cookie = g_strdup(grant.token), *id = g_strdup(grant.who.id);
	g_assert_cmpint(check(&w, cookie), ==, GW_AUTH_OK);
	g_assert_cmpint(open_link(&w, token, NULL, &grant), ==, GW_AUTH_USED);
	g_assert_cmpint(open_link(&w, token, "a-other", &grant), ==, GW_AUTH_USED);
	advance(&w, hour_ms);	/* long after the 30 minutes */
	g_assert_cmpint(open_link(&w, token, id, &grant), ==, GW_AUTH_OK);
	g_assert_null(grant.token);
	advance(&w, 12 * hour_ms);
	g_assert_cmpint(open_link(&w, token, id, &grant), ==, GW_AUTH_EXPIRED);
	g_assert_cmpint(check(&w, cookie), ==, GW_AUTH_EXPIRED);
	finish(&w);
}

static void links_expire_unused(void)
{
	struct world w;
	struct gw_auth_grant grant;
	init(&w);
	g_autofree char *token = issue(&w);
	advance(&w, 30 * minute_ms);
	g_assert_cmpint(open_link(&w, token, NULL, &grant), ==, GW_AUTH_EXPIRED);
	gw_auth_tick(w.auth, w.now_us, w.wall_ms);
	g_assert_cmpint(open_link(&w, token, NULL, &grant), ==, GW_AUTH_EXPIRED);
	advance(&w, 8 * 24 * hour_ms);
	gw_auth_tick(w.auth, w.now_us, w.wall_ms);
	g_assert_cmpint(open_link(&w, token, NULL, &grant), ==, GW_AUTH_UNKNOWN);
	g_assert_cmpuint(g_hash_table_size(w.records), ==, 0);
	finish(&w);
}

static void closed_incident_kills_its_links(void)
{
	struct world w;
	struct gw_auth_grant grant;
	init(&w);
	g_autofree char *token = issue(&w);
	g_assert_cmpint(open_link(&w, token, NULL, &grant), ==, GW_AUTH_OK);
	g_autofree char *cookie = g_strdup(grant.token);
	g_assert_cmpuint(gw_auth_incident_end(w.auth, "i-2"), ==, 0);
	g_assert_cmpuint(gw_auth_incident_end(w.auth, "i-1"), ==, 1);
	g_assert_cmpint(check(&w, cookie), ==, GW_AUTH_UNKNOWN);
	g_assert_cmpint(open_link(&w, token, NULL, &grant), ==, GW_AUTH_REVOKED);
	g_assert_false(gw_auth_link_revoke(w.auth, "l-1"));
	finish(&w);
}

static void issued_again_the_old_token_dies(void)
{
	struct world w;
	struct gw_auth_grant grant;
	init(&w);
	g_autofree char *old = issue(&w);
	g_assert_cmpint(open_link(&w, old, NULL, &grant), ==, GW_AUTH_OK);
	g_autofree char *cookie = g_strdup(grant.token);
	g_autofree char *token = issue(&w);
	g_assert_cmpint(check(&w, cookie), ==, GW_AUTH_UNKNOWN);
	g_assert_cmpint(open_link(&w, old, NULL, &grant), ==, GW_AUTH_UNKNOWN);
	g_assert_cmpint(open_link(&w, token, NULL, &grant), ==, GW_AUTH_OK);
	finish(&w);
}

/* ---- devices, scripts, tokens ---- */

static void devices_open_again_and_again(void)
{
	struct world w;
	struct gw_auth_grant grant;
	g_autofree char *id = NULL;
	init(&w);
	g_autofree char *token = gw_auth_device_issue(w.auth, "wall", "大厅", w.wall_ms, &id);
	g_assert_null(gw_auth_device_issue(w.auth, "field", "x", w.wall_ms, NULL));
	for (int i = 0; i < 40; i++) {
		g_assert_cmpint(gw_auth_device_open(w.auth, token, "s", w.now_us, w.wall_ms, &grant), ==, GW_AUTH_OK);
		advance(&w, 24 * hour_ms);
	}
	g_assert_cmpstr(grant.who.role, ==, "wall");
	g_autofree char *cookie = g_strdup(grant.token);
	g_assert_cmpint(check(&w, cookie), ==, GW_AUTH_OK);
	g_assert_true(gw_auth_device_revoke(w.auth, id));
	g_assert_cmpint(check(&w, cookie), ==, GW_AUTH_UNKNOWN);
	g_assert_cmpint(gw_auth_device_open(w.auth, token, "s", w.now_us, w.wall_ms, &grant), ==, GW_AUTH_REVOKED);
	g_assert_cmpint(gw_auth_device_open(w.auth, "nonsense", "s", w.now_us, w.wall_ms, &grant), ==, GW_AUTH_UNKNOWN);
	finish(&w);
}

static void scripts_have_an_end(void)
{
	struct world w;
	int64_t expires_ms = 0, past_ms = 1;
	g_autofree char *id = NULL;
	init(&w);
	g_autofree char *token = gw_auth_token_issue(w.auth, "x", "viewer", w.wall_ms, &expires_ms, &id);
	g_assert_cmpint(expires_ms, ==, w.wall_ms + 90 * 24 * hour_ms);
	g_assert_null(gw_auth_token_issue(w.auth, "x", "viewer", w.wall_ms, &past_ms, NULL));
	g_assert_null(gw_auth_token_issue(w.auth, "x", "field", w.wall_ms, &expires_ms, NULL));
	g_assert_cmpint(check(&w, token), ==, GW_AUTH_OK);
	g_assert_true(gw_auth_touch(w.auth, id, w.now_us, w.wall_ms));
	advance(&w, 91 * 24 * hour_ms);
	g_assert_cmpint(check(&w, token), ==, GW_AUTH_EXPIRED);
	gw_auth_tick(w.auth, w.now_us, w.wall_ms);
	g_assert_cmpint(check(&w, token), ==, GW_AUTH_UNKNOWN);
	g_assert_false(gw_auth_token_revoke(w.auth, id));
	finish(&w);
}

static void tokens_are_long_and_different(void)
{
	struct world w;
	init(&w);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (int i = 0; i < 1000; i++) {
		char *token = issue(&w);
		g_assert_cmpuint(strlen(token), ==, 22);	/* 128 bits */
		g_assert_cmpuint(strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), ==, 22);
		g_assert_true(g_hash_table_add(seen, token));
	}
	finish(&w);
}

/* ---- the real thread ---- */

static void run_on_worker(void (*work)(void *), void (*fin)(void *), void *job, void *user_data)
{
	gw_auth_worker_run(work, fin, job, *(gw_auth_worker **)user_data);
}

static void count_answer(enum gw_auth_error err, const struct gw_auth_grant *grant, int64_t retry_s, void *user_data)
{
	g_assert_cmpint(err, ==, GW_AUTH_CREDENTIALS);
	((int *)user_data)[0]++;
}

static void worker_brings_answers_home(void)
{
	int answers[1] = { 0 };
	g_autoptr(GMainContext) home = g_main_context_new();
	gw_auth_worker *worker = gw_auth_worker_start(home);
	gw_auth *auth = gw_auth_new(&(struct gw_auth_ops){ .run = run_on_worker },
				    &(struct gw_auth_limits){ .memory_kib = 64, .passes = 1 }, &worker);
	gw_auth_login(auth, "a", "wrong password", "s", 0, 0, count_answer, answers);
	while (answers[0] == 0) {
		g_main_context_iteration(home, TRUE);
	}
	for (int i = 0; i < 4; i++) {
		gw_auth_login(auth, "b", "wrong password", "t", 0, 0, count_answer, answers);
	}
	gw_auth_worker_stop(worker);
	g_assert_cmpint(answers[0], ==, 5);
	gw_auth_free(auth);
}

static const struct { const char *path; void (*fn)(void); } tests[] = {
	{ "/account/set_up_once", set_up_once },
	{ "/account/two_set_ups_at_once_make_one", two_set_ups_at_once_make_one },
	{ "/account/records_hold_no_secret", records_hold_no_secret },
	{ "/account/unknown_disabled_and_wrong_look_alike", unknown_disabled_and_wrong_look_alike },
	{ "/account/last_administrator_stays", last_administrator_stays },
	{ "/account/changes_end_sessions", changes_end_sessions },
	{ "/lock/five_failures_lock_and_double", five_failures_lock_and_double },
	{ "/lock/unknown_names_lock_too", unknown_names_lock_too },
	{ "/lock/parallel_attempts_are_counted", parallel_attempts_are_counted },
	{ "/lock/one_source_on_many_names", one_source_on_many_names },
	{ "/lock/failures_are_forgotten", failures_are_forgotten },
	{ "/lock/hash_queue_is_bounded", hash_queue_is_bounded },
	{ "/session/sessions_idle_and_end", sessions_idle_and_end },
	{ "/session/sessions_of_one_subject_are_bounded", sessions_of_one_subject_are_bounded },
	{ "/session/log_out_ends_it", log_out_ends_it },
	{ "/session/all_survives_a_restart", all_survives_a_restart },
	{ "/link/first_opener_binds_the_link", first_opener_binds_the_link },
	{ "/link/links_expire_unused", links_expire_unused },
	{ "/link/closed_incident_kills_its_links", closed_incident_kills_its_links },
	{ "/link/issued_again_the_old_token_dies", issued_again_the_old_token_dies },
	{ "/token/devices_open_again_and_again", devices_open_again_and_again },
	{ "/token/scripts_have_an_end", scripts_have_an_end },
	{ "/token/tokens_are_long_and_different", tokens_are_long_and_different },
	{ "/worker/worker_brings_answers_home", worker_brings_answers_home },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
		g_autofree char *path = g_strconcat("/rule/", rules[i].label, NULL);
		g_test_add_data_func(path, &rules[i], rule);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_test_add_func(tests[i].path, tests[i].fn);
	}
	return g_test_run();
}
