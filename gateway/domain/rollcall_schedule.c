/* Saved lists of a roll call, and the hours at which they run unattended (定时点名). The hour is wall-clock time, so the clock
 * looks at least every half minute: a step of the host's time is no missed roll call. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

#define LOOK_US (30 * ORT_US_PER_S)
#define MAX_SCHEDULES 200
#define DEFAULT_DWELL_MS 15000

void gw_schedule_free(gpointer p)
{
	struct gw_schedule *s = p;
	g_free(s->id);
	g_free(s->name);
	g_strfreev(s->sites);
	g_free(s->conference);
	g_free(s->rollcall);
	g_free(s);
}

static struct gw_schedule *find(const gw_domain *d, const char *id, GError **err)
{
	for (unsigned n = 0; n < d->rollcall_schedules->len; n++) {
		struct gw_schedule *s = d->rollcall_schedules->pdata[n];
		if (g_strcmp0(s->id, id) == 0) {
			return s;
		}
	}
	g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such saved list");
	return NULL;
}

/* The first set hour after that time, 0 = never. */
static int64_t next_after(const struct gw_schedule *s, int64_t at_ms)
{
	g_autoptr(GDateTime) from = g_date_time_new_from_unix_local(at_ms / 1000);
	for (int day = 0; s->days != 0 && day <= 7; day++) {
		g_autoptr(GDateTime) on = g_date_time_add_days(from, day);
		g_autoptr(GDateTime) due = g_date_time_new_local(g_date_time_get_year(on), g_date_time_get_month(on),
								 g_date_time_get_day_of_month(on), s->minute / 60, s->minute % 60, 0);
		bool meant = due != NULL && (s->days & (1 << (g_date_time_get_day_of_week(on) - 1))) != 0;
		if (meant && g_date_time_to_unix(due) * 1000 > at_ms) {
			return g_date_time_to_unix(due) * 1000;
		}
	}
	return 0;
}

/* ---- verbs ---- */
static bool facts_ok(const gw_domain *d, const struct gw_schedule_facts *f, GError **err)
{
	if (!gw_text_ok(f->name, 200, true, "name", err) || !gw_rollcall_sites_ok(d, f->sites, err)) {
		return false;
	}
	if (f->minute < 0 || f->minute > 1439 || f->days < 0 || f->days > 127) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "minute: 0 to 1439; days: 0 to 127");
		return false;
	}
	if (f->id == NULL && d->rollcall_schedules->len >= MAX_SCHEDULES) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_LIMIT, "%d lists are saved", MAX_SCHEDULES);
		return false;
	}
	return f->id == NULL || find(d, f->id, err) != NULL;
}

const char *gw_schedule_put(gw_domain *d, const char *actor, const struct gw_schedule_facts *f, struct gw_now now, GError **err)
{
	if (!facts_ok(d, f, err)) {
		return NULL;
	}
	int64_t nr = d->last_schedule + (f->id == NULL);
	g_autofree char *id = f->id != NULL ? g_strdup(f->id) : g_strdup_printf("rs-%" G_GINT64_MODIFIER "x", nr);
	struct gw_rec_schedule body = { id, (char *)(uintptr_t)f->name, (char **)(uintptr_t)f->sites, nr, f->ahead < 0 ? 3 : MIN(f->ahead, 50),
					CLAMP(f->dwell_ms, 0, 600000), f->minute, f->days, f->hang_up, f->drill };
	gw_emit(d, GW_REC_SCHEDULE_PUT, actor, NULL, &body, now);
	struct gw_schedule *s = find(d, id, err);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_SCHEDULE, .id = id });
	return s != NULL ? s->id : NULL;
}

void gw_apply_SCHEDULE_PUT(const struct gw_fact *f)
{
	const struct gw_rec_schedule *b = f->body;
	struct gw_schedule *s = find(f->d, b->id, NULL);
	if (s == NULL) {
		s = g_new0(struct gw_schedule, 1);
		s->id = g_strdup(b->id);
		g_ptr_array_add(f->d->rollcall_schedules, s);
	}
	g_free(s->name);
	g_strfreev(s->sites);
	s->name = g_strdup(b->name);
	s->sites = g_strdupv(b->sites);
	s->ahead = (int)b->ahead;
	s->dwell_ms = b->dwell_ms;
	s->minute = (int)b->minute;
	s->days = (int)b->days;
	s->hang_up = b->hang_up;
	s->drill = b->drill;
	s->next_ms = next_after(s, f->at_ms);
	f->d->last_schedule = MAX(f->d->last_schedule, b->nr);
}

bool gw_schedule_remove(gw_domain *d, const char *actor, const char *id, struct gw_now now, GError **err)
{
	struct gw_schedule *s = find(d, id, err);
	if (s == NULL) {
		return false;
	}
	struct gw_rec_schedule_ref body = { (char *)(uintptr_t)id };
	gw_emit(d, GW_REC_SCHEDULE_REMOVE, actor, NULL, &body, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_SCHEDULE, .id = id });
	return true;
}

void gw_apply_SCHEDULE_REMOVE(const struct gw_fact *f)
{
	struct gw_schedule *s = find(f->d, ((const struct gw_rec_schedule_ref *)f->body)->schedule, NULL);
	if (s != NULL) {
		g_ptr_array_remove(f->d->rollcall_schedules, s);
	}
}

/* ---- the hour ---- */
static void open_conference(gw_domain *d, const struct gw_schedule *s, struct gw_now now)
{
	struct gw_conference_facts f = { .name = s->name, .drill = s->drill };
	(void)gw_conference_open(d, "clock", &f, now, NULL);
}

/* Each step looks whether it was done already: cut after any record, the rest is done after the restart. */
static void begin(gw_domain *d, const struct gw_schedule *s, struct gw_now now)
{
	if (s->rollcall == NULL) {
		return;
	}
	gw_access_acting(d, gw_access_division(d, "schedule", s->id));	/* whose list it is, his is the roll call */
	if (gw_conference_find(d, s->conference, NULL) == NULL) {
		open_conference(d, s, now);
	}
	if (gw_rollcall_find(d, s->rollcall, NULL) == NULL) {
		/* Sites may have left the directory since: the others are called all the same. */
		g_autoptr(GPtrArray) known = g_ptr_array_new();
		for (char **site = s->sites; site != NULL && *site != NULL; site++) {
			const char *const one[] = { *site, NULL };
			if (gw_rollcall_sites_ok(d, one, NULL)) {
				g_ptr_array_add(known, *site);
			}
		}
		g_ptr_array_add(known, NULL);
		struct gw_rollcall_facts f = { .conference = s->conference, .name = s->name, .sites = (const char *const *)known->pdata,
					       .ahead = s->ahead, .dwell_ms = s->dwell_ms > 0 ? s->dwell_ms : DEFAULT_DWELL_MS,
					       .hang_up = s->hang_up };
		(void)gw_rollcall_open(d, "clock", &f, now, NULL);
	}
	const struct gw_rollcall *r = gw_rollcall_find(d, s->rollcall, NULL);
	if (r != NULL && r->started_ms == 0 && r->closed_ms == 0) {
		(void)gw_rollcall_run(d, "clock", r->id, true, now, NULL);
	}
	gw_access_acting(d, NULL);
}

/* Its own conference ends with it, unless somebody sits in the chair. */
static void end_conference(gw_domain *d, const struct gw_schedule *s, struct gw_now now)
{
	const struct gw_rollcall *r = gw_rollcall_find(d, s->rollcall, NULL);
	if (r == NULL || r->closed_ms == 0 || r->conference->closed_ms != 0) {
		return;
	}
	for (unsigned n = 0; n < r->conference->parties->len; n++) {
		const struct gw_party *p = r->conference->parties->pdata[n];
		if (!p->removed && p->role == GW_PARTY_CHAIR && gw_party_is_live(p->state)) {
			return;
		}
	}
	(void)gw_conference_close(d, "clock", r->conference->id, "the roll call is over", now, NULL);
}

static void due(gw_domain *d, struct gw_schedule *s, struct gw_now now)
{
	bool late = now.wall_ms - s->next_ms > d->timer_ms[GW_TIMER_ROLLCALL_GRACE];
	g_autofree char *rollcall = g_strdup_printf("rc-%" G_GINT64_MODIFIER "x", d->last_rollcall + 1);
	g_autofree char *conference = g_strdup_printf("conf%" G_GINT64_FORMAT, d->last_conference + 1);
	struct gw_rec_schedule_due body = { s->id, late ? NULL : conference, late ? NULL : rollcall, s->next_ms };
	gw_emit(d, late ? GW_REC_SCHEDULE_MISSED : GW_REC_SCHEDULE_RAN, "clock", NULL, &body, now);
	if (!late) {
		begin(d, s, now);
	}
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_SCHEDULE, .id = s->id, .why = late ? "missed" : "ran" });
}

void gw_apply_SCHEDULE_RAN(const struct gw_fact *f)
{
	const struct gw_rec_schedule_due *b = f->body;
	struct gw_schedule *s = find(f->d, b->schedule, NULL);
	if (s != NULL) {
		g_free(s->conference);
		g_free(s->rollcall);
		s->conference = g_strdup(b->conference);
		s->rollcall = g_strdup(b->rollcall);
		s->last_ms = f->at_ms;
		s->next_ms = next_after(s, MAX(f->at_ms, b->due_ms));
	}
}

void gw_apply_SCHEDULE_MISSED(const struct gw_fact *f)
{
	const struct gw_rec_schedule_due *b = f->body;
	struct gw_schedule *s = find(f->d, b->schedule, NULL);
	if (s != NULL) {
		s->missed_ms = b->due_ms;
		s->next_ms = next_after(s, MAX(f->at_ms, b->due_ms));
	}
}

/* ---- reading ---- */
static json_t *schedule_json(const struct gw_schedule *s)
{
	json_t *sites = json_array();
	for (char **site = s->sites; site != NULL && *site != NULL; site++) {
		json_array_append_new(sites, json_string(*site));
	}
	return json_pack("{s:s,s:s,s:o,s:i,s:I,s:i,s:i,s:b,s:b,s:I,s:I,s:I,s:s?}", "id", s->id, "name", s->name, "sites", sites, "ahead",
			 s->ahead, "dwell_ms", (json_int_t)s->dwell_ms, "minute", s->minute, "days", s->days, "hang_up", s->hang_up, "drill",
			 s->drill, "next_ms", (json_int_t)s->next_ms, "last_ms", (json_int_t)s->last_ms, "missed_ms",
			 (json_int_t)s->missed_ms, "rollcall", s->rollcall);
}

json_t *gw_schedule_print(const gw_domain *d, const char *id)
{
	const struct gw_schedule *s = find(d, id, NULL);
	return s != NULL ? schedule_json(s) : NULL;
}

json_t *gw_schedule_list(const gw_domain *d)
{
	json_t *list = json_array();
	for (unsigned n = 0; n < d->rollcall_schedules->len; n++) {
		json_array_append_new(list, schedule_json(d->rollcall_schedules->pdata[n]));
	}
	return list;
}

void gw_domain_site_address(gw_domain *d, const char *site, const char *address)
{
	if (address != NULL) {
		g_hash_table_replace(d->site_addresses, g_strdup(site), g_strdup(address));
	} else {
		g_hash_table_remove(d->site_addresses, site);
	}
}

/* ---- as a part of the domain ---- */
static void init(gw_domain *d)
{
	d->rollcall_schedules = g_ptr_array_new_with_free_func(gw_schedule_free);
	d->site_addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static void finish(gw_domain *d)
{
	g_ptr_array_unref(d->rollcall_schedules);
	g_hash_table_unref(d->site_addresses);
}

static void woken(gw_domain *d, struct gw_now now)
{
	for (unsigned n = 0; n < d->rollcall_schedules->len; n++) {
		begin(d, d->rollcall_schedules->pdata[n], now);
	}
}

/* The domain knows no time of its own, so the next look is counted from the last one. */
static int64_t deadline(const gw_domain *d)
{
	int64_t next = ORT_NEVER;
	for (unsigned n = 0; n < d->rollcall_schedules->len; n++) {
		const struct gw_schedule *s = d->rollcall_schedules->pdata[n];
		int64_t wait_us = (s->next_ms - d->schedule_looked.wall_ms) * ORT_US_PER_MS;
		if (s->next_ms != 0) {
			next = MIN(next, d->schedule_looked.us + CLAMP(wait_us, 0, LOOK_US));
		}
	}
	return next;
}

static void tick(gw_domain *d, struct gw_now now)
{
	d->schedule_looked = now;
	for (unsigned n = 0; n < d->rollcall_schedules->len; n++) {
		struct gw_schedule *s = d->rollcall_schedules->pdata[n];
		if (s->next_ms != 0 && now.wall_ms >= s->next_ms) {
			due(d, s, now);
		}
		if (s->rollcall != NULL) {
			end_conference(d, s, now);
		}
	}
}

const struct gw_part gw_part_schedule = { .init = init, .finish = finish, .woken = woken, .deadline = deadline, .tick = tick };
