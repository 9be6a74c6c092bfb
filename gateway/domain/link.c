/* Field links: one incident, one seat, expiring, revocable. The secret token lives in gateway/auth; here is its fate. */
#include "gateway/domain/domain_priv.h"

#define MAX_LINKS 400	/* per incident, of all states */

static const char *const end_words[GW_LINK_N] = {
	[GW_LINK_EXPIRED] = "expired", [GW_LINK_REVOKED] = "revoked", [GW_LINK_ENDED] = "closed",
};

void gw_domain_link_free(gpointer p)
{
	struct gw_link *l = p;
	g_free(l->id);
	g_free(l->person);
	g_free(l->name);
	g_free(l);
}

static struct gw_link *find(const gw_domain *d, const char *id, GError **err)
{
	struct gw_link *l = id != NULL ? g_hash_table_lookup(d->links, id) : NULL;
	if (l == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such link");
	}
	return l;
}

static const char *name_of(const gw_domain *d, const char *person, const char *guest_name, GError **err)
{
	if (person == NULL) {
		return gw_text_ok(guest_name, 200, true, "guest_name", err) ? guest_name : NULL;
	}
	const struct gw_rec_person *p = g_hash_table_lookup(d->directory[2], person);
	if (p == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such person");
		return NULL;
	}
	return p->name;
}

bool gw_link_issue(gw_domain *d, const char *actor, const char *incident, const char *person, const char *guest_name,
		   struct gw_now now, const char **ret_link, const char **ret_scene, int64_t *ret_expires_ms, GError **err)
{
	struct gw_incident *i = gw_incident_find_open(d, incident, err);
	const char *name = i != NULL ? name_of(d, person, guest_name, err) : NULL;
	if (name == NULL) {
		return false;
	}
	if (i->links->len >= MAX_LINKS) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_LIMIT, "%d links are in this incident", MAX_LINKS);
		return false;
	}
	g_autofree char *link = g_strdup_printf("l%" G_GINT64_FORMAT, d->last_link + 1);
	g_autofree char *scene = g_strdup_printf("s%" G_GINT64_FORMAT, d->last_scene + 1);
	struct gw_rec_link_issued body = { link, scene, (char *)(uintptr_t)person, (char *)(uintptr_t)name,
					   now.wall_ms + d->timer_ms[GW_TIMER_LINK_FIRST_USE] };
	gw_emit(d, GW_REC_LINK_ISSUED, actor, i, &body, now);
	struct gw_link *l = g_hash_table_lookup(d->links, link);
	(void)gw_scene_stamp(d, "gateway", l->scene->id, GW_STEP_LINK_ISSUED, now.wall_ms, now, NULL);
	gw_changed(d, i);
	*ret_link = l->id;
	*ret_scene = l->scene->id;
	*ret_expires_ms = l->expires_ms;
	return true;
}

static int64_t number_of(const char *id)
{
	return g_ascii_strtoll(id + 1, NULL, 10);
}

void gw_apply_LINK_ISSUED(const struct gw_fact *f)
{
	const struct gw_rec_link_issued *b = f->body;
	if (f->incident == NULL || g_hash_table_contains(f->d->links, b->link) || g_hash_table_contains(f->d->scenes, b->scene)) {
		return;
	}
	struct gw_scene *s = g_new0(struct gw_scene, 1);
	s->id = g_strdup(b->scene);
	s->person = g_strdup(b->person);
	s->name = g_strdup(b->name);
	s->link = g_strdup(b->link);
	s->incident = f->incident;
	s->state = GW_SITE_ABSENT;
	g_ptr_array_add(f->incident->scenes, s);
	g_hash_table_insert(f->d->scenes, s->id, s);
	struct gw_link *l = g_new0(struct gw_link, 1);
	l->id = g_strdup(b->link);
	l->person = g_strdup(b->person);
	l->name = g_strdup(b->name);
	l->scene = s;
	l->issued_ms = f->at_ms;
	l->expires_ms = b->expires_ms;
	l->expires_us = f->at_us + (b->expires_ms - f->at_ms) * ORT_US_PER_MS;
	g_ptr_array_add(f->incident->links, l);
	g_hash_table_insert(f->d->links, l->id, l);
	f->d->last_link = MAX(f->d->last_link, number_of(l->id));
	f->d->last_scene = MAX(f->d->last_scene, number_of(s->id));
}

static bool may_open(const struct gw_link *l, bool again, struct gw_now now, GError **err)
{
	static const struct { enum gw_domain_error code; const char *why; } refusal[GW_LINK_N] = {
		[GW_LINK_OPENED] = { GW_DOMAIN_USED, "the link was opened by another phone" },
		[GW_LINK_EXPIRED] = { GW_DOMAIN_EXPIRED, "the link has expired" },
		[GW_LINK_REVOKED] = { GW_DOMAIN_REVOKED, "the link was revoked" },
		[GW_LINK_ENDED] = { GW_DOMAIN_EXPIRED, "the incident is closed" },
	};
	if (l->state == GW_LINK_ISSUED && l->expires_us <= now.us) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_EXPIRED, "the link has expired");
		return false;
	}
	if (l->state == GW_LINK_ISSUED || (l->state == GW_LINK_OPENED && again)) {
		return true;
	}
	g_set_error(err, GW_DOMAIN_ERROR, (int)refusal[l->state].code, "%s", refusal[l->state].why);
	return false;
}

bool gw_link_open(gw_domain *d, const char *link, bool again, struct gw_now now, GError **err)
{
	struct gw_link *l = find(d, link, err);
	if (l == NULL || !may_open(l, again, now, err)) {
		return false;
	}
	if (l->state == GW_LINK_ISSUED) {
		struct gw_scene *s = l->scene;
		g_autofree char *actor = g_strconcat("field:", s->id, NULL);
		struct gw_rec_link_ref body = { l->id, now.wall_ms + d->timer_ms[GW_TIMER_LINK_LIFE] };
		gw_emit(d, GW_REC_LINK_OPENED, actor, s->incident, &body, now);
		(void)gw_scene_stamp(d, "gateway", s->id, GW_STEP_LINK_OPENED, now.wall_ms, now, NULL);
		gw_changed(d, s->incident);
	}
	return true;
}

void gw_apply_LINK_OPENED(const struct gw_fact *f)
{
	const struct gw_rec_link_ref *b = f->body;
	struct gw_link *l = find(f->d, b->link, NULL);
	if (l != NULL) {
		l->state = GW_LINK_OPENED;
		l->opened_ms = f->at_ms;
		l->expires_ms = b->expires_ms;
		l->expires_us = f->at_us + (b->expires_ms - f->at_ms) * ORT_US_PER_MS;
	}
}

static void end_link(gw_domain *d, const char *actor, struct gw_link *l, const char *why, struct gw_now now)
{
	struct gw_rec_link_ended body = { l->id, (char *)(uintptr_t)why };
	gw_emit(d, GW_REC_LINK_ENDED, actor, l->scene->incident, &body, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_LINK_ENDED, .id = l->id, .scene = l->scene->id, .why = why });
}

void gw_apply_LINK_ENDED(const struct gw_fact *f)
{
	const struct gw_rec_link_ended *b = f->body;
	struct gw_link *l = find(f->d, b->link, NULL);
	for (int s = 0; l != NULL && s < GW_LINK_N; s++) {
		if (end_words[s] != NULL && g_str_equal(end_words[s], b->why)) {
			l->state = (enum gw_link_state)s;
		}
	}
}

void gw_links_end(gw_domain *d, struct gw_incident *i, const struct gw_scene *only, const char *why, struct gw_now now)
{
	for (unsigned n = 0; n < i->links->len; n++) {
		struct gw_link *l = i->links->pdata[n];
		if ((only == NULL || l->scene == only) && (l->state == GW_LINK_ISSUED || l->state == GW_LINK_OPENED)) {
			end_link(d, "clock", l, why, now);
			(void)gw_scene_state(d, l->scene->id, GW_SITE_ABSENT, why, now);
		}
	}
	gw_changed(d, i);
}

bool gw_link_revoke(gw_domain *d, const char *actor, const char *link, struct gw_now now, GError **err)
{
	struct gw_link *l = find(d, link, err);
	if (l == NULL) {
		return false;
	}
	if (l->state != GW_LINK_ISSUED && l->state != GW_LINK_OPENED) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "the link has ended already");
		return false;
	}
	end_link(d, actor, l, "revoked", now);
	(void)gw_scene_state(d, l->scene->id, GW_SITE_ABSENT, "revoked", now);
	gw_changed(d, l->scene->incident);
	return true;
}

const char *gw_link_scene(const gw_domain *d, const char *link)
{
	struct gw_link *l = find(d, link, NULL);
	return l != NULL ? l->scene->id : NULL;
}
