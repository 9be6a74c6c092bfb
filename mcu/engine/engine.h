/* The forwarding engine as a library: a control thread (the owner's GMainContext) and N media threads. ortoo-mcu is a main
 * around it; tests run it over a socketpair. Everything here: the thread of `context`.
 *
 * One gateway at a time: the connection that said `hello`; a newer one takes its place. Connections without hello may ask
 * dump and stats.get. When the gateway is lost, rooms stay for the grace time, then they are closed. */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "mcu/base/conf.h"

typedef struct mcu_engine mcu_engine;

extern const struct ort_conf_row mcu_engine_rows[];	/* every option of the engine */
extern const size_t mcu_engine_n_rows;

struct mcu_engine_ops {
	/* No gateway for the grace time and engine.orphan after it: the owner may end the process. May be NULL. */
	void (*on_orphan)(mcu_engine *e, void *user_data);
};

/* Starts the media threads and binds their ports. `conf` (of mcu_engine_rows) is read before return, ops borrowed.
 * NULL: err says which worker could not start. */
mcu_engine *mcu_engine_new(GMainContext *context, const ort_conf *conf, const struct mcu_engine_ops *ops, void *user_data,
			   GError **err);
/* Ends the threads; rooms and connections close silently. NULL allowed. Not from a callback. */
void mcu_engine_free(mcu_engine *e);

void mcu_engine_serve(mcu_engine *e, int fd);	/* owns fd: a connected stream socket, already trusted */
/* Unix socket, mode 0600; peers are let in when they run under our uid or root (SO_PEERCRED). A dead socket in the way is
 * removed, a living one is an error. Unlinked by mcu_engine_free(). */
bool mcu_engine_listen(mcu_engine *e, const char *path, GError **err);

unsigned mcu_engine_rooms(const mcu_engine *e);
const char *mcu_engine_boot(const mcu_engine *e);	/* random id of this engine, borrowed */
