/* A receiver on a free port that answers as its script says; the sender must retry, give up and sign as promised. */
#include <libsoup/soup.h>
#include <string.h>

#include "gateway/push/push.h"
#include "mcu/base/json.h"
#include "mcu/base/log.h"

#define SECRET "shared secret"

struct world {
	SoupServer *server;
	char *url;
	gw_push *push;
	const int *script;	/* statuses in order; the last one repeats */
	size_t n_script;
	unsigned requests;
	GPtrArray *ids, *events;
	bool bad_signature, no_answer, free_in_callback;
	int answers;
	struct gw_push_result last;
};

static bool is_signed(const char *header, SoupMessageBody *body)
{
	g_auto(GStrv) parts = g_strsplit(header ? header : "", ",", 2);
	if (!parts[0] || !parts[1] || !g_str_has_prefix(parts[0], "t=") || !g_str_has_prefix(parts[1], "v1=")) {
		return false;
	}
	g_autofree char *text = g_strdup_printf("%s.%.*s", parts[0] + 2, (int)body->length, body->data);
	g_autofree char *want = g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *)SECRET, strlen(SECRET), text, -1);
	return strcmp(want, parts[1] + 3) == 0;
}

static void handle(SoupServer *server, SoupServerMessage *m, const char *path, GHashTable *query, gpointer user_data)
{
	struct world *w = user_data;
	SoupMessageHeaders *h = soup_server_message_get_request_headers(m);
	SoupMessageBody *body = soup_server_message_get_request_body(m);
	unsigned i = w->requests++;
	if (w->no_answer) {
		soup_server_message_pause(m);
		return;
	}
	g_assert_cmpstr(soup_server_message_get_method(m), ==, "POST");
	g_assert_cmpstr(soup_message_headers_get_content_type(h, NULL), ==, "application/json");
	w->bad_signature = w->bad_signature || !is_signed(soup_message_headers_get_one(h, "X-Ortoo-Signature"), body);
	g_ptr_array_add(w->ids, g_strdup(soup_message_headers_get_one(h, "X-Ortoo-Id")));
	g_ptr_array_add(w->events, g_strdup(soup_message_headers_get_one(h, "X-Ortoo-Event")));
	int status = w->script[MIN(i, w->n_script - 1)];
	if (status == 302) {
		soup_message_headers_append(soup_server_message_get_response_headers(m), "Location", w->url);
	}
	soup_server_message_set_status(m, (guint)status, NULL);
}

static void start(struct world *w, const int *script, size_t n, struct gw_push_conf conf)
{
	*w = (struct world){ .script = script, .n_script = n, .ids = g_ptr_array_new_with_free_func(g_free),
			     .events = g_ptr_array_new_with_free_func(g_free) };
	w->server = soup_server_new(NULL, NULL);
	soup_server_add_handler(w->server, "/hook", handle, w, NULL);
	g_assert_true(soup_server_listen_local(w->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, NULL));
	GSList *uris = soup_server_get_uris(w->server);
	w->url = g_strdup_printf("http://127.0.0.1:%d/hook", g_uri_get_port(uris->data));
	g_slist_free_full(uris, (GDestroyNotify)g_uri_unref);
	conf.url = w->url;
	conf.secret = SECRET;
	conf.backoff_ms = conf.backoff_ms ? conf.backoff_ms : 1;
	w->push = gw_push_new(&conf, NULL);
	g_assert_nonnull(w->push);
}

static void finish(struct world *w)
{
	gw_push_free(w->push);
	while (g_main_context_iteration(NULL, FALSE)) {
	}
	soup_server_disconnect(w->server);
	g_object_unref(w->server);
	g_ptr_array_unref(w->ids);
	g_ptr_array_unref(w->events);
	g_free(w->url);
}

static void note(const struct gw_push_result *result, void *user_data)
{
	struct world *w = user_data;
	w->answers++;
	w->last = *result;
	if (w->free_in_callback) {
		g_clear_pointer(&w->push, gw_push_free);
	}
}

static void post(struct world *w, const char *event)
{
	g_autoptr(json_t) body = json_pack("{s:s}", "text", "水位上涨");
	gw_push_post(w->push, event, body, 1700000000123, note, w);
}

static void wait_answers(struct world *w, int n)
{
	while (w->answers < n) {
		g_main_context_iteration(NULL, TRUE);
	}
}

static const struct row { const char *name; int script[4]; size_t n; unsigned attempts; bool ok; int status; unsigned tries; } rows[] = {
	{ "taken", { 200 }, 1, 3, true, 200, 1 },
	{ "accepted", { 202 }, 1, 3, true, 202, 1 },
	{ "third-time", { 500, 503, 204 }, 3, 3, true, 204, 3 },
	{ "too-many-requests", { 429, 200 }, 2, 3, true, 200, 2 },
	{ "never", { 500 }, 1, 3, false, 500, 3 },
	{ "refused-for-good", { 403 }, 1, 3, false, 403, 1 },
	{ "redirect-not-followed", { 302 }, 1, 3, false, 302, 1 },
};

static void outcome(const void *data)
{
	const struct row *row = data;
	struct world w;
	start(&w, row->script, row->n, (struct gw_push_conf){ .attempts = row->attempts });
	post(&w, "incident.alarm");
	wait_answers(&w, 1);
	g_assert_cmpint(w.last.ok, ==, row->ok);
	g_assert_cmpint(w.last.status, ==, row->status);
	g_assert_cmpuint(w.last.attempts, ==, row->tries);
	g_assert_cmpuint(w.requests, ==, row->tries);
	g_assert_false(w.bad_signature);
	for (guint i = 1; i < w.ids->len; i++) {
		g_assert_cmpstr(w.ids->pdata[i], ==, w.ids->pdata[0]);	/* doubles can be told */
	}
	finish(&w);
}

static void order_is_kept_over_failures(void)
{
	static const int script[] = { 500, 200 };
	struct world w;
	start(&w, script, 2, (struct gw_push_conf){ 0 });
	post(&w, "one");
	post(&w, "two");
	post(&w, "three");
	g_assert_cmpuint(gw_push_waiting(w.push), ==, 3);
	wait_answers(&w, 3);
	const char *const want[] = { "one", "one", "two", "three" };
	g_assert_cmpuint(w.events->len, ==, 4);
	for (size_t i = 0; i < 4; i++) {
		g_assert_cmpstr(w.events->pdata[i], ==, want[i]);
	}
	finish(&w);
}

static void queue_is_bounded(void)
{
	static const int script[] = { 200 };
	struct world w;
	start(&w, script, 1, (struct gw_push_conf){ .max_queue = 2 });
	post(&w, "one");
	post(&w, "two");
	g_assert_cmpint(w.answers, ==, 0);
	post(&w, "three");
	g_assert_cmpint(w.answers, ==, 1);
	g_assert_false(w.last.ok);
	wait_answers(&w, 3);
	g_autoptr(json_t) counters = gw_push_counters(w.push);
	g_assert_cmpint(json_integer_value(json_object_get(counters, "refused")), ==, 1);
	g_assert_cmpint(json_integer_value(json_object_get(counters, "delivered")), ==, 2);
	finish(&w);
}

static void nobody_listens(void)
{
	static const int script[] = { 200 };
	struct world w;
	start(&w, script, 1, (struct gw_push_conf){ .attempts = 2 });
	soup_server_disconnect(w.server);
	post(&w, "one");
	wait_answers(&w, 1);
	g_assert_false(w.last.ok);
	g_assert_cmpint(w.last.status, ==, 0);
	g_assert_cmpuint(w.last.attempts, ==, 2);
	finish(&w);
}

static void silent_receiver_times_out(void)
{
	static const int script[] = { 200 };
	struct world w;
	start(&w, script, 1, (struct gw_push_conf){ .attempts = 1, .timeout_s = 1 });
	w.no_answer = true;
	post(&w, "one");
	wait_answers(&w, 1);
	g_assert_false(w.last.ok);
	g_assert_cmpint(w.last.status, ==, 0);
	finish(&w);
}

static void freed_while_sending_and_while_waiting(void)
{
	static const int script[] = { 500 };
	struct world w;
	start(&w, script, 1, (struct gw_push_conf){ 0 });
	post(&w, "one");
	gw_push_free(g_steal_pointer(&w.push));
	w.push = gw_push_new(&(struct gw_push_conf){ .url = w.url, .secret = SECRET, .backoff_ms = 60000 }, NULL);
	post(&w, "two");
	while (w.requests == 0) {
		g_main_context_iteration(NULL, TRUE);
	}
	for (int i = 0; i < 10; i++) {
		g_main_context_iteration(NULL, FALSE);
	}
	finish(&w);
	g_assert_cmpint(w.answers, ==, 0);
}

static void callback_may_free(void)
{
	static const int script[] = { 200 };
	struct world w;
	start(&w, script, 1, (struct gw_push_conf){ 0 });
	w.free_in_callback = true;
	post(&w, "one");
	post(&w, "two");
	wait_answers(&w, 1);
	finish(&w);
	g_assert_cmpint(w.answers, ==, 1);
}

static const struct { const char *name, *url; } bad[] = {
	{ "null", NULL }, { "empty", "" }, { "file", "file:///etc/passwd" }, { "ftp", "ftp://h/" }, { "no-host", "http:///x" },
	{ "words", "not a url" }, { "gopher", "gopher://127.0.0.1:70/" },
};

static void only_http(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *why = NULL;
		g_assert_null(gw_push_new(&(struct gw_push_conf){ .url = bad[i].url }, &why));
		g_assert_nonnull(why);
	}
	g_autofree char *why = NULL;
	g_assert_null(gw_push_new(&(struct gw_push_conf){ .url = "https://h/", .ca_path = "/nonexistent" }, &why));
	g_assert_nonnull(why);
}

static const struct { const char *path; void (*fn)(void); } tests[] = {
	{ "/push/order_is_kept_over_failures", order_is_kept_over_failures },
	{ "/push/queue_is_bounded", queue_is_bounded },
	{ "/push/nobody_listens", nobody_listens },
	{ "/push/silent_receiver_times_out", silent_receiver_times_out },
	{ "/push/freed_while_sending_and_while_waiting", freed_while_sending_and_while_waiting },
	{ "/push/callback_may_free", callback_may_free },
	{ "/push/only_http", only_http },
};

static void ignore_line(const char *line, void *user_data)
{
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ort_log_set_sink(ignore_line, NULL);	/* giving up is logged; not the test's business */
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strconcat("/outcome/", rows[i].name, NULL);
		g_test_add_data_func(path, &rows[i], outcome);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_test_add_func(tests[i].path, tests[i].fn);
	}
	return g_test_run();
}
