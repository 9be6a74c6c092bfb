/* JSON-RPC endpoint over a stream fd. Callbacks may close the endpoint: every walk holds a count and looks at `dead` after
 * each callback. Nothing calls back from within the user's own call, except ort_rpc_close() to pending callers: what goes
 * wrong while sending is told from the loop. Memory lives until ort_rpc_close(), also after on_closed. */
#include "mcu/base/rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/json.h"
#include "mcu/base/loop.h"

#define READ_CHUNK	   65536
#define COMPACT_AT	   262144 /* sent bytes that may stand before the unsent ones */
#define TIMEOUT_MS_DEFAULT 10000

struct pending {
	int64_t id, deadline_us;
	int code;	/* what to tell at the deadline */
	const char *message;
	ort_rpc_reply_fn fn;
	void *user_data;
};

struct ort_rpc {
	int refs;
	bool dead;	/* ort_rpc_close() was called: on_* are silent */
	bool closed;	/* the stream is gone */
	bool told;	/* on_closed was called */
	char *why;
	int fd;
	struct ort_owner owner;
	const struct ort_rpc_ops *ops;
	void *user_data;
	struct ort_rpc_limits limits;
	GSource *io, *timer;
	void *io_tag;
	int64_t timer_us;
	GByteArray *in, *out;
	size_t in_scanned, out_sent;	/* bytes without a newline; bytes gone */
	GHashTable *pending;		/* int64_t id -> struct pending, owned */
	GQueue calls;			/* ort_rpc_call, borrowed: freed by its answer */
	int64_t last_id;
};

struct ort_rpc_call {
	ort_rpc *rpc;	/* NULL when the endpoint went before the answer */
	json_t *id;
	GList link;
};

struct io_source {
	GSource base;
	ort_rpc *rpc;
};

static void unref(ort_rpc *rpc)
{
	if (--rpc->refs > 0) {
		return;
	}
	g_hash_table_unref(rpc->pending);
	g_byte_array_unref(rpc->in);
	g_byte_array_unref(rpc->out);
	g_free(rpc->why);
	g_free(rpc);
}

static void arm(ort_rpc *rpc, int64_t deadline_us)
{
	if (!rpc->dead && deadline_us < rpc->timer_us) {
		rpc->timer_us = deadline_us;
		ort_timer_set(rpc->timer, deadline_us);
	}
}

/* ---- closing ---- */

static void drop_stream(ort_rpc *rpc)
{
	rpc->closed = true;
	if (rpc->fd < 0) {
		return;
	}
	g_source_destroy(rpc->io);
	g_source_unref(rpc->io);
	rpc->io = NULL;
	close(rpc->fd);
	rpc->fd = -1;
}

static void set_closed(struct pending *p)
{
	p->code = ORT_RPC_CLOSED;
	p->message = "connection closed";
	p->deadline_us = 0;
}

static void fail(ort_rpc *rpc, const char *why)
{
	GHashTableIter it;
	void *p;

	if (rpc->closed) {
		return;
	}
	rpc->why = g_strdup(why);
	drop_stream(rpc);
	g_hash_table_iter_init(&it, rpc->pending);
	while (g_hash_table_iter_next(&it, NULL, &p)) {
		set_closed(p);
	}
	arm(rpc, 0);
}

static void tell(struct pending *p, int code, const char *message, json_t *result)
{
	if (p->fn) {
		p->fn(code, message, result, p->user_data);
	}
	g_free(p);
}

static struct pending *steal(ort_rpc *rpc, int64_t id)
{
	void *p = NULL;
	(void)g_hash_table_steal_extended(rpc->pending, &id, NULL, &p);
	return p;
}

static struct pending *first_due(ort_rpc *rpc, int64_t now_us, int64_t *ret_next_us)
{
	GHashTableIter it;
	void *value;

	*ret_next_us = ORT_NEVER;
	g_hash_table_iter_init(&it, rpc->pending);
	while (g_hash_table_iter_next(&it, NULL, &value)) {
		struct pending *p = value;

		if (p->deadline_us <= now_us) {
			return p;
		}
		*ret_next_us = MIN(*ret_next_us, p->deadline_us);
	}
	return NULL;
}

static int64_t on_timer(int64_t now_us, void *user_data)
{
	ort_rpc *rpc = user_data;
	struct pending *p;
	int64_t next_us = ORT_NEVER;

	rpc->refs++;
	rpc->timer_us = ORT_NEVER;
	while (!rpc->dead && (p = first_due(rpc, now_us, &next_us))) {
		p = steal(rpc, p->id);
		tell(p, p->code, p->message, NULL);
	}
	if (!rpc->dead && rpc->closed && !rpc->told) {
		rpc->told = true;
		rpc->ops->on_closed(rpc, rpc->why, rpc->user_data);
	}
	rpc->timer_us = MIN(rpc->timer_us, next_us);
	next_us = rpc->timer_us;
	unref(rpc);
	return next_us;
}

/* ---- sending ---- */

static ssize_t write_some(ort_rpc *rpc)
{
	const uint8_t *from = rpc->out->data + rpc->out_sent;
	size_t len = rpc->out->len - rpc->out_sent;
	ssize_t n = send(rpc->fd, from, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n < 0 && errno == ENOTSOCK ? write(rpc->fd, from, len) : n;
}

static void flush(ort_rpc *rpc)
{
	while (!rpc->closed && rpc->out_sent < rpc->out->len) {
		ssize_t n = write_some(rpc);

		if (n >= 0) {
			rpc->out_sent += (size_t)n;
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != EINTR) {
			fail(rpc, g_strerror(errno));
			return;
		}
	}
	if (rpc->out_sent == rpc->out->len || rpc->out_sent > COMPACT_AT) {
		g_byte_array_remove_range(rpc->out, 0, (guint)rpc->out_sent);
		rpc->out_sent = 0;
	}
	if (!rpc->closed) {
		g_source_modify_unix_fd(rpc->io, rpc->io_tag, rpc->out->len > 0 ? G_IO_IN | G_IO_OUT : G_IO_IN);
	}
}

/* Takes `msg`. */
static void send_message(ort_rpc *rpc, json_t *msg)
{
	g_autofree char *text = rpc->closed ? NULL : ort_json_text(msg);
	size_t len = text ? strlen(text) : 0;
	bool idle = rpc->out->len == 0;

	json_decref(msg);
	if (!text) {
		fail(rpc, "a message of ours cannot be printed");
		return;
	}
	if (rpc->out->len - rpc->out_sent + len + 1 > rpc->limits.max_queue) {
		fail(rpc, "the peer does not read");
		return;
	}
	g_byte_array_append(rpc->out, (const guint8 *)text, (guint)len);
	g_byte_array_append(rpc->out, (const guint8 *)"\n", 1);
	if (idle) {
		flush(rpc);
	}
}

static json_t *new_message(void)
{
	json_t *msg = json_object();
	json_object_set_new(msg, "jsonrpc", json_string("2.0"));
	return msg;
}

/* Takes `data`; `id` NULL = the line could not be read. */
static void send_error(ort_rpc *rpc, json_t *id, int code, const char *message, json_t *data)
{
	json_t *msg = new_message(), *error = json_object();
	json_object_set_new(error, "code", json_integer(code));
	json_object_set_new(error, "message", json_string(message));
	if (data) {
		json_object_set_new(error, "data", data);
	}
	json_object_set_new(msg, "error", error);
	json_object_set_new(msg, "id", id ? json_incref(id) : json_null());
	send_message(rpc, msg);
}

/* `id` 0 = notification. Takes `params`, may be NULL. */
static void send_call(ort_rpc *rpc, int64_t id, const char *method, json_t *params)
{
	json_t *msg = new_message();
	json_object_set_new(msg, "method", json_string(method));
	if (id > 0) {
		json_object_set_new(msg, "id", json_integer(id));
	}
	if (params) {
		json_object_set_new(msg, "params", params);
	}
	send_message(rpc, msg);
}

void ort_rpc_notify(ort_rpc *rpc, const char *method, json_t *params)
{
	ort_owner_assert(&rpc->owner);
	send_call(rpc, 0, method, params);
}

void ort_rpc_request(ort_rpc *rpc, const char *method, json_t *params, unsigned timeout_ms, ort_rpc_reply_fn fn,
		     void *user_data)
{
	struct pending *p = g_new0(struct pending, 1);
	bool full = g_hash_table_size(rpc->pending) >= rpc->limits.max_pending;

	ort_owner_assert(&rpc->owner);
	*p = (struct pending){ .id = ++rpc->last_id, .code = ORT_RPC_TIMEOUT, .message = "no reply in time", .fn = fn,
			       .user_data = user_data };
	if (rpc->dead) {	/* asked by a caller whom ort_rpc_close() just told */
		json_decref(params);
		tell(p, ORT_RPC_CLOSED, "connection closed", NULL);
		return;
	}
	p->deadline_us = ort_now_us() + (timeout_ms > 0 ? timeout_ms : TIMEOUT_MS_DEFAULT) * ORT_US_PER_MS;
	g_hash_table_insert(rpc->pending, &p->id, p);
	if (rpc->closed) {
		set_closed(p);
	} else if (full) {
		p->code = ORT_RPC_INTERNAL;
		p->message = "too many calls wait for a reply";
		p->deadline_us = 0;
	}
	arm(rpc, p->deadline_us);
	if (p->deadline_us == 0) {
		json_decref(params);
	} else {
		send_call(rpc, p->id, method, params);
	}
}

/* ---- answering ---- */

static void end_call(ort_rpc_call *call)
{
	if (call->rpc) {
		g_queue_unlink(&call->rpc->calls, &call->link);
	}
	json_decref(call->id);
	g_free(call);
}

void ort_rpc_reply(ort_rpc_call *call, json_t *result)
{
	if (call->rpc) {
		json_t *msg = new_message();
		ort_owner_assert(&call->rpc->owner);
		json_object_set_new(msg, "result", result ? json_incref(result) : json_object());
		json_object_set(msg, "id", call->id);
		send_message(call->rpc, msg);
	}
	json_decref(result);
	end_call(call);
}

void ort_rpc_fail(ort_rpc_call *call, int code, const char *message, json_t *data)
{
	if (call->rpc) {
		ort_owner_assert(&call->rpc->owner);
		send_error(call->rpc, call->id, code, message, json_incref(data));
	}
	json_decref(data);
	end_call(call);
}

/* ---- receiving ---- */

static void take_request(ort_rpc *rpc, const struct ort_rpc_frame *f)
{
	ort_rpc_call *call;

	if (!rpc->ops->on_request) {
		send_error(rpc, f->id, ORT_RPC_NO_METHOD, "no such method", NULL);
		return;
	}
	if (rpc->calls.length >= rpc->limits.max_pending) {
		send_error(rpc, f->id, ORT_RPC_INTERNAL, "too many calls wait for a reply", NULL);
		return;
	}
	call = g_new0(ort_rpc_call, 1);
	call->rpc = rpc;
	call->id = json_incref(f->id);
	call->link.data = call;
	g_queue_push_tail_link(&rpc->calls, &call->link);
	rpc->ops->on_request(rpc, call, f->method, f->params, rpc->user_data);
}

/* A reply that nobody waits for came after its time-out: no news. */
static void take_reply(ort_rpc *rpc, const struct ort_rpc_frame *f)
{
	struct pending *p = json_is_integer(f->id) ? steal(rpc, json_integer_value(f->id)) : NULL;
	if (p) {
		tell(p, f->kind == ORT_RPC_ERROR ? f->code : 0, f->message, f->result);
	}
}

static void take_line(ort_rpc *rpc, const char *line, size_t len)
{
	struct ort_rpc_frame f;
	int code = ort_rpc_parse(line, len, rpc->limits.max_line, &f);

	switch (f.kind) {
	case ORT_RPC_REQUEST:
		take_request(rpc, &f);
		break;
	case ORT_RPC_NOTIFICATION:
		if (rpc->ops->on_notify) {
			rpc->ops->on_notify(rpc, f.method, f.params, rpc->user_data);
		}
		break;
	case ORT_RPC_RESULT:
	case ORT_RPC_ERROR:
		take_reply(rpc, &f);
		break;
	case ORT_RPC_BAD:
		send_error(rpc, f.id, code, code == ORT_RPC_PARSE ? "not JSON" : "not a JSON-RPC 2.0 message", NULL);
		break;
	}
	json_decref(f.root);
}

static bool is_blank(const char *line, size_t len)
{
	return len == 0 || (len == 1 && line[0] == '\r');
}

static void take_lines(ort_rpc *rpc)
{
	size_t start = 0;

	while (!rpc->closed) {
		const char *line = (const char *)rpc->in->data + start;
		size_t scanned = MAX(rpc->in_scanned, start) - start, len = rpc->in->len - start;
		const char *end = len > scanned ? memchr(line + scanned, '\n', len - scanned) : NULL;

		len = end ? (size_t)(end - line) : len;
		if (len > rpc->limits.max_line) {
			fail(rpc, "the peer's line is too long");
			return;
		}
		if (!end) {
			break;
		}
		start += len + 1;
		if (!is_blank(line, len)) {
			take_line(rpc, line, len);
		}
	}
	g_byte_array_remove_range(rpc->in, 0, (guint)start);
	rpc->in_scanned = rpc->in->len;
}

static void read_some(ort_rpc *rpc)
{
	guint had = rpc->in->len;
	ssize_t n;

	g_byte_array_set_size(rpc->in, had + READ_CHUNK);
	n = read(rpc->fd, rpc->in->data + had, READ_CHUNK);
	g_byte_array_set_size(rpc->in, had + (guint)MAX(n, 0));
	if (n > 0) {
		take_lines(rpc);
	} else if (n == 0) {
		fail(rpc, "the peer closed");
	} else if (errno != EAGAIN && errno != EINTR) {
		fail(rpc, g_strerror(errno));
	}
}

static gboolean io_dispatch(GSource *source, GSourceFunc fn, gpointer user_data)
{
	ort_rpc *rpc = ((struct io_source *)source)->rpc;
	GIOCondition ready = g_source_query_unix_fd(source, rpc->io_tag);
	rpc->refs++;
	if (ready & G_IO_OUT) {
		flush(rpc);
	}
	if (!rpc->closed && (ready & (G_IO_IN | G_IO_HUP | G_IO_ERR))) {
		read_some(rpc);
	}
	unref(rpc);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs io_funcs = { .dispatch = io_dispatch };

/* ---- life ---- */

static struct ort_rpc_limits with_defaults(const struct ort_rpc_limits *limits)
{
	struct ort_rpc_limits l = limits ? *limits : (struct ort_rpc_limits){ 0 };
	l.max_line = l.max_line ? l.max_line : 1048576;
	l.max_pending = l.max_pending ? l.max_pending : 1024;
	l.max_queue = l.max_queue ? l.max_queue : 8388608;
	return l;
}

ort_rpc *ort_rpc_open(GMainContext *context, int fd, const struct ort_rpc_ops *ops, const struct ort_rpc_limits *limits,
		      void *user_data)
{
	ort_rpc *rpc = g_new0(ort_rpc, 1);

	rpc->refs = 1;
	rpc->fd = fd;
	rpc->ops = ops;
	rpc->user_data = user_data;
	rpc->limits = with_defaults(limits);
	rpc->in = g_byte_array_new();
	rpc->out = g_byte_array_new();
	rpc->pending = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
	g_queue_init(&rpc->calls);
	ort_owner_init(&rpc->owner);
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	rpc->timer_us = ORT_NEVER;
	rpc->timer = ort_timer_new(context, ORT_NEVER, on_timer, rpc);
	rpc->io = g_source_new(&io_funcs, sizeof(struct io_source));
	((struct io_source *)rpc->io)->rpc = rpc;
	g_source_set_static_name(rpc->io, "ort_rpc");
	rpc->io_tag = g_source_add_unix_fd(rpc->io, fd, G_IO_IN);
	g_source_attach(rpc->io, context);
	return rpc;
}

static void close_pending(ort_rpc *rpc)
{
	GHashTableIter it;
	void *p;
	for (;;) {
		g_hash_table_iter_init(&it, rpc->pending);
		if (!g_hash_table_iter_next(&it, NULL, &p)) {
			return;
		}
		g_hash_table_iter_steal(&it);
		tell(p, ORT_RPC_CLOSED, "connection closed", NULL);
	}
}

void ort_rpc_close(ort_rpc *rpc)
{
	GList *link;

	if (!rpc || rpc->dead) {
		return;
	}
	ort_owner_assert(&rpc->owner);
	rpc->dead = true;
	drop_stream(rpc);
	g_source_destroy(rpc->timer);
	g_source_unref(rpc->timer);
	while ((link = g_queue_pop_head_link(&rpc->calls))) {
		((ort_rpc_call *)link->data)->rpc = NULL;
	}
	close_pending(rpc);
	unref(rpc);
}
