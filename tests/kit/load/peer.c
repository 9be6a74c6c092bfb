/* One peer: socket, ICE checks as a full agent with one pair, demultiplexing (RFC 7983). */
#include <arpa/inet.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <gio/gio.h>

#include "tests/kit/load/load.h"

enum { BATCH = 64, CHECK_US = 50000, CONSENT_US = 4000000 };	/* RFC 7675: consent lives 30 s, refreshed every 4-6 */

struct rx {
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	uint8_t data[BATCH][2048];
};

struct rx *load_rx_new(void)
{
	struct rx *rx = g_new0(struct rx, 1);

	for (int i = 0; i < BATCH; i++) {
		rx->iov[i] = (struct iovec){ rx->data[i], sizeof(rx->data[i]) };
		rx->msg[i].msg_hdr.msg_iov = &rx->iov[i];
		rx->msg[i].msg_hdr.msg_iovlen = 1;
	}
	return rx;
}

bool load_addr(const char *ip, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (void *)ret;
	struct sockaddr_in6 *v6 = (void *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return true;
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	return inet_pton(AF_INET6, ip, &v6->sin6_addr) == 1;
}

uint16_t load_peer_port(const struct load_peer *peer)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(peer->fd, (struct sockaddr *)&ss, &len) < 0) {
		return 0;
	}
	return ntohs(ss.ss_family == AF_INET ? ((struct sockaddr_in *)&ss)->sin_port
					     : ((struct sockaddr_in6 *)&ss)->sin6_port);
}

static void random_text(char *out, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i++) {
		out[i] = alphabet[load_random() & 63];
	}
	out[n] = 0;
}

bool load_peer_open(struct load *load, struct load_peer *peer, GError **err)
{
	struct sockaddr_storage addr;
	int size = 4 << 20;
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = peer };

	peer->load = load;
	peer->dtls_deadline_us = INT64_MAX;
	random_text(peer->ufrag, sizeof(peer->ufrag) - 1);
	random_text(peer->pwd, sizeof(peer->pwd) - 1);
	peer->tiebreaker = (uint64_t)load_random() << 32 | load_random();
	if (!load_addr(load->conf.host, 0, &addr)) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "not an address: %s", load->conf.host);
		return false;
	}
	peer->fd = socket(addr.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (peer->fd < 0 || bind(peer->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    epoll_ctl(load->epoll, EPOLL_CTL_ADD, peer->fd, &ev) < 0) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_FAILED, "socket on %s: %m", load->conf.host);
		return false;
	}
	(void)setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));	/* smaller is allowed */
	return true;
}

void load_peer_close(struct load_peer *peer)
{
	if (peer->ssl) {
		SSL_shutdown(peer->ssl);
		SSL_free(peer->ssl);
	}
	if (peer->srtp_out) {
		srtp_dealloc(peer->srtp_out);
	}
	if (peer->srtp_in) {
		srtp_dealloc(peer->srtp_in);
	}
	if (peer->fd > 0) {
		close(peer->fd);
	}
	if (peer->send) {
		g_free(peer->send->ring);
	}
	g_free(peer->send);
	g_free(peer->recv);
}

void load_peer_fail(struct load_peer *peer, const char *why)
{
	if (!peer->failed) {
		peer->failed = true;
		g_printerr("peer %d failed: %s\n", peer->index, why);
	}
}

static bool uses_relay(const struct load_peer *peer)
{
	return peer->load->conf.relay && (peer->send ? 1 : 0) == (peer->load->conf.relay_pubs ? 1 : 0);
}

void load_peer_connect(struct load_peer *peer, const struct load_remote *remote)
{
	const struct sockaddr_storage *to = uses_relay(peer) ? &peer->load->relay : &remote->addr;
	size_t len = to->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

	peer->remote = *remote;
	if (connect(peer->fd, (const struct sockaddr *)to, (socklen_t)len) < 0) {
		load_peer_fail(peer, "no way to the server's candidate");
		return;
	}
	peer->known = true;
	peer->known_us = load_now_us();
	load_peer_tick(peer, peer->known_us);
}

static void send_check(struct load_peer *peer)
{
	uint8_t out[LOAD_SLOT];
	char username[600];

	g_snprintf(username, sizeof(username), "%s:%s", peer->remote.ufrag, peer->ufrag);
	for (unsigned i = 0; i < 12 && (peer->checked || !peer->checking); i += 4) {
		load_put32(peer->transaction + i, load_random());
	}
	peer->checking = true;	/* retransmissions keep the transaction */
	(void)send(peer->fd, out,
		   load_stun_request(out, peer->transaction, username, peer->remote.pwd, peer->remote.we_control,
				     peer->tiebreaker, peer->remote.we_control),
		   0);
}

static void begin_dtls(struct load_peer *peer)
{
	peer->ice_us = load_now_us();
	load_dtls_start(peer);
	if (peer->remote.dtls_client) {
		load_dtls_input(peer, NULL, 0);
	}
}

static void on_stun_reply(struct load_peer *peer, const struct load_stun *stun)
{
	if (stun->error == 487) {	/* role conflict (RFC 8445 7.2.5.1) */
		peer->remote.we_control = !peer->remote.we_control;
		peer->next_check_us = 0;
		return;
	}
	if (stun->error || !stun->integrity || memcmp(stun->transaction, peer->transaction, 12) != 0) {
		peer->load->bad_stun++;
		return;
	}
	if (!peer->checked) {
		peer->checked = true;
		begin_dtls(peer);
	}
}

static void on_stun(struct load_peer *peer, const uint8_t *data, size_t len)
{
	struct load_stun stun;
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	uint8_t out[LOAD_SLOT];
	bool request = (data[0] & 1) == 0 && (data[1] & 0x10) == 0;

	if (!load_stun_parse(data, len, request ? peer->pwd : peer->remote.pwd, &stun)) {
		peer->load->bad_stun++;
		return;
	}
	if (!request) {
		on_stun_reply(peer, &stun);
		return;
	}
	if (!stun.integrity || getpeername(peer->fd, (struct sockaddr *)&from, &from_len) < 0) {
		peer->load->bad_stun += stun.integrity ? 0 : 1;
		return;
	}
	peer->nominated |= stun.use_candidate;
	(void)send(peer->fd, out, load_stun_reply(out, stun.transaction, &from, peer->pwd), 0);
}

static void on_srtp(struct load_peer *peer, uint8_t *data, size_t len, int64_t now_us)
{
	int n = (int)len;

	if (!peer->up || len < 12) {
		return;
	}
	if (data[1] < 192 || data[1] > 223) {	/* RFC 5761 4 */
		if (peer->recv) {
			load_recv_rtp(peer, data, len, now_us);
		}
		return;
	}
	if (srtp_unprotect_rtcp(peer->srtp_in, data, &n) != srtp_err_status_ok) {
		peer->load->rtcp_fail++;
		return;
	}
	if (peer->send) {
		load_send_rtcp(peer, data, (size_t)n);
	} else {
		load_recv_rtcp(peer, data, (size_t)n, now_us);
	}
}

static void on_datagram(struct load_peer *peer, uint8_t *data, size_t len, int64_t now_us)
{
	if (len == 0) {
		return;
	}
	if (data[0] >= 128 && data[0] < 192) {
		on_srtp(peer, data, len, now_us);
	} else if (data[0] >= 20 && data[0] < 64) {
		if (peer->known) {
			load_dtls_start(peer);
			load_dtls_input(peer, data, len);
		}
	} else if (data[0] < 4 && len >= 20) {
		on_stun(peer, data, len);
	}
}

void load_peer_read(struct load_peer *peer)
{
	struct rx *rx = peer->load->rx;
	int n;

	do {
		int64_t now_us;

		n = recvmmsg(peer->fd, rx->msg, BATCH, MSG_DONTWAIT, NULL);
		now_us = load_now_us();
		for (int i = 0; i < n; i++) {
			on_datagram(peer, rx->data[i], rx->msg[i].msg_len, now_us);
		}
	} while (n == BATCH);
}

void load_peer_tick(struct load_peer *peer, int64_t now_us)
{
	if (!peer->known || peer->failed) {
		return;
	}
	if (now_us >= peer->next_check_us) {
		peer->next_check_us = now_us + (peer->checked ? CONSENT_US : CHECK_US);
		send_check(peer);
	}
	load_dtls_tick(peer, now_us);
	if (!peer->up) {
		return;
	}
	if (peer->send) {
		load_send_tick(peer, now_us);
	} else {
		load_recv_tick(peer, now_us);
	}
}
