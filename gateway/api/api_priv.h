/* Inside of gateway/api. */
#pragma once
#include "gateway/api/api.h"

enum counter {
#define X(id, doc) N_##id,
#include "gateway/api/counters.def"
#undef X
	N_COUNTERS
};

struct bucket { double tokens; int64_t at_us; };

struct handler { gw_api_handler_fn fn; void *user_data; };

struct gw_api {
	struct gw_api_ops ops;
	struct gw_api_limits limits;
	void *user_data;
	struct handler handlers[GW_METHOD_N];
	size_t max_frame[GW_ROLE_N];
	GHashTable *sessions;	/* id (borrowed from it) -> struct session, WebSockets only */
	GQueue calls;		/* every gw_api_call alive */
	gw_limiter *sources, *openers, *credentials;
	uint64_t next_id;
	uint64_t counters[N_COUNTERS];
	uint64_t errors[GW_ERROR_N];
};

struct session {
	struct gw_api_session pub;	/* first: the face hands it out */
	const struct gw_api_transport_ops *transport;	/* NULL for REST */
	GQueue calls;		/* unanswered */
	struct bucket bucket;
	unsigned refusals;	/* by rate, in a row */
	bool opened, ending;
};

struct gw_api_call {
	gw_api *api;		/* NULL once it was freed */
	struct session *session;	/* NULL once it has gone */
	GList api_link, session_link;
	enum gw_method method;
	json_t *id;		/* WebSocket */
	gw_api_rest_fn rest_fn;	/* REST, with the session as its own */
	void *rest_data;
	char *cookie;
	int64_t cookie_expires_ms, retry_after_s;
	bool in_handler, answered;
};

static inline struct session *priv(const struct gw_api_session *s)
{
	return (struct session *)s;
}

/* session.c */
struct session *gw_api_session_new(gw_api *api, const struct gw_api_transport_ops *transport, const char *remote, void *user,
			    int64_t now_us);
void gw_api_session_free(struct session *s);
bool gw_api_session_send(struct session *s, json_t *message);	/* message stolen */

/* call.c */
gw_api_call *gw_api_call_new(struct session *s, enum gw_method method);
bool gw_api_call_run(gw_api_call *call, const void *request);	/* true: waits; false: answered, freed, a REST session too */
void gw_api_call_orphan(gw_api_call *call);			/* the session goes */

/* dispatch.c: all that is common to WebSocket and REST. GW_ERROR_N = go on. */
enum gw_error gw_api_check_method(struct session *s, int method, unsigned wrong_transport, size_t len, int64_t now_us, char **ret_why);
enum gw_error gw_api_start_call(struct session *s, enum gw_method method, json_t *params, gw_api_call **ret_call, void **ret_request,
			 char **ret_why);
void gw_api_refuse(struct session *s, json_t *id, enum gw_error error, const char *why);

/* access.c */
struct gw_access_row { enum gw_method method; int right; const char *kind, *member, *id; };
struct gw_access_event_row { bool known; const char *kind, *path; };
size_t gw_access_rows(const struct gw_access_row **ret);	/* for tests */
const struct gw_access_event_row *gw_access_event(enum gw_event event);
enum gw_error gw_access_check(const struct gw_api_session *s, enum gw_method method, const void *request, char **ret_why);
void gw_access_filter(const struct gw_api_session *s, enum gw_method method, json_t **io_result);
bool gw_access_hears(const struct gw_api_session *s, enum gw_event event, const json_t *params);

/* builtin.c */
void gw_api_bind_builtin(gw_api *api);

/* limiter.c */
bool gw_api_bucket_take(struct bucket *b, double rate, double burst, int64_t now_us);

char *gw_api_stranger(const struct ort_json_table *table, const json_t *params);	/* member that no row names, in words; NULL = none */
/* objects.c: what the domain's results look like */
const struct ort_json_table *gw_object_by_name(const char *name);	/* NULL = none */
bool gw_object_may_lack(const struct ort_json_field *f);
void gw_objects_describe(json_t *schemas);
void gw_objects_link(json_t *schema);
json_t *gw_webhooks_describe(void);
bool gw_api_table_is_bare(const struct ort_json_table *table);	/* result is its one member "value" */
