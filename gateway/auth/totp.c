/* RFC 6238: the code that an authenticator shows, from a shared secret and the time. HMAC-SHA-1, 6 digits, 30 s: what every
 * authenticator does without being asked. Pure. */
#include "gateway/auth/auth_priv.h"

#include <string.h>

enum { STEP_S = 30, SECRET_BYTES = 20, DIGITS_MODULO = 1000000, WINDOW = 1 };
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";	/* RFC 4648 section 6 */

char *gw_totp_base32(const uint8_t *bytes, size_t n)
{
	GString *out = g_string_new(NULL);
	unsigned bits = 0, held = 0;
	for (size_t i = 0; i < n; i++) {
		held = (held << 8 | bytes[i]) & 0xffff;
		for (bits += 8; bits >= 5; bits -= 5) {
			g_string_append_c(out, alphabet[held >> (bits - 5) & 31]);
		}
	}
	if (bits > 0) {
		g_string_append_c(out, alphabet[held << (5 - bits) & 31]);
	}
	return g_string_free(out, FALSE);
}

/* Bytes decoded; 0 = not base32. */
size_t gw_totp_base32_read(const char *text, uint8_t *out, size_t max)
{
	unsigned bits = 0, held = 0;
	size_t n = 0;
	for (; text != NULL && *text != '\0'; text++) {
		const char *at = strchr(alphabet, *text);
		if (at == NULL) {
			return 0;
		}
		held = (held << 5 | (unsigned)(at - alphabet)) & 0xfff;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			if (n == max) {
				return 0;
			}
			out[n++] = (uint8_t)(held >> bits);
		}
	}
	return n;
}

char *gw_totp_secret_new(void)
{
	uint8_t bytes[SECRET_BYTES];
	gw_auth_random(bytes, sizeof(bytes));
	return gw_totp_base32(bytes, sizeof(bytes));
}

/* RFC 4226 section 5.3 */
unsigned gw_totp_code(const uint8_t *secret, size_t n, int64_t step)
{
	uint8_t counter[8], mac[20];
	gsize len = sizeof(mac);
	for (int i = 0; i < 8; i++) {
		counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
	}
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA1, secret, n);
	g_hmac_update(hmac, counter, sizeof(counter));
	g_hmac_get_digest(hmac, mac, &len);
	g_hmac_unref(hmac);
	unsigned at = mac[19] & 15;
	uint32_t number = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 | (uint32_t)mac[at + 2] << 8 | mac[at + 3];
	return number % DIGITS_MODULO;
}

int64_t gw_totp_match(const char *secret, const char *code, int64_t wall_ms, int64_t last)
{
	uint8_t bytes[64];
	size_t n = gw_totp_base32_read(secret, bytes, sizeof(bytes));
	int64_t now = wall_ms / 1000 / STEP_S, found = 0;
	if (n == 0 || code == NULL || strlen(code) != 6 || strspn(code, "0123456789") != 6) {
		return 0;
	}
	unsigned said = (unsigned)g_ascii_strtoull(code, NULL, 10);
	for (int64_t step = now - WINDOW; step <= now + WINDOW; step++) {
		if (step > last && gw_totp_code(bytes, n, step) == said) {
			found = step;	/* no early end: the same time whichever it is */
		}
	}
	return found;
}

char *gw_totp_uri(const char *issuer, const char *account, const char *secret)
{
	g_autofree char *house = g_uri_escape_string(issuer, NULL, FALSE), *name = g_uri_escape_string(account, NULL, FALSE);
	return g_strdup_printf("otpauth://totp/%s:%s?secret=%s&issuer=%s", house, name, secret, house);
}
