/* Inside of the sound mixer: codecs, resampling, jitter buffer, inputs, buses. Samples are float, mono, full scale 1.0;
 * everything between decoder and encoder runs at 48 kHz in frames of 20 ms. One thread, no clock. */
#pragma once
#include "mcu/mix/audio_priv.h"
#include "mcu/rtp/rtp.h"

enum {
	SOUND_HZ = 48000,
	SOUND_FRAME = 960,		/* samples of one tick */
	SOUND_TICK_US = 20000,
	SOUND_LONGEST = 5760,		/* 120 ms: the longest packet that is taken (RFC 6716 3.2.5) */
	SOUND_TAPS = 288,
	SOUND_PAYLOAD = 1400,		/* bytes of an encoded frame at most */
};

static inline int64_t sound_us(int64_t samples)
{
	return samples * 125 / 6;
}
static inline int64_t sound_samples(int64_t us)
{
	return us * 6 / 125;
}

/* ---- resample: 48 kHz <-> 48/factor, polyphase, 288 taps (3 ms). Flat within 0.2 dB below 0.85 of the lower Nyquist
 * frequency, -60 dB above it. ---- */
struct sound_filter { unsigned factor; float down[SOUND_TAPS], up[SOUND_TAPS]; };	/* up: by phase, turned round */
void sound_filter_init(struct sound_filter *f, unsigned factor);
struct sound_line { float past[SOUND_TAPS]; };		/* zero-init: what went before */
/* n: samples of the input. down: at most SOUND_FRAME, a multiple of factor; up: at most SOUND_LONGEST at 48 kHz come out.
 * Return samples written. */
unsigned sound_down(const struct sound_filter *f, struct sound_line *line, const float *in, unsigned n, float *out);
unsigned sound_up(const struct sound_filter *f, struct sound_line *line, const float *in, unsigned n, float *out);

/* ---- codecs: one const row each; states are blocks of plain memory, so that an encoder can be cloned ---- */
struct sound_codec {
	enum mcu_codec_id id;
	unsigned factor;	/* 48 kHz / its rate of samples */
	unsigned clock_scale;	/* samples at 48 kHz of one unit of its RTP clock */
	unsigned look_every;	/* of an input without levels that is not heard, one packet in so many is decoded */
	bool fec;
	size_t (*encoder_size)(void), (*decoder_size)(void);
	int (*encoder_init)(void *e, int64_t bps);	/* 0 or -EINVAL */
	int (*decoder_init)(void *d);
	/* One frame of SOUND_FRAME / factor samples. `alone`: depends on nothing sent before. Returns bytes or -EIO. */
	int (*encode)(void *e, const float *in, bool alone, uint8_t *out, size_t room);
	void (*expect_loss)(void *e, unsigned percent);		/* may be NULL */
	void (*expect_crowd)(void *e, bool crowd);		/* three or more speak at once; may be NULL */
	int (*length)(const uint8_t *payload, size_t len);	/* samples at 48 kHz, or -EBADMSG */
	/* Samples at its own rate, or -EBADMSG. fec: the frame before this packet, `max` samples. */
	int (*decode)(void *d, const uint8_t *payload, size_t len, bool fec, float *out, unsigned max);
	int (*conceal)(void *d, float *out, unsigned n);	/* NULL: the last period is repeated for it */
};
extern const struct sound_codec sound_codec_opus, sound_codec_pcmu, sound_codec_pcma, sound_codec_g722;
const struct sound_codec *sound_codec_by_pt(uint8_t pt);	/* default_pt of codecs.def; NULL = no sound of ours */
const struct sound_codec *sound_codec_by_name(const char *name);

struct sound_tools { struct sound_filter by3, by6; };	/* one per mixer */
const struct sound_filter *sound_filter_of(const struct sound_tools *tools, const struct sound_codec *codec);

struct sound_encoder { const struct sound_codec *codec; const struct sound_filter *filter; struct sound_line line; void *state; };
struct sound_encoder *sound_encoder_new(const struct sound_tools *tools, const struct sound_codec *codec, int64_t bps);
struct sound_encoder *sound_encoder_clone(const struct sound_encoder *of);
void sound_encoder_free(struct sound_encoder *e);
int sound_encode(struct sound_encoder *e, const float frame[SOUND_FRAME], bool alone, uint8_t *out, size_t room);

enum { SOUND_KEPT = 1440 };
struct sound_decoder {
	const struct sound_codec *codec; const struct sound_filter *filter; struct sound_line line;
	float kept[SOUND_KEPT];			/* what came out last: for repeating */
	unsigned lag, repeated;			/* period found, samples repeated so far */
	void *state;
};
struct sound_decoder *sound_decoder_new(const struct sound_tools *tools, const struct sound_codec *codec);
void sound_decoder_free(struct sound_decoder *d);
void sound_decoder_reset(struct sound_decoder *d);
/* Samples at 48 kHz written, at most SOUND_LONGEST, or -EBADMSG. fec: `want` samples that stood before this packet. */
int sound_decode(struct sound_decoder *d, const uint8_t *payload, size_t len, float *out);
int sound_decode_fec(struct sound_decoder *d, const uint8_t *payload, size_t len, float *out, unsigned want);
void sound_conceal(struct sound_decoder *d, float *out, unsigned n);	/* n <= SOUND_FRAME */

/* ---- time scale ---- */
/* Best period of x[0..n) between min and max samples; *ret_match 0..1 how well it repeats. */
unsigned sound_period(const float *x, unsigned n, unsigned min, unsigned max, float *ret_match);
enum { SOUND_SCALE_NEED = 960 };	/* samples that shrink and stretch look at */
/* In place; return the samples taken out or put in (room for 480 more), 0 when nothing fits well and !force. */
unsigned sound_shrink(float *x, unsigned n, bool force);
unsigned sound_stretch(float *x, unsigned n, bool force);

/* ---- level ---- */
double sound_dbov(const float *x, unsigned n);	/* RFC 6464: 0 = overload, -127 = silence; a full square wave is 0 */
void sound_add(float *to, const float *from, unsigned n, float gain);

/* ---- jitter buffer: packets of one input in order of time; which to play when is told by sound_queue_* ---- */
enum {
	QUEUE_SLOTS = 64,
	QUEUE_MIN_US = 10000, QUEUE_MAX_US = 200000,	/* least delay aimed at; a tick is added where frames lie badly */
	QUEUE_CAP_US = 400000,				/* never is more kept than this */
};
struct sound_slot { bool used; uint8_t pt; uint16_t len, room; int64_t seq, at48; unsigned n48; uint8_t *data; };
struct sound_queue {
	struct mcu_unwrap seq, ts;
	uint32_t scale;			/* of the RTP clock now */
	int64_t base48;			/* added to unwrapped time stamps: keeps time going when the clock changes */
	bool started;
	struct sound_slot slots[QUEUE_SLOTS];
	int64_t newest;			/* sequence number */
	int64_t floor_us[2], floor_turn_us;	/* least transit in this window and in the last */
	double wait_us;			/* 97th percentile of lateness */
	int64_t last_n48;
	double loss;			/* share, smoothed */
	uint64_t packets, late, lost, dropped, jumps;
};
void sound_queue_clear(struct sound_queue *q);
/* 0; -EBADMSG, -ERANGE (old or double), -ENOSPC. next48: media time from which on packets are of use. */
int sound_queue_put(struct sound_queue *q, const struct mcu_rtp *rtp, const struct sound_codec *codec, const uint8_t *payload,
		    int64_t next48, int64_t at_us);
const struct sound_slot *sound_queue_first(const struct sound_queue *q);	/* earliest kept; NULL = empty */
void sound_queue_drop(struct sound_queue *q, const struct sound_slot *slot);
void sound_queue_forget(struct sound_queue *q, int64_t before48);	/* what ends before it */
int64_t sound_queue_floor(const struct sound_queue *q);			/* least transit, us */
int64_t sound_queue_target(const struct sound_queue *q, bool fec);	/* least delay aimed at, us */
int64_t sound_queue_span_us(const struct sound_queue *q, int64_t from48);	/* what is kept, from then on */

/* ---- what an input is worth: audio_judge.c ---- */
enum sound_state { SOUND_WAITING, SOUND_OK, SOUND_SILENT, SOUND_CLIPPED, SOUND_STATE_N };
struct sound_worth {
	enum sound_state state;
	int64_t above_us;		/* last louder than silence; 0 = not yet */
	int64_t first_us;		/* first packet */
	int64_t turn_us;		/* of the windows below */
	unsigned full[2], all[2];	/* samples at full scale, samples; this window and the one before */
};
struct sound_input;
void sound_worth_level(struct sound_input *in, double over_silence, int64_t now_us);
void sound_worth_samples(struct sound_input *in, const float *x, unsigned n, int64_t now_us);	/* decoded, before gain */
double sound_worth_clipped(const struct sound_input *in);	/* share, of the last 5 s */
struct mix_audio;
void sound_worth_tell(struct mix_audio *a, struct sound_input *in, int64_t now_us);
extern const char *const sound_state_names[SOUND_STATE_N];

/* ---- clips: audio_clip.c ---- */
struct sound_clip;
struct sound_clip *sound_clip_new(struct mix_asked asked, int64_t ms, int64_t wall_us);
void sound_clip_free(struct sound_clip *c);
/* 20 ms at 48 kHz, NULL = nothing came. true: it is full. */
bool sound_clip_take(struct sound_clip *c, const struct sound_tools *tools, const float *frame);
struct mcu_mix_clip_reply *sound_clip_reply(struct sound_clip *c, const char *id);	/* (transfer full) */
struct mix_asked sound_clip_asked(const struct sound_clip *c);

/* ---- input: one published stream ---- */
enum { FIFO_ROOM = 8192 };
struct sound_input {
	char *id, *member;
	uint32_t ssrc;
	bool mute;
	float gain, gain_now;
	struct sound_queue queue;
	struct sound_decoder *decoder;
	uint8_t pt, decoder_pt;		/* of the last packet, of the decoder */
	float *fifo;			/* decoded, not yet played; NULL until first heard */
	unsigned fifo_n;
	bool playing;
	int64_t next48, last_seq;	/* end of what was decoded, and the packet that it came from */
	unsigned settle_ticks;		/* until the delay is corrected again */
	/* loudness: dB over silence (0..127), RFC 6464 turned round */
	double loud, peak, noise;
	int64_t level_us, tagged_us, loud_us, packet_us, heard_us;
	unsigned unheard;
	double usual_len;		/* octets of a packet that was not heard */
	bool speaking;
	int64_t speaks_us, speak_us, hold_us;	/* since; wanted before it is the speaker; kept as such */
	double level;			/* least loudness of a speaker */
	bool chosen, heard;		/* heard: `frame` is part of this tick's sum */
	int64_t chosen_us;
	float frame[SOUND_FRAME];	/* after gain */
	struct { bool known; int64_t wall_us; uint32_t ts; } sr;	/* capture time of a time stamp (RFC 3550 6.4.1) */
	int64_t played48;		/* media time at the start of `frame` */
	uint64_t decoded, concealed, scaled, broken;
	struct sound_worth worth;
	struct sound_clip *clip;	/* being recorded; NULL = none */
};
struct sound_input *sound_input_new(const char *id);
void sound_input_free(struct sound_input *in);
void sound_input_packet(struct sound_input *in, const struct sound_tools *tools, const struct mcu_rtp *rtp, const uint8_t *packet,
			int64_t at_us);
void sound_input_silence(struct sound_input *in);	/* it said goodbye */
bool sound_input_play(struct sound_input *in, const struct sound_tools *tools, int64_t now_us);	/* fills `frame`, before gain */
void sound_input_skip(struct sound_input *in, int64_t now_us);	/* not heard in this tick: time goes on */
int64_t sound_input_delay_us(const struct sound_input *in, int64_t now_us);	/* after the earliest that it could be played */
int64_t sound_input_kept_us(const struct sound_input *in);

/* ---- who is heard, who speaks ---- */
enum { SOUND_HEARD = 5 };
void sound_level_note(struct sound_input *in, double over_silence, int64_t now_us);
bool sound_level_tagged(const struct sound_input *in, int64_t now_us);	/* levels come with the packets */
void sound_choose(GPtrArray *inputs, int64_t now_us);	/* sets `chosen` of at most SOUND_HEARD */

/* ---- the mix ---- */
struct sound_words;
/* One of the two; member NULL = to all */
struct sound_play { const struct sound_row *row; struct sound_words *words; char *member; uint64_t at; bool active; };
void sound_play_add(const struct sound_play *p, float *out, unsigned n);	/* from p->at on */
int64_t sound_play_ms(const struct sound_play *p);

/* One encode of one sum, for all outputs that want the same. */
struct sound_bus {
	const struct sound_codec *codec;
	int64_t bps;
	char *without, *ear;		/* member whose own sound is left out; member whose private sounds are put in */
	float gain, gain_now, limit;
	struct sound_encoder *encoder;
	const struct sound_bus *from;	/* cloned from, in the tick `born` */
	uint64_t born;
	unsigned users, loss;
	bool alone, crowd;		/* somebody joined: this frame depends on nothing; as the encoder was told */
	int len;
	uint8_t packet[12 + SOUND_PAYLOAD];
};
struct sound_output {
	char *id, *member;
	uint32_t ssrc, ts;
	uint16_t seq;
	const struct sound_codec *codec;
	int64_t bps;
	float gain;			/* 0 = speaker_mute */
	struct sound_bus *bus;
	uint64_t packets, octets;
	int64_t next_sr_us, loss_us;
	unsigned loss;			/* percent, of the last report */
};
struct mix_audio {
	struct mix_audio_ops ops;
	void *user_data;
	struct sound_tools tools;
	GPtrArray *inputs, *outputs, *buses, *plays;	/* owned */
	GHashTable *by_ssrc;		/* inputs, borrowed */
	GHashTable *out_by_ssrc;	/* outputs, borrowed */
	const struct sound_input *heard[2 * SOUND_HEARD];	/* in this tick */
	unsigned heard_n;
	float sum[SOUND_FRAME];
	uint64_t ticks, encodes, strangers, garbage;
	int64_t last_us, wall_us, next_look_us, speaker_us;
	char *speaker;
	uint32_t noise, serial;
};
void sound_levels_tell(struct mix_audio *a, int64_t now_us);	/* events, at most each 100 ms */
void sound_speaker_gone(struct mix_audio *a, const char *member);
void sound_bus_leave(struct mix_audio *a, struct sound_output *o);
void sound_buses_arrange(struct mix_audio *a);			/* each output gets the bus that it wants now */
void sound_buses_run(struct mix_audio *a);			/* mixes and encodes */
void sound_outputs_send(struct mix_audio *a, int64_t now_us, int64_t wall_us, unsigned missed);

/* ---- spoken ones: audio_words.c ---- */
struct sound_words *sound_words_new(const char *base64, int64_t hz);	/* NULL: no samples, or over 20 s */
void sound_words_free(struct sound_words *w);	/* NULL allowed */
int64_t sound_words_ms(const struct sound_words *w);
void sound_words_play(const struct sound_words *w, uint64_t from, float *out, unsigned n);	/* from: at 48 kHz; added */

/* ---- sounds of sounds.def ---- */
struct sound_row { const char *name; int dbov; const char *score, *doc; };
extern const struct sound_row sound_rows[];
extern const unsigned sound_rows_n;
const struct sound_row *sound_row_by_name(const char *name);	/* NULL = none */
/* Samples of the row from `from` on added to out; false = it ended before. -EINVAL of a row is a fault of ours. */
bool sound_row_play(const struct sound_row *row, uint64_t from, float *out, unsigned n);
int64_t sound_row_ms(const struct sound_row *row);		/* length, or -EINVAL */
