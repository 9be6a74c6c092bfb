/* Field links: one incident, one scene, one phone. The first opener binds the link; after that only its own session may
 * open it again (a reload), everybody else hears USED. */
#include "gateway/auth/auth_priv.h"

#include <string.h>

static void end_session_of(gw_auth *auth, const struct link *l)
{
	struct auth_session *s = l->session ? g_hash_table_lookup(auth->sessions, l->session) : NULL;
	if (s) {
		gw_auth_session_end(auth, s);
	}
}

static void drop(gw_auth *auth, const char *id)
{
	struct link *l = g_hash_table_lookup(auth->links, id);
	if (l) {
		end_session_of(auth, l);
		g_hash_table_remove(auth->links_by_hash, l->hash);
		g_hash_table_remove(auth->links, id);
	}
}

char *gw_auth_link_issue(gw_auth *auth, const struct gw_auth_link *link, int64_t wall_ms, int64_t *ret_expires_ms)
{
	char *token = gw_auth_token_new();
	drop(auth, link->id);
	struct link *l = g_new0(struct link, 1);
	l->id = g_strdup(link->id);
	l->incident = g_strdup(link->incident);
	l->scene = g_strdup(link->scene);
	l->name = g_strdup(link->name);
	l->hash = gw_auth_token_hash(token);
	l->issued_ms = wall_ms;
	l->expires_ms = wall_ms + auth->limits.link_open_ms;
	g_hash_table_insert(auth->links, l->id, l);
	g_hash_table_insert(auth->links_by_hash, l->hash, l);
	gw_auth_save(auth, "link", l->id, &gw_auth_link_table, l);
	if (ret_expires_ms) {
		*ret_expires_ms = l->expires_ms;
	}
	return token;
}

static struct auth_session *bind(gw_auth *auth, struct link *l, int64_t now_us, int64_t wall_ms, char **ret_token)
{
	g_autofree char *subject = g_strconcat("link:", l->id, NULL);
	const struct auth_session like = {
		.subject = subject,
		.name = l->name,
		.role = (char *)"field",
		.incident = l->incident,
		.scene = l->scene,
		.expires_ms = wall_ms + auth->limits.link_life_ms,
	};
	struct auth_session *s = gw_auth_session_begin(auth, &like, now_us, wall_ms, ret_token);
	l->session = g_strdup(s->id);
	l->expires_ms = s->expires_ms;
	gw_auth_save(auth, "link", l->id, &gw_auth_link_table, l);
	count(auth, N_links_opened);
	return s;
}

static enum gw_auth_error link_fault(const gw_auth *auth, const struct link *l, const char *current, int64_t wall_ms)
{
	if (!l) {
		return GW_AUTH_UNKNOWN;
	}
	if (l->revoked) {
		return GW_AUTH_REVOKED;
	}
	if (wall_ms >= l->expires_ms) {
		return GW_AUTH_EXPIRED;
	}
	if (l->session && g_strcmp0(l->session, current) != 0) {
		return GW_AUTH_USED;
	}
	if (l->session && !g_hash_table_contains(auth->sessions, l->session)) {
		return GW_AUTH_EXPIRED;
	}
	return GW_AUTH_OK;
}

enum gw_auth_error gw_auth_link_open(gw_auth *auth, const char *token, const char *current, const char *remote,
				     int64_t now_us, int64_t wall_ms, struct gw_auth_grant *ret)
{
	g_autofree char *hash = gw_auth_token_hash(token);
	struct link *l = g_hash_table_lookup(auth->links_by_hash, hash);
	enum gw_auth_error err = link_fault(auth, l, current, wall_ms);
	if (err != GW_AUTH_OK) {
		count(auth, N_links_refused);
		return err;
	}
	char *fresh = NULL;
	struct auth_session *s =
		l->session ? g_hash_table_lookup(auth->sessions, l->session) : bind(auth, l, now_us, wall_ms, &fresh);
	s->touched_us = now_us;
	*ret = (struct gw_auth_grant){gw_auth_session_identity(auth, s), gw_auth_lend(auth, fresh)};
	return GW_AUTH_OK;
}

bool gw_auth_link_revoke(gw_auth *auth, const char *id)
{
	struct link *l = g_hash_table_lookup(auth->links, id);
	if (!l || l->revoked) {
		return false;
	}
	l->revoked = true;
	end_session_of(auth, l);
	gw_auth_save(auth, "link", l->id, &gw_auth_link_table, l);
	return true;
}

unsigned gw_auth_incident_end(gw_auth *auth, const char *incident)
{
	unsigned n = 0;
	g_autoptr(GList) all = g_hash_table_get_values(auth->links);
	for (GList *i = all; i; i = i->next) {
		const struct link *l = i->data;
		if (strcmp(l->incident, incident) == 0) {
			n += gw_auth_link_revoke(auth, l->id);
		}
	}
	return n;
}
