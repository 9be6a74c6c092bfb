/* Transactions of one association. Over datagrams a request goes out four times (T1 doubles) and a server's notice is a
 * request too; over streams each goes once and notices have number 0 (RFC 8855 8.1, 8.3). */
#include "gateway/bfcp/core_priv.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/fsm.h"

enum { T1, T2, T_STREAM };
static const struct ort_timer_row timers[] = {
	[T1] = { "bfcp.t1_ms", 500, "RFC 8855 8.3.1", "first repetition of a request; then twice as long each time" },
	[T2] = { "bfcp.t2_ms", 10000, "RFC 8855 8.3.2", "an answer is kept so long for requests that come again" },
	[T_STREAM] = { "bfcp.stream_ms", 10000, "RFC 8855 8.3", "an answer on a stream comes within this" },
};
enum { SENDINGS = 4 };

void bfcp_core_init(struct bfcp_core *c, bool datagram, const struct bfcp_core_ops *ops, struct bfcp_counters *counters,
		    uint16_t first_tid, void *user_data)
{
	memset(c, 0, sizeof(*c));
	c->ops = ops;
	c->user_data = user_data;
	c->counters = counters;
	c->datagram = datagram;
	c->version = datagram ? 2 : 1;
	c->next_tid = first_tid;
	c->keep_us = ORT_NEVER;
}

void bfcp_core_role(struct bfcp_core *c, bool server, uint32_t conference, uint16_t user, uint16_t floor)
{
	c->server = server;
	c->conference = conference;
	c->user = user;
	c->floor = floor;
}

static void transmit(struct bfcp_core *c, const uint8_t *data, size_t len)
{
	if (c->up) {
		c->ops->send(data, len, c->user_data);
	}
}

void bfcp_core_gone(struct bfcp_core *c, const char *why)
{
	if (!c->gone) {
		c->gone = true;
		c->ops->on_gone(why, c->user_data);
	}
}

void bfcp_core_up(struct bfcp_core *c, int64_t now_us)
{
	c->up = true;
	c->gone = false;
	if (!c->server) {
		bfcp_client_up(c, now_us);
	}
}

void bfcp_core_down(struct bfcp_core *c, const char *why)
{
	c->up = false;
	c->keep_us = ORT_NEVER;
	memset(c->out, 0, sizeof(c->out));
	memset(c->replies, 0, sizeof(c->replies));
	if (c->server) {
		bfcp_server_down(c);
	} else {
		bfcp_client_down(c);
	}
	bfcp_core_gone(c, why);
}

/* ---- requests of ours ---- */
static uint16_t take_tid(struct bfcp_core *c)
{
	c->next_tid = c->next_tid == UINT16_MAX ? 1 : c->next_tid + 1;	/* 0 is for notices on streams */
	return c->next_tid;
}

void bfcp_core_begin(struct bfcp_core *c, struct bfcp_out *o, unsigned prim)
{
	bool notice = !c->datagram && c->server;

	bfcp_begin(o, c->version, false, prim, c->conference, notice ? 0 : take_tid(c), c->user);
}

/* A place for it; the oldest gives way when all are taken. */
static struct bfcp_transaction *place(struct bfcp_core *c)
{
	struct bfcp_transaction *t = &c->out[0];

	for (unsigned i = 0; i < BFCP_TRANSACTIONS; i++) {
		if (!c->out[i].prim) {
			return &c->out[i];
		}
		t = c->out[i].sent > t->sent ? &c->out[i] : t;
	}
	c->counters->timeouts++;
	return t;
}

void bfcp_core_request(struct bfcp_core *c, struct bfcp_out *o, int64_t now_us)
{
	struct bfcp_transaction *t;

	bfcp_end(o);
	if (o->over || o->len > BFCP_OWN_LONGEST || !c->up) {
		return;
	}
	c->counters->messages_out++;
	if (o->data[8] || o->data[9]) {
		t = place(c);
		*t = (struct bfcp_transaction){ .prim = o->data[1], .tid = (uint16_t)(o->data[8] << 8 | o->data[9]), .sent = 1,
						.len = o->len };
		memcpy(t->data, o->data, o->len);
		t->next_us = now_us + timers[c->datagram ? T1 : T_STREAM].default_ms * ORT_US_PER_MS;
	}
	transmit(c, o->data, o->len);
}

bool bfcp_core_waits(const struct bfcp_core *c, unsigned prim)
{
	for (unsigned i = 0; i < BFCP_TRANSACTIONS; i++) {
		if (c->out[i].prim == prim) {
			return true;
		}
	}
	return false;
}

static void failed(struct bfcp_core *c, struct bfcp_transaction *t)
{
	uint8_t prim = t->prim;

	t->prim = 0;
	c->counters->timeouts++;
	if (c->server) {
		bfcp_server_failed(c, prim);
	} else {
		bfcp_client_failed(c, prim);
	}
}

void bfcp_core_timer(struct bfcp_core *c, int64_t now_us)
{
	for (unsigned i = 0; i < BFCP_TRANSACTIONS; i++) {
		struct bfcp_transaction *t = &c->out[i];

		if (!t->prim || t->next_us > now_us) {
			continue;
		}
		if (!c->datagram || t->sent == SENDINGS) {
			failed(c, t);
			continue;
		}
		t->next_us = now_us + (timers[T1].default_ms << t->sent) * ORT_US_PER_MS;
		t->sent++;
		c->counters->retransmissions++;
		transmit(c, t->data, t->len);
	}
	if (!c->server) {
		bfcp_client_timer(c, now_us);
	}
}

int64_t bfcp_core_deadline(const struct bfcp_core *c)
{
	int64_t next = c->keep_us;

	for (unsigned i = 0; i < BFCP_TRANSACTIONS; i++) {
		next = c->out[i].prim ? MIN(next, c->out[i].next_us) : next;
	}
	return next;
}

/* ---- answers of ours ---- */
void bfcp_core_begin_answer(struct bfcp_core *c, struct bfcp_out *o, const struct bfcp_msg *to, unsigned prim)
{
	bfcp_begin(o, to->version, true, prim, to->conference, to->tid, to->user);
}

void bfcp_core_answer(struct bfcp_core *c, struct bfcp_out *o, const struct bfcp_msg *to, int64_t now_us)
{
	struct bfcp_reply *r = &c->replies[c->next_reply % BFCP_REPLIES];

	bfcp_end(o);
	if (o->over || o->len > BFCP_OWN_LONGEST) {
		return;
	}
	if (c->datagram) {
		*r = (struct bfcp_reply){ .prim = to->prim, .tid = to->tid, .at_us = now_us, .len = o->len };
		memcpy(r->data, o->data, o->len);
		c->next_reply++;
	}
	c->counters->messages_out++;
	transmit(c, o->data, o->len);
}

static bool answer_again(struct bfcp_core *c, const struct bfcp_msg *m, int64_t now_us)
{
	for (unsigned i = 0; c->datagram && i < BFCP_REPLIES; i++) {
		const struct bfcp_reply *r = &c->replies[i];

		if (r->len > 0 && r->prim == m->prim && r->tid == m->tid &&
		    now_us - r->at_us < timers[T2].default_ms * ORT_US_PER_MS) {
			c->counters->repeated++;
			transmit(c, r->data, r->len);
			return true;
		}
	}
	return false;
}

void bfcp_core_error(struct bfcp_core *c, const struct bfcp_msg *to, enum bfcp_error error, int64_t now_us)
{
	uint8_t value[1 + BFCP_MOST_UNKNOWN] = { (uint8_t)error };
	unsigned n = error == BFCP_E_ATTRIBUTE ? to->n_unknown : 0;
	struct bfcp_out o;

	for (unsigned i = 0; i < n; i++) {
		value[1 + i] = (uint8_t)(to->unknown[i] << 1);
	}
	c->counters->errors_out++;
	bfcp_core_begin_answer(c, &o, to, BFCP_P_ERROR);
	if (error == BFCP_E_VERSION) {
		o.data[0] = (uint8_t)(c->version << 5 | (o.data[0] & 0x1f));
	}
	bfcp_put_octets(&o, BFCP_A_ERROR_CODE, value, 1 + n);
	bfcp_core_answer(c, &o, to, now_us);
}

/* ---- what comes in ---- */
static struct bfcp_transaction *answered(struct bfcp_core *c, const struct bfcp_msg *m)
{
	for (unsigned i = 0; i < BFCP_TRANSACTIONS; i++) {
		struct bfcp_transaction *t = &c->out[i];

		if (t->prim && t->tid == m->tid && (m->prim == BFCP_P_ERROR || m->prim == bfcp_answer_of(t->prim))) {
			return t;
		}
	}
	return NULL;
}

static void answer_came(struct bfcp_core *c, struct bfcp_transaction *t, const struct bfcp_msg *m, int64_t now_us)
{
	uint8_t prim = t->prim;

	t->prim = 0;
	c->counters->errors_in += m->prim == BFCP_P_ERROR;
	if (!c->server) {
		bfcp_client_answered(c, prim, m, now_us);
	}
}

static bool is_request(const struct bfcp_msg *m)
{
	return !m->response && bfcp_answer_of(m->prim) != 0;
}

static void request_came(struct bfcp_core *c, const struct bfcp_msg *m, int64_t now_us)
{
	struct bfcp_out o;

	if (answer_again(c, m, now_us)) {
		return;
	}
	if (m->conference != c->conference || m->user != c->user) {
		bfcp_core_error(c, m, m->conference != c->conference ? BFCP_E_CONFERENCE : BFCP_E_USER, now_us);
	} else if (m->n_unknown > 0) {
		bfcp_core_error(c, m, BFCP_E_ATTRIBUTE, now_us);
	} else if (m->prim == BFCP_P_HELLO) {
		bfcp_core_begin_answer(c, &o, m, BFCP_P_HELLO_ACK);
		bfcp_put_supported(&o);
		bfcp_core_answer(c, &o, m, now_us);
	} else if (m->prim == BFCP_P_GOODBYE) {
		bfcp_core_begin_answer(c, &o, m, BFCP_P_GOODBYE_ACK);
		bfcp_core_answer(c, &o, m, now_us);
		if (c->server) {
			bfcp_server_down(c);
		}
		bfcp_core_gone(c, "goodbye");
	} else if (c->server) {
		bfcp_server_input(c, m, now_us);
	} else {
		bfcp_client_input(c, m, now_us);
	}
}

/* Puts a piece to its place; true: the message is whole, in `pieces.data`. One message at a time. */
static bool collect(struct bfcp_core *c, const uint8_t *data, const struct bfcp_msg *m)
{
	if (c->pieces.tid != m->tid || c->pieces.prim != m->prim || c->pieces.words != m->words) {
		memset(&c->pieces, 0, sizeof(c->pieces));
		c->pieces.tid = m->tid;
		c->pieces.prim = m->prim;
		c->pieces.words = m->words;
		memcpy(c->pieces.data, data, BFCP_HEADER);
		c->pieces.data[0] &= (uint8_t)~0x08;	/* F */
	}
	memcpy(c->pieces.data + BFCP_HEADER + 4u * m->offset, data + BFCP_HEADER + 4, 4u * m->piece);
	for (unsigned i = m->offset; i < m->offset + (unsigned)m->piece; i++) {
		c->pieces.have += !c->pieces.got[i];
		c->pieces.got[i] = true;
	}
	return c->pieces.have == c->pieces.words;
}

static void refuse(struct bfcp_core *c, const struct bfcp_msg *m, int reason, int64_t now_us)
{
	static const struct { int reason; enum bfcp_error error; } rows[] = {
		{ -EPROTONOSUPPORT, BFCP_E_VERSION }, { -EMSGSIZE, BFCP_E_LENGTH }, { -EBADMSG, BFCP_E_PARSE },
	};

	c->counters->malformed++;
	for (unsigned i = 0; i < G_N_ELEMENTS(rows) && is_request(m) && !m->fragment; i++) {
		if (rows[i].reason == reason) {
			bfcp_core_error(c, m, rows[i].error, now_us);
		}
	}
}

static void whole(struct bfcp_core *c, const uint8_t *data, size_t len, int64_t now_us)
{
	struct bfcp_transaction *t;
	struct bfcp_msg m;
	int r = bfcp_parse(data, len, &m);

	if (r < 0) {
		refuse(c, &m, r, now_us);
		return;
	}
	if (m.fragment) {
		if (c->datagram && collect(c, data, &m)) {
			size_t n = BFCP_HEADER + 4u * m.words;
			uint8_t copy[BFCP_LONGEST];

			memcpy(copy, c->pieces.data, n);
			memset(&c->pieces, 0, sizeof(c->pieces));
			whole(c, copy, n, now_us);
		}
		return;
	}
	c->counters->messages_in++;
	c->gone = false;
	if (c->datagram) {
		c->version = m.version;	/* RFC 4582 endpoints speak version 1 here too */
	}
	t = answered(c, &m);
	if (t != NULL) {
		answer_came(c, t, &m, now_us);
	} else if (bfcp_prim_name(m.prim) == NULL && !m.response) {
		bfcp_core_error(c, &m, BFCP_E_PRIMITIVE, now_us);
	} else if (is_request(&m)) {
		request_came(c, &m, now_us);
	}
}

void bfcp_core_input(struct bfcp_core *c, const uint8_t *data, size_t len, int64_t now_us)
{
	if (c->up) {
		whole(c, data, len, now_us);
	}
}

void bfcp_core_bye(struct bfcp_core *c)
{
	struct bfcp_out o;

	if (c->up && !c->gone && c->datagram) {	/* streams say it by closing */
		bfcp_core_begin(c, &o, BFCP_P_GOODBYE);
		bfcp_end(&o);
		c->counters->messages_out++;
		transmit(c, o.data, o.len);
	}
	c->up = false;
}
