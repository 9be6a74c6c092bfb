/* Inside of mcu/base/conf: shared by the reader and the printers. */
#pragma once
#include "mcu/base/conf.h"

struct conf_value {
	char *text;	/* as written, never NULL */
	int64_t number;	/* INT, SIZE, MS, BOOL */
	char **strv;	/* STRV */
};
struct ort_conf {
	const struct ort_conf_row *rows;
	size_t n_rows;
	struct conf_value *values;	/* n_rows */
};

static inline const char *conf_default(const struct ort_conf_row *row)
{
	return row->def ? row->def : "";
}
