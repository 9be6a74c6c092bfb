/* a=crypto (RFC 4568, RFC 7714): keys that travel in the SDP text. Whether they may is the caller's question. */
#include <openssl/rand.h>
#include <string.h>

#include "gateway/sdp/sdp_priv.h"

static const struct { const char *name; size_t len; } suites[] = {	/* octets of key and salt */
	{ "AEAD_AES_128_GCM", 16 + 12 },
	{ "AES_CM_128_HMAC_SHA1_80", 16 + 14 },
};
const char *const gw_sdp_crypto_suites[] = { "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM", NULL };

static int find_suite(const char *name, size_t len)
{
	for (size_t i = 0; i < G_N_ELEMENTS(suites); i++) {
		if (strlen(suites[i].name) == len && g_ascii_strncasecmp(suites[i].name, name, len) == 0) {
			return (int)i;
		}
	}
	return -1;
}

/* Strict base64: GLib's decoder skips what it does not know. */
static bool is_key(const char *text, size_t len, size_t octets)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t pad = (3 - octets % 3) % 3, want = (octets + 2) / 3 * 4, body = strspn(text, alphabet);

	if (len != want || body != want - pad || strspn(text + body, "=") < pad) {
		return false;
	}
	for (size_t i = 1; i < body; i++) {
		if (text[i] != text[0]) {	/* a key of one letter is no key */
			return true;
		}
	}
	return false;
}

/* "2^20" or "1048576"; at most 2^48 packets (RFC 3711 9.2) */
static bool is_lifetime(const char *text, size_t len)
{
	g_autofree char *word = g_strndup(text, len);
	bool power = g_str_has_prefix(word, "2^");
	uint64_t n;

	return sdp_number(power ? word + 2 : word, power ? 48 : (uint64_t)1 << 48, &n) && n > 0;
}

/* Behind "inline:". */
static const char *read_key(const char *text, size_t len, size_t octets, struct gw_sdp_crypto *ret)
{
	const char *end = text + len, *bar = memchr(text, '|', len), *key_end = bar ? bar : end;

	if (memchr(text, ';', len)) {
		return "several keys";	/* 6.1: told apart by MKI, which we do not do */
	}
	if (!is_key(text, (size_t)(key_end - text), octets)) {
		return "the key has not the length of its suite";
	}
	while (bar) {
		const char *part = bar + 1, *next = memchr(part, '|', (size_t)(end - part));
		size_t part_len = (size_t)((next ? next : end) - part);

		if (memchr(part, ':', part_len)) {
			return "MKI";
		}
		if (!is_lifetime(part, part_len)) {
			return "bad lifetime";
		}
		bar = next;
	}
	memcpy(ret->key, text, (size_t)(key_end - text));
	ret->key[key_end - text] = '\0';
	return NULL;
}

/* 6.3: a parameter that is not known, and has no "-" in front, makes the whole line unusable. WSH is only a hint. */
static const char *read_parameters(const char *text)
{
	while (text && *(text += strspn(text, " "))) {
		if (*text != '-' && strncmp(text, "WSH=", 4) != 0) {
			return "a session parameter that we do not do";
		}
		text = strchr(text, ' ');
	}
	return NULL;
}

static const char *read_crypto(const char *value, struct gw_sdp_crypto *ret)
{
	size_t tag_len = strcspn(value, " "), suite_len, key_len;
	g_autofree char *tag = g_strndup(value, tag_len);
	uint64_t n;
	int suite;

	value += tag_len + strspn(value + tag_len, " ");
	suite_len = strcspn(value, " ");
	suite = find_suite(value, suite_len);
	if (!sdp_number(tag, 999999999, &n)) {
		return "bad tag";
	}
	if (suite < 0) {
		return "unknown suite";
	}
	value += suite_len + strspn(value + suite_len, " ");
	key_len = strcspn(value, " ");
	if (key_len < 7 || g_ascii_strncasecmp(value, "inline:", 7) != 0) {
		return "no inline key";
	}
	ret->tag = (unsigned)n;
	ret->suite = suites[suite].name;
	const char *why = read_key(value + 7, key_len - 7, suites[suite].len, ret);
	return why ? why : read_parameters(value + key_len);
}

bool gw_sdp_crypto_read(const char *value, struct gw_sdp_crypto *ret, const char **ret_why)
{
	const char *why;

	*ret = (struct gw_sdp_crypto){ 0 };
	why = value ? read_crypto(value, ret) : "no value";
	if (ret_why) {
		*ret_why = why;
	}
	return why == NULL;
}

char *gw_sdp_crypto_print(const struct gw_sdp_crypto *crypto)
{
	return g_strdup_printf("%u %s inline:%s", crypto->tag, crypto->suite, crypto->key);
}

bool gw_sdp_crypto_make(unsigned tag, const char *suite, struct gw_sdp_crypto *ret)
{
	int row = find_suite(suite, strlen(suite));
	uint8_t octets[48];
	g_autofree char *text = NULL;

	*ret = (struct gw_sdp_crypto){ .tag = tag };
	if (row < 0 || RAND_bytes(octets, sizeof(octets)) != 1) {
		return false;
	}
	ret->suite = suites[row].name;
	text = g_base64_encode(octets, suites[row].len);
	g_strlcpy(ret->key, text, sizeof(ret->key));
	explicit_bzero(octets, sizeof(octets));
	explicit_bzero(text, strlen(text));
	return true;
}
