/* One request out of libwebsockets' header table, copied: the table is gone when an answer comes late. */
#include "gateway/web/web_priv.h"

#include <string.h>

enum { HEADER_MAX = 4096 };

/* NULL when absent; a value with control characters counts as absent too: no stranger's CR LF gets any further. */
static char *header(struct lws *wsi, enum lws_token_indexes token)
{
	int len = lws_hdr_total_length(wsi, token);
	if (len <= 0 || len > HEADER_MAX) {
		return NULL;
	}
	g_autofree char *value = g_malloc0((size_t)len + 8);
	if (lws_hdr_copy(wsi, value, len + 8, token) < 0) {
		return NULL;
	}
	for (const char *p = value; *p; p++) {
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f) {
			return NULL;
		}
	}
	return g_steal_pointer(&value);
}

static const struct {
	enum lws_token_indexes token;
	const char *name;
} methods[] = {
	{WSI_TOKEN_GET_URI, "GET"},	{WSI_TOKEN_POST_URI, "POST"},	  {WSI_TOKEN_HEAD_URI, "HEAD"},
	{WSI_TOKEN_PATCH_URI, "PATCH"}, {WSI_TOKEN_DELETE_URI, "DELETE"}, {WSI_TOKEN_OPTIONS_URI, "OPTIONS"},
	{WSI_TOKEN_PUT_URI, "PUT"},
};

static bool read_method(struct lws *wsi, struct request *r)
{
	for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
		if (lws_hdr_total_length(wsi, methods[i].token) > 0) {
			r->method = g_strdup(methods[i].name);
			r->path = header(wsi, methods[i].token);
			return r->path;
		}
	}
	return false;
}

static char *remote_of(struct conn *c)
{
	g_autofree char *forwarded = NULL;
	if (c->web->trust_forwarded && c->loopback) {
		forwarded = header(c->wsi, WSI_TOKEN_X_FORWARDED_FOR);
	}
	char *address = forwarded ? gw_web_last_forwarded(forwarded) : NULL;
	return address ? address : g_strdup(c->peer);
}

struct request *gw_web_request_read(struct conn *c)
{
	struct lws *wsi = c->wsi;
	struct request *r = g_new0(struct request, 1);
	if (!read_method(wsi, r)) {
		gw_web_request_free(r);
		return NULL;
	}
	g_autofree char *authorization = header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
	g_autofree char *cookies = header(wsi, WSI_TOKEN_HTTP_COOKIE);
	r->query = header(wsi, WSI_TOKEN_HTTP_URI_ARGS);
	r->host = header(wsi, WSI_TOKEN_HOST);
	r->origin = header(wsi, WSI_TOKEN_ORIGIN);
	r->content_type = header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE);
	r->if_match = header(wsi, WSI_TOKEN_HTTP_IF_MATCH);
	r->if_none_match = header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH);
	r->token = gw_web_bearer_of(authorization, cookies, gw_web_cookie_name(r->path, r->query));
	r->remote = remote_of(c);
	return r;
}

void gw_web_request_free(struct request *r)
{
	if (!r) {
		return;
	}
	char *const all[] = {r->method,	      r->path,	r->query,    r->host,	       r->origin,
			     r->content_type, r->token, r->if_match, r->if_none_match, r->remote};
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		g_free(all[i]);
	}
	g_free(r);
}

/* RFC 9112 6.3: a Transfer-Encoding that we do not decode, or a length that is not one number, cannot be framed. */
int64_t gw_web_request_length(struct conn *c)
{
	if (lws_hdr_total_length(c->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0) {
		return -2;
	}
	if (lws_hdr_total_length(c->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0) {
		return -1;
	}
	g_autofree char *text = header(c->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
	guint64 value = 0;
	if (!text || !g_ascii_string_to_unsigned(text, 10, 0, INT32_MAX, &value, NULL)) {
		return -2;
	}
	return (int64_t)value;
}
