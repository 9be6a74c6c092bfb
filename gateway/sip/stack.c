/* The stack's life: sofia on the gateway's loop, what the engine says, the dump. */
#include <errno.h>
#include <string.h>

#include "gateway/sip/sip_priv.h"

#include <sofia-sip/su_glib.h>
#include <sofia-sip/su_log.h>

enum { MAX_SOURCES = 4096, TICK_MS = 5000, FAREWELL_MS = 1000, LOST_SETTLE_MS = 50 };

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

/* ---- life ---- */
static void on_deaf(const struct sip_deaf_ask *ask, const char *why, void *user_data)
{
	gw_sip *sip = user_data;
	g_autofree char *text = g_strdup_printf("account %s: %s", ask->user, why);
	sip->counters.unanswered++;
	ort_log(ORT_LOG_WARNING, "sip", "sip.unanswered", text, ORT_S("user", ask->user), ORT_S("source", ask->source),
		ORT_S("zone", ask->zone), ORT_S("agent", ask->agent), ORT_S("why", why));
	if (sip->ops.on_unanswered != NULL) {
		sip->ops.on_unanswered(ask->user, why, sip->user_data);
	}
}

static gboolean on_tick(gpointer data)
{
	gw_sip *sip = data;
	int64_t now_us = ort_now_us();
	registrar_tick(sip, now_us);
	sip_deaf_tick(sip->deaf, now_us);
	way_tick(sip);
	for (unsigned n = 0; n < sip->zones->len; n++) {
		const struct zone *z = sip->zones->pdata[n];
		if (z->twin != NULL) {
			sip_front_tick(z->twin->front, now_us);
		}
	}
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
	sip->deaf = sip_deaf_new(on_deaf, sip);
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
	sip_deaf_free(sip->deaf);
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
bool gw_sip_registered(gw_sip *sip, const char *user)
{
	g_autoptr(GPtrArray) found = registrar_find(sip, user);
	return found->len > 0;
}

void gw_sip_forgive(gw_sip *sip, const char *user)
{
	sip_auth_forgive(sip->auth, user);
}

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
		json_array_append_new(listeners, zone_print(sip->zones->pdata[n]));
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
	json_object_set_new(o, "unanswered", sip_deaf_print(sip->deaf));
	json_object_set_new(o, "counters", print_counters(sip));
	return json_dumps(o, JSON_COMPACT);
}
