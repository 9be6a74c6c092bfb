/* Desired state: rooms with their transports and streams, noted from commands that succeeded. */
#include "gateway/media/want_priv.h"

#include <string.h>

struct stream { char *id, *transport, *route; bool sink; };
struct room { char *id; int64_t max_transports; GHashTable *transports, *streams; };
struct gw_want { GHashTable *rooms; };

static void stream_free(void *data)
{
	struct stream *s = data;
	g_free(s->id);
	g_free(s->transport);
	g_free(s->route);
	g_free(s);
}

static void room_free(void *data)
{
	struct room *r = data;
	g_hash_table_unref(r->transports);
	g_hash_table_unref(r->streams);
	g_free(r->id);
	g_free(r);
}

gw_want *gw_want_new(void)
{
	gw_want *w = g_new0(gw_want, 1);
	w->rooms = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, room_free);
	return w;
}

void gw_want_free(gw_want *w)
{
	if (w) {
		g_hash_table_unref(w->rooms);
		g_free(w);
	}
}

static struct room *find(const gw_want *w, const char *id)
{
	return id ? g_hash_table_lookup(w->rooms, id) : NULL;
}

static struct room *put_room(gw_want *w, const char *id, int64_t max_transports)
{
	struct room *r = find(w, id);
	if (!r) {
		r = g_new0(struct room, 1);
		r->id = g_strdup(id);
		r->transports = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		r->streams = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, stream_free);
		g_hash_table_insert(w->rooms, r->id, r);
	}
	r->max_transports = max_transports;
	return r;
}

static void put_stream(struct room *r, const char *transport, const char *id, bool sink, const char *route)
{
	if (!r || !g_hash_table_contains(r->transports, transport)) {
		return;	/* its transport went while the command was under way */
	}
	struct stream *s = g_new0(struct stream, 1);
	s->id = g_strdup(id);
	s->transport = g_strdup(transport);
	s->route = g_strdup(route);
	s->sink = sink;
	g_hash_table_replace(r->streams, s->id, s);
}

static void put_transport(struct room *r, const char *id)
{
	if (r) {
		g_hash_table_add(r->transports, g_strdup(id));
	}
}

static void reroute(struct room *r, const char *id, const char *source)
{
	struct stream *s = r ? g_hash_table_lookup(r->streams, id) : NULL;
	if (s) {
		g_free(s->route);
		s->route = g_strdup(source);
	}
}

void gw_want_note(gw_want *w, enum mcu_method method, const void *request)
{
	const struct mcu_room_open *open = request;
	const struct mcu_transport_ref *transport = request;
	const struct mcu_source_add *source = request;
	const struct mcu_sink_add *sink = request;
	const struct mcu_sink_route *route = request;
	const struct mcu_stream_ref *stream = request;
	struct room *r = method == MCU_METHOD_ROOM_OPEN ? NULL : find(w, open->room);	/* all of them begin with the room */
	switch (method) {
	case MCU_METHOD_ROOM_OPEN:
		put_room(w, open->room, open->max_transports);
		break;
	case MCU_METHOD_ROOM_CLOSE:
		gw_want_drop_room(w, open->room);
		break;
	case MCU_METHOD_TRANSPORT_OPEN:
		put_transport(r, transport->transport);
		break;
	case MCU_METHOD_TRANSPORT_CLOSE:
		gw_want_drop_transport(w, transport->room, transport->transport);
		break;
	case MCU_METHOD_SOURCE_ADD:
		put_stream(r, source->transport, source->id, false, NULL);
		break;
	case MCU_METHOD_SINK_ADD:
		put_stream(r, sink->transport, sink->id, true, sink->source);
		break;
	case MCU_METHOD_SINK_ROUTE:
		reroute(r, route->id, route->source);
		break;
	case MCU_METHOD_SOURCE_REMOVE:
	case MCU_METHOD_SINK_REMOVE:
		if (r) {
			g_hash_table_remove(r->streams, stream->id);
		}
		break;
	default:
		break;
	}
}

bool gw_want_makes(enum mcu_method method, const void *request, const char **ret_room, const char **ret_id)
{
	const struct mcu_transport_open *transport = request;
	const struct mcu_source_add *source = request;
	const struct mcu_sink_add *sink = request;
	switch (method) {
	case MCU_METHOD_ROOM_OPEN:
		*ret_room = ((const struct mcu_room_open *)request)->room;
		*ret_id = NULL;
		return true;
	case MCU_METHOD_TRANSPORT_OPEN:
		*ret_room = transport->room;
		*ret_id = transport->transport;
		return true;
	case MCU_METHOD_SOURCE_ADD:
		*ret_room = source->room;
		*ret_id = source->id;
		return true;
	case MCU_METHOD_SINK_ADD:
		*ret_room = sink->room;
		*ret_id = sink->id;
		return true;
	default:
		return false;
	}
}

static gboolean on_transport(gpointer key, gpointer value, gpointer transport)
{
	return !strcmp(((struct stream *)value)->transport, transport);
}

void gw_want_drop_transport(gw_want *w, const char *room, const char *transport)
{
	struct room *r = find(w, room);
	if (r) {
		g_hash_table_foreach_remove(r->streams, on_transport, (char *)transport);
		g_hash_table_remove(r->transports, transport);
	}
}

void gw_want_drop_room(gw_want *w, const char *room)
{
	if (room) {
		g_hash_table_remove(w->rooms, room);
	}
}

bool gw_want_has_room(const gw_want *w, const char *room)
{
	return find(w, room) != NULL;
}

int64_t gw_want_max_transports(const gw_want *w, const char *room)
{
	const struct room *r = find(w, room);
	return r ? r->max_transports : 0;
}

char **gw_want_transports(const gw_want *w, const char *room)
{
	const struct room *r = find(w, room);
	g_autoptr(GStrvBuilder) ids = g_strv_builder_new();
	GHashTableIter iter;
	const char *id;
	if (r) {
		g_hash_table_iter_init(&iter, r->transports);
		while (g_hash_table_iter_next(&iter, (void **)&id, NULL)) {
			g_strv_builder_add(ids, id);
		}
	}
	return g_strv_builder_end(ids);
}

void gw_want_adopt(gw_want *w, const struct mcu_dump_room *room)
{
	struct room *r = put_room(w, room->room, 0);
	const struct mcu_dump_transport *t = room->transports.items;
	for (size_t i = 0; i < room->transports.n; i++) {
		const struct mcu_dump_stream *in = t[i].sources.items, *out = t[i].sinks.items;
		if (g_strcmp0(t[i].kind, "mix") == 0) {
			continue;
		}
		put_transport(r, t[i].id);
		for (size_t k = 0; k < t[i].sources.n; k++) {
			put_stream(r, t[i].id, in[k].id, false, NULL);
		}
		for (size_t k = 0; k < t[i].sinks.n; k++) {
			put_stream(r, t[i].id, out[k].id, true, out[k].route);
		}
	}
}

/* ---- difference ---- */

static void fix_free(void *data)
{
	struct gw_fix *f = data;
	g_free(f->room);
	g_free(f->id);
	g_free(f);
}

static void add_fix(GPtrArray *fixes, enum gw_fix_what what, const char *room, const char *id, int64_t max)
{
	struct gw_fix *f = g_new0(struct gw_fix, 1);
	*f = (struct gw_fix){ what, g_strdup(room), g_strdup(id), max };
	g_ptr_array_add(fixes, f);
}

static void extra_streams(const struct room *r, const struct ort_json_array *list, enum gw_fix_what what, GPtrArray *fixes)
{
	const struct mcu_dump_stream *s = list->items;
	for (size_t i = 0; i < list->n; i++) {
		const struct stream *want = g_hash_table_lookup(r->streams, s[i].id);
		if (!want || want->sink != (what == GW_FIX_SINK_REMOVE)) {
			add_fix(fixes, what, r->id, s[i].id, 0);
		}
	}
}

/* `seen` collects what the engine has of this room. */
static void compare_room(const struct room *r, const struct mcu_dump_room *is, GPtrArray *fixes)
{
	const struct mcu_dump_transport *t = is->transports.items;
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTableIter iter;
	const char *id;
	for (size_t i = 0; i < is->transports.n; i++) {
		g_hash_table_add(seen, t[i].id);
		if (g_strcmp0(t[i].kind, "mix") == 0) {
			continue;	/* made by mix.open, not by transport.open */
		}
		if (!g_hash_table_contains(r->transports, t[i].id)) {
			add_fix(fixes, GW_FIX_TRANSPORT_CLOSE, r->id, t[i].id, 0);
			continue;
		}
		extra_streams(r, &t[i].sources, GW_FIX_SOURCE_REMOVE, fixes);
		extra_streams(r, &t[i].sinks, GW_FIX_SINK_REMOVE, fixes);
	}
	g_hash_table_iter_init(&iter, r->transports);
	while (g_hash_table_iter_next(&iter, (void **)&id, NULL)) {
		if (!g_hash_table_contains(seen, id)) {
			add_fix(fixes, GW_FIX_TRANSPORT_LOST, r->id, id, 0);
		}
	}
}

static void missing_room(const struct room *r, GPtrArray *fixes)
{
	GHashTableIter iter;
	const char *id;
	add_fix(fixes, GW_FIX_ROOM_OPEN, r->id, NULL, r->max_transports);
	g_hash_table_iter_init(&iter, r->transports);
	while (g_hash_table_iter_next(&iter, (void **)&id, NULL)) {
		add_fix(fixes, GW_FIX_TRANSPORT_LOST, r->id, id, 0);
	}
}

GPtrArray *gw_want_compare(const gw_want *w, const struct mcu_dump_reply *is)
{
	GPtrArray *fixes = g_ptr_array_new_with_free_func(fix_free);
	const struct mcu_dump_room *rooms = is->rooms.items;
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTableIter iter;
	const struct room *r;
	for (size_t i = 0; i < is->rooms.n; i++) {
		g_hash_table_add(seen, rooms[i].room);
		r = find(w, rooms[i].room);
		if (r) {
			compare_room(r, &rooms[i], fixes);
		} else {
			add_fix(fixes, GW_FIX_ROOM_FOUND, rooms[i].room, NULL, 0);
		}
	}
	g_hash_table_iter_init(&iter, w->rooms);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&r)) {
		if (!g_hash_table_contains(seen, r->id)) {
			missing_room(r, fixes);
		}
	}
	return fixes;
}

static json_t *print_room(const struct room *r)
{
	json_t *transports = json_array(), *streams = json_array();
	GHashTableIter iter;
	const char *id;
	const struct stream *s;
	g_hash_table_iter_init(&iter, r->transports);
	while (g_hash_table_iter_next(&iter, (void **)&id, NULL)) {
		json_array_append_new(transports, json_string(id));
	}
	g_hash_table_iter_init(&iter, r->streams);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&s)) {
		json_array_append_new(streams, json_pack("{s:s, s:s, s:s, s:s*}", "id", s->id, "transport", s->transport,
							 "kind", s->sink ? "sink" : "source", "route", s->route));
	}
	return json_pack("{s:s, s:o, s:o}", "room", r->id, "transports", transports, "streams", streams);
}

json_t *gw_want_print(const gw_want *w)
{
	json_t *list = json_array();
	GHashTableIter iter;
	const struct room *r;
	g_hash_table_iter_init(&iter, w->rooms);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&r)) {
		json_array_append_new(list, print_room(r));
	}
	return list;
}
