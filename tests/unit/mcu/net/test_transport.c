/* A port against libnice + OpenSSL + libsrtp on loopback: every way to come up, media both ways, moves, loss of consent. */
#include <string.h>
#include <unistd.h>

#include "mcu/net/net_priv.h"
#include "tests/unit/mcu/net/world.h"

static const char *const v4[] = { "127.0.0.1", NULL };
static const char *const v6[] = { "::1", NULL };
static const char *const any[] = { "0.0.0.0", "::", NULL };

static const struct row {
	const char *name;
	const char *const *listen;
	struct net_peer_conf peer;
	bool late_answer;	/* we connect() only after the peer has sent its hello */
	const char *suite;
} rows[] = {
	{ "we-are-server", v4, { .dtls_client = true }, false, "SRTP_AEAD_AES_128_GCM" },
	{ "we-are-client", v4, { .dtls_client = false }, false, "SRTP_AES128_CM_SHA1_80" },
	{ "we-are-client-gcm", v4, { .srtp = "SRTP_AEAD_AES_128_GCM" }, false, "SRTP_AEAD_AES_128_GCM" },
	{ "peer-has-cm80-only", v4, { .dtls_client = true, .srtp = "SRTP_AES128_CM_SHA1_80" }, false,
	  "SRTP_AES128_CM_SHA1_80" },
	{ "tcp", v4, { .dtls_client = true, .tcp = true }, false, "SRTP_AEAD_AES_128_GCM" },
	{ "tcp-we-are-client", v4, { .tcp = true, .srtp = "SRTP_AEAD_AES_128_GCM" }, false, "SRTP_AEAD_AES_128_GCM" },
	{ "ipv6", v6, { .dtls_client = true, .address = "::1" }, false, "SRTP_AEAD_AES_128_GCM" },
	{ "ipv6-tcp", v6, { .dtls_client = true, .address = "::1", .tcp = true }, false, "SRTP_AEAD_AES_128_GCM" },
	{ "wildcards", any, { .dtls_client = true }, false, "SRTP_AEAD_AES_128_GCM" },
	{ "hello-in-fragments", v4, { .dtls_client = true, .mtu = 256 }, false, "SRTP_AEAD_AES_128_GCM" },
	{ "hello-before-connect", v4, { .dtls_client = true }, true, "SRTP_AEAD_AES_128_GCM" },
	{ "hello-in-fragments-before-connect", v4, { .dtls_client = true, .mtu = 256 }, true, "SRTP_AEAD_AES_128_GCM" },
	{ "first-flight-lost", v4, { .dtls_client = true, .lose_dtls = 1 }, false, "SRTP_AEAD_AES_128_GCM" },
	{ "two-flights-lost", v4, { .dtls_client = true, .lose_dtls = 2 }, false, "SRTP_AEAD_AES_128_GCM" },
	{ "flight-lost-we-are-client", v4, { .lose_dtls = 2 }, false, "SRTP_AES128_CM_SHA1_80" },
	{ "aggressive-nomination", v4, { .dtls_client = true, .aggressive = true }, false, "SRTP_AEAD_AES_128_GCM" },
	{ "consent-checks", v4, { .dtls_client = true, .consent = true }, false, "SRTP_AEAD_AES_128_GCM" },
};

static void media_to_us(struct world *w, unsigned n)
{
	uint8_t buf[1500];

	for (unsigned i = 0; i < n; i++) {
		net_peer_send_rtp(w->peer, buf, rtp_packet(buf, (uint16_t)(65500 + i), 0xabcd, 10 + i * 5));
		world_turn(w);
	}
	world_until(w, w->kept->len == n);
	for (unsigned i = 0; i < n; i++) {
		const struct mcu_packet *p = w->kept->pdata[i];
		unsigned len = rtp_packet(buf, (uint16_t)(65500 + i), 0xabcd, 10 + i * 5);

		g_assert_cmpmem(p->data, p->len, buf, len);
		g_assert_cmpuint(p->rtp.seq, ==, (uint16_t)(65500 + i));
		g_assert_cmpuint(p->rtp.payload_len, ==, 10 + i * 5);
	}
}

static void send_one(struct world *w, uint16_t seq, uint32_t ssrc, unsigned payload_len)
{
	uint8_t buf[1500];

	rtp_packet(buf, seq, ssrc, payload_len);
	mcu_transport_send_rtp(w->t, buf, 12, buf + 12, payload_len);
}

static void peer_has(struct world *w, unsigned i, uint16_t seq, uint32_t ssrc, unsigned payload_len)
{
	gsize len;
	const uint8_t *data = g_bytes_get_data(w->peer_got->pdata[i], &len);
	uint8_t want[1500];
	unsigned n = rtp_packet(want, seq, ssrc, payload_len);

	g_assert_cmpuint(len, >=, n);
	if (len > n) {	/* padded: P bit, and the last octet counts */
		g_assert_cmpuint(data[0], ==, 0xa0);
		g_assert_cmpuint(data[len - 1], ==, len - n);
		want[0] = 0xa0;
	}
	g_assert_cmpmem(data, n, want, n);
}

static void media_from_us(struct world *w, unsigned n, unsigned burst)
{
	for (unsigned i = 0; i < n; i++) {
		send_one(w, (uint16_t)(65500 + i), 0x1234, 1200 - i % 3);
		if (i % burst == burst - 1 || i + 1 == n) {	/* the peer's socket buffer is small */
			mcu_port_flush(w->port);
			world_until(w, w->peer_got->len == i + 1);
		}
	}
	for (unsigned i = 0; i < n; i++) {
		peer_has(w, i, (uint16_t)(65500 + i), 0x1234, 1200 - i % 3);
	}
}

static void control_both_ways(struct world *w)
{
	static const uint8_t rr[8] = { 0x80, 201, 0, 1, 0, 0, 0, 7 };

	net_peer_send_rtcp(w->peer, rr, sizeof(rr));
	mcu_transport_send_rtcp(w->t, rr, sizeof(rr));
	mcu_port_flush(w->port);
	world_until(w, w->n_rtcp == 1 && w->n_peer_rtcp == 1);
}

static bool have_v6(void)
{
	struct mcu_port_conf conf = { .listen = v6 };
	static const struct mcu_port_ops none;
	mcu_port *port = mcu_port_new(&conf, &none, NULL, NULL);

	mcu_port_free(port);
	return port != NULL;
}

static void comes_up(gconstpointer data)
{
	const struct row *row = data;
	struct world w = { .conf = { .listen = row->listen, .tcp = row->peer.tcp }, .peer_conf = row->peer };
	g_autofree char *dump = NULL;

	if (row->listen != v4 && !have_v6()) {
		g_test_skip("no IPv6");
		return;
	}
	world_open(&w);
	world_offer(&w);
	if (row->late_answer) {
		world_until(&w, world_counter(&w, "dtls.in") >= 1);
		g_assert_true(world_state(&w, "ice"));
	}
	world_answer(&w);
	world_until(&w, mcu_transport_up(w.t) && net_peer_up(w.peer));
	g_assert_cmpstr(w.states->str, ==, "ice dtls up");
	g_assert_cmpstr(net_peer_suite(w.peer), ==, row->suite);
	dump = mcu_transport_dump(w.t);
	g_assert_nonnull(strstr(dump, row->suite));
	media_to_us(&w, 120);
	media_from_us(&w, 400, 40);
	control_both_ways(&w);
	g_assert_cmpuint(net_peer_bad(w.peer), ==, 0);
	g_assert_cmpuint(world_counter(&w, "rtp.bad"), ==, 0);
	mcu_transport_close(w.t);
	world_until(&w, net_peer_gone(w.peer));
	world_close(&w);
}

/* One run of equal sizes is one send; the shorter last rides along; a few octets are made up for by padding. */
static void runs_arrive_whole(void)
{
	static const unsigned sizes[] = { 1100, 1100, 1099, 1092, 1100, 400, 1100, 1101, 1101 };
	struct world w = { .peer_conf = { .dtls_client = true, .srtp = "SRTP_AEAD_AES_128_GCM" } };
	uint64_t before;

	world_open(&w);
	world_up(&w);
	before = world_counter(&w, "udp.runs");
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		send_one(&w, (uint16_t)i, 1, sizes[i]);
	}
	mcu_port_flush(w.port);
	world_until(&w, w.peer_got->len == G_N_ELEMENTS(sizes));
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		peer_has(&w, i, (uint16_t)i, 1, sizes[i]);
	}
	g_assert_cmpuint(world_counter(&w, "udp.runs") - before, ==, 3);	/* ..400 | 1100 | 1101 1101 */
	g_assert_cmpuint(world_counter(&w, "udp.padded"), ==, 2);
	world_close(&w);
}

/* Short packets first, as encoders do: the first receiver's run breaks, the later ones' (here: the same sizes again) do
 * not; the next batch begins anew. */
static void frames_are_equalised(void)
{
	static const unsigned sizes[] = { 1099, 1099, 1100, 1099, 1101, 1100, 300 }, n = G_N_ELEMENTS(sizes);
	static const unsigned runs[] = { 3, 1, 1 };
	struct world w = { .peer_conf = { .dtls_client = true } };

	world_open(&w);
	world_up(&w);
	for (unsigned k = 0; k < G_N_ELEMENTS(runs); k++) {
		uint64_t before = world_counter(&w, "udp.runs");

		for (unsigned i = 0; i < n; i++) {
			send_one(&w, (uint16_t)(k * n + i), 1, sizes[i]);
		}
		mcu_port_flush(w.port);
		g_assert_cmpuint(world_counter(&w, "udp.runs") - before, ==, runs[k]);
	}
	world_until(&w, w.peer_got->len == n * G_N_ELEMENTS(runs));
	for (unsigned i = 0; i < w.peer_got->len; i++) {
		peer_has(&w, i, (uint16_t)i, 1, sizes[i % n]);
	}
	g_assert_cmpuint(w.port->out.n_learnt, >, 0);
	net_port_batch_end(w.port);
	g_assert_cmpuint(w.port->out.n_learnt, ==, 0);
	world_close(&w);
}

static void single_sends_where_gso_fails(void)
{
	struct world w = { .peer_conf = { .dtls_client = true } };

	world_open(&w);
	world_up(&w);
	w.t->selected->no_gso = true;
	media_from_us(&w, 300, 40);
	g_assert_cmpuint(world_counter(&w, "udp.runs"), >=, 300);
	world_close(&w);
}

/* A kernel that refuses a run (here: segments longer than the route takes) gets its packets one by one, once and for all. */
static void refused_run_goes_singly(void)
{
	struct world w = { .peer_conf = { .dtls_client = true } };
	struct net_run run = { 0 };

	world_open(&w);
	world_up(&w);
	run = (struct net_run){ .path = w.t->selected->path, .pair = w.t->selected, .len = 70 * 10, .segment = 10,
				.n = 70 };	/* above UDP_MAX_SEGMENTS of older kernels, and far above 128 B */
	run.n = 200;
	run.len = 200 * 10;
	memset(w.port->out.area, 0xff, run.len);
	net_udp_flush(w.port, &run, 1);
	g_assert_cmpuint(world_counter(&w, "udp.no_gso"), ==, 1);
	g_assert_true(w.t->selected->no_gso);
	media_from_us(&w, 20, 20);
	world_close(&w);
}

static void more_than_the_area(void)
{
	struct world w = { .peer_conf = { .dtls_client = true } };

	world_open(&w);
	world_up(&w);
	for (unsigned i = 0; i < 1500; i++) {	/* more than the peer's socket holds: what comes must be whole */
		send_one(&w, (uint16_t)i, 1, 1000 + i % 200);
	}
	mcu_port_flush(w.port);
	world_until(&w, w.peer_got->len > 50);
	g_assert_cmpuint(net_peer_bad(w.peer), ==, 0);
	g_assert_cmpuint(world_counter(&w, "udp.out"), >=, 1500);
	g_assert_cmpuint(world_counter(&w, "udp.full") + world_counter(&w, "udp.error"), ==, 0);
	world_close(&w);
}

static void not_up_sends_nothing(void)
{
	struct world w = { .peer_conf = { .address = "" } };

	world_open(&w);
	send_one(&w, 1, 1, 100);
	mcu_transport_send_rtcp(w.t, (const uint8_t[8]){ 0x80, 201, 0, 1 }, 8);
	mcu_port_flush(w.port);
	g_assert_cmpuint(world_counter(&w, "rtp.not_up"), ==, 2);
	g_assert_cmpuint(world_counter(&w, "udp.out"), ==, 0);
	world_close(&w);
}

/* The peer's new address proves itself with a nominating check: from then on media goes there. */
static void peer_moves(void)
{
	struct world w = { .peer_conf = { .dtls_client = true } };
	int fd = raw_socket();
	uint8_t buf[2000];
	size_t n = 0;

	world_open(&w);
	world_up(&w);
	raw_check(&w, fd, NULL, true, UINT32_MAX);
	world_until(&w, (n = raw_recv(fd, buf, sizeof(buf))) > 0);
	g_assert_cmpuint(buf[0], ==, 1);	/* binding success */
	send_one(&w, 1, 1, 500);
	mcu_port_flush(w.port);
	world_until(&w, (n = raw_recv(fd, buf, sizeof(buf))) > 0);
	g_assert_cmpuint(n, ==, 12 + 500 + mcu_srtp_overhead(w.t->out));
	g_assert_cmpuint(w.peer_got->len, ==, 0);
	g_assert_cmpuint(world_counter(&w, "ice.switch"), >=, 1);
	g_assert_true(world_state(&w, "up"));
	close(fd);
	world_close(&w);
}

/* A check without USE-CANDIDATE moves nothing while the pair in use is alive. */
static void unnominated_check_moves_nothing(void)
{
	struct world w = { .peer_conf = { .dtls_client = true } };
	int fd = raw_socket();
	uint8_t buf[2000];

	world_open(&w);
	world_up(&w);
	raw_check(&w, fd, NULL, false, UINT32_MAX);
	world_until(&w, raw_recv(fd, buf, sizeof(buf)) > 0);
	media_from_us(&w, 5, 5);
	close(fd);
	world_close(&w);
}

static void ice_restart_keeps_media(void)
{
	struct world w = { .peer_conf = { .dtls_client = true } };

	world_open(&w);
	world_up(&w);
	media_from_us(&w, 5, 5);
	g_assert_cmpint(mcu_transport_restart_ice(w.t), ==, 0);
	g_assert_true(w.t->old.live);
	for (uint16_t i = 0; i < 5; i++) {	/* the old pair serves */
		send_one(&w, i, 77, 100);
	}
	mcu_port_flush(w.port);
	world_until(&w, w.peer_got->len == 10);
	net_peer_restart(w.peer);
	world_offer(&w);
	world_answer(&w);
	world_until(&w, net_peer_ice_ready(w.peer) && !w.t->old.live);
	for (uint16_t i = 5; i < 10; i++) {
		send_one(&w, i, 77, 100);
	}
	mcu_port_flush(w.port);
	world_until(&w, w.peer_got->len == 15);
	g_assert_cmpstr(w.states->str, ==, "ice dtls up");
	world_close(&w);
}

/* Silence: disconnected after 6.5 s, nothing sent after 30 s; a new valid check brings it back, the keys still hold. */
static void silence_ends_sending(void)
{
	struct world w = { .peer_conf = { .dtls_client = true } };
	int fd = raw_socket();
	uint8_t buf[2000];

	world_open(&w);
	world_up(&w);
	w.skew_us += 7 * ORT_US_PER_S;
	world_until(&w, world_state(&w, "disconnected"));
	media_from_us(&w, 3, 3);
	w.skew_us += 24 * ORT_US_PER_S;
	world_until(&w, world_state(&w, "failed"));
	g_assert_cmpstr(w.why, ==, "consent");
	send_one(&w, 100, 1, 100);
	g_assert_cmpuint(world_counter(&w, "rtp.not_up"), ==, 1);
	raw_check(&w, fd, NULL, true, 1);
	world_until(&w, world_state(&w, "up"));
	send_one(&w, 101, 1, 100);
	mcu_port_flush(w.port);
	world_until(&w, raw_recv(fd, buf, sizeof(buf)) > 100);
	g_assert_cmpstr(w.states->str, ==, "ice dtls up disconnected failed up");
	close(fd);
	world_close(&w);
}

static void authentic_media_is_a_sign_of_life(void)
{
	struct world w = { .peer_conf = { .dtls_client = true } };
	uint8_t buf[100];

	world_open(&w);
	world_up(&w);
	for (uint16_t i = 0; i < 10; i++) {
		w.skew_us += 5 * ORT_US_PER_S;
		net_peer_send_rtp(w.peer, buf, rtp_packet(buf, i, 9, 20));
		world_until(&w, w.kept->len == i + 1u);
	}
	g_assert_cmpstr(w.states->str, ==, "ice dtls up");
	world_close(&w);
}

static void handshake_state_is_given_back(void)
{
	struct world w = { .peer_conf = { .dtls_client = true } };

	world_open(&w);
	world_up(&w);
	g_assert_nonnull(w.t->dtls);
	w.skew_us += 61 * ORT_US_PER_S;
	world_until(&w, w.t->dtls == NULL);
	g_assert_false(net_peer_gone(w.peer));
	world_close(&w);
}

static void nobody_comes(void)
{
	struct world w = { 0 };

	world_open(&w);
	world_answer(&w);
	g_assert_true(world_state(&w, "ice"));
	g_assert_cmpint(mcu_port_deadline(w.port), <, ORT_NEVER);
	w.skew_us += 31 * ORT_US_PER_S;
	world_until(&w, world_state(&w, "failed"));
	g_assert_cmpstr(w.why, ==, "ice-timeout");
	world_close(&w);
}

static void no_handshake_comes(void)
{
	struct world w = { .peer_conf = { .dtls_client = true, .lose_dtls = 1000 } };

	world_open(&w);
	world_offer(&w);
	world_answer(&w);
	world_until(&w, world_state(&w, "dtls"));
	w.skew_us += 11 * ORT_US_PER_S;
	world_until(&w, world_state(&w, "failed"));
	g_assert_cmpstr(w.why, ==, "dtls-timeout");
	world_close(&w);
}

static void peer_says_goodbye_is_told(void)
{
	struct world w = { .peer_conf = { .dtls_client = true } };
	struct world other = { .peer_conf = { .address = "" } };

	world_open(&w);
	world_open(&other);
	world_up(&w);
	mcu_transport_close(w.t);	/* and closing twice or nothing is harmless */
	mcu_transport_close(NULL);
	world_until(&w, net_peer_gone(w.peer));
	world_close(&w);
	world_close(&other);
}

static void closing_inside_a_callback(void)
{
	struct world w = { .peer_conf = { .dtls_client = true }, .close_on_rtp = true };
	uint8_t buf[100];

	world_open(&w);
	world_up(&w);
	for (uint16_t i = 0; i < 10; i++) {
		net_peer_send_rtp(w.peer, buf, rtp_packet(buf, i, 9, 20));
	}
	world_until(&w, w.t == NULL);
	world_spin(&w, 5);
	g_assert_cmpuint(w.kept->len, ==, 1);
	g_assert_cmpuint(world_counter(&w, "transports.open"), ==, 0);
	g_assert_cmpuint(world_counter(&w, "pairs.open"), ==, 0);
	world_close(&w);
}

/* RFC 8445 5.1.2.1: UDP before TCP, distinct priorities and foundations, our port on each. */
static void candidates_are_in_order(void)
{
	static const char *const listen[] = { "127.0.0.1", "127.0.0.2", NULL };
	static const char *const announce[] = { "203.0.113.7", "2001:db8::7", NULL };
	struct world w = { .conf = { .listen = listen, .announce = announce, .tcp = true }, .peer_conf = { .address = "" } };
	struct mcu_candidate c[8];

	world_open(&w);
	g_assert_cmpuint(mcu_transport_candidates(w.t, c, 8), ==, 4);
	g_assert_cmpuint(mcu_transport_candidates(w.t, c, 3), ==, 3);
	g_assert_cmpuint(mcu_transport_candidates(w.t, c, 8), ==, 4);
	g_assert_cmpstr(c[0].ip, ==, "203.0.113.7");
	g_assert_cmpstr(c[1].ip, ==, "2001:db8::7");
	g_assert_cmpstr(c[2].tcptype, ==, "passive");
	for (unsigned i = 0; i < 4; i++) {
		g_assert_cmpuint(c[i].port, ==, mcu_port_number(w.port));
		g_assert_true(i == 0 || c[i].priority < c[i - 1].priority);
		g_assert_true(i == 0 || !g_str_equal(c[i].foundation, c[i - 1].foundation));
	}
	world_close(&w);
}

/* A TCP peer that does not read: its queue is bounded, it is called congested, and it recovers. */
static void slow_tcp_peer_is_bounded(void)
{
	struct world w = { .conf = { .tcp = true, .tcp_queue = 100000 }, .peer_conf = { .dtls_client = true, .tcp = true } };
	unsigned got;
	uint16_t seq = 0;

	world_open(&w);
	world_up(&w);
	while (!mcu_transport_congested(w.t)) {
		send_one(&w, seq++, 5, 1200);
		mcu_port_flush(w.port);
	}
	g_assert_cmpuint(world_counter(&w, "tcp.dropped"), >=, 1);
	world_until(&w, !mcu_transport_congested(w.t));
	got = w.peer_got->len;
	g_assert_cmpuint(got, >, 50);
	send_one(&w, seq++, 5, 1200);
	mcu_port_flush(w.port);
	world_until(&w, w.peer_got->len > got);
	g_assert_cmpuint(net_peer_bad(w.peer), ==, 0);
	world_close(&w);
}

static const struct { const char *name; void (*run)(void); } cases[] = {
	{ "runs-arrive-whole", runs_arrive_whole },
	{ "frames-are-equalised", frames_are_equalised },
	{ "single-sends-where-gso-fails", single_sends_where_gso_fails },
	{ "refused-run-goes-singly", refused_run_goes_singly },
	{ "more-than-the-area", more_than_the_area },
	{ "not-up-sends-nothing", not_up_sends_nothing },
	{ "peer-moves", peer_moves },
	{ "unnominated-check-moves-nothing", unnominated_check_moves_nothing },
	{ "ice-restart-keeps-media", ice_restart_keeps_media },
	{ "silence-ends-sending", silence_ends_sending },
	{ "authentic-media-is-a-sign-of-life", authentic_media_is_a_sign_of_life },
	{ "handshake-state-is-given-back", handshake_state_is_given_back },
	{ "nobody-comes", nobody_comes },
	{ "no-handshake-comes", no_handshake_comes },
	{ "goodbye-is-said-once", peer_says_goodbye_is_told },
	{ "closing-inside-a-callback", closing_inside_a_callback },
	{ "candidates-are-in-order", candidates_are_in_order },
	{ "slow-tcp-peer-is-bounded", slow_tcp_peer_is_bounded },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/net/up/%s", rows[i].name);

		g_test_add_data_func(path, &rows[i], comes_up);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/net/%s", cases[i].name);

		g_test_add_func(path, cases[i].run);
	}
	return g_test_run();
}
