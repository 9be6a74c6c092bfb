/* ortoo-mcu: the engine as a process. Options, log, loop; all else is the library. */
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>

#include "mcu/base/log.h"
#include "mcu/engine/engine.h"
#include "mcu/engine/harden_priv.h"
#include "mcu/proto/proto.h"

static struct {
	char *socket, *config, *describe, *shorts[4], **set;
	int fd;
	gboolean sample, version;
} options = { .fd = -1 };

/* Short forms of --set. */
static const char *const short_keys[] = { "media.listen", "media.announce", "media.udp_port", "engine.workers" };

static const GOptionEntry entries[] = {
	{ "socket", 0, 0, G_OPTION_ARG_FILENAME, &options.socket, "listen for the gateway on this Unix socket", "PATH" },
	{ "fd", 0, 0, G_OPTION_ARG_INT, &options.fd, "serve the gateway on this connected descriptor", "N" },
	{ "config", 0, 0, G_OPTION_ARG_FILENAME, &options.config, "YAML file, then FILE.d/*.yaml", "FILE" },
	{ "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.set, "one option, over the file; may be repeated", "KEY=VALUE" },
	{ "listen", 0, 0, G_OPTION_ARG_STRING, &options.shorts[0], "media.listen", "ADDRESS,.." },
	{ "announce", 0, 0, G_OPTION_ARG_STRING, &options.shorts[1], "media.announce", "ADDRESS,.." },
	{ "udp-port", 0, 0, G_OPTION_ARG_STRING, &options.shorts[2], "media.udp_port", "N" },
	{ "workers", 0, 0, G_OPTION_ARG_STRING, &options.shorts[3], "engine.workers", "N" },
	{ "describe", 0, 0, G_OPTION_ARG_STRING, &options.describe, "print the control protocol and end", "json|markdown" },
	{ "sample-config", 0, 0, G_OPTION_ARG_NONE, &options.sample, "print a configuration file and end", NULL },
	{ "version", 0, 0, G_OPTION_ARG_NONE, &options.version, "print the version and end", NULL },
	{ NULL },
};

static int refuse(const char *what, const char *why)
{
	(void)fprintf(stderr, "ortoo-mcu: %s%s%s\n", what, why ? ": " : "", why ? why : "");
	return 2;
}

static int load(ort_conf *conf)
{
	g_autofree char *why = NULL;
	if (options.config && ort_conf_load(conf, options.config, &why) < 0) {
		return refuse(options.config, why);
	}
	for (size_t i = 0; options.set && options.set[i]; i++) {
		g_auto(GStrv) pair = g_strsplit(options.set[i], "=", 2);
		if (!pair[0] || !pair[1] || ort_conf_set(conf, pair[0], pair[1], &why) < 0) {
			return refuse(options.set[i], why ? why : "KEY=VALUE is wanted");
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(short_keys); i++) {
		if (options.shorts[i] && ort_conf_set(conf, short_keys[i], options.shorts[i], &why) < 0) {
			return refuse(short_keys[i], why);
		}
	}
	return ort_log_init("ortoo-mcu", ort_conf_str(conf, "log.level")) < 0 ? refuse("log.level", "not understood") : 0;
}

static int print_and_end(const ort_conf *conf)
{
	g_autofree char *text = options.version  ? g_strdup("ortoo-mcu " ORT_VERSION "\n")
				: options.sample ? ort_conf_sample(conf)
						 : mcu_proto_describe(options.describe);
	if (!text) {
		return refuse("--describe", "json or markdown");
	}
	return fputs(text, stdout) < 0 || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static gboolean on_signal(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_CONTINUE;
}

static void on_orphan(mcu_engine *e, void *loop)
{
	ort_log(ORT_LOG_NOTICE, "engine", "engine.orphan", "no gateway came: the engine ends");
	g_main_loop_quit(loop);
}

static int run(const ort_conf *conf)
{
	static const struct mcu_engine_ops ops = { .on_orphan = on_orphan };
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_autoptr(GError) err = NULL;
	mcu_harden(ort_conf_bool(conf, "engine.core"));
	mcu_engine *e = mcu_engine_new(NULL, conf, &ops, loop, &err);
	if (!e || (options.socket && !mcu_engine_listen(e, options.socket, &err))) {
		mcu_engine_free(e);
		refuse(err->message, NULL);
		return EXIT_FAILURE;
	}
	if (options.fd >= 0) {
		mcu_engine_serve(e, options.fd);
	}
	g_unix_signal_add(SIGTERM, on_signal, loop);
	g_unix_signal_add(SIGINT, on_signal, loop);
	ort_log(ORT_LOG_NOTICE, "engine", "engine.ready", "the engine serves", ORT_S("boot", mcu_engine_boot(e)),
		ORT_S("socket", options.socket));
	g_main_loop_run(loop);
	mcu_engine_free(e);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) err = NULL;
	g_autoptr(ort_conf) conf = ort_conf_new(mcu_engine_rows, mcu_engine_n_rows);
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &err)) {
		return refuse(err->message, NULL);
	}
	int bad = load(conf);
	if (bad || options.describe || options.sample || options.version) {
		return bad ? bad : print_and_end(conf);
	}
	return options.socket || options.fd >= 0 ? run(conf) : refuse("--socket PATH or --fd N is wanted", NULL);
}
