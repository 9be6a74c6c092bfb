/* Data rights of the protocol: a matrix made from the methods table. Every method with each member of access.def set to an own,
 * a foreign, a read-only shared and a commandable object; every method and event must have its row. */
#include "gateway/api/api_priv.h"

#include <stdlib.h>
#include <string.h>

enum { READ, COMMAND, PLACE, LIST, NONE, WHOLE };	/* as access.c */

struct house { gw_api *api; int status; char *code; unsigned handled; };

/* Objects are named by what one may do with them. */
static bool may(const struct gw_api_session *s, const char *kind, const char *id, const json_t *object, bool command, void *user_data)
{
	return id != NULL && (g_str_has_prefix(id, "own") || g_str_has_prefix(id, "command") || (g_str_has_prefix(id, "read") && !command));
}

static enum gw_error authenticate(const char *token, const char *remote, struct gw_api_identity *ret, void *user_data)
{
	int role = gw_role_by_name(token);
	*ret = (struct gw_api_identity){ .auth = "a", .subject = "account:x", .name = "X", .role = (enum gw_role)role, .division = "banner" };
	return GW_ERROR_N;
}

static void handle(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	((struct house *)user_data)->handled++;
	gw_api_reply(call, NULL);
}

static void on_reply(const struct gw_api_rest_reply *reply, void *user_data)
{
	struct house *h = user_data;
	g_autoptr(json_t) body = json_loads(reply->body, JSON_DECODE_ANY, NULL);
	h->status = reply->status;
	g_free(h->code);
	h->code = g_strdup(json_string_value(json_object_get(json_object_get(body, "error"), "code")));
}

static bool send_nothing(struct gw_api_session *s, const char *text, size_t len)
{
	struct house *h = s->user;
	g_autoptr(json_t) message = json_loadb(text, len, 0, NULL);
	json_t *error = json_object_get(message, "error");
	g_free(h->code);
	h->code = g_strdup(json_string_value(json_object_get(json_object_get(error, "data"), "code")));
	return true;
}

static void close_nothing(struct gw_api_session *s, int code, const char *why)
{
}

static void house_init(struct house *h)
{
	static const struct gw_api_ops ops = { .authenticate = authenticate, .may = may };
	static const struct gw_api_limits limits = { 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 100, 64 };
	*h = (struct house){ .api = gw_api_new(&ops, &limits, NULL) };
	for (int m = 0; m < GW_METHOD_N; m++) {
		gw_api_bind(h->api, (enum gw_method)m, handle, h);
	}
}

static void house_finish(struct house *h)
{
	gw_api_free(h->api);
	g_free(h->code);
}

/* ---- the smallest request that the tables let through ---- */
static json_t *smallest(const struct ort_json_table *table);

static json_t *value_of(const struct ort_json_field *f)
{
	switch (f->type) {
	case ORT_J_STR:
		return json_string("own-1234567890");
	case ORT_J_INT:
		return json_integer((json_int_t)(f->min > 0 ? f->min : 0));
	case ORT_J_DOUBLE:
		return json_real(f->min > 0 ? f->min : 0);
	case ORT_J_BOOL:
		return json_true();
	case ORT_J_ENUM:
		return json_string(f->names[1] != NULL ? f->names[1] : f->names[0]);
	case ORT_J_OBJECT:
		return smallest(f->sub);
	case ORT_J_STRV:
		return json_pack("[s]", "own-1");
	case ORT_J_ARRAY:
		return json_array();
	default:
		return json_integer(1);
	}
}

static json_t *smallest(const struct ort_json_table *table)
{
	json_t *out = json_object();
	for (size_t n = 0; n < table->n_fields; n++) {
		if (table->fields[n].flags & ORT_J_REQUIRED) {
			json_object_set_new(out, table->fields[n].name, value_of(&table->fields[n]));
		}
	}
	return out;
}

static const struct ort_json_field *field_of(const struct ort_json_table *table, const char *name)
{
	for (size_t n = 0; n < table->n_fields; n++) {
		if (g_str_equal(table->fields[n].name, name)) {
			return &table->fields[n];
		}
	}
	g_error("access.def names %s, which %s lacks", name, table->name);
}

/* Sets the member of the path; lists get one item. */
static void set_path(json_t *object, const struct ort_json_table *table, const char *path, const char *id)
{
	g_auto(GStrv) parts = g_strsplit(path, ".", 2);
	const struct ort_json_field *f = field_of(table, parts[0]);
	if (f->type == ORT_J_STR) {
		json_object_set_new(object, parts[0], json_string(id));
	} else if (f->type == ORT_J_STRV) {
		json_object_set_new(object, parts[0], json_pack("[ss]", "own-1", id));
	} else {
		json_t *inner = json_object_get(object, parts[0]), *item = f->type == ORT_J_ARRAY ? smallest(f->sub) : json_incref(inner);
		item = item != NULL ? item : smallest(f->sub);
		set_path(item, f->sub, parts[1], id);
		json_object_set_new(object, parts[0], f->type == ORT_J_ARRAY ? json_pack("[o]", item) : item);
	}
}

static bool call(struct house *h, enum gw_method m, const json_t *params)
{
	const char *role = gw_methods[m].roles & (1U << GW_ROLE_ADMINISTRATOR) ? "administrator" : gw_methods[m].roles & (1U << GW_ROLE_WALL) ? "wall" : "field";
	h->handled = 0;
	if (gw_methods[m].flags & GW_METHOD_WS_ONLY) {
		static const struct gw_api_transport_ops transport = { send_nothing, close_nothing };
		struct gw_api_session *s = gw_api_session_open(h->api, &transport, "192.0.2.1", h);
		g_assert_cmpint(gw_api_session_authenticate(s, role), ==, GW_ERROR_N);
		g_autoptr(json_t) frame = json_pack("{s:s,s:i,s:s,s:O}", "jsonrpc", "2.0", "id", 1, "method", gw_methods[m].name, "params", params);
		char *text = json_dumps(frame, JSON_COMPACT);
		gw_api_dispatch(s, text, strlen(text), 1000000);
		free(text);
		gw_api_session_close(s);
	} else {
		char *text = json_dumps(params, JSON_COMPACT);
		(void)gw_api_call_rest(h->api, gw_methods[m].name, text, strlen(text), role, "192.0.2.1", 1000000, on_reply, h);
		free(text);
	}
	if (h->handled == 0) {
		g_assert_cmpstr(h->code, ==, "forbidden");
	}
	return h->handled == 1;
}

static const struct { const char *id; bool read, command; } situations[] = {
	{ "own-1", true, true }, { "foreign-1", false, false }, { "read-1", true, false }, { "command-1", true, true },
};

static json_t *request_of(enum gw_method m, const struct gw_access_row *all, size_t n_rows)
{
	json_t *params = smallest(gw_methods[m].request);
	bool placed = false;
	for (size_t n = 0; n < n_rows; n++) {
		if (all[n].method == m && all[n].right == PLACE && !placed) {
			placed = true;
			set_path(params, gw_methods[m].request, all[n].member, "own-1");
		}
	}
	return params;
}

static void every_method_is_allowed_or_refused_as_its_rows_say(void)
{
	struct house h;
	const struct gw_access_row *all;
	size_t n_rows = gw_access_rows(&all);
	unsigned asked = 0;
	house_init(&h);
	for (size_t n = 0; n < n_rows; n++) {
		const struct gw_access_row *row = &all[n];
		for (unsigned k = 0; k < G_N_ELEMENTS(situations) && row->right != NONE && row->right != LIST; k++) {
			g_autoptr(json_t) params = request_of(row->method, all, n_rows);
			bool want = row->right == READ ? situations[k].read : situations[k].command;
			if (row->right == WHOLE) {
				want = false;
			} else {
				set_path(params, gw_methods[row->method].request, row->member, situations[k].id);
			}
			if (call(&h, row->method, params) != want) {
				g_error("%s with %s = %s: %s", gw_methods[row->method].name, row->member, situations[k].id, want ? "refused" : "allowed");
			}
			asked++;
		}
	}
	g_assert_cmpuint(asked, >, 250);
	house_finish(&h);
}

static void every_method_and_event_has_a_row(void)
{
	const struct gw_access_row *all;
	size_t n_rows = gw_access_rows(&all);
	for (int m = 0; m < GW_METHOD_N; m++) {
		bool found = false;
		for (size_t n = 0; n < n_rows; n++) {
			found = found || all[n].method == (enum gw_method)m;
		}
		if (!found) {
			g_error("%s has no row in gateway/api/access.def", gw_methods[m].name);
		}
	}
	for (int e = 0; e < GW_EVENT_N; e++) {
		if (!gw_access_event((enum gw_event)e)->known) {
			g_error("event %s has no row in gateway/api/access.def", gw_events[e].name);
		}
	}
}

/* A row of access.def that names a member which a reply or a body has not would silently let everything through. */
static bool has_member(const struct ort_json_table *table, const char *name)
{
	const struct ort_json_table *of = gw_api_table_is_bare(table) ? gw_object_by_name(table->name + strlen("gw_table_")) : table;
	for (size_t n = 0; of != NULL && n < of->n_fields; n++) {
		if (g_str_equal(of->fields[n].name, name)) {
			return true;
		}
	}
	return false;
}

static void lists_and_bodies_have_what_their_rows_name(void)
{
	const struct gw_access_row *all;
	size_t n_rows = gw_access_rows(&all);
	for (size_t n = 0; n < n_rows; n++) {
		if (all[n].right == LIST && !has_member(gw_methods[all[n].method].reply, all[n].member)) {
			g_error("%s: its reply has no %s", gw_methods[all[n].method].name, all[n].member);
		}
	}
	for (int e = 0; e < GW_EVENT_N; e++) {
		const struct gw_access_event_row *row = gw_access_event((enum gw_event)e);
		g_auto(GStrv) path = g_strsplit(row->path != NULL ? row->path : "", ".", 2);
		if (row->kind != NULL && !has_member(gw_events[e].body, path[0])) {
			g_error("event %s: its body has no %s", gw_events[e].name, path[0]);
		}
	}
}

static void a_new_object_of_the_house_needs_the_house(void)
{
	struct house h;
	house_init(&h);
	g_autoptr(json_t) params = json_pack("{s:s,s:{s:s}}", "kind", "site", "item", "name", "Somewhere");
	g_assert_false(call(&h, GW_METHOD_DIRECTORY_PUT, params));
	set_path(params, gw_methods[GW_METHOD_DIRECTORY_PUT].request, "item.division", "own-1");
	g_assert_true(call(&h, GW_METHOD_DIRECTORY_PUT, params));
	house_finish(&h);
}

static void lists_show_what_may_be_read(void)
{
	struct house h;
	house_init(&h);
	struct gw_api_session *s = gw_api_session_open(h.api, &(struct gw_api_transport_ops){ send_nothing, close_nothing }, "192.0.2.1", &h);
	g_assert_cmpint(gw_api_session_authenticate(s, "viewer"), ==, GW_ERROR_N);
	json_t *reply = json_pack("{s:[{s:s},{s:s},{s:s}]}", "incidents", "id", "own-1", "id", "foreign-1", "id", "read-1");
	json_t *before = json_incref(reply);
	gw_access_filter(s, GW_METHOD_INCIDENT_LIST, &reply);
	json_t *list = json_object_get(reply, "incidents");
	g_assert_cmpuint(json_array_size(list), ==, 2);
	g_assert_cmpstr(json_string_value(json_object_get(json_array_get(list, 1), "id")), ==, "read-1");
	g_assert_cmpuint(json_array_size(json_object_get(before, "incidents")), ==, 3);
	json_decref(before);
	json_decref(reply);
	static const struct { const char *text; enum gw_event event; bool want; } rows[] = {
		{ "{\"incident\":{\"id\":\"own-1\"}}", GW_EVENT_INCIDENT_CHANGED, true },
		{ "{\"incident\":{\"id\":\"foreign-1\"}}", GW_EVENT_INCIDENT_CHANGED, false },
		{ "{\"conference\":\"foreign-1\",\"party\":\"own-1\"}", GW_EVENT_PARTY_LEVEL, false },
		{ "{}", GW_EVENT_TRUNK_CHANGED, true },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_autoptr(json_t) body = json_loads(rows[n].text, 0, NULL);
		g_assert_cmpint(gw_access_hears(s, rows[n].event, body), ==, rows[n].want);
	}
	gw_api_session_close(s);
	house_finish(&h);
}

static enum gw_error limited(const char *token, const char *remote, struct gw_api_identity *ret, void *user_data)
{
	*ret = (struct gw_api_identity){ .auth = "a", .subject = "account:x", .name = "X", .role = GW_ROLE_ADMINISTRATOR, .limited = true };
	return GW_ERROR_N;
}

static void without_a_second_factor_only_the_first_steps(void)
{
	struct house h;
	house_init(&h);
	gw_api_free(h.api);
	h.api = gw_api_new(&(struct gw_api_ops){ .authenticate = limited }, NULL, NULL);
	for (int m = 0; m < GW_METHOD_N; m++) {
		gw_api_bind(h.api, (enum gw_method)m, handle, &h);
	}
	(void)gw_api_call_rest(h.api, "totp.begin", "", 0, "t", "192.0.2.1", 1000000, on_reply, &h);
	g_assert_cmpint(h.status, ==, 200);
	(void)gw_api_call_rest(h.api, "account.list", "", 0, "t", "192.0.2.1", 1000000, on_reply, &h);
	g_assert_cmpstr(h.code, ==, "second_factor");
	house_finish(&h);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/api/access/rows", every_method_and_event_has_a_row);
	g_test_add_func("/api/access/members", lists_and_bodies_have_what_their_rows_name);
	g_test_add_func("/api/access/matrix", every_method_is_allowed_or_refused_as_its_rows_say);
	g_test_add_func("/api/access/place", a_new_object_of_the_house_needs_the_house);
	g_test_add_func("/api/access/lists", lists_show_what_may_be_read);
	g_test_add_func("/api/access/limited", without_a_second_factor_only_the_first_steps);
	return g_test_run();
}
