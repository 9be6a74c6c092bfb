/* Telephone-events of a plain peer: records of 8 bytes (time step, pt, number step, RTP time step, the event). No more
 * digits are told than packets came, and none is forwarded. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/mcu/room/rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mcu_codec_use codecs[] = { { .name = (char *)"PCMU" }, { .name = (char *)"telephone-event", .pt = 101 } };
	struct mcu_transport_open open = { .room = (char *)"r", .transport = (char *)"s", .kind = (char *)"plain" };
	struct mcu_transport_connect to = { .room = (char *)"r", .transport = (char *)"s", .ip = (char *)"192.0.2.9", .port = 9 };
	struct mcu_source_add source = { .room = (char *)"r", .transport = (char *)"s", .id = (char *)"in", .codecs = { codecs, 2 } };
	struct mcu_sink_add sink = { .room = (char *)"r", .transport = (char *)"s", .id = (char *)"out", .source = (char *)"in",
				     .ssrc = 5, .codecs = { codecs, 2 } };
	uint8_t d[24] = { 0x80, 0, 0, 100, [11] = 7 };
	unsigned n = 0, sounds = 0;
	struct rig r;

	rig_init(&r, NULL);
	(void)rig_call(&r, MCU_METHOD_TRANSPORT_OPEN, &open);
	(void)rig_call(&r, MCU_METHOD_TRANSPORT_CONNECT, &to);
	(void)rig_call(&r, MCU_METHOD_SOURCE_ADD, &source);
	(void)rig_call(&r, MCU_METHOD_SINK_ADD, &sink);
	for (size_t at = 0; at + 8 <= size && n < 512; at += 8, n++) {
		d[1] = data[at + 1] & 1 ? 101 : 0;
		sounds += !d[1];
		d[3] += data[at + 2] & 7;
		d[6] += data[at + 3];
		memcpy(d + 12, data + at + 4, 4);
		fake_net_rtp(fake_net_last(r.port), d, data[at + 1] & 2 ? 14 : 16, r.now);
		fake_net_batch(r.port, r.now);
		rig_turn(&r, data[at]);
	}
	if (rig_events(&r, "dtmf") > n || rig_count(&r, fake_net_last(r.port), 5) > sounds) {
		abort();
	}
	rig_finish(&r);
	return 0;
}
