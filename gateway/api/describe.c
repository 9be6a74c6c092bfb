/* The protocol printed from its rows: OpenAPI 3.1, Markdown, fuzz dictionary; and the counters. */
#include "gateway/api/api_priv.h"

#include <string.h>

static const char *const counter_names[] = {
#define X(id, doc) #id,
#include "gateway/api/counters.def"
#undef X
};

json_t *gw_api_counters(const gw_api *api)
{
	json_t *out = json_object();
	for (int i = 0; i < N_COUNTERS; i++) {
		json_object_set_new(out, counter_names[i], json_integer((json_int_t)api->counters[i]));
	}
	for (int i = 0; i < GW_ERROR_N; i++) {
		g_autofree char *name = g_strconcat("error_", gw_errors[i].name, NULL);
		json_object_set_new(out, name, json_integer((json_int_t)api->errors[i]));
	}
	json_object_set_new(out, "sessions", json_integer(gw_api_session_count(api)));
	json_object_set_new(out, "waiting", json_integer(api->calls.length));
	return out;
}

static const char *table_title(const struct ort_json_table *table)
{
	return g_str_has_prefix(table->name, "gw_table_") ? table->name + strlen("gw_table_") : table->name;
}

static json_t *reference(const struct ort_json_table *table)
{
	g_autofree char *path = g_strconcat("#/components/schemas/", table_title(table), NULL);
	return json_pack("{s:{s:{s:{s:s}}}}", "content", "application/json", "schema", "$ref", path);
}

static json_t *roles_of(const struct gw_method_row *row)
{
	json_t *roles = json_array();
	for (int role = 0; role < GW_ROLE_N; role++) {
		if (row->roles & (1U << role)) {
			json_array_append_new(roles, json_string(gw_role_names[role]));
		}
	}
	return roles;
}

static json_t *operation(const struct gw_method_row *row)
{
	json_t *ok = reference(row->reply), *body = reference(row->request);
	json_t *error = json_pack("{s:s}", "$ref", "#/components/responses/error");
	json_object_set_new(ok, "description", json_string("done"));
	json_t *op = json_pack("{s:s,s:s,s:o,s:o,s:i,s:{s:o,s:o}}", "operationId", row->name, "summary", row->doc,
			       "requestBody", body, "x-roles", roles_of(row), "x-max-bytes", (int)row->max_bytes,
			       "responses", "200", ok, "default", error);
	if (row->roles & (1U << GW_ROLE_NONE)) {
		json_object_set_new(op, "security", json_array());
	}
	return op;
}

static json_t *paths(void)
{
	json_t *out = json_object();
	for (int i = 0; i < GW_METHOD_N; i++) {
		if (!(gw_methods[i].flags & GW_METHOD_WS_ONLY)) {
			g_autofree char *path = g_strconcat("/api/v1/", gw_methods[i].name, NULL);
			json_object_set_new(out, path, json_pack("{s:o}", "post", operation(&gw_methods[i])));
		}
	}
	return out;
}

static json_t *table_schema(const struct ort_json_table *table)
{
	json_t *schema = ort_json_schema(table);
	gw_objects_link(schema);
	return schema;
}

static json_t *schemas(void)
{
	json_t *out = json_object();
#define X(t) json_object_set_new(out, #t, table_schema(&gw_table_##t));
	GW_TABLES(X)
#undef X
	gw_objects_describe(out);	/* after the tables: these say more of the results of which those know nothing */
	json_t *codes = json_array();
	for (int i = 0; i < GW_ERROR_N; i++) {
		json_array_append_new(codes, json_string(gw_errors[i].name));
	}
	json_object_set_new(out, "error",
			    json_pack("{s:s,s:{s:{s:s,s:{s:{s:s,s:o},s:{s:s},s:{s:s},s:{s:s}}}}}", "type", "object",
				      "properties", "error", "type", "object", "properties", "code", "type", "string",
				      "enum", codes, "message", "type", "string", "message_zh", "type", "string", "why",
				      "type", "string"));
	return out;
}

/* OpenAPI has no word for WebSocket notifications and methods: they stand under x- members with the same schemas. */
static json_t *websocket_part(void)
{
	json_t *events = json_object(), *methods = json_object();
	for (int i = 0; i < GW_EVENT_N; i++) {
		json_object_set_new(
			events, gw_events[i].name,
			json_pack("{s:s,s:s}", "summary", gw_events[i].doc, "params", table_title(gw_events[i].body)));
	}
	for (int i = 0; i < GW_METHOD_N; i++) {
		const struct gw_method_row *row = &gw_methods[i];
		if (!(row->flags & GW_METHOD_REST_ONLY)) {
			json_object_set_new(methods, row->name,
					    json_pack("{s:s,s:s,s:s,s:o}", "summary", row->doc, "params",
						      table_title(row->request), "result", table_title(row->reply),
						      "roles", roles_of(row)));
		}
	}
	return json_pack("{s:s,s:o,s:o}", "path", "/ws", "methods", methods, "events", events);
}

static json_t *security(void)
{
	return json_pack("{s:{s:s,s:s,s:s},s:{s:s,s:s}}", "cookie", "type", "apiKey", "in", "cookie", "name",
			 "ortoo_session", "bearer", "type", "http", "scheme", "bearer");
}

json_t *gw_api_openapi(const char *server_url)
{
	json_t *error = reference(&(struct ort_json_table){.name = "error"});
	json_object_set_new(error, "description", json_string("refused or failed; the status follows the code"));
	json_t *components = json_pack("{s:o,s:o,s:{s:o}}", "schemas", schemas(), "securitySchemes", security(),
				       "responses", "error", error);
	return json_pack("{s:s,s:{s:s,s:s},s:[{s:s}],s:[{s:[]},{s:[]}],s:o,s:o,s:o,s:o}", "openapi", "3.1.0", "info",
			 "title", "Ortoo gateway", "version", ORT_VERSION, "servers", "url",
			 server_url ? server_url : "/", "security", "cookie", "bearer", "paths", paths(), "components",
			 components, "webhooks", gw_webhooks_describe(), "x-websocket", websocket_part());
}

static char *markdown(void)
{
	GString *out = g_string_new("# Client protocol\n\n## Methods\n| method | roles | what |\n|---|---|---|\n");
	for (int i = 0; i < GW_METHOD_N; i++) {
		g_string_append_printf(out, "| `%s` |", gw_methods[i].name);
		for (int role = 0; role < GW_ROLE_N; role++) {
			if (gw_methods[i].roles & (1U << role)) {
				g_string_append_printf(out, " %s", gw_role_names[role]);
			}
		}
		g_string_append_printf(out, " | %s |\n", gw_methods[i].doc);
	}
	g_string_append(out, "\n## Events\n| event | what |\n|---|---|\n");
	for (int i = 0; i < GW_EVENT_N; i++) {
		g_string_append_printf(out, "| `%s` | %s |\n", gw_events[i].name, gw_events[i].doc);
	}
	g_string_append(out, "\n## Errors\n| code | HTTP | JSON-RPC | English | 中文 |\n|---|---|---|---|---|\n");
	for (int i = 0; i < GW_ERROR_N; i++) {
		const struct gw_error_row *e = &gw_errors[i];
		g_string_append_printf(out, "| `%s` | %d | %d | %s | %s |\n", e->name, e->http, e->code, e->en, e->zh);
	}
	return g_string_free(out, FALSE);
}

static char *words(void)
{
	GString *out = g_string_new(NULL);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	for (int i = 0; i < GW_METHOD_N; i++) {
		const struct ort_json_table *t = gw_methods[i].request;
		g_string_append_printf(out, "\"\\\"%s\\\"\"\n", gw_methods[i].name);
		for (size_t f = 0; f < t->n_fields; f++) {
			if (g_hash_table_add(seen, (char *)t->fields[f].name)) {
				g_string_append_printf(out, "\"\\\"%s\\\":\"\n", t->fields[f].name);
			}
		}
	}
	return g_string_free(out, FALSE);
}

char *gw_api_describe(const char *format)
{
	if (g_strcmp0(format, "markdown") == 0) {
		return markdown();
	}
	if (g_strcmp0(format, "words") == 0) {
		return words();
	}
	g_autoptr(json_t) all = gw_api_openapi("/");
	return ort_json_text(all);
}
