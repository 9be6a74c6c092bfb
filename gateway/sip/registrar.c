/* Bindings of devices (RFC 3261 10.3): where an authenticated user is to be reached. In memory: a restart asks them all again
 * within their expiry, as every registrar does. */
#include <string.h>

#include "gateway/sip/sip_priv.h"

enum { MIN_S = 60, DEFAULT_S = 300, MAX_S = 3600, MAX_CONTACTS = 4 };

static void binding_free(gpointer p)
{
	struct binding *b = p;
	g_free(b->user);
	g_free(b->contact);
	g_free(b->route);
	g_free(b->agent);
	g_free(b->call_id);
	g_free(b);
}

static void told(gw_sip *sip, const struct binding *b, int64_t expires_s)
{
	if (sip->ops.on_registered != NULL) {
		sip->ops.on_registered(b->user, b->contact, expires_s, sip->user_data);
	}
}

static void drop(gw_sip *sip, GPtrArray *list, unsigned at, bool tell)
{
	struct binding *b = g_ptr_array_steal_index(list, at);
	sip->n_registrations--;
	if (tell) {
		told(sip, b, 0);
	}
	binding_free(b);
}

static GPtrArray *list_of(gw_sip *sip, const char *user, bool make)
{
	GPtrArray *list = g_hash_table_lookup(sip->bindings, user);
	if (list == NULL && make) {
		list = g_ptr_array_new_with_free_func(binding_free);
		g_hash_table_insert(sip->bindings, g_strdup(user), list);
	}
	return list;
}

static int find(const GPtrArray *list, const char *contact)
{
	for (unsigned n = 0; list != NULL && n < list->len; n++) {
		if (strcmp(((const struct binding *)list->pdata[n])->contact, contact) == 0) {
			return (int)n;
		}
	}
	return -1;
}

/* Seconds that a contact asks for; RFC 3261 10.2.1.1: its own parameter, else the header. */
static unsigned wanted_s(const sip_t *sip, const sip_contact_t *m)
{
	const char *own = m != NULL ? m->m_expires : NULL;
	if (own != NULL) {
		return (unsigned)MIN(g_ascii_strtoull(own, NULL, 10), (guint64)MAX_S);
	}
	return sip->sip_expires != NULL ? (unsigned)MIN(sip->sip_expires->ex_delta, (unsigned long)MAX_S) : DEFAULT_S;
}

static bool contact_is_good(const sip_contact_t *m)
{
	const url_t *u = m->m_url;
	return (u->url_type == url_sip || u->url_type == url_sips) && u->url_host != NULL && u->url_host[0] != '\0' &&
	       u->url_headers == NULL;
}

/* RFC 3581 and NAT as in uas.c: requests go where the registration came from when that is another address than the
 * Contact's, and always over the connection of TCP (and of TLS: the zone's flow). */
static char *route_of(const sip_contact_t *m, unsigned transport, const char *source, unsigned port)
{
	static const char *const params[] = { "", ";transport=tcp" };
	g_autofree char *literal = sip_literal(m->m_url->url_host);
	if (transport == SIP_UDP && g_strcmp0(literal, source) == 0) {
		return NULL;
	}
	return g_strdup_printf(strchr(source, ':') != NULL ? "sip:[%s]:%u%s" : "sip:%s:%u%s", source, port, params[transport]);
}

struct change { struct zone *z; const sip_t *sip; const char *user, *source; const char *flow; unsigned transport, port; int64_t now_us; };

static void bind_one(const struct change *ch, const sip_contact_t *m, unsigned seconds)
{
	gw_sip *sip = ch->z->sip;
	GPtrArray *list = list_of(sip, ch->user, true);
	g_autofree char *contact = sip_url_text(m->m_url);
	int at = find(list, contact);
	struct binding *b = at >= 0 ? list->pdata[at] : NULL;
	if (b == NULL) {
		if (list->len >= MAX_CONTACTS) {
			drop(sip, list, 0, true);	/* the oldest: a phone that changes ports at each start */
		}
		b = g_new0(struct binding, 1);
		b->user = g_strdup(ch->user);
		b->contact = g_strdup(contact);
		b->since_us = ch->now_us;
		g_ptr_array_add(list, b);
		sip->n_registrations++;
	} else {
		g_ptr_array_add(list, g_ptr_array_steal_index(list, (guint)at));	/* newest last */
	}
	g_free(b->route);
	g_free(b->agent);
	g_free(b->call_id);
	b->route = ch->flow != NULL ? g_strdup(ch->flow) : route_of(m, ch->transport, ch->source, ch->port);
	b->agent = sip_product(ch->sip);
	b->call_id = g_strdup(ch->sip->sip_call_id->i_id);
	b->cseq = ch->sip->sip_cseq->cs_seq;
	b->zone = ch->z;
	b->until_us = ch->now_us + (int64_t)seconds * ORT_US_PER_S;
	told(sip, b, seconds);
}

static void unbind(const struct change *ch, const sip_contact_t *m)	/* NULL = all of the user */
{
	GPtrArray *list = list_of(ch->z->sip, ch->user, false);
	g_autofree char *contact = m != NULL ? sip_url_text(m->m_url) : NULL;
	for (unsigned n = list != NULL ? list->len : 0; n > 0; n--) {
		const struct binding *b = list->pdata[n - 1];
		if (contact == NULL || strcmp(b->contact, contact) == 0) {
			drop(ch->z->sip, list, n - 1, true);
		}
	}
}

/* 0, or the status to refuse with; nothing is changed then (RFC 3261 10.3 step 7: all or nothing). */
static int judge(const struct change *ch)
{
	const sip_t *sip = ch->sip;
	const GPtrArray *list = list_of(ch->z->sip, ch->user, false);
	for (const sip_contact_t *m = sip->sip_contact; m != NULL; m = m->m_next) {
		unsigned s = wanted_s(sip, m);
		if (m->m_url->url_type == url_any) {
			return m->m_next == NULL && m == sip->sip_contact && s == 0 ? 0 : 400;
		}
		if (!contact_is_good(m)) {
			return 400;
		}
		if (s > 0 && s < MIN_S) {
			return 423;
		}
		g_autofree char *contact = sip_url_text(m->m_url);
		int at = find(list, contact);
		const struct binding *b = at >= 0 ? list->pdata[at] : NULL;
		if (b != NULL && strcmp(b->call_id, sip->sip_call_id->i_id) == 0 && sip->sip_cseq->cs_seq <= b->cseq) {
			return 500;	/* older than what we hold */
		}
		if (b == NULL && s > 0 && ch->z->sip->n_registrations >= ch->z->sip->max_registrations) {
			return 503;
		}
	}
	return 0;
}

static char *contacts_text(gw_sip *sip, const char *user, int64_t now_us)
{
	const GPtrArray *list = list_of(sip, user, false);
	GString *s = g_string_new(NULL);
	for (unsigned n = 0; list != NULL && n < list->len; n++) {
		const struct binding *b = list->pdata[n];
		g_string_append_printf(s, "%s<%s>;expires=%" G_GINT64_FORMAT, n > 0 ? ", " : "", b->contact,
				       MAX((b->until_us - now_us) / ORT_US_PER_S, 0));
	}
	return g_string_free(s, FALSE);
}

void registrar_register(struct zone *z, nta_incoming_t *irq, msg_t *msg, sip_t *sip, const char *user)
{
	g_autofree char *source = NULL, *flow = zone_flow(z, msg);
	struct change ch = { .z = z, .sip = sip, .user = user, .now_us = ort_now_us() };
	ch.transport = sip_transport_of(z, irq, msg, &source, &ch.port);
	ch.source = source;
	ch.flow = flow;
	int status = judge(&ch);
	if (status != 0) {
		(void)nta_incoming_treply(irq, status, NULL, SIPTAG_SERVER_STR(SIP_AGENT),
					  TAG_IF(status == 423, SIPTAG_MIN_EXPIRES_STR(G_STRINGIFY(60))), TAG_END());
		return;
	}
	for (const sip_contact_t *m = sip->sip_contact; m != NULL; m = m->m_next) {
		unsigned s = wanted_s(sip, m);
		if (m->m_url->url_type == url_any) {
			unbind(&ch, NULL);
		} else if (s == 0) {
			unbind(&ch, m);
		} else {
			bind_one(&ch, m, s);
		}
	}
	g_autofree char *contacts = contacts_text(z->sip, user, ch.now_us);
	(void)nta_incoming_treply(irq, SIP_200_OK, SIPTAG_SERVER_STR(SIP_AGENT),
				  TAG_IF(contacts[0] != '\0', SIPTAG_CONTACT_STR(contacts)), TAG_END());
}

GPtrArray *registrar_find(gw_sip *sip, const char *user)
{
	GPtrArray *found = g_ptr_array_new();
	const GPtrArray *list = list_of(sip, user, false);
	for (unsigned n = list != NULL ? list->len : 0; n > 0; n--) {
		g_ptr_array_add(found, list->pdata[n - 1]);
	}
	return found;
}

void registrar_flow_gone(gw_sip *sip, const char *route)
{
	GHashTableIter it;
	GPtrArray *list;
	g_hash_table_iter_init(&it, sip->bindings);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&list)) {
		for (unsigned n = list->len; n > 0; n--) {
			if (g_strcmp0(((const struct binding *)list->pdata[n - 1])->route, route) == 0) {
				drop(sip, list, n - 1, true);
			}
		}
	}
}

void registrar_tick(gw_sip *sip, int64_t now_us)
{
	GHashTableIter it;
	GPtrArray *list;
	g_hash_table_iter_init(&it, sip->bindings);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&list)) {
		for (unsigned n = list->len; n > 0; n--) {
			if (((const struct binding *)list->pdata[n - 1])->until_us <= now_us) {
				drop(sip, list, n - 1, true);
			}
		}
		if (list->len == 0) {
			g_hash_table_iter_remove(&it);
		}
	}
}

void registrar_print(const gw_sip *sip, json_t *into)
{
	json_t *rows = json_array();
	GHashTableIter it;
	const GPtrArray *list;
	int64_t now_us = ort_now_us();
	g_hash_table_iter_init(&it, sip->bindings);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&list)) {
		for (unsigned n = 0; n < list->len; n++) {
			const struct binding *b = list->pdata[n];
			json_array_append_new(rows, json_pack("{s:s,s:s,s:s?,s:s,s:I}", "user", b->user, "contact", b->contact, "agent",
							      b->agent, "zone", b->zone->conf.name, "expires_ms",
							      (json_int_t)MAX((b->until_us - now_us) / ORT_US_PER_MS, 0)));
		}
	}
	json_object_set_new(into, "registrations", rows);
}

void registrar_clear(gw_sip *sip)
{
	g_hash_table_remove_all(sip->bindings);
}
