/* Counted packet slots. Slabs are never given back before the pool dies: the peak of a worker is its footprint. */
#include <stdlib.h>

#include "mcu/rtp/rtp.h"

enum { SLAB = 64 };

struct slab {
	struct slab *next;
	struct mcu_packet packets[SLAB];
};

struct mcu_pool {
	struct mcu_packet *free;
	struct slab *slabs;
	unsigned total, max, in_use;
};

mcu_pool *mcu_pool_new(unsigned max_packets)
{
	mcu_pool *pool = calloc(1, sizeof(*pool));

	if (pool) {
		pool->max = max_packets;
	}
	return pool;
}

void mcu_pool_free(mcu_pool *pool)
{
	if (!pool) {
		return;
	}
	while (pool->slabs) {
		struct slab *s = pool->slabs;
		pool->slabs = s->next;
		free(s);
	}
	free(pool);
}

static bool grow(mcu_pool *pool)
{
	if (pool->total >= pool->max) {
		return false;
	}
	struct slab *s = malloc(sizeof(*s));
	if (!s) {
		return false;
	}
	s->next = pool->slabs;
	pool->slabs = s;
	for (unsigned i = 0; i < SLAB && pool->total < pool->max; i++, pool->total++) {
		s->packets[i].pool = pool;
		s->packets[i].next_free = pool->free;
		pool->free = &s->packets[i];
	}
	return true;
}

struct mcu_packet *mcu_packet_new(mcu_pool *pool)
{
	if (!pool->free && !grow(pool)) {
		return NULL;
	}
	struct mcu_packet *p = pool->free;
	pool->free = p->next_free;
	pool->in_use++;
	p->next_free = NULL;
	p->refs = 1;
	p->len = 0;
	p->arrival_us = 0;
	return p;
}

struct mcu_packet *mcu_packet_ref(struct mcu_packet *p)
{
	p->refs++;
	return p;
}

void mcu_packet_unref(struct mcu_packet *p)
{
	if (!p || --p->refs) {
		return;
	}
	p->next_free = p->pool->free;
	p->pool->free = p;
	p->pool->in_use--;
}

unsigned mcu_pool_in_use(const mcu_pool *pool)
{
	return pool->in_use;
}
