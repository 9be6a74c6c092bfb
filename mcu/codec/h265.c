/* H.265 in RTP (RFC 7798, without DONL): which packet begins a frame, which belongs to one that decodes alone, the picture
 * size of a sequence parameter set. */
#include <errno.h>

#include "mcu/codec/bits_priv.h"
#include "mcu/codec/rows_priv.h"

enum { NAL_IRAP_FIRST = 16, NAL_IRAP_LAST = 23, NAL_VCL_LAST = 31, NAL_VPS = 32, NAL_SPS = 33, NAL_PPS = 34, NAL_AUD = 35,
       NAL_SEI_PREFIX = 39, AP = 48, FU = 49, HEADER = 2 };

static unsigned type_of(const uint8_t *nal)
{
	return nal[0] >> 1 & 0x3f;
}

/* ---- sequence parameter set (H.265 7.3.2.2), only as far as the picture size ---- */
static void skip(struct mcu_bits *b, unsigned n)
{
	while (n--) {
		(void)bit(b);
	}
}

/* 7.3.3: 88 bits of profile, 8 of level, then the same of sub-layers that say so. */
static void skip_profile_tier_level(struct mcu_bits *b, unsigned sub_layers)
{
	bool profile[8] = { false }, level[8] = { false };

	skip(b, 96);
	for (unsigned i = 0; i < sub_layers; i++) {
		profile[i] = bit(b);
		level[i] = bit(b);
	}
	skip(b, sub_layers ? 2 * (8 - sub_layers) : 0);
	for (unsigned i = 0; i < sub_layers; i++) {
		skip(b, (profile[i] ? 88 : 0) + (level[i] ? 8 : 0));
	}
}

static void read_sps(const uint8_t *p, size_t len, struct mcu_frame_info *info)
{
	struct mcu_bits b = { .p = p, .len = len };
	uint32_t crop[4] = { 0 }, chroma, w, h;

	skip(&b, 4);
	unsigned sub_layers = bits_u(&b, 3);
	skip(&b, 1);
	skip_profile_tier_level(&b, sub_layers);
	(void)bits_ue(&b);
	chroma = bits_ue(&b);
	skip(&b, chroma == 3);
	w = bits_ue(&b);
	h = bits_ue(&b);
	for (unsigned i = 0, cropped = bit(&b); cropped && i < 4; i++) {
		crop[i] = bits_ue(&b);
	}
	uint64_t cut_w = ((uint64_t)crop[0] + crop[1]) * (chroma == 1 || chroma == 2 ? 2 : 1);
	uint64_t cut_h = ((uint64_t)crop[2] + crop[3]) * (chroma == 1 ? 2 : 1);
	if (!b.over && w <= 16384 && h <= 16384 && cut_w < w && cut_h < h) {
		info->width = (uint16_t)(w - cut_w);
		info->height = (uint16_t)(h - cut_h);
	}
}

/* ---- packets ---- */
/* One NAL unit; `body` behind its header. first_slice_segment_in_pic_flag is the first bit of a slice (7.3.6.1). */
static void note_nal(unsigned type, const uint8_t *body, size_t len, struct mcu_frame_info *info)
{
	if (type <= NAL_VCL_LAST) {
		info->keyframe |= type >= NAL_IRAP_FIRST && type <= NAL_IRAP_LAST;
		info->start |= len && body[0] >> 7;
		return;
	}
	switch (type) {
	case NAL_SPS:
		read_sps(body, len, info);
		info->keyframe = info->start = true;
		break;
	case NAL_VPS:	/* encoders put it only before pictures that decode alone */
		info->keyframe = info->start = true;
		break;
	case NAL_PPS:
	case NAL_AUD:
	case NAL_SEI_PREFIX:
		info->start = true;
		break;
	default:
		break;
	}
}

static int inspect_ap(const uint8_t *p, size_t len, struct mcu_frame_info *info)
{
	size_t at = HEADER;

	while (at < len) {
		if (len - at < 2 + HEADER) {
			return -EBADMSG;
		}
		size_t size = (size_t)(p[at] << 8 | p[at + 1]);
		at += 2;
		if (size < HEADER || size > len - at) {
			return -EBADMSG;
		}
		note_nal(type_of(p + at), p + at + HEADER, size - HEADER, info);
		at += size;
	}
	return at > HEADER ? 0 : -EBADMSG;
}

static int inspect_fu(const uint8_t *p, size_t len, struct mcu_frame_info *info)
{
	if (len < HEADER + 2) {
		return -EBADMSG;
	}
	bool first = p[HEADER] >> 7;
	note_nal(p[HEADER] & 0x3f, p + HEADER + 1, first ? len - HEADER - 1 : 0, info);
	info->start &= first;
	return 0;
}

static int inspect(const uint8_t *payload, size_t len, struct mcu_frame_info *ret)
{
	struct mcu_frame_info info = { .temporal = -1 };
	int rc = 0;

	if (len < HEADER || payload[0] >> 7 || !(payload[1] & 7)) {	/* 7.3.1.2: forbidden bit; temporal id plus one */
		return -EBADMSG;
	}
	info.temporal = (int8_t)((payload[1] & 7) - 1);
	if (type_of(payload) == AP) {
		rc = inspect_ap(payload, len, &info);
	} else if (type_of(payload) == FU) {
		rc = inspect_fu(payload, len, &info);
	} else {
		note_nal(type_of(payload), payload + HEADER, len - HEADER, &info);
	}
	if (rc == 0) {
		*ret = info;
	}
	return rc;
}

const struct mcu_codec mcu_codec_row_h265 = { .id = MCU_CODEC_H265, .inspect = inspect };
