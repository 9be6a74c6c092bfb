/* The duty roster as CSV: one line a shift of a place. Headers, places, shifts and people in Chinese or English, by id or name;
 * a wrong line is told with its number, and then nothing is imported. */
#include <string.h>

#include "gateway/domain/csv_priv.h"
#include "gateway/domain/directory_priv.h"

#define MAX_CSV (1024 * 1024)
#define MAX_ERRORS 100

enum { C_PLACE, C_DAY, C_SHIFT, C_PEOPLE, C_LEADER, C_N };
static const char *const columns[C_N] = { "place", "day", "shift", "people", "leader" };
static const char *const aliases[C_N][5] = {
	{ "单位", "值班单位", "会场", "区划", NULL }, { "日期", "date", NULL },	 { "班次", "时段", NULL },
	{ "值班人员", "值班员", "人员", NULL },       { "带班领导", "领导", "带班", NULL },
};
static const struct { const char *word, *shift; } shift_words[] = { { "白班", "day" }, { "白", "day" }, { "夜班", "night" }, { "夜", "night" } };

/* place -> GArray of gw_rec_duty_cell, owned */
struct import { gw_domain *d; const char *division; json_t *errors; GHashTable *cells; GHashTable *seen; int64_t added, changed; };

static void complain(struct import *im, int line, const char *code, const char *value, const char *why)
{
	if (json_array_size(im->errors) < MAX_ERRORS) {
		json_array_append_new(im->errors, json_pack("{s:i,s:s,s:s,s:s}", "line", line, "code", code, "value", value, "why", why));
	}
}

/* ---- names ---- */
static const char *by_name(const gw_domain *d, enum gw_directory kind, const char *name, const char *near, int *ret_n)
{
	const char *found = NULL, *close = NULL;
	int n_close = 0;
	GHashTableIter it;
	const void *entry;
	*ret_n = 0;
	g_hash_table_iter_init(&it, d->directory[kind]);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&entry)) {
		const char *own = kind == GW_PERSON ? ((const struct gw_rec_person *)entry)->name : gw_duty_place_name(d, gw_directory_id(entry));
		if (g_strcmp0(own, name) != 0) {
			continue;
		}
		found = gw_directory_id(entry);
		++*ret_n;
		if (near != NULL && g_strcmp0(gw_directory_parent(kind, entry), near) == 0) {
			close = found;
			n_close++;
		}
	}
	if (n_close == 1) {
		*ret_n = 1;
		return close;
	}
	return found;
}

static const char *place_of(struct import *im, const char *word, int line)
{
	int sites, divisions;
	if (gw_duty_is_place(im->d, word)) {
		return word;
	}
	const char *site = by_name(im->d, GW_SITE, word, NULL, &sites), *division = by_name(im->d, GW_DIVISION, word, NULL, &divisions);
	if (sites + divisions == 1) {
		return sites == 1 ? site : division;
	}
	complain(im, line, sites + divisions == 0 ? "unknown_place" : "ambiguous", word,
		 sites + divisions == 0 ? "no site or division has this name" : "several places have this name: give the id");
	return NULL;
}

/* NULL and complained: unknown, or another division's. */
static const char *our_place(struct import *im, const char *word, int line)
{
	const char *place = place_of(im, word, line);
	if (place != NULL && !gw_access_may(im->d, im->division, "place", place, true)) {
		complain(im, line, "not_yours", word, "this place belongs to another division");
		return NULL;
	}
	return place;
}

static const char *person_of(struct import *im, const char *word, const char *place, int line)
{
	int n;
	if (g_hash_table_contains(im->d->directory[GW_PERSON], word)) {
		return word;
	}
	const char *id = by_name(im->d, GW_PERSON, word, gw_duty_division(im->d, place), &n);
	if (n != 1) {
		complain(im, line, n == 0 ? "unknown_person" : "ambiguous", word,
			 n == 0 ? "this person is not in the directory" : "several people have this name: give the id");
	}
	return n == 1 ? id : NULL;
}

static const char *shift_of(struct import *im, const char *word, int line)
{
	const char *shift = word;
	for (unsigned n = 0; n < G_N_ELEMENTS(shift_words); n++) {
		shift = strcmp(shift_words[n].word, word) == 0 ? shift_words[n].shift : shift;
	}
	if (!gw_duty_shift_known(im->d, shift)) {
		complain(im, line, "unknown_shift", word, "no such shift is configured");
		return NULL;
	}
	return shift;
}

/* "2026-12-1", "2026/12/01", as spreadsheets write them. */
static bool day_of(struct import *im, const char *word, int line, char ret[GW_DAY])
{
	int y = 0, m = 0, day = 0;
	if (sscanf(word, "%4d%*[-/.]%2d%*[-/.]%2d", &y, &m, &day) == 3) {
		g_snprintf(ret, GW_DAY, "%04d-%02d-%02d", CLAMP(y, 0, 9999), CLAMP(m, 0, 99), CLAMP(day, 0, 99));
	}
	if (y == 0 || !gw_day_ok(ret)) {
		complain(im, line, "bad_day", word, "a day is written YYYY-MM-DD");
		return false;
	}
	return true;
}

/* ---- lines ---- */
static char **split_people(struct import *im, const char *text, const char *place, int line, bool *ret_ok)
{
	static const char *const marks[] = { "、", "，", "；", ";", "/", NULL };
	g_autoptr(GString) bare = g_string_new(text);
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
	for (unsigned n = 0; marks[n] != NULL; n++) {
		g_string_replace(bare, marks[n], ",", 0);
	}
	g_auto(GStrv) words = g_strsplit(bare->str, ",", -1);
	for (unsigned n = 0; words[n] != NULL; n++) {
		const char *word = g_strstrip(words[n]), *id = word[0] != '\0' ? person_of(im, word, place, line) : NULL;
		*ret_ok = *ret_ok && (word[0] == '\0' || id != NULL);
		if (id != NULL) {
			g_ptr_array_add(ids, g_strdup(id));
		}
	}
	g_ptr_array_add(ids, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&ids), FALSE);
}

static void cell_clear(gpointer p)
{
	ort_json_clear(&gw_rec_table_duty_cell, p);
}

static void array_unref(gpointer p)
{
	g_array_unref(p);
}

static bool same(const struct gw_duty_cell *a, const struct gw_rec_duty_cell *b)
{
	return a != NULL && g_strcmp0(a->leader, b->leader) == 0 && g_strv_equal((const char *const *)a->people, (const char *const *)b->people);
}

/* The cell is ours now. */
static void keep(struct import *im, const char *place, struct gw_rec_duty_cell *cell, int line)
{
	char *key = gw_duty_cell_key(place, cell->day, cell->shift);
	const struct gw_duty_cell *old = g_hash_table_lookup(im->d->duty->cells, key);
	if (!g_hash_table_add(im->seen, key)) {
		complain(im, line, "twice", cell->day, "this shift of this place stands on an earlier line");
		cell_clear(cell);
		return;
	}
	im->added += old == NULL;
	im->changed += old != NULL && !same(old, cell);
	GArray *cells = g_hash_table_lookup(im->cells, place);
	if (cells == NULL) {
		cells = g_array_new(FALSE, TRUE, sizeof(*cell));
		g_array_set_clear_func(cells, cell_clear);
		g_hash_table_insert(im->cells, g_strdup(place), cells);
	}
	if (same(old, cell)) {
		cell_clear(cell);
	} else {
		g_array_append_val(cells, *cell);
	}
}

static void import_line(struct import *im, const GPtrArray *record, const int *column_at, int line)
{
	const char *field[C_N];
	char day[GW_DAY] = "";
	for (int c = 0; c < C_N; c++) {
		bool there = column_at[c] >= 0 && column_at[c] < (int)record->len;
		field[c] = there ? g_strstrip((char *)record->pdata[column_at[c]]) : "";
	}
	const char *place = our_place(im, field[C_PLACE], line), *shift = shift_of(im, field[C_SHIFT], line);
	bool ok = day_of(im, field[C_DAY], line, day) && place != NULL && shift != NULL;
	if (!ok) {
		return;
	}
	struct gw_rec_duty_cell cell = { g_strdup(day), g_strdup(shift), split_people(im, field[C_PEOPLE], place, line, &ok), NULL };
	const char *leader = field[C_LEADER][0] != '\0' ? person_of(im, field[C_LEADER], place, line) : NULL;
	cell.leader = g_strdup(leader);
	if (ok && cell.people[0] == NULL && cell.leader == NULL) {
		complain(im, line, "nobody", field[C_DAY], "a line names at least one person");
		ok = false;
	} else if (ok && g_strv_length(cell.people) > 12) {
		complain(im, line, "too_many", field[C_DAY], "at most 12 people in a shift");
		ok = false;
	}
	if (ok && (leader != NULL || field[C_LEADER][0] == '\0')) {
		keep(im, place, &cell, line);
	} else {
		cell_clear(&cell);
	}
}

/* ---- the file ---- */
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
	if (column_at[C_PLACE] < 0 || column_at[C_DAY] < 0 || column_at[C_SHIFT] < 0 || column_at[C_PEOPLE] < 0) {
		complain(im, 1, "no_header", "", "the first line must name the columns place, day, shift, people, and may name leader");
		return false;
	}
	return true;
}

static void read_all(struct import *im, const char *csv)
{
	struct gw_csv_reader r = { csv, csv + strlen(csv), 1 };
	int column_at[C_N];
	if (!g_utf8_validate(csv, -1, NULL) || strlen(csv) > MAX_CSV) {
		complain(im, 1, "not_text", "", "UTF-8 of at most 1 MiB is wanted");
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
			complain(im, line, "quote", "", "a quote is not closed, or a field is too long");
			return;
		}
		if (record->len > 1 || ((char *)record->pdata[0])[0] != '\0') {
			import_line(im, record, column_at, line);
		}
	}
}

static void commit(struct import *im, const char *actor, struct gw_now now)
{
	GHashTableIter it;
	char *place;
	GArray *cells;
	g_hash_table_iter_init(&it, im->cells);
	while (g_hash_table_iter_next(&it, (gpointer *)&place, (gpointer *)&cells)) {
		gw_duty_put_cells(im->d, actor, place, (struct gw_rec_duty_cell *)(void *)cells->data, cells->len, now);
	}
	g_autoptr(GPtrArray) places = gw_duty_places(im->d);
	gw_duty_roster_tick(im->d, places, now);
	gw_duty_changed(im->d, "roster");
}

json_t *gw_duty_import(gw_domain *d, const char *actor, const char *division, const char *csv, bool dry_run, struct gw_now now)
{
	struct import im = { .d = d, .division = division, .errors = json_array() };
	im.cells = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, array_unref);
	im.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	read_all(&im, csv);
	if (!dry_run && json_array_size(im.errors) == 0) {
		commit(&im, actor, now);
	}
	g_hash_table_unref(im.cells);
	g_hash_table_unref(im.seen);
	return json_pack("{s:I,s:I,s:o}", "added", (json_int_t)im.added, "changed", (json_int_t)im.changed, "errors", im.errors);
}

/* ---- out ---- */
static int by_key(gconstpointer a, gconstpointer b)
{
	const struct gw_duty_cell *x = *(void *const *)a, *y = *(void *const *)b;
	int order = strcmp(x->place, y->place);
	order = order != 0 ? order : strcmp(x->day, y->day);
	return order != 0 ? order : strcmp(x->shift, y->shift);
}

/* Names that only one person has. */
static GHashTable *plain_names(const gw_domain *d)
{
	GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);	/* name -> person, NULL = several */
	GHashTableIter it;
	struct gw_rec_person *p;
	g_hash_table_iter_init(&it, d->directory[GW_PERSON]);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&p)) {
		if (p->name != NULL) {
			g_hash_table_insert(names, p->name, g_hash_table_contains(names, p->name) ? NULL : p);
		}
	}
	return names;
}

/* By name where the name is enough to be read back. */
static const char *word_for(const gw_domain *d, GHashTable *names, const char *person)
{
	const char *name = gw_duty_person_name(d, person);
	return g_hash_table_lookup(names, name) != NULL ? name : person;
}

static void put_line(const gw_domain *d, GString *out, GHashTable *names, const struct gw_duty_cell *c)
{
	g_autoptr(GString) people = g_string_new(NULL);
	for (unsigned n = 0; c->people != NULL && c->people[n] != NULL; n++) {
		g_string_append_printf(people, "%s%s", n > 0 ? "、" : "", word_for(d, names, c->people[n]));
	}
	const char *shift = strcmp(c->shift, "day") == 0 ? "白班" : strcmp(c->shift, "night") == 0 ? "夜班" : c->shift;
	const char *const fields[] = { gw_duty_place_name(d, c->place), c->day, shift, people->str, c->leader != NULL ? word_for(d, names, c->leader) : "" };
	for (unsigned n = 0; n < G_N_ELEMENTS(fields); n++) {
		g_string_append(out, n > 0 ? "," : "");
		gw_csv_field(out, fields[n]);
	}
	g_string_append(out, "\r\n");
}

char *gw_duty_export(const gw_domain *d, const char *month)
{
	GString *out = g_string_new("\xEF\xBB\xBF单位,日期,班次,值班人员,带班领导\r\n");
	g_autoptr(GPtrArray) cells = g_ptr_array_new();
	g_autoptr(GHashTable) names = plain_names(d);
	GHashTableIter it;
	struct gw_duty_cell *cell;
	g_hash_table_iter_init(&it, d->duty->cells);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&cell)) {
		if (strncmp(cell->day, month, 7) == 0) {
			g_ptr_array_add(cells, cell);
		}
	}
	g_ptr_array_sort(cells, by_key);
	for (unsigned n = 0; n < cells->len; n++) {
		put_line(d, out, names, cells->pdata[n]);
	}
	return g_string_free(out, FALSE);
}
