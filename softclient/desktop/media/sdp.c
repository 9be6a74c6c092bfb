/* The little that a terminal itself reads and mends in SDP. Text in, text out; everything foreign. */
#include <glib.h>
#include <string.h>

#include "softclient/desktop/media/media.h"

enum { SHA256_SIZE = 32 };

static const char pem_begin[] = "-----BEGIN CERTIFICATE-----", pem_end[] = "-----END CERTIFICATE-----";

static char *sha256_of_pem(const char *pem)
{
	const char *from = strstr(pem, pem_begin), *to = from != NULL ? strstr(from, pem_end) : NULL;
	gsize len = 0;
	if (to == NULL) {
		return NULL;
	}
	from += strlen(pem_begin);
	g_autofree char *body = g_strndup(from, (gsize)(to - from));
	g_autofree guchar *der = g_base64_decode(body, &len);
	return len > 0 ? g_compute_checksum_for_data(G_CHECKSUM_SHA256, der, len) : NULL;
}

/* "AB:CD:.." is "abcd..": exactly 32 bytes of two digits each. */
static bool same_hash(const char *colons, const char *hex)
{
	for (unsigned n = 0; n < SHA256_SIZE; n++, colons += 3, hex += 2) {
		if (!g_ascii_isxdigit(colons[0]) || g_ascii_tolower(colons[0]) != hex[0] || !g_ascii_isxdigit(colons[1]) ||
		    g_ascii_tolower(colons[1]) != hex[1] || colons[2] != (n + 1 < SHA256_SIZE ? ':' : '\0')) {
			return false;
		}
	}
	return true;
}

bool sc_fingerprint_matches(const char *sdp, const char *pem)
{
	static const char attribute[] = "a=fingerprint:", hash[] = "sha-256 ";
	g_autofree char *ours = sdp != NULL && pem != NULL ? sha256_of_pem(pem) : NULL;
	if (ours == NULL) {
		return false;
	}
	g_auto(GStrv) lines = g_strsplit(sdp, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		const char *value = *line + strlen(attribute);
		if (g_str_has_prefix(*line, attribute) && g_ascii_strncasecmp(value, hash, strlen(hash)) == 0 &&
		    same_hash(g_strchomp(*line) + strlen(attribute) + strlen(hash), ours)) {
			return true;
		}
	}
	return false;
}

char *sc_sdp_name_h264_profile(const char *sdp)
{
	g_autoptr(GRegex) line = g_regex_new("^(a=fmtp:\\d+ packetization-mode=1)(?![^\\r\\n]*profile-level-id)", G_REGEX_MULTILINE, 0, NULL);
	return g_regex_replace(line, sdp, -1, 0, "\\1;profile-level-id=42e01f;level-asymmetry-allowed=1", 0, NULL);
}
