/* The media half of SIP calls: every order of offer and answer, security, holds, faults; two halves talk to each other. */
#include <errno.h>
#include <string.h>

#include "tests/unit/gateway/sip/media_rig.h"
#include "tests/kit/fake_rooms.h"

#define WHOLE .video = true, .content = true, .bfcp = FLOOR
#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
#define AUDIO "m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
#define H264 "m=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42801f;packetization-mode=1\r\n"

static const struct gw_sip_zone strict_zone = { .name = "extranet", .bind = "127.0.0.1" };

static void plain_call_goes_both_ways(void)
{
	struct sip_media_conf conf = { WHOLE, .max_bps = 2000000 };
	struct gw_leg_takes takes;
	struct side a, b;

	side_init(&a, "a", &conf);
	side_init(&b, "b", &conf);
	call(&a, &b);
	assert_has(b.sdp, "m=audio 4");
	g_assert_cmpuint(count(b.sdp, " RTP/AVP "), ==, 3);
	assert_has(b.sdp, "m=application 5070 UDP/BFCP *\r\n");
	assert_has(b.sdp, "a=content:slides\r\n");
	assert_has(b.sdp, "b=TIAS:1936000\r\n");
	assert_has(a.told->str, "+a.audio\n+a.video\n+a.slides\nup\n");
	assert_has(b.told->str, "+b.audio\n+b.video\n+b.slides\nup\n");
	g_assert_cmpuint(count(a.told->str, "up\n"), ==, 1);
	g_assert_true(kit_fake_rooms_has_source(a.rooms, "hall", "a.slides"));
	g_assert_cmpstr(kit_fake_rooms_route(a.rooms, "hall", "a.main.out"), ==, "");
	g_assert_true(sip_media_takes(b.m, "main", &takes));
	g_assert_cmpint((int)takes.codec, ==, MCU_CODEC_H264);
	g_assert_cmpint(takes.height, ==, 1080);
	g_assert_cmpint(takes.fps, ==, 30);
	g_assert_cmpint(takes.max_bps, ==, 1936000);
	g_assert_true(sip_media_takes(b.m, "audio", &takes));
	g_assert_cmpint((int)takes.codec, ==, MCU_CODEC_OPUS);
	g_assert_false(sip_media_takes(b.m, "nothing", &takes));
	g_assert_true(sip_media_has_feedback(b.m, "b.video"));
	g_assert_false(sip_media_has_feedback(b.m, "b.audio"));
	side_clear(&a);
	side_clear(&b);
}

static void keys_cross_in_sdes(void)
{
	struct sip_media_conf conf = { WHOLE, .secure_signalling = true, .zone = &strict_zone };
	struct side a, b;

	side_init(&a, "a", &conf);
	side_init(&b, "b", &conf);
	call(&a, &b);
	assert_has(b.sdp, "RTP/SAVP ");
	g_assert_cmpuint(count(b.sdp, "a=crypto:"), ==, 3);	/* one an m-line */
	g_assert_cmpstr(connect_of(&a, ".0.0", "srtp_send"), ==, connect_of(&b, ".0.0", "srtp_recv"));
	g_assert_cmpstr(connect_of(&a, ".0.0", "srtp_recv"), ==, connect_of(&b, ".0.0", "srtp_send"));
	g_assert_cmpstr(connect_of(&a, ".0.0", "srtp_recv"), !=, connect_of(&a, ".0.0", "srtp_send"));
	g_assert_cmpstr(connect_of(&a, ".1.1", "srtp_send"), !=, connect_of(&a, ".0.0", "srtp_send"));
	g_assert_cmpstr(connect_of(&a, ".0.0", "srtp_suite"), ==, "AES_CM_128_HMAC_SHA1_80");
	side_clear(&a);
	side_clear(&b);
}

static void dtls_roles_fit(void)
{
	struct sip_media_conf conf = { .video = true, .zone = &strict_zone };
	struct side a, b;
	json_t *client_a, *client_b;

	side_init(&a, "a", &conf);
	side_init(&b, "b", &conf);
	call(&a, &b);
	assert_has(b.sdp, "UDP/TLS/RTP/SAVPF");
	assert_has(b.sdp, "a=setup:passive\r\n");
	assert_has(b.sdp, "a=rtcp-mux\r\n");
	client_a = json_object_get(json_array_get(a.connects, 0), "dtls_client");
	client_b = json_object_get(json_array_get(b.connects, 0), "dtls_client");
	g_assert_true(json_is_true(client_a) && !json_is_true(client_b));
	g_assert_nonnull(connect_of(&a, ".0.0", "fingerprint"));
	g_assert_cmpstr(connect_of(&a, ".0.0", "fingerprint"), !=, connect_of(&a, ".1.1", "fingerprint"));
	call(&b, &a);	/* the other way round: roles stay */
	g_assert_cmpuint(count(a.asked->str, "transport.open"), ==, 2);
	client_a = json_object_get(json_array_get(a.connects, 2), "dtls_client");
	g_assert_true(json_is_true(client_a));
	side_clear(&a);
	side_clear(&b);
}

#define CRYPTO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^31\r\n"
#define MKI "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4\r\n"
#define SAVP(more) HEAD "m=audio 4000 RTP/SAVP 0\r\n" more
#define AVP(more) HEAD "m=audio 4000 RTP/AVP 0\r\n" more
#define PRINT "a=fingerprint:sha-256 AB:CD\r\na=setup:actpass\r\n"
static const struct {
	const char *name, *offer;
	bool plain, secret;
	const char *security, *kind, *why;	/* kind: as opened; NULL = refused with `why` */
} security_rows[] = {
	{ "plain_in_its_zone", AVP(""), true, false, NULL, "plain none", NULL },
	{ "plain_elsewhere", AVP(""), false, false, NULL, NULL, "plain RTP is not allowed in this zone" },
	{ "sdes_in_tls", SAVP(CRYPTO), false, true, NULL, "plain sdes", NULL },
	{ "sdes_in_the_clear", SAVP(CRYPTO), true, false, NULL, NULL, "SDES keys outside of TLS" },
	{ "sdes_with_mki", SAVP(MKI), true, true, NULL, NULL, "MKI" },
	{ "sdes_second_line", SAVP("a=crypto:1 F8_128_HMAC_SHA1_80 inline:xx\r\n") CRYPTO, false, true, NULL, "plain sdes", NULL },
	{ "savp_without_keys", SAVP(""), true, true, NULL, NULL, "no a=crypto" },
	{ "osrtp_sdes", AVP(CRYPTO), true, true, NULL, "plain sdes", NULL },
	{ "osrtp_in_the_clear", AVP(CRYPTO), true, false, NULL, "plain none", NULL },
	{ "dtls", HEAD "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\n" PRINT "a=rtcp-mux\r\n", false, false, NULL, "plain dtls", NULL },
	{ "dtls_before_sdes", SAVP(CRYPTO PRINT "a=rtcp-mux\r\n"), false, true, NULL, "plain dtls", NULL },
	{ "dtls_of_freeswitch", HEAD "m=audio 4000 RTP/SAVPF 0\r\n" PRINT "a=rtcp-mux\r\n", false, false, NULL, "plain dtls", NULL },
	{ "dtls_two_ports", HEAD "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\n" PRINT, false, false, NULL, "plain dtls", NULL },
	{ "dtls_two_ports_beside_sdes", SAVP(CRYPTO PRINT), false, true, NULL, "plain sdes", NULL },
	{ "dtls_sha1", HEAD "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\na=fingerprint:sha-1 AB:CD\r\na=rtcp-mux\r\n", false, false, NULL, NULL,
	  "no SHA-256 fingerprint" },
	{ "configured_sdes", AVP(""), true, true, "sdes", NULL, "another security is configured" },
	{ "configured_none", AVP(CRYPTO), true, true, "none", "plain none", NULL },
	{ "ice", HEAD "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n" PRINT "a=rtcp-mux\r\n",
	  false, false, NULL, "lite", NULL },
	{ "ice_without_keys", AVP("a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"), true, false, NULL, "plain none", NULL },
	{ "group_address", "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 224.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n", true, false,
	  NULL, NULL, "the address is that of a group" },
	{ "name_as_address", "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 room.example\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n", true, false,
	  NULL, NULL, "the address is no literal one" },
	{ "only_unfree_codecs", HEAD "m=audio 4000 RTP/AVP 115 18 101\r\na=rtpmap:115 G7221/32000\r\na=rtpmap:101 telephone-event/8000\r\n",
	  true, false, NULL, NULL, "offers only G.722.1C, G.729, telephone-event: no free codec" },
};

static void security_is_chosen(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct gw_sip_zone zone = { .name = "z", .bind = "127.0.0.1", .plain_rtp = security_rows[i].plain };
	struct sip_media_conf conf = { .zone = &zone, .secure_signalling = security_rows[i].secret,
				       .security = security_rows[i].security };
	struct side s;

	side_init(&s, "s", &conf);
	(void)side_take(&s, security_rows[i].offer);
	if (security_rows[i].kind) {
		g_autofree char *line = g_strdup_printf("transport.open %s s.0.0\n", security_rows[i].kind);

		g_assert_cmpuint(s.status, ==, 0);
		assert_has(s.asked->str, line);
	} else {
		g_assert_cmpuint(s.status, ==, 488);
		g_assert_cmpstr(s.why, ==, security_rows[i].why);
		g_assert_cmpuint(s.asked->len, ==, 0);	/* nothing was opened */
	}
	side_clear(&s);
}

static void bundle_rides_on_one(void)
{
	static const char *const offer = HEAD "a=group:BUNDLE 0 1\r\n"
		"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\na=mid:0\r\na=rtcp-mux\r\na=ice-ufrag:abcd\r\n"
		"a=ice-pwd:0123456789012345678901\r\n" PRINT "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
		"m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=mid:1\r\na=rtcp-mux\r\na=ice-ufrag:abcd\r\n"
		"a=ice-pwd:0123456789012345678901\r\n" PRINT "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n";
	struct side s;

	side_init(&s, "s", &(struct sip_media_conf){ .video = true });
	(void)side_take(&s, offer);
	assert_has(s.sdp, "a=group:BUNDLE 0 1\r\n");
	assert_has(s.sdp, "a=ice-lite\r\n");
	assert_has(s.sdp, "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n");
	g_assert_cmpuint(count(s.asked->str, "transport.open"), ==, 1);
	assert_has(s.told->str, "up\n");
	assert_has(side_offer(&s), "a=group:BUNDLE 0 1\r\n");	/* and in offers of ours */
	g_assert_cmpuint(count(s.asked->str, "transport.open"), ==, 1);
	sip_media_cancel(s.m);
	side_free_media(&s);
	turn();
	g_assert_cmpuint(count(s.asked->str, "transport.close"), ==, 1);
	side_clear(&s);
}

static void changed_address_connects_again(void)
{
	struct side s;

	side_init(&s, "s", &(struct sip_media_conf){ .video = true });
	(void)side_take(&s, HEAD AUDIO H264);
	g_assert_cmpstr(connect_of(&s, ".0.0", "ip"), ==, "192.0.2.9");
	(void)side_take(&s, "v=0\r\no=- 1 2 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\n" AUDIO H264);
	g_assert_cmpstr(connect_of(&s, ".0.0", "ip"), ==, "192.0.2.77");
	g_assert_cmpuint(count(s.asked->str, "transport.open"), ==, 2);
	g_assert_cmpuint(count(s.asked->str, "source.add"), ==, 2);
	g_assert_cmpuint(count(s.asked->str, "sink.add"), ==, 2);
	g_assert_cmpuint(count(s.asked->str, "remove"), ==, 0);
	g_assert_cmpuint(count(s.told->str, "up\n"), ==, 1);
	side_clear(&s);
}

static void peer_holds_in_each_dialect(gconstpointer data)
{
	struct side s;

	side_init(&s, "s", &(struct sip_media_conf){ .video = false });
	(void)side_take(&s, HEAD AUDIO);
	g_assert_cmpint(sip_media_feed(s.m, "audio", "mix.a"), ==, 0);
	(void)side_take(&s, data);
	assert_has(s.told->str, "held\n");
	assert_has(s.asked->str, "sink.remove s.audio.out\n");
	(void)side_take(&s, HEAD AUDIO);
	assert_has(s.told->str, "resumed\n");
	g_assert_cmpuint(count(s.asked->str, "sink.route s.audio.out mix.a\n"), ==, 2);	/* what it was fed is remembered */
	side_clear(&s);
}

static void we_hold(void)
{
	struct side a, b;

	side_init(&a, "a", &(struct sip_media_conf){ .video = true });
	side_init(&b, "b", &(struct sip_media_conf){ .video = true });
	call(&a, &b);
	sip_media_hold(a.m, true);
	call(&a, &b);
	assert_has(b.sdp, "a=recvonly\r\n");
	assert_has(a.told->str, "-a.audio\n");
	assert_has(b.told->str, "up\n");
	sip_media_hold(a.m, false);
	call(&a, &b);
	assert_lacks(b.sdp, "a=recvonly\r\n");
	g_assert_cmpuint(count(a.told->str, "+a.audio\n"), ==, 2);
	assert_lacks(a.told->str, "held");
	side_clear(&a);
	side_clear(&b);
}

static void lines_come_and_go(void)
{
	struct side s;
	const char *video_off = HEAD AUDIO "m=video 0 RTP/AVP 97\r\n";

	side_init(&s, "s", &(struct sip_media_conf){ .video = true });
	(void)side_take(&s, HEAD AUDIO);
	(void)side_take(&s, HEAD AUDIO H264);	/* added */
	assert_has(s.told->str, "+s.video\n");
	(void)side_take(&s, video_off);		/* taken away */
	assert_has(s.told->str, "-s.video\n");
	assert_has(s.asked->str, "transport.close s.1.1\n");
	assert_has(s.sdp, "m=video 0 RTP/AVP 97\r\n");
	(void)side_take(&s, HEAD AUDIO H264);	/* and again */
	assert_has(s.asked->str, "transport.open plain none s.1.2\n");
	(void)side_take(&s, HEAD AUDIO);	/* RFC 3264 8: m-lines never vanish */
	g_assert_cmpuint(s.status, ==, 488);
	assert_has(side_offer(&s), "m=video 4");	/* what was agreed goes on */
	side_clear(&s);
}

static void refused_lines_keep_their_place(void)
{
	static const char *const answer = HEAD "m=audio 4000 RTP/AVP 8\r\nm=video 0 RTP/AVP 102\r\nm=application 0 UDP/BFCP *\r\n"
					       "m=video 0 RTP/AVP 102\r\n";
	struct side a;
	g_autoptr(json_t) print = NULL;

	side_init(&a, "a", &(struct sip_media_conf){ WHOLE });
	assert_has(side_offer(&a), "a=floorctrl:c-s\r\n");
	side_answer(&a, answer);
	g_assert_cmpuint(a.status, ==, 0);
	assert_has(a.told->str, "+a.audio\n");
	assert_lacks(a.told->str, "video");
	assert_has(a.told->str, "up\n");
	g_assert_cmpuint(count(a.asked->str, "transport.close"), ==, 2);
	g_assert_cmpuint(count(side_offer(&a), "m=video 0 "), ==, 2);
	print = sip_media_print(a.m);
	g_assert_cmpstr(json_string_value(json_object_get(json_array_get(print, 1), "why")), ==, "port 0");
	g_assert_cmpstr(json_string_value(json_object_get(json_array_get(print, 0), "sends")), ==, "PCMA");
	side_clear(&a);
}

static void one_exchange_at_a_time(void)
{
	struct side a;

	side_init(&a, "a", &(struct sip_media_conf){ .video = true });
	(void)side_offer(&a);
	(void)side_take(&a, HEAD AUDIO);	/* glare */
	g_assert_cmpuint(a.status, ==, 491);
	(void)side_offer(&a);
	g_assert_cmpuint(a.status, ==, 491);
	side_answer(&a, HEAD AUDIO H264);
	g_assert_cmpuint(a.status, ==, 0);
	(void)side_take(&a, HEAD AUDIO H264);
	g_assert_cmpuint(a.status, ==, 0);
	side_answer(&a, HEAD AUDIO);
	g_assert_cmpuint(a.status, ==, 500);	/* nobody asked */
	side_clear(&a);
}

static void refused_offer_leaves_nothing(void)
{
	struct side a;

	side_init(&a, "a", &(struct sip_media_conf){ WHOLE });
	(void)side_offer(&a);
	sip_media_cancel(a.m);
	turn();
	g_assert_cmpuint(count(a.asked->str, "transport.close"), ==, 3);
	(void)side_take(&a, HEAD AUDIO);
	g_assert_cmpuint(a.status, ==, 0);
	g_assert_nonnull(side_offer(&a));
	sip_media_cancel(a.m);	/* what was agreed stays */
	g_assert_true(kit_fake_rooms_has_source(a.rooms, "hall", "a.audio"));
	side_clear(&a);
}

static void other_security_after_488(void)
{
	static const char *const profiles[] = { " RTP/SAVP ", "UDP/TLS/RTP/SAVPF ", " RTP/AVP " };
	struct side a;

	side_init(&a, "a", &(struct sip_media_conf){ .secure_signalling = true });
	for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
		assert_has(side_offer(&a), profiles[i]);
		sip_media_cancel(a.m);
		g_assert_cmpint(sip_media_retry(a.m), ==, i + 1 < G_N_ELEMENTS(profiles));
	}
	side_clear(&a);
}

static void late_results_are_silent(void)
{
	static const char *const acts[] = { "offer", "take", "answer" };

	for (unsigned i = 0; i < G_N_ELEMENTS(acts); i++) {
		struct side a;

		side_init(&a, "a", &(struct sip_media_conf){ .video = true });
		if (i == 2) {
			(void)side_offer(&a);
		}
		a.mute = true;
		(void)(i == 0 ? side_offer(&a) : i == 1 ? side_take(&a, HEAD AUDIO H264) : (side_answer(&a, HEAD AUDIO H264), ""));
		g_assert_cmpuint(a.answers, ==, i == 2 ? 1 : 0);
		side_free_media(&a);
		a.mute = false;
		side_deliver(&a);
		turn();
		g_assert_cmpuint(a.answers, ==, i == 2 ? 1 : 0);
		g_assert_cmpuint(count(a.asked->str, "transport.close"), ==, count(a.asked->str, "transport.open"));
		side_clear(&a);
	}
}

static const struct { const char *name; enum mcu_method method; int error; unsigned status; } fault_rows[] = {
	{ "no_engine", MCU_METHOD_TRANSPORT_OPEN, MCU_ERROR_NO_ENGINE, 503 },
	{ "limit", MCU_METHOD_TRANSPORT_OPEN, MCU_ERROR_LIMIT, 503 },
	{ "connect", MCU_METHOD_TRANSPORT_CONNECT, MCU_ERROR_INTERNAL, 500 },
	{ "source", MCU_METHOD_SOURCE_ADD, MCU_ERROR_CONFLICT, 409 },
	{ "sink", MCU_METHOD_SINK_ADD, MCU_ERROR_NO_CODEC, 488 },
};

static void engine_refuses(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct side s;

	side_init(&s, "s", &(struct sip_media_conf){ .video = true });
	s.fail_method = (int)fault_rows[i].method;
	s.fail_error = fault_rows[i].error;
	(void)side_take(&s, HEAD AUDIO H264);
	g_assert_cmpuint(s.status, ==, fault_rows[i].status);
	g_assert_cmpuint(s.answers, ==, 1);
	side_clear(&s);
}

static void feeds_wait_for_the_agreement(void)
{
	struct side s;

	side_init(&s, "s", &(struct sip_media_conf){ .video = true });
	g_assert_cmpint(sip_media_feed(s.m, "main", "mix.v"), ==, 0);
	g_assert_cmpint(sip_media_feed(s.m, "left", "mix.v"), ==, -ENOENT);
	(void)side_take(&s, HEAD AUDIO H264);
	g_assert_cmpuint(s.status, ==, 0);	/* a stream that is not there fails nothing */
	assert_has(s.asked->str, "sink.add video s.1.1 s.main.out\n");
	assert_has(s.asked->str, "sink.route s.main.out mix.v\n");
	g_assert_cmpint(sip_media_feed(s.m, "main", NULL), ==, 0);
	g_assert_cmpint(sip_media_feed(s.m, "main", "other.video"), ==, 0);
	assert_has(s.asked->str, "sink.route s.main.out other.video\n");
	side_clear(&s);
}

static void digits_need_a_type(void)
{
	struct side s;

	side_init(&s, "s", &(struct sip_media_conf){ 0 });
	g_assert_cmpint(sip_media_dtmf(s.m, "1"), ==, -ENOTCONN);
	(void)side_take(&s, HEAD AUDIO);
	g_assert_cmpint(sip_media_dtmf(s.m, "12#"), ==, 0);
	assert_has(s.asked->str, "dtmf.send s.audio.out\n");
	(void)side_take(&s, HEAD "m=audio 4000 RTP/AVP 0\r\n");
	g_assert_cmpint(sip_media_dtmf(s.m, "1"), ==, -ENOTSUP);
	side_clear(&s);
}

static void lost_transport_is_replaced(void)
{
	struct side a, b;

	side_init(&a, "a", &(struct sip_media_conf){ .video = true });
	side_init(&b, "b", &(struct sip_media_conf){ .video = true });
	call(&a, &b);
	g_assert_true(sip_media_owns(a.m, "a.0.0"));
	sip_media_transport_lost(a.m, "a.0.0");
	sip_media_transport_lost(a.m, "a.1.1");
	assert_has(a.told->str, "-a.audio\n-a.video\n");
	call(&a, &b);
	g_assert_true(sip_media_owns(a.m, "a.0.2") && !sip_media_owns(a.m, "a.0.0"));
	g_assert_cmpuint(count(a.told->str, "+a.audio\n"), ==, 2);
	g_assert_cmpuint(count(a.told->str, "up\n"), ==, 2);
	g_assert_cmpuint(count(b.asked->str, "transport.open"), ==, 2);	/* the peer only connects again */
	side_clear(&a);
	side_clear(&b);
}

static void dead_transport_is_told(void)
{
	struct mcu_transport_state state = { .transport = (char *)"s.0.0", .state = (char *)"failed", .why = (char *)"silence" };
	struct side s;

	side_init(&s, "s", &(struct sip_media_conf){ 0 });
	(void)side_take(&s, HEAD AUDIO);
	sip_media_transport_state(s.m, &state);
	assert_has(s.told->str, "failed silence\n");
	state.transport = (char *)"else";
	sip_media_transport_state(s.m, &state);
	g_assert_cmpuint(count(s.told->str, "failed"), ==, 1);
	side_clear(&s);
}

/* ---- floor ---- */

#define NINE "22:22:22:22:22:22:22:22:22:"
#define FLOOR_LINE(proto, more) "m=application 5000 " proto " *\r\n" more
#define HASH "a=fingerprint:sha-256 " NINE NINE NINE "11:11:11:11:11\r\n"
#define SLIDES "m=video 4004 RTP/AVP 97\r\na=content:slides\r\na=label:3\r\na=rtpmap:97 H264/90000\r\n"
static const struct { const char *name, *line, *log, *answer; } floor_rows[] = {
	{ "peer_asks", FLOOR_LINE("UDP/BFCP", "a=floorctrl:c-only\r\n"), "new 0 server\nconnect 192.0.2.9 5000\n", "m=application 5070 UDP/BFCP *\r\n" },
	{ "peer_serves", FLOOR_LINE("UDP/BFCP", "a=floorctrl:s-only\r\na=confid:7\r\na=userid:8\r\na=floorid:2 mstrm:3\r\n"), "new 0 client\nconnect 192.0.2.9 5000\n", "a=floorctrl:c-only\r\n" },
	{ "either", FLOOR_LINE("UDP/BFCP", "a=floorctrl:c-s\r\n"), "new 0 server\nconnect 192.0.2.9 5000\n", "a=floorctrl:s-only\r\n" },
	{ "two_words", FLOOR_LINE("UDP/BFCP", "a=floorctrl:c-only s-only\r\n"), "new 0 server\n", "a=floorid:1 mstrm:12\r\n" },
	{ "tcp_passive", FLOOR_LINE("TCP/BFCP", "a=floorctrl:c-only\r\na=setup:passive\r\n"), "new 1 server active\n", "m=application 9 TCP/BFCP *\r\n" },
	{ "tcp_active", FLOOR_LINE("TCP/BFCP", "a=floorctrl:c-only\r\na=setup:actpass\r\n"), "new 1 server\n", "a=setup:passive\r\n" },
	{ "dtls", FLOOR_LINE("UDP/TLS/BFCP", "a=floorctrl:c-only\r\na=setup:actpass\r\n" HASH), "new 3 server\n", "a=setup:passive\r\n" },
	{ "dtls_passive", FLOOR_LINE("UDP/TLS/BFCP", "a=floorctrl:c-s\r\na=setup:passive\r\n" HASH), "new 3 server active\n", "a=setup:active\r\n" },
	{ "tls", FLOOR_LINE("TCP/TLS/BFCP", "a=floorctrl:c-only\r\na=setup:active\r\n" HASH), "new 2 server\n", "a=fingerprint:sha-256 12:34\r\n" },
	{ "no_hash", FLOOR_LINE("UDP/TLS/BFCP", "a=floorctrl:c-only\r\n"), "", "m=application 0 UDP/TLS/BFCP *\r\n" },
	{ "far_end_camera", "m=application 5000 RTP/AVP 96\r\na=rtpmap:96 H224/4800\r\n", "", "m=application 0 RTP/AVP 96\r\n" },
};

static void floor_takes_its_role(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	g_autofree char *offer = g_strconcat(HEAD AUDIO H264, floor_rows[i].line, SLIDES, NULL);
	struct side s;

	g_string_truncate(floor_log, 0);
	side_init(&s, "s", &(struct sip_media_conf){ WHOLE });
	(void)side_take(&s, offer);
	g_assert_cmpuint(s.status, ==, 0);
	assert_has(floor_log->str, floor_rows[i].log);
	assert_has(s.sdp, floor_rows[i].answer);
	assert_has(s.told->str, "+s.slides\n");
	side_clear(&s);
}

static void floor_passes_both_ways(void)
{
	struct side a, b;

	g_string_truncate(floor_log, 0);
	side_init(&a, "a", &(struct sip_media_conf){ WHOLE });
	side_init(&b, "b", &(struct sip_media_conf){ WHOLE });
	g_assert_cmpint(sip_media_floor(b.m, GW_SIP_FLOOR_GRANT), ==, -ENOTSUP);
	call(&a, &b);	/* c-s answered s-only: b serves, a asks */
	assert_has(floor_log->str, "role client 1 2 1\n");
	floor_last->ops.on_request(floor_last, b.m ? floor_last->user_data : NULL);
	assert_has(b.told->str, "asks\n");
	g_assert_cmpint(sip_media_floor(b.m, GW_SIP_FLOOR_GRANT), ==, 0);
	g_assert_cmpint(sip_media_floor(b.m, GW_SIP_FLOOR_TAKEN), ==, 0);
	g_assert_cmpint(sip_media_floor(a.m, GW_SIP_FLOOR_TAKEN), ==, 0);
	g_assert_cmpint(sip_media_floor(a.m, GW_SIP_FLOOR_FREE), ==, 0);
	assert_has(floor_log->str, "grant\ntell held\nrequest\nrelease\n");
	side_clear(&a);
	side_clear(&b);
	g_assert_cmpuint(count(floor_log->str, "free\n"), ==, 2);
}

/* The peer serves: what its server says of its floor and of our request. */
static void served_floor_is_told(void)
{
	struct side a;

	side_init(&a, "a", &(struct sip_media_conf){ WHOLE });
	(void)side_offer(&a);
	const struct gw_bfcp_ops *ops = &floor_last->ops;

	g_string_truncate(a.told, 0);
	ops->on_floor(floor_last, false, false, a.m);
	ops->on_floor(floor_last, true, true, a.m);
	ops->on_status(floor_last, GW_BFCP_REVOKED, a.m);
	ops->on_floor(floor_last, true, false, a.m);
	ops->on_status(floor_last, GW_BFCP_PENDING, a.m);
	ops->on_status(floor_last, GW_BFCP_DENIED, a.m);
	ops->on_status(floor_last, GW_BFCP_CANCELLED, a.m);
	ops->on_gone(floor_last, "timeout", a.m);
	g_assert_cmpstr(a.told->str, ==, "taken back\npresents\npresents\nrefused\nends\n");
	side_clear(&a);
}

static void content_without_a_floor(void)
{
	struct side s;

	g_string_truncate(floor_log, 0);
	side_init(&s, "s", &(struct sip_media_conf){ .video = true, .content = true });
	(void)side_take(&s, HEAD AUDIO H264 "m=video 4004 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n");	/* not even a=content */
	assert_has(s.told->str, "+s.video\n+s.slides\n");
	assert_lacks(s.sdp, "m=video 0");
	g_assert_cmpint(sip_media_floor(s.m, GW_SIP_FLOOR_TAKEN), ==, -ENOTSUP);
	g_assert_cmpuint(floor_log->len, ==, 0);
	side_clear(&s);
}

static void flood_of_attributes_is_refused(void)
{
	GString *text = g_string_new(HEAD AUDIO);
	struct side s;

	for (unsigned i = 0; i < 10000; i++) {
		g_string_append_printf(text, "a=x:%u\r\n", i);
	}
	side_init(&s, "s", &(struct sip_media_conf){ 0 });
	(void)side_take(&s, text->str);
	g_assert_cmpuint(s.status, ==, 400);
	assert_has(s.why, text->len > GW_SDP_TEXT_MAX ? "longer than" : "more than 256 attributes");
	g_string_free(text, TRUE);
	side_clear(&s);
}

static void add(const char *folder, const char *name, GTestDataFunc fn, size_t i)
{
	g_autofree char *path = g_strdup_printf("/sip/media/%s/%s", folder, name);

	g_test_add_data_func(path, GSIZE_TO_POINTER(i), fn);
}

static void add_rows(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(security_rows); i++) {
		add("security", security_rows[i].name, security_is_chosen, i);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(fault_rows); i++) {
		add("engine_refuses", fault_rows[i].name, engine_refuses, i);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(floor_rows); i++) {
		add("floor_role", floor_rows[i].name, floor_takes_its_role, i);
	}
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*fn)(void); } tests[] = {
		{ "plain_call_goes_both_ways", plain_call_goes_both_ways }, { "keys_cross_in_sdes", keys_cross_in_sdes },
		{ "dtls_roles_fit", dtls_roles_fit }, { "bundle_rides_on_one", bundle_rides_on_one },
		{ "changed_address_connects_again", changed_address_connects_again }, { "we_hold", we_hold },
		{ "lines_come_and_go", lines_come_and_go }, { "refused_lines_keep_their_place", refused_lines_keep_their_place },
		{ "one_exchange_at_a_time", one_exchange_at_a_time }, { "refused_offer_leaves_nothing", refused_offer_leaves_nothing },
		{ "other_security_after_488", other_security_after_488 }, { "late_results_are_silent", late_results_are_silent },
		{ "feeds_wait_for_the_agreement", feeds_wait_for_the_agreement }, { "digits_need_a_type", digits_need_a_type },
		{ "lost_transport_is_replaced", lost_transport_is_replaced }, { "dead_transport_is_told", dead_transport_is_told },
		{ "floor_passes_both_ways", floor_passes_both_ways }, { "served_floor_is_told", served_floor_is_told }, { "content_without_a_floor", content_without_a_floor },
		{ "flood_of_attributes_is_refused", flood_of_attributes_is_refused },
	};

	g_test_init(&argc, &argv, NULL);
	floor_log = g_string_new(NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_autofree char *path = g_strdup_printf("/sip/media/%s", tests[i].name);

		g_test_add_func(path, tests[i].fn);
	}
	g_test_add_data_func("/sip/media/held/sendonly", HEAD AUDIO "a=sendonly\r\n", peer_holds_in_each_dialect);
	g_test_add_data_func("/sip/media/held/inactive", HEAD AUDIO "a=inactive\r\n", peer_holds_in_each_dialect);
	g_test_add_data_func("/sip/media/held/rfc2543", "v=0\r\no=- 1 2 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n" AUDIO,
			     peer_holds_in_each_dialect);
	add_rows();
	int r = g_test_run();
	g_string_free(floor_log, TRUE);
	return r;
}
