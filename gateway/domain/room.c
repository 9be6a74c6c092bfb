/* Rooms that have only a browser: their rows, and which call is theirs. Who is connected is the application's. */
#include <string.h>

#include "gateway/domain/domain_priv.h"
#include "gateway/domain/directory_priv.h"

#define SCHEME "device:"
#define MAX_ROOMS 5000

const char *const gw_room_answer_names[GW_ROOM_ANSWER_N + 1] = {
	[GW_ROOM_ROLLCALL] = "rollcall", [GW_ROOM_AUTO] = "auto", [GW_ROOM_ASK] = "ask",
};

static void room_free(gpointer p)
{
	struct gw_room *r = p;
	g_free(r->device);
	g_free(r->address);
	g_free(r->name);
	g_free(r->site);
	g_free(r);
}

static struct gw_room *by_device(const gw_domain *d, const char *device)
{
	return device != NULL ? g_hash_table_lookup(d->rooms, device) : NULL;
}

bool gw_room_put(gw_domain *d, const char *actor, const struct gw_room_facts *f, struct gw_now now, GError **err)
{
	if (!gw_text_ok(f->name, 200, true, "name", err) || !gw_text_ok(f->device, 90, true, "device", err)) {
		return false;
	}
	if (f->site != NULL && !g_hash_table_contains(d->directory[GW_SITE], f->site)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such site");
		return false;
	}
	if (by_device(d, f->device) == NULL && g_hash_table_size(d->rooms) >= MAX_ROOMS) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_LIMIT, "%d rooms", MAX_ROOMS);
		return false;
	}
	struct gw_rec_room_put body = { (char *)(uintptr_t)f->device, (char *)(uintptr_t)f->name, (char *)(uintptr_t)f->site, (int)f->answer };
	gw_emit(d, GW_REC_ROOM_PUT, actor, NULL, &body, now);
	return true;
}

void gw_apply_ROOM_PUT(const struct gw_fact *f)
{
	const struct gw_rec_room_put *b = f->body;
	struct gw_room *r = g_new0(struct gw_room, 1);
	*r = (struct gw_room){ g_strdup(b->device), g_strconcat(SCHEME, b->device, NULL), g_strdup(b->name), g_strdup(b->site),
			       (enum gw_room_answer)b->answer };
	g_hash_table_replace(f->d->rooms, r->device, r);
}

bool gw_room_remove(gw_domain *d, const char *actor, const char *device, struct gw_now now, GError **err)
{
	if (by_device(d, device) == NULL) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such room");
		return false;
	}
	struct gw_rec_room_ref body = { (char *)(uintptr_t)device };
	gw_emit(d, GW_REC_ROOM_REMOVE, actor, NULL, &body, now);
	return true;
}

void gw_apply_ROOM_REMOVE(const struct gw_fact *f)
{
	const struct gw_rec_room_ref *b = f->body;
	if (b->device != NULL) {
		g_hash_table_remove(f->d->rooms, b->device);
	}
}

bool gw_room_known(const gw_domain *d, const char *address)
{
	return address != NULL && g_str_has_prefix(address, SCHEME) && by_device(d, address + strlen(SCHEME)) != NULL;
}

const char *gw_room_at(const gw_domain *d, const char *site)
{
	GHashTableIter it;
	struct gw_room *r;
	g_hash_table_iter_init(&it, d->rooms);
	while (site != NULL && g_hash_table_iter_next(&it, NULL, (gpointer *)&r)) {
		if (g_strcmp0(r->site, site) == 0) {
			return r->address;
		}
	}
	return NULL;
}

static int by_name(gconstpointer a, gconstpointer b)
{
	const struct gw_room *x = *(void *const *)a, *y = *(void *const *)b;
	int n = g_strcmp0(x->name, y->name);
	return n != 0 ? n : strcmp(x->device, y->device);
}

void gw_room_foreach(const gw_domain *d, void (*fn)(const char *device, void *ud), void *ud)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	GHashTableIter it;
	gpointer r;
	g_hash_table_iter_init(&it, d->rooms);
	while (g_hash_table_iter_next(&it, NULL, &r)) {
		g_ptr_array_add(all, r);
	}
	g_ptr_array_sort(all, by_name);
	for (unsigned n = 0; n < all->len; n++) {
		fn(((const struct gw_room *)all->pdata[n])->device, ud);
	}
}

/* ---- its call ---- */
static int wanted(const struct gw_party *p)
{
	bool rings = p->state == GW_SITE_CALLING || p->state == GW_SITE_RINGING;
	return p->removed ? 0 : gw_party_is_live(p->state) ? 2 : rings ? 1 : 0;
}

static const struct gw_party *find_call(const gw_domain *d, const struct gw_room *r)
{
	const struct gw_party *best = NULL;
	for (unsigned n = d->conference_order->len; r != NULL && n > 0; n--) {
		const struct gw_conference *c = d->conference_order->pdata[n - 1];
		for (unsigned k = 0; c->closed_ms == 0 && k < c->parties->len; k++) {
			const struct gw_party *p = c->parties->pdata[k];
			if (g_strcmp0(p->address, r->address) == 0 && wanted(p) > (best != NULL ? wanted(best) : 0)) {
				best = p;
			}
		}
	}
	return best;
}

const char *gw_room_party(const gw_domain *d, const char *device)
{
	const struct gw_party *p = find_call(d, by_device(d, device));
	return p != NULL ? p->id : NULL;
}

static const char *kind_of(const gw_domain *d, const struct gw_party *p)
{
	if (gw_ready_is(d, p->conference->id)) {
		return "check";
	}
	return gw_rollcall_of(d, p->conference->id) != NULL ? "rollcall" : "call";
}

bool gw_room_answers(const gw_domain *d, const char *device, const char *party)
{
	const struct gw_room *r = by_device(d, device);
	const struct gw_party *p = gw_party_get(d, party);
	bool asked = r == NULL || p == NULL || r->answer == GW_ROOM_ASK;
	if (r != NULL && p != NULL && gw_callack_confirmed(d, p->id)) {
		return true;
	}
	return !asked && (r->answer == GW_ROOM_AUTO || strcmp(kind_of(d, p), "call") != 0);
}

static json_t *call_json(const gw_domain *d, const struct gw_room *r, const struct gw_party *p)
{
	const struct gw_conference *c = p->conference;
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:s?}", "party", p->id, "conference", c->id, "number", c->number, "name", c->name,
			 "state", gw_site_state_names[p->state], "kind", kind_of(d, p), "auto", gw_room_answers(d, r->device, p->id), "drill",
			 c->drill, "incident", c->incident);
}

json_t *gw_room_print(const gw_domain *d, const char *device)
{
	const struct gw_room *r = by_device(d, device);
	if (r == NULL) {
		return NULL;
	}
	const struct gw_rec_site *site = r->site != NULL ? g_hash_table_lookup(d->directory[GW_SITE], r->site) : NULL;
	const struct gw_party *p = find_call(d, r);
	return json_pack("{s:s,s:s,s:s,s:s?,s:s?,s:s,s:o}", "device", r->device, "address", r->address, "name", r->name, "site", r->site,
			 "site_name", site != NULL ? site->name : NULL, "answer", gw_room_answer_names[r->answer], "call",
			 p != NULL ? call_json(d, r, p) : json_null());
}

static void init(gw_domain *d)
{
	d->rooms = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, room_free);
}

static void finish(gw_domain *d)
{
	g_hash_table_unref(d->rooms);
}

const struct gw_part gw_part_room = { .init = init, .finish = finish };
