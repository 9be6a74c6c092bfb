/* The engine in-process over a socketpair, two media threads over fake rooms. */
#include <errno.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/engine/engine.h"
#include "mcu/proto/client.h"
#include "tests/kit/fake_media.h"

struct bed {
	ort_conf *conf;
	mcu_engine *engine;
	mcu_client *client;
	bool closed, orphan;
	unsigned waiting;
	json_t *reply;	/* of the latest answered call; NULL = error */
	int error;	/* mcu_error_id, -1 = none */
	unsigned events[MCU_EVENT_N];
	char *last_room;
};

static void on_event(mcu_client *c, enum mcu_event event, const void *body, void *user_data)
{
	struct bed *b = user_data;
	b->events[event]++;
	g_free(b->last_room);
	b->last_room = g_strdup(((const struct mcu_room_ref *)body)->room);
}

static void on_closed(mcu_client *c, const char *why, void *user_data)
{
	((struct bed *)user_data)->closed = true;
}

static const struct mcu_client_ops client_ops = { on_event, on_closed };

static void on_orphan(mcu_engine *e, void *user_data)
{
	((struct bed *)user_data)->orphan = true;
}

static const struct mcu_engine_ops engine_ops = { on_orphan };

static mcu_client *join(struct bed *b)
{
	int fds[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
	mcu_engine_serve(b->engine, fds[0]);
	return mcu_client_open(NULL, fds[1], &client_ops, b);
}

static void turn(void)
{
	g_main_context_iteration(NULL, TRUE);
}

struct wait { struct bed *b; enum mcu_method method; };

static void on_reply(const void *reply, const GError *err, void *user_data)
{
	g_autofree struct wait *w = user_data;
	json_decref(w->b->reply);
	w->b->reply = reply ? ort_json_print(mcu_methods[w->method].reply, reply) : NULL;
	w->b->error = err ? err->code : -1;
	w->b->waiting--;
}

static void post(struct bed *b, enum mcu_method method, const void *request)
{
	struct wait *w = g_new0(struct wait, 1);
	*w = (struct wait){ b, method };
	b->waiting++;
	mcu_client_call(b->client, method, request, on_reply, w);
}

static int call(struct bed *b, enum mcu_method method, const void *request)
{
	post(b, method, request);
	while (b->waiting) {
		turn();
	}
	return b->error;
}

static int hello(struct bed *b)
{
	return call(b, MCU_METHOD_HELLO, &(struct mcu_hello_request){ .proto = 7, .client = (char *)"test", .grace_ms = 60000 });
}

static int open_room(struct bed *b, const char *room)
{
	return call(b, MCU_METHOD_ROOM_OPEN, &(struct mcu_room_open){ (char *)room, 0 });
}

static int open_transport(struct bed *b, const char *room, const char *transport)
{
	return call(b, MCU_METHOD_TRANSPORT_OPEN,
		    &(struct mcu_transport_open){ .room = (char *)room, .transport = (char *)transport });
}


static void start(struct bed *b)
{
	g_autoptr(GError) err = NULL;
	b->engine = mcu_engine_new(NULL, b->conf, &engine_ops, b, &err);
	g_assert_no_error(err);
	b->client = join(b);
}

static void set(struct bed *b, const char *key, const char *value)
{
	g_assert_cmpint(ort_conf_set(b->conf, key, value, NULL), ==, 0);
}

static void bare(struct bed *b, gconstpointer data)
{
	b->conf = ort_conf_new(mcu_engine_rows, mcu_engine_n_rows);
	set(b, "engine.workers", "2");
}

static void setup(struct bed *b, gconstpointer data)
{
	bare(b, data);
	start(b);
	g_assert_cmpint(hello(b), ==, -1);
}

static void teardown(struct bed *b, gconstpointer data)
{
	mcu_client_close(b->client);
	mcu_engine_free(b->engine);
	ort_conf_free(b->conf);
	json_decref(b->reply);
	g_free(b->last_room);
	ort_clock_release();
	while (g_main_context_iteration(NULL, FALSE)) {
	}
}

/* ---- greeting ---- */

static void hello_tells_the_engine(struct bed *b, gconstpointer data)
{
	start(b);
	g_assert_cmpint(open_room(b, "r"), ==, MCU_ERROR_STATE);
	g_assert_cmpint(call(b, MCU_METHOD_DUMP, &(struct mcu_empty){ 0 }), ==, -1);
	g_assert_cmpint(hello(b), ==, -1);
	struct mcu_hello_reply r;
	g_assert_cmpint(ort_json_read(&mcu_table_hello_reply, b->reply, &r, NULL), ==, 0);
	g_assert_cmpint(r.proto, ==, MCU_PROTO_VERSION);
	g_assert_cmpstr(r.boot, ==, mcu_engine_boot(b->engine));
	g_assert_cmpuint(strlen(r.boot), ==, 32);
	g_assert_cmpuint(r.workers.n, ==, 2);
	g_assert_cmpuint(r.codecs.n, ==, MCU_CODEC_N);
	g_assert_cmpint(r.max_rooms, ==, 1024);
	ort_json_clear(&mcu_table_hello_reply, &r);
	g_assert_cmpint(hello(b), ==, MCU_ERROR_STATE);
	g_assert_cmpint(open_room(b, "r"), ==, -1);
}

static void newer_gateway_takes_over(struct bed *b, gconstpointer data)
{
	mcu_client *old = b->client;
	open_room(b, "r");
	b->client = join(b);
	g_assert_cmpint(hello(b), ==, -1);
	while (!b->closed) {
		turn();
	}
	mcu_client_close(old);
	g_assert_cmpuint(mcu_engine_rooms(b->engine), ==, 1);
}

static void start_tells_what_failed(struct bed *b, gconstpointer data)
{
	g_autoptr(GError) err = NULL;
	set(b, "media.listen", KIT_LISTEN_BAD);
	g_assert_null(mcu_engine_new(NULL, b->conf, NULL, NULL, &err));
	g_assert_error(err, MCU_ERROR, MCU_ERROR_STATE);
	g_assert_nonnull(strstr(err->message, "not available"));
}

/* ---- rooms ---- */

static void fill_room(struct bed *b, const char *room)
{
	struct mcu_codec_use codec = { .name = (char *)"VP8", .pt = 96 };
	const struct ort_json_array codecs = { &codec, 1 };
	g_assert_cmpint(open_room(b, room), ==, -1);
	g_assert_cmpint(open_transport(b, room, "p"), ==, -1);
	const struct mcu_transport_connect connect = { .room = (char *)room, .transport = (char *)"p", .ice_ufrag = (char *)"abcd",
						       .ice_pwd = (char *)"0123456789012345678901", .fingerprint = (char *)"AA" };
	g_assert_cmpint(call(b, MCU_METHOD_TRANSPORT_CONNECT, &connect), ==, -1);
	const struct mcu_source_add source = { .room = (char *)room, .transport = (char *)"p", .id = (char *)"s",
					       .kind = MCU_VIDEO, .codecs = codecs };
	g_assert_cmpint(call(b, MCU_METHOD_SOURCE_ADD, &source), ==, -1);
	const struct mcu_sink_add sink = { .room = (char *)room, .transport = (char *)"p", .id = (char *)"k", .source = (char *)"s",
					   .kind = MCU_VIDEO, .ssrc = 5, .codecs = codecs };
	g_assert_cmpint(call(b, MCU_METHOD_SINK_ADD, &sink), ==, -1);
}

static void dump_shows_what_was_opened(struct bed *b, gconstpointer data)
{
	fill_room(b, "one");
	fill_room(b, "two");
	g_assert_cmpint(call(b, MCU_METHOD_DUMP, &(struct mcu_empty){ 0 }), ==, -1);
	struct mcu_dump_reply d;
	g_assert_cmpint(ort_json_read(&mcu_table_dump_reply, b->reply, &d, NULL), ==, 0);
	g_assert_cmpstr(d.boot, ==, mcu_engine_boot(b->engine));
	g_assert_cmpuint(d.rooms.n, ==, 2);
	const struct mcu_dump_room *rooms = d.rooms.items;
	g_assert_cmpint(rooms[0].worker, !=, rooms[1].worker);
	for (size_t i = 0; i < 2; i++) {
		const struct mcu_dump_transport *t = rooms[i].transports.items;
		g_assert_cmpuint(rooms[i].transports.n, ==, 1);
		g_assert_cmpuint(t->sources.n, ==, 1);
		g_assert_cmpstr(((struct mcu_dump_stream *)t->sinks.items)->route, ==, "s");
	}
	ort_json_clear(&mcu_table_dump_reply, &d);
	g_assert_cmpuint(b->events[MCU_EVENT_SOURCE_UP], ==, 2);
	g_assert_cmpuint(b->events[MCU_EVENT_SINK_FIRST_KEYFRAME], ==, 2);
	g_assert_cmpuint(b->events[MCU_EVENT_TRANSPORT_STATE], ==, 6);
}

static void rooms_spread_by_load(struct bed *b, gconstpointer data)
{
	unsigned on[2] = { 0, 0 };
	for (unsigned i = 0; i < 6; i++) {
		g_autofree char *room = g_strdup_printf("room%u", i);
		g_assert_cmpint(open_room(b, room), ==, -1);
		g_assert_cmpint(open_transport(b, room, "p"), ==, -1);
	}
	g_assert_cmpint(call(b, MCU_METHOD_DUMP, &(struct mcu_empty){ 0 }), ==, -1);
	size_t i;
	json_t *room;
	json_array_foreach(json_object_get(b->reply, "rooms"), i, room) {
		on[json_integer_value(json_object_get(room, "worker"))]++;
	}
	g_assert_cmpuint(on[0], ==, 3);
	g_assert_cmpuint(on[1], ==, 3);
}

static void opening_again_is_no_error(struct bed *b, gconstpointer data)
{
	g_assert_cmpint(open_room(b, "r"), ==, -1);
	json_int_t worker = json_integer_value(json_object_get(b->reply, "worker"));
	open_room(b, "other");
	g_assert_cmpint(open_room(b, "r"), ==, -1);
	g_assert_cmpint(json_integer_value(json_object_get(b->reply, "worker")), ==, worker);
	g_assert_cmpint(call(b, MCU_METHOD_ROOM_OPEN, &(struct mcu_room_open){ (char *)"r", 5 }), ==, MCU_ERROR_CONFLICT);
	g_assert_cmpuint(mcu_engine_rooms(b->engine), ==, 2);
}

static void commands_can_be_pipelined(struct bed *b, gconstpointer data)
{
	const struct mcu_room_ref ref = { (char *)"r" };
	const struct mcu_room_open open = { (char *)"r", 0 };
	const struct mcu_transport_open transport = { .room = (char *)"r", .transport = (char *)"p" };
	for (unsigned i = 0; i < 20; i++) {
		post(b, MCU_METHOD_ROOM_OPEN, &open);
		post(b, MCU_METHOD_TRANSPORT_OPEN, &transport);
		post(b, MCU_METHOD_ROOM_CLOSE, &ref);
	}
	post(b, MCU_METHOD_ROOM_OPEN, &open);
	g_assert_cmpint(call(b, MCU_METHOD_TRANSPORT_OPEN, &transport), ==, -1);
	g_assert_cmpuint(mcu_engine_rooms(b->engine), ==, 1);
	g_assert_cmpint(call(b, MCU_METHOD_ROOM_CLOSE, &ref), ==, -1);
	g_assert_cmpint(call(b, MCU_METHOD_ROOM_CLOSE, &ref), ==, MCU_ERROR_UNKNOWN_ID);
	g_assert_cmpuint(mcu_engine_rooms(b->engine), ==, 0);
}

static void unknown_and_missing_rooms_are_refused(struct bed *b, gconstpointer data)
{
	g_assert_cmpint(open_transport(b, "nowhere", "p"), ==, MCU_ERROR_UNKNOWN_ID);
	g_assert_cmpint(call(b, MCU_METHOD_ROOM_CLOSE, &(struct mcu_room_ref){ NULL }), ==, MCU_ERROR_INVALID);
	g_assert_cmpint(open_room(b, "with space"), ==, MCU_ERROR_INVALID);
}

static void limit_and_drain_refuse_new_rooms(struct bed *b, gconstpointer data)
{
	set(b, "engine.max_rooms", "2");
	start(b);
	hello(b);
	g_assert_cmpint(open_room(b, "a"), ==, -1);
	g_assert_cmpint(open_room(b, "b"), ==, -1);
	g_assert_cmpint(open_room(b, "c"), ==, MCU_ERROR_LIMIT);
	g_assert_cmpint(call(b, MCU_METHOD_ROOM_CLOSE, &(struct mcu_room_ref){ (char *)"a" }), ==, -1);
	g_assert_cmpint(call(b, MCU_METHOD_ENGINE_DRAIN, &(struct mcu_drain_request){ true }), ==, -1);
	g_assert_cmpint(open_room(b, "c"), ==, MCU_ERROR_DRAINING);
	g_assert_cmpint(open_transport(b, "b", "p"), ==, -1);
	g_assert_cmpint(call(b, MCU_METHOD_ENGINE_DRAIN, &(struct mcu_drain_request){ false }), ==, -1);
	g_assert_cmpint(open_room(b, "c"), ==, -1);
}

static void stats_are_added_up(struct bed *b, gconstpointer data)
{
	for (unsigned i = 0; i < 4; i++) {
		g_autofree char *room = g_strdup_printf("room%u", i);
		open_room(b, room);
	}
	g_assert_cmpint(call(b, MCU_METHOD_STATS_GET, &(struct mcu_room_ref){ NULL }), ==, -1);
	const json_t *counters = json_object_get(b->reply, "counters");
	g_assert_cmpint(json_integer_value(json_object_get(counters, "rooms")), ==, 4);
	g_assert_cmpint(json_integer_value(json_object_get(counters, "engine.rooms_opened")), ==, 4);
	g_assert_cmpint(json_integer_value(json_object_get(counters, "engine.workers")), ==, 2);
	g_assert_cmpint(call(b, MCU_METHOD_STATS_GET, &(struct mcu_room_ref){ (char *)"room1" }), ==, -1);
	g_assert_cmpint(call(b, MCU_METHOD_STATS_GET, &(struct mcu_room_ref){ (char *)"no" }), ==, MCU_ERROR_UNKNOWN_ID);
}

static void many_events_arrive_whole(struct bed *b, gconstpointer data)
{
	g_assert_cmpint(open_room(b, KIT_ROOM_LOUD), ==, -1);
	while (b->events[MCU_EVENT_ROOM_STATS] < 100) {
		turn();
	}
	g_assert_cmpstr(b->last_room, ==, KIT_ROOM_LOUD);
}

/* ---- loss ---- */

static void leave_ms(int64_t ms)
{
	for (unsigned i = 0; i < 20; i++) {
		g_main_context_iteration(NULL, FALSE);
	}
	ort_clock_advance(ms * ORT_US_PER_MS);
	for (unsigned i = 0; i < 20; i++) {
		g_main_context_iteration(NULL, FALSE);
	}
}

static void rooms_outlive_the_gateway_for_the_grace_time(struct bed *b, gconstpointer data)
{
	ort_clock_hold(1000 * ORT_US_PER_S, 0);
	set(b, "engine.watchdog", "0");
	set(b, "engine.orphan", "10s");
	start(b);
	hello(b);	/* asks for 60 s */
	open_room(b, "r");
	mcu_client_close(g_steal_pointer(&b->client));
	leave_ms(59000);
	g_assert_cmpuint(mcu_engine_rooms(b->engine), ==, 1);
	b->client = join(b);
	hello(b);
	leave_ms(100000);
	g_assert_cmpuint(mcu_engine_rooms(b->engine), ==, 1);
	mcu_client_close(g_steal_pointer(&b->client));
	leave_ms(61000);
	g_assert_cmpuint(mcu_engine_rooms(b->engine), ==, 0);
	g_assert_false(b->orphan);
	leave_ms(10000);
	g_assert_true(b->orphan);
	b->client = join(b);
	g_assert_cmpint(call(b, MCU_METHOD_DUMP, &(struct mcu_empty){ 0 }), ==, -1);
	g_assert_cmpuint(json_array_size(json_object_get(b->reply, "rooms")), ==, 0);
}

static void client_that_leaves_with_calls_under_way(struct bed *b, gconstpointer data)
{
	mcu_client *old = b->client;
	for (unsigned i = 0; i < 50; i++) {
		g_autofree char *room = g_strdup_printf("r%u", i % 7);
		mcu_client_call(old, MCU_METHOD_ROOM_OPEN, &(struct mcu_room_open){ room, 0 }, NULL, NULL);
	}
	g_main_context_iteration(NULL, FALSE);
	mcu_client_close(old);
	b->client = join(b);
	g_assert_cmpint(hello(b), ==, -1);
	g_assert_cmpint(open_room(b, "r0"), ==, -1);
}

static void engine_may_end_with_calls_under_way(struct bed *b, gconstpointer data)
{
	for (unsigned i = 0; i < 50; i++) {
		mcu_client_call(b->client, MCU_METHOD_ROOM_OPEN, &(struct mcu_room_open){ (char *)"r", 0 }, NULL, NULL);
		mcu_client_call(b->client, MCU_METHOD_DUMP, &(struct mcu_empty){ 0 }, NULL, NULL);
	}
	g_main_context_iteration(NULL, FALSE);
	mcu_engine_free(g_steal_pointer(&b->engine));
	while (!b->closed) {
		turn();
	}
}

/* ---- lines ---- */

static const struct { const char *name, *line, *want; bool closes; } lines[] = {
	{ "garbage", "hello there", "-32700", false },
	{ "half_json", "{\"jsonrpc\":\"2.0\",\"id\":1", "-32700", false },
	{ "no_version", "{\"id\":1,\"method\":\"dump\"}", "-32600", false },
	{ "list", "[]", "-32600", false },
	{ "unknown_method", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"room.explode\"}", "-32601", false },
	{ "before_hello", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"room.open\",\"params\":{\"room\":\"r\"}}", "-32014", false },
	{ "bad_member", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"proto\":\"x\"}}", "-32010", false },
	{ "params_list", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":[1]}", "-32010", false },
	{ "notification", "{\"jsonrpc\":\"2.0\",\"method\":\"engine.drain\",\"params\":{\"on\":true}}", NULL, false },
	{ "reply_nobody_asked_for", "{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}", NULL, false },
	{ "oversized", NULL, NULL, true },
};

static void send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (n < 0 && errno != EAGAIN) {
			return;	/* closed on us: what the row wants */
		}
		g_main_context_iteration(NULL, FALSE);
	}
}

static char *read_until(int fd, const char *want)
{
	GString *got = g_string_new(NULL);
	char buf[4096];
	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			break;
		}
		if (n > 0) {
			g_string_append_len(got, buf, n);
		}
		if (want && strstr(got->str, want) && g_str_has_suffix(got->str, "\n")) {
			break;
		}
		g_main_context_iteration(NULL, FALSE);
	}
	return g_string_free(got, FALSE);
}

static void line(struct bed *b, gconstpointer data)
{
	static const char dump[] = "\n{\"jsonrpc\":\"2.0\",\"id\":77,\"method\":\"dump\"}\n";
	size_t row = GPOINTER_TO_SIZE(data);
	int fds[2];
	start(b);
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
	mcu_engine_serve(b->engine, fds[0]);
	g_autofree char *big = lines[row].line ? NULL : g_strnfill(2 << 20, 'x');
	const char *text = big ? big : lines[row].line;
	send_all(fds[1], text, strlen(text));
	send_all(fds[1], dump, sizeof(dump) - 1);
	g_autofree char *got = read_until(fds[1], lines[row].closes ? NULL : "\"id\":77");
	if (lines[row].want) {
		g_assert_nonnull(strstr(got, lines[row].want));
	}
	g_assert_cmpint(hello(b), ==, -1);	/* the other connection does not notice */
	close(fds[1]);
}

/* ---- socket ---- */

static void socket_is_private_and_exclusive(struct bed *b, gconstpointer data)
{
	g_autofree char *dir = g_dir_make_tmp("ortoo-engine-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "mcu.sock", NULL);
	g_autoptr(GError) err = NULL;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;
	g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
	int dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(dead, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
	close(dead);
	g_assert_true(mcu_engine_listen(b->engine, path, &err));
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0600);
	mcu_engine *second = mcu_engine_new(NULL, b->conf, NULL, NULL, NULL);
	g_assert_false(mcu_engine_listen(second, path, &err));
	g_assert_error(err, MCU_ERROR, MCU_ERROR_CONFLICT);
	mcu_engine_free(second);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
	mcu_client *old = b->client;
	b->client = mcu_client_open(NULL, fd, &client_ops, b);
	g_assert_cmpint(hello(b), ==, -1);
	mcu_client_close(old);
	mcu_engine_free(g_steal_pointer(&b->engine));
	g_assert_cmpint(g_rmdir(dir), ==, 0);	/* the socket went with the engine */
}

/* ---- a thread that stands still ---- */

static void hang(void)
{
	struct bed b = { 0 };
	ort_log_set_sink(NULL, NULL);
	bare(&b, NULL);
	set(&b, "engine.watchdog", "200ms");
	start(&b);
	hello(&b);
	mcu_client_call(b.client, MCU_METHOD_ROOM_OPEN, &(struct mcu_room_open){ (char *)KIT_ROOM_HANG, 0 }, NULL, NULL);
	g_assert_cmpint(open_room(&b, "other"), ==, -1);
	g_assert_cmpint(open_transport(&b, "other", "p"), ==, -1);
	g_printerr("the other thread serves\n");
	for (;;) {
		turn();
	}
}

static void hung_thread_ends_the_process(void)
{
	if (g_test_subprocess()) {
		hang();
	}
	g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
	g_test_trap_assert_failed();
	g_test_trap_assert_stderr("*the other thread serves*watchdog*");
}

static void sample_config_loads(void)
{
	g_autoptr(ort_conf) conf = ort_conf_new(mcu_engine_rows, mcu_engine_n_rows);
	g_autofree char *text = ort_conf_sample(conf);
	g_autofree char *why = NULL;
	g_assert_cmpint(ort_conf_load_text(conf, text, strlen(text), &why), ==, 0);
}

static void quiet(const char *text, void *user_data)
{
}

#define TEST(name, before) g_test_add("/engine/" #name, struct bed, NULL, before, name, teardown)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ort_log_set_sink(quiet, NULL);
	TEST(hello_tells_the_engine, bare);
	TEST(newer_gateway_takes_over, setup);
	TEST(start_tells_what_failed, bare);
	TEST(dump_shows_what_was_opened, setup);
	TEST(rooms_spread_by_load, setup);
	TEST(opening_again_is_no_error, setup);
	TEST(commands_can_be_pipelined, setup);
	TEST(unknown_and_missing_rooms_are_refused, setup);
	TEST(limit_and_drain_refuse_new_rooms, bare);
	TEST(stats_are_added_up, setup);
	TEST(many_events_arrive_whole, setup);
	TEST(rooms_outlive_the_gateway_for_the_grace_time, bare);
	TEST(client_that_leaves_with_calls_under_way, setup);
	TEST(engine_may_end_with_calls_under_way, setup);
	TEST(socket_is_private_and_exclusive, setup);
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *path = g_strdup_printf("/engine/line/%s", lines[i].name);
		g_test_add(path, struct bed, GSIZE_TO_POINTER(i), bare, line, teardown);
	}
	g_test_add_func("/engine/hung_thread_ends_the_process", hung_thread_ends_the_process);
	g_test_add_func("/engine/sample_config_loads", sample_config_loads);
	return g_test_run();
}
