/* The only cross-thread code of Ortoo: a mailbox (C11 atomics + eventfd), and a thread that runs a GMainContext with one.
 * Messages are owned by the mailbox from post until the handler returns. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct ort_mailbox ort_mailbox;

/* Embed first in a message struct. `run` is called on the owner thread and frees the message. */
struct ort_msg {
	struct ort_msg *next;	/* the mailbox's */
	void (*run)(struct ort_msg *msg, void *owner);
};

/* `owner` is handed to every run(). Freed by ort_mailbox_free() on the owner thread, after all posters are gone;
 * messages still inside are run first. */
ort_mailbox *ort_mailbox_new(void *owner);
void ort_mailbox_free(ort_mailbox *box);

/* Any thread, never blocks, never fails. Messages of one poster arrive in order. */
void ort_mailbox_post(ort_mailbox *box, struct ort_msg *msg);

/* Owner thread, for owners that run their own epoll: readable means "drain". Returns how many ran. */
int ort_mailbox_fd(const ort_mailbox *box);
unsigned ort_mailbox_drain(ort_mailbox *box);

/* Owner thread, for owners with a GMainContext: drains by itself. (transfer full), destroy with g_source_destroy+unref */
GSource *ort_mailbox_source(ort_mailbox *box);

/* A thread with its own GMainContext (thread default) and mailbox. start/stop from any one thread; stop joins. */
typedef struct ort_loop ort_loop;
ort_loop *ort_loop_start(const char *name, void *owner);
void ort_loop_stop(ort_loop *loop);
GMainContext *ort_loop_context(ort_loop *loop);	/* borrowed */
ort_mailbox *ort_loop_mailbox(ort_loop *loop);	/* borrowed */

/* Owner check: remember the calling thread; ort_owner_assert() aborts in debug builds when another thread calls. */
struct ort_owner { uintptr_t thread; };
void ort_owner_init(struct ort_owner *owner);
void ort_owner_assert(const struct ort_owner *owner);

/* One-shot timer on a context, deadline in ort_now_us() time; destroyed by g_source_destroy+unref. (transfer full)
 * The callback returns the next deadline or ORT_NEVER to rest. ort_timer_set() re-arms (ORT_NEVER rests). */
typedef int64_t (*ort_timer_fn)(int64_t now_us, void *user_data);
GSource *ort_timer_new(GMainContext *context, int64_t deadline_us, ort_timer_fn fn, void *user_data);
void ort_timer_set(GSource *timer, int64_t deadline_us);
