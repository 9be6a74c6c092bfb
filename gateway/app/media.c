/* Between engine, legs and domain: what the engine saw becomes stamps and states, what the domain wants becomes routes. */
#include <string.h>

#include "gateway/app/app_priv.h"
#include "gateway/app/calls_priv.h"

/* ---- names ---- */
/* The scene that a stream belongs to, (transfer full); NULL when it is a console's or a screen's. */
static char *scene_of(const gw_app *app, const char *stream, const char *kind)
{
	g_autofree char *tail = g_strconcat(".", kind, NULL);
	if (stream == NULL || !g_str_has_suffix(stream, tail)) {
		return NULL;
	}
	char *scene = g_strndup(stream, strlen(stream) - strlen(tail));
	if (gw_scene_incident(app->domain, scene) == NULL) {
		g_clear_pointer(&scene, g_free);
	}
	return scene;
}

static const char *scene_of_leg(const gw_app *app, const gw_leg *leg)
{
	const char *party = gw_rtc_party(leg);
	return party != NULL && gw_scene_incident(app->domain, party) != NULL ? party : NULL;
}

struct page { const char *owner; };

static bool of_owner(const struct gw_api_session *s, void *user_data)
{
	return g_strcmp0(s->auth, ((const struct page *)user_data)->owner) == 0;
}

static void tell_page(gw_app *app, gw_leg *leg, enum gw_event event, const char *word)
{
	struct page page = { gw_rtc_owner(leg) };
	char *name = (char *)(uintptr_t)gw_rtc_name(leg), *text = (char *)(uintptr_t)word;
	if (event == GW_EVENT_RTC_GONE) {
		gw_api_broadcast(app->api, of_owner, &page, event, &(struct gw_ev_rtc_gone){ name, text });
	} else {
		gw_api_broadcast(app->api, of_owner, &page, event, &(struct gw_ev_rtc_state){ name, text });
	}
}

/* ---- legs ---- */
static void leg_up(gw_app *app, gw_leg *leg, const char *scene, const char *why)
{
	g_hash_table_remove(app->failing, leg->id);
	tell_page(app, leg, GW_EVENT_RTC_STATE, "up");
	if (scene != NULL) {
		int64_t at_ms = app->engine_ms != 0 ? app->engine_ms : ort_wall_ms();
		(void)gw_scene_stamp(app->domain, "engine", scene, GW_STEP_ICE_CONNECTED, at_ms, gw_app_now(), NULL);
		(void)gw_scene_state(app->domain, scene, GW_SITE_PRESENT, NULL, gw_app_now());
	}
}

static void leg_connecting(gw_app *app, gw_leg *leg, const char *scene, const char *why)
{
	int64_t *since = g_new(int64_t, 1);
	*since = ort_now_us();
	g_hash_table_replace(app->failing, g_strdup(leg->id), since);
	if (why != NULL && g_strcmp0(why, "adopted") != 0) {
		tell_page(app, leg, GW_EVENT_RTC_STATE, strstr(why, "fail") != NULL ? "failed" : "disconnected");
	}
	if (scene != NULL) {
		(void)gw_scene_state(app->domain, scene, GW_SITE_CONNECTING, why, gw_app_now());
	}
}

static void leg_ended(gw_app *app, gw_leg *leg, const char *scene, const char *why)
{
	g_hash_table_remove(app->failing, leg->id);
	tell_page(app, leg, GW_EVENT_RTC_GONE, why != NULL ? why : "ended");
	if (scene != NULL) {
		(void)gw_scene_state(app->domain, scene, GW_SITE_CONNECTING, why, gw_app_now());
	} else if (gw_rtc_party(leg) != NULL) {
		gw_talk_gone(app->domain, gw_rtc_party(leg), gw_app_now());
	}
}

static void on_leg_state(gw_leg *leg, enum gw_leg_state state, const char *why, void *user_data)
{
	gw_app *app = user_data;
	const char *scene = scene_of_leg(app, leg);
	ort_log(ORT_LOG_INFO, "rtc", "leg.state", "a leg moved", ORT_S("leg", leg->id), ORT_S("party", gw_rtc_party(leg)),
		ORT_S("state", gw_leg_table.states[state].name), ORT_S("why", why));
	if (state == GW_LEG_UP) {
		leg_up(app, leg, scene, why);
	} else if (state == GW_LEG_CONNECTING) {
		leg_connecting(app, leg, scene, why);
	} else if (state == GW_LEG_ENDED) {
		leg_ended(app, leg, scene, why);
	}
	gw_app_seat_leg(app, leg, state, why);
	gw_app_rearm(app);
}

/* A joined browser's stream is its party's. */
static void seat_stream(gw_app *app, const char *stream, enum mcu_kind kind, enum mcu_content content, bool on)
{
	const char *dot = strrchr(stream, '.');
	g_autofree char *prefix = dot != NULL ? g_strndup(stream, (gsize)(dot - stream)) : NULL;
	const char *party = gw_party_by_streams(app->domain, prefix);
	if (party != NULL && gw_party_is_live(gw_party_get_state(app->domain, party))) {
		enum gw_party_stream which = kind == MCU_AUDIO ? GW_PARTY_AUDIO : content == MCU_CONTENT_SLIDES ? GW_PARTY_SLIDES : GW_PARTY_VIDEO;
		gw_party_stream(app->domain, party, which, on, gw_app_now());
	}
}

static void on_leg_stream(gw_leg *leg, const char *stream, enum mcu_kind kind, enum mcu_content content, bool on, void *user_data)
{
	gw_app *app = user_data;
	g_autofree char *scene = scene_of(app, stream, kind == MCU_AUDIO ? "audio" : "video");
	if (scene != NULL && on && gw_leg_get_state(leg) != GW_LEG_UP) {
		(void)gw_scene_state(app->domain, scene, GW_SITE_CONNECTING, NULL, gw_app_now());
	}
	seat_stream(app, stream, kind, content, on);
}

static const struct gw_leg_listener listener = { on_leg_state, on_leg_stream, NULL };

/* ---- what the engine saw ---- */
static void on_transport_state(gw_app *app, const void *body)
{
	/* The stamp is the engine's, not of the moment when its word reached us. */
	app->engine_ms = ((const struct mcu_transport_state *)body)->at_ms;
	gw_rtc_transport_state(app->rtc, body);
	gw_app_sip_event(app, MCU_EVENT_TRANSPORT_STATE, body);
	gw_app_h323_event(app, MCU_EVENT_TRANSPORT_STATE, body);
	app->engine_ms = 0;
}

static void on_source_up(gw_app *app, const void *body)
{
	const struct mcu_stream_event *ev = body;
	g_autofree char *scene = scene_of(app, ev->id, "video");
	if (scene != NULL) {
		(void)gw_scene_stamp(app->domain, "engine", scene, GW_STEP_FIRST_RTP, ev->at_ms, gw_app_now(), NULL);
		(void)gw_scene_state(app->domain, scene, GW_SITE_PRESENT, NULL, gw_app_now());
	}
}

static void on_source_stalled(gw_app *app, const void *body)
{
	const struct mcu_stream_event *ev = body;
	g_autofree char *scene = scene_of(app, ev->id, "video");
	if (scene != NULL) {
		(void)gw_scene_state(app->domain, scene, GW_SITE_DEGRADED, "stalled", gw_app_now());
	}
}

static void on_first_keyframe(gw_app *app, const void *body)
{
	const struct mcu_sink_event *ev = body;
	g_autofree char *scene = scene_of(app, ev->source, "video");
	if (scene != NULL) {
		(void)gw_scene_stamp(app->domain, "engine", scene, GW_STEP_FIRST_KEYFRAME, ev->at_ms, gw_app_now(), NULL);
	}
}

static bool not_field(const struct gw_api_session *s, void *user_data)
{
	return s->role != GW_ROLE_FIELD;
}

static void on_level(gw_app *app, const void *body)
{
	const struct mcu_level_event *ev = body;
	g_autofree char *scene = scene_of(app, ev->id, "audio");
	if (scene == NULL) {
		return;
	}
	if (ev->speaking) {
		(void)gw_scene_stamp(app->domain, "engine", scene, GW_STEP_HEARD_SCENE, ev->at_ms, gw_app_now(), NULL);
	}
	struct gw_ev_scene_level news = { (char *)(uintptr_t)gw_scene_incident(app->domain, scene), scene, ev->speaking };
	gw_api_broadcast(app->api, not_field, NULL, GW_EVENT_SCENE_LEVEL, &news);
}

static void tell_stats(gw_app *app, const struct mcu_stream_stats *st)
{
	g_autofree char *scene = g_strcmp0(st->direction, "in") == 0 ? scene_of(app, st->id, "video") : NULL;
	if (scene != NULL) {
		struct gw_ev_scene_stats news = { (char *)(uintptr_t)gw_scene_incident(app->domain, scene), scene, st->loss,
						  st->bitrate_bps, st->rtt_ms, 0 };
		gw_api_broadcast(app->api, not_field, NULL, GW_EVENT_SCENE_STATS, &news);
	}
}

static void on_room_stats(gw_app *app, const void *body)
{
	const struct mcu_room_stats_event *ev = body;
	for (size_t n = 0; n < ev->streams.n; n++) {
		tell_stats(app, &((const struct mcu_stream_stats *)ev->streams.items)[n]);
	}
	gw_app_flow_stats(app, ev);
}

static void on_event(gw_media *m, enum mcu_event event, const void *body, void *user_data)
{
	static void (*const hears[MCU_EVENT_N])(gw_app *, const void *) = {
		[MCU_EVENT_TRANSPORT_STATE] = on_transport_state, [MCU_EVENT_SOURCE_UP] = on_source_up,
		[MCU_EVENT_SOURCE_STALLED] = on_source_stalled,	  [MCU_EVENT_SINK_FIRST_KEYFRAME] = on_first_keyframe,
		[MCU_EVENT_SOURCE_LEVEL] = on_level,		  [MCU_EVENT_ROOM_STATS] = on_room_stats,
	};
	if (hears[event] != NULL) {
		hears[event](user_data, body);
	}
	if (event != MCU_EVENT_TRANSPORT_STATE) {
		gw_app_sip_event(user_data, event, body);
		gw_app_h323_event(user_data, event, body);
		gw_app_mix_event(user_data, event, body);
	}
}

static void on_transport_lost(gw_media *m, const char *room, const char *transport, const char *why, void *user_data)
{
	gw_rtc_transport_lost(((gw_app *)user_data)->rtc, transport, why);
	gw_app_sip_transport_lost(user_data, transport, why);
	gw_app_h323_transport_lost(user_data, transport, why);
}

/* ---- the engine itself ---- */
static void tell_system(gw_app *app, const char *engine, const char *why)
{
	gw_app_remember(app, g_str_equal(engine, "up") ? "engine.up" : "engine.down", "gateway", NULL, json_pack("{s:s}", "why", why));
	gw_api_broadcast(app->api, not_field, NULL, GW_EVENT_SYSTEM_STATE,
			 &(struct gw_ev_system){ (char *)(uintptr_t)engine, (char *)(uintptr_t)why });
}

static void on_hall(const void *reply, const GError *err, void *user_data)
{
	if (err != NULL) {
		ort_log(ORT_LOG_ERROR, "app", "hall.open", "the engine did not open the room", ORT_S("why", err->message));
	}
}

static gboolean open_hall(gpointer user_data)
{
	gw_app *app = user_data;
	app->hall_idle = 0;
	if (!app->hall) {
		app->hall = true;
		struct mcu_room_open req = { .room = (char *)(uintptr_t)GW_HALL };
		gw_media_call(app->media, MCU_METHOD_ROOM_OPEN, &req, on_hall, app);
		gw_app_mix_again(app);
	}
	gw_app_dial_waiting(app);	/* after the dump was compared: what is opened meanwhile would be missing in it */
	return G_SOURCE_REMOVE;
}

static void on_engine_up(gw_media *m, const struct gw_media_engine *engine, void *user_data)
{
	gw_app *app = user_data;
	tell_system(app, "up", engine->taken_over ? "taken_over" : "started");
	/* Rooms that this engine holds already are told right after this: only then it is known whether ours is among them. */
	if (!app->hall && app->hall_idle == 0) {
		app->hall_idle = g_idle_add(open_hall, app);
	} else if (app->hall) {
		gw_app_mix_again(app);
	}
}

static void on_engine_down(gw_media *m, const char *why, void *user_data)
{
	tell_system(user_data, "restarting", why != NULL ? why : "");
}

/* Calls died with the gateway that held them: their transports are nobody's now. */
static void end_calls(gw_app *app, const struct mcu_dump_room *room)
{
	const struct mcu_dump_transport *t = room->transports.items;
	for (size_t n = 0; n < room->transports.n; n++) {
		bool call = g_strcmp0(t[n].kind, "plain") == 0 || g_str_has_prefix(t[n].id, "call-");
		if (call && !gw_app_is_our_call(app, t[n].id)) {
			struct mcu_transport_ref ref = { (char *)(uintptr_t)GW_HALL, t[n].id };
			gw_media_call(app->media, MCU_METHOD_TRANSPORT_CLOSE, &ref, NULL, NULL);
		}
	}
}

static void on_room_found(gw_media *m, const struct mcu_dump_room *room, void *user_data)
{
	gw_app *app = user_data;
	if (g_str_equal(room->room, GW_HALL) && gw_media_adopt(m, GW_HALL)) {
		app->hall = true;
		gw_rtc_adopt(app->rtc, room);
		end_calls(app, room);
		gw_app_mix_found(app, room);
	}
}

static void media_call(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *user_data)
{
	gw_app *app = user_data;
	if (app->media != NULL) {
		gw_media_call(app->media, method, request, fn, fn_data);
	}
}

static void add_list(GPtrArray *args, const char *key, const char *const *values)
{
	if (values != NULL && values[0] != NULL) {
		g_autofree char *joined = g_strjoinv(",", (char **)(uintptr_t)values);
		g_ptr_array_add(args, g_strdup("--set"));
		g_ptr_array_add(args, g_strconcat(key, "=", joined, NULL));
	}
}

/* What the engine is started with. */
static GPtrArray *engine_args(const gw_app *app)
{
	const ort_conf *conf = app->options.conf;
	GPtrArray *args = g_ptr_array_new_with_free_func(g_free);
	if (ort_conf_str(conf, "media.config")[0] != '\0') {
		g_ptr_array_add(args, g_strdup("--config"));
		g_ptr_array_add(args, g_strdup(ort_conf_str(conf, "media.config")));
	}
	add_list(args, "media.listen", ort_conf_strv(conf, "media.listen"));
	add_list(args, "media.announce", ort_conf_strv(conf, "media.announce"));
	g_ptr_array_add(args, g_strdup("--set"));
	g_ptr_array_add(args, g_strdup_printf("media.udp_port=%" G_GINT64_FORMAT, ort_conf_int(conf, "media.udp_port")));
	g_ptr_array_add(args, g_strdup("--set"));
	g_ptr_array_add(args, g_strdup("engine.max_transports=4096"));
	g_ptr_array_add(args, NULL);
	return args;
}

bool gw_app_media_start(gw_app *app, char **ret_why)
{
	static const struct gw_media_ops ops = { on_engine_up, on_engine_down, on_room_found, on_transport_lost, on_event };
	static const struct gw_rtc_ops rtc_ops = { media_call, gw_app_stream_instead, gw_app_stream_fed };
	const char *configured = ort_conf_str(app->options.conf, "media.engine");
	g_autofree char *socket = g_build_filename(app->options.state, "engine.sock", NULL);
	g_autoptr(GPtrArray) args = engine_args(app);
	if (strlen(socket) > 107) {
		*ret_why = g_strdup_printf("%s is too long for a Unix socket: choose a shorter state folder", socket);
		return false;
	}
	struct gw_media_conf conf = { .socket = socket,
				      .engine = app->options.engine != NULL ? app->options.engine
								 : configured[0] != '\0' ? configured : NULL,
				      .args = (const char *const *)args->pdata,
				      .grace_ms = ort_conf_int(app->options.conf, "media.grace") };
	app->rtc = gw_rtc_new(&rtc_ops, &listener, GW_HALL, app);
	app->media = gw_media_new(app->context, &conf, &ops, app);
	return true;
}

/* ---- what the domain wants ---- */
struct talk { gw_app *app; const char *incident; };

static void route_talk(gw_leg *leg, void *user_data)
{
	const struct talk *t = user_data;
	const char *scene = scene_of_leg(t->app, leg);
	if (scene == NULL || (t->incident != NULL && g_strcmp0(gw_scene_incident(t->app->domain, scene), t->incident) != 0)) {
		return;
	}
	const char *talker = gw_domain_talker(t->app->domain, scene);
	g_autofree char *stream = talker != NULL ? g_strconcat(talker, ".audio", NULL) : NULL;
	(void)gw_rtc_feed_kind(leg, MCU_AUDIO, stream);
}

void gw_app_talk(gw_app *app, const char *incident)
{
	gw_rtc_foreach(app->rtc, route_talk, &(struct talk){ app, incident });
}

void gw_app_mute(gw_app *app, const char *scene, bool on)
{
	g_autofree char *stream = g_strconcat(scene, ".audio", NULL);
	struct mcu_source_pause req = { (char *)(uintptr_t)GW_HALL, stream, on };
	gw_media_call(app->media, MCU_METHOD_SOURCE_PAUSE, &req, NULL, NULL);
}

void gw_app_close_pc(gw_app *app, gw_leg *leg, const char *why)
{
	tell_page(app, leg, GW_EVENT_RTC_GONE, why);
	g_hash_table_remove(app->failing, leg->id);
	gw_rtc_close(leg, why);
}

void gw_app_scene_gone(gw_app *app, const char *scene, const char *why)
{
	gw_leg *leg;
	while ((leg = gw_rtc_by_party(app->rtc, scene)) != NULL) {
		gw_app_close_pc(app, leg, why);
	}
}

/* ---- handlers ---- */
unsigned gw_app_rights(const struct gw_api_session *s)
{
	static const unsigned rights[GW_ROLE_N] = {
		[GW_ROLE_ADMINISTRATOR] = GW_RTC_VIEW | GW_RTC_PUBLISH_AUDIO | GW_RTC_PUBLISH_SLIDES,
		[GW_ROLE_DISPATCHER] = GW_RTC_VIEW | GW_RTC_PUBLISH_AUDIO | GW_RTC_PUBLISH_SLIDES,
		[GW_ROLE_VIEWER] = GW_RTC_VIEW,
		[GW_ROLE_WALL] = GW_RTC_VIEW,
		[GW_ROLE_ROOM] = GW_RTC_VIEW | GW_RTC_PUBLISH_AUDIO | GW_RTC_PUBLISH_VIDEO,
		[GW_ROLE_FIELD] = GW_RTC_HEAR | GW_RTC_PUBLISH_AUDIO | GW_RTC_PUBLISH_VIDEO,
	};
	return rights[s->role];
}

struct offer { gw_app *app; gw_api_call *call; char *pc; };

/* The console's talk goes by the connection that publishes its microphone. */
static void note_party(gw_app *app, struct gw_api_session *s, const gw_leg *leg)
{
	const char *party = gw_rtc_party(leg);
	g_autofree char *stream = party != NULL ? g_strconcat(party, ".audio", NULL) : NULL;
	if (s->role != GW_ROLE_FIELD && stream != NULL && gw_rtc_by_party(app->rtc, party) == leg) {
		g_free(s->app);
		s->app = g_strdup(party);
	}
}

static void on_answer(enum gw_error error, const char *why, const char *answer, void *user_data)
{
	struct offer *o = user_data;
	struct gw_api_session *s = gw_api_call_session(o->call);
	gw_leg *leg = s != NULL ? gw_rtc_find(o->app->rtc, s->auth, o->pc) : NULL;
	if (error != GW_ERROR_N) {
		gw_api_fail(o->call, error, why);
	} else {
		if (leg != NULL) {
			note_party(o->app, s, leg);
		}
		gw_app_talk(o->app, NULL);
		gw_api_reply(o->call, &(struct gw_rtc_answer){ (char *)(uintptr_t)answer });
	}
	g_free(o->pc);
	g_free(o);
}

static void offer(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_rtc_offer *in = request;
	if (in->party != NULL && !gw_app_seat_owns(app, s, in->party)) {
		gw_api_fail(call, GW_ERROR_STATE, "party: this session is not it, or it left the conference");
		return;
	}
	struct offer *o = g_new0(struct offer, 1);
	struct gw_rtc_who who = { s->auth, s->role == GW_ROLE_FIELD ? s->scene : in->party, gw_app_rights(s) };
	if (in->party != NULL) {
		who.rights |= GW_RTC_PUBLISH_AUDIO | GW_RTC_PUBLISH_VIDEO | GW_RTC_PUBLISH_SLIDES;
	}
	*o = (struct offer){ app, call, g_strdup(in->pc) };
	gw_rtc_take_offer(app->rtc, &who, in, on_answer, o);
}

/* The connection that a request is about, or NULL and the call is answered. */
static gw_leg *leg_of(gw_app *app, struct gw_api_session *s, const char *pc, gw_api_call *call)
{
	gw_leg *leg = gw_rtc_find(app->rtc, s->auth, pc);
	if (leg == NULL) {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, "no such peer connection");
	}
	return leg;
}

/* ICE-lite needs no candidates of the peer; the call tells a page that came back whether its connection is known. */
static void candidate(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_leg *leg = leg_of(user_data, s, ((const struct gw_rtc_candidate *)request)->pc, call);
	if (leg != NULL) {
		note_party(user_data, s, leg);
		gw_api_reply(call, NULL);
	}
}

static void answer_found(gw_api_call *call, int rc)
{
	if (rc == 0) {
		gw_api_reply(call, NULL);
	} else {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, "no such section of the connection");
	}
}

static void route(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_rtc_route *in = request;
	gw_leg *leg = leg_of(user_data, s, in->pc, call);
	if (leg != NULL && (gw_app_rights(s) & GW_RTC_VIEW) == 0) {
		gw_api_fail(call, GW_ERROR_FORBIDDEN, NULL);
	} else if (leg != NULL) {
		answer_found(call, gw_leg_feed(leg, in->mid, in->stream));
	}
}

static void prefer(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_rtc_prefer *in = request;
	gw_leg *leg = leg_of(user_data, s, in->pc, call);
	if (leg != NULL) {
		answer_found(call, gw_rtc_prefer(leg, in->mid, in));
	}
}

static void close_pc(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	gw_leg *leg = leg_of(app, s, ((const struct gw_rtc_close *)request)->pc, call);
	if (leg == NULL) {
		return;
	}
	const char *scene = scene_of_leg(app, leg);
	bool publishes = scene != NULL && gw_rtc_by_party(app->rtc, scene) == leg;
	g_autofree char *left = publishes ? g_strdup(scene) : NULL;
	const char *seat = gw_party_by_streams(app->domain, gw_rtc_party(leg));
	g_autofree char *party = g_strdup(seat != NULL && gw_party_is_live(gw_party_get_state(app->domain, seat)) ? seat : NULL);
	g_hash_table_remove(app->failing, leg->id);
	gw_rtc_close(leg, "left");
	if (party != NULL) {
		(void)gw_party_state(app->domain, party, GW_SITE_ABSENT, "left", gw_app_now());
	}
	if (left != NULL) {
		(void)gw_scene_state(app->domain, left, GW_SITE_ABSENT, "left", gw_app_now());
	}
	gw_api_reply(call, NULL);
}

void gw_app_bind_media(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_RTC_OFFER, offer },	  { GW_METHOD_RTC_CANDIDATE, candidate }, { GW_METHOD_RTC_ROUTE, route },
		{ GW_METHOD_RTC_PREFER, prefer }, { GW_METHOD_RTC_CLOSE, close_pc },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
}

/* ---- giving up ---- */
struct sweep { gw_app *app; int64_t before_us; GPtrArray *old; };

static void find_old(gw_leg *leg, void *user_data)
{
	struct sweep *w = user_data;
	const int64_t *since = g_hash_table_lookup(w->app->failing, leg->id);
	if (since != NULL && *since < w->before_us) {
		g_ptr_array_add(w->old, leg);
	}
}

/* A connection that has been down too long is closed; its phone or page makes a new one when it is back. */
void gw_app_sweep_legs(gw_app *app, int64_t now_us)
{
	g_autoptr(GPtrArray) old = g_ptr_array_new();
	struct sweep w = { app, now_us - ort_conf_int(app->options.conf, "media.lost_leg") * ORT_US_PER_MS, old };
	gw_rtc_foreach(app->rtc, find_old, &w);
	for (unsigned n = 0; n < old->len; n++) {
		gw_leg *leg = old->pdata[n];
		const char *scene = scene_of_leg(app, leg);
		bool publishes = scene != NULL && gw_rtc_by_party(app->rtc, scene) == leg;
		if (publishes) {
			(void)gw_scene_state(app->domain, scene, GW_SITE_UNREACHABLE, "connection_lost", gw_app_now());
		}
		gw_app_close_pc(app, leg, "connection_lost");
	}
}
