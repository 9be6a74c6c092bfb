/* Inside a dialog: what peers ask (re-INVITE, UPDATE, BYE, INFO, REFER ..) and what we ask them. */
#include <errno.h>
#include <string.h>

#include "gateway/sip/sip_priv.h"

enum { MIN_SE_S = 90 };

/* ---- offers of the peer ---- */
static bool busy_with_ours(const struct call *c)
{
	return c->invite != NULL || c->exchange == X_MAKING_OFFER || c->exchange == X_OFFERED || c->exchange == X_TAKING_ANSWER;
}

/* RFC 3261 14.2, RFC 3311 5.2: crossing offers 491, a second one before the first is answered 500 with Retry-After. */
static int exchange_refusal(const struct call *c)
{
	if (c->request != NULL && !c->replied) {
		return 500;
	}
	return busy_with_ours(c) || c->request != NULL || !c->confirmed ? 491 : c->exchange != X_IDLE ? 500 : 0;
}

static int refuse(nta_incoming_t *irq, int status)
{
	g_autofree char *after = g_strdup_printf("%d", g_random_int_range(0, 10));
	(void)nta_incoming_treply(irq, status, NULL, SIPTAG_SERVER_STR(SIP_AGENT), TAG_IF(status == 500, SIPTAG_RETRY_AFTER_STR(after)),
				  TAG_END());
	return status;
}

static void refresh_target(struct call *c, const sip_t *sip)
{
	if (sip->sip_contact != NULL) {
		(void)nta_leg_server_route(c->dialog, NULL, sip->sip_contact);
	}
}

static int on_invite(struct call *c, nta_incoming_t *irq, const sip_t *sip)
{
	size_t len;
	bool other;
	int status = exchange_refusal(c);
	if (status != 0) {
		c->sip->counters.glares += status == 491;
		return refuse(irq, status);
	}
	if (nta_check_session_expires(irq, sip, MIN_SE_S, TAG_END()) != 0) {
		return 422;
	}
	msg_t *msg = nta_incoming_getrequest(irq);
	const char *sdp = sip_sdp(msg, sip, &len, &other);
	g_autofree char *body = sdp != NULL ? g_strndup(sdp, len) : NULL;
	msg_destroy(msg);
	if (other) {
		return refuse(irq, 415);
	}
	refresh_target(c, sip);
	session_negotiated(c, sip, false);
	c->request = irq;
	c->replied = false;
	uas_bind(c);
	if (body != NULL) {
		exchange_peer_offer(c, body, strlen(body));
	} else {
		exchange_offer(c);
	}
	return 0;
}

static int on_update(struct call *c, nta_incoming_t *irq, const sip_t *sip)
{
	size_t len;
	bool other;
	const char *sdp = sip_sdp(NULL, sip, &len, &other);
	if (nta_check_session_expires(irq, sip, MIN_SE_S, TAG_END()) != 0) {
		return 422;
	}
	if (sdp == NULL) {	/* a refresh of the session timer or of the target */
		refresh_target(c, sip);
		session_negotiated(c, sip, false);
		g_autofree char *timer = session_header(c, false);
		(void)nta_incoming_treply(irq, SIP_200_OK, SIPTAG_CONTACT_STR(c->contact), SIPTAG_SERVER_STR(SIP_AGENT),
					  TAG_IF(timer != NULL, SIPTAG_SESSION_EXPIRES_STR(timer)), TAG_END());
		return 200;
	}
	int status = exchange_refusal(c);
	if (status != 0) {
		return refuse(irq, status);
	}
	g_autofree char *body = g_strndup(sdp, len);
	refresh_target(c, sip);
	session_negotiated(c, sip, false);
	c->request = irq;
	c->replied = false;
	exchange_peer_offer(c, body, strlen(body));
	return 0;
}

/* ---- the rest ---- */
static int on_bye(struct call *c, nta_incoming_t *irq, const sip_t *sip)
{
	if (c->request != NULL && nta_incoming_status(c->request) < 200) {
		(void)nta_incoming_treply(c->request, SIP_487_REQUEST_TERMINATED, TAG_END());
	}
	c->by_peer_end = true;
	call_peer_gone(c, "the peer hung up");
	return 200;
}

static int on_info(struct call *c, nta_incoming_t *irq, const sip_t *sip)
{
	const char *type = sip->sip_content_type != NULL ? sip->sip_content_type->c_type : NULL;
	const char *body = sip->sip_payload != NULL ? sip->sip_payload->pl_data : NULL;
	size_t len = sip->sip_payload != NULL ? sip->sip_payload->pl_len : 0;
	char digit[2] = { sip_info_dtmf(type, body, len), '\0' };
	if (digit[0] != '\0') {
		gw_leg_dtmf_came(&c->leg, digit);
		return 200;
	}
	if (sip_info_fast_update(type, body, len)) {
		if (c->main_source != NULL) {	/* the engine throttles */
			const struct mcu_stream_ref req = { c->leg.room, c->main_source };
			c->sip->ops.media(MCU_METHOD_KEYFRAME_REQUEST, &req, NULL, NULL, c->sip->user_data);
		}
		return 200;
	}
	return type == NULL ? 200 : 415;	/* an empty INFO is a keep-alive of old rooms */
}

static int on_options(struct call *c, nta_incoming_t *irq, const sip_t *sip)
{
	(void)nta_incoming_treply(irq, SIP_200_OK, SIPTAG_ALLOW_STR(SIP_ALLOW), SIPTAG_ACCEPT_STR("application/sdp"),
				  SIPTAG_SUPPORTED_STR(SIP_SUPPORTED), SIPTAG_SERVER_STR(SIP_AGENT), TAG_END());
	return 200;
}

static void notify(struct call *c, const char *sipfrag, const char *state)
{
	nta_outgoing_t *out = nta_outgoing_tcreate(c->dialog, NULL, NULL, (url_string_t *)c->route, SIP_METHOD_NOTIFY, NULL,
						   SIPTAG_CONTACT_STR(c->contact), SIPTAG_EVENT_STR("refer"),
						   SIPTAG_SUBSCRIPTION_STATE_STR(state), SIPTAG_USER_AGENT_STR(SIP_AGENT),
						   SIPTAG_CONTENT_TYPE_STR("message/sipfrag;version=2.0"), SIPTAG_PAYLOAD_STR(sipfrag),
						   TAG_END());
	(void)out;	/* the default callback ends it */
}

/* "Replaces=..&Require=replaces" of a Refer-To: the value of Replaces, (transfer full); NULL: it has something else */
static char *replaces_in(const char *headers)
{
	g_auto(GStrv) rows = g_strsplit(headers, "&", 4);
	char *value = NULL;
	for (unsigned n = 0; rows[n] != NULL; n++) {
		if (g_ascii_strncasecmp(rows[n], "Replaces=", 9) == 0 && value == NULL) {
			value = g_uri_unescape_string(rows[n] + 9, NULL);
		} else if (g_ascii_strncasecmp(rows[n], "Require=", 8) != 0) {
			g_free(value);
			return NULL;
		}
	}
	return value;
}

/* Attended transfer: the other call that this one is to take the place of. Both must be ours and of the same peer: what is
 * given away is its own (else our call's place would go to a stranger). */
static struct call *other_call(struct call *c, const char *headers)
{
	struct zone *zones[] = { c->zone->base, c->zone->base->twin };
	g_autofree char *text = replaces_in(headers);
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct call *found = NULL;
	su_home_init(home);
	sip_replaces_t *replaces = text != NULL ? sip_replaces_make(home, text) : NULL;
	for (unsigned n = 0; replaces != NULL && found == NULL && n < G_N_ELEMENTS(zones); n++) {
		nta_leg_t *leg = zones[n] != NULL ? nta_leg_by_replaces(zones[n]->agent, replaces) : NULL;
		found = leg != NULL ? nta_leg_magic(leg, dialog_request) : NULL;
	}
	su_home_deinit(home);
	bool own = found != NULL && found != c && !found->dead && found->trunk == c->trunk &&
		   (c->trunk != NULL || (c->device != NULL && g_strcmp0(found->device, c->device) == 0));
	return own ? found : NULL;
}

static int on_refer(struct call *c, nta_incoming_t *irq, const sip_t *sip)
{
	const url_t *url = sip->sip_refer_to != NULL ? sip->sip_refer_to->r_url : NULL;
	struct call *other = url != NULL && url->url_headers != NULL ? other_call(c, url->url_headers) : NULL;
	if (url == NULL || (url->url_headers != NULL && other == NULL)) {
		return refuse(irq, url == NULL ? 400 : 403);
	}
	g_autofree char *to = url->url_type == url_sip || url->url_type == url_sips ? sip_url_text(url) : NULL;
	g_autofree char *number = other != NULL && other->number != NULL ? g_strdup(other->number) :
				  url->url_user != NULL			? sip_number(url->url_user) :
									  NULL;
	const sip_refer_sub_t *sub = sip_refer_sub(sip);
	bool quiet = sub != NULL && g_strcmp0(sub->rs_value, "false") == 0;
	bool taken = to != NULL && number != NULL && c->sip->ops.on_refer != NULL;
	if (!taken) {
		return refuse(irq, 603);
	}
	(void)nta_incoming_treply(irq, SIP_202_ACCEPTED, SIPTAG_CONTACT_STR(c->contact), SIPTAG_SERVER_STR(SIP_AGENT),
				  TAG_IF(quiet, SIPTAG_REFER_SUB_STR("false")), TAG_END());
	struct call *kept = other != NULL ? call_ref(other) : NULL;
	taken = c->sip->ops.on_refer(&c->leg, number, c->sip->user_data);
	if (kept != NULL && taken && !kept->dead) {
		call_end(kept, 480, "replaced");
	}
	if (kept != NULL) {
		call_unref(kept);
	}
	if (!quiet && !c->dead) {
		notify(c, taken ? "SIP/2.0 200 OK\r\n" : "SIP/2.0 603 Declined\r\n", "terminated;reason=noresource");
	}
	return 202;
}

static int on_notify(struct call *c, nta_incoming_t *irq, const sip_t *sip)
{
	return sip->sip_event != NULL && g_ascii_strcasecmp(sip->sip_event->o_type, "refer") == 0 ? 200 : 489;
}

static const struct {
	sip_method_t method;
	int (*fn)(struct call *c, nta_incoming_t *irq, const sip_t *sip);
} rows[] = {
	{ sip_method_invite, on_invite }, { sip_method_update, on_update }, { sip_method_bye, on_bye }, { sip_method_info, on_info },
	{ sip_method_options, on_options }, { sip_method_refer, on_refer }, { sip_method_notify, on_notify },
};

static int route(struct call *c, nta_incoming_t *irq, sip_t const *sip)
{
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (rows[n].method == sip->sip_request->rq_method) {
			return rows[n].fn(c, irq, sip);
		}
	}
	(void)nta_incoming_treply(irq, SIP_405_METHOD_NOT_ALLOWED, SIPTAG_ALLOW_STR(SIP_ALLOW), TAG_END());
	return 405;
}

int dialog_request(struct call *c, nta_leg_t *dialog, nta_incoming_t *irq, sip_t const *sip)
{
	if (c == NULL || c->dead || c->sip == NULL) {
		return 481;
	}
	if (sip->sip_request->rq_method == sip_method_ack) {
		return 0;	/* a stray one; ours come to on_ack_cancel */
	}
	(void)call_ref(c);
	int status = route(c, irq, sip);
	call_unref(c);
	return status;
}

/* ---- what we ask ---- */
nta_outgoing_t *dialog_send(struct call *c, sip_method_t method, const char *name, nta_response_f *fn, const char *type,
			    const char *body)
{
	const sip_contact_t *target = NULL;
	const sip_route_t *way = NULL;
	if (c->dialog == NULL || !c->confirmed) {
		return NULL;
	}
	(void)nta_leg_get_route(c->dialog, &way, &target);
	g_autofree char *uri = target != NULL ? sip_url_text(target->m_url) : NULL;
	g_autofree char *auth = uri != NULL ? uac_authorization(c, name, uri) : NULL;
	g_autofree char *timer = method == sip_method_update ? session_header(c, true) : NULL;
	return nta_outgoing_tcreate(c->dialog, fn, fn != NULL ? c : NULL, (url_string_t *)c->route, method, name, NULL,
				    TAG_IF(method == sip_method_update || method == sip_method_refer, SIPTAG_CONTACT_STR(c->contact)),
				    SIPTAG_USER_AGENT_STR(SIP_AGENT), SIPTAG_SUPPORTED_STR(SIP_SUPPORTED),
				    TAG_IF(timer != NULL, SIPTAG_SESSION_EXPIRES_STR(timer)),
				    TAG_IF(auth != NULL && !c->answer.proxy, SIPTAG_AUTHORIZATION_STR(auth)),
				    TAG_IF(auth != NULL && c->answer.proxy, SIPTAG_PROXY_AUTHORIZATION_STR(auth)),
				    TAG_IF(method == sip_method_refer && body != NULL, SIPTAG_REFER_TO_STR(body)),
				    TAG_IF(type != NULL, SIPTAG_CONTENT_TYPE_STR(type)), TAG_IF(type != NULL, SIPTAG_PAYLOAD_STR(body)),
				    TAG_END());
}

void dialog_keyframe(struct call *c)
{
	static const char body[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<media_control><vc_primitive><to_encoder>"
				   "<picture_fast_update/></to_encoder></vc_primitive></media_control>\r\n";
	(void)dialog_send(c, SIP_METHOD_INFO, NULL, "application/media_control+xml", body);
}

int dialog_dtmf(struct call *c, const char *digits)
{
	for (; *digits != '\0'; digits++) {
		g_autofree char *body = g_strdup_printf("Signal=%c\r\nDuration=160\r\n", *digits);
		if (dialog_send(c, SIP_METHOD_INFO, NULL, "application/dtmf-relay", body) == NULL) {
			return -ENOTCONN;
		}
	}
	return 0;
}

int gw_sip_refer(gw_leg *leg, const char *to)
{
	struct call *c = call_of(leg);
	struct sip_dial d;
	if (c->dead || !c->confirmed) {
		return -ENOTCONN;
	}
	if (sip_dial_parse(to, &d) < 0 || d.kind != SIP_DIAL_URI) {
		return -EINVAL;
	}
	g_autofree char *value = g_strdup_printf("<%s>", d.uri);
	sip_dial_clear(&d);
	return dialog_send(c, SIP_METHOD_REFER, NULL, NULL, value) != NULL ? 0 : -EIO;
}
