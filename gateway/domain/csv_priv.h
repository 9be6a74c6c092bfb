/* Inside of the domain: CSV records, for the directory and the duty roster. */
#pragma once
#include "gateway/domain/domain_priv.h"

struct gw_csv_reader { const char *p, *end; int line; };	/* p behind a BOM */
/* The fields (owned) of the next record; a leading apostrophe before a formula is taken away. NULL: an unclosed quote, or too long. */
GPtrArray *gw_csv_record(struct gw_csv_reader *r);
