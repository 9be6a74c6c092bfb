/* When pictures cost more than there is: what is given up, in order, before a frame is late; and taken back. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum mix_load_level { MIX_LOAD_FULL, MIX_LOAD_HALF_RATE, MIX_LOAD_720, MIX_LOAD_PASSIVE, MIX_LOAD_N };
struct mix_load { enum mix_load_level level; double use; /* smoothed part of the period, 1.0 = all */ 
		  int64_t since_us, calm_us, late_us; unsigned late; /* frames skipped since late_us */ };
/* After each tick: how long it worked, and whether frames were skipped. true = the level changed. */
bool mix_load_note(struct mix_load *load, int64_t busy_us, int64_t period_us, bool skipped, int64_t now_us);
