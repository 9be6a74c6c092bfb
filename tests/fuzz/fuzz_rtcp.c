/* RTCP: every walker over any bytes; NACK lists and report blocks read back as written. */
#include <stdlib.h>
#include <string.h>

#include "mcu/rtp/rtp.h"

static void on_twcc(uint16_t seq, int64_t at, void *ud)
{
	*(int64_t *)ud += seq + (at != INT64_MIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t ssrcs[8], ssrc;
	uint16_t seqs[600], again[600];
	uint8_t out[4096], seq;
	struct mcu_rr_block block;
	struct mcu_rtcp r, w;
	uint64_t bps;
	int64_t sum = 0;

	for (size_t pos = 0; mcu_rtcp_next(data, size, &pos, &r) == 1;) {
		unsigned n = mcu_rtcp_nack_seqs(&r, seqs, 600), eight = 8;
		size_t end = 0, at = 0;
		for (unsigned i = 0; mcu_rtcp_report(&r, i, &block) || mcu_rtcp_fir(&r, i, &ssrc, &seq); i++) {
		}
		(void)mcu_rtcp_remb(&r, &bps, ssrcs, &eight);
		(void)mcu_rtcp_twcc_walk(&r, on_twcc, &sum);
		if (n && (mcu_rtcp_write_nack(out, sizeof(out), &end, 1, 2, seqs, n) < 0 ||
			  mcu_rtcp_next(out, end, &at, &w) != 1 || mcu_rtcp_nack_seqs(&w, again, 600) != n ||
			  memcmp(seqs, again, n * sizeof(seqs[0])) != 0)) {
			abort();
		}
	}
	return 0;
}
