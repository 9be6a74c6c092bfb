/* Transport-wide feedback, receiving side: remembers arrivals, writes reports
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1). */
#include <stdlib.h>

#include "mcu/rtp/bytes_priv.h"
#include "mcu/rtp/rtp.h"

enum { RING = 1024, PT_RTPFB = 205, FMT_TWCC = 15, TICK_US = 250, REFERENCE_US = 64000, MAX_REPORT = 512 };

struct mcu_twcc_recv {
	struct mcu_unwrap seq;
	int64_t base, max;	/* next to report, highest seen */
	uint8_t reports;
	bool started, fresh;
	int64_t at_us[RING];	/* arrival by seq, 0 = not there */
};

mcu_twcc_recv *mcu_twcc_recv_new(void)
{
	return calloc(1, sizeof(mcu_twcc_recv));
}

void mcu_twcc_recv_free(mcu_twcc_recv *t)
{
	free(t);
}

static int64_t *slot(mcu_twcc_recv *t, int64_t seq)
{
	return &t->at_us[(uint64_t)seq % RING];
}

static void advance_to(mcu_twcc_recv *t, int64_t seq)
{
	int64_t from = seq - t->max > RING ? seq - RING : t->max;

	for (int64_t s = from + 1; s <= seq; s++) {
		*slot(t, s) = 0;
	}
	t->max = seq;
	if (t->base <= seq - RING) {
		t->base = seq - RING + 1;
	}
}

void mcu_twcc_recv_seen(mcu_twcc_recv *t, uint16_t seq, int64_t now_us)
{
	int64_t s = mcu_unwrap16(&t->seq, seq);

	if (!t->started) {
		t->started = true;
		t->base = t->max = s;
		t->max--;
	}
	if (s > t->max) {
		advance_to(t, s);
	} else if (s <= t->max - RING || *slot(t, s)) {
		return;
	}
	/* a late one that was reported as lost is reported again as arrived */
	t->base = s < t->base ? s : t->base;
	*slot(t, s) = now_us > 0 ? now_us : 1;
	t->fresh = true;
}

struct report {
	unsigned n;
	int64_t reference;
	uint8_t symbols[MAX_REPORT];
	int16_t deltas[MAX_REPORT];	/* ticks, of those received */
	unsigned n_deltas;
	size_t delta_bytes;
};

/* Takes packets from base on until one does not fit the form any more. */
static void collect(mcu_twcc_recv *t, struct report *r)
{
	int64_t first = t->base, prev = 0;

	while (first <= t->max && !*slot(t, first)) {
		first++;
	}
	r->reference = *slot(t, first) / REFERENCE_US;
	prev = r->reference * (REFERENCE_US / TICK_US);
	for (int64_t s = t->base; s <= t->max && r->n < MAX_REPORT; s++) {
		int64_t at = *slot(t, s);
		if (!at) {
			r->symbols[r->n++] = 0;
			continue;
		}
		int64_t delta = at / TICK_US - prev;
		if (delta < INT16_MIN || delta > INT16_MAX) {
			break;
		}
		prev += delta;
		r->symbols[r->n] = delta >= 0 && delta <= 255 ? 1 : 2;
		r->delta_bytes += r->symbols[r->n++];
		r->deltas[r->n_deltas++] = (int16_t)delta;
	}
}

static unsigned run_length(const struct report *r, unsigned at)
{
	unsigned n = 1;

	while (at + n < r->n && r->symbols[at + n] == r->symbols[at]) {
		n++;
	}
	return n;
}

static bool all_small(const struct report *r, unsigned at)
{
	for (unsigned i = at; i < r->n && i < at + 14; i++) {
		if (r->symbols[i] > 1) {
			return false;
		}
	}
	return true;
}

/* One chunk; returns how many symbols it took */
static unsigned next_chunk(const struct report *r, unsigned at, uint16_t *ret)
{
	unsigned run = run_length(r, at), bits = all_small(r, at) ? 1 : 2, room = bits == 1 ? 14 : 7, word = 0;

	if (run >= room || at + run == r->n) {
		*ret = (uint16_t)(r->symbols[at] << 13 | run);
		return run;
	}
	for (unsigned i = 0; i < room; i++) {
		word = word << bits | (at + i < r->n ? r->symbols[at + i] : 0U);
	}
	*ret = (uint16_t)(0x8000U | (bits == 2 ? 0x4000U : 0U) | word);
	return at + room < r->n ? room : r->n - at;
}

static uint8_t *put_deltas(uint8_t *p, const struct report *r)
{
	for (unsigned i = 0, d = 0; i < r->n; i++) {
		if (r->symbols[i] == 1) {
			*p++ = (uint8_t)r->deltas[d++];
		} else if (r->symbols[i] == 2) {
			put16(p, (uint16_t)r->deltas[d++]);
			p += 2;
		}
	}
	return p;
}

/* Apart, so that asking when there is nothing to say does not clear 3 KB of stack. */
static __attribute__((noinline)) int write_report(mcu_twcc_recv *t, uint8_t *out, size_t room, size_t *pos,
						  uint32_t sender, uint32_t media)
{
	uint16_t chunks[MAX_REPORT];
	unsigned n_chunks = 0;
	struct report r = { 0 };

	collect(t, &r);
	for (unsigned at = 0; at < r.n; n_chunks++) {
		at += next_chunk(&r, at, &chunks[n_chunks]);
	}
	size_t used = 16 + (size_t)n_chunks * 2 + r.delta_bytes, body = (used + 3) / 4 * 4;
	uint8_t *p = rtcp_begin(out, room, pos, FMT_TWCC, PT_RTPFB, body);
	if (!p) {
		return -ENOSPC;
	}
	put32(p, sender);
	put32(p + 4, media);
	put16(p + 8, (uint16_t)t->base);
	put16(p + 10, (uint16_t)r.n);
	put24(p + 12, (uint32_t)r.reference & 0xffffff);
	p[15] = t->reports++;
	for (unsigned i = 0; i < n_chunks; i++) {
		put16(p + 16 + i * 2, chunks[i]);
	}
	memset(put_deltas(p + 16 + n_chunks * 2, &r), 0, body - used);
	t->base += r.n;
	t->fresh = t->base <= t->max;
	return 1;
}

int mcu_twcc_recv_write(mcu_twcc_recv *t, uint8_t *out, size_t room, size_t *pos, uint32_t sender, uint32_t media)
{
	return t->fresh ? write_report(t, out, room, pos, sender, media) : 0;
}
