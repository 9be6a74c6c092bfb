/* Codec workers and what they mix. Control thread. */
#pragma once
#include "mcu/bridge/bridge.h"
#include "mcu/engine/engine_priv.h"
#include "mcu/engine/voice_priv.h"

/* ---- mixer_process.c: one codec worker, started again whenever it ends ---- */
typedef struct mixer_process mixer_process;
struct mixer_process_conf {
	const char *program;	/* NULL or "" = beside our own */
	const char *elements, *log;
	int64_t restart_ms, watchdog_ms, memory;
	bool sandbox;
};
struct mixer_process_ops {
	void (*up)(mixer_process *p, void *user_data);	/* a fresh one: it knows nothing */
	void (*down)(mixer_process *p, const char *why, void *user_data);	/* the next one comes by itself; why: literal */
	void (*notify)(mixer_process *p, const char *name, json_t *params, void *user_data);
};
/* Strings of conf are copied. Not started yet. */
mixer_process *mixer_process_new(GMainContext *context, const struct mixer_process_conf *conf,
				 const struct mixer_process_ops *ops, void *user_data);
void mixer_process_free(mixer_process *p);	/* kills; pending calls are answered with ORT_RPC_CLOSED */
bool mixer_process_start(mixer_process *p, GError **err);	/* true: it runs, or will by itself */
bool mixer_process_up(const mixer_process *p);
bool mixer_process_failing(const mixer_process *p);	/* ended several times in a row soon after its start */
void mixer_process_kill(mixer_process *p, const char *why);	/* why: literal */
void mixer_process_doubt(mixer_process *p, const char *why);	/* kills unless it is dying by itself */
/* Only while it is up; otherwise fn is told ORT_RPC_CLOSED at once. params stolen. */
void mixer_process_call(mixer_process *p, const char *method, json_t *params, ort_rpc_reply_fn fn, void *user_data);
/* Descriptors for the command that follows with "channel": serial. Borrowed. */
bool mixer_process_hand(mixer_process *p, uint32_t serial, const int fds[MCU_CHANNEL_FDS]);
struct mixer_process_stats { uint64_t starts, restarts, hung; };
const struct mixer_process_stats *mixer_process_stats(const mixer_process *p);
const json_t *mixer_process_counters(const mixer_process *p);	/* the worker's own, as of its last ping; NULL = none yet */

/* ---- mixer_item.c ---- */
/* One input, view or output: the command that made it, for the next worker. */
struct mix_item { enum mcu_method method; void *request; uint32_t ssrc; };

struct mix {
	mcu_mixers *mixers;
	char *room, *id;
	mixer_process *process;
	int64_t fps;
	GHashTable *inputs, *views, *outputs;	/* id -> struct mix_item */
	GHashTable *ssrcs;	/* those in use on its channel */
	GHashTable *states;	/* input -> struct mcu_mix_input_event: what the worker said last of it */
	const char *state;	/* of mix.state */
	unsigned generation;	/* workers that it has seen */
	int64_t begun_us;	/* at this worker */
};

struct mcu_mixers {
	mcu_engine *e;
	char *program, *elements, *log;
	mixer_process **processes;
	mcu_voice *voice;
	unsigned n_processes;
	GHashTable *mixes;	/* "room\nmix" -> struct mix, owned */
	uint32_t serial;
	int64_t window_us;	/* events of the worker in this second */
	unsigned window_events;
	uint64_t events_dropped, foreign;
};

struct mix_item *mix_item_new(enum mcu_method method, const void *request, uint32_t ssrc);
void mix_item_free(void *item);
struct mix_item *mix_item_copy(const struct mix_item *item);
uint32_t mix_ssrc_take(struct mix *mix, const char *id);	/* a fresh one */
void mix_ssrc_give(struct mix *mix, uint32_t ssrc);
/* Jobs for the media thread; request filled, the rest is the caller's. */
struct mcu_job *mix_job_input(const struct mix *mix, const struct mcu_mix_input *in, uint32_t ssrc);
struct mcu_job *mix_job_route(const struct mix *mix, const struct mcu_mix_input *in);
struct mcu_job *mix_job_output(const struct mix *mix, const struct mcu_mix_output *out, uint32_t ssrc);
struct mcu_job *mix_job_remove(const struct mix *mix, enum mcu_method method, const char *id);	/* SINK_REMOVE, SOURCE_REMOVE */
struct mcu_job *mix_job_want(const struct mix *mix, const json_t *params);
char *mix_sink_id(const struct mix *mix, const char *input);	/* NULL: longer than an id may be */

/* ---- mix_call.c ---- */
struct mix_call;
char *mix_key(const char *room, const char *mix);	/* (transfer full) */
GHashTable *mix_table(const struct mix *mix, enum mcu_method method);	/* inputs, views or outputs; NULL */
json_t *mix_item_params(const struct mix_item *item);
struct mcu_job *mix_item_job(const struct mix *mix, const struct mix_item *item);	/* NULL: nothing for the media thread */
/* sum: of the gateway, answered and freed at the end; NULL = told again. Holds one part until mix_call_done(). MIX_PLAY
 * stands for all that is not remembered. */
struct mix_call *mix_call_new(struct mix *mix, struct mcu_job *sum, enum mcu_method method, const char *id);
void mix_call_restores(struct mix_call *c, const struct mix_item *before);	/* when it fails; NULL = was not there */
void mix_call_media(struct mix_call *c, struct mix *mix, struct mcu_job *job);	/* takes the job */
void mix_call_worker(struct mix_call *c, struct mix *mix, const char *method, json_t *params);	/* params stolen */
void mix_call_done(struct mix_call *c);
void mix_begin(struct mix *mix, struct mix_call *c);	/* MIX_OPEN with a fresh channel; ends the first part of c */
void mix_tell_again(struct mix *mix);	/* everything, to a fresh worker */
void mix_take_out(struct mix *mix, enum mcu_method method, const char *id);	/* method that made it */
void mix_tell(struct mix *mix, enum mcu_method method, const char *id);	/* the worker; nobody waits */
void mix_close_transport(struct mix *mix);

/* ---- mixer_events.c ---- */
GHashTable *mix_states_new(void);
void mixers_tell_state(const struct mix *mix, const char *why);
void mixers_notify(struct mcu_mixers *m, mixer_process *p, const char *name, json_t *params);
