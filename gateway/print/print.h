/* Papers as PDF: the circular (通报) of a roll call. Chinese, A4 across, with the fonts of the host (fonts-noto-cjk). Any thread. */
#pragma once
#include <glib.h>
#include <jansson.h>

/* circular: as rollcall.circular prints it, with the log's head. folder: where the stills lie; those that are not there are
 * left out. (transfer full); NULL with *ret_why (transfer full). */
GBytes *gw_print_circular(const json_t *circular, const char *folder, char **ret_why);
