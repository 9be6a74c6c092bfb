/* The H.245 side of a leg: which channels are opened, what the peer's are, and the engine's half of each. */
#include <errno.h>
#include <string.h>

#include "gateway/h323/h323_priv.h"
#include "mcu/base/clock.h"

enum { SESSION_SLIDES = 32 };

static enum h323_kind kind_of(struct h245_channel *const *list, const struct h245_channel *c)
{
	int n = 0;
	while (n < H323_MEDIA_N && list[n] != c) {
		n++;
	}
	return (enum h323_kind)n;
}

/* ---- media ---- */
static void on_open_media(struct h323_media *m, const char *why, void *user_data)
{
	struct h323_leg *l = user_data;
	(void)m;
	if (why != NULL) {
		h323_call_end(l->call, 41);
		leg_end(l, why);
		return;
	}
	leg_media_ready(l);
}

static void on_stream(struct h323_media *m, const char *stream, enum mcu_kind kind, enum mcu_content content, bool on, void *user_data)
{
	(void)m;
	gw_leg_stream(&((struct h323_leg *)user_data)->leg, stream, kind, content, on);
}

static void on_failed(struct h323_media *m, const char *why, void *user_data)
{
	struct h323_leg *l = user_data;
	(void)m;
	h323_call_end(l->call, 41);
	leg_end(l, why);
}

static void call_media(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *user_data)
{
	struct h323_leg *l = user_data;
	l->h->ops.media(method, request, fn, fn_data, l->h->user_data);
}

void leg_open_media(struct h323_leg *l)
{
	static const struct h323_media_ops ops = { call_media, on_open_media, on_stream, on_failed };
	struct h245_address local = { 0 };
	bool v6 = l->signal != NULL ? h323_conn_local(l->signal, &local) && strchr(local.host, ':') != NULL : strchr(l->to.host, ':') != NULL;
	l->media = h323_media_new(l->leg.id, l->h->room, l->leg.party, l->h->zone, v6, l->max_bps, &ops, l);
}

/* ---- ours ---- */
/* Up when every channel that we asked for is answered: then the application asks what we take. */
static void settle(struct h323_leg *l)
{
	if (l->opening == 0 && !l->told_up && (l->out[H323_AUDIO] != NULL || l->in[H323_AUDIO] != NULL)) {
		l->told_up = true;
		(void)gw_leg_enter(&l->leg, GW_LEG_UP, NULL);
	}
}

static void open_channel(struct h323_leg *l, enum h323_kind kind)
{
	json_t *type = NULL;
	struct h245_address rtp, rtcp;
	if (l->out[kind] != NULL || l->caps == NULL || !h323_caps_choose(l->caps, kind, l->max_bps, &l->chosen[kind], &type) ||
	    !h323_media_local(l->media, kind, &rtp, &rtcp)) {
		json_decref(type);
		return;
	}
	bool master = h245_is_master(h323_call_h245(l->call));	/* who says the numbers of further sessions */
	uint8_t session = kind == H323_AUDIO ? 1 : kind == H323_VIDEO ? 2 : master ? SESSION_SLIDES : 0;
	json_t *open = h323_caps_open(kind, &l->chosen[kind], type, session, h245_print_address(&rtcp));
	l->out[kind] = h245_open(h323_call_h245(l->call), open, ort_now_us());
	l->opening += l->out[kind] != NULL;
}

static void on_caps(struct h245 *h, const json_t *tcs, void *user_data)
{
	struct h323_leg *l = user_data;
	(void)h;
	json_decref(l->caps);
	l->caps = tcs != NULL ? json_deep_copy(tcs) : NULL;
}

static void on_ready(struct h245 *h, bool master, void *user_data)
{
	struct h323_leg *l = user_data;
	(void)h;
	(void)master;
	open_channel(l, H323_AUDIO);
	open_channel(l, H323_VIDEO);
	if (h323_caps_has_h239(l->caps)) {
		open_channel(l, H323_SLIDES);
	}
	if (l->out[H323_AUDIO] == NULL && l->out[H323_VIDEO] == NULL) {
		h323_call_end(l->call, 65);
		leg_end(l, "no_common_codec");
	}
}

static void on_opened(struct h245 *h, struct h245_channel *c, void *user_data)
{
	struct h323_leg *l = user_data;
	enum h323_kind kind = kind_of(l->out, c);
	(void)h;
	l->opening--;
	if (kind != H323_MEDIA_N) {
		h323_media_send(l->media, kind, &l->chosen[kind], &c->rtp, &c->rtcp);
	}
	settle(l);
}

/* ---- the peer's ---- */
static void on_open(struct h245 *h, struct h245_channel *c, void *user_data)
{
	struct h323_leg *l = user_data;
	enum h323_kind kind;
	struct h323_codec codec;
	struct h245_address rtp, rtcp, from = c->rtcp;
	if (!h323_caps_read(c->data_type, c->packetization, &kind, &codec)) {
		h245_reject(h, c, "dataTypeNotSupported");
		return;
	}
	if (!h323_media_local(l->media, kind, &rtp, &rtcp)) {
		h245_reject(h, c, "unspecified");
		return;
	}
	codec.pt = c->payload_type != 0 ? c->payload_type : codec.pt;
	c->session = c->session != 0 ? c->session : kind == H323_AUDIO ? 1 : kind == H323_VIDEO ? 2 : SESSION_SLIDES;
	l->in[kind] = c;
	h245_accept(h, c, &rtp, &rtcp);
	from.port = from.port > 0 ? from.port - 1 : 0;
	h323_media_recv(l->media, kind, &codec, from.port > 0 ? &from : NULL);
	settle(l);
}

static void tell_floor(struct h323_leg *l, enum gw_h323_floor_news news)
{
	if (l->h->ops.on_floor != NULL) {
		l->h->ops.on_floor(&l->leg, news, l->h->user_data);
	}
}

static void on_closed(struct h245 *h, struct h245_channel *c, const char *why, void *user_data)
{
	struct h323_leg *l = user_data;
	enum h323_kind kind = kind_of(c->out ? l->out : l->in, c);
	(void)h;
	(void)why;
	if (kind == H323_MEDIA_N) {
		return;
	}
	if (c->out) {
		l->opening -= c->state == H245_OPENING;
		l->out[kind] = NULL;
		h323_media_send(l->media, kind, NULL, NULL, NULL);
	} else {
		l->in[kind] = NULL;
		h323_media_recv(l->media, kind, NULL, NULL);
		if (kind == H323_SLIDES && l->token.state == H239_THEIRS) {	/* some close instead of releasing */
			l->token.state = H239_FREE;
			tell_floor(l, GW_H323_FLOOR_GIVEN_BACK);
		}
	}
	settle(l);
}

static void on_command(struct h245 *h, enum h245_command what, struct h245_channel *c, int64_t bps, void *user_data)
{
	struct h323_leg *l = user_data;
	enum h323_kind kind = c != NULL ? kind_of(l->out, c) : H323_VIDEO;
	(void)h;
	(void)bps;
	if (what == H245_FAST_UPDATE && kind != H323_MEDIA_N) {
		h323_media_want_keyframe(l->media, kind);	/* throttled by the engine */
	}
}

static void on_digits(struct h245 *h, const char *digits, void *user_data)
{
	(void)h;
	gw_leg_dtmf_came(&((struct h323_leg *)user_data)->leg, digits);
}

static bool on_generic(struct h245 *h, const char *kind, const json_t *message, void *user_data)
{
	static const int news_of[] = { [H239_PEER_ASKS] = 1 + GW_H323_FLOOR_ASKED, [H239_PEER_RELEASES] = 1 + GW_H323_FLOOR_GIVEN_BACK,
				       [H239_PEER_PRESENTS] = 1 + GW_H323_FLOOR_PRESENTS, [H239_DENIED] = 1 + GW_H323_FLOOR_REFUSED,
				       [H239_GRANTED] = 0 };
	struct h323_leg *l = user_data;
	enum h239_news news;
	bool taken = h239_receive(&l->token, kind, message, &news);
	/* a manager's no is obeyed; an endpoint's leaves it without our slides, nobody else */
	if (taken && news_of[news] != 0 && (news != H239_DENIED || !h245_is_master(h))) {
		tell_floor(l, (enum gw_h323_floor_news)(news_of[news] - 1));
	}
	return taken;
}

void leg_send_token(const char *kind, json_t *message, void *user_data)
{
	h245_generic(h323_call_h245(((struct h323_leg *)user_data)->call), kind, message);
}

int leg_floor(struct h323_leg *l, enum gw_h323_floor what)
{
	if (l->caps == NULL || !h323_caps_has_h239(l->caps)) {
		return -ENOTSUP;
	}
	if (what == GW_H323_GRANT || what == GW_H323_DENY) {
		return h239_answer(&l->token, what == GW_H323_GRANT) ? 0 : -EALREADY;
	}
	if (what == GW_H323_TAKEN && l->out[H323_SLIDES] != NULL) {
		h239_ask(&l->token, l->out[H323_SLIDES]->number, (uint8_t)g_random_int_range(1, 128));
	} else if (what == GW_H323_FREE) {
		h239_release(&l->token);
	} else if (what == GW_H323_REVOKE && l->token.state == H239_THEIRS && l->in[H323_SLIDES] != NULL) {
		l->token.state = H239_FREE;	/* H.239 has no word for it: its channel is asked to close */
		h245_close(h323_call_h245(l->call), l->in[H323_SLIDES], ort_now_us());
	}
	return 0;
}

static void send(struct h245 *h, const json_t *pdu, void *user_data)
{
	(void)h;
	h323_call_send_h245(((struct h323_leg *)user_data)->call, pdu);
}

static void on_end(struct h245 *h, const char *why, void *user_data)
{
	(void)h;
	h323_call_h245_ended(((struct h323_leg *)user_data)->call, why);
}

const struct h245_ops leg_h245_ops = { send, on_caps, on_ready, on_open, on_opened, on_closed, on_command, on_digits, on_generic, on_end };
