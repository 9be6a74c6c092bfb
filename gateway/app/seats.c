/* Seats: sessions of browsers that joined a conference. A seat is a party whose address is the session's ("session:<auth>") or
 * the field officer's scene ("scene:<id>") or the room's device ("device:<id>"): a page that comes back by the same credential is the same party. */
#include <string.h>

#include "gateway/app/calls_priv.h"
#include "gateway/app/rooms_priv.h"

char *gw_app_seat_address(const struct gw_api_session *s)
{
	if (gw_app_room_of(s) != NULL) {
		return g_strdup(s->subject);
	}
	return s->role == GW_ROLE_FIELD ? g_strconcat("scene:", s->scene, NULL) : g_strconcat("session:", s->auth, NULL);
}

const char *gw_app_seat_of(gw_app *app, const struct gw_api_session *s, const char *conference)
{
	g_autofree char *address = gw_app_seat_address(s);
	const char *party = gw_party_by_address(app->domain, conference, address);
	return party != NULL && gw_party_is_live(gw_party_get_state(app->domain, party)) ? party : NULL;
}

bool gw_app_seat_owns(gw_app *app, const struct gw_api_session *s, const char *party)
{
	const char *conference = gw_party_conference(app->domain, party);
	return conference != NULL && g_strcmp0(gw_app_seat_of(app, s, conference), party) == 0;
}

/* ---- legs of a seat ---- */
struct legs { const char *prefix; GPtrArray *found; };

static void find_leg(gw_leg *leg, void *user_data)
{
	struct legs *l = user_data;
	if (g_strcmp0(gw_rtc_party(leg), l->prefix) == 0 && gw_leg_get_state(leg) != GW_LEG_ENDED) {
		g_ptr_array_add(l->found, leg);
	}
}

/* (transfer container) */
static GPtrArray *legs_of(gw_app *app, const char *party)
{
	struct legs l = { gw_party_streams(app->domain, party), g_ptr_array_new() };
	if (l.prefix != NULL) {
		gw_rtc_foreach(app->rtc, find_leg, &l);
	}
	return l.found;
}

bool gw_app_is_seat(gw_app *app, const char *party)
{
	g_autoptr(GPtrArray) legs = legs_of(app, party);
	return legs->len > 0;
}

void gw_app_feed_seat(gw_app *app, const char *party, enum mcu_kind kind, const char *source)
{
	g_autoptr(GPtrArray) legs = legs_of(app, party);
	for (unsigned n = 0; n < legs->len; n++) {
		(void)gw_rtc_feed_kind(legs->pdata[n], kind, source);
	}
}

bool gw_app_seat_fed(gw_app *app, const char *party, const char *stream)
{
	g_autoptr(GPtrArray) legs = legs_of(app, party);
	for (unsigned n = 0; n < legs->len; n++) {
		if (gw_rtc_is_fed(legs->pdata[n], stream)) {
			return true;
		}
	}
	return false;
}

/* What its connection publishes already: a phone that is live when it joins. */
static void note_streams(gw_app *app, const char *party)
{
	static const struct { const char *kind; enum gw_party_stream stream; } rows[] = {
		{ "audio", GW_PARTY_AUDIO }, { "video", GW_PARTY_VIDEO }, { "slides", GW_PARTY_SLIDES },
	};
	const char *prefix = gw_party_streams(app->domain, party);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_autofree char *stream = g_strdup_printf("%s.%s", prefix, rows[n].kind);
		gw_party_stream(app->domain, party, rows[n].stream, gw_rtc_publishes(app->rtc, stream), gw_app_now());
	}
}

void gw_app_seat_taken(gw_app *app, const char *party)
{
	g_autoptr(GPtrArray) legs = legs_of(app, party);
	for (unsigned n = 0; n < legs->len; n++) {
		if (gw_leg_get_state(legs->pdata[n]) == GW_LEG_UP) {
			note_streams(app, party);
			(void)gw_party_state(app->domain, party, GW_SITE_PRESENT, NULL, gw_app_now());
		}
	}
	gw_app_mix_leg(app, party);
}

/* A phone's connection stays: it is its scene's too, which goes on. */
void gw_app_seat_drop(gw_app *app, const char *party, const char *why)
{
	g_autofree char *prefix = g_strdup(gw_party_streams(app->domain, party));
	g_autoptr(GPtrArray) legs = legs_of(app, party);
	bool scene = prefix != NULL && gw_scene_incident(app->domain, prefix) != NULL;
	for (unsigned n = 0; n < legs->len; n++) {
		if (scene) {
			(void)gw_rtc_feed_kind(legs->pdata[n], MCU_AUDIO, NULL);
			(void)gw_rtc_feed_kind(legs->pdata[n], MCU_VIDEO, NULL);
		} else {
			gw_app_close_pc(app, legs->pdata[n], why);
		}
	}
	if (scene) {
		gw_app_talk(app, gw_scene_incident(app->domain, prefix));
	}
}

/* The page made another connection meanwhile, which carries: what becomes of the old one is no news. */
static bool is_replaced(gw_app *app, const char *party, const gw_leg *leg)
{
	g_autoptr(GPtrArray) legs = legs_of(app, party);
	for (unsigned n = 0; n < legs->len; n++) {
		if (legs->pdata[n] != leg && gw_leg_get_state(legs->pdata[n]) == GW_LEG_UP) {
			return true;
		}
	}
	return false;
}

void gw_app_seat_leg(gw_app *app, const gw_leg *leg, enum gw_leg_state state, const char *why)
{
	static const enum gw_site_state states[GW_LEG_STATE_N] = {
		[GW_LEG_CONNECTING] = GW_SITE_CONNECTING, [GW_LEG_UP] = GW_SITE_PRESENT, [GW_LEG_HELD] = GW_SITE_HELD,
		[GW_LEG_ENDED] = GW_SITE_FAILED,
	};
	g_autofree char *party = g_strdup(gw_party_by_streams(app->domain, gw_rtc_party(leg)));
	enum gw_site_state now = party != NULL ? gw_party_get_state(app->domain, party) : GW_SITE_ABSENT;
	if (party == NULL || states[state] == GW_SITE_ABSENT || !gw_party_is_live(now)) {
		return;	/* a scene's phone that joined no conference, or left it */
	}
	if (state != GW_LEG_UP && is_replaced(app, party, leg)) {
		return;
	}
	if (state == GW_LEG_UP) {
		note_streams(app, party);
	}
	(void)gw_party_state(app->domain, party, states[state], state == GW_LEG_UP ? NULL : why, gw_app_now());
	gw_app_mix_leg(app, party);
}
