/* ICE-TCP, passive side (RFC 6544), on the number of the UDP port: for phones behind firewalls that pass no UDP.
 * RFC 4571 framing. A connection belongs to nobody until a valid binding request names a transport; it has 5 s for
 * that. Unsent bytes are bounded: a peer that cannot keep up loses packets until it has caught up. */
#include "mcu/net/net_priv.h"
#include "mcu/net/rx_priv.h"

#include <errno.h>
#include <gio/gio.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128, ACCEPTS = 64 };

struct net_tcp {
	struct net_event ev;
	net_tcp *next, *prev;
	struct net_path path;
	struct net_pair *pair;	/* NULL = idle */
	int64_t idle_until_us;
	uint8_t part[2 + NET_TCP_FRAME];	/* an unfinished frame */
	unsigned n_part;
	GByteArray *queue;	/* framed, unsent; NULL = empty */
	unsigned sent;		/* of queue */
	bool congested, closed;
};

static void watch(mcu_port *port, net_tcp *c, bool writing)
{
	struct epoll_event e = { EPOLLIN | (writing ? EPOLLOUT : 0u), { .ptr = &c->ev } };

	(void)epoll_ctl(port->epoll_fd, EPOLL_CTL_MOD, c->ev.fd, &e);
}

static void list_remove(net_tcp **list, net_tcp *c)
{
	*(c->prev ? &c->prev->next : list) = c->next;
	if (c->next != NULL) {
		c->next->prev = c->prev;
	}
	c->next = c->prev = NULL;
}

static void list_add(net_tcp **list, net_tcp *c)
{
	c->prev = NULL;
	c->next = *list;
	if (c->next != NULL) {
		c->next->prev = c;
	}
	*list = c;
}

static void shut(mcu_port *port, net_tcp *c)
{
	if (c->closed) {
		return;
	}
	c->closed = true;
	port->n_tcp_idle -= c->idle_until_us != ORT_NEVER;
	close(c->ev.fd);
	c->ev.fd = -1;
	g_clear_pointer(&c->queue, g_byte_array_unref);
	list_remove(&port->tcps, c);
	list_add(&port->dead_tcps, c);	/* an event of this turn may still name it */
	NET_COUNT(port, TCP_CLOSED);
}

void net_tcp_close(mcu_port *port, net_tcp *c)
{
	struct net_pair *pair = c->pair;

	c->pair = NULL;
	shut(port, c);
	if (pair != NULL) {
		mcu_transport *t = pair->t;

		pair->path.tcp = NULL;
		net_ice_drop_pair(t, pair);
		net_transport_pair_lost(t);
	}
}

void net_tcp_attach(net_tcp *c, struct net_pair *pair)
{
	mcu_port *port;

	if (pair == NULL) {	/* the pair is going: so is the connection */
		port = c->pair->t->port;
		c->pair = NULL;
		shut(port, c);
		return;
	}
	port = pair->t->port;
	port->n_tcp_idle -= c->idle_until_us != ORT_NEVER;
	c->idle_until_us = ORT_NEVER;
	c->pair = pair;
}

struct net_pair *net_tcp_pair(const net_tcp *c)
{
	return c->pair;
}

void net_tcp_bury(mcu_port *port)
{
	while (port->dead_tcps != NULL) {
		net_tcp *c = port->dead_tcps;

		list_remove(&port->dead_tcps, c);
		g_free(c);
	}
}

void net_tcp_close_all(mcu_port *port)
{
	while (port->tcps != NULL) {
		port->tcps->pair = NULL;
		shut(port, port->tcps);
	}
	net_tcp_bury(port);
}

bool net_tcp_congested(const net_tcp *c)
{
	return c->congested;
}

/* Sends what is queued. The end of congestion is a quarter of the limit, so that it does not flap. */
static void drain(mcu_port *port, net_tcp *c)
{
	while (c->queue != NULL && c->sent < c->queue->len) {
		ssize_t n = send(c->ev.fd, c->queue->data + c->sent, c->queue->len - c->sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n <= 0) {
			break;	/* a broken connection shows in the next turn as EPOLLHUP */
		}
		c->sent += (unsigned)n;
	}
	if (c->queue != NULL && c->sent == c->queue->len) {
		g_clear_pointer(&c->queue, g_byte_array_unref);
		c->sent = 0;
		watch(port, c, false);
	}
	if (c->queue == NULL || c->queue->len - c->sent < port->conf.tcp_queue / 4) {
		c->congested = false;
	}
}

static void enqueue(mcu_port *port, net_tcp *c, const uint8_t *data, size_t len)
{
	if (c->queue == NULL) {
		c->queue = g_byte_array_new();
		c->sent = 0;
		watch(port, c, true);
	} else if (c->sent > c->queue->len / 2) {
		g_byte_array_remove_range(c->queue, 0, c->sent);
		c->sent = 0;
	}
	g_byte_array_append(c->queue, data, (guint)len);
}

void net_tcp_write(mcu_port *port, net_tcp *c, const uint8_t *framed, size_t len, unsigned packets)
{
	ssize_t n = 0;

	if (c->closed) {
		return;
	}
	if (c->queue == NULL) {
		n = send(c->ev.fd, framed, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		n = n < 0 ? 0 : n;
	} else if (c->queue->len - c->sent + len > port->conf.tcp_queue) {
		c->congested = true;
		port->counters[NET_TCP_DROPPED] += packets;
		return;
	}
	if ((size_t)n < len) {
		enqueue(port, c, framed + n, len - (size_t)n);
	}
}

void net_tcp_send(mcu_port *port, net_tcp *c, const uint8_t *data, size_t len)
{
	uint8_t frame[2 + NET_TCP_FRAME];

	if (len > NET_TCP_FRAME) {
		return;
	}
	frame[0] = (uint8_t)(len >> 8);
	frame[1] = (uint8_t)len;
	memcpy(frame + 2, data, len);
	net_tcp_write(port, c, frame, len + 2, 1);
}

static bool bad(mcu_port *port, net_tcp *c)
{
	NET_COUNT(port, TCP_BAD);
	net_tcp_close(port, c);
	return false;
}

/* Hands on whole frames; *used bytes are done with. false: the connection is gone. */
static bool frames(mcu_port *port, net_tcp *c, const uint8_t *data, size_t len, size_t *used)
{
	*used = 0;
	while (len - *used >= 2) {
		const uint8_t *at = data + *used;
		size_t n = (size_t)(at[0] << 8 | at[1]);

		if (n > NET_TCP_FRAME) {
			return bad(port, c);
		}
		if (len - *used < 2 + n) {
			return true;
		}
		*used += 2 + n;
		net_port_datagram(port, &(struct net_datagram){ at + 2, n, c->path });
		if (c->closed) {
			return false;
		}
	}
	return true;
}

/* First fills up the unfinished frame, then reads frames where they lie, then keeps the rest. */
static bool consume(mcu_port *port, net_tcp *c, const uint8_t *data, size_t len)
{
	size_t used;

	while (c->n_part > 0 && len > 0) {
		size_t want = c->n_part < 2 ? 2 : 2 + (size_t)(c->part[0] << 8 | c->part[1]), take;

		if (want > sizeof(c->part)) {
			return bad(port, c);
		}
		take = MIN(want - c->n_part, len);
		memcpy(c->part + c->n_part, data, take);
		c->n_part += (unsigned)take;
		data += take;
		len -= take;
		if (!frames(port, c, c->part, c->n_part, &used)) {
			return false;
		}
		c->n_part -= (unsigned)used;
	}
	if (!frames(port, c, data, len, &used)) {
		return false;
	}
	if (len > used) {
		memcpy(c->part, data + used, len - used);
		c->n_part = (unsigned)(len - used);
	}
	return true;
}

static void ready(mcu_port *port, struct net_event *ev, uint32_t events)
{
	net_tcp *c = (net_tcp *)ev;
	uint8_t *buf = port->rx->bytes[0];	/* no UDP batch is being read now */
	ssize_t n;

	if (c->closed) {
		return;
	}
	if (events & EPOLLOUT) {
		drain(port, c);
	}
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
		return;
	}
	n = recv(c->ev.fd, buf, sizeof(port->rx->bytes), MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		net_tcp_close(port, c);
	} else if (n > 0) {
		(void)consume(port, c, buf, (size_t)n);
		net_port_batch_end(port);
	}
}

static bool set_path(net_tcp *c, struct net_sock *listener)
{
	union mcu_addr local;
	socklen_t len = sizeof(c->path.remote), local_len = sizeof(local);

	if (getpeername(c->ev.fd, &c->path.remote.sa, &len) < 0 || getsockname(c->ev.fd, &local.sa, &local_len) < 0) {
		return false;
	}
	net_addr_fold(&c->path.remote);
	net_addr_fold(&local);
	c->path.local = local;
	c->path.tcp = c;
	return true;
}

static void adopt(mcu_port *port, struct net_sock *listener, int fd)
{
	net_tcp *c;
	int on = 1;

	if (port->n_tcp_idle >= NET_TCP_IDLE) {
		NET_COUNT(port, TCP_REFUSED);
		close(fd);
		return;
	}
	c = g_new0(net_tcp, 1);
	c->ev = (struct net_event){ ready, fd };
	if (!set_path(c, listener)) {
		close(fd);
		g_free(c);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->idle_until_us = port->now_us + NET_TCP_IDLE_US;
	port->n_tcp_idle++;
	list_add(&port->tcps, c);
	NET_COUNT(port, TCP_ACCEPTED);
	(void)epoll_ctl(port->epoll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){ EPOLLIN, { .ptr = &c->ev } });
}

static void incoming(mcu_port *port, struct net_event *ev, uint32_t events)
{
	for (unsigned i = 0; i < ACCEPTS; i++) {
		int fd = accept4(ev->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			return;
		}
		adopt(port, (struct net_sock *)ev, fd);
	}
}

static int listen_on(const union mcu_addr *local)
{
	int fd = socket(local->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, e;

	if (fd < 0) {
		return -errno;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (local->sa.sa_family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	}
	if (bind(fd, &local->sa, net_addr_len(local)) == 0 && listen(fd, BACKLOG) == 0) {
		return fd;
	}
	e = errno;
	close(fd);
	return -e;
}

bool net_tcp_listen(mcu_port *port, struct net_sock *udp, GError **err)
{
	struct net_sock *l = &port->listeners[port->n_listeners];
	int fd = listen_on(&udp->local);

	if (fd < 0) {
		g_set_error(err, G_IO_ERROR, g_io_error_from_errno(-fd), "TCP port %u: %s", port->number,
			    g_strerror(-fd));
		return false;
	}
	*l = (struct net_sock){ .ev = { incoming, fd }, .local = udp->local, .any = udp->any };
	port->n_listeners++;
	(void)epoll_ctl(port->epoll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){ EPOLLIN, { .ptr = &l->ev } });
	return true;
}

int64_t net_tcp_timers(mcu_port *port, int64_t now_us)
{
	int64_t next = ORT_NEVER;
	net_tcp *c, *after;

	for (c = port->n_tcp_idle > 0 ? port->tcps : NULL; c != NULL; c = after) {
		after = c->next;
		if (c->idle_until_us <= now_us) {
			(void)bad(port, c);
		} else {
			next = MIN(next, c->idle_until_us);
		}
	}
	return next;
}
