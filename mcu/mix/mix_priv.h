/* The mixer and its mixes as the control thread sees them; route.c's part belongs to the bridge thread. */
#pragma once
#include "mcu/base/loop.h"
#include "mcu/mix/ask_priv.h"
#include "mcu/mix/ear_priv.h"
#include "mcu/mix/element_priv.h"
#include "mcu/mix/home_priv.h"

#define MIX_MAX_INPUTS 512
#define MIX_MAX_VIEWS 64
#define MIX_MAX_OUTPUTS 1024

struct mcu_mixer {
	struct mcu_mix_ops ops;
	unsigned max_mixes, next_serial;
	char *ranks;
	int64_t wall_offset_us;
	ort_mailbox *box;		/* events of all mixes */
	GSource *box_source, *check_timer;
	GHashTable *mixes;		/* serial -> mcu_mix */
	struct mix_pool *pool;
	struct mix_ears *ears;
	GThreadPool *stills;
	uint64_t abandoned;		/* decoder threads that hung */
};

/* An id that the control thread knows of */
struct mix_known { int kind; uint32_t ssrc; struct mix_decoder *decoder; char *layout; };

struct mix_routes;
struct mcu_mix {
	mcu_mixer *mixer;
	void *data;
	unsigned serial;
	char *room, *name;
	int fps;
	GHashTable *inputs, *views, *outputs;	/* id -> mix_known */
	GHashTable *asks;			/* number -> who asked for a still or clip */
	unsigned next_ask;
	struct mix_routes *routes;
	struct mix_home *home;
	struct mix_ear *ear;
};

/* ---- route.c: which SSRC goes where ---- */
enum mix_lane { MIX_TO_NOBODY, MIX_TO_SOUND, MIX_TO_PICTURE };
struct mix_routes *mix_routes_new(void);
void mix_routes_free(struct mix_routes *r);	/* after the last packet */
/* Control thread. decoder: of a picture input (a reference is taken), else NULL. */
void mix_routes_set(struct mix_routes *r, uint32_t ssrc, enum mix_lane lane, struct mix_decoder *decoder);
void mix_routes_packet(mcu_mix *mix, const uint8_t *packet, size_t len, int64_t at_us);	/* bridge thread */
uint64_t mix_routes_unknown(const struct mix_routes *r);

/* ---- command.c ---- */
bool mix_command(mcu_mix *mix, enum mcu_method method, const void *request, const struct mcu_mix_feed *feed, GError **err);
void mix_known_free(gpointer known);
void mix_redo_lost(mcu_mix *mix);	/* new decoders for those whose thread hung */
