/* Standing readiness: which site is called when, how long it is looked at, and what its figures are worth. */
#include <string.h>

#include "gateway/domain/domain_priv.h"
#include "gateway/domain/directory_priv.h"

#define AT_ONCE 4			/* quiet calls that run side by side */
#define LOOK_US (8 * ORT_US_PER_S)	/* measured so long: the roll call calls nobody silent before 5 s */
#define WAIT_US (30 * ORT_US_PER_S)	/* for an answer with media */
#define SLOW_MS 10000
#define THIN_BPS 100000
#define DELAY_MS 300

const char *const gw_ready_fault_names[GW_READY_FAULT_N + 1] = {
#define X(id, name, points, doc) [GW_READY_##id] = name,
#include "gateway/domain/ready_faults.def"
#undef X
};
const int gw_ready_fault_points[GW_READY_FAULT_N] = {
#define X(id, name, points, doc) [GW_READY_##id] = points,
#include "gateway/domain/ready_faults.def"
#undef X
};

static void entry_clear(gpointer p)
{
	struct gw_ready_entry *e = p;
	g_free(e->site);
	g_free(e->name);
	g_free(e->party);
	g_strfreev(e->faults);
}

static void run_free(gpointer p)
{
	struct gw_ready_run *r = p;
	g_array_unref(r->entries);
	g_free(r->id);
	g_free(r->by);
	g_free(r);
}

static struct gw_ready_run *find(const gw_domain *d, const char *id)
{
	for (unsigned n = 0; n < d->readies->runs->len; n++) {
		struct gw_ready_run *r = d->readies->runs->pdata[n];
		if (g_strcmp0(r->id, id) == 0) {
			return r;
		}
	}
	return NULL;
}

static struct gw_ready_run *newest(const gw_domain *d)
{
	return d->readies->runs->len > 0 ? d->readies->runs->pdata[d->readies->runs->len - 1] : NULL;
}

static struct gw_ready_entry *entry_at(const struct gw_ready_run *r, unsigned n)
{
	return &g_array_index(r->entries, struct gw_ready_entry, n);
}

static struct gw_ready_entry *entry_of(const struct gw_ready_run *r, const char *site)
{
	for (unsigned n = 0; r != NULL && n < r->entries->len; n++) {
		if (g_strcmp0(entry_at(r, n)->site, site) == 0) {
			return entry_at(r, n);
		}
	}
	return NULL;
}

static void emit(gw_domain *d, enum gw_rec rec, const char *actor, const struct gw_ready_run *r, const void *body, struct gw_now now)
{
	gw_emit_conference(d, rec, actor, r->conference, body, now);
}

static void changed(gw_domain *d, const struct gw_ready_run *r)
{
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_READY, .id = r->id });
}

static char *str(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* ---- beginning ---- */
const char *gw_ready_open(gw_domain *d, const char *actor, const struct gw_ready_site *sites, size_t n, struct gw_now now, GError **err)
{
	struct gw_ready_run *last = newest(d);
	struct gw_conference_facts facts = { .name = "值守检查" };
	if ((last != NULL && last->closed_ms == 0) || n == 0 || n > GW_READY_SITES) {
		g_set_error(err, GW_DOMAIN_ERROR, n == 0 ? GW_DOMAIN_INVALID : GW_DOMAIN_CONFLICT, n == 0 ? "no site can be checked" : "a check is running");
		return NULL;
	}
	const char *conference = gw_conference_open(d, actor, &facts, now, err);
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	if (c == NULL) {
		return NULL;
	}
	g_autofree struct gw_rec_ready_site *rows = g_new0(struct gw_rec_ready_site, n);
	for (size_t k = 0; k < n; k++) {
		rows[k] = (struct gw_rec_ready_site){ str(sites[k].site), sites[k].call, sites[k].registered };
	}
	g_autofree char *id = g_strdup_printf("rd-%" G_GINT64_MODIFIER "x", d->readies->last + 1);
	struct gw_rec_ready_open body = { id, c->id, d->readies->last + 1, { rows, n } };
	gw_emit_conference(d, GW_REC_READY_OPEN, actor, c, &body, now);
	struct gw_conference_change lock = { .locked = 1, .auto_redial = 0 };
	(void)gw_conference_update(d, actor, c->id, &lock, now, NULL);
	gw_part_ready.tick(d, now);
	changed(d, newest(d));
	return newest(d)->id;
}

void gw_apply_READY_OPEN(const struct gw_fact *f)
{
	const struct gw_rec_ready_open *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c == NULL || find(f->d, b->id) != NULL) {
		return;
	}
	struct gw_ready_run *r = g_new0(struct gw_ready_run, 1);
	*r = (struct gw_ready_run){ .id = g_strdup(b->id), .by = g_strdup(f->actor), .conference = c, .opened_ms = f->at_ms,
				    .entries = g_array_new(FALSE, TRUE, sizeof(struct gw_ready_entry)) };
	g_array_set_clear_func(r->entries, entry_clear);
	const struct gw_rec_ready_site *sites = b->sites.items;
	for (size_t n = 0; n < b->sites.n; n++) {
		const struct gw_rec_site *known = g_hash_table_lookup(f->d->directory[GW_SITE], sites[n].site);
		struct gw_ready_entry e = { .site = g_strdup(sites[n].site), .name = g_strdup(known != NULL ? known->name : sites[n].site),
					    .call = sites[n].call, .registered = sites[n].registered };
		g_array_append_val(r->entries, e);
	}
	g_ptr_array_add(f->d->readies->runs, r);
	f->d->readies->last = MAX(f->d->readies->last, b->nr);
}

/* ---- judging ---- */
static void judge(gw_domain *d, struct gw_ready_run *r, struct gw_ready_entry *e, bool answered, struct gw_now now)
{
	const struct gw_party *p = gw_party_get(d, e->party);
	const struct gw_ready_figures *f = &e->figures;
	int64_t answer_ms = answered ? (e->present_us - e->called_us) / ORT_US_PER_MS : 0;
	bool picture = answered && p != NULL && p->stream[GW_PARTY_VIDEO], sound = answered && p != NULL && p->stream[GW_PARTY_AUDIO];
	const bool is[GW_READY_FAULT_N] = {
		[GW_READY_NOT_REGISTERED] = !e->registered && !answered, [GW_READY_NO_ANSWER] = e->call && e->registered && !answered,
		[GW_READY_NO_PICTURE] = answered && !picture,	       [GW_READY_BLACK] = picture && f->black,
		[GW_READY_FROZEN] = picture && f->frozen && !f->black, [GW_READY_NO_SOUND] = answered && !sound,
		[GW_READY_SILENT] = sound && f->silent,		       [GW_READY_LOSS] = f->loss > 0.02 && f->loss <= 0.10,
		[GW_READY_HEAVY_LOSS] = f->loss > 0.10,		       [GW_READY_SLOW_ANSWER] = answer_ms > SLOW_MS,
		[GW_READY_THIN] = picture && e->measured && f->bitrate_bps < THIN_BPS, [GW_READY_DELAY] = f->rtt_ms > DELAY_MS,
		[GW_READY_NOT_TESTED] = !e->call && e->registered,
	};
	char *faults[GW_READY_FAULT_N + 1] = { NULL };
	int n = 0, score = 100;
	for (int k = 0; k < GW_READY_FAULT_N; k++) {
		if (is[k]) {
			faults[n++] = str(gw_ready_fault_names[k]);
			score -= gw_ready_fault_points[k];
		}
	}
	struct gw_rec_ready_result body = { r->id, e->site, faults, MAX(score, 0), answer_ms, f->bitrate_bps, f->rtt_ms, f->loss, picture, sound };
	emit(d, GW_REC_READY_RESULT, "clock", r, &body, now);
	if (e->party != NULL) {
		(void)gw_party_hang_up(d, "clock", r->conference->id, e->party, now, NULL);
	}
	changed(d, r);
}

void gw_apply_READY_RESULT(const struct gw_fact *f)
{
	const struct gw_rec_ready_result *b = f->body;
	struct gw_ready_entry *e = entry_of(find(f->d, b->run), b->site);
	if (e != NULL) {
		e->done = true;
		e->done_ms = f->at_ms;
		e->score = b->score;
		e->answer_ms = b->answer_ms;
		e->bitrate_bps = b->bitrate_bps;
		e->rtt_ms = b->rtt_ms;
		e->loss = b->loss;
		e->picture = b->picture;
		e->sound = b->sound;
		g_strfreev(e->faults);
		e->faults = g_strdupv(b->faults);
	}
}

/* ---- calling ---- */
static void call(gw_domain *d, struct gw_ready_run *r, struct gw_ready_entry *e, struct gw_now now)
{
	struct gw_party_facts facts = { .site = e->site, .kind = GW_PARTY_SIP, .max_bps = 1000000 };
	const char *party = gw_party_call(d, "clock", r->conference->id, &facts, now, NULL);
	struct gw_rec_ready_call body = { r->id, e->site, str(party) };
	emit(d, GW_REC_READY_CALL, "clock", r, &body, now);
	if (party == NULL) {
		judge(d, r, e, false, now);
	}
}

void gw_apply_READY_CALL(const struct gw_fact *f)
{
	const struct gw_rec_ready_call *b = f->body;
	struct gw_ready_entry *e = entry_of(find(f->d, b->run), b->site);
	if (e != NULL) {
		g_free(e->party);
		e->party = g_strdup(b->party);
		e->called_ms = f->at_ms;
		e->called_us = f->at_us;
		e->present_us = 0;
	}
}

static bool is_there(const struct gw_party *p)
{
	return p != NULL && (p->state == GW_SITE_PRESENT || p->state == GW_SITE_DEGRADED);
}

static bool has_failed(const struct gw_party *p)
{
	return p == NULL || !(gw_party_is_live(p->state) || p->state == GW_SITE_CALLING || p->state == GW_SITE_RINGING);
}

static void look(gw_domain *d, struct gw_ready_run *r, struct gw_ready_entry *e, struct gw_now now)
{
	const struct gw_party *p = gw_party_get(d, e->party);
	if (is_there(p) && e->present_us == 0) {
		e->present_us = now.us;
	}
	bool looked = e->present_us != 0 && now.us >= e->present_us + LOOK_US;
	bool late = e->present_us == 0 && now.us >= e->called_us + WAIT_US;
	if (looked || late || has_failed(p)) {
		judge(d, r, e, looked, now);
	}
}

static void step(gw_domain *d, struct gw_ready_run *r, struct gw_now now)
{
	int busy = 0;
	bool left = false;
	for (unsigned n = 0; n < r->entries->len; n++) {
		struct gw_ready_entry *e = entry_at(r, n);
		if (!e->done && e->called_ms != 0) {
			look(d, r, e, now);
		} else if (!e->done && (!e->call || !e->registered)) {
			judge(d, r, e, false, now);
		} else if (!e->done && busy < AT_ONCE) {
			call(d, r, e, now);
		}
		busy += !e->done && e->called_ms != 0;
		left |= !e->done;
	}
	if (!left) {
		struct gw_rec_ready_ref body = { r->id };
		emit(d, GW_REC_READY_CLOSE, "clock", r, &body, now);
		(void)gw_conference_close(d, "clock", r->conference->id, "checked", now, NULL);
		changed(d, r);
	}
}

void gw_apply_READY_CLOSE(const struct gw_fact *f)
{
	struct gw_ready_run *r = find(f->d, ((const struct gw_rec_ready_ref *)f->body)->run);
	if (r != NULL) {
		r->closed_ms = f->at_ms;
	}
}

static void tick(gw_domain *d, struct gw_now now)
{
	struct gw_ready_run *r = newest(d);
	if (r != NULL && r->closed_ms == 0) {
		step(d, r, now);
	}
}

static int64_t deadline(const gw_domain *d)
{
	const struct gw_ready_run *r = newest(d);
	int64_t next = ORT_NEVER;
	for (unsigned n = 0; r != NULL && r->closed_ms == 0 && n < r->entries->len; n++) {
		const struct gw_ready_entry *e = entry_at(r, n);
		const struct gw_party *p = gw_party_get(d, e->party);
		if (e->done || e->called_ms == 0) {
			continue;
		}
		int64_t at = e->present_us != 0 ? e->present_us + LOOK_US : is_there(p) || has_failed(p) ? e->called_us : e->called_us + WAIT_US;
		next = MIN(next, at);
	}
	return next;
}

/* ---- what media says ---- */
static struct gw_ready_entry *by_party(const gw_domain *d, const char *party)
{
	const struct gw_ready_run *r = newest(d);
	for (unsigned n = 0; r != NULL && r->closed_ms == 0 && n < r->entries->len; n++) {
		struct gw_ready_entry *e = entry_at(r, n);
		if (!e->done && party != NULL && g_strcmp0(e->party, party) == 0) {
			return e;
		}
	}
	return NULL;
}

bool gw_ready_is(const gw_domain *d, const char *conference)
{
	for (unsigned n = d->readies->runs->len; n > 0; n--) {
		const struct gw_ready_run *r = d->readies->runs->pdata[n - 1];
		if (strcmp(r->conference->id, conference) == 0) {
			return true;
		}
	}
	return false;
}

int64_t gw_ready_turn_us(const gw_domain *d, const char *party)
{
	const struct gw_ready_entry *e = by_party(d, party);
	return e != NULL && e->present_us != 0 ? e->present_us : -1;
}

void gw_ready_turns(const gw_domain *d, const char *conference, void (*fn)(const char *party, void *ud), void *ud)
{
	const struct gw_ready_run *r = newest(d);
	bool here = r != NULL && r->closed_ms == 0 && strcmp(r->conference->id, conference) == 0;
	for (unsigned n = 0; here && n < r->entries->len; n++) {
		const struct gw_ready_entry *e = entry_at(r, n);
		if (!e->done && e->present_us != 0) {
			fn(e->party, ud);
		}
	}
}

void gw_ready_measured(gw_domain *d, const char *party, const struct gw_ready_figures *f)
{
	struct gw_ready_entry *e = by_party(d, party);
	if (e != NULL) {
		int64_t rtt_ms = MAX(f->rtt_ms, e->figures.rtt_ms);
		e->figures = *f;
		e->figures.rtt_ms = rtt_ms;
		e->measured = true;
	}
}

int64_t gw_ready_last_ms(const gw_domain *d)
{
	const struct gw_ready_run *r = newest(d);
	return r != NULL ? r->opened_ms : 0;
}

/* ---- printing ---- */
static json_t *entry_json(const struct gw_ready_entry *e)
{
	json_t *faults = json_array();
	for (unsigned n = 0; e->faults != NULL && e->faults[n] != NULL; n++) {
		for (int k = 0; k < GW_READY_FAULT_N; k++) {
			if (strcmp(e->faults[n], gw_ready_fault_names[k]) == 0) {
				json_array_append_new(faults, json_pack("{s:s,s:i}", "fault", e->faults[n], "points", gw_ready_fault_points[k]));
			}
		}
	}
	return json_pack("{s:s,s:s,s:b,s:b,s:b,s:I,s:o,s:I,s:I,s:I,s:f,s:b,s:b,s:I}", "site", e->site, "name", e->name, "call", e->call, "registered",
			 e->registered, "done", e->done, "score", (json_int_t)e->score, "faults", faults, "answer_ms", (json_int_t)e->answer_ms,
			 "bitrate_bps", (json_int_t)e->bitrate_bps, "rtt_ms", (json_int_t)e->rtt_ms, "loss", e->loss, "picture", e->picture, "sound",
			 e->sound, "done_ms", (json_int_t)e->done_ms);
}

static json_t *run_json(const struct gw_ready_run *r, bool whole)
{
	int done = 0, failing = 0;
	json_t *list = json_array();
	for (unsigned n = 0; n < r->entries->len; n++) {
		const struct gw_ready_entry *e = entry_at(r, n);
		done += e->done;
		failing += e->done && e->score < GW_READY_PASS;
		if (whole) {
			json_array_append_new(list, entry_json(e));
		}
	}
	json_t *o = json_pack("{s:s,s:s,s:s,s:I,s:I,s:i,s:i,s:i}", "id", r->id, "state", r->closed_ms != 0 ? "closed" : "running", "by", r->by, "opened_ms",
			      (json_int_t)r->opened_ms, "closed_ms", (json_int_t)r->closed_ms, "sites", (int)r->entries->len, "done", done, "failing", failing);
	if (whole) {
		json_object_set(o, "entries", list);
	}
	json_decref(list);
	return o;
}

json_t *gw_ready_print(const gw_domain *d, const char *id)
{
	const struct gw_ready_run *r = id != NULL ? find(d, id) : newest(d);
	return r != NULL ? run_json(r, true) : NULL;
}

json_t *gw_ready_list(const gw_domain *d, unsigned limit)
{
	json_t *list = json_array();
	for (unsigned n = d->readies->runs->len; n > 0 && json_array_size(list) < limit; n--) {
		json_array_append_new(list, run_json(d->readies->runs->pdata[n - 1], false));
	}
	return list;
}

static void init(gw_domain *d)
{
	d->readies = g_new0(struct gw_readies, 1);
	d->readies->runs = g_ptr_array_new_with_free_func(run_free);
}

static void finish(gw_domain *d)
{
	g_ptr_array_unref(d->readies->runs);
	g_free(d->readies);
}

const struct gw_part gw_part_ready = { .init = init, .finish = finish, .deadline = deadline, .tick = tick };
