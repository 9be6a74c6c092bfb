/* Rooms that have only a browser: their pages are rung, answer, and are told what changed. A room's seat is its device, not the
 * session: a page that was started again is the same party and comes back into its call. */
#include <string.h>

#include "gateway/app/calls_priv.h"
#include "gateway/app/rooms_priv.h"

#define INVITES 8	/* links that one room may make in INVITE_US */
#define INVITE_US (600 * ORT_US_PER_S)

struct room {		/* what is known of it only while we run */
	json_t *told;	/* last state that pages were sent */
	struct gw_room_report report;
	int64_t report_ms, invited_us;
	unsigned invites;
};
struct gw_app_rooms { GHashTable *rooms; bool dirty; };

static void room_free(gpointer p)
{
	struct room *r = p;
	json_decref(r->told);
	g_free(r->report.agent);
	g_free(r);
}

void gw_app_rooms_start(gw_app *app)
{
	app->rooms = g_new0(struct gw_app_rooms, 1);
	app->rooms->rooms = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, room_free);
}

void gw_app_rooms_stop(gw_app *app)
{
	if (app->rooms != NULL) {
		g_hash_table_unref(app->rooms->rooms);
		g_clear_pointer(&app->rooms, g_free);
	}
}

static struct room *obtain(gw_app *app, const char *device)
{
	struct room *r = g_hash_table_lookup(app->rooms->rooms, device);
	if (r == NULL) {
		r = g_new0(struct room, 1);
		g_hash_table_insert(app->rooms->rooms, g_strdup(device), r);
	}
	return r;
}

const char *gw_app_room_of(const struct gw_api_session *s)
{
	bool room = s->role == GW_ROLE_ROOM && s->subject != NULL && g_str_has_prefix(s->subject, "device:");
	return room ? s->subject + strlen("device:") : NULL;
}

/* ---- who is connected ---- */
struct pages { const char *device; const struct gw_api_session *but; unsigned n; };

static void count_page(struct gw_api_session *s, void *user_data)
{
	struct pages *p = user_data;
	p->n += s != p->but && g_strcmp0(gw_app_room_of(s), p->device) == 0;
}

unsigned gw_app_room_pages(gw_app *app, const char *device, const struct gw_api_session *but)
{
	struct pages p = { device, but, 0 };
	gw_api_foreach(app->api, count_page, &p);
	return p.n;
}

/* ---- telling ---- */
static bool is_taken(gw_app *app, const char *party)
{
	gw_leg *leg = party != NULL ? gw_rtc_by_party(app->rtc, gw_party_streams(app->domain, party)) : NULL;
	return leg != NULL && gw_rtc_owner(leg) != NULL && gw_api_session_by_id(app->api, gw_rtc_owner(leg)) != NULL;
}

static json_t *health_json(const struct room *r)
{
	json_t *o = r->report_ms != 0 ? ort_json_print(&gw_table_room_report, &r->report) : json_null();
	if (json_is_object(o)) {
		json_object_set_new(o, "at_ms", json_integer(r->report_ms));
	}
	return o;
}

json_t *gw_app_room_print(gw_app *app, const char *device)
{
	json_t *o = gw_room_print(app->domain, device);
	json_t *call = json_object_get(o, "call");
	if (o == NULL) {
		return NULL;
	}
	if (json_is_object(call)) {
		json_object_set_new(call, "taken", json_boolean(is_taken(app, json_string_value(json_object_get(call, "party")))));
	}
	json_t *siren = gw_callack_siren(app->domain, json_string_value(json_object_get(o, "address")));
	json_object_set_new(o, "siren", siren != NULL ? siren : json_null());
	json_object_set_new(o, "online", json_integer(gw_app_room_pages(app, device, NULL)));
	json_object_set_new(o, "health", health_json(obtain(app, device)));
	return o;
}

void gw_app_rooms_changed(gw_app *app)
{
	app->rooms->dirty = true;
	gw_app_flush_soon(app);
}

struct listener { const char *device; };

static bool hears(const struct gw_api_session *s, void *user_data)
{
	bool staff = s->role >= GW_ROLE_ADMINISTRATOR && s->role <= GW_ROLE_AUDITOR;
	return staff || g_strcmp0(gw_app_room_of(s), ((const struct listener *)user_data)->device) == 0;
}

static void flush_room(const char *device, void *user_data)
{
	gw_app *app = user_data;
	struct room *r = obtain(app, device);
	json_t *now = gw_app_room_print(app, device);
	if (r->told != NULL && json_equal(r->told, now)) {
		json_decref(now);
		return;
	}
	json_decref(r->told);
	r->told = now;
	gw_api_broadcast(app->api, hears, &(struct listener){ device }, GW_EVENT_ROOM_CHANGED, &(struct gw_ev_room){ now });
}

void gw_app_rooms_flush(gw_app *app)
{
	if (app->rooms->dirty) {
		app->rooms->dirty = false;
		gw_room_foreach(app->domain, flush_room, app);
	}
}

/* A page came or went. The first one of a device from before there were rows makes its row. */
void gw_app_room_session(gw_app *app, const struct gw_api_session *s, bool opened)
{
	const char *device = gw_app_room_of(s);
	if (device == NULL || app->rooms == NULL) {
		return;
	}
	if (opened && !gw_room_known(app->domain, s->subject)) {
		struct gw_room_facts f = { .device = device, .name = s->name };
		(void)gw_room_put(app->domain, "gateway", &f, gw_app_now(), NULL);
	}
	if (opened) {
		gw_party_reachable(app->domain, s->subject, gw_app_now());
	}
	gw_app_rooms_changed(app);
}

int64_t gw_app_room_rtt_ms(gw_app *app, const char *party)
{
	const char *address = gw_party_address(app->domain, party);
	return gw_room_known(app->domain, address) ? obtain(app, address + strlen("device:"))->report.rtt_ms : 0;
}

/* ---- being called ---- */
void gw_app_room_dial(gw_app *app, const char *party, const char *address)
{
	bool online = gw_app_room_pages(app, address + strlen("device:"), NULL) > 0;
	gw_party_set_streams(app->domain, party, NULL);
	(void)gw_party_state(app->domain, party, online ? GW_SITE_RINGING : GW_SITE_UNREACHABLE, online ? NULL : "the room's page is not open",
			     gw_app_now());
	gw_app_rooms_changed(app);
}

struct old_legs { gw_app *app; const char *prefix, *owner; GPtrArray *found; };

static void find_old(gw_leg *leg, void *user_data)
{
	struct old_legs *o = user_data;
	if (g_strcmp0(gw_rtc_party(leg), o->prefix) == 0 && g_strcmp0(gw_rtc_owner(leg), o->owner) != 0) {
		g_ptr_array_add(o->found, leg);
	}
}

/* Connections of the page before: the party is this page's now. */
static void close_old(gw_app *app, const char *party, const char *owner)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new();
	struct old_legs o = { app, gw_party_streams(app->domain, party), owner, found };
	gw_rtc_foreach(app->rtc, find_old, &o);
	for (unsigned n = 0; n < found->len; n++) {
		gw_app_close_pc(app, found->pdata[n], "replaced");
	}
}

/* The call of this page that is meant, or NULL and answered. */
static const char *own_call(gw_app *app, const struct gw_api_session *s, const char *party, gw_api_call *call)
{
	const char *device = gw_app_room_of(s);
	const char *own = gw_room_party(app->domain, device);
	if (own == NULL || g_strcmp0(own, party) != 0) {
		gw_api_fail(call, GW_ERROR_STATE, "that call is over");
		return NULL;
	}
	return own;
}

static void answer(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const char *own = own_call(app, s, ((const struct gw_room_party *)request)->party, call);
	g_autofree char *party = g_strdup(own), *conference = g_strdup(own != NULL ? gw_party_conference(app->domain, own) : NULL);
	if (party == NULL) {
		return;
	}
	close_old(app, party, s->auth);
	(void)gw_party_state(app->domain, party, GW_SITE_CONNECTING, NULL, gw_app_now());
	gw_app_seat_taken(app, party);
	gw_app_rooms_changed(app);
	gw_app_rearm(app);
	gw_app_ack_joined(app, call, party, conference);
}

static void refuse(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_room_party *in = request;
	const char *party = own_call(app, s, in->party, call);
	if (party != NULL && gw_party_is_live(gw_party_get_state(app->domain, party))) {
		gw_api_fail(call, GW_ERROR_STATE, "it was answered: conference.leave ends it");
	} else if (party != NULL) {
		(void)gw_party_state(app->domain, party, GW_SITE_REFUSED, g_strcmp0(in->why, "busy") == 0 ? "busy" : "declined", gw_app_now());
		gw_app_rearm(app);
		gw_app_ack(app, call, gw_ack_empty, NULL, NULL, 0);
	}
}

/* ---- rows ---- */
static void reply_room(struct gw_ack *ack)
{
	g_autoptr(json_t) o = gw_app_room_print(ack->app, ack->id);
	if (o != NULL) {
		gw_api_reply(ack->call, &(struct gw_raw){ o });
	} else {
		gw_api_fail(ack->call, GW_ERROR_NOT_FOUND, NULL);
	}
}

static void get(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const char *own = gw_app_room_of(s), *device = ((const struct gw_device_ref *)request)->device;
	g_autoptr(json_t) o = gw_app_room_print(user_data, own != NULL ? own : device != NULL ? device : "");
	if (o != NULL) {
		gw_api_reply(call, &(struct gw_raw){ o });
	} else {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
	}
}

struct rows { gw_app *app; json_t *list; };

static void add_row(const char *device, void *user_data)
{
	struct rows *r = user_data;
	json_array_append_new(r->list, gw_app_room_print(r->app, device));
}

static void list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	g_autoptr(json_t) all = json_array();
	gw_room_foreach(app->domain, add_row, &(struct rows){ app, all });
	gw_api_reply(call, &(struct gw_room_list_reply){ all });
}

struct wanted { const char *device; char *name; };

static void find_device(const struct gw_auth_device *d, void *user_data)
{
	struct wanted *w = user_data;
	if (w->name == NULL && strcmp(d->id, w->device) == 0 && strcmp(d->kind, "room") == 0 && !d->revoked) {
		w->name = g_strdup(d->name);
	}
}

static void put(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_room_put *in = request;
	struct wanted w = { in->device, NULL };
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	gw_auth_device_foreach(app->auth, find_device, &w);
	g_autofree char *name = w.name;
	if (name == NULL) {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, "no such room device");
		return;
	}
	g_autoptr(json_t) before = gw_room_print(app->domain, in->device);
	const char *kept = json_string_value(json_object_get(before, "name"));
	struct gw_room_facts f = { in->device, in->name != NULL ? in->name : kept != NULL ? kept : name, in->site, (enum gw_room_answer)in->answer };
	bool ok = gw_room_put(app->domain, actor, &f, gw_app_now(), &err);
	gw_app_rooms_changed(app);
	gw_app_answer(app, call, ok, err, reply_room, in->device);
}

static void report(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_room_report *in = request;
	struct room *r = obtain(app, gw_app_room_of(s));
	g_free(r->report.agent);
	r->report = *in;
	r->report.agent = g_strdup(in->agent);
	r->report_ms = ort_wall_ms();
	gw_app_rooms_changed(app);
	gw_api_reply(call, NULL);
}

/* ---- a link for who scans the screen ---- */
static void reply_invite(struct gw_ack *ack)
{
	gw_api_reply(ack->call, &(struct gw_room_invite_reply){ ack->extra, ack->id, ack->n });
}

static void invite(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const char *device = gw_app_room_of(s);
	struct room *r = obtain(app, device);
	g_autoptr(json_t) o = gw_room_print(app->domain, device);
	const json_t *at = json_object_get(o, "call");
	const char *incident = json_string_value(json_object_get(at, "incident"));
	int64_t now_us = ort_now_us(), expires_ms;
	if (incident == NULL) {
		gw_api_fail(call, GW_ERROR_STATE, "the room is in no conference of an incident");
		return;
	}
	r->invites = now_us - r->invited_us > INVITE_US ? 0 : r->invites;
	if (r->invites >= INVITES) {
		gw_api_fail(call, GW_ERROR_RATE_LIMITED, NULL);
		return;
	}
	r->invited_us = r->invites++ == 0 ? now_us : r->invited_us;
	GError *err = NULL;
	g_autofree char *guest = g_strdup_printf("%s · 现场", json_string_value(json_object_get(o, "name")));
	g_autofree char *token = gw_app_link_make(app, s->subject, incident, guest, &expires_ms, &err);
	if (token == NULL) {
		gw_app_fail(call, err);
		return;
	}
	g_autofree char *url = gw_app_link_url(app, token);
	gw_app_ack(app, call, reply_invite, incident, url, expires_ms);
}

void gw_app_bind_rooms(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_ROOM_GET, get },	   { GW_METHOD_ROOM_LIST, list },     { GW_METHOD_ROOM_PUT, put },
		{ GW_METHOD_ROOM_ANSWER, answer }, { GW_METHOD_ROOM_REFUSE, refuse }, { GW_METHOD_ROOM_REPORT, report },
		{ GW_METHOD_ROOM_INVITE, invite },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
}
