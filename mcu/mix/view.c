/* Views: what each cell shows, and the change of it: pending, tested, committed at one frame. */
#include <string.h>

#include "mcu/mix/home_priv.h"

/* ---- configuration ---- */
static void conf_clear(struct mix_view_conf *c)
{
	for (unsigned i = 0; i < MIX_MAX_CELLS; i++) {
		g_free(c->cell[i].member);
		g_strfreev(c->cell[i].members);
	}
	g_free(c->banner);
	g_free(c->alarm);
	g_free(c->crawl);
	memset(c, 0, sizeof(*c));
}

static void conf_fill(struct mix_view_conf *c, const struct mcu_mix_view *req)
{
	const struct mcu_mix_cell *cells = req->cells.items;

	memset(c, 0, sizeof(*c));
	c->layout = mix_layout_by_name(req->layout);
	c->banner = g_strdup(req->banner);
	c->alarm = g_strdup(req->alarm);
	c->crawl = g_strdup(req->crawl);
	c->titles = req->titles;
	c->clock = req->clock;
	for (size_t i = 0; i < req->cells.n; i++) {
		if (cells[i].cell < 0 || cells[i].cell >= c->layout->n_cells) {
			continue;
		}
		struct mix_cell_conf *cell = &c->cell[cells[i].cell];
		const struct mcu_mix_member *m = cells[i].members.items;
		g_free(cell->member);
		g_strfreev(cell->members);
		cell->mode = cells[i].mode;
		cell->member = g_strdup(cells[i].member);
		cell->interval_us = (cells[i].interval_ms ? cells[i].interval_ms : 10000) * 1000;
		cell->members = g_new0(char *, cells[i].members.n + 1);
		for (size_t k = 0; k < cells[i].members.n; k++) {
			cell->members[k] = g_strdup(m[k].member);
		}
	}
}

void mix_view_free(gpointer view)
{
	struct mix_view *v = view;

	conf_clear(&v->now);
	conf_clear(&v->next);
	g_free(v->id);
	g_free(v);
}

struct mix_view *mix_view_find(const struct mix_home *h, const char *id)
{
	for (guint i = 0; id && i < h->views->len; i++) {
		struct mix_view *v = h->views->pdata[i];
		if (!strcmp(v->id, id)) {
			return v;
		}
	}
	return NULL;
}

void mix_home_view(struct mix_home *h, void *request)
{
	const struct mcu_mix_view *req = request;
	struct mix_view *v = mix_view_find(h, req->id);

	if (!v) {
		v = g_new0(struct mix_view, 1);
		v->id = g_strdup(req->id);
		g_ptr_array_add(h->views, v);
		h->regroup = true;
	}
	if (!v->next.layout) {
		v->next_us = h->tick_us;	/* a change of mind does not wait anew */
	}
	conf_clear(&v->next);
	conf_fill(&v->next, req);
}

void mix_home_view_remove(struct mix_home *h, void *id)
{
	struct mix_view *v = mix_view_find(h, id);

	if (v) {
		mix_out_drop_view(h, v);
		g_ptr_array_remove(h->views, v);
	}
}

/* ---- who is in a cell ---- */
static struct mix_in *find_in(const struct mix_home *h, const char *member, int content)
{
	for (guint i = 0; member && i < h->ins->len; i++) {
		struct mix_in *in = h->ins->pdata[i];
		if (in->content == content && !strcmp(in->member, member)) {
			return in;
		}
	}
	return NULL;
}

static struct mix_in *find_content(const struct mix_home *h)
{
	for (guint i = h->ins->len; i-- > 0;) {	/* the newest */
		struct mix_in *in = h->ins->pdata[i];
		if (in->content == MCU_CONTENT_SLIDES) {
			return in;
		}
	}
	return NULL;
}

static bool is_fixed(const struct mix_view_conf *conf, const char *member)
{
	for (unsigned i = 0; i < conf->layout->n_cells; i++) {
		if (conf->cell[i].mode == MCU_CELL_FIXED && !g_strcmp0(conf->cell[i].member, member)) {
			return true;
		}
	}
	return false;
}

/* The k-th of those who spoke last and have a picture, then those who never spoke, without `without`. Who has a fixed
 * cell does not take one of the further voice cells too. */
static struct mix_in *voice(const struct mix_home *h, const struct mix_view_conf *conf, unsigned k, const char *without)
{
	g_autoptr(GPtrArray) row = g_ptr_array_new();

	for (unsigned i = 0; i < MIX_HISTORY && h->history[i]; i++) {
		struct mix_in *in = find_in(h, h->history[i], MCU_CONTENT_MAIN);
		if (in) {
			g_ptr_array_add(row, in);
		}
	}
	for (guint i = 0; i < h->ins->len; i++) {
		struct mix_in *in = h->ins->pdata[i];
		if (in->content == MCU_CONTENT_MAIN && !g_ptr_array_find(row, in, NULL)) {
			g_ptr_array_add(row, in);
		}
	}
	for (guint i = 0, n = 0; i < row->len; i++) {
		struct mix_in *in = row->pdata[i];
		bool skip = (without && !strcmp(in->member, without)) || (n > 0 && is_fixed(conf, in->member));
		if (!skip && n++ == k) {
			return in;
		}
	}
	return NULL;
}

static struct mix_in *poll_turn(const struct mix_home *h, const struct mix_cell_conf *cell, int64_t now_us)
{
	unsigned n = g_strv_length(cell->members);

	for (unsigned i = 0; i < n; i++) {	/* who has no picture loses his turn to the next */
		unsigned turn = (unsigned)((now_us / cell->interval_us + i) % n);
		struct mix_in *in = find_in(h, cell->members[turn], MCU_CONTENT_MAIN);
		if (in) {
			return in;
		}
	}
	return NULL;
}

struct mix_in *mix_view_resolve(const struct mix_home *h, const struct mix_view_conf *conf, unsigned cell, const char *without,
				int64_t now_us)
{
	const struct mix_cell_conf *c = &conf->cell[cell];
	unsigned nth = 0;

	switch (c->mode) {
	case MCU_CELL_FIXED:
		return find_in(h, c->member, MCU_CONTENT_MAIN);
	case MCU_CELL_VOICE:
		for (unsigned i = 0; i < cell; i++) {
			nth += conf->cell[i].mode == MCU_CELL_VOICE;
		}
		return voice(h, conf, nth, without);
	case MCU_CELL_POLL:
		return poll_turn(h, c, now_us);
	case MCU_CELL_CONTENT:
		return find_content(h);
	default:
		return NULL;
	}
}

bool mix_view_has_voice(const struct mix_view *v)
{
	const struct mix_view_conf *c = v->next.layout ? &v->next : &v->now;

	for (unsigned i = 0; c->layout && i < c->layout->n_cells; i++) {
		if (c->cell[i].mode == MCU_CELL_VOICE) {
			return true;
		}
	}
	return false;
}

const char *mix_home_speaking(const struct mix_home *h)
{
	return h->history[0];
}

/* The chair's or the sound's word. NULL or "" = silence: the last speaker stays in the picture. */
void mix_home_speaker(struct mix_home *h, void *member)
{
	const char *who = member;
	unsigned at = 0;

	h->nobody = !who || !*who;
	if (h->nobody || !g_strcmp0(h->history[0], who)) {
		return;
	}
	while (at < MIX_HISTORY - 1 && h->history[at] && strcmp(h->history[at], who)) {
		at++;
	}
	g_free(h->history[at]);
	memmove(h->history + 1, h->history, at * sizeof(h->history[0]));
	h->history[0] = g_strdup(who);
	h->regroup = true;	/* he sees another than the others now */
}

/* ---- commit ---- */
static bool is_complete(const struct mix_home *h, const struct mix_view *v, int64_t now_us)
{
	for (unsigned i = 0; i < v->next.layout->n_cells; i++) {
		const struct mix_in *in = mix_view_resolve(h, &v->next, i, NULL, now_us);
		if (in && (!in->last || now_us - in->last_us > MIX_LATE_US)) {
			return false;
		}
	}
	return true;
}

/* A late source has a deadline, not a veto. */
void mix_view_commit_due(struct mix_home *h, int64_t now_us)
{
	for (guint i = 0; i < h->views->len; i++) {
		struct mix_view *v = h->views->pdata[i];
		if (!v->next.layout || (now_us - v->next_us < MIX_COMMIT_US && !is_complete(h, v, now_us))) {
			continue;
		}
		conf_clear(&v->now);
		v->now = v->next;
		memset(&v->next, 0, sizeof(v->next));
		v->serial++;
		h->regroup = true;
		mix_report_view(h, v, (now_us - v->next_us) / 1000);
	}
}
