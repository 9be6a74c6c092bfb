#include "tests/kit/fake_mixes.h"

#include <string.h>

/* What one id of a kind was last told: the request as JSON. */
struct mix { char *id; int64_t fps; GHashTable *inputs, *views, *outputs; };
struct kit_fake_mixes { GHashTable *mixes; };

static void json_free(void *json)
{
	json_decref(json);
}

static void mix_free(void *data)
{
	struct mix *m = data;
	g_hash_table_unref(m->inputs);
	g_hash_table_unref(m->views);
	g_hash_table_unref(m->outputs);
	g_free(m->id);
	g_free(m);
}

static GHashTable *table_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, json_free);
}

kit_fake_mixes *kit_fake_mixes_new(void)
{
	kit_fake_mixes *m = g_new0(kit_fake_mixes, 1);
	m->mixes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, mix_free);
	return m;
}

void kit_fake_mixes_free(kit_fake_mixes *m)
{
	g_hash_table_unref(m->mixes);
	g_free(m);
}

bool kit_fake_mixes_has(const kit_fake_mixes *m, const char *mix)
{
	return mix && g_hash_table_contains(m->mixes, mix);
}

static int open_mix(kit_fake_mixes *m, const struct mcu_mix_open *q)
{
	struct mix *mix = g_hash_table_lookup(m->mixes, q->mix);
	if (mix) {
		return mix->fps == q->fps ? -1 : MCU_ERROR_CONFLICT;
	}
	mix = g_new0(struct mix, 1);
	*mix = (struct mix){ g_strdup(q->mix), q->fps, table_new(), table_new(), table_new() };
	g_hash_table_insert(m->mixes, mix->id, mix);
	return -1;
}

static int put(GHashTable *table, const char *id, enum mcu_method method, const void *request)
{
	if (!id) {
		return MCU_ERROR_INVALID;
	}
	g_hash_table_insert(table, g_strdup(id), ort_json_print(mcu_methods[method].request, request));
	return -1;
}

static int take(GHashTable *table, const char *id)
{
	return id && g_hash_table_remove(table, id) ? -1 : MCU_ERROR_UNKNOWN_ID;
}

static int on_output(struct mix *mix, const struct mcu_mix_output *q)
{
	if (mcu_codec_by_name(q->codec) < 0) {
		return MCU_ERROR_NO_CODEC;
	}
	if (q->kind == MCU_VIDEO && (!q->view || !g_hash_table_contains(mix->views, q->view))) {
		return MCU_ERROR_UNKNOWN_ID;
	}
	return put(mix->outputs, q->id, MCU_METHOD_MIX_OUTPUT, q);
}

int kit_fake_mixes_call(kit_fake_mixes *m, enum mcu_method method, const void *request)
{
	const struct mcu_mix_ref *q = request;	/* all begin with room, mix, id */
	struct mix *mix = g_hash_table_lookup(m->mixes, q->mix);
	if (method == MCU_METHOD_MIX_OPEN) {
		return open_mix(m, request);
	}
	if (!mix) {
		return MCU_ERROR_UNKNOWN_ID;
	}
	switch (method) {
	case MCU_METHOD_MIX_CLOSE:
		return take(m->mixes, q->mix);
	case MCU_METHOD_MIX_INPUT:
		return put(mix->inputs, q->id, method, request);
	case MCU_METHOD_MIX_INPUT_REMOVE:
		return take(mix->inputs, q->id);
	case MCU_METHOD_MIX_VIEW:
		return ((const struct mcu_mix_view *)request)->test ? -1 : put(mix->views, q->id, method, request);
	case MCU_METHOD_MIX_VIEW_REMOVE:
		return take(mix->views, q->id);
	case MCU_METHOD_MIX_OUTPUT:
		return on_output(mix, request);
	case MCU_METHOD_MIX_OUTPUT_REMOVE:
		return take(mix->outputs, q->id);
	case MCU_METHOD_MIX_PLAY:
		return -1;
	case MCU_METHOD_MIX_STILL:
	case MCU_METHOD_MIX_CLIP:
		return g_hash_table_contains(mix->inputs, q->id) ? -1 : MCU_ERROR_UNKNOWN_ID;
	default:
		return MCU_ERROR_INVALID;
	}
}

void kit_fake_mixes_answer(enum mcu_method method, const struct mcu_mix_ref *q, void *reply)
{
	if (method == MCU_METHOD_MIX_STILL) {
		*(struct mcu_mix_still_reply *)reply = (struct mcu_mix_still_reply){ .id = g_strdup(q->id), .state = g_strdup("shown"),
										     .jpeg = g_strdup("/9j/"), .width = 640, .height = 360 };
	} else if (method == MCU_METHOD_MIX_CLIP) {
		*(struct mcu_mix_clip_reply *)reply = (struct mcu_mix_clip_reply){ .id = g_strdup(q->id), .wav = g_strdup("UklG"), .ms = 5000 };
	}
}

static struct ort_json_array rows(GHashTable *from, const struct ort_json_table *table)
{
	struct ort_json_array ret = { g_malloc0((g_hash_table_size(from) + 1) * table->size), 0 };
	g_autoptr(GList) ids = g_list_sort(g_hash_table_get_keys(from), (GCompareFunc)(void (*)(void))strcmp);
	for (GList *id = ids; id; id = id->next) {
		int err = ort_json_read(table, g_hash_table_lookup(from, id->data), (char *)ret.items + ret.n++ * table->size, NULL);
		g_assert_cmpint(err, ==, 0);
	}
	return ret;
}

void kit_fake_mixes_dump(const kit_fake_mixes *m, struct ort_json_array *ret)
{
	struct mcu_dump_mix *out = g_new0(struct mcu_dump_mix, g_hash_table_size(m->mixes));	/* NULL without any */
	GHashTableIter iter;
	const struct mix *mix;
	*ret = (struct ort_json_array){ out, 0 };
	g_hash_table_iter_init(&iter, m->mixes);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&mix)) {
		out[ret->n++] = (struct mcu_dump_mix){ .mix = g_strdup(mix->id), .state = g_strdup("up"), .fps = mix->fps,
						       .inputs = rows(mix->inputs, &mcu_table_mix_input),
						       .views = rows(mix->views, &mcu_table_mix_view),
						       .outputs = rows(mix->outputs, &mcu_table_mix_output) };
	}
}

json_t *kit_fake_mixes_print(const kit_fake_mixes *m, const char *mix)
{
	struct mcu_dump_room d = { 0 };
	json_t *found = NULL;
	kit_fake_mixes_dump(m, &d.mixes);
	const struct mcu_dump_mix *list = d.mixes.items;
	for (size_t i = 0; i < d.mixes.n && !found; i++) {
		found = strcmp(list[i].mix, mix) == 0 ? ort_json_print(&mcu_table_dump_mix, &list[i]) : NULL;
	}
	ort_json_clear(&mcu_table_dump_room, &d);
	return found;
}
