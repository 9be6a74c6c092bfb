/* Saved lists and set hours of roll calls, and the papers that many roll calls make: comparison, search, figures of a month. */
#include <string.h>

#include "tests/unit/gateway/domain/world.h"

#define SITES 3
#define HOUR_S 3600
#define DAY_S (24 * HOUR_S)

static void begin(struct world *w)
{
	world_init(w);
	for (int n = 1; n <= SITES; n++) {
		g_autofree char *id = g_strdup_printf("s%d", n), *name = g_strdup_printf("值班室%d", n);
		g_autofree char *address = g_strdup_printf("sip:s%d@example", n);
		g_autoptr(json_t) item = json_pack("{s:s,s:s,s:s}", "id", id, "name", name, "address", address);
		g_assert_true(gw_directory_put(w->d, "u:admin", "site", item, w->now, NULL));
	}
}

static const char *const all[] = { "s1", "s2", "s3", NULL };

/* ---- set hours ---- */
static int minute_of(int64_t wall_ms)
{
	g_autoptr(GDateTime) at = g_date_time_new_from_unix_local(wall_ms / 1000);
	return g_date_time_get_hour(at) * 60 + g_date_time_get_minute(at);
}

static const char *put(struct world *w, int minutes_ahead, int days)
{
	GError *err = NULL;
	int minute = (minute_of(w->now.wall_ms) + minutes_ahead) % 1440;
	struct gw_schedule_facts f = { .name = "每日点名", .sites = all, .ahead = -1, .minute = minute, .days = days, .dwell_ms = 5000, .hang_up = true };
	const char *id = gw_schedule_put(w->d, "u:duty", &f, w->now, &err);
	g_assert_no_error(err);
	return id;
}

static int64_t number(const struct world *w, const char *id, const char *member)
{
	g_autoptr(json_t) o = gw_schedule_print(w->d, id);
	return json_integer_value(json_object_get(o, member));
}

static unsigned opened(const struct world *w)
{
	g_autoptr(json_t) list = gw_rollcall_list(w->d, 100);
	return (unsigned)json_array_size(list);
}

static const struct kept *last_record(const struct world *w, const char *type)
{
	for (unsigned n = w->records->len; n > 0; n--) {
		const struct kept *k = w->records->pdata[n - 1];
		if (g_str_equal(k->type, type)) {
			return k;
		}
	}
	return NULL;
}

static void runs_at_its_hour(void)
{
	struct world w;
	begin(&w);
	const char *id = put(&w, 90, 127);
	int64_t due_ms = number(&w, id, "next_ms");
	g_assert_cmpint(due_ms, >, w.now.wall_ms + 88 * 60000);
	g_assert_cmpint(due_ms, <=, w.now.wall_ms + 90 * 60000);
	world_until(&w, 88 * 60);
	g_assert_cmpuint(opened(&w), ==, 0);
	world_until(&w, 91 * 60);
	g_assert_cmpuint(opened(&w), ==, 1);
	const struct kept *ran = last_record(&w, "rollcall.schedule_ran");
	g_assert_cmpint(ran->at_ms - due_ms, <, 1000);
	g_assert_cmpint(ran->at_ms - due_ms, >=, 0);
	g_assert_cmpint(number(&w, id, "next_ms"), ==, due_ms + DAY_S * 1000);
	world_until(&w, 100 * 60);	/* nobody came: it has ended, and its conference with it */
	g_assert_nonnull(last_record(&w, "rollcall.close"));
	g_autoptr(json_t) open = gw_conference_list(w.d, true, 10);
	g_assert_cmpuint(json_array_size(open), ==, 0);
	world_until(&w, DAY_S + 100 * 60);
	g_assert_cmpuint(opened(&w), ==, 2);
	world_finish(&w);
}

static void keeps_weekdays(void)
{
	struct world w;
	begin(&w);
	g_autoptr(GDateTime) now = g_date_time_new_from_unix_local(w.now.wall_ms / 1000);
	int today = g_date_time_get_day_of_week(now) - 1;
	const char *id = put(&w, 60, 1 << ((today + 2) % 7));
	world_until(&w, DAY_S + 2 * HOUR_S);
	g_assert_cmpuint(opened(&w), ==, 0);
	world_until(&w, 2 * DAY_S + 2 * HOUR_S);
	g_assert_cmpuint(opened(&w), ==, 1);
	world_until(&w, 9 * DAY_S - HOUR_S);
	g_assert_cmpuint(opened(&w), ==, 1);
	world_until(&w, 9 * DAY_S + 2 * HOUR_S);
	g_assert_cmpuint(opened(&w), ==, 2);
	g_assert_true(gw_schedule_remove(w.d, "u:duty", id, w.now, NULL));
	g_assert_false(gw_schedule_remove(w.d, "u:duty", "rs-1", w.now, NULL));
	world_until(&w, 20 * DAY_S);
	g_assert_cmpuint(opened(&w), ==, 2);
	world_finish(&w);
}

/* The gateway is down from one time to another. */
static void sleep_until(struct world *w, int64_t s)
{
	static const struct gw_domain_ops ops = { world_act };
	w->now.wall_ms += (s * ORT_US_PER_S - w->now.us) / ORT_US_PER_MS;
	w->now.us = s * ORT_US_PER_S;
	gw_domain *again = gw_domain_new(&ops, "boot-a", w);
	world_replay_into(w, again, w->now);
	gw_domain_free(w->d);
	w->d = again;
	gw_domain_replay_done(w->d, w->now);
}

static const struct down_row { const char *name; int64_t up_again_s; unsigned runs; const char *record; } down_rows[] = {
	{ "up-before", HOUR_S - 120, 1, "rollcall.schedule_ran" },
	{ "made-up", HOUR_S + 120, 1, "rollcall.schedule_ran" },
	{ "missed", HOUR_S + 1200, 0, "rollcall.schedule_missed" },
};

static void survives_being_down(gconstpointer data)
{
	const struct down_row *row = data;
	struct world w;
	begin(&w);
	g_autofree char *id = g_strdup(put(&w, 60, 127));
	int64_t due_ms = number(&w, id, "next_ms");
	world_until(&w, HOUR_S - 300);
	sleep_until(&w, row->up_again_s);
	world_until(&w, HOUR_S + 1300);
	g_assert_cmpuint(opened(&w), ==, row->runs);
	g_assert_nonnull(last_record(&w, row->record));
	g_assert_cmpint(number(&w, id, "next_ms"), ==, due_ms + DAY_S * 1000);
	g_assert_cmpint(number(&w, id, "missed_ms"), ==, row->runs == 0 ? due_ms : 0);
	world_finish(&w);
}

/* Cut after any record of its beginning: one conference, one roll call, and it runs. */
static void begins_once(void)
{
	for (unsigned cut = 0; cut < 12; cut++) {
		struct world w;
		begin(&w);
		g_assert_nonnull(put(&w, 60, 127));
		unsigned before = w.records->len;
		world_until(&w, HOUR_S);
		g_assert_cmpuint(w.records->len, >, before + 12);
		g_ptr_array_set_size(w.records, (int)(before + cut));
		sleep_until(&w, HOUR_S + 5);
		g_assert_cmpuint(opened(&w), ==, 1);
		g_autoptr(json_t) open = gw_conference_list(w.d, true, 10);
		g_assert_cmpuint(json_array_size(open), ==, 1);
		g_autoptr(json_t) list = gw_rollcall_list(w.d, 10);
		g_assert_cmpstr(json_string_value(json_object_get(json_array_get(list, 0), "state")), ==, "running");
		world_finish(&w);
	}
}

static void lists_are_checked(void)
{
	static const char *const nowhere[] = { "s9", NULL };
	struct world w;
	GError *err = NULL;
	begin(&w);
	const struct { struct gw_schedule_facts f; int code; } rows[] = {
		{ { .name = "x", .sites = nowhere }, GW_DOMAIN_NOT_FOUND },
		{ { .name = "", .sites = all }, GW_DOMAIN_INVALID },
		{ { .name = "x", .sites = all, .minute = 1440 }, GW_DOMAIN_INVALID },
		{ { .name = "x", .sites = all, .days = 128 }, GW_DOMAIN_INVALID },
		{ { .id = "rs-7", .name = "x", .sites = all }, GW_DOMAIN_NOT_FOUND },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_assert_null(gw_schedule_put(w.d, "u:duty", &rows[n].f, w.now, &err));
		g_assert_error(err, GW_DOMAIN_ERROR, rows[n].code);
		g_clear_error(&err);
	}
	struct gw_schedule_facts list = { .name = "旗县", .sites = all };
	const char *id = gw_schedule_put(w.d, "u:duty", &list, w.now, &err);
	g_assert_cmpint(number(&w, id, "next_ms"), ==, 0);	/* only a saved list */
	list.id = id;
	list.name = "旗县区";
	g_assert_cmpstr(gw_schedule_put(w.d, "u:duty", &list, w.now, &err), ==, id);
	g_autoptr(json_t) saved = gw_schedule_list(w.d);
	g_assert_cmpuint(json_array_size(saved), ==, 1);
	world_finish(&w);
}

/* ---- papers ---- */
/* One roll call by hand: results of s1, s2, s3. */
static const char *hold(struct world *w, const char *name, bool drill, const enum gw_result *results)
{
	struct gw_conference_facts c = { .name = name, .drill = drill };
	const char *conference = gw_conference_open(w->d, "u:duty", &c, w->now, NULL);
	struct gw_rollcall_facts f = { .conference = conference, .name = name, .sites = all, .ahead = 1 };
	const char *id = gw_rollcall_open(w->d, "u:duty", &f, w->now, NULL);
	g_assert_true(gw_rollcall_run(w->d, "u:duty", id, true, w->now, NULL));
	for (int n = 0; n < SITES; n++) {
		g_autoptr(json_t) o = gw_rollcall_print(w->d, id);
		const char *party = json_string_value(json_object_get(json_array_get(json_object_get(o, "entries"), n), "party"));
		w->now.us += 4 * ORT_US_PER_S;
		w->now.wall_ms += 4000;
		(void)gw_party_state(w->d, party, GW_SITE_CONNECTING, NULL, w->now);
		(void)gw_party_state(w->d, party, GW_SITE_PRESENT, NULL, w->now);
		g_assert_true(gw_rollcall_next(w->d, "u:duty", id, results[n], w->now, NULL));
	}
	return id;
}

static const enum gw_result good[] = { GW_RESULT_PRESENT, GW_RESULT_PRESENT, GW_RESULT_PRESENT };
static const enum gw_result mixed[] = { GW_RESULT_PRESENT, GW_RESULT_NO_ANSWER, GW_RESULT_PRESENT_LATE };
static const enum gw_result bad[] = { GW_RESULT_NO_PICTURE, GW_RESULT_NO_ANSWER, GW_RESULT_EXCUSED };

static const json_t *last_of(json_t *circular, size_t n)
{
	return json_object_get(json_array_get(json_object_get(circular, "entries"), n), "last");
}

static void is_compared(void)
{
	struct world w;
	begin(&w);
	const char *first = hold(&w, "一", false, good);
	(void)hold(&w, "演练", true, bad);
	(void)hold(&w, "二", false, mixed);
	const char *third = hold(&w, "三", false, bad);
	(void)hold(&w, "四", false, bad);
	g_autoptr(json_t) nothing = gw_rollcall_circular(w.d, first);
	g_autoptr(json_t) paper = gw_rollcall_circular(w.d, third);
	g_assert_true(json_is_null(last_of(nothing, 0)));
	static const struct { const char *result; int misses; } wanted[SITES] = { { "present", 0 }, { "no_answer", 1 }, { "present_late", 0 } };
	for (int n = 0; n < SITES; n++) {
		const json_t *last = last_of(paper, n);
		g_assert_cmpstr(json_string_value(json_object_get(last, "result")), ==, wanted[n].result);
		g_assert_cmpint(json_integer_value(json_object_get(last, "misses")), ==, wanted[n].misses);
		g_assert_cmpint(json_integer_value(json_object_get(last, "of")), ==, 2);
	}
	world_finish(&w);
}

static size_t hits(const struct world *w, struct gw_rollcall_query q)
{
	q.limit = q.limit > 0 ? q.limit : 100;
	g_autoptr(json_t) list = gw_rollcall_search(w->d, &q);
	return json_array_size(list);
}

static void is_found(void)
{
	struct world w;
	begin(&w);
	(void)hold(&w, "晨间点名", false, good);
	int64_t between_ms = w.now.wall_ms;
	(void)hold(&w, "夜间点名", false, mixed);
	g_assert_cmpuint(hits(&w, (struct gw_rollcall_query){ 0 }), ==, 2);
	g_assert_cmpuint(hits(&w, (struct gw_rollcall_query){ .limit = 1 }), ==, 1);
	g_assert_cmpuint(hits(&w, (struct gw_rollcall_query){ .text = "晨间" }), ==, 1);
	g_assert_cmpuint(hits(&w, (struct gw_rollcall_query){ .site = "s2" }), ==, 2);
	g_assert_cmpuint(hits(&w, (struct gw_rollcall_query){ .site = "值班室2", .has_result = true, .result = GW_RESULT_NO_ANSWER }), ==, 1);
	g_assert_cmpuint(hits(&w, (struct gw_rollcall_query){ .site = "s1", .has_result = true, .result = GW_RESULT_NO_ANSWER }), ==, 0);
	g_assert_cmpuint(hits(&w, (struct gw_rollcall_query){ .from_ms = between_ms }), ==, 1);
	g_assert_cmpuint(hits(&w, (struct gw_rollcall_query){ .to_ms = between_ms }), ==, 1);
	world_finish(&w);
}

static void is_counted(void)
{
	struct world w;
	begin(&w);
	(void)hold(&w, "一", false, good);
	(void)hold(&w, "二", false, mixed);
	(void)hold(&w, "演练", true, bad);
	(void)hold(&w, "三", false, bad);
	g_autoptr(json_t) rows = gw_rollcall_stats(w.d, 0, 0, NULL);
	static const struct { int called; double share; } wanted[SITES] = { { 3, 2.0 / 3 }, { 3, 1.0 / 3 }, { 2, 1 } };
	for (size_t n = 0; n < SITES; n++) {
		const json_t *row = json_array_get(rows, n);
		g_assert_cmpint(json_integer_value(json_object_get(row, "called")), ==, wanted[n].called);
		g_assert_cmpfloat_with_epsilon(json_real_value(json_object_get(row, "share")), wanted[n].share, 1e-9);
		g_assert_cmpint(json_integer_value(json_object_get(row, "answer_ms")), >=, 4000);
	}
	g_autofree char *csv = gw_rollcall_stats_csv(w.d, 0, 0, NULL);
	g_assert_nonnull(strstr(csv, "\r\ns2,值班室2,3,33.3,"));
	g_autoptr(json_t) none = gw_rollcall_stats(w.d, w.now.wall_ms + 1, 0, NULL);
	g_assert_cmpuint(json_array_size(none), ==, 0);
	world_finish(&w);
}

static void evidence_is_kept(void)
{
	struct world w;
	begin(&w);
	const char *id = hold(&w, "一", false, good);
	struct gw_evidence still = { GW_EVIDENCE_STILL, "s1-still.jpg", "ab12", 1000, w.now.wall_ms };
	g_assert_true(gw_rollcall_evidence(w.d, id, "s1", &still, w.now));
	g_assert_false(gw_rollcall_evidence(w.d, id, "s9", &still, w.now));
	g_assert_cmpstr(gw_rollcall_evidence_hash(w.d, id, "s1-still.jpg"), ==, "ab12");
	g_assert_null(gw_rollcall_evidence_hash(w.d, id, "../ortoo.db"));
	sleep_until(&w, 100);
	g_assert_cmpstr(gw_rollcall_evidence_hash(w.d, "rc-1", "s1-still.jpg"), ==, "ab12");
	world_finish(&w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rollcall/schedule/runs-at-its-hour", runs_at_its_hour);
	g_test_add_func("/rollcall/schedule/keeps-weekdays", keeps_weekdays);
	for (unsigned n = 0; n < G_N_ELEMENTS(down_rows); n++) {
		g_autofree char *path = g_strconcat("/rollcall/schedule/down/", down_rows[n].name, NULL);
		g_test_add_data_func(path, &down_rows[n], survives_being_down);
	}
	g_test_add_func("/rollcall/schedule/begins-once", begins_once);
	g_test_add_func("/rollcall/schedule/lists-are-checked", lists_are_checked);
	g_test_add_func("/rollcall/papers/compared", is_compared);
	g_test_add_func("/rollcall/papers/found", is_found);
	g_test_add_func("/rollcall/papers/counted", is_counted);
	g_test_add_func("/rollcall/papers/evidence", evidence_is_kept);
	return g_test_run();
}
