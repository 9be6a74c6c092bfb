/* The scene clock of an incident: escalation marks, the 30-minute line, link expiry. Everything that time alone does. */
#include "gateway/domain/domain_priv.h"

static int64_t due_us(const gw_domain *d, const struct gw_incident *i, enum gw_timer timer)
{
	return i->t0_us + d->timer_ms[timer] * ORT_US_PER_MS;
}

static void fire(gw_domain *d, struct gw_incident *i, int n, struct gw_now now)
{
	const struct gw_escalation_row *row = &gw_escalation_rows[n];
	struct gw_rec_step body = { row->step };
	gw_emit(d, GW_REC_ESCALATION_FIRED, "clock", i, &body, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_ESCALATE, .id = i->id, .why = row->who, .text = row->en,
				       .text_zh = row->zh, .step = row->step,
				       .minutes = (int)(d->timer_ms[row->timer] / 60000) });
	gw_changed(d, i);
}

static void verdict(gw_domain *d, struct gw_incident *i, const struct gw_scene *s, const char *word, int64_t elapsed_ms,
		    struct gw_now now)
{
	struct gw_rec_verdict body = { (char *)(uintptr_t)word, s != NULL ? s->id : NULL, elapsed_ms };
	gw_emit(d, GW_REC_INCIDENT_VERDICT, "clock", i, &body, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_VERDICT, .id = i->id, .why = word });
	gw_changed(d, i);
}

/* First frame on a wall. A proof that comes after the line still is recorded: the verdict stays "missed". */
void gw_incident_met(gw_domain *d, struct gw_incident *i, struct gw_scene *s, struct gw_now now)
{
	if (i->verdict != GW_VERDICT_RUNNING) {
		return;
	}
	int64_t elapsed = s->proofs[GW_STEP_FIRST_DRAWN].elapsed_ms;
	verdict(d, i, s, elapsed <= d->timer_ms[GW_TIMER_SCENE_ON_WALL] ? "met" : "missed", elapsed, now);
}

void gw_apply_INCIDENT_VERDICT(const struct gw_fact *f)
{
	const struct gw_rec_verdict *b = f->body;
	struct gw_incident *i = f->incident;
	if (i == NULL) {
		return;
	}
	bool met = g_str_equal(b->verdict, "met");
	i->verdict = met ? GW_VERDICT_MET : GW_VERDICT_MISSED;
	i->met_ms = met ? i->t0_ms + b->elapsed_ms : 0;
	for (int n = 0; met && n < GW_ESCALATIONS; n++) {
		if (i->escalations[n].state == GW_ESC_WAITING) {
			i->escalations[n].state = GW_ESC_CANCELLED;
		}
	}
}

void gw_apply_ESCALATION_FIRED(const struct gw_fact *f)
{
	const struct gw_rec_step *b = f->body;
	if (f->incident != NULL) {
		struct gw_escalation *e = &f->incident->escalations[b->step - 1];
		e->state = GW_ESC_FIRED;
		e->fired_ms = f->at_ms;
	}
}

bool gw_escalation_ack(gw_domain *d, const char *actor, const char *id, int step, struct gw_now now, GError **err)
{
	struct gw_incident *i = gw_incident_find(d, id, err);
	if (i == NULL) {
		return false;
	}
	if (step < 1 || step > GW_ESCALATIONS || i->escalations[step - 1].state != GW_ESC_FIRED) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "this mark has not been reached or is acknowledged");
		return false;
	}
	struct gw_rec_step body = { step };
	gw_emit(d, GW_REC_ESCALATION_ACKED, actor, i, &body, now);
	gw_changed(d, i);
	return true;
}

void gw_apply_ESCALATION_ACKED(const struct gw_fact *f)
{
	const struct gw_rec_step *b = f->body;
	if (f->incident != NULL) {
		struct gw_escalation *e = &f->incident->escalations[b->step - 1];
		e->state = GW_ESC_ACKED;
		e->acked_ms = f->at_ms;
		g_free(e->acked_by);
		e->acked_by = g_strdup(f->actor);
	}
}

static bool link_lives(const struct gw_link *l)
{
	return l->state == GW_LINK_ISSUED || l->state == GW_LINK_OPENED;
}

int64_t gw_incident_deadline(const gw_domain *d, const struct gw_incident *i)
{
	if (i->closed_ms != 0) {
		return ORT_NEVER;
	}
	int64_t next = ORT_NEVER;
	for (int n = 0; n < GW_ESCALATIONS; n++) {
		if (i->escalations[n].state == GW_ESC_WAITING) {
			next = MIN(next, due_us(d, i, gw_escalation_rows[n].timer));
		}
	}
	if (i->verdict == GW_VERDICT_RUNNING) {
		next = MIN(next, due_us(d, i, GW_TIMER_SCENE_ON_WALL) + ORT_US_PER_MS);
	}
	for (unsigned n = 0; n < i->links->len; n++) {
		const struct gw_link *l = i->links->pdata[n];
		if (link_lives(l)) {
			next = MIN(next, l->expires_us);
		}
	}
	return next;
}

int64_t gw_incident_tick(gw_domain *d, struct gw_incident *i, struct gw_now now)
{
	if (i->closed_ms != 0) {
		return ORT_NEVER;
	}
	for (int n = 0; n < GW_ESCALATIONS; n++) {
		if (i->escalations[n].state == GW_ESC_WAITING && due_us(d, i, gw_escalation_rows[n].timer) <= now.us) {
			fire(d, i, n, now);
		}
	}
	int64_t line = due_us(d, i, GW_TIMER_SCENE_ON_WALL);
	if (i->verdict == GW_VERDICT_RUNNING && line < now.us) {
		verdict(d, i, NULL, "missed", (now.us - i->t0_us) / ORT_US_PER_MS, now);
	}
	for (unsigned n = 0; n < i->links->len; n++) {
		struct gw_link *l = i->links->pdata[n];
		if (link_lives(l) && l->expires_us <= now.us) {
			gw_links_end(d, i, l->scene, "expired", now);
		}
	}
	return gw_incident_deadline(d, i);
}
