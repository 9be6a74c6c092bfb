/* One field seat at a gateway: opens its link, keeps the signalling and the media up, reports what the terminal sees.
 * Main thread only (default GMainContext). The gateway is known by gateway/api/schema.h alone. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "softclient/desktop/media/media.h"

/* ---- link ---- */
struct sc_link { char *origin, *host, *token; bool loopback; };	/* origin: "https://host[:port]" */

/* https://HOST[:PORT]/j/TOKEN; plain http only to a loopback address. False and *ret_why (transfer full, never names the token). */
bool sc_link_parse(const char *url, struct sc_link *ret, char **ret_why);
void sc_link_clear(struct sc_link *link);

/* ---- position ---- */
struct sc_place { double lat, lon; };
bool sc_place_parse(const char *text, struct sc_place *ret);		/* "LAT,LON" in degrees */
struct sc_place sc_place_walk(struct sc_place from, int64_t ms);	/* a round of 60 m radius in ten minutes */

/* ---- call ---- */
typedef struct sc_call sc_call;

enum sc_call_end { SC_END_NONE, SC_END_ASKED, SC_END_LINK, SC_END_REFUSED };	/* LINK: incident closed, link revoked or expired */

struct sc_call_conf {		/* borrowed while the call lives */
	const struct sc_link *link;
	const char *ca_file;	/* PEM; NULL = the system's authorities */
	bool insecure;		/* no check of the server; refused unless the link is loopback */
	const char *name;	/* NULL = as the link says */
	enum sc_codec codec;
	unsigned width, height, fps;
	const struct sc_place *place;	/* NULL = unknown */
};
struct sc_call_stats {
	const char *wire, *leg;	/* names of states */
	unsigned connections;	/* media connections made so far */
	uint64_t frames;	/* over all connections */
	bool drill, heard;
	struct sc_peer_stats peer;
};
typedef void (*sc_call_ended_fn)(enum sc_call_end end, const char *why, void *user_data);	/* once; may free the call */

/* NULL and *ret_why (transfer full) on error. */
sc_call *sc_call_new(const struct sc_call_conf *conf, sc_call_ended_fn fn, void *user_data, char **ret_why);
void sc_call_hang_up(sc_call *c);	/* says good-bye; on_ended follows within a second */
void sc_call_get_stats(const sc_call *c, struct sc_call_stats *ret);
void sc_call_free(sc_call *c);		/* NULL allowed */
