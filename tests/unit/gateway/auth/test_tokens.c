/* Sessions, links, devices, script tokens, and the hashing thread. */
#include "tests/unit/gateway/auth/world_priv.h"

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
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_test_add_func(tests[i].path, tests[i].fn);
	}
	return g_test_run();
}
