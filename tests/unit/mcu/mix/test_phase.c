/* The tick comes to lie behind the speaker's frames; and does not run after frames of another rate. In virtual time. */
#include "mcu/mix/phase_priv.h"

#include <glib.h>
#include <stdlib.h>

enum { PERIOD = 33333 };

static const struct phase_row { const char *name; int64_t first_us, every_us, jitter_us; bool locks; } rows[] = {
	{ "just-behind-the-tick", 1000, PERIOD, 0, true }, { "half-a-period", 17000, PERIOD, 0, true },
	{ "just-before", 32000, PERIOD, 0, true }, { "jitter", 12000, PERIOD, 3000, true },
	{ "drift-of-a-clock", 9000, PERIOD + 3, 0, true }, { "25-a-second", 5000, 40000, 0, false },
	{ "15-a-second", 5000, 66667, 0, false },
};

static void phase(gconstpointer data)
{
	const struct phase_row *row = data;
	struct mix_phase p = { 0 };
	int64_t tick = 0, at = row->first_us, waited = 0, moved = 0;
	uint32_t random = 1;
	unsigned n = 0;

	for (unsigned i = 0; i < 900; i++) {
		int64_t newest = -1;
		for (; at <= tick; at += row->every_us) {
			random = random * 1664525u + 1013904223u;
			newest = at - (row->jitter_us ? (int64_t)(random >> 16) % row->jitter_us : 0);
		}
		int64_t add = newest < 0 ? 0 : mix_phase_note(&p, &p, newest, tick, PERIOD);
		g_assert_cmpint(llabs(add), <=, 500);
		moved += add;
		if (i >= 600 && newest >= 0) {
			waited += tick - newest;
			n++;
		}
		tick += PERIOD + add;
	}
	g_test_message("waits %d us, moved %d us", (int)(waited / n), (int)moved);
	if (row->locks) {
		g_assert_cmpint(waited / n, <, 2 * MIX_PHASE_US);
	} else {
		g_assert_cmpint(llabs(moved), <, PERIOD / 2);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strconcat("/mix/phase/", rows[i].name, NULL);
		g_test_add_data_func(path, &rows[i], phase);
	}
	return g_test_run();
}
