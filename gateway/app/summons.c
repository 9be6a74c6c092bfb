/* Calls of a call-and-acknowledge: whoever answers hears a tone until the digit 1 says that he heard; then he is let into the
 * conference by the same call. Until then he is no party and hears nobody: each has a small mix of its own for the tone. */
#include <string.h>

#include "gateway/app/calls_priv.h"

#define PATIENCE_US (120 * ORT_US_PER_S)
#define AGAIN_MS 4000

struct gw_summons {
	gw_app *app;
	char *prefix, *output, *callack;
	int row, way;
	int64_t since_us;
	unsigned again;		/* timer of the tone */
	bool mixed;
};

struct gw_summons *gw_summons_new(gw_app *app, const char *prefix, const char *callack, int row, int way)
{
	struct gw_summons *s = g_new0(struct gw_summons, 1);
	*s = (struct gw_summons){ .app = app, .prefix = g_strdup(prefix), .output = g_strconcat("mix.", prefix, ".a", NULL),
				  .callack = g_strdup(callack), .row = row, .way = way, .since_us = ort_now_us() };
	return s;
}

static void media(struct gw_summons *s, enum mcu_method method, const void *request)
{
	if (s->app->media != NULL) {
		gw_media_call(s->app->media, method, request, NULL, NULL);
	}
}

void gw_summons_free(struct gw_summons *s)
{
	if (s == NULL) {
		return;
	}
	if (s->again != 0) {
		g_source_remove(s->again);
	}
	if (s->mixed) {
		media(s, MCU_METHOD_MIX_CLOSE, &(struct mcu_mix_ref){ (char *)(uintptr_t)GW_HALL, s->prefix, NULL });
	}
	g_free(s->prefix);
	g_free(s->output);
	g_free(s->callack);
	g_free(s);
}

static gboolean say(gpointer user_data)
{
	struct gw_summons *s = user_data;
	struct mcu_mix_play req = { (char *)(uintptr_t)GW_HALL, s->prefix, s->prefix, (char *)(uintptr_t)"alarm" };
	media(s, MCU_METHOD_MIX_PLAY, &req);
	return G_SOURCE_CONTINUE;
}

static void answered(struct gw_summons *s, gw_leg *leg)
{
	struct gw_leg_takes takes = { .codec = MCU_CODEC_OPUS };
	if (s->mixed) {
		return;
	}
	s->mixed = true;
	(void)gw_leg_takes(leg, "audio", &takes);
	struct mcu_mix_open open = { (char *)(uintptr_t)GW_HALL, s->prefix, 0 };
	struct mcu_mix_output out = { .room = (char *)(uintptr_t)GW_HALL, .mix = s->prefix, .id = s->output, .member = s->prefix,
				      .codec = (char *)(uintptr_t)mcu_codecs[takes.codec].name, .kind = MCU_AUDIO };
	media(s, MCU_METHOD_MIX_OPEN, &open);
	media(s, MCU_METHOD_MIX_OUTPUT, &out);
	(void)gw_leg_feed(leg, "audio", s->output);
	(void)say(s);
	s->again = g_timeout_add(AGAIN_MS, say, s);
}

void gw_summons_state(struct gw_summons *s, gw_leg *leg, enum gw_leg_state state, const char *why)
{
	static const enum gw_callack_state states[GW_LEG_STATE_N] = {
		[GW_LEG_RINGING] = GW_WAY_RINGING, [GW_LEG_UP] = GW_WAY_ANSWERED, [GW_LEG_ENDED] = GW_WAY_FAILED,
	};
	if (state == GW_LEG_UP) {
		answered(s, leg);
	}
	if (states[state] != GW_WAY_WAITING) {
		(void)gw_callack_way(s->app->domain, s->callack, s->row, s->way, states[state], state == GW_LEG_ENDED ? why : NULL, gw_app_now());
	}
}

bool gw_summons_digits(struct gw_summons *s, const char *digits)
{
	struct gw_callack_row_info info;
	if (strchr(digits, '1') == NULL || !gw_callack_look(s->app->domain, s->callack, s->row, s->way, &info)) {
		return false;
	}
	return gw_callack_ack(s->app->domain, info.to, s->callack, s->row, s->way, gw_app_now(), NULL);
}

bool gw_summons_is(const struct gw_summons *s, const char *callack, int row, int way)
{
	return s->row == row && s->way == way && strcmp(s->callack, callack) == 0;
}

bool gw_summons_facts(const struct gw_summons *s, struct gw_party_facts *ret, const char **ret_conference)
{
	struct gw_callack_row_info info;
	if (!gw_callack_look(s->app->domain, s->callack, s->row, s->way, &info)) {
		return false;
	}
	*ret = (struct gw_party_facts){ .name = info.name, .site = info.site, .address = info.to,
					.kind = g_str_has_prefix(info.to, "trunk:") ? GW_PARTY_TRUNK : GW_PARTY_SIP };
	*ret_conference = gw_callack_conference(s->app->domain, s->callack);
	return true;
}

void gw_summons_joined(const struct gw_summons *s, const char *party)
{
	gw_callack_joined(s->app->domain, s->callack, s->row, party, gw_app_now());
}

bool gw_summons_overdue(const struct gw_summons *s, int64_t now_us)
{
	return now_us - s->since_us > PATIENCE_US;
}
