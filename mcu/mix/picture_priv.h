/* Pictures: decoded ones (counted, read-only, any thread) and canvases (home thread of their mix). I420 everywhere. */
#pragma once
#include <gst/video/video.h>
#include <stdbool.h>
#include <stdint.h>

#include "mcu/mix/geometry_priv.h"

struct mix_picture {
	int w, h;
	const uint8_t *plane[3];
	int stride[3];
	int64_t at_us;			/* when it was decoded */
	GstVideoFrame frame;
};
/* NULL: not I420, or memory that cannot be read. Takes nothing over. */
struct mix_picture *mix_picture_new(GstBuffer *buffer, GstCaps *caps, int64_t at_us);
struct mix_picture *mix_picture_ref(struct mix_picture *p);
void mix_picture_unref(struct mix_picture *p);	/* NULL allowed */
bool mix_picture_is_black(const struct mix_picture *p);	/* dark and the same everywhere; a night scene is not */

struct mix_canvas {
	int w, h;
	uint8_t *plane[3];
	int stride[3];
	uint8_t *data;
	size_t size;
	uint8_t *scratch;		/* the painter's */
	size_t scratch_size;
};
void mix_canvas_init(struct mix_canvas *c, int w, int h);	/* even sizes */
void mix_canvas_finish(struct mix_canvas *c);
void mix_canvas_leave(struct mix_canvas *c);	/* goes on elsewhere: somebody who hangs has its memory, for ever */
/* Buffer over the canvas' memory, valid until the canvas is painted again: for an encoder that is done when push returns. */
GstBuffer *mix_canvas_buffer(struct mix_canvas *c);

struct mix_colour { uint8_t y, u, v; };
void mix_paint_fill(struct mix_canvas *c, struct mix_rect r, struct mix_colour colour);
void mix_paint_frame(struct mix_canvas *c, struct mix_rect r, int thick, struct mix_colour colour);	/* its four edges */
void mix_paint_picture(struct mix_canvas *c, struct mix_rect cell, const struct mix_picture *p);	/* with bars */

/* A text or mark drawn once: I420 and how much of it is seen. */
struct mix_label { int w, h; uint8_t *y, *u, *v, *alpha; };	/* strides w and w/2; one block at y */
void mix_paint_part(struct mix_canvas *c, int x, int y, const struct mix_label *label, int from);	/* without its first columns; even */
void mix_paint_label(struct mix_canvas *c, int x, int y, const struct mix_label *label);	/* cut at the canvas' edges */
