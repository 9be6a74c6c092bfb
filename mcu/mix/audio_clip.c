/* Some seconds of one input as a WAV file: mono, 16 bits, 16 kHz. */
#include <math.h>
#include <string.h>

#include "mcu/mix/sound_priv.h"

enum { HZ = 16000, FACTOR = SOUND_HZ / HZ, PART = SOUND_FRAME / FACTOR, HEADER = 44 };

struct sound_clip {
	struct mix_asked asked;
	struct sound_line line;
	int64_t wall_us;
	unsigned n, want, full;
	double squares;
	uint8_t file[];		/* header, samples */
};

struct sound_clip *sound_clip_new(struct mix_asked asked, int64_t ms, int64_t wall_us)
{
	unsigned want = (unsigned)((ms * HZ / 1000 + PART - 1) / PART) * PART;
	struct sound_clip *c = g_malloc0(sizeof(*c) + HEADER + 2 * (size_t)want);

	c->asked = asked;
	c->want = want;
	c->wall_us = wall_us;
	return c;
}

void sound_clip_free(struct sound_clip *c)
{
	g_free(c);
}

struct mix_asked sound_clip_asked(const struct sound_clip *c)
{
	return c->asked;
}

static void put(uint8_t *at, uint32_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		at[i] = (uint8_t)(v >> (8 * i));
	}
}

bool sound_clip_take(struct sound_clip *c, const struct sound_tools *tools, const float *frame)
{
	static const float nothing[SOUND_FRAME];
	float out[PART];
	unsigned n = sound_down(&tools->by3, &c->line, frame ? frame : nothing, SOUND_FRAME, out);

	for (unsigned i = 0; i < SOUND_FRAME && frame; i++) {
		c->full += fabsf(frame[i]) >= 0.98f;
	}
	for (unsigned i = 0; i < n && c->n < c->want; i++, c->n++) {
		c->squares += (double)out[i] * out[i];
		put(c->file + HEADER + 2 * (size_t)c->n, (uint32_t)lrintf(CLAMP(out[i], -1.0f, 1.0f) * 32767), 2);
	}
	return c->n == c->want;
}

/* RIFF: one chunk of format, one of samples */
static void head(struct sound_clip *c)
{
	memcpy(c->file, "RIFF....WAVEfmt ", 16);
	memcpy(c->file + 36, "data", 4);
	put(c->file + 4, HEADER - 8 + 2 * c->n, 4);
	put(c->file + 16, 16, 4);
	put(c->file + 20, 1, 2);	/* PCM */
	put(c->file + 22, 1, 2);
	put(c->file + 24, HZ, 4);
	put(c->file + 28, HZ * 2, 4);
	put(c->file + 32, 2, 2);
	put(c->file + 34, 16, 2);
	put(c->file + 40, 2 * c->n, 4);
}

struct mcu_mix_clip_reply *sound_clip_reply(struct sound_clip *c, const char *id)
{
	struct mcu_mix_clip_reply *r = g_new0(struct mcu_mix_clip_reply, 1);
	double power = c->n ? c->squares / c->n : 0;

	head(c);
	*r = (struct mcu_mix_clip_reply){ .id = g_strdup(id), .wav = g_base64_encode(c->file, HEADER + 2 * (gsize)c->n),
					  .ms = (int64_t)c->n * 1000 / HZ, .at_ms = c->wall_us / 1000,
					  .level_dbov = power > 0 ? MAX(10 * log10(power), -127.0) : -127,
					  .clipped = c->n ? (double)c->full / ((double)c->n * FACTOR) : 0 };
	return r;
}
