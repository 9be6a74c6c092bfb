/* Inside of gw_h323: h323.c (listening, calls as a set), leg.c (one call as a leg). */
#pragma once
#include "gateway/h323/call.h"
#include "gateway/h323/conn.h"
#include "gateway/h323/h239.h"
#include "gateway/h323/h323.h"
#include "gateway/h323/media.h"

enum { COUNT_CALLS_IN, COUNT_CALLS_OUT, COUNT_REFUSED, COUNT_LIMITED, COUNT_FAULTS, COUNT_SILENT, COUNT_N };
struct gw_h323 {
	struct gw_h323_ops ops;
	const struct gw_leg_listener *listener;
	void *user_data;
	struct gw_h323_conf conf;	/* strings below */
	char *bind, *zone, *room, *name, *number, *route;
	GSocketService *service;
	uint16_t port;
	GPtrArray *legs;		/* struct h323_leg, not owned */
	uint64_t counts[COUNT_N];
	unsigned serial;
	uint16_t crv;
};

/* A call. As a leg it begins with gw_leg_init: by gw_h323_call(), or when Setup was let in; before that it is ours to free. */
struct h323_leg {
	gw_leg leg;
	gw_h323 *h;
	struct h323_call *call;
	struct h323_media *media;
	struct h323_conn *signal, *control;
	GSocketService *listening;	/* for the peer's H.245 connection */
	GSource *timer;
	json_t *caps;			/* the peer's */
	bool is_leg, incoming, media_open, answer_wanted, dialled, told_up;
	unsigned opening;		/* channels of ours without an answer */
	unsigned idle;			/* source that ends it from the loop */
	int64_t born_us, max_bps;
	struct h239 token;
	struct h323_codec chosen[H323_MEDIA_N];
	struct h245_channel *out[H323_MEDIA_N], *in[H323_MEDIA_N];	/* borrowed of the H.245 side */
	struct h245_address to;
	char *called, *from;
};

struct h323_leg *leg_incoming(gw_h323 *h, GSocketConnection *connection);
struct h323_leg *leg_outgoing(gw_h323 *h, const char *id, const char *party);
void leg_end_later(struct h323_leg *l);	/* one that is no gw_leg yet: freed from the loop */
json_t *leg_print(const struct h323_leg *l);
void leg_destroy(struct h323_leg *l);
void leg_end(struct h323_leg *l, const char *why);
void leg_media_ready(struct h323_leg *l);
/* leg_media.c */
extern const struct h245_ops leg_h245_ops;
void leg_open_media(struct h323_leg *l);
void leg_send_token(const char *kind, json_t *message, void *user_data);
int leg_floor(struct h323_leg *l, enum gw_h323_floor what);
/* "h323:8002@192.0.2.1:1720"; route: where a bare number goes, NULL = nowhere */
bool h323_parse_address(const char *address, const char *route, char **ret_called, struct h245_address *ret_to);
