#include "tests/kit/impair/model.h"

#include <string.h>

enum { QUEUE_MS = 200 };

struct key { const char *name; size_t offset; };

#define KEY(member) { #member, offsetof(struct impair_conf, member) }
static const struct key keys[] = { KEY(loss), KEY(burst_enter), KEY(burst_leave), KEY(dup), KEY(reorder),
				   KEY(delay_ms), KEY(jitter_ms), KEY(rate_kbps), KEY(queue_ms) };

void impair_init(struct impair *m, uint64_t seed)
{
	*m = (struct impair){ .random = seed ? seed : 1 };
}

bool impair_set(struct impair *m, const char *key, double value, int64_t now_us)
{
	if (!(value >= 0 && value <= 1e6)) {
		return false;
	}
	if (strcmp(key, "outage") == 0) {
		m->outage_until_us = now_us + (int64_t)(value * 1000);
		return true;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(key, keys[i].name) == 0) {
			memcpy((char *)&m->conf + keys[i].offset, &value, sizeof(value));
			return true;
		}
	}
	return false;
}

/* xorshift64*: 0 <= x < 1 */
static double draw(struct impair *m)
{
	m->random ^= m->random >> 12;
	m->random ^= m->random << 25;
	m->random ^= m->random >> 27;
	return (double)((m->random * UINT64_C(0x2545f4914f6cdd1d)) >> 11) / 9007199254740992.0;
}

static bool chance(struct impair *m, double percent)
{
	return percent > 0 && draw(m) * 100 < percent;
}

static bool lost(struct impair *m, int64_t now_us)
{
	if (m->conf.burst_enter > 0) {
		m->burst = m->burst ? !chance(m, m->conf.burst_leave) : chance(m, m->conf.burst_enter);
	}
	return now_us < m->outage_until_us || (m->conf.burst_enter > 0 && m->burst) || chance(m, m->conf.loss);
}

/* Time at which the slow link has sent the packet, or -1 when it would wait too long. */
static int64_t through_link(struct impair *m, size_t len, int64_t now_us)
{
	double queue_us = (m->conf.queue_ms > 0 ? m->conf.queue_ms : QUEUE_MS) * 1000;
	int64_t start = m->link_free_us > now_us ? m->link_free_us : now_us;

	if (m->conf.rate_kbps <= 0) {
		return now_us;
	}
	if ((double)(start - now_us) > queue_us) {
		return -1;
	}
	m->link_free_us = start + (int64_t)((double)len * 8000 / m->conf.rate_kbps);
	return m->link_free_us;
}

unsigned impair_packet(struct impair *m, size_t len, int64_t now_us, int64_t ret_due_us[2])
{
	int64_t due;

	m->stats.in++;
	if (lost(m, now_us)) {
		m->stats.lost++;
		return 0;
	}
	due = through_link(m, len, now_us);
	if (due < 0) {
		m->stats.late++;
		return 0;
	}
	if (chance(m, m->conf.reorder)) {
		m->stats.reordered++;
	} else {
		due += (int64_t)((m->conf.delay_ms + m->conf.jitter_ms * draw(m)) * 1000);
		due = due > m->last_due_us ? due : m->last_due_us;
		m->last_due_us = due;
	}
	ret_due_us[0] = ret_due_us[1] = due;
	if (!chance(m, m->conf.dup)) {
		return 1;
	}
	m->stats.dup++;
	return 2;
}
