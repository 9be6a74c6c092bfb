/* ortoo-mixer: the codec worker as a process, started by ortoo-mcu. Options, sandbox, loop; the rest is mcu/mix. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mcu/base/log.h"
#include "mcu/mixer/mixer_priv.h"

static struct {
	int rpc, hand;
	gint64 memory;
	char *elements, *log;
	gboolean no_sandbox, version;
} options = { .rpc = -1, .hand = -1 };

static const GOptionEntry entries[] = {
	{ "fd", 0, 0, G_OPTION_ARG_INT, &options.rpc, "serve the engine on this connected stream socket", "N" },
	{ "hand-fd", 0, 0, G_OPTION_ARG_INT, &options.hand, "descriptors of channels come here (SOCK_SEQPACKET)", "N" },
	{ "memory", 0, 0, G_OPTION_ARG_INT64, &options.memory, "memory that it may take, 0 = unlimited", "BYTES" },
	{ "elements", 0, 0, G_OPTION_ARG_STRING, &options.elements, "ranks of codec elements", "CODEC.ROLE=NAME,..;.." },
	{ "log", 0, 0, G_OPTION_ARG_STRING, &options.log, "log level, as log.level of the engine", "LEVEL" },
	{ "no-sandbox", 0, 0, G_OPTION_ARG_NONE, &options.no_sandbox, "files, sockets and programs stay allowed", NULL },
	{ "version", 0, 0, G_OPTION_ARG_NONE, &options.version, "print the version and end", NULL },
	{ NULL },
};

static int refuse(const char *what)
{
	(void)fprintf(stderr, "ortoo-mixer: %s\n", what);
	return 2;
}

static void quit(void *loop)
{
	g_main_loop_quit(loop);
}

/* Order: the plug-in register is written, then files are closed, then threads begin, then calls are filtered. */
static int run(void)
{
	const struct mixer_sandbox box = { .memory = options.memory, .on = !options.no_sandbox };
	const struct mcu_mixer_conf conf = { .elements = options.elements };
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_autoptr(GError) err = NULL;
	if (!mixer_preload(&err)) {
		return refuse(err->message);
	}
	mixer_sandbox_files(&box);
	mcu_mixer *mixer = mcu_mixer_new(&conf, &mixer_ops, &err);
	if (!mixer) {
		return refuse(err->message);
	}
	mixer_control *control = mixer_control_new(options.rpc, options.hand, quit, loop);
	if (!mixer_sandbox_calls(&box, &err)) {
		return refuse(err->message);
	}
	mixer_control_serve(control, mixer);
	g_main_loop_run(loop);
	mixer_control_free(control);
	bool left = mcu_mixer_left_threads(mixer);
	mcu_mixer_free(mixer);
	if (left) {	/* destructors of the codecs' libraries would run under them */
		_exit(EXIT_SUCCESS);
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) err = NULL;
	mixer_sandbox_early();
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &err)) {
		return refuse(err->message);
	}
	if (options.version) {
		return printf("ortoo-mixer " ORT_VERSION "\n") < 0;
	}
	if (options.rpc < 0 || options.hand < 0) {
		return refuse("--fd and --hand-fd are wanted: ortoo-mcu starts this program");
	}
	if (ort_log_init("ortoo-mixer", options.log ? options.log : "info") < 0) {
		return refuse("--log: not understood");
	}
	return run();
}
