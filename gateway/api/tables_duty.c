/* Field tables of duty (值班), in the order of schema_duty.h. */
#include "gateway/api/tables_priv.h"

BARE(duty_month);
BARE(duty_now);
BARE(handover_sheet);
BARE(zero_day);
BARE(zero_month);
BARE(contact_list);
T(duty_roster, IDF(duty_roster, month, 0, "YYYY-MM; absent = this one"), IDF(duty_roster, place, 0, "whose cells are wanted"));
T(duty_roster_put, IDF(duty_roster_put, place, MUST, "site or division"), IDF(duty_roster_put, day, MUST, "YYYY-MM-DD"),
  TEXT(duty_roster_put, shift, MUST, 24, "one of the configured ones"),
  ORT_JF(struct gw_duty_roster_put, people, ORT_J_STRV, 0, 0, 12, NULL, "of the directory"), IDF(duty_roster_put, leader, 0, "leader on shift"));
T(duty_import, STR(duty_import, csv, MUST | ORT_J_LINES, MIB, "UTF-8: place, day, shift, people, leader"), BOOL(duty_import, dry_run, 0, "change nothing"));
T(duty_import_reply, INT(duty_import_reply, added, 0, 0, 0, NULL, "cells"), INT(duty_import_reply, changed, 0, 0, 0, NULL, "cells"),
  ARR(duty_import_reply, errors, import_error, 100, "lines that cannot be read: nothing was imported"));
T(duty_month_ref, IDF(duty_month_ref, month, MUST, "YYYY-MM"));
T(duty_csv, STR(duty_csv, csv, ORT_J_LINES, MIB, "UTF-8 with BOM, Chinese header"));
T(duty_place_ref, IDF(duty_place_ref, place, 0, "site or division; absent: all; of hand-overs: this command centre"));
T(duty_alarms_reply, RAW(duty_alarms_reply, alarms, 0, MIB, "array of duty_alarm"));
T(duty_alarm_ref, TEXT(duty_alarm_ref, key, MUST, 200, "which"));
T(handover_begin, IDF(handover_begin, place, 0, "absent: this command centre"), IDF(handover_begin, from, MUST, "person who goes"),
  IDF(handover_begin, to, MUST, "person who comes"), TEXT(handover_begin, notes, 0, PAGE, "what the next watch must know"));
T(handover_carry, TEXT(handover_carry, key, MUST, 200, "alarm"), TEXT(handover_carry, reason, MUST, 400, "why it stands"));
T(handover_complete, IDF(handover_complete, id, MUST, "which"), ARR(handover_complete, carried, handover_carry, 256, "long-standing alarms that go over, each with a reason"));
T(watch_list, MS(watch_list, from_ms, 0, "from"), MS(watch_list, to_ms, 0, "before"), INT(watch_list, limit, 0, 0, 2000, NULL, "0 = 200"),
  IDF(watch_list, kind, 0, "note, incident, rollcall, handover, alarm, zero or report"), TEXT(watch_list, person, 0, ID, "account, or person of the directory"));
T(watch_list_reply, RAW(watch_list_reply, entries, 0, MIB, "array of watch_entry"));
T(watch_note, IDF(watch_note, place, 0, "which watch"), IDF(watch_note, person, 0, "who says it"), TEXT(watch_note, text, MUST, PAGE, "the entry"));
T(zero_report, IDF(zero_report, place, 0, "site or division; room: its own"), BOOL(zero_report, nothing, 0, "nothing happened"),
  TEXT(zero_report, text, 0, PAGE, "what happened"));
T(zero_day_ref, IDF(zero_day_ref, day, 0, "YYYY-MM-DD; absent = today"));
T(contact_ref, IDF(contact_ref, person, MUST, "of the directory"));
T(ev_duty, STR(ev_duty, what, 0, SHORT, "roster, handover, log, zero or contacts"));
T(ev_duty_alarm, RAW(ev_duty_alarm, alarm, 0, MIB, "duty_alarm"));
