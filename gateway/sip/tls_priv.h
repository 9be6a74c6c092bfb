/* TLS of SIP: our certificate, read again when its file changes, and whom we believe when we call out. Loop thread. OpenSSL. */
#pragma once
#include <gio/gio.h>
#include <openssl/ssl.h>
#include <stdbool.h>

/* How a peer that we call proves itself. There is no "not at all". */
struct sip_trust {
	const char *ca;			/* PEM file; NULL = of the stack, else the system's */
	const char *fingerprint;	/* SHA-256 of its certificate in hex, colons or none: this one and no other; name and chain
					 * do not count then */
	const char *name;		/* what its certificate must say; NULL = the host that is dialled */
};
struct sip_tls;
struct sip_tls *sip_tls_new(const char *certificate, const char *key, const char *ca, GError **err);
void sip_tls_free(struct sip_tls *t);
bool sip_tls_look(struct sip_tls *t);	/* the files changed and are good: new handshakes use them. true = so it is */
SSL *sip_tls_accept(struct sip_tls *t, int fd);	/* (transfer full); NULL = no memory */
/* name: of the URI, literal or not; NULL + *ret_why when the row cannot be used */
SSL *sip_tls_connect(struct sip_tls *t, int fd, const char *name, const struct sip_trust *trust, char **ret_why);
char *sip_tls_why(SSL *ssl);		/* of a handshake that failed, for the operator; (transfer full) */
bool sip_fingerprint_is_good(const char *text);
