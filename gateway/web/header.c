/* Pure reading of header values. Everything here is fed by strangers. */
#include "gateway/web/web_priv.h"

#include <string.h>

enum { TOKEN_MAX = 128, HOST_MAX = 255 };

static bool is_token_char(char c)
{
	return g_ascii_isalnum(c) || c == '-' || c == '_';
}

static char *take_token(const char *s, size_t len)
{
	if (len == 0 || len > TOKEN_MAX) {
		return NULL;
	}
	for (size_t i = 0; i < len; i++) {
		if (!is_token_char(s[i])) {
			return NULL;
		}
	}
	return g_strndup(s, len);
}

/* One browser may be console, wall and phone at once (a newcomer's is): each kind of credential has its own cookie. The
 * openers name theirs by the path, a WebSocket by ?as=. */
const char *gw_web_cookie_name(const char *path, const char *query)
{
	static const struct {
		const char *path, *query, *name;
	} rows[] = {
		{"/api/v1/link.open", NULL, "ortoo_field"},
		{"/api/v1/callack.link_open", NULL, "ortoo_field"},
		{"/api/v1/device.open", NULL, "ortoo_device"},
		{"/ws", "as=field", "ortoo_field"},
		{"/ws", "as=device", "ortoo_device"},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (g_str_equal(path, rows[i].path) && (!rows[i].query || g_strcmp0(query, rows[i].query) == 0)) {
			return rows[i].name;
		}
	}
	return "ortoo_session";
}

static char *cookie_token(const char *cookies, const char *name)
{
	g_autofree char *start = g_strconcat(name, "=", NULL);
	g_auto(GStrv) parts = g_strsplit(cookies, ";", 64);
	for (char **p = parts; *p; p++) {
		const char *pair = g_strstrip(*p);
		if (g_str_has_prefix(pair, start)) {
			const char *value = pair + strlen(start);
			return take_token(value, strlen(value));
		}
	}
	return NULL;
}

/* RFC 6750 2.1; the header wins, as scripts that send it mean it. */
char *gw_web_bearer_of(const char *authorization, const char *cookies, const char *name)
{
	if (authorization && g_ascii_strncasecmp(authorization, "Bearer ", 7) == 0) {
		const char *value = authorization + 7;
		return take_token(value, strlen(value));
	}
	return cookies ? cookie_token(cookies, name) : NULL;
}

static bool same_host(const char *origin, const char *scheme, const char *host)
{
	size_t n = strlen(scheme);
	return g_str_has_prefix(origin, scheme) && g_ascii_strcasecmp(origin + n, host) == 0;
}

/* Behind a proxy that ends TLS we do not know the scheme: then either will do. */
bool gw_web_origin_is_ours(const char *origin, const char *host, bool tls, bool any_scheme, char *const *others)
{
	if (host && gw_web_host_is_sane(host)) {
		if ((tls || any_scheme) && same_host(origin, "https://", host)) {
			return true;
		}
		if ((!tls || any_scheme) && same_host(origin, "http://", host)) {
			return true;
		}
	}
	for (; others && *others; others++) {
		if (g_ascii_strcasecmp(origin, *others) == 0) {
			return true;
		}
	}
	return false;
}

bool gw_web_host_is_sane(const char *host)
{
	size_t n = strlen(host);
	return n > 0 && n <= HOST_MAX &&
	       strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:[]") == n;
}

/* Absolute, UTF-8, no control characters, no "..", "." or empty segment, no backslash. */
bool gw_web_path_is_sane(const char *path)
{
	if (path[0] != '/' || !g_utf8_validate(path, -1, NULL)) {
		return false;
	}
	for (const char *p = path; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '\\') {
			return false;
		}
		if (*p == '/' && (p[1] == '/' || p[1] == '.')) {
			return false;
		}
	}
	return true;
}

bool gw_web_etag_matches(const char *if_none_match, const char *etag)
{
	if (!if_none_match) {
		return false;
	}
	g_auto(GStrv) parts = g_strsplit(if_none_match, ",", 16);
	for (char **p = parts; *p; p++) {
		const char *tag = g_strstrip(*p);
		tag += g_str_has_prefix(tag, "W/") ? 2 : 0;
		if (strcmp(tag, etag) == 0 || strcmp(tag, "*") == 0) {
			return true;
		}
	}
	return false;
}

char *gw_web_last_forwarded(const char *forwarded)
{
	const char *last = strrchr(forwarded, ',');
	g_autofree char *address = g_strstrip(g_strdup(last ? last + 1 : forwarded));
	g_autofree char *key = gw_source_key(address);
	return *key ? g_steal_pointer(&address) : NULL;
}

bool gw_web_content_type_is(const char *content_type, const char *want)
{
	size_t n = strlen(want);
	return content_type && g_ascii_strncasecmp(content_type, want, n) == 0 &&
	       (content_type[n] == '\0' || content_type[n] == ';' || content_type[n] == ' ');
}
