/* What all legs have in common: the state table, checks before an implementation is asked, silence after the end. */
#include "gateway/leg/leg.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/clock.h"

enum event { EV_ANY };
static const char *const events[] = { "any" };

#define TO(s) ORT_BIT(GW_LEG_##s)
static const struct ort_fsm_state states[GW_LEG_STATE_N] = {
	[GW_LEG_IDLE] = { "idle", ORT_BIT(EV_ANY), TO(CALLING) | TO(CONNECTING) | TO(ENDED), -1 },
	[GW_LEG_CALLING] = { "calling", ORT_BIT(EV_ANY), TO(RINGING) | TO(CONNECTING) | TO(ENDED), -1 },
	[GW_LEG_RINGING] = { "ringing", ORT_BIT(EV_ANY), TO(CONNECTING) | TO(ENDED), -1 },
	[GW_LEG_CONNECTING] = { "connecting", ORT_BIT(EV_ANY), TO(UP) | TO(ENDED), -1 },
	[GW_LEG_UP] = { "up", ORT_BIT(EV_ANY), TO(HELD) | TO(CONNECTING) | TO(ENDED), -1 },
	[GW_LEG_HELD] = { "held", ORT_BIT(EV_ANY), TO(UP) | TO(ENDED), -1 },
	[GW_LEG_ENDED] = { "ended", 0, 0, -1 },
};
const struct ort_fsm_table gw_leg_table = { "leg", states, GW_LEG_STATE_N, events, G_N_ELEMENTS(events), NULL, 0 };

void gw_leg_init(gw_leg *leg, const struct gw_leg_ops *ops, const char *id, const char *room, const char *party,
		 const struct gw_leg_listener *listener, void *user_data)
{
	leg->ops = ops;
	leg->listener = listener;
	leg->user_data = user_data;
	leg->id = g_strdup(id);
	leg->room = g_strdup(room);
	leg->party = g_strdup(party);
	ort_fsm_init(&leg->fsm, &gw_leg_table, GW_LEG_IDLE, 0);
}

void gw_leg_finish(gw_leg *leg)
{
	g_free(leg->id);
	g_free(leg->room);
	g_free(leg->party);
	g_free(leg->why);
}

enum gw_leg_state gw_leg_get_state(const gw_leg *leg)
{
	return (enum gw_leg_state)leg->fsm.state;
}

static bool ended(gw_leg *leg)
{
	bool is = leg->fsm.state == GW_LEG_ENDED;
	leg->late += is;
	return is;
}

bool gw_leg_enter(gw_leg *leg, enum gw_leg_state state, const char *why)
{
	if (ended(leg) || !ort_fsm_enter(&leg->fsm, (int)state, 0)) {
		return false;
	}
	if (state == GW_LEG_ENDED) {
		leg->why = g_strdup(why);
	}
	if (leg->listener->on_state != NULL) {
		leg->listener->on_state(leg, state, why, leg->user_data);
	}
	return true;
}

void gw_leg_stream(gw_leg *leg, const char *stream, enum mcu_kind kind, enum mcu_content content, bool on)
{
	if (!ended(leg) && leg->listener->on_stream != NULL) {
		leg->listener->on_stream(leg, stream, kind, content, on, leg->user_data);
	}
}

void gw_leg_dtmf_came(gw_leg *leg, const char *digits)
{
	if (!ended(leg) && leg->listener->on_dtmf != NULL) {
		leg->listener->on_dtmf(leg, digits, leg->user_data);
	}
}

int gw_leg_dial(gw_leg *leg, const struct gw_leg_dial *dial)
{
	if ((leg->ops->features & GW_LEG_DIALS) == 0) {
		return -ENOTSUP;
	}
	if (leg->fsm.state != GW_LEG_IDLE) {
		return -EBUSY;
	}
	if (dial->address == NULL || dial->address[0] == '\0') {
		return -EINVAL;
	}
	return leg->ops->dial(leg, dial);
}

static bool talking(const gw_leg *leg)
{
	return leg->fsm.state == GW_LEG_CONNECTING || leg->fsm.state == GW_LEG_UP || leg->fsm.state == GW_LEG_HELD;
}

int gw_leg_answer(gw_leg *leg)
{
	if (leg->ops->answer == NULL) {
		return -ENOTSUP;
	}
	return leg->fsm.state == GW_LEG_RINGING ? leg->ops->answer(leg) : -EBUSY;
}

int gw_leg_feed(gw_leg *leg, const char *slot, const char *source)
{
	return talking(leg) ? leg->ops->feed(leg, slot, source) : -ENOTCONN;
}

bool gw_leg_takes(const gw_leg *leg, const char *slot, struct gw_leg_takes *ret)
{
	struct gw_leg_takes takes = { 0 };
	if (leg->ops->takes == NULL || leg->fsm.state == GW_LEG_ENDED || !leg->ops->takes(leg, slot, &takes)) {
		return false;
	}
	*ret = takes;
	return true;
}

int gw_leg_second_video(gw_leg *leg, bool on)
{
	if ((leg->ops->features & GW_LEG_SECOND_VIDEO) == 0) {
		return -ENOTSUP;
	}
	return leg->fsm.state == GW_LEG_UP ? leg->ops->second_video(leg, on) : -ENOTCONN;
}

int gw_leg_send_dtmf(gw_leg *leg, const char *digits)
{
	if ((leg->ops->features & GW_LEG_DTMF) == 0) {
		return -ENOTSUP;
	}
	size_t len = strlen(digits);
	if (len == 0 || len > 32 || strspn(digits, "0123456789ABCD*#") != len) {
		return -EINVAL;
	}
	return leg->fsm.state == GW_LEG_UP ? leg->ops->dtmf(leg, digits) : -ENOTCONN;
}

int gw_leg_hold(gw_leg *leg, bool on)
{
	if ((leg->ops->features & GW_LEG_HOLDS) == 0) {
		return -ENOTSUP;
	}
	return leg->fsm.state == (on ? GW_LEG_UP : GW_LEG_HELD) ? leg->ops->hold(leg, on) : -ENOTCONN;
}

int gw_leg_camera(gw_leg *leg, const struct gw_leg_camera *camera)
{
	if (leg->ops->camera == NULL) {
		return -ENOTSUP;
	}
	if (camera->act >= GW_LEG_CAMERA_N || camera->ms < 0 || camera->preset < 0) {
		return -EINVAL;
	}
	return leg->fsm.state == GW_LEG_UP ? leg->ops->camera(leg, camera) : -ENOTCONN;
}

void gw_leg_hangup(gw_leg *leg, const char *why)
{
	if (leg->fsm.state == GW_LEG_ENDED) {
		return;
	}
	(void)ort_fsm_enter(&leg->fsm, GW_LEG_ENDED, 0);	/* every state leads there */
	leg->why = g_strdup(why);
	leg->ops->hangup(leg, why);
}

json_t *gw_leg_print(const gw_leg *leg)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i}", "id", leg->id, "kind", leg->ops->kind, "room", leg->room, "party",
			      leg->party, "state", states[leg->fsm.state].name, "late", (int)leg->late);
	json_object_set_new(o, "why", leg->why != NULL ? json_string(leg->why) : json_null());
	if (leg->ops->print != NULL) {
		leg->ops->print(leg, o);
	}
	return o;
}

void gw_leg_free(gw_leg *leg)
{
	if (leg != NULL) {
		gw_leg_hangup(leg, "closed");
		leg->ops->free(leg);
	}
}
