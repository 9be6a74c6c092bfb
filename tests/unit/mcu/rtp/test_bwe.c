/* The downlink estimate on synthetic links: a queue of given rate and depth, loss, a path that changes. */
#include <string.h>

#include "mcu/rtp/rtp.h"
#include "tests/unit/mcu/rtp/hex_priv.h"

struct link {
	double capacity_bps, loss;	/* loss 0-1 */
	int64_t base_us, queue_us;	/* path delay, most that the queue holds */
	int64_t busy_until_us;
	unsigned rnd;
};

static bool dropped(struct link *l)
{
	l->rnd = l->rnd * 1103515245 + 12345;
	return (l->rnd >> 16 & 0x7fff) < l->loss * 0x8000;
}

/* Arrival of a packet, or 0 when lost */
static int64_t transmit(struct link *l, unsigned bytes, int64_t now_us)
{
	int64_t from = MAX(l->busy_until_us, now_us);

	if (from - now_us > l->queue_us || dropped(l)) {
		return 0;
	}
	l->busy_until_us = from + (int64_t)(bytes * 8e6 / l->capacity_bps);
	return l->busy_until_us + l->base_us;
}

struct flight { uint16_t seq; int64_t arrival_us; };

/* Sends 30 frames a second at share * estimate (at most `app_bps`), feedback each 100 ms. */
static void run(mcu_bwe *b, struct link *l, int64_t *now, double seconds, double app_bps)
{
	static uint16_t seq;
	mcu_twcc_recv *recv = mcu_twcc_recv_new();
	GArray *air = g_array_new(FALSE, FALSE, sizeof(struct flight));
	int64_t end = *now + (int64_t)(seconds * 1e6), next_fb = *now + 100000;

	for (; *now < end; *now += 33333) {
		double rate = MIN(app_bps, 0.95 * (double)mcu_bwe_bps(b));
		for (int left = (int)(rate / 30 / 8); left > 0; left -= 1200) {
			unsigned bytes = (unsigned)MIN(left, 1200) + 40;
			mcu_bwe_sent(b, seq, bytes, *now);
			int64_t at = transmit(l, bytes, *now);
			if (at) {
				g_array_append_val(air, ((struct flight){ seq, at }));
			}
			seq++;
		}
		while (air->len && g_array_index(air, struct flight, 0).arrival_us <= *now) {
			struct flight f = g_array_index(air, struct flight, 0);
			mcu_twcc_recv_seen(recv, f.seq, f.arrival_us);
			g_array_remove_index(air, 0);
		}
		uint8_t out[1500];
		size_t pos = 0, at = 0;
		struct mcu_rtcp r;
		if (*now >= next_fb && mcu_twcc_recv_write(recv, out, sizeof(out), &pos, 1, 2) == 1) {
			next_fb = *now + 100000;
			g_assert_cmpint(mcu_rtcp_next(out, pos, &at, &r), ==, 1);
			mcu_bwe_feedback(b, &r, *now + l->base_us);
		}
	}
	g_array_unref(air);
	mcu_twcc_recv_free(recv);
}

static const struct {
	const char *name;
	double capacity_bps, loss;
	int64_t base_us, queue_us;
	double app_bps, seconds, low_bps, high_bps;
} rows[] = {
	{ "wide-link-grows-to-the-ceiling", 50e6, 0, 20000, 200000, 20e6, 60, 4e6, 5e6 },
	{ "two-megabit-link", 2e6, 0, 20000, 300000, 20e6, 60, 1.2e6, 2.4e6 },
	{ "half-megabit-link", 0.5e6, 0, 20000, 300000, 20e6, 60, 0.25e6, 0.65e6 },
	{ "shallow-queue", 1e6, 0, 20000, 20000, 20e6, 60, 0.3e6, 1.3e6 },
	{ "thin-application-may-still-grow", 50e6, 0, 20000, 200000, 0.15e6, 60, 1.5e6, 5e6 },
	{ "little-random-loss-is-no-congestion", 50e6, 0.005, 20000, 200000, 20e6, 60, 2e6, 5e6 },
	{ "heavy-loss", 50e6, 0.30, 20000, 200000, 20e6, 60, 0.05e6, 0.4e6 },
	{ "long-path", 3e6, 0, 250000, 300000, 20e6, 60, 1.2e6, 3.6e6 },
};

static void row(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct link l = { rows[i].capacity_bps, rows[i].loss, rows[i].base_us, rows[i].queue_us, 0, 1 };
	mcu_bwe *b = mcu_bwe_new(1000000, 50000, 5000000);
	int64_t now = 1000000;

	run(b, &l, &now, rows[i].seconds, rows[i].app_bps);
	g_test_message("%s: %.0f", rows[i].name, (double)mcu_bwe_bps(b));
	g_assert_cmpfloat((double)mcu_bwe_bps(b), >=, rows[i].low_bps);
	g_assert_cmpfloat((double)mcu_bwe_bps(b), <=, rows[i].high_bps);
	mcu_bwe_free(b);
}

static void link_that_narrows_and_widens(void)
{
	struct link l = { 4e6, 0, 20000, 300000, 0, 1 };
	mcu_bwe *b = mcu_bwe_new(1000000, 50000, 5000000);
	int64_t now = 1000000;

	run(b, &l, &now, 40, 20e6);
	uint64_t wide = mcu_bwe_bps(b);
	l.capacity_bps = 0.6e6;
	run(b, &l, &now, 5, 20e6);
	g_assert_cmpuint(mcu_bwe_bps(b), <, 800000);
	l.capacity_bps = 4e6;
	run(b, &l, &now, 90, 20e6);
	g_assert_cmpuint(mcu_bwe_bps(b), >, wide / 2);
	mcu_bwe_free(b);
}

static void remb_is_a_ceiling(void)
{
	mcu_bwe *b = mcu_bwe_new(1000000, 50000, 5000000);

	mcu_bwe_remb(b, 300000, 1000000);
	g_assert_cmpuint(mcu_bwe_bps(b), ==, 300000);
	mcu_bwe_remb(b, 10, 1100000);
	g_assert_cmpuint(mcu_bwe_bps(b), ==, 50000);
	for (int64_t t = 2000000; t < 62000000; t += 500000) {
		mcu_bwe_remb(b, 3000000, t);
	}
	g_assert_cmpuint(mcu_bwe_bps(b), ==, 3000000);
	mcu_bwe_free(b);
}

static void report_blocks_alone_react_to_loss(void)
{
	mcu_bwe *b = mcu_bwe_new(1000000, 50000, 5000000);

	mcu_bwe_loss(b, 5, 1000000);
	g_assert_cmpuint(mcu_bwe_bps(b), ==, 1000000);
	mcu_bwe_loss(b, 128, 2000000);
	g_assert_cmpuint(mcu_bwe_bps(b), ==, 750000);
	for (int64_t t = 3000000; t < 63000000; t += 1000000) {
		mcu_bwe_loss(b, 0, t);
	}
	g_assert_cmpuint(mcu_bwe_bps(b), >, 3000000);
	mcu_bwe_free(b);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strconcat("/bwe/", rows[i].name, NULL);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), row);
	}
	g_test_add_func("/bwe/link_that_narrows_and_widens", link_that_narrows_and_widens);
	g_test_add_func("/bwe/remb_is_a_ceiling", remb_is_a_ceiling);
	g_test_add_func("/bwe/report_blocks_alone_react_to_loss", report_blocks_alone_react_to_loss);
	return g_test_run();
}
