/* An encoder on a thread of its own: the home thread hands it a picture and waits for what comes of it, but not for ever. An
 * element that has not answered for MIX_HUNG_US is left behind with its thread (neither can be ended safely) and the caller
 * takes another. Home thread. */
#pragma once
#include "mcu/mix/element_priv.h"

struct mix_coder;
enum mix_coded { MIX_CODED, MIX_CODER_BROKEN, MIX_CODER_HUNG };
struct mix_coder *mix_coder_new(const struct mix_element_row *row, const struct mix_encode_use *use);	/* NULL = the element cannot */
void mix_coder_free(struct mix_coder *c);	/* NULL allowed */
/* buffer (transfer full). `out` is called on the caller's thread. After MIX_CODER_HUNG c is gone, and the memory that the
 * buffer lies over must stay for ever. */
enum mix_coded mix_coder_push(struct mix_coder *c, GstBuffer *buffer, bool key, mix_element_fn out, void *user_data);
unsigned mix_coders_lost(void);	/* threads left behind that have not come back; any thread */
uint64_t mix_coder_cpu_us(const struct mix_coder *c);	/* of its thread, as of the last push */
