/* A media thread that does not turn takes all its rooms with it, silently. Ending the process is the cure: the gateway starts
 * it again and brings the rooms back within seconds. Counted in ticks and not in time, so that a machine that slept, or a
 * process that was stopped by hand, is not taken for a hung one. */
#include <stdlib.h>

#include "mcu/base/log.h"
#include "mcu/engine/engine_priv.h"

#define TICKS_MAX 4	/* mcu_engine ticks four times a watchdog period */

void mcu_watchdog_tick(mcu_engine *e, int64_t now_us)
{
	for (unsigned i = 0; i < e->n_workers; i++) {
		unsigned awaited = mcu_worker_watch(e->workers[i]);
		if (awaited < TICKS_MAX) {
			continue;
		}
		ort_log(ORT_LOG_ERROR, "engine", "watchdog", "a media thread does not turn: the process ends", ORT_I("worker", i),
			ORT_I("limit_ms", e->watchdog_ms));
		abort();
	}
}
