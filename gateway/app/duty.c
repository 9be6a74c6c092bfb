/* Handlers: duty (值班) - roster, alarms that stand, hand-over, watch log, daily reports, contact list. And its rules from the
 * configuration, and its news to pages. */
#include <string.h>

#include "gateway/app/app_priv.h"

/* ---- rules ---- */
bool gw_app_duty_rules(gw_app *app, char **ret_why)
{
	const ort_conf *conf = app->options.conf;
	const char *const *shifts = ort_conf_strv(conf, "duty.shifts");
	struct gw_duty_rules rules;
	gw_duty_default_rules(&rules);
	rules.zone = ort_conf_str(conf, "duty.zone");
	rules.roster_day = (int)ort_conf_int(conf, "duty.roster_day");
	rules.remind_days = (int)ort_conf_int(conf, "duty.roster_remind_days");
	rules.stale_days = (int)ort_conf_int(conf, "duty.contact_days");
	rules.carry_ms = ort_conf_int(conf, "duty.carry");
	rules.zero_min = gw_duty_read_minute(ort_conf_str(conf, "duty.zero_by"));
	rules.n_shifts = 0;
	for (unsigned n = 0; shifts != NULL && shifts[n] != NULL; n++) {
		if (n >= GW_DUTY_SHIFTS || !gw_duty_read_shift(shifts[n], &rules.shifts[n])) {
			*ret_why = g_strdup_printf("duty.shifts: \"%s\": at most %d rows of \"name HH:MM HH:MM\"", shifts[n], GW_DUTY_SHIFTS);
			return false;
		}
		rules.n_shifts++;
	}
	if (rules.zero_min < 0) {
		*ret_why = g_strdup("duty.zero_by: HH:MM is wanted");
		return false;
	}
	gw_duty_set_rules(app->domain, &rules);
	return true;
}

/* ---- news ---- */
static bool is_staff(const struct gw_api_session *s, void *ud)
{
	return s->role >= GW_ROLE_ADMINISTRATOR && s->role <= GW_ROLE_AUDITOR;
}

void gw_app_duty_changed(gw_app *app, const char *what)
{
	g_hash_table_add(app->dirty_duty, g_strdup(what));
	gw_app_flush_soon(app);
}

void gw_app_duty_flush(gw_app *app, const char *what)
{
	gw_api_broadcast(app->api, is_staff, NULL, GW_EVENT_DUTY_CHANGED, &(struct gw_ev_duty){ (char *)(uintptr_t)what });
}

void gw_app_duty_alarm(gw_app *app, const char *key)
{
	g_autoptr(json_t) alarm = gw_duty_alarm_print(app->domain, key);
	if (alarm != NULL && app->started) {
		gw_api_broadcast(app->api, is_staff, NULL, GW_EVENT_DUTY_ALARM, &(struct gw_ev_duty_alarm){ alarm });
	}
}

/* ---- answering ---- */
static void give(gw_api_call *call, json_t *o)
{
	if (o != NULL) {
		gw_api_reply(call, &(struct gw_raw){ o });
	} else {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
	}
	json_decref(o);
}

static void give_csv(gw_api_call *call, char *csv)
{
	gw_api_reply(call, &(struct gw_duty_csv){ csv });
	g_free(csv);
}

static bool month_ok(gw_api_call *call, const char *month)
{
	bool ok = strlen(month) == 7 && gw_duty_month_ok(month);
	if (!ok) {
		gw_api_fail(call, GW_ERROR_INVALID, "month: YYYY-MM");
	}
	return ok;
}

/* ---- roster ---- */
static void roster(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_duty_roster *in = request;
	if (in->month == NULL || month_ok(call, in->month)) {
		give(call, gw_duty_month(((gw_app *)user_data)->domain, in->month, in->place, gw_app_now()));
	}
}

static void roster_put(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_duty_roster_put *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	struct gw_duty_cell_facts f = { in->place, in->day, in->shift, in->leader, (const char *const *)in->people };
	if (gw_app_refuse_writes(app, call)) {
		return;
	}
	bool ok = gw_duty_put(app->domain, actor, &f, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

static void reply_import(struct gw_ack *ack)
{
	g_autoptr(json_t) o = json_loads(ack->extra, 0, NULL);
	const json_t *errors = json_object_get(o, "errors");
	size_t n = json_array_size(errors);
	g_autofree struct gw_import_error *rows = g_new0(struct gw_import_error, n + 1);
	for (size_t k = 0; k < n; k++) {
		const json_t *e = json_array_get(errors, k);
		rows[k] = (struct gw_import_error){ json_integer_value(json_object_get(e, "line")), (char *)(uintptr_t)json_string_value(json_object_get(e, "code")),
						    (char *)(uintptr_t)json_string_value(json_object_get(e, "value")),
						    (char *)(uintptr_t)json_string_value(json_object_get(e, "why")) };
	}
	struct gw_duty_import_reply reply = { json_integer_value(json_object_get(o, "added")), json_integer_value(json_object_get(o, "changed")), { rows, n } };
	gw_api_reply(ack->call, &reply);
}

static void roster_import(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_duty_import *in = request;
	g_autofree char *actor = gw_app_actor(s);
	if (gw_app_refuse_writes(app, call)) {
		return;
	}
	g_autoptr(json_t) o = gw_duty_import(app->domain, actor, s->division, in->csv, in->dry_run, gw_app_now());
	g_autofree char *text = json_dumps(o, 0);
	gw_app_ack(app, call, reply_import, NULL, text, 0);
}

static void roster_export(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_duty_month_ref *in = request;
	if (month_ok(call, in->month)) {
		give_csv(call, gw_duty_export(((gw_app *)user_data)->domain, in->month));
	}
}

static void on_duty_now(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	give(call, gw_duty_now(((gw_app *)user_data)->domain, ((const struct gw_duty_place_ref *)request)->place, gw_app_now()));
}

/* ---- alarms ---- */
static void alarms(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	g_autoptr(json_t) all = gw_duty_alarms(((gw_app *)user_data)->domain);
	gw_api_reply(call, &(struct gw_duty_alarms_reply){ all });
}

static void alarm_ack(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_duty_alarm_ack(app->domain, actor, ((const struct gw_duty_alarm_ref *)request)->key, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

/* ---- hand-over ---- */
/* An account of a division means its own watch when it names none. */
static const char *own_watch(const struct gw_api_session *s, const char *place)
{
	return place != NULL ? place : s->division;
}

static void reply_sheet(struct gw_ack *ack)
{
	give(ack->call, gw_handover_sheet(ack->app->domain, ack->id, gw_app_now()));
}

static void sheet(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const char *place = ((const struct gw_duty_place_ref *)request)->place;
	give(call, gw_handover_sheet(((gw_app *)user_data)->domain, own_watch(s, place), gw_app_now()));
}

static void begin(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_handover_begin *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	const char *place = own_watch(s, in->place);
	const char *id = gw_handover_begin(app->domain, actor, place, in->from, in->to, in->notes, gw_app_now(), &err);
	gw_app_answer(app, call, id != NULL, err, reply_sheet, place);
}

static void complete(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_handover_complete *in = request;
	const struct gw_handover_carry *rows = in->carried.items;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s), *place = g_strdup(gw_handover_place(app->domain, in->id));
	g_autofree struct gw_duty_carry *carried = g_new0(struct gw_duty_carry, in->carried.n + 1);
	for (size_t n = 0; n < in->carried.n; n++) {
		carried[n] = (struct gw_duty_carry){ rows[n].key, rows[n].reason };
	}
	bool ok = gw_handover_complete(app->domain, actor, in->id, carried, in->carried.n, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, reply_sheet, place);
}

static void cancel(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_id_ref *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s), *place = g_strdup(gw_handover_place(app->domain, in->id));
	bool ok = gw_handover_cancel(app->domain, actor, in->id, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, reply_sheet, place);
}

/* ---- watch log ---- */
static void watch_list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_watch_list *in = request;
	struct gw_watch_filter f = { in->from_ms, in->to_ms, in->kind, in->person, in->limit > 0 ? (unsigned)in->limit : 200 };
	g_autoptr(json_t) entries = gw_watch_list(((gw_app *)user_data)->domain, &f);
	gw_api_reply(call, &(struct gw_watch_list_reply){ entries });
}

static void watch_note(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_watch_note *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	if (gw_app_refuse_writes(app, call)) {
		return;
	}
	bool ok = gw_watch_note(app->domain, actor, own_watch(s, in->place), in->person, in->text, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

/* ---- daily reports ---- */
/* A room reports for the place that it stands in, and for no other. */
static const char *place_of(gw_app *app, const struct gw_api_session *s)
{
	bool device = s->subject != NULL && g_str_has_prefix(s->subject, "device:");
	return device ? gw_duty_place_of_room(app->domain, s->subject + strlen("device:")) : NULL;
}

static void zero_report(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_zero_report *in = request;
	GError *err = NULL;
	bool room = s->role == GW_ROLE_ROOM;
	const char *place = room ? place_of(app, s) : in->place;
	g_autofree char *actor = room ? g_strconcat("room:", s->name, NULL) : gw_app_actor(s);
	if (room && place == NULL) {
		gw_api_fail(call, GW_ERROR_STATE, "this room stands at no site: an administrator says where");
		return;
	}
	if (gw_app_refuse_writes(app, call)) {
		return;
	}
	bool ok = gw_zero_report(app->domain, actor, place, in->nothing, in->text, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

static void keep_place(json_t *day, const char *place)
{
	json_t *own = json_array(), *row;
	size_t n;
	json_array_foreach(json_object_get(day, "places"), n, row) {
		if (g_strcmp0(json_string_value(json_object_get(row, "place")), place) == 0) {
			json_array_append(own, row);
		}
	}
	json_object_set_new(day, "places", own);
}

static void zero_day(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const char *day = ((const struct gw_zero_day_ref *)request)->day;
	if (day != NULL && (strlen(day) != 10 || !gw_duty_month_ok(day))) {
		gw_api_fail(call, GW_ERROR_INVALID, "day: YYYY-MM-DD");
		return;
	}
	json_t *o = gw_zero_day(app->domain, day, gw_app_now());
	if (s->role == GW_ROLE_ROOM) {
		keep_place(o, place_of(app, s));
	}
	give(call, o);
}

static void zero_month(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_duty_month_ref *in = request;
	if (month_ok(call, in->month)) {
		give(call, gw_zero_month(((gw_app *)user_data)->domain, in->month, gw_app_now()));
	}
}

static void zero_export(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_duty_month_ref *in = request;
	if (month_ok(call, in->month)) {
		give_csv(call, gw_zero_csv(((gw_app *)user_data)->domain, in->month, gw_app_now()));
	}
}

/* ---- contacts ---- */
static void contacts(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	give(call, gw_contact_list(((gw_app *)user_data)->domain, gw_app_now()));
}

static void contacts_export(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	give_csv(call, gw_contact_csv(((gw_app *)user_data)->domain, gw_app_now()));
}

static void verify(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_contact_verify(app->domain, actor, ((const struct gw_contact_ref *)request)->person, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

void gw_app_bind_duty(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_DUTY_ROSTER, roster },		 { GW_METHOD_DUTY_ROSTER_PUT, roster_put },
		{ GW_METHOD_DUTY_ROSTER_IMPORT, roster_import }, { GW_METHOD_DUTY_ROSTER_EXPORT, roster_export },
		{ GW_METHOD_DUTY_NOW, on_duty_now },		 { GW_METHOD_DUTY_ALARMS, alarms },
		{ GW_METHOD_DUTY_ALARM_ACK, alarm_ack },	 { GW_METHOD_HANDOVER_SHEET, sheet },
		{ GW_METHOD_HANDOVER_BEGIN, begin },		 { GW_METHOD_HANDOVER_COMPLETE, complete },
		{ GW_METHOD_HANDOVER_CANCEL, cancel },		 { GW_METHOD_WATCH_LIST, watch_list },
		{ GW_METHOD_WATCH_NOTE, watch_note },		 { GW_METHOD_ZERO_REPORT, zero_report },
		{ GW_METHOD_ZERO_DAY, zero_day },		 { GW_METHOD_ZERO_MONTH, zero_month },
		{ GW_METHOD_ZERO_EXPORT, zero_export },		 { GW_METHOD_CONTACT_EXPORT, contacts_export },
		{ GW_METHOD_CONTACT_LIST, contacts },		 { GW_METHOD_CONTACT_VERIFY, verify },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
}
