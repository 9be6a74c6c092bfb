/* The same methods by POST: status, error body, cookie, late answers, a client that goes away. */
#include "tests/unit/gateway/api/world_priv.h"

struct got { int n, status; json_t *body; char *cookie; int64_t retry_after_s; };

static void take(const struct gw_api_rest_reply *reply, void *user_data)
{
	struct got *got = user_data;
	got->n++;
	got->status = reply->status;
	json_decref(got->body);
	got->body = json_loads(reply->body, JSON_DECODE_ANY, NULL);
	g_assert_nonnull(got->body);
	g_free(got->cookie);
	got->cookie = g_strdup(reply->cookie);
	got->retry_after_s = reply->retry_after_s;
}

static void got_clear(struct got *got)
{
	json_decref(got->body);
	g_free(got->cookie);
	*got = (struct got){ 0 };
}

static const char *got_error(const struct got *got)
{
	return json_string_value(json_object_get(json_object_get(got->body, "error"), "code"));
}

static void login(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_auth_login *in = request;
	if (strcmp(in->password, "right") != 0) {
		gw_api_call_retry_after(call, 30);
		gw_api_fail(call, GW_ERROR_LOCKED_OUT, NULL);
		return;
	}
	gw_api_call_set_cookie(call, "secret", 1000);
	gw_api_reply(call, &(struct gw_session_info){ .subject = (char *)"account:a", .name = in->name, .role = GW_ROLE_VIEWER });
}

static void keep(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	((struct world *)user_data)->late = call;
}

static gw_api_call *post(struct world *w, struct got *got, const char *method, const char *body, const char *token)
{
	return gw_api_call_rest(w->api, method, body, strlen(body), token, "192.0.2.9", w->now_us, take, got);
}

static const struct row { const char *name, *method, *body, *token; int status; const char *error; } rows[] = {
	{ "unknown-method", "no.such", "{}", NULL, 404, "no_method" },
	{ "websocket-only", "rtc.close", "{\"pc\":\"a\"}", "viewer", 404, "no_method" },
	{ "no-credentials", "stats.get", "{}", NULL, 401, "unauthenticated" },
	{ "bad-token", "stats.get", "{}", "wrong", 401, "unauthenticated" },
	{ "old-token", "stats.get", "{}", "old", 410, "expired" },
	{ "wrong-role", "account.list", "{}", "viewer", 403, "forbidden" },
	{ "not-json", "stats.get", "{", "viewer", 400, "parse" },
	{ "array", "stats.get", "[]", "viewer", 400, "invalid" },
	{ "two-members-of-one-name", "incident.get", "{\"id\":\"a\",\"id\":\"b\"}", "viewer", 400, "parse" },
	{ "member-missing", "incident.get", "{}", "viewer", 400, "invalid" },
	{ "nobody-bound-it", "wall.list", "{}", "viewer", 503, "unavailable" },
};

static void refusal(const void *data)
{
	const struct row *row = data;
	struct got got = { 0 };
	struct world w;
	world_init(&w, NULL);
	gw_api_bind(w.api, GW_METHOD_STATS_GET, keep, &w);
	gw_api_bind(w.api, GW_METHOD_INCIDENT_GET, keep, &w);
	g_assert_null(post(&w, &got, row->method, row->body, row->token));
	g_assert_cmpint(got.n, ==, 1);
	g_assert_cmpint(got.status, ==, row->status);
	g_assert_cmpstr(got_error(&got), ==, row->error);
	json_t *error = json_object_get(got.body, "error");
	g_assert_true(json_is_string(json_object_get(error, "message")));
	g_assert_true(json_is_string(json_object_get(error, "message_zh")));
	got_clear(&got);
	world_finish(&w);
}

static void login_sets_the_cookie(void)
{
	struct got got = { 0 };
	struct world w;
	world_init(&w, NULL);
	gw_api_bind(w.api, GW_METHOD_AUTH_LOGIN, login, &w);
	g_assert_null(post(&w, &got, "auth.login", "{\"name\":\"a\",\"password\":\"right\"}", "old"));
	g_assert_cmpint(got.status, ==, 200);
	g_assert_cmpstr(got.cookie, ==, "secret");
	g_assert_cmpstr(json_string_value(json_object_get(got.body, "role")), ==, "viewer");
	g_assert_null(post(&w, &got, "auth.login", "{\"name\":\"a\",\"password\":\"x\"}", NULL));
	g_assert_cmpint(got.status, ==, 423);
	g_assert_cmpint(got.retry_after_s, ==, 30);
	g_assert_null(got.cookie);
	got_clear(&got);
	world_finish(&w);
}

static void openers_are_slow(void)
{
	struct got got = { 0 };
	struct world w;
	int passed = 0;
	world_init(&w, NULL);
	gw_api_bind(w.api, GW_METHOD_AUTH_LOGIN, login, &w);
	for (int i = 0; i < 30; i++) {
		post(&w, &got, "auth.login", "{\"name\":\"a\",\"password\":\"right\"}", NULL);
		passed += got.status == 200;
	}
	g_assert_cmpint(passed, ==, 10);
	g_assert_cmpint(got.status, ==, 429);
	g_assert_cmpint(got.retry_after_s, ==, 1);
	got_clear(&got);
	world_finish(&w);
}

static void credential_has_its_own_rate(void)
{
	struct got got = { 0 };
	struct world w;
	world_init(&w, NULL);
	for (int i = 0; i < 61; i++) {
		post(&w, &got, "time.sync", "", "viewer");
	}
	g_assert_cmpstr(got_error(&got), ==, "rate_limited");
	post(&w, &got, "time.sync", "", "auditor");
	g_assert_cmpint(got.status, ==, 200);
	got_clear(&got);
	world_finish(&w);
}

static void late_answer_arrives(void)
{
	struct got got = { 0 };
	struct world w;
	world_init(&w, NULL);
	gw_api_bind(w.api, GW_METHOD_STATS_GET, keep, &w);
	gw_api_call *call = post(&w, &got, "stats.get", "", "viewer");
	g_assert_true(call && call == w.late);
	g_assert_cmpint(got.n, ==, 0);
	g_assert_true(gw_api_call_session(call)->rest);
	gw_api_fail(call, GW_ERROR_MEDIA_UNAVAILABLE, "gone");
	g_assert_cmpint(got.status, ==, 503);
	g_assert_cmpint(w.opened, ==, 0);
	got_clear(&got);
	world_finish(&w);
}

static void client_goes_away(void)
{
	struct got got = { 0 };
	struct world w;
	world_init(&w, NULL);
	gw_api_bind(w.api, GW_METHOD_STATS_GET, keep, &w);
	gw_api_call *call = post(&w, &got, "stats.get", "", "viewer");
	gw_api_rest_cancel(call);
	g_assert_null(gw_api_call_session(call));
	gw_api_reply(call, NULL);
	g_assert_cmpint(got.n, ==, 0);
	g_assert_cmpint(world_count(&w, "dropped"), ==, 1);
	world_finish(&w);
}

static void machinery_goes_first(void)
{
	struct got got = { 0 };
	struct world w;
	world_init(&w, NULL);
	gw_api_bind(w.api, GW_METHOD_STATS_GET, keep, &w);
	gw_api_call *call = post(&w, &got, "stats.get", "", "viewer");
	world_finish(&w);
	gw_api_reply(call, NULL);
	g_assert_cmpint(got.n, ==, 0);
}

static const struct { const char *path; void (*fn)(void); } tests[] = {
	{ "/rest/login_sets_the_cookie", login_sets_the_cookie },
	{ "/rest/openers_are_slow", openers_are_slow },
	{ "/rest/credential_has_its_own_rate", credential_has_its_own_rate },
	{ "/rest/late_answer_arrives", late_answer_arrives },
	{ "/rest/client_goes_away", client_goes_away },
	{ "/rest/machinery_goes_first", machinery_goes_first },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strconcat("/refusal/", rows[i].name, NULL);
		g_test_add_data_func(path, &rows[i], refusal);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_test_add_func(tests[i].path, tests[i].fn);
	}
	return g_test_run();
}
