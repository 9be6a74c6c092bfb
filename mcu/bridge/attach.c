/* Channels: memory and bells of the three lanes, made here or taken over from a socket. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mcu/bridge/ring_priv.h"

/* Nobody may shrink it under the other's mapping (SIGBUS), grow it, or take these promises back. */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

struct mcu_channel {
	struct ring ring[MCU_LANE_N];
	int fds[MCU_CHANNEL_FDS];	/* what the other side gets; -1 = none */
};

static mcu_channel *blank(void)
{
	mcu_channel *c = calloc(1, sizeof(*c));
	for (int i = 0; c && i < MCU_CHANNEL_FDS; i++) {
		c->fds[i] = -1;
	}
	for (int i = 0; c && i < MCU_LANE_N; i++) {
		c->ring[i].bell = -1;
	}
	return c;
}

static void close_fd(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
	*fd = -1;
}

void mcu_channel_drop_fds(mcu_channel *c)
{
	for (int i = 0; i < MCU_CHANNEL_FDS; i++) {
		close_fd(&c->fds[i]);
	}
}

void mcu_channel_free(mcu_channel *c)
{
	for (int i = 0; c && i < MCU_LANE_N; i++) {
		struct ring *r = &c->ring[i];
		ring_close(r);
		if (r->shared) {
			(void)munmap(r->shared, r->size);
		}
		close_fd(&r->bell);
	}
	if (c) {
		mcu_channel_drop_fds(c);
	}
	free(c);
}

void mcu_channel_fds(const mcu_channel *c, int ret_fds[MCU_CHANNEL_FDS])
{
	for (int i = 0; i < MCU_CHANNEL_FDS; i++) {
		ret_fds[i] = c->fds[i];
	}
}

/* ---- making ---- */

static int map(struct ring *r, int fd, size_t size)
{
	struct ring_shared *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED) {
		return -errno;
	}
	int err = ring_open(r, shared, size);
	if (err < 0) {
		(void)munmap(shared, size);
	}
	return err;
}

static int make_memory(struct ring *r, uint64_t slots, int *ret_fd)
{
	size_t size = ring_size(slots);
	int fd = memfd_create("ortoo-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
		int err = -errno;
		close_fd(&fd);
		return err;
	}
	*ret_fd = fd;
	struct ring_shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED) {
		return -errno;
	}
	ring_format(shared, slots);
	(void)munmap(shared, sizeof(*shared));
	return map(r, fd, size);
}

static int make_bell(struct ring *r, int *ret_fd)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		return -errno;
	}
	r->bell = pair[0];
	*ret_fd = pair[1];
	return 0;
}

mcu_channel *mcu_channel_new(unsigned slots, int *ret_error)
{
	mcu_channel *c = blank();
	int err = c ? 0 : -ENOMEM;
	for (int i = 0; !err && i < MCU_LANE_N; i++) {
		err = make_memory(&c->ring[i], slots ? slots : RING_SLOTS, &c->fds[2 * i]);
		err = err ? err : make_bell(&c->ring[i], &c->fds[2 * i + 1]);
	}
	if (err) {
		mcu_channel_free(c);
		*ret_error = err;
		return NULL;
	}
	return c;
}

/* ---- taking over ---- */

static int attach_lane(struct ring *r, int memory)
{
	struct stat st;
	int seals = fcntl(memory, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS) {
		return -EPERM;
	}
	if (fstat(memory, &st) < 0) {
		return -errno;
	}
	if (st.st_size < (off_t)ring_size(2) || st.st_size > (off_t)ring_size(RING_SLOTS_MAX)) {
		return -EPROTO;
	}
	return map(r, memory, (size_t)st.st_size);
}

mcu_channel *mcu_channel_attach(const int fds[MCU_CHANNEL_FDS], int *ret_error)
{
	mcu_channel *c = blank();
	int err = c ? 0 : -ENOMEM;
	for (int i = 0; i < MCU_LANE_N; i++) {
		int memory = fds[2 * i], bell = fds[2 * i + 1];
		err = err ? err : attach_lane(&c->ring[i], memory);
		close_fd(&memory);	/* the mapping keeps it */
		if (c) {
			c->ring[i].bell = bell;
		} else {
			close_fd(&bell);
		}
	}
	if (err) {
		mcu_channel_free(c);
		*ret_error = err;
		return NULL;
	}
	return c;
}

/* ---- lanes ---- */

int mcu_lane_write(mcu_channel *c, enum mcu_lane lane, const uint8_t *packet, size_t len, int64_t at_us)
{
	return ring_write(&c->ring[lane], packet, len, at_us);
}

void mcu_lane_flush(mcu_channel *c, enum mcu_lane lane)
{
	ring_flush(&c->ring[lane]);
}

int mcu_lane_read(mcu_channel *c, enum mcu_lane lane, uint8_t *packet, int64_t *ret_at_us)
{
	return ring_read(&c->ring[lane], packet, ret_at_us);
}

int mcu_lane_fd(const mcu_channel *c, enum mcu_lane lane)
{
	return c->ring[lane].bell;
}

bool mcu_lane_sleep(mcu_channel *c, enum mcu_lane lane)
{
	return ring_sleep(&c->ring[lane]);
}

void mcu_lane_stats(const mcu_channel *c, enum mcu_lane lane, struct mcu_lane_stats *ret)
{
	*ret = c->ring[lane].stats;
}
