/* H.245: master/slave determination, capability exchange, round trip, user input, end of session. */
#include "gateway/h323/h245_priv.h"

#include <string.h>

struct h245 *h245_new(const struct h245_conf *conf, const struct h245_ops *ops, void *user_data)
{
	struct h245 *h = g_new0(struct h245, 1);
	h->ops = ops;
	h->user_data = user_data;
	h->conf = *conf;
	h->capabilities = json_incref(conf->capabilities);
	h->conf.capabilities = NULL;
	h->next_number = 101;	/* low ones look like session numbers in traces */
	h->caps_due_us = h->rank_due_us = h->probe_due_us = INT64_MAX;
	h->channels = g_ptr_array_new_with_free_func(h245_channel_free);
	return h;
}

void h245_free(struct h245 *h)
{
	if (h != NULL) {
		g_ptr_array_unref(h->channels);
		json_decref(h->capabilities);
		g_free(h);
	}
}

void h245_send(struct h245 *h, json_t *pdu)
{
	if (!h->ended) {
		h->ops->send(h, pdu, h->user_data);
	}
	json_decref(pdu);
}

static void over(struct h245 *h, const char *why)
{
	if (!h->ended) {
		h->ended = true;
		h->ops->on_end(h, why, h->user_data);
	}
}

/* ---- master/slave determination: annex C.2 ---- */
static void ask_rank(struct h245 *h, int64_t now_us)
{
	h->drawn = (h->conf.random24 != NULL ? h->conf.random24(h->user_data) : g_random_int()) & 0xffffff;
	h->draws++;
	h->rank_due_us = now_us + H245_WAIT_US;
	h245_send(h, json_pack("{s{s{sisI}}}", "request", "masterSlaveDetermination", "terminalType", h->conf.terminal_type,
			       "statusDeterminationNumber", (json_int_t)h->drawn));
}

static void ready_now(struct h245 *h)
{
	if (!h->was_ready && h245_is_ready(h)) {
		h->was_ready = true;
		h->ops->on_ready(h, h->rank == H245_MASTER, h->user_data);
	}
}

static void on_rank(struct h245 *h, const json_t *body, int64_t now_us)
{
	int64_t type = h245_int(body, "terminalType"), own = h->conf.terminal_type;
	uint32_t gap = ((uint32_t)h245_int(body, "statusDeterminationNumber") - h->drawn) & 0xffffff;
	if (type == own && (gap == 0 || gap == 0x800000)) {
		h245_send(h, json_pack("{s{s{s{sn}}}}", "response", "masterSlaveDeterminationReject", "cause", "identicalNumbers"));
		if (h->draws < H245_DRAWS) {
			ask_rank(h, now_us);
		} else {
			over(h, "master and slave cannot be told");
		}
		return;
	}
	bool master = type == own ? gap < 0x800000 : own > type;
	h->rank = master ? H245_MASTER : H245_SLAVE;
	/* the decision names what the receiver is */
	h245_send(h, json_pack("{s{s{s{sn}}}}", "response", "masterSlaveDeterminationAck", "decision", master ? "slave" : "master"));
	ready_now(h);
}

static void on_rank_ack(struct h245 *h, const json_t *body, int64_t now_us)
{
	bool master = json_object_get(json_object_get(body, "decision"), "master") != NULL;
	if (h->rank == H245_UNDECIDED) {
		/* it decided by our number before its own request came: answer in kind when that comes, or never (traps 17) */
		h->rank = master ? H245_MASTER : H245_SLAVE;
		h245_send(h, json_pack("{s{s{s{sn}}}}", "response", "masterSlaveDeterminationAck", "decision", master ? "slave" : "master"));
	} else if (master != (h->rank == H245_MASTER)) {
		h->faults++;
		ask_rank(h, now_us);
		return;
	}
	h->rank_acked = true;
	h->rank_due_us = INT64_MAX;
	ready_now(h);
}

static void on_rank_reject(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)body;
	if (h->draws < H245_DRAWS) {
		ask_rank(h, now_us);
	} else {
		over(h, "master and slave cannot be told");
	}
}

/* ---- capability exchange: annex C.3 ---- */
static void tell_caps(struct h245 *h, int64_t now_us)
{
	json_t *set = json_pack("{siss}", "sequenceNumber", ++h->tcs_number, "protocolIdentifier", "0.0.8.245.0.7");
	json_object_update(set, h->capabilities);
	h->caps_acked = false;
	h->caps_due_us = now_us + H245_WAIT_US;
	h245_send(h, json_pack("{s{so}}", "request", "terminalCapabilitySet", set));
}

static void on_caps(struct h245 *h, const json_t *body, int64_t now_us)
{
	h245_send(h, json_pack("{s{s{sI}}}", "response", "terminalCapabilitySetAck", "sequenceNumber",
			       (json_int_t)h245_int(body, "sequenceNumber")));
	bool empty = json_array_size(json_object_get(body, "capabilityTable")) == 0;
	if (empty) {	/* H.323 8.4.6: stop sending; the next set begins anew */
		h->caps_came = h->was_ready = false;
		h245_stop_sending(h, now_us);
		h->ops->on_caps(h, NULL, h->user_data);
		return;
	}
	if (!h->caps_came && h->draws > 0 && h->tcs_number > 0 && h->caps_acked && h->rank_acked && h->started) {
		/* back from an empty set: both procedures run again */
		h->rank = H245_UNDECIDED;
		h->rank_acked = false;
		ask_rank(h, now_us);
		tell_caps(h, now_us);
	}
	h->caps_came = true;
	h->ops->on_caps(h, body, h->user_data);
	ready_now(h);
}

static void on_caps_ack(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)now_us;
	if (h245_int(body, "sequenceNumber") == h->tcs_number) {
		h->caps_acked = true;
		h->caps_due_us = INT64_MAX;
		ready_now(h);
	}
}

static void on_caps_reject(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)body;
	(void)now_us;
	over(h, "the peer refuses our capabilities");
}

static void on_caps_wanted(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)body;
	tell_caps(h, now_us);
}

/* ---- the rest of the small procedures ---- */
static void on_round_trip(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)now_us;
	h245_send(h, json_pack("{s{s{sI}}}", "response", "roundTripDelayResponse", "sequenceNumber",
			       (json_int_t)h245_int(body, "sequenceNumber")));
}

static void on_round_trip_back(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)body;
	(void)now_us;
	h->probe_due_us = INT64_MAX;
}

/* We send what our views say; the peer's wish for another codec is answered, not obeyed. */
static void on_mode_request(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)now_us;
	h245_send(h, json_pack("{s{s{sIs{sn}}}}", "response", "requestModeReject", "sequenceNumber",
			       (json_int_t)h245_int(body, "sequenceNumber"), "cause", "modeUnavailable"));
}

static void on_input(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)now_us;
	const char *text = json_string_value(json_object_get(body, "alphanumeric"));
	if (text == NULL) {
		text = json_string_value(json_object_get(json_object_get(body, "signal"), "signalType"));
	}
	if (text != NULL && strspn(text, "0123456789ABCD*#") == strlen(text) && strlen(text) <= 32 && text[0] != '\0') {
		h->ops->on_digits(h, text, h->user_data);
	}
}

static void on_end(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)body;
	(void)now_us;
	over(h, "hung_up");
}

static void ignore(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)h;
	(void)body;
	(void)now_us;
}

static const struct { const char *kind, *name; h245_handler_fn fn; } handlers[] = {
	{ "request", "masterSlaveDetermination", on_rank },
	{ "response", "masterSlaveDeterminationAck", on_rank_ack },
	{ "response", "masterSlaveDeterminationReject", on_rank_reject },
	{ "indication", "masterSlaveDeterminationRelease", on_rank_reject },
	{ "request", "terminalCapabilitySet", on_caps },
	{ "response", "terminalCapabilitySetAck", on_caps_ack },
	{ "response", "terminalCapabilitySetReject", on_caps_reject },
	{ "command", "sendTerminalCapabilitySet", on_caps_wanted },
	{ "request", "openLogicalChannel", h245_on_olc },
	{ "response", "openLogicalChannelAck", h245_on_olc_ack },
	{ "response", "openLogicalChannelReject", h245_on_olc_reject },
	{ "request", "closeLogicalChannel", h245_on_clc },
	{ "response", "closeLogicalChannelAck", h245_on_clc_ack },
	{ "request", "requestChannelClose", h245_on_close_request },
	{ "response", "requestChannelCloseAck", ignore },
	{ "response", "requestChannelCloseReject", ignore },
	{ "request", "roundTripDelayRequest", on_round_trip },
	{ "response", "roundTripDelayResponse", on_round_trip_back },
	{ "request", "requestMode", on_mode_request },
	{ "command", "miscellaneousCommand", h245_on_misc_command },
	{ "command", "flowControlCommand", h245_on_flow },
	{ "command", "endSessionCommand", on_end },
	{ "indication", "userInput", on_input },
	{ "indication", "miscellaneousIndication", h245_on_misc_indication },
};

static const struct { const char *kind, *name; } generic[] = { { "request", "genericRequest" }, { "response", "genericResponse" },
							      { "command", "genericCommand" }, { "indication", "genericIndication" } };

static bool take_generic(struct h245 *h, const char *kind, const char *name, const json_t *body)
{
	for (size_t n = 0; n < G_N_ELEMENTS(generic); n++) {
		if (strcmp(generic[n].kind, kind) == 0 && strcmp(generic[n].name, name) == 0) {
			return h->ops->on_generic(h, kind, body, h->user_data);
		}
	}
	return false;
}

/* Requests and commands that nobody here knows are answered; the call goes on (clause 7). */
static void not_understood(struct h245 *h, const char *kind, const json_t *pdu)
{
	bool wants = strcmp(kind, "request") == 0 || strcmp(kind, "command") == 0;
	if (wants && json_object_get(json_object_get(pdu, kind), "_unknown") == NULL) {
		json_t *copy = json_deep_copy(json_object_get(pdu, kind));
		h245_send(h, json_pack("{s{s{so}}}", "indication", "functionNotUnderstood", kind, copy));
	}
}

void h245_receive(struct h245 *h, const json_t *pdu, int64_t now_us)
{
	const char *kind = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)pdu));
	json_t *alternative = json_object_get(pdu, kind);
	const char *name = json_object_iter_key(json_object_iter(alternative));
	if (h->ended || kind == NULL || name == NULL) {
		h->faults += !h->ended;
		return;
	}
	h->heard_us = now_us;
	const json_t *body = json_object_get(alternative, name);
	for (size_t n = 0; n < G_N_ELEMENTS(handlers); n++) {
		if (strcmp(handlers[n].name, name) == 0 && strcmp(handlers[n].kind, kind) == 0) {
			handlers[n].fn(h, body, now_us);
			return;
		}
	}
	if (!take_generic(h, kind, name, body)) {
		not_understood(h, kind, pdu);
	}
}

/* ---- life ---- */
void h245_start(struct h245 *h, int64_t now_us)
{
	h->started = true;
	h->heard_us = now_us;
	tell_caps(h, now_us);
	ask_rank(h, now_us);
}

bool h245_is_ready(const struct h245 *h)
{
	return h->caps_acked && h->caps_came && h->rank != H245_UNDECIDED && h->rank_acked && !h->ended;
}

bool h245_is_master(const struct h245 *h)
{
	return h->rank == H245_MASTER;
}

unsigned h245_faults(const struct h245 *h)
{
	return h->faults;
}

int64_t h245_deadline(const struct h245 *h)
{
	if (h->ended || !h->started) {
		return INT64_MAX;
	}
	int64_t quiet = h->probe_due_us != INT64_MAX ? h->probe_due_us : h->heard_us + H245_PROBE_US;
	return MIN(MIN(h->caps_due_us, h->rank_due_us), MIN(quiet, h245_channels_deadline(h)));
}

/* One probe, then the end: asking again and again stops the sound of some devices (trap 11). */
static void probe(struct h245 *h, int64_t now_us)
{
	if (h->probe_due_us == INT64_MAX && now_us >= h->heard_us + H245_PROBE_US) {
		h->probe_due_us = now_us + H245_PROBE_WAIT;
		h245_send(h, json_pack("{s{s{si}}}", "request", "roundTripDelayRequest", "sequenceNumber", ++h->probe));
	} else if (now_us >= h->probe_due_us && h->heard_us + H245_PROBE_US <= now_us) {
		over(h, "timeout");
	} else if (now_us >= h->probe_due_us) {
		h->probe_due_us = INT64_MAX;	/* something else came meanwhile: it lives */
	}
}

void h245_tick(struct h245 *h, int64_t now_us)
{
	if (h->ended || !h->started) {
		return;
	}
	if (now_us >= h->caps_due_us) {
		over(h, "no answer to our capabilities");
		return;
	}
	if (now_us >= h->rank_due_us) {
		if (h->draws >= 10) {
			over(h, "master and slave cannot be told");
			return;
		}
		ask_rank(h, now_us);
	}
	h245_channels_tick(h, now_us);
	probe(h, now_us);
}

void h245_digits(struct h245 *h, const char *digits)
{
	for (const char *p = digits; *p != '\0'; p++) {
		h245_send(h, json_pack("{s{s{ss#}}}", "indication", "userInput", "alphanumeric", p, 1));
	}
}

void h245_generic(struct h245 *h, const char *kind, json_t *message)
{
	for (size_t n = 0; n < G_N_ELEMENTS(generic); n++) {
		if (strcmp(generic[n].kind, kind) == 0) {
			h245_send(h, json_pack("{s{sO}}", kind, generic[n].name, message));
		}
	}
	json_decref(message);
}

void h245_end(struct h245 *h)
{
	if (!h->ended) {
		h245_send(h, json_pack("{s{s{sn}}}", "command", "endSessionCommand", "disconnect"));
		h->ended = true;
	}
}
