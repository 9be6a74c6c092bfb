/* One party's signalling as an interface: browser (gateway/rtc), SIP, H.323, GB/T 28181, cascade, and the fake of the tests
 * implement gw_leg_ops; the application sees only this. Media goes between the party and the engine: a leg tells the
 * engine what to open, and names the streams.
 *
 *   IDLE --dial--> CALLING --> RINGING --> CONNECTING --> UP <--> HELD
 *     |               |           |            |          |        |
 *     +--offer--------|-----------|----> CONNECTING       |        |
 *                     +-----------+------------+----------+--------+--> ENDED (once, for ever)
 *
 * Owner: the application creates a leg through its folder and frees it with gw_leg_free(). Loop thread only.
 * Closing: gw_leg_hangup() and gw_leg_free() are silent upward; when the leg ends by itself on_state(ENDED) comes once.
 * After ENDED nothing comes any more, whatever the peer still sends. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/fsm.h"
#include "mcu/proto/proto.h"

typedef struct gw_leg gw_leg;

enum gw_leg_state { GW_LEG_IDLE, GW_LEG_CALLING, GW_LEG_RINGING, GW_LEG_CONNECTING, GW_LEG_UP, GW_LEG_HELD, GW_LEG_ENDED,
		    GW_LEG_STATE_N };
extern const struct ort_fsm_table gw_leg_table;

enum gw_leg_feature {
	GW_LEG_DIALS = 1 << 0,		/* can call out */
	GW_LEG_SECOND_VIDEO = 1 << 1,	/* has a content stream beside the main picture (辅流) */
	GW_LEG_DTMF = 1 << 2,
	GW_LEG_HOLDS = 1 << 3,
	GW_LEG_SLOTS = 1 << 4,		/* slots are named by the peer (browser: mids), not "audio", "main", "content" */
};

/* What a slot takes, as negotiated; zero members: not said. Strings borrowed until the next event of the leg. */
struct gw_leg_takes { enum mcu_codec_id codec; const char *fmtp; int64_t width, height, fps, max_bps; };

/* Far-end camera control: it moves until STOP, or for `ms` when that is not 0. */
enum gw_leg_camera_act { GW_LEG_CAMERA_STOP, GW_LEG_CAMERA_LEFT, GW_LEG_CAMERA_RIGHT, GW_LEG_CAMERA_UP, GW_LEG_CAMERA_DOWN,
			 GW_LEG_CAMERA_ZOOM_IN, GW_LEG_CAMERA_ZOOM_OUT, GW_LEG_CAMERA_FOCUS_NEAR, GW_LEG_CAMERA_FOCUS_FAR,
			 GW_LEG_CAMERA_PRESET_STORE, GW_LEG_CAMERA_PRESET_CALL, GW_LEG_CAMERA_N };
struct gw_leg_camera { enum gw_leg_camera_act act; int64_t ms; int preset; };

struct gw_leg_dial { const char *address; int64_t max_bps; bool video; };

/* Each returns 0 or -errno; called by the functions of the same name below, in a state that allows it. */
struct gw_leg_ops {
	const char *kind;	/* "rtc", "sip", ... */
	unsigned features;
	int (*dial)(gw_leg *leg, const struct gw_leg_dial *dial);
	int (*answer)(gw_leg *leg);
	/* What the party gets in a slot; `source` NULL = nothing. */
	int (*feed)(gw_leg *leg, const char *slot, const char *source);
	int (*second_video)(gw_leg *leg, bool on);
	int (*dtmf)(gw_leg *leg, const char *digits);
	int (*hold)(gw_leg *leg, bool on);
	void (*hangup)(gw_leg *leg, const char *why);	/* tell the peer and the engine; the leg is ENDED already */
	void (*print)(const gw_leg *leg, json_t *into);	/* more members for gw_leg_print */
	void (*free)(gw_leg *leg);			/* frees the object that embeds the leg */
	/* false: there is no such slot, or nothing may be sent in it now. NULL op: the application does not choose for it. */
	bool (*takes)(const gw_leg *leg, const char *slot, struct gw_leg_takes *ret);
	int (*camera)(gw_leg *leg, const struct gw_leg_camera *camera);	/* NULL = there is no way to its camera */
};

struct gw_leg_listener {	/* strings borrowed; may be NULL members */
	void (*on_state)(gw_leg *leg, enum gw_leg_state state, const char *why, void *user_data);
	/* The party publishes (on) or withdraws a stream. */
	void (*on_stream)(gw_leg *leg, const char *stream, enum mcu_kind kind, enum mcu_content content, bool on, void *user_data);
	void (*on_dtmf)(gw_leg *leg, const char *digits, void *user_data);
};

/* Embed first. Read-only outside of leg.c and the implementation. */
struct gw_leg {
	const struct gw_leg_ops *ops;
	const struct gw_leg_listener *listener;
	void *user_data;
	char *id, *room, *party;
	struct ort_fsm fsm;
	char *why;		/* of ENDED */
	unsigned late;		/* events that came after ENDED */
};

/* ---- for the application ---- */
int gw_leg_dial(gw_leg *leg, const struct gw_leg_dial *dial);	/* -ENOTSUP, -EBUSY (not IDLE), -EINVAL */
int gw_leg_answer(gw_leg *leg);
int gw_leg_feed(gw_leg *leg, const char *slot, const char *source);	/* -ENOTCONN before CONNECTING and after the end, -ENOENT slot */
bool gw_leg_takes(const gw_leg *leg, const char *slot, struct gw_leg_takes *ret);	/* asked again at every state and stream event */
int gw_leg_second_video(gw_leg *leg, bool on);
int gw_leg_send_dtmf(gw_leg *leg, const char *digits);	/* [0-9A-D*#]{1,32} */
int gw_leg_hold(gw_leg *leg, bool on);
int gw_leg_camera(gw_leg *leg, const struct gw_leg_camera *camera);	/* -ENOTSUP: this kind of leg, or its peer, cannot */
void gw_leg_hangup(gw_leg *leg, const char *why);	/* twice is harmless */
enum gw_leg_state gw_leg_get_state(const gw_leg *leg);
json_t *gw_leg_print(const gw_leg *leg);	/* (transfer full) */
void gw_leg_free(gw_leg *leg);			/* hangs up first when needed; NULL allowed */

/* ---- for implementations ---- */
void gw_leg_init(gw_leg *leg, const struct gw_leg_ops *ops, const char *id, const char *room, const char *party,
		 const struct gw_leg_listener *listener, void *user_data);
void gw_leg_finish(gw_leg *leg);	/* frees the members above; called by ops->free */
/* Moves the state and tells the listener. false: the table refuses the move, or the leg has ended (counted). */
bool gw_leg_enter(gw_leg *leg, enum gw_leg_state state, const char *why);
void gw_leg_stream(gw_leg *leg, const char *stream, enum mcu_kind kind, enum mcu_content content, bool on);
void gw_leg_dtmf_came(gw_leg *leg, const char *digits);
