#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/mixer/mixer_priv.h"

struct mixer_hand { int fd; };

mixer_hand *mixer_hand_new(int fd)
{
	mixer_hand *h = g_new0(mixer_hand, 1);
	h->fd = fd;
	return h;
}

void mixer_hand_free(mixer_hand *h)
{
	close(h->fd);
	g_free(h);
}

static void close_each(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		close(fds[i]);
	}
}

/* One message; false: none is there. */
static bool next(const mixer_hand *h, uint32_t *ret_serial, int ret_fds[MCU_CHANNEL_FDS], size_t *ret_n)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int) * MCU_CHANNEL_FDS)]; } control;
	struct iovec iov = { ret_serial, sizeof(*ret_serial) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room) };
	*ret_serial = 0;
	*ret_n = 0;
	if (recvmsg(h->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0) {
		return false;
	}
	const struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		*ret_n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(ret_fds, CMSG_DATA(c), *ret_n * sizeof(int));
	}
	return true;
}

/* Descriptors are sent before the command that names them; what no command named was of one that was lost. */
bool mixer_hand_take(mixer_hand *h, uint32_t serial, int ret_fds[MCU_CHANNEL_FDS])
{
	uint32_t got;
	size_t n;
	while (next(h, &got, ret_fds, &n)) {
		if (got == serial && n == MCU_CHANNEL_FDS) {
			return true;
		}
		close_each(ret_fds, n);
	}
	return false;
}
