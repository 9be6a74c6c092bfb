/* Data rights: what gateway/api asks about objects, and the handlers of shares. The rules are the domain's; accounts,
 * sessions and records of the log are found here. */
#include <string.h>

#include "gateway/app/calls_priv.h"

static const char *after(const char *text, const char *prefix)
{
	return text != NULL && g_str_has_prefix(text, prefix) ? text + strlen(prefix) : NULL;
}

static bool may_domain(gw_app *app, const struct gw_api_session *s, const char *kind, const char *id, bool command)
{
	return gw_access_may(app->domain, s->division, kind, id, command);
}

/* What is told: a thing that has gone meanwhile is nobody's, so only the house hears of it. */
static bool may_hear(gw_app *app, const struct gw_api_session *s, const char *kind, const char *id)
{
	struct gw_auth_account a;
	bool known = g_str_equal(kind, "account") ? gw_auth_account_info(app->auth, id, &a) : gw_access_known(app->domain, kind, id);
	return known && gw_app_may(s, kind, id, NULL, false, app);
}

/* ---- objects that the domain does not know ---- */
static bool may_account(gw_app *app, const struct gw_api_session *s, const char *id, const json_t *object, bool command)
{
	struct gw_auth_account a;
	if (!gw_auth_account_info(app->auth, id, &a)) {
		return true;
	}
	return a.division != NULL && gw_access_within(app->domain, a.division, s->division);
}

static bool may_subject(gw_app *app, const struct gw_api_session *s, const char *subject, bool command)
{
	const char *account = after(subject, "account:"), *device = after(subject, "device:"), *link = after(subject, "link:");
	return account != NULL ? may_account(app, s, account, NULL, command)
	       : device != NULL ? may_domain(app, s, "wall", device, command)
	       : link != NULL	? may_domain(app, s, "link", link, command)
				: false;
}

static bool may_session(gw_app *app, const struct gw_api_session *s, const char *id, const json_t *object, bool command)
{
	const char *subject = gw_auth_session_subject(app->auth, id);
	return subject == NULL || may_subject(app, s, subject, command);
}

static bool may_share(gw_app *app, const struct gw_api_session *s, const char *id, const json_t *object, bool command)
{
	struct gw_share_facts f;
	if (!gw_access_share_info(app->domain, id, &f)) {
		return true;
	}
	return may_domain(app, s, f.kind, f.object, command) || (!command && gw_access_within(app->domain, f.to, s->division));
}

static bool may_approval(gw_app *app, const struct gw_api_session *s, const char *id, const json_t *object, bool command)
{
	g_autoptr(json_t) all = gw_approval_list(app->domain);
	size_t n;
	const json_t *row;
	json_array_foreach(all, n, row) {
		const char *subject = json_string_value(json_object_get(row, "subject"));
		if (g_strcmp0(json_string_value(json_object_get(row, "id")), id) == 0) {
			return g_strcmp0(subject, s->subject) == 0 || may_subject(app, s, subject, command);
		}
	}
	return true;
}

/* A record is about what it names; one that names nothing of a division is the house's. */
static bool may_record(gw_app *app, const struct gw_api_session *s, const char *id, const json_t *record, bool command)
{
	static const struct { const char *member, *kind; } rows[] = {
		{ "conference", "conference" }, { "party", "party" }, { "rollcall", "rollcall" }, { "scene", "scene" }, { "link", "link" },
		{ "place", "place" },		{ "handover", "handover" }, { "division", "division" },
		{ "site", "site" },		{ "person", "person" }, { "wall", "wall" },	  { "account", "account" },
	};
	const json_t *body = json_object_get(record, "body");
	const char *incident = json_string_value(json_object_get(record, "incident")), *type = json_string_value(json_object_get(record, "type"));
	if (incident != NULL) {
		return may_hear(app, s, "incident", incident);
	}
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		const char *of = json_string_value(json_object_get(body, rows[n].member));
		if (of != NULL) {
			return may_hear(app, s, rows[n].kind, of);
		}
	}
	const char *own = json_string_value(json_object_get(body, "id")), *dot = type != NULL ? strchr(type, '.') : NULL;
	g_autofree char *kind = dot != NULL ? g_strndup(type, (gsize)(dot - type)) : NULL;
	static const char *const kinds[] = { "conference", "rollcall", "division", "site", "person", "device", NULL };
	return own != NULL && kind != NULL && g_strv_contains(kinds, kind) && may_hear(app, s, kind, own);
}

/* ---- screens of a division: what somebody of the house put on them, they may show ---- */
static bool is_on_own_wall(gw_app *app, const char *wall, const char *stream)
{
	g_autoptr(json_t) o = gw_wall_print(app->domain, wall);
	size_t n;
	const json_t *window;
	json_array_foreach(json_object_get(o, "windows"), n, window) {
		if (g_strcmp0(json_string_value(json_object_get(window, "stream")), stream) == 0 ||
		    g_strcmp0(json_string_value(json_object_get(window, "audio")), stream) == 0) {
			return true;
		}
	}
	return false;
}

static bool sits_there(gw_app *app, const struct gw_api_session *s, const char *kind, const char *id)
{
	const char *dot = strrchr(id, '.');
	g_auto(GStrv) parts = g_strsplit(id, ".", 3);
	g_autofree char *prefix = dot != NULL ? g_strndup(id, (gsize)(dot - id)) : NULL;
	const char *party = prefix != NULL ? gw_party_by_streams(app->domain, prefix) : NULL;
	const char *conference = g_str_equal(kind, "conference") ? id
				 : g_str_equal(parts[0], "mix") ? parts[1]
				 : party != NULL		? gw_party_conference(app->domain, party)
								: NULL;
	return conference != NULL && gw_app_seat_of(app, s, conference) != NULL;
}

static bool is_put_here(gw_app *app, const struct gw_api_session *s, const char *kind, const char *id, bool command)
{
	const char *wall = gw_app_wall_of(s);
	bool stream = g_str_equal(kind, "stream");
	if (command || id == NULL || (!stream && !g_str_equal(kind, "conference"))) {
		return false;
	}
	return (wall != NULL && stream && is_on_own_wall(app, wall, id)) || (s->role == GW_ROLE_ROOM && sits_there(app, s, kind, id));
}

bool gw_app_may(const struct gw_api_session *s, const char *kind, const char *id, const json_t *object, bool command, void *user_data)
{
	static const struct { const char *kind; bool (*fn)(gw_app *, const struct gw_api_session *, const char *, const json_t *, bool); } rows[] = {
		{ "account", may_account }, { "session", may_session }, { "share", may_share }, { "approval", may_approval }, { "record", may_record },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (g_str_equal(kind, rows[n].kind)) {
			return rows[n].fn(user_data, s, id, object, command);
		}
	}
	if (object != NULL && !gw_access_known(((gw_app *)user_data)->domain, kind, id)) {
		return false;
	}
	const char *wall = g_str_equal(kind, "wall") ? gw_app_wall_of(s) : NULL;
	bool own = wall != NULL && g_strcmp0(wall, id) == 0;
	return own || may_domain(user_data, s, kind, id, command) || is_put_here(user_data, s, kind, id, command);
}

void gw_app_acting(const struct gw_api_session *s, bool on, void *user_data)
{
	gw_access_acting(((gw_app *)user_data)->domain, on ? s->division : NULL);
}

/* ---- handlers ---- */
static void list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	g_autoptr(json_t) all = gw_access_shares(((gw_app *)user_data)->domain);
	gw_api_reply(call, &(struct gw_access_list_reply){ all });
}

static void reply_id(struct gw_ack *ack)
{
	gw_api_reply(ack->call, &(struct gw_id_ref){ ack->id });
}

static void share(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_access_share *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	struct gw_share_facts f = { in->kind, in->object, in->to, in->command };
	const char *id = gw_access_share(app->domain, actor, &f, gw_app_now(), &err);
	gw_app_answer(app, call, id != NULL, err, reply_id, id);
}

static void end_share(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_access_unshare(app->domain, actor, ((const struct gw_id_ref *)request)->id, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

static void assign(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_access_assign *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_access_own(app->domain, actor, in->kind, in->object, in->division, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

void gw_app_bind_access(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_ACCESS_LIST, list }, { GW_METHOD_ACCESS_SHARE, share }, { GW_METHOD_ACCESS_UNSHARE, end_share },
		{ GW_METHOD_ACCESS_ASSIGN, assign },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
	gw_app_bind_eyes(app);
	gw_app_bind_sessions(app);
	gw_app_bind_audit(app);
}
