/* Members that no field names are refused: a misspelt optional one would otherwise silently mean its default. */
#include "gateway/api/api_priv.h"

#include <string.h>

static const struct ort_json_field *field_of(const struct ort_json_table *table, const char *name)
{
	for (size_t i = 0; i < table->n_fields; i++) {
		if (strcmp(table->fields[i].name, name) == 0) {
			return &table->fields[i];
		}
	}
	return NULL;
}

/* The peer's own bytes go into a sentence for people and logs: short and printable. */
static char *printable(const char *name)
{
	g_autofree char *escaped = g_strescape(name, NULL);
	return g_strndup(escaped, 40);
}

static char *stranger_text(const struct ort_json_table *table, const char *name, const char *path)
{
	GString *out = g_string_new(path);
	g_autofree char *shown = printable(name);
	g_string_append_printf(out, "%s: there is no such member; known: ", shown);
	for (size_t i = 0; i < table->n_fields; i++) {
		g_string_append_printf(out, "%s%s", i > 0 ? ", " : "", table->fields[i].name);
	}
	g_string_append(out, table->n_fields == 0 ? "none" : "");
	return g_string_free(out, FALSE);
}

static char *look(const struct ort_json_table *table, const json_t *json, const char *path);

static char *look_inside(const struct ort_json_field *f, const json_t *value, const char *path)
{
	g_autofree char *inner = g_strdup_printf("%s%s%s", path, f->name, f->type == ORT_J_ARRAY ? "[]." : ".");
	char *why = NULL;
	if (f->type == ORT_J_OBJECT) {
		return look(f->sub, value, inner);
	}
	for (size_t i = 0; f->type == ORT_J_ARRAY && i < json_array_size(value) && !why; i++) {
		why = look(f->sub, json_array_get(value, i), inner);
	}
	return why;
}

static char *look(const struct ort_json_table *table, const json_t *json, const char *path)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)json, name, value) {
		const struct ort_json_field *f = field_of(table, name);
		char *why = f ? look_inside(f, value, path) : stranger_text(table, name, path);
		if (why) {
			return why;
		}
	}
	return NULL;
}

char *gw_api_stranger(const struct ort_json_table *table, const json_t *params)
{
	return look(table, params, "");
}
