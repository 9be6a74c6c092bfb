/* Pictures onto canvases by libyuv: scaling straight into the cell, nothing in between. */
#include "mcu/mix/picture_priv.h"

#include <libyuv.h>
#include <string.h>

struct mix_picture *mix_picture_new(GstBuffer *buffer, GstCaps *caps, int64_t at_us)
{
	GstVideoInfo info;
	GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta(buffer);
	int x = crop ? (int)crop->x & ~1 : 0, y = crop ? (int)crop->y & ~1 : 0;

	if (!caps || !gst_video_info_from_caps(&info, caps) || GST_VIDEO_INFO_FORMAT(&info) != GST_VIDEO_FORMAT_I420) {
		return NULL;
	}
	struct mix_picture *p = g_atomic_rc_box_new0(struct mix_picture);
	if (!gst_video_frame_map(&p->frame, &info, buffer, GST_MAP_READ)) {
		g_atomic_rc_box_release(p);
		return NULL;
	}
	p->w = crop ? (int)crop->width : GST_VIDEO_INFO_WIDTH(&info);
	p->h = crop ? (int)crop->height : GST_VIDEO_INFO_HEIGHT(&info);
	p->at_us = at_us;
	for (unsigned i = 0; i < 3; i++) {
		p->stride[i] = GST_VIDEO_FRAME_PLANE_STRIDE(&p->frame, i);
		p->plane[i] = (const uint8_t *)GST_VIDEO_FRAME_PLANE_DATA(&p->frame, i) +
			      (i ? y / 2 * p->stride[i] + x / 2 : y * p->stride[i] + x);
	}
	return p;
}

struct mix_picture *mix_picture_ref(struct mix_picture *p)
{
	return g_atomic_rc_box_acquire(p);
}

static void picture_clear(gpointer data)
{
	struct mix_picture *p = data;

	gst_video_frame_unmap(&p->frame);
}

void mix_picture_unref(struct mix_picture *p)
{
	if (p) {
		g_atomic_rc_box_release_full(p, picture_clear);
	}
}

bool mix_picture_is_black(const struct mix_picture *p)
{
	enum { COLUMNS = 32, ROWS = 18, DARK = 26 /* of 16..235 */, NOISE = 9 };
	int64_t sum = 0, squares = 0, n = COLUMNS * ROWS;

	for (int k = 0; k < n; k++) {
		int x = (2 * (k % COLUMNS) + 1) * p->w / (2 * COLUMNS), y = (2 * (k / COLUMNS) + 1) * p->h / (2 * ROWS);
		int v = p->plane[0][y * p->stride[0] + x];
		sum += v;
		squares += v * v;
	}
	return sum < DARK * n && squares * n - sum * sum < NOISE * n * n;
}

void mix_canvas_init(struct mix_canvas *c, int w, int h)
{
	GstVideoInfo info;

	gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, (guint)w, (guint)h);
	*c = (struct mix_canvas){ .w = w, .h = h, .size = GST_VIDEO_INFO_SIZE(&info) };
	c->data = g_malloc(c->size);
	for (unsigned i = 0; i < 3; i++) {
		c->plane[i] = c->data + GST_VIDEO_INFO_PLANE_OFFSET(&info, i);
		c->stride[i] = GST_VIDEO_INFO_PLANE_STRIDE(&info, i);
	}
	mix_paint_fill(c, (struct mix_rect){ 0, 0, w, h }, (struct mix_colour){ 16, 128, 128 });
}

void mix_canvas_finish(struct mix_canvas *c)
{
	g_clear_pointer(&c->data, g_free);
	g_clear_pointer(&c->scratch, g_free);
}

void mix_canvas_leave(struct mix_canvas *c)
{
	uint8_t *old = c->data;

	c->data = g_memdup2(old, c->size);
	for (unsigned i = 0; i < 3; i++) {
		c->plane[i] = c->data + (c->plane[i] - old);
	}
}

GstBuffer *mix_canvas_buffer(struct mix_canvas *c)
{
	return gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, c->data, c->size, 0, c->size, NULL, NULL);
}

void mix_paint_fill(struct mix_canvas *c, struct mix_rect r, struct mix_colour k)
{
	if (r.w > 0 && r.h > 0) {
		(void)I420Rect(c->plane[0], c->stride[0], c->plane[1], c->stride[1], c->plane[2], c->stride[2], r.x, r.y, r.w,
			       r.h, k.y, k.u, k.v);
	}
}

void mix_paint_frame(struct mix_canvas *c, struct mix_rect r, int thick, struct mix_colour k)
{
	mix_paint_fill(c, (struct mix_rect){ r.x, r.y, r.w, thick }, k);
	mix_paint_fill(c, (struct mix_rect){ r.x, r.y + r.h - thick, r.w, thick }, k);
	mix_paint_fill(c, (struct mix_rect){ r.x, r.y, thick, r.h }, k);
	mix_paint_fill(c, (struct mix_rect){ r.x + r.w - thick, r.y, thick, r.h }, k);
}

static void paint_bars(struct mix_canvas *c, struct mix_rect cell, struct mix_rect in)
{
	const struct mix_colour black = { 16, 128, 128 };

	mix_paint_fill(c, (struct mix_rect){ cell.x, cell.y, cell.w, in.y - cell.y }, black);
	mix_paint_fill(c, (struct mix_rect){ cell.x, in.y + in.h, cell.w, cell.y + cell.h - in.y - in.h }, black);
	mix_paint_fill(c, (struct mix_rect){ cell.x, in.y, in.x - cell.x, in.h }, black);
	mix_paint_fill(c, (struct mix_rect){ in.x + in.w, in.y, cell.x + cell.w - in.x - in.w, in.h }, black);
}

struct view { const uint8_t *plane[3]; int stride[3], w, h; };

/* Half the size in each direction, in the canvas' scratch memory */
static void halve(struct mix_canvas *c, struct view *v)
{
	int w = v->w / 2, h = v->h / 2;
	size_t y = (size_t)w * (size_t)h, need = y + y / 2;

	if (c->scratch_size < 2 * need) {	/* two halvings take turns */
		g_free(c->scratch);
		c->scratch_size = 2 * need;
		c->scratch = g_malloc(c->scratch_size);
	}
	uint8_t *at = v->plane[0] == c->scratch ? c->scratch + c->scratch_size - need : c->scratch;
	uint8_t *to[3] = { at, at + y, at + y + y / 4 };
	for (unsigned i = 0; i < 3; i++) {
		int part = i ? 2 : 1;
		ScalePlane(v->plane[i], v->stride[i], v->w / part, v->h / part, to[i], w / part, w / part, h / part, kFilterBox);
		v->plane[i] = to[i];
		v->stride[i] = w / part;
	}
	v->w = w;
	v->h = h;
}

void mix_paint_picture(struct mix_canvas *c, struct mix_rect cell, const struct mix_picture *p)
{
	struct mix_fit fit = mix_fit(cell, p->w, p->h);
	struct mix_rect s = fit.src, d = fit.dst;
	/* box keeps small tiles calm; where it has no fast path (ratios below one half) libyuv takes the linear filter */
	enum FilterMode filter = s.w > d.w ? kFilterBox : kFilterBilinear;

	if (s.w < 2 || s.h < 2 || d.w < 2 || d.h < 2) {
		return;
	}
	paint_bars(c, cell, d);
	struct view v = { .plane = { p->plane[0] + s.y * p->stride[0] + s.x, p->plane[1] + s.y / 2 * p->stride[1] + s.x / 2,
				     p->plane[2] + s.y / 2 * p->stride[2] + s.x / 2 },
			  .stride = { p->stride[0], p->stride[1], p->stride[2] }, .w = s.w, .h = s.h };
	/* libyuv halves three times as quick as it takes three eighths (720p in a cell of sixteen) */
	while (v.w > 2 * d.w && v.h > 2 * d.h && v.w % 4 == 0 && v.h % 4 == 0) {
		halve(c, &v);
	}
	(void)I420Scale(v.plane[0], v.stride[0], v.plane[1], v.stride[1], v.plane[2], v.stride[2], v.w, v.h,
			c->plane[0] + d.y * c->stride[0] + d.x, c->stride[0],
			c->plane[1] + d.y / 2 * c->stride[1] + d.x / 2, c->stride[1],
			c->plane[2] + d.y / 2 * c->stride[2] + d.x / 2, c->stride[2], d.w, d.h, filter);
}

void mix_paint_part(struct mix_canvas *c, int x, int y, const struct mix_label *l, int from)
{
	int w = MIN(l->w - from, c->w - x) & ~1, h = MIN(l->h, c->h - y) & ~1;

	if (x < 0 || y < 0 || from < 0 || w < 2 || h < 2) {
		return;
	}
	uint8_t *dy = c->plane[0] + y * c->stride[0] + x, *du = c->plane[1] + y / 2 * c->stride[1] + x / 2,
		*dv = c->plane[2] + y / 2 * c->stride[2] + x / 2;
	(void)I420Blend(l->y + from, l->w, l->u + from / 2, l->w / 2, l->v + from / 2, l->w / 2, dy, c->stride[0], du, c->stride[1],
			dv, c->stride[2], l->alpha + from, l->w, dy, c->stride[0], du, c->stride[1], dv, c->stride[2], w, h);
}

void mix_paint_label(struct mix_canvas *c, int x, int y, const struct mix_label *l)
{
	mix_paint_part(c, x, y, l, 0);
}
