/* The circular (通报) of a roll call: one row a site with times, result, reason, and the totals. For pages, CSV and PDF. */
#include "gateway/domain/domain_priv.h"

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *figures_json(const struct gw_rollcall_entry *e)
{
	const struct gw_rollcall_measure *m = &e->figures;
	return e->measured ? json_pack("{s:b,s:b,s:b,s:b,s:b,s:f,s:I,s:I}", "black", m->black, "frozen", m->frozen, "looped", m->looped,
				       "silent", m->silent, "clipped", m->clipped, "loss", m->loss, "bitrate_bps", (json_int_t)m->bitrate_bps, "answer_ms",
				       (json_int_t)e->answer_ms)
			   : json_null();
}

static json_t *code_json(const struct gw_rollcall_entry *e)
{
	return e->code_state != GW_CODE_NONE ? json_pack("{s:s,s:s}", "digits", e->code, "state", gw_code_names[e->code_state]) : json_null();
}

static json_t *evidence_json(const struct gw_kept_evidence *e)
{
	return e->file != NULL ? json_pack("{s:s,s:s,s:I,s:I}", "file", e->file, "sha256", e->sha256, "bytes", (json_int_t)e->bytes, "at_ms",
					   (json_int_t)e->at_ms)
			       : json_null();
}

json_t *gw_rollcall_entry_json(const gw_domain *d, const struct gw_rollcall_entry *e, bool turn)
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
	g_autofree char *duty = e->called_ms != 0 ? gw_duty_names(d, e->site, e->called_ms) : NULL;
	json_object_set_new(o, "duty", text_or_null(duty));
	json_object_update_new(o, json_pack("{s:o,s:o,s:o}", "code", code_json(e), "still", evidence_json(&e->evidence[GW_EVIDENCE_STILL]),
					    "clip", evidence_json(&e->evidence[GW_EVIDENCE_CLIP])));
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

json_t *gw_rollcall_head_json(const struct gw_rollcall *r)
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
	json_t *o = gw_rollcall_head_json(r), *entries = json_array();
	for (unsigned n = 0; n < r->entries->len; n++) {
		json_array_append_new(entries, gw_rollcall_entry_json(d, &g_array_index(r->entries, struct gw_rollcall_entry, n), (int)n == r->current));
	}
	json_object_set_new(o, "entries", entries);
	return o;
}

/* Everything that a printed row depends on, in one number; a collision is a row that pages see later. */
static uint64_t mark_of(const gw_domain *d, const struct gw_rollcall_entry *e, bool turn)
{
	const struct gw_party *p = gw_party_get(d, e->party);
	const struct gw_rollcall_measure *m = &e->figures;
	const uint64_t words[] = {
		p != NULL ? (uint64_t)p->state : GW_SITE_N, (uint64_t)e->result, (uint64_t)e->called_ms, (uint64_t)e->answered_ms,
		(uint64_t)e->shown_ms, (uint64_t)e->done_ms, (uint64_t)e->answer_ms, (uint64_t)m->bitrate_bps, (uint64_t)(m->loss * 1e4),
		(uint64_t)(m->black | m->frozen << 1 | m->looped << 2 | m->silent << 3 | m->clipped << 4 | e->measured << 5 | turn << 6),
		g_str_hash(e->party != NULL ? e->party : ""), g_str_hash(e->why != NULL ? e->why : ""), g_str_hash(e->by != NULL ? e->by : ""),
		g_str_hash(e->code), (uint64_t)e->code_state, (uint64_t)e->evidence[GW_EVIDENCE_STILL].at_ms,
		(uint64_t)e->evidence[GW_EVIDENCE_CLIP].at_ms, turn ? (uint64_t)gw_rollcall_verdict(d, e) : GW_RESULT_N,
	};
	uint64_t mark = 0xcbf29ce484222325;
	for (unsigned n = 0; n < G_N_ELEMENTS(words); n++) {
		mark = (mark ^ words[n]) * 0x100000001b3;
		mark ^= mark >> 29;
	}
	return MAX(mark, 1);
}

json_t *gw_rollcall_print_changed(const gw_domain *d, const char *id, uint64_t *seen, bool *ret_whole)
{
	const struct gw_rollcall *r = gw_rollcall_find(d, id, NULL);
	if (r == NULL) {
		return NULL;
	}
	json_t *o = gw_rollcall_head_json(r), *entries = json_array();
	for (unsigned n = 0; n < r->entries->len; n++) {
		const struct gw_rollcall_entry *e = &g_array_index(r->entries, struct gw_rollcall_entry, n);
		uint64_t mark = mark_of(d, e, (int)n == r->current);
		if (seen[n] != mark) {
			seen[n] = mark;
			json_array_append_new(entries, gw_rollcall_entry_json(d, e, (int)n == r->current));
		}
	}
	*ret_whole = json_array_size(entries) == r->entries->len;
	json_object_set_new(o, "entries", entries);
	return o;
}

json_t *gw_rollcall_list(const gw_domain *d, unsigned limit)
{
	json_t *list = json_array();
	for (unsigned n = d->rollcall_order->len; n > 0 && json_array_size(list) < limit; n--) {
		json_array_append_new(list, gw_rollcall_head_json(d->rollcall_order->pdata[n - 1]));
	}
	return list;
}

/* ---- for spreadsheets ---- */
static void put_time(GString *out, int64_t ms)
{
	g_autoptr(GDateTime) at = ms != 0 ? g_date_time_new_from_unix_local(ms / 1000) : NULL;
	g_autofree char *text = at != NULL ? g_date_time_format(at, "%Y-%m-%d %H:%M:%S") : NULL;
	g_string_append_printf(out, ",%s", text != NULL ? text : "");
}

static void put_text(GString *out, const char *text)
{
	g_string_append_c(out, ',');
	gw_csv_field(out, text != NULL ? text : "");
}

static void put_figures(GString *out, const struct gw_rollcall_entry *e)
{
	const struct gw_rollcall_measure *m = &e->figures;
	const struct { bool on; const char *word; } faults[] = {
		{ m->black, "黑屏" }, { m->frozen, "画面冻结" }, { m->looped, "画面重复" }, { m->silent, "无声" }, { m->clipped, "声音削波" },
	};
	g_autoptr(GString) words = g_string_new(NULL);
	if (!e->measured) {
		g_string_append(out, ",,,,");
		return;
	}
	for (unsigned n = 0; n < G_N_ELEMENTS(faults); n++) {
		g_string_append_printf(words, "%s%s", faults[n].on && words->len > 0 ? "、" : "", faults[n].on ? faults[n].word : "");
	}
	g_string_append_printf(out, ",%.1f,%.1f,%" G_GINT64_FORMAT, (double)e->answer_ms / 1000, m->loss * 100, m->bitrate_bps / 1000);
	put_text(out, words->str);
}

char *gw_rollcall_csv(const gw_domain *d, const char *id)
{
	const struct gw_rollcall *r = gw_rollcall_find(d, id, NULL);
	if (r == NULL) {
		return NULL;
	}
	GString *out = g_string_new("\xEF\xBB\xBF序号,会场编号,会场,结果,原因,登记人,呼叫时间,应答时间,上屏时间,登记时间,应答用时(秒),丢包率(%),"
				    "码率(kb/s),测得故障\r\n");
	for (unsigned n = 0; n < r->entries->len; n++) {
		const struct gw_rollcall_entry *e = &g_array_index(r->entries, struct gw_rollcall_entry, n);
		g_string_append_printf(out, "%u", n + 1);
		put_text(out, e->site);
		put_text(out, e->name);
		put_text(out, gw_result_names_zh[e->result]);
		put_text(out, e->why);
		put_text(out, e->by);
		put_time(out, e->called_ms);
		put_time(out, e->answered_ms);
		put_time(out, e->shown_ms);
		put_time(out, e->done_ms);
		put_figures(out, e);
		g_string_append(out, "\r\n");
	}
	return g_string_free(out, FALSE);
}
