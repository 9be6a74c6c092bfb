#include "gateway/media/spawn_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ENGINE_NAME "ortoo-mcu"
#define ORPHAN	    "engine.orphan=10m"	/* so that a gateway that is gone for good leaves no process behind */

/* Installed beside us, or in a build folder, where each program lies in the folder of its source. */
static const char *const places[] = { ENGINE_NAME, "../mcu/engine/" ENGINE_NAME, "../../mcu/engine/" ENGINE_NAME };

static char *find_engine(const char *configured)
{
	if (configured) {
		return g_strdup(configured);
	}
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *dir = self ? g_path_get_dirname(self) : g_strdup(".");
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *path = g_build_filename(dir, places[i], NULL);
		if (access(path, X_OK) == 0) {
			return g_steal_pointer(&path);
		}
	}
	return g_strdup(ENGINE_NAME);
}

static char **engine_argv(const struct gw_media_conf *conf)
{
	g_autoptr(GStrvBuilder) argv = g_strv_builder_new();
	g_autofree char *program = find_engine(conf->engine);
	g_strv_builder_add(argv, program);
	g_strv_builder_add(argv, "--socket");
	g_strv_builder_add(argv, conf->socket);
	g_strv_builder_add(argv, "--set");
	g_strv_builder_add(argv, ORPHAN);
	for (size_t i = 0; conf->args && conf->args[i]; i++) {
		g_strv_builder_add(argv, conf->args[i]);
	}
	return g_strv_builder_end(argv);
}

int gw_spawn_engine(const struct gw_media_conf *conf, pid_t *ret_pid)
{
	g_auto(GStrv) argv = engine_argv(conf);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	int err = posix_spawnp(ret_pid, argv[0], &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -err;
}

int gw_spawn_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	if (g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path)) >= sizeof(addr.sun_path)) {
		return -ENAMETOOLONG;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int err = errno;
		close(fd);
		return -err;
	}
	return fd;
}

pid_t gw_spawn_peer(int fd)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 ? cred.pid : 0;
}
