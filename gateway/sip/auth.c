/* The side that asks: nonces, replay, lock-out. A nonce says itself when it was made and for whom; only nonces that were used
 * with the right password are remembered, so strangers cannot make us remember anything but failures (bounded). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/sip/digest_priv.h"
#include "mcu/base/clock.h"

enum { NONCE_S = 60, FAILURES = 5, SOURCE_FAILURES = 20, WINDOW_S = 60, LOCK_S = 30, MAX_ROWS = 8192, MAX_SHIFT = 10 };

struct used { unsigned nc; int64_t until_us; };
struct lock { unsigned failures, locks; int64_t first_us, until_us; };
struct sip_auth {
	char *realm;
	guint8 secret[32];
	GHashTable *used, *locks;
};

struct sip_auth *sip_auth_new(const char *realm)
{
	struct sip_auth *a = g_new0(struct sip_auth, 1);
	a->realm = g_strdup(realm);
	if (getentropy(a->secret, sizeof(a->secret)) != 0) {
		g_error("no entropy");	/* a guessable nonce secret is worse than no start */
	}
	a->used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	a->locks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return a;
}

void sip_auth_free(struct sip_auth *a)
{
	if (a != NULL) {
		g_hash_table_unref(a->used);
		g_hash_table_unref(a->locks);
		g_free(a->realm);
		g_free(a);
	}
}

/* ---- nonces: 8 hex seconds, 4 hex random, 16 hex of the HMAC. Short: an answer to a stranger is no longer than what he sent
 * (security.md class 13), and 64 bits that live for a minute are enough. ---- */
enum { STEM_LEN = 12, NONCE_LEN = 28 };

static char *nonce_for(const struct sip_auth *a, const char *stem, const char *source)
{
	g_autofree char *text = g_strconcat(stem, source, NULL);
	g_autofree char *mac = g_compute_hmac_for_string(G_CHECKSUM_SHA256, a->secret, sizeof(a->secret), text, -1);
	return g_strdup_printf("%s%.16s", stem, mac);
}

char *sip_auth_challenge(struct sip_auth *a, enum sip_algorithm algorithm, const char *source, bool stale, int64_t now_us)
{
	char stem[STEM_LEN + 1];
	(void)g_snprintf(stem, sizeof(stem), "%08x%04x", (unsigned)(now_us / ORT_US_PER_S), g_random_int() & 0xffff);
	g_autofree char *nonce = nonce_for(a, stem, source);
	return g_strdup_printf("Digest realm=\"%s\",nonce=\"%s\",qop=\"auth\",algorithm=%s%s", a->realm, nonce,
			       algorithm == SIP_MD5 ? "MD5" : "SHA-256", stale ? ",stale=true" : "");
}

static bool nonce_is_ours(const struct sip_auth *a, const char *nonce, const char *source, int64_t now_us, bool *ret_old)
{
	if (strlen(nonce) != NONCE_LEN) {
		return false;
	}
	g_autofree char *stem = g_strndup(nonce, STEM_LEN), *want = nonce_for(a, stem, source), *seconds = g_strndup(nonce, 8);
	unsigned bad = 0;
	for (unsigned n = 0; n < NONCE_LEN; n++) {
		bad |= (unsigned)(want[n] ^ nonce[n]);
	}
	int64_t made = (int64_t)strtoul(seconds, NULL, 16);
	*ret_old = now_us / ORT_US_PER_S > made + NONCE_S;
	return bad == 0;
}

static gboolean used_is_old(gpointer key, gpointer value, gpointer now)
{
	return ((const struct used *)value)->until_us < *(const int64_t *)now;
}

static bool nc_grows(struct sip_auth *a, const char *nonce, unsigned nc, int64_t now_us)
{
	struct used *u = g_hash_table_lookup(a->used, nonce);
	if (u == NULL) {
		g_hash_table_foreach_remove(a->used, used_is_old, &now_us);
		u = g_new0(struct used, 1);
		u->until_us = now_us + (NONCE_S + 1) * ORT_US_PER_S;
		g_hash_table_insert(a->used, g_strdup(nonce), u);
	}
	bool grows = nc > u->nc;
	u->nc = MAX(u->nc, nc);
	return grows;
}

/* ---- lock-out ---- */
static char *key_of(const char *source, const char *user)
{
	return user != NULL ? g_strdup_printf("%s\n%.64s", source, user) : g_strdup(source);
}

static struct lock *lock_of(struct sip_auth *a, const char *source, const char *user, int64_t now_us)
{
	g_autofree char *key = key_of(source, user);
	struct lock *l = g_hash_table_lookup(a->locks, key);
	if (l != NULL && now_us >= l->until_us && now_us - l->first_us > 15 * 60 * ORT_US_PER_S) {
		*l = (struct lock){ 0 };	/* long quiet: the doubling starts anew */
	}
	return l;
}

bool sip_auth_locked(struct sip_auth *a, const char *source, const char *user, int64_t now_us)
{
	const struct lock *mine = lock_of(a, source, user, now_us), *all = lock_of(a, source, NULL, now_us);
	return (mine != NULL && now_us < mine->until_us) || (all != NULL && now_us < all->until_us);
}

static gboolean lock_is_off(gpointer key, gpointer value, gpointer now)
{
	const struct lock *l = value;
	return *(const int64_t *)now >= l->until_us && *(const int64_t *)now - l->first_us > WINDOW_S * ORT_US_PER_S;
}

static void fail(struct sip_auth *a, const char *source, const char *user, unsigned limit, int64_t now_us)
{
	struct lock *l = lock_of(a, source, user, now_us);
	if (l == NULL) {
		if (g_hash_table_size(a->locks) >= MAX_ROWS) {
			g_hash_table_foreach_remove(a->locks, lock_is_off, &now_us);
		}
		if (g_hash_table_size(a->locks) >= MAX_ROWS) {
			return;	/* the source's rate bucket still holds */
		}
		l = g_new0(struct lock, 1);
		g_hash_table_insert(a->locks, key_of(source, user), l);
	}
	if (l->failures == 0 || now_us - l->first_us > WINDOW_S * ORT_US_PER_S) {
		l->failures = 0;
		l->first_us = now_us;
	}
	if (++l->failures >= limit) {
		l->until_us = now_us + ((int64_t)LOCK_S << MIN(l->locks, MAX_SHIFT)) * ORT_US_PER_S;
		l->locks++;
		l->failures = 0;
	}
}

/* Somebody changed the account: what was wrong before says nothing of what comes now. */
void sip_auth_forgive(struct sip_auth *a, const char *user)
{
	g_autofree char *tail = g_strdup_printf("\n%.64s", user);
	g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func(g_free);
	GHashTableIter it;
	const char *key;
	g_hash_table_iter_init(&it, a->locks);
	while (g_hash_table_iter_next(&it, (gpointer *)&key, NULL)) {
		if (g_str_has_suffix(key, tail)) {
			g_ptr_array_add(sources, g_strndup(key, strlen(key) - strlen(tail)));
			g_hash_table_iter_remove(&it);
		}
	}
	for (unsigned n = 0; n < sources->len; n++) {
		(void)g_hash_table_remove(a->locks, sources->pdata[n]);
	}
}

/* ---- the check ---- */
static bool same(const char *a, const char *b)	/* in a time that says nothing of where they differ */
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned bad = la != lb;
	for (size_t n = 0; n < la && n < lb; n++) {
		bad |= (unsigned)(g_ascii_tolower(a[n]) ^ g_ascii_tolower(b[n]));
	}
	return bad == 0;
}

static bool response_is_right(const struct sip_auth *a, const struct sip_auth_try *t)
{
	static const char nobody[] = "0000000000000000000000000000000000000000000000000000000000000000";
	const struct sip_digest *d = t->digest;
	enum sip_algorithm algorithm = d->algorithm == NULL || g_ascii_strcasecmp(d->algorithm, "MD5") == 0 ? SIP_MD5 : SIP_SHA256;
	bool odd = d->algorithm != NULL && algorithm == SIP_SHA256 && g_ascii_strcasecmp(d->algorithm, "SHA-256") != 0;
	const char *ha1 = t->ha1[algorithm];
	g_autofree char *want = sip_digest_response(algorithm, ha1 != NULL ? ha1 : nobody, d->nonce, d->nc, d->cnonce, "auth",
						    t->method, d->uri);
	bool right = same(want, d->response);
	return right && ha1 != NULL && !odd && strcmp(d->realm, a->realm) == 0;
}

enum sip_verdict sip_auth_check(struct sip_auth *a, const struct sip_auth_try *t, int64_t now_us)
{
	const struct sip_digest *d = t->digest;
	bool old = false;
	if (d->username == NULL || d->nonce == NULL || d->response == NULL || d->realm == NULL || d->uri == NULL) {
		return SIP_AUTH_NONE;
	}
	if (sip_auth_locked(a, t->source, d->username, now_us)) {
		return SIP_AUTH_LOCKED;
	}
	/* without qop there is no count of uses and every recorded answer would do again */
	if (d->qop == NULL || strcmp(d->qop, "auth") != 0 || d->nc == NULL || d->cnonce == NULL) {
		return SIP_AUTH_NONE;
	}
	if (!nonce_is_ours(a, d->nonce, t->source, now_us, &old)) {
		return SIP_AUTH_STALE;	/* of our former life, or of another address: asked again, costs nothing */
	}
	if (!response_is_right(a, t)) {
		fail(a, t->source, d->username, FAILURES, now_us);
		fail(a, t->source, NULL, SOURCE_FAILURES, now_us);
		return SIP_AUTH_BAD;
	}
	if (old || !nc_grows(a, d->nonce, (unsigned)strtoul(d->nc, NULL, 16), now_us)) {
		return SIP_AUTH_STALE;
	}
	return SIP_AUTH_GOOD;
}
