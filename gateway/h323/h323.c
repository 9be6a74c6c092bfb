/* H.323 as one thing: listens, holds the calls, tells them what the engine says. */
#include "gateway/h323/h323_priv.h"

#include <string.h>

static const char *const count_names[COUNT_N] = { "calls_in", "calls_out", "refused", "limited", "faults", "silent" };

static unsigned of_source(const gw_h323 *h, const char *host)
{
	unsigned n = 0;
	for (guint i = 0; i < h->legs->len; i++) {
		struct h245_address a;
		const struct h323_leg *l = h->legs->pdata[i];
		n += l->incoming && l->signal != NULL && h323_conn_remote(l->signal, &a) && strcmp(a.host, host) == 0;
	}
	return n;
}

static gboolean on_incoming(GSocketService *service, GSocketConnection *connection, GObject *object, gpointer user_data)
{
	gw_h323 *h = user_data;
	struct h245_address from;
	(void)service;
	(void)object;
	struct h323_leg *l = leg_incoming(h, connection);
	bool known = h323_conn_remote(l->signal, &from);
	if (h->legs->len > h->conf.max_calls || !known || of_source(h, from.host) > h->conf.max_per_source) {
		h->counts[COUNT_LIMITED]++;
		leg_end_later(l);
	}
	return TRUE;
}

static bool listen_on(gw_h323 *h, GError **err)
{
	bool any = strcmp(h->bind, "*") == 0;
	bool v6 = any || strchr(h->bind, ':') != NULL;
	g_autoptr(GInetAddress) host = any ? g_inet_address_new_any(v6 ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4)
					   : g_inet_address_new_from_string(h->bind);
	if (host == NULL) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%s is not an address", h->bind);
		return false;
	}
	g_autoptr(GSocketAddress) address = g_inet_socket_address_new(host, h->conf.port == GW_H323_ANY_PORT ? 0 : h->conf.port);
	g_autoptr(GSocketAddress) effective = NULL;
	h->service = g_socket_service_new();
	if (!g_socket_listener_add_address(G_SOCKET_LISTENER(h->service), address, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL,
					   &effective, err)) {
		return false;
	}
	h->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(effective));
	g_signal_connect(h->service, "incoming", G_CALLBACK(on_incoming), h);
	g_socket_service_start(h->service);
	return true;
}

gw_h323 *gw_h323_new(const struct gw_h323_conf *conf, const struct gw_h323_ops *ops, const struct gw_leg_listener *listener,
		     void *user_data, GError **err)
{
	gw_h323 *h = g_new0(gw_h323, 1);
	*h = (gw_h323){ .ops = *ops, .listener = listener, .user_data = user_data, .conf = *conf, .bind = g_strdup(conf->bind),
			.zone = g_strdup(conf->zone), .room = g_strdup(conf->room), .name = g_strdup(conf->name),
			.number = g_strdup(conf->number), .route = g_strdup(conf->route), .legs = g_ptr_array_new() };
	h->conf.max_calls = conf->max_calls != 0 ? conf->max_calls : 256;
	h->conf.max_per_source = conf->max_per_source != 0 ? conf->max_per_source : 32;
	h->conf.max_bps = conf->max_bps != 0 ? conf->max_bps : 2000000;
	h->crv = (uint16_t)g_random_int_range(1, 32768);
	if (conf->port != 0 && !listen_on(h, err)) {
		gw_h323_free(h);
		return NULL;
	}
	return h;
}

void gw_h323_free(gw_h323 *h)
{
	if (h == NULL) {
		return;
	}
	if (h->service != NULL) {
		g_signal_handlers_disconnect_by_data(h->service, h);
		g_socket_service_stop(h->service);
		g_socket_listener_close(G_SOCKET_LISTENER(h->service));
		g_object_unref(h->service);
	}
	while (h->legs->len > 0) {
		leg_destroy(h->legs->pdata[0]);
	}
	g_ptr_array_unref(h->legs);
	g_free(h->bind);
	g_free(h->zone);
	g_free(h->room);
	g_free(h->name);
	g_free(h->number);
	g_free(h->route);
	g_free(h);
}

uint16_t gw_h323_port(const gw_h323 *h)
{
	return h->port;
}

gw_leg *gw_h323_call(gw_h323 *h, const char *id, const char *party)
{
	return &leg_outgoing(h, id, party)->leg;
}

bool h323_parse_address(const char *address, const char *route, char **ret_called, struct h245_address *ret_to)
{
	const char *rest = g_str_has_prefix(address, "h323:") ? address + 5 : address, *at = strrchr(rest, '@');
	bool bare = at == NULL && strspn(rest, "0123456789*#") == strlen(rest);
	const char *host = bare ? route : at != NULL ? at + 1 : rest;
	*ret_called = NULL;
	if (host == NULL || host[0] == '\0') {
		return false;
	}
	g_autoptr(GSocketConnectable) place = g_network_address_parse(host, 1720, NULL);
	if (place == NULL || strlen(g_network_address_get_hostname(G_NETWORK_ADDRESS(place))) >= sizeof(ret_to->host)) {
		return false;
	}
	*ret_called = at != NULL ? g_strndup(rest, (gsize)(at - rest)) : g_strdup(bare ? rest : "");
	g_strlcpy(ret_to->host, g_network_address_get_hostname(G_NETWORK_ADDRESS(place)), sizeof(ret_to->host));
	ret_to->port = g_network_address_get_port(G_NETWORK_ADDRESS(place));
	return true;
}

/* ---- what the engine says ---- */
static struct h323_leg *of_transport(const gw_h323 *h, const char *transport)
{
	for (guint n = 0; n < h->legs->len; n++) {
		struct h323_leg *l = h->legs->pdata[n];
		if (l->media != NULL && h323_media_owns(l->media, transport)) {
			return l;
		}
	}
	return NULL;
}

void gw_h323_transport_state(gw_h323 *h, const struct mcu_transport_state *state)
{
	struct h323_leg *l = of_transport(h, state->transport);
	if (l != NULL) {
		h323_media_transport_state(l->media, state);
	}
}

void gw_h323_transport_lost(gw_h323 *h, const char *transport, const char *why)
{
	struct h323_leg *l = of_transport(h, transport);
	if (l != NULL && l->is_leg) {
		h323_call_end(l->call, 41);
		gw_leg_enter(&l->leg, GW_LEG_ENDED, why);
	}
}

void gw_h323_keyframe(gw_h323 *h, const char *stream)
{
	for (guint n = 0; n < h->legs->len; n++) {
		struct h323_leg *l = h->legs->pdata[n];
		enum h323_kind kind = l->media != NULL ? h323_media_of_stream(l->media, stream) : H323_MEDIA_N;
		if (kind != H323_MEDIA_N && l->in[kind] != NULL) {
			h245_fast_update(h323_call_h245(l->call), l->in[kind]);
			return;
		}
	}
}

char *gw_h323_dump(const gw_h323 *h)
{
	g_autoptr(json_t) o = json_pack("{sis{}s[]}", "port", h->port, "counters", "calls");
	for (int n = 0; n < COUNT_N; n++) {
		json_object_set_new(json_object_get(o, "counters"), count_names[n], json_integer((json_int_t)h->counts[n]));
	}
	for (guint n = 0; n < h->legs->len; n++) {
		json_array_append_new(json_object_get(o, "calls"), leg_print(h->legs->pdata[n]));
	}
	return json_dumps(o, JSON_COMPACT);
}
