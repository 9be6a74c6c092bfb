/* Data rights: the one place where a request, a reply or an event is held against access.def. Whose an object is the
 * application knows (ops->may); accounts of the house are not asked at all. */
#include "gateway/api/api_priv.h"

#include <string.h>

enum { READ, COMMAND, PLACE, LIST, NONE, WHOLE };

static const struct gw_access_row rows[] = {
#define R(method_, kind_, member_, right_) { GW_METHOD_##method_, right_, kind_, member_, NULL },
#define P(method_, kind_, member_) { GW_METHOD_##method_, PLACE, kind_, member_, NULL },
#define F(method_, kind_, list_, id_) { GW_METHOD_##method_, LIST, kind_, list_, id_ },
#define N(method_) { GW_METHOD_##method_, NONE, NULL, NULL, NULL },
#define W(method_) { GW_METHOD_##method_, WHOLE, NULL, NULL, NULL },
#define E(event_, kind_, path_)
#define EN(event_)
#include "gateway/api/access.def"
#undef R
#undef P
#undef F
#undef N
#undef W
#undef E
#undef EN
};

static const struct gw_access_event_row event_rows[GW_EVENT_N] = {
#define R(method_, kind_, member_, right_)
#define P(method_, kind_, member_)
#define F(method_, kind_, list_, id_)
#define N(method_)
#define W(method_)
#define E(event_, kind_, path_) [GW_EVENT_##event_] = { true, kind_, path_ },
#define EN(event_) [GW_EVENT_##event_] = { true, NULL, NULL },
#include "gateway/api/access.def"
#undef R
#undef P
#undef F
#undef N
#undef W
#undef E
#undef EN
};

size_t gw_access_rows(const struct gw_access_row **ret)
{
	*ret = rows;
	return G_N_ELEMENTS(rows);
}

const struct gw_access_event_row *gw_access_event(enum gw_event event)
{
	return &event_rows[event];
}

static bool is_asked(const struct gw_api_session *s)
{
	return s->division != NULL && s->api->ops.may != NULL;
}

/* ---- members of a request, by path ---- */
struct visit { bool (*fn)(const char *id, void *user_data); void *user_data; unsigned found; };

static const struct ort_json_field *field_of(const struct ort_json_table *table, const char *name, size_t len)
{
	for (size_t n = 0; n < table->n_fields; n++) {
		if (strlen(table->fields[n].name) == len && strncmp(table->fields[n].name, name, len) == 0) {
			return &table->fields[n];
		}
	}
	return NULL;
}

static bool visit_text(struct visit *v, const char *id)
{
	if (id == NULL) {
		return true;
	}
	v->found++;
	return v->fn(id, v->user_data);
}

static bool visit_path(struct visit *v, const struct ort_json_table *table, const char *st, const char *path);

static bool visit_items(struct visit *v, const struct ort_json_field *f, const char *at, const char *rest)
{
	const struct ort_json_array *list = (const void *)at;
	bool ok = true;
	for (size_t n = 0; ok && n < list->n; n++) {
		ok = visit_path(v, f->sub, (const char *)list->items + n * f->sub->size, rest);
	}
	return ok;
}

static bool visit_strings(struct visit *v, const char *const *strings)
{
	bool ok = true;
	for (size_t n = 0; ok && strings != NULL && strings[n] != NULL; n++) {
		ok = g_str_equal(strings[n], "*") || visit_text(v, strings[n]);
	}
	return ok;
}

/* false as soon as fn says so. */
static bool visit_path(struct visit *v, const struct ort_json_table *table, const char *st, const char *path)
{
	const char *dot = strchr(path, '.');
	const struct ort_json_field *f = field_of(table, path, dot != NULL ? (size_t)(dot - path) : strlen(path));
	g_assert(f != NULL);	/* a row of access.def names no such member */
	const char *at = st + f->offset;
	switch (f->type) {
	case ORT_J_OBJECT:
		return visit_path(v, f->sub, at, dot + 1);
	case ORT_J_ARRAY:
		return visit_items(v, f, at, dot + 1);
	case ORT_J_STRV:
		return visit_strings(v, *(const char *const *const *)(const void *)at);
	default:
		g_assert(f->type == ORT_J_STR);
		return visit_text(v, *(const char *const *)(const void *)at);
	}
}

struct ask { const struct gw_api_session *s; const char *kind; bool command; };

static bool may(const struct gw_api_session *s, const char *kind, const char *id, const json_t *object, bool command)
{
	return s->api->ops.may(s, kind, id, object, command, s->api->user_data);
}

static bool may_text(const char *id, void *user_data)
{
	const struct ask *a = user_data;
	return may(a->s, a->kind, id, NULL, a->command);
}

static bool keep_text(const char *id, void *user_data)
{
	*(const char **)user_data = id;
	return true;
}

/* "@x": the kind is what the request's member x says. */
static const char *kind_of(const struct gw_access_row *row, const void *request)
{
	const char *kind = "";
	if (row->kind[0] != '@') {
		return row->kind;
	}
	struct visit v = { keep_text, &kind, 0 };
	(void)visit_path(&v, gw_methods[row->method].request, request, row->kind + 1);
	return kind;
}

enum gw_error gw_access_check(const struct gw_api_session *s, enum gw_method method, const void *request, char **ret_why)
{
	unsigned places = 0, placed = 0;
	bool ok = true;
	for (size_t n = 0; ok && is_asked(s) && n < G_N_ELEMENTS(rows); n++) {
		const struct gw_access_row *row = &rows[n];
		if (row->method != method || row->right == NONE || row->right == LIST) {
			continue;
		}
		if (row->right == WHOLE) {
			ok = false;
			continue;
		}
		struct ask a = { s, kind_of(row, request), row->right != READ };
		struct visit v = { may_text, &a, 0 };
		ok = visit_path(&v, gw_methods[method].request, request, row->member);
		places += row->right == PLACE;
		placed += row->right == PLACE ? v.found : 0;
	}
	if (ok && (places == 0 || placed > 0)) {
		return GW_ERROR_N;
	}
	*ret_why = g_strdup("it belongs to another division");
	return GW_ERROR_FORBIDDEN;
}

/* ---- replies ---- */
static json_t *readable(const struct gw_api_session *s, const struct gw_access_row *row, const json_t *list)
{
	json_t *out = json_array(), *item;
	size_t n;
	json_array_foreach(list, n, item) {
		const char *id = json_string_value(json_object_get(item, row->id));
		if (may(s, row->kind, id, item, false)) {
			json_array_append(out, item);
		}
	}
	return out;
}

void gw_access_filter(const struct gw_api_session *s, enum gw_method method, json_t **io_result)
{
	json_t *copy = NULL;
	for (size_t n = 0; is_asked(s) && n < G_N_ELEMENTS(rows); n++) {
		const json_t *list = rows[n].method == method && rows[n].right == LIST ? json_object_get(*io_result, rows[n].member) : NULL;
		if (json_is_array(list)) {
			copy = copy != NULL ? copy : json_copy(*io_result);
			json_object_set_new(copy, rows[n].member, readable(s, &rows[n], list));
		}
	}
	if (copy != NULL) {
		json_decref(*io_result);
		*io_result = copy;
	}
}

/* ---- events ---- */
bool gw_access_hears(const struct gw_api_session *s, enum gw_event event, const json_t *params)
{
	const struct gw_access_event_row *row = &event_rows[event];
	if (s->limited && event != GW_EVENT_SESSION_ENDED) {
		return false;
	}
	if (!is_asked(s) || row->kind == NULL) {
		return true;
	}
	g_auto(GStrv) path = g_strsplit(row->path, ".", 4);
	const json_t *at = params, *object = params;
	for (unsigned n = 0; path[n] != NULL; n++) {
		object = json_is_object(at) ? at : object;
		at = json_object_get(at, path[n]);
	}
	return may(s, row->kind, json_string_value(at), json_is_object(at) ? at : object, false);
}
