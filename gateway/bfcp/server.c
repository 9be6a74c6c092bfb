/* The floor control server's part: one floor, one participant; who gets the floor is decided elsewhere. */
#include <glib.h>
#include <string.h>

#include "gateway/bfcp/core_priv.h"

enum { OTHERS_REQUEST = 0xffff };	/* number under which somebody else holds the floor */

static void put_request(struct bfcp_out *o, const struct bfcp_core *c, uint16_t request, enum gw_bfcp_status status,
			uint16_t user)
{
	size_t info = bfcp_open_group(o, BFCP_A_FLOOR_REQUEST_INFORMATION, request), inner;

	inner = bfcp_open_group(o, BFCP_A_OVERALL_REQUEST_STATUS, request);
	bfcp_put_pair(o, BFCP_A_REQUEST_STATUS, (uint8_t)status, 0);
	if (request == c->request) {
		bfcp_put_text(o, BFCP_A_STATUS_INFO, c->why);
	}
	bfcp_close_group(o, inner);
	inner = bfcp_open_group(o, BFCP_A_FLOOR_REQUEST_STATUS, c->floor);
	bfcp_put_pair(o, BFCP_A_REQUEST_STATUS, (uint8_t)status, 0);
	bfcp_close_group(o, inner);
	inner = bfcp_open_group(o, BFCP_A_BENEFICIARY_INFORMATION, user);
	bfcp_close_group(o, inner);
	bfcp_close_group(o, info);
}

static void put_own(struct bfcp_out *o, const struct bfcp_core *c)
{
	put_request(o, c, c->request, c->status, c->user);
}

static void answer_status(struct bfcp_core *c, const struct bfcp_msg *to, int64_t now_us)
{
	struct bfcp_out o;

	bfcp_core_begin_answer(c, &o, to, BFCP_P_FLOOR_REQUEST_STATUS);
	put_own(&o, c);
	bfcp_core_answer(c, &o, to, now_us);
}

static void put_floor(struct bfcp_out *o, const struct bfcp_core *c)
{
	bfcp_put_u16(o, BFCP_A_FLOOR_ID, c->floor);
	if (c->request && (c->status == GW_BFCP_GRANTED || c->status == GW_BFCP_PENDING)) {
		put_own(o, c);
	}
	if (c->held) {
		put_request(o, c, OTHERS_REQUEST, GW_BFCP_GRANTED, c->user == UINT16_MAX ? 1 : c->user + 1);
	}
}

static void tell_floor(struct bfcp_core *c, int64_t now_us)
{
	struct bfcp_out o;

	if (c->subscribed) {
		bfcp_core_begin(c, &o, BFCP_P_FLOOR_STATUS);
		put_floor(&o, c);
		bfcp_core_request(c, &o, now_us);
	}
}

static void tell_status(struct bfcp_core *c, int64_t now_us)
{
	struct bfcp_out o;

	bfcp_core_begin(c, &o, BFCP_P_FLOOR_REQUEST_STATUS);
	put_own(&o, c);
	bfcp_core_request(c, &o, now_us);
}

static void over(struct bfcp_core *c)
{
	c->request = 0;
	c->why[0] = '\0';
}

static void after_verdict(struct bfcp_core *c, int64_t now_us)
{
	if (c->status >= GW_BFCP_DENIED) {
		over(c);
	}
	tell_floor(c, now_us);
}

void bfcp_server_verdict(struct bfcp_core *c, enum gw_bfcp_status status, const char *why, int64_t now_us)
{
	bool holds = c->status == GW_BFCP_GRANTED || c->status == GW_BFCP_ACCEPTED;

	if (!c->request || c->status == status || (status == GW_BFCP_DENIED && holds) || (status == GW_BFCP_REVOKED && !holds)) {
		return;
	}
	c->status = status;
	if (status == GW_BFCP_GRANTED) {
		c->held = false;
	}
	g_strlcpy(c->why, why ? why : "", sizeof(c->why));
	if (!c->deciding) {
		tell_status(c, now_us);
		after_verdict(c, now_us);
	}
}

void bfcp_server_tell(struct bfcp_core *c, bool held, int64_t now_us)
{
	if (c->held != held) {
		c->held = held;
		tell_floor(c, now_us);
	}
}

static void floor_request(struct bfcp_core *c, const struct bfcp_msg *m, int64_t now_us)
{
	const struct bfcp_attr *floor = bfcp_find(m, NULL, BFCP_A_FLOOR_ID, NULL);
	const struct bfcp_attr *who = bfcp_find(m, NULL, BFCP_A_BENEFICIARY_ID, NULL);

	if (floor == NULL || floor->number != c->floor || bfcp_find(m, NULL, BFCP_A_FLOOR_ID, floor)) {
		bfcp_core_error(c, m, BFCP_E_FLOOR, now_us);
		return;
	}
	if (who != NULL && who->number != c->user) {	/* for others asks a chair */
		bfcp_core_error(c, m, BFCP_E_UNAUTHORIZED, now_us);
		return;
	}
	if (c->request) {	/* endpoints forget what they asked for: the same request again */
		answer_status(c, m, now_us);
		return;
	}
	c->last_request = c->last_request >= OTHERS_REQUEST - 1 ? 1 : c->last_request + 1;
	c->request = c->last_request;
	c->status = GW_BFCP_PENDING;
	c->deciding = true;
	c->ops->on_request(c->user_data);
	c->deciding = false;
	answer_status(c, m, now_us);
	if (c->status != GW_BFCP_PENDING) {
		after_verdict(c, now_us);
	}
}

static bool names_request(struct bfcp_core *c, const struct bfcp_msg *m, int64_t now_us)
{
	const struct bfcp_attr *a = bfcp_find(m, NULL, BFCP_A_FLOOR_REQUEST_ID, NULL);

	if (a != NULL && c->request && a->number == c->request) {
		return true;
	}
	bfcp_core_error(c, m, BFCP_E_REQUEST, now_us);
	return false;
}

static void floor_release(struct bfcp_core *c, const struct bfcp_msg *m, int64_t now_us)
{
	if (!names_request(c, m, now_us)) {
		return;
	}
	c->status = c->status == GW_BFCP_GRANTED ? GW_BFCP_RELEASED : GW_BFCP_CANCELLED;
	answer_status(c, m, now_us);
	after_verdict(c, now_us);
	c->ops->on_release(c->user_data);
}

static void request_query(struct bfcp_core *c, const struct bfcp_msg *m, int64_t now_us)
{
	if (names_request(c, m, now_us)) {
		answer_status(c, m, now_us);
	}
}

static void user_query(struct bfcp_core *c, const struct bfcp_msg *m, int64_t now_us)
{
	struct bfcp_out o;

	bfcp_core_begin_answer(c, &o, m, BFCP_P_USER_STATUS);
	bfcp_close_group(&o, bfcp_open_group(&o, BFCP_A_BENEFICIARY_INFORMATION, c->user));
	if (c->request) {
		put_own(&o, c);
	}
	bfcp_core_answer(c, &o, m, now_us);
}

/* RFC 8855 13.5: the floors named are those whose changes the peer wants to hear. */
static void floor_query(struct bfcp_core *c, const struct bfcp_msg *m, int64_t now_us)
{
	const struct bfcp_attr *a = NULL;
	bool ours = false, other = false;
	struct bfcp_out o;

	while ((a = bfcp_find(m, NULL, BFCP_A_FLOOR_ID, a)) != NULL) {
		ours |= a->number == c->floor;
		other |= a->number != c->floor;
	}
	if (other && !ours) {
		bfcp_core_error(c, m, BFCP_E_FLOOR, now_us);
		return;
	}
	c->subscribed = ours;
	bfcp_core_begin_answer(c, &o, m, BFCP_P_FLOOR_STATUS);
	if (ours) {
		put_floor(&o, c);
	}
	bfcp_core_answer(c, &o, m, now_us);
}

static void chair_action(struct bfcp_core *c, const struct bfcp_msg *m, int64_t now_us)
{
	bfcp_core_error(c, m, BFCP_E_UNAUTHORIZED, now_us);
}

static void (*const handlers[BFCP_P_N])(struct bfcp_core *c, const struct bfcp_msg *m, int64_t now_us) = {
	[BFCP_P_FLOOR_REQUEST] = floor_request, [BFCP_P_FLOOR_RELEASE] = floor_release,
	[BFCP_P_FLOOR_REQUEST_QUERY] = request_query, [BFCP_P_USER_QUERY] = user_query,
	[BFCP_P_FLOOR_QUERY] = floor_query, [BFCP_P_CHAIR_ACTION] = chair_action,
};

void bfcp_server_input(struct bfcp_core *c, const struct bfcp_msg *m, int64_t now_us)
{
	if (handlers[m->prim] != NULL) {
		handlers[m->prim](c, m, now_us);
	} else {
		bfcp_core_error(c, m, BFCP_E_PRIMITIVE, now_us);
	}
}

void bfcp_server_down(struct bfcp_core *c)
{
	bool had = c->request != 0;

	over(c);
	c->subscribed = false;
	if (had) {
		c->ops->on_release(c->user_data);
	}
}

/* A notice that nobody confirms: some endpoints never do and still obey. Only a grant must be known to have arrived. */
void bfcp_server_failed(struct bfcp_core *c, unsigned prim)
{
	if (prim == BFCP_P_FLOOR_REQUEST_STATUS) {
		bfcp_core_gone(c, "timeout");
	}
}
