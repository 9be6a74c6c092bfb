/* From bytes to a handler: the checks in their order, cheap ones first, the same for WebSocket and REST. */
#include "gateway/api/api_priv.h"

#include <string.h>

#include "mcu/base/rpc.h"

enum {
	PARSE_ANYWAY = 4096, /* a refused message up to this size is still read for its id, so that the client's promise
				ends */
	PATIENCE = 300,	     /* messages over the rate in a row until the socket is closed */
	CLOSE_POLICY = 1008, /* RFC 6455 7.4.1 */
};

static json_t *error_data(enum gw_error error, const char *why)
{
	const struct gw_error_row *row = &gw_errors[error];
	json_t *data = json_pack("{s:s,s:s}", "code", row->name, "message_zh", row->zh);
	if (why) {
		json_object_set_new(data, "why", json_string(why));
	}
	return data;
}

char *gw_error_body(enum gw_error error, const char *why)
{
	g_autoptr(json_t) data = error_data(error, why);
	json_object_set_new(data, "message", json_string(gw_errors[error].en));
	g_autoptr(json_t) body = json_pack("{s:O}", "error", data);
	return ort_json_text(body);
}

/* `id` borrowed; NULL = it could not be read (JSON-RPC 2.0 section 5: then null). */
void gw_api_refuse(struct session *s, json_t *id, enum gw_error error, const char *why)
{
	const struct gw_error_row *row = &gw_errors[error];
	(void)gw_api_session_send(s, json_pack("{s:s,s:O?,s:{s:i,s:s,s:o}}", "jsonrpc", "2.0", "id", id, "error",
					       "code", row->code, "message", row->en, "data", error_data(error, why)));
}

static void refuse_counted(struct session *s, json_t *id, enum gw_error error, const char *why)
{
	s->pub.api->counters[N_refused]++;
	s->pub.api->errors[error]++;
	gw_api_refuse(s, id, error, why);
}

static const char *wrong_transport_text(unsigned flags)
{
	return flags & GW_METHOD_REST_ONLY ? "only by POST /api/v1" : "only over the WebSocket";
}

enum gw_error gw_api_check_method(struct session *s, int method, unsigned wrong_transport, size_t len, int64_t now_us,
				  char **ret_why)
{
	gw_api *api = s->pub.api;
	if (method < 0) {
		return GW_ERROR_NO_METHOD;
	}
	const struct gw_method_row *row = &gw_methods[method];
	if (row->flags & wrong_transport) {
		*ret_why = g_strdup(wrong_transport_text(row->flags));
		return GW_ERROR_NO_METHOD;
	}
	if (len > row->max_bytes) {
		return GW_ERROR_TOO_LARGE;
	}
	if (!(row->roles & (1U << s->pub.role))) {
		return s->pub.role == GW_ROLE_NONE ? GW_ERROR_UNAUTHENTICATED : GW_ERROR_FORBIDDEN;
	}
	if (s->pub.limited && !(row->flags & GW_METHOD_FIRST)) {
		return GW_ERROR_SECOND_FACTOR;
	}
	if ((row->flags & GW_METHOD_OPENER) && !gw_limiter_take(api->openers, s->pub.source, now_us)) {
		return GW_ERROR_RATE_LIMITED;
	}
	if (s->calls.length >= api->limits.max_pending) {
		*ret_why = g_strdup("too many calls without an answer yet");
		return GW_ERROR_RATE_LIMITED;
	}
	return GW_ERROR_N;
}

enum gw_error gw_api_start_call(struct session *s, enum gw_method method, json_t *params, gw_api_call **ret_call,
				void **ret_request, char **ret_why)
{
	gw_api *api = s->pub.api;
	const struct ort_json_table *table = gw_methods[method].request;
	g_autoptr(json_t) none = json_object();
	if (!api->handlers[method].fn) {
		api->counters[N_no_handler]++;
		*ret_why = g_strdup("not part of this gateway");
		return GW_ERROR_UNAVAILABLE;
	}
	if (params && !json_is_object(params)) {
		*ret_why = g_strdup("params must be an object");
		return GW_ERROR_INVALID;
	}
	*ret_why = params ? gw_api_stranger(table, params) : NULL;
	if (*ret_why) {
		return GW_ERROR_INVALID;
	}
	g_autofree void *request = g_malloc0(table->size);
	if (ort_json_read(table, params ? params : none, request, ret_why) < 0) {
		return GW_ERROR_INVALID;
	}
	enum gw_error err = gw_access_check(&s->pub, method, request, ret_why);
	if (err == GW_ERROR_N && api->ops.approve) {
		err = api->ops.approve(&s->pub, method, params ? params : none, request, ret_why, api->user_data);
	}
	if (err != GW_ERROR_N) {
		ort_json_clear(table, request);
		return err;
	}
	*ret_call = gw_api_call_new(s, method);
	*ret_request = g_steal_pointer(&request);
	return GW_ERROR_N;
}

static bool within_rate(struct session *s, int64_t now_us)
{
	gw_api *api = s->pub.api;
	bool ok = gw_api_bucket_take(&s->bucket, api->limits.session_rate, api->limits.session_burst, now_us) &&
		  gw_limiter_take(api->sources, s->pub.source, now_us);
	s->refusals = ok ? 0 : s->refusals + 1;
	return ok;
}

static void over_rate(struct session *s, const char *text, size_t len)
{
	struct ort_rpc_frame frame = {0};
	if (len <= PARSE_ANYWAY) {
		(void)ort_rpc_parse(text, len, PARSE_ANYWAY, &frame); /* bad ones have no id: null is right */
	}
	refuse_counted(s, frame.id, GW_ERROR_RATE_LIMITED, NULL);
	json_decref(frame.root);
	if (s->refusals >= PATIENCE && !s->ending) {
		s->ending = true;
		s->transport->close(&s->pub, CLOSE_POLICY, "rate limit");
	}
}

static void dispatch_request(struct session *s, const struct ort_rpc_frame *frame, size_t len, int64_t now_us)
{
	g_autofree char *why = NULL;
	g_autofree void *request = NULL;
	gw_api_call *call = NULL;
	int method = gw_method_by_name(frame->method);
	enum gw_error err = gw_api_check_method(s, method, GW_METHOD_REST_ONLY, len, now_us, &why);
	if (err == GW_ERROR_N) {
		err = gw_api_start_call(s, (enum gw_method)method, frame->params, &call, &request, &why);
	}
	if (err != GW_ERROR_N) {
		refuse_counted(s, frame->id, err, why);
		return;
	}
	call->id = json_incref(frame->id);
	gw_api_call_run(call, request);
	ort_json_clear(gw_methods[method].request, request);
}

static enum gw_error bad_frame(int code)
{
	return code == ORT_RPC_PARSE ? GW_ERROR_PARSE : GW_ERROR_BAD_REQUEST;
}

/* A session whose credential has died meanwhile hears so and is closed. */
static bool still_good(struct session *s)
{
	gw_api *api = s->pub.api;
	if (s->pub.role == GW_ROLE_NONE || !api->ops.touch || api->ops.touch(&s->pub, api->user_data)) {
		return true;
	}
	api->counters[N_refused]++;
	api->errors[GW_ERROR_UNAUTHENTICATED]++;
	gw_api_end(&s->pub, "expired");
	return false;
}

void gw_api_dispatch(struct gw_api_session *pub, const char *text, size_t len, int64_t now_us)
{
	struct session *s = priv(pub);
	struct ort_rpc_frame frame = {0};
	size_t max = gw_api_session_max_frame(pub);
	pub->api->counters[N_frames]++;
	if (s->ending) {
		return;
	}
	if (!within_rate(s, now_us)) {
		over_rate(s, text, len);
		return;
	}
	if (len > max) {
		refuse_counted(s, NULL, GW_ERROR_TOO_LARGE, NULL);
		return;
	}
	int code = ort_rpc_parse(text, len, max, &frame);
	if (frame.kind == ORT_RPC_BAD || code != 0) {
		refuse_counted(s, frame.id, bad_frame(code), NULL);
	} else if (frame.kind != ORT_RPC_REQUEST) {
		pub->api->counters[N_ignored]++;
	} else if (still_good(s)) {
		dispatch_request(s, &frame, len, now_us);
	}
	json_decref(frame.root);
}
