/* An engine without media for tests of the gateway: serves the control protocol from the test's own loop, keeps rooms,
 * transports and streams so that `dump` and repeated opens are true, and fails, waits or dies when told to.
 * Owned by the test; thread of `context` only. */
#pragma once
#include "mcu/proto/proto.h"

typedef struct kit_fake_engine kit_fake_engine;

kit_fake_engine *kit_fake_engine_new(GMainContext *context);	/* NULL = default context; nobody is connected */
void kit_fake_engine_free(kit_fake_engine *e);

/* Two ways in; a new connection takes the place of the old one. */
int kit_fake_engine_connect(kit_fake_engine *e);	/* returns the gateway's end of a socketpair, (transfer full) */
void kit_fake_engine_listen(kit_fake_engine *e, const char *path);	/* Unix socket; path is unlinked first */

/* Faults. `times` 0 = for ever; the row of an earlier call for the same method is replaced. */
void kit_fake_engine_fail(kit_fake_engine *e, enum mcu_method method, enum mcu_error_id error, unsigned times);
void kit_fake_engine_delay(kit_fake_engine *e, enum mcu_method method, int64_t ms);	/* done at once, answered later */
void kit_fake_engine_mute(kit_fake_engine *e, enum mcu_method method, unsigned times);	/* done, never answered */
void kit_fake_engine_drop(kit_fake_engine *e);	/* the connection breaks, everything is kept, listening goes on */
void kit_fake_engine_die(kit_fake_engine *e);	/* everything is lost, nobody listens */
void kit_fake_engine_revive(kit_fake_engine *e);	/* a new process: other boot id, empty, listens again */

/* With this on, transports go up when connected, sources send and sinks show their first key frame, each at once. */
void kit_fake_engine_play(kit_fake_engine *e, bool on);
void kit_fake_engine_event(kit_fake_engine *e, enum mcu_event event, const void *body);	/* as it stands */
void kit_fake_engine_transport_state(kit_fake_engine *e, const char *room, const char *transport, const char *state);
void kit_fake_engine_source_up(kit_fake_engine *e, const char *room, const char *source);
void kit_fake_engine_keyframe(kit_fake_engine *e, const char *room, const char *sink);

/* What it saw and holds. */
bool kit_fake_engine_connected(const kit_fake_engine *e);
const char *kit_fake_engine_boot(const kit_fake_engine *e);
unsigned kit_fake_engine_calls(const kit_fake_engine *e, enum mcu_method method);
unsigned kit_fake_engine_rooms(const kit_fake_engine *e);
bool kit_fake_engine_has_room(const kit_fake_engine *e, const char *room);
bool kit_fake_engine_has_transport(const kit_fake_engine *e, const char *room, const char *transport);
/* "" when the sink is silent, NULL when there is no such sink. Borrowed until the next turn of the loop. */
const char *kit_fake_engine_route(const kit_fake_engine *e, const char *room, const char *sink);
bool kit_fake_engine_has_source(const kit_fake_engine *e, const char *room, const char *source);
/* Opened behind the gateway's back: what a restarted gateway finds. */
void kit_fake_engine_put_transport(kit_fake_engine *e, const char *room, const char *transport);
bool kit_fake_engine_has_mix(const kit_fake_engine *e, const char *room, const char *mix);
/* What the gateway told the mix so far, as a dump_mix row: inputs, views, outputs; NULL = no such mix. (transfer full) */
json_t *kit_fake_engine_mix(const kit_fake_engine *e, const char *room, const char *mix);
