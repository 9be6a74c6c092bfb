#include "mcu/mix/lavc_priv.h"

#include <gst/video/video.h>

#ifdef ORT_HAVE_LAVC
#include <dlfcn.h>
#include <libavcodec/avcodec.h>
#include <string.h>

#include "mcu/base/log.h"

enum { MAX_PIXELS = 4096 * 2304 };

/* ---- the library ---- */
#define CODEC_CALLS(X)                                                                                               \
	X(avcodec_find_decoder) X(avcodec_alloc_context3) X(avcodec_free_context) X(avcodec_open2) X(avcodec_send_packet) \
	X(avcodec_receive_frame) X(avcodec_flush_buffers) X(av_packet_alloc) X(av_packet_free) X(av_new_packet) X(av_packet_unref)
#define UTIL_CALLS(X) X(av_frame_alloc) X(av_frame_free) X(av_frame_clone) X(av_log_set_level)
static struct {
#define X(name) __typeof__(&name) name;
	CODEC_CALLS(X) UTIL_CALLS(X)
#undef X
} av;

static bool load(void)
{
	void *codec = dlopen("libavcodec.so." G_STRINGIFY(LIBAVCODEC_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
	void *util = dlopen("libavutil.so." G_STRINGIFY(LIBAVUTIL_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
	bool all = codec && util;

#define X(name) all = all && (*(void **)&av.name = dlsym(codec, #name)) != NULL;
	CODEC_CALLS(X)
#undef X
#define X(name) all = all && (*(void **)&av.name = dlsym(util, #name)) != NULL;
	UTIL_CALLS(X)
#undef X
	return all;	/* never closed: codecs have tables */
}

/* ---- the element ---- */
struct lavc {
	GstElement element;
	GstPad *src;
	AVCodecContext *context;
	AVPacket *packet;
	AVFrame *frame;
	int w, h, matrix;		/* of the caps that were sent */
	bool begun;			/* a segment was sent: it must come behind the caps */
};
struct lavc_class { GstElementClass element; enum AVCodecID id; };
struct lavc_kind { const char *factory, *type, *caps; enum AVCodecID id; };
static const struct lavc_kind kinds[] = {
	{ "ortlavc_h264", "OrtLavcH264", "video/x-h264,stream-format=byte-stream,alignment=au", AV_CODEC_ID_H264 },
	{ "ortlavc_h265", "OrtLavcH265", "video/x-h265,stream-format=byte-stream,alignment=au", AV_CODEC_ID_HEVC },
	{ "ortlavc_vp8", "OrtLavcVp8", "video/x-vp8", AV_CODEC_ID_VP8 },
};

static GstElementClass *parent_class;

static bool open_codec(struct lavc *e)
{
	const AVCodec *codec = av.avcodec_find_decoder(((struct lavc_class *)G_OBJECT_GET_CLASS(e))->id);

	if (e->context || !codec) {
		return e->context != NULL;
	}
	e->context = av.avcodec_alloc_context3(codec);
	e->packet = av.av_packet_alloc();
	e->frame = av.av_frame_alloc();
	if (e->context) {
		e->context->thread_count = 1;	/* the pool has the threads, and frame threads would keep pictures back */
		e->context->max_pixels = MAX_PIXELS;
		if (av.avcodec_open2(e->context, codec, NULL) < 0) {
			av.avcodec_free_context(&e->context);
		}
	}
	return e->context && e->packet && e->frame;
}

static void close_codec(struct lavc *e)
{
	av.avcodec_free_context(&e->context);
	av.av_packet_free(&e->packet);
	av.av_frame_free(&e->frame);
	e->w = e->h = 0;
	e->begun = false;
}

/* ---- pictures ---- */
static const char *colorimetry(const AVFrame *f)
{
	return f->colorspace == AVCOL_SPC_BT709 ? "bt709" : f->colorspace == AVCOL_SPC_UNSPECIFIED && f->height >= 720 ? "bt709" : "bt601";
}

static bool send_caps(struct lavc *e)
{
	const AVFrame *f = e->frame;

	if (f->width == e->w && f->height == e->h && (int)f->colorspace == e->matrix) {
		return true;
	}
	e->w = f->width;
	e->h = f->height;
	e->matrix = (int)f->colorspace;
	GstCaps *caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, e->w, "height",
					    G_TYPE_INT, e->h, "framerate", GST_TYPE_FRACTION, 0, 1, "colorimetry", G_TYPE_STRING,
					    colorimetry(f), NULL);
	bool ok = gst_pad_push_event(e->src, gst_event_new_caps(caps));
	gst_caps_unref(caps);
	if (ok && !e->begun) {
		GstSegment segment;
		gst_segment_init(&segment, GST_FORMAT_TIME);
		e->begun = ok = gst_pad_push_event(e->src, gst_event_new_segment(&segment));
	}
	return ok;
}

static void frame_free(gpointer frame)
{
	AVFrame *f = frame;

	av.av_frame_free(&f);
}

/* Three memories over the planes of a reference to the frame, which lives as long as the last of them. */
static GstBuffer *wrap(const AVFrame *frame)
{
	GstBuffer *b = gst_buffer_new();
	gsize offset[GST_VIDEO_MAX_PLANES] = { 0 }, at = 0;
	gint stride[GST_VIDEO_MAX_PLANES] = { 0 };

	for (unsigned i = 0; i < 3; i++) {
		int rows = i ? (frame->height + 1) / 2 : frame->height, width = i ? (frame->width + 1) / 2 : frame->width;
		AVFrame *f = av.av_frame_clone(frame);
		if (!f) {
			gst_buffer_unref(b);
			return NULL;
		}
		gsize size = (gsize)(rows - 1) * (gsize)frame->linesize[i] + (gsize)width;
		gst_buffer_append_memory(b, gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, frame->data[i], size, 0, size, f, frame_free));
		offset[i] = at;
		stride[i] = frame->linesize[i];
		at += size;
	}
	(void)gst_buffer_add_video_meta_full(b, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, (guint)frame->width,
					     (guint)frame->height, 3, offset, stride);
	return b;
}

static GstFlowReturn send_frame(struct lavc *e)
{
	const AVFrame *f = e->frame;
	bool plain = (f->format == AV_PIX_FMT_YUV420P || f->format == AV_PIX_FMT_YUVJ420P) && f->linesize[0] > 0 &&
		     f->linesize[1] > 0 && f->linesize[2] > 0;
	GstBuffer *b = plain && send_caps(e) ? wrap(f) : NULL;

	return b ? gst_pad_push(e->src, b) : GST_FLOW_ERROR;
}

/* ---- pads ---- */
static GstFlowReturn drain(struct lavc *e)
{
	GstFlowReturn flow = GST_FLOW_OK;

	while (flow == GST_FLOW_OK && av.avcodec_receive_frame(e->context, e->frame) == 0) {
		flow = send_frame(e);
	}
	return flow;
}

/* Broken data is no failure of the element: the decoder actor sees that no picture comes. */
static GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
	struct lavc *e = (struct lavc *)parent;
	gsize size = gst_buffer_get_size(buffer);
	GstFlowReturn flow = GST_FLOW_ERROR;

	if (open_codec(e) && size < G_MAXINT / 2 && av.av_new_packet(e->packet, (int)size) == 0) {	/* with the padding it reads over */
		(void)gst_buffer_extract(buffer, 0, e->packet->data, size);
		(void)av.avcodec_send_packet(e->context, e->packet);
		av.av_packet_unref(e->packet);
		flow = drain(e);
	}
	gst_buffer_unref(buffer);
	return flow;
}

static gboolean on_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
	struct lavc *e = (struct lavc *)parent;

	if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS || GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {	/* ours come with the first picture */
		gst_event_unref(event);
		return TRUE;
	}
	return gst_pad_push_event(e->src, event);
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange change)
{
	GstStateChangeReturn r = parent_class->change_state(element, change);

	if (change == GST_STATE_CHANGE_PAUSED_TO_READY) {
		close_codec((struct lavc *)element);
	}
	return r;
}

static void init(GTypeInstance *instance, gpointer klass)
{
	struct lavc *e = (struct lavc *)instance;
	GstPad *sink = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "sink"), "sink");

	e->src = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "src"), "src");
	gst_pad_set_chain_function(sink, chain);
	gst_pad_set_event_function(sink, on_event);
	gst_element_add_pad(GST_ELEMENT(e), sink);
	gst_element_add_pad(GST_ELEMENT(e), e->src);
}

static void class_init(gpointer klass, gpointer data)
{
	const struct lavc_kind *kind = data;
	GstElementClass *element = klass;
	GstCaps *in = gst_caps_from_string(kind->caps), *out = gst_caps_from_string("video/x-raw,format=I420");

	parent_class = g_type_class_peek_parent(klass);
	((struct lavc_class *)klass)->id = kind->id;
	element->change_state = change_state;
	gst_element_class_add_pad_template(element, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, in));
	gst_element_class_add_pad_template(element, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, out));
	gst_element_class_set_static_metadata(element, "libavcodec, without a copy", "Codec/Decoder/Video", "decodes into its own pictures", "Ortoo");
	gst_caps_unref(in);
	gst_caps_unref(out);
}

void mix_lavc_register(void)
{
	static bool done;

	if (done || !load()) {
		if (!done) {
			ort_log(ORT_LOG_INFO, "mix", "lavc", "libavcodec is not there in the version built with: GStreamer's elements serve");
		}
		done = true;
		return;
	}
	done = true;
	av.av_log_set_level(AV_LOG_QUIET);	/* bad streams are counted by us */
	for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
		const GTypeInfo info = { .class_size = sizeof(struct lavc_class), .class_init = class_init, .class_data = &kinds[i],
					 .instance_size = sizeof(struct lavc), .instance_init = init };
		GType type = g_type_register_static(GST_TYPE_ELEMENT, kinds[i].type, &info, (GTypeFlags)0);
		(void)gst_element_register(NULL, kinds[i].factory, GST_RANK_NONE, type);
	}
}
#else
void mix_lavc_register(void)
{
}
#endif
