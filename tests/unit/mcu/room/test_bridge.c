/* The codec worker as a peer: inputs that come and go, outputs that outlive it. */
#include <string.h>

#include "tests/unit/mcu/room/rig.h"

#define ERR(id) (1 + MCU_ERROR_##id)

static int again(struct rig *r, const char *room, const char *mix)
{
	const struct mcu_mix_open open = { .room = (char *)room, .mix = (char *)mix };
	g_autoptr(GError) why = NULL;
	int err = 0;
	bool ok = mcu_rooms_bridge(r->rooms, &open, mcu_channel_new(2, &err), r->now, &why);

	g_assert_true(ok == (why == NULL));
	return ok ? 0 : 1 + why->code;
}

static void input_waits_for_its_source(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *m = rig_mix(&r, "m");
	g_assert_cmpint(rig_sink(&r, "m", "m/x", "v", MCU_VIDEO, 900, 0), ==, 0);
	g_assert_cmpint(rig_sink(&r, "m", "m/y", "nobody", MCU_AUDIO, 901, 0), ==, 0);
	mcu_transport *p = rig_publisher(&r, "p");
	struct rig_feed f = rig_vp8(p, 100);
	for (unsigned i = 0; i < 3; i++) {	/* it comes, goes and comes again */
		fake_net_clear(r.port);
		g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, NULL), ==, 0);
		rig_frame(&r, &f, RIG_KEY, 3);
		rig_frame(&r, &f, RIG_DELTA, 2);
		g_assert_cmpuint(rig_count(&r, m, 900), ==, 5);
		const struct mcu_stream_ref ref = { (char *)"r", (char *)"v" };
		g_assert_cmpint(rig_call(&r, MCU_METHOD_SOURCE_REMOVE, &ref), ==, 0);
		rig_frame(&r, &f, RIG_KEY, 3);
		g_assert_cmpuint(rig_count(&r, m, 900), ==, 5);
	}
	g_assert_cmpuint(rig_events(&r, "sink.first_keyframe"), ==, 0);
	rig_finish(&r);
}

static void input_is_routed_by_name(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *m = rig_mix(&r, "m"), *p = rig_publisher(&r, "p");
	struct rig_feed a = rig_vp8(p, 100), b = rig_vp8(p, 200);
	g_assert_cmpint(rig_video(&r, "p", "a", 100, 0, NULL), ==, 0);
	g_assert_cmpint(rig_sink(&r, "m", "m/x", "a", MCU_VIDEO, 900, 0), ==, 0);
	rig_frame(&r, &a, RIG_KEY, 2);
	g_assert_cmpint(rig_route(&r, "m/x", "b"), ==, 0);	/* not there yet */
	rig_frame(&r, &a, RIG_KEY, 2);
	g_assert_cmpint(rig_video(&r, "p", "b", 200, 0, NULL), ==, 0);
	rig_frame(&r, &b, RIG_KEY, 3);
	g_assert_cmpuint(rig_count(&r, m, 900), ==, 2 + 3);
	g_assert_cmpint(rig_route(&r, "m/x", NULL), ==, 0);
	rig_frame(&r, &b, RIG_KEY, 3);
	g_assert_cmpuint(rig_count(&r, m, 900), ==, 2 + 3);
	rig_finish(&r);
}

static void unsupported_input_is_told(void)
{
	struct rig r;

	rig_init(&r, NULL);
	(void)rig_mix(&r, "m");
	(void)rig_publisher(&r, "p");
	struct mcu_codec_use h264 = { .name = (char *)"H264", .pt = 102 };
	const struct mcu_source_add add = { .room = (char *)"r", .transport = (char *)"p", .id = (char *)"v", .kind = MCU_VIDEO,
					    .codecs = { &h264, 1 } };
	g_assert_cmpint(rig_sink(&r, "m", "m/x", "v", MCU_VIDEO, 900, 0), ==, 0);	/* takes VP8 */
	g_assert_cmpint(rig_sink(&r, "m", "m/y", "v", MCU_AUDIO, 901, 0), ==, 0);
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SOURCE_ADD, &add), ==, 0);
	g_assert_cmpstr(rig_event(&r, "mix.input_state x"), ==, "mix.input_state x unsupported codec");
	g_assert_cmpstr(rig_event(&r, "mix.input_state y"), ==, "mix.input_state y unsupported kind");
	rig_finish(&r);
}

static void mixed_picture_is_a_source(struct rig *r, mcu_transport *m, mcu_transport *viewer, uint32_t ssrc)
{
	struct rig_feed f = rig_vp8(m, ssrc);

	g_assert_cmpint(rig_video(r, "m", "mix.v", ssrc, 0, NULL), ==, 0);
	fake_net_clear(r->port);
	rig_frame(r, &f, RIG_DELTA, 2);	/* nothing begins here */
	g_assert_cmpuint(rig_count(r, viewer, 500), ==, 0);
	rig_frame(r, &f, RIG_KEY, 3);
	rig_frame(r, &f, RIG_DELTA, 2);
	g_assert_cmpuint(rig_count(r, viewer, 500), ==, 5);
}

static void viewers_outlive_the_worker(void)
{
	struct rig r;
	int next = -1;

	rig_init(&r, NULL);
	mcu_transport *m = rig_mix(&r, "m"), *s = rig_receiver(&r, "s"), *p = rig_publisher(&r, "p");
	struct rig_feed in = rig_vp8(p, 77);
	g_assert_cmpint(rig_video(&r, "p", "v", 77, 0, NULL), ==, 0);
	g_assert_cmpint(rig_sink(&r, "m", "m/x", "v", MCU_VIDEO, 900, 0), ==, 0);
	g_assert_cmpint(rig_video(&r, "m", "mix.v", 1000, 0, NULL), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "k", "mix.v", MCU_VIDEO, 500, 501), ==, 0);
	for (uint32_t worker = 0; worker < 3; worker++) {
		mixed_picture_is_a_source(&r, m, s, 1000 - worker * 300);	/* other numbers, other time */
		for (unsigned i = 0; i < 5; i++) {
			uint16_t seq = rig_sent(&r, s, 500, i)->rtp.seq;
			g_assert_true(next < 0 || seq == (uint16_t)next);
			next = (uint16_t)(seq + 1);
		}
		rig_frame(&r, &in, RIG_KEY, 2);
		g_assert_cmpuint(rig_count(&r, m, 900), ==, 2);
		fake_net_state(m, "failed", r.now);
		rig_turn(&r, 700);
		fake_net_clear(r.port);
		g_assert_cmpint(again(&r, "r", "m"), ==, 0);
		rig_frame(&r, &in, RIG_DELTA, 2);	/* the next one has not seen the key frame */
		g_assert_cmpuint(rig_count(&r, m, 900), ==, 0);
		rig_turn(&r, 1000);
		g_assert_cmpuint(rig_rtcp(&r, p, MCU_RTCP_PLI, 77, NULL), >, 0);
	}
	g_assert_cmpstr(rig_event(&r, "transport.state m"), ==, "transport.state m failed");
	rig_finish(&r);
}

static void key_frames_are_asked_for_both_ways(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *m = rig_mix(&r, "m"), *s = rig_receiver(&r, "s"), *p = rig_publisher(&r, "p");
	struct rig_feed in = rig_vp8(p, 77), out = rig_vp8(m, 1000);
	g_assert_cmpint(rig_video(&r, "p", "v", 77, 0, NULL), ==, 0);
	g_assert_cmpint(rig_sink(&r, "m", "m/x", "v", MCU_VIDEO, 900, 0), ==, 0);
	g_assert_cmpint(rig_video(&r, "m", "mix.v", 1000, 0, NULL), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "k", "mix.v", MCU_VIDEO, 500, 501), ==, 0);
	rig_frame(&r, &in, RIG_KEY, 2);
	rig_frame(&r, &out, RIG_KEY, 2);
	rig_turn(&r, 2000);
	fake_net_clear(r.port);
	rig_pli(&r, m, 900);
	rig_pli(&r, s, 500);
	rig_turn(&r, 100);
	g_assert_cmpuint(rig_rtcp(&r, p, MCU_RTCP_PLI, 77, NULL), ==, 1);
	g_assert_cmpuint(rig_rtcp(&r, m, MCU_RTCP_PLI, 1000, NULL), ==, 1);
	rig_finish(&r);
}

/* No downlink estimate in between: the window alone decides. */
static void window_decides_the_layer(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *m = rig_mix(&r, "m"), *p = rig_publisher(&r, "p");
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, "q,h,f"), ==, 0);
	g_assert_cmpint(rig_sink(&r, "m", "m/x", "v", MCU_VIDEO, 900, 0), ==, 0);
	struct rig_feed f[3] = { rig_vp8(p, 100), rig_vp8(p, 101), rig_vp8(p, 102) };
	for (unsigned i = 0; i < 3; i++) {
		f[i].width = (uint16_t)(320 << i);
		f[i].height = (uint16_t)(180 << i);
		f[i].size = 1000;
	}
	static const struct { int64_t w, h; bool paused; int feed; } rows[] = {
		{ 0, 0, false, 2 }, { 320, 180, false, 0 }, { 640, 360, false, 1 }, { 0, 0, true, -1 }, { 1280, 720, false, 2 },
	};
	for (size_t row = 0; row < G_N_ELEMENTS(rows); row++) {
		g_assert_cmpint(rig_prefer(&r, "m/x", rows[row].w, rows[row].h, 0, rows[row].paused), ==, 0);
		for (unsigned n = 0; n < 60; n++) {
			if (n == 50) {
				fake_net_clear(r.port);
			}
			for (unsigned i = 0; i < 3; i++) {
				rig_frame(&r, &f[i], n % 10 ? RIG_DELTA : RIG_KEY, 10);
			}
			rig_turn(&r, 33);
		}
		unsigned got = rig_count(&r, m, 900);
		g_assert_cmpuint(got, ==, rows[row].paused ? 0 : 100);
		uint32_t from = 0;
		if (got) {
			memcpy(&from, rig_sent(&r, m, 900, 0)->data + rig_sent(&r, m, 900, 0)->rtp.header_len + 14, 4);
			g_assert_cmpuint(from, ==, 100 + (unsigned)rows[row].feed);
		}
	}
	rig_finish(&r);
}

static void sound_level_travels(void)
{
	struct rig r;
	uint8_t len = 0;

	rig_init(&r, NULL);
	mcu_transport *m = rig_mix(&r, "m"), *p = rig_publisher(&r, "p");
	struct rig_feed f = rig_opus(p, 200), mixed = rig_opus(m, 300);
	g_assert_cmpint(rig_audio(&r, "p", "a", 200), ==, 0);
	g_assert_cmpint(rig_audio(&r, "m", "mix.a", 300), ==, 0);
	g_assert_cmpint(rig_sink(&r, "m", "m/x", "a", MCU_AUDIO, 900, 0), ==, 0);
	for (unsigned i = 0; i < 100; i++) {
		rig_sound(&r, &f, 127);
		rig_sound(&r, &mixed, 10);	/* everybody's voices together: nobody's */
		rig_turn(&r, 20);
	}
	const struct fake_sent *s = rig_sent(&r, m, 900, 0);
	g_assert_nonnull(s);
	const uint8_t *level = mcu_rtp_ext_find(&s->rtp, MCU_BRIDGE_EXT_LEVEL, &len);
	g_assert_nonnull(level);
	g_assert_cmpuint(*level & 0x7f, ==, 127);
	g_assert_cmpuint(rig_events(&r, "source.level"), ==, 0);
	rig_finish(&r);
}

static void a_mix_is_no_other_transport(void)
{
	struct rig r;
	struct mcu_transport_open open = { .room = (char *)"r", .transport = (char *)"m" };
	struct mcu_transport_ref ref = { (char *)"r", (char *)"m" };
	struct mcu_dump_reply dump = { 0 };

	rig_init(&r, NULL);
	(void)rig_publisher(&r, "p");
	(void)rig_mix(&r, "m");
	g_assert_cmpint(again(&r, "r", "p"), ==, ERR(CONFLICT));
	g_assert_cmpint(again(&r, "none", "m"), ==, ERR(UNKNOWN_ID));
	g_assert_cmpint(again(&r, "r", NULL), ==, ERR(CONFLICT));
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_OPEN, &open), ==, ERR(CONFLICT));
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_RESTART, &ref), ==, ERR(STATE));
	for (unsigned i = 0; i < 200; i++) {	/* more than another peer may have */
		g_autofree char *id = g_strdup_printf("m/%u", i);
		g_assert_cmpint(rig_sink(&r, "m", id, NULL, MCU_VIDEO, 1000 + i, 0), ==, 0);
	}
	g_assert_true(mcu_rooms_call(r.rooms, MCU_METHOD_DUMP, &open, &dump, r.now, NULL));
	const struct mcu_dump_transport *t = ((struct mcu_dump_room *)dump.rooms.items)->transports.items;
	g_assert_cmpstr(t[0].kind, ==, NULL);
	g_assert_cmpstr(t[1].kind, ==, "mix");
	g_assert_cmpstr(t[1].state, ==, "up");
	g_assert_cmpuint(t[1].sinks.n, ==, 200);
	ort_json_clear(&mcu_table_dump_reply, &dump);
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_CLOSE, &ref), ==, 0);
	rig_finish(&r);
}

#define TEST(name) g_test_add_func("/room/bridge/" #name, name)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TEST(input_waits_for_its_source);
	TEST(input_is_routed_by_name);
	TEST(unsupported_input_is_told);
	TEST(viewers_outlive_the_worker);
	TEST(key_frames_are_asked_for_both_ways);
	TEST(window_decides_the_layer);
	TEST(sound_level_travels);
	TEST(a_mix_is_no_other_transport);
	return g_test_run();
}
