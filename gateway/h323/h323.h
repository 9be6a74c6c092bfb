/* H.323 legs: room endpoints and hardware MCUs (H.323, H.225.0, H.245). Loop thread (the default GMainContext of it).
 *
 * One call is one gw_leg (slots "audio", "main", "content") with a plain RTP transport a slot in the engine; published streams
 * are "<party>.audio|video|slides". Legs come from gw_h323_call() or from ops->on_call. What a number is and who may call it is
 * asked of the application by ops. Bad octets, unknown calls and floods are counted and never end another call. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/leg/leg.h"
#include "mcu/proto/client.h"

typedef struct gw_h323 gw_h323;
#define GW_H323_ANY_PORT 65535	/* the kernel's choice: gw_h323_port() tells */

struct gw_h323_conf {
	const char *bind;		/* literal address or "*" */
	uint16_t port;			/* 1720; 0 = nobody may call in */
	const char *zone, *room;	/* of the engine */
	const char *name, *number;	/* ours towards peers; may be NULL */
	const char *route;		/* "host[:port]" that numbers without a host are called at; NULL = nowhere */
	bool tunnelling;		/* H.245 in the signalling connection where the peer can */
	int64_t max_bps;		/* of a call; 0 = 2,000,000 */
	unsigned max_calls;		/* 0 = 256 */
	unsigned max_per_source;	/* connections of one address, 0 = 32 */
};
struct gw_h323_call_in { const char *number, *from /* "h323:8001@192.0.2.7" */, *name, *agent; };	/* borrowed */
/* The presentation token (H.239) of a peer: ASKED is answered by gw_h323_floor(), at once or later. */
enum gw_h323_floor_news { GW_H323_FLOOR_ASKED, GW_H323_FLOOR_GIVEN_BACK, GW_H323_FLOOR_PRESENTS, GW_H323_FLOOR_REFUSED };
struct gw_h323_ops {
	void (*media)(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *user_data);
	/* Party name of an accepted caller (transfer full), or NULL and *ret_cause (Q.850). The leg then exists. */
	char *(*on_call)(const struct gw_h323_call_in *in, uint8_t *ret_cause, void *user_data);
	void (*on_leg)(gw_leg *leg, const struct gw_h323_call_in *in, void *user_data);
	void (*on_floor)(gw_leg *leg, enum gw_h323_floor_news news, void *user_data);
};
/* NULL + err: the port is taken. */
gw_h323 *gw_h323_new(const struct gw_h323_conf *conf, const struct gw_h323_ops *ops, const struct gw_leg_listener *listener,
		     void *user_data, GError **err);
void gw_h323_free(gw_h323 *h);	/* its legs must be freed before */
uint16_t gw_h323_port(const gw_h323 *h);
/* A leg to be dialled: address "h323:<number or name>@<host>[:port]", "h323:<host>[:port]", or
 * "h323:<number>" by conf.route. */
gw_leg *gw_h323_call(gw_h323 *h, const char *id, const char *party);
enum gw_h323_floor { GW_H323_GRANT, GW_H323_DENY, GW_H323_REVOKE, GW_H323_TAKEN, GW_H323_FREE };
int gw_h323_floor(gw_leg *leg, enum gw_h323_floor what);	/* TAKEN, FREE: somebody else has or left it; -ENOTSUP without H.239 */
/* What the engine says. */
void gw_h323_transport_state(gw_h323 *h, const struct mcu_transport_state *state);
void gw_h323_transport_lost(gw_h323 *h, const char *transport, const char *why);	/* the call ends: dial again */
void gw_h323_keyframe(gw_h323 *h, const char *stream);	/* videoFastUpdatePicture to the peer */
char *gw_h323_dump(const gw_h323 *h);	/* calls, counters: JSON text, (transfer full) */
