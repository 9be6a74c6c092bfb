/* People: log-in, set-up of the first administrator, changes. Everything with a password in it goes through a job. */
#include "gateway/auth/auth_priv.h"

#include <string.h>

static void grant_error(struct job *job, enum gw_auth_error err)
{
	job->grant_fn(err, NULL, 0, job->user_data);
}

static void grant(struct job *job, struct account *a)
{
	gw_auth *auth = job->auth;
	g_autofree char *subject = g_strconcat("account:", a->name, NULL), *token = NULL;
	const char *shown = a->display && *a->display ? a->display : a->name;
	const struct auth_session like = {
		.subject = subject,
		.name = (char *)shown,
		.role = a->role,
		.created_ms = job->wall_ms,
		.expires_ms = job->wall_ms + auth->limits.life_ms,
		.person = true,
		.remote = job->address ? job->address : job->source,
	};
	a->last_login_ms = job->wall_ms;
	gw_auth_save(auth, "account", a->name, &gw_auth_account_table, a);
	struct auth_session *s = gw_auth_session_begin(auth, &like, job->now_us, job->wall_ms, &token);
	struct gw_auth_grant out = {gw_auth_session_identity(auth, s), token};
	job->grant_fn(GW_AUTH_OK, &out, 0, job->user_data);
}

/* ---- log-in ---- */

static void login_finish(struct job *job)
{
	gw_auth *auth = job->auth;
	struct account *a = g_hash_table_lookup(auth->accounts, job->name);
	bool known = job->matched && a && !a->disabled;
	enum gw_auth_error err = known ? gw_auth_factor_check(auth, a, job->code, job->wall_ms) : GW_AUTH_CREDENTIALS;
	if (err == GW_AUTH_SECOND) {
		/* Neither good nor bad: a right password must not wipe out wrong codes. */
		gw_auth_lock_cancel(auth, job->source, job->name, job->now_us);
		grant_error(job, err);
		return;
	}
	gw_auth_lock_end(auth, job->source, job->name, err == GW_AUTH_OK, job->now_us);
	count(auth, err == GW_AUTH_OK ? N_logins : N_failures);
	if (err == GW_AUTH_OK) {
		grant(job, a);
	} else {
		grant_error(job, err);
	}
}

/* An unknown name is hashed against the dummy: the same answer after the same time. */
static const char *encoded_of(gw_auth *auth, const char *name)
{
	const struct account *a = g_hash_table_lookup(auth->accounts, name);
	return a ? a->hash : auth->dummy;
}

void gw_auth_login(gw_auth *auth, const char *name, const char *password, const char *remote, int64_t now_us,
		   int64_t wall_ms, gw_auth_grant_fn fn, void *user_data)
{
	const struct gw_auth_attempt in = {.name = name, .password = password, .remote = remote};
	gw_auth_attempt(auth, &in, now_us, wall_ms, fn, user_data);
}

void gw_auth_attempt(gw_auth *auth, const struct gw_auth_attempt *in, int64_t now_us, int64_t wall_ms,
		     gw_auth_grant_fn fn, void *user_data)
{
	const char *name = in->name, *remote = in->remote;
	count(auth, N_attempts);
	int64_t wait_s = gw_auth_lock_wait_s(auth, remote, name, now_us);
	if (wait_s) {
		count(auth, N_locked);
		fn(GW_AUTH_LOCKED, NULL, wait_s, user_data);
		return;
	}
	struct job *job = gw_auth_job_new(auth, login_finish, user_data);
	job->name = g_strdup(name);
	job->source = g_strdup(remote);
	job->address = g_strdup(in->address);
	job->code = g_strdup(in->code);
	job->old_password = g_strdup(in->password);
	job->old_encoded = g_strdup(encoded_of(auth, name));
	job->now_us = now_us;
	job->wall_ms = wall_ms;
	job->grant_fn = fn;
	gw_auth_lock_begin(auth, remote, name, now_us);
	if (!gw_auth_job_submit(job)) {
		gw_auth_lock_cancel(auth, remote, name, now_us);
		fn(GW_AUTH_BUSY, NULL, 1, user_data);
	}
}

/* ---- the first administrator ---- */

bool gw_auth_setup_needed(const gw_auth *auth)
{
	GHashTableIter it;
	const struct account *a;
	g_hash_table_iter_init(&it, auth->accounts);
	while (g_hash_table_iter_next(&it, NULL, (void **)&a)) {
		if (!a->disabled && strcmp(a->role, "administrator") == 0) {
			return false;
		}
	}
	return true;
}

char *gw_auth_setup_token(gw_auth *auth)
{
	if (!gw_auth_setup_needed(auth)) {
		return NULL;
	}
	char *token = gw_auth_token_new();
	g_free(auth->setup_hash);
	auth->setup_hash = gw_auth_token_hash(token);
	return token;
}

static struct account *account_make(gw_auth *auth, const struct job *job)
{
	struct account *a = g_new0(struct account, 1);
	a->name = g_strdup(job->name);
	a->role = g_strdup(job->role);
	a->display = g_strdup(job->display);
	a->hash = g_strdup(job->new_encoded);
	a->disabled = job->disabled;
	a->division = g_strdup(job->division);
	a->created_ms = job->wall_ms;
	g_hash_table_replace(auth->accounts, a->name, a);
	gw_auth_save(auth, "account", a->name, &gw_auth_account_table, a);
	return a;
}

static void setup_finish(struct job *job)
{
	gw_auth *auth = job->auth;
	if (job->failed) {
		grant_error(job, GW_AUTH_BUSY);
	} else if (!gw_auth_setup_needed(auth)) {
		grant_error(job, GW_AUTH_USED); /* two pages at once: the first wins */
	} else {
		g_clear_pointer(&auth->setup_hash, g_free);
		grant(job, account_make(auth, job));
	}
}

static enum gw_auth_error setup_check(gw_auth *auth, const char *token, const char *name, const char *password)
{
	g_autofree char *hash = gw_auth_token_hash(token);
	if (!gw_auth_setup_needed(auth)) {
		return GW_AUTH_USED;
	}
	if (g_strcmp0(hash, auth->setup_hash) != 0) {
		return GW_AUTH_UNKNOWN;
	}
	if (gw_auth_name_fault(name)) {
		return GW_AUTH_INVALID;
	}
	return gw_auth_password_fault(name, password) ? GW_AUTH_WEAK : GW_AUTH_OK;
}

void gw_auth_setup(gw_auth *auth, const char *token, const char *name, const char *password, const char *remote,
		   int64_t now_us, int64_t wall_ms, gw_auth_grant_fn fn, void *user_data)
{
	enum gw_auth_error err = setup_check(auth, token, name, password);
	if (err != GW_AUTH_OK) {
		fn(err, NULL, 0, user_data);
		return;
	}
	struct job *job = gw_auth_job_new(auth, setup_finish, user_data);
	job->name = g_strdup(name);
	job->role = g_strdup("administrator");
	job->address = g_strdup(remote);
	job->new_password = g_strdup(password);
	job->now_us = now_us;
	job->wall_ms = wall_ms;
	job->grant_fn = fn;
	if (!gw_auth_job_submit(job)) {
		fn(GW_AUTH_BUSY, NULL, 1, user_data);
	}
}

/* ---- changes ---- */

static bool is_last_administrator(const gw_auth *auth, const char *name)
{
	GHashTableIter it;
	const struct account *a;
	bool is_one = false;
	g_hash_table_iter_init(&it, auth->accounts);
	while (g_hash_table_iter_next(&it, NULL, (void **)&a)) {
		if (!a->disabled && strcmp(a->role, "administrator") == 0) {
			if (strcmp(a->name, name) != 0) {
				return false;
			}
			is_one = true;
		}
	}
	return is_one;
}

static void end_sessions_of(gw_auth *auth, const char *name)
{
	g_autofree char *subject = g_strconcat("account:", name, NULL);
	(void)gw_auth_revoke_subject(auth, subject);
}

static void account_change(gw_auth *auth, struct account *a, struct job *job)
{
	bool moved = job->division && g_strcmp0(a->division ? a->division : "", job->division) != 0;
	bool harder = moved || job->new_encoded || a->disabled != job->disabled || strcmp(a->role, job->role) != 0;
	if (moved) {
		g_free(a->division);
		a->division = g_strdup(job->division);
	}
	g_free(a->role);
	a->role = g_strdup(job->role);
	a->disabled = job->disabled;
	if (job->display) {
		g_free(a->display);
		a->display = g_strdup(job->display);
	}
	if (job->new_encoded) {
		g_free(a->hash);
		a->hash = g_strdup(job->new_encoded);
	}
	gw_auth_save(auth, "account", a->name, &gw_auth_account_table, a);
	if (harder) {
		end_sessions_of(auth, a->name);
	}
}

static bool would_orphan(const gw_auth *auth, const struct job *job)
{
	bool stays = !job->disabled && strcmp(job->role, "administrator") == 0;
	return !stays && is_last_administrator(auth, job->name);
}

static void put_finish(struct job *job)
{
	gw_auth *auth = job->auth;
	struct account *a = g_hash_table_lookup(auth->accounts, job->name);
	if (job->failed) {
		job->done_fn(GW_AUTH_BUSY, "hash failed", job->user_data);
	} else if (would_orphan(auth, job)) {
		job->done_fn(GW_AUTH_CONFLICT, "the last administrator must stay", job->user_data);
	} else if (a) {
		account_change(auth, a, job);
		job->done_fn(GW_AUTH_OK, NULL, job->user_data);
	} else if (job->new_encoded) {
		(void)account_make(auth, job);
		job->done_fn(GW_AUTH_OK, NULL, job->user_data);
	} else {
		job->done_fn(GW_AUTH_WEAK, "a new account needs a password", job->user_data);
	}
}

void gw_auth_account_put(gw_auth *auth, const struct gw_auth_account_put *put, int64_t wall_ms, gw_auth_done_fn fn,
			 void *user_data)
{
	const char *why = gw_auth_name_fault(put->name);
	if (why || !gw_auth_is_account_role(put->role)) {
		fn(GW_AUTH_INVALID, why ? why : "no such role for an account", user_data);
		return;
	}
	why = put->password ? gw_auth_password_fault(put->name, put->password) : NULL;
	if (why) {
		fn(GW_AUTH_WEAK, why, user_data);
		return;
	}
	struct job *job = gw_auth_job_new(auth, put_finish, user_data);
	job->name = g_strdup(put->name);
	job->role = g_strdup(put->role);
	job->display = g_strdup(put->display);
	job->division = g_strdup(put->division);
	job->disabled = put->disabled;
	job->new_password = g_strdup(put->password);
	job->wall_ms = wall_ms;
	job->done_fn = fn;
	if (!put->password) {
		put_finish(job);
		gw_auth_job_free(job);
	} else if (!gw_auth_job_submit(job)) {
		fn(GW_AUTH_BUSY, "try again", user_data);
	}
}

static void password_finish(struct job *job)
{
	gw_auth *auth = job->auth;
	struct account *a = g_hash_table_lookup(auth->accounts, job->name);
	bool good = job->matched && a && !a->disabled;
	gw_auth_lock_end(auth, job->source, job->name, good, job->now_us);
	if (!good) {
		job->done_fn(GW_AUTH_CREDENTIALS, NULL, job->user_data);
	} else if (job->failed) {
		job->done_fn(GW_AUTH_BUSY, "hash failed", job->user_data);
	} else {
		g_free(a->hash);
		a->hash = g_strdup(job->new_encoded);
		gw_auth_save(auth, "account", a->name, &gw_auth_account_table, a);
		end_sessions_of(auth, a->name);
		job->done_fn(GW_AUTH_OK, NULL, job->user_data);
	}
}

void gw_auth_password(gw_auth *auth, const char *name, const char *old_password, const char *new_password,
		      const char *remote, int64_t now_us, int64_t wall_ms, gw_auth_done_fn fn, void *user_data)
{
	const char *why = gw_auth_password_fault(name, new_password);
	if (why) {
		fn(GW_AUTH_WEAK, why, user_data);
		return;
	}
	if (gw_auth_lock_wait_s(auth, remote, name, now_us)) {
		count(auth, N_locked);
		fn(GW_AUTH_LOCKED, NULL, user_data);
		return;
	}
	struct job *job = gw_auth_job_new(auth, password_finish, user_data);
	job->name = g_strdup(name);
	job->source = g_strdup(remote);
	job->old_password = g_strdup(old_password);
	job->old_encoded = g_strdup(encoded_of(auth, name));
	job->new_password = g_strdup(new_password);
	job->now_us = now_us;
	job->wall_ms = wall_ms;
	job->done_fn = fn;
	gw_auth_lock_begin(auth, remote, name, now_us);
	if (!gw_auth_job_submit(job)) {
		gw_auth_lock_cancel(auth, remote, name, now_us);
		fn(GW_AUTH_BUSY, "try again", user_data);
	}
}

static struct gw_auth_account account_out(const struct account *a)
{
	return (struct gw_auth_account){a->name,
					a->display,
					a->role,
					a->disabled,
					a->created_ms,
					a->last_login_ms,
					a->division && *a->division ? a->division : NULL,
					a->totp && *a->totp};
}

void gw_auth_account_foreach(const gw_auth *auth, void (*fn)(const struct gw_auth_account *a, void *user_data),
			     void *user_data)
{
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(auth->accounts), (GCompareFunc)strcmp);
	for (GList *i = names; i; i = i->next) {
		const struct account *a = g_hash_table_lookup(auth->accounts, i->data);
		struct gw_auth_account out = account_out(a);
		fn(&out, user_data);
	}
}

bool gw_auth_account_info(const gw_auth *auth, const char *name, struct gw_auth_account *ret)
{
	const struct account *a = name ? g_hash_table_lookup(auth->accounts, name) : NULL;
	if (a) {
		*ret = account_out(a);
	}
	return a;
}

enum gw_auth_error gw_auth_account_remove(gw_auth *auth, const char *name)
{
	if (!g_hash_table_contains(auth->accounts, name)) {
		return GW_AUTH_UNKNOWN;
	}
	if (is_last_administrator(auth, name)) {
		return GW_AUTH_CONFLICT;
	}
	end_sessions_of(auth, name);
	gw_auth_forget(auth, "account", name);
	g_hash_table_remove(auth->accounts, name);
	return GW_AUTH_OK;
}
