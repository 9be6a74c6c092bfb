/* Parties around one sound mixer in virtual time: each sends a tone (or nothing) and hears what the mixer sends to it.
 * The link loses, delays and reorders by a fixed seed. */
#pragma once
#include "mcu/mix/sound_priv.h"

enum { RIG_PARTIES = 64, RIG_HEARD = 48000 * 4, RIG_FLIGHT = 64 };
struct rig_packet { int64_t at_us; uint16_t len; uint8_t data[600]; };
struct rig_party {
	bool there, sends, level, silent;
	const struct sound_codec *codec;
	double hz, dbov, hz_was, phase;
	double ppm;			/* its clock against the mixer's */
	int64_t next_us;		/* of its next packet */
	struct sound_encoder *encoder;
	struct sound_decoder *decoder;
	uint16_t seq; uint32_t ts;
	struct rig_packet flight[RIG_FLIGHT];
	unsigned flight_n;
	float *heard; uint64_t heard_n;	/* ring of the last RIG_HEARD samples */
	uint16_t last_seq; uint32_t last_ts; uint64_t got, seq_gaps, ts_gaps, reports;
	double step_max;		/* largest difference of neighbouring samples since rig_listen() */
	float last;
};
struct rig {
	struct mix_audio *mix;
	struct sound_tools tools;
	struct rig_party party[RIG_PARTIES];
	int64_t now_us;
	double loss;			/* share */
	int64_t jitter_us;
	uint32_t random;
	GString *events, *states;
	struct mcu_mix_clip_reply *clip;	/* the last that came */
	int64_t kept_max_us;
	bool deaf;			/* numbers are looked at, sound is not decoded */
};
struct rig *rig_new(void);
void rig_free(struct rig *rig);
/* Joins with a tone of hz at dbov (hz 0 = sends nothing). */
void rig_join(struct rig *rig, unsigned n, const char *codec, double hz, double dbov, bool level);
void rig_output(struct rig *rig, unsigned n, double gain_db, bool mute);
void rig_input(struct rig *rig, unsigned n, double gain_db, bool mute);
void rig_run(struct rig *rig, int64_t ms);
void rig_listen(struct rig *rig);			/* forgets what was heard */
double rig_tone(const struct rig *rig, unsigned n, double hz, unsigned ms);	/* level in dBov in the last ms, Goertzel */
double rig_loudness(const struct rig *rig, unsigned n, unsigned ms);
double rig_goertzel(const float *x, unsigned n, double hz);
struct sound_input *rig_sound_input(struct rig *rig, unsigned n);
