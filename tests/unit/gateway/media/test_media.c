/* The engine pool against the fake engine, in held time: nothing here sleeps. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "gateway/media/media.h"
#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "tests/kit/fake_engine.h"

struct bed {
	char *dir, *socket;
	kit_fake_engine *engine;
	gw_media *media;
	unsigned ups, downs, closed_rooms, states, ok, failed;
	int last_error;
	GString *lost, *found;
	const char *claim;	/* room to adopt when it is found */
	bool taken_over;
};

static void on_up(gw_media *m, const struct gw_media_engine *engine, void *user_data)
{
	struct bed *b = user_data;
	b->ups++;
	b->taken_over = engine->taken_over;
}

static void on_down(gw_media *m, const char *why, void *user_data)
{
	((struct bed *)user_data)->downs++;
}

static void on_found(gw_media *m, const struct mcu_dump_room *room, void *user_data)
{
	struct bed *b = user_data;
	g_string_append_printf(b->found, "%s(%zu) ", room->room, room->transports.n);
	if (!g_strcmp0(room->room, b->claim)) {
		g_assert_true(gw_media_adopt(m, b->claim));
	}
}

static void on_lost(gw_media *m, const char *room, const char *transport, const char *why, void *user_data)
{
	g_string_append_printf(((struct bed *)user_data)->lost, "%s/%s:%s ", room, transport, why);
}

static void on_event(gw_media *m, enum mcu_event event, const void *body, void *user_data)
{
	struct bed *b = user_data;
	b->closed_rooms += event == MCU_EVENT_ROOM_CLOSED;
	b->states += event == MCU_EVENT_TRANSPORT_STATE;
}

static const struct gw_media_ops ops = { on_up, on_down, on_found, on_lost, on_event };

static void count(const void *reply, const GError *err, void *user_data)
{
	struct bed *b = user_data;
	b->ok += reply != NULL;
	b->failed += err != NULL;
	b->last_error = err ? err->code : -1;
}

/* Time moves only when nothing is left to do. */
static void run_ms(int64_t ms)
{
	int64_t end_us = ort_now_us() + ms * ORT_US_PER_MS;
	while (ort_now_us() < end_us) {
		for (unsigned idle = 0; idle < 3; idle += !g_main_context_iteration(NULL, FALSE)) {
		}
		ort_clock_advance(10 * ORT_US_PER_MS);
	}
}

static void start_media(struct bed *b, const char *engine)
{
	const struct gw_media_conf conf = { .socket = b->socket, .engine = engine, .max_calls = 20 };
	b->media = gw_media_new(g_main_context_default(), &conf, &ops, b);
}

static void setup(struct bed *b, gconstpointer data)
{
	ort_clock_hold(1000 * ORT_US_PER_S, 1700000000000);
	b->dir = g_dir_make_tmp("ortoo-media-XXXXXX", NULL);
	b->socket = g_build_filename(b->dir, "mcu.sock", NULL);
	b->engine = kit_fake_engine_new(g_main_context_default());
	b->lost = g_string_new(NULL);
	b->found = g_string_new(NULL);
	if (!data) {
		kit_fake_engine_listen(b->engine, b->socket);
	}
}

static void teardown(struct bed *b, gconstpointer data)
{
	gw_media_free(b->media);
	kit_fake_engine_free(b->engine);
	g_rmdir(b->dir);
	g_free(b->dir);
	g_free(b->socket);
	g_string_free(b->lost, TRUE);
	g_string_free(b->found, TRUE);
	ort_clock_release();
}

static void open_room(struct bed *b, const char *room)
{
	gw_media_call(b->media, MCU_METHOD_ROOM_OPEN, &(struct mcu_room_open){ (char *)room, 0 }, count, b);
}

static void open_transport(struct bed *b, const char *room, const char *id)
{
	const struct mcu_transport_open q = { .room = (char *)room, .transport = (char *)id };
	gw_media_call(b->media, MCU_METHOD_TRANSPORT_OPEN, &q, count, b);
}

static void start_with_one(struct bed *b)
{
	start_media(b, "");
	open_room(b, "r");
	open_transport(b, "r", "t");
	run_ms(50);
	g_assert_cmpuint(b->ok, ==, 2);
	g_assert_cmpuint(b->ups, ==, 1);
}

static void calls_wait_for_the_engine(struct bed *b, gconstpointer data)
{
	start_media(b, "");
	open_room(b, "r");
	open_transport(b, "r", "t");
	run_ms(2000);
	g_assert_false(gw_media_up(b->media));
	g_assert_null(gw_media_boot(b->media));
	kit_fake_engine_listen(b->engine, b->socket);
	run_ms(500);
	g_assert_cmpuint(b->ok, ==, 2);
	g_assert_true(kit_fake_engine_has_transport(b->engine, "r", "t"));
	g_assert_cmpstr(gw_media_boot(b->media), ==, kit_fake_engine_boot(b->engine));
}

static void calls_end_without_an_engine(struct bed *b, gconstpointer data)
{
	start_media(b, "");
	open_room(b, "r");
	run_ms(7900);
	g_assert_cmpuint(b->failed, ==, 0);
	run_ms(200);
	g_assert_cmpuint(b->failed, ==, 1);
	g_assert_cmpint(b->last_error, ==, MCU_ERROR_NO_ENGINE);
}

static void death_reopens_rooms_and_tells_transports(struct bed *b, gconstpointer data)
{
	start_with_one(b);
	kit_fake_engine_die(b->engine);
	run_ms(100);
	g_assert_cmpuint(b->downs, ==, 1);
	g_assert_cmpstr(b->lost->str, ==, "");
	kit_fake_engine_revive(b->engine);
	run_ms(1000);
	g_assert_cmpuint(b->ups, ==, 2);
	g_assert_true(kit_fake_engine_has_room(b->engine, "r"));
	g_assert_false(kit_fake_engine_has_transport(b->engine, "r", "t"));
	g_assert_cmpstr(b->lost->str, ==, "r/t:engine_died ");
	open_transport(b, "r", "t");
	run_ms(50);
	g_assert_true(kit_fake_engine_has_transport(b->engine, "r", "t"));
}

static void room_that_cannot_come_back_is_told(struct bed *b, gconstpointer data)
{
	start_with_one(b);
	kit_fake_engine_die(b->engine);
	kit_fake_engine_revive(b->engine);
	kit_fake_engine_fail(b->engine, MCU_METHOD_ROOM_OPEN, MCU_ERROR_LIMIT, 1);
	run_ms(1000);
	g_assert_cmpuint(b->closed_rooms, ==, 1);
}

static void dropped_connection_is_not_noticed(struct bed *b, gconstpointer data)
{
	start_with_one(b);
	kit_fake_engine_mute(b->engine, MCU_METHOD_TRANSPORT_OPEN, 1);
	open_transport(b, "r", "u");
	run_ms(50);
	kit_fake_engine_drop(b->engine);
	run_ms(1000);
	g_assert_cmpuint(b->ok, ==, 3);
	g_assert_cmpuint(b->failed, ==, 0);
	g_assert_true(kit_fake_engine_has_transport(b->engine, "r", "t"));
	g_assert_true(kit_fake_engine_has_transport(b->engine, "r", "u"));
	g_assert_cmpstr(b->lost->str, ==, "");
	g_assert_cmpuint(kit_fake_engine_calls(b->engine, MCU_METHOD_TRANSPORT_OPEN), ==, 3);
	g_assert_cmpuint(b->states, >=, 1);
}

static void half_done_command_is_undone(struct bed *b, gconstpointer data)
{
	start_with_one(b);
	kit_fake_engine_mute(b->engine, MCU_METHOD_TRANSPORT_OPEN, 1);
	open_transport(b, "r", "u");
	run_ms(8200);
	g_assert_cmpint(b->last_error, ==, MCU_ERROR_NO_ENGINE);
	g_assert_true(kit_fake_engine_has_transport(b->engine, "r", "u"));
	run_ms(3000);
	g_assert_false(kit_fake_engine_has_transport(b->engine, "r", "u"));
	g_assert_true(kit_fake_engine_has_transport(b->engine, "r", "t"));
}

static void late_success_is_undone(struct bed *b, gconstpointer data)
{
	start_with_one(b);
	kit_fake_engine_delay(b->engine, MCU_METHOD_ROOM_OPEN, 9000);
	open_room(b, "late");
	run_ms(8500);
	g_assert_cmpuint(b->failed, ==, 1);
	g_assert_true(kit_fake_engine_has_room(b->engine, "late"));
	run_ms(1000);
	g_assert_false(kit_fake_engine_has_room(b->engine, "late"));
}

static void restarted_gateway_adopts(struct bed *b, gconstpointer data)
{
	kit_fake_engine_put_transport(b->engine, "mine", "t");
	kit_fake_engine_put_transport(b->engine, "old", "x");
	b->claim = "mine";
	start_media(b, "");
	run_ms(100);
	g_assert_true(b->taken_over);
	g_assert_nonnull(strstr(b->found->str, "mine(1)"));
	g_assert_nonnull(strstr(b->found->str, "old(1)"));
	run_ms(29000);
	g_assert_true(kit_fake_engine_has_room(b->engine, "old"));
	run_ms(2000);
	g_assert_false(kit_fake_engine_has_room(b->engine, "old"));
	g_assert_true(kit_fake_engine_has_transport(b->engine, "mine", "t"));
	g_assert_false(gw_media_adopt(b->media, "old"));
	kit_fake_engine_die(b->engine);
	kit_fake_engine_revive(b->engine);
	run_ms(1000);
	g_assert_cmpstr(b->lost->str, ==, "mine/t:engine_died ");
}

static void found_room_opened_begins_anew(struct bed *b, gconstpointer data)
{
	kit_fake_engine_put_transport(b->engine, "r", "x");
	start_media(b, "");
	run_ms(100);
	open_room(b, "r");
	open_transport(b, "r", "t");
	run_ms(40000);
	g_assert_cmpuint(b->ok, ==, 2);
	g_assert_false(kit_fake_engine_has_transport(b->engine, "r", "x"));
	g_assert_true(kit_fake_engine_has_transport(b->engine, "r", "t"));
}

static void closed_room_is_opened_again(struct bed *b, gconstpointer data)
{
	start_with_one(b);
	kit_fake_engine_event(b->engine, MCU_EVENT_ROOM_CLOSED, &(struct mcu_room_ref){ (char *)"r" });
	run_ms(50);
	g_assert_cmpuint(b->closed_rooms, ==, 0);
	g_assert_cmpstr(b->lost->str, ==, "r/t:room_closed ");
	g_assert_cmpuint(kit_fake_engine_calls(b->engine, MCU_METHOD_ROOM_OPEN), ==, 2);
}

static void errors_reach_the_caller(struct bed *b, gconstpointer data)
{
	start_with_one(b);
	kit_fake_engine_fail(b->engine, MCU_METHOD_ROOM_OPEN, MCU_ERROR_LIMIT, 1);
	open_room(b, "x");
	run_ms(20);
	g_assert_cmpint(b->last_error, ==, MCU_ERROR_LIMIT);
	open_room(b, "not an id");
	run_ms(20);
	g_assert_cmpint(b->last_error, ==, MCU_ERROR_INVALID);
	open_transport(b, "nowhere", "t");
	run_ms(20);
	g_assert_cmpint(b->last_error, ==, MCU_ERROR_UNKNOWN_ID);
}

static void too_many_calls_are_refused(struct bed *b, gconstpointer data)
{
	start_media(b, "");
	for (unsigned i = 0; i < 25; i++) {
		open_room(b, "r");
	}
	run_ms(20);
	g_assert_cmpuint(b->failed, ==, 5);
	g_assert_cmpint(b->last_error, ==, MCU_ERROR_LIMIT);
}

static void hung_engine_is_left(struct bed *b, gconstpointer data)
{
	start_with_one(b);
	kit_fake_engine_mute(b->engine, MCU_METHOD_STATS_GET, 0);
	run_ms(20000);
	g_assert_cmpuint(b->downs, >=, 1);
	g_assert_cmpuint(b->ups, >=, 2);
	g_assert_cmpstr(b->lost->str, ==, "");
}

static void engine_that_exits_is_tried_with_back_off(struct bed *b, gconstpointer data)
{
	int64_t begin_us = ort_now_us();
	g_autofree char *dump = NULL;
	start_media(b, "/bin/false");
	for (unsigned i = 0; i < 1000000 && (!dump || !strstr(dump, "\"starts\":4")); i++) {
		run_ms(10);
		g_usleep(100);
		g_free(dump);
		dump = gw_media_dump(b->media);
	}
	g_assert_nonnull(strstr(dump, "\"starts\":4"));
	g_assert_cmpint(ort_now_us() - begin_us, >=, 600 * ORT_US_PER_MS);
}

static void missing_program_is_no_crash(struct bed *b, gconstpointer data)
{
	g_autofree char *program = g_build_filename(b->dir, "no-such-program", NULL);
	start_media(b, program);
	open_room(b, "r");
	run_ms(9000);
	g_assert_cmpuint(b->failed, ==, 1);
}

static void end_is_final(struct bed *b, gconstpointer data)
{
	start_with_one(b);
	gw_media_end_engine(b->media);
	run_ms(1000);
	g_assert_cmpuint(b->ups, ==, 1);
	g_assert_cmpuint(b->downs, ==, 1);
	open_room(b, "x");	/* answered by free at the latest */
}

static void quiet(const char *line, void *user_data)
{
}

#define TEST(name, late) g_test_add("/media/" #name, struct bed, late, setup, name, teardown)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ort_log_set_sink(quiet, NULL);
	TEST(calls_wait_for_the_engine, "late");
	TEST(calls_end_without_an_engine, "late");
	TEST(death_reopens_rooms_and_tells_transports, NULL);
	TEST(room_that_cannot_come_back_is_told, NULL);
	TEST(dropped_connection_is_not_noticed, NULL);
	TEST(half_done_command_is_undone, NULL);
	TEST(late_success_is_undone, NULL);
	TEST(restarted_gateway_adopts, NULL);
	TEST(found_room_opened_begins_anew, NULL);
	TEST(closed_room_is_opened_again, NULL);
	TEST(errors_reach_the_caller, NULL);
	TEST(too_many_calls_are_refused, "late");
	TEST(hung_engine_is_left, NULL);
	TEST(engine_that_exits_is_tried_with_back_off, "late");
	TEST(missing_program_is_no_crash, "late");
	TEST(end_is_final, NULL);
	return g_test_run();
}
