/* Zones: an agent of sofia each, its listeners, the addresses that it tells; for TLS a second agent behind the front. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "gateway/sip/sip_priv.h"

#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

enum { UDP_MTU = 1300 };	/* RFC 3261 18.1.1: longer requests go by TCP */
enum { MAX_MESSAGE = 64 * 1024 + 16 * 1024 };
const char *const sip_transport_names[SIP_TRANSPORT_N] = { "udp", "tcp", "tls" };

/* ---- names ---- */
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

/* ---- who a message came from ---- */
static const char *raw_source(msg_t *msg, char text[SU_ADDRSIZE], unsigned *ret_port)
{
	su_sockaddr_t *a = msg_addr(msg);
	*ret_port = ntohs(a->su_port);
	su_inet_ntop(a->su_family, SU_ADDR(a), text, SU_ADDRSIZE);
	return text;
}

static unsigned plain_transport(struct zone *z, nta_incoming_t *irq, msg_t *msg)
{
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
	return found;
}

unsigned sip_transport_of(struct zone *z, nta_incoming_t *irq, msg_t *msg, char **ret_source, unsigned *ret_port)
{
	char text[SU_ADDRSIZE] = "";
	unsigned port = 0;
	const char *source = raw_source(msg, text, &port);
	bool stranger = z->front != NULL && !sip_front_who(z->front, source, port, &source, &port);
	if (ret_source != NULL) {
		*ret_source = stranger ? NULL : sip_literal(source);
		*ret_source = *ret_source != NULL ? *ret_source : g_strdup(ZONE_NOBODY);
	}
	if (ret_port != NULL) {
		*ret_port = port;
	}
	return z->front != NULL ? SIP_TLS : plain_transport(z, irq, msg);
}

char *zone_flow(struct zone *z, msg_t *msg)
{
	char text[SU_ADDRSIZE] = "";
	unsigned port = 0;
	const char *source = raw_source(msg, text, &port);
	return z->front != NULL ? g_strdup_printf("sip:%s:%u;transport=tcp", source, port) : NULL;
}

void zone_know(struct zone *z, msg_t *msg)
{
	char text[SU_ADDRSIZE] = "";
	unsigned port = 0;
	const char *source = raw_source(msg, text, &port);
	if (z->front != NULL) {
		sip_front_know(z->front, source, port);
	}
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

static bool listen_on(struct zone *z, const char *url, GError **err)
{
	if (nta_agent_add_tport(z->agent, URL_STRING_MAKE(url), TPTAG_STUN_SERVER(1), TPTAG_SERVER(1),
				TPTAG_IDLE(z->front != NULL ? UINT_MAX : 120 * 1000),	/* how long TLS may rest, the front says */
				TPTAG_TIMEOUT(30 * 1000), TPTAG_QUEUESIZE(64), TAG_END()) < 0) {
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

/* ---- TLS ---- */
static void on_gone(const char *route, void *user_data)
{
	registrar_flow_gone(((struct zone *)user_data)->sip, route);
}

static void on_failed(const char *route, const char *why, void *user_data)
{
	const struct zone *z = user_data;
	for (unsigned n = 0; n < z->sip->trunks->len; n++) {
		trunk_no_tls(z->sip->trunks->pdata[n], route, why);
	}
	way_failed(z->sip, route, why);
}

/* The TLS of a zone is an agent of its own, that knows loopback only: its listener, Via and connections are the front's. */
static struct zone *open_twin(struct zone *z, GError **err)
{
	static const struct sip_front_ops ops = { on_gone, on_failed };
	struct zone *twin = g_new0(struct zone, 1);
	g_autofree char *announce = bracketed(host_of(&z->conf));
	*twin = (struct zone){ .sip = z->sip, .conf = z->conf, .base = z };
	const struct sip_front_conf conf = {
		.context = z->sip->context, .bind = z->conf.bind, .port = z->conf.tls_port == GW_SIP_ANY_PORT ? 0 : z->conf.tls_port,
		.announce = announce, .certificate = z->sip->certificate, .key = z->sip->key, .ca = z->sip->ca, .limit = z->sip->limit,
		.ops = &ops, .user_data = twin,
	};
	twin->front = sip_front_new(&conf, err);
	if (twin->front == NULL || !make_agent(twin, err) || !listen_on(twin, "sip:127.0.0.1:*;transport=tcp", err)) {
		nta_agent_destroy(twin->agent);
		sip_front_free(twin->front);
		g_free(twin);
		return NULL;
	}
	learn_ports(twin);
	sip_front_aim(twin->front, twin->port[SIP_TCP]);
	z->port[SIP_TLS] = twin->port[SIP_TLS] = sip_front_port(twin->front);
	return twin;
}

/* TLS that cannot start (its port is taken, the key does not fit) must not take the other phones along. */
static void open_tls(struct zone *z)
{
	g_autoptr(GError) err = NULL;
	if (z->conf.tls_port == 0 || z->sip->certificate == NULL) {
		return;
	}
	z->twin = open_twin(z, &err);
	if (z->twin == NULL) {
		z->tls_why = g_strdup(err->message);
		ort_log(ORT_LOG_ERROR, "sip", "sip.tls", "SIP over TLS does not work", ORT_S("zone", z->conf.name), ORT_S("why", z->tls_why));
	}
}

static bool zone_open(struct zone *z, GError **err)
{
	bool good = listen_plain(z, z->conf.port, err);
	for (unsigned n = 0; !good && n < 8 && z->conf.port == GW_SIP_ANY_PORT; n++) {	/* the kernel's UDP port is taken in TCP */
		nta_agent_destroy(z->agent);
		g_clear_error(err);
		good = listen_plain(z, z->conf.port, err);
	}
	if (good) {
		learn_ports(z);
		open_tls(z);
	}
	return good;
}

void zone_free(gpointer p)
{
	struct zone *z = p;
	if (z->twin != NULL) {
		nta_agent_destroy(z->twin->agent);
		sip_front_free(z->twin->front);
		g_free(z->twin);
	}
	nta_agent_destroy(z->agent);
	g_free((char *)(uintptr_t)z->conf.name);
	g_free((char *)(uintptr_t)z->conf.bind);
	g_free((char *)(uintptr_t)z->conf.announce);
	g_free(z->tls_why);
	g_free(z);
}

bool zone_add(gw_sip *sip, const struct gw_sip_zone *conf, GError **err)
{
	struct zone *z = g_new0(struct zone, 1);
	z->sip = sip;
	z->base = z;
	z->conf = *conf;
	z->conf.name = g_strdup(conf->name != NULL ? conf->name : "default");
	z->conf.bind = g_strdup(conf->bind != NULL ? conf->bind : "*");
	z->conf.announce = g_strdup(conf->announce);
	g_ptr_array_add(sip->zones, z);
	return zone_open(z, err);
}

struct zone *zone_for(struct zone *z, unsigned transport)
{
	return transport == SIP_TLS ? z->base->twin : z->base;
}

json_t *zone_print(const struct zone *z)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:i,s:i,s:i}", "zone", z->conf.name, "bind", z->conf.bind, "announce", host_of(&z->conf), "udp",
			      (int)z->port[SIP_UDP], "tcp", (int)z->port[SIP_TCP], "tls", (int)z->port[SIP_TLS]);
	if (z->twin != NULL) {
		json_object_set_new(o, "tls_front", sip_front_print(z->twin->front));
	} else if (z->tls_why != NULL) {
		json_object_set_new(o, "tls_why", json_string(z->tls_why));
	}
	return o;
}
