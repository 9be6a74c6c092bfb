/* Two calls against each other: H.245 tunnelled, apart, offered by either side; refused, unanswered, forwarded, cut; and what a
 * stranger may say to one. */
#include <string.h>

#include "gateway/h323/call.h"
#include "gateway/h323/caps.h"

struct end {
	struct h323_call *c;
	struct end *peer;
	GQueue *signalling, *h245;	/* GByteArray: what came for this end */
	unsigned setups, ringings, actives, ends, ready, opened, in;
	char why[64], forwarded[64];
	bool listening, connected;
	int64_t now;
};

static void queue(GQueue *q, const uint8_t *data, size_t len)
{
	GByteArray *copy = g_byte_array_new();
	g_byte_array_append(copy, data, (guint)len);
	g_queue_push_tail(q, copy);
}

static void send(struct h323_call *c, const uint8_t *data, size_t len, void *ud)
{
	(void)c;
	queue(((struct end *)ud)->peer->signalling, data, len);
}

static void send_h245(struct h323_call *c, const uint8_t *data, size_t len, void *ud)
{
	struct end *e = ud;
	(void)c;
	g_assert_true(e->connected);
	queue(e->peer->h245, data, len);
}

static bool listen_h245(struct h323_call *c, struct h245_address *ret, void *ud)
{
	(void)c;
	((struct end *)ud)->listening = true;
	*ret = (struct h245_address){ "192.0.2.1", 5555 };
	return true;
}

static void connect_h245(struct h323_call *c, const struct h245_address *to, void *ud)
{
	struct end *e = ud;
	(void)c;
	g_assert_cmpint(to->port, ==, 5555);
	g_assert_true(e->peer->listening);
	e->connected = e->peer->connected = true;	/* told to both by run() */
}

static void on_setup(struct h323_call *c, void *ud)
{
	(void)c;
	((struct end *)ud)->setups++;
}

static void on_ringing(struct h323_call *c, void *ud)
{
	(void)c;
	((struct end *)ud)->ringings++;
}

static void on_active(struct h323_call *c, void *ud)
{
	(void)c;
	((struct end *)ud)->actives++;
}

static void on_forwarded(struct h323_call *c, const char *number, const struct h245_address *to, void *ud)
{
	(void)c;
	(void)to;
	g_strlcpy(((struct end *)ud)->forwarded, number, 64);
}

static void on_end(struct h323_call *c, const char *why, void *ud)
{
	(void)c;
	((struct end *)ud)->ends++;
	g_strlcpy(((struct end *)ud)->why, why, 64);
}

/* ---- H.245 ---- */
static void h_send(struct h245 *h, const json_t *pdu, void *ud)
{
	(void)h;
	h323_call_send_h245(((struct end *)ud)->c, pdu);
}

static void h_caps(struct h245 *h, const json_t *tcs, void *ud)
{
	(void)h;
	(void)tcs;
	(void)ud;
}

static void h_ready(struct h245 *h, bool master, void *ud)
{
	struct end *e = ud;
	struct h323_codec pcma = { .id = MCU_CODEC_PCMA, .pt = 8, .packet_ms = 20 };
	(void)master;
	e->ready++;
	json_t *rtcp = h245_print_address(&(struct h245_address){ "192.0.2.2", 4001 });
	g_assert_nonnull(h245_open(h, h323_caps_open(H323_AUDIO, &pcma, json_pack("{s{si}}", "audioData", "g711Alaw64k", 20), 1, rtcp), e->now));
}

static void h_open(struct h245 *h, struct h245_channel *ch, void *ud)
{
	((struct end *)ud)->in++;
	h245_accept(h, ch, &(struct h245_address){ "192.0.2.2", 4000 }, &(struct h245_address){ "192.0.2.2", 4001 });
}

static void h_opened(struct h245 *h, struct h245_channel *ch, void *ud)
{
	(void)h;
	g_assert_cmpint(ch->rtp.port, ==, 4000);
	((struct end *)ud)->opened++;
}

static void h_closed(struct h245 *h, struct h245_channel *ch, const char *why, void *ud)
{
	(void)h;
	(void)ch;
	(void)why;
	(void)ud;
}

static void h_command(struct h245 *h, enum h245_command what, struct h245_channel *ch, int64_t bps, void *ud)
{
	(void)h;
	(void)what;
	(void)ch;
	(void)bps;
	(void)ud;
}

static void h_digits(struct h245 *h, const char *digits, void *ud)
{
	(void)h;
	(void)digits;
	(void)ud;
}

static bool h_generic(struct h245 *h, const char *kind, const json_t *message, void *ud)
{
	(void)h;
	(void)kind;
	(void)message;
	(void)ud;
	return false;
}

static void h_end(struct h245 *h, const char *why, void *ud)
{
	(void)h;
	h323_call_h245_ended(((struct end *)ud)->c, why);
}

static const struct h245_ops h245_ops = { h_send, h_caps, h_ready, h_open, h_opened, h_closed, h_command, h_digits, h_generic, h_end };
static const struct h323_call_ops ops = { send, send_h245, listen_h245, connect_h245, on_setup, on_ringing, on_active, on_forwarded,
					  on_end, &h245_ops };

/* ---- the rig ---- */
static void end_new(struct end *e, struct end *peer, bool tunnelling, const char *name, const char *called)
{
	g_autoptr(json_t) caps = h323_caps_print(&(struct h323_caps_conf){ .video = true, .slides = true });
	struct h323_call_conf conf = { .name = name, .number = "8001", .product = "Ortoo", .mcu = called == NULL, .tunnelling = tunnelling,
				       .rate = 30, .capabilities = caps, .crv = 77 };
	*e = (struct end){ .peer = peer, .signalling = g_queue_new(), .h245 = g_queue_new() };
	e->c = h323_call_new(&conf, &ops, e);
	h323_call_target(e->c, called, &(struct h245_address){ "192.0.2.1", 1720 });
}

static void end_free(struct end *e)
{
	h323_call_free(e->c);
	g_queue_free_full(e->signalling, (GDestroyNotify)g_byte_array_unref);
	g_queue_free_full(e->h245, (GDestroyNotify)g_byte_array_unref);
}

static bool step(struct end *e)
{
	g_autoptr(GByteArray) m = g_queue_pop_head(e->signalling);
	if (m != NULL) {
		h323_call_receive(e->c, m->data, m->len, e->now);
		return true;
	}
	if (e->connected) {	/* again and again: harmless */
		h323_call_h245_up(e->c, e->now);
	}
	g_autoptr(GByteArray) pdu = e->connected ? g_queue_pop_head(e->h245) : NULL;
	if (pdu != NULL) {
		h323_call_receive_h245(e->c, pdu->data, pdu->len, e->now);
	}
	return pdu != NULL;
}

static void run(struct end *a, struct end *b)
{
	for (unsigned n = 0, idle = 0; n < 2000 && idle < 3; n++) {
		bool some = step(a);
		some = step(b) || some;
		idle = some ? 0 : idle + 1;
	}
}

struct pairing { const char *name; bool a, b, tunnelled; };
static const struct pairing pairings[] = { { "both-tunnel", true, true, true }, { "caller-tunnels", true, false, false },
					   { "callee-tunnels", false, true, false }, { "apart", false, false, false } };

static void calls_through(gconstpointer data)
{
	const struct pairing *p = data;
	struct end a, b;
	end_new(&a, &b, p->a, "Dongsheng", "8002");
	end_new(&b, &a, p->b, "Otog", NULL);
	h323_call_start(a.c, 0);
	run(&a, &b);
	g_assert_cmpuint(b.setups, ==, 1);
	g_assert_cmpstr(h323_call_called(b.c), ==, "8002");
	g_assert_cmpstr(h323_call_peer(b.c)->name, ==, "Dongsheng");
	g_assert_cmpstr(h323_call_peer(b.c)->number, ==, "8001");
	g_assert_cmpstr(h323_call_peer(b.c)->product, ==, "Ortoo");
	g_assert_cmpstr(h323_call_id(a.c), ==, h323_call_id(b.c));
	h323_call_ringing(b.c, 0);
	run(&a, &b);
	g_assert_cmpuint(a.ringings, ==, 1);
	h323_call_answer(b.c, 0);
	run(&a, &b);
	g_assert_cmpuint(a.actives, ==, 1);
	g_assert_cmpint(h323_call_tunnels(a.c), ==, p->tunnelled);
	g_assert_cmpint(h323_call_tunnels(b.c), ==, p->tunnelled);
	g_assert_cmpuint(a.ready, ==, 1);
	g_assert_cmpuint(b.ready, ==, 1);
	g_assert_cmpuint(a.opened, ==, 1);
	g_assert_cmpuint(b.opened, ==, 1);
	g_assert_true(h245_is_master(h323_call_h245(b.c)));	/* the MCU */
	h323_call_end(a.c, 16);
	run(&a, &b);
	g_assert_cmpuint(a.ends, ==, 0);	/* silent to who ends it */
	g_assert_cmpuint(b.ends, ==, 1);
	g_assert_cmpstr(b.why, ==, "hung_up");
	g_assert_cmpuint(h323_call_faults(a.c) + h323_call_faults(b.c), ==, 0);
	end_free(&a);
	end_free(&b);
}

static const struct { uint8_t cause; const char *why; } refusals[] = { { 17, "busy" }, { 21, "refused" }, { 3, "unreachable" }, { 1, "unknown_number" } };

static void refusals_are_told(void)
{
	for (unsigned n = 0; n < G_N_ELEMENTS(refusals); n++) {
		struct end a, b;
		end_new(&a, &b, true, "A", "1");
		end_new(&b, &a, true, "B", NULL);
		h323_call_start(a.c, 0);
		run(&a, &b);
		h323_call_end(b.c, refusals[n].cause);
		run(&a, &b);
		g_assert_cmpstr(a.why, ==, refusals[n].why);
		end_free(&a);
		end_free(&b);
	}
}

static void time_ends_it(void)
{
	struct end a, b;
	end_new(&a, &b, true, "A", "1");
	end_new(&b, &a, true, "B", NULL);
	h323_call_start(a.c, 0);
	h323_call_tick(a.c, h323_call_deadline(a.c));	/* no answer at all */
	g_assert_cmpstr(a.why, ==, "timeout");
	end_free(&a);
	end_free(&b);
	end_new(&a, &b, true, "A", "1");
	end_new(&b, &a, true, "B", NULL);
	h323_call_start(a.c, 0);
	run(&a, &b);
	h323_call_ringing(b.c, 0);
	run(&a, &b);
	h323_call_tick(a.c, h323_call_deadline(a.c));	/* it rings for ever */
	g_assert_cmpstr(a.why, ==, "no_answer");
	run(&a, &b);
	g_assert_cmpuint(b.ends, ==, 1);
	end_free(&a);
	end_free(&b);
}

/* A peer that answers and never opens H.245. */
static void half_a_call_ends(void)
{
	struct end a, b;
	end_new(&a, &b, false, "A", "1");
	end_new(&b, &a, false, "B", NULL);
	h323_call_start(a.c, 0);
	run(&a, &b);
	h323_call_answer(b.c, 0);
	g_assert_true(b.listening);
	h323_call_tick(b.c, h323_call_deadline(b.c));
	g_assert_cmpstr(b.why, ==, "timeout");
	end_free(&a);
	end_free(&b);
}

static void lost_connections_end_it(void)
{
	struct end a, b;
	end_new(&a, &b, true, "A", "1");
	end_new(&b, &a, true, "B", NULL);
	h323_call_start(a.c, 0);
	run(&a, &b);
	h323_call_lost(b.c, "connection_lost");
	h323_call_lost(b.c, "connection_lost");
	g_assert_cmpuint(b.ends, ==, 1);
	h323_call_end(b.c, 16);
	g_assert_cmpuint(g_queue_get_length(a.signalling), ==, 0);
	end_free(&a);
	end_free(&b);
}

/* ---- strangers ---- */
static void hears_strangers(void)
{
	static const char *const messages[] = { "", "08", "0802004d05", "0802004d01", "08020001627e000100", "0802004d7d" };
	struct end a, b;
	end_new(&a, &b, true, "A", "1");
	end_new(&b, &a, true, "B", NULL);
	h323_call_start(a.c, 0);
	for (unsigned n = 0; n < G_N_ELEMENTS(messages); n++) {
		uint8_t octets[64];
		size_t len = strlen(messages[n]) / 2;
		for (size_t i = 0; i < len; i++) {
			octets[i] = (uint8_t)(g_ascii_xdigit_value(messages[n][2 * i]) << 4 | g_ascii_xdigit_value(messages[n][2 * i + 1]));
		}
		h323_call_receive(a.c, octets, len, 0);
		h323_call_receive(b.c, octets, len, 0);
		h323_call_receive_h245(a.c, octets, len, 0);
	}
	g_assert_cmpuint(a.ends, ==, 0);
	g_assert_cmpuint(h323_call_faults(a.c), >, 3);
	g_assert_cmpuint(h323_call_faults(b.c), >, 3);
	run(&a, &b);
	g_assert_cmpuint(b.setups, ==, 1);	/* and it still works */
	end_free(&a);
	end_free(&b);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned n = 0; n < G_N_ELEMENTS(pairings); n++) {
		g_autofree char *path = g_strdup_printf("/call/%s", pairings[n].name);
		g_test_add_data_func(path, &pairings[n], calls_through);
	}
	g_test_add_func("/refused", refusals_are_told);
	g_test_add_func("/time", time_ends_it);
	g_test_add_func("/half", half_a_call_ends);
	g_test_add_func("/lost", lost_connections_end_it);
	g_test_add_func("/strangers", hears_strangers);
	return g_test_run();
}
