/* Zones and trunks as the configuration says them: rows of words, strict. */
#include <string.h>

#include "gateway/app/app.h"
#include "gateway/app/trunks_priv.h"

static bool read_rows(const char *zones, const char *trunks, struct gw_trunks *t, char **ret_why)
{
	g_autoptr(ort_conf) conf = ort_conf_new(gw_app_rows, gw_app_n_rows);
	g_assert_cmpint(ort_conf_set(conf, "sip.zones", zones, NULL), ==, 0);
	g_assert_cmpint(ort_conf_set(conf, "sip.trunks", trunks, NULL), ==, 0);
	return gw_trunks_read(conf, t, ret_why);
}

static void rows_become_zones_and_trunks(void)
{
	struct gw_trunks t = { 0 };
	g_autofree char *why = NULL;
	g_assert_true(read_rows("name=a bind=10.0.0.1 port=5060 plain_rtp=yes,name=b port=any md5=yes",
				"name=city address='sip:mcu.example;transport=tcp' keep=yes max_bps=2000000", &t, &why));
	g_assert_cmpuint(t.zones->len, ==, 2);
	g_assert_cmpuint(g_array_index(t.zones, struct gw_sip_zone, 0).port, ==, 5060);
	g_assert_cmpuint(g_array_index(t.zones, struct gw_sip_zone, 1).port, ==, GW_SIP_ANY_PORT);
	g_assert_cmpstr(g_array_index(t.zones, struct gw_sip_zone, 1).bind, ==, "*");
	const struct gw_sip_trunk *city = gw_trunks_find(&t, "city");
	g_assert_cmpstr(city->address, ==, "sip:mcu.example;transport=tcp");
	g_assert_true(city->keep && city->max_bps == 2000000);
	g_assert_null(gw_trunks_find(&t, "none"));
	gw_trunks_clear(&t);
}

static struct gw_sip_zone zone_of(const char *row, const char *listen, const char *announce, struct gw_trunks *t)
{
	g_autoptr(ort_conf) conf = ort_conf_new(gw_app_rows, gw_app_n_rows);
	g_autofree char *why = NULL;
	g_assert_cmpint(ort_conf_set(conf, "web.listen", listen, NULL), ==, 0);
	g_assert_cmpint(ort_conf_set(conf, "web.announce", announce, NULL), ==, 0);
	if (row != NULL) {
		g_assert_cmpint(ort_conf_set(conf, "sip.zones", row, NULL), ==, 0);
	}
	g_assert_true(gw_trunks_read(conf, t, &why));
	struct gw_sip_zone z = g_array_index(t->zones, struct gw_sip_zone, 0);
	static char bind[64], said[64];
	g_strlcpy(bind, z.bind, sizeof(bind));
	g_strlcpy(said, z.announce != NULL ? z.announce : "", sizeof(said));
	z.bind = bind;
	z.announce = said;
	gw_trunks_clear(t);
	return z;
}

/* Without a row SIP listens where the pages do, and takes no RTP without keys. */
static void what_a_zone_leaves_unsaid(void)
{
	static const struct { const char *row, *listen, *announce, *bind, *says; unsigned port, tls; bool plain; } rows[] = {
		{ NULL, "", "", "*", "", 5060, 5061, false },
		{ NULL, "127.0.0.1", "", "127.0.0.1", "", 5060, 5061, false },
		{ NULL, "10.0.0.5", "192.0.2.1,10.0.0.5", "10.0.0.5", "192.0.2.1", 5060, 5061, false },
		{ NULL, "::", "192.0.2.1", "*", "", 5060, 5061, false },
		{ "port=5070 bind=*", "10.0.0.5", "", "*", "", 5070, 5071, false },
		{ "port=0", "", "", "*", "", 0, 5061, false },
		{ "port=any plain_rtp=yes", "", "", "*", "", GW_SIP_ANY_PORT, GW_SIP_ANY_PORT, true },
		{ "port=5060 tls_port=0", "", "", "*", "", 5060, 0, false },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		struct gw_trunks t = { 0 };
		struct gw_sip_zone z = zone_of(rows[n].row, rows[n].listen, rows[n].announce, &t);
		g_assert_cmpstr(z.bind, ==, rows[n].bind);
		g_assert_cmpstr(z.announce, ==, rows[n].says);
		g_assert_cmpuint(z.port, ==, rows[n].port);
		g_assert_cmpuint(z.tls_port, ==, rows[n].tls);
		g_assert_cmpint(z.plain_rtp, ==, rows[n].plain);
	}
}

static void wrong_rows_are_named(gconstpointer data)
{
	const char *const *row = data;
	struct gw_trunks t = { 0 };
	g_autofree char *why = NULL;
	g_assert_false(read_rows(row[0], row[1], &t, &why));
	g_assert_nonnull(strstr(why, row[2]));
	gw_trunks_clear(&t);
}

int main(int argc, char **argv)
{
	static const char *const wrong[][3] = {
		{ "name=a colour=red", "", "colour" }, { "name=a port=x", "", "port" },	     { "name=a md5=maybe", "", "md5" },
		{ "name", "", "name" },		       { "name='a", "", "quotes" },	     { "", "name=city", "address" },
		{ "name=a port=70000", "", "port" },   { "", "address=sip:x", "name" },
	};
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/gateway/app/trunks/rows_become_zones_and_trunks", rows_become_zones_and_trunks);
	g_test_add_func("/gateway/app/trunks/what_a_zone_leaves_unsaid", what_a_zone_leaves_unsaid);
	for (unsigned n = 0; n < G_N_ELEMENTS(wrong); n++) {
		g_autofree char *path = g_strdup_printf("/gateway/app/trunks/wrong/%s_%u", wrong[n][2], n);
		g_test_add_data_func(path, wrong[n], wrong_rows_are_named);
	}
	return g_test_run();
}
