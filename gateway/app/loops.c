/* Loops of bridges: two conferences that are joined twice, or in a circle, would send each other their own sound for ever.
 * Each conference has a mark that means nothing outside of this process; calls over trunks and the answers to them carry the
 * marks of the conferences behind them (Ortoo-Path). Hardware MCUs say none and are taken as they are. */
#include <string.h>

#include "gateway/app/calls_priv.h"

enum { MARK = 16, MAX_MARKS = 16 };
struct gw_loops {
	char salt[MARK * 2 + 1];
	GHashTable *heard;	/* leg id -> GPtrArray of marks, owned */
};

static void mark_of(const gw_app *app, const char *conference, char ret[MARK + 1])
{
	g_autofree char *salted = g_strconcat(app->loops->salt, conference, NULL);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, salted, -1);
	g_strlcpy(ret, sum, MARK + 1);
}

static bool is_mark(const char *word)
{
	return strlen(word) == MARK && strspn(word, "0123456789abcdef") == MARK;
}

static GPtrArray *marks_in(const char *path)
{
	GPtrArray *marks = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) words = g_strsplit_set(path, ", ", MAX_MARKS * 2);
	for (unsigned n = 0; words[n] != NULL && marks->len < MAX_MARKS; n++) {
		if (is_mark(words[n])) {
			g_ptr_array_add(marks, g_strdup(words[n]));
		}
	}
	return marks;
}

static bool has(const GPtrArray *marks, const char *mark)
{
	return g_ptr_array_find_with_equal_func((GPtrArray *)(uintptr_t)marks, mark, g_str_equal, NULL);
}

/* ---- all marks of a conference: its own, and those behind its trunks ---- */
struct gather { gw_app *app; const char *conference; const gw_leg *but; GPtrArray *marks; };

static void add_heard(gw_leg *leg, const char *party, void *user_data)
{
	struct gather *g = user_data;
	const GPtrArray *heard = g_hash_table_lookup(g->app->loops->heard, leg->id);
	bool here = heard != NULL && leg != g->but && g_strcmp0(gw_app_call_conference(g->app, leg), g->conference) == 0;
	for (unsigned n = 0; here && n < heard->len && g->marks->len < MAX_MARKS; n++) {
		if (!has(g->marks, heard->pdata[n])) {
			g_ptr_array_add(g->marks, g_strdup(heard->pdata[n]));
		}
	}
}

static GPtrArray *marks_of(gw_app *app, const char *conference, const gw_leg *but)
{
	struct gather g = { app, conference, but, g_ptr_array_new_with_free_func(g_free) };
	char own[MARK + 1];
	mark_of(app, conference, own);
	g_ptr_array_add(g.marks, g_strdup(own));
	gw_app_calls_foreach(app, add_heard, &g);
	return g.marks;
}

static bool meet(const GPtrArray *a, const GPtrArray *b)
{
	for (unsigned n = 0; n < a->len; n++) {
		if (has(b, a->pdata[n])) {
			return true;
		}
	}
	return false;
}

/* ---- the verbs ---- */
char *gw_app_loop_path(gw_app *app, const gw_leg *leg)
{
	const char *conference = gw_app_call_conference(app, leg);
	g_autoptr(GPtrArray) marks = conference != NULL ? marks_of(app, conference, leg) : NULL;
	if (marks == NULL) {
		return NULL;
	}
	g_ptr_array_add(marks, NULL);
	return g_strjoinv(", ", (char **)marks->pdata);
}

/* A trunk that calls again takes the place of its old call, which is no second way. */
bool gw_app_loop_asked(gw_app *app, const char *conference, const char *address, const char *path)
{
	if (path == NULL || conference == NULL) {
		return false;
	}
	const char *old = gw_party_by_address(app->domain, conference, address);
	g_autoptr(GPtrArray) said = marks_in(path);
	g_autoptr(GPtrArray) ours = marks_of(app, conference, old != NULL ? gw_app_party_leg(app, old) : NULL);
	return meet(said, ours);
}

void gw_app_loop_heard(gw_app *app, const gw_leg *leg, const char *path)
{
	if (path != NULL) {
		g_hash_table_replace(app->loops->heard, g_strdup(leg->id), marks_in(path));
	}
}

/* Both sides called at once: the call of the lesser mark stays, and both know which that is. */
bool gw_app_loop_answered(gw_app *app, const gw_leg *leg, const char *path)
{
	const char *conference = gw_app_call_conference(app, leg);
	gw_app_loop_heard(app, leg, path);
	if (conference == NULL) {
		return true;
	}
	g_autoptr(GPtrArray) said = marks_in(path);
	g_autoptr(GPtrArray) ours = marks_of(app, conference, leg);
	return !meet(said, ours) || strcmp(ours->pdata[0], said->pdata[0]) < 0;
}

void gw_app_loop_forget(gw_app *app, const gw_leg *leg)
{
	g_hash_table_remove(app->loops->heard, leg->id);
}

/* ---- life ---- */
void gw_app_loops_start(gw_app *app)
{
	app->loops = g_new0(struct gw_loops, 1);
	app->loops->heard = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
	for (unsigned n = 0; n < MARK * 2; n++) {
		app->loops->salt[n] = "0123456789abcdef"[g_random_int_range(0, 16)];
	}
}

void gw_app_loops_stop(gw_app *app)
{
	if (app->loops != NULL) {
		g_hash_table_unref(app->loops->heard);
		g_clear_pointer(&app->loops, g_free);
	}
}
