/* Calls between two stacks of ours, over real sockets: every order of offers, races, ends. */
#include <string.h>

#include "tests/unit/gateway/sip/sip_rig.h"

static gw_leg *call_up(struct rig *r, const char *user)
{
	g_autofree char *uri = end_uri(&r->b, user);
	gw_leg *leg = rig_dial(&r->a, uri);
	WAIT(state_of(leg) == GW_LEG_UP && r->b.in != NULL && state_of(r->b.in) == GW_LEG_UP);
	return leg;
}

static struct sip_media *media_of(gw_leg *leg)
{
	return ((struct call *)leg)->media;
}

static void comes_up_and_ends(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	gw_leg *leg = call_up(&r, "1001");
	g_assert_cmpstr(r.b.number, ==, "1001");
	g_assert_cmpstr(r.b.trunk, ==, "a");
	g_assert_cmpuint(r.a.streams, ==, 1);
	gw_leg_hangup(leg, "test");
	WAIT(r.b.ended == 1);
	g_assert_cmpstr(r.b.why, ==, "the peer hung up");
	g_assert_cmpuint(r.a.ended, ==, 0);
	gw_leg_free(leg);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

static void the_called_side_hangs_up(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	gw_leg *leg = call_up(&r, "1001");
	gw_leg_free(r.b.in);
	WAIT(r.a.ended == 1);
	gw_leg_free(leg);
	rig_close(&r);
}

static void late_offer(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	g_autofree char *uri = end_uri(&r.b, "1001"), *late = g_strconcat(uri, ";late-offer", NULL);
	gw_leg *leg = rig_dial(&r.a, late);
	WAIT(state_of(leg) == GW_LEG_UP && r.b.in != NULL && state_of(r.b.in) == GW_LEG_UP);
	g_assert_cmpuint(fake_media_exchanges(media_of(leg)), ==, 1);
	gw_leg_free(leg);
	WAIT(r.b.ended == 1);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

static void is_refused_in_words(void)
{
	static const struct { unsigned status; const char *why; } rows[] = {
		{ 404, "no such number there (404)" }, { 486, "busy (486)" }, { 403, "not allowed there (403)" },
	};
	struct rig r;
	rig_open(&r, NULL, 0);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		r.b.refuse = rows[n].status;
		g_autofree char *uri = end_uri(&r.b, "9");
		gw_leg *leg = rig_dial(&r.a, uri);
		WAIT(r.a.ended == n + 1);
		g_assert_cmpstr(r.a.why, ==, rows[n].why);
		gw_leg_free(leg);
	}
	rig_close(&r);
}

static void is_cancelled_while_it_rings(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	r.b.auto_answer = false;
	g_autofree char *uri = end_uri(&r.b, "1001");
	gw_leg *leg = rig_dial(&r.a, uri);
	WAIT(state_of(leg) == GW_LEG_RINGING);
	gw_leg_hangup(leg, "test");
	WAIT(r.b.ended == 1);
	g_assert_cmpstr(r.b.why, ==, "cancelled by the caller");
	WAIT(g_hash_table_size(r.a.sip->farewells) == 0);
	gw_leg_free(leg);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

/* CANCEL and 200 cross: the caller has hung up when the answer comes, so it is acknowledged and ended. */
static void a_late_answer_is_taken_down(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	r.b.auto_answer = false;
	g_autofree char *uri = end_uri(&r.b, "1001");
	gw_leg *leg = rig_dial(&r.a, uri);
	WAIT(state_of(leg) == GW_LEG_RINGING);
	g_assert_cmpint(gw_leg_answer(r.b.in), ==, 0);
	struct call *b = (struct call *)r.b.in;
	while (!b->replied) {	/* only b's half of the loop's work: a must not see the 200 before it hangs up */
		(void)g_main_context_iteration(NULL, FALSE);
	}
	gw_leg_hangup(leg, "test");
	gw_leg_free(leg);
	WAIT(r.b.ended == 1);
	WAIT(g_hash_table_size(r.a.sip->farewells) == 0);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

static void is_declined_before_the_answer(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	r.b.auto_answer = false;
	g_autofree char *uri = end_uri(&r.b, "1001");
	gw_leg *leg = rig_dial(&r.a, uri);
	WAIT(r.b.in != NULL);
	gw_leg_hangup(r.b.in, "486 busy");
	WAIT(r.a.ended == 1);
	g_assert_cmpstr(r.a.why, ==, "busy (486)");
	gw_leg_free(leg);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

static void hold_and_resume(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	gw_leg *leg = call_up(&r, "1001");
	g_assert_cmpint(gw_leg_hold(leg, true), ==, 0);
	WAIT(state_of(r.b.in) == GW_LEG_HELD);
	g_assert_cmpint(gw_leg_hold(leg, false), ==, 0);
	WAIT(state_of(r.b.in) == GW_LEG_UP);
	gw_leg_free(leg);
	WAIT(r.b.ended == 1);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

/* Both sides offer at once: each gets 491, waits its time, and both offers go through in the end. */
static void glare(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	gw_leg *leg = call_up(&r, "1001");
	unsigned a = fake_media_exchanges(media_of(leg)), b = fake_media_exchanges(media_of(r.b.in));
	call_reoffer((struct call *)leg);
	call_reoffer((struct call *)r.b.in);
	WAIT(fake_media_exchanges(media_of(leg)) >= a + 2 && fake_media_exchanges(media_of(r.b.in)) >= b + 2);
	g_assert_cmpint(end_counter(&r.a, "glares") + end_counter(&r.b, "glares"), >=, 2);
	g_assert_cmpint(state_of(leg), ==, GW_LEG_UP);
	gw_leg_free(leg);
	WAIT(r.b.ended == 1);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

static void a_refused_new_offer_leaves_the_call(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	gw_leg *leg = call_up(&r, "1001");
	fake_media.refuse_offer = 488;
	call_reoffer((struct call *)leg);
	WAIT(fake_media_cancelled(media_of(leg)) == 1);
	fake_media.refuse_offer = 0;
	g_assert_cmpint(state_of(leg), ==, GW_LEG_UP);
	g_assert_cmpint(state_of(r.b.in), ==, GW_LEG_UP);
	call_reoffer((struct call *)leg);
	unsigned before = fake_media_exchanges(media_of(leg));
	WAIT(fake_media_exchanges(media_of(leg)) == before + 1);
	gw_leg_free(leg);
	WAIT(r.b.ended == 1);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

static void no_common_codec(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	fake_media.refuse_offer = 488;
	g_autofree char *uri = end_uri(&r.b, "1001");
	gw_leg *leg = rig_dial(&r.a, uri);
	WAIT(r.a.ended == 1 && r.b.ended == 1);
	g_assert_cmpstr(r.a.why, ==, "no common codec (488)");
	gw_leg_free(leg);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

static void lost_media_ends_both(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	gw_leg *leg = call_up(&r, "1001");
	fake_media_fail(media_of(leg), "no packets for 5 s");
	g_assert_cmpuint(r.a.ended, ==, 1);
	WAIT(r.b.ended == 1);
	gw_leg_free(leg);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

static void refer_moves(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	gw_leg *leg = call_up(&r, "1001");
	g_assert_cmpint(gw_sip_refer(leg, "sip:2002@127.0.0.1"), ==, 0);
	WAIT(r.b.refers == 1);
	g_assert_cmpstr(r.b.refer_to, ==, "2002");
	gw_leg_free(leg);
	WAIT(r.b.ended == 1);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

/* Attended transfer: two calls of one peer, the first takes the place of the second. Of a call that is not its own: no. */
static void an_attended_refer_joins_both(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	gw_leg *first = call_up(&r, "1001"), *kept = r.b.in;
	gw_leg *second = call_up(&r, "1002");
	nta_leg_t *dialog = ((struct call *)second)->dialog;
	g_autofree char *good = g_strdup_printf("<sip:x@127.0.0.1?Replaces=%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s&Require=replaces>",
						((struct call *)second)->call_id, nta_leg_get_rtag(dialog), nta_leg_get_tag(dialog));
	g_autofree char *plain = g_strndup(good, strlen(good) - 1), *odd = g_strconcat(plain, "&Subject=x>", NULL);
	const char *const bad[] = { "<sip:x@127.0.0.1?Replaces=foreign%3Bto-tag%3Da%3Bfrom-tag%3Db>", odd };
	for (unsigned n = 0; n < G_N_ELEMENTS(bad); n++) {
		g_assert_nonnull(dialog_send((struct call *)first, SIP_METHOD_REFER, NULL, NULL, bad[n]));
	}
	rig_run(200);
	g_assert_cmpuint(r.b.refers, ==, 0);
	g_assert_nonnull(dialog_send((struct call *)first, SIP_METHOD_REFER, NULL, NULL, good));
	WAIT(r.b.refers == 1 && state_of(second) == GW_LEG_ENDED);
	g_assert_cmpstr(r.b.refer_to, ==, "1002");
	g_assert_cmpint(state_of(first), ==, GW_LEG_UP);
	g_assert_cmpstr(r.b.why, ==, "replaced");
	gw_leg_free(second);
	gw_leg_free(r.b.in);
	gw_leg_free(first);
	WAIT(r.b.ended == 2);
	gw_leg_free(kept);
	rig_close(&r);
}

static void digits_and_pictures_by_info(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	gw_leg *leg = call_up(&r, "1001");
	g_assert_cmpint(dialog_dtmf((struct call *)leg, "12#"), ==, 0);
	WAIT(strcmp(r.b.digits->str, "12#") == 0);
	g_assert_cmpint(gw_leg_feed(r.b.in, "main", "mix.v.program"), ==, 0);
	gw_sip_keyframe(r.a.sip, "p-none.video");
	dialog_keyframe((struct call *)leg);
	WAIT(r.b.methods->len > 0);
	gw_leg_free(leg);
	WAIT(r.b.ended == 1);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

/* b waits for refreshes that do not come; its BYE ends the other side as well. */
static void a_session_that_nobody_refreshes_expires(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	gw_leg *leg = call_up(&r, "1001");
	struct call *b = (struct call *)r.b.in;
	sip_timer_stop(&((struct call *)leg)->timer);
	b->refresher = false;
	b->expires_s = 1;
	session_refreshed(b);
	WAIT(r.b.ended == 1 && r.a.ended == 1);
	g_assert_cmpstr(r.b.why, ==, "the session expired: the peer did not refresh it");
	g_assert_cmpint(end_counter(&r.b, "sessions_expired"), ==, 1);
	gw_leg_free(leg);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

/* a refreshes at half time by UPDATE; b wants no less than 90 s (422), which a takes. */
static void a_session_is_refreshed(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	gw_leg *leg = call_up(&r, "1001");
	struct call *a = (struct call *)leg;
	g_assert_true(a->can_update);
	a->refresher = true;
	a->expires_s = 1;
	session_refreshed(a);
	WAIT(a->expires_s == 90 && a->updating == NULL);
	g_assert_cmpint(state_of(leg), ==, GW_LEG_UP);
	gw_leg_free(leg);
	WAIT(r.b.ended == 1);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

static void ends_when_the_stack_goes(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	gw_leg *leg = call_up(&r, "1001");
	gw_leg *in = r.b.in;
	rig_close(&r);
	g_assert_cmpint(gw_leg_feed(leg, "audio", NULL), <, 0);
	g_autoptr(json_t) print = gw_leg_print(in);
	g_assert_true(json_is_null(json_object_get(print, "zone")));
	gw_leg_free(leg);
	gw_leg_free(in);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip/calls/comes_up_and_ends", comes_up_and_ends);
	g_test_add_func("/sip/calls/the_called_side_hangs_up", the_called_side_hangs_up);
	g_test_add_func("/sip/calls/late_offer", late_offer);
	g_test_add_func("/sip/calls/is_refused_in_words", is_refused_in_words);
	g_test_add_func("/sip/calls/is_cancelled_while_it_rings", is_cancelled_while_it_rings);
	g_test_add_func("/sip/calls/a_late_answer_is_taken_down", a_late_answer_is_taken_down);
	g_test_add_func("/sip/calls/is_declined_before_the_answer", is_declined_before_the_answer);
	g_test_add_func("/sip/calls/hold_and_resume", hold_and_resume);
	g_test_add_func("/sip/calls/glare", glare);
	g_test_add_func("/sip/calls/a_refused_new_offer_leaves_the_call", a_refused_new_offer_leaves_the_call);
	g_test_add_func("/sip/calls/no_common_codec", no_common_codec);
	g_test_add_func("/sip/calls/lost_media_ends_both", lost_media_ends_both);
	g_test_add_func("/sip/calls/refer_moves", refer_moves);
	g_test_add_func("/sip/calls/an_attended_refer_joins_both", an_attended_refer_joins_both);
	g_test_add_func("/sip/calls/digits_and_pictures_by_info", digits_and_pictures_by_info);
	g_test_add_func("/sip/calls/a_session_that_nobody_refreshes_expires", a_session_that_nobody_refreshes_expires);
	g_test_add_func("/sip/calls/a_session_is_refreshed", a_session_is_refreshed);
	g_test_add_func("/sip/calls/ends_when_the_stack_goes", ends_when_the_stack_goes);
	return g_test_run();
}
