/* Answers: codecs, feedback, extensions, direction, BUNDLE, what is written for what is sent and received. */
#include <errno.h>
#include <string.h>

#include "gateway/sdp/sdp.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define ICE "a=ice-ufrag:pu\r\na=ice-pwd:pp\r\na=setup:actpass\r\na=rtcp-mux\r\n" \
	    "a=fingerprint:sha-1 00:11\r\na=fingerprint:sha-256 AB:CD\r\n"
#define EXTS "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:9 urn:example:other\r\n" \
	     "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
#define AUDIO "m=audio 9 UDP/TLS/RTP/SAVPF 111 9 0 8 126\r\na=mid:0\r\n" ICE EXTS                             \
	      "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=rtpmap:111 opus/48000/2\r\n"       \
	      "a=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"                        \
	      "a=rtpmap:126 telephone-event/8000\r\na=sendrecv\r\na=ssrc:11 cname:c\r\n"
#define VIDEO(mid) "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 105 106\r\na=mid:" mid "\r\n" ICE EXTS       \
	"a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\na=rtpmap:96 VP8/90000\r\n"               \
	"a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtcp-fb:96 goog-remb\r\na=rtcp-fb:96 transport-cc\r\n" \
	"a=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:102 H264/90000\r\n"    \
	"a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n"                \
	"a=rtpmap:104 H264/90000\r\na=rtcp-fb:104 nack\r\na=rtpmap:105 rtx/90000\r\na=fmtp:105 apt=104\r\n"    \
	"a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e034\r\n"                \
	"a=rtpmap:106 H264/90000\r\n"                                                                           \
	"a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f\r\n"                \
	"a=rtcp-rsize\r\n"
#define DATA "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n" ICE

#define N 8
struct exchange {
	gw_sdp *offer, *answer;
	struct gw_sdp_plan plans[N];
	struct gw_sdp_agreed agreed[N];
	char *text;
};

static struct mcu_candidate_use our_candidates[] = {
	{ .foundation = (char *)"1", .protocol = (char *)"udp", .ip = (char *)"192.0.2.7", .type = (char *)"host",
	  .priority = 2130706431, .port = 50000 },
};
static const struct mcu_transport_reply our_transport = {
	.ice_ufrag = (char *)"ou", .ice_pwd = (char *)"op", .fingerprint = (char *)"EE:FF", .ice_lite = true,
	.candidates = { our_candidates, 1 },
};

static void read_offer(struct exchange *x, const char *text)
{
	*x = (struct exchange){ 0 };
	g_assert_cmpint(gw_sdp_parse(text, strlen(text), &x->offer, NULL), ==, 0);
	g_assert_cmpuint(x->offer->n_media, <=, N);
}

static void answer(struct exchange *x)
{
	struct gw_sdp_ours ours = { .transport = &our_transport, .session_id = 7, .version = 2, .cname = "cn" };
	g_autoptr(gw_sdp) again = NULL;

	g_assert_cmpint(gw_sdp_answer(x->offer, &ours, x->plans, x->offer->n_media, x->agreed, &x->answer, NULL), ==, 0);
	x->text = gw_sdp_print(x->answer);
	g_assert_cmpint(gw_sdp_parse(x->text, strlen(x->text), &again, NULL), ==, 0);
	g_assert_cmpuint(x->answer->n_media, ==, x->offer->n_media);
}

static void done(struct exchange *x)
{
	gw_sdp_agreed_clear(x->agreed, N);
	gw_sdp_free(x->offer);
	gw_sdp_free(x->answer);
	g_free(x->text);
}

static void assert_has(const struct exchange *x, const char *what)
{
	if (!strstr(x->text, what)) {
		g_error("no '%s' in\n%s", what, x->text);
	}
}

static void assert_lacks(const struct exchange *x, const char *what)
{
	if (strstr(x->text, what)) {
		g_error("'%s' in\n%s", what, x->text);
	}
}

static void published_media_is_received(void)
{
	const struct mcu_codec_use *c;
	const struct mcu_encoding *e;
	struct exchange x;

	read_offer(&x, HEAD "a=group:BUNDLE 0 1\r\n" AUDIO VIDEO("1") "a=ssrc-group:FID 21 22\r\na=ssrc:21 cname:c\r\n");
	x.plans[0].dir = x.plans[1].dir = GW_SDP_RECV;
	answer(&x);
	g_assert_cmpint((int)x.agreed[0].dir, ==, GW_SDP_RECV);
	c = x.agreed[0].codecs.items;
	g_assert_cmpuint(x.agreed[0].codecs.n, ==, 4);
	g_assert_cmpstr(c[0].name, ==, "opus");
	g_assert_cmpint(c[0].pt, ==, 111);
	g_assert_cmpint(c[0].channels, ==, 2);
	g_assert_true(c[0].twcc && !c[0].nack);
	g_assert_cmpstr(c[1].name, ==, "G722");
	c = x.agreed[1].codecs.items;
	g_assert_cmpuint(x.agreed[1].codecs.n, ==, 2);	/* VP8, and of the three H.264 the one that matches */
	g_assert_cmpstr(c[0].name, ==, "VP8");
	g_assert_cmpint(c[0].rtx_pt, ==, 97);
	g_assert_true(c[0].nack && c[0].pli && c[0].fir && c[0].remb && c[0].twcc);
	g_assert_cmpint(c[1].pt, ==, 104);
	g_assert_cmpint(c[1].rtx_pt, ==, 105);
	g_assert_true(c[1].nack && !c[1].pli);
	e = x.agreed[1].encodings.items;
	g_assert_cmpuint(x.agreed[1].encodings.n, ==, 1);
	g_assert_cmpint(e->ssrc, ==, 21);
	g_assert_cmpint(e->rtx_ssrc, ==, 22);
	g_assert_cmpuint(x.agreed[1].exts.n, ==, 3);
	assert_has(&x, "o=- 7 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-lite\r\na=group:BUNDLE 0 1\r\n");
	assert_has(&x, "m=audio 9 UDP/TLS/RTP/SAVPF 111 9 0 8\r\n");
	assert_has(&x, "m=video 9 UDP/TLS/RTP/SAVPF 96 97 104 105\r\n");
	assert_has(&x, "a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n");
	assert_has(&x, "a=recvonly\r\n");
	assert_has(&x, "a=setup:passive\r\n");
	assert_has(&x, "a=fingerprint:sha-256 EE:FF\r\n");
	assert_has(&x, "a=candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host\r\na=end-of-candidates\r\n");
	assert_lacks(&x, "a=ssrc");
	assert_lacks(&x, "urn:example:other");
	g_assert_cmpuint(x.answer->media[0].n_candidates, ==, 1);
	g_assert_cmpuint(x.answer->media[1].n_candidates, ==, 0);	/* stands in the first of the BUNDLE */
	done(&x);
}

static void viewed_media_is_sent(void)
{
	struct exchange x;

	read_offer(&x, HEAD "a=group:BUNDLE 1 2\r\n" VIDEO("1") "a=recvonly\r\n" VIDEO("2") "a=recvonly\r\n");
	x.plans[0] = (struct gw_sdp_plan){ .dir = GW_SDP_SEND, .ssrc = 1000, .rtx_ssrc = 1001, .stream = "s", .track = "t" };
	x.plans[1] = (struct gw_sdp_plan){ .dir = GW_SDP_SENDRECV, .ssrc = 2000 };
	answer(&x);
	g_assert_cmpint((int)x.agreed[0].dir, ==, GW_SDP_SEND);
	g_assert_cmpint((int)x.agreed[1].dir, ==, GW_SDP_SEND);	/* cut with what the peer offers */
	g_assert_cmpuint(x.agreed[0].encodings.n, ==, 0);
	assert_has(&x, "a=sendonly\r\n");
	assert_has(&x, "a=msid:s t\r\na=ssrc-group:FID 1000 1001\r\na=ssrc:1000 cname:cn\r\na=ssrc:1000 msid:s t\r\n");
	assert_has(&x, "a=msid:- 2\r\na=ssrc:2000 cname:cn\r\n");
	assert_has(&x, "m=video 9 UDP/TLS/RTP/SAVPF 96 104\r\n");	/* nobody would send the rtx of the second */
	done(&x);
}

static void plan_decides_codecs_and_their_order(void)
{
	static const struct mcu_codec_use wanted[] = {
		{ .name = (char *)"H264", .nack = true },
		{ .name = (char *)"vp8", .pli = true },
	};
	const struct mcu_codec_use *c;
	struct exchange x;

	read_offer(&x, HEAD "a=group:BUNDLE 1\r\n" VIDEO("1"));
	x.plans[0] = (struct gw_sdp_plan){ .dir = GW_SDP_RECV, .codecs = wanted, .n_codecs = 2 };
	answer(&x);
	c = x.agreed[0].codecs.items;
	g_assert_cmpuint(x.agreed[0].codecs.n, ==, 2);
	g_assert_cmpint(c[0].pt, ==, 104);
	g_assert_true(c[0].nack && c[0].rtx_pt == 105);
	g_assert_cmpint(c[1].pt, ==, 96);
	g_assert_true(c[1].pli && !c[1].nack && !c[1].twcc && c[1].rtx_pt == 0);
	assert_lacks(&x, "transport-wide-cc");	/* nobody would give the feedback */
	done(&x);
}

static const struct { const char *name, *offered, *wanted; bool same; } profiles[] = {
	{ "equal", "packetization-mode=1;profile-level-id=42e01f", "packetization-mode=1;profile-level-id=42e01f", true },
	{ "level-differs", "packetization-mode=1;profile-level-id=42e034", "packetization-mode=1;profile-level-id=42e00a", true },
	{ "case", "profile-level-id=42E01F;packetization-mode=1", "packetization-mode=1;profile-level-id=42e01f", true },
	{ "constrained-by-main", "packetization-mode=1;profile-level-id=4d801f", "packetization-mode=1;profile-level-id=42e01f", true },
	{ "baseline", "packetization-mode=1;profile-level-id=42001f", "packetization-mode=1;profile-level-id=42e01f", false },
	{ "high", "packetization-mode=1;profile-level-id=64001f", "packetization-mode=1;profile-level-id=640032", true },
	{ "high-constrained", "packetization-mode=1;profile-level-id=640c1f", "packetization-mode=1;profile-level-id=64001f", false },
	{ "mode", "profile-level-id=42e01f", "packetization-mode=1;profile-level-id=42e01f", false },
	{ "mode-said", "packetization-mode=0;profile-level-id=42e01f", "profile-level-id=42e01f", true },
	{ "nothing-said", "packetization-mode=1", "packetization-mode=1;profile-level-id=42000a", true },
	{ "nonsense", "packetization-mode=1;profile-level-id=zz", "packetization-mode=1;profile-level-id=42e01f", false },
};

static void profile_must_match(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	const struct mcu_codec_use wanted = { .name = (char *)"H264", .fmtp = (char *)profiles[i].wanted };
	g_autofree char *text = g_strdup_printf(HEAD "m=video 9 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 %s\r\n",
						profiles[i].offered);
	struct exchange x;

	read_offer(&x, text);
	x.plans[0] = (struct gw_sdp_plan){ .dir = GW_SDP_RECV, .codecs = &wanted, .n_codecs = 1 };
	answer(&x);
	g_assert_cmpint(x.agreed[0].accepted, ==, profiles[i].same);
	done(&x);
}

static void simulcast_is_taken_when_wanted(void)
{
	const struct mcu_encoding *e;
	struct exchange x;

	for (int on = 0; on < 2; on++) {
		read_offer(&x, HEAD "a=group:BUNDLE 1\r\n" VIDEO("1") "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\n"
				    "a=simulcast:send h;m;~l\r\n");
		x.plans[0] = (struct gw_sdp_plan){ .dir = GW_SDP_RECV, .simulcast = on };
		answer(&x);
		e = x.agreed[0].encodings.items;
		g_assert_cmpuint(x.agreed[0].encodings.n, ==, on ? 3 : 1);
		g_assert_cmpstr(e[0].rid, ==, on ? "h" : NULL);
		if (on) {
			assert_has(&x, "a=rid:h recv\r\na=rid:m recv\r\na=rid:l recv\r\na=simulcast:recv h;m;l\r\n");
		} else {
			assert_lacks(&x, "a=simulcast");
		}
		done(&x);
	}
}

/* RFC 8843 7.3: who is rejected leaves the group; the first that stays carries the transport. */
static void rejected_line_leaves_the_bundle(void)
{
	struct exchange x;

	read_offer(&x, HEAD "a=group:BUNDLE 0 1 d 2\r\nm=audio 9 UDP/TLS/RTP/SAVPF 126\r\na=mid:0\r\n" ICE VIDEO("1") DATA
			    "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=bundle-only\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n");
	x.plans[0].dir = x.plans[1].dir = x.plans[2].dir = x.plans[3].dir = GW_SDP_RECV;
	answer(&x);
	g_assert_false(x.agreed[0].accepted);
	g_assert_cmpstr(x.agreed[0].why, ==, "no codec in common");
	g_assert_cmpstr(x.agreed[2].why, ==, "neither audio nor video");
	g_assert_true(x.agreed[3].accepted);	/* port 0 with bundle-only is an offer */
	assert_has(&x, "a=group:BUNDLE 1 2\r\n");
	assert_has(&x, "m=audio 0 UDP/TLS/RTP/SAVPF 126\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=inactive\r\nm=video");
	assert_has(&x, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n");
	assert_lacks(&x, "bundle-only");
	g_assert_cmpuint(x.answer->media[1].n_candidates, ==, 1);
	g_assert_cmpuint(x.answer->media[3].n_candidates, ==, 0);
	g_assert_cmpuint(x.answer->media[3].port, ==, 9);
	done(&x);
}

static const struct { const char *name; bool reject[3], accepted[3]; const char *group; } tags[] = {
	{ "first-rests", { true, false, false }, { true, true, true }, "a=group:BUNDLE 0 1 2\r\n" },
	{ "first-rests-for-one", { true, true, false }, { true, false, true }, "a=group:BUNDLE 0 2\r\n" },
	{ "nobody-rides", { true, true, true }, { false, false, false }, NULL },
	{ "other", { false, true, false }, { true, false, true }, "a=group:BUNDLE 0 2\r\n" },
};

static void line_that_carries_the_bundle_rests(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct exchange x;

	read_offer(&x, HEAD "a=group:BUNDLE 0 1 2\r\n" AUDIO VIDEO("1") VIDEO("2"));
	for (size_t m = 0; m < 3; m++) {
		x.plans[m] = (struct gw_sdp_plan){ .reject = tags[i].reject[m], .dir = GW_SDP_SENDRECV };
	}
	answer(&x);
	for (size_t m = 0; m < 3; m++) {
		g_assert_cmpint(x.agreed[m].accepted, ==, tags[i].accepted[m]);
		g_assert_cmpint((int)x.agreed[m].dir, ==, tags[i].reject[m] ? GW_SDP_INACTIVE : GW_SDP_SENDRECV);
	}
	if (tags[i].group) {
		assert_has(&x, tags[i].group);
	} else {
		assert_lacks(&x, "a=group");
	}
	done(&x);
}

static void sound_has_no_retransmission_group(void)
{
	struct exchange x;

	read_offer(&x, HEAD "a=group:BUNDLE 0\r\n" AUDIO);
	x.plans[0] = (struct gw_sdp_plan){ .dir = GW_SDP_SEND, .ssrc = 5, .rtx_ssrc = 6 };
	answer(&x);
	assert_has(&x, "a=ssrc:5 cname:cn\r\n");
	assert_lacks(&x, "a=ssrc-group");
	done(&x);
}

static const struct { const char *name, *offer, *why; } rejects[] = {
	{ "port-zero", "m=audio 0 RTP/AVP 0\r\n", "the offer has port 0" },
	{ "no-codec", "m=audio 9 RTP/AVP 18\r\n", "no codec in common" },
	{ "other-clock", "m=audio 9 RTP/AVP 96\r\na=rtpmap:96 opus/16000/2\r\n", "no codec in common" },
	{ "other-channels", "m=audio 9 RTP/AVP 96\r\na=rtpmap:96 opus/48000\r\n", "no codec in common" },
	{ "other-kind", "m=video 9 RTP/AVP 0\r\n", "no codec in common" },
	{ "only-rtx", "m=video 9 RTP/AVP 96\r\na=rtpmap:96 rtx/90000\r\na=fmtp:96 apt=96\r\n", "no codec in common" },
	{ "no-mux", "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n", "no rtcp-mux" },
	{ "profile", "m=audio 9 RTP/SAVP 0\r\n", "unknown transport profile" },
	{ "text", "m=text 9 RTP/AVP 0\r\n", "neither audio nor video" },
};

static void rejects_and_says_why(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	g_autofree char *text = g_strconcat(HEAD, rejects[i].offer, NULL);
	struct exchange x;

	read_offer(&x, text);
	x.plans[0].dir = GW_SDP_SENDRECV;
	answer(&x);
	g_assert_false(x.agreed[0].accepted);
	g_assert_cmpstr(x.agreed[0].why, ==, rejects[i].why);
	g_assert_cmpuint(x.answer->media[0].port, ==, 0);
	assert_lacks(&x, "a=group");
	done(&x);
}

static void unbundled_line_needs_its_own_transport(void)
{
	struct mcu_candidate_use address = { .ip = (char *)"2001:db8::1", .port = 4000 };
	struct mcu_transport_reply plain = { .candidates = { &address, 1 } };
	struct exchange x;

	read_offer(&x, HEAD "m=audio 5000 RTP/AVP 0\r\nm=video 5002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"
			    "m=audio 5004 RTP/AVP 8\r\n");
	x.plans[0].dir = x.plans[1].dir = x.plans[2].dir = GW_SDP_SENDRECV;
	x.plans[2].transport = &plain;
	answer(&x);
	g_assert_true(x.agreed[0].accepted);
	g_assert_cmpstr(x.agreed[1].why, ==, "outside of the BUNDLE");
	g_assert_true(x.agreed[2].accepted);
	assert_has(&x, "m=audio 4000 RTP/AVP 8\r\nc=IN IP6 2001:db8::1\r\n");
	g_assert_cmpuint(x.answer->media[2].n_candidates, ==, 0);
	done(&x);
}

static const struct { const char *name; enum gw_sdp_dir offered, wanted, agreed; } dirs[] = {
	{ "both", GW_SDP_SENDRECV, GW_SDP_SENDRECV, GW_SDP_SENDRECV },
	{ "peer-sends", GW_SDP_SEND, GW_SDP_SENDRECV, GW_SDP_RECV },
	{ "peer-receives", GW_SDP_RECV, GW_SDP_SENDRECV, GW_SDP_SEND },
	{ "peer-rests", GW_SDP_INACTIVE, GW_SDP_SENDRECV, GW_SDP_INACTIVE },
	{ "we-rest", GW_SDP_SENDRECV, GW_SDP_INACTIVE, GW_SDP_INACTIVE },
	{ "crossed", GW_SDP_SEND, GW_SDP_SEND, GW_SDP_INACTIVE },
};

static void direction_is_mirrored_and_cut(gconstpointer data)
{
	static const char *const words[] = { "inactive", "sendonly", "recvonly", "sendrecv" };
	size_t i = GPOINTER_TO_SIZE(data);
	g_autofree char *text = g_strdup_printf(HEAD "m=audio 9 RTP/AVP 0\r\na=%s\r\n", words[dirs[i].offered]);
	struct exchange x;

	read_offer(&x, text);
	x.plans[0].dir = dirs[i].wanted;
	answer(&x);
	g_assert_true(x.agreed[0].accepted);
	g_assert_cmpint((int)x.agreed[0].dir, ==, (int)dirs[i].agreed);
	assert_has(&x, words[dirs[i].agreed]);
	done(&x);
}

static void remote_side_is_read(void)
{
	struct mcu_transport_connect req = { 0 };
	g_autofree char *why = NULL;
	struct exchange x;

	read_offer(&x, HEAD "a=group:BUNDLE 1 0\r\n" AUDIO
			    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=ice-ufrag:first\r\na=ice-pwd:pw\r\n"
			    "a=setup:passive\r\na=fingerprint:SHA-256 12:34\r\n");
	g_assert_cmpint(gw_sdp_remote(x.offer, &req, NULL), ==, 0);
	g_assert_cmpstr(req.ice_ufrag, ==, "first");
	g_assert_cmpstr(req.ice_pwd, ==, "pw");
	g_assert_cmpstr(req.fingerprint, ==, "12:34");
	g_assert_true(req.dtls_client);
	ort_json_clear(&mcu_table_transport_connect, &req);
	done(&x);
	read_offer(&x, HEAD "a=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:sha-1 12:34\r\nm=audio 9 RTP/AVP 0\r\n");
	g_assert_cmpint(gw_sdp_remote(x.offer, &req, &why), ==, -EINVAL);
	g_assert_cmpstr(why, ==, "no SHA-256 fingerprint");
	done(&x);
}

static void extensions_of_all_lines_are_joined(void)
{
	struct ort_json_array exts;
	struct exchange x;

	read_offer(&x, HEAD "a=group:BUNDLE 0 1\r\n" AUDIO VIDEO("1"));
	x.plans[0].dir = x.plans[1].dir = GW_SDP_RECV;
	answer(&x);
	gw_sdp_agreed_exts(x.agreed, 2, &exts);
	g_assert_cmpuint(exts.n, ==, 4);	/* mid, twcc, audio level, rid */
	gw_sdp_array_clear(&mcu_table_ext_use, &exts);
	done(&x);
}

static void equal_mids_are_an_error(void)
{
	struct gw_sdp_ours ours = { .transport = &our_transport };
	g_autofree char *why = NULL;
	struct exchange x;

	read_offer(&x, HEAD "m=audio 9 RTP/AVP 0\r\na=mid:a\r\nm=audio 9 RTP/AVP 0\r\na=mid:a\r\n");
	g_assert_cmpint(gw_sdp_answer(x.offer, &ours, x.plans, 2, x.agreed, &x.answer, &why), ==, -EINVAL);
	g_assert_cmpstr(why, ==, "two m-lines have the mid a");
	done(&x);
}

static void real_browsers_are_answered(gconstpointer data)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "sdp", data, NULL), *text = NULL;
	struct exchange x;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	read_offer(&x, text);
	for (size_t i = 0; i < x.offer->n_media; i++) {
		x.plans[i] = (struct gw_sdp_plan){ .dir = GW_SDP_SENDRECV, .ssrc = 1, .rtx_ssrc = 2 };
	}
	answer(&x);
	for (size_t i = 0; i < x.offer->n_media; i++) {
		g_assert_true(x.agreed[i].accepted);
		g_assert_cmpint(x.agreed[i].accepted, ==, gw_sdp_is_bundled(x.answer, &x.answer->media[i]));
	}
	done(&x);
}

#define ADD_ROWS(rows, folder, fn)                                                                                     \
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {                                                              \
		g_autofree char *path = g_strdup_printf("/answer/" folder "/%s", rows[i].name);                        \
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), fn);                                                   \
	}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD_ROWS(profiles, "profile_must_match", profile_must_match)
	ADD_ROWS(rejects, "rejects_and_says_why", rejects_and_says_why)
	ADD_ROWS(dirs, "direction_is_mirrored_and_cut", direction_is_mirrored_and_cut)
	ADD_ROWS(tags, "line_that_carries_the_bundle_rests", line_that_carries_the_bundle_rests)
	g_test_add_func("/answer/sound_has_no_retransmission_group", sound_has_no_retransmission_group);
	g_test_add_func("/answer/published_media_is_received", published_media_is_received);
	g_test_add_func("/answer/viewed_media_is_sent", viewed_media_is_sent);
	g_test_add_func("/answer/plan_decides_codecs_and_their_order", plan_decides_codecs_and_their_order);
	g_test_add_func("/answer/simulcast_is_taken_when_wanted", simulcast_is_taken_when_wanted);
	g_test_add_func("/answer/rejected_line_leaves_the_bundle", rejected_line_leaves_the_bundle);
	g_test_add_func("/answer/unbundled_line_needs_its_own_transport", unbundled_line_needs_its_own_transport);
	g_test_add_func("/answer/remote_side_is_read", remote_side_is_read);
	g_test_add_func("/answer/extensions_of_all_lines_are_joined", extensions_of_all_lines_are_joined);
	g_test_add_func("/answer/equal_mids_are_an_error", equal_mids_are_an_error);
	g_test_add_data_func("/answer/real/chromium", "chromium.sdp", real_browsers_are_answered);
	g_test_add_data_func("/answer/real/firefox", "firefox.sdp", real_browsers_are_answered);
	g_test_add_data_func("/answer/real/obs", "obs.sdp", real_browsers_are_answered);
	return g_test_run();
}
