/* Handlers: sessions listed and ended, and the second factor of accounts. */
#include <string.h>

#include "gateway/app/app_priv.h"

/* ---- sessions ---- */
struct listing { GArray *rows; GHashTable *pages; const char *own; };

static void count_page(struct gw_api_session *s, void *user_data)
{
	GHashTable *pages = user_data;
	if (s->auth != NULL) {
		gpointer n = g_hash_table_lookup(pages, s->auth);
		g_hash_table_insert(pages, s->auth, GINT_TO_POINTER(GPOINTER_TO_INT(n) + 1));
	}
}

static char *lent(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void add_session(const struct gw_auth_session *a, void *user_data)
{
	struct listing *l = user_data;
	struct gw_session_row row = { lent(a->id), lent(a->subject), lent(a->name), gw_role_by_name(a->role), lent(a->remote), a->created_ms, a->seen_ms,
				      a->expires_ms, GPOINTER_TO_INT(g_hash_table_lookup(l->pages, a->id)), g_strcmp0(a->id, l->own) == 0 };
	g_array_append_val(l->rows, row);
}

static int by_seen(gconstpointer a, gconstpointer b)
{
	const struct gw_session_row *x = a, *y = b;
	return x->seen_ms > y->seen_ms ? -1 : x->seen_ms < y->seen_ms;
}

static void list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	g_autoptr(GArray) rows = g_array_new(FALSE, TRUE, sizeof(struct gw_session_row));
	g_autoptr(GHashTable) pages = g_hash_table_new(g_str_hash, g_str_equal);
	struct listing l = { rows, pages, s->auth };
	gw_api_foreach(app->api, count_page, pages);
	gw_auth_session_foreach(app->auth, ort_now_us(), ort_wall_ms(), add_session, &l);
	g_array_sort(rows, by_seen);
	gw_api_reply(call, &(struct gw_session_list_reply){ { rows->data, rows->len } });
}

static bool same_credential(const struct gw_api_session *s, void *user_data)
{
	return g_strcmp0(s->auth, user_data) == 0;
}

static void end_one(gw_app *app, const char *id)
{
	(void)gw_auth_logout(app->auth, id);
	gw_rtc_close_owner(app->rtc, id, "session_ended");
	(void)gw_api_end_matching(app->api, same_credential, (void *)(uintptr_t)id, "session_ended");
}

static void end(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_id_ref *in = request;
	g_autofree char *actor = gw_app_actor(s), *subject = g_strdup(gw_auth_session_subject(app->auth, in->id));
	if (subject == NULL) {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
		return;
	}
	gw_app_remember(app, "session.ended", actor, NULL, json_pack("{s:s,s:s}", "session", in->id, "subject", subject));
	if (g_strcmp0(s->auth, in->id) != 0) {
		end_one(app, in->id);
		gw_app_ack(app, call, gw_ack_empty, NULL, NULL, 0);
		return;
	}
	gw_api_reply(call, NULL);
	end_one(app, in->id);
}

struct of_account { char *subject; const char *but; GPtrArray *ids; };

static void pick(const struct gw_auth_session *a, void *user_data)
{
	struct of_account *o = user_data;
	if (g_str_equal(a->subject, o->subject) && g_strcmp0(a->id, o->but) != 0) {
		g_ptr_array_add(o->ids, g_strdup(a->id));
	}
}

static void end_all(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_name_ref *in = request;
	g_autofree char *actor = gw_app_actor(s), *subject = g_strconcat("account:", in->name, NULL);
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
	struct of_account o = { subject, s->auth, ids };
	gw_auth_session_foreach(app->auth, ort_now_us(), ort_wall_ms(), pick, &o);
	for (unsigned n = 0; n < ids->len; n++) {
		end_one(app, ids->pdata[n]);
	}
	gw_app_remember(app, "session.ended_all", actor, NULL, json_pack("{s:s,s:i}", "account", in->name, "sessions", (int)ids->len));
	gw_api_reply(call, &(struct gw_session_end_all_reply){ ids->len });
}

/* ---- second factor ---- */
static const char *account_of(const struct gw_api_session *s, gw_api_call *call)
{
	if (s->subject == NULL || !g_str_has_prefix(s->subject, "account:")) {
		gw_api_fail(call, GW_ERROR_FORBIDDEN, "a script has no second factor");
		return NULL;
	}
	return s->subject + strlen("account:");
}

static void begin(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const char *name = account_of(s, call);
	if (name == NULL) {
		return;
	}
	g_autofree char *secret = gw_auth_factor_begin(app->auth, name);
	if (secret == NULL) {
		gw_api_fail(call, GW_ERROR_STATE, "this account has a second factor already");
		return;
	}
	g_autofree char *uri = gw_totp_uri(ort_conf_str(app->options.conf, "node.name"), name, secret);
	gw_api_reply(call, &(struct gw_totp_begin_reply){ secret, uri });
}

static void note_factor(gw_app *app, const struct gw_api_session *s, const char *type, const char *name, enum gw_auth_error err)
{
	g_autofree char *actor = gw_app_actor(s);
	gw_app_remember(app, type, actor, NULL, json_pack("{s:s,s:s}", "account", name, "result", gw_auth_error_names[err]));
}

static void confirm(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	g_auto(GStrv) recovery = NULL;
	const char *name = account_of(s, call);
	if (name == NULL) {
		return;
	}
	enum gw_auth_error err = gw_auth_factor_confirm(app->auth, name, ((const struct gw_totp_code *)request)->code, s->source, ort_now_us(),
							ort_wall_ms(), &recovery);
	note_factor(app, s, "totp.confirmed", name, err);
	if (err != GW_AUTH_OK) {
		gw_api_fail(call, gw_app_auth_error(err), err == GW_AUTH_UNKNOWN ? "begin first" : NULL);
		return;
	}
	gw_api_reply(call, &(struct gw_totp_confirm_reply){ recovery });
}

static void drop(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const char *name = account_of(s, call);
	if (name == NULL) {
		return;
	}
	enum gw_auth_error err = gw_auth_factor_remove(app->auth, name, ((const struct gw_totp_code *)request)->code, s->source, ort_now_us(),
						       ort_wall_ms());
	note_factor(app, s, "totp.removed", name, err);
	if (err != GW_AUTH_OK) {
		gw_api_fail(call, gw_app_auth_error(err), NULL);
		return;
	}
	gw_app_ack(app, call, gw_ack_empty, NULL, NULL, 0);
}

static void reset(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const char *name = ((const struct gw_name_ref *)request)->name;
	enum gw_auth_error err = gw_auth_factor_reset(app->auth, name);
	note_factor(app, s, "totp.reset", name, err);
	if (err != GW_AUTH_OK) {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
		return;
	}
	gw_app_ack(app, call, gw_ack_empty, NULL, NULL, 0);
}

void gw_app_bind_sessions(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_SESSION_LIST, list },   { GW_METHOD_SESSION_END, end },	{ GW_METHOD_SESSION_END_ALL, end_all },
		{ GW_METHOD_TOTP_BEGIN, begin },    { GW_METHOD_TOTP_CONFIRM, confirm }, { GW_METHOD_TOTP_REMOVE, drop },
		{ GW_METHOD_TOTP_RESET, reset },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
}
