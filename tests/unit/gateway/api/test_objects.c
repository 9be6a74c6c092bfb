/* The description of result objects is true: what the domain prints has the members that objects.def names, and no others. */
#include "gateway/api/api_priv.h"
#include "tests/unit/gateway/domain/world.h"

static void agree(const struct ort_json_table *table, const json_t *json);

static void agree_field(const struct ort_json_field *f, const json_t *value)
{
	size_t n;
	json_t *item;
	if (f->type == ORT_J_ARRAY) {
		g_assert_true(json_is_array(value));
		json_array_foreach(value, n, item) {
			agree(f->sub, item);
		}
	} else if (f->type == ORT_J_OBJECT && !json_is_null(value)) {
		agree(f->sub, value);
	}
}

static void agree(const struct ort_json_table *table, const json_t *json)
{
	g_autofree char *why = gw_api_stranger(table, json);
	g_assert_true(json_is_object(json));
	g_assert_cmpstr(why, ==, NULL);
	for (size_t i = 0; i < table->n_fields; i++) {
		const json_t *value = json_object_get(json, table->fields[i].name);
		if (value == NULL && !gw_object_may_lack(&table->fields[i])) {
			g_error("%s lacks %s", table->name, table->fields[i].name);
		}
		if (value != NULL) {
			agree_field(&table->fields[i], value);
		}
	}
}

static void fill(struct world *w, char **ret_incident)
{
	struct gw_incident_facts f = { .kind = "fire", .place = "here", .level = 2, .has_position = true, .lat = 40, .lon = 110 };
	const char *link, *scene;
	int64_t expires_ms;
	int window;
	*ret_incident = g_strdup(gw_incident_open(w->d, "u:a", &f, w->now, NULL));
	g_assert_true(gw_link_issue(w->d, "u:a", *ret_incident, NULL, "Bat", w->now, &link, &scene, &expires_ms, NULL));
	g_assert_true(gw_link_open(w->d, link, false, w->now, NULL));
	gw_scene_state(w->d, scene, GW_SITE_CONNECTING, NULL, w->now);
	gw_scene_position(w->d, "field", scene, &(struct gw_position){ 40, 110, 5, w->now.wall_ms }, w->now, NULL);
	gw_incident_note(w->d, "u:a", *ret_incident, scene, "note", w->now, NULL);
	gw_wall_add(w->d, "w-1", "Wall");
	g_assert_true(gw_wall_push(w->d, "u:a", "w-1", scene, 1, w->now, &window, NULL));
}

static void put(struct world *w, const char *kind, json_t *item)
{
	g_assert_true(gw_directory_put(w->d, "u:a", kind, item, w->now, NULL));
	json_decref(item);
}

static void objects_agree(void)
{
	struct world w;
	g_autofree char *id = NULL;
	world_init(&w);
	fill(&w, &id);
	put(&w, "division", json_pack("{s:s,s:s}", "id", "d-1", "name", "D"));
	put(&w, "person", json_pack("{s:s,s:s,s:s,s:b}", "id", "p-1", "name", "P", "division", "d-1", "duty", 1));
	g_autoptr(json_t) incident = gw_incident_print(w.d, id), wall = gw_wall_print(w.d, "w-1");
	g_autoptr(json_t) certificate = gw_incident_certificate(w.d, id, w.now), directory = gw_directory_print(w.d);
	/* the application adds these */
	json_object_set_new(certificate, "log_head", json_pack("{s:i,s:s}", "seq", 1, "hash", "00"));
	json_object_set_new(certificate, "node", json_string("n"));
	json_object_set_new(certificate, "log_signature", json_null());
	agree(gw_object_by_name("incident"), incident);
	agree(gw_object_by_name("wall"), wall);
	agree(gw_object_by_name("certificate"), certificate);
	agree(gw_object_by_name("directory"), directory);
	world_finish(&w);
}

static void access_agrees(void)
{
	struct world w;
	g_autofree char *id = NULL;
	world_init(&w);
	fill(&w, &id);
	put(&w, "division", json_pack("{s:s,s:s}", "id", "d-1", "name", "D"));
	g_assert_nonnull(gw_access_share(w.d, "u:a", &(struct gw_share_facts){ "incident", id, "d-1", false }, w.now, NULL));
	g_assert_nonnull(gw_approval_ask(w.d, "u:a", &(struct gw_approval_facts){ "account:a", "log.export", "00", "{}" }, w.now, NULL));
	g_autoptr(json_t) shares = gw_access_shares(w.d), approvals = gw_approval_list(w.d);
	agree(gw_object_by_name("share"), json_array_get(shares, 0));
	agree(gw_object_by_name("approval"), json_array_get(approvals, 0));
	world_finish(&w);
}

static void rollcalls_agree(void)
{
	static const char *const sites[] = { "s1", "s2", NULL };
	struct world w;
	world_init(&w);
	put(&w, "site", json_pack("{s:s,s:s,s:s}", "id", "s1", "name", "A", "address", "sip:a@x"));
	put(&w, "site", json_pack("{s:s,s:s,s:s}", "id", "s2", "name", "B", "address", "sip:b@x"));
	struct gw_conference_facts c = { .name = "c" };
	struct gw_rollcall_facts f = { .conference = gw_conference_open(w.d, "u:a", &c, w.now, NULL), .name = "r", .sites = sites };
	const char *id = gw_rollcall_open(w.d, "u:a", &f, w.now, NULL);
	int64_t shown_us;
	g_assert_true(gw_rollcall_run(w.d, "u:a", id, true, w.now, NULL));
	gw_rollcall_measured(w.d, gw_rollcall_turn(w.d, f.conference, &shown_us), &(struct gw_rollcall_measure){ .loss = 0.1 }, w.now);
	g_assert_true(gw_rollcall_code(w.d, "u:a", id, "0815", w.now, NULL));
	struct gw_evidence still = { GW_EVIDENCE_STILL, "a.jpg", "ab", 3, 4 };
	g_assert_true(gw_rollcall_evidence(w.d, id, "s1", &still, w.now));
	g_assert_true(gw_rollcall_close(w.d, "u:a", id, w.now, NULL));
	struct gw_schedule_facts s = { .name = "s", .sites = sites, .days = 1 };
	g_autoptr(json_t) schedule = gw_schedule_print(w.d, gw_schedule_put(w.d, "u:a", &s, w.now, NULL));
	agree(gw_object_by_name("schedule"), schedule);
	g_autoptr(json_t) stats = gw_rollcall_stats(w.d, 0, 0, NULL);
	agree(gw_object_by_name("rollcall_stat"), json_array_get(stats, 0));
	g_autoptr(json_t) whole = gw_rollcall_print(w.d, id), list = gw_rollcall_list(w.d, 10);
	agree(gw_object_by_name("rollcall"), whole);
	agree(gw_object_by_name("rollcall_head"), json_array_get(list, 0));
	world_finish(&w);
}

static void rooms_agree(void)
{
	struct world w;
	world_init(&w);
	put(&w, "site", json_pack("{s:s,s:s}", "id", "s1", "name", "A"));
	struct gw_room_facts r = { "m-1", "PC", "s1", GW_ROOM_AUTO };
	g_assert_true(gw_room_put(w.d, "u:a", &r, w.now, NULL));
	struct gw_conference_facts c = { .name = "c" };
	struct gw_party_facts f = { .site = "s1" };
	g_assert_nonnull(gw_party_call(w.d, "u:a", gw_conference_open(w.d, "u:a", &c, w.now, NULL), &f, w.now, NULL));
	g_autoptr(json_t) room = gw_room_print(w.d, "m-1");
	agree(gw_object_by_name("room"), room);
	world_finish(&w);
}

/* Lists must not be empty, or nothing is compared. */
static void agree_row(const char *name, const json_t *list)
{
	g_assert_cmpuint(json_array_size(list), >, 0);
	agree(gw_object_by_name(name), json_array_get(list, 0));
}

static void fill_duty(struct world *w)
{
	static const char *const people[] = { "p1", NULL };
	struct gw_duty_cell_facts cell = { "s1", "2027-01-15", "day", "p2", people };
	struct gw_duty_rules rules;
	gw_duty_default_rules(&rules);
	rules.zone = "+08:00";
	gw_duty_set_rules(w->d, &rules);
	put(w, "site", json_pack("{s:s,s:s,s:s}", "id", "s1", "name", "A", "kind", "duty_room"));
	put(w, "person", json_pack("{s:s,s:s,s:s}", "id", "p1", "name", "P", "phone", "1"));
	put(w, "person", json_pack("{s:s,s:s}", "id", "p2", "name", "Q"));
	g_assert_true(gw_duty_put(w->d, "u:a", &cell, w->now, NULL));
	g_assert_true(gw_zero_report(w->d, "u:a", "s1", true, NULL, w->now, NULL));
	g_assert_true(gw_contact_verify(w->d, "u:a", "p1", w->now, NULL));
	g_assert_true(gw_watch_note(w->d, "u:a", "s1", "p1", "note", w->now, NULL));
	const char *id = gw_handover_begin(w->d, "u:a", NULL, "p1", "p2", "notes", w->now, NULL);
	g_assert_true(gw_handover_complete(w->d, "u:a", id, NULL, 0, w->now, NULL));
	g_assert_nonnull(gw_handover_begin(w->d, "u:a", NULL, "p2", "p1", "notes", w->now, NULL));
	struct gw_incident_facts f = { .kind = "fire", .place = "here", .level = 2 };
	g_assert_nonnull(gw_incident_open(w->d, "u:a", &f, w->now, NULL));
	gw_duty_alarm_raise(w->d, &(struct gw_duty_alarm_facts){ "zero/x", "zero_missing", NULL, NULL, "2027-01-15", 2, 1 }, w->now);
	world_until(w, 301);
}

static void duty_agrees(void)
{
	struct world w;
	world_init(&w);
	fill_duty(&w);
	g_autoptr(json_t) month = gw_duty_month(w.d, NULL, "s1", w.now);
	g_autoptr(json_t) now = gw_duty_now(w.d, NULL, w.now);
	g_autoptr(json_t) alarms = gw_duty_alarms(w.d);
	g_autoptr(json_t) sheet = gw_handover_sheet(w.d, NULL, w.now);
	g_autoptr(json_t) log = gw_watch_list(w.d, &(struct gw_watch_filter){ .limit = 100 });
	g_autoptr(json_t) day = gw_zero_day(w.d, NULL, w.now);
	g_autoptr(json_t) count = gw_zero_month(w.d, "2027-01", w.now);
	g_autoptr(json_t) contacts = gw_contact_list(w.d, w.now);
	agree(gw_object_by_name("duty_month"), month);
	agree_row("duty_cell", json_object_get(json_array_get(json_object_get(month, "places"), 0), "cells"));
	agree(gw_object_by_name("duty_now"), now);
	agree_row("duty_now_row", json_object_get(now, "places"));
	agree_row("duty_alarm", alarms);
	agree(gw_object_by_name("duty_alarm"), json_array_get(alarms, 1));
	agree(gw_object_by_name("handover_sheet"), sheet);
	agree_row("handover_alarm", json_object_get(sheet, "alarms"));
	agree_row("handover", json_object_get(sheet, "history"));
	agree_row("watch_entry", log);
	agree(gw_object_by_name("zero_day"), day);
	agree_row("zero_count", json_object_get(count, "places"));
	agree(gw_object_by_name("contact_list"), contacts);
	world_finish(&w);
}

static void reports_agree(void)
{
	static const char *const to[] = { "A", NULL };
	struct world w;
	world_init(&w);
	struct gw_incident_facts i = { .kind = "fire", .place = "here", .level = 2 };
	const char *id = gw_incident_open(w.d, "u:a", &i, w.now, NULL);
	struct gw_report_facts f = { .incident = id, .place = "p", .what = "w", .recipients = to };
	const char *report = gw_report_file(w.d, "u:a", &f, w.now, NULL);
	g_autoptr(json_t) sheet = gw_report_sheet(w.d, id, w.now);
	g_autoptr(json_t) paper = gw_report_paper(w.d, report);
	/* the application adds these */
	json_object_set_new(paper, "issued_ms", json_integer(1));
	json_object_set_new(paper, "log_head", json_pack("{s:i,s:s}", "seq", 1, "hash", "00"));
	json_object_set_new(paper, "node", json_string("n"));
	json_object_set_new(paper, "log_signature", json_null());
	agree(gw_object_by_name("report_sheet"), sheet);
	agree_row("report_deadline", json_object_get(sheet, "deadlines"));
	agree_row("report", json_object_get(sheet, "reports"));
	agree(gw_object_by_name("report_paper"), paper);
	world_finish(&w);
}

static void callacks_agree(void)
{
	struct world w;
	world_init(&w);
	struct gw_conference_facts c = { .name = "c" };
	g_autoptr(json_t) rows = json_pack("[{s:s,s:[{s:s,s:s}]}]", "name", "A", "ways", "channel", "page", "to", "console");
	const char *id = gw_callack_open(w.d, "u:a", gw_conference_open(w.d, "u:a", &c, w.now, NULL), "t", rows, w.now, NULL);
	g_assert_true(gw_callack_ack(w.d, "u:a", id, 0, 0, w.now, NULL));
	g_autoptr(json_t) one = gw_callack_print(w.d, id);
	agree(gw_object_by_name("callack"), one);
	world_finish(&w);
}

static void readiness_agrees(void)
{
	struct world w;
	world_init(&w);
	put(&w, "site", json_pack("{s:s,s:s}", "id", "s1", "name", "A"));
	g_assert_nonnull(gw_ready_open(w.d, "u:a", &(struct gw_ready_site){ "s1", true, false }, 1, w.now, NULL));
	g_autoptr(json_t) run = gw_ready_print(w.d, NULL), list = gw_ready_list(w.d, 10);
	agree(gw_object_by_name("ready"), run);
	agree(gw_object_by_name("ready_head"), json_array_get(list, 0));
	world_finish(&w);
}

static void strangers_are_named(void)
{
	static const struct { const char *method, *params, *why; } rows[] = {
		{ "link.issue", "{\"incident\":\"i\",\"gust_name\":\"x\"}",
		  "gust_name: there is no such member; known: incident, person, guest_name, channel, phone" },
		{ "auth.whoami", "{\"x\":1}", "x: there is no such member; known: none" },
		{ "rtc.offer", "{\"pc\":\"a\",\"sdp\":\"v\",\"view\":[{\"mid\":\"0\",\"widht\":3}]}",
		  "view[].widht: there is no such member; known: mid, stream, width, height" },
		{ "directory.put", "{\"kind\":\"person\",\"item\":{\"id\":\"a\",\"name\":\"b\"}}", NULL },
		{ "incident.note", "{\"id\":\"i\",\"text\":\"t\",\"\\u0007\\u4f60\":1}",
		  "\\007\\344\\275\\240: there is no such member; known: id, text" },
	};
	for (size_t n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_autoptr(json_t) params = json_loads(rows[n].params, 0, NULL);
		g_autofree char *why = gw_api_stranger(gw_methods[gw_method_by_name(rows[n].method)].request, params);
		g_assert_cmpstr(why, ==, rows[n].why);
	}
}

static void openapi_knows_them(void)
{
	g_autoptr(json_t) all = gw_api_openapi(NULL);
	const json_t *schemas = json_object_get(json_object_get(all, "components"), "schemas");
	static const char *const names[] = { "incident", "certificate", "wall", "stats", "config", "directory", "hook_alarm" };
	for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
		const json_t *members = json_object_get(json_object_get(schemas, names[n]), "properties");
		g_assert_cmpuint(json_object_size(members), >, 2);
		g_assert_null(json_object_get(members, "value"));
	}
	const json_t *list = json_object_get(json_object_get(schemas, "incident_list_reply"), "properties");
	g_assert_cmpstr(json_string_value(json_object_get(json_object_get(json_object_get(list, "incidents"), "items"), "$ref")), ==,
			"#/components/schemas/incident");
	g_assert_cmpuint(json_object_size(json_object_get(all, "webhooks")), ==, 5);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/api/objects/agree", objects_agree);
	g_test_add_func("/api/objects/rollcalls", rollcalls_agree);
	g_test_add_func("/api/objects/accesss", access_agrees);
	g_test_add_func("/api/objects/rooms", rooms_agree);
	g_test_add_func("/api/objects/duty", duty_agrees);
	g_test_add_func("/api/objects/reports", reports_agree);
	g_test_add_func("/api/objects/callacks", callacks_agree);
	g_test_add_func("/api/objects/readiness", readiness_agrees);
	g_test_add_func("/api/objects/strangers", strangers_are_named);
	g_test_add_func("/api/objects/openapi", openapi_knows_them);
	return g_test_run();
}
