/* A port with the codec worker behind a channel, and the worker's side in the same thread. */
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "tests/unit/mcu/net/world.h"

struct bed {
	mcu_port *port;
	mcu_transport *t;
	mcu_channel *worker;
	GString *got;	/* "r<seq>" and "c<type>" */
	char state[16];
};

static void on_rtp(mcu_transport *t, struct mcu_packet *p, int64_t now_us, void *data)
{
	g_string_append_printf(((struct bed *)data)->got, "r%u ", p->rtp.seq);
}

static void on_rtcp(mcu_transport *t, const uint8_t *data, size_t len, int64_t now_us, void *transport_data)
{
	g_string_append_printf(((struct bed *)transport_data)->got, "c%u ", data[1]);
}

static void on_state(mcu_transport *t, const char *state, const char *why, int64_t now_us, void *data)
{
	g_assert_cmpstr(why, ==, "bridge");
	g_strlcpy(((struct bed *)data)->state, state, sizeof(((struct bed *)data)->state));
}

static void on_batch_end(mcu_port *port, int64_t now_us, void *data)
{
	g_string_append_c(((struct bed *)data)->got, '.');
}

static mcu_channel *make(struct bed *b)
{
	int fds[MCU_CHANNEL_FDS], err = 0;
	mcu_channel *c = mcu_channel_new(16, &err);

	mcu_channel_fds(c, fds);
	for (int i = 0; i < MCU_CHANNEL_FDS; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
	}
	mcu_channel_drop_fds(c);
	b->worker = mcu_channel_attach(fds, &err);
	g_assert_nonnull(b->worker);
	return c;
}

static void setup(struct bed *b, gconstpointer data)
{
	static const char *const listen[] = { "127.0.0.1", NULL };
	static const struct mcu_port_ops ops = { on_rtp, on_rtcp, on_state, on_batch_end };
	const struct mcu_port_conf conf = { .listen = listen };

	b->got = g_string_new(NULL);
	b->port = mcu_port_new(&conf, &ops, b, NULL);
	b->t = mcu_transport_open_bridge(b->port, make(b), b, NULL);
	g_assert_nonnull(b->t);
	g_assert_true(mcu_transport_up(b->t));
}

static void teardown(struct bed *b, gconstpointer data)
{
	mcu_port_free(b->port);
	mcu_channel_free(b->worker);
	g_string_free(b->got, TRUE);
}

/* Waits as the media thread does: on the port's descriptor, unless something is left. */
static void turn(struct bed *b)
{
	struct epoll_event ev;
	int outer = epoll_create1(EPOLL_CLOEXEC);

	ev = (struct epoll_event){ .events = EPOLLIN };
	g_assert_cmpint(epoll_ctl(outer, EPOLL_CTL_ADD, mcu_port_fd(b->port), &ev), ==, 0);
	if (mcu_port_deadline(b->port) > 0) {
		g_assert_cmpint(epoll_wait(outer, &ev, 1, 20000), ==, 1);
	}
	close(outer);
	mcu_port_turn(b->port, ort_now_us());
}

static void settle(struct bed *b)
{
	for (unsigned i = 0; i < 3; i++) {
		mcu_port_turn(b->port, ort_now_us());
	}
	g_assert_cmpint(mcu_port_deadline(b->port), >, 0);	/* nobody spins */
	g_string_truncate(b->got, 0);
}

static void say(struct bed *b, enum mcu_lane lane, uint16_t seq)
{
	uint8_t packet[64];

	g_assert_cmpint(mcu_lane_write(b->worker, lane, packet, rtp_packet(packet, seq, 7, 20), 1), ==, 0);
}

static void packets_pass_both_ways(struct bed *b, gconstpointer data)
{
	uint8_t pli[32], header[32], packet[MCU_LANE_PACKET];
	size_t pos = 0;
	int64_t at;

	settle(b);
	say(b, MCU_LANE_AUDIO, 1);
	say(b, MCU_LANE_AUDIO, 2);
	say(b, MCU_LANE_VIDEO, 3);
	(void)mcu_rtcp_write_pli(pli, sizeof(pli), &pos, 1, 2);
	g_assert_cmpint(mcu_lane_write(b->worker, MCU_LANE_VIDEO, pli, pos, 1), ==, 0);
	mcu_lane_flush(b->worker, MCU_LANE_VIDEO);
	turn(b);
	g_assert_cmpstr(b->got->str, ==, "r3 c206 .");
	g_string_truncate(b->got, 0);
	mcu_lane_flush(b->worker, MCU_LANE_AUDIO);
	turn(b);
	g_assert_cmpstr(b->got->str, ==, "r1 r2 .");
	g_assert_true(mcu_lane_sleep(b->worker, MCU_LANE_IN));
	unsigned n = rtp_packet(header, 9, 8, 0);
	mcu_transport_send_rtp(b->t, header, n, (const uint8_t *)"payload", 7);
	mcu_transport_send_rtcp(b->t, pli, (unsigned)pos);
	mcu_port_flush(b->port);
	g_assert_cmpint(mcu_lane_read(b->worker, MCU_LANE_IN, packet, &at), ==, (int)n + 7);
	g_assert_cmpmem(packet + n, 7, "payload", 7);
	g_assert_cmpint(mcu_lane_read(b->worker, MCU_LANE_IN, packet, &at), ==, (int)pos);
	settle(b);
}

static void rubbish_is_counted(struct bed *b, gconstpointer data)
{
	settle(b);
	for (unsigned i = 0; i < 12; i++) {
		g_assert_cmpint(mcu_lane_write(b->worker, MCU_LANE_AUDIO, (const uint8_t *)"\x80\xffrubbish", 3 + i % 5, 1), ==, 0);
	}
	mcu_lane_flush(b->worker, MCU_LANE_AUDIO);
	turn(b);
	g_autofree char *stats = mcu_port_stats(b->port);
	g_assert_nonnull(strstr(stats, "\"rtp.bad\":12,"));
	g_assert_true(mcu_transport_up(b->t));
}

static void lost_worker_is_told_and_replaced(struct bed *b, gconstpointer data)
{
	for (unsigned i = 0; i < 3; i++) {
		settle(b);
		say(b, MCU_LANE_VIDEO, 4);
		mcu_channel_free(b->worker);
		turn(b);
		g_assert_nonnull(strstr(b->got->str, "r4"));
		while (b->state[0] == '\0') {
			turn(b);
		}
		g_assert_cmpstr(b->state, ==, "failed");
		g_assert_false(mcu_transport_up(b->t));
		settle(b);
		b->state[0] = '\0';
		g_assert_cmpint(mcu_transport_set_channel(b->t, make(b)), ==, 0);
		g_assert_true(mcu_transport_up(b->t));
	}
}

static void full_ring_costs_packets_only(struct bed *b, gconstpointer data)
{
	uint8_t header[32];
	unsigned n = rtp_packet(header, 9, 8, 0);

	for (unsigned i = 0; i < 20; i++) {
		mcu_transport_send_rtp(b->t, header, n, (const uint8_t *)"x", 1);
	}
	g_autofree char *stats = mcu_port_stats(b->port);
	g_assert_nonnull(strstr(stats, "\"bridge.out\":16,\"bridge.full\":4,"));
	g_assert_true(mcu_transport_up(b->t));
}

#define TEST(name) g_test_add("/net/bridge/" #name, struct bed, NULL, setup, name, teardown)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TEST(packets_pass_both_ways);
	TEST(rubbish_is_counted);
	TEST(lost_worker_is_told_and_replaced);
	TEST(full_ring_costs_packets_only);
	return g_test_run();
}
