#include "gateway/media/link_priv.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "gateway/media/spawn_priv.h"
#include "mcu/base/clock.h"
#include "mcu/base/fsm.h"
#include "mcu/base/log.h"
#include "mcu/base/loop.h"

enum { WAIT, START, GREET, UP, ENDED, N_STATES };
enum { T_START, T_GREET };

static const struct ort_timer_row timers[] = {
	[T_START] = { "media.start_ms", 10000, NULL, "a spawned engine listens within this, or it is killed" },
	[T_GREET] = { "media.greet_ms", 5000, NULL, "hello and dump are answered within this, or the engine is killed" },
};
static const struct ort_fsm_state states[N_STATES] = {
	[WAIT] = { "wait", 0, ORT_BIT(START) | ORT_BIT(GREET) | ORT_BIT(ENDED) | ORT_BIT(WAIT), -1 },
	[START] = { "start", 0, ORT_BIT(GREET) | ORT_BIT(WAIT) | ORT_BIT(ENDED), T_START },
	[GREET] = { "greet", 0, ORT_BIT(UP) | ORT_BIT(WAIT) | ORT_BIT(ENDED), T_GREET },
	[UP] = { "up", 0, ORT_BIT(WAIT) | ORT_BIT(ENDED), -1 },
	[ENDED] = { "ended", 0, 0, -1 },
};
static const struct ort_fsm_table table = { .name = "media.link", .states = states, .n_states = N_STATES,
					    .timers = timers, .n_timers = G_N_ELEMENTS(timers) };

static const int64_t backoff_ms[] = { 0, 100, 500, 1000, 2000, 5000 };
#define POLL_US	   (10 * ORT_US_PER_MS)	/* how often a starting engine's socket is tried */
#define RETRY_US   (100 * ORT_US_PER_MS)	/* the same when we may not spawn */
#define SETTLED_US (10 * ORT_US_PER_S)	/* an engine that lived so long starts the back-off anew */

struct gw_link {
	GMainContext *context;
	const struct gw_media_conf *conf;
	const struct gw_link_ops *ops;
	void *user_data;
	struct ort_fsm fsm;
	GSource *timer, *child_watch;
	int64_t next_us;	/* WAIT, START: next try; UP: next ping */
	int64_t up_us, ping_sent_us;	/* ping_sent_us 0 = none under way */
	unsigned failures, starts;
	pid_t child;		/* ours, not reaped yet; 0 = none */
	mcu_client *client;
	struct gw_media_engine engine;
	char *boot, *build, *name;
};

static int64_t deadline(const gw_link *l)
{
	return MIN(l->next_us, l->fsm.deadline_us);
}

static void enter(gw_link *l, int state, int64_t next_us, int64_t now_us)
{
	ort_fsm_enter(&l->fsm, state, now_us);
	l->next_us = next_us;
	ort_timer_set(l->timer, deadline(l));
}

/* An engine that does not answer is of no use to anybody: end it, whoever started it. */
static void kill_engine(gw_link *l, int signo)
{
	pid_t pid = l->child > 0 ? l->child : (pid_t)l->engine.pid;
	if (pid > 1 && pid != getpid()) {
		(void)kill(pid, signo);	/* gone already is as good */
	}
}

static void lose(gw_link *l, const char *why, int64_t now_us)
{
	bool was_up = l->fsm.state == UP;
	mcu_client *client = g_steal_pointer(&l->client);
	if (was_up && now_us - l->up_us >= SETTLED_US) {
		l->failures = 0;
	}
	int64_t wait_ms = backoff_ms[MIN(l->failures, G_N_ELEMENTS(backoff_ms) - 1)];
	l->failures++;
	ort_log(ORT_LOG_WARNING, "media", "engine.lost", "the connection to the media engine is gone",
		ORT_S("why", why), ORT_S("state", states[l->fsm.state].name), ORT_I("retry_ms", wait_ms));
	enter(l, WAIT, now_us + wait_ms * ORT_US_PER_MS, now_us);
	l->engine.pid = 0;
	mcu_client_close(client);
	if (was_up) {
		l->ops->on_down(l, why, l->user_data);
	}
}

/* ---- process ---- */

static void on_child_exit(GPid pid, gint status, gpointer user_data)
{
	gw_link *l = user_data;
	bool starting = l->fsm.state == START;
	l->child = 0;
	ort_log(ORT_LOG_WARNING, "media", "engine.exit", "the media engine's process ended", ORT_I("pid", pid),
		ORT_I("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
		ORT_I("code", WIFEXITED(status) ? WEXITSTATUS(status) : -1));
	g_clear_pointer(&l->child_watch, g_source_unref);
	if (starting) {
		lose(l, "engine_exit", ort_now_us());
	}
}

static void spawn(gw_link *l, int64_t now_us)
{
	pid_t pid = 0;
	int err = gw_spawn_engine(l->conf, &pid);
	if (err < 0) {
		lose(l, g_strerror(-err), now_us);
		return;
	}
	l->child = pid;
	l->starts++;
	l->child_watch = g_child_watch_source_new(pid);
	g_source_set_callback(l->child_watch, G_SOURCE_FUNC(on_child_exit), l, NULL);
	g_source_attach(l->child_watch, l->context);
	ort_log(ORT_LOG_NOTICE, "media", "engine.start", "media engine started", ORT_I("pid", pid));
	enter(l, START, now_us + POLL_US, now_us);
}

/* ---- greeting ---- */

static void on_hello(const void *reply, const GError *err, void *user_data)
{
	gw_link *l = user_data;
	const struct mcu_hello_reply *r = reply;
	if (!l->client || err) {
		return;	/* closed by us, or the dump fails with it */
	}
	g_free(l->boot);
	g_free(l->build);
	g_free(l->name);
	l->boot = g_strdup(r->boot);
	l->build = g_strdup(r->build);
	l->name = g_strdup(r->engine);
	l->engine = (struct gw_media_engine){ l->boot, l->build, l->name, l->engine.pid, l->child == 0 };
}

static void on_dump(const void *reply, const GError *err, void *user_data)
{
	gw_link *l = user_data;
	if (!l->client || l->fsm.state != GREET) {
		return;
	}
	int64_t now_us = ort_now_us();
	if (err) {
		lose(l, err->message, now_us);
		return;
	}
	l->up_us = now_us;
	l->ping_sent_us = 0;
	enter(l, UP, now_us + l->conf->ping_ms * ORT_US_PER_MS, now_us);
	ort_log(ORT_LOG_NOTICE, "media", "engine.up", "media engine is there", ORT_S("boot", l->boot), ORT_S("build", l->build),
		ORT_I("pid", l->engine.pid), ORT_B("taken_over", l->engine.taken_over));
	l->ops->on_up(l, reply, l->user_data);
}

static void on_pong(const void *reply, const GError *err, void *user_data)
{
	gw_link *l = user_data;
	if (l->client && (!err || err->code != MCU_ERROR_NO_ENGINE)) {
		l->ping_sent_us = 0;	/* an error is a sign of life as well, a time-out is none */
	}
}

static void on_event(mcu_client *c, enum mcu_event event, const void *body, void *user_data)
{
	gw_link *l = user_data;
	if (l->fsm.state == UP) {
		l->ops->on_event(l, event, body, l->user_data);
	}
}

static void on_closed(mcu_client *c, const char *why, void *user_data)
{
	gw_link *l = user_data;
	if (l->client == c) {
		lose(l, why, ort_now_us());
	}
}

static const struct mcu_client_ops client_ops = { .on_event = on_event, .on_closed = on_closed };

static void greet(gw_link *l, int fd, int64_t now_us)
{
	const struct mcu_hello_request hello = { .proto = MCU_PROTO_VERSION, .client = (char *)"ortoo-gateway " ORT_VERSION,
						 .grace_ms = l->conf->grace_ms };
	const struct mcu_empty nothing = { 0 };
	l->engine.pid = gw_spawn_peer(fd);
	enter(l, GREET, ORT_NEVER, now_us);
	l->client = mcu_client_open(l->context, fd, &client_ops, l);
	mcu_client_call(l->client, MCU_METHOD_HELLO, &hello, on_hello, l);
	mcu_client_call(l->client, MCU_METHOD_DUMP, &nothing, on_dump, l);
}

/* ---- clock ---- */

/* A living child that refuses is starting or ending: wait for it, so that there are never two on one socket. */
static void try_connect(gw_link *l, int64_t now_us)
{
	int fd = gw_spawn_connect(l->conf->socket);
	if (fd >= 0) {
		greet(l, fd, now_us);
	} else if (l->fsm.state == START || l->child > 0) {
		l->next_us = now_us + POLL_US;
	} else if (l->conf->engine && !*l->conf->engine) {
		l->next_us = now_us + RETRY_US;
	} else {
		spawn(l, now_us);
	}
}

static void ping(gw_link *l, int64_t now_us)
{
	const struct mcu_room_ref nowhere = { (char *)"_" };	/* refused by the control thread, costs the media threads nothing */
	int64_t period_us = l->conf->ping_ms * ORT_US_PER_MS;
	if (l->ping_sent_us && now_us - l->ping_sent_us >= 2 * period_us) {
		kill_engine(l, SIGKILL);
		lose(l, "hung", now_us);
		return;
	}
	l->next_us = now_us + period_us;
	if (!l->ping_sent_us) {
		l->ping_sent_us = now_us;
		mcu_client_call(l->client, MCU_METHOD_STATS_GET, &nowhere, on_pong, l);
	}
}

static int64_t on_timer(int64_t now_us, void *user_data)
{
	gw_link *l = user_data;
	if (ort_fsm_expired(&l->fsm, now_us)) {
		kill_engine(l, SIGKILL);
		lose(l, l->fsm.state == START ? "does_not_listen" : "does_not_greet", now_us);
	} else if (l->next_us <= now_us && l->fsm.state == UP) {
		ping(l, now_us);
	} else if (l->next_us <= now_us && l->fsm.state != ENDED) {
		try_connect(l, now_us);
	}
	return deadline(l);
}

gw_link *gw_link_new(GMainContext *context, const struct gw_media_conf *conf, const struct gw_link_ops *ops, void *user_data)
{
	gw_link *l = g_new0(gw_link, 1);
	int64_t now_us = ort_now_us();
	l->context = context;
	l->conf = conf;
	l->ops = ops;
	l->user_data = user_data;
	ort_fsm_init(&l->fsm, &table, WAIT, now_us);
	l->next_us = now_us;
	l->timer = ort_timer_new(context, now_us, on_timer, l);
	return l;
}

static void drop_sources(gw_link *l)
{
	g_source_destroy(l->timer);
	g_source_unref(l->timer);
	if (l->child_watch) {
		g_source_destroy(l->child_watch);
		g_source_unref(l->child_watch);
	}
}

void gw_link_free(gw_link *l)
{
	if (!l) {
		return;
	}
	drop_sources(l);
	mcu_client_close(g_steal_pointer(&l->client));
	g_free(l->boot);
	g_free(l->build);
	g_free(l->name);
	g_free(l);
}

void gw_link_end(gw_link *l)
{
	bool was_up = l->fsm.state == UP;
	kill_engine(l, SIGTERM);
	enter(l, ENDED, ORT_NEVER, ort_now_us());
	mcu_client_close(g_steal_pointer(&l->client));
	if (was_up) {
		l->ops->on_down(l, "ended", l->user_data);
	}
}

mcu_client *gw_link_client(const gw_link *l)
{
	return l->fsm.state == UP ? l->client : NULL;
}

const struct gw_media_engine *gw_link_engine(const gw_link *l)
{
	return &l->engine;
}

const char *gw_link_state(const gw_link *l)
{
	return states[l->fsm.state].name;
}

unsigned gw_link_starts(const gw_link *l)
{
	return l->starts;
}
