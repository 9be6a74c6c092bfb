/* Structs of roll calls' requests, replies and events beyond those of schema.h; included by it. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct gw_rollcall_said { char *id; bool right; };
struct gw_rollcall_search { char *text, *site; int result; int64_t from_ms, to_ms, limit; };	/* not_called, NULL, 0 = any; limit 0 = 100 */
struct gw_rollcall_stats { int64_t from_ms, to_ms; int format; };
struct gw_rollcall_stats_reply { json_t *rollcall_stats; char *csv; };	/* one of the two */
struct gw_schedule_put { char *id, *name, **sites; int64_t ahead, dwell_ms, minute, days; bool hang_up, drill; };	/* ahead as in rollcall.open */
struct gw_schedule_list_reply { json_t *schedules; };
struct gw_ev_schedule { char *id, *why; };	/* why: ran, missed or empty */

#define GW_TABLES_ROLLCALL(X) \
	X(rollcall_said) X(rollcall_search) X(rollcall_stats) X(rollcall_stats_reply) X(schedule_put) X(schedule_list_reply) X(ev_schedule) \
	X(schedule)	/* struct gw_raw */
