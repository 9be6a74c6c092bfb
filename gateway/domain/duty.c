/* Duty as a part of the domain: its life, its calendar, its places. Not the rules of any of its nouns. */
#include <string.h>

#include "gateway/domain/directory_priv.h"

#define LOOK_AGAIN_US (3600 * ORT_US_PER_S)	/* wall clocks are set: no wait is longer */

/* ---- rules ---- */
void gw_duty_default_rules(struct gw_duty_rules *ret)
{
	*ret = (struct gw_duty_rules){ .zone = NULL, .shifts = { { "day", 480, 1200 }, { "night", 1200, 480 } }, .n_shifts = 2, .roster_day = 25,
				       .remind_days = 5, .zero_min = 17 * 60, .stale_days = 180, .carry_ms = 1800000 };
}

void gw_duty_set_rules(gw_domain *d, const struct gw_duty_rules *rules)
{
	struct gw_duty *u = d->duty;
	u->rules = *rules;
	u->rules.zone = NULL;	/* kept as u->zone */
	g_clear_pointer(&u->zone, g_time_zone_unref);
	u->zone = rules->zone != NULL && rules->zone[0] != '\0' ? g_time_zone_new_identifier(rules->zone) : NULL;
	if (u->zone == NULL) {
		u->zone = g_time_zone_new_local();
	}
}

int gw_duty_read_minute(const char *text)
{
	bool ok = strlen(text) == 5 && g_ascii_isdigit(text[0]) && g_ascii_isdigit(text[1]) && text[2] == ':' && g_ascii_isdigit(text[3]) &&
		  g_ascii_isdigit(text[4]);
	int minute = ok ? atoi(text) * 60 + atoi(text + 3) : -1;
	return minute >= 0 && minute <= 1440 && atoi(text + 3) < 60 ? minute % 1440 : -1;
}

bool gw_duty_read_shift(const char *text, struct gw_duty_shift *ret)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	bool three = g_strv_length(words) == 3;
	if (!three || words[0][0] == '\0' || strlen(words[0]) >= sizeof(ret->name) || strpbrk(words[0], "/,") != NULL) {
		return false;
	}
	struct gw_duty_shift s = { "", gw_duty_read_minute(words[1]), gw_duty_read_minute(words[2]) };
	g_strlcpy(s.name, words[0], sizeof(s.name));
	if (s.from_min < 0 || s.to_min < 0) {
		return false;
	}
	*ret = s;
	return true;
}

/* ---- calendar ---- */
void gw_duty_local(const gw_domain *d, int64_t wall_ms, struct gw_local *ret)
{
	g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(wall_ms / 1000);
	g_autoptr(GDateTime) at = g_date_time_to_timezone(utc, d->duty->zone);
	g_autofree char *day = g_date_time_format(at, "%Y-%m-%d");
	g_strlcpy(ret->day, day, sizeof(ret->day));
	ret->minute = g_date_time_get_hour(at) * 60 + g_date_time_get_minute(at);
}

static bool digits(const char *text, int from, int n)
{
	for (int k = from; k < from + n; k++) {
		if (!g_ascii_isdigit(text[k])) {
			return false;
		}
	}
	return true;
}

int gw_month_days(const char *month)
{
	if (month == NULL || strlen(month) < 7 || !digits(month, 0, 4) || month[4] != '-' || !digits(month, 5, 2)) {
		return 0;
	}
	int year = atoi(month), m = atoi(month + 5);
	return year >= 2000 && m >= 1 && m <= 12 ? g_date_get_days_in_month((GDateMonth)m, (GDateYear)year) : 0;
}

bool gw_day_ok(const char *day)
{
	int most = gw_month_days(day);
	return most > 0 && strlen(day) == 10 && day[7] == '-' && digits(day, 8, 2) && atoi(day + 8) >= 1 && atoi(day + 8) <= most;
}

bool gw_duty_month_ok(const char *text)
{
	return text != NULL && (strlen(text) == 7 ? gw_month_days(text) > 0 : gw_day_ok(text));
}

void gw_day_add(const char *day, int days, char ret[GW_DAY])
{
	GDate date;
	g_date_clear(&date, 1);
	g_date_set_dmy(&date, (GDateDay)atoi(day + 8), (GDateMonth)atoi(day + 5), (GDateYear)atoi(day));
	if (days >= 0) {
		g_date_add_days(&date, (guint)days);
	} else {
		g_date_subtract_days(&date, (guint)-days);
	}
	g_date_strftime(ret, GW_DAY, "%Y-%m-%d", &date);
}

void gw_month_next(const char *day, char ret[GW_DAY])
{
	int year = atoi(day), month = atoi(day + 5);
	g_snprintf(ret, GW_DAY, "%04d-%02d", month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1);
}

int64_t gw_duty_ms(const gw_domain *d, const char *day, int minute)
{
	char real[GW_DAY];
	gw_day_add(day, minute / 1440, real);
	g_autoptr(GDateTime) at = g_date_time_new(d->duty->zone, atoi(real), atoi(real + 5), atoi(real + 8), minute % 1440 / 60, minute % 60, 0);
	return at != NULL ? g_date_time_to_unix(at) * 1000 : 0;
}

int gw_duty_shift_at(const gw_domain *d, int64_t wall_ms, char ret_day[GW_DAY])
{
	const struct gw_duty_rules *r = &d->duty->rules;
	struct gw_local at;
	gw_duty_local(d, wall_ms, &at);
	for (int n = 0; n < r->n_shifts; n++) {
		const struct gw_duty_shift *s = &r->shifts[n];
		bool over_night = s->to_min <= s->from_min, after = at.minute >= s->from_min, before = at.minute < s->to_min;
		if (over_night ? after || before : after && before) {
			gw_day_add(at.day, over_night && !after ? -1 : 0, ret_day);
			return n;
		}
	}
	return -1;
}

bool gw_duty_shift_known(const gw_domain *d, const char *shift)
{
	for (int n = 0; n < d->duty->rules.n_shifts; n++) {
		if (strcmp(d->duty->rules.shifts[n].name, shift) == 0) {
			return true;
		}
	}
	return false;
}

/* ---- places ---- */
bool gw_duty_is_place(const gw_domain *d, const char *id)
{
	return id != NULL && (g_hash_table_contains(d->directory[GW_SITE], id) || g_hash_table_contains(d->directory[GW_DIVISION], id));
}

const char *gw_duty_place_name(const gw_domain *d, const char *id)
{
	const struct gw_rec_site *site = id != NULL ? g_hash_table_lookup(d->directory[GW_SITE], id) : NULL;
	const struct gw_rec_division *division = id != NULL ? g_hash_table_lookup(d->directory[GW_DIVISION], id) : NULL;
	const char *name = site != NULL ? site->name : division != NULL ? division->name : NULL;
	return name != NULL ? name : id;
}

const char *gw_duty_division(const gw_domain *d, const char *place)
{
	const struct gw_rec_site *site = place != NULL ? g_hash_table_lookup(d->directory[GW_SITE], place) : NULL;
	return site != NULL ? site->division : place;
}

const char *gw_duty_person_name(const gw_domain *d, const char *id)
{
	const struct gw_rec_person *p = id != NULL ? g_hash_table_lookup(d->directory[GW_PERSON], id) : NULL;
	return p != NULL && p->name != NULL ? p->name : id;
}

static int by_name(gconstpointer a, gconstpointer b, gpointer ud)
{
	return g_strcmp0(gw_duty_place_name(ud, *(char *const *)a), gw_duty_place_name(ud, *(char *const *)b));
}

GPtrArray *gw_duty_places(const gw_domain *d)
{
	GPtrArray *all = g_ptr_array_new();
	GHashTableIter it;
	const struct gw_rec_site *site;
	char *id;
	g_hash_table_iter_init(&it, d->directory[GW_SITE]);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&site)) {
		if (g_strcmp0(site->kind, "duty_room") == 0 || g_hash_table_contains(d->duty->rostered, site->id)) {
			g_ptr_array_add(all, site->id);
		}
	}
	g_hash_table_iter_init(&it, d->duty->rostered);
	while (g_hash_table_iter_next(&it, (gpointer *)&id, NULL)) {
		if (g_hash_table_contains(d->directory[GW_DIVISION], id)) {
			g_ptr_array_add(all, id);
		}
	}
	g_ptr_array_sort_with_data(all, by_name, (gpointer)(uintptr_t)d);
	return all;
}

const char *gw_duty_place_of_room(const gw_domain *d, const char *device)
{
	const struct gw_room *room = device != NULL ? g_hash_table_lookup(d->rooms, device) : NULL;
	return room != NULL ? room->site : NULL;
}

json_t *gw_duty_person_json(const gw_domain *d, const char *id)
{
	const struct gw_rec_person *p = id != NULL ? g_hash_table_lookup(d->directory[GW_PERSON], id) : NULL;
	return id == NULL ? json_null()
			  : json_pack("{s:s,s:s,s:s,s:s}", "id", id, "name", gw_duty_person_name(d, id), "title", p != NULL && p->title != NULL ? p->title : "",
				      "phone", p != NULL && p->phone != NULL ? p->phone : "");
}

json_t *gw_duty_people_json(const gw_domain *d, char *const *people)
{
	json_t *list = json_array();
	for (; people != NULL && *people != NULL; people++) {
		json_array_append_new(list, gw_duty_person_json(d, *people));
	}
	return list;
}

void gw_duty_changed(gw_domain *d, const char *what)
{
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_DUTY, .id = what });
}

/* ---- as a part of the domain ---- */
static void init(gw_domain *d)
{
	struct gw_duty *u = d->duty = g_new0(struct gw_duty, 1);
	struct gw_duty_rules rules;
	u->cells = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, gw_duty_cell_free);
	u->rostered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	u->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	u->alarms = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, gw_duty_alarm_free);
	u->alarm_order = g_ptr_array_new();
	u->handovers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, gw_handover_free);
	u->handover_order = g_ptr_array_new();
	u->watch = g_ptr_array_new_with_free_func(gw_watch_entry_free);
	u->zero = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, gw_zero_free);
	u->verified = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, gw_verified_free);
	u->next_us = ORT_NEVER;
	gw_duty_default_rules(&rules);
	gw_duty_set_rules(d, &rules);
}

static void finish(gw_domain *d)
{
	struct gw_duty *u = d->duty;
	g_hash_table_unref(u->verified);
	g_hash_table_unref(u->zero);
	g_ptr_array_unref(u->watch);
	g_ptr_array_unref(u->handover_order);
	g_hash_table_unref(u->handovers);
	g_ptr_array_unref(u->alarm_order);
	g_hash_table_unref(u->alarms);
	g_hash_table_unref(u->known);
	g_hash_table_unref(u->rostered);
	g_hash_table_unref(u->cells);
	g_time_zone_unref(u->zone);
	g_free(u);
}

static int64_t deadline(const gw_domain *d)
{
	return d->duty->next_us;
}

/* The next minute of the calendar that may change something: midnight, or the hour of the daily reports. */
static int64_t next_look(const gw_domain *d, struct gw_now now)
{
	struct gw_local at;
	gw_duty_local(d, now.wall_ms, &at);
	int64_t zero = gw_duty_ms(d, at.day, d->duty->rules.zero_min), midnight = gw_duty_ms(d, at.day, 1440);
	int64_t next_ms = zero > now.wall_ms ? MIN(zero, midnight) : midnight;
	return now.us + MIN(MAX(next_ms - now.wall_ms, 1) * ORT_US_PER_MS, LOOK_AGAIN_US);
}

static void tick(gw_domain *d, struct gw_now now)
{
	if (now.us < d->duty->next_us) {
		return;
	}
	g_autoptr(GPtrArray) places = gw_duty_places(d);
	gw_duty_roster_tick(d, places, now);
	gw_duty_zero_tick(d, places, now);
	d->duty->next_us = places->len > 0 ? next_look(d, now) : ORT_NEVER;
}

static void woken(gw_domain *d, struct gw_now now)
{
	d->duty->next_us = now.us;
}

static void seen(const struct gw_fact *f)
{
	struct gw_duty *u = f->d->duty;
	if (f->rec == GW_REC_SITE_PUT) {
		const char *id = ((const struct gw_rec_site *)f->body)->id;
		if (!g_hash_table_contains(u->known, id)) {
			g_hash_table_insert(u->known, g_strdup(id), g_memdup2(&f->at_ms, sizeof(f->at_ms)));
		}
	}
	if ((f->rec == GW_REC_SITE_PUT || f->rec == GW_REC_DUTY_ROSTER) && u->next_us == ORT_NEVER && !f->d->replaying) {
		u->next_us = f->at_us;	/* somebody owes something now */
	}
	gw_watch_seen(f);
}

const struct gw_part gw_part_duty = { init, finish, woken, deadline, tick, seen };
