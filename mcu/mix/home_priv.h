/* Pictures of one mix: inputs, views, canvases, encodes, outputs. One thread: the home thread of the mix (a tick of 1/fps);
 * the control thread talks to it by messages with the functions of home.c. */
#pragma once
#include <glib.h>

#include "mcu/mix/caption_priv.h"
#include "mcu/mix/decoder_priv.h"
#include "mcu/mix/geometry_priv.h"
#include "mcu/mix/judge_priv.h"
#include "mcu/mix/load_priv.h"
#include "mcu/mix/mix.h"
#include "mcu/mix/phase_priv.h"
#include "mcu/mix/picture_priv.h"

#define MIX_COMMIT_US 500000	/* a new layout or source is waited for this long */
#define MIX_LATE_US 1000000	/* older pictures are shown with their age */
#define MIX_FROZEN_US 2000000	/* no frame for so long */
#define MIX_SAME_US 10000000	/* frames come, all of them equal */
#define MIX_BLACK_US 2000000	/* dark for so long: a lens cap, not a cut */
#define MIX_PLI_US 500000
#define MIX_KEY_US 1000000	/* key frames of one encode are at least this far apart */
#define MIX_HISTORY 16

enum mix_input_state { MIX_WAITING, MIX_SHOWN, MIX_LATE, MIX_FROZEN, MIX_BROKEN, MIX_UNSEEN, MIX_BLACK, MIX_LOOPED, MIX_INPUT_STATE_N };

struct mix_in {
	char *id, *member, *name;
	int content;
	uint32_t ssrc;
	struct mix_decoder *decoder;
	struct mix_picture *last;	/* newest, kept while anybody sees it */
	int64_t last_us;
	bool seen;			/* told to the decoder */
	int64_t seen_us, unseen_us;	/* since when in a cell; since when in none */
	int want_w, want_h;		/* gathered in this tick */
	int told_w, told_h;
	bool told, told_paused;
	bool key_due;
	int64_t pli_us;
	enum mix_input_state state;
	int64_t looked_us, dark_us;	/* when its light was looked at; since when there is none, 0 = there is */
	bool watch;			/* judged though nobody sees it */
	struct mix_judge *judge;	/* NULL: not seen since */
	uint64_t frames_told;
};

struct mix_cell_conf { int mode; char *member; char **members; int64_t interval_us; };
struct mix_view_conf {
	const struct mix_layout *layout;	/* NULL = none */
	struct mix_cell_conf cell[MIX_MAX_CELLS];
	char *banner, *alarm, *crawl;
	bool titles, clock;
};
struct mix_view {
	char *id;
	struct mix_view_conf now, next;		/* next.layout NULL = nothing pending */
	int64_t next_us;			/* since when it is pending */
	unsigned serial;			/* of the commit: canvases with another paint everything */
};

/* What a canvas shows in a cell */
struct mix_spot { struct mix_in *in, *wish; int64_t wish_us, picture_us, painted_us, age_s; bool dirty; };
struct mix_wall {				/* one canvas of a view */
	struct mix_view *view;
	int w, h;
	char *member;				/* NULL = for all; else him we leave out of voice cells */
	struct mix_canvas canvas;
	unsigned serial, users;
	struct mix_spot spot[MIX_MAX_CELLS];

	bool painted;				/* in this tick */
	struct mix_caption_cache *captions;
};

struct mix_coder;
struct mix_encode {				/* one class */
	struct mix_home *home;
	struct mix_wall *wall;
	enum mcu_codec_id codec;
	int fps;
	int64_t bps;
	bool single;				/* packetization-mode 0 */
	struct mix_coder *coder;
	unsigned rank, fails;
	unsigned users;
	bool key_due;
	int64_t key_us, encoded_us, due_us, now_us;
	uint16_t picture_id;
	uint64_t frames, keyframes, bytes, late;
	double encode_ms;
};

struct mix_out {
	char *id, *view_id, *member;
	enum mcu_codec_id codec;
	int w, h, fps;
	int64_t bps;
	bool single;
	uint32_t ssrc, ts_base;
	uint16_t seq;
	uint32_t packets, octets;
	struct mix_encode *encode;		/* NULL: its view is not there (yet) */
	uint64_t frames_told, bytes_told, octets_all;
	uint64_t keyframes;
};

struct mix_home {
	mcu_mix *mix;
	ort_loop *loop;
	GSource *timer;
	int fps;
	uint32_t ssrc;				/* ours, as sender of PLI */
	int64_t tick_us, due_us, second_us, stats_us;
	int64_t wall_offset_us;			/* wall clock - ort_now_us(), shared with the sound: lip sync */
	GPtrArray *ins, *views, *walls, *encodes, *outs;
	GPtrArray *stills;			/* asked for, see ask.c */
	char *history[MIX_HISTORY];		/* who spoke, the present one first */
	bool nobody;				/* at present nobody speaks */
	struct mix_load load;
	struct mix_phase phase;
	uint64_t late, cpu_us, cpu_told_us, coders_us;	/* coders_us: of coders that went */
	unsigned rank[MCU_CODEC_N];		/* encoders before this one hung */
	bool regroup;				/* outputs must look for their encode again */
};

/* ---- home.c: any call from the control thread ---- */
struct mix_home *mix_home_start(mcu_mix *mix, unsigned serial, int fps, int64_t wall_offset_us);
void mix_home_stop(struct mix_home *h);	/* joins */
void mix_home_call(struct mix_home *h, void (*fn)(struct mix_home *h, void *arg), void *arg, GDestroyNotify free_arg);
void mix_home_swap(struct mix_home *h, const char *id, struct mix_decoder *fresh);	/* takes a reference of its own */
void mix_home_rtcp(struct mix_home *h, const uint8_t *packet, size_t len);	/* bridge thread */

/* commands, to be run by mix_home_call */
struct mix_input_cmd { struct mcu_mix_input req; uint32_t ssrc; struct mix_decoder *decoder; /* NULL = as it is */ };
void mix_home_input(struct mix_home *h, void *cmd);
void mix_home_input_remove(struct mix_home *h, void *id);
void mix_home_view(struct mix_home *h, void *request);		/* struct mcu_mix_view */
void mix_home_view_remove(struct mix_home *h, void *id);
struct mix_output_cmd { struct mcu_mix_output req; uint32_t ssrc; };
void mix_home_output(struct mix_home *h, void *cmd);
void mix_home_output_remove(struct mix_home *h, void *id);
void mix_home_speaker(struct mix_home *h, void *member);	/* "" = nobody */
struct mix_in *mix_home_find_in(const struct mix_home *h, const char *id);	/* NULL = none */

/* ---- view.c ---- */
struct mix_view *mix_view_find(const struct mix_home *h, const char *id);
void mix_view_free(gpointer view);
void mix_view_commit_due(struct mix_home *h, int64_t now_us);
struct mix_in *mix_view_resolve(const struct mix_home *h, const struct mix_view_conf *conf, unsigned cell, const char *without,
				int64_t now_us);
bool mix_view_has_voice(const struct mix_view *v);
const char *mix_home_speaking(const struct mix_home *h);	/* who spoke last, NULL = nobody yet */

/* ---- wall.c ---- */
struct mix_wall *mix_wall_get(struct mix_home *h, struct mix_view *v, int w, int height, const char *member);
void mix_wall_free(gpointer wall);
void mix_wall_forget(struct mix_wall *w, const struct mix_in *in);
void mix_wall_paint(struct mix_home *h, struct mix_wall *w, int64_t now_us);
void mix_wall_gather_wants(struct mix_home *h, struct mix_wall *w, int64_t now_us);

/* ---- output.c ---- */
void mix_out_free(gpointer out);
void mix_encode_free(gpointer encode);
void mix_out_regroup(struct mix_home *h);
void mix_out_drop_view(struct mix_home *h, const struct mix_view *v);
void mix_encode_run(struct mix_home *h, struct mix_encode *e, int64_t now_us);
void mix_out_reports(struct mix_home *h, int64_t now_us);	/* SR */
void mix_out_key(struct mix_home *h, uint32_t ssrc);		/* PLI, FIR */

/* ---- report.c: from the home thread to the control thread ---- */
const char *mix_state_name(const struct mix_in *in);
void mix_report_view(struct mix_home *h, const struct mix_view *v, int64_t waited_ms);
void mix_report_states(struct mix_home *h, int64_t now_us);
void mix_report_wants(struct mix_home *h, int64_t now_us);
void mix_report_stats(struct mix_home *h, int64_t now_us);

/* ---- mix.c ---- */
void mix_send(mcu_mix *mix, const uint8_t *packet, size_t len);	/* MCU_VIDEO; home thread */
void mix_flush(mcu_mix *mix);
/* Body of `event` (transfer full) to the control thread, which frees it by the event's table. Any thread of the mix. */
void mix_post_event(mcu_mix *mix, enum mcu_event event, void *body);
void mix_post_want(mcu_mix *mix, const char *input, int w, int h, bool paused);
const char *mix_room_name(const mcu_mix *mix);
const char *mix_name(const mcu_mix *mix);
const char *mix_ranks(const mcu_mix *mix);
/* The calling thread before others of its process' peers, where the system permits it; niceness as in setpriority(2). */
void mix_thread_first(int nice);
