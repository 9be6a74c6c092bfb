/* Rooms that have only a browser: how they are found, what they answer by themselves, and a restart in the middle of a call. */
#include "tests/unit/gateway/domain/world.h"

static void put_site(struct world *w, const char *id, const char *address)
{
	json_t *item = json_pack("{s:s,s:s,s:s}", "id", id, "name", id, "address", address);
	g_assert_true(gw_directory_put(w->d, "u:a", "site", item, w->now, NULL));
	json_decref(item);
}

static void put_room(struct world *w, const char *device, const char *site, enum gw_room_answer answer)
{
	struct gw_room_facts f = { device, "PC", site, answer };
	GError *err = NULL;
	g_assert_true(gw_room_put(w->d, "u:a", &f, w->now, &err));
	g_assert_no_error(err);
}

static const char *open_conference(struct world *w)
{
	struct gw_conference_facts f = { .name = "c", .number = "8001" };
	return gw_conference_open(w->d, "u:a", &f, w->now, NULL);
}

static const char *call_site(struct world *w, const char *conference, const char *site)
{
	struct gw_party_facts f = { .site = site, .kind = GW_PARTY_SIP };
	return gw_party_call(w->d, "u:a", conference, &f, w->now, NULL);
}

static void site_rings_its_room(void)
{
	struct world w;
	GError *err = NULL;
	world_init(&w);
	put_site(&w, "s1", "");
	put_site(&w, "s2", "sip:own@x");
	put_room(&w, "m-1", "s1", GW_ROOM_ASK);
	put_room(&w, "m-2", "s2", GW_ROOM_ASK);
	const char *c = open_conference(&w), *a = call_site(&w, c, "s1"), *b = call_site(&w, c, "s2");
	g_assert_cmpstr(gw_party_address(w.d, a), ==, "device:m-1");
	g_assert_cmpstr(gw_party_address(w.d, b), ==, "sip:own@x");	/* what the directory says goes first */
	g_assert_cmpstr(gw_room_party(w.d, "m-1"), ==, a);
	g_assert_null(gw_room_party(w.d, "m-2"));
	g_autoptr(json_t) p = gw_party_print(w.d, a);
	g_assert_cmpstr(json_string_value(json_object_get(p, "kind")), ==, "room");
	struct gw_room_facts bad = { "m-3", "PC", "nowhere", GW_ROOM_ASK };
	g_assert_false(gw_room_put(w.d, "u:a", &bad, w.now, &err));
	g_clear_error(&err);
	world_finish(&w);
}

static void policy_says_what_it_answers(void)
{
	static const char *const sites[] = { "s1", NULL };
	struct world w;
	world_init(&w);
	put_site(&w, "s1", "");
	const char *c = open_conference(&w);
	put_room(&w, "m-1", "s1", GW_ROOM_ROLLCALL);
	const char *p = call_site(&w, c, "s1");
	g_assert_false(gw_room_answers(w.d, "m-1", p));
	struct gw_rollcall_facts f = { .conference = c, .name = "r", .sites = sites };
	g_assert_nonnull(gw_rollcall_open(w.d, "u:a", &f, w.now, NULL));
	g_assert_true(gw_room_answers(w.d, "m-1", p));
	put_room(&w, "m-1", "s1", GW_ROOM_ASK);
	g_assert_false(gw_room_answers(w.d, "m-1", p));
	put_room(&w, "m-1", "s1", GW_ROOM_AUTO);
	g_assert_true(gw_room_answers(w.d, "m-1", p));
	g_assert_true(gw_room_remove(w.d, "u:a", "m-1", w.now, NULL));
	g_assert_false(gw_room_known(w.d, "device:m-1"));
	world_finish(&w);
}

/* Its page and the engine live on: it is waited for; one that only rang is rung again. */
static void restart_keeps_the_call(void)
{
	struct world w;
	static const struct gw_domain_ops ops = { world_act };
	world_init(&w);
	put_site(&w, "s1", "");
	put_site(&w, "s2", "");
	put_room(&w, "m-1", "s1", GW_ROOM_AUTO);
	put_room(&w, "m-2", "s2", GW_ROOM_AUTO);
	const char *c = open_conference(&w);
	g_autofree char *a = g_strdup(call_site(&w, c, "s1")), *b = g_strdup(call_site(&w, c, "s2"));
	(void)gw_party_state(w.d, a, GW_SITE_CONNECTING, NULL, w.now);
	(void)gw_party_state(w.d, a, GW_SITE_PRESENT, NULL, w.now);
	(void)gw_party_state(w.d, b, GW_SITE_RINGING, NULL, w.now);
	gw_domain *again = gw_domain_new(&ops, "boot-a", &w);
	world_replay_into(&w, again, w.now);
	g_string_truncate(w.acts, 0);
	gw_domain_replay_done(again, w.now);
	g_assert_cmpint(gw_party_get_state(again, a), ==, GW_SITE_CONNECTING);
	g_assert_cmpstr(gw_room_party(again, "m-1"), ==, a);
	g_assert_cmpint(gw_party_get_state(again, b), ==, GW_SITE_CALLING);
	g_assert_nonnull(strstr(w.acts->str, "dial"));
	gw_domain_free(again);
	world_finish(&w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/domain/room/site", site_rings_its_room);
	g_test_add_func("/domain/room/policy", policy_says_what_it_answers);
	g_test_add_func("/domain/room/restart", restart_keeps_the_call);
	return g_test_run();
}
