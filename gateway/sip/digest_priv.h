/* Digest access authentication, RFC 7616 as RFC 8760 uses it in SIP: the arithmetic and both ends' memory. Pure: no SIP
 * library, time is an argument. sofia's own auth modules know MD5 only. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum sip_algorithm { SIP_SHA256, SIP_MD5 };

/* Members of a Digest challenge or credentials; owned, NULL = not said. */
struct sip_digest {
	char *username, *realm, *nonce, *uri, *response, *algorithm, *cnonce, *opaque, *qop, *nc;
	bool stale;
};
/* `params`: "key=value" or "key=\"value\"", NULL-terminated. false: a member twice, or none at all. */
bool sip_digest_parse(const char *const *params, struct sip_digest *ret);
void sip_digest_clear(struct sip_digest *d);

char *sip_digest_ha1(enum sip_algorithm algorithm, const char *user, const char *realm, const char *password);
/* qop NULL = RFC 2069 form */
char *sip_digest_response(enum sip_algorithm algorithm, const char *ha1, const char *nonce, const char *nc, const char *cnonce,
			  const char *qop, const char *method, const char *uri);

/* ---- who asks: a registrar's side ---- */
enum sip_verdict { SIP_AUTH_GOOD, SIP_AUTH_NONE, SIP_AUTH_STALE, SIP_AUTH_BAD, SIP_AUTH_LOCKED };
struct sip_auth;
struct sip_auth *sip_auth_new(const char *realm);
void sip_auth_free(struct sip_auth *a);	/* NULL allowed */
/* Value of a WWW-Authenticate header, (transfer full). The nonce lives 60 s and is good for this source only. */
char *sip_auth_challenge(struct sip_auth *a, enum sip_algorithm algorithm, const char *source, bool stale, int64_t now_us);
struct sip_auth_try {
	const struct sip_digest *digest;
	const char *method, *source;
	const char *ha1[2];	/* by algorithm; NULL: no such user, or it may not use it. The work done is the same */
};
/* Five failures of a (source, name) within 60 s lock it for 30 s, doubling; twenty of a source over all names as well. */
enum sip_verdict sip_auth_check(struct sip_auth *a, const struct sip_auth_try *t, int64_t now_us);
void sip_auth_forgive(struct sip_auth *a, const char *user);	/* failures of this name, and of the sources that had them */
bool sip_auth_locked(struct sip_auth *a, const char *source, const char *user, int64_t now_us);

/* ---- who answers: a trunk's side ---- */
struct sip_answer {	/* the challenge that was accepted; its realm stays pinned */
	char *realm, *nonce, *opaque;
	enum sip_algorithm algorithm;
	bool qop, proxy;
	unsigned nc;
};
/* 0, -EACCES: another realm than the pinned one, -ENOTSUP: an algorithm that we lack, -EAGAIN: the same nonce again and not
 * stale: the password is wrong. */
int sip_answer_take(struct sip_answer *s, const struct sip_digest *challenge, bool proxy);
char *sip_answer_print(struct sip_answer *s, const char *user, const char *password, const char *method, const char *uri);
void sip_answer_clear(struct sip_answer *s);
