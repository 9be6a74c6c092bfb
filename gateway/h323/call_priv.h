/* Inside of a call: call.c (states), call_messages.c (what is said). */
#pragma once
#include "gateway/h323/call.h"

struct h323_call {
	const struct h323_call_ops *ops;
	void *user_data;
	struct h323_call_conf conf;
	char *name, *number, *product, *to;
	enum h323_call_state state;
	bool incoming, tunnel, h245_started, h245_connecting;
	uint16_t crv;
	char id[35], conference[35];	/* GUIDs as "0x" and 32 digits */
	char called[128];
	struct h323_party peer;
	struct h245_address target;
	struct h245_address h245_at;	/* where the peer awaits us; port 0 = not said */
	struct h245 *h245;
	int64_t due_us;
	unsigned faults;
};

void call_send_setup(struct h323_call *c);
void call_send_proceeding(struct h323_call *c);
void call_send_alerting(struct h323_call *c);
void call_send_connect(struct h323_call *c, const struct h245_address *h245 /* NULL = none */);
void call_send_start_h245(struct h323_call *c, const struct h245_address *own);
void call_send_release(struct h323_call *c, uint8_t cause);
void call_send_status(struct h323_call *c);

void call_read_setup(struct h323_call *c, const struct q931 *m, const json_t *body);
void call_read_endpoint(struct h323_call *c, const struct q931 *m, const json_t *body);	/* name and product */
bool call_read_address(const json_t *transport, struct h245_address *ret);	/* 225:TransportAddress */
json_t *call_print_address(const struct h245_address *a);
void call_read_alias(const json_t *alias, char *ret, size_t size);	/* digits, name or url without "h323:" */
uint8_t *call_octets(const json_t *hex, size_t *ret_len);		/* "0x.." (transfer full), NULL = it is not */
