/* WebSocket <-> gw_api session: who may upgrade, whole messages in, a bounded queue out, pings. */
#include "gateway/web/web_priv.h"

#include <string.h>

#include "mcu/base/clock.h"

/* RFC 6455 7.4.1, and 4401 of the client protocol */
enum { CLOSE_UNSUPPORTED = 1003, CLOSE_TOO_BIG = 1009, CLOSE_TRY_LATER = 1013, CLOSE_NO_LOGIN = 4401 };
enum { BURST = 32 };

/* ---- the upgrade ---- */

/* Never looks at the callback's `in`: in 4.1 it may point into a freed header table (CVE-2025-11677). */
static bool asks_for_websocket(struct conn *c)
{
	char upgrade[16];
	return lws_hdr_copy(c->wsi, upgrade, sizeof(upgrade), WSI_TOKEN_UPGRADE) > 0 &&
	       g_ascii_strcasecmp(upgrade, "websocket") == 0 && lws_hdr_total_length(c->wsi, WSI_TOKEN_GET_URI) > 0;
}

static int upgrade_fault(struct conn *c, const struct request *r)
{
	gw_web *web = c->web;
	if (c->redirect || strcmp(r->path, "/ws") != 0) {
		return 404;
	}
	if (r->origin && !gw_web_origin_is_ours(r->origin, r->host, web->tls, web->trust_forwarded, web->origins)) {
		count(web, N_refused_origin);
		return 403;
	}
	g_autofree char *key = gw_source_key(r->remote);
	if (!gw_limiter_take(web->connects, key, ort_now_us())) {
		return 429;
	}
	return !r->token && c->source->prelogin >= web->max_prelogin ? 503 : 0;
}

bool gw_web_ws_confirm(struct conn *c)
{
	struct request *r = asks_for_websocket(c) ? gw_web_request_read(c) : NULL;
	if (!r) {
		count(c->web, N_refused_upgrade);
		return false;
	}
	int status = upgrade_fault(c, r);
	if (status) {
		count(c->web, N_refused_upgrade);
		(void)gw_web_http_refuse_upgrade(c, status);
	} else {
		c->upgrade_ok = true;
		c->token = g_steal_pointer(&r->token);
		c->remote = g_steal_pointer(&r->remote);
	}
	gw_web_request_free(r);
	return status == 0;
}

/* ---- out ---- */

static bool transport_send(struct gw_api_session *s, const char *text, size_t len)
{
	struct conn *c = s->user;
	if (c->state == C_WS_CLOSING || c->dying) {
		return false;
	}
	if (c->queued + len > c->web->max_queue) {
		count(c->web, N_ws_overflow);
		g_queue_clear_full(&c->frames, g_free);
		c->queued = 0;
		gw_web_ws_close(c, CLOSE_TRY_LATER, "reads too slowly");
		return false;
	}
	struct frame *f = g_malloc(sizeof(*f) + LWS_PRE + len);
	f->len = len;
	memcpy(f->bytes + LWS_PRE, text, len);
	g_queue_push_tail(&c->frames, f);
	c->queued += len;
	lws_callback_on_writable(c->wsi);
	return true;
}

static void transport_close(struct gw_api_session *s, int code, const char *why)
{
	gw_web_ws_close(s->user, code, why);
}

static const struct gw_api_transport_ops transport = {transport_send, transport_close};

void gw_web_ws_close(struct conn *c, int code, const char *why)
{
	if (c->state == C_WS_CLOSING) {
		return;
	}
	c->close_code = code;
	g_strlcpy(c->close_why, why, sizeof(c->close_why));
	gw_web_conn_enter(c, C_WS_CLOSING);
	lws_callback_on_writable(c->wsi);
}

static int write_close(struct conn *c)
{
	lws_close_reason(c->wsi, (enum lws_close_status)c->close_code, (unsigned char *)c->close_why,
			 strlen(c->close_why));
	return -1;
}

static bool write_ping(struct conn *c)
{
	unsigned char empty[LWS_PRE + 1] = {0};
	c->ping_due = false;
	return lws_write(c->wsi, empty + LWS_PRE, 0, LWS_WRITE_PING) >= 0;
}

int gw_web_ws_writeable(struct conn *c)
{
	for (int i = 0; i < BURST && c->frames.length && !lws_send_pipe_choked(c->wsi); i++) {
		g_autofree struct frame *f = g_queue_pop_head(&c->frames);
		c->queued -= f->len;
		if (lws_write(c->wsi, f->bytes + LWS_PRE, f->len, LWS_WRITE_TEXT) < (int)f->len) {
			return -1;
		}
		count(c->web, N_ws_out);
	}
	if (c->frames.length) {
		lws_callback_on_writable(c->wsi);
		return 0;
	}
	if (c->state == C_WS_CLOSING) {
		return write_close(c);
	}
	return c->ping_due && !write_ping(c) ? -1 : 0;
}

/* ---- in ---- */

static void note_login(struct conn *c)
{
	if (c->state == C_WS_LOGIN && c->session->role != GW_ROLE_NONE) {
		gw_web_conn_enter(c, C_WS);
	}
}

int gw_web_ws_established(struct conn *c)
{
	gw_web *web = c->web;
	count(web, N_upgrades);
	c->heard_us = c->pinged_us = ort_now_us();
	c->session = gw_api_session_open(web->api, &transport, c->remote, c);
	gw_web_conn_enter(c, C_WS_LOGIN);
	if (c->token) {
		(void)gw_api_session_authenticate(c->session,
						  c->token); /* an old cookie: there are 5 s for auth.bearer */
		note_login(c);
	}
	if (c->state == C_WS_LOGIN && c->source->prelogin > web->max_prelogin) {
		gw_web_ws_close(c, CLOSE_TRY_LATER, "too many without log-in");
	}
	return 0;
}

int gw_web_ws_receive(struct conn *c, const void *in, size_t len)
{
	c->heard_us = ort_now_us();
	if (c->state == C_WS_CLOSING) {
		return 0;
	}
	if (lws_frame_is_binary(c->wsi)) {
		gw_web_ws_close(c, CLOSE_UNSUPPORTED, "text only");
		return 0;
	}
	if (!c->in) {
		c->in = g_byte_array_new();
	}
	if (c->in->len + len > gw_api_session_max_frame(c->session)) {
		count(c->web, N_ws_oversize);
		g_clear_pointer(&c->in, g_byte_array_unref);
		gw_web_ws_close(c, CLOSE_TOO_BIG, "message too long");
		return 0;
	}
	g_byte_array_append(c->in, in, (guint)len);
	if (!lws_is_final_fragment(c->wsi) || lws_remaining_packet_payload(c->wsi)) {
		return 0;
	}
	g_autoptr(GByteArray) message = g_steal_pointer(&c->in);
	count(c->web, N_ws_in);
	gw_api_dispatch(c->session, (const char *)message->data, message->len, c->heard_us);
	note_login(c);
	return 0;
}

/* ---- time ---- */

void gw_web_ws_tick(struct conn *c, int64_t now_us)
{
	const int64_t ping_us = c->web->ping_s * ORT_US_PER_S;
	note_login(c);
	if (c->state == C_WS_LOGIN && now_us - c->since_us > c->web->login_timeout_s * ORT_US_PER_S) {
		count(c->web, N_timed_out);
		gw_web_ws_close(c, CLOSE_NO_LOGIN, "no credentials");
	}
	if (c->state == C_WS_CLOSING) {
		return;
	}
	if (now_us - c->heard_us > 2 * ping_us) {
		count(c->web, N_ws_dead);
		gw_web_conn_kill(c);
	} else if (now_us - c->pinged_us >= ping_us) {
		c->pinged_us = now_us;
		c->ping_due = true;
		lws_callback_on_writable(c->wsi);
	}
}
