/* Starting the engine's process and reaching its socket. Loop thread. */
#pragma once
#include <sys/types.h>

#include "gateway/media/media.h"

/* Own process group, so that Ctrl-C at a terminal reaches the gateway alone; no PDEATHSIG: it must outlive us.
 * 0 or -errno. The caller reaps *ret_pid. */
int gw_spawn_engine(const struct gw_media_conf *conf, pid_t *ret_pid);
int gw_spawn_connect(const char *path);	/* fd (transfer full) or -errno; never blocks */
pid_t gw_spawn_peer(int fd);		/* pid behind a connected Unix socket, 0 = unknown */
