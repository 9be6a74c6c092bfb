/* mcu/net/net.h without sockets, ICE or keys: tests push packets in and read what was sent. Link it instead of mcu_net.
 * Checks by itself what the real one cannot repair: no (SSRC, number) leaves twice with other bytes (nonce rule), no
 * header and no RTCP compound is malformed. */
#pragma once
#include <glib.h>

#include "mcu/net/net.h"

struct fake_sent {
	mcu_transport *to;
	bool rtcp;
	uint8_t data[1600];
	unsigned len;
	struct mcu_rtp rtp;	/* of RTP: pointers lead into data */
};

mcu_transport *fake_net_last(const mcu_port *port);	/* the transport that was opened last */
unsigned fake_net_transports(const mcu_port *port);
void fake_net_state(mcu_transport *t, const char *state, int64_t now_us);	/* "up", "failed", ... */
void fake_net_congest(mcu_transport *t, bool on);
/* What a peer sends. A batch ends with fake_net_batch(). RTP that does not parse is dropped, as the real one does. */
void fake_net_rtp(mcu_transport *t, const uint8_t *data, size_t len, int64_t now_us);
void fake_net_rtcp(mcu_transport *t, const uint8_t *data, size_t len, int64_t now_us);
void fake_net_batch(mcu_port *port, int64_t now_us);
/* Everything sent since the last fake_net_clear(), in order. */
unsigned fake_net_sent(const mcu_port *port);
const struct fake_sent *fake_net_get(const mcu_port *port, unsigned i);
void fake_net_clear(mcu_port *port);
unsigned fake_net_runs(const mcu_port *port);	/* how often the receiver changed since the last clear */
