/* A thread for hashes: 64 MiB and a tenth of a second each must not stand before the disk worker's next record. */
#include <poll.h>

#include "gateway/auth/auth.h"
#include "mcu/base/loop.h"

struct gw_auth_worker {
	ort_loop *loop;
	ort_mailbox *home;
	GSource *home_source;
	unsigned out; /* home thread */
};

struct errand {
	struct ort_msg msg;
	gw_auth_worker *worker;
	void (*work)(void *job), (*done)(void *job);
	void *job;
};

static void come_home(struct ort_msg *msg, void *owner)
{
	struct errand *e = (struct errand *)msg;
	e->worker->out--;
	e->done(e->job);
	g_free(e);
}

static void go_out(struct ort_msg *msg, void *owner)
{
	struct errand *e = (struct errand *)msg;
	e->work(e->job);
	e->msg.run = come_home;
	ort_mailbox_post(e->worker->home, &e->msg);
}

gw_auth_worker *gw_auth_worker_start(GMainContext *home)
{
	gw_auth_worker *w = g_new0(gw_auth_worker, 1);
	w->home = ort_mailbox_new(w);
	w->home_source = ort_mailbox_source(w->home);
	g_source_attach(w->home_source, home);
	w->loop = ort_loop_start("hash", w);
	return w;
}

void gw_auth_worker_run(void (*work)(void *job), void (*done)(void *job), void *job, gw_auth_worker *w)
{
	struct errand *e = g_new0(struct errand, 1);
	*e = (struct errand){.msg.run = go_out, .worker = w, .work = work, .done = done, .job = job};
	w->out++;
	ort_mailbox_post(ort_loop_mailbox(w->loop), &e->msg);
}

/* A done() may send the next job out: go on until all are home. */
void gw_auth_worker_stop(gw_auth_worker *w)
{
	if (!w) {
		return;
	}
	while (w->out) {
		struct pollfd fd = {.fd = ort_mailbox_fd(w->home), .events = POLLIN};
		(void)poll(&fd, 1, -1); /* a signal is as good as a message: look again */
		(void)ort_mailbox_drain(w->home);
	}
	ort_loop_stop(w->loop);
	g_source_destroy(w->home_source);
	g_source_unref(w->home_source);
	ort_mailbox_free(w->home);
	g_free(w);
}
