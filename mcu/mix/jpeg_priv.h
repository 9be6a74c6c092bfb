/* A decoded picture as a file. Any thread; some 10 ms for 720p. */
#pragma once
#include <glib.h>

#include "mcu/mix/picture_priv.h"

/* At most max_w wide (never larger than it is), at most max_bytes long (coarser until it fits). NULL: it could not be made. */
GBytes *mix_jpeg(const struct mix_picture *p, int max_w, size_t max_bytes, int *ret_w, int *ret_h);
