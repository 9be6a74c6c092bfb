/* Limited range and the stream's matrix to RGB by libyuv, RGB to JPEG by libjpeg. GStreamer's jpegenc writes the samples as
 * they are: grey blacks, and colours of another matrix. */
#include "mcu/mix/jpeg_priv.h"

#include <libyuv.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

struct failing { struct jpeg_error_mgr mgr; jmp_buf back; };

static void fail(j_common_ptr c)
{
	longjmp(((struct failing *)c->err)->back, 1);
}

static void be_quiet(j_common_ptr c)
{
}

/* Memory of malloc(), NULL = failed */
static unsigned char *compress(uint8_t *bgrx, int w, int h, int quality, unsigned long *ret_len)
{
	struct jpeg_compress_struct c;
	struct failing err;
	unsigned char *volatile out = NULL;
	unsigned char *mem = NULL;

	c.err = jpeg_std_error(&err.mgr);
	err.mgr.error_exit = fail;
	err.mgr.output_message = be_quiet;
	jpeg_create_compress(&c);
	*ret_len = 0;
	if (setjmp(err.back) == 0) {
		jpeg_mem_dest(&c, &mem, ret_len);
		c.image_width = (JDIMENSION)w;
		c.image_height = (JDIMENSION)h;
		c.input_components = 4;
		c.in_color_space = JCS_EXT_BGRX;
		jpeg_set_defaults(&c);
		jpeg_set_quality(&c, quality, TRUE);
		jpeg_start_compress(&c, TRUE);
		while (c.next_scanline < c.image_height) {
			JSAMPROW row = bgrx + (size_t)c.next_scanline * (size_t)w * 4;
			(void)jpeg_write_scanlines(&c, &row, 1);
		}
		jpeg_finish_compress(&c);
		out = mem;
	}
	jpeg_destroy_compress(&c);
	return out;
}

/* Its size for a still, even */
static void fit(const struct mix_picture *p, int max_w, int *ret_w, int *ret_h)
{
	int w = MIN(p->w, MAX(max_w, 16));

	*ret_w = MAX(w & ~1, 2);
	*ret_h = MAX((int)((int64_t)p->h * w / p->w) & ~1, 2);
}

static uint8_t *to_bgrx(const struct mix_picture *p, int w, int h)
{
	bool hd = p->frame.info.colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_BT709 ||
		  (p->frame.info.colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_UNKNOWN && p->h >= 720);
	size_t y_size = (size_t)w * (size_t)h, c_size = (size_t)((w + 1) / 2) * (size_t)((h + 1) / 2);
	g_autofree uint8_t *small = g_malloc(y_size + 2 * c_size);
	uint8_t *u = small + y_size, *v = u + c_size, *bgrx = g_malloc(y_size * 4);

	(void)I420Scale(p->plane[0], p->stride[0], p->plane[1], p->stride[1], p->plane[2], p->stride[2], p->w, p->h, small, w, u,
			(w + 1) / 2, v, (w + 1) / 2, w, h, p->w == w ? kFilterNone : kFilterBox);
	(void)(hd ? H420ToARGB : I420ToARGB)(small, w, u, (w + 1) / 2, v, (w + 1) / 2, bgrx, w * 4, w, h);
	return bgrx;
}

GBytes *mix_jpeg(const struct mix_picture *p, int max_w, size_t max_bytes, int *ret_w, int *ret_h)
{
	unsigned char *out = NULL;
	unsigned long len = 0;

	fit(p, max_w, ret_w, ret_h);
	g_autofree uint8_t *bgrx = to_bgrx(p, *ret_w, *ret_h);
	for (int quality = 85; quality > 10; quality -= 25) {
		free(out);
		out = compress(bgrx, *ret_w, *ret_h, quality, &len);
		if (!out || len <= max_bytes) {
			break;
		}
	}
	if (!out || len > max_bytes) {
		free(out);
		return NULL;
	}
	return g_bytes_new_with_free_func(out, len, free, out);
}
