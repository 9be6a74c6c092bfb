/* Duty in virtual time: roster by hand and CSV, who is on watch, reminders on the 25th, hand-over against standing alarms, watch
 * log, daily reports, the half-year rule, and all of it again after a restart. The zone is +08:00; the world starts 2027-01-15 16:00. */
#include <string.h>

#include "tests/unit/gateway/domain/world.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

static void put(struct world *w, const char *kind, json_t *item)
{
	GError *err = NULL;
	g_assert_true(gw_directory_put(w->d, "u:a", kind, item, w->now, &err));
	g_assert_no_error(err);
	json_decref(item);
}

static void rules(gw_domain *d)
{
	struct gw_duty_rules r;
	gw_duty_default_rules(&r);
	r.zone = "+08:00";
	gw_duty_set_rules(d, &r);
}

static void init(struct world *w)
{
	world_init(w);
	rules(w->d);
	put(w, "division", json_pack("{s:s,s:s}", "id", "d1", "name", "昆都仑区"));
	put(w, "division", json_pack("{s:s,s:s}", "id", "d2", "name", "九原区"));
	put(w, "site", json_pack("{s:s,s:s,s:s,s:s}", "id", "s1", "name", "昆区值班室", "division", "d1", "kind", "duty_room"));
	put(w, "site", json_pack("{s:s,s:s,s:s,s:s}", "id", "s2", "name", "九原值班室", "division", "d2", "kind", "duty_room"));
	put(w, "site", json_pack("{s:s,s:s,s:s,s:s}", "id", "s3", "name", "会议室", "division", "d1", "kind", "meeting_room"));
	put(w, "person", json_pack("{s:s,s:s,s:s,s:s}", "id", "p1", "name", "张三", "division", "d1", "phone", "13800000001"));
	put(w, "person", json_pack("{s:s,s:s,s:s}", "id", "p2", "name", "李四", "division", "d1"));
	put(w, "person", json_pack("{s:s,s:s,s:s}", "id", "p3", "name", "王五", "division", "d2"));
	put(w, "person", json_pack("{s:s,s:s,s:s}", "id", "p4", "name", "王五", "division", "d1"));
}

static void fill(struct world *w, const char *place, const char *day, const char *shift, const char *person)
{
	const char *people[] = { person, NULL };
	GError *err = NULL;
	struct gw_duty_cell_facts f = { place, day, shift, NULL, people };
	(void)gw_duty_put(w->d, "u:a", &f, w->now, &err);
	g_assert_no_error(err);
}

static json_t *row_of(json_t *o, const char *place)
{
	json_t *row;
	size_t n;
	json_array_foreach(json_object_get(o, "places"), n, row) {
		if (g_strcmp0(json_string_value(json_object_get(row, "place")), place) == 0) {
			return row;
		}
	}
	return NULL;
}

static char *on_watch(struct world *w, const char *place)
{
	g_autoptr(json_t) o = gw_duty_now(w->d, place, w->now);
	const json_t *people = json_object_get(row_of(o, place), "people");
	return g_strdup(json_string_value(json_object_get(json_array_get(people, 0), "name")));
}

static void assert_watch(struct world *w, const char *place, const char *name)
{
	g_autofree char *is = on_watch(w, place);
	g_assert_cmpstr(is, ==, name);
}

/* "key:n key:n " of what stands */
static char *standing(struct world *w)
{
	g_autoptr(json_t) all = gw_duty_alarms(w->d);
	GString *out = g_string_new(NULL);
	json_t *a;
	size_t n;
	json_array_foreach(all, n, a) {
		g_string_append_printf(out, "%s:%d ", json_string_value(json_object_get(a, "key")), (int)json_integer_value(json_object_get(a, "n")));
	}
	return g_string_free(out, FALSE);
}

static void assert_standing(struct world *w, const char *wanted)
{
	g_autofree char *is = standing(w);
	g_assert_cmpstr(is, ==, wanted);
}

static bool stands(struct world *w, const char *text)
{
	g_autofree char *is = standing(w);
	return strstr(is, text) != NULL;
}

/* ---- roster ---- */
static void who_is_on_watch(void)
{
	struct world w;
	init(&w);
	fill(&w, "s1", "2027-01-15", "day", "p1");
	fill(&w, "s1", "2027-01-15", "night", "p2");
	fill(&w, "d2", "2027-01-15", "day", "p3");
	assert_watch(&w, "s1", "张三");
	assert_watch(&w, "s2", "王五");	/* its division's */
	assert_watch(&w, "s3", NULL);
	world_until(&w, 4 * HOUR);	/* 20:00 */
	assert_watch(&w, "s1", "李四");
	assert_watch(&w, "s2", NULL);
	world_until(&w, 15 * HOUR);	/* 07:00: still the night of the 15th */
	assert_watch(&w, "s1", "李四");
	world_until(&w, 16 * HOUR);
	assert_watch(&w, "s1", NULL);
	g_autofree char *then = gw_duty_names(w.d, "s1", w.now.wall_ms - 16 * HOUR * 1000);
	g_assert_cmpstr(then, ==, "张三");
	g_assert_null(gw_duty_now(w.d, "nowhere", w.now));
	world_finish(&w);
}

static const struct import_row { const char *name, *csv, *code; int line, added; } import_rows[] = {
	{ "good", "单位,日期,班次,值班人员,带班领导\r\n昆区值班室,2027-02-01,白班,张三、李四,王五\r\ns1,2027/2/1,night,p2,\r\n", NULL, 0, 2 },
	{ "english", "place,day,shift,people,leader\ns1,2027-02-01,day,p1;p2,p3\n", NULL, 0, 1 },
	{ "bom", "\xEF\xBB\xBFplace,date,shift,people\ns1,2027-02-01,day,p1\n", NULL, 0, 1 },
	{ "place", "place,day,shift,people\ns1,2027-02-01,day,p1\n没有的,2027-02-02,day,p1\n", "unknown_place", 3, 1 },
	{ "person", "place,day,shift,people\ns1,2027-02-01,day,赵六\n", "unknown_person", 2, 0 },
	{ "two-people-of-a-name", "place,day,shift,people\n昆区值班室,2027-02-01,day,王五\n", NULL, 0, 1 },
	{ "ambiguous", "place,day,shift,people\ns1,2027-02-01,day,p1\nd9,2027-02-01,day,王五\n", "unknown_place", 3, 1 },
	{ "day", "place,day,shift,people\ns1,2027-02-30,day,p1\n", "bad_day", 2, 0 },
	{ "shift", "place,day,shift,people\ns1,2027-02-01,中班,p1\n", "unknown_shift", 2, 0 },
	{ "twice", "place,day,shift,people\ns1,2027-02-01,day,p1\ns1,2027-02-01,白班,p2\n", "twice", 3, 1 },
	{ "nobody", "place,day,shift,people,leader\ns1,2027-02-01,day,,\n", "nobody", 2, 0 },
	{ "header", "单位,日期\ns1,2027-02-01\n", "no_header", 1, 0 },
	{ "quote", "place,day,shift,people\n\"s1,2027-02-01,day,p1\n", "quote", 2, 0 },
};

static void is_imported(gconstpointer data)
{
	const struct import_row *row = data;
	struct world w;
	init(&w);
	g_autoptr(json_t) dry = gw_duty_import(w.d, "u:a", NULL, row->csv, true, w.now);
	unsigned before = w.records->len;
	g_autoptr(json_t) o = gw_duty_import(w.d, "u:a", NULL, row->csv, false, w.now);
	g_assert_true(json_equal(dry, o));
	const json_t *first = json_array_get(json_object_get(o, "errors"), 0);
	g_assert_cmpstr(json_string_value(json_object_get(first, "code")), ==, row->code);
	g_assert_cmpint(json_integer_value(json_object_get(first, "line")), ==, row->line);
	g_assert_cmpint(json_integer_value(json_object_get(o, "added")), ==, row->added);
	g_assert_cmpint(w.records->len > before, ==, row->code == NULL);
	if (row->code == NULL) {
		g_autofree char *csv = gw_duty_export(w.d, "2027-02");
		g_autoptr(json_t) again = gw_duty_import(w.d, "u:a", NULL, csv, true, w.now);
		g_assert_cmpuint(json_array_size(json_object_get(again, "errors")), ==, 0);
		g_assert_cmpint(json_integer_value(json_object_get(again, "added")) + json_integer_value(json_object_get(again, "changed")), ==, 0);
	}
	world_finish(&w);
}

static void fill_february(struct world *w, const char *place, const char *person)
{
	for (int day = 1; day <= 28; day++) {
		g_autofree char *text = g_strdup_printf("2027-02-%02d", day);
		fill(w, place, text, "day", person);
		fill(w, place, text, "night", person);
	}
}

static const char *state(struct world *w, const char *place)
{
	static char copy[16];
	g_autoptr(json_t) o = gw_duty_month(w->d, "2027-02", place, w->now);
	g_strlcpy(copy, json_string_value(json_object_get(row_of(o, place), "state")), sizeof(copy));
	return copy;
}

static void is_due_on_the_25th(void)
{
	struct world w;
	init(&w);
	g_assert_cmpstr(state(&w, "s1"), ==, "open");
	world_until(&w, 5 * DAY - 17 * HOUR);	/* the 19th, 23:00 */
	g_assert_false(stands(&w, "roster/"));
	world_until(&w, 5 * DAY - 15 * HOUR);	/* the 20th, 01:00 */
	g_autofree char *due = standing(&w);
	g_assert_nonnull(strstr(due, "roster/2027-02/d1/due:1 "));
	g_assert_nonnull(strstr(due, "roster/2027-02/d2/due:1 "));
	g_assert_cmpstr(state(&w, "s1"), ==, "due");
	fill_february(&w, "s1", "p1");
	g_assert_cmpstr(state(&w, "s1"), ==, "complete");
	g_assert_false(stands(&w, "roster/2027-02/d1"));
	world_until(&w, 11 * DAY);	/* the 26th, 16:00 */
	g_autofree char *late = standing(&w);
	g_assert_nonnull(strstr(late, "roster/2027-02/d2/overdue:1 "));
	g_assert_null(strstr(late, "/due:"));
	g_assert_cmpstr(state(&w, "s2"), ==, "overdue");
	fill_february(&w, "d2", "p3");	/* the division's covers it */
	g_assert_cmpstr(state(&w, "s2"), ==, "complete");
	g_assert_false(stands(&w, "roster/"));
	world_finish(&w);
}

/* ---- hand-over ---- */
static const char *an_incident(struct world *w)
{
	struct gw_incident_facts f = { .kind = "火灾", .place = "友谊大街", .level = 3 };
	return gw_incident_open(w->d, "u:a", &f, w->now, NULL);
}

static void not_while_alarms_stand(void)
{
	struct world w;
	GError *err = NULL;
	init(&w);
	const char *incident = an_incident(&w);
	g_assert_null(gw_handover_begin(w.d, "u:a", NULL, "p1", "p1", NULL, w.now, NULL));
	const char *id = gw_handover_begin(w.d, "u:a", NULL, "p1", "p2", "友谊大街火灾未结束", w.now, &err);
	g_assert_no_error(err);
	g_assert_null(gw_handover_begin(w.d, "u:a", NULL, "p2", "p1", NULL, w.now, NULL));
	world_until(&w, 301);	/* the first mark of the ladder, class 1 */
	assert_standing(&w, "step/i1/1:1 ");
	g_assert_false(gw_handover_complete(w.d, "u:a", id, NULL, 0, w.now, &err));
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE);
	g_clear_error(&err);
	struct gw_duty_carry carry = { "step/i1/1", "等待现场" };
	world_until(&w, 599);
	g_assert_false(gw_handover_complete(w.d, "u:a", id, &carry, 1, w.now, NULL));	/* class 1 never goes over */
	g_assert_true(gw_escalation_ack(w.d, "u:a", incident, 1, w.now, NULL));
	g_assert_true(gw_handover_complete(w.d, "u:b", id, NULL, 0, w.now, &err));
	g_assert_false(gw_handover_complete(w.d, "u:b", id, NULL, 0, w.now, NULL));
	const struct kept *last = w.records->pdata[w.records->len - 1];
	g_assert_cmpstr(last->type, ==, "duty.taken");
	g_assert_cmpstr(json_string_value(json_object_get(last->body, "from_name")), ==, "张三");
	g_assert_cmpstr(json_string_value(json_object_get(last->body, "to_name")), ==, "李四");
	world_finish(&w);
}

static void long_standing_ones_go_over_with_a_reason(void)
{
	struct world w;
	GError *err = NULL;
	init(&w);
	world_until(&w, HOUR + 60);	/* 17:01: both duty rooms owe nothing today, they are new */
	assert_standing(&w, "");
	world_until(&w, DAY + HOUR + 60);
	assert_standing(&w, "zero/2027-01-16/d1:1 zero/2027-01-16/d2:1 ");
	const char *id = gw_handover_begin(w.d, "u:a", "s1", "p1", "p2", NULL, w.now, &err);
	struct gw_duty_carry carry = { "zero/2027-01-16/d1", "线路中断，已电话核实" };
	g_assert_false(gw_handover_complete(w.d, "u:a", id, &carry, 1, w.now, NULL));	/* it stands for a minute only */
	world_until(&w, DAY + 2 * HOUR);
	g_assert_false(gw_handover_complete(w.d, "u:a", id, NULL, 0, w.now, NULL));
	g_assert_true(gw_handover_complete(w.d, "u:a", id, &carry, 1, w.now, &err));	/* d2's does not concern s1 */
	g_assert_no_error(err);
	g_autoptr(json_t) sheet = gw_handover_sheet(w.d, "s1", w.now);
	const json_t *done = json_array_get(json_object_get(sheet, "history"), 0);
	g_assert_cmpuint(json_array_size(json_object_get(done, "carried")), ==, 1);
	g_assert_cmpuint(json_array_size(json_object_get(sheet, "alarms")), ==, 1);	/* it stands on, for the next watch */
	g_assert_true(gw_duty_alarm_ack(w.d, "u:b", "zero/2027-01-16/d1", w.now, NULL));
	g_assert_false(gw_duty_alarm_ack(w.d, "u:b", "zero/2027-01-16/d1", w.now, NULL));
	world_finish(&w);
}

/* ---- watch log ---- */
static unsigned entries(struct world *w, const char *kind, const char *person, int64_t from_ms)
{
	struct gw_watch_filter f = { .kind = kind, .person = person, .from_ms = from_ms, .limit = 100 };
	g_autoptr(json_t) list = gw_watch_list(w->d, &f);
	return (unsigned)json_array_size(list);
}

static void log_writes_itself(void)
{
	struct world w;
	init(&w);
	const char *incident = an_incident(&w);
	g_assert_true(gw_watch_note(w.d, "u:a", "s1", "p1", "接市局电话", w.now, NULL));
	g_assert_false(gw_watch_note(w.d, "u:a", NULL, NULL, "", w.now, NULL));
	world_until(&w, 301);
	g_assert_true(gw_escalation_ack(w.d, "u:b", incident, 1, w.now, NULL));
	g_assert_true(gw_incident_close(w.d, "u:a", incident, "误报", w.now, NULL));
	g_assert_cmpuint(entries(&w, NULL, NULL, 0), ==, 5);
	g_assert_cmpuint(entries(&w, "incident", NULL, 0), ==, 2);
	g_assert_cmpuint(entries(&w, "alarm", NULL, 0), ==, 2);
	g_assert_cmpuint(entries(&w, NULL, "b", 0), ==, 1);
	g_assert_cmpuint(entries(&w, NULL, "p1", 0), ==, 1);
	g_assert_cmpuint(entries(&w, NULL, NULL, w.now.wall_ms), ==, 2);
	world_finish(&w);
}

/* ---- daily reports ---- */
static const char *zero_state(struct world *w, const char *day, const char *place)
{
	static char copy[16];
	g_autoptr(json_t) o = gw_zero_day(w->d, day, w->now);
	g_strlcpy(copy, json_string_value(json_object_get(row_of(o, place), "state")), sizeof(copy));
	return copy;
}

static void zero_reports_are_counted(void)
{
	struct world w;
	init(&w);
	g_assert_cmpstr(zero_state(&w, NULL, "s1"), ==, "free");	/* it came today */
	world_until(&w, DAY);	/* the 16th, 16:00 */
	g_assert_true(gw_zero_report(w.d, "u:a", "s1", true, NULL, w.now, NULL));
	g_assert_false(gw_zero_report(w.d, "u:a", "s2", false, "", w.now, NULL));	/* something, but what */
	g_assert_false(gw_zero_report(w.d, "u:a", "nowhere", true, NULL, w.now, NULL));
	world_until(&w, DAY + HOUR + 1);
	assert_standing(&w, "zero/2027-01-16/d2:1 ");
	g_assert_cmpstr(zero_state(&w, NULL, "s2"), ==, "missing");
	g_assert_true(gw_zero_report(w.d, "room:x", "s2", false, "道路塌方一处", w.now, NULL));
	assert_standing(&w, "");
	g_assert_cmpstr(zero_state(&w, NULL, "s2"), ==, "late");
	world_until(&w, 3 * DAY);
	g_autoptr(json_t) month = gw_zero_month(w.d, "2027-01", w.now);
	const json_t *s1 = row_of(month, "s1"), *s2 = row_of(month, "s2");
	g_assert_cmpint(json_integer_value(json_object_get(s1, "on_time")), ==, 1);
	g_assert_cmpint(json_integer_value(json_object_get(s1, "missing")), ==, 1);	/* the 17th */
	g_assert_cmpint(json_integer_value(json_object_get(s2, "late")), ==, 1);
	g_autofree char *csv = gw_zero_csv(w.d, "2027-01", w.now);
	g_assert_nonnull(strstr(csv, "s2,九原值班室,2027-01,0,1,1\r\n"));
	world_finish(&w);
}

/* ---- contacts ---- */
static const char *contact_state(struct world *w, const char *person)
{
	static char copy[16];
	g_autoptr(json_t) o = gw_contact_list(w->d, w->now);
	json_t *row;
	size_t n;
	copy[0] = '\0';
	json_array_foreach(json_object_get(o, "people"), n, row) {
		if (g_str_equal(json_string_value(json_object_get(row, "person")), person)) {
			g_strlcpy(copy, json_string_value(json_object_get(row, "state")), sizeof(copy));
		}
	}
	return copy;
}

static void half_a_year(void)
{
	struct world w;
	init(&w);
	g_assert_cmpstr(contact_state(&w, "p1"), ==, "never");
	g_assert_cmpstr(contact_state(&w, "p2"), ==, "no_number");
	g_assert_true(gw_contact_verify(w.d, "u:a", "p1", w.now, NULL));
	g_assert_false(gw_contact_verify(w.d, "u:a", "p2", w.now, NULL));
	g_assert_cmpstr(contact_state(&w, "p1"), ==, "good");
	w.now.wall_ms += 180 * DAY * 1000;
	g_assert_cmpstr(contact_state(&w, "p1"), ==, "good");
	w.now.wall_ms += 1;
	g_assert_cmpstr(contact_state(&w, "p1"), ==, "stale");
	g_assert_true(gw_contact_verify(w.d, "u:a", "p1", w.now, NULL));
	put(&w, "person", json_pack("{s:s,s:s,s:s,s:s}", "id", "p1", "name", "张三", "division", "d1", "phone", "13900000001"));
	g_assert_cmpstr(contact_state(&w, "p1"), ==, "changed");
	g_autofree char *csv = gw_contact_csv(w.d, w.now);
	g_assert_nonnull(strstr(csv, ",号码已变更\r\n"));
	world_finish(&w);
}

/* ---- restart ---- */
static void survives_a_restart(void)
{
	static const struct gw_domain_ops ops = { world_act };
	struct world w;
	init(&w);
	fill(&w, "s1", "2027-01-17", "day", "p1");
	const char *id = gw_handover_begin(w.d, "u:a", NULL, "p1", "p2", "注意", w.now, NULL);
	g_assert_true(gw_watch_note(w.d, "u:a", NULL, NULL, "交接", w.now, NULL));
	g_assert_true(gw_contact_verify(w.d, "u:a", "p1", w.now, NULL));
	world_until(&w, DAY + 2 * HOUR);
	g_autofree char *before = standing(&w);
	g_autoptr(json_t) log = gw_watch_list(w.d, &(struct gw_watch_filter){ .limit = 100 });
	g_autoptr(json_t) sheet = gw_handover_sheet(w.d, NULL, w.now);
	unsigned records = w.records->len;
	gw_domain *d = gw_domain_new(&ops, "boot-b", &w);
	rules(d);
	world_replay_into(&w, d, w.now);
	gw_domain_free(w.d);
	w.d = d;
	gw_domain_replay_done(d, w.now);
	g_assert_cmpuint(w.records->len, ==, records);	/* no alarm is raised again */
	g_autofree char *after = standing(&w);
	g_assert_cmpstr(after, ==, before);
	g_autoptr(json_t) log_again = gw_watch_list(w.d, &(struct gw_watch_filter){ .limit = 100 });
	g_autoptr(json_t) sheet_again = gw_handover_sheet(w.d, NULL, w.now);
	g_assert_true(json_equal(log, log_again));
	g_assert_true(json_equal(sheet, sheet_again));
	g_assert_cmpstr(contact_state(&w, "p1"), ==, "good");
	g_assert_nonnull(id);
	world_until(&w, 2 * DAY - HOUR);	/* 2027-01-17 15:00 */
	assert_watch(&w, "s1", "张三");
	world_finish(&w);
}

static void shifts_are_read(void)
{
	static const struct { const char *text; bool ok; int from, to; } rows[] = {
		{ "day 08:00 20:00", true, 480, 1200 }, { "夜班 20:30 08:00", true, 1230, 480 }, { "x 24:00 08:00", true, 0, 480 },
		{ "day 8:00 20:00", false, 0, 0 },	{ "day 08:00", false, 0, 0 },		   { "a/b 08:00 20:00", false, 0, 0 },
		{ "day 08:60 20:00", false, 0, 0 },	{ "", false, 0, 0 },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		struct gw_duty_shift s = { "", 0, 0 };
		g_assert_cmpint(gw_duty_read_shift(rows[n].text, &s), ==, rows[n].ok);
		g_assert_cmpint(s.from_min, ==, rows[n].from);
		g_assert_cmpint(s.to_min, ==, rows[n].to);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ROW(fn) g_test_add_func("/domain/duty/" #fn, fn)
	ROW(who_is_on_watch);
	ROW(is_due_on_the_25th);
	ROW(not_while_alarms_stand);
	ROW(long_standing_ones_go_over_with_a_reason);
	ROW(log_writes_itself);
	ROW(zero_reports_are_counted);
	ROW(half_a_year);
	ROW(survives_a_restart);
	ROW(shifts_are_read);
	for (unsigned n = 0; n < G_N_ELEMENTS(import_rows); n++) {
		g_autofree char *path = g_strconcat("/domain/duty/import/", import_rows[n].name, NULL);
		g_test_add_data_func(path, &import_rows[n], is_imported);
	}
	return g_test_run();
}
