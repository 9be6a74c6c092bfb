/* Peer systems: hardware MCUs, proxies. Each is asked now and then whether it is there (OPTIONS), or is registered with
 * (REGISTER); what came of it is said in words. Who calls from a trunk's address is the trunk. */
#include <string.h>

#include "gateway/sip/sip_priv.h"

/* RFC 5626 4.5: the wait doubles from base to max, and a random half of it is taken off. */
enum { KEEPALIVE_MS = 10 * 1000, ANSWER_MS = 8 * 1000, REGISTER_S = 300, BASE_MS = 4000, MAX_MS = 120 * 1000 };
static const char *const state_names[] = { "down", "up", "refused" };

/* ---- state ---- */
static void set_state(struct trunk *t, enum trunk_state state, const char *why)
{
	bool changed = t->state != state || g_strcmp0(t->why, why) != 0;
	if (t->state != state) {
		t->since_ms = ort_wall_ms();
	}
	t->state = state;
	if (!changed) {
		return;
	}
	g_free(t->why);
	t->why = g_strdup(why);
	ort_log(state == TRUNK_UP ? ORT_LOG_NOTICE : ORT_LOG_WARNING, "sip", "sip.trunk", "a trunk's state changed",
		ORT_S("trunk", t->conf.name), ORT_S("state", state_names[state]), ORT_S("why", why));
	if (t->sip->ops.on_trunk != NULL) {
		t->sip->ops.on_trunk(t->conf.name, state_names[state], t->why, t->sip->user_data);
	}
}

static void ask(struct trunk *t);

static gboolean on_timer(gpointer data)
{
	struct trunk *t = data;
	sip_timer_stop(&t->timer);
	t->challenged = false;
	ask(t);
	return G_SOURCE_REMOVE;
}

static void ask_later(struct trunk *t, int64_t ms)
{
	sip_timer_stop(&t->timer);
	t->timer = sip_timer(t->sip, ms, on_timer, t);
}

static int64_t back_off_ms(const struct trunk *t)
{
	int64_t upper = MIN((int64_t)BASE_MS << MIN(t->failures, 6u), MAX_MS);
	return upper / 2 + g_random_int_range(0, (gint32)(upper / 2));
}

void trunk_heard(struct trunk *t, bool well, const char *why)
{
	if (well && (t->state == TRUNK_UP || !t->conf.enroll)) {
		t->failures = 0;
		set_state(t, TRUNK_UP, NULL);
	} else if (!well && t->state == TRUNK_UP) {
		ask_later(t, 0);	/* the keep-alive decides */
	}
}

/* ---- asking ---- */
static void describe(const struct trunk *t, int status, const char *phrase, enum trunk_state *ret_state, GString *ret_why)
{
	static const struct { int status; enum trunk_state state; const char *why; } rows[] = {
		{ 401, TRUNK_REFUSED, "user or password is not accepted" },
		{ 407, TRUNK_REFUSED, "user or password is not accepted" },
		{ 403, TRUNK_REFUSED, "it refuses us: is our address, or the user, allowed there?" },
		{ 404, TRUNK_REFUSED, "it does not know our user" },
		{ 408, TRUNK_DOWN, "no answer: is the address right, the port open, the system on?" },
		{ 423, TRUNK_REFUSED, "it wants other registration intervals" },
		{ 503, TRUNK_DOWN, "not reachable: no route, connection refused, name unknown, or it is overloaded" },
	};
	*ret_state = TRUNK_DOWN;
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (rows[n].status == status) {
			*ret_state = rows[n].state;
			g_string_printf(ret_why, "%s (%s, %d)", rows[n].why, t->uri, status);
			return;
		}
	}
	g_autofree char *said = sip_name(phrase);
	*ret_state = TRUNK_REFUSED;
	g_string_printf(ret_why, "it answers \"%s\" (%d) to %s", said != NULL ? said : "", status, t->conf.enroll ? "REGISTER" : "OPTIONS");
}

/* Only what came to a request that went to this trunk's own address, and of the realm that was first (class 2). */
static int answer_challenge(struct trunk *t, int status, const sip_t *sip)
{
	const msg_auth_t *asked = status == 401 ? sip->sip_www_authenticate : sip->sip_proxy_authenticate;
	int err = -1;
	for (; asked != NULL && t->conf.user != NULL && !t->challenged && err != 0; asked = asked->au_next) {
		struct sip_digest d;
		if (sip_digest_parse((const char *const *)asked->au_params, &d)) {
			err = sip_answer_take(&t->answer, &d, status == 407);
			sip_digest_clear(&d);
		}
	}
	t->challenged = true;
	return err;
}

static void on_good(struct trunk *t, const sip_t *sip)
{
	int64_t ms = KEEPALIVE_MS;
	t->failures = t->tried = 0;
	if (t->conf.enroll) {
		unsigned long s = sip->sip_expires != NULL ? sip->sip_expires->ex_delta : REGISTER_S;
		if (sip->sip_contact != NULL && sip->sip_contact->m_expires != NULL) {
			s = (unsigned long)g_ascii_strtoull(sip->sip_contact->m_expires, NULL, 10);
		}
		ms = (int64_t)CLAMP(s, 20, 3600) * 500;
	}
	set_state(t, TRUNK_UP, NULL);
	ask_later(t, ms);
}

static void judge(struct trunk *t, int status, const sip_t *sip)
{
	if ((status == 401 || status == 407) && sip != NULL && answer_challenge(t, status, sip) == 0) {
		ask(t);
		return;
	}
	/* a peer that answers OPTIONS at all is there: 404, 405, 481 are answers too */
	bool there = !t->conf.enroll && status >= 300 && status != 403 && status != 408 && status != 503 && status != 401 && status != 407;
	if ((status < 300 || there) && sip != NULL) {
		on_good(t, sip);
		return;
	}
	if ((status == 503 || status == 408) && trunk_next_hop(t, &t->tried)) {
		ask(t);
		return;
	}
	t->tried = 0;
	enum trunk_state state;
	g_autoptr(GString) why = g_string_new(NULL);
	describe(t, status, sip != NULL && sip->sip_status != NULL ? sip->sip_status->st_phrase : NULL, &state, why);
	set_state(t, state, why->str);
	ask_later(t, back_off_ms(t));
	t->failures++;
}

static int on_answer(void *magic, nta_outgoing_t *out, sip_t const *sip)
{
	struct trunk *t = magic;
	int status = nta_outgoing_status(out);
	if (status < 200 || out != t->asking) {
		return 0;
	}
	msg_t *kept = nta_outgoing_getresponse(out);	/* `sip` lives in it */
	nta_outgoing_destroy(out);
	t->asking = NULL;
	judge(t, status, sip);
	msg_destroy(kept);
	return 0;
}

static nta_outgoing_t *request(struct trunk *t, sip_method_t method, const char *name, unsigned expires_s, nta_response_f *fn)
{
	unsigned transport = way_transport(t->uri);
	g_autofree char *own = zone_uri(t->zone, NULL);
	g_autofree char *from = t->conf.user != NULL ? g_strdup_printf("<sip:%s@%s>;tag=%s", t->conf.user, t->host, t->from_tag)
						     : g_strdup_printf("<%s>;tag=%s", own, t->from_tag);
	g_autofree char *to = t->conf.enroll ? g_strdup_printf("<sip:%s@%s>", t->conf.user, t->host) : g_strdup_printf("<%s>", t->uri);
	g_autofree char *contact = zone_contact(t->zone, t->zone->port[transport] != 0 ? transport : SIP_UDP, t->conf.user);
	g_autofree char *expires = g_strdup_printf("%u", expires_s), *cseq = g_strdup_printf("%u %s", ++t->cseq, name);
	g_autofree char *auth = sip_answer_print(&t->answer, t->conf.user, t->conf.password, name, t->uri);
	bool enroll = method == sip_method_register;
	msg_t *msg = nta_msg_create(t->zone->agent, 0);
	sip_t *sip = sip_object(msg);
	sip_add_tl(msg, sip, SIPTAG_REQUEST(sip_request_create(msg_home(msg), method, name, (url_string_t *)t->uri, NULL)),
		   SIPTAG_FROM_STR(from), SIPTAG_TO_STR(to), SIPTAG_CALL_ID_STR(t->call_id), SIPTAG_CSEQ_STR(cseq),
		   SIPTAG_MAX_FORWARDS_STR("70"), SIPTAG_CONTACT_STR(contact), SIPTAG_USER_AGENT_STR(SIP_AGENT),
		   TAG_IF(enroll, SIPTAG_EXPIRES_STR(expires)),
		   TAG_IF(auth != NULL && !t->answer.proxy, SIPTAG_AUTHORIZATION_STR(auth)),
		   TAG_IF(auth != NULL && t->answer.proxy, SIPTAG_PROXY_AUTHORIZATION_STR(auth)), TAG_END());
	return nta_outgoing_mcreate(t->zone->agent, fn, fn != NULL ? t : NULL, (url_string_t *)(t->tls	       ? t->route :
												       trunk_hop(t) != NULL ? trunk_hop(t) :
															      t->uri),
				    msg, TAG_END());
}

/* Timer F's 32 s are too long: a dead trunk is to be seen within 20 s (half-open TCP, TLS that does not come up). */
static gboolean on_silence(gpointer data)
{
	struct trunk *t = data;
	sip_timer_stop(&t->timer);
	nta_outgoing_destroy(t->asking);
	t->asking = NULL;
	judge(t, 408, NULL);
	return G_SOURCE_REMOVE;
}

/* The front's word, said before any transaction would time out. */
void trunk_no_tls(struct trunk *t, const char *route, const char *why)
{
	if (t->asking != NULL && g_strcmp0(t->route, route) == 0) {
		g_autofree char *text = g_strdup_printf("no TLS to %s: %s", t->uri, why);
		nta_outgoing_destroy(t->asking);
		t->asking = NULL;
		if (trunk_next_hop(t, &t->tried)) {
			ask(t);
			return;
		}
		t->tried = 0;
		set_state(t, TRUNK_DOWN, text);
		ask_later(t, back_off_ms(t));
		t->failures++;
	}
}

static bool find_route(struct trunk *t)
{
	g_autofree char *why = NULL;
	if (t->zone->front == NULL) {
		why = g_strdup("its zone has no TLS: web.cert and tls_port are wanted");
	} else {
		g_free(t->route);
		t->route = g_strdup(way_tls(t->zone, trunk_hop(t) != NULL ? trunk_hop(t) : t->uri, t, &why));
	}
	if (why != NULL) {
		set_state(t, TRUNK_REFUSED, why);
		ask_later(t, MAX_MS);
	}
	return why == NULL;
}

static void ask(struct trunk *t)
{
	if (t->asking != NULL) {
		nta_outgoing_destroy(t->asking);
		t->asking = NULL;
	}
	if (t->tls && !find_route(t)) {
		return;
	}
	t->asking = t->conf.enroll ? request(t, SIP_METHOD_REGISTER, REGISTER_S, on_answer) : request(t, SIP_METHOD_OPTIONS, 0, on_answer);
	sip_timer_stop(&t->timer);
	t->timer = t->asking != NULL ? sip_timer(t->sip, ANSWER_MS, on_silence, t) : NULL;
	if (t->asking == NULL) {
		set_state(t, TRUNK_REFUSED, "its address makes no request: see the configuration");
	}
}

/* ---- who comes from there ---- */
static bool port_is(const struct trunk *t, const sip_t *sip)	/* the Via of a peer behind the same address as another */
{
	const char *colon = strrchr(t->uri, ':');
	guint64 port = colon != NULL ? g_ascii_strtoull(colon + 1, NULL, 10) : 0;
	return sip->sip_via != NULL && sip->sip_via->v_port != NULL && port == g_ascii_strtoull(sip->sip_via->v_port, NULL, 10);
}

struct trunk *trunk_from(struct zone *z, const char *literal, const sip_t *sip)
{
	struct trunk *first = NULL;
	for (unsigned n = 0; n < z->sip->trunks->len; n++) {
		struct trunk *t = z->sip->trunks->pdata[n];
		bool here = t->zone->base == z->base && g_ptr_array_find_with_equal_func(t->literals, literal, g_str_equal, NULL);
		if (here && port_is(t, sip)) {
			return t;
		}
		first = here && first == NULL ? t : first;
	}
	return first;
}

struct trunk *trunk_find(gw_sip *sip, const char *name)
{
	for (unsigned n = 0; n < sip->trunks->len; n++) {
		struct trunk *t = sip->trunks->pdata[n];
		if (name[0] == '\0' || strcmp(t->conf.name, name) == 0) {
			return t;
		}
	}
	return NULL;
}

/* ---- life ---- */
static void own_strings(struct gw_sip_trunk *c)
{
	const char **all[] = { &c->name, &c->zone, &c->address, &c->user, &c->password, &c->conference, &c->dtmf, &c->number, &c->layout,
			       &c->security, &c->ca, &c->fingerprint };
	for (unsigned n = 0; n < G_N_ELEMENTS(all); n++) {
		*all[n] = g_strdup(*all[n]);
	}
}

static void free_strings(struct gw_sip_trunk *c)
{
	const char *all[] = { c->name, c->zone, c->address, c->user, c->password, c->conference, c->dtmf, c->number, c->layout,
			      c->security, c->ca, c->fingerprint };
	for (unsigned n = 0; n < G_N_ELEMENTS(all); n++) {
		g_free((char *)(uintptr_t)all[n]);
	}
}

struct trunk *trunk_new(gw_sip *sip, const struct gw_sip_trunk *conf)
{
	struct trunk *t = g_new0(struct trunk, 1);
	t->sip = sip;
	t->conf = *conf;
	own_strings(&t->conf);
	t->zone = sip_zone(sip, conf->zone);
	t->zone = t->zone != NULL ? t->zone : sip_zone(sip, NULL);
	t->literals = g_ptr_array_new_with_free_func(g_free);
	t->hops = g_ptr_array_new_with_free_func(g_free);
	t->looking = g_cancellable_new();
	t->call_id = g_strdup_printf("%08x%08x", g_random_int(), g_random_int());
	t->from_tag = g_strdup_printf("%08x", g_random_int());
	t->since_ms = ort_wall_ms();
	url_t *url = url_make(NULL, conf->address != NULL ? conf->address : "");
	if (url != NULL && url->url_host != NULL) {
		t->host = g_strdup(url->url_host);
		url->url_user = NULL;
		t->uri = sip_url_text(url);
		t->tls = way_transport(t->uri) == SIP_TLS;
		t->tcp = way_transport(t->uri) == SIP_TCP;
		t->port = url->url_port != NULL ? (unsigned)g_ascii_strtoull(url->url_port, NULL, 10) : 0;
	}
	su_free(NULL, url);
	t->zone = t->tls && t->zone->twin != NULL ? t->zone->twin : t->zone;
	t->why = g_strdup("not asked yet");
	return t;
}

void trunk_start(struct trunk *t)
{
	if (t->uri == NULL || (t->conf.enroll && t->conf.user == NULL)) {
		set_state(t, TRUNK_REFUSED, t->uri == NULL ? "its address is no SIP URI" : "registration needs a user");
		return;
	}
	hops_look_up(t);	/* and then it is asked */
}

void trunk_ask_now(struct trunk *t)
{
	ask_later(t, 0);
}

void trunk_stop(struct trunk *t)
{
	sip_timer_stop(&t->timer);
	sip_timer_stop(&t->look_timer);
	g_cancellable_cancel(t->looking);
	if (t->asking != NULL) {
		nta_outgoing_destroy(t->asking);
		t->asking = NULL;
	}
	if (t->conf.enroll && t->state == TRUNK_UP && (!t->tls || t->route != NULL)) {
		(void)request(t, SIP_METHOD_REGISTER, 0, NULL);
	}
}

void trunk_free(struct trunk *t)
{
	sip_timer_stop(&t->timer);
	sip_timer_stop(&t->look_timer);
	g_object_unref(t->looking);
	g_ptr_array_unref(t->literals);
	g_ptr_array_unref(t->hops);
	sip_answer_clear(&t->answer);
	free_strings(&t->conf);
	g_free(t->uri);
	g_free(t->route);
	g_free(t->host);
	g_free(t->why);
	g_free(t->call_id);
	g_free(t->from_tag);
	g_free(t);
}

json_t *trunk_print(const struct trunk *t)
{
	return json_pack("{s:s,s:s,s:s,s:s?,s:I,s:i}", "name", t->conf.name, "address", t->conf.address != NULL ? t->conf.address : "",
			 "state", state_names[t->state], "why", t->why, "since_ms", (json_int_t)t->since_ms, "calls", (int)t->calls);
}
