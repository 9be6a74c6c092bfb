/* A wall (大屏): windows by command (开窗, 上墙), and what each window really shows by the wall's own word. */
#include "gateway/domain/domain_priv.h"

void gw_wall_free(gpointer p)
{
	struct gw_wall *w = p;
	g_free(w->id);
	g_free(w->name);
	g_free(w);
}

/* Windows of a wall whose device record is not read yet (replay) are kept: it is named later. */
static struct gw_wall *obtain(gw_domain *d, const char *id)
{
	struct gw_wall *w = g_hash_table_lookup(d->walls, id);
	if (w == NULL) {
		w = g_new0(struct gw_wall, 1);
		w->id = g_strdup(id);
		w->windows = 1;
		g_hash_table_insert(d->walls, w->id, w);
	}
	return w;
}

static struct gw_wall *find(const gw_domain *d, const char *id, GError **err)
{
	struct gw_wall *w = id != NULL ? g_hash_table_lookup(d->walls, id) : NULL;
	if (w == NULL || w->name == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such wall");
		return NULL;
	}
	return w;
}

static void changed(gw_domain *d, const struct gw_wall *w)
{
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_CHANGED_WALL, .id = w->id });
}

void gw_wall_add(gw_domain *d, const char *wall, const char *name)
{
	struct gw_wall *w = obtain(d, wall);
	g_free(w->name);
	w->name = g_strdup(name);
	changed(d, w);
}

void gw_wall_online(gw_domain *d, const char *wall, bool online)
{
	struct gw_wall *w = g_hash_table_lookup(d->walls, wall);
	if (w != NULL && w->online != online) {
		w->online = online;
		for (int n = 0; !online && n < GW_WALL_WINDOWS; n++) {
			if (w->window[n].scene != NULL) {
				w->window[n].state = GW_WINDOW_LOST;
			}
		}
		changed(d, w);
	}
}

bool gw_wall_layout(gw_domain *d, const char *actor, const char *wall, int windows, struct gw_now now, GError **err)
{
	static const int layouts[] = { 1, 2, 4, 6, 9 };
	struct gw_wall *w = find(d, wall, err);
	bool known = false;
	for (unsigned n = 0; n < G_N_ELEMENTS(layouts); n++) {
		known |= layouts[n] == windows;
	}
	if (w != NULL && !known) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "layout: 1, 2, 4, 6 or 9");
	}
	if (w == NULL || !known) {
		return false;
	}
	struct gw_rec_wall_layout body = { w->id, windows };
	gw_emit(d, GW_REC_WALL_LAYOUT, actor, NULL, &body, now);
	changed(d, w);
	return true;
}

void gw_apply_WALL_LAYOUT(const struct gw_fact *f)
{
	const struct gw_rec_wall_layout *b = f->body;
	struct gw_wall *w = obtain(f->d, b->wall);
	w->windows = (int)b->windows;
	for (int n = w->windows; n < GW_WALL_WINDOWS; n++) {
		w->window[n] = (struct gw_window){ 0 };
	}
}

static int choose(const struct gw_wall *w, const struct gw_scene *s)
{
	int empty = -1, oldest = 0;
	for (int n = 0; n < w->windows; n++) {
		if (w->window[n].scene == s) {
			return n;
		}
		if (w->window[n].scene == NULL && empty < 0) {
			empty = n;
		}
		if (w->window[n].since_ms < w->window[oldest].since_ms) {
			oldest = n;
		}
	}
	return empty >= 0 ? empty : oldest;
}

static void put(gw_domain *d, const char *actor, struct gw_wall *w, int n, const struct gw_scene *s, struct gw_now now)
{
	const struct gw_scene *seen = s != NULL ? s : w->window[n].scene;
	struct gw_rec_wall_window body = { w->id, n + 1, s != NULL ? s->id : NULL };
	gw_emit(d, GW_REC_WALL_WINDOW, actor, seen != NULL ? seen->incident : NULL, &body, now);
	changed(d, w);
	if (seen != NULL) {
		gw_changed(d, seen->incident);
	}
}

bool gw_wall_push(gw_domain *d, const char *actor, const char *wall, const char *scene, int window, struct gw_now now,
		  int *ret_window, GError **err)
{
	struct gw_wall *w = find(d, wall, err);
	struct gw_scene *s = w != NULL ? gw_scene_find(d, scene, err) : NULL;
	if (s == NULL) {
		return false;
	}
	if (window < 0 || window > w->windows) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "window: 1 to %d on this wall", w->windows);
		return false;
	}
	int n = window > 0 ? window - 1 : choose(w, s);
	if (w->window[n].scene != s) {
		put(d, actor, w, n, s, now);
	}
	*ret_window = n + 1;
	return true;
}

bool gw_wall_clear(gw_domain *d, const char *actor, const char *wall, int window, struct gw_now now, GError **err)
{
	struct gw_wall *w = find(d, wall, err);
	if (w == NULL) {
		return false;
	}
	if (window < 0 || window > w->windows) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "window: 1 to %d on this wall", w->windows);
		return false;
	}
	for (int n = 0; n < w->windows; n++) {
		if ((window == 0 || window == n + 1) && w->window[n].scene != NULL) {
			put(d, actor, w, n, NULL, now);
		}
	}
	return true;
}

void gw_apply_WALL_WINDOW(const struct gw_fact *f)
{
	const struct gw_rec_wall_window *b = f->body;
	struct gw_window *win = &obtain(f->d, b->wall)->window[b->window - 1];
	*win = (struct gw_window){ 0 };
	if (b->scene != NULL) {
		win->scene = g_hash_table_lookup(f->d->scenes, b->scene);
		win->state = win->scene != NULL ? GW_WINDOW_WAITING : GW_WINDOW_EMPTY;
		win->since_ms = f->at_ms;
	}
}

void gw_walls_drop_scene(gw_domain *d, const char *actor, const struct gw_scene *s, struct gw_now now)
{
	GHashTableIter it;
	struct gw_wall *w;
	g_hash_table_iter_init(&it, d->walls);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&w)) {
		for (int n = 0; n < w->windows; n++) {
			if (w->window[n].scene == s) {
				put(d, actor, w, n, NULL, now);
			}
		}
	}
}

bool gw_wall_report(gw_domain *d, const char *wall, int window, const char *stream, enum gw_window_state state, int64_t at_ms,
		    struct gw_now now, GError **err)
{
	struct gw_wall *w = find(d, wall, err);
	if (w == NULL) {
		return false;
	}
	if (window < 1 || window > GW_WALL_WINDOWS || state <= GW_WINDOW_WAITING || state >= GW_WINDOW_N) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "window 1 to %d; state drawn, frozen or lost", GW_WALL_WINDOWS);
		return false;
	}
	struct gw_window *win = &w->window[window - 1];
	g_autofree char *holds = win->scene != NULL ? gw_stream_of(win->scene, "video") : NULL;
	if (holds == NULL || g_strcmp0(holds, stream) != 0 || win->state == state) {
		return true;
	}
	g_autofree char *actor = g_strconcat("wall:", w->id, NULL);
	struct gw_scene *s = win->scene;
	struct gw_rec_wall_state body = { w->id, window, holds, (int)state, at_ms };
	gw_emit(d, GW_REC_WALL_STATE, actor, s->incident, &body, now);
	if (state == GW_WINDOW_DRAWN) {
		(void)gw_scene_stamp(d, actor, s->id, GW_STEP_FIRST_DRAWN, at_ms, now, NULL);
	}
	changed(d, w);
	gw_changed(d, s->incident);
	return true;
}

void gw_apply_WALL_STATE(const struct gw_fact *f)
{
	const struct gw_rec_wall_state *b = f->body;
	struct gw_window *win = &obtain(f->d, b->wall)->window[b->window - 1];
	if (win->scene == NULL) {
		return;
	}
	/* After a restart of ours the wall says anew what it shows. */
	win->state = f->d->replaying ? GW_WINDOW_WAITING : (enum gw_window_state)b->state;
	if (b->state == GW_WINDOW_DRAWN && win->drawn_ms == 0) {
		win->drawn_ms = b->at_ms;
	}
}

/* ---- as a part of the domain ---- */
static void init(gw_domain *d)
{
	d->walls = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, gw_wall_free);
}

static void finish(gw_domain *d)
{
	g_hash_table_unref(d->walls);
}

const struct gw_part gw_part_wall = { .init = init, .finish = finish };
