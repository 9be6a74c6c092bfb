/* Where pictures stand on a canvas. Pure, any thread. All coordinates are pixels and even (I420). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define MIX_MAX_CELLS 25

struct mix_rect { int x, y, w, h; };
struct mix_layout {
	const char *name;
	uint8_t cols, rows, n_cells;
	bool over;			/* later cells lie on the first */
	const uint8_t (*cells)[4];	/* x, y, w, h on the grid */
};
const struct mix_layout *mix_layout_by_name(const char *name);	/* NULL = none */
const struct mix_layout *mix_layout_at(unsigned i);		/* NULL behind the last */

struct mix_rect mix_layout_cell(const struct mix_layout *layout, unsigned cell, int canvas_w, int canvas_h);

/* A picture of w x h in a cell: what of it is shown (src) and where (dst). The aspect is kept; a difference of up to an
 * eighth is cut off the picture, more gives black bars. */
struct mix_fit { struct mix_rect src, dst; };
struct mix_fit mix_fit(struct mix_rect cell, int w, int h);
