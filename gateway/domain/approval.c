/* Four eyes (双人复核): one administrator asks, another approves, the first one then acts once. Rules of (event, now). */
#include "gateway/domain/domain_priv.h"

#include <string.h>

#define MAX_WAITING 200
#define KEEP_MS (24 * 3600 * 1000LL)

enum state { WAITING, APPROVED, REFUSED, USED, EXPIRED, N_STATES };
static const char *const states[N_STATES + 1] = { "waiting", "approved", "refused", "used", "expired", NULL };

struct approval { char *id, *subject, *actor, *method, *digest, *text, *by; enum state state; int64_t nr, asked_ms, ended_ms, asked_us; };
struct gw_approvals { GPtrArray *all; /* struct approval, owned, oldest first */ int64_t last; };

static void approval_free(gpointer p)
{
	struct approval *a = p;
	char *const texts[] = { a->id, a->subject, a->actor, a->method, a->digest, a->text, a->by };
	for (unsigned n = 0; n < G_N_ELEMENTS(texts); n++) {
		g_free(texts[n]);
	}
	g_free(a);
}

static void init(gw_domain *d)
{
	d->approvals = g_new0(struct gw_approvals, 1);
	d->approvals->all = g_ptr_array_new_with_free_func(approval_free);
}

static void finish(gw_domain *d)
{
	g_ptr_array_unref(d->approvals->all);
	g_free(d->approvals);
}

static struct approval *find(const gw_domain *d, const char *id)
{
	for (unsigned n = 0; n < d->approvals->all->len; n++) {
		struct approval *a = d->approvals->all->pdata[n];
		if (g_strcmp0(a->id, id) == 0) {
			return a;
		}
	}
	return NULL;
}

static bool is_live(const struct approval *a)
{
	return a->state == WAITING || a->state == APPROVED;
}

static int64_t end_us(const gw_domain *d, const struct approval *a)
{
	return a->asked_us + d->timer_ms[GW_TIMER_APPROVAL] * ORT_US_PER_MS;
}

static struct approval *live_same(const gw_domain *d, const struct gw_approval_facts *f, struct gw_now now)
{
	for (unsigned n = 0; n < d->approvals->all->len; n++) {
		struct approval *a = d->approvals->all->pdata[n];
		if (is_live(a) && now.us < end_us(d, a) && g_str_equal(a->subject, f->subject) && g_str_equal(a->method, f->method) &&
		    g_str_equal(a->digest, f->digest)) {
			return a;
		}
	}
	return NULL;
}

static unsigned waiting(const gw_domain *d)
{
	unsigned live = 0;
	for (unsigned n = 0; n < d->approvals->all->len; n++) {
		live += is_live(d->approvals->all->pdata[n]);
	}
	return live;
}

const char *gw_approval_ask(gw_domain *d, const char *actor, const struct gw_approval_facts *f, struct gw_now now, GError **err)
{
	const struct approval *same = live_same(d, f, now);
	if (same != NULL) {
		return same->id;
	}
	if (waiting(d) >= MAX_WAITING) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_LIMIT, "%d requests wait for a second administrator", MAX_WAITING);
		return NULL;
	}
	int64_t nr = d->approvals->last + 1;
	g_autofree char *id = g_strdup_printf("ap-%" G_GINT64_FORMAT, nr);
	struct gw_rec_approval_ask body = { id, (char *)(uintptr_t)f->subject, (char *)(uintptr_t)f->method, (char *)(uintptr_t)f->digest,
					    (char *)(uintptr_t)f->text, nr };
	gw_emit(d, GW_REC_APPROVAL_ASK, actor, NULL, &body, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_APPROVAL, .id = id });
	return find(d, id)->id;
}

void gw_apply_APPROVAL_ASK(const struct gw_fact *f)
{
	const struct gw_rec_approval_ask *b = f->body;
	struct approval *a = g_new0(struct approval, 1);
	*a = (struct approval){ .id = g_strdup(b->id), .subject = g_strdup(b->subject), .actor = g_strdup(f->actor), .method = g_strdup(b->method),
				.digest = g_strdup(b->digest), .text = g_strdup(b->text), .nr = b->nr, .asked_ms = f->at_ms, .asked_us = f->at_us };
	g_ptr_array_add(f->d->approvals->all, a);
	f->d->approvals->last = MAX(f->d->approvals->last, b->nr);
}

static void end(gw_domain *d, const char *actor, const struct approval *a, const char *by, enum state state, struct gw_now now)
{
	struct gw_rec_approval_end body = { a->id, (char *)(uintptr_t)by, (char *)(uintptr_t)states[state] };
	gw_emit(d, GW_REC_APPROVAL_END, actor, NULL, &body, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_APPROVAL, .id = a->id });
}

void gw_apply_APPROVAL_END(const struct gw_fact *f)
{
	const struct gw_rec_approval_end *b = f->body;
	struct approval *a = find(f->d, b->id);
	for (int n = 0; a != NULL && n < N_STATES; n++) {
		if (g_str_equal(states[n], b->state)) {
			a->state = (enum state)n;
			a->ended_ms = f->at_ms;
		}
	}
	if (a != NULL && b->by != NULL && (a->state == APPROVED || a->state == REFUSED)) {
		g_free(a->by);
		a->by = g_strdup(b->by);
	}
}

bool gw_approval_decide(gw_domain *d, const char *actor, const char *by, const char *id, bool yes, struct gw_now now, GError **err)
{
	const struct approval *a = find(d, id);
	if (a == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no request %s", id);
	} else if (a->state == EXPIRED || (a->state == WAITING && now.us >= end_us(d, a))) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_EXPIRED, "the request is too old");
	} else if (a->state != WAITING) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_STATE, "it is %s already", states[a->state]);
	} else if (yes && g_str_equal(a->subject, by)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_CONFLICT, "another administrator must approve it");
	} else {
		end(d, actor, a, by, yes ? APPROVED : REFUSED, now);
		return true;
	}
	return false;
}

bool gw_approval_use(gw_domain *d, const char *actor, const struct gw_approval_facts *f, struct gw_now now)
{
	const struct approval *a = live_same(d, f, now);
	if (a == NULL || a->state != APPROVED) {
		return false;
	}
	end(d, actor, a, NULL, USED, now);
	return true;
}

static int64_t deadline(const gw_domain *d)
{
	int64_t next = ORT_NEVER;
	for (unsigned n = 0; n < d->approvals->all->len; n++) {
		const struct approval *a = d->approvals->all->pdata[n];
		next = is_live(a) ? MIN(next, end_us(d, a)) : next;
	}
	return next;
}

static void tick(gw_domain *d, struct gw_now now)
{
	GPtrArray *all = d->approvals->all;
	for (unsigned n = 0; n < all->len; n++) {
		const struct approval *a = all->pdata[n];
		if (is_live(a) && now.us >= end_us(d, a)) {
			end(d, "clock", a, NULL, EXPIRED, now);
		}
	}
	while (all->len > 0 && !is_live(all->pdata[0]) && ((const struct approval *)all->pdata[0])->ended_ms + KEEP_MS < now.wall_ms) {
		g_ptr_array_remove_index(all, 0);
	}
}

json_t *gw_approval_list(const gw_domain *d)
{
	json_t *out = json_array();
	for (unsigned n = d->approvals->all->len; n-- > 0;) {
		const struct approval *a = d->approvals->all->pdata[n];
		json_int_t until_ms = a->asked_ms + d->timer_ms[GW_TIMER_APPROVAL];
		json_array_append_new(out, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s?,s:I,s:I,s:I}", "id", a->id, "subject", a->subject, "actor", a->actor,
						     "method", a->method, "text", a->text, "state", states[a->state], "by", a->by, "asked_ms",
						     (json_int_t)a->asked_ms, "until_ms", until_ms, "ended_ms", (json_int_t)a->ended_ms));
	}
	return out;
}

const struct gw_part gw_part_approval = { .init = init, .finish = finish, .deadline = deadline, .tick = tick };
