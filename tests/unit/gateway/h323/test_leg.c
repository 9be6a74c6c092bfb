/* H.323 legs over real sockets: the conformance suite of legs, one stack of ours calling another; then media, key frames, and
 * what strangers do to the port. The engine is a table of answers. */
#include <string.h>

#include "gateway/h323/h323_priv.h"
#include "tests/kit/fake_leg.h"

struct end {
	gw_h323 *h;
	gw_leg *in;
	GPtrArray *did;		/* "method id codec": what the engine was asked */
	uint8_t refuse;
	char number[64], name[64];
	unsigned ended, news[4];
	char why[64];
};
static struct end a, b;

#define WAIT(condition)                                                                                                \
	do {                                                                                                           \
		for (int64_t until_ = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;                                    \
		     !(condition) && g_get_monotonic_time() < until_; g_main_context_iteration(NULL, TRUE)) {          \
			g_timeout_add(20, G_SOURCE_FUNC(wakes), NULL);                                                 \
		}                                                                                                      \
		g_assert_true(condition);                                                                              \
	} while (0)

static gboolean wakes(gpointer unused)
{
	(void)unused;
	return G_SOURCE_REMOVE;
}

/* ---- the engine ---- */
struct answer { mcu_client_fn fn; void *data; uint16_t port; };

static gboolean answers(gpointer data)
{
	struct answer *r = data;
	struct mcu_candidate_use c = { .ip = (char *)(uintptr_t)"127.0.0.1", .port = r->port };
	struct mcu_transport_reply reply = { .candidates = { &c, 1 }, .rtcp_port = r->port + 1 };
	r->fn(&reply, NULL, r->data);
	g_free(r);
	return G_SOURCE_REMOVE;
}

static void note(struct end *e, const char *what, const char *id, const char *more)
{
	g_ptr_array_add(e->did, g_strdup_printf("%s %s %s", what, id, more != NULL ? more : ""));
}

static const char *first_codec(const struct ort_json_array *codecs)
{
	return ((const struct mcu_codec_use *)codecs->items)->name;
}

static void media(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *user_data)
{
	static uint16_t port = 20000;
	struct end *e = user_data;
	if (method == MCU_METHOD_TRANSPORT_OPEN) {
		struct answer *r = g_new(struct answer, 1);
		*r = (struct answer){ fn, fn_data, port += 2 };
		g_idle_add(answers, r);
	} else if (method == MCU_METHOD_SOURCE_ADD) {
		note(e, "source", ((const struct mcu_source_add *)request)->id, first_codec(&((const struct mcu_source_add *)request)->codecs));
	} else if (method == MCU_METHOD_SINK_ADD) {
		note(e, "sink", ((const struct mcu_sink_add *)request)->id, first_codec(&((const struct mcu_sink_add *)request)->codecs));
	} else if (method == MCU_METHOD_SINK_ROUTE) {
		note(e, "route", ((const struct mcu_sink_route *)request)->id, ((const struct mcu_sink_route *)request)->source);
	} else if (method == MCU_METHOD_KEYFRAME_REQUEST) {
		note(e, "keyframe", ((const struct mcu_stream_ref *)request)->id, NULL);
	} else if (method == MCU_METHOD_TRANSPORT_CLOSE) {
		note(e, "close", ((const struct mcu_transport_ref *)request)->transport, NULL);
	}
}

static unsigned did(const struct end *e, const char *text)
{
	unsigned n = 0;
	for (guint i = 0; i < e->did->len; i++) {
		n += g_str_has_prefix(e->did->pdata[i], text);
	}
	return n;
}

/* ---- the application ---- */
static char *on_call(const struct gw_h323_call_in *in, uint8_t *ret_cause, void *user_data)
{
	struct end *e = user_data;
	g_strlcpy(e->number, in->number, sizeof(e->number));
	g_strlcpy(e->name, in->name, sizeof(e->name));
	*ret_cause = e->refuse;
	return e->refuse != 0 ? NULL : g_strdup("p-2");
}

static void on_leg(gw_leg *leg, const struct gw_h323_call_in *in, void *user_data)
{
	(void)in;
	((struct end *)user_data)->in = leg;
}

static void on_state(gw_leg *leg, enum gw_leg_state state, const char *why, void *user_data)
{
	struct end *e = user_data;
	(void)leg;
	if (state == GW_LEG_ENDED) {
		e->ended++;
		g_strlcpy(e->why, why != NULL ? why : "", sizeof(e->why));
	}
}

static void on_floor(gw_leg *leg, enum gw_h323_floor_news news, void *user_data)
{
	(void)leg;
	((struct end *)user_data)->news[news]++;
}

static const struct gw_h323_ops ops = { media, on_call, on_leg, on_floor };
static const struct gw_leg_listener listener = { .on_state = on_state };

static void end_open(struct end *e, const char *name, bool tunnelling, const char *route)
{
	g_autoptr(GError) err = NULL;
	struct gw_h323_conf conf = { .bind = "127.0.0.1", .port = GW_H323_ANY_PORT, .zone = "default", .room = "hall", .name = name,
				     .number = "8001", .route = route, .tunnelling = tunnelling, .max_per_source = 8 };
	*e = (struct end){ .did = g_ptr_array_new_with_free_func(g_free) };
	e->h = gw_h323_new(&conf, &ops, &listener, e, &err);
	g_assert_no_error(err);
}

static void end_close(struct end *e)
{
	g_clear_pointer(&e->in, gw_leg_free);
	gw_h323_free(e->h);
	g_ptr_array_unref(e->did);
}

static gw_leg *call_b(void)
{
	static unsigned n;
	g_autofree char *id = g_strdup_printf("leg-%u", ++n), *party = g_strdup_printf("p-%u", n);
	return gw_h323_call(a.h, id, party);
}

static int dial_b(gw_leg *leg)
{
	g_autofree char *address = g_strdup_printf("h323:8002@127.0.0.1:%u", gw_h323_port(b.h));
	return gw_leg_dial(leg, &(struct gw_leg_dial){ .address = address, .video = true });
}

/* ---- the conformance suite ---- */
static gw_leg *suite_make(const struct gw_leg_listener *l, void *user_data, void *rig)
{
	(void)rig;
	g_clear_pointer(&b.in, gw_leg_free);
	gw_leg *leg = call_b();
	leg->listener = l;
	leg->user_data = user_data;
	return leg;
}

static void suite_peer(gw_leg *leg, const char *act, void *rig)
{
	(void)rig;
	if (strcmp(act, "ring") == 0) {
		WAIT(leg->fsm.state == GW_LEG_RINGING && b.in != NULL);
	} else if (strcmp(act, "connect") == 0) {
		g_assert_cmpint(gw_leg_answer(b.in), ==, 0);
		WAIT(leg->fsm.state >= GW_LEG_CONNECTING);
	} else if (strcmp(act, "media") == 0) {
		WAIT(leg->fsm.state == GW_LEG_UP || leg->fsm.state == GW_LEG_ENDED);
	} else if (strcmp(act, "dtmf") == 0) {
		g_assert_cmpint(gw_leg_send_dtmf(b.in, "5"), ==, 0);
	} else if (strcmp(act, "drop") == 0) {
		gw_leg_hangup(b.in, "dropped");
		WAIT(leg->fsm.state == GW_LEG_ENDED);
	}
}

/* ---- media ---- */
static void carries_media(gconstpointer tunnelling)
{
	end_open(&a, "Dongsheng", tunnelling != NULL, NULL);
	end_open(&b, "Otog", tunnelling != NULL, NULL);
	gw_leg *leg = call_b();
	g_assert_cmpint(dial_b(leg), ==, 0);
	WAIT(b.in != NULL);
	g_assert_cmpstr(b.number, ==, "8002");
	g_assert_cmpstr(b.name, ==, "Dongsheng");
	g_assert_cmpint(gw_leg_answer(b.in), ==, 0);
	WAIT(leg->fsm.state == GW_LEG_UP && b.in->fsm.state == GW_LEG_UP);
	WAIT(did(&a, "source") == 3 && did(&a, "sink") == 3 && did(&b, "source") == 3 && did(&b, "sink") == 3);
	g_assert_cmpuint(did(&b, "source p-2.video H264"), ==, 1);
	g_assert_cmpuint(did(&b, "source p-2.audio G722"), ==, 1);
	struct gw_leg_takes takes;
	g_assert_true(gw_leg_takes(leg, "main", &takes));
	g_assert_cmpint(takes.codec, ==, MCU_CODEC_H264);
	g_assert_cmpint(takes.width, ==, 1920);
	g_assert_true(gw_leg_takes(leg, "content", &takes));
	/* a key frame is wanted of what b sends us: H.245 asks b, and b asks its source */
	g_assert_cmpint(gw_leg_feed(b.in, "main", "mix.v"), ==, 0);
	g_autofree char *stream = g_strdup_printf("%s.video", leg->party);
	gw_h323_keyframe(a.h, stream);
	WAIT(did(&b, "keyframe mix.v") == 1);
	g_assert_cmpint(gw_leg_send_dtmf(leg, "12"), ==, 0);
	g_autofree char *dump = gw_h323_dump(b.h);
	g_assert_nonnull(strstr(dump, "\"calls_in\":1"));
	gw_leg_hangup(leg, "enough");
	WAIT(b.ended == 1);
	g_assert_cmpstr(b.why, ==, "hung_up");
	gw_leg_free(leg);
	g_assert_cmpuint(did(&a, "close"), ==, 3);
	end_close(&a);
	end_close(&b);
}

/* ---- the presentation token ---- */
static enum h239_state token_of(const gw_leg *leg)
{
	return ((const struct h323_leg *)leg)->token.state;
}

static void passes_the_token(void)
{
	end_open(&a, "A", true, NULL);
	end_open(&b, "B", true, NULL);
	gw_leg *leg = call_b();
	g_assert_cmpint(dial_b(leg), ==, 0);
	WAIT(b.in != NULL);
	g_assert_cmpint(gw_leg_answer(b.in), ==, 0);
	WAIT(leg->fsm.state == GW_LEG_UP && b.in->fsm.state == GW_LEG_UP);
	g_assert_cmpint(gw_h323_floor(leg, GW_H323_TAKEN), ==, 0);
	WAIT(b.news[GW_H323_FLOOR_ASKED] == 1);
	g_assert_cmpint(gw_h323_floor(b.in, GW_H323_GRANT), ==, 0);
	WAIT(token_of(leg) == H239_OURS && token_of(b.in) == H239_THEIRS);
	g_assert_cmpint(gw_h323_floor(b.in, GW_H323_GRANT), ==, -EALREADY);
	g_assert_cmpint(gw_h323_floor(leg, GW_H323_FREE), ==, 0);
	WAIT(b.news[GW_H323_FLOOR_GIVEN_BACK] == 1 && token_of(b.in) == H239_FREE);
	g_assert_cmpint(gw_h323_floor(b.in, GW_H323_TAKEN), ==, 0);	/* the other way, and refused */
	WAIT(a.news[GW_H323_FLOOR_ASKED] == 1);
	g_assert_cmpint(gw_h323_floor(leg, GW_H323_DENY), ==, 0);
	WAIT(token_of(b.in) == H239_FREE && token_of(leg) == H239_FREE);
	for (unsigned n = 0; n < 20; n++) {	/* both at once: never two */
		g_assert_cmpint(gw_h323_floor(leg, GW_H323_TAKEN), ==, 0);
		g_assert_cmpint(gw_h323_floor(b.in, GW_H323_TAKEN), ==, 0);
		WAIT(token_of(leg) != H239_ASKING || token_of(b.in) != H239_ASKING);
		(void)gw_h323_floor(leg, GW_H323_GRANT);
		(void)gw_h323_floor(b.in, GW_H323_GRANT);
		WAIT(token_of(leg) != H239_ASKING && token_of(b.in) != H239_ASKING);
		g_assert_false(token_of(leg) == H239_OURS && token_of(b.in) == H239_OURS);
		(void)gw_h323_floor(leg, GW_H323_FREE);
		(void)gw_h323_floor(b.in, GW_H323_FREE);
		WAIT(token_of(leg) == H239_FREE && token_of(b.in) == H239_FREE);
	}
	g_assert_cmpint(gw_h323_floor(leg, GW_H323_TAKEN), ==, 0);	/* the presenter hangs up: the token comes back */
	WAIT(token_of(b.in) == H239_ASKED);
	g_assert_cmpint(gw_h323_floor(b.in, GW_H323_GRANT), ==, 0);
	gw_leg_free(leg);
	WAIT(b.ended == 1);
	end_close(&a);
	end_close(&b);
}

static void is_refused(void)
{
	end_open(&a, "A", true, NULL);
	end_open(&b, "B", true, NULL);
	b.refuse = 17;
	gw_leg *leg = call_b();
	g_assert_cmpint(dial_b(leg), ==, 0);
	WAIT(a.ended == 1);
	g_assert_cmpstr(a.why, ==, "busy");
	gw_leg_free(leg);
	end_close(&b);
	leg = call_b();		/* and nobody there at all */
	g_assert_cmpint(gw_leg_dial(leg, &(struct gw_leg_dial){ .address = "h323:8002@127.0.0.1:9", .video = true }), ==, 0);
	WAIT(a.ended == 2);
	g_assert_cmpstr(a.why, ==, "nobody listens there");
	gw_leg_free(leg);
	end_close(&a);
}

/* ---- strangers ---- */
static GSocketConnection *stranger(const char *octets, size_t len)
{
	g_autoptr(GSocketClient) client = g_socket_client_new();
	GSocketConnection *c = g_socket_client_connect_to_host(client, "127.0.0.1", gw_h323_port(b.h), NULL, NULL);
	g_assert_nonnull(c);
	g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(c)), octets, len, NULL, NULL, NULL);
	return c;
}

static void survives_strangers(void)
{
	static const struct { const char *octets; size_t len; } rows[] = { { "GET / HTTP/1.1\r\n\r\n", 18 }, { "\x16\x03\x01\x02\x00", 5 },
									  { "\x03\x00\x00\x05\xff", 5 }, { "\x03\x00\xff\xff\x08", 5 },
									  { "\x03\x00\x00\x09\x08\x02\x00\x01\x05", 9 } };
	end_open(&a, "A", true, NULL);
	end_open(&b, "B", true, NULL);
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_object_unref);
	for (unsigned n = 0; n < 60; n++) {
		g_ptr_array_add(all, stranger(rows[n % G_N_ELEMENTS(rows)].octets, rows[n % G_N_ELEMENTS(rows)].len));
		WAIT(true);
		for (int i = 0; i < 4; i++) {
			g_main_context_iteration(NULL, FALSE);
		}
	}
	WAIT(b.h->legs->len <= 8);
	g_assert_cmpuint(b.h->counts[COUNT_LIMITED], >, 0);
	g_ptr_array_set_size(all, 0);
	WAIT(b.h->legs->len == 0);
	gw_leg *leg = call_b();		/* and it still works */
	g_assert_cmpint(dial_b(leg), ==, 0);
	WAIT(b.in != NULL);
	g_assert_cmpint(gw_leg_answer(b.in), ==, 0);
	WAIT(leg->fsm.state == GW_LEG_UP);
	gw_leg_free(leg);
	end_close(&a);
	end_close(&b);
}

static void parses_addresses(void)
{
	static const struct { const char *text, *called, *host; uint16_t port; bool ok; const char *route; } rows[] = {
		{ "h323:8002@192.0.2.1", "8002", "192.0.2.1", 1720, true }, { "h323:192.0.2.1:1721", "", "192.0.2.1", 1721, true },
		{ "h323:room@[2001:db8::1]:1725", "room", "2001:db8::1", 1725, true }, { "h323:", NULL, NULL, 0, false },
		{ "h323:8002@", NULL, NULL, 0, false }, { "h323:8002", NULL, NULL, 0, false },
		{ "h323:8002", "8002", "192.0.2.9", 1720, true, "192.0.2.9" } };
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_autofree char *called = NULL;
		struct h245_address to = { 0 };
		g_assert_cmpint(h323_parse_address(rows[n].text, rows[n].route, &called, &to), ==, rows[n].ok);
		g_assert_cmpstr(called, ==, rows[n].called);
		g_assert_true(!rows[n].ok || (strcmp(to.host, rows[n].host) == 0 && to.port == rows[n].port));
	}
}

int main(int argc, char **argv)
{
	static const struct gw_leg_suite suite = { "h323", suite_make, suite_peer, "audio", NULL };
	g_test_init(&argc, &argv, NULL);
	if (argc > 1) {		/* "suite": its two ends live as long as the process */
		end_open(&b, "B", true, NULL);
		g_autofree char *route = g_strdup_printf("127.0.0.1:%u", gw_h323_port(b.h));
		end_open(&a, "A", true, route);
		gw_leg_suite_add(&suite);
		int failed = g_test_run();
		end_close(&a);
		end_close(&b);
		return failed;
	}
	g_test_add_func("/address", parses_addresses);
	g_test_add_data_func("/media/tunnelled", "yes", carries_media);
	g_test_add_data_func("/media/apart", NULL, carries_media);
	g_test_add_func("/token", passes_the_token);
	g_test_add_func("/refused", is_refused);
	g_test_add_func("/strangers", survives_strangers);
	return g_test_run();
}
