/* The stack's life: sofia on the gateway's loop, zones and their listeners, what the engine says, the dump. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "gateway/sip/sip_priv.h"

#include <sofia-sip/su_glib.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

enum { MAX_SOURCES = 4096, TICK_MS = 5000, FAREWELL_MS = 1000, LOST_SETTLE_MS = 50 };
enum { UDP_MTU = 1300 };	/* RFC 3261 18.1.1: longer requests go by TCP */
enum { MAX_MESSAGE = 64 * 1024 + 16 * 1024 };
const char *const sip_transport_names[SIP_TRANSPORT_N] = { "udp", "tcp", "tls" };

/* ---- helpers ---- */
GSource *sip_timer(gw_sip *sip, int64_t ms, GSourceFunc fn, void *user_data)
{
	GSource *s = g_timeout_source_new((guint)CLAMP(ms, 0, G_MAXINT));
	g_source_set_callback(s, fn, user_data, NULL);
	g_source_attach(s, sip->context);
	return s;
}

void sip_timer_stop(GSource **source)
{
	if (*source != NULL) {
		g_source_destroy(*source);
		g_source_unref(*source);
		*source = NULL;
	}
}

char *sip_url_text(const url_t *url)
{
	char *borrowed = url_as_string(NULL, url), *text = g_strdup(borrowed);
	su_free(NULL, borrowed);
	return text;
}

static const char *host_of(const struct gw_sip_zone *z)
{
	return z->announce != NULL ? z->announce : z->bind;
}

static char *bracketed(const char *host)
{
	return strchr(host, ':') != NULL && host[0] != '[' ? g_strdup_printf("[%s]", host) : g_strdup(host);
}

char *zone_contact(const struct zone *z, unsigned transport, const char *user)
{
	static const char *const params[] = { "", ";transport=tcp", ";transport=tls" };
	g_autofree char *host = bracketed(host_of(&z->conf));
	return g_strdup_printf("<sip:%s@%s:%u%s>", user != NULL ? user : "ortoo", host, z->port[transport], params[transport]);
}

char *zone_uri(const struct zone *z, const char *user)
{
	g_autofree char *host = bracketed(host_of(&z->conf));
	return g_strdup_printf("sip:%s@%s", user != NULL ? user : "ortoo", host);
}

struct zone *sip_zone(gw_sip *sip, const char *name)
{
	for (unsigned n = 0; n < sip->zones->len; n++) {
		struct zone *z = sip->zones->pdata[n];
		if (name == NULL || strcmp(z->conf.name, name) == 0) {
			return z;
		}
	}
	return NULL;
}

unsigned sip_transport_of(struct zone *z, nta_incoming_t *irq, msg_t *msg, char **ret_source, unsigned *ret_port)
{
	char text[SU_ADDRSIZE] = "";
	su_sockaddr_t *a = msg_addr(msg);
	tport_t *tp = irq != NULL ? nta_incoming_transport(z->agent, irq, msg)
				  : tport_ref(tport_delivered_by(nta_agent_tports(z->agent), msg));
	const tp_name_t *name = tp != NULL ? tport_name(tp) : NULL;
	unsigned found = SIP_UDP;
	for (unsigned n = 0; name != NULL && n < SIP_TRANSPORT_N; n++) {
		if (g_ascii_strcasecmp(name->tpn_proto, sip_transport_names[n]) == 0) {
			found = n;
		}
	}
	tport_unref(tp);
	su_inet_ntop(a->su_family, SU_ADDR(a), text, sizeof(text));
	if (ret_source != NULL) {
		*ret_source = sip_literal(text);
		*ret_source = *ret_source != NULL ? *ret_source : g_strdup("0.0.0.0");
	}
	if (ret_port != NULL) {
		*ret_port = ntohs(a->su_port);
	}
	return found;
}

/* ---- sofia's own lines ---- */
G_GNUC_PRINTF(2, 0) static void on_sofia_log(void *stream, char const *fmt, va_list ap)
{
	g_autofree char *text = g_strdup_vprintf(fmt, ap);
	ort_log(ORT_LOG_DEBUG, "sip", "sip.stack", "the SIP stack says", ORT_S("text", g_strchomp(text)));
}

static void hush(void)
{
	su_log_redirect(NULL, on_sofia_log, NULL);
	su_log_redirect(su_log_global, on_sofia_log, NULL);
	su_log_set_level(NULL, 3);
}

/* ---- listeners ---- */
static char *bind_url(const struct zone *z, const char *scheme, unsigned port, const char *transport)
{
	g_autofree char *bind = bracketed(z->conf.bind), *host = bracketed(host_of(&z->conf));
	g_autofree char *number = port == GW_SIP_ANY_PORT ? g_strdup("*") : g_strdup_printf("%u", port);
	bool apart = strcmp(bind, host) != 0;
	return g_strdup_printf("%s:%s:%s%s%s;transport=%s", scheme, host, number, apart ? ";maddr=" : "", apart ? bind : "",
			       transport);
}

static bool put_pem(const char *dir, const char *name, const char *a, const char *b, GError **err)
{
	g_autofree char *path = g_build_filename(dir, name, NULL), *first = NULL, *second = NULL;
	if (!g_file_get_contents(a, &first, NULL, err) || (b != NULL && !g_file_get_contents(b, &second, NULL, err))) {
		return false;
	}
	g_autofree char *all = g_strconcat(first, second != NULL ? "\n" : NULL, second, NULL);
	return g_file_set_contents_full(path, all, -1, G_FILE_SET_CONTENTS_NONE, 0600, err);
}

/* sofia wants a folder with agent.pem and cafile.pem; it reads them once, so the folder lives only while we bind. */
static bool make_tls_dir(struct zone *z, GError **err)
{
	static const char system_ca[] = "/etc/ssl/certs/ca-certificates.crt";
	const gw_sip *sip = z->sip;
	z->tls_dir = g_dir_make_tmp("ortoo-sip-XXXXXX", err);
	const char *ca = sip->ca != NULL ? sip->ca : g_file_test(system_ca, G_FILE_TEST_EXISTS) ? system_ca : sip->certificate;
	return z->tls_dir != NULL && put_pem(z->tls_dir, "agent.pem", sip->certificate, sip->key, err) &&
	       put_pem(z->tls_dir, "cafile.pem", ca, NULL, err);
}

static void drop_tls_dir(struct zone *z)
{
	static const char *const names[] = { "agent.pem", "cafile.pem", "tls_seed.dat" };
	for (unsigned n = 0; z->tls_dir != NULL && n < G_N_ELEMENTS(names); n++) {
		g_autofree char *path = g_build_filename(z->tls_dir, names[n], NULL);
		(void)g_unlink(path);	/* may be absent */
	}
	if (z->tls_dir != NULL) {
		(void)g_rmdir(z->tls_dir);
	}
	g_clear_pointer(&z->tls_dir, g_free);
}

static bool listen_on(struct zone *z, const char *url, GError **err)
{
	/* 7 = peers of ours are checked, by name and date; callers need no certificate, they have a digest */
	if (nta_agent_add_tport(z->agent, URL_STRING_MAKE(url), TPTAG_STUN_SERVER(1), TPTAG_SERVER(1),
				TPTAG_TLS_VERIFY_POLICY(TPTLS_VERIFY_OUT | TPTLS_VERIFY_SUBJECTS_OUT), TPTAG_TLS_VERSION(1),
				TPTAG_IDLE(120 * 1000), TPTAG_TIMEOUT(30 * 1000), TPTAG_QUEUESIZE(64),
				TAG_IF(z->tls_dir != NULL, TPTAG_CERTIFICATE(z->tls_dir)), TAG_END()) < 0) {
		g_set_error(err, g_quark_from_static_string("gw-sip"), errno, "SIP cannot listen on %s: %s", url, g_strerror(errno));
		return false;
	}
	return true;
}

static void learn_ports(struct zone *z)
{
	for (tport_t *tp = tport_primaries(nta_agent_tports(z->agent)); tp != NULL; tp = tport_next(tp)) {
		for (unsigned n = 0; n < SIP_TRANSPORT_N; n++) {
			if (g_ascii_strcasecmp(tport_name(tp)->tpn_proto, sip_transport_names[n]) == 0) {
				z->port[n] = (unsigned)g_ascii_strtoull(tport_name(tp)->tpn_port, NULL, 10);
			}
		}
	}
}

static bool make_agent(struct zone *z, GError **err)
{
	z->agent = nta_agent_create(z->sip->root, (url_string_t *)-1, sip_entry, z, NTATAG_UA(1), NTATAG_MERGE_482(1),
				    NTATAG_TAG_3261(1), NTATAG_CANCEL_487(0), NTATAG_UDP_MTU(UDP_MTU), NTATAG_MAXSIZE(MAX_MESSAGE),
				    NTATAG_USE_NAPTR(1), NTATAG_USE_SRV(1), NTATAG_SERVER_RPORT(2), NTATAG_CLIENT_RPORT(1),
				    NTATAG_MAX_FORWARDS(70), NTATAG_BAD_RESP_MASK(0), TPTAG_STUN_SERVER(1), TAG_END());
	if (z->agent == NULL) {
		g_set_error_literal(err, g_quark_from_static_string("gw-sip"), ENOMEM, "SIP stack does not start");
	}
	return z->agent != NULL;
}

/* UDP and TCP share a number: the Via and Contact of one must do for the other (RFC 3261 18.1.1). */
static bool listen_plain(struct zone *z, unsigned port, GError **err)
{
	g_autofree char *udp = bind_url(z, "sip", port, "udp");
	if (!make_agent(z, err) || (port != 0 && !listen_on(z, udp, err))) {
		return false;
	}
	if (port == 0) {
		return true;
	}
	learn_ports(z);
	g_autofree char *tcp = bind_url(z, "sip", z->port[SIP_UDP], "tcp");
	return listen_on(z, tcp, err);
}

static bool zone_open(struct zone *z, GError **err)
{
	bool good = listen_plain(z, z->conf.port, err);
	for (unsigned n = 0; !good && n < 8 && z->conf.port == GW_SIP_ANY_PORT; n++) {	/* the kernel's UDP port is taken in TCP */
		nta_agent_destroy(z->agent);
		g_clear_error(err);
		good = listen_plain(z, z->conf.port, err);
	}
	if (good && z->conf.tls_port != 0 && z->sip->certificate != NULL) {
		g_autofree char *url = bind_url(z, "sips", z->conf.tls_port, "tls");
		good = make_tls_dir(z, err) && listen_on(z, url, err);
		drop_tls_dir(z);
	}
	if (good) {
		learn_ports(z);
	}
	return good;
}

static void zone_free(gpointer p)
{
	struct zone *z = p;
	nta_agent_destroy(z->agent);
	g_free((char *)(uintptr_t)z->conf.name);
	g_free((char *)(uintptr_t)z->conf.bind);
	g_free((char *)(uintptr_t)z->conf.announce);
	drop_tls_dir(z);
	g_free(z);
}

static bool zone_add(gw_sip *sip, const struct gw_sip_zone *conf, GError **err)
{
	struct zone *z = g_new0(struct zone, 1);
	z->sip = sip;
	z->conf = *conf;
	z->conf.name = g_strdup(conf->name != NULL ? conf->name : "default");
	z->conf.bind = g_strdup(conf->bind != NULL ? conf->bind : "*");
	z->conf.announce = g_strdup(conf->announce);
	g_ptr_array_add(sip->zones, z);
	return zone_open(z, err);
}

/* ---- life ---- */
static gboolean on_tick(gpointer data)
{
	gw_sip *sip = data;
	registrar_tick(sip, ort_now_us());
	return G_SOURCE_CONTINUE;
}

static void take_conf(gw_sip *sip, const struct gw_sip_conf *conf)
{
	sip->realm = g_strdup(conf->realm != NULL ? conf->realm : "ortoo");
	sip->room = g_strdup(conf->room);
	sip->certificate = g_strdup(conf->certificate);
	sip->key = g_strdup(conf->key);
	sip->ca = g_strdup(conf->ca);
	sip->max_calls = conf->max_calls != 0 ? conf->max_calls : 512;
	sip->max_registrations = conf->max_registrations != 0 ? conf->max_registrations : 4096;
}

static bool open_all(gw_sip *sip, const struct gw_sip_conf *conf, GError **err)
{
	sip->root = su_glib_root_create(sip);
	if (sip->root == NULL) {
		g_set_error_literal(err, g_quark_from_static_string("gw-sip"), ENOMEM, "no event loop for the SIP stack");
		return false;
	}
	su_root_threading(sip->root, 0);
	sip->source = su_glib_root_gsource(sip->root);
	g_source_attach(sip->source, sip->context);
	for (size_t n = 0; n < conf->n_zones; n++) {
		if (!zone_add(sip, &conf->zones[n], err)) {
			return false;
		}
	}
	sip->quirks = sip_quirks_load(conf->quirks, err);
	if (sip->quirks == NULL) {
		return false;
	}
	const struct gw_bfcp_conf bfcp = { "", conf->certificate, conf->key };
	sip->bfcp = gw_bfcp_new(sip->context, &bfcp, err);
	return sip->bfcp != NULL;
}

gw_sip *gw_sip_new(GMainContext *context, const struct gw_sip_conf *conf, const struct gw_sip_ops *ops,
		   const struct gw_leg_listener *listener, void *user_data, GError **err)
{
	gw_sip *sip = g_new0(gw_sip, 1);
	hush();
	(void)su_init();
	hush();		/* su_init() resets it */
	sip_no_stun();
	sip->context = context;
	sip->ops = *ops;
	sip->listener = *listener;
	sip->user_data = user_data;
	sip->zones = g_ptr_array_new_with_free_func(zone_free);
	sip->trunks = g_ptr_array_new();
	sip->calls = g_hash_table_new(g_str_hash, g_str_equal);
	sip->bindings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
	sip->farewells = g_hash_table_new(NULL, NULL);
	sip->limit = sip_limit_new(MAX_SOURCES);
	take_conf(sip, conf);
	sip->auth = sip_auth_new(sip->realm);
	if (!open_all(sip, conf, err)) {
		gw_sip_free(sip);
		return NULL;
	}
	for (size_t n = 0; n < conf->n_trunks; n++) {
		struct trunk *t = trunk_new(sip, &conf->trunks[n]);
		g_ptr_array_add(sip->trunks, t);
		trunk_start(t);
	}
	sip->tick = g_timeout_source_new(TICK_MS);
	g_source_set_callback(sip->tick, on_tick, sip, NULL);
	g_source_attach(sip->tick, context);
	return sip;
}

static void hang_up_all(gw_sip *sip)
{
	g_autoptr(GList) calls = g_hash_table_get_values(sip->calls);
	for (GList *l = calls; l != NULL; l = l->next) {
		struct call *c = call_ref(l->data);
		gw_leg_hangup(&c->leg, "the gateway stops");
		c->sip = NULL;
		call_unref(c);
	}
	g_hash_table_remove_all(sip->calls);
}

static gboolean on_waited(gpointer data)
{
	*(bool *)data = true;
	return G_SOURCE_REMOVE;
}

static void wait_for_farewells(gw_sip *sip)
{
	bool over = false;
	GSource *s = sip_timer(sip, FAREWELL_MS, on_waited, &over);
	while (!over && g_hash_table_size(sip->farewells) > 0) {
		(void)g_main_context_iteration(sip->context, TRUE);
	}
	sip_timer_stop(&s);
}

void gw_sip_free(gw_sip *sip)
{
	if (sip == NULL) {
		return;
	}
	sip_timer_stop(&sip->tick);
	hang_up_all(sip);
	for (unsigned n = 0; n < sip->trunks->len; n++) {
		trunk_stop(sip->trunks->pdata[n]);
	}
	wait_for_farewells(sip);
	farewell_clear(sip);
	for (unsigned n = 0; n < sip->trunks->len; n++) {
		trunk_free(sip->trunks->pdata[n]);
	}
	registrar_clear(sip);
	g_ptr_array_unref(sip->trunks);
	g_ptr_array_unref(sip->zones);
	gw_bfcp_free(sip->bfcp);
	g_hash_table_unref(sip->calls);
	g_hash_table_unref(sip->bindings);
	g_hash_table_unref(sip->farewells);
	if (sip->root != NULL) {
		su_root_destroy(sip->root);	/* gives its own reference to the source away */
		g_source_destroy(sip->source);
	}
	su_deinit();
	sip_limit_free(sip->limit);
	sip_auth_free(sip->auth);
	g_free(sip->realm);
	g_free(sip->room);
	sip_quirks_free(sip->quirks);
	g_free(sip->certificate);
	g_free(sip->key);
	g_free(sip->ca);
	g_free(sip);
}

unsigned gw_sip_port(const gw_sip *sip, const char *zone, const char *transport)
{
	const struct zone *z = sip_zone((gw_sip *)(uintptr_t)sip, zone);
	for (unsigned n = 0; z != NULL && n < SIP_TRANSPORT_N; n++) {
		if (strcmp(sip_transport_names[n], transport) == 0) {
			return z->port[n];
		}
	}
	return 0;
}

/* ---- for the application ---- */
void gw_sip_foreach(gw_sip *sip, void (*fn)(gw_leg *leg, void *user_data), void *user_data)
{
	g_autoptr(GList) calls = g_hash_table_get_values(sip->calls);
	for (GList *l = calls; l != NULL; l = l->next) {
		fn(&((struct call *)l->data)->leg, user_data);
	}
}

gw_leg *gw_sip_find(gw_sip *sip, const char *id)
{
	struct call *c = g_hash_table_lookup(sip->calls, id);
	return c != NULL ? &c->leg : NULL;
}

static struct call *owner_of(gw_sip *sip, const char *transport)
{
	GHashTableIter it;
	struct call *c;
	g_hash_table_iter_init(&it, sip->calls);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&c)) {
		if (c->media != NULL && sip_media_owns(c->media, transport)) {
			return c;
		}
	}
	return NULL;
}

void gw_sip_transport_state(gw_sip *sip, const struct mcu_transport_state *state)
{
	struct call *c = owner_of(sip, state->transport);
	if (c != NULL) {
		(void)call_ref(c);
		sip_media_transport_state(c->media, state);
		call_unref(c);
	}
}

static gboolean on_lost_all(gpointer data)
{
	struct call *c = data;
	sip_timer_stop(&c->glare);
	call_reoffer(c);
	return G_SOURCE_REMOVE;
}

/* A dead engine's transports are told one after the other: the offer waits until all of the call are known to be lost. */
void gw_sip_transport_lost(gw_sip *sip, const char *transport, const char *why)
{
	struct call *c = owner_of(sip, transport);
	if (c != NULL) {
		ort_log(ORT_LOG_NOTICE, "sip", "sip.media_lost", "a call's media went away, negotiated anew", ORT_S("leg", c->leg.id),
			ORT_S("transport", transport), ORT_S("why", why));
		sip_media_transport_lost(c->media, transport);
		if (c->glare == NULL) {
			c->glare = sip_timer(sip, LOST_SETTLE_MS, on_lost_all, c);
		}
	}
}

/* "<party>.audio": the leg that publishes it */
static struct call *publisher(gw_sip *sip, const char *stream)
{
	const char *dot = strrchr(stream, '.');
	GHashTableIter it;
	struct call *c;
	g_hash_table_iter_init(&it, sip->calls);
	while (dot != NULL && g_hash_table_iter_next(&it, NULL, (gpointer *)&c)) {
		size_t len = strlen(c->leg.party);
		if (len == (size_t)(dot - stream) && strncmp(c->leg.party, stream, len) == 0) {
			return c;
		}
	}
	return NULL;
}

void gw_sip_dtmf(gw_sip *sip, const struct mcu_dtmf_event *event)
{
	struct call *c = publisher(sip, event->id);
	if (c != NULL) {
		gw_leg_dtmf_came(&c->leg, event->digit);
	}
}

void gw_sip_keyframe(gw_sip *sip, const char *stream)
{
	struct call *c = publisher(sip, stream);
	if (c != NULL && c->media != NULL && !sip_media_has_feedback(c->media, stream)) {
		dialog_keyframe(c);
	}
}

static json_t *print_counters(const gw_sip *sip)
{
	json_t *o = json_object();
#define X(name, doc) json_object_set_new(o, #name, json_integer((json_int_t)sip->counters.name));
#include "gateway/sip/counters.def"
#undef X
	return o;
}

char *gw_sip_dump(const gw_sip *sip)
{
	g_autoptr(json_t) o = json_object();
	json_t *listeners = json_array(), *trunks = json_array(), *calls = json_array();
	for (unsigned n = 0; n < sip->zones->len; n++) {
		const struct zone *z = sip->zones->pdata[n];
		json_array_append_new(listeners, json_pack("{s:s,s:s,s:s,s:i,s:i,s:i}", "zone", z->conf.name, "bind", z->conf.bind,
							   "announce", host_of(&z->conf), "udp", (int)z->port[SIP_UDP], "tcp",
							   (int)z->port[SIP_TCP], "tls", (int)z->port[SIP_TLS]));
	}
	for (unsigned n = 0; n < sip->trunks->len; n++) {
		json_array_append_new(trunks, trunk_print(sip->trunks->pdata[n]));
	}
	GHashTableIter it;
	struct call *c;
	g_hash_table_iter_init(&it, sip->calls);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&c)) {
		json_array_append_new(calls, gw_leg_print(&c->leg));
	}
	json_object_set_new(o, "listeners", listeners);
	json_object_set_new(o, "trunks", trunks);
	registrar_print(sip, o);
	json_object_set_new(o, "calls", calls);
	json_object_set_new(o, "counters", print_counters(sip));
	return json_dumps(o, JSON_COMPACT);
}
