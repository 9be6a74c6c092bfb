/* A transport without network: plaintext RTP and RTCP of the codec worker over a channel of mcu/bridge. It is up as long as
 * its channel is sound; the worker may be taken over, so what comes is parsed as if a stranger had sent it. */
#include "mcu/net/net_priv.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/epoll.h>

#include "mcu/bridge/bridge.h"

enum { LANE_BATCH = 256 };	/* packets of one lane in one turn: the rest waits for the next, as other sockets do */

struct net_lane {
	struct net_event ev;
	struct net_bridge *bridge;
	enum mcu_lane lane;
	bool awake;	/* to be read in each turn until it is empty */
};

struct net_bridge {
	mcu_transport *t;
	mcu_channel *channel;	/* NULL = broken */
	struct net_lane lanes[2];
	struct net_bridge *next, *prev;
	bool dirty, broken;	/* written since the last flush; to be told in the next turn */
};

static void on_ready(mcu_port *port, struct net_event *ev, uint32_t events)
{
	((struct net_lane *)(void *)ev)->awake = true;
}

/* ---- channel ---- */

static void drop_channel(struct net_bridge *b)
{
	for (unsigned i = 0; b->channel && i < G_N_ELEMENTS(b->lanes); i++) {
		(void)epoll_ctl(b->t->port->epoll_fd, EPOLL_CTL_DEL, b->lanes[i].ev.fd, NULL);	/* it was added */
		b->lanes[i].awake = false;
	}
	g_clear_pointer(&b->channel, mcu_channel_free);
	b->dirty = b->broken = false;
}

static int take_channel(struct net_bridge *b, mcu_channel *channel)
{
	static const enum mcu_lane lanes[] = { MCU_LANE_AUDIO, MCU_LANE_VIDEO };

	drop_channel(b);
	b->channel = channel;
	for (unsigned i = 0; i < G_N_ELEMENTS(lanes); i++) {
		struct net_lane *l = &b->lanes[i];
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &l->ev };

		*l = (struct net_lane){ { on_ready, mcu_lane_fd(channel, lanes[i]) }, b, lanes[i], true };
		if (epoll_ctl(b->t->port->epoll_fd, EPOLL_CTL_ADD, l->ev.fd, &ev) < 0) {
			drop_channel(b);
			return -ENOSPC;
		}
	}
	return 0;
}

static void link_bridge(mcu_port *port, struct net_bridge *b)
{
	b->next = port->bridges;
	if (b->next) {
		b->next->prev = b;
	}
	port->bridges = b;
}

mcu_transport *mcu_transport_open_bridge(mcu_port *port, mcu_channel *channel, void *transport_data, GError **err)
{
	mcu_transport *t = mcu_transport_open(port, transport_data, err);
	struct net_bridge *b;

	if (t == NULL) {
		mcu_channel_free(channel);
		return NULL;
	}
	net_ice_forget(t, &t->local);	/* nobody outside may speak to it */
	b = g_new0(struct net_bridge, 1);
	b->t = t;
	t->bridge = b;
	link_bridge(port, b);
	if (mcu_transport_set_channel(t, channel) < 0) {
		g_set_error_literal(err, G_IO_ERROR, G_IO_ERROR_FAILED, "the channel cannot be watched");
		mcu_transport_close(t);
		return NULL;
	}
	return t;
}

int mcu_transport_set_channel(mcu_transport *t, mcu_channel *channel)
{
	int err = take_channel(t->bridge, channel);

	t->fsm.state = err < 0 ? TS_FAILED : TS_UP;
	t->why = err < 0 ? "bridge" : "";
	return err;
}

void net_bridge_unplug(struct net_bridge *b)
{
	if (b == NULL) {
		return;
	}
	drop_channel(b);
	*(b->prev ? &b->prev->next : &b->t->port->bridges) = b->next;
	if (b->next) {
		b->next->prev = b->prev;
	}
}

/* ---- out ---- */

static void count_write(struct net_bridge *b, int err)
{
	mcu_port *port = b->t->port;

	if (err == 0) {
		NET_COUNT(port, BRIDGE_OUT);
		b->dirty = true;
	} else if (err == -ENOSPC || err == -EMSGSIZE) {
		NET_COUNT(port, BRIDGE_FULL);
	} else {
		b->broken = true;
		port->bridge_work = true;
	}
}

void net_bridge_send(struct net_bridge *b, const uint8_t *header, unsigned header_len, const uint8_t *payload,
		     unsigned payload_len)
{
	uint8_t packet[MCU_LANE_PACKET];

	if (b->channel == NULL || b->broken) {
		NET_COUNT(b->t->port, RTP_NOT_UP);
		return;
	}
	if (header_len + payload_len > sizeof(packet)) {
		NET_COUNT(b->t->port, BRIDGE_FULL);
		return;
	}
	memcpy(packet, header, header_len);
	if (payload_len > 0) {
		memcpy(packet + header_len, payload, payload_len);
	}
	b->t->packets_out++;
	b->t->bytes_out += header_len + payload_len;
	count_write(b, mcu_lane_write(b->channel, MCU_LANE_IN, packet, header_len + payload_len, b->t->port->now_us));
}

void net_bridges_flush(mcu_port *port)
{
	for (struct net_bridge *b = port->bridges; b; b = b->next) {
		if (b->dirty && b->channel) {
			mcu_lane_flush(b->channel, MCU_LANE_IN);
		}
		b->dirty = false;
	}
}

/* ---- in ---- */

static void deliver(mcu_transport *t, struct mcu_packet *p, int64_t now_us)
{
	mcu_port *port = t->port;

	t->packets_in++;
	t->bytes_in += p->len;
	NET_COUNT(port, BRIDGE_IN);
	if (mcu_rtp_is_rtcp(p->data, p->len)) {
		port->ops.on_rtcp(t, p->data, p->len, now_us, t->data);
	} else if (mcu_rtp_parse(p->data, p->len, &p->rtp) < 0) {
		NET_COUNT(port, RTP_BAD);
	} else {
		port->ops.on_rtp(t, p, now_us, t->data);
	}
}

/* true: something was read. */
static bool read_lane(struct net_lane *l, int64_t now_us)
{
	struct net_bridge *b = l->bridge;
	mcu_port *port = b->t->port;
	unsigned n = 0;

	while (b->channel && l->awake && n < LANE_BATCH) {
		struct mcu_packet *p = mcu_packet_new(port->pool);
		int len;

		if (p == NULL) {
			NET_COUNT(port, RTP_NO_SLOT);
			break;
		}
		len = mcu_lane_read(b->channel, l->lane, p->data, &p->arrival_us);
		if (len > 0) {
			p->len = (uint16_t)len;
			p->arrival_us = now_us;	/* its own clock is not believed */
			deliver(b->t, p, now_us);
			n++;
		} else if (len < 0) {
			b->broken = true;
			l->awake = false;
		} else {
			l->awake = !mcu_lane_sleep(b->channel, l->lane);
		}
		mcu_packet_unref(p);
	}
	return n > 0;
}

static void tell_broken(struct net_bridge *b, int64_t now_us)
{
	mcu_port *port = b->t->port;

	drop_channel(b);
	NET_COUNT(port, BRIDGE_BROKEN);
	b->t->fsm.state = TS_FAILED;
	b->t->why = "bridge";
	port->ops.on_state(b->t, "failed", "bridge", now_us, b->t->data);
}

void net_bridges_turn(mcu_port *port)
{
	struct net_bridge *next;
	bool any = false;

	port->bridge_work = false;
	for (struct net_bridge *b = port->bridges; b; b = next) {
		next = b->next;
		for (unsigned i = 0; i < G_N_ELEMENTS(b->lanes); i++) {
			any |= read_lane(&b->lanes[i], port->now_us);
			port->bridge_work |= b->lanes[i].awake;
		}
		if (b->broken) {
			tell_broken(b, port->now_us);
		}
	}
	if (any) {
		net_port_batch_end(port);
	}
}
