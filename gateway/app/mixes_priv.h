/* What the engine's mix of one conference should be. Pure: from the conference's state and what its legs take to commands;
 * mixes.c sends the difference to what was done. Everything is in the room GW_HALL; the mix is named as the conference. */
#pragma once
#include "gateway/domain/domain.h"
#include "gateway/leg/leg.h"

#define GW_MIX_LOBBY ".lobby"	/* mix of those who wait: "<conference>.lobby" */

/* One party's leg as far as the plan needs it. */
struct gw_mix_leg {
	const char *party;
	bool browser;		/* takes any codec of browsers, chooses and waits for streams by itself */
	bool has_audio, has_main, has_content;
	struct gw_leg_takes audio, main, content;
};
/* Asked for every party that is live; false: it has no leg yet. */
typedef bool (*gw_mix_leg_fn)(const char *party, struct gw_mix_leg *ret, void *user_data);

/* A command or a feed. `key` names what it makes, and sorts commands into the order in which they are sent. */
struct gw_mix_cmd {
	char *key;
	enum mcu_method method;	/* MCU_METHOD_N: a feed of a leg */
	json_t *request;	/* as printed by the method's table; of a feed {party, slot, source} */
};
/* key -> struct gw_mix_cmd, owned. wanted: more pictures by their names, as a set (variants.c); NULL = none. */
GHashTable *gw_mix_plan(const gw_domain *d, const char *conference, gw_mix_leg_fn leg, GHashTable *wanted, void *user_data);
void gw_mix_cmd_free(gpointer cmd);
bool gw_mix_cmd_equal(const struct gw_mix_cmd *a, const struct gw_mix_cmd *b);
/* The command that undoes one; MCU_METHOD_N = a feed. */
enum mcu_method gw_mix_undo(enum mcu_method method);

/* Picture sizes that are shared: the largest first. */
struct gw_mix_class { int height, width, fps; int64_t bps, from_bps; };
#define GW_MIX_CLASSES 3
extern const struct gw_mix_class gw_mix_classes[GW_MIX_CLASSES];
