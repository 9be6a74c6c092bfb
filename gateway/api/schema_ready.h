/* Standing readiness: bodies of its methods. Included by schema.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/json.h"

struct gw_ready_run_request { char **sites; };	/* NULL = all */
struct gw_ready_ref { char *id; };		/* NULL = the last one */
struct gw_ready_list { int64_t limit; };	/* 0 = 31 */
struct gw_ready_list_reply { json_t *runs; };	/* array of ready_head */
struct gw_ev_ready { json_t *ready; };

#define GW_TABLES_READY(X) \
	X(ready_run_request) X(ready_ref) X(ready_list) X(ready_list_reply) X(ev_ready) X(ready)	/* ready: struct gw_raw */
