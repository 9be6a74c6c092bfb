/* Names and rows of the trade's states, stamps and clocks. */
#include "gateway/domain/domain_priv.h"

const char *const gw_site_state_names[GW_SITE_N + 1] = {
#define X(id, name, from) [GW_SITE_##id] = name,
#include "gateway/domain/states.def"
#undef X
};
/* From which states each may be entered. */
static const uint64_t entry[GW_SITE_N] = {
#define SITE_ANY (~UINT64_C(0))
#define FROM(s) (UINT64_C(1) << (GW_SITE_##s))
#define X(id, name, mask) [GW_SITE_##id] = mask,
#include "gateway/domain/states.def"
#undef X
};

bool gw_site_may_enter(enum gw_site_state from, enum gw_site_state to)
{
	return (entry[to] & (UINT64_C(1) << from)) != 0;
}

const char *const gw_step_names[GW_STEP_N + 1] = {
#define X(id, name, by, doc) [GW_STEP_##id] = name,
#include "gateway/domain/stamps.def"
#undef X
};
const char *const gw_window_state_names[GW_WINDOW_N + 1] = {
	[GW_WINDOW_EMPTY] = "empty", [GW_WINDOW_WAITING] = "waiting", [GW_WINDOW_DRAWN] = "drawn",
	[GW_WINDOW_FROZEN] = "frozen", [GW_WINDOW_LOST] = "lost",
};
const char *const gw_party_kind_names[GW_PARTY_KIND_N + 1] = {
	[GW_PARTY_BROWSER] = "browser", [GW_PARTY_SIP] = "sip", [GW_PARTY_TRUNK] = "trunk",
	[GW_PARTY_ROOM] = "room", [GW_PARTY_H323] = "h323",
};
const char *const gw_party_role_names[GW_PARTY_ROLE_N + 1] = {
	[GW_PARTY_PARTICIPANT] = "participant", [GW_PARTY_CHAIR] = "chair", [GW_PARTY_OBSERVER] = "observer",
};
const char *const gw_cell_mode_names[GW_CELL_MODE_N + 1] = {
	[GW_CELL_EMPTY] = "empty", [GW_CELL_FIXED] = "fixed", [GW_CELL_VOICE] = "voice", [GW_CELL_POLL] = "poll",
	[GW_CELL_CONTENT] = "content",
};
const char *const gw_result_names[GW_RESULT_N + 1] = {
#define X(id, name, zh) [GW_RESULT_##id] = name,
#include "gateway/domain/results.def"
#undef X
};
const char *const gw_result_names_zh[GW_RESULT_N + 1] = {
#define X(id, name, zh) [GW_RESULT_##id] = zh,
#include "gateway/domain/results.def"
#undef X
};
const struct gw_layout_row gw_layout_rows[] = {
#define X(name, cells, voiced, most) { name, cells, voiced, most },
#include "gateway/domain/layouts.def"
#undef X
};
const size_t gw_n_layout_rows = G_N_ELEMENTS(gw_layout_rows);
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
