/* Wrapping counters, receiver statistics, the list of missing packets. */
#include <string.h>

#include "mcu/rtp/rtp.h"
#include "tests/unit/mcu/rtp/hex_priv.h"

static const struct {
	const char *name;
	uint16_t in[6];
	int64_t want[6];
	unsigned n;
} unwrap_rows[] = {
	{ "in-order", { 1, 2, 3 }, { 1, 2, 3 }, 3 },
	{ "wraps", { 65534, 65535, 0, 1 }, { 65534, 65535, 65536, 65537 }, 4 },
	{ "reordered-over-wrap", { 65535, 1, 0, 2 }, { 65535, 65537, 65536, 65538 }, 4 },
	{ "late-before-start", { 0, 65535, 1 }, { 0, -1, 1 }, 3 },
	{ "jump", { 0, 32767, 65534, 32764 }, { 0, 32767, 65534, 98300 }, 4 },
};

static void unwrap_row(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct mcu_unwrap u = { 0 };

	for (unsigned k = 0; k < unwrap_rows[i].n; k++) {
		g_assert_cmpint(mcu_unwrap16(&u, unwrap_rows[i].in[k]), ==, unwrap_rows[i].want[k]);
	}
}

static void unwrap32_wraps(void)
{
	struct mcu_unwrap u = { 0 };

	g_assert_cmpint(mcu_unwrap32(&u, 0xfffffff0), ==, 0xfffffff0);
	g_assert_cmpint(mcu_unwrap32(&u, 0x10), ==, INT64_C(0x100000010));
	g_assert_cmpint(mcu_unwrap32(&u, 0xffffffff), ==, 0xffffffff);
}

static void receive(struct mcu_recv_stats *st, uint16_t seq, uint32_t ts, int64_t now_us)
{
	struct mcu_rtp r = { .seq = seq, .ts = ts };

	(void)mcu_recv_stats_packet(st, &r, 100, now_us);
}

static void report_counts_loss(void)
{
	struct mcu_recv_stats st = { .clock_hz = 8000 };
	struct mcu_rr_block b;

	for (uint16_t i = 0; i < 100; i++) {
		if (i % 4 != 1) {
			receive(&st, i, i * 160U, 1000000 + i * 20000);
		}
	}
	mcu_recv_stats_block(&st, 7, 4000000, &b);
	g_assert_cmpuint(b.ssrc, ==, 7);
	g_assert_cmpint(b.lost, ==, 25);
	g_assert_cmpuint(b.fraction_lost, ==, 64);
	g_assert_cmpuint(b.max_seq, ==, 99);
	g_assert_cmpuint(b.jitter, ==, 0);
	g_assert_cmpuint(b.delay_sr, ==, 0);
	receive(&st, 100, 16000, 4000000);
	mcu_recv_stats_block(&st, 7, 4000000, &b);
	g_assert_cmpuint(b.fraction_lost, ==, 0);
	g_assert_cmpint(b.lost, ==, 25);
}

static void report_measures_jitter(void)
{
	struct mcu_recv_stats st = { .clock_hz = 8000, .last_sr = 5, .last_sr_us = 1000000 };
	struct mcu_rr_block b;

	for (uint16_t i = 0; i < 400; i++) {
		/* every second packet 10 ms = 80 units late */
		receive(&st, i, i * 160U, 1000000 + i * 20000 + (i & 1) * 10000);
	}
	mcu_recv_stats_block(&st, 7, 1500000, &b);
	g_assert_cmpuint(b.jitter, >=, 75);
	g_assert_cmpuint(b.jitter, <=, 80);
	g_assert_cmpuint(b.delay_sr, ==, 32768);
}

static void nack_asks_after_reorder_time(void)
{
	mcu_nack *n = mcu_nack_new();
	uint16_t seqs[8];
	bool give_up;

	mcu_nack_seen(n, 10, 0);
	mcu_nack_seen(n, 13, 0);
	g_assert_cmpuint(mcu_nack_due(n, 0, 50000, seqs, 8, &give_up), ==, 0);
	g_assert_cmpint(mcu_nack_deadline(n), ==, 5000);
	mcu_nack_seen(n, 12, 1000);
	g_assert_cmpuint(mcu_nack_due(n, 5000, 50000, seqs, 8, &give_up), ==, 1);
	g_assert_cmpuint(seqs[0], ==, 11);
	g_assert_cmpint(mcu_nack_deadline(n), ==, 55000);
	mcu_nack_seen(n, 11, 20000);
	g_assert_cmpint(mcu_nack_deadline(n), ==, INT64_MAX);
	mcu_nack_free(n);
}

static void nack_gives_up_after_ten_tries(void)
{
	mcu_nack *n = mcu_nack_new();
	unsigned asked = 0;
	uint16_t seqs[8];
	bool give_up = false;

	mcu_nack_seen(n, 1, 0);
	mcu_nack_seen(n, 3, 0);
	for (int64_t now = 0; now < 5000000 && !give_up; now += 10000) {
		asked += mcu_nack_due(n, now, 50000, seqs, 8, &give_up);
	}
	g_assert_true(give_up);
	g_assert_cmpuint(asked, ==, 10);
	g_assert_cmpint(mcu_nack_deadline(n), ==, INT64_MAX);
	mcu_nack_free(n);
}

static void nack_is_bounded(void)
{
	mcu_nack *n = mcu_nack_new();
	uint16_t seqs[8];
	bool give_up = false;

	mcu_nack_seen(n, 1, 0);
	mcu_nack_seen(n, 30000, 0);
	g_assert_cmpuint(mcu_nack_due(n, 10000, 50000, seqs, 8, &give_up), ==, 0);
	g_assert_true(give_up);
	mcu_nack_free(n);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(unwrap_rows); i++) {
		g_autofree char *path = g_strconcat("/seq/unwrap/", unwrap_rows[i].name, NULL);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), unwrap_row);
	}
	g_test_add_func("/seq/unwrap32_wraps", unwrap32_wraps);
	g_test_add_func("/seq/report_counts_loss", report_counts_loss);
	g_test_add_func("/seq/report_measures_jitter", report_measures_jitter);
	g_test_add_func("/nack/asks_after_reorder_time", nack_asks_after_reorder_time);
	g_test_add_func("/nack/gives_up_after_ten_tries", nack_gives_up_after_ten_tries);
	g_test_add_func("/nack/is_bounded", nack_is_bounded);
	return g_test_run();
}
