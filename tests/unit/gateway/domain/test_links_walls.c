/* Field links, microphones, talk, walls. */
#include <string.h>

#include "tests/unit/gateway/domain/world.h"

static const struct gw_incident_facts facts = { "洪涝", "达拉特旗", "", 1, false, 0, 0, true };
struct rig { struct world w; const char *incident, *link, *scene; };

static void rig_init(struct rig *r)
{
	int64_t expires;
	world_init(&r->w);
	gw_wall_add(r->w.d, "w1", "大屏");
	r->incident = gw_incident_open(r->w.d, "u:duty", &facts, r->w.now, NULL);
	g_assert_true(gw_link_issue(r->w.d, "u:duty", r->incident, NULL, "那日苏", r->w.now, &r->link, &r->scene, &expires, NULL));
	g_assert_cmpint(expires - r->w.now.wall_ms, ==, 1800000);
}

static void assert_open(struct rig *r, bool again, int code)
{
	g_autoptr(GError) err = NULL;
	bool ok = gw_link_open(r->w.d, r->link, again, r->w.now, &err);
	g_assert_true(ok == (code < 0));
	if (!ok) {
		g_assert_error(err, GW_DOMAIN_ERROR, code);
	}
}

static void first_opener_takes_the_seat(void)
{
	struct rig r;
	rig_init(&r);
	assert_open(&r, false, -1);
	assert_open(&r, false, GW_DOMAIN_USED);
	assert_open(&r, true, -1);
	world_finish(&r.w);
}

static void unopened_link_expires(void)
{
	struct rig r;
	rig_init(&r);
	world_until(&r.w, 1799);
	g_assert_null(strstr(r.w.acts->str, "link-"));
	world_until(&r.w, 1800);
	g_assert_nonnull(strstr(r.w.acts->str, "30:00 link- l1 expired"));
	assert_open(&r, false, GW_DOMAIN_EXPIRED);
	world_finish(&r.w);
}

static void opened_link_lives_twelve_hours(void)
{
	struct rig r;
	rig_init(&r);
	world_until(&r.w, 60);
	assert_open(&r, false, -1);
	world_until(&r.w, 60 + 12 * 3600 - 1);
	assert_open(&r, true, -1);
	world_until(&r.w, 60 + 12 * 3600);
	assert_open(&r, true, GW_DOMAIN_EXPIRED);
	world_finish(&r.w);
}

static void revoked_link_is_dead(void)
{
	struct rig r;
	rig_init(&r);
	assert_open(&r, false, -1);
	g_assert_true(gw_link_revoke(r.w.d, "u:duty", r.link, r.w.now, NULL));
	assert_open(&r, true, GW_DOMAIN_REVOKED);
	g_assert_false(gw_link_revoke(r.w.d, "u:duty", r.link, r.w.now, NULL));
	world_finish(&r.w);
}

static void guest_cannot_undo_the_chairs_mute(void)
{
	struct rig r;
	rig_init(&r);
	assert_open(&r, false, -1);
	g_assert_true(gw_scene_mute(r.w.d, "u:duty", r.scene, true, r.w.now, NULL));
	GError *err = NULL;
	g_assert_false(gw_scene_mute(r.w.d, "field:s1", r.scene, false, r.w.now, &err));
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE);
	g_clear_error(&err);
	g_assert_true(gw_scene_mute(r.w.d, "u:duty", r.scene, false, r.w.now, NULL));
	g_assert_true(gw_scene_mute(r.w.d, "field:s1", r.scene, true, r.w.now, NULL));
	g_assert_true(gw_scene_mute(r.w.d, "field:s1", r.scene, false, r.w.now, NULL));
	world_finish(&r.w);
}

static void talk_goes_to_one_or_all(void)
{
	struct rig r;
	rig_init(&r);
	const char *link2, *scene2;
	int64_t e;
	g_assert_true(gw_link_issue(r.w.d, "u:duty", r.incident, NULL, "乌云", r.w.now, &link2, &scene2, &e, NULL));
	const char *one[] = { r.scene, NULL };
	g_assert_true(gw_talk_set(r.w.d, "u:duty", r.incident, "c-1", one, true, r.w.now, NULL));
	g_assert_cmpstr(gw_domain_talker(r.w.d, r.scene), ==, "c-1");
	g_assert_null(gw_domain_talker(r.w.d, scene2));
	g_assert_true(gw_talk_set(r.w.d, "u:duty", r.incident, "c-1", NULL, true, r.w.now, NULL));
	g_assert_cmpstr(gw_domain_talker(r.w.d, scene2), ==, "c-1");
	gw_talk_gone(r.w.d, "c-1", r.w.now);
	g_assert_null(gw_domain_talker(r.w.d, r.scene));
	const char *alien[] = { "s99", NULL };
	g_assert_false(gw_talk_set(r.w.d, "u:duty", r.incident, "c-1", alien, true, r.w.now, NULL));
	world_finish(&r.w);
}

static void wall_chooses_its_window(void)
{
	struct rig r;
	rig_init(&r);
	const char *l, *scene[4];
	int64_t e;
	int win;
	scene[0] = r.scene;
	for (int n = 1; n < 4; n++) {
		g_assert_true(gw_link_issue(r.w.d, "u:duty", r.incident, NULL, "队员", r.w.now, &l, &scene[n], &e, NULL));
	}
	g_assert_true(gw_wall_layout(r.w.d, "u:duty", "w1", 2, r.w.now, NULL));
	const int wanted[4] = { 1, 2, 1, 2 };
	for (int n = 0; n < 4; n++) {
		world_until(&r.w, 10 + n);
		g_assert_true(gw_wall_push(r.w.d, "u:duty", "w1", scene[n], 0, r.w.now, &win, NULL));
		g_assert_cmpint(win, ==, wanted[n]);
	}
	g_assert_true(gw_wall_push(r.w.d, "u:duty", "w1", scene[2], 0, r.w.now, &win, NULL));
	g_assert_cmpint(win, ==, 1);
	g_assert_false(gw_wall_push(r.w.d, "u:duty", "w1", scene[2], 3, r.w.now, &win, NULL));
	g_assert_false(gw_wall_layout(r.w.d, "u:duty", "w1", 5, r.w.now, NULL));
	g_assert_false(gw_wall_push(r.w.d, "u:duty", "nowall", scene[2], 0, r.w.now, &win, NULL));
	world_finish(&r.w);
}

/* A report about a picture that the window was told to leave must not prove the new one. */
static void stale_report_proves_nothing(void)
{
	struct rig r;
	rig_init(&r);
	int win;
	g_assert_true(gw_wall_push(r.w.d, "u:duty", "w1", r.scene, 1, r.w.now, &win, NULL));
	g_assert_true(gw_wall_report(r.w.d, "w1", 1, "s99.video", GW_WINDOW_DRAWN, r.w.now.wall_ms, r.w.now, NULL));
	g_assert_null(strstr(r.w.acts->str, "verdict"));
	g_assert_true(gw_wall_report(r.w.d, "w1", 1, "s1.video", GW_WINDOW_DRAWN, r.w.now.wall_ms, r.w.now, NULL));
	g_assert_nonnull(strstr(r.w.acts->str, "verdict i1 met"));
	g_assert_false(gw_wall_report(r.w.d, "w1", 0, "s1.video", GW_WINDOW_DRAWN, 0, r.w.now, NULL));
	world_finish(&r.w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/link/first_opener_takes_the_seat", first_opener_takes_the_seat);
	g_test_add_func("/link/unopened_link_expires", unopened_link_expires);
	g_test_add_func("/link/opened_link_lives_twelve_hours", opened_link_lives_twelve_hours);
	g_test_add_func("/link/revoked_link_is_dead", revoked_link_is_dead);
	g_test_add_func("/scene/guest_cannot_undo_the_chairs_mute", guest_cannot_undo_the_chairs_mute);
	g_test_add_func("/scene/talk_goes_to_one_or_all", talk_goes_to_one_or_all);
	g_test_add_func("/wall/chooses_its_window", wall_chooses_its_window);
	g_test_add_func("/wall/stale_report_proves_nothing", stale_report_proves_nothing);
	return g_test_run();
}
