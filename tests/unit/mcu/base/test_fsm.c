/* The table engine on a small call machine: every pair of state and event, every pair of states. */
#include <glib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/fsm.h"

/*   IDLE --dial--> RINGING --answer--> UP --drop--> IDLE
 *                     | T_RING
 *                     +--> IDLE                              */
enum { IDLE, RINGING, UP };
enum { DIAL, ANSWER, DROP };
static const struct ort_timer_row timers[] = { { "ring_ms", 30000, "", "rings at most this long" } };
static const char *const events[] = { "dial", "answer", "drop" };
static const struct ort_fsm_state states[] = {
	[IDLE] = { "idle", ORT_BIT(DIAL), ORT_BIT(RINGING), -1 },
	[RINGING] = { "ringing", ORT_BIT(ANSWER) | ORT_BIT(DROP), ORT_BIT(UP) | ORT_BIT(IDLE), 0 },
	[UP] = { "up", ORT_BIT(DROP), ORT_BIT(IDLE) | ORT_BIT(UP), -1 },
};
static const struct ort_fsm_table table = { "call", states, 3, events, 3, timers, 1 };

static const struct { const char *name; int state, event; bool want; } event_rows[] = {
	{ "idle-dial", IDLE, DIAL, true },	    { "idle-answer", IDLE, ANSWER, false },
	{ "idle-drop", IDLE, DROP, false },	    { "ringing-dial", RINGING, DIAL, false },
	{ "ringing-answer", RINGING, ANSWER, true }, { "ringing-drop", RINGING, DROP, true },
	{ "up-dial", UP, DIAL, false },		    { "up-answer", UP, ANSWER, false },
	{ "up-drop", UP, DROP, true },
};

static void takes_event(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct ort_fsm fsm;

	ort_fsm_init(&fsm, &table, event_rows[i].state, 0);
	g_assert_cmpint(ort_fsm_accepts(&fsm, event_rows[i].event), ==, event_rows[i].want);
	g_assert_cmpuint(fsm.forbidden, ==, event_rows[i].want ? 0 : 1);
	g_assert_cmpint(fsm.state, ==, event_rows[i].state);
}

static const struct { const char *name; int from, to; bool want; } move_rows[] = {
	{ "idle-idle", IDLE, IDLE, false },    { "idle-ringing", IDLE, RINGING, true },
	{ "idle-up", IDLE, UP, false },	       { "ringing-idle", RINGING, IDLE, true },
	{ "ringing-ringing", RINGING, RINGING, false }, { "ringing-up", RINGING, UP, true },
	{ "up-idle", UP, IDLE, true },	       { "up-ringing", UP, RINGING, false },
	{ "up-up", UP, UP, true },
};

static void moves(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct ort_fsm fsm;

	ort_fsm_init(&fsm, &table, move_rows[i].from, 0);
	g_assert_cmpint(ort_fsm_enter(&fsm, move_rows[i].to, 0), ==, move_rows[i].want);
	g_assert_cmpint(fsm.state, ==, move_rows[i].want ? move_rows[i].to : move_rows[i].from);
	g_assert_cmpuint(fsm.forbidden, ==, move_rows[i].want ? 0 : 1);
}

static void timer_runs_with_its_state(void)
{
	struct ort_fsm fsm;

	ort_fsm_init(&fsm, &table, IDLE, 100);
	g_assert_cmpint(fsm.deadline_us, ==, ORT_NEVER);
	g_assert_false(ort_fsm_expired(&fsm, ORT_NEVER));
	g_assert_true(ort_fsm_enter(&fsm, RINGING, 100));
	g_assert_cmpint(fsm.deadline_us, ==, 100 + 30 * ORT_US_PER_S);
	g_assert_false(ort_fsm_expired(&fsm, 99 + 30 * ORT_US_PER_S));
	g_assert_true(ort_fsm_expired(&fsm, 100 + 30 * ORT_US_PER_S));
	g_assert_true(ort_fsm_enter(&fsm, UP, 200));
	g_assert_cmpint(fsm.deadline_us, ==, ORT_NEVER);
}

static void map_prints_itself(void)
{
	g_autofree char *dot = ort_fsm_dot(&table);

	g_assert_nonnull(strstr(dot, "\"ringing\" -> \"up\";"));
	g_assert_nonnull(strstr(dot, "ring_ms 30000 ms"));
	g_assert_nonnull(strstr(dot, "\\n+answer"));
	g_assert_null(strstr(dot, "\"idle\" -> \"up\";"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(event_rows); i++) {
		g_autofree char *path = g_strdup_printf("/fsm/event/%s", event_rows[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), takes_event);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(move_rows); i++) {
		g_autofree char *path = g_strdup_printf("/fsm/move/%s", move_rows[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), moves);
	}
	g_test_add_func("/fsm/timer_runs_with_its_state", timer_runs_with_its_state);
	g_test_add_func("/fsm/map_prints_itself", map_prints_itself);
	return g_test_run();
}
