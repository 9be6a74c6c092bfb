/* VP8 payload descriptor (RFC 7741 4.2). `rewrite` keeps picture id, TL0PICIDX and KEYIDX running on when the source
 * changes; picture ids always leave in the 15-bit form, so that a 7-bit and a 15-bit source can follow each other.
 *
 *    0 1 2 3 4 5 6 7
 *   |X|R|N|S|R| PID | first   |I|L|T|K| RSV | X   |M| PictureID ... | I   | TL0PICIDX | L   |TID|Y| KEYIDX | T/K
 */
#include <errno.h>
#include <string.h>

#include "mcu/codec/rows_priv.h"

struct descriptor {
	uint8_t first, flags;			/* flags: the X byte, 0 = none */
	bool has_picture, has_tl0, has_tk, wide;	/* wide: 15-bit picture id */
	uint16_t picture;
	uint8_t tl0, tk;
	unsigned len;
};

static int read_picture(const uint8_t *p, size_t len, unsigned *at, struct descriptor *d)
{
	if (*at >= len) {
		return -EBADMSG;
	}
	d->wide = p[*at] >> 7;
	d->picture = p[(*at)++] & 0x7f;
	if (d->wide) {
		if (*at >= len) {
			return -EBADMSG;
		}
		d->picture = (uint16_t)(d->picture << 8 | p[(*at)++]);
	}
	return 0;
}

static int read_descriptor(const uint8_t *p, size_t len, struct descriptor *ret)
{
	struct descriptor d = { 0 };
	unsigned at = 1;

	if (!len) {
		return -EBADMSG;
	}
	d.first = p[0];
	if (p[0] & 0x80) {
		if (len < 2) {
			return -EBADMSG;
		}
		d.flags = p[at++];
		d.has_picture = d.flags & 0x80;
		d.has_tl0 = d.flags & 0x40;
		d.has_tk = d.flags & 0x30;
	}
	if (d.has_picture && read_picture(p, len, &at, &d) < 0) {
		return -EBADMSG;
	}
	if (at + d.has_tl0 + d.has_tk > len) {
		return -EBADMSG;
	}
	d.tl0 = d.has_tl0 ? p[at++] : 0;
	d.tk = d.has_tk ? p[at++] : 0;
	d.len = at;
	*ret = d;
	return 0;
}

/* RFC 6386 9.1: frame tag of three bytes, P bit lowest; key frames then carry a start code and the size */
static void read_frame_header(const uint8_t *p, size_t len, struct mcu_frame_info *info)
{
	if (!len || (p[0] & 1)) {
		return;
	}
	info->keyframe = true;
	if (len >= 10 && p[3] == 0x9d && p[4] == 0x01 && p[5] == 0x2a) {
		info->width = (uint16_t)((p[7] << 8 | p[6]) & 0x3fff);
		info->height = (uint16_t)((p[9] << 8 | p[8]) & 0x3fff);
	}
}

static int inspect(const uint8_t *payload, size_t len, struct mcu_frame_info *ret)
{
	struct mcu_frame_info info = { .temporal = -1 };
	struct descriptor d;

	if (read_descriptor(payload, len, &d) < 0) {
		return -EBADMSG;
	}
	info.start = (d.first & 0x17) == 0x10;
	info.discardable = d.first & 0x20;
	if (d.flags & 0x20) {
		info.temporal = (int8_t)(d.tk >> 6);
	}
	if (info.start) {
		read_frame_header(payload + d.len, len - d.len, &info);
	}
	*ret = info;
	return 0;
}

/* Words of mcu_codec_state */
enum { W_VALID, W_PIC_IN, W_PIC_OUT, W_TL0_IN, W_TL0_OUT, W_KEY_IN, W_KEY_OUT };
enum { HAVE_PIC = 1, HAVE_TL0 = 2, HAVE_KEY = 4 };

/* Counter of `bits` in, of `out_bits` out: the first of a new source follows the last one sent. */
static uint32_t follow(struct mcu_codec_state *st, uint32_t have, unsigned in_word, uint32_t in, unsigned bits,
		       unsigned out_bits, bool switched)
{
	uint32_t mask = (1U << out_bits) - 1, *last = &st->w[in_word], *out = &st->w[in_word + 1];

	if (!(st->w[W_VALID] & have)) {
		st->w[W_VALID] |= have;
		*out = in;
	} else if (switched) {
		*out = (*out + 1) & mask;
	} else {
		int32_t step = (int32_t)((in - *last) << (32 - bits)) >> (32 - bits);
		if (step <= 0) {
			return (*out + (uint32_t)step) & mask;	/* the same picture or a late one */
		}
		*out = (*out + (uint32_t)step) & mask;
	}
	*last = in;
	return *out;
}

static unsigned rewrite(struct mcu_codec_state *st, const uint8_t *payload, size_t len, bool switched, uint8_t *out,
			unsigned *ret_out)
{
	struct descriptor d;
	unsigned n = 0;

	*ret_out = 0;
	if (read_descriptor(payload, len, &d) < 0 || !d.flags) {
		return 0;
	}
	out[n++] = d.first;
	out[n++] = d.flags;
	if (d.has_picture) {
		uint32_t pic = follow(st, HAVE_PIC, W_PIC_IN, d.picture, d.wide ? 15 : 7, 15, switched);
		out[n++] = (uint8_t)(0x80 | pic >> 8);
		out[n++] = (uint8_t)pic;
	}
	if (d.has_tl0) {
		out[n++] = (uint8_t)follow(st, HAVE_TL0, W_TL0_IN, d.tl0, 8, 8, switched);
	}
	if (d.has_tk) {
		uint32_t key = d.tk & 0x1f;
		if (d.flags & 0x10) {
			key = follow(st, HAVE_KEY, W_KEY_IN, key, 5, 5, switched);
		}
		out[n++] = (uint8_t)((d.tk & 0xe0) | key);
	}
	*ret_out = n;
	return d.len;
}

const struct mcu_codec mcu_codec_row_vp8 = { .id = MCU_CODEC_VP8, .inspect = inspect, .rewrite = rewrite };
