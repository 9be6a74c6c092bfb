/* The codec worker as a peer: its sinks are the inputs of a mix, its sources the outputs. Two things are unlike other peers.
 * An input is asked for by name, before or after its source is there, and connects by itself each time it comes. And the
 * worker may die: the next one gets a channel of its own, while sources and sinks, and whoever looks at them, stay. */
#include <string.h>

#include "mcu/room/room_priv.h"

enum { BRIDGE_SSRCS = 1024 };
#define BRIDGE_BPS UINT64_C(10000000000)	/* no network in between: layers are chosen by size alone */

static struct peer *open_peer(mcu_room *room, const char *id, mcu_channel *channel, int64_t now_us, GError **err)
{
	g_autoptr(GError) why = NULL;

	if (room->peer_list->len >= room->max_transports) {
		room->rooms->counters.refused_limit++;
		mcu_channel_free(channel);
		(void)room_fail(err, MCU_ERROR_LIMIT, "transports of room %s: %u", room->id, room->max_transports);
		return NULL;
	}
	struct peer *peer = peer_new(room, id, BRIDGE_SSRCS, mcu_bwe_new(BRIDGE_BPS, BRIDGE_BPS, BRIDGE_BPS));
	peer->bridge = true;
	peer->max_bps = BRIDGE_BPS;
	peer->ext.id[MCU_EXT_AUDIO_LEVEL] = MCU_BRIDGE_EXT_LEVEL;
	peer->net = mcu_transport_open_bridge(room->rooms->port, channel, peer, &why);
	if (!peer->net) {
		(void)room_fail(err, MCU_ERROR_LIMIT, "mix %s: %s", id, why ? why->message : "limit of the worker");
		peer_close(peer);
		return NULL;
	}
	peer_enter(peer, now_us);
	return peer;
}

static bool next_worker(struct peer *peer, mcu_channel *channel, int64_t now_us, GError **err)
{
	if (mcu_transport_set_channel(peer->net, channel) < 0) {
		return room_fail(err, MCU_ERROR_INTERNAL, "mix %s: the channel cannot be watched", peer->id);
	}
	peer->up = true;
	peer->have_clock = false;
	for (unsigned i = 0; i < peer->sinks->len; i++) {
		route_restart(g_ptr_array_index(peer->sinks, i), now_us);	/* it begins with a key frame */
	}
	return true;
}

bool mcu_rooms_bridge(mcu_rooms *rooms, const struct mcu_mix_open *rq, mcu_channel *channel, int64_t now_us, GError **err)
{
	mcu_room *room = room_find(rooms, rq->room, err);
	struct peer *peer = room && rq->mix ? g_hash_table_lookup(room->peers, rq->mix) : NULL;

	if (!room || !rq->mix || (peer && !peer->bridge)) {
		mcu_channel_free(channel);
		return !room ? false : room_fail(err, MCU_ERROR_CONFLICT, "mix %s: a transport has this id", rq->mix ? rq->mix : "(none)");
	}
	if (peer) {
		if (!next_worker(peer, channel, now_us, err)) {
			return false;
		}
	} else {
		peer = open_peer(room, rq->mix, channel, now_us, err);
	}
	if (peer) {
		peer->up = true;
		peer->why = NULL;
		rooms_wake(rooms, now_us);
		mcu_port_flush(rooms->port);
	}
	return peer != NULL;
}

/* ---- inputs ---- */

/* The mixer shows a name instead of a picture; only the gateway can do something about it. */
static void tell_unsupported(const struct sink *sink, const GError *why, int64_t now_us)
{
	const struct peer *peer = sink->peer;
	bool named = g_str_has_prefix(sink->id, peer->id) && sink->id[strlen(peer->id)] == '/';
	const char *id = sink->id + (named ? strlen(peer->id) + 1 : 0);
	struct mcu_mix_input_event ev = {
		.room = peer->room->id, .mix = peer->id, .id = (char *)id,
		.state = (char *)"unsupported", .why = (char *)(why->code == MCU_ERROR_NO_CODEC ? "codec" : "kind"),
		.at_ms = ort_wall_ms(), .at_us = now_us,
	};

	room_emit(sink->peer->room->rooms, MCU_EVENT_MIX_INPUT_STATE, &ev);
}

static void connect_wish(struct sink *sink, struct source *source, int64_t now_us)
{
	g_autoptr(GError) why = NULL;

	if (!route_set(sink, source, now_us, &why)) {
		(void)route_set(sink, NULL, now_us, NULL);
		tell_unsupported(sink, why, now_us);
	}
}

void bridge_wish(struct sink *sink, const char *source, int64_t now_us)
{
	char *wish = g_strdup(source);

	g_free(sink->wish);
	sink->wish = wish;
	connect_wish(sink, wish ? g_hash_table_lookup(sink->peer->room->sources, wish) : NULL, now_us);
}

void bridge_source_here(struct source *source, int64_t now_us)
{
	const mcu_room *room = source->peer->room;

	for (unsigned i = 0; i < room->peer_list->len; i++) {
		const struct peer *peer = g_ptr_array_index(room->peer_list, i);
		for (unsigned k = 0; peer->bridge && k < peer->sinks->len; k++) {
			struct sink *sink = g_ptr_array_index(peer->sinks, k);
			if (sink->wish && strcmp(sink->wish, source->id) == 0) {
				connect_wish(sink, source, now_us);
			}
		}
	}
}

/* ---- outputs ---- */

/* The same stream by the next worker: another SSRC, and numbers that begin anew. */
bool bridge_source_again(struct source *source, const struct mcu_source_add *rq, GError **err)
{
	struct stream *st = source->streams[0];
	const struct mcu_encoding *e = rq->encodings.items;

	if (rq->encodings.n != 1 || e->ssrc < 1 || e->ssrc > UINT32_MAX) {
		return room_fail(err, MCU_ERROR_INVALID, "encodings");
	}
	if (st->ssrc == (uint32_t)e->ssrc) {
		return true;
	}
	if (!peer_latch(source->peer, (uint32_t)e->ssrc, st, false)) {
		return room_fail(err, MCU_ERROR_CONFLICT, "encodings: an SSRC is in use");
	}
	st->renewed = true;
	st->sr_ntp = 0;
	return true;
}
