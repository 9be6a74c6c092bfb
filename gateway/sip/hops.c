/* Where a trunk is (RFC 3263): its service records, each with its addresses, are hops that are tried one after the other. A name
 * without records, with a port, or a literal has none: the stack goes by the address itself. Who comes from any of the
 * addresses is the trunk. The resolver is GLib's default one, so tests bring their own. */
#include <gio/gio.h>
#include <string.h>

#include "gateway/sip/sip_priv.h"

enum { AGAIN_MS = 300 * 1000, MAX_HOPS = 8 };

struct look { struct trunk *t; GList *services, *at; GPtrArray *hops, *literals; };

static void look_free(struct look *l)
{
	g_resolver_free_targets(l->services);
	g_ptr_array_unref(l->hops);
	g_ptr_array_unref(l->literals);
	g_free(l);
}

static gboolean on_again(gpointer data)
{
	struct trunk *t = data;
	sip_timer_stop(&t->look_timer);
	hops_look_up(t);
	return G_SOURCE_REMOVE;
}

static bool equal(const GPtrArray *a, const GPtrArray *b)
{
	bool same = a->len == b->len;
	for (unsigned n = 0; same && n < a->len; n++) {
		same = strcmp(a->pdata[n], b->pdata[n]) == 0;
	}
	return same;
}

static void swap(GPtrArray **a, GPtrArray **b)
{
	GPtrArray *c = *a;
	*a = *b;
	*b = c;
}

/* A resolver that fails says nothing new. */
static void done(struct look *l)
{
	struct trunk *t = l->t;
	bool first = !t->looked;
	if (l->literals->len > 0) {
		swap(&t->literals, &l->literals);
	}
	if (l->hops->len > 0 && !equal(l->hops, t->hops)) {
		swap(&t->hops, &l->hops);
		t->hop = 0;
	}
	t->looked = true;
	t->look_timer = sip_timer(t->sip, AGAIN_MS, on_again, t);
	look_free(l);
	if (first) {
		trunk_ask_now(t);
	}
}

static void next_service(struct look *l);

static void on_addresses(GObject *resolver, GAsyncResult *result, gpointer data)
{
	g_autoptr(GError) err = NULL;
	GList *found = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &err);
	struct look *l = data;
	if (g_error_matches(err, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {	/* the trunk is gone */
		look_free(l);
		return;
	}
	for (GList *a = found; a != NULL; a = a->next) {
		g_autofree char *text = g_inet_address_to_string(a->data);
		char *literal = sip_literal(text);
		if (l->at != NULL && l->hops->len < MAX_HOPS) {
			g_ptr_array_add(l->hops, g_strdup_printf(strchr(literal, ':') != NULL ? "sip:[%s]:%u%s" : "sip:%s:%u%s", literal,
								 g_srv_target_get_port(l->at->data), l->t->tcp ? ";transport=tcp" : ""));
		}
		g_ptr_array_add(l->literals, literal);
	}
	g_resolver_free_addresses(found);
	l->at = l->at != NULL ? l->at->next : NULL;
	next_service(l);
}

static void ask_name(struct look *l, const char *name)
{
	g_autoptr(GResolver) resolver = g_resolver_get_default();
	g_main_context_push_thread_default(l->t->sip->context);
	g_resolver_lookup_by_name_async(resolver, name, l->t->looking, on_addresses, l);
	g_main_context_pop_thread_default(l->t->sip->context);
}

static void next_service(struct look *l)
{
	if (l->at != NULL) {
		ask_name(l, g_srv_target_get_hostname(l->at->data));
	} else {
		done(l);
	}
}

static void on_services(GObject *resolver, GAsyncResult *result, gpointer data)
{
	g_autoptr(GError) err = NULL;
	struct look *l = data;
	l->services = g_resolver_lookup_service_finish(G_RESOLVER(resolver), result, &err);	/* by priority and weight */
	if (g_error_matches(err, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
		look_free(l);
		return;
	}
	l->at = l->services;
	if (l->at != NULL) {
		next_service(l);
	} else {
		ask_name(l, l->t->host);
	}
}

void hops_look_up(struct trunk *t)
{
	char *literal = sip_literal(t->host);
	if (literal != NULL) {
		g_ptr_array_add(t->literals, literal);
		t->looked = true;
		trunk_ask_now(t);
		return;
	}
	struct look *l = g_new0(struct look, 1);
	l->t = t;
	l->hops = g_ptr_array_new_with_free_func(g_free);
	l->literals = g_ptr_array_new_with_free_func(g_free);
	if (t->port != 0) {
		ask_name(l, t->host);
		return;
	}
	g_autoptr(GResolver) resolver = g_resolver_get_default();
	g_main_context_push_thread_default(t->sip->context);
	g_resolver_lookup_service_async(resolver, t->tls ? "sips" : "sip", t->tcp || t->tls ? "tcp" : "udp", t->host, t->looking, on_services, l);
	g_main_context_pop_thread_default(t->sip->context);
}

const char *trunk_hop(const struct trunk *t)
{
	return t->hops->len > 0 ? t->hops->pdata[t->hop] : NULL;
}

bool trunk_next_hop(struct trunk *t, unsigned *tried)
{
	if (t->hops->len < 2 || ++*tried >= t->hops->len) {
		return false;
	}
	t->hop = (t->hop + 1) % t->hops->len;
	ort_log(ORT_LOG_NOTICE, "sip", "sip.next_hop", "a trunk's server does not serve: the next one", ORT_S("trunk", t->conf.name),
		ORT_S("hop", trunk_hop(t)));
	return true;
}
