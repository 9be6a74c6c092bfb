/* Call-and-acknowledge: bodies of its methods. Included by schema.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/json.h"

struct gw_callack_open { char *conference, *name, *text, *incident; json_t *rows; bool drill; };
struct gw_callack_list { bool open_only; int64_t limit; };	/* 0 = 20 */
struct gw_callack_list_reply { json_t *callacks; };		/* array of callack */
struct gw_callack_ack { char *callack; int64_t row; };
struct gw_callack_ack_reply { char *party, *conference, *audio, *video; };	/* party NULL: joins by itself */
struct gw_callack_link_reply { char *url; int64_t expires_ms; };
struct gw_callack_phone { char *callack, *name, *text, *node, *state; bool acked, drill; int64_t opened_ms; };
struct gw_ev_callack { json_t *callack; };

#define GW_TABLES_CALLACK(X) \
	X(callack_open) X(callack_list) X(callack_list_reply) X(callack_ack) X(callack_ack_reply) X(callack_link_reply) X(callack_phone) X(ev_callack) \
	X(callack)	/* struct gw_raw */
