/* What a receiver's format parameters allow: RFC 6184 8.1 (H.264), RFC 7741 6.1 (VP8). */
#include "mcu/mix/fmtp_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mcu/codec/codec.h"

/* H.264 table A-1: level_idc, macroblocks a second, a frame */
static const struct { uint8_t idc; int mbps, fs; } levels[] = {
	{ 10, 1485, 99 }, { 11, 3000, 396 }, { 12, 6000, 396 }, { 13, 11880, 396 }, { 20, 11880, 396 }, { 21, 19800, 792 },
	{ 22, 20250, 1620 }, { 30, 40500, 1620 }, { 31, 108000, 3600 }, { 32, 216000, 5120 }, { 40, 245760, 8192 },
	{ 41, 245760, 8192 }, { 42, 522240, 8704 }, { 50, 589824, 22080 }, { 51, 983040, 36864 }, { 52, 2073600, 36864 },
};

/* Number after "key=" in "a=1;b=2", or `other` */
static long parameter(const char *fmtp, const char *key, int base, long other)
{
	size_t n = strlen(key);

	while (fmtp && *fmtp) {
		fmtp += strspn(fmtp, " ;\t");
		if (!strncasecmp(fmtp, key, n) && fmtp[n] == '=') {
			return strtol(fmtp + n + 1, NULL, base);
		}
		fmtp = strchr(fmtp, ';');
	}
	return other;
}

static int blocks(int w, int h)
{
	return (w + 15) / 16 * ((h + 15) / 16);
}

/* Smaller in steps of a quarter of 16:9 sizes that scale well, never under 160x90 */
static void shrink(int *w, int *h, int max_fs)
{
	static const int heights[] = { 720, 540, 360, 270, 180, 90 };
	int full_w = *w, full_h = *h;

	for (unsigned i = 0; i < sizeof(heights) / sizeof(heights[0]) && blocks(*w, *h) > max_fs; i++) {
		if (heights[i] < full_h) {
			*w = (int)((int64_t)full_w * heights[i] / full_h) & ~1;
			*h = heights[i];
		}
	}
}

void mix_fmtp_limit(enum mcu_codec_id codec, const char *fmtp, int *w, int *h, int *fps, bool *ret_single)
{
	long fs = 0, mbps = 0;

	*ret_single = codec == MCU_CODEC_H264 && fmtp && *fmtp && mcu_h264_packetization_mode(fmtp) == 0;
	if (codec == MCU_CODEC_H264) {
		long level = parameter(fmtp, "profile-level-id", 16, 0) & 0xff;
		for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]) && levels[i].idc <= level; i++) {
			fs = levels[i].fs;
			mbps = levels[i].mbps;
		}
		/* max-fs and max-mbps only widen (RFC 6184 8.1) */
		fs = fs ? (parameter(fmtp, "max-fs", 10, 0) > fs ? parameter(fmtp, "max-fs", 10, 0) : fs) : 0;
		mbps = mbps ? (parameter(fmtp, "max-mbps", 10, 0) > mbps ? parameter(fmtp, "max-mbps", 10, 0) : mbps) : 0;
	} else if (codec == MCU_CODEC_VP8) {
		long fr = parameter(fmtp, "max-fr", 10, 0);
		fs = parameter(fmtp, "max-fs", 10, 0);
		*fps = fr > 0 && fr < *fps ? (int)fr : *fps;
	}
	if (fs > 0) {
		shrink(w, h, (int)(fs > 100000 ? 100000 : fs));
	}
	if (mbps > 0 && (long)blocks(*w, *h) * *fps > mbps) {
		*fps = (int)(mbps / blocks(*w, *h));
		*fps = *fps < 1 ? 1 : *fps;
	}
}
