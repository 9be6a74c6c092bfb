/* The bodies of the records of standing readiness as field tables. */
#include "gateway/domain/records_priv.h"

TABLE(ready_site, ID(ready_site, site, "of the directory"), BOOL(ready_site, call, "it answers by itself"), BOOL(ready_site, registered, "at the beginning"));
TABLE(ready_open, ID(ready_open, id, "which"), ID(ready_open, conference, "of its own"), INT(ready_open, nr, 0, 0, NULL, "running number"),
      ORT_JF_SUB(struct gw_rec_ready_open, sites, ORT_J_ARRAY, &gw_rec_table_ready_site, 0, GW_READY_SITES, "in order"));
TABLE(ready_call, ID(ready_call, run, "which"), ID(ready_call, site, "of it"), OPT_ID(ready_call, party, "absent: it cannot be called"));
TABLE(ready_result, ID(ready_result, run, "which"), ID(ready_result, site, "of it"),
      ORT_JF(struct gw_rec_ready_result, faults, ORT_J_STRV, 0, 0, 32, NULL, "names of ready_faults.def"),
      INT(ready_result, score, 0, 100, NULL, "100 = nothing is wrong"), MS(ready_result, answer_ms, "from the call to picture and sound"),
      INT(ready_result, bitrate_bps, 0, 0, "bps", "received"), MS(ready_result, rtt_ms, "there and back"),
      ORT_JF(struct gw_rec_ready_result, loss, ORT_J_DOUBLE, 0, 0, 1, NULL, "0..1"), BOOL(ready_result, picture, "came"),
      BOOL(ready_result, sound, "came"));
TABLE(ready_ref, ID(ready_ref, run, "which"));
