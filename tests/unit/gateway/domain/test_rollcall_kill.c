/* Roll calls that are cut at any record: the log ends there as after a SIGKILL, a new domain reads it and goes on. Nothing is
 * lost, nothing is said twice, the same site stands on the screen, and at the end all is as if nothing had happened. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/store/store.h"
#include "tests/unit/gateway/domain/world.h"

#define SITES 8
#define NEVER_CUT G_MAXUINT

/* What each site does when it is called, and what the circular must say in the end. */
static const struct site_row { bool known, comes, picture, sound; int after_s; const char *result; int results, shows; } rows[SITES] = {
	{ true, true, true, true, 1, "present", 1, 1 },
	{ true, false, false, false, 0, "present", 2, 2 },	/* nobody at first; called once more at the end, and there */
	{ true, true, false, true, 1, "no_picture", 1, 1 },
	{ true, true, true, false, 2, "no_sound", 1, 1 },
	{ false, false, false, false, 0, "unreachable", 1, 0 },	/* the directory has no address */
	{ true, true, true, true, 1, "excused", 1, 0 },
	{ true, true, true, true, 25, "present_late", 1, 1 },
	{ true, true, true, true, 1, "present", 1, 2 },	/* interrupted by the second one's second call */
};

struct ring { char *party; int64_t at_us; int site; };
struct rig {
	gw_domain *d;
	gw_store *store;	/* NULL = the log is `records` only */
	char *path;
	struct gw_now now;
	GPtrArray *records;	/* struct kept */
	GArray *rings;		/* struct ring: calls under way, gone with the process */
	unsigned cut_at;
	bool dead, again, unattended;	/* again: the operator called the second one once more */
	unsigned deaths, from;	/* from: first record of this roll call */
	char rollcall[32];
	GRand *rand;
};

static void on_ring_free(gpointer p)
{
	g_free(((struct ring *)p)->party);
}

static void remember(struct rig *k, const struct gw_record *r)
{
	if (k->records->len == k->cut_at) {
		k->dead = true;
		return;
	}
	struct kept *one = g_new0(struct kept, 1);
	*one = (struct kept){ r->at_ms, r->at_us, g_strdup(r->boot), g_strdup(r->type), g_strdup(r->actor), g_strdup(r->incident),
			      json_incref(r->body) };
	g_ptr_array_add(k->records, one);
	if (k->store != NULL) {
		gw_store_append(k->store, r);
	}
}

static void act(const struct gw_action *a, void *ud)
{
	struct rig *k = ud;
	if (k->dead) {
		return;		/* the process is gone: what the verb still does, happens to nobody */
	}
	if (a->kind == GW_ACT_REMEMBER) {
		remember(k, a->record);
	} else if (a->kind == GW_ACT_PARTY_DIAL) {
		int site = a->text[5] - '1';	/* "sip:sN@" */
		bool comes = rows[site].comes || (site == 1 && k->again);
		struct ring ring = { g_strdup(a->party), k->now.us + MAX(rows[site].after_s, 1) * ORT_US_PER_S, site };
		if (comes) {
			g_array_append_val(k->rings, ring);
		} else {
			g_free(ring.party);
		}
	}
}

static void answer(struct rig *k, const struct ring *ring)
{
	const struct site_row *row = &rows[ring->site];
	bool second = ring->site == 1;
	(void)gw_party_state(k->d, ring->party, GW_SITE_CONNECTING, NULL, k->now);
	(void)gw_party_state(k->d, ring->party, GW_SITE_PRESENT, NULL, k->now);
	gw_party_stream(k->d, ring->party, GW_PARTY_VIDEO, row->picture || second, k->now);
	gw_party_stream(k->d, ring->party, GW_PARTY_AUDIO, row->sound || second, k->now);
}

static void answer_due(struct rig *k)
{
	for (unsigned n = 0; n < k->rings->len && !k->dead;) {
		struct ring ring = g_array_index(k->rings, struct ring, n);
		if (ring.at_us > k->now.us) {
			n++;
			continue;
		}
		ring.party = g_strdup(ring.party);
		g_array_remove_index(k->rings, n);
		answer(k, &ring);
		g_free(ring.party);
	}
}

/* ---- the operator: looks at what the console shows, and repeats what was not acknowledged ---- */
static void fill_directory(struct rig *k)
{
	for (int n = 1; n <= SITES; n++) {
		g_autofree char *id = g_strdup_printf("s%d", n), *name = g_strdup_printf("值班室%d", n), *address = g_strdup_printf("sip:s%d@x", n);
		g_autoptr(json_t) item = json_pack("{s:s,s:s,s:s}", "id", id, "name", name, "address", rows[n - 1].known ? address : "");
		g_assert_true(gw_directory_put(k->d, "u:admin", "site", item, k->now, NULL));
	}
}

static void open_all(struct rig *k)
{
	static const char *const sites[] = { "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", NULL };
	const char *conference = gw_conference_by_number(k->d, "8001");
	struct gw_conference_facts c = { .name = "点名", .number = "8001" };
	conference = conference != NULL ? conference : gw_conference_open(k->d, "u:duty", &c, k->now, NULL);
	struct gw_rollcall_facts f = { .conference = conference, .name = "晨间点名", .sites = sites, .ahead = 2,
				       .dwell_ms = k->unattended ? 5000 : 0, .hang_up = true };
	const char *id = k->dead ? NULL : gw_rollcall_open(k->d, "u:duty", &f, k->now, NULL);
	if (id != NULL && !k->dead) {
		g_strlcpy(k->rollcall, id, sizeof(k->rollcall));
	}
}

static json_t *entry(json_t *o, size_t n)
{
	return json_array_get(json_object_get(o, "entries"), n);
}

static const char *text(const json_t *o, const char *member)
{
	const char *s = json_string_value(json_object_get(o, member));
	return s != NULL ? s : "";
}

static int count(const struct rig *k, unsigned from, const char *type, const char *site)
{
	int hits = 0;
	for (unsigned n = from; n < k->records->len; n++) {
		const struct kept *r = k->records->pdata[n];
		bool taken_back = g_str_equal(text(r->body, "result"), "not_called");	/* of a second call: says nothing */
		hits += g_str_equal(r->type, type) && !taken_back && (site == NULL || g_str_equal(text(r->body, "site"), site));
	}
	return hits;
}

static int turn_of(json_t *o)
{
	for (int n = 0; n < SITES; n++) {
		if (json_is_true(json_object_get(entry(o, n), "turn"))) {
			return n;
		}
	}
	return -1;
}

/* A code is asked of the fourth and read back, then its result is said when the call has come to something. */
static void by_hand(struct rig *k, json_t *o, int turn)
{
	const json_t *e = entry(o, turn);
	const char *state = text(e, "state"), *code = text(json_object_get(e, "code"), "state");
	bool settled = !g_str_equal(state, "calling") && !g_str_equal(state, "ringing") && !g_str_equal(state, "connecting") &&
		       json_integer_value(json_object_get(e, "shown_ms")) + 2000 <= k->now.wall_ms;
	bool lost = g_str_equal(text(e, "state"), "failed");	/* by our own death: it is being called again */
	if (!settled || (lost && (rows[turn].comes || k->again))) {
		return;
	}
	if (turn == 3 && code[0] == '\0') {
		(void)gw_rollcall_code(k->d, "u:duty", k->rollcall, "4711", k->now, NULL);
	} else if (turn == 3 && g_str_equal(code, "shown")) {
		(void)gw_rollcall_code_said(k->d, "u:duty", k->rollcall, true, k->now, NULL);
	} else {
		(void)gw_rollcall_next(k->d, "u:duty", k->rollcall, GW_RESULT_N, k->now, NULL);
	}
}

static bool operate(struct rig *k)	/* true = the roll call is over */
{
	g_autoptr(json_t) o = k->rollcall[0] != '\0' ? gw_rollcall_print(k->d, k->rollcall) : NULL;
	const char *state = text(o, "state");
	int turn = o != NULL ? turn_of(o) : -1;
	if (o == NULL) {
		open_all(k);
	} else if (g_str_equal(text(entry(o, 5), "result"), "not_called")) {
		(void)gw_rollcall_mark(k->d, "u:duty", k->rollcall, "s6", GW_RESULT_EXCUSED, "休假", k->now, NULL);
	} else if (g_str_equal(state, "ready")) {
		(void)gw_rollcall_run(k->d, "u:duty", k->rollcall, true, k->now, NULL);
	} else if (turn == 7 && !k->unattended && count(k, k->from, "rollcall.show", "s2") < 2) {
		k->again = true;
		(void)gw_rollcall_jump(k->d, "u:duty", k->rollcall, "s2", k->now, NULL);
	} else if (turn >= 0 && !k->unattended) {
		by_hand(k, o, turn);
	}
	return g_str_equal(state, "closed");
}

/* ---- death and life ---- */
static void wake(struct rig *k)
{
	static const struct gw_domain_ops ops = { act };
	k->dead = false;
	k->d = gw_domain_new(&ops, "boot-a", k);
	for (unsigned n = 0; n < k->records->len; n++) {
		const struct kept *r = k->records->pdata[n];
		struct gw_record record = { n + 1, r->at_ms, r->at_us, r->boot, r->type, r->actor, r->incident, r->body };
		g_assert_cmpint(gw_domain_replay(k->d, &record, k->now), ==, 0);
	}
	gw_domain_replay_done(k->d, k->now);
}

static const char *last_shown(const struct rig *k)
{
	for (unsigned n = k->records->len; n > 0; n--) {
		const struct kept *r = k->records->pdata[n - 1];
		if (g_str_equal(r->type, "rollcall.close")) {
			return NULL;
		}
		if (g_str_equal(r->type, "rollcall.show")) {
			return text(r->body, "site");
		}
	}
	return NULL;
}

/* The site of the last record, in the list and in the picture, and it is the one that is heard. */
static void assert_same_site(struct rig *k, const char *shown)
{
	g_autoptr(json_t) o = gw_rollcall_print(k->d, k->rollcall);
	const json_t *e = entry(o, turn_of(o));
	g_assert_cmpstr(text(e, "site"), ==, shown);
	g_autoptr(json_t) c = gw_conference_print(k->d, text(o, "conference"));
	const json_t *view = json_array_get(json_object_get(c, "views"), 0);
	g_assert_cmpstr(text(json_array_get(json_object_get(view, "cells"), 0), "party"), ==, text(e, "party"));
	g_assert_nonnull(strstr(text(view, "banner"), text(e, "name")));
	g_autoptr(json_t) p = gw_party_print(k->d, text(e, "party"));
	g_assert_false(json_is_true(json_object_get(p, "mic_muted")));
}

static void reload_from_store(struct rig *k);

static void die(struct rig *k)
{
	k->deaths++;
	gw_domain_free(k->d);
	g_array_set_size(k->rings, 0);
	int64_t down_ms = g_rand_int_range(k->rand, 100, 20000);
	k->now.us += down_ms * ORT_US_PER_MS;
	k->now.wall_ms += down_ms;
	k->cut_at = NEVER_CUT;
	if (k->store != NULL) {
		reload_from_store(k);
	}
	g_autofree char *shown = g_strdup(last_shown(k));
	wake(k);
	if (shown != NULL && last_shown(k) != NULL) {
		/* The clock may have ended a turn at once that nobody comes for; people may not. */
		assert_same_site(k, k->unattended ? last_shown(k) : shown);
	}
}

static void pass_second(struct rig *k)
{
	int64_t end = k->now.us + ORT_US_PER_S;
	for (int64_t next = 0; next != end && !k->dead;) {
		next = MIN(MAX(gw_domain_deadline(k->d), k->now.us), end);
		k->now.wall_ms += (next - k->now.us) / ORT_US_PER_MS;
		k->now.us = next;
		gw_domain_tick(k->d, k->now);
	}
}

static void init(struct rig *k, bool unattended)
{
	*k = (struct rig){ .now = { 0, 1800000000000 }, .records = g_ptr_array_new_with_free_func(kept_free),
			   .rings = g_array_new(FALSE, TRUE, sizeof(struct ring)), .cut_at = NEVER_CUT, .unattended = unattended,
			   .rand = g_rand_new_with_seed(20261122) };
	g_array_set_clear_func(k->rings, on_ring_free);
}

static void finish(struct rig *k)
{
	gw_domain_free(k->d);
	g_ptr_array_unref(k->records);
	g_array_unref(k->rings);
	g_rand_free(k->rand);
}

static void assert_whole(struct rig *k)
{
	unsigned from = k->from;
	g_autoptr(json_t) o = gw_rollcall_print(k->d, k->rollcall);
	for (int n = 0; n < SITES; n++) {
		const struct site_row *row = &rows[n];
		g_autofree char *site = g_strdup_printf("s%d", n + 1);
		g_assert_cmpstr(text(entry(o, n), "result"), ==, n == 1 && k->unattended ? "no_answer" : row->result);
		g_assert_cmpint(count(k, from, "rollcall.result", site), ==, k->unattended ? 1 : row->results);
		g_assert_cmpint(count(k, from, "rollcall.show", site), ==, k->unattended ? MIN(row->shows, 1) : row->shows);
	}
	g_assert_cmpint(count(k, from, "rollcall.open", NULL), ==, 1);
	g_assert_cmpint(count(k, from, "rollcall.close", NULL), ==, 1);
	g_assert_cmpint(count(k, from, "party.add", NULL), ==, SITES - 2);	/* nobody is in the list twice */
	g_assert_cmpint(count(k, from, "rollcall.code", NULL), ==, k->unattended ? 0 : 1);
	g_assert_cmpint(count(k, from, "rollcall.code_said", NULL), ==, k->unattended ? 0 : 1);
}

/* One roll call from the directory's end to its close; `cut` says when the process dies next, counted from its beginning. */
static void play(struct rig *k, unsigned (*cut)(struct rig *k))
{
	k->from = k->records->len;
	k->rollcall[0] = '\0';
	k->again = false;
	k->cut_at = cut(k);
	for (int s = 0; s < 1500; s++) {
		bool over = operate(k);
		if (!k->dead) {
			answer_due(k);
		}
		if (!k->dead) {
			pass_second(k);
		}
		while (k->dead) {
			die(k);
			k->cut_at = cut(k);
		}
		if (over) {
			k->cut_at = NEVER_CUT;
			assert_whole(k);
			return;
		}
	}
	g_error("it did not come to its end");
}

static unsigned never(struct rig *k)
{
	return NEVER_CUT;
}

/* ---- every record once ---- */
static unsigned the_cut;

static unsigned once(struct rig *k)
{
	return k->deaths == 0 ? the_cut : NEVER_CUT;
}

static unsigned prepare(struct rig *k, bool unattended)
{
	init(k, unattended);
	wake(k);
	fill_directory(k);
	return k->records->len;
}

static void every_record(gconstpointer data)
{
	bool unattended = GPOINTER_TO_INT(data) != 0;
	struct rig whole;
	unsigned from = prepare(&whole, unattended);
	play(&whole, never);
	unsigned end = whole.records->len;
	finish(&whole);
	g_assert_cmpuint(end - from, >, 80);
	for (the_cut = from; the_cut < end; the_cut++) {
		struct rig k;
		(void)prepare(&k, unattended);
		play(&k, once);
		g_assert_cmpuint(k.deaths, ==, 1);
		finish(&k);
	}
	g_test_message("cut at each of %u records", end - from);
}

/* ---- 200 deaths, the log in a real store ---- */
static void read_back(const struct gw_record *r, const char *hash, void *ud)
{
	struct rig *k = ud;
	struct kept *one = g_new0(struct kept, 1);
	*one = (struct kept){ r->at_ms, r->at_us, g_strdup(r->boot), g_strdup(r->type), g_strdup(r->actor), g_strdup(r->incident),
			      json_incref(r->body) };
	g_ptr_array_add(k->records, one);
}

static void open_store(struct rig *k)
{
	static const struct gw_store_ops ops = { 0 };
	GError *err = NULL;
	k->store = gw_store_open(NULL, k->path, &ops, k, &err);
	g_assert_no_error(err);
	g_assert_true(gw_store_replay(k->store, read_back, k, &err));
	g_assert_no_error(err);
}

static void reload_from_store(struct rig *k)
{
	unsigned written = k->records->len;
	gw_store_close(k->store);
	g_ptr_array_set_size(k->records, 0);
	open_store(k);
	g_assert_cmpuint(k->records->len, ==, written);
}

static unsigned soon(struct rig *k)
{
	return k->deaths < 200 ? k->records->len + (unsigned)g_rand_int_range(k->rand, 0, 30) : NEVER_CUT;
}

static void two_hundred(void)
{
	struct rig k;
	g_autofree char *dir = g_dir_make_tmp("ortoo-kill-XXXXXX", NULL);
	init(&k, false);
	k.path = g_build_filename(dir, "log.db", NULL);
	open_store(&k);
	wake(&k);
	fill_directory(&k);
	unsigned rollcalls = 0;
	for (; k.deaths < 200; rollcalls++) {
		play(&k, soon);
		const char *conference = gw_conference_by_number(k.d, "8001");
		g_assert_true(gw_conference_close(k.d, "u:duty", conference, NULL, k.now, NULL));
	}
	g_test_message("%u deaths in %u roll calls, %u records", k.deaths, rollcalls, k.records->len);
	gw_store_close(k.store);
	finish(&k);
	g_free(k.path);
	g_autoptr(GDir) all = g_dir_open(dir, 0, NULL);
	for (const char *name; (name = g_dir_read_name(all)) != NULL;) {
		g_autofree char *path = g_build_filename(dir, name, NULL);
		(void)g_remove(path);
	}
	(void)g_rmdir(dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/rollcall/kill/every-record-by-hand", GINT_TO_POINTER(0), every_record);
	g_test_add_data_func("/rollcall/kill/every-record-unattended", GINT_TO_POINTER(1), every_record);
	g_test_add_func("/rollcall/kill/two-hundred-by-the-store", two_hundred);
	return g_test_run();
}
