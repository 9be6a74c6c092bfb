/* The rows that the files of this folder fill; codec.c gathers them. */
#pragma once
#include "mcu/codec/codec.h"

extern const struct mcu_codec mcu_codec_row_vp8, mcu_codec_row_h264, mcu_codec_row_h265, mcu_codec_row_opus, mcu_codec_row_pcmu,
	mcu_codec_row_pcma, mcu_codec_row_g722;

/* Sound: each packet is a frame that decodes alone. */
int mcu_codec_inspect_sound(const uint8_t *payload, size_t len, struct mcu_frame_info *ret);
