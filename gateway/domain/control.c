/* What the chair or dispatcher sets for a party: microphone, loudspeaker, volume, role, which picture it is sent. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

/* ---- mute: two verbs, one rule ---- */
struct mute { enum gw_rec rec; bool speaker; };
static const struct mute mic = { GW_REC_PARTY_MIC_MUTE, false }, speaker = { GW_REC_PARTY_SPEAKER_MUTE, true };

static bool is_own(const char *actor, const struct gw_party *p)
{
	return g_str_has_prefix(actor, "party:") && strcmp(actor + strlen("party:"), p->id) == 0;
}

static void mute_one(gw_domain *d, const char *actor, const struct mute *m, struct gw_party *p, bool on, struct gw_now now)
{
	struct gw_rec_party_mute body = { p->id, on };
	gw_emit_conference(d, m->rec, actor, p->conference, &body, now);
}

static bool mute(gw_domain *d, const char *actor, const struct mute *m, const char *conference, const char *party, bool on,
		 struct gw_now now, GError **err)
{
	bool all = g_strcmp0(party, "*") == 0;
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	struct gw_party *p = c != NULL && !all ? gw_party_find(d, conference, party, err) : NULL;
	if (c == NULL || (!all && p == NULL)) {
		return false;
	}
	const char *by = p == NULL ? NULL : m->speaker ? p->speaker_muted_by : p->mic_muted_by;
	if (p != NULL && is_own(actor, p) && !on && by != NULL && !is_own(by, p)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "muted by %s", by);
		return false;
	}
	if (p != NULL) {
		mute_one(d, actor, m, p, on, now);
	}
	for (unsigned n = 0; all && n < c->parties->len; n++) {
		struct gw_party *each = c->parties->pdata[n];
		bool is = m->speaker ? each->speaker_muted : each->mic_muted;
		if (!each->removed && each->role != GW_PARTY_CHAIR && is != on) {
			mute_one(d, actor, m, each, on, now);
		}
	}
	gw_conference_changed(d, c, true);
	return true;
}

bool gw_party_mic_mute(gw_domain *d, const char *actor, const char *conference, const char *party, bool on, struct gw_now now,
		       GError **err)
{
	return mute(d, actor, &mic, conference, party, on, now, err);
}

bool gw_party_speaker_mute(gw_domain *d, const char *actor, const char *conference, const char *party, bool on, struct gw_now now,
			   GError **err)
{
	return mute(d, actor, &speaker, conference, party, on, now, err);
}

static void apply_mute(const struct gw_fact *f, bool is_speaker)
{
	const struct gw_rec_party_mute *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	if (p == NULL) {
		return;
	}
	char **by = is_speaker ? &p->speaker_muted_by : &p->mic_muted_by;
	*(is_speaker ? &p->speaker_muted : &p->mic_muted) = b->on;
	g_free(*by);
	*by = b->on ? g_strdup(f->actor) : NULL;
}

void gw_apply_PARTY_MIC_MUTE(const struct gw_fact *f)
{
	apply_mute(f, false);
}

void gw_apply_PARTY_SPEAKER_MUTE(const struct gw_fact *f)
{
	apply_mute(f, true);
}

/* ---- volume ---- */
bool gw_party_volume(gw_domain *d, const char *actor, const char *conference, const char *party, double in_db, double out_db,
		     struct gw_now now, GError **err)
{
	struct gw_party *p = gw_party_find(d, conference, party, err);
	bool sane = in_db >= -60 && in_db <= 20 && out_db >= -60 && out_db <= 20;
	if (p != NULL && !sane) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "in_db, out_db: -60 to 20");
	}
	if (p == NULL || !sane) {
		return false;
	}
	struct gw_rec_party_volume body = { p->id, in_db, out_db };
	gw_emit_conference(d, GW_REC_PARTY_VOLUME, actor, p->conference, &body, now);
	gw_conference_changed(d, p->conference, true);
	return true;
}

void gw_apply_PARTY_VOLUME(const struct gw_fact *f)
{
	const struct gw_rec_party_volume *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	if (p != NULL) {
		p->in_db = b->in_db;
		p->out_db = b->out_db;
	}
}

/* ---- role: one chair at a time ---- */
bool gw_party_role(gw_domain *d, const char *actor, const char *conference, const char *party, enum gw_party_role role,
		   struct gw_now now, GError **err)
{
	struct gw_party *p = gw_party_find(d, conference, party, err);
	if (p == NULL || p->role == role) {
		return p != NULL;
	}
	struct gw_rec_party_role body = { p->id, (int)role };
	gw_emit_conference(d, GW_REC_PARTY_ROLE, actor, p->conference, &body, now);
	gw_conference_changed(d, p->conference, true);
	return true;
}

void gw_party_set_role(struct gw_party *p, enum gw_party_role role)
{
	for (unsigned n = 0; role == GW_PARTY_CHAIR && n < p->conference->parties->len; n++) {
		struct gw_party *other = p->conference->parties->pdata[n];
		other->role = other->role == GW_PARTY_CHAIR ? GW_PARTY_PARTICIPANT : other->role;
	}
	p->role = role;
	gw_view_seat(p->conference, p, role != GW_PARTY_OBSERVER && !p->control.waiting && (p->seated || p->state == GW_SITE_PRESENT));
}

void gw_apply_PARTY_ROLE(const struct gw_fact *f)
{
	const struct gw_rec_party_role *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	if (p != NULL) {
		gw_party_set_role(p, (enum gw_party_role)b->role);
	}
}

/* ---- which picture ---- */
bool gw_party_view(gw_domain *d, const char *actor, const char *conference, const char *party, const char *view, struct gw_now now,
		   GError **err)
{
	struct gw_party *p = gw_party_find(d, conference, party, err);
	struct gw_party *shown = p != NULL ? gw_party_get(d, view) : NULL;
	bool word = g_strcmp0(view, "program") == 0 || g_strcmp0(view, "own") == 0;
	if (p == NULL || !(word || (shown != NULL && shown->conference == p->conference))) {
		g_set_error(p != NULL ? err : NULL, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "view: program, own, or a party of the conference");
		return false;
	}
	struct gw_rec_party_view body = { p->id, (char *)(uintptr_t)view };
	gw_emit_conference(d, GW_REC_PARTY_VIEW, actor, p->conference, &body, now);
	gw_conference_changed(d, p->conference, true);
	return true;
}

void gw_apply_PARTY_VIEW(const struct gw_fact *f)
{
	const struct gw_rec_party_view *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	if (p == NULL) {
		return;
	}
	char *view = g_strdup(b->view);
	g_free(p->view);
	p->view = view;
	if (strcmp(view, "own") == 0) {
		(void)gw_view_obtain(p->conference, p->id);
	}
}
