/* Legs for tests and benches of mixed pictures: clips coded once by GStreamer's own encoder and payloader, sent again and
 * again as live RTP; and a viewer that decodes what comes out with GStreamer's own depayloader. One thread. */
#pragma once
#include <glib.h>
#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/loop.h"
#include "mcu/mix/mix.h"

struct rig_yuv { uint8_t y, u, v; };
extern const struct rig_yuv rig_red, rig_green, rig_blue, rig_white;

/* Fills an I420 picture (strides as GstVideoInfo has them) */
typedef void (*rig_fill_fn)(uint8_t *const plane[3], const int stride[3], int w, int h, unsigned frame, const void *ud);
void rig_fill_plain(uint8_t *const plane[3], const int stride[3], int w, int h, unsigned frame, const void *yuv);
void rig_fill_moving(uint8_t *const plane[3], const int stride[3], int w, int h, unsigned frame, const void *seed);

struct rig_clip { GPtrArray *packets; unsigned frames; };	/* GBytes: RTP, marker at each frame's end */
/* coder: "openh264enc gop-size=10 ! rtph264pay mtu=1200 pt=102", or NULL for a row of mcu_codecs: */
struct rig_clip *rig_clip_new(const char *coder, int w, int h, unsigned frames, rig_fill_fn fill, const void *ud);
const char *rig_coder(enum mcu_codec_id codec);
void rig_clip_free(struct rig_clip *clip);

struct rig_leg { const struct rig_clip *clip; uint32_t ssrc, ts; uint16_t seq; guint at; unsigned sent; };
void rig_leg_send_frame(struct rig_leg *leg, mcu_mix *mix, int64_t now_us);	/* one frame; begins anew at the clip's end */
void rig_leg_rewind(struct rig_leg *leg);	/* next is a key frame */

/* What was sent to one SSRC, decoded */
struct rig_viewer {
	uint32_t ssrc;
	GstElement *pipeline, *in, *out;
	unsigned packets, frames, keyframes, sr, gaps;
	uint16_t last_seq;
	size_t bytes;
	bool refuse_fragments;	/* FU-A is an error */
	uint32_t key_ts;
	int w, h;
	GstSample *last;	/* newest picture */
};
void rig_viewer_init(struct rig_viewer *v, uint32_t ssrc, enum mcu_codec_id codec);
void rig_viewer_clear(struct rig_viewer *v);
void rig_viewer_packet(struct rig_viewer *v, const uint8_t *packet, size_t len);	/* of any SSRC; any one thread at a time */
bool rig_viewer_pull(struct rig_viewer *v);	/* takes pictures that are ready; true = a new one */
bool rig_viewer_is(struct rig_viewer *v, double x, double y, struct rig_yuv want);	/* colour at a place (0..1) of the picture */

/* A mixer with one mix "m" whose packets are kept for the test's thread */
struct rig {
	mcu_mixer *mixer;
	mcu_mix *mix;
	ort_mailbox *box;	/* what it sent */
	GPtrArray *legs, *viewers;	/* borrowed */
	GPtrArray *events;	/* "mix.view_shown v 5+1", "mix.input_state i shown", "want i 640x360" */
	unsigned plis;
	int64_t next_us;
	void (*tap)(const uint8_t *packet, size_t len, void *user_data);	/* may be NULL: sees all that comes out */
	void *tap_data;
};
void rig_init(struct rig *r, const char *elements, int fps);
void rig_clear(struct rig *r);
void rig_input(struct rig *r, const char *id, const char *member, uint32_t ssrc, int content);
void rig_view(struct rig *r, const char *id, const char *layout, const char *cells);	/* cells: "a b voice content poll:a,b -" */
void rig_output(struct rig *r, const char *id, const char *view, const char *member, enum mcu_codec_id codec, int w, int h,
		uint32_t ssrc, const char *fmtp);
/* Lives for `frames` of 1/30 s in real time: legs send, what comes is decoded. Ends early when `until` is true. */
bool rig_run(struct rig *r, unsigned frames, bool (*until)(struct rig *r, void *ud), void *ud);
bool rig_saw(const struct rig *r, const char *event);

/* A room of three coloured legs and one viewer */
enum { PATIENCE = 450 };	/* frames of waiting for a condition */
struct room {
	struct rig rig;
	struct rig_viewer viewer;
	struct rig_clip *clip[3];
	struct rig_leg leg[3];
	double x, y;
	struct rig_yuv want;
};
void room_init(struct room *m, const char *elements, unsigned n);	/* a = red, b = green, c = blue; the first n of them send */
void room_clear(struct room *m);
void expect(struct room *m, double x, double y, struct rig_yuv want);
void expect_event(struct room *m, const char *event);
