/* Pictures that stand still, pictures that come again, and what only looks like it; in virtual time. And a still's file. */
#include "mcu/mix/jpeg_priv.h"
#include "mcu/mix/judge_priv.h"

#include <math.h>
#include <string.h>

enum { W = 320, H = 180, FPS = 25 };

struct scene { GstBuffer *buffer; GstCaps *caps; GstMapInfo map; GstVideoInfo info; struct mix_picture *picture; };

static void scene_init(struct scene *s)
{
	gst_video_info_set_format(&s->info, GST_VIDEO_FORMAT_I420, W, H);
	s->buffer = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&s->info), NULL);
	s->caps = gst_video_info_to_caps(&s->info);
	s->picture = mix_picture_new(s->buffer, s->caps, 1);
	g_assert_nonnull(s->picture);
}

static uint8_t *luma(struct scene *s)
{
	return (uint8_t *)(uintptr_t)s->picture->plane[0];
}

static void scene_clear(struct scene *s)
{
	mix_picture_unref(s->picture);
	gst_buffer_unref(s->buffer);
	gst_caps_unref(s->caps);
}

static uint32_t noise(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 24;
}

/* A wall with a man in front of it; grain: of the sensor and the coder */
static void draw(struct scene *s, double x, double y, int grain, uint32_t *state)
{
	for (int row = 0; row < H; row++) {
		for (int col = 0; col < W; col++) {
			bool man = fabs(col - x * W) < 30 && fabs(row - y * H) < 45;
			int v = man ? 190 : 60 + (col / 20 * 7 + row / 15 * 11) % 60;
			luma(s)[row * s->picture->stride[0] + col] = (uint8_t)(v + (grain ? (int)noise(state) % (2 * grain + 1) - grain : 0));
		}
	}
}

/* Where he is in frame f: always somewhere else, within `period` frames */
static void walk(unsigned f, double *x, double *y)
{
	*x = 0.5 + 0.4 * sin(f * 0.021) + 0.05 * sin(f * 0.13 + 1);
	*y = 0.5 + 0.2 * sin(f * 0.017 + 2) + 0.05 * sin(f * 0.077);
}

static const struct judge_row {
	const char *name;
	unsigned period;	/* frames of the clip; 0 = it does not come again */
	int grain;
	bool moves, fan;
	unsigned seconds;
	bool frozen;
	int64_t period_ms;
} rows[] = {
	{ "office-at-night", 0, 2, false, false, 40, false, 0 },
	{ "stuck", 0, 0, false, false, 40, true, 0 },
	{ "somebody-walks", 0, 1, true, false, 90, false, 0 },
	{ "clip-of-7-s", 7 * FPS + 8, 1, true, false, 30, false, 7300 },
	{ "clip-of-20-s", 20 * FPS, 1, true, false, 50, false, 20000 },
	{ "clip-of-50-s", 50 * FPS + 3, 2, true, false, 70, false, 50100 },
	{ "clip-copied", 5 * FPS, 0, true, false, 30, false, 5000 },
	{ "fan", 0, 1, false, true, 40, false, 0 },
};

static void judged(gconstpointer data)
{
	const struct judge_row *row = data;
	struct mix_judge *j = mix_judge_new();
	struct mix_judge_figures f;
	struct scene s;
	uint32_t state = 1;
	int64_t now_us = 1000000;

	scene_init(&s);
	for (unsigned n = 0; n < row->seconds * FPS; n++, now_us += 1000000 / FPS) {
		double x = 0.5, y = 0.5;
		if (row->moves) {
			walk(row->period ? n % row->period : n, &x, &y);
		} else if (row->fan) {
			x += 0.3 * sin(n * 2 * G_PI / (1.1 * FPS));
		}
		if (n % 2 == 0) {	/* those that are looked at, or are near them */
			draw(&s, x, y, row->grain, &state);
		}
		mix_judge_note(j, s.picture, now_us);
	}
	mix_judge_figures(j, now_us, &f);
	g_assert_cmpint(f.same_us > 10000000, ==, row->frozen);
	g_assert_cmpint(llabs(f.period_us / 1000 - row->period_ms), <=, row->period_ms ? 100 : 0);
	g_assert_cmpfloat(f.luma, >, 60);
	mix_judge_forget(j);
	mix_judge_figures(j, now_us, &f);
	g_assert_cmpint(f.period_us, ==, 0);
	mix_judge_free(j);
	scene_clear(&s);
}

/* Spots may be equal while the picture is not: one pixel between them. */
static void one_pixel_is_enough(void)
{
	struct mix_judge *j = mix_judge_new();
	struct mix_judge_figures f;
	struct scene s;
	uint32_t state = 1;

	scene_init(&s);
	draw(&s, 0.5, 0.5, 0, &state);
	for (int64_t now_us = 1; now_us < 20000000; now_us += MIX_JUDGE_US) {
		luma(&s)[0] ^= 1;
		mix_judge_note(j, s.picture, now_us);
		luma(&s)[0] ^= (uint8_t)(noise(&state) & 1);
	}
	mix_judge_figures(j, 20000000, &f);
	g_assert_cmpint(f.same_us, <, 10000000);
	mix_judge_free(j);
	scene_clear(&s);
}

static void a_still_is_a_jpeg(void)
{
	struct scene s;
	uint32_t state = 1;
	int w, h;
	gsize len, all;

	scene_init(&s);
	draw(&s, 0.5, 0.5, 3, &state);
	g_autoptr(GBytes) whole = mix_jpeg(s.picture, 1280, 700000, &w, &h);
	g_assert_cmpint(w * 1000 + h, ==, W * 1000 + H);
	g_assert_cmpmem(g_bytes_get_data(whole, &all), 3, "\xff\xd8\xff", 3);
	g_assert_cmpuint(g_bytes_get_size(whole), >, 2000);
	g_autoptr(GBytes) small = mix_jpeg(s.picture, 161, 700000, &w, &h);
	g_assert_cmpuint(g_bytes_get_size(small), <, g_bytes_get_size(whole));
	g_assert_cmpint(w * 1000 + h, ==, 160 * 1000 + 90);
	g_autoptr(GBytes) coarse = mix_jpeg(s.picture, 1280, g_bytes_get_size(whole) - 1, &w, &h);
	g_assert_nonnull(coarse);
	(void)g_bytes_get_data(coarse, &len);
	g_assert_cmpuint(len, <, g_bytes_get_size(whole));
	g_assert_null(mix_jpeg(s.picture, 1280, 100, &w, &h));
	scene_clear(&s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	gst_init(NULL, NULL);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_autofree char *path = g_strconcat("/mix/judge/", rows[n].name, NULL);
		g_test_add_data_func(path, &rows[n], judged);
	}
	g_test_add_func("/mix/judge/one_pixel_is_enough", one_pixel_is_enough);
	g_test_add_func("/mix/judge/a_still_is_a_jpeg", a_still_is_a_jpeg);
	return g_test_run();
}
