/* Receiver's format parameters. Pure. */
#pragma once
#include <stdbool.h>

#include "mcu/proto/proto.h"

/* Makes size and rate as small as the receiver needs; *ret_single: H.264 packetization-mode 0. No level named = no limit:
 * the gateway has chosen the size then. */
void mix_fmtp_limit(enum mcu_codec_id codec, const char *fmtp, int *w, int *h, int *fps, bool *ret_single);
