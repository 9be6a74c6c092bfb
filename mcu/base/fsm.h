/* State machines as const tables with a timer per state. Pure: time is an argument. The owner's thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORT_BIT(n) (UINT64_C(1) << (n))

struct ort_timer_row { const char *key; int64_t default_ms; const char *clause; const char *doc; };

struct ort_fsm_state {
	const char *name;
	uint64_t accepts;	/* ORT_BIT(event) set: others are counted as forbidden */
	uint64_t leads_to;	/* ORT_BIT(state) set */
	int timer;		/* row of the machine's timer table started on entry, -1 = none */
};
struct ort_fsm_table {
	const char *name;
	const struct ort_fsm_state *states;
	size_t n_states;
	const char *const *events;
	size_t n_events;
	const struct ort_timer_row *timers;	/* may be NULL */
	size_t n_timers;
};
struct ort_fsm {
	const struct ort_fsm_table *table;
	int state;
	int64_t deadline_us;	/* ORT_NEVER when the state has no timer */
	uint32_t forbidden;	/* events and moves that the table refused */
};
void ort_fsm_init(struct ort_fsm *fsm, const struct ort_fsm_table *table, int state, int64_t now_us);
bool ort_fsm_accepts(struct ort_fsm *fsm, int event);	/* false counts and logs at debug */
bool ort_fsm_enter(struct ort_fsm *fsm, int state, int64_t now_us);	/* false: move not in leads_to; state unchanged */
bool ort_fsm_expired(const struct ort_fsm *fsm, int64_t now_us);
char *ort_fsm_dot(const struct ort_fsm_table *table);	/* Graphviz text of the table, (transfer full) */
