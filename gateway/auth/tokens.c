/* Device tokens (opened on a wall or room page, gives a long session) and script tokens (used as they are). */
#include "gateway/auth/auth_priv.h"

#include <string.h>

static const int64_t used_step_ms = 3600000; /* "last used" is written at most once an hour */

/* ---- devices ---- */

char *gw_auth_device_issue(gw_auth *auth, const char *kind, const char *name, int64_t wall_ms, char **ret_id)
{
	static const char *const device_kinds[] = {"wall", "room", NULL};
	if (!kind || !g_strv_contains(device_kinds, kind) || gw_auth_name_fault(name)) {
		return NULL;
	}
	char *token = gw_auth_token_new();
	struct device *d = g_new0(struct device, 1);
	d->id = gw_auth_id_new(kind[0] == 'w' ? "w-" : "m-");
	d->kind = g_strdup(kind);
	d->name = g_strdup(name);
	d->hash = gw_auth_token_hash(token);
	d->issued_ms = wall_ms;
	g_hash_table_insert(auth->devices, d->id, d);
	g_hash_table_insert(auth->devices_by_hash, d->hash, d);
	gw_auth_save(auth, "device", d->id, &gw_auth_device_table, d);
	if (ret_id) {
		*ret_id = g_strdup(d->id);
	}
	return token;
}

static enum gw_auth_error device_fault(const struct device *d)
{
	return !d ? GW_AUTH_UNKNOWN : d->revoked ? GW_AUTH_REVOKED : GW_AUTH_OK;
}

enum gw_auth_error gw_auth_device_open(gw_auth *auth, const char *token, const char *remote, int64_t now_us,
				       int64_t wall_ms, struct gw_auth_grant *ret)
{
	g_autofree char *hash = gw_auth_token_hash(token), *subject = NULL;
	struct device *d = g_hash_table_lookup(auth->devices_by_hash, hash);
	enum gw_auth_error err = device_fault(d);
	if (err != GW_AUTH_OK) {
		count(auth, N_tokens_refused);
		return err;
	}
	subject = g_strconcat("device:", d->id, NULL);
	const struct auth_session like = {
		.subject = subject, .name = d->name, .role = d->kind, .created_ms = wall_ms,
		.expires_ms = wall_ms + auth->limits.device_ms, .remote = (char *)(uintptr_t)remote};
	char *fresh = NULL;
	struct auth_session *s = gw_auth_session_begin(auth, &like, now_us, wall_ms, &fresh);
	d->used_ms = wall_ms;
	gw_auth_save(auth, "device", d->id, &gw_auth_device_table, d);
	*ret = (struct gw_auth_grant){gw_auth_session_identity(auth, s), gw_auth_lend(auth, fresh)};
	return GW_AUTH_OK;
}

bool gw_auth_device_revoke(gw_auth *auth, const char *id)
{
	struct device *d = g_hash_table_lookup(auth->devices, id);
	if (!d || d->revoked) {
		return false;
	}
	g_autofree char *subject = g_strconcat("device:", d->id, NULL);
	d->revoked = true;
	gw_auth_save(auth, "device", d->id, &gw_auth_device_table, d);
	(void)gw_auth_revoke_subject(auth, subject);
	return true;
}

void gw_auth_device_foreach(const gw_auth *auth, void (*fn)(const struct gw_auth_device *d, void *user_data),
			    void *user_data)
{
	g_autoptr(GList) ids = g_list_sort(g_hash_table_get_keys(auth->devices), (GCompareFunc)strcmp);
	for (GList *i = ids; i; i = i->next) {
		const struct device *d = g_hash_table_lookup(auth->devices, i->data);
		struct gw_auth_device out = {d->id, d->kind, d->name, d->issued_ms, d->used_ms, d->revoked};
		fn(&out, user_data);
	}
}

/* ---- scripts ---- */

char *gw_auth_token_issue(gw_auth *auth, const char *name, const char *role, int64_t wall_ms, int64_t *io_expires_ms,
			  char **ret_id)
{
	if (gw_auth_name_fault(name) || !gw_auth_is_account_role(role) ||
	    (*io_expires_ms && *io_expires_ms <= wall_ms)) {
		return NULL;
	}
	char *token = gw_auth_token_new();
	struct script *t = g_new0(struct script, 1);
	t->id = gw_auth_id_new("t-");
	t->name = g_strdup(name);
	t->role = g_strdup(role);
	t->hash = gw_auth_token_hash(token);
	t->issued_ms = wall_ms;
	t->expires_ms = *io_expires_ms ? *io_expires_ms : wall_ms + auth->limits.token_ms;
	*io_expires_ms = t->expires_ms;
	g_hash_table_insert(auth->scripts, t->id, t);
	g_hash_table_insert(auth->scripts_by_hash, t->hash, t);
	gw_auth_save(auth, "token", t->id, &gw_auth_script_table, t);
	if (ret_id) {
		*ret_id = g_strdup(t->id);
	}
	return token;
}

enum gw_auth_error gw_auth_script_check(gw_auth *auth, const char *hash, int64_t wall_ms, struct gw_auth_identity *ret)
{
	struct script *t = g_hash_table_lookup(auth->scripts_by_hash, hash);
	if (!t) {
		return GW_AUTH_UNKNOWN;
	}
	if (wall_ms >= t->expires_ms) {
		return GW_AUTH_EXPIRED;
	}
	if (wall_ms - t->used_ms >= used_step_ms) {
		t->used_ms = wall_ms;
		gw_auth_save(auth, "token", t->id, &gw_auth_script_table, t);
	}
	g_free(auth->lent_subject);
	auth->lent_subject = g_strconcat("token:", t->id, NULL);
	*ret = (struct gw_auth_identity){t->id, auth->lent_subject, t->name, t->role, NULL, NULL, t->expires_ms};
	return GW_AUTH_OK;
}

bool gw_auth_token_revoke(gw_auth *auth, const char *id)
{
	struct script *t = g_hash_table_lookup(auth->scripts, id);
	if (!t) {
		return false;
	}
	gw_auth_forget(auth, "token", id);
	g_hash_table_remove(auth->scripts_by_hash, t->hash);
	g_hash_table_remove(auth->scripts, id);
	return true;
}

void gw_auth_token_foreach(const gw_auth *auth, void (*fn)(const struct gw_auth_token *t, void *user_data),
			   void *user_data)
{
	g_autoptr(GList) ids = g_list_sort(g_hash_table_get_keys(auth->scripts), (GCompareFunc)strcmp);
	for (GList *i = ids; i; i = i->next) {
		const struct script *t = g_hash_table_lookup(auth->scripts, i->data);
		struct gw_auth_token out = {t->id, t->name, t->role, t->issued_ms, t->expires_ms, t->used_ms};
		fn(&out, user_data);
	}
}
