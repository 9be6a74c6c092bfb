/* Field tables: JSON tree -> struct, struct -> JSON tree, and the text of both with limits. The schema printer of the same
 * tables is json_schema.c. */
#include "mcu/base/json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define DEPTH_MAX	   32
#define STR_MAX_DEFAULT	   256
#define STRV_ITEM_MAX	   1024
#define ARRAY_MAX_DEFAULT  256
#define RAW_MAX_DEFAULT	   65536
#define INT_EXACT	   9007199254740992.0 /* 2^53: the last whole number a double counts to */

struct reader {
	GString *path;	/* "codecs[2].name" */
	char *why;
};

static int read_struct(struct reader *r, const struct ort_json_table *table, const json_t *json, void *out);
static json_t *print_struct(const struct ort_json_table *table, const void *in, bool safe);

static int G_GNUC_PRINTF(2, 3) refuse(struct reader *r, const char *fmt, ...)
{
	va_list ap;
	char *what;
	va_start(ap, fmt);
	what = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	g_free(r->why);
	r->why = r->path->len > 0 ? g_strdup_printf("%s: %s", r->path->str, what) : g_strdup(what);
	g_free(what);
	return -EINVAL;
}

/* ---- read ---- */

static bool is_id_char(unsigned char c)
{
	return g_ascii_isalnum(c) || (c != '\0' && strchr("._:/-", c));
}

static bool is_id(const char *s)
{
	if (!*s) {
		return false;
	}
	for (; *s; s++) {
		if (!is_id_char((unsigned char)*s)) {
			return false;
		}
	}
	return true;
}

static const char *allowed_controls(unsigned flags)
{
	return flags & ORT_J_LINES ? "\n\t\r" : flags & ORT_J_TEXT ? "\n\t" : "";
}

/* C1 in UTF-8 is C2 80..C2 9F. */
static bool has_control(const char *s, unsigned flags)
{
	const char *allowed = allowed_controls(flags);
	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		if ((*p < 0x20 && !strchr(allowed, *p)) || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)) {
			return true;
		}
	}
	return false;
}

static int check_text(struct reader *r, const json_t *json, unsigned flags, size_t min, size_t max)
{
	const char *s = json_string_value(json);
	size_t len = json_string_length(json);

	if (!s) {
		return refuse(r, "must be a string");
	}
	if (len > max) {
		return refuse(r, "is longer than %zu bytes", max);
	}
	if (len < min) {
		return len == 0 ? refuse(r, "must not be empty") : refuse(r, "is shorter than %zu bytes", min);
	}
	if (strlen(s) != len || has_control(s, flags)) {
		return refuse(r, "has a control character");
	}
	if ((flags & ORT_J_ID) && !is_id(s)) {
		return refuse(r, "must be letters, digits and ._:/- only");
	}
	return 0;
}

static size_t limit(const struct ort_json_field *f, size_t otherwise)
{
	return f->max > 0 ? (size_t)f->max : otherwise;
}

static int read_str(struct reader *r, const struct ort_json_field *f, const json_t *json, void *at)
{
	int err = check_text(r, json, f->flags, (size_t)f->min, limit(f, STR_MAX_DEFAULT));
	if (err == 0) {
		*(char **)at = g_strdup(json_string_value(json));
	}
	return err;
}

static int check_range(struct reader *r, const struct ort_json_field *f, double d)
{
	if ((f->min != 0 || f->max != 0) && (d < f->min || (f->max >= f->min && d > f->max))) {
		return f->max >= f->min ? refuse(r, "must be between %.15g and %.15g", f->min, f->max)
					: refuse(r, "must be at least %.15g", f->min);
	}
	return 0;
}

static int read_int(struct reader *r, const struct ort_json_field *f, const json_t *json, void *at)
{
	double d = json_number_value(json);
	int64_t i;

	if (json_is_integer(json)) {
		i = json_integer_value(json);
	} else if (json_is_real(json) && d == floor(d) && fabs(d) <= INT_EXACT) {
		i = (int64_t)d;
	} else {
		return refuse(r, "must be a whole number");
	}
	if (check_range(r, f, (double)i) < 0) {
		return -EINVAL;
	}
	*(int64_t *)at = i;
	return 0;
}

static int read_double(struct reader *r, const struct ort_json_field *f, const json_t *json, void *at)
{
	double d = json_number_value(json);
	if (!json_is_number(json) || !isfinite(d)) {
		return refuse(r, "must be a number");
	}
	if (check_range(r, f, d) < 0) {
		return -EINVAL;
	}
	*(double *)at = d;
	return 0;
}

static int read_bool(struct reader *r, const struct ort_json_field *f, const json_t *json, void *at)
{
	if (!json_is_boolean(json)) {
		return refuse(r, "must be true or false");
	}
	*(bool *)at = json_is_true(json);
	return 0;
}

static int read_enum(struct reader *r, const struct ort_json_field *f, const json_t *json, void *at)
{
	g_autofree char *all = NULL;
	for (int i = 0; json_is_string(json) && f->names[i]; i++) {
		if (strcmp(json_string_value(json), f->names[i]) == 0) {
			*(int *)at = i;
			return 0;
		}
	}
	all = g_strjoinv(", ", (char **)f->names);
	return refuse(r, "must be one of %s", all);
}

static int read_object(struct reader *r, const struct ort_json_field *f, const json_t *json, void *at)
{
	return read_struct(r, f->sub, json, at);
}

static int check_array(struct reader *r, const struct ort_json_field *f, const json_t *json)
{
	size_t max = limit(f, ARRAY_MAX_DEFAULT);
	if (!json_is_array(json)) {
		return refuse(r, "must be an array");
	}
	if (json_array_size(json) > max) {
		return refuse(r, "has more than %zu elements", max);
	}
	if ((double)json_array_size(json) < f->min) {
		return refuse(r, "has fewer than %.15g elements", f->min);
	}
	return 0;
}

static int read_array(struct reader *r, const struct ort_json_field *f, const json_t *json, void *at)
{
	struct ort_json_array *array = at;
	size_t path_len = r->path->len, n = json_array_size(json);
	int err = check_array(r, f, json);

	if (err < 0 || n == 0) {
		return err;
	}
	array->items = g_malloc0_n(n, f->sub->size);
	array->n = n;
	for (size_t i = 0; i < n && err == 0; i++) {
		g_string_append_printf(r->path, "[%zu]", i);
		err = read_struct(r, f->sub, json_array_get(json, i), (char *)array->items + i * f->sub->size);
		g_string_truncate(r->path, path_len);
	}
	return err;
}

static int read_strv(struct reader *r, const struct ort_json_field *f, const json_t *json, void *at)
{
	size_t path_len = r->path->len, n = json_array_size(json);
	int err = check_array(r, f, json);
	char **strv;

	if (err < 0) {
		return err;
	}
	*(char ***)at = strv = g_new0(char *, n + 1);
	for (size_t i = 0; i < n && err == 0; i++) {
		g_string_append_printf(r->path, "[%zu]", i);
		err = check_text(r, json_array_get(json, i), f->flags, 0, STRV_ITEM_MAX);
		if (err == 0) {
			strv[i] = g_strdup(json_string_value(json_array_get(json, i)));
		}
		g_string_truncate(r->path, path_len);
	}
	return err;
}

static int read_raw(struct reader *r, const struct ort_json_field *f, const json_t *json, void *at)
{
	size_t max = limit(f, RAW_MAX_DEFAULT);
	if (json_dumpb(json, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) > max) {
		return refuse(r, "is longer than %zu bytes", max);
	}
	*(json_t **)at = json_incref((json_t *)json);
	return 0;
}

typedef int (*read_fn)(struct reader *r, const struct ort_json_field *f, const json_t *json, void *at);
static const read_fn readers[] = {
	[ORT_J_STR] = read_str,	      [ORT_J_INT] = read_int,	    [ORT_J_DOUBLE] = read_double,
	[ORT_J_BOOL] = read_bool,     [ORT_J_ENUM] = read_enum,	    [ORT_J_OBJECT] = read_object,
	[ORT_J_ARRAY] = read_array,   [ORT_J_STRV] = read_strv,	    [ORT_J_RAW] = read_raw,
};

static int read_field(struct reader *r, const struct ort_json_field *f, const json_t *json, void *out)
{
	const json_t *value = json_object_get(json, f->name);
	size_t path_len = r->path->len;
	int err = 0;
	g_string_append_printf(r->path, path_len > 0 ? ".%s" : "%s", f->name);
	if (value && !json_is_null(value)) {
		err = readers[f->type](r, f, value, (char *)out + f->offset);
	} else if (f->flags & ORT_J_REQUIRED) {
		err = refuse(r, "is required");
	}
	g_string_truncate(r->path, path_len);
	return err;
}

static int read_struct(struct reader *r, const struct ort_json_table *table, const json_t *json, void *out)
{
	int err = 0;
	if (!json_is_object(json)) {
		return refuse(r, "must be an object");
	}
	for (size_t i = 0; i < table->n_fields && err == 0; i++) {
		err = read_field(r, &table->fields[i], json, out);
	}
	return err;
}

int ort_json_read(const struct ort_json_table *table, const json_t *json, void *out, char **ret_why)
{
	struct reader r = { .path = g_string_new(NULL) };
	int err;

	memset(out, 0, table->size);
	err = read_struct(&r, table, json, out);
	if (err < 0) {
		ort_json_clear(table, out);
	}
	if (err < 0 && ret_why) {
		*ret_why = g_steal_pointer(&r.why);
	}
	g_free(r.why);
	g_string_free(r.path, TRUE);
	return err;
}

/* ---- clear ---- */

static void clear_array(const struct ort_json_table *sub, struct ort_json_array *array)
{
	for (size_t i = 0; i < array->n; i++) {
		ort_json_clear(sub, (char *)array->items + i * sub->size);
	}
	g_free(array->items);
}

static void clear_field(const struct ort_json_field *f, void *at)
{
	switch (f->type) {
	case ORT_J_STR:
		g_free(*(char **)at);
		break;
	case ORT_J_STRV:
		g_strfreev(*(char ***)at);
		break;
	case ORT_J_RAW:
		json_decref(*(json_t **)at);
		break;
	case ORT_J_OBJECT:
		ort_json_clear(f->sub, at);
		break;
	case ORT_J_ARRAY:
		clear_array(f->sub, at);
		break;
	default:
		break;
	}
}

void ort_json_clear(const struct ort_json_table *table, void *st)
{
	for (size_t i = 0; i < table->n_fields; i++) {
		clear_field(&table->fields[i], (char *)st + table->fields[i].offset);
	}
	memset(st, 0, table->size);
}

/* ---- print ---- */

static json_t *print_text(const char *s)
{
	json_t *json = json_string(s);
	if (!json) {
		g_autofree char *valid = g_utf8_make_valid(s, -1);
		json = json_string(valid);
	}
	return json;
}

static json_t *print_strv(char *const *strv)
{
	json_t *json = json_array();
	for (; strv && *strv; strv++) {
		json_array_append_new(json, print_text(*strv));
	}
	return json;
}

static json_t *print_array(const struct ort_json_table *sub, const struct ort_json_array *array, bool safe)
{
	json_t *json = json_array();
	for (size_t i = 0; i < array->n; i++) {
		json_array_append_new(json, print_struct(sub, (const char *)array->items + i * sub->size, safe));
	}
	return json;
}

static json_t *print_enum(const struct ort_json_field *f, int value)
{
	g_assert(value >= 0 && (guint)value < g_strv_length((char **)f->names));
	return json_string(f->names[value]);
}

static bool is_zero(const struct ort_json_field *f, const void *at)
{
	switch (f->type) {
	case ORT_J_STR:
		return !*(char *const *)at || !**(char *const *)at;
	case ORT_J_INT:
		return *(const int64_t *)at == 0;
	case ORT_J_DOUBLE:
		return fpclassify(*(const double *)at) == FP_ZERO;
	case ORT_J_BOOL:
		return !*(const bool *)at;
	case ORT_J_ENUM:
		return *(const int *)at == 0;
	case ORT_J_ARRAY:
		return ((const struct ort_json_array *)at)->n == 0;
	case ORT_J_STRV:
		return !*(char **const *)at || !**(char **const *)at;
	case ORT_J_RAW:
		return !*(json_t *const *)at;
	case ORT_J_OBJECT:
		for (size_t i = 0; i < f->sub->n_fields; i++) {
			if (!is_zero(&f->sub->fields[i], (const char *)at + f->sub->fields[i].offset)) {
				return false;
			}
		}
		return true;
	}
	g_assert_not_reached();
}

/* NULL = nothing to print: a pointer that is not there, a number that JSON has not. */
static json_t *print_value(const struct ort_json_field *f, const void *at, bool safe)
{
	if (safe && (f->flags & ORT_J_SECRET)) {
		return is_zero(f, at) ? NULL : json_string("***");
	}
	switch (f->type) {
	case ORT_J_STR:
		return *(char *const *)at ? print_text(*(char *const *)at) : NULL;
	case ORT_J_INT:
		return json_integer(*(const int64_t *)at);
	case ORT_J_DOUBLE:
		return json_real(*(const double *)at);
	case ORT_J_BOOL:
		return json_boolean(*(const bool *)at);
	case ORT_J_ENUM:
		return print_enum(f, *(const int *)at);
	case ORT_J_OBJECT:
		return print_struct(f->sub, at, safe);
	case ORT_J_ARRAY:
		return print_array(f->sub, at, safe);
	case ORT_J_STRV:
		return print_strv(*(char **const *)at);
	case ORT_J_RAW:
		return json_incref(*(json_t *const *)at);
	}
	g_assert_not_reached();
}

static json_t *print_struct(const struct ort_json_table *table, const void *in, bool safe)
{
	json_t *json = json_object();
	for (size_t i = 0; i < table->n_fields; i++) {
		const struct ort_json_field *f = &table->fields[i];
		const void *at = (const char *)in + f->offset;

		if ((f->flags & ORT_J_OMIT_ZERO) && is_zero(f, at)) {
			continue;
		}
		json_object_set_new(json, f->name, print_value(f, at, safe));	/* NULL value: nothing is set */
	}
	return json;
}

json_t *ort_json_print(const struct ort_json_table *table, const void *in)
{
	return print_struct(table, in, false);
}

json_t *ort_json_print_safe(const struct ort_json_table *table, const void *in)
{
	return print_struct(table, in, true);
}

/* ---- text ---- */

static json_t *refuse_text(char **ret_why, char *why)
{
	if (ret_why) {
		*ret_why = why;
	} else {
		g_free(why);
	}
	return NULL;
}

/* Index behind the string that begins at `i`, or `len`. */
static size_t skip_string(const char *text, size_t i, size_t len)
{
	for (i++; i < len && text[i] != '"'; i++) {
		i += text[i] == '\\';
	}
	return i;
}

/* Before jansson sees it: its own limit is 2048 levels of recursion. */
static bool is_too_deep(const char *text, size_t len)
{
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"') {
			i = skip_string(text, i, len);
		} else if (text[i] == '[' || text[i] == '{') {
			if (++depth > DEPTH_MAX) {
				return true;
			}
		} else if (text[i] == ']' || text[i] == '}') {
			depth--;
		}
	}
	return false;
}

json_t *ort_json_parse(const char *text, size_t len, size_t max_bytes, char **ret_why)
{
	json_error_t err;
	json_t *json;
	char *near;

	if (len > max_bytes) {
		return refuse_text(ret_why, g_strdup_printf("is longer than %zu bytes", max_bytes));
	}
	if (is_too_deep(text, len)) {
		return refuse_text(ret_why, g_strdup_printf("is nested deeper than %d", DEPTH_MAX));
	}
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &err);
	if (json) {
		return json;
	}
	near = strstr(err.text, " near ");	/* quotes the peer's bytes: not for our logs */
	if (near) {
		*near = '\0';
	}
	return refuse_text(ret_why, g_strdup_printf("line %d column %d: %s", err.line, err.column, err.text));
}

char *ort_json_text(const json_t *json)
{
	return json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
}
