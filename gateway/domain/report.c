/* Incident reports: filing, receipts, and the clock of what is due. Printing is in report_print.c. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

#define MAX_REPORTS 500		/* of one incident */
#define MAX_RECIPIENTS 32
#define FORGET_US (INT64_C(30) * 86400 * ORT_US_PER_S)	/* what lapsed so long ago is no news: logs older than this rule */

const char *const gw_report_kind_names[GW_REPORT_KIND_N + 1] = { "first", "followup", "final", NULL };

enum from { FROM_T0, FROM_LAST, FROM_CLOSE };
static const struct { enum gw_timer timer; enum from from; int level_from, level_to; } clocks[GW_REPORT_ROW_N] = {
#define X(id, name, kind, spoken, level_from, level_to, from, timer, clause) { GW_TIMER_##timer, FROM_##from, level_from, level_to },
#include "gateway/domain/reports.def"
#undef X
};
const struct gw_report_row_info gw_report_rows[GW_REPORT_ROW_N] = {
#define X(id, name, kind, spoken, level_from, level_to, from, timer, clause) { name, GW_REPORT_##kind, spoken, clause },
#include "gateway/domain/reports.def"
#undef X
};

static void report_free(gpointer p)
{
	struct gw_report *r = p;
	for (unsigned n = 0; n < r->n_recipients; n++) {
		g_free(r->receipts[n].by);
	}
	g_free(r->receipts);
	ort_json_clear(&gw_rec_table_report_filed, &r->f);
	g_free(r->incident);
	g_free(r->by);
	g_free(r);
}

static void case_free(gpointer p)
{
	struct gw_report_case *c = p;
	g_ptr_array_unref(c->reports);
	g_free(c->incident);
	g_free(c);
}

struct gw_report_case *gw_report_case_of(const gw_domain *d, const char *incident)
{
	return incident != NULL ? g_hash_table_lookup(d->reports->cases, incident) : NULL;
}

static struct gw_report *find(const gw_domain *d, const char *id, GError **err)
{
	struct gw_report *r = id != NULL ? g_hash_table_lookup(d->reports->by_id, id) : NULL;
	if (r == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such report");
	}
	return r;
}

const char *gw_report_incident(const gw_domain *d, const char *id)
{
	const struct gw_report *r = find(d, id, NULL);
	return r != NULL ? r->incident : NULL;
}

static void changed(gw_domain *d, const char *incident)
{
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_REPORT, .id = incident });
}

/* ---- what is due ---- */
static int64_t done_of(const struct gw_report_case *c, enum gw_report_row row)
{
	const struct gw_report_row_info *info = &gw_report_rows[row];
	if (info->kind == GW_REPORT_FINAL) {
		return c->final_ms;
	}
	if (info->kind == GW_REPORT_FOLLOWUP) {
		return 0;	/* the next one is always ahead */
	}
	/* Who has it in writing need not be told. */
	bool spoken_first = info->spoken && c->first_spoken_ms != 0 && (c->first_written_ms == 0 || c->first_spoken_ms < c->first_written_ms);
	return spoken_first ? c->first_spoken_ms : c->first_written_ms;
}

void gw_report_due(const gw_domain *d, const struct gw_report_case *c, enum gw_report_row row, struct gw_report_due *ret)
{
	const struct gw_incident *i = g_hash_table_lookup(d->incidents, c->incident);
	int64_t whole_us = d->timer_ms[clocks[row].timer] * ORT_US_PER_MS;
	enum from from = clocks[row].from;
	*ret = (struct gw_report_due){ .from_ms = c->since_ms, .from_us = c->since_us, .done_ms = done_of(c, row) };
	ret->applies = i->level >= clocks[row].level_from && i->level <= clocks[row].level_to;
	if (from == FROM_LAST) {
		ret->applies = ret->applies && c->last_ms != 0 && c->closed_ms == 0;
		ret->from_ms = c->last_ms;
		ret->from_us = c->last_us;
	} else if (from == FROM_CLOSE) {
		ret->applies = ret->applies && c->closed_ms != 0;
		ret->from_ms = c->closed_ms;
		ret->from_us = c->closed_us;
	}
	ret->pending = ret->applies && ret->done_ms == 0;
	ret->due_us = ret->from_us + whole_us;
	ret->warn_us = ret->from_us + whole_us / 5 * 4;
	ret->due_ms = ret->from_ms + whole_us / ORT_US_PER_MS;
	ret->warn_ms = ret->from_ms + whole_us / ORT_US_PER_MS / 5 * 4;
}

static char *key_of(const struct gw_report_case *c, enum gw_report_row row, const struct gw_report_due *due, const char *what)
{
	return g_strdup_printf("report/%s/%s/%" G_GINT64_FORMAT "/%s", c->incident, gw_report_rows[row].name, due->from_ms / 1000, what);
}

static bool is_raised(const gw_domain *d, const char *key)
{
	return g_hash_table_contains(d->duty->alarms, key);
}

static int64_t row_deadline(const gw_domain *d, const struct gw_report_case *c, enum gw_report_row row)
{
	struct gw_report_due due;
	gw_report_due(d, c, row, &due);
	if (!due.pending || (c->forgotten & 1U << row) != 0) {
		return ORT_NEVER;
	}
	g_autofree char *warn = key_of(c, row, &due, "warn"), *over = key_of(c, row, &due, "over");
	return is_raised(d, over) ? ORT_NEVER : is_raised(d, warn) ? due.due_us : due.warn_us;
}

static void raise_alarm(gw_domain *d, const struct gw_report_case *c, enum gw_report_row row, const char *key, bool over, struct gw_now now)
{
	gw_duty_alarm_raise(d, &(struct gw_duty_alarm_facts){ key, over ? "report_over" : "report_warn", NULL, c->incident, gw_report_rows[row].name, over ? 1 : 2, 1 }, now);
	changed(d, c->incident);
}

/* Alarms of deadlines that are met, or that are counted from a later report now, have no cause any more. */
static void settle(gw_domain *d, const struct gw_report_case *c, struct gw_now now)
{
	g_autofree char *prefix = g_strdup_printf("report/%s/", c->incident);
	g_autoptr(GHashTable) live = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) gone = g_ptr_array_new_with_free_func(g_free);
	GHashTableIter it;
	const char *key;
	for (int row = 0; row < GW_REPORT_ROW_N; row++) {
		struct gw_report_due due;
		gw_report_due(d, c, (enum gw_report_row)row, &due);
		if (due.pending) {
			g_hash_table_add(live, key_of(c, (enum gw_report_row)row, &due, "over"));
			if (due.due_us > now.us) {
				g_hash_table_add(live, key_of(c, (enum gw_report_row)row, &due, "warn"));
			}
		}
	}
	g_hash_table_iter_init(&it, d->duty->alarms);
	while (g_hash_table_iter_next(&it, (gpointer *)&key, NULL)) {
		if (g_str_has_prefix(key, prefix) && !g_hash_table_contains(live, key)) {
			g_ptr_array_add(gone, g_strdup(key));
		}
	}
	for (unsigned n = 0; n < gone->len; n++) {
		gw_duty_alarm_settle(d, gone->pdata[n], now);
	}
}

static void tick_case(gw_domain *d, struct gw_report_case *c, struct gw_now now)
{
	bool look = c->look_us <= now.us;
	for (int row = 0; row < GW_REPORT_ROW_N; row++) {
		struct gw_report_due due;
		gw_report_due(d, c, (enum gw_report_row)row, &due);
		bool over = due.due_us <= now.us, stale = now.us - due.due_us > FORGET_US;
		c->forgotten |= due.pending && stale ? 1U << row : 0;
		if (!due.pending || stale || due.warn_us > now.us) {
			continue;
		}
		g_autofree char *key = key_of(c, (enum gw_report_row)row, &due, over ? "over" : "warn");
		if (!is_raised(d, key)) {
			raise_alarm(d, c, (enum gw_report_row)row, key, over, now);
			look = true;
		}
	}
	c->look_us = ORT_NEVER;
	if (look) {
		settle(d, c, now);
	}
}

/* ---- filing ---- */
static bool texts_ok(const struct gw_report_facts *f, GError **err)
{
	unsigned n = f->recipients != NULL ? g_strv_length((char **)(uintptr_t)f->recipients) : 0;
	const struct { const char *text, *what; size_t max; bool must; } rows[] = {
		{ f->place, "place", 400, !f->spoken },	     { f->what, "what", 4000, true },	       { f->casualties, "casualties", 1000, false },
		{ f->measures, "measures", 4000, false },    { f->contact, "contact", 200, false },    { f->contact_phone, "contact_phone", 40, false },
		{ f->cause, "cause", 4000, false },	     { f->told_by, "told_by", 200, f->spoken }, { f->told_to, "told_to", 200, f->spoken },
	};
	for (unsigned k = 0; k < G_N_ELEMENTS(rows); k++) {
		if (!gw_text_ok(rows[k].text, rows[k].max, rows[k].must, rows[k].what, err)) {
			return false;
		}
	}
	for (unsigned k = 0; k < n; k++) {
		if (!gw_text_ok(f->recipients[k], 200, true, "recipients", err)) {
			return false;
		}
	}
	if (n > MAX_RECIPIENTS || (n == 0 && !f->spoken) || f->dead < 0 || f->missing < 0 || f->injured < 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "recipients: 1 to %d; dead, missing, injured: not negative", MAX_RECIPIENTS);
		return false;
	}
	return true;
}

static bool in_order(const struct gw_report_case *c, const struct gw_report_facts *f, GError **err)
{
	const char *why = f->kind == GW_REPORT_FINAL && c->closed_ms == 0		? "the final report comes when the incident is closed"
			  : f->kind == GW_REPORT_FINAL && c->final_ms != 0		? "the final report is given"
			  : f->kind != GW_REPORT_FIRST && c->first_written_ms == 0	? "the first report in writing comes first"
			  : f->kind == GW_REPORT_FIRST && !f->spoken && c->first_written_ms != 0 ? "the first report is given: this one is a follow-up"
			  : f->spoken && f->kind != GW_REPORT_FIRST			? "follow-up and final reports are in writing"
			  : c->reports->len >= MAX_REPORTS				? "too many reports of this incident"
											: NULL;
	if (why != NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "%s", why);
	}
	return why == NULL;
}

const char *gw_report_file(gw_domain *d, const char *actor, const struct gw_report_facts *f, struct gw_now now, GError **err)
{
	struct gw_incident *i = gw_incident_find(d, f->incident, err);
	struct gw_report_case *c = i != NULL ? gw_report_case_of(d, i->id) : NULL;
	if (c == NULL || !texts_ok(f, err) || !in_order(c, f, err)) {
		return NULL;
	}
	g_autofree char *id = g_strdup_printf("rp-%" G_GINT64_MODIFIER "x", d->reports->last + 1);
#define S(m) .m = (char *)(uintptr_t)f->m
	struct gw_rec_report_filed body = { .id = id, .nr = d->reports->last + 1, .kind = (int)f->kind, .spoken = f->spoken,
					    .time_ms = f->time_ms != 0 ? f->time_ms : i->t0_ms, S(place), S(what), S(casualties), S(measures), S(contact),
					    S(contact_phone), S(cause), S(told_by), S(told_to), .recipients = (char **)(uintptr_t)f->recipients,
					    .dead = f->dead, .missing = f->missing, .injured = f->injured };
#undef S
	gw_emit(d, GW_REC_REPORT_FILED, actor, i, &body, now);
	settle(d, c, now);
	changed(d, i->id);
	const struct gw_report *r = find(d, id, NULL);
	return r != NULL ? r->f.id : NULL;
}

static void note_times(struct gw_report_case *c, const struct gw_rec_report_filed *b, const struct gw_fact *f)
{
	if (b->spoken) {
		c->first_spoken_ms = c->first_spoken_ms != 0 ? c->first_spoken_ms : f->at_ms;
		return;
	}
	if (b->kind == GW_REPORT_FIRST) {
		c->first_written_ms = f->at_ms;
	} else if (b->kind == GW_REPORT_FINAL) {
		c->final_ms = f->at_ms;
	}
	c->last_ms = f->at_ms;
	c->last_us = f->at_us;
	c->forgotten = 0;
}

void gw_apply_REPORT_FILED(const struct gw_fact *f)
{
	const struct gw_rec_report_filed *b = f->body;
	struct gw_report_case *c = f->incident != NULL ? gw_report_case_of(f->d, f->incident->id) : NULL;
	if (c == NULL || g_hash_table_contains(f->d->reports->by_id, b->id)) {
		return;
	}
	struct gw_report *r = g_new0(struct gw_report, 1);
	g_autoptr(json_t) copy = ort_json_print(&gw_rec_table_report_filed, b);
	(void)ort_json_read(&gw_rec_table_report_filed, copy, &r->f, NULL);	/* it was printed by the same table */
	r->incident = g_strdup(c->incident);
	r->by = g_strdup(f->actor);
	r->at_ms = f->at_ms;
	r->n_recipients = r->f.recipients != NULL ? g_strv_length(r->f.recipients) : 0;
	r->receipts = g_new0(struct gw_receipt, r->n_recipients + 1);
	r->of_kind = 1;
	for (unsigned n = 0; n < c->reports->len; n++) {
		const struct gw_report *other = c->reports->pdata[n];
		r->of_kind += other->f.kind == r->f.kind && other->f.spoken == r->f.spoken;
	}
	g_ptr_array_add(c->reports, r);
	g_hash_table_insert(f->d->reports->by_id, r->f.id, r);
	f->d->reports->last = MAX(f->d->reports->last, b->nr);
	note_times(c, b, f);
}

/* ---- receipts ---- */
static struct gw_receipt *receipt_of(const struct gw_report *r, const char *recipient)
{
	for (unsigned n = 0; n < r->n_recipients; n++) {
		if (g_strcmp0(r->f.recipients[n], recipient) == 0) {
			return &r->receipts[n];
		}
	}
	return NULL;
}

bool gw_report_receipt(gw_domain *d, const char *actor, const char *id, const char *recipient, const char *by, struct gw_now now, GError **err)
{
	struct gw_report *r = find(d, id, err);
	const struct gw_receipt *receipt = r != NULL ? receipt_of(r, recipient) : NULL;
	if (r == NULL || !gw_text_ok(by, 200, true, "by", err)) {
		return false;
	}
	if (receipt == NULL || receipt->at_ms != 0) {
		g_set_error(err, GW_DOMAIN_ERROR, receipt == NULL ? GW_DOMAIN_NOT_FOUND : GW_DOMAIN_STATE, "%s",
			    receipt == NULL ? "recipient: not of this report" : "it is signed for");
		return false;
	}
	struct gw_rec_report_receipt body = { r->f.id, (char *)(uintptr_t)recipient, (char *)(uintptr_t)by };
	gw_emit(d, GW_REC_REPORT_RECEIPT, actor, gw_incident_find(d, r->incident, NULL), &body, now);
	changed(d, r->incident);
	return true;
}

void gw_apply_REPORT_RECEIPT(const struct gw_fact *f)
{
	const struct gw_rec_report_receipt *b = f->body;
	const struct gw_report *r = find(f->d, b->report, NULL);
	struct gw_receipt *receipt = r != NULL ? receipt_of(r, b->recipient) : NULL;
	if (receipt != NULL && receipt->at_ms == 0) {
		receipt->at_ms = f->at_ms;
		receipt->by = g_strdup(b->by);
	}
}

/* ---- as a part of the domain ---- */
static void init(gw_domain *d)
{
	d->reports = g_new0(struct gw_reports, 1);
	d->reports->cases = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, case_free);
	d->reports->by_id = g_hash_table_new(g_str_hash, g_str_equal);
}

static void finish(gw_domain *d)
{
	g_hash_table_unref(d->reports->by_id);
	g_hash_table_unref(d->reports->cases);
	g_free(d->reports);
}

static void open_case(const struct gw_fact *f, const struct gw_rec_incident_open *b)
{
	struct gw_report_case *c = g_new0(struct gw_report_case, 1);
	if (gw_report_case_of(f->d, b->id) != NULL) {
		g_free(c);
		return;
	}
	*c = (struct gw_report_case){ .incident = g_strdup(b->id), .grave = b->level <= 2, .since_ms = f->at_ms, .since_us = f->at_us, .look_us = ORT_NEVER,
				      .reports = g_ptr_array_new_with_free_func(report_free) };
	g_hash_table_insert(f->d->reports->cases, c->incident, c);
}

static void seen(const struct gw_fact *f)
{
	struct gw_report_case *c = f->incident != NULL ? gw_report_case_of(f->d, f->incident->id) : NULL;
	if (f->rec == GW_REC_INCIDENT_OPEN) {
		open_case(f, f->body);
	} else if (c != NULL && f->rec == GW_REC_INCIDENT_UPDATE) {
		bool grave = f->incident->level <= 2;
		if (grave && !c->grave) {	/* it became worse: the shorter times begin now */
			c->since_ms = f->at_ms;
			c->since_us = f->at_us;
		}
		c->grave = grave;
		c->look_us = f->at_us;
	} else if (c != NULL && f->rec == GW_REC_INCIDENT_CLOSE) {
		c->closed_ms = f->at_ms;
		c->closed_us = f->at_us;
		c->look_us = f->at_us;
	}
}

static int64_t deadline(const gw_domain *d)
{
	int64_t next = ORT_NEVER;
	GHashTableIter it;
	const struct gw_report_case *c;
	g_hash_table_iter_init(&it, d->reports->cases);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&c)) {
		next = MIN(next, c->look_us);
		for (int row = 0; row < GW_REPORT_ROW_N && c->final_ms == 0; row++) {
			next = MIN(next, row_deadline(d, c, (enum gw_report_row)row));
		}
	}
	return next;
}

static void tick(gw_domain *d, struct gw_now now)
{
	GHashTableIter it;
	struct gw_report_case *c;
	g_hash_table_iter_init(&it, d->reports->cases);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&c)) {
		tick_case(d, c, now);
	}
}

const struct gw_part gw_part_report = { .init = init, .finish = finish, .deadline = deadline, .tick = tick, .seen = seen };
