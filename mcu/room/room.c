/* Rooms of one worker: life, method table, the turn. What packets do is in ingress.c and forward.c. */
#include "mcu/room/room_priv.h"

enum { MIN_REST_US = 2000 };	/* between two looks at all peers, if no packet asks for one */

static const struct mcu_room_limits defaults = {
	.max_rooms = 1024, .max_transports = 512, .max_streams = 64, .store_slots = 512, .pli_min_ms = 500,
	.start_bps = 1000000, .max_bps = 20000000,
};

bool room_fail(GError **err, enum mcu_error_id code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (err) {
		g_autofree char *text = g_strdup_vprintf(format, ap);
		g_set_error_literal(err, MCU_ERROR, (int)code, text);
	}
	va_end(ap);
	return false;
}

void room_emit(mcu_rooms *rooms, enum mcu_event event, const void *body)
{
	rooms->fn(event, body, rooms->user_data);
}

char *room_spec(const struct ort_json_table *table, const void *request)
{
	g_autoptr(json_t) json = ort_json_print(table, request);

	return ort_json_text(json);
}

/* ---- finding ---- */
static void *find(GHashTable *table, const char *id, const char *what, GError **err)
{
	void *found = id ? g_hash_table_lookup(table, id) : NULL;

	if (!found) {
		room_fail(err, MCU_ERROR_UNKNOWN_ID, "no %s %s", what, id ? id : "(none)");
	}
	return found;
}

mcu_room *room_find(mcu_rooms *rooms, const char *id, GError **err)
{
	return find(rooms->by_id, id, "room", err);
}

struct peer *room_peer(mcu_room *room, const char *id, GError **err)
{
	return find(room->peers, id, "transport", err);
}

struct source *room_source(mcu_room *room, const char *id, GError **err)
{
	return find(room->sources, id, "source", err);
}

struct sink *room_sink(mcu_room *room, const char *id, GError **err)
{
	return find(room->sinks, id, "sink", err);
}

/* ---- rooms ---- */
static void free_room(void *data)
{
	mcu_room *room = data;

	while (room->peer_list->len) {
		peer_close(g_ptr_array_index(room->peer_list, room->peer_list->len - 1));
	}
	g_ptr_array_unref(room->peer_list);
	g_hash_table_unref(room->peers);
	g_hash_table_unref(room->sources);
	g_hash_table_unref(room->sinks);
	g_ptr_array_remove_fast(room->rooms->list, room);
	g_free(room->id);
	g_free(room);
}

static bool room_open(mcu_rooms *rooms, const void *request, void *reply, int64_t now_us, GError **err)
{
	const struct mcu_room_open *rq = request;
	mcu_room *room = rq->room ? g_hash_table_lookup(rooms->by_id, rq->room) : NULL;

	if (!rq->room) {
		return room_fail(err, MCU_ERROR_INVALID, "room: missing");
	}
	if (room) {
		return room->asked_max == rq->max_transports ||
		       room_fail(err, MCU_ERROR_CONFLICT, "room %s: other max_transports", rq->room);
	}
	if (g_hash_table_size(rooms->by_id) >= rooms->limits.max_rooms) {
		rooms->counters.refused_limit++;
		return room_fail(err, MCU_ERROR_LIMIT, "rooms: %u", rooms->limits.max_rooms);
	}
	room = g_new0(mcu_room, 1);
	room->rooms = rooms;
	room->id = g_strdup(rq->room);
	room->asked_max = rq->max_transports;
	room->max_transports = rooms->limits.max_transports;
	if (rq->max_transports > 0 && rq->max_transports < room->max_transports) {
		room->max_transports = (unsigned)rq->max_transports;
	}
	room->peers = g_hash_table_new(g_str_hash, g_str_equal);
	room->sources = g_hash_table_new(g_str_hash, g_str_equal);
	room->sinks = g_hash_table_new(g_str_hash, g_str_equal);
	room->peer_list = g_ptr_array_new();
	room->stats_us = now_us;
	g_hash_table_insert(rooms->by_id, room->id, room);
	g_ptr_array_add(rooms->list, room);
	return true;
}

static bool room_close(mcu_rooms *rooms, const void *request, void *reply, int64_t now_us, GError **err)
{
	const struct mcu_room_ref *rq = request;

	return (rq->room && g_hash_table_remove(rooms->by_id, rq->room)) ||
	       room_fail(err, MCU_ERROR_UNKNOWN_ID, "no room %s", rq->room ? rq->room : "(none)");
}

/* ---- methods: find what the request names, then the noun's file does the work ---- */
#define METHOD(name, type)                                                                                             \
	static bool name(mcu_rooms *rooms, const void *request, void *reply, int64_t now_us, GError **err)             \
	{                                                                                                              \
		const struct type *rq = request;                                                                       \
		mcu_room *room = room_find(rooms, rq->room, err);                                                      \
		return room && name##_in(room, rq, reply, now_us, err);                                                \
	}

static bool transport_open_in(mcu_room *room, const struct mcu_transport_open *rq, void *reply, int64_t now_us, GError **err)
{
	return peer_open(room, rq, reply, now_us, err);
}

static bool transport_connect_in(mcu_room *room, const struct mcu_transport_connect *rq, void *reply, int64_t now_us,
				 GError **err)
{
	struct peer *peer = room_peer(room, rq->transport, err);

	return peer && peer_connect(peer, rq, err);
}

static bool transport_restart_in(mcu_room *room, const struct mcu_transport_ref *rq, void *reply, int64_t now_us,
				 GError **err)
{
	struct peer *peer = room_peer(room, rq->transport, err);

	return peer && peer_restart(peer, reply, err);
}

/* ICE-lite never checks by itself: a remote candidate tells it nothing (RFC 8445 2.5); full agents want each. */
static bool transport_candidate_in(mcu_room *room, const struct mcu_transport_candidate *rq, void *reply, int64_t now_us,
				   GError **err)
{
	struct peer *peer = room_peer(room, rq->transport, err);
	g_autoptr(GError) why = NULL;

	if (peer && mcu_transport_add_candidate(peer->net, rq->candidate ? rq->candidate : "", &why) < 0) {
		return room_fail(err, MCU_ERROR_INVALID, "candidate: %s", why ? why->message : "not understood");
	}
	return peer != NULL;
}

static bool transport_close_in(mcu_room *room, const struct mcu_transport_ref *rq, void *reply, int64_t now_us, GError **err)
{
	struct peer *peer = room_peer(room, rq->transport, err);

	if (peer) {
		peer_close(peer);
	}
	return peer != NULL;
}

static bool source_add_call_in(mcu_room *room, const struct mcu_source_add *rq, void *reply, int64_t now_us, GError **err)
{
	return source_add(room, rq, now_us, err);
}

static bool source_remove_in(mcu_room *room, const struct mcu_stream_ref *rq, void *reply, int64_t now_us, GError **err)
{
	struct source *source = room_source(room, rq->id, err);

	return source && g_ptr_array_remove(source->peer->sources, source);
}

static bool source_pause_call_in(mcu_room *room, const struct mcu_source_pause *rq, void *reply, int64_t now_us, GError **err)
{
	struct source *source = room_source(room, rq->id, err);

	if (source) {
		source_pause(source, rq->on, now_us);
	}
	return source != NULL;
}

static bool sink_add_call_in(mcu_room *room, const struct mcu_sink_add *rq, void *reply, int64_t now_us, GError **err)
{
	return sink_add(room, rq, now_us, err);
}

static bool sink_route_in(mcu_room *room, const struct mcu_sink_route *rq, void *reply, int64_t now_us, GError **err)
{
	struct sink *sink = room_sink(room, rq->id, err);

	if (sink && sink->peer->bridge) {
		bridge_wish(sink, rq->source, now_us);
		return true;
	}
	struct source *source = sink && rq->source ? room_source(room, rq->source, err) : NULL;
	return sink && (source || !rq->source) && route_set(sink, source, now_us, err);
}

static bool sink_prefer_call_in(mcu_room *room, const struct mcu_sink_prefer *rq, void *reply, int64_t now_us, GError **err)
{
	struct sink *sink = room_sink(room, rq->id, err);

	if (sink) {
		sink_prefer(sink, rq, now_us);
	}
	return sink != NULL;
}

static bool sink_remove_in(mcu_room *room, const struct mcu_stream_ref *rq, void *reply, int64_t now_us, GError **err)
{
	struct sink *sink = room_sink(room, rq->id, err);

	return sink && g_ptr_array_remove(sink->peer->sinks, sink);
}

static bool dtmf_send_call_in(mcu_room *room, const struct mcu_dtmf_send *rq, void *reply, int64_t now_us, GError **err)
{
	struct sink *sink = room_sink(room, rq->id, err);

	return sink && dtmf_send(sink, rq, now_us, err);
}

static bool keyframe_request_in(mcu_room *room, const struct mcu_stream_ref *rq, void *reply, int64_t now_us, GError **err)
{
	struct source *source = room_source(room, rq->id, err);

	for (unsigned i = 0; source && i < source->n_streams; i++) {
		keyframe_want(source->streams[i], now_us);
	}
	return source != NULL;
}

static bool dump(mcu_rooms *rooms, const void *request, void *reply, int64_t now_us, GError **err)
{
	dump_fill(rooms, reply);
	return true;
}

static bool stats(mcu_rooms *rooms, const void *request, void *reply, int64_t now_us, GError **err)
{
	return stats_get(rooms, request, reply, now_us, err);
}

METHOD(transport_open, mcu_transport_open)
METHOD(transport_connect, mcu_transport_connect)
METHOD(transport_restart, mcu_transport_ref)
METHOD(transport_candidate, mcu_transport_candidate)
METHOD(transport_close, mcu_transport_ref)
METHOD(source_add_call, mcu_source_add)
METHOD(source_remove, mcu_stream_ref)
METHOD(source_pause_call, mcu_source_pause)
METHOD(sink_add_call, mcu_sink_add)
METHOD(sink_route, mcu_sink_route)
METHOD(sink_prefer_call, mcu_sink_prefer)
METHOD(sink_remove, mcu_stream_ref)
METHOD(keyframe_request, mcu_stream_ref)
METHOD(dtmf_send_call, mcu_dtmf_send)

static bool (*const methods[MCU_METHOD_N])(mcu_rooms *, const void *, void *, int64_t, GError **) = {
	[MCU_METHOD_ROOM_OPEN] = room_open,
	[MCU_METHOD_ROOM_CLOSE] = room_close,
	[MCU_METHOD_TRANSPORT_OPEN] = transport_open,
	[MCU_METHOD_TRANSPORT_CONNECT] = transport_connect,
	[MCU_METHOD_TRANSPORT_RESTART] = transport_restart,
	[MCU_METHOD_TRANSPORT_CANDIDATE] = transport_candidate,
	[MCU_METHOD_TRANSPORT_CLOSE] = transport_close,
	[MCU_METHOD_SOURCE_ADD] = source_add_call,
	[MCU_METHOD_SOURCE_REMOVE] = source_remove,
	[MCU_METHOD_SOURCE_PAUSE] = source_pause_call,
	[MCU_METHOD_SINK_ADD] = sink_add_call,
	[MCU_METHOD_SINK_ROUTE] = sink_route,
	[MCU_METHOD_SINK_PREFER] = sink_prefer_call,
	[MCU_METHOD_SINK_REMOVE] = sink_remove,
	[MCU_METHOD_KEYFRAME_REQUEST] = keyframe_request,
	[MCU_METHOD_DTMF_SEND] = dtmf_send_call,
	[MCU_METHOD_DUMP] = dump,
	[MCU_METHOD_STATS_GET] = stats,
};

bool mcu_rooms_call(mcu_rooms *rooms, enum mcu_method method, const void *request, void *reply, int64_t now_us, GError **err)
{
	if ((unsigned)method >= MCU_METHOD_N || !methods[method]) {
		return room_fail(err, MCU_ERROR_INVALID, "not a method of rooms");
	}
	bool ok = methods[method](rooms, request, reply, now_us, err);
	mcu_port_flush(rooms->port);
	return ok;
}

/* ---- life and turn ---- */
static void fill_limits(struct mcu_room_limits *l, const struct mcu_room_limits *given)
{
	*l = given ? *given : defaults;
#define DEFAULT(field) l->field = l->field ? l->field : defaults.field
	DEFAULT(max_rooms);
	DEFAULT(max_transports);
	DEFAULT(max_streams);
	DEFAULT(store_slots);
	DEFAULT(pli_min_ms);
	DEFAULT(start_bps);
	DEFAULT(max_bps);
#undef DEFAULT
	unsigned slots = 16;
	while (slots < l->store_slots && slots < 65536) {
		slots *= 2;
	}
	l->store_slots = slots;
}

mcu_rooms *mcu_rooms_new(const struct mcu_port_conf *conf, const struct mcu_room_limits *limits, mcu_room_event_fn fn,
			 void *user_data, GError **err)
{
	static const struct mcu_port_ops ops = {
		.on_rtp = ingress_rtp, .on_rtcp = rtcp_in, .on_state = peer_on_state, .on_batch_end = forward_batch,
	};
	mcu_rooms *rooms = g_new0(mcu_rooms, 1);

	rooms->port = mcu_port_new(conf, &ops, rooms, err);
	if (!rooms->port) {
		g_free(rooms);
		return NULL;
	}
	fill_limits(&rooms->limits, limits);
	rooms->fn = fn;
	rooms->user_data = user_data;
	rooms->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_room);
	rooms->list = g_ptr_array_new();
	rooms->next_us = ORT_NEVER;
	rooms->wall_offset_us = ort_wall_ms() * ORT_US_PER_MS - ort_now_us();
	rooms->rand = conf && conf->seed ? g_rand_new_with_seed((guint32)conf->seed) : g_rand_new();
	g_snprintf(rooms->cname, sizeof(rooms->cname), "%08x%08x", g_rand_int(rooms->rand), g_rand_int(rooms->rand));
	return rooms;
}

void mcu_rooms_free(mcu_rooms *rooms)
{
	if (!rooms) {
		return;
	}
	g_hash_table_unref(rooms->by_id);
	g_ptr_array_unref(rooms->list);
	mcu_port_free(rooms->port);
	g_rand_free(rooms->rand);
	g_free(rooms->active);
	g_free(rooms->dirty);
	g_free(rooms);
}

mcu_port *mcu_rooms_port(mcu_rooms *rooms)
{
	return rooms->port;
}

int64_t mcu_rooms_deadline(const mcu_rooms *rooms)
{
	return earlier(rooms->next_us, mcu_port_deadline(rooms->port));
}

static int64_t source_due(struct source *source, int64_t now_us)
{
	int64_t next = dtmf_in_due(source, now_us);

	for (unsigned i = 0; i < source->n_streams; i++) {
		next = earlier(next, keyframe_due(source->streams[i], now_us));
	}
	return next;
}

static int64_t peer_due(struct peer *peer, int64_t now_us)
{
	int64_t next = layer_due(peer, now_us);

	if (!peer->up) {
		return next;
	}
	for (unsigned i = 0; i < peer->sources->len; i++) {
		next = earlier(next, source_due(g_ptr_array_index(peer->sources, i), now_us));
	}
	for (unsigned i = 0; i < peer->sinks->len; i++) {
		next = earlier(next, dtmf_out_due(g_ptr_array_index(peer->sinks, i), now_us));
	}
	return earlier(next, rtcp_due(peer, now_us));
}

static int64_t stalls_due(mcu_room *room, int64_t now_us)
{
	if (now_us >= room->next_stall_us) {
		room->next_stall_us = now_us + 250000;
		for (unsigned i = 0; i < room->peer_list->len; i++) {
			struct peer *peer = g_ptr_array_index(room->peer_list, i);
			for (unsigned k = 0; k < peer->sources->len; k++) {
				source_check_stall(g_ptr_array_index(peer->sources, k), now_us);
			}
		}
	}
	return room->next_stall_us;
}

static int64_t room_due(mcu_room *room, int64_t now_us)
{
	int64_t next = ORT_NEVER;

	if (!room->peer_list->len) {
		return next;
	}
	next = earlier(stalls_due(room, now_us), speaker_due(room, now_us));
	for (unsigned i = 0; i < room->peer_list->len; i++) {
		next = earlier(next, peer_due(g_ptr_array_index(room->peer_list, i), now_us));
	}
	return earlier(next, stats_due(room, now_us));
}

void mcu_rooms_turn(mcu_rooms *rooms, int64_t now_us)
{
	mcu_port_turn(rooms->port, now_us);
	if (now_us < rooms->next_us) {
		return;
	}
	int64_t next = ORT_NEVER;
	rooms->next_us = ORT_NEVER;
	for (unsigned i = 0; i < rooms->list->len; i++) {
		next = earlier(next, room_due(g_ptr_array_index(rooms->list, i), now_us));
	}
	rooms->next_us = MAX(earlier(rooms->next_us, next), now_us + MIN_REST_US);
	mcu_port_flush(rooms->port);
}
