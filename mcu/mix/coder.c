#include "mcu/mix/coder_priv.h"

#include <time.h>

#include "mcu/base/clock.h"
#include "mcu/mix/home_priv.h"

struct coded { GstBuffer *buffer; GstCaps *caps; };
struct mix_coder {
	GThread *thread;
	GMutex lock;
	GCond turn;
	/* under the lock */
	GstBuffer *in;			/* to be coded; NULL = none */
	bool key, quit, lost, busy, ok;
	uint64_t cpu_us;
	/* whoever has the turn: the thread while busy, else the home thread */
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
	g_mutex_clear(&c->lock);
	g_cond_clear(&c->turn);
	g_free(c);
}

static uint64_t thread_cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * ORT_US_PER_S + (uint64_t)t.tv_nsec / 1000;
}

static bool code(struct mix_coder *c, GstBuffer *in, bool key)
{
	if (key) {
		mix_element_force_key(c->element);
	}
	return mix_element_push(c->element, in);
}

static gpointer run(gpointer data)
{
	struct mix_coder *c = data;
	bool lost;

	mix_thread_first(-5);
	g_mutex_lock(&c->lock);
	while (!c->quit && !c->lost) {
		if (!c->in) {
			g_cond_wait(&c->turn, &c->lock);
			continue;
		}
		GstBuffer *in = g_steal_pointer(&c->in);
		bool key = c->key, ok;
		g_mutex_unlock(&c->lock);
		ok = code(c, in, key);
		g_mutex_lock(&c->lock);
		c->ok = ok;
		c->busy = false;
		c->cpu_us = thread_cpu_us();
		g_cond_broadcast(&c->turn);
	}
	lost = c->lost;
	g_mutex_unlock(&c->lock);
	if (lost) {	/* it came back after all: nobody else knows of it any more */
		destroy(c);
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
	g_mutex_init(&c->lock);
	g_cond_init(&c->turn);
	c->thread = g_thread_new("mix-enc", run, c);
	return c;
}

void mix_coder_free(struct mix_coder *c)
{
	if (!c) {
		return;
	}
	g_mutex_lock(&c->lock);
	c->quit = true;
	g_cond_broadcast(&c->turn);
	g_mutex_unlock(&c->lock);
	(void)g_thread_join(c->thread);
	destroy(c);
}

enum mix_coded mix_coder_push(struct mix_coder *c, GstBuffer *buffer, bool key, mix_element_fn out, void *user_data)
{
	int64_t until = g_get_monotonic_time() + MIX_HUNG_US;
	bool done, ok;

	g_mutex_lock(&c->lock);
	c->in = buffer;
	c->key = key;
	c->busy = true;
	g_cond_broadcast(&c->turn);
	while (c->busy && g_cond_wait_until(&c->turn, &c->lock, until)) {
	}
	done = !c->busy;
	ok = c->ok;
	if (!done) {
		c->lost = true;
		(void)g_thread_unref(c->thread);	/* its own from now on */
	}
	g_mutex_unlock(&c->lock);
	if (!done) {
		return MIX_CODER_HUNG;
	}
	for (guint i = 0; i < c->out->len; i++) {
		struct coded *row = &g_array_index(c->out, struct coded, i);
		out(gst_buffer_ref(row->buffer), row->caps, user_data);
	}
	clear(c);
	return ok ? MIX_CODED : MIX_CODER_BROKEN;
}

uint64_t mix_coder_cpu_us(const struct mix_coder *c)
{
	return c ? c->cpu_us : 0;	/* written before the push returned */
}
