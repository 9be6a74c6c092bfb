/* What a peer gets: a stream of our own SSRC, with the peer's payload types and extension ids. */
#include <string.h>

#include "mcu/room/room_priv.h"

/* ---- header template: the extensions that every packet of this sink carries ---- */
static unsigned add_element(struct sink *sink, unsigned at, uint8_t id, const void *value, uint8_t len)
{
	if (sink->peer->two_byte) {
		sink->tmpl[at++] = id;
		sink->tmpl[at++] = len;
	} else {
		sink->tmpl[at++] = (uint8_t)(id << 4 | (len - 1));
	}
	memcpy(sink->tmpl + at, value, len);
	return at + len;
}

void sink_build_template(struct sink *sink)
{
	const struct mcu_ext_map *ext = &sink->peer->ext;
	static const uint8_t zero[4];
	unsigned at = 16;

	memset(sink->tmpl, 0, sizeof(sink->tmpl));
	sink->tmpl[0] = 0x90;
	for (unsigned i = 0; i < 4; i++) {
		sink->tmpl[8 + i] = (uint8_t)(sink->ssrc >> (24 - 8 * i));
	}
	/* RFC 8285 4.2, 4.3: one-byte or two-byte form for the whole packet */
	sink->tmpl[12] = sink->peer->two_byte ? 0x10 : 0xbe;
	sink->tmpl[13] = sink->peer->two_byte ? 0x00 : 0xde;
	sink->abs_at = sink->twcc_at = 0;
	if (ext->id[MCU_EXT_MID] && sink->mid && *sink->mid) {
		at = add_element(sink, at, ext->id[MCU_EXT_MID], sink->mid, (uint8_t)strlen(sink->mid));
	}
	if (ext->id[MCU_EXT_ABS_SEND_TIME]) {
		at = add_element(sink, at, ext->id[MCU_EXT_ABS_SEND_TIME], zero, 3);
		sink->abs_at = (uint8_t)(at - 3);
	}
	if (ext->id[MCU_EXT_TWCC]) {
		at = add_element(sink, at, ext->id[MCU_EXT_TWCC], zero, 2);
		sink->twcc_at = (uint8_t)(at - 2);
	}
	sink->tmpl_len = (uint8_t)at;
}

/* ---- life ---- */
static bool ssrc_is_free(const struct peer *peer, uint32_t ssrc)
{
	for (unsigned i = 0; i < peer->sinks->len; i++) {
		const struct sink *s = g_ptr_array_index(peer->sinks, i);
		if (s->ssrc == ssrc || (s->rtx_ssrc && s->rtx_ssrc == ssrc)) {
			return false;
		}
	}
	return ssrc != peer->local_ssrc;
}

static bool may_add(struct peer *peer, const struct mcu_sink_add *rq, GError **err)
{
	if (!rq->id || (rq->mid && strlen(rq->mid) > MAX_MID) || (rq->kind != MCU_AUDIO && rq->kind != MCU_VIDEO)) {
		return room_fail(err, MCU_ERROR_INVALID, "id, mid (at most %d bytes) or kind", MAX_MID);
	}
	if (rq->ssrc < 1 || rq->ssrc > UINT32_MAX || rq->rtx_ssrc < 0 || rq->rtx_ssrc > UINT32_MAX ||
	    rq->rtx_ssrc == rq->ssrc) {
		return room_fail(err, MCU_ERROR_INVALID, "ssrc, rtx_ssrc");
	}
	if (!ssrc_is_free(peer, (uint32_t)rq->ssrc) || (rq->rtx_ssrc && !ssrc_is_free(peer, (uint32_t)rq->rtx_ssrc))) {
		return room_fail(err, MCU_ERROR_CONFLICT, "ssrc or rtx_ssrc is in use on this transport");
	}
	if (peer->sources->len + peer->sinks->len >= peer_max_streams(peer)) {
		peer->room->rooms->counters.refused_limit++;
		return room_fail(err, MCU_ERROR_LIMIT, "streams of a transport: %u", peer_max_streams(peer));
	}
	return true;
}

static bool begin_numbers(struct sink *sink, GError **err)
{
	int64_t rtx = sink->rtx_ssrc ? peer_first_seq(sink->peer, sink->rtx_ssrc) : 0;

	sink->next_out = peer_first_seq(sink->peer, sink->ssrc);
	if (sink->next_out < 0 || rtx < 0) {
		sink->next_out = 0;
		return room_fail(err, MCU_ERROR_LIMIT, "this transport has used too many SSRCs: open another");
	}
	sink->rtx_seq = rtx;
	return true;
}

static struct sink *new_sink(struct peer *peer, const struct mcu_sink_add *rq)
{
	struct sink *sink = g_new0(struct sink, 1);

	sink->peer = peer;
	sink->id = g_strdup(rq->id);
	sink->mid = g_strdup(rq->mid);
	sink->kind = rq->kind;
	sink->ssrc = (uint32_t)rq->ssrc;
	sink->rtx_ssrc = (uint32_t)rq->rtx_ssrc;
	sink->last_ts = g_rand_int(peer->room->rooms->rand);
	return sink;
}

bool sink_add(mcu_room *room, const struct mcu_sink_add *rq, int64_t now_us, GError **err)
{
	struct sink *sink = rq->id ? g_hash_table_lookup(room->sinks, rq->id) : NULL;
	g_autofree char *spec = room_spec(&mcu_table_sink_add, rq);
	struct peer *peer = room_peer(room, rq->transport, err);
	bool named = rq->source && peer && !peer->bridge;	/* else it need not be there yet */
	struct source *source = named ? room_source(room, rq->source, err) : NULL;

	if (!peer) {
		return false;
	}
	if (sink) {
		g_clear_error(err);
		return !strcmp(sink->spec, spec) || room_fail(err, MCU_ERROR_CONFLICT, "sink %s", rq->id);
	}
	if ((named && !source) || !may_add(peer, rq, err)) {
		return false;
	}
	sink = new_sink(peer, rq);
	sink_build_template(sink);
	if (!codecs_read(&rq->codecs, sink->codecs, &sink->n_codecs, err) || !begin_numbers(sink, err) ||
	    !route_set(sink, source, now_us, err)) {
		sink_free(sink);
		return false;
	}
	sink->spec = g_steal_pointer(&spec);
	g_hash_table_insert(room->sinks, sink->id, sink);
	g_ptr_array_add(peer->sinks, sink);
	plain_mark(peer, sink->kind);
	if (peer->bridge) {
		bridge_wish(sink, rq->source, now_us);
	}
	return true;
}

/* Takes a half-built sink. */
void sink_free(struct sink *sink)
{
	mcu_room *room = sink->peer->room;

	if (sink->source) {
		g_ptr_array_remove_fast(sink->source->sinks, sink);
	}
	if (g_hash_table_lookup(room->sinks, sink->id) == sink) {
		g_hash_table_remove(room->sinks, sink->id);
		peer_note_used(sink->peer, sink->ssrc, sink->next_out);
		if (sink->rtx_ssrc) {
			peer_note_used(sink->peer, sink->rtx_ssrc, sink->rtx_seq);
		}
	}
	codecs_clear(sink->codecs, sink->n_codecs);
	g_free(sink->dtmf);
	g_free(sink->spec);
	g_free(sink->mid);
	g_free(sink->wish);
	g_free(sink->id);
	g_free(sink);
}

void sink_prefer(struct sink *sink, const struct mcu_sink_prefer *rq, int64_t now_us)
{
	bool resumed = sink->paused && !rq->paused;

	sink->want_w = rq->width;
	sink->want_h = rq->height;
	sink->want_bps = rq->max_bps;
	sink->paused = rq->paused;
	if (sink->paused) {
		sink->current = sink->target = NULL;
	} else if (resumed) {
		route_restart(sink, now_us);
	}
	if (sink->source) {
		sink->peer->next_layer_us = now_us;
		rooms_wake(sink->peer->room->rooms, now_us);
	}
}
