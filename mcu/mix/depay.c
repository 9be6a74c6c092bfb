/* RTP payloads to whole frames: a row of functions a codec. Everything here is foreign bytes: lengths are checked, one NAL
 * unit has at most 4 MiB, one frame 8 MiB. */
#include "mcu/mix/frames_priv.h"

#include <errno.h>
#include <string.h>

struct depay_ops {
	int (*put)(struct mix_depay *d, const uint8_t *p, size_t len);
};
struct mix_depay {
	enum mcu_codec_id codec;
	const struct depay_ops *ops;
	mix_frame_fn fn;
	void *user_data;
	GByteArray *frame;
	size_t unit_at;		/* where the NAL unit in work begins in `frame` */
	bool in_unit;		/* a fragmented unit is open */
	bool bad;		/* drop what comes until the next frame */
	bool key, started;
	uint32_t ts;
	uint16_t width, height;
};

static const uint8_t start_code[4] = { 0, 0, 0, 1 };

static void reset(struct mix_depay *d)
{
	g_byte_array_set_size(d->frame, 0);
	d->in_unit = d->bad = d->key = d->started = false;
	d->width = d->height = 0;
}

static void finish_frame(struct mix_depay *d)
{
	if (d->started && !d->bad && !d->in_unit && d->frame->len) {
		struct mix_frame frame = { .data = d->frame->data, .len = d->frame->len, .ts = d->ts, .key = d->key,
					   .width = d->width, .height = d->height };
		d->fn(&frame, d->user_data);
	}
	reset(d);
}

static int append(struct mix_depay *d, const uint8_t *p, size_t len)
{
	if (len > MIX_MAX_FRAME - d->frame->len || (d->codec != MCU_CODEC_VP8 && d->frame->len + len - d->unit_at > MIX_MAX_NAL)) {
		return -EMSGSIZE;
	}
	g_byte_array_append(d->frame, p, (guint)len);
	return 0;
}

static int begin_unit(struct mix_depay *d)
{
	d->unit_at = d->frame->len;
	return append(d, start_code, sizeof(start_code));
}

static int whole_unit(struct mix_depay *d, const uint8_t *p, size_t len)
{
	int rc = begin_unit(d);

	return rc < 0 ? rc : append(d, p, len);
}

/* 16-bit sizes, each followed by a unit: STAP-A (RFC 6184 5.7.1), AP (RFC 7798 4.4.2) */
static int units(struct mix_depay *d, const uint8_t *p, size_t len, size_t least)
{
	size_t at = 0;
	int rc = 0;

	while (at < len && rc == 0) {
		if (len - at < 2) {
			return -EBADMSG;
		}
		size_t size = (size_t)(p[at] << 8 | p[at + 1]);
		at += 2;
		if (size < least || size > len - at) {
			return -EBADMSG;
		}
		rc = whole_unit(d, p + at, size);
		at += size;
	}
	return rc;
}

/* flags: S and E bits of the fragment header; head: the unit's own header, put together by the caller */
static int fragment(struct mix_depay *d, uint8_t flags, const uint8_t *head, size_t head_len, const uint8_t *p, size_t len)
{
	int rc = 0;

	if (flags & 0x80) {
		rc = begin_unit(d);
		rc = rc < 0 ? rc : append(d, head, head_len);
		d->in_unit = true;
	} else if (!d->in_unit) {
		return -EBADMSG;
	}
	rc = rc < 0 ? rc : append(d, p, len);
	if (flags & 0x40) {
		d->in_unit = false;
	}
	return rc;
}

static int put_h264(struct mix_depay *d, const uint8_t *p, size_t len)
{
	struct mcu_frame_info info = { 0 };
	unsigned type = len ? p[0] & 0x1f : 0;

	if (mcu_codec_get(MCU_CODEC_H264)->inspect(p, len, &info) < 0) {
		return -EBADMSG;
	}
	d->key |= info.keyframe;
	if (info.width) {
		d->width = info.width;
		d->height = info.height;
	}
	if (type == 28) {
		uint8_t head = (uint8_t)((p[0] & 0xe0) | (p[1] & 0x1f));
		return fragment(d, p[1], &head, 1, p + 2, len - 2);
	}
	if (d->in_unit || type == 0 || (type > 23 && type != 24)) {
		return -EBADMSG;
	}
	return type == 24 ? units(d, p + 1, len - 1, 1) : whole_unit(d, p, len);
}

enum { H265_AP = 48, H265_FU = 49 };

static bool h265_key(unsigned type)
{
	return (type >= 16 && type <= 21) || (type >= 32 && type <= 34);	/* IRAP; VPS, SPS, PPS */
}

static int put_h265(struct mix_depay *d, const uint8_t *p, size_t len)
{
	unsigned type = len ? p[0] >> 1 & 0x3f : 0;

	if (len < 3) {
		return -EBADMSG;
	}
	if (type == H265_FU) {
		unsigned inner = p[2] & 0x3f;
		uint8_t head[2] = { (uint8_t)((p[0] & 0x81) | inner << 1), p[1] };
		d->key |= h265_key(inner);
		return len < 4 ? -EBADMSG : fragment(d, p[2], head, 2, p + 3, len - 3);
	}
	if (d->in_unit || type > H265_FU) {
		return -EBADMSG;
	}
	if (type == H265_AP) {
		d->key |= len > 4 && h265_key(p[4] >> 1 & 0x3f);
		return units(d, p + 2, len - 2, 2);
	}
	d->key |= h265_key(type);
	return whole_unit(d, p, len);
}

/* Length of the payload descriptor (RFC 7741 4.2), 0 = broken */
static size_t vp8_descriptor(const uint8_t *p, size_t len)
{
	size_t at = 1;

	if (!len) {
		return 0;
	}
	if (p[0] & 0x80) {
		if (len < 2) {
			return 0;
		}
		uint8_t flags = p[at++];
		if (flags & 0x80) {
			at += at < len && (p[at] & 0x80) ? 2 : 1;
		}
		at += (flags & 0x40 ? 1U : 0U) + (flags & 0x30 ? 1U : 0U);
	}
	return at < len ? at : 0;
}

static int put_vp8(struct mix_depay *d, const uint8_t *p, size_t len)
{
	struct mcu_frame_info info;
	size_t at = vp8_descriptor(p, len);

	if (!at || mcu_codec_get(MCU_CODEC_VP8)->inspect(p, len, &info) < 0) {
		return -EBADMSG;
	}
	if (!d->frame->len && !info.start) {
		return -EBADMSG;	/* the frame's head is missing */
	}
	if (info.start) {
		d->key = info.keyframe;
		d->width = info.width;
		d->height = info.height;
	}
	return append(d, p + at, len - at);
}

static const struct depay_ops ops[MCU_CODEC_N] = {
	[MCU_CODEC_H264] = { put_h264 },
	[MCU_CODEC_H265] = { put_h265 },
	[MCU_CODEC_VP8] = { put_vp8 },
};

struct mix_depay *mix_depay_new(enum mcu_codec_id codec, mix_frame_fn fn, void *user_data)
{
	if (codec >= MCU_CODEC_N || !ops[codec].put) {
		return NULL;
	}
	struct mix_depay *d = g_new0(struct mix_depay, 1);
	d->codec = codec;
	d->ops = &ops[codec];
	d->fn = fn;
	d->user_data = user_data;
	d->frame = g_byte_array_sized_new(64 * 1024);
	return d;
}

void mix_depay_free(struct mix_depay *d)
{
	if (d) {
		g_byte_array_unref(d->frame);
		g_free(d);
	}
}

int mix_depay_put(struct mix_depay *d, const uint8_t *payload, size_t len, uint32_t ts, bool marker)
{
	int rc = 0;

	if (d->started && ts != d->ts) {
		finish_frame(d);	/* its last packet carried no marker */
	}
	d->started = true;
	d->ts = ts;
	if (!d->bad && len) {
		rc = d->ops->put(d, payload, len);
		d->bad = rc < 0;
	}
	if (marker) {
		finish_frame(d);
	}
	return rc;
}

void mix_depay_gap(struct mix_depay *d)
{
	if (d->started) {
		d->bad = true;
	}
}
