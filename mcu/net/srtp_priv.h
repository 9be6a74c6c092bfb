/* SRTP of one transport, one struct a direction: RFC 3711 (AES_CM), RFC 6188 (its AES-256) and RFC 7714 (AEAD_AES_GCM).
 * Ours because the hot path needs header and payload sealed out of place; the tests compare it with libsrtp.
 * Media thread only: a lib and all that was made from it belong to one thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MCU_SRTP_KEY = 16, MCU_SRTP_LONG_KEY = 32, MCU_SRTP_SALT = 14, MCU_SRTP_TAG = 16, MCU_SRTP_PAD = 8, MCU_SRTP_WINDOW = 1024 };

/* NULL_: no cipher, no tag, no state: RTP/AVP, so that plain legs take the same road. */
enum mcu_srtp_suite { MCU_SRTP_GCM128, MCU_SRTP_CM80, MCU_SRTP_CM32, MCU_SRTP_GCM256, MCU_SRTP_CM256_80, MCU_SRTP_CM256_32,
		      MCU_SRTP_NULL_, MCU_SRTP_SUITES };
enum { MCU_SRTP_DTLS_SUITES = 2 };	/* the first rows: what use_srtp offers */

/* One row a suite. The order is our preference in use_srtp (RFC 5764 4.1.2, RFC 7714 14.2). RTCP's tag of the _32 suites
 * stays at 80 bits (RFC 4568 6.2.2). */
struct mcu_srtp_suite_row {
	const char *name;	/* OpenSSL's name of the profile */
	const char *sdes;	/* crypto-suite of SDP: RFC 4568 6.2, RFC 6188 4, RFC 7714 14.1; NULL = none */
	uint16_t profile;	/* IANA DTLS-SRTP protection profile */
	uint8_t key_len, salt_len, tag_len, rtcp_tag_len;
	bool aead;
};
extern const struct mcu_srtp_suite_row mcu_srtp_suites[MCU_SRTP_SUITES];

/* What one packet needs from a backend. */
struct mcu_srtp_job {
	const uint8_t *header;
	unsigned header_len;
	const uint8_t *payload;	/* seal: plain text; open: cipher text with its tag */
	unsigned payload_len;
	uint8_t pad;		/* seal only: RTP padding octets (RFC 3550 5.1) added behind the payload, 0-8 */
	uint8_t iv[16];
	uint32_t roc;
};

typedef struct mcu_srtp_lib mcu_srtp_lib;	/* per thread: the library handles that keys share */
struct mcu_srtp_session_keys { uint8_t key[MCU_SRTP_LONG_KEY], auth[20], key_len, tag_len; };

/* One row a backend; the first that probes well is used. key_new never fails after a good probe. */
struct mcu_srtp_backend {
	const char *name;
	enum mcu_srtp_suite suite;
	bool (*probe)(mcu_srtp_lib *lib);
	void *(*key_new)(mcu_srtp_lib *lib, const struct mcu_srtp_session_keys *keys);
	void (*key_free)(void *key);
	/* `out` gets cipher text, then the tag: payload_len + pad + tag_len bytes; may not overlap the payload. */
	void (*seal)(mcu_srtp_lib *lib, void *key, const struct mcu_srtp_job *job, uint8_t *out);
	/* `out` gets payload_len - tag_len bytes of plain text; 0 or -EBADMSG (then `out` is garbage). */
	int (*open)(mcu_srtp_lib *lib, void *key, const struct mcu_srtp_job *job, uint8_t *out);
};
const struct mcu_srtp_backend *mcu_srtp_backends(size_t *ret_n);

mcu_srtp_lib *mcu_srtp_lib_new(void);
void mcu_srtp_lib_free(mcu_srtp_lib *lib);
int mcu_srtp_suite_by_sdes(const char *name);	/* enum mcu_srtp_suite or -1 */
const char *mcu_srtp_backend_of(const mcu_srtp_lib *lib, enum mcu_srtp_suite suite);

typedef struct mcu_srtp mcu_srtp;
/* `key` has key_len + salt_len bytes of the suite. `backend` NULL = the best. `max_ssrc` bounds the streams. */
mcu_srtp *mcu_srtp_new(mcu_srtp_lib *lib, enum mcu_srtp_suite suite, const char *backend, const uint8_t *key,
		       unsigned max_ssrc);
void mcu_srtp_free(mcu_srtp *s);	/* NULL allowed; wipes keys */
unsigned mcu_srtp_overhead(const mcu_srtp *s);
enum mcu_srtp_suite mcu_srtp_suite_of(const mcu_srtp *s);
const char *mcu_srtp_backend_name(const mcu_srtp *s);
unsigned mcu_srtp_streams(const mcu_srtp *s);

/* Bytes of the RTP header of `data`, or -EBADMSG. Does not look at the payload: it may be cipher text. */
int mcu_srtp_header_len(const uint8_t *data, size_t len);

/* Writes header, sealed payload and tag to `out`; returns the length. -EALREADY: this (ssrc, seq) went out before (the
 * nonce rule, RFC 7714 12; CM80 may repeat); -ESTALE: too old to prove that it did not; -ENOSPC: too many SSRCs. `pad` > 0
 * sets the P bit; the header must not have it already. */
int mcu_srtp_protect(mcu_srtp *s, const uint8_t *header, unsigned header_len, const uint8_t *payload,
		     unsigned payload_len, unsigned pad, uint8_t *out);
/* Plain packet to `out` (len bytes of room); returns its length. -EBADMSG: malformed or not authentic; -EALREADY:
 * replayed; -ESTALE: older than the window; -ENOSPC: too many SSRCs. */
int mcu_srtp_unprotect(mcu_srtp *s, const uint8_t *data, size_t len, uint8_t *out);
/* Same for SRTCP (RFC 3711 3.4, RFC 7714 9); `room` bytes at `out`. */
int mcu_srtp_protect_rtcp(mcu_srtp *s, const uint8_t *data, size_t len, uint8_t *out, size_t room);
int mcu_srtp_unprotect_rtcp(mcu_srtp *s, const uint8_t *data, size_t len, uint8_t *out, size_t room);

/* RFC 3711 4.3, RFC 6188 3: session keys from master key and salt (14 bytes; GCM's 12 padded with zeros, RFC 7714 11).
 * Tests use it. */
void mcu_srtp_derive(const uint8_t *key, size_t key_len, const uint8_t salt[MCU_SRTP_SALT], uint8_t label, uint8_t *out,
		     size_t len);

struct mcu_srtp_lib {	/* shared by srtp.c and srtp_backend.c */
	void *imb;	/* IMB_MGR *, NULL without the library or the CPU */
	void *scratch;	/* EVP_MD_CTX * */
	const struct mcu_srtp_backend *best[MCU_SRTP_SUITES];
};
