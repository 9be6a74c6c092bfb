/* Counters that wrap, and what a receiver counts about a stream for its report blocks. */
#include "mcu/rtp/bytes_priv.h"
#include "mcu/rtp/rtp.h"

static int64_t advance(struct mcu_unwrap *u, int64_t delta)
{
	int64_t at = u->last + delta;

	if (delta > 0) {
		u->last = at;
	}
	return at;
}

int64_t mcu_unwrap16(struct mcu_unwrap *u, uint16_t value)
{
	if (!u->started) {
		u->started = true;
		u->last = value;
	}
	return advance(u, (int16_t)(uint16_t)(value - (uint16_t)u->last));
}

int64_t mcu_unwrap32(struct mcu_unwrap *u, uint32_t value)
{
	if (!u->started) {
		u->started = true;
		u->last = value;
	}
	return advance(u, (int32_t)(value - (uint32_t)u->last));
}

/* RFC 3550 A.8; a jump of more than ten seconds is a new time line, not jitter */
static void note_jitter(struct mcu_recv_stats *st, const struct mcu_rtp *rtp, int64_t now_us)
{
	uint32_t arrival = (uint32_t)(now_us * st->clock_hz / 1000000);
	int64_t transit = (int32_t)(arrival - rtp->ts);

	if (st->packets > 1) {
		int64_t d = (int32_t)(uint32_t)(transit - st->last_transit);
		d = d < 0 ? -d : d;
		if (d < (int64_t)st->clock_hz * 10) {
			st->jitter += ((double)d - st->jitter) / 16;
		}
	}
	st->last_transit = transit;
}

int64_t mcu_recv_stats_packet(struct mcu_recv_stats *st, const struct mcu_rtp *rtp, unsigned len, int64_t now_us)
{
	int64_t seq = mcu_unwrap16(&st->seq, rtp->seq);

	if (!st->packets) {
		st->base_seq = st->max_seq = seq;
	}
	if (seq > st->max_seq) {
		st->max_seq = seq;
	}
	st->packets++;
	st->bytes += len;
	if (st->clock_hz) {
		note_jitter(st, rtp, now_us);
	}
	st->last_us = now_us;
	return seq;
}

static int32_t clamp24(int64_t v)
{
	return v > 0x7fffff ? 0x7fffff : v < -0x800000 ? -0x800000 : (int32_t)v;
}

/* RFC 3550 A.3: the fraction is of the interval since the last block */
void mcu_recv_stats_block(struct mcu_recv_stats *st, uint32_t ssrc, int64_t now_us, struct mcu_rr_block *ret)
{
	int64_t expected = st->packets ? st->max_seq - st->base_seq + 1 : 0;
	int64_t span = expected - (int64_t)st->prior_expected;
	int64_t lost = span - ((int64_t)st->packets - (int64_t)st->prior_packets);

	*ret = (struct mcu_rr_block){
		.ssrc = ssrc,
		.lost = clamp24(expected - (int64_t)st->packets),
		.max_seq = (uint32_t)st->max_seq,
		.jitter = (uint32_t)st->jitter,
		.last_sr = st->last_sr,
	};
	if (span > 0 && lost > 0) {
		int64_t f = lost * 256 / span;
		ret->fraction_lost = (uint8_t)(f > 255 ? 255 : f);
	}
	if (st->last_sr) {
		ret->delay_sr = (uint32_t)((now_us - st->last_sr_us) * 65536 / 1000000);
	}
	st->prior_expected = (uint64_t)expected;
	st->prior_packets = st->packets;
}
