/* The only cross-thread code of Ortoo. The mailbox is Vyukov's intrusive many-poster one-reader queue: a poster swings
 * `head` and then links its predecessor; the reader walks from `tail`. A stub message keeps the list from being empty.
 * `signalled` makes one eventfd write serve many posts: it is cleared before the queue is read, so a post that comes too
 * late for this reading writes the eventfd again. */
#include "mcu/base/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mcu/base/clock.h"

#define DRAIN_MAX 4096	/* messages of one drain, so that a flood does not starve the owner's other sources */

struct ort_mailbox {
	_Atomic(struct ort_msg *) head;	/* newest; posters */
	atomic_bool signalled;
	int fd;
	void *owner;
	struct ort_msg *tail;	/* oldest; owner thread */
	struct ort_msg stub;
	unsigned draining;
};

static void link_next(struct ort_msg *msg, struct ort_msg *next, int order)
{
	__atomic_store_n(&msg->next, next, order);
}

static struct ort_msg *load_next(struct ort_msg *msg)
{
	return __atomic_load_n(&msg->next, __ATOMIC_ACQUIRE);
}

static void push(ort_mailbox *box, struct ort_msg *msg)
{
	struct ort_msg *prev;
	link_next(msg, NULL, __ATOMIC_RELAXED);
	prev = atomic_exchange_explicit(&box->head, msg, memory_order_acq_rel);
	link_next(prev, msg, __ATOMIC_RELEASE);
}

/* NULL: empty, or the next poster is between its two steps (it signals when it is done). */
static struct ort_msg *pop(ort_mailbox *box)
{
	struct ort_msg *tail = box->tail, *next = load_next(tail);

	if (tail == &box->stub) {
		if (!next) {
			return NULL;
		}
		box->tail = tail = next;
		next = load_next(next);
	}
	if (next) {
		box->tail = next;
		return tail;
	}
	if (tail != atomic_load_explicit(&box->head, memory_order_acquire)) {
		return NULL;
	}
	push(box, &box->stub);
	next = load_next(tail);
	if (!next) {
		return NULL;
	}
	box->tail = next;
	return tail;
}

static void signal_owner(ort_mailbox *box)
{
	uint64_t one = 1;
	if (!atomic_exchange_explicit(&box->signalled, true, memory_order_acq_rel)) {
		(void)!write(box->fd, &one, sizeof(one));	/* only overflow could fail, after 2^64 posts */
	}
}

ort_mailbox *ort_mailbox_new(void *owner)
{
	ort_mailbox *box = g_new0(ort_mailbox, 1);

	box->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (box->fd < 0) {
		g_error("eventfd: %s", g_strerror(errno));
	}
	box->owner = owner;
	box->tail = &box->stub;
	atomic_init(&box->head, &box->stub);
	return box;
}

void ort_mailbox_post(ort_mailbox *box, struct ort_msg *msg)
{
	push(box, msg);
	signal_owner(box);
}

int ort_mailbox_fd(const ort_mailbox *box)
{
	return box->fd;
}

unsigned ort_mailbox_drain(ort_mailbox *box)
{
	struct ort_msg *msg;
	uint64_t count;
	unsigned n = 0;

	(void)!read(box->fd, &count, sizeof(count));	/* EAGAIN: called without a signal */
	/* An exchange and not a store: it must read the poster's exchange, else its link could stay unseen. */
	(void)atomic_exchange_explicit(&box->signalled, false, memory_order_acq_rel);
	box->draining++;
	while (n < DRAIN_MAX && (msg = pop(box))) {
		msg->run(msg, box->owner);
		n++;
	}
	box->draining--;
	if (n == DRAIN_MAX) {
		signal_owner(box);
	}
	return n;
}

void ort_mailbox_free(ort_mailbox *box)
{
	if (!box) {
		return;
	}
	g_assert(box->draining == 0);
	while (ort_mailbox_drain(box) > 0) {
	}
	close(box->fd);
	g_free(box);
}

/* ---- the mailbox as a source ---- */

struct mailbox_source {
	GSource base;
	ort_mailbox *box;
};

static gboolean mailbox_dispatch(GSource *source, GSourceFunc fn, gpointer user_data)
{
	ort_mailbox_drain(((struct mailbox_source *)source)->box);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs mailbox_funcs = { .dispatch = mailbox_dispatch };

GSource *ort_mailbox_source(ort_mailbox *box)
{
	GSource *source = g_source_new(&mailbox_funcs, sizeof(struct mailbox_source));
	((struct mailbox_source *)source)->box = box;
	g_source_set_static_name(source, "ort_mailbox");
	g_source_add_unix_fd(source, box->fd, G_IO_IN);
	return source;
}

/* ---- thread ---- */

struct ort_loop {
	struct ort_msg quit_msg;
	GMainContext *context;
	ort_mailbox *box;
	GSource *source;
	pthread_t thread;
	bool quit;	/* loop thread */
	char name[16];
};

static void run_quit(struct ort_msg *msg, void *owner)
{
	((ort_loop *)msg)->quit = true;
}

static void *loop_thread(void *arg)
{
	ort_loop *loop = arg;

	(void)pthread_setname_np(pthread_self(), loop->name);	/* a name too many is no reason to stop */
	g_main_context_push_thread_default(loop->context);
	while (!loop->quit) {
		g_main_context_iteration(loop->context, TRUE);
	}
	while (ort_mailbox_drain(loop->box) > 0) {
	}
	g_main_context_pop_thread_default(loop->context);
	return NULL;
}

/* pthreads and not GThread: ThreadSanitizer sees them, so it knows what start and join order. */
ort_loop *ort_loop_start(const char *name, void *owner)
{
	ort_loop *loop = g_new0(ort_loop, 1);
	int err;

	g_strlcpy(loop->name, name, sizeof(loop->name));
	loop->quit_msg.run = run_quit;
	loop->context = g_main_context_new();
	loop->box = ort_mailbox_new(owner);
	loop->source = ort_mailbox_source(loop->box);
	g_source_attach(loop->source, loop->context);
	err = pthread_create(&loop->thread, NULL, loop_thread, loop);
	if (err != 0) {
		g_error("pthread_create: %s", g_strerror(err));
	}
	return loop;
}

void ort_loop_stop(ort_loop *loop)
{
	if (!loop) {
		return;
	}
	g_assert(!pthread_equal(pthread_self(), loop->thread));
	ort_mailbox_post(loop->box, &loop->quit_msg);
	(void)pthread_join(loop->thread, NULL);
	g_source_destroy(loop->source);
	g_source_unref(loop->source);
	ort_mailbox_free(loop->box);
	g_main_context_unref(loop->context);
	g_free(loop);
}

GMainContext *ort_loop_context(ort_loop *loop)
{
	return loop->context;
}

ort_mailbox *ort_loop_mailbox(ort_loop *loop)
{
	return loop->box;
}

void ort_owner_init(struct ort_owner *owner)
{
	owner->thread = (uintptr_t)pthread_self();
}

void ort_owner_assert(const struct ort_owner *owner)
{
#ifndef NDEBUG
	g_assert(owner->thread == (uintptr_t)pthread_self());
#endif
}

/* ---- timer ---- */

struct timer_source {
	GSource base;
	int64_t deadline_us;
};

/* Not g_source_set_ready_time(): that is CLOCK_MONOTONIC, which stops in sleep and cannot be held by a test. */
static gboolean timer_prepare(GSource *source, gint *timeout_ms)
{
	int64_t deadline_us = ((struct timer_source *)source)->deadline_us, left_us;

	*timeout_ms = -1;
	if (deadline_us == ORT_NEVER) {
		return FALSE;
	}
	left_us = deadline_us - ort_now_us();
	if (left_us <= 0) {
		*timeout_ms = 0;
		return TRUE;
	}
	*timeout_ms = (gint)MIN((left_us - 1) / ORT_US_PER_MS + 1, INT64_C(60000));
	return FALSE;
}

static gboolean timer_check(GSource *source)
{
	int64_t deadline_us = ((struct timer_source *)source)->deadline_us;
	return deadline_us != ORT_NEVER && deadline_us <= ort_now_us();
}

/* A re-arm from within the callback and the callback's own answer are both kept: the earlier one wins. */
static gboolean timer_dispatch(GSource *source, GSourceFunc fn, gpointer user_data)
{
	struct timer_source *timer = (struct timer_source *)source;
	int64_t next_us;
	timer->deadline_us = ORT_NEVER;
	next_us = ((ort_timer_fn)(void (*)(void))fn)(ort_now_us(), user_data);
	timer->deadline_us = MIN(timer->deadline_us, next_us);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_funcs = { .prepare = timer_prepare, .check = timer_check, .dispatch = timer_dispatch };

GSource *ort_timer_new(GMainContext *context, int64_t deadline_us, ort_timer_fn fn, void *user_data)
{
	GSource *source = g_source_new(&timer_funcs, sizeof(struct timer_source));
	((struct timer_source *)source)->deadline_us = deadline_us;
	g_source_set_static_name(source, "ort_timer");
	g_source_set_callback(source, (GSourceFunc)(void (*)(void))fn, user_data, NULL);
	g_source_attach(source, context);
	return source;
}

void ort_timer_set(GSource *timer, int64_t deadline_us)
{
	((struct timer_source *)timer)->deadline_us = deadline_us;
}
