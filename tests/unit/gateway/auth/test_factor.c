/* Second factor and sessions. */
#include "gateway/auth/auth_priv.h"
#include "tests/unit/gateway/auth/world_priv.h"

/* RFC 6238 appendix B, SHA-1, the last six of the eight digits */
static const struct { int64_t at_s; unsigned code; } vectors[] = {
	{ 59, 287082 }, { 1111111109, 81804 }, { 1111111111, 50471 }, { 1234567890, 5924 }, { 2000000000, 279037 }, { 20000000000, 353130 },
};

static void rfc6238(void)
{
	const uint8_t *secret = (const uint8_t *)"12345678901234567890";
	g_autofree char *text = gw_totp_base32(secret, 20);
	g_assert_cmpstr(text, ==, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
	for (unsigned n = 0; n < G_N_ELEMENTS(vectors); n++) {
		g_autofree char *code = g_strdup_printf("%06u", vectors[n].code);
		g_assert_cmpuint(gw_totp_code(secret, 20, vectors[n].at_s / 30), ==, vectors[n].code);
		g_assert_cmpint(gw_totp_match(text, code, vectors[n].at_s * 1000, 0), ==, vectors[n].at_s / 30);
		g_assert_cmpint(gw_totp_match(text, code, vectors[n].at_s * 1000 + 30000, 0), ==, vectors[n].at_s / 30);
		g_assert_cmpint(gw_totp_match(text, code, vectors[n].at_s * 1000 + 60000, 0), ==, 0);
		g_assert_cmpint(gw_totp_match(text, code, vectors[n].at_s * 1000, vectors[n].at_s / 30), ==, 0);
	}
	static const char *const bad[] = { "", "12345", "1234567", "12345a", " 12345" };
	for (unsigned n = 0; n < G_N_ELEMENTS(bad); n++) {
		g_assert_cmpint(gw_totp_match(text, bad[n], 59000, 0), ==, 0);
	}
}

static char *code_now(const struct world *w, const char *secret)
{
	uint8_t bytes[64];
	size_t n = gw_totp_base32_read(secret, bytes, sizeof(bytes));
	return g_strdup_printf("%06u", gw_totp_code(bytes, n, w->wall_ms / 30000));
}

static enum gw_auth_error attempt(struct world *w, const char *password, const char *code)
{
	struct gw_auth_attempt in = { "ann", password, code, "s", "192.0.2.7" };
	gw_auth_attempt(w->auth, &in, w->now_us, w->wall_ms, granted, w);
	return w->err;
}

static char **enrol(struct world *w, char **ret_secret)
{
	char **recovery = NULL;
	g_assert_cmpint(put(w, "ann", "administrator", GOOD, false), ==, GW_AUTH_OK);
	*ret_secret = gw_auth_factor_begin(w->auth, "ann");
	g_autofree char *code = code_now(w, *ret_secret);
	g_assert_cmpint(attempt(w, GOOD, NULL), ==, GW_AUTH_OK);	/* it counts only when it was proved */
	g_assert_cmpint(gw_auth_factor_confirm(w->auth, "ann", "000000", "s", w->now_us, w->wall_ms, &recovery), ==, GW_AUTH_CREDENTIALS);
	g_assert_cmpint(gw_auth_factor_confirm(w->auth, "ann", code, "s", w->now_us, w->wall_ms, &recovery), ==, GW_AUTH_OK);
	g_assert_cmpuint(g_strv_length(recovery), ==, 8);
	g_assert_null(gw_auth_factor_begin(w->auth, "ann"));
	return recovery;
}

static void log_in_needs_the_code_and_no_code_twice(void)
{
	struct world w;
	g_autofree char *secret = NULL;
	init(&w);
	g_auto(GStrv) recovery = enrol(&w, &secret);
	g_assert_cmpuint(g_strv_length(recovery), ==, 8);
	g_autofree char *spent = code_now(&w, secret);
	g_assert_cmpint(attempt(&w, GOOD, NULL), ==, GW_AUTH_SECOND);
	g_assert_cmpint(attempt(&w, "wrong password 1", NULL), ==, GW_AUTH_CREDENTIALS);
	g_assert_cmpint(attempt(&w, GOOD, spent), ==, GW_AUTH_CREDENTIALS);	/* enrolment used it */
	advance(&w, 30000);
	g_autofree char *code = code_now(&w, secret);
	g_assert_cmpint(attempt(&w, GOOD, code), ==, GW_AUTH_OK);
	g_assert_cmpint(attempt(&w, GOOD, code), ==, GW_AUTH_CREDENTIALS);
	finish(&w);
}

static void guessing_codes_locks_though_the_password_is_right(void)
{
	struct world w;
	g_autofree char *secret = NULL;
	init(&w);
	g_auto(GStrv) recovery = enrol(&w, &secret);
	g_assert_cmpuint(g_strv_length(recovery), ==, 8);
	for (int n = 0; n < 5; n++) {
		g_assert_cmpint(attempt(&w, GOOD, "000000"), ==, GW_AUTH_CREDENTIALS);
		if (n < 4) {
			g_assert_cmpint(attempt(&w, GOOD, NULL), ==, GW_AUTH_SECOND);	/* does not wipe out the failures */
		}
	}
	advance(&w, 1000);
	g_autofree char *code = code_now(&w, secret);
	g_assert_cmpint(attempt(&w, GOOD, code), ==, GW_AUTH_LOCKED);
	finish(&w);
}

static void recovery_codes_open_once_and_live_on_disk_as_hashes(void)
{
	struct world w;
	g_autofree char *secret = NULL;
	init(&w);
	g_auto(GStrv) recovery = enrol(&w, &secret);
	g_assert_cmpuint(g_strv_length(recovery), ==, 8);
	json_t *record = g_hash_table_lookup(w.records, "account/ann");
	g_autofree char *text = ort_json_text(record), *typed = g_ascii_strdown(recovery[3], -1);
	g_assert_null(strstr(text, recovery[3]));
	g_assert_cmpint(attempt(&w, GOOD, typed), ==, GW_AUTH_OK);
	g_assert_cmpint(attempt(&w, GOOD, recovery[3]), ==, GW_AUTH_CREDENTIALS);
	g_autoptr(gw_auth) again = make(&w);
	g_assert_cmpint(gw_auth_load(again, "account", "ann", g_hash_table_lookup(w.records, "account/ann"), w.now_us, w.wall_ms), ==, 0);
	g_assert_true(gw_auth_has_factor(again, "ann"));
	finish(&w);
}

static void removed_by_its_code_or_by_another_administrator(void)
{
	struct world w;
	g_autofree char *secret = NULL;
	init(&w);
	g_auto(GStrv) recovery = enrol(&w, &secret);
	g_assert_cmpuint(g_strv_length(recovery), ==, 8);
	g_assert_cmpint(gw_auth_factor_remove(w.auth, "ann", "123", "s", w.now_us, w.wall_ms), ==, GW_AUTH_CREDENTIALS);
	advance(&w, 30000);
	g_autofree char *code = code_now(&w, secret);
	g_assert_cmpint(gw_auth_factor_remove(w.auth, "ann", code, "s", w.now_us, w.wall_ms), ==, GW_AUTH_OK);
	g_assert_cmpint(attempt(&w, GOOD, NULL), ==, GW_AUTH_OK);
	g_assert_cmpint(gw_auth_factor_reset(w.auth, "ann"), ==, GW_AUTH_UNKNOWN);
	finish(&w);
}

/* ---- sessions ---- */
static void note(const struct gw_auth_session *s, void *user_data)
{
	g_string_append_printf(user_data, "%s %s %d\n", s->subject, s->remote, (int)(s->seen_ms - s->created_ms) / 1000);
}

static void listed_with_address_and_last_seen(void)
{
	struct world w;
	g_autoptr(GString) text = g_string_new(NULL);
	init(&w);
	(void)put(&w, "ann", "viewer", GOOD, false);
	g_assert_cmpint(attempt(&w, GOOD, NULL), ==, GW_AUTH_OK);
	advance(&w, 60000);
	g_assert_cmpint(check(&w, w.token), ==, GW_AUTH_OK);
	advance(&w, 60000);
	gw_auth_session_foreach(w.auth, w.now_us, w.wall_ms, note, text);
	g_assert_cmpstr(text->str, ==, "account:ann 192.0.2.7 60\n");
	g_assert_true(gw_auth_logout(w.auth, w.id));
	g_assert_null(gw_auth_session_subject(w.auth, w.id));
	finish(&w);
}

static void a_new_division_ends_the_sessions(void)
{
	struct world w;
	struct gw_auth_identity who;
	init(&w);
	(void)put(&w, "ann", "viewer", GOOD, false);
	(void)attempt(&w, GOOD, NULL);
	g_assert_cmpint(gw_auth_check(w.auth, w.token, w.now_us, w.wall_ms, &who), ==, GW_AUTH_OK);
	g_assert_null(who.division);
	struct gw_auth_account_put move = { .name = "ann", .role = "viewer", .division = "east" };
	gw_auth_account_put(w.auth, &move, w.wall_ms, done, &w);
	g_assert_cmpint(gw_auth_check(w.auth, w.token, w.now_us, w.wall_ms, &who), !=, GW_AUTH_OK);
	(void)attempt(&w, GOOD, NULL);
	g_assert_cmpint(gw_auth_check(w.auth, w.token, w.now_us, w.wall_ms, &who), ==, GW_AUTH_OK);
	g_assert_cmpstr(who.division, ==, "east");
	finish(&w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/factor/rfc6238", rfc6238);
	g_test_add_func("/factor/log_in", log_in_needs_the_code_and_no_code_twice);
	g_test_add_func("/factor/guessing", guessing_codes_locks_though_the_password_is_right);
	g_test_add_func("/factor/recovery", recovery_codes_open_once_and_live_on_disk_as_hashes);
	g_test_add_func("/factor/removed", removed_by_its_code_or_by_another_administrator);
	g_test_add_func("/sessions/listed", listed_with_address_and_last_seen);
	g_test_add_func("/sessions/division", a_new_division_ends_the_sessions);
	return g_test_run();
}
