/* The face of the sound mixer: who is in it, packets to their inputs, one tick. */
#include <math.h>
#include <string.h>

#include "mcu/mix/sound_priv.h"

enum {
	MAX_STREAMS = 1024,
	MAX_PLAYS = 64,
	MAX_WORDS = 8,	/* of them spoken: 700 KB each */
	LATE_US = 60000,	/* a tick so late is time lost, not a queue to work off */
	RAMP = 480,
	GAIN_MAX_DB = 24,
};
#define COMFORT 2.5e-4f		/* -77 dBov: the line is not dead */

static void output_free(struct sound_output *o)
{
	g_free(o->id);
	g_free(o->member);
	g_free(o);
}

static void play_free(struct sound_play *p)
{
	sound_words_free(p->words);
	g_free(p->member);
	g_free(p);
}

void sound_play_add(const struct sound_play *p, float *out, unsigned n)
{
	if (p->words) {
		sound_words_play(p->words, p->at, out, n);
	} else {
		(void)sound_row_play(p->row, p->at, out, n);	/* its end: end_plays */
	}
}

int64_t sound_play_ms(const struct sound_play *p)
{
	return p->words ? sound_words_ms(p->words) : sound_row_ms(p->row);
}

struct mix_audio *mix_audio_new(const struct mix_audio_ops *ops, void *user_data)
{
	struct mix_audio *a = g_new0(struct mix_audio, 1);

	a->ops = *ops;
	a->user_data = user_data;
	sound_filter_init(&a->tools.by3, 3);
	sound_filter_init(&a->tools.by6, 6);
	a->inputs = g_ptr_array_new_with_free_func((GDestroyNotify)sound_input_free);
	a->outputs = g_ptr_array_new_with_free_func((GDestroyNotify)output_free);
	a->plays = g_ptr_array_new_with_free_func((GDestroyNotify)play_free);
	a->buses = g_ptr_array_new();		/* freed by the last output that leaves */
	a->by_ssrc = g_hash_table_new(NULL, NULL);
	a->out_by_ssrc = g_hash_table_new(NULL, NULL);
	a->noise = 1;
	return a;
}

void mix_audio_free(struct mix_audio *a)
{
	if (!a) {
		return;
	}
	for (unsigned i = 0; i < a->outputs->len; i++) {
		sound_bus_leave(a, g_ptr_array_index(a->outputs, i));
	}
	g_ptr_array_unref(a->buses);
	g_ptr_array_unref(a->inputs);
	g_ptr_array_unref(a->outputs);
	g_ptr_array_unref(a->plays);
	g_hash_table_unref(a->by_ssrc);
	g_hash_table_unref(a->out_by_ssrc);
	g_free(a->speaker);
	g_free(a);
}

static float from_db(double db)
{
	return (float)pow(10, CLAMP(db, -96.0, GAIN_MAX_DB) / 20);
}

static struct sound_input *find_input(const struct mix_audio *a, const char *id)
{
	for (unsigned i = 0; i < a->inputs->len; i++) {
		struct sound_input *in = g_ptr_array_index(a->inputs, i);
		if (strcmp(in->id, id) == 0) {
			return in;
		}
	}
	return NULL;
}

static struct sound_output *find_output(const struct mix_audio *a, const char *id)
{
	for (unsigned i = 0; i < a->outputs->len; i++) {
		struct sound_output *o = g_ptr_array_index(a->outputs, i);
		if (strcmp(o->id, id) == 0) {
			return o;
		}
	}
	return NULL;
}

static bool refuse(GError **err, int code, const char *why, const char *what)
{
	g_set_error(err, MCU_ERROR, code, "%s: %s", what ? what : "", why);
	return false;
}

/* A number is free, or this one's own. */
static bool claim(GHashTable *table, uint32_t ssrc, const void *of, unsigned n, const char *id, GError **err)
{
	const void *has = g_hash_table_lookup(table, GUINT_TO_POINTER(ssrc));

	if (has && has != of) {
		return refuse(err, MCU_ERROR_CONFLICT, "its SSRC belongs to another", id);
	}
	return of || n < MAX_STREAMS || refuse(err, MCU_ERROR_LIMIT, "too many streams in one mix", id);
}

bool mix_audio_input(struct mix_audio *a, const struct mcu_mix_input *row, uint32_t ssrc, GError **err)
{
	struct sound_input *in = row->id ? find_input(a, row->id) : NULL;

	if (!row->id) {
		return refuse(err, MCU_ERROR_INVALID, "an input needs an id", NULL);
	}
	if (!claim(a->by_ssrc, ssrc, in, a->inputs->len, row->id, err)) {
		return false;
	}
	if (!in) {
		in = sound_input_new(row->id);
		g_ptr_array_add(a->inputs, in);
	} else if (in->ssrc != ssrc) {
		g_hash_table_remove(a->by_ssrc, GUINT_TO_POINTER(in->ssrc));
		sound_input_silence(in);
	}
	in->ssrc = ssrc;
	g_hash_table_insert(a->by_ssrc, GUINT_TO_POINTER(ssrc), in);
	if (g_strcmp0(in->member, row->member) != 0) {
		g_free(in->member);
		in->member = g_strdup(row->member);
	}
	in->gain = from_db(row->gain_db);
	in->mute = row->mute;
	in->speak_us = row->speak_ms * 1000;
	in->hold_us = (row->hold_ms > 0 ? row->hold_ms : 1500) * 1000;
	in->level = row->level_dbov < 0 ? row->level_dbov + 127 : 0;	/* 0: whatever is speech */
	return true;
}

static void end_clip(struct mix_audio *a, struct sound_input *in, bool whole)
{
	if (in->clip && a->ops.clip) {
		a->ops.clip(sound_clip_asked(in->clip), whole ? sound_clip_reply(in->clip, in->id) : NULL, a->user_data);
	}
	g_clear_pointer(&in->clip, sound_clip_free);
}

void mix_audio_input_remove(struct mix_audio *a, const char *id)
{
	struct sound_input *in = find_input(a, id);
	g_autofree char *member = NULL;

	if (!in) {
		return;
	}
	member = g_strdup(in->member);
	if (in->speaking && in->member && a->ops.level) {
		a->ops.level(in->member, false, -127, a->user_data);
	}
	a->heard_n = 0;		/* of the last tick: borrowed */
	end_clip(a, in, false);
	g_hash_table_remove(a->by_ssrc, GUINT_TO_POINTER(in->ssrc));
	(void)g_ptr_array_remove(a->inputs, in);	/* it is there */
	sound_speaker_gone(a, member);
}

bool mix_audio_output(struct mix_audio *a, const struct mcu_mix_output *row, uint32_t ssrc, GError **err)
{
	const struct sound_codec *codec = sound_codec_by_name(row->codec);
	struct sound_output *o = row->id ? find_output(a, row->id) : NULL;

	if (!row->id) {
		return refuse(err, MCU_ERROR_INVALID, "an output needs an id", NULL);
	}
	if (!codec) {
		return refuse(err, MCU_ERROR_NO_CODEC, "no such sound codec", row->codec);
	}
	if (!claim(a->out_by_ssrc, ssrc, o, a->outputs->len, row->id, err)) {
		return false;
	}
	if (!o) {
		o = g_new0(struct sound_output, 1);
		o->id = g_strdup(row->id);
		/* RFC 3550 5.1: unpredictable is better; the engine rewrites both per receiver */
		o->seq = (uint16_t)(ssrc * 2654435761u >> 17);
		o->ts = ssrc * 2246822519u;
		g_ptr_array_add(a->outputs, o);
	} else {
		g_hash_table_remove(a->out_by_ssrc, GUINT_TO_POINTER(o->ssrc));
	}
	o->ssrc = ssrc;
	g_hash_table_insert(a->out_by_ssrc, GUINT_TO_POINTER(ssrc), o);
	if (g_strcmp0(o->member, row->member) != 0) {
		g_free(o->member);
		o->member = g_strdup(row->member);
	}
	o->codec = codec;
	o->bps = codec->id == MCU_CODEC_OPUS ? row->bps : 0;
	o->gain = row->mute ? 0 : from_db(row->gain_db);
	return true;
}

void mix_audio_output_remove(struct mix_audio *a, const char *id)
{
	struct sound_output *o = find_output(a, id);

	if (o) {
		sound_bus_leave(a, o);
		g_hash_table_remove(a->out_by_ssrc, GUINT_TO_POINTER(o->ssrc));
		(void)g_ptr_array_remove(a->outputs, o);	/* it is there */
	}
}

static unsigned spoken(const struct mix_audio *a)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->plays->len; i++) {
		n += ((const struct sound_play *)g_ptr_array_index(a->plays, i))->words != NULL;
	}
	return n;
}

bool mix_audio_play(struct mix_audio *a, const struct mcu_mix_play *play, GError **err)
{
	const struct sound_row *row = sound_row_by_name(play->sound);
	struct sound_words *words = NULL;
	struct sound_play *p;

	if (!row) {
		return refuse(err, MCU_ERROR_INVALID, "no such sound", play->sound);
	}
	if (a->plays->len >= MAX_PLAYS) {
		return refuse(err, MCU_ERROR_LIMIT, "too many sounds are waiting", play->sound);
	}
	if (play->pcm && *play->pcm && spoken(a) < MAX_WORDS) {
		words = sound_words_new(play->pcm, play->pcm_hz);
		if (!words) {
			return refuse(err, MCU_ERROR_INVALID, "no samples, or too many", "pcm");
		}
	}
	p = g_new0(struct sound_play, 1);
	p->row = row;
	p->words = words;
	p->member = g_strdup(play->member);
	g_ptr_array_add(a->plays, p);
	return true;
}

static void take_report(struct mix_audio *a, const struct mcu_rtcp *r, int64_t at_us)
{
	struct mcu_rr_block block;
	struct sound_output *o;

	for (unsigned i = 0; mcu_rtcp_report(r, i, &block); i++) {
		o = g_hash_table_lookup(a->out_by_ssrc, GUINT_TO_POINTER(block.ssrc));
		if (o) {
			o->loss = block.fraction_lost * 100u / 256;
			o->loss_us = at_us;
		}
	}
}

static void take_rtcp(struct mix_audio *a, const uint8_t *packet, size_t len, int64_t at_us)
{
	struct sound_input *in;
	struct mcu_rtcp r;
	int more = 0;

	for (size_t pos = 0; (more = mcu_rtcp_next(packet, len, &pos, &r)) == 1;) {
		in = g_hash_table_lookup(a->by_ssrc, GUINT_TO_POINTER(r.sender));
		if (r.kind == MCU_RTCP_SR && in) {
			in->sr.known = true;
			in->sr.wall_us = ((int64_t)(r.ntp >> 32) - INT64_C(2208988800)) * 1000000 +
					 (int64_t)((r.ntp & 0xffffffff) * 1000000 >> 32);
			in->sr.ts = r.rtp_ts;
		} else if (r.kind == MCU_RTCP_BYE && in) {
			sound_input_silence(in);
		}
		if (r.kind == MCU_RTCP_SR || r.kind == MCU_RTCP_RR) {
			take_report(a, &r, at_us);
		}
	}
	a->garbage += more < 0;
}

void mix_audio_packet(struct mix_audio *a, const uint8_t *packet, size_t len, int64_t at_us)
{
	struct sound_input *in;
	struct mcu_rtp rtp;

	if (mcu_rtp_is_rtcp(packet, len)) {
		take_rtcp(a, packet, len, at_us);
		return;
	}
	if (mcu_rtp_parse(packet, len, &rtp) < 0) {
		a->garbage++;
		return;
	}
	in = g_hash_table_lookup(a->by_ssrc, GUINT_TO_POINTER(rtp.ssrc));
	if (!in) {
		a->strangers++;
		return;
	}
	sound_input_packet(in, &a->tools, &rtp, packet, at_us);
}

static void record(struct mix_audio *a, struct sound_input *in, bool played)
{
	if (sound_clip_take(in->clip, &a->tools, played ? in->frame : NULL)) {
		end_clip(a, in, true);
	}
}

bool mix_audio_clip(struct mix_audio *a, const char *id, int64_t ms, struct mix_asked asked, GError **err)
{
	struct sound_input *in = find_input(a, id);

	if (!in || in->clip) {
		return refuse(err, in ? MCU_ERROR_STATE : MCU_ERROR_UNKNOWN_ID, in ? "it is being recorded" : "no such input", id);
	}
	in->clip = sound_clip_new(asked, ms, a->wall_us);
	return true;
}

/* Gain of its own, and swelling or fading over 10 ms when it comes or goes. */
static void hear(struct mix_audio *a, struct sound_input *in, int64_t now_us)
{
	float want = in->chosen ? in->gain : 0, step = (want - in->gain_now) / RAMP;

	bool wanted = (in->chosen || in->gain_now > 0) && a->heard_n < G_N_ELEMENTS(a->heard);
	bool played = (wanted || in->clip) && sound_input_play(in, &a->tools, now_us);

	if (in->clip) {
		record(a, in, played);
	}
	in->heard = wanted && played;
	if (!played) {
		sound_input_skip(in, now_us);
	}
	if (!in->heard) {
		in->gain_now = 0;
		return;
	}
	if (step != 0 || want != 1) {
		for (unsigned i = 0; i < SOUND_FRAME; i++) {
			in->frame[i] *= i < RAMP ? in->gain_now + step * (float)i : want;
		}
	}
	in->gain_now = want;
	a->heard[a->heard_n++] = in;
	sound_add(a->sum, in->frame, SOUND_FRAME, 1);
}

static void comfort(struct mix_audio *a)
{
	for (unsigned i = 0; i < SOUND_FRAME; i++) {
		a->noise = a->noise * 1664525u + 1013904223u;
		a->sum[i] = COMFORT * ((float)(a->noise >> 8) / (1 << 23) - 1);
	}
}

/* Sounds to the same ears follow each other. */
static void start_plays(struct mix_audio *a)
{
	for (unsigned i = 0; i < a->plays->len; i++) {
		struct sound_play *p = g_ptr_array_index(a->plays, i);
		p->active = true;
		for (unsigned k = 0; k < i && p->active; k++) {
			const struct sound_play *before = g_ptr_array_index(a->plays, k);
			p->active = g_strcmp0(before->member, p->member) != 0;
		}
		if (p->active && !p->member) {
			sound_play_add(p, a->sum, SOUND_FRAME);
		}
	}
}

static void end_plays(struct mix_audio *a)
{
	for (unsigned i = a->plays->len; i-- > 0;) {
		struct sound_play *p = g_ptr_array_index(a->plays, i);
		p->at += p->active ? SOUND_FRAME : 0;
		if ((int64_t)p->at * 1000 >= sound_play_ms(p) * SOUND_HZ) {
			(void)g_ptr_array_remove_index(a->plays, i);
		}
	}
}

void mix_audio_tick(struct mix_audio *a, int64_t now_us, int64_t wall_us)
{
	int64_t late_us = a->ticks ? now_us - a->last_us - SOUND_TICK_US : 0;
	unsigned missed = late_us > LATE_US ? (unsigned)((late_us + SOUND_TICK_US / 2) / SOUND_TICK_US) : 0;

	a->ticks++;
	a->last_us = now_us;
	a->wall_us = wall_us;
	a->heard_n = 0;
	memset(a->sum, 0, sizeof(a->sum));
	sound_choose(a->inputs, now_us);
	for (unsigned i = 0; i < a->inputs->len; i++) {
		hear(a, g_ptr_array_index(a->inputs, i), now_us);
	}
	if (!a->heard_n) {
		comfort(a);
	}
	start_plays(a);
	sound_buses_arrange(a);
	sound_buses_run(a);
	sound_outputs_send(a, now_us, wall_us, missed);
	end_plays(a);
	sound_levels_tell(a, now_us);
}

bool mix_audio_capture(const struct mix_audio *a, const char *member, int64_t now_us, int64_t *ret_wall_us, int64_t *ret_delay_us)
{
	for (unsigned i = 0; i < a->heard_n; i++) {
		const struct sound_input *in = a->heard[i];
		if (in->sr.known && g_strcmp0(in->member, member) == 0) {
			uint32_t ts = (uint32_t)((in->played48 - in->queue.base48) / in->queue.scale);
			int64_t units = (int32_t)(ts - in->sr.ts);
			*ret_wall_us = in->sr.wall_us + sound_us(units * in->queue.scale);
			*ret_delay_us = now_us - sound_us(in->played48) - sound_queue_floor(&in->queue);
			return true;
		}
	}
	return false;
}

static void *grow(struct ort_json_array *array, size_t more, size_t size)
{
	array->items = g_realloc(array->items, (array->n + more) * size);
	array->n += more;
	return (char *)array->items + (array->n - more) * size;
}

void mix_audio_stats(const struct mix_audio *a, struct ort_json_array *inputs, struct ort_json_array *outputs)
{
	struct mcu_mix_input_stats *i_row = grow(inputs, a->inputs->len, sizeof(*i_row));
	struct mcu_mix_output_stats *o_row = grow(outputs, a->outputs->len, sizeof(*o_row));

	for (unsigned i = 0; i < a->inputs->len; i++, i_row++) {
		const struct sound_input *in = g_ptr_array_index(a->inputs, i);
		const struct sound_codec *codec = in->queue.packets ? sound_codec_by_pt(in->pt) : NULL;
		*i_row = (struct mcu_mix_input_stats){
			.id = g_strdup(in->id), .codec = g_strdup(codec ? mcu_codecs[codec->id].name : ""),
			.lost = (int64_t)(in->queue.lost + in->queue.late), .level_dbov = in->loud - 127,
			.state = g_strdup(sound_state_names[in->worth.state]), .clipped = sound_worth_clipped(in),
			.same_ms = in->worth.above_us ? (a->last_us - in->worth.above_us) / 1000 : 0,
		};
	}
	for (unsigned i = 0; i < a->outputs->len; i++, o_row++) {
		const struct sound_output *o = g_ptr_array_index(a->outputs, i);
		*o_row = (struct mcu_mix_output_stats){
			.id = g_strdup(o->id), .codec = g_strdup(mcu_codecs[o->codec->id].name), .fps = 50,
			.bitrate_bps = o->bus && o->bus->len > 0 ? o->bus->len * 8 * 50 : 0,
		};
	}
}
