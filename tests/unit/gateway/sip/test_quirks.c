/* Quirk rows: each bends our offer as it says; the site's files are read strictly. */
#include <string.h>

#include "tests/unit/gateway/sip/media_rig.h"


static const struct { enum sip_quirk_id id; const char *has, *lacks; } quirk_rows[SIP_QUIRK_N] = {
	{ SIP_QUIRK_MAX_FS, ";max-fs=8192;max-mbps=245760\r\n", "nothing" },
	{ SIP_QUIRK_ONE_H264, "a=rtpmap:102 H264/90000\r\n", "a=rtpmap:104" },
	{ SIP_QUIRK_NO_FEEDBACK, "RTP/AVP ", "a=rtcp-fb" },
	{ SIP_QUIRK_AVPF, "RTP/AVPF ", "RTP/AVP " },
	{ SIP_QUIRK_DTLS_SAVP, "UDP/TLS/RTP/SAVP ", "SAVPF" },
	{ SIP_QUIRK_MD5_ALONE, "RTP/AVP ", "nothing" },	/* no matter of SDP: test_sip_media.py */
	{ SIP_QUIRK_BFCP_TCP, "TCP/BFCP *\r\na=", "UDP/BFCP" },
	{ SIP_QUIRK_BFCP_DTLS, "a=setup:actpass\r\n", "m=application 5070 UDP/BFCP" },
};

static void quirk_bends_the_offer(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct sip_media_conf conf = { .video = true, .content = true, .bfcp = FLOOR, .quirks = 1u << quirk_rows[i].id };
	struct side s;

	conf.security = quirk_rows[i].id == SIP_QUIRK_DTLS_SAVP ? "dtls" : NULL;
	side_init(&s, "s", &conf);
	(void)side_offer(&s);
	assert_has(s.sdp, quirk_rows[i].has[0] == 'T' ? "TCP/BFCP *\r\n" : quirk_rows[i].has);
	assert_lacks(s.sdp, quirk_rows[i].lacks);
	side_clear(&s);
}

static void quirks_are_rows(void)
{
	g_autofree char *folder = g_dir_make_tmp("ortoo-quirks-XXXXXX", NULL), *path = g_build_filename(folder, "a.quirks", NULL);
	static const char *const bad[] = { "[x]\nproduct=a\nquirks=avpf\n", "[x]\nproduct=a\nproof=b\nquirks=magic\n",
					   "[x]\nproof=b\nquirks=avpf\n", "no group" };
	struct sip_quirks *q = sip_quirks_load(NULL, NULL);

	g_assert_cmpuint(sip_quirks_find(q, "Polycom RealPresence DMA 10.0"), ==, 1u << SIP_QUIRK_MAX_FS);
	g_assert_cmpuint(sip_quirks_find(q, "PolycomRealPresenceGroup/6.2"), ==, 0);
	g_assert_cmpuint(sip_quirks_find(q, NULL), ==, 0);
	sip_quirks_free(q);
	g_assert_true(g_file_set_contents(path, "[TE]\nproduct=Huawei*\nquirks=bfcp-tcp;one-h264\nproof=trace of 2026\n", -1, NULL));
	q = sip_quirks_load(folder, NULL);
	g_assert_cmpuint(sip_quirks_find(q, "Huawei TE40"), ==, 1u << SIP_QUIRK_BFCP_TCP | 1u << SIP_QUIRK_ONE_H264);
	sip_quirks_free(q);
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) err = NULL;

		g_assert_true(g_file_set_contents(path, bad[i], -1, NULL));
		g_assert_null(sip_quirks_load(folder, &err));
		assert_has(err->message, "a.quirks");
	}
	(void)remove(path);
	(void)remove(folder);
}

int main(int argc, char **argv)
{
	static const char *const names[] = {
#define X(id, word, ...) word,
#include "gateway/sip/quirks.def"
#undef X
	};

	g_test_init(&argc, &argv, NULL);
	floor_log = g_string_new(NULL);
	g_test_add_func("/sip/quirks/are_rows", quirks_are_rows);
	for (size_t i = 0; i < SIP_QUIRK_N; i++) {
		g_autofree char *path = g_strdup_printf("/sip/quirks/%s", names[quirk_rows[i].id]);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), quirk_bends_the_offer);
	}
	int r = g_test_run();
	g_string_free(floor_log, TRUE);
	return r;
}
