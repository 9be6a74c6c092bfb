/* Rooms, transports and streams as the control protocol sees them: repeats, conflicts, limits, closings, who owns a packet. */
#include <string.h>

#include "tests/unit/mcu/room/rig.h"

#define ERR(id) (1 + MCU_ERROR_##id)

static void equal_repeats_are_no_error(void)
{
	struct mcu_room_open room = { .room = (char *)"r" };
	struct mcu_transport_open open = { .room = (char *)"r", .transport = (char *)"p" };
	struct mcu_transport_reply a = { 0 }, b = { 0 };
	struct rig r;

	rig_init(&r, NULL);
	g_assert_cmpint(rig_call(&r, MCU_METHOD_ROOM_OPEN, &room), ==, 0);
	room.max_transports = 3;
	g_assert_cmpint(rig_call(&r, MCU_METHOD_ROOM_OPEN, &room), ==, ERR(CONFLICT));
	g_assert_true(mcu_rooms_call(r.rooms, MCU_METHOD_TRANSPORT_OPEN, &open, &a, r.now, NULL));
	g_assert_true(mcu_rooms_call(r.rooms, MCU_METHOD_TRANSPORT_OPEN, &open, &b, r.now, NULL));
	g_assert_cmpstr(a.ice_ufrag, ==, b.ice_ufrag);
	g_assert_cmpuint(a.candidates.n, ==, 1);
	g_assert_true(a.ice_lite);
	g_assert_cmpuint(fake_net_transports(r.port), ==, 1);
	ort_json_clear(&mcu_table_transport_reply, &a);
	ort_json_clear(&mcu_table_transport_reply, &b);
	open.max_bps = 5;
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_OPEN, &open), ==, ERR(CONFLICT));
	for (unsigned i = 0; i < 2; i++) {
		g_assert_cmpint(rig_video(&r, "p", "v", 100, 101, NULL), ==, 0);
		g_assert_cmpint(rig_sink(&r, "p", "k", "v", MCU_VIDEO, 500, 501), ==, 0);
	}
	g_assert_cmpint(rig_route(&r, "k", NULL), ==, 0);
	g_assert_cmpint(rig_sink(&r, "p", "k", "v", MCU_VIDEO, 500, 501), ==, 0);	/* the route stays as it is now */
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 102, NULL), ==, ERR(CONFLICT));
	g_assert_cmpint(rig_sink(&r, "p", "k", "v", MCU_VIDEO, 500, 502), ==, ERR(CONFLICT));
	rig_finish(&r);
}

static void full_agents_take_candidates(void)
{
	struct mcu_room_open room = { .room = (char *)"r" };
	struct mcu_transport_open open = { .room = (char *)"r", .transport = (char *)"p", .kind = (char *)"agent" };
	struct mcu_transport_candidate line = { .room = (char *)"r", .transport = (char *)"p", .candidate = (char *)"rubbish" };
	struct mcu_transport_reply reply = { 0 };
	struct rig r;

	rig_init(&r, NULL);
	g_assert_cmpint(rig_call(&r, MCU_METHOD_ROOM_OPEN, &room), ==, 0);
	g_assert_true(mcu_rooms_call(r.rooms, MCU_METHOD_TRANSPORT_OPEN, &open, &reply, r.now, NULL));
	g_assert_false(reply.ice_lite);
	ort_json_clear(&mcu_table_transport_reply, &reply);
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_CANDIDATE, &line), ==, ERR(INVALID));
	line.candidate = (char *)"candidate:1 1 udp 2130706431 192.0.2.7 9 typ host";
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_CANDIDATE, &line), ==, 0);
	open.transport = (char *)"q";
	open.turn = (char *)"rubbish";
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_OPEN, &open), ==, ERR(LIMIT));
	open.kind = (char *)"other";
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_OPEN, &open), ==, ERR(INVALID));
	rig_finish(&r);
}

static void unknown_names_are_told(void)
{
	struct mcu_stream_ref none = { .room = (char *)"r", .id = (char *)"x" };
	struct mcu_room_ref room = { .room = (char *)"x" };
	struct mcu_transport_ref transport = { .room = (char *)"r", .transport = (char *)"x" };
	struct rig r;

	rig_init(&r, NULL);
	g_assert_cmpint(rig_call(&r, MCU_METHOD_ROOM_CLOSE, &room), ==, ERR(UNKNOWN_ID));
	g_assert_cmpint(rig_call(&r, MCU_METHOD_STATS_GET, &room), ==, ERR(UNKNOWN_ID));
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_CLOSE, &transport), ==, ERR(UNKNOWN_ID));
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_RESTART, &transport), ==, ERR(UNKNOWN_ID));
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SOURCE_REMOVE, &none), ==, ERR(UNKNOWN_ID));
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SINK_REMOVE, &none), ==, ERR(UNKNOWN_ID));
	g_assert_cmpint(rig_call(&r, MCU_METHOD_KEYFRAME_REQUEST, &none), ==, ERR(UNKNOWN_ID));
	g_assert_cmpint(rig_video(&r, "x", "v", 1, 0, NULL), ==, ERR(UNKNOWN_ID));
	g_assert_cmpint(rig_route(&r, "x", NULL), ==, ERR(UNKNOWN_ID));
	rig_publisher(&r, "p");
	g_assert_cmpint(rig_sink(&r, "p", "k", "x", MCU_VIDEO, 500, 0), ==, ERR(UNKNOWN_ID));
	g_assert_cmpint(rig_call(&r, MCU_METHOD_HELLO, &none), ==, ERR(INVALID));
	rig_finish(&r);
}

static void nonsense_is_refused(void)
{
	struct rig r;

	rig_init(&r, NULL);
	rig_publisher(&r, "p");
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, NULL), ==, 0);
	g_assert_cmpint(rig_audio(&r, "p", "a", 200), ==, 0);
	g_assert_cmpint(rig_audio(&r, "p", "a2", 200), ==, ERR(CONFLICT));	/* the SSRC is taken */
	g_assert_cmpint(rig_sink(&r, "p", "k", "a", MCU_VIDEO, 500, 0), ==, ERR(INVALID));
	g_assert_cmpint(rig_sink(&r, "p", "k", "v", MCU_VIDEO, 0, 0), ==, ERR(INVALID));
	g_assert_cmpint(rig_sink(&r, "p", "k", "v", MCU_VIDEO, 500, 500), ==, ERR(INVALID));
	g_assert_cmpint(rig_sink(&r, "p", "a-mid-that-is-too-long", "v", MCU_VIDEO, 500, 0), ==, ERR(INVALID));
	g_assert_cmpint(rig_sink(&r, "p", "k", "v", MCU_VIDEO, 500, 0), ==, 0);
	g_assert_cmpint(rig_sink(&r, "p", "k2", "v", MCU_VIDEO, 500, 0), ==, ERR(CONFLICT));
	g_assert_cmpint(rig_route(&r, "k", "a"), ==, ERR(INVALID));
	rig_finish(&r);
}

static void codecs_must_meet(void)
{
	struct mcu_codec_use h264 = { .name = (char *)"H264", .pt = 102,
				      .fmtp = (char *)"profile-level-id=640c1f;packetization-mode=1" };
	struct mcu_codec_use base = { .name = (char *)"H264", .pt = 104,
				      .fmtp = (char *)"profile-level-id=42e01f;packetization-mode=1" };
	struct mcu_codec_use av1 = { .name = (char *)"AV1", .pt = 45 };
	struct mcu_source_add add = { .room = (char *)"r", .transport = (char *)"p", .id = (char *)"v", .kind = MCU_VIDEO,
				      .codecs = { &av1, 1 } };
	struct mcu_sink_add sink = { .room = (char *)"r", .transport = (char *)"p", .id = (char *)"k", .kind = MCU_VIDEO,
				     .source = (char *)"v", .ssrc = 9, .codecs = { &base, 1 } };
	struct rig r;

	rig_init(&r, NULL);
	rig_publisher(&r, "p");
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SOURCE_ADD, &add), ==, ERR(NO_CODEC));
	add.codecs = (struct ort_json_array){ &h264, 1 };
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SOURCE_ADD, &add), ==, 0);
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SINK_ADD, &sink), ==, ERR(NO_CODEC));
	add.id = (char *)"v2";
	add.codecs = (struct ort_json_array){ &base, 1 };
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SOURCE_ADD, &add), ==, 0);
	sink.source = (char *)"v2";
	sink.codecs = (struct ort_json_array){ &h264, 1 };	/* constrained baseline plays everywhere */
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SINK_ADD, &sink), ==, 0);
	rig_finish(&r);
}

static void limits_hold(void)
{
	struct mcu_room_limits limits = { .max_rooms = 2, .max_transports = 3, .max_streams = 4 };
	struct mcu_room_open room = { .room = (char *)"r2" };
	struct mcu_transport_open t = { .room = (char *)"r", .transport = (char *)"x" };
	struct rig r;

	rig_init(&r, &limits);
	g_assert_cmpint(rig_call(&r, MCU_METHOD_ROOM_OPEN, &room), ==, 0);
	room.room = (char *)"r3";
	g_assert_cmpint(rig_call(&r, MCU_METHOD_ROOM_OPEN, &room), ==, ERR(LIMIT));
	rig_publisher(&r, "p1");
	rig_publisher(&r, "p2");
	rig_publisher(&r, "p3");
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_OPEN, &t), ==, ERR(LIMIT));
	g_assert_cmpint(rig_video(&r, "p1", "v", 0, 0, "a,b,c,d,e"), ==, ERR(LIMIT));
	g_assert_cmpint(rig_video(&r, "p1", "v", 0, 0, "a,b,c,d"), ==, 0);
	g_assert_cmpint(rig_audio(&r, "p1", "a", 200), ==, 0);
	g_assert_cmpint(rig_sink(&r, "p1", "k1", NULL, MCU_VIDEO, 500, 0), ==, 0);
	g_assert_cmpint(rig_sink(&r, "p1", "k2", NULL, MCU_VIDEO, 501, 0), ==, 0);
	g_assert_cmpint(rig_sink(&r, "p1", "k3", NULL, MCU_VIDEO, 502, 0), ==, ERR(LIMIT));
	g_assert_cmpint(rig_audio(&r, "p1", "a2", 201), ==, ERR(LIMIT));
	rig_finish(&r);
}

static void mid_and_rid_find_the_layer(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p"), *sub = rig_receiver(&r, "s");
	g_assert_cmpint(rig_video(&r, "p", "v", 0, 0, "q,h"), ==, 0);
	g_assert_cmpint(rig_video(&r, "p", "w", 0, 0, "q,h"), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "k", "w", MCU_VIDEO, 500, 501), ==, 0);
	struct rig_feed f = rig_vp8(pub, 777);
	rig_frame(&r, &f, RIG_KEY, 1);	/* the payload type is of two sources: nobody's */
	g_assert_cmpint(rig_counter(&r, "room_unknown_ssrc"), ==, 1);
	f.mid = "w";
	f.rid = "x";
	rig_frame(&r, &f, RIG_KEY, 1);
	g_assert_cmpint(rig_counter(&r, "room_unknown_ssrc"), ==, 2);
	f.rid = "q";
	rig_frame(&r, &f, RIG_KEY, 1);
	rig_turn(&r, 10);
	g_assert_cmpstr(rig_event(&r, "source.up"), ==, "source.up w");
	f.mid = f.rid = NULL;	/* once latched the SSRC is enough */
	rig_frame(&r, &f, RIG_KEY, 1);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 2);
	rig_finish(&r);
}

static void a_flood_of_ssrcs_takes_nothing_over(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p"), *sub = rig_receiver(&r, "s");
	g_assert_cmpint(rig_video(&r, "p", "v", 0, 0, NULL), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "k", "v", MCU_VIDEO, 500, 501), ==, 0);
	struct rig_feed f = rig_vp8(pub, 100);
	rig_frame(&r, &f, RIG_KEY, 2);	/* by payload type: the only source */
	for (uint32_t i = 0; i < 20000; i++) {
		struct rig_feed x = rig_vp8(pub, 1000 + i);
		x.mid = i & 1 ? "v" : NULL;
		rig_packet(&r, &x, true, true, true, false);
	}
	rig_frame(&r, &f, RIG_DELTA, 2);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 4);
	g_assert_cmpint(rig_counter(&r, "room_unknown_ssrc"), ==, 20000);
	/* a second of silence, then the publisher comes back with another SSRC */
	rig_turn(&r, 1500);
	struct rig_feed again = rig_vp8(pub, 5000000);
	rig_frame(&r, &again, RIG_KEY, 2);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 6);
	rig_finish(&r);
}

static void unknown_payload_types_are_dropped(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p");
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, NULL), ==, 0);
	struct rig_feed f = rig_vp8(pub, 100);
	f.pt = 35;
	rig_frame(&r, &f, RIG_KEY, 3);
	g_assert_cmpint(rig_counter(&r, "room_unknown_pt"), ==, 3);
	g_assert_cmpuint(rig_events(&r, "source.up"), ==, 0);
	rig_finish(&r);
}

static void silence_and_bye_stall_a_source(void)
{
	uint8_t bye[32];
	size_t pos = 0;
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p");
	g_assert_cmpint(rig_audio(&r, "p", "a", 100), ==, 0);
	struct rig_feed f = rig_opus(pub, 100);
	rig_sound(&r, &f, 60);
	rig_turn(&r, 1900);
	g_assert_cmpuint(rig_events(&r, "source.stalled"), ==, 0);
	rig_turn(&r, 600);
	g_assert_cmpuint(rig_events(&r, "source.stalled a"), ==, 1);
	rig_turn(&r, 5000);
	g_assert_cmpuint(rig_events(&r, "source.stalled a"), ==, 1);
	rig_sound(&r, &f, 60);
	g_assert_cmpuint(rig_events(&r, "source.up a"), ==, 2);
	g_assert_cmpint(mcu_rtcp_write_bye(bye, sizeof(bye), &pos, 100), ==, 0);
	fake_net_rtcp(pub, bye, pos, r.now);
	g_assert_cmpuint(rig_events(&r, "source.stalled a"), ==, 2);
	struct rig_feed g = rig_opus(pub, 101);
	rig_sound(&r, &g, 60);
	g_assert_cmpuint(rig_events(&r, "source.up a"), ==, 3);
	rig_finish(&r);
}

static void removing_a_source_leaves_silent_sinks(void)
{
	struct mcu_stream_ref ref = { .room = (char *)"r", .id = (char *)"v" };
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub, *sub;
	struct rig_feed f = rig_one_to_one(&r, 0, &pub, &sub);
	rig_frame(&r, &f, RIG_KEY, 3);
	uint16_t last = rig_sent(&r, sub, 500, 2)->rtp.seq;
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SOURCE_REMOVE, &ref), ==, 0);
	rig_frame(&r, &f, RIG_DELTA, 3);
	rig_nack(&r, sub, 500, last);
	rig_pli(&r, sub, 500);
	rig_turn(&r, 3000);
	g_assert_cmpuint(rig_count(&r, sub, 500), ==, 3);
	g_assert_cmpuint(rig_count(&r, sub, 501), ==, 0);
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, NULL), ==, 0);
	g_assert_cmpint(rig_route(&r, "k", "v"), ==, 0);
	rig_frame(&r, &f, RIG_KEY, 3);
	g_assert_cmpuint(rig_sent(&r, sub, 500, 3)->rtp.seq, ==, (uint16_t)(last + 1));
	rig_finish(&r);
}

static const char *const closing_rows[] = { "p,s", "s,p", "p", "s", "room", "" };

static void any_order_of_closing_is_safe(gconstpointer data)
{
	g_auto(GStrv) steps = g_strsplit(data, ",", -1);
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p");
	rig_receiver(&r, "s");
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, "q,h"), ==, 0);
	g_assert_cmpint(rig_audio(&r, "p", "a", 200), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "k", "v", MCU_VIDEO, 500, 501), ==, 0);
	g_assert_cmpint(rig_sink(&r, "p", "own", "v", MCU_VIDEO, 600, 601), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "ka", "a", MCU_AUDIO, 502, 0), ==, 0);
	struct rig_feed f = rig_vp8(pub, 100), a = rig_opus(pub, 200);
	rig_frame(&r, &f, RIG_KEY, 3);
	rig_sound(&r, &a, 10);
	rig_turn(&r, 500);
	unsigned told = r.events->len;
	for (unsigned i = 0; steps[i]; i++) {
		struct mcu_transport_ref t = { .room = (char *)"r", .transport = steps[i] };
		struct mcu_room_ref room = { .room = (char *)"r" };
		int rc = !strcmp(steps[i], "room") ? rig_call(&r, MCU_METHOD_ROOM_CLOSE, &room) :
						     rig_call(&r, MCU_METHOD_TRANSPORT_CLOSE, &t);
		g_assert_cmpint(rc, ==, 0);
		g_assert_cmpuint(r.events->len, ==, told);	/* closed by the parent: silent */
		rig_turn(&r, 1100);
		told = r.events->len;
	}
	rig_finish(&r);
}

static void dump_and_stats_name_everything(void)
{
	struct mcu_empty none = { 0 };
	struct mcu_room_ref ref = { .room = (char *)"r" };
	struct mcu_dump_reply dump = { 0 };
	struct mcu_stats_reply stats = { 0 };
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *pub = rig_publisher(&r, "p");
	rig_receiver(&r, "s");
	g_assert_cmpint(rig_video(&r, "p", "v", 100, 0, NULL), ==, 0);
	g_assert_cmpint(rig_sink(&r, "s", "k", "v", MCU_VIDEO, 500, 501), ==, 0);
	struct rig_feed f = rig_vp8(pub, 100);
	rig_frame(&r, &f, RIG_KEY, 3);
	for (unsigned i = 0; i < 90; i++) {
		rig_turn(&r, 33);
		rig_frame(&r, &f, RIG_DELTA, 3);
	}
	g_assert_true(mcu_rooms_call(r.rooms, MCU_METHOD_DUMP, &none, &dump, r.now, NULL));
	const struct mcu_dump_room *room = dump.rooms.items;
	const struct mcu_dump_transport *t = room->transports.items;
	g_assert_cmpuint(room->transports.n, ==, 2);
	g_assert_cmpstr(t[0].state, ==, "up");
	g_assert_cmpuint(t[0].sources.n, ==, 1);
	const struct mcu_dump_stream *k = t[1].sinks.items;
	g_assert_cmpstr(k->route, ==, "v");
	g_assert_true(k->up);
	ort_json_clear(&mcu_table_dump_reply, &dump);
	g_assert_true(mcu_rooms_call(r.rooms, MCU_METHOD_STATS_GET, &ref, &stats, r.now, NULL));
	const struct mcu_room_stats_event *s = stats.rooms.items;
	const struct mcu_stream_stats *st = s->streams.items;
	g_assert_cmpuint(s->streams.n, ==, 2);
	g_assert_cmpint(st[0].packets, ==, 273);
	g_assert_cmpint(st[1].packets, ==, 273);
	g_assert_cmpint(st[0].keyframes, ==, 1);
	g_assert_cmpint(st[0].bitrate_bps, >, 60000);	/* 30 frames of 300 bytes */
	g_assert_cmpint(st[0].bitrate_bps, <, 80000);
	ort_json_clear(&mcu_table_stats_reply, &stats);
	g_assert_cmpuint(rig_events(&r, "room.stats"), ==, 1);
	rig_finish(&r);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(fn) g_test_add_func("/room/control/" #fn, fn)
	ADD(equal_repeats_are_no_error);
	ADD(full_agents_take_candidates);
	ADD(unknown_names_are_told);
	ADD(nonsense_is_refused);
	ADD(codecs_must_meet);
	ADD(limits_hold);
	ADD(mid_and_rid_find_the_layer);
	ADD(a_flood_of_ssrcs_takes_nothing_over);
	ADD(unknown_payload_types_are_dropped);
	ADD(silence_and_bye_stall_a_source);
	ADD(removing_a_source_leaves_silent_sinks);
	ADD(dump_and_stats_name_everything);
	for (size_t i = 0; i < G_N_ELEMENTS(closing_rows); i++) {
		g_autofree char *path = g_strconcat("/room/control/closing/", *closing_rows[i] ? closing_rows[i] : "all", NULL);
		g_test_add_data_func(path, closing_rows[i], any_order_of_closing_is_safe);
	}
	return g_test_run();
}
