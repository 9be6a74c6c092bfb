/* The application with a fake engine and fake legs: who is called, what the engine is told to mix, who is fed what. */
#include "tests/unit/gateway/app/house.h"

/* ---- cases ---- */
static void two_parties_are_mixed(void)
{
	struct house h;
	house_init(&h);
	const char *id = open_conference(&h, NULL), *a = call(&h, id, "sip:a@x"), *b = call(&h, id, "sip:b@x");
	answers(&h, a);
	answers(&h, b);
	assert_state(&h, a, GW_SITE_PRESENT);
	g_assert_cmpuint(count(&h, id, "inputs"), ==, 4);
	g_assert_cmpuint(count(&h, id, "views"), ==, 1);
	g_assert_cmpuint(count(&h, id, "outputs"), ==, 3);	/* one picture for both and the monitor, two sounds */
	g_autofree char *layout = row(&h, id, "views", "program", "layout");
	g_assert_cmpstr(layout, ==, "\"2\"");
	g_autofree char *out = g_strdup_printf("mix.%s.a.%s", id, a), *member = row(&h, id, "outputs", out, "member");
	g_assert_cmpstr(member, ==, "\"p-1\"");
	g_assert_cmpstr(gw_app_mix_fed(h.app, a, "main"), ==, "mix.conf1.v.program.H264.720");
	g_assert_cmpstr(gw_app_mix_fed(h.app, a, "audio"), ==, out);
	g_assert_nonnull(strstr(((struct gw_fake_leg *)leg_of(&h, a))->did->str, "feed\n"));
	house_finish(&h);
}

static void mute_and_volume_reach_the_mix(void)
{
	struct house h;
	house_init(&h);
	const char *id = open_conference(&h, NULL), *a = call(&h, id, "sip:a@x");
	answers(&h, a);
	g_assert_true(gw_party_mic_mute(h.app->domain, "u:duty", id, a, true, gw_app_now(), NULL));
	g_assert_true(gw_party_speaker_mute(h.app->domain, "u:duty", id, a, true, gw_app_now(), NULL));
	settle();
	g_autofree char *in = g_strconcat(leg_of(&h, a)->party, ".audio", NULL), *out = g_strdup_printf("mix.%s.a.%s", id, a);
	g_autofree char *muted = row(&h, id, "inputs", in, "mute"), *deaf = row(&h, id, "outputs", out, "mute");
	g_assert_cmpstr(muted, ==, "true");
	g_assert_cmpstr(deaf, ==, "true");
	house_finish(&h);
}

static void leaving_takes_it_out(void)
{
	struct house h;
	house_init(&h);
	const char *id = open_conference(&h, NULL), *a = call(&h, id, "sip:a@x"), *b = call(&h, id, "sip:b@x");
	answers(&h, a);
	answers(&h, b);
	(void)gw_leg_enter(leg_of(&h, a), GW_LEG_ENDED, "bye");
	settle();
	assert_state(&h, a, GW_SITE_ABSENT);
	g_assert_null(gw_app_party_leg(h.app, a));
	g_assert_cmpuint(count(&h, id, "inputs"), ==, 2);
	g_assert_true(gw_conference_close(h.app->domain, "u:duty", id, "over", gw_app_now(), NULL));
	settle();
	g_assert_false(kit_fake_engine_has_mix(h.engine, GW_HALL, id));
	g_assert_null(gw_app_party_leg(h.app, b));
	house_finish(&h);
}

static void reasons_are_words(void)
{
	static const struct { const char *why; enum gw_site_state state; const char *words; } rows[] = {
		{ "486 Busy Here", GW_SITE_REFUSED, "busy" },	{ "404 Not Found", GW_SITE_UNREACHABLE, "no such number" },
		{ "488", GW_SITE_FAILED, "no common codec" },	{ "transport_failed", GW_SITE_FAILED, "transport_failed" },
	};
	struct house h;
	house_init(&h);
	const char *id = open_conference(&h, NULL), *a = call(&h, id, "sip:a@x");
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		(void)gw_leg_enter(leg_of(&h, a), GW_LEG_ENDED, rows[n].why);
		assert_state(&h, a, rows[n].state);
		g_autoptr(json_t) p = gw_party_print(h.app->domain, a);
		g_assert_cmpstr(json_string_value(json_object_get(p, "why")), ==, rows[n].words);
		g_assert_cmpint(gw_party_call_absent(h.app->domain, "u:duty", id, gw_app_now(), NULL), ==, 1);
	}
	settle();
	house_finish(&h);
}

static gw_leg *comes_in(struct house *h, const char *number, unsigned *ret_status)
{
	struct gw_call_in in = { .number = number, .from = "sip:hall@x", .name = "会议室", .agent = "Room 1", .address = "sip:hall@x",
				 .kind = GW_PARTY_SIP };
	g_autofree char *prefix = gw_app_call_decide(h->app, &in, ret_status);
	if (prefix == NULL) {
		return NULL;
	}
	gw_leg *leg = make_leg(h, prefix, prefix, NULL);
	(void)gw_leg_enter(leg, GW_LEG_CALLING, NULL);
	(void)gw_leg_enter(leg, GW_LEG_RINGING, NULL);
	gw_app_call_came(h->app, leg);
	publish(leg);
	(void)gw_leg_enter(leg, GW_LEG_UP, NULL);
	settle();
	return leg;
}

static void password_is_dialled(void)
{
	struct house h;
	unsigned status = 0;
	house_init(&h);
	const char *id = open_conference(&h, "4711");
	g_assert_null(comes_in(&h, "9999", &status));
	g_assert_cmpuint(status, ==, 404);
	gw_leg *leg = comes_in(&h, "8001", &status);
	g_assert_cmpuint(count(&h, id, "inputs"), ==, 0);	/* nobody hears it before */
	g_assert_true(kit_fake_engine_has_mix(h.engine, GW_HALL, leg->party));
	gw_leg_dtmf_came(leg, "12#47");
	gw_leg_dtmf_came(leg, "11#");
	settle();
	const char *party = gw_party_by_address(h.app->domain, id, "sip:hall@x");
	g_assert_nonnull(party);
	assert_state(&h, party, GW_SITE_PRESENT);
	g_assert_false(kit_fake_engine_has_mix(h.engine, GW_HALL, leg->party));
	g_assert_cmpuint(count(&h, id, "inputs"), ==, 2);
	house_finish(&h);
}

static void third_wrong_password_hangs_up(void)
{
	struct house h;
	unsigned status = 0;
	house_init(&h);
	const char *id = open_conference(&h, "4711");
	gw_leg *leg = comes_in(&h, "8001", &status);
	gw_leg_dtmf_came(leg, "1#2#3#");
	g_assert_cmpint(gw_leg_get_state(leg), ==, GW_LEG_ENDED);
	settle();
	g_assert_null(gw_party_by_address(h.app->domain, id, "sip:hall@x"));
	g_assert_null(comes_in(&h, "8001", &status));
	g_assert_cmpuint(status, ==, 403);
	house_finish(&h);
}

static void rebooted_endpoint_takes_over(void)
{
	struct house h;
	unsigned status = 0;
	house_init(&h);
	const char *id = open_conference(&h, NULL);
	g_autofree char *first = g_strdup(comes_in(&h, "8001", &status)->party);
	gw_leg *again = comes_in(&h, "8001", &status);
	const char *party = gw_party_by_address(h.app->domain, id, "sip:hall@x");
	g_assert_true(gw_app_party_leg(h.app, party) == again);
	g_assert_cmpuint(count(&h, id, "inputs"), ==, 2);
	g_assert_cmpstr(first, !=, again->party);
	house_finish(&h);
}

static void slides_without_second_video_are_in_the_picture(void)
{
	struct house h;
	house_init(&h);
	const char *id = open_conference(&h, NULL), *a = call(&h, id, "sip:a@x"), *b = call(&h, id, "sip:b@x");
	answers(&h, a);
	answers(&h, b);
	gw_app_floor_heard(h.app, leg_of(&h, a), GW_SIP_FLOOR_ASKED);
	g_autofree char *slides = g_strconcat(leg_of(&h, a)->party, ".slides", NULL);
	gw_leg_stream(leg_of(&h, a), slides, MCU_VIDEO, MCU_CONTENT_SLIDES, true);
	settle();
	g_assert_cmpstr(gw_content_holder(h.app->domain, id), ==, a);
	g_assert_cmpstr(gw_app_mix_fed(h.app, b, "main"), ==, "mix.conf1.v.content.H264.720");
	g_autofree char *in = row(&h, id, "inputs", slides, "content");
	g_assert_cmpstr(in, ==, "\"slides\"");
	gw_app_floor_heard(h.app, leg_of(&h, b), GW_SIP_FLOOR_ASKED);	/* waits */
	gw_app_floor_heard(h.app, leg_of(&h, a), GW_SIP_FLOOR_GIVEN_BACK);
	g_assert_cmpstr(gw_content_holder(h.app->domain, id), ==, b);
	g_autofree char *told = g_strdup_printf("%s:grant %s:taken %s:free %s:free %s:grant %s:taken ", leg_of(&h, a)->party,
						leg_of(&h, b)->party, leg_of(&h, a)->party, leg_of(&h, b)->party, leg_of(&h, b)->party,
						leg_of(&h, a)->party);
	g_assert_cmpstr(h.floor->str, ==, told);
	house_finish(&h);
}

/* The peer's floor and our token are one: what is heard of it, who holds ours then (a: our room, city, or nobody), what the peer is told. */
static void floor_of_another_system_is_our_token(void)
{
	enum { LOCK = -1, UNLOCK = -2, TAKE = -3 };
	static const struct { int news; const char *holder, *told; } rows[] = {
		{ TAKE, "a", "taken " },			  /* ours presents: the peer's floor is asked for */
		{ GW_SIP_FLOOR_PRESENTS, "city", "free grant " }, /* both at once: its word counts, ours is given back */
		{ GW_SIP_FLOOR_PRESENTS, "city", "" },		  { GW_SIP_FLOOR_ENDS, "", "free " },
		{ TAKE, "a", "taken " },			  { GW_SIP_FLOOR_TAKEN_BACK, "", "free " },
		{ TAKE, "a", "taken " },			  { GW_SIP_FLOOR_REFUSED, "", "free " },
		{ GW_SIP_FLOOR_REFUSED, "", "" },		  { LOCK, "", "" },
		{ GW_SIP_FLOOR_PRESENTS, "", "" },		  { UNLOCK, "city", "grant " },
		{ GW_SIP_FLOOR_TAKEN_BACK, "city", "" },
	};
	struct house h;
	house_init(&h);
	const char *id = open_conference(&h, NULL), *a = call(&h, id, "sip:a@x");
	struct gw_party_facts f = { .name = "市局", .address = "trunk:city/8001", .kind = GW_PARTY_TRUNK };
	const char *city = gw_party_call(h.app->domain, "u:duty", id, &f, gw_app_now(), NULL);
	answers(&h, a);
	answers(&h, city);
	gw_leg *leg = leg_of(&h, city);
	g_autofree char *mark = g_strconcat(leg->party, ":", NULL);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_string_truncate(h.floor, 0);
		if (rows[n].news == TAKE) {
			g_assert_true(gw_content_take(h.app->domain, "u:duty", id, a, false, gw_app_now(), NULL));
		} else if (rows[n].news == LOCK || rows[n].news == UNLOCK) {
			g_assert_true(gw_content_lock(h.app->domain, "u:duty", id, rows[n].news == LOCK, gw_app_now(), NULL));
		} else {
			gw_app_floor_heard(h.app, leg, (enum gw_sip_floor_news)rows[n].news);
		}
		const char *holder = gw_content_holder(h.app->domain, id);
		const char *want = rows[n].holder[0] == '\0' ? NULL : rows[n].holder[0] == 'a' ? a : city;
		g_assert_cmpstr(holder, ==, want);
		g_auto(GStrv) words = g_strsplit(h.floor->str, " ", 0);
		g_autoptr(GString) told = g_string_new(NULL);
		for (char **w = words; *w != NULL; w++) {
			if (g_str_has_prefix(*w, mark)) {
				g_string_append_printf(told, "%s ", *w + strlen(mark));
			}
		}
		g_assert_cmpstr(told->str, ==, rows[n].told);
	}
	house_finish(&h);
}

static void late_peer_learns_of_the_presenter(void)
{
	struct house h;
	house_init(&h);
	const char *id = open_conference(&h, NULL), *a = call(&h, id, "sip:a@x");
	answers(&h, a);
	g_assert_true(gw_content_take(h.app->domain, "u:duty", id, a, false, gw_app_now(), NULL));
	g_string_truncate(h.floor, 0);
	const char *b = call(&h, id, "sip:b@x");
	answers(&h, b);
	g_autofree char *told = g_strconcat(leg_of(&h, b)->party, ":taken ", NULL);
	g_assert_cmpstr(h.floor->str, ==, told);
	house_finish(&h);
}

static void trunk_does_not_see_itself(void)
{
	struct house h;
	house_init(&h);
	const char *id = open_conference(&h, NULL), *a = call(&h, id, "sip:a@x");
	struct gw_party_facts f = { .name = "市局", .address = "trunk:city/8001", .kind = GW_PARTY_TRUNK };
	const char *city = gw_party_call(h.app->domain, "u:duty", id, &f, gw_app_now(), NULL);
	answers(&h, a);
	answers(&h, city);
	g_assert_cmpstr(gw_app_mix_fed(h.app, a, "main"), ==, "mix.conf1.v.program.H264.720");
	g_assert_cmpstr(gw_app_mix_fed(h.app, city, "main"), ==, "mix.conf1.v.but.p-2.H264.720.p-2");
	g_autofree char *layout = row(&h, id, "views", "but.p-2", "layout"), *cells = row(&h, id, "views", "but.p-2", "cells");
	g_assert_cmpstr(layout, ==, "\"1\"");
	g_assert_null(strstr(cells, city));
	/* the same system calls back into the conference that it is linked with */
	unsigned status = 0;
	struct gw_call_in in = { .number = "8001", .from = "sip:x@y", .address = "trunk:city/sip:x@y", .bridge = "city", .kind = GW_PARTY_TRUNK };
	g_assert_null(gw_app_call_decide(h.app, &in, &status));
	g_assert_cmpuint(status, ==, 482);
	house_finish(&h);
}

static void trunk_row_says_its_layout(void)
{
	struct house h;
	house_init_with(&h, "name=city address=sip:mcu.example layout=4");
	const char *id = open_conference(&h, NULL), *a = call(&h, id, "sip:a@x");
	struct gw_party_facts f = { .name = "市局", .address = "trunk:city/8001", .kind = GW_PARTY_TRUNK };
	const char *city = gw_party_call(h.app->domain, "u:duty", id, &f, gw_app_now(), NULL);
	answers(&h, a);
	answers(&h, city);
	g_autofree char *layout = row(&h, id, "views", city, "layout"), *cells = row(&h, id, "views", city, "cells");
	g_assert_cmpstr(layout, ==, "\"4\"");
	g_assert_cmpstr(gw_app_mix_fed(h.app, city, "main"), ==, "mix.conf1.v.p-2.H264.720.p-2");
	g_assert_nonnull(strstr(cells, a));
	g_assert_null(strstr(cells, city));	/* not its own picture */
	house_finish(&h);
}

/* Which number is called when a trunk that had called in is called back. */
static void trunks_are_called_back_by_number(void)
{
	static const struct { const char *address, *where; } rows[] = {
		{ "trunk:city/sip:8002@192.0.2.9", "trunk:city/9000" }, { "trunk:any/sip:8002@192.0.2.9", "trunk:any/8002" },
		{ "trunk:any/8003", "trunk:any/8003" },			{ "sip:a@x", "sip:a@x" },
	};
	struct house h;
	house_init_with(&h, "name=city address=sip:a.example conference=9000,name=any address=sip:b.example conference=any");
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_autofree char *where = gw_app_where(h.app, rows[n].address);
		g_assert_cmpstr(where, ==, rows[n].where);
	}
	house_finish(&h);
}

/* Who was there and can be called is called by the next process; who only has an address of the moment is left. */
static void callers_in_are_called_back(void)
{
	static const struct { const char *address; bool back; } rows[] = {
		{ "device:room1", true }, { "trunk:city/sip:8002@192.0.2.9", true }, { "sip:hall@x", false },
	};
	struct house h;
	house_init_with(&h, "name=city address=sip:a.example conference=9000");
	g_autofree char *id = g_strdup(open_conference(&h, NULL));
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		struct gw_party_facts f = { .name = rows[n].address, .address = rows[n].address, .kind = n == 1 ? GW_PARTY_TRUNK : GW_PARTY_SIP };
		const char *party = gw_party_enter(h.app->domain, "gateway", id, &f, gw_app_now(), NULL);
		g_assert_true(gw_party_state(h.app->domain, party, GW_SITE_PRESENT, NULL, gw_app_now()));
	}
	settle();
	gw_app_stop(h.app, false);
	start(&h);
	settle();
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		const char *party = gw_party_by_address(h.app->domain, id, rows[n].address);
		g_autoptr(json_t) p = gw_party_print(h.app->domain, party);
		g_assert_cmpstr(json_string_value(json_object_get(p, "direction")), ==, rows[n].back ? "out" : "in");
		g_assert_true(rows[n].back == (gw_app_party_leg(h.app, party) != NULL));
	}
	house_finish(&h);
}

static void keys_in_the_conference(void)
{
	struct house h;
	house_init(&h);
	const char *id = open_conference(&h, NULL), *a = call(&h, id, "sip:a@x");
	answers(&h, a);
	static const struct { const char *keys; bool muted, asks; } rows[] = {
		{ "6", false, false }, { "*", false, false }, { "6", true, false }, { "*6", false, false }, { "*9", false, true },
		{ "*9", false, false }, { "*1", false, true }, { "*2", false, false }, { "***6", true, false }, { "6", true, false },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_leg_dtmf_came(leg_of(&h, a), rows[n].keys);
		g_autoptr(json_t) p = gw_party_print(h.app->domain, a);
		g_test_message("%u: %s", n, rows[n].keys);
		g_assert_true(json_is_true(json_object_get(p, "mic_muted")) == rows[n].muted);
		g_assert_true(gw_floor_is_asking(h.app->domain, a) == rows[n].asks);
	}
	/* what the dispatcher shut stays shut */
	gw_leg_dtmf_came(leg_of(&h, a), "*6");
	g_assert_true(gw_party_mic_mute(h.app->domain, "u:duty", id, a, true, gw_app_now(), NULL));
	gw_leg_dtmf_came(leg_of(&h, a), "*6");
	g_autoptr(json_t) p = gw_party_print(h.app->domain, a);
	g_assert_true(json_is_true(json_object_get(p, "mic_muted")));
	house_finish(&h);
}

static void speaker_sees_the_one_before(void)
{
	struct house h;
	house_init(&h);
	const char *id = open_conference(&h, NULL), *a = call(&h, id, "sip:a@x"), *b = call(&h, id, "sip:b@x");
	struct gw_view_look one = { .layout = "1" };
	answers(&h, a);
	answers(&h, b);
	g_assert_true(gw_view_layout(h.app->domain, "u:duty", id, "program", &one, false, gw_app_now(), NULL));
	gw_conference_speaker(h.app->domain, id, b);
	settle();
	g_assert_cmpstr(gw_app_mix_fed(h.app, a, "main"), ==, "mix.conf1.v.program.H264.720");
	g_assert_cmpstr(gw_app_mix_fed(h.app, b, "main"), ==, "mix.conf1.v.program.H264.720.p-2");
	house_finish(&h);
}

/* Names in place of what a peer without H.264 asked for, and the picture in VP8 as long as one is fed by it. */
static void without_h264_the_view_is_vp8(void)
{
	static const struct { const char *stream; unsigned codecs; const char *instead; } rows[] = {
		{ "mix.conf1.v.program.H264.720", 1u << MCU_CODEC_VP8, "mix.conf1.v.program.VP8.720" },
		{ "mix.conf1.v.p-1.H264.360.p-1", 1u << MCU_CODEC_VP8 | 1u << MCU_CODEC_OPUS, "mix.conf1.v.p-1.VP8.360" },
		{ "mix.conf1.v.program.H264.720", 1u << MCU_CODEC_VP8 | 1u << MCU_CODEC_H264, NULL },
		{ "mix.conf1.v.program.H264.720", 1u << MCU_CODEC_H265, NULL },
		{ "mix.conf1.a.p-1", 1u << MCU_CODEC_VP8, NULL }, { "scene.video", 1u << MCU_CODEC_VP8, NULL },
	};
	const char *const vp8 = "mix.conf1.v.program.VP8.720", *const junk = "mix.conf1.v.nothing.VP8.720";
	struct house h;
	house_init(&h);
	const char *id = open_conference(&h, NULL), *a = call(&h, id, "sip:a@x");
	answers(&h, a);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_autofree char *instead = gw_app_stream_instead(rows[n].stream, rows[n].codecs, h.app);
		g_assert_cmpstr(instead, ==, rows[n].instead);
	}
	unsigned before = count(&h, id, "outputs");
	gw_app_stream_fed(vp8, true, h.app);
	gw_app_stream_fed(vp8, true, h.app);
	gw_app_stream_fed(junk, true, h.app);
	settle();
	g_autofree char *codec = row(&h, id, "outputs", vp8, "codec");
	g_assert_cmpstr(codec, ==, "\"VP8\"");
	g_assert_cmpuint(count(&h, id, "outputs"), ==, before + 1);
	gw_app_stream_fed(vp8, false, h.app);
	settle();
	g_assert_cmpuint(count(&h, id, "outputs"), ==, before + 1);
	gw_app_stream_fed(vp8, false, h.app);
	settle();
	g_assert_cmpuint(count(&h, id, "outputs"), ==, before);
	house_finish(&h);
}

static void another_engine_is_told_all_again(void)
{
	struct house h;
	house_init(&h);
	const char *id = open_conference(&h, NULL), *a = call(&h, id, "sip:a@x");
	answers(&h, a);
	kit_fake_engine_die(h.engine);
	settle();
	g_assert_false(kit_fake_engine_has_mix(h.engine, GW_HALL, id));
	kit_fake_engine_revive(h.engine);
	for (int n = 0; n < 100 && !kit_fake_engine_has_mix(h.engine, GW_HALL, id); n++) {
		settle();
	}
	settle();
	g_assert_cmpuint(count(&h, id, "outputs"), ==, 2);
	house_finish(&h);
}

static void refused_command_is_tried_again(void)
{
	struct house h;
	house_init(&h);
	kit_fake_engine_fail(h.engine, MCU_METHOD_MIX_OUTPUT, MCU_ERROR_LIMIT, 2);
	const char *id = open_conference(&h, NULL), *a = call(&h, id, "sip:a@x");
	answers(&h, a);
	for (int n = 0; n < 100 && count(&h, id, "outputs") < 2; n++) {
		settle();
	}
	g_assert_cmpuint(count(&h, id, "outputs"), ==, 2);
	house_finish(&h);
}

static void restart_adopts_the_mix(void)
{
	struct house h;
	house_init(&h);
	g_autofree char *id = g_strdup(open_conference(&h, NULL));
	const char *a = call(&h, id, "sip:a@x");
	answers(&h, a);
	g_assert_cmpuint(count(&h, id, "inputs"), ==, 2);
	gw_app_stop(h.app, false);
	start(&h);
	settle();
	/* the call went with the gateway and is dialled again; its old inputs are taken out */
	g_autofree char *party = g_strdup(gw_party_by_address(h.app->domain, id, "sip:a@x"));
	g_assert_nonnull(party);
	g_assert_cmpuint(count(&h, id, "inputs"), ==, 0);
	g_assert_true(gw_app_party_leg(h.app, party) != NULL || gw_party_get_state(h.app->domain, party) == GW_SITE_UNREACHABLE);
	house_finish(&h);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ROW(fn) g_test_add_func("/gateway/app/conference/" #fn, fn)
	ROW(two_parties_are_mixed);
	ROW(mute_and_volume_reach_the_mix);
	ROW(leaving_takes_it_out);
	ROW(reasons_are_words);
	ROW(password_is_dialled);
	ROW(third_wrong_password_hangs_up);
	ROW(rebooted_endpoint_takes_over);
	ROW(slides_without_second_video_are_in_the_picture);
	ROW(floor_of_another_system_is_our_token);
	ROW(late_peer_learns_of_the_presenter);
	ROW(trunk_does_not_see_itself);
	ROW(trunk_row_says_its_layout);
	ROW(trunks_are_called_back_by_number);
	ROW(callers_in_are_called_back);
	ROW(keys_in_the_conference);
	ROW(speaker_sees_the_one_before);
	ROW(without_h264_the_view_is_vp8);
	ROW(another_engine_is_told_all_again);
	ROW(refused_command_is_tried_again);
	ROW(restart_adopts_the_mix);
	return g_test_run();
}
