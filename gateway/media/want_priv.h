/* What should be in the engine, and how that differs from what is. Pure: no engine, no clock. Loop thread. */
#pragma once
#include "mcu/proto/proto.h"

typedef struct gw_want gw_want;

enum gw_fix_what {
	GW_FIX_ROOM_OPEN,	/* should be, is not */
	GW_FIX_TRANSPORT_LOST,	/* should be, is not: credentials are gone, only the peer's leg can make it again */
	GW_FIX_ROOM_FOUND,	/* is, nobody asked for it: perhaps of an earlier gateway */
	GW_FIX_TRANSPORT_CLOSE, GW_FIX_SOURCE_REMOVE, GW_FIX_SINK_REMOVE,	/* is in our room, should not be: half-done */
};
struct gw_fix { enum gw_fix_what what; char *room, *id; int64_t max_transports; };

gw_want *gw_want_new(void);
void gw_want_free(gw_want *w);
void gw_want_note(gw_want *w, enum mcu_method method, const void *request);	/* a command that succeeded */
void gw_want_adopt(gw_want *w, const struct mcu_dump_room *room);
void gw_want_drop_transport(gw_want *w, const char *room, const char *transport);
void gw_want_drop_room(gw_want *w, const char *room);
bool gw_want_has_room(const gw_want *w, const char *room);
int64_t gw_want_max_transports(const gw_want *w, const char *room);
char **gw_want_transports(const gw_want *w, const char *room);	/* ids, (transfer full), g_strfreev */
GPtrArray *gw_want_compare(const gw_want *w, const struct mcu_dump_reply *is);	/* of struct gw_fix, (transfer full) */
json_t *gw_want_print(const gw_want *w);	/* (transfer full) */

/* Room and id that a command makes; false: it makes nothing. Borrowed from `request`; *ret_id NULL = the room itself. */
bool gw_want_makes(enum mcu_method method, const void *request, const char **ret_room, const char **ret_id);
