/* Steps down when ticks fill four fifths of their period for a second (or frames were skipped twice), up again after five
 * quiet seconds below one third: half of the pictures cost about half, so a step up fills at most two thirds. */
#include "mcu/mix/load_priv.h"

enum { DOWN_US = 1000000, UP_US = 5000000 };

static bool go(struct mix_load *load, int step, int64_t now_us)
{
	load->level = (enum mix_load_level)((int)load->level + step);
	load->since_us = now_us;
	load->late = 0;
	return true;
}

bool mix_load_note(struct mix_load *load, int64_t busy_us, int64_t period_us, bool skipped, int64_t now_us)
{
	load->use += ((double)busy_us / (double)period_us - load->use) / 16;
	load->late += skipped;
	if (!load->since_us) {
		load->since_us = now_us;
	}
	if (now_us - load->since_us >= DOWN_US && (load->use > 0.8 || load->late >= 2)) {
		if (load->level + 1 < MIX_LOAD_N) {
			return go(load, 1, now_us);
		}
		load->late = 0;
	}
	if (now_us - load->since_us >= UP_US) {
		bool calm = load->use < 0.33 && load->late == 0;
		load->late = 0;
		if (calm && load->level > MIX_LOAD_FULL) {
			return go(load, -1, now_us);
		}
		load->since_us = load->use > 0.33 ? now_us - DOWN_US : load->since_us;
	}
	return false;
}
