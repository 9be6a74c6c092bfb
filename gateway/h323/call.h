/* One call's signalling: Setup to ReleaseComplete (H.225.0 clause 7), its H.245 channel tunnelled or apart (H.323 8.1, 8.2).
 * Pure: bytes in, bytes out, sockets and time are the owner's. Owner: the leg. Loop thread. Times in us.
 *
 *   IDLE --start--> CALLING --CallProceeding--> CALLING --Alerting--> RINGING --Connect--> ACTIVE --end, ReleaseComplete--> ENDED
 *   IDLE --Setup--> OFFERED --ringing--> RINGING --answer--> ACTIVE
 *
 * on_end comes once when the call ends by the peer or by time; h323_call_end() is silent. Nothing may be freed inside of a
 * callback. */
#pragma once
#include "gateway/h323/h245.h"
#include "gateway/h323/q931.h"

struct h323_call;
enum h323_call_state { H323_IDLE, H323_CALLING, H323_OFFERED, H323_RINGING, H323_ACTIVE, H323_ENDED };

struct h323_party { char name[128], number[Q931_NUMBER_MAX], product[128]; bool mcu; };

struct h323_call_ops {	/* none may be NULL */
	void (*send)(struct h323_call *c, const uint8_t *message, size_t len, void *user_data);
	void (*send_h245)(struct h323_call *c, const uint8_t *pdu, size_t len, void *user_data);
	bool (*listen_h245)(struct h323_call *c, struct h245_address *ret, void *user_data);	/* one connection is awaited there */
	void (*connect_h245)(struct h323_call *c, const struct h245_address *to, void *user_data);
	void (*on_setup)(struct h323_call *c, void *user_data);		/* who and whom: h323_call_peer(), h323_call_called() */
	void (*on_ringing)(struct h323_call *c, void *user_data);
	void (*on_active)(struct h323_call *c, void *user_data);
	void (*on_forwarded)(struct h323_call *c, const char *number, const struct h245_address *to, void *user_data); /* call there instead; ends after it */
	void (*on_end)(struct h323_call *c, const char *why, void *user_data);
	/* send and on_end of it call h323_call_send_h245() and h323_call_h245_ended() */
	const struct h245_ops *h245;
};

struct h323_call_conf {		/* strings and JSON borrowed during new */
	const char *name, *number;	/* ours: h323-ID and E.164, may be NULL */
	const char *product;		/* "Ortoo 0.1" */
	bool mcu;			/* we are an MCU (type 190), else a gateway (60) */
	bool tunnelling;		/* H.245 in the call signalling where the peer can, else always apart */
	unsigned rate;			/* of an outgoing call, units of 64 kbit/s, 1..127 */
	json_t *capabilities;		/* h323_caps_print() */
	uint16_t crv;			/* outgoing: 1..32767 */
};

struct h323_call *h323_call_new(const struct h323_call_conf *conf, const struct h323_call_ops *ops, void *user_data);
void h323_call_free(struct h323_call *c);
/* Outgoing, before start: number, name or url (NULL = nobody by name), and where Setup goes. */
void h323_call_target(struct h323_call *c, const char *called, const struct h245_address *to);
void h323_call_start(struct h323_call *c, int64_t now_us);		/* outgoing: the connection is up */
void h323_call_receive(struct h323_call *c, const uint8_t *message, size_t len, int64_t now_us);
void h323_call_lost(struct h323_call *c, const char *why);		/* the signalling connection went */
void h323_call_h245_up(struct h323_call *c, int64_t now_us);		/* the separate connection is up, whoever made it */
void h323_call_receive_h245(struct h323_call *c, const uint8_t *pdu, size_t len, int64_t now_us);
void h323_call_ringing(struct h323_call *c, int64_t now_us);		/* incoming */
void h323_call_answer(struct h323_call *c, int64_t now_us);
void h323_call_end(struct h323_call *c, uint8_t cause);		/* Q.850 */
int64_t h323_call_deadline(const struct h323_call *c);
void h323_call_tick(struct h323_call *c, int64_t now_us);

void h323_call_send_h245(struct h323_call *c, const json_t *pdu);
void h323_call_h245_ended(struct h323_call *c, const char *why);

enum h323_call_state h323_call_get_state(const struct h323_call *c);
struct h245 *h323_call_h245(struct h323_call *c);	/* lives as long as the call */
const struct h323_party *h323_call_peer(const struct h323_call *c);
const char *h323_call_called(const struct h323_call *c);	/* incoming: number or name that was called, "" = none */
const char *h323_call_id(const struct h323_call *c);		/* callIdentifier "0x..." */
bool h323_call_tunnels(const struct h323_call *c);
unsigned h323_call_faults(const struct h323_call *c);		/* messages that did not read or fit */
