/* A peer's bytes before the SIP stack: whatever is cut from them lies inside of them and ends, and what goes on has one
 * message's length more or less its Via. */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/sip/frame_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sip_hop hop = { "SIP/2.0/TCP 127.0.0.1:5099", "SIP/2.0/TLS sip.example:5061", "127.64.0.9", 4000, "192.0.2.7", 50001 };
	g_autofree char *copy = g_memdup2(data, size);	/* its end is the end of the memory */
	size_t at = 0, skip = 0, len = 0;
	enum sip_frame what;
	while (at < size && (what = sip_frame_next(copy + at, size - at, &skip, &len)) != SIP_FRAME_MORE && what != SIP_FRAME_BAD) {
		if (skip + len == 0 || skip + len > size - at) {
			abort();
		}
		g_autoptr(GByteArray) in = g_byte_array_new(), out = g_byte_array_new();
		bool inward = sip_frame_inward(&hop, copy + at + skip, len, in), outward = sip_frame_outward(&hop, copy + at + skip, len, out);
		if ((inward && in->len > len + 64) || (outward && out->len > 2 * len + 64) || (!inward && in->len != 0) || (!outward && out->len != 0)) {
			abort();
		}
		at += skip + len;
	}
	return 0;
}
