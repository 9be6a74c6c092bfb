/* The bodies of the records of rooms as field tables. */
#include "gateway/domain/records_priv.h"

TABLE(room_put, ID(room_put, device, "its token's id"), TEXT(room_put, name, 200, "for people"), OPT_ID(room_put, site, "of the directory"),
      ENUM(room_put, answer, gw_room_answer_names, "rollcall, auto or ask"));
TABLE(room_ref, ID(room_ref, device, "which"));
