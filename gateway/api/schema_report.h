/* Requests and replies of incident reports (信息报告). Included by schema.h. */
#pragma once
#include "mcu/base/json.h"

extern const char *const gw_report_file_kind_names[];	/* first, followup, final: order of the domain's enum */
struct gw_report_ref { char *incident; };
struct gw_report_file { char *incident, *place, *what, *casualties, *measures, *contact, *contact_phone, *cause, *told_by, *told_to, **recipients; int kind;
			bool spoken; int64_t time_ms, dead, missing, injured; };
struct gw_report_receipt { char *id, *recipient, *by; };
struct gw_report_export { char *incident; };	/* NULL = all */
struct gw_ev_report { json_t *sheet; };

#define GW_TABLES_REPORT(X) \
	X(report_ref) X(report_file) X(report_receipt) X(report_export) X(ev_report) X(report_sheet) X(report_paper)
