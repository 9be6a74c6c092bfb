/* Opus (RFC 6716, RFC 7587) by libopus: 48 kHz mono, in-band FEC, no DTX of our own. */
#include <errno.h>
#include <opus/opus.h>

#include "mcu/mix/sound_priv.h"

enum { BPS = 32000, BPS_MIN = 6000, BPS_MAX = 128000, COMPLEXITY = 5, LOSS_PERCENT = 5 };

static size_t encoder_size(void)
{
	return (size_t)opus_encoder_get_size(1);
}

static size_t decoder_size(void)
{
	return (size_t)opus_decoder_get_size(1);
}

static int encoder_init(void *e, int64_t bps)
{
	if (opus_encoder_init(e, SOUND_HZ, 1, OPUS_APPLICATION_VOIP) != OPUS_OK) {
		return -EINVAL;
	}
	bps = bps ? CLAMP(bps, BPS_MIN, BPS_MAX) : BPS;
	opus_encoder_ctl(e, OPUS_SET_BITRATE((opus_int32)bps));
	opus_encoder_ctl(e, OPUS_SET_COMPLEXITY(COMPLEXITY));
	opus_encoder_ctl(e, OPUS_SET_INBAND_FEC(1));
	opus_encoder_ctl(e, OPUS_SET_PACKET_LOSS_PERC(LOSS_PERCENT));
	opus_encoder_ctl(e, OPUS_SET_DTX(0));
	return 0;
}

static int decoder_init(void *d)
{
	return opus_decoder_init(d, SOUND_HZ, 1) == OPUS_OK ? 0 : -EINVAL;
}

static void expect_loss(void *e, unsigned percent)
{
	opus_encoder_ctl(e, OPUS_SET_PACKET_LOSS_PERC(CLAMP((int)percent, LOSS_PERCENT, 30)));
}

/* The sum of three voices is no voice to SILK's predictor (tones lose up to 2.5 dB): CELT then, unless a receiver reports
 * more than 8 % of loss, when libopus stays with SILK for its FEC. */
static void expect_crowd(void *e, bool crowd)
{
	opus_encoder_ctl(e, OPUS_SET_SIGNAL(crowd ? OPUS_SIGNAL_MUSIC : OPUS_AUTO));
}

/* A receiver that comes from another encoder of the same sound has other predictions: one frame without any. */
static int encode(void *e, const float *in, bool alone, uint8_t *out, size_t room)
{
	int n;

	if (alone) {
		opus_encoder_ctl(e, OPUS_SET_PREDICTION_DISABLED(1));
	}
	n = opus_encode_float(e, in, SOUND_FRAME, out, (opus_int32)room);
	if (alone) {
		opus_encoder_ctl(e, OPUS_SET_PREDICTION_DISABLED(0));
	}
	return n > 0 ? n : -EIO;
}

static int length(const uint8_t *payload, size_t len)
{
	int n = len ? opus_packet_get_nb_samples(payload, (opus_int32)len, SOUND_HZ) : -1;

	return n > 0 && n <= SOUND_LONGEST ? n : -EBADMSG;
}

static int decode(void *d, const uint8_t *payload, size_t len, bool fec, float *out, unsigned max)
{
	int n = opus_decode_float(d, payload, (opus_int32)len, out, (int)max, fec);

	return n > 0 ? n : -EBADMSG;
}

/* libopus conceals in steps of 2.5 ms. */
static int conceal(void *d, float *out, unsigned n)
{
	unsigned whole = n / 120 * 120;

	if (whole && opus_decode_float(d, NULL, 0, out, (int)whole, 0) != (int)whole) {
		return -EIO;
	}
	for (unsigned i = whole; i < n; i++) {
		out[i] = i ? out[i - 1] * 0.98f : 0;
	}
	return 0;
}

const struct sound_codec sound_codec_opus = {
	.id = MCU_CODEC_OPUS, .factor = 1, .clock_scale = 1, .look_every = 5, .fec = true,
	.encoder_size = encoder_size, .decoder_size = decoder_size, .encoder_init = encoder_init, .decoder_init = decoder_init,
	.encode = encode, .expect_loss = expect_loss, .expect_crowd = expect_crowd, .length = length, .decode = decode, .conceal = conceal,
};
