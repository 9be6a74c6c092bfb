/* SDP texts: what is read into which member, what is refused with which words, and that printing loses nothing. */
#include <errno.h>
#include <string.h>

#include "gateway/sdp/sdp.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
#define AUDIO HEAD "m=audio 9 RTP/AVP 0 96\r\n"

static gw_sdp *parse(const char *text)
{
	g_autofree char *why = NULL;
	gw_sdp *sdp = NULL;

	g_assert_cmpint(gw_sdp_parse(text, strlen(text), &sdp, &why), ==, 0);
	g_assert_null(why);
	return sdp;
}

/* ---- refusals ---- */

static const struct { const char *name, *text, *why; } bad[] = {
	{ "empty", "", "line 1: the text ends without o=" },
	{ "no-version", "o=- 1 1 IN IP4 0.0.0.0\r\n", "line 1: the first line must be v=0" },
	{ "version-one", "v=1\r\n", "line 1: v=: must be 0" },
	{ "version-twice", "v=0\r\nv=0\r\n", "line 2: v=: stands twice" },
	{ "no-name", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n", "line 3: the text ends without s=" },
	{ "name-twice", HEAD "s=x\r\n", "line 5: s=: stands twice" },
	{ "late-session-line", AUDIO "t=0 0\r\n", "line 6: t=: belongs before the first m-line" },
	{ "blank-line", "v=0\r\n\r\ns=-\r\n", "line 2: must be a letter, '=' and a value" },
	{ "not-a-line", HEAD "hello\r\n", "line 5: must be a letter, '=' and a value" },
	{ "escape", HEAD "i=\x1b[2J\r\n", "line 5: a control character" },
	{ "bare-cr", HEAD "i=a\rb\r\n", "line 5: a control character" },
	{ "m-short", HEAD "m=audio 9 RTP/AVP\r\n", "line 5: m=: needs TYPE PORT PROTO FORMAT..." },
	{ "m-port", HEAD "m=audio 70000 RTP/AVP 0\r\n", "line 5: m=: bad port" },
	{ "m-port-sign", HEAD "m=audio -1 RTP/AVP 0\r\n", "line 5: m=: bad port" },
	{ "m-ports", HEAD "m=audio 9/0 RTP/AVP 0\r\n", "line 5: m=: bad port" },
	{ "rtpmap", AUDIO "a=rtpmap:96 opus/\r\n", "line 6: a=rtpmap: needs TYPE NAME/CLOCK" },
	{ "rtpmap-clock-zero", AUDIO "a=rtpmap:96 opus/0\r\n", "line 6: a=rtpmap: needs TYPE NAME/CLOCK" },
	{ "rtpmap-clock-huge", AUDIO "a=rtpmap:96 x/99999999999\r\n", "line 6: a=rtpmap: needs TYPE NAME/CLOCK" },
	{ "ssrc-huge", AUDIO "a=ssrc:4294967296 cname:x\r\n", "line 6: a=ssrc: needs SSRC ATTRIBUTE" },
	{ "ssrc-bare", AUDIO "a=ssrc:1\r\n", "line 6: a=ssrc: needs SSRC ATTRIBUTE" },
	{ "ssrc-group", AUDIO "a=ssrc-group:FID 1 x\r\n", "line 6: a=ssrc-group: bad SSRC" },
	{ "setup", AUDIO "a=setup:both\r\n", "line 6: a=setup: must be actpass, active, passive or holdconn" },
	{ "fingerprint", AUDIO "a=fingerprint:sha-256 AA:B\r\n", "line 6: a=fingerprint: needs HASH AA:BB:..." },
	{ "extmap-zero", AUDIO "a=extmap:0 urn:x\r\n", "line 6: a=extmap: needs ID URI" },
	{ "extmap-dir", AUDIO "a=extmap:1/both urn:x\r\n", "line 6: a=extmap: needs ID URI" },
	{ "rid", AUDIO "a=rid:h both\r\n", "line 6: a=rid: needs ID send or ID recv" },
	{ "mid-twice", AUDIO "a=mid:0\r\na=mid:1\r\n", "line 7: a=mid: stands twice" },
	{ "mid-empty", AUDIO "a=mid:\r\n", "line 6: a=mid: needs a value" },
	{ "mid-bare", AUDIO "a=mid\r\n", "line 6: a=mid: needs a value" },
	{ "flag-value", AUDIO "a=rtcp-mux:yes\r\n", "line 6: a=rtcp-mux: takes no value" },
	{ "group", HEAD "a=group:\r\n", "line 5: a=group: needs SEMANTICS MID..." },
	{ "a-empty", HEAD "a=\r\n", "line 5: a=: needs a name" },
	{ "a-letter", HEAD "a=y=1\r\n", "line 5: a=: needs a name" },
};

static void refuses(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	g_autofree char *why = NULL;
	gw_sdp *sdp = NULL;

	g_assert_cmpint(gw_sdp_parse(bad[i].text, strlen(bad[i].text), &sdp, &why), ==, -EINVAL);
	g_assert_cmpstr(why, ==, bad[i].why);
	g_assert_null(sdp);
	g_assert_cmpint(gw_sdp_parse(bad[i].text, strlen(bad[i].text), &sdp, NULL), ==, -EINVAL);
}

static const struct { const char *name, *line; unsigned times; const char *why; } limits[] = {
	{ "m-lines", "m=audio 9 RTP/AVP 0\r\n", 65, "line 69: m=: more than 64 m-lines" },
	{ "session-attributes", "a=x\r\n", 253, "line 257: more than 256 attributes" },
	{ "text", "m=audio 9 RTP/AVP 0\r\na=abcdefgh\r\n", 3000, "longer than 65536 bytes" },
};

static void limits_hold(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	GString *text = g_string_new(HEAD);
	g_autofree char *why = NULL;
	gw_sdp *sdp = NULL;

	for (unsigned n = 0; n + 1 < limits[i].times && text->len < GW_SDP_TEXT_MAX; n++) {
		g_string_append(text, limits[i].line);
	}
	if (text->len < GW_SDP_TEXT_MAX) {	/* one less is allowed */
		g_autoptr(gw_sdp) whole = parse(text->str);

		g_assert_nonnull(whole);
		g_string_append(text, limits[i].line);
	}
	g_assert_cmpint(gw_sdp_parse(text->str, text->len, &sdp, &why), ==, -EMSGSIZE);
	g_assert_cmpstr(why, ==, limits[i].why);
	g_string_free(text, TRUE);
}

static void long_line_is_refused(void)
{
	g_autofree char *xs = g_strnfill(4095, 'x'), *text = g_strdup_printf(HEAD "i=%s\r\n", xs), *why = NULL;
	gw_sdp *sdp = NULL;

	g_assert_cmpint(gw_sdp_parse(text, strlen(text), &sdp, &why), ==, -EMSGSIZE);
	g_assert_cmpstr(why, ==, "line 5: longer than 4096 bytes");
}

/* ---- members ---- */

static void codecs_are_merged_by_type(void)
{
	g_autoptr(gw_sdp) sdp = parse(HEAD "m=video 9 UDP/TLS/RTP/SAVPF 96 97 34 98\r\na=rtpmap:97 rtx/90000\r\n"
					   "a=fmtp:97 apt=96\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:* ccm fir\r\n"
					   "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 nack\r\n"
					   "a=fmtp:96 a=1\r\na=fmtp:96 b=2\r\na=rtpmap:99 VP9/90000\r\n");
	const struct gw_sdp_media *m = &sdp->media[0];

	g_assert_cmpuint(m->n_codecs, ==, 4);
	g_assert_cmpstr(m->codecs[0].name, ==, "VP8");
	g_assert_cmpstr(m->codecs[0].fmtp, ==, "a=1;b=2");
	g_assert_cmpstr(m->codecs[0].fb[0], ==, "nack");
	g_assert_cmpstr(m->codecs[0].fb[1], ==, "ccm fir");
	g_assert_cmpstr(m->codecs[0].fb[2], ==, "nack pli");
	g_assert_null(m->codecs[0].fb[3]);
	g_assert_cmpstr(m->codecs[1].fmtp, ==, "apt=96");
	g_assert_cmpstr(m->codecs[2].name, ==, "H263");	/* static */
	g_assert_null(m->codecs[3].name);
	g_assert_cmpstr(m->level.attrs[0].name, ==, "rtpmap");	/* of a type that is not offered: kept aside */
}

static void candidate_is_read(void)
{
	g_autoptr(gw_sdp) sdp =
		parse(AUDIO "a=candidate:4 1 TCP 1688207359 192.0.2.3 9 typ srflx raddr 10.0.1.1 rport 9 tcptype active "
			    "generation 0 network-id 2\r\na=candidate:new 1 quic\r\na=end-of-candidates\r\n");
	const struct gw_sdp_media *m = &sdp->media[0];

	g_assert_cmpuint(m->n_candidates, ==, 1);
	g_assert_cmpstr(m->candidates[0].ip, ==, "192.0.2.3");
	g_assert_cmpuint(m->candidates[0].port, ==, 9);
	g_assert_cmpuint(m->candidates[0].priority, ==, 1688207359);
	g_assert_cmpstr(m->candidates[0].type, ==, "srflx");
	g_assert_cmpstr(m->candidates[0].raddr, ==, "10.0.1.1");
	g_assert_cmpuint(m->candidates[0].rport, ==, 9);
	g_assert_cmpstr(m->candidates[0].tcptype, ==, "active");
	g_assert_cmpstr(m->candidates[0].rest, ==, "generation 0 network-id 2");
	g_assert_cmpstr(m->level.attrs[0].value, ==, "new 1 quic");
	g_assert_true(m->end_of_candidates);
}

static void streams_are_read(void)
{
	g_autoptr(gw_sdp) sdp =
		parse(AUDIO "a=msid:s t\r\na=ssrc:1 cname:c:d\r\na=ssrc:1 msid:s t\r\na=ssrc:2 cname:c\r\n"
			    "a=ssrc-group:FID 1 2\r\na=rid:h send max-width=1280\r\na=rid:l send\r\n"
			    "a=simulcast:send h,x;~l\r\na=content:slides\r\na=label:7\r\na=extmap:3/recvonly urn:x cfg\r\n");
	const struct gw_sdp_media *m = &sdp->media[0];
	struct ort_json_array encodings;
	const struct mcu_encoding *e;

	g_assert_cmpstr(m->msids[0], ==, "s t");
	g_assert_cmpuint(m->n_ssrcs, ==, 2);
	g_assert_cmpstr(m->ssrcs[0].attrs[0].value, ==, "c:d");
	g_assert_cmpuint(m->ssrc_groups[0].ssrcs[1], ==, 2);
	g_assert_cmpstr(m->rids[0].params, ==, "max-width=1280");
	g_assert_cmpint((int)m->level.exts[0].dir, ==, GW_SDP_RECV);
	g_assert_cmpstr(m->level.exts[0].config, ==, "cfg");
	g_assert_cmpint((int)gw_sdp_content(m), ==, MCU_CONTENT_SLIDES);
	gw_sdp_encodings(m, &encodings);
	e = encodings.items;
	g_assert_cmpuint(encodings.n, ==, 2);
	g_assert_cmpstr(e[0].rid, ==, "h");
	g_assert_cmpstr(e[1].rid, ==, "l");
	gw_sdp_array_clear(&mcu_table_encoding, &encodings);
}

static void direction_falls_back_to_session(void)
{
	g_autoptr(gw_sdp) sdp = parse(HEAD "a=recvonly\r\nm=audio 9 RTP/AVP 0\r\nm=video 9 RTP/AVP 34\r\na=inactive\r\n");
	g_autoptr(gw_sdp) none = parse(AUDIO);

	g_assert_cmpint((int)gw_sdp_dir(sdp, &sdp->media[0]), ==, GW_SDP_RECV);
	g_assert_cmpint((int)gw_sdp_dir(sdp, &sdp->media[1]), ==, GW_SDP_INACTIVE);
	g_assert_cmpint((int)gw_sdp_dir(none, &none->media[0]), ==, GW_SDP_SENDRECV);
}

static void fmtp_values_are_found(void)
{
	static const struct { const char *fmtp, *key, *want; } rows[] = {
		{ "a=1;b=2", "b", "2" },   { "a=1; b=2 ;c=3", "b", "2" }, { "ab=1;b=2", "b", "2" }, { "a=1", "b", NULL },
		{ "A=1", "a", "1" },	   { "a", "a", NULL },		  { "a=", "a", "" },	   { "", "a", NULL },
		{ NULL, "a", NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		size_t len = 0;
		const char *value = gw_sdp_fmtp_value(rows[i].fmtp, rows[i].key, &len);
		g_autofree char *got = value ? g_strndup(value, len) : NULL;

		g_assert_cmpstr(got, ==, rows[i].want);
	}
}

/* GB/T 28181 dialect: y= and f= stand last and stay. */
static void unknown_lines_stay(void)
{
	static const char text[] = "v=0\r\no=34020000001320000001 0 0 IN IP4 192.0.2.9\r\ns=Play\r\nu=http://x\r\n"
				   "c=IN IP4 192.0.2.9\r\nb=AS:512\r\nt=0 0\r\nr=1 2 3\r\na=tool:x\r\nm=video 6000/2 RTP/AVP 96\r\n"
				   "a=recvonly\r\na=rtpmap:96 PS/90000\r\na=x:y:z\r\na=bare\r\ny=0100000001\r\nf=v/2/4///a///\r\n";
	g_autoptr(gw_sdp) sdp = parse(text);
	g_autofree char *out = gw_sdp_print(sdp);

	g_assert_cmpstr(out, ==, text);
}

/* ---- the texts of browsers and devices ---- */

static void file_survives_the_round(gconstpointer data)
{
	g_autofree char *text = NULL, *first = NULL, *second = NULL;
	g_autoptr(gw_sdp) sdp = NULL, again = NULL;
	gsize len;

	g_assert_true(g_file_get_contents(data, &text, &len, NULL));
	g_assert_cmpint(gw_sdp_parse(text, len, &sdp, NULL), ==, 0);
	first = gw_sdp_print(sdp);
	again = parse(first);
	second = gw_sdp_print(again);
	g_assert_cmpstr(first, ==, second);
	g_assert_cmpuint(again->n_media, ==, sdp->n_media);
	for (size_t i = 0; i < sdp->n_media; i++) {
		g_assert_cmpuint(again->media[i].n_codecs, ==, sdp->media[i].n_codecs);
		g_assert_cmpuint(again->media[i].level.n_attrs, ==, sdp->media[i].level.n_attrs);
	}
}

/* Every line of these texts is printed again, only elsewhere: no information is lost. */
static void no_line_is_lost(gconstpointer data)
{
	g_autofree char *text = NULL, *out = NULL;
	g_autoptr(gw_sdp) sdp = NULL;
	g_auto(GStrv) lines = NULL;
	gsize len;

	g_assert_true(g_file_get_contents(data, &text, &len, NULL));
	g_assert_cmpint(gw_sdp_parse(text, len, &sdp, NULL), ==, 0);
	out = gw_sdp_print(sdp);
	lines = g_strsplit(text, "\n", -1);
	for (char **l = lines; *l; l++) {
		g_autofree char *want = g_strdup_printf("%s\r\n", g_strchomp(*l));

		if (**l && !strstr(out, want)) {
			g_error("lost: %s", *l);
		}
	}
}

static void add_files(void)
{
	static const char *const lossless[] = { "chromium", "firefox", "obs", "jsep", "icelite", "onvif", "st2110-20" };
	g_autofree char *folder = g_test_build_filename(G_TEST_DIST, "data", "sdp", NULL);
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name;

	g_assert_nonnull(dir);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_strdup_printf("/sdp/round/%s", name);

		if (g_str_has_suffix(name, ".sdp")) {
			g_test_add_data_func_full(path, g_build_filename(folder, name, NULL), file_survives_the_round, g_free);
		}
	}
	g_dir_close(dir);
	for (size_t i = 0; i < G_N_ELEMENTS(lossless); i++) {
		g_autofree char *path = g_strdup_printf("/sdp/lossless/%s", lossless[i]);
		g_autofree char *file = g_strdup_printf("%s/%s.sdp", folder, lossless[i]);

		g_test_add_data_func_full(path, g_steal_pointer(&file), no_line_is_lost, g_free);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *path = g_strdup_printf("/sdp/refuses/%s", bad[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), refuses);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
		g_autofree char *path = g_strdup_printf("/sdp/limits_hold/%s", limits[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), limits_hold);
	}
	g_test_add_func("/sdp/long_line_is_refused", long_line_is_refused);
	g_test_add_func("/sdp/codecs_are_merged_by_type", codecs_are_merged_by_type);
	g_test_add_func("/sdp/candidate_is_read", candidate_is_read);
	g_test_add_func("/sdp/streams_are_read", streams_are_read);
	g_test_add_func("/sdp/direction_falls_back_to_session", direction_falls_back_to_session);
	g_test_add_func("/sdp/fmtp_values_are_found", fmtp_values_are_found);
	g_test_add_func("/sdp/unknown_lines_stay", unknown_lines_stay);
	add_files();
	return g_test_run();
}
