/* WebSocket messages: every refusal, late answers, sessions that go, events. */
#include "tests/unit/gateway/api/world_priv.h"

static void echo_note(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_incident_note *in = request;
	gw_api_fail(call, GW_ERROR_STATE, in->text);
}

static void give_incident(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	g_autoptr(json_t) incident = json_pack("{s:s}", "id", ((const struct gw_id_ref *)request)->id);
	gw_api_reply(call, &(struct gw_raw){ incident });
}

static void keep(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	((struct world *)user_data)->late = call;
}

#define RPC(id, method, params) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}"

static const struct refusal_row { const char *name, *token, *text, *want; bool null_id; } refusals[] = {
	{ "not-json", "dispatcher", "{\"jsonrpc\":", "parse", true },
	{ "not-utf8", "dispatcher", "\"\xff\xfe\"", "parse", true },
	{ "batch", "dispatcher", "[" RPC("1", "time.sync", "{}") "]", "bad_request", true },
	{ "no-version", "dispatcher", "{\"id\":1,\"method\":\"time.sync\"}", "bad_request", true },
	{ "id-is-object", "dispatcher", RPC("{}", "time.sync", "{}"), "bad_request", true },
	{ "params-is-text", "dispatcher", RPC("1", "time.sync", "\"x\""), "bad_request", false },
	{ "params-is-array", "dispatcher", RPC("1", "time.sync", "[1]"), "invalid", false },
	{ "unknown-method", "dispatcher", RPC("1", "no.such", "{}"), "no_method", false },
	{ "rest-only", "dispatcher", RPC("1", "auth.login", "{\"name\":\"a\",\"password\":\"b\"}"), "no_method", false },
	{ "nobody-calls", NULL, RPC("1", "incident.get", "{\"id\":\"i\"}"), "unauthenticated", false },
	{ "wrong-role", "viewer", RPC("1", "incident.note", "{\"id\":\"i\",\"text\":\"t\"}"), "forbidden", false },
	{ "field-asks-staff", "field", RPC("1", "directory.get", "{}"), "forbidden", false },
	{ "member-missing", "dispatcher", RPC("1", "incident.get", "{}"), "invalid", false },
	{ "member-of-wrong-type", "dispatcher", RPC("1", "incident.get", "{\"id\":7}"), "invalid", false },
	{ "id-with-control", "dispatcher", RPC("1", "incident.get", "{\"id\":\"a\\r\\nb\"}"), "invalid", false },
	{ "text-with-escape", "dispatcher", RPC("1", "incident.note", "{\"id\":\"i\",\"text\":\"\\u001b[31m\"}"), "invalid", false },
	{ "level-out-of-range", "dispatcher", RPC("1", "incident.open", "{\"kind\":\"k\",\"level\":9,\"place\":\"p\"}"), "invalid", false },
	{ "nobody-bound-it", "dispatcher", RPC("1", "wall.list", "{}"), "unavailable", false },
	{ "handler-refuses", "dispatcher", RPC("1", "incident.note", "{\"id\":\"i\",\"text\":\"t\"}"), "state", false },
	{ "bad-bearer", NULL, RPC("1", "auth.bearer", "{\"token\":\"wrong\"}"), "unauthenticated", false },
	{ "old-bearer", NULL, RPC("1", "auth.bearer", "{\"token\":\"old\"}"), "expired", false },
	{ "second-bearer", "viewer", RPC("1", "auth.bearer", "{\"token\":\"administrator\"}"), "state", false },
};

static void bind(struct world *w)
{
	gw_api_bind(w->api, GW_METHOD_INCIDENT_NOTE, echo_note, w);
	gw_api_bind(w->api, GW_METHOD_INCIDENT_GET, give_incident, w);
	gw_api_bind(w->api, GW_METHOD_INCIDENT_OPEN, keep, w);
	gw_api_bind(w->api, GW_METHOD_RTC_OFFER, keep, w);
	gw_api_bind(w->api, GW_METHOD_STATS_GET, keep, w);
}

static void refusal(const void *data)
{
	const struct refusal_row *row = data;
	struct world w;
	world_init(&w, NULL);
	bind(&w);
	struct gw_api_session *s = world_session(&w, row->token);
	world_say(&w, s, row->text);
	g_assert_cmpuint(w.sent->len, ==, 1);
	g_assert_cmpstr(world_error(&w), ==, row->want);
	json_t *id = json_object_get(world_last(&w), "id");
	g_assert_true(row->null_id ? json_is_null(id) : json_is_integer(id));
	int code = (int)json_integer_value(json_object_get(json_object_get(world_last(&w), "error"), "code"));
	g_assert_cmpint(code, ==, gw_errors[gw_error_by_name(row->want)].code);
	g_autofree char *counter = g_strconcat("error_", row->want, NULL);
	g_assert_cmpint(world_count(&w, counter), ==, 1);
	gw_api_session_close(s);
	world_finish(&w);
}

static void result_is_the_object_itself(void)
{
	struct world w;
	world_init(&w, NULL);
	bind(&w);
	struct gw_api_session *s = world_session(&w, "viewer");
	world_say(&w, s, RPC("\"a1\"", "incident.get", "{\"id\":\"i-7\"}"));
	json_t *result = json_object_get(world_last(&w), "result");
	g_assert_cmpstr(json_string_value(json_object_get(result, "id")), ==, "i-7");
	g_assert_cmpstr(json_string_value(json_object_get(world_last(&w), "id")), ==, "a1");
	g_assert_cmpint(world_count(&w, "replied"), ==, 1);
	gw_api_session_close(s);
	world_finish(&w);
}

static void clock_needs_no_credentials(void)
{
	struct world w;
	world_init(&w, NULL);
	ort_clock_hold(0, 1234567);
	struct gw_api_session *s = world_session(&w, NULL);
	world_say(&w, s, RPC("1", "time.sync", "{\"client_ms\":55}"));
	json_t *result = json_object_get(world_last(&w), "result");
	g_assert_cmpint(json_integer_value(json_object_get(result, "client_ms")), ==, 55);
	g_assert_cmpint(json_integer_value(json_object_get(result, "server_ms")), ==, 1234567);
	g_assert_cmpint(w.opened, ==, 0);
	ort_clock_release();
	gw_api_session_close(s);
	world_finish(&w);
}

static void bearer_opens_the_session(void)
{
	struct world w;
	world_init(&w, NULL);
	struct gw_api_session *s = world_session(&w, NULL);
	world_say(&w, s, RPC("1", "auth.bearer", "{\"token\":\"field\"}"));
	json_t *result = json_object_get(world_last(&w), "result");
	g_assert_cmpstr(json_string_value(json_object_get(result, "role")), ==, "field");
	g_assert_cmpstr(json_string_value(json_object_get(result, "party")), ==, "s-1");
	g_assert_cmpint(s->role, ==, GW_ROLE_FIELD);
	g_assert_cmpint(w.opened, ==, 1);
	gw_api_session_close(s);
	g_assert_cmpint(w.closed, ==, 1);
	world_finish(&w);
}

static void late_answer_arrives(void)
{
	struct world w;
	world_init(&w, NULL);
	bind(&w);
	struct gw_api_session *s = world_session(&w, "dispatcher");
	world_say(&w, s, RPC("5", "incident.open", "{\"kind\":\"k\",\"level\":1,\"place\":\"p\"}"));
	g_assert_cmpuint(w.sent->len, ==, 0);
	g_assert_true(gw_api_call_session(w.late) == s);
	g_autoptr(json_t) incident = json_pack("{s:i}", "x", 1);
	gw_api_reply(w.late, &(struct gw_raw){ incident });
	g_assert_cmpint(json_integer_value(json_object_get(world_last(&w), "id")), ==, 5);
	gw_api_session_close(s);
	world_finish(&w);
}

static void answer_to_gone_session_is_dropped(void)
{
	struct world w;
	world_init(&w, NULL);
	bind(&w);
	struct gw_api_session *s = world_session(&w, "dispatcher");
	world_say(&w, s, RPC("5", "incident.open", "{\"kind\":\"k\",\"level\":1,\"place\":\"p\"}"));
	gw_api_session_close(s);
	g_assert_null(gw_api_call_session(w.late));
	gw_api_fail(w.late, GW_ERROR_INTERNAL, NULL);
	g_assert_cmpuint(w.sent->len, ==, 0);
	g_assert_cmpint(world_count(&w, "dropped"), ==, 1);
	world_finish(&w);
}

static void answer_after_everything_has_gone(void)
{
	struct world w;
	world_init(&w, NULL);
	bind(&w);
	struct gw_api_session *s = world_session(&w, "dispatcher");
	world_say(&w, s, RPC("5", "incident.open", "{\"kind\":\"k\",\"level\":1,\"place\":\"p\"}"));
	gw_api_session_close(s);
	gw_api_call *late = w.late;
	world_finish(&w);
	gw_api_reply(late, NULL);
}

static void rate_per_session(void)
{
	struct world w;
	world_init(&w, NULL);
	struct gw_api_session *s = world_session(&w, "viewer");
	for (int i = 0; i < 60; i++) {
		world_say(&w, s, RPC("1", "time.sync", "{}"));
	}
	g_assert_cmpint(world_count(&w, "replied"), ==, 60);
	world_say(&w, s, RPC("61", "time.sync", "{}"));
	g_assert_cmpstr(world_error(&w), ==, "rate_limited");
	g_assert_cmpint(json_integer_value(json_object_get(world_last(&w), "id")), ==, 61);
	w.now_us += 1000000;
	world_say(&w, s, RPC("62", "time.sync", "{}"));
	g_assert_cmpint(world_count(&w, "replied"), ==, 61);
	gw_api_session_close(s);
	world_finish(&w);
}

static void flood_closes_the_socket(void)
{
	struct world w;
	world_init(&w, NULL);
	struct gw_api_session *s = world_session(&w, "viewer");
	for (int i = 0; i < 1000; i++) {
		world_say(&w, s, "{}");
	}
	g_assert_cmpint(w.closes, ==, 1);
	g_assert_cmpint(w.close_code, ==, 1008);
	g_assert_cmpuint(w.sent->len, <, 400);
	gw_api_session_close(s);
	world_finish(&w);
}

static void source_shares_its_rate(void)
{
	struct world w;
	world_init(&w, &(struct gw_api_limits){ .source_rate = 1, .source_burst = 4 });
	struct gw_api_session *a = world_session(&w, "viewer"), *b = world_session(&w, "viewer");
	for (int i = 0; i < 3; i++) {
		world_say(&w, a, RPC("1", "time.sync", "{}"));
		world_say(&w, b, RPC("1", "time.sync", "{}"));
	}
	g_assert_cmpint(world_count(&w, "replied"), ==, 4);
	g_assert_cmpint(world_count(&w, "error_rate_limited"), ==, 2);
	gw_api_session_close(a);
	gw_api_session_close(b);
	world_finish(&w);
}

static void unanswered_calls_are_bounded(void)
{
	struct world w;
	world_init(&w, &(struct gw_api_limits){ .max_pending = 2 });
	gw_api_call *kept[2];
	bind(&w);
	struct gw_api_session *s = world_session(&w, "viewer");
	for (int i = 0; i < 2; i++) {
		world_say(&w, s, RPC("1", "stats.get", "{}"));
		kept[i] = w.late;
	}
	world_say(&w, s, RPC("3", "stats.get", "{}"));
	g_assert_cmpstr(world_error(&w), ==, "rate_limited");
	gw_api_session_close(s);
	gw_api_reply(kept[0], NULL);
	gw_api_reply(kept[1], NULL);
	world_finish(&w);
}

static char *sized(const char *head, size_t len, const char *tail)
{
	GString *out = g_string_new(head);
	while (out->len + strlen(tail) < len) {
		g_string_append_c(out, 'x');
	}
	g_string_append(out, tail);
	return g_string_free(out, FALSE);
}

/* 64 KiB for all, 128 KiB for an offer, 1 MiB for the directory; nobody sends more than its role may. */
static void sizes_by_method_and_role(void)
{
	struct world w;
	world_init(&w, NULL);
	bind(&w);
	struct gw_api_session *field = world_session(&w, "field"), *admin = world_session(&w, "administrator");
	g_autofree char *offer = sized("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rtc.offer\",\"params\":{\"pc\":\"a\",\"sdp\":\"", 100000, "\"}}");
	g_autofree char *note = sized("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"incident.note\",\"params\":{\"id\":\"a\",\"text\":\"", 70000, "\"}}");
	g_assert_cmpuint(gw_api_session_max_frame(field), ==, 131072);
	g_assert_cmpuint(gw_api_session_max_frame(admin), ==, 1048576);
	world_say(&w, field, offer);
	g_assert_nonnull(w.late);
	gw_api_reply(w.late, &(struct gw_rtc_answer){ (char *)"v=0\r\n" });
	g_assert_nonnull(json_object_get(world_last(&w), "result"));
	world_say(&w, admin, note);
	g_assert_cmpstr(world_error(&w), ==, "too_large");
	g_autofree char *huge = g_strnfill(200000, ' ');
	world_say(&w, field, huge);
	g_assert_cmpstr(world_error(&w), ==, "too_large");
	gw_api_session_close(field);
	gw_api_session_close(admin);
	world_finish(&w);
}

static void dead_credential_ends_the_session(void)
{
	struct world w;
	world_init(&w, NULL);
	struct gw_api_session *s = world_session(&w, "viewer");
	w.dead = true;
	world_say(&w, s, RPC("1", "time.sync", "{}"));
	g_assert_cmpstr(json_string_value(json_object_get(world_last(&w), "method")), ==, "session.ended");
	g_assert_cmpint(w.close_code, ==, 4401);
	world_say(&w, s, RPC("2", "time.sync", "{}"));
	g_assert_cmpuint(w.sent->len, ==, 1);
	gw_api_session_close(s);
	world_finish(&w);
}

static bool is_staff(const struct gw_api_session *s, void *user_data)
{
	return s->role <= GW_ROLE_AUDITOR;
}

static void events_reach_whom_they_may(void)
{
	struct world w;
	world_init(&w, NULL);
	struct gw_api_session *nobody = world_session(&w, NULL), *field = world_session(&w, "field"),
			      *viewer = world_session(&w, "viewer");
	gw_api_broadcast(w.api, is_staff, NULL, GW_EVENT_DIRECTORY_CHANGED, NULL);
	g_assert_cmpuint(w.sent->len, ==, 1);
	gw_api_broadcast(w.api, NULL, NULL, GW_EVENT_SYSTEM_STATE, &(struct gw_ev_system){ (char *)"down", NULL });
	g_assert_cmpuint(w.sent->len, ==, 3);
	json_t *params = json_object_get(world_last(&w), "params");
	g_assert_cmpstr(json_string_value(json_object_get(params, "engine")), ==, "down");
	g_assert_null(json_object_get(world_last(&w), "id"));
	g_assert_cmpuint(gw_api_end_matching(w.api, is_staff, NULL, "revoked"), ==, 1);
	g_assert_cmpuint(gw_api_session_count(w.api), ==, 3);
	g_assert_true(gw_api_session_by_id(w.api, field->id) == field);
	w.stuffed = true;
	gw_api_notify(field, GW_EVENT_RTC_GONE, &(struct gw_ev_rtc_gone){ (char *)"pc", (char *)"engine" });
	g_assert_cmpint(world_count(&w, "unsent"), ==, 1);
	gw_api_session_close(nobody);
	gw_api_session_close(field);
	gw_api_session_close(viewer);
	world_finish(&w);
}

static void clients_notifications_are_ignored(void)
{
	struct world w;
	world_init(&w, NULL);
	struct gw_api_session *s = world_session(&w, "viewer");
	world_say(&w, s, "{\"jsonrpc\":\"2.0\",\"method\":\"time.sync\"}");
	world_say(&w, s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
	g_assert_cmpuint(w.sent->len, ==, 0);
	g_assert_cmpint(world_count(&w, "ignored"), ==, 2);
	gw_api_session_close(s);
	world_finish(&w);
}

static const struct { const char *path; void (*fn)(void); } tests[] = {
	{ "/dispatch/result_is_the_object_itself", result_is_the_object_itself },
	{ "/dispatch/clock_needs_no_credentials", clock_needs_no_credentials },
	{ "/dispatch/bearer_opens_the_session", bearer_opens_the_session },
	{ "/dispatch/late_answer_arrives", late_answer_arrives },
	{ "/dispatch/answer_to_gone_session_is_dropped", answer_to_gone_session_is_dropped },
	{ "/dispatch/answer_after_everything_has_gone", answer_after_everything_has_gone },
	{ "/dispatch/rate_per_session", rate_per_session },
	{ "/dispatch/flood_closes_the_socket", flood_closes_the_socket },
	{ "/dispatch/source_shares_its_rate", source_shares_its_rate },
	{ "/dispatch/unanswered_calls_are_bounded", unanswered_calls_are_bounded },
	{ "/dispatch/sizes_by_method_and_role", sizes_by_method_and_role },
	{ "/dispatch/dead_credential_ends_the_session", dead_credential_ends_the_session },
	{ "/dispatch/events_reach_whom_they_may", events_reach_whom_they_may },
	{ "/dispatch/clients_notifications_are_ignored", clients_notifications_are_ignored },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
		g_autofree char *path = g_strconcat("/refusal/", refusals[i].name, NULL);
		g_test_add_data_func(path, &refusals[i], refusal);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_test_add_func(tests[i].path, tests[i].fn);
	}
	return g_test_run();
}
