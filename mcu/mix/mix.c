/* The mixer: mixes, their threads, and the way of events back to the control thread. */
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/mix/coder_priv.h"
#include "mcu/mix/lavc_priv.h"
#include "mcu/mix/mix_priv.h"

enum { CHECK_US = 500000 };

/* ---- events: posted from any thread of a mix, told on the control thread while the mix lives ---- */
struct event_msg { struct ort_msg msg; unsigned serial; enum mcu_event event; void *body; };
struct want_msg { struct ort_msg msg; unsigned serial; char *input; int w, h; bool paused; };

static mcu_mix *find_mix(mcu_mixer *mixer, unsigned serial)
{
	return g_hash_table_lookup(mixer->mixes, GUINT_TO_POINTER(serial));
}

static void append_rows(struct ort_json_array *to, struct ort_json_array *from, size_t size)
{
	if (from->n) {
		to->items = g_realloc_n(to->items, to->n + from->n, size);
		memcpy((char *)to->items + to->n * size, from->items, from->n * size);
		to->n += from->n;
	}
	g_free(from->items);
	*from = (struct ort_json_array){ 0 };
}

struct ear_rows { struct ort_json_array inputs, outputs; };

static bool ear_stats(struct mix_audio *a, void *arg, GError **err)
{
	struct ear_rows *rows = arg;

	mix_audio_stats(a, &rows->inputs, &rows->outputs);
	return true;
}

static void run_event(struct ort_msg *msg, void *owner)
{
	struct event_msg *m = (struct event_msg *)msg;
	mcu_mixer *mixer = owner;
	mcu_mix *mix = find_mix(mixer, m->serial);

	if (mix && m->event == MCU_EVENT_MIX_STATS) {
		struct mcu_mix_stats_event *stats = m->body;
		struct ear_rows rows = { 0 };
		(void)mix_ear_call(mix->ear, ear_stats, &rows, NULL);
		append_rows(&stats->inputs, &rows.inputs, sizeof(struct mcu_mix_input_stats));
		append_rows(&stats->outputs, &rows.outputs, sizeof(struct mcu_mix_output_stats));
	}
	if (mix && mixer->ops.event) {
		mixer->ops.event(m->event, m->body, mix->data);
	}
	ort_json_clear(mcu_events[m->event].body, m->body);
	g_free(m->body);
	g_free(m);
}

void mix_post_event(mcu_mix *mix, enum mcu_event event, void *body)
{
	struct event_msg *m = g_new0(struct event_msg, 1);

	*m = (struct event_msg){ .msg.run = run_event, .serial = mix->serial, .event = event, .body = body };
	ort_mailbox_post(mix->mixer->box, &m->msg);
}

static void run_want(struct ort_msg *msg, void *owner)
{
	struct want_msg *m = (struct want_msg *)msg;
	mcu_mixer *mixer = owner;
	mcu_mix *mix = find_mix(mixer, m->serial);

	if (mix && mixer->ops.want && g_hash_table_contains(mix->inputs, m->input)) {
		mixer->ops.want(m->input, m->w, m->h, m->paused, mix->data);
	}
	g_free(m->input);
	g_free(m);
}

void mix_post_want(mcu_mix *mix, const char *input, int w, int h, bool paused)
{
	struct want_msg *m = g_new0(struct want_msg, 1);

	*m = (struct want_msg){ .msg.run = run_want, .serial = mix->serial, .input = g_strdup(input), .w = w, .h = h,
				.paused = paused };
	ort_mailbox_post(mix->mixer->box, &m->msg);
}

/* ---- what the threads of a mix ask ---- */
void mix_send(mcu_mix *mix, const uint8_t *packet, size_t len)
{
	mix->mixer->ops.send(mix, MCU_VIDEO, packet, len, mix->data);
}

void mix_flush(mcu_mix *mix)
{
	if (mix->mixer->ops.flush) {
		mix->mixer->ops.flush(mix, MCU_VIDEO, mix->data);
	}
}

const char *mix_room_name(const mcu_mix *mix)
{
	return mix->room;
}

const char *mix_name(const mcu_mix *mix)
{
	return mix->name;
}

const char *mix_ranks(const mcu_mix *mix)
{
	return mix->mixer->ranks;
}

/* ---- the sound's callbacks: sound thread ---- */
static void ear_send(const uint8_t *packet, size_t len, void *user_data)
{
	mcu_mix *mix = user_data;

	mix->mixer->ops.send(mix, MCU_AUDIO, packet, len, mix->data);
}

static void ear_level(const char *member, bool speaking, int level_dbov, void *user_data)
{
	mcu_mix *mix = user_data;
	struct mcu_level_event *e = g_new0(struct mcu_level_event, 1);

	*e = (struct mcu_level_event){ .room = g_strdup(mix->room), .mix = g_strdup(mix->name), .id = g_strdup(member),
				       .speaking = speaking, .level_dbov = level_dbov, .at_ms = ort_wall_ms(),
				       .at_us = ort_now_us() };
	mix_post_event(mix, MCU_EVENT_MIX_LEVEL, e);
}

static void ear_speaker(const char *member, void *user_data)
{
	mcu_mix *mix = user_data;

	mix_home_call(mix->home, mix_home_speaker, g_strdup(member ? member : ""), g_free);
	if (member) {
		struct mcu_speaker_event *e = g_new0(struct mcu_speaker_event, 1);
		*e = (struct mcu_speaker_event){ .room = g_strdup(mix->room), .mix = g_strdup(mix->name),
						 .id = g_strdup(member), .at_ms = ort_wall_ms(), .at_us = ort_now_us() };
		mix_post_event(mix, MCU_EVENT_MIX_SPEAKER, e);
	}
}

static void ear_clip(struct mix_asked asked, struct mcu_mix_clip_reply *reply, void *user_data)
{
	mcu_mix *mix = user_data;

	mix_clip_done(mix->mixer, asked, reply);
}

static void ear_state(const struct mcu_mix_input_event *state, void *user_data)
{
	mcu_mix *mix = user_data;
	struct mcu_mix_input_event *e = g_memdup2(state, sizeof(*state));

	e->room = g_strdup(mix->room);
	e->mix = g_strdup(mix->name);
	e->id = g_strdup(state->id);
	e->state = g_strdup(state->state);
	e->why = g_strdup(state->why);
	e->at_ms = ort_wall_ms();
	e->at_us = ort_now_us();
	mix_post_event(mix, MCU_EVENT_MIX_INPUT_STATE, e);
}

static const struct mix_audio_ops ear_ops = { .send = ear_send, .level = ear_level, .speaker = ear_speaker, .clip = ear_clip,
					      .state = ear_state };

void mix_ear_flush(mcu_mix *mix)
{
	if (mix->mixer->ops.flush) {
		mix->mixer->ops.flush(mix, MCU_AUDIO, mix->data);
	}
}

/* ---- a mix ---- */
mcu_mix *mcu_mix_open(mcu_mixer *mixer, const struct mcu_mix_open *request, void *mix_data, GError **err)
{
	if (g_hash_table_size(mixer->mixes) >= mixer->max_mixes) {
		g_set_error_literal(err, MCU_ERROR, MCU_ERROR_LIMIT, "too many mixes");
		return NULL;
	}
	mcu_mix *mix = g_new0(mcu_mix, 1);
	mix->mixer = mixer;
	mix->data = mix_data;
	mix->serial = ++mixer->next_serial;
	mix->room = g_strdup(request->room);
	mix->name = g_strdup(request->mix);
	mix->fps = request->fps ? (int)request->fps : 30;
	mix->inputs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, mix_known_free);
	mix->views = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, mix_known_free);
	mix->outputs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, mix_known_free);
	mix->asks = mix_asks_new();
	mix->routes = mix_routes_new();
	g_hash_table_insert(mixer->mixes, GUINT_TO_POINTER(mix->serial), mix);
	mix->home = mix_home_start(mix, mix->serial, mix->fps, mixer->wall_offset_us);
	mix->ear = mix_ear_new(mixer->ears, mix, &ear_ops);
	return mix;
}

void mcu_mix_close(mcu_mix *mix)
{
	if (!mix) {
		return;
	}
	g_hash_table_remove(mix->mixer->mixes, GUINT_TO_POINTER(mix->serial));
	mix_ear_free(mix->ear);		/* it may talk to the home thread */
	mix_home_stop(mix->home);
	mix_asks_free(mix->asks);
	mix_routes_free(mix->routes);
	g_hash_table_unref(mix->inputs);
	g_hash_table_unref(mix->views);
	g_hash_table_unref(mix->outputs);
	g_free(mix->room);
	g_free(mix->name);
	g_free(mix);
}

bool mcu_mix_call(mcu_mix *mix, enum mcu_method method, const void *request, const struct mcu_mix_feed *feed, GError **err)
{
	return mix_command(mix, method, request, feed, err);
}

void mcu_mix_packet(mcu_mix *mix, const uint8_t *packet, size_t len, int64_t at_us)
{
	mix_routes_packet(mix, packet, len, at_us);
}

/* ---- the mixer ---- */
static int64_t check(int64_t now_us, void *user_data)
{
	mcu_mixer *mixer = user_data;
	unsigned lost = mix_pool_check(mixer->pool, now_us);
	GHashTableIter iter;
	gpointer mix;

	if (lost) {
		ort_log(ORT_LOG_ERROR, "mix", "decoder.hung", "a decoder did not answer, its thread is left behind",
			ORT_I("threads", lost));
		mixer->abandoned += lost;
		g_hash_table_iter_init(&iter, mixer->mixes);
		while (g_hash_table_iter_next(&iter, NULL, &mix)) {
			mix_redo_lost(mix);
		}
	}
	return now_us + CHECK_US;
}

/* H.264 must go both ways, the rest may be missing */
static bool has_codecs(const char *ranks, GError **err)
{
	struct mix_element_row rows[MIX_MAX_RANKS];

	if (!mix_element_ranks(ranks, MCU_CODEC_H264, MIX_DECODE, rows) || !mix_element_ranks(ranks, MCU_CODEC_H264, MIX_ENCODE, rows)) {
		g_set_error_literal(err, MCU_ERROR, MCU_ERROR_NO_CODEC, "no GStreamer element for H.264 (gstreamer1.0-libav, -plugins-bad)");
		return false;
	}
	return true;
}

mcu_mixer *mcu_mixer_new(const struct mcu_mixer_conf *conf, const struct mcu_mix_ops *ops, GError **err)
{
	if (!gst_init_check(NULL, NULL, err)) {
		return NULL;
	}
	mix_lavc_register();
	if (!has_codecs(conf->elements, err)) {
		return NULL;
	}
	mcu_mixer *mixer = g_new0(mcu_mixer, 1);
	mixer->ops = *ops;
	mixer->max_mixes = conf->max_mixes ? conf->max_mixes : 64;
	mixer->ranks = g_strdup(conf->elements);
	mixer->wall_offset_us = g_get_real_time() - ort_now_us();
	mixer->mixes = g_hash_table_new(g_direct_hash, g_direct_equal);
	mixer->box = ort_mailbox_new(mixer);
	mixer->box_source = ort_mailbox_source(mixer->box);
	g_source_attach(mixer->box_source, conf->context);
	mixer->check_timer = ort_timer_new(conf->context, ort_now_us() + CHECK_US, check, mixer);
	mixer->pool = mix_pool_new(conf->decode_threads, mixer->ranks);
	mixer->ears = mix_ears_start(mixer->wall_offset_us);
	mixer->stills = mix_stills_start();
	return mixer;
}

void mcu_mixer_free(mcu_mixer *mixer)
{
	GHashTableIter iter;
	gpointer mix;

	if (!mixer) {
		return;
	}
	for (g_hash_table_iter_init(&iter, mixer->mixes); g_hash_table_iter_next(&iter, NULL, &mix);
	     g_hash_table_iter_init(&iter, mixer->mixes)) {
		mcu_mix_close(mix);
	}
	mix_ears_stop(mixer->ears);
	mix_stills_stop(mixer->stills);
	mix_pool_free(mixer->pool);
	g_source_destroy(mixer->check_timer);
	g_source_unref(mixer->check_timer);
	g_source_destroy(mixer->box_source);
	g_source_unref(mixer->box_source);
	ort_mailbox_free(mixer->box);
	g_hash_table_unref(mixer->mixes);
	g_free(mixer->ranks);
	g_free(mixer);
}

bool mcu_mixer_left_threads(const mcu_mixer *mixer)
{
	return mixer->abandoned || mix_coders_lost();
}

json_t *mcu_mixer_stats(mcu_mixer *mixer)
{
	GHashTableIter iter;
	gpointer value;
	uint64_t unknown = 0, inputs = 0, outputs = 0;

	g_hash_table_iter_init(&iter, mixer->mixes);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		mcu_mix *mix = value;
		unknown += mix_routes_unknown(mix->routes);
		inputs += g_hash_table_size(mix->inputs);
		outputs += g_hash_table_size(mix->outputs);
	}
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "mixes", (json_int_t)g_hash_table_size(mixer->mixes), "inputs",
			 (json_int_t)inputs, "outputs", (json_int_t)outputs, "unknown_packets", (json_int_t)unknown,
			 "decoder_threads_lost", (json_int_t)mixer->abandoned, "encoder_threads_lost",
			 (json_int_t)mix_coders_lost());
}
