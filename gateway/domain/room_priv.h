/* Record bodies and objects of rooms. Included by domain_priv.h. */
#pragma once
#include "gateway/domain/domain.h"

struct gw_rec_room_put { char *device, *name, *site; int answer; };
struct gw_rec_room_ref { char *device; };

struct gw_room { char *device, *address, *name, *site; enum gw_room_answer answer; };
