/* Rooms, transports and streams as an engine would hold them, without media: what the fake engine and the fake media worker
 * share. Owned by one of them, its thread only. */
#pragma once
#include "mcu/proto/proto.h"

typedef struct kit_fake_rooms kit_fake_rooms;
typedef void (*kit_fake_rooms_event_fn)(enum mcu_event event, const void *body, void *user_data);

kit_fake_rooms *kit_fake_rooms_new(kit_fake_rooms_event_fn fn, void *user_data);
void kit_fake_rooms_free(kit_fake_rooms *w);
void kit_fake_rooms_clear(kit_fake_rooms *w);
/* Every method but hello and engine.drain; false: err is an MCU_ERROR code. */
bool kit_fake_rooms_call(kit_fake_rooms *w, enum mcu_method method, const void *request, void *reply, GError **err);
void kit_fake_rooms_go_on(kit_fake_rooms *w, enum mcu_method method, const void *request);	/* after a good answer */
void kit_fake_rooms_play(kit_fake_rooms *w, bool on);

/* As kit_fake_engine_* of the same name. */
void kit_fake_rooms_transport_state(kit_fake_rooms *w, const char *room, const char *transport, const char *state);
void kit_fake_rooms_source_up(kit_fake_rooms *w, const char *room, const char *source);
void kit_fake_rooms_keyframe(kit_fake_rooms *w, const char *room, const char *sink);
unsigned kit_fake_rooms_count(const kit_fake_rooms *w);
bool kit_fake_rooms_has_room(const kit_fake_rooms *w, const char *room);
bool kit_fake_rooms_has_transport(const kit_fake_rooms *w, const char *room, const char *transport);
const char *kit_fake_rooms_route(const kit_fake_rooms *w, const char *room, const char *sink);
bool kit_fake_rooms_has_source(const kit_fake_rooms *w, const char *room, const char *source);
void kit_fake_rooms_put_transport(kit_fake_rooms *w, const char *room, const char *transport);
void kit_fake_rooms_put_mix(kit_fake_rooms *w, const char *room, const char *mix);	/* its transport */
bool kit_fake_rooms_has_mix(const kit_fake_rooms *w, const char *room, const char *mix);
json_t *kit_fake_rooms_mix(const kit_fake_rooms *w, const char *room, const char *mix);	/* dump_mix row or NULL, (transfer full) */
