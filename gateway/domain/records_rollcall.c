/* The bodies of roll calls' records as field tables. */
#include "gateway/domain/records_priv.h"

TABLE(rollcall_open, ID(rollcall_open, id, "roll call"), ID(rollcall_open, conference, "conference"),
      TEXT(rollcall_open, name, 200, "its name"),
      ORT_JF(struct gw_rec_rollcall_open, sites, ORT_J_STRV, 0, 0, GW_ROLLCALL_SITES, NULL, "sites of the directory, in order"),
      INT(rollcall_open, nr, 0, 0, NULL, "running number"), INT(rollcall_open, ahead, 0, 50, NULL, "dialled before their turn"),
      INT(rollcall_open, dwell_ms, 0, 600000, "ms", "unattended: time of each, 0 = by hand"),
      BOOL(rollcall_open, hang_up, "sites leave after their turn"));
TABLE(rollcall_run, ID(rollcall_run, rollcall, "roll call"), BOOL(rollcall_run, on, "it runs"));
TABLE(rollcall_entry, ID(rollcall_entry, rollcall, "roll call"), ID(rollcall_entry, site, "site"),
      OPT_ID(rollcall_entry, party, "its party in the conference"));
TABLE(rollcall_result, ID(rollcall_result, rollcall, "roll call"), ID(rollcall_result, site, "site"),
      TEXT(rollcall_result, why, 400, "reason in words"), ENUM(rollcall_result, result, gw_result_names, "result"));
TABLE(rollcall_figures, ID(rollcall_figures, rollcall, "roll call"), ID(rollcall_figures, site, "site"),
      MS(rollcall_figures, answer_ms, "from the call to the answer"), INT(rollcall_figures, bitrate_bps, 0, 0, "bps", "picture's rate"),
      ORT_JF(struct gw_rec_rollcall_figures, loss, ORT_J_DOUBLE, 0, 0, 1, NULL, "share lost"),
      BOOL(rollcall_figures, black, "the picture was black"), BOOL(rollcall_figures, frozen, "the picture stood still"),
      BOOL(rollcall_figures, silent, "nothing was heard"), BOOL(rollcall_figures, clipped, "the sound was overdriven"),
      BOOL(rollcall_figures, looped, "the picture repeats itself"));
TABLE(rollcall_ref, ID(rollcall_ref, rollcall, "roll call"));
TABLE(rollcall_code, ID(rollcall_code, rollcall, "roll call"), ID(rollcall_code, site, "site"), ID(rollcall_code, code, "four digits"));
TABLE(rollcall_said, ID(rollcall_said, rollcall, "roll call"), ID(rollcall_said, site, "site"), BOOL(rollcall_said, right, "as it was shown"));
TABLE(rollcall_evidence, ID(rollcall_evidence, rollcall, "roll call"), ID(rollcall_evidence, site, "site"),
      ID(rollcall_evidence, file, "its name in the roll call's folder"), ID(rollcall_evidence, sha256, "of its bytes, hex"),
      INT(rollcall_evidence, bytes, 0, 0, "bytes", "size"), MS(rollcall_evidence, at_ms, "when it was taken"),
      ENUM(rollcall_evidence, kind, gw_evidence_names, "still or clip"));
TABLE(schedule, ID(schedule, id, "schedule"), TEXT(schedule, name, 200, "its name"),
      ORT_JF(struct gw_rec_schedule, sites, ORT_J_STRV, 0, 0, GW_ROLLCALL_SITES, NULL, "sites of the directory, in order"),
      INT(schedule, nr, 0, 0, NULL, "running number"), INT(schedule, ahead, 0, 50, NULL, "dialled before their turn"),
      INT(schedule, dwell_ms, 0, 600000, "ms", "time of each"), INT(schedule, minute, 0, 1439, "min", "of the day, local"),
      INT(schedule, days, 0, 127, NULL, "bit 0 = Monday; 0 = runs by hand only"), BOOL(schedule, hang_up, "sites leave after their turn"),
      BOOL(schedule, drill, "a drill (演练)"));
TABLE(schedule_ref, ID(schedule_ref, schedule, "schedule"));
TABLE(schedule_due, ID(schedule_due, schedule, "schedule"), OPT_ID(schedule_due, conference, "that it opens"),
      OPT_ID(schedule_due, rollcall, "that it opens"), MS(schedule_due, due_ms, "the set hour"));
