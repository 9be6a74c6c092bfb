/* A scene (现场): one field officer's picture and sound inside an incident; its state, proofs, position, microphone. */
#include "gateway/domain/domain_priv.h"

#include <math.h>

static const char *const stamp_by[GW_STEP_N] = {
#define X(id, name, by, doc) [GW_STEP_##id] = by,
#include "gateway/domain/stamps.def"
#undef X
};

void gw_scene_free(gpointer p)
{
	struct gw_scene *s = p;
	g_free(s->id);
	g_free(s->person);
	g_free(s->name);
	g_free(s->link);
	g_free(s->why);
	g_free(s->muted_by);
	g_free(s->talker);
	g_free(s);
}

static struct gw_scene *lookup(const gw_domain *d, const char *id)
{
	return id != NULL ? g_hash_table_lookup(d->scenes, id) : NULL;
}

struct gw_scene *gw_scene_find(const gw_domain *d, const char *id, GError **err)
{
	struct gw_scene *s = lookup(d, id);
	if (s == NULL || s->removed) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such scene");
		return NULL;
	}
	if (s->incident->closed_ms != 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "the incident is closed");
		return NULL;
	}
	return s;
}

const char *gw_scene_incident(const gw_domain *d, const char *scene)
{
	struct gw_scene *s = lookup(d, scene);
	return s != NULL ? s->incident->id : NULL;
}

const char *gw_scene_name(const gw_domain *d, const char *scene)
{
	struct gw_scene *s = lookup(d, scene);
	return s != NULL ? s->name : NULL;
}

char *gw_stream_of(const struct gw_scene *s, const char *kind)
{
	return g_strconcat(s->id, ".", kind, NULL);
}

/* ---- state ---- */
bool gw_scene_state(gw_domain *d, const char *scene, enum gw_site_state state, const char *why, struct gw_now now)
{
	struct gw_scene *s = lookup(d, scene);
	if (s == NULL || (s->state == state && g_strcmp0(s->why, why) == 0)) {
		return s != NULL;
	}
	if (s->state != state && !gw_site_may_enter(s->state, state)) {
		return false;
	}
	struct gw_rec_scene_state body = { s->id, (char *)(uintptr_t)why, (int)state };
	gw_emit(d, GW_REC_SCENE_STATE, "engine", s->incident, &body, now);
	gw_changed(d, s->incident);
	return true;
}

void gw_apply_SCENE_STATE(const struct gw_fact *f)
{
	const struct gw_rec_scene_state *b = f->body;
	struct gw_scene *s = lookup(f->d, b->scene);
	if (s != NULL) {
		char *why = g_strdup(b->why);
		g_free(s->why);
		s->why = why;
		s->state = (enum gw_site_state)b->state;
	}
}

/* ---- proofs ---- */
static bool stamp_actor_ok(enum gw_step stamp, const char *actor)
{
	static const struct { const char *by, *prefix; } prefixes[] = {
		{ "gateway", "gateway" }, { "engine", "engine" }, { "page", "field:" }, { "wall", "wall:" },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(prefixes); n++) {
		if (g_str_equal(prefixes[n].by, stamp_by[stamp])) {
			return g_str_has_prefix(actor, prefixes[n].prefix);
		}
	}
	return false;
}

static void after_stamp(gw_domain *d, struct gw_scene *s, enum gw_step stamp, struct gw_now now)
{
	if (stamp == GW_STEP_FIRST_DRAWN) {
		gw_incident_met(d, s->incident, s, now);
	}
	bool both = s->proofs[GW_STEP_HEARD_SCENE].at_ms != 0 && s->proofs[GW_STEP_HEARD_DISPATCHER].at_ms != 0;
	if (both && s->proofs[GW_STEP_TWO_WAY].at_ms == 0) {
		(void)gw_scene_stamp(d, "gateway", s->id, GW_STEP_TWO_WAY, now.wall_ms, now, NULL);
	}
}

bool gw_scene_stamp(gw_domain *d, const char *actor, const char *scene, enum gw_step stamp, int64_t at_ms, struct gw_now now,
		    GError **err)
{
	struct gw_scene *s = gw_scene_find(d, scene, err);
	if (s == NULL) {
		return false;
	}
	if ((unsigned)stamp >= GW_STEP_N || !stamp_actor_ok(stamp, actor)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "this step is not %s's to prove", actor);
		return false;
	}
	if (s->proofs[stamp].at_ms != 0) {
		return true;
	}
	/* A stamp lies between T0 and now: a page's or host's clock can be wrong, the order of things cannot. */
	int64_t ago_us = CLAMP((now.wall_ms - at_ms) * ORT_US_PER_MS, 0, MAX(now.us - s->incident->t0_us, 0));
	struct gw_rec_scene_stamp body = { s->id, (int)stamp, now.wall_ms - ago_us / ORT_US_PER_MS, now.us - ago_us };
	gw_emit(d, GW_REC_SCENE_STAMP, actor, s->incident, &body, now);
	after_stamp(d, s, stamp, now);
	gw_changed(d, s->incident);
	return true;
}

void gw_apply_SCENE_STAMP(const struct gw_fact *f)
{
	const struct gw_rec_scene_stamp *b = f->body;
	struct gw_scene *s = lookup(f->d, b->scene);
	if (s == NULL || s->proofs[b->stamp].at_ms != 0) {
		return;
	}
	/* The record's own time leads from its host's clock to ours. */
	int64_t ago_ms = f->at_ms - b->at_ms;
	int64_t happened_us = f->at_us - ago_ms * ORT_US_PER_MS;
	s->proofs[b->stamp] = (struct gw_proof){ b->at_ms, (happened_us - s->incident->t0_us) / ORT_US_PER_MS };
}

/* ---- what the phone says ---- */
bool gw_scene_event(gw_domain *d, const char *actor, const char *scene, const char *kind, const char *detail, struct gw_now now,
		    GError **err)
{
	struct gw_scene *s = gw_scene_find(d, scene, err);
	if (s == NULL || !gw_text_ok(kind, 40, true, "kind", err) || !gw_text_ok(detail, 400, false, "detail", err)) {
		return false;
	}
	struct gw_rec_scene_event body = { s->id, (char *)(uintptr_t)kind, (char *)(uintptr_t)detail };
	gw_emit(d, GW_REC_SCENE_EVENT, actor, s->incident, &body, now);
	gw_changed(d, s->incident);
	return true;
}

void gw_apply_SCENE_EVENT(const struct gw_fact *f)
{
	const struct gw_rec_scene_event *b = f->body;
	struct gw_scene *s = lookup(f->d, b->scene);
	if (s != NULL) {
		g_free(s->why);
		s->why = g_strdup(b->kind);
	}
}

bool gw_scene_position(gw_domain *d, const char *actor, const char *scene, const struct gw_position *p, struct gw_now now,
		       GError **err)
{
	struct gw_scene *s = gw_scene_find(d, scene, err);
	if (s == NULL) {
		return false;
	}
	bool sane = isfinite(p->lat) && isfinite(p->lon) && fabs(p->lat) <= 90 && fabs(p->lon) <= 180 && p->accuracy_m >= 0;
	if (!sane) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "lat, lon or accuracy: out of range");
		return false;
	}
	/* A phone whose clock is ahead must not hide its later positions by one of the future. */
	int64_t at_ms = MIN(p->at_ms, now.wall_ms);
	if (s->has_position && at_ms - s->position.at_ms < d->timer_ms[GW_TIMER_POSITION_MIN]) {
		return true;
	}
	struct gw_rec_scene_position body = { s->id, p->lat, p->lon, MIN(p->accuracy_m, 1e6), at_ms };
	gw_emit(d, GW_REC_SCENE_POSITION, actor, s->incident, &body, now);
	gw_changed(d, s->incident);
	return true;
}

void gw_apply_SCENE_POSITION(const struct gw_fact *f)
{
	const struct gw_rec_scene_position *b = f->body;
	struct gw_scene *s = lookup(f->d, b->scene);
	if (s != NULL) {
		s->has_position = true;
		s->position = (struct gw_position){ b->lat, b->lon, b->accuracy_m, b->at_ms };
	}
}

/* ---- microphone and talk ---- */
bool gw_scene_mute(gw_domain *d, const char *actor, const char *scene, bool on, struct gw_now now, GError **err)
{
	struct gw_scene *s = gw_scene_find(d, scene, err);
	if (s == NULL) {
		return false;
	}
	/* mic_mute by the chair is not undone by the guest. */
	bool own = g_str_has_prefix(actor, "field:");
	if (own && !on && s->muted && s->muted_by != NULL && !g_str_has_prefix(s->muted_by, "field:")) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "muted by the dispatcher");
		return false;
	}
	struct gw_rec_scene_mute body = { s->id, on };
	gw_emit(d, GW_REC_SCENE_MUTE, actor, s->incident, &body, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_MUTE, .id = s->incident->id, .scene = s->id, .on = on });
	gw_changed(d, s->incident);
	return true;
}

void gw_apply_SCENE_MUTE(const struct gw_fact *f)
{
	const struct gw_rec_scene_mute *b = f->body;
	struct gw_scene *s = lookup(f->d, b->scene);
	if (s != NULL) {
		s->muted = b->on;
		g_free(s->muted_by);
		s->muted_by = b->on ? g_strdup(f->actor) : NULL;
	}
}

bool gw_scene_remove(gw_domain *d, const char *actor, const char *scene, struct gw_now now, GError **err)
{
	struct gw_scene *s = gw_scene_find(d, scene, err);
	if (s == NULL) {
		return false;
	}
	gw_links_end(d, s->incident, s, "revoked", now);
	gw_walls_drop_scene(d, actor, s, now);
	struct gw_rec_scene_ref body = { s->id };
	gw_emit(d, GW_REC_SCENE_REMOVED, actor, s->incident, &body, now);
	gw_changed(d, s->incident);
	return true;
}

void gw_apply_SCENE_REMOVED(const struct gw_fact *f)
{
	const struct gw_rec_scene_ref *b = f->body;
	struct gw_scene *s = lookup(f->d, b->scene);
	if (s != NULL) {
		s->removed = true;
	}
}

static bool talk_scenes_ok(const gw_domain *d, const struct gw_incident *i, const char *const *scenes, GError **err)
{
	for (unsigned n = 0; scenes != NULL && scenes[n] != NULL; n++) {
		struct gw_scene *s = gw_scene_find(d, scenes[n], err);
		if (s == NULL) {
			return false;
		}
		if (s->incident != i) {
			g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "the scene is of another incident");
			return false;
		}
	}
	return true;
}

bool gw_talk_set(gw_domain *d, const char *actor, const char *incident, const char *party, const char *const *scenes, bool on,
		 struct gw_now now, GError **err)
{
	struct gw_incident *i = gw_incident_find_open(d, incident, err);
	if (i == NULL || !talk_scenes_ok(d, i, scenes, err)) {
		return false;
	}
	struct gw_rec_talk body = { (char *)(uintptr_t)party, (char **)(uintptr_t)scenes, on };
	gw_emit(d, GW_REC_TALK_SET, actor, i, &body, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_TALK, .id = i->id });
	gw_changed(d, i);
	return true;
}

static bool listed(char **scenes, const char *id)
{
	return scenes == NULL || scenes[0] == NULL || g_strv_contains((const char *const *)scenes, id);
}

/* Talk is a running thing of one process: replay does not bring a console back. */
void gw_apply_TALK_SET(const struct gw_fact *f)
{
	const struct gw_rec_talk *b = f->body;
	if (f->incident == NULL || f->d->replaying) {
		return;
	}
	for (unsigned n = 0; n < f->incident->scenes->len; n++) {
		struct gw_scene *s = f->incident->scenes->pdata[n];
		bool mine = g_strcmp0(s->talker, b->party) == 0;
		if (mine || (b->on && listed(b->scenes, s->id))) {
			g_free(s->talker);
			s->talker = b->on && listed(b->scenes, s->id) ? g_strdup(b->party) : NULL;
		}
	}
}

const char *gw_domain_talker(const gw_domain *d, const char *scene)
{
	struct gw_scene *s = lookup(d, scene);
	return s != NULL ? s->talker : NULL;
}

void gw_talk_gone(gw_domain *d, const char *party, struct gw_now now)
{
	for (unsigned n = 0; n < d->order->len; n++) {
		struct gw_incident *i = d->order->pdata[n];
		bool talks = false;
		for (unsigned k = 0; k < i->scenes->len; k++) {
			talks |= g_strcmp0(((struct gw_scene *)i->scenes->pdata[k])->talker, party) == 0;
		}
		if (talks) {
			(void)gw_talk_set(d, "gateway", i->id, party, NULL, false, now, NULL);
		}
	}
}
