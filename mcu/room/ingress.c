/* A packet arrives: whose it is, what it tells us, and into the batch. Nothing is sent from here. */
#include <string.h>

#include "mcu/room/room_priv.h"

enum {
	JUMP_BACK = 1000,	/* further back than this is a new sequence, if two packets agree (RFC 3550 A.1) */
	MAX_BATCH = 1024,
	RATE_US = 500000,
};

/* ---- whose it is ---- */
static struct ssrc_entry *lookup(struct peer *peer, uint32_t ssrc)
{
	if (peer->last_hit < peer->n_ssrcs && peer->ssrcs[peer->last_hit].ssrc == ssrc) {
		return &peer->ssrcs[peer->last_hit];
	}
	for (unsigned i = 0; i < peer->n_ssrcs; i++) {
		if (peer->ssrcs[i].ssrc == ssrc) {
			peer->last_hit = i;
			return &peer->ssrcs[i];
		}
	}
	return NULL;
}

static bool value_is(const uint8_t *value, uint8_t len, const char *text)
{
	return value && text && strlen(text) == len && !memcmp(value, text, len);
}

/* 0 = media, 1 = retransmission, -1 = not of this source */
static int claims_pt(const struct source *source, uint8_t pt)
{
	for (unsigned i = 0; i < source->n_codecs; i++) {
		if (source->codecs[i].pt == pt) {
			return 0;
		}
		if (source->codecs[i].rtx_pt && source->codecs[i].rtx_pt == pt) {
			return 1;
		}
	}
	return -1;
}

static struct source *by_mid(const struct peer *peer, const uint8_t *mid, uint8_t len)
{
	for (unsigned i = 0; i < peer->sources->len; i++) {
		struct source *s = g_ptr_array_index(peer->sources, i);
		if (value_is(mid, len, s->mid)) {
			return s;
		}
	}
	return NULL;
}

/* Only when one source alone announced the payload type (RFC 8843 9.2). */
static struct source *by_pt(const struct peer *peer, uint8_t pt)
{
	struct source *found = NULL;

	for (unsigned i = 0; i < peer->sources->len; i++) {
		struct source *s = g_ptr_array_index(peer->sources, i);
		if (claims_pt(s, pt) >= 0) {
			if (found) {
				return NULL;
			}
			found = s;
		}
	}
	return found;
}

static struct stream *by_rid(const struct source *source, const uint8_t *rid, uint8_t len)
{
	if (!rid) {
		return source->n_streams == 1 ? source->streams[0] : NULL;
	}
	for (unsigned i = 0; i < source->n_streams; i++) {
		if (value_is(rid, len, source->streams[i]->rid)) {
			return source->streams[i];
		}
	}
	return source->n_streams == 1 && !source->streams[0]->rid ? source->streams[0] : NULL;
}

/* ---- sequence ---- */
static void take_up_anew(struct stream *st, uint16_t seq, int64_t now_us)
{
	struct mcu_recv_stats fresh = { .clock_hz = st->stats.clock_hz, .last_sr = st->stats.last_sr,
					.last_sr_us = st->stats.last_sr_us };

	/* unwrapped numbers go on growing, so that ring and segments never see one twice */
	fresh.seq = (struct mcu_unwrap){ true, ((st->stats.seq.last >> 16) + 2) * 65536 + seq - 1 };
	st->stats = fresh;
	st->have_key = st->bad = false;
	if (st->nack) {
		mcu_nack_free(st->nack);
		st->nack = mcu_nack_new();
	}
	st->source->peer->room->rooms->counters.resync++;
	for (unsigned i = 0; i < st->source->sinks->len; i++) {
		struct sink *sink = g_ptr_array_index(st->source->sinks, i);
		if (sink->current == st) {
			route_restart(sink, now_us);
		}
	}
}

static bool sequence_is_sound(struct stream *st, uint16_t seq, int64_t now_us)
{
	if (st->renewed && st->stats.seq.started) {
		take_up_anew(st, seq, now_us);
	}
	st->renewed = false;
	int16_t step = (int16_t)(uint16_t)(seq - (uint16_t)st->stats.seq.last);
	if (!st->stats.seq.started || step > -JUMP_BACK) {
		st->bad = false;
		return true;
	}
	if (!st->bad || seq != st->bad_seq) {
		st->bad = true;
		st->bad_seq = (uint16_t)(seq + 1);
		return false;
	}
	take_up_anew(st, seq, now_us);
	return true;
}

/* An SSRC that nobody signalled: by MID and RID, else by payload type. A stream that is alive keeps its SSRC, so a
 * flood of new ones takes nothing over and leaves no state. */
static struct ssrc_entry *latch(struct peer *peer, const struct mcu_packet *p, int64_t now_us)
{
	uint8_t mid_len = 0, rid_len = 0;
	const uint8_t *mid = mcu_rtp_ext_find(&p->rtp, peer->ext.id[MCU_EXT_MID], &mid_len);
	struct source *source = mid ? by_mid(peer, mid, mid_len) : by_pt(peer, p->rtp.pt);
	int rtx = source ? claims_pt(source, p->rtp.pt) : -1;

	if (rtx < 0) {
		return NULL;
	}
	uint8_t id = peer->ext.id[rtx ? MCU_EXT_REPAIRED_RID : MCU_EXT_RID];
	const uint8_t *rid = mcu_rtp_ext_find(&p->rtp, id, &rid_len);
	struct stream *st = by_rid(source, rid, rid_len);
	if (!st || (rtx ? st->rtx_ssrc && st->up : st->ssrc && st->up) ||
	    !peer_latch(peer, p->rtp.ssrc, st, rtx)) {
		return NULL;
	}
	if (!rtx && st->stats.seq.started) {
		peer_unlatch(peer, st, true);
		st->rtx_ssrc = 0;
		st->sr_ntp = 0;
		take_up_anew(st, p->rtp.seq, now_us);
	}
	return lookup(peer, p->rtp.ssrc);
}

/* ---- retransmissions: RFC 4588 4, the first two bytes are the original number ---- */
static struct mcu_packet *unwrap_rtx(struct stream *st, struct mcu_packet *p)
{
	const struct source *source = st->source;
	struct mcu_packet *out;
	unsigned i = 0;

	while (i < source->n_codecs && source->codecs[i].rtx_pt != p->rtp.pt) {
		i++;
	}
	if (i == source->n_codecs || p->rtp.payload_len < 2 || !st->ssrc) {
		return NULL;	/* a probe of padding only, or nothing to put it back into */
	}
	out = mcu_packet_new(p->pool);
	if (!out) {
		return NULL;
	}
	const uint8_t *osn = p->data + p->rtp.header_len;
	memcpy(out->data, p->data, p->rtp.header_len);
	memcpy(out->data + p->rtp.header_len, osn + 2, p->rtp.payload_len - 2U);
	out->data[0] &= 0xdf;
	out->data[1] = (uint8_t)((p->rtp.marker ? 0x80 : 0) | source->codecs[i].pt);
	memcpy(out->data + 2, osn, 2);
	for (unsigned k = 0; k < 4; k++) {
		out->data[8 + k] = (uint8_t)(st->ssrc >> (24 - 8 * k));
	}
	out->len = (uint16_t)(p->rtp.header_len + p->rtp.payload_len - 2);
	out->arrival_us = p->arrival_us;
	if (mcu_rtp_parse(out->data, out->len, &out->rtp) < 0) {
		mcu_packet_unref(out);
		return NULL;
	}
	return out;
}

/* ---- what it tells us ---- */
static void tell_up(struct stream *st, int64_t now_us)
{
	struct source *source = st->source;
	struct mcu_stream_event ev = {
		.room = source->peer->room->id, .transport = source->peer->id, .id = source->id,
		.at_ms = ort_wall_ms(), .at_us = now_us,
	};

	if (!st->up) {
		st->up = true;
		st->rate_from_us = now_us;
		st->rate_bytes = 0;
		layer_soon(source, now_us);
	}
	if (!source->up) {
		source->up = true;
		room_emit(source->peer->room->rooms, MCU_EVENT_SOURCE_UP, &ev);
	}
}

static void note_rate(struct stream *st, unsigned bytes, int64_t now_us)
{
	int64_t span = now_us - st->rate_from_us;

	st->rate_bytes += bytes;
	if (span >= RATE_US) {
		uint64_t bps = st->rate_bytes * 8 * ORT_US_PER_S / (uint64_t)span;
		st->bps = st->bps ? (st->bps + bps) / 2 : bps;
		st->rate_bytes = 0;
		st->rate_from_us = now_us;
	}
}

static int codec_of(const struct source *source, uint8_t pt)
{
	for (unsigned i = 0; i < source->n_codecs; i++) {
		if (source->codecs[i].pt == pt) {
			return (int)i;
		}
	}
	return -1;
}

/* Extension values that travel on with the packet. */
void forward_describe(const struct source *source, struct mcu_packet *p, int64_t seq, struct in_packet *ret)
{
	const struct mcu_ext_map *ext = &source->peer->ext;
	uint8_t len = 0;

	*ret = (struct in_packet){ .p = p, .seq = seq, .codec = (uint8_t)MAX(codec_of(source, p->rtp.pt), 0) };
	if (!p->rtp.ext) {
		return;
	}
	if (source->kind == MCU_AUDIO) {
		ret->level = mcu_rtp_ext_find(&p->rtp, ext->id[MCU_EXT_AUDIO_LEVEL], &len);
		ret->level = len ? ret->level : NULL;
		return;
	}
	ret->orientation = mcu_rtp_ext_find(&p->rtp, ext->id[MCU_EXT_ORIENTATION], &len);
	ret->orientation = len ? ret->orientation : NULL;
	len = 0;
	ret->delay = mcu_rtp_ext_find(&p->rtp, ext->id[MCU_EXT_PLAYOUT_DELAY], &len);
	ret->delay = len == 3 ? ret->delay : NULL;
}

static void inspect(struct stream *st, struct in_packet *in, int64_t now_us)
{
	struct source *source = st->source;
	struct mcu_packet *p = in->p;
	struct mcu_frame_info info = { 0 };

	if (!p->rtp.payload_len) {
		return;
	}
	if (source->codecs[in->codec].id == MCU_CODEC_TELEPHONE_EVENT) {	/* sinks leave it out, see map_codecs() */
		dtmf_in(st, p, source->codecs[in->codec].clock_hz, now_us);
		return;
	}
	if (source->codecs[in->codec].ops->inspect(p->data + p->rtp.header_len, p->rtp.payload_len, &info) < 0) {
		source->peer->room->rooms->counters.bad_payload++;
		return;
	}
	if (source->kind == MCU_AUDIO) {
		in->key_start = true;
	} else if (info.keyframe) {
		keyframe_seen(st, in, &info, now_us);
	}
}

static void into_batch(mcu_rooms *rooms, struct stream *st, const struct in_packet *in)
{
	if (st->n_batch == MAX_BATCH) {
		return;
	}
	if (!st->n_batch) {
		if (rooms->n_active == rooms->active_room) {
			rooms->active_room = MAX(16, rooms->active_room * 2);
			rooms->active = g_renew(struct stream *, rooms->active, rooms->active_room);
		}
		rooms->active[rooms->n_active++] = st;
	}
	if (st->n_batch == st->batch_room) {
		st->batch_room = MAX(8, st->batch_room * 2);
		st->batch = g_renew(struct in_packet, st->batch, st->batch_room);
	}
	mcu_packet_ref(in->p);
	st->batch[st->n_batch++] = *in;
}

/* `seq` is unwrapped and new to us. */
static void take_in(struct stream *st, struct mcu_packet *p, int64_t seq, int64_t now_us)
{
	struct source *source = st->source;
	mcu_rooms *rooms = source->peer->room->rooms;
	struct in_packet in;

	tell_up(st, now_us);
	source->last_us = now_us;
	note_rate(st, p->rtp.payload_len, now_us);
	if (st->store) {
		mcu_store_put(st->store, seq, p);
	}
	if (st->nack) {
		mcu_nack_seen(st->nack, seq, now_us);
		rooms_wake(rooms, mcu_nack_deadline(st->nack));
	}
	forward_describe(source, p, seq, &in);
	inspect(st, &in, now_us);
	st->last_ts = p->rtp.ts;
	if (in.level && !source->peer->bridge) {	/* a mix is nobody's voice */
		speaker_note(source, *in.level, now_us);
	}
	if (source->paused) {
		rooms->counters.in_paused++;
		return;
	}
	into_batch(rooms, st, &in);
}

/* Nonce rule: a packet that sinks may have got already never goes out again with fresh extensions. What is older than
 * the ring cannot be told; without a ring there are no retransmissions, and the transport checked for replays. */
static bool is_new(const struct stream *st, int64_t seq, int64_t max_before, bool started)
{
	if (!started || seq > max_before) {
		return true;
	}
	return !st->store || (seq > max_before - (int64_t)st->source->peer->room->rooms->limits.store_slots &&
			      !mcu_store_get(st->store, seq));
}

static void media(struct stream *st, struct mcu_packet *p, int64_t now_us)
{
	mcu_rooms *rooms = st->source->peer->room->rooms;
	bool started = st->stats.seq.started;
	int64_t before = st->stats.seq.last;
	int index = codec_of(st->source, p->rtp.pt);

	if (index < 0) {
		rooms->counters.unknown_pt++;
		return;
	}
	if (!sequence_is_sound(st, p->rtp.seq, now_us)) {
		return;
	}
	if (started && st->stats.seq.last != before) {
		before = st->stats.seq.last;	/* taken up anew */
	}
	uint32_t hz = st->source->codecs[index].clock_hz;
	if (hz != st->stats.clock_hz && st->source->codecs[index].id != MCU_CODEC_TELEPHONE_EVENT) {
		st->clock_hz = st->stats.clock_hz = hz;
	}
	int64_t seq = mcu_recv_stats_packet(&st->stats, &p->rtp, p->rtp.payload_len,
					    p->arrival_us ? p->arrival_us : now_us);
	rooms->counters.rtp_in++;
	rooms->counters.rtp_in_bytes += p->rtp.payload_len;
	if (!is_new(st, seq, before, started)) {
		rooms->counters.duplicate++;
		return;
	}
	st->after_gap = started && seq != before + 1;
	take_in(st, p, seq, now_us);
}

static void retransmission(struct stream *st, struct mcu_packet *p, int64_t now_us)
{
	mcu_rooms *rooms = st->source->peer->room->rooms;
	struct mcu_packet *inner = unwrap_rtx(st, p);

	if (!inner) {
		return;
	}
	struct mcu_unwrap u = st->stats.seq;
	int64_t seq = mcu_unwrap16(&u, inner->rtp.seq);
	rooms->counters.rtx_in++;
	st->rtx++;
	/* beyond what was seen it would move the receiver statistics; the packet itself follows */
	if (!st->stats.seq.started || seq > st->stats.seq.last || codec_of(st->source, inner->rtp.pt) < 0 || !st->store ||
	    !is_new(st, seq, st->stats.seq.last, true)) {
		rooms->counters.duplicate++;
	} else {
		st->after_gap = true;
		take_in(st, inner, seq, now_us);
	}
	mcu_packet_unref(inner);
}

void ingress_rtp(mcu_transport *t, struct mcu_packet *p, int64_t now_us, void *transport_data)
{
	struct peer *peer = transport_data;
	struct ssrc_entry *e = lookup(peer, p->rtp.ssrc);
	uint8_t len = 0;

	if (peer->twcc_in) {
		const uint8_t *v = mcu_rtp_ext_find(&p->rtp, peer->ext.id[MCU_EXT_TWCC], &len);
		if (v && len >= 2) {
			mcu_twcc_recv_seen(peer->twcc_in, (uint16_t)(v[0] << 8 | v[1]), p->arrival_us ? p->arrival_us : now_us);
			peer->twcc_fresh = true;
			rooms_wake(peer->room->rooms, peer->next_twcc_us);
		}
	}
	e = e ? e : latch(peer, p, now_us);
	if (!e) {
		peer->room->rooms->counters.unknown_ssrc++;
	} else if (e->rtx) {
		retransmission(e->stream, p, now_us);
	} else {
		media(e->stream, p, now_us);
	}
}
