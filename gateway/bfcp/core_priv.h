/* One BFCP association without sockets: transactions (RFC 8855 8.3), the server's and the client's part. Bytes and time in,
 * bytes and calls out. The owner keeps the memory until its outermost call has returned: any `on_` call may close it. */
#pragma once
#include "gateway/bfcp/bfcp.h"
#include "gateway/bfcp/msg_priv.h"

enum { BFCP_TRANSACTIONS = 8, BFCP_REPLIES = 8, BFCP_OWN_LONGEST = 512 };

struct bfcp_counters {
#define X(name, doc) uint64_t name;
#include "gateway/bfcp/counters.def"
#undef X
};

struct bfcp_core_ops {	/* as struct gw_bfcp_ops */
	void (*send)(const uint8_t *data, size_t len, void *user_data);
	void (*on_request)(void *user_data);
	void (*on_release)(void *user_data);
	void (*on_status)(enum gw_bfcp_status status, void *user_data);
	void (*on_floor)(bool held, bool by_us, void *user_data);
	void (*on_gone)(const char *why, void *user_data);
};

/* A request of ours that waits for its answer. */
struct bfcp_transaction {
	uint8_t prim;	/* 0 = free */
	uint16_t tid;
	unsigned sent;
	int64_t next_us;
	size_t len;
	uint8_t data[BFCP_OWN_LONGEST];
};
/* What we answered, in case that the request comes again. */
struct bfcp_reply {
	uint8_t prim;
	uint16_t tid;
	int64_t at_us;
	size_t len;
	uint8_t data[BFCP_OWN_LONGEST];
};

struct bfcp_core {
	const struct bfcp_core_ops *ops;
	void *user_data;
	struct bfcp_counters *counters;
	bool datagram, server, up, gone;
	uint32_t conference;
	uint16_t user, floor;
	uint8_t version;
	uint16_t next_tid;
	struct bfcp_transaction out[BFCP_TRANSACTIONS];
	struct bfcp_reply replies[BFCP_REPLIES];
	unsigned next_reply;
	int64_t keep_us;	/* next Hello of a client */
	/* pieces of one message, RFC 8855 6.2.3 */
	struct { uint16_t tid, words, have; uint8_t prim; uint8_t data[BFCP_LONGEST]; bool got[BFCP_LONGEST / 4]; } pieces;
	/* the floor request, ours or the peer's: 0 = none */
	uint16_t request;
	enum gw_bfcp_status status;
	/* server */
	uint16_t last_request;
	bool deciding;		/* inside of on_request: the answer waits for the verdict */
	bool subscribed, held;	/* held: by somebody else */
	char why[101];
	/* client */
	bool asked, release_wanted, floor_told, floor_held, floor_ours;
};

void bfcp_core_init(struct bfcp_core *c, bool datagram, const struct bfcp_core_ops *ops, struct bfcp_counters *counters,
		    uint16_t first_tid, void *user_data);
void bfcp_core_role(struct bfcp_core *c, bool server, uint32_t conference, uint16_t user, uint16_t floor);
void bfcp_core_up(struct bfcp_core *c, int64_t now_us);	/* the peer can be reached */
void bfcp_core_down(struct bfcp_core *c, const char *why);	/* the connection broke */
void bfcp_core_input(struct bfcp_core *c, const uint8_t *data, size_t len, int64_t now_us);	/* one whole message */
void bfcp_core_timer(struct bfcp_core *c, int64_t now_us);
int64_t bfcp_core_deadline(const struct bfcp_core *c);
void bfcp_core_bye(struct bfcp_core *c);	/* says Goodbye, once */

/* ---- for server.c and client.c ---- */
void bfcp_core_begin(struct bfcp_core *c, struct bfcp_out *o, unsigned prim);	/* a request of ours, with its number */
void bfcp_core_request(struct bfcp_core *c, struct bfcp_out *o, int64_t now_us);
void bfcp_core_begin_answer(struct bfcp_core *c, struct bfcp_out *o, const struct bfcp_msg *to, unsigned prim);
void bfcp_core_answer(struct bfcp_core *c, struct bfcp_out *o, const struct bfcp_msg *to, int64_t now_us);
void bfcp_core_error(struct bfcp_core *c, const struct bfcp_msg *to, enum bfcp_error error, int64_t now_us);
bool bfcp_core_waits(const struct bfcp_core *c, unsigned prim);
void bfcp_core_gone(struct bfcp_core *c, const char *why);

/* ---- server.c ---- */
void bfcp_server_input(struct bfcp_core *c, const struct bfcp_msg *m, int64_t now_us);
void bfcp_server_failed(struct bfcp_core *c, unsigned prim);
void bfcp_server_down(struct bfcp_core *c);
void bfcp_server_verdict(struct bfcp_core *c, enum gw_bfcp_status status, const char *why, int64_t now_us);
void bfcp_server_tell(struct bfcp_core *c, bool held, int64_t now_us);

/* ---- client.c ---- */
void bfcp_client_up(struct bfcp_core *c, int64_t now_us);
void bfcp_client_down(struct bfcp_core *c);
void bfcp_client_input(struct bfcp_core *c, const struct bfcp_msg *m, int64_t now_us);
void bfcp_client_answered(struct bfcp_core *c, unsigned prim, const struct bfcp_msg *m, int64_t now_us);
void bfcp_client_failed(struct bfcp_core *c, unsigned prim);
void bfcp_client_timer(struct bfcp_core *c, int64_t now_us);
void bfcp_client_request(struct bfcp_core *c, int64_t now_us);
void bfcp_client_release(struct bfcp_core *c, int64_t now_us);
