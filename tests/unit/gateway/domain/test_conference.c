/* Conferences in virtual time: who comes, who is called again, who sits where, who may show slides. */
#include <string.h>

#include "tests/unit/gateway/domain/world.h"

static const char *open_conference(struct world *w, const char *number, const char *password)
{
	GError *err = NULL;
	struct gw_conference_facts f = { .name = "调度会商", .number = number, .password = password };
	const char *id = gw_conference_open(w->d, "u:duty", &f, w->now, &err);
	g_assert_no_error(err);
	return id;
}

static const char *call(struct world *w, const char *conference, const char *address)
{
	GError *err = NULL;
	struct gw_party_facts f = { .name = address, .address = address, .kind = GW_PARTY_SIP };
	const char *p = gw_party_call(w->d, "u:duty", conference, &f, w->now, &err);
	g_assert_no_error(err);
	return p;
}

static void answers(struct world *w, const char *party)
{
	g_assert_true(gw_party_state(w->d, party, GW_SITE_RINGING, NULL, w->now));
	g_assert_true(gw_party_state(w->d, party, GW_SITE_CONNECTING, NULL, w->now));
	g_assert_true(gw_party_state(w->d, party, GW_SITE_PRESENT, NULL, w->now));
}

static json_t *party_of(struct world *w, const char *id)
{
	json_t *p = gw_party_print(w->d, id);
	g_assert_nonnull(p);
	return p;
}

static void assert_party(struct world *w, const char *id, const char *member, const char *wanted)
{
	g_autoptr(json_t) p = party_of(w, id);
	g_assert_cmpstr(json_string_value(json_object_get(p, member)), ==, wanted);
}

static json_t *cell(struct world *w, const char *id, unsigned n)
{
	static json_t *last;
	json_decref(last);
	last = gw_conference_print(w->d, id);
	return json_array_get(json_object_get(json_array_get(json_object_get(last, "views"), 0), "cells"), n);
}

static const char *in_cell(struct world *w, const char *id, unsigned n)
{
	return json_string_value(json_object_get(cell(w, id, n), "party"));
}

static const char *layout(struct world *w, const char *id)
{
	static json_t *last;
	json_decref(last);
	last = gw_conference_print(w->d, id);
	return json_string_value(json_object_get(json_array_get(json_object_get(last, "views"), 0), "layout"));
}

/* ---- numbers, passwords, lock ---- */
static void numbers_are_unique_while_open(void)
{
	struct world w;
	GError *err = NULL;
	world_init(&w);
	const char *a = open_conference(&w, "8001", NULL);
	struct gw_conference_facts same = { .name = "b", .number = "8001" }, bad = { .name = "b", .number = "80" };
	g_assert_null(gw_conference_open(w.d, "u:duty", &same, w.now, &err));
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_CONFLICT);
	g_clear_error(&err);
	g_assert_null(gw_conference_open(w.d, "u:duty", &bad, w.now, &err));
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID);
	g_clear_error(&err);
	g_assert_cmpstr(gw_conference_by_number(w.d, "8001"), ==, a);
	g_assert_true(gw_conference_close(w.d, "u:duty", a, "over", w.now, NULL));
	g_assert_null(gw_conference_by_number(w.d, "8001"));
	g_assert_nonnull(gw_conference_open(w.d, "u:duty", &same, w.now, NULL));
	const char *chosen = open_conference(&w, NULL, NULL);
	g_autoptr(json_t) c = gw_conference_print(w.d, chosen);
	g_assert_cmpstr(json_string_value(json_object_get(c, "number")), ==, "8002");
	world_finish(&w);
}

static void third_wrong_password_is_refused(void)
{
	struct world w;
	world_init(&w);
	g_autofree char *hash = gw_password_hash("4711", "salt");
	const char *id = open_conference(&w, "8001", hash);
	g_assert_cmpint(gw_conference_admit(w.d, id, "sip:a@b", NULL, w.now), ==, GW_ADMIT_ASK);
	g_assert_cmpint(gw_conference_admit(w.d, id, "sip:a@b", "1", w.now), ==, GW_ADMIT_WRONG);
	g_assert_cmpint(gw_conference_admit(w.d, id, "sip:a@b", "2", w.now), ==, GW_ADMIT_WRONG);
	g_assert_cmpint(gw_conference_admit(w.d, id, "sip:a@b", "3", w.now), ==, GW_ADMIT_REFUSED);
	g_assert_cmpint(gw_conference_admit(w.d, id, "sip:a@b", "4711", w.now), ==, GW_ADMIT_REFUSED);
	g_assert_cmpint(gw_conference_admit(w.d, id, "sip:c@b", "4711", w.now), ==, GW_ADMIT_OK);
	g_assert_cmpint(gw_conference_admit(w.d, "none", "sip:c@b", NULL, w.now), ==, GW_ADMIT_UNKNOWN);
	world_finish(&w);
}

static void lock_keeps_strangers_out(void)
{
	struct world w;
	world_init(&w);
	const char *id = open_conference(&w, "8001", NULL);
	struct gw_conference_change lock = { .locked = 1, .auto_redial = -1 };
	call(&w, id, "sip:hall@x");
	g_assert_true(gw_conference_update(w.d, "u:duty", id, &lock, w.now, NULL));
	g_assert_cmpint(gw_conference_admit(w.d, id, "sip:stranger@x", NULL, w.now), ==, GW_ADMIT_LOCKED);
	g_assert_cmpint(gw_conference_admit(w.d, id, "sip:hall@x", NULL, w.now), ==, GW_ADMIT_OK);
	world_finish(&w);
}

/* ---- calling ---- */
static void unanswered_call_is_given_up(void)
{
	struct world w;
	world_init(&w);
	const char *id = open_conference(&w, "8001", NULL), *p = call(&w, id, "sip:hall@x");
	g_assert_true(gw_party_state(w.d, p, GW_SITE_RINGING, NULL, w.now));
	world_until(&w, 120);
	g_assert_cmpstr(w.acts->str, ==, "00:00 conf+ conf1\n00:00 dial conf1 p-1\n00:45 hangup conf1 p-1 no_answer\n");
	assert_party(&w, p, "state", "no_answer");
	g_assert_cmpint(gw_party_call_absent(w.d, "u:duty", id, w.now, NULL), ==, 1);
	assert_party(&w, p, "state", "calling");
	world_finish(&w);
}

static void redial_backs_off_and_ends(void)
{
	struct world w;
	world_init(&w);
	const char *id = open_conference(&w, "8001", NULL);
	struct gw_conference_change on = { .locked = -1, .auto_redial = 1 };
	g_assert_true(gw_conference_update(w.d, "u:duty", id, &on, w.now, NULL));
	const char *p = call(&w, id, "sip:hall@x");
	for (int s = 0; s < 600; s += 1) {
		world_until(&w, s);
		(void)(g_str_has_suffix(w.acts->str, "dial conf1 p-1\n") && gw_party_state(w.d, p, GW_SITE_UNREACHABLE, "no route", w.now));
	}
	g_assert_cmpstr(w.acts->str, ==, "00:00 conf+ conf1\n00:00 dial conf1 p-1\n00:08 dial conf1 p-1\n00:23 dial conf1 p-1\n"
					 "01:23 dial conf1 p-1\n02:23 dial conf1 p-1\n");
	world_finish(&w);
}

static void lost_line_comes_back_in_the_same_cell(void)
{
	struct world w;
	world_init(&w);
	const char *id = open_conference(&w, "8001", NULL);
	struct gw_conference_change on = { .locked = -1, .auto_redial = 1 };
	g_assert_true(gw_conference_update(w.d, "u:duty", id, &on, w.now, NULL));
	const char *party[4];
	for (int n = 0; n < 4; n++) {
		g_autofree char *address = g_strdup_printf("sip:%d@x", n);
		party[n] = call(&w, id, address);
		answers(&w, party[n]);
	}
	g_assert_cmpstr(layout(&w, id), ==, "4");
	g_assert_true(gw_party_state(w.d, party[1], GW_SITE_FAILED, "connection_lost", w.now));
	world_until(&w, 3);
	g_assert_true(g_str_has_suffix(w.acts->str, "00:03 dial conf1 p-2\n"));
	g_assert_cmpstr(in_cell(&w, id, 1), ==, party[1]);
	answers(&w, party[1]);
	g_assert_cmpstr(in_cell(&w, id, 1), ==, party[1]);
	g_assert_cmpstr(in_cell(&w, id, 3), ==, party[3]);
	/* gone for good: the last place is given up, the others stay */
	g_assert_true(gw_party_hang_up(w.d, "u:duty", id, party[3], w.now, NULL));
	g_assert_cmpstr(layout(&w, id), ==, "3");
	g_assert_cmpstr(in_cell(&w, id, 0), ==, party[0]);
	world_finish(&w);
}

static void seat_of_the_lost_is_kept_a_minute(void)
{
	struct world w;
	world_init(&w);
	const char *id = open_conference(&w, "8001", NULL), *a = call(&w, id, "sip:a@x"), *b = call(&w, id, "sip:b@x");
	answers(&w, a);
	answers(&w, b);
	g_assert_true(gw_party_state(w.d, b, GW_SITE_FAILED, "connection_lost", w.now));
	world_until(&w, 59);
	g_assert_cmpstr(layout(&w, id), ==, "2");
	world_until(&w, 61);
	g_assert_cmpstr(layout(&w, id), ==, "1");
	world_finish(&w);
}

static void same_device_takes_its_old_place(void)
{
	struct world w;
	world_init(&w);
	const char *id = open_conference(&w, "8001", NULL), *p = call(&w, id, "sip:hall@x");
	struct gw_party_facts f = { .name = "会议室", .address = "sip:hall@x", .agent = "Endpoint 3", .kind = GW_PARTY_SIP };
	answers(&w, p);
	g_assert_true(gw_party_hang_up(w.d, "u:duty", id, p, w.now, NULL));
	g_assert_cmpstr(gw_party_enter(w.d, "gateway", id, &f, w.now, NULL), ==, p);
	assert_party(&w, p, "state", "connecting");
	assert_party(&w, p, "agent", "Endpoint 3");
	world_until(&w, 31);
	assert_party(&w, p, "state", "failed");
	assert_party(&w, p, "why", "no_media");
	world_finish(&w);
}

static void moved_party_leaves_its_seat(void)
{
	struct world w;
	world_init(&w);
	const char *a = open_conference(&w, "8001", NULL), *b = open_conference(&w, "8002", NULL), *p = call(&w, a, "sip:hall@x");
	answers(&w, p);
	g_assert_true(gw_party_move(w.d, "u:duty", a, p, b, w.now, NULL));
	g_assert_cmpstr(gw_party_conference(w.d, p), ==, b);
	g_assert_cmpstr(in_cell(&w, b, 0), ==, NULL);	/* layout 1 follows the voice */
	g_assert_false(gw_party_hang_up(w.d, "u:duty", a, p, w.now, NULL));
	assert_party(&w, p, "state", "present");
	world_finish(&w);
}

/* ---- mute ---- */
static void chair_is_not_muted_with_all(void)
{
	struct world w;
	GError *err = NULL;
	world_init(&w);
	const char *id = open_conference(&w, "8001", NULL), *a = call(&w, id, "sip:a@x"), *b = call(&w, id, "sip:b@x");
	g_assert_true(gw_party_role(w.d, "u:duty", id, a, GW_PARTY_CHAIR, w.now, NULL));
	g_assert_true(gw_party_mic_mute(w.d, "u:duty", id, "*", true, w.now, NULL));
	g_autoptr(json_t) chair = party_of(&w, a);
	g_autoptr(json_t) other = party_of(&w, b);
	g_assert_false(json_is_true(json_object_get(chair, "mic_muted")));
	g_assert_true(json_is_true(json_object_get(other, "mic_muted")));
	g_assert_false(json_is_true(json_object_get(other, "speaker_muted")));
	g_assert_false(gw_party_mic_mute(w.d, "party:p-2", id, b, false, w.now, &err));
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE);
	g_clear_error(&err);
	g_assert_true(gw_party_role(w.d, "u:duty", id, b, GW_PARTY_CHAIR, w.now, NULL));
	assert_party(&w, a, "role", "participant");
	world_finish(&w);
}

/* ---- content ---- */
static void token_has_one_holder(void)
{
	struct world w;
	GError *err = NULL;
	world_init(&w);
	const char *id = open_conference(&w, "8001", NULL), *a = call(&w, id, "sip:a@x"), *b = call(&w, id, "sip:b@x");
	answers(&w, a);
	answers(&w, b);
	g_string_truncate(w.acts, 0);
	g_assert_true(gw_content_take(w.d, "party:p-1", id, a, false, w.now, NULL));
	g_assert_false(gw_content_take(w.d, "party:p-2", id, b, false, w.now, &err));
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_CONFLICT);
	g_clear_error(&err);
	g_assert_true(gw_content_take(w.d, "party:p-2", id, b, true, w.now, NULL));
	g_assert_cmpstr(gw_content_holder(w.d, id), ==, a);
	g_assert_true(gw_content_release(w.d, "party:p-1", id, a, w.now, NULL));
	g_assert_cmpstr(gw_content_holder(w.d, id), ==, b);
	g_assert_true(gw_content_lock(w.d, "u:duty", id, true, w.now, NULL));
	g_assert_true(gw_content_revoke(w.d, "u:duty", id, w.now, NULL));
	g_assert_false(gw_content_take(w.d, "party:p-1", id, a, true, w.now, NULL));
	g_assert_true(gw_content_take(w.d, "u:duty", id, a, false, w.now, NULL));
	g_assert_true(gw_party_state(w.d, a, GW_SITE_FAILED, "lost", w.now));
	g_assert_null(gw_content_holder(w.d, id));
	g_assert_cmpstr(w.acts->str, ==, "00:00 content conf1 p-1 grant\n00:00 content conf1 p-1 free\n00:00 content conf1 p-2 grant\n"
					 "00:00 content conf1 p-2 revoke\n00:00 content conf1 p-1 grant\n00:00 content conf1 p-1 free\n");
	world_finish(&w);
}

/* ---- views ---- */
static void cells_by_hand_and_by_themselves(void)
{
	struct world w;
	world_init(&w);
	const char *id = open_conference(&w, "8001", NULL), *party[3];
	for (int n = 0; n < 3; n++) {
		g_autofree char *address = g_strdup_printf("sip:%d@x", n);
		party[n] = call(&w, id, address);
		answers(&w, party[n]);
	}
	struct gw_view_look look = { .layout = "5+1", .titles = true }, none = { .layout = "6" };
	g_assert_false(gw_view_layout(w.d, "u:duty", id, "program", &none, false, w.now, NULL));
	g_assert_true(gw_view_layout(w.d, "u:duty", id, "program", &look, true, w.now, NULL));
	g_assert_cmpstr(layout(&w, id), ==, "3");
	g_assert_true(gw_view_layout(w.d, "u:duty", id, "program", &look, false, w.now, NULL));
	g_assert_cmpstr(layout(&w, id), ==, "5+1");
	g_assert_cmpstr(json_string_value(json_object_get(cell(&w, id, 0), "mode")), ==, "voice");
	struct gw_view_cell big = { .cell = 0, .mode = GW_CELL_FIXED, .party = party[2] };
	g_assert_true(gw_view_cell(w.d, "u:duty", id, "program", &big, w.now, NULL));
	g_assert_cmpstr(in_cell(&w, id, 0), ==, party[2]);
	g_assert_cmpstr(in_cell(&w, id, 1), ==, party[0]);
	g_assert_cmpstr(in_cell(&w, id, 2), ==, party[1]);
	g_assert_cmpstr(in_cell(&w, id, 3), ==, NULL);
	const char *const turn[] = { party[0], party[1], NULL };
	struct gw_view_cell poll = { .cell = 5, .mode = GW_CELL_POLL, .parties = turn, .interval_ms = 5000 }, hasty = poll;
	hasty.interval_ms = 10;
	g_assert_false(gw_view_cell(w.d, "u:duty", id, "program", &hasty, w.now, NULL));
	g_assert_true(gw_view_cell(w.d, "u:duty", id, "program", &poll, w.now, NULL));
	g_assert_cmpint(json_array_size(json_object_get(cell(&w, id, 5), "parties")), ==, 2);
	world_finish(&w);
}

/* ---- replay ---- */
static void busy_hour(struct world *w)
{
	g_autofree char *hash = gw_password_hash("4711", "salt");
	const char *id = open_conference(w, NULL, hash), *other = open_conference(w, "777", NULL);
	struct gw_conference_change on = { .name = "新名", .locked = 1, .auto_redial = 1 };
	const char *a = call(w, id, "sip:a@x"), *b = call(w, id, "sip:b@x"), *c = call(w, id, "sip:c@x");
	g_assert_true(gw_conference_update(w->d, "u:duty", id, &on, w->now, NULL));
	(void)gw_conference_admit(w->d, id, "sip:guess@x", "1", w->now);
	answers(w, a);
	answers(w, b);
	world_until(w, 10);
	g_assert_true(gw_party_state(w->d, b, GW_SITE_FAILED, "lost", w->now));
	g_assert_true(gw_content_take(w->d, "party:p-1", id, a, false, w->now, NULL));
	g_assert_true(gw_party_volume(w->d, "u:duty", id, a, -6, 3, w->now, NULL));
	g_assert_true(gw_party_speaker_mute(w->d, "u:duty", id, a, true, w->now, NULL));
	g_assert_true(gw_party_view(w->d, "u:duty", id, a, "own", w->now, NULL));
	struct gw_view_look look = { .layout = "7+1", .banner = "通报", .clock = true };
	g_assert_true(gw_view_layout(w->d, "u:duty", id, a, &look, false, w->now, NULL));
	struct gw_view_cell cells = { .cell = 1, .mode = GW_CELL_FIXED, .party = b };
	g_assert_true(gw_view_cell(w->d, "u:duty", id, "program", &cells, w->now, NULL));
	world_until(w, 100);
	g_assert_true(gw_party_move(w->d, "u:duty", id, a, other, w->now, NULL));
	g_assert_true(gw_party_remove(w->d, "u:duty", id, c, w->now, NULL));
}

static void replay_equals_live(void)
{
	static const struct gw_domain_ops ops = { world_act };
	struct world w, again;
	world_init(&w);
	busy_hour(&w);
	again = (struct world){ .now = w.now, .records = g_ptr_array_new_with_free_func(kept_free), .acts = g_string_new(NULL) };
	again.d = gw_domain_new(&ops, "boot-a", &again);
	world_replay_into(&w, again.d, w.now);
	json_t *live = gw_conference_list(w.d, false, 100), *told = gw_conference_list(again.d, false, 100);
	g_autofree char *x = ort_json_text(live), *y = ort_json_text(told);
	g_assert_cmpstr(x, ==, y);
	g_assert_cmpint(gw_domain_deadline(w.d), ==, gw_domain_deadline(again.d));
	json_decref(live);
	json_decref(told);
	world_finish(&w);
	world_finish(&again);
}

static void restart_calls_again(void)
{
	static const struct gw_domain_ops ops = { world_act };
	struct world w, again;
	world_init(&w);
	const char *id = open_conference(&w, "8001", NULL), *p = call(&w, id, "sip:hall@x");
	struct gw_party_facts page = { .name = "duty", .kind = GW_PARTY_BROWSER };
	answers(&w, p);
	const char *page_id = gw_party_enter(w.d, "u:duty", id, &page, w.now, NULL);
	g_assert_true(gw_party_state(w.d, page_id, GW_SITE_PRESENT, NULL, w.now));
	again = (struct world){ .now = w.now, .records = g_ptr_array_new_with_free_func(kept_free), .acts = g_string_new(NULL) };
	again.d = gw_domain_new(&ops, "boot-a", &again);
	world_replay_into(&w, again.d, w.now);
	gw_domain_replay_done(again.d, again.now);
	g_assert_cmpstr(again.acts->str, ==, "00:00 conf+ conf1\n00:00 dial conf1 p-1\n");
	assert_party(&again, page_id, "state", "connecting");
	world_finish(&w);
	world_finish(&again);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ROW(fn) g_test_add_func("/domain/conference/" #fn, fn)
	ROW(numbers_are_unique_while_open);
	ROW(third_wrong_password_is_refused);
	ROW(lock_keeps_strangers_out);
	ROW(unanswered_call_is_given_up);
	ROW(redial_backs_off_and_ends);
	ROW(lost_line_comes_back_in_the_same_cell);
	ROW(seat_of_the_lost_is_kept_a_minute);
	ROW(same_device_takes_its_old_place);
	ROW(moved_party_leaves_its_seat);
	ROW(chair_is_not_muted_with_all);
	ROW(token_has_one_holder);
	ROW(cells_by_hand_and_by_themselves);
	ROW(replay_equals_live);
	ROW(restart_calls_again);
	return g_test_run();
}
