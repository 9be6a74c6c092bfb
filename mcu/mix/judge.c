#include "mcu/mix/judge_priv.h"

#include <string.h>

enum {
	COLUMNS = 12, ROWS = 8, SPOTS = COLUMNS * ROWS,
	KEPT = 601,			/* 60 s */
	SHORTEST = 20,			/* 2 s: shorter periods are things that swing */
	LONG_ENOUGH = 100,		/* so many equal looks one after another */
	MISS = 10,			/* a look that does not match costs so many that did */
	NOISE = SPOTS * 5 / 4,		/* what coding does to the sum of differences */
	LOOKS_A_SECOND = 10,
};

struct look { uint8_t spot[SPOTS]; };
struct mix_judge {
	uint64_t n;			/* looks since the last forget */
	int64_t next_us, same_us;	/* same_us: since when it is equal, 0 = not known */
	uint64_t whole;			/* hash of the whole picture, 0 = not taken */
	unsigned motion;		/* smoothed difference of neighbours */
	unsigned period;		/* in looks, 0 = none */
	unsigned luma;			/* sum over the spots */
	uint16_t run[KEPT];		/* by period: looks that matched */
	unsigned apart[KEPT + 1];	/* of this look from the one so long ago */
	struct look look[KEPT];
};

struct mix_judge *mix_judge_new(void)
{
	return g_new0(struct mix_judge, 1);
}

void mix_judge_free(struct mix_judge *j)
{
	g_free(j);
}

void mix_judge_forget(struct mix_judge *j)
{
	j->n = 0;
	j->next_us = j->same_us = 0;
	j->whole = 0;
	j->motion = j->period = j->luma = 0;
	memset(j->run, 0, sizeof(j->run));
}

static void take(const struct mix_picture *p, struct look *ret)
{
	for (int k = 0; k < SPOTS; k++) {
		int x = (2 * (k % COLUMNS) + 1) * p->w / (2 * COLUMNS) - 2, y = (2 * (k / COLUMNS) + 1) * p->h / (2 * ROWS) - 2;
		unsigned sum = 0;
		for (int row = MAX(y, 0); row < MAX(y, 0) + 4 && row < p->h; row++) {
			const uint8_t *at = p->plane[0] + (ptrdiff_t)row * p->stride[0] + MAX(x, 0);
			sum += (unsigned)at[0] + at[1] + at[2] + at[3];
		}
		ret->spot[k] = (uint8_t)(sum / 16);
	}
}

static unsigned distance(const struct look *a, const struct look *b)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < SPOTS; i++) {	/* becomes psadbw */
		sum += (unsigned)ABS(a->spot[i] - b->spot[i]);
	}
	return sum;
}

static const struct look *ago(const struct mix_judge *j, uint64_t looks)
{
	return &j->look[(j->n - 1 - looks) % KEPT];
}

/* FNV-1a by eight octets: not against an adversary, who would rather add noise. */
static uint64_t hash(const struct mix_picture *p)
{
	uint64_t h = 14695981039346656037u, part;

	for (int y = 0; y < p->h; y++) {
		const uint8_t *row = p->plane[0] + (ptrdiff_t)y * p->stride[0];
		for (int x = 0; x + 8 <= p->w; x += 8) {
			memcpy(&part, row + x, sizeof(part));
			h = (h ^ part) * 1099511628211u;
			h ^= h >> 29;
		}
	}
	return h ? h : 1;
}

/* Spots first, once a second the whole. */
static void note_same(struct mix_judge *j, const struct mix_picture *p, unsigned moved, int64_t now_us)
{
	if (moved || !j->same_us) {
		j->same_us = now_us;
		j->whole = 0;
	} else if (j->n % LOOKS_A_SECOND == 0) {
		uint64_t whole = hash(p);
		j->same_us = j->whole && j->whole != whole ? now_us : j->same_us;
		j->whole = whole;
	}
}

/* ---- loops ---- */
static void note_runs(struct mix_judge *j)
{
	unsigned reach = (unsigned)MIN(j->n - 1, KEPT - 1);
	unsigned limit = NOISE + j->motion * 5 / 8;	/* the period falls between two looks */

	for (unsigned l = SHORTEST - 1; l <= reach; l++) {
		j->apart[l] = distance(ago(j, 0), ago(j, l));
	}
	j->apart[reach + 1] = UINT_MAX;
	for (unsigned l = SHORTEST; l <= reach; l++) {
		unsigned best = MIN(MIN(j->apart[l - 1], j->apart[l]), j->apart[l + 1]);
		if (best <= limit) {
			j->run[l] += j->run[l] < UINT16_MAX;
		} else {
			j->run[l] -= MIN(j->run[l], MISS);
		}
	}
}

/* Mean difference, over one period, from what was `lag` before */
static unsigned variety(const struct mix_judge *j, unsigned period, unsigned lag)
{
	unsigned span = MIN(MAX(period, (unsigned)LONG_ENOUGH), (unsigned)MIN(j->n, KEPT) - 1 - lag), sum = 0, n = 0;

	for (unsigned i = 0; i < span; i += MAX(span / 24, 1U), n++) {
		sum += distance(ago(j, i), ago(j, i + lag));
	}
	return n ? sum / n : 0;
}

static bool is_loop(const struct mix_judge *j, unsigned period)
{
	unsigned least = 2 * NOISE + j->motion;

	if (j->run[period] < LONG_ENOUGH || j->n < (uint64_t)period + LONG_ENOUGH) {
		return false;
	}
	for (unsigned k = 2; k <= (period < 3 * SHORTEST ? 7 : 3); k += 1 + (k > 2)) {	/* 2, 3, 5, 7 */
		if (variety(j, period, period / k) < least) {
			return false;
		}
	}
	return true;
}

static void look_for_loop(struct mix_judge *j)
{
	unsigned reach = (unsigned)MIN(j->n, KEPT) - 1;

	if (j->period && is_loop(j, j->period)) {
		return;
	}
	j->period = 0;
	for (unsigned l = SHORTEST; l <= reach && !j->period; l++) {
		if (j->run[l] >= LONG_ENOUGH && (l == reach || j->run[l] >= j->run[l + 1]) && is_loop(j, l)) {
			j->period = l;
		}
	}
}

static bool stands_still(const struct mix_judge *j)
{
	unsigned most = 0;

	for (unsigned i = 25; i < MIN(j->n, KEPT); i += 25) {
		most = MAX(most, distance(ago(j, 0), ago(j, i)));
	}
	return most < 2 * NOISE;
}

void mix_judge_note(struct mix_judge *j, const struct mix_picture *p, int64_t now_us)
{
	if (now_us < j->next_us || p->w < 4 * COLUMNS || p->h < 4 * ROWS) {
		return;
	}
	j->next_us = now_us - j->next_us < 2 * MIX_JUDGE_US ? j->next_us + MIX_JUDGE_US : now_us + MIX_JUDGE_US;
	struct look *now = &j->look[j->n++ % KEPT];
	take(p, now);
	unsigned moved = j->n > 1 ? distance(now, ago(j, 1)) : 0;
	j->motion = (j->motion * 15 + moved) / 16;
	j->luma = 0;
	for (unsigned i = 0; i < SPOTS; i++) {
		j->luma += now->spot[i];
	}
	note_same(j, p, moved, now_us);
	if (j->n > SHORTEST) {
		note_runs(j);
	}
	if (j->n % LOOKS_A_SECOND == 0 && j->n > LONG_ENOUGH && (j->period || !stands_still(j))) {
		look_for_loop(j);
	}
}

void mix_judge_figures(const struct mix_judge *j, int64_t now_us, struct mix_judge_figures *ret)
{
	*ret = (struct mix_judge_figures){ .same_us = j->same_us ? now_us - j->same_us : 0,
					   .period_us = (int64_t)j->period * MIX_JUDGE_US, .luma = (double)j->luma / SPOTS };
}
