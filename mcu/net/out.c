/* Egress. A packet is sealed straight to its place in the out area, behind the one before it: consecutive packets of
 * one transport are one run, a run is one send. Runs need equal sizes (UDP_SEGMENT: only the last may be shorter), so
 * packets that are a few octets short get RTP padding. */
#include "mcu/net/net_priv.h"

#include <string.h>

static bool may_send(const mcu_transport *t)
{
	int s = t->fsm.state;

	return t->out != NULL && t->selected != NULL && (s == TS_UP || s == TS_DISCONNECTED);
}

void net_path_send(mcu_port *port, const struct net_path *path, const uint8_t *data, size_t len)
{
	if (path->tcp != NULL) {
		net_tcp_send(port, path->tcp, data, len);
	} else {
		net_udp_send(port, path, data, len);
	}
}

void net_out_flush(mcu_port *port)
{
	struct net_out *out = &port->out;

	if (out->n_runs == 0) {
		return;
	}
	net_udp_flush(port, out->runs, out->n_runs);
	for (unsigned i = 0; i < out->n_runs; i++) {
		struct net_run *r = &out->runs[i];

		if (r->path.tcp != NULL) {
			net_tcp_write(port, r->path.tcp, out->area + r->offset, r->len, r->n);
		}
	}
	out->n_runs = out->n_packets = out->fill = 0;
}

void mcu_port_flush(mcu_port *port)
{
	net_out_flush(port);
}

void mcu_port_equalise(mcu_port *port, unsigned payload_len)
{
	port->out.target = payload_len;
}

/* The run that a packet of `pair` may still join, or NULL. */
static struct net_run *open_run(struct net_out *out, const struct net_pair *pair)
{
	struct net_run *r = out->n_runs > 0 ? &out->runs[out->n_runs - 1] : NULL;

	return r && r->pair == pair && !r->closed && r->n < NET_SEGMENTS ? r : NULL;
}

/* Where the next packet goes; makes room first. */
static uint8_t *place(mcu_port *port)
{
	struct net_out *out = &port->out;

	if (out->n_packets == NET_OUT) {
		net_out_flush(port);
	}
	return out->area + out->fill;
}

static void append(mcu_port *port, struct net_pair *pair, struct net_run *r, unsigned len)
{
	struct net_out *out = &port->out;

	if (r == NULL || (pair->path.tcp == NULL && len > r->segment) || r->len + len > NET_RUN_BYTES) {
		r = &out->runs[out->n_runs++];
		*r = (struct net_run){ .path = pair->path, .pair = pair, .offset = out->fill,
				       .segment = (uint16_t)len };
	}
	r->len += len;
	r->n++;
	r->closed = pair->path.tcp == NULL && len < r->segment;
	out->fill += len;
	out->n_packets++;
	pair->t->packets_out++;
	pair->t->bytes_out += len;
}

/* Octets of padding that bring a packet of `size` to the size of its run, or to the announced one. Never on a header
 * that already has the P bit: its count octet is the payload's last. */
static unsigned padding(const struct net_out *out, const struct net_run *r, const uint8_t *header, unsigned header_len,
			unsigned tag, unsigned size)
{
	unsigned want = out->target > 0 ? header_len + out->target + tag : 0;

	if (header[0] & 0x20) {
		return 0;
	}
	if (r != NULL && size <= r->segment) {
		want = r->segment;
	}
	return want > size && want - size <= MCU_SRTP_PAD ? want - size : 0;
}

static void count_refusal(mcu_port *port, int error)
{
	if (error == -EALREADY || error == -ESTALE) {
		NET_COUNT(port, RTP_REUSED);
	} else {
		NET_COUNT(port, RTP_REFUSED);
	}
}

void mcu_transport_send_rtp(mcu_transport *t, const uint8_t *header, unsigned header_len, const uint8_t *payload,
			    unsigned payload_len)
{
	mcu_port *port = t->port;
	unsigned prefix, pad = 0, tag;
	struct net_run *r;
	uint8_t *at;
	int n;

	if (!may_send(t)) {
		NET_COUNT(port, RTP_NOT_UP);
		return;
	}
	if (header_len < 12 || header_len + payload_len > NET_DATAGRAM - MCU_SRTP_TAG - MCU_SRTP_PAD) {
		NET_COUNT(port, RTP_REFUSED);
		return;
	}
	if (t->selected->path.tcp != NULL && net_tcp_congested(t->selected->path.tcp)) {
		NET_COUNT(port, TCP_DROPPED);
		return;
	}
	at = place(port);
	r = open_run(&port->out, t->selected);
	prefix = t->selected->path.tcp != NULL ? 2 : 0;
	tag = mcu_srtp_overhead(t->out);
	if (prefix == 0) {
		pad = padding(&port->out, r, header, header_len, tag, header_len + payload_len + tag);
	}
	n = mcu_srtp_protect(t->out, header, header_len, payload, payload_len, pad, at + prefix);
	if (n < 0) {
		count_refusal(port, n);
		return;
	}
	if (prefix > 0) {	/* RFC 4571 2 */
		at[0] = (uint8_t)(n >> 8);
		at[1] = (uint8_t)n;
	}
	NET_COUNT(port, RTP_OUT);
	port->counters[NET_UDP_PADDED] += pad > 0;
	append(port, t->selected, r, (unsigned)n + prefix);
}

void mcu_transport_send_rtcp(mcu_transport *t, const uint8_t *data, unsigned len)
{
	mcu_port *port = t->port;
	unsigned prefix;
	uint32_t sealed[NET_SLOT / 4];	/* libsrtp wants alignment */
	uint8_t *at;
	int n;

	if (!may_send(t)) {
		NET_COUNT(port, RTP_NOT_UP);
		return;
	}
	n = len <= NET_DATAGRAM - 32 ? mcu_srtp_protect_rtcp(t->out, data, len, (uint8_t *)sealed, sizeof(sealed))
				     : -EMSGSIZE;
	if (n < 0) {
		NET_COUNT(port, RTP_REFUSED);
		return;
	}
	at = place(port);
	prefix = t->selected->path.tcp != NULL ? 2 : 0;
	if (prefix > 0) {
		at[0] = (uint8_t)(n >> 8);
		at[1] = (uint8_t)n;
	}
	memcpy(at + prefix, sealed, (size_t)n);
	NET_COUNT(port, RTCP_OUT);
	append(port, t->selected, open_run(&port->out, t->selected), (unsigned)n + prefix);
}

bool mcu_transport_congested(const mcu_transport *t)
{
	return t->selected != NULL && t->selected->path.tcp != NULL && net_tcp_congested(t->selected->path.tcp);
}
