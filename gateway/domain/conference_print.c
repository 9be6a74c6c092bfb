/* Conferences, parties and views as the API shows them. Everybody prints by these. */
#include "gateway/domain/domain_priv.h"

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *stream_or_null(const struct gw_party *p, enum gw_party_stream stream, const char *kind)
{
	return p->stream[stream] ? json_sprintf("%s.%s", gw_party_prefix(p), kind) : json_null();
}

static json_t *flow_json(const struct gw_party_flow *f, bool sends)
{
	json_t *o = json_pack("{s:s,s:I,s:I,s:f,s:I,s:f}", "codec", f->codec, "width", (json_int_t)f->width, "height",
			      (json_int_t)f->height, "fps", f->fps, "bitrate_bps", (json_int_t)f->bitrate_bps, "loss", f->loss);
	json_object_set_new(o, sends ? "security" : "view", json_string(sends ? f->security : f->view));
	return o;
}

json_t *gw_party_json(const gw_domain *d, const struct gw_party *p)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:o,s:s,s:o,s:s,s:o}", "id", p->id, "conference", p->conference->id, "name", p->name, "site",
			      text_or_null(p->site), "kind", gw_party_kind_names[p->kind], "address", text_or_null(p->address),
			      "direction", p->out ? "out" : "in", "agent", text_or_null(p->agent));
	json_t *state = json_pack("{s:s,s:o,s:s,s:b,s:o,s:b,s:o,s:f,s:f,s:b,s:s}", "state", gw_site_state_names[p->state], "why",
				  text_or_null(p->why), "role", gw_party_role_names[p->role], "mic_muted", p->mic_muted, "mic_muted_by",
				  text_or_null(p->mic_muted_by), "speaker_muted", p->speaker_muted, "speaker_muted_by",
				  text_or_null(p->speaker_muted_by), "in_db", p->in_db, "out_db", p->out_db, "speaking", p->speaking,
				  "view", p->view);
	json_t *media = json_pack("{s:o,s:o,s:o,s:I,s:I,s:i,s:I,s:b,s:o,s:o}", "audio", stream_or_null(p, GW_PARTY_AUDIO, "audio"), "video",
				  stream_or_null(p, GW_PARTY_VIDEO, "video"), "slides", stream_or_null(p, GW_PARTY_SLIDES, "slides"),
				  "joined_ms", (json_int_t)p->joined_ms, "left_ms", (json_int_t)p->left_ms, "attempts", p->attempts,
				  "next_try_ms", (json_int_t)p->next_try_ms, "keep", p->keep, "sends", flow_json(&p->sends, true), "gets",
				  flow_json(&p->gets, false));
	json_object_update_new(o, state);
	json_object_update_new(o, media);
	json_object_set_new(o, "control", gw_party_control_json(d, p));
	return o;
}

static json_t *parties_json(const gw_domain *d, const GPtrArray *parties)
{
	json_t *list = json_array();
	for (unsigned n = 0; n < parties->len; n++) {
		if (!((const struct gw_party *)parties->pdata[n])->removed) {
			json_array_append_new(list, gw_party_json(d, parties->pdata[n]));
		}
	}
	return list;
}

static json_t *cell_json(int n, const struct gw_cell_info *cell, bool by_hand)
{
	json_t *parties = json_array();
	for (unsigned k = 0; cell->parties != NULL && cell->parties[k] != NULL; k++) {
		json_array_append_new(parties, json_string(cell->parties[k]));
	}
	return json_pack("{s:i,s:s,s:b,s:o,s:o,s:I}", "cell", n, "mode", gw_cell_mode_names[cell->mode], "by_hand", by_hand, "party",
			 text_or_null(cell->party), "parties", parties, "interval_ms", (json_int_t)cell->interval_ms);
}

json_t *gw_view_json(const gw_domain *d, const struct gw_conference *c, const struct gw_view *v)
{
	struct gw_view_info info;
	json_t *cells = json_array();
	gw_view_resolve(d, c, v, &info);
	for (int n = 0; n < info.n; n++) {
		json_array_append_new(cells, cell_json(n, &info.cell[n], v->cell[n].by_hand));
	}
	json_t *o = json_pack("{s:s,s:s,s:b,s:b,s:b,s:o,s:o,s:I,s:o}", "id", v->id, "layout", info.layout, "auto", v->by_itself, "titles",
			      v->titles, "clock", v->clock, "banner", text_or_null(v->banner), "alarm", text_or_null(v->alarm),
			      "shown_ms", (json_int_t)v->shown_ms, "cells", cells);
	json_object_set_new(o, "crawl", text_or_null(v->crawl));
	json_object_set_new(o, "stream", json_sprintf("mix.%s.v.%s.H264.720", c->id, v->id));
	return o;
}

static json_t *content_json(const struct gw_conference *c)
{
	json_t *asking = json_array();
	for (unsigned n = 0; n < c->asking->len; n++) {
		json_array_append_new(asking, json_string(((const struct gw_party *)c->asking->pdata[n])->id));
	}
	return json_pack("{s:o,s:b,s:I,s:o}", "holder", text_or_null(c->holder != NULL ? c->holder->id : NULL), "locked", c->content_locked,
			 "since_ms", (json_int_t)c->content_ms, "asking", asking);
}

static const char *chair_of(const struct gw_conference *c)
{
	for (unsigned n = 0; n < c->parties->len; n++) {
		const struct gw_party *p = c->parties->pdata[n];
		if (!p->removed && p->role == GW_PARTY_CHAIR) {
			return p->id;
		}
	}
	return NULL;
}

static json_t *conference_json(const gw_domain *d, const struct gw_conference *c)
{
	json_t *views = json_array(), *layouts = json_array();
	for (unsigned n = 0; n < c->views->len; n++) {
		json_array_append_new(views, gw_view_json(d, c, c->views->pdata[n]));
	}
	for (size_t n = 0; n < gw_n_layout_rows; n++) {
		json_array_append_new(layouts, json_string(gw_layout_rows[n].name));
	}
	json_t *o = json_pack("{s:s,s:s,s:s,s:b,s:s,s:b,s:b,s:b,s:o,s:I,s:I}", "id", c->id, "number", c->number, "name", c->name,
			      "has_password", c->password != NULL, "state", c->closed_ms == 0 ? "open" : "closed", "locked", c->locked,
			      "auto_redial", c->auto_redial, "drill", c->drill, "incident", text_or_null(c->incident), "opened_ms",
			      (json_int_t)c->opened_ms, "closed_ms", (json_int_t)c->closed_ms);
	json_t *more = json_pack("{s:o,s:o,s:{s:s,s:s},s:o,s:o,s:o,s:o}", "chair", text_or_null(chair_of(c)), "speaker",
				 text_or_null(c->speaker != NULL ? c->speaker->id : NULL), "mix", "state",
				 c->mix_state != NULL ? c->mix_state : "waiting", "why", c->mix_why != NULL ? c->mix_why : "", "content",
				 content_json(c), "parties", parties_json(d, c->parties), "views", views, "layouts", layouts);
	json_object_update_new(o, more);
	json_object_set_new(o, "control", gw_control_json(d, c));
	return o;
}

json_t *gw_conference_print(const gw_domain *d, const char *id)
{
	struct gw_conference *c = gw_conference_find(d, id, NULL);
	return c != NULL ? conference_json(d, c) : NULL;
}

json_t *gw_party_print(const gw_domain *d, const char *party)
{
	struct gw_party *p = gw_party_get(d, party);
	return p != NULL ? gw_party_json(d, p) : NULL;
}

json_t *gw_conference_list(const gw_domain *d, bool open_only, unsigned limit)
{
	json_t *list = json_array();
	for (unsigned n = d->conference_order->len; n > 0 && json_array_size(list) < limit; n--) {
		const struct gw_conference *c = d->conference_order->pdata[n - 1];
		if ((!open_only || c->closed_ms == 0) && !gw_ready_is(d, c->id)) {	/* nobody is shown a quiet call */
			json_array_append_new(list, conference_json(d, c));
		}
	}
	return list;
}

bool gw_conference_is_drill(const gw_domain *d, const char *id)
{
	const struct gw_conference *c = gw_conference_find(d, id, NULL);
	return c != NULL && c->drill;
}
