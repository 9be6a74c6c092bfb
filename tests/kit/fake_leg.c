/* The fake leg and the conformance suite of legs. */
#include "tests/kit/fake_leg.h"

#include <errno.h>
#include <string.h>

static void note(gw_leg *leg, const char *what)
{
	g_string_append_printf(((struct gw_fake_leg *)leg)->did, "%s\n", what);
}

static int fake_dial(gw_leg *leg, const struct gw_leg_dial *dial)
{
	note(leg, "dial");
	(void)gw_leg_enter(leg, GW_LEG_CALLING, NULL);
	return 0;
}

static int fake_answer(gw_leg *leg)
{
	note(leg, "answer");
	(void)gw_leg_enter(leg, GW_LEG_CONNECTING, NULL);
	return 0;
}

static int fake_feed(gw_leg *leg, const char *slot, const char *source)
{
	if (strcmp(slot, "audio") != 0 && strcmp(slot, "main") != 0) {
		return -ENOENT;
	}
	note(leg, source != NULL ? "feed" : "unfeed");
	return 0;
}

static int fake_dtmf(gw_leg *leg, const char *digits)
{
	note(leg, digits);
	return 0;
}

static int fake_hold(gw_leg *leg, bool on)
{
	note(leg, on ? "hold" : "resume");
	(void)gw_leg_enter(leg, on ? GW_LEG_HELD : GW_LEG_UP, NULL);
	return 0;
}

static int fake_second(gw_leg *leg, bool on)
{
	note(leg, on ? "content" : "no content");
	return 0;
}

static void fake_hangup(gw_leg *leg, const char *why)
{
	note(leg, "hangup");
}

static void fake_free(gw_leg *leg)
{
	struct gw_fake_leg *f = (struct gw_fake_leg *)leg;
	g_string_free(f->did, TRUE);
	gw_leg_finish(leg);
	g_free(f);
}

static bool fake_takes(const gw_leg *leg, const char *slot, struct gw_leg_takes *ret)
{
	bool audio = strcmp(slot, "audio") == 0, video = strcmp(slot, "main") == 0;
	*ret = audio ? (struct gw_leg_takes){ .codec = MCU_CODEC_OPUS } : (struct gw_leg_takes){ MCU_CODEC_H264, NULL, 1280, 720, 30, 2000000 };
	return audio || video;
}

static const struct gw_leg_ops ops = { "fake", GW_LEG_DIALS | GW_LEG_DTMF | GW_LEG_HOLDS | GW_LEG_SECOND_VIDEO,
				       fake_dial, fake_answer, fake_feed, fake_second, fake_dtmf, fake_hold, fake_hangup, NULL, fake_free,
				       fake_takes };

gw_leg *gw_fake_leg_new(const char *id, const struct gw_leg_listener *listener, void *user_data)
{
	struct gw_fake_leg *f = g_new0(struct gw_fake_leg, 1);
	f->did = g_string_new(NULL);
	gw_leg_init(&f->leg, &ops, id, "room", "party", listener, user_data);
	return &f->leg;
}

void gw_fake_leg_peer(gw_leg *leg, const char *act)
{
	static const struct { const char *act; enum gw_leg_state state; } rows[] = {
		{ "ring", GW_LEG_RINGING }, { "connect", GW_LEG_CONNECTING }, { "media", GW_LEG_UP }, { "drop", GW_LEG_ENDED },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (strcmp(rows[n].act, act) == 0) {
			(void)gw_leg_enter(leg, rows[n].state, act);
		}
	}
	if (strcmp(act, "dtmf") == 0) {
		gw_leg_dtmf_came(leg, "1");
	} else if (strcmp(act, "media") == 0) {
		gw_leg_stream(leg, "party.video", MCU_VIDEO, MCU_CONTENT_MAIN, true);
	}
}

/* ---- conformance ---- */
struct seen { unsigned ended, up, streams; };

static void on_state(gw_leg *leg, enum gw_leg_state state, const char *why, void *ud)
{
	struct seen *s = ud;
	s->ended += state == GW_LEG_ENDED;
	s->up += state == GW_LEG_UP;
}

static void on_stream(gw_leg *leg, const char *stream, enum mcu_kind kind, enum mcu_content content, bool on, void *ud)
{
	((struct seen *)ud)->streams += on;
}

static const struct gw_leg_listener listener = { on_state, on_stream, NULL };

static gw_leg *connected(const struct gw_leg_suite *suite, struct seen *seen)
{
	*seen = (struct seen){ 0 };
	gw_leg *leg = suite->make(&listener, seen, suite->rig);
	if ((leg->ops->features & GW_LEG_DIALS) != 0) {
		g_assert_cmpint(gw_leg_dial(leg, &(struct gw_leg_dial){ "1001", 0, true }), ==, 0);
		suite->peer(leg, "ring", suite->rig);
	}
	suite->peer(leg, "connect", suite->rig);
	return leg;
}

static void comes_up_once(gconstpointer data)
{
	const struct gw_leg_suite *suite = data;
	struct seen seen;
	gw_leg *leg = connected(suite, &seen);
	g_assert_cmpint(gw_leg_get_state(leg), ==, GW_LEG_CONNECTING);
	suite->peer(leg, "media", suite->rig);
	g_assert_cmpint(gw_leg_get_state(leg), ==, GW_LEG_UP);
	g_assert_cmpuint(seen.up, ==, 1);
	g_assert_cmpuint(seen.streams, >=, 1);
	g_assert_cmpint(gw_leg_dial(leg, &(struct gw_leg_dial){ "1001", 0, true }), <, 0);
	gw_leg_free(leg);
	g_assert_cmpuint(seen.ended, ==, 0);
}

static void hangs_up_twice_in_silence(gconstpointer data)
{
	const struct gw_leg_suite *suite = data;
	struct seen seen;
	gw_leg *leg = connected(suite, &seen);
	gw_leg_hangup(leg, "test");
	gw_leg_hangup(leg, "again");
	g_assert_cmpint(gw_leg_get_state(leg), ==, GW_LEG_ENDED);
	g_assert_cmpstr(leg->why, ==, "test");
	g_assert_cmpuint(seen.ended, ==, 0);
	gw_leg_free(leg);
}

static void late_events_are_silent(gconstpointer data)
{
	const struct gw_leg_suite *suite = data;
	struct seen seen;
	gw_leg *leg = connected(suite, &seen);
	gw_leg_hangup(leg, "test");
	struct seen before = seen;
	suite->peer(leg, "media", suite->rig);
	suite->peer(leg, "drop", suite->rig);
	g_assert_cmpuint(seen.up, ==, before.up);
	g_assert_cmpuint(seen.ended, ==, 0);
	g_assert_cmpuint(seen.streams, ==, before.streams);
	gw_leg_free(leg);
}

static void dropped_by_the_peer_is_told_once(gconstpointer data)
{
	const struct gw_leg_suite *suite = data;
	struct seen seen;
	gw_leg *leg = connected(suite, &seen);
	suite->peer(leg, "media", suite->rig);
	suite->peer(leg, "drop", suite->rig);
	suite->peer(leg, "drop", suite->rig);
	g_assert_cmpuint(seen.ended, ==, 1);
	g_assert_cmpint(gw_leg_feed(leg, suite->slot, "x.video"), ==, -ENOTCONN);
	gw_leg_hangup(leg, "test");
	gw_leg_free(leg);
	g_assert_cmpuint(seen.ended, ==, 1);
}

static void feeds_only_its_slots(gconstpointer data)
{
	const struct gw_leg_suite *suite = data;
	struct seen seen;
	gw_leg *idle = suite->make(&listener, &seen, suite->rig);
	g_assert_cmpint(gw_leg_feed(idle, suite->slot, "x.video"), ==, -ENOTCONN);
	gw_leg_free(idle);
	gw_leg *leg = connected(suite, &seen);
	suite->peer(leg, "media", suite->rig);
	g_assert_cmpint(gw_leg_feed(leg, suite->slot, "x.video"), ==, 0);
	g_assert_cmpint(gw_leg_feed(leg, suite->slot, NULL), ==, 0);
	g_assert_cmpint(gw_leg_feed(leg, "no such slot", "x.video"), ==, -ENOENT);
	gw_leg_free(leg);
}

static void refuses_what_it_cannot(gconstpointer data)
{
	const struct gw_leg_suite *suite = data;
	struct seen seen;
	gw_leg *leg = connected(suite, &seen);
	suite->peer(leg, "media", suite->rig);
	unsigned has = leg->ops->features;
	g_assert_cmpint(gw_leg_send_dtmf(leg, "12#"), ==, (has & GW_LEG_DTMF) != 0 ? 0 : -ENOTSUP);
	g_assert_cmpint(gw_leg_send_dtmf(leg, "12x"), ==, (has & GW_LEG_DTMF) != 0 ? -EINVAL : -ENOTSUP);
	g_assert_cmpint(gw_leg_hold(leg, true), ==, (has & GW_LEG_HOLDS) != 0 ? 0 : -ENOTSUP);
	g_autoptr(json_t) print = gw_leg_print(leg);
	g_assert_cmpstr(json_string_value(json_object_get(print, "kind")), ==, leg->ops->kind);
	gw_leg_free(leg);
}

void gw_leg_suite_add(const struct gw_leg_suite *suite)
{
	static const struct { const char *name; void (*fn)(gconstpointer); } cases[] = {
		{ "comes_up_once", comes_up_once },
		{ "hangs_up_twice_in_silence", hangs_up_twice_in_silence },
		{ "late_events_are_silent", late_events_are_silent },
		{ "dropped_by_the_peer_is_told_once", dropped_by_the_peer_is_told_once },
		{ "feeds_only_its_slots", feeds_only_its_slots },
		{ "refuses_what_it_cannot", refuses_what_it_cannot },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(cases); n++) {
		g_autofree char *path = g_strdup_printf("/leg/%s/%s", suite->name, cases[n].name);
		g_test_add_data_func(path, suite, cases[n].fn);
	}
}
