/* Call-and-acknowledge by telephone, with fake legs: the digit 1 lets in by the same call; dead numbers pass the turn on. */
#include "tests/unit/gateway/app/house.h"

static const char *open_callack(struct house *h, const char *conference, const char *rows)
{
	g_autoptr(json_t) list = json_loads(rows, 0, NULL);
	GError *err = NULL;
	const char *id = gw_callack_open(h->app->domain, "u:duty", conference, "t", list, gw_app_now(), &err);
	g_assert_no_error(err);
	settle();
	return id;
}

static char *state(struct house *h, const char *id, size_t row)
{
	g_autoptr(json_t) o = gw_callack_print(h->app->domain, id);
	return g_strdup(json_string_value(json_object_get(json_array_get(json_object_get(o, "rows"), row), "state")));
}

#define EXPECT(h, id, row, want)                                                                                       \
	do {                                                                                                           \
		g_autofree char *is = state(h, id, row);                                                               \
		g_assert_cmpstr(is, ==, want);                                                                         \
	} while (0)

/* The leg that is called now, there is one. */
static gw_leg *the_leg(struct house *h)
{
	GHashTableIter it;
	gpointer leg;
	gw_leg *found = NULL;
	g_hash_table_iter_init(&it, h->legs);
	while (g_hash_table_iter_next(&it, NULL, &leg)) {
		found = leg;
	}
	g_assert_nonnull(found);
	g_hash_table_remove_all(h->legs);
	return found;
}

static void digit_lets_in(void)
{
	struct house h;
	house_init(&h);
	const char *c = open_conference(&h, NULL);
	const char *id = open_callack(&h, c, "[{\"name\":\"甲\",\"ways\":[{\"channel\":\"call\",\"to\":\"sip:a@x\"}]}]");
	gw_leg *leg = the_leg(&h);
	g_autofree char *prefix = g_strdup(leg->party);
	(void)gw_leg_enter(leg, GW_LEG_RINGING, NULL);
	EXPECT(&h, id, 0, "ringing");
	(void)gw_leg_enter(leg, GW_LEG_CONNECTING, NULL);
	publish(leg);
	(void)gw_leg_enter(leg, GW_LEG_UP, NULL);
	settle();
	EXPECT(&h, id, 0, "answered");
	g_assert_cmpuint(count(&h, c, "inputs"), ==, 0);	/* nobody hears it before */
	g_assert_true(kit_fake_engine_has_mix(h.engine, GW_HALL, prefix));
	gw_leg_dtmf_came(leg, "5");
	EXPECT(&h, id, 0, "answered");
	gw_leg_dtmf_came(leg, "1");
	settle();
	EXPECT(&h, id, 0, "acked");
	const char *party = gw_party_by_address(h.app->domain, c, "sip:a@x");
	g_assert_nonnull(party);
	assert_state(&h, party, GW_SITE_PRESENT);
	g_assert_cmpuint(count(&h, c, "inputs"), ==, 2);
	g_assert_false(kit_fake_engine_has_mix(h.engine, GW_HALL, prefix));
	house_finish(&h);
}

static void busy_passes_on(void)
{
	struct house h;
	house_init(&h);
	const char *c = open_conference(&h, NULL);
	const char *id = open_callack(&h, c,
				      "[{\"post\":\"P\",\"name\":\"甲\",\"ways\":[{\"channel\":\"call\",\"to\":\"sip:a@x\"}]},"
				      "{\"post\":\"P\",\"name\":\"乙\",\"ways\":[{\"channel\":\"call\",\"to\":\"sip:b@x\"},{\"channel\":\"sms\",\"to\":\"1\"}]}]");
	(void)gw_leg_enter(the_leg(&h), GW_LEG_ENDED, "486 Busy Here");
	settle();
	EXPECT(&h, id, 0, "failed");
	EXPECT(&h, id, 1, "sent");	/* its call goes on; no webhook is configured here */
	g_autoptr(json_t) o = gw_callack_print(h.app->domain, id);
	json_t *ways = json_object_get(json_array_get(json_object_get(o, "rows"), 1), "ways");
	g_assert_cmpstr(json_string_value(json_object_get(json_array_get(ways, 1), "state")), ==, "failed");
	gw_leg *second = the_leg(&h);
	g_assert_true(gw_callack_close(h.app->domain, "u:duty", id, "enough", gw_app_now(), NULL));
	g_assert_cmpint(gw_leg_get_state(second), ==, GW_LEG_ENDED);
	settle();
	house_finish(&h);
}

/* Every picture of a drill says so, and none goes past the mixer. */
static void drill_is_written_on_pictures(void)
{
	struct house h;
	house_init(&h);
	struct gw_conference_facts f = { .name = "演练", .number = "8009", .drill = true };
	const char *c = gw_conference_open(h.app->domain, "u:duty", &f, gw_app_now(), NULL);
	g_autofree char *a = g_strdup(call(&h, c, "sip:a@x")), *b = g_strdup(call(&h, c, "sip:b@x"));
	answers(&h, a);
	answers(&h, b);
	g_autofree char *plain = row(&h, c, "views", "program", "banner");
	g_assert_cmpstr(plain, ==, "\"演练\"");
	struct gw_view_look look = { .layout = "2", .banner = "点名" };
	g_assert_true(gw_view_layout(h.app->domain, "u:duty", c, "program", &look, false, gw_app_now(), NULL));
	g_assert_true(gw_party_view(h.app->domain, "u:duty", c, a, b, gw_app_now(), NULL));
	settle();
	g_autofree char *both = row(&h, c, "views", "program", "banner");
	g_assert_cmpstr(both, ==, "\"演练 · 点名\"");
	g_assert_true(g_str_has_prefix(gw_app_mix_fed(h.app, a, "main"), "mix."));
	house_finish(&h);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/app/callack/digit", digit_lets_in);
	g_test_add_func("/app/callack/busy", busy_passes_on);
	g_test_add_func("/app/callack/drill", drill_is_written_on_pictures);
	return g_test_run();
}
