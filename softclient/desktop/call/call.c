/* The seat: joins signalling and media, and says what the terminal really saw. */
#include <math.h>

#include "softclient/desktop/call/call_priv.h"

enum { TICK_MS = 50, PLACE_EVERY_MS = 5000, BYE_MS = 700, HEARD_TIMES = 2 };
static const double heard_db = -45;	/* louder than any codec's idle noise */

struct sc_call {
	struct sc_call_conf conf;
	sc_call_ended_fn fn;
	void *user_data;
	sc_wire *wire;
	struct sc_line leg;
	sc_peer *peer;
	char *pc, *name, *scene, *incident;
	unsigned tick, connections, loud;
	int64_t epoch_us, place_due_us, bye_us;
	uint64_t frames_before;
	bool drill, muted, granted, heard, ending;
};

static void act(sc_call *c);

static void move(sc_call *c, int event, const char *why)
{
	if (sc_line_event(&c->leg, event, ort_now_us())) {
		ort_log(ORT_LOG_INFO, "call", "leg.state", "the media connection moved", ORT_S("state", sc_line_state(&c->leg)),
			ORT_S("pc", c->pc), ORT_S("why", why));
		act(c);
	}
}

/* ---- reports ---- */
static void on_report(const char *error, const char *why, const void *reply, void *user_data)
{
	if (error != NULL) {
		ort_log(ORT_LOG_WARNING, "call", "report.refused", "the gateway did not take a report", ORT_S("report", user_data),
			ORT_S("error", error), ORT_S("why", why));
	}
}

static void stamp(sc_call *c, enum gw_scene_stamp_kind kind, const char *detail)
{
	struct gw_scene_stamp st = { kind, sc_wire_now_ms(c->wire), (char *)(uintptr_t)detail };
	sc_wire_call(c->wire, GW_METHOD_SCENE_STAMP, &st, on_report, (void *)(uintptr_t)gw_scene_stamp_names[kind]);
}

static void report_place(sc_call *c, int64_t now_us)
{
	if (c->conf.place == NULL || !sc_wire_is_up(c->wire) || now_us < c->place_due_us) {
		return;
	}
	struct sc_place at = sc_place_walk(*c->conf.place, (now_us - c->epoch_us) / ORT_US_PER_MS);
	struct gw_scene_position p = { at.lat, at.lon, 8, sc_wire_now_ms(c->wire) };
	c->place_due_us = now_us + PLACE_EVERY_MS * ORT_US_PER_MS;
	sc_wire_call(c->wire, GW_METHOD_SCENE_POSITION, &p, on_report, (void *)(uintptr_t)"scene.position");
}

/* ---- media ---- */
struct answer { sc_call *call; char *pc; };

static void on_answer(const char *error, const char *why, const void *reply, void *user_data)
{
	struct answer *a = user_data;
	const struct gw_rtc_answer *answer = reply;
	sc_call *c = a->call;
	g_autofree char *fault = NULL, *pc = a->pc;
	bool ours = c->peer != NULL && g_strcmp0(pc, c->pc) == 0 && !c->ending;
	g_free(a);
	if (!ours) {
		return;
	}
	if (error != NULL || !sc_peer_answer(c->peer, answer->sdp, &fault)) {
		ort_log(ORT_LOG_WARNING, "call", "offer.refused", "the gateway did not take our offer", ORT_S("error", error),
			ORT_S("why", fault != NULL ? fault : why));
		move(c, LEG_EV_FAILED, error);
		return;
	}
	move(c, LEG_EV_ANSWERED, NULL);
}

static void on_offer(sc_peer *p, const struct sc_peer_offer *offer, void *user_data)
{
	sc_call *c = user_data;
	struct gw_rtc_publish publish[] = { { (char *)(uintptr_t)offer->audio_mid, GW_AUDIO, GW_CONTENT_MAIN },
					    { (char *)(uintptr_t)offer->video_mid, GW_VIDEO, GW_CONTENT_MAIN } };
	struct gw_rtc_offer request = { .pc = c->pc, .sdp = (char *)(uintptr_t)offer->sdp, .publish = { publish, G_N_ELEMENTS(publish) } };
	struct answer *a = g_new(struct answer, 1);
	*a = (struct answer){ c, g_strdup(c->pc) };
	sc_wire_call(c->wire, GW_METHOD_RTC_OFFER, &request, on_answer, a);
}

static void on_peer_state(sc_peer *p, enum sc_peer_state state, const char *why, void *user_data)
{
	static const int events[SC_PEER_N] = { [SC_PEER_CONNECTING] = -1, [SC_PEER_UP] = LEG_EV_CONNECTED,
					       [SC_PEER_WAVERING] = LEG_EV_WAVERED, [SC_PEER_FAILED] = LEG_EV_FAILED };
	if (events[state] >= 0) {
		move(user_data, events[state], why);
	}
}

/* Said once, and only of sound that came out of the decoder. */
static void on_sound(sc_peer *p, double rms_db, void *user_data)
{
	sc_call *c = user_data;
	c->loud = rms_db > heard_db ? c->loud + 1 : 0;
	if (c->loud >= HEARD_TIMES && !c->heard && sc_wire_is_up(c->wire)) {
		c->heard = true;
		stamp(c, GW_STAMP_HEARD_DISPATCHER, NULL);
	}
}

static void drop_peer(sc_call *c)
{
	struct sc_peer_stats st;
	if (c->peer == NULL) {
		return;
	}
	sc_peer_get_stats(c->peer, &st);
	c->frames_before += st.frames;
	g_clear_pointer(&c->peer, sc_peer_free);
	sc_wire_call(c->wire, GW_METHOD_RTC_CLOSE, &(struct gw_rtc_close){ c->pc }, NULL, NULL);
}

static void make_peer(sc_call *c)
{
	static const struct sc_peer_listener listener = { on_offer, on_peer_state, on_sound };
	struct sc_peer_conf conf = { .name = c->conf.name != NULL ? c->conf.name : c->name, .drill = c->drill, .muted = c->muted,
				     .loopback = c->conf.link->loopback, .codec = c->conf.codec, .width = c->conf.width,
				     .height = c->conf.height, .fps = c->conf.fps, .epoch_us = c->epoch_us };
	g_autofree char *why = NULL;
	drop_peer(c);
	g_free(c->pc);
	c->pc = g_strdup_printf("trm-%08x%04x", g_random_int(), c->connections & 0xffff);
	c->connections++;
	c->peer = sc_peer_new(&conf, &listener, c, &why);
	if (c->peer == NULL) {
		sc_wire_close(c->wire, SC_END_REFUSED, why);
	}
}

static void act(sc_call *c)
{
	switch (c->leg.fsm.state) {
	case LEG_OFFERING:
		make_peer(c);
		break;
	case LEG_REST:
	case LEG_ENDED:
		drop_peer(c);
		break;
	default:
		break;
	}
}

/* ---- signalling ---- */
static void on_open(const struct gw_session_info *session, void *user_data)
{
	sc_call *c = user_data;
	g_free(c->name);
	g_free(c->scene);
	g_free(c->incident);
	c->name = g_strdup(session->name);
	c->scene = g_strdup(session->scene);
	c->incident = g_strdup(session->incident);
	c->drill = session->drill;
	ort_log(ORT_LOG_NOTICE, "call", "link.opened", "the link gave a seat", ORT_S("name", c->name), ORT_S("scene", c->scene),
		ORT_B("drill", c->drill));
}

/* After a break the gateway may be a new process that knows nothing of our connection. */
static void on_recheck(const char *error, const char *why, const void *reply, void *user_data)
{
	if (g_strcmp0(error, "not_found") == 0) {
		move(user_data, LEG_EV_GONE, "the gateway does not know the connection");
	}
}

static void on_up(bool up, void *user_data)
{
	sc_call *c = user_data;
	if (!up || c->ending) {
		return;
	}
	if (!c->granted) {
		c->granted = true;
		stamp(c, GW_STAMP_CAMERA_ASKED, NULL);
		stamp(c, GW_STAMP_CAMERA_GRANTED, "synthetic");
	}
	if (c->leg.fsm.state == LEG_UP || c->leg.fsm.state == LEG_WAVERING) {
		struct gw_rtc_candidate probe = { c->pc, (char *)(uintptr_t)"" };
		sc_wire_call(c->wire, GW_METHOD_RTC_CANDIDATE, &probe, on_recheck, c);
	} else {
		move(c, LEG_EV_START, NULL);
	}
}

static bool is_me(const sc_call *c, const char *pc)
{
	return c->pc != NULL && g_strcmp0(pc, c->pc) == 0;
}

static void hear_gone(sc_call *c, const void *body)
{
	const struct gw_ev_rtc_gone *ev = body;
	if (is_me(c, ev->pc)) {
		move(c, LEG_EV_GONE, ev->why);
	}
}

static void hear_state(sc_call *c, const void *body)
{
	const struct gw_ev_rtc_state *ev = body;
	if (is_me(c, ev->pc) && c->leg.fsm.state == LEG_UP && g_strcmp0(ev->state, "failed") == 0) {
		move(c, LEG_EV_FAILED, "the engine lost the path");
	}
}

/* The dispatcher may silence us; and a closed incident ends us even if the other word was lost. */
static void hear_incident(sc_call *c, const void *body)
{
	json_t *incident = ((const struct gw_ev_incident *)body)->incident, *scene;
	size_t n;
	if (g_strcmp0(json_string_value(json_object_get(incident, "id")), c->incident) != 0) {
		return;
	}
	json_array_foreach(json_object_get(incident, "scenes"), n, scene) {
		if (g_strcmp0(json_string_value(json_object_get(scene, "id")), c->scene) == 0) {
			c->muted = json_is_true(json_object_get(scene, "muted"));
			if (c->peer != NULL) {
				sc_peer_mute(c->peer, c->muted);
			}
		}
	}
	if (json_integer_value(json_object_get(incident, "closed_ms")) != 0) {
		sc_wire_close(c->wire, SC_END_LINK, "closed");
	}
}

static void hear_end(sc_call *c, const void *body)
{
	sc_wire_close(c->wire, SC_END_LINK, ((const struct gw_ev_why *)body)->why);
}

static void on_event(enum gw_event event, const void *body, void *user_data)
{
	static void (*const hears[GW_EVENT_N])(sc_call *, const void *) = {
		[GW_EVENT_RTC_GONE] = hear_gone,	     [GW_EVENT_RTC_STATE] = hear_state,
		[GW_EVENT_INCIDENT_CHANGED] = hear_incident, [GW_EVENT_LINK_ENDED] = hear_end,
		[GW_EVENT_SESSION_ENDED] = hear_end,
	};
	if (hears[event] != NULL) {
		hears[event](user_data, body);
	}
}

static void on_ended(enum sc_call_end end, const char *why, void *user_data)
{
	sc_call *c = user_data;
	c->ending = true;
	move(c, LEG_EV_CLOSE, why);
	c->fn(end, why, c->user_data);
}

/* ---- life ---- */
static gboolean on_tick(gpointer user_data)
{
	sc_call *c = user_data;
	int64_t now_us = ort_now_us();
	if (ort_fsm_expired(&c->leg.fsm, now_us) && (c->leg.fsm.state != LEG_REST || sc_wire_is_up(c->wire))) {
		move(c, LEG_EV_TIMER, c->leg.fsm.state == LEG_REST ? "again" : "late");
	}
	report_place(c, now_us);
	if (now_us >= c->bye_us) {
		c->bye_us = ORT_NEVER;
		sc_wire_close(c->wire, SC_END_ASKED, "asked");
	}
	return G_SOURCE_CONTINUE;
}

sc_call *sc_call_new(const struct sc_call_conf *conf, sc_call_ended_fn fn, void *user_data, char **ret_why)
{
	static const struct sc_wire_listener listener = { on_open, on_up, on_event, on_ended };
	sc_call *c = g_new0(sc_call, 1);
	int64_t now_us = ort_now_us();
	*c = (sc_call){ .conf = *conf, .fn = fn, .user_data = user_data, .epoch_us = now_us, .bye_us = ORT_NEVER };
	sc_line_init(&c->leg, &sc_leg_kind, now_us);
	c->wire = sc_wire_new(conf, &listener, c, ret_why);
	if (c->wire == NULL) {
		g_free(c);
		return NULL;
	}
	c->tick = g_timeout_add(TICK_MS, on_tick, c);
	return c;
}

/* The gateway's answer to rtc.close, or half a second later. */
static void on_bye(const char *error, const char *why, const void *reply, void *user_data)
{
	((sc_call *)user_data)->bye_us = 0;
}

void sc_call_hang_up(sc_call *c)
{
	if (c->ending) {
		return;
	}
	c->ending = true;
	c->bye_us = ort_now_us() + BYE_MS * ORT_US_PER_MS;
	if (c->pc != NULL) {
		sc_wire_call(c->wire, GW_METHOD_RTC_CLOSE, &(struct gw_rtc_close){ c->pc }, on_bye, c);
	} else {
		c->bye_us = 0;
	}
}

void sc_call_get_stats(const sc_call *c, struct sc_call_stats *ret)
{
	*ret = (struct sc_call_stats){ .wire = sc_wire_state(c->wire), .leg = sc_line_state(&c->leg), .connections = c->connections,
				       .frames = c->frames_before, .drill = c->drill, .heard = c->heard, .peer.heard_db = -INFINITY };
	if (c->peer != NULL) {
		sc_peer_get_stats(c->peer, &ret->peer);
		ret->frames += ret->peer.frames;
	}
}

void sc_call_free(sc_call *c)
{
	if (c == NULL) {
		return;
	}
	c->ending = true;
	g_clear_handle_id(&c->tick, g_source_remove);
	g_clear_pointer(&c->peer, sc_peer_free);
	sc_wire_free(c->wire);
	g_free(c->pc);
	g_free(c->name);
	g_free(c->scene);
	g_free(c->incident);
	g_free(c);
}
