/* The Unix socket: only our own user and root come in. */
#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mcu/base/log.h"
#include "mcu/engine/engine_priv.h"

static bool peer_allowed(int fd, uid_t *ret_uid)
{
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(cred);
	bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0;
	*ret_uid = cred.uid;
	return known && (cred.uid == 0 || cred.uid == geteuid());
}

static gboolean on_connection(gint listener, GIOCondition condition, gpointer user_data)
{
	mcu_engine *e = user_data;
	uid_t uid;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		return G_SOURCE_CONTINUE;	/* gone again, or out of descriptors: the backlog waits */
	}
	if (!peer_allowed(fd, &uid) || e->conns->len >= CONNECTIONS_MAX) {
		e->counters.connections_refused++;
		ort_log(ORT_LOG_WARNING, "engine", "control.refused", "control connection refused", ORT_I("uid", uid),
			ORT_I("connections", e->conns->len));
		close(fd);
		return G_SOURCE_CONTINUE;
	}
	mcu_control_take(e, fd);
	return G_SOURCE_CONTINUE;
}

/* false: somebody answers there. A socket that nobody listens on is what a killed engine leaves. */
static bool clear_path(const struct sockaddr_un *addr)
{
	struct stat st;
	if (lstat(addr->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		return true;	/* bind() will say what is wrong with another kind of file */
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool dead = fd >= 0 && connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 && errno == ECONNREFUSED;
	if (fd >= 0) {
		close(fd);
	}
	return dead && unlink(addr->sun_path) == 0;
}

static int bind_path(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -errno;
	}
	/* The mode must be right before anybody can connect; threads of ours create no files. */
	mode_t before = umask(0177);
	int err = bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? errno : 0;
	(void)umask(before);
	if (!err && listen(fd, CONNECTIONS_MAX) < 0) {
		err = errno;
	}
	if (err) {
		close(fd);
		return -err;
	}
	return fd;
}

bool mcu_engine_listen(mcu_engine *e, const char *path, GError **err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	ort_owner_assert(&e->owner);
	g_assert(e->listener < 0);
	if (g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path)) >= sizeof(addr.sun_path)) {
		g_set_error(err, MCU_ERROR, MCU_ERROR_INVALID, "%s: longer than %zu bytes", path, sizeof(addr.sun_path) - 1);
		return false;
	}
	if (!clear_path(&addr)) {
		g_set_error(err, MCU_ERROR, MCU_ERROR_CONFLICT, "%s: another engine answers there", path);
		return false;
	}
	int fd = bind_path(&addr);
	if (fd < 0) {
		g_set_error(err, MCU_ERROR, MCU_ERROR_STATE, "%s: %s", path, g_strerror(-fd));
		return false;
	}
	e->listener = fd;
	e->path = g_strdup(path);
	e->listen_source = g_unix_fd_source_new(fd, G_IO_IN);
	g_source_set_callback(e->listen_source, G_SOURCE_FUNC(on_connection), e, NULL);
	g_source_attach(e->listen_source, e->context);
	return true;
}

void mcu_listen_stop(mcu_engine *e)
{
	if (e->listener < 0) {
		return;
	}
	g_source_destroy(e->listen_source);
	g_source_unref(e->listen_source);
	close(e->listener);
	(void)unlink(e->path);	/* a new engine clears it too */
	g_clear_pointer(&e->path, g_free);
	e->listener = -1;
}
