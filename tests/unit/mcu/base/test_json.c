/* Field tables: reading with exact refusals, printing, schema, and the limits of text. */
#include <errno.h>
#include <string.h>

#include "mcu/base/json.h"

enum { RED, GREEN };
static const char *const colours[] = { "red", "green", NULL };

struct leaf { char *id; int64_t n; };
struct tree {
	char *name, *note, *lines, *id, *secret;
	int64_t count;
	double ratio;
	bool on;
	int colour;
	struct leaf leaf;
	struct ort_json_array leaves;
	char **words;
	json_t *raw;
};

ORT_JSON_TABLE(leaf, struct leaf, ORT_JF(struct leaf, id, ORT_J_STR, ORT_J_REQUIRED | ORT_J_ID, 0, 8, NULL, "its id"),
	       ORT_JF(struct leaf, n, ORT_J_INT, 0, 0, 0, "ms", "a time"));
ORT_JSON_TABLE(tree, struct tree,
	       ORT_JF(struct tree, name, ORT_J_STR, ORT_J_REQUIRED, 1, 10, NULL, "its name"),
	       ORT_JF(struct tree, note, ORT_J_STR, ORT_J_TEXT, 0, 0, NULL, "free text"),
	       ORT_JF(struct tree, lines, ORT_J_STR, ORT_J_LINES | ORT_J_OMIT_ZERO, 0, 0, NULL, "lines"),
	       ORT_JF(struct tree, id, ORT_J_STR, ORT_J_ID | ORT_J_OMIT_ZERO, 0, 8, NULL, "an id"),
	       ORT_JF(struct tree, secret, ORT_J_STR, ORT_J_SECRET, 0, 0, NULL, "a password"),
	       ORT_JF(struct tree, count, ORT_J_INT, 0, 1, 100, NULL, "how many"),
	       ORT_JF(struct tree, ratio, ORT_J_DOUBLE, ORT_J_OMIT_ZERO, -1, 1, NULL, "a ratio"),
	       ORT_JF(struct tree, on, ORT_J_BOOL, ORT_J_OMIT_ZERO, 0, 0, NULL, "a switch"),
	       ORT_JF_ENUM(struct tree, colour, colours, 0, "a colour"),
	       ORT_JF_SUB(struct tree, leaf, ORT_J_OBJECT, &leaf, ORT_J_OMIT_ZERO, 0, "one leaf"),
	       ORT_JF_SUB(struct tree, leaves, ORT_J_ARRAY, &leaf, ORT_J_OMIT_ZERO, 3, "leaves"),
	       ORT_JF(struct tree, words, ORT_J_STRV, ORT_J_OMIT_ZERO, 0, 2, NULL, "words"),
	       ORT_JF(struct tree, raw, ORT_J_RAW, 0, 0, 16, NULL, "anything"));

#define T(rest) "{\"name\":\"x\"," rest "}"
static const struct { const char *name, *json, *why; } reads[] = {
	{ "least", "{\"name\":\"x\"}", NULL },
	{ "unknown-member", T("\"later\":[1,{}]"), NULL },
	{ "null-is-absent", T("\"count\":null,\"leaf\":null"), NULL },
	{ "missing", "{}", "name: is required" },
	{ "null-required", "{\"name\":null}", "name: is required" },
	{ "array", "[]", "must be an object" },
	{ "not-string", "{\"name\":1}", "name: must be a string" },
	{ "empty", "{\"name\":\"\"}", "name: must not be empty" },
	{ "long", "{\"name\":\"12345678901\"}", "name: is longer than 10 bytes" },
	{ "tab", "{\"name\":\"a\\tb\"}", "name: has a control character" },
	{ "escape", "{\"name\":\"a\\u001bb\"}", "name: has a control character" },
	{ "del", "{\"name\":\"a\\u007fb\"}", "name: has a control character" },
	{ "c1", "{\"name\":\"a\\u009bb\"}", "name: has a control character" },
	{ "no-break-space", "{\"name\":\"a\\u00a0b\"}", NULL },
	{ "text-lf-tab", T("\"note\":\"a\\n\\tb\""), NULL },
	{ "text-cr", T("\"note\":\"a\\rb\""), "note: has a control character" },
	{ "text-c1", T("\"note\":\"a\\u0085b\""), "note: has a control character" },
	{ "lines-cr", T("\"lines\":\"v=0\\r\\n\""), NULL },
	{ "lines-escape", T("\"lines\":\"\\u001b\""), "lines: has a control character" },
	{ "id", T("\"id\":\"aZ9._:/-\""), NULL },
	{ "id-space", T("\"id\":\"a b\""), "id: must be letters, digits and ._:/- only" },
	{ "id-empty", T("\"id\":\"\""), "id: must be letters, digits and ._:/- only" },
	{ "int-low", T("\"count\":0"), "count: must be between 1 and 100" },
	{ "int-high", T("\"count\":101"), "count: must be between 1 and 100" },
	{ "int-as-real", T("\"count\":7.0"), NULL },
	{ "int-fraction", T("\"count\":7.5"), "count: must be a whole number" },
	{ "int-text", T("\"count\":\"7\""), "count: must be a whole number" },
	{ "int-huge-real", T("\"count\":1e300"), "count: must be a whole number" },
	{ "double-high", T("\"ratio\":1.5"), "ratio: must be between -1 and 1" },
	{ "double-int", T("\"ratio\":1"), NULL },
	{ "double-bool", T("\"ratio\":true"), "ratio: must be a number" },
	{ "bool", T("\"on\":1"), "on: must be true or false" },
	{ "enum", T("\"colour\":\"blue\""), "colour: must be one of red, green" },
	{ "enum-number", T("\"colour\":1"), "colour: must be one of red, green" },
	{ "object", T("\"leaf\":[]"), "leaf: must be an object" },
	{ "object-member", T("\"leaf\":{}"), "leaf.id: is required" },
	{ "element", T("\"leaves\":[{\"id\":\"a\"},{\"id\":\"b\",\"n\":\"x\"}]"), "leaves[1].n: must be a whole number" },
	{ "many", T("\"leaves\":[{},{},{},{}]"), "leaves: has more than 3 elements" },
	{ "array-not", T("\"leaves\":{}"), "leaves: must be an array" },
	{ "strv", T("\"words\":[\"a\",2]"), "words[1]: must be a string" },
	{ "strv-many", T("\"words\":[\"a\",\"b\",\"c\"]"), "words: has more than 2 elements" },
	{ "raw-long", T("\"raw\":[1,2,3,4,5,6,7,8,9]"), "raw: is longer than 16 bytes" },
	{ "raw", T("\"raw\":[1,\"a\"]"), NULL },
};

static void reads_or_says_why(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct tree t, zero = { 0 };
	g_autoptr(json_t) json = ort_json_parse(reads[i].json, strlen(reads[i].json), 4096, NULL);
	g_autofree char *why = NULL;
	int err = ort_json_read(&tree, json, &t, &why);

	g_assert_cmpstr(why, ==, reads[i].why);
	g_assert_cmpint(err, ==, reads[i].why ? -EINVAL : 0);
	if (err < 0) {
		g_assert_cmpmem(&t, sizeof(t), &zero, sizeof(zero));
		g_assert_cmpint(ort_json_read(&tree, json, &t, NULL), ==, -EINVAL);
		return;
	}
	g_assert_nonnull(t.name);
	ort_json_clear(&tree, &t);
	g_assert_cmpmem(&t, sizeof(t), &zero, sizeof(zero));
}

static const char full[] =
	"{\"colour\":\"green\",\"count\":9007199254740993,\"leaf\":{\"id\":\"l\",\"n\":-5},\"leaves\":[{\"id\":\"a\",\"n\":0},"
	"{\"id\":\"b\",\"n\":1}],\"name\":\"昌吉\",\"note\":\"a\\nb\",\"on\":true,\"ratio\":0.5,\"raw\":{\"a\":[null]},"
	"\"secret\":\"s\",\"words\":[\"p\",\"q\"]}";

static void round_trip_is_canonical(void)
{
	/* `count` has a range: its twin without one shows that 64 bits survive. */
	static const struct ort_json_field wide[] = { ORT_JF(struct tree, count, ORT_J_INT, 0, 0, 0, NULL, "") };
	static const struct ort_json_table wide_table = { "wide", sizeof(struct tree), wide, 1 };
	g_autoptr(json_t) json = ort_json_parse(full, strlen(full), 4096, NULL), out = NULL, big = NULL;
	g_autofree char *text = NULL, *big_text = NULL;
	struct tree t;

	g_assert_cmpint(ort_json_read(&wide_table, json, &t, NULL), ==, 0);
	big = ort_json_print(&wide_table, &t);
	big_text = ort_json_text(big);
	g_assert_cmpstr(big_text, ==, "{\"count\":9007199254740993}");
	json_object_set_new(json, "count", json_integer(7));
	g_assert_cmpint(ort_json_read(&tree, json, &t, NULL), ==, 0);
	out = ort_json_print(&tree, &t);
	g_assert_true(json_equal(json, out));
	text = ort_json_text(out);
	g_assert_true(g_str_has_prefix(text, "{\"colour\":\"green\",\"count\":7,\"leaf\":{\"id\":\"l\",\"n\":-5}"));
	g_assert_null(strchr(text, '\n'));
	ort_json_clear(&tree, &t);
}

static void secrets_are_starred_and_zeros_omitted(void)
{
	struct tree t = { .name = (char *)"x", .secret = (char *)"hush" };
	g_autoptr(json_t) safe = ort_json_print_safe(&tree, &t);
	g_autofree char *text = ort_json_text(safe);

	g_assert_cmpstr(text, ==, "{\"colour\":\"red\",\"count\":0,\"name\":\"x\",\"secret\":\"***\"}");
}

static void bad_utf8_of_ours_is_mended(void)
{
	struct leaf l = { .id = (char *)"a\xff" };
	g_autoptr(json_t) json = ort_json_print(&leaf, &l);

	g_assert_cmpstr(json_string_value(json_object_get(json, "id")), ==, "a\357\277\275");
}

static const struct { const char *name, *text, *why; } texts[] = {
	{ "object", "{}", NULL },
	{ "array", " [1, 2] \n", NULL },
	{ "bracket-in-string", "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\\\\\"]", NULL },
	{ "empty", "", "line 1 column 0: '[' or '{' expected" },
	{ "scalar", "1", "line 1 column 1: '[' or '{' expected" },
	{ "cut", "{\"a\":", "line 1 column 5: unexpected token" },
	{ "trailing", "{} {}", "line 1 column 4: end of file expected" },
	{ "duplicate", "{\"a\":1,\"a\":2}", "line 1 column 10: duplicate object key" },
	{ "huge-number", "[99999999999999999999]", "line 1 column 21: too big integer" },
	{ "huge-real", "[1e999]", "line 1 column 6: real number overflow" },
	{ "bad-utf8", "[\"\xff\"]", "line 1 column 2: unable to decode byte 0xff" },
	{ "nul", "[\"\\u0000\"]", "line 1 column 9: \\u0000 is not allowed without JSON_ALLOW_NUL" },
	{ "raw-control", "[\"\x01\"]", "line 1 column 2: control character 0x1" },
	{ "lone-surrogate", "[\"\\ud800\"]", "line 1 column 9: invalid Unicode '\\uD800'" },
	{ "long", "[\"0123456789012345678901234567890123456789012345678901234567890123456789\"]",
	  "is longer than 64 bytes" },
	{ "deep", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "is nested deeper than 32" },
	{ "deep-enough", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", NULL },
};

static void parses_or_says_why(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	g_autofree char *why = NULL;
	g_autoptr(json_t) json = ort_json_parse(texts[i].text, strlen(texts[i].text), 64, &why);

	if (texts[i].why) {
		g_assert_null(json);
		g_assert_nonnull(why);
		g_assert_true(g_str_has_prefix(why, texts[i].why));
		return;
	}
	g_assert_null(why);
	g_assert_nonnull(json);
}

static void schema_says_what_is_read(void)
{
	g_autoptr(json_t) schema = ort_json_schema(&tree);
	json_t *members = json_object_get(schema, "properties"), *count = json_object_get(members, "count");
	json_t *leaves = json_object_get(members, "leaves");

	g_assert_cmpuint(json_object_size(members), ==, tree.n_fields);
	g_assert_cmpstr(json_string_value(json_array_get(json_object_get(schema, "required"), 0)), ==, "name");
	g_assert_cmpint(json_integer_value(json_object_get(count, "minimum")), ==, 1);
	g_assert_cmpint(json_integer_value(json_object_get(count, "maximum")), ==, 100);
	g_assert_cmpint(json_integer_value(json_object_get(leaves, "maxItems")), ==, 3);
	g_assert_cmpstr(json_string_value(json_object_get(json_object_get(leaves, "items"), "title")), ==, "leaf");
	g_assert_cmpuint(json_array_size(json_object_get(json_object_get(members, "colour"), "enum")), ==, 2);
	g_assert_cmpstr(json_string_value(json_object_get(count, "description")), ==, "how many");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(reads); i++) {
		g_autofree char *path = g_strdup_printf("/json/read/%s", reads[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), reads_or_says_why);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *path = g_strdup_printf("/json/parse/%s", texts[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), parses_or_says_why);
	}
	g_test_add_func("/json/round_trip_is_canonical", round_trip_is_canonical);
	g_test_add_func("/json/secrets_are_starred_and_zeros_omitted", secrets_are_starred_and_zeros_omitted);
	g_test_add_func("/json/bad_utf8_of_ours_is_mended", bad_utf8_of_ours_is_mended);
	g_test_add_func("/json/schema_says_what_is_read", schema_says_what_is_read);
	return g_test_run();
}
