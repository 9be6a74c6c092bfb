/* The moving picture. Everything that stands still is drawn once; a frame is a copy of it and a few rectangles. */
#include <glib.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "softclient/desktop/media/media.h"

struct sc_picture { unsigned width, height, unit; uint32_t seed; uint8_t *still; };
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

static unsigned mark_height(unsigned height)
{
	return (height / 20) & ~1u;
}

/* ---- what stands still: evening sky, two ranges of hills, a strip for the figures ---- */
static uint8_t between(uint8_t a, uint8_t b, unsigned at, unsigned of)
{
	return (uint8_t)(((unsigned)a * (of - at) + (unsigned)b * at) / of);
}

static void draw_sky(const struct canvas *c, unsigned height)
{
	static const struct colour top = { 58, 150, 112 }, low = { 178, 104, 150 };
	for (unsigned y = 0; y < height; y += 2) {
		fill(c, 0, y, c->width, 2, (struct colour){ between(top.y, low.y, y, height), between(top.u, low.u, y, height),
							     between(top.v, low.v, y, height) });
	}
}

static double ridge(const sc_picture *p, unsigned x, double waves, double from, double size)
{
	double a = 2 * G_PI * x / p->width, turn = p->seed % 628 / 100.0;
	return p->height * (from - size * (sin(waves * a + turn) + 0.4 * sin(2.7 * waves * a + 2 * turn)));
}

static void draw_hills(const sc_picture *p, const struct canvas *c, double waves, double from, double size, struct colour colour)
{
	for (unsigned x = 0; x < p->width; x += 2) {
		fill(c, x, (unsigned)ridge(p, x, waves, from, size), 2, p->height, colour);
	}
}

static unsigned strip_top(const sc_picture *p)
{
	return (p->height - 9 * p->unit - mark_height(p->height) - 2 * p->unit) & ~1u;
}

static void draw_land(const sc_picture *p, const struct canvas *c)
{
	draw_sky(c, p->height);
	draw_hills(p, c, 1.3, 0.52, 0.06, (struct colour){ 92, 122, 126 });
	draw_hills(p, c, 0.8, 0.68, 0.05, (struct colour){ 74, 108, 128 });
	fill(c, 0, strip_top(p), p->width, p->height, black);
}

static void draw_drill(const sc_picture *p, const struct canvas *c)
{
	unsigned dot = MAX(2, (p->height / 80) & ~1u);
	unsigned size = HAN_SIZE * dot, x = p->width - 2 * size - p->width / 20, y = p->height / 6;	/* below what a console draws over the top of a tile */
	fill(c, x - 2 * dot, y - 2 * dot, 2 * size + 4 * dot, size + 4 * dot, yellow);
	for (unsigned n = 0; n < 2; n++) {
		for (unsigned row = 0; row < HAN_SIZE; row++) {
			draw_bits(c, x + n * size, y + row * dot, dot, drill_rows[n][row], HAN_SIZE, black);
		}
	}
}

sc_picture *sc_picture_new(unsigned width, unsigned height, bool drill, const char *name)
{
	if (width < SC_PICTURE_MIN || width > SC_PICTURE_MAX || height < SC_PICTURE_MIN / 2 || height > SC_PICTURE_MAX ||
	    width % 16 != 0 || height % 2 != 0) {
		return NULL;
	}
	sc_picture *p = g_new0(sc_picture, 1);
	*p = (sc_picture){ width, height, MAX(2, (height / 120) & ~1u), g_str_hash(name != NULL ? name : ""), NULL };
	p->still = g_malloc(sc_picture_size(p));
	struct canvas c = canvas_of(p, p->still);
	draw_land(p, &c);
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

/* ---- a fire on the near hill: tongues that flicker, smoke that drifts away in the wind ---- */
enum { TONGUES = 14, PUFFS = 9, PUFF_FRAMES = 150 };

static void draw_tongue(const struct canvas *c, unsigned x, unsigned foot, unsigned width, unsigned height, struct colour colour)
{
	for (unsigned up = 0; up < height && up < foot; up += 2) {
		unsigned w = width * (height - up) / height;
		fill(c, x - w / 2, foot - up, w, 2, colour);
	}
}

static void draw_fire(const sc_picture *p, const struct canvas *c, uint32_t frame, unsigned at)
{
	static const struct colour red = { 110, 90, 200 }, orange = { 170, 60, 170 };
	unsigned step = p->width / 48;
	for (unsigned n = 0; n < TONGUES; n++) {
		double flicker = 0.6 + 0.4 * sin(frame * (0.5 + 0.13 * (n % 5)) + 2.1 * n + p->seed % 7);
		unsigned x = at + n * step, foot = (unsigned)ridge(p, x, 0.8, 0.68, 0.05) + 4;
		unsigned h = (unsigned)(p->height / 7.0 * flicker * (0.5 + 0.5 * sin(G_PI * (n + 1) / (TONGUES + 1))));
		draw_tongue(c, x, foot, 2 * step, h, red);
		draw_tongue(c, x, foot, step, h * 2 / 3, orange);
		draw_tongue(c, x, foot, step / 2, h / 3, yellow);
	}
}

static void draw_disc(const struct canvas *c, int x, int y, int r, struct colour colour)
{
	for (int dy = -r; dy <= r; dy += 2) {
		int half = (int)sqrt((double)(r * r - dy * dy)), left = MAX(x - half, 0), right = MIN(x + half, (int)c->width);
		if (y + dy >= 0 && right > left) {
			fill(c, (unsigned)left, (unsigned)(y + dy), (unsigned)(right - left), 2, colour);
		}
	}
}

static void draw_smoke(const sc_picture *p, const struct canvas *c, uint32_t frame, unsigned at)
{
	unsigned from = (unsigned)ridge(p, at, 0.8, 0.68, 0.05) - p->height / 12;
	for (unsigned n = 0; n < PUFFS; n++) {
		unsigned age = (frame + n * PUFF_FRAMES / PUFFS) % PUFF_FRAMES;
		double up = (double)age / PUFF_FRAMES;
		int x = (int)(at + p->width * (0.04 * sin(3 * up + n) + 0.22 * up * up)), y = (int)(from - up * from);
		draw_disc(c, x, y, (int)(p->height * (0.03 + 0.06 * up)), (struct colour){ (uint8_t)(70 + 60 * up), 126, 130 });
	}
}

void sc_picture_draw(const sc_picture *p, uint32_t frame, int64_t wall_ms, uint8_t *ret)
{
	char text[48];
	struct tm tm;
	time_t seconds = (time_t)(wall_ms / 1000);
	struct canvas c = canvas_of(p, ret);
	unsigned fire = p->width * (15 + p->seed % 35) / 100;
	memcpy(ret, p->still, sc_picture_size(p));
	draw_smoke(p, &c, frame, fire + p->width / 8);
	draw_fire(p, &c, frame, fire);
	localtime_r(&seconds, &tm);
	g_snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d:%02d.%d #%06u", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		   tm.tm_min, tm.tm_sec, (int)(wall_ms / 100 % 10), frame % 1000000);
	draw_text(&c, p->width / 32, strip_top(p) + p->unit, p->unit, text);
	draw_mark(&c, frame);
}
