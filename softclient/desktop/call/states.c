/* The two machines of a call. Pure; who acts on a new state is wire.c and call.c.
 *
 * signalling   OPENING --opened--> DIALING --dialed--> UP
 *                | ^ \refused        | ^ \_______lost/ |        unknown_us (session gone): OPEN_REST, the link decides
 *            lost| |timer  \     lost| |timer          |lost
 *            OPEN_REST     ENDED   DIAL_REST <---------+        close: ENDED from everywhere
 *
 * media        IDLE --start--> OFFERING --answered--> CONNECTING --connected--> UP <-connected- WAVERING
 *                                ^  \failed,timer,gone   | failed,timer,gone     |   --wavered-->  |
 *                                |timer,start            v                       |failed,gone      |failed,gone,timer
 *                               REST <-------------------+        OFFERING <-----+-----------------+
 */
#include "softclient/desktop/call/call_priv.h"

struct move { int state, event, to; };
struct line_kind {
	struct ort_fsm_table table;
	const struct move *moves;
	size_t n_moves;
	uint64_t rests;		/* states whose timer is the back-off */
	int good;		/* the state that sets the back-off to its least */
	int64_t least_ms, most_ms;
};

#define ALL(n) (ORT_BIT(n) - 1)

/* ---- signalling ---- */
enum { T_OPEN, T_DIAL };
static const struct ort_timer_row wire_timers[] = {
	[T_OPEN] = { "wire.open_ms", 15000, "", "the gateway answers link.open within this time" },
	[T_DIAL] = { "wire.dial_ms", 10000, "", "a WebSocket is up within this time" },
};
static const char *const wire_events[] = { "opened", "refused", "lost", "dialed", "unknown_us", "timer", "close" };
#define WIRE_OUT (ORT_BIT(WIRE_EV_CLOSE) | ORT_BIT(WIRE_EV_LOST) | ORT_BIT(WIRE_EV_UNKNOWN_US))
static const struct ort_fsm_state wire_states[] = {
	[WIRE_OPENING] = { "opening", WIRE_OUT | ORT_BIT(WIRE_EV_OPENED) | ORT_BIT(WIRE_EV_REFUSED) | ORT_BIT(WIRE_EV_TIMER),
			   ORT_BIT(WIRE_DIALING) | ORT_BIT(WIRE_ENDED) | ORT_BIT(WIRE_OPEN_REST), T_OPEN },
	[WIRE_OPEN_REST] = { "open_rest", ORT_BIT(WIRE_EV_CLOSE) | ORT_BIT(WIRE_EV_TIMER),
			     ORT_BIT(WIRE_OPENING) | ORT_BIT(WIRE_ENDED), -1 },
	[WIRE_DIALING] = { "dialing", WIRE_OUT | ORT_BIT(WIRE_EV_DIALED) | ORT_BIT(WIRE_EV_TIMER) | ORT_BIT(WIRE_EV_REFUSED),
			   ORT_BIT(WIRE_UP) | ORT_BIT(WIRE_DIAL_REST) | ORT_BIT(WIRE_OPEN_REST) | ORT_BIT(WIRE_ENDED), T_DIAL },
	[WIRE_UP] = { "up", WIRE_OUT | ORT_BIT(WIRE_EV_REFUSED),
		      ORT_BIT(WIRE_DIAL_REST) | ORT_BIT(WIRE_OPEN_REST) | ORT_BIT(WIRE_ENDED), -1 },
	[WIRE_DIAL_REST] = { "dial_rest", ORT_BIT(WIRE_EV_CLOSE) | ORT_BIT(WIRE_EV_TIMER),
			     ORT_BIT(WIRE_DIALING) | ORT_BIT(WIRE_ENDED), -1 },
	[WIRE_ENDED] = { "ended", 0, 0, -1 },
};
static const struct move wire_moves[] = {
	{ WIRE_OPENING, WIRE_EV_OPENED, WIRE_DIALING },	    { WIRE_OPENING, WIRE_EV_REFUSED, WIRE_ENDED },
	{ WIRE_OPENING, WIRE_EV_LOST, WIRE_OPEN_REST },	    { WIRE_OPENING, WIRE_EV_TIMER, WIRE_OPEN_REST },
	{ WIRE_OPENING, WIRE_EV_UNKNOWN_US, WIRE_OPEN_REST }, { WIRE_OPEN_REST, WIRE_EV_TIMER, WIRE_OPENING },
	{ WIRE_DIALING, WIRE_EV_DIALED, WIRE_UP },	    { WIRE_DIALING, WIRE_EV_LOST, WIRE_DIAL_REST },
	{ WIRE_DIALING, WIRE_EV_TIMER, WIRE_DIAL_REST },    { WIRE_DIALING, WIRE_EV_UNKNOWN_US, WIRE_OPEN_REST },
	{ WIRE_DIALING, WIRE_EV_REFUSED, WIRE_ENDED },	    { WIRE_UP, WIRE_EV_LOST, WIRE_DIAL_REST },
	{ WIRE_UP, WIRE_EV_UNKNOWN_US, WIRE_OPEN_REST },    { WIRE_UP, WIRE_EV_REFUSED, WIRE_ENDED },
	{ WIRE_DIAL_REST, WIRE_EV_TIMER, WIRE_DIALING },    { WIRE_OPENING, WIRE_EV_CLOSE, WIRE_ENDED },
	{ WIRE_OPEN_REST, WIRE_EV_CLOSE, WIRE_ENDED },	    { WIRE_DIALING, WIRE_EV_CLOSE, WIRE_ENDED },
	{ WIRE_UP, WIRE_EV_CLOSE, WIRE_ENDED },		    { WIRE_DIAL_REST, WIRE_EV_CLOSE, WIRE_ENDED },
};
const struct line_kind sc_wire_kind = {
	{ "wire", wire_states, WIRE_STATE_N, wire_events, WIRE_EVENT_N, wire_timers, G_N_ELEMENTS(wire_timers) },
	wire_moves, G_N_ELEMENTS(wire_moves), ORT_BIT(WIRE_OPEN_REST) | ORT_BIT(WIRE_DIAL_REST), WIRE_UP, 200, 5000,
};

/* ---- media ---- */
enum { T_OFFER, T_CONNECT, T_WAVER };
static const struct ort_timer_row leg_timers[] = {
	[T_OFFER] = { "leg.offer_ms", 10000, "", "offer made and answered" },
	[T_CONNECT] = { "leg.connect_ms", 8000, "", "ICE and DTLS done after the answer" },
	[T_WAVER] = { "leg.waver_ms", 1500, "", "silence on the path before a new connection is made" },
};
static const char *const leg_events[] = { "start", "answered", "connected", "wavered", "failed", "gone", "timer", "close" };
static const struct ort_fsm_state leg_states[] = {
	[LEG_IDLE] = { "idle", ALL(LEG_EVENT_N), ORT_BIT(LEG_OFFERING) | ORT_BIT(LEG_ENDED), -1 },
	[LEG_OFFERING] = { "offering", ALL(LEG_EVENT_N), ORT_BIT(LEG_CONNECTING) | ORT_BIT(LEG_REST) | ORT_BIT(LEG_ENDED), T_OFFER },
	[LEG_CONNECTING] = { "connecting", ALL(LEG_EVENT_N), ORT_BIT(LEG_UP) | ORT_BIT(LEG_REST) | ORT_BIT(LEG_ENDED), T_CONNECT },
	[LEG_UP] = { "up", ALL(LEG_EVENT_N), ORT_BIT(LEG_WAVERING) | ORT_BIT(LEG_OFFERING) | ORT_BIT(LEG_ENDED), -1 },
	[LEG_WAVERING] = { "wavering", ALL(LEG_EVENT_N), ORT_BIT(LEG_UP) | ORT_BIT(LEG_OFFERING) | ORT_BIT(LEG_ENDED), T_WAVER },
	[LEG_REST] = { "rest", ALL(LEG_EVENT_N), ORT_BIT(LEG_OFFERING) | ORT_BIT(LEG_ENDED), -1 },
	[LEG_ENDED] = { "ended", ALL(LEG_EVENT_N), 0, -1 },
};
static const struct move leg_moves[] = {
	{ LEG_IDLE, LEG_EV_START, LEG_OFFERING },	{ LEG_OFFERING, LEG_EV_ANSWERED, LEG_CONNECTING },
	{ LEG_OFFERING, LEG_EV_FAILED, LEG_REST },	{ LEG_OFFERING, LEG_EV_GONE, LEG_REST },
	{ LEG_OFFERING, LEG_EV_TIMER, LEG_REST },	{ LEG_CONNECTING, LEG_EV_CONNECTED, LEG_UP },
	{ LEG_CONNECTING, LEG_EV_FAILED, LEG_REST },	{ LEG_CONNECTING, LEG_EV_GONE, LEG_REST },
	{ LEG_CONNECTING, LEG_EV_TIMER, LEG_REST },	{ LEG_UP, LEG_EV_WAVERED, LEG_WAVERING },
	{ LEG_UP, LEG_EV_FAILED, LEG_OFFERING },	{ LEG_UP, LEG_EV_GONE, LEG_OFFERING },
	{ LEG_WAVERING, LEG_EV_CONNECTED, LEG_UP },	{ LEG_WAVERING, LEG_EV_FAILED, LEG_OFFERING },
	{ LEG_WAVERING, LEG_EV_GONE, LEG_OFFERING },	{ LEG_WAVERING, LEG_EV_TIMER, LEG_OFFERING },
	{ LEG_REST, LEG_EV_TIMER, LEG_OFFERING },	{ LEG_REST, LEG_EV_START, LEG_OFFERING },
	{ LEG_IDLE, LEG_EV_CLOSE, LEG_ENDED },		{ LEG_OFFERING, LEG_EV_CLOSE, LEG_ENDED },
	{ LEG_CONNECTING, LEG_EV_CLOSE, LEG_ENDED },	{ LEG_UP, LEG_EV_CLOSE, LEG_ENDED },
	{ LEG_WAVERING, LEG_EV_CLOSE, LEG_ENDED },	{ LEG_REST, LEG_EV_CLOSE, LEG_ENDED },
};
const struct line_kind sc_leg_kind = {
	{ "leg", leg_states, LEG_STATE_N, leg_events, LEG_EVENT_N, leg_timers, G_N_ELEMENTS(leg_timers) },
	leg_moves, G_N_ELEMENTS(leg_moves), ORT_BIT(LEG_REST), LEG_UP, 150, 2000,
};

/* ---- both ---- */
void sc_line_init(struct sc_line *l, const struct line_kind *kind, int64_t now_us)
{
	*l = (struct sc_line){ .kind = kind, .rest_ms = kind->least_ms };
	ort_fsm_init(&l->fsm, &kind->table, 0, now_us);
}

static void entered(struct sc_line *l, int64_t now_us)
{
	if (l->fsm.state == l->kind->good) {
		l->rest_ms = l->kind->least_ms;
	}
	if (l->kind->rests & ORT_BIT(l->fsm.state)) {
		l->fsm.deadline_us = now_us + l->rest_ms * ORT_US_PER_MS;
		l->rest_ms = MIN(l->rest_ms * 2, l->kind->most_ms);
	}
}

bool sc_line_event(struct sc_line *l, int event, int64_t now_us)
{
	if (!ort_fsm_accepts(&l->fsm, event)) {
		return false;
	}
	for (size_t n = 0; n < l->kind->n_moves; n++) {
		const struct move *m = &l->kind->moves[n];
		if (m->state == l->fsm.state && m->event == event && ort_fsm_enter(&l->fsm, m->to, now_us)) {
			entered(l, now_us);
			return true;
		}
	}
	return false;
}

const char *sc_line_state(const struct sc_line *l)
{
	return l->kind->table.states[l->fsm.state].name;
}
