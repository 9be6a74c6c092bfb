/* The content token (辅流令牌): who may show a second picture. Exactly one holder; browsers' screen share and BFCP floors are
 * the same token. */
#include "gateway/domain/domain_priv.h"

static void tell(gw_domain *d, const struct gw_party *p, const char *why)
{
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_CONTENT, .id = p->conference->id, .party = p->id, .why = why });
}

static void emit(gw_domain *d, enum gw_rec rec, const char *actor, const struct gw_party *p, struct gw_now now)
{
	struct gw_rec_content body = { p->conference->id, p->id };
	gw_emit_conference(d, rec, actor, p->conference, &body, now);
}

static void grant(gw_domain *d, const char *actor, struct gw_party *p, struct gw_now now)
{
	emit(d, GW_REC_CONTENT_TAKE, actor, p, now);
	tell(d, p, "grant");
	gw_conference_changed(d, p->conference, true);
}

static bool waits(const struct gw_party *p)
{
	return g_ptr_array_find(p->conference->asking, p, NULL);
}

/* The token is free: whoever waits longest gets it. */
static void next(gw_domain *d, struct gw_conference *c, struct gw_now now)
{
	if (c->holder == NULL && !c->content_locked && c->asking->len > 0) {
		grant(d, "gateway", c->asking->pdata[0], now);
	} else {
		gw_conference_changed(d, c, true);
	}
}

bool gw_content_take(gw_domain *d, const char *actor, const char *conference, const char *party, bool wait, struct gw_now now,
		     GError **err)
{
	struct gw_party *p = gw_party_find(d, conference, party, err);
	if (p == NULL) {
		return false;
	}
	struct gw_conference *c = p->conference;
	if (!gw_party_is_live(p->state)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "the party is not present");
		return false;
	}
	if (c->holder == p) {
		return true;
	}
	bool by_party = g_str_has_prefix(actor, "party:");
	if (c->content_locked && by_party && p->role != GW_PARTY_CHAIR) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "the content token is locked");
		return false;
	}
	if (c->holder != NULL && !wait) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_CONFLICT, "%s", c->holder->id);
		return false;
	}
	if (c->holder == NULL) {
		grant(d, actor, p, now);
	} else if (!waits(p)) {
		emit(d, GW_REC_CONTENT_ASK, actor, p, now);
		gw_conference_changed(d, c, false);
	}
	return true;
}

bool gw_content_pass(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	struct gw_party *p = gw_party_find(d, conference, party, err);
	if (p == NULL || p->conference->holder == p) {
		return p != NULL;
	}
	struct gw_conference *c = p->conference;
	struct gw_party *before = c->holder;
	bool gives_way = !c->content_locked && (before == NULL || before->kind != GW_PARTY_TRUNK);
	if (!gives_way && !waits(p)) {
		emit(d, GW_REC_CONTENT_ASK, actor, p, now);
		gw_conference_changed(d, c, false);
	}
	if (gives_way && before != NULL) {
		emit(d, GW_REC_CONTENT_REVOKE, actor, before, now);
		tell(d, before, "revoke");
	}
	if (gives_way) {
		grant(d, actor, p, now);
	}
	return true;
}

/* Both the conference and the party of a content record, or false. */
static bool of_record(const struct gw_fact *f, struct gw_conference **ret_c, struct gw_party **ret_p)
{
	const struct gw_rec_content *b = f->body;
	*ret_c = gw_conference_find(f->d, b->conference, NULL);
	*ret_p = gw_party_get(f->d, b->party);
	return *ret_c != NULL && *ret_p != NULL;
}

void gw_apply_CONTENT_TAKE(const struct gw_fact *f)
{
	struct gw_conference *c;
	struct gw_party *p;
	if (of_record(f, &c, &p)) {
		c->holder = p;
		c->content_ms = f->at_ms;
		g_ptr_array_remove(c->asking, p);
	}
}

void gw_apply_CONTENT_ASK(const struct gw_fact *f)
{
	struct gw_conference *c;
	struct gw_party *p;
	if (of_record(f, &c, &p)) {
		g_ptr_array_add(c->asking, p);
	}
}

void gw_apply_CONTENT_REFUSE(const struct gw_fact *f)
{
	struct gw_conference *c;
	struct gw_party *p;
	if (of_record(f, &c, &p)) {
		g_ptr_array_remove(c->asking, p);
	}
}

static void freed(const struct gw_fact *f)
{
	struct gw_conference *c;
	struct gw_party *p;
	if (of_record(f, &c, &p) && c->holder == p) {
		c->holder = NULL;
		c->content_ms = f->at_ms;
	}
}

void gw_apply_CONTENT_RELEASE(const struct gw_fact *f)
{
	freed(f);
}

void gw_apply_CONTENT_REVOKE(const struct gw_fact *f)
{
	freed(f);
}

/* Gives back what is held, or ceases to wait: harmless for who does neither. */
bool gw_content_release(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	struct gw_party *p = gw_party_find(d, conference, party, err);
	if (p == NULL) {
		return false;
	}
	if (waits(p)) {
		emit(d, GW_REC_CONTENT_REFUSE, actor, p, now);
		gw_conference_changed(d, p->conference, false);
	}
	if (p->conference->holder == p) {
		emit(d, GW_REC_CONTENT_RELEASE, actor, p, now);
		tell(d, p, "free");
		next(d, p->conference, now);
	}
	return true;
}

bool gw_content_refuse(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err)
{
	struct gw_party *p = gw_party_find(d, conference, party, err);
	if (p == NULL || !waits(p)) {
		g_set_error(p != NULL ? err : NULL, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "the party does not ask for the token");
		return false;
	}
	emit(d, GW_REC_CONTENT_REFUSE, actor, p, now);
	tell(d, p, "deny");
	gw_conference_changed(d, p->conference, false);
	return true;
}

bool gw_content_revoke(gw_domain *d, const char *actor, const char *conference, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	if (c == NULL || c->holder == NULL) {
		g_set_error(c != NULL ? err : NULL, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "nobody holds the token");
		return false;
	}
	struct gw_party *p = c->holder;
	emit(d, GW_REC_CONTENT_REVOKE, actor, p, now);
	tell(d, p, "revoke");
	next(d, c, now);
	return true;
}

bool gw_content_lock(gw_domain *d, const char *actor, const char *conference, bool on, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, err);
	if (c == NULL) {
		return false;
	}
	struct gw_rec_content_lock body = { c->id, on };
	gw_emit_conference(d, GW_REC_CONTENT_LOCK, actor, c, &body, now);
	next(d, c, now);
	return true;
}

void gw_apply_CONTENT_LOCK(const struct gw_fact *f)
{
	const struct gw_rec_content_lock *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c != NULL) {
		c->content_locked = b->on;
	}
}

void gw_content_left(gw_domain *d, struct gw_party *p, struct gw_now now)
{
	(void)gw_content_release(d, "gateway", p->conference->id, p->id, now, NULL);
}

const char *gw_content_holder(const gw_domain *d, const char *conference)
{
	struct gw_conference *c = gw_conference_find(d, conference, NULL);
	return c != NULL && c->holder != NULL ? c->holder->id : NULL;
}
