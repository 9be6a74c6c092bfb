/* Handlers: the auditor's reader and its export. */
#include <string.h>

#include "gateway/app/app_priv.h"

static int64_t last_of(const json_t *records)
{
	const json_t *last = json_array_get(records, json_array_size(records) - 1);
	return json_integer_value(json_object_get(last, "seq"));
}

static void on_records(json_t *records, const char *why, void *user_data)
{
	gw_api_call *call = user_data;
	if (records == NULL) {
		gw_api_fail(call, GW_ERROR_STORAGE, why);
		return;
	}
	gw_api_reply(call, &(struct gw_log_records){ records, last_of(records) });
}

static const char *or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static void list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_log_list *in = request;
	struct gw_log_query q = { .after_seq = in->after_seq, .limit = in->limit > 0 ? (unsigned)MIN(in->limit, 1000) : 200, .type = or_null(in->type),
				  .incident = or_null(in->incident), .conference = or_null(in->conference), .actor = or_null(in->actor),
				  .text = or_null(in->text), .before_seq = in->before_seq, .from_ms = in->from_ms, .to_ms = in->to_ms,
				  .newest = in->newest };
	gw_store_query(((gw_app *)user_data)->store, &q, on_records, call);
}

/* ---- export ---- */
/* RFC 4180; a field that a spreadsheet would take for a formula gets an apostrophe. */
static void put_field(GString *out, const char *text, char end)
{
	bool formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
	g_string_append_c(out, '"');
	if (formula) {
		g_string_append_c(out, '\'');
	}
	for (; *text != '\0'; text++) {
		if (*text == '"') {
			g_string_append_c(out, '"');
		}
		g_string_append_c(out, *text);
	}
	g_string_append_c(out, '"');
	g_string_append(out, end == '\n' ? "\r\n" : ",");
}

static const char *text_of(const json_t *record, const char *member)
{
	const char *text = json_string_value(json_object_get(record, member));
	return text != NULL ? text : "";
}

static void put_row(GString *out, const json_t *record)
{
	int64_t at_ms = json_integer_value(json_object_get(record, "at_ms"));
	g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(at_ms / 1000);
	g_autofree char *second = g_date_time_format(utc, "%Y-%m-%dT%H:%M:%S");
	g_autofree char *body = ort_json_text(json_object_get(record, "body"));
	g_string_append_printf(out, "%" JSON_INTEGER_FORMAT ",%s.%03dZ,", json_integer_value(json_object_get(record, "seq")), second,
			       (int)(at_ms % 1000));
	put_field(out, text_of(record, "actor"), ',');
	put_field(out, text_of(record, "type"), ',');
	put_field(out, text_of(record, "incident"), ',');
	put_field(out, body, ',');
	put_field(out, text_of(record, "hash"), '\n');
}

static void on_export(json_t *records, const char *why, void *user_data)
{
	gw_api_call *call = user_data;
	size_t n, all = json_array_size(records);
	const json_t *record;
	if (records == NULL) {
		gw_api_fail(call, GW_ERROR_STORAGE, why);
		return;
	}
	g_autoptr(GString) csv = g_string_new("\xEF\xBB\xBFseq,time_utc,actor,type,incident,facts,hash\r\n");
	json_array_foreach(records, n, record) {
		if (n < GW_STORE_MOST - 1) {
			put_row(csv, record);
		}
	}
	gw_api_reply(call, &(struct gw_log_export_reply){ csv->str, (int64_t)MIN(all, GW_STORE_MOST - 1), all == GW_STORE_MOST });
}

static void export(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_log_export *in = request;
	struct gw_log_query q = { .after_seq = in->after_seq, .limit = GW_STORE_MOST, .type = or_null(in->type), .incident = or_null(in->incident),
				  .conference = or_null(in->conference), .actor = or_null(in->actor), .text = or_null(in->text),
				  .from_ms = in->from_ms, .to_ms = in->to_ms };
	g_autofree char *actor = gw_app_actor(s);
	gw_app_remember(app, "log.exported", actor, NULL, NULL);
	gw_store_query(app->store, &q, on_export, call);
}

void gw_app_bind_audit(gw_app *app)
{
	gw_api_bind(app->api, GW_METHOD_LOG_LIST, list, app);
	gw_api_bind(app->api, GW_METHOD_LOG_EXPORT, export, app);
}
