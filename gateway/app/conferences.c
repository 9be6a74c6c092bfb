/* Handlers: conferences, their views, and sessions that join them. */
#include <string.h>

#include "gateway/app/app_priv.h"
#include "gateway/app/calls_priv.h"
#include "gateway/app/rooms_priv.h"
#include "gateway/app/mixes_priv.h"
#include "mcu/base/clock.h"

static bool digits_ok(const char *digits, size_t least, gw_api_call *call)
{
	size_t len = strlen(digits);
	if (len < least || len > 16 || strspn(digits, "0123456789") != len) {
		gw_api_fail(call, GW_ERROR_INVALID, "password: 4 to 16 digits");
		return false;
	}
	return true;
}

/* (transfer full) */
static char *hash(const char *digits)
{
	g_autofree char *salt = gw_app_random(8);
	return gw_password_hash(digits, salt);
}

void gw_ack_conference(struct gw_ack *ack)
{
	g_autoptr(json_t) o = gw_conference_print(ack->app->domain, ack->id);
	if (o != NULL) {
		gw_api_reply(ack->call, &(struct gw_raw){ o });
	} else {
		gw_api_fail(ack->call, GW_ERROR_NOT_FOUND, NULL);
	}
}

static void open_conference(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_conference_open *in = request;
	GError *err = NULL;
	bool secret = in->password != NULL && in->password[0] != '\0';
	g_autofree char *actor = gw_app_actor(s);
	if (gw_app_refuse_writes(app, call) || (secret && !digits_ok(in->password, 4, call))) {
		return;
	}
	g_autofree char *password = secret ? hash(in->password) : NULL;
	struct gw_conference_facts f = { in->name, in->number, password, in->incident, in->drill };
	const char *id = gw_conference_open(app->domain, actor, &f, gw_app_now(), &err);
	gw_app_answer(app, call, id != NULL, err, gw_ack_conference, id);
}

static int three_ways(const json_t *value)
{
	return json_is_boolean(value) ? json_is_true(value) : -1;
}

static void update(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_conference_update *in = request;
	GError *err = NULL;
	bool secret = in->password != NULL && in->password[0] != '\0';
	g_autofree char *actor = gw_app_actor(s);
	if (secret && !digits_ok(in->password, 4, call)) {
		return;
	}
	g_autofree char *password = secret ? hash(in->password) : g_strdup(in->password);
	struct gw_conference_change c = { in->name, password, three_ways(in->locked), three_ways(in->auto_redial) };
	bool ok = gw_conference_update(app->domain, actor, in->id, &c, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_conference, in->id);
}

static void close_conference(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_id_ref *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_conference_close(app->domain, actor, in->id, "ended", gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_conference, in->id);
}

static bool is_staff(const struct gw_api_session *s)
{
	return s->role >= GW_ROLE_ADMINISTRATOR && s->role <= GW_ROLE_AUDITOR;
}

static void list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_conference_list *in = request;
	g_autoptr(json_t) all = gw_conference_list(app->domain, in->open_only, in->limit > 0 ? (unsigned)in->limit : 100);
	for (size_t n = 0; !is_staff(s) && n < json_array_size(all); n++) {
		gw_app_hide_monitors(json_array_get(all, n));
	}
	gw_api_reply(call, &(struct gw_conference_list_reply){ all });
}

static void get(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const char *id = ((const struct gw_id_ref *)request)->id;
	bool seen = s->role != GW_ROLE_FIELD || gw_app_seat_of(app, s, id) != NULL;
	g_autoptr(json_t) o = seen ? gw_conference_print(app->domain, id) : NULL;
	if (o != NULL) {
		if (!is_staff(s)) {
			gw_app_hide_monitors(o);
		}
		gw_api_reply(call, &(struct gw_raw){ o });
	} else {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
	}
}

/* ---- joining ---- */
static void reply_joined(struct gw_ack *ack)
{
	if (gw_party_is_waiting(ack->app->domain, ack->id)) {
		g_autofree char *hears = g_strdup_printf("mix.%s" GW_MIX_LOBBY ".a.%s", ack->extra, ack->id);
		g_autofree char *sees = g_strdup_printf("mix.%s" GW_MIX_LOBBY ".v", ack->extra);
		gw_api_reply(ack->call, &(struct gw_conference_join_reply){ ack->id, ack->extra, hears, sees });
		return;
	}
	g_autofree char *audio = g_strdup_printf("mix.%s.a.%s", ack->extra, ack->id);
	g_autofree char *video = g_strdup_printf("mix.%s.v.program.H264.720", ack->extra);
	gw_api_reply(ack->call, &(struct gw_conference_join_reply){ ack->id, ack->extra, audio, video });
}

void gw_app_ack_joined(gw_app *app, gw_api_call *call, const char *party, const char *conference)
{
	gw_app_ack(app, call, reply_joined, party, conference, 0);
}

static bool let_in(gw_app *app, const struct gw_api_session *s, const char *id, const char *password, gw_api_call *call)
{
	static const struct { enum gw_error error; const char *why; } rows[] = {
		[GW_ADMIT_ASK] = { GW_ERROR_FORBIDDEN, "password" },	    [GW_ADMIT_WRONG] = { GW_ERROR_FORBIDDEN, "wrong password" },
		[GW_ADMIT_REFUSED] = { GW_ERROR_LOCKED_OUT, "three wrong passwords" }, [GW_ADMIT_LOCKED] = { GW_ERROR_STATE, "the conference is locked" },
		[GW_ADMIT_UNKNOWN] = { GW_ERROR_NOT_FOUND, "no such conference" },
	};
	bool master = s->role == GW_ROLE_ADMINISTRATOR || s->role == GW_ROLE_DISPATCHER;
	if (master) {
		return true;
	}
	g_autofree char *caller = gw_app_seat_address(s);
	enum gw_admission a = gw_conference_admit(app->domain, id, caller, password, gw_app_now());
	if (a != GW_ADMIT_OK) {
		gw_api_fail(call, rows[a].error, rows[a].why);
	}
	return a == GW_ADMIT_OK;
}

static void join(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_conference_join *in = request;
	GError *err = NULL;
	const char *by_number = gw_conference_by_number(app->domain, in->id);
	g_autofree char *id = g_strdup(by_number != NULL ? by_number : in->id);
	g_autofree char *actor = gw_app_actor(s), *address = gw_app_seat_address(s);
	if (!let_in(app, s, id, in->password, call)) {
		return;
	}
	struct gw_party_facts f = { .name = in->name != NULL ? in->name : s->name, .address = address,
				    .kind = gw_app_room_of(s) != NULL ? GW_PARTY_ROOM : GW_PARTY_BROWSER };
	g_autofree char *party = g_strdup(gw_party_enter(app->domain, actor, id, &f, gw_app_now(), &err));
	if (party == NULL) {
		gw_app_fail(call, err);
		return;
	}
	gw_monitor_end(app->domain, actor, party, gw_app_now());
	gw_app_seat_taken(app, party);
	gw_app_ack_joined(app, call, party, id);
}

static void leave(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const char *id = ((const struct gw_id_ref *)request)->id;
	GError *err = NULL;
	g_autofree char *party = g_strdup(gw_app_seat_of(app, s, id));
	g_autofree char *actor = g_strconcat("party:", party != NULL ? party : "", NULL);
	if (party == NULL) {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, "this session is not in that conference");
		return;
	}
	bool ok = gw_party_hang_up(app->domain, actor, id, party, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

/* ---- views ---- */
static const char *view_or_program(const char *view)
{
	return view != NULL ? view : "program";
}

static const char *text_or_none(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static void set_layout(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_conference_layout *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	struct gw_view_look look = {
		.layout = in->layout, .by_itself = json_is_true(in->automatic), .titles = json_is_true(in->titles),
		.clock = json_is_true(in->clock), .banner = text_or_none(in->banner), .alarm = text_or_none(in->alarm), .crawl = in->crawl,
		.keep = (three_ways(in->automatic) < 0 && in->layout == NULL ? GW_LOOK_AUTO : 0) |
			(three_ways(in->titles) < 0 ? GW_LOOK_TITLES : 0) | (three_ways(in->clock) < 0 ? GW_LOOK_CLOCK : 0) |
			(in->banner == NULL ? GW_LOOK_BANNER : 0) | (in->alarm == NULL ? GW_LOOK_ALARM : 0),
	};
	bool ok = gw_view_layout(app->domain, actor, in->id, view_or_program(in->view), &look, in->test, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_conference, in->id);
}

static void set_cell(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_conference_cell *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	struct gw_view_cell cell = { (int)in->cell, (enum gw_cell_mode)in->mode, in->party, (const char *const *)in->parties,
				     in->interval_ms > 0 ? in->interval_ms : 10000 };
	bool ok = gw_view_cell(app->domain, actor, in->id, view_or_program(in->view), &cell, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_conference, in->id);
}

static void on_played(const void *reply, const GError *err, void *user_data)
{
	if (err != NULL) {
		gw_api_fail(user_data, err->code == MCU_ERROR_NO_ENGINE ? GW_ERROR_MEDIA_UNAVAILABLE : GW_ERROR_INVALID, err->message);
	} else {
		gw_api_reply(user_data, NULL);
	}
}

static void play(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_conference_play *in = request;
	g_autofree char *actor = gw_app_actor(s);
	if (!gw_conference_is_open(app->domain, in->id)) {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
		return;
	}
	struct mcu_mix_play req = { (char *)(uintptr_t)GW_HALL, in->id, in->party, in->sound, in->text, in->lang };
	gw_app_remember(app, "conference.play", actor, NULL, json_pack("{s:s,s:s,s:s?,s:s?}", "conference", in->id, "sound", in->sound, "party", in->party, "text", in->text));
	gw_media_call(app->media, MCU_METHOD_MIX_PLAY, &req, on_played, call);
}

void gw_app_bind_conferences(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_CONFERENCE_OPEN, open_conference }, { GW_METHOD_CONFERENCE_UPDATE, update },
		{ GW_METHOD_CONFERENCE_CLOSE, close_conference }, { GW_METHOD_CONFERENCE_LIST, list },
		{ GW_METHOD_CONFERENCE_GET, get },		  { GW_METHOD_CONFERENCE_JOIN, join },
		{ GW_METHOD_CONFERENCE_LEAVE, leave },		  { GW_METHOD_CONFERENCE_LAYOUT, set_layout },
		{ GW_METHOD_CONFERENCE_CELL, set_cell },	  { GW_METHOD_CONFERENCE_PLAY, play },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
}
