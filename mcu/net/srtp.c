/* SRTP sessions: key derivation, packet index, replay windows, SSRC limit. Ciphers are srtp_backend.c's; SRTCP is
 * libsrtp's, made when the first SRTCP packet passes because it costs more memory than all of RTP's state. */
#include "mcu/net/srtp_priv.h"

#include <errno.h>
#include <glib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <srtp2/srtp.h>
#include <string.h>

const struct mcu_srtp_suite_row mcu_srtp_suites[MCU_SRTP_SUITES] = {
	[MCU_SRTP_GCM128] = { "SRTP_AEAD_AES_128_GCM", 0x0007, 16, 12, 16, 16 },
	[MCU_SRTP_CM80] = { "SRTP_AES128_CM_SHA1_80", 0x0001, 16, 14, 10, 10 },
};

/* State of one SSRC in one direction. `top` is the highest 48-bit index (ROC || SEQ) seen; the ring of bits says which
 * of the last MCU_SRTP_WINDOW were. The same window serves the sender: there it guards the nonce. */
struct stream {
	uint32_t ssrc;
	bool used, started;
	uint64_t top;
	uint64_t bits[MCU_SRTP_WINDOW / 64];
};

struct mcu_srtp {
	mcu_srtp_lib *lib;
	const struct mcu_srtp_backend *backend;
	const struct mcu_srtp_suite_row *suite;
	void *key;
	bool outbound;
	unsigned max_ssrc, n_streams, n_slots;	/* slots: power of two, at most 3/4 used */
	struct stream *slots;
	uint8_t salt[MCU_SRTP_SALT];
	uint8_t master[MCU_SRTP_KEY + MCU_SRTP_SALT];	/* for libsrtp */
	srtp_t rtcp;
	unsigned n_rtcp;
	uint32_t *rtcp_ssrcs;	/* senders that libsrtp keeps state for */
};

void mcu_srtp_derive(const uint8_t key[MCU_SRTP_KEY], const uint8_t salt[MCU_SRTP_SALT], uint8_t label, uint8_t *out,
		     size_t len)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t iv[16] = { 0 };
	int n;

	memcpy(iv, salt, MCU_SRTP_SALT);
	iv[7] ^= label;	/* x = (label || r) XOR salt, r = 0: key_derivation_rate 0 */
	memset(out, 0, len);
	g_assert(ctx && EVP_EncryptInit_ex(ctx, EVP_aes_128_ctr(), NULL, key, iv) == 1);
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

mcu_srtp *mcu_srtp_new(mcu_srtp_lib *lib, enum mcu_srtp_suite suite, const char *backend, const uint8_t *key,
		       bool outbound, unsigned max_ssrc)
{
	const struct mcu_srtp_backend *row = find_backend(lib, suite, backend);
	struct mcu_srtp_session_keys keys;
	mcu_srtp *s;

	if (row == NULL) {
		return NULL;
	}
	s = g_new0(mcu_srtp, 1);
	*s = (mcu_srtp){ .lib = lib, .backend = row, .suite = &mcu_srtp_suites[suite], .outbound = outbound,
			 .max_ssrc = max_ssrc };
	memcpy(s->master, key, (size_t)s->suite->key_len + s->suite->salt_len);
	mcu_srtp_derive(s->master, s->master + MCU_SRTP_KEY, 0, keys.key, sizeof(keys.key));
	mcu_srtp_derive(s->master, s->master + MCU_SRTP_KEY, 1, keys.auth, sizeof(keys.auth));
	mcu_srtp_derive(s->master, s->master + MCU_SRTP_KEY, 2, s->salt, s->suite->salt_len);
	s->key = row->key_new(lib, &keys);
	OPENSSL_cleanse(&keys, sizeof(keys));
	return s;
}

void mcu_srtp_free(mcu_srtp *s)
{
	if (s == NULL) {
		return;
	}
	s->backend->key_free(s->key);
	if (s->rtcp != NULL) {
		srtp_dealloc(s->rtcp);
	}
	g_free(s->slots);
	g_free(s->rtcp_ssrcs);
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
	return s->backend->name;
}

unsigned mcu_srtp_streams(const mcu_srtp *s)
{
	return s->n_streams;
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

static struct stream *probe_slot(const mcu_srtp *s, uint32_t ssrc)
{
	unsigned mask = s->n_slots - 1, i = (ssrc * 0x9e3779b1u) >> 16 & mask;

	while (s->slots[i].used && s->slots[i].ssrc != ssrc) {
		i = (i + 1) & mask;
	}
	return &s->slots[i];
}

static struct stream *find_stream(const mcu_srtp *s, uint32_t ssrc)
{
	struct stream *st = s->n_slots > 0 ? probe_slot(s, ssrc) : NULL;

	return st && st->used ? st : NULL;
}

static void grow(mcu_srtp *s)
{
	struct stream *old = s->slots;
	unsigned n = s->n_slots;

	s->n_slots = n > 0 ? 2 * n : 4;
	s->slots = g_new0(struct stream, s->n_slots);
	for (unsigned i = 0; i < n; i++) {
		if (old[i].used) {
			*probe_slot(s, old[i].ssrc) = old[i];
		}
	}
	g_free(old);
}

static struct stream *add_stream(mcu_srtp *s, uint32_t ssrc)
{
	struct stream *st;

	if (4 * (s->n_streams + 1) > 3 * s->n_slots) {
		grow(s);
	}
	st = probe_slot(s, ssrc);
	st->used = true;
	st->ssrc = ssrc;
	s->n_streams++;
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

/* RFC 3711 4.1.1 (14-byte salt, 16-byte IV) and RFC 7714 8.1 (12 and 12): same fields, two bytes apart. */
static void make_iv(const mcu_srtp *s, uint32_t ssrc, uint64_t index, uint8_t iv[16])
{
	unsigned at = s->suite->salt_len == 12 ? 2 : 4;

	memset(iv, 0, 16);
	memcpy(iv, s->salt, s->suite->salt_len);
	for (unsigned i = 0; i < 4; i++) {
		iv[at + i] ^= (uint8_t)(ssrc >> (24 - 8 * i));
	}
	for (unsigned i = 0; i < 6; i++) {
		iv[at + 4 + i] ^= (uint8_t)(index >> (40 - 8 * i));
	}
}

static uint32_t read32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

int mcu_srtp_protect(mcu_srtp *s, const uint8_t *header, unsigned header_len, const uint8_t *payload,
		     unsigned payload_len, unsigned pad, uint8_t *out)
{
	uint32_t ssrc = read32(header + 8);
	struct stream *st = find_stream(s, ssrc);
	uint64_t index = guess_index(st, (uint16_t)(header[2] << 8 | header[3]));
	struct mcu_srtp_job job = { out, header_len, payload, payload_len, (uint8_t)pad, .roc = (uint32_t)(index >> 16) };
	int r = window_check(st, index);

	if (r < 0 && s->suite->profile != mcu_srtp_suites[MCU_SRTP_CM80].profile) {
		return r;
	}
	if (st == NULL && s->n_streams >= s->max_ssrc) {
		return -ENOSPC;
	}
	st = st ? st : add_stream(s, ssrc);
	if (r == 0) {
		window_mark(st, index);
	}
	memcpy(out, header, header_len);
	if (pad > 0) {
		out[0] |= 0x20;
	}
	make_iv(s, ssrc, index, job.iv);
	s->backend->seal(s->lib, s->key, &job, out + header_len);
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
	ssrc = read32(data + 8);
	st = find_stream(s, ssrc);
	if (st == NULL && s->n_streams >= s->max_ssrc) {
		return -ENOSPC;
	}
	index = guess_index(st, (uint16_t)(data[2] << 8 | data[3]));
	r = window_check(st, index);
	if (r < 0) {
		return r;
	}
	job = (struct mcu_srtp_job){ data, (unsigned)header_len, data + header_len, (unsigned)(len - (size_t)header_len),
				     .roc = (uint32_t)(index >> 16) };
	make_iv(s, ssrc, index, job.iv);
	if (s->backend->open(s->lib, s->key, &job, out + header_len) < 0) {
		return -EBADMSG;
	}
	memcpy(out, data, (size_t)header_len);
	window_mark(st ? st : add_stream(s, ssrc), index);
	return (int)(len - s->suite->tag_len);
}

static bool rtcp_open(mcu_srtp *s)
{
	srtp_policy_t policy = { .ssrc = { s->outbound ? ssrc_any_outbound : ssrc_any_inbound, 0 }, .key = s->master,
				 .window_size = 128 };
	static gsize once;

	if (g_once_init_enter(&once)) {
		gsize ok = srtp_init() == srtp_err_status_ok ? 1 : 2;
		g_once_init_leave(&once, ok);
	}
	if (s->rtcp != NULL || once != 1) {
		return s->rtcp != NULL;
	}
	if (s->suite->profile == mcu_srtp_suites[MCU_SRTP_GCM128].profile) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
	} else {
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
		srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
	}
	return srtp_create(&s->rtcp, &policy) == srtp_err_status_ok;
}

static bool rtcp_known(const mcu_srtp *s, uint32_t ssrc)
{
	for (unsigned i = 0; i < s->n_rtcp; i++) {
		if (s->rtcp_ssrcs[i] == ssrc) {
			return true;
		}
	}
	return false;
}

static void rtcp_note(mcu_srtp *s, uint32_t ssrc)
{
	if (!rtcp_known(s, ssrc)) {
		s->rtcp_ssrcs = g_renew(uint32_t, s->rtcp_ssrcs, s->n_rtcp + 1);
		s->rtcp_ssrcs[s->n_rtcp++] = ssrc;
	}
}

int mcu_srtp_protect_rtcp(mcu_srtp *s, const uint8_t *data, size_t len, uint8_t *out, size_t room)
{
	int n = (int)len;

	if (len < 8 || len % 4 != 0 || room < len + SRTP_MAX_TRAILER_LEN + 4) {
		return -EBADMSG;
	}
	if (!rtcp_known(s, read32(data + 4)) && s->n_rtcp >= s->max_ssrc) {
		return -ENOSPC;
	}
	if (!rtcp_open(s)) {
		return -EIO;
	}
	memcpy(out, data, len);
	if (srtp_protect_rtcp(s->rtcp, out, &n) != srtp_err_status_ok) {
		return -EIO;
	}
	rtcp_note(s, read32(data + 4));
	return n;
}

int mcu_srtp_unprotect_rtcp(mcu_srtp *s, const uint8_t *data, size_t len, uint8_t *out, size_t room)
{
	srtp_err_status_t st;
	int n = (int)len;

	if (len < 12u + s->suite->rtcp_tag_len || len > room || !rtcp_open(s)) {
		return -EBADMSG;
	}
	if (!rtcp_known(s, read32(data + 4)) && s->n_rtcp >= s->max_ssrc) {
		return -ENOSPC;
	}
	memcpy(out, data, len);
	st = srtp_unprotect_rtcp(s->rtcp, out, &n);
	if (st != srtp_err_status_ok) {
		return st == srtp_err_status_replay_fail || st == srtp_err_status_replay_old ? -EALREADY : -EBADMSG;
	}
	rtcp_note(s, read32(data + 4));
	return n;
}
