/* A bad network as a function of (length, now): loss, bursts, delay, jitter, reordering, copies, rate, outage. One model a
 * direction. Pure: no clock, no sockets, the same seed gives the same network. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct impair_conf {
	double loss;		/* percent, independent */
	double burst_enter, burst_leave;	/* percent a packet: Gilbert-Elliott, everything is lost inside a burst */
	double dup, reorder;	/* percent; a reordered packet overtakes those that wait */
	double delay_ms, jitter_ms;	/* jitter 0..value, order kept */
	double rate_kbps, queue_ms;	/* 0 = unlimited; queue 0 = 200 ms */
};
struct impair_stats { uint64_t in, lost, late, dup, reordered; };	/* late: the queue of the slow link was full */

struct impair {
	struct impair_conf conf;
	struct impair_stats stats;
	uint64_t random;
	bool burst;
	int64_t outage_until_us, link_free_us, last_due_us;
};
void impair_init(struct impair *m, uint64_t seed);
/* Key of the struct above, or "outage" (milliseconds from now). false = no such key, or not within 0..1e6. */
bool impair_set(struct impair *m, const char *key, double value, int64_t now_us);
/* How many copies go on, 0-2, and when. */
unsigned impair_packet(struct impair *m, size_t len, int64_t now_us, int64_t ret_due_us[2]);
