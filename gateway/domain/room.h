/* Rooms that have only a browser (值班室电脑): a kiosk page opened by a device token. The row says where it stands and how it
 * answers; its address is "device:<id>", which party.call rings like any other. Included by domain.h. */
#pragma once
#include "gateway/domain/domain.h"

enum gw_room_answer { GW_ROOM_ROLLCALL /* roll calls and checks by itself, others ask */, GW_ROOM_AUTO, GW_ROOM_ASK, GW_ROOM_ANSWER_N };
extern const char *const gw_room_answer_names[GW_ROOM_ANSWER_N + 1];	/* NULL-terminated */

struct gw_room_facts { const char *device, *name, *site; enum gw_room_answer answer; };	/* site NULL = none */
bool gw_room_put(gw_domain *d, const char *actor, const struct gw_room_facts *f, struct gw_now now, GError **err);
bool gw_room_remove(gw_domain *d, const char *actor, const char *device, struct gw_now now, GError **err);
bool gw_room_known(const gw_domain *d, const char *address);	/* "device:<id>" of a room */
const char *gw_room_at(const gw_domain *d, const char *site);	/* address of the room there, borrowed; NULL = none */
void gw_room_foreach(const gw_domain *d, void (*fn)(const char *device, void *ud), void *ud);	/* by name */
/* The party of an open conference that this room is or is being called as; live ones first. NULL = none. */
const char *gw_room_party(const gw_domain *d, const char *device);
bool gw_room_answers(const gw_domain *d, const char *device, const char *party);	/* this call, by itself */
/* Row and call, without what only the application knows (online, health); (transfer full), NULL = unknown. */
json_t *gw_room_print(const gw_domain *d, const char *device);
