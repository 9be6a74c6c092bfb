/* Foreign RTP payloads of pictures: first byte the codec, then packets of one length byte, one of flags, payload. */
#include "mcu/mix/frames_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(const struct mix_frame *frame, void *ud)
{
	*(size_t *)ud += frame->len + frame->data[frame->len - 1];
}

static void put(const uint8_t *packet, size_t len, bool gap, void *ud)
{
	if (gap) {
		mix_depay_gap(ud);
	}
	(void)mix_depay_put(ud, packet + 1, len - 1, packet[0] >> 1, packet[0] & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum mcu_codec_id codecs[] = { MCU_CODEC_H264, MCU_CODEC_H265, MCU_CODEC_VP8 };
	struct mix_reorder reorder = { 0 };
	size_t sum = 0, at = 1;

	if (!size) {
		return 0;
	}
	struct mix_depay *d = mix_depay_new(codecs[data[0] % 3], take, &sum);
	for (uint16_t seq = data[0]; size - at >= 2; seq = (uint16_t)(seq + 1 + (data[at - 1] == 7))) {
		size_t len = 1 + MIN(data[at], size - at - 2);
		mix_reorder_put(&reorder, data + at + 1, len, seq, (int64_t)at * 1000, put, d);
		at += 1 + len;
	}
	mix_reorder_clear(&reorder);
	mix_depay_free(d);
	return 0;
}
