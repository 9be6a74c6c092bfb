/* One port with one transport, and a peer that shares no code with it, in one thread. Time is the system's plus `skew`. */
#pragma once
#include "mcu/net/net.h"
#include "tests/kit/net_peer.h"

struct world {
	struct mcu_port_conf conf;
	struct net_peer_conf peer_conf;
	GMainContext *context;
	mcu_port *port;
	mcu_transport *t;
	net_peer *peer;
	int64_t skew_us;
	GString *states;	/* "ice dtls up" */
	char why[32];
	GPtrArray *kept;	/* struct mcu_packet, referenced */
	unsigned n_rtcp, n_peer_rtcp, n_batches;
	GPtrArray *peer_got;	/* GBytes of plain RTP that the peer got */
	bool close_on_rtp;
};

/* Makes port and transport, and the peer unless conf->peer_conf says no (address ""). */
void world_open(struct world *w);
void world_close(struct world *w);
void world_offer(struct world *w);	/* the peer learns of us and begins its checks */
void world_answer(struct world *w);	/* we learn of the peer: mcu_transport_connect() */
void world_up(struct world *w);		/* both, and waits until both sides are up */
void world_turn(struct world *w);
void world_spin(struct world *w, unsigned turns);
uint64_t world_counter(const struct world *w, const char *name);
bool world_state(const struct world *w, const char *state);

/* Runs turns until `cond` holds; the test fails after 20 s. */
#define world_until(w, cond)                                                                       \
	do {                                                                                       \
		gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;                         \
		while (!(cond)) {                                                                  \
			if (g_get_monotonic_time() > end) {                                        \
				g_autofree char *stats = mcu_port_stats((w)->port);                \
				g_test_message("%s", stats);                                       \
				g_error("never: %s", #cond);                                       \
			}                                                                          \
			world_turn(w);                                                             \
		}                                                                                  \
	} while (0)

/* A world whose transport is a plain one, on loopback, without net_peer. */
void world_open_plain(struct world *w, enum mcu_plain_security security, bool mux);
uint16_t world_rtp_port(const struct world *w);	/* of the plain transport */
uint16_t raw_port(int fd);
void raw_send_to(int fd, uint16_t port, const void *data, size_t len);	/* to 127.0.0.1 */

/* A bare socket of the test on 127.0.0.1. */
int raw_socket(void);
void raw_send(const struct world *w, int fd, const void *data, size_t len);
/* A binding request as a full agent would send; `pwd` NULL = the right one. */
void raw_check(const struct world *w, int fd, const char *pwd, bool use_candidate, uint32_t priority);
size_t raw_check_make(const struct world *w, uint8_t out[512], const char *pwd, bool use_candidate, uint32_t priority);
/* One datagram, or 0 when none waits. */
size_t raw_recv(int fd, uint8_t *out, size_t room);
unsigned rtp_packet(uint8_t *out, uint16_t seq, uint32_t ssrc, unsigned payload_len);
