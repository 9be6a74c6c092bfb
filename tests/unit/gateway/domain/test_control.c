/* Conference control in virtual time: who is broadcast, who is forced to see it, whose microphone is open, who waits, when it
 * ends. Every case that changes state is replayed into a second domain, which must print the same. */
#include <string.h>

#include "tests/unit/gateway/domain/world.h"

struct hall { struct world w; const char *id, *a, *b, *c, *e; };	/* e is chair */

static const char *enter(struct hall *h, const char *name, const char *actor)
{
	GError *err = NULL;
	g_autofree char *address = g_strdup_printf("sip:%s@x", name);
	struct gw_party_facts f = { .name = name, .address = address, .kind = GW_PARTY_SIP };
	const char *p = gw_party_enter(h->w.d, actor, h->id, &f, h->w.now, &err);
	g_assert_no_error(err);
	g_assert_true(gw_party_state(h->w.d, p, GW_SITE_PRESENT, NULL, h->w.now));
	return p;
}

static void hall_init(struct hall *h)
{
	struct gw_conference_facts f = { .name = "调度会商" };
	world_init(&h->w);
	h->id = gw_conference_open(h->w.d, "u:duty", &f, h->w.now, NULL);
	h->a = enter(h, "a", "gateway");
	h->b = enter(h, "b", "gateway");
	h->c = enter(h, "c", "gateway");
	h->e = enter(h, "e", "gateway");
	g_assert_true(gw_chair_grant(h->w.d, "u:duty", h->id, h->e, h->w.now, NULL));
}

/* What was remembered makes the same conference again. */
static void hall_finish(struct hall *h)
{
	static const struct gw_domain_ops ops = { world_act };
	struct world other = { .records = g_ptr_array_new_with_free_func(kept_free), .acts = g_string_new(NULL), .now = h->w.now };
	gw_domain *d = gw_domain_new(&ops, "boot-a", &other);
	world_replay_into(&h->w, d, h->w.now);
	g_autoptr(json_t) was = gw_conference_print(h->w.d, h->id), is = gw_conference_print(d, h->id);
	g_autofree char *was_text = json_dumps(json_object_get(was, "control"), JSON_SORT_KEYS);
	g_autofree char *is_text = json_dumps(json_object_get(is, "control"), JSON_SORT_KEYS);
	g_assert_cmpstr(is_text, ==, was_text);
	gw_domain_free(d);
	g_ptr_array_unref(other.records);
	g_string_free(other.acts, TRUE);
	world_finish(&h->w);
}

static char *member(struct hall *h, const char *party, const char *name)
{
	g_autoptr(json_t) p = gw_party_print(h->w.d, party);
	const json_t *own = json_object_get(p, name), *control = json_object_get(json_object_get(p, "control"), name);
	const json_t *value = own != NULL ? own : control;
	return json_is_string(value) ? g_strdup(json_string_value(value)) : json_dumps(value, JSON_ENCODE_ANY);
}

static void assert_member(struct hall *h, const char *party, const char *name, const char *wanted)
{
	g_autofree char *is = member(h, party, name);
	g_assert_cmpstr(is, ==, wanted);
}

static void assert_sees(struct hall *h, const char *a, const char *b, const char *c, const char *e)
{
	assert_member(h, h->a, "sees", a);
	assert_member(h, h->b, "sees", b);
	assert_member(h, h->c, "sees", c);
	assert_member(h, h->e, "sees", e);
}

static void assert_muted(struct hall *h, const char *a, const char *b, const char *c, const char *e)
{
	assert_member(h, h->a, "mic_muted", a);
	assert_member(h, h->b, "mic_muted", b);
	assert_member(h, h->c, "mic_muted", c);
	assert_member(h, h->e, "mic_muted", e);
}

static json_t *control(struct hall *h)
{
	static json_t *last;
	json_decref(last);
	last = gw_conference_print(h->w.d, h->id);
	return json_object_get(last, "control");
}

static const char *of_control(struct hall *h, const char *name)
{
	return json_string_value(json_object_get(control(h), name));
}

static const char *broadcast_mode(struct hall *h)
{
	return json_string_value(json_object_get(json_object_get(control(h), "broadcast"), "mode"));
}

static size_t hands(struct hall *h)
{
	return json_array_size(json_object_get(control(h), "hands"));
}

static void program(const struct gw_view_info *v, void *ud)
{
	if (strcmp(v->id, "program") == 0) {
		*(struct gw_view_info *)ud = *v;
	}
}

static struct gw_view_info program_of(struct hall *h)
{
	struct gw_view_info v = { 0 };
	gw_conference_views(h->w.d, h->id, program, &v);
	return v;
}

#define OK(call) g_assert_true(call)
#define REFUSED(call, code_)                                                                                           \
	do {                                                                                                           \
		GError *err = NULL;                                                                                    \
		g_assert_false(call);                                                                                  \
		g_assert_error(err, GW_DOMAIN_ERROR, code_);                                                           \
		g_error_free(err);                                                                                     \
	} while (0)

/* ---- broadcast ---- */
static void broadcast_forces_all_but_the_chair(void)
{
	struct hall h;
	hall_init(&h);
	OK(gw_view_site(h.w.d, "u:duty", h.id, h.b, h.c, h.w.now, NULL));
	OK(gw_view_site(h.w.d, "u:duty", h.id, h.e, h.b, h.w.now, NULL));
	assert_sees(&h, "program", h.c, "program", h.b);
	OK(gw_broadcast_set(h.w.d, "u:duty", h.id, GW_BROADCAST_SITE, h.a, NULL, h.w.now, NULL));
	assert_sees(&h, h.e, "program", "program", h.b);	/* the source sees the chair, the chair what it chose */
	g_assert_cmpstr(program_of(&h).cell[0].party, ==, h.a);
	REFUSED(gw_view_site(h.w.d, "u:duty", h.id, h.b, h.c, h.w.now, &err), GW_DOMAIN_STATE);
	OK(gw_view_site(h.w.d, "u:duty", h.id, h.e, h.c, h.w.now, NULL));
	OK(gw_main_site(h.w.d, "u:duty", h.id, h.b, h.w.now, NULL));
	assert_sees(&h, h.b, "program", "program", h.c);	/* the main site before the chair */
	OK(gw_broadcast_set(h.w.d, "u:duty", h.id, GW_BROADCAST_NONE, NULL, NULL, h.w.now, NULL));
	assert_sees(&h, "program", h.c, "program", h.c);	/* b sees again what it had chosen */
	hall_finish(&h);
}

static void lost_source_is_awaited_a_gone_one_is_not(void)
{
	struct hall h;
	hall_init(&h);
	OK(gw_broadcast_set(h.w.d, "u:duty", h.id, GW_BROADCAST_SITE, h.a, NULL, h.w.now, NULL));
	OK(gw_party_state(h.w.d, h.a, GW_SITE_FAILED, "line", h.w.now));
	g_assert_cmpstr(program_of(&h).layout, !=, "1");
	g_assert_cmpstr(broadcast_mode(&h), ==, "site");
	OK(gw_party_state(h.w.d, h.a, GW_SITE_CONNECTING, NULL, h.w.now));
	OK(gw_party_state(h.w.d, h.a, GW_SITE_PRESENT, NULL, h.w.now));
	g_assert_cmpstr(program_of(&h).cell[0].party, ==, h.a);
	OK(gw_party_hang_up(h.w.d, "u:duty", h.id, h.a, h.w.now, NULL));
	g_assert_cmpstr(broadcast_mode(&h), ==, "none");
	hall_finish(&h);
}

static void layout_voice_and_lecture(void)
{
	struct hall h;
	hall_init(&h);
	OK(gw_party_view(h.w.d, "u:duty", h.id, h.b, "own", h.w.now, NULL));
	OK(gw_broadcast_set(h.w.d, "u:duty", h.id, GW_BROADCAST_LAYOUT, NULL, "9", h.w.now, NULL));
	g_assert_cmpstr(program_of(&h).layout, ==, "9");
	assert_sees(&h, "program", "program", "program", "program");
	OK(gw_broadcast_set(h.w.d, "u:duty", h.id, GW_BROADCAST_VOICE, NULL, NULL, h.w.now, NULL));
	g_assert_cmpint(program_of(&h).cell[0].mode, ==, GW_CELL_VOICE);
	OK(gw_broadcast_set(h.w.d, "u:duty", h.id, GW_BROADCAST_LECTURE, h.c, NULL, h.w.now, NULL));
	assert_sees(&h, "program", "program", "audience", "program");
	struct gw_view_info v;
	OK(gw_conference_audience(h.w.d, h.id, &v));
	g_assert_cmpstr(v.layout, ==, "3");
	g_assert_cmpstr(v.cell[2].party, ==, h.e);
	for (int n = 0; n < 10; n++) {
		g_autofree char *name = g_strdup_printf("s%d", n);
		(void)enter(&h, name, "gateway");
	}
	OK(gw_conference_audience(h.w.d, h.id, &v));	/* 13 in 9 cells: four take turns with one other */
	g_assert_cmpstr(v.layout, ==, "9");
	g_assert_cmpint(v.cell[3].mode, ==, GW_CELL_POLL);
	g_assert_cmpint(v.cell[4].mode, ==, GW_CELL_FIXED);
	REFUSED(gw_broadcast_set(h.w.d, "u:duty", h.id, GW_BROADCAST_LECTURE, "p-99", NULL, h.w.now, &err), GW_DOMAIN_NOT_FOUND);
	hall_finish(&h);
}

/* ---- floor ---- */
static void floor_is_asked_for_and_given(void)
{
	struct hall h;
	hall_init(&h);
	g_autofree char *as_a = g_strconcat("party:", h.a, NULL), *as_b = g_strconcat("party:", h.b, NULL);
	OK(gw_party_mic_mute(h.w.d, "u:duty", h.id, h.b, true, h.w.now, NULL));
	OK(gw_floor_request(h.w.d, as_b, h.id, h.b, h.w.now, NULL));
	OK(gw_floor_request(h.w.d, as_a, h.id, h.a, h.w.now, NULL));
	OK(gw_floor_request(h.w.d, as_a, h.id, h.a, h.w.now, NULL));	/* once */
	g_assert_cmpuint(hands(&h), ==, 2);
	REFUSED(gw_floor_request(h.w.d, as_a, h.id, h.c, h.w.now, &err), GW_DOMAIN_STATE);	/* not for others */
	REFUSED(gw_floor_give(h.w.d, as_a, h.id, h.a, h.w.now, &err), GW_DOMAIN_STATE);
	OK(gw_floor_cancel(h.w.d, as_a, h.id, h.a, h.w.now, NULL));
	g_assert_cmpuint(hands(&h), ==, 1);
	OK(gw_floor_request(h.w.d, as_a, h.id, h.a, h.w.now, NULL));
	g_autofree char *as_chair = g_strconcat("party:", h.e, NULL);
	OK(gw_floor_give(h.w.d, as_chair, h.id, h.b, h.w.now, NULL));
	assert_muted(&h, "true", "false", "true", "false");
	assert_member(&h, h.a, "speaker_muted", "false");
	g_assert_cmpuint(hands(&h), ==, 0);
	g_assert_cmpstr(of_control(&h, "floor"), ==, h.b);
	g_assert_cmpstr(program_of(&h).cell[0].party, ==, h.b);
	const char *late = enter(&h, "late", "gateway");
	assert_member(&h, late, "mic_muted", "true");
	hall_finish(&h);
}

static void free_discussion_opens_all_but_who_shut_its_own(void)
{
	struct hall h;
	hall_init(&h);
	g_autofree char *as_c = g_strconcat("party:", h.c, NULL);
	OK(gw_party_mic_mute(h.w.d, as_c, h.id, h.c, true, h.w.now, NULL));
	OK(gw_party_mic_mute(h.w.d, "u:duty", h.id, h.b, true, h.w.now, NULL));
	OK(gw_floor_give(h.w.d, "u:duty", h.id, h.a, h.w.now, NULL));
	assert_muted(&h, "false", "true", "true", "false");
	OK(gw_free_discussion(h.w.d, "u:duty", h.id, h.w.now, NULL));
	assert_muted(&h, "false", "false", "true", "false");
	g_assert_cmpstr(broadcast_mode(&h), ==, "none");
	g_assert_null(of_control(&h, "floor"));
	hall_finish(&h);
}

/* ---- chair ---- */
static void chair_is_one_token(void)
{
	struct hall h;
	hall_init(&h);
	g_autofree char *as_a = g_strconcat("party:", h.a, NULL), *as_e = g_strconcat("party:", h.e, NULL);
	OK(gw_chair_request(h.w.d, as_a, h.id, h.a, h.w.now, NULL));
	assert_member(&h, h.a, "role", "participant");	/* asking is not having */
	g_assert_cmpuint(json_array_size(json_object_get(control(&h), "chair_asking")), ==, 1);
	OK(gw_chair_grant(h.w.d, "u:duty", h.id, h.a, h.w.now, NULL));
	assert_member(&h, h.a, "role", "chair");
	assert_member(&h, h.e, "role", "participant");
	g_assert_cmpuint(json_array_size(json_object_get(control(&h), "chair_asking")), ==, 0);
	REFUSED(gw_chair_release(h.w.d, as_e, h.id, h.e, h.w.now, &err), GW_DOMAIN_STATE);
	REFUSED(gw_chair_revoke(h.w.d, as_a, h.id, h.w.now, &err), GW_DOMAIN_STATE);	/* of the owner */
	OK(gw_chair_release(h.w.d, as_a, h.id, h.a, h.w.now, NULL));
	OK(gw_chair_grant(h.w.d, "u:duty", h.id, h.b, h.w.now, NULL));
	OK(gw_chair_revoke(h.w.d, "u:duty", h.id, h.w.now, NULL));
	assert_member(&h, h.b, "role", "participant");
	REFUSED(gw_chair_revoke(h.w.d, "u:duty", h.id, h.w.now, &err), GW_DOMAIN_STATE);
	OK(gw_chair_request(h.w.d, as_a, h.id, h.a, h.w.now, NULL));
	OK(gw_chair_refuse(h.w.d, "u:duty", h.id, h.a, h.w.now, NULL));
	g_assert_cmpuint(json_array_size(json_object_get(control(&h), "chair_asking")), ==, 0);
	hall_finish(&h);
}

/* ---- polls ---- */
static void polled_picture_goes_round_and_passes_over_the_absent(void)
{
	struct hall h;
	hall_init(&h);
	const char *list[] = { h.a, h.b, h.c, NULL };
	REFUSED(gw_poll_start(h.w.d, "u:duty", h.id, NULL, list, 4999, h.w.now, &err), GW_DOMAIN_INVALID);
	REFUSED(gw_poll_start(h.w.d, "u:duty", h.id, NULL, list, 600001, h.w.now, &err), GW_DOMAIN_INVALID);
	OK(gw_poll_start(h.w.d, "u:duty", h.id, NULL, list, 10000, h.w.now, NULL));
	g_assert_cmpstr(program_of(&h).cell[0].party, ==, h.a);
	world_until(&h.w, 11);
	g_assert_cmpstr(program_of(&h).cell[0].party, ==, h.b);
	OK(gw_party_state(h.w.d, h.c, GW_SITE_FAILED, "line", h.w.now));
	world_until(&h.w, 21);
	g_assert_cmpstr(program_of(&h).cell[0].party, ==, h.a);
	OK(gw_poll_step(h.w.d, "u:duty", h.id, NULL, GW_POLL_PAUSE, h.w.now, NULL));
	world_until(&h.w, 60);
	g_assert_cmpstr(program_of(&h).cell[0].party, ==, h.a);
	OK(gw_poll_step(h.w.d, "u:duty", h.id, NULL, GW_POLL_NEXT, h.w.now, NULL));
	g_assert_cmpstr(program_of(&h).cell[0].party, ==, h.b);
	world_until(&h.w, 100);
	g_assert_cmpstr(program_of(&h).cell[0].party, ==, h.b);	/* still paused */
	OK(gw_poll_step(h.w.d, "u:duty", h.id, NULL, GW_POLL_RESUME, h.w.now, NULL));
	world_until(&h.w, 109);
	g_assert_cmpstr(program_of(&h).cell[0].party, ==, h.b);
	OK(gw_poll_stop(h.w.d, "u:duty", h.id, NULL, h.w.now, NULL));
	g_assert_cmpstr(broadcast_mode(&h), ==, "none");
	hall_finish(&h);
}

static void chair_polls_while_a_site_is_broadcast(void)
{
	struct hall h;
	hall_init(&h);
	OK(gw_broadcast_set(h.w.d, "u:duty", h.id, GW_BROADCAST_SITE, h.a, NULL, h.w.now, NULL));
	OK(gw_poll_start(h.w.d, "u:duty", h.id, h.e, NULL, 5000, h.w.now, NULL));
	OK(gw_poll_start(h.w.d, "u:duty", h.id, h.b, NULL, 5000, h.w.now, NULL));
	assert_sees(&h, h.e, "program", "program", h.a);	/* b's poll waits until nothing is broadcast */
	world_until(&h.w, 6);
	assert_member(&h, h.e, "sees", h.b);
	OK(gw_free_discussion(h.w.d, "u:duty", h.id, h.w.now, NULL));
	assert_member(&h, h.b, "sees", h.c);
	OK(gw_view_site(h.w.d, "u:duty", h.id, h.b, NULL, h.w.now, NULL));	/* choosing by hand ends it */
	assert_member(&h, h.b, "sees", "program");
	OK(gw_poll_stop(h.w.d, "u:duty", h.id, h.e, h.w.now, NULL));
	assert_member(&h, h.e, "sees", "program");
	hall_finish(&h);
}

/* ---- waiting room ---- */
static void who_comes_waits_until_it_is_let_in(void)
{
	struct hall h;
	hall_init(&h);
	OK(gw_lobby_set(h.w.d, "u:duty", h.id, true, h.w.now, NULL));
	const char *late = enter(&h, "late", "gateway"), *other = enter(&h, "other", "gateway"), *desk = enter(&h, "desk", "u:second");
	assert_member(&h, late, "sees", "lobby");
	assert_member(&h, desk, "waiting", "false");
	unsigned seats = (unsigned)program_of(&h).n;
	REFUSED(gw_floor_request(h.w.d, "u:duty", h.id, late, h.w.now, &err), GW_DOMAIN_STATE);
	g_string_truncate(h.w.acts, 0);
	world_until(&h.w, 16);
	g_assert_nonnull(strstr(h.w.acts->str, "wait_tone"));
	OK(gw_lobby_admit(h.w.d, "u:duty", h.id, late, h.w.now, NULL));
	assert_member(&h, late, "sees", "program");
	g_assert_cmpuint((unsigned)program_of(&h).n, >, seats);	/* it has a place in the picture now */
	OK(gw_lobby_refuse(h.w.d, "u:duty", h.id, other, h.w.now, NULL));
	assert_member(&h, other, "state", "absent");
	assert_member(&h, other, "why", "not_admitted");
	OK(gw_party_hang_up(h.w.d, "u:duty", h.id, late, h.w.now, NULL));
	(void)enter(&h, "late", "gateway");	/* was let in before */
	assert_member(&h, late, "waiting", "false");
	(void)enter(&h, "other", "gateway");
	assert_member(&h, other, "waiting", "true");
	OK(gw_lobby_set(h.w.d, "u:duty", h.id, false, h.w.now, NULL));
	assert_member(&h, other, "waiting", "false");
	hall_finish(&h);
}

/* ---- its end ---- */
static void planned_end_is_warned_of_and_extended(void)
{
	struct hall h;
	hall_init(&h);
	REFUSED(gw_conference_extend(h.w.d, "u:duty", h.id, 1441, h.w.now, &err), GW_DOMAIN_INVALID);
	OK(gw_conference_extend(h.w.d, "u:duty", h.id, 12, h.w.now, NULL));
	g_string_truncate(h.w.acts, 0);
	world_until(&h.w, 8 * 60);
	g_assert_cmpstr(h.w.acts->str, ==, "02:00 notice conf1 ends\n07:00 notice conf1 ends\n");
	OK(gw_conference_extend(h.w.d, "u:duty", h.id, 30, h.w.now, NULL));	/* at 42:00 */
	g_string_truncate(h.w.acts, 0);
	world_until(&h.w, 41 * 60 + 30);
	g_assert_cmpstr(h.w.acts->str, ==, "32:00 notice conf1 ends\n37:00 notice conf1 ends\n41:00 notice conf1 ends\n");
	g_assert_true(gw_conference_is_open(h.w.d, h.id));
	world_until(&h.w, 42 * 60);
	g_assert_false(gw_conference_is_open(h.w.d, h.id));
	hall_finish(&h);
}

static void conference_of_an_open_incident_is_not_cut_off(void)
{
	struct world w;
	world_init(&w);
	struct gw_incident_facts facts = { .kind = "flood", .place = "x", .level = 2 };
	struct gw_conference_facts f = { .name = "c" };
	f.incident = gw_incident_open(w.d, "u:duty", &facts, w.now, NULL);
	const char *id = gw_conference_open(w.d, "u:duty", &f, w.now, NULL);
	OK(gw_conference_extend(w.d, "u:duty", id, 2, w.now, NULL));
	world_until(&w, 300);
	g_assert_true(gw_conference_is_open(w.d, id));
	world_finish(&w);
}

static void parts_talk_apart_and_come_back(void)
{
	struct hall h;
	hall_init(&h);
	const char *some[] = { h.a, h.b, NULL }, *wrong[] = { h.a, "p-99", NULL };
	g_assert_null(gw_conference_split(h.w.d, "u:duty", h.id, "组", wrong, h.w.now, NULL));
	OK(gw_broadcast_set(h.w.d, "u:duty", h.id, GW_BROADCAST_SITE, h.a, NULL, h.w.now, NULL));
	const char *part = gw_conference_split(h.w.d, "u:duty", h.id, "组", some, h.w.now, NULL);
	g_assert_cmpstr(gw_party_conference(h.w.d, h.a), ==, part);
	g_assert_cmpstr(broadcast_mode(&h), ==, "none");	/* its source went */
	g_autoptr(json_t) o = gw_conference_print(h.w.d, part);
	g_assert_cmpstr(json_string_value(json_object_get(json_object_get(o, "control"), "parent")), ==, h.id);
	OK(gw_conference_rejoin(h.w.d, "u:duty", part, h.w.now, NULL));
	g_assert_cmpstr(gw_party_conference(h.w.d, h.a), ==, h.id);
	g_assert_false(gw_conference_is_open(h.w.d, part));
	assert_member(&h, h.b, "state", "present");
	REFUSED(gw_conference_rejoin(h.w.d, "u:duty", h.id, h.w.now, &err), GW_DOMAIN_STATE);
	hall_finish(&h);
}

/* ---- priority ---- */
static void only_a_higher_rank_listens_barges_in_and_releases(void)
{
	struct hall h;
	hall_init(&h);
	struct gw_party_facts desk = { .name = "desk", .address = "session:1", .kind = GW_PARTY_BROWSER };
	OK(gw_conference_priority(h.w.d, "u:duty", h.id, 7, h.w.now, NULL));
	g_assert_null(gw_monitor(h.w.d, "u:duty", h.id, &desk, 7, h.w.now, NULL));
	const char *p = gw_monitor(h.w.d, "u:chief", h.id, &desk, 9, h.w.now, NULL);
	OK(gw_party_state(h.w.d, p, GW_SITE_PRESENT, NULL, h.w.now));
	assert_member(&h, p, "hidden", "true");
	assert_member(&h, p, "role", "observer");
	g_assert_cmpint(program_of(&h).n, ==, 4);	/* it takes no place */
	g_assert_cmpstr(gw_barge_in(h.w.d, "u:chief", h.id, &desk, 9, h.w.now, NULL), ==, p);
	assert_member(&h, p, "hidden", "false");
	assert_member(&h, p, "role", "participant");
	struct gw_conference_facts f = { .name = "urgent" };
	const char *urgent = gw_conference_open(h.w.d, "u:duty", &f, h.w.now, NULL);
	REFUSED(gw_force_release(h.w.d, "u:chief", h.id, h.a, urgent, 9, h.w.now, &err), GW_DOMAIN_STATE);	/* of lower priority */
	OK(gw_conference_priority(h.w.d, "u:duty", urgent, 8, h.w.now, NULL));
	OK(gw_force_release(h.w.d, "u:chief", h.id, h.a, urgent, 9, h.w.now, NULL));
	g_assert_cmpstr(gw_party_conference(h.w.d, h.a), ==, urgent);
	OK(gw_force_release(h.w.d, "u:chief", h.id, h.b, NULL, 9, h.w.now, NULL));
	assert_member(&h, h.b, "why", "force_released");
	REFUSED(gw_force_release(h.w.d, "u:duty", h.id, h.c, NULL, 5, h.w.now, &err), GW_DOMAIN_STATE);
	hall_finish(&h);
}

static void loop_sends_a_site_its_own(void)
{
	struct hall h;
	hall_init(&h);
	OK(gw_broadcast_set(h.w.d, "u:duty", h.id, GW_BROADCAST_SITE, h.a, NULL, h.w.now, NULL));
	OK(gw_party_loop(h.w.d, "u:duty", h.id, h.b, true, true, h.w.now, NULL));
	assert_member(&h, h.b, "sees", h.b);
	assert_member(&h, h.b, "loop_audio", "true");
	OK(gw_party_state(h.w.d, h.b, GW_SITE_FAILED, "line", h.w.now));	/* a test does not outlive the call */
	assert_member(&h, h.b, "loop_audio", "false");
	hall_finish(&h);
}

static void voice_switching_has_limits(void)
{
	struct hall h;
	hall_init(&h);
	OK(gw_voice_switch(h.w.d, "u:duty", h.id, &(struct gw_voice){ 2000, 5000, -40 }, h.w.now, NULL));
	struct gw_voice v = gw_conference_voice(h.w.d, h.id);
	g_assert_cmpint(v.speak_ms, ==, 2000);
	REFUSED(gw_voice_switch(h.w.d, "u:duty", h.id, &(struct gw_voice){ 2000, 5000, 3 }, h.w.now, &err), GW_DOMAIN_INVALID);
	hall_finish(&h);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*fn)(void); } rows[] = {
		{ "broadcast/forces", broadcast_forces_all_but_the_chair },
		{ "broadcast/lost-source", lost_source_is_awaited_a_gone_one_is_not },
		{ "broadcast/kinds", layout_voice_and_lecture },
		{ "floor/given", floor_is_asked_for_and_given },
		{ "floor/free-discussion", free_discussion_opens_all_but_who_shut_its_own },
		{ "chair", chair_is_one_token },
		{ "poll/broadcast", polled_picture_goes_round_and_passes_over_the_absent },
		{ "poll/chair", chair_polls_while_a_site_is_broadcast },
		{ "lobby", who_comes_waits_until_it_is_let_in },
		{ "end/warned", planned_end_is_warned_of_and_extended },
		{ "end/incident", conference_of_an_open_incident_is_not_cut_off },
		{ "parts", parts_talk_apart_and_come_back },
		{ "priority", only_a_higher_rank_listens_barges_in_and_releases },
		{ "loop", loop_sends_a_site_its_own },
		{ "voice", voice_switching_has_limits },
	};
	g_test_init(&argc, &argv, NULL);
	for (size_t n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_autofree char *path = g_strconcat("/control/", rows[n].name, NULL);
		g_test_add_func(path, rows[n].fn);
	}
	return g_test_run();
}
