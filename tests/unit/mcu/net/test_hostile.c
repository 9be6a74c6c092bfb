/* What must not work: a wrong certificate, foreign addresses, floods, junk, and everything that costs memory. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/net/net_priv.h"
#include "tests/unit/mcu/net/world.h"

enum { FLOOD = 2000 };

static struct mcu_candidate candidate_of(struct world *w)
{
	struct mcu_candidate c;

	g_assert_cmpuint(mcu_transport_candidates(w->t, &c, 1), ==, 1);
	return c;
}

/* The hash that we were told is not that of the peer's certificate: no state but failed, no packet either way. */
static void wrong_fingerprint(gconstpointer data)
{
	struct world w = { .peer_conf = { .dtls_client = GPOINTER_TO_INT(data) } };
	g_autofree char *ufrag = NULL, *pwd = NULL, *told = NULL;
	uint8_t buf[100];

	world_open(&w);
	net_peer_local(w.peer, &ufrag, &pwd);
	told = g_strdup(net_peer_fingerprint(w.peer));
	told[0] = told[0] == '0' ? '1' : '0';
	g_assert_cmpint(mcu_transport_connect(w.t, ufrag, pwd, told, !w.peer_conf.dtls_client, NULL), ==, 0);
	world_offer(&w);
	world_until(&w, world_state(&w, "failed"));
	g_assert_cmpstr(w.why, ==, "fingerprint");
	g_assert_cmpuint(world_counter(&w, "dtls.fingerprint"), ==, 1);
	rtp_packet(buf, 1, 1, 50);
	mcu_transport_send_rtp(w.t, buf, 12, buf + 12, 50);
	if (net_peer_up(w.peer)) {
		net_peer_send_rtp(w.peer, buf, 62);
	}
	net_peer_send_raw(w.peer, buf, 62);
	mcu_port_flush(w.port);
	world_spin(&w, 50);
	g_assert_cmpuint(w.kept->len + w.peer_got->len, ==, 0);
	g_assert_null(w.t->in);
	g_assert_cmpuint(world_counter(&w, "rtp.out") + world_counter(&w, "rtp.delivered"), ==, 0);
	world_close(&w);
}

static void bad_parameters_are_refused(void)
{
	static const char *const bad[] = {
		"", "AA", NULL,
		"AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:9Z",
		"AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:00",
		"AA-BB-CC-DD-EE-FF-00-11-22-33-44-55-66-77-88-99-AA-BB-CC-DD-EE-FF-00-11-22-33-44-55-66-77-88-99",
	};
	static const char good[] =
		"aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99";
	static const char other[] =
		"ab:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99";
	struct world w = { .peer_conf = { .address = "" } };
	const char *pwd = "0123456789012345678901";

	world_open(&w);
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) err = NULL;

		g_assert_cmpint(mcu_transport_connect(w.t, "abcd", pwd, bad[i], true, &err), <, 0);
		g_assert_nonnull(err);
	}
	g_assert_cmpint(mcu_transport_connect(w.t, "abc", pwd, good, true, NULL), <, 0);
	g_assert_cmpint(mcu_transport_connect(w.t, "abcd", "short", good, true, NULL), <, 0);
	g_assert_cmpint(mcu_transport_connect(w.t, "abcd", pwd, good, true, NULL), ==, 0);
	g_assert_cmpint(mcu_transport_connect(w.t, "abcd", pwd, good, true, NULL), ==, 0);
	g_assert_cmpint(mcu_transport_connect(w.t, "abcd", pwd, other, true, NULL), <, 0);
	world_close(&w);
}

/* RTP with the right keys from an address that did no check is not delivered; nor is a replay of what was. */
static void foreign_address_is_ignored(void)
{
	struct world w = { .peer_conf = { .dtls_client = true } };
	struct mcu_candidate c;
	uint8_t buf[200];

	world_open(&w);
	world_up(&w);
	c = candidate_of(&w);
	net_peer_send_rtp_elsewhere(w.peer, buf, rtp_packet(buf, 1, 7, 100), &c);
	world_until(&w, world_counter(&w, "rtp.foreign") == 1);
	net_peer_send_rtp(w.peer, buf, rtp_packet(buf, 2, 7, 100));
	world_until(&w, w.kept->len == 1);
	g_assert_cmpuint(((struct mcu_packet *)w.kept->pdata[0])->rtp.seq, ==, 2);
	world_close(&w);
}

static void unsealed_media_is_counted(void)
{
	struct world w = { .peer_conf = { .dtls_client = true } };
	uint8_t buf[200] = { 0x80, 200, 0, 6 };

	world_open(&w);
	world_up(&w);
	for (uint16_t i = 0; i < 200; i++) {
		net_peer_send_raw(w.peer, buf, rtp_packet(buf, i, 7, i % 100));
	}
	world_until(&w, world_counter(&w, "rtp.bad") == 200);
	memcpy(buf, (const uint8_t[4]){ 0x80, 200, 0, 6 }, 4);
	net_peer_send_raw(w.peer, buf, 28 + 14);
	net_peer_send_raw(w.peer, buf, 3);
	world_until(&w, world_counter(&w, "rtcp.bad") == 2);
	net_peer_send_rtp(w.peer, buf, rtp_packet(buf, 2, 7, 100));
	world_until(&w, w.kept->len == 1);
	g_assert_true(world_state(&w, "up"));
	world_close(&w);
}

/* A source that guesses is cut off; the right peer, who makes no mistakes, is not. */
static void stun_guessing_is_limited(void)
{
	struct world w = { .conf = { .stun_per_s = 50 }, .peer_conf = { .address = "" } };
	int fd = raw_socket();
	uint8_t buf[600];

	world_open(&w);
	for (unsigned i = 0; i < FLOOD; i++) {
		raw_check(&w, fd, "a password of another", true, 1);
		if (i % 100 == 99) {
			mcu_port_turn(w.port, 1000000);	/* all in one moment */
		}
	}
	mcu_port_turn(w.port, 1000000);
	g_assert_cmpuint(world_counter(&w, "stun.bad"), ==, 50);
	g_assert_cmpuint(world_counter(&w, "stun.limited"), ==, FLOOD - 50);
	g_assert_cmpuint(world_counter(&w, "udp.out"), ==, 0);
	g_assert_cmpuint(raw_recv(fd, buf, sizeof(buf)), ==, 0);
	raw_check(&w, fd, NULL, true, 1);
	mcu_port_turn(w.port, 3000000);
	g_assert_cmpuint(world_counter(&w, "stun.valid"), ==, 1);
	g_assert_cmpuint(raw_recv(fd, buf, sizeof(buf)), >, 20);
	close(fd);
	world_close(&w);
}

/* A hundred right checks at once from one address (a carrier's NAT) are all answered. */
static void right_checks_are_not_limited(void)
{
	struct world w = { .conf = { .stun_per_s = 10 }, .peer_conf = { .address = "" } };

	world_open(&w);
	for (unsigned i = 0; i < 100; i++) {
		int fd = raw_socket();

		raw_check(&w, fd, NULL, false, 1);
		mcu_port_turn(w.port, 1000000);
		close(fd);
	}
	g_assert_cmpuint(world_counter(&w, "stun.valid"), ==, 100);
	g_assert_cmpuint(world_counter(&w, "pairs.open"), ==, NET_PAIRS);	/* and cost eight pairs */
	world_close(&w);
}

/* Somebody behind the same address guesses; the others behind it still get in. */
static void one_guesser_keeps_no_neighbour_out(void)
{
	struct world w = { .conf = { .stun_per_s = 10 }, .peer_conf = { .address = "" } };
	int guesser = raw_socket(), phone = raw_socket();
	uint8_t junk[28] = { 0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42, [20] = 0, 6, 0, 4, 'a', ':', 'b', 'c' };

	world_open(&w);
	for (unsigned i = 0; i < 100; i++) {
		raw_send(&w, guesser, junk, sizeof(junk));
	}
	mcu_port_turn(w.port, 1000000);
	g_assert_cmpuint(world_counter(&w, "stun.limited"), ==, 90);
	raw_check(&w, phone, NULL, true, 1);
	mcu_port_turn(w.port, 1000000);
	g_assert_cmpuint(world_counter(&w, "stun.valid"), ==, 1);
	close(guesser);
	close(phone);
	world_close(&w);
}

/* A check that was overheard is worth nothing from elsewhere; from where it came it is a retransmission. */
static void a_replayed_check_moves_nothing(void)
{
	struct world w = { .peer_conf = { .address = "" } };
	int phone = raw_socket(), thief = raw_socket();
	uint8_t check[512], buf[600];

	world_open(&w);
	size_t n = raw_check_make(&w, check, NULL, true, 1);
	raw_send(&w, phone, check, n);
	mcu_port_turn(w.port, 1000000);
	raw_send(&w, thief, check, n);
	raw_send(&w, phone, check, n);
	mcu_port_turn(w.port, 1000000);
	g_assert_cmpuint(world_counter(&w, "stun.replayed"), ==, 1);
	g_assert_cmpuint(world_counter(&w, "stun.valid"), ==, 2);
	g_assert_cmpuint(world_counter(&w, "pairs.open"), ==, 1);
	g_assert_cmpuint(raw_recv(thief, buf, sizeof(buf)), ==, 0);
	close(phone);
	close(thief);
	world_close(&w);
}

static void nothing_is_amplified(void)
{
	struct world w = { .peer_conf = { .address = "" } };
	int fd = raw_socket();
	uint8_t buf[1500];

	world_open(&w);
	for (unsigned first = 0; first < 256; first++) {
		for (unsigned len = 1; len < 1500; len += 97) {
			memset(buf, (int)(len * 31), len);
			buf[0] = (uint8_t)first;
			raw_send(&w, fd, buf, len);
		}
		world_spin(&w, 1);
	}
	world_until(&w, world_counter(&w, "udp.in") == 256 * 16);
	g_assert_cmpuint(world_counter(&w, "udp.out"), ==, 0);
	g_assert_cmpuint(world_counter(&w, "junk.in"), >, 0);
	close(fd);
	world_close(&w);
}

/* ClientHellos from strangers reach no OpenSSL; those of a validated pair are counted per second. */
static void hello_floods_cost_nothing(void)
{
	struct world w = { .peer_conf = { .dtls_client = true } };
	uint8_t hello[100] = { 22, 0xfe, 0xff, [11] = 0, [12] = 87, [13] = 1 };
	int fd = raw_socket();

	world_open(&w);
	for (unsigned i = 0; i < 500; i++) {
		raw_send(&w, fd, hello, sizeof(hello));
	}
	world_until(&w, world_counter(&w, "dtls.foreign") == 500);
	world_up(&w);
	raw_check(&w, fd, NULL, false, 1);
	world_until(&w, world_counter(&w, "pairs.open") == 2);
	for (unsigned i = 0; i < 500; i++) {
		raw_send(&w, fd, hello, sizeof(hello));
	}
	world_until(&w, world_counter(&w, "dtls.in") >= 1000);
	g_assert_cmpuint(world_counter(&w, "dtls.limited"), >, 400);
	g_assert_true(world_state(&w, "up"));
	close(fd);
	world_close(&w);
}

static void junk_handshake_does_not_end_the_leg(void)
{
	struct world w = { .peer_conf = { .dtls_client = true } };
	uint8_t junk[200] = { 22, 0xfe, 0xfd, [11] = 0, [12] = 187, [13] = 2 };
	int fd = raw_socket();

	world_open(&w);
	world_answer(&w);
	raw_check(&w, fd, NULL, false, 1);
	world_until(&w, world_state(&w, "dtls"));
	for (unsigned i = 0; i < 3; i++) {
		junk[10] = (uint8_t)i;
		raw_send(&w, fd, junk, sizeof(junk));
		raw_send(&w, fd, (const uint8_t[]){ 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0 }, 15);
		world_spin(&w, 2);
	}
	world_offer(&w);
	world_until(&w, mcu_transport_up(w.t) && net_peer_up(w.peer));
	close(fd);
	world_close(&w);
}

static void early_flights_are_bounded(void)
{
	struct world w = { .peer_conf = { .address = "" } };
	uint8_t hello[100] = { 22, 0xfe, 0xff, [11] = 0, [12] = 87, [13] = 3 };
	int fd = raw_socket();

	world_open(&w);
	raw_check(&w, fd, NULL, true, 1);
	world_until(&w, world_state(&w, "ice"));
	for (unsigned i = 0; i < 100; i++) {
		raw_send(&w, fd, hello, sizeof(hello));
	}
	world_until(&w, world_counter(&w, "dtls.in") == 100);
	g_assert_cmpuint(world_counter(&w, "dtls.early_dropped"), ==, 100 - NET_EARLY);
	close(fd);
	world_close(&w);
}

static void ssrcs_are_bounded(void)
{
	struct world w = { .conf = { .ssrc_per_transport = 8 }, .peer_conf = { .dtls_client = true } };
	uint8_t buf[100];

	world_open(&w);
	world_up(&w);
	for (unsigned i = 0; i < 1000; i++) {
		net_peer_send_rtp(w.peer, buf, rtp_packet(buf, 1, i, 20));
		if (i % 50 == 0) {
			world_turn(&w);
		}
	}
	world_until(&w, world_counter(&w, "rtp.in") == 1000);
	g_assert_cmpuint(w.kept->len, ==, 8);
	net_peer_send_rtp(w.peer, buf, rtp_packet(buf, 2, 3, 20));
	world_until(&w, w.kept->len == 9);
	world_close(&w);
}

static void packet_pool_is_bounded(void)
{
	struct world w = { .conf = { .max_packets = 16 }, .peer_conf = { .dtls_client = true } };
	uint8_t buf[100];

	world_open(&w);
	world_up(&w);
	for (uint16_t i = 0; i < 40; i++) {
		net_peer_send_rtp(w.peer, buf, rtp_packet(buf, i, 1, 20));
	}
	world_until(&w, world_counter(&w, "rtp.no_slot") == 24);
	g_ptr_array_set_size(w.kept, 0);
	net_peer_send_rtp(w.peer, buf, rtp_packet(buf, 40, 1, 20));
	world_until(&w, w.kept->len == 1);
	world_close(&w);
}

static void long_datagrams_are_dropped(void)
{
	struct world w = { .peer_conf = { .address = "" } };
	int fd = raw_socket();
	static uint8_t buf[9000];

	world_open(&w);
	raw_send(&w, fd, buf, 1501);
	raw_send(&w, fd, buf, 1601);
	raw_send(&w, fd, buf, 9000);
	world_until(&w, world_counter(&w, "udp.long") == 3);
	g_assert_cmpuint(world_counter(&w, "stun.in"), ==, 0);
	close(fd);
	world_close(&w);
}

static void transports_are_bounded(void)
{
	struct world w = { .conf = { .max_transports = 3 }, .peer_conf = { .address = "" } };
	g_autoptr(GError) err = NULL;
	mcu_transport *t;

	world_open(&w);
	g_assert_nonnull(mcu_transport_open(w.port, &w, NULL));
	t = mcu_transport_open(w.port, &w, NULL);
	g_assert_null(mcu_transport_open(w.port, &w, &err));
	g_assert_nonnull(err);
	mcu_transport_close(t);
	g_assert_nonnull(mcu_transport_open(w.port, &w, NULL));
	world_close(&w);
}

static int tcp_socket(const struct world *w)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(mcu_port_number(w->port)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_true(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	return fd;
}

/* Frames too long, never a check, a thousand connections, frames octet by octet: limits hold and are counted. */
static void tcp_strangers_are_bounded(void)
{
	struct world w = { .conf = { .tcp = true }, .peer_conf = { .address = "" } };
	int fds[NET_TCP_IDLE + 20];

	world_open(&w);
	fds[0] = tcp_socket(&w);
	g_assert_cmpint(send(fds[0], "\xff\xff", 2, 0), ==, 2);
	world_until(&w, world_counter(&w, "tcp.bad") == 1);
	close(fds[0]);
	for (unsigned i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = tcp_socket(&w);
		world_turn(&w);
	}
	world_until(&w, world_counter(&w, "tcp.refused") == 20);
	for (unsigned i = 0; i < 10; i++) {
		g_assert_cmpint(send(fds[0], i == 1 ? "\x04" : "\0", 1, 0), ==, 1);
		world_turn(&w);
	}
	g_assert_cmpint(mcu_port_deadline(w.port), <, ORT_NEVER);
	w.skew_us += 6 * ORT_US_PER_S;
	world_until(&w, world_counter(&w, "tcp.bad") == 1 + NET_TCP_IDLE);
	g_assert_cmpint(w.port->n_tcp_idle, ==, 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(fds); i++) {
		close(fds[i]);
	}
	world_close(&w);
}

static void folded_addresses_are_one(void)
{
	union mcu_addr a = { 0 }, b = { 0 };

	g_assert_true(net_addr_parse("::ffff:192.0.2.1", 5, &a) && net_addr_parse("192.0.2.1", 5, &b));
	g_assert_cmpint(a.sa.sa_family, ==, AF_INET);
	g_assert_true(net_addr_equal(&a, &b, true));
	g_assert_true(net_addr_parse("192.0.2.1", 6, &b) && !net_addr_equal(&a, &b, true));
	g_assert_false(net_addr_parse("192.0.2", 5, &a));
	g_assert_false(net_addr_parse("fe80::1%eth0", 5, &a));
}

static void pair_table_survives_churn(void)
{
	struct net_table t = { .seed = 7 };
	struct net_pair *pairs = g_new0(struct net_pair, 3000);

	for (unsigned i = 0; i < 3000; i++) {
		pairs[i].key.port = (uint16_t)i;
		pairs[i].key.remote[15] = (uint8_t)(i / 700);
		net_table_add(&t, &pairs[i]);
	}
	for (unsigned i = 0; i < 3000; i += 3) {
		net_table_remove(&t, &pairs[i]);
	}
	for (unsigned i = 0; i < 3000; i++) {
		g_assert_true(net_table_find(&t, &pairs[i].key) == (i % 3 ? &pairs[i] : NULL));
	}
	g_assert_cmpuint(t.n, ==, 2000);
	g_free(t.slots);
	g_free(pairs);
}

static const struct { const char *name; void (*run)(void); } cases[] = {
	{ "bad-parameters-are-refused", bad_parameters_are_refused },
	{ "foreign-address-is-ignored", foreign_address_is_ignored },
	{ "unsealed-media-is-counted", unsealed_media_is_counted },
	{ "stun-guessing-is-limited", stun_guessing_is_limited },
	{ "right-checks-are-not-limited", right_checks_are_not_limited },
	{ "one-guesser-keeps-no-neighbour-out", one_guesser_keeps_no_neighbour_out },
	{ "a-replayed-check-moves-nothing", a_replayed_check_moves_nothing },
	{ "nothing-is-amplified", nothing_is_amplified },
	{ "hello-floods-cost-nothing", hello_floods_cost_nothing },
	{ "junk-handshake-does-not-end-the-leg", junk_handshake_does_not_end_the_leg },
	{ "early-flights-are-bounded", early_flights_are_bounded },
	{ "ssrcs-are-bounded", ssrcs_are_bounded },
	{ "packet-pool-is-bounded", packet_pool_is_bounded },
	{ "long-datagrams-are-dropped", long_datagrams_are_dropped },
	{ "transports-are-bounded", transports_are_bounded },
	{ "tcp-strangers-are-bounded", tcp_strangers_are_bounded },
	{ "folded-addresses-are-one", folded_addresses_are_one },
	{ "pair-table-survives-churn", pair_table_survives_churn },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/net/wrong-fingerprint/of-a-client", GINT_TO_POINTER(true), wrong_fingerprint);
	g_test_add_data_func("/net/wrong-fingerprint/of-a-server", GINT_TO_POINTER(false), wrong_fingerprint);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/net/%s", cases[i].name);

		g_test_add_func(path, cases[i].run);
	}
	return g_test_run();
}
