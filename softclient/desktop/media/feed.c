/* Frames and samples pushed by timers of the main thread, so that "no media before the certificate is checked" needs no
 * valve: what was not made cannot leak. */
#include <gst/app/app.h>

#include "mcu/base/clock.h"
#include "softclient/desktop/media/peer_priv.h"

enum { SOUND_MS = 20, CHUNK = SC_SOUND_HZ * SOUND_MS / 1000, LATE_CHUNKS = 10 };

static void push(GstElement *src, GstBuffer *buffer, GstClockTime pts, GstClockTime duration)
{
	GST_BUFFER_PTS(buffer) = pts;
	GST_BUFFER_DURATION(buffer) = duration;
	(void)gst_app_src_push_buffer(GST_APP_SRC(src), buffer);
}

static void draw(struct feed *f, uint32_t frame)
{
	GstBuffer *buffer = gst_buffer_new_allocate(NULL, sc_picture_size(f->picture), NULL);
	GstMapInfo map;
	if (buffer != NULL && gst_buffer_map(buffer, &map, GST_MAP_WRITE)) {
		sc_picture_draw(f->picture, frame, ort_wall_ms(), map.data);
		gst_buffer_unmap(buffer, &map);
		push(f->video, buffer, gst_element_get_current_running_time(f->video), GST_SECOND / f->fps);
		f->frames++;
	}
}

/* Armed anew for the beginning of the next frame's time, so that no number comes twice. */
static gboolean on_picture(gpointer user_data)
{
	struct feed *f = user_data;
	int64_t since_us = ort_now_us() - f->epoch_us, frame = since_us * f->fps / ORT_US_PER_S;
	int64_t next_us = ((frame + 1) * ORT_US_PER_S + f->fps - 1) / f->fps;
	draw(f, (uint32_t)frame);
	f->picture_timer = g_timeout_add((guint)((next_us - since_us + ORT_US_PER_MS - 1) / ORT_US_PER_MS), on_picture, f);
	return G_SOURCE_REMOVE;
}

static void push_chunk(struct feed *f)
{
	GstBuffer *buffer = gst_buffer_new_allocate(NULL, CHUNK * sizeof(int16_t), NULL);
	GstClockTime pts = f->sound_base + gst_util_uint64_scale(f->speech.at - f->sound_from, GST_SECOND, SC_SOUND_HZ);
	GstMapInfo map;
	if (buffer != NULL && gst_buffer_map(buffer, &map, GST_MAP_WRITE)) {
		sc_speech_fill(&f->speech, (int16_t *)(void *)map.data, CHUNK);
		gst_buffer_unmap(buffer, &map);
		if (f->muted) {
			gst_buffer_memset(buffer, 0, 0, CHUNK * sizeof(int16_t));
		}
		push(f->audio, buffer, pts, SOUND_MS * GST_MSECOND);
	}
}

/* Catches up with the clock; after a long stop (a laptop's lid) the sound goes on from now. */
static gboolean on_sound(gpointer user_data)
{
	struct feed *f = user_data;
	GstClockTime now = gst_element_get_current_running_time(f->audio);
	uint64_t due = now > f->sound_base ? gst_util_uint64_scale(now - f->sound_base, SC_SOUND_HZ, GST_SECOND) : 0;
	if (due > f->speech.at - f->sound_from + LATE_CHUNKS * CHUNK) {
		f->sound_base = now;
		f->sound_from = f->speech.at;
		due = CHUNK;
	}
	while (f->speech.at - f->sound_from + CHUNK <= due) {
		push_chunk(f);
	}
	return G_SOURCE_CONTINUE;
}

void feed_start(struct feed *f)
{
	f->sound_base = gst_element_get_current_running_time(f->audio);
	f->sound_from = f->speech.at;
	f->sound_timer = g_timeout_add(SOUND_MS, on_sound, f);
	(void)on_picture(f);
}

void feed_clear(struct feed *f)
{
	g_clear_handle_id(&f->picture_timer, g_source_remove);
	g_clear_handle_id(&f->sound_timer, g_source_remove);
	gst_clear_object(&f->video);
	gst_clear_object(&f->audio);
	g_clear_pointer(&f->picture, sc_picture_free);
}
