/* Packet knowledge by codec id. Codecs of which nothing is known get an empty row: every packet may be a beginning. */
#include <errno.h>

#include "mcu/codec/rows_priv.h"

static int inspect_nothing(const uint8_t *payload, size_t len, struct mcu_frame_info *ret)
{
	*ret = (struct mcu_frame_info){ .temporal = -1 };
	return 0;
}

int mcu_codec_inspect_sound(const uint8_t *payload, size_t len, struct mcu_frame_info *ret)
{
	if (!len) {
		return -EBADMSG;
	}
	*ret = (struct mcu_frame_info){ .start = true, .keyframe = true, .temporal = -1 };
	return 0;
}

static const struct mcu_codec nothing[MCU_CODEC_N] = {
#define X(codec, ...) [MCU_CODEC_##codec] = { .id = MCU_CODEC_##codec, .inspect = inspect_nothing },
#include "mcu/proto/codecs.def"
#undef X
};

static const struct mcu_codec *const rows[MCU_CODEC_N] = {
	[MCU_CODEC_VP8] = &mcu_codec_row_vp8,	[MCU_CODEC_H264] = &mcu_codec_row_h264,
	[MCU_CODEC_OPUS] = &mcu_codec_row_opus, [MCU_CODEC_PCMU] = &mcu_codec_row_pcmu,
	[MCU_CODEC_H265] = &mcu_codec_row_h265,
	[MCU_CODEC_PCMA] = &mcu_codec_row_pcma, [MCU_CODEC_G722] = &mcu_codec_row_g722,
};

const struct mcu_codec *mcu_codec_get(enum mcu_codec_id id)
{
	if ((unsigned)id >= MCU_CODEC_N) {
		return &nothing[0];
	}
	return rows[id] ? rows[id] : &nothing[id];
}
