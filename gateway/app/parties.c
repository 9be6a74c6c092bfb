/* Handlers: parties of conferences and the content token. */
#include <errno.h>
#include <string.h>

#include "gateway/app/app_priv.h"
#include "gateway/app/calls_priv.h"

/* ---- calling ---- */
static void reply_party(struct gw_ack *ack)
{
	gw_api_reply(ack->call, &(struct gw_party_call_reply){ ack->id });
}

static void call_party(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_party_call *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s), *why = NULL;
	struct gw_party_facts f = { .name = in->name, .site = in->site, .kind = in->trunk != NULL ? GW_PARTY_TRUNK : GW_PARTY_SIP,
				    .max_bps = in->max_bps, .keep = in->trunk != NULL && gw_app_trunk_keeps(app, in->trunk) };
	g_autofree char *address = gw_app_dial_address(app, in, &why);
	if (why != NULL) {
		gw_api_fail(call, GW_ERROR_INVALID, why);
		return;
	}
	if (gw_app_refuse_writes(app, call)) {
		return;
	}
	f.address = address;
	f.name = f.name == NULL && in->site == NULL ? (in->number != NULL ? in->number : in->address) : f.name;
	const char *party = gw_party_call(app->domain, actor, in->conference, &f, gw_app_now(), &err);
	gw_app_answer(app, call, party != NULL, err, reply_party, party);
}

static void reply_called(struct gw_ack *ack)
{
	gw_api_reply(ack->call, &(struct gw_party_call_absent_reply){ ack->n });
}

static void call_absent(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_conference_ref *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	int called = gw_party_call_absent(app->domain, actor, in->conference, gw_app_now(), &err);
	if (called < 0) {
		gw_app_fail(call, err);
	} else {
		gw_app_ack(app, call, reply_called, in->conference, NULL, called);
	}
}

static void hang_up(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_party_ref *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_party_hang_up(app->domain, actor, in->conference, in->party, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
}

static void remove_party(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_party_ref *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_party_remove(app->domain, actor, in->conference, in->party, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
}

static void move_party(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_party_move *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_party_move(app->domain, actor, in->conference, in->party, in->to, gw_app_now(), &err);
	if (ok) {
		gw_app_mix_leg(app, in->party);
	}
	gw_app_answer(app, call, ok, err, gw_ack_conference, in->to);
}

/* ---- settings ---- */
/* Rooms and phones speak for themselves only. NULL = answered already. (transfer full) */
static char *party_actor(gw_app *app, struct gw_api_session *s, const char *conference, const char *party, gw_api_call *call)
{
	if (s->role != GW_ROLE_ROOM && s->role != GW_ROLE_FIELD) {
		return gw_app_actor(s);
	}
	const char *own = gw_app_seat_of(app, s, conference);
	if (own == NULL || (g_strcmp0(own, party) != 0 && !gw_party_is_chair(app->domain, own))) {
		gw_api_fail(call, GW_ERROR_FORBIDDEN, "only one's own, or as chair");
		return NULL;
	}
	return g_strconcat("party:", own, NULL);
}

typedef bool (*mute_fn)(gw_domain *d, const char *actor, const char *conference, const char *party, bool on, struct gw_now now, GError **err);

/* Whose loudspeaker was closed hears nothing of it: a tone is still under way then. */
static const char *words_of(const char *sound)
{
	static const struct { const char *sound, *words; } rows[] = {
		{ "muted", "您的话筒已被关闭" }, { "unmuted", "您的话筒已打开" }, { "hearing", "您的扬声器已打开" },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (strcmp(rows[n].sound, sound) == 0) {
			return rows[n].words;
		}
	}
	return NULL;
}

/* A party that is muted by others is told, by words or else by a tone. */
static void tell(gw_app *app, const struct gw_party_mute *in, const char *sound)
{
	if (strcmp(in->party, "*") != 0) {
		struct mcu_mix_play req = { (char *)(uintptr_t)GW_HALL, in->conference, in->party, (char *)(uintptr_t)sound,
					    .text = (char *)(uintptr_t)words_of(sound) };
		gw_media_call(app->media, MCU_METHOD_MIX_PLAY, &req, NULL, NULL);
	}
}

static void mute(gw_app *app, struct gw_api_session *s, const struct gw_party_mute *in, gw_api_call *call, mute_fn fn,
		 const char *const sounds[2])
{
	GError *err = NULL;
	g_autofree char *actor = party_actor(app, s, in->conference, in->party, call);
	if (actor != NULL) {
		bool ok = fn(app->domain, actor, in->conference, in->party, in->on, gw_app_now(), &err);
		if (ok && !g_str_has_prefix(actor, "party:")) {
			tell(app, in, sounds[in->on]);
		}
		gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
	}
}

static void mic_mute(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	static const char *const sounds[2] = { "unmuted", "muted" };
	mute(user_data, s, request, call, gw_party_mic_mute, sounds);
}

static void speaker_mute(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	static const char *const sounds[2] = { "hearing", "deaf" };
	mute(user_data, s, request, call, gw_party_speaker_mute, sounds);
}

static void volume(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_party_volume *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_party_volume(app->domain, actor, in->conference, in->party, in->in_db, in->out_db, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
}

static void role(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_party_role_set *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_party_role(app->domain, actor, in->conference, in->party, (enum gw_party_role)in->role, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
}

static void view(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_party_view *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_party_view(app->domain, actor, in->conference, in->party, in->view, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
}

static void dtmf(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_party_dtmf *in = request;
	g_autofree char *actor = gw_app_actor(s);
	const char *conference = gw_party_conference(app->domain, in->party);
	gw_leg *leg = g_strcmp0(conference, in->conference) == 0 ? gw_app_party_leg(app, in->party) : NULL;
	int rc = leg != NULL ? gw_leg_send_dtmf(leg, in->digits) : -ENOENT;
	if (rc < 0) {
		gw_api_fail(call, leg == NULL ? GW_ERROR_NOT_FOUND : GW_ERROR_STATE, leg == NULL ? "no call of that party" : g_strerror(-rc));
		return;
	}
	/* Digits can be a password: the log tells that some were sent, not which. */
	gw_app_remember(app, "party.dtmf", actor, NULL, json_pack("{s:s,s:i}", "party", in->party, "digits", (int)strlen(in->digits)));
	gw_app_ack(app, call, gw_ack_empty, NULL, NULL, 0);
}

/* ---- content token ---- */
/* The party that the request is about, with its actor, or false and answered. */
static bool content_party(gw_app *app, struct gw_api_session *s, const struct gw_content_ref *in, gw_api_call *call, char **ret_party,
			  char **ret_actor)
{
	const char *own = gw_app_seat_of(app, s, in->conference);
	const char *party = in->party != NULL ? in->party : own;
	bool self = own != NULL && g_strcmp0(own, party) == 0;
	bool master = s->role == GW_ROLE_ADMINISTRATOR || s->role == GW_ROLE_DISPATCHER;
	if (party == NULL || !(self || master)) {
		gw_api_fail(call, party == NULL ? GW_ERROR_NOT_FOUND : GW_ERROR_FORBIDDEN, "this session is no party of the conference");
		return false;
	}
	*ret_party = g_strdup(party);
	*ret_actor = self && !master ? g_strconcat("party:", party, NULL) : gw_app_actor(s);
	return true;
}

typedef bool (*content_fn)(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);

static bool take_now(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	return gw_content_take(d, actor, conference, party, false, now, err);
}

static void content(gw_app *app, struct gw_api_session *s, const struct gw_content_ref *in, gw_api_call *call, content_fn fn)
{
	GError *err = NULL;
	g_autofree char *party = NULL, *actor = NULL;
	if (content_party(app, s, in, call, &party, &actor)) {
		bool ok = fn(app->domain, actor, in->conference, party, gw_app_now(), &err);
		gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
	}
}

static void take(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	content(user_data, s, request, call, take_now);
}

static void release(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	content(user_data, s, request, call, gw_content_release);
}

static void refuse(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	content(user_data, s, request, call, gw_content_refuse);
}

static void revoke_token(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_conference_ref *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_content_revoke(app->domain, actor, in->conference, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
}

static void lock_token(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_content_lock *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_content_lock(app->domain, actor, in->conference, in->on, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_conference, in->conference);
}

void gw_app_bind_parties(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_PARTY_CALL, call_party },	       { GW_METHOD_PARTY_CALL_ABSENT, call_absent },
		{ GW_METHOD_PARTY_HANGUP, hang_up },	       { GW_METHOD_PARTY_REMOVE, remove_party },
		{ GW_METHOD_PARTY_MOVE, move_party },	       { GW_METHOD_PARTY_MIC_MUTE, mic_mute },
		{ GW_METHOD_PARTY_SPEAKER_MUTE, speaker_mute }, { GW_METHOD_PARTY_VOLUME, volume },
		{ GW_METHOD_PARTY_ROLE, role },		       { GW_METHOD_PARTY_VIEW, view },
		{ GW_METHOD_PARTY_DTMF, dtmf },		       { GW_METHOD_CONTENT_TAKE, take },
		{ GW_METHOD_CONTENT_RELEASE, release },	       { GW_METHOD_CONTENT_REFUSE, refuse },
		{ GW_METHOD_CONTENT_REVOKE, revoke_token },	       { GW_METHOD_CONTENT_LOCK, lock_token },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
}
