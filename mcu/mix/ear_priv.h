/* The sound thread: one for all mixes of a mixer, a tick each 20 ms. Everything of mix_audio is called here. */
#pragma once
#include "mcu/mix/audio_priv.h"

struct mix_ears;	/* the thread */
struct mix_ear;		/* what one mix has on it */
struct mix_ears *mix_ears_start(int64_t wall_offset_us);
void mix_ears_stop(struct mix_ears *s);	/* joins; all ears are gone */

struct mix_ear *mix_ear_new(struct mix_ears *s, mcu_mix *mix, const struct mix_audio_ops *ops);
void mix_ear_free(struct mix_ear *e);		/* returns when no callback can come any more; control thread */
/* Runs fn on the sound thread and waits for it (a tick at most): the answer of mix_audio is the answer to the caller. */
bool mix_ear_call(struct mix_ear *e, bool (*fn)(struct mix_audio *a, void *arg, GError **err), void *arg, GError **err);
void mix_ear_packet(struct mix_ear *e, const uint8_t *packet, size_t len, int64_t at_us);	/* bridge thread */
void mix_ear_flush(mcu_mix *mix);	/* mix.c: after a tick; sound thread */
