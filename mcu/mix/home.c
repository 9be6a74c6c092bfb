/* The home thread of a mix: commands, and one tick a frame: take pictures, commit views, paint, encode, send. A tick that
 * comes too late is left out and counted, never made up for. */
#include "mcu/mix/ask_priv.h"
#include "mcu/mix/coder_priv.h"
#include "mcu/mix/home_priv.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/rtp.h"

enum { UNSEEN_US = 2000000, STATS_US = 2000000, WATCH_W = 320, WATCH_H = 180 };

/* ---- messages ---- */
struct call_msg {
	struct ort_msg msg;
	void (*fn)(struct mix_home *h, void *arg);
	void *arg;
	GDestroyNotify free_arg;
};

static void run_call(struct ort_msg *msg, void *owner)
{
	struct call_msg *m = (struct call_msg *)msg;

	m->fn(owner, m->arg);
	if (m->free_arg) {
		m->free_arg(m->arg);
	}
	g_free(m);
}

void mix_home_call(struct mix_home *h, void (*fn)(struct mix_home *, void *), void *arg, GDestroyNotify free_arg)
{
	struct call_msg *m = g_new0(struct call_msg, 1);

	*m = (struct call_msg){ .msg.run = run_call, .fn = fn, .arg = arg, .free_arg = free_arg };
	ort_mailbox_post(ort_loop_mailbox(h->loop), &m->msg);
}

/* ---- inputs ---- */
static void in_free(gpointer data)
{
	struct mix_in *in = data;

	mix_picture_unref(in->last);
	mix_decoder_unref(in->decoder);
	mix_judge_free(in->judge);
	g_free(in->id);
	g_free(in->member);
	g_free(in->name);
	g_free(in);
}

struct mix_in *mix_home_find_in(const struct mix_home *h, const char *id)
{
	for (guint i = 0; i < h->ins->len; i++) {
		struct mix_in *in = h->ins->pdata[i];
		if (!strcmp(in->id, id)) {
			return in;
		}
	}
	return NULL;
}

static void repaint(struct mix_home *h, const struct mix_in *in)
{
	for (guint i = 0; i < h->walls->len; i++) {
		struct mix_wall *w = h->walls->pdata[i];
		for (unsigned k = 0; k < MIX_MAX_CELLS; k++) {
			w->spot[k].dirty |= w->spot[k].in == in;
		}
	}
}

void mix_home_input(struct mix_home *h, void *cmd)
{
	struct mix_input_cmd *c = cmd;
	struct mix_in *in = mix_home_find_in(h, c->req.id);

	if (!in) {
		in = g_new0(struct mix_in, 1);
		in->id = g_strdup(c->req.id);
		in->unseen_us = h->tick_us;
		g_ptr_array_add(h->ins, in);
	}
	g_free(in->member);
	g_free(in->name);
	in->member = g_strdup(c->req.member);
	in->name = g_strdup(c->req.name);
	in->content = c->req.content;
	in->watch = c->req.watch;
	in->ssrc = c->ssrc;
	if (c->decoder) {
		mix_decoder_unref(in->decoder);
		in->decoder = g_steal_pointer(&c->decoder);
		in->seen = false;
		in->frames_told = 0;
	}
	repaint(h, in);
}

void mix_home_input_remove(struct mix_home *h, void *id)
{
	struct mix_in *in = mix_home_find_in(h, id);

	if (!in) {
		return;
	}
	for (guint i = 0; i < h->walls->len; i++) {
		mix_wall_forget(h->walls->pdata[i], in);
	}
	g_ptr_array_remove(h->ins, in);
}

struct swap { char *id; struct mix_decoder *fresh; };

static void run_swap(struct mix_home *h, void *arg)
{
	struct swap *s = arg;
	struct mix_in *in = mix_home_find_in(h, s->id);

	if (in) {
		mix_decoder_unref(in->decoder);
		in->decoder = g_steal_pointer(&s->fresh);
		in->seen = false;
		in->frames_told = 0;
	}
}

static void swap_free(gpointer arg)
{
	struct swap *s = arg;

	mix_decoder_unref(s->fresh);
	g_free(s->id);
	g_free(s);
}

void mix_home_swap(struct mix_home *h, const char *id, struct mix_decoder *fresh)
{
	struct swap *s = g_new0(struct swap, 1);

	s->id = g_strdup(id);
	s->fresh = mix_decoder_ref(fresh);
	mix_home_call(h, run_swap, s, swap_free);
}

static void ask_key(struct mix_home *h, struct mix_in *in, int64_t now_us)
{
	uint8_t packet[32];
	size_t len = 0;

	if (in->key_due && now_us - in->pli_us >= MIX_PLI_US &&
	    mcu_rtcp_write_pli(packet, sizeof(packet), &len, h->ssrc, in->ssrc) == 0) {
		in->pli_us = now_us;
		in->key_due = false;
		mix_send(h->mix, packet, len);
	}
}

static void take_pictures(struct mix_home *h, int64_t now_us)
{
	for (guint i = 0; i < h->ins->len; i++) {
		struct mix_in *in = h->ins->pdata[i];
		struct mix_picture *p = mix_decoder_take(in->decoder);
		if (p) {
			mix_picture_unref(in->last);
			in->last = p;
			in->last_us = p->at_us;
		}
		in->key_due |= mix_decoder_wants_key(in->decoder);
		if (in->seen) {
			ask_key(h, in, now_us);
		}
	}
}

/* What stands in no cell is not decoded; it is kept for two seconds, for layouts that change to and fro. */
static void decide_seen(struct mix_home *h, int64_t now_us)
{
	for (guint i = 0; i < h->ins->len; i++) {
		struct mix_in *in = h->ins->pdata[i];
		in->want_w = in->watch ? WATCH_W : 0;
		in->want_h = in->watch ? WATCH_H : 0;
	}
	for (guint i = 0; i < h->walls->len; i++) {
		mix_wall_gather_wants(h, h->walls->pdata[i], now_us);
	}
	mix_home_stills_want(h);
	for (guint i = 0; i < h->ins->len; i++) {
		struct mix_in *in = h->ins->pdata[i];
		if (in->want_w && !in->seen) {
			in->seen = true;
			in->seen_us = now_us;
			mix_decoder_want(in->decoder, true);
		} else if (!in->want_w && in->seen && now_us - in->unseen_us > UNSEEN_US) {
			in->seen = false;
			mix_decoder_want(in->decoder, false);
			g_clear_pointer(&in->last, mix_picture_unref);
			g_clear_pointer(&in->judge, mix_judge_free);
		}
		in->unseen_us = in->want_w ? now_us : in->unseen_us;
	}
}

/* ---- RTCP of viewers ---- */
struct rtcp_msg { struct ort_msg msg; size_t len; uint8_t data[]; };

static void note_rtcp(struct mix_home *h, const struct mcu_rtcp *r)
{
	uint32_t ssrc;
	uint8_t seq;

	if (r->kind == MCU_RTCP_PLI) {
		mix_out_key(h, r->media);
	}
	for (unsigned i = 0; r->kind == MCU_RTCP_FIR && mcu_rtcp_fir(r, i, &ssrc, &seq); i++) {
		mix_out_key(h, ssrc);
	}
}

static void run_rtcp(struct ort_msg *msg, void *owner)
{
	struct rtcp_msg *m = (struct rtcp_msg *)msg;
	struct mcu_rtcp r;
	size_t pos = 0;

	while (mcu_rtcp_next(m->data, m->len, &pos, &r) == 1) {
		note_rtcp(owner, &r);
	}
	g_free(m);
}

void mix_home_rtcp(struct mix_home *h, const uint8_t *packet, size_t len)
{
	struct rtcp_msg *m = g_malloc(sizeof(*m) + len);

	m->msg.run = run_rtcp;
	m->len = len;
	memcpy(m->data, packet, len);
	ort_mailbox_post(ort_loop_mailbox(h->loop), &m->msg);
}

/* ---- the tick ---- */
static int64_t thread_cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * ORT_US_PER_S + t.tv_nsec / 1000;
}

static void now_and_then(struct mix_home *h, int64_t now_us)
{
	mix_report_states(h, now_us);
	mix_report_wants(h, now_us);
	if (now_us - h->second_us >= ORT_US_PER_S) {
		h->second_us = now_us;
		mix_out_reports(h, now_us);
	}
	if (now_us - h->stats_us >= STATS_US) {
		h->cpu_us = (uint64_t)thread_cpu_us() + h->coders_us;
		for (guint i = 0; i < h->encodes->len; i++) {
			h->cpu_us += mix_coder_cpu_us(((struct mix_encode *)h->encodes->pdata[i])->coder);
		}
		mix_report_stats(h, now_us);
		h->stats_us = now_us;
	}
}

static void work(struct mix_home *h, int64_t now_us)
{
	decide_seen(h, now_us);
	take_pictures(h, now_us);
	mix_view_commit_due(h, now_us);
	if (h->regroup) {
		mix_out_regroup(h);
	}
	for (guint i = 0; i < h->walls->len; i++) {
		mix_wall_paint(h, h->walls->pdata[i], now_us);
	}
	for (guint i = 0; i < h->encodes->len; i++) {
		mix_encode_run(h, h->encodes->pdata[i], now_us);
	}
	mix_home_stills_run(h, now_us);
	now_and_then(h, now_us);
	mix_flush(h->mix);
}

/* Whom the picture is about: who speaks, else the first that is seen. */
static const struct mix_in *leader(const struct mix_home *h)
{
	const struct mix_in *first = NULL;

	for (guint i = 0; i < h->ins->len; i++) {
		const struct mix_in *in = h->ins->pdata[i];
		if (!in->last || !in->seen || in->content != MCU_CONTENT_MAIN) {
			continue;
		}
		if (h->history[0] && !strcmp(in->member, h->history[0])) {
			return in;
		}
		first = first ? first : in;
	}
	return first;
}

static int64_t steer(struct mix_home *h, int64_t now_us, int64_t period_us)
{
	const struct mix_in *in = leader(h);

	if (!in || (h->phase.of == in && h->phase.last_us == in->last_us)) {
		return 0;
	}
	return mix_phase_note(&h->phase, in, in->last_us, now_us, period_us);
}

static int64_t tick(int64_t now_us, void *user_data)
{
	struct mix_home *h = user_data;
	int64_t period = ORT_US_PER_S / h->fps, skipped = (now_us - h->due_us) / period;

	h->tick_us = now_us;
	work(h, now_us);
	h->late += (uint64_t)skipped;
	if (mix_load_note(&h->load, ort_now_us() - now_us, period, skipped > 0, now_us)) {
		h->regroup = true;
	}
	h->due_us += (skipped + 1) * period + steer(h, now_us, period);
	return h->due_us;
}

/* ---- life ---- */
void mix_thread_first(int nice)
{
	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice);	/* EACCES without CAP_SYS_NICE: then as all */
}

static void start_on_home(struct mix_home *h, void *arg)
{
	mix_thread_first(-5);
	h->tick_us = h->stats_us = ort_now_us();
	h->due_us = h->tick_us;
	h->timer = ort_timer_new(ort_loop_context(h->loop), h->due_us, tick, h);
}

struct mix_home *mix_home_start(mcu_mix *mix, unsigned serial, int fps, int64_t wall_offset_us)
{
	struct mix_home *h = g_new0(struct mix_home, 1);
	g_autofree char *name = g_strdup_printf("mix-%u", serial);

	h->mix = mix;
	h->fps = fps;
	h->wall_offset_us = wall_offset_us;
	h->ssrc = g_random_int() | 1;
	h->ins = g_ptr_array_new_with_free_func(in_free);
	h->views = g_ptr_array_new_with_free_func(mix_view_free);
	h->walls = g_ptr_array_new_with_free_func(mix_wall_free);
	h->encodes = g_ptr_array_new_with_free_func(mix_encode_free);
	h->stills = mix_home_stills_new();
	h->outs = g_ptr_array_new_with_free_func(mix_out_free);
	h->loop = ort_loop_start(name, h);
	mix_home_call(h, start_on_home, NULL, NULL);
	return h;
}

static void finish_on_home(struct mix_home *h, void *arg)
{
	g_source_destroy(h->timer);
	g_source_unref(h->timer);
	g_ptr_array_unref(h->outs);
	g_ptr_array_unref(h->encodes);
	g_ptr_array_unref(h->walls);
	g_ptr_array_unref(h->views);
	g_ptr_array_unref(h->ins);
	g_ptr_array_unref(h->stills);
	for (unsigned i = 0; i < MIX_HISTORY; i++) {
		g_free(h->history[i]);
	}
}

void mix_home_stop(struct mix_home *h)
{
	mix_home_call(h, finish_on_home, NULL, NULL);
	ort_loop_stop(h->loop);
	g_free(h);
}
