/* The real server on a free port of the loopback, and clients that speak bytes: what a browser does, and what nobody should. */
#include <glib/gstdio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/web/web.h"
#include "mcu/base/clock.h"
#include "tests/unit/gateway/web/client_priv.h"

struct world {
	gw_api *api;
	gw_web *web;
	gw_api_call *late;
	gw_web_exchange *raw;
	char *folder;
	int port, opened, closed;
	bool keep;
};

/* ---- an application ---- */

static enum gw_error authenticate(const char *token, const char *remote, struct gw_api_identity *ret, void *user_data)
{
	int role = gw_role_by_name(token);
	g_assert_cmpstr(remote, ==, "127.0.0.1");
	if (role <= GW_ROLE_NONE || role >= GW_ROLE_SYSTEM) {
		return GW_ERROR_UNAUTHENTICATED;
	}
	*ret = (struct gw_api_identity){ .auth = token, .subject = "account:x", .name = "X", .role = (enum gw_role)role };
	return GW_ERROR_N;
}

static void opened(struct gw_api_session *s, void *user_data)
{
	((struct world *)user_data)->opened++;
}

static void closed(struct gw_api_session *s, void *user_data)
{
	((struct world *)user_data)->closed++;
}

static void login(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_auth_login *in = request;
	gw_api_call_set_cookie(call, in->password, ort_wall_ms() + 60000);
	gw_api_reply(call, &(struct gw_session_info){ .subject = (char *)"account:x", .role = GW_ROLE_VIEWER });
}

static void logout(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_api_call_set_cookie(call, "", 0);
	gw_api_reply(call, NULL);
}

static void stats(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	struct world *w = user_data;
	if (w->keep) {
		w->late = call;
		return;
	}
	g_autoptr(json_t) json = json_pack("{s:s}", "hello", s->name);
	gw_api_reply(call, &(struct gw_raw){ json });
}

static void whip(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	struct world *w = user_data;
	const struct gw_web_header headers[] = { { "Location", "/whip/1" }, { "ETag", "\"1\"" }, { "X-Bad", "a\r\nSet-Cookie: b" } };
	if (w->keep) {
		w->raw = x;
		return;
	}
	g_autofree char *body = g_strdup_printf("%s %s %s %s %s", r->method, r->tail, r->token ? r->token : "-",
						r->content_type ? r->content_type : "-", r->body);
	gw_web_reply(x, &(struct gw_web_response){ 201, "application/sdp", body, strlen(body), headers, 3 });
}

static void big(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	g_autofree char *body = g_strnfill(3 << 20, 'x');
	gw_web_reply(x, &(struct gw_web_response){ 200, "text/plain", body, 3 << 20, NULL, 0 });
}

static void put_file(const char *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder, name, NULL), *dir = g_path_get_dirname(path);
	g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static char *make_pages(void)
{
	char *folder = g_dir_make_tmp("ortoo-web-XXXXXX", NULL);
	g_autofree char *root = g_build_filename(folder, "root", NULL);
	g_assert_nonnull(folder);
	put_file(folder, "secret.txt", "secret");
	put_file(folder, "root/console/index.html", "<!doctype html>console");
	put_file(folder, "root/field/index.html", "<!doctype html>field");
	put_file(folder, "root/lib/api.js", "export {}");
	put_file(folder, "root/lib/notes.md", "no type");
	put_file(folder, "root/lib/.hidden.js", "hidden");
	put_file(folder, "root/package.json", "{}");
	put_file(folder, "root/node_modules/x/index.js", "x");
	put_file(folder, "root/vendor/preact.js", "export {}");
	g_autofree char *way_out = g_build_filename(root, "lib/out.txt", NULL);
	g_assert_cmpint(symlink("../../secret.txt", way_out), ==, 0);
	return folder;
}

static void remove_tree(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;
	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *child = g_build_filename(path, name, NULL);
		if (g_file_test(child, G_FILE_TEST_IS_DIR) && !g_file_test(child, G_FILE_TEST_IS_SYMLINK)) {
			remove_tree(child);
		} else {
			g_unlink(child);
		}
	}
	g_rmdir(path);
}

static void start_with(struct world *w, struct gw_web_conf conf)
{
	static const struct gw_api_ops ops = { authenticate, NULL, opened, closed };
	g_autofree char *why = NULL, *root = NULL;
	*w = (struct world){ .api = gw_api_new(&ops, NULL, w), .folder = make_pages() };
	gw_api_bind(w->api, GW_METHOD_AUTH_LOGIN, login, w);
	gw_api_bind(w->api, GW_METHOD_AUTH_LOGOUT, logout, w);
	gw_api_bind(w->api, GW_METHOD_STATS_GET, stats, w);
	root = g_build_filename(w->folder, "root", NULL);
	conf.listen = "127.0.0.1";
	conf.root = root;
	w->web = gw_web_start(&conf, w->api, &why);
	g_assert_no_errno(w->web ? 0 : -1);
	g_assert_cmpstr(why, ==, NULL);
	gw_web_route(w->web, "*", "/whip/", 1000, whip, w);
	gw_web_route(w->web, "GET", "/big", 0, big, w);
	w->port = gw_web_port(w->web);
	g_assert_cmpint(w->port, >, 0);
}

static void start(struct world *w)
{
	start_with(w, (struct gw_web_conf){ .redirect_port = -1 });
}

static void finish(struct world *w)
{
	gw_web_stop(w->web);
	gw_api_free(w->api);
	remove_tree(w->folder);
	g_free(w->folder);
	while (g_main_context_iteration(NULL, FALSE)) {
	}
}

static json_int_t counter(struct world *w, const char *name)
{
	g_autoptr(json_t) all = gw_web_counters(w->web);
	g_assert_nonnull(json_object_get(all, name));
	return json_integer_value(json_object_get(all, name));
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(path, headers, body) "POST " path " HTTP/1.1\r\nHost: h\r\n" headers "\r\n" body
#define JSON "Content-Type: application/json\r\n"

/* ---- pages ---- */

static const struct page_row { const char *name, *request; int status; const char *body; } pages[] = {
	{ "console", GET("/"), 200, "<!doctype html>console" },
	{ "field", GET("/j/AbCdEf-_123"), 200, "<!doctype html>field" },
	{ "module", GET("/lib/api.js"), 200, "export {}" },
	{ "query", GET("/lib/api.js?v=1"), 200, "export {}" },
	{ "head", "HEAD /lib/api.js HTTP/1.1\r\nHost: h\r\n\r\n", 200, "" },
	{ "health", GET("/healthz"), 200, "{\"ok\":true}" },
	{ "missing", GET("/lib/none.js"), 404, NULL },
	{ "folder", GET("/lib/"), 404, NULL },
	{ "folder-bare", GET("/lib"), 404, NULL },
	{ "unknown-type", GET("/lib/notes.md"), 404, NULL },
	{ "hidden", GET("/lib/.hidden.js"), 400, NULL },
	{ "not-listed", GET("/package.json"), 404, NULL },
	{ "node-modules", GET("/node_modules/x/index.js"), 404, NULL },
	{ "symlink-out", GET("/lib/out.txt"), 404, NULL },
	{ "post-to-page", POST("/", "Content-Length: 0\r\n", ""), 405, NULL },
	{ "put", "PUT /lib/api.js HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 405, NULL },
	{ "body-on-get", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", 400, NULL },
	{ "http-1.0", "GET / HTTP/1.0\r\n\r\n", 200, "<!doctype html>console" },
};

static void page(const void *data)
{
	const struct page_row *row = data;
	struct world w;
	start(&w);
	struct answer a = client_ask(w.port, row->request);
	g_assert_cmpint(a.status, ==, row->status);
	if (row->body) {
		g_assert_cmpstr(a.body, ==, row->body);
	}
	answer_clear(&a);
	finish(&w);
}

static const char *const traversals[] = {
	"/../secret.txt", "/lib/../../secret.txt", "/lib/..%2f..%2fsecret.txt", "/lib/%2e%2e/%2e%2e/secret.txt",
	"/lib/..%5c..%5csecret.txt", "/lib/....//....//secret.txt", "/%2e%2e/secret.txt", "//etc/passwd", "/lib//../../secret.txt",
	"/lib/%c0%ae%c0%ae/secret.txt", "/lib/..%00/secret.txt", "/lib/out.txt", "/lib/..;/secret.txt", "/..%252fsecret.txt",
	"/lib/%2e%2e%2fout.txt", "/vendor/../../secret.txt", "/console/../../secret.txt", "/lib/./../../secret.txt",
	"http://h/../secret.txt", "/proc/self/environ", "/lib/api.js/../../../secret.txt", "/j/../../secret.txt",
};

static void nothing_leaves_the_root(void)
{
	struct world w;
	start(&w);
	for (size_t i = 0; i < G_N_ELEMENTS(traversals); i++) {
		g_autofree char *request = g_strdup_printf("GET %s HTTP/1.1\r\nHost: h\r\n\r\n", traversals[i]);
		struct answer a = client_ask(w.port, request);
		g_test_message("%s: %d", traversals[i], a.status);
		g_assert_true(a.status != 200 || strstr(a.body, "<!doctype html>"));
		g_assert_true(!a.body || !strstr(a.body, "secret"));
		answer_clear(&a);
	}
	finish(&w);
}

static const struct { const char *name, *part; } guards[] = {
	{ "Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: https://tiles.example;" },
	{ "Content-Security-Policy", "frame-ancestors 'none'; base-uri 'none'; form-action 'self'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Permissions-Policy", "camera=(self), microphone=(self), geolocation=(self)" },
	{ "Content-Type", "text/html; charset=utf-8" },
	{ "Cache-Control", "no-cache" },
};

static void pages_are_guarded(void)
{
	struct world w;
	start_with(&w, (struct gw_web_conf){ .redirect_port = -1, .map_origin = "https://tiles.example" });
	struct answer a = client_ask(w.port, GET("/"));
	for (size_t i = 0; i < G_N_ELEMENTS(guards); i++) {
		g_autofree char *value = answer_header(&a, guards[i].name);
		g_assert_nonnull(value);
		g_assert_nonnull(strstr(value, guards[i].part));
		g_assert_null(strstr(value, "unsafe"));
	}
	g_assert_null(answer_header(&a, "Server"));
	g_assert_null(answer_header(&a, "Strict-Transport-Security"));
	answer_clear(&a);
	finish(&w);
}

static void unchanged_files_are_not_sent_again(void)
{
	struct world w;
	start(&w);
	struct answer a = client_ask(w.port, GET("/lib/api.js"));
	g_autofree char *etag = answer_header(&a, "ETag");
	g_autofree char *again = g_strdup_printf("GET /lib/api.js HTTP/1.1\r\nHost: h\r\nIf-None-Match: %s\r\n\r\n", etag);
	answer_clear(&a);
	a = client_ask(w.port, again);
	g_assert_cmpint(a.status, ==, 304);
	answer_clear(&a);
	g_autofree char *root = g_build_filename(w.folder, "root", NULL);
	put_file(root, "lib/api.js", "export const changed = 1");
	a = client_ask(w.port, again);
	g_assert_cmpint(a.status, ==, 200);
	g_assert_cmpstr(a.body, ==, "export const changed = 1");
	answer_clear(&a);
	finish(&w);
}

static void connection_is_kept(void)
{
	struct world w;
	start(&w);
	int fd = client_connect(w.port);
	for (int i = 0; i < 5; i++) {
		client_write(fd, GET("/lib/api.js"), strlen(GET("/lib/api.js")));
		struct answer a = client_answer(fd, false);
		g_assert_cmpint(a.status, ==, 200);
		answer_clear(&a);
	}
	g_assert_cmpint(counter(&w, "accepted"), ==, 1);
	close(fd);
	finish(&w);
}

/* ---- REST ---- */

static const struct rest_row { const char *name, *request; int status; const char *part; } rests[] = {
	{ "clock", POST("/api/v1/time.sync", JSON "Content-Length: 15\r\n", "{\"client_ms\":7}"), 200, "\"client_ms\":7" },
	{ "no-body", POST("/api/v1/time.sync", "Content-Length: 0\r\n", ""), 200, "server_ms" },
	{ "bearer", POST("/api/v1/stats.get", "Authorization: Bearer viewer\r\nContent-Length: 0\r\n", ""), 200, "\"hello\":\"X\"" },
	{ "cookie", POST("/api/v1/stats.get", "Cookie: ortoo_session=viewer\r\nContent-Length: 0\r\n", ""), 200, "hello" },
	{ "own-origin", POST("/api/v1/stats.get", "Origin: http://h\r\nCookie: ortoo_session=viewer\r\nContent-Length: 0\r\n", ""), 200, "hello" },
	{ "foreign-origin", POST("/api/v1/stats.get", "Origin: http://evil\r\nCookie: ortoo_session=viewer\r\nContent-Length: 0\r\n", ""), 403, "" },
	{ "nobody", POST("/api/v1/stats.get", "Content-Length: 0\r\n", ""), 401, "\"code\":\"unauthenticated\"" },
	{ "no-such", POST("/api/v1/no.such", "Content-Length: 0\r\n", ""), 404, "\"code\":\"no_method\"" },
	{ "get", GET("/api/v1/stats.get"), 405, "" },
	{ "form", POST("/api/v1/time.sync", "Content-Type: text/plain\r\nContent-Length: 2\r\n", "{}"), 400, "application/json" },
	{ "no-length", POST("/api/v1/time.sync", JSON, ""), 411, "" },
	{ "chunked", POST("/api/v1/time.sync", JSON "Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"), 400, "" },
	{ "both-lengths", POST("/api/v1/time.sync", JSON "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "{}"), 400, "" },
	{ "two-lengths", POST("/api/v1/time.sync", JSON "Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), 400, "" },
	{ "negative-length", POST("/api/v1/time.sync", JSON "Content-Length: -1\r\n", "{}"), 400, "" },
	{ "length-not-a-number", POST("/api/v1/time.sync", JSON "Content-Length: 0x2\r\n", "{}"), 400, "" },
	{ "huge-length", POST("/api/v1/time.sync", JSON "Content-Length: 99999999999999\r\n", "{}"), 400, "" },
	{ "too-large", POST("/api/v1/time.sync", JSON "Content-Length: 2000000\r\n", "{}"), 413, "" },
	{ "openapi", GET("/api/v1/openapi.json"), 200, "\"openapi\":\"3.1.0\"" },
};

static void rest(const void *data)
{
	const struct rest_row *row = data;
	struct world w;
	start(&w);
	struct answer a = client_ask(w.port, row->request);
	g_assert_cmpint(a.status, ==, row->status);
	g_assert_nonnull(strstr(a.body, row->part));
	answer_clear(&a);
	finish(&w);
}

static void cookie_goes_round(void)
{
	struct world w;
	start(&w);
	struct answer a = client_ask(w.port, POST("/api/v1/auth.login", JSON "Content-Length: 32\r\n",
						  "{\"name\":\"x\",\"password\":\"viewer\"}\n"));
	g_assert_cmpint(a.status, ==, 200);
	g_autofree char *cookie = answer_header(&a, "Set-Cookie");
	g_assert_true(g_str_has_prefix(cookie, "ortoo_session=viewer; Path=/; HttpOnly; SameSite=Strict; Max-Age="));
	answer_clear(&a);
	struct answer up;
	int fd = client_ws(w.port, "Cookie: ortoo_session=viewer\r\n", &up);
	g_assert_cmpint(up.status, ==, 101);
	g_assert_cmpint(w.opened, ==, 1);
	answer_clear(&up);
	close(fd);
	a = client_ask(w.port, POST("/api/v1/auth.logout", "Cookie: ortoo_session=viewer\r\nContent-Length: 0\r\n", ""));
	g_autofree char *cleared = answer_header(&a, "Set-Cookie");
	g_assert_true(g_str_has_prefix(cleared, "ortoo_session=; ") && g_str_has_suffix(cleared, "Max-Age=0"));
	answer_clear(&a);
	CLIENT_UNTIL(w.closed == 1);
	finish(&w);
}

static void body_may_come_in_pieces(void)
{
	struct world w;
	start(&w);
	int fd = client_connect(w.port);
	const char *request = POST("/api/v1/time.sync", JSON "Content-Length: 15\r\n", "{\"client_ms\":7}");
	for (const char *p = request; *p; p++) {
		client_write(fd, p, 1);
	}
	struct answer a = client_answer(fd, false);
	g_assert_cmpint(a.status, ==, 200);
	answer_clear(&a);
	close(fd);
	finish(&w);
}

static void late_answer_arrives(void)
{
	struct world w;
	start(&w);
	w.keep = true;
	int fd = client_connect(w.port);
	const char *request = POST("/api/v1/stats.get", "Authorization: Bearer viewer\r\nContent-Length: 0\r\n", "");
	client_write(fd, request, strlen(request));
	CLIENT_UNTIL(w.late);
	gw_api_fail(w.late, GW_ERROR_MEDIA_UNAVAILABLE, NULL);
	struct answer a = client_answer(fd, false);
	g_assert_cmpint(a.status, ==, 503);
	answer_clear(&a);
	close(fd);
	finish(&w);
}

static void client_leaves_before_the_answer(void)
{
	struct world w;
	start(&w);
	w.keep = true;
	int fd = client_connect(w.port);
	const char *request = POST("/api/v1/stats.get", "Authorization: Bearer viewer\r\nContent-Length: 0\r\n", "");
	const struct linger hard = { 1, 0 };
	client_write(fd, request, strlen(request));
	CLIENT_UNTIL(w.late);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
	CLIENT_UNTIL(counter(&w, "sockets") == 0);
	g_assert_null(gw_api_call_session(w.late));
	gw_api_reply(w.late, NULL);
	finish(&w);
}

static void second_request_behind_a_waiting_one(void)
{
	struct world w;
	start(&w);
	w.keep = true;
	int fd = client_connect(w.port);
	const char *request = POST("/whip/a", "Content-Length: 2\r\n", "v=");
	client_write(fd, request, strlen(request));
	CLIENT_UNTIL(w.raw);
	client_write(fd, request, strlen(request));
	for (int i = 0; i < 20; i++) {
		client_turn();
	}
	gw_web_exchange *first = g_steal_pointer(&w.raw);
	w.keep = false;
	gw_web_reply(first, &(struct gw_web_response){ .status = 204 });
	struct answer a = client_answer(fd, false);
	g_assert_cmpint(a.status, ==, 204);
	answer_clear(&a);
	close(fd);
	finish(&w);
}

/* ---- raw routes ---- */

static const struct route_row { const char *name, *request; int status; const char *body; } routes[] = {
	{ "post", POST("/whip/in", "Content-Type: application/sdp\r\nAuthorization: Bearer t\r\nContent-Length: 3\r\n", "v=0"), 201, "POST in t application/sdp v=0" },
	{ "delete", "DELETE /whip/1 HTTP/1.1\r\nHost: h\r\n\r\n", 201, "DELETE 1 - - " },
	{ "options", "OPTIONS /whip/1 HTTP/1.1\r\nHost: h\r\n\r\n", 201, "OPTIONS 1 - - " },
	{ "patch", "PATCH /whip/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab", 201, "PATCH 1 - - ab" },
	{ "patch-empty", "PATCH /whip/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 201, "PATCH 1 - - " },
	{ "too-large", POST("/whip/in", "Content-Length: 1001\r\n", ""), 413, NULL },
};

static void route(const void *data)
{
	const struct route_row *row = data;
	struct world w;
	start(&w);
	struct answer a = client_ask(w.port, row->request);
	g_assert_cmpint(a.status, ==, row->status);
	if (row->body) {
		g_autofree char *location = answer_header(&a, "Location");
		g_assert_cmpstr(a.body, ==, row->body);
		g_assert_cmpstr(location, ==, "/whip/1");
		g_assert_null(answer_header(&a, "X-Bad"));
		g_assert_null(answer_header(&a, "Set-Cookie"));
	}
	answer_clear(&a);
	finish(&w);
}

static void answer_after_stop_is_dropped(void)
{
	struct world w;
	start(&w);
	w.keep = true;
	int fd = client_connect(w.port);
	client_write(fd, GET("/whip/a"), strlen(GET("/whip/a")));
	CLIENT_UNTIL(w.raw);
	gw_web_exchange *late = w.raw;
	finish(&w);
	gw_web_reply(late, &(struct gw_web_response){ .status = 204 });
	close(fd);
}

/* ---- WebSocket ---- */

#define SYNC "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"time.sync\"}"

static void websocket_round_trip(void)
{
	struct world w;
	struct answer up;
	g_autoptr(GByteArray) in = g_byte_array_new();
	start(&w);
	g_autofree char *origin = g_strdup_printf("Origin: http://127.0.0.1:%d\r\nCookie: ortoo_session=viewer\r\n", w.port);
	int fd = client_ws(w.port, origin, &up);
	g_assert_cmpint(up.status, ==, 101);
	client_ws_text(fd, SYNC);
	g_autofree char *text = client_ws_next(fd, in, 1);
	g_assert_nonnull(strstr(text, "server_ms"));
	client_ws_frame(fd, 9, "p", 1);
	g_autofree char *pong = client_ws_next(fd, in, 10);
	g_assert_cmpstr(pong, ==, "p");
	gw_api_broadcast(w.api, NULL, NULL, GW_EVENT_DIRECTORY_CHANGED, NULL);
	g_autofree char *event = client_ws_next(fd, in, 1);
	g_assert_nonnull(strstr(event, "directory.changed"));
	gw_api_end_matching(w.api, NULL, NULL, "revoked");
	g_autofree char *ended = client_ws_next(fd, in, 1);
	g_assert_nonnull(strstr(ended, "session.ended"));
	g_assert_cmpint(client_ws_close_code(fd, in), ==, 4401);
	close(fd);
	CLIENT_UNTIL(w.closed == 1);
	answer_clear(&up);
	finish(&w);
}

static void bearer_in_the_first_message(void)
{
	struct world w;
	struct answer up;
	g_autoptr(GByteArray) in = g_byte_array_new();
	start_with(&w, (struct gw_web_conf){ .redirect_port = -1, .login_timeout_s = 1 });
	int fd = client_ws(w.port, "", &up);
	answer_clear(&up);
	int idle = client_ws(w.port, "Cookie: ortoo_session=stale\r\n", &up);
	client_ws_text(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"auth.bearer\",\"params\":{\"token\":\"field\"}}");
	g_autofree char *text = client_ws_next(fd, in, 1);
	g_assert_nonnull(strstr(text, "\"role\":\"field\""));
	g_byte_array_set_size(in, 0);
	g_assert_cmpint(client_ws_close_code(idle, in), ==, 4401);
	client_ws_text(fd, SYNC);
	g_byte_array_set_size(in, 0);
	g_autofree char *still = client_ws_next(fd, in, 1);
	g_assert_nonnull(still);
	close(fd);
	close(idle);
	answer_clear(&up);
	finish(&w);
}

static const struct upgrade_row { const char *name, *request; int status; } upgrades[] = {
#define UP(path, headers) "GET " path " HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" headers "\r\n"
	{ "own-origin", UP("/ws", "Upgrade: websocket\r\nOrigin: http://h\r\n"), 101 },
	{ "listed-origin", UP("/ws", "Upgrade: websocket\r\nOrigin: https://portal.example\r\n"), 101 },
	{ "foreign-origin", UP("/ws", "Upgrade: websocket\r\nOrigin: http://evil\r\n"), 403 },
	{ "null-origin", UP("/ws", "Upgrade: websocket\r\nOrigin: null\r\n"), 403 },
	{ "other-path", UP("/", "Upgrade: websocket\r\n"), 404 },
	{ "api-path", UP("/api/v1/stats.get", "Upgrade: websocket\r\n"), 404 },
	{ "h2c", UP("/ws", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"), 0 },
	{ "unknown-upgrade", UP("/ws", "Upgrade: nonsense\r\n"), 403 },
	{ "post", "POST /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n", 0 },
	{ "no-key", "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 0 },
	{ "h2-preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", -1 },
	{ "garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n\r\n\r\n", -1 },
	{ "connect", "CONNECT evil:80 HTTP/1.1\r\nHost: h\r\n\r\n", -1 },
};

static void upgrade(const void *data)
{
	static const char *const listed[] = { "https://portal.example", NULL };
	const struct upgrade_row *row = data;
	struct world w;
	start_with(&w, (struct gw_web_conf){ .redirect_port = -1, .origins = listed, .header_timeout_s = 1 });
	struct answer a = client_ask(w.port, row->request);
	g_assert_true(row->status < 0 ? a.status != 200 && a.status != 101 : a.status == row->status);	/* -1: refused in any way */
	answer_clear(&a);
	a = client_ask(w.port, GET("/healthz"));	/* whatever that was, we live */
	g_assert_cmpint(a.status, ==, 200);
	answer_clear(&a);
	finish(&w);
}

static void oversized_message_closes(void)
{
	struct world w;
	struct answer up;
	g_autoptr(GByteArray) in = g_byte_array_new();
	start(&w);
	int fd = client_ws(w.port, "Cookie: ortoo_session=field\r\n", &up);
	g_autofree char *text = g_strnfill(140000, ' ');
	client_ws_text(fd, text);
	g_assert_cmpint(client_ws_close_code(fd, in), ==, 1009);
	close(fd);
	g_byte_array_set_size(in, 0);
	answer_clear(&up);
	fd = client_ws(w.port, "Cookie: ortoo_session=field\r\n", &up);
	client_ws_frame(fd, 2, "x", 1);
	g_assert_cmpint(client_ws_close_code(fd, in), ==, 1003);
	close(fd);
	g_byte_array_set_size(in, 0);
	answer_clear(&up);
	fd = client_ws(w.port, "Cookie: ortoo_session=field\r\n", &up);
	client_ws_text(fd, "\xff\xfe");
	g_assert_cmpint(client_ws_close_code(fd, in), ==, 1007);
	close(fd);
	answer_clear(&up);
	finish(&w);
}

static void slow_reader_is_let_go(void)
{
	struct world w;
	struct answer up;
	start_with(&w, (struct gw_web_conf){ .redirect_port = -1, .max_queue = 200000 });
	int slow = client_ws(w.port, "Cookie: ortoo_session=viewer\r\n", &up);
	answer_clear(&up);
	int good = client_ws(w.port, "Cookie: ortoo_session=viewer\r\n", &up);
	g_autoptr(GByteArray) in = g_byte_array_new();
	g_autofree char *text = g_strnfill(50000, 'x');
	g_autoptr(json_t) wall = json_string(text);
	for (int i = 0; i < 1000 && counter(&w, "ws_overflow") == 0; i++) {
		gw_api_broadcast(w.api, NULL, NULL, GW_EVENT_WALL_CHANGED, &(struct gw_ev_wall){ wall });
		g_autofree char *event = client_ws_next(good, in, 1);
		g_assert_nonnull(event);
	}
	g_assert_cmpint(counter(&w, "ws_overflow"), ==, 1);
	CLIENT_UNTIL(w.closed == 1);	/* the slow one, though it reads nothing */
	client_ws_text(good, SYNC);
	g_autofree char *still = client_ws_next(good, in, 1);
	g_assert_nonnull(still);
	close(slow);
	close(good);
	answer_clear(&up);
	finish(&w);
}

static void silent_peer_is_let_go(void)
{
	struct world w;
	struct answer up;
	g_autoptr(GByteArray) in = g_byte_array_new();
	start_with(&w, (struct gw_web_conf){ .redirect_port = -1, .ping_s = 1 });
	int fd = client_ws(w.port, "Cookie: ortoo_session=viewer\r\n", &up);
	g_autofree char *ping = client_ws_next(fd, in, 9);
	g_assert_nonnull(ping);
	CLIENT_UNTIL(counter(&w, "ws_dead") == 1 && w.closed == 1);
	close(fd);
	answer_clear(&up);
	finish(&w);
}

static void sockets_without_login_are_few(void)
{
	struct world w;
	struct answer up;
	int fds[9];
	start(&w);
	for (int i = 0; i < 8; i++) {
		fds[i] = client_ws(w.port, "", &up);
		g_assert_cmpint(up.status, ==, 101);
		answer_clear(&up);
	}
	fds[8] = client_ws(w.port, "", &up);
	g_assert_cmpint(up.status, ==, 503);
	answer_clear(&up);
	int fd = client_ws(w.port, "Cookie: ortoo_session=viewer\r\n", &up);
	g_assert_cmpint(up.status, ==, 101);
	answer_clear(&up);
	close(fd);
	for (int i = 0; i < 9; i++) {
		close(fds[i]);
	}
	finish(&w);
}

static void connects_have_a_rate(void)
{
	struct world w;
	struct answer up;
	int ok = 0, refused = 0;
	start_with(&w, (struct gw_web_conf){ .redirect_port = -1, .connect_rate = 0.001, .connect_burst = 3 });
	for (int i = 0; i < 6; i++) {
		int fd = client_ws(w.port, "Cookie: ortoo_session=viewer\r\n", &up);
		ok += up.status == 101;
		refused += up.status == 429;
		answer_clear(&up);
		close(fd);
	}
	g_assert_cmpint(ok, ==, 3);
	g_assert_cmpint(refused, ==, 3);
	finish(&w);
}

/* ---- those who hold sockets ---- */

static void half_open_sockets_make_room(void)
{
	struct world w;
	int fds[300];
	start(&w);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = client_connect(w.port);
		client_write(fds[i], "GET / HT", i % 2 ? 8 : 0);
	}
	struct answer a = client_ask(w.port, GET("/"));
	g_assert_cmpint(a.status, ==, 200);
	answer_clear(&a);
	g_assert_cmpint(counter(&w, "evicted"), >, 200);
	g_assert_cmpint(counter(&w, "sockets"), <=, 66);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		close(fds[i]);
	}
	CLIENT_UNTIL(counter(&w, "sockets") == 0);
	finish(&w);
}

static void slow_header_is_cut(void)
{
	struct world w;
	start_with(&w, (struct gw_web_conf){ .redirect_port = -1, .header_timeout_s = 1 });
	int fd = client_connect(w.port), silent = client_connect(w.port);
	gint64 next_us = 0;
	client_write(fd, "GET / HTTP/1.1\r\n", 16);
	while (!client_is_closed(fd)) {
		if (g_get_monotonic_time() > next_us) {
			next_us = g_get_monotonic_time() + 100000;
			client_write(fd, "X-a: b\r\n", 8);
		}
		client_turn();
	}
	CLIENT_UNTIL(client_is_closed(silent));
	g_assert_cmpint(counter(&w, "timed_out"), ==, 2);
	close(fd);
	close(silent);
	finish(&w);
}

static void header_too_long(void)
{
	struct world w;
	start(&w);
	g_autofree char *filler = g_strnfill(100000, 'a');
	g_autofree char *request = g_strdup_printf("GET / HTTP/1.1\r\nHost: h\r\nX-Filler: %s\r\n\r\n", filler);
	g_autofree char *cookie = g_strdup_printf("GET / HTTP/1.1\r\nHost: h\r\nCookie: %s\r\n\r\n", filler);
	struct answer a = client_ask(w.port, request);
	g_assert_cmpint(a.status, !=, 500);
	answer_clear(&a);
	a = client_ask(w.port, cookie);
	g_assert_cmpint(a.status, ==, 0);
	answer_clear(&a);
	a = client_ask(w.port, GET("/"));
	g_assert_cmpint(a.status, ==, 200);
	answer_clear(&a);
	finish(&w);
}

static void big_answer_to_a_slow_reader(void)
{
	struct world w;
	start(&w);
	int fd = client_connect(w.port);
	int small = 65536;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	client_write(fd, GET("/big"), strlen(GET("/big")));
	client_write(fd, GET("/healthz"), strlen(GET("/healthz")));	/* pipelined: waits its turn */
	for (int i = 0; i < 100; i++) {
		client_turn();
	}
	struct answer a = client_answer(fd, false);
	g_assert_cmpint(a.status, ==, 200);
	g_assert_cmpuint(a.len, ==, 3 << 20);
	g_assert_cmpuint(strspn(a.body, "x"), ==, 3 << 20);
	answer_clear(&a);
	close(fd);
	finish(&w);
}

/* ---- TLS ---- */

static void make_certificate(const char *folder, char **ret_cert, char **ret_key)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	*ret_cert = g_build_filename(folder, "cert.pem", NULL);
	*ret_key = g_build_filename(folder, "key.pem", NULL);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	g_assert_cmpint(X509_sign(x, key, EVP_sha256()), >, 0);
	FILE *f = fopen(*ret_cert, "w");
	PEM_write_X509(f, x);
	fclose(f);
	f = fopen(*ret_key, "w");
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

struct tls { SSL_CTX *ctx; SSL *ssl; int fd; };

static bool tls_open(struct tls *t, int port, int max_version)
{
	int rc;
	bool failed = false;
	t->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_max_proto_version(t->ctx, max_version);
	t->ssl = SSL_new(t->ctx);
	t->fd = client_connect(port);
	SSL_set_fd(t->ssl, t->fd);
	CLIENT_UNTIL((rc = SSL_connect(t->ssl)) == 1 || (failed = SSL_get_error(t->ssl, rc) != SSL_ERROR_WANT_READ));
	return !failed;
}

static void tls_close(struct tls *t)
{
	ERR_clear_error();
	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	close(t->fd);
}

/* At least `want` bytes, a server that answers less fails the test. */
static GByteArray *tls_ask(struct tls *t, const void *request, size_t len, size_t want)
{
	GByteArray *in = g_byte_array_new();
	guint8 buffer[16384];
	int n;
	g_assert_cmpint(SSL_write(t->ssl, request, (int)len), ==, (int)len);
	while (in->len < want) {
		CLIENT_UNTIL((n = SSL_read(t->ssl, buffer, sizeof(buffer))) > 0);
		g_byte_array_append(in, buffer, (guint)n);
	}
	g_byte_array_append(in, (const guint8 *)"", 1);
	return in;
}

static bool handshake(int port, int max_version, const char *request, char *buffer, size_t size)
{
	struct tls t;
	bool ok = tls_open(&t, port, max_version);
	if (ok) {
		g_autoptr(GByteArray) in = tls_ask(&t, request, strlen(request), 1);
		g_strlcpy(buffer, (const char *)in->data, size);
	}
	tls_close(&t);
	return ok;
}

/* Body after body on one connection, then a WebSocket: records end where they like. */
static void tls_carries_much(void)
{
	struct world w;
	struct tls t;
	char *text = NULL;
	size_t len = 0;
	g_autofree char *folder = g_dir_make_tmp("ortoo-tls-XXXXXX", NULL), *cert = NULL, *key = NULL;
	make_certificate(folder, &cert, &key);
	start_with(&w, (struct gw_web_conf){ .cert_path = cert, .key_path = key, .redirect_port = -1 });
	g_assert_true(tls_open(&t, w.port, TLS1_3_VERSION));
	for (int i = 0; i < 2; i++) {
		g_autoptr(GByteArray) in = tls_ask(&t, GET("/big"), strlen(GET("/big")), 3 << 20);
		const char *end = strstr((const char *)in->data, "\r\n\r\n");
		size_t missing = (size_t)(end + 4 - (const char *)in->data) + (3 << 20) - (in->len - 1);
		g_autoptr(GByteArray) rest = missing ? tls_ask(&t, "", 0, missing) : NULL;
		g_assert_cmpuint(strspn(end + 4, "x") + (rest ? strspn((const char *)rest->data, "x") : 0), ==, 3 << 20);
	}
	const char *up = UP("/ws", "Upgrade: websocket\r\nOrigin: https://h\r\nCookie: ortoo_session=viewer\r\n");
	g_autoptr(GByteArray) answer = tls_ask(&t, up, strlen(up), 1);
	g_assert_true(g_str_has_prefix((const char *)answer->data, "HTTP/1.1 101"));
	static const guint8 ping[] = { 0x89, 0x81, 0, 0, 0, 0, 'p' };
	g_autoptr(GByteArray) pong = tls_ask(&t, ping, sizeof(ping), 3);
	g_assert_cmpint(client_ws_take(pong, &text, &len), ==, 10);
	g_assert_cmpstr(text, ==, "p");
	g_free(text);
	tls_close(&t);
	finish(&w);
	remove_tree(folder);
}

static void tls_and_redirect(void)
{
	struct world w;
	char buffer[8192];
	g_autofree char *folder = g_dir_make_tmp("ortoo-tls-XXXXXX", NULL), *cert = NULL, *key = NULL;
	make_certificate(folder, &cert, &key);
	start_with(&w, (struct gw_web_conf){ .cert_path = cert, .key_path = key, .hsts = true });
	g_assert_true(handshake(w.port, TLS1_3_VERSION, GET("/"), buffer, sizeof(buffer)));
	g_assert_true(g_str_has_prefix(buffer, "HTTP/1.1 200 OK"));
	g_assert_nonnull(strstr(buffer, "Strict-Transport-Security: max-age=31536000"));
	g_assert_true(handshake(w.port, TLS1_2_VERSION, POST("/api/v1/auth.logout", "Cookie: ortoo_session=viewer\r\nContent-Length: 0\r\n", ""), buffer, sizeof(buffer)));
	g_assert_nonnull(strstr(buffer, "SameSite=Strict; Secure"));
	g_assert_false(handshake(w.port, TLS1_1_VERSION, GET("/"), buffer, sizeof(buffer)));
	struct answer a = client_ask(gw_web_redirect_port(w.web), "GET /j/abc HTTP/1.1\r\nHost: gw.example:80\r\n\r\n");
	g_autofree char *location = answer_header(&a, "Location"), *want = g_strdup_printf("https://gw.example:%d/j/abc", w.port);
	g_assert_cmpint(a.status, ==, 308);
	g_assert_cmpstr(location, ==, want);
	answer_clear(&a);
	a = client_ask(gw_web_redirect_port(w.web), "GET / HTTP/1.1\r\nHost: a b\r\n\r\n");
	g_assert_cmpint(a.status, ==, 400);
	answer_clear(&a);
	a = client_ask(w.port, GET("/"));	/* plain words to the TLS port */
	g_assert_cmpint(a.status, !=, 200);
	answer_clear(&a);
	finish(&w);
	remove_tree(folder);
}

static const struct conf_row { const char *name; struct gw_web_conf conf; } confs[] = {
	{ "plain-on-all", { .redirect_port = -1 } },
	{ "plain-on-address", { .listen = "0.0.0.0", .redirect_port = -1 } },
	{ "certificate-alone", { .listen = "127.0.0.1", .cert_path = "/nonexistent", .redirect_port = -1 } },
	{ "certificate-missing", { .listen = "127.0.0.1", .cert_path = "/nonexistent", .key_path = "/nonexistent", .redirect_port = -1 } },
	{ "no-root", { .listen = "127.0.0.1", .root = "/nonexistent", .redirect_port = -1 } },
	{ "map-origin-injects", { .listen = "127.0.0.1", .map_origin = "https://a; script-src *", .redirect_port = -1 } },
};

static void bad_configuration(const void *data)
{
	const struct conf_row *row = data;
	static const struct gw_api_ops ops = { .authenticate = authenticate };
	gw_api *api = gw_api_new(&ops, NULL, NULL);
	g_autofree char *why = NULL;
	g_assert_null(gw_web_start(&row->conf, api, &why));
	g_assert_nonnull(why);
	gw_api_free(api);
}

#define ADD_ROWS(prefix, rows, fn)                                                                 \
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {                                          \
		g_autofree char *name = g_strconcat(prefix, rows[i].name, NULL);                   \
		g_test_add_data_func(name, &rows[i], fn);                                          \
	}

static const struct { const char *path; void (*fn)(void); } tests[] = {
	{ "/pages/nothing_leaves_the_root", nothing_leaves_the_root },
	{ "/pages/pages_are_guarded", pages_are_guarded },
	{ "/pages/unchanged_files_are_not_sent_again", unchanged_files_are_not_sent_again },
	{ "/pages/connection_is_kept", connection_is_kept },
	{ "/rest/cookie_goes_round", cookie_goes_round },
	{ "/rest/body_may_come_in_pieces", body_may_come_in_pieces },
	{ "/rest/late_answer_arrives", late_answer_arrives },
	{ "/rest/client_leaves_before_the_answer", client_leaves_before_the_answer },
	{ "/rest/second_request_behind_a_waiting_one", second_request_behind_a_waiting_one },
	{ "/route/answer_after_stop_is_dropped", answer_after_stop_is_dropped },
	{ "/ws/websocket_round_trip", websocket_round_trip },
	{ "/ws/bearer_in_the_first_message", bearer_in_the_first_message },
	{ "/ws/oversized_message_closes", oversized_message_closes },
	{ "/ws/slow_reader_is_let_go", slow_reader_is_let_go },
	{ "/ws/silent_peer_is_let_go", silent_peer_is_let_go },
	{ "/ws/sockets_without_login_are_few", sockets_without_login_are_few },
	{ "/ws/connects_have_a_rate", connects_have_a_rate },
	{ "/hostile/half_open_sockets_make_room", half_open_sockets_make_room },
	{ "/hostile/slow_header_is_cut", slow_header_is_cut },
	{ "/hostile/header_too_long", header_too_long },
	{ "/hostile/big_answer_to_a_slow_reader", big_answer_to_a_slow_reader },
	{ "/tls/tls_and_redirect", tls_and_redirect },
	{ "/tls/tls_carries_much", tls_carries_much },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD_ROWS("/page/", pages, page);
	ADD_ROWS("/rest/", rests, rest);
	ADD_ROWS("/route/", routes, route);
	ADD_ROWS("/upgrade/", upgrades, upgrade);
	ADD_ROWS("/conf/", confs, bad_configuration);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_test_add_func(tests[i].path, tests[i].fn);
	}
	return g_test_run();
}
