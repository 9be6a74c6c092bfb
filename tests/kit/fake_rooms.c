/* What an engine would hold, without media: see fake_rooms.h. */
#include "tests/kit/fake_rooms.h"

#include <string.h>

#include "mcu/base/clock.h"
#include "tests/kit/fake_mixes.h"

struct stream { char *id, *transport, *route, *mid; int kind; bool sink, up; int64_t ssrc; };
struct transport { char *id; const char *state; bool mix; };
struct room { char *id; int64_t max_transports; GHashTable *transports, *streams; kit_fake_mixes *mixes; };
struct kit_fake_rooms {
	kit_fake_rooms_event_fn fn;
	void *user_data;
	GHashTable *rooms;
	unsigned serial;
	bool play;
};

/* ---- what it holds ---- */

static void stream_free(void *data)
{
	struct stream *s = data;
	g_free(s->id);
	g_free(s->transport);
	g_free(s->route);
	g_free(s->mid);
	g_free(s);
}

static void transport_free(void *data)
{
	g_free(((struct transport *)data)->id);
	g_free(data);
}

static void room_free(void *data)
{
	struct room *r = data;
	g_hash_table_unref(r->transports);
	g_hash_table_unref(r->streams);
	kit_fake_mixes_free(r->mixes);
	g_free(r->id);
	g_free(r);
}

static struct room *room_get(const kit_fake_rooms *w, const char *id)
{
	return id ? g_hash_table_lookup(w->rooms, id) : NULL;
}

static struct room *room_put(kit_fake_rooms *w, const char *id)
{
	struct room *r = room_get(w, id);
	if (!r) {
		r = g_new0(struct room, 1);
		r->id = g_strdup(id);
		r->transports = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, transport_free);
		r->streams = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, stream_free);
		r->mixes = kit_fake_mixes_new();
		g_hash_table_insert(w->rooms, r->id, r);
	}
	return r;
}

static struct transport *transport_put(struct room *r, const char *id)
{
	struct transport *t = g_hash_table_lookup(r->transports, id);
	if (!t) {
		t = g_new0(struct transport, 1);
		t->id = g_strdup(id);
		t->state = "new";
		g_hash_table_insert(r->transports, t->id, t);
	}
	return t;
}

static struct stream *stream_get(const struct room *r, const char *id)
{
	return r && id ? g_hash_table_lookup(r->streams, id) : NULL;
}

static gboolean on_transport(gpointer key, gpointer value, gpointer transport)
{
	return !strcmp(((struct stream *)value)->transport, transport);
}

/* ---- events ---- */

static void tell(kit_fake_rooms *w, enum mcu_event event, const void *body)
{
	if (w->fn) {
		w->fn(event, body, w->user_data);
	}
}

void kit_fake_rooms_transport_state(kit_fake_rooms *w, const char *room, const char *transport, const char *state)
{
	struct room *r = room_get(w, room);
	struct transport *t = r ? g_hash_table_lookup(r->transports, transport) : NULL;
	if (t) {
		t->state = g_intern_string(state);
	}
	struct mcu_transport_state body = { .room = (char *)room, .transport = (char *)transport, .state = (char *)state,
					    .at_ms = ort_wall_ms(), .at_us = ort_now_us() };
	tell(w, MCU_EVENT_TRANSPORT_STATE, &body);
}

void kit_fake_rooms_source_up(kit_fake_rooms *w, const char *room, const char *source)
{
	struct stream *s = stream_get(room_get(w, room), source);
	if (s) {
		s->up = true;
	}
	struct mcu_stream_event body = { .room = (char *)room, .transport = s ? s->transport : NULL, .id = (char *)source,
					 .at_ms = ort_wall_ms(), .at_us = ort_now_us() };
	tell(w, MCU_EVENT_SOURCE_UP, &body);
}

void kit_fake_rooms_keyframe(kit_fake_rooms *w, const char *room, const char *sink)
{
	struct stream *s = stream_get(room_get(w, room), sink);
	struct mcu_sink_event body = { .room = (char *)room, .id = (char *)sink, .source = s ? s->route : NULL,
				       .at_ms = ort_wall_ms(), .at_us = ort_now_us() };
	tell(w, MCU_EVENT_SINK_FIRST_KEYFRAME, &body);
}

static void play_connected(kit_fake_rooms *w, const char *room, const char *transport)
{
	static const char *const states[] = { "ice", "dtls", "up" };
	struct room *r = room_get(w, room);
	GHashTableIter iter;
	struct stream *s;
	for (size_t i = 0; w->play && i < G_N_ELEMENTS(states); i++) {
		kit_fake_rooms_transport_state(w, room, transport, states[i]);
	}
	g_hash_table_iter_init(&iter, r->streams);
	while (w->play && g_hash_table_iter_next(&iter, NULL, (void **)&s)) {
		if (!s->sink && !s->up && !strcmp(s->transport, transport)) {
			kit_fake_rooms_source_up(w, room, s->id);
		}
	}
}

static void play_sink(kit_fake_rooms *w, const char *room, const struct stream *s)
{
	const struct stream *source = stream_get(room_get(w, room), s->route);
	if (w->play && s->kind == MCU_VIDEO && source && source->up) {
		kit_fake_rooms_keyframe(w, room, s->id);
	}
}

/* ---- methods: each fills a reply struct, or returns an error id; -1 = done ---- */

static void put_streams(struct ort_json_array *to, const struct room *room, const char *transport, bool sinks)
{
	GArray *list = g_array_new(FALSE, TRUE, sizeof(struct mcu_dump_stream));
	GHashTableIter iter;
	struct stream *s;
	g_hash_table_iter_init(&iter, room->streams);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&s)) {
		if (s->sink != sinks || strcmp(s->transport, transport) != 0) {
			continue;
		}
		struct mcu_dump_stream d = { .id = g_strdup(s->id), .route = g_strdup(s->route),
					     .kind = g_strdup(s->kind == MCU_AUDIO ? "audio" : "video"),
					     .mid = g_strdup(s->mid), .ssrc = s->ssrc, .up = s->up };
		g_array_append_val(list, d);
	}
	to->n = list->len;
	to->items = g_array_free(list, FALSE);
}

static void put_room(struct mcu_dump_room *to, const struct room *room)
{
	struct mcu_dump_transport *d = g_new0(struct mcu_dump_transport, g_hash_table_size(room->transports) + 1);
	GHashTableIter iter;
	struct transport *t;
	to->room = g_strdup(room->id);
	to->transports.items = d;
	kit_fake_mixes_dump(room->mixes, &to->mixes);
	g_hash_table_iter_init(&iter, room->transports);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&t)) {
		d->id = g_strdup(t->id);
		d->state = g_strdup(t->state);
		d->kind = t->mix ? g_strdup("mix") : NULL;
		put_streams(&d->sources, room, t->id, false);
		put_streams(&d->sinks, room, t->id, true);
		d++;
		to->transports.n++;
	}
}

static int do_dump(kit_fake_rooms *w, const void *request, void *reply)
{
	struct mcu_dump_reply *r = reply;
	struct mcu_dump_room *d = g_new0(struct mcu_dump_room, g_hash_table_size(w->rooms) + 1);
	GHashTableIter iter;
	struct room *room;
	r->rooms.items = d;
	g_hash_table_iter_init(&iter, w->rooms);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&room)) {
		put_room(&d[r->rooms.n++], room);
	}
	return -1;
}

static int do_stats(kit_fake_rooms *w, const void *request, void *reply)
{
	const struct mcu_room_ref *q = request;
	struct mcu_stats_reply *r = reply;
	r->counters = json_pack("{s:i}", "rooms", (int)g_hash_table_size(w->rooms));
	return q->room && !room_get(w, q->room) ? MCU_ERROR_UNKNOWN_ID : -1;
}

static int do_room_open(kit_fake_rooms *w, const void *request, void *reply)
{
	const struct mcu_room_open *q = request;
	struct room *r = room_get(w, q->room);
	if (r && r->max_transports != q->max_transports) {
		return MCU_ERROR_CONFLICT;
	}
	room_put(w, q->room)->max_transports = q->max_transports;
	return -1;
}

static int do_room_close(kit_fake_rooms *w, const void *request, void *reply)
{
	const struct mcu_room_ref *q = request;
	return q->room && g_hash_table_remove(w->rooms, q->room) ? -1 : MCU_ERROR_UNKNOWN_ID;
}

static void fill_transport(kit_fake_rooms *w, struct mcu_transport_reply *r)
{
	struct mcu_candidate_use *c = g_new0(struct mcu_candidate_use, 1);
	GString *print = g_string_new(NULL);
	w->serial++;
	for (unsigned i = 0; i < 32; i++) {
		g_string_append_printf(print, "%s%02X", i ? ":" : "", (w->serial * 37 + i) & 255);
	}
	r->ice_ufrag = g_strdup_printf("fake%u", w->serial);
	r->ice_pwd = g_strdup_printf("fakefakefakefakefake%04u", w->serial);
	r->fingerprint = g_string_free(print, FALSE);
	r->ice_lite = true;
	c->foundation = g_strdup("1");
	c->protocol = g_strdup("udp");
	c->ip = g_strdup("127.0.0.1");
	c->type = g_strdup("host");
	c->priority = 2130706431;
	c->port = 40000;
	r->candidates = (struct ort_json_array){ c, 1 };
}

/* No ICE, a port of its own; a fingerprint only with DTLS. */
static void fill_plain(kit_fake_rooms *w, const struct mcu_transport_open *q, struct mcu_transport_reply *r)
{
	r->rtcp_port = q->rtcp_mux ? 0 : 41001 + 2 * (w->serial % 10000);
	((struct mcu_candidate_use *)r->candidates.items)->port = 41000 + 2 * (w->serial % 10000);
	r->ice_lite = false;
	g_clear_pointer(&r->ice_ufrag, g_free);
	g_clear_pointer(&r->ice_pwd, g_free);
	if (!q->security || strcmp(q->security, "dtls") != 0) {
		g_clear_pointer(&r->fingerprint, g_free);
	}
}

static int do_transport_open(kit_fake_rooms *w, const void *request, void *reply)
{
	const struct mcu_transport_open *q = request;
	struct room *r = room_get(w, q->room);
	if (!r) {
		return MCU_ERROR_UNKNOWN_ID;
	}
	transport_put(r, q->transport);
	fill_transport(w, reply);
	if (q->kind && !strcmp(q->kind, "plain")) {
		fill_plain(w, q, reply);
	}
	return -1;
}

static struct transport *transport_of(const kit_fake_rooms *w, const char *room, const char *transport)
{
	struct room *r = room_get(w, room);
	return r ? g_hash_table_lookup(r->transports, transport) : NULL;
}

static int do_transport_connect(kit_fake_rooms *w, const void *request, void *reply)
{
	const struct mcu_transport_connect *q = request;
	return transport_of(w, q->room, q->transport) ? -1 : MCU_ERROR_UNKNOWN_ID;
}

static int do_transport_restart(kit_fake_rooms *w, const void *request, void *reply)
{
	const struct mcu_transport_ref *q = request;
	if (!transport_of(w, q->room, q->transport)) {
		return MCU_ERROR_UNKNOWN_ID;
	}
	fill_transport(w, reply);
	return -1;
}

static int do_transport_candidate(kit_fake_rooms *w, const void *request, void *reply)
{
	const struct mcu_transport_candidate *q = request;
	return transport_of(w, q->room, q->transport) ? -1 : MCU_ERROR_UNKNOWN_ID;
}

static int do_transport_close(kit_fake_rooms *w, const void *request, void *reply)
{
	const struct mcu_transport_ref *q = request;
	if (!transport_of(w, q->room, q->transport)) {
		return MCU_ERROR_UNKNOWN_ID;
	}
	struct room *r = room_get(w, q->room);
	g_hash_table_foreach_remove(r->streams, on_transport, q->transport);
	g_hash_table_remove(r->transports, q->transport);
	if (kit_fake_mixes_has(r->mixes, q->transport)) {
		(void)kit_fake_mixes_call(r->mixes, MCU_METHOD_MIX_CLOSE, &(struct mcu_mix_ref){ q->room, q->transport, NULL });
	}
	return -1;
}

static int add_stream(kit_fake_rooms *w, const char *room, const struct stream *like)
{
	struct room *r = room_get(w, room);
	if (!r || !g_hash_table_contains(r->transports, like->transport)) {
		return MCU_ERROR_UNKNOWN_ID;
	}
	struct stream *old = stream_get(r, like->id);
	if (old) {
		return old->sink == like->sink && old->kind == like->kind ? -1 : MCU_ERROR_CONFLICT;
	}
	struct stream *s = g_memdup2(like, sizeof(*like));
	s->id = g_strdup(like->id);
	s->transport = g_strdup(like->transport);
	s->route = g_strdup(like->route);
	s->mid = g_strdup(like->mid);
	g_hash_table_insert(r->streams, s->id, s);
	return -1;
}

static int do_source_add(kit_fake_rooms *w, const void *request, void *reply)
{
	const struct mcu_source_add *q = request;
	return add_stream(w, q->room, &(struct stream){ .id = q->id, .transport = q->transport, .mid = q->mid, .kind = q->kind });
}

static int do_sink_add(kit_fake_rooms *w, const void *request, void *reply)
{
	const struct mcu_sink_add *q = request;
	const struct transport *t = transport_of(w, q->room, q->transport);
	if (q->source && !(t && t->mix) && !stream_get(room_get(w, q->room), q->source)) {
		return MCU_ERROR_UNKNOWN_ID;
	}
	return add_stream(w, q->room, &(struct stream){ .id = q->id, .transport = q->transport, .mid = q->mid, .kind = q->kind,
							.sink = true, .route = q->source, .ssrc = q->ssrc });
}

static int do_stream_remove(kit_fake_rooms *w, const void *request, void *reply)
{
	const struct mcu_stream_ref *q = request;
	struct room *r = room_get(w, q->room);
	return r && g_hash_table_remove(r->streams, q->id) ? -1 : MCU_ERROR_UNKNOWN_ID;
}

static int do_stream_touch(kit_fake_rooms *w, const void *request, void *reply)
{
	/* source_pause, sink_prefer and stream_ref all begin with room and id */
	const struct mcu_stream_ref *q = request;
	return stream_get(room_get(w, q->room), q->id) ? -1 : MCU_ERROR_UNKNOWN_ID;
}

static int do_sink_route(kit_fake_rooms *w, const void *request, void *reply)
{
	const struct mcu_sink_route *q = request;
	struct room *r = room_get(w, q->room);
	struct stream *s = stream_get(r, q->id);
	if (!s || !s->sink || (q->source && !stream_get(r, q->source))) {
		return MCU_ERROR_UNKNOWN_ID;
	}
	g_free(s->route);
	s->route = g_strdup(q->source);
	return -1;
}

static int do_dtmf_send(kit_fake_rooms *w, const void *request, void *reply)
{
	const struct mcu_dtmf_send *q = request;
	const struct stream *s = stream_get(room_get(w, q->room), q->id);
	return !s || !s->sink ? MCU_ERROR_UNKNOWN_ID : strspn(q->digits, "0123456789ABCD*#") != strlen(q->digits) ? MCU_ERROR_INVALID : -1;
}

/* ---- mixing: the mix is a transport of its id, an output a source of the room ---- */

static void mix_state(kit_fake_rooms *w, const char *room, const char *mix, const char *state)
{
	struct mcu_mix_state_event body = { .room = (char *)room, .mix = (char *)mix, .state = (char *)state,
					    .at_ms = ort_wall_ms(), .at_us = ort_now_us() };
	tell(w, MCU_EVENT_MIX_STATE, &body);
}

static int mix_call(kit_fake_rooms *w, enum mcu_method method, const void *request)
{
	const struct mcu_mix_ref *q = request;
	struct room *r = room_get(w, q->room);
	int error = r ? kit_fake_mixes_call(r->mixes, method, request) : MCU_ERROR_UNKNOWN_ID;
	if (error >= 0) {
		return error;
	}
	if (method == MCU_METHOD_MIX_OPEN) {
		struct transport *t = transport_put(r, q->mix);
		t->state = "up";
		t->mix = true;
	} else if (method == MCU_METHOD_MIX_CLOSE) {
		g_hash_table_foreach_remove(r->streams, on_transport, q->mix);
		g_hash_table_remove(r->transports, q->mix);
	} else if (method == MCU_METHOD_MIX_OUTPUT) {
		const struct mcu_mix_output *out = request;
		return add_stream(w, q->room, &(struct stream){ .id = out->id, .transport = out->mix, .kind = out->kind });
	} else if (method == MCU_METHOD_MIX_OUTPUT_REMOVE) {
		g_hash_table_remove(r->streams, q->id);
	}
	return -1;
}

static void play_mix(kit_fake_rooms *w, enum mcu_method method, const void *request)
{
	const struct mcu_mix_ref *q = request;
	const struct mcu_mix_view *view = request;
	const struct mcu_mix_input *in = request;
	if (method == MCU_METHOD_MIX_OPEN) {
		mix_state(w, q->room, q->mix, "up");
	} else if (method == MCU_METHOD_MIX_OUTPUT) {
		kit_fake_rooms_source_up(w, q->room, q->id);
	} else if (method == MCU_METHOD_MIX_VIEW && !view->test) {
		struct mcu_mix_view_event body = { .room = q->room, .mix = q->mix, .id = q->id, .layout = view->layout,
						   .at_ms = ort_wall_ms(), .at_us = ort_now_us() };
		tell(w, MCU_EVENT_MIX_VIEW_SHOWN, &body);
	} else if (method == MCU_METHOD_MIX_INPUT && in->kind == MCU_VIDEO) {
		const struct stream *s = stream_get(room_get(w, q->room), in->source);
		struct mcu_mix_input_event body = { .room = q->room, .mix = q->mix, .id = q->id,
						    .state = (char *)(s && s->up ? "shown" : "waiting"),
						    .at_ms = ort_wall_ms(), .at_us = ort_now_us() };
		tell(w, MCU_EVENT_MIX_INPUT_STATE, &body);
	}
}

static int (*const handlers[MCU_METHOD_N])(kit_fake_rooms *w, const void *request, void *reply) = {
	[MCU_METHOD_DUMP] = do_dump,
	[MCU_METHOD_STATS_GET] = do_stats,
	[MCU_METHOD_ROOM_OPEN] = do_room_open,
	[MCU_METHOD_ROOM_CLOSE] = do_room_close,
	[MCU_METHOD_TRANSPORT_OPEN] = do_transport_open,
	[MCU_METHOD_TRANSPORT_CONNECT] = do_transport_connect,
	[MCU_METHOD_TRANSPORT_RESTART] = do_transport_restart,
	[MCU_METHOD_TRANSPORT_CANDIDATE] = do_transport_candidate,
	[MCU_METHOD_TRANSPORT_CLOSE] = do_transport_close,
	[MCU_METHOD_SOURCE_ADD] = do_source_add,
	[MCU_METHOD_SOURCE_REMOVE] = do_stream_remove,
	[MCU_METHOD_SOURCE_PAUSE] = do_stream_touch,
	[MCU_METHOD_SINK_ADD] = do_sink_add,
	[MCU_METHOD_SINK_ROUTE] = do_sink_route,
	[MCU_METHOD_SINK_PREFER] = do_stream_touch,
	[MCU_METHOD_SINK_REMOVE] = do_stream_remove,
	[MCU_METHOD_KEYFRAME_REQUEST] = do_stream_touch,
	[MCU_METHOD_DTMF_SEND] = do_dtmf_send,
};

/* What follows by itself once the answer is out. */
static void play_after(kit_fake_rooms *w, enum mcu_method method, const void *request)
{
	const struct mcu_transport_connect *connect = request;
	const struct mcu_source_add *source = request;
	const struct mcu_sink_add *sink = request;
	const struct mcu_sink_route *route = request;
	struct transport *t;
	if (method >= MCU_METHOD_MIX_OPEN) {
		play_mix(w, method, request);
		return;
	}
	switch (method) {
	case MCU_METHOD_TRANSPORT_CONNECT:
		play_connected(w, connect->room, connect->transport);
		break;
	case MCU_METHOD_SOURCE_ADD:
		t = transport_of(w, source->room, source->transport);
		if (!strcmp(t->state, "up")) {
			kit_fake_rooms_source_up(w, source->room, source->id);
		}
		break;
	case MCU_METHOD_SINK_ADD:
		play_sink(w, sink->room, stream_get(room_get(w, sink->room), sink->id));
		break;
	case MCU_METHOD_SINK_ROUTE:
		play_sink(w, route->room, stream_get(room_get(w, route->room), route->id));
		break;
	default:
		break;
	}
}

bool kit_fake_rooms_call(kit_fake_rooms *w, enum mcu_method method, const void *request, void *reply, GError **err)
{
	int error = method >= MCU_METHOD_MIX_OPEN ? mix_call(w, method, request)
		    : handlers[method]		  ? handlers[method](w, request, reply)
						  : MCU_ERROR_INVALID;
	if (error >= 0) {
		g_set_error_literal(err, MCU_ERROR, error, mcu_errors[error].en);
	} else {
		kit_fake_mixes_answer(method, request, reply);
	}
	return error < 0;
}

void kit_fake_rooms_go_on(kit_fake_rooms *w, enum mcu_method method, const void *request)
{
	if (w->play) {
		play_after(w, method, request);
	}
}

kit_fake_rooms *kit_fake_rooms_new(kit_fake_rooms_event_fn fn, void *user_data)
{
	kit_fake_rooms *w = g_new0(kit_fake_rooms, 1);
	w->fn = fn;
	w->user_data = user_data;
	w->rooms = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, room_free);
	return w;
}

void kit_fake_rooms_free(kit_fake_rooms *w)
{
	g_hash_table_unref(w->rooms);
	g_free(w);
}

void kit_fake_rooms_clear(kit_fake_rooms *w)
{
	g_hash_table_remove_all(w->rooms);
}

void kit_fake_rooms_play(kit_fake_rooms *w, bool on)
{
	w->play = on;
}

unsigned kit_fake_rooms_count(const kit_fake_rooms *w)
{
	return g_hash_table_size(w->rooms);
}

bool kit_fake_rooms_has_room(const kit_fake_rooms *w, const char *room)
{
	return room_get(w, room) != NULL;
}

bool kit_fake_rooms_has_transport(const kit_fake_rooms *w, const char *room, const char *transport)
{
	return transport_of(w, room, transport) != NULL;
}

const char *kit_fake_rooms_route(const kit_fake_rooms *w, const char *room, const char *sink)
{
	const struct stream *s = stream_get(room_get(w, room), sink);
	return s && s->sink ? (s->route ? s->route : "") : NULL;
}

bool kit_fake_rooms_has_source(const kit_fake_rooms *w, const char *room, const char *source)
{
	const struct stream *s = stream_get(room_get(w, room), source);
	return s && !s->sink;
}

void kit_fake_rooms_put_mix(kit_fake_rooms *w, const char *room, const char *mix)
{
	struct transport *t = transport_put(room_put(w, room), mix);
	t->state = "up";
	t->mix = true;
}

bool kit_fake_rooms_has_mix(const kit_fake_rooms *w, const char *room, const char *mix)
{
	const struct room *r = room_get(w, room);
	return r && kit_fake_mixes_has(r->mixes, mix);
}

json_t *kit_fake_rooms_mix(const kit_fake_rooms *w, const char *room, const char *mix)
{
	struct room *r = room_get(w, room);
	return r ? kit_fake_mixes_print(r->mixes, mix) : NULL;
}

void kit_fake_rooms_put_transport(kit_fake_rooms *w, const char *room, const char *transport)
{
	transport_put(room_put(w, room), transport)->state = "up";
}
