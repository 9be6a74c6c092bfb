/* Mailbox, loop thread, timer. The stress is what ThreadSanitizer looks at. */
#include <pthread.h>
#include <stdatomic.h>

#include "mcu/base/clock.h"
#include "mcu/base/loop.h"

#define POSTERS 4
#define POSTS	20000

struct numbered { struct ort_msg msg; unsigned poster, number; };
struct tally { unsigned next[POSTERS], total; GMainLoop *loop; };
struct poster { ort_mailbox *box; unsigned index; };

static void count(struct ort_msg *msg, void *owner)
{
	struct numbered *m = (struct numbered *)msg;
	struct tally *tally = owner;

	g_assert_cmpuint(m->number, ==, tally->next[m->poster]);
	tally->next[m->poster]++;
	tally->total++;
	g_free(m);
}

static void post(ort_mailbox *box, unsigned poster, unsigned number)
{
	struct numbered *m = g_new0(struct numbered, 1);

	*m = (struct numbered){ .msg.run = count, .poster = poster, .number = number };
	ort_mailbox_post(box, &m->msg);
}

static void *post_many(void *arg)
{
	struct poster *p = arg;

	for (unsigned i = 0; i < POSTS; i++) {
		post(p->box, p->index, i);
	}
	return NULL;
}

static void start_posters(ort_mailbox *box, struct poster *posters, pthread_t *threads)
{
	for (unsigned i = 0; i < POSTERS; i++) {
		posters[i] = (struct poster){ box, i };
		g_assert_cmpint(pthread_create(&threads[i], NULL, post_many, &posters[i]), ==, 0);
	}
}

static void every_post_arrives_once_in_order(void)
{
	struct tally tally = { 0 };
	ort_mailbox *box = ort_mailbox_new(&tally);
	GMainContext *context = g_main_context_new();
	GSource *source = ort_mailbox_source(box);
	struct poster posters[POSTERS];
	pthread_t threads[POSTERS];

	g_source_attach(source, context);
	start_posters(box, posters, threads);
	while (tally.total < POSTERS * POSTS) {
		g_main_context_iteration(context, TRUE);
	}
	for (unsigned i = 0; i < POSTERS; i++) {
		pthread_join(threads[i], NULL);
	}
	g_assert_cmpuint(ort_mailbox_drain(box), ==, 0);
	g_source_destroy(source);
	g_source_unref(source);
	ort_mailbox_free(box);
	g_main_context_unref(context);
}

static void messages_left_are_run_by_free(void)
{
	struct tally tally = { 0 };
	ort_mailbox *box = ort_mailbox_new(&tally);

	post(box, 0, 0);
	post(box, 0, 1);
	ort_mailbox_free(box);
	g_assert_cmpuint(tally.total, ==, 2);
}

static void own_poller_drains_by_fd(void)
{
	struct tally tally = { 0 };
	ort_mailbox *box = ort_mailbox_new(&tally);
	GPollFD fd = { .fd = ort_mailbox_fd(box), .events = G_IO_IN };

	g_assert_cmpint(g_poll(&fd, 1, 0), ==, 0);
	post(box, 0, 0);
	post(box, 0, 1);
	g_assert_cmpint(g_poll(&fd, 1, 0), ==, 1);
	g_assert_cmpuint(ort_mailbox_drain(box), ==, 2);
	fd.revents = 0;
	g_assert_cmpint(g_poll(&fd, 1, 0), ==, 0);
	ort_mailbox_free(box);
}

/* More than one drain takes: the rest must be signalled again. */
static void flood_is_drained_in_turns(void)
{
	struct tally tally = { 0 };
	ort_mailbox *box = ort_mailbox_new(&tally);
	GPollFD fd = { .fd = ort_mailbox_fd(box), .events = G_IO_IN };
	unsigned turns = 0;

	for (unsigned i = 0; i < 10000; i++) {
		post(box, 0, i);
	}
	for (; g_poll(&fd, 1, 0) == 1; turns++) {
		ort_mailbox_drain(box);
	}
	g_assert_cmpuint(tally.total, ==, 10000);
	g_assert_cmpuint(turns, >, 1);
	ort_mailbox_free(box);
}

struct relay { struct ort_msg msg; ort_mailbox *box; unsigned left; };

static void relay_on(struct ort_msg *msg, void *owner)
{
	struct relay *r = (struct relay *)msg;

	((struct tally *)owner)->total++;
	if (--r->left > 0) {
		ort_mailbox_post(r->box, msg);
	}
}

static void handler_may_post_its_own_message_again(void)
{
	struct tally tally = { 0 };
	ort_mailbox *box = ort_mailbox_new(&tally);
	struct relay relay = { .msg.run = relay_on, .box = box, .left = 5 };

	ort_mailbox_post(box, &relay.msg);
	ort_mailbox_free(box);
	g_assert_cmpuint(tally.total, ==, 5);
}

/* Written by the loop thread, read after stop: joining orders them. */
struct thread_state { unsigned ran; struct ort_owner owner; };
struct hello { struct ort_msg msg; bool first; };

static void run_hello(struct ort_msg *msg, void *owner)
{
	struct thread_state *state = owner;

	if (((struct hello *)msg)->first) {
		ort_owner_init(&state->owner);
	}
	ort_owner_assert(&state->owner);
	g_assert_nonnull(g_main_context_get_thread_default());
	state->ran++;
	g_free(msg);
}

static void loop_runs_messages_on_its_thread(void)
{
	struct thread_state state = { 0 };
	ort_loop *loop = ort_loop_start("a-name-longer-than-sixteen", &state);

	for (unsigned i = 0; i < 1000; i++) {
		struct hello *h = g_new0(struct hello, 1);

		h->msg.run = run_hello;
		h->first = i == 0;
		ort_mailbox_post(ort_loop_mailbox(loop), &h->msg);
	}
	ort_loop_stop(loop);
	g_assert_cmpuint(state.ran, ==, 1000);
	g_assert_true(state.owner.thread != (uintptr_t)pthread_self());
	ort_loop_stop(NULL);
}

struct ticker { unsigned n; int64_t at_us, next_us; GSource *timer; int64_t set_us; };

static int64_t tick(int64_t now_us, void *user_data)
{
	struct ticker *t = user_data;

	t->n++;
	t->at_us = now_us;
	if (t->set_us) {
		ort_timer_set(t->timer, t->set_us);
	}
	return t->next_us;
}

static void timer_follows_the_held_clock(void)
{
	GMainContext *context = g_main_context_new();
	struct ticker t = { .next_us = ORT_NEVER };

	ort_clock_hold(1000, 0);
	t.timer = ort_timer_new(context, 5000, tick, &t);
	g_main_context_iteration(context, FALSE);
	g_assert_cmpuint(t.n, ==, 0);
	ort_clock_advance(3999);
	g_main_context_iteration(context, FALSE);
	g_assert_cmpuint(t.n, ==, 0);
	ort_clock_advance(1);
	t.next_us = 9000;
	g_main_context_iteration(context, FALSE);
	g_assert_cmpuint(t.n, ==, 1);
	g_assert_cmpint(t.at_us, ==, 5000);
	ort_clock_advance(4000);
	t.next_us = ORT_NEVER;
	t.set_us = 9500;	/* re-armed within: not lost by "never" */
	g_main_context_iteration(context, FALSE);
	t.set_us = 0;
	ort_clock_advance(500);
	g_main_context_iteration(context, FALSE);
	g_assert_cmpuint(t.n, ==, 3);
	ort_clock_advance(ORT_US_PER_S);
	g_main_context_iteration(context, FALSE);
	g_assert_cmpuint(t.n, ==, 3);
	ort_timer_set(t.timer, 0);
	g_main_context_iteration(context, FALSE);
	g_assert_cmpuint(t.n, ==, 4);
	g_source_destroy(t.timer);
	g_source_unref(t.timer);
	g_main_context_unref(context);
	ort_clock_release();
}

static void timer_wakes_a_real_loop(void)
{
	GMainContext *context = g_main_context_new();
	struct ticker t = { .next_us = ORT_NEVER };
	int64_t deadline_us = ort_now_us() + 2000;

	t.timer = ort_timer_new(context, deadline_us, tick, &t);
	while (t.n == 0) {
		g_main_context_iteration(context, TRUE);
	}
	g_assert_cmpint(t.at_us, >=, deadline_us);
	g_source_destroy(t.timer);
	g_source_unref(t.timer);
	g_main_context_unref(context);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mailbox/every_post_arrives_once_in_order", every_post_arrives_once_in_order);
	g_test_add_func("/mailbox/messages_left_are_run_by_free", messages_left_are_run_by_free);
	g_test_add_func("/mailbox/own_poller_drains_by_fd", own_poller_drains_by_fd);
	g_test_add_func("/mailbox/flood_is_drained_in_turns", flood_is_drained_in_turns);
	g_test_add_func("/mailbox/handler_may_post_its_own_message_again", handler_may_post_its_own_message_again);
	g_test_add_func("/loop/loop_runs_messages_on_its_thread", loop_runs_messages_on_its_thread);
	g_test_add_func("/timer/timer_follows_the_held_clock", timer_follows_the_held_clock);
	g_test_add_func("/timer/timer_wakes_a_real_loop", timer_wakes_a_real_loop);
	return g_test_run();
}
