/* Call-and-acknowledge and drills, as the application does them: callack.c, callack_ways.c, drill.c. */
#pragma once
#include "gateway/app/app_priv.h"

/* ---- drill.c ---- */
enum gw_outward { GW_OUTWARD_NONE /* no webhook */, GW_OUTWARD_HELD /* a drill */, GW_OUTWARD_REDIRECTED, GW_OUTWARD_SENT };
/* Posts to the webhook; `body` borrowed, its "phone" and "drill" are set here. fn only when something is posted. */
enum gw_outward gw_app_outward(gw_app *app, const char *event, json_t *body, bool drill, gw_push_fn fn, void *user_data);

/* One way of one row, while something is under way for it. */
struct gw_app_way { gw_app *app; char *id; int row, way; bool due; enum gw_callack_state state; char *why; };
struct gw_app_callacks {
	GHashTable *dirty;	/* ids, owned: to be told to pages at the next flush */
	GHashTable *ways;	/* struct gw_app_way, owned */
	unsigned idle;		/* says what is due */
};

/* ---- callack_ways.c: what the domain wants of one way ---- */
void gw_app_callack_way(gw_app *app, const struct gw_action *a);
char *gw_app_callack_link(gw_app *app, const char *id, int row, int way, int64_t *ret_expires_ms);	/* address for a phone, (transfer full) */
bool gw_app_callack_scene(const char *scene, char **ret_id, int *ret_row, int *ret_way);	/* of a phone's session; id (transfer full) */
void gw_app_callack_routes(gw_app *app);	/* the signed answers of SMS and voice gateways */
char *gw_app_callack_sign(gw_app *app, const char *id, int row, int way, int64_t expires_ms);	/* (transfer full) */

/* ---- callack.c ---- */
void gw_app_callacks_start(gw_app *app);
void gw_app_callacks_stop(gw_app *app);
void gw_app_bind_callack(gw_app *app);
void gw_app_callack_changed(gw_app *app, const struct gw_action *a);
void gw_app_callack_conference(gw_app *app, const char *conference);	/* who is there changed */
void gw_app_callack_flush(gw_app *app);
