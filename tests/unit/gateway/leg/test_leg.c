/* The conformance suite of legs over the fake, and the state table itself. */
#include "tests/kit/fake_leg.h"

static gw_leg *make(const struct gw_leg_listener *listener, void *user_data, void *rig)
{
	return gw_fake_leg_new("leg-1", listener, user_data);
}

static void peer(gw_leg *leg, const char *act, void *rig)
{
	gw_fake_leg_peer(leg, act);
}

static void every_state_leads_to_the_end(void)
{
	for (int s = 0; s < GW_LEG_ENDED; s++) {
		g_assert_true((gw_leg_table.states[s].leads_to & ORT_BIT(GW_LEG_ENDED)) != 0);
	}
	g_assert_cmpuint(gw_leg_table.states[GW_LEG_ENDED].leads_to, ==, 0);
}

int main(int argc, char **argv)
{
	static const struct gw_leg_suite fake = { "fake", make, peer, "main", NULL };
	g_test_init(&argc, &argv, NULL);
	gw_leg_suite_add(&fake);
	g_test_add_func("/leg/table/every_state_leads_to_the_end", every_state_leads_to_the_end);
	return g_test_run();
}
