/* A certificate that signed itself. */
#include "tests/unit/gateway/sip/tls_pair.h"

#include <glib/gstdio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void add_san(X509 *x, const char *name)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, name);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

void pair_make(struct pair *p, const char *cn, const char *san)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	p->folder = g_dir_make_tmp("ortoo-tls-XXXXXX", NULL);
	p->certificate = g_build_filename(p->folder, "c.pem", NULL);
	p->key = g_build_filename(p->folder, "k.pem", NULL);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	add_san(x, san);
	g_assert_cmpint(X509_sign(x, key, EVP_sha256()), >, 0);
	FILE *f = fopen(p->certificate, "w");
	PEM_write_X509(f, x);
	(void)fclose(f);
	f = fopen(p->key, "w");
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	(void)fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

void pair_clear(struct pair *p)
{
	(void)g_unlink(p->certificate);
	(void)g_unlink(p->key);
	(void)g_rmdir(p->folder);
	g_free(p->certificate);
	g_free(p->key);
	g_free(p->folder);
}
