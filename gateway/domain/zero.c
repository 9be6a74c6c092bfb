/* Daily zero report (零报告): each duty room says by the set hour that nothing happened, or what did. Who is missing is an alarm
 * of its division; on time, late and missing days are counted for the appraisal (O6, O9). */
#include <string.h>

#include "gateway/domain/domain_priv.h"

void gw_zero_free(gpointer p)
{
	struct gw_zero *z = p;
	g_free(z->text);
	g_free(z->by);
	g_free(z);
}

static const struct gw_zero *find(const gw_domain *d, const char *day, const char *place)
{
	g_autofree char *key = g_strconcat(day, "/", place, NULL);
	return g_hash_table_lookup(d->duty->zero, key);
}

/* A place owes reports from the day after it came into the directory. */
static bool owes(const gw_domain *d, const char *place, const char *day)
{
	const int64_t *since_ms = g_hash_table_lookup(d->duty->known, place);
	return since_ms == NULL || *since_ms < gw_duty_ms(d, day, 0);
}

bool gw_zero_report(gw_domain *d, const char *actor, const char *place, bool nothing, const char *text, struct gw_now now, GError **err)
{
	struct gw_local at;
	if (!gw_duty_is_place(d, place)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "place: no such site or division");
		return false;
	}
	if (!gw_text_ok(text, 4000, !nothing, "text", err)) {
		return false;
	}
	gw_duty_local(d, now.wall_ms, &at);
	bool late = find(d, at.day, place) == NULL && at.minute >= d->duty->rules.zero_min;
	struct gw_rec_duty_zero body = { (char *)(uintptr_t)place, at.day, (char *)(uintptr_t)text, nothing, late };
	gw_emit(d, GW_REC_DUTY_ZERO, actor, NULL, &body, now);
	g_autoptr(GPtrArray) places = gw_duty_places(d);
	gw_duty_zero_tick(d, places, now);
	gw_duty_changed(d, "zero");
	return true;
}

/* A second report of the day corrects the first; its time counts no more. */
void gw_apply_DUTY_ZERO(const struct gw_fact *f)
{
	const struct gw_rec_duty_zero *b = f->body;
	const struct gw_zero *old = find(f->d, b->day, b->place);
	struct gw_zero *z = g_new0(struct gw_zero, 1);
	*z = (struct gw_zero){ g_strdup(b->text), g_strdup(f->actor), old != NULL ? old->at_ms : f->at_ms, b->nothing, old != NULL ? old->late : b->late };
	g_hash_table_replace(f->d->duty->zero, g_strconcat(b->day, "/", b->place, NULL), z);
}

/* ---- who is missing ---- */
int gw_duty_zero_missing(const gw_domain *d, const GPtrArray *places, const char *division, const char *day)
{
	int missing = 0;
	for (unsigned n = 0; n < places->len; n++) {
		const char *own = gw_duty_division(d, places->pdata[n]);
		bool ours = g_strcmp0(own != NULL ? own : "", division) == 0;
		missing += ours && owes(d, places->pdata[n], day) && find(d, day, places->pdata[n]) == NULL;
	}
	return missing;
}

void gw_duty_zero_tick(gw_domain *d, const GPtrArray *places, struct gw_now now)
{
	struct gw_local at;
	g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);
	gw_duty_local(d, now.wall_ms, &at);
	for (unsigned n = 0; n < places->len && at.minute >= d->duty->rules.zero_min; n++) {
		const char *own = gw_duty_division(d, places->pdata[n]), *division = own != NULL ? own : "";
		if (!g_hash_table_add(done, (gpointer)(uintptr_t)division)) {
			continue;
		}
		g_autofree char *key = g_strdup_printf("zero/%s/%s", at.day, division);
		int missing = gw_duty_zero_missing(d, places, division, at.day);
		if (missing == 0) {
			gw_duty_alarm_settle(d, key, now);
		} else {
			gw_duty_alarm_raise(d, &(struct gw_duty_alarm_facts){ key, "zero_missing", own, NULL, at.day, 2, missing }, now);
		}
	}
}

/* ---- printing ---- */
static const char *state_of(const gw_domain *d, const char *place, const char *day, const struct gw_zero *z, struct gw_now now)
{
	bool over = now.wall_ms >= gw_duty_ms(d, day, d->duty->rules.zero_min);
	return z != NULL ? (z->late ? "late" : "on_time") : !owes(d, place, day) ? "free" : over ? "missing" : "waiting";
}

json_t *gw_zero_day(const gw_domain *d, const char *day, struct gw_now now)
{
	struct gw_local at;
	g_autoptr(GPtrArray) places = gw_duty_places(d);
	json_t *rows = json_array();
	int missing = 0;
	gw_duty_local(d, now.wall_ms, &at);
	day = day != NULL ? day : at.day;
	for (unsigned n = 0; n < places->len; n++) {
		const char *id = places->pdata[n];
		const struct gw_zero *z = find(d, day, id);
		const char *state = state_of(d, id, day, z, now);
		missing += strcmp(state, "missing") == 0;
		json_array_append_new(rows, json_pack("{s:s,s:s,s:s?,s:s,s:b,s:s,s:s,s:I}", "place", id, "name", gw_duty_place_name(d, id), "division",
						      gw_duty_division(d, id), "state", state, "nothing", z != NULL && z->nothing, "text",
						      z != NULL && z->text != NULL ? z->text : "", "by", z != NULL ? z->by : "", "at_ms",
						      (json_int_t)(z != NULL ? z->at_ms : 0)));
	}
	return json_pack("{s:s,s:s,s:I,s:i,s:o}", "day", day, "today", at.day, "due_ms", (json_int_t)gw_duty_ms(d, day, d->duty->rules.zero_min), "missing",
			 missing, "places", rows);
}

struct counts { int on_time, late, missing; };

static struct counts count(const gw_domain *d, const char *place, const char *month, struct gw_now now)
{
	struct counts c = { 0 };
	for (int k = 1; k <= gw_month_days(month); k++) {
		g_autofree char *day = g_strdup_printf("%.7s-%02d", month, k);
		const char *state = state_of(d, place, day, find(d, day, place), now);
		c.on_time += strcmp(state, "on_time") == 0;
		c.late += strcmp(state, "late") == 0;
		c.missing += strcmp(state, "missing") == 0;
	}
	return c;
}

json_t *gw_zero_month(const gw_domain *d, const char *month, struct gw_now now)
{
	g_autoptr(GPtrArray) places = gw_duty_places(d);
	json_t *rows = json_array();
	for (unsigned n = 0; n < places->len; n++) {
		struct counts c = count(d, places->pdata[n], month, now);
		json_array_append_new(rows, json_pack("{s:s,s:s,s:i,s:i,s:i}", "place", places->pdata[n], "name", gw_duty_place_name(d, places->pdata[n]),
						      "on_time", c.on_time, "late", c.late, "missing", c.missing));
	}
	return json_pack("{s:s,s:o}", "month", month, "places", rows);
}

char *gw_zero_csv(const gw_domain *d, const char *month, struct gw_now now)
{
	g_autoptr(GPtrArray) places = gw_duty_places(d);
	GString *out = g_string_new("\xEF\xBB\xBF单位编号,单位,月份,按时,迟报,漏报\r\n");
	for (unsigned n = 0; n < places->len; n++) {
		struct counts c = count(d, places->pdata[n], month, now);
		gw_csv_field(out, places->pdata[n]);
		g_string_append_c(out, ',');
		gw_csv_field(out, gw_duty_place_name(d, places->pdata[n]));
		g_string_append_printf(out, ",%.7s,%d,%d,%d\r\n", month, c.on_time, c.late, c.missing);
	}
	return g_string_free(out, FALSE);
}
