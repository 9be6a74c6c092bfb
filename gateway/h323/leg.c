/* One H.323 call as a leg: joins call, H.245, media and sockets. */
#include <errno.h>
#include <string.h>

#include "gateway/h323/h323_priv.h"
#include "mcu/base/clock.h"

enum { SETUP_US = 10 * G_USEC_PER_SEC,	/* a connection that says nothing */
       CONNECT_S = 10 };

static const struct gw_leg_ops leg_ops;
static const struct h323_call_ops call_ops;
static const struct h323_conn_ops signal_ops, control_ops;

/* ---- time ---- */
static void arm(struct h323_leg *l);

static gboolean on_time(gpointer user_data)
{
	struct h323_leg *l = user_data;
	int64_t now = ort_now_us();
	g_clear_pointer(&l->timer, g_source_unref);
	if (!l->is_leg && now >= l->born_us + SETUP_US) {
		l->h->counts[COUNT_SILENT]++;
		leg_end_later(l);
		return G_SOURCE_REMOVE;
	}
	h323_call_tick(l->call, now);
	arm(l);
	return G_SOURCE_REMOVE;
}

static void arm(struct h323_leg *l)
{
	int64_t due = MIN(h323_call_deadline(l->call), l->is_leg ? INT64_MAX : l->born_us + SETUP_US);
	if (l->timer != NULL) {
		g_source_destroy(l->timer);
		g_clear_pointer(&l->timer, g_source_unref);
	}
	if (due != INT64_MAX && l->idle == 0) {
		l->timer = g_timeout_source_new((guint)CLAMP((due - ort_now_us()) / 1000 + 1, 0, 3600000));
		g_source_set_callback(l->timer, on_time, l, NULL);
		g_source_attach(l->timer, g_main_context_get_thread_default());
	}
}

/* ---- life ---- */
static struct h323_leg *leg_new(gw_h323 *h)
{
	struct h323_leg *l = g_new0(struct h323_leg, 1);
	g_autoptr(json_t) caps = h323_caps_print(&(struct h323_caps_conf){ .video = true, .slides = true, .max_bps = h->conf.max_bps });
	struct h323_call_conf conf = { .name = h->name, .number = h->number, .product = "Ortoo", .mcu = true, .tunnelling = h->conf.tunnelling,
				       .rate = (unsigned)(h->conf.max_bps / 64000), .capabilities = caps, .crv = h->crv };
	h->crv = h->crv >= 32767 ? 1 : h->crv + 1;
	l->h = h;
	l->born_us = ort_now_us();
	l->max_bps = h->conf.max_bps;
	l->call = h323_call_new(&conf, &call_ops, l);
	l->token = (struct h239){ .send = leg_send_token, .user_data = l };
	g_ptr_array_add(h->legs, l);
	return l;
}

static void stop_listening(struct h323_leg *l)
{
	if (l->listening != NULL) {
		g_signal_handlers_disconnect_by_data(l->listening, l);
		g_socket_service_stop(l->listening);
		g_socket_listener_close(G_SOCKET_LISTENER(l->listening));
		g_clear_object(&l->listening);
	}
}

static void leg_free(struct h323_leg *l)
{
	g_ptr_array_remove_fast(l->h->legs, l);
	l->h->counts[COUNT_FAULTS] += h323_call_faults(l->call);
	if (l->timer != NULL) {
		g_source_destroy(l->timer);
		g_source_unref(l->timer);
	}
	if (l->idle != 0) {
		g_source_remove(l->idle);
	}
	stop_listening(l);
	h323_conn_free(l->control);
	h323_conn_free(l->signal);
	h323_media_free(l->media);
	h323_call_free(l->call);
	json_decref(l->caps);
	g_free(l->called);
	g_free(l->from);
	if (l->is_leg) {
		gw_leg_finish(&l->leg);
	}
	g_free(l);
}

static gboolean free_now(gpointer user_data)
{
	struct h323_leg *l = user_data;
	l->idle = 0;
	leg_free(l);
	return G_SOURCE_REMOVE;
}

void leg_end_later(struct h323_leg *l)
{
	h323_call_end(l->call, 41);
	if (l->idle == 0) {
		l->idle = g_idle_add(free_now, l);
	}
}

void leg_destroy(struct h323_leg *l)
{
	if (l->is_leg) {
		gw_leg_free(&l->leg);
	} else {
		leg_free(l);
	}
}

struct h323_leg *leg_incoming(gw_h323 *h, GSocketConnection *connection)
{
	struct h323_leg *l = leg_new(h);
	l->incoming = true;
	l->signal = h323_conn_take(connection, &signal_ops, l);
	arm(l);
	return l;
}

static void become_leg(struct h323_leg *l, const char *id, const char *party)
{
	l->is_leg = true;
	gw_leg_init(&l->leg, &leg_ops, id, l->h->room, party, l->h->listener, l->h->user_data);
}

struct h323_leg *leg_outgoing(gw_h323 *h, const char *id, const char *party)
{
	struct h323_leg *l = leg_new(h);
	become_leg(l, id, party);
	return l;
}

void leg_end(struct h323_leg *l, const char *why)
{
	if (l->is_leg) {
		gw_leg_enter(&l->leg, GW_LEG_ENDED, why);
	} else {
		leg_end_later(l);
	}
}

/* ---- sockets ---- */
static void on_signal_up(struct h323_conn *conn, void *user_data)
{
	struct h323_leg *l = user_data;
	(void)conn;
	h323_call_start(l->call, ort_now_us());
	arm(l);
}

static void on_signal(struct h323_conn *conn, const uint8_t *data, size_t len, void *user_data)
{
	struct h323_leg *l = user_data;
	(void)conn;
	h323_call_receive(l->call, data, len, ort_now_us());
	arm(l);
}

static void on_signal_lost(struct h323_conn *conn, const char *why, void *user_data)
{
	struct h323_leg *l = user_data;
	(void)conn;
	if (!l->is_leg) {
		leg_end_later(l);
	} else if (l->dialled && h323_call_get_state(l->call) == H323_IDLE) {
		leg_end(l, why);	/* nobody there: there is no call to end */
	} else {
		h323_call_lost(l->call, why);
	}
}

static void on_control_up(struct h323_conn *conn, void *user_data)
{
	struct h323_leg *l = user_data;
	(void)conn;
	h323_call_h245_up(l->call, ort_now_us());
	arm(l);
}

static void on_control(struct h323_conn *conn, const uint8_t *data, size_t len, void *user_data)
{
	struct h323_leg *l = user_data;
	(void)conn;
	h323_call_receive_h245(l->call, data, len, ort_now_us());
	arm(l);
}

/* Most devices drop the call with it; those that close it first send ReleaseComplete at once (trap 14): time for that. */
static void on_control_lost(struct h323_conn *conn, const char *why, void *user_data)
{
	(void)conn;
	(void)why;
	(void)user_data;
}

static const struct h323_conn_ops signal_ops = { on_signal_up, on_signal, on_signal_lost };
static const struct h323_conn_ops control_ops = { on_control_up, on_control, on_control_lost };

/* ---- what the call wants ---- */
static void send_signal(struct h323_call *c, const uint8_t *message, size_t len, void *user_data)
{
	struct h323_leg *l = user_data;
	(void)c;
	if (l->signal != NULL) {
		h323_conn_send(l->signal, message, len);
	}
}

static void send_control(struct h323_call *c, const uint8_t *pdu, size_t len, void *user_data)
{
	struct h323_leg *l = user_data;
	(void)c;
	if (l->control != NULL) {
		h323_conn_send(l->control, pdu, len);
	}
}

/* Only the address that signals may open the control channel. */
static gboolean on_control_came(GSocketService *service, GSocketConnection *connection, GObject *object, gpointer user_data)
{
	struct h323_leg *l = user_data;
	struct h245_address peer, from;
	(void)service;
	(void)object;
	if (l->control != NULL) {
		return TRUE;
	}
	struct h323_conn *conn = h323_conn_take(connection, &control_ops, l);
	if (!h323_conn_remote(l->signal, &peer) || !h323_conn_remote(conn, &from) || strcmp(peer.host, from.host) != 0) {
		l->h->counts[COUNT_REFUSED]++;
		h323_conn_free(conn);
		return TRUE;
	}
	l->control = conn;
	on_control_up(conn, l);
	return TRUE;
}

static bool listen_control(struct h323_call *c, struct h245_address *ret, void *user_data)
{
	struct h323_leg *l = user_data;
	(void)c;
	if (l->signal == NULL || !h323_conn_local(l->signal, ret)) {
		return false;
	}
	stop_listening(l);
	g_autoptr(GSocketAddress) address = g_inet_socket_address_new_from_string(ret->host, 0), effective = NULL;
	l->listening = g_socket_service_new();
	if (!g_socket_listener_add_address(G_SOCKET_LISTENER(l->listening), address, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL,
					   &effective, NULL)) {
		g_clear_object(&l->listening);
		return false;
	}
	ret->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(effective));
	g_signal_connect(l->listening, "incoming", G_CALLBACK(on_control_came), l);
	g_socket_service_start(l->listening);
	return true;
}

/* The control channel goes where the signalling went: a peer must not send us to somebody else's machine. */
static void connect_control(struct h323_call *c, const struct h245_address *to, void *user_data)
{
	struct h323_leg *l = user_data;
	struct h245_address peer;
	(void)c;
	if (l->control == NULL && l->signal != NULL && h323_conn_remote(l->signal, &peer)) {
		peer.port = to->port;
		l->control = h323_conn_dial(&peer, NULL, CONNECT_S, &control_ops, l);
	}
}

static void on_setup(struct h323_call *c, void *user_data)
{
	struct h323_leg *l = user_data;
	struct h245_address from = { 0 };
	uint8_t cause = 1;
	const struct h323_party *peer = h323_call_peer(c);
	(void)h323_conn_remote(l->signal, &from);
	l->from = g_strdup_printf("h323:%s%s%s", peer->number[0] != '\0' ? peer->number : peer->name,
				  peer->number[0] != '\0' || peer->name[0] != '\0' ? "@" : "", from.host);
	struct gw_h323_call_in in = { h323_call_called(c), l->from, peer->name[0] != '\0' ? peer->name : peer->number, peer->product };
	l->h->counts[COUNT_CALLS_IN]++;
	g_autofree char *party = l->h->ops.on_call(&in, &cause, l->h->user_data);
	if (party == NULL) {
		l->h->counts[COUNT_REFUSED]++;
		h323_call_end(c, cause);
		leg_end_later(l);
		return;
	}
	g_autofree char *id = g_strdup_printf("h323-%s", party);
	become_leg(l, id, party);
	(void)ort_fsm_enter(&l->leg.fsm, GW_LEG_CALLING, 0);	/* nobody knows the leg yet */
	(void)ort_fsm_enter(&l->leg.fsm, GW_LEG_RINGING, 0);
	leg_open_media(l);
	h323_call_ringing(c, ort_now_us());
	l->h->ops.on_leg(&l->leg, &in, l->h->user_data);
}

static void on_ringing(struct h323_call *c, void *user_data)
{
	(void)c;
	(void)gw_leg_enter(&((struct h323_leg *)user_data)->leg, GW_LEG_RINGING, NULL);
}

static void on_active(struct h323_call *c, void *user_data)
{
	(void)c;
	(void)gw_leg_enter(&((struct h323_leg *)user_data)->leg, GW_LEG_CONNECTING, NULL);
}

static void on_forwarded(struct h323_call *c, const char *number, const struct h245_address *to, void *user_data)
{
	(void)c;
	(void)number;
	(void)to;
	(void)user_data;	/* the call ends "forwarded": following it is the gatekeeper's and the operator's affair */
}

static void on_end(struct h323_call *c, const char *why, void *user_data)
{
	(void)c;
	leg_end(user_data, why);
}

static const struct h323_call_ops call_ops = { send_signal, send_control, listen_control, connect_control, on_setup, on_ringing,
					       on_active, on_forwarded, on_end, &leg_h245_ops };

/* ---- what the application wants ---- */
static int dial(gw_leg *leg, const struct gw_leg_dial *d)
{
	struct h323_leg *l = (struct h323_leg *)leg;
	if (!h323_parse_address(d->address, l->h->route, &l->called, &l->to)) {
		return -EINVAL;
	}
	l->dialled = true;
	l->max_bps = d->max_bps > 0 ? d->max_bps : l->max_bps;
	h323_call_target(l->call, l->called, &l->to);
	l->h->counts[COUNT_CALLS_OUT]++;
	(void)gw_leg_enter(leg, GW_LEG_CALLING, NULL);
	leg_open_media(l);
	return 0;
}

/* Both ways wait for the engine: addresses are said in the first channels. */
void leg_media_ready(struct h323_leg *l)
{
	l->media_open = true;
	if (l->dialled && l->signal == NULL) {
		l->signal = h323_conn_dial(&l->to, strcmp(l->h->bind, "*") == 0 ? NULL : l->h->bind, CONNECT_S, &signal_ops, l);
	} else if (l->answer_wanted) {
		h323_call_answer(l->call, ort_now_us());
	}
	arm(l);
}

static int answer(gw_leg *leg)
{
	struct h323_leg *l = (struct h323_leg *)leg;
	l->answer_wanted = true;
	(void)gw_leg_enter(leg, GW_LEG_CONNECTING, NULL);
	if (l->media_open) {
		h323_call_answer(l->call, ort_now_us());
		arm(l);
	}
	return 0;
}

static const struct { const char *why; uint8_t cause; } goodbyes[] = { { "busy", 17 }, { "refused", 21 }, { "unknown", 1 }, { "locked", 21 } };

static void hang_up(gw_leg *leg, const char *why)
{
	struct h323_leg *l = (struct h323_leg *)leg;
	uint8_t cause = 16;
	for (size_t n = 0; n < G_N_ELEMENTS(goodbyes); n++) {
		cause = g_strcmp0(why, goodbyes[n].why) == 0 ? goodbyes[n].cause : cause;
	}
	h323_call_end(l->call, cause);
	arm(l);
}

static int dtmf(gw_leg *leg, const char *digits)
{
	h245_digits(h323_call_h245(((struct h323_leg *)leg)->call), digits);
	return 0;
}

static int feed(gw_leg *leg, const char *slot, const char *source)
{
	struct h323_leg *l = (struct h323_leg *)leg;
	for (int n = 0; l->media != NULL && n < H323_MEDIA_N; n++) {
		if (strcmp(h323_slots[n], slot) == 0) {
			return h323_media_feed(l->media, (enum h323_kind)n, source);
		}
	}
	return -ENOENT;
}

static bool takes(const gw_leg *leg, const char *slot, struct gw_leg_takes *ret)
{
	const struct h323_leg *l = (const struct h323_leg *)leg;
	struct h323_codec c;
	for (int n = 0; l->media != NULL && n < H323_MEDIA_N; n++) {
		if (strcmp(h323_slots[n], slot) == 0 && h323_media_sends(l->media, (enum h323_kind)n, &c)) {
			*ret = (struct gw_leg_takes){ .codec = c.id, .max_bps = c.max_bps };
			if (n != H323_AUDIO) {
				h323_caps_size(&c, &ret->width, &ret->height, &ret->fps);
			}
			return true;
		}
	}
	return false;
}

/* The channel is there from the beginning where the peer has H.239; its token is what counts. */
static int second_video(gw_leg *leg, bool on)
{
	return leg_floor((struct h323_leg *)leg, on ? GW_H323_TAKEN : GW_H323_FREE);
}

int gw_h323_floor(gw_leg *leg, enum gw_h323_floor what)
{
	return leg->ops == &leg_ops ? leg_floor((struct h323_leg *)leg, what) : -ENOTSUP;
}

json_t *leg_print(const struct h323_leg *l)
{
	json_t *o = json_pack("{ss*ss*sssbsbss}", "from", l->from, "called", l->called, "id", h323_call_id(l->call), "tunnelling",
			      h323_call_tunnels(l->call), "mcu", h323_call_peer(l->call)->mcu,
			      "agent", h323_call_peer(l->call)->product);
	if (l->media != NULL) {
		json_object_set_new(o, "media", h323_media_print(l->media));
	}
	return o;
}

static void print(const gw_leg *leg, json_t *into)
{
	g_autoptr(json_t) more = leg_print((const struct h323_leg *)leg);
	json_object_del(more, "id");	/* the leg has its own */
	json_object_update(into, more);
}

static void free_leg(gw_leg *leg)
{
	leg_free((struct h323_leg *)leg);
}

static const struct gw_leg_ops leg_ops = { .kind = "h323", .features = GW_LEG_DIALS | GW_LEG_DTMF | GW_LEG_SECOND_VIDEO, .second_video = second_video, .dial = dial, .answer = answer,
					   .feed = feed, .dtmf = dtmf, .hangup = hang_up, .print = print, .free = free_leg,
					   .takes = takes };
