/* An application and a transport that remember: shared by the tests of gateway/api. */
#pragma once
#include <string.h>

#include "gateway/api/api.h"
#include "mcu/base/clock.h"

struct world {
	gw_api *api;
	GPtrArray *sent;	/* json_t * */
	gw_api_call *late;	/* a call that a handler kept */
	int opened, closed, closes, close_code;
	bool dead;		/* touch says no */
	bool stuffed;		/* send refuses */
	int64_t now_us;
};

static enum gw_error world_authenticate(const char *token, const char *remote, struct gw_api_identity *ret, void *user_data)
{
	int role = gw_role_by_name(token);
	if (role <= GW_ROLE_NONE || role >= GW_ROLE_SYSTEM) {
		return strcmp(token, "old") == 0 ? GW_ERROR_EXPIRED : GW_ERROR_UNAUTHENTICATED;
	}
	*ret = (struct gw_api_identity){ .auth = token, .subject = "account:x", .name = "X", .role = (enum gw_role)role,
					 .expires_ms = 99 };
	if (role == GW_ROLE_FIELD) {
		ret->incident = "i-1";
		ret->scene = "s-1";
	}
	return GW_ERROR_N;
}

static bool world_touch(const struct gw_api_session *s, void *user_data)
{
	return !((struct world *)user_data)->dead;
}

static void world_opened(struct gw_api_session *s, void *user_data)
{
	((struct world *)user_data)->opened++;
	s->app = g_strdup("mine");
}

static void world_closed(struct gw_api_session *s, void *user_data)
{
	((struct world *)user_data)->closed++;
	g_free(s->app);
}

static bool world_send(struct gw_api_session *s, const char *text, size_t len)
{
	struct world *w = s->user;
	if (w->stuffed) {
		return false;
	}
	json_t *message = json_loadb(text, len, 0, NULL);
	g_assert_nonnull(message);
	g_ptr_array_add(w->sent, message);
	return true;
}

static void world_close(struct gw_api_session *s, int code, const char *why)
{
	struct world *w = s->user;
	w->closes++;
	w->close_code = code;
}

static const struct gw_api_transport_ops world_transport = { world_send, world_close };

static void world_init(struct world *w, const struct gw_api_limits *limits)
{
	static const struct gw_api_ops ops = { world_authenticate, world_touch, world_opened, world_closed };
	*w = (struct world){ .sent = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref) };
	w->api = gw_api_new(&ops, limits, w);
}

static void world_finish(struct world *w)
{
	gw_api_free(w->api);
	g_ptr_array_unref(w->sent);
}

static inline struct gw_api_session *world_session(struct world *w, const char *token)
{
	struct gw_api_session *s = gw_api_session_open(w->api, &world_transport, "192.0.2.1", w);
	if (token) {
		g_assert_cmpint(gw_api_session_authenticate(s, token), ==, GW_ERROR_N);
	}
	return s;
}

static inline void world_say(struct world *w, struct gw_api_session *s, const char *text)
{
	gw_api_dispatch(s, text, strlen(text), w->now_us);
}

static inline json_t *world_last(struct world *w)
{
	g_assert_cmpuint(w->sent->len, >, 0);
	return w->sent->pdata[w->sent->len - 1];
}

static inline const char *world_error(struct world *w)
{
	json_t *error = json_object_get(world_last(w), "error");
	return json_string_value(json_object_get(json_object_get(error, "data"), "code"));
}

static inline json_int_t world_count(struct world *w, const char *name)
{
	g_autoptr(json_t) all = gw_api_counters(w->api);
	json_t *value = json_object_get(all, name);
	g_assert_true(json_is_integer(value));
	return json_integer_value(value);
}
