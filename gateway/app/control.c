/* Handlers: conference control. Dispatchers act on any conference, a room's or phone's session as the party that it is there:
 * for itself, or as the chair. The domain decides what a party may. */
#include <errno.h>
#include <string.h>

#include "gateway/app/app_priv.h"
#include "gateway/app/calls_priv.h"
#include "gateway/app/mixes_priv.h"
#include "gateway/app/rooms_priv.h"

/* Rank of who acts against a conference's priority. */
static int64_t rank_of(const struct gw_api_session *s)
{
	return s->role == GW_ROLE_ADMINISTRATOR ? 9 : 7;
}

static bool is_master(const struct gw_api_session *s)
{
	return s->role == GW_ROLE_ADMINISTRATOR || s->role == GW_ROLE_DISPATCHER;
}

/* NULL = answered already. (transfer full) */
static char *actor_of(gw_app *app, const struct gw_api_session *s, const char *conference, gw_api_call *call)
{
	if (is_master(s)) {
		return gw_app_actor(s);
	}
	const char *own = gw_app_seat_of(app, s, conference);
	if (own == NULL) {
		gw_api_fail(call, GW_ERROR_FORBIDDEN, "this session is no party of the conference");
	}
	return own != NULL ? g_strconcat("party:", own, NULL) : NULL;
}

/* ---- verbs about a conference and perhaps a party ---- */
typedef bool (*party_fn)(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);

static void about_party(gw_app *app, struct gw_api_session *s, const char *conference, const char *party, bool own, gw_api_call *call,
			party_fn fn)
{
	GError *err = NULL;
	g_autofree char *actor = actor_of(app, s, conference, call);
	if (actor == NULL) {
		return;
	}
	g_autofree char *which = g_strdup(party == NULL && own ? gw_app_seat_of(app, s, conference) : party);
	bool ok = fn(app->domain, actor, conference, which, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_conference, conference);
}

/* All requests of these begin with {conference, party}. */
#define ABOUT_PARTY(handler, own, verb)                                                                                \
	static void handler(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)        \
	{                                                                                                              \
		const struct gw_content_ref *in = request;                                                             \
		about_party(user_data, s, in->conference, in->party, own, call, verb);                                 \
	}
ABOUT_PARTY(main_site, false, gw_main_site)
ABOUT_PARTY(chair_request, true, gw_chair_request)
ABOUT_PARTY(chair_refuse, true, gw_chair_refuse)
ABOUT_PARTY(chair_grant, false, gw_chair_grant)
ABOUT_PARTY(chair_release, true, gw_chair_release)
ABOUT_PARTY(floor_request, true, gw_floor_request)
ABOUT_PARTY(floor_cancel, true, gw_floor_cancel)
ABOUT_PARTY(floor_give, false, gw_floor_give)
ABOUT_PARTY(lobby_admit, false, gw_lobby_admit)
ABOUT_PARTY(lobby_refuse, false, gw_lobby_refuse)
G_STATIC_ASSERT(offsetof(struct gw_content_ref, party) == offsetof(struct gw_party_ref, party));
G_STATIC_ASSERT(offsetof(struct gw_content_ref, party) == offsetof(struct gw_floor_cancel, party));

static bool revoke_chair(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	return gw_chair_revoke(d, actor, conference, now, err);
}

static bool free_discussion(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	return gw_free_discussion(d, actor, conference, now, err);
}

static void chair_revoke(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	about_party(user_data, s, ((const struct gw_conference_ref *)request)->conference, NULL, false, call, revoke_chair);
}

static void discuss(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	about_party(user_data, s, ((const struct gw_conference_ref *)request)->conference, NULL, false, call, free_discussion);
}

/* ---- what is seen ---- */
static void broadcast(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_conference_broadcast *in = request;
	GError *err = NULL;
	g_autofree char *actor = actor_of(app, s, in->conference, call);
	if (actor != NULL) {
		bool ok = gw_broadcast_set(app->domain, actor, in->conference, (enum gw_broadcast)in->mode, in->party, in->layout, gw_app_now(), &err);
		gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
	}
}

static void voice(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_conference_voice *in = request;
	GError *err = NULL;
	struct gw_voice v = { in->speak_ms, in->hold_ms, in->level_db };
	g_autofree char *actor = actor_of(app, s, in->conference, call);
	if (actor != NULL) {
		bool ok = gw_voice_switch(app->domain, actor, in->conference, &v, gw_app_now(), &err);
		gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
	}
}

static void view_site(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_party_view_site *in = request;
	GError *err = NULL;
	g_autofree char *actor = actor_of(app, s, in->conference, call);
	if (actor != NULL) {
		g_autofree char *viewer = g_strdup(in->party != NULL ? in->party : gw_app_seat_of(app, s, in->conference));
		bool ok = gw_view_site(app->domain, actor, in->conference, viewer, in->site, gw_app_now(), &err);
		gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
	}
}

static void poll_start(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_poll_start *in = request;
	GError *err = NULL;
	g_autofree char *actor = actor_of(app, s, in->conference, call);
	if (actor != NULL) {
		bool ok = gw_poll_start(app->domain, actor, in->conference, in->viewer, (const char *const *)in->parties, in->interval_ms, gw_app_now(), &err);
		gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
	}
}

static void poll_step(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_poll_step *in = request;
	GError *err = NULL;
	g_autofree char *actor = actor_of(app, s, in->conference, call);
	if (actor != NULL) {
		bool ok = gw_poll_step(app->domain, actor, in->conference, in->viewer, (enum gw_poll_move)in->step, gw_app_now(), &err);
		gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
	}
}

static void poll_stop(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_poll_ref *in = request;
	GError *err = NULL;
	g_autofree char *actor = actor_of(app, s, in->conference, call);
	if (actor != NULL) {
		bool ok = gw_poll_stop(app->domain, actor, in->conference, in->viewer, gw_app_now(), &err);
		gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
	}
}

/* ---- waiting room, end, parts ---- */
static void lobby_set(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_content_lock *in = request;
	GError *err = NULL;
	g_autofree char *actor = actor_of(app, s, in->conference, call);
	if (actor != NULL) {
		bool ok = gw_lobby_set(app->domain, actor, in->conference, in->on, gw_app_now(), &err);
		gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
	}
}

static void extend(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_conference_extend *in = request;
	GError *err = NULL;
	g_autofree char *actor = actor_of(app, s, in->conference, call);
	if (actor != NULL) {
		bool ok = gw_conference_extend(app->domain, actor, in->conference, in->minutes, gw_app_now(), &err);
		gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
	}
}

/* Their calls go on; what they are fed comes from the other mix. */
static void refeed(const struct gw_party_info *p, void *user_data)
{
	gw_app_mix_leg(user_data, p->id);
}

static void reply_split(struct gw_ack *ack)
{
	gw_api_reply(ack->call, &(struct gw_conference_split_reply){ ack->id });
}

static void split(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_conference_split *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	const char *part = gw_conference_split(app->domain, actor, in->conference, in->name, (const char *const *)in->parties, gw_app_now(), &err);
	if (part != NULL) {
		gw_conference_parties(app->domain, part, refeed, app);
	}
	gw_app_answer(app, call, part != NULL, err, reply_split, part);
}

static void rejoin(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const char *part = ((const struct gw_conference_ref *)request)->conference;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	g_autoptr(json_t) was = gw_conference_print(app->domain, part);
	const char *parent = json_string_value(json_object_get(json_object_get(was, "control"), "parent"));
	bool ok = gw_conference_rejoin(app->domain, actor, part, gw_app_now(), &err);
	if (ok) {
		gw_conference_parties(app->domain, parent, refeed, app);
	}
	gw_app_answer(app, call, ok, err, gw_ack_conference, parent != NULL ? parent : part);
}

static void priority(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_conference_priority *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_conference_priority(app->domain, actor, in->conference, in->priority, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
}

/* ---- by rank ---- */
typedef const char *(*enter_fn)(gw_domain *d, const char *actor, const char *conference, const struct gw_party_facts *f, int64_t rank,
				struct gw_now now, GError **err);

static void enter(gw_app *app, struct gw_api_session *s, const char *conference, gw_api_call *call, enter_fn fn)
{
	GError *err = NULL;
	const char *by_number = gw_conference_by_number(app->domain, conference);
	g_autofree char *id = g_strdup(by_number != NULL ? by_number : conference), *actor = gw_app_actor(s), *address = gw_app_seat_address(s);
	struct gw_party_facts f = { .name = s->name, .address = address, .kind = GW_PARTY_BROWSER };
	g_autofree char *party = g_strdup(fn(app->domain, actor, id, &f, rank_of(s), gw_app_now(), &err));
	if (party == NULL) {
		gw_app_fail(call, err);
		return;
	}
	gw_app_seat_taken(app, party);
	gw_app_ack_joined(app, call, party, id);
}

static void monitor(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	enter(user_data, s, ((const struct gw_conference_ref *)request)->conference, call, gw_monitor);
}

static void barge_in(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	enter(user_data, s, ((const struct gw_conference_ref *)request)->conference, call, gw_barge_in);
}

static void force_release(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_party_force_release *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_force_release(app->domain, actor, in->conference, in->party, in->to, rank_of(s), gw_app_now(), &err);
	if (ok && in->to != NULL) {
		gw_app_mix_leg(app, in->party);
	}
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

/* ---- a site's equipment ---- */
static void loop(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_party_loop *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_party_loop(app->domain, actor, in->conference, in->party, in->audio, in->video, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
}

static void camera(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_party_camera *in = request;
	g_autofree char *actor = actor_of(app, s, in->conference, call);
	const char *conference = gw_party_conference(app->domain, in->party);
	if (actor == NULL) {
		return;
	}
	if (g_strcmp0(conference, in->conference) != 0) {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, "no such party in this conference");
		return;
	}
	if (!is_master(s) && !gw_party_is_chair(app->domain, gw_app_seat_of(app, s, in->conference))) {
		gw_api_fail(call, GW_ERROR_FORBIDDEN, "only the chair may do that");
		return;
	}
	gw_leg *leg = gw_app_party_leg(app, in->party);
	struct gw_leg_camera move = { (enum gw_leg_camera_act)in->act, in->ms, (int)in->preset };
	int rc = leg != NULL ? gw_leg_camera(leg, &move) : -ENOTSUP;
	if (rc < 0) {
		gw_api_fail(call, GW_ERROR_STATE, rc == -ENOTSUP ? "its equipment has no camera control" : g_strerror(-rc));
		return;
	}
	gw_app_remember(app, "party.camera", actor, NULL,
			json_pack("{s:s,s:s,s:s}", "conference", in->conference, "party", in->party, "act", gw_party_camera_names[in->act]));
	gw_app_ack(app, call, gw_ack_empty, NULL, NULL, 0);
}

/* ---- what the domain wants people to notice ---- */
static bool is_staff_or_screen(const struct gw_api_session *s, void *ud)
{
	return s->role != GW_ROLE_FIELD;
}

static void tone(gw_app *app, const char *mix, const char *member, const char *sound)
{
	struct mcu_mix_play req = { (char *)(uintptr_t)GW_HALL, (char *)(uintptr_t)mix, (char *)(uintptr_t)member, (char *)(uintptr_t)sound };
	if (app->media != NULL) {
		gw_media_call(app->media, MCU_METHOD_MIX_PLAY, &req, NULL, NULL);
	}
}

void gw_app_notice(gw_app *app, const struct gw_action *a)
{
	static const struct { const char *why, *sound; bool to_party, in_lobby; } rows[] = {
		{ "wait_tone", "waiting", false, true }, { "floor", "called", true, false }, { "chair", "called", true, false },
		{ "ends", "time", false, false },	  { "barge_in", "barge_in", false, false },
	};
	g_autofree char *lobby = g_strconcat(a->id, GW_MIX_LOBBY, NULL);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (strcmp(rows[n].why, a->why) == 0) {
			tone(app, rows[n].in_lobby ? lobby : a->id, rows[n].to_party ? a->party : NULL, rows[n].sound);
		}
	}
	if (strcmp(a->why, "wait_tone") != 0) {
		struct gw_ev_notice news = { (char *)(uintptr_t)a->id, (char *)(uintptr_t)a->party, (char *)(uintptr_t)a->why, a->minutes };
		gw_api_broadcast(app->api, is_staff_or_screen, NULL, GW_EVENT_CONFERENCE_NOTICE, &news);
	}
}

/* Who listens unseen is for the staff to know. */
void gw_app_hide_monitors(json_t *conference)
{
	json_t *parties = json_object_get(conference, "parties");
	for (size_t n = json_array_size(parties); n > 0; n--) {
		const json_t *control = json_object_get(json_array_get(parties, n - 1), "control");
		if (json_is_true(json_object_get(control, "hidden"))) {
			(void)json_array_remove(parties, n - 1);
		}
	}
}

void gw_app_bind_control(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_MAIN_SITE, main_site },	       { GW_METHOD_CHAIR_REQUEST, chair_request },
		{ GW_METHOD_CHAIR_REFUSE, chair_refuse },      { GW_METHOD_CHAIR_GRANT, chair_grant },
		{ GW_METHOD_CHAIR_RELEASE, chair_release },    { GW_METHOD_CHAIR_REVOKE, chair_revoke },
		{ GW_METHOD_FLOOR_REQUEST, floor_request },    { GW_METHOD_FLOOR_CANCEL, floor_cancel },
		{ GW_METHOD_FLOOR_GIVE, floor_give },	       { GW_METHOD_FREE_DISCUSSION, discuss },
		{ GW_METHOD_CONFERENCE_BROADCAST, broadcast }, { GW_METHOD_CONFERENCE_VOICE, voice },
		{ GW_METHOD_PARTY_VIEW_SITE, view_site },      { GW_METHOD_POLL_START, poll_start },
		{ GW_METHOD_POLL_STEP, poll_step },	       { GW_METHOD_POLL_STOP, poll_stop },
		{ GW_METHOD_LOBBY_SET, lobby_set },	       { GW_METHOD_LOBBY_ADMIT, lobby_admit },
		{ GW_METHOD_LOBBY_REFUSE, lobby_refuse },      { GW_METHOD_CONFERENCE_EXTEND, extend },
		{ GW_METHOD_CONFERENCE_SPLIT, split },	       { GW_METHOD_CONFERENCE_REJOIN, rejoin },
		{ GW_METHOD_CONFERENCE_PRIORITY, priority },   { GW_METHOD_CONFERENCE_MONITOR, monitor },
		{ GW_METHOD_CONFERENCE_BARGE_IN, barge_in },   { GW_METHOD_PARTY_FORCE_RELEASE, force_release },
		{ GW_METHOD_PARTY_LOOP, loop },		       { GW_METHOD_PARTY_CAMERA, camera },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
}
