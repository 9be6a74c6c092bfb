/* Handlers: saved lists of roll calls and the hours at which they run by themselves. */
#include "gateway/app/app_priv.h"

static void reply_schedule(struct gw_ack *ack)
{
	g_autoptr(json_t) o = gw_schedule_print(ack->app->domain, ack->id);
	gw_api_reply(ack->call, &(struct gw_raw){ o });
}

static void put(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_schedule_put *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	struct gw_schedule_facts f = { .id = in->id, .name = in->name, .sites = (const char *const *)in->sites,
				       .ahead = in->ahead == 0 ? -1 : (int)MAX(in->ahead, 0), .minute = (int)in->minute, .days = (int)in->days,
				       .dwell_ms = in->dwell_ms, .hang_up = in->hang_up, .drill = in->drill };
	if (gw_app_refuse_writes(app, call)) {
		return;
	}
	const char *id = gw_schedule_put(app->domain, actor, &f, gw_app_now(), &err);
	gw_app_answer(app, call, id != NULL, err, reply_schedule, id);
}

static void remove_schedule(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_id_ref *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_schedule_remove(app->domain, actor, in->id, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, in->id);
}

static void list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	g_autoptr(json_t) all = gw_schedule_list(((gw_app *)user_data)->domain);
	gw_api_reply(call, &(struct gw_schedule_list_reply){ all });
}

void gw_app_bind_schedules(gw_app *app)
{
	gw_api_bind(app->api, GW_METHOD_ROLLCALL_SCHEDULE_PUT, put, app);
	gw_api_bind(app->api, GW_METHOD_ROLLCALL_SCHEDULE_REMOVE, remove_schedule, app);
	gw_api_bind(app->api, GW_METHOD_ROLLCALL_SCHEDULES, list, app);
}
