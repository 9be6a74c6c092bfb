/* What the mixer says becomes the conference's and its parties' state. */
#include <string.h>

#include "gateway/app/calls_priv.h"

static bool is_staff_or_screen(const struct gw_api_session *s, void *ud)
{
	return s->role != GW_ROLE_FIELD;
}

static void on_state(gw_app *app, const void *body)
{
	const struct mcu_mix_state_event *ev = body;
	gw_conference_mix(app->domain, ev->mix, ev->state, ev->why);
	if (g_strcmp0(ev->state, "up") != 0) {
		ort_log(ORT_LOG_WARNING, "app", "mix.state", "a mix is not up", ORT_S("mix", ev->mix), ORT_S("state", ev->state), ORT_S("why", ev->why));
	}
}

static void on_view_shown(gw_app *app, const void *body)
{
	const struct mcu_mix_view_event *ev = body;
	gw_view_shown(app->domain, ev->mix, ev->id, ev->at_ms);
}

static void on_level(gw_app *app, const void *body)
{
	const struct mcu_level_event *ev = body;
	const char *conference = gw_party_conference(app->domain, ev->id);
	if (conference != NULL) {
		gw_party_speaking(app->domain, ev->id, ev->speaking);
		if (ev->speaking) {
			gw_app_measure_speaking(app, ev->id);
		}
		struct gw_ev_party_level news = { (char *)(uintptr_t)conference, ev->id, ev->speaking };
		gw_api_broadcast(app->api, is_staff_or_screen, NULL, GW_EVENT_PARTY_LEVEL, &news);
	}
}

static void on_speaker(gw_app *app, const void *body)
{
	const struct mcu_speaker_event *ev = body;
	const char *conference = ev->mix != NULL ? ev->mix : gw_party_conference(app->domain, ev->id);
	if (conference != NULL) {
		gw_conference_speaker(app->domain, conference, ev->id);
	}
}

static char *party_with(gw_app *app, const char *stream, const char *kind)
{
	const char *dot = stream != NULL ? strrchr(stream, '.') : NULL;
	g_autofree char *prefix = dot != NULL && strcmp(dot, kind) == 0 ? g_strndup(stream, (gsize)(dot - stream)) : NULL;
	return g_strdup(gw_party_by_streams(app->domain, prefix));
}

/* A picture that does not move is a fault of the site, and told as one; it heals by itself. */
static void on_input_state(gw_app *app, const void *body)
{
	const struct mcu_mix_input_event *ev = body;
	g_autofree char *party = party_with(app, ev->id, ".video"), *heard = party_with(app, ev->id, ".audio");
	if (heard != NULL) {
		gw_app_measure_sound(app, heard, ev->state);
	}
	if (party == NULL) {
		return;
	}
	gw_app_measure_picture(app, party, ev->state);
	enum gw_site_state now = gw_party_get_state(app->domain, party);
	bool bad = g_strcmp0(ev->state, "frozen") == 0 || g_strcmp0(ev->state, "broken") == 0;
	if (bad && (now == GW_SITE_PRESENT || now == GW_SITE_DEGRADED)) {
		(void)gw_party_state(app->domain, party, GW_SITE_DEGRADED,
				     g_str_equal(ev->state, "frozen") ? "the picture stands still" : "the picture is broken", gw_app_now());
	} else if (g_strcmp0(ev->state, "shown") == 0 && now == GW_SITE_DEGRADED) {
		(void)gw_party_state(app->domain, party, GW_SITE_PRESENT, NULL, gw_app_now());
	}
}

static void on_stats(gw_app *app, const void *body)
{
	gw_app_mix_stats(app, body);
}

void gw_app_mix_event(gw_app *app, enum mcu_event event, const void *body)
{
	static void (*const hears[MCU_EVENT_N])(gw_app *, const void *) = {
		[MCU_EVENT_MIX_STATE] = on_state,	      [MCU_EVENT_MIX_VIEW_SHOWN] = on_view_shown,
		[MCU_EVENT_MIX_LEVEL] = on_level,	      [MCU_EVENT_MIX_SPEAKER] = on_speaker,
		[MCU_EVENT_MIX_INPUT_STATE] = on_input_state, [MCU_EVENT_MIX_STATS] = on_stats,
	};
	if (hears[event] != NULL) {
		hears[event](app, body);
	}
}
