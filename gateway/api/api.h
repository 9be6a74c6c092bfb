/* The client protocol's machinery: sessions, dispatch, role check, rate limits, events, OpenAPI. No sockets (gateway/web
 * has them), no rules (the application binds the handlers), no clock (now_us is handed in, CLOCK of mcu/base/clock.h).
 * Loop thread only. The gw_api outlives its sessions; calls may outlive both and are then dropped. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/api/schema.h"

typedef struct gw_api gw_api;
typedef struct gw_api_call gw_api_call;	/* a request that waits for its answer; gone after reply or fail */

/* Who a token stands for. Strings borrowed for the call in which it is handed over. */
struct gw_api_identity {
	const char *auth;	/* id of the credential, for revoke: not the token */
	const char *subject, *name;
	enum gw_role role;
	const char *incident, *scene;	/* field only, else NULL */
	int64_t expires_ms;		/* wall clock */
	const char *division;		/* data rights; NULL = the house, which is everything */
	bool limited;			/* only methods with the flag FIRST: a second factor is missing */
};

/* One WebSocket, or one REST request while it lasts. Read-only for everybody but gateway/api, except `app`. */
struct gw_api_session {
	gw_api *api;
	char *id;		/* "c-7" for WebSockets, "r-9" for REST */
	bool rest;
	enum gw_role role;	/* GW_ROLE_NONE until credentials came */
	char *auth, *subject, *name, *incident, *scene;	/* NULL while role is NONE; the last two only for field */
	int64_t expires_ms;
	char *division;		/* NULL = the house */
	bool limited;
	int64_t opened_ms;
	char *remote;		/* address as text, without port; v4-mapped folded */
	char *source;		/* gw_source_key(remote): what limits and lock-outs count by */
	void *user;		/* the transport's */
	void *app;		/* the application's; NULL at first, freed by it in ops->on_closed */
};

/* What a transport does for a session. `text` borrowed. */
struct gw_api_transport_ops {
	bool (*send)(struct gw_api_session *s, const char *text, size_t len);	/* false: refused; the transport closes by itself */
	void (*close)(struct gw_api_session *s, int code, const char *why);	/* later, never inside the call */
};

/* What the application does for the machinery; all may be NULL except authenticate. */
struct gw_api_ops {
	/* Cookie or bearer token -> who. GW_ERROR_N = fine, *ret filled; otherwise why not. */
	enum gw_error (*authenticate)(const char *token, const char *remote, struct gw_api_identity *ret, void *user_data);
	/* Before each call of a session with credentials: still good? Also pushes its idle time-out. false ends it. */
	bool (*touch)(const struct gw_api_session *s, void *user_data);
	void (*on_opened)(struct gw_api_session *s, void *user_data);	/* got its role; WebSockets only */
	void (*on_closed)(struct gw_api_session *s, void *user_data);	/* after on_opened; frees s->app; WebSockets only */
	/* Data rights (access.def), asked for sessions with a division: may it read, or command, this object? `id` NULL or "" =
	 * the house itself, or see `object`: the row or event body that names it, NULL for requests. */
	bool (*may)(const struct gw_api_session *s, const char *kind, const char *id, const json_t *object, bool command, void *user_data);
	/* Around each handler: on, then off. What is made meanwhile is this session's. */
	void (*acting)(const struct gw_api_session *s, bool on, void *user_data);
	/* Four eyes: GW_ERROR_N = go on. *ret_why (transfer full) names the request that waits. */
	enum gw_error (*approve)(const struct gw_api_session *s, enum gw_method method, const json_t *params, const void *request,
				 char **ret_why, void *user_data);
};

struct gw_api_limits {		/* 0 = the default in brackets */
	double session_rate, session_burst;	/* calls/s of one session [30, 60] */
	double source_rate, source_burst;	/* calls/s of one address [120, 240]: several consoles behind one NAT */
	double opener_rate, opener_burst;	/* openers/s of one address [5, 10] */
	size_t max_sources;			/* addresses remembered [4096] */
	unsigned max_pending;			/* unanswered calls of one session [64] */
};

/* ops and limits copied; limits may be NULL. */
gw_api *gw_api_new(const struct gw_api_ops *ops, const struct gw_api_limits *limits, void *user_data);
void gw_api_free(gw_api *api);	/* after all sessions were closed; calls still waiting are orphaned, not freed */

/* `request` is the method's request struct, borrowed for the call only. Answer `call` now or later, exactly once. */
typedef void (*gw_api_handler_fn)(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data);
void gw_api_bind(gw_api *api, enum gw_method method, gw_api_handler_fn fn, void *user_data);	/* auth.bearer, time.sync are ours */

/* ---- answering ---- */
void gw_api_reply(gw_api_call *call, const void *reply);	/* the method's reply struct, borrowed; NULL = {} */
void gw_api_fail(gw_api_call *call, enum gw_error error, const char *why);	/* why: English detail, may be NULL */
struct gw_api_session *gw_api_call_session(gw_api_call *call);	/* NULL: it has gone meanwhile */
/* Openers and auth.logout, before gw_api_reply: the cookie that goes with it. token "" = clear. */
void gw_api_call_set_cookie(gw_api_call *call, const char *token, int64_t expires_ms);
void gw_api_call_retry_after(gw_api_call *call, int64_t seconds);	/* with gw_api_fail: Retry-After */

/* ---- transports (gateway/web, tests) ---- */
/* Without credentials at first. `transport` borrowed for ever, `user` becomes s->user. */
struct gw_api_session *gw_api_session_open(gw_api *api, const struct gw_api_transport_ops *transport, const char *remote, void *user);
/* Cookie or Authorization of the upgrade request. GW_ERROR_N = has a role now. */
enum gw_error gw_api_session_authenticate(struct gw_api_session *s, const char *token);
void gw_api_session_close(struct gw_api_session *s);	/* frees; waiting calls are orphaned; NULL allowed */
size_t gw_api_session_max_frame(const struct gw_api_session *s);	/* longest message any method of its role allows */
void gw_api_dispatch(struct gw_api_session *s, const char *text, size_t len, int64_t now_us);	/* one WebSocket message */

struct gw_api_rest_reply {	/* borrowed for the callback */
	int status;
	const char *body;		/* JSON */
	const char *cookie;		/* NULL: leave it; "": clear it */
	int64_t cookie_expires_ms;
	int64_t retry_after_s;		/* 0 = none */
};
typedef void (*gw_api_rest_fn)(const struct gw_api_rest_reply *reply, void *user_data);
/* POST /api/v1/<method>. token may be NULL. `fn` comes exactly once, perhaps before return, unless cancelled;
 * the returned handle (NULL when fn was called already) is valid until fn comes and is only for gw_api_rest_cancel(). */
gw_api_call *gw_api_call_rest(gw_api *api, const char *method, const char *body, size_t len, const char *token,
			      const char *remote, int64_t now_us, gw_api_rest_fn fn, void *user_data);
void gw_api_rest_cancel(gw_api_call *call);	/* the HTTP client went away: fn will not come */

/* ---- events ---- */
void gw_api_notify(struct gw_api_session *s, enum gw_event event, const void *body);	/* body: the event's struct, borrowed */
typedef bool (*gw_api_filter_fn)(const struct gw_api_session *s, void *user_data);
/* To every WebSocket with a role that `filter` lets through (NULL = all); printed once. */
void gw_api_broadcast(gw_api *api, gw_api_filter_fn filter, void *filter_data, enum gw_event event, const void *body);
/* Sends session.ended {why}, then closes the socket with 4401. */
void gw_api_end(struct gw_api_session *s, const char *why);
/* Ends every session that `filter` picks (revoke by credential, subject, incident). Returns how many. */
unsigned gw_api_end_matching(gw_api *api, gw_api_filter_fn filter, void *filter_data, const char *why);
struct gw_api_session *gw_api_session_by_id(gw_api *api, const char *id);	/* WebSockets only; NULL = none */
void gw_api_foreach(gw_api *api, void (*fn)(struct gw_api_session *s, void *user_data), void *user_data);
unsigned gw_api_session_count(const gw_api *api);

/* ---- description ---- */
json_t *gw_api_openapi(const char *server_url);	/* OpenAPI 3.1 of all tables, (transfer full); any thread */
char *gw_api_describe(const char *format);	/* "json", "markdown" or "words" (fuzz dictionary), (transfer full) */
json_t *gw_api_counters(const gw_api *api);	/* name -> number, (transfer full) */
char *gw_error_body(enum gw_error error, const char *why);	/* REST error object as text, (transfer full), g_free */

/* ---- token buckets by key, for web's own limits too. Bounded: refilled ones are forgotten first. ---- */
typedef struct gw_limiter gw_limiter;
gw_limiter *gw_limiter_new(double rate_per_s, double burst, size_t max_keys);
void gw_limiter_free(gw_limiter *l);	/* NULL allowed */
bool gw_limiter_take(gw_limiter *l, const char *key, int64_t now_us);	/* false: over the limit */
size_t gw_limiter_size(const gw_limiter *l);
/* An address as a limiter's key: v4-mapped IPv6 folded to IPv4, other IPv6 cut to its /64. "" if it is no address. */
char *gw_source_key(const char *address);	/* (transfer full) */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(gw_limiter, gw_limiter_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(gw_api, gw_api_free)
