/* Conference passwords: digits of people and dial pads, kept as salted, iterated SHA-256. Not for accounts (those are
 * gateway/auth's, Argon2id): a few digits are guessed through any hash, what protects them is the limit of three tries. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

#define ROUNDS 2000	/* about a millisecond: it runs on the loop thread */
#define DIGEST 32

static void digest(const char *salt, const char *digits, unsigned char out[DIGEST])
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize len = DIGEST;
	g_checksum_update(sum, (const guchar *)salt, (gssize)strlen(salt) + 1);
	g_checksum_update(sum, (const guchar *)digits, (gssize)strlen(digits));
	g_checksum_get_digest(sum, out, &len);
	for (unsigned n = 1; n < ROUNDS; n++) {
		g_checksum_reset(sum);
		g_checksum_update(sum, out, DIGEST);
		g_checksum_update(sum, (const guchar *)salt, (gssize)strlen(salt) + 1);
		len = DIGEST;
		g_checksum_get_digest(sum, out, &len);
	}
}

char *gw_password_hash(const char *digits, const char *salt)
{
	unsigned char out[DIGEST];
	GString *text = g_string_new("sha256:");
	digest(salt, digits, out);
	g_string_append_printf(text, "%s:", salt);
	for (unsigned n = 0; n < DIGEST; n++) {
		g_string_append_printf(text, "%02x", out[n]);
	}
	return g_string_free(text, FALSE);
}

bool gw_password_matches(const char *digits, const char *stored)
{
	g_auto(GStrv) part = g_strsplit(stored, ":", 3);
	if (g_strv_length(part) != 3) {
		return false;
	}
	g_autofree char *again = gw_password_hash(digits, part[1]);
	size_t len = strlen(again);
	unsigned char differs = strlen(stored) != len;
	for (size_t n = 0; differs == 0 && n < len; n++) {
		differs |= (unsigned char)(again[n] ^ stored[n]);
	}
	return differs == 0;
}
