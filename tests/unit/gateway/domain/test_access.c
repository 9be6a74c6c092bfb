/* Data rights by division and four eyes, in virtual time. */
#include "tests/unit/gateway/domain/world.h"

static void put(struct world *w, const char *kind, json_t *item)
{
	g_assert_true(gw_directory_put(w->d, "u:a", kind, item, w->now, NULL));
	json_decref(item);
}

/* city > east > sumu, city > west; a site in each */
static void tree(struct world *w)
{
	static const char *const divisions[][2] = { { "city", NULL }, { "east", "city" }, { "sumu", "east" }, { "west", "city" } };
	world_init(w);
	for (unsigned n = 0; n < G_N_ELEMENTS(divisions); n++) {
		g_autofree char *site = g_strconcat("s-", divisions[n][0], NULL), *address = g_strconcat("sip:", divisions[n][0], "@h", NULL);
		put(w, "division", json_pack("{s:s,s:s,s:s*}", "id", divisions[n][0], "name", divisions[n][0], "parent", divisions[n][1]));
		put(w, "site", json_pack("{s:s,s:s,s:s,s:s}", "id", site, "name", site, "division", divisions[n][0], "address", address));
	}
}

static const char *incident_of(struct world *w, const char *division)
{
	struct gw_incident_facts f = { .kind = "fire", .place = "here", .level = 2 };
	gw_access_acting(w->d, division);
	const char *id = gw_incident_open(w->d, "u:a", &f, w->now, NULL);
	gw_access_acting(w->d, NULL);
	return id;
}

static bool reads(const struct world *w, const char *who, const char *kind, const char *id)
{
	return gw_access_may(w->d, who, kind, id, false);
}

static bool commands(const struct world *w, const char *who, const char *kind, const char *id)
{
	return gw_access_may(w->d, who, kind, id, true);
}

static void own_tree(void)
{
	struct world w;
	tree(&w);
	const char *east = incident_of(&w, "east"), *house = incident_of(&w, NULL);
	struct gw_conference_facts c = { .name = "c" };
	gw_access_acting(w.d, "sumu");
	const char *conference = gw_conference_open(w.d, "u:a", &c, w.now, NULL);
	gw_access_acting(w.d, NULL);
	static const struct { const char *who, *kind, *id; bool want; } rows[] = {
		{ "east", "site", "s-east", true },   { "east", "site", "s-sumu", true },  { "east", "site", "s-west", false },
		{ "east", "site", "s-city", false },  { "sumu", "site", "s-east", false }, { "city", "site", "s-sumu", true },
		{ NULL, "site", "s-west", true },     { "", "site", "s-west", true },	   { "west", "division", "sumu", false },
		{ "east", "division", "sumu", true }, { "west", "site", "unknown", true }, { "west", "address", "sip:sumu@h", false },
		{ "east", "address", "sip:sumu@h", true }, { "west", "address", "sip:x@y", true }, { "east", "wall", "w-1", false },
		{ "east", "site", "", false },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_assert_cmpint(commands(&w, rows[n].who, rows[n].kind, rows[n].id), ==, rows[n].want);
	}
	g_assert_true(commands(&w, "east", "incident", east));
	g_assert_false(reads(&w, "west", "incident", east));
	g_assert_false(reads(&w, "east", "incident", house));
	g_assert_true(commands(&w, "east", "conference", conference));
	g_assert_false(commands(&w, "west", "conference", conference));
	world_finish(&w);
}

static void parts_go_with_the_whole(void)
{
	struct world w;
	const char *link, *scene;
	int64_t expires_ms;
	tree(&w);
	const char *incident = incident_of(&w, "east");
	g_assert_true(gw_link_issue(w.d, "u:a", incident, NULL, "Bat", w.now, &link, &scene, &expires_ms, NULL));
	g_autofree char *video = g_strconcat(scene, ".video", NULL);
	static const char *const kinds[] = { "scene", "stream", "link" };
	const char *const ids[] = { scene, video, link };
	for (unsigned n = 0; n < G_N_ELEMENTS(kinds); n++) {
		g_assert_true(commands(&w, "east", kinds[n], ids[n]));
		g_assert_false(reads(&w, "west", kinds[n], ids[n]));
	}
	gw_access_acting(w.d, "east");
	struct gw_conference_facts c = { .name = "c", .number = "7001" };
	g_autofree char *conference = g_strdup(gw_conference_open(w.d, "u:a", &c, w.now, NULL));
	gw_access_acting(w.d, NULL);
	struct gw_party_facts p = { .name = "P", .address = "sip:p@h", .kind = GW_PARTY_SIP };
	const char *party = gw_party_call(w.d, "u:a", conference, &p, w.now, NULL);
	g_autofree char *mix = g_strdup_printf("mix.%s.v.program.H264.720", conference);
	g_assert_true(reads(&w, "east", "party", party));
	g_assert_false(reads(&w, "west", "party", party));
	g_assert_false(reads(&w, "west", "stream", mix));
	g_assert_true(reads(&w, "east", "stream", mix));
	g_assert_false(reads(&w, "west", "conference", "7001"));
	g_assert_true(reads(&w, "east", "conference", "7001"));
	world_finish(&w);
}

static const char *share(struct world *w, const char *kind, const char *object, const char *to, bool command)
{
	const char *id = gw_access_share(w->d, "u:a", &(struct gw_share_facts){ kind, object, to, command }, w->now, NULL);
	g_assert_nonnull(id);
	return id;
}

static void shares(void)
{
	struct world w;
	tree(&w);
	g_autofree char *incident = g_strdup(incident_of(&w, "east"));
	g_autofree char *id = g_strdup(share(&w, "incident", incident, "west", false));
	g_assert_true(reads(&w, "west", "incident", incident));
	g_assert_false(commands(&w, "west", "incident", incident));
	g_assert_cmpstr(share(&w, "incident", incident, "west", true), ==, id);
	g_assert_true(commands(&w, "west", "incident", incident));
	g_assert_true(gw_access_unshare(w.d, "u:a", id, w.now, NULL));
	g_assert_false(reads(&w, "west", "incident", incident));
	(void)share(&w, "site", "s-sumu", "west", true);
	g_assert_true(commands(&w, "west", "site", "s-sumu"));
	g_assert_false(reads(&w, "west", "site", "s-east"));
	(void)share(&w, "division", "east", "west", false);
	g_assert_true(reads(&w, "west", "site", "s-east"));
	g_assert_true(reads(&w, "west", "incident", incident));
	g_assert_false(commands(&w, "west", "incident", incident));
	/* with a division below: who commands that one sees it too, its neighbours do not */
	(void)share(&w, "site", "s-west", "sumu", false);
	g_assert_true(reads(&w, "sumu", "site", "s-west"));
	g_assert_true(reads(&w, "east", "site", "s-west"));
	GError *err = NULL;
	g_assert_null(gw_access_share(w.d, "u:a", &(struct gw_share_facts){ "site", "none", "west", false }, w.now, &err));
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND);
	g_clear_error(&err);
	g_assert_null(gw_access_share(w.d, "u:a", &(struct gw_share_facts){ "party", "p", "west", false }, w.now, &err));
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID);
	g_clear_error(&err);
	world_finish(&w);
}

static void all_is_replayed(void)
{
	struct world w;
	static const struct gw_domain_ops ops = { world_act };
	tree(&w);
	g_autofree char *incident = g_strdup(incident_of(&w, "east"));
	(void)share(&w, "incident", incident, "west", false);
	g_assert_true(gw_access_own(w.d, "u:a", "wall", "w-1", "west", w.now, NULL));
	gw_domain *again = gw_domain_new(&ops, "boot-a", &w);
	world_replay_into(&w, again, w.now);
	g_assert_true(gw_access_may(again, "west", "incident", incident, false));
	g_assert_false(gw_access_may(again, "west", "incident", incident, true));
	g_assert_true(gw_access_may(again, "west", "wall", "w-1", true));
	g_assert_false(gw_access_may(again, "east", "wall", "w-1", false));
	gw_domain_free(again);
	world_finish(&w);
}

/* ---- four eyes ---- */
static const struct gw_approval_facts by_ann = { "account:ann", "log.export", "00ff", "{}" };

static bool decide(struct world *w, const char *by, const char *id, bool yes, int *ret_code)
{
	GError *err = NULL;
	bool ok = gw_approval_decide(w->d, "u:x", by, id, yes, w->now, &err);
	*ret_code = err != NULL ? err->code : -1;
	g_clear_error(&err);
	return ok;
}

static void another_one_approves_and_it_is_used_once(void)
{
	struct world w;
	int code;
	world_init(&w);
	g_assert_false(gw_approval_use(w.d, "u:ann", &by_ann, w.now));
	g_autofree char *id = g_strdup(gw_approval_ask(w.d, "u:ann", &by_ann, w.now, NULL));
	g_assert_cmpstr(gw_approval_ask(w.d, "u:ann", &by_ann, w.now, NULL), ==, id);
	g_assert_false(gw_approval_use(w.d, "u:ann", &by_ann, w.now));
	g_assert_false(decide(&w, "account:ann", id, true, &code));
	g_assert_cmpint(code, ==, GW_DOMAIN_CONFLICT);
	g_assert_true(decide(&w, "account:bob", id, true, &code));
	struct gw_approval_facts other = by_ann;
	other.digest = "0100";
	g_assert_false(gw_approval_use(w.d, "u:ann", &other, w.now));
	other = by_ann;
	other.subject = "account:bob";
	g_assert_false(gw_approval_use(w.d, "u:bob", &other, w.now));
	g_assert_true(gw_approval_use(w.d, "u:ann", &by_ann, w.now));
	g_assert_false(gw_approval_use(w.d, "u:ann", &by_ann, w.now));
	world_finish(&w);
}

static void too_late_is_too_late(void)
{
	struct world w;
	int code;
	world_init(&w);
	g_autofree char *id = g_strdup(gw_approval_ask(w.d, "u:ann", &by_ann, w.now, NULL));
	world_until(&w, 599);
	g_assert_true(decide(&w, "account:bob", id, true, &code));
	world_until(&w, 601);
	g_assert_false(gw_approval_use(w.d, "u:ann", &by_ann, w.now));
	g_autofree char *second = g_strdup(gw_approval_ask(w.d, "u:ann", &by_ann, w.now, NULL));
	g_assert_cmpstr(second, !=, id);
	g_assert_true(decide(&w, "account:ann", second, false, &code));	/* taken back by who asked */
	g_assert_false(decide(&w, "account:bob", second, true, &code));
	g_assert_cmpint(code, ==, GW_DOMAIN_STATE);
	g_autoptr(json_t) list = gw_approval_list(w.d);
	g_assert_cmpstr(json_string_value(json_object_get(json_array_get(list, 0), "state")), ==, "refused");
	g_assert_cmpstr(json_string_value(json_object_get(json_array_get(list, 1), "state")), ==, "expired");
	world_finish(&w);
}

static void a_restart_keeps_what_waits(void)
{
	struct world w;
	static const struct gw_domain_ops ops = { world_act };
	int code;
	world_init(&w);
	g_autofree char *id = g_strdup(gw_approval_ask(w.d, "u:ann", &by_ann, w.now, NULL));
	g_assert_true(decide(&w, "account:bob", id, true, &code));
	gw_domain *again = gw_domain_new(&ops, "boot-a", &w);
	world_replay_into(&w, again, w.now);
	gw_domain_replay_done(again, w.now);
	g_assert_true(gw_approval_use(again, "u:ann", &by_ann, w.now));
	gw_domain_free(again);
	world_finish(&w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/access/own_tree", own_tree);
	g_test_add_func("/access/parts", parts_go_with_the_whole);
	g_test_add_func("/access/shares", shares);
	g_test_add_func("/access/replay", all_is_replayed);
	g_test_add_func("/approval/once", another_one_approves_and_it_is_used_once);
	g_test_add_func("/approval/late", too_late_is_too_late);
	g_test_add_func("/approval/replay", a_restart_keeps_what_waits);
	return g_test_run();
}
