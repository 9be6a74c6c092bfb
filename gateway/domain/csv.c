/* The directory as CSV (RFC 4180, UTF-8, a BOM is taken): one header for all kinds, `kind` says which. A spreadsheet opens
 * it, so a field that begins like a formula gets a leading apostrophe, which import takes away again. Import reads headers
 * and kinds in Chinese or English; rows without an id are known by kind, parent and name; a parent may be named. */
#include "gateway/domain/csv_priv.h"
#include "gateway/domain/directory_priv.h"

#define MAX_CSV (1024 * 1024)

static const char *const columns[] = { "kind",  "id",   "parent",  "name", "code", "title",
				       "phone", "duty", "address", "type", NULL };
static const char *const aliases[][5] = {
	{ "类别", "种类", NULL }, { "编号", "标识", NULL },	    { "上级", "所属区划", "所属", "所属会场", NULL }, { "名称", "姓名", NULL },
	{ "区划代码", "代码", NULL }, { "职务", "职位", NULL },	    { "电话", "手机", "手机号", "联系电话", NULL },  { "值班", NULL },
	{ "地址", NULL },	      { "类型", "设备类型", NULL },
};
static const char *const kind_aliases[GW_DIRECTORY_N][3] = {
	[GW_DIVISION] = { "区划", "行政区划", NULL }, [GW_SITE] = { "会场", "场所", NULL },
	[GW_PERSON] = { "人员", "人", NULL },	      [GW_DEVICE] = { "设备", "终端", NULL },
};
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
void gw_csv_field(GString *out, const char *text)
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
			gw_csv_field(out, json_string_value(v));
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
static json_t *item_of(enum gw_directory kind, const GPtrArray *record, const int *column_at)
{
	json_t *item = json_object();
	for (int c = C_ID; c < C_N; c++) {
		int at = column_at[c];
		const char *text = at >= 0 && at < (int)record->len ? record->pdata[at] : "";
		if (members[kind][c] == NULL || text[0] == '\0') {
			continue;
		}
		bool yes = g_str_equal(text, "1") || g_ascii_strcasecmp(text, "yes") == 0 || g_str_equal(text, "是") ||
			   g_str_equal(text, "值班");
		json_object_set_new(item, members[kind][c], c == C_DUTY ? json_boolean(yes) : json_string(text));
	}
	return item;
}

struct import { const gw_domain *real; gw_domain *trial; json_t *errors; int64_t added, changed; struct gw_now now; GHashTable *names; };

/* `code` is for pages, which say it in their own language with `value` in it; `why` is English for everybody else. */
static void complain(struct import *im, int line, const char *code, const char *value, const char *why)
{
	if (json_array_size(im->errors) < 100) {
		json_array_append_new(im->errors, json_pack("{s:i,s:s,s:s,s:s}", "line", line, "code", code, "value",
							    value != NULL ? value : "", "why", why));
	}
}

static int kind_of(const char *word)
{
	int kind = gw_directory_kind(word);
	for (int k = 0; k < GW_DIRECTORY_N && kind < 0; k++) {
		kind = g_strv_contains(kind_aliases[k], word) ? k : -1;
	}
	return kind;
}

/* ---- rows that name things instead of numbering them ---- */
/* im->names: "kind/parent/name", and the same with any parent -> ids, so that a long file without ids costs no more. */
static char *name_key(enum gw_directory kind, const char *parent, const char *name)
{
	return g_strdup_printf("%d/%s/%s", kind, parent != NULL ? parent : "", name != NULL ? name : "");
}

static void index_key(GHashTable *names, char *key, const char *id, bool on)
{
	GPtrArray *ids = g_hash_table_lookup(names, key);
	unsigned at;
	if (ids == NULL) {
		ids = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(names, g_strdup(key), ids);
	}
	if (on) {
		g_ptr_array_add(ids, g_strdup(id));
	} else if (g_ptr_array_find_with_equal_func(ids, id, g_str_equal, &at)) {
		g_ptr_array_remove_index_fast(ids, at);
	}
	g_free(key);
}

static void index_entry(GHashTable *names, enum gw_directory kind, const void *entry, const json_t *printed, bool on)
{
	const char *name = json_string_value(json_object_get(printed, "name"));
	index_key(names, name_key(kind, gw_directory_parent(kind, entry), name), gw_directory_id(entry), on);
	index_key(names, name_key(kind, "*", name), gw_directory_id(entry), on);
}

static json_t *print_entry(enum gw_directory kind, const void *entry)
{
	return entry != NULL ? ort_json_print(gw_rec_rows[gw_directory_rows[kind].rec].table, entry) : NULL;
}

static GHashTable *index_all(const gw_domain *d)
{
	GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)(void (*)(void))g_ptr_array_unref);
	for (int k = 0; k < GW_DIRECTORY_N; k++) {
		GHashTableIter it;
		void *entry;
		g_hash_table_iter_init(&it, d->directory[k]);
		while (g_hash_table_iter_next(&it, NULL, &entry)) {
			g_autoptr(json_t) printed = print_entry((enum gw_directory)k, entry);
			index_entry(names, (enum gw_directory)k, entry, printed, true);
		}
	}
	return names;
}

/* The entry of that name below `parent` ("*": anywhere); *ret_n counts how many there are. */
static const char *by_name(const struct import *im, enum gw_directory kind, const char *parent, const char *name, unsigned *ret_n)
{
	g_autofree char *key = name_key(kind, parent, name);
	const GPtrArray *ids = g_hash_table_lookup(im->names, key);
	*ret_n = ids != NULL ? ids->len : 0;
	return *ret_n > 0 ? ids->pdata[0] : NULL;
}

/* The cell under "parent" is an id, or the name of exactly one entry. */
static bool resolve_parent(struct import *im, enum gw_directory kind, json_t *item, int line)
{
	enum gw_directory above = gw_directory_rows[kind].parent_kind;
	const char *member = members[kind][C_PARENT], *cell = json_string_value(json_object_get(item, member));
	unsigned n;
	if (cell == NULL || g_hash_table_contains(im->trial->directory[above], cell)) {
		return true;
	}
	const char *id = by_name(im, above, "*", cell, &n);
	if (n != 1) {
		complain(im, line, n == 0 ? "unknown_parent" : "ambiguous_parent", cell,
			 n == 0 ? "the entry above is not in the directory and not on an earlier line"
				: "several entries have the name of the entry above: give its id");
		return false;
	}
	json_object_set_new(item, member, json_string(id));
	return true;
}

/* The same row gives the same id in every import, so that a table without ids can be imported again. */
static char *made_id(const gw_domain *d, enum gw_directory kind, const char *parent, const char *name)
{
	static const char letters[GW_DIRECTORY_N] = { 'd', 's', 'p', 'v' };
	g_autofree char *seed = g_strdup_printf("%d/%s/%s", kind, parent != NULL ? parent : "", name);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, seed, -1);
	char *id = g_strdup_printf("%c-%.10s", letters[kind], sum);
	for (int n = 2; g_hash_table_contains(d->directory[kind], id); n++) {	/* that entry was renamed or moved since */
		g_free(id);
		id = g_strdup_printf("%c-%.10s-%d", letters[kind], sum, n);
	}
	return id;
}

static bool give_id(struct import *im, enum gw_directory kind, json_t *item, int line)
{
	const char *name = json_string_value(json_object_get(item, "name"));
	const char *parent = json_string_value(json_object_get(item, members[kind][C_PARENT]));
	unsigned n;
	if (json_object_get(item, "id") != NULL) {
		return true;
	}
	if (name == NULL) {
		complain(im, line, "no_name", NULL, "a row needs a name or an id");
		return false;
	}
	const char *id = by_name(im, kind, parent, name, &n);
	if (n > 1) {
		complain(im, line, "ambiguous", name, "several entries have this name at this place: give the id");
		return false;
	}
	g_autofree char *made = n == 0 ? made_id(im->trial, kind, parent, name) : NULL;
	json_object_set_new(item, "id", json_string(made != NULL ? made : id));
	return true;
}

static void complain_domain(struct import *im, int line, const json_t *item, const GError *err)
{
	static const char *const codes[] = { [GW_DOMAIN_INVALID] = "bad_value", [GW_DOMAIN_NOT_FOUND] = "unknown_parent",
					     [GW_DOMAIN_CONFLICT] = "cycle", [GW_DOMAIN_LIMIT] = "limit" };
	const char *code = err->code < (int)G_N_ELEMENTS(codes) && codes[err->code] != NULL ? codes[err->code] : "bad_value";
	const char *name = json_string_value(json_object_get(item, "name"));
	complain(im, line, code, err->code == GW_DOMAIN_INVALID ? err->message : name, err->message);
}

static void put_record(struct import *im, enum gw_directory kind, json_t *item, int line)
{
	const char *id = json_string_value(json_object_get(item, "id"));
	const void *old = g_hash_table_lookup(im->trial->directory[kind], id);
	g_autoptr(json_t) before = print_entry(kind, old);
	g_autoptr(GError) err = NULL;
	if (old != NULL) {
		index_entry(im->names, kind, old, before, false);
	}
	if (!gw_directory_put(im->trial, "import", gw_directory_rows[kind].kind, item, im->now, &err)) {
		complain_domain(im, line, item, err);	/* nothing will be imported: the index needs no mending */
		return;
	}
	const void *entry = g_hash_table_lookup(im->trial->directory[kind], id);
	g_autoptr(json_t) after = print_entry(kind, entry);
	index_entry(im->names, kind, entry, after, true);
	im->added += before == NULL;
	im->changed += before != NULL && !json_equal(before, after);
}

static void import_record(struct import *im, const GPtrArray *record, const int *column_at, int line)
{
	const char *word = column_at[C_KIND] < (int)record->len ? record->pdata[column_at[C_KIND]] : "";
	int kind = kind_of(word);
	if (kind < 0) {
		complain(im, line, "bad_kind", word, "kind: division, site, person or device");
		return;
	}
	g_autoptr(json_t) item = item_of((enum gw_directory)kind, record, column_at);
	if (!resolve_parent(im, (enum gw_directory)kind, item, line) || !give_id(im, (enum gw_directory)kind, item, line)) {
		return;
	}
	put_record(im, (enum gw_directory)kind, item, line);
}

static bool is_column(int c, const char *word)
{
	g_autofree char *bare = g_strstrip(g_strdup(word));
	return g_ascii_strcasecmp(bare, columns[c]) == 0 || g_strv_contains(aliases[c], bare);
}

static bool read_header(struct gw_csv_reader *r, int *column_at, struct import *im)
{
	g_autoptr(GPtrArray) header = gw_csv_record(r);
	for (int c = 0; c < C_N; c++) {
		column_at[c] = -1;
		for (unsigned n = 0; header != NULL && n < header->len; n++) {
			column_at[c] = is_column(c, header->pdata[n]) ? (int)n : column_at[c];
		}
	}
	if (column_at[C_KIND] < 0 || (column_at[C_ID] < 0 && column_at[C_NAME] < 0)) {
		complain(im, 1, "no_header", NULL, "the first line must name the columns, at least kind, and id or name");
		return false;
	}
	return true;
}

static void run(struct import *im, const char *csv)
{
	struct gw_csv_reader r = { csv, csv + strlen(csv), 1 };
	int column_at[C_N];
	if (!g_utf8_validate(csv, -1, NULL) || strlen(csv) > MAX_CSV) {
		complain(im, 1, "not_text", NULL, "UTF-8 of at most 1 MiB is wanted");
		return;
	}
	r.p += g_str_has_prefix(csv, "\xEF\xBB\xBF") ? 3 : 0;
	if (!read_header(&r, column_at, im)) {
		return;
	}
	while (r.p < r.end) {
		int line = ++r.line;
		g_autoptr(GPtrArray) record = gw_csv_record(&r);
		if (record == NULL) {
			complain(im, line, "quote", NULL, "a quote is not closed, or a field is too long");
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
	struct import im = { d, trial_of(d), json_array(), 0, 0, now, NULL };
	im.names = index_all(im.trial);
	run(&im, csv);
	if (!dry_run && json_array_size(im.errors) == 0) {
		commit(d, im.trial, actor, now);
	}
	g_hash_table_unref(im.names);
	gw_domain_free(im.trial);
	return json_pack("{s:I,s:I,s:I,s:o}", "added", (json_int_t)im.added, "changed", (json_int_t)im.changed, "removed",
			 (json_int_t)0, "errors", im.errors);
}
