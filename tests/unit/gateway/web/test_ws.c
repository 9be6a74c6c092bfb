/* WebSockets, and those who only hold sockets. */
#include "tests/unit/gateway/web/world_priv.h"

/* ---- WebSocket ---- */

#define SYNC "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"time.sync\"}"

static void websocket_round_trip(void)
{
	struct world w;
	struct answer up;
	g_autoptr(GByteArray) in = g_byte_array_new();
	start(&w);
	g_autofree char *origin = g_strdup_printf("Origin: http://127.0.0.1:%d\r\nCookie: ortoo_session=viewer\r\n", w.port);
	int fd = client_ws(w.port, origin, &up);
	g_assert_cmpint(up.status, ==, 101);
	client_ws_text(fd, SYNC);
	g_autofree char *text = client_ws_next(fd, in, 1);
	g_assert_nonnull(strstr(text, "server_ms"));
	client_ws_frame(fd, 9, "p", 1);
	g_autofree char *pong = client_ws_next(fd, in, 10);
	g_assert_cmpstr(pong, ==, "p");
	gw_api_broadcast(w.api, NULL, NULL, GW_EVENT_DIRECTORY_CHANGED, NULL);
	g_autofree char *event = client_ws_next(fd, in, 1);
	g_assert_nonnull(strstr(event, "directory.changed"));
	gw_api_end_matching(w.api, NULL, NULL, "revoked");
	g_autofree char *ended = client_ws_next(fd, in, 1);
	g_assert_nonnull(strstr(ended, "session.ended"));
	g_assert_cmpint(client_ws_close_code(fd, in), ==, 4401);
	close(fd);
	CLIENT_UNTIL(w.closed == 1);
	answer_clear(&up);
	finish(&w);
}

static void bearer_in_the_first_message(void)
{
	struct world w;
	struct answer up;
	g_autoptr(GByteArray) in = g_byte_array_new();
	start_with(&w, (struct gw_web_conf){ .redirect_port = -1, .login_timeout_s = 1 });
	int fd = client_ws(w.port, "", &up);
	answer_clear(&up);
	int idle = client_ws(w.port, "Cookie: ortoo_session=stale\r\n", &up);
	client_ws_text(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"auth.bearer\",\"params\":{\"token\":\"field\"}}");
	g_autofree char *text = client_ws_next(fd, in, 1);
	g_assert_nonnull(strstr(text, "\"role\":\"field\""));
	g_byte_array_set_size(in, 0);
	g_assert_cmpint(client_ws_close_code(idle, in), ==, 4401);
	client_ws_text(fd, SYNC);
	g_byte_array_set_size(in, 0);
	g_autofree char *still = client_ws_next(fd, in, 1);
	g_assert_nonnull(still);
	close(fd);
	close(idle);
	answer_clear(&up);
	finish(&w);
}

static const struct upgrade_row { const char *name, *request; int status; } upgrades[] = {
	{ "own-origin", UP("/ws", "Upgrade: websocket\r\nOrigin: http://h\r\n"), 101 },
	{ "listed-origin", UP("/ws", "Upgrade: websocket\r\nOrigin: https://portal.example\r\n"), 101 },
	{ "foreign-origin", UP("/ws", "Upgrade: websocket\r\nOrigin: http://evil\r\n"), 403 },
	{ "null-origin", UP("/ws", "Upgrade: websocket\r\nOrigin: null\r\n"), 403 },
	{ "other-path", UP("/", "Upgrade: websocket\r\n"), 404 },
	{ "api-path", UP("/api/v1/stats.get", "Upgrade: websocket\r\n"), 404 },
	{ "h2c", UP("/ws", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"), 0 },
	{ "unknown-upgrade", UP("/ws", "Upgrade: nonsense\r\n"), 403 },
	{ "post", "POST /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n", 0 },
	{ "no-key", "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 0 },
	{ "h2-preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", -1 },
	{ "garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n\r\n\r\n", -1 },
	{ "connect", "CONNECT evil:80 HTTP/1.1\r\nHost: h\r\n\r\n", -1 },
};

static void upgrade(const void *data)
{
	static const char *const listed[] = { "https://portal.example", NULL };
	const struct upgrade_row *row = data;
	struct world w;
	start_with(&w, (struct gw_web_conf){ .redirect_port = -1, .origins = listed, .header_timeout_s = 1 });
	struct answer a = client_ask(w.port, row->request);
	g_assert_true(row->status < 0 ? a.status != 200 && a.status != 101 : a.status == row->status);	/* -1: refused in any way */
	answer_clear(&a);
	a = client_ask(w.port, GET("/healthz"));	/* whatever that was, we live */
	g_assert_cmpint(a.status, ==, 200);
	answer_clear(&a);
	finish(&w);
}

static void oversized_message_closes(void)
{
	struct world w;
	struct answer up;
	g_autoptr(GByteArray) in = g_byte_array_new();
	start(&w);
	int fd = client_ws(w.port, "Cookie: ortoo_session=field\r\n", &up);
	g_autofree char *text = g_strnfill(140000, ' ');
	client_ws_text(fd, text);
	g_assert_cmpint(client_ws_close_code(fd, in), ==, 1009);
	close(fd);
	g_byte_array_set_size(in, 0);
	answer_clear(&up);
	fd = client_ws(w.port, "Cookie: ortoo_session=field\r\n", &up);
	client_ws_frame(fd, 2, "x", 1);
	g_assert_cmpint(client_ws_close_code(fd, in), ==, 1003);
	close(fd);
	g_byte_array_set_size(in, 0);
	answer_clear(&up);
	fd = client_ws(w.port, "Cookie: ortoo_session=field\r\n", &up);
	client_ws_text(fd, "\xff\xfe");
	g_assert_cmpint(client_ws_close_code(fd, in), ==, 1007);
	close(fd);
	answer_clear(&up);
	finish(&w);
}

static void slow_reader_is_let_go(void)
{
	struct world w;
	struct answer up;
	start_with(&w, (struct gw_web_conf){ .redirect_port = -1, .max_queue = 200000 });
	int slow = client_ws(w.port, "Cookie: ortoo_session=viewer\r\n", &up);
	answer_clear(&up);
	int good = client_ws(w.port, "Cookie: ortoo_session=viewer\r\n", &up);
	g_autoptr(GByteArray) in = g_byte_array_new();
	g_autofree char *text = g_strnfill(50000, 'x');
	g_autoptr(json_t) wall = json_string(text);
	for (int i = 0; i < 1000 && counter(&w, "ws_overflow") == 0; i++) {
		gw_api_broadcast(w.api, NULL, NULL, GW_EVENT_WALL_CHANGED, &(struct gw_ev_wall){ wall });
		g_autofree char *event = client_ws_next(good, in, 1);
		g_assert_nonnull(event);
	}
	g_assert_cmpint(counter(&w, "ws_overflow"), ==, 1);
	CLIENT_UNTIL(w.closed == 1);	/* the slow one, though it reads nothing */
	client_ws_text(good, SYNC);
	g_autofree char *still = client_ws_next(good, in, 1);
	g_assert_nonnull(still);
	close(slow);
	close(good);
	answer_clear(&up);
	finish(&w);
}

static void silent_peer_is_let_go(void)
{
	struct world w;
	struct answer up;
	g_autoptr(GByteArray) in = g_byte_array_new();
	start_with(&w, (struct gw_web_conf){ .redirect_port = -1, .ping_s = 1 });
	int fd = client_ws(w.port, "Cookie: ortoo_session=viewer\r\n", &up);
	g_autofree char *ping = client_ws_next(fd, in, 9);
	g_assert_nonnull(ping);
	CLIENT_UNTIL(counter(&w, "ws_dead") == 1 && w.closed == 1);
	close(fd);
	answer_clear(&up);
	finish(&w);
}

static void sockets_without_login_are_few(void)
{
	struct world w;
	struct answer up;
	int fds[9];
	start(&w);
	for (int i = 0; i < 8; i++) {
		fds[i] = client_ws(w.port, "", &up);
		g_assert_cmpint(up.status, ==, 101);
		answer_clear(&up);
	}
	fds[8] = client_ws(w.port, "", &up);
	g_assert_cmpint(up.status, ==, 503);
	answer_clear(&up);
	int fd = client_ws(w.port, "Cookie: ortoo_session=viewer\r\n", &up);
	g_assert_cmpint(up.status, ==, 101);
	answer_clear(&up);
	close(fd);
	for (int i = 0; i < 9; i++) {
		close(fds[i]);
	}
	finish(&w);
}

static void connects_have_a_rate(void)
{
	struct world w;
	struct answer up;
	int ok = 0, refused = 0;
	start_with(&w, (struct gw_web_conf){ .redirect_port = -1, .connect_rate = 0.001, .connect_burst = 3 });
	for (int i = 0; i < 6; i++) {
		int fd = client_ws(w.port, "Cookie: ortoo_session=viewer\r\n", &up);
		ok += up.status == 101;
		refused += up.status == 429;
		answer_clear(&up);
		close(fd);
	}
	g_assert_cmpint(ok, ==, 3);
	g_assert_cmpint(refused, ==, 3);
	finish(&w);
}

/* ---- those who hold sockets ---- */

static void half_open_sockets_make_room(void)
{
	struct world w;
	int fds[300];
	start(&w);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = client_connect(w.port);
		client_write(fds[i], "GET / HT", i % 2 ? 8 : 0);
	}
	struct answer a = client_ask(w.port, GET("/"));
	g_assert_cmpint(a.status, ==, 200);
	answer_clear(&a);
	g_assert_cmpint(counter(&w, "evicted"), >, 200);
	g_assert_cmpint(counter(&w, "sockets"), <=, 66);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		close(fds[i]);
	}
	CLIENT_UNTIL(counter(&w, "sockets") == 0);
	finish(&w);
}

static void slow_header_is_cut(void)
{
	struct world w;
	start_with(&w, (struct gw_web_conf){ .redirect_port = -1, .header_timeout_s = 1 });
	int fd = client_connect(w.port), silent = client_connect(w.port);
	gint64 next_us = 0;
	client_write(fd, "GET / HTTP/1.1\r\n", 16);
	while (!client_is_closed(fd)) {
		if (g_get_monotonic_time() > next_us) {
			next_us = g_get_monotonic_time() + 100000;
			client_write(fd, "X-a: b\r\n", 8);
		}
		client_turn();
	}
	CLIENT_UNTIL(client_is_closed(silent));
	g_assert_cmpint(counter(&w, "timed_out"), ==, 2);
	close(fd);
	close(silent);
	finish(&w);
}

static void header_too_long(void)
{
	struct world w;
	start(&w);
	g_autofree char *filler = g_strnfill(100000, 'a');
	g_autofree char *request = g_strdup_printf("GET / HTTP/1.1\r\nHost: h\r\nX-Filler: %s\r\n\r\n", filler);
	g_autofree char *cookie = g_strdup_printf("GET / HTTP/1.1\r\nHost: h\r\nCookie: %s\r\n\r\n", filler);
	struct answer a = client_ask(w.port, request);
	g_assert_cmpint(a.status, !=, 500);
	answer_clear(&a);
	a = client_ask(w.port, cookie);
	g_assert_cmpint(a.status, ==, 0);
	answer_clear(&a);
	a = client_ask(w.port, GET("/"));
	g_assert_cmpint(a.status, ==, 200);
	answer_clear(&a);
	finish(&w);
}

static void big_answer_to_a_slow_reader(void)
{
	struct world w;
	start(&w);
	int fd = client_connect(w.port);
	int small = 65536;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	client_write(fd, GET("/big"), strlen(GET("/big")));
	client_write(fd, GET("/healthz"), strlen(GET("/healthz")));	/* pipelined: waits its turn */
	for (int i = 0; i < 100; i++) {
		client_turn();
	}
	struct answer a = client_answer(fd, false);
	g_assert_cmpint(a.status, ==, 200);
	g_assert_cmpuint(a.len, ==, 3 << 20);
	g_assert_cmpuint(strspn(a.body, "x"), ==, 3 << 20);
	answer_clear(&a);
	close(fd);
	finish(&w);
}

static const struct { const char *path; void (*fn)(void); } tests[] = {
	{ "/ws/websocket_round_trip", websocket_round_trip },
	{ "/ws/bearer_in_the_first_message", bearer_in_the_first_message },
	{ "/ws/oversized_message_closes", oversized_message_closes },
	{ "/ws/slow_reader_is_let_go", slow_reader_is_let_go },
	{ "/ws/silent_peer_is_let_go", silent_peer_is_let_go },
	{ "/ws/sockets_without_login_are_few", sockets_without_login_are_few },
	{ "/ws/connects_have_a_rate", connects_have_a_rate },
	{ "/hostile/half_open_sockets_make_room", half_open_sockets_make_room },
	{ "/hostile/slow_header_is_cut", slow_header_is_cut },
	{ "/hostile/header_too_long", header_too_long },
	{ "/hostile/big_answer_to_a_slow_reader", big_answer_to_a_slow_reader },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD_ROWS("/upgrade/", upgrades, upgrade);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_test_add_func(tests[i].path, tests[i].fn);
	}
	return g_test_run();
}
