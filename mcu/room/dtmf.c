/* Telephone-events (RFC 4733): digits that come become events, once each; digits to send take the sink's numbers while they
 * last, and the sound begins anew behind them. */
#include <string.h>

#include "mcu/room/room_priv.h"

enum {
	EVENT_LEN = 4,
	LOST_END_US = 250000,	/* five updates at 50 ms missing: the end is lost */
	STEP_US = 20000,	/* between the packets of an event */
	PAUSE_US = 100000,	/* between digits */
	DEFAULT_MS = 100,
	ENDS = 3,		/* RFC 4733 2.5.1.4 */
	VOLUME = 10,		/* -dBm0 */
};
static const char digits[] = "0123456789*#ABCD";	/* by event code, RFC 4733 3.2 */

/* ---- in ---- */
static void tell(struct source *source, int64_t now_us)
{
	struct dtmf_in *d = &source->dtmf;
	char digit[2] = { digits[d->event], 0 };
	uint32_t hz = d->clock_hz ? d->clock_hz : 8000;
	struct mcu_dtmf_event ev = {
		.room = source->peer->room->id, .id = source->id, .digit = digit,
		.duration_ms = (int64_t)(d->before + d->segment) * 1000 / hz, .at_ms = ort_wall_ms(), .at_us = now_us,
	};

	d->pressed = false;
	room_emit(source->peer->room->rooms, MCU_EVENT_DTMF, &ev);
}

/* A long event goes on in a new segment at the very time where the last one ended (RFC 4733 2.5.1.3). */
static bool goes_on(const struct dtmf_in *d, uint8_t event, uint32_t ts)
{
	return d->pressed && d->event == event && ts == d->ts + d->segment;
}

void dtmf_in(struct stream *st, const struct mcu_packet *p, uint32_t clock_hz, int64_t now_us)
{
	struct source *source = st->source;
	struct dtmf_in *d = &source->dtmf;
	const uint8_t *b = p->data + p->rtp.header_len;
	uint32_t ts = p->rtp.ts;

	if (p->rtp.payload_len < EVENT_LEN || b[0] >= sizeof(digits) - 1) {
		source->peer->room->rooms->counters.bad_dtmf++;
		return;
	}
	uint16_t duration = (uint16_t)(b[2] << 8 | b[3]);
	if (goes_on(d, b[0], ts)) {
		d->before += d->segment;
		d->segment = 0;
		d->ts = ts;
	} else if (d->any && (int32_t)(ts - d->ts) < 0) {
		return;	/* late, of a digit that was told */
	} else if (!d->any || ts != d->ts) {
		if (d->pressed) {
			tell(source, now_us);
		}
		*d = (struct dtmf_in){ .any = true, .pressed = true, .event = b[0], .ts = ts, .clock_hz = clock_hz };
	} else if (!d->pressed) {
		return;	/* its end again */
	}
	d->segment = MAX(d->segment, duration);
	d->last_us = now_us;
	rooms_wake(source->peer->room->rooms, now_us + LOST_END_US);
	if (b[1] & 0x80) {
		tell(source, now_us);
	}
}

int64_t dtmf_in_due(struct source *source, int64_t now_us)
{
	struct dtmf_in *d = &source->dtmf;

	if (!d->pressed) {
		return ORT_NEVER;
	}
	if (now_us - d->last_us >= LOST_END_US) {
		tell(source, now_us);
		return ORT_NEVER;
	}
	return d->last_us + LOST_END_US;
}

/* ---- out ---- */
/* The event's clock is that of the sound beside it (RFC 4733 2.1). */
static const struct codec_slot *event_codec(const struct sink *sink)
{
	const struct codec_slot *found = NULL;

	for (unsigned i = 0; i < sink->n_codecs; i++) {
		const struct codec_slot *c = &sink->codecs[i];
		if (c->id == MCU_CODEC_TELEPHONE_EVENT && (!found || c->clock_hz == sink->clock_hz)) {
			found = c;
		}
	}
	return found;
}

static int code_of(char digit)
{
	const char *at = digit ? strchr(digits, g_ascii_toupper(digit)) : NULL;

	return at ? (int)(at - digits) : -1;
}

bool dtmf_send(struct sink *sink, const struct mcu_dtmf_send *rq, int64_t now_us, GError **err)
{
	struct dtmf_out *d = sink->dtmf;
	size_t have = d ? strlen(d->digits) : 0, n = rq->digits ? strlen(rq->digits) : 0;

	for (size_t i = 0; i < n; i++) {
		if (code_of(rq->digits[i]) < 0) {
			return room_fail(err, MCU_ERROR_INVALID, "digits: 0-9 A-D * #");
		}
	}
	if (!n || rq->duration_ms < 0 || rq->duration_ms > 5000) {
		return room_fail(err, MCU_ERROR_INVALID, "digits or duration_ms");
	}
	if (!event_codec(sink)) {
		return room_fail(err, MCU_ERROR_NO_CODEC, "sink %s: the peer takes no telephone-event", sink->id);
	}
	if (have + n >= sizeof(d->digits)) {
		return room_fail(err, MCU_ERROR_LIMIT, "digits waiting: %d", (int)sizeof(d->digits) - 1);
	}
	if (!d) {
		d = sink->dtmf = g_new0(struct dtmf_out, 1);
		d->next_us = now_us;
		sink->target = route_stream(sink);	/* the sound rests */
		sink->current = NULL;
	}
	memcpy(d->digits + have, rq->digits, n + 1);
	d->duration_us = (rq->duration_ms ? rq->duration_ms : DEFAULT_MS) * ORT_US_PER_MS;
	rooms_wake(sink->peer->room->rooms, now_us);
	return true;
}

static uint32_t ticks(const struct codec_slot *codec, int64_t us)
{
	return (uint32_t)(us * codec->clock_hz / ORT_US_PER_S);
}

static void send_one(struct sink *sink, const struct codec_slot *codec, bool end)
{
	struct dtmf_out *d = sink->dtmf;
	uint32_t duration = MIN(ticks(codec, d->sent_us), 0xffff);
	int64_t seq = sink->next_out++;
	uint8_t h[12] = { 0x80, (uint8_t)((d->first ? 0x80 : 0) | codec->pt), (uint8_t)(seq >> 8), (uint8_t)seq };
	uint8_t body[EVENT_LEN] = { (uint8_t)code_of(d->digits[0]), (uint8_t)((end ? 0x80 : 0) | VOLUME),
				    (uint8_t)(duration >> 8), (uint8_t)duration };

	for (unsigned i = 0; i < 4; i++) {
		h[4 + i] = (uint8_t)(d->ts >> (24 - 8 * i));
		h[8 + i] = (uint8_t)(sink->ssrc >> (24 - 8 * i));
	}
	mcu_transport_send_rtp(sink->peer->net, h, sizeof(h), body, sizeof(body));
	sink->packets++;
	sink->octets += sizeof(body);
	d->first = false;
}

static void begin_digit(struct sink *sink, const struct codec_slot *codec, int64_t now_us)
{
	struct dtmf_out *d = sink->dtmf;
	int64_t gone = sink->last_us ? MIN(now_us - sink->last_us, 3600 * ORT_US_PER_S) : 0;

	sink->clock_hz = sink->clock_hz ? sink->clock_hz : codec->clock_hz;
	d->ts = sink->last_ts + MAX(1, ticks(codec, gone));
	d->sent_us = 0;
	d->ends = 0;
	d->first = d->pressed = true;
}

static void end_digit(struct sink *sink, const struct codec_slot *codec, int64_t now_us)
{
	struct dtmf_out *d = sink->dtmf;

	memmove(d->digits, d->digits + 1, strlen(d->digits));
	d->pressed = false;
	sink->last_ts = d->ts + ticks(codec, d->duration_us);
	sink->last_us = now_us;
}

/* One packet of the digit in hand; returns the time of the next. */
static int64_t step(struct sink *sink, const struct codec_slot *codec, int64_t now_us)
{
	struct dtmf_out *d = sink->dtmf;

	if (!d->pressed) {
		begin_digit(sink, codec, now_us);
	}
	d->sent_us = MIN(d->sent_us + STEP_US, d->duration_us);
	if (d->sent_us < d->duration_us) {
		send_one(sink, codec, false);
		return now_us + STEP_US;
	}
	send_one(sink, codec, true);
	if (++d->ends < ENDS) {
		return now_us + STEP_US;
	}
	end_digit(sink, codec, now_us);
	return now_us + PAUSE_US;
}

int64_t dtmf_out_due(struct sink *sink, int64_t now_us)
{
	struct dtmf_out *d = sink->dtmf;
	const struct codec_slot *codec = d ? event_codec(sink) : NULL;

	if (!d) {
		return ORT_NEVER;
	}
	if (now_us >= d->next_us && d->digits[0]) {
		d->next_us = step(sink, codec, now_us);
	} else if (now_us >= d->next_us) {
		g_clear_pointer(&sink->dtmf, g_free);	/* forward.c goes on with `target` */
		return ORT_NEVER;
	}
	return d->next_us;
}
