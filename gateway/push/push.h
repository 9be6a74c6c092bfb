/* Outgoing webhook: POST of JSON with a signature, retries with back-off, one after the other. libsoup-3.0 on the
 * thread-default GMainContext; loop thread only. The URL comes from the configuration, never from a client; redirects
 * are not followed. Receivers check X-Ortoo-Signature: "t=<seconds>,v1=<hex HMAC-SHA256 of "t.body">" and X-Ortoo-Id
 * (the same for every retry, so that they can drop doubles). */
#pragma once
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct gw_push gw_push;

struct gw_push_conf {		/* copied */
	const char *url;	/* http: or https: */
	const char *secret;	/* HMAC key; NULL or "" = unsigned */
	const char *ca_path;	/* PEM of private CAs; NULL = the system's */
	unsigned timeout_s;	/* of one attempt; 0 = 10 */
	unsigned attempts;	/* in all; 0 = 6 */
	unsigned backoff_ms;	/* before the second, then doubling up to 5 min; 0 = 1000 */
	unsigned max_queue;	/* waiting messages; 0 = 256 */
};
struct gw_push_result { bool ok; int status; unsigned attempts; const char *why; };	/* status 0 = no answer */
typedef void (*gw_push_fn)(const struct gw_push_result *result, void *user_data);	/* result borrowed */

gw_push *gw_push_new(const struct gw_push_conf *conf, char **ret_why);	/* NULL: bad URL; *ret_why (transfer full) */
void gw_push_free(gw_push *push);	/* what waits is dropped without a call; NULL allowed */
/* `event` literal like "incident.alarm"; `body` borrowed. fn (may be NULL) comes once: after 2xx, after the last attempt,
 * after an answer that a retry cannot mend (3xx, 4xx but 408 and 429), or at once when the queue is full. */
void gw_push_post(gw_push *push, const char *event, const json_t *body, int64_t wall_ms, gw_push_fn fn, void *user_data);
unsigned gw_push_waiting(const gw_push *push);
json_t *gw_push_counters(const gw_push *push);	/* name -> number, (transfer full) */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(gw_push, gw_push_free)
