/* Main site (主会场), chair token (主席), floor queue (申请发言, 指定发言) and free discussion (自由讨论). Words as in control.h. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

/* ---- what the files of conference control share ---- */
void gw_control_init(struct gw_conference *c)
{
	static const struct gw_voice voice = GW_VOICE_DEFAULT;
	c->control = (struct gw_control){ .hands = g_array_new(FALSE, FALSE, sizeof(struct gw_hand)), .chair_asking = g_ptr_array_new(),
					  .voice = voice, .priority = GW_PRIORITY_NORMAL,
					  .audience = g_ptr_array_new_with_free_func(g_free) };
}

void gw_control_clear(struct gw_conference *c)
{
	g_array_unref(c->control.hands);
	g_ptr_array_unref(c->control.chair_asking);
	g_ptr_array_unref(c->control.audience);
	gw_poll_free(c->control.poll);
	g_free(c->control.by);
	g_free(c->control.parent);
}

static bool is_own(const char *actor, const struct gw_party *p)
{
	return g_str_has_prefix(actor, "party:") && strcmp(actor + strlen("party:"), p->id) == 0;
}

bool gw_control_may(const struct gw_conference *c, const char *actor, GError **err)
{
	if (!g_str_has_prefix(actor, "party:")) {
		return true;
	}
	for (unsigned n = 0; n < c->parties->len; n++) {
		const struct gw_party *p = c->parties->pdata[n];
		if (!p->removed && p->role == GW_PARTY_CHAIR && is_own(actor, p)) {
			return true;
		}
	}
	g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "only the chair may do that");
	return false;
}

bool gw_control_own(const struct gw_conference *c, const char *actor, const struct gw_party *p, GError **err)
{
	return is_own(actor, p) || gw_control_may(c, actor, err);
}

struct gw_party *gw_control_party(const gw_domain *d, const char *conference, const char *party, GError **err)
{
	struct gw_party *p = gw_party_find(d, conference, party, err);
	bool fit = p != NULL && gw_party_is_live(p->state) && p->role != GW_PARTY_OBSERVER && !p->control.waiting;
	if (p != NULL && !fit) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "%s is not taking part now", p->name);
	}
	return fit ? p : NULL;
}

void gw_control_emit(gw_domain *d, enum gw_rec rec, const char *actor, const struct gw_conference *c, const struct gw_party *p,
		     struct gw_now now)
{
	struct gw_rec_control_party body = { c->id, p != NULL ? p->id : NULL };
	gw_emit_conference(d, rec, actor, c, &body, now);
}

void gw_control_notice(gw_domain *d, const struct gw_conference *c, const struct gw_party *p, const char *why, int minutes)
{
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_NOTICE, .id = c->id, .party = p != NULL ? p->id : NULL, .why = why, .minutes = minutes });
}

/* Both the conference and the party of a record; the party may be NULL when the record names none. */
static struct gw_conference *of_record(const struct gw_fact *f, struct gw_party **ret)
{
	const struct gw_rec_control_party *b = f->body;
	*ret = gw_party_get(f->d, b->party);
	return b->party == NULL || *ret != NULL ? gw_conference_find(f->d, b->conference, NULL) : NULL;
}

static int hand_of(const struct gw_conference *c, const struct gw_party *p)
{
	for (unsigned n = 0; n < c->control.hands->len; n++) {
		if (g_array_index(c->control.hands, struct gw_hand, n).party == p) {
			return (int)n;
		}
	}
	return -1;
}

static void drop_hand(struct gw_conference *c, const struct gw_party *p)
{
	int n = hand_of(c, p);
	if (n >= 0) {
		g_array_remove_index(c->control.hands, (guint)n);
	}
}

void gw_control_forget(struct gw_conference *c, struct gw_party *p, bool for_good)
{
	struct gw_control *k = &c->control;
	drop_hand(c, p);
	g_ptr_array_remove(k->chair_asking, p);
	p->control.waiting = p->control.loop_audio = p->control.loop_video = false;
	if (!for_good) {
		return;
	}
	if (k->source == p) {
		k->source = NULL;
		k->mode = GW_BROADCAST_NONE;
	}
	k->floor = k->floor == p ? NULL : k->floor;
	g_clear_pointer(&p->control.poll, gw_poll_free);
	if (p->removed || p->conference != c) {
		k->main_site = k->main_site == p ? NULL : k->main_site;
		p->control.admitted = false;
	}
}

/* ---- main site ---- */
bool gw_main_site(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	struct gw_party *p = c != NULL && party != NULL ? gw_party_find(d, conference, party, err) : NULL;
	if (c == NULL || (party != NULL && p == NULL) || !gw_control_may(c, actor, err)) {
		return false;
	}
	gw_control_emit(d, GW_REC_MAIN_SITE, actor, c, p, now);
	gw_conference_changed(d, c, true);
	return true;
}

void gw_apply_MAIN_SITE(const struct gw_fact *f)
{
	struct gw_party *p;
	struct gw_conference *c = of_record(f, &p);
	if (c != NULL) {
		c->control.main_site = p;
	}
}

/* ---- chair token ---- */
static struct gw_party *chair_of(const struct gw_conference *c)
{
	for (unsigned n = 0; n < c->parties->len; n++) {
		struct gw_party *p = c->parties->pdata[n];
		if (!p->removed && p->role == GW_PARTY_CHAIR) {
			return p;
		}
	}
	return NULL;
}

bool gw_party_is_chair(const gw_domain *d, const char *party)
{
	const struct gw_party *p = gw_party_get(d, party);
	return p != NULL && p->role == GW_PARTY_CHAIR;
}

bool gw_chair_request(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	struct gw_party *p = gw_control_party(d, conference, party, err);
	if (p == NULL || !gw_control_own(p->conference, actor, p, err)) {
		return false;
	}
	struct gw_conference *c = p->conference;
	if (p->role == GW_PARTY_CHAIR || g_ptr_array_find(c->control.chair_asking, p, NULL)) {
		return true;
	}
	gw_control_emit(d, GW_REC_CHAIR_ASK, actor, c, p, now);
	gw_control_notice(d, c, p, "asks_chair", 0);
	gw_conference_changed(d, c, false);
	return true;
}

void gw_apply_CHAIR_ASK(const struct gw_fact *f)
{
	struct gw_party *p;
	struct gw_conference *c = of_record(f, &p);
	if (c != NULL && p != NULL) {
		g_ptr_array_add(c->control.chair_asking, p);
	}
}

bool gw_chair_refuse(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	struct gw_party *p = gw_party_find(d, conference, party, err);
	if (p == NULL || !gw_control_own(p->conference, actor, p, err)) {
		return false;
	}
	if (g_ptr_array_find(p->conference->control.chair_asking, p, NULL)) {
		gw_control_emit(d, GW_REC_CHAIR_DROP, actor, p->conference, p, now);
		gw_conference_changed(d, p->conference, false);
	}
	return true;
}

void gw_apply_CHAIR_DROP(const struct gw_fact *f)
{
	struct gw_party *p;
	struct gw_conference *c = of_record(f, &p);
	if (c != NULL) {
		g_ptr_array_remove(c->control.chair_asking, p);
	}
}

bool gw_chair_grant(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	struct gw_party *p = gw_control_party(d, conference, party, err);
	if (p == NULL || !gw_control_may(p->conference, actor, err)) {
		return false;
	}
	if (p->role != GW_PARTY_CHAIR) {
		gw_control_emit(d, GW_REC_CHAIR_GRANT, actor, p->conference, p, now);
		gw_control_notice(d, p->conference, p, "chair", 0);
		gw_conference_changed(d, p->conference, true);
	}
	return true;
}

void gw_apply_CHAIR_GRANT(const struct gw_fact *f)
{
	struct gw_party *p;
	struct gw_conference *c = of_record(f, &p);
	if (c != NULL && p != NULL) {
		g_ptr_array_remove(c->control.chair_asking, p);
		gw_party_set_role(p, GW_PARTY_CHAIR);
	}
}

static bool give_back(gw_domain *d, enum gw_rec rec, const char *actor, struct gw_party *p, struct gw_now now)
{
	gw_control_emit(d, rec, actor, p->conference, p, now);
	gw_conference_changed(d, p->conference, true);
	return true;
}

bool gw_chair_release(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	struct gw_party *p = gw_party_find(d, conference, party, err);
	if (p == NULL || !gw_control_own(p->conference, actor, p, err)) {
		return false;
	}
	if (p->role != GW_PARTY_CHAIR) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "the party is not chair");
		return false;
	}
	return give_back(d, GW_REC_CHAIR_RELEASE, actor, p, now);
}

/* Of the conference's owner: the chair itself releases. */
bool gw_chair_revoke(gw_domain *d, const char *actor, const char *conference, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	struct gw_party *p = c != NULL ? chair_of(c) : NULL;
	if (p == NULL || g_str_has_prefix(actor, "party:")) {
		g_set_error(c != NULL ? err : NULL, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, p == NULL ? "nobody is chair" : "only the conference's owner may revoke");
		return false;
	}
	return give_back(d, GW_REC_CHAIR_REVOKE, actor, p, now);
}

static void no_chair(const struct gw_fact *f)
{
	struct gw_party *p;
	struct gw_conference *c = of_record(f, &p);
	if (c != NULL && p != NULL && p->role == GW_PARTY_CHAIR) {
		gw_party_set_role(p, GW_PARTY_PARTICIPANT);
	}
}

void gw_apply_CHAIR_RELEASE(const struct gw_fact *f)
{
	no_chair(f);
}

void gw_apply_CHAIR_REVOKE(const struct gw_fact *f)
{
	no_chair(f);
}

/* ---- floor queue ---- */
bool gw_floor_is_asking(const gw_domain *d, const char *party)
{
	const struct gw_party *p = gw_party_get(d, party);
	return p != NULL && hand_of(p->conference, p) >= 0;
}

bool gw_floor_request(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	struct gw_party *p = gw_control_party(d, conference, party, err);
	if (p == NULL || !gw_control_own(p->conference, actor, p, err)) {
		return false;
	}
	if (hand_of(p->conference, p) < 0 && p->conference->control.floor != p) {
		gw_control_emit(d, GW_REC_FLOOR_ASK, actor, p->conference, p, now);
		gw_control_notice(d, p->conference, p, "asks_floor", 0);
		gw_conference_changed(d, p->conference, false);
	}
	return true;
}

void gw_apply_FLOOR_ASK(const struct gw_fact *f)
{
	struct gw_party *p;
	struct gw_conference *c = of_record(f, &p);
	if (c != NULL && p != NULL && hand_of(c, p) < 0) {
		struct gw_hand hand = { p, f->at_ms };
		g_array_append_val(c->control.hands, hand);
	}
}

bool gw_floor_cancel(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	bool all = g_strcmp0(party, "*") == 0;
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	struct gw_party *p = c != NULL && !all ? gw_party_find(d, conference, party, err) : NULL;
	if (c == NULL || (!all && p == NULL) || !(all ? gw_control_may(c, actor, err) : gw_control_own(c, actor, p, err))) {
		return false;
	}
	if (all ? c->control.hands->len > 0 : hand_of(c, p) >= 0) {
		gw_control_emit(d, GW_REC_FLOOR_DROP, actor, c, p, now);
		gw_conference_changed(d, c, false);
	}
	return true;
}

void gw_apply_FLOOR_DROP(const struct gw_fact *f)
{
	struct gw_party *p;
	struct gw_conference *c = of_record(f, &p);
	if (c != NULL && p != NULL) {
		drop_hand(c, p);
	} else if (c != NULL) {
		g_array_set_size(c->control.hands, 0);
	}
}

static bool silenced_by_floor(const struct gw_conference *c, const struct gw_party *p)
{
	return p != c->control.floor && !p->removed && p->role != GW_PARTY_CHAIR && !p->mic_muted;
}

bool gw_floor_give(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	struct gw_party *p = gw_control_party(d, conference, party, err);
	if (p == NULL || !gw_control_may(p->conference, actor, err)) {
		return false;
	}
	struct gw_conference *c = p->conference;
	gw_control_emit(d, GW_REC_FLOOR_GIVE, actor, c, p, now);
	for (unsigned n = 0; n < c->parties->len; n++) {
		const struct gw_party *other = c->parties->pdata[n];
		if (silenced_by_floor(c, other)) {
			(void)gw_party_mic_mute(d, actor, c->id, other->id, true, now, NULL);
		}
	}
	if (p->mic_muted) {
		(void)gw_party_mic_mute(d, actor, c->id, p->id, false, now, NULL);
	}
	gw_control_notice(d, c, p, "floor", 0);
	gw_conference_changed(d, c, true);
	return true;
}

void gw_apply_FLOOR_GIVE(const struct gw_fact *f)
{
	struct gw_party *p;
	struct gw_conference *c = of_record(f, &p);
	if (c == NULL || p == NULL) {
		return;
	}
	struct gw_control *k = &c->control;
	g_array_set_size(k->hands, 0);
	g_clear_pointer(&k->poll, gw_poll_free);
	k->floor = k->source = p;
	k->mode = GW_BROADCAST_SITE;
	k->since_ms = f->at_ms;
	g_free(k->by);
	k->by = g_strdup(f->actor);
}

/* The floor is somebody's: who comes now is silent like the others. */
void gw_control_came(gw_domain *d, struct gw_party *p, struct gw_now now)
{
	if (p->conference->control.floor != NULL && silenced_by_floor(p->conference, p)) {
		(void)gw_party_mic_mute(d, "gateway", p->conference->id, p->id, true, now, NULL);
	}
}

bool gw_free_discussion(gw_domain *d, const char *actor, const char *conference, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	if (c == NULL || !gw_control_may(c, actor, err)) {
		return false;
	}
	gw_control_emit(d, GW_REC_FREE_DISCUSSION, actor, c, NULL, now);
	for (unsigned n = 0; n < c->parties->len; n++) {
		const struct gw_party *p = c->parties->pdata[n];
		bool by_itself = p->mic_muted_by != NULL && is_own(p->mic_muted_by, p);
		if (!p->removed && p->mic_muted && !by_itself) {
			(void)gw_party_mic_mute(d, "gateway", c->id, p->id, false, now, NULL);
		}
	}
	gw_conference_changed(d, c, true);
	return true;
}

void gw_apply_FREE_DISCUSSION(const struct gw_fact *f)
{
	struct gw_party *p;
	struct gw_conference *c = of_record(f, &p);
	if (c == NULL) {
		return;
	}
	struct gw_control *k = &c->control;
	g_array_set_size(k->hands, 0);
	g_clear_pointer(&k->poll, gw_poll_free);
	k->floor = k->source = NULL;
	k->mode = GW_BROADCAST_NONE;
	k->since_ms = f->at_ms;
}
