/* Four eyes: which calls wait for a second administrator (eyes.def), and the handlers by which that one decides. */
#include <string.h>

#include "gateway/app/app_priv.h"

#define TEXT_MAX 390

/* An account that could undo the rule: who may disable, rename or re-key another administrator could approve for himself. */
static bool of_administrator(gw_app *app, const struct gw_api_session *s, const void *request)
{
	const struct gw_account_put *in = request;
	struct gw_auth_account old = { 0 };
	bool known = gw_auth_account_info(app->auth, in->name, &old);
	return in->role == GW_ROLE_ADMINISTRATOR || (known && g_str_equal(old.role, "administrator"));
}

static bool token_of_administrator(gw_app *app, const struct gw_api_session *s, const void *request)
{
	return ((const struct gw_token_issue *)request)->role == GW_ROLE_ADMINISTRATOR;
}

static bool wants_two(gw_app *app, const struct gw_api_session *s, enum gw_method method, const void *request)
{
	static const struct { enum gw_method method; bool (*when)(gw_app *, const struct gw_api_session *, const void *); } rows[] = {
#define X(method_, when_) { GW_METHOD_##method_, when_ },
#include "gateway/app/eyes.def"
#undef X
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (rows[n].method == method) {
			return rows[n].when == NULL || rows[n].when(app, s, request);
		}
	}
	return false;
}

/* Is there anybody else who could say yes? With one administrator alone the rule would only lock him out. */
struct others { gw_app *app; const struct gw_api_session *s; bool any; };

static void look(const struct gw_auth_account *a, void *user_data)
{
	struct others *o = user_data;
	const char *own = g_str_has_prefix(o->s->subject, "account:") ? o->s->subject + strlen("account:") : "";
	bool could = !a->disabled && g_str_equal(a->role, "administrator") && !g_str_equal(a->name, own);
	o->any = o->any || (could && (a->division == NULL || gw_access_within(o->app->domain, o->s->division, a->division)));
}

/* The request without its secrets, in one line. */
static char *text_of(const json_t *params)
{
	g_autoptr(json_t) copy = json_copy((json_t *)(uintptr_t)params);
	json_object_del(copy, "password");
	g_autofree char *text = ort_json_text(copy);
	if (strlen(text) > TEXT_MAX) {
		text[TEXT_MAX] = '\0';
		const char *end;
		(void)g_utf8_validate(text, -1, &end);
		text[end - text] = '\0';
	}
	return g_steal_pointer(&text);
}

static enum gw_error wait_for_second(gw_app *app, const char *actor, const struct gw_approval_facts *f, char **ret_why)
{
	GError *err = NULL;
	if (gw_approval_use(app->domain, actor, f, gw_app_now())) {
		return GW_ERROR_N;
	}
	const char *id = gw_approval_ask(app->domain, actor, f, gw_app_now(), &err);
	if (id == NULL) {
		g_error_free(err);
		return GW_ERROR_LIMIT;
	}
	*ret_why = g_strdup(id);
	return GW_ERROR_APPROVAL;
}

enum gw_error gw_app_approve(const struct gw_api_session *s, enum gw_method method, const json_t *params, const void *request, char **ret_why,
			     void *user_data)
{
	gw_app *app = user_data;
	struct others o = { app, s, false };
	if (!ort_conf_bool(app->options.conf, "auth.four_eyes") || s->subject == NULL || !wants_two(app, s, method, request)) {
		return GW_ERROR_N;
	}
	g_autofree char *actor = gw_app_actor(s), *text = text_of(params);
	gw_auth_account_foreach(app->auth, look, &o);
	if (!o.any) {
		gw_app_remember(app, "approval.alone", actor, NULL, json_pack("{s:s,s:s}", "method", gw_methods[method].name, "text", text));
		return GW_ERROR_N;
	}
	if (!g_str_has_prefix(s->subject, "account:")) {
		*ret_why = g_strdup("a script cannot be answered for by two people");
		return GW_ERROR_FORBIDDEN;
	}
	g_autoptr(json_t) plain = json_copy((json_t *)(uintptr_t)params);
	json_object_del(plain, "password");
	g_autofree char *whole = ort_json_text(plain), *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, whole, -1);
	struct gw_approval_facts f = { s->subject, gw_methods[method].name, digest, text };
	return wait_for_second(app, actor, &f, ret_why);
}

/* ---- handlers ---- */
static void list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	g_autoptr(json_t) all = gw_approval_list(((gw_app *)user_data)->domain);
	for (size_t n = json_array_size(all); s->role == GW_ROLE_DISPATCHER && n-- > 0;) {
		if (g_strcmp0(json_string_value(json_object_get(json_array_get(all, n), "subject")), s->subject) != 0) {
			json_array_remove(all, n);
		}
	}
	gw_api_reply(call, &(struct gw_approval_list_reply){ all });
}

static void decide(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_approval_decide *in = request;
	g_autofree char *actor = gw_app_actor(s);
	GError *err = NULL;
	if (!g_str_has_prefix(s->subject, "account:")) {
		gw_api_fail(call, GW_ERROR_FORBIDDEN, "a script cannot approve");
		return;
	}
	bool ok = gw_approval_decide(app->domain, actor, s->subject, in->id, in->approve, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

void gw_app_bind_eyes(gw_app *app)
{
	gw_api_bind(app->api, GW_METHOD_APPROVAL_LIST, list, app);
	gw_api_bind(app->api, GW_METHOD_APPROVAL_DECIDE, decide, app);
}
