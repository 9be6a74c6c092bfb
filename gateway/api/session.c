/* Sessions: who is connected, what is sent to whom. The transport owns the socket, the application owns s->app. */
#include "gateway/api/api_priv.h"

#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"

enum { CLOSE_UNAUTHENTICATED = 4401 };

static double or_default(double value, double fallback)
{
	return value > 0 ? value : fallback;
}

static void fill_limits(struct gw_api_limits *l)
{
	l->session_rate = or_default(l->session_rate, 30);
	l->session_burst = or_default(l->session_burst, 60);
	l->source_rate = or_default(l->source_rate, 120);
	l->source_burst = or_default(l->source_burst, 240);
	l->opener_rate = or_default(l->opener_rate, 5);
	l->opener_burst = or_default(l->opener_burst, 10);
	l->max_sources = l->max_sources ? l->max_sources : 4096;
	l->max_pending = l->max_pending ? l->max_pending : 64;
}

gw_api *gw_api_new(const struct gw_api_ops *ops, const struct gw_api_limits *limits, void *user_data)
{
	gw_api *api = g_new0(gw_api, 1);
	api->ops = *ops;
	if (limits) {
		api->limits = *limits;
	}
	fill_limits(&api->limits);
	api->user_data = user_data;
	api->sessions = g_hash_table_new(g_str_hash, g_str_equal);
	api->sources = gw_limiter_new(api->limits.source_rate, api->limits.source_burst, api->limits.max_sources);
	api->openers = gw_limiter_new(api->limits.opener_rate, api->limits.opener_burst, api->limits.max_sources);
	api->credentials = gw_limiter_new(api->limits.session_rate, api->limits.session_burst, api->limits.max_sources);
	for (int m = 0; m < GW_METHOD_N; m++) {
		for (int role = 0; role < GW_ROLE_N; role++) {
			if (gw_methods[m].roles & (1U << role)) {
				api->max_frame[role] = MAX(api->max_frame[role], gw_methods[m].max_bytes);
			}
		}
	}
	gw_api_bind_builtin(api);
	return api;
}

void gw_api_free(gw_api *api)
{
	if (!api) {
		return;
	}
	g_assert(g_hash_table_size(api->sessions) == 0);
	while (api->calls.head) {
		gw_api_call *call = api->calls.head->data;
		gw_api_rest_cancel(call); /* what still has a session here is a REST call, which owns it */
		g_queue_unlink(&api->calls, &call->api_link);
		call->api = NULL;
	}
	g_hash_table_unref(api->sessions);
	gw_limiter_free(api->sources);
	gw_limiter_free(api->openers);
	gw_limiter_free(api->credentials);
	g_free(api);
}

void gw_api_bind(gw_api *api, enum gw_method method, gw_api_handler_fn fn, void *user_data)
{
	g_assert(method < GW_METHOD_N);
	api->handlers[method] = (struct handler){fn, user_data};
}

struct session *gw_api_session_new(gw_api *api, const struct gw_api_transport_ops *transport, const char *remote,
				   void *user, int64_t now_us)
{
	struct session *s = g_new0(struct session, 1);
	s->pub.api = api;
	s->pub.rest = !transport;
	s->pub.id = g_strdup_printf("%c-%" G_GUINT64_FORMAT, transport ? 'c' : 'r', ++api->next_id);
	s->pub.remote = g_strdup(remote ? remote : "");
	s->pub.user = user;
	s->transport = transport;
	s->pub.source = gw_source_key(remote);
	s->bucket = (struct bucket){api->limits.session_burst, now_us};
	return s;
}

void gw_api_session_free(struct session *s)
{
	while (s->calls.head) {
		gw_api_call_orphan(s->calls.head->data);
	}
	g_free(s->pub.id);
	g_free(s->pub.remote);
	g_free(s->pub.auth);
	g_free(s->pub.subject);
	g_free(s->pub.name);
	g_free(s->pub.incident);
	g_free(s->pub.scene);
	g_free(s->pub.source);
	g_free(s->pub.division);
	g_free(s);
}

struct gw_api_session *gw_api_session_open(gw_api *api, const struct gw_api_transport_ops *transport,
					   const char *remote, void *user)
{
	struct session *s = gw_api_session_new(api, transport, remote, user, 0);
	g_hash_table_insert(api->sessions, s->pub.id, s);
	api->counters[N_sessions_opened]++;
	return &s->pub;
}

void gw_api_session_close(struct gw_api_session *pub)
{
	if (!pub) {
		return;
	}
	struct session *s = priv(pub);
	gw_api *api = pub->api;
	s->ending = true;
	g_hash_table_remove(api->sessions, pub->id);
	api->counters[N_sessions_closed]++;
	if (s->opened && api->ops.on_closed) {
		api->ops.on_closed(pub, api->user_data);
	}
	gw_api_session_free(s);
}

static void adopt(struct gw_api_session *s, const struct gw_api_identity *who)
{
	s->role = who->role;
	s->auth = g_strdup(who->auth);
	s->subject = g_strdup(who->subject);
	s->name = g_strdup(who->name);
	s->incident = g_strdup(who->incident);
	s->scene = g_strdup(who->scene);
	s->expires_ms = who->expires_ms;
	s->division = who->division && *who->division ? g_strdup(who->division) : NULL;
	s->limited = who->limited;
	s->opened_ms = ort_wall_ms();
}

enum gw_error gw_api_session_authenticate(struct gw_api_session *pub, const char *token)
{
	gw_api *api = pub->api;
	struct gw_api_identity who = {0};
	if (pub->role != GW_ROLE_NONE) {
		return GW_ERROR_STATE;
	}
	enum gw_error err = api->ops.authenticate(token, pub->remote, &who, api->user_data);
	if (err != GW_ERROR_N) {
		return err;
	}
	g_assert(who.role > GW_ROLE_NONE && who.role < GW_ROLE_SYSTEM);
	adopt(pub, &who);
	if (!pub->rest) {
		priv(pub)->opened = true;
		if (api->ops.on_opened) {
			api->ops.on_opened(pub, api->user_data);
		}
	}
	return GW_ERROR_N;
}

size_t gw_api_session_max_frame(const struct gw_api_session *s)
{
	return s->api->max_frame[s->role];
}

static bool send_text(struct session *s, const char *text, size_t len)
{
	bool ok = s->transport && !s->ending && s->transport->send(&s->pub, text, len);
	if (!ok) {
		s->pub.api->counters[N_unsent]++;
	}
	return ok;
}

bool gw_api_session_send(struct session *s, json_t *message)
{
	char *text = json_dumps(message, JSON_COMPACT);
	json_decref(message);
	bool ok = text && send_text(s, text, strlen(text));
	free(text);
	return ok;
}

static json_t *event_message(enum gw_event event, const void *body)
{
	const struct gw_event_row *row = &gw_events[event];
	json_t *params = body ? ort_json_print(row->body, body) : json_object();
	return json_pack("{s:s,s:s,s:o}", "jsonrpc", "2.0", "method", row->name, "params", params);
}

void gw_api_notify(struct gw_api_session *pub, enum gw_event event, const void *body)
{
	g_assert(event < GW_EVENT_N && !pub->rest);
	json_t *message = event_message(event, body);
	if (!gw_access_hears(pub, event, json_object_get(message, "params"))) {
		json_decref(message);
		return;
	}
	pub->api->counters[N_events]++;
	(void)gw_api_session_send(priv(pub), message); /* counted there; the transport closes by itself */
}

void gw_api_broadcast(gw_api *api, gw_api_filter_fn filter, void *filter_data, enum gw_event event, const void *body)
{
	g_autoptr(json_t) message = NULL;
	char *text = NULL;
	size_t len = 0;
	GHashTableIter it;
	struct session *s;
	g_hash_table_iter_init(&it, api->sessions);
	while (g_hash_table_iter_next(&it, NULL, (void **)&s)) {
		if (!s->opened || s->ending || (filter && !filter(&s->pub, filter_data))) {
			continue;
		}
		if (!text) {
			message = event_message(event, body);
			text = json_dumps(message, JSON_COMPACT);
			len = strlen(text);
		}
		if (!gw_access_hears(&s->pub, event, json_object_get(message, "params"))) {
			continue;
		}
		api->counters[N_events]++;
		(void)send_text(s, text, len);
	}
	free(text);
}

void gw_api_end(struct gw_api_session *pub, const char *why)
{
	struct session *s = priv(pub);
	if (s->ending || pub->rest) {
		return;
	}
	gw_api_notify(pub, GW_EVENT_SESSION_ENDED, &(struct gw_ev_why){(char *)why});
	s->ending = true;
	s->transport->close(pub, CLOSE_UNAUTHENTICATED, why);
}

unsigned gw_api_end_matching(gw_api *api, gw_api_filter_fn filter, void *filter_data, const char *why)
{
	unsigned n = 0;
	GHashTableIter it;
	struct session *s;
	g_hash_table_iter_init(&it, api->sessions);
	while (g_hash_table_iter_next(&it, NULL, (void **)&s)) {
		if (s->opened && !s->ending && (!filter || filter(&s->pub, filter_data))) {
			gw_api_end(&s->pub, why);
			n++;
		}
	}
	return n;
}

struct gw_api_session *gw_api_session_by_id(gw_api *api, const char *id)
{
	return id ? g_hash_table_lookup(api->sessions, id) : NULL;
}

void gw_api_foreach(gw_api *api, void (*fn)(struct gw_api_session *s, void *user_data), void *user_data)
{
	GHashTableIter it;
	struct session *s;
	g_hash_table_iter_init(&it, api->sessions);
	while (g_hash_table_iter_next(&it, NULL, (void **)&s)) {
		if (s->opened && !s->ending) {
			fn(&s->pub, user_data);
		}
	}
}

unsigned gw_api_session_count(const gw_api *api)
{
	return g_hash_table_size(api->sessions);
}
