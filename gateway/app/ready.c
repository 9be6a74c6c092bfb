/* Standing readiness: who can be called quietly, when the night's check begins, and what pages are told of it. */
#include <string.h>
#include <time.h>

#include "gateway/app/calls_priv.h"
#include "gateway/app/ready_priv.h"
#include "gateway/app/rooms_priv.h"

#define ONCE_A_NIGHT_MS (12 * 3600 * 1000LL)

/* ---- whom ---- */
static bool sip_answers(const gw_app *app, const char *site)
{
	const char *const *list = ort_conf_strv(app->options.conf, "ready.sip_sites");
	return list != NULL && (g_strv_contains(list, site) || g_strv_contains(list, "*"));
}

static bool room_ready(gw_app *app, const char *address, struct gw_ready_site *ret)
{
	const char *device = address + strlen("device:");
	g_autoptr(json_t) o = gw_room_print(app->domain, device);
	ret->registered = gw_app_room_pages(app, device, NULL) > 0;
	ret->call = g_strcmp0(json_string_value(json_object_get(o, "answer")), "ask") != 0 && json_is_null(json_object_get(o, "call"));
	return true;
}

/* false: nobody could ever call it. */
static bool describe(gw_app *app, const json_t *site, struct gw_ready_site *ret)
{
	const char *id = json_string_value(json_object_get(site, "id")), *own = json_string_value(json_object_get(site, "address"));
	const char *room = gw_room_at(app->domain, id);
	*ret = (struct gw_ready_site){ .site = id };
	if (gw_room_known(app->domain, own) || ((own == NULL || own[0] == '\0') && room != NULL)) {
		return room_ready(app, gw_room_known(app->domain, own) ? own : room, ret);
	}
	const struct gw_app_endpoint *at = gw_app_endpoint_at(app, id);
	const char *user = own != NULL && g_str_has_prefix(own, "device:") ? own + strlen("device:") : at != NULL ? at->user : NULL;
	ret->registered = user != NULL ? app->registered != NULL && g_hash_table_contains(app->registered, user) : true;
	ret->call = sip_answers(app, id);
	return (own != NULL && own[0] != '\0') || at != NULL;
}

static bool is_wanted(char *const *sites, const char *id)
{
	return sites == NULL || g_strv_contains((const char *const *)sites, id);
}

static const char *run(gw_app *app, const char *actor, char *const *sites, GError **err)
{
	g_autoptr(json_t) directory = gw_directory_print(app->domain);
	const json_t *all = json_object_get(directory, "sites");
	g_autofree struct gw_ready_site *rows = g_new0(struct gw_ready_site, json_array_size(all) + 1);
	size_t n, k = 0;
	json_t *site;
	json_array_foreach(all, n, site) {
		bool known = is_wanted(sites, json_string_value(json_object_get(site, "id")));
		k += known && k < GW_READY_SITES && describe(app, site, &rows[k]);
	}
	const char *id = gw_ready_open(app->domain, actor, rows, k, gw_app_now(), err);
	gw_app_rearm(app);
	return id;
}

/* ---- when ---- */
void gw_app_ready_clock(gw_app *app)
{
	int64_t hour = ort_conf_int(app->options.conf, "ready.hour"), now_ms = ort_wall_ms(), last_ms = gw_ready_last_ms(app->domain);
	time_t s = (time_t)(now_ms / 1000);
	struct tm local;
	if (hour < 0 || localtime_r(&s, &local) == NULL || local.tm_hour != hour || now_ms - last_ms < ONCE_A_NIGHT_MS || !app->hall) {
		return;
	}
	g_autoptr(GError) err = NULL;
	if (run(app, "clock", NULL, &err) == NULL && err->code != GW_DOMAIN_INVALID) {
		ort_log(ORT_LOG_WARNING, "app", "ready.run", "the night's readiness check did not begin", ORT_S("why", err->message));
	}
}

/* ---- telling ---- */
static bool is_staff(const struct gw_api_session *s, void *ud)
{
	return s->role >= GW_ROLE_ADMINISTRATOR && s->role <= GW_ROLE_AUDITOR;
}

void gw_app_ready_changed(gw_app *app, const struct gw_action *a)
{
	app->ready_dirty = true;
	gw_app_flush_soon(app);
}

void gw_app_ready_flush(gw_app *app)
{
	g_autoptr(json_t) o = app->ready_dirty ? gw_ready_print(app->domain, NULL) : NULL;
	app->ready_dirty = false;
	if (o != NULL) {
		gw_api_broadcast(app->api, is_staff, NULL, GW_EVENT_READY_CHANGED, &(struct gw_ev_ready){ o });
	}
}

/* ---- handlers ---- */
static void reply_ready(struct gw_ack *ack)
{
	g_autoptr(json_t) o = gw_ready_print(ack->app->domain, ack->id);
	if (o != NULL) {
		gw_api_reply(ack->call, &(struct gw_raw){ o });
	} else {
		gw_api_fail(ack->call, GW_ERROR_NOT_FOUND, NULL);
	}
}

static void run_now(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	char *const *sites = ((const struct gw_ready_run_request *)request)->sites;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	if (gw_app_refuse_writes(app, call)) {
		return;
	}
	const char *id = run(app, actor, sites != NULL && sites[0] != NULL ? sites : NULL, &err);
	gw_app_answer(app, call, id != NULL, err, reply_ready, id);
}

static void get(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	g_autoptr(json_t) o = gw_ready_print(((gw_app *)user_data)->domain, ((const struct gw_ready_ref *)request)->id);
	if (o != NULL) {
		gw_api_reply(call, &(struct gw_raw){ o });
	} else {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
	}
}

static void list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_ready_list *in = request;
	g_autoptr(json_t) all = gw_ready_list(((gw_app *)user_data)->domain, in->limit > 0 ? (unsigned)in->limit : 31);
	gw_api_reply(call, &(struct gw_ready_list_reply){ all });
}

void gw_app_bind_ready(gw_app *app)
{
	gw_api_bind(app->api, GW_METHOD_READY_RUN, run_now, app);
	gw_api_bind(app->api, GW_METHOD_READY_GET, get, app);
	gw_api_bind(app->api, GW_METHOD_READY_LIST, list, app);
}
