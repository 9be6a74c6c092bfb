/* Incident reports in virtual time: the deadlines of O8, warnings before they lapse, order of reports, receipts, restart. */
#include <string.h>

#include "tests/unit/gateway/domain/world.h"

static const char *const to[] = { "市应急办", "区委总值班室", NULL };

static const char *incident(struct world *w, int level)
{
	struct gw_incident_facts f = { .kind = "火灾", .place = "友谊大街", .level = level };
	const char *id = gw_incident_open(w->d, "u:a", &f, w->now, NULL);
	g_assert_nonnull(id);
	return id;
}

static bool file(struct world *w, const char *id, enum gw_report_kind kind, bool spoken)
{
	struct gw_report_facts f = { .incident = id, .kind = kind, .spoken = spoken, .place = "友谊大街 12 号", .what = "厂房起火", .dead = 1,
				     .told_by = spoken ? "张三" : NULL, .told_to = spoken ? "市局值班员" : NULL, .recipients = spoken ? NULL : to };
	return gw_report_file(w->d, "u:a", &f, w->now, NULL) != NULL;
}

/* "row:state row:state " */
static void assert_rows(struct world *w, const char *id, const char *wanted)
{
	g_autoptr(json_t) sheet = gw_report_sheet(w->d, id, w->now);
	g_autoptr(GString) is = g_string_new(NULL);
	json_t *row;
	size_t n;
	json_array_foreach(json_object_get(sheet, "deadlines"), n, row) {
		g_string_append_printf(is, "%s:%s ", json_string_value(json_object_get(row, "row")), json_string_value(json_object_get(row, "state")));
	}
	g_assert_cmpstr(is->str, ==, wanted);
}

/* "report_warn/first_spoken:2 " of what stands, marks of the scene clock left out */
static void assert_alarms(struct world *w, const char *wanted)
{
	g_autoptr(json_t) all = gw_duty_alarms(w->d);
	g_autoptr(GString) is = g_string_new(NULL);
	json_t *a;
	size_t n;
	json_array_foreach(all, n, a) {
		const char *kind = json_string_value(json_object_get(a, "kind"));
		if (g_str_has_prefix(kind, "report_")) {
			g_string_append_printf(is, "%s/%s:%d ", kind, json_string_value(json_object_get(a, "subject")), (int)json_integer_value(json_object_get(a, "cls")));
		}
	}
	g_assert_cmpstr(is->str, ==, wanted);
}

static void grave_ones(void)
{
	struct world w;
	world_init(&w);
	const char *id = incident(&w, 2);
	assert_rows(&w, id, "first_spoken:running first_written_grave:running ");
	world_until(&w, 24 * 60 - 1);
	assert_alarms(&w, "");
	world_until(&w, 24 * 60);	/* 80 % of 30 minutes */
	assert_rows(&w, id, "first_spoken:warning first_written_grave:running ");
	assert_alarms(&w, "report_warn/first_spoken:2 ");
	g_assert_true(file(&w, id, GW_REPORT_FIRST, true));
	assert_alarms(&w, "");
	assert_rows(&w, id, "first_spoken:met first_written_grave:running ");
	world_until(&w, 48 * 60);
	assert_alarms(&w, "report_warn/first_written_grave:2 ");
	world_until(&w, 60 * 60);
	assert_rows(&w, id, "first_spoken:met first_written_grave:over ");
	assert_alarms(&w, "report_over/first_written_grave:1 ");	/* the warning has turned into it */
	g_assert_true(file(&w, id, GW_REPORT_FIRST, false));
	assert_rows(&w, id, "first_spoken:met first_written_grave:met followup_grave:running ");
	assert_alarms(&w, "");
	world_finish(&w);
}

static void in_writing_is_also_told(void)
{
	struct world w;
	world_init(&w);
	const char *id = incident(&w, 1);
	world_until(&w, 20 * 60);
	g_assert_true(file(&w, id, GW_REPORT_FIRST, false));
	assert_rows(&w, id, "first_spoken:met first_written_grave:met followup_grave:running ");
	world_finish(&w);
}

static void late_is_late(void)
{
	struct world w;
	world_init(&w);
	const char *id = incident(&w, 4);
	assert_rows(&w, id, "first_written:running ");
	world_until(&w, 2 * 3600 + 5);
	assert_rows(&w, id, "first_written:over ");
	g_assert_true(file(&w, id, GW_REPORT_FIRST, false));
	assert_rows(&w, id, "first_written:late followup:running ");
	world_finish(&w);
}

static void worse_begins_shorter_times(void)
{
	struct world w;
	world_init(&w);
	const char *id = incident(&w, 3);
	world_until(&w, 3000);
	struct gw_incident_facts f = { .kind = "火灾", .place = "友谊大街", .level = 2 };
	g_assert_true(gw_incident_update(w.d, "u:a", id, &f, w.now, NULL));
	assert_rows(&w, id, "first_spoken:running first_written_grave:running ");
	world_until(&w, 3000 + 24 * 60);
	assert_alarms(&w, "report_warn/first_spoken:2 ");
	f.level = 4;	/* it was not so bad: the warning has no cause any more */
	g_assert_true(gw_incident_update(w.d, "u:a", id, &f, w.now, NULL));
	world_until(&w, 3000 + 24 * 60 + 1);
	assert_alarms(&w, "");
	world_finish(&w);
}

static void follow_ups_and_the_end(void)
{
	struct world w;
	world_init(&w);
	const char *id = incident(&w, 3);
	g_assert_false(file(&w, id, GW_REPORT_FOLLOWUP, false));	/* the first comes first */
	g_assert_false(file(&w, id, GW_REPORT_FINAL, false));
	g_assert_true(file(&w, id, GW_REPORT_FIRST, false));
	g_assert_false(file(&w, id, GW_REPORT_FIRST, false));
	g_assert_false(file(&w, id, GW_REPORT_FOLLOWUP, true));
	world_until(&w, 24 * 3600);
	assert_alarms(&w, "report_over/followup:1 ");
	g_assert_true(file(&w, id, GW_REPORT_FOLLOWUP, false));	/* counted from here again */
	assert_alarms(&w, "");
	assert_rows(&w, id, "first_written:met followup:running ");
	g_assert_false(file(&w, id, GW_REPORT_FINAL, false));
	g_assert_true(gw_incident_close(w.d, "u:a", id, "处置完毕", w.now, NULL));
	assert_rows(&w, id, "first_written:met final:running ");
	world_until(&w, 24 * 3600 + 7 * 86400 + 5);
	assert_rows(&w, id, "first_written:met final:over ");
	assert_alarms(&w, "report_over/final:1 ");
	g_assert_true(file(&w, id, GW_REPORT_FINAL, false));
	g_assert_false(file(&w, id, GW_REPORT_FINAL, false));
	assert_rows(&w, id, "first_written:met final:late ");
	assert_alarms(&w, "");
	world_finish(&w);
}

static void facts_are_asked_and_causes_are_not(void)
{
	struct world w;
	world_init(&w);
	const char *id = incident(&w, 3);
	const struct { struct gw_report_facts f; bool ok; } rows[] = {
		{ { .what = "起火", .recipients = to }, false },			/* where? */
		{ { .place = "厂区", .recipients = to }, false },			/* what? */
		{ { .place = "厂区", .what = "起火" }, false },				/* to whom? */
		{ { .what = "起火", .spoken = true, .told_by = "甲" }, false },		/* told whom? */
		{ { .place = "厂区", .what = "起火", .recipients = to, .dead = -1 }, false },
		{ { .place = "厂区", .what = "起火", .recipients = to }, true },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		struct gw_report_facts f = rows[n].f;
		f.incident = id;
		g_assert_cmpint(gw_report_file(w.d, "u:a", &f, w.now, NULL) != NULL, ==, rows[n].ok);
	}
	world_finish(&w);
}

static void receipts(void)
{
	struct world w;
	GError *err = NULL;
	world_init(&w);
	const char *id = incident(&w, 3);
	struct gw_report_facts f = { .incident = id, .place = "厂区", .what = "起火", .recipients = to };
	const char *report = gw_report_file(w.d, "u:a", &f, w.now, NULL);
	world_until(&w, 60);
	g_assert_false(gw_report_receipt(w.d, "u:a", report, "没有的单位", "甲", w.now, NULL));
	g_assert_false(gw_report_receipt(w.d, "u:a", report, to[0], "", w.now, NULL));
	g_assert_true(gw_report_receipt(w.d, "u:a", report, to[0], "刘科长", w.now, &err));
	g_assert_false(gw_report_receipt(w.d, "u:a", report, to[0], "刘科长", w.now, NULL));
	g_autoptr(json_t) paper = gw_report_paper(w.d, report);
	const json_t *first = json_array_get(json_object_get(paper, "recipients"), 0), *second = json_array_get(json_object_get(paper, "recipients"), 1);
	g_assert_cmpint(json_integer_value(json_object_get(first, "receipt_ms")), ==, w.now.wall_ms);
	g_assert_cmpint(json_integer_value(json_object_get(second, "receipt_ms")), ==, 0);
	g_autofree char *csv = gw_report_csv(w.d, NULL);
	g_assert_nonnull(strstr(csv, "\r\n1,火灾,Ⅲ级,首报,1,"));
	g_assert_nonnull(strstr(csv, "区委总值班室（未签收"));
	world_finish(&w);
}

static void survives_a_restart(void)
{
	static const struct gw_domain_ops ops = { world_act };
	struct world w;
	world_init(&w);
	g_autofree char *id = g_strdup(incident(&w, 2));
	world_until(&w, 25 * 60);	/* the spoken one has warned */
	unsigned records = w.records->len;
	gw_domain *d = gw_domain_new(&ops, "boot-b", &w);
	world_replay_into(&w, d, w.now);
	gw_domain_free(w.d);
	w.d = d;
	gw_domain_replay_done(d, w.now);
	g_assert_cmpuint(w.records->len, ==, records);	/* it does not warn twice */
	assert_rows(&w, id, "first_spoken:warning first_written_grave:running ");
	world_until(&w, 30 * 60);
	assert_alarms(&w, "report_over/first_spoken:1 ");
	world_finish(&w);
}

static void old_logs_are_no_news(void)
{
	static const struct gw_domain_ops ops = { world_act };
	struct world w;
	world_init(&w);
	const char *id = incident(&w, 2);
	g_assert_true(gw_incident_close(w.d, "u:a", id, "x", w.now, NULL));
	w.now.us += INT64_C(400) * 86400 * ORT_US_PER_S;
	w.now.wall_ms += INT64_C(400) * 86400 * 1000;
	unsigned records = w.records->len;
	gw_domain *d = gw_domain_new(&ops, "boot-a", &w);
	world_replay_into(&w, d, w.now);
	gw_domain_free(w.d);
	w.d = d;
	gw_domain_replay_done(d, w.now);
	g_assert_cmpuint(w.records->len, ==, records);
	g_assert_cmpint(gw_domain_deadline(d), ==, ORT_NEVER);
	world_finish(&w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ROW(fn) g_test_add_func("/domain/report/" #fn, fn)
	ROW(grave_ones);
	ROW(in_writing_is_also_told);
	ROW(late_is_late);
	ROW(worse_begins_shorter_times);
	ROW(follow_ups_and_the_end);
	ROW(facts_are_asked_and_causes_are_not);
	ROW(receipts);
	ROW(survives_a_restart);
	ROW(old_logs_are_no_news);
	return g_test_run();
}
