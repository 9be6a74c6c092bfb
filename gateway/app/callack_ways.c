/* The ways of a call-and-acknowledge: a siren on a page, a call, an address for a phone's browser, messages by the webhook. Each
 * says back what it came to. Gateways for SMS and voice answer by a signed address of ours. */
#include <stdlib.h>
#include <string.h>

#include "gateway/app/callack_priv.h"
#include "gateway/app/calls_priv.h"
#include "gateway/app/rooms_priv.h"

#define ANSWER_MS (24 * 3600 * 1000LL)	/* a gateway's answer is taken so long */
#define ROUTE "/api/callack/"

static void is(gw_app *app, const char *id, int row, int way, enum gw_callack_state state, const char *why)
{
	(void)gw_callack_way(app->domain, id, row, way, state, why, gw_app_now());
	gw_app_rearm(app);
}

static struct gw_app_way *way_new(gw_app *app, const struct gw_action *a)
{
	struct gw_app_way *w = g_new0(struct gw_app_way, 1);
	*w = (struct gw_app_way){ .app = app, .id = g_strdup(a->id), .row = a->step, .way = a->minutes };
	g_hash_table_add(app->callacks->ways, w);
	return w;
}

static void way_ends(struct gw_app_way *w)
{
	g_hash_table_remove(w->app->callacks->ways, w);
}

/* What comes of it must not be said inside of the domain's own step: its clock goes on meanwhile. */
static gboolean say_due(gpointer user_data)
{
	gw_app *app = user_data;
	g_autoptr(GList) all = g_hash_table_get_keys(app->callacks->ways);
	app->callacks->idle = 0;
	for (GList *i = all; i != NULL; i = i->next) {
		struct gw_app_way *w = i->data;
		if (w->due) {
			is(app, w->id, w->row, w->way, w->state, w->why);
			way_ends(w);
		}
	}
	return G_SOURCE_REMOVE;
}

static void later(struct gw_app_way *w, enum gw_callack_state state, const char *why)
{
	w->due = true;
	w->state = state;
	w->why = g_strdup(why);
	if (w->app->callacks->idle == 0) {
		w->app->callacks->idle = g_idle_add(say_due, w->app);
	}
}

/* ---- page ---- */
static void do_page(gw_app *app, const struct gw_action *a)
{
	bool room = g_str_has_prefix(a->text, "device:");
	if (room && gw_app_room_pages(app, a->text + strlen("device:"), NULL) == 0) {
		later(way_new(app, a), GW_WAY_FAILED, "the room's page is not open");
	}
	gw_app_rooms_changed(app);
}

/* ---- call ---- */
/* What a person wrote as an address of ours, (transfer full). */
static char *dialled(const gw_app *app, const char *to)
{
	bool scheme = g_str_has_prefix(to, "sip:") || g_str_has_prefix(to, "sips:") || g_str_has_prefix(to, "trunk:") || g_str_has_prefix(to, "device:");
	return scheme ? g_strdup(to) : gw_app_endpoint(app, to) != NULL ? g_strconcat("device:", to, NULL)
						: strchr(to, '@') != NULL ? g_strconcat("sip:", to, NULL) : NULL;
}

static void do_call(gw_app *app, const struct gw_action *a)
{
	g_autofree char *to = dialled(app, a->text), *why = NULL;
	if (to == NULL || gw_room_known(app->domain, to)) {
		later(way_new(app, a), GW_WAY_FAILED, to == NULL ? "nobody knows how to call it" : "a room is called by its page");
	} else if (!gw_app_summon(app, to, a->id, a->step, a->minutes, &why)) {
		later(way_new(app, a), GW_WAY_FAILED, why);
	}
}

/* ---- what leaves through the webhook ---- */
static void on_posted(const struct gw_push_result *r, void *user_data)
{
	struct gw_app_way *w = user_data;
	is(w->app, w->id, w->row, w->way, r->ok ? GW_WAY_DELIVERED : GW_WAY_FAILED, r->ok ? NULL : r->why != NULL ? r->why : "the webhook refused it");
	way_ends(w);
}

static const char *key_of(gw_app *app)
{
	return ort_conf_str(app->options.conf, "webhook.secret");
}

char *gw_app_callack_sign(gw_app *app, const char *id, int row, int way, int64_t expires_ms)
{
	const char *key = key_of(app);
	g_autofree char *text = g_strdup_printf("callack/%s/%d/%d/%" G_GINT64_FORMAT, id, row, way, expires_ms);
	return g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *)key, strlen(key), text, -1);
}

static char *answer_url(gw_app *app, const struct gw_action *a)
{
	int64_t expires_ms = ort_wall_ms() + ANSWER_MS;
	g_autofree char *sign = gw_app_callack_sign(app, a->id, a->step, a->minutes, expires_ms);
	return g_strdup_printf("%s" ROUTE "%s/%d/%d/%" G_GINT64_FORMAT "/%s", app->url, a->id, a->step, a->minutes, expires_ms, sign);
}

char *gw_app_callack_link(gw_app *app, const char *id, int row, int way, int64_t *ret_expires_ms)
{
	struct gw_callack_row_info info;
	if (!gw_callack_look(app->domain, id, row, way, &info)) {
		return NULL;
	}
	g_autofree char *scene = g_strdup_printf("%s.%d.%d", id, row, way);
	struct gw_auth_link seat = { scene, id, scene, info.name };
	g_autofree char *token = gw_auth_link_issue(app->auth, &seat, ort_wall_ms(), ret_expires_ms);
	return g_strconcat(app->url, "/a/", token, NULL);
}

bool gw_app_callack_scene(const char *scene, char **ret_id, int *ret_row, int *ret_way)
{
	g_auto(GStrv) part = g_strsplit(scene != NULL ? scene : "", ".", 4);
	if (g_strv_length(part) != 3 || !g_str_has_prefix(part[0], "ca-")) {
		return false;
	}
	*ret_id = g_strdup(part[0]);
	*ret_row = atoi(part[1]);
	*ret_way = atoi(part[2]);
	return true;
}

static void do_message(gw_app *app, const struct gw_action *a)
{
	struct gw_callack_row_info info;
	if (!gw_callack_look(app->domain, a->id, a->step, a->minutes, &info)) {
		return;
	}
	int64_t expires_ms;
	bool drill = gw_callack_is_drill(app->domain, a->id);
	g_autoptr(json_t) whole = gw_callack_print(app->domain, a->id);
	g_autofree char *url = info.channel == GW_CALLACK_LINK ? gw_app_callack_link(app, a->id, a->step, a->minutes, &expires_ms) : NULL;
	g_autofree char *answer = key_of(app)[0] != '\0' ? answer_url(app, a) : NULL;
	g_autofree char *text = g_strconcat(drill ? "【演练】" : "", json_string_value(json_object_get(whole, "text")), NULL);
	g_autoptr(json_t) body = json_pack("{s:s,s:i,s:i,s:s,s:s,s:s,s:s,s:s?,s:s?}", "callack", a->id, "row", a->step, "way", a->minutes, "channel",
					   a->why, "phone", a->text, "name", info.name, "text", text, "url", url, "answer", answer);
	struct gw_app_way *w = way_new(app, a);
	switch (gw_app_outward(app, "callack.send", body, drill, on_posted, w)) {
	case GW_OUTWARD_NONE:
		later(w, GW_WAY_FAILED, "no webhook is configured");
		break;
	case GW_OUTWARD_HELD:
		later(w, GW_WAY_DELIVERED, "a drill: not sent");
		break;
	default:
		break;	/* on_posted says it */
	}
}

void gw_app_callack_way(gw_app *app, const struct gw_action *a)
{
	static void (*const does[])(gw_app *, const struct gw_action *) = {
		[GW_CALLACK_PAGE] = do_page, [GW_CALLACK_CALL] = do_call,   [GW_CALLACK_LINK] = do_message,
		[GW_CALLACK_SMS] = do_message, [GW_CALLACK_VOICE] = do_message,
	};
	for (int n = 0; n < GW_CALLACK_CHANNEL_N; n++) {
		if (a->on && strcmp(gw_callack_channel_names[n], a->why) == 0) {
			does[n](app, a);
		}
	}
	if (!a->on && strcmp(a->why, "call") == 0) {
		gw_app_unsummon(app, a->id, a->step, a->minutes);
	}
	if (!a->on) {
		gw_app_rooms_changed(app);
	}
}

/* ---- the signed answers ---- */
static void reply(gw_web_exchange *x, int status, const char *text)
{
	gw_web_reply(x, &(struct gw_web_response){ .status = status, .content_type = "application/json", .body = text, .len = strlen(text) });
}

/* In a time that does not tell how much of it is right. */
static bool same(const char *a, const char *b)
{
	unsigned differs = strlen(a) != strlen(b);
	for (size_t n = 0, len = differs ? 0 : strlen(a); n < len; n++) {
		differs |= (unsigned)(a[n] ^ b[n]) << 1;
	}
	return differs == 0;
}

/* POST /api/callack/<id>/<row>/<way>/<expires>/<signature>, body: acked (or nothing), delivered, ringing, failed */
static void answer(gw_web_exchange *x, const struct gw_web_request *r, void *user_data)
{
	static const struct { const char *word; enum gw_callack_state state; } words[] = {
		{ "delivered", GW_WAY_DELIVERED }, { "ringing", GW_WAY_RINGING }, { "answered", GW_WAY_ANSWERED }, { "failed", GW_WAY_FAILED },
	};
	gw_app *app = user_data;
	g_auto(GStrv) part = g_strsplit(r->tail, "/", 6);
	int64_t expires_ms = g_strv_length(part) == 5 ? g_ascii_strtoll(part[3], NULL, 10) : 0;
	g_autofree char *sign = expires_ms > 0 && key_of(app)[0] != '\0' ? gw_app_callack_sign(app, part[0], atoi(part[1]), atoi(part[2]), expires_ms) : NULL;
	if (sign == NULL || !same(sign, part[4])) {
		reply(x, 403, "{\"ok\":false,\"why\":\"signature\"}");
		return;
	}
	if (ort_wall_ms() > expires_ms) {
		reply(x, 410, "{\"ok\":false,\"why\":\"expired\"}");
		return;
	}
	g_autofree char *word = g_strstrip(g_strndup(r->body != NULL ? r->body : "", MIN(r->len, 16)));
	int row = atoi(part[1]), way = atoi(part[2]);
	for (unsigned n = 0; n < G_N_ELEMENTS(words); n++) {
		if (strcmp(words[n].word, word) == 0) {
			is(app, part[0], row, way, words[n].state, NULL);
			reply(x, 200, "{\"ok\":true}");
			return;
		}
	}
	bool ok = gw_callack_ack(app->domain, "webhook", part[0], row, way, gw_app_now(), NULL);
	gw_app_rearm(app);
	reply(x, ok ? 200 : 404, ok ? "{\"ok\":true}" : "{\"ok\":false}");
}

void gw_app_callack_routes(gw_app *app)
{
	gw_web_route(app->web, "POST", ROUTE, 1024, answer, app);
}
