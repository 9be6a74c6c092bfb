/* Whether anything comes of a microphone: silent, or over its top. Silence is lower than any room: a microphone that is shut,
 * unplugged or routed elsewhere. What codecs make of full scale goes over it, so clipping is seen after them as well. */
#include <math.h>

#include "mcu/mix/sound_priv.h"

enum { SILENCE_DB = 127 - 70, SILENT_US = 10000000, GONE_US = 2000000, WINDOW_US = 2500000, ENOUGH = SOUND_HZ / 5 };
#define FULL 0.98f
#define CLIPPED 0.005		/* of the samples; speech that only touches the top stays far below */

const char *const sound_state_names[SOUND_STATE_N] = {
	[SOUND_WAITING] = "waiting", [SOUND_OK] = "heard", [SOUND_SILENT] = "silent", [SOUND_CLIPPED] = "clipped",
};

void sound_worth_level(struct sound_input *in, double over_silence, int64_t now_us)
{
	if (over_silence > SILENCE_DB) {
		in->worth.above_us = now_us;
	}
}

static void turn(struct sound_worth *w, int64_t now_us)
{
	if (now_us - w->turn_us >= WINDOW_US) {
		bool follows = now_us - w->turn_us < 2 * WINDOW_US;
		w->full[1] = follows ? w->full[0] : 0;
		w->all[1] = follows ? w->all[0] : 0;
		w->full[0] = w->all[0] = 0;
		w->turn_us = now_us;
	}
}

void sound_worth_samples(struct sound_input *in, const float *x, unsigned n, int64_t now_us)
{
	struct sound_worth *w = &in->worth;
	unsigned full = 0;

	turn(w, now_us);
	for (unsigned i = 0; i < n; i++) {
		full += fabsf(x[i]) >= FULL;
	}
	w->full[0] += full;
	w->all[0] += n;
}

double sound_worth_clipped(const struct sound_input *in)
{
	unsigned all = in->worth.all[0] + in->worth.all[1];

	return all < ENOUGH ? 0 : (double)(in->worth.full[0] + in->worth.full[1]) / all;
}

static enum sound_state state_of(const struct sound_input *in, int64_t now_us)
{
	const struct sound_worth *w = &in->worth;

	if (!w->first_us) {
		return SOUND_WAITING;
	}
	if (now_us - in->packet_us > GONE_US || now_us - MAX(w->above_us, w->first_us) > SILENT_US) {
		return SOUND_SILENT;
	}
	return sound_worth_clipped(in) > CLIPPED ? SOUND_CLIPPED : SOUND_OK;
}

void sound_worth_tell(struct mix_audio *a, struct sound_input *in, int64_t now_us)
{
	enum sound_state state;

	turn(&in->worth, now_us);
	state = state_of(in, now_us);
	if (state == in->worth.state) {
		return;
	}
	in->worth.state = state;
	if (a->ops.state) {
		int64_t above_us = in->worth.above_us;
		const char *why = state != SOUND_SILENT ? NULL : now_us - in->packet_us > GONE_US ? "no_packets" : "same_level";
		a->ops.state(&(struct mcu_mix_input_event){ .id = in->id, .state = (char *)(uintptr_t)sound_state_names[state],
							   .why = (char *)(uintptr_t)why, .level_dbov = in->loud - 127,
							   .same_ms = above_us ? (now_us - above_us) / 1000 : 0,
							   .clipped = sound_worth_clipped(in) },
			     a->user_data);
	}
}
