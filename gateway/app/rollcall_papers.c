/* Handlers: circulars (通报) of roll calls as JSON, CSV and PDF, their stills and clips, the search, and the figures for the
 * appraisal. */
#include <gio/gio.h>
#include <string.h>

#include "gateway/app/app_priv.h"
#include "gateway/app/evidence_priv.h"
#include "gateway/print/print.h"
#include "mcu/base/clock.h"

/* With the head of the log; (transfer full), NULL = no such. */
static json_t *circular_json(const gw_app *app, const char *id)
{
	json_t *o = gw_rollcall_circular(app->domain, id);
	if (o != NULL) {
		json_object_set_new(o, "issued_ms", json_integer(ort_wall_ms()));
		gw_app_put_proof(app, o);
	}
	return o;
}

/* After the barrier: the head that it names covers all that it tells. */
static void reply_circular(struct gw_ack *ack)
{
	g_autoptr(json_t) o = ack->n == GW_CIRCULAR_JSON ? circular_json(ack->app, ack->id) : NULL;
	g_autofree char *csv = ack->n == GW_CIRCULAR_CSV ? gw_rollcall_csv(ack->app->domain, ack->id) : NULL;
	if (o == NULL && csv == NULL) {
		gw_api_fail(ack->call, GW_ERROR_NOT_FOUND, NULL);
		return;
	}
	gw_api_reply(ack->call, &(struct gw_rollcall_circular_reply){ o, csv });
}

static void circular(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_rollcall_circular *in = request;
	gw_app_ack(user_data, call, reply_circular, in->id, NULL, in->format);
}

static void search(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_rollcall_search *in = request;
	struct gw_rollcall_query q = { .text = in->text, .site = in->site, .has_result = in->result != GW_RESULT_NOT_CALLED,
				       .result = in->result, .from_ms = in->from_ms, .to_ms = in->to_ms,
				       .limit = in->limit > 0 ? (unsigned)in->limit : 100 };
	g_autoptr(json_t) all = gw_rollcall_search(((gw_app *)user_data)->domain, &q);
	gw_api_reply(call, &(struct gw_rollcall_list_reply){ all });
}

static void stats(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_rollcall_stats *in = request;
	const gw_domain *d = ((gw_app *)user_data)->domain;
	bool csv = in->format == GW_CIRCULAR_CSV;
	g_autoptr(json_t) rows = csv ? NULL : gw_rollcall_stats(d, in->from_ms, in->to_ms, s->division);
	g_autofree char *text = csv ? gw_rollcall_stats_csv(d, in->from_ms, in->to_ms, s->division) : NULL;
	gw_api_reply(call, &(struct gw_rollcall_stats_reply){ rows, text });
}

/* ---- files: /rollcall/<id>/<name> ---- */
static void refuse(gw_web_exchange *x, int status, enum gw_error error, const char *why)
{
	g_autofree char *body = gw_error_body(error, why);
	gw_web_reply(x, &(struct gw_web_response){ .status = status, .content_type = "application/json", .body = body, .len = strlen(body) });
}

static bool may_read(gw_app *app, const struct gw_web_request *r, const char *rollcall)
{
	static const char *const roles[] = { "administrator", "dispatcher", "viewer", "auditor", NULL };
	struct gw_auth_identity who;
	return r->token != NULL && gw_auth_check(app->auth, r->token, ort_now_us(), ort_wall_ms(), &who) == GW_AUTH_OK &&
	       g_strv_contains(roles, who.role) && !gw_app_is_limited(app, &who) &&
	       (who.division == NULL || gw_access_may(app->domain, who.division, "rollcall", rollcall, false));
}

struct printing { gw_web_exchange *x; json_t *circular; char *folder; GBytes *pdf; char *why; };

static void printing_free(gpointer v)
{
	struct printing *p = v;
	json_decref(p->circular);
	g_clear_pointer(&p->pdf, g_bytes_unref);
	g_free(p->folder);
	g_free(p->why);
	g_free(p);
}

/* On a thread: hundreds of rows and stills take longer than the loop may. */
static void print_it(GTask *task, gpointer source, gpointer data, GCancellable *cancel)
{
	struct printing *p = data;
	p->pdf = gw_print_circular(p->circular, p->folder, &p->why);
	g_task_return_boolean(task, p->pdf != NULL);
}

static void on_printed(GObject *source, GAsyncResult *result, gpointer user_data)
{
	struct printing *p = g_task_get_task_data(G_TASK(result));
	gsize len = 0;
	const void *bytes = p->pdf != NULL ? g_bytes_get_data(p->pdf, &len) : NULL;
	if (bytes != NULL) {
		gw_web_reply(p->x, &(struct gw_web_response){ .status = 200, .content_type = "application/pdf", .body = bytes, .len = len });
	} else {
		refuse(p->x, 500, GW_ERROR_INTERNAL, p->why);
	}
}

static void reply_pdf(gw_app *app, gw_web_exchange *x, const char *id)
{
	json_t *o = circular_json(app, id);
	if (o == NULL) {
		refuse(x, 404, GW_ERROR_NOT_FOUND, NULL);
		return;
	}
	struct printing *p = g_new0(struct printing, 1);
	*p = (struct printing){ x, o, gw_app_evidence_folder(app, id), NULL, NULL };
	g_autoptr(GTask) task = g_task_new(NULL, NULL, on_printed, NULL);
	g_task_set_task_data(task, p, printing_free);
	g_task_run_in_thread(task, print_it);
}

static void reply_file(gw_app *app, gw_web_exchange *x, const char *id, const char *file)
{
	g_autofree char *bytes = NULL;
	const char *why = NULL;
	gsize len = 0;
	if (!gw_app_evidence_read(app, id, file, &bytes, &len, &why)) {
		refuse(x, why != NULL ? 410 : 404, GW_ERROR_NOT_FOUND, why);
		return;
	}
	gw_web_reply(x, &(struct gw_web_response){ .status = 200, .content_type = g_str_has_suffix(file, ".wav") ? "audio/wav" : "image/jpeg",
						   .body = bytes, .len = len });
}

static void files(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	gw_app *app = user_data;
	g_auto(GStrv) parts = g_strsplit(r->tail, "/", 3);
	if (!may_read(app, r, parts[0])) {
		refuse(x, 401, GW_ERROR_UNAUTHENTICATED, NULL);
	} else if (g_strv_length(parts) != 2) {
		refuse(x, 404, GW_ERROR_NOT_FOUND, NULL);
	} else if (g_str_equal(parts[1], "circular.pdf")) {
		reply_pdf(app, x, parts[0]);
	} else {
		reply_file(app, x, parts[0], parts[1]);
	}
}

void gw_app_routes_rollcalls(gw_app *app)
{
	gw_web_route(app->web, "GET", "/rollcall/", 0, files, app);
}

void gw_app_bind_rollcall_papers(gw_app *app)
{
	gw_api_bind(app->api, GW_METHOD_ROLLCALL_CIRCULAR, circular, app);
	gw_api_bind(app->api, GW_METHOD_ROLLCALL_SEARCH, search, app);
	gw_api_bind(app->api, GW_METHOD_ROLLCALL_STATS, stats, app);
}
