/* The reader of a ring whose memory is the input: header, positions, slots. It may be cut off; it never reads outside of
 * the mapping, and never says a length that is none. */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "mcu/bridge/ring_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ring r = { .bell = -1 };
	uint8_t packet[MCU_LANE_PACKET];
	int64_t at = 0;
	int len = 0;
	size_t room = size < sizeof(struct ring_shared) ? size : ring_size(4);
	struct ring_shared *shared = g_aligned_alloc0(1, MAX(room, 1), RING_LINE);

	memcpy(shared, data, MIN(size, room));
	if (ring_open(&r, shared, room) == 0) {
		for (unsigned i = 0; i < 32 && (len = ring_read(&r, packet, &at)) != -EPIPE; i++) {
			g_assert_cmpint(len, <=, MCU_LANE_PACKET);
			g_assert_cmpuint(r.other - r.at, <=, r.slots);
			(void)ring_sleep(&r);
			atomic_fetch_add(&shared->head, size & 3);	/* it goes on lying */
		}
		(void)ring_write(&r, packet, size & 2047, 0);
		ring_flush(&r);
	}
	g_aligned_free(shared);
	return 0;
}
