/* One ring in mapped memory. Positions count packets and never stop growing; a slot is position % slots. */
#pragma once
#include <stdatomic.h>

#include "mcu/bridge/bridge.h"

#define RING_SLOTS	 2048u
#define RING_SLOTS_MAX	 65536u
#define RING_MAGIC	 UINT64_C(0x4f52544f52494e47)	/* version: another magic */
#define RING_LINE	 64	/* bytes of a cache line: two sides never write to one */

struct ring_slot { _Atomic uint32_t len; uint32_t unused; int64_t at_us; uint8_t data[1520]; };
struct ring_shared {
	uint64_t magic;
	uint64_t slots;
	_Alignas(RING_LINE) _Atomic uint64_t head;	/* next to be written; the writer's */
	_Alignas(RING_LINE) _Atomic uint64_t tail;	/* next to be read; the reader's */
	_Atomic uint32_t sleeping;			/* set by the reader, taken by the writer */
	_Alignas(RING_LINE) _Atomic uint32_t closed;	/* by either side, for ever */
	_Alignas(RING_LINE) struct ring_slot slot[];
};

/* Our end. What the shared page says of us is only told to the other side, never believed. */
struct ring {
	struct ring_shared *shared;	/* NULL = not mapped */
	size_t size;
	uint64_t slots, mask;
	uint64_t at;			/* our position: head of a writer, tail of a reader */
	uint64_t other;			/* theirs, as last seen */
	bool broken;
	int bell;			/* our end of the socketpair */
	struct mcu_lane_stats stats;
};

size_t ring_size(uint64_t slots);
void ring_format(struct ring_shared *shared, uint64_t slots);
/* Takes a mapping of `size` bytes that must be a ring: 0 or -EPROTO. */
int ring_open(struct ring *r, struct ring_shared *shared, size_t size);
void ring_close(struct ring *r);	/* says so to the other side; the mapping stays */

int ring_write(struct ring *r, const uint8_t *packet, size_t len, int64_t at_us);
void ring_flush(struct ring *r);
int ring_read(struct ring *r, uint8_t *packet, int64_t *ret_at_us);
bool ring_sleep(struct ring *r);
