/* The ring. Order of memory: a packet is written before `head` is released and read after it was acquired; a slot is free
 * again once `tail` is released. Sleeping: the reader exchanges `sleeping` and then looks once more, the writer publishes and
 * then exchanges it. The exchanges have one order: either the writer sees the sleeper, or the sleeper sees the packet. */
#include "mcu/bridge/ring_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(sizeof(struct ring_slot) == 1536 && sizeof(((struct ring_slot *)NULL)->data) >= MCU_LANE_PACKET, "slot");

size_t ring_size(uint64_t slots)
{
	return sizeof(struct ring_shared) + (size_t)slots * sizeof(struct ring_slot);
}

void ring_format(struct ring_shared *shared, uint64_t slots)
{
	shared->magic = RING_MAGIC;
	shared->slots = slots;
}

int ring_open(struct ring *r, struct ring_shared *shared, size_t size)
{
	uint64_t slots = size >= sizeof(*shared) ? shared->slots : 0;	/* read once: it may change under our hands */
	if (slots < 2 || slots > RING_SLOTS_MAX || (slots & (slots - 1)) || ring_size(slots) != size || shared->magic != RING_MAGIC) {
		return -EPROTO;
	}
	r->shared = shared;
	r->size = size;
	r->slots = slots;
	r->mask = slots - 1;
	return 0;
}

void ring_close(struct ring *r)
{
	if (r->shared) {
		atomic_store_explicit(&r->shared->closed, 1, memory_order_release);
		(void)send(r->bell, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);	/* a sleeper shall see it */
	}
}

static int broken(struct ring *r)
{
	r->broken = true;
	r->stats.broken++;
	ring_close(r);
	return -EPIPE;
}

static bool is_closed(const struct ring *r)
{
	return r->broken || atomic_load_explicit(&r->shared->closed, memory_order_acquire) != 0;
}

/* Refreshes what we know of the reader; a position that was never possible is the end. */
static int room(struct ring *r)
{
	if (r->at - r->other < r->slots) {
		return 0;
	}
	r->other = atomic_load_explicit(&r->shared->tail, memory_order_acquire);
	if (r->at - r->other > r->slots) {
		return broken(r);
	}
	return r->at - r->other < r->slots ? 0 : -ENOSPC;
}

int ring_write(struct ring *r, const uint8_t *packet, size_t len, int64_t at_us)
{
	if (is_closed(r)) {
		return -EPIPE;
	}
	if (len == 0 || len > MCU_LANE_PACKET) {
		return -EMSGSIZE;
	}
	int err = room(r);
	if (err < 0) {
		r->stats.full += err == -ENOSPC;
		return err;
	}
	struct ring_slot *slot = &r->shared->slot[r->at & r->mask];
	memcpy(slot->data, packet, len);
	slot->at_us = at_us;
	atomic_store_explicit(&slot->len, (uint32_t)len, memory_order_relaxed);
	r->stats.written++;
	atomic_store_explicit(&r->shared->head, ++r->at, memory_order_release);
	return 0;
}

void ring_flush(struct ring *r)
{
	if (atomic_exchange_explicit(&r->shared->sleeping, 0, memory_order_acq_rel)) {
		(void)send(r->bell, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);	/* a full bell has rung */
	}
}

/* Whether something is there: 1, 0 or -EPIPE. */
static int filled(struct ring *r)
{
	if (r->other != r->at) {
		return 1;
	}
	r->other = atomic_load_explicit(&r->shared->head, memory_order_acquire);
	if (r->other - r->at > r->slots) {
		return broken(r);
	}
	return r->other != r->at;
}

int ring_read(struct ring *r, uint8_t *packet, int64_t *ret_at_us)
{
	int some = r->broken ? -EPIPE : filled(r);
	if (some <= 0) {
		return some == 0 && is_closed(r) ? -EPIPE : some;
	}
	const struct ring_slot *slot = &r->shared->slot[r->at & r->mask];
	uint32_t len = atomic_load_explicit(&slot->len, memory_order_relaxed);
	if (len == 0 || len > MCU_LANE_PACKET) {
		return broken(r);
	}
	memcpy(packet, slot->data, len);
	*ret_at_us = slot->at_us;
	r->stats.read++;
	atomic_store_explicit(&r->shared->tail, ++r->at, memory_order_release);
	return (int)len;
}

bool ring_sleep(struct ring *r)
{
	uint8_t rung[64];
	/* before we say that we sleep: what rings later is meant. End of file: the other side is gone without a word */
	if (recv(r->bell, rung, sizeof(rung), MSG_DONTWAIT) == 0) {
		r->broken = true;
		return false;
	}
	(void)atomic_exchange_explicit(&r->shared->sleeping, 1, memory_order_acq_rel);
	if (filled(r) == 0 && !is_closed(r)) {
		return true;
	}
	atomic_store_explicit(&r->shared->sleeping, 0, memory_order_relaxed);
	return false;
}
