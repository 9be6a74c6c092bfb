/* Inside of mcu/net: what its files know of each other. All of it belongs to the port's media thread. */
#pragma once
#include <nice/agent.h>
#include <openssl/ssl.h>
#include <stun/stunagent.h>

#include "mcu/base/clock.h"
#include "mcu/base/fsm.h"
#include "mcu/net/dtls_priv.h"
#include "mcu/net/net.h"
#include "mcu/net/srtp_priv.h"

enum {
	NET_BATCH = 64,		/* datagrams of one recvmmsg, and runs of one sendmmsg */
	NET_BATCHES = 4,	/* batches a socket may take in one turn */
	NET_DATAGRAM = 1500,	/* longest datagram accepted */
	NET_SLOT = 1600,	/* room for one packet in the out area */
	NET_OUT = 256,		/* packets gathered before a flush by itself */
	NET_LEARNT = 8,		/* size steps remembered within a batch */
	NET_SEGMENTS = 64,	/* UDP_MAX_SEGMENTS of Linux */
	NET_RUN_BYTES = 65000,	/* below the 65,507 of a UDP payload */
	NET_SOCKS = 16,		/* listening addresses */
	NET_PAIRS = 8,		/* validated pairs kept per transport */
	NET_CHECKS = 32,	/* transaction ids of valid checks remembered per transport */
	NET_EARLY = 4,		/* DTLS datagrams kept before connect() */
	NET_TCP_IDLE = 256,	/* TCP connections without a transport */
	NET_TCP_IDLE_US = 5000000,
	NET_TCP_FRAME = 2048,	/* longest RFC 4571 frame accepted */
	NET_LIMIT_SLOTS = 4096,	/* sources with a token bucket */
	NET_PLAIN_BATCH = 16,	/* datagrams of one recvmmsg on a socket that serves one m-line */
	NET_PLAIN_SSRCS = 8,	/* streams of one plain transport at a time (class 14) */
	NET_PLAIN_KEYS = 64,	/* SSRCs that one SRTP context of a plain transport learns in its life */
};

enum net_counter {
#define MCU_COUNTER(id, name, doc) NET_##id,
#include "mcu/net/counters.def"
#undef MCU_COUNTER
	NET_COUNTERS
};

/* One handler an fd; embedded first in what owns the fd. */
struct net_event { void (*ready)(mcu_port *port, struct net_event *ev, uint32_t events); int fd; };

struct net_plain;
struct net_sock {	/* one UDP socket */
	struct net_event ev;
	union mcu_addr local;
	bool any;	/* bound to a wildcard: answers must say from which address (IP_PKTINFO) */
	struct net_plain *plain;	/* it serves this one alone; NULL = the muxed port */
};

typedef struct net_tcp net_tcp;
struct net_agent;
struct net_bridge;
struct net_agents;

/* Where a datagram came from and how to answer: a UDP socket and two addresses, a TCP connection, or a libnice agent.
 * Of the three exactly one is set. */
struct net_path {
	struct net_sock *sock;
	net_tcp *tcp;
	struct net_agent *agent;
	union mcu_addr remote, local;	/* v4-mapped folded; local: address only */
};

/* Token bucket: `per_s` tokens a second, as many at once. Zero = full. */
struct net_bucket { int64_t at_us; uint32_t used; };
bool net_bucket_take(struct net_bucket *b, unsigned per_s, int64_t now_us);
bool net_bucket_empty(struct net_bucket *b, unsigned per_s, int64_t now_us);

/* Buckets by source address (v6 by /64) in a table of fixed size: two sources may share one, none costs memory. */
struct net_limit { struct net_bucket slots[NET_LIMIT_SLOTS]; uint64_t seed; };
struct net_bucket *net_limit_of(struct net_limit *l, const union mcu_addr *source);

/* addr.c */
void net_addr_fold(union mcu_addr *a);
socklen_t net_addr_len(const union mcu_addr *a);
uint16_t net_addr_port(const union mcu_addr *a);
void net_addr_set_port(union mcu_addr *a, uint16_t port);
bool net_addr_parse(const char *text, uint16_t port, union mcu_addr *ret);
void net_addr_text(const union mcu_addr *a, char ret[46]);
bool net_addr_equal(const union mcu_addr *a, const union mcu_addr *b, bool with_port);
bool net_addr_any(const union mcu_addr *a);
bool net_addr_loopback(const union mcu_addr *a);

struct net_key { uint8_t remote[16], local[16]; uint16_t port, pad[3]; };
void net_key_of(const struct net_path *path, struct net_key *ret);

/* One 5-tuple from which a transport's peer has proved itself with a valid binding request. */
struct net_pair {
	struct net_key key;	/* UDP only */
	struct net_path path;
	mcu_transport *t;
	unsigned generation;	/* of the credentials that validated it */
	uint32_t priority;
	bool nominated;		/* the latest check carried USE-CANDIDATE */
	bool no_gso;
	int64_t last_check_us;
	struct net_bucket hello;
};

/* Validated 5-tuples of the port: open addressing, linear probing. */
struct net_table { struct net_pair **slots; unsigned n, n_slots; uint64_t seed; };
struct net_pair *net_table_find(const struct net_table *t, const struct net_key *key);
void net_table_add(struct net_table *t, struct net_pair *pair);
void net_table_remove(struct net_table *t, const struct net_pair *pair);

/* Egress: packets of consecutive calls for one path lie back to back in `area` and leave as one run. Runs of TCP and
 * of agents carry RFC 4571 length prefixes instead of equal sizes. */
struct net_run {
	struct net_path path;
	struct net_pair *pair;
	uint32_t offset, len;
	uint16_t segment, n;	/* size of all but the last; packets */
	bool closed;		/* a shorter one was the last */
};
struct net_out {
	uint8_t *area;
	uint32_t fill;
	unsigned n_packets, n_runs;
	unsigned n_learnt;
	struct net_step { uint16_t from, to; } learnt[NET_LEARNT];	/* sizes on the wire; see out.c */
	struct net_run runs[NET_OUT];
};

struct net_creds { char ufrag[33], pwd[33]; unsigned generation; bool live; };

enum transport_state { TS_NEW, TS_ICE, TS_DTLS, TS_UP, TS_DISCONNECTED, TS_FAILED, TS_CLOSED, TS_N };
enum transport_event { TE_CONNECT, TE_CHECK, TE_KEYS, TE_QUIET, TE_LOST, TE_BAD, TE_TIMEOUT, TE_CLOSE, TE_N };

struct mcu_transport {
	mcu_port *port;
	struct net_agent *agent;	/* NULL = lite or plain */
	struct net_plain *plain;	/* NULL = ICE */
	struct net_bridge *bridge;	/* not NULL: no network at all */
	mcu_transport *next, *prev;	/* of the port's list, or of its dead list */
	void *data;
	struct ort_fsm fsm;
	const char *why;		/* literal, of the last state */
	struct net_creds local, old;	/* old: until a pair of the new generation is nominated */
	uint8_t remote_hash[MCU_DTLS_HASH];
	bool connected, dtls_client, dead;
	struct net_pair *pairs[NET_PAIRS], *selected;
	mcu_dtls *dtls;
	int64_t dtls_free_us;
	unsigned dtls_attempts;
	GByteArray *early[NET_EARLY];
	mcu_srtp *in, *out;
	struct net_bucket bad_checks;
	uint64_t checks[NET_CHECKS];	/* transaction ids of the latest valid checks */
	unsigned n_checks;
	int64_t alive_us;		/* last valid check or authentic packet */
	int64_t rtt_us;
	int64_t heap_us;		/* key in the port's timer heap: not later than the true deadline */
	unsigned heap_at;		/* index + 1, 0 = not in it */
	uint64_t packets_in, packets_out, bytes_in, bytes_out;
};

/* A packet as it came in; `data` stays where it is until the handler returns. */
struct net_datagram { const uint8_t *data; size_t len; struct net_path path; };

struct net_rx;
struct mcu_port {
	struct mcu_port_conf conf;	/* defaults filled in; pointers cleared */
	struct mcu_port_ops ops;
	void *user_data;
	int epoll_fd;
	uint16_t number;
	struct net_sock socks[NET_SOCKS];
	struct net_sock listeners[NET_SOCKS];	/* TCP, same order */
	unsigned n_socks, n_listeners;
	union mcu_addr announce[NET_SOCKS];
	unsigned n_announce;
	struct { char name[32]; union mcu_addr address; } zones[NET_SOCKS];
	unsigned n_zones;
	bool batch_open;	/* plain sockets were read: the batch ends with the turn */
	struct net_table pairs;
	struct net_limit *limit;
	GHashTable *by_ufrag;	/* char * of net_creds -> mcu_transport */
	mcu_transport *transports, *dead;
	unsigned n_transports;
	mcu_transport **heap;
	unsigned n_heap, heap_room;
	net_tcp *tcps, *dead_tcps;
	struct net_agents *agents;	/* NULL until the first */
	struct net_bridge *bridges;
	bool bridge_work;	/* something is left for the next turn */
	unsigned n_tcp_idle;
	int64_t tcp_deadline_us;
	mcu_pool *pool;
	mcu_dtls_ctx *dtls;
	mcu_srtp_lib *srtp;
	StunAgent stun;
	struct net_rx *rx;
	struct net_out out;
	int64_t now_us;
	int64_t arrival_us;	/* of the datagram in hand, by the kernel's stamp; 0 = not known */
	unsigned depth;		/* > 0 inside turn(): nothing is freed under a caller's feet */
	uint64_t random;	/* state of the tests' generator, 0 = the system's */
	uint64_t counters[NET_COUNTERS];
};

#define NET_COUNT(port, id) ((void)(port)->counters[NET_##id]++)

/* port.c */
void net_port_datagram(mcu_port *port, const struct net_datagram *d);	/* demux; the fuzz target's door too */
void net_port_batch_end(mcu_port *port);
void net_port_arm(mcu_transport *t, int64_t deadline_us);
void net_port_disarm(mcu_transport *t);
void net_port_enter(mcu_port *port);	/* until leave, closed things stay in memory */
void net_port_leave(mcu_port *port);
void net_port_clock(mcu_port *port);
void net_port_random(mcu_port *port, void *out, size_t len);

/* plain.c */
void net_plain_datagram(mcu_port *port, const struct net_datagram *d);
struct net_pair *net_plain_rtcp(struct net_plain *p);	/* where RTCP goes; NULL = nowhere */
bool net_plain_silent(const struct net_plain *p);	/* no time limit */
/* After authentication. false: replayed (no keys guard it) or one stream too many; counted. */
bool net_plain_admits(struct net_plain *p, const struct mcu_rtp *rtp, int64_t now_us);
void net_plain_authentic(struct net_plain *p, const struct net_pair *from, int64_t now_us);
void net_plain_unplug(struct net_plain *p);	/* closes its sockets; memory stays until free */
void net_plain_free(struct net_plain *p);
void net_plain_zones(mcu_port *port, const char *const *zones);
void net_plain_dump(const struct net_plain *p, GString *s);
unsigned net_plain_candidate(const struct net_plain *p, struct mcu_candidate *ret);

/* udp.c */
int net_udp_bind(mcu_port *port, struct net_sock *s, const union mcu_addr *local, uint16_t number);	/* 0 or -errno */
void net_udp_unbind(struct net_sock *s);
void net_udp_mark(const struct net_sock *s, uint8_t dscp);
bool net_udp_open(mcu_port *port, const char *const *listen, GError **err);
void net_udp_close(mcu_port *port);
void net_udp_send(mcu_port *port, const struct net_path *path, const uint8_t *data, size_t len);	/* at once */
void net_udp_flush(mcu_port *port, const struct net_run *runs, unsigned n);

/* tcp.c */
bool net_tcp_listen(mcu_port *port, struct net_sock *udp, GError **err);
void net_tcp_close_all(mcu_port *port);
void net_tcp_bury(mcu_port *port);	/* frees what was closed during the turn */
void net_tcp_send(mcu_port *port, net_tcp *tcp, const uint8_t *data, size_t len);
void net_tcp_write(mcu_port *port, net_tcp *tcp, const uint8_t *framed, size_t len, unsigned packets);
void net_tcp_attach(net_tcp *tcp, struct net_pair *pair);	/* validated: no longer idle; NULL: its pair is gone, close */
void net_tcp_close(mcu_port *port, net_tcp *tcp);
struct net_pair *net_tcp_pair(const net_tcp *tcp);
bool net_tcp_congested(const net_tcp *tcp);
int64_t net_tcp_timers(mcu_port *port, int64_t now_us);	/* closes idle connections; next deadline */

/* out.c */
void net_path_send(mcu_port *port, const struct net_path *path, const uint8_t *data, size_t len);
void net_out_flush(mcu_port *port);
void net_out_batch_end(mcu_port *port);

/* ice.c */
void net_ice_init(mcu_port *port);
void net_ice_creds(mcu_transport *t);
void net_ice_forget(mcu_transport *t, struct net_creds *creds);
void net_ice_input(mcu_port *port, const struct net_datagram *d, struct net_pair *pair);
void net_ice_drop_pair(mcu_transport *t, struct net_pair *pair);
void net_ice_announce(mcu_port *port, const char *const *announce);

/* agent.c */
void net_agents_turn(mcu_port *port);
void net_agents_free(mcu_port *port);	/* after the last transport */
int64_t net_agents_deadline(const mcu_port *port);
bool net_agent_connect(struct net_agent *a, const char *ufrag, const char *pwd);
void net_agent_restart(struct net_agent *a);
void net_agent_close(struct net_agent *a);
bool net_agent_ready(const struct net_agent *a);
struct net_pair *net_agent_pair(const struct net_agent *a);
void net_agent_forget_pair(struct net_agent *a);
unsigned net_agent_candidates(const struct net_agent *a, struct mcu_candidate *ret, unsigned max);
void net_agent_send(mcu_port *port, struct net_agent *a, const uint8_t *data, size_t len);
void net_agent_write(mcu_port *port, struct net_agent *a, const uint8_t *framed, size_t len);

/* bridge.c */
void net_bridge_unplug(struct net_bridge *b);	/* NULL allowed; closes its channel; memory stays until the transport is freed */
void net_bridge_send(struct net_bridge *b, const uint8_t *header, unsigned header_len, const uint8_t *payload,
		     unsigned payload_len);
void net_bridges_flush(mcu_port *port);
void net_bridges_turn(mcu_port *port);

/* transport.c */
void net_transport_plain_up(mcu_transport *t, int64_t now_us);	/* signalled, and its keys are set */
void net_transport_plain_dtls(mcu_transport *t, int64_t now_us);	/* shake hands, early flights included */
void net_transport_keep_early(mcu_transport *t, const uint8_t *data, size_t len);
void net_transport_check(mcu_transport *t, struct net_pair *pair, int64_t now_us);	/* a valid binding request */
void net_transport_dtls(mcu_transport *t, struct net_pair *pair, const uint8_t *data, size_t len, int64_t now_us);
void net_transport_media(mcu_transport *t, struct net_pair *pair, const uint8_t *data, size_t len, int64_t now_us);
void net_transport_timers(mcu_transport *t, int64_t now_us);
void net_transport_pair_lost(mcu_transport *t);	/* its selected pair may be gone: choose another */
void net_transport_free(mcu_transport *t);
