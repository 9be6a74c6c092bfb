/* An incident (突发事件): opened at T0, corrected, noted upon, closed. Its clock is in escalate.c. */
#include "gateway/domain/domain_priv.h"

#define MAX_OPEN 64	/* open incidents at once: a resource limit, not a rule of the trade */
#define MAX_NOTES 2000	/* per incident */

static void escalation_clear(struct gw_escalation *e)
{
	g_free(e->acked_by);
}

static void note_free(gpointer p)
{
	struct gw_note *n = p;
	g_free(n->actor);
	g_free(n->scene);
	g_free(n->text);
	g_free(n);
}

void gw_incident_free(gpointer p)
{
	struct gw_incident *i = p;
	for (int s = 0; s < GW_ESCALATIONS; s++) {
		escalation_clear(&i->escalations[s]);
	}
	g_ptr_array_unref(i->links);
	g_ptr_array_unref(i->scenes);
	g_ptr_array_unref(i->notes);
	g_free(i->id);
	g_free(i->kind);
	g_free(i->place);
	g_free(i->text);
	g_free(i);
}

struct gw_incident *gw_incident_find(const gw_domain *d, const char *id, GError **err)
{
	struct gw_incident *i = id != NULL ? g_hash_table_lookup(d->incidents, id) : NULL;
	if (i == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such incident");
	}
	return i;
}

struct gw_incident *gw_incident_find_open(const gw_domain *d, const char *id, GError **err)
{
	struct gw_incident *i = gw_incident_find(d, id, err);
	if (i != NULL && i->closed_ms != 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "the incident is closed");
		return NULL;
	}
	return i;
}

static bool facts_ok(const struct gw_incident_facts *f, GError **err)
{
	if (!gw_text_ok(f->kind, 200, true, "kind", err) || !gw_text_ok(f->place, 200, true, "place", err) ||
	    !gw_text_ok(f->text, 4000, false, "text", err)) {
		return false;
	}
	bool on_earth = !f->has_position || (f->lat >= -90 && f->lat <= 90 && f->lon >= -180 && f->lon <= 180);
	if (f->level < 1 || f->level > 4 || !on_earth) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "%s", on_earth ? "level: 1 to 4" : "lat, lon: out of range");
		return false;
	}
	return true;
}

static unsigned count_open(const gw_domain *d)
{
	unsigned n = 0;
	for (unsigned k = 0; k < d->order->len; k++) {
		n += ((struct gw_incident *)d->order->pdata[k])->closed_ms == 0;
	}
	return n;
}

const char *gw_incident_open(gw_domain *d, const char *actor, const struct gw_incident_facts *f, struct gw_now now, GError **err)
{
	if (!facts_ok(f, err)) {
		return NULL;
	}
	if (count_open(d) >= MAX_OPEN) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_LIMIT, "%d incidents are open", MAX_OPEN);
		return NULL;
	}
	g_autofree char *id = g_strdup_printf("i%" G_GINT64_FORMAT, d->last_incident + 1);
	struct gw_rec_incident_open body = { id, d->last_incident + 1, (char *)(uintptr_t)f->kind, (char *)(uintptr_t)f->place,
					     (char *)(uintptr_t)f->text, f->level, f->has_position, f->lat, f->lon, f->drill };
	gw_emit(d, GW_REC_INCIDENT_OPEN, actor, NULL, &body, now);
	struct gw_incident *i = g_hash_table_lookup(d->incidents, id);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_ROOM_OPEN, .id = i->id });
	gw_changed(d, i);
	return i->id;
}

void gw_apply_INCIDENT_OPEN(const struct gw_fact *f)
{
	const struct gw_rec_incident_open *b = f->body;
	if (g_hash_table_contains(f->d->incidents, b->id)) {
		return;
	}
	struct gw_incident *i = g_new0(struct gw_incident, 1);
	i->id = g_strdup(b->id);
	i->number = b->number;
	i->kind = g_strdup(b->kind);
	i->place = g_strdup(b->place);
	i->text = g_strdup(b->text != NULL ? b->text : "");
	i->level = b->level;
	i->has_position = b->has_position;
	i->lat = b->lat;
	i->lon = b->lon;
	i->drill = b->drill;
	i->t0_ms = f->at_ms;
	i->t0_us = f->at_us;
	i->scenes = g_ptr_array_new_with_free_func(gw_scene_free);
	i->links = g_ptr_array_new_with_free_func(gw_domain_link_free);
	i->notes = g_ptr_array_new_with_free_func(note_free);
	g_hash_table_insert(f->d->incidents, i->id, i);
	g_ptr_array_add(f->d->order, i);
	f->d->last_incident = MAX(f->d->last_incident, b->number);
}

bool gw_incident_update(gw_domain *d, const char *actor, const char *id, const struct gw_incident_facts *f, struct gw_now now,
			GError **err)
{
	struct gw_incident *i = gw_incident_find_open(d, id, err);
	if (i == NULL || !facts_ok(f, err)) {
		return false;
	}
	struct gw_rec_incident_update body = { (char *)(uintptr_t)f->kind, (char *)(uintptr_t)f->place, (char *)(uintptr_t)f->text,
					       f->level, f->has_position, f->lat, f->lon };
	gw_emit(d, GW_REC_INCIDENT_UPDATE, actor, i, &body, now);
	gw_changed(d, i);
	return true;
}

static void replace(char **where, const char *with)
{
	g_free(*where);
	*where = g_strdup(with != NULL ? with : "");
}

void gw_apply_INCIDENT_UPDATE(const struct gw_fact *f)
{
	const struct gw_rec_incident_update *b = f->body;
	struct gw_incident *i = f->incident;
	if (i == NULL) {
		return;
	}
	replace(&i->kind, b->kind);
	replace(&i->place, b->place);
	replace(&i->text, b->text);
	i->level = b->level;
	i->has_position = b->has_position;
	i->lat = b->lat;
	i->lon = b->lon;
}

bool gw_incident_close(gw_domain *d, const char *actor, const char *id, const char *reason, struct gw_now now, GError **err)
{
	struct gw_incident *i = gw_incident_find_open(d, id, err);
	if (i == NULL || !gw_text_ok(reason, 400, false, "reason", err)) {
		return false;
	}
	gw_links_end(d, i, NULL, "closed", now);
	for (unsigned n = 0; n < i->scenes->len; n++) {
		gw_walls_drop_scene(d, actor, i->scenes->pdata[n], now);
	}
	struct gw_rec_close body = { (char *)(uintptr_t)reason };
	gw_emit(d, GW_REC_INCIDENT_CLOSE, actor, i, &body, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_ROOM_CLOSE, .id = i->id });
	gw_changed(d, i);
	return true;
}

void gw_apply_INCIDENT_CLOSE(const struct gw_fact *f)
{
	struct gw_incident *i = f->incident;
	if (i == NULL) {
		return;
	}
	i->closed_ms = f->at_ms;
	if (i->verdict == GW_VERDICT_RUNNING) {
		i->verdict = GW_VERDICT_CLOSED_UNMET;
	}
	for (int s = 0; s < GW_ESCALATIONS; s++) {
		if (i->escalations[s].state == GW_ESC_WAITING) {
			i->escalations[s].state = GW_ESC_CANCELLED;
		}
	}
}

bool gw_incident_note(gw_domain *d, const char *actor, const char *id, const char *scene, const char *text, struct gw_now now,
		      GError **err)
{
	struct gw_incident *i = gw_incident_find(d, id, err);
	if (i == NULL || !gw_text_ok(text, 4000, true, "text", err)) {
		return false;
	}
	if (i->notes->len >= MAX_NOTES) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_LIMIT, "%d notes are in this incident", MAX_NOTES);
		return false;
	}
	struct gw_rec_note body = { (char *)(uintptr_t)scene, (char *)(uintptr_t)text };
	gw_emit(d, GW_REC_INCIDENT_NOTE, actor, i, &body, now);
	gw_changed(d, i);
	return true;
}

void gw_apply_INCIDENT_NOTE(const struct gw_fact *f)
{
	const struct gw_rec_note *b = f->body;
	if (f->incident == NULL) {
		return;
	}
	struct gw_note *n = g_new0(struct gw_note, 1);
	n->at_ms = f->at_ms;
	n->actor = g_strdup(f->actor);
	n->scene = g_strdup(b->scene);
	n->text = g_strdup(b->text);
	g_ptr_array_add(f->incident->notes, n);
}

bool gw_incident_is_open(const gw_domain *d, const char *id)
{
	struct gw_incident *i = gw_incident_find(d, id, NULL);
	return i != NULL && i->closed_ms == 0;
}

bool gw_incident_is_drill(const gw_domain *d, const char *id)
{
	struct gw_incident *i = gw_incident_find(d, id, NULL);
	return i != NULL && i->drill;
}

void gw_incident_foreach_open(const gw_domain *d, void (*fn)(const char *id, void *ud), void *ud)
{
	for (unsigned n = 0; n < d->order->len; n++) {
		struct gw_incident *i = d->order->pdata[n];
		if (i->closed_ms == 0) {
			fn(i->id, ud);
		}
	}
}

/* ---- as a part of the domain ---- */
static void init(gw_domain *d)
{
	d->incidents = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, gw_incident_free);
	d->order = g_ptr_array_new();
	d->scenes = g_hash_table_new(g_str_hash, g_str_equal);
	d->links = g_hash_table_new(g_str_hash, g_str_equal);
}

static void finish(gw_domain *d)
{
	g_hash_table_unref(d->links);
	g_hash_table_unref(d->scenes);
	g_ptr_array_unref(d->order);
	g_hash_table_unref(d->incidents);
}

static void woken(gw_domain *d, struct gw_now now)
{
	(void)now;
	for (unsigned n = 0; n < d->order->len; n++) {
		struct gw_incident *i = d->order->pdata[n];
		if (i->closed_ms == 0) {
			gw_act(d, &(struct gw_action){ .kind = GW_ACT_ROOM_OPEN, .id = i->id });
		}
	}
}

static int64_t deadline(const gw_domain *d)
{
	int64_t next = ORT_NEVER;
	for (unsigned n = 0; n < d->order->len; n++) {
		next = MIN(next, gw_incident_deadline(d, d->order->pdata[n]));
	}
	return next;
}

static void tick(gw_domain *d, struct gw_now now)
{
	for (unsigned n = 0; n < d->order->len; n++) {
		gw_incident_tick(d, d->order->pdata[n], now);
	}
}

const struct gw_part gw_part_incident = { init, finish, woken, deadline, tick };
