/* What a receiver gets: beginnings, continuity, header extensions, late joiners, retransmissions. */
#include <string.h>

#include "tests/unit/mcu/room/rig.h"

static uint16_t picture_of(const struct fake_sent *s)
{
	const uint8_t *p = s->data + s->rtp.header_len;

	g_assert_cmpuint(p[0] & 0x80, ==, 0x80);
	return (uint16_t)((p[2] & 0x7f) << 8 | p[3]);
}

/* The i-th packet's successor has the next number. */
static void assert_numbers(const struct rig *r, const mcu_transport *t, uint32_t ssrc)
{
	const struct fake_sent *a = rig_sent(r, t, ssrc, 0), *b;

	for (unsigned i = 1; a && (b = rig_sent(r, t, ssrc, i)); i++, a = b) {
		g_assert_cmpuint((uint16_t)(a->rtp.seq + 1), ==, b->rtp.seq);
	}
}

static void begins_at_a_key_frame(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub, *sub;
	struct rig_feed f = rig_one_to_one(&r, 0, &pub, &sub);

	rig_frame(&r, &f, RIG_DELTA, 2);
	rig_turn(&r, 10);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 0);
	g_assert_cmpuint(rig_rtcp(&r, pub, MCU_RTCP_PLI, 100, NULL), ==, 1);
	g_assert_cmpstr(rig_event(&r, "source.up"), ==, "source.up v");

	rig_frame(&r, &f, RIG_KEY, 3);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 3);
	g_assert_cmpuint(rig_events(&r, "sink.first_keyframe k v"), ==, 1);
	rig_frame(&r, &f, RIG_DELTA, 2);
	rig_frame(&r, &f, RIG_KEY, 2);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 7);
	g_assert_cmpuint(rig_events(&r, "sink.first_keyframe"), ==, 1);
	assert_numbers(&r, sub, 500);
	const struct fake_sent *s = rig_sent(&r, sub, 500, 2);
	g_assert_cmpuint(s->rtp.pt, ==, 120);
	g_assert_true(s->rtp.marker);
	g_assert_cmpuint(rig_sent(&r, sub, 500, 3)->rtp.ts - s->rtp.ts, ==, 3000);
	rig_finish(&r);
}

static void extensions_are_those_of_the_receiver(void)
{
	struct rig r;
	uint8_t len;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p"), *sub = rig_receiver(&r, "s"), *plain = rig_plain_receiver(&r, "q");
	g_assert_cmpint(rig_audio(&r, "p", "a", 100), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "k1", "a", MCU_AUDIO, 500, 0), ==, 0);
	g_assert_cmpint(rig_sink(&r, "q", "k2", "a", MCU_AUDIO, 600, 0), ==, 0);
	struct rig_feed f = rig_opus(pub, 100);

	rig_sound(&r, &f, 30);
	rig_turn(&r, 20);
	rig_sound(&r, &f, 31);
	const struct fake_sent *a = rig_sent(&r, sub, 500, 0), *b = rig_sent(&r, sub, 500, 1);
	const uint8_t *v = mcu_rtp_ext_find(&a->rtp, SUB_MID, &len);
	g_assert_cmpmem(v, len, "k1", 2);
	v = mcu_rtp_ext_find(&a->rtp, SUB_LEVEL, &len);
	g_assert_cmpuint(*v, ==, 30);
	v = mcu_rtp_ext_find(&a->rtp, SUB_ABS, &len);
	const uint8_t *w = mcu_rtp_ext_find(&b->rtp, SUB_ABS, &len);
	g_assert_cmpuint(len, ==, 3);
	unsigned passed = (unsigned)((w[0] << 16 | w[1] << 8 | w[2]) - (v[0] << 16 | v[1] << 8 | v[2]));
	g_assert_cmpuint(passed, >=, 20 * 262 - 2);	/* 2^18 a second */
	g_assert_cmpuint(passed, <=, 20 * 263);
	v = mcu_rtp_ext_find(&a->rtp, SUB_TWCC, &len);
	w = mcu_rtp_ext_find(&b->rtp, SUB_TWCC, &len);
	g_assert_cmpuint((w[0] << 8 | w[1]) - (v[0] << 8 | v[1]), ==, 1);
	a = rig_sent(&r, plain, 600, 0);
	v = mcu_rtp_ext_find(&a->rtp, SUB_MID, &len);
	g_assert_cmpmem(v, len, "k2", 2);
	g_assert_cmpuint(a->rtp.ext_len, ==, 4);
	rig_finish(&r);
}

static void another_source_goes_on_where_the_first_stopped(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p"), *sub = rig_receiver(&r, "s");
	g_assert_cmpint(rig_video(&r, "p", "v1", 100, 0, NULL), ==, 0);
	g_assert_cmpint(rig_video(&r, "p", "v2", 200, 0, NULL), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "k", "v1", MCU_VIDEO, 500, 501), ==, 0);
	struct rig_feed f1 = rig_vp8(pub, 100), f2 = rig_vp8(pub, 200);

	rig_frame(&r, &f1, RIG_KEY, 2);
	rig_turn(&r, 40);
	rig_frame(&r, &f1, RIG_DELTA, 2);
	g_assert_cmpint(rig_route(&r, "k", "v2"), ==, 0);
	rig_frame(&r, &f2, RIG_DELTA, 1);
	rig_turn(&r, 40);
	g_assert_cmpuint(rig_rtcp(&r, pub, MCU_RTCP_PLI, 200, NULL), ==, 1);
	rig_frame(&r, &f1, RIG_DELTA, 2);
	rig_frame(&r, &f2, RIG_KEY, 2);
	rig_turn(&r, 40);
	rig_frame(&r, &f2, RIG_DELTA, 1);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 7);
	assert_numbers(&r, sub, 500);
	for (unsigned i = 1; i < 7; i++) {
		const struct fake_sent *a = rig_sent(&r, sub, 500, i - 1), *b = rig_sent(&r, sub, 500, i);
		g_assert_cmpuint((uint16_t)(picture_of(b) - picture_of(a)), <=, 1);
		g_assert_cmpuint(b->rtp.ts - a->rtp.ts, <=, 90 * 45);
	}
	/* 40 ms passed between the last of v1 and the first of v2: 3600 ticks */
	g_assert_cmpuint(rig_sent(&r, sub, 500, 4)->rtp.ts - rig_sent(&r, sub, 500, 3)->rtp.ts, ==, 3600);
	g_assert_cmpuint(rig_events(&r, "sink.first_keyframe k v1"), ==, 1);
	g_assert_cmpuint(rig_events(&r, "sink.first_keyframe k v2"), ==, 1);
	rig_finish(&r);
}

static void a_lost_packet_keeps_its_number(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub, *sub;
	struct rig_feed f = rig_one_to_one(&r, 101, &pub, &sub);
	f.rtx_ssrc = 101;

	rig_packet(&r, &f, true, true, false, false);
	uint16_t lost = f.seq;
	rig_packet(&r, &f, true, false, false, true);
	rig_packet(&r, &f, true, false, true, false);
	fake_net_batch(r.port, r.now);
	g_assert_cmpuint(rig_events(&r, "sink.first_keyframe"), ==, 0);
	rig_turn(&r, 10);
	struct mcu_rtcp nack;
	uint16_t asked[4];
	g_assert_cmpuint(rig_rtcp(&r, pub, MCU_RTCP_NACK, 100, &nack), ==, 1);
	g_assert_cmpuint(mcu_rtcp_nack_seqs(&nack, asked, 4), ==, 1);
	g_assert_cmpuint(asked[0], ==, lost);
	rig_rtx(&r, &f, lost, f.ts, true, false, false);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 3);
	const struct fake_sent *a = rig_sent(&r, sub, 500, 0), *b = rig_sent(&r, sub, 500, 2);
	g_assert_cmpuint((uint16_t)(b->rtp.seq - a->rtp.seq), ==, 1);
	g_assert_cmpuint(b->rtp.ts, ==, a->rtp.ts);
	g_assert_cmpuint(rig_events(&r, "sink.first_keyframe"), ==, 1);
	/* again, and the original too: nothing leaves twice */
	rig_rtx(&r, &f, lost, f.ts, true, false, false);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 3);
	g_assert_cmpint(rig_counter(&r, "room_duplicate"), ==, 1);
	rig_turn(&r, 300);
	g_assert_cmpuint(rig_rtcp(&r, pub, MCU_RTCP_NACK, 100, NULL), ==, 1);
	rig_finish(&r);
}

static void nack_is_answered_by_rtx(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub, *sub;
	struct rig_feed f = rig_one_to_one(&r, 0, &pub, &sub);

	rig_frame(&r, &f, RIG_KEY, 3);
	const struct fake_sent *orig = rig_sent(&r, sub, 500, 1);
	rig_turn(&r, 1000);
	rig_nack(&r, sub, 500, orig->rtp.seq);
	g_assert_cmpuint(rig_count(&r, sub, 501), ==, 1);
	const struct fake_sent *x = rig_sent(&r, sub, 501, 0);
	const uint8_t *p = x->data + x->rtp.header_len;
	g_assert_cmpuint(x->rtp.pt, ==, 121);
	g_assert_cmpuint(x->rtp.ts, ==, orig->rtp.ts);
	g_assert_cmpuint(p[0] << 8 | p[1], ==, orig->rtp.seq);
	g_assert_cmpmem(p + 2, x->rtp.payload_len - 2, orig->data + orig->rtp.header_len, orig->rtp.payload_len);
	/* at once again: refused; later: a new number */
	rig_nack(&r, sub, 500, orig->rtp.seq);
	g_assert_cmpuint(rig_count(&r, sub, 501), ==, 1);
	rig_turn(&r, 100);
	rig_nack(&r, sub, 500, orig->rtp.seq);
	g_assert_cmpuint(rig_count(&r, sub, 501), ==, 2);
	g_assert_cmpuint((uint16_t)(rig_sent(&r, sub, 501, 1)->rtp.seq - x->rtp.seq), ==, 1);
	/* a number that was never sent, and one of long ago */
	rig_nack(&r, sub, 500, (uint16_t)(orig->rtp.seq + 1000));
	rig_nack(&r, sub, 500, (uint16_t)(orig->rtp.seq - 1000));
	g_assert_cmpuint(rig_count(&r, sub, 501), ==, 2);
	g_assert_cmpint(rig_counter(&r, "room_nack_gone"), ==, 2);
	rig_finish(&r);
}

static void rtx_after_a_switch_still_finds_the_old_layer(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p"), *sub = rig_receiver(&r, "s");
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, "q,h"), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "k", "v", MCU_VIDEO, 500, 501), ==, 0);
	struct rig_feed q = rig_vp8(pub, 100), h = rig_vp8(pub, 101);
	q.width = 320, q.height = 180;
	h.width = 640, h.height = 360;
	rig_prefer(&r, "k", 320, 180, 0, false);
	rig_frame(&r, &q, RIG_KEY, 2);
	rig_turn(&r, 10);
	rig_frame(&r, &h, RIG_KEY, 2);
	rig_turn(&r, 10);
	const struct fake_sent *old = rig_sent(&r, sub, 500, 1);
	uint16_t seq = old->rtp.seq, pic = picture_of(old);
	rig_prefer(&r, "k", 1280, 720, 0, false);
	rig_turn(&r, 700);
	rig_frame(&r, &h, RIG_KEY, 2);
	g_assert_cmpstr(rig_event(&r, "sink.layer"), ==, "sink.layer k v h");
	rig_nack(&r, sub, 500, seq);
	const struct fake_sent *x = rig_sent(&r, sub, 501, 0);
	g_assert_nonnull(x);
	const uint8_t *p = x->data + x->rtp.header_len + 2;
	g_assert_cmpuint((p[2] & 0x7f) << 8 | p[3], ==, pic);
	rig_finish(&r);
}

static void nack_without_rtx_is_not_answered(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p"), *sub = rig_plain_receiver(&r, "s");
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, NULL), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "k", "v", MCU_VIDEO, 500, 0), ==, 0);
	struct rig_feed f = rig_vp8(pub, 100);
	rig_frame(&r, &f, RIG_KEY, 3);
	rig_nack(&r, sub, 500, rig_sent(&r, sub, 500, 1)->rtp.seq);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 3);
	g_assert_cmpint(rig_counter(&r, "room_nack_no_rtx"), ==, 1);
	rig_finish(&r);
}

static void retransmissions_are_bounded(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub, *sub;
	struct rig_feed f = rig_one_to_one(&r, 0, &pub, &sub);
	f.size = 1200;
	rig_frame(&r, &f, RIG_KEY, 400);
	uint16_t first = rig_sent(&r, sub, 500, 0)->rtp.seq;
	rig_turn(&r, 1000);
	for (unsigned i = 0; i < 400; i++) {
		rig_nack(&r, sub, 500, (uint16_t)(first + i));
	}
	/* 64 KB at once, no more */
	g_assert_cmpuint(rig_count(&r, sub, 501), ==, 53);
	rig_finish(&r);
}

static void a_late_joiner_gets_the_kept_key_frame(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p"), *sub = rig_receiver(&r, "s");
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, NULL), ==, 0);
	struct rig_feed f = rig_vp8(pub, 100);
	rig_frame(&r, &f, RIG_KEY, 3);
	rig_turn(&r, 100);
	rig_frame(&r, &f, RIG_DELTA, 2);
	g_assert_cmpint(rig_sink(&r, "s", "k", "v", MCU_VIDEO, 500, 501), ==, 0);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 5);
	g_assert_cmpuint(rig_events(&r, "sink.first_keyframe k v"), ==, 1);
	rig_turn(&r, 30);
	rig_frame(&r, &f, RIG_DELTA, 2);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 7);
	assert_numbers(&r, sub, 500);
	g_assert_cmpuint(rig_rtcp(&r, pub, MCU_RTCP_PLI, 100, NULL), ==, 0);
	rig_finish(&r);
}

static const struct { const char *name; unsigned key, deltas, lost; int64_t after_ms; } uncached_rows[] = {
	{ "too-old", 3, 1, 0, 700 },
	{ "too-many-packets", 3, 100, 0, 10 },
	{ "a-packet-is-missing", 3, 1, 1, 10 },
	{ "too-large", 60, 1, 0, 10 },
};

static void a_late_joiner_asks_otherwise(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p"), *sub = rig_receiver(&r, "s");
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, NULL), ==, 0);
	struct rig_feed f = rig_vp8(pub, 100);
	f.size = 1100;
	rig_frame(&r, &f, RIG_KEY, uncached_rows[i].key);
	for (unsigned k = 0; k < uncached_rows[i].deltas; k++) {
		rig_frame(&r, &f, RIG_DELTA, 1);
	}
	for (unsigned k = 0; k < uncached_rows[i].lost; k++) {
		rig_packet(&r, &f, false, true, true, true);
		rig_frame(&r, &f, RIG_DELTA, 1);
	}
	rig_turn(&r, uncached_rows[i].after_ms);
	g_assert_cmpint(rig_sink(&r, "s", "k", "v", MCU_VIDEO, 500, 501), ==, 0);
	rig_turn(&r, 10);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 0);
	g_assert_cmpuint(rig_rtcp(&r, pub, MCU_RTCP_PLI, 100, NULL), ==, 1);
	rig_frame(&r, &f, RIG_KEY, 2);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 2);
	rig_finish(&r);
}

static void a_source_that_restarts_its_numbers_is_taken_up_anew(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub, *sub;
	struct rig_feed f = rig_one_to_one(&r, 0, &pub, &sub);
	f.seq = 30000;
	rig_frame(&r, &f, RIG_KEY, 2);
	f.seq = 100;
	f.ts = 5;
	rig_frame(&r, &f, RIG_DELTA, 1);
	rig_frame(&r, &f, RIG_DELTA, 1);
	rig_turn(&r, 30);
	rig_frame(&r, &f, RIG_KEY, 2);
	rig_frame(&r, &f, RIG_DELTA, 1);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 5);
	assert_numbers(&r, sub, 500);
	g_assert_cmpint(rig_counter(&r, "room_resync"), ==, 1);
	rig_finish(&r);
}

static void paused_source_and_paused_sink_resume_at_a_key_frame(void)
{
	struct mcu_source_pause pause = { .room = (char *)"r", .id = (char *)"v", .on = true };
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub, *sub;
	struct rig_feed f = rig_one_to_one(&r, 0, &pub, &sub);
	rig_frame(&r, &f, RIG_KEY, 2);
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SOURCE_PAUSE, &pause), ==, 0);
	rig_turn(&r, 1000);
	rig_frame(&r, &f, RIG_KEY, 2);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 2);
	rig_turn(&r, 1000);
	pause.on = false;
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SOURCE_PAUSE, &pause), ==, 0);
	rig_frame(&r, &f, RIG_DELTA, 2);
	rig_turn(&r, 10);
	g_assert_cmpuint(rig_rtcp(&r, pub, MCU_RTCP_PLI, 100, NULL), >=, 1);
	rig_frame(&r, &f, RIG_KEY, 2);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 4);
	rig_prefer(&r, "k", 0, 0, 0, true);
	rig_turn(&r, 1000);
	rig_frame(&r, &f, RIG_KEY, 2);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 4);
	rig_turn(&r, 1000);
	rig_prefer(&r, "k", 0, 0, 0, false);
	rig_frame(&r, &f, RIG_DELTA, 2);
	rig_frame(&r, &f, RIG_KEY, 2);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 6);
	assert_numbers(&r, sub, 500);
	rig_finish(&r);
}

static void receivers_are_served_one_after_the_other(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p");
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, NULL), ==, 0);
	g_assert_cmpint(rig_audio(&r, "p", "a", 200), ==, 0);
	for (unsigned i = 0; i < 5; i++) {
		g_autofree char *t = g_strdup_printf("s%u", i), *v = g_strdup_printf("v%u", i), *a = g_strdup_printf("a%u", i);
		rig_receiver(&r, t);
		g_assert_cmpint(rig_sink(&r, t, v, "v", MCU_VIDEO, 500, 501), ==, 0);
		g_assert_cmpint(rig_sink(&r, t, a, "a", MCU_AUDIO, 600, 0), ==, 0);
	}
	struct rig_feed f = rig_vp8(pub, 100);
	rig_turn(&r, 10);
	fake_net_clear(r.port);
	rig_frame(&r, &f, RIG_KEY, 6);
	g_assert_cmpuint(fake_net_sent(r.port), ==, 30);
	g_assert_cmpuint(fake_net_runs(r.port), ==, 5);
	rig_finish(&r);
}

static void congested_tcp_peer_waits_for_a_key_frame(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub, *sub;
	struct rig_feed f = rig_one_to_one(&r, 0, &pub, &sub);
	rig_frame(&r, &f, RIG_KEY, 2);
	fake_net_congest(sub, true);
	rig_frame(&r, &f, RIG_DELTA, 2);
	rig_turn(&r, 600);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 2);
	g_assert_cmpuint(rig_rtcp(&r, pub, MCU_RTCP_PLI, 100, NULL), >=, 1);
	rig_frame(&r, &f, RIG_KEY, 2);
	fake_net_congest(sub, false);
	rig_frame(&r, &f, RIG_DELTA, 2);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 6);
	assert_numbers(&r, sub, 500);
	rig_finish(&r);
}

static void a_number_is_never_used_twice_after_removal(void)
{
	struct mcu_stream_ref ref = { .room = (char *)"r", .id = (char *)"k" };
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub, *sub;
	struct rig_feed f = rig_one_to_one(&r, 0, &pub, &sub);
	rig_frame(&r, &f, RIG_KEY, 3);
	rig_turn(&r, 1000);
	uint16_t last = rig_sent(&r, sub, 500, 2)->rtp.seq;
	rig_nack(&r, sub, 500, last);
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SINK_REMOVE, &ref), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "k2", "v", MCU_VIDEO, 500, 501), ==, 0);
	rig_frame(&r, &f, RIG_KEY, 3);
	g_assert_cmpuint(rig_sent(&r, sub, 500, 3)->rtp.seq, ==, (uint16_t)(last + 1));
	rig_turn(&r, 1000);
	rig_nack(&r, sub, 500, (uint16_t)(last + 1));	/* the fake compares the RTX numbers */
	g_assert_cmpuint(rig_count(&r, sub, 501), ==, 2);
	rig_finish(&r);
}

static void a_sink_on_a_transport_that_is_not_up_waits(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p"), *sub = rig_receiver(&r, "s");
	fake_net_state(sub, "disconnected", r.now);
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, NULL), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "k", "v", MCU_VIDEO, 500, 501), ==, 0);
	struct rig_feed f = rig_vp8(pub, 100);
	rig_frame(&r, &f, RIG_KEY, 3);
	g_assert_cmpuint(rig_events(&r, "sink.first_keyframe"), ==, 0);
	rig_turn(&r, 100);
	fake_net_state(sub, "up", r.now);
	g_assert_cmpuint(rig_events(&r, "sink.first_keyframe"), ==, 1);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 3);
	rig_finish(&r);
}

/* H.264: parameter set 67, slice of a key frame 65, other slice 41 */
static void send_nal(struct rig *r, struct rig_feed *f, uint8_t nal, bool marker, bool lost)
{
	struct mcu_rtp h = { .pt = 102, .marker = marker, .seq = f->seq++, .ts = f->ts, .ssrc = f->ssrc };
	static const uint8_t sps[] = { 0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x28, 0x02, 0xdd, 0x00, 0xf0, 0x88, 0x46, 0xa0 };
	uint8_t out[64];

	int n = mcu_rtp_write_header(out, sizeof(out), &h, NULL, 0);
	memcpy(out + n, sps, sizeof(sps));
	out[n] = nal;
	out[n + 1] = nal == 0x67 ? sps[1] : 0x80;
	if (!lost) {
		fake_net_rtp(f->t, out, (size_t)n + sizeof(sps), r->now);
		fake_net_batch(r->port, r->now);
	}
	f->ts += marker ? f->step : 0;
}

static void h264_begins_with_its_parameter_set(void)
{
	struct mcu_codec_use codec = { .name = (char *)"H264", .pt = 102, .pli = true,
				       .fmtp = (char *)"profile-level-id=42e01f;packetization-mode=1" };
	struct mcu_encoding e = { .ssrc = 100 };
	struct mcu_source_add add = { .room = (char *)"r", .transport = (char *)"p", .id = (char *)"v", .kind = MCU_VIDEO,
				      .codecs = { &codec, 1 }, .encodings = { &e, 1 } };
	struct mcu_sink_add sink = { .room = (char *)"r", .transport = (char *)"s", .id = (char *)"k", .kind = MCU_VIDEO,
				     .source = (char *)"v", .ssrc = 500, .codecs = { &codec, 1 } };
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p"), *sub = rig_receiver(&r, "s");
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SOURCE_ADD, &add), ==, 0);
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SINK_ADD, &sink), ==, 0);
	struct rig_feed f = rig_vp8(pub, 100);

	send_nal(&r, &f, 0x41, true, false);
	send_nal(&r, &f, 0x67, false, true);	/* the set is lost: the key frame behind it begins nothing */
	send_nal(&r, &f, 0x65, true, false);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 0);
	send_nal(&r, &f, 0x67, false, false);
	send_nal(&r, &f, 0x68, false, false);
	send_nal(&r, &f, 0x65, true, false);
	send_nal(&r, &f, 0x41, true, false);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 4);
	g_assert_cmpuint(rig_sent(&r, sub, 500, 0)->data[rig_sent(&r, sub, 500, 0)->rtp.header_len], ==, 0x67);
	g_assert_cmpuint(rig_events(&r, "sink.first_keyframe k v"), ==, 1);
	assert_numbers(&r, sub, 500);
	rig_finish(&r);
}

static void large_extension_ids_take_the_two_byte_form(void)
{
	struct mcu_ext_use ext[] = { { .uri = (char *)mcu_ext_uri(MCU_EXT_MID), .id = 20 },
				     { .uri = (char *)mcu_ext_uri(MCU_EXT_AUDIO_LEVEL), .id = 3 } };
	struct mcu_transport_open open = { .room = (char *)"r", .transport = (char *)"s" };
	struct mcu_transport_connect connect = {
		.room = (char *)"r", .transport = (char *)"s", .ice_ufrag = (char *)"u", .ice_pwd = (char *)"p",
		.fingerprint = (char *)"AA", .extensions = { ext, 2 },
	};
	uint8_t len = 0;
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p");
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_OPEN, &open), ==, 0);
	mcu_transport *sub = fake_net_last(r.port);
	ext[1].id = 20;
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_CONNECT, &connect), ==, 1 + MCU_ERROR_INVALID);
	ext[1].id = 3;
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_CONNECT, &connect), ==, 0);
	fake_net_state(sub, "up", r.now);
	g_assert_cmpint(rig_audio(&r, "p", "a", 100), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "ka", "a", MCU_AUDIO, 500, 0), ==, 0);
	struct rig_feed f = rig_opus(pub, 100);
	rig_sound(&r, &f, 33);
	const struct fake_sent *s = rig_sent(&r, sub, 500, 0);
	g_assert_cmpuint(s->rtp.ext_profile, ==, 0x1000);
	const uint8_t *v = mcu_rtp_ext_find(&s->rtp, 20, &len);
	g_assert_cmpmem(v, len, "ka", 2);
	v = mcu_rtp_ext_find(&s->rtp, 3, &len);
	g_assert_cmpuint(*v, ==, 33);
	rig_finish(&r);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(fn) g_test_add_func("/room/forward/" #fn, fn)
	ADD(begins_at_a_key_frame);
	ADD(extensions_are_those_of_the_receiver);
	ADD(another_source_goes_on_where_the_first_stopped);
	ADD(a_lost_packet_keeps_its_number);
	ADD(nack_is_answered_by_rtx);
	ADD(rtx_after_a_switch_still_finds_the_old_layer);
	ADD(nack_without_rtx_is_not_answered);
	ADD(retransmissions_are_bounded);
	ADD(a_late_joiner_gets_the_kept_key_frame);
	ADD(a_source_that_restarts_its_numbers_is_taken_up_anew);
	ADD(paused_source_and_paused_sink_resume_at_a_key_frame);
	ADD(receivers_are_served_one_after_the_other);
	ADD(congested_tcp_peer_waits_for_a_key_frame);
	ADD(a_number_is_never_used_twice_after_removal);
	ADD(h264_begins_with_its_parameter_set);
	ADD(large_extension_ids_take_the_two_byte_form);
	ADD(a_sink_on_a_transport_that_is_not_up_waits);
	for (size_t i = 0; i < G_N_ELEMENTS(uncached_rows); i++) {
		g_autofree char *path = g_strconcat("/room/forward/late_joiner_asks/", uncached_rows[i].name, NULL);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), a_late_joiner_asks_otherwise);
	}
	return g_test_run();
}
