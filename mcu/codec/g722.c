/* G.722 (RFC 3551 4.5.2): samples without structure. */
#include "mcu/codec/rows_priv.h"

const struct mcu_codec mcu_codec_row_g722 = { .id = MCU_CODEC_G722, .inspect = mcu_codec_inspect_sound };
