/* Who sees whom: which source feeds a sink, from which moment on. What a sink waits for stands in `target`; the first
 * packet that can begin (any of sound, a key frame of pictures) makes it `current` in forward.c. */
#include <string.h>

#include "mcu/room/room_priv.h"

/* Payload type of the sink for a codec of the source: equal codec; H.264 of equal profile, else of a constrained
 * baseline source at any H.264 sink, since every decoder reads that. */
static int match_codec(const struct codec_slot *from, const struct sink *sink)
{
	int second = -1;

	for (unsigned i = 0; i < sink->n_codecs; i++) {
		const struct codec_slot *to = &sink->codecs[i];
		if (to->id != from->id || to->clock_hz != from->clock_hz) {
			continue;
		}
		if (from->id != MCU_CODEC_H264) {
			return (int)i;
		}
		if (mcu_h264_packetization_mode(from->fmtp) > mcu_h264_packetization_mode(to->fmtp)) {
			continue;
		}
		if (mcu_h264_same_profile(from->fmtp, to->fmtp)) {
			return (int)i;
		}
		if (second < 0 && mcu_h264_same_profile(from->fmtp, "profile-level-id=42e01f")) {
			second = (int)i;
		}
	}
	return second;
}

static bool map_codecs(struct sink *sink, const struct source *source)
{
	uint8_t pts[MAX_CODECS], rtx[MAX_CODECS];
	bool any = false;

	memset(pts, 0xff, sizeof(pts));
	memset(rtx, 0xff, sizeof(rtx));
	for (unsigned i = 0; i < source->n_codecs; i++) {
		int k = match_codec(&source->codecs[i], sink);
		if (k < 0 || source->codecs[i].id == MCU_CODEC_TELEPHONE_EVENT) {	/* digits are for us */
			continue;
		}
		any = true;
		pts[i] = sink->codecs[k].pt;
		rtx[i] = sink->codecs[k].rtx_pt && sink->rtx_ssrc ? sink->codecs[k].rtx_pt : 0xff;
	}
	if (any) {
		memcpy(sink->pt_map, pts, sizeof(pts));
		memcpy(sink->rtx_map, rtx, sizeof(rtx));
	}
	return any;
}

static void forget_segments(struct sink *sink)
{
	/* payload type maps are the source's: a late NACK over a change of source is not answered */
	for (unsigned i = 0; i < MAX_SEGMENTS; i++) {
		sink->seg[i].stream = NULL;
	}
}

struct stream *route_stream(const struct sink *sink)
{
	return sink->current ? sink->current : sink->target;
}

/* The layer to begin with: the lowest that is alive, the choice by size and estimate follows at once. */
static struct stream *first_stream(const struct source *source)
{
	for (unsigned i = 0; i < source->n_streams; i++) {
		if (source->streams[i]->up) {
			return source->streams[i];
		}
	}
	return source->streams[0];
}

void route_aim(struct sink *sink, struct stream *stream, int64_t now_us)
{
	if (sink->paused || stream == sink->target || (stream == sink->current && !sink->target)) {
		return;
	}
	if (stream == sink->current) {
		sink->target = NULL;	/* the old layer after all */
		return;
	}
	sink->target = stream;
	if (sink->kind == MCU_VIDEO && sink->peer->up) {
		forward_cached(sink, stream, now_us);
		if (sink->target) {
			keyframe_want(stream, now_us);
		}
	}
}

void route_restart(struct sink *sink, int64_t now_us)
{
	struct stream *stream = route_stream(sink);

	sink->current = sink->target = NULL;
	if (sink->source && !sink->paused) {
		route_aim(sink, stream ? stream : first_stream(sink->source), now_us);
		layer_soon(sink->source, now_us);
	}
}

bool route_set(struct sink *sink, struct source *source, int64_t now_us, GError **err)
{
	if (source == sink->source) {
		return true;
	}
	if (source && source->kind != sink->kind) {
		return room_fail(err, MCU_ERROR_INVALID, "source %s and sink %s are not of one kind", source->id, sink->id);
	}
	if (source && !map_codecs(sink, source)) {
		return room_fail(err, MCU_ERROR_NO_CODEC, "source %s and sink %s have no codec in common", source->id, sink->id);
	}
	if (sink->source) {
		g_ptr_array_remove_fast(sink->source->sinks, sink);
	}
	sink->source = source;
	sink->current = sink->target = NULL;
	sink->key_told = sink->peer->bridge;	/* nobody waits for its picture */
	forget_segments(sink);
	if (source) {
		g_ptr_array_add(source->sinks, sink);
		route_restart(sink, now_us);
	}
	return true;
}

void route_forget(mcu_room *room, const struct source *source)
{
	for (unsigned i = 0; i < source->sinks->len; i++) {
		struct sink *sink = g_ptr_array_index(source->sinks, i);
		sink->source = NULL;
		sink->current = sink->target = NULL;
		forget_segments(sink);
	}
	g_ptr_array_set_size(source->sinks, 0);
}
