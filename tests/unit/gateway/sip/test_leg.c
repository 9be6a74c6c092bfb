/* The conformance suite of legs over SIP: one stack of ours calls another, which is a trunk of its. */
#include <string.h>

#include "tests/kit/fake_leg.h"
#include "tests/unit/gateway/sip/sip_rig.h"

static struct rig rig;

static gw_leg *make(const struct gw_leg_listener *listener, void *user_data, void *data)
{
	static unsigned n;
	g_autofree char *id = g_strdup_printf("leg-%u", ++n);
	g_clear_pointer(&rig.b.in, gw_leg_free);
	gw_leg *leg = gw_sip_call(rig.a.sip, id, "p-1", NULL);
	g_assert_nonnull(leg);
	leg->listener = listener;
	leg->user_data = user_data;
	return leg;
}

static void connect_them(struct call *c)
{
	g_assert_cmpint(gw_leg_answer(rig.b.in), ==, 0);
	WAIT(c->leg.fsm.state == GW_LEG_CONNECTING && c->confirmed && c->exchange == X_IDLE);
}

static void peer(gw_leg *leg, const char *act, void *data)
{
	struct call *c = (struct call *)leg;
	if (strcmp(act, "ring") == 0) {
		WAIT(leg->fsm.state == GW_LEG_RINGING && rig.b.in != NULL);
	} else if (strcmp(act, "connect") == 0) {
		connect_them(c);
	} else if (strcmp(act, "media") == 0 && c->media != NULL) {
		fake_media_up(c->media);
	} else if (strcmp(act, "drop") == 0) {
		gw_leg_hangup(rig.b.in, "dropped");
		WAIT(leg->fsm.state == GW_LEG_ENDED);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	memset(&rig, 0, sizeof(rig));
	const struct gw_sip_trunk trusted = { .name = "a", .address = "sip:127.0.0.1:9;transport=tcp" };
	end_open(&rig.b, NULL, &trusted, 1);
	g_autofree char *uri = end_uri(&rig.b, "0");
	const struct gw_sip_trunk to_b = { .name = "b", .address = uri };
	end_open(&rig.a, NULL, &to_b, 1);
	fake_media.auto_up = false;
	static const struct gw_leg_suite suite = { "sip", make, peer, "audio", NULL };
	gw_leg_suite_add(&suite);
	int failed = g_test_run();
	g_clear_pointer(&rig.b.in, gw_leg_free);
	rig_close(&rig);
	return failed;
}
