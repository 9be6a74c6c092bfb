/* Mixes: each command goes two ways, to the media thread (transport, sinks, sources of the mix) and to the codec worker
 * (what to make of them), and is remembered for the next worker. It is answered when both have answered; a worker that dies
 * under a command is no error, for the next one is told everything. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/engine/mixers_priv.h"

/* ---- mixes ---- */

static struct mix *find(const struct mcu_mixers *m, const char *room, const char *mix)
{
	g_autofree char *key = room && mix ? mix_key(room, mix) : NULL;
	return key ? g_hash_table_lookup(m->mixes, key) : NULL;
}

static void mix_free(void *data)
{
	struct mix *mix = data;
	g_hash_table_unref(mix->inputs);
	g_hash_table_unref(mix->views);
	g_hash_table_unref(mix->outputs);
	g_hash_table_unref(mix->ssrcs);
	g_hash_table_unref(mix->states);
	g_free(mix->room);
	g_free(mix->id);
	g_free(mix);
}

static GHashTable *items_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, mix_item_free);
}

static unsigned mixes_of(const struct mcu_mixers *m, const mixer_process *p)
{
	GHashTableIter iter;
	const struct mix *mix;
	unsigned n = 0;
	g_hash_table_iter_init(&iter, m->mixes);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&mix)) {
		n += mix->process == p;
	}
	return n;
}

static mixer_process *least_loaded(const struct mcu_mixers *m)
{
	mixer_process *best = m->processes[0];
	for (unsigned i = 1; i < m->n_processes; i++) {
		if (mixes_of(m, m->processes[i]) < mixes_of(m, best)) {
			best = m->processes[i];
		}
	}
	return best;
}

static struct mix *mix_new(struct mcu_mixers *m, const struct mcu_mix_open *q)
{
	struct mix *mix = g_new0(struct mix, 1);
	*mix = (struct mix){ .mixers = m, .room = g_strdup(q->room), .id = g_strdup(q->mix), .process = least_loaded(m),
			     .fps = q->fps, .inputs = items_new(), .views = items_new(), .outputs = items_new(),
			     .ssrcs = g_hash_table_new(NULL, NULL), .states = mix_states_new(), .state = "restarting" };
	g_hash_table_insert(m->mixes, mix_key(q->room, q->mix), mix);
	return mix;
}

static void on_up(mixer_process *p, void *user_data)
{
	struct mcu_mixers *m = user_data;
	g_autoptr(GList) mixes = g_hash_table_get_values(m->mixes);
	for (GList *l = mixes; l; l = l->next) {
		struct mix *mix = l->data;
		if (mix->process == p) {
			mix_tell_again(mix);
		}
	}
}

static void on_down(mixer_process *p, const char *why, void *user_data)
{
	struct mcu_mixers *m = user_data;
	GHashTableIter iter;
	struct mix *mix;
	g_hash_table_iter_init(&iter, m->mixes);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&mix)) {
		if (mix->process == p) {
			mix->state = mixer_process_failing(p) ? "failed" : "restarting";
			g_hash_table_remove_all(mix->states);
			mixers_tell_state(mix, why);
		}
	}
}

static void on_notify(mixer_process *p, const char *name, json_t *params, void *user_data)
{
	mixers_notify(user_data, p, name, params);
}

/* ---- methods: NULL or an error; the job is theirs unless they fail ---- */

static GError *refuse(enum mcu_error_id id, const char *format, ...) G_GNUC_PRINTF(2, 3);
static GError *refuse(enum mcu_error_id id, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	GError *err = g_error_new_valist(MCU_ERROR, (int)id, format, ap);
	va_end(ap);
	return err;
}

static GError *open_mix(struct mcu_mixers *m, struct mix *mix, struct mcu_job *job)
{
	const struct mcu_mix_open *q = job->request;
	const struct mcu_placed *room = q->room ? g_hash_table_lookup(m->e->rooms, q->room) : NULL;
	g_autoptr(GError) err = NULL;
	if (!room) {
		return refuse(MCU_ERROR_UNKNOWN_ID, "no room %s", q->room ? q->room : "(none)");
	}
	if (!q->mix || g_hash_table_contains(room->transports, q->mix)) {
		return refuse(MCU_ERROR_CONFLICT, "a transport has this id");
	}
	if (mix && mix->fps != q->fps) {
		return refuse(MCU_ERROR_CONFLICT, "mix %s: other fps", mix->id);
	}
	if (mix) {
		mcu_control_answer(job);
		mcu_job_free(job);
		return NULL;
	}
	mix = mix_new(m, q);
	if (!mixer_process_start(mix->process, &err)) {
		g_autofree char *key = mix_key(q->room, q->mix);
		g_hash_table_remove(m->mixes, key);
		return g_steal_pointer(&err);
	}
	mix_begin(mix, mix_call_new(mix, job, MCU_METHOD_MIX_OPEN, NULL));
	return NULL;
}

static GError *close_mix(struct mcu_mixers *m, struct mix *mix, struct mcu_job *job)
{
	g_autofree char *key = mix_key(mix->room, mix->id);
	mix_tell(mix, MCU_METHOD_MIX_CLOSE, NULL);
	mix_close_transport(mix);
	g_hash_table_remove(m->mixes, key);
	mcu_control_answer(job);
	mcu_job_free(job);
	return NULL;
}

/* What cannot be changed under the same id, and what the media thread needs. */
static GError *check_input(const struct mix *mix, const struct mcu_mix_input *in, const struct mix_item *before)
{
	g_autofree char *sink = in->id ? mix_sink_id(mix, in->id) : NULL;
	const struct mcu_mix_input *was = before ? before->request : NULL;
	if (!sink) {
		return refuse(MCU_ERROR_INVALID, "id: missing, or with the mix longer than %d bytes", MCU_ID_MAX);
	}
	return was && was->kind != in->kind ? refuse(MCU_ERROR_CONFLICT, "input %s: other kind", in->id) : NULL;
}

static GError *check_output(const struct mix *mix, const struct mcu_mix_output *out, const struct mix_item *before)
{
	const struct mcu_mix_output *was = before ? before->request : NULL;
	int codec = out->codec ? mcu_codec_by_name(out->codec) : -1;
	if (!out->id) {
		return refuse(MCU_ERROR_INVALID, "id: missing");
	}
	if (codec < 0 || (mcu_codecs[codec].kind == 'V') != (out->kind == MCU_VIDEO)) {
		return refuse(MCU_ERROR_NO_CODEC, "codec %s", out->codec ? out->codec : "(none)");
	}
	if (was && (was->kind != out->kind || mcu_codec_by_name(was->codec) != codec || g_strcmp0(was->fmtp, out->fmtp) != 0)) {
		return refuse(MCU_ERROR_CONFLICT, "output %s: other kind, codec or fmtp", out->id);
	}
	return NULL;
}

static GError *check(const struct mix *mix, enum mcu_method method, const void *request, const struct mix_item *before)
{
	if (method == MCU_METHOD_MIX_INPUT) {
		return check_input(mix, request, before);
	}
	if (method == MCU_METHOD_MIX_OUTPUT) {
		return check_output(mix, request, before);
	}
	return ((const struct mcu_mix_ref *)request)->id ? NULL : refuse(MCU_ERROR_INVALID, "id: missing");
}

static struct mcu_job *change_job(const struct mix *mix, const struct mix_item *item, const struct mix_item *before)
{
	const struct mcu_mix_input *now = item->request, *was = before ? before->request : NULL;
	if (!before) {
		return mix_item_job(mix, item);
	}
	return item->method == MCU_METHOD_MIX_INPUT && g_strcmp0(now->source, was->source) != 0 ? mix_job_route(mix, now) : NULL;
}

/* mix.input, mix.view, mix.output: new, or the same id with other wishes. */
static GError *put_item(struct mcu_mixers *m, struct mix *mix, struct mcu_job *job)
{
	const char *id = ((const struct mcu_mix_ref *)job->request)->id;
	GHashTable *table = mix_table(mix, job->method);
	const struct mix_item *before = id ? g_hash_table_lookup(table, id) : NULL;
	GError *err = check(mix, job->method, job->request, before);
	if (err) {
		return err;
	}
	uint32_t ssrc = before ? before->ssrc : job->method == MCU_METHOD_MIX_VIEW ? 0 : mix_ssrc_take(mix, id);
	struct mix_item *item = mix_item_new(job->method, job->request, ssrc);
	struct mix_call *c = mix_call_new(mix, job, job->method, id);
	struct mcu_job *media = change_job(mix, item, before);
	mix_call_restores(c, before);
	g_hash_table_insert(table, g_strdup(id), item);
	if (media) {
		mix_call_media(c, mix, media);
	}
	mix_call_worker(c, mix, mcu_methods[job->method].name, mix_item_params(item));
	mix_call_done(c);
	return NULL;
}

/* Goes to the worker and is not remembered. */
static GError *pass_on(struct mcu_mixers *m, struct mix *mix, struct mcu_job *job)
{
	struct mix_call *c = mix_call_new(mix, job, MCU_METHOD_MIX_PLAY, NULL);
	json_t *params = ort_json_print(mcu_methods[job->method].request, job->request);
	mix_call_worker(c, mix, mcu_methods[job->method].name, params);
	mix_call_done(c);
	return NULL;
}

struct saying { struct mcu_mixers *m; char *key; struct mcu_job *job; };

/* NULL = no voice: the sound is played */
static void on_voice(const char *pcm, int64_t hz, void *user_data)
{
	g_autofree struct saying *s = user_data;
	g_autofree char *key = s->key;
	struct mcu_mix_play *q = s->job->request;
	struct mix *mix = g_hash_table_lookup(s->m->mixes, key);
	if (pcm) {
		g_free(q->pcm);
		q->pcm = g_strdup(pcm);
		q->pcm_hz = hz;
	}
	g_clear_pointer(&q->text, g_free);
	if (mix) {
		(void)pass_on(s->m, mix, s->job);	/* never refuses */
		return;
	}
	s->job->err = refuse(MCU_ERROR_UNKNOWN_ID, "the mix was closed");
	mcu_control_answer(s->job);
	mcu_job_free(s->job);
}

static GError *play(struct mcu_mixers *m, struct mix *mix, struct mcu_job *job)
{
	const struct mcu_mix_play *q = job->request;
	if (!q->text || !*q->text || q->pcm) {
		return pass_on(m, mix, job);
	}
	struct saying *s = g_new0(struct saying, 1);
	*s = (struct saying){ m, mix_key(mix->room, mix->id), job };
	mcu_voice_speak(m->voice, q->text, q->lang, on_voice, s);
	return NULL;
}

static GError *put_view(struct mcu_mixers *m, struct mix *mix, struct mcu_job *job)
{
	return ((const struct mcu_mix_view *)job->request)->test ? pass_on(m, mix, job) : put_item(m, mix, job);
}

static GError *remove_item(struct mcu_mixers *m, struct mix *mix, struct mcu_job *job)
{
	static const enum mcu_method made_by[MCU_METHOD_N] = { [MCU_METHOD_MIX_INPUT_REMOVE] = MCU_METHOD_MIX_INPUT,
							       [MCU_METHOD_MIX_VIEW_REMOVE] = MCU_METHOD_MIX_VIEW,
							       [MCU_METHOD_MIX_OUTPUT_REMOVE] = MCU_METHOD_MIX_OUTPUT };
	const char *id = ((const struct mcu_mix_ref *)job->request)->id;
	if (!id || !g_hash_table_contains(mix_table(mix, job->method), id)) {
		return refuse(MCU_ERROR_UNKNOWN_ID, "mix %s has no %s", mix->id, id ? id : "(none)");
	}
	mix_take_out(mix, made_by[job->method], id);
	mcu_control_answer(job);
	mcu_job_free(job);
	return NULL;
}

static GError *(*const methods[MCU_METHOD_N])(struct mcu_mixers *m, struct mix *mix, struct mcu_job *job) = {
	[MCU_METHOD_MIX_OPEN] = open_mix,
	[MCU_METHOD_MIX_CLOSE] = close_mix,
	[MCU_METHOD_MIX_INPUT] = put_item,
	[MCU_METHOD_MIX_INPUT_REMOVE] = remove_item,
	[MCU_METHOD_MIX_VIEW] = put_view,
	[MCU_METHOD_MIX_VIEW_REMOVE] = remove_item,
	[MCU_METHOD_MIX_OUTPUT] = put_item,
	[MCU_METHOD_MIX_OUTPUT_REMOVE] = remove_item,
	[MCU_METHOD_MIX_PLAY] = play,
	[MCU_METHOD_MIX_STILL] = pass_on,
	[MCU_METHOD_MIX_CLIP] = pass_on,
};

void mcu_mixers_call(mcu_engine *e, struct mcu_job *job)
{
	const struct mcu_mix_ref *q = job->request;
	struct mix *mix = find(e->mixers, q->room, q->mix);
	GError *err = !mix && job->method != MCU_METHOD_MIX_OPEN
			      ? refuse(MCU_ERROR_UNKNOWN_ID, "no mix %s", q->mix ? q->mix : "(none)")
			      : methods[job->method](e->mixers, mix, job);
	if (err) {	/* else the job may be gone by now */
		job->err = err;
		mcu_control_answer(job);
		mcu_job_free(job);
	}
}

bool mcu_mixers_closes(mcu_engine *e, struct mcu_job *job)
{
	const struct mcu_transport_ref *q = job->request;
	struct mix *mix = find(e->mixers, q->room, q->transport);
	if (mix) {
		(void)close_mix(e->mixers, mix, job);
	}
	return mix != NULL;
}

/* ---- life ---- */

void mcu_mixers_room_gone(mcu_engine *e, const char *room)
{
	GHashTableIter iter;
	struct mix *mix;
	if (!e->mixers) {
		return;
	}
	g_hash_table_iter_init(&iter, e->mixers->mixes);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&mix)) {
		if (strcmp(mix->room, room) == 0) {
			mix_tell(mix, MCU_METHOD_MIX_CLOSE, NULL);
			g_hash_table_iter_remove(&iter);
		}
	}
}

mcu_mixers *mcu_mixers_new(mcu_engine *e, const ort_conf *conf)
{
	static const struct mixer_process_ops ops = { on_up, on_down, on_notify };
	const struct mixer_process_conf pc = {
		.program = ort_conf_str(conf, "mixer.program"), .elements = ort_conf_str(conf, "mixer.elements"),
		.log = ort_conf_str(conf, "log.level"), .restart_ms = ort_conf_int(conf, "mixer.restart"),
		.watchdog_ms = ort_conf_int(conf, "mixer.watchdog"), .memory = ort_conf_int(conf, "mixer.memory"),
		.sandbox = ort_conf_bool(conf, "mixer.sandbox"),
	};
	mcu_mixers *m = g_new0(mcu_mixers, 1);
	m->e = e;
	m->mixes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, mix_free);
	m->voice = mcu_voice_new(e->context, ort_conf_str(conf, "mixer.voice"));
	m->n_processes = (unsigned)ort_conf_int(conf, "mixer.count");
	m->processes = g_new0(mixer_process *, m->n_processes);
	for (unsigned i = 0; i < m->n_processes; i++) {
		m->processes[i] = mixer_process_new(e->context, &pc, &ops, m);
	}
	return m;
}

void mcu_mixers_free(mcu_mixers *m)
{
	if (!m) {
		return;
	}
	mcu_voice_free(m->voice);	/* who waits for words asks the workers for a tone */
	for (unsigned i = 0; i < m->n_processes; i++) {
		mixer_process_free(m->processes[i]);
	}
	g_hash_table_unref(m->mixes);
	g_free(m->processes);
	g_free(m);
}
