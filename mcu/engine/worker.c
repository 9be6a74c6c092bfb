/* A media thread: its own epoll over the mailbox and the port, rooms turned once a wake-up. Two kinds of members: those of
 * the media thread and those of the control thread; what passes between them is a message. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/engine/engine_priv.h"

#define WAIT_MAX_US ORT_US_PER_S

struct mcu_worker {
	/* fixed before the thread starts */
	mcu_engine *e;
	struct mcu_worker_conf conf;
	ort_mailbox *box;
	pthread_t thread;
	/* media thread */
	mcu_rooms *rooms;
	int epoll;
	int64_t now_us, busy_us;
	bool quit;
	/* control thread */
	bool started;
	GError *error;
	unsigned port;
	char *fingerprint;
	unsigned awaited;	/* watch ticks since an unanswered question */
	int64_t asked_us;
	double busy;
};

/* ---- messages ---- */

struct mcu_job *mcu_job_new(mcu_engine *e, enum mcu_method method)
{
	struct mcu_job *job = g_new0(struct mcu_job, 1);
	job->e = e;
	job->method = method;
	job->request = g_malloc0(mcu_methods[method].request->size);
	job->reply = g_malloc0(mcu_methods[method].reply->size);
	return job;
}

void mcu_job_free(struct mcu_job *job)
{
	ort_json_clear(mcu_methods[job->method].request, job->request);
	ort_json_clear(mcu_methods[job->method].reply, job->reply);
	g_free(job->request);
	g_free(job->reply);
	g_clear_error(&job->err);
	mcu_channel_free(job->channel);
	g_free(job);
}

static void job_back(struct ort_msg *msg, void *owner)
{
	struct mcu_job *job = (struct mcu_job *)msg;
	job->done(job);
}

static bool perform(mcu_worker *w, struct mcu_job *job)
{
	if (job->channel) {
		return mcu_rooms_bridge(w->rooms, job->request, g_steal_pointer(&job->channel), w->now_us, &job->err);
	}
	return mcu_rooms_call(w->rooms, job->method, job->request, job->reply, w->now_us, &job->err);
}

static void job_run(struct ort_msg *msg, void *owner)
{
	struct mcu_job *job = (struct mcu_job *)msg;
	mcu_worker *w = owner;
	if (!w->rooms) {
		job->err = g_error_new_literal(MCU_ERROR, MCU_ERROR_DRAINING, "the engine ends");
	} else if (!perform(w, job) && !job->err) {
		job->err = g_error_new_literal(MCU_ERROR, MCU_ERROR_INTERNAL, mcu_errors[MCU_ERROR_INTERNAL].en);
	}
	job->msg.run = job_back;
	ort_mailbox_post(w->e->box, &job->msg);
}

void mcu_worker_post(mcu_worker *w, struct mcu_job *job)
{
	job->worker = w;
	job->msg.run = job_run;
	ort_mailbox_post(w->box, &job->msg);
}

struct event_msg { struct ort_msg msg; mcu_worker *worker; enum mcu_event event; void *body; };

static void event_arrived(struct ort_msg *msg, void *owner)
{
	struct event_msg *m = (struct event_msg *)msg;
	const struct mcu_room_ref *ref = m->body;
	if (m->event == MCU_EVENT_ROOM_CLOSED) {
		mcu_engine_forget(owner, ref->room, (int)m->worker->conf.index, 0);
	}
	if (m->event != MCU_EVENT_TRANSPORT_STATE || !mcu_mixers_transport_state(owner, m->body)) {
		mcu_control_event(owner, m->event, m->body);
	}
	ort_json_clear(mcu_events[m->event].body, m->body);
	g_free(m->body);
	g_free(m);
}

static void on_event(enum mcu_event event, const void *body, void *user_data)
{
	mcu_worker *w = user_data;
	const struct ort_json_table *table = mcu_events[event].body;
	struct event_msg *m = g_new0(struct event_msg, 1);
	*m = (struct event_msg){ { .run = event_arrived }, w, event, g_malloc0(table->size) };
	mcu_struct_copy(table, body, m->body);
	ort_mailbox_post(w->e->box, &m->msg);
}

struct watch_msg { struct ort_msg msg; mcu_worker *worker; int64_t busy_us; };

static void watch_answer(struct ort_msg *msg, void *owner)
{
	struct watch_msg *m = (struct watch_msg *)msg;
	mcu_worker *w = m->worker;
	int64_t now_us = ort_now_us();
	int64_t period_us = MAX(now_us - w->asked_us, 1);
	w->busy = MIN((double)m->busy_us / (double)period_us, 1.0);
	w->asked_us = now_us;
	w->awaited = 0;
	g_free(m);
}

static void watch_question(struct ort_msg *msg, void *owner)
{
	struct watch_msg *m = (struct watch_msg *)msg;
	m->busy_us = m->worker->busy_us;
	m->worker->busy_us = 0;
	msg->run = watch_answer;
	ort_mailbox_post(m->worker->e->box, msg);
}

unsigned mcu_worker_watch(mcu_worker *w)
{
	if (w->awaited++) {
		return w->awaited - 1;
	}
	struct watch_msg *m = g_new0(struct watch_msg, 1);
	*m = (struct watch_msg){ { .run = watch_question }, w, 0 };
	ort_mailbox_post(w->box, &m->msg);
	return 0;
}

/* ---- start and end ---- */

struct start_msg { struct ort_msg msg; mcu_worker *worker; GError *error; unsigned port; char *fingerprint; };

static void start_known(struct ort_msg *msg, void *owner)
{
	struct start_msg *m = (struct start_msg *)msg;
	m->worker->error = m->error;
	m->worker->started = !m->error;
	m->worker->port = m->port;
	m->worker->fingerprint = m->fingerprint;
	g_free(m);
}

static void quit(struct ort_msg *msg, void *owner)
{
	((mcu_worker *)owner)->quit = true;
	g_free(msg);
}

static void add_fd(int epoll, int fd, uint64_t mark)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = mark };
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		g_error("epoll_ctl: %s", g_strerror(errno));
	}
}

static void pin(const mcu_worker *w)
{
	cpu_set_t set;
	if (w->conf.cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET((unsigned)w->conf.cpu, &set);
		(void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);	/* a matter of speed only */
	}
}

static bool begin(mcu_worker *w)
{
	struct start_msg *m = g_new0(struct start_msg, 1);
	*m = (struct start_msg){ .msg.run = start_known, .worker = w };
	pin(w);
	w->rooms = mcu_rooms_new(&w->conf.port, &w->conf.limits, on_event, w, &m->error);
	bool ok = w->rooms != NULL;
	if (ok) {
		mcu_port *port = mcu_rooms_port(w->rooms);
		w->epoll = epoll_create1(EPOLL_CLOEXEC);
		add_fd(w->epoll, ort_mailbox_fd(w->box), 1);
		add_fd(w->epoll, mcu_port_fd(port), 0);
		m->port = mcu_port_number(port);
		m->fingerprint = g_strdup(mcu_port_fingerprint(port));
	}
	ort_mailbox_post(w->e->box, &m->msg);
	return ok;
}

/* Microseconds, not epoll_wait's milliseconds: pacing and NACK deadlines are finer than that. */
static bool wait_mail(mcu_worker *w, int64_t wait_us)
{
	struct epoll_event ev[2];
	const struct timespec ts = { .tv_sec = wait_us / ORT_US_PER_S, .tv_nsec = wait_us % ORT_US_PER_S * 1000 };
	bool mail = false;
	int n = epoll_pwait2(w->epoll, ev, 2, &ts, NULL);
	if (n < 0 && errno == ENOSYS) {
		n = epoll_wait(w->epoll, ev, 2, (int)((wait_us + 999) / 1000));
	}
	for (int i = 0; i < n; i++) {
		mail |= ev[i].data.u64 == 1;
	}
	return mail;
}

static void *run(void *arg)
{
	mcu_worker *w = arg;
	char name[16];
	(void)snprintf(name, sizeof(name), "media-%u", w->conf.index);
	(void)pthread_setname_np(pthread_self(), name);
	if (!begin(w)) {
		return NULL;
	}
	w->now_us = ort_now_us();
	while (!w->quit) {
		int64_t wait_us = mcu_rooms_deadline(w->rooms) - w->now_us;
		bool mail = wait_mail(w, CLAMP(wait_us, 0, WAIT_MAX_US));
		int64_t woke_us = w->now_us = ort_now_us();
		if (mail) {
			ort_mailbox_drain(w->box);
		}
		mcu_rooms_turn(w->rooms, w->now_us);
		w->now_us = ort_now_us();
		w->busy_us += w->now_us - woke_us;
	}
	mcu_rooms_free(w->rooms);
	w->rooms = NULL;
	close(w->epoll);
	return NULL;
}

mcu_worker *mcu_worker_start(mcu_engine *e, const struct mcu_worker_conf *conf)
{
	mcu_worker *w = g_new0(mcu_worker, 1);
	w->e = e;
	w->conf = *conf;
	w->box = ort_mailbox_new(w);
	w->asked_us = ort_now_us();
	int err = pthread_create(&w->thread, NULL, run, w);
	if (err) {
		g_error("pthread_create: %s", g_strerror(err));
	}
	return w;
}

void mcu_worker_stop(mcu_worker *w)
{
	struct ort_msg *msg = g_new0(struct ort_msg, 1);
	msg->run = quit;
	ort_mailbox_post(w->box, msg);
	(void)pthread_join(w->thread, NULL);
	ort_mailbox_free(g_steal_pointer(&w->box));
}

void mcu_worker_free(mcu_worker *w)
{
	g_clear_error(&w->error);
	g_free(w->fingerprint);
	g_free(w);
}

bool mcu_worker_started(const mcu_worker *w)
{
	return w->started;
}

const GError *mcu_worker_error(const mcu_worker *w)
{
	return w->error;
}

unsigned mcu_worker_index(const mcu_worker *w)
{
	return w->conf.index;
}

unsigned mcu_worker_port(const mcu_worker *w)
{
	return w->port;
}

const char *mcu_worker_fingerprint(const mcu_worker *w)
{
	return w->fingerprint;
}

double mcu_worker_busy(const mcu_worker *w)
{
	return w->busy;
}
