/* JSON-RPC over a socketpair: one side is the endpoint, the other a second endpoint or raw bytes of the test. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/json.h"
#include "mcu/base/rpc.h"

/* ---- parse ---- */

static const struct { const char *name, *text; enum ort_rpc_kind kind; int code; } frames[] = {
	{ "request", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{}}", ORT_RPC_REQUEST, 0 },
	{ "string-id", "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"m\"}", ORT_RPC_REQUEST, 0 },
	{ "notification", "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[1]}", ORT_RPC_NOTIFICATION, 0 },
	{ "result", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}", ORT_RPC_RESULT, 0 },
	{ "error", "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-1,\"message\":\"x\"}}", ORT_RPC_ERROR, 0 },
	{ "error-null-id", "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1}}", ORT_RPC_ERROR, 0 },
	{ "not-json", "hello", ORT_RPC_BAD, ORT_RPC_PARSE },
	{ "duplicate", "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"m\"}", ORT_RPC_BAD, ORT_RPC_PARSE },
	{ "batch", "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}]", ORT_RPC_BAD, ORT_RPC_INVALID },
	{ "no-version", "{\"id\":1,\"method\":\"m\"}", ORT_RPC_BAD, ORT_RPC_INVALID },
	{ "version-one", "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"m\"}", ORT_RPC_BAD, ORT_RPC_INVALID },
	{ "null-id", "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"m\"}", ORT_RPC_BAD, ORT_RPC_INVALID },
	{ "real-id", "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"m\"}", ORT_RPC_BAD, ORT_RPC_INVALID },
	{ "method-number", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", ORT_RPC_BAD, ORT_RPC_INVALID },
	{ "params-text", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":\"x\"}", ORT_RPC_BAD, ORT_RPC_INVALID },
	{ "method-and-result", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"result\":1}", ORT_RPC_BAD, ORT_RPC_INVALID },
	{ "result-and-error", "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-1},\"result\":1}", ORT_RPC_BAD,
	  ORT_RPC_INVALID },
	{ "error-code-zero", "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":0}}", ORT_RPC_BAD, ORT_RPC_INVALID },
	{ "empty-object", "{}", ORT_RPC_BAD, ORT_RPC_INVALID },
};

static void classifies(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct ort_rpc_frame f;

	g_assert_cmpint(ort_rpc_parse(frames[i].text, strlen(frames[i].text), 4096, &f), ==, frames[i].code);
	g_assert_cmpint((int)f.kind, ==, (int)frames[i].kind);
	json_decref(f.root);
}

/* ---- two endpoints ---- */

struct side {
	ort_rpc *rpc;
	ort_rpc_call *kept;
	struct side *other;
	char *closed_why, *note;
	unsigned closed, requests, notes, replies, limit;
	int code;
	int64_t value;
	bool close_in_request, close_in_note, close_in_reply, close_in_closed, keep_call;
};

static void shut(struct side *s)
{
	ort_rpc_close(g_steal_pointer(&s->rpc));
}

static void on_request(ort_rpc *rpc, ort_rpc_call *call, const char *method, json_t *params, void *user_data)
{
	struct side *s = user_data;

	s->requests++;
	if (s->close_in_request) {
		shut(s);
		ort_rpc_reply(call, NULL);	/* frees it, says nothing */
	} else if (s->keep_call) {
		s->kept = call;
	} else if (strcmp(method, "echo") == 0) {
		ort_rpc_reply(call, json_incref(params));
	} else {
		ort_rpc_fail(call, ORT_RPC_NO_METHOD, "no such method", json_string(method));
	}
}

static void on_notify(ort_rpc *rpc, const char *method, json_t *params, void *user_data)
{
	struct side *s = user_data;

	s->notes++;
	g_free(s->note);
	s->note = g_strdup(method);
	if (s->close_in_note) {
		shut(s);
	}
}

static void on_closed(ort_rpc *rpc, const char *why, void *user_data)
{
	struct side *s = user_data;

	s->closed++;
	g_free(s->closed_why);
	s->closed_why = g_strdup(why);
	if (s->close_in_closed) {
		shut(s);
	}
}

static void on_reply(int code, const char *message, json_t *result, void *user_data)
{
	struct side *s = user_data;

	s->replies++;
	s->code = code;
	s->value = json_integer_value(json_object_get(result, "v"));
	if (s->close_in_reply && s->rpc) {
		shut(s);
	}
}

static const struct ort_rpc_ops ops = { on_request, on_notify, on_closed };

struct pair { GMainContext *context; struct side a, b; int raw; };

static void open_pair(struct pair *p, bool raw, const struct ort_rpc_limits *limits)
{
	int fds[2];

	*p = (struct pair){ .context = g_main_context_new(), .raw = -1 };
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
	p->a.rpc = ort_rpc_open(p->context, fds[0], &ops, limits, &p->a);
	if (raw) {
		p->raw = fds[1];
	} else {
		p->b.rpc = ort_rpc_open(p->context, fds[1], &ops, NULL, &p->b);
	}
}

static void turn(struct pair *p)
{
	while (g_main_context_iteration(p->context, FALSE)) {
	}
}

static void close_pair(struct pair *p)
{
	shut(&p->a);
	shut(&p->b);
	turn(p);
	if (p->raw >= 0) {
		close(p->raw);
	}
	g_free(p->a.closed_why);
	g_free(p->b.closed_why);
	g_free(p->a.note);
	g_free(p->b.note);
	g_main_context_unref(p->context);
}

static json_t *v(int64_t value)
{
	json_t *json = json_object();

	json_object_set_new(json, "v", json_integer(value));
	return json;
}

static void request_is_answered_both_ways(void)
{
	struct pair p;

	open_pair(&p, false, NULL);
	ort_rpc_request(p.a.rpc, "echo", v(7), 0, on_reply, &p.a);
	ort_rpc_request(p.b.rpc, "echo", v(8), 0, on_reply, &p.b);
	ort_rpc_request(p.b.rpc, "echo", NULL, 0, NULL, NULL);
	g_assert_cmpuint(p.a.replies, ==, 0);	/* never from within the call */
	turn(&p);
	g_assert_cmpint(p.a.value, ==, 7);
	g_assert_cmpint(p.b.value, ==, 8);
	g_assert_cmpuint(p.a.requests, ==, 2);
	ort_rpc_request(p.a.rpc, "other", NULL, 0, on_reply, &p.a);
	turn(&p);
	g_assert_cmpint(p.a.code, ==, ORT_RPC_NO_METHOD);
	ort_rpc_notify(p.a.rpc, "hello", NULL);
	turn(&p);
	g_assert_cmpstr(p.b.note, ==, "hello");
	close_pair(&p);
	g_assert_cmpuint(p.a.closed + p.b.closed, ==, 0);
}

static void large_messages_pass_in_pieces(void)
{
	struct pair p;
	g_autofree char *big = g_strnfill(900000, 'x');
	json_t *params = v(3);

	open_pair(&p, false, NULL);
	json_object_set_new(params, "big", json_string(big));
	ort_rpc_request(p.a.rpc, "echo", json_incref(params), 0, on_reply, &p.a);
	ort_rpc_request(p.a.rpc, "echo", params, 0, on_reply, &p.a);
	turn(&p);
	g_assert_cmpuint(p.a.replies, ==, 2);
	g_assert_cmpint(p.a.value, ==, 3);
	close_pair(&p);
}

static void late_call_is_timed_out_once(void)
{
	struct pair p;

	ort_clock_hold(0, 0);
	open_pair(&p, false, NULL);
	p.b.keep_call = true;
	ort_rpc_request(p.a.rpc, "echo", NULL, 50, on_reply, &p.a);
	turn(&p);
	ort_clock_advance(49 * ORT_US_PER_MS);
	turn(&p);
	g_assert_cmpuint(p.a.replies, ==, 0);
	ort_clock_advance(ORT_US_PER_MS);
	turn(&p);
	g_assert_cmpint(p.a.code, ==, ORT_RPC_TIMEOUT);
	ort_rpc_reply(p.b.kept, v(1));	/* too late: ignored */
	turn(&p);
	g_assert_cmpuint(p.a.replies, ==, 1);
	close_pair(&p);
	ort_clock_release();
}

static void answer_after_the_end_only_frees(void)
{
	struct pair p;

	open_pair(&p, false, NULL);
	p.b.keep_call = true;
	ort_rpc_request(p.a.rpc, "echo", NULL, 0, on_reply, &p.a);
	turn(&p);
	shut(&p.b);
	turn(&p);
	g_assert_cmpint(p.a.code, ==, ORT_RPC_CLOSED);
	g_assert_cmpuint(p.a.closed, ==, 1);
	ort_rpc_fail(p.b.kept, ORT_RPC_INTERNAL, "x", json_object());
	close_pair(&p);
}

static void request_on_a_lost_stream_is_told_later(void)
{
	struct pair p;

	open_pair(&p, true, NULL);
	close(p.raw);
	p.raw = -1;
	turn(&p);
	g_assert_cmpuint(p.a.closed, ==, 1);
	g_assert_cmpstr(p.a.closed_why, ==, "the peer closed");
	ort_rpc_request(p.a.rpc, "echo", v(1), 0, on_reply, &p.a);
	ort_rpc_notify(p.a.rpc, "n", v(1));
	g_assert_cmpuint(p.a.replies, ==, 0);
	turn(&p);
	g_assert_cmpint(p.a.code, ==, ORT_RPC_CLOSED);
	g_assert_cmpuint(p.a.closed, ==, 1);
	close_pair(&p);
}

/* Closing from within each callback, with more lines behind the one that is being read. */
static const struct { const char *name; size_t flag; } reentrant[] = {
	{ "request", offsetof(struct side, close_in_request) }, { "notify", offsetof(struct side, close_in_note) },
	{ "reply", offsetof(struct side, close_in_reply) },	{ "closed", offsetof(struct side, close_in_closed) },
};

static void close_within_callback(gconstpointer data)
{
	static const char lines[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n"
				    "{\"jsonrpc\":\"2.0\",\"method\":\"n\"}\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n";
	struct pair p;

	open_pair(&p, true, NULL);
	*((bool *)((char *)&p.a + reentrant[GPOINTER_TO_SIZE(data)].flag)) = true;
	ort_rpc_request(p.a.rpc, "x", NULL, 0, on_reply, &p.a);
	ort_rpc_request(p.a.rpc, "y", NULL, 0, on_reply, &p.a);
	g_assert_cmpint(write(p.raw, lines, strlen(lines)), ==, (ssize_t)strlen(lines));
	shutdown(p.raw, SHUT_WR);
	turn(&p);
	g_assert_null(p.a.rpc);
	g_assert_cmpuint(p.a.replies, ==, 2);
	close_pair(&p);
}

static void ask_again(int code, const char *message, json_t *result, void *user_data)
{
	struct side *s = user_data;

	s->code = code;
	if (++s->replies < 3) {
		ort_rpc_request(s->rpc, "again", NULL, 0, ask_again, s);
	}
}

static void request_within_closing_is_told_at_once(void)
{
	struct pair p;

	open_pair(&p, false, NULL);
	ort_rpc_request(p.a.rpc, "x", NULL, 0, ask_again, &p.a);
	ort_rpc_close(p.a.rpc);
	p.a.rpc = NULL;
	g_assert_cmpuint(p.a.replies, ==, 3);
	g_assert_cmpint(p.a.code, ==, ORT_RPC_CLOSED);
	close_pair(&p);
}

/* ---- raw bytes in, raw bytes out ---- */

static char *exchange(struct pair *p, const char *bytes, size_t len)
{
	GString *out = g_string_new(NULL);
	char buf[65536];
	ssize_t n;

	g_assert_cmpint(write(p->raw, bytes, len), ==, (ssize_t)len);
	turn(p);
	while ((n = recv(p->raw, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		g_string_append_len(out, buf, n);
	}
	return g_string_free(out, FALSE);
}

#define INVALID_LINE "{\"error\":{\"code\":-32600,\"message\":\"not a JSON-RPC 2.0 message\"},\"id\":null,\"jsonrpc\":\"2.0\"}\n"
#define PARSE_LINE   "{\"error\":{\"code\":-32700,\"message\":\"not JSON\"},\"id\":null,\"jsonrpc\":\"2.0\"}\n"
static const struct { const char *name, *in, *out; } wires[] = {
	{ "echo", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"b\":1,\"a\":2}}\n",
	  "{\"id\":1,\"jsonrpc\":\"2.0\",\"result\":{\"a\":2,\"b\":1}}\n" },
	{ "string-id", "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"echo\"}\r\n",
	  "{\"id\":\"q\",\"jsonrpc\":\"2.0\",\"result\":{}}\n" },
	{ "blank-lines", "\n\r\n\n", "" },
	{ "goes-on-after-a-bad-line", "junk\n[]\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n",
	  PARSE_LINE INVALID_LINE "{\"id\":1,\"jsonrpc\":\"2.0\",\"result\":{}}\n" },
	{ "invalid-keeps-id", "{\"jsonrpc\":\"2.0\",\"id\":5}\n",
	  "{\"error\":{\"code\":-32600,\"message\":\"not a JSON-RPC 2.0 message\"},\"id\":5,\"jsonrpc\":\"2.0\"}\n" },
	{ "error-is-not-answered", "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1}}\n", "" },
	{ "unknown-result", "{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":{}}\n", "" },
	{ "nul-byte", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\\u0000b\"}\n", PARSE_LINE },
	{ "half-line", "{\"jsonrpc\":", "" },
};

static void answers_bytes(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	g_autofree char *out = NULL;
	struct pair p;

	open_pair(&p, true, NULL);
	out = exchange(&p, wires[i].in, strlen(wires[i].in));
	g_assert_cmpstr(out, ==, wires[i].out);
	close_pair(&p);
}

static void bytes_may_come_one_by_one(void)
{
	struct pair p;

	open_pair(&p, true, NULL);
	for (const char *c = wires[0].in; *c; c++) {
		g_autofree char *out = exchange(&p, c, 1);

		g_assert_cmpstr(out, ==, c[1] ? "" : wires[0].out);
	}
	close_pair(&p);
}

static void long_line_closes(void)
{
	static const struct ort_rpc_limits limits = { .max_line = 100 };
	g_autofree char *line = g_strnfill(101, ' '), *out = NULL;
	struct pair p;

	open_pair(&p, true, &limits);
	out = exchange(&p, line, 101);
	g_assert_cmpstr(p.a.closed_why, ==, "the peer's line is too long");
	close_pair(&p);
}

static void peer_that_does_not_read_is_dropped(void)
{
	static const struct ort_rpc_limits limits = { .max_queue = 65536 };
	struct pair p;

	open_pair(&p, true, &limits);
	for (int i = 0; i < 100000; i++) {
		ort_rpc_notify(p.a.rpc, "tick", v(i));
	}
	g_assert_cmpuint(p.a.closed, ==, 0);	/* told from the loop only */
	turn(&p);
	g_assert_cmpuint(p.a.closed, ==, 1);
	g_assert_cmpstr(p.a.closed_why, ==, "the peer does not read");
	close_pair(&p);
}

static void pending_calls_are_limited_both_ways(void)
{
	static const struct ort_rpc_limits limits = { .max_pending = 2 };
	static const char two[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}\n"
				  "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"m\"}\n";
	g_autofree char *out = NULL;
	ort_rpc_call *first;
	struct pair p;

	open_pair(&p, true, &limits);
	p.a.keep_call = true;
	g_free(exchange(&p, two, strlen(two) / 2));
	first = p.a.kept;
	out = exchange(&p, two, strlen(two));
	g_assert_cmpuint(p.a.requests, ==, 2);
	g_assert_nonnull(strstr(out, "\"id\":3"));
	g_assert_nonnull(strstr(out, "too many calls"));
	for (int i = 0; i < 3; i++) {
		ort_rpc_request(p.a.rpc, "x", v(1), 0, on_reply, &p.a);
	}
	turn(&p);
	g_assert_cmpuint(p.a.replies, ==, 1);
	g_assert_cmpint(p.a.code, ==, ORT_RPC_INTERNAL);
	ort_rpc_reply(p.a.kept, NULL);
	ort_rpc_reply(first, NULL);
	close_pair(&p);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(frames); i++) {
		g_autofree char *path = g_strdup_printf("/rpc/parse/%s", frames[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), classifies);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(wires); i++) {
		g_autofree char *path = g_strdup_printf("/rpc/wire/%s", wires[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), answers_bytes);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(reentrant); i++) {
		g_autofree char *path = g_strdup_printf("/rpc/close_within/%s", reentrant[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), close_within_callback);
	}
	g_test_add_func("/rpc/request_is_answered_both_ways", request_is_answered_both_ways);
	g_test_add_func("/rpc/large_messages_pass_in_pieces", large_messages_pass_in_pieces);
	g_test_add_func("/rpc/late_call_is_timed_out_once", late_call_is_timed_out_once);
	g_test_add_func("/rpc/answer_after_the_end_only_frees", answer_after_the_end_only_frees);
	g_test_add_func("/rpc/request_on_a_lost_stream_is_told_later", request_on_a_lost_stream_is_told_later);
	g_test_add_func("/rpc/request_within_closing_is_told_at_once", request_within_closing_is_told_at_once);
	g_test_add_func("/rpc/bytes_may_come_one_by_one", bytes_may_come_one_by_one);
	g_test_add_func("/rpc/long_line_closes", long_line_closes);
	g_test_add_func("/rpc/peer_that_does_not_read_is_dropped", peer_that_does_not_read_is_dropped);
	g_test_add_func("/rpc/pending_calls_are_limited_both_ways", pending_calls_are_limited_both_ways);
	return g_test_run();
}
