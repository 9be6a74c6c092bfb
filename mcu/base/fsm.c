/* The engine under state tables: checks events and moves against the rows, keeps the state's one timer. */
#include "mcu/base/fsm.h"

#include <glib.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"

static void set_state(struct ort_fsm *fsm, int state, int64_t now_us)
{
	const struct ort_fsm_state *row = &fsm->table->states[state];
	fsm->state = state;
	fsm->deadline_us = ORT_NEVER;
	if (row->timer >= 0) {
		g_assert((size_t)row->timer < fsm->table->n_timers);
		fsm->deadline_us = now_us + fsm->table->timers[row->timer].default_ms * ORT_US_PER_MS;
	}
}

static bool refuse(struct ort_fsm *fsm, const char *event, const char *what)
{
	fsm->forbidden++;
	ort_log(ORT_LOG_DEBUG, "fsm", event, "the state table refused it", ORT_S("machine", fsm->table->name),
		ORT_S("state", fsm->table->states[fsm->state].name), ORT_S("what", what));
	return false;
}

void ort_fsm_init(struct ort_fsm *fsm, const struct ort_fsm_table *table, int state, int64_t now_us)
{
	g_assert(table->n_states <= 64 && table->n_events <= 64);
	g_assert(state >= 0 && (size_t)state < table->n_states);
	*fsm = (struct ort_fsm){ .table = table };
	set_state(fsm, state, now_us);
}

bool ort_fsm_accepts(struct ort_fsm *fsm, int event)
{
	g_assert(event >= 0 && (size_t)event < fsm->table->n_events);
	if (fsm->table->states[fsm->state].accepts & ORT_BIT(event)) {
		return true;
	}
	return refuse(fsm, "fsm.event", fsm->table->events[event]);
}

bool ort_fsm_enter(struct ort_fsm *fsm, int state, int64_t now_us)
{
	g_assert(state >= 0 && (size_t)state < fsm->table->n_states);
	if (!(fsm->table->states[fsm->state].leads_to & ORT_BIT(state))) {
		return refuse(fsm, "fsm.move", fsm->table->states[state].name);
	}
	set_state(fsm, state, now_us);
	return true;
}

bool ort_fsm_expired(const struct ort_fsm *fsm, int64_t now_us)
{
	return fsm->deadline_us != ORT_NEVER && now_us >= fsm->deadline_us;
}

static void dot_state(GString *out, const struct ort_fsm_table *table, const struct ort_fsm_state *row)
{
	g_string_append_printf(out, "\t\"%s\" [label=\"%s", row->name, row->name);
	if (row->timer >= 0) {
		const struct ort_timer_row *timer = &table->timers[row->timer];

		g_string_append_printf(out, "\\n%s %" G_GINT64_FORMAT " ms", timer->key, timer->default_ms);
	}
	for (size_t e = 0; e < table->n_events; e++) {
		if (row->accepts & ORT_BIT(e)) {
			g_string_append_printf(out, "\\n+%s", table->events[e]);
		}
	}
	g_string_append(out, "\"];\n");
}

char *ort_fsm_dot(const struct ort_fsm_table *table)
{
	GString *out = g_string_new(NULL);

	g_string_append_printf(out, "digraph \"%s\" {\n\tnode [shape=box];\n", table->name);
	for (size_t s = 0; s < table->n_states; s++) {
		dot_state(out, table, &table->states[s]);
		for (size_t t = 0; t < table->n_states; t++) {
			if (table->states[s].leads_to & ORT_BIT(t)) {
				g_string_append_printf(out, "\t\"%s\" -> \"%s\";\n", table->states[s].name,
						       table->states[t].name);
			}
		}
	}
	g_string_append(out, "}\n");
	return g_string_free(out, FALSE);
}
