/* Pure header reading: origins, cookies, paths, addresses. */
#include <string.h>

#include "gateway/web/web_priv.h"

static const struct origin_row { const char *name, *origin, *host; bool tls, any, want; } origins[] = {
	{ "same", "https://gw.example", "gw.example", true, false, true },
	{ "same-port", "https://gw.example:8443", "gw.example:8443", true, false, true },
	{ "case", "https://GW.Example", "gw.example", true, false, true },
	{ "ipv6", "https://[2001:db8::1]:8443", "[2001:db8::1]:8443", true, false, true },
	{ "other-port", "https://gw.example:1", "gw.example:8443", true, false, false },
	{ "plain-on-tls", "http://gw.example", "gw.example", true, false, false },
	{ "plain-on-plain", "http://127.0.0.1:80", "127.0.0.1:80", false, false, true },
	{ "proxy-any-scheme", "https://gw.example", "gw.example", false, true, true },
	{ "suffix", "https://evil-gw.example", "gw.example", true, false, false },
	{ "prefix", "https://gw.example.evil", "gw.example", true, false, false },
	{ "user-part", "https://gw.example@evil", "gw.example", true, false, false },
	{ "null", "null", "gw.example", true, false, false },
	{ "empty-host", "https://", "", true, false, false },
	{ "no-host", "https://gw.example", NULL, true, false, false },
	{ "listed", "https://portal.example", "gw.example", true, false, true },
	{ "bad-host", "https://a,b", "a,b", true, false, false },
};

static void origin(const void *data)
{
	const struct origin_row *row = data;
	char *const others[] = { (char *)"https://portal.example", NULL };
	g_assert_cmpint(gw_web_origin_is_ours(row->origin, row->host, row->tls, row->any, others), ==, row->want);
}

static const struct token_row { const char *name, *authorization, *cookies, *want, *path, *query; } tokens[] = {
	{ "cookie", NULL, "ortoo_session=abc-_1", "abc-_1" },
	{ "cookie-among-others", NULL, "a=b; ortoo_session=abc; c=d", "abc" },
	{ "bearer", "Bearer xyz", NULL, "xyz" },
	{ "bearer-wins", "bearer xyz", "ortoo_session=abc", "xyz" },
	{ "basic-is-none", "Basic eHl6", "ortoo_session=abc", "abc" },
	{ "similar-name", NULL, "xortoo_session=abc", NULL },
	{ "empty", NULL, "ortoo_session=", NULL },
	{ "bad-character", NULL, "ortoo_session=a b", NULL },
	{ "quotes", "Bearer \"x\"", NULL, NULL },
	{ "nothing", NULL, NULL, NULL },
	{ "phone-ws", NULL, "ortoo_session=abc; ortoo_field=f", "f", "/ws", "as=field" },
	{ "phone-opener", NULL, "ortoo_session=abc; ortoo_field=f", "f", "/api/v1/link.open" },
	{ "screen-ws", NULL, "ortoo_session=abc; ortoo_device=d", "d", "/ws", "as=device" },
	{ "screen-opener", NULL, "ortoo_session=abc", NULL, "/api/v1/device.open" },
	{ "console-ws", NULL, "ortoo_field=f; ortoo_session=abc; ortoo_device=d", "abc", "/ws" },
	{ "unknown-kind", NULL, "ortoo_field=f; ortoo_session=abc", "abc", "/ws", "as=x" },
};

static void token(const void *data)
{
	const struct token_row *row = data;
	g_autofree char *got = gw_web_bearer_of(row->authorization, row->cookies, gw_web_cookie_name(row->path ? row->path : "/", row->query));
	g_assert_cmpstr(got, ==, row->want);
}

static const struct path_row { const char *name, *path; bool want; } paths[] = {
	{ "root", "/", true },
	{ "file", "/lib/api.js", true },
	{ "token", "/j/AbC-_1", true },
	{ "chinese", "/map/内蒙古.json", true },
	{ "dotdot", "/lib/../../etc/passwd", false },
	{ "dot", "/./x", false },
	{ "hidden", "/lib/.git", false },
	{ "double-slash", "//etc/passwd", false },
	{ "backslash", "/lib\\..\\x", false },
	{ "relative", "lib/x", false },
	{ "line-feed", "/a\nb", false },
	{ "overlong-slash", "/lib/\xc0\xaf..", false },
};

static void path(const void *data)
{
	const struct path_row *row = data;
	g_assert_cmpint(gw_web_path_is_sane(row->path), ==, row->want);
}

static void etags(void)
{
	g_assert_true(gw_web_etag_matches("\"a\"", "\"a\""));
	g_assert_true(gw_web_etag_matches("\"x\", W/\"a\"", "\"a\""));
	g_assert_true(gw_web_etag_matches("*", "\"a\""));
	g_assert_false(gw_web_etag_matches("\"b\"", "\"a\""));
	g_assert_false(gw_web_etag_matches(NULL, "\"a\""));
}

static void forwarded(void)
{
	g_autofree char *last = gw_web_last_forwarded("203.0.113.9, 198.51.100.7"), *one = gw_web_last_forwarded("2001:db8::1");
	g_assert_cmpstr(last, ==, "198.51.100.7");
	g_assert_cmpstr(one, ==, "2001:db8::1");
	g_assert_null(gw_web_last_forwarded("unknown"));
	g_assert_null(gw_web_last_forwarded(""));
}

static void content_types(void)
{
	g_assert_true(gw_web_content_type_is("application/json", "application/json"));
	g_assert_true(gw_web_content_type_is("Application/JSON; charset=utf-8", "application/json"));
	g_assert_false(gw_web_content_type_is("application/jsonp", "application/json"));
	g_assert_false(gw_web_content_type_is("text/plain", "application/json"));
	g_assert_false(gw_web_content_type_is(NULL, "application/json"));
}

#define ADD_ROWS(prefix, rows, fn)                                                                 \
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {                                          \
		g_autofree char *name = g_strconcat(prefix, rows[i].name, NULL);                   \
		g_test_add_data_func(name, &rows[i], fn);                                          \
	}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD_ROWS("/origin/", origins, origin);
	ADD_ROWS("/token/", tokens, token);
	ADD_ROWS("/path/", paths, path);
	g_test_add_func("/header/etags", etags);
	g_test_add_func("/header/forwarded", forwarded);
	g_test_add_func("/header/content_types", content_types);
	return g_test_run();
}
