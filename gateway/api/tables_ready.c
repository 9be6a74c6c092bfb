/* Field tables of standing readiness, in the order of schema_ready.h. */
#include "gateway/api/tables_priv.h"

BARE(ready);
T(ready_run_request, ORT_JF(struct gw_ready_run_request, sites, ORT_J_STRV, 0, 0, 1000, NULL, "of the directory; absent: all that have an address or a room's page"));
T(ready_ref, IDF(ready_ref, id, 0, "which; absent: the last one"));
T(ready_list, INT(ready_list, limit, 0, 0, 400, NULL, "0 = 31"));
T(ready_list_reply, RAW(ready_list_reply, runs, 0, MIB, "array of ready_head"));
T(ev_ready, RAW(ev_ready, ready, 0, MIB, "the whole check"));
