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
T(ev_rollcall, RAW(ev_rollcall, rollcall, 0, MIB, "its head, and the entries that changed"),
  BOOL(ev_rollcall, whole, 0, "all entries are there"));

/* ---- schema_rollcall.h ---- */
BARE(schedule);
T(rollcall_said, IDF(rollcall_said, id, MUST, "which"), BOOL(rollcall_said, right, MUST, "as they were shown"));
T(rollcall_search, TEXT(rollcall_search, text, 0, SHORT, "part of the name"), TEXT(rollcall_search, site, 0, ID, "id, or part of a site's name"),
  ENUM(rollcall_search, result, gw_rollcall_result_names, 0, "of that site, or of any; absent or not_called: any"),
  MS(rollcall_search, from_ms, 0, "made then or later"), MS(rollcall_search, to_ms, 0, "made before; 0 = any"),
  INT(rollcall_search, limit, 0, 0, 500, NULL, "0 = 100"));
T(rollcall_stats, MS(rollcall_stats, from_ms, 0, "made then or later"), MS(rollcall_stats, to_ms, 0, "made before; 0 = any"),
  ENUM(rollcall_stats, format, gw_circular_format_names, 0, "json (default) or csv"));
T(rollcall_stats_reply, RAW(rollcall_stats_reply, rollcall_stats, OMIT, MIB, "json: array of rollcall_stat"),
  STR(rollcall_stats_reply, csv, ORT_J_LINES | OMIT, MIB, "csv: UTF-8 with BOM, Chinese headers"));
T(schedule_put, IDF(schedule_put, id, 0, "which; absent: a new one"), TEXT(schedule_put, name, MUST, SHORT, "name"),
  ORT_JF(struct gw_schedule_put, sites, ORT_J_STRV, MUST, 0, 1000, NULL, "of the directory, in order"),
  INT(schedule_put, ahead, 0, -1, 50, NULL, "dialled before their turn; 0 = 3, -1 = none"),
  INT(schedule_put, dwell_ms, 0, 0, 600000, "ms", "each site is shown so long; 0 = 15 s"),
  INT(schedule_put, minute, 0, 0, 1439, "min", "of the day, local time"),
  INT(schedule_put, days, 0, 0, 127, NULL, "bit 0 = Monday to bit 6 = Sunday; 0 = a saved list only"),
  BOOL(schedule_put, hang_up, 0, "sites leave when their turn is over"), BOOL(schedule_put, drill, 0, "an exercise"));
T(schedule_list_reply, RAW(schedule_list_reply, schedules, 0, MIB, "array of schedule"));
T(ev_schedule, IDF(ev_schedule, id, 0, "which"), TEXT(ev_schedule, why, 0, SHORT, "ran, missed, or empty: it changed"));
