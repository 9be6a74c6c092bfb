/* The engine pool: places rooms, spawns and supervises the local ortoo-mcu, and keeps what should be true in it.
 * Loop thread of its context only. Callbacks come from the loop, never from inside a call; gw_media_free() must not be
 * called from them.
 *
 * The engine listens on a Unix socket in the state folder and outlives a killed gateway: if the socket answers, that
 * engine is taken over, else one is spawned. What succeeded by gw_media_call() is remembered as "should be":
 *   engine died        its rooms are opened again in the next one, then every transport is told lost once: offer again,
 *                      because ICE and DTLS credentials are new. Sources and sinks went with their transport.
 *   connection dropped the same engine (equal boot id) is compared by `dump`; calls under way are repeated and the
 *                      transports' states told again as events, because some may have been missed.
 *   gateway restarted  on_room_found for every room of the engine; claim by gw_media_adopt(), the rest is closed later. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "mcu/proto/client.h"

typedef struct gw_media gw_media;

struct gw_media_conf {
	const char *socket;		/* Unix socket of the engine, at most 107 bytes; required */
	const char *engine;		/* its program; NULL = "ortoo-mcu" beside our own, "" = never spawn, only connect */
	const char *const *args;	/* more arguments for it (--config, --set, --announce ..), NULL-terminated; may be NULL */
	int64_t grace_ms;		/* rooms outlive a lost gateway, 0 = 120,000 */
	int64_t call_ms;		/* a call is answered within this, engine or not; 0 = 8,000, at most 9,000 */
	unsigned max_calls;		/* calls waiting or under way, 0 = 4096 */
	int64_t unclaimed_ms;		/* found rooms that nobody claims are closed after this, 0 = 30,000 */
	int64_t ping_ms;		/* silence after which an engine is asked; twice that without answer = killed; 0 = 3,000 */
};

struct gw_media_engine { const char *boot, *build, *name; int64_t pid; bool taken_over; /* not spawned by us */ };

struct gw_media_ops {	/* each may be NULL; arguments borrowed */
	void (*on_engine_up)(gw_media *m, const struct gw_media_engine *engine, void *user_data);
	void (*on_engine_down)(gw_media *m, const char *why, void *user_data);
	void (*on_room_found)(gw_media *m, const struct mcu_dump_room *room, void *user_data);
	/* The transport is gone with its sources and sinks; its room is open. `why`: engine_died, room_closed, vanished. */
	void (*on_transport_lost)(gw_media *m, const char *room, const char *transport, const char *why, void *user_data);
	void (*on_event)(gw_media *m, enum mcu_event event, const void *body, void *user_data);
};

/* Copies conf. Starts connecting from the loop. */
gw_media *gw_media_new(GMainContext *context, const struct gw_media_conf *conf, const struct gw_media_ops *ops,
		       void *user_data);
void gw_media_free(gw_media *m);	/* the engine goes on for its grace time; calls under way answer MCU_ERROR_NO_ENGINE */
void gw_media_end_engine(gw_media *m);	/* clean end of the whole system: SIGTERM to the engine, no restart */

/* `request` is the struct of the method, read before return. fn may be NULL; called from the loop exactly once, within
 * call_ms. Calls keep their order. Without an engine they wait for one; equal ids make repeating them harmless. */
void gw_media_call(gw_media *m, enum mcu_method method, const void *request, mcu_client_fn fn, void *user_data);

/* Claims a found room with all that is in it. false: no such room was found (open it instead). Opening a found room by
 * MCU_METHOD_ROOM_OPEN begins anew: what was in it is closed. */
bool gw_media_adopt(gw_media *m, const char *room);

bool gw_media_up(const gw_media *m);
const char *gw_media_boot(const gw_media *m);	/* boot id of the engine that is up, NULL = none */
char *gw_media_dump(const gw_media *m);		/* what should be, engine and counters; JSON text, (transfer full) */
