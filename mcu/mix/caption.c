/* Labels by Pango and Cairo, kept while they are used. Traditional Mongolian lies on its side, as Pango lays a vertical
 * script into a horizontal line: readable by turning the head, and no second layout engine. */
#include "mcu/mix/caption_priv.h"

#include <libyuv.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <string.h>

enum { MAX_CHARS = 120, CACHE = 64 };

struct style { double back[4], text[3]; bool bold, opaque; };
static const struct style styles[MIX_CAPTION_N] = {
	[MIX_TITLE] = { { 0, 0, 0, 0.55 }, { 1, 1, 1 }, false, false },
	[MIX_AGE] = { { 0.75, 0.45, 0, 0.85 }, { 1, 1, 1 }, true, false },
	[MIX_BANNER] = { { 0.05, 0.15, 0.4, 1 }, { 1, 1, 1 }, false, true },
	[MIX_CLOCK] = { { 0, 0, 0, 1 }, { 1, 1, 1 }, false, true },
	[MIX_ALARM] = { { 0.8, 0, 0, 1 }, { 1, 1, 1 }, true, true },
};

struct entry { char *text; enum mix_caption kind; int size, max_w; uint64_t used; struct mix_label label; };
struct mix_caption_cache { struct entry entry[CACHE]; uint64_t clock; PangoContext *context; };

/* Control characters, line breaks and the marks that turn the writing direction around (a name could then hide what
 * stands behind it) become spaces or go. */
char *mix_caption_clean(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
	GString *out = g_string_new(NULL);
	unsigned n = 0;

	for (const char *p = valid; *p && n < MAX_CHARS; p = g_utf8_next_char(p), n++) {
		gunichar c = g_utf8_get_char(p);
		bool turns = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f;
		if (!turns) {
			g_string_append_unichar(out, g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029 ? ' ' : c);
		}
	}
	g_strstrip(out->str);
	return g_string_free(out, FALSE);
}

struct mix_caption_cache *mix_caption_cache_new(void)
{
	struct mix_caption_cache *cache = g_new0(struct mix_caption_cache, 1);

	/* the default font map is one a thread */
	cache->context = pango_font_map_create_context(pango_cairo_font_map_get_default());
	return cache;
}

static void entry_clear(struct entry *e)
{
	g_free(e->text);
	g_free(e->label.y);
	memset(e, 0, sizeof(*e));
}

void mix_caption_cache_free(struct mix_caption_cache *cache)
{
	if (!cache) {
		return;
	}
	for (unsigned i = 0; i < CACHE; i++) {
		entry_clear(&cache->entry[i]);
	}
	g_object_unref(cache->context);
	g_free(cache);
}

static PangoLayout *lay_out(struct mix_caption_cache *cache, const struct style *style, const char *text, int size, int max_w)
{
	PangoLayout *layout = pango_layout_new(cache->context);
	PangoFontDescription *font = pango_font_description_from_string("Noto Sans, Noto Sans CJK SC, Noto Sans Mongolian, sans");

	pango_font_description_set_absolute_size(font, (double)size * PANGO_SCALE);
	pango_font_description_set_weight(font, style->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
	pango_layout_set_font_description(layout, font);
	pango_font_description_free(font);
	pango_layout_set_single_paragraph_mode(layout, TRUE);
	pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
	pango_layout_set_text(layout, text, -1);
	int w;
	pango_layout_get_pixel_size(layout, &w, NULL);
	if (w > max_w) {
		pango_layout_set_width(layout, max_w * PANGO_SCALE);
	}
	return layout;
}

/* Cairo's premultiplied ARGB to what the blender takes */
static void to_label(cairo_surface_t *surface, bool opaque, struct mix_label *ret)
{
	int w = cairo_image_surface_get_width(surface), h = cairo_image_surface_get_height(surface);
	int stride = cairo_image_surface_get_stride(surface);
	uint8_t *argb;
	size_t pixels = (size_t)w * (size_t)h;

	cairo_surface_flush(surface);
	argb = cairo_image_surface_get_data(surface);
	ret->w = w;
	ret->h = h;
	ret->y = g_malloc(pixels * 5 / 2);
	ret->u = ret->y + pixels;
	ret->v = ret->u + pixels / 4;
	ret->alpha = ret->v + pixels / 4;
	(void)ARGBUnattenuate(argb, stride, argb, stride, w, h);
	(void)ARGBToI420(argb, stride, ret->y, w, ret->u, w / 2, ret->v, w / 2, w, h);
	if (opaque) {
		memset(ret->alpha, 255, pixels);
	} else {
		(void)ARGBExtractAlpha(argb, stride, ret->alpha, w, w, h);
	}
}

static void draw(struct mix_caption_cache *cache, enum mix_caption kind, const char *text, int size, int max_w,
		 struct mix_label *ret)
{
	const struct style *s = &styles[kind];
	int pad = MAX(size / 3, 2), w, h;
	g_autoptr(PangoLayout) layout = lay_out(cache, s, text, size, MAX(max_w - 2 * pad, 16));

	pango_layout_get_pixel_size(layout, &w, &h);
	w = (MIN(w, max_w) + 2 * pad + 1) & ~1;
	h = (MIN(h, 4 * size) + 1) & ~1;
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, w, h);
	cairo_t *cr = cairo_create(surface);
	cairo_set_source_rgba(cr, s->back[0], s->back[1], s->back[2], s->back[3]);
	cairo_paint(cr);
	cairo_set_source_rgb(cr, s->text[0], s->text[1], s->text[2]);
	cairo_move_to(cr, pad, 0);
	pango_cairo_show_layout(cr, layout);
	cairo_destroy(cr);
	to_label(surface, s->opaque, ret);
	cairo_surface_destroy(surface);
}

static struct entry *find(struct mix_caption_cache *cache, enum mix_caption kind, const char *text, int size, int max_w)
{
	struct entry *oldest = &cache->entry[0];

	for (unsigned i = 0; i < CACHE; i++) {
		struct entry *e = &cache->entry[i];
		if (e->text && e->kind == kind && e->size == size && e->max_w == max_w && !strcmp(e->text, text)) {
			return e;
		}
		oldest = e->used < oldest->used ? e : oldest;
	}
	entry_clear(oldest);
	return oldest;
}

const struct mix_label *mix_caption(struct mix_caption_cache *cache, enum mix_caption kind, const char *text, int size, int max_w)
{
	if (!text || !*text || max_w < 32) {
		return NULL;
	}
	struct entry *e = find(cache, kind, text, size, max_w);
	e->used = ++cache->clock;
	if (!e->text) {
		g_autofree char *clean = mix_caption_clean(text);
		e->text = g_strdup(text);
		e->kind = kind;
		e->size = size;
		e->max_w = max_w;
		if (*clean) {
			draw(cache, kind, clean, size, max_w, &e->label);
		}
	}
	return e->label.y ? &e->label : NULL;
}
