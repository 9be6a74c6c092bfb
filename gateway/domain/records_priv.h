/* How the bodies of the log's records are written as field tables. Included by records*.c only. */
#pragma once
#include "gateway/domain/domain_priv.h"

#define REQ ORT_J_REQUIRED
#define TABLE(t, ...)                                                                                                  \
	static const struct ort_json_field t##_fields[] = { __VA_ARGS__ };                                             \
	const struct ort_json_table gw_rec_table_##t = { #t, sizeof(struct gw_rec_##t), t##_fields,                    \
							 G_N_ELEMENTS(t##_fields) }
#define ID(t, m, doc)	     ORT_JF(struct gw_rec_##t, m, ORT_J_STR, REQ | ORT_J_ID, 1, 96, NULL, doc)
#define OPT_ID(t, m, doc)    ORT_JF(struct gw_rec_##t, m, ORT_J_STR, ORT_J_ID | ORT_J_OMIT_ZERO, 0, 96, NULL, doc)
#define TEXT(t, m, max, doc) ORT_JF(struct gw_rec_##t, m, ORT_J_STR, ORT_J_TEXT | ORT_J_OMIT_ZERO, 0, max, NULL, doc)
#define INT(t, m, lo, hi, unit, doc) ORT_JF(struct gw_rec_##t, m, ORT_J_INT, 0, lo, hi, unit, doc)
#define MS(t, m, doc)	     INT(t, m, 0, 0, "ms", doc)
#define BOOL(t, m, doc)	     ORT_JF(struct gw_rec_##t, m, ORT_J_BOOL, 0, 0, 0, NULL, doc)
#define DEG(t, m, lim, doc)  ORT_JF(struct gw_rec_##t, m, ORT_J_DOUBLE, 0, -lim, lim, "degree", doc)
#define ENUM(t, m, names, doc) ORT_JF_ENUM(struct gw_rec_##t, m, names, REQ, doc)
#define DB(t, m, doc) ORT_JF(struct gw_rec_##t, m, ORT_J_DOUBLE, 0, -60, 20, "dB", doc)
