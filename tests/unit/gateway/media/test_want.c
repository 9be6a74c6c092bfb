/* What should be against what is: each row is a dump and the fixes that it asks for. */
#include "gateway/media/want_priv.h"

/* Wanted: room a with transports p (source s, sink k from s) and q; room b, empty. */
static gw_want *wanted(void)
{
	gw_want *w = gw_want_new();
	gw_want_note(w, MCU_METHOD_ROOM_OPEN, &(struct mcu_room_open){ (char *)"a", 9 });
	gw_want_note(w, MCU_METHOD_ROOM_OPEN, &(struct mcu_room_open){ (char *)"b", 0 });
	gw_want_note(w, MCU_METHOD_TRANSPORT_OPEN, &(struct mcu_transport_open){ .room = (char *)"a", .transport = (char *)"p" });
	gw_want_note(w, MCU_METHOD_TRANSPORT_OPEN, &(struct mcu_transport_open){ .room = (char *)"a", .transport = (char *)"q" });
	gw_want_note(w, MCU_METHOD_SOURCE_ADD,
		     &(struct mcu_source_add){ .room = (char *)"a", .transport = (char *)"p", .id = (char *)"s" });
	gw_want_note(w, MCU_METHOD_SINK_ADD,
		     &(struct mcu_sink_add){ .room = (char *)"a", .transport = (char *)"p", .id = (char *)"k", .source = (char *)"s" });
	return w;
}

#define S(id)	    "{\"id\":\"" id "\"}"
#define T(id, i, o) "{\"id\":\"" id "\",\"sources\":[" i "],\"sinks\":[" o "]}"
#define R(id, t)    "{\"room\":\"" id "\",\"transports\":[" t "]}"

static const struct { const char *name, *rooms, *fixes; } rows[] = {
	{ "equal", R("a", T("p", S("s"), S("k")) "," T("q", "", "")) "," R("b", ""), "" },
	{ "all_gone", "", "lost a/p, lost a/q, open a, open b" },
	{ "one_room_gone", R("b", ""), "lost a/p, lost a/q, open a" },
	{ "one_transport_gone", R("a", T("p", S("s"), S("k"))) "," R("b", ""), "lost a/q" },
	{ "stranger", R("a", T("p", S("s"), S("k")) "," T("q", "", "")) "," R("b", "") "," R("c", T("x", "", "")), "found c" },
	{ "half_done_transport", R("a", T("p", S("s"), S("k")) "," T("q", "", "")) "," R("b", T("x", "", "")), "close b/x" },
	{ "half_done_streams", R("a", T("p", S("s") "," S("s2"), S("k") "," S("k2")) "," T("q", "", "")) "," R("b", ""),
	  "sink a/k2, source a/s2" },
	{ "source_became_sink", R("a", T("p", "", S("s") "," S("k")) "," T("q", "", "")) "," R("b", ""), "sink a/s" },
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *print_fixes(const GPtrArray *fixes)
{
	static const char *const words[] = { "open", "lost", "found", "close", "source", "sink" };
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < fixes->len; i++) {
		const struct gw_fix *f = fixes->pdata[i];
		g_ptr_array_add(lines, g_strdup_printf("%s %s%s%s", words[f->what], f->room, f->id ? "/" : "", f->id ? f->id : ""));
	}
	g_ptr_array_sort(lines, by_text);
	g_ptr_array_add(lines, NULL);
	return g_strjoinv(", ", (char **)lines->pdata);
}

static void compare(gconstpointer data)
{
	size_t row = GPOINTER_TO_SIZE(data);
	g_autofree char *text = g_strdup_printf("{\"rooms\":[%s]}", rows[row].rooms);
	g_autoptr(json_t) json = json_loads(text, 0, NULL);
	struct mcu_dump_reply dump;
	g_assert_cmpint(ort_json_read(&mcu_table_dump_reply, json, &dump, NULL), ==, 0);
	gw_want *w = wanted();
	g_autoptr(GPtrArray) fixes = gw_want_compare(w, &dump);
	g_autofree char *got = print_fixes(fixes);
	g_assert_cmpstr(got, ==, rows[row].fixes);
	gw_want_free(w);
	ort_json_clear(&mcu_table_dump_reply, &dump);
}

static void adopted_is_equal(void)
{
	g_autoptr(json_t) json = json_loads("{\"rooms\":[" R("a", T("p", S("s"), S("k"))) "]}", 0, NULL);
	struct mcu_dump_reply dump;
	g_assert_cmpint(ort_json_read(&mcu_table_dump_reply, json, &dump, NULL), ==, 0);
	gw_want *w = gw_want_new();
	gw_want_adopt(w, dump.rooms.items);
	g_autoptr(GPtrArray) fixes = gw_want_compare(w, &dump);
	g_assert_cmpuint(fixes->len, ==, 0);
	gw_want_free(w);
	ort_json_clear(&mcu_table_dump_reply, &dump);
}

static void closing_takes_children(void)
{
	gw_want *w = wanted();
	gw_want_note(w, MCU_METHOD_TRANSPORT_CLOSE, &(struct mcu_transport_ref){ (char *)"a", (char *)"p" });
	gw_want_note(w, MCU_METHOD_ROOM_CLOSE, &(struct mcu_room_ref){ (char *)"b" });
	gw_want_note(w, MCU_METHOD_SINK_ROUTE, &(struct mcu_sink_route){ (char *)"a", (char *)"k", NULL });
	g_autoptr(json_t) json = gw_want_print(w);
	g_autofree char *text = ort_json_text(json);
	g_assert_cmpstr(text, ==, "[{\"room\":\"a\",\"streams\":[],\"transports\":[\"q\"]}]");
	gw_want_free(w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/want/compare/%s", rows[i].name);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), compare);
	}
	g_test_add_func("/want/adopted_is_equal", adopted_is_equal);
	g_test_add_func("/want/closing_takes_children", closing_takes_children);
	return g_test_run();
}
