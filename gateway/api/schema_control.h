/* Requests, replies and events of conference control. Included by schema.h. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct gw_floor_cancel { char *conference, *party; };
struct gw_conference_broadcast { char *conference, *party, *layout; int mode; };
struct gw_conference_voice { char *conference; int64_t speak_ms, hold_ms; double level_db; };
struct gw_party_view_site { char *conference, *party, *site; };
struct gw_poll_start { char *conference, *viewer, **parties; int64_t interval_ms; };
struct gw_poll_step { char *conference, *viewer; int step; };
struct gw_poll_ref { char *conference, *viewer; };
struct gw_conference_extend { char *conference; int64_t minutes; };
struct gw_conference_split { char *conference, *name, **parties; };
struct gw_conference_split_reply { char *conference; };
struct gw_conference_priority { char *conference; int64_t priority; };
struct gw_party_force_release { char *conference, *party, *to; };
struct gw_party_loop { char *conference, *party; bool audio, video; };
struct gw_party_camera { char *conference, *party; int act; int64_t ms, preset; };
struct gw_ev_notice { char *conference, *party, *what; int64_t minutes; };
extern const char *const gw_conference_broadcast_names[], *const gw_poll_step_names[], *const gw_party_camera_names[];

#define GW_TABLES_CONTROL(X) \
	X(floor_cancel) X(conference_broadcast) X(conference_voice) X(party_view_site) X(poll_start) X(poll_step) X(poll_ref) \
	X(conference_extend) X(conference_split) X(conference_split_reply) X(conference_priority) X(party_force_release) \
	X(party_loop) X(party_camera) X(ev_notice)
