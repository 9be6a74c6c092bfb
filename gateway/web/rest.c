/* POST /api/v1/<method> to gw_api, and the cookie that openers set. */
#include "gateway/web/web_priv.h"

#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"

enum { API_BODY_MAX = 1 << 20 };
#define JSON_TYPE "application/json; charset=utf-8"

static char *cookie_header(const gw_web *web, const char *name, const char *token, int64_t expires_ms)
{
	int64_t left_s = *token ? (expires_ms - ort_wall_ms()) / 1000 : 0;
	return g_strdup_printf("%s=%s; Path=/; HttpOnly; SameSite=Strict%s; Max-Age=%" G_GINT64_FORMAT, name, token,
			       web->tls || web->trust_forwarded ? "; Secure" : "", MAX(left_s, 0));
}

static void answered(const struct gw_api_rest_reply *reply, void *user_data)
{
	gw_web_exchange *x = user_data;
	struct gw_web_header headers[2];
	struct gw_web_response out = {.status = reply->status,
				      .content_type = JSON_TYPE,
				      .body = reply->body,
				      .len = strlen(reply->body),
				      .headers = headers};
	g_autofree char *cookie = NULL, *retry = NULL;
	if (reply->cookie) {
		cookie = cookie_header(x->web, x->cookie, reply->cookie, reply->cookie_expires_ms);
		headers[out.n_headers++] = (struct gw_web_header){"Set-Cookie", cookie};
	}
	if (reply->retry_after_s) {
		retry = g_strdup_printf("%" G_GINT64_FORMAT, reply->retry_after_s);
		headers[out.n_headers++] = (struct gw_web_header){"Retry-After", retry};
	}
	gw_web_reply(x, &out);
}

static void refuse(gw_web_exchange *x, enum gw_error error, const char *why)
{
	g_autofree char *body = gw_error_body(error, why);
	gw_web_reply(x, &(struct gw_web_response){.status = gw_errors[error].http,
						  .content_type = JSON_TYPE,
						  .body = body,
						  .len = strlen(body)});
}

/* application/json cannot be sent by a foreign page's form (a third lock beside SameSite and Origin). */
static void post(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	gw_web *web = user_data;
	if (r->len && !gw_web_content_type_is(r->content_type, "application/json")) {
		count(web, N_refused_http);
		refuse(x, GW_ERROR_INVALID, "Content-Type must be application/json");
		return;
	}
	x->cookie = gw_web_cookie_name(r->path, r->query);
	gw_api_call *call =
		gw_api_call_rest(web->api, r->tail, r->body, r->len, r->token, r->remote, ort_now_us(), answered, x);
	if (call) {
		x->call = call;
	}
}

static void openapi(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	g_autoptr(json_t) api = gw_api_openapi("/");
	g_autofree char *text = ort_json_text(api);
	gw_web_reply(x, &(struct gw_web_response){
				.status = 200, .content_type = JSON_TYPE, .body = text, .len = strlen(text)});
}

static void healthz(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	gw_web_reply(x, &(struct gw_web_response){
				.status = 200, .content_type = JSON_TYPE, .body = "{\"ok\":true}", .len = 11});
}

void gw_web_rest_routes(gw_web *web)
{
	gw_web_route(web, "POST", "/api/v1/", API_BODY_MAX, post, web);
	gw_web_route(web, "GET", "/api/v1/openapi.json", 0, openapi, web);
	gw_web_route(web, "GET", "/healthz", 0, healthz, web);
}
