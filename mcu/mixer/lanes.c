/* The bridge thread: waits for any of the channels and hands their packets to the mixes. The list is its own; the control
 * thread changes it by messages, and waits for the answer only when a channel goes. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/loop.h"
#include "mcu/mixer/mixer_priv.h"

enum { EVENTS = 64, BATCH = 256 };

struct lane { uint64_t key; mcu_channel *channel; mcu_mix *mix; bool awake; };

struct mixer_lanes {
	/* fixed before the thread starts */
	pthread_t thread;
	ort_mailbox *box;
	int epoll;
	int gone;		/* eventfd: a channel was let go */
	/* bridge thread */
	GArray *lanes;		/* struct lane */
	bool quit;
	/* control thread */
	uint64_t last_key;
	/* both */
	_Atomic int64_t turned_us;
};

static void mark(mixer_lanes *l, uint64_t key)
{
	for (guint i = 0; i < l->lanes->len; i++) {
		struct lane *lane = &g_array_index(l->lanes, struct lane, i);
		lane->awake |= lane->key == key;
	}
}

/* true: more is there. */
static bool read_lane(mixer_lanes *l, struct lane *lane)
{
	uint8_t packet[MCU_LANE_PACKET];
	int64_t at_us;
	for (unsigned n = 0; lane->awake && n < BATCH; n++) {
		int len = mcu_lane_read(lane->channel, MCU_LANE_IN, packet, &at_us);
		if (len > 0) {
			mcu_mix_packet(lane->mix, packet, (size_t)len, at_us);
		} else if (len == 0) {
			lane->awake = !mcu_lane_sleep(lane->channel, MCU_LANE_IN);
		} else {	/* the engine let go of it: mix.close follows */
			(void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, mcu_lane_fd(lane->channel, MCU_LANE_IN), NULL);
			lane->awake = false;
		}
	}
	return lane->awake;
}

static bool turn(mixer_lanes *l, const struct epoll_event *events, int n)
{
	bool more = false;
	for (int i = 0; i < n; i++) {
		mark(l, events[i].data.u64);
	}
	for (guint i = 0; i < l->lanes->len; i++) {
		more |= read_lane(l, &g_array_index(l->lanes, struct lane, i));
	}
	return more;
}

static void *run(void *data)
{
	mixer_lanes *l = data;
	struct epoll_event events[EVENTS];
	bool more = false;
	(void)pthread_setname_np(pthread_self(), "bridge");
	while (!l->quit) {
		int n = epoll_wait(l->epoll, events, EVENTS, more ? 0 : -1);
		(void)ort_mailbox_drain(l->box);
		more = turn(l, events, MAX(n, 0));
		atomic_store(&l->turned_us, ort_now_us());
	}
	return NULL;
}

static void watch(mixer_lanes *l, int fd, uint64_t key)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = key };
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		g_error("epoll_ctl: %s", g_strerror(errno));
	}
}

/* ---- messages ---- */

struct lane_msg { struct ort_msg msg; struct lane lane; };

static void do_add(struct ort_msg *msg, void *owner)
{
	mixer_lanes *l = owner;
	const struct lane *lane = &((struct lane_msg *)msg)->lane;
	g_array_append_vals(l->lanes, lane, 1);
	watch(l, mcu_lane_fd(lane->channel, MCU_LANE_IN), lane->key);
	g_free(msg);
}

static void do_remove(struct ort_msg *msg, void *owner)
{
	mixer_lanes *l = owner;
	uint64_t key = ((struct lane_msg *)msg)->lane.key;
	for (guint i = 0; i < l->lanes->len; i++) {
		const struct lane *lane = &g_array_index(l->lanes, struct lane, i);
		if (lane->key == key) {
			(void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, mcu_lane_fd(lane->channel, MCU_LANE_IN), NULL);
			g_array_remove_index_fast(l->lanes, i);
			break;
		}
	}
	(void)eventfd_write(l->gone, 1);
	g_free(msg);
}

static void do_quit(struct ort_msg *msg, void *owner)
{
	((mixer_lanes *)owner)->quit = true;
	g_free(msg);
}

static void do_nothing(struct ort_msg *msg, void *owner)
{
	g_free(msg);
}

static void post(mixer_lanes *l, void (*run_msg)(struct ort_msg *msg, void *owner), const struct lane *lane)
{
	struct lane_msg *m = g_new0(struct lane_msg, 1);
	m->msg.run = run_msg;
	m->lane = *lane;
	ort_mailbox_post(l->box, &m->msg);
}

/* ---- face ---- */

mixer_lanes *mixer_lanes_start(void)
{
	mixer_lanes *l = g_new0(mixer_lanes, 1);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->gone = eventfd(0, EFD_CLOEXEC);
	l->lanes = g_array_new(FALSE, FALSE, sizeof(struct lane));
	l->box = ort_mailbox_new(l);
	watch(l, ort_mailbox_fd(l->box), 0);
	int err = pthread_create(&l->thread, NULL, run, l);
	if (err) {
		g_error("pthread_create: %s", g_strerror(err));
	}
	return l;
}

void mixer_lanes_stop(mixer_lanes *l)
{
	post(l, do_quit, &(struct lane){ 0 });
	(void)pthread_join(l->thread, NULL);
	ort_mailbox_free(l->box);
	g_array_unref(l->lanes);
	close(l->epoll);
	close(l->gone);
	g_free(l);
}

uint64_t mixer_lanes_add(mixer_lanes *l, mcu_channel *channel, mcu_mix *mix)
{
	post(l, do_add, &(struct lane){ ++l->last_key, channel, mix, true });
	return l->last_key;
}

void mixer_lanes_remove(mixer_lanes *l, uint64_t key)
{
	eventfd_t n;
	post(l, do_remove, &(struct lane){ .key = key });
	(void)eventfd_read(l->gone, &n);	/* microseconds: the thread never waits for anything but packets */
}

int64_t mixer_lanes_turned_us(mixer_lanes *l)
{
	post(l, do_nothing, &(struct lane){ 0 });
	return atomic_load(&l->turned_us);
}
