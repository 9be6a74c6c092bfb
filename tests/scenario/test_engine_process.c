/* gateway/media and a real engine process: death, restart, take-over. The engine's program is the first argument after
 * GLib's own; with "--gateway DIR" this program is itself a gateway that a scenario may kill. */
#include <glib/gstdio.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/media/media.h"
#include "mcu/base/log.h"

static const char *engine_program;

struct bed {
	char *dir, *socket, *boot;
	gw_media *media;
	unsigned ups, lost, answered, failed;
	bool taken_over, adopt;
	pid_t pid;
	int64_t ping_ms;
	const char *const *args;
	int64_t grace_ms;
};

static void on_up(gw_media *m, const struct gw_media_engine *engine, void *user_data)
{
	struct bed *b = user_data;
	b->ups++;
	b->taken_over = engine->taken_over;
	b->pid = (pid_t)engine->pid;
	g_free(b->boot);
	b->boot = g_strdup(engine->boot);
}

static void on_found(gw_media *m, const struct mcu_dump_room *room, void *user_data)
{
	struct bed *b = user_data;
	g_assert_cmpstr(room->room, ==, "r");
	g_assert_cmpuint(room->transports.n, ==, 1);
	b->adopt = gw_media_adopt(m, room->room);
}

static void on_lost(gw_media *m, const char *room, const char *transport, const char *why, void *user_data)
{
	((struct bed *)user_data)->lost++;
}

static const struct gw_media_ops ops = { .on_engine_up = on_up, .on_room_found = on_found, .on_transport_lost = on_lost };

static void on_answer(const void *reply, const GError *err, void *user_data)
{
	struct bed *b = user_data;
	b->answered += reply != NULL;
	b->failed += err != NULL;
}

static void start(struct bed *b)
{
	const struct gw_media_conf conf = { .socket = b->socket, .engine = engine_program, .ping_ms = b->ping_ms,
					    .args = b->args, .grace_ms = b->grace_ms };
	b->media = gw_media_new(NULL, &conf, &ops, b);
}

/* The harness ends a test that waits for ever. */
#define UNTIL(condition)                                        \
	while (!(condition)) {                                  \
		g_main_context_iteration(NULL, TRUE);           \
	}

static void open_all(struct bed *b)
{
	gw_media_call(b->media, MCU_METHOD_ROOM_OPEN, &(struct mcu_room_open){ (char *)"r", 0 }, on_answer, b);
	gw_media_call(b->media, MCU_METHOD_TRANSPORT_OPEN,
		      &(struct mcu_transport_open){ .room = (char *)"r", .transport = (char *)"t" }, on_answer, b);
	UNTIL(b->answered + b->failed == 2);
	g_assert_cmpuint(b->answered, ==, 2);
}

static void restart_ice(struct bed *b, const char *transport)
{
	unsigned before = b->answered + b->failed;
	gw_media_call(b->media, MCU_METHOD_TRANSPORT_RESTART, &(struct mcu_transport_ref){ (char *)"r", (char *)transport },
		      on_answer, b);
	UNTIL(b->answered + b->failed > before);
}

static void setup(struct bed *b, gconstpointer data)
{
	*b = (struct bed){ 0 };
	b->dir = g_dir_make_tmp("ortoo-scenario-XXXXXX", NULL);
	b->socket = g_build_filename(b->dir, "mcu.sock", NULL);
}

static void wait_for_no_socket(const struct bed *b)
{
	while (g_file_test(b->socket, G_FILE_TEST_EXISTS)) {
		g_usleep(2000);
	}
}

static void teardown(struct bed *b, gconstpointer data)
{
	if (b->media) {
		gw_media_end_engine(b->media);
		wait_for_no_socket(b);
		gw_media_free(b->media);
	}
	g_assert_cmpint(g_rmdir(b->dir), ==, 0);
	g_free(b->dir);
	g_free(b->socket);
	g_free(b->boot);
}

static void killed_engine_comes_back_with_its_rooms(struct bed *b, gconstpointer data)
{
	start(b);
	open_all(b);
	for (unsigned i = 1; i <= 3; i++) {
		g_autofree char *boot = g_strdup(b->boot);
		g_assert_cmpint(kill(b->pid, SIGKILL), ==, 0);
		UNTIL(b->ups == i + 1);
		g_assert_cmpstr(b->boot, !=, boot);
		UNTIL(b->lost == i);
		g_assert_false(b->taken_over);
		restart_ice(b, "t");
		g_assert_cmpuint(b->failed, ==, i);	/* the transport is gone, the room is there: */
		gw_media_call(b->media, MCU_METHOD_TRANSPORT_OPEN,
			      &(struct mcu_transport_open){ .room = (char *)"r", .transport = (char *)"t" }, on_answer, b);
		UNTIL(b->answered == 2 + i);
	}
}

static void next_gateway_takes_over(struct bed *b, gconstpointer data)
{
	start(b);
	open_all(b);
	g_autofree char *boot = g_strdup(b->boot);
	gw_media_free(b->media);
	b->adopt = false;
	start(b);
	UNTIL(b->ups == 2);
	UNTIL(b->adopt);
	g_assert_cmpstr(b->boot, ==, boot);
	g_assert_true(b->taken_over);
	restart_ice(b, "t");
	g_assert_cmpuint(b->answered, ==, 3);
	g_assert_cmpuint(b->lost, ==, 0);
}

static void engine_outlives_a_killed_gateway(struct bed *b, gconstpointer data)
{
	char *argv[] = { (char *)"/proc/self/exe", (char *)engine_program, (char *)"--gateway", b->dir, NULL };
	int out[2];
	pid_t gateway;
	char word[8] = "";
	posix_spawn_file_actions_t files;
	g_assert_cmpint(pipe(out), ==, 0);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, out[1], 3);
	g_assert_cmpint(posix_spawn(&gateway, argv[0], &files, NULL, argv, environ), ==, 0);
	posix_spawn_file_actions_destroy(&files);
	g_assert_cmpint(read(out[0], word, sizeof(word) - 1), ==, 6);
	g_assert_cmpstr(word, ==, "ready\n");
	g_assert_cmpint(kill(gateway, SIGKILL), ==, 0);
	g_assert_cmpint(waitpid(gateway, NULL, 0), ==, gateway);
	close(out[0]);
	close(out[1]);
	start(b);
	UNTIL(b->adopt);
	g_assert_true(b->taken_over);
	restart_ice(b, "t");
	g_assert_cmpuint(b->answered, ==, 1);
}

static int be_gateway(char *dir)
{
	struct bed b = { .dir = dir, .socket = g_build_filename(dir, "mcu.sock", NULL) };
	start(&b);
	open_all(&b);
	if (write(3, "ready\n", 6) != 6) {
		return 1;
	}
	UNTIL(false);
	return 0;
}

static void stopped_engine_is_replaced(struct bed *b, gconstpointer data)
{
	b->ping_ms = 100;
	start(b);
	open_all(b);
	g_assert_cmpint(kill(b->pid, SIGSTOP), ==, 0);
	UNTIL(b->ups == 2);
	UNTIL(b->lost == 1);
}

static void forgotten_engine_ends_by_itself(struct bed *b, gconstpointer data)
{
	static const char *const args[] = { "--set", "engine.orphan=50ms", NULL };
	b->args = args;
	b->grace_ms = 50;
	start(b);
	open_all(b);
	gw_media_free(g_steal_pointer(&b->media));
	wait_for_no_socket(b);
}

static const struct { const char *name, *args; int code; const char *out, *err; } mains[] = {
	{ "version", "--version", 0, "ortoo-mcu 0.*", "" },
	{ "describe_json", "--describe json", 0, "*\"room.open\"*", "" },
	{ "describe_markdown", "--describe markdown", 0, "*`room.open`*", "" },
	{ "describe_xml", "--describe xml", 2, "", "*json or markdown*" },
	{ "sample_config", "--sample-config", 0, "*grace*", "" },
	{ "help", "--help", 0, "*--socket*", "" },
	{ "no_socket", "", 2, "", "*--socket*" },
	{ "unknown_option", "--frobnicate", 2, "", "*frobnicate*" },
	{ "unknown_key", "--set no.such=1 --socket x", 2, "", "*no.such*" },
	{ "bad_value", "--workers many --socket x", 2, "", "*engine.workers*whole number*" },
	{ "bad_folder", "--socket /nonexistent/folder/x", 1, "", "*/nonexistent/folder/x*" },
};

static void command_line(gconstpointer data)
{
	size_t row = GPOINTER_TO_SIZE(data);
	g_autofree char *line = g_strdup_printf("'%s' %s", engine_program, mains[row].args);
	g_auto(GStrv) argv = NULL;
	g_autofree char *out = NULL, *err = NULL;
	int status;
	g_assert_true(g_shell_parse_argv(line, NULL, &argv, NULL));
	g_assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status, NULL));
	g_assert_true(WIFEXITED(status));
	g_assert_cmpint(WEXITSTATUS(status), ==, mains[row].code);
	g_assert_true(g_pattern_match_simple(mains[row].out, out));
	g_assert_true(g_pattern_match_simple(mains[row].err, err));
}

static void quiet(const char *line, void *user_data)
{
}

#define TEST(name) g_test_add("/engine_process/" #name, struct bed, NULL, setup, name, teardown)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ort_log_set_sink(quiet, NULL);
	g_assert_cmpint(argc, >=, 2);
	engine_program = argv[1];
	if (argc == 4 && !strcmp(argv[2], "--gateway")) {
		return be_gateway(argv[3]);
	}
	TEST(killed_engine_comes_back_with_its_rooms);
	TEST(next_gateway_takes_over);
	TEST(engine_outlives_a_killed_gateway);
	TEST(stopped_engine_is_replaced);
	TEST(forgotten_engine_ends_by_itself);
	for (size_t i = 0; i < G_N_ELEMENTS(mains); i++) {
		g_autofree char *path = g_strdup_printf("/engine_process/command_line/%s", mains[i].name);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), command_line);
	}
	return g_test_run();
}
