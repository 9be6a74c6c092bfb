/* Inside of the domain: incident reports. */
#pragma once
#include "gateway/domain/report.h"
#include "mcu/base/json.h"

struct gw_fact;
struct gw_rec_report_filed { char *id; int64_t nr; int kind; bool spoken; int64_t time_ms; char *place, *what, *casualties, *measures, *contact, *contact_phone,
			     *cause, *told_by, *told_to, **recipients; int64_t dead, missing, injured; };
struct gw_rec_report_receipt { char *report, *recipient, *by; };

struct gw_receipt { int64_t at_ms; char *by; };
struct gw_report {
	struct gw_rec_report_filed f;	/* own copy */
	char *incident, *by;
	int64_t at_ms;
	int of_kind;			/* counted from 1 within its incident and kind */
	struct gw_receipt *receipts;	/* as many as recipients */
	unsigned n_recipients;
};
/* What an incident owes: made when it is opened. */
struct gw_report_case {
	char *incident;
	bool grave;			/* I or II */
	int64_t since_ms, since_us;	/* of that gravity; T0 unless it became worse */
	int64_t first_spoken_ms, first_written_ms, final_ms, last_ms, last_us, closed_ms, closed_us;	/* ms 0 = not yet */
	int64_t look_us;		/* alarms are to be looked at; ORT_NEVER = not */
	unsigned forgotten;		/* bit set of rows that lapsed too long ago to be news */
	GPtrArray *reports;		/* struct gw_report, owned */
};
struct gw_reports {
	GHashTable *cases;	/* incident -> struct gw_report_case, owned */
	GHashTable *by_id;	/* borrowed */
	int64_t last;
};

struct gw_report_due { bool applies, pending; int64_t from_ms, from_us, due_us, warn_us, due_ms, warn_ms, done_ms; };
struct gw_report_row_info { const char *name; enum gw_report_kind kind; bool spoken; const char *clause; };
extern const struct gw_report_row_info gw_report_rows[GW_REPORT_ROW_N];
void gw_report_due(const gw_domain *d, const struct gw_report_case *c, enum gw_report_row row, struct gw_report_due *ret);
struct gw_report_case *gw_report_case_of(const gw_domain *d, const char *incident);	/* NULL */
