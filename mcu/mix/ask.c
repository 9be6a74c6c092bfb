/* mix.still and mix.clip: questions whose answer takes a while. The control thread keeps who asked; home thread (pictures) and
 * sound thread find what was asked for; stills become files on a thread of their own, for that takes longer than a frame has
 * time. Answers come back to the control thread by their numbers, so that a mix may go meanwhile. */
#include "mcu/mix/ask_priv.h"

#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/mix/jpeg_priv.h"
#include "mcu/mix/mix_priv.h"

enum { ASKS_MAX = 64, STILL_WIDTH = 1280, CLIP_MS = 5000, WAIT_US = 3000000, JPEG_MAX = 700000 };

struct ask { enum mcu_method method; mcu_mix_reply_fn fn; void *user_data; };

/* ---- control thread ---- */
static void tell(struct ask *a, const void *reply, int code, const char *why)
{
	GError *err = reply ? NULL : g_error_new_literal(MCU_ERROR, code, why);

	a->fn(reply, err, a->user_data);
	g_clear_error(&err);
	g_free(a);
}

struct answer_msg { struct ort_msg msg; unsigned mix, ask; enum mcu_method method; void *reply; int code; const char *why; };

static void run_answer(struct ort_msg *msg, void *owner)
{
	struct answer_msg *m = (struct answer_msg *)msg;
	mcu_mix *mix = g_hash_table_lookup(((mcu_mixer *)owner)->mixes, GUINT_TO_POINTER(m->mix));
	struct ask *a = NULL;

	if (mix && g_hash_table_steal_extended(mix->asks, GUINT_TO_POINTER(m->ask), NULL, (gpointer *)&a)) {
		tell(a, m->reply, m->code, m->why);
	}
	if (m->reply) {
		ort_json_clear(mcu_methods[m->method].reply, m->reply);
		g_free(m->reply);
	}
	g_free(m);
}

/* Any thread. reply (transfer full), NULL = code and why (a literal). */
static void post_answer(mcu_mixer *mixer, struct mix_asked asked, enum mcu_method method, void *reply, enum mcu_error_id code, const char *why)
{
	struct answer_msg *m = g_new0(struct answer_msg, 1);

	*m = (struct answer_msg){ .msg.run = run_answer, .mix = asked.mix, .ask = asked.ask, .method = method, .reply = reply,
				  .code = (int)code, .why = why };
	ort_mailbox_post(mixer->box, &m->msg);
}

GHashTable *mix_asks_new(void)
{
	return g_hash_table_new(NULL, NULL);
}

void mix_asks_free(GHashTable *asks)
{
	GHashTableIter iter;
	gpointer a;

	g_hash_table_iter_init(&iter, asks);
	while (g_hash_table_iter_next(&iter, NULL, &a)) {
		g_hash_table_iter_steal(&iter);
		tell(a, NULL, MCU_ERROR_STATE, "the mix was closed");
	}
	g_hash_table_unref(asks);
}

/* ---- stills ---- */
struct still { mcu_mixer *mixer; struct mix_asked asked; char *id, *state; int max_w; int64_t since_us; struct mix_picture *picture; };

static void still_free(gpointer data)
{
	struct still *s = data;

	mix_picture_unref(s->picture);
	g_free(s->id);
	g_free(s->state);
	g_free(s);
}

static void make_file(gpointer data, gpointer user_data)
{
	struct still *s = data;
	struct mcu_mix_still_reply *r = NULL;
	int64_t age_us = ort_now_us() - s->picture->at_us;
	int w, h;
	GBytes *file = mix_jpeg(s->picture, s->max_w, JPEG_MAX, &w, &h);

	if (file) {
		gsize len;
		const guchar *bytes = g_bytes_get_data(file, &len);
		r = g_new0(struct mcu_mix_still_reply, 1);
		*r = (struct mcu_mix_still_reply){ .id = g_strdup(s->id), .state = g_strdup(s->state), .jpeg = g_base64_encode(bytes, len),
						   .width = w, .height = h, .age_ms = age_us / 1000,
						   .at_ms = ort_wall_ms() - age_us / 1000 };
		g_bytes_unref(file);
	}
	post_answer(s->mixer, s->asked, MCU_METHOD_MIX_STILL, r, MCU_ERROR_INTERNAL, "the still could not be made");
	still_free(s);
}

GThreadPool *mix_stills_start(void)
{
	return g_thread_pool_new(make_file, NULL, 1, TRUE, NULL);	/* now: the sandbox comes later */
}

void mix_stills_stop(GThreadPool *stills)
{
	g_thread_pool_free(stills, FALSE, TRUE);
}

static void home_still(struct mix_home *h, void *arg)
{
	struct still **box = arg;

	(*box)->since_us = ort_now_us();
	g_ptr_array_add(h->stills, g_steal_pointer(box));
}

static void box_free(gpointer arg)
{
	struct still **box = arg;

	g_clear_pointer(box, still_free);
	g_free(box);
}

GPtrArray *mix_home_stills_new(void)
{
	return g_ptr_array_new_with_free_func(still_free);
}

/* They are seen, in the size of the still, until they have a picture. */
void mix_home_stills_want(struct mix_home *h)
{
	for (guint i = 0; i < h->stills->len; i++) {
		const struct still *s = h->stills->pdata[i];
		struct mix_in *in = mix_home_find_in(h, s->id);
		if (in && !in->last) {
			in->want_w = MAX(in->want_w, s->max_w);
			in->want_h = MAX(in->want_h, s->max_w * 9 / 16);
		}
	}
}

static bool settle(struct mix_home *h, struct still *s, int64_t now_us)
{
	struct mix_in *in = mix_home_find_in(h, s->id);

	if (in && in->last) {
		s->picture = mix_picture_ref(in->last);
		s->state = g_strdup(mix_state_name(in));
		(void)g_thread_pool_push(s->mixer->stills, s, NULL);	/* its thread is there: it cannot fail */
		return true;
	}
	if (!in || now_us - s->since_us > WAIT_US) {
		post_answer(s->mixer, s->asked, MCU_METHOD_MIX_STILL, NULL, in ? MCU_ERROR_STATE : MCU_ERROR_UNKNOWN_ID,
			    in ? "no picture came" : "no such input");
		still_free(s);
		return true;
	}
	return false;
}

void mix_home_stills_run(struct mix_home *h, int64_t now_us)
{
	for (guint i = h->stills->len; i-- > 0;) {
		if (settle(h, h->stills->pdata[i], now_us)) {
			(void)g_ptr_array_steal_index_fast(h->stills, i);
		}
	}
}

/* ---- clips ---- */
void mix_clip_done(mcu_mixer *mixer, struct mix_asked asked, struct mcu_mix_clip_reply *reply)
{
	post_answer(mixer, asked, MCU_METHOD_MIX_CLIP, reply, MCU_ERROR_UNKNOWN_ID, "the input went away");
}

struct clip_arg { const struct mcu_mix_clip *req; struct mix_asked asked; };

static bool ear_clip(struct mix_audio *a, void *arg, GError **err)
{
	const struct clip_arg *c = arg;

	return mix_audio_clip(a, c->req->id, c->req->ms ? c->req->ms : CLIP_MS, c->asked, err);
}

/* ---- the face ---- */
static bool ask_home(mcu_mix *mix, const struct mcu_mix_still *req, struct mix_asked asked)
{
	struct still **box = g_new0(struct still *, 1);

	*box = g_new0(struct still, 1);
	**box = (struct still){ .mixer = mix->mixer, .asked = asked, .id = g_strdup(req->id),
				.max_w = req->max_width ? (int)req->max_width : STILL_WIDTH };
	mix_home_call(mix->home, home_still, box, box_free);
	return true;
}

void mcu_mix_ask(mcu_mix *mix, enum mcu_method method, const void *request, mcu_mix_reply_fn fn, void *user_data)
{
	const struct mix_known *k = g_hash_table_lookup(mix->inputs, ((const struct mcu_mix_ref *)request)->id);
	struct mix_asked asked = { mix->serial, ++mix->next_ask };
	struct ask *a = g_new0(struct ask, 1);
	GError *err = NULL;
	bool ok = false;

	*a = (struct ask){ method, fn, user_data };
	if (!k || k->kind != (method == MCU_METHOD_MIX_STILL ? MCU_VIDEO : MCU_AUDIO)) {
		tell(a, NULL, MCU_ERROR_UNKNOWN_ID, "no such input");
		return;
	}
	if (g_hash_table_size(mix->asks) >= ASKS_MAX) {
		tell(a, NULL, MCU_ERROR_LIMIT, "too many stills and clips at once");
		return;
	}
	g_hash_table_insert(mix->asks, GUINT_TO_POINTER(asked.ask), a);
	if (method == MCU_METHOD_MIX_STILL) {
		ok = ask_home(mix, request, asked);
	} else {
		ok = mix_ear_call(mix->ear, ear_clip, &(struct clip_arg){ request, asked }, &err);
	}
	if (!ok) {
		g_hash_table_steal(mix->asks, GUINT_TO_POINTER(asked.ask));
		tell(a, NULL, err ? err->code : MCU_ERROR_INTERNAL, err ? err->message : "not taken");
	}
	g_clear_error(&err);
}
