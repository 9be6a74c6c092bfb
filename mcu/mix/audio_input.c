/* One published stream: packets in, 20 ms of 48 kHz out at each tick. Playing is by media time: a packet that is not there
 * when its time comes is concealed and, should it still come, thrown away. The delay is corrected by taking out or putting
 * in single periods; only a jump by more than QUEUE_CAP_US starts anew. */
#include <errno.h>
#include <string.h>

#include "mcu/mix/sound_priv.h"

enum {
	SLACK48 = 96,			/* time stamps that are this near follow each other */
	SILENT_US = 200000,		/* nothing came for so long: nothing is concealed any more */
	KEEP_US = 30000000,		/* unheard so long: gives its decoder back */
	MORE_US = 8000, LESS_US = -2000,	/* delay over or under its bounds by so much is corrected */
	FAR_US = 60000,			/* .. at any cost */
	FADE_IN = 240,
	PACKETS_A_TICK = 16,		/* of the shortest, 2.5 ms: bound of the decoder's work */
};

struct sound_input *sound_input_new(const char *id)
{
	struct sound_input *in = g_new0(struct sound_input, 1);

	in->id = g_strdup(id);
	in->gain = 1;
	in->noise = -1;
	in->loud_us = in->packet_us = in->tagged_us = in->heard_us = INT64_MIN / 2;
	return in;
}

void sound_input_free(struct sound_input *in)
{
	if (in) {
		sound_queue_clear(&in->queue);
		sound_decoder_free(in->decoder);
		sound_clip_free(in->clip);
		g_free(in->fifo);
		g_free(in->id);
		g_free(in->member);
		g_free(in);
	}
}

void sound_input_silence(struct sound_input *in)
{
	sound_queue_clear(&in->queue);
	in->playing = false;
	in->fifo_n = 0;
	in->packet_us = INT64_MIN / 2;
	in->sr.known = false;
}

static struct sound_decoder *decoder_of(struct sound_input *in, const struct sound_tools *tools, uint8_t pt)
{
	if (!in->decoder || in->decoder_pt != pt) {
		sound_decoder_free(in->decoder);
		in->decoder = sound_decoder_new(tools, sound_codec_by_pt(pt));
		in->decoder_pt = pt;
	}
	return in->decoder;
}

/* Without levels of the sender's: each so manieth packet is decoded for its loudness only, and at once one that is longer
 * than usual, as the first of a word is. */
static void look(struct sound_input *in, const struct sound_tools *tools, const struct mcu_rtp *rtp, const uint8_t *payload,
		 int64_t at_us)
{
	bool longer = rtp->payload_len > 1.3 * in->usual_len + 4;
	float out[SOUND_LONGEST];
	int n;

	in->usual_len += 0.1 * (rtp->payload_len - in->usual_len);
	if (!longer && ++in->unheard % sound_codec_by_pt(rtp->pt)->look_every != 0) {
		return;
	}
	n = decoder_of(in, tools, rtp->pt) ? sound_decode(in->decoder, payload, rtp->payload_len, out) : -EBADMSG;
	if (n > 0) {
		sound_level_note(in, 127 + sound_dbov(out, (unsigned)n), at_us);
		sound_worth_samples(in, out, (unsigned)n, at_us);
	}
	in->broken += n < 0;
}

void sound_input_packet(struct sound_input *in, const struct sound_tools *tools, const struct mcu_rtp *rtp, const uint8_t *packet,
			int64_t at_us)
{
	const struct sound_codec *codec = sound_codec_by_pt(rtp->pt);
	const uint8_t *payload = packet + rtp->header_len, *level;
	uint8_t len = 0;
	int r;

	if (!codec) {
		return;		/* telephone-event, comfort noise of RFC 3389: the engine reads the one, silence is the other */
	}
	r = sound_queue_put(&in->queue, rtp, codec, payload, in->next48, at_us);
	if (r == -EBADMSG) {
		in->broken++;
		return;
	}
	in->packet_us = at_us;
	in->worth.first_us = in->worth.first_us ? in->worth.first_us : at_us;
	in->pt = rtp->pt;
	level = mcu_rtp_ext_find(rtp, MCU_MIX_EXT_LEVEL, &len);
	if (level && len >= 1) {
		in->tagged_us = at_us;
		sound_level_note(in, 127 - (level[0] & 0x7f), at_us);	/* RFC 6464 3 */
	} else if (!in->playing && !sound_level_tagged(in, at_us)) {
		look(in, tools, rtp, payload, at_us);
	}
}

/* Media time that should be played now. */
static int64_t due48(const struct sound_input *in, int64_t now_us)
{
	const struct sound_codec *codec = sound_codec_by_pt(in->pt);

	return sound_samples(now_us - sound_queue_floor(&in->queue) - sound_queue_target(&in->queue, codec && codec->fec));
}

int64_t sound_input_delay_us(const struct sound_input *in, int64_t now_us)
{
	return now_us - sound_us(in->next48 - in->fifo_n) - sound_queue_floor(&in->queue);
}

int64_t sound_input_kept_us(const struct sound_input *in)
{
	return sound_us(in->fifo_n) + sound_queue_span_us(&in->queue, in->next48);
}

/* Begins with the packet of now, after the one before it was decoded for the decoder's memory. */
static void begin(struct sound_input *in, const struct sound_tools *tools, int64_t now_us)
{
	int64_t due = due48(in, now_us);
	const struct sound_slot *first = NULL, *before = NULL;
	float scratch[SOUND_LONGEST];

	for (unsigned i = 0; i < QUEUE_SLOTS; i++) {
		const struct sound_slot *s = &in->queue.slots[i];
		if (s->used && s->at48 <= due && (!first || s->at48 > first->at48)) {
			first = s;
		}
	}
	for (unsigned i = 0; first && i < QUEUE_SLOTS; i++) {
		const struct sound_slot *s = &in->queue.slots[i];
		if (s->used && s->seq == first->seq - 1 && s->pt == first->pt) {
			before = s;
		}
	}
	in->next48 = first && first->at48 + first->n48 > due ? first->at48 : due;
	in->last_seq = first ? first->seq - 1 : in->queue.newest;
	in->fifo_n = 0;
	in->playing = true;
	in->settle_ticks = 0;
	if (in->decoder) {
		sound_decoder_reset(in->decoder);
	}
	if (before && decoder_of(in, tools, before->pt)) {
		(void)sound_decode(in->decoder, before->data, before->len, scratch);	/* for its memory only */
	}
	sound_queue_forget(&in->queue, in->next48);
}

static void push(struct sound_input *in, const float *x, unsigned n)
{
	n = MIN(n, FIFO_ROOM - in->fifo_n);
	memcpy(in->fifo + in->fifo_n, x, n * sizeof(*x));
	in->fifo_n += n;
	in->next48 += n;
}

static void conceal(struct sound_input *in, int64_t n48)
{
	float out[SOUND_FRAME] = {0};
	unsigned n = (unsigned)CLAMP(n48, 1, SOUND_FRAME);

	if (in->decoder) {
		sound_conceal(in->decoder, out, n);
	}
	push(in, out, n);
	in->concealed++;
}

static void take(struct sound_input *in, const struct sound_tools *tools, const struct sound_slot *slot)
{
	float out[SOUND_LONGEST];
	int64_t done = MAX(in->next48 - slot->at48, 0);
	int n = decoder_of(in, tools, slot->pt) ? sound_decode(in->decoder, slot->data, slot->len, out) : -EBADMSG;

	in->last_seq = slot->seq;
	if (n < 0) {
		in->broken++;
		conceal(in, MIN((int64_t)slot->n48, SOUND_FRAME));
	} else if (n > done) {
		push(in, out + done, (unsigned)(n - done));
		in->decoded++;
	}
	sound_queue_drop(&in->queue, slot);
}

/* A hole of `gap` samples before the slot: repaired by the packet after it where that is possible. */
static void bridge(struct sound_input *in, const struct sound_tools *tools, const struct sound_slot *slot, int64_t gap)
{
	bool lost = slot->seq > in->last_seq + 1;
	float out[SOUND_LONGEST];
	int n;

	if (lost) {
		in->queue.lost++;
	}
	if (!lost || !decoder_of(in, tools, slot->pt) || !in->decoder->codec->fec || gap % 120) {
		conceal(in, gap);
	} else if (gap > slot->n48) {
		conceal(in, gap - slot->n48);
	} else if ((n = sound_decode_fec(in->decoder, slot->data, slot->len, out, (unsigned)gap)) > 0) {
		push(in, out, (unsigned)n);
		in->concealed++;
	} else {
		conceal(in, gap);
	}
}

/* Decodes until `want` samples are there; `only_real`: nothing is made up for it. */
static void fill(struct sound_input *in, const struct sound_tools *tools, unsigned want, bool only_real)
{
	for (unsigned i = 0; i < PACKETS_A_TICK && in->fifo_n < want; i++) {
		const struct sound_slot *slot = sound_queue_first(&in->queue);
		int64_t gap = slot ? slot->at48 - in->next48 : INT64_MAX;

		if (slot && slot->at48 + slot->n48 <= in->next48) {
			sound_queue_drop(&in->queue, slot);
		} else if (gap <= SLACK48) {
			in->next48 += MAX(gap, 0);
			take(in, tools, slot);
		} else if (only_real) {
			return;
		} else if (slot && gap < 3 * SOUND_FRAME) {
			bridge(in, tools, slot, gap);
		} else {
			conceal(in, in->queue.last_n48);
		}
	}
	for (unsigned i = 0; !only_real && i < 2 && in->fifo_n < want; i++) {
		conceal(in, want - in->fifo_n);
	}
}

/* Bounds of the delay. A packet must be there when its first sample is due, which is `left` (of the packet before) after the
 * beginning of this frame; and more than a tick over the least is never needed. Between the two it stays as it began: on a
 * boundary of packets, which is the least that this phase of the two clocks allows. */
static void correct(struct sound_input *in, const struct sound_tools *tools, unsigned left, int64_t now_us)
{
	bool fec = in->decoder && in->decoder->codec->fec;
	int64_t over = sound_input_delay_us(in, now_us) - sound_queue_target(&in->queue, fec);
	int64_t more = over - SOUND_TICK_US, less = over - sound_us(left);
	unsigned n = 0;

	if (in->settle_ticks) {
		in->settle_ticks--;
		return;
	}
	if (more > MORE_US) {
		fill(in, tools, SOUND_FRAME + SOUND_FRAME / 2, true);
		if (in->fifo_n >= SOUND_FRAME + SOUND_FRAME / 2) {
			n = sound_shrink(in->fifo, in->fifo_n, more > FAR_US);
			in->fifo_n -= n;
		}
	} else if (less < LESS_US && in->fifo_n + SOUND_FRAME / 2 <= FIFO_ROOM) {
		n = sound_stretch(in->fifo, in->fifo_n, less < -FAR_US);
		in->fifo_n += n;
	}
	in->scaled += n > 0;
	in->settle_ticks = n && more < FAR_US && less > -FAR_US ? 2 : 0;
}

static void fade_in(float *x)
{
	for (unsigned i = 0; i < FADE_IN; i++) {
		x[i] *= (float)i / FADE_IN;
	}
}

bool sound_input_play(struct sound_input *in, const struct sound_tools *tools, int64_t now_us)
{
	bool fresh = !in->playing;
	unsigned left;

	if (!in->queue.started || now_us - in->packet_us > SILENT_US) {
		in->playing = false;
		in->fifo_n = 0;
		return false;
	}
	if (!in->fifo) {
		in->fifo = g_new(float, FIFO_ROOM);
	}
	if (fresh || llabs(in->next48 - in->fifo_n - due48(in, now_us)) > sound_samples(QUEUE_CAP_US / 2)) {
		begin(in, tools, now_us);
		in->queue.jumps += !fresh;
		fresh = true;
	}
	left = in->fifo_n;
	fill(in, tools, SOUND_FRAME, false);
	correct(in, tools, left, now_us);
	in->played48 = in->next48 - in->fifo_n;
	memcpy(in->frame, in->fifo, sizeof(in->frame));
	sound_worth_samples(in, in->frame, SOUND_FRAME, now_us);
	in->fifo_n -= SOUND_FRAME;
	memmove(in->fifo, in->fifo + SOUND_FRAME, in->fifo_n * sizeof(*in->fifo));
	if (fresh) {
		fade_in(in->frame);
	}
	if (!sound_level_tagged(in, now_us)) {
		sound_level_note(in, 127 + sound_dbov(in->frame, SOUND_FRAME), now_us);
	}
	in->heard_us = now_us;
	return true;
}

void sound_input_skip(struct sound_input *in, int64_t now_us)
{
	in->playing = false;
	in->fifo_n = 0;
	if (in->queue.started) {
		in->next48 = due48(in, now_us);
		/* one packet back stays, to warm the decoder with */
		sound_queue_forget(&in->queue, in->next48 - MAX(in->queue.last_n48, SOUND_FRAME));
	}
	if (in->fifo && now_us - in->heard_us > KEEP_US) {
		g_clear_pointer(&in->fifo, g_free);
		g_clear_pointer(&in->decoder, sound_decoder_free);
	}
}
