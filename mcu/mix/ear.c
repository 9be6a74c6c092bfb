/* The sound thread of a mixer. */
#include "mcu/mix/ear_priv.h"

#include <errno.h>
#include <semaphore.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/loop.h"
#include "mcu/mix/home_priv.h"

enum { TICK_US = 20000, LATE_MAX_US = 200000 };

struct mix_ears { ort_loop *loop; GSource *timer; GPtrArray *ears; int64_t due_us, wall_offset_us; };
struct mix_ear { struct mix_ears *sound; mcu_mix *mix; struct mix_audio *audio; const struct mix_audio_ops *ops; };

static int64_t tick(int64_t now_us, void *user_data)
{
	struct mix_ears *s = user_data;

	if (now_us - s->due_us > LATE_MAX_US) {
		s->due_us = now_us;	/* after a stop of the machine: not all that is missing at once */
	}
	while (s->due_us <= now_us) {
		for (guint i = 0; i < s->ears->len; i++) {
			struct mix_ear *e = s->ears->pdata[i];
			mix_audio_tick(e->audio, s->due_us, s->due_us + s->wall_offset_us);
			mix_ear_flush(e->mix);
		}
		s->due_us += TICK_US;
	}
	return s->due_us;
}

/* ---- calls that wait ---- */
struct wait_msg { struct ort_msg msg; void (*fn)(struct mix_ears *s, void *arg); void *arg; sem_t done; };

static void run_wait(struct ort_msg *msg, void *owner)
{
	struct wait_msg *m = (struct wait_msg *)msg;

	m->fn(owner, m->arg);
	(void)sem_post(&m->done);
}

static void call(struct mix_ears *s, void (*fn)(struct mix_ears *s, void *arg), void *arg)
{
	struct wait_msg m = { .msg.run = run_wait, .fn = fn, .arg = arg };

	(void)sem_init(&m.done, 0, 0);
	ort_mailbox_post(ort_loop_mailbox(s->loop), &m.msg);
	while (sem_wait(&m.done) < 0 && errno == EINTR) {
	}
	(void)sem_destroy(&m.done);
}

static void start_timer(struct mix_ears *s, void *arg)
{
	mix_thread_first(-10);	/* sound never waits for pictures */
	s->due_us = ort_now_us() + TICK_US;
	s->timer = ort_timer_new(ort_loop_context(s->loop), s->due_us, tick, s);
}

struct mix_ears *mix_ears_start(int64_t wall_offset_us)
{
	struct mix_ears *s = g_new0(struct mix_ears, 1);

	s->wall_offset_us = wall_offset_us;
	s->ears = g_ptr_array_new();
	s->loop = ort_loop_start("mix-sound", s);
	call(s, start_timer, NULL);
	return s;
}

static void stop_timer(struct mix_ears *s, void *arg)
{
	g_source_destroy(s->timer);
	g_source_unref(s->timer);
}

void mix_ears_stop(struct mix_ears *s)
{
	if (!s) {
		return;
	}
	call(s, stop_timer, NULL);
	ort_loop_stop(s->loop);
	g_ptr_array_unref(s->ears);
	g_free(s);
}

/* ---- ears ---- */
static void ear_open(struct mix_ears *s, void *arg)
{
	struct mix_ear *e = arg;

	e->audio = mix_audio_new(e->ops, e->mix);
	g_ptr_array_add(s->ears, e);
}

struct mix_ear *mix_ear_new(struct mix_ears *s, mcu_mix *mix, const struct mix_audio_ops *ops)
{
	struct mix_ear *e = g_new0(struct mix_ear, 1);

	e->sound = s;
	e->mix = mix;
	e->ops = ops;
	call(s, ear_open, e);
	return e;
}

static void ear_close(struct mix_ears *s, void *arg)
{
	struct mix_ear *e = arg;

	g_ptr_array_remove(s->ears, e);
	mix_audio_free(e->audio);
}

void mix_ear_free(struct mix_ear *e)
{
	if (e) {
		call(e->sound, ear_close, e);
		g_free(e);
	}
}

struct ear_call { struct mix_ear *ear; bool (*fn)(struct mix_audio *a, void *arg, GError **err); void *arg; GError **err; bool ok; };

static void run_ear_call(struct mix_ears *s, void *arg)
{
	struct ear_call *c = arg;

	c->ok = c->fn(c->ear->audio, c->arg, c->err);
}

bool mix_ear_call(struct mix_ear *e, bool (*fn)(struct mix_audio *, void *, GError **), void *arg, GError **err)
{
	struct ear_call c = { .ear = e, .fn = fn, .arg = arg, .err = err };

	call(e->sound, run_ear_call, &c);
	return c.ok;
}

struct packet_msg { struct ort_msg msg; struct mix_ear *ear; int64_t at_us; size_t len; uint8_t data[]; };

static void run_packet(struct ort_msg *msg, void *owner)
{
	struct packet_msg *m = (struct packet_msg *)msg;

	mix_audio_packet(m->ear->audio, m->data, m->len, m->at_us);
	g_free(m);
}

void mix_ear_packet(struct mix_ear *e, const uint8_t *packet, size_t len, int64_t at_us)
{
	struct packet_msg *m = g_malloc(sizeof(*m) + len);

	m->msg.run = run_packet;
	m->ear = e;
	m->at_us = at_us;
	m->len = len;
	memcpy(m->data, packet, len);
	ort_mailbox_post(ort_loop_mailbox(e->sound->loop), &m->msg);
}
