/* Steps down when ticks fill four fifths of their period for a second, or when six frames were skipped within one; up again
 * after five quiet seconds below one third: half of the pictures cost about half, so a step up fills at most two thirds.
 * Single skips are the machine's, not ours: they cost one frame, a step down would cost hundreds. */
#include "mcu/mix/load_priv.h"

enum { DOWN_US = 1000000, UP_US = 5000000, LATE_MAX = 6 };

static bool go(struct mix_load *load, int step, int64_t now_us)
{
	load->level = (enum mix_load_level)((int)load->level + step);
	load->since_us = load->calm_us = load->late_us = now_us;
	load->late = 0;
	return true;
}

bool mix_load_note(struct mix_load *load, int64_t busy_us, int64_t period_us, bool skipped, int64_t now_us)
{
	load->use += ((double)busy_us / (double)period_us - load->use) / 16;
	load->late += skipped;
	if (!load->since_us) {
		load->since_us = load->calm_us = load->late_us = now_us;
	}
	if (now_us - load->since_us >= DOWN_US && (load->use > 0.8 || load->late >= LATE_MAX) && load->level + 1 < MIX_LOAD_N) {
		return go(load, 1, now_us);
	}
	if (load->use > 0.33 || load->late > 1) {
		load->calm_us = now_us;
	}
	if (now_us - load->late_us >= DOWN_US) {
		load->late = 0;
		load->late_us = now_us;
	}
	return load->level > MIX_LOAD_FULL && now_us - load->calm_us >= UP_US ? go(load, -1, now_us) : false;
}
