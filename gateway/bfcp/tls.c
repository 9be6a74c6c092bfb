/* TLS of BFCP: our certificate, and trust by the signalled hash alone (RFC 8122 5). */
#include <gio/gio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include "gateway/bfcp/link_priv.h"

bool bfcp_tls_hash(const char *fingerprint, uint8_t ret[BFCP_HASH])
{
	const char *at = fingerprint;

	if (at != NULL && g_ascii_strncasecmp(at, "sha-256 ", 8) == 0) {
		at += 8;
	}
	if (at == NULL || strlen(at) != 3 * BFCP_HASH - 1) {
		return false;
	}
	for (unsigned i = 0; i < BFCP_HASH; i++) {
		int hi = g_ascii_xdigit_value(at[3 * i]), lo = g_ascii_xdigit_value(at[3 * i + 1]);

		if (hi < 0 || lo < 0 || (i + 1 < BFCP_HASH && at[3 * i + 2] != ':')) {
			return false;
		}
		ret[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

static bool hash_of(const X509 *cert, uint8_t ret[BFCP_HASH])
{
	unsigned n = 0;

	return cert != NULL && X509_digest(cert, EVP_sha256(), ret, &n) == 1 && n == BFCP_HASH;
}

static int verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct gw_bfcp_link *l = SSL_get_app_data(ssl);
	uint8_t hash[BFCP_HASH];
	bool ok = l->have_hash && hash_of(X509_STORE_CTX_get0_cert(store), hash) &&
		  CRYPTO_memcmp(hash, l->hash, sizeof(hash)) == 0;

	l->b->counters.refused_tls += !ok;
	X509_STORE_CTX_set_error(store, ok ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
	return ok;
}

/* NULL: the error is in OpenSSL's queue. */
static SSL_CTX *context(const SSL_METHOD *method, int oldest, const char *certificate, const char *key)
{
	SSL_CTX *c = SSL_CTX_new(method);

	if (c == NULL || SSL_CTX_use_certificate_chain_file(c, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) != 1) {
		SSL_CTX_free(c);
		return NULL;
	}
	SSL_CTX_set_min_proto_version(c, oldest);
	SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_QUERY_MTU);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_max_cert_list(c, 16 * 1024);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(c, verify, NULL);
	return c;
}

bool bfcp_tls_open(gw_bfcp *b, const char *certificate, const char *key, GError **err)
{
	uint8_t hash[BFCP_HASH];

	b->tls = context(TLS_method(), TLS1_2_VERSION, certificate, key);
	b->dtls = context(DTLS_method(), DTLS1_2_VERSION, certificate, key);
	if (b->tls == NULL || b->dtls == NULL || !hash_of(SSL_CTX_get0_certificate(b->tls), hash)) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_FAILED, "BFCP certificate %s: %s", certificate,
			    ERR_reason_error_string(ERR_get_error()));
		ERR_clear_error();
		return false;
	}
	for (unsigned i = 0; i < BFCP_HASH; i++) {
		g_snprintf(b->fingerprint + 3 * i, 4, i + 1 < BFCP_HASH ? "%02X:" : "%02X", hash[i]);
	}
	return true;
}

SSL *bfcp_tls_new(struct gw_bfcp_link *l, int fd)
{
	SSL *ssl = SSL_new(l->b->tls);

	g_assert(ssl != NULL);
	SSL_set_app_data(ssl, l);
	SSL_set_fd(ssl, fd);
	if (l->active) {
		SSL_set_connect_state(ssl);
	} else {
		SSL_set_accept_state(ssl);
	}
	return ssl;
}
