/* One engine's process and connection: connect or spawn, greet, watch, and again. Loop thread.
 *
 *            +--------------- lost, hung, refused: back-off 0, 100, 500 ms .. ---------------+
 *            v                                                                               |
 *   WAIT --connect--> GREET --hello and dump answered--> UP --end of file, no pong-----------+
 *     |                 ^                                 any --end--> ENDED
 *     +--spawn--> START-+ (the socket is tried every 10 ms)                                   */
#pragma once
#include "gateway/media/media.h"

typedef struct gw_link gw_link;

struct gw_link_ops {
	void (*on_up)(gw_link *l, const struct mcu_dump_reply *dump, void *user_data);
	void (*on_down)(gw_link *l, const char *why, void *user_data);	/* only after on_up */
	void (*on_event)(gw_link *l, enum mcu_event event, const void *body, void *user_data);
};
gw_link *gw_link_new(GMainContext *context, const struct gw_media_conf *conf /* borrowed */, const struct gw_link_ops *ops,
		     void *user_data);
void gw_link_free(gw_link *l);
void gw_link_end(gw_link *l);	/* SIGTERM to the engine, no way back */
mcu_client *gw_link_client(const gw_link *l);	/* NULL unless up */
const struct gw_media_engine *gw_link_engine(const gw_link *l);	/* strings of the latest hello */
const char *gw_link_state(const gw_link *l);
unsigned gw_link_starts(const gw_link *l);	/* processes spawned */
