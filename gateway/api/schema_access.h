/* Structs of data rights, sessions, second factors, four eyes. Included by schema.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/json.h"

struct gw_access_list_reply { json_t *shares; };	/* array of share */
struct gw_access_share { char *kind, *object, *to; bool command; };
struct gw_access_assign { char *kind, *object, *division; };	/* division NULL = the house */
struct gw_session_row { char *id, *subject, *name; int role; char *remote; int64_t since_ms, seen_ms, expires_ms, pages; bool own; };
struct gw_session_list_reply { struct ort_json_array sessions; };	/* session_row */
struct gw_session_end_all_reply { int64_t ended; };
struct gw_totp_begin_reply { char *secret, *uri; };
struct gw_totp_code { char *code; };
struct gw_totp_confirm_reply { char **recovery; };
struct gw_approval_list_reply { json_t *approvals; };	/* array of approval */
struct gw_approval_decide { char *id; bool approve; };
struct gw_log_export { int64_t after_seq, from_ms, to_ms; char *type, *incident, *conference, *actor, *text; };
struct gw_log_export_reply { char *csv; int64_t records; bool more; };

#define GW_TABLES_ACCESS(X) \
	X(access_list_reply) X(access_share) X(access_assign) X(session_row) X(session_list_reply) X(session_end_all_reply) \
	X(totp_begin_reply) X(totp_code) X(totp_confirm_reply) X(approval_list_reply) X(approval_decide) X(log_export) X(log_export_reply)
