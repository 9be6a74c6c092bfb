/* Roll call (点名): whose turn it is, who is dialled ahead, what is said of each site. What the picture shows and who is heard
 * are verbs of the conference (view, mute), so that a console may step in at any time. */
#include <string.h>

#include "gateway/domain/domain_priv.h"
#include "gateway/domain/directory_priv.h"

#define MAX_AHEAD 50	/* as many ring at once as a banner's trunk carries */

static void entry_clear(gpointer p)
{
	struct gw_rollcall_entry *e = p;
	g_free(e->site);
	g_free(e->name);
	g_free(e->party);
	g_free(e->why);
	g_free(e->by);
	for (int n = 0; n < GW_EVIDENCE_N; n++) {
		g_free(e->evidence[n].file);
		g_free(e->evidence[n].sha256);
	}
}

void gw_rollcall_free(gpointer p)
{
	struct gw_rollcall *r = p;
	g_array_unref(r->entries);
	g_free(r->id);
	g_free(r->name);
	g_free(r);
}

struct gw_rollcall_entry *gw_rollcall_entry_at(const struct gw_rollcall *r, int n)
{
	return n >= 0 && n < (int)r->entries->len ? &g_array_index(r->entries, struct gw_rollcall_entry, n) : NULL;
}

static int index_of(const struct gw_rollcall *r, const char *site)
{
	for (int n = 0; n < (int)r->entries->len; n++) {
		if (g_strcmp0(gw_rollcall_entry_at(r, n)->site, site) == 0) {
			return n;
		}
	}
	return -1;
}

struct gw_rollcall_entry *gw_rollcall_by_site(const struct gw_rollcall *r, const char *site)
{
	return gw_rollcall_entry_at(r, index_of(r, site));
}

struct gw_rollcall *gw_rollcall_find(const gw_domain *d, const char *id, GError **err)
{
	struct gw_rollcall *r = id != NULL ? g_hash_table_lookup(d->rollcalls, id) : NULL;
	if (r == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such roll call");
	}
	return r;
}

struct gw_rollcall *gw_rollcall_find_open(const gw_domain *d, const char *id, GError **err)
{
	struct gw_rollcall *r = gw_rollcall_find(d, id, err);
	if (r != NULL && (r->closed_ms != 0 || r->conference->closed_ms != 0)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "the roll call is over");
		return NULL;
	}
	return r;
}

const char *gw_rollcall_of(const gw_domain *d, const char *conference)
{
	for (unsigned n = d->rollcall_order->len; n > 0; n--) {
		const struct gw_rollcall *r = d->rollcall_order->pdata[n - 1];
		if (r->closed_ms == 0 && strcmp(r->conference->id, conference) == 0) {
			return r->id;
		}
	}
	return NULL;
}

static void emit(gw_domain *d, enum gw_rec rec, const char *actor, const struct gw_rollcall *r, const void *body, struct gw_now now)
{
	gw_emit_conference(d, rec, actor, r->conference, body, now);
}

void gw_rollcall_changed(gw_domain *d, const struct gw_rollcall *r, const char *party)
{
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_ROLLCALL, .id = r->id, .party = party });
}

/* ---- making one ---- */
bool gw_rollcall_sites_ok(const gw_domain *d, const char *const *sites, GError **err)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	unsigned n = 0;
	for (; sites != NULL && sites[n] != NULL; n++) {
		if (!g_hash_table_contains(d->directory[GW_SITE], sites[n])) {
			g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "sites: no site %s in the directory", sites[n]);
			return false;
		}
		if (!g_hash_table_add(seen, (char *)(uintptr_t)sites[n])) {
			g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_CONFLICT, "sites: %s stands there twice", sites[n]);
			return false;
		}
	}
	if (n == 0 || n > GW_ROLLCALL_SITES) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_LIMIT, "sites: 1 to %d", GW_ROLLCALL_SITES);
		return false;
	}
	return true;
}

const char *gw_rollcall_open(gw_domain *d, const char *actor, const struct gw_rollcall_facts *f, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, f->conference, err);
	if (c == NULL || !gw_text_ok(f->name, 200, true, "name", err) || !gw_rollcall_sites_ok(d, f->sites, err)) {
		return NULL;
	}
	if (gw_rollcall_of(d, c->id) != NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_CONFLICT, "another roll call is open in this conference");
		return NULL;
	}
	g_autofree char *id = g_strdup_printf("rc-%" G_GINT64_MODIFIER "x", d->last_rollcall + 1);
	struct gw_rec_rollcall_open body = { id, c->id, (char *)(uintptr_t)f->name, (char **)(uintptr_t)f->sites, d->last_rollcall + 1,
					     f->ahead < 0 ? 3 : MIN(f->ahead, MAX_AHEAD), CLAMP(f->dwell_ms, 0, 600000), f->hang_up };
	gw_emit_conference(d, GW_REC_ROLLCALL_OPEN, actor, c, &body, now);
	struct gw_rollcall *r = gw_rollcall_find(d, id, err);
	if (r != NULL) {
		gw_rollcall_changed(d, r, NULL);
	}
	return r != NULL ? r->id : NULL;
}

static void add_entry(const gw_domain *d, struct gw_rollcall *r, const char *site)
{
	const struct gw_rec_site *known = g_hash_table_lookup(d->directory[GW_SITE], site);
	struct gw_rollcall_entry e = { .site = g_strdup(site), .name = g_strdup(known != NULL ? known->name : site) };
	g_array_append_val(r->entries, e);
}

void gw_apply_ROLLCALL_OPEN(const struct gw_fact *f)
{
	const struct gw_rec_rollcall_open *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c == NULL || g_hash_table_contains(f->d->rollcalls, b->id)) {
		return;
	}
	struct gw_rollcall *r = g_new0(struct gw_rollcall, 1);
	*r = (struct gw_rollcall){ .id = g_strdup(b->id), .name = g_strdup(b->name), .conference = c, .opened_ms = f->at_ms,
				   .dwell_ms = b->dwell_ms, .ahead = (int)b->ahead, .current = -1, .hang_up = b->hang_up,
				   .entries = g_array_new(FALSE, TRUE, sizeof(struct gw_rollcall_entry)) };
	g_array_set_clear_func(r->entries, entry_clear);
	for (char **site = b->sites; site != NULL && *site != NULL; site++) {
		add_entry(f->d, r, *site);
	}
	g_hash_table_insert(f->d->rollcalls, r->id, r);
	g_ptr_array_add(f->d->rollcall_order, r);
	f->d->last_rollcall = MAX(f->d->last_rollcall, b->nr);
}

/* ---- calling ---- */
static bool is_busy(const struct gw_party *p)
{
	return p != NULL && (gw_party_is_live(p->state) || p->state == GW_SITE_CALLING || p->state == GW_SITE_RINGING);
}

static bool is_present(const struct gw_party *p)
{
	return p != NULL && (p->state == GW_SITE_PRESENT || p->state == GW_SITE_DEGRADED);
}

static void call_site(gw_domain *d, struct gw_rollcall *r, struct gw_rollcall_entry *e, struct gw_now now)
{
	g_autoptr(GError) err = NULL;
	struct gw_party_facts facts = { .site = e->site, .kind = GW_PARTY_SIP };
	const struct gw_party *known = gw_party_get(d, e->party);
	const char *party = is_busy(known) ? known->id : gw_party_call(d, "clock", r->conference->id, &facts, now, &err);
	/* Already there of its own accord: that is as good as an answer. */
	for (unsigned n = 0; party == NULL && n < r->conference->parties->len; n++) {
		const struct gw_party *p = r->conference->parties->pdata[n];
		party = !p->removed && g_strcmp0(p->site, e->site) == 0 ? p->id : NULL;
	}
	struct gw_rec_rollcall_entry body = { r->id, e->site, (char *)(uintptr_t)party };
	emit(d, GW_REC_ROLLCALL_CALL, "clock", r, &body, now);
	if (party == NULL) {
		struct gw_rec_rollcall_result result = { r->id, e->site, err != NULL ? err->message : NULL, GW_RESULT_UNREACHABLE };
		emit(d, GW_REC_ROLLCALL_RESULT, "clock", r, &result, now);
	}
}

void gw_apply_ROLLCALL_CALL(const struct gw_fact *f)
{
	const struct gw_rec_rollcall_entry *b = f->body;
	struct gw_rollcall *r = gw_rollcall_find(f->d, b->rollcall, NULL);
	struct gw_rollcall_entry *e = r != NULL ? gw_rollcall_by_site(r, b->site) : NULL;
	if (e != NULL) {
		g_free(e->party);
		e->party = g_strdup(b->party);
		e->called_ms = f->at_ms;
		e->answered_ms = is_present(gw_party_get(f->d, e->party)) ? f->at_ms : 0;
	}
}

static bool has_turn(const struct gw_rollcall_entry *e)
{
	return e->result == GW_RESULT_NOT_CALLED;
}

static void call_ahead(gw_domain *d, struct gw_rollcall *r, struct gw_now now)
{
	int warm = 0, len = (int)r->entries->len;
	for (int n = 1; n < len && warm < r->ahead; n++) {
		struct gw_rollcall_entry *e = gw_rollcall_entry_at(r, (r->current + n) % len);
		if (has_turn(e)) {
			warm++;
			if (e->party == NULL) {
				call_site(d, r, e, now);
			}
		}
	}
}

/* ---- a turn ---- */
static const char *chair_of(const struct gw_conference *c)
{
	for (unsigned n = 0; n < c->parties->len; n++) {
		const struct gw_party *p = c->parties->pdata[n];
		if (!p->removed && p->role == GW_PARTY_CHAIR && gw_party_is_live(p->state)) {
			return p->id;
		}
	}
	return NULL;
}

static void put_plate(gw_domain *d, const struct gw_rollcall *r, const struct gw_rollcall_entry *e, const char *layout, bool code,
		      struct gw_now now)
{
	g_autofree char *plate = g_strdup_printf(code ? "点名：%s　口令 %s" : "点名：%s", e->name, e->code);
	struct gw_view_look look = { .layout = layout, .titles = true, .banner = plate };
	(void)gw_view_layout(d, "clock", r->conference->id, "program", &look, false, now, NULL);
}

void gw_rollcall_plate(gw_domain *d, const struct gw_rollcall *r, const struct gw_rollcall_entry *e, struct gw_now now)
{
	put_plate(d, r, e, NULL, e->code_state == GW_CODE_SHOWN, now);
}

/* Huawei's and ZTE's meaning of 点名: the called site is broadcast, 1:1 with the caller, all other microphones are shut. */
static void broadcast(gw_domain *d, const struct gw_rollcall *r, const struct gw_rollcall_entry *e, struct gw_now now)
{
	const char *conference = r->conference->id, *chair = chair_of(r->conference);
	const char *shown[] = { e->party, chair };
	put_plate(d, r, e, chair != NULL ? "2" : "1", false, now);
	for (int n = 0; n < 2 && shown[n] != NULL; n++) {
		struct gw_view_cell cell = { .cell = n, .mode = GW_CELL_FIXED, .party = shown[n] };
		(void)gw_view_cell(d, "clock", conference, "program", &cell, now, NULL);
	}
	(void)gw_party_mic_mute(d, "clock", conference, "*", true, now, NULL);
	(void)gw_party_mic_mute(d, "clock", conference, e->party, false, now, NULL);
}

static void show(gw_domain *d, const char *actor, struct gw_rollcall *r, int n, struct gw_now now)
{
	struct gw_rollcall_entry *e = gw_rollcall_entry_at(r, n);
	if (!is_busy(gw_party_get(d, e->party))) {
		call_site(d, r, e, now);	/* also a second try for one that failed while it was dialled ahead */
	}
	if (e->party == NULL) {
		return;
	}
	/* The record comes last: cut before it, the screen differs from the turn and is put back (resume). */
	struct gw_rec_rollcall_entry body = { r->id, e->site, e->party };
	broadcast(d, r, e, now);
	emit(d, GW_REC_ROLLCALL_SHOW, actor, r, &body, now);
	call_ahead(d, r, now);
	gw_rollcall_changed(d, r, e->party);
}

void gw_apply_ROLLCALL_SHOW(const struct gw_fact *f)
{
	const struct gw_rec_rollcall_entry *b = f->body;
	struct gw_rollcall *r = gw_rollcall_find(f->d, b->rollcall, NULL);
	int n = r != NULL ? index_of(r, b->site) : -1;
	if (n < 0) {
		return;
	}
	struct gw_rollcall_entry *e = gw_rollcall_entry_at(r, n);
	r->current = n;
	e->shown_ms = f->at_ms;
	e->shown_us = f->at_us;
	e->measured = e->said = false;
	e->figures = (struct gw_rollcall_measure){ 0 };
	e->code[0] = '\0';
	e->code_state = GW_CODE_NONE;
}

/* The next one whose turn has not been, those that were left for later at last; sites that cannot be called at all get their
 * result on the way. */
static void advance(gw_domain *d, const char *actor, struct gw_rollcall *r, int from, struct gw_now now)
{
	int before = r->current, len = (int)r->entries->len;
	for (int k = 0; k < len; k++) {
		int n = (from + k) % len;
		if (has_turn(gw_rollcall_entry_at(r, n))) {
			show(d, actor, r, n, now);
		}
		if (r->current != before && r->current == n) {
			return;
		}
	}
	(void)gw_rollcall_close(d, actor, r->id, now, NULL);
}

bool gw_rollcall_run(gw_domain *d, const char *actor, const char *id, bool on, struct gw_now now, GError **err)
{
	struct gw_rollcall *r = gw_rollcall_find_open(d, id, err);
	if (r == NULL || r->running == on) {
		return r != NULL;
	}
	struct gw_rec_rollcall_run body = { r->id, on };
	emit(d, GW_REC_ROLLCALL_RUN, actor, r, &body, now);
	if (on && r->current < 0) {
		advance(d, actor, r, 0, now);
	}
	gw_rollcall_changed(d, r, NULL);
	return true;
}

void gw_apply_ROLLCALL_RUN(const struct gw_fact *f)
{
	const struct gw_rec_rollcall_run *b = f->body;
	struct gw_rollcall *r = gw_rollcall_find(f->d, b->rollcall, NULL);
	if (r != NULL) {
		r->running = b->on;
		r->started_ms = r->started_ms != 0 ? r->started_ms : f->at_ms;
	}
}

/* ---- going on ---- */
static void finish_turn(gw_domain *d, const char *actor, struct gw_rollcall *r, enum gw_result result, struct gw_now now)
{
	struct gw_rollcall_entry *e = gw_rollcall_entry_at(r, r->current);
	const char *why = NULL;
	enum gw_result measured = gw_rollcall_judge(d, e, &why);
	gw_rollcall_remember_figures(d, r, e, now);
	gw_rollcall_say(d, actor, r, e, result == GW_RESULT_N ? measured : result, result == GW_RESULT_N ? why : NULL, now);
}

static void let_go(gw_domain *d, const struct gw_rollcall *r, const struct gw_rollcall_entry *e, struct gw_now now)
{
	const struct gw_party *p = gw_party_get(d, e->party);
	if (r->hang_up && p != NULL && p->role != GW_PARTY_CHAIR) {
		(void)gw_party_hang_up(d, "clock", r->conference->id, p->id, now, NULL);
	}
}

bool gw_rollcall_next(gw_domain *d, const char *actor, const char *id, enum gw_result result, struct gw_now now, GError **err)
{
	struct gw_rollcall *r = gw_rollcall_find_open(d, id, err);
	if (r == NULL) {
		return false;
	}
	if (r->current < 0 || result > GW_RESULT_N || result == GW_RESULT_NOT_CALLED) {
		g_set_error(err, GW_DOMAIN_ERROR, r->current < 0 ? GW_DOMAIN_STATE : GW_DOMAIN_INVALID,
			    r->current < 0 ? "it is nobody's turn: start the roll call" : "result: one of a called site");
		return false;
	}
	const struct gw_rollcall_entry *e = gw_rollcall_entry_at(r, r->current);
	if (!e->said || (result != GW_RESULT_N && result != e->result)) {
		finish_turn(d, actor, r, result, now);
	}
	let_go(d, r, e, now);
	advance(d, actor, r, r->current + 1, now);
	return true;
}

bool gw_rollcall_jump(gw_domain *d, const char *actor, const char *id, const char *site, struct gw_now now, GError **err)
{
	struct gw_rollcall *r = gw_rollcall_find_open(d, id, err);
	int n = r != NULL ? index_of(r, site) : -1;
	if (r != NULL && n < 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such site in this roll call");
	}
	if (n < 0) {
		return false;
	}
	struct gw_rollcall_entry *e = gw_rollcall_entry_at(r, n);
	bool again = !has_turn(e);
	show(d, actor, r, n, now);
	if (again && r->current == n) {	/* afterwards: cut between, its old result stands till the new one */
		gw_rollcall_say(d, actor, r, e, GW_RESULT_NOT_CALLED, "called again", now);
	}
	return true;
}

bool gw_rollcall_close(gw_domain *d, const char *actor, const char *id, struct gw_now now, GError **err)
{
	struct gw_rollcall *r = gw_rollcall_find_open(d, id, err);
	if (r == NULL) {
		return false;
	}
	/* The picture first: cut between the two, it is broadcast again; the other way round it would stay for ever. */
	struct gw_view_look look = { .by_itself = true, .titles = true, .banner = "" };
	(void)gw_view_layout(d, "clock", r->conference->id, "program", &look, false, now, NULL);
	struct gw_rec_rollcall_ref body = { r->id };
	emit(d, GW_REC_ROLLCALL_CLOSE, actor, r, &body, now);
	gw_rollcall_changed(d, r, NULL);
	return true;
}

void gw_apply_ROLLCALL_CLOSE(const struct gw_fact *f)
{
	struct gw_rollcall *r = gw_rollcall_find(f->d, ((const struct gw_rec_rollcall_ref *)f->body)->rollcall, NULL);
	if (r != NULL) {
		r->closed_ms = f->at_ms;
		r->running = false;
		r->current = -1;
	}
}

/* ---- what media and the clock say ---- */
const char *gw_rollcall_turn(const gw_domain *d, const char *conference, int64_t *ret_shown_us)
{
	const struct gw_rollcall *r = gw_rollcall_find(d, gw_rollcall_of(d, conference), NULL);
	const struct gw_rollcall_entry *e = r != NULL ? gw_rollcall_entry_at(r, r->current) : NULL;
	*ret_shown_us = e != NULL ? e->shown_us : 0;
	return e != NULL ? e->party : NULL;
}

/* When the clock would end the present turn: some time after the picture is there, or when nothing came of the call. */
static int64_t turn_ends_us(const gw_domain *d, const struct gw_rollcall *r)
{
	const struct gw_rollcall_entry *e = gw_rollcall_entry_at(r, r->current);
	if (r->closed_ms != 0 || !r->running || r->dwell_ms == 0 || e == NULL || r->conference->closed_ms != 0) {
		return ORT_NEVER;
	}
	const struct gw_party *p = gw_party_get(d, e->party);
	if (is_present(p)) {
		return MAX(e->shown_us, p->since_us) + r->dwell_ms * ORT_US_PER_MS;
	}
	bool hopeless = p == NULL || (!is_busy(p) && p->next_try_ms == 0);
	return hopeless ? e->shown_us : e->shown_us + d->timer_ms[GW_TIMER_ROLLCALL_GIVE_UP] * ORT_US_PER_MS;
}

static void tick_one(gw_domain *d, struct gw_rollcall *r, struct gw_now now)
{
	while (turn_ends_us(d, r) <= now.us) {
		(void)gw_rollcall_next(d, "clock", r->id, GW_RESULT_N, now, NULL);
	}
}

/* ---- after a restart: what the last act left undone ---- */
static bool on_screen(const gw_domain *d, const struct gw_rollcall *r, const struct gw_rollcall_entry *e)
{
	struct gw_view_info info;
	gw_view_resolve(d, r->conference, r->conference->views->pdata[0], &info);
	return info.n <= 2 && info.cell[0].mode == GW_CELL_FIXED && g_strcmp0(info.cell[0].party, e->party) == 0 &&
	       info.banner != NULL && strstr(info.banner, e->name) != NULL &&
	       (e->code_state != GW_CODE_SHOWN || strstr(info.banner, e->code) != NULL);
}

/* Called sites that had not answered are called anew: our being down is no lateness of theirs. */
static void call_again(gw_domain *d, struct gw_rollcall *r, struct gw_now now)
{
	int end = MIN(MAX(r->current, 0) + r->ahead + 1, (int)r->entries->len);
	for (int n = MAX(r->current, 0); n < end; n++) {
		struct gw_rollcall_entry *e = gw_rollcall_entry_at(r, n);
		const struct gw_party *p = gw_party_get(d, e->party);
		if (!e->said && e->answered_ms == 0 && p != NULL && p->next_try_ms != 0) {
			call_site(d, r, e, now);
		}
	}
}

static void end_finished(gw_domain *d, const struct gw_rollcall *r, struct gw_now now)
{
	for (int n = 0; n < (int)r->entries->len; n++) {
		if (n != r->current && gw_rollcall_entry_at(r, n)->said) {
			let_go(d, r, gw_rollcall_entry_at(r, n), now);
		}
	}
}

static void resume(gw_domain *d, struct gw_rollcall *r, struct gw_now now)
{
	struct gw_rollcall_entry *e = gw_rollcall_entry_at(r, r->current);
	end_finished(d, r, now);
	if (e == NULL && r->running) {
		advance(d, "clock", r, 0, now);
		return;
	}
	if (e != NULL) {
		e->shown_us = now.us;	/* nor is its turn shorter for it */
		call_again(d, r, now);
		call_ahead(d, r, now);
		if (!on_screen(d, r, e)) {
			broadcast(d, r, e, now);
			gw_rollcall_plate(d, r, e, now);
		}
	}
	gw_rollcall_changed(d, r, NULL);
}

static void woken(gw_domain *d, struct gw_now now)
{
	for (unsigned n = 0; n < d->rollcall_order->len; n++) {
		struct gw_rollcall *r = d->rollcall_order->pdata[n];
		if (r->closed_ms == 0 && r->conference->closed_ms == 0) {
			resume(d, r, now);
		}
	}
}

/* ---- as a part of the domain ---- */
static void init(gw_domain *d)
{
	d->rollcalls = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, gw_rollcall_free);
	d->rollcall_order = g_ptr_array_new();
}

static void finish(gw_domain *d)
{
	g_ptr_array_unref(d->rollcall_order);
	g_hash_table_unref(d->rollcalls);
}

static int64_t deadline(const gw_domain *d)
{
	int64_t next = ORT_NEVER;
	for (unsigned n = 0; n < d->rollcall_order->len; n++) {
		next = MIN(next, turn_ends_us(d, d->rollcall_order->pdata[n]));
	}
	return next;
}

static void tick(gw_domain *d, struct gw_now now)
{
	for (unsigned n = 0; n < d->rollcall_order->len; n++) {
		tick_one(d, d->rollcall_order->pdata[n], now);
	}
}

const struct gw_part gw_part_rollcall = { .init = init, .finish = finish, .woken = woken, .deadline = deadline, .tick = tick };
