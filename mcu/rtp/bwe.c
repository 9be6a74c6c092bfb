/* Downlink estimate of one transport at its sender. Three observers, the lowest wins:
 *   delay   trend line through the one-way delay of packet groups (the idea of draft-ietf-rmcat-gcc-02, 5): a slope
 *           above an adaptive threshold means a queue is filling -> 85 % of what was delivered;
 *   loss    above 10 % -> rate * (1 - loss/2); under 2 % -> may grow (ibid. 6);
 *   REMB    the receiver's own word, a ceiling.
 * No padding probes: a layer that was not tried is tried by optimistic slow growth, with a pause after each failure
 * that doubles, so that a link which cannot carry the layer is not asked every few seconds. */
#include <stdlib.h>

#include "mcu/rtp/bytes_priv.h"
#include "mcu/rtp/rtp.h"

enum {
	HISTORY = 512,
	GROUP_US = 5000,		/* packets sent within 5 ms are one group */
	TREND = 20,			/* groups in the line */
	RATE_WINDOW_US = 400000,
	OVERUSE_US = 10000,		/* the slope must last this long */
	DECREASE_SPACING_US = 300000,
	REMB_LIFE_US = 10000000,
	PAUSE_MIN_US = 2000000, PAUSE_MAX_US = 32000000, CALM_US = 60000000,
	GAP_US = 2000000,		/* silence: the delay base is forgotten */
};

struct sent {
	uint16_t seq, bytes;
	uint32_t at_us;			/* low 32 bits of the send time */
};

struct group {
	bool started;
	int64_t first_send, last_send, last_arrival;
};

struct point { double arrival_ms, delay_ms; };

struct mcu_bwe {
	uint64_t min_bps, max_bps;
	double bps;
	uint64_t remb_bps;
	int64_t remb_us;
	struct sent sent[HISTORY];
	int64_t now_us;			/* of the feedback being read */
	struct group cur, prev;
	struct point trend[TREND];
	unsigned n_trend;
	double delay_ms, smooth_ms, threshold_ms, last_slope;
	int64_t first_arrival_us, over_since_us, threshold_us;
	uint64_t acked_bytes;
	int64_t acked_from_us;
	double acked_bps;
	unsigned seen, lost;		/* of the present loss window */
	double loss;
	int64_t loss_us, grown_us, decreased_us, pause_us, paused_until_us;
};

mcu_bwe *mcu_bwe_new(uint64_t start_bps, uint64_t min_bps, uint64_t max_bps)
{
	mcu_bwe *b = calloc(1, sizeof(*b));

	if (!b) {
		return NULL;
	}
	b->min_bps = min_bps;
	b->max_bps = max_bps > min_bps ? max_bps : min_bps;
	b->bps = (double)start_bps;
	b->threshold_ms = 12.5;
	b->pause_us = PAUSE_MIN_US;
	return b;
}

void mcu_bwe_free(mcu_bwe *b)
{
	free(b);
}

void mcu_bwe_sent(mcu_bwe *b, uint16_t twcc_seq, unsigned bytes, int64_t now_us)
{
	b->sent[twcc_seq % HISTORY] = (struct sent){ twcc_seq, (uint16_t)bytes, (uint32_t)now_us };
}

static void clamp(mcu_bwe *b)
{
	if (b->bps < (double)b->min_bps) {
		b->bps = (double)b->min_bps;
	}
	if (b->bps > (double)b->max_bps) {
		b->bps = (double)b->max_bps;
	}
}

static void decrease(mcu_bwe *b, double to_bps, int64_t now_us)
{
	if (now_us - b->decreased_us < DECREASE_SPACING_US || to_bps >= b->bps) {
		return;
	}
	b->pause_us = now_us - b->decreased_us > CALM_US ? PAUSE_MIN_US : b->pause_us * 2;
	b->pause_us = b->pause_us > PAUSE_MAX_US ? PAUSE_MAX_US : b->pause_us;
	b->paused_until_us = now_us + b->pause_us;
	b->decreased_us = now_us;
	b->bps = to_bps;
	clamp(b);
}

/* 30 % a second until the first trouble; then 8 % while what we send proves it, 4 % beyond the proof, and that not in
 * the pause after a failure. */
static void grow(mcu_bwe *b, int64_t now_us)
{
	int64_t dt = b->grown_us ? now_us - b->grown_us : 0;

	b->grown_us = now_us;
	if (dt <= 0 || b->loss > 0.02 || b->over_since_us) {
		return;
	}
	bool proven = b->acked_bps > 0 && b->bps < 1.5 * b->acked_bps;
	if (!proven && now_us < b->paused_until_us) {
		return;
	}
	double a_second = !b->decreased_us ? 0.30 : proven ? 0.08 : 0.04;
	b->bps *= 1 + a_second * (double)(dt > 1000000 ? 1000000 : dt) / 1e6;
	clamp(b);
}

static double slope(const mcu_bwe *b)
{
	double sx = 0, sy = 0, num = 0, den = 0;

	for (unsigned i = 0; i < b->n_trend; i++) {
		sx += b->trend[i].arrival_ms;
		sy += b->trend[i].delay_ms;
	}
	sx /= b->n_trend;
	sy /= b->n_trend;
	for (unsigned i = 0; i < b->n_trend; i++) {
		double dx = b->trend[i].arrival_ms - sx;
		num += dx * (b->trend[i].delay_ms - sy);
		den += dx * dx;
	}
	return den > 0 ? num / den : 0;
}

static void adapt_threshold(mcu_bwe *b, double trend, int64_t now_us)
{
	double size = trend < 0 ? -trend : trend, dt = (double)(now_us - b->threshold_us) / 1000;

	b->threshold_us = now_us;
	if (size > b->threshold_ms + 15) {
		return;	/* a spike says nothing about the usual noise */
	}
	dt = dt > 100 ? 100 : dt;
	b->threshold_ms += (size < b->threshold_ms ? 0.039 : 0.0087) * (size - b->threshold_ms) * dt;
	b->threshold_ms = b->threshold_ms < 6 ? 6 : b->threshold_ms > 600 ? 600 : b->threshold_ms;
}

static void judge(mcu_bwe *b, int64_t arrival_us)
{
	double s = slope(b), trend = s * b->n_trend * 4 * 3;

	if (trend > b->threshold_ms) {
		if (!b->over_since_us) {
			b->over_since_us = arrival_us;
		} else if (arrival_us - b->over_since_us > OVERUSE_US && s >= b->last_slope) {
			decrease(b, 0.85 * (b->acked_bps > 0 ? b->acked_bps : b->bps), b->now_us);
		}
	} else {
		b->over_since_us = 0;
	}
	b->last_slope = s;
	adapt_threshold(b, trend, arrival_us);
}

static void add_point(mcu_bwe *b, int64_t arrival_us, double delta_ms)
{
	if (!b->n_trend) {
		b->first_arrival_us = arrival_us;
	}
	b->delay_ms += delta_ms;
	b->smooth_ms = 0.9 * b->smooth_ms + 0.1 * b->delay_ms;
	if (b->n_trend == TREND) {
		memmove(b->trend, b->trend + 1, sizeof(b->trend) - sizeof(b->trend[0]));
		b->n_trend--;
	}
	b->trend[b->n_trend++] =
		(struct point){ (double)(arrival_us - b->first_arrival_us) / 1000, b->smooth_ms };
	if (b->n_trend == TREND) {
		judge(b, arrival_us);
	}
}

static void forget_delay(mcu_bwe *b)
{
	b->cur.started = b->prev.started = false;
	b->n_trend = 0;
	b->delay_ms = b->smooth_ms = 0;
	b->over_since_us = 0;
}

static void close_group(mcu_bwe *b)
{
	if (b->prev.started) {
		int64_t send = b->cur.last_send - b->prev.last_send;
		int64_t arrival = b->cur.last_arrival - b->prev.last_arrival;
		if (send > GAP_US || arrival > GAP_US || arrival < -GAP_US) {
			forget_delay(b);
			return;
		}
		add_point(b, b->cur.last_arrival, (double)(arrival - send) / 1000);
	}
	b->prev = b->cur;
	b->cur.started = false;
}

static void note_group(mcu_bwe *b, int64_t send_us, int64_t arrival_us)
{
	if (b->cur.started && send_us < b->cur.first_send) {
		return;	/* reordered */
	}
	if (b->cur.started && send_us - b->cur.first_send > GROUP_US) {
		close_group(b);
	}
	if (!b->cur.started) {
		b->cur = (struct group){ true, send_us, send_us, arrival_us };
	}
	b->cur.last_send = send_us > b->cur.last_send ? send_us : b->cur.last_send;
	b->cur.last_arrival = arrival_us > b->cur.last_arrival ? arrival_us : b->cur.last_arrival;
}

static void note_rate(mcu_bwe *b, unsigned bytes, int64_t arrival_us)
{
	int64_t span = arrival_us - b->acked_from_us;

	if (span < 0 || span > 5 * RATE_WINDOW_US || !b->acked_from_us) {
		b->acked_from_us = arrival_us;
		b->acked_bytes = 0;
		return;
	}
	b->acked_bytes += bytes;
	if (span >= RATE_WINDOW_US) {
		double bps = (double)b->acked_bytes * 8e6 / (double)span;
		b->acked_bps = b->acked_bps > 0 ? 0.5 * b->acked_bps + 0.5 * bps : bps;
		b->acked_from_us = arrival_us;
		b->acked_bytes = 0;
	}
}

static void on_packet(uint16_t seq, int64_t arrival_us, void *ud)
{
	mcu_bwe *b = ud;
	struct sent *s = &b->sent[seq % HISTORY];

	if (s->seq != seq || !s->bytes) {
		return;	/* not ours, reported before, or too old */
	}
	b->seen++;
	if (arrival_us == INT64_MIN) {
		b->lost++;
		return;	/* a later report may still say that it came */
	}
	int64_t send_us = b->now_us - (int64_t)(uint32_t)((uint32_t)b->now_us - s->at_us);
	note_rate(b, s->bytes, arrival_us);
	note_group(b, send_us, arrival_us);
	s->bytes = 0;
}

static void react_to_loss(mcu_bwe *b, int64_t now_us)
{
	if (b->loss > 0.10) {
		decrease(b, b->bps * (1 - 0.5 * b->loss), now_us);
	}
}

static void close_loss_window(mcu_bwe *b, int64_t now_us)
{
	if (b->seen < 20 && now_us - b->loss_us < 1000000) {
		return;
	}
	b->loss = b->seen ? (double)b->lost / b->seen : 0;
	b->seen = b->lost = 0;
	b->loss_us = now_us;
	react_to_loss(b, now_us);
}

void mcu_bwe_feedback(mcu_bwe *b, const struct mcu_rtcp *twcc, int64_t now_us)
{
	b->now_us = now_us;
	if (mcu_rtcp_twcc_walk(twcc, on_packet, b) < 0) {
		return;
	}
	close_loss_window(b, now_us);
	grow(b, now_us);
}

void mcu_bwe_remb(mcu_bwe *b, uint64_t bps, int64_t now_us)
{
	b->remb_bps = bps;
	b->remb_us = b->now_us = now_us;
	grow(b, now_us);
}

void mcu_bwe_loss(mcu_bwe *b, uint8_t fraction_lost, int64_t now_us)
{
	b->now_us = now_us;
	b->loss = fraction_lost / 256.0;
	react_to_loss(b, now_us);
	grow(b, now_us);
}

uint64_t mcu_bwe_bps(const mcu_bwe *b)
{
	uint64_t bps = (uint64_t)b->bps;
	bool told = b->remb_bps && b->now_us - b->remb_us < REMB_LIFE_US;

	if (told && b->remb_bps < bps) {
		bps = b->remb_bps;
	}
	return bps < b->min_bps ? b->min_bps : bps;
}
