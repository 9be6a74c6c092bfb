/* ortoo-gateway: options, signals, one loop. Everything else is gateway/app. */
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "gateway/app/app.h"
#include "mcu/base/log.h"

struct args {
	char *state, *config, *listen, *announce, *cert, *key, *root, *engine, *verify, **set;
	gboolean demo, sample, manual, openapi, version;
};

static void fail(const char *why)
{
	fprintf(stderr, "ortoo-gateway: %s\n", why);
}

static int print_and_free(char *text)
{
	fputs(text, stdout);
	g_free(text);
	return 0;
}

static bool set_all(ort_conf *conf, const struct args *a, char **ret_why)
{
	const char *const rows[][2] = { { "web.announce", a->announce }, { "web.cert", a->cert }, { "web.key", a->key },
					{ "web.root", a->root } };
	if (a->config != NULL && ort_conf_load(conf, a->config, ret_why) < 0) {
		return false;
	}
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (rows[n][1] != NULL && ort_conf_set(conf, rows[n][0], rows[n][1], ret_why) < 0) {
			return false;
		}
	}
	if (a->listen != NULL) {
		char *colon = strrchr(a->listen, ':');
		g_autofree char *host = colon != NULL ? g_strndup(a->listen, (gsize)(colon - a->listen)) : g_strdup("");
		if (host[0] == '[' && g_str_has_suffix(host, "]")) {	/* [::1]:8443 */
			memmove(host, host + 1, strlen(host));
			host[strlen(host) - 1] = '\0';
		}
		if (ort_conf_set(conf, "web.listen", host, ret_why) < 0 ||
		    ort_conf_set(conf, "web.port", colon != NULL ? colon + 1 : a->listen, ret_why) < 0) {
			return false;
		}
	}
	for (char **s = a->set; s != NULL && *s != NULL; s++) {
		g_auto(GStrv) pair = g_strsplit(*s, "=", 2);
		if (pair[0] == NULL || pair[1] == NULL || ort_conf_set(conf, pair[0], pair[1], ret_why) < 0) {
			*ret_why = *ret_why != NULL ? *ret_why : g_strdup("--set wants key=value");
			return false;
		}
	}
	return true;
}

static gboolean on_signal(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_CONTINUE;
}

static gboolean on_reload(gpointer app)
{
	gw_app_reload(app);
	return G_SOURCE_CONTINUE;
}

static int run(const struct gw_app_options *options)
{
	g_autofree char *why = NULL;
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	signal(SIGPIPE, SIG_IGN);
	g_unix_signal_add(SIGINT, on_signal, loop);
	g_unix_signal_add(SIGTERM, on_signal, loop);
	gw_app *app = gw_app_start(options, &why);
	if (app == NULL) {
		fail(why);
		return 1;
	}
	g_unix_signal_add(SIGHUP, on_reload, app);
	g_main_loop_run(loop);
	gw_app_stop(app, true);
	return 0;
}

int main(int argc, char **argv)
{
	static struct args a;	/* lives as long as the process, and so do its strings */
	const GOptionEntry entries[] = {
		{ "state", 0, 0, G_OPTION_ARG_FILENAME, &a.state, "state folder (database, engine socket)", "DIR" },
		{ "config", 0, 0, G_OPTION_ARG_FILENAME, &a.config, "YAML file; FILE.d/*.yaml is read as well", "FILE" },
		{ "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &a.set, "one option", "KEY=VALUE" },
		{ "listen", 0, 0, G_OPTION_ARG_STRING, &a.listen, "address and port", "ADDR:PORT" },
		{ "announce", 0, 0, G_OPTION_ARG_STRING, &a.announce, "names of this node, comma separated", "ADDR,..." },
		{ "tls-cert", 0, 0, G_OPTION_ARG_FILENAME, &a.cert, "certificate chain, PEM", "FILE" },
		{ "tls-key", 0, 0, G_OPTION_ARG_FILENAME, &a.key, "private key, PEM", "FILE" },
		{ "web-root", 0, 0, G_OPTION_ARG_FILENAME, &a.root, "folder of the pages", "DIR" },
		{ "engine", 0, 0, G_OPTION_ARG_FILENAME, &a.engine, "path of ortoo-mcu", "PATH" },
		{ "demo", 0, 0, G_OPTION_ARG_NONE, &a.demo, "open a drill incident with two synthetic phones", NULL },
		{ "verify-log", 0, 0, G_OPTION_ARG_FILENAME, &a.verify, "check the hash chain and exit", "DIR|FILE" },
		{ "sample-config", 0, 0, G_OPTION_ARG_NONE, &a.sample, "print all options as YAML", NULL },
		{ "manual", 0, 0, G_OPTION_ARG_NONE, &a.manual, "print all options as Markdown", NULL },
		{ "openapi", 0, 0, G_OPTION_ARG_NONE, &a.openapi, "print the API as OpenAPI 3.1", NULL },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &a.version, "print the version", NULL },
		{ NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL },
	};
	g_autoptr(GError) err = NULL;
	g_autofree char *why = NULL;
	g_autoptr(GOptionContext) context = g_option_context_new("- signalling, rules, API and pages of Ortoo");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &err)) {
		fail(err->message);
		return 2;
	}
	if (argc > 1) {
		fprintf(stderr, "ortoo-gateway: what is %s? (--help explains)\n", argv[1]);
		return 2;
	}
	g_autoptr(ort_conf) conf = ort_conf_new(gw_app_rows, gw_app_n_rows);
	if (a.version) {
		return print_and_free(g_strdup("ortoo-gateway " ORT_VERSION "\n"));
	}
	if (a.sample || a.manual) {
		return print_and_free(a.sample ? ort_conf_sample(conf) : ort_conf_manual(conf));
	}
	if (a.openapi) {
		return print_and_free(gw_app_openapi());
	}
	if (a.verify != NULL) {
		return gw_app_verify_log(a.verify);
	}
	if (!set_all(conf, &a, &why) || ort_log_init("ortoo-gateway", ort_conf_str(conf, "log.level")) < 0) {
		fail(why != NULL ? why : "log.level: \"info\" or \"info,web=debug\" is wanted");
		return 2;
	}
	return run(&(struct gw_app_options){ .conf = conf, .state = a.state != NULL ? a.state : "/var/lib/ortoo", .engine = a.engine,
					     .demo = a.demo });
}
