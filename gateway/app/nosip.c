/* Stands in where gateway/sip is not built. */
#include "gateway/app/calls_priv.h"
#include "gateway/app/trunks_priv.h"

bool gw_app_sip_start(gw_app *app, char **ret_why)
{
	app->trunks = g_new0(struct gw_trunks, 1);
	return gw_trunks_read(app->options.conf, app->trunks, ret_why);
}

void gw_app_sip_stop(gw_app *app)
{
	if (app->trunks != NULL) {
		gw_trunks_clear(app->trunks);
		g_clear_pointer(&app->trunks, g_free);
	}
}

void gw_app_sip_event(gw_app *app, enum mcu_event event, const void *body)
{
}

void gw_app_sip_transport_lost(gw_app *app, const char *transport, const char *why)
{
}

void gw_app_bind_sip(gw_app *app)
{
}
