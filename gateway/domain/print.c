/* The domain's objects as JSON: the same printer for the API, the log's readers and the tests. */
#include "gateway/domain/domain_priv.h"

static const char *const verdicts[GW_VERDICT_N] = { "running", "met", "missed", "closed_unmet" };
static const char *const link_states[GW_LINK_N] = { "issued", "opened", "expired", "revoked", "ended" };
static const char *const escalation_states[GW_ESC_N] = { "waiting", "fired", "acked", "cancelled" };

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *print_position(const struct gw_scene *s)
{
	if (!s->has_position) {
		return json_null();
	}
	const struct gw_position *p = &s->position;
	return json_pack("{s:f,s:f,s:f,s:I}", "lat", p->lat, "lon", p->lon, "accuracy_m", p->accuracy_m, "at_ms",
			 (json_int_t)p->at_ms);
}

static json_t *print_proofs(const struct gw_scene *s)
{
	json_t *o = json_object();
	for (int n = 0; n < GW_STEP_N; n++) {
		g_autofree char *key = g_strconcat(gw_step_names[n], "_ms", NULL);
		json_object_set_new(o, key, json_integer(s->proofs[n].at_ms));
	}
	return o;
}

static json_t *print_on_wall(const gw_domain *d, const struct gw_scene *s)
{
	json_t *list = json_array();
	GHashTableIter it;
	struct gw_wall *w;
	g_hash_table_iter_init(&it, d->walls);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&w)) {
		for (int n = 0; n < w->windows; n++) {
			if (w->window[n].scene == s) {
				json_array_append_new(list, json_pack("{s:s,s:i,s:s,s:I}", "wall", w->id, "window", n + 1, "state",
								      gw_window_state_names[w->window[n].state], "drawn_ms",
								      (json_int_t)w->window[n].drawn_ms));
			}
		}
	}
	return list;
}

json_t *gw_scene_json(const gw_domain *d, const struct gw_scene *s)
{
	g_autofree char *video = gw_stream_of(s, "video"), *audio = gw_stream_of(s, "audio");
	json_t *o = json_pack("{s:s,s:s,s:s,s:o,s:s,s:o,s:s,s:s,s:b,s:o,s:b}", "id", s->id, "incident", s->incident->id, "name",
			      s->name, "person", text_or_null(s->person), "state", gw_site_state_names[s->state], "why",
			      text_or_null(s->why), "video", video, "audio", audio, "muted", s->muted, "mic_muted_by",
			      text_or_null(s->muted_by), "talk", s->talker != NULL);
	json_object_set_new(o, "on_wall", print_on_wall(d, s));
	json_object_set_new(o, "position", print_position(s));
	json_object_set_new(o, "stamps", print_proofs(s));
	return o;
}

static json_t *print_scenes(const gw_domain *d, const struct gw_incident *i)
{
	json_t *list = json_array();
	for (unsigned n = 0; n < i->scenes->len; n++) {
		const struct gw_scene *s = i->scenes->pdata[n];
		if (!s->removed) {
			json_array_append_new(list, gw_scene_json(d, s));
		}
	}
	return list;
}

static json_t *print_links(const struct gw_incident *i)
{
	json_t *list = json_array();
	for (unsigned n = 0; n < i->links->len; n++) {
		const struct gw_link *l = i->links->pdata[n];
		json_array_append_new(list, json_pack("{s:s,s:s,s:o,s:s,s:I,s:I,s:I,s:s}", "id", l->id, "scene", l->scene->id,
						      "person", text_or_null(l->person), "name", l->name, "issued_ms",
						      (json_int_t)l->issued_ms, "opened_ms", (json_int_t)l->opened_ms,
						      "expires_ms", (json_int_t)l->expires_ms, "state", link_states[l->state]));
	}
	return list;
}

static json_t *print_notes(const struct gw_incident *i)
{
	json_t *list = json_array();
	for (unsigned n = i->notes->len > 50 ? i->notes->len - 50 : 0; n < i->notes->len; n++) {
		const struct gw_note *t = i->notes->pdata[n];
		json_array_append_new(list, json_pack("{s:I,s:s,s:o,s:s}", "at_ms", (json_int_t)t->at_ms, "actor", t->actor,
						      "scene", text_or_null(t->scene), "text", t->text));
	}
	return list;
}

static json_t *print_escalations(const gw_domain *d, const struct gw_incident *i)
{
	json_t *list = json_array();
	for (int n = 0; n < GW_ESCALATIONS; n++) {
		const struct gw_escalation *e = &i->escalations[n];
		const struct gw_escalation_row *row = &gw_escalation_rows[n];
		int64_t due = i->t0_ms + d->timer_ms[row->timer];
		json_array_append_new(list, json_pack("{s:i,s:I,s:s,s:s,s:s,s:I,s:I,s:I,s:o,s:s}", "step", row->step, "minutes",
						      (json_int_t)(d->timer_ms[row->timer] / 60000), "who", row->who, "text_en",
						      row->en, "text_zh", row->zh, "due_ms", (json_int_t)due, "fired_ms",
						      (json_int_t)e->fired_ms, "acked_ms", (json_int_t)e->acked_ms, "acked_by",
						      text_or_null(e->acked_by), "state", escalation_states[e->state]));
	}
	return list;
}

static int64_t first_wall_ms(const struct gw_incident *i)
{
	int64_t first = 0;
	for (unsigned n = 0; n < i->scenes->len; n++) {
		int64_t at = ((const struct gw_scene *)i->scenes->pdata[n])->proofs[GW_STEP_FIRST_DRAWN].at_ms;
		first = at != 0 && (first == 0 || at < first) ? at : first;
	}
	return first;
}

static json_t *print_short(const gw_domain *d, const struct gw_incident *i)
{
	json_t *o = json_pack("{s:s,s:I,s:s,s:I,s:s,s:s,s:b}", "id", i->id, "number", (json_int_t)i->number, "kind", i->kind, "level",
			      (json_int_t)i->level, "place", i->place, "text", i->text, "drill", i->drill);
	json_object_set_new(o, "lat", i->has_position ? json_real(i->lat) : json_null());
	json_object_set_new(o, "lon", i->has_position ? json_real(i->lon) : json_null());
	json_t *times = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:s}", "opened_ms", (json_int_t)i->t0_ms, "t0_ms", (json_int_t)i->t0_ms,
				  "closed_ms", (json_int_t)i->closed_ms, "deadline_ms",
				  (json_int_t)(i->t0_ms + d->timer_ms[GW_TIMER_SCENE_ON_WALL]), "met_ms", (json_int_t)i->met_ms,
				  "first_wall_ms", (json_int_t)first_wall_ms(i), "verdict", verdicts[i->verdict]);
	json_object_update_new(o, times);
	return o;
}

json_t *gw_incident_print(const gw_domain *d, const char *id)
{
	struct gw_incident *i = gw_incident_find(d, id, NULL);
	if (i == NULL) {
		return NULL;
	}
	json_t *o = print_short(d, i);
	json_object_set_new(o, "escalations", print_escalations(d, i));
	json_object_set_new(o, "scenes", print_scenes(d, i));
	json_object_set_new(o, "links", print_links(i));
	json_object_set_new(o, "notes", print_notes(i));
	return o;
}

json_t *gw_incident_list(const gw_domain *d, bool open_only, int64_t before_ms, unsigned limit)
{
	json_t *list = json_array();
	for (unsigned n = d->order->len; n > 0 && json_array_size(list) < limit; n--) {
		const struct gw_incident *i = d->order->pdata[n - 1];
		if ((!open_only || i->closed_ms == 0) && (before_ms == 0 || i->t0_ms < before_ms)) {
			json_array_append_new(list, gw_incident_print(d, i->id));
		}
	}
	return list;
}

/* ---- certificate ---- */
static json_t *certificate_scene(const struct gw_scene *s)
{
	static const char *const by[GW_STEP_N] = {
#define X(id, name, by_, doc) [GW_STEP_##id] = by_,
#include "gateway/domain/stamps.def"
#undef X
	};
	json_t *stamps = json_array();
	for (int n = 0; n < GW_STEP_N; n++) {
		const struct gw_proof *p = &s->proofs[n];
		json_t *proved = p->at_ms != 0 ? json_integer(p->at_ms) : json_null();
		json_t *elapsed = p->at_ms != 0 ? json_integer(p->elapsed_ms) : json_null();
		json_array_append_new(stamps, json_pack("{s:s,s:o,s:o,s:s}", "step", gw_step_names[n], "at_ms", proved,
							"elapsed_ms", elapsed, "by", by[n]));
	}
	return json_pack("{s:s,s:s,s:b,s:o}", "scene", s->id, "name", s->name, "removed", s->removed, "stamps", stamps);
}

json_t *gw_incident_certificate(const gw_domain *d, const char *id, struct gw_now now)
{
	struct gw_incident *i = gw_incident_find(d, id, NULL);
	if (i == NULL) {
		return NULL;
	}
	json_t *scenes = json_array();
	for (unsigned n = 0; n < i->scenes->len; n++) {
		json_array_append_new(scenes, certificate_scene(i->scenes->pdata[n]));
	}
	int64_t elapsed = i->met_ms != 0 ? i->met_ms - i->t0_ms : 0;
	json_t *o = json_pack("{s:o,s:I,s:I,s:s,s:I,s:I,s:o,s:o,s:I}", "incident", print_short(d, i), "t0_ms", (json_int_t)i->t0_ms,
			      "deadline_ms", (json_int_t)(i->t0_ms + d->timer_ms[GW_TIMER_SCENE_ON_WALL]), "verdict",
			      verdicts[i->verdict], "met_ms", (json_int_t)i->met_ms, "elapsed_ms", (json_int_t)elapsed, "scenes",
			      scenes, "escalations", print_escalations(d, i), "issued_ms", (json_int_t)now.wall_ms);
	return o;
}

/* ---- walls ---- */
static json_t *print_window(const struct gw_wall *w, int n)
{
	const struct gw_window *win = &w->window[n];
	const struct gw_scene *s = win->scene;
	g_autofree char *video = s != NULL ? gw_stream_of(s, "video") : NULL;
	g_autofree char *audio = s != NULL ? gw_stream_of(s, "audio") : NULL;
	return json_pack("{s:i,s:o,s:o,s:o,s:o,s:o,s:b,s:s,s:I,s:I}", "window", n + 1, "scene", text_or_null(s != NULL ? s->id : NULL),
			 "stream", text_or_null(video), "audio", text_or_null(audio), "incident",
			 text_or_null(s != NULL ? s->incident->id : NULL), "name", text_or_null(s != NULL ? s->name : NULL), "drill",
			 s != NULL && s->incident->drill, "state", gw_window_state_names[win->state], "drawn_ms",
			 (json_int_t)win->drawn_ms, "since_ms", (json_int_t)win->since_ms);
}

json_t *gw_wall_print(const gw_domain *d, const char *wall)
{
	const struct gw_wall *w = g_hash_table_lookup(d->walls, wall);
	if (w == NULL || w->name == NULL) {
		return NULL;
	}
	json_t *windows = json_array();
	for (int n = 0; n < w->windows; n++) {
		json_array_append_new(windows, print_window(w, n));
	}
	return json_pack("{s:s,s:s,s:i,s:b,s:o}", "id", w->id, "name", w->name, "layout", w->windows, "online", w->online, "windows",
			 windows);
}

json_t *gw_wall_list(const gw_domain *d)
{
	json_t *list = json_array();
	g_autoptr(GList) ids = g_list_sort(g_hash_table_get_keys(d->walls), (GCompareFunc)(void (*)(void))strcmp);
	for (GList *l = ids; l != NULL; l = l->next) {
		json_t *w = gw_wall_print(d, l->data);
		if (w != NULL) {
			json_array_append_new(list, w);
		}
	}
	return list;
}
