/* Deep copies by field tables, so that events cross threads without being printed on the media thread. */
#include <string.h>

#include "mcu/engine/engine_priv.h"

static void copy_array(const struct ort_json_table *sub, struct ort_json_array *array)
{
	const char *from = array->items;
	char *to = array->n ? g_malloc(array->n * sub->size) : NULL;
	for (size_t i = 0; i < array->n; i++) {
		mcu_struct_copy(sub, from + i * sub->size, to + i * sub->size);
	}
	array->items = to;
}

void mcu_struct_copy(const struct ort_json_table *table, const void *from, void *to)
{
	memcpy(to, from, table->size);
	for (size_t i = 0; i < table->n_fields; i++) {
		const struct ort_json_field *f = &table->fields[i];
		void *at = (char *)to + f->offset;
		switch (f->type) {
		case ORT_J_STR:
			*(char **)at = g_strdup(*(char **)at);
			break;
		case ORT_J_STRV:
			*(char ***)at = g_strdupv(*(char ***)at);
			break;
		case ORT_J_OBJECT:
			mcu_struct_copy(f->sub, (const char *)from + f->offset, at);
			break;
		case ORT_J_ARRAY:
			copy_array(f->sub, at);
			break;
		case ORT_J_RAW:
			*(json_t **)at = json_deep_copy(*(json_t **)at);
			break;
		default:
			break;
		}
	}
}
