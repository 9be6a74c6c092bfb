/* The content token (辅流令牌) and the floors of SIP peers. Where we serve a floor, its requests are a party's wish for the token.
 * Where the peer serves (a hardware MCU, another Ortoo), both conferences have one token: who presents there holds ours, ours is
 * asked for there as long as somebody of ours presents, and that side's no is obeyed. */
#include "gateway/app/calls_priv.h"

static void say(gw_app *app, gw_leg *leg, const char *word)
{
	if (leg != NULL && app->calls != NULL) {
		const struct gw_caller *caller = gw_app_caller_of(app, leg);
		(void)(caller->floor != NULL ? caller->floor(leg, word) : 0);
	}
}

/* ---- what peers say ---- */
struct heard { gw_app *app; gw_leg *leg; const char *conference, *party; char *actor; };

static void asked(const struct heard *h)
{
	if (!gw_content_take(h->app->domain, h->actor, h->conference, h->party, true, gw_app_now(), NULL)) {
		say(h->app, h->leg, "deny");
	}
}

static void given_back(const struct heard *h)
{
	(void)gw_content_release(h->app->domain, h->actor, h->conference, h->party, gw_app_now(), NULL);
}

static void presents(const struct heard *h)
{
	(void)gw_content_pass(h->app->domain, h->actor, h->conference, h->party, gw_app_now(), NULL);
}

/* Our own presenter must put it down; another system's presenter holds that system's floor, which is not this peer's to take. */
static void taken_back(const struct heard *h)
{
	const char *holder = gw_content_holder(h->app->domain, h->conference);
	const char *address = holder != NULL ? gw_party_address(h->app->domain, holder) : NULL;
	if (address != NULL && !g_str_has_prefix(address, "trunk:")) {
		(void)gw_content_revoke(h->app->domain, h->actor, h->conference, gw_app_now(), NULL);
	}
}

void gw_app_floor_heard(gw_app *app, gw_leg *leg, enum gw_sip_floor_news news)
{
	static void (*const rows[])(const struct heard *h) = {
		[GW_SIP_FLOOR_ASKED] = asked,	      [GW_SIP_FLOOR_GIVEN_BACK] = given_back, [GW_SIP_FLOOR_PRESENTS] = presents,
		[GW_SIP_FLOOR_ENDS] = given_back, [GW_SIP_FLOOR_REFUSED] = taken_back,	[GW_SIP_FLOOR_TAKEN_BACK] = taken_back,
	};
	const char *party = gw_app_leg_party(app, leg);
	const char *conference = party != NULL ? gw_party_conference(app->domain, party) : NULL;
	g_autofree char *actor = g_strconcat("party:", party, NULL);
	if (conference == NULL) {
		if (news == GW_SIP_FLOOR_ASKED) {
			say(app, leg, "deny");	/* a caller that owes a password */
		}
		return;
	}
	rows[news](&(struct heard){ app, leg, conference, party, actor });
	gw_app_rearm(app);
}

/* ---- what peers are told ---- */
struct floor_word { gw_app *app; const char *conference, *holder, *word; };

static void tell_other(gw_leg *leg, const char *party, void *user_data)
{
	const struct floor_word *f = user_data;
	bool there = party != NULL && g_strcmp0(gw_party_conference(f->app->domain, party), f->conference) == 0;
	if (there && g_strcmp0(party, f->holder) != 0) {
		say(f->app, leg, f->word);
	}
}

void gw_app_content_act(gw_app *app, const char *conference, const char *party, const char *word)
{
	if (app->calls == NULL) {
		return;
	}
	say(app, gw_app_party_leg(app, party), word);
	if (!g_str_equal(word, "deny")) {
		struct floor_word f = { app, conference, party, g_str_equal(word, "grant") ? "taken" : "free" };
		gw_app_calls_foreach(app, tell_other, &f);
	}
}

/* Who comes while somebody presents learns it; a peer that serves is asked for its floor. */
void gw_app_content_joined(gw_app *app, const char *party)
{
	const char *holder = gw_content_holder(app->domain, gw_party_conference(app->domain, party));
	if (holder != NULL && g_strcmp0(holder, party) != 0) {
		say(app, gw_app_party_leg(app, party), "taken");
	}
}
