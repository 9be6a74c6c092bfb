/* ortoo-terminal: a seat in the field on a PC. --headless is the same terminal without a window, with a synthetic picture and
 * sound: the phones of the demo, sites of drills and tests. */
#include <glib-unix.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mcu/base/log.h"
#include "softclient/desktop/call/call.h"

enum { EXIT_LOCAL = 1, EXIT_USAGE = 2, EXIT_REFUSED = 3 };

struct args {
	gboolean headless, insecure, stats, version;
	char *link, *ca, *name, *codec, *size, *position, *log;
	int fps;
	double duration_s;
};

struct program { GMainLoop *loop; sc_call *call; enum sc_call_end end; char *why; };

static int fail(int code, const char *what, const char *why)
{
	fprintf(stderr, "ortoo-terminal: %s%s%s\n", what, why != NULL ? ": " : "", why != NULL ? why : "");
	return code;
}

/* ---- options ---- */
static bool parse_codec(const char *text, enum sc_codec *ret)
{
	for (int n = 0; sc_codec_names[n] != NULL; n++) {
		if (g_strcmp0(text, sc_codec_names[n]) == 0) {
			*ret = (enum sc_codec)n;
			return true;
		}
	}
	return text == NULL;
}

static bool parse_size(const char *text, unsigned *ret_width, unsigned *ret_height)
{
	char tail;
	return text == NULL || sscanf(text, "%4ux%4u%c", ret_width, ret_height, &tail) == 2;
}

static const char *fault_of(const struct args *a, struct sc_call_conf *conf, struct sc_place *place)
{
	if (!a->headless) {
		return "the window comes with the desktop client; this build runs with --headless";
	}
	if (a->link == NULL) {
		return "--link is wanted";
	}
	if (!parse_codec(a->codec, &conf->codec)) {
		return "--codec is h264, vp8 or auto";
	}
	if (!parse_size(a->size, &conf->width, &conf->height)) {
		return "--size is WIDTHxHEIGHT";
	}
	if (a->position != NULL && !sc_place_parse(a->position, place)) {
		return "--position is LAT,LON in degrees";
	}
	if (a->fps < 1 || a->fps > 60) {
		return "--fps is 1 to 60";
	}
	sc_picture *probe = sc_picture_new(conf->width, conf->height, false, NULL);
	sc_picture_free(probe);
	return probe == NULL ? "--size: the width is a multiple of 16, the height even, from 160x90 to 1920x1920" : NULL;
}

/* ---- running ---- */
static void on_ended(enum sc_call_end end, const char *why, void *user_data)
{
	struct program *prog = user_data;
	prog->end = end;
	prog->why = g_strdup(why);
	g_main_loop_quit(prog->loop);
}

static gboolean on_signal(gpointer user_data)
{
	sc_call_hang_up(((struct program *)user_data)->call);
	return G_SOURCE_CONTINUE;
}

static gboolean on_duration(gpointer user_data)
{
	sc_call_hang_up(((struct program *)user_data)->call);
	return G_SOURCE_REMOVE;
}

/* One JSON object a line, for programs. */
static gboolean on_stats(gpointer user_data)
{
	struct sc_call_stats st;
	sc_call_get_stats(((struct program *)user_data)->call, &st);
	printf("{\"wire\":\"%s\",\"leg\":\"%s\",\"connections\":%u,\"frames\":%" G_GUINT64_FORMAT ",\"bytes_sent\":%" G_GUINT64_FORMAT
	       ",\"packets_lost\":%" G_GUINT64_FORMAT ",\"rtt_ms\":%.1f,\"heard_db\":%.1f,\"heard\":%s,\"drill\":%s}\n",
	       st.wire, st.leg, st.connections, st.frames, st.peer.bytes_sent, st.peer.packets_lost, st.peer.rtt_ms,
	       isfinite(st.peer.heard_db) ? st.peer.heard_db : -120, st.heard ? "true" : "false", st.drill ? "true" : "false");
	fflush(stdout);
	return G_SOURCE_CONTINUE;
}

static int run(const struct args *a, const struct sc_call_conf *conf)
{
	struct program prog = { .loop = g_main_loop_new(NULL, FALSE) };
	g_autofree char *why = NULL;
	prog.call = sc_call_new(conf, on_ended, &prog, &why);
	if (prog.call == NULL) {
		g_main_loop_unref(prog.loop);
		return fail(EXIT_LOCAL, "it cannot start", why);
	}
	g_unix_signal_add(SIGINT, on_signal, &prog);
	g_unix_signal_add(SIGTERM, on_signal, &prog);
	if (a->duration_s > 0) {
		g_timeout_add((guint)(a->duration_s * 1000), on_duration, &prog);
	}
	if (a->stats) {
		g_timeout_add_seconds(1, on_stats, &prog);
	}
	g_main_loop_run(prog.loop);
	sc_call_free(prog.call);
	g_main_loop_unref(prog.loop);
	int code = prog.end == SC_END_REFUSED ? fail(EXIT_REFUSED, "the seat was refused", prog.why) : EXIT_SUCCESS;
	ort_log(ORT_LOG_NOTICE, "main", "ended", "the call is over", ORT_S("why", prog.why));
	g_free(prog.why);
	return code;
}

static int start(const struct args *a)
{
	struct sc_call_conf conf = { .width = 640, .height = 360, .fps = (unsigned)a->fps, .ca_file = a->ca, .insecure = a->insecure,
				     .name = a->name };
	struct sc_place place;
	struct sc_link link;
	g_autofree char *why = NULL;
	const char *fault = fault_of(a, &conf, &place);
	if (fault != NULL) {
		return fail(EXIT_USAGE, fault, NULL);
	}
	if (!sc_link_parse(a->link, &link, &why)) {
		return fail(EXIT_USAGE, "--link", why);
	}
	if (ort_log_init("ortoo-terminal", a->log != NULL ? a->log : "info") < 0) {
		return fail(EXIT_USAGE, "--log is \"info\" or \"info,wire=debug\"", NULL);
	}
	conf.link = &link;
	conf.place = a->position != NULL ? &place : NULL;
	int code = EXIT_LOCAL;
	if (sc_media_init(conf.codec, &why)) {
		code = run(a, &conf);
		sc_media_end();
	} else {
		(void)fail(code, "this machine cannot make pictures", why);
	}
	sc_link_clear(&link);
	return code;
}

int main(int argc, char **argv)
{
	struct args a = { .fps = 15 };
	const GOptionEntry entries[] = {
		{ "headless", 0, 0, G_OPTION_ARG_NONE, &a.headless, "no window: a synthetic picture and voice", NULL },
		{ "link", 0, 0, G_OPTION_ARG_STRING, &a.link, "field link", "https://HOST/j/TOKEN" },
		{ "ca", 0, 0, G_OPTION_ARG_FILENAME, &a.ca, "authority that the server's certificate must come from (default: the system's)", "PEM" },
		{ "insecure", 0, 0, G_OPTION_ARG_NONE, &a.insecure, "do not check the server; only for loopback", NULL },
		{ "name", 0, 0, G_OPTION_ARG_STRING, &a.name, "written into the picture (default: as the link says)", "TEXT" },
		{ "codec", 0, 0, G_OPTION_ARG_STRING, &a.codec, "h264, vp8 or auto (h264 where there is an encoder)", "NAME" },
		{ "size", 0, 0, G_OPTION_ARG_STRING, &a.size, "of the picture (default 640x360)", "WxH" },
		{ "fps", 0, 0, G_OPTION_ARG_INT, &a.fps, "pictures a second (default 15)", "N" },
		{ "position", 0, 0, G_OPTION_ARG_STRING, &a.position, "walk around this place", "LAT,LON" },
		{ "duration", 0, 0, G_OPTION_ARG_DOUBLE, &a.duration_s, "hang up after this time", "SECONDS" },
		{ "stats", 0, 0, G_OPTION_ARG_NONE, &a.stats, "figures as a JSON object a second on standard output", NULL },
		{ "log", 0, 0, G_OPTION_ARG_STRING, &a.log, "levels, as in \"info,wire=debug\"", "SPEC" },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &a.version, "print the version", NULL },
		{ NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL },
	};
	g_autoptr(GError) err = NULL;
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	g_autoptr(GOptionContext) context = g_option_context_new("- a field seat of Ortoo");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &err)) {
		return fail(EXIT_USAGE, err->message, NULL);
	}
	if (a.version) {
		puts("ortoo-terminal " ORT_VERSION);
		return EXIT_SUCCESS;
	}
	return start(&a);
}
