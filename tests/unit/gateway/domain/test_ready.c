/* Standing readiness in virtual time: who is called, how long, what each fault costs, and that nobody is shown. */
#include "tests/unit/gateway/domain/world.h"

#define SITES 7

static const char *site_of(int n)
{
	static char id[8];
	g_snprintf(id, sizeof(id), "s%d", n);
	return id;
}

static void fill(struct world *w)
{
	for (int n = 0; n < SITES; n++) {
		g_autofree char *address = g_strdup_printf("sip:%d@x", n);
		json_t *item = json_pack("{s:s,s:s,s:s}", "id", site_of(n), "name", site_of(n), "address", address);
		g_assert_true(gw_directory_put(w->d, "u:a", "site", item, w->now, NULL));
		json_decref(item);
	}
}

static const char *begin(struct world *w)
{
	struct gw_ready_site sites[SITES];
	static char ids[SITES][8];
	GError *err = NULL;
	for (int n = 0; n < SITES; n++) {
		g_strlcpy(ids[n], site_of(n), sizeof(ids[n]));
		sites[n] = (struct gw_ready_site){ ids[n], n != 5, n != 6 };	/* 5 does not answer by itself, 6 is not registered */
	}
	const char *id = gw_ready_open(w->d, "clock", sites, SITES, w->now, &err);
	g_assert_no_error(err);
	return id;
}

static json_t *entry(struct world *w, int n)
{
	static json_t *last;
	json_decref(last);
	last = gw_ready_print(w->d, NULL);
	return json_array_get(json_object_get(last, "entries"), (size_t)n);
}

static int score(struct world *w, int n)
{
	return (int)json_integer_value(json_object_get(entry(w, n), "score"));
}

static const char *first_fault(struct world *w, int n)
{
	return json_string_value(json_object_get(json_array_get(json_object_get(entry(w, n), "faults"), 0), "fault"));
}

struct ring { struct world *w; const char *address; char *party; };

static void find_party(const struct gw_party_info *p, void *ud)
{
	struct ring *r = ud;
	if (g_strcmp0(gw_party_address(r->w->d, p->id), r->address) == 0) {
		r->party = g_strdup(p->id);
	}
}

static char *party_of(struct world *w, const char *conference, int n)
{
	g_autofree char *address = g_strdup_printf("sip:%d@x", n);
	struct ring r = { w, address, NULL };
	gw_conference_parties(w->d, conference, find_party, &r);
	return r.party;
}

static void note_conference(const char *id, void *ud)
{
	*(char **)ud = g_strdup(id);
}

static void answers(struct world *w, const char *party, bool picture, const struct gw_ready_figures *f)
{
	(void)gw_party_state(w->d, party, GW_SITE_CONNECTING, NULL, w->now);
	gw_party_stream(w->d, party, GW_PARTY_VIDEO, picture, w->now);
	gw_party_stream(w->d, party, GW_PARTY_AUDIO, true, w->now);
	g_assert_true(gw_party_state(w->d, party, GW_SITE_PRESENT, NULL, w->now));
	gw_domain_tick(w->d, w->now);
	g_assert_cmpint(gw_ready_turn_us(w->d, party), >=, 0);
	gw_ready_measured(w->d, party, f);
}

static void faults_cost(void)
{
	static const struct gw_ready_figures good = { .bitrate_bps = 900000 }, black = { .black = true, .bitrate_bps = 200000 },
					     lossy = { .loss = 0.05, .bitrate_bps = 900000, .rtt_ms = 400 };
	struct world w;
	world_init(&w);
	fill(&w);
	world_until(&w, 1);
	g_autofree char *id = g_strdup(begin(&w));
	g_autoptr(json_t) conferences = gw_conference_list(w.d, true, 10);
	g_assert_cmpuint(json_array_size(conferences), ==, 0);	/* nobody is shown it */
	g_autofree char *c = NULL;
	gw_conference_foreach_open(w.d, note_conference, &c);
	g_assert_true(gw_ready_is(w.d, c));
	g_autofree char *p0 = party_of(&w, c, 0), *p1 = party_of(&w, c, 1), *p2 = party_of(&w, c, 2), *p3 = party_of(&w, c, 3);
	g_assert_nonnull(p3);
	g_autofree char *p4 = party_of(&w, c, 4);
	g_assert_null(p4);				/* four at once */
	answers(&w, p0, true, &good);
	answers(&w, p1, true, &black);
	answers(&w, p2, true, &lossy);
	(void)gw_party_state(w.d, p3, GW_SITE_RINGING, NULL, w.now);
	(void)gw_party_state(w.d, p3, GW_SITE_REFUSED, "busy", w.now);
	gw_domain_tick(w.d, w.now);
	g_assert_cmpint(score(&w, 3), ==, 0);
	g_assert_cmpstr(first_fault(&w, 3), ==, "no_answer");
	g_assert_cmpint(score(&w, 5), ==, 80);
	g_assert_cmpstr(first_fault(&w, 5), ==, "not_tested");
	g_assert_cmpstr(first_fault(&w, 6), ==, "not_registered");
	world_until(&w, 9);
	g_assert_cmpint(score(&w, 0), ==, 100);
	g_assert_cmpint(score(&w, 1), ==, 55);
	g_assert_cmpstr(first_fault(&w, 1), ==, "black");
	g_assert_cmpint(score(&w, 2), ==, 75);
	world_until(&w, 60);				/* the fifth never answers */
	g_assert_cmpint(score(&w, 4), ==, 0);
	g_autoptr(json_t) all = gw_ready_print(w.d, id);
	g_assert_cmpstr(json_string_value(json_object_get(all, "state")), ==, "closed");
	g_assert_cmpint(json_integer_value(json_object_get(all, "failing")), ==, 4);
	g_assert_false(gw_conference_is_open(w.d, c));
	world_finish(&w);
}

static void restart_goes_on(void)
{
	static const struct gw_domain_ops ops = { world_act };
	struct world w;
	world_init(&w);
	fill(&w);
	(void)begin(&w);
	world_until(&w, 5);
	gw_domain *again = gw_domain_new(&ops, "boot-a", &w);
	world_replay_into(&w, again, w.now);
	gw_domain_replay_done(again, w.now);
	gw_domain *first = w.d;
	w.d = again;
	world_until(&w, 200);
	g_autoptr(json_t) all = gw_ready_print(again, NULL);
	g_assert_cmpstr(json_string_value(json_object_get(all, "state")), ==, "closed");
	w.d = first;
	gw_domain_free(again);
	world_finish(&w);
}

static void one_at_a_time(void)
{
	struct world w;
	GError *err = NULL;
	world_init(&w);
	fill(&w);
	(void)begin(&w);
	g_assert_null(gw_ready_open(w.d, "u:a", &(struct gw_ready_site){ "s0", true, true }, 1, w.now, &err));
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_CONFLICT);
	g_clear_error(&err);
	world_finish(&w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/domain/ready/faults", faults_cost);
	g_test_add_func("/domain/ready/restart", restart_goes_on);
	g_test_add_func("/domain/ready/one", one_at_a_time);
	return g_test_run();
}
