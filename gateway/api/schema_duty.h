/* Requests and replies of duty (值班). Included by schema.h. */
#pragma once
#include "gateway/api/schema_report.h"
#include "mcu/base/json.h"

struct gw_duty_roster { char *month, *place; };	/* month NULL = this one */
struct gw_duty_roster_put { char *place, *day, *shift, **people, *leader; };
struct gw_duty_import { char *csv; bool dry_run; };
struct gw_duty_import_reply { int64_t added, changed; struct ort_json_array errors; };	/* import_error */
struct gw_duty_month_ref { char *month; };
struct gw_duty_csv { char *csv; };
struct gw_duty_place_ref { char *place; };	/* NULL = all; of hand-overs: this command centre */
struct gw_duty_alarms_reply { json_t *alarms; };	/* array of duty_alarm */
struct gw_duty_alarm_ref { char *key; };
struct gw_handover_begin { char *place, *from, *to, *notes; };
struct gw_handover_carry { char *key, *reason; };
struct gw_handover_complete { char *id; struct ort_json_array carried; };	/* handover_carry */
struct gw_watch_list { int64_t from_ms, to_ms, limit; char *kind, *person; };	/* 0, NULL = any; limit 0 = 200 */
struct gw_watch_list_reply { json_t *entries; };	/* array of watch_entry */
struct gw_watch_note { char *place, *person, *text; };
struct gw_zero_report { char *place, *text; bool nothing; };	/* room: place NULL = its own */
struct gw_zero_day_ref { char *day; };
struct gw_contact_ref { char *person; };
struct gw_ev_duty { char *what; };
struct gw_ev_duty_alarm { json_t *alarm; };

#define GW_TABLES_DUTY(X) \
	X(duty_roster) X(duty_roster_put) X(duty_import) X(duty_import_reply) X(duty_month_ref) X(duty_csv) X(duty_place_ref) \
	X(duty_alarms_reply) X(duty_alarm_ref) X(handover_begin) X(handover_carry) X(handover_complete) X(watch_list) X(watch_list_reply) \
	X(watch_note) X(zero_report) X(zero_day_ref) X(contact_ref) X(ev_duty) X(ev_duty_alarm) \
	GW_TABLES_REPORT(X) X(duty_month) X(duty_now) X(handover_sheet) X(zero_day) X(zero_month) X(contact_list)	/* from duty_month on: struct gw_raw */
