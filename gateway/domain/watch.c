/* Watch log (值班日志): entries by hand, and entries that follow from what happened. Nothing is written twice: automatic entries
 * are other nouns' records, seen as they are applied, so a restart builds the same list. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

/* Which records make an entry, and under which kind they are filtered. */
static const struct { enum gw_rec rec; const char *kind; } rows[] = {
	{ GW_REC_DUTY_NOTE, "note" },		{ GW_REC_INCIDENT_OPEN, "incident" },  { GW_REC_INCIDENT_CLOSE, "incident" },
	{ GW_REC_INCIDENT_VERDICT, "incident" }, { GW_REC_ROLLCALL_OPEN, "rollcall" }, { GW_REC_ROLLCALL_CLOSE, "rollcall" },
	{ GW_REC_DUTY_HANDOVER, "handover" },	{ GW_REC_DUTY_TAKEN, "handover" },     { GW_REC_DUTY_HANDOVER_CANCEL, "handover" },
	{ GW_REC_ESCALATION_FIRED, "alarm" },	{ GW_REC_ESCALATION_ACKED, "alarm" },  { GW_REC_DUTY_ALARM, "alarm" },
	{ GW_REC_DUTY_ALARM_ACK, "alarm" },	{ GW_REC_DUTY_ZERO, "zero" },
	{ GW_REC_REPORT_FILED, "report" },	{ GW_REC_REPORT_RECEIPT, "report" },
};

void gw_watch_entry_free(gpointer p)
{
	struct gw_watch_entry *e = p;
	g_free(e->actor);
	g_free(e->ref);
	g_free(e->incident);
	g_free(e->title);
	json_decref(e->body);
	g_free(e);
}

bool gw_watch_note(gw_domain *d, const char *actor, const char *place, const char *person, const char *text, struct gw_now now, GError **err)
{
	bool known = (place == NULL || gw_duty_is_place(d, place)) && (person == NULL || gw_duty_person_name(d, person) != person);
	if (!known) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "place, person: of the directory");
		return false;
	}
	if (!gw_text_ok(text, 4000, true, "text", err)) {
		return false;
	}
	struct gw_rec_duty_note body = { (char *)(uintptr_t)place, (char *)(uintptr_t)person, (char *)(uintptr_t)text };
	gw_emit(d, GW_REC_DUTY_NOTE, actor, NULL, &body, now);
	gw_duty_changed(d, "log");
	return true;
}

void gw_apply_DUTY_NOTE(const struct gw_fact *f)
{
	(void)f;	/* the entry is made by gw_watch_seen(), as all of them */
}

/* ---- what an entry is about ---- */
static char *title_of(const struct gw_fact *f, const json_t *body, const char **ret_ref, const char **ret_incident)
{
	const char *rollcall = json_string_value(json_object_get(body, "rollcall")), *place = json_string_value(json_object_get(body, "place"));
	const char *handover = json_string_value(json_object_get(body, "handover")), *division = json_string_value(json_object_get(body, "division"));
	const struct gw_incident *i = f->incident;
	if (f->rec == GW_REC_INCIDENT_OPEN) {
		i = gw_incident_find(f->d, json_string_value(json_object_get(body, "id")), NULL);
	}
	if (i != NULL) {
		*ret_incident = *ret_ref = i->id;
		return g_strdup_printf("%s · %s", i->kind, i->place);
	}
	if (f->rec == GW_REC_ROLLCALL_OPEN || rollcall != NULL) {
		const struct gw_rollcall *r = gw_rollcall_find(f->d, rollcall != NULL ? rollcall : json_string_value(json_object_get(body, "id")), NULL);
		*ret_ref = r != NULL ? r->id : NULL;
		return g_strdup(r != NULL ? r->name : "");
	}
	const struct gw_handover *h = handover != NULL ? g_hash_table_lookup(f->d->duty->handovers, handover) : NULL;
	*ret_ref = handover;
	place = place != NULL ? place : h != NULL ? h->place : division;
	return g_strdup(place != NULL ? gw_duty_place_name(f->d, place) : "");
}

void gw_watch_seen(const struct gw_fact *f)
{
	struct gw_duty *u = f->d->duty;
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (rows[n].rec != f->rec) {
			continue;
		}
		struct gw_watch_entry *e = g_new0(struct gw_watch_entry, 1);
		json_t *body = ort_json_print(gw_rec_rows[f->rec].table, f->body);
		const char *ref = NULL, *incident = NULL;
		e->title = title_of(f, body, &ref, &incident);
		*e = (struct gw_watch_entry){ ++u->last_entry, f->at_ms, rows[n].kind, gw_rec_rows[f->rec].type, g_strdup(f->actor), g_strdup(ref), g_strdup(incident), e->title, body };
		g_ptr_array_add(u->watch, e);
		if (u->watch->len > GW_WATCH_KEEP) {
			g_ptr_array_remove_range(u->watch, 0, u->watch->len - GW_WATCH_KEEP + 1000);
		}
		if (strcmp(rows[n].kind, "note") != 0) {
			gw_duty_changed(f->d, "log");
		}
	}
}

/* ---- reading ---- */
/* A person: the account that did it, or a name in the entry (who says it, who hands over). */
static bool is_of(const struct gw_watch_entry *e, const char *person)
{
	static const char *const members[] = { "person", "from", "to" };
	if (g_strcmp0(e->actor, person) == 0 || (g_str_has_prefix(e->actor, "u:") && strcmp(e->actor + 2, person) == 0)) {
		return true;
	}
	for (unsigned n = 0; n < G_N_ELEMENTS(members); n++) {
		if (g_strcmp0(json_string_value(json_object_get(e->body, members[n])), person) == 0) {
			return true;
		}
	}
	return false;
}

static json_t *entry_json(const gw_domain *d, const struct gw_watch_entry *e)
{
	const char *person = json_string_value(json_object_get(e->body, "person"));
	return json_pack("{s:I,s:I,s:s,s:s,s:s,s:s?,s:s?,s:s,s:s,s:O}", "nr", (json_int_t)e->nr, "at_ms", (json_int_t)e->at_ms, "kind", e->kind, "type", e->type,
			 "actor", e->actor, "ref", e->ref, "incident", e->incident, "title", e->title, "person_name", person != NULL ? gw_duty_person_name(d, person) : "", "body", e->body);
}

json_t *gw_watch_list(const gw_domain *d, const struct gw_watch_filter *f)
{
	json_t *list = json_array();
	for (unsigned n = d->duty->watch->len; n > 0 && json_array_size(list) < f->limit; n--) {
		const struct gw_watch_entry *e = d->duty->watch->pdata[n - 1];
		bool in_time = e->at_ms >= f->from_ms && (f->to_ms == 0 || e->at_ms < f->to_ms);
		if (in_time && (f->kind == NULL || strcmp(f->kind, e->kind) == 0) && (f->person == NULL || is_of(e, f->person))) {
			json_array_append_new(list, entry_json(d, e));
		}
	}
	return list;
}
