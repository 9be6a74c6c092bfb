/* Inside of gateway/web: only server.c, conn.c, http.c and ws.c know libwebsockets. */
#pragma once
#include <libwebsockets.h>

#include "gateway/web/web.h"

enum counter {
#define X(id, doc) N_##id,
#include "gateway/web/counters.def"
#undef X
	N_COUNTERS
};

struct conn;
struct files;

struct route { const char *method, *prefix; size_t max_body; gw_web_handler_fn fn; void *user_data; };

struct gw_web_exchange {
	gw_web *web;			/* NULL once it was stopped */
	struct conn *conn;		/* NULL once it has gone */
	gw_api_call *call;		/* REST that waits */
	const char *cookie;		/* name of the one that its answer may set, a literal */
	GList link;			/* web->exchanges */
	bool head;			/* answer without body */
};

struct gw_web {
	gw_api *api;
	/* copies of the configuration */
	char *listen, *cert_path, *key_path, *csp;
	struct cert *cert;	/* NULL = plain HTTP */
	char **origins;
	bool tls, hsts, trust_forwarded;
	unsigned max_connections, max_prelogin, per_source, max_half_open;
	unsigned half_open, peak;	/* now; most sockets since memory was given back */
	unsigned header_timeout_s, login_timeout_s, ping_s;
	size_t max_queue;
	gw_limiter *connects;
	struct files *files;		/* NULL = no pages */
	GArray *routes;			/* struct route */
	GQueue conns;			/* struct conn, oldest first */
	GQueue exchanges;
	GHashTable *sources;		/* key -> struct source */
	GMainLoop *loop;
	GSource *tick, *chores;		/* chores: kill and go on sending, outside of libwebsockets' calls */
	struct lws_context *context;
	struct lws_vhost *main_host, *redirect_host;
	bool stopping;
	uint64_t counters[N_COUNTERS];
};

struct source { unsigned sockets, idle, prelogin; };

/*   HALF_OPEN --request--> BODY --> WAIT --reply--> SEND --done--> IDLE --request--> ...
 *       | upgrade                                                            (idle and half open may be evicted)
 *       +--> WS_LOGIN --credentials--> WS --> WS_CLOSING */
enum conn_state { C_HALF_OPEN, C_BODY, C_WAIT, C_SEND, C_IDLE, C_WS_LOGIN, C_WS, C_WS_CLOSING, C_STATES };

struct frame { size_t len; unsigned char bytes[]; };	/* LWS_PRE, then len */

struct conn {
	gw_web *web;
	struct lws *wsi;
	GList link;
	bool redirect, loopback, dying, killed, in_callback;
	char *peer;		/* address of the socket */
	char *key;		/* of web->sources */
	struct source *source;	/* borrowed from there */
	enum conn_state state;
	int64_t since_us;	/* the state began, or the last progress in it */
	/* one HTTP transaction */
	gw_web_exchange *exchange;
	const struct route *route;
	struct request *request;
	GByteArray *body;
	size_t body_len;	/* announced */
	GByteArray *out;	/* LWS_PRE, then the answer */
	size_t out_pos;
	bool close_after, empty_post;
	/* WebSocket */
	bool upgrade_ok, ping_due;
	char *token, *remote;
	struct gw_api_session *session;
	GQueue frames;
	size_t queued;
	GByteArray *in;
	int close_code;
	char close_why[64];
	int64_t heard_us, pinged_us;
};

/* A request taken out of libwebsockets' header table. */
struct request {
	char *method, *path, *query, *host, *origin, *content_type, *token, *if_match, *if_none_match, *remote;
};

/* conn.c */
struct conn *gw_web_conn_new(gw_web *web, struct lws *wsi, bool redirect);	/* NULL: refuse the socket */
void gw_web_conn_free(struct conn *c);
void gw_web_conn_enter(struct conn *c, enum conn_state state);
void gw_web_conn_kill(struct conn *c);			/* soon, from anywhere */
void gw_web_conn_chore(struct conn *c);		/* have the chores run */
void gw_web_conn_tick(gw_web *web, int64_t now_us);

/* cert.c */
const char *gw_web_cert_fault(const char *cert_path, const char *key_path);	/* NULL = a pair that can be used */
void gw_web_cert_hold(gw_web *web, void *ssl_ctx);
void gw_web_cert_free(gw_web *web);
void gw_web_cert_tick(gw_web *web, int64_t now_us);

/* header.c: pure */
const char *gw_web_cookie_name(const char *path, const char *query);	/* a literal; query may be NULL */
char *gw_web_bearer_of(const char *authorization, const char *cookies, const char *name);	/* token or NULL */
bool gw_web_origin_is_ours(const char *origin, const char *host, bool tls, bool any_scheme, char *const *others);
bool gw_web_host_is_sane(const char *host);
bool gw_web_path_is_sane(const char *path);
bool gw_web_etag_matches(const char *if_none_match, const char *etag);
char *gw_web_last_forwarded(const char *forwarded);	/* last address of X-Forwarded-For or NULL */
bool gw_web_content_type_is(const char *content_type, const char *want);

/* request.c */
struct request *gw_web_request_read(struct conn *c);	/* NULL: cannot be trusted, close */
void gw_web_request_free(struct request *r);
int64_t gw_web_request_length(struct conn *c);		/* -1 = none, -2 = bad */

/* http.c */
int gw_web_http_request(struct conn *c);		/* these three: return value of the lws callback */
int gw_web_http_body(struct conn *c, const void *in, size_t len);
int gw_web_http_body_done(struct conn *c);
bool gw_web_http_send(struct conn *c);			/* outside of callbacks too; false = close */
int gw_web_http_refuse_upgrade(struct conn *c, int status);
const char *gw_web_status_text(int status);

/* rest.c */
void gw_web_rest_routes(gw_web *web);

/* files.c */
struct files *gw_web_files_open(const char *root, char **ret_why);
void gw_web_files_close(struct files *f);
void gw_web_files_serve(struct files *f, gw_web_exchange *x, const struct request *r);

/* ws.c */
bool gw_web_ws_confirm(struct conn *c);		/* checks; answers itself when false */
int gw_web_ws_established(struct conn *c);
int gw_web_ws_receive(struct conn *c, const void *in, size_t len);
int gw_web_ws_writeable(struct conn *c);
void gw_web_ws_tick(struct conn *c, int64_t now_us);
void gw_web_ws_close(struct conn *c, int code, const char *why);

static inline void count(gw_web *web, enum counter which)
{
	web->counters[which]++;
}
