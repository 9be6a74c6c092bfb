/* The same methods by POST /api/v1/<method>: one request, one session that lives as long as its call. */
#include "gateway/api/api_priv.h"

#include <string.h>

struct answer {
	gw_api_rest_fn fn;
	void *user_data;
};

static void rest_refuse(gw_api *api, const struct answer *to, enum gw_error error, const char *why)
{
	g_autofree char *body = gw_error_body(error, why);
	struct gw_api_rest_reply reply = {.status = gw_errors[error].http, .body = body};
	api->counters[N_refused]++;
	api->errors[error]++;
	if (error == GW_ERROR_RATE_LIMITED) {
		reply.retry_after_s = 1;
	}
	to->fn(&reply, to->user_data);
}

/* A dead token is no obstacle to a method that needs none: the log-in page comes with yesterday's cookie. */
static enum gw_error rest_authenticate(struct session *s, int method, const char *token, int64_t now_us)
{
	gw_api *api = s->pub.api;
	enum gw_error err = token ? gw_api_session_authenticate(&s->pub, token) : GW_ERROR_N;
	if (err != GW_ERROR_N && method >= 0 && (gw_methods[method].roles & (1U << GW_ROLE_NONE))) {
		return GW_ERROR_N;
	}
	if (err == GW_ERROR_N && s->pub.auth && !gw_limiter_take(api->credentials, s->pub.auth, now_us)) {
		return GW_ERROR_RATE_LIMITED;
	}
	return err;
}

static enum gw_error read_body(const char *body, size_t len, uint32_t max, json_t **ret_params, char **ret_why)
{
	if (len == 0) {
		*ret_params = json_object();
		return GW_ERROR_N;
	}
	*ret_params = ort_json_parse(body, len, max, ret_why);
	return *ret_params ? GW_ERROR_N : GW_ERROR_PARSE;
}

static enum gw_error rest_prepare(struct session *s, int method, const char *body, size_t len, const char *token,
				  int64_t now_us, gw_api_call **ret_call, void **ret_request, char **ret_why)
{
	g_autoptr(json_t) params = NULL;
	if (!gw_limiter_take(s->pub.api->sources, s->pub.source, now_us)) {
		return GW_ERROR_RATE_LIMITED;
	}
	enum gw_error err = rest_authenticate(s, method, token, now_us);
	if (err == GW_ERROR_N) {
		err = gw_api_check_method(s, method, GW_METHOD_WS_ONLY, len, now_us, ret_why);
	}
	if (err == GW_ERROR_N) {
		err = read_body(body, len, gw_methods[method].max_bytes, &params, ret_why);
	}
	if (err == GW_ERROR_N) {
		err = gw_api_start_call(s, (enum gw_method)method, params, ret_call, ret_request, ret_why);
	}
	return err;
}

gw_api_call *gw_api_call_rest(gw_api *api, const char *name, const char *body, size_t len, const char *token,
			      const char *remote, int64_t now_us, gw_api_rest_fn fn, void *user_data)
{
	const struct answer to = {fn, user_data};
	g_autofree char *why = NULL;
	g_autofree void *request = NULL;
	gw_api_call *call = NULL;
	int method = gw_method_by_name(name);
	struct session *s = gw_api_session_new(api, NULL, remote, NULL, now_us);
	api->counters[N_rest]++;
	enum gw_error err = rest_prepare(s, method, body, len, token, now_us, &call, &request, &why);
	if (err != GW_ERROR_N) {
		gw_api_session_free(s);
		rest_refuse(api, &to, err, why);
		return NULL;
	}
	call->rest_fn = fn;
	call->rest_data = user_data;
	bool waiting = gw_api_call_run(call, request);
	ort_json_clear(gw_methods[method].request, request);
	return waiting ? call : NULL;
}
