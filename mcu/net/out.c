/* Egress. A packet is sealed straight to its place in the out area, behind the one before it: consecutive packets of
 * one transport are one run, a run is one send. Runs need equal sizes (UDP_SEGMENT: only the last may be shorter), so
 * packets that are a few octets short get RTP padding.
 *
 * Encoders send the short packets of a frame first, and what is sealed cannot grow. But the same frame goes to many
 * receivers: where the first one's run broke because a packet was a little longer, the sizes are remembered until the
 * end of the batch, and the runs of the others begin with the longer size. */
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
	} else if (path->agent != NULL) {
		net_agent_send(port, path->agent, data, len);
	} else {
		net_udp_send(port, path, data, len);
	}
}

void net_out_flush(mcu_port *port)
{
	struct net_out *out = &port->out;

	net_bridges_flush(port);
	if (out->n_runs == 0) {
		return;
	}
	net_udp_flush(port, out->runs, out->n_runs);
	for (unsigned i = 0; i < out->n_runs; i++) {
		struct net_run *r = &out->runs[i];

		if (r->path.tcp != NULL) {
			net_tcp_write(port, r->path.tcp, out->area + r->offset, r->len, r->n);
		} else if (r->path.agent != NULL) {
			net_agent_write(port, r->path.agent, out->area + r->offset, r->len);
		}
	}
	out->n_runs = out->n_packets = out->fill = 0;
}

void mcu_port_flush(mcu_port *port)
{
	net_out_flush(port);
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

static uint16_t learnt(const struct net_out *out, unsigned size)
{
	for (unsigned i = 0; i < NET_LEARNT; i++) {
		if (out->learnt[i].from == size) {
			return out->learnt[i].to;
		}
	}
	return 0;
}

/* A run of `from` ended at a packet of `to`. A step that goes on from an earlier one lengthens that. */
static void learn(struct net_out *out, uint16_t from, uint16_t to)
{
	if (to - from > MCU_SRTP_PAD || learnt(out, from) > 0) {
		return;
	}
	for (unsigned i = 0; i < NET_LEARNT; i++) {
		if (out->learnt[i].to == from && to - out->learnt[i].from <= MCU_SRTP_PAD) {
			out->learnt[i].to = to;
		}
	}
	out->learnt[out->n_learnt++ % NET_LEARNT] = (struct net_step){ from, to };
}

void net_out_batch_end(mcu_port *port)
{
	net_out_flush(port);
	if (port->out.n_learnt > 0) {
		memset(port->out.learnt, 0, sizeof(port->out.learnt));
		port->out.n_learnt = 0;
	}
}

/* `r` is the run it may join, or NULL. */
static void append(mcu_port *port, struct net_pair *pair, struct net_run *r, unsigned len)
{
	struct net_out *out = &port->out;
	bool framed = pair->path.sock == NULL;

	if (r != NULL && !framed && len > r->segment) {
		learn(out, r->segment, (uint16_t)len);
		r = NULL;
	}
	if (r == NULL || r->len + len > NET_RUN_BYTES) {
		r = &out->runs[out->n_runs++];
		*r = (struct net_run){ .path = pair->path, .pair = pair, .offset = out->fill,
				       .segment = (uint16_t)len };
	}
	r->len += len;
	r->n++;
	r->closed = !framed && len < r->segment;
	out->fill += len;
	out->n_packets++;
	pair->t->packets_out++;
	pair->t->bytes_out += len;
}

/* Octets of padding that bring a packet of `size` to the size of its run, or to that of a run to come. Never on a header
 * that already has the P bit: its count octet is the payload's last. */
static unsigned padding(const mcu_transport *t, const struct net_out *out, const struct net_run *r, const uint8_t *header,
			unsigned size)
{
	unsigned want = r != NULL && size <= r->segment ? r->segment : learnt(out, size);

	if (t->plain != NULL) {	/* decoders of hardware are seen to choke on the P bit */
		return 0;
	}
	return !(header[0] & 0x20) && want > size && want - size <= MCU_SRTP_PAD ? want - size : 0;
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
	unsigned prefix, pad = 0;
	struct net_run *r;
	uint8_t *at;
	int n;

	if (t->bridge != NULL) {
		net_bridge_send(t->bridge, header, header_len, payload, payload_len);
		return;
	}
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
	prefix = t->selected->path.sock == NULL ? 2 : 0;
	if (prefix == 0) {
		pad = padding(t, &port->out, r, header, header_len + payload_len + mcu_srtp_overhead(t->out));
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
	struct net_pair *pair = t->plain != NULL ? net_plain_rtcp(t->plain) : t->selected;
	unsigned prefix;
	uint32_t sealed[NET_SLOT / 4];	/* aligned for the cipher */
	uint8_t *at;
	int n;

	if (t->bridge != NULL) {
		net_bridge_send(t->bridge, data, len, NULL, 0);
		return;
	}
	if (!may_send(t) || pair == NULL) {
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
	prefix = pair->path.sock == NULL ? 2 : 0;
	if (prefix > 0) {
		at[0] = (uint8_t)(n >> 8);
		at[1] = (uint8_t)n;
	}
	memcpy(at + prefix, sealed, (size_t)n);
	NET_COUNT(port, RTCP_OUT);
	append(port, pair, open_run(&port->out, pair), (unsigned)n + prefix);
}

bool mcu_transport_congested(const mcu_transport *t)
{
	return t->selected != NULL && t->selected->path.tcp != NULL && net_tcp_congested(t->selected->path.tcp);
}
