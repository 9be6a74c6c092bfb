/* Field tables of data rights, sessions, second factors, four eyes, in the order of schema_access.h. */
#include "gateway/api/tables_priv.h"

T(access_list_reply, RAW(access_list_reply, shares, 0, MIB, "array of share"));
T(access_share, IDF(access_share, kind, MUST, "division, site, incident or conference"), IDF(access_share, object, MUST, "which"),
  IDF(access_share, to, MUST, "division that may"), BOOL(access_share, command, 0, "command too, not only read"));
T(access_assign, IDF(access_assign, kind, MUST, "incident, conference or wall"), IDF(access_assign, object, MUST, "which"),
  IDF(access_assign, division, 0, "absent: the house"));
T(session_row, IDF(session_row, id, 0, "for session.end"), TEXT(session_row, subject, 0, LINE, "account, device or link"),
  TEXT(session_row, name, 0, LINE, "for people"), ENUM(session_row, role, gw_role_names, 0, "role"),
  TEXT(session_row, remote, OMIT, SHORT, "address that it was made from"), MS(session_row, since_ms, 0, "log-in"),
  MS(session_row, seen_ms, 0, "last call"), MS(session_row, expires_ms, 0, "absolute end"),
  INT(session_row, pages, 0, 0, 1000, NULL, "pages that are open with it now"), BOOL(session_row, own, 0, "it is the caller's"));
T(session_list_reply, ARR(session_list_reply, sessions, session_row, 20000, "last seen first"));
T(session_end_all_reply, INT(session_end_all_reply, ended, 0, 0, 20000, NULL, "sessions"));
T(totp_begin_reply, STR(totp_begin_reply, secret, ORT_J_SECRET, SHORT, "base32, to be typed"),
  STR(totp_begin_reply, uri, ORT_J_SECRET, 512, "otpauth address, to be scanned"));
T(totp_code, STR(totp_code, code, MUST | ORT_J_SECRET, 32, "six digits, or a recovery code"));
T(totp_confirm_reply, ORT_JF(struct gw_totp_confirm_reply, recovery, ORT_J_STRV, ORT_J_SECRET, 0, 16, NULL, "each opens once, shown this once"));
T(approval_list_reply, RAW(approval_list_reply, approvals, 0, MIB, "array of approval"));
T(approval_decide, IDF(approval_decide, id, MUST, "which"), BOOL(approval_decide, approve, MUST, "false: refuse"));
T(log_export, INT(log_export, after_seq, 0, 0, 9e15, NULL, "records after this one"), MS(log_export, from_ms, 0, "not before"),
  MS(log_export, to_ms, 0, "before; 0 = no end"), IDF(log_export, type, 0, "only of this type; \"party.\" = all that begin so"),
  IDF(log_export, incident, 0, "only of this incident"), IDF(log_export, conference, 0, "only of this conference"),
  TEXT(log_export, actor, 0, LINE, "part of the actor"), TEXT(log_export, text, 0, LINE, "part of the facts"));
T(log_export_reply, STR(log_export_reply, csv, ORT_J_LINES, MIB, "UTF-8 with BOM"), INT(log_export_reply, records, 0, 0, 20000, NULL, "rows"),
  BOOL(log_export_reply, more, 0, "20,000 were not enough: ask on after the last one"));
