/* Rings between two sides, the other of which may lie. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/bridge/ring_priv.h"

struct bed { mcu_channel *engine, *worker; };

static void hand_over(const mcu_channel *from, int fds[MCU_CHANNEL_FDS])
{
	mcu_channel_fds(from, fds);
	for (int i = 0; i < MCU_CHANNEL_FDS; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		g_assert_cmpint(fds[i], >=, 0);
	}
}

static void setup(struct bed *b, gconstpointer slots)
{
	int fds[MCU_CHANNEL_FDS], err = 0;
	b->engine = mcu_channel_new(GPOINTER_TO_UINT(slots), &err);
	g_assert_nonnull(b->engine);
	hand_over(b->engine, fds);
	b->worker = mcu_channel_attach(fds, &err);
	g_assert_nonnull(b->worker);
}

static void teardown(struct bed *b, gconstpointer slots)
{
	mcu_channel_free(b->engine);
	mcu_channel_free(b->worker);
}

static int put(mcu_channel *c, enum mcu_lane lane, const char *text)
{
	return mcu_lane_write(c, lane, (const uint8_t *)text, strlen(text), (int64_t)strlen(text) * 1000);
}

static void expect(mcu_channel *c, enum mcu_lane lane, const char *text)
{
	uint8_t packet[MCU_LANE_PACKET];
	int64_t at = 0;
	int len = mcu_lane_read(c, lane, packet, &at);
	if (!text) {
		g_assert_cmpint(len, ==, 0);
		return;
	}
	g_assert_cmpmem(packet, len, text, strlen(text));
	g_assert_cmpint(at, ==, (int64_t)strlen(text) * 1000);
}

static bool rings(const mcu_channel *c, enum mcu_lane lane)
{
	struct pollfd fd = { .fd = mcu_lane_fd(c, lane), .events = POLLIN };
	return poll(&fd, 1, 0) == 1;
}

/* The mapping that a hostile other side would have. */
static struct ring_shared *steal(const mcu_channel *c, enum mcu_lane lane, size_t slots)
{
	int fds[MCU_CHANNEL_FDS];
	mcu_channel_fds(c, fds);
	void *at = mmap(NULL, ring_size(slots), PROT_READ | PROT_WRITE, MAP_SHARED, fds[2 * lane], 0);
	g_assert_true(at != MAP_FAILED);
	return at;
}

/* ---- honest ---- */

static void packets_pass_in_order(struct bed *b, gconstpointer slots)
{
	expect(b->worker, MCU_LANE_IN, NULL);
	g_assert_cmpint(put(b->engine, MCU_LANE_IN, "one"), ==, 0);
	g_assert_cmpint(put(b->engine, MCU_LANE_IN, "three"), ==, 0);
	g_assert_cmpint(put(b->worker, MCU_LANE_AUDIO, "sound"), ==, 0);
	g_assert_cmpint(put(b->worker, MCU_LANE_VIDEO, "picture"), ==, 0);
	expect(b->worker, MCU_LANE_IN, "one");
	expect(b->worker, MCU_LANE_IN, "three");
	expect(b->worker, MCU_LANE_IN, NULL);
	expect(b->engine, MCU_LANE_AUDIO, "sound");
	expect(b->engine, MCU_LANE_VIDEO, "picture");
	expect(b->engine, MCU_LANE_VIDEO, NULL);
}

static void full_ring_drops_and_counts(struct bed *b, gconstpointer slots)
{
	struct mcu_lane_stats st;
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < GPOINTER_TO_UINT(slots); i++) {
			g_assert_cmpint(put(b->engine, MCU_LANE_IN, "x"), ==, 0);
		}
		g_assert_cmpint(put(b->engine, MCU_LANE_IN, "y"), ==, -ENOSPC);
		expect(b->worker, MCU_LANE_IN, "x");
		g_assert_cmpint(put(b->engine, MCU_LANE_IN, "last"), ==, 0);
		for (unsigned i = 1; i < GPOINTER_TO_UINT(slots); i++) {
			expect(b->worker, MCU_LANE_IN, "x");
		}
		expect(b->worker, MCU_LANE_IN, "last");
		expect(b->worker, MCU_LANE_IN, NULL);
	}
	mcu_lane_stats(b->engine, MCU_LANE_IN, &st);
	g_assert_cmpuint(st.full, ==, 5);
	g_assert_cmpuint(st.written, ==, 5 * (GPOINTER_TO_UINT(slots) + 1));
	mcu_lane_stats(b->worker, MCU_LANE_IN, &st);
	g_assert_cmpuint(st.read, ==, 5 * (GPOINTER_TO_UINT(slots) + 1));
}

static void length_is_bounded(struct bed *b, gconstpointer slots)
{
	uint8_t packet[MCU_LANE_PACKET + 1];
	int64_t at;
	memset(packet, 7, sizeof(packet));
	g_assert_cmpint(mcu_lane_write(b->engine, MCU_LANE_IN, packet, MCU_LANE_PACKET + 1, 1), ==, -EMSGSIZE);
	g_assert_cmpint(mcu_lane_write(b->engine, MCU_LANE_IN, packet, 0, 1), ==, -EMSGSIZE);
	g_assert_cmpint(mcu_lane_write(b->engine, MCU_LANE_IN, packet, MCU_LANE_PACKET, 1), ==, 0);
	g_assert_cmpint(mcu_lane_read(b->worker, MCU_LANE_IN, packet, &at), ==, MCU_LANE_PACKET);
}

static void sleeper_is_woken_once(struct bed *b, gconstpointer slots)
{
	g_assert_cmpint(put(b->engine, MCU_LANE_IN, "a"), ==, 0);
	mcu_lane_flush(b->engine, MCU_LANE_IN);
	g_assert_false(rings(b->worker, MCU_LANE_IN));	/* nobody slept */
	g_assert_false(mcu_lane_sleep(b->worker, MCU_LANE_IN));
	expect(b->worker, MCU_LANE_IN, "a");
	g_assert_true(mcu_lane_sleep(b->worker, MCU_LANE_IN));
	mcu_lane_flush(b->engine, MCU_LANE_IN);	/* harmless: it wakes for nothing */
	g_assert_true(mcu_lane_sleep(b->worker, MCU_LANE_IN));
	g_assert_false(rings(b->worker, MCU_LANE_IN));
	g_assert_cmpint(put(b->engine, MCU_LANE_IN, "b"), ==, 0);
	g_assert_false(rings(b->worker, MCU_LANE_IN));
	mcu_lane_flush(b->engine, MCU_LANE_IN);
	mcu_lane_flush(b->engine, MCU_LANE_IN);
	g_assert_true(rings(b->worker, MCU_LANE_IN));
	expect(b->worker, MCU_LANE_IN, "b");
	g_assert_true(rings(b->worker, MCU_LANE_IN));	/* until it sleeps again: an unfinished batch is not forgotten */
	g_assert_true(mcu_lane_sleep(b->worker, MCU_LANE_IN));
	g_assert_false(rings(b->worker, MCU_LANE_IN));
}

static void closing_wakes_and_ends(struct bed *b, gconstpointer slots)
{
	uint8_t packet[MCU_LANE_PACKET];
	int64_t at;
	g_assert_true(mcu_lane_sleep(b->worker, MCU_LANE_IN));
	g_assert_cmpint(put(b->engine, MCU_LANE_IN, "rest"), ==, 0);
	g_clear_pointer(&b->engine, mcu_channel_free);
	g_assert_true(rings(b->worker, MCU_LANE_IN));
	expect(b->worker, MCU_LANE_IN, "rest");	/* what was there before */
	g_assert_false(mcu_lane_sleep(b->worker, MCU_LANE_IN));
	g_assert_cmpint(mcu_lane_read(b->worker, MCU_LANE_IN, packet, &at), ==, -EPIPE);
	g_assert_cmpint(put(b->worker, MCU_LANE_AUDIO, "x"), ==, -EPIPE);
}

/* ---- hostile ---- */

static void hostile_writer_is_cut_off(struct bed *b, gconstpointer slots)
{
	static const struct { uint64_t head; uint32_t len; } rows[] = {
		{ 1, 0 }, { 1, MCU_LANE_PACKET + 1 }, { 1, UINT32_MAX }, { 9, 1 }, { UINT64_MAX, 1 }, { (uint64_t)1 << 32, 1 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct bed lie;
		struct mcu_lane_stats st;
		uint8_t packet[MCU_LANE_PACKET];
		int64_t at;
		setup(&lie, GUINT_TO_POINTER(8));
		struct ring_shared *shared = steal(lie.engine, MCU_LANE_VIDEO, 8);
		atomic_store(&shared->slot[0].len, rows[i].len);
		atomic_store(&shared->head, rows[i].head);
		g_assert_cmpint(mcu_lane_read(lie.engine, MCU_LANE_VIDEO, packet, &at), ==, -EPIPE);
		atomic_store(&shared->head, 0);	/* it stays so, whatever it says now */
		atomic_store(&shared->closed, 0);
		g_assert_cmpint(mcu_lane_read(lie.engine, MCU_LANE_VIDEO, packet, &at), ==, -EPIPE);
		g_assert_false(mcu_lane_sleep(lie.engine, MCU_LANE_VIDEO));
		mcu_lane_stats(lie.engine, MCU_LANE_VIDEO, &st);
		g_assert_cmpuint(st.broken, ==, 1);
		munmap(shared, ring_size(8));
		teardown(&lie, NULL);
	}
}

static void hostile_reader_is_cut_off(struct bed *b, gconstpointer slots)
{
	struct ring_shared *shared = steal(b->engine, MCU_LANE_IN, 8);
	for (unsigned i = 0; i < 8; i++) {
		g_assert_cmpint(put(b->engine, MCU_LANE_IN, "x"), ==, 0);
	}
	atomic_store(&shared->tail, 9);	/* read what was never written */
	g_assert_cmpint(put(b->engine, MCU_LANE_IN, "x"), ==, -EPIPE);
	atomic_store(&shared->tail, 8);
	atomic_store(&shared->closed, 0);
	g_assert_cmpint(put(b->engine, MCU_LANE_IN, "x"), ==, -EPIPE);
	munmap(shared, ring_size(8));
}

static void header_of_the_other_is_not_believed(struct bed *b, gconstpointer slots)
{
	struct ring_shared *shared = steal(b->engine, MCU_LANE_IN, 8);
	shared->slots = 65536;	/* after the mapping: our own copy counts */
	shared->magic = 0;
	for (unsigned i = 0; i < 100; i++) {
		g_assert_cmpint(put(b->engine, MCU_LANE_IN, "x"), ==, 0);
		expect(b->worker, MCU_LANE_IN, "x");
	}
	munmap(shared, ring_size(8));
}

/* ---- what is not a ring ---- */

static int memory(size_t size, int seals, uint64_t magic, uint64_t slots)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint64_t head[2] = { magic, slots };
	g_assert_cmpint(ftruncate(fd, (off_t)size), ==, 0);
	g_assert_cmpint(pwrite(fd, head, size < sizeof(head) ? size : sizeof(head), 0), >=, 0);
	g_assert_cmpint(fcntl(fd, F_ADD_SEALS, seals), ==, 0);
	return fd;
}

static void other_memory_is_refused(void)
{
	const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	const struct { size_t size; int seals; uint64_t magic, slots; int err; } rows[] = {
		{ ring_size(8), F_SEAL_SHRINK | F_SEAL_SEAL, RING_MAGIC, 8, -EPERM },
		{ ring_size(8), F_SEAL_GROW | F_SEAL_SEAL, RING_MAGIC, 8, -EPERM },
		{ ring_size(8), all, RING_MAGIC + 1, 8, -EPROTO },
		{ ring_size(8), all, RING_MAGIC, 16, -EPROTO },
		{ ring_size(8), all, RING_MAGIC, 0, -EPROTO },
		{ ring_size(7), all, RING_MAGIC, 7, -EPROTO },
		{ ring_size(8), all, RING_MAGIC, UINT64_MAX, -EPROTO },
		{ 0, all, RING_MAGIC, 8, -EPROTO },
		{ 8, all, RING_MAGIC, 8, -EPROTO },
		{ ring_size(RING_SLOTS_MAX) * 2, all, RING_MAGIC, RING_SLOTS_MAX * 2, -EPROTO },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		int fds[MCU_CHANNEL_FDS], pair[2], err = 0;
		g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
		for (int k = 0; k < MCU_LANE_N; k++) {
			fds[2 * k] = memory(rows[i].size, rows[i].seals, rows[i].magic, rows[i].slots);
			fds[2 * k + 1] = dup(pair[0]);
		}
		g_assert_null(mcu_channel_attach(fds, &err));
		g_assert_cmpint(err, ==, rows[i].err);
		for (int k = 0; k < MCU_CHANNEL_FDS; k++) {
			g_assert_cmpint(fcntl(fds[k], F_GETFD), ==, -1);	/* taken, also on error */
		}
		close(pair[0]);
		close(pair[1]);
	}
}

static void foreign_descriptors_are_refused(void)
{
	int fds[MCU_CHANNEL_FDS], err = 0;
	for (int i = 0; i < MCU_CHANNEL_FDS; i++) {
		fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	}
	g_assert_null(mcu_channel_attach(fds, &err));
	g_assert_cmpint(err, ==, -EPERM);
	g_assert_null(mcu_channel_new(3, &err));
	g_assert_cmpint(err, ==, -EPROTO);
}

/* ---- two threads: made for -Db_sanitize=thread ---- */

enum { MANY = 100000 };

static void *write_many(void *data)
{
	mcu_channel *c = data;
	for (uint32_t i = 0; i < MANY;) {
		uint32_t packet[2] = { i, ~i };
		if (mcu_lane_write(c, MCU_LANE_VIDEO, (const uint8_t *)packet, sizeof(packet), i) == 0) {
			i++;
		}
		if (i % 7 == 0 || i == MANY) {
			mcu_lane_flush(c, MCU_LANE_VIDEO);
		}
	}
	return NULL;
}

static void two_threads_lose_nothing(struct bed *b, gconstpointer slots)
{
	GThread *writer = g_thread_new("writer", write_many, b->worker);
	union { uint8_t bytes[MCU_LANE_PACKET]; uint32_t words[2]; } packet;
	int64_t at;
	for (uint32_t next = 0; next < MANY;) {
		int len = mcu_lane_read(b->engine, MCU_LANE_VIDEO, packet.bytes, &at);
		if (len == 0 && mcu_lane_sleep(b->engine, MCU_LANE_VIDEO)) {
			struct pollfd fd = { .fd = mcu_lane_fd(b->engine, MCU_LANE_VIDEO), .events = POLLIN };
			g_assert_cmpint(poll(&fd, 1, -1), ==, 1);	/* a lost wake-up hangs here */
		} else if (len > 0) {
			g_assert_cmpuint(packet.words[0], ==, next);
			g_assert_cmpuint(packet.words[1], ==, ~next);
			g_assert_cmpint(at, ==, next);
			next++;
		}
	}
	g_thread_join(writer);
}

#define TEST(name, slots) g_test_add("/bridge/" #name, struct bed, GUINT_TO_POINTER(slots), setup, name, teardown)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TEST(packets_pass_in_order, 0);
	TEST(full_ring_drops_and_counts, 8);
	TEST(length_is_bounded, 8);
	TEST(sleeper_is_woken_once, 8);
	TEST(closing_wakes_and_ends, 8);
	TEST(hostile_writer_is_cut_off, 8);
	TEST(hostile_reader_is_cut_off, 8);
	TEST(header_of_the_other_is_not_believed, 8);
	TEST(two_threads_lose_nothing, 16);
	g_test_add_func("/bridge/other_memory_is_refused", other_memory_is_refused);
	g_test_add_func("/bridge/foreign_descriptors_are_refused", foreign_descriptors_are_refused);
	return g_test_run();
}
