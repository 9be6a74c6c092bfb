/* Texts over pictures: drawn once by Pango and Cairo, then blended. Any script that the fonts have (Chinese, Latin,
 * Mongolian); strings are foreign: no markup, no control characters, one line, at most 120 characters. Home thread. */
#pragma once
#include "mcu/mix/picture_priv.h"

enum mix_caption { MIX_TITLE, MIX_AGE, MIX_BANNER, MIX_CLOCK, MIX_ALARM, MIX_CAPTION_N };
struct mix_caption_cache;
struct mix_caption_cache *mix_caption_cache_new(void);
void mix_caption_cache_free(struct mix_caption_cache *cache);	/* NULL allowed */
/* Borrowed until the cache drops it (the 64 last used stay). size: height of the letters in pixels; max_w: wider texts end
 * in dots. NULL: nothing to draw. */
const struct mix_label *mix_caption(struct mix_caption_cache *cache, enum mix_caption kind, const char *text, int size, int max_w);
/* The text as it is drawn (transfer full): pure, for tests. */
char *mix_caption_clean(const char *text);
