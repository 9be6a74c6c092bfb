/* Handlers: call-and-acknowledge (叫应). Who confirms, by a page of ours, joins the conference by the same act. */
#include <string.h>

#include "gateway/app/callack_priv.h"
#include "gateway/app/calls_priv.h"
#include "gateway/app/rooms_priv.h"

static void reply_callack(struct gw_ack *ack)
{
	g_autoptr(json_t) o = gw_callack_print(ack->app->domain, ack->id);
	if (o != NULL) {
		gw_api_reply(ack->call, &(struct gw_raw){ o });
	} else {
		gw_api_fail(ack->call, GW_ERROR_NOT_FOUND, NULL);
	}
}

/* ---- life ---- */
static void way_free(gpointer p)
{
	struct gw_app_way *w = p;
	g_free(w->id);
	g_free(w->why);
	g_free(w);
}

void gw_app_callacks_start(gw_app *app)
{
	app->callacks = g_new0(struct gw_app_callacks, 1);
	app->callacks->dirty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	app->callacks->ways = g_hash_table_new_full(NULL, NULL, way_free, NULL);
}

void gw_app_callacks_stop(gw_app *app)
{
	if (app->callacks == NULL) {
		return;
	}
	if (app->callacks->idle != 0) {
		g_source_remove(app->callacks->idle);
	}
	g_hash_table_unref(app->callacks->dirty);
	g_hash_table_unref(app->callacks->ways);
	g_clear_pointer(&app->callacks, g_free);
}

/* ---- telling ---- */
void gw_app_callack_changed(gw_app *app, const struct gw_action *a)
{
	g_hash_table_add(app->callacks->dirty, g_strdup(a->id));
	gw_app_rooms_changed(app);
}

static void mark(const char *id, void *user_data)
{
	g_hash_table_add(((gw_app *)user_data)->callacks->dirty, g_strdup(id));
}

void gw_app_callack_conference(gw_app *app, const char *conference)
{
	gw_callack_of(app->domain, conference, mark, app);
}

static bool is_staff(const struct gw_api_session *s, void *ud)
{
	return s->role >= GW_ROLE_ADMINISTRATOR && s->role <= GW_ROLE_AUDITOR;
}

void gw_app_callack_flush(gw_app *app)
{
	GHashTableIter it;
	char *id;
	g_hash_table_iter_init(&it, app->callacks->dirty);
	while (g_hash_table_iter_next(&it, (gpointer *)&id, NULL)) {
		g_autoptr(json_t) o = gw_callack_print(app->domain, id);
		gw_api_broadcast(app->api, is_staff, NULL, GW_EVENT_CALLACK_CHANGED, &(struct gw_ev_callack){ o });
	}
	g_hash_table_remove_all(app->callacks->dirty);
}

/* ---- making and ending ---- */
static const char *open_both(gw_app *app, const char *actor, const struct gw_callack_open *in, GError **err)
{
	struct gw_now now = gw_app_now();
	struct gw_conference_facts f = { .name = in->name != NULL ? in->name : "叫应", .incident = in->incident, .drill = in->drill };
	const char *conference = in->conference != NULL ? in->conference : gw_conference_open(app->domain, actor, &f, now, err);
	const char *id = conference != NULL ? gw_callack_open(app->domain, actor, conference, in->text, in->rows, now, err) : NULL;
	if (id == NULL && conference != NULL && in->conference == NULL) {
		(void)gw_conference_close(app->domain, actor, conference, "the call was refused", now, NULL);
	}
	return id;
}

/* An account of a division calls its own sites and people only. */
static bool may_call(gw_app *app, const struct gw_api_session *s, const json_t *rows)
{
	static const char *const kinds[] = { "site", "person" };
	size_t n;
	const json_t *row;
	json_array_foreach(rows, n, row) {
		for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++) {
			const char *id = json_string_value(json_object_get(row, kinds[k]));
			if (s->division != NULL && id != NULL && !gw_access_may(app->domain, s->division, kinds[k], id, true)) {
				return false;
			}
		}
	}
	return true;
}

static void open_callack(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	if (!may_call(app, s, ((const struct gw_callack_open *)request)->rows)) {
		gw_api_fail(call, GW_ERROR_FORBIDDEN, "rows: of another division");
		return;
	}
	if (gw_app_refuse_writes(app, call)) {
		return;
	}
	const char *id = open_both(app, actor, request, &err);
	gw_app_rearm(app);
	gw_app_answer(app, call, id != NULL, err, reply_callack, id);
}

static void close_callack(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const char *id = ((const struct gw_id_ref *)request)->id;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_callack_close(app->domain, actor, id, "ended", gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, reply_callack, id);
}

/* ---- confirming ---- */
static void reply_acked(struct gw_ack *ack)
{
	const char *conference = gw_party_conference(ack->app->domain, ack->id);
	g_autofree char *audio = conference != NULL ? g_strdup_printf("mix.%s.a.%s", conference, ack->id) : NULL;
	g_autofree char *video = conference != NULL ? g_strdup_printf("mix.%s.v.program.H264.720", conference) : NULL;
	gw_api_reply(ack->call, &(struct gw_callack_ack_reply){ (char *)(uintptr_t)(conference != NULL ? ack->id : NULL),
								conference != NULL ? (char *)(uintptr_t)conference : ack->extra, audio, video });
}

/* The phone's page is a seat of the conference from now on. */
static char *enter_phone(gw_app *app, const struct gw_api_session *s, const char *id, int row)
{
	g_autofree char *address = gw_app_seat_address(s);
	struct gw_party_facts f = { .name = s->name, .address = address, .kind = GW_PARTY_BROWSER };
	char *party = g_strdup(gw_party_enter(app->domain, address, gw_callack_conference(app->domain, id), &f, gw_app_now(), NULL));
	if (party != NULL) {
		gw_callack_joined(app->domain, id, row, party, gw_app_now());
		gw_app_seat_taken(app, party);
	}
	return party;
}

/* May this session confirm that row, and by which way? false = refused and answered. */
static bool may_confirm(gw_app *app, const struct gw_api_session *s, const char *id, int row, int *io_way, gw_api_call *call)
{
	struct gw_callack_row_info info;
	bool staff = s->role == GW_ROLE_ADMINISTRATOR || s->role == GW_ROLE_DISPATCHER;
	for (int n = 0; gw_callack_look(app->domain, id, row, n, &info); n++) {
		bool mine = info.channel == GW_CALLACK_PAGE && (staff ? strcmp(info.to, "console") == 0 : g_strcmp0(info.to, s->subject) == 0);
		if (mine && *io_way < 0) {
			*io_way = n;
		}
	}
	if (!staff && *io_way < 0) {
		gw_api_fail(call, GW_ERROR_FORBIDDEN, "only what sounds here");
		return false;
	}
	return true;
}

static void ack_row(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_callack_ack *in = request;
	g_autofree char *actor = gw_app_actor(s), *id = g_strdup(in->callack), *party = NULL;
	int row = (int)in->row, way = -1;
	GError *err = NULL;
	if (s->role == GW_ROLE_FIELD) {
		g_clear_pointer(&id, g_free);
		if (!gw_app_callack_scene(s->scene, &id, &row, &way)) {
			gw_api_fail(call, GW_ERROR_FORBIDDEN, "this link is of an incident");
			return;
		}
	} else if (id == NULL || !may_confirm(app, s, id, row, &way, call)) {
		if (id == NULL) {
			gw_api_fail(call, GW_ERROR_INVALID, "callack: which");
		}
		return;
	}
	if (!gw_callack_ack(app->domain, actor, id, row, way, gw_app_now(), &err)) {
		gw_app_fail(call, err);
		return;
	}
	if (s->role == GW_ROLE_FIELD) {
		party = enter_phone(app, s, id, row);
	} else if (gw_app_room_of(s) == NULL) {	/* a console joins by itself, then says it again */
		party = g_strdup(gw_app_seat_of(app, s, gw_callack_conference(app->domain, id)));
		gw_callack_joined(app->domain, id, row, party, gw_app_now());
	}
	gw_app_rearm(app);
	gw_app_ack(app, call, reply_acked, party != NULL ? party : "", gw_callack_conference(app->domain, id), 0);
}

static void seen(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_callack_ack *in = request;
	int way = -1;
	if (in->callack == NULL || !may_confirm(app, s, in->callack, (int)in->row, &way, call)) {
		if (in->callack == NULL) {
			gw_api_fail(call, GW_ERROR_INVALID, "callack: which");
		}
		return;
	}
	(void)gw_callack_way(app->domain, in->callack, (int)in->row, way, GW_WAY_DELIVERED, NULL, gw_app_now());
	gw_api_reply(call, NULL);
}

/* ---- phones ---- */
static void reply_link(struct gw_ack *ack)
{
	gw_api_reply(ack->call, &(struct gw_callack_link_reply){ ack->extra, ack->n });
}

static void make_link(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_callack_ack *in = request;
	struct gw_callack_row_info info;
	int64_t expires_ms = 0;
	int way = 0;
	for (int n = 0; gw_callack_look(app->domain, in->callack, (int)in->row, n, &info); n++) {
		way = info.channel == GW_CALLACK_LINK ? n : way;
	}
	g_autofree char *url = gw_app_callack_link(app, in->callack, (int)in->row, way, &expires_ms);
	g_autofree char *actor = gw_app_actor(s);
	if (url == NULL) {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, "no such row");
		return;
	}
	gw_app_remember(app, "callack.link", actor, NULL, json_pack("{s:s,s:I}", "callack", in->callack, "row", (json_int_t)in->row));
	gw_app_ack(app, call, reply_link, in->callack, url, expires_ms);
}

static void tell_phone(gw_app *app, gw_api_call *call, const char *scene, const char *name)
{
	g_autofree char *id = NULL;
	int row, way;
	struct gw_callack_row_info info;
	bool known = gw_app_callack_scene(scene, &id, &row, &way) && gw_callack_look(app->domain, id, row, way, &info);
	g_autoptr(json_t) o = known ? gw_callack_print(app->domain, id) : NULL;
	if (o == NULL) {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
		return;
	}
	(void)gw_callack_way(app->domain, id, row, way, GW_WAY_RINGING, NULL, gw_app_now());	/* it is being read */
	gw_app_rearm(app);
	gw_api_reply(call, &(struct gw_callack_phone){ id, (char *)(uintptr_t)name, (char *)(uintptr_t)json_string_value(json_object_get(o, "text")),
						       (char *)(uintptr_t)ort_conf_str(app->options.conf, "node.name"),
						       (char *)(uintptr_t)json_string_value(json_object_get(o, "state")), info.acked,
						       json_is_true(json_object_get(o, "drill")), json_integer_value(json_object_get(o, "opened_ms")) });
}

static void link_open(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	static const enum gw_error errors[GW_AUTH_N] = {
		[GW_AUTH_UNKNOWN] = GW_ERROR_NOT_FOUND, [GW_AUTH_EXPIRED] = GW_ERROR_EXPIRED, [GW_AUTH_USED] = GW_ERROR_USED, [GW_AUTH_REVOKED] = GW_ERROR_REVOKED,
	};
	gw_app *app = user_data;
	struct gw_auth_grant grant;
	enum gw_auth_error rc = gw_auth_link_open(app->auth, ((const struct gw_token_ref *)request)->token, s->auth, s->remote, ort_now_us(),
						  ort_wall_ms(), &grant);
	if (rc != GW_AUTH_OK || !g_str_has_prefix(grant.who.scene, "ca-")) {
		gw_api_fail(call, rc != GW_AUTH_OK ? errors[rc] : GW_ERROR_NOT_FOUND, NULL);
		return;
	}
	g_autofree char *scene = g_strdup(grant.who.scene), *name = g_strdup(grant.who.name);
	if (grant.token != NULL) {
		gw_api_call_set_cookie(call, grant.token, grant.who.expires_ms);
	}
	tell_phone(app, call, scene, name);
}

/* ---- reading ---- */
static void get(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	g_autoptr(json_t) o = gw_callack_print(((gw_app *)user_data)->domain, ((const struct gw_id_ref *)request)->id);
	if (o != NULL) {
		gw_api_reply(call, &(struct gw_raw){ o });
	} else {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
	}
}

static void list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_callack_list *in = request;
	g_autoptr(json_t) all = gw_callack_list(((gw_app *)user_data)->domain, in->open_only, in->limit > 0 ? (unsigned)in->limit : 20);
	gw_api_reply(call, &(struct gw_callack_list_reply){ all });
}

void gw_app_bind_callack(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_CALLACK_OPEN, open_callack }, { GW_METHOD_CALLACK_CLOSE, close_callack }, { GW_METHOD_CALLACK_ACK, ack_row },
		{ GW_METHOD_CALLACK_SEEN, seen },	  { GW_METHOD_CALLACK_LINK, make_link },	      { GW_METHOD_CALLACK_LINK_OPEN, link_open },
		{ GW_METHOD_CALLACK_GET, get },		  { GW_METHOD_CALLACK_LIST, list },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
}
