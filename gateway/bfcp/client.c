/* The participant's part: Hello, listen to the floor, ask for it, give it back. */
#include <string.h>

#include "gateway/bfcp/core_priv.h"
#include "mcu/base/clock.h"

#define KEEP_US (20 * ORT_US_PER_S)	/* Hello keeps a NAT open, RFC 8856 9 */

static void say_hello(struct bfcp_core *c, int64_t now_us)
{
	struct bfcp_out o;

	bfcp_core_begin(c, &o, BFCP_P_HELLO);
	bfcp_core_request(c, &o, now_us);
	c->keep_us = c->datagram ? now_us + KEEP_US : ORT_NEVER;
}

static void ask_for_floor_status(struct bfcp_core *c, int64_t now_us)
{
	struct bfcp_out o;

	bfcp_core_begin(c, &o, BFCP_P_FLOOR_QUERY);
	bfcp_put_u16(&o, BFCP_A_FLOOR_ID, c->floor);
	bfcp_core_request(c, &o, now_us);
}

static void send_request(struct bfcp_core *c, int64_t now_us)
{
	struct bfcp_out o;

	bfcp_core_begin(c, &o, BFCP_P_FLOOR_REQUEST);
	bfcp_put_u16(&o, BFCP_A_FLOOR_ID, c->floor);
	bfcp_core_request(c, &o, now_us);
}

static void send_release(struct bfcp_core *c, int64_t now_us)
{
	struct bfcp_out o;

	bfcp_core_begin(c, &o, BFCP_P_FLOOR_RELEASE);
	bfcp_put_u16(&o, BFCP_A_FLOOR_REQUEST_ID, c->request);
	bfcp_core_request(c, &o, now_us);
}

void bfcp_client_up(struct bfcp_core *c, int64_t now_us)
{
	c->floor_told = false;
	say_hello(c, now_us);
	if (c->asked && !c->request) {
		send_request(c, now_us);
	}
}

void bfcp_client_down(struct bfcp_core *c)
{
	if (c->request) {	/* what the server granted died with the connection; a wish not yet sent lives */
		c->asked = false;
		c->request = 0;
	}
	c->release_wanted = false;
}

void bfcp_client_timer(struct bfcp_core *c, int64_t now_us)
{
	if (c->up && c->keep_us <= now_us) {
		say_hello(c, now_us);
	}
}

void bfcp_client_request(struct bfcp_core *c, int64_t now_us)
{
	c->release_wanted = false;
	if (c->asked) {
		return;
	}
	c->asked = true;
	if (c->up) {
		send_request(c, now_us);
	}
}

void bfcp_client_release(struct bfcp_core *c, int64_t now_us)
{
	if (c->request) {
		send_release(c, now_us);
	} else if (c->up && bfcp_core_waits(c, BFCP_P_FLOOR_REQUEST)) {
		c->release_wanted = true;	/* its number comes with the answer */
	} else {
		c->asked = false;
	}
}

/* ---- what the server says ---- */
static unsigned status_in(const struct bfcp_msg *m, const struct bfcp_attr *info)
{
	static const uint8_t groups[] = { BFCP_A_OVERALL_REQUEST_STATUS, BFCP_A_FLOOR_REQUEST_STATUS };

	for (unsigned i = 0; i < sizeof(groups); i++) {
		const struct bfcp_attr *group = bfcp_find(m, info, groups[i], NULL);
		const struct bfcp_attr *status = group ? bfcp_find(m, group, BFCP_A_REQUEST_STATUS, NULL) : NULL;

		if (status != NULL) {
			return status->number >> 8;
		}
	}
	return 0;
}

static void end(struct bfcp_core *c, enum gw_bfcp_status status)
{
	c->asked = c->release_wanted = false;
	c->request = 0;
	c->status = status;
	c->ops->on_status(status, c->user_data);
}

static void take_status(struct bfcp_core *c, const struct bfcp_msg *m, bool of_request, int64_t now_us)
{
	const struct bfcp_attr *info = bfcp_find(m, NULL, BFCP_A_FLOOR_REQUEST_INFORMATION, NULL);
	unsigned status = info ? status_in(m, info) : 0;

	if (status < GW_BFCP_PENDING || status > GW_BFCP_REVOKED) {
		return;
	}
	if (of_request) {
		c->request = info->number;
	}
	if (!c->asked || info->number != c->request) {
		return;
	}
	if (status >= GW_BFCP_DENIED) {
		end(c, (enum gw_bfcp_status)status);
		return;
	}
	if (c->release_wanted) {
		c->release_wanted = false;
		send_release(c, now_us);
		return;
	}
	c->status = (enum gw_bfcp_status)status;
	c->ops->on_status(c->status, c->user_data);
}

static bool is_ours(const struct bfcp_core *c, const struct bfcp_msg *m, const struct bfcp_attr *info)
{
	const struct bfcp_attr *who = bfcp_find(m, info, BFCP_A_BENEFICIARY_INFORMATION, NULL);

	return (c->request && info->number == c->request) || (who != NULL && who->number == c->user);
}

static void take_floor(struct bfcp_core *c, const struct bfcp_msg *m)
{
	const struct bfcp_attr *info = NULL;
	bool held = false, ours = false;

	while ((info = bfcp_find(m, NULL, BFCP_A_FLOOR_REQUEST_INFORMATION, info)) != NULL) {
		if (status_in(m, info) == GW_BFCP_GRANTED) {
			held = true;
			ours |= is_ours(c, m, info);
		}
	}
	if (!c->floor_told || held != c->floor_held || ours != c->floor_ours) {
		c->floor_told = true;
		c->floor_held = held;
		c->floor_ours = ours;
		c->ops->on_floor(held, ours, c->user_data);
	}
}

/* Notices of the server; on datagrams it wants to know that they came (RFC 8855 8.2). */
void bfcp_client_input(struct bfcp_core *c, const struct bfcp_msg *m, int64_t now_us)
{
	struct bfcp_out o;

	if (m->prim != BFCP_P_FLOOR_REQUEST_STATUS && m->prim != BFCP_P_FLOOR_STATUS) {
		bfcp_core_error(c, m, BFCP_E_UNAUTHORIZED, now_us);	/* we serve nobody here */
		return;
	}
	if (c->datagram) {
		bfcp_core_begin_answer(c, &o, m, bfcp_answer_of(m->prim));
		bfcp_core_answer(c, &o, m, now_us);
	}
	if (m->prim == BFCP_P_FLOOR_STATUS) {
		take_floor(c, m);
	} else {
		take_status(c, m, false, now_us);
	}
}

void bfcp_client_answered(struct bfcp_core *c, unsigned prim, const struct bfcp_msg *m, int64_t now_us)
{
	bool error = m->prim == BFCP_P_ERROR;

	if (prim == BFCP_P_HELLO && !c->floor_told) {	/* servers that know no Hello may know floors */
		ask_for_floor_status(c, now_us);
	} else if (prim == BFCP_P_FLOOR_QUERY && !error) {
		take_floor(c, m);
	} else if (prim == BFCP_P_FLOOR_REQUEST && error) {
		end(c, GW_BFCP_DENIED);
	} else if (prim == BFCP_P_FLOOR_RELEASE && error) {
		end(c, GW_BFCP_RELEASED);
	} else if (prim == BFCP_P_FLOOR_REQUEST || prim == BFCP_P_FLOOR_RELEASE) {
		take_status(c, m, prim == BFCP_P_FLOOR_REQUEST, now_us);
	}
}

void bfcp_client_failed(struct bfcp_core *c, unsigned prim)
{
	if (prim == BFCP_P_FLOOR_REQUEST) {
		end(c, GW_BFCP_CANCELLED);
	} else if (prim == BFCP_P_FLOOR_RELEASE) {
		end(c, GW_BFCP_RELEASED);
	}
	c->floor_told = false;	/* asked about anew by the next Hello that is answered */
	bfcp_core_gone(c, "timeout");
}
