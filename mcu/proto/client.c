/* Typed client: structs in, structs out, over one ort_rpc. Knows no method by name and keeps no state of the engine. */
#include "mcu/proto/client.h"

#include "mcu/base/log.h"
#include "mcu/base/rpc.h"

struct mcu_client {
	ort_rpc *rpc;
	const struct mcu_client_ops *ops;
	void *user_data;
	bool dead;	/* on_closed was told */
};

struct call {
	enum mcu_method method;
	mcu_client_fn fn;
	void *user_data;
};

/* A dump of a full engine is longer than a line of the defaults. */
static const struct ort_rpc_limits limits = { .max_line = 64 << 20, .max_pending = 8192, .max_queue = 64 << 20 };

static void on_request(ort_rpc *rpc, ort_rpc_call *call, const char *method, json_t *params, void *user_data)
{
	ort_rpc_fail(call, ORT_RPC_NO_METHOD, "the gateway takes no calls on this connection", NULL);
}

static void on_notify(ort_rpc *rpc, const char *method, json_t *params, void *user_data)
{
	mcu_client *c = user_data;
	int event = mcu_event_by_name(method);
	if (event < 0 || c->dead) {
		return;	/* a newer engine: protocols only grow */
	}
	const struct ort_json_table *table = mcu_events[event].body;
	g_autofree void *body = g_malloc0(table->size);
	g_autofree char *why = NULL;
	if (ort_json_read(table, params, body, &why) < 0) {
		ort_log(ORT_LOG_WARNING, "proto", "event.bad", "event of the engine dropped", ORT_S("event", method),
			ORT_S("why", why));
		return;
	}
	if (c->ops->on_event) {
		c->ops->on_event(c, (enum mcu_event)event, body, c->user_data);
	}
	ort_json_clear(table, body);
}

static void on_closed(ort_rpc *rpc, const char *why, void *user_data)
{
	mcu_client *c = user_data;
	c->dead = true;
	if (c->ops->on_closed) {
		c->ops->on_closed(c, why, c->user_data);
	}
}

static const struct ort_rpc_ops rpc_ops = { .on_request = on_request, .on_notify = on_notify, .on_closed = on_closed };

mcu_client *mcu_client_open(GMainContext *context, int fd, const struct mcu_client_ops *ops, void *user_data)
{
	mcu_client *c = g_new0(mcu_client, 1);
	c->ops = ops;
	c->user_data = user_data;
	c->rpc = ort_rpc_open(context, fd, &rpc_ops, &limits, c);
	return c;
}

void mcu_client_close(mcu_client *c)
{
	if (!c) {
		return;
	}
	c->dead = true;
	ort_rpc_close(c->rpc);
	g_free(c);
}

/* What an endpoint says by itself, in the words of our table. */
static enum mcu_error_id map_code(int code)
{
	switch (code) {
	case ORT_RPC_TIMEOUT:
	case ORT_RPC_CLOSED:
		return MCU_ERROR_NO_ENGINE;
	case ORT_RPC_PARAMS:
	case ORT_RPC_INVALID:
	case ORT_RPC_NO_METHOD:
		return MCU_ERROR_INVALID;
	}
	int id = mcu_error_by_code(code);
	return id < 0 ? MCU_ERROR_INTERNAL : (enum mcu_error_id)id;
}

static void on_reply(int code, const char *message, json_t *result, void *user_data)
{
	g_autofree struct call *call = user_data;
	if (code) {
		enum mcu_error_id id = map_code(code);
		g_autoptr(GError) err = g_error_new_literal(MCU_ERROR, (int)id, message ? message : mcu_errors[id].en);
		call->fn(NULL, err, call->user_data);
		return;
	}
	const struct ort_json_table *table = mcu_methods[call->method].reply;
	g_autofree void *reply = g_malloc0(table->size);
	g_autofree char *why = NULL;
	if (ort_json_read(table, result, reply, &why) < 0) {
		g_autoptr(GError) err = g_error_new(MCU_ERROR, MCU_ERROR_INTERNAL, "reply to %s: %s",
						    mcu_methods[call->method].name, why);
		call->fn(NULL, err, call->user_data);
		return;
	}
	call->fn(reply, NULL, call->user_data);
	ort_json_clear(table, reply);
}

void mcu_client_call(mcu_client *c, enum mcu_method method, const void *request, mcu_client_fn fn, void *user_data)
{
	const struct mcu_method_row *row = &mcu_methods[method];
	struct call *call = NULL;
	if (fn) {
		call = g_new0(struct call, 1);
		*call = (struct call){ method, fn, user_data };
	}
	ort_rpc_request(c->rpc, row->name, ort_json_print(row->request, request), 0, fn ? on_reply : NULL, call);
}
