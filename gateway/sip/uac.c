/* INVITEs of ours: where to, forks, redirects, challenges, reliable provisionals, the late offer, re-INVITEs and their glare. */
#include <errno.h>
#include <string.h>

#include "gateway/sip/sip_priv.h"

enum { MAX_REDIRECTS = 5, MAX_TARGETS = 8, RING_MS = 180 * 1000, TLS_MS = 12 * 1000 };

static int on_invite(void *magic, nta_outgoing_t *out, sip_t const *sip);

/* ---- where to ---- */
/* Words of ours at the end of an address; they do not go out. ";late-offer": INVITE without SDP, for gateways that want to
 * offer first. ";ice": our offer has ICE, for peers that have it too. */
static void take_word(char *uri, const char *word, bool *ret)
{
	char *at = strstr(uri, word);
	if (at != NULL && strchr(";", at[strlen(word)]) != NULL) {
		*ret = true;
		memmove(at, at + strlen(word), strlen(at + strlen(word)) + 1);
	}
}

static bool uri_is_good(const char *uri)
{
	url_t *url = url_make(NULL, uri);
	bool good = url != NULL && (url->url_type == url_sip || url->url_type == url_sips) && url->url_host != NULL &&
		    url->url_host[0] != '\0' && url->url_headers == NULL && url->url_password == NULL;
	su_free(NULL, url);
	return good;
}

static int aim_at_trunk(struct call *c, const struct sip_dial *d)
{
	c->trunk = trunk_find(c->sip, d->name);
	if (c->trunk == NULL) {
		return -ENOENT;
	}
	const struct gw_sip_trunk *t = &c->trunk->conf;
	const char *number = d->number[0] != '\0' ? d->number : t->conference;
	const char *rest = strchr(c->trunk->uri, ':');
	c->zone = c->trunk->zone;
	c->target = number != NULL ? g_strdup_printf("%.*s:%s@%s", (int)(rest - c->trunk->uri), c->trunk->uri, number, rest + 1)
				   : g_strdup(t->address);
	c->trunk->calls++;
	return 0;
}

static int aim_at_device(struct call *c, const char *user)
{
	g_autoptr(GPtrArray) found = registrar_find(c->sip, user);
	for (unsigned n = 0; n < found->len; n++) {
		const struct binding *b = found->pdata[n];
		if (n == 0) {
			c->zone = b->zone;
			c->target = g_strdup(b->contact);
			c->route = g_strdup(b->route);
			c->agent = g_strdup(b->agent);
			c->device = g_strdup(user);
		} else if (b->zone->base == c->zone->base) {
			g_queue_push_tail(&c->targets, g_strdup_printf("%s\n%s", b->contact, b->route != NULL ? b->route : ""));
		}
	}
	return found->len > 0 ? 0 : -EHOSTUNREACH;
}

static int aim(struct call *c, const char *address)
{
	struct sip_dial d;
	if (sip_dial_parse(address, &d) < 0) {
		return -EINVAL;
	}
	int err = 0;
	if (d.kind == SIP_DIAL_TRUNK) {
		err = aim_at_trunk(c, &d);
	} else if (d.kind == SIP_DIAL_DEVICE) {
		err = aim_at_device(c, d.name);
	} else {
		c->zone = sip_zone(c->sip, NULL);
		c->target = g_strdup(d.uri);
	}
	sip_dial_clear(&d);
	if (err == 0 && c->target != NULL) {
		take_word(c->target, ";late-offer", &c->late_offer);
		take_word(c->target, ";ice", &c->ice);
	}
	return err != 0 ? err : c->zone != NULL && uri_is_good(c->target) ? 0 : -EINVAL;
}

/* ---- the dialog of our own ---- */
static char *our_uri(const struct call *c)
{
	const struct trunk *t = c->trunk;
	return t != NULL && t->conf.user != NULL ? g_strdup_printf("sip:%s@%s", t->conf.user, t->host) : zone_uri(c->zone, NULL);
}

static bool open_dialog(struct call *c)
{
	g_autofree char *from = our_uri(c), *to = g_strdup_printf("<%s>", c->target);
	g_autofree char *id = g_strdup_printf("%08x%08x%08x", g_random_int(), g_random_int(), g_random_int());
	char *params = strchr(to, ';');
	if (params != NULL) {
		params[0] = '>';	/* an address of record: no transport= in To */
		params[1] = '\0';
	}
	c->dialog = nta_leg_tcreate(c->zone->agent, dialog_request, c, SIPTAG_CALL_ID_STR(id), SIPTAG_FROM_STR(from),
				    SIPTAG_TO_STR(to), TAG_END());
	if (c->dialog == NULL || nta_leg_tag(c->dialog, NULL) == NULL) {
		return false;
	}
	g_free(c->call_id);
	c->call_id = g_strdup(id);
	return true;
}

static gboolean on_ring_over(gpointer data)
{
	struct call *c = data;
	sip_timer_stop(&c->ring);
	call_end(c, 408, "no answer");
	return G_SOURCE_REMOVE;
}

/* A peer that takes TLS and then says nothing; what fails before is told at once (way_failed). */
static gboolean on_tls_over(gpointer data)
{
	struct call *c = data;
	sip_timer_stop(&c->ring);
	if (!c->confirmed && (c->invite == NULL || nta_outgoing_status(c->invite) < 100)) {
		call_end(c, 503, "no answer over TLS");
	} else {
		c->ring = sip_timer(c->sip, RING_MS - TLS_MS, on_ring_over, c);
	}
	return G_SOURCE_REMOVE;
}

static bool start(struct call *c)
{
	if (!way_choose(c)) {
		return true;
	}
	if (!open_dialog(c) || !call_media(c)) {
		return false;
	}
	c->ring = sip_timer(c->sip, c->secure ? TLS_MS : RING_MS, c->secure ? on_tls_over : on_ring_over, c);
	if (c->late_offer) {
		uac_invite(c, NULL);
	} else {
		exchange_offer(c);
	}
	return true;
}

bool uac_again(struct call *c)
{
	return start(c);
}

int uac_dial(struct call *c, const struct gw_leg_dial *dial)
{
	int err = aim(c, dial->address);
	if (err != 0) {
		return err;
	}
	c->ours = true;
	c->max_bps = dial->max_bps;
	c->peer = g_strdup(c->target);
	c->sip->counters.calls_out++;
	(void)gw_leg_enter(&c->leg, GW_LEG_CALLING, NULL);
	return c->dead || start(c) ? 0 : -EIO;
}

/* ---- sending ---- */
char *uac_authorization(struct call *c, const char *method, const char *uri)
{
	if (!c->ours || c->trunk == NULL || c->redirected) {
		return NULL;
	}
	return sip_answer_print(&c->answer, c->trunk->conf.user, c->trunk->conf.password, method, uri);
}

static char *remote_uri(const struct call *c)
{
	const sip_contact_t *target = NULL;
	const sip_route_t *route = NULL;
	(void)nta_leg_get_route(c->dialog, &route, &target);
	return c->confirmed && target != NULL ? sip_url_text(target->m_url) : g_strdup(c->target);
}

static void send_invite(struct call *c, const char *sdp)
{
	g_autofree char *uri = remote_uri(c), *auth = uri != NULL ? uac_authorization(c, "INVITE", uri) : NULL;
	g_autofree char *timer = session_header(c, true), *path = c->confirmed || c->redirected ? NULL : call_path(c);
	c->invite = nta_outgoing_tcreate(
		c->dialog, on_invite, c, (url_string_t *)c->route, SIP_METHOD_INVITE,
		c->confirmed ? NULL : (url_string_t *)c->target, SIPTAG_CONTACT_STR(c->contact), SIPTAG_USER_AGENT_STR(SIP_AGENT),
		SIPTAG_ALLOW_STR(SIP_ALLOW), SIPTAG_SUPPORTED_STR(SIP_SUPPORTED), SIPTAG_ACCEPT_STR("application/sdp"),
		SIPTAG_SESSION_EXPIRES_STR(timer), TAG_IF(path != NULL, SIPTAG_UNKNOWN_STR(path)),
		TAG_IF(auth != NULL && !c->answer.proxy, SIPTAG_AUTHORIZATION_STR(auth)),
		TAG_IF(auth != NULL && c->answer.proxy, SIPTAG_PROXY_AUTHORIZATION_STR(auth)),
		TAG_IF(sdp != NULL, SIPTAG_CONTENT_TYPE_STR("application/sdp")), TAG_IF(sdp != NULL, SIPTAG_PAYLOAD_STR(sdp)), TAG_END());
}

void uac_invite(struct call *c, const char *sdp)
{
	if (sdp != NULL && sdp != c->offer) {
		g_free(c->offer);
		c->offer = g_strdup(sdp);	/* said again after a challenge or a redirect */
	}
	send_invite(c, sdp);
	if (c->invite == NULL && c->confirmed) {
		c->exchange = X_IDLE;
		sip_media_cancel(c->media);
	} else if (c->invite == NULL) {
		call_end(c, 500, "the INVITE cannot be sent");
	} else {
		c->invite_cseq = nta_outgoing_cseq(c->invite);
		c->last_rseq = 0;
	}
}

void uac_ack(struct call *c, const char *sdp)
{
	sip_cseq_t cseq[1];
	sip_cseq_init(cseq);
	cseq->cs_seq = c->invite_cseq;
	cseq->cs_method = sip_method_ack;
	cseq->cs_method_name = "ACK";
	nta_outgoing_t *ack = nta_outgoing_tcreate(c->dialog, NULL, NULL, (url_string_t *)c->route, SIP_METHOD_ACK, NULL,
						   SIPTAG_CSEQ(cseq), SIPTAG_USER_AGENT_STR(SIP_AGENT),
						   TAG_IF(sdp != NULL, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
						   TAG_IF(sdp != NULL, SIPTAG_PAYLOAD_STR(sdp)), TAG_END());
	nta_outgoing_destroy(c->invite);
	c->invite = NULL;
	nta_outgoing_destroy(ack);	/* it stays inside to answer repeated 2xx */
	c->confirmed = true;
}

/* ---- next target ---- */
static bool try_next(struct call *c)
{
	char *next = g_queue_pop_head(&c->targets);
	if (next == NULL) {
		return false;
	}
	char *nl = strchr(next, '\n');
	struct zone *was = c->zone;
	g_free(c->target);
	g_clear_pointer(&c->route, g_free);
	c->aimed = false;
	if (nl != NULL && nl[1] != '\0') {
		c->route = g_strdup(nl + 1);
	}
	c->target = nl != NULL ? g_strndup(next, (gsize)(nl - next)) : g_strdup(next);
	g_free(next);
	nta_outgoing_destroy(c->invite);
	c->invite = NULL;
	if (!way_choose(c)) {
		return true;
	}
	if (c->zone != was) {	/* dialogs belong to an agent */
		nta_leg_destroy(c->dialog);
		c->dialog = NULL;
		if (!open_dialog(c)) {
			return false;
		}
	}
	uac_invite(c, c->late_offer ? NULL : c->offer);
	return true;
}

/* RFC 3263 4.3: this server of the trunk is dead or says 503, another may not. */
static bool next_hop(struct call *c)
{
	if (c->trunk == NULL || c->redirected || c->confirmed || !trunk_next_hop(c->trunk, &c->hops_tried)) {
		return false;
	}
	nta_outgoing_destroy(c->invite);
	c->invite = NULL;
	if (way_choose(c)) {
		uac_invite(c, c->late_offer ? NULL : c->offer);
	}
	return true;
}

bool uac_next(struct call *c)
{
	return next_hop(c) || try_next(c);
}

static bool redirect(struct call *c, const sip_t *sip)
{
	if (++c->redirects > MAX_REDIRECTS) {
		return false;
	}
	g_queue_clear_full(&c->targets, g_free);
	for (const sip_contact_t *m = sip->sip_contact; m != NULL && c->targets.length < MAX_TARGETS; m = m->m_next) {
		g_autofree char *uri = sip_url_text(m->m_url);
		if (uri_is_good(uri) && (!c->secure || way_transport(uri) == SIP_TLS) && strcmp(uri, c->target) != 0) {
			g_queue_push_tail(&c->targets, g_steal_pointer(&uri));
		}
	}
	if (c->targets.length == 0) {
		return false;
	}
	c->sip->counters.redirects++;
	c->redirected = true;	/* the trunk's password is not for whoever it points to (security.md class 2) */
	return try_next(c);
}

/* ---- challenges ---- */
static bool answer_challenge(struct call *c, int status, const sip_t *sip)
{
	const msg_auth_t *asked = status == 401 ? sip->sip_www_authenticate : sip->sip_proxy_authenticate;
	struct sip_digest d;
	int err = -EACCES;
	bool may = c->ours && c->trunk != NULL && c->trunk->conf.user != NULL && !c->redirected && !c->challenged;
	for (; may && asked != NULL && err != 0; asked = asked->au_next) {
		if (sip_digest_parse((const char *const *)asked->au_params, &d)) {
			if (c->answer.realm == NULL && c->trunk->answer.realm != NULL) {
				c->answer.realm = g_strdup(c->trunk->answer.realm);
			}
			err = sip_answer_take(&c->answer, &d, status == 407);
			sip_digest_clear(&d);
		}
	}
	if (err != 0) {
		c->sip->counters.challenges_refused++;
		return false;
	}
	c->challenged = true;
	nta_outgoing_destroy(c->invite);
	c->invite = NULL;
	uac_invite(c, c->late_offer && !c->confirmed ? NULL : c->offer);
	return true;
}

static bool longer_session(struct call *c, const sip_t *sip)	/* RFC 4028 7.3 */
{
	unsigned min = sip->sip_min_se != NULL ? (unsigned)sip->sip_min_se->min_delta : 0;
	if (min <= MAX(c->expires_s, 1800u) || min > 24 * 3600) {
		return false;
	}
	c->expires_s = min;
	nta_outgoing_destroy(c->invite);
	c->invite = NULL;
	uac_invite(c, c->late_offer && !c->confirmed ? NULL : c->offer);
	return true;
}

/* ---- what comes back ---- */
static void learn_peer(struct call *c, const sip_t *sip)
{
	if (c->agent == NULL) {
		c->agent = sip_product(sip);
	}
	c->can_update = c->can_update || (sip->sip_allow != NULL && sip_is_allowed(sip->sip_allow, SIP_METHOD_UPDATE));
}

static void on_reliable(struct call *c, const sip_t *sip)	/* RFC 3262 4 */
{
	uint32_t rseq = sip->sip_rseq->rs_response;
	size_t len;
	bool other;
	if (sip->sip_to->a_tag == NULL || rseq <= c->last_rseq || (c->last_rseq != 0 && rseq != c->last_rseq + 1)) {
		return;
	}
	c->last_rseq = rseq;
	nta_leg_t *early = c->dialog;
	bool foreign = nta_leg_get_rtag(early) != NULL && strcmp(nta_leg_get_rtag(early), sip->sip_to->a_tag) != 0;
	if (foreign) {	/* another branch of a fork: acknowledged in a dialog of its own, which only its 2xx could make ours */
		early = nta_leg_tcreate(c->zone->agent, dialog_request, c, SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM(sip->sip_from),
					SIPTAG_TO(sip->sip_to), SIPTAG_CSEQ(sip->sip_cseq), TAG_END());
	} else {
		(void)nta_leg_rtag(early, sip->sip_to->a_tag);
	}
	(void)nta_leg_client_route(early, sip->sip_record_route, sip->sip_contact);
	g_autofree char *rack = g_strdup_printf("%u %u INVITE", rseq, sip->sip_cseq->cs_seq);
	(void)nta_outgoing_setrseq(c->invite, rseq);
	(void)nta_outgoing_tcreate(early, NULL, NULL, (url_string_t *)c->route, SIP_METHOD_PRACK, NULL, SIPTAG_RACK_STR(rack),
				   SIPTAG_USER_AGENT_STR(SIP_AGENT), TAG_END());
	const char *sdp = sip_sdp(NULL, sip, &len, &other);
	if (foreign) {
		nta_leg_destroy(early);
	} else if (sdp != NULL && c->early_answer == NULL && !c->late_offer) {
		c->early_answer = g_strndup(sdp, len);
	}
}

static void on_provisional(struct call *c, int status, const sip_t *sip)
{
	if (sip->sip_rseq != NULL) {
		on_reliable(c, sip);
	}
	if (!c->confirmed && status >= 180 && c->leg.fsm.state == GW_LEG_CALLING) {
		(void)gw_leg_enter(&c->leg, GW_LEG_RINGING, NULL);
	}
}

static void take_dialog(struct call *c, const sip_t *sip)
{
	const char *tag = sip->sip_to->a_tag, *mine = nta_leg_get_rtag(c->dialog);
	if (!c->confirmed && mine != NULL && strcmp(mine, tag) != 0) {	/* another branch answered than the one that rang */
		nta_leg_t *won = nta_leg_tcreate(c->zone->agent, dialog_request, c, SIPTAG_CALL_ID(sip->sip_call_id),
						 SIPTAG_FROM(sip->sip_from), SIPTAG_TO(sip->sip_to), SIPTAG_CSEQ(sip->sip_cseq), TAG_END());
		nta_leg_destroy(c->dialog);
		c->dialog = won;
	} else if (mine == NULL) {
		(void)nta_leg_rtag(c->dialog, tag);
	}
	(void)nta_leg_client_reroute(c->dialog, sip->sip_record_route, sip->sip_contact, !c->confirmed);
	if (c->aimed && !c->secure) {	/* from here on the peer says itself where it is */
		g_clear_pointer(&c->route, g_free);
		c->aimed = false;
	}
}

static void on_accepted(struct call *c, nta_outgoing_t *out, const sip_t *sip)
{
	size_t len = 0;
	bool other = false, first = !c->confirmed;
	if (sip->sip_to->a_tag == NULL) {
		call_end(c, 500, "the answer has no tag");
		return;
	}
	take_dialog(c, sip);
	g_autofree char *body = NULL;
	msg_t *msg = nta_outgoing_getresponse(out);
	const char *sdp = sip_sdp(msg, sip, &len, &other);
	body = sdp != NULL ? g_strndup(sdp, len) : g_steal_pointer(&c->early_answer);
	msg_destroy(msg);
	len = body != NULL ? strlen(body) : 0;
	c->challenged = false;
	c->glares = 0;
	c->early_answer = NULL;
	sip_timer_stop(&c->ring);
	session_negotiated(c, sip, true);
	bool late = c->late_offer && first;
	if (!late) {
		uac_ack(c, NULL);
	}
	if (first) {
		if (c->trunk != NULL) {
			trunk_heard(c->trunk, true, NULL);
		}
		if (c->leg.fsm.state != GW_LEG_CONNECTING) {	/* as it is when we call again */
			(void)gw_leg_enter(&c->leg, GW_LEG_CONNECTING, NULL);
		}
		call_heard_path(c, sip);
	}
	if (c->dead) {
		return;
	}
	if (body == NULL) {
		if (late) {
			uac_ack(c, NULL);
		}
		call_end(c, 488, "the peer said no media");
	} else if (late) {
		exchange_peer_offer(c, body, len);
	} else {
		exchange_peer_answer(c, body, len);
	}
}

static gboolean on_glare_over(gpointer data)
{
	struct call *c = data;
	sip_timer_stop(&c->glare);
	call_reoffer(c);
	return G_SOURCE_REMOVE;
}

/* A re-INVITE of ours was refused: the session stays as it was, except where RFC 5057 says that the dialog is gone. */
static void on_again_refused(struct call *c, int status, bool silent)
{
	nta_outgoing_destroy(c->invite);
	c->invite = NULL;
	c->exchange = X_IDLE;
	sip_media_cancel(c->media);
	silent = silent || status == 408;
	if (status == 481 || silent || status == 404 || status == 410) {
		call_end(c, silent ? 408 : 481, silent ? "the peer does not answer any more" : "the peer knows the call no more");
		return;
	}
	if (status == 491 && ++c->glares <= 8) {
		c->sip->counters.glares++;
		/* RFC 3261 14.1: the owner of the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms */
		int64_t ms = c->ours ? g_random_int_range(210, 400) * 10 : g_random_int_range(0, 200) * 10;
		c->glare = sip_timer(c->sip, ms, on_glare_over, c);
	}
	call_idle(c);
}

static const char *refusal(struct call *c, int status, const char *phrase, char buf[96])
{
	static const struct { int status; const char *why; } rows[] = {
		{ 404, "no such number there" }, { 408, "no answer from there" }, { 480, "not reachable now" }, { 486, "busy" },
		{ 487, "cancelled" }, { 488, "no common codec" }, { 600, "busy" }, { 603, "declined" },
		{ 401, "the password is not accepted" }, { 407, "the password is not accepted" }, { 403, "not allowed there" },
		{ 482, "a loop: that conference is joined with ours already" }, { 504, "no way there" },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (rows[n].status == status) {
			(void)g_snprintf(buf, 96, "%s (%d)", rows[n].why, status);
			return buf;
		}
	}
	g_autofree char *said = sip_name(phrase);
	(void)g_snprintf(buf, 96, "%.80s (%d)", said != NULL ? said : "refused", status);
	return buf;
}

static void on_refused(struct call *c, int status, const sip_t *sip)
{
	char buf[96];
	if ((status == 401 || status == 407) && sip != NULL && answer_challenge(c, status, sip)) {
		return;
	}
	if (status == 422 && sip != NULL && longer_session(c, sip)) {
		return;
	}
	if (c->confirmed) {
		on_again_refused(c, status, sip == NULL || nta_sip_is_internal((sip_t *)(uintptr_t)sip));
		return;
	}
	if (status == 488 && !c->late_offer) {	/* with another security; the offer that was refused is over */
		sip_media_cancel(c->media);
		if (sip_media_retry(c->media)) {
			nta_outgoing_destroy(c->invite);
			c->invite = NULL;
			exchange_offer(c);
			return;
		}
	}
	if (status >= 300 && status < 400 && sip != NULL && redirect(c, sip)) {
		return;
	}
	if ((status == 503 || status == 408) && next_hop(c)) {
		return;
	}
	if (status < 600 && try_next(c)) {
		return;
	}
	if (c->trunk != NULL && (status == 408 || status == 503)) {
		trunk_heard(c->trunk, false, "does not answer a call");
	}
	/* Nobody there said 503: the connection was refused, there is no route, or the name is unknown. */
	if (status == 503 && (sip == NULL || nta_sip_is_internal((sip_t *)(uintptr_t)sip))) {
		status = 504;
	}
	nta_outgoing_destroy(c->invite);
	c->invite = NULL;
	call_peer_gone(c, refusal(c, status, sip != NULL && sip->sip_status != NULL ? sip->sip_status->st_phrase : NULL, buf));
}

static int on_invite(void *magic, nta_outgoing_t *out, sip_t const *sip)
{
	struct call *c = magic;
	int status = nta_outgoing_status(out);
	if (c->dead || out != c->invite) {
		return 0;
	}
	(void)call_ref(c);
	msg_t *kept = nta_outgoing_getresponse(out);	/* `sip` lives in it, and `out` may go */
	if (sip != NULL && sip->sip_status != NULL) {
		status = sip->sip_status->st_status;
		learn_peer(c, sip);
	}
	if (status < 200) {
		if (sip != NULL) {
			on_provisional(c, status, sip);
		}
	} else if (status < 300) {
		on_accepted(c, out, sip);
	} else {
		on_refused(c, status, sip);
	}
	msg_destroy(kept);
	call_unref(c);
	return 0;
}
