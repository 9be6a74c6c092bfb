#include <gst/gst.h>

#include "mcu/mixer/mixer_priv.h"

bool mixer_preload(GError **err)
{
	return gst_init_check(NULL, NULL, err);
}
