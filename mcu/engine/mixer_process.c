/* The codec worker as a process: started when the first mix wants it, watched, killed when it hangs, started again when it
 * ends. It is given two sockets: one speaks JSON-RPC, one carries descriptors. Neither it nor what it says is trusted. */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/engine/mixers_priv.h"

#define MIXER_NAME "ortoo-mixer"
enum {
	RPC_FD = 3, HAND_FD = 4,	/* in the worker */
	READY_MS = 20000,		/* codecs are looked up before it is ready; the first time on a host that takes seconds */
	STEADY_US = 30 * 1000000,	/* ran so long: the next end is a fresh misfortune */
	PING_MS = 1000,
	DOUBT_MS = 100,			/* sockets close before a process is dead: who broke what is known then */
	BACKOFF_MAX = 50,		/* times restart_ms */
	FAILING = 4,			/* ends in a row */
};

/* Installed beside us, or in a build folder, where each program lies in the folder of its source. */
static const char *const places[] = { MIXER_NAME, "../mixer/" MIXER_NAME, "../../mcu/mixer/" MIXER_NAME };

struct mixer_process {
	GMainContext *context;
	struct mixer_process_conf conf;
	char *program, *elements, *log;
	const struct mixer_process_ops *ops;
	void *user_data;
	ort_rpc *rpc;
	int hand;		/* -1 = not running */
	pid_t pid;		/* 0 = not running */
	int pidfd;
	GSource *exit_source, *timer;
	bool ready, wanted;
	const char *why;	/* we killed it because of this */
	const char *doubt;
	int64_t started_us, ping_us, restart_us, ready_us, doubt_us;
	unsigned ends;		/* in a row */
	struct mixer_process_stats stats;
	json_t *counters;
};

static void destroy(GSource **source)
{
	if (*source) {
		g_source_destroy(*source);
		g_clear_pointer(source, g_source_unref);
	}
}

static int64_t next_deadline(const mixer_process *p)
{
	return MIN(MIN(p->ping_us, p->restart_us), MIN(p->ready_us, p->doubt_us));
}

static void rearm(mixer_process *p)
{
	ort_timer_set(p->timer, next_deadline(p));
}

/* ---- its end ---- */

static void close_all(mixer_process *p)
{
	ort_rpc *rpc = g_steal_pointer(&p->rpc);
	p->ready = false;
	p->ping_us = p->ready_us = p->doubt_us = ORT_NEVER;
	destroy(&p->exit_source);
	if (p->pidfd >= 0) {
		close(p->pidfd);
		p->pidfd = -1;
	}
	if (p->hand >= 0) {
		close(p->hand);
		p->hand = -1;
	}
	ort_rpc_close(rpc);	/* pending callers are told */
}

/* A lucky first restart is at once; one that goes on dying comes slower and slower. */
static void plan_restart(mixer_process *p, int64_t now_us)
{
	unsigned times = 1u << MIN(p->ends, 10u);
	if (now_us - p->started_us >= STEADY_US) {
		p->ends = 0;
		times = 1;
	}
	p->ends++;
	p->restart_us = now_us + MIN(times, (unsigned)BACKOFF_MAX) * p->conf.restart_ms * ORT_US_PER_MS;
	rearm(p);
}

static const char *why_of(const mixer_process *p, int status)
{
	if (!WIFSIGNALED(status)) {
		return "ended";
	}
	if (WTERMSIG(status) != SIGKILL) {
		return "crashed";	/* whatever we thought of it when its socket closed */
	}
	return p->why ? p->why : "killed";
}

static gboolean on_end(gint fd, GIOCondition condition, gpointer user_data)
{
	mixer_process *p = user_data;
	int status = 0;
	if (waitpid(p->pid, &status, WNOHANG) == 0) {
		return G_SOURCE_CONTINUE;
	}
	const char *why = why_of(p, status);
	ort_log(ORT_LOG_ERROR, "mixers", "mixer.down", "a codec worker ended", ORT_I("pid", p->pid), ORT_S("why", why),
		ORT_I("status", status), ORT_I("ends", p->ends + 1));
	p->pid = 0;
	p->why = NULL;
	close_all(p);
	plan_restart(p, ort_now_us());
	p->ops->down(p, why, p->user_data);
	return G_SOURCE_REMOVE;
}

void mixer_process_kill(mixer_process *p, const char *why)
{
	if (p->pid > 0 && !p->why) {
		p->why = why;
		p->stats.hung += strcmp(why, "hung") == 0;
		p->ready = false;
		p->ping_us = p->ready_us = ORT_NEVER;
		(void)kill(p->pid, SIGKILL);	/* its end is told by on_end() */
	}
}

void mixer_process_doubt(mixer_process *p, const char *why)
{
	if (p->pid > 0 && p->doubt_us == ORT_NEVER) {
		p->doubt = why;
		p->doubt_us = ort_now_us() + DOUBT_MS * ORT_US_PER_MS;
		rearm(p);
	}
}

/* ---- what it says ---- */

static void on_request(ort_rpc *rpc, ort_rpc_call *call, const char *method, json_t *params, void *user_data)
{
	ort_rpc_fail(call, ORT_RPC_NO_METHOD, "the engine takes no calls here", NULL);
}

static void on_ready(mixer_process *p)
{
	if (p->ready || p->why) {
		return;
	}
	p->ready = true;
	p->ready_us = ORT_NEVER;
	p->ping_us = p->conf.watchdog_ms ? ort_now_us() : ORT_NEVER;
	rearm(p);
	ort_log(ORT_LOG_NOTICE, "mixers", "mixer.up", "a codec worker is ready", ORT_I("pid", p->pid),
		ORT_I("took_ms", (ort_now_us() - p->started_us) / ORT_US_PER_MS));
	p->ops->up(p, p->user_data);
}

static void on_notify(ort_rpc *rpc, const char *name, json_t *params, void *user_data)
{
	mixer_process *p = user_data;
	if (strcmp(name, "ready") == 0) {
		on_ready(p);
	} else if (p->ready) {
		p->ops->notify(p, name, params, p->user_data);
	}
}

static void on_closed(ort_rpc *rpc, const char *why, void *user_data)
{
	mixer_process_doubt(user_data, "closed");
}

static const struct ort_rpc_ops rpc_ops = { on_request, on_notify, on_closed };

static void on_pong(int code, const char *message, json_t *result, void *user_data)
{
	mixer_process *p = user_data;
	if (code == ORT_RPC_CLOSED) {
		return;
	}
	if (code) {
		mixer_process_kill(p, "hung");
		return;
	}
	json_decref(p->counters);
	p->counters = json_incref(result);
	p->ping_us = ort_now_us() + PING_MS * ORT_US_PER_MS;
	rearm(p);
}

static int64_t on_timer(int64_t now_us, void *user_data)
{
	mixer_process *p = user_data;
	if (p->ping_us <= now_us) {
		p->ping_us = ORT_NEVER;	/* on with the answer */
		ort_rpc_request(p->rpc, "ping", NULL, (unsigned)p->conf.watchdog_ms, on_pong, p);
	}
	if (p->ready_us <= now_us) {
		mixer_process_kill(p, "start");
	}
	if (p->doubt_us <= now_us) {
		p->doubt_us = ORT_NEVER;
		mixer_process_kill(p, p->doubt);
	}
	if (p->restart_us <= now_us) {
		g_autoptr(GError) err = NULL;
		p->restart_us = ORT_NEVER;
		p->stats.restarts++;
		if (!mixer_process_start(p, &err)) {
			ort_log(ORT_LOG_ERROR, "mixers", "mixer.start", err->message);
			plan_restart(p, now_us);
		}
	}
	return next_deadline(p);
}

/* ---- its beginning ---- */

static char *find_program(const char *configured)
{
	if (configured && *configured) {
		return g_strdup(configured);
	}
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *dir = self ? g_path_get_dirname(self) : g_strdup(".");
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *path = g_build_filename(dir, places[i], NULL);
		if (access(path, X_OK) == 0) {
			return g_steal_pointer(&path);
		}
	}
	return g_build_filename(dir, MIXER_NAME, NULL);
}

static char **make_argv(const mixer_process *p)
{
	g_autoptr(GStrvBuilder) argv = g_strv_builder_new();
	g_strv_builder_add(argv, p->program);
	g_strv_builder_add_many(argv, "--fd", G_STRINGIFY(3), "--hand-fd", G_STRINGIFY(4), NULL);
	g_autofree char *memory = g_strdup_printf("%" G_GINT64_FORMAT, p->conf.memory);
	g_strv_builder_add_many(argv, "--memory", memory, "--log", p->log, NULL);
	if (*p->elements) {
		g_strv_builder_add_many(argv, "--elements", p->elements, NULL);
	}
	if (!p->conf.sandbox) {
		g_strv_builder_add(argv, "--no-sandbox");
	}
	return g_strv_builder_end(argv);
}

/* Nothing of ours goes along but the two sockets, standard error and the environment. */
static int spawn(mixer_process *p, int rpc, int hand)
{
	g_auto(GStrv) argv = make_argv(p);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&files, rpc, RPC_FD);
	posix_spawn_file_actions_adddup2(&files, hand, HAND_FD);
	posix_spawn_file_actions_addclosefrom_np(&files, HAND_FD + 1);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	int err = posix_spawn(&p->pid, p->program, &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	p->pid = err ? 0 : p->pid;
	return -err;
}

/* Above the numbers that the worker will have: dup2() onto itself would leave close-on-exec set. */
static bool socket_pair(int type, int ret[2])
{
	int pair[2];
	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0) {
		return false;
	}
	for (int i = 0; i < 2; i++) {
		ret[i] = fcntl(pair[i], F_DUPFD_CLOEXEC, HAND_FD + 1);
		close(pair[i]);
	}
	return ret[0] >= 0 && ret[1] >= 0;
}

static void watch(mixer_process *p, int rpc)
{
	static const struct ort_rpc_limits limits = { .max_line = 1 << 20, .max_pending = 16384, .max_queue = 16 << 20 };
	p->rpc = ort_rpc_open(p->context, rpc, &rpc_ops, &limits, p);
	p->exit_source = g_unix_fd_source_new(p->pidfd, G_IO_IN);
	g_source_set_callback(p->exit_source, G_SOURCE_FUNC(on_end), p, NULL);
	g_source_attach(p->exit_source, p->context);
	p->started_us = ort_now_us();
	p->ready_us = p->started_us + READY_MS * ORT_US_PER_MS;
	p->stats.starts++;
	rearm(p);
}

static int start(mixer_process *p)
{
	int rpc[2] = { -1, -1 }, hand[2] = { -1, -1 };
	if (!socket_pair(SOCK_STREAM, rpc) || !socket_pair(SOCK_SEQPACKET, hand)) {
		return -errno;	/* out of descriptors: what was opened is as good as lost */
	}
	int err = spawn(p, rpc[1], hand[1]);
	close(rpc[1]);
	close(hand[1]);
	p->pidfd = err ? -1 : (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (!err && p->pidfd < 0) {
		err = -errno;
		(void)kill(p->pid, SIGKILL);
		(void)waitpid(p->pid, NULL, 0);
		p->pid = 0;
	}
	if (err) {
		close(rpc[0]);
		close(hand[0]);
		return err;
	}
	(void)fcntl(p->pidfd, F_SETFD, FD_CLOEXEC);
	p->hand = hand[0];
	watch(p, rpc[0]);
	return 0;
}

bool mixer_process_start(mixer_process *p, GError **err)
{
	if (p->pid > 0 || p->restart_us != ORT_NEVER) {
		return true;
	}
	g_free(p->program);
	p->program = find_program(p->conf.program);
	int rc = start(p);
	if (rc < 0) {
		g_set_error(err, MCU_ERROR, MCU_ERROR_STATE, "%s: %s", p->program, g_strerror(-rc));
	}
	return rc == 0;
}

mixer_process *mixer_process_new(GMainContext *context, const struct mixer_process_conf *conf,
				 const struct mixer_process_ops *ops, void *user_data)
{
	mixer_process *p = g_new0(mixer_process, 1);
	p->context = context;
	p->conf = *conf;
	p->conf.program = g_strdup(conf->program);
	p->elements = g_strdup(conf->elements ? conf->elements : "");
	p->log = g_strdup(conf->log ? conf->log : "info");
	p->ops = ops;
	p->user_data = user_data;
	p->hand = p->pidfd = -1;
	p->ping_us = p->restart_us = p->ready_us = p->doubt_us = ORT_NEVER;
	p->timer = ort_timer_new(context, ORT_NEVER, on_timer, p);
	return p;
}

void mixer_process_free(mixer_process *p)
{
	if (p->pid > 0) {
		(void)kill(p->pid, SIGKILL);
		(void)waitpid(p->pid, NULL, 0);	/* killed: it does not last */
		p->pid = 0;
	}
	close_all(p);
	destroy(&p->timer);
	json_decref(p->counters);
	g_free((char *)(uintptr_t)p->conf.program);
	g_free(p->program);
	g_free(p->elements);
	g_free(p->log);
	g_free(p);
}

/* ---- speaking to it ---- */

bool mixer_process_up(const mixer_process *p)
{
	return p->ready;
}

bool mixer_process_failing(const mixer_process *p)
{
	return p->ends >= FAILING;
}

void mixer_process_call(mixer_process *p, const char *method, json_t *params, ort_rpc_reply_fn fn, void *user_data)
{
	if (p->ready) {
		ort_rpc_request(p->rpc, method, params, 0, fn, user_data);
		return;
	}
	json_decref(params);
	if (fn) {
		fn(ORT_RPC_CLOSED, "the codec worker is not up", NULL, user_data);
	}
}

bool mixer_process_hand(mixer_process *p, uint32_t serial, const int fds[MCU_CHANNEL_FDS])
{
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int) * MCU_CHANNEL_FDS)]; } control = { 0 };
	struct iovec iov = { &serial, sizeof(serial) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * MCU_CHANNEL_FDS);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * MCU_CHANNEL_FDS);
	return p->ready && sendmsg(p->hand, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(serial);
}

const struct mixer_process_stats *mixer_process_stats(const mixer_process *p)
{
	return &p->stats;
}

const json_t *mixer_process_counters(const mixer_process *p)
{
	return p->counters;
}
