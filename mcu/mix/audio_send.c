/* What goes out: the bus's packet with each output's own header, and sender reports. */
#include "mcu/mix/sound_priv.h"

enum { SR_US = 4000000, LOSS_KEEP_US = 15000000 };
#define NTP_EPOCH_S INT64_C(2208988800)	/* 1900 to 1970 */

static void put32(uint8_t *to, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++) {
		to[i] = (uint8_t)(v >> (24 - 8 * i));
	}
}

static void send_report(struct mix_audio *a, struct sound_output *o, int64_t wall_us)
{
	uint64_t ntp = (uint64_t)(wall_us / 1000000 + NTP_EPOCH_S) << 32 | ((uint64_t)(wall_us % 1000000) << 32) / 1000000;
	uint8_t out[128];
	size_t pos = 0;

	/* 28 + 24 octets: there is room */
	(void)mcu_rtcp_write_sr(out, sizeof(out), &pos, o->ssrc, ntp, o->ts, (uint32_t)o->packets, (uint32_t)o->octets, NULL, 0);
	(void)mcu_rtcp_write_sdes_cname(out, sizeof(out), &pos, o->ssrc, MIX_CNAME);
	a->ops.send(out, pos, a->user_data);
}

static void send_sound(struct mix_audio *a, struct sound_output *o)
{
	struct sound_bus *b = o->bus;
	uint8_t *p = b->packet;

	p[0] = 0x80;
	p[1] = (uint8_t)((o->packets ? 0 : 0x80) | mcu_codecs[o->codec->id].default_pt);
	p[2] = (uint8_t)(o->seq >> 8);
	p[3] = (uint8_t)o->seq;
	put32(p + 4, o->ts);
	put32(p + 8, o->ssrc);
	a->ops.send(p, (size_t)b->len + 12, a->user_data);
	o->seq++;
	o->packets++;
	o->octets += (unsigned)b->len;
}

void sound_outputs_send(struct mix_audio *a, int64_t now_us, int64_t wall_us, unsigned missed)
{
	for (unsigned i = 0; i < a->outputs->len; i++) {
		struct sound_output *o = g_ptr_array_index(a->outputs, i);
		unsigned units = SOUND_FRAME / o->codec->clock_scale;

		o->ts += units * missed;
		if (o->bus->len > 0) {
			send_sound(a, o);
		}
		if (now_us >= o->next_sr_us) {
			send_report(a, o, wall_us);
			/* the first second sees two, then they are spread */
			o->next_sr_us = now_us + (o->packets < 2 ? 1000000 : SR_US + (int64_t)(o->ssrc % 1000) * 500);
		}
		if (o->loss && now_us - o->loss_us > LOSS_KEEP_US) {
			o->loss = 0;
		}
		o->ts += units;
	}
}
