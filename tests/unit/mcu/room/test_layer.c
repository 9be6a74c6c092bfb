/* Simulcast: which layer a receiver gets, and that it changes at key frames only. */
#include "tests/unit/mcu/room/rig.h"

struct three { struct rig r; mcu_transport *pub, *sub; struct rig_feed f[3]; };

/* 180p 120 kbit/s, 360p 430, 720p 1440: packets of 1000 bytes, 30 frames a second */
static void open_three(struct three *t)
{
	static const unsigned height[] = { 180, 360, 720 };

	rig_init(&t->r, NULL);
	t->pub = rig_publisher(&t->r, "p");
	t->sub = rig_plain_receiver(&t->r, "s");
	g_assert_cmpint(rig_video(&t->r, "p", "v", 100, 0, "q,h,f"), ==, 0);
	g_assert_cmpint(rig_sink(&t->r, "s", "k", "v", MCU_VIDEO, 500, 501), ==, 0);
	for (unsigned i = 0; i < 3; i++) {
		t->f[i] = rig_vp8(t->pub, 100 + i);
		t->f[i].width = (uint16_t)(height[i] * 16 / 9);
		t->f[i].height = (uint16_t)height[i];
		t->f[i].size = i ? 900 : 500;
	}
}

static const unsigned per_frame[] = { 1, 2, 6 };

/* Each layer answers a PLI with a key frame at the next frame. remb 0 = the receiver says nothing. */
static void play(struct three *t, double seconds, uint64_t remb, unsigned layers)
{
	for (int i = 0; i < seconds * 30; i++) {
		if (remb && i % 15 == 0) {
			rig_remb(&t->r, t->sub, remb);
		}
		for (unsigned k = 0; k < 3; k++) {
			bool key = rig_rtcp(&t->r, t->pub, MCU_RTCP_PLI, t->f[k].ssrc, NULL) > 0;
			if (layers & 1U << k) {
				rig_frame(&t->r, &t->f[k], key ? RIG_KEY : RIG_DELTA, per_frame[k]);
			}
		}
		fake_net_clear(t->r.port);
		rig_turn(&t->r, 33);
	}
}

static const char *layer(const struct three *t)
{
	const char *line = rig_event(&t->r, "sink.layer k v ");

	return line ? line + sizeof("sink.layer k v ") - 1 : "none";
}

static void key_all(struct three *t)
{
	for (unsigned k = 0; k < 3; k++) {
		rig_frame(&t->r, &t->f[k], RIG_KEY, per_frame[k]);
	}
	rig_turn(&t->r, 5);
}

static const struct { const char *name; int64_t w, h, bps; uint64_t remb; const char *want; } rows[] = {
	{ "no-wish-wide-link", 0, 0, 0, 8000000, "f" },
	{ "large-window", 1280, 720, 0, 8000000, "f" },
	{ "middle-window", 640, 360, 0, 8000000, "h" },
	{ "a-little-above-middle", 680, 380, 0, 8000000, "h" },
	{ "thumbnail", 160, 90, 0, 8000000, "q" },
	{ "larger-than-all", 3840, 2160, 0, 8000000, "f" },
	{ "wanted-rate", 1280, 720, 500000, 8000000, "h" },
	{ "link-for-the-middle", 1280, 720, 0, 900000, "h" },
	{ "link-for-the-lowest", 1280, 720, 0, 200000, "q" },
	{ "link-for-nothing", 1280, 720, 0, 60000, "q" },
};

static void row(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct three t;

	open_three(&t);
	rig_prefer(&t.r, "k", rows[i].w, rows[i].h, rows[i].bps, false);
	key_all(&t);
	play(&t, 20, rows[i].remb, 7);
	g_assert_cmpstr(layer(&t), ==, rows[i].want);
	rig_finish(&t.r);
}

static void switches_at_key_frames_only(void)
{
	struct three t;

	open_three(&t);
	rig_prefer(&t.r, "k", 160, 90, 0, false);
	key_all(&t);
	play(&t, 2, 8000000, 7);
	g_assert_cmpstr(layer(&t), ==, "q");
	rig_prefer(&t.r, "k", 640, 360, 0, false);
	rig_turn(&t.r, 10);
	g_assert_cmpuint(rig_rtcp(&t.r, t.pub, MCU_RTCP_PLI, 101, NULL), ==, 1);
	fake_net_clear(t.r.port);
	rig_frame(&t.r, &t.f[1], RIG_DELTA, 2);
	rig_frame(&t.r, &t.f[0], RIG_DELTA, 1);
	g_assert_cmpuint(rig_count(&t.r, t.sub, 500), ==, 1);
	g_assert_cmpstr(layer(&t), ==, "q");
	rig_frame(&t.r, &t.f[1], RIG_KEY, 2);
	rig_frame(&t.r, &t.f[0], RIG_DELTA, 1);
	rig_frame(&t.r, &t.f[1], RIG_DELTA, 2);
	g_assert_cmpstr(layer(&t), ==, "h");
	g_assert_cmpuint(rig_count(&t.r, t.sub, 500), ==, 5);
	for (unsigned i = 1; i < 5; i++) {
		g_assert_cmpuint((uint16_t)(rig_sent(&t.r, t.sub, 500, i)->rtp.seq - rig_sent(&t.r, t.sub, 500, i - 1)->rtp.seq),
				 ==, 1);
	}
	rig_finish(&t.r);
}

static void a_layer_that_ends_is_left(void)
{
	struct three t;

	open_three(&t);
	rig_prefer(&t.r, "k", 1280, 720, 0, false);
	key_all(&t);
	play(&t, 15, 8000000, 7);
	g_assert_cmpstr(layer(&t), ==, "f");
	play(&t, 4, 8000000, 3);
	g_assert_cmpstr(layer(&t), ==, "h");
	play(&t, 10, 8000000, 7);
	g_assert_cmpstr(layer(&t), ==, "f");
	g_assert_cmpuint(rig_events(&t.r, "source.stalled"), ==, 0);
	rig_finish(&t.r);
}

static void a_narrow_link_steps_down_and_does_not_swing(void)
{
	struct three t;

	open_three(&t);
	rig_prefer(&t.r, "k", 1280, 720, 0, false);
	key_all(&t);
	play(&t, 15, 8000000, 7);
	unsigned before = rig_events(&t.r, "sink.layer");
	play(&t, 20, 1000000, 7);
	g_assert_cmpstr(layer(&t), ==, "h");
	g_assert_cmpuint(rig_events(&t.r, "sink.layer") - before, ==, 1);
	rig_finish(&t.r);
}

static void two_sinks_share_the_link(void)
{
	struct three t;

	open_three(&t);
	g_assert_cmpint(rig_sink(&t.r, "s", "k2", "v", MCU_VIDEO, 600, 601), ==, 0);
	key_all(&t);
	play(&t, 20, 1200000, 7);
	g_assert_cmpstr(layer(&t), ==, "h");
	g_assert_cmpstr(rig_event(&t.r, "sink.layer k2"), ==, "sink.layer k2 v h");
	rig_finish(&t.r);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strconcat("/room/layer/choice/", rows[i].name, NULL);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), row);
	}
#define ADD(fn) g_test_add_func("/room/layer/" #fn, fn)
	ADD(switches_at_key_frames_only);
	ADD(a_layer_that_ends_is_left);
	ADD(a_narrow_link_steps_down_and_does_not_swing);
	ADD(two_sinks_share_the_link);
	return g_test_run();
}
