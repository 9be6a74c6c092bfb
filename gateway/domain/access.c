/* Data rights (数据权限): whose an object is, who may read or command it. Pure look-ups; records change them. */
#include "gateway/domain/directory_priv.h"

#include <string.h>

#define MAX_SHARES 10000
#define MAX_DEPTH 32

struct share { char *id, *kind, *object, *to; int64_t nr; bool command; };
struct gw_access {
	char *acting;		/* division of who acts now, NULL = the house */
	GHashTable *owners;	/* "kind object" -> division */
	GHashTable *shares;	/* id -> struct share, owned */
	GHashTable *by_object;	/* "kind object" -> GPtrArray of struct share, borrowed */
	int64_t last;
};

static void share_free(gpointer p)
{
	struct share *s = p;
	g_free(s->id);
	g_free(s->kind);
	g_free(s->object);
	g_free(s->to);
	g_free(s);
}

static void init(gw_domain *d)
{
	d->access = g_new0(struct gw_access, 1);
	d->access->owners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	d->access->shares = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, share_free);
	d->access->by_object = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
}

static void finish(gw_domain *d)
{
	g_hash_table_unref(d->access->by_object);
	g_hash_table_unref(d->access->shares);
	g_hash_table_unref(d->access->owners);
	g_free(d->access->acting);
	g_free(d->access);
}

static char *key_of(const char *kind, const char *object)
{
	return g_strconcat(kind, " ", object, NULL);
}

/* ---- whose ---- */
/* An object as the rights see it: a thing that is owned or stands in the directory. NULL id = there is no such object. */
struct thing { const char *kind, *id; };
typedef struct thing (*resolve_fn)(const gw_domain *d, const char *id);

static struct thing of_conference(const gw_domain *d, const char *id)
{
	const char *found = g_hash_table_contains(d->conferences, id) ? id : gw_conference_by_number(d, id);
	return (struct thing){ "conference", found };
}

static struct thing of_party(const gw_domain *d, const char *id)
{
	const struct gw_party *p = g_hash_table_lookup(d->parties, id);
	return (struct thing){ "conference", p != NULL ? p->conference->id : NULL };
}

static struct thing of_rollcall(const gw_domain *d, const char *id)
{
	const struct gw_rollcall *r = g_hash_table_lookup(d->rollcalls, id);
	return (struct thing){ "conference", r != NULL ? r->conference->id : NULL };
}

static struct thing of_callack(const gw_domain *d, const char *id)
{
	return (struct thing){ "conference", gw_callack_conference(d, id) };
}

static struct thing of_scene(const gw_domain *d, const char *id)
{
	return (struct thing){ "incident", gw_scene_incident(d, id) };
}

static struct thing of_link(const gw_domain *d, const char *id)
{
	const char *scene = gw_link_scene(d, id);
	return (struct thing){ "incident", scene != NULL ? gw_scene_incident(d, scene) : NULL };
}

/* "mix.<conference>...", "<scene>.video", "<party's prefix>.audio" */
static struct thing of_stream(const gw_domain *d, const char *id)
{
	if (g_str_has_prefix(id, "mix.")) {
		g_auto(GStrv) parts = g_strsplit(id, ".", 3);
		struct thing t = { "conference", parts[1] };
		t.id = parts[1] != NULL ? g_intern_string(parts[1]) : NULL;
		return t;
	}
	const char *dot = strrchr(id, '.');
	g_autofree char *prefix = dot != NULL ? g_strndup(id, (gsize)(dot - id)) : g_strdup(id);
	const char *incident = gw_scene_incident(d, prefix), *party = incident == NULL ? gw_party_by_streams(d, prefix) : NULL;
	return incident != NULL ? (struct thing){ "incident", incident } : party != NULL ? of_party(d, party) : (struct thing){ NULL, NULL };
}

static struct thing of_address(const gw_domain *d, const char *address)
{
	GHashTableIter it;
	const struct gw_rec_site *s;
	g_hash_table_iter_init(&it, d->directory[GW_SITE]);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&s)) {
		if (g_strcmp0(s->address, address) == 0) {
			return (struct thing){ "site", s->id };
		}
	}
	return (struct thing){ NULL, NULL };
}

/* A room page stands in a site; without one it belongs to whom its device was given. */
static struct thing of_room(const gw_domain *d, const char *device)
{
	const struct gw_room *r = g_hash_table_lookup(d->rooms, device);
	return r != NULL && r->site != NULL && r->site[0] != '\0' ? (struct thing){ "site", r->site } : (struct thing){ "wall", device };
}

static struct thing of_place(const gw_domain *d, const char *place)
{
	return (struct thing){ g_hash_table_contains(d->directory[GW_SITE], place) ? "site" : "division", place };
}

static struct thing of_handover(const gw_domain *d, const char *id)
{
	const char *place = gw_handover_place(d, id);
	return place != NULL ? of_place(d, place) : (struct thing){ "handover", id };
}

static struct thing of_report(const gw_domain *d, const char *id)
{
	return (struct thing){ "incident", gw_report_incident(d, id) };
}

/* "step/<incident>/<n>" are marks of an incident's ladder. */
static struct thing of_alarm(const gw_domain *d, const char *key)
{
	const struct gw_duty_alarm *a = g_hash_table_lookup(d->duty->alarms, key);
	g_auto(GStrv) parts = g_strsplit(key, "/", 3);
	bool step = g_strv_length(parts) == 3 && g_str_equal(parts[0], "step");
	const struct gw_incident *i = gw_incident_find(d, a != NULL ? a->incident : step ? parts[1] : NULL, NULL);
	return i != NULL ? (struct thing){ "incident", i->id }
	       : a != NULL && a->division != NULL ? (struct thing){ "division", a->division } : (struct thing){ "alarm", key };
}

static struct thing resolve(const gw_domain *d, const char *kind, const char *id)
{
	static const struct { const char *kind; resolve_fn fn; } rows[] = {
		{ "conference", of_conference }, { "party", of_party }, { "rollcall", of_rollcall }, { "scene", of_scene },
		{ "link", of_link },		 { "stream", of_stream }, { "address", of_address },
		{ "room", of_room },
		{ "callack", of_callack },		 { "place", of_place },	  { "handover", of_handover }, { "alarm", of_alarm }, { "report", of_report },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (g_str_equal(kind, rows[n].kind)) {
			return rows[n].fn(d, id);
		}
	}
	return (struct thing){ kind, id };
}

static const char *parent_of(const gw_domain *d, const char *division)
{
	const struct gw_rec_division *up = g_hash_table_lookup(d->directory[GW_DIVISION], division);
	return up != NULL ? up->parent : NULL;
}

/* Division of an entry of the directory. false: no such entry. */
static bool division_of_entry(const gw_domain *d, enum gw_directory kind, const char *id, const char **ret)
{
	const void *entry = g_hash_table_lookup(d->directory[kind], id);
	if (entry == NULL) {
		return false;
	}
	*ret = kind == GW_DIVISION ? id : gw_directory_parent(kind, entry);
	return kind != GW_DEVICE || *ret == NULL || division_of_entry(d, GW_SITE, *ret, ret);
}

/* false: there is no such object, so nobody's rights are touched. */
static bool division_of(const gw_domain *d, const struct thing *t, const char **ret)
{
	*ret = NULL;
	int kind = t->id != NULL ? gw_directory_kind(t->kind) : -1;
	if (t->id == NULL) {
		return false;
	}
	if (kind >= 0) {
		return division_of_entry(d, (enum gw_directory)kind, t->id, ret);
	}
	g_autofree char *key = key_of(t->kind, t->id);
	*ret = g_hash_table_lookup(d->access->owners, key);
	return true;
}

bool gw_access_known(const gw_domain *d, const char *kind, const char *object)
{
	struct thing t = object != NULL ? resolve(d, kind, object) : (struct thing){ NULL, NULL };
	const char *division;
	return division_of(d, &t, &division);
}

const char *gw_access_division(const gw_domain *d, const char *kind, const char *object)
{
	struct thing t = resolve(d, kind, object);
	const char *division = NULL;
	(void)division_of(d, &t, &division);
	return division;
}

bool gw_access_within(const gw_domain *d, const char *division, const char *above)
{
	for (int depth = 0; division != NULL && depth <= MAX_DEPTH; depth++) {
		if (g_str_equal(division, above)) {
			return true;
		}
		division = parent_of(d, division);
	}
	return false;
}

/* Is this one thing shared with the division, or with one below it (whom it commands)? */
static bool shared(const gw_domain *d, const char *division, const char *kind, const char *object, bool command)
{
	g_autofree char *key = key_of(kind, object);
	const GPtrArray *list = g_hash_table_lookup(d->access->by_object, key);
	for (unsigned n = 0; list != NULL && n < list->len; n++) {
		const struct share *s = list->pdata[n];
		if ((s->command || !command) && gw_access_within(d, s->to, division)) {
			return true;
		}
	}
	return false;
}

bool gw_access_may(const gw_domain *d, const char *division, const char *kind, const char *object, bool command)
{
	if (division == NULL || division[0] == '\0') {
		return true;
	}
	if (object == NULL || object[0] == '\0') {
		return false;	/* the house itself */
	}
	struct thing t = resolve(d, kind, object);
	const char *owner;
	if (!division_of(d, &t, &owner)) {
		return true;	/* the verb will say that there is no such object */
	}
	if (owner != NULL && gw_access_within(d, owner, division)) {
		return true;
	}
	if (g_hash_table_size(d->access->shares) == 0) {
		return false;
	}
	bool yes = shared(d, division, t.kind, t.id, command);
	for (int depth = 0; !yes && owner != NULL && depth <= MAX_DEPTH; depth++) {
		yes = shared(d, division, "division", owner, command);
		owner = parent_of(d, owner);
	}
	return yes;
}

/* ---- who makes what ---- */
void gw_access_acting(gw_domain *d, const char *division)
{
	g_free(d->access->acting);
	d->access->acting = division != NULL && division[0] != '\0' ? g_strdup(division) : NULL;
}

void gw_access_made(gw_domain *d, const char *actor, const char *kind, const char *object, struct gw_now now)
{
	if (d->access->acting != NULL) {
		struct gw_rec_access_own body = { (char *)(uintptr_t)kind, (char *)(uintptr_t)object, d->access->acting };
		gw_emit(d, GW_REC_ACCESS_OWN, actor, NULL, &body, now);
	}
}

void gw_access_after(gw_domain *d, enum gw_rec rec, const char *actor, const void *body, struct gw_now now)
{
	static const char *const makes[GW_REC_N] = {
#define M(rec, kind) [GW_REC_##rec] = kind,
#include "gateway/domain/access_makes.def"
#undef M
	};
	if (makes[rec] != NULL) {
		gw_access_made(d, actor, makes[rec], *(char *const *)body, now);
	}
}

static bool is_division(const gw_domain *d, const char *division, GError **err)
{
	if (division == NULL || !g_hash_table_contains(d->directory[GW_DIVISION], division)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "division %s is not in the directory", division != NULL ? division : "");
		return false;
	}
	return true;
}

bool gw_access_own(gw_domain *d, const char *actor, const char *kind, const char *object, const char *division, struct gw_now now,
		   GError **err)
{
	struct thing t = resolve(d, kind, object);
	if (t.id == NULL || !g_str_equal(t.kind, kind) || gw_directory_kind(kind) >= 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "a %s cannot be given to a division by itself", kind);
		return false;
	}
	if (division != NULL && division[0] != '\0' && !is_division(d, division, err)) {
		return false;
	}
	struct gw_rec_access_own body = { (char *)(uintptr_t)kind, (char *)(uintptr_t)t.id, (char *)(uintptr_t)division };
	gw_emit(d, GW_REC_ACCESS_OWN, actor, NULL, &body, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_ACCESS });
	return true;
}

void gw_apply_ACCESS_OWN(const struct gw_fact *f)
{
	const struct gw_rec_access_own *b = f->body;
	if (b->division != NULL && b->division[0] != '\0') {
		g_hash_table_replace(f->d->access->owners, key_of(b->kind, b->object), g_strdup(b->division));
	} else {
		g_autofree char *key = key_of(b->kind, b->object);
		g_hash_table_remove(f->d->access->owners, key);
	}
}

/* ---- shares ---- */
static const struct share *same_share(const gw_domain *d, const char *kind, const char *object, const char *to)
{
	g_autofree char *key = key_of(kind, object);
	const GPtrArray *list = g_hash_table_lookup(d->access->by_object, key);
	for (unsigned n = 0; list != NULL && n < list->len; n++) {
		const struct share *s = list->pdata[n];
		if (g_str_equal(s->to, to)) {
			return s;
		}
	}
	return NULL;
}

static bool can_be_shared(const gw_domain *d, const struct gw_share_facts *f, GError **err)
{
	static const char *const kinds[] = { "division", "site", "incident", "conference", NULL };
	const char *owner;
	struct thing t = { f->kind, f->object };
	bool conference = g_strcmp0(f->kind, "conference") == 0;
	if (f->kind == NULL || f->object == NULL || !g_strv_contains(kinds, f->kind)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "kind: division, site, incident or conference");
		return false;
	}
	if ((g_str_equal(f->kind, "incident") && gw_incident_find(d, f->object, NULL) == NULL) ||
	    (conference && !g_hash_table_contains(d->conferences, f->object)) || !division_of(d, &t, &owner)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no %s %s", f->kind, f->object);
		return false;
	}
	if (g_hash_table_size(d->access->shares) >= MAX_SHARES) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_LIMIT, "%d shares", MAX_SHARES);
		return false;
	}
	return is_division(d, f->to, err);
}

const char *gw_access_share(gw_domain *d, const char *actor, const struct gw_share_facts *f, struct gw_now now, GError **err)
{
	if (!can_be_shared(d, f, err)) {
		return NULL;
	}
	const struct share *old = same_share(d, f->kind, f->object, f->to);
	int64_t nr = old != NULL ? old->nr : d->access->last + 1;
	g_autofree char *id = g_strdup_printf("sh-%" G_GINT64_FORMAT, nr);
	struct gw_rec_access_share body = { id, (char *)(uintptr_t)f->kind, (char *)(uintptr_t)f->object, (char *)(uintptr_t)f->to, nr, f->command };
	gw_emit(d, GW_REC_ACCESS_SHARE, actor, NULL, &body, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_ACCESS });
	return ((const struct share *)g_hash_table_lookup(d->access->shares, id))->id;
}

static void forget_share(struct gw_access *a, const char *id)
{
	struct share *s = g_hash_table_lookup(a->shares, id);
	if (s != NULL) {
		g_autofree char *key = key_of(s->kind, s->object);
		GPtrArray *list = g_hash_table_lookup(a->by_object, key);
		g_ptr_array_remove(list, s);
		if (list->len == 0) {
			g_hash_table_remove(a->by_object, key);
		}
		g_hash_table_remove(a->shares, id);
	}
}

void gw_apply_ACCESS_SHARE(const struct gw_fact *f)
{
	const struct gw_rec_access_share *b = f->body;
	struct gw_access *a = f->d->access;
	g_autofree char *key = key_of(b->kind, b->object);
	forget_share(a, b->id);
	struct share *s = g_new0(struct share, 1);
	*s = (struct share){ g_strdup(b->id), g_strdup(b->kind), g_strdup(b->object), g_strdup(b->to), b->nr, b->command };
	GPtrArray *list = g_hash_table_lookup(a->by_object, key);
	if (list == NULL) {
		list = g_ptr_array_new();
		g_hash_table_insert(a->by_object, g_strdup(key), list);
	}
	g_ptr_array_add(list, s);
	g_hash_table_insert(a->shares, s->id, s);
	a->last = MAX(a->last, b->nr);
}

bool gw_access_unshare(gw_domain *d, const char *actor, const char *id, struct gw_now now, GError **err)
{
	if (!g_hash_table_contains(d->access->shares, id)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no share %s", id);
		return false;
	}
	gw_emit(d, GW_REC_ACCESS_UNSHARE, actor, NULL, &(struct gw_rec_access_ref){ (char *)(uintptr_t)id }, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_ACCESS });
	return true;
}

void gw_apply_ACCESS_UNSHARE(const struct gw_fact *f)
{
	forget_share(f->d->access, ((const struct gw_rec_access_ref *)f->body)->id);
}

bool gw_access_share_info(const gw_domain *d, const char *id, struct gw_share_facts *ret)
{
	const struct share *s = g_hash_table_lookup(d->access->shares, id);
	if (s != NULL) {
		*ret = (struct gw_share_facts){ s->kind, s->object, s->to, s->command };
	}
	return s != NULL;
}

static int by_nr(gconstpointer a, gconstpointer b)
{
	const struct share *x = a, *y = b;
	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

json_t *gw_access_shares(const gw_domain *d)
{
	json_t *out = json_array();
	g_autoptr(GList) all = g_list_sort(g_hash_table_get_values(d->access->shares), by_nr);
	for (const GList *i = all; i != NULL; i = i->next) {
		const struct share *s = i->data;
		json_array_append_new(out, json_pack("{s:s,s:s,s:s,s:s,s:b}", "id", s->id, "kind", s->kind, "object", s->object, "to", s->to,
						     "command", s->command));
	}
	return out;
}

const struct gw_part gw_part_access = { .init = init, .finish = finish };
