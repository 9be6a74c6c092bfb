/* Codec elements on bare pads, and the table of which serves what. */
#include "mcu/mix/element_priv.h"

#include <gst/video/video.h>
#include <string.h>

#define MIX_ELEMENT(codec_, role_, factory_, props_, rate_, unit_, sliced_)                        \
	{ .codec = MCU_CODEC_##codec_, .role = MIX_##role_, .factory = (factory_), .props = (props_), \
	  .rate_prop = (rate_), .rate_unit = (unit_), .sliced = (sliced_) },
static const struct mix_element_row rows[] = {
#include "mcu/mix/elements.def"
};
#undef MIX_ELEMENT

struct mix_element {
	struct mix_element_row row;
	GstElement *element;
	GstPad *to, *from;	/* ours: `to` feeds it, `from` takes its output */
	GstCaps *out_caps;	/* what `from` takes */
	GstCaps *now_caps;	/* what it sends at present */
	bool failed;
	mix_element_fn out;
	void *user_data;
};

/* ---- ranks ---- */
static bool is_there(const char *factory)
{
	GstElementFactory *f = gst_element_factory_find(factory);

	if (f) {
		gst_object_unref(f);
	}
	return f != NULL;
}

/* An element that the configuration names: its row, or as it comes when the table does not know it (properties as they
 * are, the rate in kbit/s). */
static struct mix_element_row named_row(enum mcu_codec_id codec, enum mix_role role, const char *factory)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (rows[i].codec == codec && rows[i].role == role && !strcmp(rows[i].factory, factory)) {
			return rows[i];
		}
	}
	return (struct mix_element_row){ .codec = codec, .role = role, .factory = g_intern_string(factory), .props = "",
					 .rate_prop = role == MIX_ENCODE ? "bitrate" : NULL, .rate_unit = 1000 };
}

/* Names of "H264.encode=a,b" for this codec and role, or NULL */
static char **configured(const char *ranks, enum mcu_codec_id codec, enum mix_role role)
{
	g_auto(GStrv) parts = g_strsplit(ranks ? ranks : "", ";", 64);
	g_autofree char *key = g_strdup_printf("%s.%s=", mcu_codecs[codec].name, role == MIX_DECODE ? "decode" : "encode");

	for (unsigned i = 0; parts[i]; i++) {
		const char *part = g_strstrip(parts[i]);
		if (!g_ascii_strncasecmp(part, key, strlen(key))) {
			return g_strsplit(part + strlen(key), ",", MIX_MAX_RANKS);
		}
	}
	return NULL;
}

unsigned mix_element_ranks(const char *ranks, enum mcu_codec_id codec, enum mix_role role,
			   struct mix_element_row ret[MIX_MAX_RANKS])
{
	g_auto(GStrv) names = configured(ranks, codec, role);
	unsigned n = 0;

	for (unsigned i = 0; names && names[i] && n < MIX_MAX_RANKS; i++) {
		const char *factory = g_strstrip(names[i]);
		if (is_there(factory)) {
			ret[n++] = named_row(codec, role, factory);
		}
	}
	for (unsigned i = 0; !names && i < G_N_ELEMENTS(rows) && n < MIX_MAX_RANKS; i++) {
		if (rows[i].codec == codec && rows[i].role == role && is_there(rows[i].factory)) {
			ret[n++] = rows[i];
		}
	}
	return n;
}

/* ---- pads ---- */
static GstFlowReturn take_output(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
	struct mix_element *e = gst_pad_get_element_private(pad);

	e->out(buffer, e->now_caps, e->user_data);
	return GST_FLOW_OK;
}

static gboolean take_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
	struct mix_element *e = gst_pad_get_element_private(pad);
	GstCaps *caps;

	if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
		gst_event_parse_caps(event, &caps);
		gst_caps_replace(&e->now_caps, caps);
	}
	gst_event_unref(event);
	return TRUE;
}

/* Elements fixate on what downstream answers; ANY makes some of them fail (openh264enc, openh264dec). */
static gboolean answer_caps(struct mix_element *e, GstQuery *query)
{
	GstCaps *filter, *result;

	gst_query_parse_caps(query, &filter);
	result = filter ? gst_caps_intersect_full(filter, e->out_caps, GST_CAPS_INTERSECT_FIRST) : gst_caps_ref(e->out_caps);
	gst_query_set_caps_result(query, result);
	gst_caps_unref(result);
	return TRUE;
}

static gboolean answer_query(GstPad *pad, GstObject *parent, GstQuery *query)
{
	struct mix_element *e = gst_pad_get_element_private(pad);

	switch (GST_QUERY_TYPE(query)) {
	case GST_QUERY_CAPS:
		return answer_caps(e, query);
	case GST_QUERY_ALLOCATION:	/* strides of the decoder's own pictures are welcome: no copy */
		gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
		return TRUE;
	default:
		return gst_pad_query_default(pad, parent, query);
	}
}

static gboolean answer_upstream(GstPad *pad, GstObject *parent, GstQuery *query)
{
	if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) {	/* live: frame threads would queue pictures */
		gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
		return TRUE;
	}
	return gst_pad_query_default(pad, parent, query);
}

static bool link_pads(struct mix_element *e)
{
	GstPad *sink = gst_element_get_static_pad(e->element, "sink"), *src = gst_element_get_static_pad(e->element, "src");
	bool ok = sink && src;

	e->to = gst_object_ref_sink(gst_pad_new("to", GST_PAD_SRC));
	e->from = gst_object_ref_sink(gst_pad_new("from", GST_PAD_SINK));
	gst_pad_set_element_private(e->to, e);
	gst_pad_set_element_private(e->from, e);
	gst_pad_set_query_function(e->to, answer_upstream);
	gst_pad_set_query_function(e->from, answer_query);
	gst_pad_set_event_function(e->from, take_event);
	gst_pad_set_chain_function(e->from, take_output);
	ok = ok && GST_PAD_LINK_SUCCESSFUL(gst_pad_link(e->to, sink)) && GST_PAD_LINK_SUCCESSFUL(gst_pad_link(src, e->from));
	gst_clear_object(&sink);
	gst_clear_object(&src);
	return ok && gst_pad_set_active(e->from, TRUE) && gst_pad_set_active(e->to, TRUE);
}

/* stream-start, caps and segment must come before the first buffer */
static bool start(struct mix_element *e, GstCaps *in)
{
	GstSegment segment;

	if (gst_element_set_state(e->element, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
		return false;
	}
	gst_segment_init(&segment, GST_FORMAT_TIME);
	return gst_pad_push_event(e->to, gst_event_new_stream_start("mix")) && gst_pad_push_event(e->to, gst_event_new_caps(in)) &&
	       gst_pad_push_event(e->to, gst_event_new_segment(&segment));
}

static void set_props(GstElement *element, const char *props)
{
	g_auto(GStrv) parts = g_strsplit(props ? props : "", " ", 64);

	for (unsigned i = 0; parts[i]; i++) {
		char *value = strchr(parts[i], '=');
		if (value) {
			*value++ = 0;
			if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), parts[i])) {
				gst_util_set_object_arg(G_OBJECT(element), parts[i], value);
			}
		}
	}
}

static struct mix_element *element_new(const struct mix_element_row *row, mix_element_fn out, void *user_data)
{
	GstElement *element = gst_element_factory_make(row->factory, NULL);

	if (!element) {
		return NULL;
	}
	struct mix_element *e = g_new0(struct mix_element, 1);
	e->row = *row;
	e->out = out;
	e->user_data = user_data;
	e->element = gst_object_ref_sink(element);
	set_props(e->element, row->props);
	return e;
}

static const char *const coded_caps[MCU_CODEC_N] = {
	[MCU_CODEC_H264] = "video/x-h264,stream-format=byte-stream,alignment=au",
	[MCU_CODEC_H265] = "video/x-h265,stream-format=byte-stream,alignment=au",
	[MCU_CODEC_VP8] = "video/x-vp8",
};

static struct mix_element *finish(struct mix_element *e, GstCaps *in, GstCaps *out)
{
	e->out_caps = out;
	if (!link_pads(e) || !start(e, in)) {
		g_clear_pointer(&e, mix_element_free);
	}
	gst_caps_unref(in);
	return e;
}

/* Some decoders insist on a profile in their caps, though they read it from the stream: any that their template names */
static GstCaps *decoder_caps(const struct mix_element *e)
{
	GstPad *sink = gst_element_get_static_pad(e->element, "sink");
	GstCaps *caps = gst_caps_from_string(coded_caps[e->row.codec]);

	if (sink) {
		GstCaps *template = gst_pad_get_pad_template_caps(sink), *both = gst_caps_intersect(caps, template);
		if (!gst_caps_is_empty(both)) {
			gst_caps_replace(&caps, both);
			caps = gst_caps_fixate(caps);
		}
		gst_caps_unref(both);
		gst_caps_unref(template);
		gst_object_unref(sink);
	}
	return caps;
}

struct mix_element *mix_element_decoder(const struct mix_element_row *row, mix_element_fn out, void *user_data)
{
	struct mix_element *e = element_new(row, out, user_data);

	return e ? finish(e, decoder_caps(e), gst_caps_from_string("video/x-raw,format=I420")) : NULL;
}

struct mix_element *mix_element_encoder(const struct mix_element_row *row, const struct mix_encode_use *use,
					mix_element_fn out, void *user_data)
{
	struct mix_element *e = element_new(row, out, user_data);

	if (!e) {
		return NULL;
	}
	if (use->sliced) {
		set_props(e->element, row->sliced);
	}
	mix_element_set_rate(e, use->bps);
	GstCaps *coded = gst_caps_from_string(coded_caps[row->codec]);
	if (row->codec == MCU_CODEC_H264) {
		gst_caps_set_simple(coded, "profile", G_TYPE_STRING, "constrained-baseline", NULL);
	}
	return finish(e, gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, use->width,
					     "height", G_TYPE_INT, use->height, "framerate", GST_TYPE_FRACTION, use->fps, 1,
					     "colorimetry", G_TYPE_STRING, "bt709", NULL), coded);
}

void mix_element_free(struct mix_element *e)
{
	if (!e) {
		return;
	}
	(void)gst_element_set_state(e->element, GST_STATE_NULL);
	if (e->to) {
		(void)gst_pad_set_active(e->to, FALSE);
		(void)gst_pad_set_active(e->from, FALSE);
	}
	gst_clear_object(&e->to);
	gst_clear_object(&e->from);
	gst_object_unref(e->element);
	gst_clear_caps(&e->out_caps);
	gst_clear_caps(&e->now_caps);
	g_free(e);
}

bool mix_element_push(struct mix_element *e, GstBuffer *buffer)
{
	if (e->failed) {
		gst_buffer_unref(buffer);
		return false;
	}
	e->failed = gst_pad_push(e->to, buffer) != GST_FLOW_OK;
	return !e->failed;
}

void mix_element_force_key(struct mix_element *e)
{
	(void)gst_pad_push_event(e->from, gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
}

void mix_element_set_rate(struct mix_element *e, int64_t bps)
{
	g_autofree char *value = g_strdup_printf("%" G_GINT64_FORMAT, MAX(bps / MAX(e->row.rate_unit, 1U), 1));

	if (e->row.rate_prop) {
		gst_util_set_object_arg(G_OBJECT(e->element), e->row.rate_prop, value);
	}
}
