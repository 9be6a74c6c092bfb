/* Polling (轮询): pictures go round, for one viewer (主场轮询) or as what is broadcast (广播轮询). Absent sites are passed over. What
 * people do is remembered, the clock's steps are not: after a restart a poll goes on where it was last set. */
#include "gateway/domain/domain_priv.h"

#define LEAST_MS 5000
#define MOST_MS 600000
#define MAX_LIST 256

void gw_poll_free(struct gw_poll *poll)
{
	if (poll != NULL) {
		g_strfreev(poll->parties);
		g_free(poll);
	}
}

static unsigned length(const struct gw_conference *c, const struct gw_poll *poll)
{
	return poll->parties != NULL ? g_strv_length(poll->parties) : c->parties->len;
}

static struct gw_party *at(const gw_domain *d, const struct gw_conference *c, const struct gw_poll *poll, unsigned n,
			   const struct gw_party *viewer)
{
	struct gw_party *p = poll->parties != NULL ? gw_party_get(d, poll->parties[n]) : c->parties->pdata[n];
	bool fit = p != NULL && !p->removed && p->conference == c && p != viewer && gw_party_is_live(p->state) &&
		   p->state != GW_SITE_CONNECTING && p->role != GW_PARTY_OBSERVER && !p->control.waiting;
	return fit ? p : NULL;
}

/* The first that can be shown from `from` on, round the list; -1 = nobody. */
static int find(const gw_domain *d, const struct gw_conference *c, const struct gw_poll *poll, unsigned from, const struct gw_party *viewer)
{
	unsigned len = length(c, poll);
	for (unsigned n = 0; n < len; n++) {
		if (at(d, c, poll, (from + n) % len, viewer) != NULL) {
			return (int)((from + n) % len);
		}
	}
	return -1;
}

struct gw_party *gw_poll_now(const gw_domain *d, const struct gw_conference *c, const struct gw_poll *poll, const struct gw_party *viewer)
{
	int n = poll != NULL ? find(d, c, poll, (unsigned)poll->at, viewer) : -1;
	return n >= 0 ? at(d, c, poll, (unsigned)n, viewer) : NULL;
}

static void advance(const gw_domain *d, const struct gw_conference *c, struct gw_poll *poll, const struct gw_party *viewer, int64_t now_us)
{
	int n = find(d, c, poll, (unsigned)poll->at, viewer);
	int next = n >= 0 ? find(d, c, poll, (unsigned)n + 1, viewer) : -1;
	poll->at = next >= 0 ? next : poll->at;
	poll->next_us = now_us + poll->interval_ms * ORT_US_PER_MS;
}

/* ---- verbs ---- */
static bool list_ok(const gw_domain *d, const struct gw_conference *c, const char *const *parties, GError **err)
{
	unsigned n = 0;
	for (; parties != NULL && parties[n] != NULL; n++) {
		const struct gw_party *p = gw_party_get(d, parties[n]);
		if (p == NULL || p->conference != c || n >= MAX_LIST) {
			g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "parties: at most %d of this conference", MAX_LIST);
			return false;
		}
	}
	return true;
}

/* The conference, with its viewer when there is one; NULL + err. */
static struct gw_conference *of(const gw_domain *d, const char *actor, const char *conference, const char *viewer, struct gw_party **ret,
				GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	*ret = c != NULL && viewer != NULL ? gw_party_find(d, conference, viewer, err) : NULL;
	return c != NULL && (viewer == NULL || *ret != NULL) && gw_control_may(c, actor, err) ? c : NULL;
}

static void emit(gw_domain *d, const char *actor, const struct gw_conference *c, const struct gw_party *viewer, const char *const *parties,
		 int64_t interval_ms, bool on, struct gw_now now)
{
	struct gw_rec_poll body = { c->id, viewer != NULL ? viewer->id : NULL, (char **)(uintptr_t)parties, interval_ms, on };
	gw_emit_conference(d, GW_REC_POLL, actor, c, &body, now);
	gw_conference_changed(d, c, true);
}

bool gw_poll_start(gw_domain *d, const char *actor, const char *conference, const char *viewer, const char *const *parties,
		   int64_t interval_ms, struct gw_now now, GError **err)
{
	struct gw_party *p;
	struct gw_conference *c = of(d, actor, conference, viewer, &p, err);
	if (c == NULL || !list_ok(d, c, parties, err)) {
		return false;
	}
	if (interval_ms < LEAST_MS || interval_ms > MOST_MS) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "interval_ms: 5,000 to 600,000");
		return false;
	}
	emit(d, actor, c, p, parties, interval_ms, true, now);
	return true;
}

bool gw_poll_stop(gw_domain *d, const char *actor, const char *conference, const char *viewer, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	struct gw_party *p = c != NULL && viewer != NULL ? gw_party_find(d, conference, viewer, err) : NULL;
	bool may = c != NULL && (viewer == NULL ? gw_control_may(c, actor, err) : p != NULL && gw_control_own(c, actor, p, err));
	if (may && (p != NULL ? p->control.poll : c->control.poll) != NULL) {
		emit(d, actor, c, p, NULL, 0, false, now);
	}
	return may;
}

static struct gw_poll *poll_new(const struct gw_rec_poll *b, int64_t at_us)
{
	struct gw_poll *poll = g_new0(struct gw_poll, 1);
	poll->parties = b->parties != NULL && b->parties[0] != NULL ? g_strdupv(b->parties) : NULL;
	poll->interval_ms = MAX(b->interval_ms, LEAST_MS);
	poll->next_us = at_us + poll->interval_ms * ORT_US_PER_MS;
	return poll;
}

void gw_apply_POLL(const struct gw_fact *f)
{
	const struct gw_rec_poll *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	struct gw_party *p = gw_party_get(f->d, b->viewer);
	if (c == NULL || (b->viewer != NULL && p == NULL)) {
		return;
	}
	struct gw_poll **poll = p != NULL ? &p->control.poll : &c->control.poll;
	gw_poll_free(*poll);
	*poll = b->on ? poll_new(b, f->at_us) : NULL;
	if (p == NULL) {
		c->control.mode = b->on ? GW_BROADCAST_POLL : GW_BROADCAST_NONE;
		c->control.source = c->control.floor = NULL;
		c->control.since_ms = f->at_ms;
		g_free(c->control.by);
		c->control.by = g_strdup(f->actor);
	}
}

bool gw_poll_step(gw_domain *d, const char *actor, const char *conference, const char *viewer, enum gw_poll_move step, struct gw_now now,
		  GError **err)
{
	struct gw_party *p;
	struct gw_conference *c = of(d, actor, conference, viewer, &p, err);
	struct gw_poll *poll = c == NULL ? NULL : p != NULL ? p->control.poll : c->control.poll;
	if (poll == NULL) {
		g_set_error(c != NULL ? err : NULL, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "nothing is polled");
		return false;
	}
	int n = find(d, c, poll, (unsigned)poll->at, p);
	int next = n >= 0 ? find(d, c, poll, (unsigned)n + (step == GW_POLL_NEXT), p) : -1;
	const struct gw_party *shown = next >= 0 ? at(d, c, poll, (unsigned)next, p) : NULL;
	struct gw_rec_poll_step body = { c->id, p != NULL ? p->id : NULL, shown != NULL ? shown->id : NULL, (int)step };
	gw_emit_conference(d, GW_REC_POLL_STEP, actor, c, &body, now);
	gw_conference_changed(d, c, true);
	return true;
}

/* Names the party, not the place: who was present is not remembered exactly. */
void gw_apply_POLL_STEP(const struct gw_fact *f)
{
	const struct gw_rec_poll_step *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	struct gw_party *p = gw_party_get(f->d, b->viewer);
	struct gw_poll *poll = c == NULL ? NULL : b->viewer == NULL ? c->control.poll : p != NULL ? p->control.poll : NULL;
	for (unsigned n = 0; poll != NULL && n < length(c, poll); n++) {
		const char *id = poll->parties != NULL ? poll->parties[n] : ((const struct gw_party *)c->parties->pdata[n])->id;
		poll->at = g_strcmp0(id, b->party) == 0 ? (int)n : poll->at;
	}
	if (poll != NULL) {
		poll->paused = b->step == GW_POLL_PAUSE || (poll->paused && b->step != GW_POLL_RESUME);
		poll->next_us = f->at_us + poll->interval_ms * ORT_US_PER_MS;
	}
}

/* ---- clock ---- */
static int64_t poll_deadline(const struct gw_poll *poll)
{
	return poll != NULL && !poll->paused ? poll->next_us : ORT_NEVER;
}

static bool turn(const gw_domain *d, const struct gw_conference *c, struct gw_poll *poll, const struct gw_party *viewer, struct gw_now now)
{
	bool due = poll != NULL && !poll->paused && now.us >= poll->next_us;
	if (due) {
		advance(d, c, poll, viewer, now.us);
	}
	return due;
}

static int64_t deadline(const gw_domain *d)
{
	int64_t next = ORT_NEVER;
	for (unsigned n = 0; n < d->conference_order->len; n++) {
		const struct gw_conference *c = d->conference_order->pdata[n];
		next = c->closed_ms == 0 ? MIN(next, poll_deadline(c->control.poll)) : next;
		for (unsigned k = 0; c->closed_ms == 0 && k < c->parties->len; k++) {
			next = MIN(next, poll_deadline(((const struct gw_party *)c->parties->pdata[k])->control.poll));
		}
	}
	return next;
}

static void tick(gw_domain *d, struct gw_now now)
{
	for (unsigned n = 0; n < d->conference_order->len; n++) {
		struct gw_conference *c = d->conference_order->pdata[n];
		bool moved = c->closed_ms == 0 && turn(d, c, c->control.poll, NULL, now);
		for (unsigned k = 0; c->closed_ms == 0 && k < c->parties->len; k++) {
			struct gw_party *p = c->parties->pdata[k];
			moved = turn(d, c, p->control.poll, p, now) || moved;
		}
		if (moved) {
			gw_conference_changed(d, c, true);
		}
	}
}

static void nothing(gw_domain *d)
{
}

const struct gw_part gw_part_poll = { nothing, nothing, NULL, deadline, tick };
