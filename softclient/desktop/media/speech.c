/* A voice without words: harmonics of a pitch that wanders, in syllables of a quarter second and phrases of three seconds
 * with a pause between, so that levels and speaker detection see what they see of people. */
#include <glib.h>
#include <math.h>

#include "softclient/desktop/media/media.h"

enum { PHRASE = 4 * SC_SOUND_HZ, SPOKEN = 3 * SC_SOUND_HZ, SYLLABLE = SC_SOUND_HZ / 4 };

/* Strength of each harmonic: two broad formants. */
static const double harmonics[] = { 0.5, 0.8, 1.0, 0.7, 0.4, 0.3, 0.45, 0.35, 0.2, 0.1 };
static const double loudness = 0.11;	/* about -17 dB while a syllable sounds */

enum { WAVE = 1024 };
static float wave[WAVE];	/* one period, the same for everybody */

void sc_speech_init(struct sc_speech *s, const char *name)
{
	*s = (struct sc_speech){ .pitch_hz = 105 + g_str_hash(name != NULL ? name : "") % 120 };
	for (unsigned i = 0; i < WAVE; i++) {
		double sum = 0;
		for (unsigned n = 0; n < G_N_ELEMENTS(harmonics); n++) {
			sum += harmonics[n] * sin(2 * G_PI * (n + 1) * i / WAVE);
		}
		wave[i] = (float)sum;
	}
}

/* 0 in the pause; a syllable swells and fades. */
static double envelope(uint64_t at)
{
	double x = (double)(at % SYLLABLE) / SYLLABLE;
	return at % PHRASE < SPOKEN ? sin(G_PI * x) * (0.6 + 0.4 * (double)(at / SYLLABLE * 7 % 5) / 4) : 0;
}

void sc_speech_fill(struct sc_speech *s, int16_t *ret, size_t n)
{
	for (size_t i = 0; i < n; i++, s->at++) {
		double e = envelope(s->at);
		double hz = s->pitch_hz * (1 + 0.08 * sin(2 * G_PI * (double)(s->at % PHRASE) / PHRASE * 3));
		s->phase = fmod(s->phase + hz * WAVE / SC_SOUND_HZ, WAVE);
		ret[i] = (int16_t)lrint(32767 * CLAMP(loudness * e * (double)wave[(unsigned)s->phase], -1, 1));
	}
}
