/* Texts of peers and of the configuration, read by our own hands. */
#include "gateway/sip/uri_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static bool clean(const char *text, size_t max)
{
	size_t len = strlen(text);
	if (len == 0 || len > max || !g_utf8_validate(text, -1, NULL)) {
		return false;
	}
	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p <= 0x20 || *p == 0x7f || strchr("<>\"\\^`{|}", *p) != NULL) {
			return false;
		}
	}
	return true;
}

static int parse_trunk(const char *text, struct sip_dial *ret)
{
	const char *slash = strchr(text, '/');
	/* "trunk:NAME/sip:1001@host" is how a caller of the trunk's is called back: there is only its number to dial there */
	bool is_uri = slash != NULL && (g_str_has_prefix(slash + 1, "sip:") || g_str_has_prefix(slash + 1, "sips:"));
	const char *user = is_uri ? strchr(slash, ':') + 1 : slash != NULL ? slash + 1 : "";
	g_autofree char *plain = g_strndup(user, is_uri ? strcspn(user, "@;") : strlen(user));
	g_autofree char *number = plain[0] != '\0' ? sip_number(plain) : g_strdup("");
	g_autofree char *name = slash != NULL ? g_strndup(text, (gsize)(slash - text)) : g_strdup(text);
	if (number == NULL || name[0] == '\0') {
		return -EINVAL;
	}
	*ret = (struct sip_dial){ SIP_DIAL_TRUNK, NULL, g_steal_pointer(&name), g_steal_pointer(&number) };
	return 0;
}

int sip_dial_parse(const char *text, struct sip_dial *ret)
{
	if (!clean(text, 512)) {
		return -EINVAL;
	}
	if (g_str_has_prefix(text, "trunk:")) {
		return parse_trunk(text + 6, ret);
	}
	if (g_str_has_prefix(text, "device:")) {
		char *name = sip_number(text + 7);
		*ret = (struct sip_dial){ SIP_DIAL_DEVICE, NULL, name, NULL };
		return name != NULL ? 0 : -EINVAL;
	}
	if (strspn(text, "+0123456789*#") == strlen(text)) {
		*ret = (struct sip_dial){ SIP_DIAL_TRUNK, NULL, g_strdup(""), g_strdup(text) };
		return 0;
	}
	bool scheme = g_ascii_strncasecmp(text, "sip:", 4) == 0 || g_ascii_strncasecmp(text, "sips:", 5) == 0;
	const char *host = strchr(text, '@') != NULL ? strchr(text, '@') + 1 : scheme ? strchr(text, ':') + 1 : "";
	if (*host == '\0' || *host == ';' || strchr(text, '?') != NULL) {
		return -EINVAL;	/* headers in a URI would be put into our request */
	}
	*ret = (struct sip_dial){ SIP_DIAL_URI, scheme ? g_strdup(text) : g_strconcat("sip:", text, NULL), NULL, NULL };
	return 0;
}

void sip_dial_clear(struct sip_dial *d)
{
	g_free(d->uri);
	g_free(d->name);
	g_free(d->number);
	memset(d, 0, sizeof(*d));
}

char *sip_number(const char *user)
{
	g_autofree char *plain = user != NULL ? g_uri_unescape_string(user, NULL) : NULL;
	if (plain == NULL) {
		return NULL;
	}
	char *semi = strchr(plain, ';');
	if (semi != NULL) {
		*semi = '\0';	/* RFC 3966 parameters: ;ext= ;phone-context= */
	}
	if (!clean(plain, 64) || strpbrk(plain, "@/:,;?") != NULL) {
		return NULL;
	}
	if (strspn(plain, "+0123456789-.()") == strlen(plain) && strpbrk(plain, "0123456789") != NULL) {
		GString *s = g_string_new(NULL);
		for (const char *p = plain; *p != '\0'; p++) {
			if (strchr("-.()", *p) == NULL) {
				g_string_append_c(s, *p);
			}
		}
		return g_string_free(s, FALSE);
	}
	return g_steal_pointer(&plain);
}

char *sip_name(const char *display)
{
	if (display == NULL) {
		return NULL;
	}
	g_autofree char *valid = g_utf8_make_valid(display, (gssize)strnlen(display, 512));
	GString *s = g_string_new(NULL);
	for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		if (c == '\\' && p[1] != '\0') {
			continue;
		}
		if (c == '"' || g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT) {
			continue;
		}
		char utf8[6];
		gsize len = (gsize)g_unichar_to_utf8(c, utf8);
		if (s->len + len > 128) {
			break;
		}
		g_string_append_len(s, utf8, (gssize)len);
	}
	char *text = g_strstrip(g_string_free(s, FALSE));
	if (text[0] == '\0') {
		g_clear_pointer(&text, g_free);
	}
	return text;
}

char *sip_name_quoted(const char *name)
{
	g_autofree char *plain = sip_name(name);
	return plain != NULL ? g_strdup_printf("\"%s\"", plain) : NULL;
}

/* ---- addresses, as bytes (security.md class 24) ---- */
char *sip_literal(const char *host)
{
	char text[INET6_ADDRSTRLEN + 2] = "", out[INET6_ADDRSTRLEN];
	struct in_addr v4;
	struct in6_addr v6;
	size_t len = host != NULL ? strlen(host) : 0;
	bool brackets = len > 2 && host[0] == '[' && host[len - 1] == ']';
	if (len == 0 || len >= sizeof(text)) {
		return NULL;
	}
	memcpy(text, host + brackets, len - 2 * brackets);
	if (inet_pton(AF_INET, text, &v4) == 1) {
		return g_strdup(inet_ntop(AF_INET, &v4, out, sizeof(out)));
	}
	if (inet_pton(AF_INET6, text, &v6) != 1) {
		return NULL;
	}
	if (IN6_IS_ADDR_V4MAPPED(&v6)) {
		memcpy(&v4, v6.s6_addr + 12, 4);
		return g_strdup(inet_ntop(AF_INET, &v4, out, sizeof(out)));
	}
	return g_strdup(inet_ntop(AF_INET6, &v6, out, sizeof(out)));
}

char *sip_source_key(const char *literal)
{
	struct in6_addr v6;
	char out[INET6_ADDRSTRLEN];
	if (inet_pton(AF_INET6, literal, &v6) != 1) {
		return g_strdup(literal);
	}
	memset(v6.s6_addr + 8, 0, 8);
	return g_strdup(inet_ntop(AF_INET6, &v6, out, sizeof(out)));
}

bool sip_is_private(const char *literal)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (inet_pton(AF_INET, literal, &v4) == 1) {
		static const struct { uint32_t net, mask; } rows[] = {
			{ 0x0a000000, 0xff000000 }, { 0xac100000, 0xfff00000 }, { 0xc0a80000, 0xffff0000 },
			{ 0x64400000, 0xffc00000 }, { 0xa9fe0000, 0xffff0000 }, { 0x7f000000, 0xff000000 },
		};
		for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
			if ((ntohl(v4.s_addr) & rows[n].mask) == rows[n].net) {
				return true;
			}
		}
		return false;
	}
	return inet_pton(AF_INET6, literal, &v6) == 1 &&
	       (IN6_IS_ADDR_LINKLOCAL(&v6) || IN6_IS_ADDR_LOOPBACK(&v6) || (v6.s6_addr[0] & 0xfe) == 0xfc);
}

/* ---- INFO ---- */
static bool is_type(const char *type, const char *want)
{
	size_t len = strlen(want);
	return type != NULL && g_ascii_strncasecmp(type, want, len) == 0 && (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

static char digit_of(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t')) {
		p++;
	}
	if (end - p >= 2 && p[0] == '1' && (p[1] == '0' || p[1] == '1') && (end - p == 2 || p[2] == '\r' || p[2] == '\n')) {
		return p[1] == '0' ? '*' : '#';	/* event numbers of RFC 4733, as some rooms write them */
	}
	char c = p < end ? (char)g_ascii_toupper(*p) : '\0';
	return c != '\0' && strchr("0123456789ABCD*#", c) != NULL ? c : '\0';
}

char sip_info_dtmf(const char *type, const char *body, size_t len)
{
	const char *end = body + MIN(len, 256);
	if (body == NULL || len == 0) {
		return '\0';
	}
	if (is_type(type, "application/dtmf")) {
		return digit_of(body, end);
	}
	if (!is_type(type, "application/dtmf-relay")) {
		return '\0';
	}
	for (const char *p = body; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl != NULL ? nl : end;
		if (stop - p > 6 && g_ascii_strncasecmp(p, "signal", 6) == 0) {
			const char *eq = memchr(p, '=', (size_t)(stop - p));
			return eq != NULL ? digit_of(eq + 1, stop) : '\0';
		}
		p = stop + 1;
	}
	return '\0';
}

bool sip_info_fast_update(const char *type, const char *body, size_t len)
{
	/* XML by a needle: the schema has one element that matters, and no parser is safer than none (security.md class 17) */
	return is_type(type, "application/media_control+xml") && body != NULL &&
	       g_strstr_len(body, (gssize)MIN(len, 4096), "picture_fast_update") != NULL;
}
