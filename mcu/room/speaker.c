/* Who speaks: sound levels of RFC 6464, smoothed; per source with hysteresis, per room with a hold, so that a cough does
 * not turn the picture. Nothing is decoded. */
#include <math.h>

#include "mcu/room/room_priv.h"

enum {
	ON_DBOV = -45, OFF_DBOV = -50,
	OFF_US = 600000,	/* quiet this long ends speech */
	LOOK_US = 100000,
	HOLD_US = 1500000,	/* a speaker stays at least this long against somebody louder */
	LOUDER_DB = 6,
};

static double dbov(const struct source *source)
{
	return source->loudness - 127;
}

void speaker_note(struct source *source, uint8_t level, int64_t now_us)
{
	mcu_room *room = source->peer->room;

	/* RFC 6464 3: low seven bits, 0 = overload, 127 = silence */
	source->loudness += 0.2 * (127 - (level & 0x7f) - source->loudness);
	source->level_us = now_us;
	source->level_fresh = true;
	if (dbov(source) >= OFF_DBOV) {
		source->loud_us = now_us;
	}
	rooms_wake(room->rooms, room->next_level_us);
}

static void tell_level(struct source *source, bool speaking, int64_t now_us)
{
	struct mcu_level_event ev = {
		.room = source->peer->room->id, .id = source->id, .speaking = speaking,
		.level_dbov = (int64_t)lrint(dbov(source)), .at_ms = ort_wall_ms(), .at_us = now_us,
	};

	source->speaking = speaking;
	room_emit(source->peer->room->rooms, MCU_EVENT_SOURCE_LEVEL, &ev);
}

static void look_at_source(struct source *source, int64_t now_us)
{
	if (now_us - source->level_us > OFF_US) {
		source->level_fresh = false;
		source->loudness = 0;
	}
	if (!source->speaking && source->level_fresh && dbov(source) >= ON_DBOV && !source->paused) {
		tell_level(source, true, now_us);
	} else if (source->speaking && (now_us - source->loud_us > OFF_US || source->paused)) {
		tell_level(source, false, now_us);
	}
}

static void choose(mcu_room *room, struct source *best, int64_t now_us)
{
	const struct source *old = room->speaker;

	if (!best || best == old) {
		return;
	}
	if (old && old->speaking &&
	    (now_us - room->speaker_us < HOLD_US || best->loudness < old->loudness + LOUDER_DB)) {
		return;
	}
	struct mcu_speaker_event ev = { .room = room->id, .id = best->id, .at_ms = ort_wall_ms(), .at_us = now_us };
	room->speaker = best;
	room->speaker_us = now_us;
	room_emit(room->rooms, MCU_EVENT_SPEAKER, &ev);
}

int64_t speaker_due(mcu_room *room, int64_t now_us)
{
	struct source *best = NULL;
	bool alive = false;

	if (now_us < room->next_level_us) {
		return room->next_level_us;
	}
	room->next_level_us = now_us + LOOK_US;
	for (unsigned i = 0; i < room->peer_list->len; i++) {
		struct peer *peer = g_ptr_array_index(room->peer_list, i);
		for (unsigned k = 0; k < peer->sources->len; k++) {
			struct source *s = g_ptr_array_index(peer->sources, k);
			if (s->kind != MCU_AUDIO) {
				continue;
			}
			look_at_source(s, now_us);
			alive |= s->level_fresh || s->speaking;
			if (s->speaking && (!best || s->loudness > best->loudness)) {
				best = s;
			}
		}
	}
	choose(room, best, now_us);
	return alive ? room->next_level_us : ORT_NEVER;
}

void speaker_forget(mcu_room *room, const struct source *source)
{
	if (room->speaker == source) {
		room->speaker = NULL;
	}
}
