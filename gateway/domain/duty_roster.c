/* The duty roster (值班表): cells of (place, day, shift), who is on watch now, and what is missing for the next month. */
#include <string.h>

#include "gateway/domain/directory_priv.h"

#define MAX_PEOPLE 12	/* of one shift */
#define KEEP_CELLS 200000

void gw_duty_cell_free(gpointer p)
{
	struct gw_duty_cell *c = p;
	g_free(c->place);
	g_free(c->day);
	g_free(c->shift);
	g_strfreev(c->people);
	g_free(c->leader);
	g_free(c);
}

char *gw_duty_cell_key(const char *place, const char *day, const char *shift)
{
	return g_strconcat(place, "/", day, "/", shift, NULL);
}

/* ---- finding ---- */
static const struct gw_duty_cell *own_cell(const gw_domain *d, const char *place, const char *day, const char *shift)
{
	g_autofree char *key = gw_duty_cell_key(place, day, shift);
	return g_hash_table_lookup(d->duty->cells, key);
}

static const char *above(const gw_domain *d, const char *place)
{
	const struct gw_rec_site *site = g_hash_table_lookup(d->directory[GW_SITE], place);
	const struct gw_rec_division *division = g_hash_table_lookup(d->directory[GW_DIVISION], place);
	return site != NULL ? site->division : division != NULL ? division->parent : NULL;
}

const struct gw_duty_cell *gw_duty_find(const gw_domain *d, const char *place, const char *day, const char *shift, const char **ret_place)
{
	for (int depth = 0; place != NULL && depth < 32; depth++, place = above(d, place)) {
		const struct gw_duty_cell *cell = own_cell(d, place, day, shift);
		if (cell != NULL) {
			if (ret_place != NULL) {
				*ret_place = cell->place;
			}
			return cell;
		}
	}
	return NULL;
}

int gw_duty_filled(const gw_domain *d, const char *place, const char *month)
{
	int n = 0, days = gw_month_days(month);
	for (int day = 1; day <= days; day++) {
		g_autofree char *text = g_strdup_printf("%.7s-%02d", month, day);
		for (int s = 0; s < d->duty->rules.n_shifts; s++) {
			n += gw_duty_find(d, place, text, d->duty->rules.shifts[s].name, NULL) != NULL;
		}
	}
	return n;
}

/* ---- changing ---- */
void gw_duty_put_cells(gw_domain *d, const char *actor, const char *place, struct gw_rec_duty_cell *cells, size_t n, struct gw_now now)
{
	for (size_t done = 0; done < n; done += 500) {	/* a record is no book */
		struct gw_rec_duty_roster body = { (char *)(uintptr_t)place, { cells + done, MIN(n - done, 500) } };
		gw_emit(d, GW_REC_DUTY_ROSTER, actor, NULL, &body, now);
	}
}

void gw_apply_DUTY_ROSTER(const struct gw_fact *f)
{
	const struct gw_rec_duty_roster *b = f->body;
	const struct gw_rec_duty_cell *cells = b->cells.items;
	g_hash_table_add(f->d->duty->rostered, g_strdup(b->place));
	for (size_t n = 0; n < b->cells.n; n++) {
		const struct gw_rec_duty_cell *c = &cells[n];
		char *key = gw_duty_cell_key(b->place, c->day, c->shift);
		if ((c->people == NULL || c->people[0] == NULL) && c->leader == NULL) {
			g_hash_table_remove(f->d->duty->cells, key);
			g_free(key);
			continue;
		}
		struct gw_duty_cell *cell = g_new0(struct gw_duty_cell, 1);
		*cell = (struct gw_duty_cell){ g_strdup(b->place), g_strdup(c->day), g_strdup(c->shift), g_strdupv(c->people), g_strdup(c->leader) };
		g_hash_table_replace(f->d->duty->cells, key, cell);
	}
}

static bool people_ok(const gw_domain *d, const struct gw_duty_cell_facts *f, GError **err)
{
	int n = 0;
	for (; f->people != NULL && f->people[n] != NULL; n++) {
		if (!g_hash_table_contains(d->directory[GW_PERSON], f->people[n])) {
			g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "people: no person %s in the directory", f->people[n]);
			return false;
		}
	}
	if (n > MAX_PEOPLE) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_LIMIT, "people: at most %d in a shift", MAX_PEOPLE);
		return false;
	}
	if (f->leader != NULL && !g_hash_table_contains(d->directory[GW_PERSON], f->leader)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "leader: no person %s in the directory", f->leader);
		return false;
	}
	return true;
}

bool gw_duty_put(gw_domain *d, const char *actor, const struct gw_duty_cell_facts *f, struct gw_now now, GError **err)
{
	if (!gw_duty_is_place(d, f->place)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "place: no such site or division");
		return false;
	}
	if (!gw_day_ok(f->day) || f->shift == NULL || !gw_duty_shift_known(d, f->shift)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "%s", !gw_day_ok(f->day) ? "day: YYYY-MM-DD" : "shift: one of the configured ones");
		return false;
	}
	if (!people_ok(d, f, err)) {
		return false;
	}
	if (g_hash_table_size(d->duty->cells) >= KEEP_CELLS) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_LIMIT, "%d cells are in the roster", KEEP_CELLS);
		return false;
	}
	struct gw_rec_duty_cell cell = { (char *)(uintptr_t)f->day, (char *)(uintptr_t)f->shift, (char **)(uintptr_t)f->people, (char *)(uintptr_t)f->leader };
	gw_duty_put_cells(d, actor, f->place, &cell, 1, now);
	g_autoptr(GPtrArray) places = gw_duty_places(d);
	gw_duty_roster_tick(d, places, now);
	gw_duty_changed(d, "roster");
	return true;
}

/* ---- what is due ---- */
struct due { char month[GW_DAY]; int64_t remind_ms, due_ms; int wanted; };

static void due_of(const gw_domain *d, const char *month, struct due *ret)
{
	char first[GW_DAY], before[GW_DAY], day[GW_DAY];
	g_snprintf(ret->month, sizeof(ret->month), "%.7s", month);
	g_snprintf(first, sizeof(first), "%.7s-01", month);
	gw_day_add(first, -1, before);	/* a day of the month before */
	g_snprintf(day, sizeof(day), "%.7s-%02d", before, MIN(d->duty->rules.roster_day, gw_month_days(before)));
	ret->due_ms = gw_duty_ms(d, day, 1440);
	gw_day_add(day, -d->duty->rules.remind_days, before);
	ret->remind_ms = gw_duty_ms(d, before, 0);
	ret->wanted = gw_month_days(month) * d->duty->rules.n_shifts;
}

int gw_duty_roster_missing(const gw_domain *d, const GPtrArray *places, const char *division, const char *month)
{
	int missing = 0, wanted = gw_month_days(month) * d->duty->rules.n_shifts;
	for (unsigned n = 0; n < places->len; n++) {
		const char *own = gw_duty_division(d, places->pdata[n]);
		bool ours = g_strcmp0(own != NULL ? own : "", division) == 0;
		missing += ours && gw_duty_filled(d, places->pdata[n], month) < wanted;
	}
	return missing;
}

/* One alarm for a division: its places that lack something, counted. */
static void remind(gw_domain *d, const GPtrArray *places, const char *division, const struct due *due, struct gw_now now)
{
	g_autofree char *soon = g_strdup_printf("roster/%s/%s/due", due->month, division), *late = g_strdup_printf("roster/%s/%s/overdue", due->month, division);
	int missing = gw_duty_roster_missing(d, places, division, due->month);
	if (missing == 0 || now.wall_ms >= due->due_ms) {
		gw_duty_alarm_settle(d, soon, now);
	}
	if (missing == 0) {
		gw_duty_alarm_settle(d, late, now);
	} else if (now.wall_ms >= due->remind_ms) {
		bool over = now.wall_ms >= due->due_ms;
		const char *whose = division[0] != '\0' ? division : NULL;
		gw_duty_alarm_raise(d, &(struct gw_duty_alarm_facts){ over ? late : soon, over ? "roster_overdue" : "roster_due", whose, NULL, due->month, 2, missing }, now);
	}
}

void gw_duty_roster_tick(gw_domain *d, const GPtrArray *places, struct gw_now now)
{
	struct gw_local at;
	struct due due;
	char next[GW_DAY];
	g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);
	gw_duty_local(d, now.wall_ms, &at);
	gw_month_next(at.day, next);
	due_of(d, next, &due);
	for (unsigned n = 0; n < places->len && now.wall_ms >= due.remind_ms; n++) {
		const char *division = gw_duty_division(d, places->pdata[n]);
		if (g_hash_table_add(done, (gpointer)(uintptr_t)(division != NULL ? division : ""))) {
			remind(d, places, division != NULL ? division : "", &due, now);
		}
	}
}

static const char *state_of(int filled, const struct due *due, struct gw_now now)
{
	return filled >= due->wanted ? "complete" : now.wall_ms >= due->due_ms ? "overdue" : now.wall_ms >= due->remind_ms ? "due" : "open";
}

/* ---- printing ---- */
static json_t *shifts_json(const gw_domain *d)
{
	json_t *list = json_array();
	for (int n = 0; n < d->duty->rules.n_shifts; n++) {
		const struct gw_duty_shift *s = &d->duty->rules.shifts[n];
		json_array_append_new(list, json_pack("{s:s,s:i,s:i}", "name", s->name, "from_min", s->from_min, "to_min", s->to_min));
	}
	return list;
}

static json_t *cell_json(const gw_domain *d, const struct gw_duty_cell *c, bool inherited)
{
	return json_pack("{s:s,s:s,s:o,s:o,s:b}", "day", c->day, "shift", c->shift, "people", gw_duty_people_json(d, c->people), "leader",
			 gw_duty_person_json(d, c->leader), "inherited", inherited);
}

static json_t *cells_json(const gw_domain *d, const char *place, const char *month)
{
	json_t *list = json_array();
	for (int day = 1; day <= gw_month_days(month); day++) {
		g_autofree char *text = g_strdup_printf("%.7s-%02d", month, day);
		for (int s = 0; s < d->duty->rules.n_shifts; s++) {
			const char *whose = NULL;
			const struct gw_duty_cell *c = gw_duty_find(d, place, text, d->duty->rules.shifts[s].name, &whose);
			if (c != NULL) {
				json_array_append_new(list, cell_json(d, c, strcmp(whose, place) != 0));
			}
		}
	}
	return list;
}

json_t *gw_duty_month(const gw_domain *d, const char *month, const char *place, struct gw_now now)
{
	struct gw_local at;
	struct due due;
	gw_duty_local(d, now.wall_ms, &at);
	g_autofree char *which = g_strndup(month != NULL ? month : at.day, 7);
	due_of(d, which, &due);
	g_autoptr(GPtrArray) places = gw_duty_places(d);
	json_t *rows = json_array();
	for (unsigned n = 0; n < places->len; n++) {
		const char *id = places->pdata[n];
		int filled = gw_duty_filled(d, id, which);
		const char *division = gw_duty_division(d, id);
		json_array_append_new(rows, json_pack("{s:s,s:s,s:s?,s:i,s:i,s:s,s:o}", "place", id, "name", gw_duty_place_name(d, id), "division", division,
						      "filled", filled, "wanted", due.wanted, "state", state_of(filled, &due, now), "cells",
						      g_strcmp0(place, id) == 0 ? cells_json(d, id, which) : json_array()));
	}
	return json_pack("{s:s,s:i,s:s,s:I,s:I,s:o,s:o}", "month", which, "days", gw_month_days(which), "today", at.day, "due_ms", (json_int_t)due.due_ms,
			 "remind_ms", (json_int_t)due.remind_ms, "shifts", shifts_json(d), "places", rows);
}

/* ---- now ---- */
static json_t *watch_json(const struct gw_handover *h)
{
	return h == NULL ? json_null()
			 : json_pack("{s:s?,s:s,s:I}", "person", h->to, "name", h->to_name, "since_ms", (json_int_t)h->done_ms);
}

static json_t *now_json(const gw_domain *d, const char *place, struct gw_now now)
{
	char day[GW_DAY] = "";
	const char *whose = NULL;
	int n = gw_duty_shift_at(d, now.wall_ms, day);
	const struct gw_duty_shift *s = n >= 0 ? &d->duty->rules.shifts[n] : NULL;
	const struct gw_duty_cell *c = s != NULL ? gw_duty_find(d, place, day, s->name, &whose) : NULL;
	int64_t from_ms = s != NULL ? gw_duty_ms(d, day, s->from_min) : 0;
	int64_t to_ms = s != NULL ? gw_duty_ms(d, day, s->to_min + (s->to_min <= s->from_min ? 1440 : 0)) : 0;
	const struct gw_handover *h = gw_handover_last(d, place);
	return json_pack("{s:s,s:s,s:s?,s:s,s:I,s:I,s:o,s:o,s:s?,s:o}", "place", place, "name", gw_duty_place_name(d, place), "division",
			 gw_duty_division(d, place), "shift", s != NULL ? s->name : "", "from_ms", (json_int_t)from_ms, "to_ms", (json_int_t)to_ms,
			 "people", gw_duty_people_json(d, c != NULL ? c->people : NULL), "leader", gw_duty_person_json(d, c != NULL ? c->leader : NULL),
			 "roster_of", whose, "watch", watch_json(h));
}

/* Every place that somebody watches. */
static json_t *everybody(const gw_domain *d, struct gw_now now)
{
	json_t *list = json_array();
	g_autoptr(GPtrArray) sites = gw_directory_sorted(d, GW_SITE), divisions = gw_directory_sorted(d, GW_DIVISION);
	for (unsigned n = 0; n < sites->len + divisions->len; n++) {
		const void *entry = n < sites->len ? sites->pdata[n] : divisions->pdata[n - sites->len];
		json_t *o = now_json(d, gw_directory_id(entry), now);
		bool watched = json_array_size(json_object_get(o, "people")) > 0 || json_is_object(json_object_get(o, "leader")) ||
			       json_is_object(json_object_get(o, "watch"));
		if (watched) {
			json_array_append_new(list, o);
		} else {
			json_decref(o);
		}
	}
	return list;
}

json_t *gw_duty_now(const gw_domain *d, const char *place, struct gw_now now)
{
	if (place != NULL && !gw_duty_is_place(d, place)) {
		return NULL;
	}
	json_t *list = place == NULL ? everybody(d, now) : json_pack("[o]", now_json(d, place, now));
	return json_pack("{s:I,s:o}", "at_ms", (json_int_t)now.wall_ms, "places", list);
}

char *gw_duty_names(const gw_domain *d, const char *place, int64_t at_ms)
{
	char day[GW_DAY];
	int n = gw_duty_shift_at(d, at_ms, day);
	const struct gw_duty_cell *c = n >= 0 ? gw_duty_find(d, place, day, d->duty->rules.shifts[n].name, NULL) : NULL;
	GString *names = c != NULL && c->people != NULL && c->people[0] != NULL ? g_string_new(NULL) : NULL;
	for (unsigned k = 0; names != NULL && c->people[k] != NULL; k++) {
		g_string_append_printf(names, "%s%s", k > 0 ? "、" : "", gw_duty_person_name(d, c->people[k]));
	}
	return names != NULL ? g_string_free(names, FALSE) : NULL;
}
