/* Handlers: figures, configuration, log verification, webhook test; and the raw routes /healthz, /metrics,
 * /outlines.geojson. */
#include <string.h>

#include "gateway/app/app_priv.h"

static json_t *counters(const gw_app *app)
{
	json_t *o = json_object();
	g_autofree char *media = gw_media_dump(app->media);
	json_object_set_new(o, "api", gw_api_counters(app->api));
	json_object_set_new(o, "web", gw_web_counters(app->web));
	json_object_set_new(o, "auth", gw_auth_counters(app->auth));
	if (app->push != NULL) {
		json_object_set_new(o, "webhook", gw_push_counters(app->push));
	}
	json_object_set_new(o, "media", ort_json_parse(media, strlen(media), 4 << 20, NULL));
	json_object_set_new(o, "store", json_pack("{s:i,s:b}", "queued", (int)gw_store_queued(app->store), "ok", app->storage_ok));
	json_object_set_new(o, "rtc", json_pack("{s:i}", "connections", (int)gw_rtc_count(app->rtc)));
	return o;
}

struct waiting { gw_app *app; gw_api_call *call; };

static void on_engine_stats(const void *reply, const GError *err, void *user_data)
{
	struct waiting *w = user_data;
	const struct mcu_stats_reply *st = reply;
	g_autoptr(json_t) all = counters(w->app);
	if (err == NULL) {
		json_object_set(all, "engine", st->counters);
	}
	gw_api_reply(w->call, &(struct gw_raw){ all });
	g_free(w);
}

static void stats(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	struct waiting *w = g_new0(struct waiting, 1);
	*w = (struct waiting){ user_data, call };
	gw_media_call(w->app->media, MCU_METHOD_STATS_GET, &(struct mcu_room_ref){ NULL }, on_engine_stats, w);
}

static json_t *outline_url(const ort_conf *conf)
{
	return ort_conf_str(conf, "map.outlines")[0] != '\0' ? json_string("/outlines.geojson") : json_null();
}

static void config(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const ort_conf *conf = app->options.conf;
	const char *tiles = ort_conf_str(conf, "map.tiles");
	g_autoptr(json_t) o = json_pack("{s:s,s:s,s:s,s:b,s:{s:o,s:s,s:o}}", "node", ort_conf_str(conf, "node.name"), "version", ORT_VERSION,
					"url", app->url, "webhook", app->push != NULL, "map", "tiles",
					tiles[0] != '\0' ? json_string(tiles) : json_null(), "attribution",
					ort_conf_str(conf, "map.attribution"), "outline", outline_url(conf));
	gw_api_reply(call, &(struct gw_raw){ o });
}

static void on_verified(const struct gw_log_verdict *v, void *user_data)
{
	gw_api_reply(user_data, &(struct gw_log_verify_reply){ v->ok, v->records, (char *)(uintptr_t)v->head, (char *)(uintptr_t)v->why,
							   v->signatures });
}

static void verify(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_store_verify(((gw_app *)user_data)->store, on_verified, call);
}

static void on_tested(const struct gw_push_result *r, void *user_data)
{
	gw_api_reply(user_data, &(struct gw_webhook_test_reply){ r->ok, r->status, (char *)(uintptr_t)(r->why != NULL ? r->why : "") });
}

static void webhook_test(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	if (app->push == NULL) {
		gw_api_fail(call, GW_ERROR_UNAVAILABLE, "no webhook is configured (webhook.url)");
		return;
	}
	g_autoptr(json_t) body = json_pack("{s:s}", "node", ort_conf_str(app->options.conf, "node.name"));
	gw_push_post(app->push, "webhook.test", body, ort_wall_ms(), on_tested, call);
}

void gw_app_bind_system(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_STATS_GET, stats },	  { GW_METHOD_CONFIG_GET, config },
		{ GW_METHOD_LOG_VERIFY, verify }, { GW_METHOD_WEBHOOK_TEST, webhook_test },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
}

/* ---- raw routes ---- */
static void reply_text(gw_web_exchange *x, int status, const char *type, const char *text)
{
	gw_web_reply(x, &(struct gw_web_response){ .status = status, .content_type = type, .body = text, .len = strlen(text) });
}

static void health(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	gw_app *app = user_data;
	bool well = gw_media_up(app->media) && app->storage_ok;
	reply_text(x, well ? 200 : 503, "application/json", well ? "{\"ok\":true}" : "{\"ok\":false}");
}

static void print_metrics(GString *out, const char *prefix, json_t *tree)
{
	const char *key;
	json_t *value;
	json_object_foreach(tree, key, value) {
		g_autofree char *name = g_strconcat(prefix, "_", key, NULL);
		g_strcanon(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", '_');
		if (json_is_object(value)) {
			print_metrics(out, name, value);
		} else if (json_is_number(value)) {
			g_string_append_printf(out, "%s %.15g\n", name, json_number_value(value));
		} else if (json_is_boolean(value)) {
			g_string_append_printf(out, "%s %d\n", name, json_is_true(value));
		}
	}
}

static bool is_staff(gw_app *app, const struct gw_web_request *r)
{
	struct gw_auth_identity who;
	return r->token != NULL && gw_auth_check(app->auth, r->token, ort_now_us(), ort_wall_ms(), &who) == GW_AUTH_OK &&
	       !g_str_equal(who.role, "field") && !gw_app_is_limited(app, &who);
}

/* Read anew for each map that opens: a few a day, and the file may be replaced while we run. */
static void outlines(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	gw_app *app = user_data;
	const char *path = ort_conf_str(app->options.conf, "map.outlines");
	g_autofree char *text = NULL;
	if (!is_staff(app, r)) {
		g_autofree char *body = gw_error_body(GW_ERROR_UNAUTHENTICATED, NULL);
		reply_text(x, 401, "application/json", body);
	} else if (path[0] == '\0' || !g_file_get_contents(path, &text, NULL, NULL)) {
		g_autofree char *body = gw_error_body(GW_ERROR_NOT_FOUND, "map.outlines cannot be read");
		reply_text(x, 404, "application/json", body);
	} else {
		reply_text(x, 200, "application/geo+json", text);
	}
}

static void metrics(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	gw_app *app = user_data;
	if (!r->loopback && !is_staff(app, r)) {
		g_autofree char *body = gw_error_body(GW_ERROR_UNAUTHENTICATED, NULL);
		reply_text(x, 401, "application/json", body);
		return;
	}
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(json_t) all = counters(app);
	print_metrics(out, "ortoo", all);
	reply_text(x, 200, "text/plain; version=0.0.4; charset=utf-8", out->str);
}

void gw_app_routes_system(gw_app *app)
{
	gw_web_route(app->web, "GET", "/healthz", 0, health, app);
	gw_web_route(app->web, "GET", "/metrics", 0, metrics, app);
	gw_web_route(app->web, "GET", "/outlines.geojson", 0, outlines, app);
}
