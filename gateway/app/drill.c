/* Drill mode (演练) towards the world: what would leave through the webhook is held back or goes to the drill's own number.
 * Everything inside runs the real path. */
#include <string.h>

#include "gateway/app/callack_priv.h"

static const char *policy(const gw_app *app)
{
	return ort_conf_str(app->options.conf, "drill.outward");
}

enum gw_outward gw_app_outward(gw_app *app, const char *event, json_t *body, bool drill, gw_push_fn fn, void *user_data)
{
	const char *instead = ort_conf_str(app->options.conf, "drill.phone");
	bool redirect = drill && strcmp(policy(app), "redirect") == 0 && instead[0] != '\0';
	if (app->push == NULL) {
		return GW_OUTWARD_NONE;
	}
	if (drill && !redirect && strcmp(policy(app), "send") != 0) {
		gw_app_remember(app, "drill.held_back", "gateway", NULL, json_pack("{s:s}", "event", event));
		return GW_OUTWARD_HELD;
	}
	if (redirect) {
		json_object_set_new(body, "phone", json_string(instead));
	}
	json_object_set_new(body, "drill", json_boolean(drill));
	gw_push_post(app->push, event, body, ort_wall_ms(), fn, user_data);
	return redirect ? GW_OUTWARD_REDIRECTED : GW_OUTWARD_SENT;
}
