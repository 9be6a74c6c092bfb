/* Reports, key frame requests, clocks, transport-wide feedback. */
#include <string.h>

#include "mcu/base/clock.h"
#include "tests/unit/mcu/room/rig.h"

static void key_frames_are_asked_for_sparingly(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub, *sub;
	struct rig_feed f = rig_one_to_one(&r, 0, &pub, &sub);
	static const struct { int64_t ms; unsigned want; } steps[] = { { 5, 1 }, { 490, 1 }, { 15, 2 }, { 400, 2 }, { 600, 3 },
								      { 400, 3 }, { 300, 4 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
		for (unsigned k = 0; k < 20; k++) {
			rig_pli(&r, sub, 500);
		}
		rig_frame(&r, &f, RIG_DELTA, 1);
		rig_turn(&r, steps[i].ms);
		g_assert_cmpuint(rig_rtcp(&r, pub, MCU_RTCP_PLI, 100, NULL), ==, steps[i].want);
	}
	rig_frame(&r, &f, RIG_KEY, 1);
	rig_turn(&r, 3000);
	g_assert_cmpuint(rig_rtcp(&r, pub, MCU_RTCP_PLI, 100, NULL), ==, 4);
	rig_finish(&r);
}

static void fir_where_pli_is_not_agreed(void)
{
	struct mcu_codec_use codec = { .name = (char *)"VP8", .pt = 96, .fir = true };
	struct mcu_encoding e = { .ssrc = 100 };
	struct mcu_source_add add = { .room = (char *)"r", .transport = (char *)"p", .id = (char *)"v", .kind = MCU_VIDEO,
				      .codecs = { &codec, 1 }, .encodings = { &e, 1 } };
	struct mcu_stream_ref ref = { .room = (char *)"r", .id = (char *)"v" };
	struct mcu_rtcp fir;
	uint32_t ssrc;
	uint8_t seq;
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p");
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SOURCE_ADD, &add), ==, 0);
	g_assert_cmpint(rig_call(&r, MCU_METHOD_KEYFRAME_REQUEST, &ref), ==, 0);
	rig_turn(&r, 5);
	g_assert_cmpuint(rig_rtcp(&r, pub, MCU_RTCP_FIR, 0, &fir), ==, 1);
	g_assert_true(mcu_rtcp_fir(&fir, 0, &ssrc, &seq));
	g_assert_cmpuint(ssrc, ==, 100);
	rig_finish(&r);
}

static void publishers_get_reports(void)
{
	struct mcu_rr_block b;
	struct mcu_rtcp rr;
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p");
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, NULL), ==, 0);
	struct rig_feed f = rig_vp8(pub, 100);
	for (unsigned i = 0; i < 40; i++) {
		rig_packet(&r, &f, i == 0, true, true, i % 4 == 3);
		fake_net_batch(r.port, r.now);
		rig_turn(&r, 30);
	}
	g_assert_cmpuint(rig_rtcp(&r, pub, MCU_RTCP_SDES, 0, NULL), >=, 1);
	for (unsigned i = 0; i < fake_net_sent(r.port); i++) {
		const struct fake_sent *s = fake_net_get(r.port, i);
		size_t pos = 0;
		if (mcu_rtcp_next(s->data, s->len, &pos, &rr) == 1 && mcu_rtcp_report(&rr, 0, &b)) {
			break;
		}
	}
	g_assert_cmpuint(b.ssrc, ==, 100);
	g_assert_cmpuint(b.fraction_lost, >=, 55);
	g_assert_cmpuint(b.fraction_lost, <=, 70);
	rig_finish(&r);
}

struct heard { unsigned n; };

static void count_one(uint16_t seq, int64_t at_us, void *ud)
{
	((struct heard *)ud)->n += at_us != INT64_MIN;
}

static void publishers_get_transport_wide_feedback(void)
{
	struct heard heard = { 0 };
	struct rig r;
	unsigned reports = 0;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p");
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, NULL), ==, 0);
	struct rig_feed f = rig_vp8(pub, 100);
	for (unsigned i = 0; i < 30; i++) {
		rig_frame(&r, &f, i == 0, 4);
		rig_turn(&r, 33);
	}
	rig_turn(&r, 200);
	for (unsigned i = 0; i < fake_net_sent(r.port); i++) {
		const struct fake_sent *s = fake_net_get(r.port, i);
		struct mcu_rtcp got;
		for (size_t pos = 0; s->rtcp && mcu_rtcp_next(s->data, s->len, &pos, &got) == 1;) {
			if (got.kind == MCU_RTCP_TWCC) {
				reports++;
				g_assert_cmpint(mcu_rtcp_twcc_walk(&got, count_one, &heard), ==, 0);
			}
		}
	}
	g_assert_cmpuint(heard.n, ==, 120);
	g_assert_cmpuint(reports, >=, 8);
	g_assert_cmpuint(reports, <=, 12);
	/* nothing arrives, nothing is said */
	fake_net_clear(r.port);
	rig_turn(&r, 1000);
	g_assert_cmpuint(rig_rtcp(&r, pub, MCU_RTCP_TWCC, 0, NULL), ==, 0);
	rig_finish(&r);
}

/* The publisher's clock is an hour off; its sound and picture share one capture time. Both sinks must tell the receiver
 * the same NTP time for it, although their RTP times were moved by different amounts. */
static void sound_and_picture_stay_together(void)
{
	struct mcu_rtcp sa, sv;
	uint8_t out[128];
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p"), *sub = rig_receiver(&r, "s");
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, NULL), ==, 0);
	g_assert_cmpint(rig_audio(&r, "p", "a", 200), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "kv", "v", MCU_VIDEO, 500, 501), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "ka", "a", MCU_AUDIO, 600, 0), ==, 0);
	struct rig_feed v = rig_vp8(pub, 100), a = rig_opus(pub, 200);
	uint32_t v0 = v.ts, a0 = a.ts;	/* captured at the same moment */
	uint64_t ntp = UINT64_C(0xe9000000) << 32;

	rig_frame(&r, &v, RIG_KEY, 2);
	rig_sound(&r, &a, 20);
	uint32_t v_out = rig_sent(&r, sub, 500, 0)->rtp.ts, a_out = rig_sent(&r, sub, 600, 0)->rtp.ts;
	for (unsigned i = 0; i < 2; i++) {
		/* reports that came by different roads: the picture's is 20 ms late */
		rig_turn(&r, i ? 20 : 50);
		size_t pos = 0;
		uint64_t at = ntp + (UINT64_C(50) << 32) / 1000;
		g_assert_cmpint(mcu_rtcp_write_sr(out, sizeof(out), &pos, i ? 100 : 200, at,
						  i ? v0 + 4500 : a0 + 2400, 1, 1, NULL, 0), ==, 0);
		fake_net_rtcp(pub, out, pos, r.now);
	}
	fake_net_clear(r.port);
	for (unsigned i = 0; i < 40; i++) {
		rig_turn(&r, 33);
		rig_frame(&r, &v, RIG_DELTA, 1);
	}
	g_assert_cmpuint(rig_rtcp(&r, sub, MCU_RTCP_SR, 500, &sv), >=, 1);
	g_assert_cmpuint(rig_rtcp(&r, sub, MCU_RTCP_SR, 600, &sa), >=, 1);
	g_assert_cmpuint(sv.ntp, ==, sa.ntp);
	double video_s = (int32_t)(sv.rtp_ts - v_out) / 90000.0, audio_s = (int32_t)(sa.rtp_ts - a_out) / 48000.0;
	g_assert_cmpfloat(ABS(video_s - audio_s), <, 0.001);
	/* and the report is of our clock, not of the publisher's */
	int64_t wall_s = (int64_t)(sv.ntp >> 32) - 2208988800;
	g_assert_cmpint(ABS(wall_s - ort_wall_ms() / 1000), <=, 1);
	rig_finish(&r);
}

static void round_trip_is_measured(void)
{
	struct mcu_rr_block b = { .ssrc = 500 };
	struct mcu_stats_reply stats = { 0 };
	struct mcu_room_ref ref = { .room = (char *)"r" };
	struct mcu_rtcp sr;
	uint8_t out[128];
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p"), *sub = rig_receiver(&r, "s");
	g_assert_cmpint(rig_audio(&r, "p", "a", 200), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "k", "a", MCU_AUDIO, 500, 0), ==, 0);
	struct rig_feed a = rig_opus(pub, 200);
	for (unsigned i = 0; i < 60; i++) {
		rig_sound(&r, &a, 20);
		fake_net_clear(r.port);
		rig_turn(&r, 1000);
		g_assert_cmpuint(rig_rtcp(&r, sub, MCU_RTCP_SR, 500, &sr), ==, 1);
		/* the report left within the last second; the receiver says it held it so long that 40 ms remain */
		uint32_t now = (uint32_t)((((uint64_t)ort_wall_ms() * 1000) % 65536000000) * 65536 / 1000000);
		uint32_t sent = (uint32_t)(sr.ntp >> 16);
		b.last_sr = sent;
		b.delay_sr = (uint32_t)((now + (UINT32_C(2208988800) << 16)) - sent) - 40 * 65536 / 1000;
		size_t pos = 0;
		g_assert_cmpint(mcu_rtcp_write_rr(out, sizeof(out), &pos, 1, &b, 1), ==, 0);
		fake_net_rtcp(sub, out, pos, r.now);
	}
	g_assert_true(mcu_rooms_call(r.rooms, MCU_METHOD_STATS_GET, &ref, &stats, r.now, NULL));
	const struct mcu_room_stats_event *s = stats.rooms.items;
	const struct mcu_stream_stats *st = s->streams.items;
	g_assert_cmpint(st[1].rtt_ms, >=, 38);
	g_assert_cmpint(st[1].rtt_ms, <=, 45);
	ort_json_clear(&mcu_table_stats_reply, &stats);
	rig_finish(&r);
}

static void broken_rtcp_is_counted(void)
{
	static const uint8_t broken[] = { 0x81, 0xc9, 0, 1, 1, 1, 1, 1, 0xff };
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p");
	fake_net_rtcp(pub, broken, sizeof(broken), r.now);
	g_assert_cmpint(rig_counter(&r, "room_bad_rtcp"), ==, 1);
	rig_finish(&r);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(fn) g_test_add_func("/room/rtcp/" #fn, fn)
	ADD(key_frames_are_asked_for_sparingly);
	ADD(fir_where_pli_is_not_agreed);
	ADD(publishers_get_reports);
	ADD(publishers_get_transport_wide_feedback);
	ADD(sound_and_picture_stay_together);
	ADD(round_trip_is_measured);
	ADD(broken_rtcp_is_counted);
	return g_test_run();
}
