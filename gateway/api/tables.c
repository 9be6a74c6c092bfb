/* Field tables of the client protocol, in the order of schema.h. Limits stand here and nowhere else. */
#include "gateway/api/tables_priv.h"

const struct ort_json_table gw_table_empty = { "gw_table_empty", sizeof(struct gw_empty), NULL, 0 };
T(id_ref, IDF(id_ref, id, MUST, "which"));
T(name_ref, TEXT(name_ref, name, MUST, SHORT, "which"));
T(token_ref, STR(token_ref, token, MUST | ORT_J_SECRET | ORT_J_ID, TOKEN, "the secret part of the link"));
BARE(incident);
BARE(certificate);
BARE(wall);
BARE(directory);
BARE(stats);
BARE(config);
BARE(conference);

T(time_sync, MS(time_sync, client_ms, 0, "echoed"));
T(time_sync_reply, MS(time_sync_reply, client_ms, 0, "as sent"), MS(time_sync_reply, server_ms, 0, "our clock"));

/* ---- sessions, accounts, devices, tokens ---- */
T(setup_state_reply, BOOL(setup_state_reply, needed, 0, "true until the first administrator exists"));
T(setup_complete, STR(setup_complete, token, MUST | ORT_J_SECRET | ORT_J_ID, TOKEN, "printed once at first start"),
  TEXT(setup_complete, name, MUST, SHORT, "log-in name"),
  STR(setup_complete, password, MUST | ORT_J_SECRET, LINE, "at least 10 characters"));
T(auth_login, TEXT(auth_login, name, MUST, SHORT, "log-in name"),
  STR(auth_login, password, MUST | ORT_J_SECRET, LINE, "password"),
  STR(auth_login, code, ORT_J_SECRET, 32, "second factor: six digits, or a recovery code"));
T(auth_bearer, STR(auth_bearer, token, MUST | ORT_J_SECRET | ORT_J_ID, TOKEN, "bearer or session token"));
T(session_info, TEXT(session_info, subject, 0, LINE, "account, device or link"),
  TEXT(session_info, name, 0, LINE, "for people"), ENUM(session_info, role, gw_role_names, 0, "decides what is allowed"),
  MS(session_info, expires_ms, 0, "absolute end of the session"),
  IDF(session_info, party, OMIT, "prefix of this session's streams; absent over REST for accounts"),
  IDF(session_info, incident, OMIT, "field: the incident"), IDF(session_info, scene, OMIT, "field: the scene"),
  TEXT(session_info, incident_text, OMIT, PAGE, "field: what happened"), BOOL(session_info, drill, OMIT, "field: an exercise"),
  IDF(session_info, division, OMIT, "its data rights; absent: the house"), BOOL(session_info, second_factor, OMIT, "it has one"),
  BOOL(session_info, second_factor_wanted, OMIT, "an administrator without second factor"),
  BOOL(session_info, limited, OMIT, "may only set up its second factor now"));
T(account, TEXT(account, name, 0, SHORT, "log-in name"), TEXT(account, display, 0, LINE, "shown name"),
  ENUM(account, role, gw_account_role_names, 0, "role"), BOOL(account, disabled, 0, "may not log in"),
  MS(account, created_ms, 0, "made"), MS(account, last_login_ms, 0, "0 = never"), IDF(account, division, OMIT, "absent: the house"),
  BOOL(account, second_factor, 0, "it has one"));
T(account_list_reply, ARR(account_list_reply, accounts, account, 10000, "by name"));
T(account_put, TEXT(account_put, name, MUST, SHORT, "log-in name"),
  ENUM(account_put, role, gw_account_role_names, MUST, "role; none is refused"),
  STR(account_put, password, ORT_J_SECRET, LINE, "absent: unchanged; needed for a new account"),
  TEXT(account_put, display, 0, LINE, "shown name"), BOOL(account_put, disabled, 0, "may not log in"),
  IDF(account_put, division, 0, "data rights; absent: unchanged, or the maker's; empty: the house"));
T(account_password, STR(account_password, old, MUST | ORT_J_SECRET, LINE, "present password"),
  STR(account_password, new, MUST | ORT_J_SECRET, LINE, "at least 10 characters"));
T(device_issue, IDF(device_issue, kind, MUST, "wall or room"), TEXT(device_issue, name, MUST, SHORT, "name of the place"));
T(device_issue_reply, IDF(device_issue_reply, id, 0, "device"), STR(device_issue_reply, url, 0, 512, "to open on the device"),
  STR(device_issue_reply, token, ORT_J_SECRET, TOKEN, "shown this once"));
T(device, IDF(device, id, 0, "device"), IDF(device, kind, 0, "wall or room"), TEXT(device, name, 0, SHORT, "place"),
  MS(device, issued_ms, 0, "made"), MS(device, used_ms, 0, "0 = never"), BOOL(device, revoked, 0, "token is dead"),
  IDF(device, division, OMIT, "whose; absent: the house's"));
T(device_list_reply, ARR(device_list_reply, devices, device, 10000, "by name"));
T(token_issue, TEXT(token_issue, name, MUST, SHORT, "what it is for"),
  ENUM(token_issue, role, gw_account_role_names, MUST, "role; none is refused"),
  MS(token_issue, expires_ms, 0, "wall clock; 0 = in 90 days"));
T(token_issue_reply, IDF(token_issue_reply, id, 0, "for token.revoke"),
  STR(token_issue_reply, token, ORT_J_SECRET, TOKEN, "shown this once"), MS(token_issue_reply, expires_ms, 0, "end"));
T(token, IDF(token, id, 0, "for token.revoke"), TEXT(token, name, 0, SHORT, "what it is for"),
  ENUM(token, role, gw_account_role_names, 0, "role"), MS(token, issued_ms, 0, "made"), MS(token, expires_ms, 0, "end"),
  MS(token, used_ms, 0, "0 = never"));
T(token_list_reply, ARR(token_list_reply, tokens, token, 10000, "by name"));

/* ---- directory ---- */
T(directory_item, IDF(directory_item, id, 0, "absent: a new one"), IDF(directory_item, parent, OMIT, "division: the one above"),
  IDF(directory_item, division, OMIT, "site, person: where it belongs"), IDF(directory_item, site, OMIT, "device: where it stands"),
  IDF(directory_item, code, OMIT, "division: GB/T 2260 code"), TEXT(directory_item, name, 0, LINE, "name"),
  TEXT(directory_item, kind, OMIT, SHORT, "site, device: what it is"), TEXT(directory_item, address, OMIT, LINE, "site: address"),
  TEXT(directory_item, title, OMIT, LINE, "person: office"), TEXT(directory_item, phone, OMIT, SHORT, "person: telephone"),
  BOOL(directory_item, duty, OMIT, "person: on duty now"));
T(directory_put, IDF(directory_put, kind, MUST, "division, site, person or device"),
  ORT_JF_SUB(struct gw_directory_put, item, ORT_J_OBJECT, &gw_table_directory_item, MUST, 0, "the entry"));
T(directory_ref, IDF(directory_ref, kind, MUST, "division, site, person or device"), IDF(directory_ref, id, MUST, "which"));
T(directory_csv, STR(directory_csv, csv, ORT_J_LINES, 16 * MIB, "UTF-8 text"));
T(directory_import, STR(directory_import, csv, MUST | ORT_J_LINES, MIB, "UTF-8 text"),
  BOOL(directory_import, dry_run, 0, "check and count only"));
T(import_error, INT(import_error, line, 0, 0, 0, NULL, "1 = the first"),
  IDF(import_error, code, 0, "no_header, not_text, quote, bad_kind, no_name, unknown_parent, ambiguous_parent, ambiguous, bad_value, cycle or limit"),
  TEXT(import_error, value, 0, LINE, "the cell that is wrong"), TEXT(import_error, why, 0, LINE, "what is wrong"));
T(directory_import_reply, INT(directory_import_reply, added, 0, 0, 0, NULL, "new"),
  INT(directory_import_reply, changed, 0, 0, 0, NULL, "changed"), INT(directory_import_reply, removed, 0, 0, 0, NULL, "removed"),
  ARR(directory_import_reply, errors, import_error, 1000, "lines refused"));

/* ---- incidents ---- */
#define POSITION(s) DBL(s, lat, 0, -90, 90, "deg", "WGS 84"), DBL(s, lon, 0, -180, 180, "deg", "WGS 84; 0,0 = no position")
T(incident_open, TEXT(incident_open, kind, MUST, SHORT, "what happened, one word"),
  INT(incident_open, level, MUST, 1, 4, NULL, "1 is the gravest"), TEXT(incident_open, place, MUST, LINE, "where, in words"),
  POSITION(incident_open), TEXT(incident_open, text, 0, PAGE, "what is known"), BOOL(incident_open, drill, 0, "an exercise"));
T(incident_update, IDF(incident_update, id, MUST, "which"), TEXT(incident_update, kind, 0, SHORT, "absent: stays"),
  INT(incident_update, level, 0, 0, 4, NULL, "0: stays"), TEXT(incident_update, place, 0, LINE, "absent: stays"),
  POSITION(incident_update), TEXT(incident_update, text, 0, PAGE, "absent: stays"));
T(incident_close, IDF(incident_close, id, MUST, "which"), TEXT(incident_close, reason, MUST, LINE, "why"));
T(incident_list, BOOL(incident_list, open_only, 0, "leave out closed ones"),
  INT(incident_list, limit, 0, 0, 500, NULL, "0 = 100"), MS(incident_list, before_ms, 0, "opened before; 0 = newest"));
T(incident_list_reply, RAW(incident_list_reply, incidents, 0, 16 * MIB, "array of incident"));
T(incident_log, IDF(incident_log, id, MUST, "which"), INT(incident_log, after_seq, 0, 0, 9e15, NULL, "0 = from the start"),
  INT(incident_log, limit, 0, 0, 1000, NULL, "0 = 200"));
T(log_records, RAW(log_records, records, 0, 16 * MIB, "array of {seq, at_ms, actor, type, text, body, hash}"),
  INT(log_records, last_seq, OMIT, 0, 9e15, NULL, "log.list: the last that was looked at; ask on after it, or before it with newest"));
T(incident_note, IDF(incident_note, id, MUST, "which"), TEXT(incident_note, text, MUST, PAGE, "the note"));
T(escalation_ack, IDF(escalation_ack, incident, MUST, "which"), INT(escalation_ack, step, MUST, 0, 100, NULL, "row of the table"));
T(link_issue, IDF(link_issue, incident, MUST, "which"), IDF(link_issue, person, 0, "from the directory; this or guest_name is needed"),
  TEXT(link_issue, guest_name, 0, SHORT, "name of somebody who is not in the directory"), IDF(link_issue, channel, 0, "copy (default) or webhook"),
  TEXT(link_issue, phone, 0, SHORT, "where the webhook shall send it"));
T(issued_link, IDF(issued_link, id, 0, "for link.revoke"), IDF(issued_link, scene, 0, "the scene it opens"),
  STR(issued_link, url, ORT_J_SECRET, 512, "shown this once"), MS(issued_link, expires_ms, 0, "first use until then"));
T(link_issue_reply, ORT_JF_SUB(struct gw_link_issue_reply, link, ORT_J_OBJECT, &gw_table_issued_link, 0, 0, "the link"));
T(link_revoke, IDF(link_revoke, link, MUST, "which"));

/* ---- scenes ---- */
T(scene_ref, IDF(scene_ref, scene, MUST, "which"));
T(scene_position, DBL(scene_position, lat, MUST, -90, 90, "deg", "WGS 84"), DBL(scene_position, lon, MUST, -180, 180, "deg", "WGS 84"),
  DBL(scene_position, accuracy_m, 0, 0, 1e7, "m", "68 % radius"), MS(scene_position, at_ms, 0, "when it was measured"));
T(scene_stamp, ENUM(scene_stamp, kind, gw_scene_stamp_names, MUST, "what happened"), MS(scene_stamp, at_ms, 0, "when"),
  TEXT(scene_stamp, detail, 0, LINE, "a few words"));
T(scene_mute, IDF(scene_mute, scene, 0, "field: absent = own"), BOOL(scene_mute, on, MUST, "true = silent"));
T(scene_note, IDF(scene_note, scene, 0, "field: absent = own"), TEXT(scene_note, text, MUST, PAGE, "the note"));

/* ---- media ---- */
T(rtc_publish, STR(rtc_publish, mid, MUST, 32, "m-line"), ENUM(rtc_publish, kind, gw_media_kind_names, MUST, "audio or video"),
  ENUM(rtc_publish, content, gw_media_content_names, 0, "main or slides (RFC 4796)"));
T(rtc_view, STR(rtc_view, mid, MUST, 32, "m-line"), IDF(rtc_view, stream, OMIT, "null: nothing yet"),
  INT(rtc_view, width, 0, 0, 8192, "px", "wanted; 0 = any"), INT(rtc_view, height, 0, 0, 8192, "px", "wanted; 0 = any"));
#define PC(s) STR(s, pc, MUST | ORT_J_ID, 32, "the client's name of its peer connection")
T(rtc_offer, PC(rtc_offer), STR(rtc_offer, sdp, MUST | ORT_J_LINES, SDP, "the offer"),
  IDF(rtc_offer, party, 0, "of conference.join: its streams are named by it; absent = this connection's own"),
  ARR(rtc_offer, publish, rtc_publish, 16, "what each sending m-line is"), ARR(rtc_offer, view, rtc_view, 64, "what each receiving m-line shows"),
  BOOL(rtc_offer, restart, 0, "ICE restart"));
T(rtc_answer, STR(rtc_answer, sdp, ORT_J_LINES, SDP, "the answer, with all candidates"));
T(rtc_candidate, PC(rtc_candidate), STR(rtc_candidate, candidate, 0, 512, "RFC 8839 candidate; empty = no more"));
T(rtc_route, PC(rtc_route), STR(rtc_route, mid, MUST, 32, "m-line"), IDF(rtc_route, stream, 0, "null: nothing"));
T(rtc_prefer, PC(rtc_prefer), STR(rtc_prefer, mid, MUST, 32, "m-line"), INT(rtc_prefer, width, 0, 0, 8192, "px", "0 = any"),
  INT(rtc_prefer, height, 0, 0, 8192, "px", "0 = any"), INT(rtc_prefer, max_bps, 0, 0, 1e9, "bps", "0 = any"),
  BOOL(rtc_prefer, paused, 0, "send nothing"));
T(rtc_close, PC(rtc_close));
T(talk_set, IDF(talk_set, incident, MUST, "which"),
  ORT_JF(struct gw_talk_set, scenes, ORT_J_STRV, MUST, 0, 64, NULL, "scene ids, or one \"*\" for all"), BOOL(talk_set, on, MUST, "speak or cease"));

/* ---- walls ---- */
T(wall_list_reply, RAW(wall_list_reply, walls, 0, 16 * MIB, "array of wall"));
T(wall_layout, IDF(wall_layout, wall, MUST, "which"), INT(wall_layout, layout, MUST, 1, 9, NULL, "1, 2, 4, 6 or 9"));
T(wall_push, IDF(wall_push, wall, MUST, "which"), IDF(wall_push, scene, MUST, "what"), INT(wall_push, window, 0, 0, 9, NULL, "0 = choose"));
T(wall_push_reply, INT(wall_push_reply, window, 0, 0, 9, NULL, "where it went"));
T(wall_clear, IDF(wall_clear, wall, MUST, "which"), RAW(wall_clear, window, MUST, 16, "number, or \"*\" for all"));
T(wall_report, INT(wall_report, window, MUST, 1, 9, NULL, "which"), IDF(wall_report, stream, 0, "what it shows"),
  ENUM(wall_report, state, gw_wall_report_names, MUST, "what happened"), MS(wall_report, at_ms, 0, "when, in the server's clock"),
  INT(wall_report, rtp_ts, 0, 0, 4294967295.0, NULL, "of the frame, if known"), INT(wall_report, width, 0, 0, 16384, "px", "of the frame"),
  INT(wall_report, height, 0, 0, 16384, "px", "of the frame"),
  INT(wall_report, clock_error_ms, 0, 0, 1e6, "ms", "how wrong at_ms may be"));

/* ---- log, system ---- */
T(log_list, INT(log_list, after_seq, 0, 0, 9e15, NULL, "0 = from the start"), INT(log_list, limit, 0, 0, 1000, NULL, "0 = 200"),
  IDF(log_list, type, 0, "only this type; \"party.\" = all that begin so"), IDF(log_list, incident, 0, "only this incident"),
  INT(log_list, before_seq, 0, 0, 9e15, NULL, "0 = no end"), MS(log_list, from_ms, 0, "not before"), MS(log_list, to_ms, 0, "before; 0 = no end"),
  IDF(log_list, conference, 0, "only this conference"), TEXT(log_list, actor, 0, LINE, "part of the actor"),
  TEXT(log_list, text, 0, LINE, "part of the facts"), BOOL(log_list, newest, 0, "newest first"));
T(log_verify_reply, BOOL(log_verify_reply, ok, 0, "the chain is whole"), INT(log_verify_reply, records, 0, 0, 0, NULL, "walked"),
  STR(log_verify_reply, head, 0, 128, "hash of the last record"), TEXT(log_verify_reply, why, OMIT, LINE, "where it breaks"),
  INT(log_verify_reply, signatures, 0, 0, 0, NULL, "over the head, checked"));
T(webhook_test_reply, BOOL(webhook_test_reply, ok, 0, "answered 2xx"), INT(webhook_test_reply, status, 0, 0, 0, NULL, "HTTP status; 0 = no answer"),
  TEXT(webhook_test_reply, why, OMIT, LINE, "what went wrong"));

/* ---- bodies of events ---- */
T(ev_incident, RAW(ev_incident, incident, 0, MIB, "the whole incident"));
T(ev_alarm, IDF(ev_alarm, incident, 0, "which"), INT(ev_alarm, step, 0, 0, 0, NULL, "row of the table"),
  INT(ev_alarm, minutes, 0, 0, 0, "min", "since T0"), TEXT(ev_alarm, text, 0, LINE, "what shall be done"));
T(ev_wall, RAW(ev_wall, wall, 0, MIB, "the whole wall"));
T(ev_scene_level, IDF(ev_scene_level, incident, 0, "which"), IDF(ev_scene_level, scene, 0, "which"), BOOL(ev_scene_level, speaking, 0, "now"));
T(ev_scene_stats, IDF(ev_scene_stats, incident, 0, "which"), IDF(ev_scene_stats, scene, 0, "which"),
  DBL(ev_scene_stats, loss, 0, 0, 0, NULL, "0..1"), INT(ev_scene_stats, bitrate_bps, 0, 0, 0, "bps", "received"),
  INT(ev_scene_stats, rtt_ms, 0, 0, 0, "ms", "round trip"), DBL(ev_scene_stats, fps, OMIT, 0, 0, "1/s", "frames"));
T(ev_rtc_gone, IDF(ev_rtc_gone, pc, 0, "which"), TEXT(ev_rtc_gone, why, 0, LINE, "for the log"));
T(ev_rtc_state, IDF(ev_rtc_state, pc, 0, "which"), IDF(ev_rtc_state, state, 0, "up, disconnected or failed"));
T(ev_why, TEXT(ev_why, why, 0, LINE, "reason"));
T(ev_record, RAW(ev_record, record, 0, MIB, "{seq, at_ms, actor, type, text, body, hash}"));
T(ev_system, IDF(ev_system, engine, 0, "up, down or restarting"), TEXT(ev_system, why, OMIT, LINE, "detail"));
