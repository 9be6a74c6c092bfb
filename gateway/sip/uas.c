/* INVITEs of peers: into a ringing leg, the answer in any order of offers, ACK, CANCEL and their races. */
#include <string.h>

#include "gateway/sip/sip_priv.h"

enum { MIN_SE_S = 90, ANSWER_MS = 180 * 1000 };

/* ---- replies to c->request ---- */
static void take_route(struct call *c, const sip_t *sip)
{
	(void)nta_leg_server_route(c->dialog, sip->sip_record_route, sip->sip_contact);
}

void uas_reply(struct call *c, unsigned status, const char *phrase, const char *sdp)
{
	bool invite = nta_incoming_method(c->request) == sip_method_invite, good = status < 300;
	g_autofree char *timer = good && status >= 200 ? session_header(c, false) : NULL;
	g_autofree char *path = invite && good && status >= 200 && !c->confirmed ? call_path(c) : NULL;
	bool peer_refreshes = timer != NULL && strstr(timer, "refresher=uac") != NULL;
	(void)nta_incoming_treply(c->request, (int)status, phrase, TAG_IF(good, SIPTAG_CONTACT_STR(c->contact)),
				  SIPTAG_SERVER_STR(SIP_AGENT), TAG_IF(status >= 200 && good, SIPTAG_ALLOW_STR(SIP_ALLOW)),
				  TAG_IF(status >= 200 && good, SIPTAG_SUPPORTED_STR(SIP_SUPPORTED)),
				  TAG_IF(timer != NULL, SIPTAG_SESSION_EXPIRES_STR(timer)),
				  TAG_IF(peer_refreshes, SIPTAG_REQUIRE_STR("timer")),
				  TAG_IF(path != NULL, SIPTAG_UNKNOWN_STR(path)),
				  TAG_IF(status == 500 || status == 503, SIPTAG_RETRY_AFTER_STR("5")),
				  TAG_IF(sdp != NULL, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
				  TAG_IF(sdp != NULL, SIPTAG_PAYLOAD_STR(sdp)), TAG_END());
	if (status < 200) {
		return;
	}
	if (invite && good) {
		c->replied = true;	/* c->request lives on until its ACK */
		return;
	}
	nta_incoming_destroy(c->request);
	c->request = NULL;
}

/* ---- ACK, CANCEL, time-outs of c->request ---- */
static void on_ack(struct call *c, nta_incoming_t *irq, const sip_t *sip)
{
	size_t len;
	bool other, first = !c->confirmed;
	msg_t *msg = nta_incoming_getrequest_ackcancel(irq);
	const char *sdp = sip_sdp(msg, sip, &len, &other);
	g_autofree char *body = sdp != NULL ? g_strndup(sdp, len) : NULL;
	msg_destroy(msg);
	nta_incoming_destroy(c->request);
	c->request = NULL;
	c->confirmed = true;
	if (c->exchange == X_OFFERED && body != NULL) {
		exchange_peer_answer(c, body, strlen(body));
	} else if (c->exchange == X_OFFERED) {
		c->exchange = X_IDLE;
		c->sip->counters.malformed++;
		if (first) {
			call_end(c, 488, "the ACK carries no answer");
		} else {
			sip_media_cancel(c->media);
		}
	}
	call_check_up(c);
	call_idle(c);
}

static void on_cancel(struct call *c)
{
	if (!c->confirmed) {
		call_end(c, 487, "cancelled by the caller");
		return;
	}
	uas_reply(c, 487, NULL, NULL);
	if (c->exchange != X_IDLE) {
		c->exchange = X_IDLE;
		sip_media_cancel(c->media);
	}
	call_idle(c);
}

static int on_ack_cancel(void *magic, nta_incoming_t *irq, sip_t const *sip)
{
	struct call *c = magic;
	if (c->dead || irq != c->request) {
		return 0;
	}
	(void)call_ref(c);
	if (sip == NULL) {
		nta_incoming_destroy(c->request);
		c->request = NULL;
		c->confirmed = true;	/* RFC 3261 13.3.1.4: no ACK within 64*T1: the dialog is confirmed, and ended by BYE */
		call_end(c, 408, "the peer does not acknowledge our answer");
	} else if (sip->sip_request->rq_method == sip_method_ack) {
		on_ack(c, irq, sip);
	} else if (sip->sip_request->rq_method == sip_method_cancel) {
		on_cancel(c);
	}
	call_unref(c);
	return 0;
}

void uas_bind(struct call *c)
{
	nta_incoming_bind(c->request, on_ack_cancel, c);
}

/* ---- ringing ---- */
static int on_prack(struct call *c, nta_reliable_t *rel, nta_incoming_t *prack, sip_t const *sip)
{
	if (c->reliable == rel) {
		c->reliable = NULL;
	}
	nta_reliable_destroy(rel);
	if (prack == NULL && !c->dead) {	/* RFC 3262 3: no PRACK within 64*T1 */
		call_end(c, 504, "the caller does not acknowledge ringing");
	}
	return 200;
}

static void ring(struct call *c, bool reliably)
{
	if (reliably) {
		c->reliable = nta_reliable_treply(c->request, on_prack, c, SIP_180_RINGING, SIPTAG_CONTACT_STR(c->contact),
						  SIPTAG_SERVER_STR(SIP_AGENT), TAG_END());
	}
	if (c->reliable == NULL) {
		uas_reply(c, 180, "Ringing", NULL);
	}
}

static gboolean on_unanswered(gpointer data)
{
	struct call *c = data;
	sip_timer_stop(&c->ring);
	call_end(c, 480, "nobody answered");
	return G_SOURCE_REMOVE;
}

/* Behind a NAT the Contact is an address of the inside: requests go where this one came from. So do they over a connection
 * that the peer opened. A peer with a proxy (Record-Route) has said its way itself. */
static char *way_back(const struct call *c, const sip_t *sip, const char *source, unsigned port)
{
	const char *host = sip->sip_contact != NULL ? sip->sip_contact->m_url->url_host : NULL;
	g_autofree char *literal = sip_literal(host);
	static const char *const params[] = { "", ";transport=tcp" };
	bool nat = literal != NULL && strcmp(literal, source) != 0 && sip_is_private(literal);
	if (sip->sip_record_route != NULL || (!nat && (c->transport == SIP_UDP || c->device == NULL))) {
		return NULL;
	}
	return g_strdup_printf(strchr(source, ':') != NULL ? "sip:[%s]:%u%s" : "sip:%s:%u%s", source, port, params[c->transport]);
}

static bool open_dialog(struct call *c, msg_t *msg, const sip_t *sip)
{
	g_autofree char *source = NULL;
	unsigned port = 0;
	c->transport = sip_transport_of(c->zone, c->request, msg, &source, &port);
	c->secure = c->transport == SIP_TLS;
	c->contact = zone_contact(c->zone, c->transport, c->number);
	c->call_id = g_strdup(sip->sip_call_id->i_id);
	c->peer = sip_url_text(sip->sip_from->a_url);
	c->agent = sip_product(sip);
	c->route = c->secure ? zone_flow(c->zone, msg) : way_back(c, sip, source, port);
	c->can_update = sip->sip_allow != NULL && sip_is_allowed(sip->sip_allow, SIP_METHOD_UPDATE);
	c->dialog = nta_leg_tcreate(c->zone->agent, dialog_request, c, SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM(sip->sip_to),
				    SIPTAG_TO(sip->sip_from), NTATAG_REMOTE_CSEQ(sip->sip_cseq->cs_seq), TAG_END());
	if (c->dialog == NULL) {
		return false;
	}
	(void)nta_leg_tag(c->dialog, nta_incoming_tag(c->request, NULL));
	take_route(c, sip);
	return true;
}

/* ---- who calls what ---- */
static struct call *replaced(struct zone *z, const sip_t *sip, const struct sip_identity *who, unsigned *ret_status)
{
	nta_leg_t *leg = sip->sip_replaces != NULL ? nta_leg_by_replaces(z->base->agent, sip->sip_replaces) : NULL;
	if (leg == NULL && sip->sip_replaces != NULL && z->base->twin != NULL) {
		leg = nta_leg_by_replaces(z->base->twin->agent, sip->sip_replaces);
	}
	struct call *c = leg != NULL ? nta_leg_magic(leg, dialog_request) : NULL;
	*ret_status = 0;
	if (sip->sip_replaces == NULL) {
		return NULL;
	}
	if (c == NULL || c->dead) {
		*ret_status = 481;	/* RFC 3891 3 */
		return NULL;
	}
	/* only who holds the call, or a trunk, may take it over */
	if (c->trunk != who->trunk || (c->trunk == NULL && g_strcmp0(c->device, who->device) != 0)) {
		*ret_status = 403;
	}
	return c;
}

static void refuse(nta_incoming_t *irq, unsigned status)
{
	(void)nta_incoming_treply(irq, (int)status, NULL, SIPTAG_SERVER_STR(SIP_AGENT),
				  TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR("5")), TAG_END());
	nta_incoming_destroy(irq);
}

static bool request_is_good(nta_incoming_t *irq, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	su_home_init(home);
	sip_supported_t *ours = sip_supported_make(home, SIP_SUPPORTED);
	sip_accept_t *sdp = sip_accept_make(home, "application/sdp, multipart/mixed, multipart/alternative");
	bool good = nta_check_required(irq, sip, ours, TAG_END()) == 0 &&
		    nta_check_session_content(irq, sip, sdp, SIPTAG_ACCEPT_STR("application/sdp"), TAG_END()) == 0 &&
		    nta_check_session_expires(irq, sip, MIN_SE_S, TAG_END()) == 0;
	su_home_deinit(home);
	return good;
}

static char *ask(struct zone *z, const struct gw_sip_call_in *in, unsigned *ret_status)
{
	*ret_status = 404;
	if (in->number == NULL) {
		return NULL;
	}
	*ret_status = 403;
	return z->sip->ops.on_call(in, ret_status, z->sip->user_data);
}

static void make_leg(struct zone *z, nta_incoming_t *irq, msg_t *msg, sip_t *sip, struct sip_identity *who, struct call *old,
		     const char *party, const struct gw_sip_call_in *in)
{
	g_autofree char *id = g_strdup_printf("%s.%" G_GINT64_MODIFIER "u", party, ++z->sip->serial);
	struct call *c = call_ref(call_new(z->sip, id, party));
	c->zone = z;
	c->trunk = who->trunk;
	c->device = g_strdup(who->device);
	c->number = g_strdup(in->number);
	c->request = irq;
	c->replaces = old != NULL ? g_strdup(old->leg.id) : NULL;
	if (c->trunk != NULL) {
		c->trunk->calls++;
		trunk_heard(c->trunk, true, NULL);
	}
	z->sip->counters.calls_in++;
	(void)ort_fsm_enter(&c->leg.fsm, GW_LEG_CALLING, 0);	/* nobody knows the leg yet */
	(void)ort_fsm_enter(&c->leg.fsm, GW_LEG_RINGING, 0);
	bool good = open_dialog(c, msg, sip) && call_media(c);
	uas_bind(c);
	session_negotiated(c, sip, false);
	if (good) {
		ring(c, sip_has_feature(sip->sip_require, "100rel"));
		c->ring = sip_timer(c->sip, ANSWER_MS, on_unanswered, c);
	}
	z->sip->ops.on_leg(&c->leg, in, z->sip->user_data);
	if (!good && !c->dead) {
		call_end(c, 500, "no room for a dialog");
	}
	call_unref(c);
}

void uas_invite(struct zone *z, msg_t *msg, sip_t *sip, struct sip_identity *who)
{
	g_autofree char *from = sip_url_text(sip->sip_from->a_url), *name = sip_name(sip->sip_from->a_display);
	g_autofree char *called = sip_number(sip->sip_request->rq_url->url_user), *agent = sip_product(sip);
	const char *number = who->trunk != NULL && who->trunk->conf.number != NULL ? who->trunk->conf.number : called;
	struct gw_sip_call_in in = { number, from, name, who->device, who->trunk != NULL ? who->trunk->conf.name : NULL,
				     z->conf.name, agent, NULL };
	unsigned status = 0;
	in.path = who->trunk != NULL ? said_path(sip) : NULL;
	msg_t *kept = msg_ref_create(msg);
	nta_incoming_t *irq = nta_incoming_create(z->agent, NULL, msg, sip, TAG_END());
	if (irq == NULL) {
		msg_destroy(kept);
		return;
	}
	(void)nta_incoming_treply(irq, SIP_100_TRYING, TAG_END());
	if (!request_is_good(irq, sip)) {
		nta_incoming_destroy(irq);
		msg_destroy(kept);
		return;
	}
	struct call *old = replaced(z, sip, who, &status);
	in.replaces = old != NULL ? old->leg.id : NULL;
	g_autofree char *party = status == 0 ? ask(z, &in, &status) : NULL;
	if (party == NULL) {
		refuse(irq, status >= 400 && status < 700 ? status : 403);
	} else {
		make_leg(z, irq, kept, sip, who, old, party, &in);
	}
	msg_destroy(kept);
}

/* ---- the application answers ---- */
static void end_replaced(struct call *c)
{
	struct call *old = c->replaces != NULL ? g_hash_table_lookup(c->sip->calls, c->replaces) : NULL;
	if (old != NULL && old != c) {
		call_end(old, 480, "replaced");
	}
}

int uas_answer(struct call *c)
{
	size_t len;
	bool other;
	msg_t *msg = nta_incoming_getrequest(c->request);
	const char *sdp = sip_sdp(msg, sip_object(msg), &len, &other);
	g_autofree char *body = sdp != NULL ? g_strndup(sdp, len) : NULL;
	msg_destroy(msg);
	sip_timer_stop(&c->ring);
	c->answering = true;
	(void)call_ref(c);
	(void)gw_leg_enter(&c->leg, GW_LEG_CONNECTING, NULL);
	if (!c->dead) {
		end_replaced(c);
		if (body != NULL) {
			exchange_peer_offer(c, body, strlen(body));
		} else {
			exchange_offer(c);
		}
	}
	call_unref(c);
	return 0;
}
