/* The contact list (通讯录) and its half-year rule (O9): a number is good for stale_days after somebody tried it; a number that
 * was changed since has not been tried. */
#include <string.h>

#include "gateway/domain/directory_priv.h"

#define DAY_MS INT64_C(86400000)

void gw_verified_free(gpointer p)
{
	struct gw_verified *v = p;
	g_free(v->phone);
	g_free(v->by);
	g_free(v);
}

bool gw_contact_verify(gw_domain *d, const char *actor, const char *person, struct gw_now now, GError **err)
{
	const struct gw_rec_person *p = person != NULL ? g_hash_table_lookup(d->directory[GW_PERSON], person) : NULL;
	if (p == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "person: of the directory");
		return false;
	}
	if (p->phone == NULL || p->phone[0] == '\0') {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "this person has no number to verify");
		return false;
	}
	struct gw_rec_duty_verified body = { p->id, p->name, p->phone };
	gw_emit(d, GW_REC_DUTY_VERIFIED, actor, NULL, &body, now);
	gw_duty_changed(d, "contacts");
	return true;
}

void gw_apply_DUTY_VERIFIED(const struct gw_fact *f)
{
	const struct gw_rec_duty_verified *b = f->body;
	struct gw_verified *v = g_new0(struct gw_verified, 1);
	*v = (struct gw_verified){ g_strdup(b->phone), g_strdup(f->actor), f->at_ms };
	g_hash_table_replace(f->d->duty->verified, g_strdup(b->person), v);
}

static const char *state_of(const gw_domain *d, const struct gw_rec_person *p, const struct gw_verified *v, struct gw_now now)
{
	if (p->phone == NULL || p->phone[0] == '\0') {
		return "no_number";
	}
	if (v == NULL || g_strcmp0(v->phone, p->phone) != 0) {
		return v == NULL ? "never" : "changed";
	}
	return now.wall_ms - v->at_ms > d->duty->rules.stale_days * DAY_MS ? "stale" : "good";
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

json_t *gw_contact_list(const gw_domain *d, struct gw_now now)
{
	g_autoptr(GPtrArray) people = gw_directory_sorted(d, GW_PERSON);
	json_t *rows = json_array();
	int due = 0;
	for (unsigned n = 0; n < people->len; n++) {
		const struct gw_rec_person *p = people->pdata[n];
		const struct gw_verified *v = g_hash_table_lookup(d->duty->verified, p->id);
		const char *state = state_of(d, p, v, now);
		due += strcmp(state, "good") != 0;
		json_array_append_new(rows, json_pack("{s:s,s:s,s:s?,s:s,s:s,s:s,s:s,s:I,s:s?}", "person", p->id, "name", or_empty(p->name), "division", p->division,
						      "division_name", p->division != NULL ? gw_duty_place_name(d, p->division) : "", "title", or_empty(p->title),
						      "phone", or_empty(p->phone), "state", state, "verified_ms", (json_int_t)(v != NULL ? v->at_ms : 0),
						      "verified_by", v != NULL ? v->by : NULL));
	}
	return json_pack("{s:i,s:i,s:o}", "stale_days", d->duty->rules.stale_days, "due", due, "people", rows);
}

char *gw_contact_csv(const gw_domain *d, struct gw_now now)
{
	static const struct { const char *state, *word; } words[] = {
		{ "good", "有效" }, { "stale", "超过半年未核对" }, { "never", "从未核对" }, { "changed", "号码已变更" }, { "no_number", "无号码" },
	};
	g_autoptr(GPtrArray) people = gw_directory_sorted(d, GW_PERSON);
	GString *out = g_string_new("\xEF\xBB\xBF编号,单位,姓名,职务,电话,最近核对,核对人,状态\r\n");
	for (unsigned n = 0; n < people->len; n++) {
		const struct gw_rec_person *p = people->pdata[n];
		const struct gw_verified *v = g_hash_table_lookup(d->duty->verified, p->id);
		const char *state = state_of(d, p, v, now), *word = state;
		struct gw_local at = { "", 0 };
		if (v != NULL) {
			gw_duty_local(d, v->at_ms, &at);
		}
		for (unsigned k = 0; k < G_N_ELEMENTS(words); k++) {
			word = strcmp(words[k].state, state) == 0 ? words[k].word : word;
		}
		const char *const fields[] = { p->id, p->division != NULL ? gw_duty_place_name(d, p->division) : "", or_empty(p->name), or_empty(p->title),
					       or_empty(p->phone), at.day, v != NULL ? v->by : "", word };
		for (unsigned k = 0; k < G_N_ELEMENTS(fields); k++) {
			g_string_append(out, k > 0 ? "," : "");
			gw_csv_field(out, fields[k]);
		}
		g_string_append(out, "\r\n");
	}
	return g_string_free(out, FALSE);
}
