/* H.245 logical channels: annex C.4 (unidirectional), C.5 as answerer (bidirectional), C.6 (close wanted), commands about them. */
#include "gateway/h323/h245_priv.h"

#include <arpa/inet.h>
#include <string.h>

void h245_channel_free(gpointer p)
{
	struct h245_channel *c = p;
	json_decref(c->open);
	g_free(c);
}

struct h245_channel *h245_find(struct h245 *h, bool out, unsigned number)
{
	for (guint n = 0; n < h->channels->len; n++) {
		struct h245_channel *c = h->channels->pdata[n];
		if (c->out == out && c->number == number) {
			return c;
		}
	}
	return NULL;
}

void h245_foreach(struct h245 *h, void (*fn)(struct h245_channel *c, void *ud), void *ud)
{
	for (guint n = h->channels->len; n-- > 0;) {	/* backwards: fn may close the one that it is given */
		fn(h->channels->pdata[n], ud);
	}
}

void h245_drop_channel(struct h245 *h, struct h245_channel *c, const char *why)
{
	h->ops->on_closed(h, c, why, h->user_data);
	g_ptr_array_remove(h->channels, c);
}

/* ---- addresses ---- */
json_t *h245_print_address(const struct h245_address *a)
{
	uint8_t octets[16];
	char hex[2 + 32 + 1] = "0x";
	bool v6 = strchr(a->host, ':') != NULL;
	if (inet_pton(v6 ? AF_INET6 : AF_INET, a->host, octets) != 1) {
		return NULL;
	}
	for (size_t n = 0; n < (v6 ? 16 : 4); n++) {
		g_snprintf(hex + 2 + 2 * n, 3, "%02x", octets[n]);
	}
	return json_pack("{s{s{sssi}}}", "unicastAddress", v6 ? "iP6Address" : "iPAddress", "network", hex, "tsapIdentifier", a->port);
}

static bool from_hex(const char *hex, uint8_t *out, size_t len)
{
	if (hex == NULL || strlen(hex) != 2 + 2 * len) {
		return false;
	}
	for (size_t n = 0; n < len; n++) {
		out[n] = (uint8_t)(g_ascii_xdigit_value(hex[2 + 2 * n]) << 4 | g_ascii_xdigit_value(hex[3 + 2 * n]));
	}
	return true;
}

bool h245_read_address(const json_t *j, struct h245_address *ret)
{
	static const struct { const char *name; int family; size_t len; } rows[] = { { "iPAddress", AF_INET, 4 }, { "iP6Address", AF_INET6, 16 } };
	const json_t *unicast = json_object_get(j, "unicastAddress");
	uint8_t octets[16];
	for (size_t n = 0; n < G_N_ELEMENTS(rows); n++) {
		const json_t *a = json_object_get(unicast, rows[n].name);
		if (a != NULL && from_hex(json_string_value(json_object_get(a, "network")), octets, rows[n].len)) {
			ret->port = (uint16_t)h245_int(a, "tsapIdentifier");
			return inet_ntop(rows[n].family, octets, ret->host, sizeof(ret->host)) != NULL;
		}
	}
	return false;
}

/* ---- what an openLogicalChannel says ---- */
static void read_parameters(struct h245_channel *c)
{
	const json_t *forward = json_object_get(c->open, "forwardLogicalChannelParameters");
	const json_t *p = json_object_get(json_object_get(forward, "multiplexParameters"), "h2250LogicalChannelParameters");
	const json_t *rtp = json_object_get(json_object_get(p, "mediaPacketization"), "rtpPayloadType");
	int64_t dynamic = h245_int(p, "dynamicRTPPayloadType");
	c->data_type = json_object_get(forward, "dataType");
	c->session = (uint8_t)h245_int(p, "sessionID");
	c->payload_type = (uint8_t)(dynamic != 0 ? dynamic : h245_int(rtp, "payloadType"));	/* trap 22: in one place or the other */
	c->packetization = json_string_value(json_object_get(json_object_get(rtp, "payloadDescriptor"), "oid"));
	h245_read_address(json_object_get(p, "mediaChannel"), &c->rtp);	/* old stacks say it here */
	h245_read_address(json_object_get(p, "mediaControlChannel"), &c->rtcp);
}

static struct h245_channel *add(struct h245 *h, bool out, unsigned number, json_t *open)
{
	struct h245_channel *c = g_new0(struct h245_channel, 1);
	c->out = out;
	c->number = (uint16_t)number;
	c->open = open;
	c->due_us = INT64_MAX;
	read_parameters(c);
	g_ptr_array_add(h->channels, c);
	return c;
}

/* ---- ours ---- */
static uint16_t free_number(struct h245 *h)
{
	while (h->next_number == 0 || h245_find(h, true, h->next_number) != NULL) {
		h->next_number++;
	}
	return h->next_number++;
}

struct h245_channel *h245_open(struct h245 *h, json_t *open, int64_t now_us)
{
	if (!h245_is_ready(h) || h->channels->len >= H245_CHANNELS) {
		json_decref(open);
		return NULL;
	}
	uint16_t number = free_number(h);
	json_object_set_new(open, "forwardLogicalChannelNumber", json_integer(number));
	struct h245_channel *c = add(h, true, number, open);
	c->rtp = c->rtcp = (struct h245_address){ 0 };	/* what stands there is ours */
	c->due_us = now_us + H245_WAIT_US;
	h245_send(h, json_pack("{s{sO}}", "request", "openLogicalChannel", open));
	return c;
}

void h245_on_olc_ack(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)now_us;
	struct h245_channel *c = h245_find(h, true, (unsigned)h245_int(body, "forwardLogicalChannelNumber"));
	const json_t *p = json_object_get(json_object_get(body, "forwardMultiplexAckParameters"), "h2250LogicalChannelAckParameters");
	if (c == NULL || c->state != H245_OPENING) {
		h->faults++;
		return;
	}
	c->state = H245_OPEN;
	c->due_us = INT64_MAX;
	h245_read_address(json_object_get(p, "mediaChannel"), &c->rtp);
	h245_read_address(json_object_get(p, "mediaControlChannel"), &c->rtcp);
	if (c->session == 0) {
		c->session = (uint8_t)h245_int(p, "sessionID");
	}
	h->ops->on_opened(h, c, h->user_data);
}

void h245_on_olc_reject(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)now_us;
	struct h245_channel *c = h245_find(h, true, (unsigned)h245_int(body, "forwardLogicalChannelNumber"));
	if (c == NULL) {
		h->faults++;
		return;
	}
	h245_drop_channel(h, c, json_object_iter_key(json_object_iter(json_object_get(body, "cause"))));
}

static void close_ours(struct h245 *h, struct h245_channel *c, int64_t now_us)
{
	if (c->state == H245_CLOSING) {
		return;
	}
	c->state = H245_CLOSING;
	c->due_us = now_us + H245_WAIT_US;
	h245_send(h, json_pack("{s{s{sis{sn}s{sn}}}}", "request", "closeLogicalChannel", "forwardLogicalChannelNumber", c->number,
			       "source", "lcse", "reason", "unknown"));
}

void h245_on_clc_ack(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)now_us;
	struct h245_channel *c = h245_find(h, true, (unsigned)h245_int(body, "forwardLogicalChannelNumber"));
	if (c != NULL) {
		h245_drop_channel(h, c, "closed");
	}
}

void h245_on_close_request(struct h245 *h, const json_t *body, int64_t now_us)
{
	unsigned number = (unsigned)h245_int(body, "forwardLogicalChannelNumber");
	struct h245_channel *c = h245_find(h, true, number);
	if (c == NULL) {
		h245_send(h, json_pack("{s{s{sis{sn}}}}", "response", "requestChannelCloseReject", "forwardLogicalChannelNumber",
				       (int)number, "cause", "unspecified"));
		return;
	}
	h245_send(h, json_pack("{s{s{si}}}", "response", "requestChannelCloseAck", "forwardLogicalChannelNumber", (int)number));
	close_ours(h, c, now_us);
}

void h245_stop_sending(struct h245 *h, int64_t now_us)
{
	for (guint n = h->channels->len; n-- > 0;) {
		struct h245_channel *c = h->channels->pdata[n];
		if (c->out) {
			close_ours(h, c, now_us);
		}
	}
}

/* ---- the peer's ---- */
static void refuse(struct h245 *h, unsigned number, const char *cause)
{
	h245_send(h, json_pack("{s{s{sis{sn}}}}", "response", "openLogicalChannelReject", "forwardLogicalChannelNumber", (int)number,
			       "cause", cause));
}

void h245_on_olc(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)now_us;
	unsigned number = (unsigned)h245_int(body, "forwardLogicalChannelNumber");
	struct h245_channel *old = h245_find(h, false, number);
	if (old != NULL) {	/* it replaces without closing */
		h->faults++;
		h245_drop_channel(h, old, "replaced");
	}
	if (h->channels->len >= H245_CHANNELS) {
		refuse(h, number, "insufficientBandwidth");
		return;
	}
	struct h245_channel *c = add(h, false, number, json_deep_copy(body));
	h->ops->on_open(h, c, h->user_data);
}

void h245_accept(struct h245 *h, struct h245_channel *c, const struct h245_address *rtp, const struct h245_address *rtcp)
{
	json_t *p = json_pack("{sososb}", "mediaChannel", h245_print_address(rtp), "mediaControlChannel", h245_print_address(rtcp),
			      "flowControlToZero", 0);
	if (c->session > 0) {
		json_object_set_new(p, "sessionID", json_integer(c->session));
	}
	if (c->payload_type >= 96) {
		json_object_set_new(p, "dynamicRTPPayloadType", json_integer(c->payload_type));
	}
	c->state = H245_OPEN;
	h245_send(h, json_pack("{s{s{sis{so}}}}", "response", "openLogicalChannelAck", "forwardLogicalChannelNumber", c->number,
			       "forwardMultiplexAckParameters", "h2250LogicalChannelAckParameters", p));
}

void h245_reject(struct h245 *h, struct h245_channel *c, const char *cause)
{
	refuse(h, c->number, cause);
	g_ptr_array_remove(h->channels, c);
}

void h245_on_clc(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)now_us;
	unsigned number = (unsigned)h245_int(body, "forwardLogicalChannelNumber");
	struct h245_channel *c = h245_find(h, false, number);
	h245_send(h, json_pack("{s{s{si}}}", "response", "closeLogicalChannelAck", "forwardLogicalChannelNumber", (int)number));
	if (c != NULL) {
		h245_drop_channel(h, c, "closed");
	}
}

void h245_close(struct h245 *h, struct h245_channel *c, int64_t now_us)
{
	if (c->out) {
		close_ours(h, c, now_us);
		return;
	}
	h245_send(h, json_pack("{s{s{sis{sn}}}}", "request", "requestChannelClose", "forwardLogicalChannelNumber", c->number, "reason",
			       "normal"));
}

/* ---- time ---- */
void h245_channels_tick(struct h245 *h, int64_t now_us)
{
	for (guint n = h->channels->len; n-- > 0;) {
		struct h245_channel *c = h->channels->pdata[n];
		if (now_us >= c->due_us) {
			h245_drop_channel(h, c, "timeout");
		}
	}
}

int64_t h245_channels_deadline(const struct h245 *h)
{
	int64_t next = INT64_MAX;
	for (guint n = 0; n < h->channels->len; n++) {
		next = MIN(next, ((const struct h245_channel *)h->channels->pdata[n])->due_us);
	}
	return next;
}

/* ---- commands and indications about channels ---- */
static void tell_about(struct h245 *h, const json_t *body, bool out, const char *const names[], const enum h245_command what[], size_t n_names)
{
	struct h245_channel *c = h245_find(h, out, (unsigned)h245_int(body, "logicalChannelNumber"));
	const char *type = json_object_iter_key(json_object_iter(json_object_get(body, "type")));
	for (size_t n = 0; n < n_names; n++) {
		if (g_strcmp0(type, names[n]) == 0) {
			if (c != NULL) {
				h->ops->on_command(h, what[n], c, 0, h->user_data);
			} else {
				h->faults++;
			}
			return;
		}
	}
}

void h245_on_misc_command(struct h245 *h, const json_t *body, int64_t now_us)
{
	/* whole pictures and parts of them: an encoder of ours answers all by a key frame */
	static const char *const names[] = { "videoFastUpdatePicture", "videoFastUpdateGOB", "videoFastUpdateMB", "lostPicture",
					     "lostPartialPicture", "videoFreezePicture" };
	static const enum h245_command what[] = { H245_FAST_UPDATE, H245_FAST_UPDATE, H245_FAST_UPDATE, H245_FAST_UPDATE,
						  H245_FAST_UPDATE, H245_FREEZE };
	(void)now_us;
	const char *type = json_object_iter_key(json_object_iter(json_object_get(body, "type")));
	bool out = g_strcmp0(type, "videoFreezePicture") != 0;	/* a freeze is about what it sends us */
	tell_about(h, body, out, names, what, G_N_ELEMENTS(names));
}

void h245_on_misc_indication(struct h245 *h, const json_t *body, int64_t now_us)
{
	static const char *const names[] = { "logicalChannelActive", "logicalChannelInactive" };
	static const enum h245_command what[] = { H245_ACTIVE, H245_INACTIVE };
	(void)now_us;
	tell_about(h, body, false, names, what, G_N_ELEMENTS(names));
}

void h245_on_flow(struct h245 *h, const json_t *body, int64_t now_us)
{
	(void)now_us;
	const json_t *scope = json_object_get(body, "scope"), *limit = json_object_get(body, "restriction");
	const json_t *number = json_object_get(scope, "logicalChannelNumber");
	struct h245_channel *c = number != NULL ? h245_find(h, true, (unsigned)json_integer_value(number)) : NULL;
	if (number != NULL && c == NULL) {
		h->faults++;
		return;
	}
	const json_t *rate = json_object_get(limit, "maximumBitRate");
	h->ops->on_command(h, H245_FLOW, c, rate != NULL ? json_integer_value(rate) * 100 : -1, h->user_data);
}

void h245_fast_update(struct h245 *h, const struct h245_channel *c)
{
	h245_send(h, json_pack("{s{s{sis{sn}}}}", "command", "miscellaneousCommand", "logicalChannelNumber", c->number, "type",
			       "videoFastUpdatePicture"));
}

void h245_flow(struct h245 *h, const struct h245_channel *c, int64_t bps)
{
	json_t *limit = bps > 0 ? json_pack("{sI}", "maximumBitRate", (json_int_t)(bps / 100)) : json_pack("{sn}", "noRestriction");
	h245_send(h, json_pack("{s{s{s{si}so}}}", "command", "flowControlCommand", "scope", "logicalChannelNumber", c->number,
			       "restriction", limit));
}
