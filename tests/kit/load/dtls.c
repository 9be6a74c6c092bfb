/* DTLS of the generator: OpenSSL over a datagram BIO of ours, either role, fingerprint of the server compared with the
 * signalled one, keys exported into libsrtp (RFC 5764). */
#include <gio/gio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/kit/load/load.h"

enum { FIRST_TIMEOUT_US = 100000 };	/* OpenSSL's own first timer, 1 s, would hide in the join latency */

static int bio_write(BIO *bio, const char *data, int len)
{
	struct load_peer *peer = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	(void)send(peer->fd, data, (size_t)len, MSG_DONTWAIT);	/* a lost flight is repeated by the timer */
	return len;
}

static int bio_read(BIO *bio, char *out, int room)
{
	struct load_peer *peer = BIO_get_data(bio);
	size_t len = peer->in_len;

	BIO_clear_retry_flags(bio);
	if (!len) {
		BIO_set_retry_read(bio);
		return -1;
	}
	len = MIN(len, (size_t)room);
	memcpy(out, peer->in, len);
	peer->in_len = 0;
	return (int)len;
}

static long bio_ctrl(BIO *bio, int cmd, long arg, void *ptr)
{
	switch (cmd) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return 1200;
	default:
		return 0;
	}
}

static const BIO_METHOD *bio_method(void)
{
	static BIO_METHOD *method;

	if (!method) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "load datagrams");
		BIO_meth_set_write(method, bio_write);
		BIO_meth_set_read(method, bio_read);
		BIO_meth_set_ctrl(method, bio_ctrl);
	}
	return method;
}

static unsigned timer_cb(SSL *ssl, unsigned timer_us)
{
	return timer_us ? MIN(timer_us * 2, 1600000u) : FIRST_TIMEOUT_US;
}

static int accept_any(int ok, X509_STORE_CTX *store)
{
	return 1;	/* self-signed by design; the fingerprint decides */
}

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *cert = X509_new();

	ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)(load_random() >> 2));
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
	X509_gmtime_adj(X509_getm_notAfter(cert), 30 * 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const void *)"load", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_set_pubkey(cert, key);
	X509_sign(cert, key, EVP_sha256());
	return cert;
}

static void print_fingerprint(const X509 *cert, char ret[100])
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	X509_digest(cert, EVP_sha256(), hash, &n);
	for (unsigned i = 0; i < n; i++) {
		g_snprintf(ret + i * 3, 4, "%02X%s", hash[i], i + 1 < n ? ":" : "");
	}
}

bool load_dtls_init(struct load *load, GError **err)
{
	/* Chromium's order; the server's preference decides. OpenSSL returns 0 for success here. */
	const char *any = "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM";
	const char *profiles = g_str_equal(load->conf.srtp, "gcm")    ? "SRTP_AEAD_AES_128_GCM"
			       : g_str_equal(load->conf.srtp, "cm80") ? "SRTP_AES128_CM_SHA1_80"
								      : any;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = make_certificate(key);

	load->ssl_ctx = SSL_CTX_new(DTLS_method());
	SSL_CTX_use_certificate(load->ssl_ctx, cert);
	SSL_CTX_use_PrivateKey(load->ssl_ctx, key);
	SSL_CTX_set_verify(load->ssl_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
	SSL_CTX_set_options(load->ssl_ctx, SSL_OP_NO_QUERY_MTU);
	print_fingerprint(cert, load->fingerprint);
	X509_free(cert);
	EVP_PKEY_free(key);
	if (SSL_CTX_set_tlsext_use_srtp(load->ssl_ctx, profiles) != 0 || srtp_init() != srtp_err_status_ok) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_FAILED, "SRTP profiles are not available");
		return false;
	}
	return true;
}

void load_dtls_start(struct load_peer *peer)
{
	BIO *bio;

	if (peer->ssl) {
		return;
	}
	bio = BIO_new(bio_method());
	BIO_set_data(bio, peer);
	BIO_set_init(bio, 1);
	peer->ssl = SSL_new(peer->load->ssl_ctx);
	SSL_set_bio(peer->ssl, bio, bio);
	SSL_set_mtu(peer->ssl, 1200);
	DTLS_set_timer_cb(peer->ssl, timer_cb);
	if (peer->remote.dtls_client) {
		SSL_set_connect_state(peer->ssl);
	} else {
		SSL_set_accept_state(peer->ssl);
	}
}

struct profile { const char *name; srtp_profile_t srtp; size_t key, salt; };

static const struct profile profiles[] = {
	{ "SRTP_AES128_CM_SHA1_80", srtp_profile_aes128_cm_sha1_80, 16, 14 },
	{ "SRTP_AEAD_AES_128_GCM", srtp_profile_aead_aes_128_gcm, 16, 12 },
	{ "SRTP_AEAD_AES_256_GCM", srtp_profile_aead_aes_256_gcm, 32, 12 },
};

static srtp_t make_session(const struct profile *p, const uint8_t *key, const uint8_t *salt, bool inbound)
{
	uint8_t material[64];
	srtp_policy_t policy = { .window_size = 1024, .allow_repeat_tx = 1 };
	srtp_t session = NULL;

	memcpy(material, key, p->key);
	memcpy(material + p->key, salt, p->salt);
	srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, p->srtp);
	srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, p->srtp);
	policy.ssrc.type = inbound ? ssrc_any_inbound : ssrc_any_outbound;
	policy.key = material;
	return srtp_create(&session, &policy) == srtp_err_status_ok ? session : NULL;
}

/* RFC 5764 4.2: client key, server key, client salt, server salt. */
static bool take_keys(struct load_peer *peer, const char *name)
{
	const uint8_t *p;
	uint8_t m[128];
	const struct profile *row = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
		row = g_str_equal(profiles[i].name, name) ? &profiles[i] : row;
	}
	if (!row || SSL_export_keying_material(peer->ssl, m, 2 * (row->key + row->salt), "EXTRACTOR-dtls_srtp", 19,
					       NULL, 0, 0) != 1) {
		return false;
	}
	p = m + 2 * row->key;
	peer->srtp_out = make_session(row, peer->remote.dtls_client ? m : m + row->key,
				      peer->remote.dtls_client ? p : p + row->salt, false);
	peer->srtp_in = make_session(row, peer->remote.dtls_client ? m + row->key : m,
				     peer->remote.dtls_client ? p + row->salt : p, true);
	peer->load->profile = row->name;
	return peer->srtp_out && peer->srtp_in;
}

static void finish(struct load_peer *peer)
{
	g_autofree char *got = g_malloc0(100);
	X509 *cert = SSL_get1_peer_certificate(peer->ssl);
	const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(peer->ssl);

	if (cert) {
		print_fingerprint(cert, got);
		X509_free(cert);
	}
	if (g_ascii_strcasecmp(got, peer->remote.fingerprint) != 0) {
		load_peer_fail(peer, "the server's certificate is not the signalled one");
	} else if (!profile || !take_keys(peer, profile->name)) {
		load_peer_fail(peer, "no SRTP keys");
	} else {
		peer->up = true;
		peer->up_us = load_now_us();
	}
}

static void arm(struct load_peer *peer)
{
	struct timeval tv;

	peer->dtls_deadline_us = INT64_MAX;
	if (DTLSv1_get_timeout(peer->ssl, &tv)) {
		peer->dtls_deadline_us = load_now_us() + (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
	}
}

/* One datagram, or NULL to begin. */
void load_dtls_input(struct load_peer *peer, const uint8_t *data, size_t len)
{
	uint8_t sink[64];
	int rc;

	if (!peer->ssl) {
		return;
	}
	peer->in = data;
	peer->in_len = len;
	if (peer->up) {
		(void)SSL_read(peer->ssl, sink, sizeof(sink));	/* alerts, repeated flights */
		return;
	}
	rc = SSL_do_handshake(peer->ssl);
	if (rc == 1) {
		peer->dtls_deadline_us = INT64_MAX;
		finish(peer);
	} else if (SSL_get_error(peer->ssl, rc) == SSL_ERROR_WANT_READ) {
		arm(peer);
	} else {
		load_peer_fail(peer, "DTLS handshake");
	}
}

void load_dtls_tick(struct load_peer *peer, int64_t now_us)
{
	if (peer->ssl && !peer->up && now_us >= peer->dtls_deadline_us) {
		DTLSv1_handle_timeout(peer->ssl);
		arm(peer);
	}
}
