/* Options: YAML nested maps are flattened to the dotted keys of the rows. Every load works on a copy, so an error leaves the
 * old values. The printers of the same rows are conf_print.c. */
#include "mcu/base/conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "mcu/base/conf_priv.h"

#define TEXT_MAX  (1024 * 1024)
#define DEPTH_MAX 8
#define ITEMS_MAX 256

/* ---- values ---- */

static void clear_values(struct conf_value *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		g_free(values[i].text);
		g_strfreev(values[i].strv);
	}
	g_free(values);
}

static struct conf_value *copy_values(const ort_conf *conf)
{
	struct conf_value *copy = g_new0(struct conf_value, conf->n_rows);
	for (size_t i = 0; i < conf->n_rows; i++) {
		copy[i].text = g_strdup(conf->values[i].text);
		copy[i].number = conf->values[i].number;
		copy[i].strv = g_strdupv(conf->values[i].strv);
	}
	return copy;
}

struct unit { const char *name; int64_t factor; };
static const struct number_type { struct unit units[7]; const char *want; } number_types[] = {
	[ORT_C_INT] = { { { "", 1 } }, "must be a whole number" },
	[ORT_C_SIZE] = { { { "", 1 }, { "K", 1024 }, { "M", 1048576 }, { "G", 1073741824 } },
			 "must be a size: bytes, or with K, M, G" },
	[ORT_C_MS] = { { { "", 1 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } },
		       "must be a time: ms, s, m, h, d; a bare number is ms" },
};

static bool read_number(const char *text, const struct unit *units, int64_t *ret)
{
	char *end;
	int64_t n;

	errno = 0;
	n = g_ascii_strtoll(text, &end, 10);
	if (end == text || errno != 0 || g_ascii_isspace(*text) || *text == '+') {
		return false;
	}
	for (; units->name; units++) {
		if (strcmp(units->name, end) == 0) {
			return !__builtin_mul_overflow(n, units->factor, ret);
		}
	}
	return false;
}

static bool read_bool(const char *text, int64_t *ret)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (g_ascii_strcasecmp(text, words[i]) == 0) {
			*ret = i & 1;
			return true;
		}
	}
	return false;
}

static char *check_range(const struct ort_conf_row *row, int64_t n)
{
	if ((row->min != 0 || row->max != 0) && (n < row->min || n > row->max)) {
		return g_strdup_printf("must be between %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT, row->min, row->max);
	}
	return NULL;
}

static char **split(const char *text)
{
	char **strv = g_strsplit(text, ",", -1);
	for (char **s = strv; *s; s++) {
		g_strstrip(*s);
	}
	if (strv[0] && !strv[1] && !*strv[0]) {
		g_free(g_steal_pointer(&strv[0]));
	}
	return strv;
}

/* NULL, or what is wrong (transfer full). */
static char *read_value(const struct ort_conf_row *row, const char *text, struct conf_value *ret)
{
	if (row->type == ORT_C_STRV) {
		ret->strv = split(text);
	} else if (row->type == ORT_C_BOOL) {
		return read_bool(text, &ret->number) ? NULL : g_strdup("must be true or false");
	} else if (row->type != ORT_C_STR) {
		const struct number_type *type = &number_types[row->type];
		return read_number(text, type->units, &ret->number) ? check_range(row, ret->number) : g_strdup(type->want);
	}
	return NULL;
}

static char *put_value(const struct ort_conf_row *row, const char *text, struct conf_value *at)
{
	struct conf_value fresh = { 0 };
	char *why = read_value(row, text, &fresh);
	if (why) {
		return why;
	}
	g_free(at->text);
	g_strfreev(at->strv);
	*at = fresh;
	at->text = g_strdup(text);
	return NULL;
}

static ssize_t find_row(const ort_conf *conf, const char *key)
{
	for (size_t i = 0; i < conf->n_rows; i++) {
		if (strcmp(conf->rows[i].key, key) == 0) {
			return (ssize_t)i;
		}
	}
	return -1;
}

static bool is_section(const ort_conf *conf, const char *key)
{
	size_t len = strlen(key);
	for (size_t i = 0; i < conf->n_rows; i++) {
		if (strncmp(conf->rows[i].key, key, len) == 0 && conf->rows[i].key[len] == '.') {
			return true;
		}
	}
	return false;
}

/* ---- YAML ---- */

struct loader {
	const ort_conf *conf;
	struct conf_value *values;	/* the copy */
	bool *seen;
	GString *key;
	yaml_parser_t yaml;
	char *why;
};

static int G_GNUC_PRINTF(3, 4) refuse(struct loader *l, size_t line, const char *fmt, ...)
{
	va_list ap;
	char *what;
	va_start(ap, fmt);
	what = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	l->why = l->key->len > 0 ? g_strdup_printf("line %zu: %s: %s", line + 1, l->key->str, what)
				 : g_strdup_printf("line %zu: %s", line + 1, what);
	g_free(what);
	return -EINVAL;
}

/* Aliases make small files big, tags ask for types that we have not: both refused wherever they stand. */
static int check_event(struct loader *l, const yaml_event_t *ev)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		anchor = ev->data.scalar.anchor;
		tag = ev->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = ev->data.sequence_start.anchor;
		tag = ev->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = ev->data.mapping_start.anchor;
		tag = ev->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (ev->type == YAML_ALIAS_EVENT || anchor || tag) {
		return refuse(l, ev->start_mark.line, "aliases and tags are not allowed");
	}
	return 0;
}

static int next_event(struct loader *l, yaml_event_t *ev)
{
	int err;
	if (!yaml_parser_parse(&l->yaml, ev)) {
		memset(ev, 0, sizeof(*ev));
		return refuse(l, l->yaml.problem_mark.line, "not YAML: %s", l->yaml.problem ? l->yaml.problem : "?");
	}
	err = check_event(l, ev);
	if (err < 0) {
		yaml_event_delete(ev);
		memset(ev, 0, sizeof(*ev));
	}
	return err;
}

static const char *scalar_text(const yaml_event_t *ev)
{
	return (const char *)ev->data.scalar.value;
}

static bool is_null(const yaml_event_t *ev)
{
	const char *text = scalar_text(ev);
	return ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

/* `text` NULL = back to the default. */
static int set_key(struct loader *l, size_t line, const char *text)
{
	ssize_t i = find_row(l->conf, l->key->str);
	g_autofree char *why = NULL;
	if (i < 0) {
		return refuse(l, line, is_section(l->conf, l->key->str) ? "is a section, not a value" : "no such option");
	}
	if (l->seen[i]) {
		return refuse(l, line, "stands here twice");
	}
	l->seen[i] = true;
	why = put_value(&l->conf->rows[i], text ? text : conf_default(&l->conf->rows[i]), &l->values[i]);
	return why ? refuse(l, line, "%s", why) : 0;
}

static int take_scalar(struct loader *l, const yaml_event_t *ev)
{
	if (strlen(scalar_text(ev)) != ev->data.scalar.length) {
		return refuse(l, ev->start_mark.line, "has a NUL");
	}
	if (is_null(ev) && is_section(l->conf, l->key->str)) {
		return 0;	/* all of its options are commented out */
	}
	return set_key(l, ev->start_mark.line, is_null(ev) ? NULL : scalar_text(ev));
}

static int take_item(struct loader *l, const yaml_event_t *ev, GString *list, unsigned n)
{
	if (ev->type != YAML_SCALAR_EVENT || strchr(scalar_text(ev), ',')) {
		return refuse(l, ev->start_mark.line, "elements must be plain texts without a comma");
	}
	if (n >= ITEMS_MAX) {
		return refuse(l, ev->start_mark.line, "has more than %d elements", ITEMS_MAX);
	}
	g_string_append_printf(list, n > 0 ? ",%s" : "%s", scalar_text(ev));
	return 0;
}

static int take_sequence(struct loader *l, size_t line)
{
	GString *list = g_string_new(NULL);
	ssize_t i = find_row(l->conf, l->key->str);
	int err = i >= 0 && l->conf->rows[i].type != ORT_C_STRV ? refuse(l, line, "must not be a list") : 0;

	for (unsigned n = 0; err == 0; n++) {
		yaml_event_t ev;

		err = next_event(l, &ev);
		if (err == 0 && ev.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&ev);
			err = set_key(l, line, list->str);
			break;
		}
		err = err < 0 ? err : take_item(l, &ev, list, n);
		yaml_event_delete(&ev);
	}
	g_string_free(list, TRUE);
	return err;
}

static int take_mapping(struct loader *l, unsigned depth, size_t line);

static int take_node(struct loader *l, unsigned depth)
{
	yaml_event_t ev;
	int err = next_event(l, &ev);
	if (err == 0 && ev.type == YAML_SCALAR_EVENT) {
		err = take_scalar(l, &ev);
	} else if (err == 0 && ev.type == YAML_SEQUENCE_START_EVENT) {
		err = take_sequence(l, ev.start_mark.line);
	} else if (err == 0) {
		err = take_mapping(l, depth + 1, ev.start_mark.line);
	}
	yaml_event_delete(&ev);
	return err;
}

static int take_member(struct loader *l, const yaml_event_t *ev, unsigned depth)
{
	size_t key_len = l->key->len;
	int err;

	if (ev->type != YAML_SCALAR_EVENT) {
		return refuse(l, ev->start_mark.line, "a key must be a plain text");
	}
	g_string_append_printf(l->key, key_len > 0 ? ".%s" : "%s", scalar_text(ev));
	if (find_row(l->conf, l->key->str) < 0 && !is_section(l->conf, l->key->str)) {
		err = refuse(l, ev->start_mark.line, "no such option");
	} else {
		err = take_node(l, depth);
	}
	g_string_truncate(l->key, key_len);
	return err;
}

static int take_mapping(struct loader *l, unsigned depth, size_t line)
{
	int err = 0;

	if (depth > DEPTH_MAX) {
		return refuse(l, line, "nested deeper than %d", DEPTH_MAX);
	}
	if (l->key->len > 0 && !is_section(l->conf, l->key->str)) {
		return refuse(l, line, "is a value, not a section");
	}
	while (err == 0) {
		yaml_event_t ev;
		bool end;

		err = next_event(l, &ev);
		end = err == 0 && ev.type == YAML_MAPPING_END_EVENT;
		err = err == 0 && !end ? take_member(l, &ev, depth) : err;
		yaml_event_delete(&ev);
		if (end) {
			break;
		}
	}
	return err;
}

static int take_root(struct loader *l, const yaml_event_t *ev)
{
	if (ev->type == YAML_MAPPING_START_EVENT) {
		return take_mapping(l, 1, ev->start_mark.line);
	}
	if (ev->type == YAML_SCALAR_EVENT && is_null(ev)) {
		return 0;
	}
	return refuse(l, ev->start_mark.line, "the file must be a map of options");
}

static int take_stream(struct loader *l)
{
	bool done = false, root = false;
	int err = 0;

	while (err == 0 && !done) {
		yaml_event_t ev;

		err = next_event(l, &ev);
		if (err == 0 && ev.type == YAML_STREAM_END_EVENT) {
			done = true;
		} else if (err == 0 && ev.type == YAML_DOCUMENT_START_EVENT) {
			err = root ? refuse(l, ev.start_mark.line, "only one document is allowed") : 0;
			root = true;
		} else if (err == 0 && ev.type != YAML_STREAM_START_EVENT && ev.type != YAML_DOCUMENT_END_EVENT) {
			err = take_root(l, &ev);
		}
		yaml_event_delete(&ev);
	}
	return err;
}

static int load_values(const ort_conf *conf, struct conf_value *values, const char *text, size_t len, char **ret_why)
{
	struct loader l = { .conf = conf, .values = values };
	int err;

	if (len > TEXT_MAX) {
		*ret_why = g_strdup_printf("longer than %d bytes", TEXT_MAX);
		return -EINVAL;
	}
	if (!yaml_parser_initialize(&l.yaml)) {
		g_error("yaml: out of memory");
	}
	l.key = g_string_new(NULL);
	l.seen = g_new0(bool, conf->n_rows);
	yaml_parser_set_input_string(&l.yaml, (const unsigned char *)(text ? text : ""), len);
	yaml_parser_set_encoding(&l.yaml, YAML_UTF8_ENCODING);
	err = take_stream(&l);
	*ret_why = l.why;
	yaml_parser_delete(&l.yaml);
	g_string_free(l.key, TRUE);
	g_free(l.seen);
	return err;
}

/* ---- face ---- */

/* Ends a load: keeps `values` or throws them away. */
static int settle(ort_conf *conf, struct conf_value *values, int err, char *why, char **ret_why)
{
	if (err == 0) {
		clear_values(conf->values, conf->n_rows);
		conf->values = values;
		return 0;
	}
	clear_values(values, conf->n_rows);
	if (ret_why) {
		*ret_why = why;
	} else {
		g_free(why);
	}
	return err;
}

ort_conf *ort_conf_new(const struct ort_conf_row *rows, size_t n_rows)
{
	ort_conf *conf = g_new0(ort_conf, 1);

	conf->rows = rows;
	conf->n_rows = n_rows;
	conf->values = g_new0(struct conf_value, n_rows);
	for (size_t i = 0; i < n_rows; i++) {
		g_autofree char *why = put_value(&rows[i], conf_default(&rows[i]), &conf->values[i]);

		if (why) {
			g_error("option %s: default '%s' %s", rows[i].key, conf_default(&rows[i]), why);
		}
	}
	return conf;
}

void ort_conf_free(ort_conf *conf)
{
	if (conf) {
		clear_values(conf->values, conf->n_rows);
		g_free(conf);
	}
}

int ort_conf_load_text(ort_conf *conf, const char *text, size_t len, char **ret_why)
{
	struct conf_value *values = copy_values(conf);
	char *why = NULL;
	int err = load_values(conf, values, text, len, &why);
	return settle(conf, values, err, why, ret_why);
}

static int load_file(const ort_conf *conf, struct conf_value *values, const char *path, char **ret_why)
{
	g_autoptr(GError) gerr = NULL;
	g_autofree char *text = NULL, *why = NULL;
	gsize len;
	int err;

	if (!g_file_get_contents(path, &text, &len, &gerr)) {
		if (g_error_matches(gerr, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
			return 0;
		}
		*ret_why = g_strdup(gerr->message);
		return -EIO;
	}
	err = load_values(conf, values, text, len, &why);
	if (err < 0) {
		*ret_why = g_strdup_printf("%s: %s", path, why);
	}
	return err;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *dropin_names(const char *folder)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	GDir *dir = g_dir_open(folder, 0, NULL);	/* no folder: no drop-ins */
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		if (g_str_has_suffix(name, ".yaml") && name[0] != '.') {
			g_ptr_array_add(names, g_build_filename(folder, name, NULL));
		}
	}
	if (dir) {
		g_dir_close(dir);
	}
	g_ptr_array_sort(names, by_name);
	return names;
}

int ort_conf_load(ort_conf *conf, const char *path, char **ret_why)
{
	g_autofree char *folder = g_strconcat(path, ".d", NULL);
	g_autoptr(GPtrArray) names = dropin_names(folder);
	struct conf_value *values = copy_values(conf);
	char *why = NULL;
	int err = load_file(conf, values, path, &why);
	for (guint i = 0; i < names->len && err == 0; i++) {
		err = load_file(conf, values, names->pdata[i], &why);
	}
	return settle(conf, values, err, why, ret_why);
}

int ort_conf_set(ort_conf *conf, const char *key, const char *value, char **ret_why)
{
	ssize_t i = find_row(conf, key);
	g_autofree char *why = i < 0 ? g_strdup("no such option") : put_value(&conf->rows[i], value, &conf->values[i]);
	if (why && ret_why) {
		*ret_why = g_strdup_printf("%s: %s", key, why);
	}
	return why ? -EINVAL : 0;
}

static const struct conf_value *get(const ort_conf *conf, const char *key, unsigned types)
{
	ssize_t i = find_row(conf, key);
	if (i < 0 || !(types & (1U << conf->rows[i].type))) {
		g_error("option %s: not a row, or of another type", key);
	}
	return &conf->values[i];
}

const char *ort_conf_str(const ort_conf *conf, const char *key)
{
	return get(conf, key, 1U << ORT_C_STR)->text;
}

int64_t ort_conf_int(const ort_conf *conf, const char *key)
{
	return get(conf, key, 1U << ORT_C_INT | 1U << ORT_C_SIZE | 1U << ORT_C_MS)->number;
}

bool ort_conf_bool(const ort_conf *conf, const char *key)
{
	return get(conf, key, 1U << ORT_C_BOOL)->number != 0;
}

const char *const *ort_conf_strv(const ort_conf *conf, const char *key)
{
	return (const char *const *)get(conf, key, 1U << ORT_C_STRV)->strv;
}
