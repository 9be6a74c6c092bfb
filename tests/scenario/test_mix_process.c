/* ortoo-mcu and ortoo-mixer as processes: a picture and a sound go in over plain transports, come back mixed, and come back
 * again after the codec worker was killed. Programs: the arguments after GLib's own; the third is a worker without codecs
 * that can be told to misbehave (tests/kit/fake_mix). */
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/proto/client.h"

static const char *mcu_program, *mixer_program, *bad_mixer_program;

enum { PUB_VIDEO, PUB_AUDIO, SEE, HEAR, N_LEGS };
static const char *const leg_ids[N_LEGS] = { "t.pv", "t.pa", "t.see", "t.hear" };

struct bed {
	char *dir, *path;
	GPid mcu;
	mcu_client *client;
	unsigned waiting;
	int error;
	json_t *reply;
	GSocket *socket[N_LEGS];
	uint16_t port[N_LEGS];		/* ours, and the engine's */
	uint16_t engine_port[N_LEGS];
	GstElement *pipeline[N_LEGS];
	atomic_uint pictures, loud;	/* decoded with colours in them; above silence */
	GString *states;
	char why[32];
};

/* ---- control ---- */

static void on_event(mcu_client *c, enum mcu_event event, const void *body, void *user_data)
{
	struct bed *b = user_data;
	const struct mcu_mix_state_event *ev = body;
	if (event == MCU_EVENT_MIX_STATE) {
		g_string_append_printf(b->states, "%s ", ev->state);
		g_strlcpy(b->why, ev->why ? ev->why : b->why, sizeof(b->why));
	}
}

static const struct mcu_client_ops client_ops = { .on_event = on_event };
struct wait { struct bed *b; enum mcu_method method; };

static void on_reply(const void *reply, const GError *err, void *user_data)
{
	g_autofree struct wait *w = user_data;
	json_decref(w->b->reply);
	w->b->reply = reply ? ort_json_print(mcu_methods[w->method].reply, reply) : NULL;
	w->b->error = err ? err->code : -1;
	if (err) {
		g_test_message("%s: %s", mcu_methods[w->method].name, err->message);
	}
	w->b->waiting--;
}

static void call(struct bed *b, enum mcu_method method, const void *request)
{
	struct wait *w = g_new0(struct wait, 1);
	*w = (struct wait){ b, method };
	b->waiting++;
	mcu_client_call(b->client, method, request, on_reply, w);
	while (b->waiting) {
		g_main_context_iteration(NULL, TRUE);
	}
	g_assert_cmpint(b->error, ==, -1);
}

static int connect_unix(const char *path)
{
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
	g_autoptr(GSocket) s = NULL;
	do {	/* the harness ends a test that waits for ever */
		g_clear_object(&s);
		g_usleep(5000);
		s = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);
	} while (!g_socket_connect(s, address, NULL, NULL));
	return dup(g_socket_get_fd(s));
}

static void start_engine(struct bed *b, const char *mixer)
{
	g_autofree char *program = g_strconcat("mixer.program=", mixer, NULL);
	char *argv[] = { (char *)mcu_program, (char *)"--socket", b->path, (char *)"--set", program, (char *)"--listen", (char *)"127.0.0.1",
			 (char *)"--set", (char *)"log.level=warning", NULL };
	g_autoptr(GError) err = NULL;
	g_assert_true(g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &b->mcu, &err));
	b->client = mcu_client_open(NULL, connect_unix(b->path), &client_ops, b);
	call(b, MCU_METHOD_HELLO, &(struct mcu_hello_request){ 2, (char *)"test", 60000 });
	call(b, MCU_METHOD_ROOM_OPEN, &(struct mcu_room_open){ (char *)"hall", 0 });
}

/* ---- legs ---- */

static void bind_leg(struct bed *b, int leg)
{
	g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
	g_autoptr(GSocketAddress) any = g_inet_socket_address_new(loopback, 0);
	b->socket[leg] = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
	g_assert_true(g_socket_bind(b->socket[leg], any, FALSE, NULL));
	g_autoptr(GSocketAddress) bound = g_socket_get_local_address(b->socket[leg], NULL);
	b->port[leg] = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
}

static void open_leg(struct bed *b, int leg)
{
	char *id = (char *)leg_ids[leg];
	bind_leg(b, leg);
	call(b, MCU_METHOD_TRANSPORT_OPEN, &(struct mcu_transport_open){ .room = (char *)"hall", .transport = id, .kind = (char *)"plain",
									 .rtcp_mux = true });
	b->engine_port[leg] = (uint16_t)json_integer_value(
		json_object_get(json_array_get(json_object_get(b->reply, "candidates"), 0), "port"));
	call(b, MCU_METHOD_TRANSPORT_CONNECT, &(struct mcu_transport_connect){ .room = (char *)"hall", .transport = id,
									       .ip = (char *)"127.0.0.1", .port = b->port[leg],
									       .rtcp_port = b->port[leg] });
}

static void publish(struct bed *b, int leg, const char *id, int kind, struct mcu_codec_use codec, uint32_t ssrc)
{
	struct mcu_encoding e = { .ssrc = ssrc };
	call(b, MCU_METHOD_SOURCE_ADD, &(struct mcu_source_add){ .room = (char *)"hall", .transport = (char *)leg_ids[leg], .id = (char *)id,
								 .kind = kind, .codecs = { &codec, 1 }, .encodings = { &e, 1 } });
}

static void subscribe(struct bed *b, int leg, const char *source, int kind, struct mcu_codec_use codec, uint32_t ssrc)
{
	call(b, MCU_METHOD_SINK_ADD, &(struct mcu_sink_add){ .room = (char *)"hall", .transport = (char *)leg_ids[leg],
							     .id = (char *)leg_ids[leg], .source = (char *)source, .kind = kind,
							     .ssrc = ssrc, .codecs = { &codec, 1 } });
}

/* ---- pictures and sound ---- */

static GstFlowReturn on_picture(GstAppSink *sink, gpointer user_data)
{
	struct bed *b = user_data;
	GstSample *sample = gst_app_sink_pull_sample(sink);
	GstMapInfo map;
	if (sample && gst_buffer_map(gst_sample_get_buffer(sample), &map, GST_MAP_READ)) {
		unsigned low = 255, high = 0;	/* GRAY8, 64 x 36: bars are light and dark */
		for (gsize i = 0; i < map.size; i++) {
			low = MIN(low, map.data[i]);
			high = MAX(high, map.data[i]);
		}
		atomic_fetch_add(&b->pictures, high - low > 100);
		gst_buffer_unmap(gst_sample_get_buffer(sample), &map);
	}
	g_clear_pointer(&sample, gst_sample_unref);
	return GST_FLOW_OK;
}

static GstFlowReturn on_sound(GstAppSink *sink, gpointer user_data)
{
	struct bed *b = user_data;
	GstSample *sample = gst_app_sink_pull_sample(sink);
	GstMapInfo map;
	if (sample && gst_buffer_map(gst_sample_get_buffer(sample), &map, GST_MAP_READ)) {
		const gint16 *s = (const gint16 *)(const void *)map.data;
		bool loud = false;
		for (gsize i = 0; i < map.size / 2; i++) {
			loud |= abs(s[i]) > 1000;
		}
		atomic_fetch_add(&b->loud, loud);
		gst_buffer_unmap(gst_sample_get_buffer(sample), &map);
	}
	g_clear_pointer(&sample, gst_sample_unref);
	return GST_FLOW_OK;
}

static const char *const pipelines[N_LEGS] = {
	[PUB_VIDEO] = "videotestsrc is-live=true ! video/x-raw,width=320,height=180,framerate=15/1 ! vp8enc deadline=1 cpu-used=8 "
		      "keyframe-max-dist=15 target-bitrate=300000 ! rtpvp8pay pt=96 ssrc=1001 picture-id-mode=2 mtu=1100 ! udpsink name=net sync=false",
	[PUB_AUDIO] = "audiotestsrc is-live=true samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=1 ! opusenc ! rtpopuspay pt=111 ssrc=1002 ! "
		      "udpsink name=net sync=false",
	[SEE] = "udpsrc name=net caps=\"application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=102\" ! rtph264depay ! "
		"h264parse ! avdec_h264 ! videoconvert ! videoscale ! video/x-raw,format=GRAY8,width=64,height=36 ! appsink name=out sync=false",
	[HEAR] = "udpsrc name=net caps=\"application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=111\" ! rtpopusdepay ! opusdec ! "
		 "audioconvert ! audio/x-raw,format=S16LE ! appsink name=out sync=false",
};

static void play(struct bed *b, int leg)
{
	static const GstAppSinkCallbacks callbacks[N_LEGS] = { [SEE] = { .new_sample = on_picture }, [HEAR] = { .new_sample = on_sound } };
	g_autoptr(GError) err = NULL;
	b->pipeline[leg] = gst_parse_launch(pipelines[leg], &err);
	g_assert_no_error(err);
	GstElement *net = gst_bin_get_by_name(GST_BIN(b->pipeline[leg]), "net");
	g_object_set(net, "socket", b->socket[leg], "close-socket", FALSE, NULL);
	if (leg == PUB_VIDEO || leg == PUB_AUDIO) {
		g_object_set(net, "host", "127.0.0.1", "port", (int)b->engine_port[leg], NULL);
	} else {
		GstElement *out = gst_bin_get_by_name(GST_BIN(b->pipeline[leg]), "out");
		gst_app_sink_set_callbacks(GST_APP_SINK(out), (GstAppSinkCallbacks *)&callbacks[leg], b, NULL);
		gst_object_unref(out);
	}
	gst_object_unref(net);
	g_assert_cmpint(gst_element_set_state(b->pipeline[leg], GST_STATE_PLAYING), !=, GST_STATE_CHANGE_FAILURE);
}

/* ---- the mix ---- */

static void mix(struct bed *b)
{
	struct mcu_mix_cell cell = { .cell = 0, .mode = MCU_CELL_FIXED, .member = (char *)"p1" };
	struct mcu_mix_input in = { .room = (char *)"hall", .mix = (char *)"c1", .id = (char *)"p1.video", .source = (char *)"p1.video",
				    .kind = MCU_VIDEO, .member = (char *)"p1", .name = (char *)"one" };
	call(b, MCU_METHOD_MIX_OPEN, &(struct mcu_mix_open){ (char *)"hall", (char *)"c1", 15 });
	call(b, MCU_METHOD_MIX_INPUT, &in);
	in.id = in.source = (char *)"p1.audio";
	in.kind = MCU_AUDIO;
	call(b, MCU_METHOD_MIX_INPUT, &in);
	call(b, MCU_METHOD_MIX_VIEW, &(struct mcu_mix_view){ .room = (char *)"hall", .mix = (char *)"c1", .id = (char *)"program",
							     .layout = (char *)"1", .cells = { &cell, 1 }, .titles = true,
							     .clock = true, .banner = (char *)"点名 banner" });
	call(b, MCU_METHOD_MIX_OUTPUT, &(struct mcu_mix_output){ .room = (char *)"hall", .mix = (char *)"c1", .id = (char *)"mix.c1.v",
								 .kind = MCU_VIDEO, .view = (char *)"program", .codec = (char *)"H264",
								 .width = 640, .height = 360 });
	call(b, MCU_METHOD_MIX_OUTPUT, &(struct mcu_mix_output){ .room = (char *)"hall", .mix = (char *)"c1", .id = (char *)"mix.c1.v8",
								 .kind = MCU_VIDEO, .view = (char *)"program", .codec = (char *)"VP8",
								 .width = 320, .height = 180 });
	call(b, MCU_METHOD_MIX_OUTPUT, &(struct mcu_mix_output){ .room = (char *)"hall", .mix = (char *)"c1", .id = (char *)"mix.c1.a",
								 .kind = MCU_AUDIO, .codec = (char *)"opus", .member = (char *)"p2" });
}

static void wait_for_media(struct bed *b)
{
	atomic_store(&b->pictures, 0);
	atomic_store(&b->loud, 0);
	while (atomic_load(&b->pictures) < 8 || atomic_load(&b->loud) < 8) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(2000);
	}
}

static pid_t worker(const struct bed *b)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", b->mcu, b->mcu);
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return (pid_t)strtol(text, NULL, 10);
}

static void check_dump(struct bed *b)
{
	call(b, MCU_METHOD_DUMP, &(struct mcu_empty){ 0 });
	g_autofree char *text = ort_json_text(b->reply);
	g_assert_nonnull(strstr(text, "\"kind\":\"mix\""));
	g_assert_nonnull(strstr(text, "\"mixes\":[{"));
	call(b, MCU_METHOD_STATS_GET, &(struct mcu_room_ref){ NULL });
	const json_t *counters = json_object_get(b->reply, "counters");
	g_assert_cmpint(json_integer_value(json_object_get(counters, "engine.mixers")), ==, 1);
	g_assert_cmpint(json_integer_value(json_object_get(counters, "bridge.in")), >, 0);
}

static void picture_comes_back_after_a_kill(struct bed *b, gconstpointer data)
{
	start_engine(b, mixer_program);
	for (int leg = 0; leg < N_LEGS; leg++) {
		open_leg(b, leg);
	}
	struct mcu_codec_use vp8 = { .name = (char *)"VP8", .pt = 96, .pli = true }, opus = { .name = (char *)"opus", .pt = 111 };
	struct mcu_codec_use h264 = { .name = (char *)"H264", .pt = 102, .pli = true,
				      .fmtp = (char *)"packetization-mode=1;profile-level-id=42e01f" };
	mix(b);	/* before its sources are there */
	publish(b, PUB_VIDEO, "p1.video", MCU_VIDEO, vp8, 1001);
	publish(b, PUB_AUDIO, "p1.audio", MCU_AUDIO, opus, 1002);
	subscribe(b, SEE, "mix.c1.v", MCU_VIDEO, h264, 2001);
	subscribe(b, HEAR, "mix.c1.a", MCU_AUDIO, opus, 2002);
	for (int leg = 0; leg < N_LEGS; leg++) {
		play(b, leg);
	}
	wait_for_media(b);
	check_dump(b);
	for (unsigned i = 0; i < 2; i++) {
		pid_t pid = worker(b);
		int64_t begin_us = ort_now_us();
		g_string_truncate(b->states, 0);
		g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
		while (strcmp(b->states->str, "restarting up ") != 0) {
			g_main_context_iteration(NULL, TRUE);
		}
		wait_for_media(b);
		int64_t took_ms = (ort_now_us() - begin_us) / ORT_US_PER_MS;
		g_test_message("picture and sound were back after %d ms", (int)took_ms);
		g_assert_cmpint(took_ms, <, 10000);
		g_assert_cmpint(worker(b), !=, pid);
	}
}

/* It answers its pings and seems well, but no media thread can speak to it any more. */
static void worker_that_hangs_up_is_replaced(struct bed *b, gconstpointer data)
{
	start_engine(b, bad_mixer_program);
	call(b, MCU_METHOD_MIX_OPEN, &(struct mcu_mix_open){ (char *)"hall", (char *)"c1", 15 });
	while (strcmp(b->states->str, "up ") != 0) {
		g_main_context_iteration(NULL, TRUE);
	}
	call(b, MCU_METHOD_MIX_VIEW, &(struct mcu_mix_view){ .room = (char *)"hall", .mix = (char *)"c1", .id = (char *)"v",
							     .layout = (char *)"leave", .test = true });
	while (strcmp(b->states->str, "up restarting up ") != 0) {
		g_main_context_iteration(NULL, TRUE);
	}
	g_assert_cmpstr(b->why, ==, "broke-channel");
}

static void setup(struct bed *b, gconstpointer data)
{
	b->dir = g_dir_make_tmp("ortoo-scenario-XXXXXX", NULL);
	b->path = g_build_filename(b->dir, "mcu.sock", NULL);
	b->states = g_string_new(NULL);
}

static void teardown(struct bed *b, gconstpointer data)
{
	for (int leg = 0; leg < N_LEGS && b->pipeline[leg]; leg++) {
		(void)gst_element_set_state(b->pipeline[leg], GST_STATE_NULL);
		gst_object_unref(b->pipeline[leg]);
		g_object_unref(b->socket[leg]);
	}
	mcu_client_close(b->client);
	pid_t mixer = worker(b);
	g_assert_cmpint(kill(b->mcu, SIGTERM), ==, 0);
	g_assert_cmpint(waitpid(b->mcu, NULL, 0), ==, b->mcu);
	g_assert_cmpint(kill(mixer, 0), ==, -1);	/* it does not outlive the engine */
	(void)g_unlink(b->path);
	(void)g_rmdir(b->dir);
	json_decref(b->reply);
	g_string_free(b->states, TRUE);
	g_free(b->path);
	g_free(b->dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	gst_init(NULL, NULL);
	g_assert_cmpint(argc, ==, 4);
	mcu_program = argv[1];
	mixer_program = argv[2];
	bad_mixer_program = argv[3];
	g_test_add("/mix_process/picture_comes_back_after_a_kill", struct bed, NULL, setup, picture_comes_back_after_a_kill, teardown);
	g_test_add("/mix_process/worker_that_hangs_up_is_replaced", struct bed, NULL, setup, worker_that_hangs_up_is_replaced, teardown);
	int failed = g_test_run();
	(void)fflush(NULL);
	_exit(failed);	/* no leak check of our own GStreamer: so many elements outgrow GLib's table of quarks, which it never frees */
}
