/* Elements that fail and elements that hang: the room goes on. */
#include "mix_rig.h"

typedef struct { GstElement parent; } Bad;
typedef struct { GstElementClass parent; } BadClass;
static gint hang_released, bad_frames;
enum { BAD_HANGS = 1, BAD_FAILS = 2 };
static gint bad_how;

static GstFlowReturn bad_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
	gst_buffer_unref(buffer);
	g_atomic_int_inc(&bad_frames);
	if (g_atomic_int_get(&bad_how) == BAD_FAILS) {
		return GST_FLOW_ERROR;
	}
	while (!g_atomic_int_get(&hang_released)) {
		g_usleep(10000);
	}
	return GST_FLOW_OK;
}

static void bad_init(Bad *self, BadClass *klass)
{
	GstPad *sink = gst_pad_new("sink", GST_PAD_SINK), *src = gst_pad_new("src", GST_PAD_SRC);

	gst_pad_set_chain_function(sink, bad_chain);
	gst_element_add_pad(GST_ELEMENT(self), sink);
	gst_element_add_pad(GST_ELEMENT(self), src);
}

static void bad_class_init(BadClass *klass, void *data)
{
	static GstStaticPadTemplate sink = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
	static GstStaticPadTemplate src = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

	gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &sink);
	gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &src);
	gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "bad", "Decoder", "fails or hangs", "tests");
}

static void register_bad(void)
{
	GType type = g_type_register_static_simple(GST_TYPE_ELEMENT, "OrtTestBad", sizeof(BadClass),
						   (GClassInitFunc)bad_class_init, sizeof(Bad),
						   (GInstanceInitFunc)bad_init, 0);
	gst_element_register(NULL, "orttestbad", GST_RANK_NONE, type);
}

static void failing_decoder_gives_way(void)
{
	struct room m;

	g_atomic_int_set(&bad_how, BAD_FAILS);
	room_init(&m, "H264.decode=orttestbad,avdec_h264", 2);
	rig_view(&m.rig, "v", "2", "a b");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	expect(&m, .25, .5, rig_red);
	expect(&m, .75, .5, rig_green);
	g_assert_cmpint(g_atomic_int_get(&bad_frames), >=, 2);
	room_clear(&m);
}

/* It hangs the first legs' thread; VP8 legs' come back on another thread, the room goes on all the time. */
static void hung_decoder_is_left_behind(void)
{
	struct room m;
	struct rig_clip *vp8 = rig_clip_new(rig_coder(MCU_CODEC_VP8), 320, 180, 30, rig_fill_plain, &rig_white);
	struct rig_leg leg = { .clip = vp8, .ssrc = 44 };
	g_autoptr(json_t) stats = NULL;

	g_atomic_int_set(&bad_how, BAD_HANGS);
	g_atomic_int_set(&hang_released, 0);
	room_init(&m, "H264.decode=orttestbad", 1);
	rig_input(&m.rig, "d", "d", 44, MCU_CONTENT_MAIN);
	rig_view(&m.rig, "v", "2", "- d");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	g_ptr_array_add(m.rig.legs, &leg);
	expect(&m, .75, .5, rig_white);
	rig_view(&m.rig, "v", "2", "a d");
	for (unsigned i = 0; i < 10 * 30 && (!stats || !json_integer_value(json_object_get(stats, "decoder_threads_lost"))); i += 10) {
		rig_run(&m.rig, 10, NULL, NULL);
		g_clear_pointer(&stats, json_decref);
		stats = mcu_mixer_stats(m.rig.mixer);
	}
	g_assert_cmpint(json_integer_value(json_object_get(stats, "decoder_threads_lost")), >=, 1);
	g_ptr_array_remove_index(m.rig.legs, 0);	/* what hangs it goes */
	g_ptr_array_set_size(m.rig.events, 0);
	rig_view(&m.rig, "v", "1", "d");
	expect(&m, .5, .5, rig_white);
	room_clear(&m);
	rig_clip_free(vp8);
	g_atomic_int_set(&hang_released, 1);
}

/* The mix stands for the two seconds that it is waited for, then another element codes it. */
static void hung_encoder_is_left_behind(void)
{
	struct room m;

	g_atomic_int_set(&bad_how, BAD_HANGS);
	g_atomic_int_set(&hang_released, 0);
	room_init(&m, "H264.encode=orttestbad,openh264enc", 1);
	rig_view(&m.rig, "v", "1", "a");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	expect(&m, .5, .5, rig_red);
	unsigned frames = m.viewer.frames;
	rig_run(&m.rig, 30, NULL, NULL);
	g_assert_cmpuint(m.viewer.frames, >, frames);
	room_clear(&m);
	g_atomic_int_set(&hang_released, 1);
}

static void failing_encoder_gives_way(void)
{
	struct room m;

	g_atomic_int_set(&bad_how, BAD_FAILS);
	room_init(&m, "H264.encode=orttestbad,openh264enc", 1);
	rig_view(&m.rig, "v", "1", "a");
	rig_output(&m.rig, "out", "v", NULL, MCU_CODEC_H264, 640, 360, 77, NULL);
	expect(&m, .5, .5, rig_red);
	room_clear(&m);
}

#define ONE(fn) g_test_add_func("/mix/" #fn, fn);

int main(int argc, char **argv)
{
	gst_init(&argc, &argv);
	g_test_init(&argc, &argv, NULL);
	register_bad();
	ONE(failing_decoder_gives_way)
	ONE(hung_decoder_is_left_behind)
	ONE(hung_encoder_is_left_behind)
	ONE(failing_encoder_gives_way)
	return g_test_run();
}
