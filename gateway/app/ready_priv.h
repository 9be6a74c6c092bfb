/* Standing readiness, as the application does it: ready.c. */
#pragma once
#include "gateway/app/app_priv.h"

void gw_app_bind_ready(gw_app *app);
void gw_app_ready_clock(gw_app *app);	/* now and then: begins the night's check in its hour */
void gw_app_ready_changed(gw_app *app, const struct gw_action *a);
void gw_app_ready_flush(gw_app *app);
