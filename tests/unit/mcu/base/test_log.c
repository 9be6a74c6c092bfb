/* Log lines: one JSON object each, whatever a peer puts into the fields. */
#include <errno.h>
#include <glib.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "mcu/base/log.h"

struct lines { unsigned n; char *last; };

static void keep(const char *line, void *user_data)
{
	struct lines *lines = user_data;

	lines->n++;
	g_free(lines->last);
	lines->last = g_strdup(line);
}

static void begin(struct lines *lines, const char *spec)
{
	*lines = (struct lines){ 0 };
	g_assert_cmpint(ort_log_init("test", spec), ==, 0);
	ort_log_set_sink(keep, lines);
}

static void end(struct lines *lines)
{
	ort_log_set_sink(NULL, NULL);
	g_free(lines->last);
}

static const struct { const char *name, *value; } hostile[] = {
	{ "newline", "a\nb" },	  { "cr", "a\r\nINFO: forged" }, { "escape", "\x1b[31mred" }, { "quote", "\"}\\" },
	{ "c1", "\xc2\x9b" "31m" }, { "del", "\x7f" },	       { "cut-utf8", "\xe4\xb8" },  { "bad-utf8", "\xff\xfe" },
	{ "chinese", "昌吉" },	  { "line-separator", "\xe2\x80\xa8" }, { "null", NULL },
};

static void field_stays_in_its_line(gconstpointer data)
{
	const char *value = hostile[GPOINTER_TO_SIZE(data)].value;
	struct lines lines;
	json_t *json;

	begin(&lines, "info");
	ort_log(ORT_LOG_INFO, "test", "x.y", "text", ORT_S("v", value));
	g_assert_cmpuint(lines.n, ==, 1);
	for (const unsigned char *p = (const unsigned char *)lines.last; *p; p++) {
		g_assert_true(*p >= 0x20 && *p != 0x7f);
	}
	g_assert_null(strstr(lines.last, "\xc2\x9b"));
	json = json_loads(lines.last, JSON_REJECT_DUPLICATES, NULL);
	g_assert_nonnull(json);
	if (value && g_utf8_validate(value, -1, NULL)) {
		g_assert_cmpstr(json_string_value(json_object_get(json, "v")), ==, value);
	}
	json_decref(json);
	end(&lines);
}

static void fields_keep_their_types(void)
{
	struct lines lines;
	json_t *json;

	begin(&lines, "info");
	ort_log(ORT_LOG_WARNING, "engine", "room.open", "room opened", ORT_S("room", "r1"), ORT_I("worker", -3),
		ORT_D("loss", 0.25), ORT_D("none", (double)NAN), ORT_B("ok", true));
	json = json_loads(lines.last, 0, NULL);
	g_assert_cmpstr(json_string_value(json_object_get(json, "level")), ==, "warning");
	g_assert_cmpstr(json_string_value(json_object_get(json, "program")), ==, "test");
	g_assert_cmpstr(json_string_value(json_object_get(json, "module")), ==, "engine");
	g_assert_cmpstr(json_string_value(json_object_get(json, "event")), ==, "room.open");
	g_assert_cmpstr(json_string_value(json_object_get(json, "text")), ==, "room opened");
	g_assert_cmpint(json_integer_value(json_object_get(json, "worker")), ==, -3);
	g_assert_cmpfloat(json_real_value(json_object_get(json, "loss")), ==, 0.25);
	g_assert_true(json_is_null(json_object_get(json, "none")));
	g_assert_true(json_is_true(json_object_get(json, "ok")));
	json_decref(json);
	end(&lines);
}

static const struct { const char *name, *spec, *module; enum ort_log_level level; bool want; } levels[] = {
	{ "below", "info", "a", ORT_LOG_DEBUG, false },
	{ "at", "info", "a", ORT_LOG_INFO, true },
	{ "module-raised", "warning,a=debug", "a", ORT_LOG_DEBUG, true },
	{ "other-module", "warning,a=debug", "b", ORT_LOG_DEBUG, false },
	{ "module-lowered", "debug,a=error", "a", ORT_LOG_WARNING, false },
	{ "only-module", "a=error", "b", ORT_LOG_INFO, true },
};

static void level_decides(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct lines lines;

	begin(&lines, levels[i].spec);
	ort_log(levels[i].level, levels[i].module, "e", "t");
	g_assert_cmpuint(lines.n, ==, levels[i].want ? 1 : 0);
	end(&lines);
}

static const char *const bad_specs[] = { "loud", "info,=debug", "info,engine", "info,engine=", "info,,debug" };

static void bad_spec_is_refused(gconstpointer data)
{
	g_assert_cmpint(ort_log_init("test", bad_specs[GPOINTER_TO_SIZE(data)]), ==, -EINVAL);
}

static void glib_messages_take_the_same_road(void)
{
	struct lines lines;

	begin(&lines, "info");
	g_log_structured("libnice", G_LOG_LEVEL_MESSAGE, "MESSAGE", "%s", "hello\nyou");
	g_assert_cmpuint(lines.n, ==, 1);
	g_assert_nonnull(strstr(lines.last, "\"text\":\"hello\\u000ayou\""));
	g_assert_nonnull(strstr(lines.last, "\"domain\":\"libnice\""));
	end(&lines);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(hostile); i++) {
		g_autofree char *path = g_strdup_printf("/log/field_stays_in_its_line/%s", hostile[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), field_stays_in_its_line);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
		g_autofree char *path = g_strdup_printf("/log/level_decides/%s", levels[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), level_decides);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad_specs); i++) {
		g_autofree char *path = g_strdup_printf("/log/bad_spec_is_refused/%zu", i);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), bad_spec_is_refused);
	}
	g_test_add_func("/log/fields_keep_their_types", fields_keep_their_types);
	g_test_add_func("/log/glib_messages_take_the_same_road", glib_messages_take_the_same_road);
	return g_test_run();
}
