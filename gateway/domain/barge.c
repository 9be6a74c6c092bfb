/* Who outranks a conference may listen unseen (监听), speak into it (强插), or take a party out (强拆). Each is in the log. Beside
 * them the loop-back test of a site (环回). */
#include "gateway/domain/domain_priv.h"

static struct gw_conference *outranked(const gw_domain *d, const char *conference, int64_t rank, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	if (c != NULL && rank <= c->control.priority) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "the conference has priority %d", (int)c->control.priority);
		return NULL;
	}
	return c;
}

const char *gw_monitor(gw_domain *d, const char *actor, const char *conference, const struct gw_party_facts *facts, int64_t rank,
		       struct gw_now now, GError **err)
{
	struct gw_conference *c = outranked(d, conference, rank, err);
	struct gw_party_facts f = *facts;
	f.role = GW_PARTY_OBSERVER;
	const char *id = c != NULL ? gw_party_enter(d, actor, conference, &f, now, err) : NULL;
	struct gw_party *p = gw_party_get(d, id);
	if (p != NULL) {
		gw_control_emit(d, GW_REC_MONITOR, actor, c, p, now);
		gw_conference_changed(d, c, true);
	}
	return p != NULL ? p->id : NULL;
}

void gw_apply_MONITOR(const struct gw_fact *f)
{
	const struct gw_rec_control_party *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	if (p != NULL) {
		p->control.hidden = true;
		p->control.waiting = false;
		gw_party_set_role(p, GW_PARTY_OBSERVER);
	}
}

bool gw_party_is_hidden(const gw_domain *d, const char *party)
{
	const struct gw_party *p = gw_party_get(d, party);
	return p != NULL && p->control.hidden;
}

void gw_monitor_end(gw_domain *d, const char *actor, const char *party, struct gw_now now)
{
	struct gw_party *p = gw_party_get(d, party);
	if (p != NULL && p->control.hidden) {
		gw_control_emit(d, GW_REC_MONITOR_END, actor, p->conference, p, now);
		gw_conference_changed(d, p->conference, true);
	}
}

void gw_apply_MONITOR_END(const struct gw_fact *f)
{
	const struct gw_rec_control_party *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	if (p != NULL) {
		p->control.hidden = false;
		gw_party_set_role(p, GW_PARTY_PARTICIPANT);
	}
}

const char *gw_barge_in(gw_domain *d, const char *actor, const char *conference, const struct gw_party_facts *f, int64_t rank,
			struct gw_now now, GError **err)
{
	struct gw_conference *c = outranked(d, conference, rank, err);
	const char *id = c != NULL ? gw_party_enter(d, actor, conference, f, now, err) : NULL;
	struct gw_party *p = gw_party_get(d, id);
	if (p == NULL) {
		return NULL;
	}
	gw_control_emit(d, GW_REC_BARGE_IN, actor, c, p, now);
	gw_monitor_end(d, actor, p->id, now);
	gw_control_notice(d, c, p, "barge_in", 0);
	gw_conference_changed(d, c, true);
	return p->id;
}

void gw_apply_BARGE_IN(const struct gw_fact *f)
{
	/* its entry, and the end of its listening, are records of their own */
}

bool gw_force_release(gw_domain *d, const char *actor, const char *conference, const char *party, const char *to, int64_t rank,
		      struct gw_now now, GError **err)
{
	struct gw_conference *c = outranked(d, conference, rank, err);
	struct gw_party *p = c != NULL ? gw_party_find(d, conference, party, err) : NULL;
	struct gw_conference *taker = p != NULL && to != NULL ? gw_conference_find_open(d, to, err) : NULL;
	if (p == NULL || (to != NULL && taker == NULL)) {
		return false;
	}
	if (taker == c || (taker != NULL && taker->control.priority < c->control.priority)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "to: its priority is lower");
		return false;
	}
	struct gw_rec_force_release body = { c->id, p->id, taker != NULL ? taker->id : NULL };
	gw_emit_conference(d, GW_REC_FORCE_RELEASE, actor, c, &body, now);
	if (taker != NULL) {
		return gw_party_move(d, actor, c->id, p->id, taker->id, now, err);
	}
	gw_party_end(d, actor, p, GW_SITE_ABSENT, "force_released", now);
	return true;
}

void gw_apply_FORCE_RELEASE(const struct gw_fact *f)
{
	/* its move or its end is a record of its own */
}

/* ---- loop-back ---- */
bool gw_party_loop(gw_domain *d, const char *actor, const char *conference, const char *party, bool audio, bool video, struct gw_now now,
		   GError **err)
{
	struct gw_party *p = gw_control_party(d, conference, party, err);
	if (p == NULL || !gw_control_may(p->conference, actor, err)) {
		return false;
	}
	if (p->control.loop_audio != audio || p->control.loop_video != video) {
		struct gw_rec_party_loop body = { p->id, audio, video };
		gw_emit_conference(d, GW_REC_PARTY_LOOP, actor, p->conference, &body, now);
		gw_conference_changed(d, p->conference, true);
	}
	return true;
}

void gw_apply_PARTY_LOOP(const struct gw_fact *f)
{
	const struct gw_rec_party_loop *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	if (p != NULL) {
		p->control.loop_audio = b->audio;
		p->control.loop_video = b->video;
	}
}
