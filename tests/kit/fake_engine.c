#include "tests/kit/fake_engine.h"

#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/loop.h"
#include "mcu/base/rpc.h"

struct stream { char *id, *transport, *route, *mid; int kind; bool sink, up; int64_t ssrc; };
struct transport { char *id; const char *state; };
struct room { char *id; int64_t max_transports; GHashTable *transports, *streams; };
struct fault { bool fails, mutes; enum mcu_error_id error; unsigned fail_left, mute_left; int64_t delay_ms; };
struct late { kit_fake_engine *e; ort_rpc_call *call; json_t *result; GSource *timer; };

struct kit_fake_engine {
	GMainContext *context;
	ort_rpc *rpc;
	int listener;
	GSource *accept_source;
	char *path, *boot;
	GHashTable *rooms;
	GPtrArray *late;	/* struct late */
	struct fault faults[MCU_METHOD_N];
	unsigned calls[MCU_METHOD_N], boots, serial;
	bool play, draining;
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
	g_free(r->id);
	g_free(r);
}

static struct room *room_get(const kit_fake_engine *e, const char *id)
{
	return id ? g_hash_table_lookup(e->rooms, id) : NULL;
}

static struct room *room_put(kit_fake_engine *e, const char *id)
{
	struct room *r = room_get(e, id);
	if (!r) {
		r = g_new0(struct room, 1);
		r->id = g_strdup(id);
		r->transports = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, transport_free);
		r->streams = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, stream_free);
		g_hash_table_insert(e->rooms, r->id, r);
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

void kit_fake_engine_event(kit_fake_engine *e, enum mcu_event event, const void *body)
{
	if (e->rpc) {
		ort_rpc_notify(e->rpc, mcu_events[event].name, ort_json_print(mcu_events[event].body, body));
	}
}

void kit_fake_engine_transport_state(kit_fake_engine *e, const char *room, const char *transport, const char *state)
{
	struct room *r = room_get(e, room);
	struct transport *t = r ? g_hash_table_lookup(r->transports, transport) : NULL;
	if (t) {
		t->state = g_intern_string(state);
	}
	struct mcu_transport_state body = { .room = (char *)room, .transport = (char *)transport, .state = (char *)state,
					    .at_ms = ort_wall_ms(), .at_us = ort_now_us() };
	kit_fake_engine_event(e, MCU_EVENT_TRANSPORT_STATE, &body);
}

void kit_fake_engine_source_up(kit_fake_engine *e, const char *room, const char *source)
{
	struct stream *s = stream_get(room_get(e, room), source);
	if (s) {
		s->up = true;
	}
	struct mcu_stream_event body = { .room = (char *)room, .transport = s ? s->transport : NULL, .id = (char *)source,
					 .at_ms = ort_wall_ms(), .at_us = ort_now_us() };
	kit_fake_engine_event(e, MCU_EVENT_SOURCE_UP, &body);
}

void kit_fake_engine_keyframe(kit_fake_engine *e, const char *room, const char *sink)
{
	struct stream *s = stream_get(room_get(e, room), sink);
	struct mcu_sink_event body = { .room = (char *)room, .id = (char *)sink, .source = s ? s->route : NULL,
				       .at_ms = ort_wall_ms(), .at_us = ort_now_us() };
	kit_fake_engine_event(e, MCU_EVENT_SINK_FIRST_KEYFRAME, &body);
}

static void play_connected(kit_fake_engine *e, const char *room, const char *transport)
{
	static const char *const states[] = { "ice", "dtls", "up" };
	struct room *r = room_get(e, room);
	GHashTableIter iter;
	struct stream *s;
	for (size_t i = 0; e->play && i < G_N_ELEMENTS(states); i++) {
		kit_fake_engine_transport_state(e, room, transport, states[i]);
	}
	g_hash_table_iter_init(&iter, r->streams);
	while (e->play && g_hash_table_iter_next(&iter, NULL, (void **)&s)) {
		if (!s->sink && !s->up && !strcmp(s->transport, transport)) {
			kit_fake_engine_source_up(e, room, s->id);
		}
	}
}

static void play_sink(kit_fake_engine *e, const char *room, const struct stream *s)
{
	const struct stream *source = stream_get(room_get(e, room), s->route);
	if (e->play && s->kind == MCU_VIDEO && source && source->up) {
		kit_fake_engine_keyframe(e, room, s->id);
	}
}

/* ---- methods: each fills a reply struct, or returns an error id; -1 = done ---- */

static int do_hello(kit_fake_engine *e, const void *request, void *reply)
{
	const struct mcu_hello_request *q = request;
	struct mcu_hello_reply *r = reply;
	struct mcu_worker_info *w = g_new0(struct mcu_worker_info, 1);
	w->port = 40000;
	w->rooms = g_hash_table_size(e->rooms);
	r->proto = MIN(q->proto, MCU_PROTO_VERSION);
	r->build = g_strdup("fake");
	r->engine = g_strdup("fake");
	r->boot = g_strdup(e->boot);
	r->workers = (struct ort_json_array){ w, 1 };
	r->max_transports = 512;
	r->max_rooms = 1024;
	return -1;
}

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
	g_hash_table_iter_init(&iter, room->transports);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&t)) {
		d->id = g_strdup(t->id);
		d->state = g_strdup(t->state);
		put_streams(&d->sources, room, t->id, false);
		put_streams(&d->sinks, room, t->id, true);
		d++;
		to->transports.n++;
	}
}

static int do_dump(kit_fake_engine *e, const void *request, void *reply)
{
	struct mcu_dump_reply *r = reply;
	struct mcu_dump_room *d = g_new0(struct mcu_dump_room, g_hash_table_size(e->rooms) + 1);
	GHashTableIter iter;
	struct room *room;
	r->boot = g_strdup(e->boot);
	r->rooms.items = d;
	g_hash_table_iter_init(&iter, e->rooms);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&room)) {
		put_room(&d[r->rooms.n++], room);
	}
	return -1;
}

static int do_stats(kit_fake_engine *e, const void *request, void *reply)
{
	const struct mcu_room_ref *q = request;
	struct mcu_stats_reply *r = reply;
	r->counters = json_pack("{s:i}", "rooms", (int)g_hash_table_size(e->rooms));
	return q->room && !room_get(e, q->room) ? MCU_ERROR_UNKNOWN_ID : -1;
}

static int do_drain(kit_fake_engine *e, const void *request, void *reply)
{
	e->draining = ((const struct mcu_drain_request *)request)->on;
	return -1;
}

static int do_room_open(kit_fake_engine *e, const void *request, void *reply)
{
	const struct mcu_room_open *q = request;
	struct room *r = room_get(e, q->room);
	if (!r && e->draining) {
		return MCU_ERROR_DRAINING;
	}
	if (r && r->max_transports != q->max_transports) {
		return MCU_ERROR_CONFLICT;
	}
	room_put(e, q->room)->max_transports = q->max_transports;
	return -1;
}

static int do_room_close(kit_fake_engine *e, const void *request, void *reply)
{
	const struct mcu_room_ref *q = request;
	return q->room && g_hash_table_remove(e->rooms, q->room) ? -1 : MCU_ERROR_UNKNOWN_ID;
}

static void fill_transport(kit_fake_engine *e, struct mcu_transport_reply *r)
{
	struct mcu_candidate_use *c = g_new0(struct mcu_candidate_use, 1);
	GString *print = g_string_new(NULL);
	e->serial++;
	for (unsigned i = 0; i < 32; i++) {
		g_string_append_printf(print, "%s%02X", i ? ":" : "", (e->serial * 37 + i) & 255);
	}
	r->ice_ufrag = g_strdup_printf("fake%u", e->serial);
	r->ice_pwd = g_strdup_printf("fakefakefakefakefake%04u", e->serial);
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

static int do_transport_open(kit_fake_engine *e, const void *request, void *reply)
{
	const struct mcu_transport_open *q = request;
	struct room *r = room_get(e, q->room);
	if (!r) {
		return MCU_ERROR_UNKNOWN_ID;
	}
	transport_put(r, q->transport);
	fill_transport(e, reply);
	return -1;
}

static struct transport *transport_of(const kit_fake_engine *e, const char *room, const char *transport)
{
	struct room *r = room_get(e, room);
	return r ? g_hash_table_lookup(r->transports, transport) : NULL;
}

static int do_transport_connect(kit_fake_engine *e, const void *request, void *reply)
{
	const struct mcu_transport_connect *q = request;
	return transport_of(e, q->room, q->transport) ? -1 : MCU_ERROR_UNKNOWN_ID;
}

static int do_transport_restart(kit_fake_engine *e, const void *request, void *reply)
{
	const struct mcu_transport_ref *q = request;
	if (!transport_of(e, q->room, q->transport)) {
		return MCU_ERROR_UNKNOWN_ID;
	}
	fill_transport(e, reply);
	return -1;
}

static int do_transport_candidate(kit_fake_engine *e, const void *request, void *reply)
{
	const struct mcu_transport_candidate *q = request;
	return transport_of(e, q->room, q->transport) ? -1 : MCU_ERROR_UNKNOWN_ID;
}

static int do_transport_close(kit_fake_engine *e, const void *request, void *reply)
{
	const struct mcu_transport_ref *q = request;
	if (!transport_of(e, q->room, q->transport)) {
		return MCU_ERROR_UNKNOWN_ID;
	}
	struct room *r = room_get(e, q->room);
	g_hash_table_foreach_remove(r->streams, on_transport, q->transport);
	g_hash_table_remove(r->transports, q->transport);
	return -1;
}

static int add_stream(kit_fake_engine *e, const char *room, const struct stream *like)
{
	struct room *r = room_get(e, room);
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

static int do_source_add(kit_fake_engine *e, const void *request, void *reply)
{
	const struct mcu_source_add *q = request;
	return add_stream(e, q->room, &(struct stream){ .id = q->id, .transport = q->transport, .mid = q->mid, .kind = q->kind });
}

static int do_sink_add(kit_fake_engine *e, const void *request, void *reply)
{
	const struct mcu_sink_add *q = request;
	if (q->source && !stream_get(room_get(e, q->room), q->source)) {
		return MCU_ERROR_UNKNOWN_ID;
	}
	return add_stream(e, q->room, &(struct stream){ .id = q->id, .transport = q->transport, .mid = q->mid, .kind = q->kind,
							.sink = true, .route = q->source, .ssrc = q->ssrc });
}

static int do_stream_remove(kit_fake_engine *e, const void *request, void *reply)
{
	const struct mcu_stream_ref *q = request;
	struct room *r = room_get(e, q->room);
	return r && g_hash_table_remove(r->streams, q->id) ? -1 : MCU_ERROR_UNKNOWN_ID;
}

static int do_stream_touch(kit_fake_engine *e, const void *request, void *reply)
{
	/* source_pause, sink_prefer and stream_ref all begin with room and id */
	const struct mcu_stream_ref *q = request;
	return stream_get(room_get(e, q->room), q->id) ? -1 : MCU_ERROR_UNKNOWN_ID;
}

static int do_sink_route(kit_fake_engine *e, const void *request, void *reply)
{
	const struct mcu_sink_route *q = request;
	struct room *r = room_get(e, q->room);
	struct stream *s = stream_get(r, q->id);
	if (!s || !s->sink || (q->source && !stream_get(r, q->source))) {
		return MCU_ERROR_UNKNOWN_ID;
	}
	g_free(s->route);
	s->route = g_strdup(q->source);
	return -1;
}

static int (*const handlers[MCU_METHOD_N])(kit_fake_engine *e, const void *request, void *reply) = {
	[MCU_METHOD_HELLO] = do_hello,
	[MCU_METHOD_DUMP] = do_dump,
	[MCU_METHOD_STATS_GET] = do_stats,
	[MCU_METHOD_ENGINE_DRAIN] = do_drain,
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
};

/* What follows by itself once the answer is out. */
static void play_after(kit_fake_engine *e, enum mcu_method method, const void *request)
{
	const struct mcu_transport_connect *connect = request;
	const struct mcu_source_add *source = request;
	const struct mcu_sink_add *sink = request;
	const struct mcu_sink_route *route = request;
	struct transport *t;
	switch (method) {
	case MCU_METHOD_TRANSPORT_CONNECT:
		play_connected(e, connect->room, connect->transport);
		break;
	case MCU_METHOD_SOURCE_ADD:
		t = transport_of(e, source->room, source->transport);
		if (!strcmp(t->state, "up")) {
			kit_fake_engine_source_up(e, source->room, source->id);
		}
		break;
	case MCU_METHOD_SINK_ADD:
		play_sink(e, sink->room, stream_get(room_get(e, sink->room), sink->id));
		break;
	case MCU_METHOD_SINK_ROUTE:
		play_sink(e, route->room, stream_get(room_get(e, route->room), route->id));
		break;
	default:
		break;
	}
}

/* ---- connection ---- */

static void late_free(void *data)
{
	struct late *l = data;
	g_source_destroy(l->timer);
	g_source_unref(l->timer);
	json_decref(l->result);
	g_free(l);
}

static int64_t answer_late(int64_t now_us, void *user_data)
{
	struct late *l = user_data;
	ort_rpc_reply(l->call, g_steal_pointer(&l->result));
	g_ptr_array_remove_fast(l->e->late, l);
	return ORT_NEVER;
}

static void answer(kit_fake_engine *e, enum mcu_method method, ort_rpc_call *call, json_t *result)
{
	struct fault *f = &e->faults[method];
	int64_t at_us = ort_now_us() + f->delay_ms * ORT_US_PER_MS;
	if (f->mutes) {
		f->mutes = f->mute_left != 1;
		f->mute_left -= f->mute_left > 0;
		at_us = ORT_NEVER;	/* waits for the end of its connection */
	} else if (!f->delay_ms) {
		ort_rpc_reply(call, result);
		return;
	}
	struct late *l = g_new0(struct late, 1);
	*l = (struct late){ e, call, result, NULL };
	l->timer = ort_timer_new(e->context, at_us, answer_late, l);
	g_ptr_array_add(e->late, l);
}

static bool injected(kit_fake_engine *e, enum mcu_method method, ort_rpc_call *call)
{
	struct fault *f = &e->faults[method];
	if (!f->fails) {
		return false;
	}
	f->fails = f->fail_left != 1;
	f->fail_left -= f->fail_left > 0;
	ort_rpc_fail(call, mcu_errors[f->error].code, mcu_errors[f->error].en, NULL);
	return true;
}

static void on_request(ort_rpc *rpc, ort_rpc_call *call, const char *name, json_t *params, void *user_data)
{
	kit_fake_engine *e = user_data;
	int method = mcu_method_by_name(name);
	if (method < 0) {
		ort_rpc_fail(call, ORT_RPC_NO_METHOD, "no such method", NULL);
		return;
	}
	const struct mcu_method_row *row = &mcu_methods[method];
	g_autofree void *request = g_malloc0(row->request->size), *reply = g_malloc0(row->reply->size);
	g_autofree char *why = NULL;
	g_autoptr(json_t) none = json_object();
	e->calls[method]++;
	if (injected(e, (enum mcu_method)method, call)) {
		return;
	}
	if (ort_json_read(row->request, params ? params : none, request, &why) < 0) {
		ort_rpc_fail(call, mcu_errors[MCU_ERROR_INVALID].code, why, NULL);
		return;
	}
	int error = handlers[method](e, request, reply);
	if (error >= 0) {
		ort_rpc_fail(call, mcu_errors[error].code, mcu_errors[error].en, NULL);
	} else {
		answer(e, (enum mcu_method)method, call, ort_json_print(row->reply, reply));
		if (e->play) {
			play_after(e, (enum mcu_method)method, request);
		}
	}
	ort_json_clear(row->reply, reply);
	ort_json_clear(row->request, request);
}

void kit_fake_engine_drop(kit_fake_engine *e)
{
	ort_rpc_close(g_steal_pointer(&e->rpc));
	while (e->late->len) {	/* their calls belong to no connection now; answering frees them */
		struct late *l = e->late->pdata[0];
		ort_rpc_reply(l->call, g_steal_pointer(&l->result));
		g_ptr_array_remove_index_fast(e->late, 0);
	}
}

static void on_closed(ort_rpc *rpc, const char *why, void *user_data)
{
	kit_fake_engine_drop(user_data);
}

static const struct ort_rpc_ops rpc_ops = { .on_request = on_request, .on_closed = on_closed };

static void take(kit_fake_engine *e, int fd)
{
	kit_fake_engine_drop(e);
	e->rpc = ort_rpc_open(e->context, fd, &rpc_ops, NULL, e);
}

int kit_fake_engine_connect(kit_fake_engine *e)
{
	int fds[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
	take(e, fds[0]);
	return fds[1];
}

static gboolean on_accept(gint listener, GIOCondition condition, gpointer user_data)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		take(user_data, fd);
	}
	return G_SOURCE_CONTINUE;
}

static void stop_listening(kit_fake_engine *e)
{
	if (e->listener < 0) {
		return;
	}
	g_source_destroy(e->accept_source);
	g_source_unref(e->accept_source);
	close(e->listener);
	unlink(e->path);
	e->listener = -1;
}

void kit_fake_engine_listen(kit_fake_engine *e, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	g_autofree char *copy = g_strdup(path);
	stop_listening(e);
	g_free(e->path);
	e->path = g_steal_pointer(&copy);
	g_assert_cmpuint(g_strlcpy(addr.sun_path, e->path, sizeof(addr.sun_path)), <, sizeof(addr.sun_path));
	unlink(e->path);
	e->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	g_assert_cmpint(bind(e->listener, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
	g_assert_cmpint(listen(e->listener, 8), ==, 0);
	e->accept_source = g_unix_fd_source_new(e->listener, G_IO_IN);
	g_source_set_callback(e->accept_source, G_SOURCE_FUNC(on_accept), e, NULL);
	g_source_attach(e->accept_source, e->context);
}

static void new_boot(kit_fake_engine *e)
{
	g_free(e->boot);
	e->boot = g_strdup_printf("fake-boot-%u", ++e->boots);
	g_hash_table_remove_all(e->rooms);
	e->draining = false;
}

kit_fake_engine *kit_fake_engine_new(GMainContext *context)
{
	kit_fake_engine *e = g_new0(kit_fake_engine, 1);
	e->context = context;
	e->listener = -1;
	e->rooms = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, room_free);
	e->late = g_ptr_array_new_with_free_func(late_free);
	new_boot(e);
	return e;
}

void kit_fake_engine_die(kit_fake_engine *e)
{
	stop_listening(e);
	kit_fake_engine_drop(e);
	g_hash_table_remove_all(e->rooms);
}

void kit_fake_engine_revive(kit_fake_engine *e)
{
	new_boot(e);
	if (e->path) {
		kit_fake_engine_listen(e, e->path);
	}
}

void kit_fake_engine_free(kit_fake_engine *e)
{
	if (!e) {
		return;
	}
	kit_fake_engine_die(e);
	g_hash_table_unref(e->rooms);
	g_ptr_array_unref(e->late);
	g_free(e->boot);
	g_free(e->path);
	g_free(e);
}

/* ---- faults and questions ---- */

void kit_fake_engine_fail(kit_fake_engine *e, enum mcu_method method, enum mcu_error_id error, unsigned times)
{
	struct fault *f = &e->faults[method];
	f->fails = true;
	f->error = error;
	f->fail_left = times;
}

void kit_fake_engine_delay(kit_fake_engine *e, enum mcu_method method, int64_t ms)
{
	e->faults[method].delay_ms = ms;
}

void kit_fake_engine_mute(kit_fake_engine *e, enum mcu_method method, unsigned times)
{
	struct fault *f = &e->faults[method];
	f->mutes = true;
	f->mute_left = times;
}

void kit_fake_engine_play(kit_fake_engine *e, bool on)
{
	e->play = on;
}

bool kit_fake_engine_connected(const kit_fake_engine *e)
{
	return e->rpc != NULL;
}

const char *kit_fake_engine_boot(const kit_fake_engine *e)
{
	return e->boot;
}

unsigned kit_fake_engine_calls(const kit_fake_engine *e, enum mcu_method method)
{
	return e->calls[method];
}

unsigned kit_fake_engine_rooms(const kit_fake_engine *e)
{
	return g_hash_table_size(e->rooms);
}

bool kit_fake_engine_has_room(const kit_fake_engine *e, const char *room)
{
	return room_get(e, room) != NULL;
}

bool kit_fake_engine_has_transport(const kit_fake_engine *e, const char *room, const char *transport)
{
	return transport_of(e, room, transport) != NULL;
}

const char *kit_fake_engine_route(const kit_fake_engine *e, const char *room, const char *sink)
{
	const struct stream *s = stream_get(room_get(e, room), sink);
	return s && s->sink ? (s->route ? s->route : "") : NULL;
}

bool kit_fake_engine_has_source(const kit_fake_engine *e, const char *room, const char *source)
{
	const struct stream *s = stream_get(room_get(e, room), source);
	return s && !s->sink;
}

void kit_fake_engine_put_transport(kit_fake_engine *e, const char *room, const char *transport)
{
	transport_put(room_put(e, room), transport)->state = "up";
}
