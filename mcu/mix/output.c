/* Outputs and their encodes: equal ones (canvas, codec, rate) share one; each output gets its packets under its own
 * SSRC, sequence and time base. */
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/mix/audio_priv.h"
#include "mcu/mix/coder_priv.h"
#include "mcu/mix/element_priv.h"
#include "mcu/mix/fmtp_priv.h"
#include "mcu/mix/frames_priv.h"
#include "mcu/mix/home_priv.h"

enum { PAYLOAD = 1188, HEADER = 12, FAILS_MAX = 6, REST_US = 10000000, STILL_FPS = 10 };

void mix_out_free(gpointer out)
{
	struct mix_out *o = out;

	g_free(o->id);
	g_free(o->view_id);
	g_free(o->member);
	g_free(o);
}

void mix_encode_free(gpointer encode)
{
	struct mix_encode *e = encode;

	e->home->coders_us += mix_coder_cpu_us(e->coder);
	mix_coder_free(e->coder);
	g_free(e);
}

/* ---- grouping ---- */
static int64_t default_bps(int h)
{
	return h > 720 ? 2000000 : h > 360 ? 1200000 : 500000;
}

static struct mix_encode *encode_get(struct mix_home *h, struct mix_wall *wall, const struct mix_out *o, int fps)
{
	int64_t bps = o->bps ? o->bps : default_bps(wall->h);

	for (guint i = 0; i < h->encodes->len; i++) {
		struct mix_encode *e = h->encodes->pdata[i];
		if (e->wall == wall && e->codec == o->codec && e->fps == fps && e->bps == bps && e->single == o->single) {
			return e;
		}
	}
	struct mix_encode *e = g_new0(struct mix_encode, 1);
	e->home = h;
	e->wall = wall;
	e->codec = o->codec;
	e->fps = fps;
	e->bps = bps;
	e->single = o->single;
	e->rank = h->rank[o->codec];
	g_ptr_array_add(h->encodes, e);
	return e;
}

/* Whoever speaks sees the one before him where the others see him. */
static const char *left_out(const struct mix_home *h, const struct mix_view *v, const struct mix_out *o)
{
	return o->member && mix_view_has_voice(v) && !g_strcmp0(o->member, mix_home_speaking(h)) ? o->member : NULL;
}

static struct mix_encode *encode_for(struct mix_home *h, const struct mix_out *o)
{
	struct mix_view *v = mix_view_find(h, o->view_id);
	int w = o->w, height = o->h, fps = MIN(o->fps, h->fps);

	if (!v) {
		return NULL;
	}
	if (h->load.level >= MIX_LOAD_720 && height > 720) {
		w = (w * 720 / height) & ~1;
		height = 720;
	}
	if (h->load.level >= MIX_LOAD_HALF_RATE) {
		fps = MAX(fps / 2, 1);
	}
	return encode_get(h, mix_wall_get(h, v, w, height, left_out(h, v, o)), o, fps);
}

static void drop_unused(struct mix_home *h)
{
	for (guint i = h->encodes->len; i-- > 0;) {
		struct mix_encode *e = h->encodes->pdata[i];
		if (!e->users) {
			g_ptr_array_remove_index(h->encodes, i);
		}
	}
	for (guint i = 0; i < h->walls->len; i++) {
		((struct mix_wall *)h->walls->pdata[i])->users = 0;
	}
	for (guint i = 0; i < h->encodes->len; i++) {
		((struct mix_encode *)h->encodes->pdata[i])->wall->users++;
	}
	for (guint i = h->walls->len; i-- > 0;) {
		if (!((struct mix_wall *)h->walls->pdata[i])->users) {
			g_ptr_array_remove_index(h->walls, i);
		}
	}
}

/* After any change: each output finds its encode again; who comes to another one needs a key frame. */
void mix_out_regroup(struct mix_home *h)
{
	h->regroup = false;
	for (guint i = 0; i < h->encodes->len; i++) {
		((struct mix_encode *)h->encodes->pdata[i])->users = 0;
	}
	for (guint i = 0; i < h->outs->len; i++) {
		struct mix_out *o = h->outs->pdata[i];
		struct mix_encode *e = encode_for(h, o);
		if (e && e != o->encode) {
			e->key_due = true;
		}
		o->encode = e;
		if (e) {
			e->users++;
		}
	}
	drop_unused(h);
}

void mix_out_drop_view(struct mix_home *h, const struct mix_view *v)
{
	for (guint i = 0; i < h->outs->len; i++) {
		struct mix_out *o = h->outs->pdata[i];
		if (o->encode && o->encode->wall->view == v) {
			o->encode = NULL;
		}
	}
	for (guint i = 0; i < h->encodes->len; i++) {	/* also those whose outputs went in this tick */
		struct mix_encode *e = h->encodes->pdata[i];
		e->users = e->wall->view == v ? 0 : e->users;
	}
	drop_unused(h);
	h->regroup = true;
}

/* ---- sending ---- */
static uint32_t rtp_time(int64_t now_us)
{
	return (uint32_t)(now_us * 9 / 100);
}

static void send_payload(const uint8_t *head, size_t head_len, const uint8_t *body, size_t len, bool marker, void *user_data)
{
	struct mix_encode *e = user_data;
	uint8_t packet[1500];

	if (HEADER + head_len + len > sizeof(packet)) {
		return;
	}
	if (head_len) {
		memcpy(packet + HEADER, head, head_len);
	}
	memcpy(packet + HEADER + head_len, body, len);
	for (guint i = 0; i < e->home->outs->len; i++) {
		struct mix_out *o = e->home->outs->pdata[i];
		if (o->encode != e) {
			continue;
		}
		struct mcu_rtp rtp = { .pt = mcu_codecs[e->codec].default_pt, .marker = marker, .seq = o->seq++,
				       .ts = rtp_time(e->now_us) + o->ts_base, .ssrc = o->ssrc };
		(void)mcu_rtp_write_header(packet, sizeof(packet), &rtp, NULL, 0);
		o->packets++;
		o->octets += (uint32_t)(head_len + len);
		o->octets_all += head_len + len;
		mix_send(e->home->mix, packet, HEADER + head_len + len);
	}
}

static void take_coded(GstBuffer *buffer, GstCaps *caps, void *user_data)
{
	struct mix_encode *e = user_data;
	GstMapInfo map;

	if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT)) {
		e->key_us = e->now_us;
		e->keyframes++;
	}
	if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
		e->frames++;
		e->bytes += map.size;
		if (e->codec == MCU_CODEC_VP8) {
			(void)mix_pack_vp8(map.data, map.size, PAYLOAD, e->picture_id++ & 0x7fff, send_payload, e);
		} else {
			(void)mix_pack_h264(map.data, map.size, PAYLOAD, e->single, send_payload, e);
		}
		gst_buffer_unmap(buffer, &map);
	}
	gst_buffer_unref(buffer);
}

/* ---- encoding ---- */
static bool open_element(struct mix_encode *e)
{
	struct mix_element_row rows[MIX_MAX_RANKS];
	const struct mix_element_row *row;
	unsigned first = e->rank;
	unsigned n = mix_element_ranks(mix_ranks(e->home->mix), e->codec, MIX_ENCODE, rows);
	struct mix_encode_use use = { .width = e->wall->w, .height = e->wall->h, .fps = e->fps, .bps = e->bps, .sliced = e->single };

	for (unsigned pass = e->single ? 0 : 1; pass < 2 && !e->coder; pass++) {	/* first those who bound slices */
		for (unsigned i = 0; i < n && !e->coder; i++) {
			row = &rows[(first + i) % n];
			if (pass || row->sliced) {
				e->coder = mix_coder_new(row, &use);
				e->rank = e->coder ? (first + i) % n : first;
			}
		}
	}
	return e->coder != NULL;
}

static void failed(struct mix_encode *e)
{
	e->fails++;
	e->rank++;
}

/* The next class begins with another at once: a load step makes new ones. */
static void hung(struct mix_encode *e)
{
	failed(e);
	e->home->rank[e->codec] = e->rank;
}

static void coded(struct mix_encode *e, enum mix_coded how)
{
	if (how == MIX_CODER_BROKEN) {
		e->home->coders_us += mix_coder_cpu_us(e->coder);
		g_clear_pointer(&e->coder, mix_coder_free);
		failed(e);
	} else if (how == MIX_CODER_HUNG) {
		e->coder = NULL;
		mix_canvas_leave(&e->wall->canvas);
		ort_log(ORT_LOG_ERROR, "mix", "encoder.hung", "an encoder did not answer, it is left behind",
			ORT_S("codec", mcu_codecs[e->codec].name), ORT_I("width", e->wall->w), ORT_I("height", e->wall->h));
		hung(e);
	}
}

static bool is_due(struct mix_encode *e, int64_t now_us)
{
	int64_t period = 1000000 / e->fps, slack = 500000 / e->home->fps;

	if (e->fails > FAILS_MAX) {	/* none of them works: not at each frame again */
		e->fails = now_us - e->encoded_us > REST_US ? 0 : e->fails;
		return false;
	}
	if (!e->wall->view->now.layout || now_us + slack < e->due_us) {
		return false;
	}
	/* A still picture is sent ten times a second: enough to settle and for who joins. */
	if (!e->wall->painted && !e->key_due && now_us - e->encoded_us < 1000000 / STILL_FPS - slack) {
		return false;
	}
	e->due_us = MAX(e->due_us + period, now_us + period / 2);
	return true;
}

void mix_encode_run(struct mix_home *h, struct mix_encode *e, int64_t now_us)
{
	int64_t began = ort_now_us();

	if (!is_due(e, now_us)) {
		return;
	}
	e->now_us = e->encoded_us = now_us;
	if (!e->coder && !open_element(e)) {
		e->fails++;
		return;
	}
	bool key = e->key_due && now_us - e->key_us >= MIX_KEY_US;
	e->key_due &= !key;
	GstBuffer *buffer = mix_canvas_buffer(&e->wall->canvas);
	GST_BUFFER_PTS(buffer) = (GstClockTime)now_us * 1000;
	GST_BUFFER_DURATION(buffer) = GST_SECOND / (GstClockTime)e->fps;
	coded(e, mix_coder_push(e->coder, buffer, key && e->key_us, take_coded, e));
	e->encode_ms += ((double)(ort_now_us() - began) / 1000 - e->encode_ms) / 16;
}

void mix_out_key(struct mix_home *h, uint32_t ssrc)
{
	for (guint i = 0; i < h->outs->len; i++) {
		struct mix_out *o = h->outs->pdata[i];
		if (o->ssrc == ssrc && o->encode) {
			o->encode->key_due = true;
		}
	}
}

void mix_out_reports(struct mix_home *h, int64_t now_us)
{
	int64_t wall_us = now_us + h->wall_offset_us;
	uint64_t ntp = ((uint64_t)(wall_us / 1000000) + 2208988800U) << 32 | ((uint64_t)(wall_us % 1000000) << 32) / 1000000;

	for (guint i = 0; i < h->outs->len; i++) {
		struct mix_out *o = h->outs->pdata[i];
		uint8_t packet[128];
		size_t len = 0;
		if (o->packets && mcu_rtcp_write_sr(packet, sizeof(packet), &len, o->ssrc, ntp, rtp_time(now_us) + o->ts_base,
						    o->packets, o->octets, NULL, 0) == 0 &&
		    mcu_rtcp_write_sdes_cname(packet, sizeof(packet), &len, o->ssrc, MIX_CNAME) == 0) {
			mix_send(h->mix, packet, len);
		}
	}
}

/* ---- commands ---- */
static struct mix_out *find_out(const struct mix_home *h, const char *id)
{
	for (guint i = 0; i < h->outs->len; i++) {
		struct mix_out *o = h->outs->pdata[i];
		if (!strcmp(o->id, id)) {
			return o;
		}
	}
	return NULL;
}

void mix_home_output(struct mix_home *h, void *cmd)
{
	const struct mix_output_cmd *c = cmd;
	struct mix_out *o = find_out(h, c->req.id);

	if (!o) {
		o = g_new0(struct mix_out, 1);
		o->id = g_strdup(c->req.id);
		o->seq = (uint16_t)g_random_int();
		o->ts_base = g_random_int();
		g_ptr_array_add(h->outs, o);
	}
	g_free(o->view_id);
	g_free(o->member);
	o->view_id = g_strdup(c->req.view);
	o->member = g_strdup(c->req.member);
	o->codec = (enum mcu_codec_id)mcu_codec_by_name(c->req.codec);
	o->ssrc = c->ssrc;
	o->h = c->req.height ? (int)c->req.height & ~1 : 720;
	o->w = c->req.width ? (int)c->req.width & ~1 : (o->h * 16 / 9) & ~1;
	o->fps = c->req.fps ? (int)c->req.fps : h->fps;
	o->bps = c->req.bps;
	mix_fmtp_limit(o->codec, c->req.fmtp, &o->w, &o->h, &o->fps, &o->single);
	h->regroup = true;
}

void mix_home_output_remove(struct mix_home *h, void *id)
{
	struct mix_out *o = find_out(h, id);

	if (o) {
		g_ptr_array_remove(h->outs, o);
		h->regroup = true;
	}
}
