/* Signalling: link.open over REST (it gives the session), then JSON-RPC over one WebSocket that is made again when it is
 * lost. Requests and replies go through the field tables of gateway/api/schema.h: a foreign shape is refused here. */
#include <gio/gio.h>
#include <libsoup/soup.h>
#include <string.h>

#include "softclient/desktop/call/call_priv.h"

enum { CALL_MS = 10000, SYNC_EVERY_MS = 15000, TICK_MS = 50, MESSAGE_MAX = 1 << 20, CLOSE_UNKNOWN_US = 4401 };

struct pending { enum gw_method method; sc_reply_fn fn; void *user_data; int64_t deadline_us; };

struct sc_wire {
	struct sc_call_conf conf;
	struct sc_wire_listener listener;
	void *user_data;
	struct sc_line line;
	SoupSession *session;
	SoupWebsocketConnection *socket;
	GCancellable *cancel;		/* of the connection attempt that runs */
	char *cookie;
	GHashTable *pending;		/* id -> struct pending */
	json_int_t next_id;
	int64_t sync_due_us, offset_ms;
	unsigned tick;
	enum sc_call_end end;
	char *why;
	bool told;
};

static void act(sc_wire *w);

static void move(sc_wire *w, int event)
{
	if (sc_line_event(&w->line, event, ort_now_us())) {
		ort_log(ORT_LOG_INFO, "wire", "wire.state", "the signalling moved", ORT_S("state", sc_line_state(&w->line)));
		act(w);
	}
}

/* ---- calls ---- */
static void fail_all(sc_wire *w)
{
	g_autoptr(GHashTable) old = w->pending;
	GHashTableIter i;
	gpointer value;
	w->pending = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	g_hash_table_iter_init(&i, old);
	while (g_hash_table_iter_next(&i, NULL, &value)) {
		const struct pending *p = value;
		p->fn("offline", "the signalling is down", NULL, p->user_data);
	}
}

void sc_wire_call(sc_wire *w, enum gw_method method, const void *request, sc_reply_fn fn, void *user_data)
{
	if (w->line.fsm.state != WIRE_UP) {
		if (fn != NULL) {
			fn("offline", "the signalling is down", NULL, user_data);
		}
		return;
	}
	json_int_t id = ++w->next_id;
	g_autoptr(json_t) message = json_pack("{s:s,s:I,s:s,s:o}", "jsonrpc", "2.0", "id", id, "method", gw_methods[method].name, "params",
					      ort_json_print(gw_methods[method].request, request));
	g_autofree char *text = ort_json_text(message);
	if (fn != NULL) {
		int64_t *key = g_new(int64_t, 1);
		struct pending *p = g_new(struct pending, 1);
		*key = id;
		*p = (struct pending){ method, fn, user_data, ort_now_us() + CALL_MS * ORT_US_PER_MS };
		g_hash_table_insert(w->pending, key, p);
	}
	soup_websocket_connection_send_text(w->socket, text);
}

static bool is_bare(const struct ort_json_table *table)
{
	return table->n_fields == 1 && table->fields[0].type == ORT_J_RAW && strcmp(table->fields[0].name, "value") == 0;
}

static const char *text_of(const json_t *object, const char *member)
{
	return json_string_value(json_object_get(object, member));
}

static void deliver(const struct pending *p, json_t *message)
{
	const struct ort_json_table *table = gw_methods[p->method].reply;
	json_t *result = json_object_get(message, "result"), *error = json_object_get(message, "error");
	const json_t *data = json_object_get(error, "data");
	g_autofree char *why = NULL;
	if (error != NULL || result == NULL) {
		const char *code = text_of(data, "code"), *detail = text_of(data, "why");
		p->fn(code != NULL ? code : "internal", detail != NULL ? detail : text_of(error, "message"), NULL, p->user_data);
		return;
	}
	if (is_bare(table)) {
		p->fn(NULL, NULL, &(struct gw_raw){ result }, p->user_data);
		return;
	}
	g_autofree void *reply = g_malloc0(table->size);
	if (ort_json_read(table, result, reply, &why) < 0) {
		p->fn("invalid", why, NULL, p->user_data);
		return;
	}
	p->fn(NULL, NULL, reply, p->user_data);
	ort_json_clear(table, reply);
}

static void on_notify(sc_wire *w, const char *name, const json_t *params)
{
	int event = gw_event_by_name(name);
	g_autofree char *why = NULL;
	if (event < 0) {
		return;		/* a younger gateway */
	}
	g_autofree void *body = g_malloc0(gw_events[event].body->size);
	if (ort_json_read(gw_events[event].body, params, body, &why) < 0) {
		ort_log(ORT_LOG_WARNING, "wire", "event.invalid", "an event cannot be read", ORT_S("event", name), ORT_S("why", why));
		return;
	}
	w->listener.on_event((enum gw_event)event, body, w->user_data);
	ort_json_clear(gw_events[event].body, body);
}

static void on_message(SoupWebsocketConnection *socket, int type, GBytes *bytes, gpointer user_data)
{
	sc_wire *w = user_data;
	gsize len = 0;
	const char *text = g_bytes_get_data(bytes, &len);
	g_autoptr(json_t) message = type == SOUP_WEBSOCKET_DATA_TEXT ? ort_json_parse(text, len, MESSAGE_MAX, NULL) : NULL;
	const char *method = text_of(message, "method");
	if (message == NULL || !json_is_object(message)) {
		soup_websocket_connection_close(socket, SOUP_WEBSOCKET_CLOSE_UNSUPPORTED_DATA, NULL);
		return;
	}
	if (method != NULL) {
		on_notify(w, method, json_object_get(message, "params"));
		return;
	}
	int64_t id = json_integer_value(json_object_get(message, "id"));
	gpointer key = NULL, value = NULL;
	if (g_hash_table_steal_extended(w->pending, &id, &key, &value)) {
		g_autofree struct pending *p = value;
		g_free(key);
		deliver(p, message);
	}
}

/* ---- clock and liveliness: one probe does both ---- */
static void on_sync(const char *error, const char *why, const void *reply, void *user_data)
{
	sc_wire *w = user_data;
	const struct gw_time_sync_reply *r = reply;
	if (error == NULL) {
		int64_t now = ort_wall_ms();
		w->offset_ms = r->server_ms - (r->client_ms + now) / 2;
	} else if (g_str_equal(error, "timeout")) {
		move(w, WIRE_EV_LOST);
	}
}

static void probe(sc_wire *w, int64_t now_us)
{
	w->sync_due_us = now_us + SYNC_EVERY_MS * ORT_US_PER_MS;
	sc_wire_call(w, GW_METHOD_TIME_SYNC, &(struct gw_time_sync){ ort_wall_ms() }, on_sync, w);
}

static void time_out(sc_wire *w, int64_t now_us)
{
	g_autoptr(GArray) late = g_array_new(FALSE, FALSE, sizeof(struct pending));
	GHashTableIter i;
	gpointer value;
	g_hash_table_iter_init(&i, w->pending);
	while (g_hash_table_iter_next(&i, NULL, &value)) {
		if (((struct pending *)value)->deadline_us <= now_us) {
			g_array_append_val(late, *(struct pending *)value);
			g_hash_table_iter_remove(&i);
		}
	}
	for (unsigned n = 0; n < late->len; n++) {
		const struct pending *p = &g_array_index(late, struct pending, n);
		p->fn("timeout", gw_methods[p->method].name, NULL, p->user_data);
	}
}

static gboolean on_tick(gpointer user_data)
{
	sc_wire *w = user_data;
	int64_t now_us = ort_now_us();
	if (ort_fsm_expired(&w->line.fsm, now_us)) {
		move(w, WIRE_EV_TIMER);
	}
	if (w->line.fsm.state == WIRE_UP && now_us >= w->sync_due_us) {
		probe(w, now_us);
	}
	time_out(w, now_us);
	if (w->line.fsm.state == WIRE_ENDED && !w->told) {
		w->told = true;
		w->listener.on_ended(w->end, w->why, w->user_data);
	}
	return G_SOURCE_CONTINUE;
}

/* ---- REST ---- */
static void end_with(sc_wire *w, enum sc_call_end end, const char *why, int event)
{
	if (w->end == SC_END_NONE) {
		w->end = end;
		w->why = g_strdup(why);
	}
	move(w, event);
}

/* The first pair of the first Set-Cookie: the name is the gateway's business. */
static void take_cookie(sc_wire *w, SoupMessage *message)
{
	const char *value = soup_message_headers_get_list(soup_message_get_response_headers(message), "Set-Cookie");
	if (value != NULL) {
		g_free(w->cookie);
		w->cookie = g_strndup(value, strcspn(value, ";,"));
	}
}

static void opened(sc_wire *w, SoupMessage *message, const json_t *body)
{
	struct gw_session_info info;
	g_autofree char *why = NULL;
	if (ort_json_read(&gw_table_session_info, body, &info, &why) < 0) {
		end_with(w, SC_END_REFUSED, why, WIRE_EV_REFUSED);
		return;
	}
	take_cookie(w, message);
	w->listener.on_open(&info, w->user_data);
	ort_json_clear(&gw_table_session_info, &info);
	move(w, WIRE_EV_OPENED);
}

/* 4xx is the gateway's word about the link, but for "slow down"; anything else may pass. */
static void on_rest(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(GError) err = NULL;
	g_autoptr(GBytes) bytes = soup_session_send_and_read_finish(SOUP_SESSION(source), result, &err);
	if (g_error_matches(err, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
		return;
	}
	sc_wire *w = user_data;
	SoupMessage *message = soup_session_get_async_result_message(SOUP_SESSION(source), result);
	unsigned status = message != NULL ? soup_message_get_status(message) : 0;
	gsize len = 0;
	const char *text = bytes != NULL ? g_bytes_get_data(bytes, &len) : NULL;
	g_autoptr(json_t) body = text != NULL ? ort_json_parse(text, len, MESSAGE_MAX, NULL) : NULL;
	const char *code = text_of(json_object_get(body, "error"), "code");
	if (err == NULL && status == 200) {
		opened(w, message, body);
	} else if (err == NULL && status >= 400 && status < 500 && status != 429) {
		end_with(w, SC_END_REFUSED, code != NULL ? code : "refused", WIRE_EV_REFUSED);
	} else {
		ort_log(ORT_LOG_WARNING, "wire", "link.unreachable", "the gateway cannot be reached",
			ORT_S("why", err != NULL ? err->message : code), ORT_I("status", status));
		move(w, WIRE_EV_LOST);
	}
}

static SoupMessage *message_to(sc_wire *w, const char *method, const char *path)
{
	g_autofree char *url = g_strconcat(w->conf.link->origin, path, NULL);
	SoupMessage *message = soup_message_new(method, url);
	if (w->cookie != NULL) {
		soup_message_headers_replace(soup_message_get_request_headers(message), "Cookie", w->cookie);
	}
	return message;
}

static gboolean accept_any(SoupMessage *message, GTlsCertificate *certificate, GTlsCertificateFlags errors, gpointer user_data)
{
	return TRUE;
}

static void trust(sc_wire *w, SoupMessage *message)
{
	if (w->conf.insecure && w->conf.link->loopback) {
		g_signal_connect(message, "accept-certificate", G_CALLBACK(accept_any), NULL);
	}
}

static void open_link(sc_wire *w)
{
	struct gw_token_ref ref = { w->conf.link->token };
	g_autoptr(json_t) params = ort_json_print(&gw_table_token_ref, &ref);
	g_autofree char *text = ort_json_text(params);
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autoptr(SoupMessage) message = message_to(w, "POST", "/api/v1/link.open");
	trust(w, message);
	soup_message_set_request_body_from_bytes(message, "application/json", bytes);
	soup_session_send_and_read_async(w->session, message, G_PRIORITY_DEFAULT, w->cancel, on_rest, w);
}

/* ---- WebSocket ---- */
static void on_closed(SoupWebsocketConnection *socket, gpointer user_data)
{
	sc_wire *w = user_data;
	bool unknown_us = soup_websocket_connection_get_close_code(socket) == CLOSE_UNKNOWN_US;
	if (socket == w->socket) {
		move(w, unknown_us ? WIRE_EV_UNKNOWN_US : WIRE_EV_LOST);
	}
}

static void on_dialed(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(GError) err = NULL;
	g_autoptr(SoupWebsocketConnection) socket = soup_session_websocket_connect_finish(SOUP_SESSION(source), result, &err);
	if (g_error_matches(err, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
		return;
	}
	sc_wire *w = user_data;
	if (socket == NULL) {
		SoupMessage *message = soup_session_get_async_result_message(SOUP_SESSION(source), result);
		bool unknown_us = message != NULL && soup_message_get_status(message) == SOUP_STATUS_UNAUTHORIZED;
		move(w, unknown_us ? WIRE_EV_UNKNOWN_US : WIRE_EV_LOST);
		return;
	}
	w->socket = g_steal_pointer(&socket);
	soup_websocket_connection_set_max_incoming_payload_size(w->socket, MESSAGE_MAX);
	g_signal_connect(w->socket, "message", G_CALLBACK(on_message), w);
	g_signal_connect(w->socket, "closed", G_CALLBACK(on_closed), w);
	move(w, WIRE_EV_DIALED);
}

static void dial(sc_wire *w)
{
	g_autoptr(SoupMessage) message = message_to(w, "GET", "/ws?as=field");
	trust(w, message);
	soup_session_websocket_connect_async(w->session, message, w->conf.link->origin, NULL, G_PRIORITY_DEFAULT, w->cancel, on_dialed, w);
}

static void drop_socket(sc_wire *w, bool polite)
{
	g_autoptr(SoupWebsocketConnection) socket = g_steal_pointer(&w->socket);
	g_cancellable_cancel(w->cancel);
	g_object_unref(w->cancel);
	w->cancel = g_cancellable_new();
	if (socket != NULL) {
		g_signal_handlers_disconnect_by_data(socket, w);
		if (polite && soup_websocket_connection_get_state(socket) == SOUP_WEBSOCKET_STATE_OPEN) {
			soup_websocket_connection_close(socket, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
		}
		fail_all(w);
		w->listener.on_up(false, w->user_data);
	}
}

/* What being in a state means. */
static void act(sc_wire *w)
{
	switch (w->line.fsm.state) {
	case WIRE_OPENING:
		open_link(w);
		break;
	case WIRE_DIALING:
		dial(w);
		break;
	case WIRE_UP:
		probe(w, ort_now_us());
		w->listener.on_up(true, w->user_data);
		break;
	default:
		drop_socket(w, w->line.fsm.state == WIRE_ENDED);
	}
}

/* ---- life ---- */
sc_wire *sc_wire_new(const struct sc_call_conf *conf, const struct sc_wire_listener *listener, void *user_data, char **ret_why)
{
	g_autoptr(GError) err = NULL;
	g_autoptr(GTlsDatabase) database = NULL;
	if (conf->insecure && !conf->link->loopback) {
		*ret_why = g_strdup("an unchecked server is only possible on this machine itself");
		return NULL;
	}
	if (conf->ca_file != NULL && (database = g_tls_file_database_new(conf->ca_file, &err)) == NULL) {
		*ret_why = g_strdup(err->message);
		return NULL;
	}
	sc_wire *w = g_new0(sc_wire, 1);
	*w = (sc_wire){ .conf = *conf, .listener = *listener, .user_data = user_data, .cancel = g_cancellable_new() };
	w->session = soup_session_new_with_options("user-agent", "ortoo-terminal/" ORT_VERSION, "timeout", 30, "proxy-resolver", NULL, NULL);
	if (database != NULL) {
		soup_session_set_tls_database(w->session, database);
	}
	w->pending = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	w->tick = g_timeout_add(TICK_MS, on_tick, w);
	sc_line_init(&w->line, &sc_wire_kind, ort_now_us());
	act(w);
	return w;
}

bool sc_wire_is_up(const sc_wire *w)
{
	return w->line.fsm.state == WIRE_UP;
}

int64_t sc_wire_now_ms(const sc_wire *w)
{
	return ort_wall_ms() + w->offset_ms;
}

const char *sc_wire_state(const sc_wire *w)
{
	return sc_line_state(&w->line);
}

void sc_wire_close(sc_wire *w, enum sc_call_end end, const char *why)
{
	end_with(w, end, why, WIRE_EV_CLOSE);
}

void sc_wire_free(sc_wire *w)
{
	if (w == NULL) {
		return;
	}
	g_clear_handle_id(&w->tick, g_source_remove);
	drop_socket(w, true);
	g_hash_table_unref(w->pending);
	g_object_unref(w->cancel);
	g_object_unref(w->session);
	g_free(w->cookie);
	g_free(w->why);
	g_free(w);
}
