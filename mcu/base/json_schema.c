/* JSON Schema (2020-12, the dialect of OpenAPI 3.1) printed from field tables: what json.c accepts, for other people's tools. */
#include "mcu/base/json.h"

static void put(json_t *schema, const char *key, json_t *value)
{
	json_object_set_new(schema, key, value);
}

static void put_bounds(json_t *schema, const struct ort_json_field *f, const char *min, const char *max, double otherwise)
{
	double most = f->max > 0 ? f->max : otherwise;
	if (f->min > 0) {
		put(schema, min, json_integer((json_int_t)f->min));
	}
	put(schema, max, json_integer((json_int_t)most));
}

static void put_range(json_t *schema, const struct ort_json_field *f)
{
	bool whole = f->type == ORT_J_INT;
	if (f->min == 0 && f->max == 0) {
		return;
	}
	put(schema, "minimum", whole ? json_integer((json_int_t)f->min) : json_real(f->min));
	if (f->max >= f->min) {
		put(schema, "maximum", whole ? json_integer((json_int_t)f->max) : json_real(f->max));
	}
}

static json_t *typed(const char *type)
{
	return json_pack("{s:s}", "type", type);
}

static json_t *string_schema(const struct ort_json_field *f)
{
	json_t *schema = typed("string");
	put_bounds(schema, f, "minLength", "maxLength", 256);
	if (f->flags & ORT_J_ID) {
		put(schema, "pattern", json_string("^[A-Za-z0-9._:/-]+$"));
	}
	if (f->flags & ORT_J_SECRET) {
		put(schema, "format", json_string("password"));
	}
	return schema;
}

static json_t *enum_schema(const struct ort_json_field *f)
{
	json_t *schema = typed("string"), *names = json_array();
	for (int i = 0; f->names[i]; i++) {
		json_array_append_new(names, json_string(f->names[i]));
	}
	put(schema, "enum", names);
	return schema;
}

static json_t *array_schema(const struct ort_json_field *f, json_t *items)
{
	json_t *schema = typed("array");
	put_bounds(schema, f, "minItems", "maxItems", 256);
	put(schema, "items", items);
	return schema;
}

static json_t *field_schema(const struct ort_json_field *f)
{
	json_t *schema;

	switch (f->type) {
	case ORT_J_STR:
		return string_schema(f);
	case ORT_J_INT:
	case ORT_J_DOUBLE:
		schema = typed(f->type == ORT_J_INT ? "integer" : "number");
		put_range(schema, f);
		return schema;
	case ORT_J_BOOL:
		return typed("boolean");
	case ORT_J_ENUM:
		return enum_schema(f);
	case ORT_J_OBJECT:
		return ort_json_schema(f->sub);
	case ORT_J_ARRAY:
		return array_schema(f, ort_json_schema(f->sub));
	case ORT_J_STRV:
		return array_schema(f, json_pack("{s:s, s:i}", "type", "string", "maxLength", 1024));
	case ORT_J_RAW:
		return json_object();
	}
	g_assert_not_reached();
}

json_t *ort_json_schema(const struct ort_json_table *table)
{
	json_t *schema = typed("object"), *members = json_object(), *required = json_array();

	for (size_t i = 0; i < table->n_fields; i++) {
		const struct ort_json_field *f = &table->fields[i];
		json_t *member = field_schema(f);

		if (f->doc) {
			put(member, "description", json_string(f->doc));
		}
		if (f->unit) {
			put(member, "x-unit", json_string(f->unit));
		}
		if (f->flags & ORT_J_REQUIRED) {
			json_array_append_new(required, json_string(f->name));
		}
		put(members, f->name, member);
	}
	put(schema, "title", json_string(table->name));
	put(schema, "properties", members);
	if (json_array_size(required) > 0) {
		put(schema, "required", json_incref(required));
	}
	json_decref(required);
	return schema;
}
