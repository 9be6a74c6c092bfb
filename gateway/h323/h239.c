/* H.239's token: four messages and what to do when both ask at once. */
#include "gateway/h323/h239.h"

#include <string.h>

#define OID "0.0.8.239.2"
enum { REQUEST = 3, RESPONSE = 4, RELEASE = 5, OWNER = 6,
       P_CHANNEL = 42, P_BREAKING = 43, P_LABEL = 44, P_ACK = 126, P_REJECT = 127, LABEL = 0 /* point to point */ };

static json_t *number(int id, int64_t value)
{
	return json_pack("{s{si}s{sI}}", "parameterIdentifier", "standard", id, "parameterValue", "unsignedMin", (json_int_t)value);
}

static json_t *flag(int id)
{
	return json_pack("{s{si}s{sn}}", "parameterIdentifier", "standard", id, "parameterValue", "logical");
}

/* first: may be NULL */
static void say(struct h239 *t, const char *kind, int what, json_t *first, json_t *last)
{
	json_t *list = json_array();
	if (first != NULL) {
		json_array_append_new(list, first);
	}
	json_array_append_new(list, number(P_LABEL, LABEL));
	json_array_append_new(list, number(P_CHANNEL, t->channel));
	if (last != NULL) {
		json_array_append_new(list, last);
	}
	t->send(kind, json_pack("{s{ss}siso}", "messageIdentifier", "standard", OID, "subMessageIdentifier", what, "messageContent", list),
		t->user_data);
}

static const json_t *parameter(const json_t *message, int id)
{
	size_t n;
	json_t *p;
	json_array_foreach(json_object_get(message, "messageContent"), n, p)
	{
		if (json_integer_value(json_object_get(json_object_get(p, "parameterIdentifier"), "standard")) == id) {
			return json_object_get(p, "parameterValue");
		}
	}
	return NULL;
}

static int64_t value(const json_t *message, int id)
{
	return json_integer_value(json_object_get(parameter(message, id), "unsignedMin"));
}

static enum h239_news on_request(struct h239 *t, const json_t *message)
{
	int64_t theirs = value(message, P_BREAKING);
	bool ours = t->state == H239_OURS || (t->state == H239_ASKING && t->breaking >= theirs);
	unsigned before = t->channel;
	t->channel = (unsigned)value(message, P_CHANNEL);
	if (ours) {	/* equal draws: both are refused, and the users ask again */
		say(t, "response", RESPONSE, flag(P_REJECT), NULL);
		t->channel = before;
		return H239_NOTHING;
	}
	t->state = H239_ASKED;
	return H239_PEER_ASKS;
}

static enum h239_news on_response(struct h239 *t, const json_t *message)
{
	if (t->state != H239_ASKING) {
		return H239_NOTHING;
	}
	if (parameter(message, P_ACK) == NULL) {
		t->state = H239_FREE;
		return H239_DENIED;
	}
	t->state = H239_OURS;
	say(t, "indication", OWNER, NULL, NULL);
	return H239_GRANTED;
}

static enum h239_news on_release(struct h239 *t, const json_t *message)
{
	(void)message;
	bool theirs = t->state == H239_THEIRS || t->state == H239_ASKED;
	t->state = theirs ? H239_FREE : t->state;
	return theirs ? H239_PEER_RELEASES : H239_NOTHING;
}

/* An owner that never asked: a manager tells who presents over there. */
static enum h239_news on_owner(struct h239 *t, const json_t *message)
{
	(void)message;
	if (t->state != H239_FREE) {
		return H239_NOTHING;
	}
	t->state = H239_THEIRS;
	return H239_PEER_PRESENTS;
}

static const struct { const char *kind; int what; enum h239_news (*fn)(struct h239 *t, const json_t *message); } rows[] = {
	{ "request", REQUEST, on_request }, { "response", RESPONSE, on_response }, { "command", RELEASE, on_release },
	{ "indication", OWNER, on_owner } };

bool h239_receive(struct h239 *t, const char *kind, const json_t *message, enum h239_news *ret)
{
	const char *oid = json_string_value(json_object_get(json_object_get(message, "messageIdentifier"), "standard"));
	json_int_t what = json_integer_value(json_object_get(message, "subMessageIdentifier"));
	*ret = H239_NOTHING;
	if (oid == NULL || strcmp(oid, OID) != 0) {
		return false;
	}
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		if (rows[n].what == what && strcmp(rows[n].kind, kind) == 0) {
			*ret = rows[n].fn(t, message);
			return true;
		}
	}
	return false;	/* flow control of the two pictures: answered as not understood */
}

bool h239_answer(struct h239 *t, bool grant)
{
	if (t->state != H239_ASKED) {
		return false;
	}
	t->state = grant ? H239_THEIRS : H239_FREE;
	say(t, "response", RESPONSE, flag(grant ? P_ACK : P_REJECT), NULL);
	return true;
}

void h239_ask(struct h239 *t, unsigned channel, uint8_t breaking)
{
	if (t->state == H239_ASKED) {
		(void)h239_answer(t, false);
	}
	t->state = H239_ASKING;
	t->channel = channel;
	t->breaking = breaking;
	say(t, "request", REQUEST, NULL, number(P_BREAKING, breaking));
}

void h239_release(struct h239 *t)
{
	if (t->state == H239_OURS || t->state == H239_ASKING) {
		t->state = H239_FREE;
		say(t, "command", RELEASE, NULL, NULL);
	}
}
