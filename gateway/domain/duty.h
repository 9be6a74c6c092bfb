/* Duty (值班): roster (值班表), who is on watch now, hand-over (交接班), watch log (值班日志), daily zero report (零报告), contact
 * list (通讯录核对), and the alarms that stand. Orders O9, O6 (counted in the appraisal).
 *
 * A place is a site or a division of the directory. Places that owe a roster and a daily report are the sites of kind
 * "duty_room", and whatever has had a roster. A place without a roster of its own is watched by that of its division.
 * Days are local: the zone is a rule. Loop thread; strings borrowed. */
#pragma once
#include "gateway/domain/domain.h"

#define GW_DUTY_SHIFTS 6
struct gw_duty_shift { char name[24]; int from_min, to_min; };	/* minutes of the day; to <= from: it ends on the next day */
struct gw_duty_rules {
	const char *zone;		/* as GTimeZone reads it, "+08:00"; NULL or "" = the host's */
	struct gw_duty_shift shifts[GW_DUTY_SHIFTS];
	int n_shifts;
	int roster_day, remind_days;	/* next month's roster is due on this day (O9: the 25th), reminded so many days before */
	int zero_min;			/* daily reports are due at this minute of the day */
	int stale_days;			/* a telephone number is good so long after it was verified (O9: half a year) */
	int64_t carry_ms;		/* an alarm that stood this long may be handed over with a reason */
};
void gw_duty_default_rules(struct gw_duty_rules *ret);
void gw_duty_set_rules(gw_domain *d, const struct gw_duty_rules *rules);	/* copied; before the replay */
bool gw_duty_read_shift(const char *text, struct gw_duty_shift *ret);	/* "day 08:00 20:00" */
bool gw_duty_month_ok(const char *text);	/* "2026-12"; of "2026-12-31" all of it is checked */
int gw_duty_read_minute(const char *text);	/* "08:00" -> 480; -1 = not a time */

/* ---- roster ---- */
struct gw_duty_cell_facts { const char *place, *day, *shift, *leader; const char *const *people; };	/* nobody: the cell is emptied */
bool gw_duty_put(gw_domain *d, const char *actor, const struct gw_duty_cell_facts *f, struct gw_now now, GError **err);
/* {added, changed, errors:[{line, code, value, why}]}; nothing is changed when dry_run or when a line is wrong.
 * division: whose places may stand in it (data rights); NULL = all. */
json_t *gw_duty_import(gw_domain *d, const char *actor, const char *division, const char *csv, bool dry_run, struct gw_now now);
char *gw_duty_export(const gw_domain *d, const char *month);	/* CSV with BOM, Chinese header, (transfer full) */
/* "2026-12", NULL = this one; all places with their state, cells only of `place`. */
json_t *gw_duty_month(const gw_domain *d, const char *month, const char *place, struct gw_now now);
/* Who is on watch: all places, or one of the directory. NULL: no such place. */
json_t *gw_duty_now(const gw_domain *d, const char *place, struct gw_now now);
char *gw_duty_names(const gw_domain *d, const char *place, int64_t at_ms);	/* "A、B", NULL = nobody; (transfer full) */

/* ---- alarms that stand ---- */
/* Class 1 act now, 2 look soon. A key is raised once. division: whose dispatchers it concerns; NULL = all. */
struct gw_duty_alarm_facts { const char *key, *kind, *division, *incident, *subject; int cls, n; };
void gw_duty_alarm_raise(gw_domain *d, const struct gw_duty_alarm_facts *f, struct gw_now now);
void gw_duty_alarm_settle(gw_domain *d, const char *key, struct gw_now now);	/* its cause is gone */
bool gw_duty_alarm_ack(gw_domain *d, const char *actor, const char *key, struct gw_now now, GError **err);
json_t *gw_duty_alarms(const gw_domain *d);	/* standing ones, marks of incidents too; newest first */
json_t *gw_duty_alarm_print(const gw_domain *d, const char *key);

/* ---- hand-over ----
 * Begun by the outgoing watch, completed by the incoming one. It is not completed while an alarm stands unacknowledged; one
 * that stood for carry_ms and is not of class 1 may be handed over instead, by name and with a reason. */
struct gw_duty_carry { const char *key, *reason; };
const char *gw_handover_begin(gw_domain *d, const char *actor, const char *place, const char *from, const char *to, const char *notes,
			      struct gw_now now, GError **err);
bool gw_handover_complete(gw_domain *d, const char *actor, const char *id, const struct gw_duty_carry *carried, size_t n,
			  struct gw_now now, GError **err);
const char *gw_handover_place(const gw_domain *d, const char *id);	/* NULL = the command centre, or unknown */
bool gw_handover_cancel(gw_domain *d, const char *actor, const char *id, struct gw_now now, GError **err);
json_t *gw_handover_sheet(const gw_domain *d, const char *place, struct gw_now now);	/* what is handed over; NULL: no such place */

/* ---- watch log ---- */
#define GW_WATCH_KEEP 50000	/* entries that are kept at hand; all are in the log for ever */
bool gw_watch_note(gw_domain *d, const char *actor, const char *place, const char *person, const char *text, struct gw_now now, GError **err);
struct gw_watch_filter { int64_t from_ms, to_ms; const char *kind, *person; unsigned limit; };	/* 0, NULL = any */
json_t *gw_watch_list(const gw_domain *d, const struct gw_watch_filter *f);	/* newest first */

/* ---- daily zero report ---- */
bool gw_zero_report(gw_domain *d, const char *actor, const char *place, bool nothing, const char *text, struct gw_now now, GError **err);
json_t *gw_zero_day(const gw_domain *d, const char *day, struct gw_now now);	/* NULL = today */
json_t *gw_zero_month(const gw_domain *d, const char *month, struct gw_now now);	/* on time, late, missing of each place */
char *gw_zero_csv(const gw_domain *d, const char *month, struct gw_now now);	/* (transfer full) */
const char *gw_duty_place_of_room(const gw_domain *d, const char *device);	/* where that room stands; NULL = nowhere */

/* ---- contact list ---- */
bool gw_contact_verify(gw_domain *d, const char *actor, const char *person, struct gw_now now, GError **err);
json_t *gw_contact_list(const gw_domain *d, struct gw_now now);
char *gw_contact_csv(const gw_domain *d, struct gw_now now);	/* (transfer full) */

#include "gateway/domain/report.h"
