/* Field tables of incident reports (信息报告), in the order of schema_report.h. */
#include "gateway/api/tables_priv.h"

const char *const gw_report_file_kind_names[] = { "first", "followup", "final", NULL };

BARE(report_sheet);
BARE(report_paper);
T(report_ref, IDF(report_ref, incident, MUST, "which"));
T(report_file, IDF(report_file, incident, MUST, "which"), ENUM(report_file, kind, gw_report_file_kind_names, MUST, "which one"),
  BOOL(report_file, spoken, 0, "by phone: told_by and told_to"), MS(report_file, time_ms, 0, "when it happened; 0 = T0"),
  TEXT(report_file, place, 0, 400, "where; must be in writing"), TEXT(report_file, what, MUST, PAGE, "what happened"),
  INT(report_file, dead, 0, 0, 1e6, NULL, "people"), INT(report_file, missing, 0, 0, 1e6, NULL, "people"), INT(report_file, injured, 0, 0, 1e6, NULL, "people"),
  TEXT(report_file, casualties, 0, 1000, "in words"), TEXT(report_file, measures, 0, PAGE, "what was done"), TEXT(report_file, contact, 0, 200, "who is asked further"),
  TEXT(report_file, contact_phone, 0, 40, "telephone"),
  ORT_JF(struct gw_report_file, recipients, ORT_J_STRV, 0, 0, 32, NULL, "names; must be in writing"),
  TEXT(report_file, told_by, 0, 200, "spoken: who told"), TEXT(report_file, told_to, 0, 200, "spoken: whom"),
  TEXT(report_file, cause, 0, PAGE, "may come later"));
T(report_receipt, IDF(report_receipt, id, MUST, "which"), TEXT(report_receipt, recipient, MUST, 200, "of the report"), TEXT(report_receipt, by, MUST, 200, "who signed there"));
T(report_export, IDF(report_export, incident, 0, "absent = all"));
T(ev_report, RAW(ev_report, sheet, 0, MIB, "report_sheet"));
