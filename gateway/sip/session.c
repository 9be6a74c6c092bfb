/* Session timers, RFC 4028: a call whose other end has vanished without a BYE ends by itself, and ours stay in proxies' books. */
#include <string.h>

#include "gateway/sip/sip_priv.h"

enum { DEFAULT_S = 1800, MIN_S = 90 };

char *session_header(const struct call *c, bool request)
{
	if (request) {
		const char *who = c->confirmed ? c->refresher ? ";refresher=uac" : ";refresher=uas" : "";
		return g_strdup_printf("%u%s", c->expires_s != 0 ? c->expires_s : DEFAULT_S, who);
	}
	return c->expires_s != 0 ? g_strdup_printf("%u;refresher=%s", c->expires_s, c->refresher ? "uas" : "uac") : NULL;
}

static int on_update(void *magic, nta_outgoing_t *out, sip_t const *sip)
{
	struct call *c = magic;
	int status = nta_outgoing_status(out);
	if (status < 200) {
		return 0;
	}
	if (c->dead || c->updating != out) {
		return 0;
	}
	(void)call_ref(c);
	msg_t *kept = nta_outgoing_getresponse(out);	/* `sip` lives in it */
	nta_outgoing_destroy(out);
	c->updating = NULL;
	if (status < 300 && sip != NULL) {
		session_negotiated(c, sip, true);
	} else if (status == 481 || status == 408) {
		call_end(c, (unsigned)status, "the peer knows the call no more");
	} else if (status == 422 && sip != NULL && sip->sip_min_se != NULL && sip->sip_min_se->min_delta > c->expires_s &&
		   sip->sip_min_se->min_delta < 24 * 3600) {
		c->expires_s = (unsigned)sip->sip_min_se->min_delta;
		c->updating = dialog_send(c, SIP_METHOD_UPDATE, on_update, NULL, NULL);
	} else if (status == 405 || status == 501) {
		c->can_update = false;
		call_reoffer(c);
	}
	msg_destroy(kept);
	call_unref(c);
	return 0;
}

static gboolean on_refresh(gpointer data)
{
	struct call *c = call_ref(data);
	sip_timer_stop(&c->timer);
	if (!c->refresher) {
		c->sip->counters.sessions_expired++;
		call_end(c, 408, "the session expired: the peer did not refresh it");
	} else {
		session_refreshed(c);	/* armed again: a refresh that is refused with 491 or lost has a second chance */
		if (c->can_update && c->updating == NULL) {
			c->updating = dialog_send(c, SIP_METHOD_UPDATE, on_update, NULL, NULL);
		} else {
			call_reoffer(c);
		}
	}
	call_unref(c);
	return G_SOURCE_REMOVE;
}

void session_refreshed(struct call *c)
{
	sip_timer_stop(&c->timer);
	if (c->expires_s == 0 || c->dead) {
		return;
	}
	/* RFC 4028 10: refresh at half time; the other side gives up min(32, a third) seconds before the end */
	unsigned s = c->refresher ? c->expires_s / 2 : c->expires_s - MIN(32, c->expires_s / 3);
	c->timer = sip_timer(c->sip, (int64_t)s * 1000, on_refresh, c);
}

/* A request of the peer (we_asked false) or a 2xx to ours says how long and who. */
void session_negotiated(struct call *c, const sip_t *sip, bool we_asked)
{
	const sip_session_expires_t *x = sip->sip_session_expires;
	bool knows = sip_has_feature(sip->sip_supported, "timer") || sip_has_feature(sip->sip_require, "timer");
	const char *who = x != NULL ? x->x_refresher : NULL;
	if (we_asked) {
		c->expires_s = x != NULL ? (unsigned)CLAMP(x->x_delta, MIN_S, 24 * 3600) : 0;
		c->refresher = who == NULL || g_ascii_strcasecmp(who, "uac") == 0;
	} else if (x != NULL) {
		c->expires_s = (unsigned)CLAMP(x->x_delta, MIN_S, 24 * 3600);
		c->refresher = !knows || (who != NULL && g_ascii_strcasecmp(who, "uas") == 0);
	} else {
		c->expires_s = DEFAULT_S;	/* we may ask for one; a peer that knows nothing of it is refreshed by us */
		c->refresher = true;
	}
	session_refreshed(c);
}
