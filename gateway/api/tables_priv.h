/* How the field tables are written. Included by tables*.c only. */
#pragma once
#include "gateway/api/schema.h"

#define T(name_, ...) ORT_JSON_TABLE(gw_table_##name_, struct gw_##name_, __VA_ARGS__)
#define BARE(name_) ORT_JSON_TABLE(gw_table_##name_, struct gw_raw, ORT_JF(struct gw_raw, value, ORT_J_RAW, 0, 0, MIB, NULL, NULL))

#define MUST ORT_J_REQUIRED
#define OMIT ORT_J_OMIT_ZERO
enum { MIB = 1048576, ID = 96, TOKEN = 64, SHORT = 64, LINE = 256, PAGE = 4000, SDP = 120000 };

#define STR(s, m, flags, max, doc) ORT_JF(struct gw_##s, m, ORT_J_STR, flags, ((flags)&MUST) ? 1 : 0, max, NULL, doc)
#define IDF(s, m, flags, doc) STR(s, m, (flags) | ORT_J_ID, ID, doc)
#define TEXT(s, m, flags, max, doc) STR(s, m, (flags) | ORT_J_TEXT, max, doc)
#define INT(s, m, flags, min, max, unit, doc) ORT_JF(struct gw_##s, m, ORT_J_INT, flags, min, max, unit, doc)
#define MS(s, m, flags, doc) INT(s, m, flags, 0, 9e15, "ms", doc)
#define DBL(s, m, flags, min, max, unit, doc) ORT_JF(struct gw_##s, m, ORT_J_DOUBLE, flags, min, max, unit, doc)
#define BOOL(s, m, flags, doc) ORT_JF(struct gw_##s, m, ORT_J_BOOL, flags, 0, 0, NULL, doc)
#define ENUM(s, m, names, flags, doc) ORT_JF_ENUM(struct gw_##s, m, names, flags, doc)
#define ARR(s, m, sub, max, doc) ORT_JF_SUB(struct gw_##s, m, ORT_J_ARRAY, &gw_table_##sub, 0, max, doc)
#define RAW(s, m, flags, max, doc) ORT_JF(struct gw_##s, m, ORT_J_RAW, flags, 0, max, NULL, doc)
