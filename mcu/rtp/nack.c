/* The list of missing packets of one stream: sorted by sequence number, newest last. */
#include <stdlib.h>

#include "mcu/rtp/bytes_priv.h"
#include "mcu/rtp/rtp.h"

enum {
	MAX_MISSING = 1000,
	MAX_TRIES = 10,
	REORDER_US = 5000,	/* a packet that is merely late gets this long before the first ask */
	MIN_SPACING_US = 20000,
	MAX_AGE_US = 2000000,
};

struct missing {
	int64_t seq, since_us, next_us;
	unsigned tries;
};

struct mcu_nack {
	bool started, give_up;
	int64_t max_seq;
	unsigned n;
	struct missing list[MAX_MISSING];
};

mcu_nack *mcu_nack_new(void)
{
	return calloc(1, sizeof(mcu_nack));
}

void mcu_nack_free(mcu_nack *n)
{
	free(n);
}

static void forget(mcu_nack *n, unsigned i)
{
	memmove(&n->list[i], &n->list[i + 1], (n->n - i - 1) * sizeof(n->list[0]));
	n->n--;
}

static void arrived_late(mcu_nack *n, int64_t seq)
{
	unsigned lo = 0, hi = n->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		if (n->list[mid].seq < seq) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	if (lo < n->n && n->list[lo].seq == seq) {
		forget(n, lo);
	}
}

static void note_gap(mcu_nack *n, int64_t seq, int64_t now_us)
{
	int64_t gap = seq - n->max_seq - 1;

	if (gap + n->n > MAX_MISSING) {
		/* more than can be asked for: only a key frame helps */
		n->n = 0;
		n->give_up = true;
		return;
	}
	for (int64_t s = n->max_seq + 1; s < seq; s++) {
		n->list[n->n++] = (struct missing){ s, now_us, now_us + REORDER_US, 0 };
	}
}

void mcu_nack_seen(mcu_nack *n, int64_t ext_seq, int64_t now_us)
{
	if (!n->started) {
		n->started = true;
		n->max_seq = ext_seq;
	} else if (ext_seq > n->max_seq) {
		note_gap(n, ext_seq, now_us);
		n->max_seq = ext_seq;
	} else if (n->n) {
		arrived_late(n, ext_seq);
	}
}

unsigned mcu_nack_due(mcu_nack *n, int64_t now_us, int64_t rtt_us, uint16_t *ret_seqs, unsigned max, bool *ret_give_up)
{
	unsigned asked = 0, kept = 0;
	int64_t spacing = rtt_us < MIN_SPACING_US ? MIN_SPACING_US : rtt_us;

	for (unsigned i = 0; i < n->n; i++) {
		struct missing m = n->list[i];
		bool due = m.next_us <= now_us;
		if (due && (m.tries >= MAX_TRIES || now_us - m.since_us > MAX_AGE_US)) {
			n->give_up = true;
			continue;
		}
		if (due && asked < max) {
			ret_seqs[asked++] = (uint16_t)m.seq;
			m.tries++;
			m.next_us = now_us + spacing;
		}
		n->list[kept++] = m;
	}
	n->n = kept;
	*ret_give_up = n->give_up;
	n->give_up = false;
	return asked;
}

int64_t mcu_nack_deadline(const mcu_nack *n)
{
	int64_t at = n->give_up ? 0 : INT64_MAX;

	for (unsigned i = 0; i < n->n; i++) {
		at = n->list[i].next_us < at ? n->list[i].next_us : at;
	}
	return at;
}
