/* One WebSocket message as a dispatcher, a field officer and nobody; every method is bound to a handler that answers. */
#include <stdlib.h>

#include "gateway/api/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum gw_error any(const char *token, const char *remote, struct gw_api_identity *ret, void *user_data)
{
	*ret = (struct gw_api_identity){ .auth = token, .role = (enum gw_role)gw_role_by_name(token) };
	return ret->role > GW_ROLE_NONE && ret->role < GW_ROLE_SYSTEM ? GW_ERROR_N : GW_ERROR_UNAUTHENTICATED;
}
static bool sent(struct gw_api_session *s, const char *text, size_t len) { return true; }
static void closed(struct gw_api_session *s, int code, const char *why) { }
static void answer(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data) { gw_api_reply(call, NULL); }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gw_api_transport_ops transport = { sent, closed };
	static const char *const roles[] = { NULL, "administrator", "field", "wall" };
	static gw_api *api;
	if (!api) {
		api = gw_api_new(&(struct gw_api_ops){ .authenticate = any }, NULL, NULL);
		for (int m = 0; m < GW_METHOD_N; m++) {
			gw_api_bind(api, (enum gw_method)m, answer, NULL);
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(roles); i++) {
		static int64_t now_us;
		struct gw_api_session *s = gw_api_session_open(api, &transport, "::1", NULL);
		if (!roles[i] || gw_api_session_authenticate(s, roles[i]) == GW_ERROR_N) {
			gw_api_dispatch(s, (const char *)data, size, now_us += 1000000);
		}
		gw_api_session_close(s);
	}
	return 0;
}
