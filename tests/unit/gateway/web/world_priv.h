/* A server with a small application behind it, for the tests of gateway/web. */
#pragma once
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

static inline enum gw_error authenticate(const char *token, const char *remote, struct gw_api_identity *ret, void *user_data)
{
	int role = gw_role_by_name(token);
	g_assert_cmpstr(remote, ==, "127.0.0.1");
	if (role <= GW_ROLE_NONE || role >= GW_ROLE_SYSTEM) {
		return GW_ERROR_UNAUTHENTICATED;
	}
	*ret = (struct gw_api_identity){ .auth = token, .subject = "account:x", .name = "X", .role = (enum gw_role)role };
	return GW_ERROR_N;
}

static inline void opened(struct gw_api_session *s, void *user_data)
{
	((struct world *)user_data)->opened++;
}

static inline void closed(struct gw_api_session *s, void *user_data)
{
	((struct world *)user_data)->closed++;
}

static inline void login(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_auth_login *in = request;
	gw_api_call_set_cookie(call, in->password, ort_wall_ms() + 60000);
	gw_api_reply(call, &(struct gw_session_info){ .subject = (char *)"account:x", .role = GW_ROLE_VIEWER });
}

static inline void logout(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_api_call_set_cookie(call, "", 0);
	gw_api_reply(call, NULL);
}

static inline void stats(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	struct world *w = user_data;
	if (w->keep) {
		w->late = call;
		return;
	}
	g_autoptr(json_t) json = json_pack("{s:s}", "hello", s->name);
	gw_api_reply(call, &(struct gw_raw){ json });
}

static inline void whip(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
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

static inline void big(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	g_autofree char *body = g_strnfill(3 << 20, 'x');
	gw_web_reply(x, &(struct gw_web_response){ 200, "text/plain", body, 3 << 20, NULL, 0 });
}

static inline void put_file(const char *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder, name, NULL), *dir = g_path_get_dirname(path);
	g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static inline char *make_pages(void)
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

static inline void remove_tree(const char *path)
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

static inline void start_with(struct world *w, struct gw_web_conf conf)
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

static inline void start(struct world *w)
{
	start_with(w, (struct gw_web_conf){ .redirect_port = -1 });
}

static inline void finish(struct world *w)
{
	gw_web_stop(w->web);
	gw_api_free(w->api);
	remove_tree(w->folder);
	g_free(w->folder);
	while (g_main_context_iteration(NULL, FALSE)) {
	}
}

static inline json_int_t counter(struct world *w, const char *name)
{
	g_autoptr(json_t) all = gw_web_counters(w->web);
	g_assert_nonnull(json_object_get(all, name));
	return json_integer_value(json_object_get(all, name));
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(path, headers, body) "POST " path " HTTP/1.1\r\nHost: h\r\n" headers "\r\n" body
#define JSON "Content-Type: application/json\r\n"

#define UP(path, headers) "GET " path " HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" headers "\r\n"

#define ADD_ROWS(prefix, rows, fn)                                                                 \
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {                                          \
		g_autofree char *name = g_strconcat(prefix, rows[i].name, NULL);                   \
		g_test_add_data_func(name, &rows[i], fn);                                          \
	}
