/* The messages of a call, to and from H323-UserInformation. */
#include "gateway/h323/call_priv.h"

#include <arpa/inet.h>
#include <string.h>

#include "gateway/h323/per_priv.h"

#define PROTOCOL "0.0.8.2250.0.4"	/* the version that nobody stumbles over */

/* ---- addresses, names ---- */
static char *to_hex(const void *data, size_t len)
{
	GString *s = g_string_new("0x");
	for (size_t n = 0; n < len; n++) {
		g_string_append_printf(s, "%02x", ((const uint8_t *)data)[n]);
	}
	return g_string_free(s, FALSE);
}

uint8_t *call_octets(const json_t *hex, size_t *ret_len)
{
	const char *text = json_string_value(hex);
	if (text == NULL || strncmp(text, "0x", 2) != 0) {
		return NULL;
	}
	size_t len = strlen(text + 2) / 2;
	uint8_t *out = g_malloc(len + 1);
	for (size_t n = 0; n < len; n++) {
		out[n] = (uint8_t)(g_ascii_xdigit_value(text[2 + 2 * n]) << 4 | g_ascii_xdigit_value(text[3 + 2 * n]));
	}
	*ret_len = len;
	return out;
}

static const struct { const char *name; int family; size_t len; } families[] = { { "ipAddress", AF_INET, 4 }, { "ip6Address", AF_INET6, 16 } };

json_t *call_print_address(const struct h245_address *a)
{
	uint8_t octets[16];
	for (size_t n = 0; n < G_N_ELEMENTS(families); n++) {
		if (inet_pton(families[n].family, a->host, octets) == 1) {
			g_autofree char *hex = to_hex(octets, families[n].len);
			return json_pack("{s{sssi}}", families[n].name, "ip", hex, "port", a->port);
		}
	}
	return NULL;
}

bool call_read_address(const json_t *transport, struct h245_address *ret)
{
	for (size_t n = 0; n < G_N_ELEMENTS(families); n++) {
		const json_t *a = json_object_get(transport, families[n].name);
		size_t len = 0;
		g_autofree uint8_t *octets = a != NULL ? call_octets(json_object_get(a, "ip"), &len) : NULL;
		if (octets != NULL && len == families[n].len && inet_ntop(families[n].family, octets, ret->host, sizeof(ret->host)) != NULL) {
			ret->port = (uint16_t)json_integer_value(json_object_get(a, "port"));
			return true;
		}
	}
	return false;
}

void call_read_alias(const json_t *alias, char *ret, size_t size)
{
	static const char *const names[] = { "dialledDigits", "h323-ID", "url-ID", "email-ID" };
	for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
		const char *text = json_string_value(json_object_get(alias, names[n]));
		if (text != NULL) {
			text += g_str_has_prefix(text, "h323:") ? 5 : 0;	/* trap 7 */
			g_strlcpy(ret, text, size);
			return;
		}
	}
	const json_t *party = json_object_get(json_object_get(alias, "partyNumber"), "e164Number");
	const char *digits = json_string_value(json_object_get(party, "publicNumberDigits"));
	g_strlcpy(ret, digits != NULL ? digits : "", size);
}

static bool is_number(const char *text)
{
	return text[0] != '\0' && strspn(text, "0123456789*#,") == strlen(text) && strlen(text) < Q931_NUMBER_MAX;
}

static json_t *alias_of(const char *text)
{
	return json_pack("{ss}", is_number(text) ? "dialledDigits" : strchr(text, '@') != NULL ? "url-ID" : "h323-ID", text);
}

static json_t *own_aliases(const struct h323_call *c)
{
	json_t *list = json_array();
	if (c->name != NULL && c->name[0] != '\0') {
		json_array_append_new(list, json_pack("{ss}", "h323-ID", c->name));
	}
	if (c->number != NULL && is_number(c->number)) {
		json_array_append_new(list, json_pack("{ss}", "dialledDigits", c->number));
	}
	return list;
}

static json_t *endpoint(const struct h323_call *c)
{
	g_autofree char *product = to_hex(c->product, strlen(c->product));
	json_t *e = json_pack("{s{s{sisisi}ss}sbsb}", "vendor", "vendor", "t35CountryCode", 0, "t35Extension", 0, "manufacturerCode", 0,
			      "productId", product, "mc", c->conf.mcu, "undefinedNode", 0);
	json_object_set_new(e, c->conf.mcu ? "mcu" : "gateway", json_object());
	return e;
}

/* ---- what we say ---- */
static void say(struct h323_call *c, struct q931 *m, const char *body_name, json_t *body, json_t *h245)
{
	json_t *uu = json_pack("{s{so}sb}", "h323-message-body", body_name, body != NULL ? body : json_null(), "h245Tunnelling", c->tunnel);
	if (h245 != NULL) {
		json_object_set_new(uu, "h245Control", h245);
	}
	m->crv = c->crv;
	m->answers = c->incoming;
	m->user = json_pack("{so}", "h323-uu-pdu", uu);
	g_autofree char *why = NULL;
	g_autoptr(GByteArray) wire = q931_write(m, &why);
	if (wire != NULL) {
		c->ops->send(c, wire->data, wire->len, c->user_data);
	} else {
		c->faults++;
		g_warning("h323: %s is not sent: %s", q931_type_name(m->type), why);
	}
	q931_clear(m);
}

static json_t *call_identifier(const struct h323_call *c)
{
	return json_pack("{ss}", "guid", c->id);
}

void call_send_setup(struct h323_call *c)
{
	struct q931 m = { .type = Q931_SETUP, .rate = (uint8_t)CLAMP(c->conf.rate, 1u, 127u) };
	json_t *body = json_pack("{sssososbsss{sn}s{sn}sosbsbsbsb}", "protocolIdentifier", PROTOCOL, "sourceAddress", own_aliases(c),
				 "sourceInfo", endpoint(c), "activeMC", 0, "conferenceID", c->conference, "conferenceGoal", "create",
				 "callType", "pointToPoint", "callIdentifier", call_identifier(c), "mediaWaitForConnect", 0, "canOverlapSend",
				 0, "multipleCalls", 0, "maintainConnection", 0);
	json_t *to = call_print_address(&c->target);
	if (to != NULL) {
		json_object_set_new(body, "destCallSignalAddress", to);	/* some devices crash without it (trap 9) */
	}
	if (c->to != NULL && c->to[0] != '\0') {
		json_object_set_new(body, "destinationAddress", json_pack("[o]", alias_of(c->to)));
		g_strlcpy(m.called, is_number(c->to) ? c->to : "", sizeof(m.called));
	}
	g_strlcpy(m.display, c->name != NULL ? c->name : "", sizeof(m.display));
	g_strlcpy(m.calling, c->number != NULL && is_number(c->number) ? c->number : "", sizeof(m.calling));
	say(c, &m, "setup", body, NULL);
}

static json_t *reply(struct h323_call *c)
{
	return json_pack("{sssososbsb}", "protocolIdentifier", PROTOCOL, "destinationInfo", endpoint(c), "callIdentifier",
			 call_identifier(c), "multipleCalls", 0, "maintainConnection", 0);
}

void call_send_proceeding(struct h323_call *c)
{
	struct q931 m = { .type = Q931_CALL_PROCEEDING };
	say(c, &m, "callProceeding", reply(c), NULL);
}

void call_send_alerting(struct h323_call *c)
{
	struct q931 m = { .type = Q931_ALERTING };
	say(c, &m, "alerting", reply(c), NULL);
}

void call_send_connect(struct h323_call *c, const struct h245_address *h245)
{
	struct q931 m = { .type = Q931_CONNECT };
	json_t *body = reply(c), *address = h245 != NULL ? call_print_address(h245) : NULL;
	json_object_set_new(body, "conferenceID", json_string(c->conference));
	if (address != NULL) {
		json_object_set_new(body, "h245Address", address);
	}
	g_strlcpy(m.display, c->name != NULL ? c->name : "", sizeof(m.display));
	say(c, &m, "connect", body, NULL);
}

void call_send_start_h245(struct h323_call *c, const struct h245_address *own)
{
	struct q931 m = { .type = Q931_FACILITY };
	json_t *body = json_pack("{sss{sn}sososbsb}", "protocolIdentifier", PROTOCOL, "reason", "startH245", "callIdentifier",
				 call_identifier(c), "h245Address", call_print_address(own), "multipleCalls", 0, "maintainConnection", 0);
	say(c, &m, "facility", body, NULL);
}

void call_send_release(struct h323_call *c, uint8_t cause)
{
	struct q931 m = { .type = Q931_RELEASE_COMPLETE, .cause = cause };
	say(c, &m, "releaseComplete", json_pack("{ssso}", "protocolIdentifier", PROTOCOL, "callIdentifier", call_identifier(c)), NULL);
}

void call_send_status(struct h323_call *c)
{
	struct q931 m = { .type = Q931_STATUS, .cause = 30 };	/* response to status enquiry */
	say(c, &m, "status", json_pack("{ssso}", "protocolIdentifier", PROTOCOL, "callIdentifier", call_identifier(c)), NULL);
}

/* One PDU a message: some devices cannot take two (trap 11). */
void h323_call_send_h245(struct h323_call *c, const json_t *pdu)
{
	g_autofree char *why = NULL;
	g_autoptr(GByteArray) wire = per_write(per_find("245:MultimediaSystemControlMessage"), pdu, &why);
	if (wire == NULL) {
		c->faults++;
		g_warning("h323: an H.245 PDU is not sent: %s", why);
	} else if (!c->tunnel) {
		c->ops->send_h245(c, wire->data, wire->len, c->user_data);
	} else {
		struct q931 m = { .type = Q931_FACILITY };
		g_autofree char *hex = to_hex(wire->data, wire->len);
		say(c, &m, "empty", NULL, json_pack("[s]", hex));
	}
}

/* ---- what we hear ---- */
static void text_of(const json_t *octets, char *ret, size_t size)
{
	size_t len = 0;
	g_autofree uint8_t *data = call_octets(octets, &len);
	g_autofree char *text = data != NULL ? g_strndup((const char *)data, len) : NULL;	/* ends at a NUL (trap 13) */
	g_autofree char *valid = text != NULL ? g_utf8_make_valid(text, -1) : NULL;
	if (valid != NULL && valid[0] != '\0') {
		g_strlcpy(ret, valid, size);
	}
}

static void read_vendor(struct h323_call *c, const json_t *info)
{
	char version[64] = "";
	const json_t *vendor = json_object_get(info, "vendor");
	c->peer.mcu = c->peer.mcu || json_object_get(info, "mcu") != NULL;
	text_of(json_object_get(vendor, "productId"), c->peer.product, sizeof(c->peer.product));
	text_of(json_object_get(vendor, "versionId"), version, sizeof(version));
	if (version[0] != '\0') {
		g_strlcat(c->peer.product, " ", sizeof(c->peer.product));
		g_strlcat(c->peer.product, version, sizeof(c->peer.product));
	}
}

void call_read_endpoint(struct h323_call *c, const struct q931 *m, const json_t *body)
{
	read_vendor(c, json_object_get(body, "destinationInfo"));
	if (m->display[0] != '\0') {
		g_strlcpy(c->peer.name, m->display, sizeof(c->peer.name));
	}
}

static void read_guid(const json_t *guid, char ret[35])
{
	const char *text = json_string_value(guid);
	if (text != NULL && strlen(text) == 34) {
		g_strlcpy(ret, text, 35);
	}
}

void call_read_setup(struct h323_call *c, const struct q931 *m, const json_t *body)
{
	size_t n;
	json_t *alias;
	g_strlcpy(c->called, m->called, sizeof(c->called));
	if (c->called[0] == '\0') {
		call_read_alias(json_array_get(json_object_get(body, "destinationAddress"), 0), c->called, sizeof(c->called));
	}
	read_vendor(c, json_object_get(body, "sourceInfo"));
	g_strlcpy(c->peer.name, m->display, sizeof(c->peer.name));
	g_strlcpy(c->peer.number, m->calling, sizeof(c->peer.number));
	json_array_foreach(json_object_get(body, "sourceAddress"), n, alias)
	{
		bool digits = json_object_get(alias, "dialledDigits") != NULL;
		if (digits && c->peer.number[0] == '\0') {
			call_read_alias(alias, c->peer.number, sizeof(c->peer.number));
		} else if (!digits && c->peer.name[0] == '\0') {
			call_read_alias(alias, c->peer.name, sizeof(c->peer.name));
		}
	}
	read_guid(json_object_get(json_object_get(body, "callIdentifier"), "guid"), c->id);
	read_guid(json_object_get(body, "conferenceID"), c->conference);
}
