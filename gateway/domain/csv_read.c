/* Reading CSV (RFC 4180) record by record. Not what the fields mean. */
#include <string.h>

#include "gateway/domain/csv_priv.h"

#define MAX_FIELD 4096

/* One field; *ret_last when the record ends with it. 0, or -1 on an unclosed quote or a field too long. */
static int read_field(struct gw_csv_reader *r, GString *field, bool *ret_last)
{
	g_string_truncate(field, 0);
	bool quoted = r->p < r->end && *r->p == '"';
	r->p += quoted;
	for (; r->p < r->end; r->p++) {
		if (quoted && *r->p == '"') {
			if (r->p + 1 < r->end && r->p[1] == '"') {
				r->p++;
			} else {
				quoted = false;
				continue;
			}
		} else if (!quoted && (*r->p == ',' || *r->p == '\n' || *r->p == '\r')) {
			break;
		}
		r->line += *r->p == '\n';
		g_string_append_c(field, *r->p);
	}
	*ret_last = r->p >= r->end || *r->p != ',';
	if (r->p < r->end && *r->p == '\r') {
		r->p++;
	}
	if (r->p < r->end) {
		r->p++;
	}
	return quoted || field->len > MAX_FIELD ? -1 : 0;
}

GPtrArray *gw_csv_record(struct gw_csv_reader *r)
{
	GPtrArray *fields = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) field = g_string_new(NULL);
	for (bool last = false; !last;) {
		if (read_field(r, field, &last) < 0 || fields->len >= 64) {
			g_ptr_array_unref(fields);
			return NULL;
		}
		bool escaped = field->len > 1 && field->str[0] == '\'' && strchr("=+-@\t\r'", field->str[1]) != NULL;
		g_ptr_array_add(fields, g_strdup(field->str + (escaped ? 1 : 0)));
	}
	return fields;
}
