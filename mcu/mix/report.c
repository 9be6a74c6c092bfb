/* What the home thread tells: layouts shown, states of inputs, sizes wanted, figures. */
#include "mcu/mix/home_priv.h"

#include <string.h>

#include "mcu/base/clock.h"

static const char *const state_names[MIX_INPUT_STATE_N] = {
	[MIX_WAITING] = "waiting", [MIX_SHOWN] = "shown", [MIX_LATE] = "late", [MIX_FROZEN] = "frozen",
	[MIX_BROKEN] = "broken", [MIX_UNSEEN] = "unseen", [MIX_BLACK] = "black", [MIX_LOOPED] = "looped",
};

void mix_report_view(struct mix_home *h, const struct mix_view *v, int64_t waited_ms)
{
	struct mcu_mix_view_event *e = g_new0(struct mcu_mix_view_event, 1);

	*e = (struct mcu_mix_view_event){ .room = g_strdup(mix_room_name(h->mix)), .mix = g_strdup(mix_name(h->mix)),
					  .id = g_strdup(v->id), .layout = g_strdup(v->now.layout->name), .waited_ms = waited_ms,
					  .at_ms = ort_wall_ms(), .at_us = h->tick_us };
	mix_post_event(h->mix, MCU_EVENT_MIX_VIEW_SHOWN, e);
}

const char *mix_state_name(const struct mix_in *in)
{
	return state_names[in->state];
}

enum { LOOK_US = 1000000 };

/* Slides stand still and come again: that is what they are for. */
static void judge(struct mix_in *in, int64_t now_us)
{
	if (!in->last || in->content != MCU_CONTENT_MAIN) {
		return;
	}
	if (!in->judge) {
		in->judge = mix_judge_new();
	}
	if (now_us - in->last_us > MIX_LATE_US) {
		mix_judge_forget(in->judge);
	} else {
		mix_judge_note(in->judge, in->last, now_us);
	}
}

/* Once a second is enough: nobody opens a lens cap for less. */
static void look_at_light(struct mix_in *in, int64_t now_us)
{
	judge(in, now_us);
	if (!in->last) {
		in->dark_us = 0;
	} else if (now_us - in->looked_us >= LOOK_US) {
		in->looked_us = now_us;
		in->dark_us = !mix_picture_is_black(in->last) ? 0 : in->dark_us ? in->dark_us : now_us;
	}
}

static struct mix_judge_figures figures_of(const struct mix_in *in, int64_t now_us)
{
	struct mix_judge_figures f = { 0 };

	if (in->judge) {
		mix_judge_figures(in->judge, now_us, &f);
	}
	if (in->last && now_us - in->last_us > MIX_LATE_US) {
		f.same_us = now_us - in->last_us;
	}
	return f;
}

static enum mix_input_state state_of(const struct mix_in *in, enum mix_trouble trouble, int64_t now_us)
{
	int64_t age = in->last ? now_us - in->last_us : now_us - in->seen_us;
	struct mix_judge_figures f = figures_of(in, now_us);

	if (!in->seen) {
		return MIX_UNSEEN;
	}
	if (trouble != MIX_FINE && age > MIX_LATE_US) {
		return MIX_BROKEN;
	}
	if (!in->last) {
		return MIX_WAITING;
	}
	if (age > MIX_LATE_US) {
		return age > MIX_FROZEN_US ? MIX_FROZEN : MIX_LATE;
	}
	if (in->dark_us && now_us - in->dark_us >= MIX_BLACK_US) {
		return MIX_BLACK;
	}
	return f.same_us >= MIX_SAME_US ? MIX_FROZEN : f.period_us ? MIX_LOOPED : MIX_SHOWN;
}

static const char *why(const struct mix_in *in, enum mix_trouble trouble, int64_t now_us)
{
	if (in->state == MIX_FROZEN) {
		return now_us - in->last_us > MIX_LATE_US ? "no_frames" : "same_picture";
	}
	return mix_trouble_names[trouble];
}

void mix_report_states(struct mix_home *h, int64_t now_us)
{
	for (guint i = 0; i < h->ins->len; i++) {
		struct mix_in *in = h->ins->pdata[i];
		struct mix_decoder_figures f;
		mix_decoder_figures(in->decoder, &f);
		look_at_light(in, now_us);
		enum mix_input_state state = state_of(in, f.trouble, now_us);
		if (state == in->state) {
			continue;
		}
		in->state = state;
		struct mcu_mix_input_event *e = g_new0(struct mcu_mix_input_event, 1);
		struct mix_judge_figures j = figures_of(in, now_us);
		*e = (struct mcu_mix_input_event){
			.room = g_strdup(mix_room_name(h->mix)), .mix = g_strdup(mix_name(h->mix)), .id = g_strdup(in->id),
			.state = g_strdup(state_names[state]), .why = g_strdup(why(in, f.trouble, now_us)),
			.same_ms = j.same_us / 1000, .period_ms = j.period_us / 1000, .luma = j.luma, .level_dbov = -127,
			.width = in->last ? in->last->w : 0, .height = in->last ? in->last->h : 0,
			.at_ms = ort_wall_ms(), .at_us = now_us };
		mix_post_event(h->mix, MCU_EVENT_MIX_INPUT_STATE, e);
	}
}

void mix_report_wants(struct mix_home *h, int64_t now_us)
{
	for (guint i = 0; i < h->ins->len; i++) {
		struct mix_in *in = h->ins->pdata[i];
		bool paused = !in->seen;
		int w = in->want_w, height = in->want_h;
		if (paused) {
			w = height = 0;
		} else if (!w) {
			continue;	/* just left its cell */
		}
		if (in->told && paused == in->told_paused && w == in->told_w && height == in->told_h) {
			continue;
		}
		in->told = true;
		in->told_paused = paused;
		in->told_w = w;
		in->told_h = height;
		mix_post_want(h->mix, in->id, w, height, paused);
	}
}

static double per_second(uint64_t now, uint64_t *before, int64_t us)
{
	uint64_t n = now - MIN(*before, now);

	*before = now;
	return us > 0 ? (double)n * 1e6 / (double)us : 0;
}

static void input_rows(struct mix_home *h, struct ort_json_array *ret, int64_t us)
{
	struct mcu_mix_input_stats *rows = g_new0(struct mcu_mix_input_stats, h->ins->len);

	for (guint i = 0; i < h->ins->len; i++) {
		struct mix_in *in = h->ins->pdata[i];
		struct mix_decoder_figures f;
		mix_decoder_figures(in->decoder, &f);
		struct mix_judge_figures j = figures_of(in, h->tick_us);
		rows[i] = (struct mcu_mix_input_stats){
			.id = g_strdup(in->id), .codec = g_strdup(f.codec >= 0 ? mcu_codecs[f.codec].name : ""),
			.width = in->last ? in->last->w : 0, .height = in->last ? in->last->h : 0, .lost = (int64_t)f.lost,
			.fps = per_second(f.frames, &in->frames_told, us), .level_dbov = -127,
			.state = g_strdup(state_names[in->state]), .same_ms = j.same_us / 1000, .period_ms = j.period_us / 1000,
			.luma = j.luma };
	}
	*ret = (struct ort_json_array){ rows, h->ins->len };
}

static void output_rows(struct mix_home *h, struct ort_json_array *ret, int64_t us)
{
	struct mcu_mix_output_stats *rows = g_new0(struct mcu_mix_output_stats, h->outs->len);

	for (guint i = 0; i < h->outs->len; i++) {
		struct mix_out *o = h->outs->pdata[i];
		const struct mix_encode *e = o->encode;
		rows[i] = (struct mcu_mix_output_stats){
			.id = g_strdup(o->id), .codec = g_strdup(mcu_codecs[o->codec].name), .width = e ? e->wall->w : 0,
			.height = e ? e->wall->h : 0, .keyframes = e ? (int64_t)e->keyframes : 0, .late = (int64_t)h->late,
			.bitrate_bps = (int64_t)(8 * per_second(o->octets_all, &o->bytes_told, us)),
			.fps = e ? per_second(e->frames, &o->frames_told, us) : 0, .encode_ms = e ? e->encode_ms : 0 };
	}
	*ret = (struct ort_json_array){ rows, h->outs->len };
}

static double load_of(struct mix_home *h, int64_t us)
{
	uint64_t cpu = h->cpu_us;

	for (guint i = 0; i < h->ins->len; i++) {
		struct mix_decoder_figures f;
		mix_decoder_figures(((struct mix_in *)h->ins->pdata[i])->decoder, &f);
		cpu += f.cpu_us;
	}
	return per_second(cpu, &h->cpu_told_us, us) / 1e6;
}

void mix_report_stats(struct mix_home *h, int64_t now_us)
{
	struct mcu_mix_stats_event *e = g_new0(struct mcu_mix_stats_event, 1);
	int64_t us = now_us - h->stats_us;

	*e = (struct mcu_mix_stats_event){ .room = g_strdup(mix_room_name(h->mix)), .mix = g_strdup(mix_name(h->mix)),
					   .load = load_of(h, us), .at_ms = ort_wall_ms(), .at_us = now_us };
	input_rows(h, &e->inputs, us);
	output_rows(h, &e->outputs, us);
	mix_post_event(h->mix, MCU_EVENT_MIX_STATS, e);
}
