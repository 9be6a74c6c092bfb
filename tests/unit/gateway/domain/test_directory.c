/* The directory and its CSV. */
#include <string.h>

#include "tests/unit/gateway/domain/world.h"

static const char good[] = "\xEF\xBB\xBFkind,id,parent,name,code,title,phone,duty,address,type\r\n"
			   "division,150600,,鄂尔多斯市,150600,,,,,\r\n"
			   "division,150626,150600,\"乌审旗, \"\"南部\"\"\",150626,,,,,\r\n"
			   "person,p1,150626,巴特尔,,站长,13800000000,1,,\r\n"
			   "site,duty-wsq,150626,乌审旗值班室,,,,,sip:wsq@example,duty_room\r\n"
			   "device,d1,duty-wsq,\"'=cmd|x\",,,,,,camera\r\n";

static json_t *import(struct world *w, const char *csv, bool dry)
{
	return gw_directory_import(w->d, "u:admin", csv, dry, w->now);
}

static void round_trip(void)
{
	struct world w, again;
	world_init(&w);
	world_init(&again);
	g_autoptr(json_t) r = import(&w, good, false);
	g_assert_cmpint(json_integer_value(json_object_get(r, "added")), ==, 5);
	g_assert_cmpuint(json_array_size(json_object_get(r, "errors")), ==, 0);
	g_autofree char *out = gw_directory_export(w.d);
	g_autoptr(json_t) r2 = import(&again, out, false);
	g_assert_cmpuint(json_array_size(json_object_get(r2, "errors")), ==, 0);
	g_autoptr(json_t) a = gw_directory_print(w.d);
	g_autoptr(json_t) b = gw_directory_print(again.d);
	g_assert_true(json_equal(a, b));
	/* A name like a formula leaves as text for the spreadsheet and comes back as it was. */
	g_assert_nonnull(strstr(out, "\"'=cmd|x\""));
	world_finish(&w);
	world_finish(&again);
}

static void second_import_counts_changes(void)
{
	struct world w;
	world_init(&w);
	json_decref(import(&w, good, false));
	unsigned before = w.records->len;
	g_autoptr(json_t) r = import(&w, "kind,id,parent,name\nperson,p1,150626,巴特尔二\nperson,p2,150626,新人\n", false);
	g_assert_cmpint(json_integer_value(json_object_get(r, "added")), ==, 1);
	g_assert_cmpint(json_integer_value(json_object_get(r, "changed")), ==, 1);
	g_assert_cmpuint(w.records->len, ==, before + 2);
	world_finish(&w);
}

static void wrong_lines_change_nothing(void)
{
	static const struct { const char *csv; int line; } rows[] = {
		{ "kind,id,name\nperson,p1,甲\nplanet,p2,乙\n", 3 },
		{ "kind,id,parent,name\nperson,p1,nowhere,甲\n", 2 },
		{ "kind,id,name\nperson,p 1,甲\n", 2 },
		{ "kind,id,name\nperson,p1,\"甲\n", 2 },
		{ "id,name\np1,甲\n", 1 },
		{ "kind,id,parent,name\ndivision,a,b,甲\n", 2 },
		{ "kind,id\nperson,\xff\n", 1 },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		struct world w;
		world_init(&w);
		g_autoptr(json_t) r = import(&w, rows[n].csv, false);
		json_t *errors = json_object_get(r, "errors");
		g_assert_cmpuint(json_array_size(errors), >=, 1);
		g_assert_cmpint(json_integer_value(json_object_get(json_array_get(errors, 0), "line")), ==, rows[n].line);
		g_assert_cmpuint(w.records->len, ==, 0);
		world_finish(&w);
	}
}

static void dry_run_changes_nothing(void)
{
	struct world w;
	world_init(&w);
	g_autoptr(json_t) r = import(&w, good, true);
	g_assert_cmpint(json_integer_value(json_object_get(r, "added")), ==, 5);
	g_assert_cmpuint(w.records->len, ==, 0);
	world_finish(&w);
}

static void parents_stay_while_children_stand(void)
{
	struct world w;
	world_init(&w);
	json_decref(import(&w, good, false));
	GError *err = NULL;
	g_assert_false(gw_directory_remove(w.d, "u:admin", "division", "150626", w.now, &err));
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_CONFLICT);
	g_clear_error(&err);
	g_assert_true(gw_directory_remove(w.d, "u:admin", "device", "d1", w.now, NULL));
	g_autoptr(json_t) loop = json_pack("{s:s,s:s,s:s}", "id", "150600", "parent", "150626", "name", "鄂尔多斯市");
	g_assert_false(gw_directory_put(w.d, "u:admin", "division", loop, w.now, &err));
	g_assert_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_CONFLICT);
	g_clear_error(&err);
	world_finish(&w);
}

/* What a duty room's spreadsheet holds: Chinese headers, no ids, parents by name. */
static const char chinese[] = "类别,名称,上级,职务,电话,值班\n区划,乌审旗,,,,\n区划,嘎鲁图镇,乌审旗,,,\n人员,巴特尔,嘎鲁图镇,站长,138,是\n"
			      "人员,巴特尔,乌审旗,局长,139,\n会场,值班室,乌审旗,,,\n";

static void chinese_headers_and_no_ids(void)
{
	struct world w;
	world_init(&w);
	g_autoptr(json_t) first = import(&w, chinese, false);
	g_assert_cmpuint(json_array_size(json_object_get(first, "errors")), ==, 0);
	g_assert_cmpint(json_integer_value(json_object_get(first, "added")), ==, 5);
	unsigned records = w.records->len;
	g_autoptr(json_t) again = import(&w, chinese, false);	/* known by kind, parent and name: nothing is doubled */
	g_assert_cmpint(json_integer_value(json_object_get(again, "added")), ==, 0);
	g_assert_cmpint(json_integer_value(json_object_get(again, "changed")), ==, 0);
	g_assert_cmpuint(w.records->len, ==, records);
	g_autoptr(json_t) third = import(&w, "Kind,NAME,parent,phone\nperson,巴特尔,嘎鲁图镇,137\n", false);
	g_assert_cmpint(json_integer_value(json_object_get(third, "changed")), ==, 1);
	world_finish(&w);
}

static void errors_have_codes(void)
{
	static const struct { const char *csv, *code, *value; } rows[] = {
		{ "名称\n甲\n", "no_header", "" },
		{ "类别,名称\n行星,甲\n", "bad_kind", "行星" },
		{ "类别,名称,上级\n人员,甲,无此处\n", "unknown_parent", "无此处" },
		{ "类别,名称,职务\n人员,,站长\n", "no_name", "" },
		{ "kind,id,name\ndivision,a,X\ndivision,b,X\nperson,,甲\ndivision,,X\n", "ambiguous", "X" },
		{ "kind,id,name,parent\ndivision,a,X,\ndivision,b,X,\nperson,,甲,X\n", "ambiguous_parent", "X" },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		struct world w;
		world_init(&w);
		g_autoptr(json_t) r = import(&w, rows[n].csv, false);
		const json_t *e = json_array_get(json_object_get(r, "errors"), 0);
		g_assert_cmpstr(json_string_value(json_object_get(e, "code")), ==, rows[n].code);
		g_assert_cmpstr(json_string_value(json_object_get(e, "value")), ==, rows[n].value);
		g_assert_cmpuint(w.records->len, ==, 0);
		world_finish(&w);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/directory/round_trip", round_trip);
	g_test_add_func("/directory/second_import_counts_changes", second_import_counts_changes);
	g_test_add_func("/directory/wrong_lines_change_nothing", wrong_lines_change_nothing);
	g_test_add_func("/directory/dry_run_changes_nothing", dry_run_changes_nothing);
	g_test_add_func("/directory/parents_stay_while_children_stand", parents_stay_while_children_stand);
	g_test_add_func("/directory/chinese_headers_and_no_ids", chinese_headers_and_no_ids);
	g_test_add_func("/directory/errors_have_codes", errors_have_codes);
	return g_test_run();
}
