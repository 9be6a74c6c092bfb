/* A request on its way: answered now or later, once. The session may go first, the gw_api too; then the answer is
 * dropped. */
#include "gateway/api/api_priv.h"

#include <stdlib.h>
#include <string.h>

gw_api_call *gw_api_call_new(struct session *s, enum gw_method method)
{
	gw_api *api = s->pub.api;
	gw_api_call *call = g_new0(gw_api_call, 1);
	call->api = api;
	call->session = s;
	call->method = method;
	call->api_link.data = call->session_link.data = call;
	g_queue_push_tail_link(&api->calls, &call->api_link);
	g_queue_push_tail_link(&s->calls, &call->session_link);
	return call;
}

void gw_api_call_orphan(gw_api_call *call)
{
	if (call->session) {
		g_queue_unlink(&call->session->calls, &call->session_link);
		call->session = NULL;
	}
}

/* A REST session lives exactly as long as its call. */
static void call_free(gw_api_call *call)
{
	struct session *s = call->session;
	gw_api_call_orphan(call);
	if (call->api) {
		g_queue_unlink(&call->api->calls, &call->api_link);
	}
	if (s && s->pub.rest) {
		gw_api_session_free(s);
	}
	json_decref(call->id);
	g_free(call->cookie);
	g_free(call);
}

bool gw_api_call_run(gw_api_call *call, const void *request)
{
	const struct handler *h = &call->api->handlers[call->method];
	call->api->counters[N_calls]++;
	call->in_handler = true;
	struct gw_api_ops *ops = &call->api->ops;
	gw_api *api = call->api;
	if (ops->acting) {
		ops->acting(&call->session->pub, true, api->user_data);
	}
	h->fn(&call->session->pub, request, call, h->user_data);
	if (ops->acting) {
		ops->acting(NULL, false, api->user_data);
	}
	call->in_handler = false;
	if (call->answered) {
		call_free(call);
		return false;
	}
	return true;
}

bool gw_api_table_is_bare(const struct ort_json_table *table)
{
	return table->n_fields == 1 && table->fields[0].type == ORT_J_RAW &&
	       strcmp(table->fields[0].name, "value") == 0;
}

static json_t *print_reply(const struct ort_json_table *table, const void *reply)
{
	if (!reply) {
		return json_object();
	}
	if (gw_api_table_is_bare(table)) {
		const struct gw_raw *raw = reply;
		return raw->value ? json_incref(raw->value) : json_null();
	}
	return ort_json_print(table, reply);
}

static void rest_done(gw_api_call *call, int status, const char *body)
{
	struct gw_api_rest_reply reply = {
		.status = status,
		.body = body,
		.cookie = call->cookie,
		.cookie_expires_ms = call->cookie_expires_ms,
		.retry_after_s = call->retry_after_s,
	};
	call->rest_fn(&reply, call->rest_data);
}

static void answered(gw_api_call *call)
{
	call->answered = true;
	if (!call->in_handler) {
		call_free(call);
	}
}

static bool still_wanted(gw_api_call *call)
{
	g_assert(!call->answered);
	if (call->api && !call->session) {
		call->api->counters[N_dropped]++;
	}
	return call->session;
}

void gw_api_reply(gw_api_call *call, const void *reply)
{
	if (still_wanted(call)) {
		call->api->counters[N_replied]++;
		json_t *result = print_reply(gw_methods[call->method].reply, reply);
		gw_access_filter(&call->session->pub, call->method, &result);
		if (call->session->pub.rest) {
			char *text = json_dumps(result, JSON_COMPACT | JSON_ENCODE_ANY);
			rest_done(call, 200, text);
			free(text);
			json_decref(result);
		} else {
			(void)gw_api_session_send(call->session, json_pack("{s:s,s:O,s:o}", "jsonrpc", "2.0", "id",
									   call->id, "result", result));
		}
	}
	answered(call);
}

void gw_api_fail(gw_api_call *call, enum gw_error error, const char *why)
{
	g_assert(error < GW_ERROR_N);
	if (still_wanted(call)) {
		call->api->counters[N_failed]++;
		call->api->errors[error]++;
		if (call->session->pub.rest) {
			g_autofree char *body = gw_error_body(error, why);
			rest_done(call, gw_errors[error].http, body);
		} else {
			gw_api_refuse(call->session, call->id, error, why);
		}
	}
	answered(call);
}

struct gw_api_session *gw_api_call_session(gw_api_call *call)
{
	return call->session ? &call->session->pub : NULL;
}

void gw_api_call_set_cookie(gw_api_call *call, const char *token, int64_t expires_ms)
{
	g_free(call->cookie);
	call->cookie = g_strdup(token);
	call->cookie_expires_ms = expires_ms;
}

void gw_api_call_retry_after(gw_api_call *call, int64_t seconds)
{
	call->retry_after_s = seconds;
}

void gw_api_rest_cancel(gw_api_call *call)
{
	struct session *s = call->session;
	if (s) {
		gw_api_call_orphan(call);
		gw_api_session_free(s);
	}
}
