/* Codecs, filters, time scale, tones: each by itself. */
#include <math.h>
#include <string.h>

#include "sound_rig.h"

static void tone(float *x, unsigned n, double hz, double dbov, double *phase)
{
	for (unsigned i = 0; i < n; i++) {
		x[i] = (float)(pow(10, (dbov + 3.01) / 20) * sin(*phase));
		*phase += 2 * G_PI * hz / SOUND_HZ;
	}
}

static void tools_init(struct sound_tools *tools)
{
	sound_filter_init(&tools->by3, 3);
	sound_filter_init(&tools->by6, 6);
}

/* Half a second through encoder and decoder; the level of the last 200 ms. */
static double through(const char *name, double hz, double dbov)
{
	struct sound_tools tools;
	struct sound_encoder *e;
	struct sound_decoder *d;
	float x[SOUND_FRAME], out[25 * SOUND_FRAME];
	uint8_t packet[SOUND_PAYLOAD];
	double phase = 0;

	tools_init(&tools);
	e = sound_encoder_new(&tools, sound_codec_by_name(name), 0);
	d = sound_decoder_new(&tools, sound_codec_by_name(name));
	for (unsigned i = 0; i < 25; i++) {
		tone(x, SOUND_FRAME, hz, dbov, &phase);
		int len = sound_encode(e, x, false, packet, sizeof(packet));
		g_assert_cmpint(len, >, 0);
		g_assert_cmpint(sound_codec_by_name(name)->length(packet, (size_t)len), ==, SOUND_FRAME);
		g_assert_cmpint(sound_decode(d, packet, (size_t)len, out + i * SOUND_FRAME), ==, SOUND_FRAME);
	}
	sound_encoder_free(e);
	sound_decoder_free(d);
	return rig_goertzel(out + 15 * SOUND_FRAME, 10 * SOUND_FRAME, hz);
}

static const char *const names[] = { "opus", "G722", "PCMU", "PCMA" };

static void level_is_kept(gconstpointer name)
{
	static const double hz[] = { 300, 440, 1000, 1900, 2700, 3400 };

	for (unsigned i = 0; i < G_N_ELEMENTS(hz); i++) {
		double got = through(name, hz[i], -20);
		if (fabs(got + 20) > 1) {
			g_test_message("%s %g Hz: %.2f dBov", (const char *)name, hz[i], got);
			g_test_fail();
		}
	}
}

static void full_scale_does_not_wrap(gconstpointer name)
{
	g_assert_cmpfloat(fabs(through(name, 500, -3.02) + 3), <, 1);
}

/* What is over the half of the lower rate must not come back as something else. */
static void nothing_folds(gconstpointer data)
{
	unsigned factor = GPOINTER_TO_UINT(data), n = 10 * SOUND_FRAME;
	double top = 24000.0 / factor, phase, worst = -200;
	float *x = g_new(float, n), *low = g_new(float, n), *back = g_new(float, n);
	struct sound_filter f;

	sound_filter_init(&f, factor);
	for (double hz = top; hz < 23000; hz += 331) {
		struct sound_line a = {0}, b = {0};
		phase = 0;
		tone(x, n, hz, -3.01, &phase);
		for (unsigned i = 0; i < n; i += SOUND_FRAME) {
			sound_down(&f, &a, x + i, SOUND_FRAME, low + i / factor);
			sound_up(&f, &b, low + i / factor, SOUND_FRAME / factor, back + i);
		}
		worst = fmax(worst, sound_dbov(back + 2 * SOUND_FRAME, n - 2 * SOUND_FRAME) + 3.01);
	}
	g_assert_cmpfloat(worst, <, -50);
	/* and what is made between the samples of a tone below it is not heard */
	struct sound_line b = {0};
	for (unsigned i = 0; i < n / factor; i++) {
		low[i] = (float)sin(2 * G_PI * 0.85 * top * i * factor / SOUND_HZ);
	}
	for (unsigned i = 0; i < n; i += SOUND_FRAME) {
		sound_up(&f, &b, low + i / factor, SOUND_FRAME / factor, back + i);
	}
	g_assert_cmpfloat(rig_goertzel(back + 960, 4800, 0.85 * top), >, -3.3);
	g_assert_cmpfloat(rig_goertzel(back + 960, 4800, 2 * top - 0.85 * top), <, -53);
	g_free(x);
	g_free(low);
	g_free(back);
}

/* ITU-T G.711 tables: every code comes back as itself, and a few values are as printed. */
static void g711_codes(void)
{
	static const struct { const char *name; uint8_t code; int value; } rows[] = {
		{ "PCMU", 0xff, 0 }, { "PCMU", 0x80, 32124 }, { "PCMU", 0x00, -32124 }, { "PCMU", 0xfe, 8 },
		{ "PCMA", 0xd5, 8 }, { "PCMA", 0x55, -8 }, { "PCMA", 0xaa, 32256 }, { "PCMA", 0x2a, -32256 },
	};
	float in[160], out[160];
	uint8_t all[160], back[160];

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_assert_cmpint(sound_codec_by_name(rows[i].name)->decode(NULL, &rows[i].code, 1, false, out, 1), ==, 1);
		g_assert_cmpint(lrintf(out[0] * 32768), ==, rows[i].value);
	}
	for (unsigned k = 2; k < 4; k++) {
		const struct sound_codec *c = sound_codec_by_name(names[k]);
		for (unsigned base = 0; base < 256; base += 128) {
			for (unsigned i = 0; i < 160; i++) {
				all[i] = (uint8_t)(base + i % 128);
			}
			c->decode(NULL, all, 160, false, in, 160);
			c->encode(NULL, in, false, back, 160);
			for (unsigned i = 0; i < 160; i++) {
				/* mu-law has two zeros */
				g_assert_true(back[i] == all[i] || (all[i] == 0x7f && back[i] == 0xff));
			}
		}
	}
}

/* Octets that libavcodec's encoder (another hand's work) makes of the same samples. */
static void g722_is_bit_exact(void)
{
	const struct sound_codec *c = sound_codec_by_name("G722");
	g_autofree void *e = g_malloc0(c->encoder_size());
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	uint32_t noise = 1;
	float x[320];
	uint8_t out[160];

	c->encoder_init(e, 0);
	for (unsigned f = 0; f < 100; f++) {
		for (unsigned i = 0; i < 320; i++) {
			noise = noise * 1664525u + 1013904223u;
			x[i] = (float)((int)(noise >> 16) - 32768) / (f < 50 ? 40000 : 400000);
			x[i] = (float)lrintf(x[i] * 32767) / 32767;
		}
		c->encode(e, x, false, out, sizeof(out));
		g_checksum_update(sum, out, sizeof(out));
	}
	g_assert_cmpstr(g_checksum_get_string(sum), ==, "b523ff840832ab3fa95ae2fcd9b1dd448dda7df29eeba2fa9e16a9d3bb4d8d1b");
}

static void scale_has_no_click(void)
{
	float x[4 * SOUND_FRAME];
	double phase = 0, worst = 0, limit;
	unsigned n = 2 * SOUND_FRAME, cut;

	for (int longer = 0; longer < 2; longer++) {
		tone(x, n, 440, -10, &phase);
		limit = 1.3 * 2 * G_PI * 440 / SOUND_HZ * pow(10, -6.99 / 20);
		cut = longer ? sound_stretch(x, n, false) : sound_shrink(x, n, false);
		g_assert_cmpuint(cut, >=, 120);
		g_assert_cmpuint(cut, <=, 480);
		for (unsigned i = 1; i < (longer ? n + cut : n - cut); i++) {
			worst = fmax(worst, fabs((double)x[i] - x[i - 1]));
		}
		g_assert_cmpfloat(worst, <, limit);
	}
}

static void concealment(gconstpointer name)
{
	struct sound_tools tools;
	struct sound_encoder *e;
	struct sound_decoder *d;
	float x[SOUND_FRAME], out[SOUND_FRAME];
	uint8_t packet[SOUND_PAYLOAD];
	double phase = 0;

	tools_init(&tools);
	e = sound_encoder_new(&tools, sound_codec_by_name(name), 0);
	d = sound_decoder_new(&tools, sound_codec_by_name(name));
	for (unsigned i = 0; i < 20; i++) {
		tone(x, SOUND_FRAME, 400, -20, &phase);
		int len = sound_encode(e, x, false, packet, sizeof(packet));
		g_assert_cmpint(sound_decode(d, packet, (size_t)len, out), ==, SOUND_FRAME);
	}
	sound_conceal(d, out, SOUND_FRAME);
	g_assert_cmpfloat(fabs(rig_goertzel(out, SOUND_FRAME, 400) + 20), <, 3);
	for (unsigned i = 0; i < 20; i++) {
		sound_conceal(d, out, SOUND_FRAME);
	}
	g_assert_cmpfloat(sound_dbov(out, SOUND_FRAME), <, -40);	/* a lost line does not hum on */
	sound_encoder_free(e);
	sound_decoder_free(d);
}

static void sounds(void)
{
	float out[SOUND_FRAME];

	g_assert_cmpuint(sound_rows_n, >=, 12);
	g_assert_null(sound_row_by_name("no such"));
	for (unsigned i = 0; i < sound_rows_n; i++) {
		const struct sound_row *row = &sound_rows[i];
		int64_t ms = sound_row_ms(row);
		uint64_t at = 0;
		double peak = 0;
		g_assert_cmpint(ms, >, 50);
		g_assert_cmpint(ms, <=, 20000);
		memset(out, 0, sizeof(out));
		while (sound_row_play(row, at, out, SOUND_FRAME)) {
			for (unsigned k = 0; k < SOUND_FRAME; k++) {
				peak = fmax(peak, fabs((double)out[k]));
			}
			memset(out, 0, sizeof(out));
			at += SOUND_FRAME;
		}
		g_assert_cmpint((int64_t)at, >=, ms * 48);
		g_assert_cmpfloat(fabs(20 * log10(peak) - row->dbov - 3.01), <, 0.5);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *level = g_strdup_printf("/sound/%s/level_is_kept", names[i]);
		g_autofree char *full = g_strdup_printf("/sound/%s/full_scale_does_not_wrap", names[i]);
		g_autofree char *hole = g_strdup_printf("/sound/%s/concealment", names[i]);
		g_test_add_data_func(level, names[i], level_is_kept);
		g_test_add_data_func(full, names[i], full_scale_does_not_wrap);
		g_test_add_data_func(hole, names[i], concealment);
	}
	g_test_add_data_func("/sound/resample/nothing_folds_8k", GUINT_TO_POINTER(6), nothing_folds);
	g_test_add_data_func("/sound/resample/nothing_folds_16k", GUINT_TO_POINTER(3), nothing_folds);
	g_test_add_func("/sound/g711/codes", g711_codes);
	g_test_add_func("/sound/g722/is_bit_exact", g722_is_bit_exact);
	g_test_add_func("/sound/scale/has_no_click", scale_has_no_click);
	g_test_add_func("/sound/rows", sounds);
	return g_test_run();
}
