/* The fan-out. At the end of a batch: receiver by receiver, stream by stream, so that the transport can send each
 * receiver's packets as one run. No hash, no allocation, no copy of payload: a header from the sink's template, and a
 * payload descriptor that is patched into the shared packet for the length of one send and then put back. */
#include <string.h>

#include "mcu/room/room_priv.h"

enum { CACHE_PACKETS = 96, CACHE_BYTES = 64000, CACHE_US = 600000, WIRE_OVERHEAD = 44 /* IPv4, UDP, SRTP tag */ };

static inline void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/* abs-send-time: seconds in 6.18 fixed point, of the NTP clock */
static uint32_t abs_send_time(const mcu_rooms *rooms, int64_t now_us)
{
	return (uint32_t)(ntp_of(now_us + rooms->wall_offset_us) >> 14) & 0xffffff;
}

/* ---- header ---- */
static inline unsigned put_element(const struct peer *peer, uint8_t *h, unsigned at, uint8_t id, const uint8_t *value,
				   uint8_t len)
{
	if (peer->two_byte) {
		h[at++] = id;
		h[at++] = len;
	} else {
		h[at++] = (uint8_t)(id << 4 | (len - 1));
	}
	memcpy(h + at, value, len);
	return at + len;
}

/* Values that came with the packet: sound level, orientation, playout delay. */
static unsigned put_travelling(const struct peer *peer, uint8_t *h, unsigned at, const struct in_packet *in)
{
	const uint8_t *id = peer->ext.id;

	if (in->level && id[MCU_EXT_AUDIO_LEVEL]) {
		at = put_element(peer, h, at, id[MCU_EXT_AUDIO_LEVEL], in->level, 1);
	}
	if (in->orientation && id[MCU_EXT_ORIENTATION]) {
		at = put_element(peer, h, at, id[MCU_EXT_ORIENTATION], in->orientation, 1);
	}
	if (in->delay && id[MCU_EXT_PLAYOUT_DELAY]) {
		at = put_element(peer, h, at, id[MCU_EXT_PLAYOUT_DELAY], in->delay, 3);
	}
	return at;
}

/* Returns the header's length. `h` has HEADER_ROOM. */
static unsigned put_header(struct sink *sink, uint8_t *h, const struct in_packet *in, uint32_t ssrc, uint8_t pt,
			   uint32_t seq, uint32_t ts)
{
	struct peer *peer = sink->peer;
	unsigned at = sink->tmpl_len;

	memcpy(h, sink->tmpl, sizeof(sink->tmpl));
	h[1] = (uint8_t)((in->p->rtp.marker ? 0x80 : 0) | pt);
	put16(h + 2, seq);
	put32(h + 4, ts);
	put32(h + 8, ssrc);
	if (sink->abs_at) {
		uint32_t abs = peer->room->rooms->abs24;
		h[sink->abs_at] = (uint8_t)(abs >> 16);
		put16(h + sink->abs_at + 1, abs);
	}
	if (sink->twcc_at) {
		put16(h + sink->twcc_at, ++peer->twcc_out);
	}
	at = put_travelling(peer, h, at, in);
	if (at == 16) {
		h[0] = 0x80;
		return 12;
	}
	while (at & 3) {
		h[at++] = 0;
	}
	put16(h + 14, (at - 16) / 4);
	return at;
}

/* ---- one packet on its way out ---- */
struct outgoing {
	uint8_t header[HEADER_ROOM];
	unsigned header_len;
	uint8_t *payload;
	unsigned payload_len;
	uint8_t patch[20], saved[20];
	unsigned patch_len;	/* bytes at `payload` that are replaced while it is sent */
};

/* Puts `n` bytes in place of the first `took` of the payload; they may reach back into the packet's own header. */
static void set_patch(struct outgoing *o, const uint8_t *bytes, unsigned n, unsigned took)
{
	o->payload = o->payload + took - n;
	o->payload_len = o->payload_len - took + n;
	memcpy(o->patch, bytes, n);
	o->patch_len = n;
}

static void rewrite_payload(const struct codec_slot *codec, struct mcu_codec_state *st, struct outgoing *o, bool switched)
{
	uint8_t out[16];
	unsigned n = 0, took;

	if (codec->ops->rewrite && o->payload_len) {
		took = codec->ops->rewrite(st, o->payload, o->payload_len, switched, out, &n);
		if (n) {
			set_patch(o, out, n, took);
		}
	}
}

static void send_out(struct peer *peer, struct outgoing *o, int64_t now_us)
{
	if (o->patch_len) {
		memcpy(o->saved, o->payload, o->patch_len);
		memcpy(o->payload, o->patch, o->patch_len);
	}
	mcu_transport_send_rtp(peer->net, o->header, o->header_len, o->payload, o->payload_len);
	if (o->patch_len) {
		memcpy(o->payload, o->saved, o->patch_len);
	}
	if (peer->ext.id[MCU_EXT_TWCC]) {
		mcu_bwe_sent(peer->bwe, peer->twcc_out, o->header_len + o->payload_len + WIRE_OVERHEAD, now_us);
	}
}

/* ---- first complete key frame: all numbers from its first packet to its marker went out ---- */
static void expect_key(struct sink *sink, const struct in_packet *first)
{
	sink->key_first = first->seq;
	sink->key_ts = first->p->rtp.ts;
	sink->key_last = -1;
	sink->key_sent = 0;
}

static void note_key(struct sink *sink, const struct in_packet *in, int64_t now_us)
{
	struct mcu_sink_event ev = {
		.room = sink->peer->room->id, .id = sink->id, .source = sink->source->id,
		.at_ms = ort_wall_ms(), .at_us = now_us,
	};

	if (in->key_start && in->p->rtp.ts != sink->key_ts) {
		expect_key(sink, in);	/* the one before was never complete */
	}
	if (in->p->rtp.ts != sink->key_ts || in->seq < sink->key_first) {
		return;
	}
	sink->key_sent++;
	if (in->p->rtp.marker) {
		sink->key_last = in->seq;
	}
	if (sink->key_last >= 0 && sink->key_sent == sink->key_last - sink->key_first + 1) {
		sink->key_told = true;
		room_emit(sink->peer->room->rooms, MCU_EVENT_SINK_FIRST_KEYFRAME, &ev);
	}
}

/* ---- beginnings ---- */
static void tell_layer(struct sink *sink, const struct stream *stream, int64_t now_us)
{
	struct mcu_sink_layer_event ev = {
		.room = sink->peer->room->id, .id = sink->id, .source = sink->source->id, .rid = stream->rid,
		.at_ms = ort_wall_ms(), .at_us = now_us,
	};

	if (stream->source->n_streams > 1) {
		room_emit(sink->peer->room->rooms, MCU_EVENT_SINK_LAYER, &ev);
	}
}

/* From this packet on the sink carries `stream`: numbers and time go on where they stopped. */
void forward_begin(struct sink *sink, struct stream *stream, const struct in_packet *first, int64_t now_us)
{
	struct segment *seg = &sink->seg[0];
	struct mcu_codec_state codec = seg->codec;
	int64_t gone = sink->last_us ? now_us - sink->last_us : 0;
	uint32_t ts = sink->last_ts + MAX(1, (uint32_t)(MIN(gone, 3600 * ORT_US_PER_S) * stream->clock_hz / ORT_US_PER_S));

	memmove(sink->seg + 1, sink->seg, sizeof(sink->seg) - sizeof(sink->seg[0]));
	*seg = (struct segment){
		.stream = stream, .in_first = first->seq, .out_first = sink->next_out, .skip_to = first->seq - 1,
		.ts_delta = ts - first->p->rtp.ts, .codec = codec,
	};
	sink->current = stream;
	sink->target = NULL;
	sink->clock_hz = stream->clock_hz;
	expect_key(sink, first);
	stream->source->peer->room->rooms->counters.switches++;
	tell_layer(sink, stream, now_us);
}

/* Hot path: called for each packet and each receiver. false: the sink stopped, it has no payload type for this. */
bool forward_packet(struct sink *sink, const struct in_packet *in, int64_t now_us)
{
	struct segment *seg = &sink->seg[0];
	const struct source *source = sink->source;
	uint8_t pt = sink->pt_map[in->codec];
	struct outgoing o;

	if (in->seq <= seg->skip_to) {
		return true;	/* before this stretch, or sent from the cache */
	}
	if (pt == 0xff) {
		/* numbers must not leap by what is not sent: begin anew when the codec comes back */
		sink->peer->room->rooms->counters.no_codec_out++;
		sink->target = sink->current;
		sink->current = NULL;
		return false;
	}
	int64_t out = in->seq - seg->in_first + seg->out_first;
	uint32_t ts = in->p->rtp.ts + seg->ts_delta;
	o.payload = in->p->data + in->p->rtp.header_len;
	o.payload_len = in->p->rtp.payload_len;
	o.patch_len = 0;
	rewrite_payload(&source->codecs[in->codec], &seg->codec, &o, in->seq == seg->in_first);
	o.header_len = put_header(sink, o.header, in, sink->ssrc, pt, (uint32_t)out, ts);
	send_out(sink->peer, &o, now_us);
	if (out >= sink->next_out) {
		sink->next_out = out + 1;
		sink->last_ts = ts;
		sink->last_us = now_us;
	}
	sink->packets++;
	sink->octets += o.payload_len;
	if (!sink->key_told && sink->kind == MCU_VIDEO) {
		note_key(sink, in, now_us);
	}
	return true;
}

/* The kept packets since the last key frame, if that is recent, short and complete. What of them still lies in the
 * present batch must not go out twice: skip_to. */
void forward_cached(struct sink *sink, struct stream *st, int64_t now_us)
{
	int64_t last = st->stats.seq.last;
	struct in_packet in;
	size_t bytes = 0;

	if (!st->have_key || !st->up || !st->store || st->source->paused || now_us - st->key_us > CACHE_US ||
	    last - st->key_seq >= CACHE_PACKETS) {
		return;
	}
	for (int64_t seq = st->key_seq; seq <= last; seq++) {
		const struct mcu_packet *p = mcu_store_get(st->store, seq);
		bytes += p ? p->rtp.payload_len : CACHE_BYTES;
		if (bytes >= CACHE_BYTES) {
			return;
		}
	}
	st->source->peer->room->rooms->abs24 = abs_send_time(st->source->peer->room->rooms, now_us);
	for (int64_t seq = st->key_seq; seq <= last; seq++) {
		forward_describe(st->source, mcu_store_get(st->store, seq), seq, &in);
		if (seq == st->key_seq) {
			forward_begin(sink, st, &in, now_us);
		}
		if (!forward_packet(sink, &in, now_us)) {
			return;
		}
	}
	sink->seg[0].skip_to = last;
	st->source->peer->room->rooms->counters.cache_starts++;
}

/* ---- the batch ---- */
static void forward_from(struct sink *sink, const struct stream *st, unsigned i, int64_t now_us)
{
	uint64_t before = sink->packets;

	while (i < st->n_batch && forward_packet(sink, &st->batch[i], now_us)) {
		i++;
	}
	sink->peer->room->rooms->counters.rtp_out += sink->packets - before;
}

/* A TCP peer that cannot keep up gets nothing until a key frame; the transport opens when that begins. */
static void hold_back(struct sink *sink, int64_t now_us)
{
	sink->target = sink->target ? sink->target : sink->current;
	sink->current = NULL;
	if (sink->target) {
		keyframe_want(sink->target, now_us);
	}
}

static void forward_sink(struct sink *sink, int64_t now_us)
{
	struct stream *next = sink->target;

	if (sink->dtmf) {
		return;	/* digits have its numbers */
	}
	if (sink->kind == MCU_VIDEO && sink->current && mcu_transport_congested(sink->peer->net)) {
		hold_back(sink, now_us);
		next = sink->target;
	}
	if (sink->current) {
		forward_from(sink, sink->current, 0, now_us);
	}
	if (!next) {
		return;
	}
	for (unsigned i = 0; i < next->n_batch; i++) {
		if (next->batch[i].key_start && sink->pt_map[next->batch[i].codec] != 0xff) {
			forward_begin(sink, next, &next->batch[i], now_us);
			forward_from(sink, next, i, now_us);
			return;
		}
	}
}

static void mark(mcu_rooms *rooms, struct sink *sink)
{
	struct peer *peer = sink->peer;

	if (sink->pending || !peer->up) {
		return;
	}
	sink->pending = true;
	if (!peer->n_pending) {
		if (rooms->n_dirty == rooms->dirty_room) {
			rooms->dirty_room = MAX(64, rooms->dirty_room * 2);
			rooms->dirty = g_renew(struct peer *, rooms->dirty, rooms->dirty_room);
		}
		rooms->dirty[rooms->n_dirty++] = peer;
	}
	if (peer->n_pending == peer->pending_room) {
		peer->pending_room = MAX(4, peer->pending_room * 2);
		peer->pending = g_renew(struct sink *, peer->pending, peer->pending_room);
	}
	peer->pending[peer->n_pending++] = sink;
}

static void mark_receivers(mcu_rooms *rooms)
{
	for (unsigned i = 0; i < rooms->n_active; i++) {
		struct stream *st = rooms->active[i];
		GPtrArray *sinks = st->source->sinks;
		for (unsigned k = 0; k < sinks->len; k++) {
			struct sink *sink = g_ptr_array_index(sinks, k);
			if (sink->current == st || sink->target == st) {
				mark(rooms, sink);
			}
		}
	}
}

static void clear_batch(mcu_rooms *rooms)
{
	for (unsigned i = 0; i < rooms->n_active; i++) {
		struct stream *st = rooms->active[i];
		for (unsigned k = 0; k < st->n_batch; k++) {
			mcu_packet_unref(st->batch[k].p);
		}
		st->n_batch = 0;
	}
	rooms->n_active = 0;
	rooms->n_dirty = 0;
}

void forward_batch(mcu_port *port, int64_t now_us, void *user_data)
{
	mcu_rooms *rooms = user_data;

	if (!rooms->n_active) {
		return;
	}
	rooms->abs24 = abs_send_time(rooms, now_us);
	mark_receivers(rooms);
	for (unsigned i = 0; i < rooms->n_dirty; i++) {
		struct peer *peer = rooms->dirty[i];
		for (unsigned k = 0; k < peer->n_pending; k++) {
			peer->pending[k]->pending = false;
			forward_sink(peer->pending[k], now_us);
		}
		peer->n_pending = 0;
	}
	clear_batch(rooms);
}

/* ---- retransmission: the same payload under the sink's RTX number (RFC 4588 4). Own SSRC and a fresh number, so the
 * nonce rule holds whatever the extensions say. ---- */
bool forward_rtx(struct sink *sink, struct segment *seg, struct mcu_packet *p, int64_t seq, int64_t now_us)
{
	struct mcu_codec_state codec = seg->codec;
	struct in_packet in;
	struct outgoing o;
	uint8_t patch[20];

	forward_describe(sink->source, p, seq, &in);
	uint8_t pt = sink->rtx_map[in.codec];
	if (pt == 0xff) {
		return false;
	}
	o.payload = p->data + p->rtp.header_len;
	o.payload_len = p->rtp.payload_len;
	o.patch_len = 0;
	rewrite_payload(&sink->source->codecs[in.codec], &codec, &o, false);
	put16(patch, (uint32_t)(seq - seg->in_first + seg->out_first));
	memcpy(patch + 2, o.patch, o.patch_len);
	set_patch(&o, patch, o.patch_len + 2, o.patch_len);
	sink->peer->room->rooms->abs24 = abs_send_time(sink->peer->room->rooms, now_us);
	o.header_len = put_header(sink, o.header, &in, sink->rtx_ssrc, pt, (uint32_t)sink->rtx_seq++, p->rtp.ts + seg->ts_delta);
	send_out(sink->peer, &o, now_us);
	return true;
}
