/* A room fed with anything: the input is a list of steps (length, kind, bytes): RTP or RTCP of a publisher or a receiver,
 * time, a route, a wish. The fake transports abort when a (SSRC, number) leaves twice with other bytes, when a header is
 * malformed, or when a packet is still held at the end. */
#include <string.h>

#include "tests/unit/mcu/room/rig.h"

static void step(struct rig *r, mcu_transport *const *t, uint8_t kind, const uint8_t *data, size_t n)
{
	static const char *const sources[] = { "v", "a", "w", NULL };

	switch (kind & 7) {
	case 0:
	case 1:
		fake_net_rtp(t[kind & 1], data, n, r->now);
		break;
	case 2:
	case 3:
		fake_net_rtcp(t[kind & 1], data, n, r->now);
		break;
	case 4:
		fake_net_batch(r->port, r->now);
		rig_turn(r, 1 + (kind >> 3) * 8);
		break;
	case 5:
		fake_net_batch(r->port, r->now);
		(void)rig_route(r, kind & 8 ? "k" : "ka", sources[kind >> 4 & 3]);
		break;
	case 6:
		fake_net_batch(r->port, r->now);
		(void)rig_prefer(r, "k", n ? data[0] * 8 : 0, 360, 0, kind >> 7);
		break;
	default:
		fake_net_batch(r->port, r->now);
		fake_net_state(t[1], kind & 8 ? "up" : "disconnected", r->now);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *t[2] = { rig_publisher(&r, "p"), rig_receiver(&r, "s") };
	(void)rig_video(&r, "p", "v", 100, 101, NULL);
	(void)rig_audio(&r, "p", "a", 200);
	(void)rig_video(&r, "p", "w", 0, 0, "q,h");
	(void)rig_sink(&r, "s", "k", "v", MCU_VIDEO, 500, 501);
	(void)rig_sink(&r, "s", "ka", "a", MCU_AUDIO, 600, 0);
	for (size_t at = 0; at + 2 <= size;) {
		size_t n = MIN(data[at], size - at - 2);
		step(&r, t, data[at + 1], data + at + 2, n);
		at += 2 + n;
	}
	fake_net_batch(r.port, r.now);
	rig_finish(&r);
	return 0;
}
