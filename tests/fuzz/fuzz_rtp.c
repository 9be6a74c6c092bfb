/* RTP: any bytes parse or are refused; what parsed is written and parsed again with the same fields. */
#include <stdlib.h>

#include "mcu/rtp/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mcu_ext_value exts[16];
	struct mcu_rtp a, b;
	uint8_t out[8192], len = 0;
	unsigned n = 0;

	(void)mcu_rtp_is_rtcp(data, size);
	if (mcu_rtp_parse(data, size, &a) < 0) {
		return 0;
	}
	if ((size_t)a.header_len + a.payload_len + a.padding_len != size) {
		abort();
	}
	for (unsigned id = 1; id < 256 && n < 16; id++) {
		const uint8_t *v = mcu_rtp_ext_find(&a, (uint8_t)id, &len);
		if (v) {
			exts[n++] = (struct mcu_ext_value){ (uint8_t)id, len, v };
		}
	}
	a.padding = false;
	int h = mcu_rtp_write_header(out, sizeof(out), &a, exts, n);
	if (h < 0 || mcu_rtp_parse(out, (size_t)h, &b) < 0 || b.seq != a.seq || b.ts != a.ts || b.ssrc != a.ssrc) {
		abort();
	}
	for (unsigned i = 0; i < n; i++) {
		if (!mcu_rtp_ext_find(&b, exts[i].id, &len) || len != exts[i].len) {
			abort();
		}
	}
	return 0;
}
