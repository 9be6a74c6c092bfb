/* mix.input, mix.view, mix.output and their removal: checked here, on the control thread, then told to the home thread
 * (pictures) or the sound thread. */
#include "mcu/mix/mix_priv.h"

#include <string.h>

static bool fail(GError **err, enum mcu_error_id code, const char *text)
{
	g_set_error_literal(err, MCU_ERROR, (int)code, text);
	return false;
}

/* Copy of a request by its table (transfer full) */
static void copy_request(const struct ort_json_table *table, const void *request, void *out)
{
	g_autoptr(json_t) json = ort_json_print(table, request);

	if (ort_json_read(table, json, out, NULL) < 0) {
		memset(out, 0, table->size);
	}
}

void mix_known_free(gpointer known)
{
	struct mix_known *k = known;

	if (k->decoder) {
		mix_decoder_stop(k->decoder);
		mix_decoder_unref(k->decoder);
	}
	g_free(k->layout);
	g_free(k);
}

static struct mix_known *known(GHashTable *table, const char *id, int kind, unsigned max, bool *ret_new, GError **err)
{
	struct mix_known *k = g_hash_table_lookup(table, id);

	*ret_new = !k;
	if (k && k->kind != kind) {
		(void)fail(err, MCU_ERROR_CONFLICT, "the id is of another kind");
		return NULL;
	}
	if (!k && g_hash_table_size(table) >= max) {
		(void)fail(err, MCU_ERROR_LIMIT, "too many in this mix");
		return NULL;
	}
	if (!k) {
		k = g_new0(struct mix_known, 1);
		k->kind = kind;
		g_hash_table_insert(table, g_strdup(id), k);
	}
	return k;
}

/* ---- inputs ---- */
static void input_cmd_free(gpointer data)
{
	struct mix_input_cmd *c = data;

	mix_decoder_unref(c->decoder);
	ort_json_clear(&mcu_table_mix_input, &c->req);
	g_free(c);
}

static bool picture_input(mcu_mix *mix, struct mix_known *k, const struct mcu_mix_input *req, uint32_t ssrc)
{
	struct mix_input_cmd *c = g_new0(struct mix_input_cmd, 1);

	if (!k->decoder || k->ssrc != ssrc || mix_decoder_lost(k->decoder)) {
		if (k->decoder) {
			mix_routes_set(mix->routes, k->ssrc, MIX_TO_NOBODY, NULL);
			mix_decoder_stop(k->decoder);
			mix_decoder_unref(k->decoder);
		}
		k->decoder = mix_decoder_new(mix->mixer->pool);
		c->decoder = mix_decoder_ref(k->decoder);
		mix_routes_set(mix->routes, ssrc, MIX_TO_PICTURE, k->decoder);
	}
	k->ssrc = c->ssrc = ssrc;
	copy_request(&mcu_table_mix_input, req, &c->req);
	mix_home_call(mix->home, mix_home_input, c, input_cmd_free);
	return true;
}

struct ear_arg { const void *request; uint32_t ssrc; };

static bool ear_input(struct mix_audio *a, void *arg, GError **err)
{
	const struct ear_arg *e = arg;

	return mix_audio_input(a, e->request, e->ssrc, err);
}

static bool sound_input(mcu_mix *mix, struct mix_known *k, const struct mcu_mix_input *req, uint32_t ssrc, GError **err)
{
	struct ear_arg arg = { req, ssrc };

	if (k->ssrc && k->ssrc != ssrc) {
		mix_routes_set(mix->routes, k->ssrc, MIX_TO_NOBODY, NULL);
	}
	k->ssrc = ssrc;
	if (!mix_ear_call(mix->ear, ear_input, &arg, err)) {
		return false;
	}
	mix_routes_set(mix->routes, ssrc, MIX_TO_SOUND, NULL);
	return true;
}

static bool input(mcu_mix *mix, const void *request, const struct mcu_mix_feed *feed, GError **err)
{
	const struct mcu_mix_input *req = request;
	bool is_new;

	if (!feed) {
		return fail(err, MCU_ERROR_INVALID, "an input needs its SSRC");
	}
	struct mix_known *k = known(mix->inputs, req->id, req->kind, MIX_MAX_INPUTS, &is_new, err);
	if (!k) {
		return false;
	}
	bool ok = req->kind == MCU_VIDEO ? picture_input(mix, k, req, feed->ssrc) : sound_input(mix, k, req, feed->ssrc, err);
	if (!ok && is_new) {
		g_hash_table_remove(mix->inputs, req->id);
	}
	return ok;
}

static bool ear_input_remove(struct mix_audio *a, void *arg, GError **err)
{
	mix_audio_input_remove(a, arg);
	return true;
}

static bool input_remove(mcu_mix *mix, const void *request, const struct mcu_mix_feed *feed, GError **err)
{
	const struct mcu_mix_ref *req = request;
	struct mix_known *k = req->id ? g_hash_table_lookup(mix->inputs, req->id) : NULL;

	if (!k) {
		return true;	/* repeated */
	}
	mix_routes_set(mix->routes, k->ssrc, MIX_TO_NOBODY, NULL);
	if (k->kind == MCU_VIDEO) {
		mix_home_call(mix->home, mix_home_input_remove, g_strdup(req->id), g_free);
	} else {
		(void)mix_ear_call(mix->ear, ear_input_remove, req->id, NULL);
	}
	g_hash_table_remove(mix->inputs, req->id);
	return true;
}

void mix_redo_lost(mcu_mix *mix)
{
	GHashTableIter iter;
	gpointer id, value;

	g_hash_table_iter_init(&iter, mix->inputs);
	while (g_hash_table_iter_next(&iter, &id, &value)) {
		struct mix_known *k = value;
		if (k->decoder && mix_decoder_lost(k->decoder)) {
			struct mix_decoder *fresh = mix_decoder_new(mix->mixer->pool);
			mix_decoder_unref(k->decoder);
			k->decoder = fresh;
			mix_routes_set(mix->routes, k->ssrc, MIX_TO_PICTURE, fresh);
			mix_home_swap(mix->home, id, fresh);
		}
	}
}

/* ---- views ---- */
static bool check_view(const struct mcu_mix_view *req, GError **err)
{
	const struct mix_layout *layout = mix_layout_by_name(req->layout);
	const struct mcu_mix_cell *cells = req->cells.items;

	if (!layout) {
		return fail(err, MCU_ERROR_INVALID, "no such layout");
	}
	for (size_t i = 0; i < req->cells.n; i++) {
		if (cells[i].cell < 0 || cells[i].cell >= layout->n_cells) {
			return fail(err, MCU_ERROR_INVALID, "the layout has no such cell");
		}
		if (cells[i].mode == MCU_CELL_FIXED && !cells[i].member) {
			return fail(err, MCU_ERROR_INVALID, "a fixed cell needs a member");
		}
		if (cells[i].mode == MCU_CELL_POLL && !cells[i].members.n) {
			return fail(err, MCU_ERROR_INVALID, "a polled cell needs members");
		}
	}
	return true;
}

static void view_free(gpointer data)
{
	ort_json_clear(&mcu_table_mix_view, data);
	g_free(data);
}

static bool view(mcu_mix *mix, const void *request, const struct mcu_mix_feed *feed, GError **err)
{
	const struct mcu_mix_view *req = request;
	bool is_new;

	if (!check_view(req, err) || req->test) {
		return !*err;
	}
	if (!known(mix->views, req->id, 0, MIX_MAX_VIEWS, &is_new, err)) {
		return false;
	}
	struct mcu_mix_view *copy = g_new0(struct mcu_mix_view, 1);
	copy_request(&mcu_table_mix_view, req, copy);
	mix_home_call(mix->home, mix_home_view, copy, view_free);
	return true;
}

static bool view_remove(mcu_mix *mix, const void *request, const struct mcu_mix_feed *feed, GError **err)
{
	const struct mcu_mix_ref *req = request;

	if (req->id && g_hash_table_remove(mix->views, req->id)) {
		mix_home_call(mix->home, mix_home_view_remove, g_strdup(req->id), g_free);
	}
	return true;
}

/* ---- outputs ---- */
static bool check_picture_output(mcu_mix *mix, const struct mcu_mix_output *req, GError **err)
{
	struct mix_element_row rows[MIX_MAX_RANKS];
	int codec = mcu_codec_by_name(req->codec);

	if (codec < 0 || !mix_element_ranks(mix->mixer->ranks, (enum mcu_codec_id)codec, MIX_ENCODE, rows)) {
		return fail(err, MCU_ERROR_NO_CODEC, "no encoder for this codec");
	}
	if (!req->view || !g_hash_table_contains(mix->views, req->view)) {
		return fail(err, MCU_ERROR_UNKNOWN_ID, "no such view");
	}
	if ((req->width && req->width < 64) || (req->height && req->height < 64)) {
		return fail(err, MCU_ERROR_INVALID, "the picture is too small");
	}
	return true;
}

static void output_cmd_free(gpointer data)
{
	struct mix_output_cmd *c = data;

	ort_json_clear(&mcu_table_mix_output, &c->req);
	g_free(c);
}

static bool ear_output(struct mix_audio *a, void *arg, GError **err)
{
	const struct ear_arg *e = arg;

	return mix_audio_output(a, e->request, e->ssrc, err);
}

static bool output(mcu_mix *mix, const void *request, const struct mcu_mix_feed *feed, GError **err)
{
	const struct mcu_mix_output *req = request;
	bool is_new;

	if (!feed) {
		return fail(err, MCU_ERROR_INVALID, "an output needs its SSRC");
	}
	if (req->kind == MCU_VIDEO && !check_picture_output(mix, req, err)) {
		return false;
	}
	struct mix_known *k = known(mix->outputs, req->id, req->kind, MIX_MAX_OUTPUTS, &is_new, err);
	if (!k) {
		return false;
	}
	if (req->kind == MCU_VIDEO) {
		struct mix_output_cmd *c = g_new0(struct mix_output_cmd, 1);
		c->ssrc = feed->ssrc;
		copy_request(&mcu_table_mix_output, req, &c->req);
		mix_home_call(mix->home, mix_home_output, c, output_cmd_free);
	} else {
		struct ear_arg arg = { req, feed->ssrc };
		if (!mix_ear_call(mix->ear, ear_output, &arg, err)) {
			if (is_new) {
				g_hash_table_remove(mix->outputs, req->id);
			}
			return false;
		}
	}
	if (k->ssrc && k->ssrc != feed->ssrc) {
		mix_routes_set(mix->routes, k->ssrc, MIX_TO_NOBODY, NULL);
	}
	k->ssrc = feed->ssrc;
	mix_routes_set(mix->routes, k->ssrc, req->kind == MCU_VIDEO ? MIX_TO_PICTURE : MIX_TO_SOUND, NULL);
	return true;
}

static bool ear_output_remove(struct mix_audio *a, void *arg, GError **err)
{
	mix_audio_output_remove(a, arg);
	return true;
}

static bool output_remove(mcu_mix *mix, const void *request, const struct mcu_mix_feed *feed, GError **err)
{
	const struct mcu_mix_ref *req = request;
	struct mix_known *k = req->id ? g_hash_table_lookup(mix->outputs, req->id) : NULL;

	if (!k) {
		return true;
	}
	mix_routes_set(mix->routes, k->ssrc, MIX_TO_NOBODY, NULL);
	if (k->kind == MCU_VIDEO) {
		mix_home_call(mix->home, mix_home_output_remove, g_strdup(req->id), g_free);
	} else {
		(void)mix_ear_call(mix->ear, ear_output_remove, req->id, NULL);
	}
	g_hash_table_remove(mix->outputs, req->id);
	return true;
}

static bool ear_play(struct mix_audio *a, void *arg, GError **err)
{
	return mix_audio_play(a, arg, err);
}

static bool play(mcu_mix *mix, const void *request, const struct mcu_mix_feed *feed, GError **err)
{
	return mix_ear_call(mix->ear, ear_play, (void *)request, err);
}

typedef bool (*command_fn)(mcu_mix *mix, const void *request, const struct mcu_mix_feed *feed, GError **err);
static const command_fn commands[MCU_METHOD_N] = {
	[MCU_METHOD_MIX_INPUT] = input, [MCU_METHOD_MIX_INPUT_REMOVE] = input_remove,
	[MCU_METHOD_MIX_VIEW] = view, [MCU_METHOD_MIX_VIEW_REMOVE] = view_remove,
	[MCU_METHOD_MIX_OUTPUT] = output, [MCU_METHOD_MIX_OUTPUT_REMOVE] = output_remove,
	[MCU_METHOD_MIX_PLAY] = play,
};

bool mix_command(mcu_mix *mix, enum mcu_method method, const void *request, const struct mcu_mix_feed *feed, GError **err)
{
	GError *own = NULL;	/* so that "was there an error" can be asked */

	if (method >= MCU_METHOD_N || !commands[method]) {
		return fail(err, MCU_ERROR_INVALID, "no method of a mix");
	}
	bool ok = commands[method](mix, request, feed, &own);
	if (own) {
		g_propagate_error(err, own);
	}
	return ok && !own;
}
