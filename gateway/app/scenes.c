/* Handlers: field links, scenes, talk. */
#include <string.h>

#include "gateway/app/app_priv.h"
#include "gateway/app/callack_priv.h"
#include "gateway/app/rooms_priv.h"

/* ---- links ---- */

static void reply_link(struct gw_ack *ack)
{
	char *scene = (char *)(uintptr_t)gw_link_scene(ack->app->domain, ack->id);
	gw_api_reply(ack->call, &(struct gw_link_issue_reply){ { ack->id, scene, ack->extra, ack->n } });
}

static void on_link_pushed(const struct gw_push_result *r, void *user_data)
{
	gw_app_remember(user_data, r->ok ? "webhook.delivered" : "webhook.failed", "gateway", NULL,
			json_pack("{s:s,s:i,s:s}", "event", "link.issued", "status", r->status, "why", r->why != NULL ? r->why : ""));
}

/* The directory's number, when the dispatcher gave none. */
static char *phone_of(gw_app *app, const struct gw_link_issue *in)
{
	g_autoptr(json_t) all = gw_directory_print(app->domain);
	size_t n;
	json_t *p;
	json_array_foreach(json_object_get(all, "people"), n, p) {
		if (in->phone == NULL && g_strcmp0(json_string_value(json_object_get(p, "id")), in->person) == 0) {
			return g_strdup(json_string_value(json_object_get(p, "phone")));
		}
	}
	return g_strdup(in->phone);
}

/* The webhook is the one way by which a link's secret leaves through us: the officer's SMS gateway needs it. */
static void push_link(gw_app *app, const struct gw_link_issue *in, const char *name, const char *url, int64_t expires_ms)
{
	g_autoptr(json_t) incident = gw_incident_print(app->domain, in->incident);
	g_autofree char *phone = phone_of(app, in);
	g_autoptr(json_t) body = json_pack("{s:s,s:s,s:s?,s:s?,s:I,s:s,s:O,s:O}", "url", url, "name", name, "phone", phone, "person", in->person,
					   "expires_ms", (json_int_t)expires_ms, "incident", in->incident, "place",
					   json_object_get(incident, "place"), "drill", json_object_get(incident, "drill"));
	(void)gw_app_outward(app, "link.issued", body, gw_incident_is_drill(app->domain, in->incident), on_link_pushed, app);
}

char *gw_app_link_make(gw_app *app, const char *actor, const char *incident, const char *guest, int64_t *ret_expires_ms, GError **err)
{
	const char *link, *scene;
	if (!gw_link_issue(app->domain, actor, incident, NULL, guest, gw_app_now(), &link, &scene, ret_expires_ms, err)) {
		return NULL;
	}
	struct gw_auth_link seat = { link, incident, scene, gw_scene_name(app->domain, scene) };
	return gw_auth_link_issue(app->auth, &seat, ort_wall_ms(), ret_expires_ms);
}

static void issue(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_link_issue *in = request;
	GError *err = NULL;
	const char *link, *scene;
	int64_t expires_ms;
	bool by_webhook = g_strcmp0(in->channel, "webhook") == 0;
	g_autofree char *actor = gw_app_actor(s);
	if (by_webhook && app->push == NULL) {
		gw_api_fail(call, GW_ERROR_UNAVAILABLE, "no webhook is configured (webhook.url)");
		return;
	}
	if (gw_app_refuse_writes(app, call)) {
		return;
	}
	if (!gw_link_issue(app->domain, actor, in->incident, in->person, in->guest_name, gw_app_now(), &link, &scene, &expires_ms,
			   &err)) {
		gw_app_fail(call, err);
		return;
	}
	const char *name = gw_scene_name(app->domain, scene);
	struct gw_auth_link seat = { link, in->incident, scene, name };
	g_autofree char *token = gw_auth_link_issue(app->auth, &seat, ort_wall_ms(), &expires_ms);
	g_autofree char *url = gw_app_link_url(app, token);
	if (by_webhook) {
		push_link(app, in, name, url, expires_ms);
	}
	gw_app_ack(app, call, reply_link, link, url, expires_ms);
}

static void revoke_link(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_link_revoke *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_link_revoke(app->domain, actor, in->link, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

/* ---- what the phone says ---- */
static void position(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_scene_position *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	struct gw_position p = { in->lat, in->lon, in->accuracy_m, in->at_ms != 0 ? in->at_ms : ort_wall_ms() };
	if (!gw_scene_position(app->domain, actor, s->scene, &p, gw_app_now(), &err)) {
		gw_app_fail(call, err);
		return;
	}
	gw_api_reply(call, NULL);
}

static void stamp(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	static const struct { int kind; enum gw_step step; } proofs[] = {
		{ GW_STAMP_CAMERA_GRANTED, GW_STEP_CAMERA_GRANTED }, { GW_STAMP_HEARD_DISPATCHER, GW_STEP_HEARD_DISPATCHER },
	};
	gw_app *app = user_data;
	const struct gw_scene_stamp *in = request;
	GError *err = NULL;
	bool ok = true, proof = false;
	g_autofree char *actor = gw_app_actor(s);
	for (unsigned n = 0; n < G_N_ELEMENTS(proofs); n++) {
		if (proofs[n].kind == in->kind) {
			proof = true;
			ok = gw_scene_stamp(app->domain, actor, s->scene, proofs[n].step,
					    in->at_ms != 0 ? in->at_ms : ort_wall_ms(), gw_app_now(), &err);
		}
	}
	if (!proof) {
		ok = gw_scene_event(app->domain, actor, s->scene, gw_scene_stamp_names[in->kind], in->detail, gw_app_now(), &err);
	}
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

static const char *own_or(const struct gw_api_session *s, const char *scene)
{
	return s->role == GW_ROLE_FIELD ? s->scene : scene;
}

static void mute(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_scene_mute *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_scene_mute(app->domain, actor, own_or(s, in->scene), in->on, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

static void remove_scene(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_scene_ref *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_scene_remove(app->domain, actor, in->scene, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

static void note(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_scene_note *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	const char *scene = own_or(s, in->scene);
	bool ok = gw_incident_note(app->domain, actor, gw_scene_incident(app->domain, scene), scene, in->text, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

/* The talking party is the connection by which this console publishes its microphone. */
static void talk(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_talk_set *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	const char *party = s->app;
	bool all = in->scenes == NULL || in->scenes[0] == NULL || g_strcmp0(in->scenes[0], "*") == 0;
	if (party == NULL) {
		gw_api_fail(call, GW_ERROR_STATE, "this console does not publish a microphone");
		return;
	}
	if (!gw_talk_set(app->domain, actor, in->incident, party, all ? NULL : (const char *const *)in->scenes, in->on, gw_app_now(),
			 &err)) {
		gw_app_fail(call, err);
		return;
	}
	gw_api_reply(call, NULL);
}

void gw_app_bind_scenes(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_LINK_ISSUE, issue },	 { GW_METHOD_LINK_REVOKE, revoke_link },
		{ GW_METHOD_SCENE_POSITION, position },	 { GW_METHOD_SCENE_STAMP, stamp },
		{ GW_METHOD_SCENE_MUTE, mute },		 { GW_METHOD_SCENE_REMOVE, remove_scene },
		{ GW_METHOD_SCENE_NOTE, note },		 { GW_METHOD_TALK_SET, talk },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
}
