/* HTTP/1.1: requests to routes and files, answers back. The answer is one buffer that we write in small pieces, only
 * when the socket takes them: with reading stopped meanwhile (rx flow control), libwebsockets would neither tell us
 * that it is writable nor rest, so a choked answer goes on from the chores' timer. */
#include "gateway/web/web_priv.h"

#include <string.h>
#include <time.h>

#include "mcu/base/clock.h"

enum { PIECE = 8192, CHOKED_MS = 20, DISCARD_MAX = 1 << 20, DEFAULT_BODY = 65536 };

static const struct {
	int status;
	const char *text;
} texts[] = {
	{200, "OK"},
	{201, "Created"},
	{204, "No Content"},
	{304, "Not Modified"},
	{308, "Permanent Redirect"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{409, "Conflict"},
	{410, "Gone"},
	{411, "Length Required"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{415, "Unsupported Media Type"},
	{422, "Unprocessable Content"},
	{423, "Locked"},
	{428, "Precondition Required"},
	{429, "Too Many Requests"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
};

const char *gw_web_status_text(int status)
{
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		if (texts[i].status == status) {
			return texts[i].text;
		}
	}
	return "Status";
}

/* ---- the answer ---- */

static bool is_one_line(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 && *s != '\t') {
			return false;
		}
	}
	return true;
}

static void add_header(GString *out, const char *name, const char *value)
{
	if (is_one_line(name) && is_one_line(value)) {
		g_string_append_printf(out, "%s: %s\r\n", name, value);
	}
}

static bool has_header(const struct gw_web_response *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		if (g_ascii_strcasecmp(r->headers[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

/* OWASP's list; camera, microphone and position are what the field page lives on, for ourselves only. */
static void add_guards(gw_web *web, GString *out)
{
	add_header(out, "Content-Security-Policy", web->csp);
	add_header(out, "X-Content-Type-Options", "nosniff");
	add_header(out, "X-Frame-Options", "DENY");
	add_header(out, "Referrer-Policy", "no-referrer");
	add_header(out, "Cross-Origin-Opener-Policy", "same-origin");
	add_header(out, "Cross-Origin-Resource-Policy", "same-origin");
	add_header(out, "Permissions-Policy",
		   "camera=(self), microphone=(self), geolocation=(self), fullscreen=(self), autoplay=(self), "
		   "display-capture=(self), screen-wake-lock=(self)");
	if (web->hsts && web->tls) {
		add_header(out, "Strict-Transport-Security", "max-age=31536000");
	}
}

/* RFC 9110 6.6.1: a server with a clock says the date. */
static void add_date(GString *out)
{
	time_t now = (time_t)(ort_wall_ms() / 1000);
	struct tm tm;
	char text[40];
	if (gmtime_r(&now, &tm) && strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm)) {
		add_header(out, "Date", text);
	}
}

static bool may_have_body(int status)
{
	return status != 204 && status != 304;
}

static GByteArray *compose(struct conn *c, const gw_web_exchange *x, const struct gw_web_response *r)
{
	static const unsigned char room[LWS_PRE];
	g_autoptr(GString) head = g_string_new(NULL);
	g_string_printf(head, "HTTP/1.1 %d %s\r\n", r->status, gw_web_status_text(r->status));
	add_date(head);
	add_guards(c->web, head);
	if (r->content_type) {
		add_header(head, "Content-Type", r->content_type);
	}
	if (!has_header(r, "Cache-Control")) {
		add_header(head, "Cache-Control", "no-store");
	}
	for (size_t i = 0; i < r->n_headers; i++) {
		add_header(head, r->headers[i].name, r->headers[i].value);
	}
	if (may_have_body(r->status)) {
		g_string_append_printf(head, "Content-Length: %zu\r\n", r->len);
	}
	if (c->close_after) {
		add_header(head, "Connection", "close");
	}
	g_string_append(head, "\r\n");
	GByteArray *out = g_byte_array_new();
	g_byte_array_append(out, room, LWS_PRE);
	g_byte_array_append(out, (const guint8 *)head->str, (guint)head->len);
	if (r->len && !x->head && may_have_body(r->status)) {
		g_byte_array_append(out, r->body, (guint)r->len);
	}
	return out;
}

void gw_web_reply(gw_web_exchange *x, const struct gw_web_response *response)
{
	struct conn *c = x->conn;
	if (x->web) {
		g_queue_unlink(&x->web->exchanges, &x->link);
	}
	if (c) {
		c->exchange = NULL;
		c->out = compose(c, x, response);
		c->out_pos = LWS_PRE;
		gw_web_conn_enter(c, C_SEND);
		if (!c->in_callback) {
			gw_web_conn_chore(c);
		}
	}
	g_free(x);
}

static void reply_plain(gw_web_exchange *x, int status, const char *header, const char *value)
{
	const struct gw_web_header extra = {header, value};
	const char *text = gw_web_status_text(status);
	gw_web_reply(x, &(struct gw_web_response){.status = status,
						  .content_type = "text/plain; charset=utf-8",
						  .body = text,
						  .len = strlen(text),
						  .headers = &extra,
						  .n_headers = header ? 1 : 0});
}

static bool transaction_done(struct conn *c)
{
	bool close = c->close_after;
	g_clear_pointer(&c->out, g_byte_array_unref);
	g_clear_pointer(&c->body, g_byte_array_unref);
	g_clear_pointer(&c->request, gw_web_request_free);
	c->route = NULL;
	gw_web_conn_enter(c, C_IDLE);
	(void)lws_rx_flow_control(c->wsi, 1);
	return !close && lws_http_transaction_completed(c->wsi) == 0;
}

/* A short write would make libwebsockets keep the rest and ask for POLLOUT, which needs reading to be on. */
static bool wait_for_socket(struct conn *c)
{
	if (lws_partial_buffered(c->wsi)) {
		(void)lws_rx_flow_control(c->wsi, 1);
	}
	int64_t at_us = g_get_monotonic_time() + CHOKED_MS * ORT_US_PER_MS;
	int64_t set_us = g_source_get_ready_time(c->web->chores);
	if (set_us < 0 || set_us > at_us) {
		g_source_set_ready_time(c->web->chores, at_us);
	}
	return true;
}

bool gw_web_http_send(struct conn *c)
{
	while (c->out_pos < c->out->len) {
		if (lws_send_pipe_choked(c->wsi)) {
			return wait_for_socket(c);
		}
		size_t n = MIN(c->out->len - c->out_pos, (size_t)PIECE);
		bool last = c->out_pos + n == c->out->len;
		if (lws_write(c->wsi, c->out->data + c->out_pos, n, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) <
		    (int)n) {
			return false;
		}
		c->out_pos += n;
		c->since_us = ort_now_us();
	}
	return lws_partial_buffered(c->wsi) ? wait_for_socket(c) : transaction_done(c);
}

/* End of an lws callback: send what was answered within it; otherwise stop reading until the answer comes. */
static int conclude(struct conn *c)
{
	if (c->state == C_SEND) {
		(void)lws_rx_flow_control(c->wsi, 0);
		return gw_web_http_send(c) ? 0 : -1;
	}
	if (c->state == C_WAIT) {
		(void)lws_rx_flow_control(c->wsi, 0);
	}
	return 0;
}

/* ---- the request ---- */

static const struct route *find_route(gw_web *web, const char *method, const char *path, bool *ret_known)
{
	const struct route *best = NULL;
	for (guint i = 0; i < web->routes->len; i++) {
		const struct route *r = &g_array_index(web->routes, struct route, i);
		if (!g_str_has_prefix(path, r->prefix)) {
			continue;
		}
		*ret_known = true;
		bool fits = strcmp(r->method, "*") == 0 || strcmp(r->method, method) == 0;
		if (fits && (!best || strlen(r->prefix) > strlen(best->prefix))) {
			best = r;
		}
	}
	return best;
}

void gw_web_route(gw_web *web, const char *method, const char *prefix, size_t max_body, gw_web_handler_fn fn,
		  void *user_data)
{
	const struct route r = {method, prefix, max_body ? max_body : DEFAULT_BODY, fn, user_data};
	g_array_append_val(web->routes, r);
}

static gw_web_exchange *exchange_new(struct conn *c)
{
	gw_web_exchange *x = g_new0(gw_web_exchange, 1);
	x->web = c->web;
	x->conn = c;
	x->link.data = x;
	x->head = strcmp(c->request->method, "HEAD") == 0;
	g_queue_push_tail_link(&c->web->exchanges, &x->link);
	c->exchange = x;
	gw_web_conn_enter(c, C_WAIT);
	return x;
}

static void refuse(struct conn *c, int status, const char *header, const char *value)
{
	count(c->web, status == 404 ? N_not_found : N_refused_http);
	reply_plain(exchange_new(c), status, header, value);
}

static void redirect(struct conn *c)
{
	const struct request *r = c->request;
	c->close_after = true;
	if (!r->host || !gw_web_host_is_sane(r->host) || !gw_web_path_is_sane(r->path)) {
		refuse(c, 400, NULL, NULL);
		return;
	}
	const char *colon = strrchr(r->host, ':'), *bracket = strrchr(r->host, ']');
	size_t n = colon && (!bracket || colon > bracket) ? (size_t)(colon - r->host) : strlen(r->host);
	g_autofree char *path = g_uri_escape_string(r->path, "/", FALSE);
	g_autofree char *to = g_strdup_printf("https://%.*s:%d%s", (int)n, r->host, gw_web_port(c->web), path);
	reply_plain(exchange_new(c), 308, "Location", to);
}

static void call_route(struct conn *c)
{
	const struct request *r = c->request;
	gw_web_exchange *x = exchange_new(c);
	size_t len = c->body ? c->body->len : 0;
	if (c->body) {
		g_byte_array_append(c->body, (const guint8 *)"", 1); /* the NUL that is promised */
	}
	const struct gw_web_request in = {
		.method = r->method,
		.path = r->path,
		.tail = r->path + strlen(c->route->prefix),
		.query = r->query,
		.content_type = r->content_type,
		.token = r->token,
		.if_match = r->if_match,
		.origin = r->origin,
		.remote = r->remote,
		.loopback = c->loopback && strcmp(r->remote, c->peer) == 0,
		.body = c->body ? (const char *)c->body->data : "",
		.len = len,
	};
	c->route->fn(x, &in, c->route->user_data);
}

/* A page of another site must not post with our cookie (SameSite=Strict says so too; two locks). */
static bool is_foreign(const struct conn *c)
{
	const gw_web *web = c->web;
	const struct request *r = c->request;
	return r->origin && !gw_web_origin_is_ours(r->origin, r->host, web->tls, web->trust_forwarded, web->origins);
}

static bool is_reading(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static void serve(struct conn *c)
{
	bool known = false;
	const char *method = c->request->method;
	c->route = find_route(c->web, method, c->request->path, &known);
	if (c->route) {
		call_route(c);
	} else if (known) {
		refuse(c, 405, NULL, NULL);
	} else if (is_reading(method) && c->web->files) {
		gw_web_files_serve(c->web->files, exchange_new(c), c->request);
	} else if (is_reading(method)) {
		refuse(c, 404, NULL, NULL);
	} else {
		refuse(c, 405, "Allow", "GET, HEAD");
	}
}

static void refuse_unread(struct conn *c, int status, int64_t length)
{
	c->close_after = c->close_after || length < 0 || length > DISCARD_MAX;
	refuse(c, status, NULL, NULL);
}

/* Before any byte of the body: may it come? */
static void begin(struct conn *c, int64_t length)
{
	bool known = false;
	const char *method = c->request->method;
	const struct route *route = find_route(c->web, method, c->request->path, &known);
	bool wants_body = strcmp(method, "POST") == 0 || strcmp(method, "PATCH") == 0 || strcmp(method, "PUT") == 0;
	if (length == -2 || !gw_web_path_is_sane(c->request->path) || (length > 0 && is_reading(method))) {
		c->close_after = true;
		refuse_unread(c, 400, length);
	} else if (wants_body && length == -1) {
		refuse_unread(c, 411, length);
	} else if (!is_reading(method) && is_foreign(c)) {
		count(c->web, N_refused_origin);
		refuse_unread(c, 403, length);
	} else if (length > 0 && !route) {
		refuse_unread(c, known ? 405 : 404, length);
	} else if (length > 0 && (size_t)length > route->max_body) {
		refuse_unread(c, 413, length);
	} else if (length > 0) {
		c->body = g_byte_array_sized_new((guint)MIN(length + 1, 65536));
		c->body_len = (size_t)length;
		gw_web_conn_enter(c, C_BODY);
	} else {
		serve(c);
	}
}

int gw_web_http_request(struct conn *c)
{
	count(c->web, N_requests);
	lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0); /* ours are in conn.c */
	if (c->exchange || c->out) {
		return -1; /* a second request behind one that waits */
	}
	g_clear_pointer(&c->request, gw_web_request_free);
	c->request = gw_web_request_read(c);
	if (!c->request) {
		return -1;
	}
	int64_t length = gw_web_request_length(c);
	c->empty_post = length == 0 && strcmp(c->request->method, "POST") == 0;
	c->close_after = false;
	c->in_callback = true;
	if (c->redirect) {
		redirect(c);
	} else {
		begin(c, length);
	}
	c->in_callback = false;
	return conclude(c);
}

int gw_web_http_body(struct conn *c, const void *in, size_t len)
{
	if (c->state != C_BODY) {
		return len == 0 || c->state == C_SEND ? 0 : -1; /* the rest of a body that was refused */
	}
	if (c->body->len + len > c->body_len) {
		return -1;
	}
	g_byte_array_append(c->body, in, (guint)len);
	return 0;
}

int gw_web_http_body_done(struct conn *c)
{
	if (c->state != C_BODY) {
		bool spurious = c->empty_post; /* libwebsockets reports the end of an empty POST once more */
		c->empty_post = false;
		return spurious || c->state == C_SEND || c->state == C_IDLE ? 0 : -1;
	}
	c->in_callback = true;
	serve(c);
	c->in_callback = false;
	return conclude(c);
}

/* An upgrade that we do not want gets its status in words; the caller then closes. */
int gw_web_http_refuse_upgrade(struct conn *c, int status)
{
	unsigned char buffer[LWS_PRE + 256];
	int n = g_snprintf(
		(char *)buffer + LWS_PRE, 256,
		"HTTP/1.1 %d %s\r\nContent-Length: 0\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n", status,
		gw_web_status_text(status));
	(void)lws_write(c->wsi, buffer + LWS_PRE, (size_t)n, LWS_WRITE_HTTP_HEADERS); /* it is closed in any case */
	return -1;
}
