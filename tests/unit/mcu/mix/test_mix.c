/* Mixed pictures end to end: coloured legs in, the mosaic decoded by other people's code, colours looked for in their cells.
 * Waiting is by condition with a long limit, so a slow machine makes these tests slower and not red. */
#include "mix_rig.h"

static struct rig_clip *clip_of(enum mcu_codec_id codec, const struct rig_yuv *colour)
{
	return rig_clip_new(rig_coder(codec), 640, 360, 15, rig_fill_plain, colour);
}

struct want { struct rig_viewer *viewer; unsigned n; struct { double x, y; struct rig_yuv c; } at[4]; };

static bool shows(struct rig *r, void *ud)
{
	struct want *w = ud;

	for (unsigned i = 0; i < w->n; i++) {
		if (!rig_viewer_is(w->viewer, w->at[i].x, w->at[i].y, w->at[i].c)) {
			return false;
		}
	}
	return true;
}

/* name, codec in, codec out, encoder ranks */
static const struct { const char *name; enum mcu_codec_id in, out; const char *elements; } rows[] = {
	{ "h264-to-h264", MCU_CODEC_H264, MCU_CODEC_H264, NULL },
	{ "vp8-to-h264", MCU_CODEC_VP8, MCU_CODEC_H264, NULL },
	{ "h264-to-vp8", MCU_CODEC_H264, MCU_CODEC_VP8, NULL },
	{ "h265-to-h264", MCU_CODEC_H265, MCU_CODEC_H264, NULL },
	{ "openh264dec", MCU_CODEC_H264, MCU_CODEC_H264, "H264.decode=openh264dec" },
	{ "x264enc", MCU_CODEC_H264, MCU_CODEC_H264, "H264.encode=x264enc,openh264enc" },
};

static void each_leg_in_its_cell(gconstpointer data)
{
	unsigned row = GPOINTER_TO_UINT(data);
	struct rig r;
	struct rig_viewer viewer;
	struct rig_clip *red = clip_of(rows[row].in, &rig_red), *blue = clip_of(rows[row].in, &rig_blue);
	struct rig_leg legs[2] = { { .clip = red, .ssrc = 11 }, { .clip = blue, .ssrc = 22 } };
	struct want want = { &viewer, 4, { { .25, .25, rig_red }, { .75, .25, rig_blue }, { .25, .75, { 40, 132, 124 } },
					   { .75, .75, { 40, 132, 124 } } } };

	rig_init(&r, rows[row].elements, 30);
	rig_viewer_init(&viewer, 77, rows[row].out);
	g_ptr_array_add(r.legs, &legs[0]);
	g_ptr_array_add(r.legs, &legs[1]);
	g_ptr_array_add(r.viewers, &viewer);
	rig_input(&r, "a.video", "a", 11, MCU_CONTENT_MAIN);
	rig_input(&r, "b.video", "b", 22, MCU_CONTENT_MAIN);
	rig_view(&r, "program", "4", "a b");
	rig_output(&r, "out", "program", NULL, rows[row].out, 640, 360, 77, NULL);
	g_assert_true(rig_run(&r, PATIENCE, shows, &want));
	g_assert_cmpint(viewer.w, ==, 640);
	g_assert_cmpint(viewer.h, ==, 360);
	g_assert_cmpuint(viewer.gaps, ==, 0);
	g_assert_true(rig_saw(&r, "mix.view_shown program 4"));
	rig_viewer_clear(&viewer);
	rig_clear(&r);
	rig_clip_free(red);
	rig_clip_free(blue);
}

/* ---- stills ---- */
static void on_still(const void *reply, const GError *err, void *user_data)
{
	const struct mcu_mix_still_reply *r = reply;
	char **told = user_data;
	gsize len;

	g_autofree guchar *jpeg = r ? g_base64_decode(r->jpeg, &len) : NULL;
	g_assert_true(!r || (len > 500 && jpeg[0] == 0xff && jpeg[1] == 0xd8 && jpeg[len - 2] == 0xff && jpeg[len - 1] == 0xd9));
	*told = r ? g_strdup_printf("%s %dx%d", r->id, (int)r->width, (int)r->height) : g_strdup(err->message);
}

static bool was_answered(struct rig *r, void *ud)
{
	return *(char **)ud != NULL;
}

/* Nobody sees it, so it is not decoded; for a still it is, and then not any more. */
static void still_of_who_is_not_seen(void)
{
	struct mcu_mix_still req = { .room = (char *)"hall", .mix = (char *)"m", .id = (char *)"a.video", .max_width = 320 };
	struct rig_clip *red = clip_of(MCU_CODEC_H264, &rig_red);
	struct rig_leg leg = { .clip = red, .ssrc = 11 };
	char *told[4] = { NULL };
	struct rig r;

	rig_init(&r, NULL, 30);
	g_ptr_array_add(r.legs, &leg);
	rig_input(&r, "a.video", "a", 11, MCU_CONTENT_MAIN);
	rig_input(&r, "b.video", "b", 22, MCU_CONTENT_MAIN);
	g_assert_true(rig_run(&r, 40, NULL, NULL) || !rig_saw(&r, "mix.input_state a.video shown"));
	mcu_mix_ask(r.mix, MCU_METHOD_MIX_STILL, &req, on_still, &told[0]);
	g_assert_true(rig_run(&r, PATIENCE, was_answered, &told[0]));
	g_assert_cmpstr(told[0], ==, "a.video 320x180");
	req.id = (char *)"b.video";
	mcu_mix_ask(r.mix, MCU_METHOD_MIX_STILL, &req, on_still, &told[1]);
	g_assert_true(rig_run(&r, PATIENCE, was_answered, &told[1]));
	g_assert_cmpstr(told[1], ==, "no picture came");
	req.id = (char *)"nobody";
	mcu_mix_ask(r.mix, MCU_METHOD_MIX_STILL, &req, on_still, &told[2]);
	g_assert_cmpstr(told[2], ==, "no such input");
	req.id = (char *)"b.video";
	mcu_mix_ask(r.mix, MCU_METHOD_MIX_STILL, &req, on_still, &told[3]);
	rig_clear(&r);
	g_assert_cmpstr(told[3], ==, "the mix was closed");
	rig_clip_free(red);
	for (unsigned i = 0; i < 4; i++) {
		g_free(told[i]);
	}
}

int main(int argc, char **argv)
{
	gst_init(&argc, &argv);
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/mix/each_leg_in_its_cell/%s", rows[i].name);
		g_test_add_data_func(path, GUINT_TO_POINTER(i), each_leg_in_its_cell);
	}
	g_test_add_func("/mix/still_of_who_is_not_seen", still_of_who_is_not_seen);
	return g_test_run();
}
