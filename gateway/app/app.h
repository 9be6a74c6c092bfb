/* The gateway put together: configuration, store, domain, engine pool, doors. One loop thread (the default GMainContext).
 * The application is a root object: one a process, except in tests, which run several on one context. */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "mcu/base/conf.h"

typedef struct gw_app gw_app;

extern const struct ort_conf_row gw_app_rows[];
extern const size_t gw_app_n_rows;

struct gw_app_options {		/* strings borrowed for ever */
	const ort_conf *conf;
	const char *state;	/* state folder: database, engine socket; made with mode 0700 */
	const char *engine;	/* path of ortoo-mcu; NULL = beside our own program; "" = tests: connect only */
	bool demo;		/* open a drill incident with two links for synthetic phones */
	bool quiet;		/* no addresses and QR code on stdout */
};
/* NULL and *ret_why (transfer full): a sentence for the operator that names what to do. */
gw_app *gw_app_start(const struct gw_app_options *options, char **ret_why);
void gw_app_reload(gw_app *app);	/* certificate and key are read anew */
void gw_app_stop(gw_app *app, bool end_engine);	/* NULL allowed */
int gw_app_port(const gw_app *app);
const char *gw_app_setup_token(const gw_app *app);	/* NULL when no set-up is needed */

/* ---- without running ---- */
int gw_app_verify_log(const char *state);	/* folder or file; prints; exit code 0 = whole, 1 = broken, 2 = unreadable */
char *gw_app_openapi(void);			/* OpenAPI 3.1 as one line of JSON, (transfer full) */
