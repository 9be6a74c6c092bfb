/* Token buckets and the keys of sources. */
#include "gateway/api/api.h"

enum { S = 1000000 };

static void burst_then_rate(void)
{
	g_autoptr(gw_limiter) l = gw_limiter_new(5, 10, 100);
	for (int i = 0; i < 10; i++) {
		g_assert_true(gw_limiter_take(l, "a", 0));
	}
	g_assert_false(gw_limiter_take(l, "a", 0));
	g_assert_true(gw_limiter_take(l, "b", 0));
	g_assert_false(gw_limiter_take(l, "a", S / 10));
	g_assert_true(gw_limiter_take(l, "a", S / 4));
	g_assert_false(gw_limiter_take(l, "a", S / 4));
}

static void clock_backwards_gives_nothing(void)
{
	g_autoptr(gw_limiter) l = gw_limiter_new(1, 1, 4);
	g_assert_true(gw_limiter_take(l, "a", 10 * S));
	g_assert_false(gw_limiter_take(l, "a", 5 * S));
	g_assert_false(gw_limiter_take(l, "a", 10 * S));
	g_assert_true(gw_limiter_take(l, "a", 11 * S));
}

static void many_sources_stay_bounded(void)
{
	g_autoptr(gw_limiter) l = gw_limiter_new(1, 2, 100);
	for (int i = 0; i < 5000; i++) {
		g_autofree char *key = g_strdup_printf("10.0.%d.%d", i / 256, i % 256);
		g_assert_true(gw_limiter_take(l, key, i));
	}
	g_assert_cmpuint(gw_limiter_size(l), <=, 100);
}

static void refilled_goes_before_active(void)
{
	g_autoptr(gw_limiter) l = gw_limiter_new(1, 1, 2);
	g_assert_true(gw_limiter_take(l, "old", 0));
	g_assert_true(gw_limiter_take(l, "busy", 10 * S));
	g_assert_true(gw_limiter_take(l, "new", 10 * S));
	g_assert_false(gw_limiter_take(l, "busy", 10 * S));
}

static const struct key_row { const char *name, *address, *key; } key_rows[] = {
	{ "ipv4", "192.0.2.7", "192.0.2.7" },
	{ "mapped", "::ffff:192.0.2.7", "192.0.2.7" },
	{ "mapped-hex", "::FFFF:c000:0207", "192.0.2.7" },
	{ "ipv6-cut-to-64", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::" },
	{ "loopback", "::1", "::" },
	{ "prefix-only-in-text", "::ffff:", "" },
	{ "garbage", "x\r\ny", "" },
	{ "leading-zero", "010.0.0.1", "" },
	{ "null", NULL, "" },
};

static void key_row(const void *data)
{
	const struct key_row *row = data;
	g_autofree char *key = gw_source_key(row->address);
	g_assert_cmpstr(key, ==, row->key);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/limiter/burst_then_rate", burst_then_rate);
	g_test_add_func("/limiter/clock_backwards_gives_nothing", clock_backwards_gives_nothing);
	g_test_add_func("/limiter/many_sources_stay_bounded", many_sources_stay_bounded);
	g_test_add_func("/limiter/refilled_goes_before_active", refilled_goes_before_active);
	for (size_t i = 0; i < G_N_ELEMENTS(key_rows); i++) {
		g_autofree char *path = g_strconcat("/source_key/", key_rows[i].name, NULL);
		g_test_add_data_func(path, &key_rows[i], key_row);
	}
	return g_test_run();
}
