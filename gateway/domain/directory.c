/* The directory (通讯录): divisions as a tree, sites, people, devices. CSV is in csv.c. */
#include "gateway/domain/directory_priv.h"

#define MAX_ENTRIES 20000	/* of one kind */

#define MEMBER(st, m) offsetof(struct st, m)
const struct gw_directory_row gw_directory_rows[GW_DIRECTORY_N] = {
	[GW_DIVISION] = { "division", "divisions", GW_REC_DIVISION_PUT, MEMBER(gw_rec_division, parent), GW_DIVISION },
	[GW_SITE] = { "site", "sites", GW_REC_SITE_PUT, MEMBER(gw_rec_site, division), GW_DIVISION },
	[GW_PERSON] = { "person", "people", GW_REC_PERSON_PUT, MEMBER(gw_rec_person, division), GW_DIVISION },
	[GW_DEVICE] = { "device", "devices", GW_REC_DEVICE_PUT, MEMBER(gw_rec_device, site), GW_SITE },
};

static const struct ort_json_table *table_of(enum gw_directory kind)
{
	return gw_rec_rows[gw_directory_rows[kind].rec].table;
}

#define ENTRY_FREE(kind)                                                                                               \
	static void free_##kind(gpointer p)                                                                            \
	{                                                                                                              \
		ort_json_clear(table_of(kind), p);                                                                     \
		g_free(p);                                                                                             \
	}
ENTRY_FREE(GW_DIVISION)
ENTRY_FREE(GW_SITE)
ENTRY_FREE(GW_PERSON)
ENTRY_FREE(GW_DEVICE)

void gw_domain_directory_init(gw_domain *d)
{
	static const GDestroyNotify frees[] = { free_GW_DIVISION, free_GW_SITE, free_GW_PERSON, free_GW_DEVICE };
	for (int k = 0; k < GW_DIRECTORY_N; k++) {
		d->directory[k] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, frees[k]);
	}
}

void gw_domain_directory_finish(gw_domain *d)
{
	for (int k = 0; k < GW_DIRECTORY_N; k++) {
		g_hash_table_unref(d->directory[k]);
	}
}

int gw_directory_kind(const char *kind)
{
	for (int k = 0; k < GW_DIRECTORY_N; k++) {
		if (g_strcmp0(gw_directory_rows[k].kind, kind) == 0) {
			return k;
		}
	}
	return -1;
}

/* Every body begins with `char *id`. */
const char *gw_directory_id(const void *entry)
{
	return *(char *const *)entry;
}

const char *gw_directory_parent(enum gw_directory kind, const void *entry)
{
	return *(char *const *)((const char *)entry + gw_directory_rows[kind].parent_offset);
}

static bool makes_cycle(const gw_domain *d, const char *id, const char *parent)
{
	for (int depth = 0; parent != NULL; depth++) {
		if (depth > 32 || g_str_equal(parent, id)) {
			return true;
		}
		const struct gw_rec_division *up = g_hash_table_lookup(d->directory[GW_DIVISION], parent);
		parent = up != NULL ? up->parent : NULL;
	}
	return false;
}

bool gw_directory_check(const gw_domain *d, enum gw_directory kind, const void *entry, GError **err)
{
	const struct gw_directory_row *row = &gw_directory_rows[kind];
	const char *id = gw_directory_id(entry), *parent = gw_directory_parent(kind, entry);
	if (parent != NULL && !g_hash_table_contains(d->directory[row->parent_kind], parent)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "%s %s is not in the directory",
			    gw_directory_rows[row->parent_kind].kind, parent);
		return false;
	}
	if (kind == GW_DIVISION && makes_cycle(d, id, parent)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_CONFLICT, "a division cannot stand below itself");
		return false;
	}
	if (!g_hash_table_contains(d->directory[kind], id) && g_hash_table_size(d->directory[kind]) >= MAX_ENTRIES) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_LIMIT, "%d entries of this kind", MAX_ENTRIES);
		return false;
	}
	return true;
}

bool gw_directory_put(gw_domain *d, const char *actor, const char *kind, json_t *item, struct gw_now now, GError **err)
{
	int k = gw_directory_kind(kind);
	if (k < 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "kind: division, site, person or device");
		return false;
	}
	const struct ort_json_table *table = table_of((enum gw_directory)k);
	g_autofree char *why = NULL;
	g_autofree char *entry = g_malloc0(table->size);
	if (ort_json_read(table, item, entry, &why) < 0) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_INVALID, "%s", why);
		return false;
	}
	bool ok = gw_directory_check(d, (enum gw_directory)k, entry, err);
	if (ok) {
		gw_emit(d, gw_directory_rows[k].rec, actor, NULL, entry, now);
		gw_act(d, &(struct gw_action){ .kind = GW_ACT_CHANGED_DIRECTORY });
	}
	ort_json_clear(table, entry);
	return ok;
}

static void apply_put(const struct gw_fact *f, enum gw_directory kind)
{
	const struct ort_json_table *table = table_of(kind);
	g_autoptr(json_t) copy = ort_json_print(table, f->body);
	char *entry = g_malloc0(table->size);
	if (ort_json_read(table, copy, entry, NULL) < 0) {
		g_free(entry);
		return;
	}
	g_hash_table_replace(f->d->directory[kind], g_strdup(gw_directory_id(entry)), entry);
}

void gw_apply_DIVISION_PUT(const struct gw_fact *f)
{
	apply_put(f, GW_DIVISION);
}

void gw_apply_SITE_PUT(const struct gw_fact *f)
{
	apply_put(f, GW_SITE);
}

void gw_apply_PERSON_PUT(const struct gw_fact *f)
{
	apply_put(f, GW_PERSON);
}

void gw_apply_DEVICE_PUT(const struct gw_fact *f)
{
	apply_put(f, GW_DEVICE);
}

static bool has_children(const gw_domain *d, enum gw_directory parent_kind, const char *id)
{
	for (int k = 0; k < GW_DIRECTORY_N; k++) {
		GHashTableIter it;
		void *entry;
		g_hash_table_iter_init(&it, d->directory[k]);
		while (gw_directory_rows[k].parent_kind == parent_kind && g_hash_table_iter_next(&it, NULL, &entry)) {
			if (g_strcmp0(gw_directory_parent((enum gw_directory)k, entry), id) == 0) {
				return true;
			}
		}
	}
	return false;
}

bool gw_directory_remove(gw_domain *d, const char *actor, const char *kind, const char *id, struct gw_now now, GError **err)
{
	int k = gw_directory_kind(kind);
	if (k < 0 || id == NULL || !g_hash_table_contains(d->directory[k], id)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_NOT_FOUND, "no such entry");
		return false;
	}
	if (has_children(d, (enum gw_directory)k, id)) {
		g_set_error(err, GW_DOMAIN_ERROR, GW_DOMAIN_CONFLICT, "other entries stand below it: move or remove them first");
		return false;
	}
	struct gw_rec_directory_ref body = { (char *)(uintptr_t)kind, (char *)(uintptr_t)id };
	gw_emit(d, GW_REC_DIRECTORY_REMOVE, actor, NULL, &body, now);
	gw_act(d, &(struct gw_action){ .kind = GW_ACT_CHANGED_DIRECTORY });
	return true;
}

void gw_apply_DIRECTORY_REMOVE(const struct gw_fact *f)
{
	const struct gw_rec_directory_ref *b = f->body;
	int k = gw_directory_kind(b->kind);
	if (k >= 0) {
		g_hash_table_remove(f->d->directory[k], b->id);
	}
}

static int by_id(gconstpointer a, gconstpointer b)
{
	return strcmp(gw_directory_id(*(void *const *)a), gw_directory_id(*(void *const *)b));
}

GPtrArray *gw_directory_sorted(const gw_domain *d, enum gw_directory kind)
{
	GPtrArray *all = g_ptr_array_new();
	GHashTableIter it;
	void *entry;
	g_hash_table_iter_init(&it, d->directory[kind]);
	while (g_hash_table_iter_next(&it, NULL, &entry)) {
		g_ptr_array_add(all, entry);
	}
	g_ptr_array_sort(all, by_id);
	return all;
}

json_t *gw_directory_print(const gw_domain *d)
{
	json_t *out = json_object();
	for (int k = 0; k < GW_DIRECTORY_N; k++) {
		g_autoptr(GPtrArray) all = gw_directory_sorted(d, (enum gw_directory)k);
		json_t *list = json_array();
		for (unsigned n = 0; n < all->len; n++) {
			json_array_append_new(list, ort_json_print(table_of((enum gw_directory)k), all->pdata[n]));
		}
		json_object_set_new(out, gw_directory_rows[k].plural, list);
	}
	return out;
}

const struct gw_part gw_part_directory = { .init = gw_domain_directory_init, .finish = gw_domain_directory_finish };
