/* What everybody is made to see (广播会场, 广播多画面, 广播轮询, 语音激励, 演讲者模式), what one may look at instead (选看), and how both
 * become views that the mix plan knows. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

#define AUDIENCE_CELLS 9
#define AUDIENCE_MS 10000

/* ---- verbs ---- */
bool gw_broadcast_set(gw_domain *d, const char *actor, const char *conference, enum gw_broadcast mode, const char *party,
		      const char *layout, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	bool of_site = mode == GW_BROADCAST_SITE || mode == GW_BROADCAST_LECTURE;
	if (c == NULL || !gw_control_may(c, actor, err)) {
		return false;
	}
	if (mode >= GW_BROADCAST_N || mode == GW_BROADCAST_POLL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "mode: none of broadcast; polls are started by their own verb");
		return false;
	}
	struct gw_party *p = of_site ? gw_control_party(d, conference, party, err) : NULL;
	if (of_site && p == NULL) {
		return false;
	}
	const struct gw_view *v = c->views->pdata[0];
	struct gw_view_look look = { layout, false, v->titles, v->clock, v->banner, v->alarm };
	if (mode == GW_BROADCAST_LAYOUT && layout != NULL && !gw_view_layout(d, actor, conference, v->id, &look, false, now, err)) {
		return false;
	}
	struct gw_rec_broadcast body = { c->id, p != NULL ? p->id : NULL, (int)mode };
	gw_emit_conference(d, GW_REC_BROADCAST, actor, c, &body, now);
	gw_conference_changed(d, c, true);
	return true;
}

/* A floor that was given ends with its picture; the microphones stay as they are. */
void gw_apply_BROADCAST(const struct gw_fact *f)
{
	const struct gw_rec_broadcast *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c == NULL) {
		return;
	}
	struct gw_control *k = &c->control;
	k->mode = (enum gw_broadcast)b->mode;
	k->source = gw_party_get(f->d, b->party);
	k->floor = NULL;
	k->since_ms = f->at_ms;
	g_clear_pointer(&k->poll, gw_poll_free);
	g_free(k->by);
	k->by = g_strdup(f->actor);
}

bool gw_view_site(gw_domain *d, const char *actor, const char *conference, const char *viewer, const char *site, struct gw_now now,
		  GError **err)
{
	struct gw_party *p = gw_control_party(d, conference, viewer, err);
	if (p == NULL || !gw_control_own(p->conference, actor, p, err)) {
		return false;
	}
	if (p->role != GW_PARTY_CHAIR && p->conference->control.mode != GW_BROADCAST_NONE) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "something is broadcast: only the chair may look elsewhere");
		return false;
	}
	if (p->control.poll != NULL) {
		(void)gw_poll_stop(d, actor, conference, viewer, now, NULL);
	}
	return gw_party_view(d, actor, conference, viewer, site != NULL ? site : "program", now, err);
}

bool gw_voice_switch(gw_domain *d, const char *actor, const char *conference, const struct gw_voice *voice, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	bool sane = voice->speak_ms >= 0 && voice->speak_ms <= 10000 && voice->hold_ms >= 0 && voice->hold_ms <= 60000 &&
		    voice->level_db >= -90 && voice->level_db <= 0;
	if (c == NULL || !gw_control_may(c, actor, err)) {
		return false;
	}
	if (!sane) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "speak_ms: to 10,000; hold_ms: to 60,000; level_db: -90 to 0");
		return false;
	}
	struct gw_rec_voice body = { c->id, voice->speak_ms, voice->hold_ms, voice->level_db };
	gw_emit_conference(d, GW_REC_VOICE, actor, c, &body, now);
	gw_conference_changed(d, c, true);
	return true;
}

void gw_apply_VOICE(const struct gw_fact *f)
{
	const struct gw_rec_voice *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c != NULL) {
		c->control.voice = (struct gw_voice){ b->speak_ms, b->hold_ms, b->level_db };
	}
}

struct gw_voice gw_conference_voice(const gw_domain *d, const char *conference)
{
	static const struct gw_voice normal = GW_VOICE_DEFAULT;
	const struct gw_conference *c = gw_conference_find(d, conference, NULL);
	return c != NULL ? c->control.voice : normal;
}

/* ---- who is seen ---- */
static bool is_shown(const struct gw_party *p)
{
	return p != NULL && !p->removed && gw_party_is_live(p->state) && !p->control.waiting;
}

/* A roll call's turn is a broadcast too: of the program as it stands. */
static enum gw_broadcast mode_of(const gw_domain *d, const struct gw_conference *c)
{
	int64_t shown_us;
	bool roll = d->rollcall_order->len > 0 && gw_rollcall_turn(d, c->id, &shown_us) != NULL;
	return roll ? GW_BROADCAST_LAYOUT : c->control.mode;
}

static bool is_of_one(enum gw_broadcast mode)
{
	return mode == GW_BROADCAST_SITE || mode == GW_BROADCAST_POLL || mode == GW_BROADCAST_LECTURE;
}

/* The one site that is broadcast now, or NULL: several, nobody, or it is away for the moment. */
static const struct gw_party *source_of(const gw_domain *d, const struct gw_conference *c)
{
	const struct gw_control *k = &c->control;
	enum gw_broadcast mode = mode_of(d, c);
	const struct gw_party *p = mode == GW_BROADCAST_POLL ? gw_poll_now(d, c, k->poll, NULL) : k->source;
	return is_of_one(mode) && is_shown(p) ? p : NULL;
}

bool gw_control_program(const gw_domain *d, const struct gw_conference *c, const struct gw_party *without, struct gw_view_info *ret)
{
	const struct gw_view *v = c->views->pdata[0];
	const struct gw_party *p = source_of(d, c);
	bool voice = mode_of(d, c) == GW_BROADCAST_VOICE;
	if (p == NULL && !voice) {
		return false;
	}
	*ret = (struct gw_view_info){ .id = v->id, .layout = "1", .banner = v->banner, .alarm = v->alarm, .crawl = v->crawl, .titles = v->titles,
				      .clock = v->clock, .n = 1 };
	if (voice) {
		ret->cell[0].mode = GW_CELL_VOICE;
	} else if (p != without) {
		ret->cell[0] = (struct gw_cell_info){ .mode = GW_CELL_FIXED, .party = p->id };
	}
	return true;
}

/* Whom the broadcast site looks at: the main site, else the chair; itself it sees only when there is nobody else to see. */
static const char *counterpart(const struct gw_conference *c, const struct gw_party *source)
{
	const struct gw_party *chair = NULL, *main_site = c->control.main_site;
	for (unsigned n = 0; n < c->parties->len; n++) {
		const struct gw_party *p = c->parties->pdata[n];
		chair = p->role == GW_PARTY_CHAIR && is_shown(p) ? p : chair;
	}
	const struct gw_party *p = main_site != source && is_shown(main_site) ? main_site : chair;
	return p != NULL && p != source ? p->id : "program";
}

const char *gw_control_sees(const gw_domain *d, const struct gw_party *p)
{
	const struct gw_conference *c = p->conference;
	if (p->control.waiting) {
		return "lobby";
	}
	if (p->control.loop_video) {
		return p->id;
	}
	const struct gw_party *source = source_of(d, c);
	if (source == p && p->role != GW_PARTY_CHAIR) {
		return c->control.mode == GW_BROADCAST_LECTURE ? "audience" : counterpart(c, p);
	}
	bool elsewhere = p->role == GW_PARTY_CHAIR || mode_of(d, c) == GW_BROADCAST_NONE;
	if (!elsewhere) {
		return "program";
	}
	const struct gw_party *polled = gw_poll_now(d, c, p->control.poll, p);
	if (polled != NULL) {
		return polled->id;
	}
	if (source == p && strcmp(p->view, "program") == 0) {
		return c->control.mode == GW_BROADCAST_LECTURE ? "audience" : counterpart(c, p);
	}
	return p->view;
}

/* ---- the lecturer's picture ---- */
static void fill(struct gw_control *k, struct gw_view_info *ret, const GPtrArray *all, unsigned n)
{
	unsigned per = (all->len - n + (unsigned)ret->n - 1) / (unsigned)ret->n;
	const char **list = g_new0(const char *, per + 1);
	for (unsigned m = 0; m < per; m++) {
		list[m] = ((const struct gw_party *)all->pdata[n + m * (unsigned)ret->n])->id;
	}
	g_ptr_array_add(k->audience, list);
	ret->cell[n] = per > 1 ? (struct gw_cell_info){ .mode = GW_CELL_POLL, .parties = list, .interval_ms = AUDIENCE_MS }
			       : (struct gw_cell_info){ .mode = GW_CELL_FIXED, .party = list[0] };
}

bool gw_conference_audience(const gw_domain *d, const char *conference, struct gw_view_info *ret)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, NULL);
	if (c == NULL || c->control.mode != GW_BROADCAST_LECTURE || !is_shown(c->control.source)) {
		return false;
	}
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	for (unsigned n = 0; n < c->parties->len; n++) {
		struct gw_party *p = c->parties->pdata[n];
		if (p != c->control.source && is_shown(p) && p->role != GW_PARTY_OBSERVER) {
			g_ptr_array_add(all, p);
		}
	}
	g_ptr_array_set_size(c->control.audience, 0);
	*ret = (struct gw_view_info){ .id = "audience", .titles = true };
	for (size_t n = 0; n < gw_n_layout_rows && ret->layout == NULL; n++) {
		const struct gw_layout_row *row = &gw_layout_rows[n];
		if (row->voiced == 0 && row->most >= (int)MIN(all->len, AUDIENCE_CELLS)) {
			ret->layout = row->name;
			ret->n = row->cells;
		}
	}
	for (unsigned n = 0; n < all->len && n < (unsigned)ret->n; n++) {
		fill(&c->control, ret, all, n);
	}
	return true;
}
