/* Time. Protocol and rule code never reads a clock: it is handed `now_us`, and returns its next deadline.
 * Only loops and mains call these; tests replace both clocks. Any thread. */
#pragma once
#include <stdint.h>

#define ORT_US_PER_MS INT64_C(1000)
#define ORT_US_PER_S  INT64_C(1000000)
#define ORT_NEVER     INT64_MAX	/* a deadline that does not come */

int64_t ort_now_us(void);	/* CLOCK_BOOTTIME, microseconds: does not jump, counts sleep */
int64_t ort_wall_ms(void);	/* CLOCK_REALTIME, milliseconds since 1970-01-01 UTC: for records, never for intervals */

/* Tests only: from now on both functions return these values; ort_clock_release() goes back to the system. */
void ort_clock_hold(int64_t now_us, int64_t wall_ms);
void ort_clock_advance(int64_t us);
void ort_clock_release(void);
