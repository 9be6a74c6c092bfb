/* Keys of a phone or room inside of a conference: a star and a digit. What a dispatcher did is not undone by them. */
#include <string.h>

#include "gateway/app/calls_priv.h"

#define STAR_US (5 * ORT_US_PER_S)	/* the digit comes within this */

/* Rows of the mixer's sounds.def. */
#define KEY_ASKED "waiting"	/* asked for, and waits */
#define KEY_BACK "unmuted"
#define KEY_NO "password_wrong"	/* does nothing here, or may not */
#define KEY_HELP "called"

struct press { gw_app *app; const char *conference, *party, *actor; };

/* Each gives the sound that its caller hears. */
static const char *microphone(const struct press *k)
{
	g_autoptr(json_t) p = gw_party_print(k->app->domain, k->party);
	bool on = !json_is_true(json_object_get(p, "mic_muted"));
	bool ok = gw_party_mic_mute(k->app->domain, k->actor, k->conference, k->party, on, gw_app_now(), NULL);
	return !ok ? KEY_NO : on ? "muted" : "unmuted";
}

static const char *hand_up(const struct press *k)
{
	bool ok = gw_floor_request(k->app->domain, k->actor, k->conference, k->party, gw_app_now(), NULL);
	return ok ? KEY_ASKED : KEY_NO;
}

static const char *hand_down(const struct press *k)
{
	bool ok = gw_floor_cancel(k->app->domain, k->actor, k->conference, k->party, gw_app_now(), NULL);
	return ok ? KEY_BACK : KEY_NO;
}

static const char *hand(const struct press *k)
{
	return gw_floor_is_asking(k->app->domain, k->party) ? hand_down(k) : hand_up(k);
}

static const char *chair(const struct press *k)
{
	bool is = gw_party_is_chair(k->app->domain, k->party);
	bool ok = is ? gw_chair_release(k->app->domain, k->actor, k->conference, k->party, gw_app_now(), NULL)
		     : gw_chair_request(k->app->domain, k->actor, k->conference, k->party, gw_app_now(), NULL);
	return !ok ? KEY_NO : is ? KEY_BACK : KEY_ASKED;
}

static const char *help(const struct press *k)
{
	return KEY_HELP;
}

/* The table stands in README.md as well. */
static const struct { char digit; const char *(*act)(const struct press *k); } keys[] = {
	{ '6', microphone }, { '9', hand }, { '1', hand_up }, { '2', hand_down }, { '8', chair }, { '*', help },
};

static void press(gw_app *app, const char *party, char digit)
{
	const char *conference = gw_party_conference(app->domain, party), *sound = KEY_NO;
	g_autofree char *own = g_strdup(party), *in = g_strdup(conference), *actor = g_strconcat("party:", party, NULL);
	for (unsigned n = 0; in != NULL && n < G_N_ELEMENTS(keys); n++) {
		if (keys[n].digit == digit) {
			sound = keys[n].act(&(struct press){ app, in, own, actor });
		}
	}
	if (in != NULL && app->media != NULL) {
		struct mcu_mix_play req = { (char *)(uintptr_t)GW_HALL, in, own, (char *)(uintptr_t)sound };
		gw_media_call(app->media, MCU_METHOD_MIX_PLAY, &req, NULL, NULL);
	}
	gw_app_rearm(app);
}

void gw_app_keys(gw_app *app, const char *party, const char *digits, int64_t *star_us)
{
	g_autofree char *own = g_strdup(party);
	int64_t now_us = ort_now_us();
	for (const char *d = digits; *d != '\0'; d++) {
		bool after_star = *star_us != 0 && now_us - *star_us < STAR_US;
		*star_us = !after_star && *d == '*' ? now_us : 0;
		if (after_star) {
			press(app, own, *d);
		}
	}
}
