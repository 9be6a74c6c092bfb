/* Inside of the domain: the directory's rows, for directory.c and csv.c. */
#pragma once
#include "gateway/domain/domain_priv.h"

enum gw_directory { GW_DIVISION, GW_SITE, GW_PERSON, GW_DEVICE, GW_DIRECTORY_N };
struct gw_directory_row {
	const char *kind, *plural;
	enum gw_rec rec;
	size_t parent_offset;		/* of the `char *` that names the entry above */
	enum gw_directory parent_kind;
};
extern const struct gw_directory_row gw_directory_rows[GW_DIRECTORY_N];

int gw_directory_kind(const char *kind);	/* -1 = none */
const char *gw_directory_id(const void *entry);
const char *gw_directory_parent(enum gw_directory kind, const void *entry);
bool gw_directory_check(const gw_domain *d, enum gw_directory kind, const void *entry, GError **err);
GPtrArray *gw_directory_sorted(const gw_domain *d, enum gw_directory kind);	/* borrowed entries, (transfer container) */
