/* H.264 in RTP (RFC 6184): which packet begins a frame, which belongs to one that decodes alone, the picture size of a
 * sequence parameter set; and the two fmtp questions that negotiation asks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mcu/codec/bits_priv.h"
#include "mcu/codec/rows_priv.h"

enum { NAL_SLICE = 1, NAL_IDR = 5, NAL_SEI = 6, NAL_SPS = 7, NAL_PPS = 8, NAL_AUD = 9, STAP_A = 24, FU_A = 28 };

/* ---- sequence parameter set (H.264 7.3.2.1.1), only as far as the picture size ---- */
static void skip_scaling_list(struct mcu_bits *b, unsigned size)
{
	int last = 8, next = 8;

	for (unsigned i = 0; i < size && !b->over; i++) {
		if (next) {
			uint32_t k = bits_ue(b);
			int delta = k & 1 ? (int)((k + 1) / 2) : -(int)(k / 2);
			next = (last + delta) & 255;
		}
		last = next ? next : last;
	}
}

/* Returns chroma_format_idc */
static uint32_t skip_high_profile(struct mcu_bits *b)
{
	uint32_t chroma = bits_ue(b);

	if (chroma == 3) {
		(void)bit(b);
	}
	(void)bits_ue(b);
	(void)bits_ue(b);
	(void)bit(b);
	if (bit(b)) {
		for (unsigned i = 0; i < (chroma == 3 ? 12 : 8); i++) {
			if (bit(b)) {
				skip_scaling_list(b, i < 6 ? 16 : 64);
			}
		}
	}
	return chroma;
}

static void skip_poc(struct mcu_bits *b)
{
	uint32_t type = bits_ue(b);

	if (type == 0) {
		(void)bits_ue(b);
	} else if (type == 1) {
		(void)bit(b);
		(void)bits_ue(b);
		(void)bits_ue(b);
		for (uint32_t n = bits_ue(b); n && !b->over; n--) {
			(void)bits_ue(b);
		}
	}
}

static bool is_high(unsigned profile)
{
	static const uint8_t high[] = { 100, 110, 122, 244, 44, 83, 86, 118, 128 };

	return memchr(high, (int)profile, sizeof(high)) != NULL;
}

/* `p` begins behind the NAL header */
static void read_sps(const uint8_t *p, size_t len, struct mcu_frame_info *info)
{
	struct mcu_bits b = { .p = p, .len = len };
	unsigned profile = bits_u(&b, 8);
	uint32_t chroma = 1, crop[4] = { 0 };

	(void)bits_u(&b, 16);
	(void)bits_ue(&b);
	if (is_high(profile)) {
		chroma = skip_high_profile(&b);
	}
	(void)bits_ue(&b);
	skip_poc(&b);
	(void)bits_ue(&b);
	(void)bit(&b);
	uint64_t w = (uint64_t)bits_ue(&b) + 1, h = (uint64_t)bits_ue(&b) + 1;
	unsigned fields = bit(&b) ? 1 : 2;
	if (fields == 2) {
		(void)bit(&b);
	}
	(void)bit(&b);
	if (bit(&b)) {
		for (unsigned i = 0; i < 4; i++) {
			crop[i] = bits_ue(&b);
		}
	}
	if (b.over || w > 1024 || h > 1024) {
		return;
	}
	uint64_t cut_w = ((uint64_t)crop[0] + crop[1]) * (chroma == 1 || chroma == 2 ? 2 : 1);
	uint64_t cut_h = ((uint64_t)crop[2] + crop[3]) * (chroma == 1 ? 2 : 1) * fields;
	w *= 16;
	h *= 16ULL * fields;
	if (cut_w < w && cut_h < h) {
		info->width = (uint16_t)(w - cut_w);
		info->height = (uint16_t)(h - cut_h);
	}
}

/* ---- packets ---- */
/* One NAL unit; `body` behind its header. first_mb_in_slice is ue(v): 0 is a leading 1 bit (7.3.3). */
static void note_nal(uint8_t head, const uint8_t *body, size_t len, struct mcu_frame_info *info)
{
	switch (head & 0x1f) {
	case NAL_IDR:
		info->keyframe = true;
		info->start |= len && body[0] >> 7;
		break;
	case NAL_SLICE:
		info->start |= len && body[0] >> 7;
		break;
	case NAL_SPS:
		info->keyframe = info->start = true;
		read_sps(body, len, info);
		break;
	case NAL_SEI:
	case NAL_PPS:
	case NAL_AUD:
		info->start = true;
		break;
	default:
		break;
	}
	info->discardable &= !(head & 0x60);
}

static int inspect_stap(const uint8_t *p, size_t len, struct mcu_frame_info *info)
{
	size_t at = 1;

	while (at < len) {
		if (len - at < 3) {
			return -EBADMSG;
		}
		size_t size = (size_t)(p[at] << 8 | p[at + 1]);
		at += 2;
		if (!size || size > len - at) {
			return -EBADMSG;
		}
		note_nal(p[at], p + at + 1, size - 1, info);
		at += size;
	}
	return at > 1 ? 0 : -EBADMSG;
}

static int inspect_fu(const uint8_t *p, size_t len, struct mcu_frame_info *info)
{
	if (len < 3) {
		return -EBADMSG;
	}
	bool first = p[1] >> 7;
	note_nal((uint8_t)((p[0] & 0xe0) | (p[1] & 0x1f)), p + 2, first ? len - 2 : 0, info);
	info->start &= first;
	return 0;
}

static int inspect(const uint8_t *payload, size_t len, struct mcu_frame_info *ret)
{
	struct mcu_frame_info info = { .temporal = -1, .discardable = true };
	unsigned type = len ? payload[0] & 0x1f : 0;
	int rc = 0;

	if (!type) {
		return -EBADMSG;
	}
	if (type == STAP_A) {
		rc = inspect_stap(payload, len, &info);
	} else if (type == FU_A) {
		rc = inspect_fu(payload, len, &info);
	} else {
		note_nal(payload[0], payload + 1, len - 1, &info);
	}
	if (rc == 0) {
		*ret = info;
	}
	return rc;
}

const struct mcu_codec mcu_codec_row_h264 = { .id = MCU_CODEC_H264, .inspect = inspect };

/* ---- fmtp ---- */
/* Value of `key` in "a=b;c=d", or NULL; not terminated */
static const char *fmtp_value(const char *fmtp, const char *key)
{
	size_t n = strlen(key);

	while (fmtp && *fmtp) {
		fmtp += strspn(fmtp, " ;\t");
		if (!strncasecmp(fmtp, key, n) && fmtp[n] == '=') {
			return fmtp + n + 1;
		}
		fmtp = strchr(fmtp, ';');
	}
	return NULL;
}

/* RFC 6184 8.1, table 5: profile_idc and the bits of profile-iop that make a profile; others are compared as they are */
static const struct { uint8_t idc, mask, iop; char profile; } profiles[] = {
	{ 0x42, 0x4f, 0x40, 'C' }, { 0x4d, 0x8f, 0x80, 'C' }, { 0x58, 0xcf, 0xc0, 'C' },
	{ 0x42, 0x4f, 0x00, 'B' }, { 0x58, 0xcf, 0x80, 'B' },
	{ 0x4d, 0xaf, 0x00, 'M' }, { 0x58, 0xcf, 0x00, 'E' },
	{ 0x64, 0xff, 0x00, 'H' }, { 0x64, 0xff, 0x0c, 'K' },
};

static unsigned profile_of(const char *fmtp)
{
	const char *v = fmtp_value(fmtp, "profile-level-id");
	/* absent: Baseline at level 1 (RFC 6184 8.1) */
	unsigned long id = v ? strtoul(v, NULL, 16) : 0x42000a;
	uint8_t idc = (uint8_t)(id >> 16), iop = (uint8_t)(id >> 8);

	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		if (profiles[i].idc == idc && (iop & profiles[i].mask) == profiles[i].iop) {
			return (unsigned)profiles[i].profile;
		}
	}
	return (unsigned)(id >> 8 | 0x10000);
}

bool mcu_h264_same_profile(const char *fmtp_a, const char *fmtp_b)
{
	return profile_of(fmtp_a) == profile_of(fmtp_b);
}

unsigned mcu_h264_packetization_mode(const char *fmtp)
{
	const char *v = fmtp_value(fmtp, "packetization-mode");

	return v && *v >= '0' && *v <= '2' ? (unsigned)(*v - '0') : 0;
}
