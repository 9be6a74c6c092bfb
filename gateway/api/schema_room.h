/* Rooms that have only a browser: bodies of their methods. Included by schema.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/json.h"

extern const char *const gw_api_room_answer_names[];	/* rollcall, auto, ask: order of the domain's enum */
struct gw_device_ref { char *device; };			/* NULL = own */
struct gw_room_put { char *device, *site, *name; int answer; };
struct gw_room_list_reply { json_t *rooms; };		/* array of room */
struct gw_room_party { char *party, *why; };
struct gw_room_report { bool camera, microphone, sound; int64_t rtt_ms, jitter_ms, width, height; double loss; char *agent; };
struct gw_room_invite_reply { char *url, *incident; int64_t expires_ms; };
struct gw_ev_room { json_t *room; };

#define GW_TABLES_ROOM(X) \
	X(device_ref) X(room_put) X(room_list_reply) X(room_party) X(room_report) X(room_invite_reply) X(ev_room) X(room)	/* room: struct gw_raw */
