/* The domain as a whole: its life, the one way to change it (emit), replay, and its clock. Not the rules of any noun. */
#include "gateway/domain/domain_priv.h"

#include <errno.h>

static void (*const apply[GW_REC_N])(const struct gw_fact *) = {
#define X(id, type, body, doc) [GW_REC_##id] = gw_apply_##id,
#include "gateway/domain/records.def"
#undef X
};

/* The nouns, in the order in which they are made and ticked. */
static const struct gw_part *const parts[] = {
#define X(name) &gw_part_##name,
#include "gateway/domain/parts.def"
#undef X
};

/* The record's own noun first, then whoever looks on. */
static void apply_all(const struct gw_fact *f)
{
	apply[f->rec](f);
	for (size_t n = 0; n < G_N_ELEMENTS(parts); n++) {
		if (parts[n]->seen != NULL) {
			parts[n]->seen(f);
		}
	}
}

gw_domain *gw_domain_new(const struct gw_domain_ops *ops, const char *boot, void *user_data)
{
	gw_domain *d = g_new0(gw_domain, 1);
	d->ops = *ops;
	d->user_data = user_data;
	d->boot = g_strdup(boot);
	d->replaying = true;
	for (int i = 0; i < GW_TIMER_N; i++) {
		d->timer_ms[i] = gw_timer_rows[i].default_ms;
	}
	for (size_t n = 0; n < G_N_ELEMENTS(parts); n++) {
		parts[n]->init(d);
	}
	return d;
}

void gw_domain_free(gw_domain *d)
{
	if (d == NULL) {
		return;
	}
	for (size_t n = G_N_ELEMENTS(parts); n-- > 0;) {
		parts[n]->finish(d);
	}
	g_free(d->boot);
	g_free(d);
}

void gw_domain_set_timer(gw_domain *d, enum gw_timer timer, int64_t ms)
{
	d->timer_ms[timer] = ms;
}

void gw_act(gw_domain *d, const struct gw_action *a)
{
	if (!d->replaying) {
		d->ops.act(a, d->user_data);
	}
}

void gw_changed(gw_domain *d, const struct gw_incident *i)
{
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_CHANGED_INCIDENT, .id = i->id });
}

void gw_emit(gw_domain *d, enum gw_rec rec, const char *actor, const struct gw_incident *incident, const void *body,
	     struct gw_now now)
{
	g_autoptr(json_t) printed = ort_json_print(gw_rec_rows[rec].table, body);
	/* The id is read back after apply: an incident.open names an object that apply makes. */
	struct gw_fact fact = { d, rec, (void *)(uintptr_t)body, actor, (struct gw_incident *)(uintptr_t)incident,
				now.wall_ms, now.us };
	const char *id = incident != NULL ? incident->id : NULL;
	if (rec == GW_REC_INCIDENT_OPEN) {
		id = ((const struct gw_rec_incident_open *)body)->id;
	}
	struct gw_record record = { 0, now.wall_ms, now.us, d->boot, gw_rec_rows[rec].type, actor, id, printed };
	apply_all(&fact);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_REMEMBER, .record = &record });
	gw_access_after(d, rec, actor, body, now);
}

/* Monotonic time of a record in this boot's clock; a record of another boot is placed by the wall clock. */
static int64_t record_us(const gw_domain *d, const struct gw_record *r, struct gw_now now)
{
	if (r->boot != NULL && g_str_equal(r->boot, d->boot)) {
		return r->at_us;
	}
	int64_t age_ms = MAX(now.wall_ms - r->at_ms, 0);
	return now.us - age_ms * ORT_US_PER_MS;
}

int gw_domain_replay(gw_domain *d, const struct gw_record *record, struct gw_now now)
{
	int rec = gw_rec_by_type(record->type);
	if (rec < 0) {
		return 0;
	}
	const struct ort_json_table *table = gw_rec_rows[rec].table;
	g_autofree char *body = g_malloc0(table->size);
	if (ort_json_read(table, record->body, body, NULL) < 0) {
		d->bad_records++;
		return -EBADMSG;
	}
	struct gw_incident *i = record->incident != NULL ? g_hash_table_lookup(d->incidents, record->incident) : NULL;
	struct gw_fact fact = { d, (enum gw_rec)rec, body, record->actor, i, record->at_ms, record_us(d, record, now) };
	apply_all(&fact);
	ort_json_clear(table, body);
	return 0;
}

void gw_domain_replay_done(gw_domain *d, struct gw_now now)
{
	d->replaying = false;
	for (size_t n = 0; n < G_N_ELEMENTS(parts); n++) {
		if (parts[n]->woken != NULL) {
			parts[n]->woken(d, now);
		}
	}
	gw_domain_tick(d, now);
}

int64_t gw_domain_deadline(const gw_domain *d)
{
	int64_t next = ORT_NEVER;
	for (size_t n = 0; n < G_N_ELEMENTS(parts); n++) {
		next = parts[n]->deadline != NULL ? MIN(next, parts[n]->deadline(d)) : next;
	}
	return next;
}

void gw_domain_tick(gw_domain *d, struct gw_now now)
{
	for (size_t n = 0; n < G_N_ELEMENTS(parts); n++) {
		if (parts[n]->tick != NULL) {
			parts[n]->tick(d, now);
		}
	}
}

bool gw_text_ok(const char *text, size_t max, bool required, const char *what, GError **err)
{
	size_t len = text != NULL ? strlen(text) : 0;
	if ((required && len == 0) || len > max || (len > 0 && !g_utf8_validate(text, (gssize)len, NULL))) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "%s: 1 to %zu bytes of UTF-8 are wanted", what, max);
		return false;
	}
	return true;
}
