/* Bodies of report records as field tables. */
#include "gateway/domain/records_priv.h"

TABLE(report_filed, ID(report_filed, id, "report"), INT(report_filed, nr, 0, 0, NULL, "running number"),
      ENUM(report_filed, kind, gw_report_kind_names, "first, followup or final"), BOOL(report_filed, spoken, "by phone"),
      MS(report_filed, time_ms, "when it happened"), TEXT(report_filed, place, 400, "where"), TEXT(report_filed, what, 4000, "what happened"),
      TEXT(report_filed, casualties, 1000, "casualties in words"), TEXT(report_filed, measures, 4000, "what was done"),
      TEXT(report_filed, contact, 200, "who is asked further"), TEXT(report_filed, contact_phone, 40, "telephone"),
      TEXT(report_filed, cause, 4000, "cause, when it is known"), TEXT(report_filed, told_by, 200, "spoken: who told"),
      TEXT(report_filed, told_to, 200, "spoken: whom"),
      ORT_JF(struct gw_rec_report_filed, recipients, ORT_J_STRV, 0, 0, 32, NULL, "who gets it"),
      INT(report_filed, dead, 0, 1e6, NULL, "people"), INT(report_filed, missing, 0, 1e6, NULL, "people"),
      INT(report_filed, injured, 0, 1e6, NULL, "people"));
TABLE(report_receipt, ID(report_receipt, report, "which"), TEXT(report_receipt, recipient, 200, "who got it"), TEXT(report_receipt, by, 200, "who signed"));
