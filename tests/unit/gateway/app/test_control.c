/* Conference control as media: who is fed what while something is broadcast, who waits, who is looped. */
#include "tests/unit/gateway/app/house.h"

struct room { struct house h; const char *id, *a, *b, *c; };

static void room_init(struct room *r)
{
	house_init(&r->h);
	r->id = open_conference(&r->h, NULL);
	r->a = call(&r->h, r->id, "sip:a@x");
	r->b = call(&r->h, r->id, "sip:b@x");
	r->c = call(&r->h, r->id, "sip:c@x");
	answers(&r->h, r->a);
	answers(&r->h, r->b);
	answers(&r->h, r->c);
	g_assert_true(gw_chair_grant(r->h.app->domain, "u:duty", r->id, r->c, gw_app_now(), NULL));
	settle();
}

static void assert_fed(struct room *r, const char *party, const char *slot, const char *wanted)
{
	settle();
	g_assert_cmpstr(gw_app_mix_fed(r->h.app, party, slot), ==, wanted);
}

static char *stream(struct room *r, const char *party, const char *kind)
{
	return g_strdup_printf("%s.%s", leg_of(&r->h, party)->party, kind);
}

static void broadcast_feeds_all_the_program_and_the_source_its_chair(void)
{
	struct room r;
	room_init(&r);
	gw_domain *d = r.h.app->domain;
	g_autofree char *chair = stream(&r, r.c, "video"), *source = stream(&r, r.a, "video");
	g_assert_true(gw_view_site(d, "u:duty", r.id, r.b, r.a, gw_app_now(), NULL));
	assert_fed(&r, r.b, "main", source);	/* one picture, untranscoded */
	g_assert_true(gw_broadcast_set(d, "u:duty", r.id, GW_BROADCAST_SITE, r.a, NULL, gw_app_now(), NULL));
	assert_fed(&r, r.b, "main", "mix.conf1.v.program.H264.720");
	assert_fed(&r, r.a, "main", chair);
	g_autofree char *layout = row(&r.h, r.id, "views", "program", "layout");
	g_assert_cmpstr(layout, ==, "\"1\"");
	g_assert_true(gw_broadcast_set(d, "u:duty", r.id, GW_BROADCAST_LECTURE, r.a, NULL, gw_app_now(), NULL));
	assert_fed(&r, r.a, "main", "mix.conf1.v.audience.H264.720");
	g_assert_true(gw_free_discussion(d, "u:duty", r.id, gw_app_now(), NULL));
	assert_fed(&r, r.a, "main", "mix.conf1.v.program.H264.720");
	assert_fed(&r, r.b, "main", source);
	g_assert_cmpuint(count(&r.h, r.id, "views"), ==, 1);	/* the audience's went */
	house_finish(&r.h);
}

static void floor_by_telephone_key_mutes_the_others(void)
{
	struct room r;
	room_init(&r);
	gw_leg_dtmf_came(leg_of(&r.h, r.a), "*");
	gw_leg_dtmf_came(leg_of(&r.h, r.a), "1");
	gw_leg_dtmf_came(leg_of(&r.h, r.b), "*1*2");
	g_autoptr(json_t) o = gw_conference_print(r.h.app->domain, r.id);
	const json_t *hands = json_object_get(json_object_get(o, "control"), "hands");
	g_assert_cmpuint(json_array_size(hands), ==, 1);
	g_assert_true(gw_floor_give(r.h.app->domain, "u:duty", r.id, r.a, gw_app_now(), NULL));
	settle();
	g_autofree char *in_a = stream(&r, r.a, "audio"), *in_b = stream(&r, r.b, "audio"), *in_c = stream(&r, r.c, "audio");
	g_autofree char *a = row(&r.h, r.id, "inputs", in_a, "mute"), *b = row(&r.h, r.id, "inputs", in_b, "mute");
	g_autofree char *c = row(&r.h, r.id, "inputs", in_c, "mute");
	g_assert_cmpstr(a, !=, "true");
	g_assert_cmpstr(b, ==, "true");
	g_assert_cmpstr(c, !=, "true");	/* the chair */
	house_finish(&r.h);
}

static void loop_feeds_a_site_its_own_and_keeps_it_from_the_others(void)
{
	struct room r;
	room_init(&r);
	g_autofree char *audio = stream(&r, r.a, "audio"), *video = stream(&r, r.a, "video");
	g_assert_true(gw_party_loop(r.h.app->domain, "u:duty", r.id, r.a, true, true, gw_app_now(), NULL));
	assert_fed(&r, r.a, "audio", audio);
	assert_fed(&r, r.a, "main", video);
	g_autofree char *mute = row(&r.h, r.id, "inputs", audio, "mute");
	g_assert_cmpstr(mute, ==, "true");
	g_assert_true(gw_party_loop(r.h.app->domain, "u:duty", r.id, r.a, false, false, gw_app_now(), NULL));
	g_autofree char *out = g_strdup_printf("mix.%s.a.%s", r.id, r.a);
	assert_fed(&r, r.a, "audio", out);
	house_finish(&r.h);
}

static void who_waits_hears_tones_only(void)
{
	struct room r;
	unsigned status = 0;
	room_init(&r);
	gw_domain *d = r.h.app->domain;
	g_assert_true(gw_lobby_set(d, "u:duty", r.id, true, gw_app_now(), NULL));
	struct gw_call_in in = { .number = "8001", .from = "sip:late@x", .name = "late", .agent = "Room", .address = "sip:late@x", .kind = GW_PARTY_SIP };
	g_autofree char *prefix = gw_app_call_decide(r.h.app, &in, &status);
	gw_leg *leg = make_leg(&r.h, prefix, prefix, NULL);
	(void)gw_leg_enter(leg, GW_LEG_CALLING, NULL);
	(void)gw_leg_enter(leg, GW_LEG_RINGING, NULL);
	gw_app_call_came(r.h.app, leg);
	publish(leg);
	(void)gw_leg_enter(leg, GW_LEG_UP, NULL);
	settle();
	g_autofree char *late = g_strdup(gw_party_by_address(d, r.id, "sip:late@x"));
	g_assert_true(gw_party_is_waiting(d, late));
	g_autofree char *hears = g_strdup_printf("mix.%s.lobby.a.%s", r.id, late), *heard = g_strdup_printf("mix.%s.a.%s", r.id, late);
	assert_fed(&r, late, "audio", hears);
	assert_fed(&r, late, "main", "mix.conf1.lobby.v");
	g_assert_cmpuint(count(&r.h, r.id, "inputs"), ==, 6);	/* nothing of it is mixed */
	g_assert_true(kit_fake_engine_has_mix(r.h.engine, GW_HALL, "conf1.lobby"));
	g_assert_true(gw_lobby_admit(d, "u:duty", r.id, "*", gw_app_now(), NULL));
	assert_fed(&r, late, "audio", heard);
	g_assert_cmpuint(count(&r.h, r.id, "inputs"), ==, 8);
	g_assert_false(kit_fake_engine_has_mix(r.h.engine, GW_HALL, "conf1.lobby"));
	house_finish(&r.h);
}

static void parts_are_mixes_of_their_own(void)
{
	struct room r;
	room_init(&r);
	gw_domain *d = r.h.app->domain;
	const char *some[] = { r.a, r.b, NULL };
	g_autofree char *part = g_strdup(gw_conference_split(d, "u:duty", r.id, "组", some, gw_app_now(), NULL));
	gw_app_mix_leg(r.h.app, r.a);
	gw_app_mix_leg(r.h.app, r.b);
	settle();
	g_assert_cmpuint(count(&r.h, part, "inputs"), ==, 4);
	g_assert_cmpuint(count(&r.h, r.id, "inputs"), ==, 2);
	g_autofree char *apart = g_strdup_printf("mix.%s.a.%s", part, r.a), *whole = g_strdup_printf("mix.%s.a.%s", r.id, r.a);
	assert_fed(&r, r.a, "audio", apart);
	g_assert_true(gw_conference_rejoin(d, "u:duty", part, gw_app_now(), NULL));
	gw_app_mix_leg(r.h.app, r.a);
	assert_fed(&r, r.a, "audio", whole);
	g_assert_false(kit_fake_engine_has_mix(r.h.engine, GW_HALL, part));
	house_finish(&r.h);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/app/control/broadcast", broadcast_feeds_all_the_program_and_the_source_its_chair);
	g_test_add_func("/app/control/floor", floor_by_telephone_key_mutes_the_others);
	g_test_add_func("/app/control/loop", loop_feeds_a_site_its_own_and_keeps_it_from_the_others);
	g_test_add_func("/app/control/lobby", who_waits_hears_tones_only);
	g_test_add_func("/app/control/parts", parts_are_mixes_of_their_own);
	return g_test_run();
}
