/* SIP put to work: starts gateway/sip with what the configuration says, answers its questions, tells the engine's events. */
#include <errno.h>
#include <string.h>

#include "gateway/app/calls_priv.h"
#include "gateway/app/trunks_priv.h"

/* ---- who may call, and what ---- */
static char *address_of(const struct gw_sip_call_in *in)
{
	if (in->device != NULL) {
		return g_strconcat("device:", in->device, NULL);
	}
	return in->trunk != NULL ? g_strdup_printf("trunk:%s/%s", in->trunk, in->from) : g_strdup(in->from);
}

static void refused(gw_app *app, const struct gw_sip_call_in *in, unsigned status)
{
	gw_app_remember(app, "call.refused", "gateway", NULL,
			json_pack("{s:s,s:s,s:i}", "number", in->number, "from", in->from, "status", (int)status));
}

static char *on_call(const struct gw_sip_call_in *in, unsigned *ret_status, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_sip_trunk *trunk = gw_trunks_find(app->trunks, in->trunk);
	const struct gw_app_endpoint *device = gw_app_endpoint(app, in->device);
	g_autofree char *address = address_of(in);
	struct gw_call_in call = { .number = trunk != NULL && trunk->number != NULL ? trunk->number : in->number, .from = in->from,
				   .name = device != NULL && device->name != NULL ? device->name : in->name,
				   .site = device != NULL ? device->site : NULL, .agent = in->agent, .address = address,
				   .bridge = trunk != NULL && trunk->conference != NULL ? trunk->name : NULL,
				   .kind = trunk != NULL ? GW_PARTY_TRUNK : GW_PARTY_SIP, .keep = trunk != NULL && trunk->keep };
	bool loop = gw_app_loop_asked(app, gw_conference_by_number(app->domain, call.number), address, in->path);
	char *prefix = loop ? NULL : gw_app_call_decide(app, &call, ret_status);
	*ret_status = loop ? 482 : *ret_status;
	if (prefix == NULL) {
		refused(app, in, *ret_status);
	}
	return prefix;
}

static void on_leg(gw_leg *leg, const struct gw_sip_call_in *in, void *user_data)
{
	gw_app_loop_heard(user_data, leg, in->path);
	gw_app_call_came(user_data, leg);
}

static bool on_device(const char *user, struct gw_sip_device *ret, void *user_data)
{
	const struct gw_app_endpoint *e = gw_app_endpoint(user_data, user);
	if (e == NULL) {
		return false;
	}
	*ret = (struct gw_sip_device){ .party = g_strdup(user), .name = g_strdup(e->name), .ha1_sha256 = g_strdup(e->ha1_sha256),
				       .ha1_md5 = g_strdup(e->ha1_md5), .allow_md5 = e->md5 };
	return true;
}

/* Where a device was last, over a restart of ours: its registration is not renewed for minutes perhaps. */
static void keep_contact(gw_app *app, const char *user, const char *contact)
{
	if (g_strcmp0(g_hash_table_lookup(app->contacts, user), contact) != 0) {
		g_autoptr(json_t) doc = json_pack("{s:s}", "contact", contact);
		gw_store_put(app->store, "contact", user, doc);
		g_hash_table_replace(app->contacts, g_strdup(user), g_strdup(contact));
	}
}

static void on_registered(const char *user, const char *contact, int64_t expires_s, void *user_data)
{
	gw_app *app = user_data;
	ort_log(ORT_LOG_INFO, "sip", expires_s > 0 ? "sip.registered" : "sip.gone", "a device's registration", ORT_S("user", user),
		ORT_S("contact", contact), ORT_I("expires_s", expires_s));
	if (expires_s > 0) {
		g_autofree char *address = g_strconcat("device:", user, NULL);
		g_hash_table_remove(app->unanswered, user);
		keep_contact(app, user, contact);
		g_hash_table_add(app->registered, g_strdup(user));
		gw_party_reachable(app->domain, address, gw_app_now());
		gw_app_rearm(app);
	} else {
		g_hash_table_remove(app->contacts, user);
		gw_store_remove(app->store, "contact", user);
	}
}

/* What people can mend is said where they look: at the account, and at the party that it does not become. */
static void on_unanswered(const char *user, const char *why, void *user_data)
{
	gw_app *app = user_data;
	g_hash_table_replace(app->unanswered, g_strdup(user), g_strdup(why));
}

static void load_contact(const char *key, json_t *doc, void *user_data)
{
	const char *contact = json_string_value(json_object_get(doc, "contact"));
	if (contact != NULL) {
		g_hash_table_replace(((gw_app *)user_data)->contacts, g_strdup(key), g_strdup(contact));
	}
}

void gw_app_contacts_load(gw_app *app)
{
	app->contacts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	app->registered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	app->unanswered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	gw_store_load(app->store, "contact", load_contact, app);
}

/* Who called in over a trunk is called by what its row dials, else by the user whom it said to be. */
static char *back_over_trunk(const gw_app *app, const char *address)
{
	g_auto(GStrv) part = g_str_has_prefix(address, "trunk:") ? g_strsplit(address + strlen("trunk:"), "/", 2) : NULL;
	const char *from = part != NULL && part[0] != NULL ? part[1] : NULL;
	const char *colon = from != NULL ? strchr(from, ':') : NULL;
	if (colon == NULL) {
		return NULL;	/* it was called by a number already */
	}
	const struct gw_sip_trunk *row = gw_trunks_find(app->trunks, part[0]);
	bool says = row != NULL && row->conference != NULL && strcmp(row->conference, "any") != 0;
	return says ? g_strdup_printf("trunk:%s/%s", part[0], row->conference)
		    : g_strdup_printf("trunk:%s/%.*s", part[0], (int)strcspn(colon + 1, "@;>"), colon + 1);
}

char *gw_app_where(const gw_app *app, const char *address)
{
	const char *user = g_str_has_prefix(address, "device:") ? address + strlen("device:") : NULL;
	const char *contact = user != NULL && !g_hash_table_contains(app->registered, user) ? g_hash_table_lookup(app->contacts, user) : NULL;
	char *trunk = back_over_trunk(app, address);
	return trunk != NULL ? trunk : g_strdup(contact != NULL ? contact : address);
}

const char *gw_app_device_why(const gw_app *app, const char *address)
{
	const char *user = g_str_has_prefix(address, "device:") ? address + strlen("device:") : address;
	const char *why = app->unanswered != NULL ? g_hash_table_lookup(app->unanswered, user) : NULL;
	return app->sip != NULL && gw_sip_registered(app->sip, user) ? NULL : why != NULL ? why : "this phone is not registered";
}

/* ---- trunks ---- */
struct trunk_state { char *state, *why; int64_t since_ms; };

static void trunk_state_free(gpointer p)
{
	struct trunk_state *t = p;
	g_free(t->state);
	g_free(t->why);
	g_free(t);
}

static struct gw_trunk trunk_row(const gw_app *app, const struct gw_sip_trunk *row)
{
	const struct trunk_state *t = g_hash_table_lookup(app->trunk_states, row->name);
	g_autofree char *prefix = g_strdup_printf("trunk:%s/", row->name);
	return (struct gw_trunk){ (char *)(uintptr_t)row->name, (char *)(uintptr_t)row->address,
				  (char *)(uintptr_t)(t != NULL ? t->state : "unknown"),
				  (char *)(uintptr_t)(t != NULL && t->why != NULL ? t->why : ""), t != NULL ? t->since_ms : 0,
				  gw_app_calls_count(app, prefix) };
}

static bool is_staff_or_screen(const struct gw_api_session *s, void *ud)
{
	return s->role != GW_ROLE_FIELD;
}

static void on_trunk(const char *name, const char *state, const char *why, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_sip_trunk *row = gw_trunks_find(app->trunks, name);
	struct trunk_state *t = g_hash_table_lookup(app->trunk_states, name);
	if (row == NULL || (t != NULL && g_str_equal(t->state, state) && g_strcmp0(t->why, why) == 0)) {
		return;
	}
	t = g_new0(struct trunk_state, 1);
	*t = (struct trunk_state){ g_strdup(state), g_strdup(why), ort_wall_ms() };
	g_hash_table_replace(app->trunk_states, g_strdup(name), t);
	gw_app_remember(app, "trunk.state", "gateway", NULL, json_pack("{s:s,s:s,s:s?}", "trunk", name, "state", state, "why", why));
	struct gw_ev_trunk news = { trunk_row(app, row) };
	gw_api_broadcast(app->api, is_staff_or_screen, NULL, GW_EVENT_TRUNK_CHANGED, &news);
}

static void list_trunks(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	g_autoptr(GArray) rows = g_array_new(FALSE, TRUE, sizeof(struct gw_trunk));
	for (unsigned n = 0; n < app->trunks->trunks->len; n++) {
		struct gw_trunk row = trunk_row(app, &g_array_index(app->trunks->trunks, struct gw_sip_trunk, n));
		g_array_append_val(rows, row);
	}
	gw_api_reply(call, &(struct gw_trunk_list_reply){ { rows->data, rows->len } });
}

static void state(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	g_autofree char *text = app->sip != NULL ? gw_sip_dump(app->sip) : g_strdup("{}");
	g_autoptr(json_t) o = ort_json_parse(text, strlen(text), 16 * 1048576, NULL);
	if (o == NULL) {
		gw_api_fail(call, GW_ERROR_INTERNAL, NULL);
		return;
	}
	json_object_set_new(o, "running", json_boolean(app->sip != NULL));
	json_object_set_new(o, "why", json_string(app->sip_why != NULL ? app->sip_why : ""));
	gw_api_reply(call, &(struct gw_raw){ o });
}

void gw_app_bind_sip(gw_app *app)
{
	gw_api_bind(app->api, GW_METHOD_TRUNK_LIST, list_trunks, app);
	gw_api_bind(app->api, GW_METHOD_SIP_STATE, state, app);
}

/* ---- content floor, moving ---- */
static void on_floor(gw_leg *leg, enum gw_sip_floor_news news, void *user_data)
{
	gw_app_floor_heard(user_data, leg, news);
}

static int floor_word(gw_leg *leg, const char *word)
{
	static const struct { const char *word; enum gw_sip_floor is; } rows[] = {
		{ "grant", GW_SIP_FLOOR_GRANT }, { "deny", GW_SIP_FLOOR_DENY }, { "revoke", GW_SIP_FLOOR_REVOKE },
		{ "taken", GW_SIP_FLOOR_TAKEN }, { "free", GW_SIP_FLOOR_FREE },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (strcmp(rows[n].word, word) == 0) {
			return gw_sip_floor(leg, rows[n].is);
		}
	}
	return -EINVAL;
}

static bool on_refer(gw_leg *leg, const char *to, void *user_data)
{
	const char *colon = strchr(to, ':');
	g_autofree char *number = g_strdup(colon != NULL ? colon + 1 : to);
	number[strcspn(number, "@;")] = '\0';
	return gw_app_call_moves(user_data, leg, number);
}

static char *path(gw_leg *leg, void *user_data)
{
	return gw_app_loop_path(user_data, leg);
}

static bool on_path(gw_leg *leg, const char *text, void *user_data)
{
	return gw_app_loop_answered(user_data, leg, text);
}

/* ---- life ---- */
static void media(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *user_data)
{
	gw_app *app = user_data;
	if (app->media != NULL) {
		gw_media_call(app->media, method, request, fn, fn_data);
	}
}

static gw_leg *make(void *stack, const char *id, const char *prefix, GError **err)
{
	return gw_sip_call(stack, id, prefix, err);
}

static const char *or_null(const ort_conf *conf, const char *key)
{
	const char *text = ort_conf_str(conf, key);
	return text[0] != '\0' ? text : NULL;
}

/* A zone that listens everywhere must still say one address to its peers. */
static void fill_announce(gw_app *app)
{
	const char *const *names = ort_conf_strv(app->options.conf, "web.announce");
	g_autofree char *own = names != NULL && names[0] != NULL ? g_strdup(names[0]) : gw_app_own_address();
	for (unsigned n = 0; n < app->trunks->zones->len; n++) {
		struct gw_sip_zone *z = &g_array_index(app->trunks->zones, struct gw_sip_zone, n);
		if (z->announce == NULL && g_str_equal(z->bind, "*")) {
			z->announce = g_string_chunk_insert_const(app->trunks->keep, own);
		}
	}
}

/* A port that somebody else holds must not keep an emergency centre from its phones: without SIP the rest works. */
bool gw_app_sip_start(gw_app *app, char **ret_why)
{
	static const struct gw_sip_ops ops = { media, on_call, on_leg, on_device, on_registered, on_trunk, on_floor, on_refer,
					     path, on_path, on_unanswered };
	const ort_conf *conf = app->options.conf;
	g_autoptr(GError) err = NULL;
	app->trunk_states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, trunk_state_free);
	app->trunks = g_new0(struct gw_trunks, 1);
	if (!gw_trunks_read(conf, app->trunks, ret_why)) {
		return false;
	}
	if (app->trunks->zones->len == 0) {
		return true;
	}
	fill_announce(app);
	struct gw_sip_conf sip = {
		.zones = (const struct gw_sip_zone *)(void *)app->trunks->zones->data, .n_zones = app->trunks->zones->len,
		.trunks = (const struct gw_sip_trunk *)(void *)app->trunks->trunks->data, .n_trunks = app->trunks->trunks->len,
		.certificate = or_null(conf, "web.cert"), .key = or_null(conf, "web.key"), .ca = or_null(conf, "sip.ca"),
		.realm = gw_app_realm(app), .room = GW_HALL, .quirks = or_null(conf, "sip.quirks"),
		.max_calls = (unsigned)ort_conf_int(conf, "sip.max_calls"),
	};
	app->sip = gw_sip_new(app->context, &sip, &ops, &gw_app_call_listener, app, &err);
	if (app->sip == NULL) {
		app->sip_why = g_strdup(err->message);
		ort_log(ORT_LOG_ERROR, "sip", "sip.start", "SIP does not work", ORT_S("why", err->message));
		return true;
	}
	gw_app_set_caller(app, &(struct gw_caller){ make, floor_word, app->sip });
	return true;
}

void gw_app_sip_stop(gw_app *app)
{
	if (app->sip != NULL) {
		gw_app_set_caller(app, NULL);
		gw_sip_free(g_steal_pointer(&app->sip));
	}
	if (app->trunks != NULL) {
		gw_trunks_clear(app->trunks);
		g_clear_pointer(&app->trunks, g_free);
	}
	g_clear_pointer(&app->trunk_states, g_hash_table_unref);
	g_clear_pointer(&app->contacts, g_hash_table_unref);
	g_clear_pointer(&app->registered, g_hash_table_unref);
	g_clear_pointer(&app->unanswered, g_hash_table_unref);
	g_clear_pointer(&app->sip_why, g_free);
}

/* ---- what the engine says ---- */
void gw_app_sip_event(gw_app *app, enum mcu_event event, const void *body)
{
	if (app->sip == NULL) {
		return;
	}
	if (event == MCU_EVENT_TRANSPORT_STATE) {
		gw_sip_transport_state(app->sip, body);
	} else if (event == MCU_EVENT_DTMF) {
		gw_sip_dtmf(app->sip, body);
	} else if (event == MCU_EVENT_KEYFRAME_WANTED) {
		gw_sip_keyframe(app->sip, ((const struct mcu_stream_event *)body)->id);
	}
}

void gw_app_sip_transport_lost(gw_app *app, const char *transport, const char *why)
{
	if (app->sip != NULL) {
		gw_sip_transport_lost(app->sip, transport, why);
	}
}
