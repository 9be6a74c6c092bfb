/* WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) over HTTP: OBS, GStreamer and drones publish with a field link's token
 * as bearer, players view with a script token. One POST, one answer; ICE-lite needs no trickling. */
#include <string.h>
#include <sys/random.h>

#include "gateway/app/app_priv.h"

/* A publisher keeps no cookie: the seat that its token took is remembered here by the token's hash, so that it can come
 * back while this process lives. */
struct seat { char *session, *scene; };

static void seat_free(gpointer p)
{
	struct seat *s = p;
	g_free(s->session);
	g_free(s->scene);
	g_free(s);
}

struct post { gw_app *app; gw_web_exchange *x; char *owner, *pc, *prefix; };

static void refuse(gw_web_exchange *x, enum gw_error error, const char *why)
{
	g_autofree char *body = gw_error_body(error, why);
	gw_web_reply(x, &(struct gw_web_response){ .status = gw_errors[error].http, .content_type = "application/json", .body = body,
						   .len = strlen(body) });
}

static void on_answer(enum gw_error error, const char *why, const char *answer, void *user_data)
{
	struct post *p = user_data;
	if (error != GW_ERROR_N) {
		refuse(p->x, error, why);
	} else {
		g_autofree char *location = g_strconcat(p->prefix, "/", p->pc, NULL);
		const struct gw_web_header headers[] = { { "Location", location }, { "Accept-Patch", "application/trickle-ice-sdpfrag" } };
		gw_app_talk(p->app, NULL);
		gw_web_reply(p->x, &(struct gw_web_response){ 201, "application/sdp", answer, strlen(answer), headers, 2 });
	}
	g_free(p->owner);
	g_free(p->pc);
	g_free(p->prefix);
	g_free(p);
}

/* The resource's name is its capability: 96 bits of the system's randomness. */
static char *capability(void)
{
	uint8_t b[12];
	GString *name = g_string_new("h-");
	while (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b)) {
	}
	for (unsigned n = 0; n < sizeof(b); n++) {
		g_string_append_printf(name, "%02x", b[n]);
	}
	return g_string_free(name, FALSE);
}

static void take(gw_app *app, gw_web_exchange *x, const struct gw_rtc_who *who, const char *sdp, const char *view, const char *prefix)
{
	g_autofree char *pc = capability();
	g_autofree char *why = NULL;
	struct gw_rtc_offer offer = { 0 };
	if (!gw_rtc_describe(pc, sdp, view, &offer, &why)) {
		refuse(x, GW_ERROR_SDP, why);
		return;
	}
	struct post *p = g_new0(struct post, 1);
	*p = (struct post){ app, x, g_strdup(who->owner), g_steal_pointer(&pc), g_strdup(prefix) };
	gw_rtc_take_offer(app->rtc, who, &offer, on_answer, p);
	ort_json_clear(&gw_table_rtc_offer, &offer);
}

static bool is_sdp(const struct gw_web_request *r)
{
	return r->content_type != NULL && g_str_has_prefix(r->content_type, "application/sdp");
}

static struct seat *seat_of(gw_app *app, const char *hash)
{
	struct seat *seat = g_hash_table_lookup(app->whip_seats, hash);
	return seat != NULL && gw_auth_touch(app->auth, seat->session, ort_now_us(), ort_wall_ms()) ? seat : NULL;
}

/* Borrowed; NULL = refused, *ret_error says why. */
static const struct seat *publisher(gw_app *app, const struct gw_web_request *r, enum gw_error *ret_error, const char **ret_why)
{
	struct gw_auth_grant grant;
	*ret_error = GW_ERROR_UNAUTHENTICATED;
	*ret_why = "the bearer token of a field link is wanted";
	if (r->token == NULL) {
		return NULL;
	}
	g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, r->token, -1);
	struct seat *seat = seat_of(app, hash);
	if (seat != NULL) {
		return seat;
	}
	*ret_error = gw_app_open_link(app, r->token, NULL, r->remote, &grant, ret_why);
	if (*ret_error != GW_ERROR_N) {
		*ret_error = *ret_error == GW_ERROR_NOT_FOUND ? GW_ERROR_UNAUTHENTICATED : *ret_error;
		return NULL;
	}
	seat = g_new0(struct seat, 1);
	*seat = (struct seat){ g_strdup(grant.who.id), g_strdup(grant.who.scene) };
	g_hash_table_replace(app->whip_seats, g_steal_pointer(&hash), seat);
	return seat;
}

static void whip_post(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	gw_app *app = user_data;
	enum gw_error err;
	const char *why = NULL;
	if (!is_sdp(r)) {
		refuse(x, GW_ERROR_INVALID, "Content-Type: application/sdp");
		return;
	}
	const struct seat *seat = publisher(app, r, &err, &why);
	if (seat == NULL) {
		refuse(x, err, why);
		return;
	}
	struct gw_rtc_who who = { seat->session, seat->scene, GW_RTC_PUBLISH_AUDIO | GW_RTC_PUBLISH_VIDEO | GW_RTC_HEAR };
	take(app, x, &who, r->body, NULL, "/whip");
}

/* POST /whep/<scene> */
static void whep_post(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	gw_app *app = user_data;
	struct gw_auth_identity id;
	const char *scene = r->tail[0] == '/' ? r->tail + 1 : r->tail;
	if (!is_sdp(r)) {
		refuse(x, GW_ERROR_INVALID, "Content-Type: application/sdp");
		return;
	}
	if (r->token == NULL || gw_auth_check(app->auth, r->token, ort_now_us(), ort_wall_ms(), &id) != GW_AUTH_OK) {
		refuse(x, GW_ERROR_UNAUTHENTICATED, NULL);
		return;
	}
	bool foreign = !gw_access_may(app->domain, id.division, "scene", scene, false);
	if (foreign || gw_app_is_limited(app, &id) || g_str_equal(id.role, "field") || g_str_equal(id.role, "auditor")) {
		refuse(x, GW_ERROR_FORBIDDEN, NULL);
		return;
	}
	if (gw_scene_incident(app->domain, scene) == NULL) {
		refuse(x, GW_ERROR_NOT_FOUND, "no such scene");
		return;
	}
	take(app, x, &(struct gw_rtc_who){ id.id, NULL, GW_RTC_VIEW }, r->body, scene, "/whep");
}

static void resource(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	gw_app *app = user_data;
	const char *pc = strrchr(r->path, '/') + 1;
	gw_leg *leg = g_str_has_prefix(pc, "h-") ? gw_rtc_by_name(app->rtc, pc) : NULL;
	if (leg == NULL) {
		refuse(x, GW_ERROR_NOT_FOUND, "no such session");
		return;
	}
	bool ends = g_str_equal(r->method, "DELETE");
	if (ends) {
		const char *party = gw_rtc_party(leg);
		g_autofree char *scene = party != NULL && gw_scene_incident(app->domain, party) != NULL ? g_strdup(party) : NULL;
		g_hash_table_remove(app->failing, leg->id);
		gw_rtc_close(leg, "left");
		if (scene != NULL) {
			(void)gw_scene_state(app->domain, scene, GW_SITE_ABSENT, "left", gw_app_now());
		}
	}
	gw_web_reply(x, &(struct gw_web_response){ .status = ends ? 200 : 204 });	/* PATCH: candidates, not needed by ICE-lite */
}

static void options(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	static const struct gw_web_header headers[] = { { "Accept-Post", "application/sdp" }, { "Allow", "OPTIONS, POST, PATCH, DELETE" } };
	gw_web_reply(x, &(struct gw_web_response){ .status = 204, .headers = headers, .n_headers = 2 });
}

void gw_app_routes(gw_app *app)
{
	static const char *const prefixes[] = { "/whip", "/whep" };
	app->whip_seats = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, seat_free);
	for (unsigned n = 0; n < G_N_ELEMENTS(prefixes); n++) {
		gw_web_route(app->web, "PATCH", prefixes[n], 0, resource, app);
		gw_web_route(app->web, "DELETE", prefixes[n], 0, resource, app);
		gw_web_route(app->web, "OPTIONS", prefixes[n], 0, options, app);
	}
	gw_web_route(app->web, "POST", "/whip", 65536, whip_post, app);
	gw_web_route(app->web, "POST", "/whep", 65536, whep_post, app);
	gw_app_routes_rollcalls(app);
	gw_app_routes_system(app);
}
