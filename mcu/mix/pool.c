/* The threads that decode. A decoder stays on its thread; a thread that hangs inside a codec is left behind with what
 * stands on it (it cannot be ended safely) and another takes its place. */
#include <stdatomic.h>

#include "mcu/base/clock.h"
#include "mcu/mix/pool_priv.h"

struct mix_pool {
	unsigned n;
	const char *ranks;
	struct mix_worker **workers;
};

static struct mix_worker *worker_new(const char *ranks, unsigned index)
{
	struct mix_worker *w = g_new0(struct mix_worker, 1);
	g_autofree char *name = g_strdup_printf("mix-dec-%u", index);

	w->ranks = ranks;
	w->loop = ort_loop_start(name, w);
	return w;
}

struct mix_pool *mix_pool_new(unsigned threads, const char *ranks)
{
	struct mix_pool *pool = g_new0(struct mix_pool, 1);

	pool->n = threads ? threads : MAX(g_get_num_processors(), 2U) - 1;
	pool->ranks = ranks;
	pool->workers = g_new0(struct mix_worker *, pool->n);
	for (unsigned i = 0; i < pool->n; i++) {
		pool->workers[i] = worker_new(ranks, i);
	}
	return pool;
}

void mix_pool_free(struct mix_pool *pool)
{
	if (!pool) {
		return;
	}
	(void)mix_pool_check(pool, ort_now_us());	/* joining a hung thread would hang us too */
	for (unsigned i = 0; i < pool->n; i++) {
		ort_loop_stop(pool->workers[i]->loop);
		g_free(pool->workers[i]);
	}
	g_free(pool->workers);
	g_free(pool);
}

unsigned mix_pool_check(struct mix_pool *pool, int64_t now_us)
{
	unsigned lost = 0;

	for (unsigned i = 0; i < pool->n; i++) {
		struct mix_worker *w = pool->workers[i];
		int64_t since = atomic_load(&w->busy_us);
		if (since && now_us - since > MIX_HUNG_US) {
			atomic_store(&w->lost, true);
			pool->workers[i] = worker_new(pool->ranks, i);
			lost++;
		}
	}
	return lost;
}

struct mix_worker *mix_pool_pick(struct mix_pool *pool)
{
	struct mix_worker *best = pool->workers[0];

	for (unsigned i = 1; i < pool->n; i++) {
		if (pool->workers[i]->decoders < best->decoders) {
			best = pool->workers[i];
		}
	}
	return best;
}
