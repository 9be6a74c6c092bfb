/* Mixes: keeps the engine's mix of every open conference as mixes_plan.c says it should be. One command a change; all again
 * when the engine is another one. */
#include <string.h>

#include "gateway/app/calls_priv.h"
#include "gateway/app/mixes_priv.h"

#define RETRY_US (2 * ORT_US_PER_S)

enum sent { SENT, DONE, FAILED };
struct did { struct gw_mix_cmd *cmd; enum sent sent; };
struct mix { struct gw_mixes *all; char *id; GHashTable *did; /* key -> struct did, owned */ };
struct gw_mixes {
	gw_app *app;
	GHashTable *mixes;	/* conference -> struct mix, owned */
	GHashTable *dirty;	/* conference ids, owned */
	GSource *timer;
	unsigned generation;	/* of the engine: answers of an earlier one mean nothing */
};

static void did_free(gpointer p)
{
	struct did *d = p;
	gw_mix_cmd_free(d->cmd);
	g_free(d);
}

static void mix_free(gpointer p)
{
	struct mix *m = p;
	g_hash_table_unref(m->did);
	g_free(m->id);
	g_free(m);
}

static struct mix *obtain(struct gw_mixes *all, const char *id)
{
	struct mix *m = g_hash_table_lookup(all->mixes, id);
	if (m == NULL) {
		m = g_new0(struct mix, 1);
		*m = (struct mix){ all, g_strdup(id), g_hash_table_new_full(g_str_hash, g_str_equal, NULL, did_free) };
		g_hash_table_insert(all->mixes, m->id, m);
	}
	return m;
}

/* ---- legs ---- */
static bool leg_takes(const char *party, struct gw_mix_leg *ret, void *user_data)
{
	gw_app *app = user_data;
	gw_leg *sip = gw_app_party_leg(app, party);
	*ret = (struct gw_mix_leg){ .party = party };
	if (sip != NULL) {
		ret->has_audio = gw_leg_takes(sip, "audio", &ret->audio);
		ret->has_main = gw_leg_takes(sip, "main", &ret->main);
		ret->has_content = gw_leg_takes(sip, "content", &ret->content);
		return true;
	}
	if (!gw_app_is_seat(app, party)) {
		return false;
	}
	/* Browsers say nothing of what they take; all of ours take these. */
	ret->browser = ret->has_audio = ret->has_main = true;
	ret->audio.codec = MCU_CODEC_OPUS;
	ret->main = (struct gw_leg_takes){ .codec = MCU_CODEC_H264, .height = 720 };
	return true;
}

static void do_feed(gw_app *app, const json_t *request)
{
	const char *party = json_string_value(json_object_get(request, "party"));
	const char *slot = json_string_value(json_object_get(request, "slot"));
	const char *source = json_string_value(json_object_get(request, "source"));
	gw_leg *leg = gw_app_party_leg(app, party);
	if (leg != NULL) {
		(void)gw_leg_feed(leg, slot, source);
	} else {
		gw_app_feed_seat(app, party, strcmp(slot, "audio") == 0 ? MCU_AUDIO : MCU_VIDEO, source);
	}
}

/* ---- commands ---- */
struct sent_call { struct gw_mixes *all; char *mix, *key, *output; unsigned generation; };

static void sent_free(struct sent_call *s)
{
	g_free(s->mix);
	g_free(s->key);
	g_free(s->output);
	g_free(s);
}

static void on_done(const void *reply, const GError *err, void *user_data)
{
	struct sent_call *s = user_data;
	gw_app *app = s->all->app;
	struct mix *m = s->generation == s->all->generation ? g_hash_table_lookup(s->all->mixes, s->mix) : NULL;
	struct did *d = m != NULL ? g_hash_table_lookup(m->did, s->key) : NULL;
	if (err != NULL) {
		ort_log(ORT_LOG_WARNING, "app", "mix.refused", "the engine refused a command of a mix", ORT_S("mix", s->mix),
			ORT_S("what", s->key), ORT_S("why", err->message));
	}
	if (d != NULL && d->sent == SENT) {
		d->sent = err == NULL ? DONE : FAILED;
		if (d->sent == DONE && s->output != NULL) {
			gw_rtc_foreign(app->rtc, s->output, true);
		}
		gw_app_mix_soon(app, s->mix);
	}
	sent_free(s);
}

static void send_request(struct mix *m, enum mcu_method method, const json_t *request, const char *key)
{
	const struct ort_json_table *table = mcu_methods[method].request;
	g_autofree char *body = g_malloc0(table->size);
	g_autofree char *why = NULL;
	if (ort_json_read(table, request, body, &why) < 0) {
		ort_log(ORT_LOG_ERROR, "app", "mix.request", "a command of a mix does not read", ORT_S("what", key), ORT_S("why", why));
		return;
	}
	struct sent_call *s = g_new0(struct sent_call, 1);
	bool output = method == MCU_METHOD_MIX_OUTPUT;
	*s = (struct sent_call){ m->all, g_strdup(m->id), g_strdup(key), output ? g_strdup(((struct mcu_mix_output *)(void *)body)->id) : NULL,
				 m->all->generation };
	gw_media_call(m->all->app->media, method, body, on_done, s);
	ort_json_clear(table, body);
}

static void undo(struct mix *m, const struct gw_mix_cmd *cmd)
{
	enum mcu_method method = gw_mix_undo(cmd->method);
	const char *id = json_string_value(json_object_get(cmd->request, "id"));
	if (method == MCU_METHOD_N) {
		return;	/* the leg went, or is fed otherwise */
	}
	if (cmd->method == MCU_METHOD_MIX_OUTPUT) {
		gw_rtc_foreign(m->all->app->rtc, id, false);
	}
	const char *mix = json_string_value(json_object_get(cmd->request, "mix"));	/* or the lobby's */
	struct mcu_mix_ref ref = { (char *)(uintptr_t)GW_HALL, (char *)(uintptr_t)mix, (char *)(uintptr_t)id };
	gw_media_call(m->all->app->media, method, &ref, NULL, NULL);
}

/* A stream that a leg may be fed now: published by a party, or an output that the engine confirmed. */
static bool is_live(const struct mix *m, const char *source)
{
	if (source == NULL || !g_str_has_prefix(source, "mix.")) {
		return true;
	}
	g_autofree char *key = g_strconcat("3 out ", source, NULL);
	const struct did *d = g_hash_table_lookup(m->did, key);
	return d != NULL && d->sent == DONE;
}

static void apply_one(struct mix *m, struct gw_mix_cmd *cmd)
{
	struct did *d = g_hash_table_lookup(m->did, cmd->key);
	bool same = d != NULL && gw_mix_cmd_equal(d->cmd, cmd) && d->sent != FAILED;
	bool feed = cmd->method == MCU_METHOD_N;
	if (same || (feed && !is_live(m, json_string_value(json_object_get(cmd->request, "source"))))) {
		gw_mix_cmd_free(cmd);
		return;
	}
	d = g_new0(struct did, 1);
	*d = (struct did){ cmd, feed ? DONE : SENT };
	g_hash_table_replace(m->did, cmd->key, d);
	if (feed) {
		do_feed(m->all->app, cmd->request);
	} else {
		send_request(m, cmd->method, cmd->request, cmd->key);
	}
}

static int by_key(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *sorted(GHashTable *table)
{
	GPtrArray *keys = g_ptr_array_new();
	GHashTableIter it;
	gpointer key;
	g_hash_table_iter_init(&it, table);
	while (g_hash_table_iter_next(&it, &key, NULL)) {
		g_ptr_array_add(keys, key);
	}
	g_ptr_array_sort(keys, by_key);
	return keys;
}

static void apply(struct mix *m)
{
	g_autoptr(GHashTable) want = gw_mix_plan(m->all->app->domain, m->id, leg_takes, m->all->app->wanted, m->all->app);
	g_autoptr(GPtrArray) had = sorted(m->did);
	for (unsigned n = had->len; n > 0; n--) {	/* outputs before what they are made of */
		const struct did *d = g_hash_table_lookup(m->did, had->pdata[n - 1]);
		if (!g_hash_table_contains(want, had->pdata[n - 1])) {
			undo(m, d->cmd);
			g_hash_table_remove(m->did, had->pdata[n - 1]);
		}
	}
	g_autoptr(GPtrArray) keys = sorted(want);
	for (unsigned n = 0; n < keys->len; n++) {
		struct gw_mix_cmd *cmd = g_hash_table_lookup(want, keys->pdata[n]);
		g_hash_table_steal(want, keys->pdata[n]);
		apply_one(m, cmd);
	}
}

static bool has_failed(const struct mix *m)
{
	GHashTableIter it;
	struct did *d;
	g_hash_table_iter_init(&it, m->did);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&d)) {
		if (d->sent == FAILED) {
			return true;
		}
	}
	return false;
}

/* ---- when ---- */
static int64_t on_time(int64_t now_us, void *user_data)
{
	struct gw_mixes *all = user_data;
	gw_app *app = all->app;
	g_autoptr(GHashTable) dirty = g_steal_pointer(&all->dirty);
	GHashTableIter it;
	const char *id;
	all->dirty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_hash_table_iter_init(&it, dirty);
	while (app->hall && g_hash_table_iter_next(&it, (gpointer *)&id, NULL)) {
		apply(obtain(all, id));
		if (!gw_conference_is_open(app->domain, id)) {
			g_hash_table_remove(all->mixes, id);
		}
	}
	return ORT_NEVER;
}

void gw_app_mix_soon(gw_app *app, const char *conference)
{
	struct gw_mixes *all = app->mixes;
	if (all == NULL) {
		return;
	}
	struct mix *m = g_hash_table_lookup(all->mixes, conference);
	bool failed = m != NULL && has_failed(m);
	g_hash_table_add(all->dirty, g_strdup(conference));
	ort_timer_set(all->timer, ort_now_us() + (failed ? RETRY_US : 0));
}

/* A leg is another one, or takes something else: what it was fed means nothing now. */
void gw_app_mix_leg(gw_app *app, const char *party)
{
	const char *conference = gw_party_conference(app->domain, party);
	struct mix *m = app->mixes != NULL && conference != NULL ? g_hash_table_lookup(app->mixes->mixes, conference) : NULL;
	static const char *const slots[] = { "audio", "main", "content" };
	for (unsigned n = 0; m != NULL && n < G_N_ELEMENTS(slots); n++) {
		g_autofree char *key = g_strdup_printf("4 feed %s %s", party, slots[n]);
		g_hash_table_remove(m->did, key);
	}
	if (conference != NULL) {
		gw_app_mix_soon(app, conference);
	}
}

static void soon(const char *id, void *user_data)
{
	gw_app_mix_soon(user_data, id);
}

/* Another engine, or one that forgot: everything again. Equal commands are harmless where they were known. */
void gw_app_mix_again(gw_app *app)
{
	if (app->mixes != NULL) {
		app->mixes->generation++;
		g_hash_table_remove_all(app->mixes->mixes);
		gw_conference_foreach_open(app->domain, soon, app);
	}
}

/* ---- taking over ---- */
static void held(struct mix *m, const char *order, enum mcu_method method, const void *row, const char *id)
{
	struct gw_mix_cmd *cmd = g_new0(struct gw_mix_cmd, 1);
	struct did *d = g_new0(struct did, 1);
	*cmd = (struct gw_mix_cmd){ g_strconcat(order, id, NULL), method, ort_json_print(mcu_methods[method].request, row) };
	*d = (struct did){ cmd, DONE };
	g_hash_table_replace(m->did, cmd->key, d);
	if (method == MCU_METHOD_MIX_OUTPUT) {
		gw_rtc_foreign(m->all->app->rtc, id, true);
	}
}

static void adopt(struct mix *m, const struct mcu_dump_mix *row)
{
	const struct mcu_mix_input *in = row->inputs.items;
	const struct mcu_mix_view *view = row->views.items;
	const struct mcu_mix_output *out = row->outputs.items;
	for (size_t n = 0; n < row->inputs.n; n++) {
		held(m, "1 in ", MCU_METHOD_MIX_INPUT, &in[n], in[n].id);
	}
	for (size_t n = 0; n < row->views.n; n++) {
		held(m, "2 view ", MCU_METHOD_MIX_VIEW, &view[n], view[n].id);
	}
	for (size_t n = 0; n < row->outputs.n; n++) {
		held(m, "3 out ", MCU_METHOD_MIX_OUTPUT, &out[n], out[n].id);
	}
}

/* What an engine that we took over mixes for conferences of ours is corrected where it differs; the mixes of others end. */
void gw_app_mix_found(gw_app *app, const struct mcu_dump_room *room)
{
	const struct mcu_dump_mix *rows = room->mixes.items;
	for (size_t n = 0; n < room->mixes.n; n++) {
		if (gw_conference_is_open(app->domain, rows[n].mix)) {
			adopt(obtain(app->mixes, rows[n].mix), &rows[n]);
			gw_app_mix_soon(app, rows[n].mix);
		} else {
			struct mcu_mix_ref ref = { (char *)(uintptr_t)GW_HALL, rows[n].mix, NULL };
			gw_media_call(app->media, MCU_METHOD_MIX_CLOSE, &ref, NULL, NULL);
		}
	}
}

const char *gw_app_mix_fed(gw_app *app, const char *party, const char *slot)
{
	const char *conference = gw_party_conference(app->domain, party);
	struct mix *m = app->mixes != NULL && conference != NULL ? g_hash_table_lookup(app->mixes->mixes, conference) : NULL;
	g_autofree char *key = g_strdup_printf("4 feed %s %s", party, slot);
	const struct did *d = m != NULL ? g_hash_table_lookup(m->did, key) : NULL;
	return d != NULL ? json_string_value(json_object_get(d->cmd->request, "source")) : NULL;
}

void gw_app_mixes_start(gw_app *app)
{
	struct gw_mixes *all = g_new0(struct gw_mixes, 1);
	all->app = app;
	all->mixes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, mix_free);
	all->dirty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	all->timer = ort_timer_new(app->context, ORT_NEVER, on_time, all);
	app->mixes = all;
	app->wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void gw_app_mixes_stop(gw_app *app)
{
	struct gw_mixes *all = g_steal_pointer(&app->mixes);
	g_clear_pointer(&app->wanted, g_hash_table_unref);
	if (all != NULL) {
		g_source_destroy(all->timer);
		g_source_unref(all->timer);
		g_hash_table_unref(all->dirty);
		g_hash_table_unref(all->mixes);
		g_free(all);
	}
}
