/* Bodies of duty records as field tables. */
#include "gateway/domain/records_priv.h"

#define ARRAY(t, m, sub, max, doc) ORT_JF_SUB(struct gw_rec_##t, m, ORT_J_ARRAY, &gw_rec_table_##sub, 0, max, doc)
#define STRV(t, m, max, doc) ORT_JF(struct gw_rec_##t, m, ORT_J_STRV, 0, 0, max, NULL, doc)

TABLE(duty_cell, ID(duty_cell, day, "2026-11-25"), TEXT(duty_cell, shift, 24, "shift"), STRV(duty_cell, people, 32, "on watch"),
      OPT_ID(duty_cell, leader, "leader on shift (带班领导)"));
TABLE(duty_roster, ID(duty_roster, place, "site or division"), ARRAY(duty_roster, cells, duty_cell, 1000, "nobody in it = emptied"));
TABLE(duty_handover, ID(duty_handover, id, "hand-over"), OPT_ID(duty_handover, place, "absent = this command centre"),
      OPT_ID(duty_handover, from, "outgoing person"), OPT_ID(duty_handover, to, "incoming person"),
      TEXT(duty_handover, from_name, 200, "name then"), TEXT(duty_handover, to_name, 200, "name then"),
      TEXT(duty_handover, notes, 4000, "what the next watch must know"), INT(duty_handover, nr, 0, 0, NULL, "running number"));
TABLE(duty_carry, TEXT(duty_carry, key, 200, "alarm"), TEXT(duty_carry, reason, 400, "why it stands unacknowledged"));
TABLE(duty_taken, ID(duty_taken, handover, "hand-over"), TEXT(duty_taken, from_name, 200, "who went"), TEXT(duty_taken, to_name, 200, "who came"),
      ARRAY(duty_taken, carried, duty_carry, 256, "alarms handed over"));
TABLE(duty_handover_ref, ID(duty_handover_ref, handover, "hand-over"));
TABLE(duty_note, OPT_ID(duty_note, place, "which watch"), OPT_ID(duty_note, person, "who says it"), TEXT(duty_note, text, 4000, "the entry"));
TABLE(duty_zero, ID(duty_zero, place, "site or division"), ID(duty_zero, day, "of which day"), TEXT(duty_zero, text, 4000, "what happened"),
      BOOL(duty_zero, nothing, "nothing happened"), BOOL(duty_zero, late, "after the set hour"));
TABLE(duty_verified, ID(duty_verified, person, "whom"), TEXT(duty_verified, name, 200, "name then"), TEXT(duty_verified, phone, 40, "the number that was tried"));
TABLE(duty_alarm, TEXT(duty_alarm, key, 200, "what it is known by"), ID(duty_alarm, kind, "what it says"), OPT_ID(duty_alarm, division, "whose"),
      OPT_ID(duty_alarm, incident, "about which incident"), TEXT(duty_alarm, subject, 200, "month, day, or row of reports.def"),
      INT(duty_alarm, cls, 1, 3, NULL, "1 act now, 2 look soon, 3 list only"), INT(duty_alarm, n, 0, 0, NULL, "how many"));
TABLE(duty_alarm_ref, TEXT(duty_alarm_ref, key, 200, "which"));
