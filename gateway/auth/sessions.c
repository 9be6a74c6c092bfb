/* Sessions: a token in a cookie stands for a subject and a role until it idles, ends or is revoked. */
#include "gateway/auth/auth_priv.h"

#include <string.h>

struct gw_auth_identity gw_auth_session_identity(const gw_auth *auth, const struct auth_session *s)
{
	bool account = g_str_has_prefix(s->subject, "account:");
	const struct account *a = account ? g_hash_table_lookup(auth->accounts, s->subject + strlen("account:")) : NULL;
	const char *division = a && a->division && *a->division ? a->division : NULL;
	return (struct gw_auth_identity){s->id, s->subject, s->name, s->role, s->incident, s->scene, s->expires_ms,
					 division, a && a->totp && *a->totp};
}

/* The token handed out lives in the object until the next grant, so that the grant may borrow it. */
const char *gw_auth_lend(gw_auth *auth, char *token)
{
	g_free(auth->lent);
	return auth->lent = token;
}

void gw_auth_session_end(gw_auth *auth, struct auth_session *s)
{
	count(auth, N_sessions_ended);
	gw_auth_forget(auth, "session", s->hash);
	g_hash_table_remove(auth->sessions_by_hash, s->hash);
	g_hash_table_remove(auth->sessions, s->id);
}

/* The longest idle session of the subject, or of all, gives way when the house is full. */
static void make_room(gw_auth *auth, const char *subject)
{
	GHashTableIter it;
	struct auth_session *s, *mine = NULL, *any = NULL;
	unsigned n = 0;
	g_hash_table_iter_init(&it, auth->sessions);
	while (g_hash_table_iter_next(&it, NULL, (void **)&s)) {
		if (!any || s->touched_us < any->touched_us) {
			any = s;
		}
		if (strcmp(s->subject, subject) == 0) {
			n++;
			if (!mine || s->touched_us < mine->touched_us) {
				mine = s;
			}
		}
	}
	if (n >= auth->limits.max_per_subject) {
		gw_auth_session_end(auth, mine);
	} else if (g_hash_table_size(auth->sessions) >= auth->limits.max_sessions) {
		gw_auth_session_end(auth, any);
	}
}

struct auth_session *gw_auth_session_begin(gw_auth *auth, const struct auth_session *like, int64_t now_us,
					   int64_t wall_ms, char **ret_token)
{
	make_room(auth, like->subject);
	struct auth_session *s = g_new0(struct auth_session, 1);
	char *token = gw_auth_token_new();
	s->id = gw_auth_id_new("a-");
	s->subject = g_strdup(like->subject);
	s->name = g_strdup(like->name);
	s->role = g_strdup(like->role);
	s->incident = g_strdup(like->incident);
	s->scene = g_strdup(like->scene);
	s->remote = g_strdup(like->remote);
	s->created_ms = wall_ms;
	s->expires_ms = like->expires_ms;
	s->person = like->person;
	s->hash = gw_auth_token_hash(token);
	s->touched_us = now_us;
	g_hash_table_insert(auth->sessions, s->id, s);
	g_hash_table_insert(auth->sessions_by_hash, s->hash, s);
	gw_auth_save(auth, "session", s->hash, &gw_auth_session_table, s);
	count(auth, N_sessions_begun);
	*ret_token = token;
	return s;
}

static bool is_alive(const gw_auth *auth, const struct auth_session *s, int64_t now_us, int64_t wall_ms)
{
	return wall_ms < s->expires_ms && !(s->person && now_us - s->touched_us > auth->limits.idle_ms * 1000);
}

enum gw_auth_error gw_auth_check(gw_auth *auth, const char *token, int64_t now_us, int64_t wall_ms,
				 struct gw_auth_identity *ret)
{
	g_autofree char *hash = gw_auth_token_hash(token);
	struct auth_session *s = g_hash_table_lookup(auth->sessions_by_hash, hash);
	enum gw_auth_error err = GW_AUTH_OK;
	if (!s) {
		err = gw_auth_script_check(auth, hash, wall_ms, ret);
	} else if (!is_alive(auth, s, now_us, wall_ms)) {
		gw_auth_session_end(auth, s);
		err = GW_AUTH_EXPIRED;
	} else {
		s->touched_us = now_us;
		*ret = gw_auth_session_identity(auth, s);
	}
	if (err != GW_AUTH_OK) {
		count(auth, N_tokens_refused);
	}
	return err;
}

bool gw_auth_touch(gw_auth *auth, const char *id, int64_t now_us, int64_t wall_ms)
{
	struct auth_session *s = g_hash_table_lookup(auth->sessions, id);
	const struct script *t = s ? NULL : g_hash_table_lookup(auth->scripts, id);
	if (t) {
		return wall_ms < t->expires_ms;
	}
	if (!s || !is_alive(auth, s, now_us, wall_ms)) {
		return false;
	}
	s->touched_us = now_us;
	return true;
}

bool gw_auth_logout(gw_auth *auth, const char *id)
{
	struct auth_session *s = g_hash_table_lookup(auth->sessions, id);
	if (s) {
		gw_auth_session_end(auth, s);
	}
	return s;
}

unsigned gw_auth_revoke_subject(gw_auth *auth, const char *subject)
{
	unsigned n = 0;
	g_autoptr(GList) all = g_hash_table_get_values(auth->sessions);
	for (GList *i = all; i; i = i->next) {
		struct auth_session *s = i->data;
		if (strcmp(s->subject, subject) == 0) {
			gw_auth_session_end(auth, s);
			n++;
		}
	}
	return n;
}

void gw_auth_session_foreach(const gw_auth *auth, int64_t now_us, int64_t wall_ms,
			     void (*fn)(const struct gw_auth_session *s, void *user_data), void *user_data)
{
	GHashTableIter it;
	const struct auth_session *s;
	g_hash_table_iter_init(&it, auth->sessions);
	while (g_hash_table_iter_next(&it, NULL, (void **)&s)) {
		if (is_alive(auth, s, now_us, wall_ms)) {
			int64_t seen_ms = MAX(wall_ms - (now_us - s->touched_us) / 1000, s->created_ms);
			struct gw_auth_session out = {s->id,	     s->subject, s->name,	s->role, s->remote,
						      s->created_ms, seen_ms,	 s->expires_ms};
			fn(&out, user_data);
		}
	}
}

const char *gw_auth_session_subject(const gw_auth *auth, const char *id)
{
	const struct auth_session *s = id ? g_hash_table_lookup(auth->sessions, id) : NULL;
	return s ? s->subject : NULL;
}
