/* The tables themselves: every row is sane, every table prints and reads back, OpenAPI is whole. */
#include <string.h>

#include "gateway/api/api.h"

static const struct ort_json_table *const tables[] = {
#define X(t) &gw_table_##t,
	GW_TABLES(X)
#undef X
};

static void methods_are_sane(void)
{
	for (int i = 0; i < GW_METHOD_N; i++) {
		const struct gw_method_row *row = &gw_methods[i];
		g_assert_cmpint(gw_method_by_name(row->name), ==, i);
		g_assert_cmpuint(row->roles, !=, 0);
		g_assert_false(row->roles & (1U << GW_ROLE_SYSTEM));
		g_assert_cmpuint(row->max_bytes, >=, 65536);
		g_assert_cmpuint(row->max_bytes, <=, 1048576);
		g_assert_cmpuint(row->flags & (GW_METHOD_REST_ONLY | GW_METHOD_WS_ONLY), !=,
				 GW_METHOD_REST_ONLY | GW_METHOD_WS_ONLY);
	}
	g_assert_cmpint(gw_method_by_name("rtc"), ==, -1);
	g_assert_cmpint(gw_method_by_name(NULL), ==, -1);
}

/* The only doors without credentials. Whoever adds one must say so here. */
static void open_doors_are_these(void)
{
	static const char *const open[] = { "time.sync", "setup.state", "setup.complete", "auth.login", "auth.bearer",
					    "link.open", "device.open", "callack.link_open", NULL };
	for (int i = 0; i < GW_METHOD_N; i++) {
		bool is_open = gw_methods[i].roles & (1U << GW_ROLE_NONE);
		g_assert_cmpint(is_open, ==, g_strv_contains(open, gw_methods[i].name));
	}
}

static void errors_are_unique(void)
{
	for (int i = 0; i < GW_ERROR_N; i++) {
		g_assert_cmpint(gw_error_by_name(gw_errors[i].name), ==, i);
		g_assert_cmpint(gw_errors[i].http, >=, 400);
		for (int j = 0; j < i; j++) {
			g_assert_cmpint(gw_errors[i].code, !=, gw_errors[j].code);
		}
	}
}

static void empty_structs_print_and_clear(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		g_autofree void *st = g_malloc0(tables[i]->size);
		g_autoptr(json_t) json = ort_json_print(tables[i], st);
		g_assert_true(json_is_object(json));
		ort_json_clear(tables[i], st);
		g_autoptr(json_t) schema = ort_json_schema(tables[i]);
		g_assert_true(json_is_object(schema));
	}
}

static void null_stream_is_no_stream(void)
{
	struct gw_rtc_route route;
	g_autofree char *why = NULL;
	g_autoptr(json_t) json = json_pack("{s:s,s:s,s:n}", "pc", "a", "mid", "0", "stream");
	g_assert_cmpint(ort_json_read(&gw_table_rtc_route, json, &route, &why), ==, 0);
	g_assert_null(route.stream);
	ort_json_clear(&gw_table_rtc_route, &route);
}

static void passwords_are_not_printed(void)
{
	struct gw_auth_login login = { (char *)"a", (char *)"hunter2hunter2" };
	g_autoptr(json_t) json = ort_json_print_safe(&gw_table_auth_login, &login);
	g_autofree char *text = ort_json_text(json);
	g_assert_null(strstr(text, "hunter2"));
}

static void walk_refs(const json_t *node, const json_t *schemas, int *n)
{
	const char *key;
	json_t *value;
	size_t i;
	if (json_is_object(node)) {
		json_object_foreach((json_t *)node, key, value) {
			if (strcmp(key, "$ref") == 0 && g_str_has_prefix(json_string_value(value), "#/components/schemas/")) {
				g_assert_nonnull(json_object_get(schemas, json_string_value(value) + strlen("#/components/schemas/")));
				(*n)++;
			}
			walk_refs(value, schemas, n);
		}
	}
	json_array_foreach((json_t *)node, i, value) {
		walk_refs(value, schemas, n);
	}
}

static void openapi_is_whole(void)
{
	int n = 0;
	g_autoptr(json_t) api = gw_api_openapi("https://gateway.example");
	g_assert_cmpstr(json_string_value(json_object_get(api, "openapi")), ==, "3.1.0");
	json_t *schemas = json_object_get(json_object_get(api, "components"), "schemas");
	walk_refs(api, schemas, &n);
	g_assert_cmpint(n, >, 60);
	json_t *paths = json_object_get(api, "paths");
	g_assert_nonnull(json_object_get(paths, "/api/v1/incident.open"));
	g_assert_null(json_object_get(paths, "/api/v1/rtc.offer"));
	json_t *websocket = json_object_get(api, "x-websocket");
	g_assert_nonnull(json_object_get(json_object_get(websocket, "methods"), "rtc.offer"));
}

static void descriptions_print(void)
{
	g_autofree char *md = gw_api_describe("markdown"), *words = gw_api_describe("words"), *json = gw_api_describe("json");
	g_assert_nonnull(strstr(md, "| `incident.open` |"));
	g_assert_nonnull(strstr(words, "\"\\\"rtc.offer\\\"\""));
	g_assert_true(json[0] == '{');
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/schema/methods_are_sane", methods_are_sane);
	g_test_add_func("/schema/open_doors_are_these", open_doors_are_these);
	g_test_add_func("/schema/errors_are_unique", errors_are_unique);
	g_test_add_func("/schema/empty_structs_print_and_clear", empty_structs_print_and_clear);
	g_test_add_func("/schema/null_stream_is_no_stream", null_stream_is_no_stream);
	g_test_add_func("/schema/passwords_are_not_printed", passwords_are_not_printed);
	g_test_add_func("/schema/openapi_is_whole", openapi_is_whole);
	g_test_add_func("/schema/descriptions_print", descriptions_print);
	return g_test_run();
}
