/* m-lines with a transport each: keys, receivers' limits, H.264 answers, addresses, floors, and the way there and back. */
#include <errno.h>
#include <string.h>

#include "gateway/sdp/sdp.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
#define K80 "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define KGCM "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="

static gw_sdp *parse(const char *text)
{
	g_autofree char *why = NULL;
	gw_sdp *sdp = NULL;

	(void)gw_sdp_parse(text, strlen(text), &sdp, &why);
	g_assert_cmpstr(why, ==, NULL);
	return sdp;
}

/* ---- keys ---- */

static const struct { const char *name, *value, *why; } crypto_rows[] = {
	{ "plain", "1 AES_CM_128_HMAC_SHA1_80 inline:" K80, NULL },
	{ "gcm", "2 AEAD_AES_128_GCM inline:" KGCM, NULL },
	{ "lifetime", "1 AES_CM_128_HMAC_SHA1_80 inline:" K80 "|2^31", NULL },
	{ "lifetime_number", "1 AES_CM_128_HMAC_SHA1_80 inline:" K80 "|1048576", NULL },
	{ "window_hint", "1 AES_CM_128_HMAC_SHA1_80 inline:" K80 " WSH=128", NULL },
	{ "optional_parameter", "1 AES_CM_128_HMAC_SHA1_80 inline:" K80 " -X=1", NULL },
	{ "mki", "1 AES_CM_128_HMAC_SHA1_80 inline:" K80 "|2^20|1:4", "MKI" },
	{ "mki_alone", "1 AES_CM_128_HMAC_SHA1_80 inline:" K80 "|1:1", "MKI" },
	{ "two_keys", "1 AES_CM_128_HMAC_SHA1_80 inline:" K80 ";inline:" K80, "several keys" },
	{ "lifetime_zero", "1 AES_CM_128_HMAC_SHA1_80 inline:" K80 "|0", "bad lifetime" },
	{ "lifetime_huge", "1 AES_CM_128_HMAC_SHA1_80 inline:" K80 "|2^49", "bad lifetime" },
	{ "unencrypted", "1 AES_CM_128_HMAC_SHA1_80 inline:" K80 " UNENCRYPTED_SRTP", "a session parameter that we do not do" },
	{ "key_derivation", "1 AES_CM_128_HMAC_SHA1_80 inline:" K80 " WSH=64 KDR=1", "a session parameter that we do not do" },
	{ "short_key", "1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQF", "the key has not the length of its suite" },
	{ "key_of_other_suite", "1 AEAD_AES_128_GCM inline:" K80, "the key has not the length of its suite" },
	{ "zero_key", "1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	  "the key has not the length of its suite" },
	{ "not_base64", "1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubG\"*", "the key has not the length of its suite" },
	{ "short_tag_suite", "1 AES_CM_128_HMAC_SHA1_32 inline:" K80, "unknown suite" },
	{ "no_cipher", "1 NULL_HMAC_SHA1_80 inline:" K80, "unknown suite" },
	{ "no_tag", "AES_CM_128_HMAC_SHA1_80 inline:" K80, "bad tag" },
	{ "uri", "1 AES_CM_128_HMAC_SHA1_80 uri:https://x", "no inline key" },
	{ "nothing", "1", "unknown suite" },
};

static void crypto_is_read(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct gw_sdp_crypto c, again;
	const char *why = NULL;

	g_assert_true(gw_sdp_crypto_read(crypto_rows[i].value, &c, &why) == (crypto_rows[i].why == NULL));
	g_assert_cmpstr(why, ==, crypto_rows[i].why);
	if (!why) {
		g_autofree char *text = gw_sdp_crypto_print(&c);

		g_assert_true(gw_sdp_crypto_read(text, &again, NULL));
		g_assert_cmpstr(again.key, ==, c.key);
	}
}

static void made_keys_differ(void)
{
	struct gw_sdp_crypto a, b;

	for (const char *const *suite = gw_sdp_crypto_suites; *suite; suite++) {
		g_autofree char *text = NULL;

		g_assert_true(gw_sdp_crypto_make(3, *suite, &a) && gw_sdp_crypto_make(3, *suite, &b));
		g_assert_cmpstr(a.key, !=, b.key);
		text = gw_sdp_crypto_print(&a);
		g_assert_true(gw_sdp_crypto_read(text, &b, NULL));
		g_assert_cmpuint(b.tag, ==, 3);
	}
	g_assert_false(gw_sdp_crypto_make(1, "ROT13", &a));
}

/* ---- limits ---- */

static const struct { const char *codec, *fmtp; int64_t width, height, fps, bps; } limit_rows[] = {
	{ "H264", "profile-level-id=42e01f;packetization-mode=1", 1280, 720, 30, 14000000 },
	{ "H264", "profile-level-id=42e028", 1920, 1080, 30, 20000000 },
	{ "H264", "profile-level-id=42801e", 848, 480, 25, 10000000 },
	{ "H264", "profile-level-id=428014;max-fs=3600;max-mbps=108000", 1280, 720, 30, 2000000 },
	{ "H264", "profile-level-id=428014;max-br=5000;max-mbps=54000;max-fs=8160", 1024, 576, 23, 5000000 },
	{ "H264", "profile-level-id=42e00d", 352, 288, 30, 768000 },
	{ "H264", NULL, 176, 144, 15, 64000 },	/* level 1 where nothing is said */
	{ "H264", "profile-level-id=42f00b", 176, 144, 15, 128000 },	/* 1b */
	{ "H264", "profile-level-id=42e034", 1920, 1080, 60, 240000000 },
	{ "H264", "profile-level-id=428020profile-level-id=428020;max-mbps=245000;max-fs=8160", 1920, 1080, 30, 20000000 },
	{ "H264", "profile-level-id=zzzzzz", 176, 144, 15, 64000 },
	{ "H265", "profile-id=1;level-id=120", 1920, 1080, 32, 12000000 },
	{ "H265", "", 1280, 720, 36, 10000000 },
	{ "VP8", "max-fs=3600;max-fr=30", 1280, 720, 30, 0 },
	{ "VP8", NULL, 0, 0, 0, 0 },
	{ "opus", "maxaveragebitrate=30000;stereo=1", 0, 0, 0, 30000 },
	{ "PCMU", NULL, 0, 0, 0, 0 },
};

static void limits_are_read(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct mcu_codec_use use = { .name = (char *)(uintptr_t)limit_rows[i].codec, .fmtp = (char *)(uintptr_t)limit_rows[i].fmtp };
	struct gw_sdp_limits l;

	gw_sdp_limits(&use, &l);
	g_assert_cmpint(l.width, ==, limit_rows[i].width);
	g_assert_cmpint(l.height, ==, limit_rows[i].height);
	g_assert_cmpint(l.fps, ==, limit_rows[i].fps);
	g_assert_cmpint(l.bps, ==, limit_rows[i].bps);
}

/* ---- codecs ---- */

static struct mcu_codec_use our_video[] = {
	{ .name = (char *)"H264", .pt = 102, .clock_hz = 90000, .fmtp = (char *)"profile-level-id=42e028;packetization-mode=1;level-asymmetry-allowed=1",
	  .pli = true, .fir = true },
	{ .name = (char *)"H264", .pt = 106, .clock_hz = 90000, .fmtp = (char *)"profile-level-id=42e028;packetization-mode=0;level-asymmetry-allowed=1" },
	{ .name = (char *)"VP8", .pt = 96, .clock_hz = 90000 },
};
static const struct { const char *name, *media; bool answering; const char *recv, *send; } agree_rows[] = {
	{ "same_level", "97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42e01f;packetization-mode=1\r\n", true,
	  "97 profile-level-id=42e01f;packetization-mode=1", "97 profile-level-id=42e01f;packetization-mode=1" },
	{ "asymmetric_level",
	  "97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=64001f;packetization-mode=1;level-asymmetry-allowed=1\r\n", true,
	  "97 profile-level-id=640028;packetization-mode=1;level-asymmetry-allowed=1", NULL },
	{ "mode_zero", "97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42801f\r\n", true,
	  "97 profile-level-id=42801f;packetization-mode=0", NULL },
	{ "baseline_first", "97 98 99\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=64001f;packetization-mode=1\r\n"
	  "a=rtpmap:98 H264/90000\r\na=fmtp:98 profile-level-id=42e01f;packetization-mode=0\r\n"
	  "a=rtpmap:99 H264/90000\r\na=fmtp:99 profile-level-id=42e01f;packetization-mode=1\r\n", true,
	  "99 profile-level-id=42e01f;packetization-mode=1|97 profile-level-id=64001f;packetization-mode=1|"
	  "98 profile-level-id=42e01f;packetization-mode=0", NULL },
	{ "interleaved_is_refused", "97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42e01f;packetization-mode=2\r\n", true, "",
	  "" },
	{ "ten_bits_are_refused", "97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=6e001f;packetization-mode=1\r\n", true, "",
	  "" },
	{ "h264_before_vp8", "96 97\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42801f\r\n", true,
	  "97 profile-level-id=42801f;packetization-mode=0|96", NULL },
	{ "answer_with_our_type", "102\r\na=rtpmap:102 H264/90000\r\na=fmtp:102 profile-level-id=42800d;packetization-mode=1\r\n", false,
	  "102 profile-level-id=428028;packetization-mode=1;level-asymmetry-allowed=1|"
	  "106 profile-level-id=42e028;packetization-mode=0;level-asymmetry-allowed=1|96",
	  "102 profile-level-id=42800d;packetization-mode=1" },
	{ "answer_with_its_own", "34 120\r\na=rtpmap:120 H264/90000\r\na=fmtp:120 profile-level-id=42801f\r\n", false,
	  "106 profile-level-id=428028;packetization-mode=0;level-asymmetry-allowed=1|"
	  "102 profile-level-id=42e028;packetization-mode=1;level-asymmetry-allowed=1|96", "120 profile-level-id=42801f" },
	{ "answer_with_a_stranger", "34\r\n", false, "", "" },
};

static char *joined(const struct ort_json_array *uses)
{
	GString *out = g_string_new(NULL);
	const struct mcu_codec_use *use = uses->items;

	for (size_t i = 0; i < uses->n; i++) {
		g_string_append_printf(out, "%s%d%s%s", i > 0 ? "|" : "", (int)use[i].pt, use[i].fmtp ? " " : "",
				       use[i].fmtp ? use[i].fmtp : "");
	}
	return g_string_free(out, FALSE);
}

static void codecs_agree(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	g_autofree char *text = g_strconcat(HEAD "m=video 9 RTP/AVP ", agree_rows[i].media, NULL), *recv = NULL, *send = NULL;
	g_autoptr(gw_sdp) sdp = parse(text);
	struct ort_json_array r, s;
	bool any = gw_sdp_agree(&sdp->media[0], our_video, G_N_ELEMENTS(our_video), agree_rows[i].answering, &r, &s);

	recv = joined(&r);
	send = joined(&s);
	g_assert_true(any == (*agree_rows[i].recv != '\0'));
	g_assert_cmpstr(recv, ==, agree_rows[i].recv);
	if (agree_rows[i].send) {
		g_assert_cmpstr(send, ==, agree_rows[i].send);
	}
	gw_sdp_array_clear(&mcu_table_codec_use, &r);
	gw_sdp_array_clear(&mcu_table_codec_use, &s);
}

static void digits_alone_are_no_sound(void)
{
	struct mcu_codec_use ours[] = { { .name = (char *)"PCMU" }, { .name = (char *)"telephone-event", .pt = 101 } };
	g_autoptr(gw_sdp) sdp = parse(HEAD "m=audio 9 RTP/AVP 18 100\r\na=rtpmap:100 telephone-event/8000\r\n");
	g_autofree char *why = gw_sdp_why_no_codec(&sdp->media[0]);
	struct ort_json_array r, s;

	g_assert_false(gw_sdp_agree(&sdp->media[0], ours, 2, true, &r, &s));
	g_assert_cmpuint(r.n + s.n, ==, 0);
	g_assert_cmpstr(why, ==, "offers only G.729, telephone-event: no free codec");
	gw_sdp_array_clear(&mcu_table_codec_use, &r);
	gw_sdp_array_clear(&mcu_table_codec_use, &s);
}

static void baseline_is_forwardable(void)
{
	static const struct { const char *from, *to; } rows[] = {
		{ "profile-level-id=42801f;packetization-mode=1;max-fs=3600", "profile-level-id=42e01f;packetization-mode=1" },
		{ "profile-level-id=64001f", "profile-level-id=64001f" }, { NULL, "profile-level-id=42e00a;packetization-mode=0" },
		{ "profile-level-id=42e01f;packetization-mode=1", "profile-level-id=42e01f;packetization-mode=1" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *to = gw_sdp_h264_constrained(rows[i].from);

		g_assert_cmpstr(to, ==, rows[i].to);
	}
}

/* ---- there and back ---- */

static struct mcu_candidate_use our_candidate = { .ip = (char *)"2001:db8::7", .port = 4000 };
static const struct mcu_transport_reply our_transport = { .candidates = { &our_candidate, 1 }, .rtcp_port = 4009 };
static const struct gw_sdp_session session = { .id = 7, .version = 2, .ip = "2001:db8::7", .bps = 1000000 };

static void offer_comes_back(void)
{
	struct ort_json_array codecs = { our_video, G_N_ELEMENTS(our_video) };
	struct gw_sdp_crypto key = { 0 };
	g_assert_true(gw_sdp_crypto_read("1 AES_CM_128_HMAC_SHA1_80 inline:" K80, &key, NULL));
	struct gw_sdp_line lines[] = {
		{ .type = GW_SDP_VIDEO, .proto = "RTP/SAVP", .dir = GW_SDP_SENDRECV, .codecs = &codecs, .transport = &our_transport,
		  .feedback = true, .cryptos = &key, .n_cryptos = 1, .bps = 900000, .content = "main", .label = "11" },
		{ .type = GW_SDP_VIDEO, .proto = "RTP/AVP", .reject = true },
	};
	g_autoptr(gw_sdp) sdp = gw_sdp_offer(&session, lines, 2);
	g_autofree char *text = gw_sdp_print(sdp), *why = NULL;
	g_autoptr(gw_sdp) again = parse(text);
	struct gw_sdp_peer peers[2];
	struct gw_sdp_agreed agreed[2];

	g_assert_nonnull(strstr(text, "c=IN IP6 2001:db8::7\r\n"));
	g_assert_nonnull(strstr(text, "b=AS:900\r\nb=TIAS:900000\r\na=rtcp:4009\r\n"));
	g_assert_nonnull(strstr(text, "a=rtcp-fb:102 nack pli\r\na=rtcp-fb:102 ccm fir\r\n"));
	g_assert_nonnull(strstr(text, "m=video 0 RTP/AVP 0\r\n"));
	g_assert_cmpint(gw_sdp_take_answer(again, lines, 2, peers, agreed, &why), ==, 0);
	g_assert_true(agreed[0].accepted && !agreed[1].accepted);
	g_assert_cmpstr(peers[0].ip, ==, "2001:db8::7");
	g_assert_cmpuint(peers[0].rtcp_port, ==, 4009);
	g_assert_cmpint(peers[0].bps, ==, 900000);
	g_assert_cmpstr(peers[0].cryptos[0].key, ==, K80);
	g_assert_cmpstr(agreed[1].why, ==, "port 0");
	gw_sdp_agreed_clear(agreed, 2);
	g_assert_cmpint(gw_sdp_take_answer(again, lines, 1, peers, agreed, &why), ==, -EINVAL);
	g_assert_cmpstr(why, ==, "m-line 2 of the answer is not that of the offer");
}

static const struct { const char *name, *text; unsigned rtcp; int64_t bps; enum gw_sdp_dir dir; const char *why; } peer_rows[] = {
	{ "next_port", "c=IN IP4 1.2.3.4\r\nb=AS:512\r\n", 4001, 512000, GW_SDP_SENDRECV, NULL },
	{ "tias_before_as", "c=IN IP4 1.2.3.4\r\nb=AS:512\r\nb=TIAS:400000\r\na=sendonly\r\n", 4001, 400000, GW_SDP_SEND, NULL },
	{ "rtcp_attribute", "c=IN IP4 1.2.3.4\r\na=rtcp:5009 IN IP4 9.9.9.9\r\n", 5009, 0, GW_SDP_SENDRECV, NULL },
	{ "muxed", "c=IN IP4 1.2.3.4\r\na=rtcp-mux\r\n", 0, 0, GW_SDP_SENDRECV, NULL },
	{ "hold_of_2543", "c=IN IP4 0.0.0.0\r\n", 4001, 0, GW_SDP_SEND, NULL },
	{ "no_address", "", 4001, 0, GW_SDP_SEND, "no address" },
	{ "multicast_with_ttl", "c=IN IP4 239.1.1.1/127\r\n", 4001, 0, GW_SDP_SEND, "the address is no literal one" },
	{ "broadcast", "c=IN IP4 255.255.255.255\r\n", 4001, 0, GW_SDP_SEND, "the address is that of a group" },
	{ "multicast_6", "c=IN IP6 ff02::1\r\n", 4001, 0, GW_SDP_SEND, "the address is that of a group" },
	{ "huge_rate", "c=IN IP4 1.2.3.4\r\nb=AS:99999999999\r\n", 4001, 0, GW_SDP_SENDRECV, NULL },
};

static void peer_is_read(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	g_autofree char *text = g_strconcat(HEAD "m=video 4000 RTP/AVP 31\r\n", peer_rows[i].text, NULL);
	g_autoptr(gw_sdp) sdp = parse(text);
	struct gw_sdp_peer peer;

	gw_sdp_read_peer(sdp, 0, &peer);
	g_assert_cmpstr(peer.why, ==, peer_rows[i].why);
	g_assert_cmpuint(peer.rtcp_port, ==, peer_rows[i].rtcp);
	g_assert_cmpint(peer.bps, ==, peer_rows[i].bps);
	g_assert_cmpint((int)peer.dir, ==, (int)peer_rows[i].dir);
}

static void floor_is_read(void)
{
	g_autoptr(gw_sdp) sdp = parse(HEAD "c=IN IP4 1.2.3.4\r\nm=application 9 TCP/TLS/BFCP *\r\na=floorctrl:c-only s-only\r\n"
					   "a=confid:4294967295\r\na=userid:65536\r\na=floorid:2 mstrm:10 11\r\na=setup:active\r\n"
					   "a=fingerprint:sha-256 AB:CD\r\nm=application 9 UDP/BFCP *\r\nm=application 9 TCP/BFCPX *\r\n");
	struct gw_sdp_floor f;

	gw_sdp_read_floor(sdp, 0, &f);
	g_assert_cmpstr(f.why, ==, NULL);
	g_assert_true(f.may_ask && f.may_serve);
	g_assert_cmpuint(f.conference, ==, UINT32_MAX);
	g_assert_cmpuint(f.user, ==, 0);	/* 16 bits on the wire */
	g_assert_cmpuint(f.floor, ==, 2);
	g_assert_cmpstr(f.stream, ==, "10");
	g_assert_cmpstr(f.fingerprint, ==, "AB:CD");
	gw_sdp_read_floor(sdp, 1, &f);
	g_assert_true(!f.may_ask && !f.may_serve && !f.why);
	g_assert_true(gw_sdp_is_floor(&sdp->media[1]) && !gw_sdp_is_floor(&sdp->media[2]));
}

static void add(const char *folder, const char *name, size_t i, GTestDataFunc fn)
{
	g_autofree char *path = g_strdup_printf("/sdp/%s/%s", folder, name);

	g_test_add_data_func(path, GSIZE_TO_POINTER(i), fn);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(crypto_rows); i++) {
		add("crypto", crypto_rows[i].name, i, crypto_is_read);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(limit_rows); i++) {
		g_autofree char *name = g_strdup_printf("%zu-%s", i, limit_rows[i].codec);

		add("limits", name, i, limits_are_read);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(agree_rows); i++) {
		add("agree", agree_rows[i].name, i, codecs_agree);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(peer_rows); i++) {
		add("peer", peer_rows[i].name, i, peer_is_read);
	}
	g_test_add_func("/sdp/made_keys_differ", made_keys_differ);
	g_test_add_func("/sdp/digits_alone_are_no_sound", digits_alone_are_no_sound);
	g_test_add_func("/sdp/baseline_is_forwardable", baseline_is_forwardable);
	g_test_add_func("/sdp/offer_comes_back", offer_comes_back);
	g_test_add_func("/sdp/floor_is_read", floor_is_read);
	return g_test_run();
}
