/* What an input's pictures are worth: whether they move, and whether they repeat themselves. Pure: pictures and `now_us` in,
 * figures out; one thread. A picture is looked at ten times a second through 96 spots of 4 x 4 pixels.
 * - frozen: the spots are equal to the last bit, and then the whole picture is. A sensor has noise, and a coder that leaves
 *   it out makes it new with each key frame; so a quiet room at night is not frozen, a stuck grabber is.
 * - looped: for ten seconds the spots were those of one period (2 to 60 s) ago, within what coding does to them, while
 *   they were not those of a half or a third of it: what swings by itself (a fan, a lamp) is no loop, and what stands still
 *   is none either. Not seen: motion so fast that a frame more or less is another picture. */
#pragma once
#include "mcu/mix/picture_priv.h"

#define MIX_JUDGE_US 100000

struct mix_judge;
struct mix_judge_figures { int64_t same_us, period_us; double luma; };
struct mix_judge *mix_judge_new(void);
void mix_judge_free(struct mix_judge *j);	/* NULL allowed */
void mix_judge_forget(struct mix_judge *j);	/* pictures were missing, or come from somebody else */
/* The newest picture; more often than each 100 ms it does nothing. */
void mix_judge_note(struct mix_judge *j, const struct mix_picture *p, int64_t now_us);
void mix_judge_figures(const struct mix_judge *j, int64_t now_us, struct mix_judge_figures *ret);
