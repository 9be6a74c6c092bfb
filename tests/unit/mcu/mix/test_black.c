/* Which pictures are called black: a lens cap, not a night. */
#include "mcu/mix/picture_priv.h"

enum { W = 320, H = 180 };
static uint8_t flat(int x, int y, int v) { return (uint8_t)v; }
static uint8_t noisy(int x, int y, int v) { return (uint8_t)(v + (x * 7 + y * 13) % 3); }
static uint8_t lamp(int x, int y, int v) { return (uint8_t)(x > 100 && x < 140 && y > 60 && y < 100 ? 120 : v); }
static uint8_t night(int x, int y, int v) { return (uint8_t)(v + (x / 20 * 3 + y / 20 * 5) % 17); }

static const struct black_row { const char *name; uint8_t (*luma)(int x, int y, int v); int v; bool black; } rows[] = {
	{ "limited", flat, 16, true }, { "full-range", flat, 0, true }, { "sensor-noise", noisy, 17, true },
	{ "blue-screen", flat, 41, false }, { "a-lamp", lamp, 16, false }, { "night", night, 16, false }, { "day", flat, 120, false },
};

static void is_black(gconstpointer data)
{
	const struct black_row *row = data;
	GstVideoInfo info;
	gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, W, H);
	g_autofree uint8_t *bytes = g_malloc0(GST_VIDEO_INFO_SIZE(&info));
	for (int y = 0; y < H; y++) {
		for (int x = 0; x < W; x++) {
			bytes[y * GST_VIDEO_INFO_PLANE_STRIDE(&info, 0) + x] = row->luma(x, y, row->v);
		}
	}
	GstBuffer *buffer = gst_buffer_new_memdup(bytes, GST_VIDEO_INFO_SIZE(&info));
	GstCaps *caps = gst_video_info_to_caps(&info);
	struct mix_picture *p = mix_picture_new(buffer, caps, 1);
	g_assert_nonnull(p);
	g_assert_cmpint(mix_picture_is_black(p), ==, row->black);
	mix_picture_unref(p);
	gst_caps_unref(caps);
	gst_buffer_unref(buffer);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	gst_init(NULL, NULL);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_autofree char *path = g_strconcat("/mix/black/", rows[n].name, NULL);
		g_test_add_data_func(path, &rows[n], is_black);
	}
	return g_test_run();
}
