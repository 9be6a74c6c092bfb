/* The pure half of softclient/desktop/media: fingerprints, SDP, picture, voice. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "softclient/desktop/media/media.h"

/* The hash is of the bytes "not a real certificate", which is all that the comparison looks at. */
#define PEM "-----BEGIN CERTIFICATE-----\nbm90IGEgcmVhbCBj\r\nZXJ0aWZpY2F0ZQ==\n-----END CERTIFICATE-----\n"
#define GOOD "@"	/* replaced by the right fingerprint */

static char *right_fingerprint(bool upper)
{
	g_autofree char *hex = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "not a real certificate", -1);
	GString *text = g_string_new(NULL);
	for (unsigned n = 0; hex[n] != '\0'; n += 2) {
		char two[3] = { hex[n], hex[n + 1], '\0' };
		g_autofree char *up = g_ascii_strup(two, -1);
		g_string_append_printf(text, "%s%s", n > 0 ? ":" : "", upper ? up : two);
	}
	return g_string_free(text, FALSE);
}

static const struct { const char *name, *sdp, *pem; bool want; } fingerprint_rows[] = {
	{ "same", "v=0\r\na=fingerprint:sha-256 @\r\nm=audio\r\n", PEM, true },
	{ "bare-lf", "v=0\na=fingerprint:sha-256 @\nm=audio\n", PEM, true },
	{ "last-line-open", "v=0\na=fingerprint:sha-256 @", PEM, true },
	{ "hash-name-in-capitals", "a=fingerprint:SHA-256 @\r\n", PEM, true },
	{ "in-media-among-others", "a=fingerprint:sha-1 00:11\r\nm=audio 9\r\na=fingerprint:sha-256 @\r\n", PEM, true },
	{ "other", "a=fingerprint:sha-256 00:@\r\n", PEM, false },
	{ "longer", "a=fingerprint:sha-256 @:00\r\n", PEM, false },
	{ "one-byte", "a=fingerprint:sha-256 6B\r\n", PEM, false },
	{ "empty-value", "a=fingerprint:sha-256 \r\n", PEM, false },
	{ "weak-hash-only", "a=fingerprint:sha-1 @\r\n", PEM, false },
	{ "none-given", "v=0\r\nm=audio\r\n", PEM, false },
	{ "not-an-attribute", "x=fingerprint:sha-256 @\r\n", PEM, false },
	{ "empty-certificate", "a=fingerprint:sha-256 @\r\n", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", false },
	{ "cut-certificate", "a=fingerprint:sha-256 @\r\n", "-----BEGIN CERTIFICATE-----\nbm90", false },
	{ "no-certificate", "a=fingerprint:sha-256 @\r\n", NULL, false },
	{ "no-description", NULL, PEM, false },
};

static void fingerprint(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	for (unsigned upper = 0; upper < 2; upper++) {
		g_autofree char *right = right_fingerprint(upper != 0);
		g_autoptr(GString) sdp = g_string_new(fingerprint_rows[i].sdp);
		g_string_replace(sdp, GOOD, right, 0);
		g_assert_cmpint(sc_fingerprint_matches(fingerprint_rows[i].sdp != NULL ? sdp->str : NULL, fingerprint_rows[i].pem), ==,
				fingerprint_rows[i].want);
	}
}

static const struct { const char *name, *in, *want; } profile_rows[] = {
	{ "named", "a=fmtp:102 packetization-mode=1\r\n",
	  "a=fmtp:102 packetization-mode=1;profile-level-id=42e01f;level-asymmetry-allowed=1\r\n" },
	{ "has-one", "a=fmtp:102 packetization-mode=1;profile-level-id=42c01f\r\n",
	  "a=fmtp:102 packetization-mode=1;profile-level-id=42c01f\r\n" },
	{ "other-codec", "a=fmtp:111 useinbandfec=1\r\na=fmtp:103 apt=102\r\n", "a=fmtp:111 useinbandfec=1\r\na=fmtp:103 apt=102\r\n" },
};

static void profile(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	g_autofree char *got = sc_sdp_name_h264_profile(profile_rows[i].in);
	g_assert_cmpstr(got, ==, profile_rows[i].want);
}

/* ---- picture ---- */
static const struct { const char *name; unsigned width, height; bool want; } size_rows[] = {
	{ "demo", 640, 360, true },	 { "smallest", 160, 90, true },	    { "full-hd", 1920, 1080, true }, { "upright", 360 + 8, 640, true },
	{ "odd-height", 640, 361, false }, { "narrow-step", 636, 360, false }, { "tiny", 16, 16, false },     { "huge", 4096, 2160, false },
	{ "nothing", 0, 0, false },
};

static void size(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	sc_picture *p = sc_picture_new(size_rows[i].width, size_rows[i].height, true, "甲");
	g_assert_cmpint(p != NULL, ==, size_rows[i].want);
	if (p != NULL) {
		g_autofree uint8_t *frame = g_malloc(sc_picture_size(p));
		for (uint32_t n = 0; n < 70000; n += 6007) {
			sc_picture_draw(p, n, 1700000000000, frame);
			g_assert_cmpint(sc_picture_read_mark(frame, size_rows[i].width, size_rows[i].height, size_rows[i].width), ==,
					(int)(n & 0xffff));
		}
	}
	sc_picture_free(p);
}

static void no_mark_in_foreign_pictures(void)
{
	g_autofree uint8_t *frame = g_malloc(640 * 360);
	static const uint8_t greys[] = { 16, 128, 235 };
	for (unsigned n = 0; n < G_N_ELEMENTS(greys); n++) {
		memset(frame, greys[n], 640 * 360);
		g_assert_cmpint(sc_picture_read_mark(frame, 640, 360, 640), ==, -1);
	}
}

static void drill_is_seen(void)
{
	sc_picture *real = sc_picture_new(640, 360, false, "甲"), *drill = sc_picture_new(640, 360, true, "甲");
	g_autofree uint8_t *a = g_malloc(sc_picture_size(real)), *b = g_malloc(sc_picture_size(drill));
	unsigned differ = 0;
	sc_picture_draw(real, 1, 0, a);
	sc_picture_draw(drill, 1, 0, b);
	for (unsigned n = 0; n < 640 * 360; n++) {
		differ += a[n] != b[n];
	}
	g_assert_cmpuint(differ, >, 640 * 360 / 40);
	sc_picture_free(real);
	sc_picture_free(drill);
}

/* ---- voice ---- */
static double level_db(const int16_t *s, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		sum += (double)s[i] * s[i];
	}
	return 10 * log10(sum / (double)n / (32768.0 * 32768.0) + 1e-12);
}

static void voice_speaks_and_pauses(void)
{
	enum { N = 4 * SC_SOUND_HZ };
	g_autofree int16_t *s = g_new(int16_t, N);
	struct sc_speech speech;
	sc_speech_init(&speech, "演练现场 1");
	sc_speech_fill(&speech, s, 1000);
	sc_speech_fill(&speech, s + 1000, N - 1000);
	g_assert_cmpfloat(level_db(s, 3 * SC_SOUND_HZ), >, -30);
	g_assert_cmpfloat(level_db(s, 3 * SC_SOUND_HZ), <, -12);
	g_assert_cmpfloat(level_db(s + 3 * SC_SOUND_HZ, SC_SOUND_HZ), <, -90);
	for (unsigned n = 0; n < N; n++) {
		g_assert_cmpint(ABS((int)s[n]), <, 32000);
	}
}

static void names_have_voices(void)
{
	struct sc_speech a, b;
	sc_speech_init(&a, "甲");
	sc_speech_init(&b, "乙");
	g_assert_cmpfloat(a.pitch_hz, !=, b.pitch_hz);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(fingerprint_rows); i++) {
		g_autofree char *path = g_strconcat("/terminal/fingerprint/", fingerprint_rows[i].name, NULL);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), fingerprint);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(profile_rows); i++) {
		g_autofree char *path = g_strconcat("/terminal/profile/", profile_rows[i].name, NULL);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), profile);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(size_rows); i++) {
		g_autofree char *path = g_strconcat("/terminal/picture/", size_rows[i].name, NULL);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), size);
	}
	g_test_add_func("/terminal/picture/no_mark_in_foreign_pictures", no_mark_in_foreign_pictures);
	g_test_add_func("/terminal/picture/drill_is_seen", drill_is_seen);
	g_test_add_func("/terminal/voice/speaks_and_pauses", voice_speaks_and_pauses);
	g_test_add_func("/terminal/voice/names_have_voices", names_have_voices);
	return g_test_run();
}
