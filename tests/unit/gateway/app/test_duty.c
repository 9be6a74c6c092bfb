/* Duty and incident reports through the whole gateway: methods and roles, a room's token, the signed paper, a restart. */
#include "tests/unit/gateway/app/house.h"

struct answer { int status; json_t *body; bool came; };

static void on_reply(const struct gw_api_rest_reply *reply, void *user_data)
{
	struct answer *a = user_data;
	*a = (struct answer){ reply->status, json_loads(reply->body, 0, NULL), true };
}

/* (transfer full); fails the test unless the gateway answers with `status`. */
static json_t *ask_as(struct house *h, const char *token, const char *method, int status, json_t *params)
{
	struct answer a = { 0 };
	g_autofree char *text = json_dumps(params, 0);
	(void)gw_api_call_rest(h->app->api, method, text, strlen(text), token, "127.0.0.1", ort_now_us(), on_reply, &a);
	for (int n = 0; n < 50 && !a.came; n++) {
		settle();
	}
	g_assert_true(a.came);
	if (a.status != status) {
		g_error("%s: %d %s", method, a.status, json_dumps(a.body, 0));
	}
	json_decref(params);
	return a.body;
}

static json_t *ask(struct house *h, const char *role, const char *method, int status, json_t *params)
{
	int64_t expires_ms = 0;
	g_autofree char *id = NULL, *token = gw_auth_token_issue(h->app->auth, "test", role, ort_wall_ms(), &expires_ms, &id);
	return ask_as(h, token, method, status, params);
}

static void fill(struct house *h)
{
	json_decref(ask(h, "dispatcher", "directory.put", 200, json_pack("{s:s,s:{s:s,s:s,s:s}}", "kind", "site", "item", "id", "s1", "name", "A", "kind", "duty_room")));
	json_decref(ask(h, "dispatcher", "directory.put", 200, json_pack("{s:s,s:{s:s,s:s,s:s}}", "kind", "person", "item", "id", "p1", "name", "P", "phone", "1")));
	json_decref(ask(h, "dispatcher", "directory.put", 200, json_pack("{s:s,s:{s:s,s:s}}", "kind", "person", "item", "id", "p2", "name", "Q")));
}

static const char *text_of(const json_t *o, const char *list, const char *member)
{
	return json_string_value(json_object_get(json_array_get(json_object_get(o, list), 0), member));
}

static void roster_and_roles(void)
{
	static const char csv[] = "place,day,shift,people\nA,2026-12-01,day,P\n", bad[] = "place,day,shift,people\nB,2026-12-01,day,P\n";
	struct house h;
	house_init(&h);
	fill(&h);
	json_decref(ask(&h, "viewer", "duty.roster_import", 403, json_pack("{s:s}", "csv", csv)));
	g_autoptr(json_t) refused = ask(&h, "dispatcher", "duty.roster_import", 200, json_pack("{s:s}", "csv", bad));
	g_assert_cmpstr(text_of(refused, "errors", "code"), ==, "unknown_place");
	g_autoptr(json_t) taken = ask(&h, "dispatcher", "duty.roster_import", 200, json_pack("{s:s}", "csv", csv));
	g_assert_cmpint(json_integer_value(json_object_get(taken, "added")), ==, 1);
	g_autoptr(json_t) month = ask(&h, "viewer", "duty.roster", 200, json_pack("{s:s,s:s}", "month", "2026-12", "place", "s1"));
	g_assert_cmpuint(json_array_size(json_object_get(json_array_get(json_object_get(month, "places"), 0), "cells")), ==, 1);
	json_decref(ask(&h, "viewer", "duty.roster", 400, json_pack("{s:s}", "month", "2026-13")));
	json_decref(ask(&h, "viewer", "duty.now", 404, json_pack("{s:s}", "place", "nowhere")));
	json_decref(ask(&h, "auditor", "contact.verify", 403, json_pack("{s:s}", "person", "p1")));
	json_decref(ask(&h, "dispatcher", "contact.verify", 409, json_pack("{s:s}", "person", "p2")));
	house_finish(&h);
}

static void a_room_reports_for_its_place(void)
{
	struct house h;
	house_init(&h);
	fill(&h);
	struct gw_auth_grant grant = { 0 };
	g_autofree char *device = NULL, *key = gw_auth_device_issue(h.app->auth, "room", "PC", ort_wall_ms(), &device);
	g_assert_cmpint(gw_auth_device_open(h.app->auth, key, "127.0.0.1", ort_now_us(), ort_wall_ms(), &grant), ==, GW_AUTH_OK);
	g_autofree char *token = g_strdup(grant.token);
	json_decref(ask_as(&h, token, "zero.report", 409, json_pack("{s:b}", "nothing", 1)));	/* it stands nowhere yet */
	struct gw_room_facts r = { device, "PC", "s1", GW_ROOM_AUTO };
	g_assert_true(gw_room_put(h.app->domain, "u:a", &r, gw_app_now(), NULL));
	json_decref(ask_as(&h, token, "zero.report", 200, json_pack("{s:b}", "nothing", 1)));
	g_autoptr(json_t) own = ask_as(&h, token, "zero.day", 200, json_object());
	g_assert_cmpuint(json_array_size(json_object_get(own, "places")), ==, 1);
	g_assert_cmpstr(text_of(own, "places", "by"), ==, "room:PC");
	json_decref(ask_as(&h, token, "watch.list", 403, json_object()));
	house_finish(&h);
}

static void handover_and_restart(void)
{
	struct house h;
	house_init(&h);
	fill(&h);
	json_t *begin = json_pack("{s:s,s:s,s:s}", "from", "p1", "to", "p2", "notes", "n");
	g_autoptr(json_t) sheet = ask(&h, "dispatcher", "handover.begin", 200, begin);
	const char *id = json_string_value(json_object_get(json_object_get(sheet, "open"), "id"));
	gw_duty_alarm_raise(h.app->domain, &(struct gw_duty_alarm_facts){ "x", "zero_missing", NULL, NULL, "2026-12-01", 2, 1 }, gw_app_now());
	json_decref(ask(&h, "dispatcher", "handover.complete", 409, json_pack("{s:s}", "id", id)));
	gw_app_stop(h.app, false);
	start(&h);
	g_autoptr(json_t) alarms = ask(&h, "viewer", "duty.alarms", 200, json_object());
	size_t n;
	json_t *alarm;
	bool still = false;
	json_array_foreach(json_object_get(alarms, "alarms"), n, alarm) {	/* late in a month there is the roster's too */
		const char *key = json_string_value(json_object_get(alarm, "key"));
		still = still || g_str_equal(key, "x");
		json_decref(ask(&h, "dispatcher", "duty.alarm_ack", 200, json_pack("{s:s}", "key", key)));
	}
	g_assert_true(still);
	g_autoptr(json_t) done = ask(&h, "dispatcher", "handover.complete", 200, json_pack("{s:s}", "id", id));
	g_assert_cmpstr(text_of(done, "history", "to_name"), ==, "Q");
	g_autoptr(json_t) log = ask(&h, "viewer", "watch.list", 200, json_pack("{s:s}", "kind", "handover"));
	g_assert_cmpuint(json_array_size(json_object_get(log, "entries")), ==, 2);
	house_finish(&h);
}

static void reports_are_signed(void)
{
	struct house h;
	house_init(&h);
	struct gw_incident_facts i = { .kind = "fire", .place = "here", .level = 2 };
	g_autofree char *incident = g_strdup(gw_incident_open(h.app->domain, "u:a", &i, gw_app_now(), NULL));
	json_t *file = json_pack("{s:s,s:s,s:s,s:s,s:[s]}", "incident", incident, "kind", "first", "place", "there", "what", "smoke", "recipients", "City");
	json_decref(ask(&h, "viewer", "report.file", 403, json_deep_copy(file)));
	g_autoptr(json_t) sheet = ask(&h, "dispatcher", "report.file", 200, file);
	const char *id = text_of(sheet, "reports", "id");
	json_decref(ask(&h, "dispatcher", "report.file", 409, json_pack("{s:s,s:s,s:s,s:s,s:[s]}", "incident", incident, "kind", "final", "place", "there", "what", "over",
								       "recipients", "City")));
	json_decref(ask(&h, "dispatcher", "report.receipt", 200, json_pack("{s:s,s:s,s:s}", "id", id, "recipient", "City", "by", "Liu")));
	g_autoptr(json_t) paper = ask(&h, "viewer", "report.paper", 200, json_pack("{s:s}", "id", id));
	g_assert_cmpuint(strlen(json_string_value(json_object_get(json_object_get(paper, "log_head"), "hash"))), ==, 64);
	g_assert_cmpstr(text_of(paper, "recipients", "receipt_by"), ==, "Liu");
	g_autoptr(json_t) csv = ask(&h, "viewer", "report.export", 200, json_pack("{s:s}", "incident", incident));
	g_assert_nonnull(strstr(json_string_value(json_object_get(csv, "csv")), "smoke"));
	json_decref(ask(&h, "viewer", "report.sheet", 404, json_pack("{s:s}", "incident", "i99")));
	house_finish(&h);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ROW(fn) g_test_add_func("/gateway/app/duty/" #fn, fn)
	ROW(roster_and_roles);
	ROW(a_room_reports_for_its_place);
	ROW(handover_and_restart);
	ROW(reports_are_signed);
	return g_test_run();
}
