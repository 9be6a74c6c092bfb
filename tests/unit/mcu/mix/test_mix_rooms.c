/* What a room of mixed pictures does: who is in which cell, late and broken legs, key frames, sizes asked for. */
#include "mix_rig.h"

#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/mix/caption_priv.h"
#include "mcu/mix/mix_priv.h"
#include "mcu/rtp/rtp.h"

static const struct rig_yuv empty = { 40, 132, 124 };

static void speak(struct room *m, const char *member)
{
	mix_home_call(m->rig.mix->home, mix_home_speaker, g_strdup(member), g_free);
}

/* ---- cells ---- */
static void layout_change_is_one_frame_and_no_more_than_one_key(void)
{
	struct room m;

	room_init(&m, NULL, 3);
	rig_view(&m.rig, "v", "2", "a b");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	expect(&m, .25, .5, rig_red);
	expect(&m, .75, .5, rig_green);
	unsigned keys = m.viewer.keyframes;
	rig_view(&m.rig, "v", "1", "c");
	expect(&m, .25, .5, rig_blue);
	g_assert_true(rig_saw(&m.rig, "mix.view_shown v 1"));
	g_assert_cmpuint(m.viewer.keyframes, <=, keys + 1);
	g_assert_cmpuint(m.viewer.gaps, ==, 0);
	room_clear(&m);
}

static void late_source_is_no_veto(void)
{
	struct room m;

	room_init(&m, NULL, 1);
	rig_view(&m.rig, "v", "2", "a b");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	expect(&m, .25, .5, rig_red);
	expect(&m, .75, .5, empty);
	g_ptr_array_add(m.rig.legs, &m.leg[1]);
	expect(&m, .75, .5, rig_green);
	room_clear(&m);
}

static void voice_cell_shows_the_speaker(void)
{
	struct room m;

	room_init(&m, NULL, 3);
	rig_view(&m.rig, "v", "1", "voice");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	speak(&m, "b");
	expect(&m, .5, .5, rig_green);
	speak(&m, "c");
	expect(&m, .5, .5, rig_blue);
	speak(&m, "");	/* silence changes nothing */
	rig_run(&m.rig, 10, NULL, NULL);
	expect(&m, .5, .5, rig_blue);
	room_clear(&m);
}

static void speaker_sees_the_one_before_him(void)
{
	struct room m;
	struct rig_viewer own;

	room_init(&m, NULL, 3);
	rig_viewer_init(&own, 88, MCU_CODEC_H264);
	g_ptr_array_add(m.rig.viewers, &own);
	rig_view(&m.rig, "v", "1", "voice");
	rig_output(&m.rig, "out", "v", "a", MCU_CODEC_H264, 640, 360, 77, NULL);
	rig_output(&m.rig, "own", "v", "c", MCU_CODEC_H264, 640, 360, 88, NULL);
	speak(&m, "b");
	expect(&m, .5, .5, rig_green);
	speak(&m, "c");
	expect(&m, .5, .5, rig_blue);
	g_assert_true(rig_viewer_is(&own, .5, .5, rig_green));
	g_ptr_array_set_size(m.rig.viewers, 0);
	room_clear(&m);
	rig_viewer_clear(&own);
}

static void polled_cell_takes_turns(void)
{
	struct room m;

	room_init(&m, NULL, 3);
	rig_view(&m.rig, "v", "1", "poll:a,c");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	expect(&m, .5, .5, rig_red);
	expect(&m, .5, .5, rig_blue);
	expect(&m, .5, .5, rig_red);
	room_clear(&m);
}

static void content_cell_shows_slides(void)
{
	struct room m;

	room_init(&m, NULL, 2);
	rig_input(&m.rig, "c.slides", "c", 99, MCU_CONTENT_SLIDES);
	m.leg[2].ssrc = 99;
	g_ptr_array_add(m.rig.legs, &m.leg[2]);
	rig_view(&m.rig, "v", "5+1", "content a b");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	expect(&m, .3, .3, rig_blue);
	expect(&m, .8, .15, rig_red);
	expect(&m, .8, .5, rig_green);
	room_clear(&m);
}

static void removed_input_leaves_an_empty_cell(void)
{
	struct room m;
	struct mcu_mix_ref ref = { .room = (char *)"hall", .mix = (char *)"m", .id = (char *)"a" };

	room_init(&m, NULL, 2);
	rig_view(&m.rig, "v", "2", "a b");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	expect(&m, .25, .5, rig_red);
	g_assert_true(mcu_mix_call(m.rig.mix, MCU_METHOD_MIX_INPUT_REMOVE, &ref, NULL, NULL));
	expect(&m, .25, .5, empty);
	expect(&m, .75, .5, rig_green);
	room_clear(&m);
}

static void view_goes_in_the_tick_of_its_output(void)
{
	struct room m;
	struct mcu_mix_ref out = { (char *)"hall", (char *)"m", (char *)"out" }, view = { (char *)"hall", (char *)"m", (char *)"v" };

	room_init(&m, NULL, 1);
	rig_view(&m.rig, "v", "1", "a");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	expect(&m, .5, .5, rig_red);
	g_assert_true(mcu_mix_call(m.rig.mix, MCU_METHOD_MIX_OUTPUT_REMOVE, &out, NULL, NULL));
	g_assert_true(mcu_mix_call(m.rig.mix, MCU_METHOD_MIX_VIEW_REMOVE, &view, NULL, NULL));
	rig_run(&m.rig, 5, NULL, NULL);
	room_clear(&m);
}

/* ---- late, lost, broken ---- */
static void stopped_source_keeps_its_picture_and_others_go_on(void)
{
	struct room m;

	room_init(&m, NULL, 2);
	rig_view(&m.rig, "v", "2", "a b");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	expect(&m, .25, .5, rig_red);
	expect(&m, .75, .5, rig_green);
	g_ptr_array_remove_index(m.rig.legs, 0);
	expect_event(&m, "mix.input_state a late");
	g_assert_true(rig_viewer_is(&m.viewer, .25, .5, rig_red));
	g_ptr_array_add(m.rig.legs, &m.leg[0]);
	m.leg[0].at = 0;
	g_ptr_array_set_size(m.rig.events, 0);
	expect_event(&m, "mix.input_state a shown");
	room_clear(&m);
}

static void loss_asks_for_a_key_frame(void)
{
	struct room m;

	room_init(&m, NULL, 1);
	rig_view(&m.rig, "v", "1", "a");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	expect(&m, .5, .5, rig_red);
	unsigned plis = m.rig.plis;
	int64_t began = ort_now_us();
	m.leg[0].seq += 3;
	rig_run(&m.rig, 30, NULL, NULL);
	g_assert_cmpuint(m.rig.plis, >, plis);
	g_assert_cmpuint(m.rig.plis, <=, plis + 2 + (ort_now_us() - began) / 500000);
	expect(&m, .5, .5, rig_red);
	room_clear(&m);
}

static void viewers_key_frame_requests_are_gathered(void)
{
	struct room m;
	uint8_t pli[16];
	size_t len = 0;

	room_init(&m, NULL, 1);
	rig_view(&m.rig, "v", "1", "a");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	expect(&m, .5, .5, rig_red);
	rig_run(&m.rig, 35, NULL, NULL);
	unsigned keys = m.viewer.keyframes;
	int64_t began = ort_now_us();
	g_assert_cmpint(mcu_rtcp_write_pli(pli, sizeof(pli), &len, 5, 77), ==, 0);
	for (unsigned i = 0; i < 40; i++) {
		mcu_mix_packet(m.rig.mix, pli, len, 0);
		rig_run(&m.rig, 1, NULL, NULL);
	}
	rig_run(&m.rig, 3, NULL, NULL);
	g_assert_cmpuint(m.viewer.keyframes, >, keys);
	g_assert_cmpuint(m.viewer.keyframes, <=, keys + 2 + (ort_now_us() - began) / 1000000);
	room_clear(&m);
}

/* One bad leg beside a good one: the good one stays, the bad one is named. */
static const struct { const char *name, *why; int w, h; const char *coder; } bad[] = {
	{ "garbage", NULL, 0, 0, NULL },
	{ "too-large", "mix.input_state b broken too_large", 4608, 2592,
	  "x264enc speed-preset=ultrafast tune=zerolatency key-int-max=1 ! rtph264pay mtu=1200 pt=102 config-interval=-1" },
	{ "never-a-key-frame", "mix.input_state b broken no_keyframe", 320, 180, NULL },
};

static void flood_garbage(struct room *m)
{
	for (unsigned i = 0; i < 600; i++) {
		uint8_t packet[200] = { 0x80, (uint8_t)(102 | (i % 3 ? 0 : 0x80)), (uint8_t)(i >> 8), (uint8_t)i, 0, 0, (uint8_t)i, 0, 0, 0, 0, 12 };
		for (unsigned k = 12; k < sizeof(packet); k++) {
			packet[k] = (uint8_t)((i * 31 + k * 17) ^ (k * i >> 3));
		}
		mcu_mix_packet(m->rig.mix, packet, 12 + i % 188, 0);
	}
}

static void bad_leg_harms_nobody(gconstpointer data)
{
	unsigned i = GPOINTER_TO_UINT(data);
	struct room m;
	struct rig_clip *clip = NULL;
	struct rig_leg leg = { .ssrc = 12 };

	room_init(&m, NULL, 1);
	rig_view(&m.rig, "v", "2", "a b");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	if (bad[i].w) {
		clip = rig_clip_new(bad[i].coder ? bad[i].coder : rig_coder(MCU_CODEC_H264), bad[i].w, bad[i].h,
				    bad[i].coder ? 3 : 14, rig_fill_plain, &rig_green);
		leg.clip = clip;
		if (!bad[i].coder) {	/* only what is not decodable alone */
			while (!(((const uint8_t *)g_bytes_get_data(clip->packets->pdata[0], NULL))[1] & 0x80)) {
				g_ptr_array_remove_index(clip->packets, 0);
			}
			g_ptr_array_remove_index(clip->packets, 0);
		}
		g_ptr_array_add(m.rig.legs, &leg);
	} else {
		flood_garbage(&m);
	}
	if (bad[i].why) {
		expect_event(&m, bad[i].why);
	}
	expect(&m, .25, .5, rig_red);
	room_clear(&m);
	if (clip) {
		rig_clip_free(clip);
	}
}

static void size_that_changes_each_frame_is_throttled(void)
{
	struct room m;
	struct rig_clip *sizes[2];
	struct rig_leg legs[2];

	room_init(&m, NULL, 1);
	for (unsigned i = 0; i < 2; i++) {
		sizes[i] = rig_clip_new("openh264enc gop-size=1 ! rtph264pay mtu=1200 pt=102 config-interval=-1", i ? 320 : 640,
					i ? 180 : 360, 3, rig_fill_plain, &rig_green);
		legs[i] = (struct rig_leg){ .clip = sizes[i], .ssrc = 12 };
	}
	rig_view(&m.rig, "v", "2", "a b");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	for (unsigned f = 0; f < 300 && !rig_saw(&m.rig, "mix.input_state b broken size_changes"); f++) {
		struct rig_leg *now = &legs[f & 1], *next = &legs[!(f & 1)];
		rig_leg_send_frame(now, m.rig.mix, 0);
		next->seq = now->seq;
		next->ts = now->ts;
		rig_run(&m.rig, 1, NULL, NULL);
	}
	g_assert_true(rig_saw(&m.rig, "mix.input_state b broken size_changes"));
	expect(&m, .25, .5, rig_red);
	room_clear(&m);
	rig_clip_free(sizes[0]);
	rig_clip_free(sizes[1]);
}

/* ---- sizes, packets ---- */
static void size_of_the_cell_is_asked_for(void)
{
	struct room m;

	room_init(&m, NULL, 3);
	rig_view(&m.rig, "v", "2", "a b");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 1280, 720, 77, NULL);
	expect_event(&m, "want a 640x360");
	expect_event(&m, "want b 640x360");
	expect_event(&m, "want c paused");
	rig_view(&m.rig, "v", "1", "c");
	expect_event(&m, "want c 1280x720");
	expect_event(&m, "want a paused");
	room_clear(&m);
}

static void equal_outputs_share_an_encode(void)
{
	struct room m;
	struct rig_viewer second;

	room_init(&m, NULL, 1);
	rig_viewer_init(&second, 88, MCU_CODEC_H264);
	g_ptr_array_add(m.rig.viewers, &second);
	rig_view(&m.rig, "v", "1", "a");
	rig_output(&m.rig, "one", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	rig_output(&m.rig, "two", "v", NULL, MCU_CODEC_H264, 640, 360, 88, NULL);
	expect(&m, .5, .5, rig_red);
	rig_run(&m.rig, 40, NULL, NULL);
	g_assert_cmpuint(m.viewer.packets, ==, second.packets);
	g_assert_cmpuint(m.viewer.bytes, ==, second.bytes);
	g_assert_cmpuint(m.viewer.sr, >=, 1);
	g_assert_true(rig_viewer_is(&second, .5, .5, rig_red));
	g_ptr_array_set_size(m.rig.viewers, 0);
	room_clear(&m);
	rig_viewer_clear(&second);
}

static void mode_0_has_no_fragments(void)
{
	struct room m;

	room_init(&m, NULL, 1);
	m.viewer.refuse_fragments = true;
	rig_view(&m.rig, "v", "1", "a");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, "profile-level-id=42e01f");
	expect(&m, .5, .5, rig_red);
	room_clear(&m);
}

/* ---- commands ---- */
static void wrong_commands_are_refused(void)
{
	static const struct { const char *layout; int64_t cell; int mode; int code; } rows[] = {
		{ "6", 0, MCU_CELL_EMPTY, MCU_ERROR_INVALID }, { "4", 4, MCU_CELL_EMPTY, MCU_ERROR_INVALID },
		{ "4", 0, MCU_CELL_FIXED, MCU_ERROR_INVALID }, { "4", 0, MCU_CELL_POLL, MCU_ERROR_INVALID },
	};
	struct mcu_mix_output out = { .room = (char *)"hall", .mix = (char *)"m", .id = (char *)"o", .view = (char *)"none",
				      .codec = (char *)"H264", .kind = MCU_VIDEO };
	struct mcu_mix_feed feed = { 5 };
	struct room m;

	room_init(&m, NULL, 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct mcu_mix_cell cell = { .cell = rows[i].cell, .mode = rows[i].mode };
		struct mcu_mix_view v = { .room = (char *)"hall", .mix = (char *)"m", .id = (char *)"v",
					  .layout = (char *)rows[i].layout, .cells = { &cell, 1 } };
		g_autoptr(GError) err = NULL;
		g_assert_false(mcu_mix_call(m.rig.mix, MCU_METHOD_MIX_VIEW, &v, NULL, &err));
		g_assert_error(err, MCU_ERROR, rows[i].code);
	}
	g_autoptr(GError) err = NULL;
	g_assert_false(mcu_mix_call(m.rig.mix, MCU_METHOD_MIX_OUTPUT, &out, &feed, &err));
	g_assert_error(err, MCU_ERROR, MCU_ERROR_UNKNOWN_ID);
	room_clear(&m);
}

/* ---- captions ---- */
static const struct { const char *name, *in, *out; } texts[] = {
	{ "plain", "Hohhot 1", "Hohhot 1" },
	{ "markup-is-text", "<b>&lt;", "<b>&lt;" },
	{ "lines", "a\nb\tc\x1b[1m", "a b c [1m" },
	{ "turned-around", "abc\u202efdp.exe", "abcfdp.exe" },
	{ "not-utf8", "a\xff" "b", "a\xef\xbf\xbd" "b" },
};

static void caption_is_cleaned(gconstpointer data)
{
	unsigned i = GPOINTER_TO_UINT(data);
	g_autofree char *clean = mix_caption_clean(texts[i].in);

	g_assert_cmpstr(clean, ==, texts[i].out);
}

static void captions_are_drawn_in_each_script(void)
{
	static const char *const names[] = { "Ortoo", "呼和浩特市局指挥中心", "ᠮᠣᠩᠭᠣᠯ", "Хөх хот" };
	struct mix_caption_cache *cache = mix_caption_cache_new();
	g_autofree char *endless = g_strnfill(100000, 'W');

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		const struct mix_label *l = mix_caption(cache, MIX_TITLE, names[i], 24, 600);
		unsigned bright = 0;
		g_assert_nonnull(l);
		g_assert_true(l == mix_caption(cache, MIX_TITLE, names[i], 24, 600));
		for (int k = 0; k < l->w * l->h; k++) {
			bright += l->y[k] > 200;
		}
		g_assert_cmpuint(bright, >, 40);
	}
	g_assert_cmpint(mix_caption(cache, MIX_BANNER, endless, 24, 600)->w, <=, 620);
	g_assert_null(mix_caption(cache, MIX_TITLE, "", 24, 600));
	g_assert_null(mix_caption(cache, MIX_TITLE, "\n", 24, 600));
	mix_caption_cache_free(cache);
}

#define ROWS(table, fn)                                                                            \
	for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {                                       \
		g_autofree char *path = g_strdup_printf("/mix/" #fn "/%s", (table)[i].name);       \
		g_test_add_data_func(path, GUINT_TO_POINTER(i), fn);                               \
	}
#define ONE(fn) g_test_add_func("/mix/" #fn, fn);

int main(int argc, char **argv)
{
	gst_init(&argc, &argv);
	g_test_init(&argc, &argv, NULL);
	ONE(layout_change_is_one_frame_and_no_more_than_one_key)
	ONE(late_source_is_no_veto)
	ONE(voice_cell_shows_the_speaker)
	ONE(speaker_sees_the_one_before_him)
	ONE(polled_cell_takes_turns)
	ONE(content_cell_shows_slides)
	ONE(removed_input_leaves_an_empty_cell)
	ONE(view_goes_in_the_tick_of_its_output)
	ONE(stopped_source_keeps_its_picture_and_others_go_on)
	ONE(loss_asks_for_a_key_frame)
	ONE(viewers_key_frame_requests_are_gathered)
	ROWS(bad, bad_leg_harms_nobody)
	ONE(size_that_changes_each_frame_is_throttled)
	ONE(size_of_the_cell_is_asked_for)
	ONE(equal_outputs_share_an_encode)
	ONE(mode_0_has_no_fragments)
	ONE(wrong_commands_are_refused)
	ROWS(texts, caption_is_cleaned)
	ONE(captions_are_drawn_in_each_script)
	return g_test_run();
}
