/* Handlers: who comes in. Set-up, log-in, accounts, devices, script tokens, and the opening of field links. */
#include <string.h>

#include "gateway/app/app_priv.h"
#include "gateway/app/rooms_priv.h"

enum gw_error gw_app_auth_error(enum gw_auth_error err)
{
	static const enum gw_error rows[GW_AUTH_N] = {
		[GW_AUTH_OK] = GW_ERROR_N,		     [GW_AUTH_CREDENTIALS] = GW_ERROR_CREDENTIALS,
		[GW_AUTH_LOCKED] = GW_ERROR_LOCKED_OUT,	     [GW_AUTH_BUSY] = GW_ERROR_RATE_LIMITED,
		[GW_AUTH_UNKNOWN] = GW_ERROR_UNAUTHENTICATED, [GW_AUTH_EXPIRED] = GW_ERROR_EXPIRED,
		[GW_AUTH_USED] = GW_ERROR_USED,		     [GW_AUTH_REVOKED] = GW_ERROR_REVOKED,
		[GW_AUTH_WEAK] = GW_ERROR_INVALID,	     [GW_AUTH_INVALID] = GW_ERROR_INVALID,
		[GW_AUTH_CONFLICT] = GW_ERROR_CONFLICT,	     [GW_AUTH_SECOND] = GW_ERROR_SECOND_FACTOR,
	};
	return rows[err];
}

/* ---- what gateway/api asks ---- */
static enum gw_error authenticate(const char *token, const char *remote, struct gw_api_identity *ret, void *user_data)
{
	gw_app *app = user_data;
	struct gw_auth_identity who;
	enum gw_auth_error err = gw_auth_check(app->auth, token, ort_now_us(), ort_wall_ms(), &who);
	if (err != GW_AUTH_OK) {
		return gw_app_auth_error(err);
	}
	const char *device = g_str_has_prefix(who.subject, "device:") ? who.subject + strlen("device:") : NULL;
	*ret = (struct gw_api_identity){ who.id, who.subject, who.name, (enum gw_role)gw_role_by_name(who.role), who.incident, who.scene,
					 who.expires_ms, device != NULL ? gw_access_division(app->domain, "wall", device) : who.division,
					 gw_app_is_limited(app, &who) };
	return GW_ERROR_N;
}

static bool lacks_factor(const struct gw_auth_identity *who)
{
	return g_str_equal(who->role, "administrator") && g_str_has_prefix(who->subject, "account:") && !who->second_factor;
}

bool gw_app_is_limited(const gw_app *app, const struct gw_auth_identity *who)
{
	return ort_conf_bool(app->options.conf, "auth.require_second_factor") && lacks_factor(who);
}

static bool touch(const struct gw_api_session *s, void *user_data)
{
	return gw_auth_touch(((gw_app *)user_data)->auth, s->auth, ort_now_us(), ort_wall_ms());
}

static void on_opened(struct gw_api_session *s, void *user_data)
{
	gw_app *app = user_data;
	const char *wall = gw_app_wall_of(s);
	if (wall != NULL) {
		gw_wall_online(app->domain, wall, true);
	}
	gw_app_room_session(app, s, true);
}

/* A screen is online while any page of it is open; each opening of its address is a credential of its own. */
struct others { const struct gw_api_session *but; const char *wall; unsigned n; };

static void count_other(struct gw_api_session *s, void *user_data)
{
	struct others *o = user_data;
	o->n += s != o->but && g_strcmp0(gw_app_wall_of(s), o->wall) == 0;
}

static void on_closed(struct gw_api_session *s, void *user_data)
{
	gw_app *app = user_data;
	struct others others = { s, gw_app_wall_of(s), 0 };
	gw_api_foreach(app->api, count_other, &others);
	if (others.wall != NULL && others.n == 0) {
		gw_wall_online(app->domain, others.wall, false);
	}
	gw_app_room_session(app, s, false);
	g_clear_pointer(&s->app, g_free);
}

const struct gw_api_ops gw_app_api_ops = { authenticate, touch, on_opened, on_closed, gw_app_may, gw_app_acting, gw_app_approve };

/* ---- sessions ---- */
static void fill(gw_app *app, struct gw_session_info *info, const char *subject, const char *name, int role, int64_t expires_ms,
		 const char *incident, const char *scene, const char *party)
{
	*info = (struct gw_session_info){ .subject = (char *)(uintptr_t)subject, .name = (char *)(uintptr_t)name, .role = role,
					  .expires_ms = expires_ms, .party = (char *)(uintptr_t)(scene != NULL ? scene : party),
					  .incident = (char *)(uintptr_t)incident, .scene = (char *)(uintptr_t)scene };
	if (incident != NULL) {
		g_autoptr(json_t) i = gw_incident_print(app->domain, incident);
		g_autofree char *text = g_strdup_printf("%s %s", json_string_value(json_object_get(i, "kind")),
							json_string_value(json_object_get(i, "place")));
		info->incident_text = g_steal_pointer(&text);
		info->drill = json_is_true(json_object_get(i, "drill"));
	}
}

static void reply_grant(gw_app *app, gw_api_call *call, const struct gw_auth_grant *grant)
{
	struct gw_session_info info;
	const struct gw_auth_identity *who = &grant->who;
	fill(app, &info, who->subject, who->name, gw_role_by_name(who->role), who->expires_ms, who->incident, who->scene, NULL);
	info.division = (char *)(uintptr_t)who->division;
	info.second_factor = who->second_factor;
	info.second_factor_wanted = lacks_factor(who);
	info.limited = gw_app_is_limited(app, who);
	if (grant->token != NULL) {
		gw_api_call_set_cookie(call, grant->token, who->expires_ms);
	}
	gw_api_reply(call, &info);
	g_free(info.incident_text);
}

static void whoami(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	struct gw_session_info info;
	fill(user_data, &info, s->subject, s->name, s->role, s->expires_ms, s->incident, s->scene, s->id);
	bool account = g_str_has_prefix(s->subject, "account:");
	info.division = s->division;
	info.limited = s->limited;
	info.second_factor = account && gw_auth_has_factor(((gw_app *)user_data)->auth, s->subject + strlen("account:"));
	info.second_factor_wanted = account && s->role == GW_ROLE_ADMINISTRATOR && !info.second_factor;
	gw_api_reply(call, &info);
	g_free(info.incident_text);
}

struct entry { gw_app *app; gw_api_call *call; char *name, *remote; const char *type; };

static struct entry *entry_new(gw_app *app, gw_api_call *call, const char *name, const char *remote, const char *type)
{
	struct entry *e = g_new0(struct entry, 1);
	*e = (struct entry){ app, call, g_strdup(name), g_strdup(remote), type };
	return e;
}

static void entry_free(struct entry *e)
{
	g_free(e->name);
	g_free(e->remote);
	g_free(e);
}

static void on_grant(enum gw_auth_error err, const struct gw_auth_grant *grant, int64_t retry_after_s, void *user_data)
{
	struct entry *e = user_data;
	g_autofree char *actor = g_strconcat("u:", e->name, NULL);
	gw_app_remember(e->app, e->type, actor, NULL,
			json_pack("{s:s,s:s}", "remote", e->remote, "result", gw_auth_error_names[err]));
	if (err == GW_AUTH_OK) {
		g_clear_pointer(&e->app->setup_token, g_free);
		reply_grant(e->app, e->call, grant);
	} else {
		gw_api_call_retry_after(e->call, retry_after_s);
		gw_api_fail(e->call, gw_app_auth_error(err), gw_auth_error_names[err]);
	}
	entry_free(e);
}

static void login(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_auth_login *in = request;
	struct gw_auth_attempt attempt = { in->name, in->password, in->code, s->source, s->remote };
	gw_auth_attempt(app->auth, &attempt, ort_now_us(), ort_wall_ms(), on_grant, entry_new(app, call, in->name, s->remote, "auth.login"));
}

static void setup_complete(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_setup_complete *in = request;
	gw_auth_setup(app->auth, in->token, in->name, in->password, s->source, ort_now_us(), ort_wall_ms(), on_grant,
		      entry_new(app, call, in->name, s->remote, "setup.complete"));
}

static void setup_state(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_api_reply(call, &(struct gw_setup_state_reply){ gw_auth_setup_needed(((gw_app *)user_data)->auth) });
}

static bool same_credential(const struct gw_api_session *s, void *user_data)
{
	return g_strcmp0(s->auth, user_data) == 0;
}

static void logout(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	g_autofree char *auth = g_strdup(s->auth);
	g_autofree char *actor = gw_app_actor(s);
	gw_app_remember(app, "auth.logout", actor, NULL, NULL);
	(void)gw_auth_logout(app->auth, auth);
	gw_rtc_close_owner(app->rtc, auth, "logged_out");
	gw_api_call_set_cookie(call, "", 0);
	gw_api_reply(call, NULL);
	(void)gw_api_end_matching(app->api, same_credential, auth, "logged_out");
}

/* ---- links and devices open ---- */
enum gw_error gw_app_open_link(gw_app *app, const char *token, const char *current, const char *remote, struct gw_auth_grant *ret,
			       const char **ret_why)
{
	GError *err = NULL;
	*ret_why = NULL;
	enum gw_auth_error rc = gw_auth_link_open(app->auth, token, current, remote, ort_now_us(), ort_wall_ms(), ret);
	if (rc != GW_AUTH_OK) {
		return rc == GW_AUTH_UNKNOWN ? GW_ERROR_NOT_FOUND : gw_app_auth_error(rc);
	}
	const char *link = ret->who.subject + strlen("link:");
	/* auth has bound the seat: the domain's word is about the incident (closed, revoked, expired). */
	if (!gw_link_open(app->domain, link, true, gw_app_now(), &err)) {
		static const enum gw_error rows[] = { [GW_DOMAIN_EXPIRED] = GW_ERROR_EXPIRED, [GW_DOMAIN_REVOKED] = GW_ERROR_REVOKED };
		bool known = err->code == GW_DOMAIN_EXPIRED || err->code == GW_DOMAIN_REVOKED;
		enum gw_error code = known ? rows[err->code] : GW_ERROR_NOT_FOUND;
		(void)gw_auth_link_revoke(app->auth, link);
		*ret_why = g_intern_string(err->message);
		g_error_free(err);
		return code;
	}
	return GW_ERROR_N;
}

static void link_open(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_token_ref *in = request;
	struct gw_auth_grant grant;
	const char *why;
	enum gw_error err = gw_app_open_link(app, in->token, s->auth, s->remote, &grant, &why);
	if (err != GW_ERROR_N) {
		gw_app_remember(app, "link.refused", "gateway", NULL,
				json_pack("{s:s,s:s}", "remote", s->remote, "result", gw_errors[err].name));
		gw_api_fail(call, err, why);
		return;
	}
	reply_grant(app, call, &grant);
}

static void device_open(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	struct gw_auth_grant grant;
	enum gw_auth_error err = gw_auth_device_open(app->auth, ((const struct gw_token_ref *)request)->token, s->remote, ort_now_us(),
						     ort_wall_ms(), &grant);
	gw_app_remember(app, "device.opened", "gateway", NULL,
			json_pack("{s:s,s:s}", "remote", s->remote, "result", gw_auth_error_names[err]));
	if (err != GW_AUTH_OK) {
		gw_api_fail(call, gw_app_auth_error(err), NULL);
		return;
	}
	reply_grant(app, call, &grant);
}

/* ---- accounts ---- */
static void add_account(const struct gw_auth_account *a, void *user_data)
{
	struct gw_account row = { (char *)(uintptr_t)a->name, (char *)(uintptr_t)a->display, gw_role_by_name(a->role), a->disabled,
				  a->created_ms, a->last_login_ms, (char *)(uintptr_t)a->division, a->second_factor };
	g_array_append_val((GArray *)user_data, row);
}

static void account_list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	g_autoptr(GArray) rows = g_array_new(FALSE, TRUE, sizeof(struct gw_account));
	gw_auth_account_foreach(((gw_app *)user_data)->auth, add_account, rows);
	gw_api_reply(call, &(struct gw_account_list_reply){ { rows->data, rows->len } });
}

static bool same_subject(const struct gw_api_session *s, void *user_data)
{
	return g_strcmp0(s->subject, user_data) == 0;
}

static bool without_credential(const struct gw_api_session *s, void *user_data)
{
	return s->auth != NULL && !gw_auth_touch(((gw_app *)user_data)->auth, s->auth, ort_now_us(), ort_wall_ms());
}

static void on_account(enum gw_auth_error err, const char *why, void *user_data)
{
	struct entry *e = user_data;
	gw_app_remember(e->app, e->type, e->remote, NULL, json_pack("{s:s,s:s}", "account", e->name, "result", gw_auth_error_names[err]));
	if (err == GW_AUTH_OK) {
		(void)gw_api_end_matching(e->app->api, without_credential, e->app, "account_changed");
		gw_app_ack(e->app, e->call, gw_ack_empty, NULL, NULL, 0);
	} else {
		gw_api_fail(e->call, gw_app_auth_error(err), why);
	}
	entry_free(e);
}

static void account_put(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_account_put *in = request;
	g_autofree char *actor = gw_app_actor(s);
	struct gw_auth_account known;
	bool fresh = !gw_auth_account_info(app->auth, in->name, &known);
	const char *division = in->division == NULL && fresh ? s->division : in->division;	/* what it makes stands below its maker */
	struct gw_auth_account_put put = { in->name, gw_role_names[in->role], in->password, in->display, in->disabled, division };
	gw_auth_account_put(app->auth, &put, ort_wall_ms(), on_account, entry_new(app, call, in->name, actor, "account.put"));
}

static void account_remove(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_name_ref *in = request;
	g_autofree char *actor = gw_app_actor(s);
	g_autofree char *subject = g_strconcat("account:", in->name, NULL);
	enum gw_auth_error err = gw_auth_account_remove(app->auth, in->name);
	if (err == GW_AUTH_OK) {
		(void)gw_api_end_matching(app->api, same_subject, subject, "account_removed");
	}
	on_account(err, NULL, entry_new(app, call, in->name, actor, "account.removed"));
}

static void account_password(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_account_password *in = request;
	g_autofree char *actor = gw_app_actor(s);
	if (!g_str_has_prefix(s->subject, "account:")) {
		gw_api_fail(call, GW_ERROR_FORBIDDEN, "a script has no password");
		return;
	}
	const char *name = s->subject + strlen("account:");	/* s->name is the shown one */
	gw_auth_password(app->auth, name, in->old, in->new, s->source, ort_now_us(), ort_wall_ms(), on_account,
			 entry_new(app, call, name, actor, "account.password"));
}

/* ---- devices ---- */
static void reply_device(struct gw_ack *ack)
{
	g_autofree char *url = g_strconcat(ack->app->url, ack->n != 0 ? "/wall#" : "/room#", ack->extra, NULL);
	gw_api_reply(ack->call, &(struct gw_device_issue_reply){ ack->id, url, ack->extra });
}

static void device_issue(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_device_issue *in = request;
	g_autofree char *actor = gw_app_actor(s), *id = NULL;
	g_autofree char *token = gw_auth_device_issue(app->auth, in->kind, in->name, ort_wall_ms(), &id);
	bool wall = g_strcmp0(in->kind, "wall") == 0;
	if (token == NULL) {
		gw_api_fail(call, GW_ERROR_INVALID, "kind: wall or room; name: 1 to 64 characters");
		return;
	}
	if (wall) {
		gw_wall_add(app->domain, id, in->name);
	} else {
		struct gw_room_facts room = { .device = id, .name = in->name };
		(void)gw_room_put(app->domain, actor, &room, gw_app_now(), NULL);
		gw_app_rooms_changed(app);
	}
	gw_access_made(app->domain, actor, "wall", id, gw_app_now());
	gw_app_remember(app, "device.issued", actor, NULL, json_pack("{s:s,s:s,s:s}", "device", id, "kind", in->kind, "name", in->name));
	gw_app_ack(app, call, reply_device, id, token, wall);
}

struct devices { gw_app *app; GArray *rows; };

static void add_device(const struct gw_auth_device *d, void *user_data)
{
	const struct devices *all = user_data;
	struct gw_device row = { (char *)(uintptr_t)d->id, (char *)(uintptr_t)d->kind, (char *)(uintptr_t)d->name, d->issued_ms, d->used_ms,
				 d->revoked, (char *)(uintptr_t)gw_access_division(all->app->domain, "wall", d->id) };
	g_array_append_val(all->rows, row);
}

static void device_list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	g_autoptr(GArray) rows = g_array_new(FALSE, TRUE, sizeof(struct gw_device));
	gw_auth_device_foreach(((gw_app *)user_data)->auth, add_device, &(struct devices){ user_data, rows });
	gw_api_reply(call, &(struct gw_device_list_reply){ { rows->data, rows->len } });
}

static void device_revoke(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_id_ref *in = request;
	g_autofree char *actor = gw_app_actor(s);
	g_autofree char *subject = g_strconcat("device:", in->id, NULL);
	if (!gw_auth_device_revoke(app->auth, in->id)) {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
		return;
	}
	(void)gw_api_end_matching(app->api, same_subject, subject, "revoked");
	(void)gw_room_remove(app->domain, actor, in->id, gw_app_now(), NULL);
	gw_app_remember(app, "device.revoked", actor, NULL, json_pack("{s:s}", "device", in->id));
	gw_app_ack(app, call, gw_ack_empty, NULL, NULL, 0);
}

/* ---- script tokens ---- */
static void reply_token(struct gw_ack *ack)
{
	gw_api_reply(ack->call, &(struct gw_token_issue_reply){ ack->id, ack->extra, ack->n });
}

static void token_issue(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_token_issue *in = request;
	int64_t expires_ms = in->expires_ms;
	g_autofree char *actor = gw_app_actor(s), *id = NULL;
	g_autofree char *token = gw_auth_token_issue(app->auth, in->name, gw_role_names[in->role], ort_wall_ms(), &expires_ms, &id);
	if (token == NULL) {
		gw_api_fail(call, GW_ERROR_INVALID, "name or role");
		return;
	}
	gw_app_remember(app, "token.issued", actor, NULL, json_pack("{s:s,s:s,s:s}", "token", id, "name", in->name, "role", gw_role_names[in->role]));
	gw_app_ack(app, call, reply_token, id, token, expires_ms);
}

static void add_token(const struct gw_auth_token *t, void *user_data)
{
	struct gw_token row = { (char *)(uintptr_t)t->id, (char *)(uintptr_t)t->name, gw_role_by_name(t->role), t->issued_ms, t->expires_ms,
				t->used_ms };
	g_array_append_val((GArray *)user_data, row);
}

static void token_list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	g_autoptr(GArray) rows = g_array_new(FALSE, TRUE, sizeof(struct gw_token));
	gw_auth_token_foreach(((gw_app *)user_data)->auth, add_token, rows);
	gw_api_reply(call, &(struct gw_token_list_reply){ { rows->data, rows->len } });
}

static void token_revoke(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_id_ref *in = request;
	g_autofree char *actor = gw_app_actor(s);
	if (!gw_auth_token_revoke(app->auth, in->id)) {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
		return;
	}
	(void)gw_api_end_matching(app->api, without_credential, app, "revoked");
	gw_app_remember(app, "token.revoked", actor, NULL, json_pack("{s:s}", "token", in->id));
	gw_app_ack(app, call, gw_ack_empty, NULL, NULL, 0);
}

/* ---- start ---- */
static void save(const char *kind, const char *key, json_t *record, void *user_data)
{
	gw_store_put(((gw_app *)user_data)->store, kind, key, record);
}

static void forget(const char *kind, const char *key, void *user_data)
{
	gw_store_remove(((gw_app *)user_data)->store, kind, key);
}

static void run(void (*work)(void *job), void (*done)(void *job), void *job, void *user_data)
{
	gw_auth_worker_run(work, done, job, ((gw_app *)user_data)->hasher);
}

struct load { gw_app *app; const char *kind; };

static void load(const char *key, json_t *doc, void *user_data)
{
	const struct load *l = user_data;
	if (gw_auth_load(l->app->auth, l->kind, key, doc, ort_now_us(), ort_wall_ms()) < 0) {
		ort_log(ORT_LOG_WARNING, "auth", "auth.record", "a stored record does not read and is skipped", ORT_S("kind", l->kind),
			ORT_S("key", key));
	}
}

static void know_wall(const struct gw_auth_device *d, void *user_data)
{
	if (g_str_equal(d->kind, "wall") && !d->revoked) {
		gw_wall_add(((gw_app *)user_data)->domain, d->id, d->name);
	}
}

bool gw_app_auth_start(gw_app *app)
{
	static const char *const kinds[] = { "account", "session", "link", "device", "token" };
	const ort_conf *conf = app->options.conf;
	struct gw_auth_limits limits = { .memory_kib = (uint32_t)ort_conf_int(conf, "auth.hash_memory_kib"),
					 .link_open_ms = ort_conf_int(conf, "link.first_use"),
					 .link_life_ms = ort_conf_int(conf, "link.life") };
	app->hasher = gw_auth_worker_start(app->context);
	app->auth = gw_auth_new(&(struct gw_auth_ops){ save, forget, run }, &limits, app);
	for (unsigned n = 0; n < G_N_ELEMENTS(kinds); n++) {
		gw_store_load(app->store, kinds[n], load, &(struct load){ app, kinds[n] });
	}
	gw_auth_device_foreach(app->auth, know_wall, app);
	app->setup_token = gw_auth_setup_token(app->auth);
	return true;
}

char *gw_app_link_url(const gw_app *app, const char *token)
{
	return g_strconcat(app->url, "/j/", token, NULL);
}

void gw_app_bind_people(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_SETUP_STATE, setup_state },	    { GW_METHOD_SETUP_COMPLETE, setup_complete },
		{ GW_METHOD_AUTH_LOGIN, login },	    { GW_METHOD_AUTH_LOGOUT, logout },
		{ GW_METHOD_AUTH_WHOAMI, whoami },	    { GW_METHOD_LINK_OPEN, link_open },
		{ GW_METHOD_DEVICE_OPEN, device_open },	    { GW_METHOD_ACCOUNT_LIST, account_list },
		{ GW_METHOD_ACCOUNT_PUT, account_put },	    { GW_METHOD_ACCOUNT_REMOVE, account_remove },
		{ GW_METHOD_ACCOUNT_PASSWORD, account_password }, { GW_METHOD_DEVICE_ISSUE, device_issue },
		{ GW_METHOD_DEVICE_LIST, device_list },	    { GW_METHOD_DEVICE_REVOKE, device_revoke },
		{ GW_METHOD_TOKEN_ISSUE, token_issue },	    { GW_METHOD_TOKEN_LIST, token_list },
		{ GW_METHOD_TOKEN_REVOKE, token_revoke },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
}
