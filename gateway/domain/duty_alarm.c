/* Alarms that stand: raised once by key, acknowledged by a person, settled when their cause is gone. The marks of an incident's
 * ladder are listed with them but live in escalate.c. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

#define KEEP 1000	/* alarms that stand no more and are still known by their key */

void gw_duty_alarm_free(gpointer p)
{
	struct gw_duty_alarm *a = p;
	g_free(a->key);
	g_free(a->kind);
	g_free(a->division);
	g_free(a->incident);
	g_free(a->subject);
	g_free(a->acked_by);
	g_free(a);
}

static void tell(gw_domain *d, const char *key)
{
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_DUTY_ALARM, .id = key });
}

void gw_duty_alarm_raise(gw_domain *d, const struct gw_duty_alarm_facts *f, struct gw_now now)
{
	const struct gw_duty_alarm *known = g_hash_table_lookup(d->duty->alarms, f->key);
	if (known != NULL && known->settled_ms == 0) {
		return;
	}
	struct gw_rec_duty_alarm body = { (char *)(uintptr_t)f->key, (char *)(uintptr_t)f->kind, (char *)(uintptr_t)f->division,
					  (char *)(uintptr_t)f->incident, (char *)(uintptr_t)f->subject, f->cls, f->n };
	gw_emit(d, GW_REC_DUTY_ALARM, "clock", gw_incident_find(d, f->incident, NULL), &body, now);
	tell(d, f->key);
}

/* The oldest that nobody waits for gives way. */
static void make_room(struct gw_duty *u)
{
	for (unsigned n = 0; u->alarm_order->len > KEEP && n < u->alarm_order->len; n++) {
		struct gw_duty_alarm *a = u->alarm_order->pdata[n];
		if (a->settled_ms != 0) {
			g_ptr_array_remove_index(u->alarm_order, n);
			g_hash_table_remove(u->alarms, a->key);
			return;
		}
	}
}

void gw_apply_DUTY_ALARM(const struct gw_fact *f)
{
	const struct gw_rec_duty_alarm *b = f->body;
	struct gw_duty *u = f->d->duty;
	struct gw_duty_alarm *old = g_hash_table_lookup(u->alarms, b->key);
	if (old != NULL) {	/* its cause came back */
		g_ptr_array_remove(u->alarm_order, old);
		g_hash_table_remove(u->alarms, b->key);
	}
	struct gw_duty_alarm *a = g_new0(struct gw_duty_alarm, 1);
	*a = (struct gw_duty_alarm){ .key = g_strdup(b->key), .kind = g_strdup(b->kind), .division = g_strdup(b->division), .incident = g_strdup(b->incident),
				     .subject = g_strdup(b->subject), .cls = (int)b->cls, .n = (int)b->n, .raised_ms = f->at_ms };
	g_hash_table_insert(u->alarms, a->key, a);
	g_ptr_array_add(u->alarm_order, a);
	make_room(u);
}

static bool stands(const struct gw_duty_alarm *a)
{
	return a != NULL && a->acked_ms == 0 && a->settled_ms == 0;
}

void gw_duty_alarm_settle(gw_domain *d, const char *key, struct gw_now now)
{
	const struct gw_duty_alarm *a = g_hash_table_lookup(d->duty->alarms, key);
	if (a == NULL || a->settled_ms != 0) {
		return;
	}
	struct gw_rec_duty_alarm_ref body = { (char *)(uintptr_t)key };
	gw_emit(d, GW_REC_DUTY_ALARM_SETTLED, "clock", gw_incident_find(d, a->incident, NULL), &body, now);
	tell(d, key);
}

void gw_apply_DUTY_ALARM_SETTLED(const struct gw_fact *f)
{
	struct gw_duty_alarm *a = g_hash_table_lookup(f->d->duty->alarms, ((const struct gw_rec_duty_alarm_ref *)f->body)->key);
	if (a != NULL) {
		a->settled_ms = f->at_ms;
	}
}

bool gw_duty_alarm_ack(gw_domain *d, const char *actor, const char *key, struct gw_now now, GError **err)
{
	const struct gw_duty_alarm *a = key != NULL ? g_hash_table_lookup(d->duty->alarms, key) : NULL;
	if (a == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such alarm");
		return false;
	}
	if (!stands(a)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "the alarm is acknowledged, or its cause is gone");
		return false;
	}
	struct gw_rec_duty_alarm_ref body = { (char *)(uintptr_t)key };
	gw_emit(d, GW_REC_DUTY_ALARM_ACK, actor, gw_incident_find(d, a->incident, NULL), &body, now);
	tell(d, key);
	return true;
}

void gw_apply_DUTY_ALARM_ACK(const struct gw_fact *f)
{
	struct gw_duty_alarm *a = g_hash_table_lookup(f->d->duty->alarms, ((const struct gw_rec_duty_alarm_ref *)f->body)->key);
	if (a != NULL) {
		a->acked_ms = f->at_ms;
		g_free(a->acked_by);
		a->acked_by = g_strdup(f->actor);
	}
}

/* ---- printing ---- */
/* How many places lack something changes while the alarm stands. */
static int count_of(const gw_domain *d, const struct gw_duty_alarm *a)
{
	bool zero = g_str_equal(a->kind, "zero_missing"), roster = g_str_has_prefix(a->kind, "roster_");
	if (!stands(a) || (!zero && !roster)) {
		return a->n;
	}
	g_autoptr(GPtrArray) places = gw_duty_places(d);
	const char *division = a->division != NULL ? a->division : "";
	return zero ? gw_duty_zero_missing(d, places, division, a->subject) : gw_duty_roster_missing(d, places, division, a->subject);
}

static json_t *alarm_json(const gw_domain *d, const struct gw_duty_alarm *a)
{
	return json_pack("{s:s,s:s,s:i,s:s?,s:s,s:s?,s:s,s:i,s:I,s:I,s:s?,s:b}", "key", a->key, "kind", a->kind, "cls", a->cls, "division", a->division,
			 "division_name", a->division != NULL ? gw_duty_place_name(d, a->division) : "", "incident", a->incident, "subject",
			 a->subject != NULL ? a->subject : "", "n", count_of(d, a), "raised_ms", (json_int_t)a->raised_ms, "acked_ms", (json_int_t)a->acked_ms,
			 "acked_by", a->acked_by, "stands", stands(a));
}

json_t *gw_duty_alarm_print(const gw_domain *d, const char *key)
{
	const struct gw_duty_alarm *a = g_hash_table_lookup(d->duty->alarms, key);
	return a != NULL ? alarm_json(d, a) : NULL;
}

static void put_marks(const gw_domain *d, json_t *list)
{
	for (unsigned n = d->order->len; n > 0; n--) {
		const struct gw_incident *i = d->order->pdata[n - 1];
		for (int s = 0; i->closed_ms == 0 && s < GW_ESCALATIONS; s++) {
			if (i->escalations[s].state == GW_ESC_FIRED) {
				g_autofree char *key = g_strdup_printf("step/%s/%d", i->id, s + 1), *subject = g_strdup_printf("%s · %s", i->kind, i->place);
				json_array_append_new(list, json_pack("{s:s,s:s,s:i,s:n,s:s,s:s,s:s,s:i,s:I,s:i,s:n,s:b}", "key", key, "kind", "step", "cls", 1, "division",
								      "division_name", "", "incident", i->id, "subject", subject, "n", s + 1, "raised_ms",
								      (json_int_t)i->escalations[s].fired_ms, "acked_ms", 0, "acked_by", "stands", 1));
			}
		}
	}
}

json_t *gw_duty_alarms(const gw_domain *d)
{
	json_t *list = json_array();
	put_marks(d, list);
	for (unsigned n = d->duty->alarm_order->len; n > 0; n--) {
		const struct gw_duty_alarm *a = d->duty->alarm_order->pdata[n - 1];
		if (stands(a)) {
			json_array_append_new(list, alarm_json(d, a));
		}
	}
	return list;
}
