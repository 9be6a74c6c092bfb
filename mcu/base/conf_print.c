/* Sample file and manual, printed from the option rows so that they cannot differ from the program. */
#include <string.h>

#include "mcu/base/conf_priv.h"

static const char *const type_names[] = { "text", "number", "true or false", "size", "time", "list" };

static char *range_text(const struct ort_conf_row *row)
{
	if (row->min == 0 && row->max == 0) {
		return g_strdup("");
	}
	return g_strdup_printf("%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT "%s", row->min, row->max,
			       row->type == ORT_C_MS ? " ms" : "");
}

static void print_value(GString *out, const struct ort_conf_row *row)
{
	const char *quote = row->type == ORT_C_STR ? "\"" : "";

	if (row->type == ORT_C_STRV) {
		g_autofree char *quoted = *conf_default(row) ? g_strdup_printf("\"%s\"", conf_default(row)) : g_strdup("");
		g_auto(GStrv) items = g_strsplit(quoted, ",", -1);
		g_autofree char *list = g_strjoinv("\", \"", items);

		g_string_append_printf(out, "[%s]\n", list);
		return;
	}
	g_string_append_printf(out, "%s%s%s\n", quote, conf_default(row), quote);
}

static void print_row(GString *out, const struct ort_conf_row *row, const char *name, int indent)
{
	g_autofree char *range = range_text(row);
	g_string_append_printf(out, "%*s# %s (%s%s%s%s%s)\n%*s#%s: ", indent, "", row->doc, type_names[row->type],
			       *range ? ", " : "", range, row->reloadable ? ", reloadable" : "",
			       row->secret ? ", secret" : "", indent, "", name);
	print_value(out, row);
}

/* The section of row `i` below `prefix_len` bytes of key was printed with an earlier row. */
static bool is_printed(const ort_conf *conf, size_t i, size_t section_len)
{
	for (size_t j = 0; j < i; j++) {
		if (strncmp(conf->rows[j].key, conf->rows[i].key, section_len + 1) == 0) {
			return true;
		}
	}
	return false;
}

static void print_section(GString *out, const ort_conf *conf, const char *prefix, size_t prefix_len, int indent)
{
	for (size_t i = 0; i < conf->n_rows; i++) {
		const char *key = conf->rows[i].key, *dot;

		if (strncmp(key, prefix, prefix_len) != 0) {
			continue;
		}
		dot = strchr(key + prefix_len, '.');
		if (!dot) {
			print_row(out, &conf->rows[i], key + prefix_len, indent);
		} else if (!is_printed(conf, i, (size_t)(dot - key))) {
			g_string_append_printf(out, "%s%*s%.*s:\n", indent == 0 && out->len > 0 ? "\n" : "", indent, "",
					       (int)(dot - key - (ptrdiff_t)prefix_len), key + prefix_len);
			print_section(out, conf, key, (size_t)(dot - key) + 1, indent + 2);
		}
	}
}

char *ort_conf_sample(const ort_conf *conf)
{
	GString *out = g_string_new(NULL);
	print_section(out, conf, "", 0, 0);
	return g_string_free(out, FALSE);
}

char *ort_conf_manual(const ort_conf *conf)
{
	GString *out = g_string_new("| Option | Type | Default | Range | Reload | Meaning |\n|---|---|---|---|---|---|\n");

	for (size_t i = 0; i < conf->n_rows; i++) {
		const struct ort_conf_row *row = &conf->rows[i];
		g_autofree char *range = range_text(row);
		g_autofree char *def = *conf_default(row) ? g_strdup_printf("`%s`", conf_default(row)) : g_strdup("");

		g_string_append_printf(out, "| `%s` | %s%s | %s | %s | %s | %s |\n", row->key, type_names[row->type],
				       row->secret ? ", secret" : "", def, range, row->reloadable ? "yes" : "no", row->doc);
	}
	return g_string_free(out, FALSE);
}
