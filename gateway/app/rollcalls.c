/* Handlers: roll calls (点名). */
#include "gateway/app/app_priv.h"

static void reply_rollcall(struct gw_ack *ack)
{
	g_autoptr(json_t) o = gw_rollcall_print(ack->app->domain, ack->id);
	if (o != NULL) {
		gw_api_reply(ack->call, &(struct gw_raw){ o });
	} else {
		gw_api_fail(ack->call, GW_ERROR_NOT_FOUND, NULL);
	}
}

/* In a conference of its own, which goes again when the roll call is refused. */
static const char *open_both(gw_app *app, const char *actor, struct gw_rollcall_facts *f, bool drill, GError **err)
{
	struct gw_now now = gw_app_now();
	struct gw_conference_facts c = { .name = f->name, .drill = drill };
	f->conference = gw_conference_open(app->domain, actor, &c, now, err);
	const char *id = f->conference != NULL ? gw_rollcall_open(app->domain, actor, f, now, err) : NULL;
	if (f->conference != NULL && id == NULL) {
		(void)gw_conference_close(app->domain, actor, f->conference, "the roll call was refused", now, NULL);
	}
	return id;
}

static void open_rollcall(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_rollcall_open *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	struct gw_rollcall_facts f = { .conference = in->conference, .name = in->name, .sites = (const char *const *)in->sites,
				       .ahead = in->ahead == 0 ? -1 : (int)MAX(in->ahead, 0), .dwell_ms = in->dwell_ms, .hang_up = in->hang_up };
	if (gw_app_refuse_writes(app, call)) {
		return;
	}
	const char *id = in->conference != NULL ? gw_rollcall_open(app->domain, actor, &f, gw_app_now(), &err)
						: open_both(app, actor, &f, in->drill, &err);
	gw_app_answer(app, call, id != NULL, err, reply_rollcall, id);
}

static void run(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_rollcall_run *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_rollcall_run(app->domain, actor, in->id, in->on, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, reply_rollcall, in->id);
}

static void next(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_rollcall_next *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	enum gw_result result = in->result == GW_RESULT_NOT_CALLED ? GW_RESULT_N : (enum gw_result)in->result;
	bool ok = gw_rollcall_next(app->domain, actor, in->id, result, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, reply_rollcall, in->id);
}

static void mark(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_rollcall_mark *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_rollcall_mark(app->domain, actor, in->id, in->site, (enum gw_result)in->result, in->why, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, reply_rollcall, in->id);
}

static void jump(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_rollcall_jump *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_rollcall_jump(app->domain, actor, in->id, in->site, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, reply_rollcall, in->id);
}

static void close_rollcall(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_id_ref *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_rollcall_close(app->domain, actor, in->id, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, reply_rollcall, in->id);
}

/* Digits that nobody could have recorded beforehand. */
static void code(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_id_ref *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s), *random = gw_app_random(4);
	char digits[5];
	g_snprintf(digits, sizeof(digits), "%04u", (unsigned)(g_ascii_strtoull(random, NULL, 16) % 10000));
	bool ok = gw_rollcall_code(app->domain, actor, in->id, digits, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, reply_rollcall, in->id);
}

static void code_said(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_rollcall_said *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_rollcall_code_said(app->domain, actor, in->id, in->right, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, reply_rollcall, in->id);
}

/* ---- reading ---- */
static void get(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	g_autoptr(json_t) o = gw_rollcall_print(((gw_app *)user_data)->domain, ((const struct gw_id_ref *)request)->id);
	if (o != NULL) {
		gw_api_reply(call, &(struct gw_raw){ o });
	} else {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
	}
}

static void list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_rollcall_list *in = request;
	g_autoptr(json_t) all = gw_rollcall_list(((gw_app *)user_data)->domain, in->limit > 0 ? (unsigned)in->limit : 100);
	gw_api_reply(call, &(struct gw_rollcall_list_reply){ all });
}

void gw_app_bind_rollcalls(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_ROLLCALL_OPEN, open_rollcall }, { GW_METHOD_ROLLCALL_RUN, run },
		{ GW_METHOD_ROLLCALL_NEXT, next },	    { GW_METHOD_ROLLCALL_MARK, mark },
		{ GW_METHOD_ROLLCALL_JUMP, jump },	    { GW_METHOD_ROLLCALL_CLOSE, close_rollcall },
		{ GW_METHOD_ROLLCALL_GET, get },	    { GW_METHOD_ROLLCALL_LIST, list },
		{ GW_METHOD_ROLLCALL_CODE, code },	    { GW_METHOD_ROLLCALL_CODE_SAID, code_said },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
}
