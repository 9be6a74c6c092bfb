/* What is kept: one table a kind, saved through ops->save and read back by gw_auth_load. */
#include "gateway/auth/auth_priv.h"

#include <errno.h>
#include <string.h>

#define STR(st, m, max) ORT_JF(struct st, m, ORT_J_STR, ORT_J_REQUIRED, 1, max, NULL, NULL)
#define OPT(st, m, max) ORT_JF(struct st, m, ORT_J_STR, 0, 0, max, NULL, NULL)
#define INT(st, m) ORT_JF(struct st, m, ORT_J_INT, 0, 0, 0, "ms", NULL)
#define BOOL(st, m) ORT_JF(struct st, m, ORT_J_BOOL, 0, 0, 0, NULL, NULL)

ORT_JSON_TABLE(gw_auth_account_table, struct account, STR(account, name, 64), OPT(account, display, 256),
	       STR(account, role, 32), STR(account, hash, 256), BOOL(account, disabled), INT(account, created_ms),
	       INT(account, last_login_ms), OPT(account, division, 96), OPT(account, totp, 64),
	       ORT_JF(struct account, recovery, ORT_J_STRV, 0, 0, 16, NULL, NULL), INT(account, totp_step));
ORT_JSON_TABLE(gw_auth_session_table, struct auth_session, STR(auth_session, id, 64), STR(auth_session, subject, 256),
	       OPT(auth_session, name, 256), STR(auth_session, role, 32), OPT(auth_session, incident, 96),
	       OPT(auth_session, scene, 96), INT(auth_session, created_ms), INT(auth_session, expires_ms),
	       BOOL(auth_session, person), OPT(auth_session, remote, 64));
ORT_JSON_TABLE(gw_auth_link_table, struct link, STR(link, id, 96), STR(link, incident, 96), STR(link, scene, 96),
	       OPT(link, name, 256), STR(link, hash, 64), OPT(link, session, 64), INT(link, issued_ms),
	       INT(link, expires_ms), BOOL(link, revoked));
ORT_JSON_TABLE(gw_auth_device_table, struct device, STR(device, id, 64), STR(device, kind, 32), STR(device, name, 64),
	       STR(device, hash, 64), INT(device, issued_ms), INT(device, used_ms), BOOL(device, revoked));
ORT_JSON_TABLE(gw_auth_script_table, struct script, STR(script, id, 64), STR(script, name, 64), STR(script, role, 32),
	       STR(script, hash, 64), INT(script, issued_ms), INT(script, expires_ms), INT(script, used_ms));

void gw_auth_save(gw_auth *auth, const char *kind, const char *key, const struct ort_json_table *table,
		  const void *record)
{
	if (auth->ops.save) {
		g_autoptr(json_t) json = ort_json_print(table, record);
		auth->ops.save(kind, key, json, auth->user_data);
	}
}

void gw_auth_forget(gw_auth *auth, const char *kind, const char *key)
{
	if (auth->ops.remove) {
		auth->ops.remove(kind, key, auth->user_data);
	}
}

void gw_auth_account_free(void *p)
{
	g_free(((struct account *)p)->totp_new);
	ort_json_clear(&gw_auth_account_table, p);
	g_free(p);
}

void gw_auth_session_free(void *p)
{
	struct auth_session *s = p;
	g_free(s->hash);
	ort_json_clear(&gw_auth_session_table, s);
	g_free(s);
}

void gw_auth_link_free(void *p)
{
	ort_json_clear(&gw_auth_link_table, p);
	g_free(p);
}

void gw_auth_device_free(void *p)
{
	ort_json_clear(&gw_auth_device_table, p);
	g_free(p);
}

void gw_auth_script_free(void *p)
{
	ort_json_clear(&gw_auth_script_table, p);
	g_free(p);
}

/* ---- read back ---- */

static bool put_account(gw_auth *auth, const char *key, void *record, int64_t now_us)
{
	struct account *a = record;
	if (g_hash_table_contains(auth->accounts, a->name)) {
		return false;
	}
	g_hash_table_insert(auth->accounts, a->name, a);
	return true;
}

static bool put_session(gw_auth *auth, const char *key, void *record, int64_t now_us)
{
	struct auth_session *s = record;
	if (g_hash_table_contains(auth->sessions, s->id) || g_hash_table_contains(auth->sessions_by_hash, key)) {
		return false;
	}
	s->hash = g_strdup(key);
	s->touched_us = now_us;
	g_hash_table_insert(auth->sessions_by_hash, s->hash, s);
	g_hash_table_insert(auth->sessions, s->id, s);
	return true;
}

static bool put_link(gw_auth *auth, const char *key, void *record, int64_t now_us)
{
	struct link *l = record;
	if (g_hash_table_contains(auth->links, l->id) || g_hash_table_contains(auth->links_by_hash, l->hash)) {
		return false;
	}
	g_hash_table_insert(auth->links_by_hash, l->hash, l);
	g_hash_table_insert(auth->links, l->id, l);
	return true;
}

static bool put_device(gw_auth *auth, const char *key, void *record, int64_t now_us)
{
	struct device *d = record;
	if (g_hash_table_contains(auth->devices, d->id) || g_hash_table_contains(auth->devices_by_hash, d->hash)) {
		return false;
	}
	g_hash_table_insert(auth->devices_by_hash, d->hash, d);
	g_hash_table_insert(auth->devices, d->id, d);
	return true;
}

static bool put_script(gw_auth *auth, const char *key, void *record, int64_t now_us)
{
	struct script *t = record;
	if (g_hash_table_contains(auth->scripts, t->id) || g_hash_table_contains(auth->scripts_by_hash, t->hash)) {
		return false;
	}
	g_hash_table_insert(auth->scripts_by_hash, t->hash, t);
	g_hash_table_insert(auth->scripts, t->id, t);
	return true;
}

static const struct kind_row {
	const char *kind;
	const struct ort_json_table *table;
	bool (*put)(gw_auth *auth, const char *key, void *record, int64_t now_us);
} kinds[] = {
	{"account", &gw_auth_account_table, put_account}, {"session", &gw_auth_session_table, put_session},
	{"link", &gw_auth_link_table, put_link},	  {"device", &gw_auth_device_table, put_device},
	{"token", &gw_auth_script_table, put_script},
};

int gw_auth_load(gw_auth *auth, const char *kind, const char *key, json_t *record, int64_t now_us, int64_t wall_ms)
{
	size_t size = MAX(MAX(sizeof(struct account), sizeof(struct auth_session)),
			  MAX(sizeof(struct link), MAX(sizeof(struct device), sizeof(struct script))));
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (strcmp(kind, kinds[i].kind) != 0) {
			continue;
		}
		g_autofree void *st = g_malloc0(size);
		if (ort_json_read(kinds[i].table, record, st, NULL) < 0) {
			return -EINVAL;
		}
		if (!kinds[i].put(auth, key, st, now_us)) {
			ort_json_clear(kinds[i].table, st); /* the same twice */
			return -EINVAL;
		}
		(void)g_steal_pointer(&st);
		return 0;
	}
	return -EINVAL;
}
