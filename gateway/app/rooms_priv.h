/* Rooms that have only a browser, as the application holds them: rooms.c. */
#pragma once
#include "gateway/app/app_priv.h"

void gw_app_rooms_start(gw_app *app);
void gw_app_rooms_stop(gw_app *app);
void gw_app_bind_rooms(gw_app *app);
const char *gw_app_room_of(const struct gw_api_session *s);	/* its device, NULL = no room's page; borrowed */
void gw_app_room_session(gw_app *app, const struct gw_api_session *s, bool opened);
unsigned gw_app_room_pages(gw_app *app, const char *device, const struct gw_api_session *but);	/* that are connected */
json_t *gw_app_room_print(gw_app *app, const char *device);	/* (transfer full), NULL = unknown */
void gw_app_rooms_changed(gw_app *app);		/* something that a room shows: told with the next flush */
void gw_app_rooms_flush(gw_app *app);
int64_t gw_app_room_rtt_ms(gw_app *app, const char *party);	/* of its page, 0 = not known */
void gw_app_room_dial(gw_app *app, const char *party, const char *address);
void gw_app_ack_joined(gw_app *app, gw_api_call *call, const char *party, const char *conference);	/* conferences.c */
char *gw_app_link_make(gw_app *app, const char *actor, const char *incident, const char *guest, int64_t *ret_expires_ms, GError **err);	/* token; scenes.c */
