/* The two methods that are the machinery's own: the clock and the bearer token of a WebSocket. */
#include "gateway/api/api_priv.h"

#include "mcu/base/clock.h"

static void time_sync(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_time_sync *in = request;
	gw_api_reply(call, &(struct gw_time_sync_reply){in->client_ms, ort_wall_ms()});
}

static void auth_bearer(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	const struct gw_auth_bearer *in = request;
	enum gw_error err = gw_api_session_authenticate(s, in->token);
	if (err != GW_ERROR_N) {
		gw_api_fail(call, err, err == GW_ERROR_STATE ? "this session has its credentials already" : NULL);
		return;
	}
	gw_api_reply(call, &(struct gw_session_info){
				   .subject = s->subject,
				   .name = s->name,
				   .role = s->role,
				   .expires_ms = s->expires_ms,
				   .party = s->scene ? s->scene : s->id,
				   .incident = s->incident,
				   .scene = s->scene,
			   });
}

void gw_api_bind_builtin(gw_api *api)
{
	gw_api_bind(api, GW_METHOD_TIME_SYNC, time_sync, NULL);
	gw_api_bind(api, GW_METHOD_AUTH_BEARER, auth_bearer, NULL);
}
