/* A client and a server of ours face to face in virtual time, over datagrams that may be lost and over a stream. */
#include <glib.h>
#include <string.h>

#include "gateway/bfcp/core_priv.h"
#include "mcu/base/clock.h"

enum { CONFERENCE = 4711, USER = 12, FLOOR = 3 };

struct side {
	struct bfcp_core core;
	struct world *w;
	struct side *other;
	GString *log;	/* what it was told, a word each */
	enum gw_bfcp_status verdict;	/* server: at once when set */
	unsigned lose;	/* so many of its messages vanish */
	bool mute;
};
struct world {
	struct side client, server;
	struct bfcp_counters counters;
	GQueue wire;	/* struct letter */
	int64_t now;
	GRand *luck;	/* NULL = only what `lose` says is lost */
};
struct letter { struct side *to; size_t len; uint8_t data[BFCP_LONGEST]; };

static void send_letter(const uint8_t *data, size_t len, void *user_data)
{
	struct side *s = user_data;
	struct letter *l;

	if (s->w->luck != NULL && g_rand_int_range(s->w->luck, 0, 5) == 0) {
		return;
	}
	if (s->mute || s->lose > 0) {
		s->lose -= s->lose > 0;
		return;
	}
	l = g_new0(struct letter, 1);
	l->to = s->other;
	l->len = len;
	memcpy(l->data, data, len);
	g_queue_push_tail(&s->w->wire, l);
}

static void note(struct side *s, const char *word)
{
	g_string_append_printf(s->log, "%s%s", s->log->len ? " " : "", word);
}

static void on_request(void *user_data)
{
	struct side *s = user_data;

	note(s, "request");
	if (s->verdict) {
		bfcp_server_verdict(&s->core, s->verdict, "why", s->w->now);
	}
}

static void on_release(void *user_data)
{
	note(user_data, "release");
}

static void on_status(enum gw_bfcp_status status, void *user_data)
{
	static const char *const names[] = { "", "pending", "accepted", "granted", "denied", "cancelled", "released", "revoked" };

	note(user_data, names[status]);
}

static void on_floor(bool held, bool by_us, void *user_data)
{
	note(user_data, by_us ? "ours" : held ? "held" : "free");
}

static void on_gone(const char *why, void *user_data)
{
	note(user_data, why);
}

static void turn(struct world *w)
{
	struct letter *l;

	while ((l = g_queue_pop_head(&w->wire)) != NULL) {
		bfcp_core_input(&l->to->core, l->data, l->len, w->now);
		g_free(l);
	}
}

static void pass(struct world *w, int64_t ms)
{
	int64_t end = w->now + ms * ORT_US_PER_MS;

	turn(w);
	while (true) {
		int64_t next = MIN(bfcp_core_deadline(&w->client.core), bfcp_core_deadline(&w->server.core));

		if (next > end) {
			break;
		}
		w->now = MAX(next, w->now);
		bfcp_core_timer(&w->client.core, w->now);
		bfcp_core_timer(&w->server.core, w->now);
		turn(w);
	}
	w->now = end;
}

static void open_world(struct world *w, bool datagram)
{
	static const struct bfcp_core_ops ops = { send_letter, on_request, on_release, on_status, on_floor, on_gone };

	memset(w, 0, sizeof(*w));
	w->now = 1000000;
	w->client = (struct side){ .w = w, .other = &w->server, .log = g_string_new(NULL) };
	w->server = (struct side){ .w = w, .other = &w->client, .log = g_string_new(NULL) };
	bfcp_core_init(&w->client.core, datagram, &ops, &w->counters, 100, &w->client);
	bfcp_core_init(&w->server.core, datagram, &ops, &w->counters, 65534, &w->server);
	bfcp_core_role(&w->client.core, false, CONFERENCE, USER, FLOOR);
	bfcp_core_role(&w->server.core, true, CONFERENCE, USER, FLOOR);
}

static void up(struct world *w)
{
	bfcp_core_up(&w->server.core, w->now);
	bfcp_core_up(&w->client.core, w->now);
	pass(w, 1);
}

static void close_world(struct world *w)
{
	struct letter *l;

	while ((l = g_queue_pop_head(&w->wire)) != NULL) {
		g_free(l);
	}
	g_string_free(w->client.log, TRUE);
	g_string_free(w->server.log, TRUE);
}

#define expect(w, c, s)                                  \
	g_assert_cmpstr((w)->client.log->str, ==, c);    \
	g_assert_cmpstr((w)->server.log->str, ==, s)

static void granted_and_released(gconstpointer datagram)
{
	struct world w;

	open_world(&w, GPOINTER_TO_INT(datagram));
	w.server.verdict = GW_BFCP_GRANTED;
	up(&w);
	expect(&w, "free", "");
	bfcp_client_request(&w.client.core, w.now);
	pass(&w, 1);
	expect(&w, "free granted ours", "request");
	bfcp_client_release(&w.client.core, w.now);
	pass(&w, 1);
	expect(&w, "free granted ours released free", "request release");
	pass(&w, 5000);
	g_assert_cmpuint(w.counters.retransmissions + w.counters.errors_out + w.counters.timeouts, ==, 0);
	close_world(&w);
}

static void decided_later(gconstpointer datagram)
{
	struct world w;

	open_world(&w, GPOINTER_TO_INT(datagram));
	up(&w);
	bfcp_client_request(&w.client.core, w.now);
	pass(&w, 3000);
	expect(&w, "free pending", "request");
	bfcp_server_verdict(&w.server.core, GW_BFCP_GRANTED, NULL, w.now);
	pass(&w, 1);
	expect(&w, "free pending granted ours", "request");
	bfcp_server_verdict(&w.server.core, GW_BFCP_REVOKED, "the chair wants it", w.now);
	bfcp_server_tell(&w.server.core, true, w.now);
	pass(&w, 1);
	expect(&w, "free pending granted ours revoked free held", "request");
	bfcp_client_request(&w.client.core, w.now);
	pass(&w, 1);
	bfcp_server_verdict(&w.server.core, GW_BFCP_DENIED, "no", w.now);
	pass(&w, 5000);
	expect(&w, "free pending granted ours revoked free held pending denied", "request request");
	g_assert_cmpuint(w.counters.retransmissions, ==, 0);
	close_world(&w);
}

static void denied_at_once(void)
{
	struct world w;

	open_world(&w, true);
	w.server.verdict = GW_BFCP_DENIED;
	up(&w);
	bfcp_client_request(&w.client.core, w.now);
	pass(&w, 1);
	expect(&w, "free denied", "request");
	bfcp_client_request(&w.client.core, w.now);
	pass(&w, 1);
	expect(&w, "free denied denied", "request request");
	close_world(&w);
}

/* Three of four may be lost each way: each thing happens once. */
static void losses_are_repaired(void)
{
	struct world w;

	open_world(&w, true);
	w.server.verdict = GW_BFCP_GRANTED;
	up(&w);
	w.client.lose = 2;	/* request twice, then its answer once */
	bfcp_client_request(&w.client.core, w.now);
	w.server.lose = 1;
	pass(&w, 8000);	/* the floor was told before the answer came again */
	expect(&w, "free ours granted", "request");
	g_assert_cmpuint(w.counters.repeated, >=, 1);
	w.server.lose = 3;
	bfcp_server_verdict(&w.server.core, GW_BFCP_REVOKED, NULL, w.now);
	pass(&w, 8000);
	expect(&w, "free ours granted free revoked", "request");
	close_world(&w);
}

/* A fifth of all datagrams is lost both ways, for hours: no request is heard twice, hardly one fails, and both sides agree after. */
static void long_loss_leaves_no_trace(void)
{
	enum { ROUNDS = 300 };
	unsigned granted = 0, heard;
	struct world w;

	open_world(&w, true);
	w.server.verdict = GW_BFCP_GRANTED;
	w.luck = g_rand_new_with_seed(8855);
	up(&w);
	for (unsigned i = 0; i < ROUNDS; i++) {
		g_string_truncate(w.client.log, 0);
		bfcp_client_request(&w.client.core, w.now);
		pass(&w, 9000);
		granted += strstr(w.client.log->str, "granted") != NULL;
		bfcp_client_release(&w.client.core, w.now);
		pass(&w, 9000);
	}
	g_auto(GStrv) pieces = g_strsplit(w.server.log->str, "request", -1);
	heard = g_strv_length(pieces) - 1;
	g_test_message("%u of %u granted, %u heard, %u repeated", granted, ROUNDS, heard, (unsigned)w.counters.retransmissions);
	g_assert_cmpuint(heard, <=, ROUNDS);
	g_assert_cmpuint(granted, >=, ROUNDS * 95 / 100);
	g_rand_free(g_steal_pointer(&w.luck));
	pass(&w, 30000);
	g_string_truncate(w.client.log, 0);
	bfcp_client_request(&w.client.core, w.now);
	pass(&w, 1000);
	g_assert_true(w.client.core.floor_ours && w.server.core.request == w.client.core.request);
	bfcp_client_release(&w.client.core, w.now);
	pass(&w, 1000);
	g_assert_true(!w.client.core.floor_held && w.server.core.request == 0);
	close_world(&w);
}

static void sendings_are_500_1000_2000_4000_ms_apart(void)
{
	static const int64_t at[] = { 500, 1500, 3500, 7500 };
	struct world w;

	open_world(&w, true);
	w.client.mute = true;
	up(&w);
	w.now = 1000000;
	for (unsigned i = 0; i < 3; i++) {
		g_assert_cmpint(bfcp_core_deadline(&w.client.core), ==, 1000000 + at[i] * 1000);
		w.now = 1000000 + at[i] * 1000;
		bfcp_core_timer(&w.client.core, w.now);
		g_assert_cmpuint(w.counters.retransmissions, ==, i + 1);
	}
	g_assert_cmpint(bfcp_core_deadline(&w.client.core), ==, 1000000 + at[3] * 1000);
	pass(&w, 4001);
	expect(&w, "timeout", "");
	pass(&w, 60000);	/* told once, and Hello goes on */
	expect(&w, "timeout", "");
	w.client.mute = false;
	pass(&w, 21000);
	expect(&w, "timeout free", "");
	close_world(&w);
}

static void request_without_answer_is_cancelled(void)
{
	struct world w;

	open_world(&w, true);
	up(&w);
	w.server.mute = true;
	bfcp_client_request(&w.client.core, w.now);
	pass(&w, 10000);
	expect(&w, "free cancelled timeout", "request");
	close_world(&w);
}

static void released_before_the_number_is_known(void)
{
	struct world w;

	open_world(&w, true);
	w.server.verdict = GW_BFCP_GRANTED;
	up(&w);
	bfcp_client_request(&w.client.core, w.now);
	bfcp_client_release(&w.client.core, w.now);
	pass(&w, 1);
	g_assert_nonnull(strstr(w.client.log->str, "released"));
	g_assert_cmpstr(w.server.log->str, ==, "request release");
	close_world(&w);
}

static void goodbye_gives_the_floor_back(void)
{
	struct world w;

	open_world(&w, true);
	w.server.verdict = GW_BFCP_GRANTED;
	up(&w);
	bfcp_client_request(&w.client.core, w.now);
	pass(&w, 1);
	bfcp_core_bye(&w.client.core);
	turn(&w);
	expect(&w, "free granted ours", "request release goodbye");
	close_world(&w);
}

static void lost_stream_gives_the_floor_back(void)
{
	struct world w;

	open_world(&w, false);
	w.server.verdict = GW_BFCP_GRANTED;
	up(&w);
	bfcp_client_request(&w.client.core, w.now);
	pass(&w, 1);
	bfcp_core_down(&w.server.core, "closed");
	bfcp_core_down(&w.client.core, "closed");
	expect(&w, "free granted ours closed", "request release closed");
	bfcp_client_request(&w.client.core, w.now);	/* asked while down: goes out when up */
	up(&w);
	expect(&w, "free granted ours closed granted ours", "request release closed request");
	close_world(&w);
}

/* ---- what a stranger says to the server: hex in, error code (or primitive) out ---- */
static const struct { const char *name, *hex; uint8_t prim, error; } rows[] = {
	{ "hello", "400b0000 00001267 0007 000c", BFCP_P_HELLO_ACK, 0 },
	{ "hello-of-version-1", "200b0000 00001267 0007 000c", BFCP_P_HELLO_ACK, 0 },
	{ "other-conference", "400b0000 00001268 0007 000c", BFCP_P_ERROR, BFCP_E_CONFERENCE },
	{ "other-user", "400b0000 00001267 0007 000d", BFCP_P_ERROR, BFCP_E_USER },
	{ "other-floor", "40010001 00001267 0007 000c 05040004", BFCP_P_ERROR, BFCP_E_FLOOR },
	{ "no-floor", "40010000 00001267 0007 000c", BFCP_P_ERROR, BFCP_E_FLOOR },
	{ "for-somebody-else", "40010002 00001267 0007 000c 05040003 03040063", BFCP_P_ERROR, BFCP_E_UNAUTHORIZED },
	{ "release-of-nothing", "40020001 00001267 0007 000c 07040001", BFCP_P_ERROR, BFCP_E_REQUEST },
	{ "query-of-nothing", "40030001 00001267 0007 000c 07040001", BFCP_P_ERROR, BFCP_E_REQUEST },
	{ "chair", "40090001 00001267 0007 000c 07040001", BFCP_P_ERROR, BFCP_E_UNAUTHORIZED },
	{ "user-query", "40050000 00001267 0007 000c", BFCP_P_USER_STATUS, 0 },
	{ "floor-query", "40070001 00001267 0007 000c 05040003", BFCP_P_FLOOR_STATUS, 0 },
	{ "floor-query-of-another", "40070001 00001267 0007 000c 05040004", BFCP_P_ERROR, BFCP_E_FLOOR },
	{ "primitive-that-nobody-knows", "40630000 00001267 0007 000c", BFCP_P_ERROR, BFCP_E_PRIMITIVE },
	{ "mandatory-attribute-that-nobody-knows", "40010002 00001267 0007 000c 05040003 7f040000", BFCP_P_ERROR,
	  BFCP_E_ATTRIBUTE },
	{ "version-3", "600b0000 00001267 0007 000c", BFCP_P_ERROR, BFCP_E_VERSION },
	{ "wrong-length", "400b0004 00001267 0007 000c", BFCP_P_ERROR, BFCP_E_LENGTH },
	{ "broken-attribute", "40010001 00001267 0007 000c 05000003", BFCP_P_ERROR, BFCP_E_PARSE },
	{ "stray-answer", "500c0000 00001267 0007 000c", 0, 0 },
	{ "stray-error", "400d0001 00001267 0007 000c 0d030100", 0, 0 },
	{ "two-fragments-last-first", "48010001 00001267 0007 000c 00000001 05040004", BFCP_P_ERROR, BFCP_E_FLOOR },
};

static size_t hex_bytes(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (; *hex; hex++) {
		if (*hex != ' ') {
			out[n / 2] = (uint8_t)((n % 2 ? out[n / 2] << 4 : 0) | g_ascii_xdigit_value(*hex));
			n++;
		}
	}
	return n / 2;
}

static void stranger(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data), len;
	const struct bfcp_attr *code;
	uint8_t bytes[128];
	struct bfcp_msg m;
	struct letter *l;
	struct world w;

	open_world(&w, true);
	bfcp_core_up(&w.server.core, w.now);
	len = hex_bytes(rows[i].hex, bytes);
	bfcp_core_input(&w.server.core, bytes, len, w.now);
	l = g_queue_peek_head(&w.wire);
	g_assert_cmpuint(l != NULL, ==, rows[i].prim != 0);
	if (l != NULL) {
		g_assert_cmpint(bfcp_parse(l->data, l->len, &m), ==, 0);
		g_assert_cmpuint(m.prim, ==, rows[i].prim);
		g_assert_cmpuint(m.tid, ==, 7);
		g_assert_true(m.response == (m.version == 2));
		code = bfcp_find(&m, NULL, BFCP_A_ERROR_CODE, NULL);
		g_assert_cmpuint(code ? code->value[0] : 0, ==, rows[i].error);
	}
	close_world(&w);
}

static void fragments_are_put_together(void)
{
	uint8_t a[64], b[64];
	struct bfcp_msg m;
	struct letter *l;
	struct world w;

	open_world(&w, true);
	w.server.verdict = GW_BFCP_GRANTED;
	bfcp_core_up(&w.server.core, w.now);
	size_t n = hex_bytes("48010002 00001267 0007 000c 00010001 09040000", a);
	bfcp_core_input(&w.server.core, a, n, w.now);
	bfcp_core_input(&w.server.core, a, n, w.now);	/* twice is once */
	g_assert_cmpuint(w.wire.length, ==, 0);
	n = hex_bytes("48010002 00001267 0007 000c 00000001 05040003", b);
	bfcp_core_input(&w.server.core, b, n, w.now);
	l = g_queue_peek_head(&w.wire);
	g_assert_cmpint(bfcp_parse(l->data, l->len, &m), ==, 0);
	g_assert_cmpuint(m.prim, ==, BFCP_P_FLOOR_REQUEST_STATUS);
	close_world(&w);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(void); } cases[] = {
		{ "denied-at-once", denied_at_once },
		{ "losses-are-repaired", losses_are_repaired }, { "long-loss-leaves-no-trace", long_loss_leaves_no_trace },
		{ "sendings-are-500-1000-2000-4000-ms-apart", sendings_are_500_1000_2000_4000_ms_apart },
		{ "request-without-answer-is-cancelled", request_without_answer_is_cancelled },
		{ "released-before-the-number-is-known", released_before_the_number_is_known },
		{ "goodbye-gives-the-floor-back", goodbye_gives_the_floor_back },
		{ "lost-stream-gives-the-floor-back", lost_stream_gives_the_floor_back },
		{ "fragments-are-put-together", fragments_are_put_together },
	};

	g_test_init(&argc, &argv, NULL);
	for (int datagram = 0; datagram < 2; datagram++) {
		g_autofree char *one = g_strdup_printf("/bfcp/%s/granted-and-released", datagram ? "udp" : "tcp");
		g_autofree char *two = g_strdup_printf("/bfcp/%s/decided-later", datagram ? "udp" : "tcp");

		g_test_add_data_func(one, GINT_TO_POINTER(datagram), granted_and_released);
		g_test_add_data_func(two, GINT_TO_POINTER(datagram), decided_later);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/bfcp/%s", cases[i].name);

		g_test_add_func(path, cases[i].run);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/bfcp/stranger/%s", rows[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), stranger);
	}
	return g_test_run();
}
