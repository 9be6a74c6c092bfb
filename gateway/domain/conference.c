/* A conference (会议): opened, numbered, locked, entered by password, closed. Its parties are in party.c, its pictures in
 * view.c, its content token in content.c. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

#define MAX_OPEN 128		/* open conferences at once: a resource limit */
#define MAX_GUESSERS 256	/* callers whose wrong guesses are remembered, per conference */
#define GUESSES 3		/* J12: wrong password three times = refused */
#define FIRST_NUMBER 1001

void gw_conference_free(gpointer p)
{
	struct gw_conference *c = p;
	gw_control_clear(c);
	g_ptr_array_unref(c->asking);
	g_ptr_array_unref(c->seats);
	g_ptr_array_unref(c->views);
	g_ptr_array_unref(c->parties);
	g_hash_table_unref(c->guesses);
	g_free(c->id);
	g_free(c->number);
	g_free(c->name);
	g_free(c->password);
	g_free(c->incident);
	g_free(c->mix_state);
	g_free(c->mix_why);
	g_free(c);
}

struct gw_conference *gw_conference_find(const gw_domain *d, const char *id, GError **err)
{
	struct gw_conference *c = id != NULL ? g_hash_table_lookup(d->conferences, id) : NULL;
	if (c == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such conference");
	}
	return c;
}

struct gw_conference *gw_conference_find_open(const gw_domain *d, const char *id, GError **err)
{
	struct gw_conference *c = gw_conference_find(d, id, err);
	if (c != NULL && c->closed_ms != 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "the conference is closed");
		return NULL;
	}
	return c;
}

static struct gw_conference *numbered(const gw_domain *d, const char *number)
{
	for (unsigned n = d->conference_order->len; n > 0; n--) {
		struct gw_conference *c = d->conference_order->pdata[n - 1];
		if (c->closed_ms == 0 && g_strcmp0(c->number, number) == 0) {
			return c;
		}
	}
	return NULL;
}

const char *gw_conference_by_number(const gw_domain *d, const char *number)
{
	struct gw_conference *c = number != NULL ? numbered(d, number) : NULL;
	return c != NULL ? c->id : NULL;
}

bool gw_conference_is_open(const gw_domain *d, const char *id)
{
	struct gw_conference *c = gw_conference_find(d, id, NULL);
	return c != NULL && c->closed_ms == 0;
}

void gw_emit_conference(gw_domain *d, enum gw_rec rec, const char *actor, const struct gw_conference *c, const void *body,
			struct gw_now now)
{
	const struct gw_incident *i = c != NULL && c->incident != NULL ? gw_incident_find(d, c->incident, NULL) : NULL;
	gw_emit(d, rec, actor, i, body, now);
}

void gw_conference_changed(gw_domain *d, const struct gw_conference *c, bool mix)
{
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_CONF_CHANGED, .id = c->id });
	if (mix && c->closed_ms == 0) {
		gw_act(d, &(struct gw_action){ .kind = GW_ACT_MIX_CHANGED, .id = c->id });
	}
}

/* ---- opening ---- */
static bool number_ok(const gw_domain *d, const char *number, GError **err)
{
	size_t len = strlen(number);
	if (len < 3 || len > 8 || strspn(number, "0123456789") != len) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "number: 3 to 8 digits");
		return false;
	}
	if (numbered(d, number) != NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_CONFLICT, "number %s is in use", number);
		return false;
	}
	return true;
}

/* Not the last one again: a caller with an old number in his head shall not fall into another conference. */
static char *free_number(const gw_domain *d)
{
	for (int64_t n = MAX(d->last_number + 1, FIRST_NUMBER);; n++) {
		g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, n > 9999999 ? FIRST_NUMBER + n % 9000000 : n);
		if (numbered(d, number) == NULL) {
			return g_steal_pointer(&number);
		}
	}
}

static unsigned count_open(const gw_domain *d)
{
	unsigned n = 0;
	for (unsigned k = 0; k < d->conference_order->len; k++) {
		n += ((struct gw_conference *)d->conference_order->pdata[k])->closed_ms == 0;
	}
	return n;
}

const char *gw_conference_open(gw_domain *d, const char *actor, const struct gw_conference_facts *f, struct gw_now now, GError **err)
{
	if (!gw_text_ok(f->name, 200, true, "name", err) || (f->number != NULL && !number_ok(d, f->number, err)) ||
	    (f->incident != NULL && gw_incident_find_open(d, f->incident, err) == NULL)) {
		return NULL;
	}
	if (count_open(d) >= MAX_OPEN) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_LIMIT, "%d conferences are open", MAX_OPEN);
		return NULL;
	}
	g_autofree char *id = g_strdup_printf("conf%" G_GINT64_FORMAT, d->last_conference + 1);
	g_autofree char *number = f->number != NULL ? g_strdup(f->number) : free_number(d);
	struct gw_rec_conference_open body = { id, number, (char *)(uintptr_t)f->name, (char *)(uintptr_t)f->password,
					       (char *)(uintptr_t)f->incident, d->last_conference + 1, f->drill };
	struct gw_conference named = { .incident = body.incident };
	gw_emit_conference(d, GW_REC_CONFERENCE_OPEN, actor, &named, &body, now);
	struct gw_conference *c = g_hash_table_lookup(d->conferences, id);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_CONF_OPEN, .id = c->id });
	gw_conference_changed(d, c, true);
	return c->id;
}

void gw_apply_CONFERENCE_OPEN(const struct gw_fact *f)
{
	const struct gw_rec_conference_open *b = f->body;
	if (g_hash_table_contains(f->d->conferences, b->id)) {
		return;
	}
	struct gw_conference *c = g_new0(struct gw_conference, 1);
	c->id = g_strdup(b->id);
	c->number = g_strdup(b->number);
	c->name = g_strdup(b->name);
	c->password = g_strdup(b->password);
	c->incident = g_strdup(b->incident);
	c->drill = b->drill;
	c->opened_ms = f->at_ms;
	c->parties = g_ptr_array_new_with_free_func(gw_party_free);
	c->seats = g_ptr_array_new();
	c->views = g_ptr_array_new_with_free_func(gw_view_free);
	c->asking = g_ptr_array_new();
	c->guesses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	gw_control_init(c);
	(void)gw_view_obtain(c, "program");
	g_hash_table_insert(f->d->conferences, c->id, c);
	g_ptr_array_add(f->d->conference_order, c);
	f->d->last_conference = MAX(f->d->last_conference, b->nr);
	f->d->last_number = g_ascii_strtoll(c->number, NULL, 10) >= FIRST_NUMBER ? g_ascii_strtoll(c->number, NULL, 10) : f->d->last_number;
}

/* ---- changing ---- */
bool gw_conference_update(gw_domain *d, const char *actor, const char *id, const struct gw_conference_change *ch, struct gw_now now,
			  GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, id, err);
	if (c == NULL || (ch->name != NULL && !gw_text_ok(ch->name, 200, true, "name", err))) {
		return false;
	}
	const char *password = ch->password == NULL ? c->password : ch->password[0] != '\0' ? ch->password : NULL;
	struct gw_rec_conference_update body = { c->id, (char *)(uintptr_t)(ch->name != NULL ? ch->name : c->name),
						 (char *)(uintptr_t)password, ch->locked < 0 ? c->locked : ch->locked != 0,
						 ch->auto_redial < 0 ? c->auto_redial : ch->auto_redial != 0 };
	gw_emit_conference(d, GW_REC_CONFERENCE_UPDATE, actor, c, &body, now);
	gw_conference_changed(d, c, false);
	return true;
}

static void replace(char **where, const char *with)
{
	char *copy = g_strdup(with);
	g_free(*where);
	*where = copy;
}

void gw_apply_CONFERENCE_UPDATE(const struct gw_fact *f)
{
	const struct gw_rec_conference_update *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c == NULL) {
		return;
	}
	if (g_strcmp0(c->password, b->password) != 0) {
		g_hash_table_remove_all(c->guesses);
	}
	replace(&c->name, b->name);
	replace(&c->password, b->password);
	c->locked = b->locked;
	c->auto_redial = b->auto_redial;
	for (unsigned n = 0; n < c->parties->len; n++) {
		struct gw_party *p = c->parties->pdata[n];
		if (!c->auto_redial && !p->keep) {
			p->next_try_us = p->next_try_ms = 0;
		}
	}
}

bool gw_conference_close(gw_domain *d, const char *actor, const char *id, const char *why, struct gw_now now, GError **err)
{
	struct gw_conference *c = gw_conference_find_open(d, id, err);
	if (c == NULL || !gw_text_ok(why, 200, false, "why", err)) {
		return false;
	}
	for (unsigned n = 0; n < c->parties->len; n++) {
		gw_party_end(d, actor, c->parties->pdata[n], GW_SITE_ABSENT, "conference_closed", now);
	}
	struct gw_rec_conference_ref body = { c->id, (char *)(uintptr_t)why };
	gw_emit_conference(d, GW_REC_CONFERENCE_CLOSE, actor, c, &body, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_CONF_CLOSE, .id = c->id });
	gw_conference_changed(d, c, false);
	return true;
}

void gw_apply_CONFERENCE_CLOSE(const struct gw_fact *f)
{
	const struct gw_rec_conference_ref *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c != NULL) {
		c->closed_ms = f->at_ms;
		c->holder = c->speaker = NULL;
		g_ptr_array_set_size(c->asking, 0);
		g_ptr_array_set_size(c->seats, 0);
	}
}

/* ---- who may come in ---- */
static bool listed(const struct gw_conference *c, const char *caller)
{
	for (unsigned n = 0; caller != NULL && n < c->parties->len; n++) {
		const struct gw_party *p = c->parties->pdata[n];
		if (!p->removed && (g_strcmp0(p->address, caller) == 0 || g_strcmp0(p->site, caller) == 0)) {
			return true;
		}
	}
	return false;
}

enum gw_admission gw_conference_admit(gw_domain *d, const char *id, const char *caller, const char *digits, struct gw_now now)
{
	struct gw_conference *c = gw_conference_find_open(d, id, NULL);
	if (c == NULL) {
		return GW_ADMIT_UNKNOWN;
	}
	const struct gw_guesses *g = g_hash_table_lookup(c->guesses, caller);
	if (g != NULL && g->wrong >= GUESSES) {
		return GW_ADMIT_REFUSED;
	}
	if (c->locked && !listed(c, caller)) {
		return GW_ADMIT_LOCKED;
	}
	if (c->password == NULL) {
		return GW_ADMIT_OK;
	}
	if (digits == NULL) {
		return GW_ADMIT_ASK;
	}
	if (gw_password_matches(digits, c->password)) {
		g_hash_table_remove(c->guesses, caller);
		return GW_ADMIT_OK;
	}
	struct gw_rec_conference_guess body = { c->id, (char *)(uintptr_t)caller };
	gw_emit_conference(d, GW_REC_CONFERENCE_GUESS, "gateway", c, &body, now);
	g = g_hash_table_lookup(c->guesses, caller);
	return g != NULL && g->wrong >= GUESSES ? GW_ADMIT_REFUSED : GW_ADMIT_WRONG;
}

void gw_apply_CONFERENCE_GUESS(const struct gw_fact *f)
{
	const struct gw_rec_conference_guess *b = f->body;
	struct gw_conference *c = gw_conference_find(f->d, b->conference, NULL);
	if (c == NULL || b->caller == NULL) {
		return;
	}
	struct gw_guesses *g = g_hash_table_lookup(c->guesses, b->caller);
	if (g == NULL && g_hash_table_size(c->guesses) < MAX_GUESSERS) {
		g = g_new0(struct gw_guesses, 1);
		g_hash_table_insert(c->guesses, g_strdup(b->caller), g);
	}
	if (g != NULL) {
		g->wrong++;
	}
}

/* ---- its clock ---- */
int64_t gw_conference_deadline(const gw_domain *d, const struct gw_conference *c)
{
	int64_t next = ORT_NEVER;
	for (unsigned n = 0; c->closed_ms == 0 && n < c->parties->len; n++) {
		next = MIN(next, gw_party_deadline(d, c->parties->pdata[n]));
	}
	return next;
}

void gw_conference_tick(gw_domain *d, struct gw_conference *c, struct gw_now now)
{
	for (unsigned n = 0; c->closed_ms == 0 && n < c->parties->len; n++) {
		gw_party_tick(d, c->parties->pdata[n], now);
	}
}

/* Who came in by itself and can be found again: an account where it registered, a row of a trunk. Others must call. */
static bool calls_back(const struct gw_party *p)
{
	return p->address != NULL && (g_str_has_prefix(p->address, "device:") || g_str_has_prefix(p->address, "trunk:"));
}

/* Calls died with the gateway that held them: who was called out, or was there and can be called, is called again; pages come
 * back by themselves. */
void gw_conference_woken(gw_domain *d, struct gw_conference *c, struct gw_now now)
{
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_CONF_OPEN, .id = c->id });
	for (unsigned n = 0; n < c->parties->len; n++) {
		struct gw_party *p = c->parties->pdata[n];
		bool calling = p->state == GW_SITE_CALLING || p->state == GW_SITE_RINGING;
		if (p->removed || !(calling || gw_party_is_live(p->state) || p->state == GW_SITE_LEAVING)) {
			continue;
		}
		if (p->kind == GW_PARTY_BROWSER || (p->kind == GW_PARTY_ROOM && !calling)) {
			(void)gw_party_state(d, p->id, GW_SITE_CONNECTING, "gateway_restarted", now);
			continue;
		}
		bool again = p->out || (gw_party_is_live(p->state) && calls_back(p));
		(void)gw_party_state(d, p->id, GW_SITE_FAILED, "gateway_restarted", now);
		if (again) {
			p->next_try_us = now.us;
			p->next_try_ms = now.wall_ms;
		}
	}
	gw_conference_changed(d, c, true);
}

/* ---- what media says ---- */
void gw_conference_speaker(gw_domain *d, const char *id, const char *party)
{
	struct gw_conference *c = gw_conference_find_open(d, id, NULL);
	struct gw_party *p = gw_party_get(d, party);
	if (c != NULL && c->speaker != p && (p == NULL || p->conference == c)) {
		c->speaker = p;
		gw_conference_changed(d, c, true);
	}
}

const char *gw_conference_get_speaker(const gw_domain *d, const char *id)
{
	struct gw_conference *c = gw_conference_find_open(d, id, NULL);
	return c != NULL && c->speaker != NULL ? c->speaker->id : NULL;
}

void gw_conference_mix(gw_domain *d, const char *id, const char *state, const char *why)
{
	struct gw_conference *c = gw_conference_find_open(d, id, NULL);
	if (c != NULL && (g_strcmp0(c->mix_state, state) != 0 || g_strcmp0(c->mix_why, why) != 0)) {
		replace(&c->mix_state, state);
		replace(&c->mix_why, why);
		gw_conference_changed(d, c, false);
	}
}

void gw_conference_foreach_open(const gw_domain *d, void (*fn)(const char *id, void *ud), void *ud)
{
	for (unsigned n = 0; n < d->conference_order->len; n++) {
		struct gw_conference *c = d->conference_order->pdata[n];
		if (c->closed_ms == 0) {
			fn(c->id, ud);
		}
	}
}

/* ---- as a part of the domain ---- */
static void init(gw_domain *d)
{
	d->conferences = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, gw_conference_free);
	d->conference_order = g_ptr_array_new();
	d->parties = g_hash_table_new(g_str_hash, g_str_equal);
}

static void finish(gw_domain *d)
{
	g_hash_table_unref(d->parties);
	g_ptr_array_unref(d->conference_order);
	g_hash_table_unref(d->conferences);
}

static void woken(gw_domain *d, struct gw_now now)
{
	for (unsigned n = 0; n < d->conference_order->len; n++) {
		struct gw_conference *c = d->conference_order->pdata[n];
		if (c->closed_ms == 0) {
			gw_conference_woken(d, c, now);
		}
	}
}

static int64_t deadline(const gw_domain *d)
{
	int64_t next = ORT_NEVER;
	for (unsigned n = 0; n < d->conference_order->len; n++) {
		next = MIN(next, gw_conference_deadline(d, d->conference_order->pdata[n]));
	}
	return next;
}

static void tick(gw_domain *d, struct gw_now now)
{
	for (unsigned n = 0; n < d->conference_order->len; n++) {
		gw_conference_tick(d, d->conference_order->pdata[n], now);
	}
}

const struct gw_part gw_part_conference = { init, finish, woken, deadline, tick };
