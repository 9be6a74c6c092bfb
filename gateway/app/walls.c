/* Handlers: walls and the directory. */
#include <string.h>

#include "gateway/app/app_priv.h"

static void list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	g_autoptr(json_t) walls = gw_wall_list(app->domain);
	gw_api_reply(call, &(struct gw_wall_list_reply){ walls });
}

static void layout(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_wall_layout *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_wall_layout(app->domain, actor, in->wall, (int)in->layout, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_wall, in->wall);
}

static void reply_window(struct gw_ack *ack)
{
	gw_api_reply(ack->call, &(struct gw_wall_push_reply){ ack->n });
}

static void push(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_wall_push *in = request;
	GError *err = NULL;
	int window = 0;
	g_autofree char *actor = gw_app_actor(s);
	if (!gw_wall_push(app->domain, actor, in->wall, in->scene, (int)in->window, gw_app_now(), &window, &err)) {
		gw_app_fail(call, err);
		return;
	}
	gw_app_ack(app, call, reply_window, NULL, NULL, window);
}

static void clear(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_wall_clear *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	int window = json_is_integer(in->window) ? (int)json_integer_value(in->window) : 0;
	if (!json_is_integer(in->window) && g_strcmp0(json_string_value(in->window), "*") != 0) {
		gw_api_fail(call, GW_ERROR_INVALID, "window: a number, or \"*\"");
		return;
	}
	bool ok = gw_wall_clear(app->domain, actor, in->wall, window, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_wall, in->wall);
}

static void report(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	static const enum gw_window_state states[] = {
		[GW_WALL_DRAWN] = GW_WINDOW_DRAWN, [GW_WALL_FROZEN] = GW_WINDOW_FROZEN, [GW_WALL_LOST] = GW_WINDOW_LOST,
	};
	gw_app *app = user_data;
	const struct gw_wall_report *in = request;
	const char *wall = gw_app_wall_of(s);
	GError *err = NULL;
	if (wall == NULL || !gw_wall_report(app->domain, wall, (int)in->window, in->stream, states[in->state],
					    in->at_ms != 0 ? in->at_ms : ort_wall_ms(), gw_app_now(), &err)) {
		gw_app_fail(call, err != NULL ? err : g_error_new(GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "this is not a wall"));
		return;
	}
	gw_app_ack(app, call, gw_ack_empty, NULL, NULL, 0);
}

/* ---- directory ---- */
static void directory_get(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	g_autoptr(json_t) all = gw_directory_print(app->domain);
	gw_api_reply(call, &(struct gw_raw){ all });
}

static void reply_id(struct gw_ack *ack)
{
	gw_api_reply(ack->call, &(struct gw_id_ref){ ack->id });
}

static void directory_put(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_directory_put *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	g_autoptr(json_t) item = ort_json_print(&gw_table_directory_item, &in->item);
	g_autofree char *made = in->item.id == NULL || in->item.id[0] == '\0'
					? g_strdup_printf("%s-%08x", in->kind, g_random_int())
					: g_strdup(in->item.id);
	json_object_set_new(item, "id", json_string(made));
	bool ok = gw_directory_put(app->domain, actor, in->kind, item, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, reply_id, made);
}

static void directory_remove(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_directory_ref *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_directory_remove(app->domain, actor, in->kind, in->id, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

static void directory_export(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	g_autofree char *actor = gw_app_actor(s);
	g_autofree char *csv = gw_directory_export(app->domain);
	gw_app_remember(app, "directory.exported", actor, NULL, NULL);
	gw_api_reply(call, &(struct gw_directory_csv){ csv });
}

static struct ort_json_array errors_of(const json_t *result)
{
	const json_t *errors = json_object_get(result, "errors");
	size_t n;
	json_t *row;
	struct gw_import_error *items = g_new0(struct gw_import_error, json_array_size(errors) + 1);
	json_array_foreach(errors, n, row) {
		items[n].line = json_integer_value(json_object_get(row, "line"));
		items[n].code = (char *)(uintptr_t)json_string_value(json_object_get(row, "code"));
		items[n].value = (char *)(uintptr_t)json_string_value(json_object_get(row, "value"));
		items[n].why = (char *)(uintptr_t)json_string_value(json_object_get(row, "why"));
	}
	return (struct ort_json_array){ items, json_array_size(errors) };
}

static void reply_import(struct gw_ack *ack)
{
	g_autoptr(json_t) r = ort_json_parse(ack->extra, strlen(ack->extra), 1 << 20, NULL);
	struct gw_directory_import_reply reply = { json_integer_value(json_object_get(r, "added")),
						   json_integer_value(json_object_get(r, "changed")),
						   json_integer_value(json_object_get(r, "removed")), errors_of(r) };
	gw_api_reply(ack->call, &reply);
	g_free(reply.errors.items);
}

static void directory_import(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_directory_import *in = request;
	g_autofree char *actor = gw_app_actor(s);
	g_autoptr(json_t) result = gw_directory_import(app->domain, actor, in->csv, in->dry_run, gw_app_now());
	g_autofree char *text = ort_json_text(result);
	gw_app_ack(app, call, reply_import, NULL, text, 0);
}

static void bind(gw_app *app, enum gw_method method, gw_api_handler_fn fn)
{
	gw_api_bind(app->api, method, fn, app);
}

void gw_app_bind_walls(gw_app *app)
{
	bind(app, GW_METHOD_WALL_LIST, list);
	bind(app, GW_METHOD_WALL_LAYOUT, layout);
	bind(app, GW_METHOD_WALL_PUSH, push);
	bind(app, GW_METHOD_WALL_CLEAR, clear);
	bind(app, GW_METHOD_WALL_REPORT, report);
}

void gw_app_bind_directory(gw_app *app)
{
	bind(app, GW_METHOD_DIRECTORY_GET, directory_get);
	bind(app, GW_METHOD_DIRECTORY_PUT, directory_put);
	bind(app, GW_METHOD_DIRECTORY_REMOVE, directory_remove);
	bind(app, GW_METHOD_DIRECTORY_EXPORT, directory_export);
	bind(app, GW_METHOD_DIRECTORY_IMPORT, directory_import);
}
