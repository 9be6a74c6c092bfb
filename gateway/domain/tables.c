/* Names and rows of the trade's states, stamps and clocks. */
#include "gateway/domain/domain_priv.h"

const char *const gw_site_state_names[GW_SITE_N + 1] = {
#define X(id, name, from) [GW_SITE_##id] = name,
#include "gateway/domain/states.def"
#undef X
};
const char *const gw_step_names[GW_STEP_N + 1] = {
#define X(id, name, by, doc) [GW_STEP_##id] = name,
#include "gateway/domain/stamps.def"
#undef X
};
const char *const gw_window_state_names[GW_WINDOW_N + 1] = {
	[GW_WINDOW_EMPTY] = "empty", [GW_WINDOW_WAITING] = "waiting", [GW_WINDOW_DRAWN] = "drawn",
	[GW_WINDOW_FROZEN] = "frozen", [GW_WINDOW_LOST] = "lost",
};
const struct gw_timer_row gw_timer_rows[GW_TIMER_N] = {
#define X(id, key, ms, clause, doc) [GW_TIMER_##id] = { key, ms, clause, doc },
#include "gateway/domain/timers.def"
#undef X
};
const struct gw_escalation_row gw_escalation_rows[GW_ESCALATIONS] = {
#define X(step, timer, who, en, zh) { step, GW_TIMER_##timer, who, en, zh },
#include "gateway/domain/escalations.def"
#undef X
};

G_DEFINE_QUARK(gw-domain-error-quark, gw_domain_error)
