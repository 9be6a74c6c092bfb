/* Sheets by cairo and pango: text keeps being text in the PDF, JPEG pictures go in as they are. */
#include <string.h>

#include "gateway/print/sheet_priv.h"

#define FOOT_H 22.0
#define PAD 3.0
#define FONT "Noto Sans CJK SC, Noto Sans, sans-serif"

static cairo_status_t append(void *closure, const unsigned char *data, unsigned len)
{
	g_byte_array_append(closure, data, len);
	return CAIRO_STATUS_SUCCESS;
}

void sheet_open(struct sheet *s, const char *title, const char *foot)
{
	*s = (struct sheet){ .bytes = g_byte_array_new(), .y = SHEET_MARGIN, .page = 1, .foot = g_strdup(foot) };
	s->surface = cairo_pdf_surface_create_for_stream(append, s->bytes, SHEET_W, SHEET_H);
	s->cr = cairo_create(s->surface);
	cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_TITLE, title);
	cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_CREATOR, "Ortoo");
}

static PangoLayout *layout_of(struct sheet *s, double size, bool bold, double width, const char *text)
{
	PangoLayout *layout = pango_cairo_create_layout(s->cr);
	PangoFontDescription *font = pango_font_description_from_string(FONT);
	pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
	pango_font_description_set_weight(font, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
	pango_layout_set_font_description(layout, font);
	pango_font_description_free(font);
	pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
	pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_text(layout, text, -1);
	return layout;
}

static double height_of(PangoLayout *layout)
{
	int height;
	pango_layout_get_size(layout, NULL, &height);
	return (double)height / PANGO_SCALE;
}

static void put(struct sheet *s, PangoLayout *layout, double x, double y)
{
	cairo_move_to(s->cr, x, y);
	pango_cairo_show_layout(s->cr, layout);
}

static void foot(struct sheet *s)
{
	g_autofree char *text = g_strdup_printf("%s　　第 %d 页", s->foot, s->page);
	g_autoptr(PangoLayout) layout = layout_of(s, 7, false, SHEET_INNER, text);
	put(s, layout, SHEET_MARGIN, SHEET_H - SHEET_MARGIN + 4);
}

void sheet_next_page(struct sheet *s)
{
	foot(s);
	cairo_show_page(s->cr);
	s->page++;
	s->y = SHEET_MARGIN;
}

bool sheet_fits(const struct sheet *s, double height)
{
	return s->y + height <= SHEET_H - SHEET_MARGIN - FOOT_H / 2;
}

GBytes *sheet_close(struct sheet *s, char **ret_why)
{
	foot(s);
	cairo_destroy(s->cr);
	cairo_surface_finish(s->surface);
	cairo_status_t status = cairo_surface_status(s->surface);
	cairo_surface_destroy(s->surface);
	g_free(s->foot);
	GBytes *bytes = g_byte_array_free_to_bytes(s->bytes);
	if (status != CAIRO_STATUS_SUCCESS) {
		*ret_why = g_strdup(cairo_status_to_string(status));
		g_bytes_unref(bytes);
		return NULL;
	}
	return bytes;
}

void sheet_gap(struct sheet *s, double points)
{
	s->y += points;
}

void sheet_line(struct sheet *s, double size, bool bold, const char *text)
{
	g_autoptr(PangoLayout) layout = layout_of(s, size, bold, SHEET_INNER, text);
	double height = height_of(layout);
	if (!sheet_fits(s, height)) {
		sheet_next_page(s);
	}
	put(s, layout, SHEET_MARGIN, s->y);
	s->y += height + 2;
}

static void draw_row(struct sheet *s, PangoLayout **cells, const struct column *columns, int n, double height, bool shaded)
{
	double x = SHEET_MARGIN;
	if (shaded) {
		cairo_set_source_rgb(s->cr, 0.92, 0.92, 0.92);
		cairo_rectangle(s->cr, x, s->y, SHEET_INNER, height);
		cairo_fill(s->cr);
	}
	cairo_set_source_rgb(s->cr, 0, 0, 0);
	cairo_set_line_width(s->cr, 0.4);
	for (int i = 0; i < n; i++) {
		double width = columns[i].width * SHEET_INNER;
		cairo_rectangle(s->cr, x, s->y, width, height);
		cairo_stroke(s->cr);
		put(s, cells[i], x + PAD, s->y + PAD);
		x += width;
	}
	s->y += height;
}

void sheet_row(struct sheet *s, const struct column *columns, int n, const char *const *texts, bool bold)
{
	PangoLayout *cells[16];
	double height = 0;
	g_assert(n <= (int)G_N_ELEMENTS(cells));
	for (int i = 0; i < n; i++) {
		cells[i] = layout_of(s, 8, bold, columns[i].width * SHEET_INNER - 2 * PAD, texts[i] != NULL ? texts[i] : "");
		height = MAX(height, height_of(cells[i]));
	}
	height += 2 * PAD;
	if (!sheet_fits(s, height) && s->y > SHEET_MARGIN) {
		const char *titles[16];
		sheet_next_page(s);
		for (int i = 0; i < n; i++) {
			titles[i] = columns[i].title;
		}
		if (!bold) {
			sheet_row(s, columns, n, titles, true);
		}
	}
	draw_row(s, cells, columns, n, height, bold);
	for (int i = 0; i < n; i++) {
		g_object_unref(cells[i]);
	}
}

/* ---- pictures ---- */
/* Size of a JPEG by its frame header (ITU-T T.81 B.2.2). */
static bool jpeg_size(const guchar *b, gsize len, int *ret_width, int *ret_height)
{
	gsize at = 2;
	if (len < 4 || b[0] != 0xff || b[1] != 0xd8) {
		return false;
	}
	while (at + 9 < len && b[at] == 0xff) {
		unsigned marker = b[at + 1], size = b[at + 2] * 256u + b[at + 3];
		bool frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
		if (frame) {
			*ret_height = b[at + 5] * 256 + b[at + 6];
			*ret_width = b[at + 7] * 256 + b[at + 8];
			return *ret_width > 0 && *ret_height > 0;
		}
		at += 2 + size;
	}
	return false;
}

static void unref_bytes(void *data)
{
	g_bytes_unref(data);
}

bool sheet_picture(struct sheet *s, GBytes *jpeg, double x, double width, double height, const char *caption)
{
	gsize len;
	int w, h;
	const guchar *data = g_bytes_get_data(jpeg, &len);
	if (!jpeg_size(data, len, &w, &h)) {
		return false;
	}
	/* The PDF takes the JPEG's own bytes; the surface only says how large it is. */
	cairo_surface_t *image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, w, h);
	(void)cairo_surface_set_mime_data(image, CAIRO_MIME_TYPE_JPEG, data, len, unref_bytes, g_bytes_ref(jpeg));
	double scale = MIN(width / w, height / h);
	cairo_save(s->cr);
	cairo_translate(s->cr, x, s->y);
	cairo_scale(s->cr, scale, scale);
	cairo_set_source_surface(s->cr, image, 0, 0);
	cairo_paint(s->cr);
	cairo_restore(s->cr);
	cairo_surface_destroy(image);
	g_autoptr(PangoLayout) layout = layout_of(s, 8, false, width, caption);
	put(s, layout, x, s->y + h * scale + 2);
	return true;
}
