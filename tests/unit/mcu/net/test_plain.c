/* Plain transports over real sockets: who is heard, silence, ports. The peer is a pair of bare sockets. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/base/json.h"
#include "mcu/net/net_priv.h"
#include "tests/unit/mcu/net/world.h"

enum { SSRC = 0x1234 };

static void say(struct world *w, int fd, uint16_t seq)
{
	uint8_t buf[200];

	raw_send_to(fd, world_rtp_port(w), buf, rtp_packet(buf, seq, SSRC, 50));
}

static int socket_at(const char *ip)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	g_assert_cmpint(inet_pton(AF_INET, ip, &a.sin_addr), ==, 1);
	g_assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	return fd;
}

static void connect_to(struct world *w, int rtp, int rtcp)
{
	struct mcu_plain_peer peer = { .ip = "127.0.0.1", .port = raw_port(rtp), .rtcp_port = rtcp >= 0 ? raw_port(rtcp) : 0 };
	g_autoptr(GError) err = NULL;

	g_assert_cmpint(mcu_transport_connect_plain(w->t, &peer, &err), ==, 0);
	g_assert_no_error(err);
}

static void both_ways_with_rtcp_apart(void)
{
	static const uint8_t rr[8] = { 0x80, 201, 0, 1, 0, 0, 0, 1 };
	struct world w = { 0 };
	int rtp = raw_socket(), rtcp = raw_socket();
	uint8_t buf[100], got[200];

	world_open_plain(&w, MCU_PLAIN_NONE, false);
	g_assert_cmpuint(world_rtp_port(&w) % 2, ==, 0);
	g_assert_cmpuint(mcu_transport_rtcp_port(w.t), ==, world_rtp_port(&w) + 1);
	g_assert_true(world_state(&w, "new"));
	connect_to(&w, rtp, rtcp);
	g_assert_true(world_state(&w, "up"));
	say(&w, rtp, 1);
	raw_send_to(rtcp, mcu_transport_rtcp_port(w.t), rr, sizeof(rr));
	world_until(&w, w.kept->len == 1 && w.n_rtcp == 1);
	rtp_packet(buf, 9, 77, 30);
	mcu_transport_send_rtp(w.t, buf, 12, buf + 12, 30);
	mcu_transport_send_rtcp(w.t, rr, sizeof(rr));
	mcu_port_flush(w.port);
	g_assert_cmpuint(raw_recv(rtp, got, sizeof(got)), ==, 42);
	g_assert_cmpmem(got, 42, buf, 42);
	g_assert_cmpuint(raw_recv(rtcp, got, sizeof(got)), ==, 8);
	close(rtp);
	close(rtcp);
	world_close(&w);
}

/* Class 1: nothing passes from another address, and the call goes on (class 6). */
static void foreign_addresses_are_not_heard(void)
{
	struct world w = { 0 };
	int rtp = raw_socket(), foreign = socket_at("127.0.0.2");

	world_open_plain(&w, MCU_PLAIN_NONE, true);
	say(&w, foreign, 1);	/* before anything was signalled */
	world_until(&w, world_counter(&w, "rtp.foreign") == 1);
	connect_to(&w, rtp, -1);
	for (uint16_t i = 0; i < 500; i++) {
		say(&w, foreign, i);
		if (i % 16 == 0) {
			world_turn(&w);
		}
	}
	world_until(&w, world_counter(&w, "rtp.foreign") == 501);
	g_assert_cmpuint(w.kept->len, ==, 0);
	say(&w, rtp, 1000);
	world_until(&w, w.kept->len == 1);
	g_assert_true(world_state(&w, "up"));
	close(rtp);
	close(foreign);
	world_close(&w);
}

/* A symmetric NAT: another port of the same address, once, early. */
static void another_port_is_latched_once(void)
{
	struct world w = { 0 };
	int told = raw_socket(), real = raw_socket(), thief = raw_socket();
	uint8_t buf[60], got[100];

	world_open_plain(&w, MCU_PLAIN_NONE, true);
	connect_to(&w, told, -1);
	say(&w, real, 1);
	world_until(&w, w.kept->len == 1);
	say(&w, thief, 2);
	say(&w, told, 3);
	say(&w, real, 4);
	world_until(&w, w.kept->len == 2);
	g_assert_cmpuint(world_counter(&w, "plain.latched"), ==, 1);
	g_assert_cmpuint(world_counter(&w, "rtp.foreign"), ==, 2);
	rtp_packet(buf, 9, 77, 30);
	mcu_transport_send_rtp(w.t, buf, 12, buf + 12, 30);
	mcu_port_flush(w.port);
	g_assert_cmpuint(raw_recv(real, got, sizeof(got)), ==, 42);
	g_assert_cmpuint(raw_recv(told, got, sizeof(got)), ==, 0);
	connect_to(&w, told, -1);	/* a refresh changes nothing */
	say(&w, real, 5);
	world_until(&w, w.kept->len == 3);
	close(told);
	close(real);
	close(thief);
	world_close(&w);
}

static void after_half_a_second_no_port_is_latched(void)
{
	struct world w = { 0 };
	int told = raw_socket(), other = raw_socket();

	world_open_plain(&w, MCU_PLAIN_NONE, true);
	connect_to(&w, told, -1);
	w.skew_us = 501000;
	say(&w, other, 1);
	world_until(&w, world_counter(&w, "rtp.foreign") == 1);
	connect_to(&w, other, -1);	/* signalled anew */
	say(&w, other, 2);
	world_until(&w, w.kept->len == 1);
	say(&w, told, 3);
	world_until(&w, world_counter(&w, "rtp.foreign") == 2);
	close(told);
	close(other);
	world_close(&w);
}

static void once_heard_no_port_is_latched(void)
{
	struct world w = { 0 };
	int told = raw_socket(), other = raw_socket();

	world_open_plain(&w, MCU_PLAIN_NONE, true);
	connect_to(&w, told, -1);
	say(&w, told, 1);
	world_until(&w, w.kept->len == 1);
	say(&w, other, 2);
	world_until(&w, world_counter(&w, "rtp.foreign") == 1);
	close(told);
	close(other);
	world_close(&w);
}

static void replays_and_restarts(void)
{
	static const struct { uint16_t seq; bool heard; } rows[] = {
		{ 100, true }, { 101, true }, { 101, false }, { 99, true }, { 99, false }, { 65000, false }, { 65001, true },
		{ 65002, true }, { 3, true }, { 20000, true }, { 5, false }, { 6, true },
	};
	struct world w = { 0 };
	int rtp = raw_socket();
	unsigned want = 0;

	world_open_plain(&w, MCU_PLAIN_NONE, true);
	connect_to(&w, rtp, -1);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint64_t before = world_counter(&w, "rtp.in");

		say(&w, rtp, rows[i].seq);
		world_until(&w, world_counter(&w, "rtp.in") > before);
		want += rows[i].heard;
		g_assert_cmpuint(w.kept->len, ==, want);
	}
	close(rtp);
	world_close(&w);
}

/* Class 14; a peer that began anew is heard as soon as its old streams have been silent for 5 s. */
static void streams_are_bounded(void)
{
	struct world w = { 0 };
	int rtp = raw_socket();
	uint8_t buf[100];

	world_open_plain(&w, MCU_PLAIN_NONE, true);
	connect_to(&w, rtp, -1);
	for (unsigned i = 0; i < 200; i++) {
		raw_send_to(rtp, world_rtp_port(&w), buf, rtp_packet(buf, 1, i, 50));
		world_turn(&w);
	}
	world_until(&w, world_counter(&w, "rtp.ssrc_limit") == 192);
	g_assert_cmpuint(w.kept->len, ==, 8);
	w.skew_us = 6000000;
	raw_send_to(rtp, world_rtp_port(&w), buf, rtp_packet(buf, 1, 5000, 50));
	world_until(&w, w.kept->len == 9);
	close(rtp);
	world_close(&w);
}

static void silence_ends_what_hold_does_not(void)
{
	struct world w = { 0 };
	int rtp = raw_socket();
	struct mcu_plain_peer peer = { .ip = "127.0.0.1", .port = raw_port(rtp) };
	uint8_t buf[60], got[100];

	world_open_plain(&w, MCU_PLAIN_NONE, true);
	connect_to(&w, rtp, -1);
	say(&w, rtp, 1);
	world_until(&w, w.kept->len == 1);
	w.skew_us = 11000000;
	world_until(&w, world_state(&w, "disconnected"));
	w.skew_us = 31000000;
	world_until(&w, world_state(&w, "failed"));
	g_assert_cmpstr(w.why, ==, "silence");
	rtp_packet(buf, 9, 77, 30);
	mcu_transport_send_rtp(w.t, buf, 12, buf + 12, 30);
	mcu_port_flush(w.port);
	g_assert_cmpuint(raw_recv(rtp, got, sizeof(got)), ==, 0);
	say(&w, rtp, 2);
	world_until(&w, world_state(&w, "up"));
	peer.silent = true;
	g_assert_cmpint(mcu_transport_connect_plain(w.t, &peer, NULL), ==, 0);
	w.skew_us = 300000000;
	world_spin(&w, 5);
	g_assert_true(world_state(&w, "up"));
	close(rtp);
	world_close(&w);
}

/* ---- ports and marks ---- */
static void ports_come_from_the_range(void)
{
	int probe = raw_socket();
	uint16_t first = (uint16_t)((raw_port(probe) & 0xff00) | 0x80);	/* some place that tests do not share by plan */
	struct world w = { .conf = { .plain_first = first, .plain_last = (uint16_t)(first + 39), .dscp_video = 34 } };
	mcu_transport *more[30];
	unsigned n = 0;

	close(probe);
	world_open_plain(&w, MCU_PLAIN_NONE, false);
	for (unsigned i = 0; i < G_N_ELEMENTS(more); i++) {
		struct mcu_plain_conf conf = { 0 };
		struct mcu_candidate c;

		more[n] = mcu_transport_open_plain(w.port, &conf, &w, NULL);
		if (more[n] != NULL) {
			(void)mcu_transport_candidates(more[n++], &c, 1);
			g_assert_true(c.port >= first && c.port < first + 40 && c.port % 2 == 0);
		}
	}
	g_assert_cmpuint(n, <=, 19);
	g_assert_cmpuint(n, >, 0);
	mcu_transport_close(more[0]);
	more[0] = mcu_transport_open_plain(w.port, &(struct mcu_plain_conf){ 0 }, &w, NULL);
	g_assert_nonnull(more[0]);	/* what is closed is free again */
	world_close(&w);
}

/* What a zone announces need not be an address of this host (a NAT in front): then every address is listened on. */
static void zones_announce_their_address(void)
{
	static const char *const zones[] = { "far=192.0.2.77", "near=127.0.0.1", "broken", NULL };
	static const struct { const char *zone, *ip; } rows[] = {
		{ "far", "192.0.2.77" }, { "near", "127.0.0.1" }, { "unknown", "127.0.0.1" }, { NULL, "127.0.0.1" },
	};
	struct world w = { .conf = { .zones = zones } };
	int rtp = raw_socket();

	world_open_plain(&w, MCU_PLAIN_NONE, true);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct mcu_plain_conf conf = { .zone = rows[i].zone, .rtcp_mux = true };
		struct mcu_plain_peer peer = { .ip = "127.0.0.1", .port = raw_port(rtp) };
		struct mcu_candidate c;
		uint8_t buf[200], got[200];

		mcu_transport_close(w.t);
		w.t = mcu_transport_open_plain(w.port, &conf, &w, NULL);
		g_assert_cmpuint(mcu_transport_candidates(w.t, &c, 1), ==, 1);
		g_assert_cmpstr(c.ip, ==, rows[i].ip);
		g_assert_cmpint(mcu_transport_connect_plain(w.t, &peer, NULL), ==, 0);
		raw_send_to(rtp, c.port, buf, rtp_packet(buf, 1, SSRC, 50));
		world_until(&w, w.kept->len == i + 1);
		mcu_transport_send_rtp(w.t, buf, 12, buf + 12, 50);
		mcu_port_flush(w.port);
		g_assert_cmpuint(raw_recv(rtp, got, sizeof(got)), ==, 62);
	}
	close(rtp);
	world_close(&w);
}

static void ip6_is_spoken(void)
{
	static const char *const local[] = { "127.0.0.1", "::1", NULL };
	struct world w = { .conf = { .listen = local } };
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct mcu_plain_peer peer = { .ip = "::1" };
	struct mcu_candidate c;
	uint8_t buf[200], got[200];

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		g_test_skip("no IPv6 here");
		return;
	}
	(void)getsockname(fd, (struct sockaddr *)&a, &len);
	peer.port = ntohs(a.sin6_port);
	world_open_plain(&w, MCU_PLAIN_NONE, false);
	mcu_transport_close(w.t);
	w.t = mcu_transport_open_plain(w.port, &(struct mcu_plain_conf){ .ip6 = true }, &w, NULL);
	g_assert_cmpuint(mcu_transport_candidates(w.t, &c, 1), ==, 1);
	g_assert_cmpstr(c.ip, ==, "::1");
	g_assert_cmpint(mcu_transport_connect_plain(w.t, &(struct mcu_plain_peer){ .ip = "127.0.0.1", .port = 9 }, NULL), <, 0);
	g_assert_cmpint(mcu_transport_connect_plain(w.t, &peer, NULL), ==, 0);
	a.sin6_port = htons(c.port);
	rtp_packet(buf, 1, SSRC, 50);
	g_assert_cmpint(sendto(fd, buf, 62, 0, (struct sockaddr *)&a, sizeof(a)), ==, 62);
	world_until(&w, w.kept->len == 1);
	mcu_transport_send_rtp(w.t, buf, 12, buf + 12, 50);
	mcu_port_flush(w.port);
	g_assert_cmpuint(raw_recv(fd, got, sizeof(got)), ==, 62);
	close(fd);
	world_close(&w);
}

static void dump_is_json(void)
{
	struct world w = { 0 };
	int rtp = raw_socket();
	g_autofree char *text = NULL;
	g_autoptr(json_t) dump = NULL;

	world_open_plain(&w, MCU_PLAIN_NONE, false);
	connect_to(&w, rtp, -1);
	text = mcu_transport_dump(w.t);
	dump = ort_json_parse(text, strlen(text), 65536, NULL);
	g_assert_nonnull(dump);
	g_assert_cmpint(json_integer_value(json_object_get(json_array_get(json_object_get(dump, "pairs"), 0), "port")), ==,
			raw_port(rtp));
	g_assert_cmpstr(json_string_value(json_object_get(json_object_get(dump, "plain"), "security")), ==, "none");
	close(rtp);
	world_close(&w);
}

static void marks_say_what_it_carries(void)
{
	struct world w = { .conf = { .dscp_audio = 46, .dscp_video = 34 } };
	int rtp = raw_socket(), on = 1, tos = 0;
	uint8_t buf[100], control[64];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };

	setsockopt(rtp, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
	world_open_plain(&w, MCU_PLAIN_NONE, true);
	connect_to(&w, rtp, -1);
	mcu_transport_mark(w.t, false);
	rtp_packet(buf, 9, 77, 30);
	mcu_transport_send_rtp(w.t, buf, 12, buf + 12, 30);
	mcu_port_flush(w.port);
	g_assert_cmpint(recvmsg(rtp, &m, MSG_DONTWAIT), ==, 42);
	g_assert_nonnull(CMSG_FIRSTHDR(&m));
	tos = *(uint8_t *)CMSG_DATA(CMSG_FIRSTHDR(&m));
	g_assert_cmpint(tos, ==, 46 << 2);
	close(rtp);
	world_close(&w);
}

static const struct { const char *name; void (*run)(void); } cases[] = {
	{ "both-ways-with-rtcp-apart", both_ways_with_rtcp_apart },
	{ "foreign-addresses-are-not-heard", foreign_addresses_are_not_heard },
	{ "another-port-is-latched-once", another_port_is_latched_once },
	{ "after-half-a-second-no-port-is-latched", after_half_a_second_no_port_is_latched },
	{ "once-heard-no-port-is-latched", once_heard_no_port_is_latched },
	{ "replays-and-restarts", replays_and_restarts },
	{ "streams-are-bounded", streams_are_bounded },
	{ "silence-ends-what-hold-does-not", silence_ends_what_hold_does_not },
	{ "ports-come-from-the-range", ports_come_from_the_range },
	{ "zones-announce-their-address", zones_announce_their_address },
	{ "ip6-is-spoken", ip6_is_spoken },
	{ "dump-is-json", dump_is_json },
	{ "marks-say-what-it-carries", marks_say_what_it_carries },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/plain/%s", cases[i].name);

		g_test_add_func(path, cases[i].run);
	}
	return g_test_run();
}
