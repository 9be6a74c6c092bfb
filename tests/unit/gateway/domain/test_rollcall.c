/* Roll calls in virtual time: order, dialling ahead, results by hand and by the clock, restart in the middle. */
#include <string.h>

#include "tests/unit/gateway/domain/world.h"

#define SITES 6

static const char *open_conference(struct world *w)
{
	GError *err = NULL;
	struct gw_conference_facts f = { .name = "视频点名", .number = "8001" };
	const char *id = gw_conference_open(w->d, "u:duty", &f, w->now, &err);
	g_assert_no_error(err);
	return id;
}

static void fill_directory(struct world *w)
{
	for (int n = 1; n <= SITES; n++) {
		g_autofree char *id = g_strdup_printf("s%d", n), *name = g_strdup_printf("值班室%d", n);
		g_autofree char *address = g_strdup_printf("sip:s%d@example", n);
		GError *err = NULL;
		json_t *item = json_pack("{s:s,s:s,s:s,s:s}", "id", id, "name", name, "kind", "duty_room", "address", n == 5 ? "" : address);
		g_assert_true(gw_directory_put(w->d, "u:admin", "site", item, w->now, &err));
		g_assert_no_error(err);
		json_decref(item);
	}
}

static const char *open_rollcall(struct world *w, const char *conference, int64_t dwell_ms)
{
	static const char *const sites[] = { "s1", "s2", "s3", "s4", "s5", "s6", NULL };
	GError *err = NULL;
	struct gw_rollcall_facts f = { .conference = conference, .name = "晨间点名", .sites = sites, .ahead = 2, .dwell_ms = dwell_ms };
	const char *id = gw_rollcall_open(w->d, "u:duty", &f, w->now, &err);
	g_assert_no_error(err);
	return id;
}

static json_t *entry(struct world *w, const char *id, int n)
{
	static json_t *last;
	json_decref(last);
	last = gw_rollcall_print(w->d, id);
	return json_array_get(json_object_get(last, "entries"), n);
}

static const char *says(struct world *w, const char *id, int n, const char *member)
{
	return json_string_value(json_object_get(entry(w, id, n), member));
}

static bool turn(struct world *w, const char *id, int n)
{
	return json_is_true(json_object_get(entry(w, id, n), "turn"));
}

static const char *state(struct world *w, const char *id)
{
	static char copy[16];
	g_autoptr(json_t) o = gw_rollcall_print(w->d, id);
	g_strlcpy(copy, json_string_value(json_object_get(o, "state")), sizeof(copy));
	return copy;
}

static void comes(struct world *w, const char *id, int n, bool picture, bool sound)
{
	g_autofree char *party = g_strdup(says(w, id, n, "party"));
	g_assert_nonnull(party);
	(void)gw_party_state(w->d, party, GW_SITE_CONNECTING, NULL, w->now);
	g_assert_true(gw_party_state(w->d, party, GW_SITE_PRESENT, NULL, w->now));
	gw_party_stream(w->d, party, GW_PARTY_VIDEO, picture, w->now);
	gw_party_stream(w->d, party, GW_PARTY_AUDIO, sound, w->now);
	gw_domain_tick(w->d, w->now);
}

static json_t *program(struct world *w, const char *conference)
{
	static json_t *last;
	json_decref(last);
	last = gw_conference_print(w->d, conference);
	return json_array_get(json_object_get(last, "views"), 0);
}

/* ---- by hand ---- */
static void goes_through_the_list(void)
{
	struct world w;
	GError *err = NULL;
	world_init(&w);
	fill_directory(&w);
	const char *conference = open_conference(&w), *id = open_rollcall(&w, conference, 0);
	g_assert_cmpstr(state(&w, id), ==, "ready");
	g_assert_true(gw_rollcall_run(w.d, "u:duty", id, true, w.now, &err));
	g_assert_true(turn(&w, id, 0));
	g_assert_cmpstr(says(&w, id, 0, "state"), ==, "calling");
	g_assert_cmpstr(says(&w, id, 2, "state"), ==, "calling");	/* two are dialled ahead */
	g_assert_null(says(&w, id, 3, "party"));
	g_assert_cmpstr(json_string_value(json_object_get(program(&w, conference), "banner")), ==, "点名：值班室1");
	comes(&w, id, 0, true, true);
	comes(&w, id, 1, true, true);
	g_assert_true(gw_rollcall_next(w.d, "u:duty", id, GW_RESULT_PRESENT, w.now, &err));
	g_assert_cmpstr(says(&w, id, 0, "result"), ==, "present");
	g_assert_cmpstr(says(&w, id, 0, "by"), ==, "u:duty");
	g_assert_true(turn(&w, id, 1));
	g_assert_cmpstr(says(&w, id, 3, "state"), ==, "calling");
	json_t *cell = json_array_get(json_object_get(program(&w, conference), "cells"), 0);
	g_autofree char *shown = g_strdup(json_string_value(json_object_get(cell, "party")));
	g_assert_cmpstr(shown, ==, says(&w, id, 1, "party"));
	world_finish(&w);
}

static void only_the_called_one_is_heard(void)
{
	struct world w;
	world_init(&w);
	fill_directory(&w);
	const char *conference = open_conference(&w), *id = open_rollcall(&w, conference, 0);
	g_assert_true(gw_rollcall_run(w.d, "u:duty", id, true, w.now, NULL));
	comes(&w, id, 0, true, true);
	comes(&w, id, 1, true, true);
	g_assert_true(gw_rollcall_next(w.d, "u:duty", id, GW_RESULT_N, w.now, NULL));
	for (int n = 0; n < 2; n++) {
		g_autofree char *party = g_strdup(says(&w, id, n, "party"));
		g_autoptr(json_t) p = gw_party_print(w.d, party);
		g_assert_cmpint(json_is_true(json_object_get(p, "mic_muted")), ==, n == 0);
	}
	world_finish(&w);
}

/* ---- measured ---- */
static const struct measured_row { const char *name; bool picture, sound; struct gw_rollcall_measure m; int64_t late_s; const char *result, *why; } measured_rows[] = {
	{ "well", true, true, { .bitrate_bps = 1500000 }, 1, "present", NULL },
	{ "clipped", true, true, { .clipped = true }, 1, "present", NULL },
	{ "late", true, true, { .bitrate_bps = 1500000 }, 25, "present_late", "answered_late" },
	{ "in-time", true, true, { .bitrate_bps = 1500000 }, 20, "present", NULL },
	{ "no-video-stream", false, true, { 0 }, 1, "no_picture", "sends_no_picture" },
	{ "no-stream", false, false, { 0 }, 1, "no_picture", "sends_no_picture" },
	{ "black", true, true, { .black = true }, 1, "no_picture", "picture_black" },
	{ "frozen", true, true, { .frozen = true }, 1, "no_picture", "picture_frozen" },
	{ "looped", true, true, { .looped = true }, 1, "no_picture", "picture_looped" },
	{ "looped-and-frozen", true, true, { .looped = true, .frozen = true }, 1, "no_picture", "picture_looped" },
	{ "black-and-silent", true, true, { .black = true, .silent = true }, 1, "no_picture", "picture_black" },
	{ "no-audio-stream", true, false, { 0 }, 1, "no_sound", "sends_no_sound" },
	{ "silent", true, true, { .silent = true }, 1, "no_sound", "sound_silent" },
	{ "silent-and-late", true, true, { .silent = true }, 25, "no_sound", "sound_silent" },
	{ "black-and-late", true, true, { .black = true }, 25, "no_picture", "picture_black" },
};

static void is_measured(gconstpointer data)
{
	const struct measured_row *row = data;
	struct world w;
	world_init(&w);
	fill_directory(&w);
	const char *id = open_rollcall(&w, open_conference(&w), 0);
	g_assert_true(gw_rollcall_run(w.d, "u:duty", id, true, w.now, NULL));
	world_until(&w, row->late_s);
	comes(&w, id, 0, row->picture, row->sound);
	g_autofree char *party = g_strdup(says(&w, id, 0, "party"));
	gw_rollcall_measured(w.d, party, &row->m, w.now);
	g_assert_cmpstr(says(&w, id, 0, "measured"), ==, row->result);
	g_assert_true(gw_rollcall_next(w.d, "u:duty", id, GW_RESULT_N, w.now, NULL));
	g_assert_cmpstr(says(&w, id, 0, "result"), ==, row->result);
	g_assert_cmpstr(says(&w, id, 0, "why"), ==, row->why);
	world_finish(&w);
}

/* ---- liveness ---- */
static const char *code_state(struct world *w, const char *id, int n)
{
	return json_string_value(json_object_get(json_object_get(entry(w, id, n), "code"), "state"));
}

static void code_is_read_back(void)
{
	static const char *const bad[] = { NULL, "", "123", "12345", "12a4" };
	struct world w;
	GError *err = NULL;
	world_init(&w);
	fill_directory(&w);
	const char *conference = open_conference(&w), *id = open_rollcall(&w, conference, 0);
	g_assert_false(gw_rollcall_code(w.d, "u:duty", id, "0042", w.now, NULL));	/* nobody's turn */
	g_assert_true(gw_rollcall_run(w.d, "u:duty", id, true, w.now, &err));
	g_assert_false(gw_rollcall_code_said(w.d, "u:duty", id, true, w.now, &err));	/* none was shown */
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE);
	g_clear_error(&err);
	for (unsigned n = 0; n < G_N_ELEMENTS(bad); n++) {
		g_assert_false(gw_rollcall_code(w.d, "u:duty", id, bad[n], w.now, NULL));
	}
	g_assert_true(gw_rollcall_code(w.d, "u:duty", id, "0042", w.now, &err));
	g_assert_cmpstr(code_state(&w, id, 0), ==, "shown");
	g_assert_cmpstr(json_string_value(json_object_get(program(&w, conference), "banner")), ==, "点名：值班室1　口令 0042");
	g_assert_true(gw_rollcall_code_said(w.d, "u:duty", id, false, w.now, &err));
	g_assert_cmpstr(code_state(&w, id, 0), ==, "wrong");
	g_assert_cmpstr(json_string_value(json_object_get(program(&w, conference), "banner")), ==, "点名：值班室1");
	g_assert_true(gw_rollcall_code(w.d, "u:duty", id, "7788", w.now, &err));
	g_assert_true(gw_rollcall_code_said(w.d, "u:duty", id, true, w.now, &err));
	g_assert_cmpstr(code_state(&w, id, 0), ==, "right");
	g_assert_true(gw_rollcall_next(w.d, "u:duty", id, GW_RESULT_PRESENT, w.now, &err));
	g_assert_cmpstr(json_string_value(json_object_get(json_object_get(entry(&w, id, 0), "code"), "digits")), ==, "7788");
	g_assert_null(code_state(&w, id, 1));
	world_finish(&w);
}

/* ---- the directory has no address, an account that registers here has ---- */
static void is_called_by_its_account(void)
{
	struct world w;
	world_init(&w);
	fill_directory(&w);
	gw_domain_site_address(w.d, "s5", "device:s5");
	const char *id = open_rollcall(&w, open_conference(&w), 0);
	g_assert_true(gw_rollcall_run(w.d, "u:duty", id, true, w.now, NULL));
	g_assert_true(gw_rollcall_jump(w.d, "u:duty", id, "s5", w.now, NULL));
	g_assert_cmpstr(says(&w, id, 4, "state"), ==, "calling");
	g_autofree char *party = g_strdup(says(&w, id, 4, "party"));
	g_assert_cmpstr(gw_party_address(w.d, party), ==, "device:s5");
	world_finish(&w);
}

/* ---- what was left for later comes at the end ---- */
static void comes_round(void)
{
	struct world w;
	world_init(&w);
	fill_directory(&w);
	const char *id = open_rollcall(&w, open_conference(&w), 0);
	g_assert_true(gw_rollcall_run(w.d, "u:duty", id, true, w.now, NULL));
	g_assert_true(gw_rollcall_jump(w.d, "u:duty", id, "s6", w.now, NULL));
	g_assert_true(gw_rollcall_next(w.d, "u:duty", id, GW_RESULT_PRESENT, w.now, NULL));
	g_assert_true(turn(&w, id, 0));
	g_assert_cmpstr(state(&w, id), ==, "running");
	world_finish(&w);
}

/* ---- pages are told of what changed ---- */
static size_t news(struct world *w, const char *id, uint64_t *seen, bool *ret_whole)
{
	g_autoptr(json_t) o = gw_rollcall_print_changed(w->d, id, seen, ret_whole);
	return json_array_size(json_object_get(o, "entries"));
}

static void only_changes_are_told(void)
{
	uint64_t seen[GW_ROLLCALL_SITES] = { 0 };
	struct world w;
	bool whole;
	world_init(&w);
	fill_directory(&w);
	const char *id = open_rollcall(&w, open_conference(&w), 0);
	g_assert_cmpuint(news(&w, id, seen, &whole), ==, SITES);
	g_assert_true(whole);
	g_assert_cmpuint(news(&w, id, seen, &whole), ==, 0);
	g_assert_true(gw_rollcall_run(w.d, "u:duty", id, true, w.now, NULL));
	g_assert_cmpuint(news(&w, id, seen, &whole), ==, 3);	/* on the screen, and two dialled ahead */
	g_assert_false(whole);
	comes(&w, id, 1, true, true);
	g_assert_cmpuint(news(&w, id, seen, &whole), ==, 1);
	g_assert_true(gw_rollcall_mark(w.d, "u:duty", id, "s6", GW_RESULT_EXCUSED, "休假", w.now, NULL));
	g_assert_cmpuint(news(&w, id, seen, &whole), ==, 1);
	world_finish(&w);
}

/* ---- unattended ---- */
static void runs_by_itself(void)
{
	struct world w;
	world_init(&w);
	fill_directory(&w);
	const char *id = open_rollcall(&w, open_conference(&w), 5000);
	g_assert_true(gw_rollcall_mark(w.d, "u:duty", id, "s6", GW_RESULT_EXCUSED, "休假", w.now, NULL));
	g_assert_true(gw_rollcall_run(w.d, "u:duty", id, true, w.now, NULL));
	comes(&w, id, 0, true, true);
	comes(&w, id, 2, true, false);
	world_until(&w, 4);
	g_assert_true(turn(&w, id, 0));
	world_until(&w, 5);
	g_assert_true(turn(&w, id, 1));		/* rings and never answers: given up, called once more in its turn, given up */
	world_until(&w, 240);
	g_assert_cmpstr(state(&w, id), ==, "closed");
	static const char *const wanted[SITES] = { "present", "no_answer", "no_sound", "no_answer", "unreachable", "excused" };
	for (int n = 0; n < SITES; n++) {
		g_assert_cmpstr(says(&w, id, n, "result"), ==, wanted[n]);
	}
	g_assert_nonnull(strstr(says(&w, id, 4, "why"), "address"));
	world_finish(&w);
}

/* ---- a restart in the middle ---- */
static void goes_on_after_a_restart(void)
{
	static const struct gw_domain_ops ops = { world_act };
	struct world w;
	world_init(&w);
	fill_directory(&w);
	g_autofree char *id = g_strdup(open_rollcall(&w, open_conference(&w), 5000));
	g_assert_true(gw_rollcall_run(w.d, "u:duty", id, true, w.now, NULL));
	comes(&w, id, 0, true, true);
	world_until(&w, 6);
	g_autoptr(json_t) before = gw_rollcall_print(w.d, id);
	gw_domain *again = gw_domain_new(&ops, "boot-a", &w);
	world_replay_into(&w, again, w.now);
	gw_domain_free(w.d);
	w.d = again;
	g_autoptr(json_t) after = gw_rollcall_print(w.d, id);
	g_assert_true(json_equal(json_object_get(before, "totals"), json_object_get(after, "totals")));
	g_assert_true(turn(&w, id, 1));
	gw_domain_replay_done(w.d, w.now);
	world_until(&w, 300);
	g_assert_cmpstr(state(&w, id), ==, "closed");
	g_assert_cmpstr(says(&w, id, 0, "result"), ==, "present");
	world_finish(&w);
}

/* ---- what is refused, what may be corrected ---- */
static void refuses(void)
{
	static const char *const twice[] = { "s1", "s1", NULL }, *const unknown[] = { "nobody", NULL }, *const none[] = { NULL };
	static const struct { const char *const *sites; int code; } rows[] = {
		{ twice, GW_DOMAIN_CONFLICT }, { unknown, GW_DOMAIN_NOT_FOUND }, { none, GW_DOMAIN_LIMIT },
	};
	struct world w;
	world_init(&w);
	fill_directory(&w);
	const char *conference = open_conference(&w);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		GError *err = NULL;
		struct gw_rollcall_facts f = { .conference = conference, .name = "x", .sites = rows[n].sites };
		g_assert_null(gw_rollcall_open(w.d, "u:duty", &f, w.now, &err));
		g_assert_error(err, GW_DOMAIN_ERROR, rows[n].code);
		g_error_free(err);
	}
	GError *err = NULL;
	const char *id = open_rollcall(&w, conference, 0);
	g_assert_false(gw_rollcall_next(w.d, "u:duty", id, GW_RESULT_PRESENT, w.now, &err));
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE);
	g_error_free(err);
	world_finish(&w);
}

static void is_corrected_and_called_again(void)
{
	struct world w;
	world_init(&w);
	fill_directory(&w);
	const char *id = open_rollcall(&w, open_conference(&w), 0);
	g_assert_true(gw_rollcall_run(w.d, "u:duty", id, true, w.now, NULL));
	g_assert_true(gw_rollcall_next(w.d, "u:duty", id, GW_RESULT_N, w.now, NULL));
	g_assert_cmpstr(says(&w, id, 0, "result"), ==, "unreachable");	/* it was still being called */
	g_assert_true(gw_rollcall_jump(w.d, "u:duty", id, "s1", w.now, NULL));
	g_assert_true(turn(&w, id, 0));
	comes(&w, id, 0, true, true);
	g_assert_true(gw_rollcall_next(w.d, "u:duty", id, GW_RESULT_N, w.now, NULL));
	g_assert_cmpstr(says(&w, id, 0, "result"), ==, "present");
	g_assert_true(turn(&w, id, 1));
	g_assert_true(gw_rollcall_close(w.d, "u:duty", id, w.now, NULL));
	g_assert_true(gw_rollcall_mark(w.d, "u:leader", id, "s2", GW_RESULT_EXCUSED, "事后补假", w.now, NULL));
	g_assert_cmpstr(says(&w, id, 1, "by"), ==, "u:leader");
	world_finish(&w);
}

/* ---- as many as a region has ---- */
/* Every party that was dialled since *at answers at once. */
static void answer_new(struct world *w, size_t *at)
{
	g_autofree char *fresh = g_strdup(w->acts->str + *at);
	g_auto(GStrv) lines = g_strsplit(fresh, "\n", -1);
	*at = w->acts->len;
	for (char **line = lines; *line != NULL; line++) {
		const char *party = strstr(*line, " dial ") != NULL ? strstr(*line, " p-") : NULL;
		g_autofree char *id = party != NULL ? g_strndup(party + 1, strcspn(party + 1, " ")) : NULL;
		if (id != NULL) {
			(void)gw_party_state(w->d, id, GW_SITE_CONNECTING, NULL, w->now);
			g_assert_true(gw_party_state(w->d, id, GW_SITE_PRESENT, NULL, w->now));
			gw_party_stream(w->d, id, GW_PARTY_VIDEO, true, w->now);
			gw_party_stream(w->d, id, GW_PARTY_AUDIO, true, w->now);
		}
	}
}

static void five_hundred_sites(void)
{
	enum { MANY = 500 };
	struct world w;
	GError *err = NULL;
	g_autoptr(GPtrArray) sites = g_ptr_array_new_with_free_func(g_free);
	world_init(&w);
	for (int n = 1; n <= MANY; n++) {
		g_autofree char *name = g_strdup_printf("苏木%d", n), *address = g_strdup_printf("sip:m%d@example", n);
		g_ptr_array_add(sites, g_strdup_printf("m%d", n));
		json_t *item = json_pack("{s:s,s:s,s:s}", "id", sites->pdata[n - 1], "name", name, "address", address);
		g_assert_true(gw_directory_put(w.d, "u:admin", "site", item, w.now, NULL));
		json_decref(item);
	}
	g_ptr_array_add(sites, NULL);
	struct gw_rollcall_facts f = { .conference = open_conference(&w), .name = "全区点名", .sites = (const char *const *)sites->pdata,
				       .ahead = 50, .dwell_ms = 1000, .hang_up = true };
	const char *id = gw_rollcall_open(w.d, "u:duty", &f, w.now, &err);
	g_assert_no_error(err);
	g_assert_true(gw_rollcall_run(w.d, "u:duty", id, true, w.now, &err));
	size_t at = 0;
	for (int s = 1; s <= MANY + 2; s++) {
		answer_new(&w, &at);
		world_until(&w, s);
	}
	g_autoptr(json_t) o = gw_rollcall_print(w.d, id);
	g_assert_cmpstr(json_string_value(json_object_get(o, "state")), ==, "closed");
	g_assert_cmpint(json_integer_value(json_object_get(json_object_get(o, "totals"), "present")), ==, MANY);
	g_autofree char *csv = gw_rollcall_csv(w.d, id);
	g_assert_nonnull(strstr(csv, "\r\n500,m500,苏木500,在位,"));
	world_finish(&w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rollcall/goes-through-the-list", goes_through_the_list);
	g_test_add_func("/rollcall/only-the-called-one-is-heard", only_the_called_one_is_heard);
	for (unsigned n = 0; n < G_N_ELEMENTS(measured_rows); n++) {
		g_autofree char *path = g_strconcat("/rollcall/measured/", measured_rows[n].name, NULL);
		g_test_add_data_func(path, &measured_rows[n], is_measured);
	}
	g_test_add_func("/rollcall/code-is-read-back", code_is_read_back);
	g_test_add_func("/rollcall/called-by-its-account", is_called_by_its_account);
	g_test_add_func("/rollcall/comes-round", comes_round);
	g_test_add_func("/rollcall/only-changes-are-told", only_changes_are_told);
	g_test_add_func("/rollcall/runs-by-itself", runs_by_itself);
	g_test_add_func("/rollcall/goes-on-after-a-restart", goes_on_after_a_restart);
	g_test_add_func("/rollcall/five-hundred-sites", five_hundred_sites);
	g_test_add_func("/rollcall/refuses", refuses);
	g_test_add_func("/rollcall/corrected-and-called-again", is_corrected_and_called_again);
	return g_test_run();
}
