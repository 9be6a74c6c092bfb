/* Answering: an act is acknowledged when its record is durable, and refused in the API's words. */
#include "gateway/app/app_priv.h"

#define MAX_QUEUED 20000	/* records that wait for the disk; above it new acts are refused */

struct gw_now gw_app_now(void)
{
	return (struct gw_now){ ort_now_us(), ort_wall_ms() };
}

static void on_durable(void *user_data)
{
	struct gw_ack *ack = user_data;
	ack->reply(ack);
	g_free(ack->id);
	g_free(ack->extra);
	g_free(ack);
}

void gw_app_ack(gw_app *app, gw_api_call *call, gw_ack_fn reply, const char *id, const char *extra, int64_t n)
{
	struct gw_ack *ack = g_new0(struct gw_ack, 1);
	*ack = (struct gw_ack){ app, call, reply, g_strdup(id), g_strdup(extra), n };
	gw_store_barrier(app->store, on_durable, ack);
}

void gw_ack_empty(struct gw_ack *ack)
{
	gw_api_reply(ack->call, NULL);
}

static void reply_object(struct gw_ack *ack, json_t *object)
{
	if (object != NULL) {
		gw_api_reply(ack->call, &(struct gw_raw){ object });
	} else {
		gw_api_fail(ack->call, GW_ERROR_NOT_FOUND, NULL);
	}
	json_decref(object);
}

void gw_ack_incident(struct gw_ack *ack)
{
	reply_object(ack, gw_incident_print(ack->app->domain, ack->id));
}

void gw_ack_wall(struct gw_ack *ack)
{
	reply_object(ack, gw_wall_print(ack->app->domain, ack->id));
}

void gw_app_fail(gw_api_call *call, GError *err)
{
	static const enum gw_error errors[] = {
		[GW_DOMAIN_INVALID] = GW_ERROR_INVALID, [GW_DOMAIN_NOT_FOUND] = GW_ERROR_NOT_FOUND,
		[GW_DOMAIN_CONFLICT] = GW_ERROR_CONFLICT, [GW_DOMAIN_EXPIRED] = GW_ERROR_EXPIRED,
		[GW_DOMAIN_USED] = GW_ERROR_USED,	[GW_DOMAIN_REVOKED] = GW_ERROR_REVOKED,
		[GW_DOMAIN_STATE] = GW_ERROR_STATE,	[GW_DOMAIN_LIMIT] = GW_ERROR_LIMIT,
	};
	bool known = err->domain == GW_DOMAIN_ERROR && (unsigned)err->code < G_N_ELEMENTS(errors);
	gw_api_fail(call, known ? errors[err->code] : GW_ERROR_INTERNAL, err->message);
	g_error_free(err);
}

void gw_app_answer(gw_app *app, gw_api_call *call, bool ok, GError *err, gw_ack_fn reply, const char *id)
{
	if (ok) {
		gw_app_ack(app, call, reply, id, NULL, 0);
	} else {
		gw_app_fail(call, err);
	}
}

bool gw_app_refuse_writes(gw_app *app, gw_api_call *call)
{
	if (gw_store_queued(app->store) < MAX_QUEUED) {
		return false;
	}
	gw_api_fail(call, GW_ERROR_STORAGE, "too many records wait for the disk");
	return true;
}

char *gw_app_actor(const struct gw_api_session *s)
{
	if (s->role == GW_ROLE_FIELD) {
		return g_strconcat("field:", s->scene, NULL);
	}
	const char *wall = gw_app_wall_of(s);
	return wall != NULL ? g_strconcat("wall:", wall, NULL) : g_strconcat("u:", s->name, NULL);
}

const char *gw_app_wall_of(const struct gw_api_session *s)
{
	bool wall = s->role == GW_ROLE_WALL && s->subject != NULL && g_str_has_prefix(s->subject, "device:");
	return wall ? s->subject + strlen("device:") : NULL;
}
