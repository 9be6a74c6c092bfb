/* The clocks of the process, real and held. */
#include <glib.h>

#include "mcu/base/clock.h"

static void real_clock_goes_on(void)
{
	int64_t a = ort_now_us(), b = ort_now_us();

	g_assert_cmpint(a, >, 0);
	g_assert_cmpint(b, >=, a);
	g_assert_cmpint(ort_wall_ms(), >, INT64_C(1600000000000));
}

static void held_clock_moves_only_when_told(void)
{
	ort_clock_hold(5000, 1000);
	g_assert_cmpint(ort_now_us(), ==, 5000);
	g_assert_cmpint(ort_wall_ms(), ==, 1000);
	ort_clock_advance(2 * ORT_US_PER_S);
	g_assert_cmpint(ort_now_us(), ==, 2005000);
	g_assert_cmpint(ort_wall_ms(), ==, 3000);
	ort_clock_release();
	g_assert_cmpint(ort_wall_ms(), >, INT64_C(1600000000000));
}

static void small_steps_add_up(void)
{
	ort_clock_hold(0, 0);
	for (int i = 0; i < 10000; i++) {
		ort_clock_advance(333);
	}
	g_assert_cmpint(ort_now_us(), ==, 3330000);
	g_assert_cmpint(ort_wall_ms(), ==, 3330);
	ort_clock_release();
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/clock/real_clock_goes_on", real_clock_goes_on);
	g_test_add_func("/clock/held_clock_moves_only_when_told", held_clock_moves_only_when_told);
	g_test_add_func("/clock/small_steps_add_up", small_steps_add_up);
	return g_test_run();
}
