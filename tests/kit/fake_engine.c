#include "tests/kit/fake_engine.h"

#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/loop.h"
#include "mcu/base/rpc.h"
#include "tests/kit/fake_rooms.h"

struct fault { bool fails, mutes; enum mcu_error_id error; unsigned fail_left, mute_left; int64_t delay_ms; };
struct late { kit_fake_engine *e; ort_rpc_call *call; json_t *result; int error; GSource *timer; };	/* result NULL = error */

struct kit_fake_engine {
	GMainContext *context;
	ort_rpc *rpc;
	int listener;
	GSource *accept_source;
	char *path, *boot;
	kit_fake_rooms *rooms;
	GPtrArray *late;	/* struct late */
	struct fault faults[MCU_METHOD_N];
	unsigned calls[MCU_METHOD_N], boots;
	bool draining;
};

void kit_fake_engine_event(kit_fake_engine *e, enum mcu_event event, const void *body)
{
	if (e->rpc) {
		ort_rpc_notify(e->rpc, mcu_events[event].name, ort_json_print(mcu_events[event].body, body));
	}
}

static void on_rooms_event(enum mcu_event event, const void *body, void *user_data)
{
	kit_fake_engine_event(user_data, event, body);
}

static void hello(kit_fake_engine *e, const struct mcu_hello_request *q, struct mcu_hello_reply *r)
{
	struct mcu_worker_info *w = g_new0(struct mcu_worker_info, 1);
	w->port = 40000;
	w->rooms = kit_fake_rooms_count(e->rooms);
	r->proto = MIN(q->proto, MCU_PROTO_VERSION);
	r->build = g_strdup("fake");
	r->engine = g_strdup("fake");
	r->boot = g_strdup(e->boot);
	r->workers = (struct ort_json_array){ w, 1 };
	r->max_transports = 512;
	r->max_rooms = 1024;
}


/* false: *ret_error says why. */
static bool perform(kit_fake_engine *e, enum mcu_method method, const void *request, void *reply, int *ret_error)
{
	const struct mcu_room_open *open = request;
	g_autoptr(GError) err = NULL;
	switch (method) {
	case MCU_METHOD_HELLO:
		hello(e, request, reply);
		return true;
	case MCU_METHOD_ENGINE_DRAIN:
		e->draining = ((const struct mcu_drain_request *)request)->on;
		return true;
	case MCU_METHOD_DUMP:
		((struct mcu_dump_reply *)reply)->boot = g_strdup(e->boot);
		break;
	case MCU_METHOD_ROOM_OPEN:
		if (e->draining && !kit_fake_rooms_has_room(e->rooms, open->room)) {
			*ret_error = MCU_ERROR_DRAINING;
			return false;
		}
		break;
	default:
		break;
	}
	if (kit_fake_rooms_call(e->rooms, method, request, reply, &err)) {
		return true;
	}
	*ret_error = err->code;
	return false;
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

static void say(ort_rpc_call *call, json_t *result, int error)
{
	if (result) {
		ort_rpc_reply(call, result);
	} else {
		ort_rpc_fail(call, mcu_errors[error].code, mcu_errors[error].en, NULL);
	}
}

static int64_t answer_late(int64_t now_us, void *user_data)
{
	struct late *l = user_data;
	say(l->call, g_steal_pointer(&l->result), l->error);
	g_ptr_array_remove_fast(l->e->late, l);
	return ORT_NEVER;
}

static void answer(kit_fake_engine *e, enum mcu_method method, ort_rpc_call *call, json_t *result, int error)
{
	struct fault *f = &e->faults[method];
	int64_t at_us = ort_now_us() + f->delay_ms * ORT_US_PER_MS;
	if (f->mutes) {
		f->mutes = f->mute_left != 1;
		f->mute_left -= f->mute_left > 0;
		at_us = ORT_NEVER;	/* waits for the end of its connection */
	} else if (!f->delay_ms) {
		say(call, result, error);
		return;
	}
	struct late *l = g_new0(struct late, 1);
	*l = (struct late){ e, call, result, error, NULL };
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
	int error = 0;
	if (perform(e, (enum mcu_method)method, request, reply, &error)) {
		answer(e, (enum mcu_method)method, call, ort_json_print(row->reply, reply), 0);
		kit_fake_rooms_go_on(e->rooms, (enum mcu_method)method, request);
	} else {
		answer(e, (enum mcu_method)method, call, NULL, error);
	}
	ort_json_clear(row->reply, reply);
	ort_json_clear(row->request, request);
}

void kit_fake_engine_drop(kit_fake_engine *e)
{
	ort_rpc_close(g_steal_pointer(&e->rpc));
	while (e->late->len) {	/* their calls belong to no connection now; answering frees them */
		struct late *l = e->late->pdata[0];
		say(l->call, g_steal_pointer(&l->result), l->error);
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
	kit_fake_rooms_clear(e->rooms);
	e->draining = false;
}

kit_fake_engine *kit_fake_engine_new(GMainContext *context)
{
	kit_fake_engine *e = g_new0(kit_fake_engine, 1);
	e->context = context;
	e->listener = -1;
	e->rooms = kit_fake_rooms_new(on_rooms_event, e);
	e->late = g_ptr_array_new_with_free_func(late_free);
	new_boot(e);
	return e;
}

void kit_fake_engine_die(kit_fake_engine *e)
{
	stop_listening(e);
	kit_fake_engine_drop(e);
	kit_fake_rooms_clear(e->rooms);
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
	kit_fake_rooms_free(e->rooms);
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
	kit_fake_rooms_play(e->rooms, on);
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
	return kit_fake_rooms_count(e->rooms);
}

bool kit_fake_engine_has_room(const kit_fake_engine *e, const char *room)
{
	return kit_fake_rooms_has_room(e->rooms, room);
}

bool kit_fake_engine_has_transport(const kit_fake_engine *e, const char *room, const char *transport)
{
	return kit_fake_rooms_has_transport(e->rooms, room, transport);
}

const char *kit_fake_engine_route(const kit_fake_engine *e, const char *room, const char *sink)
{
	return kit_fake_rooms_route(e->rooms, room, sink);
}

bool kit_fake_engine_has_source(const kit_fake_engine *e, const char *room, const char *source)
{
	return kit_fake_rooms_has_source(e->rooms, room, source);
}

void kit_fake_engine_put_transport(kit_fake_engine *e, const char *room, const char *transport)
{
	kit_fake_rooms_put_transport(e->rooms, room, transport);
}

void kit_fake_engine_transport_state(kit_fake_engine *e, const char *room, const char *transport, const char *state)
{
	kit_fake_rooms_transport_state(e->rooms, room, transport, state);
}

void kit_fake_engine_source_up(kit_fake_engine *e, const char *room, const char *source)
{
	kit_fake_rooms_source_up(e->rooms, room, source);
}

void kit_fake_engine_keyframe(kit_fake_engine *e, const char *room, const char *sink)
{
	kit_fake_rooms_keyframe(e->rooms, room, sink);
}

bool kit_fake_engine_has_mix(const kit_fake_engine *e, const char *room, const char *mix)
{
	return kit_fake_rooms_has_mix(e->rooms, room, mix);
}

json_t *kit_fake_engine_mix(const kit_fake_engine *e, const char *room, const char *mix)
{
	return kit_fake_rooms_mix(e->rooms, room, mix);
}
