#include "mcu/mix/phase_priv.h"

#include <glib.h>
#include <math.h>

enum { STEP_US = 500, KNOWN = 15, DEAF_US = 500 };

/* -period/2 .. period/2 */
static double wrapped(double us, double period)
{
	return us - period * round(us / period);
}

int64_t mix_phase_note(struct mix_phase *p, const void *of, int64_t at_us, int64_t now_us, int64_t period_us)
{
	double gap = (double)(at_us - p->last_us), period = (double)period_us;
	double off = (double)(now_us - at_us - MIX_PHASE_US);

	if (p->of != of || gap > 4 * period) {
		*p = (struct mix_phase){ .of = of, .last_us = at_us, .gap_us = period, .off_us = wrapped(off, period) };
		return 0;
	}
	p->last_us = at_us;
	p->gap_us += (gap - p->gap_us) / 16;
	p->off_us = wrapped(p->off_us + wrapped(off - p->off_us, period) / 8, period);
	p->n++;
	/* another rate: there is nothing to lock to */
	if (p->n < KNOWN || fabs(p->gap_us - period) > period / 20 || fabs(p->off_us) < DEAF_US) {
		return 0;
	}
	double step = CLAMP(-p->off_us / 8, -STEP_US, STEP_US);
	p->off_us += step;
	return (int64_t)step;
}
