/* Offer and answer (RFC 3264, 6337): one exchange of a dialog at a time, whoever starts it, in whichever message it rides.
 *
 *   ours:    IDLE -> MAKING_OFFER -> OFFERED -> TAKING_ANSWER -> IDLE
 *   peer's:  IDLE -> MAKING_ANSWER -> IDLE            (the answer rides in a 2xx, or in the ACK of a late offer)      */
#include <string.h>

#include "gateway/sip/sip_priv.h"

/* The media half could not: the message that carried the exchange is refused, a running call stays as it was. */
static void failed(struct call *c, unsigned status, const char *why)
{
	g_autofree char *text = g_strdup(why != NULL ? why : "media not possible");
	status = status >= 400 && status < 700 ? status : 488;
	c->exchange = X_IDLE;
	if (c->confirmed && c->request != NULL) {
		ort_log(ORT_LOG_NOTICE, "sip", "sip.reoffer_refused", "a peer's new offer was refused", ORT_S("leg", c->leg.id),
			ORT_S("why", text));
		uas_reply(c, status, NULL, NULL);
		call_idle(c);
	} else if (c->confirmed && c->invite == NULL) {
		call_idle(c);	/* our own new offer could not be made */
	} else {
		if (c->ours && c->invite != NULL && nta_outgoing_status(c->invite) >= 200) {
			uac_ack(c, NULL);	/* a late offer that we cannot answer: the peer waits for its ACK first */
		}
		call_end(c, status, text);
	}
}

static void on_offer(struct sip_media *m, const char *sdp, unsigned status, const char *why, void *user_data)
{
	struct call *c = call_ref(user_data);
	if (c->dead) {
		;
	} else if (sdp == NULL) {
		failed(c, status, why);
	} else if (c->request != NULL) {
		c->exchange = X_OFFERED;
		uas_reply(c, 200, NULL, sdp);
	} else {
		c->exchange = X_OFFERED;
		uac_invite(c, sdp);
	}
	call_unref(c);
}

void exchange_offer(struct call *c)
{
	c->exchange = X_MAKING_OFFER;
	sip_media_offer(c->media, on_offer);
}

static void on_answer(struct sip_media *m, const char *sdp, unsigned status, const char *why, void *user_data)
{
	struct call *c = call_ref(user_data);
	if (c->dead) {
		;
	} else if (sdp == NULL) {
		failed(c, status, why);
	} else {
		c->exchange = X_IDLE;
		if (c->request != NULL) {
			uas_reply(c, 200, NULL, sdp);
		} else {
			uac_ack(c, sdp);
		}
		call_check_up(c);
		call_idle(c);
	}
	call_unref(c);
}

void exchange_peer_offer(struct call *c, const char *sdp, size_t len)
{
	c->exchange = X_MAKING_ANSWER;
	sip_media_take_offer(c->media, sdp, len, on_answer);
}

static void on_taken(struct sip_media *m, const char *sdp, unsigned status, const char *why, void *user_data)
{
	struct call *c = call_ref(user_data);
	if (!c->dead) {
		c->exchange = X_IDLE;
		if (sdp == NULL) {
			call_end(c, 488, why != NULL ? why : "the peer's answer is of no use");
		} else {
			call_check_up(c);
			call_idle(c);
		}
	}
	call_unref(c);
}

void exchange_peer_answer(struct call *c, const char *sdp, size_t len)
{
	c->exchange = X_TAKING_ANSWER;
	sip_media_take_answer(c->media, sdp, len, on_taken);
}

/* ---- ours again ---- */
void call_reoffer(struct call *c)
{
	c->again = true;
	call_idle(c);
}

void call_idle(struct call *c)
{
	if (!c->again || c->dead || !c->confirmed || c->exchange != X_IDLE || c->invite != NULL || c->request != NULL ||
	    c->glare != NULL) {
		return;
	}
	c->again = false;
	exchange_offer(c);
}

/* ---- bodies ---- */
static bool is_sdp(const sip_content_type_t *type)
{
	return type == NULL || g_ascii_strcasecmp(type->c_type, "application/sdp") == 0;
}

const char *sip_sdp(msg_t *msg, const sip_t *sip, size_t *ret_len, bool *ret_other)
{
	const sip_payload_t *body = sip->sip_payload;
	*ret_len = 0;
	*ret_other = false;
	if (body == NULL || body->pl_len == 0) {
		return NULL;
	}
	if (is_sdp(sip->sip_content_type)) {
		*ret_len = body->pl_len;
		return body->pl_data;
	}
	if (msg != NULL && g_ascii_strncasecmp(sip->sip_content_type->c_type, "multipart/", 10) == 0) {
		msg_multipart_t *part = msg_multipart_parse(msg_home(msg), sip->sip_content_type, (sip_payload_t *)(uintptr_t)body);
		for (; part != NULL; part = part->mp_next) {
			if (part->mp_content_type != NULL && part->mp_payload != NULL && is_sdp(part->mp_content_type)) {
				*ret_len = part->mp_payload->pl_len;
				return part->mp_payload->pl_data;
			}
		}
	}
	*ret_other = true;
	return NULL;
}
