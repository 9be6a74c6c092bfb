/* Everything that the rooms of one worker hold, for a restarted gateway to adopt. */
#include "mcu/room/room_priv.h"

static struct mcu_dump_stream source_row(const struct source *source)
{
	return (struct mcu_dump_stream){
		.id = g_strdup(source->id), .kind = g_strdup(source->kind == MCU_AUDIO ? "audio" : "video"),
		.mid = g_strdup(source->mid), .ssrc = source->streams[0]->ssrc, .up = source->up,
	};
}

static struct mcu_dump_stream sink_row(const struct sink *sink)
{
	return (struct mcu_dump_stream){
		.id = g_strdup(sink->id), .route = sink->source ? g_strdup(sink->source->id) : NULL,
		.kind = g_strdup(sink->kind == MCU_AUDIO ? "audio" : "video"), .mid = g_strdup(sink->mid),
		.ssrc = sink->ssrc, .up = sink->current != NULL,
	};
}

static struct mcu_dump_transport peer_row(const struct peer *peer)
{
	struct mcu_dump_stream *in = g_new0(struct mcu_dump_stream, peer->sources->len);
	struct mcu_dump_stream *out = g_new0(struct mcu_dump_stream, peer->sinks->len);

	for (unsigned i = 0; i < peer->sources->len; i++) {
		in[i] = source_row(g_ptr_array_index(peer->sources, i));
	}
	for (unsigned i = 0; i < peer->sinks->len; i++) {
		out[i] = sink_row(g_ptr_array_index(peer->sinks, i));
	}
	return (struct mcu_dump_transport){
		.id = g_strdup(peer->id), .state = g_strdup(mcu_transport_state(peer->net)), .why = g_strdup(peer->why),
		.kind = g_strdup(peer->bridge ? "mix" : peer->plain ? "plain" : NULL),
		.sources = { in, peer->sources->len }, .sinks = { out, peer->sinks->len },
	};
}

static struct mcu_dump_room room_row(const mcu_room *room)
{
	struct mcu_dump_transport *items = g_new0(struct mcu_dump_transport, room->peer_list->len);

	for (unsigned i = 0; i < room->peer_list->len; i++) {
		items[i] = peer_row(g_ptr_array_index(room->peer_list, i));
	}
	return (struct mcu_dump_room){ .room = g_strdup(room->id), .transports = { items, room->peer_list->len } };
}

void dump_fill(mcu_rooms *rooms, struct mcu_dump_reply *reply)
{
	struct mcu_dump_room *items = g_new0(struct mcu_dump_room, rooms->list->len);

	for (unsigned i = 0; i < rooms->list->len; i++) {
		items[i] = room_row(g_ptr_array_index(rooms->list, i));
	}
	reply->rooms = (struct ort_json_array){ items, rooms->list->len };
}
