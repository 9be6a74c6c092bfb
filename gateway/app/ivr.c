/* Callers that owe a conference password (IVR): they hear a prompt, dial digits and #, three times at most (J12). Until then they
 * are no party and hear nobody; each has a small mix of its own for the prompts. */
#include <string.h>

#include "gateway/app/calls_priv.h"

#define PATIENCE_US (60 * ORT_US_PER_S)
#define MAX_DIGITS 16

struct gw_ivr {
	gw_app *app;
	char *prefix, *conference, *output;
	struct gw_call_in in;
	GString *digits;
	int64_t since_us;
};

static void call_copy(struct gw_call_in *to, const struct gw_call_in *from)
{
	*to = *from;
	to->number = g_strdup(from->number);
	to->from = g_strdup(from->from);
	to->name = g_strdup(from->name);
	to->site = g_strdup(from->site);
	to->agent = g_strdup(from->agent);
	to->address = g_strdup(from->address);
	to->bridge = g_strdup(from->bridge);
}

static void call_clear(struct gw_call_in *in)
{
	const char *const texts[] = { in->number, in->from, in->name, in->site, in->agent, in->address, in->bridge };
	for (unsigned n = 0; n < G_N_ELEMENTS(texts); n++) {
		g_free((char *)(uintptr_t)texts[n]);
	}
}

struct gw_ivr *gw_ivr_new(gw_app *app, const char *prefix, const struct gw_call_in *in)
{
	struct gw_ivr *ivr = g_new0(struct gw_ivr, 1);
	ivr->app = app;
	ivr->prefix = g_strdup(prefix);
	ivr->conference = g_strdup(gw_conference_by_number(app->domain, in->number));
	ivr->output = g_strconcat("mix.", prefix, ".a", NULL);
	ivr->digits = g_string_new(NULL);
	ivr->since_us = ort_now_us();
	call_copy(&ivr->in, in);
	return ivr;
}

static void media(struct gw_ivr *ivr, enum mcu_method method, const void *request)
{
	if (ivr->app->media != NULL) {
		gw_media_call(ivr->app->media, method, request, NULL, NULL);
	}
}

void gw_ivr_free(struct gw_ivr *ivr)
{
	if (ivr == NULL) {
		return;
	}
	struct mcu_mix_ref ref = { (char *)(uintptr_t)GW_HALL, ivr->prefix, NULL };
	media(ivr, MCU_METHOD_MIX_CLOSE, &ref);
	call_clear(&ivr->in);
	g_string_free(ivr->digits, TRUE);
	g_free(ivr->output);
	g_free(ivr->conference);
	g_free(ivr->prefix);
	g_free(ivr);
}

static void say(struct gw_ivr *ivr, const char *sound)
{
	struct mcu_mix_play req = { (char *)(uintptr_t)GW_HALL, ivr->prefix, ivr->prefix, (char *)(uintptr_t)sound };
	media(ivr, MCU_METHOD_MIX_PLAY, &req);
}

void gw_ivr_up(struct gw_ivr *ivr, gw_leg *leg)
{
	struct gw_leg_takes takes = { .codec = MCU_CODEC_OPUS };
	(void)gw_leg_takes(leg, "audio", &takes);
	struct mcu_mix_open open = { (char *)(uintptr_t)GW_HALL, ivr->prefix, 0 };
	struct mcu_mix_output out = { .room = (char *)(uintptr_t)GW_HALL, .mix = ivr->prefix, .id = ivr->output, .member = ivr->prefix,
				      .codec = (char *)(uintptr_t)mcu_codecs[takes.codec].name, .kind = MCU_AUDIO };
	media(ivr, MCU_METHOD_MIX_OPEN, &open);
	media(ivr, MCU_METHOD_MIX_OUTPUT, &out);
	(void)gw_leg_feed(leg, "audio", ivr->output);
	say(ivr, "password_prompt");
}

enum gw_admission gw_ivr_digits(struct gw_ivr *ivr, const char *digits)
{
	for (const char *d = digits; *d != '\0'; d++) {
		if (*d == '*') {
			g_string_truncate(ivr->digits, 0);
		} else if (*d != '#' && ivr->digits->len < MAX_DIGITS) {
			g_string_append_c(ivr->digits, *d);
		} else if (*d == '#') {
			enum gw_admission a = gw_conference_admit(ivr->app->domain, ivr->conference, ivr->in.address, ivr->digits->str, gw_app_now());
			g_string_truncate(ivr->digits, 0);
			if (a != GW_ADMIT_WRONG) {
				return a;
			}
			say(ivr, "password_wrong");
		}
	}
	return GW_ADMIT_ASK;
}

const struct gw_call_in *gw_ivr_call(const struct gw_ivr *ivr)
{
	return &ivr->in;
}

const char *gw_ivr_conference(const struct gw_ivr *ivr)
{
	return ivr->conference;
}

bool gw_ivr_overdue(const struct gw_ivr *ivr, int64_t now_us)
{
	return now_us - ivr->since_us > PATIENCE_US;
}
