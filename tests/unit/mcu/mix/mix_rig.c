/* See mix_rig.h. */
#include "mix_rig.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/codec/codec.h"
#include "mcu/rtp/rtp.h"

const struct rig_yuv rig_red = { 81, 90, 240 }, rig_green = { 145, 54, 34 }, rig_blue = { 41, 240, 110 }, rig_white = { 235, 128, 128 };

void rig_fill_plain(uint8_t *const plane[3], const int stride[3], int w, int h, unsigned frame, const void *yuv)
{
	const struct rig_yuv *c = yuv;

	for (int i = 0; i < 3; i++) {
		memset(plane[i], i == 0 ? c->y : i == 1 ? c->u : c->v, (size_t)stride[i] * (size_t)(i ? h / 2 : h));
	}
}

/* A room: a wall with texture that stands still, somebody before it who moves, and a sensor's noise over all of it */
void rig_fill_moving(uint8_t *const plane[3], const int stride[3], int w, int h, unsigned frame, const void *seed)
{
	uint32_t noise = (uint32_t)GPOINTER_TO_UINT(seed) * 2654435761U + frame * 40503U + 1;
	int cx = w / 2 + (int)(h / 12.0 * sin(frame / 9.0 + GPOINTER_TO_UINT(seed))), cy = h / 2 + (int)(h / 30.0 * sin(frame / 5.0));

	for (int y = 0; y < h; y++) {
		for (int x = 0; x < w; x++) {
			int dx = (x - cx) * 100 / h, dy = (y - cy) * 75 / h;
			bool body = dx * dx + dy * dy < 900;
			int texture = body ? ((x - cx) / 6 ^ (y - cy) / 9) & 15 : ((x / 11 * 7) ^ (y / 13 * 5)) & 31;
			noise = noise * 1664525U + 1013904223U;
			plane[0][y * stride[0] + x] = (uint8_t)((body ? 120 : 60 + 40 * x / w) + texture + (noise >> 30 == 0));
		}
	}
	for (int p = 1; p < 3; p++) {
		for (int y = 0; y < h / 2; y++) {
			memset(plane[p] + y * stride[p], 110 + 30 * y / h * (p == 1 ? 1 : -1), (size_t)(w / 2));
		}
	}
}

/* With more than 2,048 quarks, which GStreamer makes, GLib leaves the table of its initialiser behind for good (g_quark_new):
 * whole stacks are needed to know that leak by. The sanitizers' run-time asks for these two by name. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);

const char *__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}

const char *__lsan_default_suppressions(void)
{
	return "leak:call_init\n";
}

/* ---- clips ---- */
const char *rig_coder(enum mcu_codec_id codec)
{
	switch (codec) {
	case MCU_CODEC_VP8:
		return "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=15 target-bitrate=1000000 ! rtpvp8pay mtu=1200 pt=96";
	case MCU_CODEC_H265:
		return "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph265pay mtu=1200 pt=103 config-interval=-1";
	default:
		return "openh264enc gop-size=15 bitrate=1000000 rate-control=bitrate complexity=low ! rtph264pay mtu=1200 pt=102 "
		       "config-interval=-1 aggregate-mode=zero-latency";
	}
}

static void feed(GstElement *pipeline, int w, int h, unsigned frames, rig_fill_fn fill, const void *ud)
{
	g_autoptr(GstElement) in = gst_bin_get_by_name(GST_BIN(pipeline), "in");
	GstVideoInfo info;
	int stride[3];
	uint8_t *plane[3];

	gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, (guint)w, (guint)h);
	for (unsigned f = 0; f < frames; f++) {
		GstBuffer *b = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&info), NULL);
		GstMapInfo map;
		gst_buffer_map(b, &map, GST_MAP_WRITE);
		for (unsigned i = 0; i < 3; i++) {
			stride[i] = GST_VIDEO_INFO_PLANE_STRIDE(&info, i);
			plane[i] = map.data + GST_VIDEO_INFO_PLANE_OFFSET(&info, i);
		}
		fill(plane, stride, w, h, f, ud);
		gst_buffer_unmap(b, &map);
		GST_BUFFER_PTS(b) = f * GST_SECOND / 30;
		(void)gst_app_src_push_buffer(GST_APP_SRC(in), b);
	}
	(void)gst_app_src_end_of_stream(GST_APP_SRC(in));
}

struct rig_clip *rig_clip_new(const char *coder, int w, int h, unsigned frames, rig_fill_fn fill, const void *ud)
{
	g_autofree char *text = g_strdup_printf("appsrc name=in format=time caps=video/x-raw,format=I420,width=%d,height=%d,framerate=30/1 "
						"! %s ! appsink name=out sync=false", w, h, coder);
	g_autoptr(GError) err = NULL;
	GstElement *pipeline = gst_parse_launch(text, &err);
	g_assert_no_error(err);
	g_autoptr(GstElement) out = gst_bin_get_by_name(GST_BIN(pipeline), "out");
	struct rig_clip *clip = g_new0(struct rig_clip, 1);
	GstSample *sample;

	clip->packets = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	gst_element_set_state(pipeline, GST_STATE_PLAYING);
	feed(pipeline, w, h, frames, fill, ud);
	while ((sample = gst_app_sink_pull_sample(GST_APP_SINK(out)))) {
		GstBuffer *b = gst_sample_get_buffer(sample);
		GstMapInfo map;
		gst_buffer_map(b, &map, GST_MAP_READ);
		clip->frames += map.data[1] >> 7;
		g_ptr_array_add(clip->packets, g_bytes_new(map.data, map.size));
		gst_buffer_unmap(b, &map);
		gst_sample_unref(sample);
	}
	gst_element_set_state(pipeline, GST_STATE_NULL);
	gst_object_unref(pipeline);
	g_assert_cmpuint(clip->frames, ==, frames);
	return clip;
}

void rig_clip_free(struct rig_clip *clip)
{
	g_ptr_array_unref(clip->packets);
	g_free(clip);
}

/* ---- legs ---- */
static void put(uint8_t *p, uint32_t v, unsigned n)
{
	while (n--) {
		*p++ = (uint8_t)(v >> (8 * n));
	}
}

void rig_leg_rewind(struct rig_leg *leg)
{
	leg->at = 0;
}

void rig_leg_send_frame(struct rig_leg *leg, mcu_mix *mix, int64_t now_us)
{
	uint8_t packet[1500];
	bool last;

	do {
		gsize len;
		const uint8_t *data = g_bytes_get_data(leg->clip->packets->pdata[leg->at], &len);
		memcpy(packet, data, len);
		last = packet[1] >> 7;
		put(packet + 2, leg->seq++, 2);
		put(packet + 4, leg->ts, 4);
		put(packet + 8, leg->ssrc, 4);
		mcu_mix_packet(mix, packet, len, now_us);
		leg->at = (leg->at + 1) % leg->clip->packets->len;
	} while (!last);
	leg->ts += 3000;
	leg->sent++;
}

/* ---- viewers ---- */
void rig_viewer_init(struct rig_viewer *v, uint32_t ssrc, enum mcu_codec_id codec)
{
	const char *chain = codec == MCU_CODEC_VP8 ? "VP8 ! rtpvp8depay ! vp8dec" : "H264 ! rtph264depay ! avdec_h264 max-threads=1";
	g_autofree char *text = g_strdup_printf("appsrc name=in format=time do-timestamp=true is-live=true "
						"caps=application/x-rtp,media=video,clock-rate=90000,encoding-name=%s "
						"! videoconvert ! video/x-raw,format=I420 ! appsink name=out sync=false max-buffers=400", chain);
	g_autoptr(GError) err = NULL;

	memset(v, 0, sizeof(*v));
	v->ssrc = ssrc;
	v->pipeline = gst_parse_launch(text, &err);
	g_assert_no_error(err);
	v->in = gst_bin_get_by_name(GST_BIN(v->pipeline), "in");
	v->out = gst_bin_get_by_name(GST_BIN(v->pipeline), "out");
	gst_element_set_state(v->pipeline, GST_STATE_PLAYING);
}

void rig_viewer_clear(struct rig_viewer *v)
{
	gst_element_set_state(v->pipeline, GST_STATE_NULL);
	g_clear_pointer(&v->last, gst_sample_unref);
	gst_object_unref(v->in);
	gst_object_unref(v->out);
	gst_object_unref(v->pipeline);
}

static void note_key(struct rig_viewer *v, const uint8_t *packet, const struct mcu_rtp *rtp)
{
	enum mcu_codec_id codec = rtp->pt == mcu_codecs[MCU_CODEC_VP8].default_pt ? MCU_CODEC_VP8 : MCU_CODEC_H264;
	struct mcu_frame_info info = { 0 };

	g_assert_cmpint(mcu_codec_get(codec)->inspect(packet + rtp->header_len, rtp->payload_len, &info), ==, 0);
	if (info.keyframe && (!v->keyframes || v->key_ts != rtp->ts)) {
		v->keyframes++;
		v->key_ts = rtp->ts;
	}
}

void rig_viewer_packet(struct rig_viewer *v, const uint8_t *packet, size_t len)
{
	struct mcu_rtp rtp;

	if (mcu_rtp_is_rtcp(packet, len)) {
		struct mcu_rtcp r;
		size_t pos = 0;
		while (mcu_rtcp_next(packet, len, &pos, &r) == 1) {
			v->sr += r.kind == MCU_RTCP_SR && r.sender == v->ssrc;
		}
		return;
	}
	if (mcu_rtp_parse(packet, len, &rtp) < 0 || rtp.ssrc != v->ssrc) {
		return;
	}
	g_assert_cmpuint(len, <=, 1200);
	v->gaps += v->packets && (uint16_t)(v->last_seq + 1) != rtp.seq;
	v->last_seq = rtp.seq;
	v->packets++;
	v->bytes += len;
	v->frames += rtp.marker;
	note_key(v, packet, &rtp);
	g_assert_false(v->refuse_fragments && (packet[rtp.header_len] & 0x1f) == 28);
	(void)gst_app_src_push_buffer(GST_APP_SRC(v->in), gst_buffer_new_memdup(packet, len));
}

bool rig_viewer_pull(struct rig_viewer *v)
{
	GstSample *sample;
	bool any = false;

	while ((sample = gst_app_sink_try_pull_sample(GST_APP_SINK(v->out), 0))) {
		g_clear_pointer(&v->last, gst_sample_unref);
		v->last = sample;
		GstStructure *s = gst_caps_get_structure(gst_sample_get_caps(sample), 0);
		gst_structure_get_int(s, "width", &v->w);
		gst_structure_get_int(s, "height", &v->h);
		any = true;
	}
	return any;
}

bool rig_viewer_is(struct rig_viewer *v, double x, double y, struct rig_yuv want)
{
	GstVideoFrame f;
	GstVideoInfo info;
	bool near;

	(void)rig_viewer_pull(v);
	if (!v->last || !gst_video_info_from_caps(&info, gst_sample_get_caps(v->last)) ||
	    !gst_video_frame_map(&f, &info, gst_sample_get_buffer(v->last), GST_MAP_READ)) {
		return false;
	}
	int px = (int)(x * v->w), py = (int)(y * v->h), got[3];
	for (unsigned i = 0; i < 3; i++) {
		const uint8_t *p = GST_VIDEO_FRAME_PLANE_DATA(&f, i);
		got[i] = p[(i ? py / 2 : py) * GST_VIDEO_FRAME_PLANE_STRIDE(&f, i) + (i ? px / 2 : px)];
	}
	near = ABS(got[0] - want.y) < 20 && ABS(got[1] - want.u) < 20 && ABS(got[2] - want.v) < 20;
	gst_video_frame_unmap(&f);
	return near;
}

/* ---- the mixer ---- */
struct sent_msg { struct ort_msg msg; size_t len; uint8_t data[]; };

static void run_sent(struct ort_msg *msg, void *owner)
{
	struct sent_msg *m = (struct sent_msg *)msg;
	struct rig *r = owner;
	struct mcu_rtcp rtcp;
	size_t pos = 0;

	if (r->tap) {
		r->tap(m->data, m->len, r->tap_data);
	}
	for (guint i = 0; i < r->viewers->len; i++) {
		rig_viewer_packet(r->viewers->pdata[i], m->data, m->len);
	}
	while (mcu_rtp_is_rtcp(m->data, m->len) && mcu_rtcp_next(m->data, m->len, &pos, &rtcp) == 1) {
		for (guint i = 0; rtcp.kind == MCU_RTCP_PLI && i < r->legs->len; i++) {
			struct rig_leg *leg = r->legs->pdata[i];
			if (leg->ssrc == rtcp.media) {
				rig_leg_rewind(leg);
				r->plis++;
			}
		}
	}
	g_free(m);
}

static void on_send(mcu_mix *mix, enum mcu_kind lane, const uint8_t *packet, size_t len, void *mix_data)
{
	struct sent_msg *m = g_malloc(sizeof(*m) + len);
	struct rig *r = mix_data;

	m->msg.run = run_sent;
	m->len = len;
	memcpy(m->data, packet, len);
	ort_mailbox_post(r->box, &m->msg);
}

static void on_event(enum mcu_event event, const void *body, void *mix_data)
{
	struct rig *r = mix_data;
	const struct mcu_mix_input_event *in = body;
	const struct mcu_mix_view_event *view = body;

	if (event == MCU_EVENT_MIX_INPUT_STATE) {
		g_ptr_array_add(r->events, g_strdup_printf("%s %s %s %s", mcu_events[event].name, in->id, in->state, in->why ? in->why : ""));
	} else if (event == MCU_EVENT_MIX_VIEW_SHOWN) {
		g_ptr_array_add(r->events, g_strdup_printf("%s %s %s", mcu_events[event].name, view->id, view->layout));
	} else {
		g_ptr_array_add(r->events, g_strdup(mcu_events[event].name));
	}
}

static void on_want(const char *input, int64_t w, int64_t h, bool paused, void *mix_data)
{
	struct rig *r = mix_data;

	g_ptr_array_add(r->events, paused ? g_strdup_printf("want %s paused", input)
					  : g_strdup_printf("want %s %dx%d", input, (int)w, (int)h));
}

void rig_init(struct rig *r, const char *elements, int fps)
{
	static const struct mcu_mix_ops ops = { .send = on_send, .event = on_event, .want = on_want };
	struct mcu_mixer_conf conf = { .elements = elements };
	struct mcu_mix_open open = { .room = (char *)"hall", .mix = (char *)"m", .fps = fps };
	g_autoptr(GError) err = NULL;

	memset(r, 0, sizeof(*r));
	r->legs = g_ptr_array_new();
	r->viewers = g_ptr_array_new();
	r->events = g_ptr_array_new_with_free_func(g_free);
	r->box = ort_mailbox_new(r);
	r->mixer = mcu_mixer_new(&conf, &ops, &err);
	g_assert_no_error(err);
	r->mix = mcu_mix_open(r->mixer, &open, r, &err);
	g_assert_no_error(err);
}

void rig_clear(struct rig *r)
{
	g_ptr_array_set_size(r->viewers, 0);	/* what is still under way is for nobody */
	mcu_mix_close(r->mix);
	mcu_mixer_free(r->mixer);
	ort_mailbox_free(r->box);
	g_ptr_array_unref(r->legs);
	g_ptr_array_unref(r->viewers);
	g_ptr_array_unref(r->events);
}

void rig_input(struct rig *r, const char *id, const char *member, uint32_t ssrc, int content)
{
	struct mcu_mix_input in = { .room = (char *)"hall", .mix = (char *)"m", .id = (char *)id, .source = (char *)id,
				    .kind = MCU_VIDEO, .content = content, .member = (char *)member, .name = (char *)member };
	struct mcu_mix_feed f = { ssrc };
	g_autoptr(GError) err = NULL;

	g_assert_true(mcu_mix_call(r->mix, MCU_METHOD_MIX_INPUT, &in, &f, &err));
}

static void read_cell(struct mcu_mix_cell *c, const char *word)
{
	if (!strcmp(word, "voice")) {
		c->mode = MCU_CELL_VOICE;
	} else if (!strcmp(word, "content")) {
		c->mode = MCU_CELL_CONTENT;
	} else if (g_str_has_prefix(word, "poll:")) {
		g_auto(GStrv) names = g_strsplit(word + 5, ",", 16);
		struct mcu_mix_member *m = g_new0(struct mcu_mix_member, g_strv_length(names));
		c->mode = MCU_CELL_POLL;
		c->interval_ms = 500;
		for (unsigned i = 0; names[i]; i++) {
			m[i].member = g_strdup(names[i]);
			c->members = (struct ort_json_array){ m, i + 1 };
		}
	} else if (strcmp(word, "-") != 0) {
		c->mode = MCU_CELL_FIXED;
		c->member = g_strdup(word);
	}
}

void rig_view(struct rig *r, const char *id, const char *layout, const char *cells)
{
	g_auto(GStrv) words = g_strsplit(cells, " ", 64);
	unsigned n = g_strv_length(words);
	struct mcu_mix_view v = { .room = g_strdup("hall"), .mix = g_strdup("m"), .id = g_strdup(id), .layout = g_strdup(layout),
				  .cells = { g_new0(struct mcu_mix_cell, n), n } };
	g_autoptr(GError) err = NULL;

	for (unsigned i = 0; i < n; i++) {
		struct mcu_mix_cell *c = (struct mcu_mix_cell *)v.cells.items + i;
		c->cell = i;
		read_cell(c, words[i]);
	}
	(void)mcu_mix_call(r->mix, MCU_METHOD_MIX_VIEW, &v, NULL, &err);
	g_assert_no_error(err);
	ort_json_clear(&mcu_table_mix_view, &v);
}

void rig_output(struct rig *r, const char *id, const char *view, const char *member, enum mcu_codec_id codec, int w, int h,
		uint32_t ssrc, const char *fmtp)
{
	struct mcu_mix_output out = { .room = (char *)"hall", .mix = (char *)"m", .id = (char *)id, .view = (char *)view,
				      .member = (char *)member, .codec = (char *)mcu_codecs[codec].name, .width = w, .height = h,
				      .kind = MCU_VIDEO, .fmtp = (char *)fmtp };
	struct mcu_mix_feed f = { ssrc };
	g_autoptr(GError) err = NULL;

	(void)mcu_mix_call(r->mix, MCU_METHOD_MIX_OUTPUT, &out, &f, &err);
	g_assert_no_error(err);
}

bool rig_run(struct rig *r, unsigned frames, bool (*until)(struct rig *r, void *ud), void *ud)
{
	for (unsigned f = 0; f < frames; f++) {
		int64_t now = ort_now_us();
		r->next_us = MAX(r->next_us + 33333, now);
		for (guint i = 0; i < r->legs->len; i++) {
			rig_leg_send_frame(r->legs->pdata[i], r->mix, now);
		}
		while ((now = ort_now_us()) < r->next_us) {
			g_usleep((gulong)MIN(r->next_us - now, 5000));
			ort_mailbox_drain(r->box);
			while (g_main_context_iteration(NULL, FALSE)) {
			}
		}
		if (until && until(r, ud)) {
			return true;
		}
	}
	return !until;
}

bool rig_saw(const struct rig *r, const char *event)
{
	for (guint i = 0; i < r->events->len; i++) {
		if (g_str_has_prefix(r->events->pdata[i], event)) {
			return true;
		}
	}
	return false;
}

/* ---- rooms ---- */
void room_init(struct room *m, const char *elements, unsigned n)
{
	static const struct rig_yuv *const colours[] = { &rig_red, &rig_green, &rig_blue };
	static const char *const members[] = { "a", "b", "c" };

	memset(m, 0, sizeof(*m));
	rig_init(&m->rig, elements, 30);
	rig_viewer_init(&m->viewer, 77, MCU_CODEC_H264);
	g_ptr_array_add(m->rig.viewers, &m->viewer);
	for (unsigned i = 0; i < 3; i++) {
		m->clip[i] = rig_clip_new(rig_coder(MCU_CODEC_H264), 320, 180, 90, rig_fill_plain, colours[i]);
		m->leg[i] = (struct rig_leg){ .clip = m->clip[i], .ssrc = 11 + i };
		if (i < n) {
			g_ptr_array_add(m->rig.legs, &m->leg[i]);
		}
		rig_input(&m->rig, members[i], members[i], 11 + i, MCU_CONTENT_MAIN);
	}
}

void room_clear(struct room *m)
{
	g_ptr_array_set_size(m->rig.viewers, 0);
	rig_clear(&m->rig);
	rig_viewer_clear(&m->viewer);
	for (unsigned i = 0; i < 3; i++) {
		rig_clip_free(m->clip[i]);
	}
}

static bool is_there(struct rig *r, void *ud)
{
	struct room *m = ud;

	return rig_viewer_is(&m->viewer, m->x, m->y, m->want);
}

void expect(struct room *m, double x, double y, struct rig_yuv want)
{
	m->x = x;
	m->y = y;
	m->want = want;
	g_assert_true(rig_run(&m->rig, PATIENCE, is_there, m));
}

static bool was_told(struct rig *r, void *event)
{
	return rig_saw(r, event);
}

void expect_event(struct room *m, const char *event)
{
	g_assert_true(rig_run(&m->rig, PATIENCE, was_told, (void *)event));
}
