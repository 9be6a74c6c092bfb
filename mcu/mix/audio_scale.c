/* A little less or more time without a click: a period is taken out or put in where the sound repeats itself, with a
 * crossfade over that period. Also: loudness, adding. */
#include <math.h>
#include <string.h>

#include "mcu/mix/sound_priv.h"

enum { STEP = 4, LAG_MIN = 120, LAG_MAX = 480 };
#define QUIET_DBOV (-60)

static float likeness(const float *a, const float *b, unsigned n)
{
	float ab = 0, aa = 0, bb = 0;

	for (unsigned i = 0; i < n; i += STEP) {
		ab += a[i] * b[i];
		aa += a[i] * a[i];
		bb += b[i] * b[i];
	}
	return aa + bb < 1e-9f ? 1 : 2 * ab / (aa + bb);
}

/* Compares the newest part with what stood a lag before it: coarse, then each sample round the best. */
unsigned sound_period(const float *x, unsigned n, unsigned min, unsigned max, float *ret_match)
{
	unsigned part = n - max, best = min, from, to;
	float match = -2, m;

	for (unsigned lag = min; lag <= max; lag += STEP) {
		m = likeness(x + n - part, x + n - part - lag, part);
		if (m > match + 0.001f) {
			match = m;
			best = lag;
		}
	}
	from = MAX(best - STEP + 1, min);
	to = MIN(best + STEP - 1, max);
	for (unsigned lag = from; lag <= to; lag++) {
		m = likeness(x + n - part, x + n - part - lag, part);
		if (m > match) {
			match = m;
			best = lag;
		}
	}
	*ret_match = match;
	return best;
}

static unsigned fitting(const float *x, bool force)
{
	float match;
	unsigned lag = sound_period(x, SOUND_SCALE_NEED, LAG_MIN, LAG_MAX, &match);

	return force || match > 0.9f || sound_dbov(x, SOUND_SCALE_NEED) < QUIET_DBOV ? lag : 0;
}

unsigned sound_shrink(float *x, unsigned n, bool force)
{
	unsigned lag = n >= SOUND_SCALE_NEED ? fitting(x, force) : 0;

	for (unsigned i = 0; i < lag; i++) {
		float w = (float)i / (float)lag;
		x[i] = (1 - w) * x[i] + w * x[i + lag];
	}
	if (lag) {
		memmove(x + lag, x + 2 * lag, (n - 2 * lag) * sizeof(*x));
	}
	return lag;
}

unsigned sound_stretch(float *x, unsigned n, bool force)
{
	unsigned lag = n >= SOUND_SCALE_NEED ? fitting(x, force) : 0;

	if (!lag) {
		return 0;
	}
	memmove(x + 2 * lag, x + lag, (n - lag) * sizeof(*x));
	for (unsigned i = 0; i < lag; i++) {
		float w = (float)i / (float)lag;
		x[lag + i] = (1 - w) * x[2 * lag + i] + w * x[i];
	}
	return lag;
}

double sound_dbov(const float *x, unsigned n)
{
	double sum = 0;

	for (unsigned i = 0; i < n; i++) {
		sum += (double)x[i] * x[i];
	}
	return n && sum > 0 ? MAX(10 * log10(sum / n), -127.0) : -127;
}

void sound_add(float *to, const float *from, unsigned n, float gain)
{
	for (unsigned i = 0; i < n; i++) {
		to[i] += gain * from[i];
	}
}
