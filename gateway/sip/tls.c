/* TLS of SIP: contexts, certificates, whom we believe. */
#include "gateway/sip/tls_priv.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "gateway/sip/uri_priv.h"

enum { DIGEST_LEN = 32 };
struct stamp { gint64 mtime, size; guint64 inode; };

struct sip_tls {
	char *certificate, *key, *ca;
	struct stamp seen[2];
	SSL_CTX *ours;
};

static char *openssl_text(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
	char *text = g_strdup(reason != NULL ? reason : "broken off");
	ERR_clear_error();
	return text;
}

static struct stamp stamp_of(const char *path)
{
	GStatBuf st;
	return g_stat(path, &st) == 0 ? (struct stamp){ (gint64)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec, st.st_size, st.st_ino }
				      : (struct stamp){ 0 };
}

/* ---- contexts ---- */
static SSL_CTX *base_context(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);
	if (ctx != NULL) {
		(void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
		(void)SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
		/* no tickets, no cache: a connection leaves nothing behind; phones keep theirs for hours */
		SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
		(void)SSL_CTX_set_num_tickets(ctx, 0);
		SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	}
	return ctx;
}

static SSL_CTX *own_context(const struct sip_tls *t, GError **err)
{
	ERR_clear_error();
	SSL_CTX *ctx = base_context(TLS_method());
	if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, t->certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, t->key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1) {
		g_autofree char *why = openssl_text();
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "SIP over TLS: certificate %s with key %s: %s", t->certificate,
			    t->key, why);
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	return ctx;
}

struct sip_tls *sip_tls_new(const char *certificate, const char *key, const char *ca, GError **err)
{
	struct sip_tls *t = g_new0(struct sip_tls, 1);
	t->certificate = g_strdup(certificate);
	t->key = g_strdup(key);
	t->ca = g_strdup(ca);
	t->seen[0] = stamp_of(certificate);
	t->seen[1] = stamp_of(key);
	t->ours = own_context(t, err);
	if (t->ours == NULL) {
		sip_tls_free(t);
		return NULL;
	}
	return t;
}

void sip_tls_free(struct sip_tls *t)
{
	if (t != NULL) {
		SSL_CTX_free(t->ours);
		g_free(t->certificate);
		g_free(t->key);
		g_free(t->ca);
		g_free(t);
	}
}

/* A renewal writes two files, one after the other: a pair that does not match is looked at again. */
bool sip_tls_look(struct sip_tls *t)
{
	const struct stamp now[2] = { stamp_of(t->certificate), stamp_of(t->key) };
	if (memcmp(now, t->seen, sizeof(now)) == 0) {
		return false;
	}
	SSL_CTX *fresh = own_context(t, NULL);
	if (fresh == NULL) {
		return false;
	}
	SSL_CTX_free(t->ours);	/* connections hold references */
	t->ours = fresh;
	memcpy(t->seen, now, sizeof(now));
	return true;
}

SSL *sip_tls_accept(struct sip_tls *t, int fd)
{
	SSL *ssl = SSL_new(t->ours);
	if (ssl != NULL) {
		(void)SSL_set_fd(ssl, fd);
		SSL_set_accept_state(ssl);
	}
	return ssl;
}

/* ---- whom we believe ---- */
static bool read_fingerprint(const char *text, guint8 ret[DIGEST_LEN])
{
	size_t n = 0;
	for (; text[0] != '\0' && n < DIGEST_LEN; n++) {
		int high = g_ascii_xdigit_value(text[0]), low = high >= 0 ? g_ascii_xdigit_value(text[1]) : -1;
		if (low < 0) {
			return false;
		}
		ret[n] = (guint8)(high << 4 | low);
		text += text[2] == ':' ? 3 : 2;
	}
	return n == DIGEST_LEN && text[0] == '\0';
}

bool sip_fingerprint_is_good(const char *text)
{
	guint8 bytes[DIGEST_LEN];
	return read_fingerprint(text, bytes);
}

static char *fingerprint_of(X509 *x)
{
	guint8 bytes[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	GString *s = g_string_new(NULL);
	(void)X509_digest(x, EVP_sha256(), bytes, &len);
	for (unsigned n = 0; n < len; n++) {
		g_string_append_printf(s, "%s%02X", n > 0 ? ":" : "", bytes[n]);
	}
	return g_string_free(s, FALSE);
}

static void free_shown(void *parent, void *text, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	g_free(text);
}

static int shown_index(void)
{
	static int index = -1;
	if (index < 0) {
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_shown);
	}
	return index;
}

/* OpenSSL forgets a certificate that it refuses; who is to compare it needs its fingerprint. */
static void remember_shown(X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	if (ssl != NULL && leaf != NULL && SSL_get_ex_data(ssl, shown_index()) == NULL) {
		(void)SSL_set_ex_data(ssl, shown_index(), fingerprint_of(leaf));
	}
}

static int on_verify(int good, X509_STORE_CTX *store)
{
	if (!good) {
		remember_shown(store);
	}
	return good;
}

static int same_certificate(X509_STORE_CTX *store, void *wanted)
{
	guint8 bytes[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	remember_shown(store);
	bool same = leaf != NULL && X509_digest(leaf, EVP_sha256(), bytes, &len) == 1 && len == DIGEST_LEN &&
		    CRYPTO_memcmp(bytes, wanted, len) == 0;
	X509_STORE_CTX_set_error(store, same ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
	return same;
}

static void free_pin(void *parent, void *pin, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	g_free(pin);
}

static int pin_index(void)
{
	static int index = -1;
	if (index < 0) {
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_pin);
	}
	return index;
}

static bool pin(SSL_CTX *ctx, const char *fingerprint, char **ret_why)
{
	guint8 *bytes = g_malloc(DIGEST_LEN);
	if (!read_fingerprint(fingerprint, bytes)) {
		g_free(bytes);
		*ret_why = g_strdup("fingerprint= is not the SHA-256 of a certificate: 64 hex digits are wanted");
		return false;
	}
	SSL_CTX_set_cert_verify_callback(ctx, same_certificate, bytes);
	(void)SSL_CTX_set_ex_data(ctx, pin_index(), bytes);
	return true;
}

static bool believe(SSL_CTX *ctx, const struct sip_tls *t, const struct sip_trust *trust, char **ret_why)
{
	const char *file = trust->ca != NULL ? trust->ca : t->ca;
	if (trust->fingerprint != NULL) {
		return pin(ctx, trust->fingerprint, ret_why);
	}
	if ((file != NULL ? SSL_CTX_load_verify_locations(ctx, file, NULL) : SSL_CTX_set_default_verify_paths(ctx)) != 1) {
		g_autofree char *text = openssl_text();
		*ret_why = g_strdup_printf("the certificates of %s cannot be read: %s", file != NULL ? file : "this system", text);
		return false;
	}
	return true;
}

static bool expect_name(SSL *ssl, const char *name)
{
	g_autofree char *literal = sip_literal(name);
	if (literal != NULL) {
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), literal) == 1;
	}
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

/* A context a connection: calls out are few, and no row's trust can then leak into another's. */
SSL *sip_tls_connect(struct sip_tls *t, int fd, const char *name, const struct sip_trust *trust, char **ret_why)
{
	ERR_clear_error();
	SSL_CTX *ctx = base_context(TLS_client_method());
	SSL *ssl = NULL;
	if (ctx == NULL || !believe(ctx, t, trust, ret_why)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	/* shown when it is asked for: some trunks know their peers by certificate */
	(void)SSL_CTX_use_certificate(ctx, SSL_CTX_get0_certificate(t->ours));
	(void)SSL_CTX_use_PrivateKey(ctx, SSL_CTX_get0_privatekey(t->ours));
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verify);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);	/* the connection holds it */
	if (ssl == NULL || !expect_name(ssl, name) || SSL_set_fd(ssl, fd) != 1) {
		*ret_why = g_strdup("no memory for TLS, or a name that no certificate can have");
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

/* ---- words ---- */
char *sip_tls_why(SSL *ssl)
{
	long verify = SSL_get_verify_result(ssl);
	const char *shown = SSL_get_ex_data(ssl, shown_index());
	g_autofree char *reason = openssl_text();
	if (verify == X509_V_OK) {
		return g_strdup_printf("the TLS handshake failed: %s", reason);
	}
	const char *what = verify == X509_V_ERR_CERT_REJECTED ? "it is not the one of fingerprint=" : X509_verify_cert_error_string(verify);
	return g_strdup_printf("its certificate is not accepted: %s%s%s", what, shown != NULL ? "; it showed SHA-256 " : "",
			       shown != NULL ? shown : "");
}
