/* The protocol printed from its tables: one JSON document for programs, one Markdown page for people. */
#include "mcu/proto/proto.h"

static const struct ort_json_table *const tables[] = {
#define X(t) &mcu_table_##t,
	MCU_TABLES(X)
#undef X
};

static json_t *describe_methods(void)
{
	json_t *list = json_array();
	for (int i = 0; i < MCU_METHOD_N; i++) {
		const struct mcu_method_row *m = &mcu_methods[i];
		json_array_append_new(list, json_pack("{s:s, s:i, s:s, s:s, s:s}", "name", m->name, "since", m->since,
						      "request", m->request->name, "reply", m->reply->name, "doc", m->doc));
	}
	return list;
}

static json_t *describe_events(void)
{
	json_t *list = json_array();
	for (int i = 0; i < MCU_EVENT_N; i++) {
		const struct mcu_event_row *e = &mcu_events[i];
		json_array_append_new(list, json_pack("{s:s, s:i, s:s, s:s}", "name", e->name, "since", e->since, "body",
						      e->body->name, "doc", e->doc));
	}
	return list;
}

static json_t *describe_codecs(void)
{
	json_t *list = json_array();
	for (int i = 0; i < MCU_CODEC_N; i++) {
		const struct mcu_codec_row *c = &mcu_codecs[i];
		json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:i, s:i, s:s, s:s}", "name", c->name, "kind",
						      c->kind == 'A' ? "audio" : "video", "clock_hz",
						      (json_int_t)c->clock_hz, "channels", c->channels, "pt",
						      c->default_pt, "fmtp", c->fmtp, "doc", c->doc));
	}
	return list;
}

static json_t *describe_errors(void)
{
	json_t *list = json_array();
	for (int i = 0; i < MCU_ERROR_N; i++) {
		const struct mcu_error_row *e = &mcu_errors[i];
		json_array_append_new(list, json_pack("{s:i, s:s, s:i, s:i, s:s, s:s}", "code", e->code, "name", e->name,
						      "sip", e->sip, "h323", e->h323, "en", e->en, "zh", e->zh));
	}
	return list;
}

static char *describe_json(void)
{
	json_t *schemas = json_object();
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		json_object_set_new(schemas, tables[i]->name, ort_json_schema(tables[i]));
	}
	g_autoptr(json_t) root = json_pack("{s:i, s:i, s:o, s:o, s:o, s:o, s:o}", "proto", MCU_PROTO_VERSION, "id_max",
					   MCU_ID_MAX, "methods", describe_methods(), "events", describe_events(),
					   "codecs", describe_codecs(), "errors", describe_errors(), "tables", schemas);
	return ort_json_text(root);
}

static const char *type_name(const struct ort_json_field *f)
{
	static const char *const names[] = {
		[ORT_J_STR] = "text",	  [ORT_J_INT] = "integer", [ORT_J_DOUBLE] = "number", [ORT_J_BOOL] = "bool",
		[ORT_J_ENUM] = "one of", [ORT_J_OBJECT] = "object", [ORT_J_ARRAY] = "list of", [ORT_J_STRV] = "list of text",
		[ORT_J_RAW] = "any",
	};
	return names[f->type];
}

static void put_field(GString *md, const struct ort_json_field *f)
{
	g_string_append_printf(md, "| `%s` | %s", f->name, type_name(f));
	for (size_t i = 0; f->names && f->names[i]; i++) {
		g_string_append_printf(md, "%s `%s`", i ? "," : "", f->names[i]);
	}
	if (f->sub) {
		g_string_append_printf(md, " [%s](#%s)", f->sub->name, f->sub->name);
	}
	if (f->type == ORT_J_INT && (f->min != 0 || f->max != 0)) {
		g_string_append_printf(md, " %.0f..%.0f", f->min, f->max);
	}
	g_string_append_printf(md, " | %s | %s | %s |\n", f->flags & ORT_J_REQUIRED ? "yes" : "", f->unit ? f->unit : "",
			       f->doc);
}

static void put_tables(GString *md)
{
	g_string_append(md, "\n## Tables\n");
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		g_string_append_printf(md, "\n### %s\n\n", tables[i]->name);
		if (!tables[i]->n_fields) {
			g_string_append(md, "No members.\n");
			continue;
		}
		g_string_append(md, "| member | type | required | unit | meaning |\n|---|---|---|---|---|\n");
		for (size_t k = 0; k < tables[i]->n_fields; k++) {
			put_field(md, &tables[i]->fields[k]);
		}
	}
}

static char *describe_markdown(void)
{
	GString *md = g_string_new(NULL);
	g_string_append_printf(md, "# Control protocol of ortoo-mcu, version %d\n\n## Methods\n\n", MCU_PROTO_VERSION);
	g_string_append(md, "| method | since | request | reply | meaning |\n|---|---|---|---|---|\n");
	for (int i = 0; i < MCU_METHOD_N; i++) {
		const struct mcu_method_row *m = &mcu_methods[i];
		g_string_append_printf(md, "| `%s` | %d | [%s](#%s) | [%s](#%s) | %s |\n", m->name, m->since,
				       m->request->name, m->request->name, m->reply->name, m->reply->name, m->doc);
	}
	g_string_append(md, "\n## Events\n\n| event | since | body | meaning |\n|---|---|---|---|\n");
	for (int i = 0; i < MCU_EVENT_N; i++) {
		const struct mcu_event_row *e = &mcu_events[i];
		g_string_append_printf(md, "| `%s` | %d | [%s](#%s) | %s |\n", e->name, e->since, e->body->name,
				       e->body->name, e->doc);
	}
	g_string_append(md, "\n## Errors\n\n| code | name | SIP | Q.850 | English | 中文 |\n|---|---|---|---|---|---|\n");
	for (int i = 0; i < MCU_ERROR_N; i++) {
		const struct mcu_error_row *e = &mcu_errors[i];
		g_string_append_printf(md, "| %d | `%s` | %d | %d | %s | %s |\n", e->code, e->name, e->sip, e->h323, e->en,
				       e->zh);
	}
	g_string_append(md, "\n## Codecs\n\n| codec | clock | payload type | fmtp | meaning |\n|---|---|---|---|---|\n");
	for (int i = 0; i < MCU_CODEC_N; i++) {
		const struct mcu_codec_row *c = &mcu_codecs[i];
		g_string_append_printf(md, "| %s | %u | %u | `%s` | %s |\n", c->name, c->clock_hz, c->default_pt, c->fmtp,
				       c->doc);
	}
	put_tables(md);
	return g_string_free(md, FALSE);
}

char *mcu_proto_describe(const char *format)
{
	if (!g_strcmp0(format, "json")) {
		return describe_json();
	}
	return g_strcmp0(format, "markdown") ? NULL : describe_markdown();
}
