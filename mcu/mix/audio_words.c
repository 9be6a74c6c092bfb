/* Spoken announcements: 16-bit samples of any rate, played at 48 kHz by a cubic through four of them. A voice of 22 kHz has
 * little above 8 kHz whose image could be heard; a filter bank for it would be work for nothing. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "mcu/mix/sound_priv.h"

enum { LONGEST_S = 20, LOUD_DBOV = -22, TOP = 30000 };

struct sound_words { unsigned n, hz; float gain; int16_t x[]; };

/* As loud as the tones: by its power, and not over the top */
static float level(const struct sound_words *w)
{
	double sum = 0, peak = 1;

	for (unsigned i = 0; i < w->n; i++) {
		sum += (double)w->x[i] * w->x[i];
		peak = MAX(peak, fabs((double)w->x[i]));
	}
	double rms = sqrt(sum / MAX(w->n, 1U)) + 1;
	return (float)(MIN(32768 * pow(10, LOUD_DBOV / 20.0) / rms, TOP / peak) / 32768);
}

struct sound_words *sound_words_new(const char *base64, int64_t hz)
{
	gsize len = 0;
	g_autofree guchar *bytes = hz >= 8000 && hz <= SOUND_HZ ? g_base64_decode(base64, &len) : NULL;

	if (len < 2 || len / 2 > (gsize)hz * LONGEST_S) {
		return NULL;
	}
	struct sound_words *w = g_malloc0(sizeof(*w) + len);
	w->n = (unsigned)(len / 2);
	w->hz = (unsigned)hz;
	for (unsigned i = 0; i < w->n; i++) {
		w->x[i] = (int16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);
	}
	w->gain = level(w);
	return w;
}

void sound_words_free(struct sound_words *w)
{
	g_free(w);
}

int64_t sound_words_ms(const struct sound_words *w)
{
	return (int64_t)w->n * 1000 / w->hz;
}

static float at(const struct sound_words *w, int64_t i)
{
	return i >= 0 && i < w->n ? w->x[i] : 0;
}

void sound_words_play(const struct sound_words *w, uint64_t from, float *out, unsigned n)
{
	for (unsigned k = 0; k < n; k++) {
		uint64_t num = (from + k) * w->hz;
		int64_t i = (int64_t)(num / SOUND_HZ);
		float t = (float)(num % SOUND_HZ) / SOUND_HZ;
		float a = at(w, i - 1), b = at(w, i), c = at(w, i + 1), d = at(w, i + 2);
		if (i >= w->n) {
			return;
		}
		out[k] += w->gain * (b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))));
	}
}
