/* What a peer sends: a source with one stream per simulcast encoding. */
#include <string.h>

#include "mcu/room/room_priv.h"

enum { STALL_US = 2000000, QUIET_US = 1000000 };

static bool read_codec(const struct mcu_codec_use *in, struct codec_slot *out, GError **err)
{
	int id = in->name ? mcu_codec_by_name(in->name) : -1;

	if (id < 0 || id == MCU_CODEC_RTX) {
		return room_fail(err, MCU_ERROR_NO_CODEC, "codec %s", in->name ? in->name : "(none)");
	}
	if (in->pt < 0 || in->pt > 127 || in->rtx_pt < 0 || in->rtx_pt > 127 || in->clock_hz < 0 || in->clock_hz > 192000) {
		return room_fail(err, MCU_ERROR_INVALID, "codec %s: pt or clock_hz", in->name);
	}
	*out = (struct codec_slot){
		.id = (enum mcu_codec_id)id,
		.ops = mcu_codec_get((enum mcu_codec_id)id),
		.pt = (uint8_t)in->pt,
		.rtx_pt = (uint8_t)in->rtx_pt,
		.clock_hz = in->clock_hz ? (uint32_t)in->clock_hz : mcu_codecs[id].clock_hz,
		.nack = in->nack,
		.pli = in->pli,
		.fir = in->fir,
		.fmtp = g_strdup(in->fmtp),
	};
	return true;
}

/* Rows whose codec this build does not forward are left out, as an SDP answer would. */
bool codecs_read(const struct ort_json_array *in, struct codec_slot *out, unsigned *ret_n, GError **err)
{
	const struct mcu_codec_use *use = in->items;
	g_autoptr(GError) why = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < in->n && n < MAX_CODECS; i++) {
		g_clear_error(&why);
		if (read_codec(&use[i], &out[n], &why)) {
			n++;
		} else if (why->code != MCU_ERROR_NO_CODEC) {
			codecs_clear(out, n);
			g_propagate_error(err, g_steal_pointer(&why));
			return false;
		}
	}
	*ret_n = n;
	return n || room_fail(err, MCU_ERROR_NO_CODEC, "%s", why ? why->message : "codecs: empty");
}

void codecs_clear(struct codec_slot *codecs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		g_clear_pointer(&codecs[i].fmtp, g_free);
	}
}

static void free_stream(struct stream *st)
{
	peer_unlatch(st->source->peer, st, false);
	peer_unlatch(st->source->peer, st, true);
	mcu_nack_free(st->nack);
	mcu_store_free(st->store);
	g_free(st->batch);
	g_free(st->rid);
	g_free(st);
}

static bool wants_nack(const struct source *source)
{
	for (unsigned i = 0; i < source->n_codecs; i++) {
		if (source->codecs[i].nack) {
			return true;
		}
	}
	return false;
}

static struct stream *new_stream(struct source *source, const char *rid)
{
	struct stream *st = g_new0(struct stream, 1);

	st->source = source;
	st->rid = g_strdup(rid);
	st->index = source->n_streams;
	st->clock_hz = source->codecs[0].clock_hz;
	st->stats.clock_hz = st->clock_hz;
	st->ask_next_us = ORT_NEVER;
	st->nack = wants_nack(source) ? mcu_nack_new() : NULL;
	if (source->kind == MCU_VIDEO || st->nack) {
		st->store = mcu_store_new(source->peer->room->rooms->limits.store_slots);
	}
	source->streams[source->n_streams++] = st;
	return st;
}

static bool add_streams(struct source *source, const struct ort_json_array *encodings, GError **err)
{
	const struct mcu_encoding *e = encodings->items;

	if (!encodings->n) {
		(void)new_stream(source, NULL);
	}
	for (size_t i = 0; i < encodings->n; i++) {
		if ((e[i].rid && strlen(e[i].rid) > MAX_MID) || e[i].ssrc < 0 || e[i].ssrc > UINT32_MAX ||
		    e[i].rtx_ssrc < 0 || e[i].rtx_ssrc > UINT32_MAX) {
			return room_fail(err, MCU_ERROR_INVALID, "encodings");
		}
		struct stream *st = new_stream(source, e[i].rid);
		if ((e[i].ssrc && !peer_latch(source->peer, (uint32_t)e[i].ssrc, st, false)) ||
		    (e[i].rtx_ssrc && !peer_latch(source->peer, (uint32_t)e[i].rtx_ssrc, st, true))) {
			return room_fail(err, MCU_ERROR_CONFLICT, "encodings: an SSRC is in use");
		}
	}
	return true;
}

static bool may_add(const struct peer *peer, const struct mcu_source_add *rq, GError **err)
{
	if (!rq->id || (rq->mid && strlen(rq->mid) > MAX_MID) || (rq->kind != MCU_AUDIO && rq->kind != MCU_VIDEO)) {
		return room_fail(err, MCU_ERROR_INVALID, "id, mid (at most %d bytes) or kind", MAX_MID);
	}
	if (rq->encodings.n > MAX_LAYERS || peer->sources->len + peer->sinks->len >= peer_max_streams(peer)) {
		peer->room->rooms->counters.refused_limit++;
		return room_fail(err, MCU_ERROR_LIMIT, "encodings of a source: %d, streams of a transport: %u",
				 MAX_LAYERS, peer_max_streams(peer));
	}
	return true;
}

bool source_add(mcu_room *room, const struct mcu_source_add *rq, int64_t now_us, GError **err)
{
	struct source *source = rq->id ? g_hash_table_lookup(room->sources, rq->id) : NULL;
	struct peer *peer = room_peer(room, rq->transport, err);
	struct mcu_source_add same = *rq;

	if (!peer) {
		return false;
	}
	if (peer->bridge) {
		same.encodings.n = 0;	/* the next worker has other SSRCs */
	}
	g_autofree char *spec = room_spec(&mcu_table_source_add, &same);
	if (source) {
		return (!strcmp(source->spec, spec) || room_fail(err, MCU_ERROR_CONFLICT, "source %s", rq->id)) &&
		       (!peer->bridge || bridge_source_again(source, rq, err));
	}
	if (!may_add(peer, rq, err)) {
		return false;
	}
	source = g_new0(struct source, 1);
	source->peer = peer;
	source->id = g_strdup(rq->id);
	source->mid = g_strdup(rq->mid);
	source->kind = rq->kind;
	source->content = rq->content;
	source->sinks = g_ptr_array_new();
	source->spec = g_steal_pointer(&spec);
	if (!codecs_read(&rq->codecs, source->codecs, &source->n_codecs, err) ||
	    !add_streams(source, &rq->encodings, err)) {
		source_free(source);
		return false;
	}
	g_hash_table_insert(room->sources, source->id, source);
	g_ptr_array_add(peer->sources, source);
	bridge_source_here(source, now_us);
	return true;
}

/* Takes a half-built source. Sinks that it fed stay, silent. */
void source_free(struct source *source)
{
	mcu_room *room = source->peer->room;

	if (g_hash_table_lookup(room->sources, source->id) == source) {
		g_hash_table_remove(room->sources, source->id);
	}
	route_forget(room, source);
	speaker_forget(room, source);
	for (unsigned i = 0; i < source->n_streams; i++) {
		free_stream(source->streams[i]);
	}
	codecs_clear(source->codecs, source->n_codecs);
	g_ptr_array_unref(source->sinks);
	g_free(source->spec);
	g_free(source->mid);
	g_free(source->id);
	g_free(source);
}

void source_pause(struct source *source, bool on, int64_t now_us)
{
	if (source->paused == on) {
		return;
	}
	source->paused = on;
	for (unsigned i = 0; !on && i < source->sinks->len; i++) {
		route_restart(g_ptr_array_index(source->sinks, i), now_us);
	}
}

/* Silence of the whole source; told once, source.up follows when it comes back. */
void source_lost(struct source *source, int64_t now_us)
{
	struct mcu_stream_event ev = {
		.room = source->peer->room->id, .transport = source->peer->id, .id = source->id,
		.at_ms = ort_wall_ms(), .at_us = now_us,
	};

	if (!source->up) {
		return;
	}
	source->up = false;
	room_emit(source->peer->room->rooms, MCU_EVENT_SOURCE_STALLED, &ev);
}

void source_check_stall(struct source *source, int64_t now_us)
{
	bool changed = false;

	for (unsigned i = 0; i < source->n_streams; i++) {
		struct stream *st = source->streams[i];
		if (st->up && now_us - st->stats.last_us >= QUIET_US) {
			st->up = false;
			st->bps = 0;
			changed = true;
		}
	}
	if (changed && source->n_streams > 1) {
		layer_soon(source, now_us);
	}
	if (source->up && now_us - source->last_us >= STALL_US) {
		source_lost(source, now_us);
	}
}
