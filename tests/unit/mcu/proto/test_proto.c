/* The protocol's tables: complete, without doubles, each one a round trip; the description is valid JSON. */
#include "mcu/proto/proto.h"
#include "tests/kit/json_sample.h"

static const struct ort_json_table *const tables[] = {
#define X(t) &mcu_table_##t,
	MCU_TABLES(X)
#undef X
};

static void round_trip(gconstpointer data)
{
	const struct ort_json_table *table = data;
	for (unsigned seed = 0; seed < 4; seed++) {
		g_autoptr(json_t) in = kit_json_sample(table, seed);
		g_autofree void *st = g_malloc0(table->size), *again = g_malloc0(table->size);
		g_autofree char *why = NULL;
		g_assert_cmpint(ort_json_read(table, in, st, &why), ==, 0);
		g_autoptr(json_t) out = ort_json_print(table, st);
		g_assert_cmpint(ort_json_read(table, out, again, &why), ==, 0);
		g_autoptr(json_t) twice = ort_json_print(table, again);
		g_assert_true(json_equal(out, twice));
		ort_json_clear(table, st);
		ort_json_clear(table, again);
	}
}

/* A member without a field row would be silently lost: rows must cover the struct up to padding. */
static void covers_struct(gconstpointer data)
{
	static const size_t sizes[] = {
		[ORT_J_STR] = sizeof(char *), [ORT_J_INT] = 8, [ORT_J_DOUBLE] = 8, [ORT_J_BOOL] = sizeof(bool),
		[ORT_J_ENUM] = sizeof(int), [ORT_J_ARRAY] = sizeof(struct ort_json_array),
		[ORT_J_STRV] = sizeof(char **), [ORT_J_RAW] = sizeof(json_t *),
	};
	const struct ort_json_table *table = data;
	size_t sum = 0;
	for (size_t i = 0; i < table->n_fields; i++) {
		const struct ort_json_field *f = &table->fields[i];
		sum += f->type == ORT_J_OBJECT ? f->sub->size : sizes[f->type];
		g_assert_nonnull(f->doc);
		g_assert_true(f->type != ORT_J_ARRAY || f->sub);
	}
	g_assert_cmpuint(table->size - sum, <, 8);
}

static void names_are_unique_and_found(void)
{
	for (int i = 0; i < MCU_METHOD_N; i++) {
		g_assert_cmpint(mcu_method_by_name(mcu_methods[i].name), ==, i);
		g_assert_cmpint(mcu_methods[i].since, <=, MCU_PROTO_VERSION);
	}
	for (int i = 0; i < MCU_EVENT_N; i++) {
		g_assert_cmpint(mcu_event_by_name(mcu_events[i].name), ==, i);
	}
	for (int i = 0; i < MCU_CODEC_N; i++) {
		g_autofree char *upper = g_ascii_strup(mcu_codecs[i].name, -1);
		g_assert_cmpint(mcu_codec_by_name(upper), ==, i);
		g_assert_true(mcu_codecs[i].kind == 'A' || mcu_codecs[i].kind == 'V');
	}
	for (int i = 0; i < MCU_ERROR_N; i++) {
		g_assert_cmpint(mcu_error_by_code(mcu_errors[i].code), ==, i);
		g_assert_true(mcu_errors[i].code >= -32099 && mcu_errors[i].code <= -32000);
	}
	g_assert_cmpint(mcu_method_by_name("no.such"), ==, -1);
	g_assert_cmpint(mcu_event_by_name(NULL), ==, -1);
	g_assert_cmpint(mcu_error_by_code(0), ==, -1);
}

static void events_carry_both_clocks(void)
{
	for (int i = 0; i < MCU_EVENT_N; i++) {
		if (mcu_events[i].body == &mcu_table_room_ref) {
			continue;
		}
		g_autoptr(json_t) sample = kit_json_sample(mcu_events[i].body, 1);
		g_assert_nonnull(json_object_get(sample, "at_ms"));
		g_assert_nonnull(json_object_get(sample, "at_us"));
	}
}

static void description_is_json(void)
{
	g_autofree char *text = mcu_proto_describe("json");
	g_autofree char *why = NULL;
	g_autoptr(json_t) root = ort_json_parse(text, strlen(text), 1 << 20, &why);
	g_assert_nonnull(root);
	g_assert_cmpuint(json_array_size(json_object_get(root, "methods")), ==, MCU_METHOD_N);
	g_assert_cmpuint(json_object_size(json_object_get(root, "tables")), ==, G_N_ELEMENTS(tables));
	g_assert_null(mcu_proto_describe("xml"));
	g_assert_null(mcu_proto_describe(NULL));
}

static void description_names_everything(void)
{
	g_autofree char *md = mcu_proto_describe("markdown");
	for (int i = 0; i < MCU_METHOD_N; i++) {
		g_assert_nonnull(strstr(md, mcu_methods[i].name));
	}
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		g_autofree char *head = g_strdup_printf("\n### %s\n", tables[i]->name);
		g_assert_nonnull(strstr(md, head));
	}
}

static void secrets_are_marked(void)
{
	struct mcu_transport_connect r = { .room = (char *)"r", .transport = (char *)"t", .ice_ufrag = (char *)"u",
					   .ice_pwd = (char *)"hush", .fingerprint = (char *)"AA" };
	g_autoptr(json_t) safe = ort_json_print_safe(&mcu_table_transport_connect, &r);
	g_autofree char *text = ort_json_text(safe);
	g_assert_null(strstr(text, "hush"));
}

static const struct { const char *name, *table, *json; } bad[] = {
	{ "room-missing", "room_open", "{}" },
	{ "id-with-space", "room_open", "{\"room\":\"a b\"}" },
	{ "id-empty", "stream_ref", "{\"room\":\"r\",\"id\":\"\"}" },
	{ "pt-too-big", "codec_use", "{\"name\":\"opus\",\"pt\":128}" },
	{ "ssrc-too-big", "encoding", "{\"ssrc\":4294967296}" },
	{ "kind-unknown", "source_add", "{\"room\":\"r\",\"transport\":\"t\",\"id\":\"s\",\"kind\":\"smell\",\"codecs\":[]}" },
	{ "not-an-object", "drain_request", "[]" },
};

static void refuses(gconstpointer data)
{
	size_t row = GPOINTER_TO_SIZE(data);
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		if (strcmp(tables[i]->name, bad[row].table)) {
			continue;
		}
		g_autoptr(json_t) in = json_loads(bad[row].json, 0, NULL);
		g_autofree void *st = g_malloc0(tables[i]->size);
		g_autofree char *why = NULL;
		g_assert_cmpint(ort_json_read(tables[i], in, st, &why), <, 0);
		g_assert_nonnull(why);
		return;
	}
	g_assert_not_reached();
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		g_autofree char *trip = g_strdup_printf("/proto/round_trip/%s", tables[i]->name);
		g_autofree char *cover = g_strdup_printf("/proto/covers_struct/%s", tables[i]->name);
		g_test_add_data_func(trip, tables[i], round_trip);
		if (tables[i] != &mcu_table_empty) {
			g_test_add_data_func(cover, tables[i], covers_struct);
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *path = g_strdup_printf("/proto/refuses/%s", bad[i].name);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), refuses);
	}
	g_test_add_func("/proto/names_are_unique_and_found", names_are_unique_and_found);
	g_test_add_func("/proto/events_carry_both_clocks", events_carry_both_clocks);
	g_test_add_func("/proto/description_is_json", description_is_json);
	g_test_add_func("/proto/description_names_everything", description_names_everything);
	g_test_add_func("/proto/secrets_are_marked", secrets_are_marked);
	return g_test_run();
}
