/* A command of a mix under way: to the media thread, to the codec worker, back, and told again to the next worker. */
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/engine/mixers_priv.h"

/* One command under way. */
struct mix_call {
	struct mcu_mixers *m;
	struct mcu_job *sum;		/* of the gateway; NULL = told again to a new worker */
	enum mcu_method method;
	char *key, *id;			/* of the mix; of the input, view or output */
	struct mix_item *before;	/* what stood there, to be put back */
	unsigned parts, generation;
	bool lost;			/* the worker went before it answered */
	GError *err;
};

char *mix_key(const char *room, const char *mix)
{
	return g_strconcat(room, "\n", mix, NULL);
}

GHashTable *mix_table(const struct mix *mix, enum mcu_method method)
{
	switch (method) {
	case MCU_METHOD_MIX_INPUT:
	case MCU_METHOD_MIX_INPUT_REMOVE:
		return mix->inputs;
	case MCU_METHOD_MIX_VIEW:
	case MCU_METHOD_MIX_VIEW_REMOVE:
		return mix->views;
	case MCU_METHOD_MIX_OUTPUT:
	case MCU_METHOD_MIX_OUTPUT_REMOVE:
		return mix->outputs;
	default:
		return NULL;
	}
}

/* ---- a command's end ---- */

static void post(struct mix *mix, struct mcu_job *job)
{
	const struct mcu_placed *p = g_hash_table_lookup(mix->mixers->e->rooms, mix->room);
	if (p) {
		mcu_worker_post(mix->mixers->e->workers[p->worker], job);
		return;
	}
	job->err = g_error_new_literal(MCU_ERROR, MCU_ERROR_UNKNOWN_ID, mcu_errors[MCU_ERROR_UNKNOWN_ID].en);
	job->done(job);
}

static void post_and_forget(struct mix *mix, struct mcu_job *job)
{
	job->done = mcu_job_free;
	post(mix, job);
}

static json_t *ref_params(const struct mix *mix, const char *id)
{
	return json_pack("{s:s, s:s, s:s*}", "room", mix->room, "mix", mix->id, "id", id);
}

void mix_tell(struct mix *mix, enum mcu_method method, const char *id)
{
	mixer_process_call(mix->process, mcu_methods[method].name, ref_params(mix, id), NULL, NULL);
}

/* The media thread's part of a mix that goes. */
void mix_close_transport(struct mix *mix)
{
	struct mcu_job *job = mcu_job_new(mix->mixers->e, MCU_METHOD_TRANSPORT_CLOSE);
	struct mcu_transport_ref *q = job->request;
	*q = (struct mcu_transport_ref){ g_strdup(mix->room), g_strdup(mix->id) };
	post_and_forget(mix, job);
}

/* Neither side shall keep what was refused by the other. */
void mix_take_out(struct mix *mix, enum mcu_method method, const char *id)
{
	static const struct { enum mcu_method tell, media; } undo[MCU_METHOD_N] = {
		[MCU_METHOD_MIX_INPUT] = { MCU_METHOD_MIX_INPUT_REMOVE, MCU_METHOD_SINK_REMOVE },
		[MCU_METHOD_MIX_VIEW] = { MCU_METHOD_MIX_VIEW_REMOVE, 0 },
		[MCU_METHOD_MIX_OUTPUT] = { MCU_METHOD_MIX_OUTPUT_REMOVE, MCU_METHOD_SOURCE_REMOVE },
	};
	GHashTable *table = mix_table(mix, method);
	const struct mix_item *item = g_hash_table_lookup(table, id);
	if (!item) {
		return;
	}
	mix_tell(mix, undo[method].tell, id);
	if (undo[method].media) {
		post_and_forget(mix, mix_job_remove(mix, undo[method].media, id));
		mix_ssrc_give(mix, item->ssrc);
	}
	g_hash_table_remove(table, id);
	if (table == mix->inputs) {
		g_hash_table_remove(mix->states, id);
	}
}

static void undo(struct mix_call *c, struct mix *mix)
{
	if (c->method == MCU_METHOD_MIX_OPEN) {
		mix_tell(mix, MCU_METHOD_MIX_CLOSE, NULL);
		mix_close_transport(mix);
		g_hash_table_remove(c->m->mixes, c->key);
	} else if (c->before) {
		g_hash_table_insert(mix_table(mix, c->method), g_strdup(c->id), g_steal_pointer(&c->before));
	} else if (c->id && mix_table(mix, c->method)) {
		mix_take_out(mix, c->method, c->id);
	}
}

/* A new worker's answers: all is well, or this part of the mix is lost. */
static void told_again(const struct mix_call *c, struct mix *mix)
{
	if (c->lost || c->generation != mix->generation) {
		return;
	}
	if (c->err) {
		ort_log(ORT_LOG_WARNING, "mixers", "mix.again", "a codec worker refused what the one before had done",
			ORT_S("mix", mix->id), ORT_S("id", c->id), ORT_S("method", mcu_methods[c->method].name),
			ORT_S("why", c->err->message));
	}
	if (c->method == MCU_METHOD_MIX_OPEN) {
		mix->state = c->err ? "failed" : "up";
		mixers_tell_state(mix, c->err ? "refused" : NULL);
	}
}

static void end(struct mix_call *c)
{
	struct mix *mix = g_hash_table_lookup(c->m->mixes, c->key);
	if (mix && !c->sum) {
		told_again(c, mix);
	} else if (mix && c->err && c->method < MCU_METHOD_MIX_PLAY) {
		undo(c, mix);
	} else if (mix && c->method == MCU_METHOD_MIX_OPEN && !c->lost) {
		mix->state = "up";
		mixers_tell_state(mix, NULL);
	}
	if (c->sum) {
		c->sum->err = g_steal_pointer(&c->err);
		mcu_control_answer(c->sum);
		mcu_job_free(c->sum);
	}
	g_clear_error(&c->err);
	mix_item_free(c->before);
	g_free(c->key);
	g_free(c->id);
	g_free(c);
}

void mix_call_done(struct mix_call *c)
{
	if (--c->parts == 0) {
		end(c);
	}
}

static void media_done(struct mcu_job *job)
{
	struct mix_call *c = job->gather;
	if (job->err && !c->err) {
		c->err = g_steal_pointer(&job->err);
	}
	mcu_job_free(job);
	mix_call_done(c);
}

/* What the worker brings along (a still, a clip), by the method's table: it may have been taken over. */
static void read_reply(struct mix_call *c, const json_t *result)
{
	const struct ort_json_table *table = c->sum ? mcu_methods[c->sum->method].reply : &mcu_table_empty;
	g_autofree char *why = NULL;
	if (table->n_fields && !c->err && ort_json_read(table, result, c->sum->reply, &why) < 0) {
		c->err = g_error_new(MCU_ERROR, MCU_ERROR_INTERNAL, "answer of the codec worker: %s", why);
		memset(c->sum->reply, 0, table->size);
	}
}

static void worker_done(int code, const char *message, json_t *result, void *user_data)
{
	struct mix_call *c = user_data;
	int id = mcu_error_by_code(code);
	bool gone = code == ORT_RPC_CLOSED || code == ORT_RPC_TIMEOUT;
	c->lost |= gone;
	if (code && !c->err && (!gone || c->method == MCU_METHOD_MIX_PLAY)) {
		c->err = g_error_new_literal(MCU_ERROR, gone ? MCU_ERROR_STATE : id < 0 ? MCU_ERROR_INTERNAL : id,
					     message ? message : "the codec worker refused");
	}
	if (!code) {
		read_reply(c, result);
	}
	mix_call_done(c);
}

/* ---- a command's beginning: to the media thread, then to the worker ---- */

struct mix_call *mix_call_new(struct mix *mix, struct mcu_job *sum, enum mcu_method method, const char *id)
{
	struct mix_call *c = g_new0(struct mix_call, 1);
	*c = (struct mix_call){ .m = mix->mixers, .sum = sum, .method = method, .key = mix_key(mix->room, mix->id),
				.id = g_strdup(id), .parts = 1, .generation = mix->generation };
	return c;
}

void mix_call_restores(struct mix_call *c, const struct mix_item *before)
{
	c->before = mix_item_copy(before);
}

void mix_call_media(struct mix_call *c, struct mix *mix, struct mcu_job *job)
{
	c->parts++;
	job->done = media_done;
	job->gather = c;
	post(mix, job);
}

void mix_call_worker(struct mix_call *c, struct mix *mix, const char *method, json_t *params)
{
	c->parts++;
	mixer_process_call(mix->process, method, params, worker_done, c);
}

json_t *mix_item_params(const struct mix_item *item)
{
	json_t *params = ort_json_print(mcu_methods[item->method].request, item->request);
	if (item->ssrc) {
		json_object_set_new(params, "ssrc", json_integer(item->ssrc));
	}
	return params;
}

struct mcu_job *mix_item_job(const struct mix *mix, const struct mix_item *item)
{
	return item->method == MCU_METHOD_MIX_INPUT    ? mix_job_input(mix, item->request, item->ssrc)
	       : item->method == MCU_METHOD_MIX_OUTPUT ? mix_job_output(mix, item->request, item->ssrc)
						       : NULL;
}

/* The channel: our side to the media thread, the other to the worker. */
void mix_begin(struct mix *mix, struct mix_call *c)
{
	struct mcu_mixers *m = mix->mixers;
	int fds[MCU_CHANNEL_FDS], err = 0;
	mcu_channel *channel = mcu_channel_new(0, &err);
	if (!channel) {
		c->err = g_error_new(MCU_ERROR, MCU_ERROR_LIMIT, "channel: %s", g_strerror(-err));
		mix_call_done(c);
		return;
	}
	uint32_t serial = ++m->serial;
	mcu_channel_fds(channel, fds);
	bool handed = mixer_process_hand(mix->process, serial, fds);
	if (handed) {	/* else it stays whole, so that nobody takes it for broken, until a worker is up */
		mcu_channel_drop_fds(channel);
	}
	mix->begun_us = ort_now_us();
	struct mcu_job *job = mcu_job_new(m->e, MCU_METHOD_MIX_OPEN);
	struct mcu_mix_open *q = job->request;
	*q = (struct mcu_mix_open){ g_strdup(mix->room), g_strdup(mix->id), mix->fps };
	job->channel = channel;
	mix_call_media(c, mix, job);
	c->lost |= !handed;
	if (handed) {
		json_t *params = ort_json_print(&mcu_table_mix_open, &(struct mcu_mix_open){ mix->room, mix->id, mix->fps });
		json_object_set_new(params, "channel", json_integer(serial));
		mix_call_worker(c, mix, mcu_methods[c->method].name, params);
	}
	mix_call_done(c);
}

static void tell_items_again(struct mix *mix, GHashTable *items)
{
	GHashTableIter iter;
	const char *id;
	struct mix_item *item;
	g_hash_table_iter_init(&iter, items);
	while (g_hash_table_iter_next(&iter, (void **)&id, (void **)&item)) {
		struct mix_call *c = mix_call_new(mix, NULL, item->method, id);
		if (item->method == MCU_METHOD_MIX_OUTPUT) {	/* a new stream of the worker: numbers of its own */
			mix_ssrc_give(mix, item->ssrc);
			item->ssrc = mix_ssrc_take(mix, id);
			mix_call_media(c, mix, mix_item_job(mix, item));
		}
		mix_call_worker(c, mix, mcu_methods[c->method].name, mix_item_params(item));
		mix_call_done(c);
	}
}

void mix_tell_again(struct mix *mix)
{
	mix->generation++;
	mix_begin(mix, mix_call_new(mix, NULL, MCU_METHOD_MIX_OPEN, NULL));
	tell_items_again(mix, mix->inputs);
	tell_items_again(mix, mix->views);
	tell_items_again(mix, mix->outputs);
}
