/* Call-and-acknowledge (叫应): posts that must confirm, each with persons in their order, each person by several ways at once.
 * All posts are worked at the same time; within a post the next person is tried when nobody has confirmed in time, or at once
 * when every way to the one before failed. Who confirms is in the conference. Included by domain.h. */
#pragma once
#include "gateway/domain/domain.h"

enum gw_callack_channel {
#define X(id, ...) GW_CALLACK_##id,
#include "gateway/domain/callack_channels.def"
#undef X
	GW_CALLACK_CHANNEL_N
};
enum gw_callack_state { GW_WAY_WAITING, GW_WAY_SENT, GW_WAY_DELIVERED, GW_WAY_RINGING, GW_WAY_ANSWERED, GW_WAY_ACKED, GW_WAY_FAILED,
			GW_WAY_CANCELLED, GW_WAY_N };
extern const char *const gw_callack_channel_names[GW_CALLACK_CHANNEL_N + 1];	/* NULL-terminated, likewise below */
extern const char *const gw_callack_state_names[GW_WAY_N + 1];
#define GW_CALLACK_ROWS 500

/* rows: [{post?, name?, person?, site?, wait_ms?, together?, ways?: [{channel, to}]}]; what is left out comes from the directory: a
 * site's page or call, a person's telephone. Returns the id (borrowed). */
const char *gw_callack_open(gw_domain *d, const char *actor, const char *conference, const char *text, json_t *rows, struct gw_now now,
			    GError **err);
/* What a way says of itself. Later words of a way that has ended, and of a row that is confirmed, change nothing (true). */
bool gw_callack_way(gw_domain *d, const char *id, int row, int way, enum gw_callack_state state, const char *why, struct gw_now now);
/* way negative = the row's first that was sent. The first one counts; again is fine (true). */
bool gw_callack_ack(gw_domain *d, const char *actor, const char *id, int row, int way, struct gw_now now, GError **err);
void gw_callack_joined(gw_domain *d, const char *id, int row, const char *party, struct gw_now now);
bool gw_callack_close(gw_domain *d, const char *actor, const char *id, const char *why, struct gw_now now, GError **err);
bool gw_callack_is_drill(const gw_domain *d, const char *id);
const char *gw_callack_conference(const gw_domain *d, const char *id);	/* NULL = unknown */
/* The page way of an open one that sounds at this address ("console" or "device:<id>"), newest first; (transfer full), NULL = none. */
json_t *gw_callack_siren(const gw_domain *d, const char *address);
struct gw_callack_row_info { const char *name, *site, *person, *to, *party; enum gw_callack_channel channel; enum gw_callack_state state; bool acked; };
bool gw_callack_look(const gw_domain *d, const char *id, int row, int way, struct gw_callack_row_info *ret);	/* false = no such way */
void gw_callack_of(const gw_domain *d, const char *conference, void (*fn)(const char *id, void *ud), void *ud);	/* open ones there */
json_t *gw_callack_print(const gw_domain *d, const char *id);	/* the closed loop list; (transfer full), NULL = unknown */
json_t *gw_callack_list(const gw_domain *d, bool open_only, unsigned limit);	/* whole ones, newest first */
