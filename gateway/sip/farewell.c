/* What is still owed to a peer after the leg has ended: CANCEL and the late 2xx, the ACK that our 2xx waits for, BYE. A
 * farewell owns what is left of the dialog; the call is gone. It always ends: each is bound to a transaction with a timer. */
#include "gateway/sip/sip_priv.h"

struct farewell {
	gw_sip *sip;
	nta_leg_t *dialog;
	nta_outgoing_t *out;
	nta_incoming_t *in;
	char *route, *user, *password;
	struct sip_answer answer;
	bool byed, challenged;
};

static int on_request(struct call *none, nta_leg_t *leg, nta_incoming_t *irq, sip_t const *sip)
{
	return sip->sip_request->rq_method == sip_method_bye ? 200 : sip->sip_request->rq_method == sip_method_ack ? 0 : 481;
}

static struct farewell *make(struct call *c)
{
	struct farewell *f = g_new0(struct farewell, 1);
	f->sip = c->sip;
	f->dialog = c->dialog;
	f->route = g_strdup(c->route);
	c->dialog = NULL;
	if (c->trunk != NULL && c->ours && !c->redirected) {
		f->user = g_strdup(c->trunk->conf.user);
		f->password = g_strdup(c->trunk->conf.password);
		f->answer = c->answer;
		c->answer = (struct sip_answer){ 0 };
	}
	nta_leg_bind(f->dialog, on_request, NULL);
	g_hash_table_add(f->sip->farewells, f);
	return f;
}

static void over(struct farewell *f)
{
	g_hash_table_remove(f->sip->farewells, f);
	if (f->out != NULL) {
		nta_outgoing_destroy(f->out);
	}
	if (f->in != NULL) {
		nta_incoming_destroy(f->in);
	}
	nta_leg_destroy(f->dialog);
	sip_answer_clear(&f->answer);
	g_free(f->route);
	g_free(f->user);
	g_free(f->password);
	g_free(f);
}

static int on_bye(void *magic, nta_outgoing_t *out, sip_t const *sip);

static void bye(struct farewell *f)
{
	const sip_contact_t *target = NULL;
	const sip_route_t *route = NULL;
	(void)nta_leg_get_route(f->dialog, &route, &target);
	g_autofree char *uri = target != NULL ? sip_url_text(target->m_url) : NULL;
	g_autofree char *auth = uri != NULL ? sip_answer_print(&f->answer, f->user, f->password, "BYE", uri) : NULL;
	if (f->out != NULL) {
		nta_outgoing_destroy(f->out);
	}
	f->byed = true;
	f->out = nta_outgoing_tcreate(f->dialog, on_bye, f, (url_string_t *)f->route, SIP_METHOD_BYE, NULL,
				      SIPTAG_USER_AGENT_STR(SIP_AGENT),
				      TAG_IF(auth != NULL && !f->answer.proxy, SIPTAG_AUTHORIZATION_STR(auth)),
				      TAG_IF(auth != NULL && f->answer.proxy, SIPTAG_PROXY_AUTHORIZATION_STR(auth)), TAG_END());
	if (f->out == NULL) {
		over(f);
	}
}

static int on_bye(void *magic, nta_outgoing_t *out, sip_t const *sip)
{
	struct farewell *f = magic;
	int status = nta_outgoing_status(out);
	if (status < 200) {
		return 0;
	}
	const msg_auth_t *asked = sip == NULL ? NULL : status == 401 ? sip->sip_www_authenticate : sip->sip_proxy_authenticate;
	struct sip_digest d = { 0 };
	bool again = (status == 401 || status == 407) && asked != NULL && f->user != NULL && !f->challenged &&
		     sip_digest_parse((const char *const *)asked->au_params, &d) && sip_answer_take(&f->answer, &d, status == 407) == 0;
	sip_digest_clear(&d);
	f->challenged = true;
	if (again) {
		bye(f);
	} else {
		over(f);
	}
	return 0;
}

void farewell_bye(struct call *c)
{
	if (c->dialog != NULL) {
		bye(make(c));
	}
}

/* ---- our INVITE without a final response ---- */
static int on_late(void *magic, nta_outgoing_t *out, sip_t const *sip)
{
	struct farewell *f = magic;
	int status = nta_outgoing_status(out);
	if (status < 200) {
		return 0;
	}
	if (status >= 300 || sip == NULL || sip->sip_to->a_tag == NULL) {
		over(f);
		return 0;
	}
	/* The 2xx and our CANCEL crossed: the call is up at the peer, so it is acknowledged and taken down (RFC 3261 9.1). */
	(void)nta_leg_rtag(f->dialog, sip->sip_to->a_tag);
	(void)nta_leg_client_route(f->dialog, sip->sip_record_route, sip->sip_contact);
	sip_cseq_t cseq[1];
	sip_cseq_init(cseq);
	cseq->cs_seq = sip->sip_cseq->cs_seq;
	cseq->cs_method = sip_method_ack;
	cseq->cs_method_name = "ACK";
	nta_outgoing_t *ack = nta_outgoing_tcreate(f->dialog, NULL, NULL, (url_string_t *)f->route, SIP_METHOD_ACK, NULL,
						   SIPTAG_CSEQ(cseq), TAG_END());
	nta_outgoing_destroy(ack);
	bye(f);
	return 0;
}

void farewell_cancel(struct call *c)
{
	nta_outgoing_t *invite = c->invite;
	c->invite = NULL;
	if (c->dialog == NULL) {
		nta_outgoing_destroy(invite);
		return;
	}
	struct farewell *f = make(c);
	f->out = invite;
	nta_outgoing_bind(invite, on_late, f);
	(void)nta_outgoing_cancel(invite);
}

/* ---- our 2xx without ACK: RFC 3261 15 lets the callee say BYE only after the ACK or its time ---- */
static int on_ack(void *magic, nta_incoming_t *in, sip_t const *sip)
{
	struct farewell *f = magic;
	if (!f->byed && (sip == NULL || sip->sip_request->rq_method == sip_method_ack)) {
		bye(f);
	}
	return 0;
}

void farewell_ack(struct call *c)
{
	nta_incoming_t *in = c->request;
	c->request = NULL;
	if (c->dialog == NULL) {
		nta_incoming_destroy(in);
		return;
	}
	struct farewell *f = make(c);
	f->in = in;
	nta_incoming_bind(in, on_ack, f);
}

void farewell_clear(gw_sip *sip)
{
	g_autoptr(GList) all = g_hash_table_get_keys(sip->farewells);
	for (GList *l = all; l != NULL; l = l->next) {
		over(l->data);
	}
}
