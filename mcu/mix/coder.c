#include "mcu/mix/coder_priv.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "mcu/base/clock.h"
#include "mcu/mix/home_priv.h"

static atomic_uint lost;
struct coded { GstBuffer *buffer; GstCaps *caps; };
/* Who has the turn: the thread while CODING, else the home thread. */
enum { CODER_IDLE, CODER_CODING, CODER_LOST };
struct mix_coder {
	GThread *thread;
	sem_t go, done;
	atomic_int turn;
	GstBuffer *in;
	bool key, quit, ok;
	uint64_t cpu_us;
	struct mix_element *element;
	GArray *out;			/* struct coded */
};

static void take(GstBuffer *buffer, GstCaps *caps, void *user_data)
{
	struct mix_coder *c = user_data;
	struct coded row = { buffer, caps ? gst_caps_ref(caps) : NULL };

	g_array_append_val(c->out, row);
}

static void clear(struct mix_coder *c)
{
	for (guint i = 0; i < c->out->len; i++) {
		struct coded *row = &g_array_index(c->out, struct coded, i);
		gst_buffer_unref(row->buffer);
		gst_clear_caps(&row->caps);
	}
	g_array_set_size(c->out, 0);
}

static void destroy(struct mix_coder *c)
{
	clear(c);
	g_array_unref(c->out);
	mix_element_free(c->element);
	(void)sem_destroy(&c->go);
	(void)sem_destroy(&c->done);
	g_free(c);
}

static uint64_t thread_cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * ORT_US_PER_S + (uint64_t)t.tv_nsec / 1000;
}

static void wait_for(sem_t *s)
{
	while (sem_wait(s) < 0 && errno == EINTR) {
	}
}

static void code(struct mix_coder *c)
{
	if (c->key) {
		mix_element_force_key(c->element);
	}
	c->ok = mix_element_push(c->element, g_steal_pointer(&c->in));
	c->cpu_us = thread_cpu_us();
}

static gpointer run(gpointer data)
{
	struct mix_coder *c = data;

	mix_thread_first(-5);
	for (wait_for(&c->go); !c->quit; wait_for(&c->go)) {
		int coding = CODER_CODING;
		code(c);
		if (!atomic_compare_exchange_strong(&c->turn, &coding, CODER_IDLE)) {
			destroy(c);	/* it came back after all: nobody else knows of it any more */
			atomic_fetch_sub(&lost, 1);
			break;
		}
		(void)sem_post(&c->done);
	}
	return NULL;
}

struct mix_coder *mix_coder_new(const struct mix_element_row *row, const struct mix_encode_use *use)
{
	struct mix_coder *c = g_new0(struct mix_coder, 1);

	c->element = mix_element_encoder(row, use, take, c);
	if (!c->element) {
		g_free(c);
		return NULL;
	}
	c->out = g_array_new(FALSE, FALSE, sizeof(struct coded));
	(void)sem_init(&c->go, 0, 0);
	(void)sem_init(&c->done, 0, 0);
	c->thread = g_thread_new("mix-enc", run, c);
	return c;
}

void mix_coder_free(struct mix_coder *c)
{
	if (c) {
		c->quit = true;
		(void)sem_post(&c->go);
		(void)g_thread_join(c->thread);
		destroy(c);
	}
}

/* false: it had not come back in time, and is on its own from now on */
static bool come_back(struct mix_coder *c)
{
	struct timespec until;
	int coding = CODER_CODING, r;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += MIX_HUNG_US / ORT_US_PER_S;
	while ((r = sem_clockwait(&c->done, CLOCK_MONOTONIC, &until)) < 0 && errno == EINTR) {
	}
	if (r == 0) {
		return atomic_load(&c->turn) == CODER_IDLE;
	}
	GThread *thread = c->thread;
	if (atomic_compare_exchange_strong(&c->turn, &coding, CODER_LOST)) {
		g_thread_unref(thread);
		atomic_fetch_add(&lost, 1);
		return false;
	}
	wait_for(&c->done);	/* in the last moment */
	return atomic_load(&c->turn) == CODER_IDLE;
}

enum mix_coded mix_coder_push(struct mix_coder *c, GstBuffer *buffer, bool key, mix_element_fn out, void *user_data)
{
	c->in = buffer;
	c->key = key;
	atomic_store(&c->turn, CODER_CODING);
	(void)sem_post(&c->go);
	if (!come_back(c)) {
		return MIX_CODER_HUNG;
	}
	for (guint i = 0; i < c->out->len; i++) {
		struct coded *row = &g_array_index(c->out, struct coded, i);
		out(gst_buffer_ref(row->buffer), row->caps, user_data);
	}
	clear(c);
	return c->ok ? MIX_CODED : MIX_CODER_BROKEN;
}

unsigned mix_coders_lost(void)
{
	return atomic_load(&lost);
}

uint64_t mix_coder_cpu_us(const struct mix_coder *c)
{
	return c ? c->cpu_us : 0;	/* written before the push returned */
}
