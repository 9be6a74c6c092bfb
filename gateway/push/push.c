/* One message after the other, so that a receiver sees the order of the incident. A failing receiver holds the queue,
 * not the loop: the queue is bounded and what does not fit is told at once. */
#include "gateway/push/push.h"

#include <libsoup/soup.h>
#include <string.h>

#include "mcu/base/json.h"
#include "mcu/base/log.h"

enum { TIMEOUT_S = 10, ATTEMPTS = 6, BACKOFF_MS = 1000, BACKOFF_MAX_MS = 300000, QUEUE = 256 };

enum counter {
#define X(id, doc) N_##id,
#include "gateway/push/counters.def"
#undef X
	N_COUNTERS
};

struct item {
	char *id, *event;
	GBytes *body;
	int64_t wall_ms;
	unsigned attempts;
	gw_push_fn fn;
	void *user_data;
};

struct gw_push {
	SoupSession *session;
	GUri *uri;
	char *secret;
	unsigned attempts, backoff_ms, max_queue;
	GQueue queue;	      /* struct item, the first is being sent */
	GCancellable *cancel; /* of the attempt under way */
	GSource *wait;	      /* until the next attempt */
	bool busy;
	uint64_t counters[N_COUNTERS];
};

static void item_free(struct item *item)
{
	g_free(item->id);
	g_free(item->event);
	g_bytes_unref(item->body);
	g_free(item);
}

/* ---- start and end ---- */

static unsigned or_default(unsigned value, unsigned fallback)
{
	return value ? value : fallback;
}

static GUri *parse_url(const char *url, char **ret_why)
{
	GUri *uri = url ? g_uri_parse(url, SOUP_HTTP_URI_FLAGS, NULL) : NULL;
	const char *scheme = uri ? g_uri_get_scheme(uri) : NULL;
	bool good = scheme && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) && g_uri_get_host(uri) &&
		    *g_uri_get_host(uri);
	if (!good) {
		g_clear_pointer(&uri, g_uri_unref);
		*ret_why = g_strdup("webhook: the address must be http://host... or https://host...");
	}
	return uri;
}

static GTlsDatabase *load_ca(const char *path, char **ret_why)
{
	g_autoptr(GError) err = NULL;
	GTlsDatabase *db = g_tls_file_database_new(path, &err);
	if (!db) {
		*ret_why = g_strdup_printf("webhook: %s: %s", path, err->message);
	}
	return db;
}

static void open_session(gw_push *push, GTlsDatabase *ca, unsigned timeout_s)
{
	push->session = soup_session_new_with_options("timeout", timeout_s, "idle-timeout", 60, "max-conns", 1,
						      "user-agent", "ortoo-gateway/" ORT_VERSION, NULL);
	if (ca) {
		soup_session_set_tls_database(push->session, ca);
	}
}

gw_push *gw_push_new(const struct gw_push_conf *conf, char **ret_why)
{
	g_autofree char *why = NULL;
	g_autoptr(GTlsDatabase) ca = NULL;
	GUri *uri = parse_url(conf->url, &why);
	if (uri && conf->ca_path && !(ca = load_ca(conf->ca_path, &why))) {
		g_clear_pointer(&uri, g_uri_unref);
	}
	if (!uri) {
		if (ret_why) {
			*ret_why = g_steal_pointer(&why);
		}
		return NULL;
	}
	gw_push *push = g_new0(gw_push, 1);
	push->uri = uri;
	push->secret = conf->secret && *conf->secret ? g_strdup(conf->secret) : NULL;
	push->attempts = or_default(conf->attempts, ATTEMPTS);
	push->backoff_ms = or_default(conf->backoff_ms, BACKOFF_MS);
	push->max_queue = or_default(conf->max_queue, QUEUE);
	open_session(push, ca, or_default(conf->timeout_s, TIMEOUT_S));
	return push;
}

static void stop_waiting(gw_push *push)
{
	if (push->wait) {
		g_source_destroy(push->wait);
		g_clear_pointer(&push->wait, g_source_unref);
	}
}

void gw_push_free(gw_push *push)
{
	if (!push) {
		return;
	}
	if (push->cancel) {
		g_cancellable_cancel(push->cancel); /* its callback sees that and does not touch us */
		g_clear_object(&push->cancel);
	}
	stop_waiting(push);
	g_queue_clear_full(&push->queue, (GDestroyNotify)item_free);
	soup_session_abort(push->session);
	g_object_unref(push->session);
	g_uri_unref(push->uri);
	g_free(push->secret);
	g_free(push);
}

/* ---- one attempt ---- */

static void next(gw_push *push);

static void finish(gw_push *push, bool ok, int status, const char *why)
{
	struct item *item = g_queue_pop_head(&push->queue);
	const struct gw_push_result result = {ok, status, item->attempts, why};
	push->busy = false;
	push->counters[ok ? N_delivered : N_failed]++;
	if (!ok) {
		ort_log(ORT_LOG_WARNING, "push", "push.failed", "a webhook message was given up",
			ORT_S("event", item->event), ORT_I("status", status), ORT_I("attempts", item->attempts),
			ORT_S("why", why));
	}
	next(push);
	if (item->fn) {
		item->fn(&result, item->user_data); /* last: it may free us */
	}
	item_free(item);
}

static gboolean try_again(gpointer user_data)
{
	gw_push *push = user_data;
	g_clear_pointer(&push->wait, g_source_unref);
	push->busy = false;
	push->counters[N_retries]++;
	next(push);
	return G_SOURCE_REMOVE;
}

static unsigned delay_ms(const gw_push *push, unsigned attempts)
{
	unsigned shift = MIN(attempts - 1, 16);
	uint64_t ms = (uint64_t)push->backoff_ms << shift;
	return (unsigned)MIN(ms, (uint64_t)BACKOFF_MAX_MS);
}

static void retry_later(gw_push *push, const struct item *item)
{
	push->wait = g_timeout_source_new(delay_ms(push, item->attempts));
	g_source_set_callback(push->wait, try_again, push, NULL);
	g_source_attach(push->wait, g_main_context_get_thread_default());
}

/* 408 and 429 ask for another try; other 4xx and any redirect would be answered the same again. */
static bool can_mend(int status)
{
	return status == 0 || status >= 500 || status == 408 || status == 429;
}

static void attempted(gw_push *push, int status, const char *why)
{
	const struct item *item = push->queue.head->data;
	if (status >= 200 && status < 300) {
		finish(push, true, status, NULL);
	} else if (can_mend(status) && item->attempts < push->attempts) {
		retry_later(push, item);
	} else {
		finish(push, false, status, why);
	}
}

static void answered(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(GError) err = NULL;
	GInputStream *stream = soup_session_send_finish(SOUP_SESSION(source), result, &err);
	g_clear_object(&stream);	/* what the receiver says beside its status is of no use */
	if (g_error_matches(err, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
		return;
	}
	gw_push *push = user_data;
	SoupMessage *message = soup_session_get_async_result_message(SOUP_SESSION(source), result);
	int status = err ? 0 : (int)soup_message_get_status(message);
	g_clear_object(&push->cancel);
	attempted(push, status, err ? err->message : soup_message_get_reason_phrase(message));
}

static char *signature(const gw_push *push, const struct item *item)
{
	gsize len = 0;
	const guint8 *body = g_bytes_get_data(item->body, &len);
	g_autofree char *stamp = g_strdup_printf("%" G_GINT64_FORMAT, item->wall_ms / 1000);
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, (const guchar *)push->secret, strlen(push->secret));
	g_hmac_update(hmac, (const guchar *)stamp, -1);
	g_hmac_update(hmac, (const guchar *)".", 1);
	g_hmac_update(hmac, body, (gssize)len);
	char *value = g_strdup_printf("t=%s,v1=%s", stamp, g_hmac_get_string(hmac));
	g_hmac_unref(hmac);
	return value;
}

static SoupMessage *make_message(const gw_push *push, const struct item *item)
{
	SoupMessage *message = soup_message_new_from_uri("POST", push->uri);
	SoupMessageHeaders *headers = soup_message_get_request_headers(message);
	soup_message_set_request_body_from_bytes(message, "application/json", item->body);
	soup_message_add_flags(message, SOUP_MESSAGE_NO_REDIRECT);
	soup_message_headers_append(headers, "X-Ortoo-Event", item->event);
	soup_message_headers_append(headers, "X-Ortoo-Id", item->id);
	if (push->secret) {
		g_autofree char *value = signature(push, item);
		soup_message_headers_append(headers, "X-Ortoo-Signature", value);
	}
	return message;
}

static void next(gw_push *push)
{
	if (push->busy || !push->queue.head) {
		return;
	}
	struct item *item = push->queue.head->data;
	g_autoptr(SoupMessage) message = make_message(push, item);
	push->busy = true;
	push->cancel = g_cancellable_new();
	push->counters[N_attempts]++;
	item->attempts++;
	soup_session_send_async(push->session, message, G_PRIORITY_DEFAULT, push->cancel, answered, push);
}

/* ---- the face ---- */

static GBytes *compose(const char *id, const char *event, const json_t *body, int64_t wall_ms)
{
	g_autoptr(json_t) message =
		json_pack("{s:s,s:s,s:I,s:O}", "id", id, "event", event, "at_ms", (json_int_t)wall_ms, "body", body);
	char *text = ort_json_text(message);
	return g_bytes_new_take(text, strlen(text));
}

void gw_push_post(gw_push *push, const char *event, const json_t *body, int64_t wall_ms, gw_push_fn fn, void *user_data)
{
	push->counters[N_posted]++;
	if (push->queue.length >= push->max_queue) {
		push->counters[N_refused]++;
		if (fn) {
			fn(&(struct gw_push_result){.why = "the queue is full"}, user_data);
		}
		return;
	}
	struct item *item = g_new0(struct item, 1);
	item->id = g_uuid_string_random();
	item->event = g_strdup(event);
	item->body = compose(item->id, event, body, wall_ms);
	item->wall_ms = wall_ms;
	item->fn = fn;
	item->user_data = user_data;
	g_queue_push_tail(&push->queue, item);
	next(push);
}

unsigned gw_push_waiting(const gw_push *push)
{
	return push->queue.length;
}

static const char *const counter_names[] = {
#define X(id, doc) #id,
#include "gateway/push/counters.def"
#undef X
};

json_t *gw_push_counters(const gw_push *push)
{
	json_t *out = json_object();
	for (int i = 0; i < N_COUNTERS; i++) {
		json_object_set_new(out, counter_names[i], json_integer((json_int_t)push->counters[i]));
	}
	json_object_set_new(out, "waiting", json_integer(push->queue.length));
	return out;
}
