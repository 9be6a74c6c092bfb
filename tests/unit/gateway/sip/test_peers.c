/* What rooms, soft phones and switches offer: what we take of it, and that our answer is read by another half of ours. */
#include <string.h>

#include "tests/unit/gateway/sip/media_rig.h"

static const struct {
	const char *file;
	bool secret;
	const char *security, *audio, *video;	/* what we send; NULL = refused */
	int64_t height, fps;
	const char *mode;			/* a=fmtp of the H.264 that we send has it */
	bool content;
	const char *answer, *floor;		/* stands in our answer; in the floor's log */
} rows[] = {
	{ "polycom-group", false, "none", "G722", "H264", 720, 30, "packetization-mode=1", true,
	  "m=application 0 RTP/AVP 100\r\n", "new 0 server\nconnect 192.0.2.76 3238\n" },
	{ "cisco-sx", false, "none", "G722", "H264", 1080, 30, "packetization-mode=1", true, "m=video 41", "new 0 server\n" },
	{ "tandberg-edge", false, "none", "PCMA", "H264", 720, 30, "max-fs=3600", false, "packetization-mode=0", "" },
	{ "huawei-te", false, "none", "G722", "H264", 1080, 30, "profile-level-id=640028", true, "a=setup:active\r\n",
	  "new 1 client active\nconnect 192.0.2.40 10010\n" },
	{ "yealink", true, "sdes", "opus", "H264", 1080, 30, "packetization-mode=1", false, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 ", "" },
	{ "linphone", false, "none", "opus", "H264", 720, 30, "42801F", false, "RTP/AVPF", "" },
	{ "baresip", false, "none", "opus", "H264", 720, 30, "packetization-mode=1", false, "a=rtcp-fb:98 nack pli\r\n", "" },
	{ "freeswitch-dtls", false, "dtls", "opus", NULL, 0, 0, NULL, false, "a=ice-lite\r\n", "" },
	{ "asterisk", false, "none", "opus", "H264", 720, 30, "packetization-mode=1", false, "m=audio 41", "" },
};

static char *load(const char *name)
{
	g_autofree char *file = g_strdup_printf("sip-%s.sdp", name);
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "sdp", file, NULL);
	char *text = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static void answer_is_readable(const char *text)
{
	g_autoptr(gw_sdp) sdp = NULL;
	g_autofree char *why = NULL, *again = NULL;

	g_assert_cmpint(gw_sdp_parse(text, strlen(text), &sdp, &why), ==, 0);
	again = gw_sdp_print(sdp);
	g_assert_cmpstr(text, ==, again);
}

static const char *security_of(const struct side *s)
{
	g_autoptr(json_t) print = sip_media_print(s->m);

	return g_intern_string(json_string_value(json_object_get(json_array_get(print, 0), "security")));
}

static void peer_is_understood(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	g_autofree char *offer = load(rows[i].file);
	struct sip_media_conf conf = { .video = true, .content = true, .bfcp = FLOOR, .secure_signalling = rows[i].secret };
	struct gw_leg_takes takes;
	struct side s;

	g_string_truncate(floor_log, 0);
	side_init(&s, "s", &conf);
	(void)side_take(&s, offer);
	g_assert_cmpstr(s.why, ==, NULL);
	answer_is_readable(s.sdp);
	g_assert_cmpstr(security_of(&s), ==, rows[i].security);
	g_assert_true(sip_media_takes(s.m, "audio", &takes));
	g_assert_cmpstr(mcu_codecs[takes.codec].name, ==, rows[i].audio);
	g_assert_true(sip_media_takes(s.m, "main", &takes) == (rows[i].video != NULL));
	if (rows[i].video) {
		g_assert_cmpstr(mcu_codecs[takes.codec].name, ==, rows[i].video);
		g_assert_cmpint(takes.height, ==, rows[i].height);
		g_assert_cmpint(takes.fps, ==, rows[i].fps);
		assert_has(takes.fmtp, rows[i].mode);
	}
	g_assert_true(sip_media_takes(s.m, "content", &takes) == rows[i].content);
	assert_has(s.sdp, rows[i].answer);
	assert_has(floor_log->str, rows[i].floor);
	assert_has(s.told->str, "up\n");
	side_clear(&s);
}

/* The same texts as answers to our offer: their m-lines are others, but what fits is taken. */
static void answers_are_taken(void)
{
	static const char *const answer =
		"v=0\r\no=- 5 5 IN IP4 192.0.2.81\r\ns=-\r\nc=IN IP4 192.0.2.81\r\nt=0 0\r\n"
		"m=audio 19504 RTP/AVP 9 96\r\na=rtpmap:96 telephone-event/8000\r\n"
		"m=video 19506 RTP/AVP 103 126\r\nb=TIAS:1500000\r\na=rtpmap:103 H265/90000\r\na=rtpmap:126 H264/90000\r\n"
		"a=fmtp:126 packetization-mode=1;profile-level-id=428014;max-mbps=108000;max-fs=3600\r\na=rtcp-fb:* ccm fir\r\n"
		"m=application 5070 UDP/BFCP *\r\na=floorctrl:s-only\r\na=confid:4\r\na=userid:9\r\na=floorid:2 mstrm:12\r\n"
		"m=video 19508 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=0;profile-level-id=42800d\r\n";
	struct sip_media_conf conf = { .video = true, .content = true, .bfcp = FLOOR };
	struct gw_leg_takes takes;
	struct side s;

	g_string_truncate(floor_log, 0);
	side_init(&s, "s", &conf);
	(void)side_offer(&s);
	side_answer(&s, answer);
	g_assert_cmpuint(s.status, ==, 0);
	g_assert_true(sip_media_takes(s.m, "audio", &takes));
	g_assert_cmpint((int)takes.codec, ==, MCU_CODEC_G722);
	g_assert_cmpint(sip_media_dtmf(s.m, "1"), ==, 0);
	g_assert_true(sip_media_takes(s.m, "main", &takes));
	g_assert_cmpint((int)takes.codec, ==, MCU_CODEC_H264);	/* the mixer makes no H.265 */
	g_assert_cmpint(takes.height, ==, 720);
	g_assert_cmpint(takes.max_bps, ==, 1500000);
	g_assert_true(sip_media_takes(s.m, "content", &takes));
	g_assert_cmpint(takes.height, ==, 288);	/* level 1.3 */
	assert_has(floor_log->str, "role client 4 9 2\nconnect 192.0.2.81 5070\n");
	assert_has(s.told->str, "+s.audio\n+s.video\n+s.slides\nup\n");
	side_clear(&s);
}

static void refusal_tells_the_engineer(void)
{
	g_autofree char *offer = load("g7221c-only");
	struct side s;

	side_init(&s, "s", &(struct sip_media_conf){ .video = true });
	(void)side_take(&s, offer);
	g_assert_cmpuint(s.status, ==, 488);
	g_assert_cmpstr(s.why, ==, "offers only G.722.1C, G.719, telephone-event: no free codec");
	side_clear(&s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	floor_log = g_string_new(NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/sip/peers/%s", rows[i].file);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), peer_is_understood);
	}
	g_test_add_func("/sip/peers/answers_are_taken", answers_are_taken);
	g_test_add_func("/sip/peers/refusal_tells_the_engineer", refusal_tells_the_engineer);
	int r = g_test_run();
	g_string_free(floor_log, TRUE);
	return r;
}
