/* Incident reports for pages, paper and spreadsheets. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static json_t *recipients_json(const struct gw_report *r)
{
	json_t *list = json_array();
	for (unsigned n = 0; n < r->n_recipients; n++) {
		json_array_append_new(list, json_pack("{s:s,s:I,s:s?}", "name", r->f.recipients[n], "receipt_ms", (json_int_t)r->receipts[n].at_ms, "receipt_by",
						      r->receipts[n].by));
	}
	return list;
}

static json_t *report_json(const struct gw_report *r)
{
	const struct gw_rec_report_filed *f = &r->f;
	json_t *o = json_pack("{s:s,s:s,s:s,s:b,s:i,s:I,s:s,s:I,s:s,s:s}", "id", f->id, "incident", r->incident, "kind", gw_report_kind_names[f->kind], "spoken",
			      f->spoken, "nr", r->of_kind, "at_ms", (json_int_t)r->at_ms, "by", r->by, "time_ms", (json_int_t)f->time_ms, "place",
			      or_empty(f->place), "what", or_empty(f->what));
	json_t *more = json_pack("{s:I,s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "dead", (json_int_t)f->dead, "missing", (json_int_t)f->missing, "injured",
				 (json_int_t)f->injured, "casualties", or_empty(f->casualties), "measures", or_empty(f->measures), "contact", or_empty(f->contact),
				 "contact_phone", or_empty(f->contact_phone), "cause", or_empty(f->cause), "told_by", or_empty(f->told_by), "told_to",
				 or_empty(f->told_to), "recipients", recipients_json(r));
	json_object_update_new(o, more);
	return o;
}

static const char *state_of(const struct gw_report_due *due, struct gw_now now)
{
	if (due->done_ms != 0) {
		return due->done_ms <= due->due_ms ? "met" : "late";
	}
	return now.us >= due->due_us ? "over" : now.us >= due->warn_us ? "warning" : "running";
}

static json_t *deadlines_json(const gw_domain *d, const struct gw_report_case *c, struct gw_now now)
{
	json_t *list = json_array();
	for (int row = 0; row < GW_REPORT_ROW_N; row++) {
		const struct gw_report_row_info *info = &gw_report_rows[row];
		struct gw_report_due due;
		gw_report_due(d, c, (enum gw_report_row)row, &due);
		if (due.applies) {
			json_array_append_new(list, json_pack("{s:s,s:s,s:b,s:s,s:I,s:I,s:I,s:I,s:s}", "row", info->name, "kind", gw_report_kind_names[info->kind], "spoken",
							      info->spoken, "clause", info->clause, "from_ms", (json_int_t)due.from_ms, "warn_ms",
							      (json_int_t)due.warn_ms, "due_ms", (json_int_t)due.due_ms, "done_ms", (json_int_t)due.done_ms, "state",
							      state_of(&due, now)));
		}
	}
	return list;
}

json_t *gw_report_sheet(const gw_domain *d, const char *incident, struct gw_now now)
{
	const struct gw_incident *i = gw_incident_find(d, incident, NULL);
	const struct gw_report_case *c = i != NULL ? gw_report_case_of(d, i->id) : NULL;
	if (c == NULL) {
		return NULL;
	}
	json_t *reports = json_array();
	for (unsigned n = c->reports->len; n > 0; n--) {
		json_array_append_new(reports, report_json(c->reports->pdata[n - 1]));
	}
	return json_pack("{s:s,s:I,s:b,s:I,s:o,s:o}", "incident", i->id, "level", (json_int_t)i->level, "drill", i->drill, "closed_ms", (json_int_t)i->closed_ms,
			 "deadlines", deadlines_json(d, c, now), "reports", reports);
}

json_t *gw_report_paper(const gw_domain *d, const char *id)
{
	const struct gw_report *r = id != NULL ? g_hash_table_lookup(d->reports->by_id, id) : NULL;
	const struct gw_incident *i = r != NULL ? gw_incident_find(d, r->incident, NULL) : NULL;
	if (i == NULL) {
		return NULL;
	}
	json_t *o = report_json(r);
	json_object_update_new(o, json_pack("{s:I,s:s,s:s,s:I,s:b,s:I,s:I}", "number", (json_int_t)i->number, "incident_kind", i->kind, "incident_place", i->place, "level",
					    (json_int_t)i->level, "drill", i->drill, "t0_ms", (json_int_t)i->t0_ms, "closed_ms", (json_int_t)i->closed_ms));
	return o;
}

/* ---- for spreadsheets ---- */
static void put_text(GString *out, const char *text)
{
	g_string_append_c(out, ',');
	gw_csv_field(out, or_empty(text));
}

static void put_time(const gw_domain *d, GString *out, int64_t ms)
{
	g_autoptr(GDateTime) utc = ms != 0 ? g_date_time_new_from_unix_utc(ms / 1000) : NULL;
	g_autoptr(GDateTime) at = utc != NULL ? g_date_time_to_timezone(utc, d->duty->zone) : NULL;
	g_autofree char *text = at != NULL ? g_date_time_format(at, "%Y-%m-%d %H:%M:%S") : NULL;
	g_string_append_printf(out, ",%s", text != NULL ? text : "");
}

static void put_receipts(const gw_domain *d, GString *out, const struct gw_report *r)
{
	g_autoptr(GString) words = g_string_new(NULL);
	for (unsigned n = 0; n < r->n_recipients; n++) {
		g_autoptr(GString) when = g_string_new(NULL);
		put_time(d, when, r->receipts[n].at_ms);
		g_string_append_printf(words, "%s%s（%s %s）", n > 0 ? "；" : "", r->f.recipients[n], r->receipts[n].at_ms != 0 ? "签收" : "未签收", when->str + 1);
	}
	put_text(out, words->str);
}

static void put_report(const gw_domain *d, GString *out, const struct gw_incident *i, const struct gw_report *r)
{
	static const char *const levels[] = { "", "Ⅰ级", "Ⅱ级", "Ⅲ级", "Ⅳ级" }, *const kinds[] = { "首报", "续报", "终报" };
	const struct gw_rec_report_filed *f = &r->f;
	g_string_append_printf(out, "%" G_GINT64_FORMAT, i->number);
	put_text(out, i->kind);
	put_text(out, levels[CLAMP(i->level, 0, 4)]);
	g_string_append_printf(out, ",%s%s,%d", kinds[f->kind], f->spoken ? "（电话）" : "", r->of_kind);
	put_time(d, out, r->at_ms);
	put_text(out, r->by);
	put_time(d, out, f->time_ms);
	put_text(out, f->place);
	put_text(out, f->what);
	g_string_append_printf(out, ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT, f->dead, f->missing, f->injured);
	const char *const texts[] = { f->casualties, f->measures, f->contact, f->contact_phone, f->told_by, f->told_to };
	for (unsigned n = 0; n < G_N_ELEMENTS(texts); n++) {
		put_text(out, texts[n]);
	}
	put_receipts(d, out, r);
	put_text(out, f->cause);
	g_string_append(out, "\r\n");
}

char *gw_report_csv(const gw_domain *d, const char *incident)
{
	GString *out = g_string_new("\xEF\xBB\xBF事件,类别,等级,报告,次序,报告时间,报告人,发生时间,地点,情况,死亡,失踪,受伤,伤亡说明,已采取措施,联系人,联系电话,"
				    "口头报告人,口头受话人,接收单位与签收,原因\r\n");
	for (unsigned n = 0; n < d->order->len; n++) {
		const struct gw_incident *i = d->order->pdata[n];
		const struct gw_report_case *c = incident == NULL || strcmp(incident, i->id) == 0 ? gw_report_case_of(d, i->id) : NULL;
		for (unsigned k = 0; c != NULL && k < c->reports->len; k++) {
			put_report(d, out, i, c->reports->pdata[k]);
		}
	}
	return g_string_free(out, FALSE);
}
