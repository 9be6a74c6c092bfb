/* STUN as ICE uses it, byte by byte: an opinion of its own about RFC 8489, beside the codec that the engine uses. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "tests/kit/load/load.h"

enum { REQUEST = 0x0001, SUCCESS = 0x0101, ERROR = 0x0111 };
enum { A_USERNAME = 0x0006, A_INTEGRITY = 0x0008, A_ERROR = 0x0009, A_XOR_MAPPED = 0x0020, A_PRIORITY = 0x0024,
       A_USE_CANDIDATE = 0x0025, A_FINGERPRINT = 0x8028, A_CONTROLLED = 0x8029, A_CONTROLLING = 0x802a };
#define COOKIE UINT32_C(0x2112a442)

static size_t attr(uint8_t *out, size_t pos, unsigned type, const void *data, size_t len)
{
	load_put16(out + pos, type);
	load_put16(out + pos + 2, (unsigned)len);
	memset(out + pos + 4, 0, (len + 3) & ~(size_t)3);
	if (len) {
		memcpy(out + pos + 4, data, len);
	}
	return pos + 4 + ((len + 3) & ~(size_t)3);
}

/* ITU-T V.42, bit by bit: a few checks a second need no table. */
static uint32_t crc32(const uint8_t *data, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
		}
	}
	return ~crc;
}

static void integrity(const uint8_t *data, size_t len, const char *pwd, uint8_t ret[20])
{
	unsigned n = 20;

	HMAC(EVP_sha1(), pwd, (int)strlen(pwd), data, len, ret, &n);
}

/* MESSAGE-INTEGRITY is counted with the length that ends with itself, FINGERPRINT with its own (RFC 8489 14.5, 14.7). */
static size_t finish(uint8_t *out, size_t pos, const char *pwd)
{
	uint8_t mac[20], crc[4];

	load_put16(out + 2, (unsigned)(pos + 24 - 20));
	integrity(out, pos, pwd, mac);
	pos = attr(out, pos, A_INTEGRITY, mac, sizeof(mac));
	load_put16(out + 2, (unsigned)(pos + 8 - 20));
	load_put32(crc, crc32(out, pos) ^ UINT32_C(0x5354554e));
	return attr(out, pos, A_FINGERPRINT, crc, sizeof(crc));
}

static size_t begin(uint8_t *out, unsigned type, const uint8_t *transaction)
{
	load_put16(out, type);
	load_put16(out + 2, 0);
	load_put32(out + 4, COOKIE);
	memcpy(out + 8, transaction, 12);
	return 20;
}

size_t load_stun_request(uint8_t *out, const uint8_t transaction[12], const char *username, const char *pwd,
			 bool controlling, uint64_t tiebreaker, bool use_candidate)
{
	uint8_t priority[4], tie[8];
	size_t pos = begin(out, REQUEST, transaction);

	load_put32(priority, UINT32_C(0x6e0001ff));	/* peer reflexive: type preference 110 (RFC 8445 5.1.2) */
	load_put32(tie, (uint32_t)(tiebreaker >> 32));
	load_put32(tie + 4, (uint32_t)tiebreaker);
	pos = attr(out, pos, A_USERNAME, username, strlen(username));
	pos = attr(out, pos, A_PRIORITY, priority, 4);
	pos = attr(out, pos, controlling ? A_CONTROLLING : A_CONTROLLED, tie, 8);
	if (use_candidate) {
		pos = attr(out, pos, A_USE_CANDIDATE, NULL, 0);
	}
	return finish(out, pos, pwd);
}

size_t load_stun_reply(uint8_t *out, const uint8_t *transaction, const struct sockaddr_storage *from, const char *pwd)
{
	uint8_t mapped[20] = {0};
	size_t pos = begin(out, SUCCESS, transaction), len = from->ss_family == AF_INET6 ? 20 : 8, n = len - 4;
	const struct sockaddr_in *v4 = (const void *)from;
	const struct sockaddr_in6 *v6 = (const void *)from;

	mapped[1] = from->ss_family == AF_INET6 ? 2 : 1;
	load_put16(mapped + 2, ntohs(n == 4 ? v4->sin_port : v6->sin6_port) ^ (COOKIE >> 16));
	memcpy(mapped + 4, n == 4 ? (const void *)&v4->sin_addr : (const void *)&v6->sin6_addr, n);
	for (size_t i = 0; i < n; i++) {
		mapped[4 + i] ^= out[4 + i];
	}
	pos = attr(out, pos, A_XOR_MAPPED, mapped, len);
	return finish(out, pos, pwd);
}

static bool check_integrity(const uint8_t *data, size_t at, const char *pwd)
{
	uint8_t copy[LOAD_SLOT], mac[20];

	if (at > sizeof(copy)) {
		return false;
	}
	memcpy(copy, data, at);
	load_put16(copy + 2, (unsigned)(at + 24 - 20));
	integrity(copy, at, pwd, mac);
	return memcmp(mac, data + at + 4, 20) == 0;
}

/* `pwd`: key of MESSAGE-INTEGRITY; ret->integrity tells whether it was there and right. */
bool load_stun_parse(const uint8_t *data, size_t len, const char *pwd, struct load_stun *ret)
{
	if (len < 20 || load_get32(data + 4) != COOKIE || load_get16(data + 2) != len - 20) {
		return false;
	}
	*ret = (struct load_stun){ .type = (uint16_t)load_get16(data), .transaction = data + 8 };
	for (size_t pos = 20; pos + 4 <= len;) {
		unsigned type = load_get16(data + pos), n = load_get16(data + pos + 2);

		if (pos + 4 + n > len) {
			return false;
		}
		if (type == A_USERNAME) {
			ret->username = (const char *)data + pos + 4;
			ret->username_len = n;
		} else if (type == A_USE_CANDIDATE) {
			ret->use_candidate = true;
		} else if (type == A_ERROR && n >= 4) {
			ret->error = (data[pos + 6] & 7) * 100 + data[pos + 7];
		} else if (type == A_INTEGRITY && n == 20) {
			ret->integrity = check_integrity(data, pos, pwd);
		} else if (type == A_FINGERPRINT && n == 4) {
			if (load_get32(data + pos + 4) !=
			    (crc32(data, pos) ^ UINT32_C(0x5354554e))) {
				return false;
			}
		}
		pos += 4 + ((n + 3) & ~3u);
	}
	return true;
}
