/* Call-and-acknowledge in virtual time: dead numbers, steps and all at once, late words, restart, joining. */
#include "tests/unit/gateway/domain/world.h"

static void put(struct world *w, const char *kind, const char *text)
{
	g_autoptr(json_t) item = json_loads(text, 0, NULL);
	GError *err = NULL;
	g_assert_true(gw_directory_put(w->d, "u:a", kind, item, w->now, &err));
	g_assert_no_error(err);
}

static const char *open_conference(struct world *w, bool drill)
{
	struct gw_conference_facts f = { .name = "c", .number = "8001", .drill = drill };
	return gw_conference_open(w->d, "u:a", &f, w->now, NULL);
}

static const char *open_callack(struct world *w, const char *conference, const char *rows)
{
	g_autoptr(json_t) list = json_loads(rows, 0, NULL);
	GError *err = NULL;
	const char *id = gw_callack_open(w->d, "u:duty", conference, "洪水预警", list, w->now, &err);
	g_assert_no_error(err);
	g_assert_nonnull(id);
	return id;
}

/* A member of one row, or of the whole when row is negative, as text. */
static char *says(struct world *w, const char *id, int row, const char *member)
{
	g_autoptr(json_t) o = gw_callack_print(w->d, id);
	json_t *from = row < 0 ? o : json_array_get(json_object_get(o, "rows"), (size_t)row);
	json_t *v = json_object_get(from, member);
	return json_is_string(v) ? g_strdup(json_string_value(v)) : json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
}

static void expect(struct world *w, const char *id, int row, const char *member, const char *want)
{
	g_autofree char *is = says(w, id, row, member);
	g_assert_cmpstr(is, ==, want);
}

#define THREE "[{\"post\":\"值班\",\"name\":\"甲\",\"ways\":[{\"channel\":\"call\",\"to\":\"sip:a@x\"}]}," \
	      "{\"post\":\"值班\",\"name\":\"乙\",\"ways\":[{\"channel\":\"call\",\"to\":\"sip:b@x\"}]}," \
	      "{\"post\":\"值班\",\"name\":\"丙\",\"ways\":[{\"channel\":\"call\",\"to\":\"sip:c@x\"},{\"channel\":\"sms\",\"to\":\"139\"}]}]"

/* Two dead numbers: the first says nothing for 30 s, the second says at once that it is dead. */
static void third_person_within_90_s(void)
{
	struct world w;
	world_init(&w);
	const char *c = open_conference(&w, false), *id = open_callack(&w, c, THREE);
	expect(&w, id, 0, "state", "sent");
	expect(&w, id, 1, "state", "waiting");
	world_until(&w, 29);
	expect(&w, id, 1, "state", "waiting");
	world_until(&w, 30);
	expect(&w, id, 1, "state", "sent");
	g_assert_true(gw_callack_way(w.d, id, 1, 0, GW_WAY_FAILED, "no such number", w.now));
	expect(&w, id, 2, "state", "sent");	/* not at 60 s: the dead one does not cost time */
	g_assert_true(gw_callack_way(w.d, id, 2, 0, GW_WAY_RINGING, NULL, w.now));
	world_until(&w, 42);
	g_assert_true(gw_callack_ack(w.d, "sip:c@x", id, 2, 0, w.now, NULL));
	expect(&w, id, 2, "state", "acked");
	expect(&w, id, 2, "channel", "call");
	expect(&w, id, 0, "state", "cancelled");
	expect(&w, id, -1, "state", "done");
	g_assert_nonnull(strstr(w.acts->str, "way- "));
	world_until(&w, 300);
	expect(&w, id, -1, "spent", "0");
	world_finish(&w);
}

static void nobody_is_left(void)
{
	struct world w;
	world_init(&w);
	const char *c = open_conference(&w, false), *id = open_callack(&w, c, THREE);
	world_until(&w, 89);
	expect(&w, id, -1, "state", "running");
	world_until(&w, 90);
	expect(&w, id, -1, "state", "done");
	expect(&w, id, -1, "spent", "1");
	g_assert_true(gw_callack_ack(w.d, "sip:a@x", id, 0, 0, w.now, NULL));	/* late is better than never */
	expect(&w, id, -1, "acked", "1");
	world_finish(&w);
}

/* Two posts at the same time; in the second both persons together. */
static void posts_go_side_by_side(void)
{
	struct world w;
	world_init(&w);
	const char *c = open_conference(&w, false);
	const char *id = open_callack(&w, c,
				      "[{\"post\":\"A\",\"name\":\"1\",\"wait_ms\":10000,\"ways\":[{\"channel\":\"sms\",\"to\":\"1\"}]},"
				      "{\"post\":\"B\",\"name\":\"2\",\"ways\":[{\"channel\":\"sms\",\"to\":\"2\"}]},"
				      "{\"post\":\"B\",\"name\":\"3\",\"together\":true,\"ways\":[{\"channel\":\"sms\",\"to\":\"3\"}]},"
				      "{\"post\":\"A\",\"name\":\"4\",\"ways\":[{\"channel\":\"sms\",\"to\":\"4\"}]}]");
	expect(&w, id, 0, "state", "sent");
	expect(&w, id, 1, "state", "sent");
	expect(&w, id, 2, "state", "sent");
	expect(&w, id, 3, "state", "waiting");
	world_until(&w, 10);
	expect(&w, id, 3, "state", "sent");
	g_assert_true(gw_callack_ack(w.d, "u:x", id, 2, -1, w.now, NULL));
	expect(&w, id, 1, "state", "cancelled");
	expect(&w, id, -1, "state", "running");
	g_assert_true(gw_callack_way(w.d, id, 1, 0, GW_WAY_DELIVERED, NULL, w.now));	/* too late: nothing changes */
	expect(&w, id, 1, "state", "cancelled");
	g_assert_true(gw_callack_close(w.d, "u:duty", id, "enough", w.now, NULL));
	expect(&w, id, 3, "state", "cancelled");
	expect(&w, id, -1, "state", "closed");
	world_finish(&w);
}

static void room_confirms_and_joins(void)
{
	struct world w;
	world_init(&w);
	put(&w, "site", "{\"id\":\"s1\",\"name\":\"东河区\"}");
	struct gw_room_facts room = { "m-1", "PC", "s1", GW_ROOM_ASK };
	g_assert_true(gw_room_put(w.d, "u:a", &room, w.now, NULL));
	const char *c = open_conference(&w, true), *id = open_callack(&w, c, "[{\"site\":\"s1\"}]");
	g_autoptr(json_t) siren = gw_callack_siren(w.d, "device:m-1");
	g_assert_cmpstr(json_string_value(json_object_get(siren, "callack")), ==, id);
	g_assert_true(json_is_true(json_object_get(siren, "drill")));
	g_assert_null(gw_callack_siren(w.d, "device:m-2"));
	g_assert_true(gw_callack_ack(w.d, "device:m-1", id, 0, 0, w.now, NULL));
	g_assert_null(gw_callack_siren(w.d, "device:m-1"));
	const char *party = gw_room_party(w.d, "m-1");
	g_assert_nonnull(party);
	expect(&w, id, 0, "party", party);
	expect(&w, id, 0, "party_state", "calling");
	g_assert_true(gw_room_answers(w.d, "m-1", party));	/* the key that confirmed answers too */
	world_finish(&w);
}

static void restart_goes_on(void)
{
	static const struct gw_domain_ops ops = { world_act };
	struct world w;
	world_init(&w);
	const char *c = open_conference(&w, false);
	g_autofree char *id = g_strdup(open_callack(&w, c, THREE));
	world_until(&w, 31);
	gw_domain *again = gw_domain_new(&ops, "boot-a", &w);
	world_replay_into(&w, again, w.now);
	g_string_truncate(w.acts, 0);
	gw_domain_replay_done(again, w.now);
	g_assert_nonnull(strstr(w.acts->str, "way+"));		/* calls died with the gateway */
	g_autoptr(json_t) a = gw_callack_print(w.d, id), b = gw_callack_print(again, id);
	g_assert_true(json_equal(a, b));
	gw_domain *first = w.d;
	w.d = again;
	world_until(&w, 60);
	expect(&w, id, 2, "state", "sent");
	w.d = first;
	gw_domain_free(again);
	world_finish(&w);
}

static void nonsense_is_refused(void)
{
	static const char *const rows[] = { "[]", "[{}]", "[{\"name\":\"x\"}]", "[{\"site\":\"none\"}]", "[{\"name\":\"x\",\"ways\":[{\"channel\":\"owl\",\"to\":\"1\"}]}]", "7" };
	struct world w;
	world_init(&w);
	const char *c = open_conference(&w, false);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_autoptr(json_t) list = json_loads(rows[n], JSON_DECODE_ANY, NULL);
		g_autoptr(GError) err = NULL;
		g_assert_null(gw_callack_open(w.d, "u:a", c, "t", list, w.now, &err));
		g_assert_nonnull(err);
	}
	g_assert_false(gw_callack_ack(w.d, "u:a", "ca-9", 0, 0, w.now, NULL));
	world_finish(&w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/domain/callack/third", third_person_within_90_s);
	g_test_add_func("/domain/callack/nobody", nobody_is_left);
	g_test_add_func("/domain/callack/posts", posts_go_side_by_side);
	g_test_add_func("/domain/callack/room", room_confirms_and_joins);
	g_test_add_func("/domain/callack/restart", restart_goes_on);
	g_test_add_func("/domain/callack/nonsense", nonsense_is_refused);
	return g_test_run();
}
