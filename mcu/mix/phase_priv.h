/* When the tick falls between the frames of whom the picture is about: a frame that comes just behind it waits a whole
 * period. Steers the tick, by at most half a millisecond each time, to fall MIX_PHASE_US behind that one's pictures, as long
 * as they come at the mix's own rate. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define MIX_PHASE_US 4000	/* jitter of a LAN and its decoding */

struct mix_phase { const void *of; int64_t last_us; double gap_us, off_us; unsigned n; };	/* zero-init */
/* A picture of `of` that came at at_us, seen at the tick now_us. Returns what is to be added to the next tick's time. */
int64_t mix_phase_note(struct mix_phase *p, const void *of, int64_t at_us, int64_t now_us, int64_t period_us);
