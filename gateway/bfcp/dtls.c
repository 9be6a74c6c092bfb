/* "UDP/TLS/BFCP" (RFC 8856 6): datagrams in DTLS 1.2, trust by the signalled hash. The socket is connected to the signalled address,
 * so strangers are not even read; the peer is known from signalling, so no cookie is asked for. An association that ends is begun
 * anew: by the active side after a pause, on the passive side by the next ClientHello. */
#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "gateway/bfcp/link_priv.h"
#include "mcu/base/clock.h"

enum { MTU = 1200, AGAIN_MS = 2000, READS_A_TURN = 32 };

static void begin(struct gw_bfcp_link *l)
{
	BIO *bio = BIO_new_dgram(l->fd, BIO_NOCLOSE);
	BIO_ADDR *to = BIO_ADDR_new();
	bool v6 = l->remote.sa.sa_family == AF_INET6;
	const void *where = v6 ? (const void *)&l->remote.in6.sin6_addr : &l->remote.in.sin_addr;
	size_t len = v6 ? sizeof(l->remote.in6.sin6_addr) : sizeof(l->remote.in.sin_addr);

	l->ssl = SSL_new(l->b->dtls);
	g_assert(bio != NULL && to != NULL && l->ssl != NULL);
	(void)BIO_ADDR_rawmake(to, l->remote.sa.sa_family, where, len, v6 ? l->remote.in6.sin6_port : l->remote.in.sin_port);
	(void)BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, to);
	BIO_ADDR_free(to);
	SSL_set_app_data(l->ssl, l);
	SSL_set_bio(l->ssl, bio, bio);
	(void)SSL_set_mtu(l->ssl, MTU);
	if (l->active) {
		SSL_set_connect_state(l->ssl);
	} else {
		SSL_set_accept_state(l->ssl);
	}
}

static void end(struct gw_bfcp_link *l)
{
	g_clear_pointer(&l->ssl, SSL_free);
	l->tls_done = false;
	l->redial_us = ORT_NEVER;
}

static void broke(struct gw_bfcp_link *l, const char *why)
{
	end(l);
	l->b->counters.lost++;
	l->redial_us = ort_now_us() + AGAIN_MS * ORT_US_PER_MS;
	bfcp_core_down(&l->core, why);
}

/* true: it goes on, perhaps later. */
static bool alive(struct gw_bfcp_link *l, int r)
{
	int e = SSL_get_error(l->ssl, r);

	ERR_clear_error();
	return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE || (e == SSL_ERROR_SYSCALL && (errno == EAGAIN || errno == ECONNREFUSED));
}

static void handshake(struct gw_bfcp_link *l)
{
	uint64_t refused = l->b->counters.refused_tls;

	errno = 0;
	int r = SSL_do_handshake(l->ssl);

	if (r == 1) {
		l->tls_done = true;
		l->b->counters.connections++;
		bfcp_core_up(&l->core, ort_now_us());
	} else if (!alive(l, r)) {
		broke(l, l->b->counters.refused_tls > refused ? "fingerprint" : "tls");
	}
}

static void read_all(struct gw_bfcp_link *l)
{
	uint8_t message[BFCP_LONGEST];

	for (unsigned i = 0; i < READS_A_TURN && l->ssl != NULL && l->tls_done && !l->dead; i++) {
		errno = 0;
		int n = SSL_read(l->ssl, message, sizeof(message));

		if (n > 0) {
			bfcp_core_input(&l->core, message, (size_t)n, ort_now_us());
		} else if (!alive(l, n)) {
			broke(l, "closed");
		} else {
			return;
		}
	}
}

void bfcp_dtls_readable(struct gw_bfcp_link *l)
{
	uint8_t waste[16];

	if (l->ssl == NULL) {
		if (l->active || !l->told) {
			(void)recv(l->fd, waste, sizeof(waste), MSG_DONTWAIT);
			return;
		}
		begin(l);	/* the peer begins anew */
		l->redial_us = ORT_NEVER;
	}
	if (!l->tls_done) {
		handshake(l);
	}
	read_all(l);
}

bool bfcp_dtls_told(struct gw_bfcp_link *l)
{
	if (connect(l->fd, &l->remote.sa, bfcp_addr_len(&l->remote)) < 0) {
		return false;
	}
	end(l);
	begin(l);
	if (l->active) {
		handshake(l);
	}
	return true;
}

void bfcp_dtls_send(struct gw_bfcp_link *l, const uint8_t *data, size_t len)
{
	if (l->ssl != NULL && l->tls_done) {
		(void)SSL_write(l->ssl, data, (int)len);	/* T1 repeats what is lost */
		ERR_clear_error();
	}
}

void bfcp_dtls_timer(struct gw_bfcp_link *l, int64_t now_us)
{
	if (l->ssl == NULL && l->redial_us <= now_us) {
		l->redial_us = ORT_NEVER;
		begin(l);
		if (l->active) {
			handshake(l);
		}
	} else if (l->ssl != NULL && !l->tls_done && DTLSv1_handle_timeout(l->ssl) < 0) {
		broke(l, "timeout");
	}
}

/* Next repetition of a handshake's flight. */
int64_t bfcp_dtls_deadline(struct gw_bfcp_link *l)
{
	struct timeval left;

	return l->ssl != NULL && !l->tls_done && DTLSv1_get_timeout(l->ssl, &left) == 1
		       ? ort_now_us() + left.tv_sec * ORT_US_PER_S + left.tv_usec : ORT_NEVER;
}

void bfcp_dtls_close(struct gw_bfcp_link *l)
{
	if (l->ssl != NULL && l->tls_done) {
		(void)SSL_shutdown(l->ssl);	/* best effort */
	}
	ERR_clear_error();
	end(l);
}
