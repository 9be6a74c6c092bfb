/* One side of an H.245 control channel (H.245 clause 8, annex C): master/slave determination, capability exchange, logical
 * channels, round trip, commands and user input. Pure: PDUs come in as JSON (per_priv.h) and go out by ops->send, whether
 * tunnelled or over TCP is the caller's affair. Owner: the call. Loop thread. Times in us.
 *
 * Nothing is freed inside of a callback but by h245_free() after it returned; channels live until on_closed returns. */
#pragma once
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct h245;
struct h245_address { char host[46]; uint16_t port; };	/* literal address; port 0 = not said */

enum h245_channel_state { H245_OPENING, H245_OPEN, H245_CLOSING };
struct h245_channel {
	bool out;			/* we transmit in it */
	uint16_t number;		/* of the transmitter's numbers: both sides may use the same one */
	enum h245_channel_state state;
	uint8_t session;		/* 1 audio, 2 video, 3 data, more by the master; 0 = the master shall say */
	uint8_t payload_type;		/* dynamic one as said, 0 = none */
	const char *packetization;	/* OID of its mediaPacketization, NULL = not said; borrowed from open */
	json_t *data_type;		/* 245:DataType; borrowed from open */
	json_t *open;			/* the whole openLogicalChannel */
	struct h245_address rtp, rtcp;	/* the peer's */
	int64_t due_us;			/* an answer is wanted by then */
	void *user_data;		/* the owner's */
};

enum h245_command { H245_FAST_UPDATE, H245_FREEZE, H245_FLOW, H245_ACTIVE, H245_INACTIVE };

struct h245_ops {	/* none may be NULL */
	void (*send)(struct h245 *h, const json_t *pdu, void *user_data);
	/* The peer's capabilities; NULL = the empty set: stop sending, our channels close by themselves. */
	void (*on_caps)(struct h245 *h, const json_t *tcs, void *user_data);
	void (*on_ready)(struct h245 *h, bool master, void *user_data);	/* channels may be opened; again after an empty set */
	/* The peer opens: answer by h245_accept() or h245_reject(), now or later. */
	void (*on_open)(struct h245 *h, struct h245_channel *c, void *user_data);
	void (*on_opened)(struct h245 *h, struct h245_channel *c, void *user_data);	/* ours; c->rtp is where to send */
	void (*on_closed)(struct h245 *h, struct h245_channel *c, const char *why, void *user_data);
	void (*on_command)(struct h245 *h, enum h245_command what, struct h245_channel *c /* NULL = all */, int64_t bps /* H245_FLOW: -1 = no restriction */, void *user_data);
	void (*on_digits)(struct h245 *h, const char *digits, void *user_data);
	/* Messages of H.239, H.460 and others: kind request, response, command or indication. true = taken. */
	bool (*on_generic)(struct h245 *h, const char *kind, const json_t *message, void *user_data);
	void (*on_end)(struct h245 *h, const char *why, void *user_data);	/* endSession came, or the peer is silent; once */
};

struct h245_conf {
	uint8_t terminal_type;		/* 50 terminal .. 190 MCU, 240 active MC (H.245 table) */
	uint32_t (*random24)(void *user_data);	/* statusDeterminationNumber; NULL = GLib's */
	json_t *capabilities;		/* members of a TerminalCapabilitySet beside number and protocol; borrowed during new */
};

struct h245 *h245_new(const struct h245_conf *conf, const struct h245_ops *ops, void *user_data);
void h245_free(struct h245 *h);
void h245_start(struct h245 *h, int64_t now_us);	/* the channel is up */
void h245_receive(struct h245 *h, const json_t *pdu, int64_t now_us);
int64_t h245_deadline(const struct h245 *h);		/* us, INT64_MAX = none */
void h245_tick(struct h245 *h, int64_t now_us);
bool h245_is_ready(const struct h245 *h);
bool h245_is_master(const struct h245 *h);
unsigned h245_faults(const struct h245 *h);		/* PDUs that did not fit */

/* Opens a channel to the peer: open = openLogicalChannel without its number (taken over). NULL: not ready. */
struct h245_channel *h245_open(struct h245 *h, json_t *open, int64_t now_us);
void h245_accept(struct h245 *h, struct h245_channel *c, const struct h245_address *rtp, const struct h245_address *rtcp);
void h245_reject(struct h245 *h, struct h245_channel *c, const char *cause);	/* openLogicalChannelReject.cause; c is gone */
/* Ours: closeLogicalChannel; the peer's: requestChannelClose. on_closed follows. */
void h245_close(struct h245 *h, struct h245_channel *c, int64_t now_us);
void h245_foreach(struct h245 *h, void (*fn)(struct h245_channel *c, void *ud), void *ud);
struct h245_channel *h245_find(struct h245 *h, bool out, unsigned number);	/* NULL */

void h245_fast_update(struct h245 *h, const struct h245_channel *c);	/* the peer's channel */
void h245_flow(struct h245 *h, const struct h245_channel *c, int64_t bps);	/* at most so much; 0 = no restriction */
void h245_digits(struct h245 *h, const char *digits);
void h245_generic(struct h245 *h, const char *kind, json_t *message);	/* message taken over */
void h245_end(struct h245 *h);		/* endSession; nothing is sent after it */

/* 245:TransportAddress */
json_t *h245_print_address(const struct h245_address *a);	/* (transfer full), NULL = not a literal address */
bool h245_read_address(const json_t *j, struct h245_address *ret);
