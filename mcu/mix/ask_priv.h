/* Stills and clips on their way, see ask.c. */
#pragma once
#include <glib.h>

#include "mcu/mix/audio_priv.h"

struct mix_home;
/* control thread */
GHashTable *mix_asks_new(void);
void mix_asks_free(GHashTable *asks);	/* answers what is left */
GThreadPool *mix_stills_start(void);
void mix_stills_stop(GThreadPool *stills);	/* waits for those that are being made */
/* home thread */
GPtrArray *mix_home_stills_new(void);
void mix_home_stills_want(struct mix_home *h);
void mix_home_stills_run(struct mix_home *h, int64_t now_us);
/* sound thread; reply (transfer full), NULL = its input went */
void mix_clip_done(mcu_mixer *mixer, struct mix_asked asked, struct mcu_mix_clip_reply *reply);
