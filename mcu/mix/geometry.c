/* Layout rows to pixels. */
#include "mcu/mix/geometry_priv.h"

#include <string.h>

#define MIX_LAYOUT(name_, cols_, rows_, over_, ...)                                                \
	{ .name = (name_), .cols = (cols_), .rows = (rows_), .over = (over_),                      \
	  .n_cells = sizeof((const uint8_t[][4]){ __VA_ARGS__ }) / 4, .cells = (const uint8_t[][4]){ __VA_ARGS__ } },
static const struct mix_layout layouts[] = {
#include "mcu/mix/layouts.def"
};
#undef MIX_LAYOUT
enum { N_LAYOUTS = sizeof(layouts) / sizeof(layouts[0]) };

const struct mix_layout *mix_layout_at(unsigned i)
{
	return i < N_LAYOUTS ? &layouts[i] : NULL;
}

const struct mix_layout *mix_layout_by_name(const char *name)
{
	for (unsigned i = 0; name && i < N_LAYOUTS; i++) {
		if (!strcmp(layouts[i].name, name)) {
			return &layouts[i];
		}
	}
	return NULL;
}

static int even(int v)
{
	return v & ~1;
}

/* Both edges are rounded, not the size: neighbours share an edge and nothing overlaps. */
struct mix_rect mix_layout_cell(const struct mix_layout *layout, unsigned cell, int canvas_w, int canvas_h)
{
	const uint8_t *c = layout->cells[cell];
	int x = even(c[0] * canvas_w / layout->cols), y = even(c[1] * canvas_h / layout->rows);

	return (struct mix_rect){ .x = x, .y = y,
				  .w = even((c[0] + c[2]) * canvas_w / layout->cols) - x,
				  .h = even((c[1] + c[3]) * canvas_h / layout->rows) - y };
}

struct mix_fit mix_fit(struct mix_rect cell, int w, int h)
{
	struct mix_fit fit = { .src = { 0, 0, even(w), even(h) }, .dst = cell };
	int64_t wide = (int64_t)w * cell.h, tall = (int64_t)h * cell.w;	/* wide > tall: bars above and below */

	if (wide > tall && wide * 8 <= tall * 9) {
		fit.src.w = even((int)(tall / cell.h));
		fit.src.x = even((w - fit.src.w) / 2);
	} else if (tall > wide && tall * 8 <= wide * 9) {
		fit.src.h = even((int)(wide / cell.w));
		fit.src.y = even((h - fit.src.h) / 2);
	} else if (wide > tall) {
		fit.dst.h = even((int)((int64_t)cell.w * h / w));
		fit.dst.y += even((cell.h - fit.dst.h) / 2);
	} else if (tall > wide) {
		fit.dst.w = even((int)((int64_t)cell.h * w / h));
		fit.dst.x += even((cell.w - fit.dst.w) / 2);
	}
	return fit;
}
