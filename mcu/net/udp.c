/* UDP sockets of a port: recvmmsg in, sendmmsg with UDP_SEGMENT runs out. */
#include "mcu/net/net_priv.h"
#include "mcu/net/rx_priv.h"

#include <errno.h>
#include <gio/gio.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { BUFFER_BYTES = 8 << 20, OPEN_TRIES = 16 };

static void set_buffer(int fd, int force, int plain)
{
	int bytes = BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, force, &bytes, sizeof(bytes)) < 0) {
		(void)setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof(bytes));	/* the kernel's limit then */
	}
}

static void read_local(struct msghdr *m, const struct net_sock *s, union mcu_addr *ret)
{
	*ret = s->local;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); s->any && c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			ret->in.sin_addr = info.ipi_addr;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			ret->in6.sin6_addr = info.ipi6_addr;
		}
	}
	net_addr_set_port(ret, 0);
	net_addr_fold(ret);
}

static int64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* When the kernel got it. A congestion controller at the other end reads differences of a millisecond, and this thread
 * may have slept longer than that. `offset_us`: wall clock minus the loop's clock. */
static int64_t read_stamp(struct msghdr *m, int64_t offset_us, int64_t now_us)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		struct timespec ts;
		int64_t at;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) {
			continue;
		}
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		at = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 - offset_us;
		return at > now_us - 1000000 && at < now_us + 1000000 ? at : 0;	/* a test's clock, or one just set */
	}
	return 0;
}

static void deliver(mcu_port *port, struct net_sock *s, struct net_rx *rx, unsigned i, size_t len)
{
	struct msghdr *m = &rx->msgs[i].msg_hdr;
	struct net_datagram d = { .data = rx->bytes[i], .len = len, .path = { .sock = s, .remote = rx->from[i] } };

	NET_COUNT(port, UDP_IN);
	if (m->msg_flags & MSG_TRUNC || len > NET_DATAGRAM) {
		NET_COUNT(port, UDP_LONG);
		return;
	}
	net_addr_fold(&d.path.remote);
	read_local(m, s, &d.path.local);
	net_port_datagram(port, &d);
}

static int read_batch(mcu_port *port, struct net_sock *s, unsigned room)
{
	struct net_rx *rx = port->rx;
	int64_t offset_us;
	int n;

	for (unsigned i = 0; i < room; i++) {
		rx->iov[i] = (struct iovec){ rx->bytes[i], sizeof(rx->bytes[i]) };
		rx->msgs[i].msg_hdr = (struct msghdr){ .msg_name = &rx->from[i], .msg_namelen = sizeof(rx->from[i]),
						       .msg_iov = &rx->iov[i], .msg_iovlen = 1 };
		rx->msgs[i].msg_hdr.msg_control = &rx->control[i];
		rx->msgs[i].msg_hdr.msg_controllen = sizeof(rx->control[i]);
	}
	n = recvmmsg(s->ev.fd, rx->msgs, room, MSG_DONTWAIT, NULL);
	offset_us = n > 0 ? clock_us(CLOCK_REALTIME) - clock_us(CLOCK_BOOTTIME) : 0;
	for (int i = 0; i < n && s->ev.fd >= 0; i++) {	/* a handler may close a plain transport */
		port->arrival_us = read_stamp(&rx->msgs[i].msg_hdr, offset_us, port->now_us);
		deliver(port, s, rx, (unsigned)i, rx->msgs[i].msg_len);
	}
	port->arrival_us = 0;
	if (n > 0 && s->plain != NULL) {
		port->batch_open = true;	/* a batch of many m-lines: its receivers get one run each */
	} else if (n > 0) {
		net_port_batch_end(port);
	}
	return n;
}

static void ready(mcu_port *port, struct net_event *ev, uint32_t events)
{
	struct net_sock *s = (struct net_sock *)ev;
	unsigned room = s->plain != NULL ? NET_PLAIN_BATCH : NET_BATCH;

	for (unsigned i = 0; i < NET_BATCHES && s->ev.fd >= 0; i++) {
		if (read_batch(port, s, room) < (int)room) {
			return;
		}
	}
}

static int open_one(const union mcu_addr *local, uint16_t number, bool any)
{
	int fd = socket(local->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	union mcu_addr a = *local;

	if (fd < 0) {
		return -errno;
	}
	net_addr_set_port(&a, number);
	if (a.sa.sa_family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		if (any) {
			(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
		}
	} else if (any) {
		(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));	/* without it the turn's time serves */
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	if (bind(fd, &a.sa, net_addr_len(&a)) < 0) {
		int e = errno;

		close(fd);
		return -e;
	}
	return fd;
}

int net_udp_bind(mcu_port *port, struct net_sock *s, const union mcu_addr *local, uint16_t number)
{
	int fd = open_one(local, number, net_addr_any(local));
	socklen_t len = sizeof(s->local);

	if (fd < 0) {
		return fd;
	}
	s->ev = (struct net_event){ ready, fd };
	s->any = net_addr_any(local);
	(void)getsockname(fd, &s->local.sa, &len);
	(void)epoll_ctl(port->epoll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){ EPOLLIN, { .ptr = &s->ev } });
	return 0;
}

/* The epoll set of the turn under way may still name it: fd < 0 says that it is gone. */
void net_udp_unbind(struct net_sock *s)
{
	if (s->ev.fd >= 0) {
		close(s->ev.fd);
	}
	s->ev.fd = -1;
}

/* RFC 2474 3: the upper six bits of the field; without the right to it the network decides. */
void net_udp_mark(const struct net_sock *s, uint8_t dscp)
{
	int field = dscp << 2;

	if (s->ev.fd >= 0 && dscp > 0) {
		(void)setsockopt(s->ev.fd, IPPROTO_IP, IP_TOS, &field, sizeof(field));
		(void)setsockopt(s->ev.fd, IPPROTO_IPV6, IPV6_TCLASS, &field, sizeof(field));
	}
}

static bool add_sock(mcu_port *port, const union mcu_addr *local, GError **err)
{
	struct net_sock *s = &port->socks[port->n_socks];
	socklen_t len = sizeof(s->local);
	char text[46];
	int fd = open_one(local, port->number, net_addr_any(local));

	if (fd < 0) {
		net_addr_text(local, text);
		g_set_error(err, G_IO_ERROR, g_io_error_from_errno(-fd), "UDP %s port %u: %s", text, port->number,
			    g_strerror(-fd));
		return false;
	}
	*s = (struct net_sock){ .ev = { ready, fd }, .any = net_addr_any(local) };
	(void)getsockname(fd, &s->local.sa, &len);
	port->number = net_addr_port(&s->local);
	port->n_socks++;
	if (port->conf.tcp && !net_tcp_listen(port, s, err)) {
		return false;
	}
	net_udp_mark(s, port->conf.dscp);
	(void)epoll_ctl(port->epoll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){ EPOLLIN, { .ptr = &s->ev } });
	return true;
}

void net_udp_close(mcu_port *port)
{
	for (unsigned i = 0; i < port->n_socks; i++) {
		close(port->socks[i].ev.fd);
	}
	for (unsigned i = 0; i < port->n_listeners; i++) {
		close(port->listeners[i].ev.fd);
	}
	port->n_socks = port->n_listeners = 0;
}

/* A host without IPv6 (or without IPv4) is no error when both wildcards were only our default. */
static bool missing_family(const GError *e)
{
	return g_error_matches(e, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED) ||
	       e->code == (int)g_io_error_from_errno(EADDRNOTAVAIL);
}

static bool open_all(mcu_port *port, const char *const *listen, GError **err)
{
	static const char *const both[] = { "0.0.0.0", "::", NULL };
	const char *const *list = listen ? listen : both;

	for (unsigned i = 0; list[i] != NULL && port->n_socks < NET_SOCKS; i++) {
		g_autoptr(GError) why = NULL;
		union mcu_addr a;

		if (!net_addr_parse(list[i], 0, &a)) {
			g_set_error(err, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "no literal address: %s", list[i]);
			return false;
		}
		if (!add_sock(port, &a, &why) && (listen != NULL || !missing_family(why))) {
			g_propagate_error(err, g_steal_pointer(&why));
			return false;
		}
	}
	return port->n_socks > 0;
}

/* With port 0 the kernel picks the first socket's number; it may be taken on another address or in TCP: try again. */
bool net_udp_open(mcu_port *port, const char *const *listen, GError **err)
{
	unsigned tries = port->conf.udp_port == 0 ? OPEN_TRIES : 1;
	g_autoptr(GError) why = NULL;

	for (unsigned i = 0; i < tries; i++) {
		g_clear_error(&why);
		port->number = port->conf.udp_port;
		if (open_all(port, listen, &why)) {
			return true;
		}
		net_udp_close(port);
		if (why == NULL || why->code != (int)G_IO_ERROR_ADDRESS_IN_USE) {
			break;
		}
	}
	if (why == NULL) {
		g_set_error(&why, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "no address to listen on");
	}
	g_propagate_error(err, g_steal_pointer(&why));
	return false;
}

static void add_cmsg(struct msghdr *m, union net_control *c, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *h = (struct cmsghdr *)(c->space + m->msg_controllen);

	h->cmsg_level = level;
	h->cmsg_type = type;
	h->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(h), data, len);
	m->msg_control = c;
	m->msg_controllen += CMSG_SPACE(len);
}

static void say_local(struct msghdr *m, union net_control *c, const struct net_path *path)
{
	if (!path->sock->any || net_addr_any(&path->local)) {
		return;
	}
	if (path->local.sa.sa_family == AF_INET6) {
		struct in6_pktinfo info = { .ipi6_addr = path->local.in6.sin6_addr };

		if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) {
			info.ipi6_ifindex = path->remote.in6.sin6_scope_id;
		}
		add_cmsg(m, c, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	} else {
		struct in_pktinfo info = { .ipi_spec_dst = path->local.in.sin_addr };

		add_cmsg(m, c, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	}
}

void net_udp_send(mcu_port *port, const struct net_path *path, const uint8_t *data, size_t len)
{
	struct iovec iov = { (void *)(uintptr_t)data, len };
	union net_control control = { 0 };
	struct msghdr m = { .msg_name = (void *)(uintptr_t)&path->remote, .msg_namelen = net_addr_len(&path->remote),
			    .msg_iov = &iov, .msg_iovlen = 1 };

	say_local(&m, &control, path);
	if (sendmsg(path->sock->ev.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		NET_COUNT(port, UDP_ERROR);
	} else {
		NET_COUNT(port, UDP_OUT);
	}
}

static bool single(const struct net_run *r)
{
	return r->n == 1 || r->pair->no_gso;
}

static void add_msg(mcu_port *port, struct net_send *b, const struct net_run *r, struct net_cursor at)
{
	struct msghdr *m = &b->msgs[b->n].msg_hdr;
	uint32_t first = single(r) ? (uint32_t)at.packet * r->segment : 0;
	uint32_t len = single(r) ? MIN((uint32_t)r->segment, r->len - first) : r->len;

	b->iov[b->n] = (struct iovec){ port->out.area + r->offset + first, len };
	*m = (struct msghdr){ .msg_name = (void *)(uintptr_t)&r->path.remote,
			      .msg_namelen = net_addr_len(&r->path.remote), .msg_iov = &b->iov[b->n], .msg_iovlen = 1 };
	say_local(m, &b->control[b->n], &r->path);
	if (!single(r)) {
		add_cmsg(m, &b->control[b->n], SOL_UDP, UDP_SEGMENT, &r->segment, sizeof(r->segment));
	}
	b->at[b->n++] = at;
}

static struct net_cursor after(const struct net_run *runs, struct net_cursor c)
{
	const struct net_run *r = &runs[c.run];

	if (single(r) && c.packet + 1u < r->n) {
		return (struct net_cursor){ c.run, c.packet + 1 };
	}
	return (struct net_cursor){ c.run + 1, 0 };
}

/* Messages from `c` on that leave by one socket, at most a batch. TCP runs are stepped over. */
static struct net_cursor gather(mcu_port *port, const struct net_run *runs, unsigned n, struct net_cursor c,
			    struct net_send *b, struct net_sock **ret_sock)
{
	b->n = 0;
	*ret_sock = NULL;
	while (c.run < n && b->n < NET_BATCH) {
		struct net_sock *s = runs[c.run].path.sock;

		if (s != NULL && *ret_sock != NULL && s != *ret_sock) {
			break;
		}
		if (s == NULL) {
			c = (struct net_cursor){ c.run + 1, 0 };
			continue;
		}
		*ret_sock = s;
		add_msg(port, b, &runs[c.run], c);
		c = after(runs, c);
	}
	return c;
}

static unsigned packets_of(const struct net_run *r)
{
	return single(r) ? 1 : r->n;
}

/* The kernel refused a message. EIO, EINVAL and EMSGSIZE of a run mean that this route (a tunnel, a small MTU, checksums
 * off) cannot segment: true, it goes again packet by packet, and the route stays so. Else it is dropped and counted. */
static bool go_singly(mcu_port *port, const struct net_run *r, int error)
{
	if (!single(r) && (error == EIO || error == EINVAL || error == EMSGSIZE || error == EOPNOTSUPP)) {
		r->pair->no_gso = true;
		NET_COUNT(port, UDP_NO_GSO);
		return true;
	}
	if (error == EAGAIN || error == ENOBUFS) {
		port->counters[NET_UDP_FULL] += packets_of(r);
	} else {
		port->counters[NET_UDP_ERROR] += packets_of(r);
	}
	return false;
}

/* Sends a gathered batch; where to gather from next. */
static struct net_cursor send_batch(mcu_port *port, int fd, struct net_send *b, const struct net_run *runs,
				    struct net_cursor next)
{
	unsigned at = 0;

	while (at < b->n) {
		int sent = sendmmsg(fd, b->msgs + at, b->n - at, MSG_DONTWAIT | MSG_NOSIGNAL);

		NET_COUNT(port, UDP_CALLS);
		for (int i = 0; i < sent; i++, at++) {
			port->counters[NET_UDP_OUT] += packets_of(&runs[b->at[at].run]);
			NET_COUNT(port, UDP_RUNS);
		}
		if (sent < 0 && go_singly(port, &runs[b->at[at].run], errno)) {
			return b->at[at];
		}
		at += sent < 0;
	}
	return next;
}

void net_udp_flush(mcu_port *port, const struct net_run *runs, unsigned n)
{
	struct net_send *b = &port->rx->out;
	struct net_cursor c = { 0, 0 };

	while (c.run < n) {
		struct net_sock *s;
		struct net_cursor next = gather(port, runs, n, c, b, &s);

		if (b->n == 0) {
			return;
		}
		c = send_batch(port, s->ev.fd, b, runs, next);
	}
}
