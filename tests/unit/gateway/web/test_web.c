/* Pages, REST and raw routes over real sockets. */
#include "tests/unit/gateway/web/world_priv.h"

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
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD_ROWS("/page/", pages, page);
	ADD_ROWS("/rest/", rests, rest);
	ADD_ROWS("/route/", routes, route);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_test_add_func(tests[i].path, tests[i].fn);
	}
	return g_test_run();
}
