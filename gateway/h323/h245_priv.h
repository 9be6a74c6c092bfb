/* Inside of the H.245 entity: h245.c (its life, procedures), h245_channels.c (logical channels). */
#pragma once
#include "gateway/h323/h245.h"

enum { H245_CHANNELS = 64, H245_DRAWS = 100 /* N100 */ };
#define H245_WAIT_US	(30 * G_USEC_PER_SEC)	/* T101, T103, T106, T108 */
#define H245_PROBE_US	(30 * G_USEC_PER_SEC)	/* quiet so long: a round trip is asked for */
#define H245_PROBE_WAIT (10 * G_USEC_PER_SEC)	/* T105 */

enum h245_rank { H245_UNDECIDED, H245_MASTER, H245_SLAVE };
struct h245 {
	const struct h245_ops *ops;
	void *user_data;
	struct h245_conf conf;
	json_t *capabilities;
	uint32_t drawn;			/* our statusDeterminationNumber */
	unsigned draws;
	enum h245_rank rank;		/* decided by us */
	bool rank_acked;		/* the peer agrees */
	uint8_t tcs_number;
	bool caps_acked, caps_came, was_ready, started, ended;
	int64_t caps_due_us, rank_due_us, heard_us, probe_due_us;
	uint8_t probe;
	uint16_t next_number;
	GPtrArray *channels;		/* struct h245_channel, owned */
	unsigned faults;
};

void h245_send(struct h245 *h, json_t *pdu);	/* taken over */
void h245_channel_free(gpointer c);
void h245_drop_channel(struct h245 *h, struct h245_channel *c, const char *why);	/* on_closed, then freed */
void h245_stop_sending(struct h245 *h, int64_t now_us);	/* the empty set: our channels close */
void h245_channels_tick(struct h245 *h, int64_t now_us);
int64_t h245_channels_deadline(const struct h245 *h);

/* Handlers of PDUs: body of the alternative. */
typedef void (*h245_handler_fn)(struct h245 *h, const json_t *body, int64_t now_us);
void h245_on_olc(struct h245 *h, const json_t *body, int64_t now_us);
void h245_on_olc_ack(struct h245 *h, const json_t *body, int64_t now_us);
void h245_on_olc_reject(struct h245 *h, const json_t *body, int64_t now_us);
void h245_on_clc(struct h245 *h, const json_t *body, int64_t now_us);
void h245_on_clc_ack(struct h245 *h, const json_t *body, int64_t now_us);
void h245_on_close_request(struct h245 *h, const json_t *body, int64_t now_us);
void h245_on_misc_command(struct h245 *h, const json_t *body, int64_t now_us);
void h245_on_misc_indication(struct h245 *h, const json_t *body, int64_t now_us);
void h245_on_flow(struct h245 *h, const json_t *body, int64_t now_us);

static inline int64_t h245_int(const json_t *o, const char *member)
{
	return json_integer_value(json_object_get(o, member));
}
