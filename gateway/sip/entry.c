/* Requests outside of dialogs, before any transaction exists: how many, which, from whom. One table says which methods there
 * are and what they ask of a caller; the rest is refused (security.md classes 3, 4, 5, 13). */
#include <string.h>

#include "gateway/sip/sip_priv.h"

enum level { OPEN, DEVICE, DEVICE_OR_TRUNK };
struct entry { struct zone *z; msg_t *msg; sip_t *sip; char *source, *key; unsigned transport; int64_t now_us; };

static void on_options(struct entry *e, struct sip_identity *who);
static void on_register(struct entry *e, struct sip_identity *who);
static void on_invite(struct entry *e, struct sip_identity *who);

static const struct row {
	sip_method_t method;
	enum sip_rate rate;
	enum level level;
	void (*fn)(struct entry *e, struct sip_identity *who);	/* NULL = 405; takes e->msg */
} rows[] = {
	{ sip_method_options, SIP_RATE_OTHER, OPEN, on_options },
	{ sip_method_register, SIP_RATE_REGISTER, DEVICE, on_register },
	{ sip_method_invite, SIP_RATE_INVITE, DEVICE_OR_TRUNK, on_invite },
	{ sip_method_message, SIP_RATE_MESSAGE, OPEN, NULL },
	{ sip_method_unknown, SIP_RATE_OTHER, OPEN, NULL },	/* the last: all others */
};

char *sip_product(const sip_t *sip)
{
	return sip_name(sip->sip_user_agent != NULL ? sip->sip_user_agent->g_string :
			sip->sip_server != NULL	    ? sip->sip_server->g_string :
						      NULL);
}

/* ---- refusals; each takes e->msg ---- */
static void answer(struct entry *e, int status, const char *phrase)
{
	(void)nta_msg_treply(e->z->agent, e->msg, status, phrase,
			     TAG_IF(status == 405, SIPTAG_ALLOW_STR("INVITE,ACK,CANCEL,BYE,OPTIONS,REGISTER")),
			     TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR("5")), TAG_END());
}

static void silence(struct entry *e)
{
	e->z->sip->counters.silent++;
	msg_destroy(e->msg);
}

static void refuse_flood(struct entry *e)
{
	e->z->sip->counters.limited++;
	if (sip_limit_take(e->z->sip->limit, e->key, SIP_RATE_REFUSAL, e->now_us)) {
		answer(e, SIP_503_SERVICE_UNAVAILABLE);
	} else {
		silence(e);
	}
}

static bool md5_alone(const struct entry *e, const char *md5)
{
	g_autofree char *product = sip_product(e->sip);
	return md5 != NULL && (sip_quirks_find(e->z->sip->quirks, product) & 1u << SIP_QUIRK_MD5_ALONE) != 0;
}

/* What a forged source would get for what was spent: a request so short that our answer is longer gets none (class 13). The
 * MD5 challenge of an isolated zone does not count. */
static bool is_worth(const struct entry *e, const char *challenge_text)
{
	const sip_t *s = e->sip;
	size_t reply = strlen("SIP/2.0 401 Unauthorized\r\n") + strlen("WWW-Authenticate: \r\n") + strlen(challenge_text) +
		       strlen("Content-Length: 0\r\n\r\n") + strlen(";received=255.255.255.255;rport=65535;tag=0123456789abc") +
		       s->sip_from->a_common->h_len + s->sip_to->a_common->h_len + s->sip_call_id->i_common->h_len +
		       s->sip_cseq->cs_common->h_len;
	for (const sip_via_t *v = s->sip_via; v != NULL; v = v->v_next) {
		reply += v->v_common->h_len;
	}
	return e->transport != SIP_UDP || reply <= (size_t)msg_size(e->msg);
}

static void clear_record(struct gw_sip_device *d)
{
	g_free(d->party);
	g_free(d->name);
	g_free(d->ha1_sha256);
	g_free(d->ha1_md5);
	*d = (struct gw_sip_device){ 0 };
}

/* A phone that knows MD5 only gives up here without a word: what would help is told to those who look after it. */
static struct sip_deaf_ask ask_of(const struct entry *e, const char *user, const char *product, const struct gw_sip_device *record)
{
	return (struct sip_deaf_ask){ user, e->source, e->z->conf.name, product, record->allow_md5, e->z->conf.md5 };
}

static void note_silent(struct entry *e)
{
	const gw_sip *sip = e->z->sip;
	bool registers = e->sip->sip_request->rq_method == sip_method_register;
	const char *user = registers ? e->sip->sip_to->a_url->url_user : e->sip->sip_from->a_url->url_user;
	struct gw_sip_device record = { 0 };
	if (e->sip->sip_authorization == NULL && user != NULL && sip->ops.device(user, &record, sip->user_data)) {
		g_autofree char *product = sip_product(e->sip);
		const struct sip_deaf_ask ask = ask_of(e, user, product, &record);
		sip_deaf_asked(sip->deaf, &ask, e->now_us);
		clear_record(&record);
	}
}

static void challenge(struct entry *e, bool stale)
{
	struct zone *z = e->z;
	note_silent(e);
	g_autofree char *sha = sip_auth_challenge(z->sip->auth, SIP_SHA256, e->source, stale, e->now_us);
	g_autofree char *md5 = z->conf.md5 ? sip_auth_challenge(z->sip->auth, SIP_MD5, e->source, stale, e->now_us) : NULL;
	if (!is_worth(e, sha)) {
		silence(e);
		return;
	}
	z->sip->counters.challenged++;
	(void)nta_msg_treply(z->agent, e->msg, SIP_401_UNAUTHORIZED, TAG_IF(!md5_alone(e, md5), SIPTAG_WWW_AUTHENTICATE_STR(sha)),
			     TAG_IF(md5 != NULL, SIPTAG_WWW_AUTHENTICATE_STR(md5)), TAG_END());
}

/* ---- who ---- */
static void clear_identity(struct sip_identity *who)
{
	g_free(who->device);
	clear_record(&who->record);
}

static enum sip_verdict check(struct entry *e, const struct sip_digest *d, struct sip_identity *who)
{
	gw_sip *sip = e->z->sip;
	bool known = d->username != NULL && sip->ops.device(d->username, &who->record, sip->user_data);
	bool md5 = known && who->record.allow_md5 && e->z->conf.md5;
	const struct sip_auth_try t = {
		d, e->sip->sip_request->rq_method_name, e->key,
		{ [SIP_SHA256] = known ? who->record.ha1_sha256 : NULL, [SIP_MD5] = md5 ? who->record.ha1_md5 : NULL },
	};
	enum sip_verdict v = sip_auth_check(sip->auth, &t, e->now_us);
	bool by_md5 = d->algorithm == NULL || g_ascii_strcasecmp(d->algorithm, "MD5") == 0;
	if (v == SIP_AUTH_BAD && known && by_md5 && !md5) {
		g_autofree char *product = sip_product(e->sip);
		const struct sip_deaf_ask ask = ask_of(e, d->username, product, &who->record);
		sip_deaf_md5(sip->deaf, &ask, e->now_us);
	} else if (known) {
		sip_deaf_answered(sip->deaf, e->source, d->username);
	}
	if (v == SIP_AUTH_GOOD) {
		who->device = g_strdup(d->username);
	}
	return v;
}

static enum sip_verdict authenticate(struct entry *e, struct sip_identity *who)
{
	enum sip_verdict v = SIP_AUTH_NONE;
	const msg_auth_t *au = e->sip->sip_authorization;
	for (; au != NULL && v == SIP_AUTH_NONE; au = au->au_next) {
		struct sip_digest d;
		if (g_ascii_strcasecmp(au->au_scheme, "Digest") == 0 && sip_digest_parse((const char *const *)au->au_params, &d)) {
			clear_record(&who->record);
			v = check(e, &d, who);
			sip_digest_clear(&d);
		}
	}
	return v;
}

/* true: goes on. false: answered. */
static bool admit(struct entry *e, const struct row *row, struct sip_identity *who)
{
	if (row->level == OPEN) {
		return true;
	}
	if (row->level == DEVICE_OR_TRUNK) {
		who->trunk = trunk_from(e->z, e->source, e->sip);
		if (who->trunk != NULL) {
			zone_know(e->z, e->msg);
			return true;
		}
	}
	enum sip_verdict v = authenticate(e, who);
	e->z->sip->counters.auth_failed += v == SIP_AUTH_BAD;
	e->z->sip->counters.auth_locked += v == SIP_AUTH_LOCKED;
	if (v == SIP_AUTH_GOOD) {
		zone_know(e->z, e->msg);
		return true;
	}
	if (v == SIP_AUTH_BAD) {
		ort_log(ORT_LOG_NOTICE, "sip", "sip.auth_failed", "a wrong SIP password", ORT_S("source", e->source),
			ORT_S("zone", e->z->conf.name));
	}
	if (v == SIP_AUTH_LOCKED) {
		answer(e, SIP_403_FORBIDDEN);
	} else {
		challenge(e, v == SIP_AUTH_STALE);
	}
	return false;
}

/* ---- the methods ---- */
static void on_options(struct entry *e, struct sip_identity *who)
{
	/* Short on purpose: who asks may be somebody else than who is answered (class 13). */
	(void)nta_msg_treply(e->z->agent, e->msg, SIP_200_OK, SIPTAG_ALLOW_STR("INVITE,ACK,CANCEL,BYE,OPTIONS"), TAG_END());
}

static void on_register(struct entry *e, struct sip_identity *who)
{
	const char *user = e->sip->sip_to->a_url->url_user;
	if (g_strcmp0(user, who->device) != 0) {
		answer(e, SIP_403_FORBIDDEN);
		return;
	}
	msg_t *kept = msg_ref_create(e->msg);
	nta_incoming_t *irq = nta_incoming_create(e->z->agent, NULL, e->msg, e->sip, TAG_END());
	if (irq != NULL) {
		registrar_register(e->z, irq, kept, e->sip, who->device);
		nta_incoming_destroy(irq);
	}
	msg_destroy(kept);
}

static void on_invite(struct entry *e, struct sip_identity *who)
{
	gw_sip *sip = e->z->sip;
	if (g_hash_table_size(sip->calls) + g_hash_table_size(sip->farewells) / 4 >= sip->max_calls) {
		sip->counters.full++;
		answer(e, SIP_503_SERVICE_UNAVAILABLE);
		return;
	}
	uas_invite(e->z, e->msg, e->sip, who);
}

static const struct row *row_of(sip_method_t method)
{
	const struct row *row = rows;
	while (row->method != sip_method_unknown && row->method != method) {
		row++;
	}
	return row;
}

static bool host_is_good(const char *host)	/* "[2001:db8:::1]" is no address (RFC 5118 4.5); sofia does not look */
{
	g_autofree char *literal = host != NULL && host[0] == '[' ? sip_literal(host) : NULL;
	return host != NULL && host[0] != '\0' && (host[0] != '[' || literal != NULL);
}

static bool hosts_are_good(const sip_t *sip)
{
	const sip_contact_t *m = sip->sip_contact;
	bool own = m == NULL || m->m_url->url_type == url_any || m->m_url->url_host == NULL || host_is_good(m->m_url->url_host);
	return own && host_is_good(sip->sip_request->rq_url->url_host) && host_is_good(sip->sip_via->v_host) &&
	       (sip->sip_via->v_received == NULL || strstr(sip->sip_via->v_received, ":::") == NULL);
}

static bool is_sane(struct entry *e)
{
	const url_t *url = e->sip->sip_request->rq_url;
	if (e->sip->sip_to->a_tag != NULL || e->sip->sip_request->rq_method == sip_method_cancel) {
		answer(e, SIP_481_NO_TRANSACTION);	/* of a dialog that is no more, or never was */
		return false;
	}
	if (url->url_type != url_sip && url->url_type != url_sips) {
		answer(e, SIP_416_UNSUPPORTED_URI);
		return false;
	}
	if (!hosts_are_good(e->sip)) {
		e->z->sip->counters.malformed++;
		answer(e, SIP_400_BAD_REQUEST);
		return false;
	}
	return true;
}

static void serve(struct entry *e, const struct row *row)
{
	struct sip_identity who = { 0 };
	if (row->fn == NULL) {
		e->z->sip->counters.refused_method++;
		answer(e, e->sip->sip_request->rq_method == sip_method_unknown ? 501 : 405, NULL);
	} else if (admit(e, row, &who)) {
		row->fn(e, &who);
	}
	clear_identity(&who);
}

int sip_entry(struct zone *z, nta_agent_t *agent, msg_t *msg, sip_t *sip)
{
	if (sip->sip_request == NULL || sip->sip_request->rq_method == sip_method_ack) {
		msg_destroy(msg);	/* answers that nobody waits for, ACKs to stateless refusals */
		return 0;
	}
	struct entry e = { .z = z, .msg = msg, .sip = sip, .now_us = ort_now_us() };
	e.transport = sip_transport_of(z, NULL, msg, &e.source, NULL);
	e.key = sip_source_key(e.source);
	if (strcmp(e.source, ZONE_NOBODY) == 0) {
		silence(&e);	/* somebody on this machine dials what is the TLS front's */
		g_free(e.source);
		g_free(e.key);
		return 0;
	}
	const struct row *row = row_of(sip->sip_request->rq_method);
	z->sip->counters.requests++;
	if (!sip_limit_take(z->sip->limit, e.key, row->rate, e.now_us)) {
		refuse_flood(&e);
	} else if (is_sane(&e)) {
		serve(&e, row);
	}
	g_free(e.source);
	g_free(e.key);
	return 0;
}
