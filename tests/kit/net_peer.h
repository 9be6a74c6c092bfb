/* A WebRTC peer for tests that shares no code with mcu/net: libnice's full agent, OpenSSL over memory BIOs, libsrtp for
 * both RTP and RTCP. Single-threaded: everything happens while `context` iterates. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "mcu/net/net.h"

typedef struct net_peer net_peer;
struct net_peer_conf {
	GMainContext *context;
	const char *address;	/* own address, NULL = 127.0.0.1 */
	bool tcp;		/* ICE-TCP active instead of UDP */
	bool dtls_client;
	const char *srtp;	/* OpenSSL's list, NULL = GCM and CM80 */
	unsigned mtu;		/* of DTLS; 0 = 1200. Small ones split the hello */
	bool consent;		/* sends RFC 7675 checks */
	bool aggressive;	/* RFC 5245's old nomination */
	unsigned lose_dtls;	/* this many outgoing DTLS datagrams vanish */
};
net_peer *net_peer_new(const struct net_peer_conf *conf);	/* gathers at once */
void net_peer_free(net_peer *p);
void net_peer_local(net_peer *p, char **ret_ufrag, char **ret_pwd);	/* (transfer full) */
const char *net_peer_fingerprint(const net_peer *p);
/* `fingerprint` of the other side; candidates of the other transport kind are left out by libnice itself. */
void net_peer_connect(net_peer *p, const char *ufrag, const char *pwd, const char *fingerprint,
		      const struct mcu_candidate *candidates, unsigned n);
void net_peer_restart(net_peer *p);	/* ICE restart: new local ufrag; then local() and connect() again */
bool net_peer_ice_ready(const net_peer *p);
bool net_peer_up(const net_peer *p);	/* keys are there and their certificate was the signalled one */
bool net_peer_gone(const net_peer *p);	/* close_notify came */
const char *net_peer_suite(const net_peer *p);
void net_peer_send_rtp(net_peer *p, const void *data, unsigned len);	/* plain in */
void net_peer_send_rtcp(net_peer *p, const void *data, unsigned len);
void net_peer_send_raw(net_peer *p, const void *data, unsigned len);
/* As net_peer_send_rtp, but from a socket that did no checks. */
void net_peer_send_rtp_elsewhere(net_peer *p, const void *data, unsigned len, const struct mcu_candidate *to);
/* Plain packets that came: `rtcp` tells which. */
typedef void (*net_peer_fn)(bool rtcp, const uint8_t *data, unsigned len, void *user_data);
void net_peer_on_media(net_peer *p, net_peer_fn fn, void *user_data);
unsigned net_peer_bad(const net_peer *p);	/* media that libsrtp refused */
