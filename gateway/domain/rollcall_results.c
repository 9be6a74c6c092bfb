/* What a roll call says of a site: measured figures, the verdict that follows from them, what people say instead, the code
 * that is read back, stills and clips. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

const char *const gw_code_names[GW_CODE_N + 1] = {
	[GW_CODE_NONE] = "none", [GW_CODE_SHOWN] = "shown", [GW_CODE_RIGHT] = "right", [GW_CODE_WRONG] = "wrong",
};
const char *const gw_evidence_names[GW_EVIDENCE_N + 1] = { [GW_EVIDENCE_STILL] = "still", [GW_EVIDENCE_CLIP] = "clip" };

static void emit(gw_domain *d, enum gw_rec rec, const char *actor, const struct gw_rollcall *r, const void *body, struct gw_now now)
{
	gw_emit_conference(d, rec, actor, r->conference, body, now);
}

/* ---- the verdict ---- */
enum fact { GONE_RANG = 1 << 0, GONE = 1 << 1, NO_VIDEO = 1 << 2, BLACK = 1 << 3, FROZEN = 1 << 4, LOOPED = 1 << 5, NO_AUDIO = 1 << 6,
	    SILENT = 1 << 7, LATE = 1 << 8 };

/* The first row that holds. why: a word that pages know (texts cause.*); NULL = the call's own reason, if it failed. */
static const struct verdict_row { unsigned fact; enum gw_result result; const char *why; } verdict_rows[] = {
	{ GONE_RANG, GW_RESULT_NO_ANSWER, NULL },
	{ GONE, GW_RESULT_UNREACHABLE, NULL },
	{ NO_VIDEO, GW_RESULT_NO_PICTURE, "sends_no_picture" },
	{ BLACK, GW_RESULT_NO_PICTURE, "picture_black" },
	{ LOOPED, GW_RESULT_NO_PICTURE, "picture_looped" },
	{ FROZEN, GW_RESULT_NO_PICTURE, "picture_frozen" },
	{ NO_AUDIO, GW_RESULT_NO_SOUND, "sends_no_sound" },
	{ SILENT, GW_RESULT_NO_SOUND, "sound_silent" },
	{ LATE, GW_RESULT_PRESENT_LATE, "answered_late" },
};

static int64_t took_ms(const struct gw_rollcall_entry *e)
{
	return e->answered_ms != 0 && e->called_ms != 0 ? MAX(e->answered_ms - e->called_ms, 0) : 0;
}

static unsigned facts_of(const gw_domain *d, const struct gw_rollcall_entry *e, const struct gw_party *p)
{
	const struct gw_rollcall_measure *m = &e->figures;
	bool here = p != NULL && (p->state == GW_SITE_PRESENT || p->state == GW_SITE_DEGRADED || p->state == GW_SITE_HELD);
	if (!here) {
		bool rang = p != NULL && (p->state == GW_SITE_NO_ANSWER || p->state == GW_SITE_RINGING || p->state == GW_SITE_REFUSED);
		return rang ? GONE_RANG : GONE;
	}
	const struct { bool on; unsigned fact; } rows[] = {
		{ !p->stream[GW_PARTY_VIDEO], NO_VIDEO }, { m->black, BLACK }, { m->frozen, FROZEN }, { m->looped, LOOPED },
		{ !p->stream[GW_PARTY_AUDIO], NO_AUDIO }, { m->silent, SILENT },
		{ took_ms(e) > d->timer_ms[GW_TIMER_ROLLCALL_LATE], LATE },
	};
	unsigned facts = 0;
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		facts |= rows[n].on ? rows[n].fact : 0;
	}
	return facts;
}

enum gw_result gw_rollcall_judge(const gw_domain *d, const struct gw_rollcall_entry *e, const char **ret_why)
{
	const struct gw_party *p = gw_party_get(d, e->party);
	unsigned facts = facts_of(d, e, p);
	for (unsigned n = 0; n < G_N_ELEMENTS(verdict_rows); n++) {
		const struct verdict_row *row = &verdict_rows[n];
		if ((facts & row->fact) != 0) {
			*ret_why = row->why != NULL ? row->why : p != NULL && !gw_party_is_live(p->state) ? p->why : NULL;
			return row->result;
		}
	}
	*ret_why = NULL;
	return GW_RESULT_PRESENT;
}

enum gw_result gw_rollcall_verdict(const gw_domain *d, const struct gw_rollcall_entry *e)
{
	const char *why;
	return gw_rollcall_judge(d, e, &why);
}

/* ---- figures ---- */
void gw_rollcall_remember_figures(gw_domain *d, const struct gw_rollcall *r, const struct gw_rollcall_entry *e, struct gw_now now)
{
	const struct gw_rollcall_measure *m = &e->figures;
	struct gw_rec_rollcall_figures body = { r->id, e->site, took_ms(e), m->bitrate_bps, CLAMP(m->loss, 0, 1), m->black, m->frozen,
						m->silent, m->clipped, m->looped };
	if (e->measured || e->answered_ms != 0) {
		emit(d, GW_REC_ROLLCALL_FIGURES, "clock", r, &body, now);
	}
}

void gw_apply_ROLLCALL_FIGURES(const struct gw_fact *f)
{
	const struct gw_rec_rollcall_figures *b = f->body;
	struct gw_rollcall *r = gw_rollcall_find(f->d, b->rollcall, NULL);
	struct gw_rollcall_entry *e = r != NULL ? gw_rollcall_by_site(r, b->site) : NULL;
	if (e != NULL) {
		e->measured = true;
		e->answer_ms = b->answer_ms;
		e->figures = (struct gw_rollcall_measure){ b->black, b->frozen, b->looped, b->silent, b->clipped, b->loss, b->bitrate_bps };
	}
}

void gw_rollcall_measured(gw_domain *d, const char *party, const struct gw_rollcall_measure *m, struct gw_now now)
{
	const struct gw_party *p = gw_party_get(d, party);
	const char *id = p != NULL ? gw_rollcall_of(d, p->conference->id) : NULL;
	const struct gw_rollcall *r = gw_rollcall_find(d, id, NULL);
	struct gw_rollcall_entry *e = r != NULL ? gw_rollcall_entry_at(r, r->current) : NULL;
	if (e == NULL || g_strcmp0(e->party, party) != 0) {
		return;
	}
	struct gw_rollcall_measure *worst = &e->figures, was = *worst;
	*worst = (struct gw_rollcall_measure){ m->black, was.frozen || m->frozen, was.looped || m->looped, m->silent,
					       was.clipped || m->clipped, MAX(was.loss, m->loss), m->bitrate_bps };
	e->measured = true;
	/* What stays said must outlive us. */
	if (worst->frozen != was.frozen || worst->looped != was.looped || worst->clipped != was.clipped) {
		gw_rollcall_remember_figures(d, r, e, now);
	}
}

void gw_rollcall_answered(gw_domain *d, const struct gw_party *p, int64_t at_ms)
{
	const struct gw_rollcall *r = gw_rollcall_find(d, gw_rollcall_of(d, p->conference->id), NULL);
	for (int n = 0; r != NULL && n < (int)r->entries->len; n++) {
		struct gw_rollcall_entry *e = gw_rollcall_entry_at(r, n);
		if (e->called_ms != 0 && e->answered_ms == 0 && g_strcmp0(e->party, p->id) == 0) {
			e->answered_ms = MAX(at_ms, e->called_ms);
		}
	}
}

/* ---- results ---- */
void gw_rollcall_say(gw_domain *d, const char *actor, const struct gw_rollcall *r, const struct gw_rollcall_entry *e,
		     enum gw_result result, const char *why, struct gw_now now)
{
	struct gw_rec_rollcall_result body = { r->id, e->site, (char *)(uintptr_t)why, (int)result };
	emit(d, GW_REC_ROLLCALL_RESULT, actor, r, &body, now);
}

void gw_apply_ROLLCALL_RESULT(const struct gw_fact *f)
{
	const struct gw_rec_rollcall_result *b = f->body;
	struct gw_rollcall *r = gw_rollcall_find(f->d, b->rollcall, NULL);
	struct gw_rollcall_entry *e = r != NULL ? gw_rollcall_by_site(r, b->site) : NULL;
	if (e != NULL) {
		e->result = (enum gw_result)b->result;
		e->said = e->result != GW_RESULT_NOT_CALLED;
		e->done_ms = e->said ? f->at_ms : 0;
		g_free(e->why);
		g_free(e->by);
		e->why = g_strdup(b->why);
		e->by = g_strdup(f->actor);
	}
}

bool gw_rollcall_mark(gw_domain *d, const char *actor, const char *id, const char *site, enum gw_result result, const char *why,
		      struct gw_now now, GError **err)
{
	struct gw_rollcall *r = gw_rollcall_find(d, id, err);	/* also when it is over: a correction is a record of its own */
	struct gw_rollcall_entry *e = r != NULL ? gw_rollcall_by_site(r, site) : NULL;
	if (r == NULL || !gw_text_ok(why, 400, false, "why", err)) {
		return false;
	}
	if (e == NULL || result >= GW_RESULT_N) {
		g_set_error(err, GW_DOMAIN_ERROR, e == NULL ? GW_DOMAIN_NOT_FOUND : GW_DOMAIN_INVALID, "%s",
			    e == NULL ? "no such site in this roll call" : "result");
		return false;
	}
	gw_rollcall_say(d, actor, r, e, result, why, now);
	gw_rollcall_changed(d, r, NULL);
	return true;
}

/* ---- liveness ---- */
static struct gw_rollcall *find_turn(const gw_domain *d, const char *id, GError **err)
{
	struct gw_rollcall *r = gw_rollcall_find_open(d, id, err);
	if (r != NULL && r->current < 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "it is nobody's turn: start the roll call");
		return NULL;
	}
	return r;
}

bool gw_rollcall_code(gw_domain *d, const char *actor, const char *id, const char *code, struct gw_now now, GError **err)
{
	const struct gw_rollcall *r = find_turn(d, id, err);
	if (r == NULL) {
		return false;
	}
	if (code == NULL || strlen(code) != 4 || strspn(code, "0123456789") != 4) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "code: four digits");
		return false;
	}
	const struct gw_rollcall_entry *e = gw_rollcall_entry_at(r, r->current);
	struct gw_rec_rollcall_code body = { r->id, e->site, (char *)(uintptr_t)code };
	emit(d, GW_REC_ROLLCALL_CODE, actor, r, &body, now);
	gw_rollcall_plate(d, r, e, now);
	gw_rollcall_changed(d, r, NULL);
	return true;
}

void gw_apply_ROLLCALL_CODE(const struct gw_fact *f)
{
	const struct gw_rec_rollcall_code *b = f->body;
	struct gw_rollcall *r = gw_rollcall_find(f->d, b->rollcall, NULL);
	struct gw_rollcall_entry *e = r != NULL ? gw_rollcall_by_site(r, b->site) : NULL;
	if (e != NULL) {
		g_strlcpy(e->code, b->code, sizeof(e->code));
		e->code_state = GW_CODE_SHOWN;
	}
}

bool gw_rollcall_code_said(gw_domain *d, const char *actor, const char *id, bool right, struct gw_now now, GError **err)
{
	const struct gw_rollcall *r = find_turn(d, id, err);
	const struct gw_rollcall_entry *e = r != NULL ? gw_rollcall_entry_at(r, r->current) : NULL;
	if (e != NULL && e->code_state == GW_CODE_NONE) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "no code was shown to this site");
		return false;
	}
	if (e == NULL) {
		return false;
	}
	struct gw_rec_rollcall_said body = { r->id, e->site, right };
	emit(d, GW_REC_ROLLCALL_CODE_SAID, actor, r, &body, now);
	gw_rollcall_plate(d, r, e, now);
	gw_rollcall_changed(d, r, NULL);
	return true;
}

void gw_apply_ROLLCALL_CODE_SAID(const struct gw_fact *f)
{
	const struct gw_rec_rollcall_said *b = f->body;
	struct gw_rollcall *r = gw_rollcall_find(f->d, b->rollcall, NULL);
	struct gw_rollcall_entry *e = r != NULL ? gw_rollcall_by_site(r, b->site) : NULL;
	if (e != NULL) {
		e->code_state = b->right ? GW_CODE_RIGHT : GW_CODE_WRONG;
	}
}

/* ---- stills and clips ---- */
bool gw_rollcall_evidence(gw_domain *d, const char *id, const char *site, const struct gw_evidence *e, struct gw_now now)
{
	const struct gw_rollcall *r = gw_rollcall_find(d, id, NULL);
	if (r == NULL || gw_rollcall_by_site(r, site) == NULL) {
		return false;
	}
	struct gw_rec_rollcall_evidence body = { r->id, (char *)(uintptr_t)site, (char *)(uintptr_t)e->file,
						 (char *)(uintptr_t)e->sha256, e->bytes, e->at_ms, (int)e->kind };
	emit(d, GW_REC_ROLLCALL_EVIDENCE, "gateway", r, &body, now);
	gw_rollcall_changed(d, r, NULL);
	return true;
}

void gw_apply_ROLLCALL_EVIDENCE(const struct gw_fact *f)
{
	const struct gw_rec_rollcall_evidence *b = f->body;
	struct gw_rollcall *r = gw_rollcall_find(f->d, b->rollcall, NULL);
	struct gw_rollcall_entry *e = r != NULL ? gw_rollcall_by_site(r, b->site) : NULL;
	if (e != NULL) {
		struct gw_kept_evidence *kept = &e->evidence[b->kind];
		g_free(kept->file);
		g_free(kept->sha256);
		*kept = (struct gw_kept_evidence){ g_strdup(b->file), g_strdup(b->sha256), b->bytes, b->at_ms };
	}
}

const char *gw_rollcall_evidence_hash(const gw_domain *d, const char *id, const char *file)
{
	const struct gw_rollcall *r = gw_rollcall_find(d, id, NULL);
	for (int n = 0; r != NULL && n < (int)r->entries->len; n++) {
		const struct gw_rollcall_entry *e = gw_rollcall_entry_at(r, n);
		for (int kind = 0; kind < GW_EVIDENCE_N; kind++) {
			if (e->evidence[kind].file != NULL && g_strcmp0(e->evidence[kind].file, file) == 0) {
				return e->evidence[kind].sha256;
			}
		}
	}
	return NULL;
}

char *gw_rollcall_site_of(const gw_domain *d, const char *id, const char *party)
{
	const struct gw_rollcall *r = gw_rollcall_find(d, id, NULL);
	for (int n = 0; r != NULL && n < (int)r->entries->len; n++) {
		const struct gw_rollcall_entry *e = gw_rollcall_entry_at(r, n);
		if (e->party != NULL && g_strcmp0(e->party, party) == 0) {
			return g_strdup(e->site);
		}
	}
	return NULL;
}
