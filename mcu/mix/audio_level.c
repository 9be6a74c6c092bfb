/* Who is heard and who speaks. Levels come with the packets (RFC 6464) or are measured; both are dB over silence here. */
#include <math.h>
#include <string.h>

#include "mcu/mix/sound_priv.h"

enum {
	TAG_US = 500000,	/* a stream whose levels came so lately is not measured */
	HOLD_US = 400000,	/* heard so long after it was loud */
	LOUD_DB = 127 - 45,	/* this is speech whatever the room is like */
	SPEECH_DB = 127 - 60,	/* this is, when it stands out from the room */
	OUT_DB = 10,
	ROOM_DB = 127 - 50,	/* no room is louder than this when it is first heard */
	STAY_DB = 6, NEW_DB = 12,	/* advantage of who is heard, of who is heard since NEW_US */
	NEW_US = 300000,
	ON_DB = 127 - 45, OFF_DB = 127 - 50,
	OFF_US = 600000,	/* quiet so long ends speech */
	LOOK_US = 100000,
	LOUDER_DB = 6,
};

bool sound_level_tagged(const struct sound_input *in, int64_t now_us)
{
	return now_us - in->tagged_us < TAG_US;
}

void sound_level_note(struct sound_input *in, double v, int64_t now_us)
{
	double ticks = (double)CLAMP(now_us - in->level_us, SOUND_TICK_US / 4, 10 * SOUND_TICK_US) / SOUND_TICK_US;

	in->loud += (1 - pow(0.8, ticks)) * (v - in->loud);
	in->peak = MAX(v, in->peak - ticks);
	if (in->noise < 0) {
		in->noise = MIN(v, ROOM_DB);
	}
	in->noise = v < in->noise ? in->noise + 0.3 * (v - in->noise) : in->noise + 0.02 * ticks;
	if (v >= LOUD_DB || (v >= SPEECH_DB && v > in->noise + OUT_DB)) {
		in->loud_us = now_us;
	}
	in->level_us = now_us;
	sound_worth_level(in, v, now_us);
}

static double score(const struct sound_input *in, int64_t now_us)
{
	return in->peak + (!in->chosen ? 0 : now_us - in->chosen_us < NEW_US ? NEW_DB : STAY_DB);
}

static bool audible(const struct sound_input *in, int64_t now_us)
{
	return !in->mute && now_us - in->loud_us < HOLD_US && now_us - in->packet_us < HOLD_US;
}

void sound_choose(GPtrArray *inputs, int64_t now_us)
{
	struct sound_input *best[SOUND_HEARD];
	double scores[SOUND_HEARD], s;
	unsigned n = 0, at;

	for (unsigned i = 0; i < inputs->len; i++) {
		struct sound_input *in = g_ptr_array_index(inputs, i);
		if (!audible(in, now_us)) {
			in->chosen = false;
			continue;
		}
		s = score(in, now_us);
		for (at = n; at > 0 && scores[at - 1] < s; at--) {
		}
		if (at == SOUND_HEARD) {
			in->chosen = false;
			continue;
		}
		if (n == SOUND_HEARD) {
			best[--n]->chosen = false;
		}
		memmove(best + at + 1, best + at, (n - at) * sizeof(*best));
		memmove(scores + at + 1, scores + at, (n - at) * sizeof(*scores));
		best[at] = in;
		scores[at] = s;
		n++;
	}
	for (unsigned i = 0; i < n; i++) {
		best[i]->chosen_us = best[i]->chosen ? best[i]->chosen_us : now_us;
		best[i]->chosen = true;
	}
}

static void look_at(struct mix_audio *a, struct sound_input *in, int64_t now_us)
{
	bool was = in->speaking;

	if (now_us - in->level_us > OFF_US) {
		in->loud = in->peak = 0;
	}
	if (in->mute || now_us - in->loud_us > OFF_US) {
		in->speaking = false;
	} else if (in->loud >= (in->level > 0 ? MIN(in->level, ON_DB) : ON_DB)) {
		in->speaking = true;
	}
	in->speaks_us = in->speaking && in->loud >= in->level ? (in->speaks_us ? in->speaks_us : now_us) : in->speaking ? in->speaks_us : 0;
	if (in->speaking != was && in->member && a->ops.level) {
		a->ops.level(in->member, in->speaking, (int)lrint(in->loud) - 127, a->user_data);
	}
}

static void set_speaker(struct mix_audio *a, const char *member, int64_t now_us)
{
	g_free(a->speaker);
	a->speaker = g_strdup(member);
	a->speaker_us = now_us;
	if (a->ops.speaker) {
		a->ops.speaker(member, a->user_data);
	}
}

void sound_levels_tell(struct mix_audio *a, int64_t now_us)
{
	const struct sound_input *best = NULL, *old = NULL;

	if (now_us < a->next_look_us) {
		return;
	}
	a->next_look_us = now_us + LOOK_US;
	for (unsigned i = 0; i < a->inputs->len; i++) {
		struct sound_input *in = g_ptr_array_index(a->inputs, i);
		look_at(a, in, now_us);
		sound_worth_tell(a, in, now_us);
		if (!in->speaking || !in->member) {
			continue;
		}
		if (g_strcmp0(in->member, a->speaker) == 0) {
			old = in;
		}
		if (in->speaks_us == 0 || now_us - in->speaks_us < in->speak_us) {
			continue;	/* too quiet, or too short yet */
		}
		if (!best || in->loud > best->loud) {
			best = in;
		}
	}
	if (!best || g_strcmp0(best->member, a->speaker) == 0 ||
	    (old && (now_us - a->speaker_us < old->hold_us || best->loud < old->loud + LOUDER_DB))) {
		return;
	}
	set_speaker(a, best->member, now_us);
}

/* The last speaker stays on the picture while all are silent, but not when he left. */
void sound_speaker_gone(struct mix_audio *a, const char *member)
{
	if (!a->speaker || g_strcmp0(member, a->speaker) != 0) {
		return;
	}
	for (unsigned i = 0; i < a->inputs->len; i++) {
		const struct sound_input *in = g_ptr_array_index(a->inputs, i);
		if (g_strcmp0(in->member, member) == 0) {
			return;
		}
	}
	set_speaker(a, NULL, a->last_us);
}
