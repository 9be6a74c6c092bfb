/* Zones and trunks as read from the configuration. */
#pragma once
#include "gateway/sip/sip.h"
#include "mcu/base/conf.h"

struct gw_trunks { GStringChunk *keep; GArray *zones, *trunks; };	/* struct gw_sip_zone, struct gw_sip_trunk; strings in keep */
/* "name=city address=sip:mcu.example keep=yes", one a list element; quotes as in a shell. *ret_why transfer full. */
bool gw_trunks_read(const ort_conf *conf, struct gw_trunks *t, char **ret_why);
void gw_trunks_clear(struct gw_trunks *t);
const struct gw_sip_trunk *gw_trunks_find(const struct gw_trunks *t, const char *name);	/* NULL = none */
