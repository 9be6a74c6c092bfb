/* The moving picture. Everything that stands still is drawn once; a frame is a copy of it and a few rectangles. */
#include <glib.h>
#include <string.h>
#include <time.h>

#include "softclient/desktop/media/media.h"

struct sc_picture { unsigned width, height, unit; uint8_t *still; };
struct canvas { uint8_t *y, *u, *v; unsigned width, height; };
struct colour { uint8_t y, u, v; };

static const struct colour white = { 235, 128, 128 }, black = { 16, 128, 128 }, yellow = { 190, 40, 140 };

static struct canvas canvas_of(const sc_picture *p, uint8_t *frame)
{
	size_t luma = (size_t)p->width * p->height;
	return (struct canvas){ frame, frame + luma, frame + luma + luma / 4, p->width, p->height };
}

/* Coordinates are rounded down to even ones: a chroma sample covers two by two. */
static void fill(const struct canvas *c, unsigned x, unsigned y, unsigned w, unsigned h, struct colour colour)
{
	x = MIN(x, c->width) & ~1u;
	y = MIN(y, c->height) & ~1u;
	w = MIN(w, c->width - x) & ~1u;
	h = MIN(h, c->height - y) & ~1u;
	for (unsigned row = y; row < y + h; row++) {
		memset(c->y + (size_t)row * c->width + x, colour.y, w);
	}
	for (unsigned row = y / 2; row < (y + h) / 2; row++) {
		memset(c->u + (size_t)row * c->width / 2 + x / 2, colour.u, w / 2);
		memset(c->v + (size_t)row * c->width / 2 + x / 2, colour.v, w / 2);
	}
}

/* ---- letters ---- */
/* 5 x 7, a row in 5 bits, the left one highest. */
static const struct { char letter; uint8_t rows[7]; } letters[] = {
	{ '0', { 14, 17, 19, 21, 25, 17, 14 } }, { '1', { 4, 12, 4, 4, 4, 4, 14 } },	{ '2', { 14, 17, 1, 2, 4, 8, 31 } },
	{ '3', { 31, 2, 4, 2, 1, 17, 14 } },	 { '4', { 2, 6, 10, 18, 31, 2, 2 } },	{ '5', { 31, 16, 30, 1, 1, 17, 14 } },
	{ '6', { 6, 8, 16, 30, 17, 17, 14 } },	 { '7', { 31, 1, 2, 4, 8, 8, 8 } },	{ '8', { 14, 17, 17, 14, 17, 17, 14 } },
	{ '9', { 14, 17, 17, 15, 1, 2, 12 } },	 { ':', { 0, 12, 12, 0, 12, 12, 0 } },	{ '.', { 0, 0, 0, 0, 0, 12, 12 } },
	{ '-', { 0, 0, 0, 31, 0, 0, 0 } },	 { '#', { 10, 10, 31, 10, 31, 10, 10 } },
};

/* 演练, 18 x 18 each: the mark of a drill must not depend on a font. */
enum { HAN_SIZE = 18 };
static const uint32_t drill_rows[2][HAN_SIZE] = {
	{ 0x00180, 0x1c180, 0x0fffc, 0x03ffc, 0x03ffc, 0x20ff0, 0x38180, 0x39ff8, 0x09ff8, 0x01998, 0x09ff8, 0x0dff8, 0x1dff8,
	  0x19ff8, 0x18e70, 0x3be78, 0x1381c, 0x01008 },
	{ 0x0c180, 0x0c380, 0x1cffc, 0x18ffc, 0x18300, 0x37fc0, 0x3efc0, 0x3c6c0, 0x0cec0, 0x18ffc, 0x3effc, 0x3e0c0, 0x306d8,
	  0x06ed8, 0x1eccc, 0x3dccc, 0x31bcc, 0x00380 },
};

static void draw_bits(const struct canvas *c, unsigned x, unsigned y, unsigned dot, uint32_t bits, unsigned n, struct colour colour)
{
	for (unsigned i = 0; i < n; i++) {
		if (bits >> (n - 1 - i) & 1) {
			fill(c, x + i * dot, y, dot, dot, colour);
		}
	}
}

static void draw_text(const struct canvas *c, unsigned x, unsigned y, unsigned dot, const char *text)
{
	for (; *text != '\0'; text++, x += 6 * dot) {
		for (unsigned n = 0; n < G_N_ELEMENTS(letters); n++) {
			for (unsigned row = 0; letters[n].letter == *text && row < 7; row++) {
				draw_bits(c, x, y + row * dot, dot, letters[n].rows[row], 5, white);
			}
		}
	}
}

/* ---- what stands still ---- */
static void draw_bars(const struct canvas *c, unsigned height)
{
	static const struct colour bars[] = { { 180, 128, 128 }, { 162, 44, 142 }, { 131, 156, 44 }, { 112, 72, 58 },
					      { 84, 184, 198 },	 { 65, 100, 212 }, { 35, 212, 114 }, { 50, 128, 128 } };
	unsigned w = (c->width / G_N_ELEMENTS(bars) + 1) & ~1u;
	for (unsigned n = 0; n < G_N_ELEMENTS(bars); n++) {
		fill(c, n * w, 0, c->width, height, bars[n]);
	}
}

static void draw_drill(const sc_picture *p, const struct canvas *c)
{
	unsigned dot = MAX(2, (p->height / 64) & ~1u);
	unsigned size = HAN_SIZE * dot, x = (p->width - 2 * size) / 2, y = p->height / 8;
	fill(c, x - 2 * dot, y - 2 * dot, 2 * size + 4 * dot, size + 4 * dot, yellow);
	for (unsigned n = 0; n < 2; n++) {
		for (unsigned row = 0; row < HAN_SIZE; row++) {
			draw_bits(c, x + n * size, y + row * dot, dot, drill_rows[n][row], HAN_SIZE, black);
		}
	}
}

sc_picture *sc_picture_new(unsigned width, unsigned height, bool drill)
{
	if (width < SC_PICTURE_MIN || width > SC_PICTURE_MAX || height < SC_PICTURE_MIN / 2 || height > SC_PICTURE_MAX ||
	    width % 16 != 0 || height % 2 != 0) {
		return NULL;
	}
	sc_picture *p = g_new0(sc_picture, 1);
	*p = (sc_picture){ width, height, MAX(2, (height / 120) & ~1u), NULL };
	p->still = g_malloc(sc_picture_size(p));
	struct canvas c = canvas_of(p, p->still);
	fill(&c, 0, 0, width, height, black);
	draw_bars(&c, height / 2);
	if (drill) {
		draw_drill(p, &c);
	}
	return p;
}

void sc_picture_free(sc_picture *p)
{
	if (p != NULL) {
		g_free(p->still);
		g_free(p);
	}
}

size_t sc_picture_size(const sc_picture *p)
{
	return (size_t)p->width * p->height * 3 / 2;
}

/* ---- what moves ---- */
/* White, 16 bits, parity, black, white along the bottom: cells so large that quantisation cannot turn one over. */
enum { MARK_CELLS = SC_MARK_BITS + 4 };

static unsigned cells_of(uint32_t frame)
{
	unsigned bits = frame & 0xffff;
	return 1u << (MARK_CELLS - 1) | bits << 3 | (unsigned)__builtin_parity(bits) << 2 | 1;
}

static unsigned mark_height(unsigned height)
{
	return (height / 20) & ~1u;
}

static void draw_mark(const struct canvas *c, uint32_t frame)
{
	unsigned h = mark_height(c->height), cells = cells_of(frame);
	for (unsigned n = 0; n < MARK_CELLS; n++) {
		unsigned from = n * c->width / MARK_CELLS, to = (n + 1) * c->width / MARK_CELLS;
		fill(c, from, c->height - h, to - from + 2, h, cells >> (MARK_CELLS - 1 - n) & 1 ? white : black);
	}
}

int sc_picture_read_mark(const uint8_t *luma, unsigned width, unsigned height, unsigned stride)
{
	unsigned cells = 0, row = height - mark_height(height) / 2;
	for (unsigned n = 0; n < MARK_CELLS; n++) {
		unsigned column = (2 * n + 1) * width / (2 * MARK_CELLS);
		cells = cells << 1 | (luma[(size_t)row * stride + column] > 126);
	}
	unsigned bits = cells >> 3 & 0xffff;
	return cells == cells_of(bits) ? (int)bits : -1;
}

/* There and back in 2n steps. */
static unsigned bounce(uint32_t at, unsigned n)
{
	return at % (2 * n) < n ? at % n : n - 1 - at % n;
}

void sc_picture_draw(const sc_picture *p, uint32_t frame, int64_t wall_ms, uint8_t *ret)
{
	char text[32];
	struct tm tm;
	time_t seconds = (time_t)(wall_ms / 1000);
	struct canvas c = canvas_of(p, ret);
	unsigned box = p->height / 8;
	memcpy(ret, p->still, sc_picture_size(p));
	fill(&c, bounce(frame * (p->width / 80), p->width - box), p->height / 2 - box, box, box, yellow);
	localtime_r(&seconds, &tm);
	g_snprintf(text, sizeof(text), "%02d:%02d:%02d.%d", tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(wall_ms / 100 % 10));
	draw_text(&c, p->width / 16, p->height / 2 + 3 * p->unit, 2 * p->unit, text);
	g_snprintf(text, sizeof(text), "#%06u", frame % 1000000);
	draw_text(&c, p->width / 16, p->height / 2 + 20 * p->unit, 2 * p->unit, text);
	draw_mark(&c, frame);
}
