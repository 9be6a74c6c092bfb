/* fmtp of a receiver -> the largest picture and rate that it takes. */
#include <string.h>

#include "gateway/sdp/sdp_priv.h"

/* Rec. H.264 table A-1: macroblocks a second and a picture, kbit/s. */
static const struct { unsigned idc; int64_t mbps, fs, kbps; } h264_levels[] = {
	{ 9, 1485, 99, 128 },	     { 10, 1485, 99, 64 },	   { 11, 3000, 396, 192 },	 { 12, 6000, 396, 384 },
	{ 13, 11880, 396, 768 },     { 20, 11880, 396, 2000 },	   { 21, 19800, 792, 4000 },	 { 22, 20250, 1620, 4000 },
	{ 30, 40500, 1620, 10000 },  { 31, 108000, 3600, 14000 },  { 32, 216000, 5120, 20000 },	 { 40, 245760, 8192, 20000 },
	{ 41, 245760, 8192, 50000 }, { 42, 522240, 8704, 50000 },  { 50, 589824, 22080, 135000 },
	{ 51, 983040, 36864, 240000 }, { 52, 2073600, 36864, 240000 },
};
/* Rec. H.265 table A.8 and A.9, main tier: luma samples a picture and a second. */
static const struct { unsigned id; int64_t ps, sr, kbps; } h265_levels[] = {
	{ 30, 36864, 552960, 128 },	   { 60, 122880, 3686400, 1500 },     { 63, 245760, 7372800, 3000 },
	{ 90, 552960, 16588800, 6000 },	   { 93, 983040, 33177600, 10000 },   { 120, 2228224, 66846720, 12000 },
	{ 123, 2228224, 133693440, 20000 }, { 150, 8912896, 267386880, 25000 }, { 153, 8912896, 534773760, 40000 },
};
static const struct { int64_t width, height; } sizes[] = {
	{ 1920, 1080 }, { 1280, 720 }, { 1024, 576 }, { 848, 480 }, { 640, 360 }, { 512, 288 }, { 352, 288 }, { 176, 144 },
};
#define FPS_WANTED 20	/* a smaller picture is better than a slower one below this */
#define FPS_MAX 60

static int64_t number(const char *fmtp, const char *key)
{
	size_t len = 0;
	const char *text = gw_sdp_fmtp_value(fmtp, key, &len);

	return text && len > 0 && len < 10 && strspn(text, "0123456789") >= len ? (int64_t)g_ascii_strtoull(text, NULL, 10) : 0;
}

/* In blocks of `side` squared samples. */
static void fit(int64_t side, int64_t per_picture, int64_t per_second, struct gw_sdp_limits *ret)
{
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		int64_t blocks = ((sizes[i].width + side - 1) / side) * ((sizes[i].height + side - 1) / side);

		if (blocks > per_picture || (per_second / blocks < FPS_WANTED && i + 1 < G_N_ELEMENTS(sizes))) {
			continue;
		}
		ret->width = sizes[i].width;
		ret->height = sizes[i].height;
		ret->fps = CLAMP(per_second / blocks, 1, FPS_MAX);
		return;
	}
}

static void h264(const char *fmtp, struct gw_sdp_limits *ret)
{
	unsigned level = sdp_h264_level(fmtp);
	size_t row = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(h264_levels); i++) {
		row = h264_levels[i].idc <= level ? i : row;
	}
	/* 8.1: the max- values only raise what the level says */
	fit(16, MAX(h264_levels[row].fs, number(fmtp, "max-fs")), MAX(h264_levels[row].mbps, number(fmtp, "max-mbps")), ret);
	ret->bps = MAX(h264_levels[row].kbps, number(fmtp, "max-br")) * 1000;
}

static void h265(const char *fmtp, struct gw_sdp_limits *ret)
{
	int64_t id = number(fmtp, "level-id");
	size_t row = 0;

	id = id > 0 ? id : 93;	/* RFC 7798 7.1: 3.1 is inferred */
	for (size_t i = 0; i < G_N_ELEMENTS(h265_levels); i++) {
		row = h265_levels[i].id <= id ? i : row;
	}
	fit(1, MAX(h265_levels[row].ps, number(fmtp, "max-lps")), MAX(h265_levels[row].sr, number(fmtp, "max-lsr")), ret);
	ret->bps = MAX(h265_levels[row].kbps, number(fmtp, "max-br")) * 1000;
}

static void vp8(const char *fmtp, struct gw_sdp_limits *ret)
{
	int64_t fs = number(fmtp, "max-fs"), fr = number(fmtp, "max-fr");

	if (fs > 0) {
		fit(16, fs, fs * FPS_MAX, ret);
	}
	ret->fps = fr > 0 ? MIN(fr, FPS_MAX) : 0;
}

static void opus(const char *fmtp, struct gw_sdp_limits *ret)
{
	ret->bps = number(fmtp, "maxaveragebitrate");
}

static const struct { enum mcu_codec_id id; void (*read)(const char *fmtp, struct gw_sdp_limits *ret); } readers[] = {
	{ MCU_CODEC_H264, h264 }, { MCU_CODEC_H265, h265 }, { MCU_CODEC_VP8, vp8 }, { MCU_CODEC_OPUS, opus },
};

void gw_sdp_limits(const struct mcu_codec_use *use, struct gw_sdp_limits *ret)
{
	int id = use->name ? mcu_codec_by_name(use->name) : -1;

	*ret = (struct gw_sdp_limits){ 0 };
	for (size_t i = 0; i < G_N_ELEMENTS(readers); i++) {
		if (id == (int)readers[i].id) {
			readers[i].read(use->fmtp, ret);
		}
	}
}
