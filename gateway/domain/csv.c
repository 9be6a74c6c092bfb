/* The directory as CSV (RFC 4180, UTF-8, a BOM is taken): one header for all kinds, `kind` says which. A spreadsheet opens
 * it, so a field that begins like a formula gets a leading apostrophe, which import takes away again. */
#include "gateway/domain/directory_priv.h"

#define MAX_CSV (1024 * 1024)
#define MAX_FIELD 4096

static const char *const columns[] = { "kind",  "id",   "parent",  "name", "code", "title",
				       "phone", "duty", "address", "type", NULL };
enum { C_KIND, C_ID, C_PARENT, C_NAME, C_CODE, C_TITLE, C_PHONE, C_DUTY, C_ADDRESS, C_TYPE, C_N };

/* Which JSON member of a kind's body a column means. */
static const char *const members[GW_DIRECTORY_N][C_N] = {
	[GW_DIVISION] = { [C_ID] = "id", [C_PARENT] = "parent", [C_NAME] = "name", [C_CODE] = "code" },
	[GW_SITE] = { [C_ID] = "id", [C_PARENT] = "division", [C_NAME] = "name", [C_ADDRESS] = "address", [C_TYPE] = "kind" },
	[GW_PERSON] = { [C_ID] = "id", [C_PARENT] = "division", [C_NAME] = "name", [C_TITLE] = "title", [C_PHONE] = "phone",
			[C_DUTY] = "duty" },
	[GW_DEVICE] = { [C_ID] = "id", [C_PARENT] = "site", [C_NAME] = "name", [C_TYPE] = "kind" },
};

/* ---- out ---- */
static void put_field(GString *out, const char *text)
{
	bool formula = text[0] != '\0' && strchr("=+-@\t\r'", text[0]) != NULL;
	bool quote = formula || strpbrk(text, ",\"\r\n") != NULL;
	if (!quote) {
		g_string_append(out, text);
		return;
	}
	g_string_append_c(out, '"');
	if (formula) {
		g_string_append_c(out, '\'');
	}
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '"') {
			g_string_append_c(out, '"');
		}
		g_string_append_c(out, *p);
	}
	g_string_append_c(out, '"');
}

static void put_entry(GString *out, enum gw_directory kind, const void *entry)
{
	g_autoptr(json_t) item = ort_json_print(gw_rec_rows[gw_directory_rows[kind].rec].table, entry);
	g_string_append(out, gw_directory_rows[kind].kind);
	for (int c = C_ID; c < C_N; c++) {
		const json_t *v = members[kind][c] != NULL ? json_object_get(item, members[kind][c]) : NULL;
		g_string_append_c(out, ',');
		if (json_is_string(v)) {
			put_field(out, json_string_value(v));
		} else if (json_is_true(v)) {
			g_string_append_c(out, '1');
		}
	}
	g_string_append(out, "\r\n");
}

/* Divisions are written parents first, so that a file can be read back line by line. */
static void put_divisions(GString *out, GPtrArray *all, const char *parent, int depth)
{
	for (unsigned n = 0; depth < 32 && n < all->len; n++) {
		if (g_strcmp0(gw_directory_parent(GW_DIVISION, all->pdata[n]), parent) == 0) {
			put_entry(out, GW_DIVISION, all->pdata[n]);
			put_divisions(out, all, gw_directory_id(all->pdata[n]), depth + 1);
		}
	}
}

char *gw_directory_export(const gw_domain *d)
{
	GString *out = g_string_new(NULL);
	for (int c = 0; c < C_N; c++) {
		g_string_append_printf(out, "%s%s", c > 0 ? "," : "", columns[c]);
	}
	g_string_append(out, "\r\n");
	for (int k = 0; k < GW_DIRECTORY_N; k++) {
		g_autoptr(GPtrArray) all = gw_directory_sorted(d, (enum gw_directory)k);
		if (k == GW_DIVISION) {
			put_divisions(out, all, NULL, 0);
		}
		for (unsigned n = 0; k != GW_DIVISION && n < all->len; n++) {
			put_entry(out, (enum gw_directory)k, all->pdata[n]);
		}
	}
	return g_string_free(out, FALSE);
}

/* ---- in ---- */
struct reader { const char *p, *end; int line; };

/* One field; *ret_last when the record ends with it. 0, or -1 on an unclosed quote or a field too long. */
static int read_field(struct reader *r, GString *field, bool *ret_last)
{
	g_string_truncate(field, 0);
	bool quoted = r->p < r->end && *r->p == '"';
	r->p += quoted;
	for (; r->p < r->end; r->p++) {
		if (quoted && *r->p == '"') {
			if (r->p + 1 < r->end && r->p[1] == '"') {
				r->p++;
			} else {
				quoted = false;
				continue;
			}
		} else if (!quoted && (*r->p == ',' || *r->p == '\n' || *r->p == '\r')) {
			break;
		}
		r->line += *r->p == '\n';
		g_string_append_c(field, *r->p);
	}
	*ret_last = r->p >= r->end || *r->p != ',';
	if (r->p < r->end && *r->p == '\r') {
		r->p++;
	}
	if (r->p < r->end) {
		r->p++;
	}
	return quoted || field->len > MAX_FIELD ? -1 : 0;
}

static GPtrArray *read_record(struct reader *r)
{
	GPtrArray *fields = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) field = g_string_new(NULL);
	for (bool last = false; !last;) {
		if (read_field(r, field, &last) < 0 || fields->len >= 64) {
			g_ptr_array_unref(fields);
			return NULL;
		}
		bool escaped = field->len > 1 && field->str[0] == '\'' && strchr("=+-@\t\r'", field->str[1]) != NULL;
		g_ptr_array_add(fields, g_strdup(field->str + (escaped ? 1 : 0)));
	}
	return fields;
}

static json_t *item_of(enum gw_directory kind, const GPtrArray *record, const int *column_at)
{
	json_t *item = json_object();
	for (int c = C_ID; c < C_N; c++) {
		int at = column_at[c];
		const char *text = at >= 0 && at < (int)record->len ? record->pdata[at] : "";
		if (members[kind][c] == NULL || text[0] == '\0') {
			continue;
		}
		bool yes = g_str_equal(text, "1") || g_ascii_strcasecmp(text, "yes") == 0 || g_str_equal(text, "是");
		json_object_set_new(item, members[kind][c], c == C_DUTY ? json_boolean(yes) : json_string(text));
	}
	return item;
}

struct import { const gw_domain *real; gw_domain *trial; json_t *errors; int64_t added, changed; struct gw_now now; };

static void complain(struct import *im, int line, const char *why)
{
	if (json_array_size(im->errors) < 100) {
		json_array_append_new(im->errors, json_pack("{s:i,s:s}", "line", line, "why", why));
	}
}

static void import_record(struct import *im, const GPtrArray *record, const int *column_at, int line)
{
	const char *word = column_at[C_KIND] < (int)record->len ? record->pdata[column_at[C_KIND]] : "";
	int kind = gw_directory_kind(word);
	if (kind < 0) {
		complain(im, line, "kind: division, site, person or device");
		return;
	}
	g_autoptr(json_t) item = item_of((enum gw_directory)kind, record, column_at);
	const char *id = json_string_value(json_object_get(item, "id"));
	const void *old = id != NULL ? g_hash_table_lookup(im->trial->directory[kind], id) : NULL;
	g_autoptr(json_t) before = old != NULL ? ort_json_print(gw_rec_rows[gw_directory_rows[kind].rec].table, old) : NULL;
	g_autoptr(GError) err = NULL;
	if (!gw_directory_put(im->trial, "import", word, item, im->now, &err)) {
		complain(im, line, err->message);
		return;
	}
	const void *entry = g_hash_table_lookup(im->trial->directory[kind], id);
	g_autoptr(json_t) after = ort_json_print(gw_rec_rows[gw_directory_rows[kind].rec].table, entry);
	im->added += before == NULL;
	im->changed += before != NULL && !json_equal(before, after);
}

static bool read_header(struct reader *r, int *column_at, struct import *im)
{
	g_autoptr(GPtrArray) header = read_record(r);
	for (int c = 0; c < C_N; c++) {
		column_at[c] = -1;
		for (unsigned n = 0; header != NULL && n < header->len; n++) {
			column_at[c] = g_str_equal(header->pdata[n], columns[c]) ? (int)n : column_at[c];
		}
	}
	if (column_at[C_KIND] < 0 || column_at[C_ID] < 0) {
		complain(im, 1, "the first line must name the columns, at least kind and id");
		return false;
	}
	return true;
}

static void run(struct import *im, const char *csv)
{
	struct reader r = { csv, csv + strlen(csv), 1 };
	int column_at[C_N];
	if (!g_utf8_validate(csv, -1, NULL) || strlen(csv) > MAX_CSV) {
		complain(im, 1, "UTF-8 of at most 1 MiB is wanted");
		return;
	}
	r.p += g_str_has_prefix(csv, "\xEF\xBB\xBF") ? 3 : 0;
	if (!read_header(&r, column_at, im)) {
		return;
	}
	while (r.p < r.end) {
		int line = ++r.line;
		g_autoptr(GPtrArray) record = read_record(&r);
		if (record == NULL) {
			complain(im, line, "a quote is not closed, or a field is too long");
			return;
		}
		if (record->len > 1 || ((char *)record->pdata[0])[0] != '\0') {
			import_record(im, record, column_at, line);
		}
	}
}

static void nothing(const struct gw_action *a, void *ud)
{
}

/* The trial holds a copy of today's directory; its changes are played into the real one only when no line was wrong. */
static gw_domain *trial_of(const gw_domain *d)
{
	gw_domain *t = gw_domain_new(&(struct gw_domain_ops){ nothing }, d->boot, NULL);
	for (int k = 0; k < GW_DIRECTORY_N; k++) {
		GHashTableIter it;
		void *entry;
		g_hash_table_iter_init(&it, d->directory[k]);
		while (g_hash_table_iter_next(&it, NULL, &entry)) {
			gw_emit(t, gw_directory_rows[k].rec, "import", NULL, entry, (struct gw_now){ 0, 0 });
		}
	}
	return t;
}

static void commit(gw_domain *d, const gw_domain *trial, const char *actor, struct gw_now now)
{
	for (int k = 0; k < GW_DIRECTORY_N; k++) {
		const struct ort_json_table *table = gw_rec_rows[gw_directory_rows[k].rec].table;
		g_autoptr(GPtrArray) all = gw_directory_sorted(trial, (enum gw_directory)k);
		for (unsigned n = 0; n < all->len; n++) {
			const void *old = g_hash_table_lookup(d->directory[k], gw_directory_id(all->pdata[n]));
			g_autoptr(json_t) a = old != NULL ? ort_json_print(table, old) : NULL;
			g_autoptr(json_t) b = ort_json_print(table, all->pdata[n]);
			if (a == NULL || !json_equal(a, b)) {
				gw_emit(d, gw_directory_rows[k].rec, actor, NULL, all->pdata[n], now);
			}
		}
	}
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_CHANGED_DIRECTORY });
}

json_t *gw_directory_import(gw_domain *d, const char *actor, const char *csv, bool dry_run, struct gw_now now)
{
	struct import im = { d, trial_of(d), json_array(), 0, 0, now };
	run(&im, csv);
	if (!dry_run && json_array_size(im.errors) == 0) {
		commit(d, im.trial, actor, now);
	}
	gw_domain_free(im.trial);
	return json_pack("{s:I,s:I,s:I,s:o}", "added", (json_int_t)im.added, "changed", (json_int_t)im.changed, "removed",
			 (json_int_t)0, "errors", im.errors);
}
