/* Handlers: incident reports (信息报告), and their news to pages. */
#include "gateway/app/app_priv.h"

static bool is_staff(const struct gw_api_session *s, void *ud)
{
	return s->role >= GW_ROLE_ADMINISTRATOR && s->role <= GW_ROLE_AUDITOR;
}

void gw_app_report_flush(gw_app *app, const char *incident)
{
	g_autoptr(json_t) sheet = gw_report_sheet(app->domain, incident, gw_app_now());
	if (sheet != NULL) {
		gw_api_broadcast(app->api, is_staff, NULL, GW_EVENT_REPORT_CHANGED, &(struct gw_ev_report){ sheet });
	}
}

void gw_app_report_changed(gw_app *app, const char *incident)
{
	g_hash_table_add(app->dirty_reports, g_strdup(incident));
	gw_app_flush_soon(app);
}

static void give(gw_api_call *call, json_t *o)
{
	if (o != NULL) {
		gw_api_reply(call, &(struct gw_raw){ o });
	} else {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
	}
	json_decref(o);
}

static void reply_sheet(struct gw_ack *ack)
{
	give(ack->call, gw_report_sheet(ack->app->domain, ack->id, gw_app_now()));
}

static void sheet(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	give(call, gw_report_sheet(((gw_app *)user_data)->domain, ((const struct gw_report_ref *)request)->incident, gw_app_now()));
}

static void file(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_report_file *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	struct gw_report_facts f = { in->incident, (enum gw_report_kind)in->kind, in->spoken, in->time_ms, in->place, in->what, in->casualties, in->measures,
				     in->contact, in->contact_phone, in->cause, in->told_by, in->told_to, in->dead, in->missing, in->injured,
				     (const char *const *)in->recipients };
	if (gw_app_refuse_writes(app, call)) {
		return;
	}
	const char *id = gw_report_file(app->domain, actor, &f, gw_app_now(), &err);
	gw_app_answer(app, call, id != NULL, err, reply_sheet, in->incident);
}

static void receipt(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_report_receipt *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s), *incident = g_strdup(gw_report_incident(app->domain, in->id));
	bool ok = gw_report_receipt(app->domain, actor, in->id, in->recipient, in->by, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, reply_sheet, incident);
}

/* After the barrier: the head that it names covers all that it tells. */
static void reply_paper(struct gw_ack *ack)
{
	json_t *o = gw_report_paper(ack->app->domain, ack->id);
	if (o != NULL) {
		json_object_set_new(o, "issued_ms", json_integer(ort_wall_ms()));
		gw_app_put_proof(ack->app, o);
	}
	give(ack->call, o);
}

static void paper(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app_ack(user_data, call, reply_paper, ((const struct gw_id_ref *)request)->id, NULL, 0);
}

static void export(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	g_autofree char *csv = gw_report_csv(((gw_app *)user_data)->domain, ((const struct gw_report_export *)request)->incident);
	gw_api_reply(call, &(struct gw_duty_csv){ csv });
}

void gw_app_bind_reports(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_REPORT_SHEET, sheet }, { GW_METHOD_REPORT_FILE, file },	{ GW_METHOD_REPORT_RECEIPT, receipt },
		{ GW_METHOD_REPORT_PAPER, paper }, { GW_METHOD_REPORT_EXPORT, export },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
}
