/* Inside of softclient/desktop/call. */
#pragma once
#include <glib.h>

#include "gateway/api/schema.h"
#include "mcu/base/clock.h"
#include "mcu/base/fsm.h"
#include "mcu/base/log.h"
#include "softclient/desktop/call/call.h"

/* ---- states.c: both machines as tables ---- */
enum wire_state { WIRE_OPENING, WIRE_OPEN_REST, WIRE_DIALING, WIRE_UP, WIRE_DIAL_REST, WIRE_ENDED, WIRE_STATE_N };
enum wire_event { WIRE_EV_OPENED, WIRE_EV_REFUSED, WIRE_EV_LOST, WIRE_EV_DIALED, WIRE_EV_UNKNOWN_US, WIRE_EV_TIMER, WIRE_EV_CLOSE,
		  WIRE_EVENT_N };
enum leg_state { LEG_IDLE, LEG_OFFERING, LEG_CONNECTING, LEG_UP, LEG_WAVERING, LEG_REST, LEG_ENDED, LEG_STATE_N };
enum leg_event { LEG_EV_START, LEG_EV_ANSWERED, LEG_EV_CONNECTED, LEG_EV_WAVERED, LEG_EV_FAILED, LEG_EV_GONE, LEG_EV_TIMER, LEG_EV_CLOSE,
		 LEG_EVENT_N };

struct sc_line {
	struct ort_fsm fsm;
	const struct line_kind *kind;
	int64_t rest_ms;	/* the next back-off */
};
extern const struct line_kind sc_wire_kind, sc_leg_kind;

void sc_line_init(struct sc_line *l, const struct line_kind *kind, int64_t now_us);
/* True when it moved: then do what the new state's entry means. Leaves fsm.deadline_us set. */
bool sc_line_event(struct sc_line *l, int event, int64_t now_us);
const char *sc_line_state(const struct sc_line *l);

/* ---- wire.c: REST and WebSocket ---- */
typedef struct sc_wire sc_wire;
typedef void (*sc_reply_fn)(const char *error, const char *why, const void *reply, void *user_data);	/* error NULL = reply valid */
struct sc_wire_listener {
	void (*on_open)(const struct gw_session_info *session, void *user_data);	/* the link gave a session */
	void (*on_up)(bool up, void *user_data);
	void (*on_event)(enum gw_event event, const void *body, void *user_data);
	void (*on_ended)(enum sc_call_end end, const char *why, void *user_data);	/* once, from a timer */
};
sc_wire *sc_wire_new(const struct sc_call_conf *conf, const struct sc_wire_listener *listener, void *user_data, char **ret_why);
/* `request` copied. Fails with "offline" when down. fn may be NULL. */
void sc_wire_call(sc_wire *w, enum gw_method method, const void *request, sc_reply_fn fn, void *user_data);
bool sc_wire_is_up(const sc_wire *w);
int64_t sc_wire_now_ms(const sc_wire *w);	/* the server's clock as well as we know it */
const char *sc_wire_state(const sc_wire *w);
void sc_wire_close(sc_wire *w, enum sc_call_end end, const char *why);	/* on_ended follows */
void sc_wire_free(sc_wire *w);			/* callers that wait get "offline" */
