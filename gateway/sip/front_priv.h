/* The TLS front of SIP: peers in TLS on one side, on the other the stack, which sees TCP on loopback (Debian's sofia-sip keeps
 * 25 kB of each TLS connection for ever). One front a zone. Loop thread; knows no SIP but frame_priv.h.
 *
 * Each connection, in or out, is one loopback connection with an address of its own in 127.0.0.0/8: it never comes again
 * before 4 million others, so a route to a phone that has gone cannot lead to another phone, and its true address is found by
 * it. In: front.c accepts, dials the stack from 127.64.0.0/10. Out: a target listens in 127.128.0.0/9, the stack dials
 * it, front_out.c dials the peer. Strangers on this machine who dial a target are not let in (the socket must be ours).
 *
 *   front.c  listener, limits, who is who      front_conn.c  one connection      front_out.c  targets and their addresses */
#pragma once
#include <gio/gio.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/sip/frame_priv.h"
#include "gateway/sip/limit_priv.h"
#include "gateway/sip/tls_priv.h"

struct sip_front;
struct sip_front_ops {
	/* A connection is no more; route: what requests to it were sent to. Nothing of the front is to be freed inside. */
	void (*on_gone)(const char *route, void *user_data);
	/* No TLS to a target, in words; what waits for it waits in vain. */
	void (*on_failed)(const char *route, const char *why, void *user_data);
};
struct sip_front_conf {
	GMainContext *context;
	const char *bind;		/* literal or "*" */
	uint16_t port;			/* 0 = the kernel's choice */
	const char *announce;		/* host in Via, with brackets if it is IPv6 */
	const char *certificate, *key, *ca;
	unsigned max;			/* connections, 0 = by descriptors, at most 1024 */
	struct sip_limit *limit;	/* borrowed: the buckets of all zones */
	const struct sip_front_ops *ops;
	void *user_data;
};
struct sip_front *sip_front_new(const struct sip_front_conf *conf, GError **err);
void sip_front_free(struct sip_front *f);
void sip_front_aim(struct sip_front *f, unsigned stack_port);	/* where on 127.0.0.1 the stack listens */
unsigned sip_front_port(const struct sip_front *f);
/* The connection whose loopback name this is; false = none: somebody on this machine plays peer. */
bool sip_front_who(struct sip_front *f, const char *loop, unsigned loop_port, const char **ret_source, unsigned *ret_port);
void sip_front_know(struct sip_front *f, const char *loop, unsigned loop_port);	/* a password was right: it may stay */
/* Route to a peer that is called: "sip:127.130.0.1:5061;transport=tcp", borrowed, good for ten minutes after its last use.
 * port 0: SRV, else 5061. NULL + *ret_why. */
const char *sip_front_route(struct sip_front *f, const char *host, unsigned port, const struct sip_trust *trust, char **ret_why);
bool sip_front_has(const struct sip_front *f, const char *route);	/* a connection that is open has this route */
void sip_front_use(struct sip_front *f, const char *route);	/* it is still wanted */
const char *sip_front_why(struct sip_front *f, const char *route);	/* why the last attempt failed; NULL */
void sip_front_tick(struct sip_front *f, int64_t now_us);	/* every 5 s */
json_t *sip_front_print(const struct sip_front *f);

/* ---- shared by its files ---- */
enum conn_state { CONN_LOOKING, CONN_DIALLING, CONN_HANDSHAKE, CONN_OPEN, CONN_ENDING };
struct target;
struct conn {
	struct sip_front *front;
	struct target *target;		/* of a connection out */
	GSource *source;
	gpointer far_tag, near_tag;
	int far_fd, near_fd;
	SSL *ssl;
	enum conn_state state;
	bool known, near_ready, near_eof;
	bool want_write;		/* TLS waits for room */
	int64_t since_us, deadline_us, last_us;
	char *address;			/* of the peer, with its port */
	char *key;			/* "127.64.0.1:40000": its name on loopback */
	char *source_key;		/* for limits */
	struct sip_hop hop;		/* strings owned, near_by and far_away the front's */
	GByteArray *far_in, *near_out, *near_in, *far_out;	/* read there, to be written there */
	GQueue *places;			/* out: struct place that are still to try */
	GCancellable *looking;
};
struct sip_front {
	GMainContext *context;
	const struct sip_front_ops *ops;
	void *user_data;
	struct sip_tls *tls;
	struct sip_limit *limit;
	char *bind, *near_by, *far_away, *announce;
	int listener;
	GSource *source, *resume;
	unsigned port, stack_port, max;
	uint32_t serial, target_serial;
	GQueue conns;			/* oldest first */
	GHashTable *by_key;		/* loopback name -> conn, borrowed; a target's name -> its newest conn */
	GHashTable *targets;		/* key -> target */
	uint64_t accepted, refused, failed, evicted, malformed, opened_out, failed_out;
};

struct conn *conn_new(struct sip_front *f, int far_fd, int near_fd);
void conn_watch(struct conn *c);		/* its descriptors changed, or what it waits for */
void conn_close(struct conn *c, const char *why);
void conn_free(gpointer p);
bool conn_step(struct conn *c);			/* false: it is over */
void conn_begin(struct conn *c, SSL *ssl, int64_t now_us);	/* the handshake */
struct conn *front_conn(struct sip_front *f, const char *loop, unsigned port);
int front_stack_socket(struct sip_front *f, struct conn *c);	/* dials the stack; -1 */
unsigned front_unknown(const struct sip_front *f, const char *source_key);	/* NULL: of all */
bool target_next(struct conn *c, const char *why);	/* the next address; false: there is none */
bool target_dialled(struct conn *c);		/* TCP is there: TLS begins */
void target_places_free(GQueue *places);
void target_tick(struct sip_front *f, int64_t now_us);
void target_free(gpointer p);
