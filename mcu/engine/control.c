/* The control connection: a line becomes a request struct by its table, the struct goes to the worker of its room, the
 * reply struct comes back as a message and becomes a line. Which way a method goes is a row of `routes`. */
#include <stddef.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/engine/engine_priv.h"

/* Every room method begins with the room: the id is read without knowing the method. */
#define X(t) G_STATIC_ASSERT(offsetof(struct mcu_##t, room) == 0);
X(room_ref) X(room_open) X(transport_ref) X(transport_open) X(transport_connect) X(transport_candidate) X(stream_ref)
X(source_add) X(source_pause) X(sink_add) X(sink_route) X(sink_prefer) X(dtmf_send) X(mix_open) X(mix_ref) X(mix_input)
X(mix_view) X(mix_output) X(mix_play) X(mix_still) X(mix_clip)
#undef X

static const struct ort_rpc_limits limits = { .max_line = 1 << 20, .max_pending = 16384, .max_queue = 64 << 20 };

static const char *room_of(const void *request)
{
	return ((const struct mcu_room_ref *)request)->room;
}

/* ---- answers ---- */

static void fail(mcu_engine *e, ort_rpc_call *call, int code, const char *message)
{
	e->counters.failed++;
	ort_rpc_fail(call, code, message, NULL);
}

static void fail_id(mcu_engine *e, ort_rpc_call *call, enum mcu_error_id id, const char *message)
{
	fail(e, call, mcu_errors[id].code, message ? message : mcu_errors[id].en);
}

void mcu_control_answer(struct mcu_job *job)
{
	mcu_engine *e = job->e;
	enum mcu_error_id id = job->err && job->err->domain == MCU_ERROR ? (enum mcu_error_id)job->err->code : MCU_ERROR_INTERNAL;
	if (!job->call) {
		return;
	}
	if (job->err) {
		fail_id(e, job->call, id, job->err->message);
	} else {
		e->counters.answered++;
		ort_rpc_reply(job->call, ort_json_print(mcu_methods[job->method].reply, job->reply));
	}
	job->call = NULL;
}

/* ---- one worker ---- */

/* Keeps the books of who lives where; only what succeeded counts. */
static void note(mcu_engine *e, const struct mcu_job *job)
{
	const struct mcu_transport_ref *t = job->request;
	struct mcu_placed *p = g_hash_table_lookup(e->rooms, t->room);
	if (job->err && job->serial) {
		mcu_engine_forget(e, t->room, -1, job->serial);
	} else if (!job->err && p && job->method == MCU_METHOD_TRANSPORT_OPEN) {
		g_hash_table_add(p->transports, g_strdup(t->transport));
	} else if (!job->err && p && job->method == MCU_METHOD_TRANSPORT_CLOSE) {
		g_hash_table_remove(p->transports, t->transport);
	} else if (!job->err && job->method == MCU_METHOD_ROOM_OPEN) {
		((struct mcu_room_open_reply *)job->reply)->worker = mcu_worker_index(job->worker);
	}
}

static void room_done(struct mcu_job *job)
{
	note(job->e, job);
	mcu_control_answer(job);
	mcu_job_free(job);
}

/* Takes the job; errors are answered at once. */
static void to_room(mcu_engine *e, struct mcu_job *job)
{
	const char *room = room_of(job->request);
	uint64_t serial = e->serial;
	struct mcu_placed *p = NULL;
	if (room && job->method == MCU_METHOD_ROOM_OPEN) {
		p = mcu_engine_place(e, room, &job->err);
		job->serial = e->serial != serial ? e->serial : 0;
	} else if (room) {
		p = g_hash_table_lookup(e->rooms, room);
	}
	if (!p) {
		enum mcu_error_id id = room ? MCU_ERROR_UNKNOWN_ID : MCU_ERROR_INVALID;
		if (!job->err) {
			g_set_error_literal(&job->err, MCU_ERROR, (int)id, mcu_errors[id].en);
		}
		mcu_control_answer(job);
		mcu_job_free(job);
		return;
	}
	job->done = room_done;
	unsigned worker = p->worker;
	if (job->method == MCU_METHOD_ROOM_CLOSE) {	/* now, so that an open behind it is a new room */
		mcu_engine_forget(e, room, -1, 0);
	}
	mcu_worker_post(e->workers[worker], job);
}

/* ---- every worker: replies are put together ---- */

struct gather { mcu_engine *e; struct mcu_job *first; unsigned waiting; };

/* Moves the items of `from` behind those of `to`. */
static void append(struct ort_json_array *to, struct ort_json_array *from, size_t size)
{
	if (!from->n) {
		return;
	}
	to->items = g_realloc_n(to->items, to->n + from->n, size);
	memcpy((char *)to->items + to->n * size, from->items, from->n * size);
	to->n += from->n;
	g_free(from->items);
	*from = (struct ort_json_array){ NULL, 0 };
}

static void merge_dump(struct mcu_dump_reply *to, struct mcu_dump_reply *from, const mcu_worker *worker)
{
	struct mcu_dump_room *rooms = from->rooms.items;
	for (size_t i = 0; i < from->rooms.n; i++) {
		rooms[i].worker = mcu_worker_index(worker);
	}
	append(&to->rooms, &from->rooms, sizeof(struct mcu_dump_room));
}

static void merge_stats(struct mcu_stats_reply *to, struct mcu_stats_reply *from)
{
	if (!to->counters) {
		to->counters = json_object();
	}
	mcu_stats_add(to->counters, from->counters);
	append(&to->rooms, &from->rooms, sizeof(struct mcu_room_stats_event));
}

static void finish_dump(const mcu_engine *e, struct mcu_dump_reply *reply)
{
	struct mcu_dump_room *rooms = reply->rooms.items;
	reply->boot = g_strdup(e->boot);
	for (size_t i = 0; i < reply->rooms.n; i++) {
		mcu_mixers_dump(e, &rooms[i]);
	}
}

static void finish(struct gather *g)
{
	struct mcu_job *sum = g->first;
	if (sum->method == MCU_METHOD_DUMP) {
		finish_dump(g->e, sum->reply);
	} else if (!room_of(sum->request)) {
		g_autoptr(json_t) own = mcu_stats_own(g->e);
		mcu_stats_add(((struct mcu_stats_reply *)sum->reply)->counters, own);
	}
	mcu_control_answer(sum);
	mcu_job_free(sum);
	g_free(g);
}

static void part_done(struct mcu_job *job)
{
	struct gather *g = job->gather;
	if (job->err) {	/* an engine that ends: the sum stays without this part */
		g_clear_error(&job->err);
	} else if (job->method == MCU_METHOD_DUMP) {
		merge_dump(g->first->reply, job->reply, job->worker);
	} else {
		merge_stats(g->first->reply, job->reply);
	}
	mcu_job_free(job);
	if (--g->waiting == 0) {
		finish(g);
	}
}

static void to_every_worker(mcu_engine *e, struct mcu_job *sum)
{
	struct gather *g = g_new0(struct gather, 1);
	*g = (struct gather){ e, sum, e->n_workers };
	for (unsigned i = 0; i < e->n_workers; i++) {
		struct mcu_job *job = mcu_job_new(e, sum->method);
		mcu_struct_copy(mcu_methods[sum->method].request, sum->request, job->request);
		job->done = part_done;
		job->gather = g;
		mcu_worker_post(e->workers[i], job);
	}
}

static void to_transport_close(mcu_engine *e, struct mcu_job *job)
{
	if (!mcu_mixers_closes(e, job)) {
		to_room(e, job);
	}
}

static void to_stats(mcu_engine *e, struct mcu_job *job)
{
	if (room_of(job->request)) {
		to_room(e, job);
		return;
	}
	to_every_worker(e, job);
}

/* ---- the engine itself ---- */

static void list_workers(const mcu_engine *e, struct mcu_hello_reply *r)
{
	struct mcu_worker_info *info = g_new0(struct mcu_worker_info, e->n_workers);
	for (unsigned i = 0; i < e->n_workers; i++) {
		unsigned rooms, transports;
		mcu_engine_load(e, i, &rooms, &transports);
		info[i] = (struct mcu_worker_info){ i, mcu_worker_port(e->workers[i]), rooms, transports };
	}
	r->workers = (struct ort_json_array){ info, e->n_workers };
}

static void list_codecs(struct mcu_hello_reply *r)
{
	struct mcu_codec_use *use = g_new0(struct mcu_codec_use, MCU_CODEC_N);
	for (int i = 0; i < MCU_CODEC_N; i++) {
		const struct mcu_codec_row *row = &mcu_codecs[i];
		bool video = row->kind == 'V';
		use[i] = (struct mcu_codec_use){ .name = g_strdup(row->name), .pt = row->default_pt, .clock_hz = row->clock_hz,
						 .channels = row->channels, .fmtp = g_strdup(row->fmtp), .nack = video,
						 .pli = video, .fir = video, .remb = video, .twcc = video };
	}
	r->codecs = (struct ort_json_array){ use, MCU_CODEC_N };
}

static void replace_gateway(mcu_engine *e, struct mcu_conn *conn)
{
	struct mcu_conn *old = e->gateway;
	e->gateway = conn;
	if (old) {
		ort_log(ORT_LOG_NOTICE, "engine", "gateway.replaced", "a newer gateway took the place of the old one");
		g_ptr_array_remove_fast(e->conns, old);
		ort_rpc_close(old->rpc);
		g_free(old);
	}
}

static void do_hello(mcu_engine *e, struct mcu_conn *conn, struct mcu_job *job)
{
	const struct mcu_hello_request *q = job->request;
	struct mcu_hello_reply *r = job->reply;
	if (conn->greeted) {
		g_set_error_literal(&job->err, MCU_ERROR, MCU_ERROR_STATE, "hello was said on this connection");
		return;
	}
	conn->greeted = true;
	replace_gateway(e, conn);
	mcu_engine_gateway_here(e, q->grace_ms);
	ort_log(ORT_LOG_NOTICE, "engine", "gateway.hello", "gateway connected", ORT_S("client", q->client),
		ORT_I("proto", q->proto), ORT_I("rooms", g_hash_table_size(e->rooms)));
	r->proto = MIN(q->proto, MCU_PROTO_VERSION);
	r->build = g_strdup(ORT_VERSION);
	r->engine = g_strdup(e->name);
	r->boot = g_strdup(e->boot);
	r->fingerprint = e->n_workers == 1 ? g_strdup(mcu_worker_fingerprint(e->workers[0])) : NULL;
	r->max_transports = e->max_transports;
	r->max_rooms = e->max_rooms;
	list_workers(e, r);
	list_codecs(r);
}

static void do_drain(mcu_engine *e, struct mcu_conn *conn, struct mcu_job *job)
{
	e->draining = ((const struct mcu_drain_request *)job->request)->on;
	ort_log(ORT_LOG_NOTICE, "engine", "engine.drain", e->draining ? "no new rooms are taken" : "new rooms are taken again",
		ORT_I("rooms", g_hash_table_size(e->rooms)));
}

/* ---- routes ---- */

/* One of the two: `own` answers at once on the control thread, `post` takes the job along. */
static const struct route {
	void (*own)(mcu_engine *e, struct mcu_conn *conn, struct mcu_job *job);
	void (*post)(mcu_engine *e, struct mcu_job *job);
	bool before_hello;
} routes[MCU_METHOD_N] = {
	[MCU_METHOD_HELLO] = { .own = do_hello, .before_hello = true },
	[MCU_METHOD_ENGINE_DRAIN] = { .own = do_drain },
	[MCU_METHOD_DUMP] = { .post = to_every_worker, .before_hello = true },
	[MCU_METHOD_STATS_GET] = { .post = to_stats, .before_hello = true },
	[MCU_METHOD_ROOM_OPEN ... MCU_METHOD_TRANSPORT_CANDIDATE] = { .post = to_room },
	[MCU_METHOD_TRANSPORT_CLOSE] = { .post = to_transport_close },
	[MCU_METHOD_SOURCE_ADD ... MCU_METHOD_MIX_OPEN - 1] = { .post = to_room },
	[MCU_METHOD_MIX_OPEN ... MCU_METHOD_N - 1] = { .post = mcu_mixers_call },
};

static void dispatch(mcu_engine *e, struct mcu_conn *conn, struct mcu_job *job)
{
	const struct route *route = &routes[job->method];
	if (route->post) {
		route->post(e, job);
		return;
	}
	route->own(e, conn, job);
	mcu_control_answer(job);
	mcu_job_free(job);
}

static void on_request(ort_rpc *rpc, ort_rpc_call *call, const char *name, json_t *params, void *user_data)
{
	struct mcu_conn *conn = user_data;
	mcu_engine *e = conn->e;
	int method = mcu_method_by_name(name);
	g_autofree char *why = NULL;
	g_autoptr(json_t) none = params ? NULL : json_object();
	e->counters.calls++;
	if (method < 0) {
		fail(e, call, ORT_RPC_NO_METHOD, "no such method");
		return;
	}
	if (!conn->greeted && !routes[method].before_hello) {
		fail_id(e, call, MCU_ERROR_STATE, "say hello first");
		return;
	}
	struct mcu_job *job = mcu_job_new(e, (enum mcu_method)method);
	if (ort_json_read(mcu_methods[method].request, params ? params : none, job->request, &why) < 0) {
		fail_id(e, call, MCU_ERROR_INVALID, why);
		mcu_job_free(job);
		return;
	}
	job->call = call;
	dispatch(e, conn, job);
}

/* ---- connections ---- */

static void on_closed(ort_rpc *rpc, const char *why, void *user_data)
{
	struct mcu_conn *conn = user_data;
	mcu_engine *e = conn->e;
	if (e->gateway == conn) {
		e->gateway = NULL;
		e->counters.gateways_lost++;
		ort_log(ORT_LOG_WARNING, "engine", "gateway.lost", "the gateway is gone, rooms are kept for the grace time",
			ORT_S("why", why), ORT_I("rooms", g_hash_table_size(e->rooms)), ORT_I("grace_ms", e->grace_ms));
		mcu_engine_gateway_lost(e);
	}
	g_ptr_array_remove_fast(e->conns, conn);
	ort_rpc_close(rpc);
	g_free(conn);
}

static const struct ort_rpc_ops rpc_ops = { .on_request = on_request, .on_closed = on_closed };

void mcu_control_take(mcu_engine *e, int fd)
{
	struct mcu_conn *conn = g_new0(struct mcu_conn, 1);
	conn->e = e;
	conn->rpc = ort_rpc_open(e->context, fd, &rpc_ops, &limits, conn);
	g_ptr_array_add(e->conns, conn);
	e->counters.connections++;
}

void mcu_control_close_all(mcu_engine *e)
{
	e->gateway = NULL;
	for (guint i = 0; i < e->conns->len; i++) {
		struct mcu_conn *conn = e->conns->pdata[i];
		ort_rpc_close(conn->rpc);
		g_free(conn);
	}
	g_ptr_array_set_size(e->conns, 0);
}

void mcu_control_event(mcu_engine *e, enum mcu_event event, const void *body)
{
	if (!e->gateway) {
		e->counters.events_unheard++;
		return;
	}
	e->counters.events++;
	ort_rpc_notify(e->gateway->rpc, mcu_events[event].name, ort_json_print(mcu_events[event].body, body));
}

void mcu_engine_serve(mcu_engine *e, int fd)
{
	ort_owner_assert(&e->owner);
	mcu_control_take(e, fd);
}
