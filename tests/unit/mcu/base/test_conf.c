/* Options from YAML: values, exact refusals with line and key, drop-ins, printers. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "mcu/base/conf.h"

static const struct ort_conf_row rows[] = {
	{ "name", ORT_C_STR, "ortoo", 0, 0, false, false, "name of this site" },
	{ "web.listen", ORT_C_STR, "0.0.0.0:8443", 0, 0, false, false, "address and port" },
	{ "web.tls.cert", ORT_C_STR, NULL, 0, 0, true, false, "certificate file" },
	{ "web.tls.key", ORT_C_STR, "", 0, 0, true, true, "key file" },
	{ "web.origins", ORT_C_STRV, "https://a, https://b", 0, 0, true, false, "pages that may call" },
	{ "rooms.max", ORT_C_INT, "64", 1, 4096, true, false, "most rooms" },
	{ "rooms.open", ORT_C_BOOL, "yes", 0, 0, true, false, "open at start" },
	{ "log.size", ORT_C_SIZE, "10M", 0, 0, false, false, "size of a file" },
	{ "roll.ring", ORT_C_MS, "30s", 1000, 600000, true, false, "a duty room rings at most this long" },
};

static ort_conf *fresh(void)
{
	return ort_conf_new(rows, G_N_ELEMENTS(rows));
}

static void defaults_are_read(void)
{
	g_autoptr(ort_conf) conf = fresh();

	g_assert_cmpstr(ort_conf_str(conf, "name"), ==, "ortoo");
	g_assert_cmpstr(ort_conf_str(conf, "web.tls.cert"), ==, "");
	g_assert_cmpint(ort_conf_int(conf, "rooms.max"), ==, 64);
	g_assert_true(ort_conf_bool(conf, "rooms.open"));
	g_assert_cmpint(ort_conf_int(conf, "log.size"), ==, 10 * 1024 * 1024);
	g_assert_cmpint(ort_conf_int(conf, "roll.ring"), ==, 30000);
	g_assert_cmpuint(g_strv_length((char **)ort_conf_strv(conf, "web.origins")), ==, 2);
	g_assert_cmpstr(ort_conf_strv(conf, "web.origins")[1], ==, "https://b");
}

static const struct { const char *name, *yaml, *why; } loads[] = {
	{ "empty", "", NULL },
	{ "only-comments", "# nothing\n", NULL },
	{ "nested", "name: x\nweb:\n  tls:\n    cert: /c\n  origins: [a, b, c]\nrooms:\n  max: 5\n", NULL },
	{ "dotted", "web.tls.cert: /c\n", NULL },
	{ "block-list", "web:\n  origins:\n    - a\n    - b\n", NULL },
	{ "empty-list", "web:\n  origins: []\n", NULL },
	{ "empty-section", "web:\nrooms:\n  max: 3\n", NULL },
	{ "unknown", "name: x\nroms:\n  max: 5\n", "line 2: roms: no such option" },
	{ "unknown-nested", "web:\n  listn: x\n", "line 2: web.listn: no such option" },
	{ "not-number", "rooms:\n  max: many\n", "line 2: rooms.max: must be a whole number" },
	{ "number-with-unit", "rooms:\n  max: 5K\n", "line 2: rooms.max: must be a whole number" },
	{ "huge-number", "rooms:\n  max: 99999999999999999999\n", "line 2: rooms.max: must be a whole number" },
	{ "out-of-range", "\nrooms: { max: 0 }\n", "line 2: rooms.max: must be between 1 and 4096" },
	{ "size-overflow", "log:\n  size: 9223372036854775807G\n",
	  "line 2: log.size: must be a size: bytes, or with K, M, G" },
	{ "time-range", "roll:\n  ring: 1h\n", "line 2: roll.ring: must be between 1000 and 600000" },
	{ "bad-bool", "rooms:\n  open: maybe\n", "line 2: rooms.open: must be true or false" },
	{ "twice", "name: a\nname: b\n", "line 2: name: stands here twice" },
	{ "twice-dotted", "web:\n  listen: a\nweb.listen: b\n", "line 3: web.listen: stands here twice" },
	{ "list-for-text", "name: [a]\n", "line 1: name: must not be a list" },
	{ "map-for-value", "name:\n  x: 1\n", "line 2: name: is a value, not a section" },
	{ "value-for-section", "web: x\n", "line 1: web: is a section, not a value" },
	{ "alias", "name: &a x\nweb:\n  listen: *a\n", "line 1: name: aliases and tags are not allowed" },
	{ "tag", "name: !!str x\n", "line 1: name: aliases and tags are not allowed" },
	{ "two-documents", "name: a\n---\nname: b\n", "line 2: only one document is allowed" },
	{ "root-list", "- a\n", "line 1: the file must be a map of options" },
	{ "not-yaml", "name: \"x\n", "line 2: name: not YAML: found unexpected end of stream" },
	{ "item-with-comma", "web:\n  origins: [\"a,b\"]\n",
	  "line 2: web.origins: elements must be plain texts without a comma" },
	{ "bad-utf8", "name: \xff\n", "line 1: not YAML: invalid leading UTF-8 octet" },
};

static void loads_or_says_why(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	g_autoptr(ort_conf) conf = fresh();
	g_autofree char *why = NULL;
	int err = ort_conf_load_text(conf, loads[i].yaml, strlen(loads[i].yaml), &why);

	g_assert_cmpstr(why, ==, loads[i].why);
	g_assert_cmpint(err, ==, loads[i].why ? -EINVAL : 0);
	if (err < 0) {	/* nothing changed */
		g_assert_cmpstr(ort_conf_str(conf, "name"), ==, "ortoo");
		g_assert_cmpint(ort_conf_int(conf, "rooms.max"), ==, 64);
	}
}

static void values_are_laid_over(void)
{
	static const char yaml[] = "web:\n  tls: { cert: /c }\n  origins: [x]\nrooms: { max: 7, open: off }\n"
				   "log: { size: 3K }\nroll: { ring: 2m }\n";
	g_autoptr(ort_conf) conf = fresh();

	g_assert_cmpint(ort_conf_set(conf, "name", "from line", NULL), ==, 0);
	g_assert_cmpint(ort_conf_load_text(conf, yaml, strlen(yaml), NULL), ==, 0);
	g_assert_cmpstr(ort_conf_str(conf, "name"), ==, "from line");
	g_assert_cmpstr(ort_conf_str(conf, "web.tls.cert"), ==, "/c");
	g_assert_cmpstr(ort_conf_strv(conf, "web.origins")[0], ==, "x");
	g_assert_cmpint(ort_conf_int(conf, "rooms.max"), ==, 7);
	g_assert_false(ort_conf_bool(conf, "rooms.open"));
	g_assert_cmpint(ort_conf_int(conf, "log.size"), ==, 3072);
	g_assert_cmpint(ort_conf_int(conf, "roll.ring"), ==, 120000);
	g_assert_cmpint(ort_conf_load_text(conf, "name: ~\n", 8, NULL), ==, 0);
	g_assert_cmpstr(ort_conf_str(conf, "name"), ==, "ortoo");
}

static void deep_and_long_texts_are_refused(void)
{
	g_autoptr(ort_conf) conf = fresh();
	g_autofree char *why = NULL, *big = g_malloc0(2 * 1024 * 1024), *why_big = NULL;

	memset(big, '#', 2 * 1024 * 1024);
	g_assert_cmpint(ort_conf_load_text(conf, big, 2 * 1024 * 1024, &why_big), ==, -EINVAL);
	g_assert_cmpstr(why_big, ==, "longer than 1048576 bytes");
	memset(big, '[', 100000);
	g_assert_cmpint(ort_conf_load_text(conf, big, 100000, &why), ==, -EINVAL);
}

static void command_line_is_checked(void)
{
	g_autoptr(ort_conf) conf = fresh();
	g_autofree char *why = NULL, *why2 = NULL;

	g_assert_cmpint(ort_conf_set(conf, "rooms.max", "9999", &why), ==, -EINVAL);
	g_assert_cmpstr(why, ==, "rooms.max: must be between 1 and 4096");
	g_assert_cmpint(ort_conf_set(conf, "rooms.min", "1", &why2), ==, -EINVAL);
	g_assert_cmpstr(why2, ==, "rooms.min: no such option");
	g_assert_cmpint(ort_conf_set(conf, "web.origins", "p, q ,r", NULL), ==, 0);
	g_assert_cmpstr(ort_conf_strv(conf, "web.origins")[1], ==, "q");
}

static void put_file(const char *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void remove_all(const char *folder, const char *const *names)
{
	for (; *names; names++) {
		g_autofree char *path = g_build_filename(folder, *names, NULL);

		g_remove(path);
	}
}

static void drop_ins_go_in_name_order(void)
{
	static const char *const names[] = { "a.yaml.d/20.yaml", "a.yaml.d/10.yaml", "a.yaml.d/30.txt", "a.yaml",
					     "a.yaml.d", ".", NULL };
	g_autofree char *folder = g_dir_make_tmp("conf-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "a.yaml", NULL), *sub = g_strconcat(path, ".d", NULL);
	g_autofree char *why = NULL, *want = g_strdup_printf("%s/20.yaml: line 2: x: no such option", sub);
	g_autoptr(ort_conf) conf = fresh();

	g_assert_cmpint(ort_conf_load(conf, path, NULL), ==, 0);	/* missing is no error */
	g_assert_cmpint(g_mkdir(sub, 0700), ==, 0);
	put_file(folder, "a.yaml", "name: one\nrooms: { max: 1 }\n");
	put_file(sub, "20.yaml", "rooms: { max: 20 }\n");
	put_file(sub, "10.yaml", "rooms: { max: 10 }\nrooms.open: no\n");
	put_file(sub, "30.txt", "rooms: { max: 30 }\n");
	g_assert_cmpint(ort_conf_load(conf, path, NULL), ==, 0);
	g_assert_cmpstr(ort_conf_str(conf, "name"), ==, "one");
	g_assert_cmpint(ort_conf_int(conf, "rooms.max"), ==, 20);
	g_assert_false(ort_conf_bool(conf, "rooms.open"));
	put_file(sub, "20.yaml", "name: two\nx: 1\n");
	g_assert_cmpint(ort_conf_load(conf, path, &why), ==, -EINVAL);
	g_assert_cmpstr(why, ==, want);
	g_assert_cmpstr(ort_conf_str(conf, "name"), ==, "one");
	remove_all(folder, names);
}

/* The sample as printed changes nothing; with every option uncommented it loads and says the same. */
static void sample_loads_again(void)
{
	g_autoptr(ort_conf) conf = fresh();
	g_autofree char *sample = ort_conf_sample(conf), *open = NULL, *why = NULL;
	g_autoptr(GRegex) re = g_regex_new("^( *)#(\\w+:)", G_REGEX_MULTILINE, 0, NULL);

	g_assert_cmpint(ort_conf_load_text(conf, sample, strlen(sample), &why), ==, 0);
	open = g_regex_replace(re, sample, -1, 0, "\\1\\2", 0, NULL);
	g_assert_cmpint(ort_conf_load_text(conf, open, strlen(open), &why), ==, 0);
	g_assert_null(why);
	g_assert_cmpint(ort_conf_int(conf, "roll.ring"), ==, 30000);
	g_assert_cmpstr(ort_conf_strv(conf, "web.origins")[1], ==, "https://b");
	g_assert_nonnull(strstr(sample, "  tls:\n    # certificate file (text, reloadable)\n    #cert: \"\"\n"));
}

static void manual_names_every_option(void)
{
	g_autoptr(ort_conf) conf = fresh();
	g_autofree char *manual = ort_conf_manual(conf);

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_assert_nonnull(strstr(manual, rows[i].key));
		g_assert_nonnull(strstr(manual, rows[i].doc));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(loads); i++) {
		g_autofree char *path = g_strdup_printf("/conf/load/%s", loads[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), loads_or_says_why);
	}
	g_test_add_func("/conf/defaults_are_read", defaults_are_read);
	g_test_add_func("/conf/values_are_laid_over", values_are_laid_over);
	g_test_add_func("/conf/deep_and_long_texts_are_refused", deep_and_long_texts_are_refused);
	g_test_add_func("/conf/command_line_is_checked", command_line_is_checked);
	g_test_add_func("/conf/drop_ins_go_in_name_order", drop_ins_go_in_name_order);
	g_test_add_func("/conf/sample_loads_again", sample_loads_again);
	g_test_add_func("/conf/manual_names_every_option", manual_names_every_option);
	return g_test_run();
}
