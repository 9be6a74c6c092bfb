/* Payloads of any codec: first byte chooses. A rewritten VP8 descriptor must read back, and give the same again. */
#include <stdlib.h>
#include <string.h>

#include "mcu/codec/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mcu_codec_state st = { 0 };
	struct mcu_frame_info info;
	uint8_t out[16], again[16];
	unsigned n, m;

	if (!size) {
		return 0;
	}
	const struct mcu_codec *codec = mcu_codec_get((enum mcu_codec_id)(data[0] % (MCU_CODEC_N + 1)));
	int rc = codec->inspect(data + 1, size - 1, &info);
	if (codec->rewrite) {
		unsigned took = codec->rewrite(&st, data + 1, size - 1, data[0] >> 7, out, &n);
		if (took > size - 1 || n > sizeof(out) || (rc < 0 && took)) {
			abort();
		}
		if (took && (codec->inspect(out, n, &info) < 0 || codec->rewrite(&st, out, n, false, again, &m) != n ||
			     memcmp(out, again, m) != 0)) {
			abort();
		}
	}
	char *text = strndup((const char *)data, size);
	(void)mcu_h264_same_profile(text, "profile-level-id=42e01f");
	(void)mcu_h264_packetization_mode(text);
	free(text);
	return 0;
}
