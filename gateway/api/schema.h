/* The client protocol as data: methods, events, errors, and one struct + field table per request, reply and event body.
 * JSON-RPC 2.0 over WebSocket, the same methods over REST. Plain structs, any thread; strings are owned by the struct
 * (ort_json_clear). The only header of the gateway that clients (softclient) may include. Versions only grow.
 * Times named *_ms are wall clock UTC since 1970. Optional members: zero, NULL or empty means "not given". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/json.h"

#define GW_API_VERSION 1

/* Order is part of account.put's meaning: the first five are what an account may have ("none" is refused). */
enum gw_role {
	GW_ROLE_NONE,		/* no credentials yet */
	GW_ROLE_ADMINISTRATOR,
	GW_ROLE_DISPATCHER,
	GW_ROLE_VIEWER,
	GW_ROLE_AUDITOR,
	GW_ROLE_WALL,		/* device tokens */
	GW_ROLE_ROOM,
	GW_ROLE_FIELD,		/* link session: one incident, one scene */
	GW_ROLE_SYSTEM,		/* the gateway itself as an actor; never a session */
	GW_ROLE_N
};
extern const char *const gw_role_names[];		/* NULL-terminated, all of the above */
extern const char *const gw_account_role_names[];	/* none .. auditor */
int gw_role_by_name(const char *name);			/* -1 = none of them */

enum gw_method {
#define X(id, ...) GW_METHOD_##id,
#include "gateway/api/methods.def"
#undef X
	GW_METHOD_N
};
enum gw_event {
#define X(id, ...) GW_EVENT_##id,
#include "gateway/api/events.def"
#undef X
	GW_EVENT_N
};
enum gw_error {
#define X(id, ...) GW_ERROR_##id,
#include "gateway/api/errors.def"
#undef X
	GW_ERROR_N
};

enum { /* flags of a method */
	GW_METHOD_OPENER = 1 << 0,	/* checks a secret: 5/s per source address */
	GW_METHOD_REST_ONLY = 1 << 1,	/* sets the cookie */
	GW_METHOD_WS_ONLY = 1 << 2,	/* needs a connection that lives on */
	GW_METHOD_FIRST = 1 << 3,	/* also for an administrator whose second factor is still missing */
};
struct gw_method_row {
	const char *name;
	const struct ort_json_table *request, *reply;	/* reply with one member "value": that value is the result itself */
	uint32_t roles;		/* bit set of enum gw_role; bit GW_ROLE_NONE: also without credentials */
	unsigned flags;
	uint32_t max_bytes;	/* whole request */
	const char *doc;
};
struct gw_event_row { const char *name; const struct ort_json_table *body; const char *doc; };
struct gw_error_row { const char *name; int http, code; const char *en, *zh; };
extern const struct gw_method_row gw_methods[GW_METHOD_N];
extern const struct gw_event_row gw_events[GW_EVENT_N];
extern const struct gw_error_row gw_errors[GW_ERROR_N];
int gw_method_by_name(const char *name);	/* -1 = none; likewise below */
int gw_event_by_name(const char *name);
int gw_error_by_name(const char *name);

/* ---- small ones ---- */
struct gw_empty { char unused; };
struct gw_id_ref { char *id; };
struct gw_name_ref { char *name; };
struct gw_token_ref { char *token; };
/* Result objects that the domain prints: incident, certificate, wall, directory, stats, config. `value` is the result
 * itself, borrowed by gw_api_reply(). */
struct gw_raw { json_t *value; };

struct gw_time_sync { int64_t client_ms; };
struct gw_time_sync_reply { int64_t client_ms, server_ms; };

/* ---- sessions, accounts, devices, tokens ---- */
struct gw_setup_state_reply { bool needed; };
struct gw_setup_complete { char *token, *name, *password; };
struct gw_auth_login { char *name, *password, *code; };	/* code: of the second factor */
struct gw_auth_bearer { char *token; };
struct gw_session_info { char *subject, *name; int role; int64_t expires_ms; char *party;	/* "c-7", or the scene's id */
			 char *incident, *scene, *incident_text; bool drill;
			 char *division; bool second_factor, second_factor_wanted, limited; };
struct gw_account { char *name, *display; int role; bool disabled; int64_t created_ms, last_login_ms; char *division; bool second_factor; };
struct gw_account_list_reply { struct ort_json_array accounts; };		/* account */
struct gw_account_put { char *name; int role; char *password, *display; bool disabled; char *division; };	/* password, division NULL = unchanged; division "" = the house */
struct gw_account_password { char *old, *new; };
struct gw_device_issue { char *kind, *name; };	/* wall | room */
struct gw_device_issue_reply { char *id, *url, *token; };
struct gw_device { char *id, *kind, *name; int64_t issued_ms, used_ms; bool revoked; char *division; };
struct gw_device_list_reply { struct ort_json_array devices; };		/* device */
struct gw_token_issue { char *name; int role; int64_t expires_ms; };	/* account roles; 0 = 90 days */
struct gw_token_issue_reply { char *id, *token; int64_t expires_ms; };
struct gw_token { char *id, *name; int role; int64_t issued_ms, expires_ms, used_ms; };
struct gw_token_list_reply { struct ort_json_array tokens; };		/* token */

/* ---- directory ---- */
struct gw_directory_item { char *id, *parent, *division, *site, *code, *name, *kind, *address, *title, *phone; bool duty; };
struct gw_directory_put { char *kind; struct gw_directory_item item; };	/* kind: division | site | person | device */
struct gw_directory_ref { char *kind, *id; };
struct gw_directory_csv { char *csv; };
struct gw_directory_import { char *csv; bool dry_run; };
struct gw_import_error { int64_t line; char *code, *value, *why; };	/* code, value: for pages to say it in their language */
struct gw_directory_import_reply { int64_t added, changed, removed; struct ort_json_array errors; };	/* import_error */

/* ---- incidents ---- */
struct gw_incident_open { char *kind; int64_t level; char *place; double lat, lon; char *text; bool drill; };	/* 0,0 = no position */
struct gw_incident_update { char *id, *kind; int64_t level; char *place; double lat, lon; char *text; };
struct gw_incident_close { char *id, *reason; };
struct gw_incident_list { bool open_only; int64_t limit, before_ms; };	/* 0 = 100; 0 = from the newest */
struct gw_incident_list_reply { json_t *incidents; };	/* array of incident */
struct gw_incident_log { char *id; int64_t after_seq, limit; };
struct gw_log_records { json_t *records; int64_t last_seq; };		/* array of {seq, at_ms, actor, type, text, body, hash} */
struct gw_incident_note { char *id, *text; };
struct gw_escalation_ack { char *incident; int64_t step; };

struct gw_link_issue { char *incident, *person, *guest_name, *channel, *phone; };	/* channel: copy (default) | webhook */
struct gw_issued_link { char *id, *scene, *url; int64_t expires_ms; };
struct gw_link_issue_reply { struct gw_issued_link link; };
struct gw_link_revoke { char *link; };

/* ---- scenes ---- */
enum gw_scene_stamp_kind { GW_STAMP_CAMERA_ASKED, GW_STAMP_CAMERA_GRANTED, GW_STAMP_CAMERA_REFUSED, GW_STAMP_NO_CAMERA,
			   GW_STAMP_IN_APP_BROWSER, GW_STAMP_PAUSED, GW_STAMP_RESUMED, GW_STAMP_HEARD_DISPATCHER,
			   GW_STAMP_BATTERY, GW_STAMP_N };
extern const char *const gw_scene_stamp_names[];
struct gw_scene_ref { char *scene; };
struct gw_scene_position { double lat, lon, accuracy_m; int64_t at_ms; };
struct gw_scene_stamp { int kind; int64_t at_ms; char *detail; };
struct gw_scene_mute { char *scene; bool on; };	/* field: scene NULL = own */
struct gw_scene_note { char *scene, *text; };

/* ---- media ---- */
enum gw_media_kind { GW_AUDIO, GW_VIDEO };		/* "audio", "video" */
enum gw_media_content { GW_CONTENT_MAIN, GW_CONTENT_SLIDES };	/* "main", "slides" */
extern const char *const gw_media_kind_names[], *const gw_media_content_names[];
struct gw_rtc_publish { char *mid; int kind, content; };
struct gw_rtc_view { char *mid, *stream; int64_t width, height; };	/* stream NULL = nothing yet */
struct gw_rtc_offer { char *pc, *sdp, *party; struct ort_json_array publish, view; bool restart; };	/* rtc_publish, rtc_view; party: of conference.join, its streams are named by it */
struct gw_rtc_answer { char *sdp; };
struct gw_rtc_candidate { char *pc, *candidate; };
struct gw_rtc_route { char *pc, *mid, *stream; };
struct gw_rtc_prefer { char *pc, *mid; int64_t width, height, max_bps; bool paused; };
struct gw_rtc_close { char *pc; };
struct gw_talk_set { char *incident; char **scenes; bool on; };	/* {"*"} = all of the incident */

/* ---- walls ---- */
enum gw_wall_report_state { GW_WALL_DRAWN, GW_WALL_FROZEN, GW_WALL_LOST };
extern const char *const gw_wall_report_names[];
struct gw_wall_list_reply { json_t *walls; };		/* array of wall */
struct gw_wall_layout { char *wall; int64_t layout; };
struct gw_wall_push { char *wall, *scene; int64_t window; };	/* window 0 = choose */
struct gw_wall_push_reply { int64_t window; };
struct gw_wall_clear { char *wall; json_t *window; };	/* number, or "*" for all */
struct gw_wall_report { int64_t window; char *stream; int state; int64_t at_ms, rtp_ts, width, height, clock_error_ms; };

/* ---- conferences ---- */
extern const char *const gw_conference_role_names[];	/* participant, chair, observer: order of the domain's enum */
extern const char *const gw_conference_cell_names[];	/* empty, fixed, voice, poll, content */
struct gw_conference_ref { char *conference; };
struct gw_conference_open { char *name, *number, *password, *incident; bool drill; };
struct gw_conference_list { bool open_only; int64_t limit; };	/* 0 = 100 */
struct gw_conference_list_reply { json_t *conferences; };	/* array of conference */
struct gw_conference_update { char *id, *name, *password; json_t *locked, *auto_redial; };	/* password "" = none; bool or absent */
struct gw_conference_join { char *id, *name, *password; };	/* id or number; name NULL = the session's */
struct gw_conference_join_reply { char *party, *conference, *audio, *video; };	/* streams to view */
struct gw_conference_layout { char *id, *view, *layout, *banner, *alarm, *crawl; json_t *automatic, *titles, *clock; bool test; };	/* view NULL = program */
struct gw_conference_cell { char *id, *view, *party, **parties; int64_t cell, interval_ms; int mode; };
struct gw_conference_play { char *id, *party, *sound, *text, *lang; };
struct gw_party_ref { char *conference, *party; };
struct gw_party_call { char *conference, *site, *address, *trunk, *number, *name; int64_t max_bps; };
struct gw_party_call_reply { char *party; };
struct gw_party_call_absent_reply { int64_t called; };
struct gw_party_move { char *conference, *party, *to; };
struct gw_party_mute { char *conference, *party; bool on; };	/* party "*" = all but chairs */
struct gw_party_volume { char *conference, *party; double in_db, out_db; };
struct gw_party_role_set { char *conference, *party; int role; };
struct gw_party_dtmf { char *conference, *party, *digits; };
struct gw_party_view { char *conference, *party, *view; };
struct gw_content_ref { char *conference, *party; };	/* party NULL = this session's */
struct gw_content_lock { char *conference; bool on; };
/* ---- roll calls ---- */
extern const char *const gw_rollcall_result_names[];	/* not_called first: order of the domain's enum */
enum gw_circular_format { GW_CIRCULAR_JSON, GW_CIRCULAR_CSV };
extern const char *const gw_circular_format_names[];
struct gw_rollcall_open { char *conference, *name, **sites; int64_t ahead, dwell_ms; bool hang_up, drill; };	/* ahead 0 = 3, -1 = none */
struct gw_rollcall_run { char *id; bool on; };
struct gw_rollcall_next { char *id; int result; };	/* not_called = what was measured */
struct gw_rollcall_mark { char *id, *site, *why; int result; };
struct gw_rollcall_jump { char *id, *site; };
struct gw_rollcall_list { int64_t limit; };		/* 0 = 100 */
struct gw_rollcall_list_reply { json_t *rollcalls; };	/* array of rollcall_head */
struct gw_rollcall_circular { char *id; int format; };
struct gw_rollcall_circular_reply { json_t *circular; char *csv; };	/* one of the two */

struct gw_endpoint_put { char *user, *name, *site, *password; bool md5; };
struct gw_endpoint_put_reply { char *user, *password; };	/* password only when it was made here */
struct gw_endpoint { char *user, *name, *site; bool md5; int64_t made_ms; bool registered; char *why; };
struct gw_endpoint_list_reply { struct ort_json_array endpoints; };	/* endpoint */
struct gw_endpoint_ref { char *user; };
struct gw_trunk { char *name, *address, *state, *why; int64_t since_ms, calls; };
struct gw_trunk_list_reply { struct ort_json_array trunks; };	/* trunk */

/* ---- log, system ---- */
struct gw_log_list { int64_t after_seq, limit; char *type, *incident; int64_t before_seq, from_ms, to_ms; char *conference, *actor, *text; bool newest; };
struct gw_log_verify_reply { bool ok; int64_t records; char *head, *why; int64_t signatures; };
struct gw_webhook_test_reply { bool ok; int64_t status; char *why; };

/* ---- bodies of events ---- */
struct gw_ev_incident { json_t *incident; };
struct gw_ev_alarm { char *incident; int64_t step, minutes; char *text; };
struct gw_ev_wall { json_t *wall; };
struct gw_ev_scene_level { char *incident, *scene; bool speaking; };
struct gw_ev_scene_stats { char *incident, *scene; double loss; int64_t bitrate_bps, rtt_ms; double fps; };
struct gw_ev_rtc_gone { char *pc, *why; };
struct gw_ev_rtc_state { char *pc, *state; };
struct gw_ev_why { char *why; };
struct gw_ev_record { json_t *record; };
struct gw_ev_conference { json_t *conference; };
struct gw_ev_party_level { char *conference, *party; bool speaking; };
struct gw_ev_party_stats { char *conference, *party; json_t *sends, *gets; };
struct gw_ev_trunk { struct gw_trunk trunk; };
struct gw_ev_rollcall { json_t *rollcall; bool whole; };
struct gw_ev_system { char *engine, *why; };
#include "gateway/api/schema_rollcall.h"

#include "gateway/api/schema_control.h"
#include "gateway/api/schema_callack.h"
#include "gateway/api/schema_ready.h"
#include "gateway/api/schema_room.h"
#include "gateway/api/schema_access.h"
#include "gateway/api/schema_duty.h"

#define GW_TABLES(X) \
	GW_TABLES_ROOM(X) GW_TABLES_ACCESS(X) GW_TABLES_CALLACK(X) GW_TABLES_READY(X) \
	GW_TABLES_CONTROL(X) \
	GW_TABLES_DUTY(X) \
	X(empty) X(id_ref) X(name_ref) X(token_ref) X(time_sync) X(time_sync_reply) X(setup_state_reply) X(setup_complete) \
	X(auth_login) X(auth_bearer) X(session_info) X(account) X(account_list_reply) X(account_put) X(account_password) \
	X(device_issue) X(device_issue_reply) X(device) X(device_list_reply) X(token_issue) X(token_issue_reply) X(token) \
	X(token_list_reply) X(directory_item) X(directory_put) X(directory_ref) X(directory_csv) X(directory_import) \
	X(import_error) X(directory_import_reply) X(incident_open) X(incident_update) X(incident_close) X(incident_list) \
	X(incident_list_reply) X(incident_log) X(log_records) X(incident_note) X(escalation_ack) X(link_issue) \
	X(issued_link) X(link_issue_reply) X(link_revoke) X(scene_ref) X(scene_position) X(scene_stamp) X(scene_mute) \
	X(scene_note) X(rtc_publish) X(rtc_view) X(rtc_offer) X(rtc_answer) X(rtc_candidate) X(rtc_route) X(rtc_prefer) \
	X(rtc_close) X(talk_set) X(wall_list_reply) X(wall_layout) X(wall_push) X(wall_push_reply) X(wall_clear) \
	X(wall_report) X(log_list) X(log_verify_reply) X(webhook_test_reply) X(ev_incident) X(ev_alarm) X(ev_wall) \
	X(ev_scene_level) X(ev_scene_stats) X(ev_rtc_gone) X(ev_rtc_state) X(ev_why) X(ev_record) X(ev_system) \
	X(conference_ref) X(conference_open) X(conference_list) X(conference_list_reply) X(conference_update) \
	X(conference_join) X(conference_join_reply) X(conference_layout) X(conference_cell) X(conference_play) X(party_ref) \
	X(party_call) X(party_call_reply) X(party_call_absent_reply) X(party_move) X(party_mute) X(party_volume) X(party_role_set) \
	X(party_dtmf) X(party_view) X(content_ref) X(content_lock) X(endpoint_put) X(endpoint_put_reply) X(endpoint) \
	X(endpoint_list_reply) X(endpoint_ref) X(trunk) X(trunk_list_reply) X(ev_conference) X(ev_party_level) X(ev_party_stats) \
	X(ev_trunk) X(rollcall_open) X(rollcall_run) X(rollcall_next) X(rollcall_mark) X(rollcall_jump) X(rollcall_list) \
	X(rollcall_list_reply) X(rollcall_circular) X(rollcall_circular_reply) X(ev_rollcall) GW_TABLES_ROLLCALL(X) X(rollcall) X(incident) X(certificate) X(wall) X(directory) X(stats) X(config) X(conference)	/* from rollcall on: struct gw_raw */
#define X(t) extern const struct ort_json_table gw_table_##t;
GW_TABLES(X)
#undef X
