/* RFC 7616 arithmetic and the client's side. */
#include "gateway/sip/digest_priv.h"

#include <errno.h>
#include <string.h>

static GChecksumType type_of(enum sip_algorithm a)
{
	return a == SIP_MD5 ? G_CHECKSUM_MD5 : G_CHECKSUM_SHA256;
}

static const struct { const char *name; size_t at; } members[] = {
#define M(x) { #x, G_STRUCT_OFFSET(struct sip_digest, x) }
	M(username), M(realm), M(nonce), M(uri), M(response), M(algorithm), M(cnonce), M(opaque), M(qop), M(nc),
#undef M
};

static char **member(struct sip_digest *d, const char *name, size_t len)
{
	for (unsigned n = 0; n < G_N_ELEMENTS(members); n++) {
		if (strlen(members[n].name) == len && g_ascii_strncasecmp(members[n].name, name, len) == 0) {
			return (char **)(void *)((char *)d + members[n].at);
		}
	}
	return NULL;
}

static char *unquote(const char *v)
{
	GString *s = g_string_new(NULL);
	if (*v != '"') {
		g_string_append(s, v);
		return g_string_free(s, FALSE);
	}
	for (v++; *v != '\0' && *v != '"'; v++) {
		if (*v == '\\' && v[1] != '\0') {
			v++;
		}
		g_string_append_c(s, *v);
	}
	return g_string_free(s, FALSE);
}

bool sip_digest_parse(const char *const *params, struct sip_digest *ret)
{
	bool any = false;
	memset(ret, 0, sizeof(*ret));
	for (; params != NULL && *params != NULL; params++) {
		const char *eq = strchr(*params, '=');
		size_t len = eq != NULL ? (size_t)(eq - *params) : 0;
		char **slot = member(ret, *params, len);
		if (slot != NULL && *slot != NULL) {
			sip_digest_clear(ret);
			return false;
		}
		if (slot != NULL) {
			*slot = unquote(eq + 1);
			any = true;
		} else if (len == 5 && g_ascii_strncasecmp(*params, "stale", 5) == 0) {
			g_autofree char *v = unquote(eq + 1);
			ret->stale = g_ascii_strcasecmp(v, "true") == 0;
		}
	}
	return any;
}

void sip_digest_clear(struct sip_digest *d)
{
	for (unsigned n = 0; n < G_N_ELEMENTS(members); n++) {
		g_clear_pointer((char **)(void *)((char *)d + members[n].at), g_free);
	}
}

char *sip_digest_ha1(enum sip_algorithm algorithm, const char *user, const char *realm, const char *password)
{
	g_autofree char *text = g_strdup_printf("%s:%s:%s", user, realm, password);
	return g_compute_checksum_for_string(type_of(algorithm), text, -1);
}

char *sip_digest_response(enum sip_algorithm algorithm, const char *ha1, const char *nonce, const char *nc, const char *cnonce,
			  const char *qop, const char *method, const char *uri)
{
	g_autofree char *a2 = g_strdup_printf("%s:%s", method, uri);
	g_autofree char *ha2 = g_compute_checksum_for_string(type_of(algorithm), a2, -1);
	g_autofree char *text = qop != NULL ? g_strdup_printf("%s:%s:%s:%s:%s:%s", ha1, nonce, nc, cnonce, qop, ha2)
					    : g_strdup_printf("%s:%s:%s", ha1, nonce, ha2);
	return g_compute_checksum_for_string(type_of(algorithm), text, -1);
}

/* ---- the client's side ---- */
static int algorithm_of(const char *name)
{
	if (name == NULL || g_ascii_strcasecmp(name, "MD5") == 0) {
		return SIP_MD5;
	}
	return g_ascii_strcasecmp(name, "SHA-256") == 0 ? (int)SIP_SHA256 : -1;
}

static bool has_auth(const char *qop)	/* "auth,auth-int" */
{
	g_auto(GStrv) words = g_strsplit_set(qop != NULL ? qop : "", ", ", -1);
	return g_strv_contains((const char *const *)words, "auth");
}

int sip_answer_take(struct sip_answer *s, const struct sip_digest *c, bool proxy)
{
	int algorithm = algorithm_of(c->algorithm);
	if (c->realm == NULL || c->nonce == NULL || algorithm < 0 || (c->qop != NULL && !has_auth(c->qop))) {
		return -ENOTSUP;
	}
	if (s->realm != NULL && strcmp(s->realm, c->realm) != 0) {
		return -EACCES;
	}
	if (g_strcmp0(s->nonce, c->nonce) == 0 && s->proxy == proxy && !c->stale) {
		return -EAGAIN;
	}
	if (s->realm == NULL) {
		s->realm = g_strdup(c->realm);
	}
	g_free(s->nonce);
	g_free(s->opaque);
	s->nonce = g_strdup(c->nonce);
	s->opaque = g_strdup(c->opaque);
	s->algorithm = (enum sip_algorithm)algorithm;
	s->qop = c->qop != NULL;
	s->proxy = proxy;
	s->nc = 0;
	return 0;
}

static char *quoted(const char *text)
{
	GString *s = g_string_new("\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\') {
			g_string_append_c(s, '\\');
		}
		if ((unsigned char)*text >= 0x20 && *text != 0x7f) {
			g_string_append_c(s, *text);
		}
	}
	return g_string_free(g_string_append_c(s, '"'), FALSE);
}

char *sip_answer_print(struct sip_answer *s, const char *user, const char *password, const char *method, const char *uri)
{
	if (s->nonce == NULL || user == NULL) {
		return NULL;
	}
	char nc[9], cnonce[17];
	(void)g_snprintf(nc, sizeof(nc), "%08x", ++s->nc);
	(void)g_snprintf(cnonce, sizeof(cnonce), "%08x%08x", g_random_int(), g_random_int());
	g_autofree char *ha1 = sip_digest_ha1(s->algorithm, user, s->realm, password != NULL ? password : "");
	g_autofree char *response = sip_digest_response(s->algorithm, ha1, s->nonce, nc, cnonce, s->qop ? "auth" : NULL, method, uri);
	g_autofree char *q_user = quoted(user), *q_realm = quoted(s->realm), *q_nonce = quoted(s->nonce), *q_uri = quoted(uri);
	GString *t = g_string_new(NULL);
	g_string_printf(t, "Digest username=%s, realm=%s, nonce=%s, uri=%s, response=\"%s\", algorithm=%s", q_user, q_realm, q_nonce,
			q_uri, response, s->algorithm == SIP_MD5 ? "MD5" : "SHA-256");
	if (s->opaque != NULL) {
		g_autofree char *q = quoted(s->opaque);
		g_string_append_printf(t, ", opaque=%s", q);
	}
	if (s->qop) {
		g_string_append_printf(t, ", qop=auth, nc=%s, cnonce=\"%s\"", nc, cnonce);
	}
	return g_string_free(t, FALSE);
}

void sip_answer_clear(struct sip_answer *s)
{
	g_free(s->realm);
	g_free(s->nonce);
	g_free(s->opaque);
	memset(s, 0, sizeof(*s));
}
