/* Inside of the domain: bodies of duty records and what they make. */
#pragma once
#include "gateway/domain/duty.h"
#include "gateway/domain/report_priv.h"
#include "mcu/base/json.h"

struct gw_fact;

struct gw_rec_duty_cell { char *day, *shift, **people, *leader; };
struct gw_rec_duty_roster { char *place; struct ort_json_array cells; };	/* duty_cell */
struct gw_rec_duty_handover { char *id, *place, *from, *to, *from_name, *to_name, *notes; int64_t nr; };
struct gw_rec_duty_carry { char *key, *reason; };
struct gw_rec_duty_taken { char *handover, *from_name, *to_name; struct ort_json_array carried; };	/* duty_carry */
struct gw_rec_duty_handover_ref { char *handover; };
struct gw_rec_duty_note { char *place, *person, *text; };
struct gw_rec_duty_zero { char *place, *day, *text; bool nothing, late; };
struct gw_rec_duty_verified { char *person, *name, *phone; };
struct gw_rec_duty_alarm { char *key, *kind, *division, *incident, *subject; int64_t cls, n; };
struct gw_rec_duty_alarm_ref { char *key; };

extern const struct ort_json_table gw_rec_table_duty_cell, gw_rec_table_duty_carry;

struct gw_duty_cell { char *place, *day, *shift, **people, *leader; };
struct gw_duty_alarm { char *key, *kind, *division, *incident, *subject, *acked_by; int cls, n; int64_t raised_ms, acked_ms, settled_ms; };
enum gw_handover_state { GW_HANDOVER_OPEN, GW_HANDOVER_DONE, GW_HANDOVER_CANCELLED, GW_HANDOVER_N };
struct gw_handover_carried { char *key, *reason; };
struct gw_handover {
	char *id, *place, *from, *to, *from_name, *to_name, *notes, *by, *taken_by;
	enum gw_handover_state state;
	int64_t begun_ms, done_ms;
	GPtrArray *carried;	/* struct gw_handover_carried, owned */
};
struct gw_watch_entry { int64_t nr, at_ms; const char *kind, *type; char *actor, *ref, *incident, *title; json_t *body; };
struct gw_zero { char *text, *by; int64_t at_ms; bool nothing, late; };
struct gw_verified { char *phone, *by; int64_t at_ms; };

struct gw_duty {
	struct gw_duty_rules rules;
	GTimeZone *zone;
	GHashTable *cells;	/* "place/day/shift" -> struct gw_duty_cell, owned */
	GHashTable *rostered;	/* places that have had a roster, owned */
	GHashTable *known;	/* site -> int64_t ms of the first record that names it, owned */
	GHashTable *alarms;	/* key -> struct gw_duty_alarm, owned */
	GPtrArray *alarm_order;	/* borrowed, oldest first */
	GHashTable *handovers;	/* id -> struct gw_handover, owned */
	GPtrArray *handover_order;	/* borrowed */
	int64_t last_handover, last_entry;
	GPtrArray *watch;	/* struct gw_watch_entry, owned, oldest first */
	GHashTable *zero;	/* "day/place" -> struct gw_zero, owned */
	GHashTable *verified;	/* person -> struct gw_verified, owned */
	int64_t next_us;	/* when the calendar is to be looked at again */
};

/* ---- calendar; duty.c ---- */
#define GW_DAY 11	/* "2026-11-25" */
struct gw_local { char day[GW_DAY]; int minute; };
void gw_duty_local(const gw_domain *d, int64_t wall_ms, struct gw_local *ret);
int64_t gw_duty_ms(const gw_domain *d, const char *day, int minute);	/* of the zone; minute may be beyond the day */
bool gw_day_ok(const char *day);
void gw_day_add(const char *day, int days, char ret[GW_DAY]);
int gw_month_days(const char *month);	/* 0 = not a month; a day is taken for its month */
void gw_month_next(const char *day, char ret[GW_DAY]);	/* "2026-12" */
/* The shift that time falls into: index, and the day that it began on. -1 = none. */
int gw_duty_shift_at(const gw_domain *d, int64_t wall_ms, char ret_day[GW_DAY]);

/* ---- places ---- */
bool gw_duty_is_place(const gw_domain *d, const char *id);
const char *gw_duty_place_name(const gw_domain *d, const char *id);	/* the id itself when it is gone */
const char *gw_duty_division(const gw_domain *d, const char *place);	/* a division is its own; NULL = none */
const char *gw_duty_person_name(const gw_domain *d, const char *id);
GPtrArray *gw_duty_places(const gw_domain *d);	/* ids that owe, by name; borrowed, (transfer container) */

/* ---- roster ---- */
char *gw_duty_cell_key(const char *place, const char *day, const char *shift);
/* Own, else of the division above; *ret_place (may be NULL) is whose it is. NULL = nobody. */
const struct gw_duty_cell *gw_duty_find(const gw_domain *d, const char *place, const char *day, const char *shift, const char **ret_place);
int gw_duty_filled(const gw_domain *d, const char *place, const char *month);	/* cells, of days x shifts */
bool gw_duty_shift_known(const gw_domain *d, const char *shift);
void gw_duty_put_cells(gw_domain *d, const char *actor, const char *place, struct gw_rec_duty_cell *cells, size_t n, struct gw_now now);
void gw_duty_roster_tick(gw_domain *d, const GPtrArray *places, struct gw_now now);	/* reminds, and settles what was filled */
int gw_duty_roster_missing(const gw_domain *d, const GPtrArray *places, const char *division, const char *month);	/* "" = of none */
int gw_duty_zero_missing(const gw_domain *d, const GPtrArray *places, const char *division, const char *day);
void gw_duty_zero_tick(gw_domain *d, const GPtrArray *places, struct gw_now now);

void gw_duty_changed(gw_domain *d, const char *what);
void gw_watch_seen(const struct gw_fact *f);
json_t *gw_duty_people_json(const gw_domain *d, char *const *people);
json_t *gw_duty_person_json(const gw_domain *d, const char *id);	/* null when id is NULL */
const struct gw_handover *gw_handover_last(const gw_domain *d, const char *place);	/* the last completed; NULL */
void gw_duty_cell_free(gpointer p);
void gw_duty_alarm_free(gpointer p);
void gw_handover_free(gpointer p);
void gw_watch_entry_free(gpointer p);
void gw_zero_free(gpointer p);
void gw_verified_free(gpointer p);
