/* Next hops of our calls: which zone's agent sends, over what, and through whose connection. */
#include <string.h>

#include "gateway/sip/sip_priv.h"

unsigned way_transport(const char *uri)
{
	url_t *url = url_make(NULL, uri);
	char t[8] = "";
	unsigned found = SIP_UDP;
	if (url != NULL && url->url_type == url_sips) {
		found = SIP_TLS;
	} else if (url != NULL && url->url_params != NULL && url_param(url->url_params, "transport", t, sizeof(t)) > 0) {
		found = g_ascii_strcasecmp(t, "tls") == 0 ? SIP_TLS : g_ascii_strcasecmp(t, "tcp") == 0 ? SIP_TCP : SIP_UDP;
	}
	su_free(NULL, url);
	return found;
}

static bool split(const char *uri, char **ret_host, unsigned *ret_port)
{
	url_t *url = url_make(NULL, uri);
	*ret_host = url != NULL ? g_strdup(url->url_host) : NULL;
	*ret_port = url != NULL && url->url_port != NULL ? (unsigned)g_ascii_strtoull(url->url_port, NULL, 10) : 0;
	su_free(NULL, url);
	return *ret_host != NULL;
}

const char *way_tls(struct zone *z, const char *uri, const struct trunk *t, char **ret_why)
{
	g_autofree char *host = NULL;
	unsigned port = 0;
	struct sip_trust trust = { 0 };
	if (t != NULL) {
		trust = (struct sip_trust){ t->conf.ca, t->conf.fingerprint, t->host };
	}
	if (!split(uri, &host, &port)) {
		*ret_why = g_strdup("its address has no host");
		return NULL;
	}
	return sip_front_route(z->front, host, port, &trust, ret_why);
}

/* A registered phone has its route already. What a trunk's row says of certificates is for its own address only. */
bool way_choose(struct call *c)
{
	struct zone *tls = zone_for(c->zone, SIP_TLS);
	g_autofree char *why = NULL;
	if (c->aimed) {
		g_clear_pointer(&c->route, g_free);
		c->aimed = false;
	}
	bool flow = c->route != NULL && tls != NULL && sip_front_has(tls->front, c->route);
	unsigned transport = flow ? SIP_TLS : way_transport(c->route != NULL ? c->route : c->target);
	if (transport == SIP_TLS && tls == NULL) {
		call_end(c, 503, "this zone has no TLS: web.cert and tls_port are wanted");
		return false;
	}
	const struct trunk *t = c->redirected ? NULL : c->trunk;
	const char *hop = t != NULL && c->route == NULL ? trunk_hop(t) : NULL;
	c->zone = zone_for(c->zone, transport);
	if (transport == SIP_TLS && !flow) {
		g_free(c->route);
		c->route = g_strdup(way_tls(c->zone, hop != NULL ? hop : c->target, t, &why));
		c->aimed = true;
	} else if (hop != NULL) {
		c->route = g_strdup(hop);
		c->aimed = true;
	}
	if (why != NULL) {
		call_end(c, 503, why);
		return false;
	}
	c->transport = transport;
	c->secure = transport == SIP_TLS;
	g_free(c->contact);
	c->contact = zone_contact(c->zone, c->zone->port[transport] != 0 ? transport : SIP_UDP, NULL);
	return true;
}

/* INVITEs that wait for a connection that will not come. */
void way_failed(gw_sip *sip, const char *route, const char *why)
{
	g_autoptr(GList) calls = g_hash_table_get_values(sip->calls);
	for (GList *l = calls; l != NULL; l = l->next) {
		(void)call_ref(l->data);
	}
	for (GList *l = calls; l != NULL; l = l->next) {
		struct call *c = l->data;
		bool waits = !c->dead && c->ours && !c->confirmed && c->invite != NULL && nta_outgoing_status(c->invite) < 100;
		if (waits && g_strcmp0(c->route, route) == 0 && !uac_next(c)) {
			g_autofree char *text = g_strdup_printf("no TLS to there: %s", why);
			call_peer_gone(c, text);
		}
		call_unref(c);
	}
}

void way_tick(gw_sip *sip)
{
	GHashTableIter it;
	struct call *c;
	g_hash_table_iter_init(&it, sip->calls);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&c)) {
		if (c->aimed && c->route != NULL && c->zone->front != NULL) {
			sip_front_use(c->zone->front, c->route);
		}
	}
	for (unsigned n = 0; n < sip->trunks->len; n++) {
		const struct trunk *t = sip->trunks->pdata[n];
		if (t->route != NULL) {
			sip_front_use(t->zone->front, t->route);
		}
	}
}
