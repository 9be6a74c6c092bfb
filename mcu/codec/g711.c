/* G.711 (RFC 3551 4.5.14): samples without structure. */
#include "mcu/codec/rows_priv.h"

const struct mcu_codec mcu_codec_row_pcmu = { .id = MCU_CODEC_PCMU, .inspect = mcu_codec_inspect_sound };
const struct mcu_codec mcu_codec_row_pcma = { .id = MCU_CODEC_PCMA, .inspect = mcu_codec_inspect_sound };
