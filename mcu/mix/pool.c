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

/* A thread that hangs is left as it is: joining it would hang us too. */
static void worker_stop(struct mix_worker *w)
{
	int64_t since = ort_now_us();

	atomic_store(&w->lost, true);	/* what still waits for it is not looked at */
	while (atomic_load(&w->busy_us) && ort_now_us() - since < MIX_HUNG_US) {
		g_usleep(5000);
	}
	if (!atomic_load(&w->busy_us)) {
		ort_loop_stop(w->loop);
		g_free(w);
	}
}

void mix_pool_free(struct mix_pool *pool)
{
	if (!pool) {
		return;
	}
	for (unsigned i = 0; i < pool->n; i++) {
		worker_stop(pool->workers[i]);
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
