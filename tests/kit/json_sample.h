/* A JSON value that a field table accepts: every member filled within its limits, ids and texts drawn from `seed`.
 * Pure, any thread. */
#pragma once
#include "mcu/base/json.h"

json_t *kit_json_sample(const struct ort_json_table *table, unsigned seed);	/* (transfer full) */
