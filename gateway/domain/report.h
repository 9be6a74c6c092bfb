/* Incident reports (信息报告): first, follow-up and final reports (首报, 续报, 终报) with the deadlines of O8 as rows of reports.def.
 * Facts first, causes later: place and what happened are asked, a cause never is. A deadline warns at 80 % of its time and is an
 * alarm of class 1 when it has lapsed. Recipients sign (签收), each with the time. Loop thread; strings borrowed. */
#pragma once
#include "gateway/domain/domain.h"

enum gw_report_kind { GW_REPORT_FIRST, GW_REPORT_FOLLOWUP, GW_REPORT_FINAL, GW_REPORT_KIND_N };
extern const char *const gw_report_kind_names[GW_REPORT_KIND_N + 1];	/* NULL-terminated */
enum gw_report_row {
#define X(id, ...) GW_REPORT_ROW_##id,
#include "gateway/domain/reports.def"
#undef X
	GW_REPORT_ROW_N
};

struct gw_report_facts {
	const char *incident;
	enum gw_report_kind kind;
	bool spoken;			/* by phone: told_by, told_to */
	int64_t time_ms;		/* when it happened; 0 = T0 */
	const char *place, *what, *casualties, *measures, *contact, *contact_phone, *cause, *told_by, *told_to;
	int64_t dead, missing, injured;
	const char *const *recipients;	/* names; a written report has one at least */
};
/* The id, borrowed; NULL + err. A follow-up needs a first report, a final one a closed incident. */
const char *gw_report_file(gw_domain *d, const char *actor, const struct gw_report_facts *f, struct gw_now now, GError **err);
/* by: who signed at the recipient's. */
bool gw_report_receipt(gw_domain *d, const char *actor, const char *id, const char *recipient, const char *by, struct gw_now now, GError **err);
const char *gw_report_incident(const gw_domain *d, const char *id);	/* NULL = unknown */
/* Deadlines and reports of an incident; NULL = unknown. */
json_t *gw_report_sheet(const gw_domain *d, const char *incident, struct gw_now now);
json_t *gw_report_paper(const gw_domain *d, const char *id);	/* one report for paper: with its incident's facts */
char *gw_report_csv(const gw_domain *d, const char *incident);	/* NULL = all; BOM, Chinese header, (transfer full) */
