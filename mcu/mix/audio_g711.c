/* G.711 A-law and mu-law (ITU-T G.711, RFC 3551 4.5.14). */
#include <errno.h>
#include <math.h>

#include "mcu/mix/sound_priv.h"

enum { SAMPLES = 160, LONGEST = 960 };	/* octets of a frame, of the longest packet */

static size_t no_state(void)
{
	return 1;
}

static int encoder_init(void *e, int64_t bps)
{
	return 0;
}

static int decoder_init(void *d)
{
	return 0;
}

static int to_linear(float x)
{
	return (int)lrintf(CLAMP(x, -1.0f, 1.0f) * 32767);
}

/* Number of the segment: position of the highest bit over `low` bits. */
static int segment(int magnitude, int low)
{
	return magnitude >> low ? 32 - low - __builtin_clz((unsigned)magnitude) : 0;
}

static uint8_t to_mu(int x)
{
	const int bias = 132, top = 32635;
	int sign = x < 0 ? 0x80 : 0, m = MIN(x < 0 ? -x : x, top) + bias, s = segment(m, 8);

	return (uint8_t)~(sign | s << 4 | (m >> (s + 3) & 15));
}

static int from_mu(uint8_t c)
{
	int m;

	c = (uint8_t)~c;
	m = (((c & 15) << 3) + 132) << (c >> 4 & 7);
	return c & 0x80 ? 132 - m : m - 132;
}

static uint8_t to_a(int x)
{
	int sign = x >= 0 ? 0x80 : 0, m = x >= 0 ? x : -x - 1, s = segment(m, 8);

	return (uint8_t)((sign | s << 4 | (m >> (s ? s + 3 : 4) & 15)) ^ 0x55);
}

static int from_a(uint8_t c)
{
	int s, m;

	c ^= 0x55;
	s = c >> 4 & 7;
	m = ((c & 15) << 4) + 8;
	m = s ? (m + 256) << (s - 1) : m;
	return c & 0x80 ? m : -m;
}

static int encode_mu(void *e, const float *in, bool alone, uint8_t *out, size_t room)
{
	for (unsigned i = 0; i < SAMPLES; i++) {
		out[i] = to_mu(to_linear(in[i]));
	}
	return SAMPLES;
}

static int encode_a(void *e, const float *in, bool alone, uint8_t *out, size_t room)
{
	for (unsigned i = 0; i < SAMPLES; i++) {
		out[i] = to_a(to_linear(in[i]));
	}
	return SAMPLES;
}

static int length(const uint8_t *payload, size_t len)
{
	return len && len <= LONGEST ? (int)len * 6 : -EBADMSG;
}

static int decode_mu(void *d, const uint8_t *payload, size_t len, bool fec, float *out, unsigned max)
{
	for (unsigned i = 0; i < len && i < max; i++) {
		out[i] = (float)from_mu(payload[i]) / 32768;
	}
	return (int)MIN(len, max);
}

static int decode_a(void *d, const uint8_t *payload, size_t len, bool fec, float *out, unsigned max)
{
	for (unsigned i = 0; i < len && i < max; i++) {
		out[i] = (float)from_a(payload[i]) / 32768;
	}
	return (int)MIN(len, max);
}

const struct sound_codec sound_codec_pcmu = {
	.id = MCU_CODEC_PCMU, .factor = 6, .clock_scale = 6, .look_every = 1,
	.encoder_size = no_state, .decoder_size = no_state, .encoder_init = encoder_init, .decoder_init = decoder_init,
	.encode = encode_mu, .length = length, .decode = decode_mu,
};
const struct sound_codec sound_codec_pcma = {
	.id = MCU_CODEC_PCMA, .factor = 6, .clock_scale = 6, .look_every = 1,
	.encoder_size = no_state, .decoder_size = no_state, .encoder_init = encoder_init, .decoder_init = decoder_init,
	.encode = encode_a, .length = length, .decode = decode_a,
};
