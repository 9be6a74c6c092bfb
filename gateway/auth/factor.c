/* The second factor of an account: enrolment in two steps, recovery codes, removal; and its check at log-in. */
#include "gateway/auth/auth_priv.h"

#include <string.h>

enum { RECOVERY_CODES = 8, RECOVERY_BYTES = 10 };

static struct account *find(const gw_auth *auth, const char *name)
{
	struct account *a = name != NULL ? g_hash_table_lookup(auth->accounts, name) : NULL;
	return a != NULL && !a->disabled ? a : NULL;
}

static void save(gw_auth *auth, const struct account *a)
{
	gw_auth_save(auth, "account", a->name, &gw_auth_account_table, a);
}

bool gw_auth_has_factor(const gw_auth *auth, const char *name)
{
	const struct account *a = find(auth, name);
	return a != NULL && a->totp != NULL && a->totp[0] != '\0';
}

/* As people type it: with blanks, hyphens, small letters. */
static char *recovery_hash(const char *code)
{
	g_autofree char *plain = g_ascii_strup(code, -1);
	char *to = plain;
	for (const char *from = plain; *from != '\0'; from++) {
		if (*from != '-' && *from != ' ') {
			*to++ = *from;
		}
	}
	*to = '\0';
	return gw_auth_token_hash(plain);
}

static bool use_recovery(gw_auth *auth, struct account *a, const char *code)
{
	g_autofree char *hash = recovery_hash(code);
	g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func(g_free);
	bool hit = false;
	for (unsigned n = 0; a->recovery != NULL && a->recovery[n] != NULL; n++) {
		bool same = g_str_equal(a->recovery[n], hash);
		hit = hit || same;
		if (!same) {
			g_ptr_array_add(left, g_strdup(a->recovery[n]));
		}
	}
	if (hit) {
		g_ptr_array_add(left, NULL);
		g_strfreev(a->recovery);
		a->recovery = (char **)g_ptr_array_steal(left, NULL);
		save(auth, a);
	}
	return hit;
}

enum gw_auth_error gw_auth_factor_check(gw_auth *auth, struct account *a, const char *code, int64_t wall_ms)
{
	if (a->totp == NULL || a->totp[0] == '\0') {
		return GW_AUTH_OK;
	}
	if (code == NULL || code[0] == '\0') {
		return GW_AUTH_SECOND;
	}
	int64_t step = gw_totp_match(a->totp, code, wall_ms, a->totp_step);
	if (step != 0) {
		a->totp_step = step;	/* a code that was used once is dead, RFC 6238 section 5.2 */
		save(auth, a);
		return GW_AUTH_OK;
	}
	return use_recovery(auth, a, code) ? GW_AUTH_OK : GW_AUTH_CREDENTIALS;
}

/* One guess at a code, on the clock of failures. */
static enum gw_auth_error guess(gw_auth *auth, struct account *a, const char *secret, const char *code, const char *remote, int64_t now_us,
				int64_t wall_ms, int64_t *ret_step)
{
	if (gw_auth_lock_wait_s(auth, remote, a->name, now_us) != 0) {
		count(auth, N_locked);
		return GW_AUTH_LOCKED;
	}
	gw_auth_lock_begin(auth, remote, a->name, now_us);
	*ret_step = gw_totp_match(secret, code, wall_ms, a->totp_step);
	gw_auth_lock_end(auth, remote, a->name, *ret_step != 0, now_us);
	return *ret_step != 0 ? GW_AUTH_OK : GW_AUTH_CREDENTIALS;
}

char *gw_auth_factor_begin(gw_auth *auth, const char *name)
{
	struct account *a = find(auth, name);
	if (a == NULL || gw_auth_has_factor(auth, name)) {
		return NULL;
	}
	g_free(a->totp_new);
	a->totp_new = gw_totp_secret_new();
	return g_strdup(a->totp_new);
}

static char **make_recovery(struct account *a)
{
	char **shown = g_new0(char *, RECOVERY_CODES + 1);
	g_strfreev(a->recovery);
	a->recovery = g_new0(char *, RECOVERY_CODES + 1);
	for (int n = 0; n < RECOVERY_CODES; n++) {
		uint8_t bytes[RECOVERY_BYTES];
		gw_auth_random(bytes, sizeof(bytes));
		g_autofree char *code = gw_totp_base32(bytes, sizeof(bytes));	/* 16 letters, 80 bits: a plain hash is enough */
		a->recovery[n] = recovery_hash(code);
		shown[n] = g_strdup_printf("%.4s-%.4s-%.4s-%.4s", code, code + 4, code + 8, code + 12);
	}
	return shown;
}

enum gw_auth_error gw_auth_factor_confirm(gw_auth *auth, const char *name, const char *code, const char *remote, int64_t now_us,
					  int64_t wall_ms, char ***ret_recovery)
{
	struct account *a = find(auth, name);
	int64_t step = 0;
	if (a == NULL || a->totp_new == NULL) {
		return GW_AUTH_UNKNOWN;
	}
	enum gw_auth_error err = guess(auth, a, a->totp_new, code, remote, now_us, wall_ms, &step);
	if (err != GW_AUTH_OK) {
		return err;
	}
	g_free(a->totp);
	a->totp = g_steal_pointer(&a->totp_new);
	a->totp_step = step;
	*ret_recovery = make_recovery(a);
	save(auth, a);
	return GW_AUTH_OK;
}

static void drop(gw_auth *auth, struct account *a)
{
	g_clear_pointer(&a->totp, g_free);
	g_clear_pointer(&a->totp_new, g_free);
	g_clear_pointer(&a->recovery, g_strfreev);
	a->totp_step = 0;
	save(auth, a);
}

enum gw_auth_error gw_auth_factor_remove(gw_auth *auth, const char *name, const char *code, const char *remote, int64_t now_us, int64_t wall_ms)
{
	struct account *a = find(auth, name);
	int64_t step = 0;
	if (a == NULL || !gw_auth_has_factor(auth, name)) {
		return GW_AUTH_UNKNOWN;
	}
	enum gw_auth_error err = guess(auth, a, a->totp, code, remote, now_us, wall_ms, &step);
	if (err == GW_AUTH_OK) {
		drop(auth, a);
	}
	return err;
}

enum gw_auth_error gw_auth_factor_reset(gw_auth *auth, const char *name)
{
	struct account *a = name != NULL ? g_hash_table_lookup(auth->accounts, name) : NULL;
	if (a == NULL || a->totp == NULL) {
		return GW_AUTH_UNKNOWN;
	}
	drop(auth, a);
	return GW_AUTH_OK;
}
