/* Accounts and lock-out. */
#include "tests/unit/gateway/auth/world_priv.h"

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

/* Guessing from many addresses fills the queue; who comes from elsewhere takes the place of a guesser and goes first. */
static void guessers_keep_nobody_out(void)
{
	struct world w;
	init(&w);
	g_assert_cmpint(put(&w, "ann", "dispatcher", GOOD, false), ==, GW_AUTH_OK);
	w.hold = true;
	w.answers = 0;
	for (int i = 0; i < 24; i++) {
		g_autofree char *name = g_strdup_printf("u%d", i), *source = g_strdup_printf("10.0.0.%d", i % 6);
		gw_auth_login(w.auth, name, "wrong password", source, w.now_us, w.wall_ms, granted, &w);
	}
	int refused = w.answers;
	gw_auth_login(w.auth, "ann", GOOD, "192.0.2.77", w.now_us, w.wall_ms, granted, &w);
	g_assert_cmpint(w.answers, ==, refused + 1); /* a guesser was turned away, not ann */
	g_assert_cmpint(w.err, ==, GW_AUTH_BUSY);
	struct kept_job *kept = g_queue_pop_head(&w.jobs);
	kept->work(kept->job);
	kept->done(kept->job);
	g_free(kept);
	kept = g_queue_pop_tail(&w.jobs); /* the next that was sent out */
	kept->work(kept->job);
	kept->done(kept->job);
	g_free(kept);
	g_assert_cmpint(w.err, ==, GW_AUTH_OK);
	release(&w);
	finish(&w);
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
	{ "/lock/guessers_keep_nobody_out", guessers_keep_nobody_out },
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
