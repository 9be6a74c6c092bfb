/* Inside of mcu/engine. Control thread, except where a struct says otherwise. */
#pragma once
#include "mcu/base/loop.h"
#include "mcu/base/rpc.h"
#include "mcu/engine/engine.h"
#include "mcu/proto/proto.h"
#include "mcu/room/room.h"

#define CONNECTIONS_MAX 8

typedef struct mcu_worker mcu_worker;
typedef struct mcu_mixers mcu_mixers;

/* Counters of the control thread; X(name, sentence). Invariant: calls = answered + failed + under way. */
#define ENGINE_COUNTERS(X)                                                \
	X(calls, "commands received")                                     \
	X(answered, "commands answered with a result")                    \
	X(failed, "commands answered with an error")                      \
	X(events, "events sent to the gateway")                           \
	X(events_unheard, "events while no gateway was there")            \
	X(connections, "connections taken")                               \
	X(connections_refused, "connections refused: foreign user or too many") \
	X(gateways_lost, "gateway connections that ended")                \
	X(rooms_opened, "rooms opened")                                   \
	X(rooms_closed, "rooms closed by the gateway or by a worker")     \
	X(rooms_expired, "rooms closed because no gateway came back in the grace time")

struct mcu_engine_counters {
#define X(name, doc) uint64_t name;
	ENGINE_COUNTERS(X)
#undef X
};

/* Where a room lives. */
struct mcu_placed { char *id; unsigned worker; uint64_t serial; GHashTable *transports; };

struct mcu_conn { mcu_engine *e; ort_rpc *rpc; bool greeted; };

struct mcu_engine {
	struct ort_owner owner;
	GMainContext *context;
	const struct mcu_engine_ops *ops;
	void *user_data;
	char *name, boot[33];
	int64_t grace_ms, conf_grace_ms, orphan_ms, watchdog_ms;
	unsigned max_rooms, max_transports;
	ort_mailbox *box;	/* from the workers */
	GSource *box_source, *timer;
	mcu_worker **workers;
	unsigned n_workers;
	GHashTable *rooms;	/* id -> struct mcu_placed, owned */
	uint64_t serial;
	GPtrArray *conns;	/* struct mcu_conn, owned */
	struct mcu_conn *gateway;	/* the greeted one, NULL = lost */
	bool draining;
	int64_t expire_us, orphan_us, watch_us, begin_us;	/* deadlines; begin_us = start */
	mcu_mixers *mixers;
	int listener;
	GSource *listen_source;
	char *path;
	struct mcu_engine_counters counters;
};

/* ---- worker.c: media threads ---- */

/* One command on its way: control -> worker -> control. Whoever has the message owns all of it. */
struct mcu_job {
	struct ort_msg msg;
	mcu_engine *e;
	mcu_worker *worker;
	enum mcu_method method;
	void *request, *reply;	/* structs of the method's tables */
	GError *err;
	void (*done)(struct mcu_job *job);	/* control thread; frees by mcu_job_free() */
	ort_rpc_call *call;	/* control thread only; NULL = nobody waits */
	uint64_t serial;	/* of the placed room that it opens, 0 = none */
	void *gather;		/* of a command to every worker, or to a codec worker too */
	mcu_channel *channel;	/* of MIX_OPEN, owned */
};
struct mcu_job *mcu_job_new(mcu_engine *e, enum mcu_method method);	/* empty request and reply */
void mcu_job_free(struct mcu_job *job);

struct mcu_worker_conf { unsigned index; int cpu; /* -1 = not pinned */ struct mcu_port_conf port; struct mcu_room_limits limits; };
/* Returns at once; the start's end is known when mcu_worker_started() or _error() is set by a message in e->box. */
mcu_worker *mcu_worker_start(mcu_engine *e, const struct mcu_worker_conf *conf);
bool mcu_worker_started(const mcu_worker *w);
const GError *mcu_worker_error(const mcu_worker *w);	/* the thread ended: could not start */
void mcu_worker_stop(mcu_worker *w);	/* joins; what it still had comes back through e->box */
void mcu_worker_free(mcu_worker *w);	/* after e->box was drained */
void mcu_worker_post(mcu_worker *w, struct mcu_job *job);	/* takes the job; job->done follows */
unsigned mcu_worker_index(const mcu_worker *w);
unsigned mcu_worker_port(const mcu_worker *w);
const char *mcu_worker_fingerprint(const mcu_worker *w);
double mcu_worker_busy(const mcu_worker *w);	/* share of the last watch period, 0..1 */
/* Asks for a sign of life unless one is still awaited: then returns how many times in a row it was awaited. */
unsigned mcu_worker_watch(mcu_worker *w);

/* ---- rooms ---- */
struct mcu_placed *mcu_engine_place(mcu_engine *e, const char *room, GError **err);	/* found or new on the least loaded */
void mcu_engine_forget(mcu_engine *e, const char *room, int worker, uint64_t serial);	/* -1, 0 = whichever */
void mcu_engine_load(const mcu_engine *e, unsigned worker, unsigned *ret_rooms, unsigned *ret_transports);
void mcu_engine_gateway_here(mcu_engine *e, int64_t grace_ms);
void mcu_engine_gateway_lost(mcu_engine *e);
void mcu_engine_rearm(mcu_engine *e);

/* ---- control.c ---- */
void mcu_control_take(mcu_engine *e, int fd);
void mcu_control_close_all(mcu_engine *e);
void mcu_control_event(mcu_engine *e, enum mcu_event event, const void *body);

void mcu_control_answer(struct mcu_job *job);	/* its call, if somebody waits; the job stays */

/* ---- mixers.c, mixer_events.c ---- */
mcu_mixers *mcu_mixers_new(mcu_engine *e, const ort_conf *conf);
void mcu_mixers_free(mcu_mixers *m);	/* NULL allowed; media threads have stopped, e->rooms is empty */
void mcu_mixers_call(mcu_engine *e, struct mcu_job *job);	/* MIX_*; takes the job */
bool mcu_mixers_closes(mcu_engine *e, struct mcu_job *job);	/* TRANSPORT_CLOSE of a mix: true, and takes the job */
void mcu_mixers_room_gone(mcu_engine *e, const char *room);
bool mcu_mixers_transport_state(mcu_engine *e, const struct mcu_transport_state *ev);	/* true: of a mix, not to be told */
void mcu_mixers_dump(const mcu_engine *e, struct mcu_dump_room *room);
void mcu_mixers_stats(const mcu_engine *e, json_t *to);

/* ---- listen.c ---- */
void mcu_listen_stop(mcu_engine *e);

/* ---- stats.c ---- */
json_t *mcu_stats_own(const mcu_engine *e);	/* (transfer full) */
void mcu_stats_add(json_t *to, const json_t *counters);	/* numbers of equal name are added */

/* ---- watchdog.c ---- */
void mcu_watchdog_tick(mcu_engine *e, int64_t now_us);	/* may abort the process */

/* ---- copy.c ---- */
void mcu_struct_copy(const struct ort_json_table *table, const void *from, void *to);	/* deep; any thread */
