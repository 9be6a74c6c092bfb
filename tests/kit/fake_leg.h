/* A leg without a peer: a real implementation of gw_leg_ops whose peer is the test. Loop thread of the test. */
#pragma once
#include "gateway/leg/leg.h"

struct gw_fake_leg { gw_leg leg; GString *did; };	/* did: what it was asked, one word a line */
gw_leg *gw_fake_leg_new(const char *id, const struct gw_leg_listener *listener, void *user_data);
/* The peer acts: "ring", "connect", "media", "drop", "dtmf". */
void gw_fake_leg_peer(gw_leg *leg, const char *act);

/* The suite that every implementation runs, the fake first. `peer` lets the other side act, and returns when its effect
 * is there; NULL acts are skipped for features that the leg has not. */
struct gw_leg_suite {
	const char *name;
	gw_leg *(*make)(const struct gw_leg_listener *listener, void *user_data, void *rig);
	void (*peer)(gw_leg *leg, const char *act, void *rig);
	const char *slot;	/* one that exists once the leg is connected */
	void *rig;
};
void gw_leg_suite_add(const struct gw_leg_suite *suite);	/* g_test_add_data_func for each case */
