/* Counters of the control thread, and the sum over the workers. */
#include "mcu/base/clock.h"
#include "mcu/engine/engine_priv.h"

static const struct { const char *name; size_t offset; } rows[] = {
#define X(name, doc) { "engine." #name, offsetof(struct mcu_engine_counters, name) },
	ENGINE_COUNTERS(X)
#undef X
};

json_t *mcu_stats_own(const mcu_engine *e)
{
	json_t *out = json_object();
	double busy = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const uint64_t *value = (const void *)((const char *)&e->counters + rows[i].offset);
		json_object_set_new(out, rows[i].name, json_integer((json_int_t)*value));
	}
	for (unsigned i = 0; i < e->n_workers; i++) {
		busy = MAX(busy, mcu_worker_busy(e->workers[i]));
	}
	json_object_set_new(out, "engine.rooms", json_integer(g_hash_table_size(e->rooms)));
	mcu_mixers_stats(e, out);
	json_object_set_new(out, "engine.workers", json_integer(e->n_workers));
	json_object_set_new(out, "engine.uptime_s", json_integer((ort_now_us() - e->begin_us) / ORT_US_PER_S));
	json_object_set_new(out, "engine.busiest_worker_percent", json_integer((json_int_t)(busy * 100)));
	return out;
}

void mcu_stats_add(json_t *to, const json_t *counters)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)counters, name, value) {
		const json_t *had = json_object_get(to, name);
		json_t *sum = NULL;
		if (json_is_integer(value)) {
			sum = json_integer(json_integer_value(value) + json_integer_value(had));
		} else if (json_is_real(value)) {
			sum = json_real(json_real_value(value) + json_number_value(had));
		}
		if (sum) {
			json_object_set_new(to, name, sum);
		}
	}
}
