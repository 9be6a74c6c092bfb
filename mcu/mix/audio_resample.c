/* 48 kHz <-> 8 and 16 kHz: one windowed sinc, read as a polyphase filter in both directions. */
#include <math.h>
#include <string.h>

#include "mcu/mix/sound_priv.h"

typedef float lanes __attribute__((vector_size(32), aligned(4)));

static float dot(const float *a, const float *b, unsigned n)
{
	lanes sum = {0}, other = {0}, x, y;

	/* two chains: a sum waits for the one before it */
	for (unsigned i = 0; i < n; i += 16) {
		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		sum += x * y;
		memcpy(&x, a + i + 8, sizeof(x));
		memcpy(&y, b + i + 8, sizeof(y));
		other += x * y;
	}
	sum += other;
	return (sum[0] + sum[4]) + (sum[1] + sum[5]) + (sum[2] + sum[6]) + (sum[3] + sum[7]);
}

static double bessel0(double x)
{
	double sum = 1, term = 1;

	for (int k = 1; k < 40; k++) {
		term *= x * x / (4.0 * k * k);
		sum += term;
	}
	return sum;
}

/* Cut-off half way between the pass band's end and the lower Nyquist frequency; Kaiser's window for -65 dB. */
void sound_filter_init(struct sound_filter *f, unsigned factor)
{
	const double beta = 6.2, width = 0.0063, cut = 0.5 / factor - width, middle = (SOUND_TAPS - 1) / 2.0;
	const unsigned phase_taps = SOUND_TAPS / factor;
	double sum = 0, h[SOUND_TAPS];

	for (unsigned i = 0; i < SOUND_TAPS; i++) {
		double t = i - middle, edge = t / middle;
		h[i] = sin(2 * G_PI * cut * t) / (G_PI * t) * bessel0(beta * sqrt(1 - edge * edge)) / bessel0(beta);
		sum += h[i];
	}
	f->factor = factor;
	for (unsigned i = 0; i < SOUND_TAPS; i++) {
		unsigned phase = i % factor, k = i / factor;
		f->down[i] = (float)(h[i] / sum);
		f->up[phase * phase_taps + phase_taps - 1 - k] = (float)(h[i] / sum * factor);
	}
}

unsigned sound_down(const struct sound_filter *f, struct sound_line *line, const float *in, unsigned n, float *out)
{
	float x[SOUND_TAPS + SOUND_FRAME];

	g_assert(n <= SOUND_FRAME && n % f->factor == 0);
	memcpy(x, line->past, sizeof(line->past));
	memcpy(x + SOUND_TAPS, in, n * sizeof(*in));
	for (unsigned i = 0; i < n / f->factor; i++) {
		out[i] = dot(f->down, x + (i + 1) * f->factor, SOUND_TAPS);
	}
	memcpy(line->past, x + n, sizeof(line->past));
	return n / f->factor;
}

unsigned sound_up(const struct sound_filter *f, struct sound_line *line, const float *in, unsigned n, float *out)
{
	const unsigned taps = SOUND_TAPS / f->factor;
	float x[SOUND_TAPS + SOUND_LONGEST / 3];

	g_assert(n <= SOUND_LONGEST / f->factor);
	memcpy(x, line->past, taps * sizeof(*x));
	memcpy(x + taps, in, n * sizeof(*in));
	for (unsigned i = 0; i < n; i++) {
		for (unsigned p = 0; p < f->factor; p++) {
			out[i * f->factor + p] = dot(f->up + p * taps, x + i + 1, taps);
		}
	}
	memcpy(line->past, x + n, taps * sizeof(*x));
	return n * f->factor;
}
