/* Text -> tree -> struct -> tree -> text -> struct: the second text equals the first. */
#include "mcu/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const kinds[] = { "audio", "video", NULL };
struct leaf { char *id; int64_t n; };
struct tree { char *name, *note; int64_t count; double ratio; bool on; int kind; struct leaf leaf;
	      struct ort_json_array leaves; char **words; json_t *raw; };

ORT_JSON_TABLE(leaf, struct leaf, ORT_JF(struct leaf, id, ORT_J_STR, ORT_J_ID, 0, 0, NULL, ""),
	       ORT_JF(struct leaf, n, ORT_J_INT, ORT_J_REQUIRED, 0, 0, NULL, ""));
ORT_JSON_TABLE(tree, struct tree, ORT_JF(struct tree, name, ORT_J_STR, 0, 0, 0, NULL, ""),
	       ORT_JF(struct tree, note, ORT_J_STR, ORT_J_TEXT, 0, 0, NULL, ""),
	       ORT_JF(struct tree, count, ORT_J_INT, 0, 0, 0, NULL, ""),
	       ORT_JF(struct tree, ratio, ORT_J_DOUBLE, ORT_J_OMIT_ZERO, 0, 0, NULL, ""),
	       ORT_JF(struct tree, on, ORT_J_BOOL, 0, 0, 0, NULL, ""), ORT_JF_ENUM(struct tree, kind, kinds, 0, ""),
	       ORT_JF_SUB(struct tree, leaf, ORT_J_OBJECT, &leaf, ORT_J_OMIT_ZERO, 0, ""),
	       ORT_JF_SUB(struct tree, leaves, ORT_J_ARRAY, &leaf, 0, 0, ""),
	       ORT_JF(struct tree, words, ORT_J_STRV, 0, 0, 0, NULL, ""),
	       ORT_JF(struct tree, raw, ORT_J_RAW, 0, 0, 0, NULL, ""));

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(json_t) in = ort_json_parse((const char *)data, size, 1 << 16, NULL), out = NULL, back = NULL;
	g_autofree char *text = NULL, *again = NULL;
	struct tree t;

	if (!in || ort_json_read(&tree, in, &t, NULL) < 0) {
		return 0;
	}
	out = ort_json_print(&tree, &t);
	text = ort_json_text(out);
	ort_json_clear(&tree, &t);
	g_assert_cmpint(ort_json_read(&tree, out, &t, NULL), ==, 0);
	back = ort_json_print(&tree, &t);
	again = ort_json_text(back);
	g_assert_cmpstr(text, ==, again);
	ort_json_clear(&tree, &t);
	return 0;
}
