/* One picture input: packets to pictures. An actor on a thread of the decoder pool; its owner and the home thread of its
 * mix hold references. What they share is atomic and one-way:
 *   decoder -> home	the newest picture (an older one that nobody took is dropped: never more than one waits), figures,
 *			the wish for a key frame
 *   home -> decoder	whether anybody sees it
 * A thread whose codec has not answered for 2 s is abandoned with all its decoders; the owner makes new ones elsewhere. */
#pragma once
#include "mcu/base/loop.h"
#include "mcu/mix/picture_priv.h"
#include "mcu/mix/element_priv.h"

#define MIX_MAX_WIDTH 4096
#define MIX_MAX_HEIGHT 2304
#define MIX_HUNG_US 2000000

enum mix_trouble { MIX_FINE, MIX_NO_KEYFRAME, MIX_TOO_LARGE, MIX_UNSTEADY, MIX_BROKEN_STREAM, MIX_NO_ELEMENT, MIX_TROUBLE_N };
extern const char *const mix_trouble_names[MIX_TROUBLE_N];	/* `why` of mix.input_state; NULL = fine */

struct mix_pool;
struct mix_pool *mix_pool_new(unsigned threads, const char *ranks);
void mix_pool_free(struct mix_pool *pool);	/* control thread, after all decoders were dropped */
/* Control thread, now and then: replaces threads that hang. Returns how many it abandoned. */
unsigned mix_pool_check(struct mix_pool *pool, int64_t now_us);

struct mix_decoder;
struct mix_decoder *mix_decoder_new(struct mix_pool *pool);	/* on the thread with the fewest; control thread */
struct mix_decoder *mix_decoder_ref(struct mix_decoder *d);
void mix_decoder_unref(struct mix_decoder *d);	/* any thread; NULL allowed */
void mix_decoder_stop(struct mix_decoder *d);	/* control thread: gives its codec back; packets go nowhere from now on */
bool mix_decoder_lost(const struct mix_decoder *d);	/* its thread was abandoned */
void mix_decoder_packet(struct mix_decoder *d, const uint8_t *packet, size_t len, int64_t at_us);	/* bridge thread; copies */

/* Home thread */
struct mix_picture *mix_decoder_take(struct mix_decoder *d);	/* (transfer full), NULL = nothing new */
bool mix_decoder_wants_key(struct mix_decoder *d);		/* and forgets it */
void mix_decoder_want(struct mix_decoder *d, bool seen);
struct mix_decoder_figures { uint64_t packets, lost, frames, replaced, cpu_us; enum mix_trouble trouble; int codec; /* -1 = none yet */ };
void mix_decoder_figures(const struct mix_decoder *d, struct mix_decoder_figures *ret);
