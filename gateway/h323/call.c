/* A call's signalling: the state machine and what comes in. What goes out is built in call_messages.c. */
#include "gateway/h323/call_priv.h"

#include <string.h>

#include "gateway/h323/per_priv.h"

enum { T303_US = 10 * G_USEC_PER_SEC,	/* Setup to any answer */
       T301_US = 180 * G_USEC_PER_SEC,	/* ringing */
       H245_US = 30 * G_USEC_PER_SEC };	/* Connect to an H.245 channel */

static void fill_random(char ret[35])
{
	g_strlcpy(ret, "0x", 35);
	for (int n = 0; n < 4; n++) {
		g_snprintf(ret + 2 + 8 * n, 9, "%08x", g_random_int());
	}
}

struct h323_call *h323_call_new(const struct h323_call_conf *conf, const struct h323_call_ops *ops, void *user_data)
{
	struct h323_call *c = g_new0(struct h323_call, 1);
	c->ops = ops;
	c->user_data = user_data;
	c->conf = *conf;
	c->name = g_strdup(conf->name);
	c->number = g_strdup(conf->number);
	c->product = g_strdup(conf->product);
	c->due_us = INT64_MAX;
	c->tunnel = conf->tunnelling;
	c->crv = conf->crv;
	fill_random(c->id);
	fill_random(c->conference);
	struct h245_conf h245 = { .terminal_type = conf->mcu ? 190 : 60, .capabilities = conf->capabilities };
	c->h245 = h245_new(&h245, ops->h245, user_data);
	return c;
}

void h323_call_free(struct h323_call *c)
{
	if (c == NULL) {
		return;
	}
	h245_free(c->h245);
	g_free(c->name);
	g_free(c->number);
	g_free(c->product);
	g_free(c->to);
	g_free(c);
}

static void over(struct h323_call *c, const char *why)
{
	if (c->state != H323_ENDED) {
		c->state = H323_ENDED;
		c->due_us = INT64_MAX;
		c->ops->on_end(c, why, c->user_data);
	}
}

/* ---- the H.245 channel ---- */
static void start_h245(struct h323_call *c, int64_t now_us)
{
	if (!c->h245_started) {
		c->h245_started = true;
		c->due_us = c->state == H323_ACTIVE ? INT64_MAX : c->due_us;
		h245_start(c->h245, now_us);
	}
}

/* After Connect: tunnelled when both can, else to the address that was told, else the peer shall come to us. */
static void want_h245(struct h323_call *c, int64_t now_us)
{
	struct h245_address own;
	if (c->h245_started || c->h245_connecting) {
		return;
	}
	if (c->tunnel) {
		start_h245(c, now_us);
	} else if (c->h245_at.port != 0) {
		c->h245_connecting = true;
		c->due_us = now_us + H245_US;
		c->ops->connect_h245(c, &c->h245_at, c->user_data);
	} else if (c->ops->listen_h245(c, &own, c->user_data)) {
		c->h245_connecting = true;
		c->due_us = now_us + H245_US;
		call_send_start_h245(c, &own);
	}
}

void h323_call_h245_up(struct h323_call *c, int64_t now_us)
{
	if (c->state != H323_ENDED) {
		c->tunnel = false;
		start_h245(c, now_us);
	}
}

static void take_pdu(struct h323_call *c, const uint8_t *data, size_t len, int64_t now_us)
{
	g_autoptr(json_t) pdu = per_read(per_find("245:MultimediaSystemControlMessage"), data, len, NULL);
	if (pdu == NULL) {
		c->faults++;	/* one PDU that does not read is not the end of a call */
		return;
	}
	h245_receive(c->h245, pdu, now_us);
}

void h323_call_receive_h245(struct h323_call *c, const uint8_t *pdu, size_t len, int64_t now_us)
{
	if (c->state != H323_ENDED) {
		take_pdu(c, pdu, len, now_us);
	}
}

static void take_tunnelled(struct h323_call *c, const json_t *uu, int64_t now_us)
{
	size_t n;
	json_t *item;
	json_array_foreach(json_object_get(uu, "h245Control"), n, item)
	{
		size_t len;
		g_autofree uint8_t *data = call_octets(item, &len);
		if (c->state == H323_ENDED) {
			return;
		}
		if (data == NULL || !c->tunnel) {
			c->faults++;
			continue;
		}
		start_h245(c, now_us);	/* the peer began before Connect: answer it there */
		take_pdu(c, data, len, now_us);
	}
}

void h323_call_h245_ended(struct h323_call *c, const char *why)
{
	if (c->state != H323_ENDED) {
		uint8_t cause = strcmp(why, "timeout") == 0 ? 102 : 16;
		h245_end(c->h245);
		call_send_release(c, cause);
		over(c, why);
	}
}

/* ---- messages of the peer ---- */
static void take_address(struct h323_call *c, const json_t *body)
{
	(void)call_read_address(json_object_get(body, "h245Address"), &c->h245_at);
}

static void on_setup(struct h323_call *c, const struct q931 *m, const json_t *body, int64_t now_us)
{
	if (c->state != H323_IDLE || body == NULL) {
		c->faults++;
		return;
	}
	c->state = H323_OFFERED;
	c->incoming = true;
	c->crv = m->crv;
	c->due_us = now_us + T301_US;
	call_read_setup(c, m, body);
	take_address(c, body);
	call_send_proceeding(c);
	c->ops->on_setup(c, c->user_data);
}

static void on_proceeding(struct h323_call *c, const struct q931 *m, const json_t *body, int64_t now_us)
{
	(void)m;
	take_address(c, body);
	c->due_us = c->state == H323_CALLING ? now_us + T301_US : c->due_us;
}

static void on_alerting(struct h323_call *c, const struct q931 *m, const json_t *body, int64_t now_us)
{
	on_proceeding(c, m, body, now_us);
	call_read_endpoint(c, m, body);
	if (c->state == H323_CALLING) {
		c->state = H323_RINGING;
		c->ops->on_ringing(c, c->user_data);
	}
}

static void on_connect(struct h323_call *c, const struct q931 *m, const json_t *body, int64_t now_us)
{
	if (c->incoming || (c->state != H323_CALLING && c->state != H323_RINGING)) {
		c->faults++;
		return;
	}
	take_address(c, body);
	call_read_endpoint(c, m, body);
	c->state = H323_ACTIVE;
	c->due_us = now_us + H245_US;
	c->ops->on_active(c, c->user_data);
	if (c->state == H323_ACTIVE) {
		want_h245(c, now_us);
	}
}

static void on_facility(struct h323_call *c, const struct q931 *m, const json_t *body, int64_t now_us)
{
	(void)m;
	const char *reason = json_object_iter_key(json_object_iter(json_object_get(body, "reason")));
	if (g_strcmp0(reason, "startH245") == 0) {
		take_address(c, body);
		c->tunnel = c->tunnel && c->h245_started;	/* what runs tunnelled stays there */
		if (c->state == H323_ACTIVE || c->incoming) {
			want_h245(c, now_us);
		}
	} else if (g_strcmp0(reason, "callForwarded") == 0 || g_strcmp0(reason, "routeCallToMC") == 0 ||
		   g_strcmp0(reason, "routeCallToGatekeeper") == 0) {
		struct h245_address to = { 0 };
		char number[128] = "";
		(void)call_read_address(json_object_get(body, "alternativeAddress"), &to);
		call_read_alias(json_array_get(json_object_get(body, "alternativeAliasAddress"), 0), number, sizeof(number));
		if (!c->incoming && (to.port != 0 || number[0] != '\0')) {
			c->ops->on_forwarded(c, number, &to, c->user_data);
			call_send_release(c, 16);
			over(c, "forwarded");
		}
	}
}

static void on_release(struct h323_call *c, const struct q931 *m, const json_t *body, int64_t now_us)
{
	(void)now_us;
	const char *reason = json_object_iter_key(json_object_iter(json_object_get(body, "reason")));
	const struct q931_cause *row = reason != NULL ? q931_by_reason(reason) : q931_by_cause(m->cause != 0 ? m->cause : 16);
	over(c, row->why);
}

static const struct { uint8_t type; const char *body; void (*fn)(struct h323_call *, const struct q931 *, const json_t *, int64_t); } rows[] = {
	{ Q931_SETUP, "setup", on_setup },
	{ Q931_CALL_PROCEEDING, "callProceeding", on_proceeding },
	{ Q931_PROGRESS, "progress", on_proceeding },
	{ Q931_ALERTING, "alerting", on_alerting },
	{ Q931_CONNECT, "connect", on_connect },
	{ Q931_FACILITY, "facility", on_facility },
	{ Q931_RELEASE_COMPLETE, "releaseComplete", on_release },
};

/* A peer that says once that it does not tunnel is taken at its word (dossier 2.5); a CallProceeding may be a gatekeeper's. */
static void judge_tunnel(struct h323_call *c, const struct q931 *m, const json_t *uu)
{
	bool says = json_is_true(json_object_get(uu, "h245Tunnelling"));
	if (c->tunnel && !says && !c->h245_started && m->type != Q931_CALL_PROCEEDING && m->type != Q931_RELEASE_COMPLETE) {
		c->tunnel = false;
	}
}

static void take(struct h323_call *c, const struct q931 *m, int64_t now_us)
{
	const json_t *uu = json_object_get(m->user, "h323-uu-pdu"), *choice = json_object_get(uu, "h323-message-body");
	if (m->user != NULL) {
		judge_tunnel(c, m, uu);
	}
	bool last = m->type == Q931_RELEASE_COMPLETE;
	if (last) {
		take_tunnelled(c, uu, now_us);	/* endSession may ride in it: heard before the end */
	}
	for (size_t n = 0; n < G_N_ELEMENTS(rows) && c->state != H323_ENDED; n++) {
		if (rows[n].type == m->type) {
			rows[n].fn(c, m, json_object_get(choice, rows[n].body), now_us);
			break;
		}
	}
	if (!last && c->state != H323_ENDED) {
		take_tunnelled(c, uu, now_us);
	}
	if (m->type == Q931_STATUS_INQUIRY && c->state != H323_ENDED) {
		call_send_status(c);
	}
}

void h323_call_receive(struct h323_call *c, const uint8_t *message, size_t len, int64_t now_us)
{
	struct q931 m;
	if (c->state == H323_ENDED) {
		return;
	}
	if (!q931_read(&m, message, len, NULL)) {
		c->faults++;
		return;
	}
	bool first = c->state == H323_IDLE;
	if (first ? m.type != Q931_SETUP || m.crv == 0 : m.crv != 0 && m.crv != c->crv) {
		c->faults++;	/* of another call, or nothing to begin with; CRV 0 is everybody's (trap 2) */
	} else {
		take(c, &m, now_us);
	}
	q931_clear(&m);
}

/* ---- what we do ---- */
void h323_call_target(struct h323_call *c, const char *called, const struct h245_address *to)
{
	g_free(c->to);
	c->to = g_strdup(called);
	c->target = *to;
}

void h323_call_start(struct h323_call *c, int64_t now_us)
{
	g_return_if_fail(c->state == H323_IDLE);
	c->state = H323_CALLING;
	c->due_us = now_us + T303_US;
	call_send_setup(c);
}

void h323_call_ringing(struct h323_call *c, int64_t now_us)
{
	(void)now_us;
	if (c->state == H323_OFFERED) {
		c->state = H323_RINGING;
		call_send_alerting(c);
	}
}

void h323_call_answer(struct h323_call *c, int64_t now_us)
{
	if (!c->incoming || (c->state != H323_OFFERED && c->state != H323_RINGING)) {
		return;
	}
	struct h245_address own = { 0 };
	c->state = H323_ACTIVE;
	c->due_us = now_us + H245_US;
	if (!c->tunnel && !c->h245_started && c->ops->listen_h245(c, &own, c->user_data)) {
		c->h245_connecting = true;
	}
	call_send_connect(c, own.port != 0 ? &own : NULL);
	if (c->tunnel) {
		start_h245(c, now_us);
	}
}

void h323_call_end(struct h323_call *c, uint8_t cause)
{
	if (c->state == H323_ENDED) {
		return;
	}
	bool said = c->state != H323_IDLE;
	if (c->h245_started) {
		h245_end(c->h245);
	}
	if (said) {
		call_send_release(c, cause);
	}
	c->state = H323_ENDED;
	c->due_us = INT64_MAX;
}

void h323_call_lost(struct h323_call *c, const char *why)
{
	over(c, why);
}

int64_t h323_call_deadline(const struct h323_call *c)
{
	return c->state == H323_ENDED ? INT64_MAX : MIN(c->due_us, h245_deadline(c->h245));
}

void h323_call_tick(struct h323_call *c, int64_t now_us)
{
	if (c->state == H323_ENDED) {
		return;
	}
	if (now_us >= c->due_us) {
		bool ringing = c->state == H323_RINGING || c->state == H323_OFFERED;
		call_send_release(c, ringing ? 19 : 102);
		over(c, ringing ? "no_answer" : "timeout");
		return;
	}
	h245_tick(c->h245, now_us);
}

/* ---- looks ---- */
enum h323_call_state h323_call_get_state(const struct h323_call *c) { return c->state; }
struct h245 *h323_call_h245(struct h323_call *c) { return c->h245; }
const struct h323_party *h323_call_peer(const struct h323_call *c) { return &c->peer; }
const char *h323_call_called(const struct h323_call *c) { return c->called; }
const char *h323_call_id(const struct h323_call *c) { return c->id; }
bool h323_call_tunnels(const struct h323_call *c) { return c->tunnel; }
unsigned h323_call_faults(const struct h323_call *c) { return c->faults + h245_faults(c->h245); }
