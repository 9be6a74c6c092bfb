/* The two clocks of the process and the switch that lets a test hold them. Nothing else may read system time. */
#include "mcu/base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

static struct {
	atomic_bool on;
	_Atomic int64_t now_us, wall_ms;
} held;

static int64_t read_clock(clockid_t id, int64_t per_s, int64_t ns_per_unit)
{
	struct timespec ts;
	(void)clock_gettime(id, &ts);	/* cannot fail: the ids are constants of Linux */
	return (int64_t)ts.tv_sec * per_s + (int64_t)ts.tv_nsec / ns_per_unit;
}

int64_t ort_now_us(void)
{
	if (atomic_load_explicit(&held.on, memory_order_acquire)) {
		return atomic_load(&held.now_us);
	}
	return read_clock(CLOCK_BOOTTIME, 1000000, 1000);
}

int64_t ort_wall_ms(void)
{
	if (atomic_load_explicit(&held.on, memory_order_acquire)) {
		return atomic_load(&held.wall_ms);
	}
	return read_clock(CLOCK_REALTIME, 1000, 1000000);
}

void ort_clock_hold(int64_t now_us, int64_t wall_ms)
{
	atomic_store(&held.now_us, now_us);
	atomic_store(&held.wall_ms, wall_ms);
	atomic_store_explicit(&held.on, true, memory_order_release);
}

/* The wall clock follows in whole milliseconds of the monotonic one, so many small steps do not lose time. */
void ort_clock_advance(int64_t us)
{
	int64_t before = atomic_fetch_add(&held.now_us, us);
	atomic_fetch_add(&held.wall_ms, (before + us) / ORT_US_PER_MS - before / ORT_US_PER_MS);
}

void ort_clock_release(void)
{
	atomic_store_explicit(&held.on, false, memory_order_release);
}
