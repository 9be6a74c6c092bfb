/* DTLS on OpenSSL. A BIO of our own keeps datagram borders: each write is one datagram out, a read returns the one
 * datagram that is being handed in. No DTLSv1_listen in front: it cannot take a ClientHello in two fragments, which
 * browsers send; the validated ICE pair is the return-routability proof that its cookie would give. */
#include "mcu/net/dtls_priv.h"

#include <gio/gio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct mcu_dtls_ctx {
	SSL_CTX *ssl;
	BIO_METHOD *bio;
	char fingerprint[3 * MCU_DTLS_HASH];
};

struct mcu_dtls {
	SSL *ssl;
	mcu_dtls_send_fn send;
	void *user_data;
	const uint8_t *in;	/* the datagram being handed in */
	size_t in_len;
	uint8_t hash[MCU_DTLS_HASH];
	bool client, done, verified, mismatch;
};

static int bio_write(BIO *bio, const char *data, int len)
{
	mcu_dtls *d = BIO_get_data(bio);

	d->send((const uint8_t *)data, (size_t)len, d->user_data);
	return len;
}

static int bio_read(BIO *bio, char *out, int room)
{
	mcu_dtls *d = BIO_get_data(bio);
	size_t n = MIN(d->in_len, (size_t)room);

	BIO_clear_retry_flags(bio);
	if (n == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(out, d->in, n);
	d->in_len = 0;
	return (int)n;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	switch (cmd) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return MCU_DTLS_MTU;
	default:
		return 0;
	}
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static BIO_METHOD *bio_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagram");

	BIO_meth_set_write(m, bio_write);
	BIO_meth_set_read(m, bio_read);
	BIO_meth_set_ctrl(m, bio_ctrl);
	BIO_meth_set_create(m, bio_create);
	return m;
}

static bool hash_of(const X509 *cert, uint8_t ret[MCU_DTLS_HASH])
{
	unsigned n = 0;

	return cert != NULL && X509_digest(cert, EVP_sha256(), ret, &n) == 1 && n == MCU_DTLS_HASH;
}

/* The whole of our trust: RFC 8122 5, the hash of the leaf certificate is the signalled one. No chain, no dates. */
static int verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	mcu_dtls *d = SSL_get_app_data(ssl);
	uint8_t hash[MCU_DTLS_HASH];

	d->verified = hash_of(X509_STORE_CTX_get0_cert(store), hash) &&
		      CRYPTO_memcmp(hash, d->hash, sizeof(hash)) == 0;
	d->mismatch = !d->verified;
	X509_STORE_CTX_set_error(store, d->verified ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
	return d->verified ? 1 : 0;
}

static X509 *self_signed(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	uint64_t serial = 1;

	RAND_bytes((unsigned char *)&serial, sizeof(serial));
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1 | 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
	X509_gmtime_adj(X509_getm_notAfter(cert), 10L * 365 * 86400);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"ortoo", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	if (X509_sign(cert, key, EVP_sha256()) == 0) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

static void print_fingerprint(const uint8_t hash[MCU_DTLS_HASH], char *out)
{
	for (unsigned i = 0; i < MCU_DTLS_HASH; i++) {
		g_snprintf(out + 3 * i, 4, i + 1 < MCU_DTLS_HASH ? "%02X:" : "%02X", hash[i]);
	}
}

bool mcu_dtls_parse_fingerprint(const char *text, uint8_t ret_hash[MCU_DTLS_HASH])
{
	uint8_t hash[MCU_DTLS_HASH];

	if (text == NULL || strlen(text) != 3 * MCU_DTLS_HASH - 1) {
		return false;
	}
	for (unsigned i = 0; i < MCU_DTLS_HASH; i++) {
		int hi = g_ascii_xdigit_value(text[3 * i]), lo = g_ascii_xdigit_value(text[3 * i + 1]);

		if (hi < 0 || lo < 0 || (i + 1 < MCU_DTLS_HASH && text[3 * i + 2] != ':')) {
			return false;
		}
		hash[i] = (uint8_t)(hi << 4 | lo);
	}
	memcpy(ret_hash, hash, sizeof(hash));
	return true;
}

static bool ctx_setup(mcu_dtls_ctx *ctx, EVP_PKEY *key, X509 *cert)
{
	g_autofree char *suites = NULL;
	uint8_t hash[MCU_DTLS_HASH];
	SSL_CTX *ssl = ctx->ssl;

	suites = g_strdup_printf("%s:%s", mcu_srtp_suites[0].name, mcu_srtp_suites[1].name);
	if (!ssl || !key || !hash_of(cert, hash) || SSL_CTX_use_certificate(ssl, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(ssl, key) != 1 || SSL_CTX_set_cipher_list(ssl, CIPHERS) != 1 ||
	    SSL_CTX_set_tlsext_use_srtp(ssl, suites) != 0) {
		return false;
	}
	print_fingerprint(hash, ctx->fingerprint);
	SSL_CTX_set_min_proto_version(ssl, DTLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(ssl, DTLS1_2_VERSION);
	SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_QUERY_MTU |
					 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ssl, 1);
	SSL_CTX_set_max_cert_list(ssl, 16 * 1024);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ssl, verify, NULL);
	return true;
}

mcu_dtls_ctx *mcu_dtls_ctx_new(GError **err)
{
	mcu_dtls_ctx *ctx = g_new0(mcu_dtls_ctx, 1);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key ? self_signed(key) : NULL;
	bool ok;

	ctx->ssl = SSL_CTX_new(DTLS_method());
	ctx->bio = bio_method();
	ok = ctx_setup(ctx, key, cert);
	X509_free(cert);
	EVP_PKEY_free(key);
	if (!ok) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_FAILED, "DTLS: %s", ERR_reason_error_string(ERR_get_error()));
		mcu_dtls_ctx_free(ctx);
		return NULL;
	}
	return ctx;
}

void mcu_dtls_ctx_free(mcu_dtls_ctx *ctx)
{
	if (ctx == NULL) {
		return;
	}
	SSL_CTX_free(ctx->ssl);
	BIO_meth_free(ctx->bio);
	g_free(ctx);
}

const char *mcu_dtls_fingerprint(const mcu_dtls_ctx *ctx)
{
	return ctx->fingerprint;
}

/* OpenSSL begins with 1 s, which a viewer sees as a second without picture. A quarter suits a radio link. */
static unsigned flight_timer(SSL *ssl, unsigned us)
{
	return us == 0 ? 250000 : MIN(2 * us, 2000000u);
}

mcu_dtls *mcu_dtls_new(mcu_dtls_ctx *ctx, bool client, const uint8_t hash[MCU_DTLS_HASH], mcu_dtls_send_fn send,
		       void *user_data)
{
	mcu_dtls *d = g_new0(mcu_dtls, 1);
	BIO *bio = BIO_new(ctx->bio);

	d->ssl = SSL_new(ctx->ssl);
	g_assert(d->ssl != NULL && bio != NULL);
	d->send = send;
	d->user_data = user_data;
	d->client = client;
	memcpy(d->hash, hash, sizeof(d->hash));
	BIO_set_data(bio, d);
	SSL_set_bio(d->ssl, bio, bio);
	SSL_set_app_data(d->ssl, d);
	SSL_set_mtu(d->ssl, MCU_DTLS_MTU);
	DTLS_set_timer_cb(d->ssl, flight_timer);
	if (client) {
		SSL_set_connect_state(d->ssl);
	} else {
		SSL_set_accept_state(d->ssl);
	}
	return d;
}

/* After the handshake: a peer that missed our last flight repeats its own, or says close_notify. Data is not for us. */
static enum mcu_dtls_result drain(mcu_dtls *d)
{
	uint8_t buf[2048];
	int r;

	ERR_clear_error();
	do {
		r = SSL_read(d->ssl, buf, sizeof(buf));
	} while (r > 0);
	if (SSL_get_error(d->ssl, r) == SSL_ERROR_ZERO_RETURN) {
		return MCU_DTLS_CLOSED;
	}
	ERR_clear_error();
	return MCU_DTLS_WAIT;
}

void mcu_dtls_free(mcu_dtls *d)
{
	ERR_clear_error();
	if (d != NULL && d->done) {
		(void)drain(d);	/* writing needs the buffers, and only reading makes them */
		(void)SSL_shutdown(d->ssl);	/* best effort: the peer sees us go at once */
	}
	mcu_dtls_free_quietly(d);
}

void mcu_dtls_free_quietly(mcu_dtls *d)
{
	if (d == NULL) {
		return;
	}
	SSL_free(d->ssl);
	ERR_clear_error();
	g_free(d);
}

static enum mcu_dtls_result failed(mcu_dtls *d)
{
	ERR_clear_error();
	return d->mismatch ? MCU_DTLS_MISMATCH : MCU_DTLS_FAILED;
}

static bool wants_more(SSL *ssl, int r)
{
	int e = SSL_get_error(ssl, r);

	return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
}

static enum mcu_dtls_result handshake(mcu_dtls *d)
{
	int r;

	ERR_clear_error();
	r = SSL_do_handshake(d->ssl);
	if (r != 1) {
		return wants_more(d->ssl, r) ? MCU_DTLS_WAIT : failed(d);
	}
	if (!d->verified) {
		d->mismatch = true;
		return MCU_DTLS_MISMATCH;
	}
	d->done = true;
	(void)SSL_free_buffers(d->ssl);	/* 33 of 73 KB; reading makes them again */
	return MCU_DTLS_DONE;
}

enum mcu_dtls_result mcu_dtls_start(mcu_dtls *d)
{
	return handshake(d);
}

enum mcu_dtls_result mcu_dtls_input(mcu_dtls *d, const uint8_t *data, size_t len)
{
	enum mcu_dtls_result r;

	d->in = data;
	d->in_len = len;
	r = d->done ? drain(d) : handshake(d);
	d->in = NULL;
	d->in_len = 0;
	return r;
}

enum mcu_dtls_result mcu_dtls_timer(mcu_dtls *d)
{
	ERR_clear_error();
	return DTLSv1_handle_timeout(d->ssl) < 0 ? failed(d) : MCU_DTLS_WAIT;
}

int64_t mcu_dtls_timeout_us(const mcu_dtls *d)
{
	struct timeval tv;

	if (d->done || DTLSv1_get_timeout(d->ssl, &tv) != 1) {
		return -1;
	}
	return (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
}

/* RFC 5764 4.2: client key, server key, client salt, server salt. */
bool mcu_dtls_keys(const mcu_dtls *d, enum mcu_srtp_suite *ret_suite, uint8_t ret_send[30], uint8_t ret_recv[30])
{
	static const char label[] = "EXTRACTOR-dtls_srtp";
	SRTP_PROTECTION_PROFILE *p = SSL_get_selected_srtp_profile(d->ssl);
	const struct mcu_srtp_suite_row *row = NULL;
	uint8_t m[2 * (MCU_SRTP_KEY + MCU_SRTP_SALT)];
	uint8_t *ours = d->client ? ret_send : ret_recv, *theirs = d->client ? ret_recv : ret_send;

	for (unsigned i = 0; p != NULL && i < MCU_SRTP_DTLS_SUITES; i++) {
		if (mcu_srtp_suites[i].profile == p->id) {
			row = &mcu_srtp_suites[i];
			*ret_suite = (enum mcu_srtp_suite)i;
		}
	}
	if (row == NULL || !d->verified ||
	    SSL_export_keying_material(d->ssl, m, 2 * ((size_t)row->key_len + row->salt_len), label,
				       sizeof(label) - 1, NULL, 0, 0) != 1) {
		return false;
	}
	memcpy(ours, m, row->key_len);
	memcpy(theirs, m + row->key_len, row->key_len);
	memcpy(ours + row->key_len, m + 2 * row->key_len, row->salt_len);
	memcpy(theirs + row->key_len, m + 2 * row->key_len + row->salt_len, row->salt_len);
	OPENSSL_cleanse(m, sizeof(m));
	return true;
}
