/* The circular (通报) of a roll call: one row a site with times, result, reason, and the totals. For pages, CSV and PDF. */
#include "gateway/domain/domain_priv.h"

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *figures_json(const struct gw_rollcall_entry *e)
{
	const struct gw_rollcall_measure *m = &e->figures;
	return e->measured ? json_pack("{s:b,s:b,s:b,s:b,s:f,s:I,s:I}", "black", m->black, "frozen", m->frozen, "silent", m->silent,
				       "clipped", m->clipped, "loss", m->loss, "bitrate_bps", (json_int_t)m->bitrate_bps, "answer_ms",
				       (json_int_t)e->answer_ms)
			   : json_null();
}

static json_t *entry_json(const gw_domain *d, const struct gw_rollcall_entry *e, bool turn)
{
	const struct gw_party *p = gw_party_get(d, e->party);
	json_t *o = json_pack("{s:s,s:s,s:o,s:s,s:s,s:o,s:o}", "site", e->site, "name", e->name, "party", text_or_null(e->party), "state",
			      gw_site_state_names[p != NULL ? p->state : GW_SITE_ABSENT], "result", gw_result_names[e->result], "why",
			      text_or_null(e->why), "by", text_or_null(e->by));
	json_t *more = json_pack("{s:I,s:I,s:I,s:I,s:b,s:o,s:o}", "called_ms", (json_int_t)e->called_ms, "answered_ms",
				 (json_int_t)e->answered_ms, "shown_ms", (json_int_t)e->shown_ms, "done_ms", (json_int_t)e->done_ms, "turn",
				 turn, "figures", figures_json(e), "measured",
				 turn ? json_string(gw_result_names[gw_rollcall_verdict(d, e)]) : json_null());
	json_object_update_new(o, more);
	return o;
}

static const char *state_of(const struct gw_rollcall *r)
{
	return r->closed_ms != 0 ? "closed" : r->running ? "running" : r->started_ms != 0 ? "paused" : "ready";
}

static json_t *totals_json(const struct gw_rollcall *r)
{
	json_t *o = json_object();
	for (int result = 0; result < GW_RESULT_N; result++) {
		int count = 0;
		for (unsigned n = 0; n < r->entries->len; n++) {
			count += (int)g_array_index(r->entries, struct gw_rollcall_entry, n).result == result;
		}
		json_object_set_new(o, gw_result_names[result], json_integer(count));
	}
	return o;
}

static json_t *head_json(const struct gw_rollcall *r)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:i,s:b,s:i,s:o}", "id", r->id, "conference", r->conference->id, "name",
			 r->name, "state", state_of(r), "drill", r->conference->drill, "opened_ms", (json_int_t)r->opened_ms, "started_ms",
			 (json_int_t)r->started_ms, "closed_ms", (json_int_t)r->closed_ms, "dwell_ms", (json_int_t)r->dwell_ms, "ahead",
			 r->ahead, "hang_up", r->hang_up, "sites", (int)r->entries->len, "totals", totals_json(r));
}

json_t *gw_rollcall_print(const gw_domain *d, const char *id)
{
	const struct gw_rollcall *r = gw_rollcall_find(d, id, NULL);
	if (r == NULL) {
		return NULL;
	}
	json_t *o = head_json(r), *entries = json_array();
	for (unsigned n = 0; n < r->entries->len; n++) {
		json_array_append_new(entries, entry_json(d, &g_array_index(r->entries, struct gw_rollcall_entry, n), (int)n == r->current));
	}
	json_object_set_new(o, "entries", entries);
	return o;
}

json_t *gw_rollcall_list(const gw_domain *d, unsigned limit)
{
	json_t *list = json_array();
	for (unsigned n = d->rollcall_order->len; n > 0 && json_array_size(list) < limit; n--) {
		json_array_append_new(list, head_json(d->rollcall_order->pdata[n - 1]));
	}
	return list;
}
