/* Retransmission ring: slot = sequence number modulo size; a newer packet pushes out the older. */
#include <stdlib.h>

#include "mcu/rtp/rtp.h"

struct slot {
	int64_t seq;
	struct mcu_packet *packet;
};

struct mcu_store {
	unsigned mask;
	struct slot slots[];
};

mcu_store *mcu_store_new(unsigned slots)
{
	if (!slots || (slots & (slots - 1))) {
		return NULL;
	}
	mcu_store *s = calloc(1, sizeof(*s) + slots * sizeof(struct slot));
	if (s) {
		s->mask = slots - 1;
	}
	return s;
}

void mcu_store_free(mcu_store *s)
{
	for (unsigned i = 0; s && i <= s->mask; i++) {
		mcu_packet_unref(s->slots[i].packet);
	}
	free(s);
}

void mcu_store_put(mcu_store *s, int64_t ext_seq, struct mcu_packet *p)
{
	struct slot *at = &s->slots[(uint64_t)ext_seq & s->mask];

	if (at->packet && at->seq >= ext_seq) {
		return;
	}
	mcu_packet_ref(p);
	mcu_packet_unref(at->packet);
	*at = (struct slot){ ext_seq, p };
}

struct mcu_packet *mcu_store_get(const mcu_store *s, int64_t ext_seq)
{
	const struct slot *at = &s->slots[(uint64_t)ext_seq & s->mask];

	return at->packet && at->seq == ext_seq ? at->packet : NULL;
}
