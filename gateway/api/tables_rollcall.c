/* Field tables of roll calls (点名), in the order of schema.h. */
#include "gateway/api/tables_priv.h"

const char *const gw_rollcall_result_names[] = { "not_called", "present", "present_late", "no_picture", "no_sound", "no_answer",
						 "unreachable", "excused", NULL };
const char *const gw_circular_format_names[] = { "json", "csv", NULL };

BARE(rollcall);
T(rollcall_open, IDF(rollcall_open, conference, 0, "where; absent: one is opened"), TEXT(rollcall_open, name, MUST, SHORT, "name"),
  ORT_JF(struct gw_rollcall_open, sites, ORT_J_STRV, MUST, 0, 1000, NULL, "of the directory, in order"),
  INT(rollcall_open, ahead, 0, -1, 50, NULL, "dialled before their turn; 0 = 3, -1 = none"),
  INT(rollcall_open, dwell_ms, 0, 0, 600000, "ms", "unattended: each site is shown so long; 0 = by hand"),
  BOOL(rollcall_open, hang_up, 0, "sites leave when their turn is over"), BOOL(rollcall_open, drill, 0, "an exercise; of a conference of its own"));
T(rollcall_run, IDF(rollcall_run, id, MUST, "which"), BOOL(rollcall_run, on, MUST, "false = pause"));
T(rollcall_next, IDF(rollcall_next, id, MUST, "which"),
  ENUM(rollcall_next, result, gw_rollcall_result_names, 0, "of the present site; absent or not_called: what was measured"));
T(rollcall_mark, IDF(rollcall_mark, id, MUST, "which"), IDF(rollcall_mark, site, MUST, "of the list"),
  ENUM(rollcall_mark, result, gw_rollcall_result_names, MUST, "result"), TEXT(rollcall_mark, why, 0, LINE, "reason"));
T(rollcall_jump, IDF(rollcall_jump, id, MUST, "which"), IDF(rollcall_jump, site, MUST, "of the list"));
T(rollcall_list, INT(rollcall_list, limit, 0, 0, 500, NULL, "0 = 100"));
T(rollcall_list_reply, RAW(rollcall_list_reply, rollcalls, 0, MIB, "array of rollcall_head"));
T(rollcall_circular, IDF(rollcall_circular, id, MUST, "which"), ENUM(rollcall_circular, format, gw_circular_format_names, 0, "json (default) or csv"));
T(rollcall_circular_reply, RAW(rollcall_circular_reply, circular, OMIT, MIB, "json: the roll call, log_head, log_signature"),
  STR(rollcall_circular_reply, csv, ORT_J_LINES | OMIT, MIB, "csv: UTF-8 with BOM, Chinese headers"));
T(ev_rollcall, RAW(ev_rollcall, rollcall, 0, MIB, "the whole roll call"));
