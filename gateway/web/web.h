/* The gateway's door: HTTPS, static pages, WebSocket and REST for gateway/api, raw routes (WHIP, WHEP, metrics).
 * libwebsockets stays behind this face; it runs on the default GMainContext. Loop thread only. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/api/api.h"

typedef struct gw_web gw_web;
typedef struct gw_web_exchange gw_web_exchange;	/* a request that waits for its answer; gone after gw_web_reply */

struct gw_web_conf {		/* copied */
	const char *listen;		/* address or interface; NULL = all */
	int port;			/* 0 = any free one, see gw_web_port */
	const char *cert_path, *key_path;	/* PEM; NULL = plain HTTP, only with a loopback `listen` */
	int redirect_port;		/* plain HTTP that answers 308 to https; -1 = none, 0 = any free one */
	const char *root;		/* folder of the pages; NULL = no pages */
	const char *const *origins;	/* foreign origins that may open /ws, beside our own host; NULL-terminated or NULL */
	const char *map_origin;		/* tile server for img-src, e.g. "https://tiles.example"; NULL = none */
	bool hsts;			/* Strict-Transport-Security, one year */
	bool trust_forwarded;		/* X-Forwarded-For from a loopback proxy counts as the address */
	unsigned max_connections;	/* all sockets; 0 = 2048 */
	unsigned max_prelogin;		/* sockets without credentials per address; 0 = 8 */
	double connect_rate, connect_burst;	/* WebSocket connects/s per address; 0 = 10, 40 */
	size_t max_queue;		/* unsent bytes per client, then close 1013; 0 = 1 MiB */
	unsigned header_timeout_s, login_timeout_s, ping_s;	/* 0 = 5, 5, 20 */
};

/* NULL and *ret_why (transfer full) on error. `api` borrowed: web is stopped first. */
gw_web *gw_web_start(const struct gw_web_conf *conf, gw_api *api, char **ret_why);
void gw_web_stop(gw_web *web);	/* closes all; exchanges still out are dropped at their reply; NULL allowed */
int gw_web_port(const gw_web *web);
/* Reads certificate and key anew (it also looks by itself every few seconds); false: refused, the old pair stays. */
bool gw_web_reload(gw_web *web);
int gw_web_redirect_port(const gw_web *web);	/* -1 = none */

/* ---- raw routes ---- */
struct gw_web_request {		/* borrowed for the handler's call */
	const char *method;	/* "GET", "POST", "PATCH", "DELETE", "OPTIONS" */
	const char *path;	/* whole, decoded, without query */
	const char *tail;	/* after the prefix */
	const char *query;	/* without '?', may be NULL */
	const char *content_type, *token, *if_match, *origin;	/* may be NULL; token: bearer, or the cookie of its kind */
	const char *remote;	/* address without port */
	bool loopback;
	const char *body;	/* NUL after len */
	size_t len;
};
struct gw_web_header { const char *name, *value; };
struct gw_web_response {
	int status;
	const char *content_type;	/* NULL = none */
	const void *body;
	size_t len;
	const struct gw_web_header *headers;	/* Location, ETag, Link, ...; CR and LF are refused */
	size_t n_headers;
};
typedef void (*gw_web_handler_fn)(gw_web_exchange *x, const struct gw_web_request *request, void *user_data);
/* method "*" = any. Longest prefix wins. max_body 0 = 64 KiB. Strings borrowed for ever (literals). */
void gw_web_route(gw_web *web, const char *method, const char *prefix, size_t max_body, gw_web_handler_fn fn, void *user_data);
void gw_web_reply(gw_web_exchange *x, const struct gw_web_response *response);	/* now or later, exactly once; copied */

json_t *gw_web_counters(const gw_web *web);	/* name -> number, (transfer full) */
