/* What roll calls together say: a site's last result and its misses beside the newest circular, the search, and the figures of
 * a month for the yearly appraisal (考核). Drills are compared with drills and count in no appraisal. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

#define COMPARED 5	/* earlier roll calls that a site's misses are counted in */

static const struct gw_rollcall_entry *row_of(const struct gw_rollcall *r, unsigned n)
{
	return &g_array_index(r->entries, struct gw_rollcall_entry, n);
}

static bool is_miss(enum gw_result result)
{
	return result == GW_RESULT_NO_PICTURE || result == GW_RESULT_NO_SOUND || result == GW_RESULT_NO_ANSWER || result == GW_RESULT_UNREACHABLE;
}

/* ---- comparison ---- */
struct past { enum gw_result result; int64_t at_ms; int misses, of; };

static void look_back(GHashTable *pasts, const struct gw_rollcall *r)
{
	for (unsigned n = 0; n < r->entries->len; n++) {
		const struct gw_rollcall_entry *e = row_of(r, n);
		struct past *p = g_hash_table_lookup(pasts, e->site);
		if (p == NULL || p->of == COMPARED || e->result == GW_RESULT_NOT_CALLED) {
			continue;
		}
		if (p->of++ == 0) {
			p->result = e->result;
			p->at_ms = r->opened_ms;
		}
		p->misses += is_miss(e->result);
	}
}

static GHashTable *compare(const gw_domain *d, const struct gw_rollcall *r)
{
	GHashTable *pasts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	for (unsigned n = 0; n < r->entries->len; n++) {
		g_hash_table_insert(pasts, row_of(r, n)->site, g_new0(struct past, 1));
	}
	bool before = false;
	for (unsigned n = d->rollcall_order->len; n > 0; n--) {
		const struct gw_rollcall *old = d->rollcall_order->pdata[n - 1];
		if (before && old->closed_ms != 0 && old->conference->drill == r->conference->drill) {
			look_back(pasts, old);
		}
		before |= old == r;
	}
	return pasts;
}

static json_t *past_json(const struct past *p)
{
	return p != NULL && p->of > 0 ? json_pack("{s:s,s:I,s:i,s:i}", "result", gw_result_names[p->result], "at_ms", (json_int_t)p->at_ms,
						  "misses", p->misses, "of", p->of)
				      : json_null();
}

json_t *gw_rollcall_circular(const gw_domain *d, const char *id)
{
	const struct gw_rollcall *r = gw_rollcall_find(d, id, NULL);
	json_t *o = gw_rollcall_print(d, id), *row;
	size_t n;
	if (o == NULL) {
		return NULL;
	}
	g_autoptr(GHashTable) pasts = compare(d, r);
	json_array_foreach(json_object_get(o, "entries"), n, row) {
		json_object_set_new(row, "last", past_json(g_hash_table_lookup(pasts, row_of(r, (unsigned)n)->site)));
	}
	return o;
}

/* ---- search ---- */
static bool site_fits(const struct gw_rollcall_entry *e, const struct gw_rollcall_query *q)
{
	bool named = q->site == NULL || strcmp(e->site, q->site) == 0 || strstr(e->name, q->site) != NULL;
	return named && (!q->has_result || (int)e->result == q->result);
}

static bool fits(const struct gw_rollcall *r, const struct gw_rollcall_query *q)
{
	bool in_time = r->opened_ms >= q->from_ms && (q->to_ms == 0 || r->opened_ms < q->to_ms);
	if (!in_time || (q->text != NULL && strstr(r->name, q->text) == NULL)) {
		return false;
	}
	bool any = q->site == NULL && !q->has_result;
	for (unsigned n = 0; !any && n < r->entries->len; n++) {
		any = site_fits(row_of(r, n), q);
	}
	return any;
}

json_t *gw_rollcall_search(const gw_domain *d, const struct gw_rollcall_query *q)
{
	json_t *list = json_array();
	for (unsigned n = d->rollcall_order->len; n > 0 && json_array_size(list) < q->limit; n--) {
		const struct gw_rollcall *r = d->rollcall_order->pdata[n - 1];
		if (fits(r, q)) {
			json_array_append_new(list, gw_rollcall_head_json(r));
		}
	}
	return list;
}

/* ---- figures of a time ---- */
struct tally { const char *site, *name; int called, result[GW_RESULT_N], black, frozen, looped, silent, clipped, answers; int64_t answer_ms; };

static void count(GHashTable *by_site, GPtrArray *order, const struct gw_rollcall_entry *e)
{
	struct tally *t = g_hash_table_lookup(by_site, e->site);
	const struct gw_rollcall_measure *m = &e->figures;
	if (t == NULL) {
		t = g_new0(struct tally, 1);
		g_hash_table_insert(by_site, e->site, t);
		g_ptr_array_add(order, t);
	}
	t->site = e->site;
	t->name = e->name;
	t->result[e->result]++;
	t->called += e->result != GW_RESULT_NOT_CALLED && e->result != GW_RESULT_EXCUSED;
	if (e->measured) {
		t->black += m->black;
		t->frozen += m->frozen;
		t->looped += m->looped;
		t->silent += m->silent;
		t->clipped += m->clipped;
	}
	if (e->answer_ms > 0) {
		t->answers++;
		t->answer_ms += e->answer_ms;
	}
}

static gint by_id(gconstpointer a, gconstpointer b)
{
	const struct tally *const *x = a, *const *y = b;
	return strcmp((*x)->site, (*y)->site);
}

static GPtrArray *tallies(const gw_domain *d, int64_t from_ms, int64_t to_ms, const char *division)
{
	g_autoptr(GHashTable) by_site = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *order = g_ptr_array_new_with_free_func(g_free);
	for (unsigned k = 0; k < d->rollcall_order->len; k++) {
		const struct gw_rollcall *r = d->rollcall_order->pdata[k];
		bool counts = r->closed_ms != 0 && r->started_ms != 0 && !r->conference->drill;
		for (unsigned n = 0; counts && r->opened_ms >= from_ms && (to_ms == 0 || r->opened_ms < to_ms) && n < r->entries->len; n++) {
			if (division == NULL || gw_access_may(d, division, "site", row_of(r, n)->site, false)) {
				count(by_site, order, row_of(r, n));
			}
		}
	}
	g_ptr_array_sort(order, by_id);
	return order;
}

static double share(const struct tally *t)
{
	return t->called > 0 ? (double)(t->result[GW_RESULT_PRESENT] + t->result[GW_RESULT_PRESENT_LATE]) / t->called : 0;
}

static int64_t mean_ms(const struct tally *t)
{
	return t->answers > 0 ? t->answer_ms / t->answers : 0;
}

json_t *gw_rollcall_stats(const gw_domain *d, int64_t from_ms, int64_t to_ms, const char *division)
{
	g_autoptr(GPtrArray) rows = tallies(d, from_ms, to_ms, division);
	json_t *list = json_array();
	for (unsigned n = 0; n < rows->len; n++) {
		const struct tally *t = rows->pdata[n];
		json_t *o = json_pack("{s:s,s:s,s:i,s:f,s:I,s:{s:i,s:i,s:i,s:i,s:i}}", "site", t->site, "name", t->name, "called", t->called,
				      "share", share(t), "answer_ms", (json_int_t)mean_ms(t), "faults", "black", t->black, "frozen", t->frozen,
				      "looped", t->looped, "silent", t->silent, "clipped", t->clipped);
		json_t *totals = json_object();
		for (int result = 0; result < GW_RESULT_N; result++) {
			json_object_set_new(totals, gw_result_names[result], json_integer(t->result[result]));
		}
		json_object_set_new(o, "totals", totals);
		json_array_append_new(list, o);
	}
	return list;
}

char *gw_rollcall_stats_csv(const gw_domain *d, int64_t from_ms, int64_t to_ms, const char *division)
{
	g_autoptr(GPtrArray) rows = tallies(d, from_ms, to_ms, division);
	GString *out = g_string_new("\xEF\xBB\xBF会场编号,会场,点名次数,在位率(%),平均应答用时(秒)");
	for (int result = 0; result < GW_RESULT_N; result++) {
		g_string_append_printf(out, ",%s", gw_result_names_zh[result]);
	}
	g_string_append(out, ",黑屏,画面冻结,画面重复,无声,声音削波\r\n");
	for (unsigned n = 0; n < rows->len; n++) {
		const struct tally *t = rows->pdata[n];
		gw_csv_field(out, t->site);
		g_string_append_c(out, ',');
		gw_csv_field(out, t->name);
		g_string_append_printf(out, ",%d,%.1f,%.1f", t->called, share(t) * 100, (double)mean_ms(t) / 1000);
		for (int result = 0; result < GW_RESULT_N; result++) {
			g_string_append_printf(out, ",%d", t->result[result]);
		}
		g_string_append_printf(out, ",%d,%d,%d,%d,%d\r\n", t->black, t->frozen, t->looped, t->silent, t->clipped);
	}
	return g_string_free(out, FALSE);
}
