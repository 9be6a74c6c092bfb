/* Incidents in virtual time: thirty minutes read like a timetable. */
#include <string.h>

#include "tests/unit/gateway/domain/world.h"

static const struct gw_incident_facts fire = { "草原火灾", "乌审旗嘎鲁图镇", "牧草起火", 2, true, 38.6, 108.85, false };

static const char *open_incident(struct world *w)
{
	GError *err = NULL;
	const char *id = gw_incident_open(w->d, "u:duty", &fire, w->now, &err);
	g_assert_no_error(err);
	return id;
}

static const char *join(struct world *w, const char *incident, const char *name)
{
	const char *link, *scene;
	int64_t expires;
	g_assert_true(gw_link_issue(w->d, "u:duty", incident, NULL, name, w->now, &link, &scene, &expires, NULL));
	g_assert_true(gw_link_open(w->d, link, false, w->now, NULL));
	return scene;
}

static json_t *certificate_stamp(json_t *cert, unsigned scene, const char *step)
{
	json_t *stamps = json_object_get(json_array_get(json_object_get(cert, "scenes"), scene), "stamps");
	size_t n;
	json_t *s;
	json_array_foreach(stamps, n, s) {
		if (strcmp(json_string_value(json_object_get(s, "step")), step) == 0) {
			return s;
		}
	}
	g_assert_not_reached();
}

static void assert_verdict(struct world *w, const char *id, const char *wanted)
{
	g_autoptr(json_t) i = gw_incident_print(w->d, id);
	g_assert_cmpstr(json_string_value(json_object_get(i, "verdict")), ==, wanted);
}

static void nobody_answers(void)
{
	struct world w;
	world_init(&w);
	open_incident(&w);
	world_until(&w, 3600);
	g_assert_cmpstr(w.acts->str, ==,
			"00:00 room+ i1\n"
			"05:00 alarm i1 duty_officer\n"
			"10:00 alarm i1 duty_leader\n"
			"20:00 alarm i1 officer_in_charge\n"
			"30:00 verdict i1 missed\n");
	assert_verdict(&w, "i1", "missed");
	world_finish(&w);
}

static void drawn(struct world *w, const char *scene)
{
	int window = 0;
	g_autofree char *stream = g_strconcat(scene, ".video", NULL);
	g_assert_true(gw_wall_push(w->d, "u:duty", "w1", scene, 0, w->now, &window, NULL));
	g_assert_true(gw_wall_report(w->d, "w1", window, stream, GW_WINDOW_DRAWN, w->now.wall_ms, w->now, NULL));
}

static void scene_on_wall_stops_the_ladder(void)
{
	struct world w;
	world_init(&w);
	gw_wall_add(w.d, "w1", "指挥大厅");
	const char *id = open_incident(&w);
	world_until(&w, 360);
	drawn(&w, join(&w, id, "巴特尔"));
	world_until(&w, 3600);
	g_assert_cmpstr(w.acts->str, ==,
			"00:00 room+ i1\n"
			"05:00 alarm i1 duty_officer\n"
			"06:00 verdict i1 met\n");
	g_autoptr(json_t) cert = gw_incident_certificate(w.d, id, w.now);
	g_assert_cmpint(json_integer_value(json_object_get(certificate_stamp(cert, 0, "first_drawn"), "elapsed_ms")), ==, 360000);
	g_assert_cmpint(json_integer_value(json_object_get(cert, "elapsed_ms")), ==, 360000);
	g_assert_true(json_is_null(json_object_get(certificate_stamp(cert, 0, "first_rtp"), "at_ms")));
	world_finish(&w);
}

static void late_picture_stays_missed(void)
{
	struct world w;
	world_init(&w);
	gw_wall_add(w.d, "w1", "大屏");
	const char *id = open_incident(&w);
	world_until(&w, 1801);
	drawn(&w, join(&w, id, "苏和"));
	assert_verdict(&w, id, "missed");
	world_finish(&w);
}

/* Forty officers, each step in its second; then the log alone makes the same state. */
static void forty_parties(void)
{
	struct world w;
	world_init(&w);
	gw_wall_add(w.d, "w1", "大屏");
	const char *id = open_incident(&w);
	for (int n = 0; n < 40; n++) {
		world_until(&w, 10 + n);
		g_autofree char *name = g_strdup_printf("队员%d", n);
		const char *scene = join(&w, id, name);
		g_autofree char *field = g_strconcat("field:", scene, NULL);
		g_assert_true(gw_scene_state(w.d, scene, GW_SITE_CONNECTING, NULL, w.now));
		g_assert_true(gw_scene_stamp(w.d, field, scene, GW_STEP_CAMERA_GRANTED, w.now.wall_ms, w.now, NULL));
		g_assert_true(gw_scene_stamp(w.d, "engine", scene, GW_STEP_ICE_CONNECTED, w.now.wall_ms, w.now, NULL));
		g_assert_true(gw_scene_state(w.d, scene, GW_SITE_PRESENT, NULL, w.now));
		g_assert_true(gw_scene_stamp(w.d, "engine", scene, GW_STEP_FIRST_RTP, w.now.wall_ms, w.now, NULL));
		g_assert_true(gw_scene_position(w.d, field, scene, &(struct gw_position){ 38.5 + n / 100.0, 108, 12, w.now.wall_ms },
						w.now, NULL));
		g_assert_true(gw_scene_stamp(w.d, "engine", scene, GW_STEP_HEARD_SCENE, w.now.wall_ms, w.now, NULL));
		g_assert_true(gw_scene_stamp(w.d, field, scene, GW_STEP_HEARD_DISPATCHER, w.now.wall_ms, w.now, NULL));
	}
	drawn(&w, "s7");
	world_until(&w, 1860);
	assert_verdict(&w, id, "met");
	g_autoptr(json_t) cert = gw_incident_certificate(w.d, id, w.now);
	g_assert_cmpuint(json_array_size(json_object_get(cert, "scenes")), ==, 40);
	g_assert_cmpint(json_integer_value(json_object_get(certificate_stamp(cert, 39, "two_way"), "elapsed_ms")), ==, 49000);

	struct world again;
	world_init(&again);
	gw_domain_free(again.d);
	static const struct gw_domain_ops ops = { world_act };
	again.d = gw_domain_new(&ops, "boot-a", &again);
	gw_wall_add(again.d, "w1", "大屏");
	world_replay_into(&w, again.d, w.now);
	gw_domain_replay_done(again.d, w.now);
	g_autoptr(json_t) a = gw_incident_certificate(w.d, id, w.now);
	g_autoptr(json_t) b = gw_incident_certificate(again.d, id, w.now);
	g_assert_true(json_equal(a, b));
	world_finish(&again);
	world_finish(&w);
}

/* A restart on the same boot, and one after a reboot whose monotonic clock began anew: the clock of the incident goes on. */
static void restart_keeps_the_clock(gconstpointer boot)
{
	struct world w;
	world_init(&w);
	open_incident(&w);
	world_until(&w, 420);
	struct world again;
	world_init(&again);
	gw_domain_free(again.d);
	static const struct gw_domain_ops ops = { world_act };
	again.now = w.now;
	bool same = strcmp(boot, "boot-a") == 0;
	again.now.us = same ? w.now.us : 5 * ORT_US_PER_S;
	again.d = gw_domain_new(&ops, boot, &again);
	world_replay_into(&w, again.d, again.now);
	g_string_truncate(again.acts, 0);
	gw_domain_replay_done(again.d, again.now);
	int64_t wait = gw_domain_deadline(again.d) - again.now.us;
	g_assert_cmpint(wait, ==, 180 * ORT_US_PER_S);
	g_assert_nonnull(strstr(again.acts->str, "room+ i1"));
	g_assert_null(strstr(again.acts->str, "alarm"));
	world_finish(&again);
	world_finish(&w);
}

/* The wall clock steps by two hours and back by three days: marks come by the monotonic clock. */
static void clock_step_moves_nothing(void)
{
	struct world w;
	world_init(&w);
	open_incident(&w);
	world_until(&w, 60);
	w.now.wall_ms += 7200000;
	world_until(&w, 299);
	w.now.wall_ms -= 3 * 86400000;
	g_assert_null(strstr(w.acts->str, "alarm"));
	world_until(&w, 300);
	g_assert_nonnull(strstr(w.acts->str, "05:00 alarm i1 duty_officer"));
	world_finish(&w);
}

static void stamps_are_who_they_say(void)
{
	struct world w;
	world_init(&w);
	const char *id = open_incident(&w);
	world_until(&w, 30);
	const char *scene = join(&w, id, "其其格");
	g_autofree char *field = g_strconcat("field:", scene, NULL);
	GError *err = NULL;
	g_assert_false(gw_scene_stamp(w.d, field, scene, GW_STEP_FIRST_DRAWN, w.now.wall_ms, w.now, &err));
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID);
	g_clear_error(&err);
	/* A phone whose clock is a day ahead, or a year behind, is clamped between T0 and now. */
	g_assert_true(gw_scene_stamp(w.d, field, scene, GW_STEP_CAMERA_GRANTED, w.now.wall_ms + 86400000, w.now, NULL));
	g_autoptr(json_t) cert = gw_incident_certificate(w.d, id, w.now);
	g_assert_cmpint(json_integer_value(json_object_get(certificate_stamp(cert, 0, "camera_granted"), "elapsed_ms")), ==, 30000);
	g_assert_true(gw_scene_stamp(w.d, "engine", scene, GW_STEP_FIRST_RTP, 0, w.now, NULL));
	g_autoptr(json_t) cert2 = gw_incident_certificate(w.d, id, w.now);
	g_assert_cmpint(json_integer_value(json_object_get(certificate_stamp(cert2, 0, "first_rtp"), "elapsed_ms")), ==, 0);
	world_finish(&w);
}

static void bad_facts_are_refused(void)
{
	struct world w;
	world_init(&w);
	const struct { struct gw_incident_facts f; } rows[] = {
		{ { "", "x", "", 1, false, 0, 0, false } },	{ { "x", NULL, "", 1, false, 0, 0, false } },
		{ { "x", "y", "", 0, false, 0, 0, false } },	{ { "x", "y", "", 5, false, 0, 0, false } },
		{ { "x", "y", "", 1, true, 91, 0, false } },	{ { "x", "y\xff", "", 1, false, 0, 0, false } },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_autoptr(GError) err = NULL;
		g_assert_null(gw_incident_open(w.d, "u:duty", &rows[n].f, w.now, &err));
		g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID);
	}
	g_assert_cmpuint(w.records->len, ==, 0);
	world_finish(&w);
}

static void close_ends_everything(void)
{
	struct world w;
	world_init(&w);
	gw_wall_add(w.d, "w1", "大屏");
	const char *id = open_incident(&w);
	const char *scene = join(&w, id, "阿木古冷");
	drawn(&w, scene);
	g_assert_true(gw_incident_close(w.d, "u:duty", id, "处置完毕", w.now, NULL));
	g_assert_nonnull(strstr(w.acts->str, "link- l1 closed"));
	g_assert_nonnull(strstr(w.acts->str, "room- i1"));
	GError *err = NULL;
	g_assert_false(gw_link_open(w.d, "l1", true, w.now, &err));
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_EXPIRED);
	g_clear_error(&err);
	g_autoptr(json_t) wall = gw_wall_print(w.d, "w1");
	json_t *win = json_array_get(json_object_get(wall, "windows"), 0);
	g_assert_cmpstr(json_string_value(json_object_get(win, "state")), ==, "empty");
	gw_domain_tick(w.d, w.now);	/* what is left is the report that is owed: 80 % of 30 minutes */
	g_assert_cmpint(gw_domain_deadline(w.d), ==, 24 * 60 * ORT_US_PER_S);
	world_finish(&w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/incident/nobody_answers", nobody_answers);
	g_test_add_func("/incident/scene_on_wall_stops_the_ladder", scene_on_wall_stops_the_ladder);
	g_test_add_func("/incident/late_picture_stays_missed", late_picture_stays_missed);
	g_test_add_func("/incident/forty_parties", forty_parties);
	g_test_add_data_func("/incident/restart_same_boot", "boot-a", restart_keeps_the_clock);
	g_test_add_data_func("/incident/restart_other_boot", "boot-b", restart_keeps_the_clock);
	g_test_add_func("/incident/clock_step_moves_nothing", clock_step_moves_nothing);
	g_test_add_func("/incident/stamps_are_who_they_say", stamps_are_who_they_say);
	g_test_add_func("/incident/bad_facts_are_refused", bad_facts_are_refused);
	g_test_add_func("/incident/close_ends_everything", close_ends_everything);
	return g_test_run();
}
