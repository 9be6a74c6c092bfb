/* SIP accounts of rooms and soft phones: kept as documents of the store with HA1 only (RFC 7616), never the password. */
#include <string.h>

#include "gateway/app/calls_priv.h"

const char *gw_app_realm(const gw_app *app)
{
	return ort_conf_str(app->options.conf, "sip.realm");
}

static void endpoint_free(gpointer p)
{
	struct gw_app_endpoint *e = p;
	g_free(e->user);
	g_free(e->name);
	g_free(e->site);
	g_free(e->ha1_sha256);
	g_free(e->ha1_md5);
	g_free(e);
}

static char *member(const json_t *doc, const char *name)
{
	return g_strdup(json_string_value(json_object_get(doc, name)));
}

/* What the domain knows of sites by their accounts. */
static void tell_domain(gw_app *app, const struct gw_app_endpoint *e, bool there)
{
	g_autofree char *address = there ? g_strconcat("device:", e->user, NULL) : NULL;
	if (e->site != NULL && e->site[0] != '\0') {
		gw_domain_site_address(app->domain, e->site, address);
	}
}

static void load_one(const char *key, json_t *doc, void *user_data)
{
	gw_app *app = user_data;
	struct gw_app_endpoint *e = g_new0(struct gw_app_endpoint, 1);
	*e = (struct gw_app_endpoint){ g_strdup(key), member(doc, "name"), member(doc, "site"), member(doc, "ha1_sha256"),
				       member(doc, "ha1_md5"), json_is_true(json_object_get(doc, "md5")),
				       json_integer_value(json_object_get(doc, "made_ms")) };
	g_hash_table_replace(app->endpoints, e->user, e);
	tell_domain(app, e, true);
}

void gw_app_endpoints_load(gw_app *app)
{
	app->endpoints = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, endpoint_free);
	gw_store_load(app->store, "endpoint", load_one, app);
}

void gw_app_endpoints_stop(gw_app *app)
{
	g_clear_pointer(&app->endpoints, g_hash_table_unref);
}

const struct gw_app_endpoint *gw_app_endpoint(const gw_app *app, const char *user)
{
	return user != NULL ? g_hash_table_lookup(app->endpoints, user) : NULL;
}

const struct gw_app_endpoint *gw_app_endpoint_at(const gw_app *app, const char *site)
{
	GHashTableIter it;
	const struct gw_app_endpoint *e;
	g_hash_table_iter_init(&it, app->endpoints);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&e)) {
		if (site != NULL && g_strcmp0(e->site, site) == 0) {
			return e;
		}
	}
	return NULL;
}

static void save(gw_app *app, const struct gw_app_endpoint *e)
{
	g_autoptr(json_t) doc = json_pack("{s:s?,s:s?,s:s?,s:s?,s:b,s:I}", "name", e->name, "site", e->site, "ha1_sha256", e->ha1_sha256,
					  "ha1_md5", e->ha1_md5, "md5", e->md5, "made_ms", (json_int_t)e->made_ms);
	gw_store_put(app->store, "endpoint", e->user, doc);
}

/* Letters and digits that nobody mistakes for each other on paper. */
static char *make_password(void)
{
	static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
	g_autofree char *random = gw_app_random(16);
	char *out = g_strnfill(16, '\0');
	for (unsigned n = 0; n < 16; n++) {
		unsigned byte = (unsigned)g_ascii_xdigit_value(random[2 * n]) * 16 + (unsigned)g_ascii_xdigit_value(random[2 * n + 1]);
		out[n] = letters[byte % (sizeof(letters) - 1)];
	}
	return out;
}

static char *ha1(const gw_app *app, GChecksumType type, const char *user, const char *password)
{
	g_autofree char *text = g_strdup_printf("%s:%s:%s", user, gw_app_realm(app), password);
	return g_compute_checksum_for_string(type, text, -1);
}

static void reply_put(struct gw_ack *ack)
{
	gw_api_reply(ack->call, &(struct gw_endpoint_put_reply){ ack->id, ack->extra });
}

static void put(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_endpoint_put *in = request;
	const struct gw_app_endpoint *old = gw_app_endpoint(app, in->user);
	bool given = in->password != NULL && in->password[0] != '\0';
	if (given && strlen(in->password) < 8) {
		gw_api_fail(call, GW_ERROR_INVALID, "password: at least 8 characters");
		return;
	}
	if (old != NULL && !given && in->md5 && old->ha1_md5 == NULL) {
		gw_api_fail(call, GW_ERROR_INVALID, "md5 wants the password again");
		return;
	}
	g_autofree char *actor = gw_app_actor(s), *made = old == NULL && !given ? make_password() : NULL;
	const char *password = given ? in->password : made;
	struct gw_app_endpoint *e = g_new0(struct gw_app_endpoint, 1);
	*e = (struct gw_app_endpoint){ g_strdup(in->user), g_strdup(in->name), g_strdup(in->site),
				       password != NULL ? ha1(app, G_CHECKSUM_SHA256, in->user, password) : g_strdup(old->ha1_sha256),
				       !in->md5 ? NULL : password != NULL ? ha1(app, G_CHECKSUM_MD5, in->user, password) : g_strdup(old->ha1_md5),
				       in->md5, ort_wall_ms() };
	save(app, e);
	if (old != NULL) {
		tell_domain(app, old, false);
	}
	tell_domain(app, e, true);
	g_hash_table_replace(app->endpoints, e->user, e);
	if (app->sip != NULL) {
		gw_sip_forgive(app->sip, e->user);
		g_hash_table_remove(app->unanswered, e->user);
	}
	gw_app_remember(app, "endpoint.put", actor, NULL, json_pack("{s:s,s:s?,s:b}", "user", in->user, "site", in->site, "md5", in->md5));
	gw_app_ack(app, call, reply_put, in->user, made, 0);
}

static int by_user(gconstpointer a, gconstpointer b)
{
	return strcmp(((const struct gw_endpoint *)a)->user, ((const struct gw_endpoint *)b)->user);
}

static void list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	g_autoptr(GArray) rows = g_array_new(FALSE, TRUE, sizeof(struct gw_endpoint));
	GHashTableIter it;
	const struct gw_app_endpoint *e;
	g_hash_table_iter_init(&it, app->endpoints);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&e)) {
		const char *why = app->sip != NULL ? gw_app_device_why(app, e->user) : NULL;
		struct gw_endpoint row = { e->user, e->name, e->site, e->md5, e->made_ms, app->sip != NULL && why == NULL,
					   (char *)(uintptr_t)why };
		g_array_append_val(rows, row);
	}
	g_array_sort(rows, by_user);
	gw_api_reply(call, &(struct gw_endpoint_list_reply){ { rows->data, rows->len } });
}

static void remove_endpoint(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_endpoint_ref *in = request;
	g_autofree char *actor = gw_app_actor(s);
	const struct gw_app_endpoint *old = gw_app_endpoint(app, in->user);
	if (old != NULL) {
		tell_domain(app, old, false);
	}
	if (!g_hash_table_remove(app->endpoints, in->user)) {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
		return;
	}
	gw_store_remove(app->store, "endpoint", in->user);
	gw_app_remember(app, "endpoint.removed", actor, NULL, json_pack("{s:s}", "user", in->user));
	gw_app_ack(app, call, gw_ack_empty, NULL, NULL, 0);
}

void gw_app_bind_endpoints(gw_app *app)
{
	gw_api_bind(app->api, GW_METHOD_ENDPOINT_PUT, put, app);
	gw_api_bind(app->api, GW_METHOD_ENDPOINT_LIST, list, app);
	gw_api_bind(app->api, GW_METHOD_ENDPOINT_REMOVE, remove_endpoint, app);
}
