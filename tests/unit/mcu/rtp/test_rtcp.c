/* RTCP: hand-made and recorded bytes in, fields out; what we write reads back the same. */
#include <errno.h>
#include <string.h>

#include "mcu/rtp/rtp.h"
#include "tests/unit/mcu/rtp/hex_priv.h"

/* "kinds" is one letter a record, X = broken. Rows marked W are seeds of the WebRTC project (BSD-3-Clause). */
static const struct { const char *name, *hex, *kinds; } walk_rows[] = {
	{ "empty", "", "" },
	{ "rr", "80c90001 11111111", "R" },
	{ "rr-block-cut", "81c90001 11111111", "X" },
	{ "sr", "80c80006 11111111 00000001 80000000 00000064 0000000a 000003e8", "S" },
	{ "sr-short", "80c80001 11111111", "X" },
	{ "compound", "80c90001 11111111 81ca0003 11111111 01026162 00000000 81ce0002 11111111 22222222", "RDP" },
	{ "length-beyond-end", "80c90002 11111111", "X" },
	{ "version", "40c90001 11111111", "X" },
	{ "good-then-garbage", "80c90001 11111111 ffff", "RX" },
	{ "padding", "a0c90002 11111111 00000004", "R" },
	{ "padding-into-the-sender", "a0c90002 11111111 00000005", "X" },
	{ "padding-zero", "a0c90002 11111111 00000000", "X" },
	{ "twcc-padded-by-one-as-chromium-does", "afcd0005 00000001 00000002 000a0001 00000501 20010401", "T" },
	{ "padding-beyond-body", "a0c90002 11111111 0000000c", "X" },
	{ "fir", "84ce0004 11111111 00000000 22222222 05000000", "F" },
	{ "fir-without-entry", "84ce0002 11111111 00000000", "X" },
	{ "feedback-short", "81ce0001 11111111", "X" },
	{ "remb-other-name", "8fce0004 11111111 00000000 52454d43 00000000", "O" },
	{ "bye", "81cb0001 11111111", "B" },
	{ "bye-count-cut", "82cb0001 11111111", "X" },
	{ "xr-W", "80cf000512345678050000038b6ea85c87fe5b02dfff2ec6", "O" },
	{ "sdes-six-chunks-W", "86ca001212345678010161001234567901026162000000001234567a01036162630000001234567b01046162"
			       "636400001234567c01056162636465001234567d010661626364656600000000", "D" },
	{ "fir-two-W", "84ce00061234567800000000234567890d0000002345678a0e000000", "F" },
	{ "rr-two-blocks-W", "82c9000d12345678234567890000000000000000000000000000000000000000"
			     "2345678a0000000000000000000000000000000000000000", "R" },
};

static void walk_row(gconstpointer data)
{
	static const char letters[] = { 'S', 'R', 'D', 'B', 'N', 'P', 'F', 'M', 'T', 'O' };
	size_t i = GPOINTER_TO_SIZE(data), pos = 0;
	g_autoptr(GString) got = g_string_new(NULL);
	uint8_t bytes[256];
	struct mcu_rtcp r;
	int rc;

	size_t len = hex_bytes(walk_rows[i].hex, bytes, sizeof(bytes));
	while ((rc = mcu_rtcp_next(bytes, len, &pos, &r)) == 1) {
		g_string_append_c(got, letters[r.kind]);
	}
	if (rc < 0) {
		g_string_append_c(got, 'X');
	}
	g_assert_cmpstr(got->str, ==, walk_rows[i].kinds);
}

static struct mcu_rtcp one(const uint8_t *data, size_t len)
{
	struct mcu_rtcp r;
	size_t pos = 0;

	g_assert_cmpint(mcu_rtcp_next(data, len, &pos, &r), ==, 1);
	g_assert_cmpuint(pos, ==, len);
	return r;
}

static void sender_report_round_trip(void)
{
	struct mcu_rr_block in[2] = { { 5, 64, -3, 70000, 12, 0x01020304, 99 }, { 6, 0, 0x7fffff, 1, 2, 3, 4 } }, got;
	uint8_t out[128];
	size_t pos = 0;

	g_assert_cmpint(mcu_rtcp_write_sr(out, sizeof(out), &pos, 1, 0x1122334455667788, 2, 3, 4, in, 2), ==, 0);
	struct mcu_rtcp r = one(out, pos);
	g_assert_cmpint(r.kind, ==, MCU_RTCP_SR);
	g_assert_cmpuint(r.ntp, ==, 0x1122334455667788);
	g_assert_cmpuint(r.rtp_ts, ==, 2);
	g_assert_cmpuint(r.octets, ==, 4);
	for (unsigned i = 0; i < 2; i++) {
		g_assert_true(mcu_rtcp_report(&r, i, &got));
		g_assert_cmpmem(&got, sizeof(got), &in[i], sizeof(in[i]));
	}
	g_assert_false(mcu_rtcp_report(&r, 2, &got));
}

static void nack_round_trip(void)
{
	static const uint16_t in[] = { 65530, 65531, 10, 11, 12, 300 };
	uint16_t got[64];
	uint8_t out[64];
	size_t pos = 0;

	g_assert_cmpint(mcu_rtcp_write_nack(out, sizeof(out), &pos, 1, 2, in, G_N_ELEMENTS(in)), ==, 0);
	struct mcu_rtcp r = one(out, pos);
	g_assert_cmpint(r.kind, ==, MCU_RTCP_NACK);
	g_assert_cmpuint(r.media, ==, 2);
	g_assert_cmpuint(r.count, ==, 3);
	g_assert_cmpuint(mcu_rtcp_nack_seqs(&r, got, 64), ==, G_N_ELEMENTS(in));
	g_assert_cmpmem(got, sizeof(in), in, sizeof(in));
	g_assert_cmpuint(mcu_rtcp_nack_seqs(&r, got, 3), ==, 3);
}

static void fir_and_pli_round_trip(void)
{
	uint8_t out[64], seq;
	uint32_t ssrc;
	size_t pos = 0;

	g_assert_cmpint(mcu_rtcp_write_pli(out, sizeof(out), &pos, 1, 2), ==, 0);
	struct mcu_rtcp r = one(out, pos);
	g_assert_cmpint(r.kind, ==, MCU_RTCP_PLI);
	g_assert_cmpuint(r.media, ==, 2);
	pos = 0;
	g_assert_cmpint(mcu_rtcp_write_fir(out, sizeof(out), &pos, 1, 77, 9), ==, 0);
	r = one(out, pos);
	g_assert_true(mcu_rtcp_fir(&r, 0, &ssrc, &seq));
	g_assert_cmpuint(ssrc, ==, 77);
	g_assert_cmpuint(seq, ==, 9);
	g_assert_false(mcu_rtcp_fir(&r, 1, &ssrc, &seq));
}

static void remb_round_trip(void)
{
	static const uint32_t in[] = { 5, 6 };
	uint32_t ssrcs[4];
	unsigned n = 4;
	uint8_t out[64];
	uint64_t bps;
	size_t pos = 0;

	g_assert_cmpint(mcu_rtcp_write_remb(out, sizeof(out), &pos, 1, 2500000, in, 2), ==, 0);
	struct mcu_rtcp r = one(out, pos);
	g_assert_true(mcu_rtcp_remb(&r, &bps, ssrcs, &n));
	g_assert_cmpuint(n, ==, 2);
	g_assert_cmpuint(ssrcs[1], ==, 6);
	g_assert_cmpuint(bps, <=, 2500000);
	g_assert_cmpuint(bps, >, 2499900);
}

static void sdes_and_bye_read_back(void)
{
	static const char *const names[] = { "", "a", "ab", "abc", "abcd" };
	uint8_t out[64];

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		size_t pos = 0;
		g_assert_cmpint(mcu_rtcp_write_sdes_cname(out, sizeof(out), &pos, 3, names[i]), ==, 0);
		struct mcu_rtcp r = one(out, pos);
		g_assert_cmpint(r.kind, ==, MCU_RTCP_SDES);
		g_assert_cmpmem(r.body + 6, r.body[5], names[i], strlen(names[i]));
		g_assert_cmpuint(r.body[r.body_len - 1], ==, 0);
	}
	size_t pos = 0;
	g_assert_cmpint(mcu_rtcp_write_bye(out, sizeof(out), &pos, 3), ==, 0);
	g_assert_cmpuint(one(out, pos).sender, ==, 3);
}

static void writers_stop_at_the_end(void)
{
	uint8_t out[16] = { 0 };
	size_t pos = 0;

	g_assert_cmpint(mcu_rtcp_write_pli(out, 11, &pos, 1, 2), ==, -ENOSPC);
	g_assert_cmpint(mcu_rtcp_write_sr(out, 16, &pos, 1, 2, 3, 4, 5, NULL, 0), ==, -ENOSPC);
	g_assert_cmpint(mcu_rtcp_write_sdes_cname(out, 16, &pos, 1, "0123456789"), ==, -ENOSPC);
	g_assert_cmpint(mcu_rtcp_write_nack(out, 15, &pos, 1, 2, (const uint16_t[]){ 1 }, 1), ==, -ENOSPC);
	g_assert_cmpuint(pos, ==, 0);
	g_assert_cmpint(mcu_rtcp_write_pli(out, 12, &pos, 1, 2), ==, 0);
}

struct seen { unsigned n, lost; uint16_t seq[2000]; int64_t at[2000]; };

static void on_twcc(uint16_t seq, int64_t at, void *ud)
{
	struct seen *s = ud;

	s->seq[s->n] = seq;
	s->at[s->n++] = at;
	s->lost += at == INT64_MIN;
}

/* base 10, run of 2 small, then a 2-bit vector: lost, large -1, lost ... */
static void twcc_reads_both_chunk_forms(void)
{
	uint8_t bytes[64];
	struct seen s = { 0 };

	size_t len = hex_bytes("8fcd0006 00000001 00000002 000a0009 00000501 2002 c800 0408 ffff", bytes,
			       sizeof(bytes));
	struct mcu_rtcp r = one(bytes, len);
	g_assert_cmpint(r.kind, ==, MCU_RTCP_TWCC);
	g_assert_cmpint(mcu_rtcp_twcc_walk(&r, on_twcc, &s), ==, 0);
	g_assert_cmpuint(s.n, ==, 9);
	g_assert_cmpint(s.at[0], ==, 5 * 64000 + 1000);
	g_assert_cmpint(s.at[1], ==, 5 * 64000 + 3000);
	g_assert_cmpint(s.at[2], ==, INT64_MIN);
	g_assert_cmpint(s.at[3], ==, 5 * 64000 + 2750);
	g_assert_cmpuint(s.seq[8], ==, 18);
}

static const struct { const char *name, *hex; } bad_twcc_rows[] = {
	{ "no-chunk", "8fcd0004 00000001 00000002 000a0002 00000501" },
	{ "deltas-missing", "8fcd0005 00000001 00000002 000a0009 00000501 2009 0000" },
	{ "zero-run", "8fcd0005 00000001 00000002 000a0002 00000501 0000 0000" },
	{ "reserved-symbol", "8fcd0005 00000001 00000002 000a0001 00000501 6001 0000" },
};

static void bad_twcc_row(gconstpointer data)
{
	uint8_t bytes[64];
	struct seen s = { 0 };

	size_t len = hex_bytes(bad_twcc_rows[GPOINTER_TO_SIZE(data)].hex, bytes, sizeof(bytes));
	struct mcu_rtcp r = one(bytes, len);
	g_assert_cmpint(mcu_rtcp_twcc_walk(&r, on_twcc, &s), ==, -EBADMSG);
	g_assert_cmpuint(s.n, ==, 0);
}

/* Arrivals with gaps, reordering and a wrap: every report says exactly what came, to 250 us. */
static void twcc_round_trip(void)
{
	mcu_twcc_recv *t = mcu_twcc_recv_new();
	g_autofree int64_t *at = g_new0(int64_t, 65536);
	unsigned got = 0, sent = 0, rnd = 1;
	int64_t now = 777777;
	uint8_t out[1500];

	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = 0; i < 40; i++) {
			uint16_t seq = (uint16_t)(64000 + round * 40 + (i ^ 1));
			rnd = rnd * 1103515245 + 12345;
			now += rnd >> 16 & 0x1fff;
			if ((rnd >> 8 & 7) != 0) {
				at[seq] = now;
				mcu_twcc_recv_seen(t, seq, now);
				sent++;
			}
		}
		size_t pos = 0;
		int rc = mcu_twcc_recv_write(t, out, sizeof(out), &pos, 1, 2);
		g_assert_cmpint(rc, ==, 1);
		struct seen s = { 0 };
		struct mcu_rtcp r = one(out, pos);
		g_assert_cmpint(mcu_rtcp_twcc_walk(&r, on_twcc, &s), ==, 0);
		for (unsigned i = 0; i < s.n; i++) {
			if (s.at[i] == INT64_MIN) {
				g_assert_cmpint(at[s.seq[i]], ==, 0);
			} else {
				got++;
				g_assert_cmpint(ABS(s.at[i] - at[s.seq[i]]), <=, 250);
			}
		}
		g_assert_cmpint(mcu_twcc_recv_write(t, out, sizeof(out), &pos, 1, 2), ==, 0);
	}
	g_assert_cmpuint(got, ==, sent);
	mcu_twcc_recv_free(t);
}

static void twcc_late_packet_is_reported_again(void)
{
	mcu_twcc_recv *t = mcu_twcc_recv_new();
	uint8_t out[200];
	size_t pos = 0;

	mcu_twcc_recv_seen(t, 1, 1000);
	mcu_twcc_recv_seen(t, 3, 2000);
	g_assert_cmpint(mcu_twcc_recv_write(t, out, sizeof(out), &pos, 1, 2), ==, 1);
	mcu_twcc_recv_seen(t, 2, 3000);
	pos = 0;
	g_assert_cmpint(mcu_twcc_recv_write(t, out, sizeof(out), &pos, 1, 2), ==, 1);
	struct seen s = { 0 };
	struct mcu_rtcp r = one(out, pos);
	g_assert_cmpint(mcu_rtcp_twcc_walk(&r, on_twcc, &s), ==, 0);
	g_assert_cmpuint(s.seq[0], ==, 2);
	g_assert_cmpint(s.at[0], ==, 3000);
	mcu_twcc_recv_free(t);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(walk_rows); i++) {
		g_autofree char *path = g_strconcat("/rtcp/walk/", walk_rows[i].name, NULL);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), walk_row);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad_twcc_rows); i++) {
		g_autofree char *path = g_strconcat("/rtcp/twcc/bad/", bad_twcc_rows[i].name, NULL);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), bad_twcc_row);
	}
	g_test_add_func("/rtcp/sender_report_round_trip", sender_report_round_trip);
	g_test_add_func("/rtcp/nack_round_trip", nack_round_trip);
	g_test_add_func("/rtcp/fir_and_pli_round_trip", fir_and_pli_round_trip);
	g_test_add_func("/rtcp/remb_round_trip", remb_round_trip);
	g_test_add_func("/rtcp/sdes_and_bye_read_back", sdes_and_bye_read_back);
	g_test_add_func("/rtcp/writers_stop_at_the_end", writers_stop_at_the_end);
	g_test_add_func("/rtcp/twcc/reads_both_chunk_forms", twcc_reads_both_chunk_forms);
	g_test_add_func("/rtcp/twcc/round_trip", twcc_round_trip);
	g_test_add_func("/rtcp/twcc/late_packet_is_reported_again", twcc_late_packet_is_reported_again);
	return g_test_run();
}
