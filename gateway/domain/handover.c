/* Hand-over of the watch (交接班): begun by who goes, completed by who comes, never while an alarm stands that nobody answered
 * for. Long-standing alarms that are not of class 1 may go over to the next watch: by key, each with a reason. */
#include <string.h>

#include "gateway/domain/directory_priv.h"

#define KEEP 5000

static void carried_free(gpointer p)
{
	struct gw_handover_carried *c = p;
	g_free(c->key);
	g_free(c->reason);
	g_free(c);
}

void gw_handover_free(gpointer p)
{
	struct gw_handover *h = p;
	g_ptr_array_unref(h->carried);
	g_free(h->id);
	g_free(h->place);
	g_free(h->from);
	g_free(h->to);
	g_free(h->from_name);
	g_free(h->to_name);
	g_free(h->notes);
	g_free(h->by);
	g_free(h->taken_by);
	g_free(h);
}

/* ---- finding ---- */
static struct gw_handover *latest(const gw_domain *d, const char *place, enum gw_handover_state state)
{
	for (unsigned n = d->duty->handover_order->len; n > 0; n--) {
		struct gw_handover *h = d->duty->handover_order->pdata[n - 1];
		if (h->state == state && g_strcmp0(h->place, place) == 0) {
			return h;
		}
	}
	return NULL;
}

const struct gw_handover *gw_handover_last(const gw_domain *d, const char *place)
{
	return latest(d, place, GW_HANDOVER_DONE);
}

static struct gw_handover *find_open(const gw_domain *d, const char *id, GError **err)
{
	struct gw_handover *h = id != NULL ? g_hash_table_lookup(d->duty->handovers, id) : NULL;
	if (h == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such hand-over");
		return NULL;
	}
	if (h->state != GW_HANDOVER_OPEN) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "the hand-over is over");
		return NULL;
	}
	return h;
}

const char *gw_handover_place(const gw_domain *d, const char *id)
{
	const struct gw_handover *h = id != NULL ? g_hash_table_lookup(d->duty->handovers, id) : NULL;
	return h != NULL ? h->place : NULL;
}

/* Alarms of one division do not hold up the watch of another one; those without a division concern everybody. */
static bool concerns(const gw_domain *d, const json_t *alarm, const char *place)
{
	const char *whose = json_string_value(json_object_get(alarm, "division"));
	const char *at = gw_duty_division(d, place);
	for (int depth = 0; whose != NULL && place != NULL && depth < 32; depth++) {
		if (g_strcmp0(whose, at) == 0) {
			return true;
		}
		const struct gw_rec_division *division = g_hash_table_lookup(d->directory[GW_DIVISION], whose);
		whose = division != NULL ? division->parent : NULL;
		if (whose == NULL) {
			return false;
		}
	}
	return true;
}

static json_t *alarms_for(const gw_domain *d, const char *place, struct gw_now now)
{
	g_autoptr(json_t) all = gw_duty_alarms(d);
	json_t *list = json_array(), *alarm;
	size_t n;
	json_array_foreach(all, n, alarm) {
		if (concerns(d, alarm, place)) {
			int64_t age_ms = now.wall_ms - json_integer_value(json_object_get(alarm, "raised_ms"));
			bool may = json_integer_value(json_object_get(alarm, "cls")) > 1 && age_ms >= d->duty->rules.carry_ms;
			json_object_set_new(alarm, "may_carry", json_boolean(may));
			json_array_append(list, alarm);
		}
	}
	return list;
}

/* ---- beginning ---- */
static bool person_known(const gw_domain *d, const char *id, const char *what, GError **err)
{
	bool known = id != NULL && g_hash_table_contains(d->directory[GW_PERSON], id);
	if (!known) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "%s: a person of the directory", what);
	}
	return known;
}

const char *gw_handover_begin(gw_domain *d, const char *actor, const char *place, const char *from, const char *to, const char *notes,
			      struct gw_now now, GError **err)
{
	if (place != NULL && !gw_duty_is_place(d, place)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "place: no such site or division");
		return NULL;
	}
	if (!person_known(d, from, "from", err) || !person_known(d, to, "to", err) || !gw_text_ok(notes, 4000, false, "notes", err)) {
		return NULL;
	}
	if (strcmp(from, to) == 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "from, to: nobody takes over from himself");
		return NULL;
	}
	if (latest(d, place, GW_HANDOVER_OPEN) != NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_CONFLICT, "a hand-over is begun already: complete it or call it off");
		return NULL;
	}
	g_autofree char *id = g_strdup_printf("ho-%" G_GINT64_MODIFIER "x", d->duty->last_handover + 1);
	struct gw_rec_duty_handover body = { id, (char *)(uintptr_t)place, (char *)(uintptr_t)from, (char *)(uintptr_t)to,
					     (char *)(uintptr_t)gw_duty_person_name(d, from), (char *)(uintptr_t)gw_duty_person_name(d, to),
					     (char *)(uintptr_t)notes, d->duty->last_handover + 1 };
	gw_emit(d, GW_REC_DUTY_HANDOVER, actor, NULL, &body, now);
	gw_duty_changed(d, "handover");
	const struct gw_handover *h = g_hash_table_lookup(d->duty->handovers, id);
	return h->id;
}

void gw_apply_DUTY_HANDOVER(const struct gw_fact *f)
{
	const struct gw_rec_duty_handover *b = f->body;
	struct gw_duty *u = f->d->duty;
	if (g_hash_table_contains(u->handovers, b->id)) {
		return;
	}
	struct gw_handover *h = g_new0(struct gw_handover, 1);
	*h = (struct gw_handover){ .id = g_strdup(b->id), .place = g_strdup(b->place), .from = g_strdup(b->from), .to = g_strdup(b->to),
				   .from_name = g_strdup(b->from_name), .to_name = g_strdup(b->to_name), .notes = g_strdup(b->notes), .by = g_strdup(f->actor),
				   .begun_ms = f->at_ms, .carried = g_ptr_array_new_with_free_func(carried_free) };
	g_hash_table_insert(u->handovers, h->id, h);
	g_ptr_array_add(u->handover_order, h);
	u->last_handover = MAX(u->last_handover, b->nr);
	if (u->handover_order->len > KEEP) {
		struct gw_handover *oldest = g_ptr_array_steal_index(u->handover_order, 0);
		g_hash_table_remove(u->handovers, oldest->id);
	}
}

/* ---- completing ---- */
static const char *reason_for(const struct gw_duty_carry *carried, size_t n, const char *key)
{
	for (size_t k = 0; k < n; k++) {
		if (g_strcmp0(carried[k].key, key) == 0) {
			return carried[k].reason;
		}
	}
	return NULL;
}

static bool answered_for(const gw_domain *d, const struct gw_handover *h, const struct gw_duty_carry *carried, size_t n, struct gw_now now, GError **err)
{
	g_autoptr(json_t) alarms = alarms_for(d, h->place, now);
	const json_t *alarm;
	size_t k;
	json_array_foreach(alarms, k, alarm) {
		const char *key = json_string_value(json_object_get(alarm, "key")), *reason = reason_for(carried, n, key);
		bool given = reason != NULL && reason[0] != '\0';
		if (given && json_is_true(json_object_get(alarm, "may_carry"))) {
			continue;
		}
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "alarm %s stands: %s", key,
			    !json_is_true(json_object_get(alarm, "may_carry")) ? "acknowledge it first" : "acknowledge it, or hand it over with a reason");
		return false;
	}
	return true;
}

bool gw_handover_complete(gw_domain *d, const char *actor, const char *id, const struct gw_duty_carry *carried, size_t n,
			  struct gw_now now, GError **err)
{
	struct gw_handover *h = find_open(d, id, err);
	if (h == NULL || !answered_for(d, h, carried, n, now, err)) {
		return false;
	}
	for (size_t k = 0; k < n; k++) {
		if (!gw_text_ok(carried[k].key, 200, true, "key", err) || !gw_text_ok(carried[k].reason, 400, true, "reason", err)) {
			return false;
		}
	}
	g_autofree struct gw_rec_duty_carry *rows = g_new0(struct gw_rec_duty_carry, n + 1);
	for (size_t k = 0; k < n; k++) {
		rows[k] = (struct gw_rec_duty_carry){ (char *)(uintptr_t)carried[k].key, (char *)(uintptr_t)carried[k].reason };
	}
	struct gw_rec_duty_taken body = { h->id, h->from_name, h->to_name, { rows, n } };
	gw_emit(d, GW_REC_DUTY_TAKEN, actor, NULL, &body, now);
	gw_duty_changed(d, "handover");
	return true;
}

void gw_apply_DUTY_TAKEN(const struct gw_fact *f)
{
	const struct gw_rec_duty_taken *b = f->body;
	struct gw_handover *h = g_hash_table_lookup(f->d->duty->handovers, b->handover);
	const struct gw_rec_duty_carry *rows = b->carried.items;
	if (h == NULL || h->state != GW_HANDOVER_OPEN) {
		return;
	}
	h->state = GW_HANDOVER_DONE;
	h->done_ms = f->at_ms;
	h->taken_by = g_strdup(f->actor);
	for (size_t n = 0; n < b->carried.n; n++) {
		struct gw_handover_carried *c = g_new0(struct gw_handover_carried, 1);
		*c = (struct gw_handover_carried){ g_strdup(rows[n].key), g_strdup(rows[n].reason) };
		g_ptr_array_add(h->carried, c);
	}
}

bool gw_handover_cancel(gw_domain *d, const char *actor, const char *id, struct gw_now now, GError **err)
{
	struct gw_handover *h = find_open(d, id, err);
	if (h == NULL) {
		return false;
	}
	struct gw_rec_duty_handover_ref body = { h->id };
	gw_emit(d, GW_REC_DUTY_HANDOVER_CANCEL, actor, NULL, &body, now);
	gw_duty_changed(d, "handover");
	return true;
}

void gw_apply_DUTY_HANDOVER_CANCEL(const struct gw_fact *f)
{
	struct gw_handover *h = g_hash_table_lookup(f->d->duty->handovers, ((const struct gw_rec_duty_handover_ref *)f->body)->handover);
	if (h != NULL && h->state == GW_HANDOVER_OPEN) {
		h->state = GW_HANDOVER_CANCELLED;
		h->done_ms = f->at_ms;
	}
}

/* ---- the sheet ---- */
static json_t *handover_json(const struct gw_handover *h)
{
	static const char *const states[GW_HANDOVER_N] = { "open", "done", "cancelled" };
	json_t *carried = json_array();
	for (unsigned n = 0; h != NULL && n < h->carried->len; n++) {
		const struct gw_handover_carried *c = h->carried->pdata[n];
		json_array_append_new(carried, json_pack("{s:s,s:s}", "key", c->key, "reason", c->reason));
	}
	if (h == NULL) {
		json_decref(carried);
		return json_null();
	}
	return json_pack("{s:s,s:s?,s:s,s:s?,s:s,s:s?,s:s,s:s,s:s,s:s?,s:I,s:I,s:o}", "id", h->id, "place", h->place, "state", states[h->state], "from",
			 h->from, "from_name", h->from_name, "to", h->to, "to_name", h->to_name, "notes", h->notes != NULL ? h->notes : "", "by", h->by,
			 "taken_by", h->taken_by, "begun_ms", (json_int_t)h->begun_ms, "done_ms", (json_int_t)h->done_ms, "carried", carried);
}

static json_t *open_incidents(const gw_domain *d)
{
	json_t *list = json_array();
	for (unsigned n = 0; n < d->order->len; n++) {
		const struct gw_incident *i = d->order->pdata[n];
		if (i->closed_ms == 0) {
			json_array_append_new(list, json_pack("{s:s,s:I,s:s,s:s,s:I,s:I,s:b}", "id", i->id, "number", (json_int_t)i->number, "kind", i->kind,
							      "place", i->place, "level", (json_int_t)i->level, "t0_ms", (json_int_t)i->t0_ms, "drill", i->drill));
		}
	}
	return list;
}

json_t *gw_handover_sheet(const gw_domain *d, const char *place, struct gw_now now)
{
	json_t *history = json_array();
	if (place != NULL && !gw_duty_is_place(d, place)) {
		json_decref(history);
		return NULL;
	}
	for (unsigned n = d->duty->handover_order->len; n > 0 && json_array_size(history) < 10; n--) {
		const struct gw_handover *h = d->duty->handover_order->pdata[n - 1];
		if (h->state == GW_HANDOVER_DONE && g_strcmp0(h->place, place) == 0) {
			json_array_append_new(history, handover_json(h));
		}
	}
	return json_pack("{s:s?,s:o,s:o,s:o,s:o}", "place", place, "open", handover_json(latest(d, place, GW_HANDOVER_OPEN)), "incidents", open_incidents(d),
			 "alarms", alarms_for(d, place, now), "history", history);
}
