/* A renewed certificate without a restart: both files are looked at every few seconds, and again when asked (SIGHUP).
 * Sockets that are open keep the old one; handshakes from then on get the new one. */
#include <openssl/ssl.h>
#include <sys/stat.h>

#include "gateway/web/web_priv.h"
#include "mcu/base/clock.h"
#include "mcu/base/log.h"

enum { LOOK_US = 5 * ORT_US_PER_S };

struct cert {
	SSL_CTX *ctx;		/* of the main host, a reference of ours */
	char *stamp;		/* of the files that are in use, or that were refused */
	int64_t looked_us;
};

/* Links are followed: what is renewed is often what they lead to. */
static char *stamp_of(const gw_web *web)
{
	const char *const paths[] = { web->cert_path, web->key_path };
	GString *out = g_string_new(NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		struct stat st = { 0 };
		(void)stat(paths[i], &st);	/* gone for a moment: another stamp, and refused below */
		g_string_append_printf(out, "%ju.%ju.%jd.%ld ", (uintmax_t)st.st_ino, (uintmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec,
				       st.st_mtim.tv_nsec);
	}
	return g_string_free(out, FALSE);
}

static const char *load(SSL_CTX *ctx, const char *cert_path, const char *key_path)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, cert_path) != 1) {
		return "the certificate cannot be read";
	}
	if (SSL_CTX_use_PrivateKey_file(ctx, key_path, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1) {
		return "the key cannot be read or does not belong to the certificate";
	}
	return NULL;
}

const char *gw_web_cert_fault(const char *cert_path, const char *key_path)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	const char *why = load(ctx, cert_path, key_path);
	SSL_CTX_free(ctx);
	return why;
}

void gw_web_cert_hold(gw_web *web, void *ssl_ctx)
{
	if (web->cert == NULL) {
		web->cert = g_new0(struct cert, 1);
		web->cert->ctx = ssl_ctx;
		SSL_CTX_up_ref(ssl_ctx);
		web->cert->stamp = stamp_of(web);
	}
}

void gw_web_cert_free(gw_web *web)
{
	if (web->cert != NULL) {
		SSL_CTX_free(web->cert->ctx);
		g_free(web->cert->stamp);
		g_clear_pointer(&web->cert, g_free);
	}
}

/* A half-written pair must not replace a good one: it is tried on a context of its own first. */
bool gw_web_reload(gw_web *web)
{
	if (web->cert == NULL) {
		return false;
	}
	g_free(web->cert->stamp);
	web->cert->stamp = stamp_of(web);
	const char *why = gw_web_cert_fault(web->cert_path, web->key_path);
	if (why == NULL) {
		why = load(web->cert->ctx, web->cert_path, web->key_path);
	}
	if (why == NULL) {
		count(web, N_cert_renewed);
	} else {
		count(web, N_cert_refused);
	}
	ort_log(why == NULL ? ORT_LOG_NOTICE : ORT_LOG_WARNING, "web", "cert.renew",
		why == NULL ? "new certificate in use" : "the new certificate is not used: the old one stays", ORT_S("why", why));
	return why == NULL;
}

void gw_web_cert_tick(gw_web *web, int64_t now_us)
{
	if (web->cert == NULL || now_us - web->cert->looked_us < LOOK_US) {
		return;
	}
	web->cert->looked_us = now_us;
	g_autofree char *stamp = stamp_of(web);
	if (!g_str_equal(stamp, web->cert->stamp)) {
		(void)gw_web_reload(web);
	}
}
