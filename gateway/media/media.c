/* The pool: calls that survive their engine, rooms that come back. One engine today; a second one is another link and a
 * column "engine" in want.c. */
#include "gateway/media/media.h"

#include <string.h>

#include "gateway/media/link_priv.h"
#include "gateway/media/want_priv.h"
#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/base/loop.h"

struct call {
	GList link;
	gw_media *m;
	enum mcu_method method;
	void *request;	/* owned copy */
	mcu_client_fn fn;
	void *user_data;
	int64_t deadline_us;
	enum mcu_error_id expires_as;
	bool sent;	/* the client holds it: freed by its reply */
	bool told;	/* its caller was answered */
};

struct gw_media {
	struct ort_owner owner;
	struct gw_media_conf conf;
	char *socket, *engine, **args;
	const struct gw_media_ops *ops;
	void *user_data;
	gw_link *link;
	gw_want *want;
	GQueue calls;		/* not told yet, in order */
	GHashTable *found;	/* room id -> struct mcu_dump_room, owned */
	GSource *timer;
	int64_t unclaimed_us;	/* when found rooms are closed */
	char *boot;		/* of the latest engine */
	bool resyncing, freeing;
	unsigned in_callback;
	uint64_t engines_lost, transports_lost, replayed;
};

static void resync(gw_media *m);

/* ---- calls ---- */

static void call_free(struct call *c)
{
	ort_json_clear(mcu_methods[c->method].request, c->request);
	g_free(c->request);
	g_free(c);
}

static void rearm(gw_media *m)
{
	const struct call *first = m->calls.head ? m->calls.head->data : NULL;
	ort_timer_set(m->timer, MIN(m->unclaimed_us, first ? first->deadline_us : ORT_NEVER));
}

/* Answers the caller; the call itself goes when nobody holds it. */
static void tell(struct call *c, const void *reply, const GError *err)
{
	gw_media *m = c->m;
	g_queue_unlink(&m->calls, &c->link);
	c->told = true;
	if (c->fn) {
		m->in_callback++;
		c->fn(reply, err, c->user_data);
		m->in_callback--;
	}
}

static void tell_error(struct call *c, enum mcu_error_id id)
{
	g_autoptr(GError) err = g_error_new_literal(MCU_ERROR, (int)id, mcu_errors[id].en);
	tell(c, NULL, err);
}

static void on_reply(const void *reply, const GError *err, void *user_data)
{
	struct call *c = user_data;
	gw_media *m = c->m;
	bool unknown_outcome = err && err->code == MCU_ERROR_NO_ENGINE;
	c->sent = false;
	if (c->told) {
		if (!m->freeing && (reply || unknown_outcome)) {
			resync(m);	/* the caller was told that it failed: make it so */
		}
		call_free(c);
		return;
	}
	if (unknown_outcome && !m->freeing && ort_now_us() < c->deadline_us) {
		return;	/* waits for the next engine, or for the same one to be reached again */
	}
	if (reply) {
		gw_want_note(m->want, c->method, c->request);
	}
	tell(c, reply, err);
	call_free(c);
}

static void forget_found(gw_media *m, const char *room)
{
	const struct mcu_room_ref ref = { (char *)room };
	if (room && g_hash_table_remove(m->found, room)) {
		mcu_client_call(gw_link_client(m->link), MCU_METHOD_ROOM_CLOSE, &ref, NULL, NULL);
	}
}

static void send_call(gw_media *m, struct call *c)
{
	if (c->method == MCU_METHOD_ROOM_OPEN) {
		forget_found(m, ((const struct mcu_room_open *)c->request)->room);
	}
	c->sent = true;
	mcu_client_call(gw_link_client(m->link), c->method, c->request, on_reply, c);
}

static void send_waiting(gw_media *m)
{
	for (GList *l = m->calls.head; l; l = l->next) {
		struct call *c = l->data;
		if (!c->sent && c->expires_as == MCU_ERROR_NO_ENGINE) {
			m->replayed++;
			send_call(m, c);
		}
	}
}

static void *copy_request(const struct ort_json_table *table, const void *request)
{
	void *copy = g_malloc0(MAX(table->size, 1));
	g_autoptr(json_t) json = ort_json_print(table, request);
	if (ort_json_read(table, json, copy, NULL) < 0) {
		g_free(copy);
		return NULL;	/* breaks the table's limits */
	}
	return copy;
}

void gw_media_call(gw_media *m, enum mcu_method method, const void *request, mcu_client_fn fn, void *user_data)
{
	int64_t now_us = ort_now_us();
	void *copy = copy_request(mcu_methods[method].request, request);
	bool full = m->calls.length >= m->conf.max_calls;
	ort_owner_assert(&m->owner);
	g_assert(!m->freeing);
	struct call *c = g_new0(struct call, 1);
	*c = (struct call){ .m = m, .method = method, .request = copy, .fn = fn, .user_data = user_data,
			    .expires_as = !copy ? MCU_ERROR_INVALID : full ? MCU_ERROR_LIMIT : MCU_ERROR_NO_ENGINE };
	c->link.data = c;
	c->deadline_us = c->expires_as == MCU_ERROR_NO_ENGINE ? now_us + m->conf.call_ms * ORT_US_PER_MS : now_us;
	if (c->expires_as != MCU_ERROR_NO_ENGINE) {
		if (!copy) {
			c->request = g_malloc0(MAX(mcu_methods[method].request->size, 1));
		}
		g_queue_push_head_link(&m->calls, &c->link);	/* answered by the next turn of the loop */
		rearm(m);
		return;
	}
	g_queue_push_tail_link(&m->calls, &c->link);
	rearm(m);
	if (gw_link_client(m->link)) {
		send_call(m, c);
	}
}

static void expire_calls(gw_media *m, int64_t now_us)
{
	struct call *c;
	while (m->calls.head && (c = m->calls.head->data)->deadline_us <= now_us) {
		tell_error(c, c->expires_as);
		if (!c->sent) {
			call_free(c);
		}
	}
}

/* ---- reconcile ---- */

static void tell_lost(gw_media *m, const char *room, const char *transport, const char *why)
{
	m->transports_lost++;
	if (m->ops->on_transport_lost) {
		m->ops->on_transport_lost(m, room, transport, why, m->user_data);
	}
}

struct reopen { gw_media *m; char *room; };

static void on_reopened(const void *reply, const GError *err, void *user_data)
{
	g_autofree struct reopen *r = user_data;
	g_autofree char *room = r->room;
	gw_media *m = r->m;
	if (!err || m->freeing || err->code == MCU_ERROR_NO_ENGINE || !gw_want_has_room(m->want, room)) {
		return;
	}
	ort_log(ORT_LOG_WARNING, "media", "room.reopen", "room could not be opened again", ORT_S("room", room),
		ORT_S("why", err->message));
	gw_want_drop_room(m->want, room);
	const struct mcu_room_ref body = { room };
	if (m->ops->on_event) {
		m->ops->on_event(m, MCU_EVENT_ROOM_CLOSED, &body, m->user_data);
	}
}

static void reopen_room(gw_media *m, const char *room)
{
	const struct mcu_room_open open = { (char *)room, gw_want_max_transports(m->want, room) };
	struct reopen *r = g_new0(struct reopen, 1);
	*r = (struct reopen){ m, g_strdup(room) };
	mcu_client_call(gw_link_client(m->link), MCU_METHOD_ROOM_OPEN, &open, on_reopened, r);
}

/* Half-done things; a call that is about to make the same thing again wins. */
static void remove_extra(gw_media *m, const struct gw_fix *f)
{
	const struct mcu_transport_ref transport = { f->room, f->id };
	const struct mcu_stream_ref stream = { f->room, f->id };
	const struct mcu_room_ref room = { f->room };
	static const enum mcu_method methods[] = {
		[GW_FIX_ROOM_FOUND] = MCU_METHOD_ROOM_CLOSE,
		[GW_FIX_TRANSPORT_CLOSE] = MCU_METHOD_TRANSPORT_CLOSE,
		[GW_FIX_SOURCE_REMOVE] = MCU_METHOD_SOURCE_REMOVE,
		[GW_FIX_SINK_REMOVE] = MCU_METHOD_SINK_REMOVE,
	};
	const void *request = f->what == GW_FIX_ROOM_FOUND ? (const void *)&room
			      : f->what == GW_FIX_TRANSPORT_CLOSE ? (const void *)&transport : (const void *)&stream;
	for (GList *l = m->calls.head; l; l = l->next) {
		const struct call *c = l->data;
		const char *made_in, *made;
		if (c->sent && gw_want_makes(c->method, c->request, &made_in, &made) && !g_strcmp0(made_in, f->room) &&
		    !g_strcmp0(made, f->id)) {
			return;
		}
	}
	mcu_client_call(gw_link_client(m->link), methods[f->what], request, NULL, NULL);
}

static void on_resync(const void *reply, const GError *err, void *user_data)
{
	gw_media *m = user_data;
	m->resyncing = false;
	if (err || m->freeing || !gw_link_client(m->link)) {
		return;	/* the next greeting compares anyway */
	}
	g_autoptr(GPtrArray) fixes = gw_want_compare(m->want, reply);
	for (guint i = 0; i < fixes->len; i++) {
		const struct gw_fix *f = fixes->pdata[i];
		bool missing = f->what == GW_FIX_ROOM_OPEN || f->what == GW_FIX_TRANSPORT_LOST;
		if (!missing && !(f->what == GW_FIX_ROOM_FOUND && g_hash_table_contains(m->found, f->room))) {
			remove_extra(m, f);
		}
	}
}

/* On a living connection only what is too much counts: what is missing may be newer than the dump. */
static void resync(gw_media *m)
{
	const struct mcu_empty nothing = { 0 };
	if (!m->resyncing && gw_link_client(m->link)) {
		m->resyncing = true;
		mcu_client_call(gw_link_client(m->link), MCU_METHOD_DUMP, &nothing, on_resync, m);
	}
}

static void found_free(void *data)
{
	ort_json_clear(&mcu_table_dump_room, data);
	g_free(data);
}

static void keep_found(gw_media *m, const struct mcu_dump_room *room)
{
	struct mcu_dump_room *copy = copy_request(&mcu_table_dump_room, room);
	if (copy) {
		g_hash_table_replace(m->found, copy->room, copy);
	}
}

/* Before anybody is told: first the engine gets what must come before the calls that waited. */
static void apply_fixes(gw_media *m, const GPtrArray *fixes)
{
	for (guint i = 0; i < fixes->len; i++) {
		const struct gw_fix *f = fixes->pdata[i];
		switch (f->what) {
		case GW_FIX_ROOM_OPEN:
			reopen_room(m, f->room);
			break;
		case GW_FIX_TRANSPORT_LOST:
			gw_want_drop_transport(m->want, f->room, f->id);
			break;
		case GW_FIX_ROOM_FOUND:
			break;
		default:
			remove_extra(m, f);
			break;
		}
	}
}

static void tell_found(gw_media *m, const struct mcu_dump_reply *dump)
{
	const struct mcu_dump_room *rooms = dump->rooms.items;
	for (size_t i = 0; i < dump->rooms.n; i++) {
		if (g_hash_table_contains(m->found, rooms[i].room) && m->ops->on_room_found) {
			m->ops->on_room_found(m, &rooms[i], m->user_data);
		}
	}
}

/* What may have been said while nobody listened. */
static void tell_states(gw_media *m, const struct mcu_dump_room *room)
{
	const struct mcu_dump_transport *t = room->transports.items;
	for (size_t i = 0; m->ops->on_event && i < room->transports.n; i++) {
		const struct mcu_transport_state body = { .room = room->room, .transport = t[i].id, .state = t[i].state,
							  .why = t[i].why, .at_ms = ort_wall_ms(), .at_us = ort_now_us() };
		if (t[i].state) {
			m->ops->on_event(m, MCU_EVENT_TRANSPORT_STATE, &body, m->user_data);
		}
	}
}

static void on_link_up(gw_link *l, const struct mcu_dump_reply *dump, void *user_data)
{
	gw_media *m = user_data;
	const struct gw_media_engine *engine = gw_link_engine(l);
	bool same = !g_strcmp0(m->boot, engine->boot);
	const struct mcu_dump_room *rooms = dump->rooms.items;
	g_autoptr(GPtrArray) fixes = gw_want_compare(m->want, dump);
	g_free(m->boot);
	m->boot = g_strdup(engine->boot);
	apply_fixes(m, fixes);
	for (size_t i = 0; i < dump->rooms.n; i++) {
		if (!gw_want_has_room(m->want, rooms[i].room)) {
			keep_found(m, &rooms[i]);
		}
	}
	m->unclaimed_us = g_hash_table_size(m->found) ? ort_now_us() + m->conf.unclaimed_ms * ORT_US_PER_MS : ORT_NEVER;
	rearm(m);
	send_waiting(m);
	m->in_callback++;
	if (m->ops->on_engine_up) {
		m->ops->on_engine_up(m, engine, m->user_data);
	}
	tell_found(m, dump);
	for (size_t i = 0; same && i < dump->rooms.n; i++) {
		if (gw_want_has_room(m->want, rooms[i].room)) {
			tell_states(m, &rooms[i]);
		}
	}
	for (guint i = 0; i < fixes->len; i++) {
		const struct gw_fix *f = fixes->pdata[i];
		if (f->what == GW_FIX_TRANSPORT_LOST) {
			tell_lost(m, f->room, f->id, same ? "vanished" : "engine_died");
		}
	}
	m->in_callback--;
}

static void on_link_down(gw_link *l, const char *why, void *user_data)
{
	gw_media *m = user_data;
	m->engines_lost++;
	g_hash_table_remove_all(m->found);
	m->unclaimed_us = ORT_NEVER;
	rearm(m);
	m->in_callback++;
	if (m->ops->on_engine_down) {
		m->ops->on_engine_down(m, why, m->user_data);
	}
	m->in_callback--;
}

static void room_closed(gw_media *m, const char *room)
{
	g_auto(GStrv) transports = gw_want_transports(m->want, room);
	for (size_t i = 0; transports[i]; i++) {
		gw_want_drop_transport(m->want, room, transports[i]);
	}
	reopen_room(m, room);
	for (size_t i = 0; transports[i]; i++) {
		tell_lost(m, room, transports[i], "room_closed");
	}
}

static void on_link_event(gw_link *l, enum mcu_event event, const void *body, void *user_data)
{
	gw_media *m = user_data;
	const struct mcu_room_ref *ref = body;
	m->in_callback++;
	if (event == MCU_EVENT_ROOM_CLOSED && gw_want_has_room(m->want, ref->room)) {
		room_closed(m, ref->room);	/* the event follows only when it cannot be opened again */
	} else if (m->ops->on_event) {
		m->ops->on_event(m, event, body, m->user_data);
	}
	m->in_callback--;
}

static const struct gw_link_ops link_ops = { .on_up = on_link_up, .on_down = on_link_down, .on_event = on_link_event };

bool gw_media_adopt(gw_media *m, const char *room)
{
	const struct mcu_dump_room *found = g_hash_table_lookup(m->found, room);
	if (!found) {
		return false;
	}
	gw_want_adopt(m->want, found);
	g_hash_table_remove(m->found, room);
	return true;
}

static void close_unclaimed(gw_media *m)
{
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
	GHashTableIter iter;
	const char *id;
	g_hash_table_iter_init(&iter, m->found);
	while (g_hash_table_iter_next(&iter, (void **)&id, NULL)) {
		g_ptr_array_add(ids, g_strdup(id));
	}
	for (guint i = 0; i < ids->len; i++) {
		forget_found(m, ids->pdata[i]);
	}
}

static int64_t on_timer(int64_t now_us, void *user_data)
{
	gw_media *m = user_data;
	expire_calls(m, now_us);
	if (m->unclaimed_us <= now_us) {
		m->unclaimed_us = ORT_NEVER;
		close_unclaimed(m);
	}
	rearm(m);
	return ORT_NEVER;
}

/* ---- life ---- */

static void copy_conf(gw_media *m, const struct gw_media_conf *conf)
{
	m->conf = *conf;
	m->conf.socket = m->socket = g_strdup(conf->socket);
	m->conf.engine = m->engine = g_strdup(conf->engine);
	m->args = g_strdupv((char **)conf->args);
	m->conf.args = (const char *const *)m->args;
	m->conf.grace_ms = conf->grace_ms ? conf->grace_ms : 120000;
	m->conf.call_ms = CLAMP(conf->call_ms ? conf->call_ms : 8000, 1, 9000);
	m->conf.max_calls = conf->max_calls ? conf->max_calls : 4096;
	m->conf.unclaimed_ms = conf->unclaimed_ms ? conf->unclaimed_ms : 30000;
	m->conf.ping_ms = conf->ping_ms ? conf->ping_ms : 3000;
}

gw_media *gw_media_new(GMainContext *context, const struct gw_media_conf *conf, const struct gw_media_ops *ops,
		       void *user_data)
{
	gw_media *m = g_new0(gw_media, 1);
	ort_owner_init(&m->owner);
	copy_conf(m, conf);
	m->ops = ops;
	m->user_data = user_data;
	m->want = gw_want_new();
	m->found = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, found_free);
	m->unclaimed_us = ORT_NEVER;
	m->timer = ort_timer_new(context, ORT_NEVER, on_timer, m);
	m->link = gw_link_new(context, &m->conf, &link_ops, m);
	return m;
}

void gw_media_free(gw_media *m)
{
	struct call *c;
	if (!m) {
		return;
	}
	ort_owner_assert(&m->owner);
	g_assert(m->in_callback == 0);
	m->freeing = true;
	gw_link_free(m->link);	/* answers what was sent */
	while (m->calls.head) {
		c = m->calls.head->data;
		tell_error(c, MCU_ERROR_NO_ENGINE);
		call_free(c);
	}
	g_source_destroy(m->timer);
	g_source_unref(m->timer);
	g_hash_table_unref(m->found);
	gw_want_free(m->want);
	g_strfreev(m->args);
	g_free(m->socket);
	g_free(m->engine);
	g_free(m->boot);
	g_free(m);
}

void gw_media_end_engine(gw_media *m)
{
	gw_link_end(m->link);
}

bool gw_media_up(const gw_media *m)
{
	return gw_link_client(m->link) != NULL;
}

const char *gw_media_boot(const gw_media *m)
{
	return gw_media_up(m) ? m->boot : NULL;
}

char *gw_media_dump(const gw_media *m)
{
	const struct gw_media_engine *e = gw_link_engine(m->link);
	g_autoptr(json_t) root = json_pack("{s:{s:s, s:s*, s:I, s:I, s:b}, s:o, s:I, s:I, s:I, s:I, s:I}", "engine", "state",
					   gw_link_state(m->link), "boot", e->boot, "pid", (json_int_t)e->pid, "starts",
					   (json_int_t)gw_link_starts(m->link), "taken_over", e->taken_over, "rooms",
					   gw_want_print(m->want), "unclaimed", (json_int_t)g_hash_table_size(m->found),
					   "calls", (json_int_t)m->calls.length, "engines_lost", (json_int_t)m->engines_lost,
					   "transports_lost", (json_int_t)m->transports_lost, "replayed",
					   (json_int_t)m->replayed);
	return ort_json_text(root);
}
