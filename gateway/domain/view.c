/* Views (多画面) of a conference as data: layout, and what each cell (子画面) shows. A cell that nobody assigned fills itself: the
 * first ones of big layouts with the speaker, the rest with parties in the order of their seats. A seat is kept over a loss
 * (J14), so that a party comes back where it was. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

void gw_view_free(gpointer p)
{
	struct gw_view *v = p;
	for (int n = 0; n < GW_CELLS; n++) {
		g_free(v->cell[n].party);
		g_strfreev(v->cell[n].parties);
	}
	g_free(v->id);
	g_free(v->banner);
	g_free(v->alarm);
	g_free(v->crawl);
	g_free(v);
}

struct gw_view *gw_view_find(const struct gw_conference *c, const char *id)
{
	for (unsigned n = 0; n < c->views->len; n++) {
		struct gw_view *v = c->views->pdata[n];
		if (g_strcmp0(v->id, id) == 0) {
			return v;
		}
	}
	return NULL;
}

struct gw_view *gw_view_obtain(struct gw_conference *c, const char *id)
{
	struct gw_view *v = gw_view_find(c, id);
	if (v == NULL) {
		v = g_new0(struct gw_view, 1);
		v->id = g_strdup(id);
		v->by_itself = v->titles = true;
		g_ptr_array_add(c->views, v);
	}
	return v;
}

void gw_view_seat(struct gw_conference *c, struct gw_party *p, bool on)
{
	guint at;
	if (p->seated == on) {
		return;
	}
	p->seated = on;
	if (!on) {
		if (g_ptr_array_find(c->seats, p, &at)) {
			c->seats->pdata[at] = NULL;
		}
		while (c->seats->len > 0 && c->seats->pdata[c->seats->len - 1] == NULL) {
			g_ptr_array_set_size(c->seats, (int)c->seats->len - 1);
		}
	} else if (g_ptr_array_find(c->seats, NULL, &at)) {
		c->seats->pdata[at] = p;
	} else {
		g_ptr_array_add(c->seats, p);
	}
}

static int layout_by_name(const char *name)
{
	for (size_t n = 0; name != NULL && n < gw_n_layout_rows; n++) {
		if (strcmp(gw_layout_rows[n].name, name) == 0) {
			return (int)n;
		}
	}
	return -1;
}

static int layout_for(unsigned seats)
{
	int best = 0;
	for (size_t n = 0; n < gw_n_layout_rows; n++) {
		if (gw_layout_rows[n].most > 0) {
			best = (int)n;
			if (seats <= (unsigned)gw_layout_rows[n].most) {
				break;
			}
		}
	}
	return best;
}

/* ---- what a view shows now ---- */
static bool fixed_elsewhere(const struct gw_view *v, int cells, const char *party)
{
	for (int n = 0; n < cells; n++) {
		if (v->cell[n].by_hand && v->cell[n].mode == GW_CELL_FIXED && g_strcmp0(v->cell[n].party, party) == 0) {
			return true;
		}
	}
	return false;
}

/* Seats without a party keep their cell empty while somebody sits behind them, so that nobody jumps about. */
static const struct gw_party *take_seat(const struct gw_conference *c, const struct gw_view *v, const struct gw_party *without,
					int cells, unsigned *seat)
{
	while (*seat < c->seats->len) {
		const struct gw_party *p = c->seats->pdata[(*seat)++];
		if (p == NULL || (p != without && !fixed_elsewhere(v, cells, p->id))) {
			return p;
		}
	}
	return NULL;
}

/* without: as it looks to this party, which does not see itself; NULL = to all. */
static void resolve(const gw_domain *d, const struct gw_conference *c, const struct gw_view *v, const struct gw_party *without, struct gw_view_info *ret)
{
	if (v == c->views->pdata[0] && gw_control_program(d, c, without, ret)) {
		return;
	}
	unsigned seats = c->seats->len - (without != NULL && without->seated), seat = 0;
	const struct gw_layout_row *row = &gw_layout_rows[v->by_itself ? layout_for(seats) : v->layout];
	*ret = (struct gw_view_info){ .id = v->id, .layout = row->name, .banner = v->banner, .alarm = v->alarm, .crawl = v->crawl,
				      .titles = v->titles, .clock = v->clock, .n = row->cells };
	for (int n = 0; n < row->cells; n++) {
		const struct gw_cell *cell = &v->cell[n];
		if (cell->by_hand && without != NULL && g_strcmp0(cell->party, without->id) == 0) {
			ret->cell[n].mode = GW_CELL_EMPTY;
		} else if (cell->by_hand) {
			ret->cell[n] = (struct gw_cell_info){ cell->mode, cell->party, (const char *const *)cell->parties,
							      cell->interval_ms };
		} else if (n < row->voiced) {
			ret->cell[n].mode = GW_CELL_VOICE;
		} else {
			const struct gw_party *p = take_seat(c, v, without, row->cells, &seat);
			ret->cell[n].mode = p != NULL ? GW_CELL_FIXED : GW_CELL_EMPTY;
			ret->cell[n].party = p != NULL ? p->id : NULL;
		}
	}
}

/* A trunk's own view is without the trunk: its picture is a whole conference, which must not come back to it. */
void gw_view_resolve(const gw_domain *d, const struct gw_conference *c, const struct gw_view *v, struct gw_view_info *ret)
{
	const struct gw_party *own = gw_party_get(d, v->id);
	resolve(d, c, v, own != NULL && own->kind == GW_PARTY_TRUNK ? own : NULL, ret);
}

bool gw_conference_view_for(const gw_domain *d, const char *id, const char *party, struct gw_view_info *ret)
{
	struct gw_conference *c = gw_conference_find(d, id, NULL);
	struct gw_party *p = c != NULL ? gw_party_get(d, party) : NULL;
	if (p != NULL && p->conference == c) {
		resolve(d, c, c->views->pdata[0], p, ret);
	}
	return p != NULL && p->conference == c;
}

void gw_conference_views(const gw_domain *d, const char *id, void (*fn)(const struct gw_view_info *v, void *ud), void *ud)
{
	struct gw_conference *c = gw_conference_find(d, id, NULL);
	for (unsigned n = 0; c != NULL && n < c->views->len; n++) {
		struct gw_view_info info;
		gw_view_resolve(d, c, c->views->pdata[n], &info);
		fn(&info, ud);
	}
}

void gw_conference_parties(const gw_domain *d, const char *id, void (*fn)(const struct gw_party_info *p, void *ud), void *ud)
{
	struct gw_conference *c = gw_conference_find(d, id, NULL);
	for (unsigned n = 0; c != NULL && n < c->parties->len; n++) {
		const struct gw_party *p = c->parties->pdata[n];
		struct gw_party_info info = { p->id, p->name, gw_control_sees(d, p), gw_party_prefix(p), p->kind, p->role, p->state, p->mic_muted, p->speaker_muted,
					      { p->stream[0], p->stream[1], p->stream[2] }, p->in_db, p->out_db,
					      p->control.waiting, p->control.loop_audio, p->bridge || p->kind == GW_PARTY_TRUNK };
		if (!p->removed) {
			fn(&info, ud);
		}
	}
}

/* ---- verbs ---- */
/* "program", or the own view of a party of this conference, which is made by being used. */
static struct gw_conference *view_ok(const gw_domain *d, const char *conference, const char *view, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	struct gw_party *p = c != NULL ? gw_party_get(d, view) : NULL;
	if (c != NULL && gw_view_find(c, view) == NULL && (p == NULL || p->conference != c)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such view");
		return NULL;
	}
	return c;
}

/* A view that is not there yet looks as gw_view_obtain() makes it. */
static struct gw_rec_view_layout layout_body(const struct gw_conference *c, const char *view, const struct gw_view_look *look)
{
	static const struct gw_view fresh = { .by_itself = true, .titles = true };
	const struct gw_view *found = gw_view_find(c, view), *v = found != NULL ? found : &fresh;
	const char *layout = look->layout != NULL ? look->layout : gw_layout_rows[v->layout].name;
	const char *banner = look->keep & GW_LOOK_BANNER ? v->banner : look->banner;
	const char *alarm = look->keep & GW_LOOK_ALARM ? v->alarm : look->alarm;
	const char *crawl = look->crawl == NULL ? v->crawl : look->crawl[0] != '\0' ? look->crawl : NULL;
	return (struct gw_rec_view_layout){
		c->id, (char *)(uintptr_t)view, (char *)(uintptr_t)layout, (char *)(uintptr_t)banner, (char *)(uintptr_t)alarm,
		look->keep & GW_LOOK_AUTO ? v->by_itself : look->by_itself, look->keep & GW_LOOK_TITLES ? v->titles : look->titles,
		look->keep & GW_LOOK_CLOCK ? v->clock : look->clock, (char *)(uintptr_t)crawl,
	};
}

bool gw_view_layout(gw_domain *d, const char *actor, const char *conference, const char *view, const struct gw_view_look *look,
		    bool test, struct gw_now now, GError **err)
{
	struct gw_conference *c = view_ok(d, conference, view, err);
	if (c == NULL || !gw_text_ok(look->banner, 400, false, "banner", err) || !gw_text_ok(look->alarm, 400, false, "alarm", err) ||
	    !gw_text_ok(look->crawl, 400, false, "crawl", err)) {
		return false;
	}
	if (look->layout != NULL && layout_by_name(look->layout) < 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "layout: %s is none", look->layout);
		return false;
	}
	if (test) {
		return true;
	}
	struct gw_rec_view_layout body = layout_body(c, view, look);
	gw_emit_conference(d, GW_REC_VIEW_LAYOUT, actor, c, &body, now);
	gw_conference_changed(d, c, true);
	return true;
}

static void replace(char **where, const char *with)
{
	char *copy = g_strdup(with);	/* of itself perhaps */
	g_free(*where);
	*where = copy;
}

void gw_apply_VIEW_LAYOUT(const struct gw_fact *f)
{
	const struct gw_rec_view_layout *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c == NULL) {
		return;
	}
	struct gw_view *v = gw_view_obtain(c, b->view);
	v->layout = MAX(layout_by_name(b->layout), 0);
	v->by_itself = b->by_itself;
	v->titles = b->titles;
	v->clock = b->clock;
	replace(&v->banner, b->banner);
	replace(&v->alarm, b->alarm);
	replace(&v->crawl, b->crawl);
}

static bool cell_ok(const gw_domain *d, const struct gw_conference *c, const struct gw_view_cell *cell, GError **err)
{
	struct gw_party *p = gw_party_get(d, cell->party);
	bool fixed = cell->mode == GW_CELL_FIXED, poll = cell->mode == GW_CELL_POLL;
	const char *why = cell->cell < 0 || cell->cell >= GW_CELLS ? "cell: 0 to 24"
			  : fixed && (p == NULL || p->conference != c) ? "party: none of this conference"
			  : poll && (cell->interval_ms < 1000 || cell->interval_ms > 600000) ? "interval_ms: 1,000 to 600,000"
			  : NULL;
	for (unsigned n = 0; poll && why == NULL && cell->parties != NULL && cell->parties[n] != NULL; n++) {
		p = gw_party_get(d, cell->parties[n]);
		why = p == NULL || p->conference != c ? "parties: not all are of this conference" : NULL;
	}
	if (why != NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "%s", why);
	}
	return why == NULL;
}

bool gw_view_cell(gw_domain *d, const char *actor, const char *conference, const char *view, const struct gw_view_cell *cell,
		  struct gw_now now, GError **err)
{
	struct gw_conference *c = view_ok(d, conference, view, err);
	if (c == NULL || !cell_ok(d, c, cell, err)) {
		return false;
	}
	struct gw_rec_view_cell body = { c->id, (char *)(uintptr_t)view, (char *)(uintptr_t)cell->party,
					 (char **)(uintptr_t)cell->parties, cell->cell, cell->interval_ms, (int)cell->mode };
	gw_emit_conference(d, GW_REC_VIEW_CELL, actor, c, &body, now);
	gw_conference_changed(d, c, true);
	return true;
}

/* A party that is fixed by hand leaves the other cell where it was fixed: nobody is shown twice by mistake. */
void gw_apply_VIEW_CELL(const struct gw_fact *f)
{
	const struct gw_rec_view_cell *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c == NULL || b->cell < 0 || b->cell >= GW_CELLS) {
		return;
	}
	struct gw_view *v = gw_view_obtain(c, b->view);
	for (int n = 0; b->mode == GW_CELL_FIXED && n < GW_CELLS; n++) {
		if (v->cell[n].by_hand && v->cell[n].mode == GW_CELL_FIXED && g_strcmp0(v->cell[n].party, b->party) == 0) {
			v->cell[n].by_hand = false;
		}
	}
	struct gw_cell *cell = &v->cell[b->cell];
	g_free(cell->party);
	g_strfreev(cell->parties);
	*cell = (struct gw_cell){ true, (enum gw_cell_mode)b->mode, g_strdup(b->party), g_strdupv(b->parties), b->interval_ms };
}

void gw_view_shown(gw_domain *d, const char *id, const char *view, int64_t at_ms)
{
	struct gw_conference *c = gw_conference_find_open(d, id, NULL);
	struct gw_view *v = c != NULL ? gw_view_find(c, view) : NULL;
	if (v != NULL && v->shown_ms != at_ms) {
		v->shown_ms = at_ms;
		gw_conference_changed(d, c, false);
	}
}
