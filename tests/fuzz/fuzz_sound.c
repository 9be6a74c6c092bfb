/* The sound mixer under any packets of a party: length octet, kind octet, packet; the kind sets whether its SSRC is made to
 * fit and how many ticks go by. The queue's cap holds whatever comes. */
#include <stdlib.h>
#include <string.h>

#include "mcu/mix/sound_priv.h"

static void on_send(const uint8_t *packet, size_t len, void *ud)
{
	*(uint64_t *)ud += len + packet[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mix_audio_ops ops = { .send = on_send };
	struct mcu_mix_input in = { .id = (char *)"a.audio", .member = (char *)"a" };
	struct mcu_mix_output out = { .id = (char *)"out", .codec = (char *)"PCMU" };
	uint64_t sum = 0;
	int64_t now_us = 1000000;
	struct mix_audio *a = mix_audio_new(&ops, &sum);
	uint8_t packet[256];

	mix_audio_input(a, &in, 0x01010101, NULL);
	mix_audio_output(a, &out, 2, NULL);
	for (size_t at = 0; at + 2 <= size && now_us < 5000000; at += 2 + data[at]) {
		size_t len = MIN(data[at], size - at - 2);
		memcpy(packet, data + at + 2, len);
		if (data[at + 1] & 1 && len >= 12) {
			memset(packet + (packet[1] >= 192 && packet[1] < 224 ? 4 : 8), 1, 4);
		}
		mix_audio_packet(a, packet, len, now_us);
		for (unsigned i = 0; i < (data[at + 1] >> 1 & 7); i++) {
			now_us += SOUND_TICK_US;
			mix_audio_tick(a, now_us, now_us);
		}
		if (sound_input_kept_us(g_ptr_array_index(a->inputs, 0)) > QUEUE_CAP_US + 2 * SOUND_TICK_US) {
			abort();
		}
	}
	mix_audio_free(a);
	return 0;
}
