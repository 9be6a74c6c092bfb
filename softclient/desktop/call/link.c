/* What people type: a link, a place. Pure. */
#include <math.h>
#include <string.h>

#include "softclient/desktop/call/call_priv.h"

enum { TOKEN_MIN = 8, TOKEN_MAX = 128 };

static bool is_loopback(const char *host)
{
	g_autoptr(GRegex) four = g_regex_new("^127(\\.\\d{1,3}){3}$", 0, 0, NULL);
	return g_ascii_strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || g_regex_match(four, host, 0, NULL);
}

static bool is_token(const char *text)
{
	size_t len = strlen(text);
	return len >= TOKEN_MIN && len <= TOKEN_MAX &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

static const char *fault_of(GUri *uri, bool loopback)
{
	const char *scheme = g_uri_get_scheme(uri), *path = g_uri_get_path(uri);
	return strcmp(scheme, "https") != 0 && !(loopback && strcmp(scheme, "http") == 0) ? "a link begins with https://"
	       : g_uri_get_userinfo(uri) != NULL || g_uri_get_query(uri) != NULL	   ? "there is more in it than a link has"
	       : !g_str_has_prefix(path, "/j/") || !is_token(path + strlen("/j/"))	   ? "it is not of the form https://HOST/j/TOKEN"
											   : NULL;
}

bool sc_link_parse(const char *url, struct sc_link *ret, char **ret_why)
{
	g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_PARSE_RELAXED, NULL);
	const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;
	if (host == NULL || *host == '\0') {
		*ret_why = g_strdup("it is not an address");
		return false;
	}
	bool loopback = is_loopback(host);
	const char *fault = fault_of(uri, loopback);
	if (fault != NULL) {
		*ret_why = g_strdup(fault);
		return false;
	}
	g_autofree char *origin = g_uri_join(G_URI_FLAGS_NONE, g_uri_get_scheme(uri), NULL, host, g_uri_get_port(uri), "", NULL, NULL);
	*ret = (struct sc_link){ g_steal_pointer(&origin), g_strdup(host), g_strdup(g_uri_get_path(uri) + strlen("/j/")), loopback };
	return true;
}

void sc_link_clear(struct sc_link *link)
{
	g_free(link->origin);
	g_free(link->host);
	g_free(link->token);
	*link = (struct sc_link){ 0 };
}

/* ---- place ---- */
bool sc_place_parse(const char *text, struct sc_place *ret)
{
	char *end = NULL;
	double lat = g_ascii_strtod(text, &end);
	if (end == text || *end != ',') {
		return false;
	}
	const char *second = end + 1;
	double lon = g_ascii_strtod(second, &end);
	if (end == second || *end != '\0' || !(fabs(lat) <= 90) || !(fabs(lon) <= 180)) {
		return false;
	}
	*ret = (struct sc_place){ lat, lon };
	return true;
}

struct sc_place sc_place_walk(struct sc_place from, int64_t ms)
{
	static const double radius_m = 60, metres_per_degree = 111320, round_ms = 600000;
	double a = 2 * G_PI * (double)(ms % (int64_t)round_ms) / round_ms;
	double shrink = MAX(cos(from.lat * G_PI / 180), 0.01);
	return (struct sc_place){ from.lat + radius_m * sin(a) / metres_per_degree,
				  from.lon + radius_m * (cos(a) - 1) / (metres_per_degree * shrink) };
}
