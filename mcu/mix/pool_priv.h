/* Between pool.c and decoder.c. */
#pragma once
#include <stdatomic.h>

#include "mcu/mix/decoder_priv.h"

struct mix_worker {
	ort_loop *loop;
	const char *ranks;
	unsigned decoders;	/* control thread */
	_Atomic int64_t busy_us;	/* in a codec since; 0 = not */
	atomic_bool lost;	/* hung: whatever it still does is not looked at */
};
struct mix_worker *mix_pool_pick(struct mix_pool *pool);	/* control thread */
