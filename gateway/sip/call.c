/* A call as a leg: its life, its good-byes, the media half's words. */
#include <errno.h>
#include <string.h>

#include "gateway/sip/sip_priv.h"

struct call *call_of(gw_leg *leg)
{
	return (struct call *)leg;
}

struct call *call_ref(struct call *c)
{
	c->refs++;
	return c;
}

static void destroy(struct call *c)
{
	g_free(c->device);
	g_free(c->agent);
	g_free(c->peer);
	g_free(c->call_id);
	g_free(c->number);
	g_free(c->target);
	g_free(c->route);
	g_free(c->contact);
	g_free(c->early_answer);
	g_free(c->offer);
	g_free(c->main_source);
	g_free(c->replaces);
	g_queue_clear_full(&c->targets, g_free);
	sip_answer_clear(&c->answer);
	gw_leg_finish(&c->leg);
	g_free(c);
}

void call_unref(struct call *c)
{
	if (--c->refs == 0) {
		destroy(c);
	}
}

/* ---- media half ---- */
static void on_media(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *user_data)
{
	struct call *c = user_data;
	if (c->sip != NULL) {
		c->sip->ops.media(method, request, fn, fn_data, c->sip->user_data);
	}
}

static void on_stream(struct sip_media *m, const char *stream, enum mcu_kind kind, enum mcu_content content, bool on, void *user_data)
{
	gw_leg_stream(user_data, stream, kind, content, on);
}

static void on_up(struct sip_media *m, void *user_data)
{
	struct call *c = call_ref(user_data);
	c->media_up = true;
	call_check_up(c);
	call_unref(c);
}

static void on_failed(struct sip_media *m, const char *why, void *user_data)
{
	struct call *c = call_ref(user_data);
	call_end(c, 500, why != NULL ? why : "media failed");
	call_unref(c);
}

static void on_hold(struct sip_media *m, bool by_peer, void *user_data)
{
	struct call *c = call_ref(user_data);
	c->by_peer_hold = by_peer;
	(void)gw_leg_enter(&c->leg, by_peer ? GW_LEG_HELD : GW_LEG_UP, by_peer ? "held by the peer" : "resumed by the peer");
	call_unref(c);
}

static void on_floor(struct sip_media *m, enum gw_sip_floor_news news, void *user_data)
{
	struct call *c = user_data;
	if (!c->dead && c->sip->ops.on_floor != NULL) {
		c->sip->ops.on_floor(&c->leg, news, c->sip->user_data);
	}
}

bool call_media(struct call *c)
{
	static const struct sip_media_ops ops = { on_media, on_stream, on_up, on_failed, on_hold, on_floor };
	const struct gw_sip_trunk *t = c->trunk != NULL ? &c->trunk->conf : NULL;
	bool trunk_ice = t != NULL && g_strcmp0(t->security, "ice") == 0;
	const struct sip_media_conf conf = {
		.id = c->leg.id, .room = c->leg.room, .party = c->leg.party, .zone = &c->zone->conf, .secure_signalling = c->secure,
		.security = trunk_ice ? "dtls" : t != NULL ? t->security : NULL, .video = true, .content = true, .ice = c->ours && (c->ice || trunk_ice),
		.max_bps = c->max_bps != 0 ? c->max_bps : t != NULL ? t->max_bps : 0, .bfcp = c->sip->bfcp,
		.quirks = sip_quirks_find(c->sip->quirks, c->agent),
	};
	if (c->media == NULL) {
		c->media = sip_media_new(&conf, &ops, c);
	}
	return c->media != NULL;
}

/* ---- loops of trunks ---- */
const char *said_path(const sip_t *sip)
{
	for (const sip_unknown_t *u = sip->sip_unknown; u != NULL; u = u->un_next) {
		if (g_ascii_strcasecmp(u->un_name, SIP_PATH) == 0) {
			return u->un_value;
		}
	}
	return NULL;
}

char *call_path(struct call *c)
{
	g_autofree char *path = c->trunk != NULL && c->sip->ops.path != NULL ? c->sip->ops.path(&c->leg, c->sip->user_data) : NULL;
	return path != NULL ? g_strconcat(SIP_PATH ": ", path, NULL) : NULL;
}

void call_heard_path(struct call *c, const sip_t *sip)
{
	const char *path = c->trunk != NULL && !c->dead ? said_path(sip) : NULL;
	if (path != NULL && c->sip->ops.on_path != NULL && !c->sip->ops.on_path(&c->leg, path, c->sip->user_data)) {
		call_end(c, 482, "a loop: that conference is joined with ours already (482)");
	}
}

void call_check_up(struct call *c)
{
	if (c->dead || !c->media_up || !c->confirmed || c->exchange != X_IDLE || c->leg.fsm.state != GW_LEG_CONNECTING) {
		return;
	}
	(void)gw_leg_enter(&c->leg, GW_LEG_UP, NULL);
	if (!c->dead) {
		keep_up(c);
	}
}

/* ---- the end ---- */
static void say_goodbye(struct call *c, unsigned status)
{
	if (c->invite != NULL && !c->confirmed) {
		farewell_cancel(c);
		return;
	}
	if (c->request != NULL && c->replied && !c->confirmed) {
		farewell_ack(c);
		return;
	}
	if (c->request != NULL && nta_incoming_status(c->request) < 200) {
		(void)nta_incoming_treply(c->request, c->confirmed ? 487 : (int)status, NULL, SIPTAG_SERVER_STR(SIP_AGENT), TAG_END());
	}
	if (c->confirmed) {
		farewell_bye(c);
	}
}

static void drop_signalling(struct call *c)
{
	sip_timer_stop(&c->timer);
	sip_timer_stop(&c->glare);
	sip_timer_stop(&c->ring);
	sip_timer_stop(&c->dial_pad);
	if (c->invite != NULL) {
		nta_outgoing_destroy(c->invite);
	}
	if (c->updating != NULL) {
		nta_outgoing_destroy(c->updating);
	}
	if (c->reliable != NULL) {
		nta_reliable_destroy(c->reliable);
	}
	if (c->request != NULL) {
		nta_incoming_destroy(c->request);
	}
	if (c->dialog != NULL) {
		nta_leg_destroy(c->dialog);
	}
	c->invite = NULL;
	c->updating = NULL;
	c->reliable = NULL;
	c->request = NULL;
	c->dialog = NULL;
}

void call_strip(struct call *c, unsigned status)
{
	if (status != 0) {
		say_goodbye(c, status);
	}
	drop_signalling(c);
	if (c->media != NULL) {
		on_floor(c->media, GW_SIP_FLOOR_ENDS, c);	/* the next call begins with a floor of its own */
	}
	g_clear_pointer(&c->media, sip_media_free);
	c->confirmed = c->replied = c->media_up = c->by_peer_hold = c->again = c->challenged = c->redirected = false;
	c->exchange = X_IDLE;
	c->redirects = c->glares = c->expires_s = 0;
	g_clear_pointer(&c->early_answer, g_free);
}

/* Silent upward. status 0: the peer knows already. */
static void take_down(struct call *c, unsigned status)
{
	if (c->dead) {
		return;
	}
	c->dead = true;
	if (status != 0 && c->sip != NULL) {
		say_goodbye(c, status);
	}
	drop_signalling(c);
	g_clear_pointer(&c->media, sip_media_free);
	if (c->trunk != NULL) {
		c->trunk->calls--;
	}
}

void call_end(struct call *c, unsigned status, const char *why)
{
	if (c->dead || keep_takes(c, status, why)) {
		return;
	}
	(void)call_ref(c);
	ort_log(ORT_LOG_INFO, "sip", "sip.ended", "a call ended", ORT_S("leg", c->leg.id), ORT_S("call_id", c->call_id),
		ORT_S("peer", c->peer), ORT_S("why", why));
	take_down(c, status);
	(void)gw_leg_enter(&c->leg, GW_LEG_ENDED, why);
	call_unref(c);
}

void call_peer_gone(struct call *c, const char *why)
{
	call_end(c, 0, why);
}

/* ---- as a leg ---- */
static int leg_answer(gw_leg *leg)
{
	return uas_answer(call_of(leg));
}

static int leg_dial(gw_leg *leg, const struct gw_leg_dial *dial)
{
	return uac_dial(call_of(leg), dial);
}

static int leg_feed(gw_leg *leg, const char *slot, const char *source)
{
	struct call *c = call_of(leg);
	int err = c->media != NULL ? sip_media_feed(c->media, slot, source) : -ENOTCONN;
	if (err == 0 && strcmp(slot, "main") == 0) {
		g_free(c->main_source);
		c->main_source = g_strdup(source);
	}
	return err;
}

static bool leg_takes(const gw_leg *leg, const char *slot, struct gw_leg_takes *ret)
{
	const struct call *c = (const struct call *)leg;
	return c->media != NULL && sip_media_takes(c->media, slot, ret);
}

static int leg_second_video(gw_leg *leg, bool on)
{
	struct call *c = call_of(leg);
	return c->media != NULL ? sip_media_floor(c->media, on ? GW_SIP_FLOOR_TAKEN : GW_SIP_FLOOR_FREE) : -ENOTCONN;
}

static int leg_dtmf(gw_leg *leg, const char *digits)
{
	struct call *c = call_of(leg);
	int err = c->media != NULL ? sip_media_dtmf(c->media, digits) : -ENOTCONN;
	return err == -ENOTSUP ? dialog_dtmf(c, digits) : err;
}

static int leg_hold(gw_leg *leg, bool on)
{
	struct call *c = call_of(leg);
	if (c->media == NULL) {
		return -ENOTCONN;
	}
	sip_media_hold(c->media, on);
	(void)gw_leg_enter(leg, on ? GW_LEG_HELD : GW_LEG_UP, NULL);
	call_reoffer(c);
	return 0;
}

/* "486 busy": an application that wants a certain status writes it first */
static unsigned status_of(const char *why)
{
	guint64 n = why != NULL ? g_ascii_strtoull(why, NULL, 10) : 0;
	return n >= 400 && n < 700 ? (unsigned)n : 480;
}

static void leg_hangup(gw_leg *leg, const char *why)
{
	struct call *c = call_ref(call_of(leg));
	take_down(c, status_of(why));
	call_unref(c);
}

static void leg_print(const gw_leg *leg, json_t *into)
{
	const struct call *c = (const struct call *)leg;
	const bool here = c->sip != NULL;	/* zones and trunks go with the stack */
	static const char *const exchanges[] = { "idle", "making offer", "offered", "making answer", "taking answer" };
	json_object_set_new(into, "peer", c->peer != NULL ? json_string(c->peer) : json_null());
	json_object_set_new(into, "agent", c->agent != NULL ? json_string(c->agent) : json_null());
	json_object_set_new(into, "call_id", c->call_id != NULL ? json_string(c->call_id) : json_null());
	json_object_set_new(into, "zone", here && c->zone != NULL ? json_string(c->zone->conf.name) : json_null());
	json_object_set_new(into, "trunk", here && c->trunk != NULL ? json_string(c->trunk->conf.name) : json_null());
	json_object_set_new(into, "device", c->device != NULL ? json_string(c->device) : json_null());
	json_object_set_new(into, "direction", json_string(c->ours ? "out" : "in"));
	json_object_set_new(into, "exchange", json_string(exchanges[c->exchange]));
	json_object_set_new(into, "transport", json_string(sip_transport_names[c->transport]));
	json_object_set_new(into, "session_expires_s", json_integer(c->expires_s));
	json_object_set_new(into, "media", c->media != NULL ? sip_media_print(c->media) : json_null());
}

static void leg_free(gw_leg *leg)
{
	struct call *c = call_of(leg);
	if (c->sip != NULL && g_hash_table_lookup(c->sip->calls, leg->id) == c) {
		g_hash_table_remove(c->sip->calls, leg->id);
	}
	c->sip = NULL;
	c->freed = true;
	call_unref(c);
}

static const struct gw_leg_ops leg_ops = { "sip", GW_LEG_DIALS | GW_LEG_SECOND_VIDEO | GW_LEG_DTMF | GW_LEG_HOLDS, leg_dial,
					   leg_answer, leg_feed, leg_second_video, leg_dtmf, leg_hold, leg_hangup, leg_print,
					   leg_free, leg_takes };

struct call *call_new(gw_sip *sip, const char *id, const char *party)
{
	struct call *c = g_new0(struct call, 1);
	c->sip = sip;
	c->refs = 1;
	g_queue_init(&c->targets);
	gw_leg_init(&c->leg, &leg_ops, id, sip->room, party, &sip->listener, sip->user_data);
	g_hash_table_replace(sip->calls, c->leg.id, c);
	return c;
}

gw_leg *gw_sip_call(gw_sip *sip, const char *id, const char *party, GError **err)
{
	if (g_hash_table_contains(sip->calls, id)) {
		g_set_error(err, g_quark_from_static_string("gw-sip"), EEXIST, "there is a call %s already", id);
		return NULL;
	}
	if (g_hash_table_size(sip->calls) >= sip->max_calls) {
		g_set_error_literal(err, g_quark_from_static_string("gw-sip"), EBUSY, "all calls are taken");
		return NULL;
	}
	return &call_new(sip, id, party)->leg;
}

int gw_sip_floor(gw_leg *leg, enum gw_sip_floor what)
{
	struct call *c = call_of(leg);
	return c->media != NULL ? sip_media_floor(c->media, what) : -ENOTCONN;
}
