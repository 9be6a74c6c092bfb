/* Sound codecs behind one face at 48 kHz: rows, resampling before and after, repeating the last period where a codec has
 * no concealment of its own. */
#include <errno.h>
#include <string.h>

#include "mcu/mix/sound_priv.h"

enum {
	LAG_MIN = 120, LAG_MAX = 720,	/* 400 to 67 Hz */
	FADE_FROM = 960, FADE_TO = 3840,	/* samples of repeating until it begins to fade, and until it is silent */
	JOIN = 240,			/* crossfade back to what was received */
};

static const struct sound_codec *const codecs[] = {
	&sound_codec_opus, &sound_codec_g722, &sound_codec_pcmu, &sound_codec_pcma,
};

const struct sound_codec *sound_codec_by_pt(uint8_t pt)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(codecs); i++) {
		if (mcu_codecs[codecs[i]->id].default_pt == pt) {
			return codecs[i];
		}
	}
	return NULL;
}

const struct sound_codec *sound_codec_by_name(const char *name)
{
	int id = name ? mcu_codec_by_name(name) : -1;

	for (unsigned i = 0; i < G_N_ELEMENTS(codecs); i++) {
		if ((int)codecs[i]->id == id) {
			return codecs[i];
		}
	}
	return NULL;
}

const struct sound_filter *sound_filter_of(const struct sound_tools *tools, const struct sound_codec *codec)
{
	return codec->factor == 3 ? &tools->by3 : codec->factor == 6 ? &tools->by6 : NULL;
}

struct sound_encoder *sound_encoder_new(const struct sound_tools *tools, const struct sound_codec *codec, int64_t bps)
{
	struct sound_encoder *e = g_new0(struct sound_encoder, 1);

	e->codec = codec;
	e->filter = sound_filter_of(tools, codec);
	e->state = g_malloc0(codec->encoder_size());
	if (codec->encoder_init(e->state, bps) < 0) {
		g_clear_pointer(&e, sound_encoder_free);
	}
	return e;
}

struct sound_encoder *sound_encoder_clone(const struct sound_encoder *of)
{
	struct sound_encoder *e = g_memdup2(of, sizeof(*of));

	e->state = g_memdup2(of->state, of->codec->encoder_size());
	return e;
}

void sound_encoder_free(struct sound_encoder *e)
{
	if (e) {
		g_free(e->state);
		g_free(e);
	}
}

int sound_encode(struct sound_encoder *e, const float frame[SOUND_FRAME], bool alone, uint8_t *out, size_t room)
{
	float low[SOUND_FRAME / 3];

	if (!e->filter) {
		return e->codec->encode(e->state, frame, alone, out, room);
	}
	(void)sound_down(e->filter, &e->line, frame, SOUND_FRAME, low);	/* length known: SOUND_FRAME / factor */
	return e->codec->encode(e->state, low, alone, out, room);
}

struct sound_decoder *sound_decoder_new(const struct sound_tools *tools, const struct sound_codec *codec)
{
	struct sound_decoder *d = g_new0(struct sound_decoder, 1);

	d->codec = codec;
	d->filter = sound_filter_of(tools, codec);
	d->state = g_malloc0(codec->decoder_size());
	if (codec->decoder_init(d->state) < 0) {
		g_clear_pointer(&d, sound_decoder_free);
	}
	return d;
}

void sound_decoder_free(struct sound_decoder *d)
{
	if (d) {
		g_free(d->state);
		g_free(d);
	}
}

void sound_decoder_reset(struct sound_decoder *d)
{
	(void)d->codec->decoder_init(d->state);	/* succeeded once, depends on nothing */
	memset(&d->line, 0, sizeof(d->line));
	memset(d->kept, 0, sizeof(d->kept));
	d->lag = d->repeated = 0;
}

static void keep(struct sound_decoder *d, const float *out, unsigned n)
{
	if (n >= SOUND_KEPT) {
		memcpy(d->kept, out + n - SOUND_KEPT, sizeof(d->kept));
		return;
	}
	memmove(d->kept, d->kept + n, (SOUND_KEPT - n) * sizeof(*out));
	memcpy(d->kept + SOUND_KEPT - n, out, n * sizeof(*out));
}

/* The last period again and again, fading; `kept` still ends where the received sound ended. */
static void repeat(const struct sound_decoder *d, float *out, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned at = d->repeated + i;
		float gain = at < FADE_FROM ? 1.0f : at >= FADE_TO ? 0.0f : (float)(FADE_TO - at) / (FADE_TO - FADE_FROM);
		out[i] = gain * d->kept[SOUND_KEPT - d->lag + at % d->lag];
	}
}

void sound_conceal(struct sound_decoder *d, float *out, unsigned n)
{
	float match;

	g_assert(n <= SOUND_FRAME);
	if (d->codec->conceal) {
		if (d->codec->conceal(d->state, out, n) < 0) {
			memset(out, 0, n * sizeof(*out));
		}
		return;
	}
	if (!d->repeated) {
		d->lag = sound_period(d->kept, SOUND_KEPT, LAG_MIN, LAG_MAX, &match);
	}
	repeat(d, out, n);
	d->repeated += n;
}

static void join(struct sound_decoder *d, float *out, unsigned n)
{
	float past[JOIN];

	if (!d->repeated || n < JOIN) {
		d->repeated = 0;
		return;
	}
	repeat(d, past, JOIN);
	for (unsigned i = 0; i < JOIN; i++) {
		float w = (float)i / JOIN;
		out[i] = w * out[i] + (1 - w) * past[i];
	}
	d->repeated = 0;
}

int sound_decode(struct sound_decoder *d, const uint8_t *payload, size_t len, float *out)
{
	float low[SOUND_LONGEST / 3];
	int n;

	if (!d->filter) {
		return d->codec->decode(d->state, payload, len, false, out, SOUND_LONGEST);
	}
	n = d->codec->decode(d->state, payload, len, false, low, SOUND_LONGEST / d->filter->factor);
	if (n < 0) {
		return n;
	}
	n = (int)sound_up(d->filter, &d->line, low, (unsigned)n, out);
	join(d, out, (unsigned)n);
	keep(d, out, (unsigned)n);
	return n;
}

int sound_decode_fec(struct sound_decoder *d, const uint8_t *payload, size_t len, float *out, unsigned want)
{
	return d->codec->fec ? d->codec->decode(d->state, payload, len, true, out, want) : -EBADMSG;
}
