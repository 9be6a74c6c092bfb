/* One canvas of a view: which picture stands in which cell, and painting of what changed. */
#include <string.h>
#include <time.h>

#include "mcu/mix/home_priv.h"

static const struct mix_colour empty_cell = { 40, 132, 124 }, alarm_red = { 81, 90, 240 };
enum { PASSIVE_US = 200000 };

struct mix_wall *mix_wall_get(struct mix_home *h, struct mix_view *v, int width, int height, const char *member)
{
	for (guint i = 0; i < h->walls->len; i++) {
		struct mix_wall *w = h->walls->pdata[i];
		if (w->view == v && w->w == width && w->h == height && !g_strcmp0(w->member, member)) {
			return w;
		}
	}
	struct mix_wall *w = g_new0(struct mix_wall, 1);
	w->view = v;
	w->w = width;
	w->h = height;
	w->member = g_strdup(member);
	w->captions = mix_caption_cache_new();
	mix_canvas_init(&w->canvas, width, height);
	g_ptr_array_add(h->walls, w);
	return w;
}

static void spot_clear(struct mix_spot *s)
{
	memset(s, 0, sizeof(*s));
}

void mix_wall_free(gpointer wall)
{
	struct mix_wall *w = wall;

	mix_caption_cache_free(w->captions);
	mix_canvas_finish(&w->canvas);
	g_free(w->member);
	g_free(w);
}

void mix_wall_forget(struct mix_wall *w, const struct mix_in *in)
{
	for (unsigned i = 0; i < MIX_MAX_CELLS; i++) {
		if (w->spot[i].in == in) {
			spot_clear(&w->spot[i]);
			w->spot[i].dirty = true;
		}
		if (w->spot[i].wish == in) {
			w->spot[i].wish = NULL;
		}
	}
}

static bool has_fresh(const struct mix_in *in, int64_t now_us)
{
	return in->last && now_us - in->last_us < MIX_LATE_US;
}

/* A source that has no picture yet does not push out the one that stands there, for half a second. */
static void choose(struct mix_home *h, struct mix_wall *w, unsigned cell, int64_t now_us)
{
	struct mix_spot *s = &w->spot[cell];
	struct mix_in *wish = mix_view_resolve(h, &w->view->now, cell, w->member, now_us);

	if (wish == s->in) {
		s->wish = NULL;
		return;
	}
	if (wish != s->wish || !s->wish_us) {
		s->wish = wish;
		s->wish_us = now_us;
	}
	if (!wish || !s->in || has_fresh(wish, now_us) || now_us - s->wish_us >= MIX_COMMIT_US) {
		spot_clear(s);
		s->in = wish;
		s->dirty = true;
	}
}

/* ---- sizes that are needed ---- */
static void want(struct mix_in *in, struct mix_rect cell)
{
	in->want_w = MAX(in->want_w, cell.w);
	in->want_h = MAX(in->want_h, cell.h);
}

void mix_wall_gather_wants(struct mix_home *h, struct mix_wall *w, int64_t now_us)
{
	const struct mix_view_conf *now = &w->view->now, *next = &w->view->next;

	for (unsigned i = 0; now->layout && i < now->layout->n_cells; i++) {
		struct mix_rect r = mix_layout_cell(now->layout, i, w->w, w->h);
		struct mix_in *wish = mix_view_resolve(h, now, i, w->member, now_us);
		if (w->spot[i].in) {
			want(w->spot[i].in, r);
		}
		if (wish) {
			want(wish, r);
		}
	}
	for (unsigned i = 0; next->layout && i < next->layout->n_cells; i++) {
		struct mix_in *wish = mix_view_resolve(h, next, i, w->member, now_us);
		if (wish) {
			want(wish, mix_layout_cell(next->layout, i, w->w, w->h));
		}
	}
}

/* ---- painting ---- */
static int text_size(const struct mix_wall *w)
{
	return MAX(w->h / 40, 10);
}

static void paint_title(struct mix_wall *w, struct mix_rect r, const char *name)
{
	int size = MIN(text_size(w), MAX(r.h / 12, 8));
	const struct mix_label *l = mix_caption(w->captions, MIX_TITLE, name, size, r.w - 8);

	if (l) {
		mix_paint_label(&w->canvas, (r.x + 4) & ~1, (r.y + r.h - l->h - 4) & ~1, l);
	}
}

static void paint_age(struct mix_wall *w, struct mix_rect r, int64_t age_s)
{
	g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT " s", age_s);
	const struct mix_label *l = mix_caption(w->captions, MIX_AGE, text, text_size(w), r.w - 8);

	if (l) {
		mix_paint_label(&w->canvas, (r.x + r.w - l->w - 4) & ~1, (r.y + 4) & ~1, l);
	}
}

static void paint_cell(struct mix_wall *w, unsigned cell, int64_t now_us)
{
	const struct mix_view_conf *conf = &w->view->now;
	struct mix_rect r = mix_layout_cell(conf->layout, cell, w->w, w->h);
	struct mix_spot *s = &w->spot[cell];

	if (s->in && s->in->last) {
		mix_paint_picture(&w->canvas, r, s->in->last);
		s->picture_us = s->in->last_us;
	} else {
		mix_paint_fill(&w->canvas, r, empty_cell);
	}
	if (s->in && conf->titles) {
		paint_title(w, r, s->in->name);
	}
	if (s->age_s) {
		paint_age(w, r, s->age_s);
	}
	s->painted_us = now_us;
	s->dirty = false;
	w->painted = true;
}

/* Whole seconds that the picture is late, 0 = in time */
static int64_t age_of(const struct mix_spot *s, int64_t now_us)
{
	int64_t age = s->in && s->in->last ? now_us - s->in->last_us : 0;

	return age > MIX_LATE_US ? age / 1000000 : 0;
}

static bool is_due(const struct mix_home *h, struct mix_wall *w, unsigned cell, int64_t now_us)
{
	struct mix_spot *s = &w->spot[cell];
	int64_t age_s = age_of(s, now_us);

	if (age_s != s->age_s) {
		s->age_s = age_s;
		s->dirty = true;
	}
	if (s->dirty) {
		return true;
	}
	if (!s->in || !s->in->last || s->in->last_us == s->picture_us) {
		return false;
	}
	bool passive = h->load.level >= MIX_LOAD_PASSIVE && g_strcmp0(s->in->member, mix_home_speaking(h)) != 0;
	return !passive || now_us - s->painted_us >= PASSIVE_US;
}

/* Runs from right to left and comes again when it has gone: its place is a matter of the clock alone. */
static void paint_crawl(struct mix_home *h, struct mix_wall *w, int64_t now_us)
{
	enum { WIDEST = 8192, SECONDS = 10 /* across the canvas */ };
	const struct mix_view_conf *conf = &w->view->now;
	const struct mix_label *l = mix_caption(w->captions, MIX_BANNER, conf->crawl, text_size(w) * 5 / 4, WIDEST);

	if (!l) {
		return;
	}
	int y = (w->h - l->h - l->h / 2) & ~1;
	int64_t way = (now_us + h->wall_offset_us) / 1000 * w->w / (SECONDS * 1000) % (w->w + l->w);
	int x = (int)(w->w - way) & ~1;
	mix_paint_fill(&w->canvas, (struct mix_rect){ 0, y, w->w, l->h }, (struct mix_colour){ 30, 128, 128 });
	mix_paint_part(&w->canvas, MAX(x, 0), y, l, MAX(-x, 0));
	w->painted = true;
}

/* Texts over the whole canvas are opaque: drawing them again changes nothing. */
static void paint_over(struct mix_home *h, struct mix_wall *w, int64_t now_us)
{
	const struct mix_view_conf *conf = &w->view->now;
	int size = text_size(w), edge = MAX(w->h / 120, 4) & ~1, y = edge;

	if (conf->alarm && *conf->alarm) {
		const struct mix_label *l = mix_caption(w->captions, MIX_ALARM, conf->alarm, size * 3 / 2, w->w - 4 * edge);
		mix_paint_frame(&w->canvas, (struct mix_rect){ 0, 0, w->w, w->h }, edge, alarm_red);
		if (l) {
			mix_paint_label(&w->canvas, ((w->w - l->w) / 2) & ~1, y, l);
			y += l->h;
		}
	}
	if (conf->banner && *conf->banner) {
		const struct mix_label *l = mix_caption(w->captions, MIX_BANNER, conf->banner, size * 5 / 4, w->w - 4 * edge);
		if (l) {
			mix_paint_label(&w->canvas, ((w->w - l->w) / 2) & ~1, y, l);
		}
	}
	if (conf->crawl && *conf->crawl) {
		paint_crawl(h, w, now_us);
	}
	if (conf->clock) {
		time_t wall = (time_t)((now_us + h->wall_offset_us) / 1000000);
		struct tm tm;
		char text[32];
		(void)localtime_r(&wall, &tm);
		(void)strftime(text, sizeof(text), "%H:%M:%S", &tm);
		const struct mix_label *l = mix_caption(w->captions, MIX_CLOCK, text, size, w->w);
		if (l) {
			mix_paint_label(&w->canvas, (w->w - l->w - edge) & ~1, (w->h - l->h - edge) & ~1, l);
		}
	}
}

static void start_over(struct mix_wall *w)
{
	w->serial = w->view->serial;
	mix_paint_fill(&w->canvas, (struct mix_rect){ 0, 0, w->w, w->h }, (struct mix_colour){ 16, 128, 128 });
	for (unsigned i = 0; i < MIX_MAX_CELLS; i++) {
		spot_clear(&w->spot[i]);
		w->spot[i].dirty = true;
	}
	w->painted = true;
}

void mix_wall_paint(struct mix_home *h, struct mix_wall *w, int64_t now_us)
{
	const struct mix_layout *layout = w->view->now.layout;
	bool over = false;

	w->painted = false;
	if (!layout) {
		return;
	}
	if (w->serial != w->view->serial) {
		start_over(w);
	}
	for (unsigned i = 0; i < layout->n_cells; i++) {
		choose(h, w, i, now_us);
		if (over || is_due(h, w, i, now_us)) {
			paint_cell(w, i, now_us);
			over |= layout->over;	/* what lies on it must come again */
		}
	}
	if (w->painted || w->view->now.clock || w->view->now.crawl) {
		paint_over(h, w, now_us);
	}
}
