/* Browsers and phones that lack a codec. Pictures are H.264 first; to a peer that did not agree on it the same view is sent in VP8,
 * which the mixer encodes as long as somebody is fed by it. A published stream that it cannot read is shown by the mixer. */
#include <string.h>

#include "gateway/app/calls_priv.h"
#include "gateway/app/mixes_priv.h"

#define H264_BIT (1u << MCU_CODEC_H264)
#define VP8_BIT (1u << MCU_CODEC_VP8)

/* "mix.<conference>.v.<view>.H264.<height>[.<more>]": more (one member's picture) is left out. */
static char *mixed(const char *stream)
{
	const char *codec = g_strrstr(stream, ".H264.");
	const char *height = codec != NULL ? codec + strlen(".H264.") : NULL;
	return codec == NULL ? NULL
			     : g_strdup_printf("%.*s.VP8.%.*s", (int)(codec - stream), stream, (int)strspn(height, "0123456789"), height);
}

/* Codec of what a party publishes; -1 = not known. */
static int codec_of(gw_app *app, const char *party, const char *stream, bool slides)
{
	struct gw_leg_takes takes = { 0 };
	gw_leg *sip = gw_app_party_leg(app, party);
	if (sip == NULL) {
		return gw_rtc_codec(app->rtc, stream);
	}
	return gw_leg_takes(sip, slides ? "content" : "main", &takes) ? (int)takes.codec : -1;
}

char *gw_app_stream_instead(const char *stream, unsigned codecs, void *user_data)
{
	gw_app *app = user_data;
	const char *dot = strrchr(stream, '.');
	if ((codecs & H264_BIT) != 0 || (codecs & VP8_BIT) == 0 || dot == NULL) {
		return NULL;
	}
	if (g_str_has_prefix(stream, "mix.")) {
		return mixed(stream);
	}
	bool slides = strcmp(dot, ".slides") == 0;
	g_autofree char *prefix = g_strndup(stream, (gsize)(dot - stream));
	const char *party = slides || strcmp(dot, ".video") == 0 ? gw_party_by_streams(app->domain, prefix) : NULL;
	const char *conference = party != NULL ? gw_party_conference(app->domain, party) : NULL;
	int codec = conference != NULL ? codec_of(app, party, stream, slides) : -1;
	if (codec < 0 || (codecs & 1u << codec) != 0) {
		return NULL;
	}
	return slides ? g_strdup_printf("mix.%s.v.slides.VP8.720", conference) : g_strdup_printf("mix.%s.v.one.%s.VP8.720", conference, party);
}

/* The first that is fed by a picture asks for it, the last one lets it go. */
void gw_app_stream_fed(const char *stream, bool on, void *user_data)
{
	gw_app *app = user_data;
	if (!g_str_has_prefix(stream, "mix.") || strstr(stream, ".VP8.") == NULL || app->wanted == NULL) {
		return;
	}
	unsigned n = GPOINTER_TO_UINT(g_hash_table_lookup(app->wanted, stream));
	n = on ? n + 1 : n > 0 ? n - 1 : 0;
	if (n > 0) {
		g_hash_table_insert(app->wanted, g_strdup(stream), GUINT_TO_POINTER(n));
	} else {
		g_hash_table_remove(app->wanted, stream);
	}
	g_auto(GStrv) part = g_strsplit(stream, ".", 3);
	if (n <= 1) {
		gw_app_mix_soon(app, part[1]);
	}
}
