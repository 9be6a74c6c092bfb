/* G.722 at 64 kbit/s (ITU-T G.722, RFC 3551 4.5.2): two bands by a quadrature mirror filter, an adaptive difference coder
 * in each, 6 bits low and 2 bits high. Names follow the blocks of clause 6. Whole numbers only: states of encoder and
 * decoder run alike. */
#include <errno.h>
#include <math.h>

#include "mcu/mix/sound_priv.h"

enum { OCTETS = 160, LONGEST = 960, ZEROS = 6, MIRROR = 24 };

struct band {
	int det, nb;			/* step, and its logarithm */
	int s, sz;			/* prediction, and its part by zeros */
	int a[2], r[2], p[2];		/* poles, reconstructed, partly reconstructed */
	int b[ZEROS], d[ZEROS];
};
struct state { struct band low, high; int x[MIRROR]; };

static const int mirror[12] = { 3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11 };
static const int levels6[30] = {	/* Q6: decision levels of the low band */
	0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339,
	1458, 1612, 1765, 1980, 2195, 2557, 2919,
};
static const int inverse6[64] = {	/* QQ6 */
	-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
	-7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
	24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
	4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
};
static const int inverse4[16] = {	/* QQ4 */
	0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
};
static const int inverse2[4] = { -7408, -1616, 7408, 1616 };	/* QQ2 */
static const int step_low[16] = {	/* WL by RIL */
	-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60,
};
static const int step_high[4] = { 798, -214, 798, -214 };	/* WH by IH */
static const int antilog[32] = {	/* ILB */
	2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
	2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
};

static int sat(int x)
{
	return CLAMP(x, -32768, 32767);
}

/* UPPOL2, UPPOL1, UPZERO: the predictor learns by signs only. */
static void learn(struct band *n, int d, int p)
{
	int a0 = sat(4 * n->a[0]), same1 = (p < 0) == (n->p[0] < 0), same2 = (p < 0) == (n->p[1] < 0);
	int a1 = (same2 ? 128 : -128) + (MIN(same1 ? -a0 : a0, 32767) >> 7) + (n->a[1] * 32512 >> 15);
	int edge;

	n->a[1] = CLAMP(a1, -12288, 12288);
	edge = sat(15360 - n->a[1]);
	n->a[0] = CLAMP(sat((same1 ? 192 : -192) + (n->a[0] * 32640 >> 15)), -edge, edge);
	for (unsigned i = 0; i < ZEROS; i++) {
		int step = d == 0 ? 0 : (n->d[i] < 0) == (d < 0) ? 128 : -128;
		n->b[i] = sat(step + (n->b[i] * 32640 >> 15));
	}
}

/* Block 4: takes the quantized difference, makes the next prediction. */
static void predict(struct band *n, int d)
{
	int r = sat(n->s + d), p = sat(n->sz + d), poles;

	learn(n, d, p);
	n->r[1] = n->r[0];
	n->r[0] = r;
	n->p[1] = n->p[0];
	n->p[0] = p;
	for (unsigned i = ZEROS - 1; i > 0; i--) {
		n->d[i] = n->d[i - 1];
	}
	n->d[0] = d;
	poles = sat((n->a[0] * sat(2 * n->r[0]) >> 15) + (n->a[1] * sat(2 * n->r[1]) >> 15));
	n->sz = 0;
	for (unsigned i = 0; i < ZEROS; i++) {
		n->sz += n->b[i] * sat(2 * n->d[i]) >> 15;
	}
	n->sz = sat(n->sz);
	n->s = sat(poles + n->sz);
}

/* LOGSCL, SCALEL (LOGSCH, SCALEH): the next step. */
static void scale(struct band *n, int change, int top, int shift)
{
	n->nb = CLAMP((n->nb * 127 >> 7) + change, 0, top);
	shift -= n->nb >> 11;
	n->det = antilog[n->nb >> 6 & 31];
	n->det = (shift < 0 ? n->det << -shift : n->det >> shift) << 2;
}

static void low_next(struct band *n, int code6)
{
	int d = n->det * inverse4[code6 >> 2] >> 15;

	scale(n, step_low[code6 >> 2], 18432, 8);
	predict(n, d);
}

static void high_next(struct band *n, int code2)
{
	int d = n->det * inverse2[code2] >> 15;

	scale(n, step_high[code2], 22528, 10);
	predict(n, d);
}

static int low_code(const struct band *n, int x)
{
	int e = sat(x - n->s), m = e >= 0 ? e : -(e + 1), i = 1;

	while (i < 30 && m >= levels6[i] * n->det >> 12) {
		i++;
	}
	/* MIL to IL: the outermost negative codes are odd (0-3 are forbidden on the line) */
	return e >= 0 ? 62 - i : i < 3 ? 64 - i : 34 - i;
}

static int high_code(const struct band *n, int x)
{
	int e = sat(x - n->s), m = e >= 0 ? e : -(e + 1), far = m >= 564 * n->det >> 12;

	return e >= 0 ? far ? 2 : 3 : far ? 0 : 1;
}

static void shift_mirror(struct state *st, int first, int second)
{
	for (unsigned i = 0; i < MIRROR - 2; i++) {
		st->x[i] = st->x[i + 2];
	}
	st->x[MIRROR - 2] = first;
	st->x[MIRROR - 1] = second;
}

static void sums(const struct state *st, int *ret_even, int *ret_odd)
{
	*ret_even = *ret_odd = 0;
	for (unsigned i = 0; i < 12; i++) {
		*ret_even += st->x[2 * i] * mirror[i];
		*ret_odd += st->x[2 * i + 1] * mirror[11 - i];
	}
}

static size_t state_size(void)
{
	return sizeof(struct state);
}

static int decoder_init(void *d)
{
	*(struct state *)d = (struct state){ .low.det = 32, .high.det = 8 };
	return 0;
}

static int encoder_init(void *e, int64_t bps)
{
	return decoder_init(e);
}

static int encode(void *e, const float *in, bool alone, uint8_t *out, size_t room)
{
	struct state *st = e;
	int even, odd, low, high;

	for (unsigned i = 0; i < OCTETS; i++) {
		shift_mirror(st, (int)lrintf(CLAMP(in[2 * i], -1.0f, 1.0f) * 32767),
			     (int)lrintf(CLAMP(in[2 * i + 1], -1.0f, 1.0f) * 32767));
		sums(st, &even, &odd);
		low = low_code(&st->low, (odd + even) >> 14);
		high = high_code(&st->high, (odd - even) >> 14);
		low_next(&st->low, low);
		high_next(&st->high, high);
		out[i] = (uint8_t)(high << 6 | low);
	}
	return OCTETS;
}

static int length(const uint8_t *payload, size_t len)
{
	return len && len <= LONGEST ? (int)len * 6 : -EBADMSG;
}

static int decode(void *d, const uint8_t *payload, size_t len, bool fec, float *out, unsigned max)
{
	struct state *st = d;
	unsigned n = MIN((unsigned)len, max / 2);
	int even, odd, low, high;

	for (unsigned i = 0; i < n; i++) {
		int code6 = payload[i] & 63, code2 = payload[i] >> 6;
		low = CLAMP(st->low.s + (st->low.det * inverse6[code6] >> 15), -16384, 16383);
		high = CLAMP(st->high.s + (st->high.det * inverse2[code2] >> 15), -16384, 16383);
		low_next(&st->low, code6);
		high_next(&st->high, code2);
		shift_mirror(st, low + high, low - high);
		sums(st, &even, &odd);
		out[2 * i] = (float)sat(odd >> 11) / 32768;
		out[2 * i + 1] = (float)sat(even >> 11) / 32768;
	}
	return (int)n * 2;
}

const struct sound_codec sound_codec_g722 = {
	.id = MCU_CODEC_G722, .factor = 3, .clock_scale = 6, .look_every = 1,
	.encoder_size = state_size, .decoder_size = state_size, .encoder_init = encoder_init, .decoder_init = decoder_init,
	.encode = encode, .length = length, .decode = decode,
};
