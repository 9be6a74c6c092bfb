/* Sounds made from rows of sounds.def: nothing is stored, any part can be made at any time. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/mix/sound_priv.h"

#define X(name_, dbov_, score_, doc_) { .name = name_, .dbov = dbov_, .score = score_, .doc = doc_ },
const struct sound_row sound_rows[] = {
#include "mcu/mix/sounds.def"
};
#undef X
const unsigned sound_rows_n = G_N_ELEMENTS(sound_rows);

enum { SWELL = 240, LONGEST_MS = 10000, TOP_HZ = 8000 };
struct step { unsigned hz[2], samples; };

const struct sound_row *sound_row_by_name(const char *name)
{
	for (unsigned i = 0; name && i < sound_rows_n; i++) {
		if (strcmp(sound_rows[i].name, name) == 0) {
			return &sound_rows[i];
		}
	}
	return NULL;
}

/* 1 = a step, 0 = end, -EINVAL */
static int next_step(const char **score, struct step *ret)
{
	char *end;
	unsigned long ms;

	while (**score == ' ') {
		(*score)++;
	}
	if (!**score) {
		return 0;
	}
	*ret = (struct step){ .hz[0] = (unsigned)strtoul(*score, &end, 10) };
	if (*end == '+') {
		ret->hz[1] = (unsigned)strtoul(end + 1, &end, 10);
	}
	if (*end != '/' || ret->hz[0] > TOP_HZ || ret->hz[1] > TOP_HZ) {
		return -EINVAL;
	}
	ms = strtoul(end + 1, &end, 10);
	if (!ms || ms > LONGEST_MS || (*end && *end != ' ')) {
		return -EINVAL;
	}
	ret->samples = (unsigned)ms * (SOUND_HZ / 1000);
	*score = end;
	return 1;
}

static float voice(const struct step *step, unsigned at)
{
	unsigned edge = MIN(at, step->samples - 1 - at);
	double sum = 0;

	for (unsigned i = 0; i < 2; i++) {
		if (step->hz[i]) {
			sum += sin(2 * G_PI * step->hz[i] * at / SOUND_HZ);
		}
	}
	return (float)(edge < SWELL ? sum * edge / SWELL : sum);
}

bool sound_row_play(const struct sound_row *row, uint64_t from, float *out, unsigned n)
{
	/* a sine of peak 1 has -3 dBov */
	const float gain = (float)pow(10, (row->dbov + 3.01) / 20);
	const char *score = row->score;
	uint64_t start = 0, end = from + n;
	struct step step;

	while (start < end && next_step(&score, &step) == 1) {
		for (uint64_t t = MAX(start, from); t < MIN(start + step.samples, end); t++) {
			out[t - from] += gain * voice(&step, (unsigned)(t - start));
		}
		start += step.samples;
	}
	return start > from;
}

int64_t sound_row_ms(const struct sound_row *row)
{
	const char *score = row->score;
	struct step step;
	int64_t samples = 0;
	int r;

	while ((r = next_step(&score, &step)) == 1) {
		samples += step.samples;
	}
	return r < 0 ? r : samples * 1000 / SOUND_HZ;
}
