/* What is counted, per stream every two seconds and on demand. */
#include <string.h>

#include "mcu/room/room_priv.h"

enum { STATS_US = 2000000 };

static uint64_t expected(const struct stream *st)
{
	return st->stats.packets ? (uint64_t)(st->stats.max_seq - st->stats.base_seq + 1) : 0;
}

static const char *kind_name(int kind)
{
	return kind == MCU_AUDIO ? "audio" : "video";
}

/* 0 = not known: a peer that only sends never reports on us */
static int64_t rtt_ms(const struct peer *peer)
{
	return peer->rtt_known ? MAX(peer->rtt_us / 1000, 1) : 0;
}

static void fill_source(const struct source *source, struct mcu_stream_stats *out)
{
	uint64_t due = 0, got = 0;

	*out = (struct mcu_stream_stats){ .id = g_strdup(source->id), .direction = g_strdup("in"),
					  .kind = g_strdup(kind_name(source->kind)), .rtt_ms = rtt_ms(source->peer) };
	for (unsigned i = 0; i < source->n_streams; i++) {
		const struct stream *st = source->streams[i];
		out->packets += (int64_t)st->stats.packets;
		out->bytes += (int64_t)st->stats.bytes;
		out->lost += MAX(0, (int64_t)(expected(st) - st->stats.packets));
		out->bitrate_bps += (int64_t)st->bps;
		out->nack += (int64_t)st->nacks;
		out->pli += (int64_t)st->plis;
		out->rtx += (int64_t)st->rtx;
		out->keyframes += st->keyframes;
		if (st->stats.clock_hz) {
			out->jitter_ms = MAX(out->jitter_ms, st->stats.jitter * 1000 / st->stats.clock_hz);
		}
		due += expected(st) - MIN(expected(st), st->told_expected);
		got += st->stats.packets - MIN(st->stats.packets, st->told_packets);
	}
	out->loss = due > got ? (double)(due - got) / (double)due : 0;
}

static void fill_sink(const struct sink *sink, int64_t span_us, struct mcu_stream_stats *out)
{
	uint64_t octets = sink->octets - MIN(sink->octets, sink->octets_before);

	*out = (struct mcu_stream_stats){
		.id = g_strdup(sink->id),
		.direction = g_strdup("out"),
		.kind = g_strdup(kind_name(sink->kind)),
		.packets = (int64_t)sink->packets,
		.bytes = (int64_t)sink->octets,
		.lost = sink->lost,
		.bitrate_bps = span_us > 0 ? (int64_t)(octets * 8 * ORT_US_PER_S) / span_us : 0,
		.loss = sink->fraction_lost / 256.0,
		.jitter_ms = sink->clock_hz ? sink->jitter * 1000.0 / sink->clock_hz : 0,
		.rtt_ms = rtt_ms(sink->peer),
		.nack = (int64_t)sink->nacks,
		.pli = (int64_t)sink->plis,
		.rtx = (int64_t)sink->rtx_packets,
		.estimate_bps = (int64_t)mcu_bwe_bps(sink->peer->bwe),
	};
}

/* The caller clears *ret with its table. */
void stats_fill(mcu_room *room, struct mcu_room_stats_event *ret, int64_t now_us)
{
	unsigned n = g_hash_table_size(room->sources) + g_hash_table_size(room->sinks), at = 0;
	struct mcu_stream_stats *items = g_new0(struct mcu_stream_stats, n);

	for (unsigned i = 0; i < room->peer_list->len; i++) {
		const struct peer *peer = g_ptr_array_index(room->peer_list, i);
		for (unsigned k = 0; k < peer->sources->len; k++) {
			fill_source(g_ptr_array_index(peer->sources, k), &items[at++]);
		}
		for (unsigned k = 0; k < peer->sinks->len; k++) {
			fill_sink(g_ptr_array_index(peer->sinks, k), now_us - room->stats_us, &items[at++]);
		}
	}
	*ret = (struct mcu_room_stats_event){ .room = g_strdup(room->id), .streams = { items, at },
					      .at_ms = ort_wall_ms(), .at_us = now_us };
}

static void begin_interval(mcu_room *room, int64_t now_us)
{
	room->stats_us = now_us;
	for (unsigned i = 0; i < room->peer_list->len; i++) {
		const struct peer *peer = g_ptr_array_index(room->peer_list, i);
		for (unsigned k = 0; k < peer->sources->len; k++) {
			const struct source *source = g_ptr_array_index(peer->sources, k);
			for (unsigned m = 0; m < source->n_streams; m++) {
				source->streams[m]->told_expected = expected(source->streams[m]);
				source->streams[m]->told_packets = source->streams[m]->stats.packets;
			}
		}
		for (unsigned k = 0; k < peer->sinks->len; k++) {
			struct sink *sink = g_ptr_array_index(peer->sinks, k);
			sink->octets_before = sink->octets;
		}
	}
}

int64_t stats_due(mcu_room *room, int64_t now_us)
{
	struct mcu_room_stats_event ev;

	if (!room->next_stats_us) {
		room->next_stats_us = now_us + STATS_US;
	}
	if (now_us >= room->next_stats_us) {
		room->next_stats_us = now_us + STATS_US;
		stats_fill(room, &ev, now_us);
		room_emit(room->rooms, MCU_EVENT_ROOM_STATS, &ev);
		ort_json_clear(&mcu_table_room_stats_event, &ev);
		begin_interval(room, now_us);
	}
	return room->next_stats_us;
}

static json_t *counters(const mcu_rooms *rooms)
{
	g_autofree char *text = mcu_port_stats(rooms->port);
	json_t *all = text ? ort_json_parse(text, strlen(text), 65536, NULL) : NULL;

	all = all ? all : json_object();
#define X(name, doc) json_object_set_new(all, "room_" #name, json_integer((json_int_t)rooms->counters.name));
#include "mcu/room/counters.def"
#undef X
	return all;
}

bool stats_get(mcu_rooms *rooms, const struct mcu_room_ref *rq, struct mcu_stats_reply *reply, int64_t now_us, GError **err)
{
	mcu_room *one = rq->room ? room_find(rooms, rq->room, err) : NULL;
	unsigned n = one ? 1 : rooms->list->len;

	if (rq->room && !one) {
		return false;
	}
	struct mcu_room_stats_event *items = g_new0(struct mcu_room_stats_event, n);
	for (unsigned i = 0; i < n; i++) {
		stats_fill(one ? one : g_ptr_array_index(rooms->list, i), &items[i], now_us);
	}
	reply->counters = counters(rooms);
	reply->rooms = (struct ort_json_array){ items, n };
	return true;
}
