/* Waiting room (等候室), planned end (延长会议), parts of a conference that talk apart (分组讨论), priority. */
#include "gateway/domain/domain_priv.h"

#define TONE_US (15 * ORT_US_PER_S)	/* who waits is told again that it is not forgotten */
#define MAX_MINUTES 1440

/* ---- waiting room ---- */
/* Whom we called was wanted, whom we let in once comes back, dispatchers need not ask. */
bool gw_lobby_holds(const struct gw_conference *c, const char *actor, const struct gw_party *p)
{
	return c->control.lobby && !p->out && !p->control.admitted && p->role != GW_PARTY_CHAIR && !g_str_has_prefix(actor, "u:");
}

bool gw_party_is_waiting(const gw_domain *d, const char *party)
{
	const struct gw_party *p = gw_party_get(d, party);
	return p != NULL && p->control.waiting;
}

void gw_apply_LOBBY_WAIT(const struct gw_fact *f)
{
	const struct gw_rec_control_party *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	if (p != NULL) {
		p->control.waiting = true;
		p->conference->control.tone_us = f->at_us + TONE_US;
	}
}

static void admit(gw_domain *d, const char *actor, struct gw_party *p, struct gw_now now)
{
	gw_control_emit(d, GW_REC_LOBBY_ADMIT, actor, p->conference, p, now);
	gw_control_notice(d, p->conference, p, "admitted", 0);
	gw_control_came(d, p, now);
}

static void admit_all(gw_domain *d, const char *actor, struct gw_conference *c, struct gw_now now)
{
	for (unsigned n = 0; n < c->parties->len; n++) {
		struct gw_party *p = c->parties->pdata[n];
		if (!p->removed && p->control.waiting) {
			admit(d, actor, p, now);
		}
	}
}

bool gw_lobby_set(gw_domain *d, const char *actor, const char *conference, bool on, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	if (c == NULL || !gw_control_may(c, actor, err)) {
		return false;
	}
	struct gw_rec_control_switch body = { c->id, on };
	gw_emit_conference(d, GW_REC_LOBBY, actor, c, &body, now);
	if (!on) {
		admit_all(d, actor, c, now);
	}
	gw_conference_changed(d, c, true);
	return true;
}

void gw_apply_LOBBY(const struct gw_fact *f)
{
	const struct gw_rec_control_switch *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c != NULL) {
		c->control.lobby = b->on;
	}
}

bool gw_lobby_admit(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	bool all = g_strcmp0(party, "*") == 0;
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	struct gw_party *p = c != NULL && !all ? gw_party_find(d, conference, party, err) : NULL;
	if (c == NULL || (!all && p == NULL) || !gw_control_may(c, actor, err)) {
		return false;
	}
	if (all) {
		admit_all(d, actor, c, now);
	} else if (p->control.waiting) {
		admit(d, actor, p, now);
	}
	gw_conference_changed(d, c, true);
	return true;
}

void gw_apply_LOBBY_ADMIT(const struct gw_fact *f)
{
	const struct gw_rec_control_party *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	if (p != NULL) {
		p->control.waiting = false;
		p->control.admitted = true;
		gw_view_seat(p->conference, p, p->role != GW_PARTY_OBSERVER && (p->state == GW_SITE_PRESENT || p->state == GW_SITE_DEGRADED));
	}
}

bool gw_lobby_refuse(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	struct gw_party *p = gw_party_find(d, conference, party, err);
	if (p == NULL || !gw_control_may(p->conference, actor, err)) {
		return false;
	}
	if (!p->control.waiting) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "the party does not wait");
		return false;
	}
	gw_control_emit(d, GW_REC_LOBBY_REFUSE, actor, p->conference, p, now);
	gw_party_end(d, actor, p, GW_SITE_ABSENT, "not_admitted", now);
	return true;
}

void gw_apply_LOBBY_REFUSE(const struct gw_fact *f)
{
	/* its end is a record of its own */
}

/* ---- planned end ---- */
static const int marks[] = { 10, 5, 1, 0 };	/* minutes before it that people are warned */

/* Minutes of the next warning, -1 = none. */
static int next_mark(const struct gw_control *k)
{
	for (unsigned n = 0; n < G_N_ELEMENTS(marks); n++) {
		if (marks[n] < k->warned) {
			return marks[n];
		}
	}
	return -1;
}

bool gw_conference_extend(gw_domain *d, const char *actor, const char *conference, int64_t minutes, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	if (c == NULL || !gw_control_may(c, actor, err)) {
		return false;
	}
	if (minutes < 0 || minutes > MAX_MINUTES) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "minutes: 0 to %d", MAX_MINUTES);
		return false;
	}
	int64_t from_ms = MAX(c->control.ends_ms, now.wall_ms);
	struct gw_rec_control_number body = { c->id, minutes > 0 ? from_ms + minutes * 60000 : 0 };
	gw_emit_conference(d, GW_REC_CONFERENCE_END, actor, c, &body, now);
	gw_conference_changed(d, c, false);
	return true;
}

void gw_apply_CONFERENCE_END(const struct gw_fact *f)
{
	const struct gw_rec_control_number *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c == NULL) {
		return;
	}
	int64_t left_ms = b->n - f->at_ms;
	c->control.ends_ms = b->n;
	c->control.ends_us = f->at_us + left_ms * ORT_US_PER_MS;
	c->control.warned = (int)CLAMP(left_ms / 60000, 0, 60);
}

void gw_apply_CONFERENCE_WARN(const struct gw_fact *f)
{
	const struct gw_rec_control_number *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c != NULL) {
		c->control.warned = (int)b->n;
	}
}

/* The end itself: what belongs to an open incident is never cut off by a clock. */
static void end_of(gw_domain *d, struct gw_conference *c, struct gw_now now)
{
	if (c->incident == NULL || gw_incident_find_open(d, c->incident, NULL) == NULL) {
		(void)gw_conference_close(d, "clock", c->id, "planned_end", now, NULL);
	}
}

static void warn(gw_domain *d, struct gw_conference *c, int minutes, struct gw_now now)
{
	struct gw_rec_control_number body = { c->id, minutes };
	gw_emit_conference(d, GW_REC_CONFERENCE_WARN, "clock", c, &body, now);
	gw_control_notice(d, c, NULL, "ends", minutes);
	if (minutes == 0) {
		end_of(d, c, now);
	}
}

/* ---- parts ---- */
const char *gw_conference_split(gw_domain *d, const char *actor, const char *conference, const char *name, const char *const *parties,
				struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	if (c == NULL || !gw_control_may(c, actor, err)) {
		return NULL;
	}
	for (unsigned n = 0; parties != NULL && parties[n] != NULL; n++) {
		if (gw_party_find(d, conference, parties[n], err) == NULL) {
			return NULL;
		}
	}
	if (parties == NULL || parties[0] == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "parties: at least one");
		return NULL;
	}
	struct gw_conference_facts f = { .name = name, .incident = c->incident, .drill = c->drill };
	const char *part = gw_conference_open(d, actor, &f, now, err);
	if (part == NULL) {
		return NULL;
	}
	struct gw_rec_conference_part body = { (char *)(uintptr_t)part, c->id };
	gw_emit_conference(d, GW_REC_CONFERENCE_PART, actor, c, &body, now);
	for (unsigned n = 0; parties[n] != NULL; n++) {
		(void)gw_party_move(d, actor, conference, parties[n], part, now, NULL);	/* it was found above */
	}
	return part;
}

void gw_apply_CONFERENCE_PART(const struct gw_fact *f)
{
	const struct gw_rec_conference_part *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c != NULL) {
		g_free(c->control.parent);
		c->control.parent = g_strdup(b->parent);
	}
}

bool gw_conference_rejoin(gw_domain *d, const char *actor, const char *part, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, part, err);
	if (c == NULL || !gw_control_may(c, actor, err)) {
		return false;
	}
	if (c->control.parent == NULL || gw_conference_find_open(d, c->control.parent, NULL) == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "it is no part of an open conference");
		return false;
	}
	for (unsigned n = c->parties->len; n > 0; n--) {	/* moving takes them out of the list */
		const struct gw_party *p = c->parties->pdata[n - 1];
		if (!p->removed) {
			(void)gw_party_move(d, actor, c->id, p->id, c->control.parent, now, NULL);
		}
	}
	return gw_conference_close(d, actor, c->id, "rejoined", now, err);
}

/* ---- priority ---- */
bool gw_conference_priority(gw_domain *d, const char *actor, const char *conference, int64_t priority, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	if (c == NULL || !gw_control_may(c, actor, err)) {
		return false;
	}
	if (priority < 0 || priority > 9) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "priority: 0 to 9");
		return false;
	}
	struct gw_rec_control_number body = { c->id, priority };
	gw_emit_conference(d, GW_REC_CONFERENCE_PRIORITY, actor, c, &body, now);
	gw_conference_changed(d, c, false);
	return true;
}

void gw_apply_CONFERENCE_PRIORITY(const struct gw_fact *f)
{
	const struct gw_rec_control_number *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c != NULL) {
		c->control.priority = b->n;
	}
}

/* ---- clock ---- */
static bool somebody_waits(const struct gw_conference *c)
{
	for (unsigned n = 0; n < c->parties->len; n++) {
		const struct gw_party *p = c->parties->pdata[n];
		if (!p->removed && p->control.waiting && gw_party_is_live(p->state)) {
			return true;
		}
	}
	return false;
}

static int64_t end_deadline(const struct gw_control *k)
{
	int mark = k->ends_ms != 0 ? next_mark(k) : -1;
	return mark >= 0 ? k->ends_us - mark * 60 * ORT_US_PER_S : ORT_NEVER;
}

static int64_t deadline(const gw_domain *d)
{
	int64_t next = ORT_NEVER;
	for (unsigned n = 0; n < d->conference_order->len; n++) {
		const struct gw_conference *c = d->conference_order->pdata[n];
		if (c->closed_ms == 0) {
			next = MIN(next, MIN(end_deadline(&c->control), somebody_waits(c) ? c->control.tone_us : ORT_NEVER));
		}
	}
	return next;
}

static void tick(gw_domain *d, struct gw_now now)
{
	for (unsigned n = 0; n < d->conference_order->len; n++) {
		struct gw_conference *c = d->conference_order->pdata[n];
		if (c->closed_ms == 0 && somebody_waits(c) && now.us >= c->control.tone_us) {
			c->control.tone_us = now.us + TONE_US;
			gw_control_notice(d, c, NULL, "wait_tone", 0);
		}
		while (c->closed_ms == 0 && now.us >= end_deadline(&c->control)) {
			warn(d, c, next_mark(&c->control), now);
		}
	}
}

static void nothing(gw_domain *d)
{
}

const struct gw_part gw_part_lobby = { nothing, nothing, NULL, deadline, tick };
