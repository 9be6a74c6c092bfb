/* What a mix is made of, and what the media thread has to do for it. */
#include <string.h>

#include "mcu/codec/codec.h"
#include "mcu/engine/mixers_priv.h"

struct mix_item *mix_item_new(enum mcu_method method, const void *request, uint32_t ssrc)
{
	const struct ort_json_table *table = mcu_methods[method].request;
	struct mix_item *item = g_new0(struct mix_item, 1);
	*item = (struct mix_item){ method, g_malloc0(table->size), ssrc };
	mcu_struct_copy(table, request, item->request);
	return item;
}

struct mix_item *mix_item_copy(const struct mix_item *item)
{
	return item ? mix_item_new(item->method, item->request, item->ssrc) : NULL;
}

void mix_item_free(void *data)
{
	struct mix_item *item = data;
	if (item) {
		ort_json_clear(mcu_methods[item->method].request, item->request);
		g_free(item->request);
		g_free(item);
	}
}

/* FNV-1a over the id and the worker's number: the next worker's streams are told from those of the last. */
uint32_t mix_ssrc_take(struct mix *mix, const char *id)
{
	uint32_t h = 2166136261u ^ mix->generation;
	for (const char *p = id; *p; p++) {
		h = (h ^ (uint8_t)*p) * 16777619u;
	}
	while (h == 0 || !g_hash_table_add(mix->ssrcs, GUINT_TO_POINTER(h))) {
		h++;
	}
	return h;
}

void mix_ssrc_give(struct mix *mix, uint32_t ssrc)
{
	g_hash_table_remove(mix->ssrcs, GUINT_TO_POINTER(ssrc));
}

char *mix_sink_id(const struct mix *mix, const char *input)
{
	char *id = g_strconcat(mix->id, "/", input, NULL);
	if (strlen(id) > MCU_ID_MAX) {
		g_clear_pointer(&id, g_free);
	}
	return id;
}

/* ---- codecs ---- */

/* Decoders read every profile, while a forwarded stream must be of the receiver's own: so each is a row. */
static const char *const h264_profiles[] = { "42e01f", "42001f", "4d001f", "64001f", "640c1f" };

static void add_codec(GArray *list, const struct mcu_codec_row *row, const char *fmtp)
{
	struct mcu_codec_use use = { .name = g_strdup(row->name), .pt = row->default_pt, .clock_hz = row->clock_hz,
				     .channels = row->channels, .fmtp = g_strdup(fmtp), .pli = row->kind == 'V' };
	g_array_append_val(list, use);
}

static bool is_media(int id)
{
	return id != MCU_CODEC_RTX && id != MCU_CODEC_TELEPHONE_EVENT && mcu_codec_get((enum mcu_codec_id)id) != NULL;
}

static struct ort_json_array codecs_in(int kind)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct mcu_codec_use));
	for (int i = 0; i < MCU_CODEC_N; i++) {
		const struct mcu_codec_row *row = &mcu_codecs[i];
		if (!is_media(i) || (row->kind == 'V') != (kind == MCU_VIDEO)) {
			continue;
		}
		for (size_t k = 0; i == MCU_CODEC_H264 && k < G_N_ELEMENTS(h264_profiles); k++) {
			g_autofree char *fmtp = g_strconcat("packetization-mode=1;profile-level-id=", h264_profiles[k], NULL);
			add_codec(list, row, fmtp);
		}
		if (i != MCU_CODEC_H264) {
			add_codec(list, row, row->fmtp);
		}
	}
	size_t n = list->len;
	return (struct ort_json_array){ g_array_free(g_steal_pointer(&list), FALSE), n };
}

static struct ort_json_array codec_out(const struct mcu_mix_output *out)
{
	const struct mcu_codec_row *row = &mcu_codecs[mcu_codec_by_name(out->codec)];
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct mcu_codec_use));
	add_codec(list, row, out->fmtp && *out->fmtp ? out->fmtp : row->fmtp);
	return (struct ort_json_array){ g_array_free(list, FALSE), 1 };
}

/* ---- jobs ---- */

struct mcu_job *mix_job_input(const struct mix *mix, const struct mcu_mix_input *in, uint32_t ssrc)
{
	struct mcu_job *job = mcu_job_new(mix->mixers->e, MCU_METHOD_SINK_ADD);
	struct mcu_sink_add *q = job->request;
	*q = (struct mcu_sink_add){ .room = g_strdup(mix->room), .transport = g_strdup(mix->id), .id = mix_sink_id(mix, in->id),
				    .source = g_strdup(in->source), .kind = in->kind, .ssrc = ssrc, .codecs = codecs_in(in->kind) };
	return job;
}

struct mcu_job *mix_job_route(const struct mix *mix, const struct mcu_mix_input *in)
{
	struct mcu_job *job = mcu_job_new(mix->mixers->e, MCU_METHOD_SINK_ROUTE);
	struct mcu_sink_route *q = job->request;
	*q = (struct mcu_sink_route){ g_strdup(mix->room), mix_sink_id(mix, in->id), g_strdup(in->source) };
	return job;
}

struct mcu_job *mix_job_output(const struct mix *mix, const struct mcu_mix_output *out, uint32_t ssrc)
{
	struct mcu_job *job = mcu_job_new(mix->mixers->e, MCU_METHOD_SOURCE_ADD);
	struct mcu_source_add *q = job->request;
	struct mcu_encoding *e = g_new0(struct mcu_encoding, 1);
	e->ssrc = ssrc;
	*q = (struct mcu_source_add){ .room = g_strdup(mix->room), .transport = g_strdup(mix->id), .id = g_strdup(out->id),
				      .kind = out->kind, .codecs = codec_out(out), .encodings = { e, 1 } };
	return job;
}

struct mcu_job *mix_job_remove(const struct mix *mix, enum mcu_method method, const char *id)
{
	struct mcu_job *job = mcu_job_new(mix->mixers->e, method);
	struct mcu_stream_ref *q = job->request;
	q->room = g_strdup(mix->room);
	q->id = method == MCU_METHOD_SINK_REMOVE ? mix_sink_id(mix, id) : g_strdup(id);
	return job;
}

/* Numbers of the worker: what is absurd is cut. */
static int64_t pixels(const json_t *params, const char *name)
{
	return CLAMP(json_integer_value(json_object_get(params, name)), 0, 16384);
}

struct mcu_job *mix_job_want(const struct mix *mix, const json_t *params)
{
	const char *input = json_string_value(json_object_get(params, "id"));
	if (!input || !g_hash_table_contains(mix->inputs, input)) {
		return NULL;
	}
	struct mcu_job *job = mcu_job_new(mix->mixers->e, MCU_METHOD_SINK_PREFER);
	struct mcu_sink_prefer *q = job->request;
	*q = (struct mcu_sink_prefer){ .room = g_strdup(mix->room), .id = mix_sink_id(mix, input),
				       .width = pixels(params, "width"), .height = pixels(params, "height"),
				       .paused = json_is_true(json_object_get(params, "paused")) };
	return job;
}
