/* Call-and-acknowledge (叫应): who is tried when, what came of it, who confirmed. How a siren sounds or a message leaves is the
 * application's; it says back what a way came to. */
#include <string.h>

#include "gateway/domain/domain_priv.h"
#include "gateway/domain/directory_priv.h"

static void way_clear(gpointer p)
{
	struct gw_callack_way *w = p;
	g_free(w->to);
	g_free(w->why);
}

static void row_free(gpointer p)
{
	struct gw_callack_row *r = p;
	g_array_unref(r->ways);
	g_free(r->post);
	g_free(r->name);
	g_free(r->person);
	g_free(r->site);
	g_free(r->acked_by);
	g_free(r->party);
	g_free(r);
}

static void callack_free(gpointer p)
{
	struct gw_callack *c = p;
	g_ptr_array_unref(c->rows);
	g_free(c->id);
	g_free(c->text);
	g_free(c->by);
	g_free(c->why);
	g_free(c);
}

static struct gw_callack *find(const gw_domain *d, const char *id, GError **err)
{
	struct gw_callack *c = id != NULL ? g_hash_table_lookup(d->callacks->all, id) : NULL;
	if (c == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such call-and-acknowledge");
	}
	return c;
}

static struct gw_callack_row *row_at(const struct gw_callack *c, int64_t n)
{
	return c != NULL && n >= 0 && n < (int64_t)c->rows->len ? c->rows->pdata[n] : NULL;
}

static struct gw_callack_way *way_at(const struct gw_callack_row *r, int64_t n)
{
	return r != NULL && n >= 0 && n < (int64_t)r->ways->len ? &g_array_index(r->ways, struct gw_callack_way, n) : NULL;
}

static void changed(gw_domain *d, const struct gw_callack *c, const char *why, const char *post)
{
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_CALLACK, .id = c->id, .why = why, .text = post });
}

static void emit(gw_domain *d, enum gw_rec rec, const char *actor, const struct gw_callack *c, const void *body, struct gw_now now)
{
	gw_emit_conference(d, rec, actor, c->conference, body, now);
}

static char *str(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* ---- making one: what was left out comes from the directory ---- */
static void add_way(struct gw_rec_callack_way *ways, size_t *n, enum gw_callack_channel channel, const char *to)
{
	if (to != NULL && to[0] != '\0' && *n < 8) {
		ways[*n] = (struct gw_rec_callack_way){ (int)channel, g_strdup(to) };
		++*n;
	}
}

static void usual_ways(const gw_domain *d, struct gw_rec_callack_row *r)
{
	const struct gw_rec_site *s = r->site != NULL ? g_hash_table_lookup(d->directory[GW_SITE], r->site) : NULL;
	const struct gw_rec_person *p = r->person != NULL ? g_hash_table_lookup(d->directory[GW_PERSON], r->person) : NULL;
	struct gw_rec_callack_way *ways = g_new0(struct gw_rec_callack_way, 8);
	size_t n = 0;
	bool page = s != NULL && (gw_room_known(d, s->address) || gw_room_at(d, s->id) != NULL);
	add_way(ways, &n, GW_CALLACK_PAGE, s == NULL ? NULL : gw_room_known(d, s->address) ? s->address : gw_room_at(d, s->id));
	add_way(ways, &n, GW_CALLACK_CALL, s != NULL && !(page && gw_room_known(d, s->address)) ? s->address : NULL);
	add_way(ways, &n, GW_CALLACK_LINK, p != NULL ? p->phone : NULL);
	add_way(ways, &n, GW_CALLACK_VOICE, p != NULL ? p->phone : NULL);
	r->ways = (struct ort_json_array){ ways, n };
}

static bool row_ok(const gw_domain *d, struct gw_rec_callack_row *r, GError **err)
{
	const struct gw_rec_site *s = r->site != NULL ? g_hash_table_lookup(d->directory[GW_SITE], r->site) : NULL;
	const struct gw_rec_person *p = r->person != NULL ? g_hash_table_lookup(d->directory[GW_PERSON], r->person) : NULL;
	if ((r->site != NULL && s == NULL) || (r->person != NULL && p == NULL)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "rows: %s is not in the directory", s == NULL && r->site ? r->site : r->person);
		return false;
	}
	const char *name = r->name != NULL ? r->name : p != NULL ? p->name : s != NULL ? s->name : NULL;
	if (r->ways.n == 0) {
		g_free(r->ways.items);
		usual_ways(d, r);
	}
	if (name == NULL || r->ways.n == 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "rows: %s cannot be reached by any way", name != NULL ? name : "somebody without a name");
		return false;
	}
	r->name = r->name != NULL ? r->name : g_strdup(name);
	r->post = r->post != NULL ? r->post : g_strdup(r->name);
	return true;
}

/* {rows: [...]} into body. */
static bool read_rows(const gw_domain *d, json_t *rows, struct gw_rec_callack_open *body, GError **err)
{
	g_autoptr(json_t) whole = json_pack("{s:s,s:s,s:O}", "id", "x", "conference", "x", "rows", rows);
	g_autofree char *why = NULL;
	if (ort_json_read(&gw_rec_table_callack_open, whole, body, &why) < 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "%s", why);
		return false;
	}
	struct gw_rec_callack_row *all = body->rows.items;
	for (size_t n = 0; n < body->rows.n; n++) {
		if (!row_ok(d, &all[n], err)) {
			return false;
		}
	}
	if (body->rows.n == 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "rows: 1 to %d", GW_CALLACK_ROWS);
	}
	return body->rows.n > 0;
}

const char *gw_callack_open(gw_domain *d, const char *actor, const char *conference, const char *text, json_t *rows, struct gw_now now,
			    GError **err)
{
	struct gw_conference *conf = gw_conference_find_open(d, conference, err);
	struct gw_rec_callack_open body = { 0 };
	if (conf == NULL || !gw_text_ok(text, 2000, true, "text", err)) {
		return NULL;
	}
	const char *id = NULL;
	if (read_rows(d, rows, &body, err)) {
		g_free(body.id);
		g_free(body.conference);
		body.id = g_strdup_printf("ca-%" G_GINT64_MODIFIER "x", d->callacks->last + 1);
		body.conference = g_strdup(conf->id);
		body.text = g_strdup(text);
		body.nr = d->callacks->last + 1;
		gw_emit_conference(d, GW_REC_CALLACK_OPEN, actor, conf, &body, now);
		struct gw_callack *c = find(d, body.id, err);
		id = c != NULL ? c->id : NULL;
	}
	ort_json_clear(&gw_rec_table_callack_open, &body);
	if (id != NULL) {
		changed(d, find(d, id, NULL), NULL, NULL);
		gw_part_callack.tick(d, now);
	}
	return id;
}

static struct gw_callack_row *row_new(const struct gw_rec_callack_row *b)
{
	struct gw_callack_row *r = g_new0(struct gw_callack_row, 1);
	*r = (struct gw_callack_row){ .post = g_strdup(b->post), .name = g_strdup(b->name), .person = g_strdup(b->person), .site = g_strdup(b->site),
				      .wait_ms = b->wait_ms, .together = b->together, .acked_way = -1,
				      .ways = g_array_new(FALSE, TRUE, sizeof(struct gw_callack_way)) };
	g_array_set_clear_func(r->ways, way_clear);
	const struct gw_rec_callack_way *ways = b->ways.items;
	for (size_t n = 0; n < b->ways.n; n++) {
		struct gw_callack_way w = { .channel = (enum gw_callack_channel)ways[n].channel, .to = g_strdup(ways[n].to) };
		g_array_append_val(r->ways, w);
	}
	return r;
}

void gw_apply_CALLACK_OPEN(const struct gw_fact *f)
{
	const struct gw_rec_callack_open *b = f->body;
	struct gw_conference *conf = gw_conference_find(f->d, b->conference, NULL);
	if (conf == NULL || g_hash_table_contains(f->d->callacks->all, b->id)) {
		return;
	}
	struct gw_callack *c = g_new0(struct gw_callack, 1);
	*c = (struct gw_callack){ .id = g_strdup(b->id), .text = g_strdup(b->text), .by = g_strdup(f->actor), .conference = conf,
				  .opened_ms = f->at_ms, .rows = g_ptr_array_new_with_free_func(row_free) };
	const struct gw_rec_callack_row *rows = b->rows.items;
	for (size_t n = 0; n < b->rows.n; n++) {
		g_ptr_array_add(c->rows, row_new(&rows[n]));
	}
	g_hash_table_insert(f->d->callacks->all, c->id, c);
	g_ptr_array_add(f->d->callacks->order, c);
	f->d->callacks->last = MAX(f->d->callacks->last, b->nr);
}

/* ---- trying ---- */
static void send(gw_domain *d, const struct gw_callack *c, int row, int way, bool on)
{
	const struct gw_callack_way *w = way_at(row_at(c, row), way);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_CALLACK_WAY, .id = c->id, .step = row, .minutes = way, .on = on, .text = w->to,
				       .why = gw_callack_channel_names[w->channel] });
}

static void try(gw_domain *d, struct gw_callack *c, int row, struct gw_now now)
{
	struct gw_rec_callack_try body = { c->id, row };
	if (row_at(c, row)->tried_ms != 0) {
		return;	/* a way failed at once and the clock went on meanwhile */
	}
	emit(d, GW_REC_CALLACK_TRY, "clock", c, &body, now);
	for (unsigned n = 0; n < row_at(c, row)->ways->len; n++) {
		send(d, c, row, (int)n, true);
	}
	changed(d, c, NULL, NULL);
}

void gw_apply_CALLACK_TRY(const struct gw_fact *f)
{
	const struct gw_rec_callack_try *b = f->body;
	struct gw_callack_row *r = row_at(find(f->d, b->callack, NULL), b->row);
	if (r == NULL) {
		return;
	}
	r->tried_ms = f->at_ms;
	r->tried_us = f->at_us;
	for (unsigned n = 0; n < r->ways->len; n++) {
		struct gw_callack_way *w = way_at(r, n);
		w->state = GW_WAY_SENT;
		w->since_ms = w->at_ms[GW_WAY_SENT] = f->at_ms;
	}
}

static bool is_over(enum gw_callack_state state)
{
	return state == GW_WAY_ACKED || state == GW_WAY_FAILED || state == GW_WAY_CANCELLED;
}

bool gw_callack_way(gw_domain *d, const char *id, int row, int way, enum gw_callack_state state, const char *why, struct gw_now now)
{
	struct gw_callack *c = find(d, id, NULL);
	struct gw_callack_row *r = row_at(c, row);
	struct gw_callack_way *w = way_at(r, way);
	if (w == NULL || c->closed_ms != 0 || r->acked_ms != 0 || is_over(w->state) || w->state >= state || state == GW_WAY_ACKED) {
		return w != NULL;
	}
	struct gw_rec_callack_state body = { c->id, str(why), row, way, (int)state };
	emit(d, GW_REC_CALLACK_STATE, "gateway", c, &body, now);
	changed(d, c, NULL, NULL);
	gw_part_callack.tick(d, now);
	return true;
}

void gw_apply_CALLACK_STATE(const struct gw_fact *f)
{
	const struct gw_rec_callack_state *b = f->body;
	struct gw_callack_way *w = way_at(row_at(find(f->d, b->callack, NULL), b->row), b->way);
	if (w != NULL) {
		w->state = (enum gw_callack_state)b->state;
		w->since_ms = w->at_ms[b->state] = f->at_ms;
		g_free(w->why);
		w->why = g_strdup(b->why);
	}
}

/* ---- confirming ---- */
const struct gw_callack_row *gw_callack_acked(const struct gw_callack *c, const char *post)
{
	for (unsigned n = 0; n < c->rows->len; n++) {
		const struct gw_callack_row *r = c->rows->pdata[n];
		if (r->acked_ms != 0 && strcmp(r->post, post) == 0) {
			return r;
		}
	}
	return NULL;
}

bool gw_callack_ended(const struct gw_callack *c, const char *post)
{
	for (unsigned n = 0; n < c->rows->len; n++) {
		const struct gw_callack_row *r = c->rows->pdata[n];
		if ((r->acked_ms != 0 || r->spent) && strcmp(r->post, post) == 0) {
			return true;
		}
	}
	return false;
}

/* Stops what still sounds of a post (NULL = of all), but not the way that confirmed. */
static void stop_ways(gw_domain *d, struct gw_callack *c, const char *post, const struct gw_callack_way *but)
{
	for (unsigned n = 0; n < c->rows->len; n++) {
		struct gw_callack_row *r = c->rows->pdata[n];
		for (unsigned k = 0; r->tried_ms != 0 && k < r->ways->len; k++) {
			struct gw_callack_way *w = way_at(r, k);
			bool live = w != but && (w->state == GW_WAY_CANCELLED || !is_over(w->state));
			if (live && (post == NULL || strcmp(r->post, post) == 0)) {
				send(d, c, (int)n, (int)k, false);
			}
		}
	}
}

static void cancel_ways(struct gw_callack *c, const char *post, int64_t at_ms)
{
	for (unsigned n = 0; n < c->rows->len; n++) {
		struct gw_callack_row *r = c->rows->pdata[n];
		for (unsigned k = 0; r->tried_ms != 0 && k < r->ways->len; k++) {
			struct gw_callack_way *w = way_at(r, k);
			if (!is_over(w->state) && (post == NULL || strcmp(r->post, post) == 0)) {
				w->state = GW_WAY_CANCELLED;
				w->since_ms = w->at_ms[GW_WAY_CANCELLED] = at_ms;
			}
		}
	}
}

/* A room's page takes the conference's call by the same key that confirmed. */
static void join_room(gw_domain *d, const struct gw_callack *c, int row, const struct gw_callack_way *w, struct gw_now now)
{
	const struct gw_callack_row *r = row_at(c, row);
	struct gw_party_facts facts = { .name = r->name, .site = r->site, .address = w->to, .kind = GW_PARTY_ROOM };
	if (w->channel == GW_CALLACK_PAGE && gw_room_known(d, w->to)) {
		const char *party = gw_party_call(d, "gateway", c->conference->id, &facts, now, NULL);
		party = party != NULL ? party : gw_party_by_address(d, c->conference->id, w->to);	/* there already */
		gw_callack_joined(d, c->id, row, party, now);
	}
}

bool gw_callack_ack(gw_domain *d, const char *actor, const char *id, int row, int way, struct gw_now now, GError **err)
{
	struct gw_callack *c = find(d, id, err);
	struct gw_callack_row *r = row_at(c, row);
	struct gw_callack_way *w = way_at(r, MAX(way, 0));
	if (c == NULL || w == NULL || r->tried_ms == 0) {
		if (c != NULL) {
			g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "nobody was called by that row");
		}
		return false;
	}
	if (r->acked_ms != 0) {
		return true;
	}
	if (c->closed_ms != 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "it is over");
		return false;
	}
	struct gw_rec_callack_ack body = { c->id, row, MAX(way, 0) };
	emit(d, GW_REC_CALLACK_ACK, actor, c, &body, now);
	stop_ways(d, c, r->post, w);
	join_room(d, c, row, w, now);
	changed(d, c, "acked", r->post);
	return true;
}

void gw_apply_CALLACK_ACK(const struct gw_fact *f)
{
	const struct gw_rec_callack_ack *b = f->body;
	struct gw_callack *c = find(f->d, b->callack, NULL);
	struct gw_callack_row *r = row_at(c, b->row);
	struct gw_callack_way *w = way_at(r, b->way);
	if (w == NULL) {
		return;
	}
	w->state = GW_WAY_ACKED;
	w->since_ms = w->at_ms[GW_WAY_ACKED] = r->acked_ms = f->at_ms;
	r->acked_way = (int)b->way;
	g_free(r->acked_by);
	r->acked_by = g_strdup(f->actor);
	cancel_ways(c, r->post, f->at_ms);
}

void gw_callack_joined(gw_domain *d, const char *id, int row, const char *party, struct gw_now now)
{
	struct gw_callack *c = find(d, id, NULL);
	const struct gw_callack_row *r = row_at(c, row);
	if (r != NULL && party != NULL && g_strcmp0(r->party, party) != 0) {
		struct gw_rec_callack_join body = { c->id, str(party), row };
		emit(d, GW_REC_CALLACK_JOIN, "gateway", c, &body, now);
		changed(d, c, NULL, NULL);
	}
}

void gw_apply_CALLACK_JOIN(const struct gw_fact *f)
{
	const struct gw_rec_callack_join *b = f->body;
	struct gw_callack_row *r = row_at(find(f->d, b->callack, NULL), b->row);
	if (r != NULL) {
		g_free(r->party);
		r->party = g_strdup(b->party);
	}
}

/* ---- the end ---- */
bool gw_callack_close(gw_domain *d, const char *actor, const char *id, const char *why, struct gw_now now, GError **err)
{
	struct gw_callack *c = find(d, id, err);
	if (c == NULL || c->closed_ms != 0) {
		return c != NULL;
	}
	stop_ways(d, c, NULL, NULL);
	struct gw_rec_callack_close body = { c->id, str(why) };
	emit(d, GW_REC_CALLACK_CLOSE, actor, c, &body, now);
	changed(d, c, "closed", NULL);
	return true;
}

void gw_apply_CALLACK_CLOSE(const struct gw_fact *f)
{
	const struct gw_rec_callack_close *b = f->body;
	struct gw_callack *c = find(f->d, b->callack, NULL);
	if (c != NULL) {
		c->closed_ms = f->at_ms;
		c->why = g_strdup(b->why);
		cancel_ways(c, NULL, f->at_ms);
	}
}

void gw_apply_CALLACK_SPENT(const struct gw_fact *f)
{
	const struct gw_rec_callack_spent *b = f->body;
	struct gw_callack *c = find(f->d, b->callack, NULL);
	struct gw_callack_row *last = NULL;
	for (unsigned n = 0; c != NULL && n < c->rows->len; n++) {
		struct gw_callack_row *r = c->rows->pdata[n];
		last = g_strcmp0(r->post, b->post) == 0 ? r : last;
	}
	if (last != NULL) {
		last->spent = true;
	}
}

/* ---- its clock ---- */
/* Where a post stands: its last row that was tried, its next that was not. -1 = none. */
struct stand { int last, next; bool all_failed; int64_t due_us; };

static struct stand stand_of(const gw_domain *d, const struct gw_callack *c, const char *post)
{
	struct stand s = { -1, -1, true, 0 };
	for (int n = 0; n < (int)c->rows->len; n++) {
		const struct gw_callack_row *r = row_at(c, n);
		if (strcmp(r->post, post) != 0) {
			continue;
		}
		if (r->tried_ms == 0) {
			s.next = s.next < 0 ? n : s.next;
			continue;
		}
		s.last = n;
		s.all_failed |= !r->together;	/* of the last ones that were tried, not of those before */
		s.due_us = r->tried_us + (r->wait_ms > 0 ? r->wait_ms : d->timer_ms[GW_TIMER_CALLACK_NEXT]) * ORT_US_PER_MS;
		for (unsigned k = 0; k < r->ways->len; k++) {
			s.all_failed &= way_at(r, k)->state == GW_WAY_FAILED;
		}
	}
	return s;
}

static void spend(gw_domain *d, struct gw_callack *c, const char *post, struct gw_now now)
{
	struct gw_rec_callack_spent body = { c->id, str(post) };
	emit(d, GW_REC_CALLACK_SPENT, "clock", c, &body, now);
	changed(d, c, "spent", post);
}

static void tick_post(gw_domain *d, struct gw_callack *c, const char *post, struct gw_now now)
{
	struct stand s = stand_of(d, c, post);
	bool due = s.last < 0 || s.all_failed || now.us >= s.due_us;
	if (due && s.next < 0) {
		spend(d, c, post, now);
		return;
	}
	for (int n = s.next; due && n >= 0 && n < (int)c->rows->len; n++) {
		const struct gw_callack_row *r = row_at(c, n);
		if (strcmp(r->post, post) != 0) {
			continue;
		}
		if (n != s.next && !r->together) {
			break;
		}
		try(d, c, n, now);
	}
}

/* Each post once: at its first row. */
static bool is_first(const struct gw_callack *c, unsigned n)
{
	for (unsigned k = 0; k < n; k++) {
		if (strcmp(row_at(c, k)->post, row_at(c, n)->post) == 0) {
			return false;
		}
	}
	return true;
}

static bool is_open(const struct gw_callack *c)
{
	return c->closed_ms == 0 && c->conference->closed_ms == 0;
}

static void tick(gw_domain *d, struct gw_now now)
{
	for (unsigned k = 0; k < d->callacks->order->len; k++) {
		struct gw_callack *c = d->callacks->order->pdata[k];
		if (c->closed_ms == 0 && c->conference->closed_ms != 0) {
			(void)gw_callack_close(d, "clock", c->id, "conference_closed", now, NULL);
		}
		for (unsigned n = 0; is_open(c) && n < c->rows->len; n++) {
			if (is_first(c, n) && !gw_callack_ended(c, row_at(c, n)->post)) {
				tick_post(d, c, row_at(c, n)->post, now);
			}
		}
	}
}

static int64_t deadline(const gw_domain *d)
{
	int64_t next = ORT_NEVER;
	for (unsigned k = 0; k < d->callacks->order->len; k++) {
		const struct gw_callack *c = d->callacks->order->pdata[k];
		for (unsigned n = 0; is_open(c) && n < c->rows->len; n++) {
			if (is_first(c, n) && !gw_callack_ended(c, row_at(c, n)->post)) {
				next = MIN(next, stand_of(d, c, row_at(c, n)->post).due_us);
			}
		}
	}
	return next;
}

/* Calls died with the gateway: made again. Pages ask for what sounds, messages have gone. */
static void woken(gw_domain *d, struct gw_now now)
{
	for (unsigned k = 0; k < d->callacks->order->len; k++) {
		const struct gw_callack *c = d->callacks->order->pdata[k];
		for (unsigned n = 0; is_open(c) && n < c->rows->len; n++) {
			const struct gw_callack_row *r = row_at(c, n);
			for (unsigned w = 0; r->tried_ms != 0 && w < r->ways->len; w++) {
				const struct gw_callack_way *way = way_at(r, w);
				if (way->channel == GW_CALLACK_CALL && !is_over(way->state)) {
					send(d, c, (int)n, (int)w, true);
				}
			}
		}
	}
}

static void init(gw_domain *d)
{
	d->callacks = g_new0(struct gw_callacks, 1);
	d->callacks->all = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, callack_free);
	d->callacks->order = g_ptr_array_new();
}

static void finish(gw_domain *d)
{
	g_ptr_array_unref(d->callacks->order);
	g_hash_table_unref(d->callacks->all);
	g_free(d->callacks);
}

const struct gw_part gw_part_callack = { init, finish, woken, deadline, tick };
