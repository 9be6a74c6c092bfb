/* Jitter buffer: what arrived and was not played, by sequence number, with its place in media time (48 kHz). The delay
 * aimed at follows the 97th percentile of lateness; the least transit of the last windows is the zero of lateness, so a
 * drifting clock moves the zero and not the delay. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "mcu/mix/sound_priv.h"

enum {
	WINDOW_US = 2500000,
	RESTART_US = 2000000,	/* a jump of transit by more: the sender began anew */
	STEP_US = 4000,
	FIRST_US = 10000,	/* what is believed of a new line */
	SPARE_US = 4000,	/* over the lateness that is known */
};
#define QUANTILE 0.97

void sound_queue_clear(struct sound_queue *q)
{
	for (unsigned i = 0; i < QUEUE_SLOTS; i++) {
		g_free(q->slots[i].data);
	}
	*q = (struct sound_queue){0};
}

static void empty(struct sound_queue *q)
{
	for (unsigned i = 0; i < QUEUE_SLOTS; i++) {
		q->slots[i].used = false;
	}
}

/* Another clock or another start: media time goes on from where it would be by now. */
static void start(struct sound_queue *q, const struct mcu_rtp *rtp, uint32_t scale, int64_t at_us)
{
	q->jumps += q->started;
	empty(q);
	q->seq = (struct mcu_unwrap){0};
	q->ts = (struct mcu_unwrap){0};
	q->scale = scale;
	q->base48 = sound_samples(at_us) - mcu_unwrap32(&q->ts, rtp->ts) * scale;
	q->newest = mcu_unwrap16(&q->seq, rtp->seq) - 1;
	q->floor_us[0] = q->floor_us[1] = at_us - sound_us(sound_samples(at_us));
	q->floor_turn_us = at_us + WINDOW_US;
	q->wait_us = MAX(q->wait_us, FIRST_US);
	q->started = true;
}

int64_t sound_queue_floor(const struct sound_queue *q)
{
	return MIN(q->floor_us[0], q->floor_us[1]);
}

static void note_transit(struct sound_queue *q, int64_t transit_us, int64_t at_us)
{
	double late;

	if (at_us >= q->floor_turn_us) {
		q->floor_us[1] = at_us - q->floor_turn_us < WINDOW_US ? q->floor_us[0] : transit_us;
		q->floor_us[0] = transit_us;
		q->floor_turn_us = at_us + WINDOW_US;
	}
	q->floor_us[0] = MIN(q->floor_us[0], transit_us);
	late = (double)(transit_us - sound_queue_floor(q));
	q->wait_us += STEP_US * (late > q->wait_us ? QUANTILE : QUANTILE - 1);
	q->wait_us = CLAMP(q->wait_us, 0, QUEUE_MAX_US);
}

int64_t sound_queue_target(const struct sound_queue *q, bool fec)
{
	int64_t us = SPARE_US + (int64_t)q->wait_us;

	/* one packet more where the next one repairs a loss */

	if (fec && q->loss > 0.02) {
		us += sound_us(q->last_n48);
	}
	return CLAMP(us, QUEUE_MIN_US, QUEUE_MAX_US);
}

static void note_loss(struct sound_queue *q, int64_t seq)
{
	for (int64_t gap = seq - q->newest; gap > 0; gap--) {
		q->loss += 0.02 * ((gap > 1) - q->loss);
		if (gap > QUEUE_SLOTS) {
			gap = QUEUE_SLOTS;
		}
	}
	q->newest = MAX(q->newest, seq);
}

static void fill(struct sound_slot *slot, const struct mcu_rtp *rtp, const uint8_t *payload, int64_t seq, int64_t at48, int n48)
{
	if (slot->room < rtp->payload_len) {
		slot->room = (uint16_t)MAX(rtp->payload_len, 200);
		slot->data = g_realloc(slot->data, slot->room);
	}
	memcpy(slot->data, payload, rtp->payload_len);
	slot->used = true;
	slot->pt = rtp->pt;
	slot->len = rtp->payload_len;
	slot->seq = seq;
	slot->at48 = at48;
	slot->n48 = (unsigned)n48;
}

int sound_queue_put(struct sound_queue *q, const struct mcu_rtp *rtp, const struct sound_codec *codec, const uint8_t *payload,
		    int64_t next48, int64_t at_us)
{
	int n48 = codec->length(payload, rtp->payload_len);
	int64_t seq, at48, transit_us;
	struct sound_slot *slot;

	if (n48 < 0) {
		return n48;
	}
	if (!q->started || q->scale != codec->clock_scale) {
		start(q, rtp, codec->clock_scale, at_us);
	}
	at48 = mcu_unwrap32(&q->ts, rtp->ts) * q->scale + q->base48;
	transit_us = at_us - sound_us(at48);
	if (llabs(transit_us - sound_queue_floor(q)) > RESTART_US) {
		start(q, rtp, codec->clock_scale, at_us);
		at48 = sound_samples(at_us);
		transit_us = at_us - sound_us(at48);
	}
	seq = mcu_unwrap16(&q->seq, rtp->seq);
	note_transit(q, transit_us, at_us);
	note_loss(q, seq);
	q->packets++;
	q->last_n48 = n48;
	if (at48 + n48 <= next48) {
		/* too late to be played: wait longer at once */
		q->late++;
		q->wait_us = MAX(q->wait_us, (double)MIN(transit_us - sound_queue_floor(q) + SPARE_US, QUEUE_MAX_US));
		return -ERANGE;
	}
	if (sound_us(at48 - next48) > QUEUE_CAP_US) {
		q->dropped++;
		return -ENOSPC;
	}
	slot = &q->slots[(uint64_t)seq % QUEUE_SLOTS];
	if (slot->used && slot->seq >= seq) {
		return -ERANGE;
	}
	q->dropped += slot->used;
	fill(slot, rtp, payload, seq, at48, n48);
	return 0;
}

const struct sound_slot *sound_queue_first(const struct sound_queue *q)
{
	const struct sound_slot *first = NULL;

	for (unsigned i = 0; i < QUEUE_SLOTS; i++) {
		const struct sound_slot *s = &q->slots[i];
		if (s->used && (!first || s->at48 < first->at48)) {
			first = s;
		}
	}
	return first;
}

void sound_queue_drop(struct sound_queue *q, const struct sound_slot *slot)
{
	q->slots[slot - q->slots].used = false;
}

void sound_queue_forget(struct sound_queue *q, int64_t before48)
{
	for (unsigned i = 0; i < QUEUE_SLOTS; i++) {
		struct sound_slot *s = &q->slots[i];
		if (s->used && s->at48 + s->n48 <= before48) {
			s->used = false;
		}
	}
}

int64_t sound_queue_span_us(const struct sound_queue *q, int64_t from48)
{
	int64_t end = from48;

	for (unsigned i = 0; i < QUEUE_SLOTS; i++) {
		if (q->slots[i].used) {
			end = MAX(end, q->slots[i].at48 + q->slots[i].n48);
		}
	}
	return sound_us(end - from48);
}
