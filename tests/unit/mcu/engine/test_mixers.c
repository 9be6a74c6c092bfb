/* The engine in-process over fake rooms, with a codec worker that is a real process without codecs. Its program is the first
 * argument after GLib's own. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/engine/engine.h"
#include "mcu/proto/client.h"

static const char *program;

struct bed {
	ort_conf *conf;
	mcu_engine *engine;
	mcu_client *client;
	unsigned waiting, events[MCU_EVENT_N];
	json_t *reply;
	int error;	/* mcu_error_id, -1 = none */
	GString *states;	/* of mix.state: "up restarting up" */
	char why[32];
};

static void on_event(mcu_client *c, enum mcu_event event, const void *body, void *user_data)
{
	struct bed *b = user_data;
	const struct mcu_mix_state_event *ev = body;
	b->events[event]++;
	if (event == MCU_EVENT_MIX_STATE) {
		g_string_append_printf(b->states, "%s ", ev->state);
		g_strlcpy(b->why, ev->why ? ev->why : "", sizeof(b->why));
	}
	if (event == MCU_EVENT_MIX_VIEW_SHOWN) {
		g_assert_cmpstr(((const struct mcu_mix_view_event *)body)->mix, ==, "m");
	}
}

static const struct mcu_client_ops client_ops = { .on_event = on_event };

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

/* The harness ends a test that waits for ever. */
#define UNTIL(condition)      \
	while (!(condition)) { \
		turn();       \
	}

static void set(struct bed *b, const char *key, const char *value)
{
	g_assert_cmpint(ort_conf_set(b->conf, key, value, NULL), ==, 0);
}

static void join(struct bed *b)
{
	int fds[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
	mcu_engine_serve(b->engine, fds[0]);
	b->client = mcu_client_open(NULL, fds[1], &client_ops, b);
	g_assert_cmpint(call(b, MCU_METHOD_HELLO, &(struct mcu_hello_request){ 2, (char *)"test", 60000 }), ==, -1);
	g_assert_cmpint(call(b, MCU_METHOD_ROOM_OPEN, &(struct mcu_room_open){ (char *)"r", 0 }), ==, -1);
}

static void start(struct bed *b)
{
	g_autoptr(GError) err = NULL;
	b->engine = mcu_engine_new(NULL, b->conf, NULL, NULL, &err);
	g_assert_no_error(err);
	join(b);
}

static void bare(struct bed *b, gconstpointer data)
{
	b->conf = ort_conf_new(mcu_engine_rows, mcu_engine_n_rows);
	b->states = g_string_new(NULL);
	set(b, "engine.workers", "2");
	set(b, "mixer.program", program);
	set(b, "mixer.restart", "10ms");
}

static int open_mix(struct bed *b, const char *mix, int64_t fps)
{
	return call(b, MCU_METHOD_MIX_OPEN, &(struct mcu_mix_open){ (char *)"r", (char *)mix, fps });
}

static int put_input(struct bed *b, const char *id, const char *source, int kind)
{
	return call(b, MCU_METHOD_MIX_INPUT,
		    &(struct mcu_mix_input){ .room = (char *)"r", .mix = (char *)"m", .id = (char *)id, .source = (char *)source,
					     .kind = kind, .member = (char *)"p1" });
}

static int put_view(struct bed *b, const char *id, const char *layout, bool test)
{
	return call(b, MCU_METHOD_MIX_VIEW, &(struct mcu_mix_view){ .room = (char *)"r", .mix = (char *)"m", .id = (char *)id,
								    .layout = (char *)layout, .test = test });
}

static int put_output(struct bed *b, const char *id, const char *codec, int kind)
{
	return call(b, MCU_METHOD_MIX_OUTPUT,
		    &(struct mcu_mix_output){ .room = (char *)"r", .mix = (char *)"m", .id = (char *)id, .kind = kind,
					      .codec = (char *)codec, .view = (char *)(kind == MCU_VIDEO ? "v" : NULL) });
}

static int by_id(struct bed *b, enum mcu_method method, const char *id)
{
	return call(b, method, &(struct mcu_mix_ref){ (char *)"r", (char *)"m", (char *)id });
}

static void setup(struct bed *b, gconstpointer data)
{
	bare(b, data);
	start(b);
	g_assert_cmpint(open_mix(b, "m", 0), ==, -1);
	UNTIL(strstr(b->states->str, "up"));
}

static void teardown(struct bed *b, gconstpointer data)
{
	mcu_client_close(b->client);
	mcu_engine_free(b->engine);
	ort_conf_free(b->conf);
	json_decref(b->reply);
	g_string_free(b->states, TRUE);
	while (g_main_context_iteration(NULL, FALSE)) {
	}
}

static pid_t worker(void)
{
	g_autofree char *path = g_strdup_printf("/proc/self/task/%d/children", getpid());
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return (pid_t)strtol(text, NULL, 10);
}

static json_int_t counter(struct bed *b, const char *name)
{
	g_assert_cmpint(call(b, MCU_METHOD_STATS_GET, &(struct mcu_room_ref){ NULL }), ==, -1);
	return json_integer_value(json_object_get(json_object_get(b->reply, "counters"), name));
}

/* The first mix of the dump, borrowed from b->reply. */
static const json_t *dumped(struct bed *b)
{
	g_assert_cmpint(call(b, MCU_METHOD_DUMP, &(struct mcu_empty){ 0 }), ==, -1);
	return json_array_get(json_object_get(json_array_get(json_object_get(b->reply, "rooms"), 0), "mixes"), 0);
}

static size_t dumped_n(struct bed *b, const char *what)
{
	return json_array_size(json_object_get(dumped(b), what));
}

/* ---- commands ---- */

static void commands_reach_both_sides(struct bed *b, gconstpointer data)
{
	g_assert_cmpint(put_input(b, "p1.video", "p1.video", MCU_VIDEO), ==, -1);
	g_assert_cmpint(put_input(b, "p1.audio", NULL, MCU_AUDIO), ==, -1);
	g_assert_cmpint(put_view(b, "v", "4", false), ==, -1);
	UNTIL(b->events[MCU_EVENT_MIX_VIEW_SHOWN]);
	g_assert_cmpint(put_output(b, "mix.m.v", "H264", MCU_VIDEO), ==, -1);
	g_assert_cmpint(put_output(b, "mix.m.a", "opus", MCU_AUDIO), ==, -1);
	UNTIL(b->events[MCU_EVENT_SOURCE_UP] == 2);	/* both are sources of the room */
	g_assert_cmpint(counter(b, "engine.mixer_foreign"), ==, 0);	/* all that it wanted and told was of its mix */
	g_assert_cmpuint(dumped_n(b, "inputs"), ==, 2);
	g_assert_cmpuint(dumped_n(b, "views"), ==, 1);
	g_assert_cmpuint(dumped_n(b, "outputs"), ==, 2);
	g_assert_cmpstr(json_string_value(json_object_get(dumped(b), "state")), ==, "up");
	g_assert_cmpint(by_id(b, MCU_METHOD_MIX_OUTPUT_REMOVE, "mix.m.v"), ==, -1);
	g_assert_cmpint(by_id(b, MCU_METHOD_MIX_INPUT_REMOVE, "p1.video"), ==, -1);
	g_assert_cmpint(by_id(b, MCU_METHOD_MIX_VIEW_REMOVE, "v"), ==, -1);
	g_assert_cmpuint(dumped_n(b, "inputs") + dumped_n(b, "views") + dumped_n(b, "outputs"), ==, 2);
	struct mcu_mix_play tone = { .room = (char *)"r", .mix = (char *)"m" };
	g_assert_cmpint(call(b, MCU_METHOD_MIX_PLAY, &tone), ==, MCU_ERROR_INVALID);	/* no sound */
	tone.sound = (char *)"joined";
	g_assert_cmpint(call(b, MCU_METHOD_MIX_PLAY, &tone), ==, -1);
	g_assert_cmpint(by_id(b, MCU_METHOD_MIX_CLOSE, NULL), ==, -1);
	g_assert_null(dumped(b));
}

static void stills_and_clips_come_back(struct bed *b, gconstpointer data)
{
	struct mcu_mix_still still = { .room = (char *)"r", .mix = (char *)"m", .id = (char *)"p1.video" };
	struct mcu_mix_clip clip = { .room = (char *)"r", .mix = (char *)"m", .id = (char *)"p1.audio" };
	g_assert_cmpint(call(b, MCU_METHOD_MIX_STILL, &still), ==, MCU_ERROR_UNKNOWN_ID);
	g_assert_cmpint(put_input(b, "p1.video", "p1.video", MCU_VIDEO), ==, -1);
	g_assert_cmpint(put_input(b, "p1.audio", NULL, MCU_AUDIO), ==, -1);
	g_assert_cmpint(call(b, MCU_METHOD_MIX_STILL, &still), ==, -1);
	g_assert_cmpstr(json_string_value(json_object_get(b->reply, "jpeg")), ==, "/9j/");
	g_assert_cmpint(call(b, MCU_METHOD_MIX_CLIP, &clip), ==, -1);
	g_assert_cmpstr(json_string_value(json_object_get(b->reply, "wav")), ==, "UklG");
}

static void repeats_are_harmless_and_others_refused(struct bed *b, gconstpointer data)
{
	for (unsigned i = 0; i < 2; i++) {
		g_assert_cmpint(open_mix(b, "m", 0), ==, -1);
		g_assert_cmpint(put_input(b, "in", "x", MCU_VIDEO), ==, -1);
		g_assert_cmpint(put_view(b, "v", "4", false), ==, -1);
		g_assert_cmpint(put_output(b, "out", "H264", MCU_VIDEO), ==, -1);
	}
	g_assert_cmpint(put_input(b, "in", "y", MCU_VIDEO), ==, MCU_ERROR_UNKNOWN_ID);	/* of the fake's sink.route */
	g_assert_cmpint(open_mix(b, "m", 25), ==, MCU_ERROR_CONFLICT);
	g_assert_cmpint(put_input(b, "in", "x", MCU_AUDIO), ==, MCU_ERROR_CONFLICT);
	g_assert_cmpint(put_output(b, "out", "VP8", MCU_VIDEO), ==, MCU_ERROR_CONFLICT);
	g_assert_cmpint(put_output(b, "out2", "opus", MCU_VIDEO), ==, MCU_ERROR_NO_CODEC);
	g_assert_cmpint(put_output(b, "out2", "MP3", MCU_AUDIO), ==, MCU_ERROR_NO_CODEC);
	g_assert_cmpint(by_id(b, MCU_METHOD_MIX_OUTPUT_REMOVE, "none"), ==, MCU_ERROR_UNKNOWN_ID);
	g_autofree char *longest = g_strnfill(MCU_ID_MAX, 'x');
	g_assert_cmpint(put_input(b, longest, NULL, MCU_VIDEO), ==, MCU_ERROR_INVALID);
	g_assert_cmpint(call(b, MCU_METHOD_MIX_OPEN, &(struct mcu_mix_open){ (char *)"none", (char *)"m", 0 }), ==, MCU_ERROR_UNKNOWN_ID);
	g_assert_cmpint(call(b, MCU_METHOD_MIX_CLOSE, &(struct mcu_mix_ref){ (char *)"r", (char *)"none", NULL }), ==, MCU_ERROR_UNKNOWN_ID);
	g_assert_cmpuint(dumped_n(b, "inputs"), ==, 1);
	g_assert_cmpuint(dumped_n(b, "outputs"), ==, 1);
}

static void refused_view_leaves_what_was(struct bed *b, gconstpointer data)
{
	g_assert_cmpint(put_view(b, "v", "nonsense", false), ==, MCU_ERROR_INVALID);
	g_assert_cmpuint(dumped_n(b, "views"), ==, 0);
	g_assert_cmpint(put_view(b, "v", "4", false), ==, -1);
	g_assert_cmpint(put_view(b, "v", "nonsense", false), ==, MCU_ERROR_INVALID);
	const json_t *view = json_array_get(json_object_get(dumped(b), "views"), 0);
	g_assert_cmpstr(json_string_value(json_object_get(view, "layout")), ==, "4");
	g_assert_cmpint(put_view(b, "v", "9", true), ==, -1);	/* only a test */
	view = json_array_get(json_object_get(dumped(b), "views"), 0);
	g_assert_cmpstr(json_string_value(json_object_get(view, "layout")), ==, "4");
}

static void pipelined_commands_keep_their_order(struct bed *b, gconstpointer data)
{
	start(b);
	post(b, MCU_METHOD_MIX_OPEN, &(struct mcu_mix_open){ (char *)"r", (char *)"m", 0 });
	post(b, MCU_METHOD_MIX_VIEW, &(struct mcu_mix_view){ .room = (char *)"r", .mix = (char *)"m", .id = (char *)"v", .layout = (char *)"1" });
	g_assert_cmpint(put_output(b, "out", "VP8", MCU_VIDEO), ==, -1);
	UNTIL(b->events[MCU_EVENT_MIX_VIEW_SHOWN]);	/* told once it was up */
	UNTIL(strcmp(b->states->str, "up ") == 0);
	g_assert_cmpint(by_id(b, MCU_METHOD_MIX_CLOSE, NULL), ==, -1);
	g_assert_cmpint(open_mix(b, "m", 0), ==, -1);
	UNTIL(strcmp(b->states->str, "up up ") == 0);
}

static void next_gateway_finds_the_mix(struct bed *b, gconstpointer data)
{
	g_assert_cmpint(put_input(b, "in", "x", MCU_VIDEO), ==, -1);
	g_assert_cmpint(put_view(b, "v", "4", false), ==, -1);
	mcu_client_close(b->client);
	join(b);
	g_assert_cmpuint(dumped_n(b, "inputs"), ==, 1);
	g_assert_cmpint(open_mix(b, "m", 0), ==, -1);	/* it says everything again */
	g_assert_cmpint(put_input(b, "in", "x", MCU_VIDEO), ==, -1);
	g_assert_cmpint(put_view(b, "v", "4", false), ==, -1);
	g_assert_cmpint(counter(b, "engine.mixer_starts"), ==, 1);
	g_assert_cmpuint(dumped_n(b, "inputs"), ==, 1);
}

static void mix_goes_with_its_room(struct bed *b, gconstpointer data)
{
	g_assert_cmpint(call(b, MCU_METHOD_ROOM_CLOSE, &(struct mcu_room_ref){ (char *)"r" }), ==, -1);
	g_assert_cmpint(put_view(b, "v", "4", false), ==, MCU_ERROR_UNKNOWN_ID);
	g_assert_cmpint(counter(b, "engine.mixes"), ==, 0);
	UNTIL(counter(b, "mixer.mixes") == 0);	/* as of the worker's next ping */
	g_assert_cmpint(counter(b, "engine.mixers"), ==, 1);
}

static void closing_its_transport_closes_the_mix(struct bed *b, gconstpointer data)
{
	g_assert_cmpint(call(b, MCU_METHOD_TRANSPORT_CLOSE, &(struct mcu_transport_ref){ (char *)"r", (char *)"m" }), ==, -1);
	g_assert_cmpint(put_view(b, "v", "4", false), ==, MCU_ERROR_UNKNOWN_ID);
	g_assert_cmpint(open_mix(b, "m", 0), ==, -1);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* It says that it is ready only after its sandbox was closed. */
static void worker_is_confined(struct bed *b, gconstpointer data)
{
#ifdef SANITIZED
	g_test_skip("sanitizers need more than the sandbox allows");
#else
	g_autofree char *path = g_strdup_printf("/proc/%d/status", worker());
	g_autofree char *status = NULL;
	g_assert_true(g_file_get_contents(path, &status, NULL, NULL));
	g_assert_nonnull(strstr(status, "NoNewPrivs:\t1\n"));
	g_assert_nonnull(strstr(status, "Seccomp:\t2\n"));
#endif
}

/* ---- the worker's death ---- */

static void killed_worker_is_replaced(struct bed *b, gconstpointer data)
{
	g_assert_cmpint(put_input(b, "in", "x", MCU_VIDEO), ==, -1);
	g_assert_cmpint(put_view(b, "v", "4", false), ==, -1);
	g_assert_cmpint(put_output(b, "out", "H264", MCU_VIDEO), ==, -1);
	UNTIL(b->events[MCU_EVENT_MIX_VIEW_SHOWN] == 1);
	for (unsigned i = 2; i < 5; i++) {
		pid_t pid = worker();
		g_string_truncate(b->states, 0);
		g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
		UNTIL(strcmp(b->states->str, "restarting up ") == 0);
		UNTIL(b->events[MCU_EVENT_MIX_VIEW_SHOWN] == i);	/* told everything again */
		g_assert_cmpint(worker(), !=, pid);
	}
	g_assert_cmpint(counter(b, "engine.mixer_restarts"), ==, 3);
	g_assert_cmpint(put_view(b, "v", "9", false), ==, -1);
}

static void hung_worker_is_killed(struct bed *b, gconstpointer data)
{
	set(b, "mixer.watchdog", "300ms");
	start(b);
	g_assert_cmpint(open_mix(b, "m", 0), ==, -1);
	UNTIL(strstr(b->states->str, "up"));
	g_assert_cmpint(put_view(b, "v", "hang", true), ==, MCU_ERROR_STATE);	/* not remembered */
	UNTIL(strcmp(b->states->str, "up restarting up ") == 0);
	g_assert_cmpint(counter(b, "engine.mixer_hung"), ==, 1);
}

static void poisonous_mix_is_told_and_cured(struct bed *b, gconstpointer data)
{
	g_assert_cmpint(put_view(b, "v", "crash", false), ==, -1);	/* whatever it does, the next worker is told too */
	UNTIL(strstr(b->states->str, "failed"));
	g_assert_cmpstr(b->why, ==, "crashed");
	g_string_truncate(b->states, 0);
	g_assert_cmpint(put_view(b, "v", "4", false), ==, -1);
	UNTIL(strstr(b->states->str, "up"));
}

static void missing_program_is_told(struct bed *b, gconstpointer data)
{
	set(b, "mixer.program", "/nonexistent/ortoo-mixer");
	start(b);
	g_assert_cmpint(open_mix(b, "m", 0), ==, MCU_ERROR_STATE);
	g_assert_null(dumped(b));
}

static void program_that_ends_at_once_is_told(struct bed *b, gconstpointer data)
{
	set(b, "mixer.program", "/bin/true");
	start(b);
	g_assert_cmpint(open_mix(b, "m", 0), ==, -1);
	UNTIL(strstr(b->states->str, "failed"));
	g_assert_cmpint(put_view(b, "v", "4", true), ==, MCU_ERROR_STATE);
}

static void talkative_worker_does_not_drown_us(struct bed *b, gconstpointer data)
{
	g_assert_cmpint(put_view(b, "v", "flood", false), ==, -1);
	UNTIL(b->events[MCU_EVENT_MIX_LEVEL] > 100);
	UNTIL(counter(b, "engine.mixer_events_dropped") > 1000);
	g_assert_cmpuint(b->events[MCU_EVENT_MIX_LEVEL], <, 20000);
}

static void engine_ends_under_commands(struct bed *b, gconstpointer data)
{
	for (unsigned i = 0; i < 20; i++) {
		g_autofree char *id = g_strdup_printf("in%u", i);
		post(b, MCU_METHOD_MIX_INPUT, &(struct mcu_mix_input){ .room = (char *)"r", .mix = (char *)"m", .id = id, .member = (char *)"p" });
	}
	turn();
}

static void two_workers_share_the_mixes(struct bed *b, gconstpointer data)
{
	set(b, "mixer.count", "2");
	start(b);
	g_assert_cmpint(open_mix(b, "m", 0), ==, -1);
	g_assert_cmpint(open_mix(b, "n", 0), ==, -1);
	UNTIL(strcmp(b->states->str, "up up ") == 0);
	g_assert_cmpint(counter(b, "engine.mixers"), ==, 2);
	g_assert_cmpint(kill(worker(), SIGKILL), ==, 0);
	UNTIL(strcmp(b->states->str, "up up restarting up ") == 0);	/* of one mix only */
}

static void quiet(const char *line, void *user_data)
{
}

#define TEST(name, begin) g_test_add("/engine/mixers/" #name, struct bed, NULL, begin, name, teardown)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ort_log_set_sink(quiet, NULL);
	g_assert_cmpint(argc, ==, 2);
	program = argv[1];
	TEST(commands_reach_both_sides, setup);
	TEST(stills_and_clips_come_back, setup);
	TEST(repeats_are_harmless_and_others_refused, setup);
	TEST(refused_view_leaves_what_was, setup);
	TEST(pipelined_commands_keep_their_order, bare);
	TEST(next_gateway_finds_the_mix, setup);
	TEST(mix_goes_with_its_room, setup);
	TEST(closing_its_transport_closes_the_mix, setup);
	TEST(worker_is_confined, setup);
	TEST(killed_worker_is_replaced, setup);
	TEST(hung_worker_is_killed, bare);
	TEST(poisonous_mix_is_told_and_cured, setup);
	TEST(missing_program_is_told, bare);
	TEST(program_that_ends_at_once_is_told, bare);
	TEST(talkative_worker_does_not_drown_us, setup);
	TEST(engine_ends_under_commands, setup);
	TEST(two_workers_share_the_mixes, bare);
	return g_test_run();
}
