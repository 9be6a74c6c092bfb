/* SRTP sessions: key derivation, packet index, replay windows, SSRC limit, for RTP and RTCP alike. Ciphers are
 * srtp_backend.c's. Debian's libsrtp, built on NSS, would cost 35 KB and 0.1 ms a transport for RTCP alone; it is the
 * tests' oracle. */
#include "mcu/net/srtp_priv.h"

#include <errno.h>
#include <glib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

enum { RTCP_HEADER = 8, RTCP_LONGEST = 1600 };
#define RTCP_ENCRYPTED UINT32_C(0x80000000)
#define MAX_RTCP_INDEX UINT32_C(0x7fffffff)

const struct mcu_srtp_suite_row mcu_srtp_suites[MCU_SRTP_SUITES] = {
	[MCU_SRTP_GCM128] = { "SRTP_AEAD_AES_128_GCM", "AEAD_AES_128_GCM", 0x0007, 16, 12, 16, 16, true },
	[MCU_SRTP_CM80] = { "SRTP_AES128_CM_SHA1_80", "AES_CM_128_HMAC_SHA1_80", 0x0001, 16, 14, 10, 10, false },
	[MCU_SRTP_CM32] = { "SRTP_AES128_CM_SHA1_32", "AES_CM_128_HMAC_SHA1_32", 0x0002, 16, 14, 4, 10, false },
	[MCU_SRTP_GCM256] = { "SRTP_AEAD_AES_256_GCM", "AEAD_AES_256_GCM", 0x0008, 32, 12, 16, 16, true },
	[MCU_SRTP_CM256_80] = { "SRTP_AES256_CM_SHA1_80", "AES_256_CM_HMAC_SHA1_80", 0, 32, 14, 10, 10, false },
	[MCU_SRTP_CM256_32] = { "SRTP_AES256_CM_SHA1_32", "AES_256_CM_HMAC_SHA1_32", 0, 32, 14, 4, 10, false },
	[MCU_SRTP_NULL_] = { "none", NULL, 0, 0, 0, 0, 0, false },
};

/* State of one SSRC in one direction. `top` is the highest 48-bit index (ROC || SEQ) seen; the ring of bits says which
 * of the last MCU_SRTP_WINDOW were. The same window serves the sender: there it guards the nonce. */
struct stream {
	uint32_t ssrc;
	bool used, started;
	uint64_t top;
	uint64_t bits[MCU_SRTP_WINDOW / 64];
};

struct streams {	/* by SSRC, open addressing; slots: power of two, at most 3/4 used */
	unsigned n, n_slots;
	struct stream *slots;
};

struct half {	/* keys and streams of RTP, or of RTCP */
	void *key;
	uint8_t salt[16];	/* zeros behind the suite's length */
	struct streams streams;
};

struct mcu_srtp {
	mcu_srtp_lib *lib;
	const struct mcu_srtp_backend *backend;
	const struct mcu_srtp_suite_row *suite;
	unsigned max_ssrc;
	struct half rtp, rtcp;
};

int mcu_srtp_suite_by_sdes(const char *name)
{
	for (int i = 0; name != NULL && i < MCU_SRTP_SUITES; i++) {
		if (mcu_srtp_suites[i].sdes != NULL && g_ascii_strcasecmp(mcu_srtp_suites[i].sdes, name) == 0) {
			return i;
		}
	}
	return -1;
}

void mcu_srtp_derive(const uint8_t *key, size_t key_len, const uint8_t salt[MCU_SRTP_SALT], uint8_t label, uint8_t *out,
		     size_t len)
{
	const EVP_CIPHER *prf = key_len == MCU_SRTP_LONG_KEY ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t iv[16] = { 0 };
	int n;

	memcpy(iv, salt, MCU_SRTP_SALT);
	iv[7] ^= label;	/* x = (label || r) XOR salt, r = 0: key_derivation_rate 0 */
	memset(out, 0, len);
	g_assert(ctx && EVP_EncryptInit_ex(ctx, prf, NULL, key, iv) == 1);
	EVP_EncryptUpdate(ctx, out, &n, out, (int)len);
	EVP_CIPHER_CTX_free(ctx);
}

static const struct mcu_srtp_backend *find_backend(mcu_srtp_lib *lib, enum mcu_srtp_suite suite, const char *name)
{
	size_t n;
	const struct mcu_srtp_backend *rows = mcu_srtp_backends(&n);

	if (name == NULL) {
		return lib->best[suite];
	}
	for (size_t i = 0; i < n; i++) {
		if (rows[i].suite == suite && g_str_equal(rows[i].name, name) && rows[i].probe(lib)) {
			return &rows[i];
		}
	}
	return NULL;
}

/* RFC 3711 4.3.2: labels 0-2 are RTP's, 3-5 RTCP's: cipher key, authentication key, salt. */
static void half_init(const mcu_srtp *s, struct half *half, const uint8_t *key, uint8_t label)
{
	size_t key_len = s->suite->key_len;
	struct mcu_srtp_session_keys keys = { .key_len = (uint8_t)key_len,
					      .tag_len = label == 0 ? s->suite->tag_len : s->suite->rtcp_tag_len };
	uint8_t salt[MCU_SRTP_SALT] = { 0 };

	memcpy(salt, key + key_len, s->suite->salt_len);
	mcu_srtp_derive(key, key_len, salt, label, keys.key, key_len);
	mcu_srtp_derive(key, key_len, salt, label + 1, keys.auth, sizeof(keys.auth));
	mcu_srtp_derive(key, key_len, salt, label + 2, half->salt, s->suite->salt_len);
	half->key = s->backend->key_new(s->lib, &keys);
	OPENSSL_cleanse(&keys, sizeof(keys));
}

mcu_srtp *mcu_srtp_new(mcu_srtp_lib *lib, enum mcu_srtp_suite suite, const char *backend, const uint8_t *key,
		       unsigned max_ssrc)
{
	const struct mcu_srtp_backend *row = find_backend(lib, suite, backend);
	mcu_srtp *s;

	if (suite == MCU_SRTP_NULL_) {
		s = g_new0(mcu_srtp, 1);
		s->suite = &mcu_srtp_suites[suite];
		return s;
	}
	if (row == NULL) {
		return NULL;
	}
	s = g_new0(mcu_srtp, 1);
	*s = (mcu_srtp){ .lib = lib, .backend = row, .suite = &mcu_srtp_suites[suite], .max_ssrc = max_ssrc };
	half_init(s, &s->rtp, key, 0);
	half_init(s, &s->rtcp, key, 3);
	return s;
}

void mcu_srtp_free(mcu_srtp *s)
{
	if (s == NULL) {
		return;
	}
	if (s->backend != NULL) {
		s->backend->key_free(s->rtp.key);
		s->backend->key_free(s->rtcp.key);
	}
	g_free(s->rtp.streams.slots);
	g_free(s->rtcp.streams.slots);
	OPENSSL_cleanse(s, sizeof(*s));
	g_free(s);
}

unsigned mcu_srtp_overhead(const mcu_srtp *s)
{
	return s->suite->tag_len;
}

enum mcu_srtp_suite mcu_srtp_suite_of(const mcu_srtp *s)
{
	return (enum mcu_srtp_suite)(s->suite - mcu_srtp_suites);
}

const char *mcu_srtp_backend_name(const mcu_srtp *s)
{
	return s->backend != NULL ? s->backend->name : "none";
}

unsigned mcu_srtp_streams(const mcu_srtp *s)
{
	return s->rtp.streams.n;
}

int mcu_srtp_header_len(const uint8_t *data, size_t len)
{
	size_t n;

	if (len < 12 || data[0] >> 6 != 2) {
		return -EBADMSG;
	}
	n = 12 + 4 * (size_t)(data[0] & 15);
	if (data[0] & 0x10) {
		if (len < n + 4) {
			return -EBADMSG;
		}
		n += 4 + 4 * (size_t)(data[n + 2] << 8 | data[n + 3]);
	}
	return n <= len ? (int)n : -EBADMSG;
}

static struct stream *probe_slot(const struct streams *s, uint32_t ssrc)
{
	unsigned mask = s->n_slots - 1, i = (ssrc * 0x9e3779b1u) >> 16 & mask;

	while (s->slots[i].used && s->slots[i].ssrc != ssrc) {
		i = (i + 1) & mask;
	}
	return &s->slots[i];
}

static struct stream *find_stream(const struct streams *s, uint32_t ssrc)
{
	struct stream *st = s->n_slots > 0 ? probe_slot(s, ssrc) : NULL;

	return st && st->used ? st : NULL;
}

static void grow(struct streams *s)
{
	struct stream *old = s->slots;
	unsigned n = s->n_slots;

	s->n_slots = n > 0 ? 2 * n : 2;
	s->slots = g_new0(struct stream, s->n_slots);
	for (unsigned i = 0; i < n; i++) {
		if (old[i].used) {
			*probe_slot(s, old[i].ssrc) = old[i];
		}
	}
	g_free(old);
}

static struct stream *add_stream(struct streams *s, uint32_t ssrc)
{
	struct stream *st;

	if (4 * (s->n + 1) > 3 * s->n_slots) {
		grow(s);
	}
	st = probe_slot(s, ssrc);
	st->used = true;
	st->ssrc = ssrc;
	s->n++;
	return st;
}

/* RFC 3711 3.3.1, appendix A. ROC cannot go below 0: early in a stream there is nothing to wrap back to. */
static uint64_t guess_index(const struct stream *st, uint16_t seq)
{
	uint64_t index;

	if (st == NULL || !st->started) {
		return seq;
	}
	index = (st->top & ~UINT64_C(0xffff)) | seq;
	if (index > st->top + 0x8000 && index >= 0x10000) {
		return index - 0x10000;
	}
	return index + 0x8000 < st->top ? index + 0x10000 : index;
}

static int window_check(const struct stream *st, uint64_t index)
{
	if (st == NULL || !st->started || index > st->top) {
		return 0;
	}
	if (st->top - index >= MCU_SRTP_WINDOW) {
		return -ESTALE;
	}
	return st->bits[index / 64 % G_N_ELEMENTS(st->bits)] >> (index % 64) & 1 ? -EALREADY : 0;
}

static void window_mark(struct stream *st, uint64_t index)
{
	if (!st->started || (index > st->top && index - st->top >= MCU_SRTP_WINDOW)) {
		memset(st->bits, 0, sizeof(st->bits));
		st->top = index;
	}
	while (st->top < index) {
		st->top++;
		st->bits[st->top / 64 % G_N_ELEMENTS(st->bits)] &= ~(UINT64_C(1) << (st->top % 64));
	}
	st->started = true;
	st->bits[index / 64 % G_N_ELEMENTS(st->bits)] |= UINT64_C(1) << (index % 64);
}

static bool is_gcm(const mcu_srtp *s)
{
	return s->suite->aead;
}

static bool is_null(const mcu_srtp *s)
{
	return s->backend == NULL;
}

static int null_copy(const uint8_t *data, size_t len, uint8_t *out, size_t room)
{
	if (len < RTCP_HEADER || len > room) {
		return -EBADMSG;
	}
	memcpy(out, data, len);
	return (int)len;
}

static int null_protect(const uint8_t *header, unsigned header_len, const uint8_t *payload, unsigned payload_len,
			unsigned pad, uint8_t *out)
{
	unsigned len = header_len + payload_len + pad;

	memcpy(out, header, header_len);
	memcpy(out + header_len, payload, payload_len);
	if (pad > 0) {	/* RFC 3550 5.1 */
		out[0] |= 0x20;
		memset(out + header_len + payload_len, 0, pad);
		out[len - 1] = (uint8_t)pad;
	}
	return (int)len;
}

/* RFC 3711 4.1.1 (14-byte salt, 16-byte IV) and RFC 7714 8.1 (12 and 12): same fields, two bytes apart. */
static void make_iv(const mcu_srtp *s, const struct half *half, uint32_t ssrc, uint64_t index, uint8_t iv[16])
{
	uint8_t *at = iv + (s->suite->salt_len == 12 ? 2 : 4);
	uint32_t be_ssrc = GUINT32_TO_BE(ssrc);
	uint64_t be_index = GUINT64_TO_BE(index << 16), x[2], salt[2];

	memset(iv, 0, 16);
	memcpy(at, &be_ssrc, 4);
	memcpy(at + 4, &be_index, 6);
	memcpy(x, iv, 16);
	memcpy(salt, half->salt, 16);
	x[0] ^= salt[0];
	x[1] ^= salt[1];
	memcpy(iv, x, 16);
}

static uint32_t read32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

int mcu_srtp_protect(mcu_srtp *s, const uint8_t *header, unsigned header_len, const uint8_t *payload,
		     unsigned payload_len, unsigned pad, uint8_t *out)
{
	uint32_t ssrc = read32(header + 8);
	struct stream *st = find_stream(&s->rtp.streams, ssrc);
	uint64_t index = guess_index(st, (uint16_t)(header[2] << 8 | header[3]));
	struct mcu_srtp_job job = { out, header_len, payload, payload_len, (uint8_t)pad, .roc = (uint32_t)(index >> 16) };
	int r = window_check(st, index);

	if (is_null(s)) {
		return null_protect(header, header_len, payload, payload_len, pad, out);
	}
	if (r < 0 && is_gcm(s)) {
		return r;
	}
	if (st == NULL && s->rtp.streams.n >= s->max_ssrc) {
		return -ENOSPC;
	}
	st = st ? st : add_stream(&s->rtp.streams, ssrc);
	if (r == 0) {
		window_mark(st, index);
	}
	memcpy(out, header, header_len);
	if (pad > 0) {
		out[0] |= 0x20;
	}
	make_iv(s, &s->rtp, ssrc, index, job.iv);
	s->backend->seal(s->lib, s->rtp.key, &job, out + header_len);
	return (int)(header_len + payload_len + pad + s->suite->tag_len);
}

int mcu_srtp_unprotect(mcu_srtp *s, const uint8_t *data, size_t len, uint8_t *out)
{
	int header_len = mcu_srtp_header_len(data, len), r;
	struct mcu_srtp_job job;
	struct stream *st;
	uint64_t index;
	uint32_t ssrc;

	if (header_len < 0 || len < (size_t)header_len + s->suite->tag_len) {
		return -EBADMSG;
	}
	if (is_null(s)) {
		return null_copy(data, len, out, len);
	}
	ssrc = read32(data + 8);
	st = find_stream(&s->rtp.streams, ssrc);
	if (st == NULL && s->rtp.streams.n >= s->max_ssrc) {
		return -ENOSPC;
	}
	index = guess_index(st, (uint16_t)(data[2] << 8 | data[3]));
	r = window_check(st, index);
	if (r < 0) {
		return r;
	}
	job = (struct mcu_srtp_job){ data, (unsigned)header_len, data + header_len, (unsigned)(len - (size_t)header_len),
				     .roc = (uint32_t)(index >> 16) };
	make_iv(s, &s->rtp, ssrc, index, job.iv);
	if (s->backend->open(s->lib, s->rtp.key, &job, out + header_len) < 0) {
		return -EBADMSG;
	}
	memcpy(out, data, (size_t)header_len);
	window_mark(st ? st : add_stream(&s->rtp.streams, ssrc), index);
	return (int)(len - s->suite->tag_len);
}

/* RFC 3711 3.4: `word` is E || index. HMAC covers it behind the packet, AEAD before it (RFC 7714 9.2); the cipher sees
 * the index where RTP has ROC || SEQ (RFC 3711 4.1.1, RFC 7714 9.1). */
static void rtcp_job(const mcu_srtp *s, const uint8_t *packet, uint32_t word, uint8_t aad[RTCP_HEADER + 4],
		     struct mcu_srtp_job *ret)
{
	uint32_t be = GUINT32_TO_BE(word);

	memcpy(aad, packet, RTCP_HEADER);
	memcpy(aad + RTCP_HEADER, &be, 4);
	*ret = (struct mcu_srtp_job){ .header = aad, .header_len = is_gcm(s) ? RTCP_HEADER + 4 : RTCP_HEADER, .roc = word };
	make_iv(s, &s->rtcp, read32(packet + 4), word & MAX_RTCP_INDEX, ret->iv);
}

int mcu_srtp_protect_rtcp(mcu_srtp *s, const uint8_t *data, size_t len, uint8_t *out, size_t room)
{
	unsigned tag = s->suite->rtcp_tag_len;
	uint8_t aad[RTCP_HEADER + 4], *at = out + len;
	struct mcu_srtp_job job;
	struct stream *st;

	if (is_null(s)) {
		return null_copy(data, len, out, room);
	}
	if (len < RTCP_HEADER || len % 4 != 0 || room < len + tag + 4) {
		return -EBADMSG;
	}
	st = find_stream(&s->rtcp.streams, read32(data + 4));
	if (st == NULL && s->rtcp.streams.n >= s->max_ssrc) {
		return -ENOSPC;
	}
	st = st ? st : add_stream(&s->rtcp.streams, read32(data + 4));
	if (st->top == MAX_RTCP_INDEX) {	/* RFC 3711 9.2: new keys are due; they come with a new handshake */
		return -EIO;
	}
	st->top++;
	rtcp_job(s, data, RTCP_ENCRYPTED | (uint32_t)st->top, aad, &job);
	job.payload = data + RTCP_HEADER;
	job.payload_len = (unsigned)len - RTCP_HEADER;
	memcpy(out, data, RTCP_HEADER);
	s->backend->seal(s->lib, s->rtcp.key, &job, out + RTCP_HEADER);
	if (is_gcm(s)) {	/* cipher text, tag, word; CM: cipher text, word, tag */
		at += tag;
	} else {
		memmove(at + 4, at, tag);
	}
	memcpy(at, aad + RTCP_HEADER, 4);
	return (int)(len + tag + 4);
}

int mcu_srtp_unprotect_rtcp(mcu_srtp *s, const uint8_t *data, size_t len, uint8_t *out, size_t room)
{
	unsigned tag = s->suite->rtcp_tag_len, body;	/* cipher text and tag */
	uint8_t aad[RTCP_HEADER + 4], text[RTCP_LONGEST];
	const uint8_t *word_at;
	struct mcu_srtp_job job;
	struct stream *st;
	uint32_t word;

	if (is_null(s)) {
		return null_copy(data, len, out, room);
	}
	if (len < RTCP_HEADER + 4u + tag || len > RTCP_LONGEST || len > room) {
		return -EBADMSG;
	}
	body = (unsigned)len - RTCP_HEADER - 4;
	word_at = data + len - 4 - (is_gcm(s) ? 0 : tag);
	word = read32(word_at);
	st = find_stream(&s->rtcp.streams, read32(data + 4));
	if (!(word & RTCP_ENCRYPTED)) {
		return -EBADMSG;
	}
	if (st == NULL && s->rtcp.streams.n >= s->max_ssrc) {
		return -ENOSPC;
	}
	if (window_check(st, word & MAX_RTCP_INDEX) < 0) {
		return -EALREADY;
	}
	rtcp_job(s, data, word, aad, &job);
	memcpy(text, data + RTCP_HEADER, body - tag);
	memcpy(text + body - tag, is_gcm(s) ? word_at - tag : word_at + 4, tag);
	job.payload = text;
	job.payload_len = body;
	if (s->backend->open(s->lib, s->rtcp.key, &job, out + RTCP_HEADER) < 0) {
		return -EBADMSG;
	}
	memcpy(out, data, RTCP_HEADER);
	window_mark(st ? st : add_stream(&s->rtcp.streams, read32(data + 4)), word & MAX_RTCP_INDEX);
	return (int)(RTCP_HEADER + body - tag);
}
