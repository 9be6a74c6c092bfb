/* Plaintext RTP between the engine and its codec worker: rings in shared memory, one writer and one reader each, no locks,
 * no system call while the reader is awake. A channel is the three rings of one mix:
 *   IN     engine (media thread) -> codec worker (bridge thread)	what the mix's sinks send
 *   AUDIO  codec worker (sound thread) -> engine (media thread)
 *   VIDEO  codec worker (home thread of the mix) -> engine (media thread)
 * The memory (memfd) is made by the engine, sealed against any change of size, and handed over by SCM_RIGHTS. Everything
 * read from it is foreign: the other side may be taken over, so lengths and positions are checked each time and a broken ring
 * is closed, never followed. Rings that are full drop the new packet and count it.
 *
 * A sleeping reader is woken by a byte through a socketpair, not by an eventfd: the two sides of an eventfd share one open
 * file, and whoever clears its O_NONBLOCK hangs the other.
 *
 * Owner: whoever made or attached the channel; each end of a ring belongs to one thread. Errors are -errno. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mcu_lane { MCU_LANE_IN, MCU_LANE_AUDIO, MCU_LANE_VIDEO, MCU_LANE_N };

typedef struct mcu_channel mcu_channel;
#define MCU_CHANNEL_FDS (2 * MCU_LANE_N)	/* memory and bell of each lane, in the order of the enum */
#define MCU_LANE_PACKET 1500			/* longest packet */

/* slots: packets a ring holds, a power of two from 2 to 65,536; 0 = 2,048 (3.1 MB a ring, taken as it is filled). The maker
 * writes IN and reads the others. NULL: *ret_error is -errno. */
mcu_channel *mcu_channel_new(unsigned slots, int *ret_error);
/* The other side: maps what came over the socket; takes the descriptors, also on error. */
mcu_channel *mcu_channel_attach(const int fds[MCU_CHANNEL_FDS], int *ret_error);
void mcu_channel_fds(const mcu_channel *c, int ret_fds[MCU_CHANNEL_FDS]);	/* for the other side; borrowed, -1 once dropped */
void mcu_channel_drop_fds(mcu_channel *c);	/* they were handed over */
void mcu_channel_free(mcu_channel *c);	/* NULL allowed; the other side sees `closed` */

/* 0; -ENOSPC (full, counted), -EMSGSIZE (over 1,500 bytes or none), -EPIPE (closed or broken). at_us: time of arrival. */
int mcu_lane_write(mcu_channel *c, enum mcu_lane lane, const uint8_t *packet, size_t len, int64_t at_us);
void mcu_lane_flush(mcu_channel *c, enum mcu_lane lane);	/* wakes a sleeping reader; once after a batch of writes */
/* Length of the next packet, copied to `packet` (room for 1,500 bytes); 0 = empty, -EPIPE. */
int mcu_lane_read(mcu_channel *c, enum mcu_lane lane, uint8_t *packet, int64_t *ret_at_us);
int mcu_lane_fd(const mcu_channel *c, enum mcu_lane lane);	/* readable when something came while the reader slept */
/* Before the reader sleeps: true = nothing is there, the writer will wake it; false = read on. */
bool mcu_lane_sleep(mcu_channel *c, enum mcu_lane lane);

struct mcu_lane_stats { uint64_t written, read, full, broken; };
void mcu_lane_stats(const mcu_channel *c, enum mcu_lane lane, struct mcu_lane_stats *ret);	/* this side's; its own thread */
