/* Description of the result objects: tables without structs, for OpenAPI only. */
#include "gateway/api/api_priv.h"

#include <string.h>

enum { NULLABLE = 1 << 16, OPTIONAL = 1 << 17, LONG = 65536 };

#define F(m, type_, flags_, max_, unit_, doc_) { .name = #m, .type = (type_), .flags = (flags_), .max = (max_), .unit = (unit_), .doc = (doc_) }
#define FSUB(m, type_, flags_, o, doc_)                                                                               \
	{ .name = #m, .type = (type_), .flags = (flags_), .max = 10000, .doc = (doc_), .sub = &object_##o }
#define STR(m, doc) F(m, ORT_J_STR, 0, 512, NULL, doc)
#define NSTR(m, doc) F(m, ORT_J_STR, NULLABLE, 512, NULL, doc)
#define TEXT(m, doc) F(m, ORT_J_STR, 0, LONG, NULL, doc)
#define INT(m, doc) F(m, ORT_J_INT, 0, 0, NULL, doc)
#define MS(m, doc) F(m, ORT_J_INT, 0, 0, "ms", doc)
#define NMS(m, doc) F(m, ORT_J_INT, NULLABLE, 0, "ms", doc)
#define DBL(m, unit, doc) F(m, ORT_J_DOUBLE, 0, 0, unit, doc)
#define NDBL(m, unit, doc) F(m, ORT_J_DOUBLE, NULLABLE, 0, unit, doc)
#define BOOL(m, doc) F(m, ORT_J_BOOL, 0, 0, NULL, doc)
#define ANY(m, doc) F(m, ORT_J_RAW, 0, 0, NULL, doc)
#define SUB(m, o, doc) FSUB(m, ORT_J_OBJECT, 0, o, doc)
#define NSUB(m, o, doc) FSUB(m, ORT_J_OBJECT, NULLABLE, o, doc)
#define LIST(m, o, doc) FSUB(m, ORT_J_ARRAY, 0, o, doc)
#define MORE(m, type, doc) F(m, type, OPTIONAL, 512, NULL, doc)

#define O(name_, ...)                                                                                                 \
	static const struct ort_json_field fields_##name_[] = { __VA_ARGS__ };                                         \
	static const struct ort_json_table object_##name_ = { "gw_table_" #name_, 0, fields_##name_, G_N_ELEMENTS(fields_##name_) };
#include "gateway/api/objects.def"
#undef O

static const struct ort_json_table *const objects[] = {
#define O(name_, ...) &object_##name_,
#include "gateway/api/objects.def"
#undef O
};

const struct ort_json_table *gw_object_by_name(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(objects); i++) {
		if (strcmp(objects[i]->name + strlen("gw_table_"), name) == 0) {
			return objects[i];
		}
	}
	return NULL;
}

bool gw_object_may_lack(const struct ort_json_field *f)
{
	return (f->flags & OPTIONAL) != 0;
}

static json_t *reference(const struct ort_json_field *f)
{
	g_autofree char *path = g_strconcat("#/components/schemas/", f->sub->name + strlen("gw_table_"), NULL);
	json_t *ref = json_pack("{s:s}", "$ref", path);
	if (f->type == ORT_J_ARRAY) {
		return json_pack("{s:s,s:o}", "type", "array", "items", ref);
	}
	return f->flags & NULLABLE ? json_pack("{s:[o,{s:s}]}", "anyOf", ref, "type", "null") : ref;
}

/* A field alone in a table of its own gives the schema of that field. */
static json_t *plain(const struct ort_json_field *f)
{
	struct ort_json_table alone = { "gw_table_one", 0, f, 1 };
	g_autoptr(json_t) schema = ort_json_schema(&alone);
	json_t *member = json_incref(json_object_get(json_object_get(schema, "properties"), f->name));
	if (f->flags & NULLABLE) {
		json_object_set_new(member, "type", json_pack("[O,s]", json_object_get(member, "type"), "null"));
	}
	return member;
}

static json_t *object_schema(const struct ort_json_table *table)
{
	json_t *members = json_object(), *required = json_array();
	for (size_t i = 0; i < table->n_fields; i++) {
		const struct ort_json_field *f = &table->fields[i];
		json_t *member = f->sub ? reference(f) : plain(f);
		if (*f->doc) {
			json_object_set_new(member, "description", json_string(f->doc));
		}
		json_object_set_new(members, f->name, member);
		if (!(f->flags & OPTIONAL)) {
			json_array_append_new(required, json_string(f->name));
		}
	}
	return json_pack("{s:s,s:s,s:o,s:o}", "type", "object", "title", table->name, "properties", members, "required", required);
}

void gw_objects_describe(json_t *schemas)
{
	for (size_t i = 0; i < G_N_ELEMENTS(objects); i++) {
		json_object_set_new(schemas, objects[i]->name + strlen("gw_table_"), object_schema(objects[i]));
	}
}

/* Members of replies and events that carry such objects; the field tables know them as "any JSON" only. */
void gw_objects_link(json_t *schema)
{
	static const struct { const char *member, *object; bool list; } rows[] = {
		{ "incidents", "incident", true }, { "walls", "wall", true },	  { "records", "log_record", true },
		{ "incident", "incident", false }, { "wall", "wall", false }, { "rollcall", "rollcall", false }, { "rollcalls", "rollcall_head", true }, { "circular", "circular", false }, { "record", "log_record", false },
		{ "rollcall_stats", "rollcall_stat", true }, { "schedules", "schedule", true },
		{ "alarms", "duty_alarm", true }, { "alarm", "duty_alarm", false }, { "entries", "watch_entry", true },
		{ "conferences", "conference", true }, { "conference", "conference", false },
	};
	json_t *members = json_object_get(schema, "properties");
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		json_t *member = json_object_get(members, rows[i].member);
		g_autofree char *path = g_strconcat("#/components/schemas/", rows[i].object, NULL);
		json_t *ref = member && !json_object_get(member, "type") ? json_pack("{s:s}", "$ref", path) : NULL;
		if (ref && rows[i].list) {
			json_object_set_new(member, "type", json_string("array"));
			json_object_set_new(member, "items", ref);
		} else if (ref) {
			json_object_update_new(member, ref);
		}
	}
}

/* ---- webhooks ---- */
static json_t *hook(const char *event, const char *body, const char *doc)
{
	g_autofree char *path = g_strconcat("#/components/schemas/", body, NULL);
	json_t *message = json_pack("{s:s,s:{s:{s:s,s:s},s:{s:s},s:{s:s,s:s},s:{s:s}},s:[s,s,s,s]}", "type", "object", "properties",
				    "id", "type", "string", "description", "the same for every retry", "event", "const", event, "at_ms",
				    "type", "integer", "x-unit", "ms", "body", "$ref", path, "required", "id", "event", "at_ms", "body");
	return json_pack("{s:{s:s,s:{s:{s:{s:o}}},s:{s:{s:s},s:{s:s}}}}", "post", "summary", doc, "requestBody", "content",
			 "application/json", "schema", message, "responses", "2XX", "description", "taken", "default", "description",
			 "408, 429, 5xx or no answer: tried again; others: given up");
}

json_t *gw_webhooks_describe(void)
{
	json_t *out = json_object();
#define X(id, event, body, doc) json_object_set_new(out, event, hook(event, #body, doc));
#include "gateway/api/webhooks.def"
#undef X
	return out;
}
