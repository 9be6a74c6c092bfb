/* mcu/mix/mix.h without codecs: what comes in for the first input of a kind goes out on every output of that kind, with the
 * output's SSRC; PLI for an output becomes PLI for that input. Views are known by name. Link it with mcu/mixer instead of
 * mcu/mix. The layout "crash" ends the process, "hang" stops its control thread, "flood" talks too
 * much, "leave" hangs up on the engine's media threads and stays. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/mixer/mixer_priv.h"
#include "mcu/rtp/rtp.h"

struct mcu_mixer { struct mcu_mix_ops ops; GHashTable *mixes; };
struct feed { char *id; int kind; uint32_t ssrc; };
struct mcu_mix {
	mcu_mixer *mixer;
	void *data;
	GMutex lock;	/* control and bridge thread */
	GPtrArray *inputs, *outputs;	/* struct feed */
	GHashTable *views;
	uint64_t packets;
};

bool mixer_preload(GError **err)
{
	return true;
}

mcu_mixer *mcu_mixer_new(const struct mcu_mixer_conf *conf, const struct mcu_mix_ops *ops, GError **err)
{
	mcu_mixer *mixer = g_new0(mcu_mixer, 1);
	mixer->ops = *ops;
	mixer->mixes = g_hash_table_new(NULL, NULL);
	return mixer;
}

void mcu_mixer_free(mcu_mixer *mixer)
{
	g_hash_table_unref(mixer->mixes);
	g_free(mixer);
}

bool mcu_mixer_left_threads(const mcu_mixer *mixer)
{
	return false;
}

static void feed_free(void *data)
{
	g_free(((struct feed *)data)->id);
	g_free(data);
}

mcu_mix *mcu_mix_open(mcu_mixer *mixer, const struct mcu_mix_open *request, void *mix_data, GError **err)
{
	mcu_mix *mix = g_new0(mcu_mix, 1);
	mix->mixer = mixer;
	mix->data = mix_data;
	g_mutex_init(&mix->lock);
	mix->inputs = g_ptr_array_new_with_free_func(feed_free);
	mix->outputs = g_ptr_array_new_with_free_func(feed_free);
	mix->views = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_hash_table_add(mixer->mixes, mix);
	return mix;
}

void mcu_mix_close(mcu_mix *mix)
{
	g_hash_table_remove(mix->mixer->mixes, mix);
	g_ptr_array_unref(mix->inputs);
	g_ptr_array_unref(mix->outputs);
	g_hash_table_unref(mix->views);
	g_mutex_clear(&mix->lock);
	g_free(mix);
}

static struct feed *find(GPtrArray *list, const char *id, int kind, uint32_t ssrc)
{
	for (guint i = 0; i < list->len; i++) {
		struct feed *f = list->pdata[i];
		if (id ? strcmp(f->id, id) == 0 : ssrc ? f->ssrc == ssrc : f->kind == kind) {
			return f;
		}
	}
	return NULL;
}

static void put(GPtrArray *list, const char *id, int kind, const struct mcu_mix_feed *feed)
{
	struct feed *f = find(list, id, 0, 0);
	if (!f) {
		f = g_new0(struct feed, 1);
		f->id = g_strdup(id);
		g_ptr_array_add(list, f);
	}
	f->kind = kind;
	f->ssrc = feed->ssrc;
}

static void flood(const mcu_mix *mix)
{
	const struct mcu_level_event ev = { .id = (char *)"m", .at_ms = 1, .at_us = 1 };
	for (unsigned i = 0; i < 20000; i++) {
		mix->mixer->ops.event(MCU_EVENT_MIX_LEVEL, &ev, mix->data);
	}
}

static void leave(void)
{
	for (int fd = 5; fd < 256; fd++) {	/* behind the engine's two sockets: the bells of the channels */
		(void)shutdown(fd, SHUT_RDWR);
	}
}

static bool put_view(mcu_mix *mix, const struct mcu_mix_view *q, GError **err)
{
	static const char *const layouts[] = { "1", "2", "4", "9", "flood", "leave", NULL };
	const struct mcu_mix_view_event ev = { .id = q->id, .layout = q->layout, .at_ms = 1, .at_us = 1 };
	if (strcmp(q->layout, "crash") == 0) {
		abort();
	}
	while (strcmp(q->layout, "hang") == 0) {
		pause();
	}
	if (!g_strv_contains(layouts, q->layout)) {
		g_set_error(err, MCU_ERROR, MCU_ERROR_INVALID, "layout %s", q->layout);
		return false;
	}
	if (!q->test) {
		g_hash_table_add(mix->views, g_strdup(q->id));
		mix->mixer->ops.event(MCU_EVENT_MIX_VIEW_SHOWN, &ev, mix->data);
	}
	if (strcmp(q->layout, "flood") == 0) {
		flood(mix);
	} else if (strcmp(q->layout, "leave") == 0) {
		leave();
	}
	return true;
}

static bool drop(GPtrArray *list, const char *id)
{
	struct feed *f = find(list, id, 0, 0);
	return f && g_ptr_array_remove(list, f);
}

static bool perform(mcu_mix *mix, enum mcu_method method, const void *request, const struct mcu_mix_feed *feed, GError **err)
{
	const struct mcu_mix_ref *ref = request;
	const struct mcu_mix_input *in = request;
	const struct mcu_mix_output *out = request;
	switch (method) {
	case MCU_METHOD_MIX_INPUT:
		put(mix->inputs, in->id, in->kind, feed);
		break;
	case MCU_METHOD_MIX_OUTPUT:
		put(mix->outputs, out->id, out->kind, feed);
		break;
	case MCU_METHOD_MIX_VIEW:
		return put_view(mix, request, err);
	case MCU_METHOD_MIX_INPUT_REMOVE:
		return drop(mix->inputs, ref->id);
	case MCU_METHOD_MIX_OUTPUT_REMOVE:
		return drop(mix->outputs, ref->id);
	case MCU_METHOD_MIX_VIEW_REMOVE:
		return g_hash_table_remove(mix->views, ref->id);
	default:
		break;
	}
	return true;
}

bool mcu_mix_call(mcu_mix *mix, enum mcu_method method, const void *request, const struct mcu_mix_feed *feed, GError **err)
{
	const struct mcu_mix_input *in = request;
	g_mutex_lock(&mix->lock);
	bool ok = perform(mix, method, request, feed, err);
	g_mutex_unlock(&mix->lock);
	if (method == MCU_METHOD_MIX_INPUT && in->kind == MCU_VIDEO) {	/* "paused" by its name: nobody looks */
		mix->mixer->ops.want(in->id, 640, 360, g_strcmp0(in->name, "paused") == 0, mix->data);
	}
	return ok;
}

/* Of an input that is there: three bytes. */
void mcu_mix_ask(mcu_mix *mix, enum mcu_method method, const void *request, mcu_mix_reply_fn fn, void *user_data)
{
	char *id = ((const struct mcu_mix_ref *)request)->id;
	const struct mcu_mix_still_reply still = { .id = id, .state = (char *)"shown", .jpeg = (char *)"/9j/", .width = 640, .height = 360 };
	const struct mcu_mix_clip_reply clip = { .id = id, .wav = (char *)"UklG", .ms = 5000 };
	g_autoptr(GError) err = g_error_new_literal(MCU_ERROR, MCU_ERROR_UNKNOWN_ID, "no such input");
	bool there = find(mix->inputs, id, 0, 0) != NULL;
	const void *reply = method == MCU_METHOD_MIX_STILL ? (const void *)&still : (const void *)&clip;
	fn(there ? reply : NULL, there ? NULL : err, user_data);
}

static void pass_pli(mcu_mix *mix, const uint8_t *packet, size_t len)
{
	struct mcu_rtcp r;
	uint8_t out[64];
	size_t pos = 0, end = 0;
	while (mcu_rtcp_next(packet, len, &pos, &r) == 1) {
		const struct feed *to = r.kind == MCU_RTCP_PLI ? find(mix->outputs, NULL, 0, r.media) : NULL;
		const struct feed *from = to ? find(mix->inputs, NULL, to->kind, 0) : NULL;
		if (from && mcu_rtcp_write_pli(out, sizeof(out), &end, 1, from->ssrc) == 0) {
			mix->mixer->ops.send(mix, MCU_VIDEO, out, end, mix->data);
			mix->mixer->ops.flush(mix, MCU_VIDEO, mix->data);
		}
	}
}

static void pass_rtp(mcu_mix *mix, const uint8_t *packet, size_t len)
{
	struct mcu_rtp rtp;
	uint8_t out[MCU_LANE_PACKET];
	const struct feed *in = mcu_rtp_parse(packet, len, &rtp) == 0 ? find(mix->inputs, NULL, 0, rtp.ssrc) : NULL;
	for (guint i = 0; in && i < mix->outputs->len; i++) {
		const struct feed *f = mix->outputs->pdata[i];
		if (f->kind == in->kind && find(mix->inputs, NULL, f->kind, 0) == in) {
			memcpy(out, packet, len);
			for (unsigned k = 0; k < 4; k++) {
				out[8 + k] = (uint8_t)(f->ssrc >> (24 - 8 * k));
			}
			mix->mixer->ops.send(mix, (enum mcu_kind)f->kind, out, len, mix->data);
			mix->mixer->ops.flush(mix, (enum mcu_kind)f->kind, mix->data);
		}
	}
}

void mcu_mix_packet(mcu_mix *mix, const uint8_t *packet, size_t len, int64_t at_us)
{
	g_mutex_lock(&mix->lock);
	mix->packets++;
	if (mcu_rtp_is_rtcp(packet, len)) {
		pass_pli(mix, packet, len);
	} else {
		pass_rtp(mix, packet, len);
	}
	g_mutex_unlock(&mix->lock);
}

json_t *mcu_mixer_stats(mcu_mixer *mixer)
{
	return json_pack("{s:i}", "mixes", (int)g_hash_table_size(mixer->mixes));
}
