/* A party (会场, site) of a conference: comes, is called, leaves, is called again; stays in the list until it is removed.
 *
 *   ABSENT --call--> CALLING --> RINGING --> CONNECTING <--> PRESENT (DEGRADED, HELD)
 *      ^                | T_RING    | T_RING     | T_CONNECT     |
 *      |                v           v            v               v loss
 *   hang up        NO_ANSWER, REFUSED, UNREACHABLE, FAILED  --redial--> CALLING */
#include <string.h>

#include "gateway/domain/directory_priv.h"

#define MAX_PARTIES 1000	/* of one conference, the left ones counted too */

void gw_party_free(gpointer v)
{
	struct gw_party *p = v;
	char *const texts[] = { p->id, p->name, p->site, p->address, p->agent, p->why, p->view, p->mic_muted_by, p->speaker_muted_by,
			  p->streams };
	for (unsigned n = 0; n < G_N_ELEMENTS(texts); n++) {
		g_free(texts[n]);
	}
	gw_poll_free(p->control.poll);
	g_free(p);
}

static void replace(char **where, const char *with)
{
	char *copy = g_strdup(with);
	g_free(*where);
	*where = copy;
}

struct gw_party *gw_party_get(const gw_domain *d, const char *id)
{
	struct gw_party *p = id != NULL ? g_hash_table_lookup(d->parties, id) : NULL;
	return p != NULL && !p->removed ? p : NULL;
}

struct gw_party *gw_party_find(const gw_domain *d, const char *conference, const char *id, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	struct gw_party *p = c != NULL ? gw_party_get(d, id) : NULL;
	if (c != NULL && (p == NULL || p->conference != c)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such party in this conference");
		return NULL;
	}
	return p;
}

const char *gw_party_conference(const gw_domain *d, const char *party)
{
	struct gw_party *p = gw_party_get(d, party);
	return p != NULL ? p->conference->id : NULL;
}

bool gw_party_is_live(enum gw_site_state state)
{
	return state == GW_SITE_CONNECTING || state == GW_SITE_PRESENT || state == GW_SITE_DEGRADED || state == GW_SITE_HELD;
}

static bool is_dialling(const struct gw_party *p)
{
	return p->state == GW_SITE_CALLING || p->state == GW_SITE_RINGING;
}

/* ---- coming into the list ---- */
static struct gw_party *known(const struct gw_conference *c, const struct gw_party_facts *f)
{
	for (unsigned n = 0; n < c->parties->len; n++) {
		struct gw_party *p = c->parties->pdata[n];
		bool same = (f->site != NULL && g_strcmp0(p->site, f->site) == 0) ||
			    (f->address != NULL && g_strcmp0(p->address, f->address) == 0);
		if (!p->removed && same) {
			return p;
		}
	}
	return NULL;
}

static struct gw_party *add(gw_domain *d, const char *actor, struct gw_conference *c, const struct gw_party_facts *f, bool out,
			    struct gw_now now, GError **err)
{
	if (!gw_text_ok(f->name, 200, true, "name", err) || !gw_text_ok(f->address, 256, false, "address", err)) {
		return NULL;
	}
	if (c->parties->len >= MAX_PARTIES) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_LIMIT, "%d parties are in the list", MAX_PARTIES);
		return NULL;
	}
	g_autofree char *id = g_strdup_printf("p-%" G_GINT64_MODIFIER "x", d->last_party + 1);
	struct gw_rec_party_add body = { c->id, id, (char *)(uintptr_t)f->name, (char *)(uintptr_t)f->site, (char *)(uintptr_t)f->address,
					 (char *)(uintptr_t)f->agent, d->last_party + 1, (int)f->kind, (int)f->role, out, f->keep,
					 f->max_bps };
	gw_emit_conference(d, GW_REC_PARTY_ADD, actor, c, &body, now);
	return gw_party_get(d, id);
}

void gw_apply_PARTY_ADD(const struct gw_fact *f)
{
	const struct gw_rec_party_add *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c == NULL || g_hash_table_contains(f->d->parties, b->party)) {
		return;
	}
	struct gw_party *p = g_new0(struct gw_party, 1);
	*p = (struct gw_party){ .id = g_strdup(b->party), .name = g_strdup(b->name), .site = g_strdup(b->site),
				.address = g_strdup(b->address), .agent = g_strdup(b->agent), .view = g_strdup("program"),
				.conference = c, .kind = (enum gw_party_kind)b->kind, .role = (enum gw_party_role)b->role,
				.state = GW_SITE_ABSENT, .out = b->out, .keep = b->keep, .max_bps = b->max_bps,
				.since_us = f->at_us, .left_ms = f->at_ms };
	g_hash_table_insert(f->d->parties, p->id, p);
	g_ptr_array_add(c->parties, p);
	f->d->last_party = MAX(f->d->last_party, b->nr);
}

const char *gw_party_enter(gw_domain *d, const char *actor, const char *conference, const struct gw_party_facts *f, struct gw_now now,
			   GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	struct gw_party *p = c != NULL ? known(c, f) : NULL;
	if (c != NULL && p == NULL) {
		p = add(d, actor, c, f, false, now, err);
	}
	if (p == NULL) {
		return NULL;
	}
	gw_party_agent(d, p->id, f->agent, now);
	if (gw_lobby_holds(c, actor, p) && !p->control.waiting) {
		gw_control_emit(d, GW_REC_LOBBY_WAIT, actor, c, p, now);
		gw_control_notice(d, c, p, "waits", 0);
	}
	(void)gw_party_state(d, p->id, GW_SITE_CONNECTING, NULL, now);
	return p->id;
}

/* ---- calling ---- */
static void dial(gw_domain *d, const char *actor, struct gw_party *p, struct gw_now now)
{
	struct gw_rec_party_ref body = { p->id };
	gw_emit_conference(d, GW_REC_PARTY_DIAL, actor, p->conference, &body, now);
	(void)gw_party_state(d, p->id, GW_SITE_CALLING, NULL, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_PARTY_DIAL, .id = p->conference->id, .party = p->id, .text = p->address });
}

void gw_apply_PARTY_DIAL(const struct gw_fact *f)
{
	const struct gw_rec_party_ref *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	if (p != NULL) {
		p->out = true;
		p->attempts++;
		p->next_try_us = p->next_try_ms = 0;
	}
}

/* What the directory knows of the site fills what the caller left out. */
static bool look_up(const gw_domain *d, struct gw_party_facts *f, GError **err)
{
	const struct gw_rec_site *s = f->site != NULL ? g_hash_table_lookup(d->directory[GW_SITE], f->site) : NULL;
	if (f->site != NULL && s == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such site");
		return false;
	}
	if (s != NULL) {
		f->name = f->name != NULL ? f->name : s->name;
		bool has_own = f->address != NULL || (s->address != NULL && s->address[0] != '\0');
		const char *account = g_hash_table_lookup(d->site_addresses, s->id);
		f->address = f->address != NULL ? f->address : has_own ? s->address : account != NULL ? account : gw_room_at(d, f->site);
	}
	if (f->address == NULL || f->address[0] == '\0') {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "address: nobody knows how to call it");
		return false;
	}
	f->kind = gw_room_known(d, f->address) ? GW_PARTY_ROOM : g_str_has_prefix(f->address, "h323:") ? GW_PARTY_H323 : f->kind;
	f->name = f->name != NULL ? f->name : f->address;
	return true;
}

const char *gw_party_call(gw_domain *d, const char *actor, const char *conference, const struct gw_party_facts *facts,
			  struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	struct gw_party_facts f = *facts;
	if (c == NULL || !look_up(d, &f, err)) {
		return NULL;
	}
	struct gw_party *p = known(c, &f);
	if (p != NULL && (gw_party_is_live(p->state) || is_dialling(p))) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_CONFLICT, "%s is %s already", p->name, gw_site_state_names[p->state]);
		return NULL;
	}
	p = p != NULL ? p : add(d, actor, c, &f, true, now, err);
	if (p == NULL) {
		return NULL;
	}
	dial(d, actor, p, now);
	return p->id;
}

int gw_party_call_absent(gw_domain *d, const char *actor, const char *conference, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	int called = 0;
	for (unsigned n = 0; c != NULL && n < c->parties->len; n++) {
		struct gw_party *p = c->parties->pdata[n];
		bool callable = p->kind != GW_PARTY_BROWSER && p->address != NULL && p->address[0] != '\0';
		if (!p->removed && callable && !gw_party_is_live(p->state) && !is_dialling(p) && p->state != GW_SITE_LEAVING) {
			dial(d, actor, p, now);
			called++;
		}
	}
	return c != NULL ? called : -1;
}

static void call_lost(gw_domain *d, struct gw_conference *c, const char *address, struct gw_now now)
{
	for (unsigned n = 0; c->closed_ms == 0 && n < c->parties->len; n++) {
		struct gw_party *p = c->parties->pdata[n];
		bool idle = !gw_party_is_live(p->state) && !is_dialling(p) && p->state != GW_SITE_LEAVING;
		if (!p->removed && p->lost && p->out && idle && g_strcmp0(p->address, address) == 0) {
			dial(d, "gateway", p, now);
		}
	}
}

void gw_party_reachable(gw_domain *d, const char *address, struct gw_now now)
{
	for (unsigned n = 0; n < d->conference_order->len; n++) {
		call_lost(d, d->conference_order->pdata[n], address, now);
	}
}

/* ---- state ---- */
bool gw_party_state(gw_domain *d, const char *party, enum gw_site_state state, const char *why, struct gw_now now)
{
	struct gw_party *p = gw_party_get(d, party);
	if (p == NULL || (p->state == state && g_strcmp0(p->why, why) == 0)) {
		return p != NULL;
	}
	if (p->state != state && !gw_site_may_enter(p->state, state)) {
		return false;
	}
	bool leaves = gw_party_is_live(p->state) && !gw_party_is_live(state);
	bool comes = state == GW_SITE_PRESENT && p->state == GW_SITE_CONNECTING && !p->control.waiting;
	struct gw_rec_party_state body = { p->id, (char *)(uintptr_t)why, (int)state };
	gw_emit_conference(d, GW_REC_PARTY_STATE, "gateway", p->conference, &body, now);
	if (leaves) {
		gw_content_left(d, p, now);
	}
	if (comes) {
		gw_control_came(d, p, now);
	}
	gw_conference_changed(d, p->conference, true);
	return true;
}

static int64_t redial_ms(const gw_domain *d, int attempts)
{
	static const enum gw_timer rows[] = { GW_TIMER_REDIAL_1, GW_TIMER_REDIAL_2, GW_TIMER_REDIAL_3, GW_TIMER_REDIAL_4 };
	return d->timer_ms[rows[MIN(attempts, (int)G_N_ELEMENTS(rows) - 1)]];
}

static bool tried_again(const struct gw_party *p)
{
	bool failed = p->state == GW_SITE_FAILED || p->state == GW_SITE_NO_ANSWER || p->state == GW_SITE_UNREACHABLE ||
		      (p->state == GW_SITE_REFUSED && g_strcmp0(p->why, "busy") == 0);
	bool wanted = (p->conference->auto_redial && p->out) || p->keep;
	return failed && wanted && p->address != NULL && p->kind != GW_PARTY_BROWSER && (p->attempts < GW_REDIALS || p->keep);
}

static void left(const struct gw_fact *f, struct gw_party *p, bool was_live)
{
	if (was_live) {
		p->left_ms = f->at_ms;
		p->left_us = f->at_us;
		p->speaking = false;
		memset(p->stream, 0, sizeof(p->stream));
		memset(&p->sends, 0, sizeof(p->sends));
		memset(&p->gets, 0, sizeof(p->gets));
		if (p->conference->speaker == p) {
			p->conference->speaker = NULL;
		}
	}
	p->lost = p->state != GW_SITE_ABSENT && (p->lost || was_live);
	gw_control_forget(p->conference, p, p->state == GW_SITE_ABSENT);
	if (p->state == GW_SITE_ABSENT) {	/* went as it should: its place is free */
		gw_view_seat(p->conference, p, false);
	}
	if (tried_again(p)) {
		int64_t wait_ms = redial_ms(f->d, p->attempts);
		p->next_try_us = f->at_us + wait_ms * ORT_US_PER_MS;
		p->next_try_ms = f->at_ms + wait_ms;
	}
}

void gw_apply_PARTY_STATE(const struct gw_fact *f)
{
	const struct gw_rec_party_state *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	if (p == NULL) {
		return;
	}
	bool was_live = gw_party_is_live(p->state);
	if (p->state != (enum gw_site_state)b->state) {
		p->since_us = f->at_us;
	}
	p->state = (enum gw_site_state)b->state;
	replace(&p->why, b->why);
	if (p->state == GW_SITE_PRESENT || p->state == GW_SITE_DEGRADED) {
		if (p->left_ms != 0 || p->joined_ms == 0) {
			p->joined_ms = f->at_ms;
		}
		p->left_ms = p->left_us = 0;
		p->lost = false;
		p->attempts = 0;
		gw_rollcall_answered(f->d, p, f->at_ms);
		gw_view_seat(p->conference, p, p->role != GW_PARTY_OBSERVER && !p->control.waiting);
	}
	if (gw_party_is_live(p->state)) {
		p->next_try_us = p->next_try_ms = 0;
	} else if (!is_dialling(p)) {
		left(f, p, was_live);
	}
}

void gw_party_agent(gw_domain *d, const char *party, const char *agent, struct gw_now now)
{
	struct gw_party *p = gw_party_get(d, party);
	if (p != NULL && agent != NULL && gw_text_ok(agent, 200, false, "agent", NULL) && g_strcmp0(p->agent, agent) != 0) {
		struct gw_rec_party_agent body = { p->id, (char *)(uintptr_t)agent };
		gw_emit_conference(d, GW_REC_PARTY_AGENT, "gateway", p->conference, &body, now);
		gw_conference_changed(d, p->conference, false);
	}
}

void gw_apply_PARTY_AGENT(const struct gw_fact *f)
{
	const struct gw_rec_party_agent *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	if (p != NULL) {
		replace(&p->agent, b->agent);
	}
}

/* ---- leaving ---- */
void gw_party_end(gw_domain *d, const char *actor, struct gw_party *p, enum gw_site_state state, const char *why, struct gw_now now)
{
	bool busy = gw_party_is_live(p->state) || is_dialling(p) || p->state == GW_SITE_LEAVING;
	if (p->removed) {
		return;
	}
	if (busy || p->next_try_ms != 0) {
		(void)gw_party_state(d, p->id, state, why, now);
		if (state == GW_SITE_ABSENT) {
			p->next_try_us = p->next_try_ms = 0;
		}
	}
	if (busy) {
		gw_act(d, &(struct gw_action){ .kind = GW_ACT_PARTY_HANG_UP, .id = p->conference->id, .party = p->id, .why = why });
	}
}

bool gw_party_hang_up(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	struct gw_party *p = gw_party_find(d, conference, party, err);
	if (p == NULL) {
		return false;
	}
	gw_party_end(d, actor, p, GW_SITE_ABSENT, "hung_up", now);
	return true;
}

bool gw_party_remove(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	struct gw_party *p = gw_party_find(d, conference, party, err);
	if (p == NULL) {
		return false;
	}
	gw_party_end(d, actor, p, GW_SITE_ABSENT, "removed", now);
	struct gw_rec_party_ref body = { p->id };
	gw_emit_conference(d, GW_REC_PARTY_REMOVE, actor, p->conference, &body, now);
	gw_conference_changed(d, p->conference, true);
	return true;
}

void gw_apply_PARTY_REMOVE(const struct gw_fact *f)
{
	const struct gw_rec_party_ref *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	if (p != NULL) {
		gw_view_seat(p->conference, p, false);
		p->removed = true;
		gw_control_forget(p->conference, p, true);
	}
}

bool gw_party_move(gw_domain *d, const char *actor, const char *conference, const char *party, const char *to, struct gw_now now,
		   GError **err)
{
	struct gw_party *p = gw_party_find(d, conference, party, err);
	struct gw_conference *c = p != NULL ? gw_conference_find_open(d, to, err) : NULL;
	if (c == NULL || c == p->conference) {
		return c != NULL;
	}
	struct gw_conference *from = p->conference;
	gw_content_left(d, p, now);
	struct gw_rec_party_move body = { p->id, c->id };
	gw_emit_conference(d, GW_REC_PARTY_MOVE, actor, from, &body, now);
	gw_conference_changed(d, from, true);
	gw_conference_changed(d, c, true);
	return true;
}

void gw_apply_PARTY_MOVE(const struct gw_fact *f)
{
	const struct gw_rec_party_move *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	struct gw_conference *to = gw_conference_find(f->d, b->to, NULL);
	if (p == NULL || to == NULL) {
		return;
	}
	bool seated = p->seated;
	struct gw_conference *from = p->conference;
	gw_view_seat(from, p, false);
	from->speaker = from->speaker == p ? NULL : from->speaker;
	guint at;
	if (g_ptr_array_find(from->parties, p, &at)) {
		g_ptr_array_steal_index(from->parties, at);
	}
	g_ptr_array_add(to->parties, p);
	p->conference = to;
	p->role = GW_PARTY_PARTICIPANT;
	replace(&p->view, "program");
	gw_control_forget(from, p, true);
	gw_view_seat(to, p, seated);
}

/* ---- clocks ---- */
static bool seat_is_kept(const struct gw_party *p)
{
	return p->seated && p->left_ms != 0 && !gw_party_is_live(p->state) && !is_dialling(p);
}

int64_t gw_party_deadline(const gw_domain *d, const struct gw_party *p)
{
	int64_t next = ORT_NEVER;
	if (p->removed) {
		return next;
	}
	if (p->next_try_ms != 0) {
		next = p->next_try_us;
	}
	if (is_dialling(p)) {
		next = MIN(next, p->since_us + d->timer_ms[GW_TIMER_PARTY_RING] * ORT_US_PER_MS);
	}
	if (p->state == GW_SITE_CONNECTING) {
		next = MIN(next, p->since_us + d->timer_ms[GW_TIMER_PARTY_CONNECT] * ORT_US_PER_MS);
	}
	if (seat_is_kept(p)) {
		next = MIN(next, p->left_us + d->timer_ms[GW_TIMER_PARTY_SEAT] * ORT_US_PER_MS);
	}
	return next;
}

static void unseat(gw_domain *d, struct gw_party *p, struct gw_now now)
{
	struct gw_rec_party_ref body = { p->id };
	gw_emit_conference(d, GW_REC_PARTY_UNSEAT, "clock", p->conference, &body, now);
	gw_conference_changed(d, p->conference, true);
}

void gw_apply_PARTY_UNSEAT(const struct gw_fact *f)
{
	const struct gw_rec_party_ref *b = f->body;
	struct gw_party *p = gw_party_get(f->d, b->party);
	if (p != NULL) {
		gw_view_seat(p->conference, p, false);
	}
}

void gw_party_tick(gw_domain *d, struct gw_party *p, struct gw_now now)
{
	if (p->removed) {
		return;
	}
	if (seat_is_kept(p) && now.us >= p->left_us + d->timer_ms[GW_TIMER_PARTY_SEAT] * ORT_US_PER_MS) {
		unseat(d, p, now);
	}
	if (p->next_try_ms != 0 && now.us >= p->next_try_us) {
		dial(d, "clock", p, now);
	} else if (is_dialling(p) && now.us >= p->since_us + d->timer_ms[GW_TIMER_PARTY_RING] * ORT_US_PER_MS) {
		gw_party_end(d, "clock", p, GW_SITE_NO_ANSWER, "no_answer", now);
	} else if (p->state == GW_SITE_CONNECTING && now.us >= p->since_us + d->timer_ms[GW_TIMER_PARTY_CONNECT] * ORT_US_PER_MS) {
		gw_party_end(d, "clock", p, GW_SITE_FAILED, "no_media", now);
	}
}
