/* Two H.245 entities against each other over the real codec, in every order of delivery; and what a peer may do to one. */
#include <string.h>

#include "gateway/h323/caps.h"
#include "gateway/h323/h245.h"
#include "gateway/h323/per_priv.h"

enum { SECOND = 1000000 };
struct side {
	struct h245 *h;
	struct side *peer;
	const char *name;
	GQueue *to_come;		/* GByteArray: what the peer sent */
	json_t *caps;
	unsigned ready, opened, closed, opens, commands, generics, caps_empty;
	bool master;
	int64_t flow;
	char digits[64];
	const char *why_closed, *why_end, *refuse;
	uint32_t draw;
};

static void send(struct h245 *h, const json_t *pdu, void *ud)
{
	struct side *s = ud;
	g_autofree char *why = NULL;
	(void)h;
	GByteArray *wire = per_write(per_find("245:MultimediaSystemControlMessage"), pdu, &why);
	if (wire == NULL) {
		g_autofree char *text = json_dumps(pdu, 0);
		g_error("%s: %s", why, text);
	}
	g_queue_push_tail(s->peer->to_come, wire);
}

static void on_caps(struct h245 *h, const json_t *tcs, void *ud)
{
	struct side *s = ud;
	(void)h;
	json_decref(s->caps);
	s->caps = tcs != NULL ? json_deep_copy(tcs) : NULL;
	s->caps_empty += tcs == NULL;
}

static void on_ready(struct h245 *h, bool master, void *ud)
{
	struct side *s = ud;
	(void)h;
	s->ready++;
	s->master = master;
}

static void on_open(struct h245 *h, struct h245_channel *c, void *ud)
{
	struct side *s = ud;
	s->opens++;
	if (s->refuse != NULL) {
		h245_reject(h, c, s->refuse);
		return;
	}
	if (c->session == 0) {
		c->session = 4;	/* the master says */
	}
	h245_accept(h, c, &(struct h245_address){ "192.0.2.9", 6000 }, &(struct h245_address){ "192.0.2.9", 6001 });
}

static void on_opened(struct h245 *h, struct h245_channel *c, void *ud)
{
	(void)h;
	((struct side *)ud)->opened++;
	g_assert_cmpstr(c->rtp.host, ==, "192.0.2.9");
	g_assert_cmpint(c->rtp.port, ==, 6000);
	g_assert_cmpint(c->rtcp.port, ==, 6001);
}

static void on_closed(struct h245 *h, struct h245_channel *c, const char *why, void *ud)
{
	(void)h;
	(void)c;
	((struct side *)ud)->closed++;
	((struct side *)ud)->why_closed = g_intern_string(why);
}

static void on_command(struct h245 *h, enum h245_command what, struct h245_channel *c, int64_t bps, void *ud)
{
	struct side *s = ud;
	(void)h;
	(void)c;
	s->commands |= 1u << what;
	s->flow = what == H245_FLOW ? bps : s->flow;
}

static void on_digits(struct h245 *h, const char *digits, void *ud)
{
	(void)h;
	g_strlcat(((struct side *)ud)->digits, digits, sizeof(((struct side *)ud)->digits));
}

static bool on_generic(struct h245 *h, const char *kind, const json_t *message, void *ud)
{
	(void)h;
	((struct side *)ud)->generics++;
	return g_str_equal(kind, "request") && json_object_get(message, "subMessageIdentifier") != NULL;
}

static void on_end(struct h245 *h, const char *why, void *ud)
{
	(void)h;
	((struct side *)ud)->why_end = g_intern_string(why);
}

static const struct h245_ops ops = { send, on_caps, on_ready, on_open, on_opened, on_closed, on_command, on_digits, on_generic, on_end };

static uint32_t drawn(void *ud)
{
	return ((struct side *)ud)->draw++;
}

static void side_new(struct side *s, struct side *peer, const char *name, uint8_t type, uint32_t draw)
{
	g_autoptr(json_t) caps = h323_caps_print(&(struct h323_caps_conf){ .video = true, .slides = true });
	*s = (struct side){ .peer = peer, .name = name, .to_come = g_queue_new(), .draw = draw };
	s->h = h245_new(&(struct h245_conf){ .terminal_type = type, .capabilities = caps, .random24 = drawn }, &ops, s);
}

static void side_free(struct side *s)
{
	h245_free(s->h);
	json_decref(s->caps);
	g_queue_free_full(s->to_come, (GDestroyNotify)g_byte_array_unref);
}

static bool deliver(struct side *s, int64_t now)
{
	g_autoptr(GByteArray) wire = g_queue_pop_head(s->to_come);
	if (wire == NULL) {
		return false;
	}
	g_autofree char *why = NULL;
	g_autoptr(json_t) pdu = per_read(per_find("245:MultimediaSystemControlMessage"), wire->data, wire->len, &why);
	g_assert_cmpstr(why, ==, NULL);
	h245_receive(s->h, pdu, now);
	return true;
}

/* bits of `order` say whose queue goes next; then all that is left */
static void run(struct side *a, struct side *b, unsigned order, int64_t now)
{
	for (unsigned n = 0; n < 16; n++) {
		(void)deliver(order >> n & 1 ? a : b, now);
	}
	for (unsigned n = 0; n < 1000 && (deliver(a, now) || deliver(b, now)); n++) {
	}
}

static void pair(struct side *a, struct side *b, uint8_t type_a, uint8_t type_b, unsigned order)
{
	side_new(a, b, "a", type_a, 1);
	side_new(b, a, "b", type_b, type_a == type_b ? 5 : 1);
	h245_start(a->h, 0);
	h245_start(b->h, 0);
	run(a, b, order, 0);
	g_assert_true(h245_is_ready(a->h) && h245_is_ready(b->h));
	g_assert_cmpuint(a->ready, ==, 1);
	g_assert_cmpuint(b->ready, ==, 1);
	g_assert_true(a->master != b->master);
}

static void unpair(struct side *a, struct side *b)
{
	g_assert_cmpuint(h245_faults(a->h) + h245_faults(b->h), ==, 0);
	side_free(a);
	side_free(b);
}

static void meets_in_every_order(void)
{
	for (unsigned order = 0; order < 1u << 12; order++) {
		struct side a, b;
		pair(&a, &b, 190, 50, order);
		g_assert_true(a.master);
		unpair(&a, &b);
	}
}

static void ties_are_drawn_again(void)
{
	for (unsigned order = 0; order < 256; order++) {
		struct side a, b;
		side_new(&a, &b, "a", 60, 7);
		side_new(&b, &a, "b", 60, 7);
		b.draw = 7;
		h245_start(a.h, 0);
		h245_start(b.h, 0);
		b.draw = 100;	/* the second draw differs */
		run(&a, &b, order, 0);
		g_assert_true(h245_is_ready(a.h) && h245_is_ready(b.h));
		g_assert_true(a.master != b.master);
		side_free(&a);
		side_free(&b);
	}
}

static void ties_end(void)
{
	struct side a, b;
	side_new(&a, &b, "a", 60, 7);
	side_new(&b, &a, "b", 60, 7);
	h245_start(a.h, 0);
	for (unsigned n = 0; n < 300 && a.why_end == NULL; n++) {
		a.draw = 7;
		g_autoptr(json_t) same = json_pack("{s{s{sisi}}}", "request", "masterSlaveDetermination", "terminalType", 60,
						   "statusDeterminationNumber", 7);
		h245_receive(a.h, same, 0);
	}
	g_assert_nonnull(a.why_end);
	side_free(&a);
	side_free(&b);
}

/* ---- channels ---- */
static struct h245_channel *opens(struct side *s, enum h323_kind media, uint8_t session)
{
	struct h323_codec c;
	json_t *type;
	g_assert_true(h323_caps_choose(s->caps, media, 0, &c, &type));
	json_t *rtcp = h245_print_address(&(struct h245_address){ "192.0.2.3", 7001 });
	return h245_open(s->h, h323_caps_open(media, &c, type, session, rtcp), 0);
}

static void channels_open_and_close(void)
{
	struct side a, b;
	pair(&a, &b, 190, 50, 0x5555);
	struct h245_channel *sound = opens(&a, H323_AUDIO, 1), *picture = opens(&a, H323_VIDEO, 2);
	struct h245_channel *other = opens(&b, H323_VIDEO, 2);
	g_assert_cmpint(sound->number, ==, other->number);	/* numbers are of one direction (trap 19) */
	run(&a, &b, 0, 0);
	g_assert_cmpuint(a.opened, ==, 2);
	g_assert_cmpuint(b.opened, ==, 1);
	h245_fast_update(a.h, h245_find(a.h, false, other->number));
	h245_flow(b.h, h245_find(b.h, false, picture->number), 512000);
	h245_digits(a.h, "12#");
	run(&a, &b, 0, 0);
	g_assert_cmpuint(b.commands, ==, 1u << H245_FAST_UPDATE);
	g_assert_cmpint(a.flow, ==, 512000);
	g_assert_cmpstr(b.digits, ==, "12#");
	h245_close(a.h, picture, 0);
	h245_close(a.h, h245_find(a.h, false, other->number), 0);	/* asked of the peer */
	run(&a, &b, 0, 0);
	g_assert_cmpuint(a.closed, ==, 2);
	g_assert_cmpuint(b.closed, ==, 2);
	h245_end(a.h);
	run(&a, &b, 0, 0);
	g_assert_cmpstr(b.why_end, ==, "hung_up");
	unpair(&a, &b);
}

static void session_is_said_by_the_master(void)
{
	struct side a, b;
	pair(&a, &b, 190, 50, 0);
	struct h245_channel *slides = opens(&b, H323_SLIDES, 0);
	run(&a, &b, 0, 0);
	g_assert_cmpint(slides->session, ==, 4);
	unpair(&a, &b);
}

static void refusals_have_a_cause(void)
{
	struct side a, b;
	pair(&a, &b, 190, 50, 0);
	b.refuse = "dataTypeNotSupported";
	(void)opens(&a, H323_VIDEO, 2);
	run(&a, &b, 0, 0);
	g_assert_cmpuint(a.closed, ==, 1);
	g_assert_cmpstr(a.why_closed, ==, "dataTypeNotSupported");
	g_assert_cmpuint(a.opened, ==, 0);
	unpair(&a, &b);
}

static void a_storm_of_channels_is_limited(void)
{
	struct side a, b;
	pair(&a, &b, 190, 50, 0);
	for (unsigned n = 0; n < 500; n++) {
		struct h323_codec c;
		json_t *type;
		g_assert_true(h323_caps_choose(b.caps, H323_VIDEO, 0, &c, &type));
		json_t *open = h323_caps_open(H323_VIDEO, &c, type, 2, h245_print_address(&(struct h245_address){ "192.0.2.3", 7001 }));
		json_object_set_new(open, "forwardLogicalChannelNumber", json_integer(1 + n));
		g_autoptr(json_t) pdu = json_pack("{s{so}}", "request", "openLogicalChannel", open);
		h245_receive(a.h, pdu, 0);
	}
	g_assert_cmpuint(a.opens, ==, 64);
	side_free(&a);
	side_free(&b);
}

/* ---- the empty set: hold and transfer ---- */
static void empty_set_closes_and_begins_anew(void)
{
	struct side a, b;
	pair(&a, &b, 190, 50, 0);
	(void)opens(&a, H323_AUDIO, 1);
	run(&a, &b, 0, 0);
	g_autoptr(json_t) empty = json_pack("{s{s{siss}}}", "request", "terminalCapabilitySet", "sequenceNumber", 9, "protocolIdentifier",
					    "0.0.8.245.0.7");
	h245_receive(a.h, empty, 0);
	run(&a, &b, 0, 0);
	g_assert_cmpuint(a.caps_empty, ==, 1);
	g_assert_cmpuint(a.closed, ==, 1);
	g_assert_false(h245_is_ready(a.h));
	g_autoptr(json_t) full = json_pack("{s{s{siss}}}", "request", "terminalCapabilitySet", "sequenceNumber", 10, "protocolIdentifier",
					   "0.0.8.245.0.7");
	g_autoptr(json_t) caps = h323_caps_print(&(struct h323_caps_conf){ .video = true });
	json_object_update(json_object_get(json_object_get(full, "request"), "terminalCapabilitySet"), caps);
	h245_receive(a.h, full, 0);
	run(&a, &b, 0, 0);
	g_assert_true(h245_is_ready(a.h));
	g_assert_cmpuint(a.ready, ==, 2);
	side_free(&a);
	side_free(&b);
}

/* ---- time ---- */
static void a_silent_peer_ends(void)
{
	struct side a, b;
	side_new(&a, &b, "a", 190, 1);
	side_new(&b, &a, "b", 50, 1);
	h245_start(a.h, 0);
	for (int64_t now = 0; a.why_end == NULL && now < 100 * SECOND; now = h245_deadline(a.h)) {
		h245_tick(a.h, now);
	}
	g_assert_cmpstr(a.why_end, ==, "no answer to our capabilities");
	side_free(&a);
	side_free(&b);
}

static void a_quiet_peer_is_asked_once(void)
{
	struct side a, b;
	pair(&a, &b, 190, 50, 0);
	int64_t now = h245_deadline(a.h);
	h245_tick(a.h, now);
	run(&a, &b, 0, now);
	g_assert_null(a.why_end);	/* it answered */
	now = h245_deadline(a.h);
	h245_tick(a.h, now);		/* asked again, and now no answer */
	g_assert_cmpuint(g_queue_get_length(b.to_come), ==, 1);
	now = h245_deadline(a.h);
	h245_tick(a.h, now);
	g_assert_cmpstr(a.why_end, ==, "timeout");
	unpair(&a, &b);
}

/* ---- what one does not know ---- */
static const struct strange { const char *name, *json; unsigned answers, faults; } strange[] = {
	{ "mode", "{\"request\":{\"requestMode\":{\"sequenceNumber\":1,\"requestedModes\":[[{\"type\":{\"videoMode\":{\"h261VideoMode\":{\"resolution\":{\"cif\":null},\"bitRate\":10,\"stillImageTransmission\":false}}}}]]}}}", 1, 0 },
	{ "conference", "{\"request\":{\"conferenceRequest\":{\"terminalListRequest\":null}}}", 1, 0 },
	{ "later-version", "{\"request\":{\"_unknown\":[40,\"0x00\"]}}", 0, 0 },
	{ "indication", "{\"indication\":{\"jitterIndication\":{}}}", 0, 0 },
	{ "ack-of-nothing", "{\"response\":{\"openLogicalChannelAck\":{\"forwardLogicalChannelNumber\":77}}}", 0, 1 },
	{ "update-of-nothing", "{\"command\":{\"miscellaneousCommand\":{\"logicalChannelNumber\":77,\"type\":{\"videoFastUpdatePicture\":null}}}}", 0, 1 },
	{ "close-of-nothing", "{\"request\":{\"closeLogicalChannel\":{\"forwardLogicalChannelNumber\":77,\"source\":{\"lcse\":null}}}}", 1, 0 },
	{ "empty", "{}", 0, 1 },
	{ "digits-of-nobody", "{\"indication\":{\"userInput\":{\"alphanumeric\":\"x\"}}}", 0, 0 },
};

static void is_survived(gconstpointer data)
{
	const struct strange *s = data;
	struct side a, b;
	pair(&a, &b, 190, 50, 0);
	g_autoptr(json_t) pdu = json_loads(s->json, 0, NULL);
	g_assert_nonnull(pdu);
	h245_receive(a.h, pdu, 0);
	g_assert_cmpuint(g_queue_get_length(b.to_come), ==, s->answers);
	g_assert_cmpuint(h245_faults(a.h), ==, s->faults);
	g_assert_null(a.why_end);
	g_assert_cmpstr(a.digits, ==, "");
	side_free(&a);
	side_free(&b);
}

int main(int argc, char **argv)
{
	static const struct { const char *path; void (*fn)(void); } rows[] = {
		{ "/meet/every-order", meets_in_every_order },
		{ "/meet/ties", ties_are_drawn_again },
		{ "/meet/ties-end", ties_end },
		{ "/channels/open-close", channels_open_and_close },
		{ "/channels/session", session_is_said_by_the_master },
		{ "/channels/refused", refusals_have_a_cause },
		{ "/channels/storm", a_storm_of_channels_is_limited },
		{ "/empty-set", empty_set_closes_and_begins_anew },
		{ "/time/silent", a_silent_peer_ends },
		{ "/time/quiet", a_quiet_peer_is_asked_once },
	};
	g_test_init(&argc, &argv, NULL);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_test_add_func(rows[n].path, rows[n].fn);
	}
	for (unsigned n = 0; n < G_N_ELEMENTS(strange); n++) {
		g_autofree char *path = g_strdup_printf("/strange/%s", strange[n].name);
		g_test_add_data_func(path, &strange[n], is_survived);
	}
	return g_test_run();
}
