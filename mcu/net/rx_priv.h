/* The big arrays of udp.c: one a port, shared by its sockets because only one is read or written at a time. */
#pragma once
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "mcu/net/net_priv.h"

/* Room for one pktinfo, one segment size and one time stamp. */
union net_control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t)) +
		   CMSG_SPACE(sizeof(struct timespec))];
};

/* Position in the list of runs: `packet` counts within a run that must go packet by packet. */
struct net_cursor { unsigned run, packet; };

struct net_send {
	struct mmsghdr msgs[NET_BATCH];
	struct iovec iov[NET_BATCH];
	union net_control control[NET_BATCH];
	struct net_cursor at[NET_BATCH];	/* of each message */
	unsigned n;
};

struct net_rx {
	struct mmsghdr msgs[NET_BATCH];
	struct iovec iov[NET_BATCH];
	union mcu_addr from[NET_BATCH];
	union net_control control[NET_BATCH];
	uint8_t bytes[NET_BATCH][NET_SLOT];
	struct net_send out;
};
