/* Opus (RFC 7587): one packet, one Opus packet. Code 3 needs its frame count byte (RFC 6716 3.2.5). */
#include <errno.h>

#include "mcu/codec/rows_priv.h"

static int inspect(const uint8_t *payload, size_t len, struct mcu_frame_info *ret)
{
	if (len && (payload[0] & 3) == 3 && (len < 2 || !(payload[1] & 0x3f))) {
		return -EBADMSG;
	}
	return mcu_codec_inspect_sound(payload, len, ret);
}

const struct mcu_codec mcu_codec_row_opus = { .id = MCU_CODEC_OPUS, .inspect = inspect };
