/* Plain transports with keys: SDES beside libsrtp, DTLS without ICE. */
#include <srtp2/srtp.h>
#include <string.h>
#include <unistd.h>

#include "mcu/net/dtls_priv.h"
#include "mcu/net/net_priv.h"
#include "tests/unit/mcu/net/world.h"

enum { SSRC = 0x1234 };
static const uint8_t ours[46] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 }, theirs[46] = { 9, 8, 7, 6, 5, 4, 3, 2, 1 };

static void say(struct world *w, int fd, uint16_t seq)
{
	uint8_t buf[200];

	raw_send_to(fd, world_rtp_port(w), buf, rtp_packet(buf, seq, SSRC, 50));
}

/* ---- SDES ---- */
static srtp_t oracle(const char *suite, const uint8_t *key, bool outbound)
{
	srtp_policy_t p = { .ssrc = { outbound ? ssrc_any_outbound : ssrc_any_inbound, 0 }, .window_size = 128,
			    .key = (uint8_t *)(uintptr_t)key };
	srtp_t s = NULL;

	if (strstr(suite, "GCM")) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtcp);
	} else {
		(strstr(suite, "32") ? srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32 : srtp_crypto_policy_set_rtp_default)(&p.rtp);
		srtp_crypto_policy_set_rtcp_default(&p.rtcp);
	}
	g_assert_cmpint(srtp_create(&s, &p), ==, srtp_err_status_ok);
	return s;
}

static void connect_sdes(struct world *w, int fd, const char *suite, const uint8_t *recv)
{
	size_t n = strstr(suite, "GCM") ? 28 : 30;
	g_autofree char *send_key = g_base64_encode(ours, n), *recv_key = g_base64_encode(recv, n);
	struct mcu_plain_peer peer = { .ip = "127.0.0.1", .port = raw_port(fd), .suite = suite, .send_key = send_key,
				       .recv_key = recv_key };
	g_autoptr(GError) err = NULL;

	g_assert_cmpint(mcu_transport_connect_plain(w->t, &peer, &err), ==, 0);
	g_assert_no_error(err);
}

static void say_sealed(struct world *w, int fd, srtp_t s, uint16_t seq)
{
	uint8_t buf[300];
	int n = (int)rtp_packet(buf, seq, SSRC, 50);

	g_assert_cmpint(srtp_protect(s, buf, &n), ==, srtp_err_status_ok);
	raw_send_to(fd, world_rtp_port(w), buf, (size_t)n);
}

static void sdes_both_ways(gconstpointer data)
{
	const char *suite = data;
	struct world w = { 0 };
	int rtp = raw_socket(), n;
	srtp_t out = oracle(suite, theirs, true), in = oracle(suite, ours, false), fresh;
	uint8_t buf[100], got[300];

	world_open_plain(&w, MCU_PLAIN_SDES, true);
	connect_sdes(&w, rtp, suite, theirs);
	say_sealed(&w, rtp, out, 1);
	world_until(&w, w.kept->len == 1);
	say(&w, rtp, 2);	/* unsealed */
	world_until(&w, world_counter(&w, "rtp.bad") == 1);
	rtp_packet(buf, 9, 77, 30);
	mcu_transport_send_rtp(w.t, buf, 12, buf + 12, 30);
	mcu_port_flush(w.port);
	n = (int)raw_recv(rtp, got, sizeof(got));
	g_assert_cmpint(srtp_unprotect(in, got, &n), ==, srtp_err_status_ok);
	g_assert_cmpmem(got, (size_t)n, buf, 42);
	fresh = oracle(suite, ours, true);	/* a re-INVITE brings another key of the peer */
	connect_sdes(&w, rtp, suite, ours);
	say_sealed(&w, rtp, fresh, 3);
	world_until(&w, w.kept->len == 2);
	srtp_dealloc(out);
	srtp_dealloc(in);
	srtp_dealloc(fresh);
	close(rtp);
	world_close(&w);
}

/* The key proves the port: it is latched late too, but only by an authentic packet. */
static void sdes_latches_by_the_key(void)
{
	static const char suite[] = "AES_CM_128_HMAC_SHA1_80";
	struct world w = { 0 };
	int told = raw_socket(), real = raw_socket(), thief = raw_socket();
	srtp_t out = oracle(suite, theirs, true);

	world_open_plain(&w, MCU_PLAIN_SDES, true);
	connect_sdes(&w, told, suite, theirs);
	w.skew_us = 5000000;
	say(&w, thief, 1);
	world_until(&w, world_counter(&w, "rtp.bad") == 1);
	say_sealed(&w, real, out, 1);
	world_until(&w, w.kept->len == 1 && world_counter(&w, "plain.latched") == 1);
	say(&w, thief, 2);
	world_until(&w, world_counter(&w, "rtp.foreign") == 1);
	srtp_dealloc(out);
	close(told);
	close(real);
	close(thief);
	world_close(&w);
}

static void bad_signalling_is_refused(void)
{
	static const struct mcu_plain_peer rows[] = {
		{ .ip = "127.0.0.1", .port = 5000 },
		{ .ip = "127.0.0.1", .port = 5000, .suite = "F8_128_HMAC_SHA1_80", .send_key = "AAAA", .recv_key = "AAAA" },
		{ .ip = "127.0.0.1", .port = 5000, .suite = "AES_CM_128_HMAC_SHA1_80", .send_key = "AAAA", .recv_key = "AAAA" },
		{ .ip = "::1", .port = 5000 }, { .ip = "host.example", .port = 5000 }, { .port = 5000 },
	};
	struct world w = { 0 };

	world_open_plain(&w, MCU_PLAIN_SDES, true);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) err = NULL;

		g_assert_cmpint(mcu_transport_connect_plain(w.t, &rows[i], &err), <, 0);
		g_assert_nonnull(err);
		g_assert_true(world_state(&w, "new"));
	}
	g_assert_cmpint(mcu_transport_connect(w.t, "abcd", "0123456789012345678901", "", true, NULL), <, 0);
	world_close(&w);
}

/* ---- DTLS-SRTP without ICE (RFC 5763) ---- */
struct dtls_peer { mcu_dtls_ctx *ctx; mcu_dtls *d; int fd; uint16_t to; bool done; };

static void peer_send(const uint8_t *data, size_t len, void *user_data)
{
	struct dtls_peer *p = user_data;

	raw_send_to(p->fd, p->to, data, len);
}

static void peer_turn(struct dtls_peer *p)
{
	uint8_t buf[2000];
	size_t n;

	while ((n = raw_recv(p->fd, buf, sizeof(buf))) > 0) {
		p->done |= mcu_dtls_input(p->d, buf, n) == MCU_DTLS_DONE;
	}
	if (!p->done && mcu_dtls_timeout_us(p->d) == 0) {
		(void)mcu_dtls_timer(p->d);
	}
}

static void dtls_handshake(gconstpointer data)
{
	bool we_open = GPOINTER_TO_INT(data);
	struct world w = { 0 };
	struct dtls_peer p = { .ctx = mcu_dtls_ctx_new(NULL), .fd = raw_socket() };
	struct mcu_plain_peer told = { .ip = "127.0.0.1", .port = raw_port(p.fd), .dtls_client = we_open,
				       .fingerprint = mcu_dtls_fingerprint(p.ctx) };
	int alien = raw_socket();
	uint8_t hash[MCU_DTLS_HASH], junk[100] = { 22, 254, 253 };

	world_open_plain(&w, MCU_PLAIN_DTLS, true);
	g_assert_true(mcu_dtls_parse_fingerprint(mcu_port_fingerprint(w.port), hash));
	p.to = world_rtp_port(&w);
	p.d = mcu_dtls_new(p.ctx, !we_open, hash, peer_send, &p);
	if (!we_open) {
		(void)mcu_dtls_start(p.d);	/* overtakes the answer */
		world_spin(&w, 3);
	}
	g_assert_cmpint(mcu_transport_connect_plain(w.t, &told, NULL), ==, 0);
	for (unsigned i = 0; i < 50; i++) {
		raw_send_to(alien, p.to, junk, sizeof(junk));
	}
	world_until(&w, (peer_turn(&p), p.done) && mcu_transport_up(w.t));
	g_assert_cmpuint(world_counter(&w, "dtls.foreign"), ==, 50);
	g_assert_cmpstr(w.states->str, ==, "dtls up");
	mcu_dtls_free(p.d);
	mcu_dtls_ctx_free(p.ctx);
	close(p.fd);
	close(alien);
	world_close(&w);
}

static void dtls_compares_the_fingerprint(void)
{
	struct world w = { 0 };
	struct dtls_peer p = { .ctx = mcu_dtls_ctx_new(NULL), .fd = raw_socket() };
	g_autofree char *wrong = g_strdup(mcu_dtls_fingerprint(p.ctx));
	struct mcu_plain_peer told = { .ip = "127.0.0.1", .port = raw_port(p.fd), .dtls_client = true, .fingerprint = wrong };
	uint8_t hash[MCU_DTLS_HASH];

	wrong[0] = wrong[0] == '0' ? '1' : '0';
	world_open_plain(&w, MCU_PLAIN_DTLS, true);
	g_assert_true(mcu_dtls_parse_fingerprint(mcu_port_fingerprint(w.port), hash));
	p.to = world_rtp_port(&w);
	p.d = mcu_dtls_new(p.ctx, false, hash, peer_send, &p);
	g_assert_cmpint(mcu_transport_connect_plain(w.t, &told, NULL), ==, 0);
	world_until(&w, (peer_turn(&p), world_state(&w, "failed")));
	g_assert_cmpstr(w.why, ==, "fingerprint");
	mcu_dtls_free(p.d);
	mcu_dtls_ctx_free(p.ctx);
	close(p.fd);
	world_close(&w);
}

int main(int argc, char **argv)
{
	static const char *const suites[] = { "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM" };

	g_test_init(&argc, &argv, NULL);
	g_assert_cmpint(srtp_init(), ==, srtp_err_status_ok);
	g_test_add_func("/plain/sdes-latches-by-the-key", sdes_latches_by_the_key);
	g_test_add_func("/plain/bad-signalling-is-refused", bad_signalling_is_refused);
	g_test_add_func("/plain/dtls-compares-the-fingerprint", dtls_compares_the_fingerprint);
	for (unsigned i = 0; i < G_N_ELEMENTS(suites); i++) {
		g_autofree char *path = g_strdup_printf("/plain/sdes-both-ways/%s", suites[i]);

		g_test_add_data_func(path, suites[i], sdes_both_ways);
	}
	g_test_add_data_func("/plain/dtls/we-open", GINT_TO_POINTER(true), dtls_handshake);
	g_test_add_data_func("/plain/dtls/peer-opens", GINT_TO_POINTER(false), dtls_handshake);
	return g_test_run();
}
