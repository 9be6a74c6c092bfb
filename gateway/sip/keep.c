/* What a trunk's row asks of our calls to it: digits after the answer (the conference password of a hardware MCU), and the
 * call again after a loss, under the same leg, so that it comes back into the same cell. */
#include <string.h>

#include "gateway/sip/sip_priv.h"

enum { AGAIN_FOR_MS = 30 * 1000, FIRST_MS = 500, STEP_MS = 2000, DIGIT_MS = 250, PAUSE_MS = 1000 };

/* ---- digits ---- */
static gboolean on_digits(gpointer data)
{
	struct call *c = call_ref(data);
	sip_timer_stop(&c->dial_pad);
	size_t len = strcspn(c->digits, ","), pauses = strspn(c->digits + len, ",");
	if (len > 0 && len <= 32 && c->media != NULL) {
		g_autofree char *now = g_strndup(c->digits, len);
		(void)c->leg.ops->dtmf(&c->leg, now);	/* a peer that takes none shows it by not letting us in */
	}
	c->digits += len + pauses;
	if (*c->digits != '\0' && !c->dead) {
		c->dial_pad = sip_timer(c->sip, (int64_t)len * DIGIT_MS + (int64_t)pauses * PAUSE_MS, on_digits, c);
	}
	call_unref(c);
	return G_SOURCE_REMOVE;
}

void keep_up(struct call *c)
{
	c->was_up = true;
	c->lost_us = 0;
	if (c->ours && c->trunk != NULL && c->trunk->conf.dtmf != NULL && c->dial_pad == NULL) {
		c->digits = c->trunk->conf.dtmf;
		c->dial_pad = sip_timer(c->sip, DIGIT_MS, on_digits, c);
	}
}

/* ---- the call again ---- */
static gboolean on_again(gpointer data)
{
	struct call *c = call_ref(data);
	sip_timer_stop(&c->timer);
	if (!uac_again(c)) {
		call_end(c, 500, "cannot call again");
	}
	call_unref(c);
	return G_SOURCE_REMOVE;
}

bool keep_takes(struct call *c, unsigned status, const char *why)
{
	int64_t now_us = ort_now_us();
	if (!c->ours || c->trunk == NULL || !c->trunk->conf.keep || !c->was_up || c->by_peer_end || c->sip == NULL) {
		return false;
	}
	bool first = c->lost_us == 0;
	c->lost_us = first ? now_us : c->lost_us;
	if (now_us - c->lost_us > AGAIN_FOR_MS * ORT_US_PER_MS) {
		return false;
	}
	ort_log(ORT_LOG_NOTICE, "sip", "sip.again", "a call was lost and is made again", ORT_S("leg", c->leg.id),
		ORT_S("trunk", c->trunk->conf.name), ORT_S("why", why));
	call_strip(c, status);
	if (c->leg.fsm.state == GW_LEG_HELD) {
		(void)gw_leg_enter(&c->leg, GW_LEG_UP, why);
	}
	(void)gw_leg_enter(&c->leg, GW_LEG_CONNECTING, why);
	if (!c->dead) {
		c->timer = sip_timer(c->sip, first ? FIRST_MS : STEP_MS, on_again, c);
	}
	return true;
}
