/* A small buffer that puts packets in order. What is missing for 60 ms or 20 packets is given up. */
#include "mcu/mix/frames_priv.h"

#include <string.h>

/* A jump this far is a new stream, not a loss */
enum { JUMP = 3000 };

static void deliver_first(struct mix_reorder *r, bool gap, mix_packet_fn fn, void *user_data)
{
	struct mix_late first = r->slot[0];

	memmove(r->slot, r->slot + 1, --r->n * sizeof(r->slot[0]));
	r->next = first.seq + 1;
	fn(first.data, first.len, gap, user_data);
	g_free(first.data);
}

static void insert(struct mix_reorder *r, const uint8_t *packet, size_t len, int64_t seq, int64_t now_us)
{
	unsigned at = r->n;

	while (at && r->slot[at - 1].seq > seq) {
		at--;
	}
	if (at && r->slot[at - 1].seq == seq) {
		return;
	}
	memmove(r->slot + at + 1, r->slot + at, (r->n - at) * sizeof(r->slot[0]));
	r->slot[at] = (struct mix_late){ .seq = seq, .at_us = now_us, .len = (uint16_t)len, .data = g_memdup2(packet, len) };
	r->n++;
}

static bool give_up(const struct mix_reorder *r, int64_t now_us)
{
	int64_t oldest = INT64_MAX;

	for (unsigned i = 0; i < r->n; i++) {
		oldest = MIN(oldest, r->slot[i].at_us);
	}
	return r->n == MIX_REORDER_SLOTS || (r->n && now_us - oldest >= MIX_REORDER_US);
}

static void run_out(struct mix_reorder *r, int64_t now_us, mix_packet_fn fn, void *user_data)
{
	for (;;) {
		while (r->n && r->slot[0].seq == r->next) {
			deliver_first(r, false, fn, user_data);
		}
		if (!give_up(r, now_us)) {
			return;
		}
		r->lost += (uint64_t)(r->slot[0].seq - r->next);
		deliver_first(r, true, fn, user_data);
	}
}

void mix_reorder_put(struct mix_reorder *r, const uint8_t *packet, size_t len, uint16_t seq, int64_t now_us, mix_packet_fn fn,
		     void *user_data)
{
	int64_t full = mcu_unwrap16(&r->unwrap, seq);

	if (!r->started || full > r->next + JUMP || full < r->next - JUMP) {
		bool gap = r->started;
		mix_reorder_clear(r);
		r->started = true;
		r->next = full + 1;
		fn(packet, len, gap, user_data);
		return;
	}
	if (full < r->next) {
		r->late++;
		return;
	}
	if (full == r->next) {
		r->next++;
		fn(packet, len, false, user_data);
	} else {
		insert(r, packet, len, full, now_us);
	}
	run_out(r, now_us, fn, user_data);
}

void mix_reorder_clear(struct mix_reorder *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		g_free(r->slot[i].data);
	}
	r->n = 0;
}
