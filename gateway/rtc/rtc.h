/* Legs of browsers and of everything that speaks WebRTC: JSEP offers over the client API, WHIP and WHEP over HTTP.
 * A peer connection is one leg and one transport of the engine; the peer always offers, we answer ICE-lite with every
 * candidate at once, so trickling needs nothing from us. Its slots are the mids of its m-lines.
 *
 * A connection belongs to a credential (`owner`), not to a socket: pages come back over another WebSocket, and after a
 * restart of ours what the engine still holds is taken over by gw_rtc_adopt(), so that media does not stop.
 * Transport id = "<owner>.<pc>", source id = "<party>.<audio|video|slides>", sink id = "<transport>.<mid>"; SSRCs are a hash
 * of the sink id: opening again with equal ids is opening with equal parameters. Loop thread only. */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "gateway/api/schema.h"
#include "gateway/leg/leg.h"
#include "mcu/proto/client.h"

typedef struct gw_rtc gw_rtc;

struct gw_rtc_ops {
	/* The engine: as gw_media_call(). fn comes later, exactly once. */
	void (*media)(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *user_data);
	/* May be NULL. What a peer that takes only `codecs` (1 << enum mcu_codec_id, agreed for that m-line) is sent in place of
	 * `stream`: (transfer full), NULL = the stream itself. Asked again whenever either is routed. */
	char *(*instead)(const char *stream, unsigned codecs, void *user_data);
	/* May be NULL. An m-line is fed by this stream from now on, or no more. */
	void (*fed)(const char *stream, bool on, void *user_data);
};
/* `room`: the engine's room that all connections share (copied). Freed after the engine answers no more. */
gw_rtc *gw_rtc_new(const struct gw_rtc_ops *ops, const struct gw_leg_listener *listener, const char *room, void *user_data);
void gw_rtc_free(gw_rtc *rtc);

enum { GW_RTC_PUBLISH_AUDIO = 1 << 0, GW_RTC_PUBLISH_VIDEO = 1 << 1, GW_RTC_PUBLISH_SLIDES = 1 << 2, GW_RTC_VIEW = 1 << 3,
       GW_RTC_HEAR = 1 << 4 /* receives only what the application feeds */ };
struct gw_rtc_who {
	const char *owner;	/* credential */
	const char *party;	/* prefix of published streams; NULL = the transport's id */
	unsigned rights;
};
/* error GW_ERROR_N = `answer` is the SDP; borrowed. */
typedef void (*gw_rtc_answer_fn)(enum gw_error error, const char *why, const char *answer, void *user_data);
/* New connection, or renegotiation of the one of this name. A stream that another connection published is taken over.
 * fn comes exactly once, not before return, unless the rtc is freed first. `offer` is read before return. */
void gw_rtc_take_offer(gw_rtc *rtc, const struct gw_rtc_who *who, const struct gw_rtc_offer *offer, gw_rtc_answer_fn fn,
		       void *user_data);

gw_leg *gw_rtc_find(gw_rtc *rtc, const char *owner, const char *pc);	/* NULL = unknown; borrowed */
gw_leg *gw_rtc_by_name(gw_rtc *rtc, const char *pc);	/* of any owner: for names that nobody can guess */
gw_leg *gw_rtc_by_party(gw_rtc *rtc, const char *party);		/* the newest one that publishes for it */
const char *gw_rtc_owner(const gw_leg *leg);
const char *gw_rtc_party(const gw_leg *leg);	/* prefix of what it publishes; NULL before its first offer */
const char *gw_rtc_name(const gw_leg *leg);	/* the page's own name of it */
/* Feeds the slots of that kind which the peer did not choose itself; 0 or -ENOENT. */
int gw_rtc_feed_kind(gw_leg *leg, enum mcu_kind kind, const char *source);
bool gw_rtc_is_fed(const gw_leg *leg, const char *stream);	/* it is sent in one of its m-lines */
/* Codec that the publisher of this stream sends first; -1 = unknown. */
int gw_rtc_codec(const gw_rtc *rtc, const char *stream);
int gw_rtc_prefer(gw_leg *leg, const char *mid, const struct gw_rtc_prefer *want);	/* 0 or -ENOENT */
void gw_rtc_close(gw_leg *leg, const char *why);	/* hangs up and frees */
void gw_rtc_close_owner(gw_rtc *rtc, const char *owner, const char *why);
void gw_rtc_foreach(gw_rtc *rtc, void (*fn)(gw_leg *leg, void *user_data), void *user_data);
unsigned gw_rtc_count(const gw_rtc *rtc);

/* A stream that others publish (mixer, SIP legs) is there, or is gone: slots that wait for it are fed. */
bool gw_rtc_publishes(const gw_rtc *rtc, const char *stream);	/* some connection publishes it */
void gw_rtc_foreign(gw_rtc *rtc, const char *stream, bool on);

/* What the engine says. */
void gw_rtc_transport_state(gw_rtc *rtc, const struct mcu_transport_state *state);
/* Gone in the engine: the leg ends by itself (listener); it is freed from the loop afterwards. */
void gw_rtc_transport_lost(gw_rtc *rtc, const char *transport, const char *why);
void gw_rtc_adopt(gw_rtc *rtc, const struct mcu_dump_room *room);	/* after a restart of ours */

/* WHIP and WHEP: publish every m-line that sends, view the streams of `view_party` (may be NULL) on those that receive.
 * *ret is owned by the caller (ort_json_clear with gw_table_rtc_offer). false + *ret_why (transfer full). */
bool gw_rtc_describe(const char *pc, const char *sdp, const char *view_party, struct gw_rtc_offer *ret, char **ret_why);
