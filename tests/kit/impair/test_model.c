#include <glib.h>
#include <math.h>

#include "tests/kit/impair/model.h"

enum { PACKETS = 100000 };

struct row {
	const char *name, *keys;	/* "key=value key=value" */
	double least, most;		/* percent of packets that go on */
	double copies;			/* percent of them twice, about */
};

static const struct row rows[] = {
	{ "clean", "", 100, 100, 0 },
	{ "loss", "loss=5", 94.5, 95.5, 0 },
	{ "all", "loss=100", 0, 0, 0 },
	{ "burst", "burst_enter=1 burst_leave=20", 94.0, 96.5, 0 },	/* 1 / (1 + 20) is bad */
	{ "dup", "dup=10", 100, 100, 10 },
	{ "rate", "rate_kbps=4800", 49.5, 52, 0 },	/* 1200 B each ms is 9600 kbit/s */
	{ "outage", "outage=10000", 89.9, 90.1, 0 },
};

static void set_all(struct impair *m, const char *keys)
{
	g_auto(GStrv) pairs = g_strsplit(keys, " ", -1);

	for (char **p = pairs; *p && **p; p++) {
		g_auto(GStrv) kv = g_strsplit(*p, "=", 2);

		g_assert_true(impair_set(m, kv[0], g_ascii_strtod(kv[1], NULL), 0));
	}
}

static void test_row(gconstpointer data)
{
	const struct row *row = data;
	struct impair m;
	int64_t due[2];
	double on = 0, twice = 0;

	impair_init(&m, 7);
	set_all(&m, row->keys);
	for (int i = 0; i < PACKETS; i++) {
		unsigned n = impair_packet(&m, 1200, (int64_t)i * 1000, due);

		on += n > 0;
		twice += n > 1;
	}
	g_assert_cmpfloat(on * 100 / PACKETS, >=, row->least);
	g_assert_cmpfloat(on * 100 / PACKETS, <=, row->most);
	g_assert_cmpfloat(ABS(twice * 100 / PACKETS - row->copies), <, 0.5);
	g_assert_cmpuint(m.stats.in, ==, PACKETS);
}

static void test_burst_length(void)
{
	struct impair m;
	int64_t due[2];
	unsigned bursts = 0, lost = 0;
	bool before = false;

	impair_init(&m, 3);
	set_all(&m, "burst_enter=1 burst_leave=20");
	for (int i = 0; i < PACKETS; i++) {
		bool gone = impair_packet(&m, 100, i, due) == 0;

		lost += gone;
		bursts += gone && !before;
		before = gone;
	}
	g_assert_cmpfloat((double)lost / bursts, >, 4.5);	/* 100 / 20 */
	g_assert_cmpfloat((double)lost / bursts, <, 5.5);
}

static void test_order(void)
{
	struct impair m;
	int64_t due[2], last = 0;
	int overtaken = 0;

	impair_init(&m, 3);
	set_all(&m, "delay_ms=20 jitter_ms=30");
	for (int i = 0; i < 1000; i++) {
		g_assert_cmpuint(impair_packet(&m, 100, i * 100, due), ==, 1);
		g_assert_cmpint(due[0], >=, MAX(last, i * 100 + 20000));
		last = due[0];
	}
	set_all(&m, "reorder=10");
	for (int i = 1000; i < 2000; i++) {
		impair_packet(&m, 100, i * 100, due);
		overtaken += due[0] < last;
		last = MAX(due[0], last);
	}
	g_assert_cmpint(overtaken, >, 50);
}

static void test_bad_keys(void)
{
	struct impair m;

	impair_init(&m, 1);
	g_assert_false(impair_set(&m, "colour", 1, 0));
	g_assert_false(impair_set(&m, "loss", -1, 0));
	g_assert_false(impair_set(&m, "loss", (double)NAN, 0));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/impair/%s", rows[i].name);

		g_test_add_data_func(path, &rows[i], test_row);
	}
	g_test_add_func("/impair/burst-length", test_burst_length);
	g_test_add_func("/impair/order", test_order);
	g_test_add_func("/impair/bad-keys", test_bad_keys);
	return g_test_run();
}
