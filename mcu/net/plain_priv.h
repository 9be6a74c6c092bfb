/* Inside of plain transports: plain.c has their sockets and what comes in, plain_peer.c what was signalled. */
#pragma once
#include "mcu/net/net_priv.h"

enum net_plain_half_name { NET_PLAIN_RTP, NET_PLAIN_RTCP, NET_PLAIN_HALVES };

struct net_plain_half {
	struct net_sock sock;	/* fd -1 = none: RTCP of a muxed one */
	union mcu_addr told;	/* as signalled */
	struct net_pair pair;	/* where we send, and the only source that is heard; port 0 = none */
	bool heard, latched;
};

/* One SSRC of the peer. Top and bits guard against replays where no key does. */
struct net_plain_stream {
	uint32_t ssrc;
	bool used, bad;
	uint16_t top, bad_seq;	/* RFC 3550 A.1: two in a row are a new beginning */
	uint64_t bits;
	int64_t last_us;
};

struct net_plain {
	mcu_transport *t;
	enum mcu_plain_security security;
	struct net_plain_half half[NET_PLAIN_HALVES];
	bool muxed;		/* RTCP goes where RTP goes */
	bool silent;
	int64_t told_us;
	union mcu_addr announce, early_from;
	struct net_pair guess;	/* path of a packet from another port of the signalled address */
	enum net_plain_half_name guessed;
	char *suite, *send_key, *recv_key;
	struct net_plain_stream streams[NET_PLAIN_SSRCS];
};

static inline bool net_plain_usable(const struct net_plain_half *h)
{
	return net_addr_port(&h->pair.path.remote) > 0;
}

void net_plain_wipe(char **secret);
