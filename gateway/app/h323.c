/* H.323 put to work: starts gateway/h323 with what the configuration says, answers its questions, tells the engine's events. */
#include <errno.h>
#include <string.h>

#include "gateway/app/calls_priv.h"
#include "gateway/h323/h323.h"

static const struct { unsigned status; uint8_t cause; } causes[] = { { 404, 1 }, { 403, 21 }, { 482, 21 }, { 486, 17 }, { 503, 41 } };

static char *on_call(const struct gw_h323_call_in *in, uint8_t *ret_cause, void *user_data)
{
	gw_app *app = user_data;
	unsigned status = 403;
	struct gw_call_in call = { .number = in->number, .from = in->from, .name = in->name, .agent = in->agent, .address = in->from,
				   .kind = GW_PARTY_H323 };
	char *prefix = gw_app_call_decide(app, &call, &status);
	*ret_cause = 21;
	for (unsigned n = 0; n < G_N_ELEMENTS(causes); n++) {
		*ret_cause = causes[n].status == status ? causes[n].cause : *ret_cause;
	}
	if (prefix == NULL) {
		gw_app_remember(app, "call.refused", "gateway", NULL,
				json_pack("{s:s,s:s,s:i}", "number", in->number, "from", in->from, "status", (int)status));
	}
	return prefix;
}

static void on_leg(gw_leg *leg, const struct gw_h323_call_in *in, void *user_data)
{
	gw_app_call_came(user_data, leg);
}

static void media(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *user_data)
{
	gw_app *app = user_data;
	if (app->media != NULL) {
		gw_media_call(app->media, method, request, fn, fn_data);
	}
}

static gw_leg *make(void *stack, const char *id, const char *prefix, GError **err)
{
	return gw_h323_call(stack, id, prefix);
}

static void on_floor(gw_leg *leg, enum gw_h323_floor_news news, void *user_data)
{
	static const enum gw_sip_floor_news rows[] = { [GW_H323_FLOOR_ASKED] = GW_SIP_FLOOR_ASKED, [GW_H323_FLOOR_GIVEN_BACK] = GW_SIP_FLOOR_GIVEN_BACK,
						       [GW_H323_FLOOR_PRESENTS] = GW_SIP_FLOOR_PRESENTS, [GW_H323_FLOOR_REFUSED] = GW_SIP_FLOOR_REFUSED };
	gw_app_floor_heard(user_data, leg, rows[news]);
}

static int floor_word(gw_leg *leg, const char *word)
{
	static const char *const words[] = { [GW_H323_GRANT] = "grant", [GW_H323_DENY] = "deny", [GW_H323_REVOKE] = "revoke",
					     [GW_H323_TAKEN] = "taken", [GW_H323_FREE] = "free" };
	for (unsigned n = 0; n < G_N_ELEMENTS(words); n++) {
		if (strcmp(words[n], word) == 0) {
			return gw_h323_floor(leg, (enum gw_h323_floor)n);
		}
	}
	return -EINVAL;
}

/* ---- the configuration's row ---- */
struct row { char *name, *bind, *port, *route, *tunnelling, *number, *max_bps; };

static bool read_word(struct row *row, const char *key, const char *value)
{
	const struct { const char *key; char **to; } members[] = { { "name", &row->name }, { "bind", &row->bind }, { "port", &row->port },
		{ "route", &row->route }, { "tunnelling", &row->tunnelling }, { "number", &row->number }, { "max_bps", &row->max_bps } };
	for (unsigned n = 0; n < G_N_ELEMENTS(members); n++) {
		if (strcmp(members[n].key, key) == 0) {
			g_free(*members[n].to);
			*members[n].to = g_strdup(value);
			return true;
		}
	}
	return false;
}

static bool read_row(const char *text, struct row *ret, char **ret_why)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
	for (unsigned n = 0; words[n] != NULL; n++) {
		char *equals = strchr(words[n], '=');
		if (words[n][0] == '\0') {
			continue;
		}
		if (equals != NULL) {
			*equals = '\0';
		}
		if (equals == NULL || !read_word(ret, words[n], equals + 1)) {
			*ret_why = g_strdup_printf("h323.zones: \"%s\" is not name=, bind=, port=, route=, tunnelling=, number= or max_bps=", words[n]);
			return false;
		}
	}
	return true;
}

static void row_clear(struct row *r)
{
	g_free(r->name);
	g_free(r->bind);
	g_free(r->port);
	g_free(r->route);
	g_free(r->tunnelling);
	g_free(r->number);
	g_free(r->max_bps);
}

static bool number_in(const char *text, gint64 fallback, gint64 max, gint64 *ret)
{
	char *end;
	*ret = text != NULL ? g_ascii_strtoll(text, &end, 10) : fallback;
	return text == NULL || (*end == '\0' && end != text && *ret >= 0 && *ret <= max);
}

static bool start(gw_app *app, const struct row *row, char **ret_why)
{
	static const struct gw_h323_ops ops = { media, on_call, on_leg, on_floor };
	const char *listen = ort_conf_str(app->options.conf, "web.listen");
	g_autoptr(GError) err = NULL;
	gint64 port, max_bps;
	if (!number_in(row->port, 1720, 65535, &port) || !number_in(row->max_bps, 0, 100000000, &max_bps)) {
		*ret_why = g_strdup("h323.zones: port= and max_bps= are numbers");
		return false;
	}
	struct gw_h323_conf conf = { .bind = row->bind != NULL ? row->bind : listen[0] != '\0' ? listen : "*", .port = (uint16_t)port,
				     .zone = row->name != NULL ? row->name : "default", .room = GW_HALL,
				     .name = ort_conf_str(app->options.conf, "node.name"), .number = row->number, .route = row->route,
				     .tunnelling = g_strcmp0(row->tunnelling, "no") != 0, .max_bps = max_bps };
	app->h323 = gw_h323_new(&conf, &ops, &gw_app_call_listener, app, &err);
	if (app->h323 == NULL) {	/* the rest works without */
		ort_log(ORT_LOG_ERROR, "h323", "h323.start", "H.323 does not work", ORT_S("why", err->message));
		return true;
	}
	ort_log(ORT_LOG_INFO, "h323", "h323.listen", "H.323 listens", ORT_S("bind", conf.bind), ORT_I("port", gw_h323_port(app->h323)));
	gw_app_set_h323_caller(app, &(struct gw_caller){ make, floor_word, app->h323 });
	return true;
}

bool gw_app_h323_start(gw_app *app, char **ret_why)
{
	const char *const *rows = ort_conf_strv(app->options.conf, "h323.zones");
	struct row row = { 0 };
	if (rows == NULL || rows[0] == NULL || rows[0][0] == '\0') {
		return true;
	}
	if (rows[1] != NULL) {
		*ret_why = g_strdup("h323.zones: one row at most");
		return false;
	}
	bool ok = read_row(rows[0], &row, ret_why) && start(app, &row, ret_why);
	row_clear(&row);
	return ok;
}

void gw_app_h323_stop(gw_app *app)
{
	gw_app_set_h323_caller(app, NULL);
	g_clear_pointer(&app->h323, gw_h323_free);
}

/* ---- what the engine says ---- */
void gw_app_h323_event(gw_app *app, enum mcu_event event, const void *body)
{
	if (app->h323 == NULL) {
		return;
	}
	if (event == MCU_EVENT_TRANSPORT_STATE) {
		gw_h323_transport_state(app->h323, body);
	} else if (event == MCU_EVENT_KEYFRAME_WANTED) {
		gw_h323_keyframe(app->h323, ((const struct mcu_stream_event *)body)->id);
	}
}

void gw_app_h323_transport_lost(gw_app *app, const char *transport, const char *why)
{
	if (app->h323 != NULL) {
		gw_h323_transport_lost(app->h323, transport, why);
	}
}
