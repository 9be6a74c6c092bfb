#include "tests/kit/json_sample.h"

static json_t *sample_text(const struct ort_json_field *f, unsigned seed)
{
	g_autofree char *text = g_strdup_printf("%c%u", 'a' + (int)(seed % 26), seed % 1000);
	size_t max = f->max > 0 ? (size_t)f->max : 256;
	if (strlen(text) > max) {
		text[max] = '\0';
	}
	while (strlen(text) < (size_t)f->min) {
		char *longer = g_strconcat(text, "x", NULL);
		g_free(text);
		text = longer;
	}
	return json_string(text);
}

static json_t *sample_list(const struct ort_json_field *f, unsigned seed)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < 2; i++) {
		json_array_append_new(list, kit_json_sample(f->sub, seed + i));
	}
	return list;
}

static json_t *sample_field(const struct ort_json_field *f, unsigned seed)
{
	bool any = f->min == 0 && f->max == 0;
	switch (f->type) {
	case ORT_J_STR:
		return sample_text(f, seed);
	case ORT_J_INT:
		return json_integer((json_int_t)(any ? seed : seed % 2 ? f->max : f->min));
	case ORT_J_DOUBLE:
		return json_real(any ? 0.5 : f->max);
	case ORT_J_BOOL:
		return json_boolean(seed % 2);
	case ORT_J_ENUM:
		return json_string(f->names[0]);
	case ORT_J_OBJECT:
		return kit_json_sample(f->sub, seed);
	case ORT_J_ARRAY:
		return sample_list(f, seed);
	case ORT_J_STRV:
		return json_pack("[s, s]", "one", "two");
	case ORT_J_RAW:
		return json_pack("{s:i}", "packets", (int)seed);
	}
	return json_null();
}

json_t *kit_json_sample(const struct ort_json_table *table, unsigned seed)
{
	json_t *obj = json_object();
	for (size_t i = 0; i < table->n_fields; i++) {
		json_object_set_new(obj, table->fields[i].name, sample_field(&table->fields[i], seed + (unsigned)i));
	}
	return obj;
}
