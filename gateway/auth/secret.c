/* Tokens, their hashes, and what a name and a password must be. */
#include "gateway/auth/auth_priv.h"

#include <string.h>
#include <sys/random.h>

enum { SALT_BYTES = 16, TAG_BYTES = 32, PASSWORD_MIN = 10, PASSWORD_MAX_BYTES = 256, PASSWORD_DISTINCT = 4 };

void gw_auth_random(void *out, size_t n)
{
	ssize_t got = getrandom(out, n, 0); /* up to 256 bytes never come short */
	g_assert(got == (ssize_t)n);
}

/* Base64 without padding: the alphabet of Argon2's encoded form; with `url` that of RFC 4648 section 5. */
static char *base64(const uint8_t *bytes, size_t n, bool url)
{
	char *text = g_base64_encode(bytes, n);
	text[strcspn(text, "=")] = '\0';
	return url ? g_strdelimit(g_strdelimit(text, "+", '-'), "/", '_') : text;
}

char *gw_auth_token_new(void)
{
	uint8_t bytes[TOKEN_BYTES];
	gw_auth_random(bytes, sizeof(bytes));
	return base64(bytes, sizeof(bytes), true);
}

char *gw_auth_id_new(const char *prefix)
{
	uint8_t b[6];
	gw_auth_random(b, sizeof(b));
	return g_strdup_printf("%s%02x%02x%02x%02x%02x%02x", prefix, b[0], b[1], b[2], b[3], b[4], b[5]);
}

char *gw_auth_token_hash(const char *token)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, token, -1);
}

/* A tag nobody can hit: verifying against it costs what a real one costs, so an unknown name takes as long as a known.
 */
char *gw_auth_dummy_hash(const struct gw_auth_limits *limits)
{
	uint8_t salt[SALT_BYTES], tag[TAG_BYTES];
	gw_auth_random(salt, sizeof(salt));
	gw_auth_random(tag, sizeof(tag));
	g_autofree char *s = base64(salt, sizeof(salt), false), *t = base64(tag, sizeof(tag), false);
	return g_strdup_printf("$argon2id$v=19$m=%u,t=%u,p=1$%s$%s", limits->memory_kib, limits->passes, s, t);
}

static bool has_control(const char *s)
{
	for (; *s; s = g_utf8_next_char(s)) {
		if (g_unichar_iscntrl(g_utf8_get_char(s))) {
			return true;
		}
	}
	return false;
}

const char *gw_auth_name_fault(const char *name)
{
	if (!name || !*name || strlen(name) > NAME_MAX_BYTES) {
		return "a name has 1 to 64 bytes";
	}
	if (!g_utf8_validate(name, -1, NULL) || has_control(name)) {
		return "a name is UTF-8 without control characters";
	}
	if (g_ascii_isspace(name[0]) || g_ascii_isspace(name[strlen(name) - 1])) {
		return "a name does not begin or end with a blank";
	}
	return NULL;
}

static bool same_word(const char *a, const char *b)
{
	g_autofree char *fa = g_utf8_casefold(a, -1), *fb = g_utf8_casefold(b, -1);
	return strcmp(fa, fb) == 0;
}

static unsigned distinct(const char *s)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	for (; *s; s = g_utf8_next_char(s)) {
		g_hash_table_add(seen, GUINT_TO_POINTER(g_utf8_get_char(s)));
	}
	return g_hash_table_size(seen);
}

/* Length is what counts (NIST SP 800-63B 5.1.1.2); no rule about kinds of characters. */
const char *gw_auth_password_fault(const char *name, const char *password)
{
	if (!password || strlen(password) > PASSWORD_MAX_BYTES || !g_utf8_validate(password, -1, NULL)) {
		return "a password is UTF-8 of at most 256 bytes";
	}
	if (g_utf8_strlen(password, -1) < PASSWORD_MIN) {
		return "a password has at least 10 characters";
	}
	if (same_word(password, name)) {
		return "the password must not be the name";
	}
	if (distinct(password) < PASSWORD_DISTINCT) {
		return "a password has at least 4 different characters";
	}
	return NULL;
}

bool gw_auth_is_account_role(const char *role)
{
	static const char *const roles[] = {"administrator", "dispatcher", "viewer", "auditor", NULL};
	return role && g_strv_contains(roles, role);
}
