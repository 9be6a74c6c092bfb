/* Inside of softclient/desktop/media: the connection and its sources. Needs GStreamer; main thread but where said. */
#pragma once
#include <gst/gst.h>

#include "softclient/desktop/media/media.h"

enum { PEER_PT_AUDIO = 111, PEER_PT_VIDEO = 102, PEER_PT_RTX = 103, PEER_MTU = 1200 };

/* What is pushed into the pipeline, and the clocks that push it; rests until feed_start(). */
struct feed {
	GstElement *video, *audio;	/* appsrc, owned */
	sc_picture *picture;
	struct sc_speech speech;
	GstClockTime sound_base;	/* running time of the first sample */
	uint64_t sound_from;		/* samples of connections before */
	int64_t epoch_us;
	unsigned fps, picture_timer, sound_timer;
	uint64_t frames;
	bool muted;
};
void feed_start(struct feed *f);
void feed_clear(struct feed *f);

struct sc_peer {
	struct sc_peer_listener listener;
	void *user_data;
	GstElement *pipeline, *rtc;
	struct feed feed;
	char *answer;			/* the far description: its fingerprint is the one that counts */
	int verified;			/* atomic: the far certificate is the signalled one */
	unsigned bus_watch, stats_timer;
	struct sc_peer_stats stats;
};

/* The pipeline for this configuration. NULL and *ret_why (transfer full). */
GstElement *pipeline_new(const struct sc_peer_conf *conf, char **ret_why);
GstElement *pipeline_ear(void);		/* decodes and measures received sound; any thread; (transfer floating) */
