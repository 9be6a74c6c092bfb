/* Pipelines as text: encoders are rows, the first one that is installed is taken. */
#include "softclient/desktop/media/peer_priv.h"

const char *const sc_codec_names[] = { "auto", "h264", "vp8", NULL };

/* OpenH264 makes constrained baseline and nothing else, at the least CPU. */
#define H264_PAY "video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency"
#define H264_CAPS "encoding-name=H264,packetization-mode=(string)1"
static const struct encoder {
	enum sc_codec codec;
	const char *element, *rate;
	unsigned rate_unit;		/* bit/s */
	const char *distance, *options, *pay, *caps;
} encoders[] = {
	{ SC_CODEC_H264, "openh264enc", "bitrate", 1, "gop-size", "complexity=low rate-control=bitrate usage-type=camera multi-thread=1",
	  H264_PAY, H264_CAPS },
	{ SC_CODEC_H264, "x264enc", "bitrate", 1000, "key-int-max", "tune=zerolatency speed-preset=ultrafast threads=1", H264_PAY, H264_CAPS },
	{ SC_CODEC_VP8, "vp8enc", "target-bitrate", 1, "keyframe-max-dist", "deadline=1 cpu-used=8 threads=1 lag-in-frames=0 end-usage=cbr",
	  "rtpvp8pay picture-id-mode=15-bit", "encoding-name=VP8" },
};

/* Everything else that is used, and where Debian keeps it. */
static const struct { const char *element, *package; } parts[] = {
	{ "webrtcbin", "gstreamer1.0-plugins-bad" },	   { "nicesink", "gstreamer1.0-nice" },
	{ "dtlssrtpenc", "gstreamer1.0-plugins-bad" },	   { "srtpenc", "gstreamer1.0-plugins-bad" },
	{ "opusenc", "gstreamer1.0-plugins-base" },	   { "rtpopuspay", "gstreamer1.0-plugins-good" },
	{ "level", "gstreamer1.0-plugins-good" },	   { "appsrc", "gstreamer1.0-plugins-base" },
	{ "audioconvert", "gstreamer1.0-plugins-base" },
};

static bool have(const char *element)
{
	g_autoptr(GstElementFactory) factory = gst_element_factory_find(element);
	return factory != NULL;
}

static const struct encoder *encoder_of(enum sc_codec codec)
{
	for (unsigned n = 0; n < G_N_ELEMENTS(encoders); n++) {
		if ((codec == SC_CODEC_AUTO || codec == encoders[n].codec) && have(encoders[n].element)) {
			return &encoders[n];
		}
	}
	return NULL;
}

const char *sc_media_encoder(enum sc_codec codec)
{
	const struct encoder *e = encoder_of(codec);
	return e != NULL ? e->element : NULL;
}

bool sc_media_init(enum sc_codec codec, char **ret_why)
{
	g_autoptr(GError) err = NULL;
	if (!gst_init_check(NULL, NULL, &err)) {
		*ret_why = g_strdup(err->message);
		return false;
	}
	for (unsigned n = 0; n < G_N_ELEMENTS(parts); n++) {
		if (!have(parts[n].element)) {
			*ret_why = g_strdup_printf("GStreamer's %s is missing (package %s)", parts[n].element, parts[n].package);
			return false;
		}
	}
	if (encoder_of(codec) == NULL) {
		*ret_why = g_strdup_printf("no %s encoder: install gstreamer1.0-plugins-%s", codec == SC_CODEC_VP8 ? "VP8" : "H.264",
					   codec == SC_CODEC_VP8 ? "good" : "bad");
		return false;
	}
	return true;
}

void sc_media_end(void)
{
	gst_deinit();
}

/* ---- text ---- */
enum { KEYFRAME_S = 10, BPS_MIN = 150000, BPS_MAX = 4000000 };

static unsigned bitrate_of(const struct sc_peer_conf *conf)
{
	double bps = 0.12 * conf->width * conf->height * conf->fps;
	return (unsigned)CLAMP(bps, BPS_MIN, BPS_MAX);
}

/* The ssrc in the caps is what webrtcbin writes into its offer before the first packet. */
static char *audio_caps(uint32_t ssrc)
{
	return g_strdup_printf("application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,encoding-params=(string)2,payload=%u,"
			       "ssrc=(uint)%u,extmap-1=(string)<\"\",urn:ietf:params:rtp-hdrext:ssrc-audio-level,\"vad=on\">",
			       PEER_PT_AUDIO, ssrc);
}

static void put_audio(GString *text, uint32_t ssrc)
{
	g_string_append_printf(text, "appsrc name=audio is-live=true format=time max-buffers=20 leaky-type=downstream "
		"caps=audio/x-raw,format=S16LE,rate=%u,channels=1,layout=interleaved "
		"! level audio-level-meta=true post-messages=false interval=20000000 ! opusenc audio-type=voice bitrate=32000 inband-fec=true "
		"! rtpopuspay pt=%u ssrc=%u mtu=%u ! capsfilter name=sound ! rtc. ", SC_SOUND_HZ, PEER_PT_AUDIO, ssrc, PEER_MTU);
}

static char *video_caps(const struct encoder *e, uint32_t ssrc)
{
	return g_strdup_printf("application/x-rtp,media=video,%s,clock-rate=90000,payload=%u,ssrc=(uint)%u,rtcp-fb-nack-pli=(boolean)true,"
			       "rtcp-fb-ccm-fir=(boolean)true", e->caps, PEER_PT_VIDEO, ssrc);
}

static void put_video(GString *text, const struct sc_peer_conf *conf, const struct encoder *e, uint32_t ssrc)
{
	unsigned bps = bitrate_of(conf);
	const char *title = conf->name != NULL && have("textoverlay")
		? "! textoverlay name=title valignment=top halignment=left ypad=72 shaded-background=true " : "";
	g_string_append_printf(text, "appsrc name=video is-live=true format=time max-buffers=3 leaky-type=downstream "
		"caps=video/x-raw,format=I420,width=%u,height=%u,framerate=%u/1 %s! %s %s=%u %s=%u %s ! %s pt=%u ssrc=%u mtu=%u "
		"! capsfilter name=picture ! rtc. ", conf->width, conf->height, conf->fps, title, e->element, e->rate, bps / e->rate_unit,
		e->distance, conf->fps * KEYFRAME_S, e->options, e->pay, PEER_PT_VIDEO, ssrc, PEER_MTU);
}

static void set_caps(GstElement *pipeline, const char *filter, const char *text)
{
	g_autoptr(GstElement) element = gst_bin_get_by_name(GST_BIN(pipeline), filter);
	g_autoptr(GstCaps) caps = gst_caps_from_string(text);
	g_object_set(element, "caps", caps, NULL);
}

GstElement *pipeline_new(const struct sc_peer_conf *conf, char **ret_why)
{
	const struct encoder *e = encoder_of(conf->codec);
	g_autoptr(GString) text = g_string_new("webrtcbin name=rtc bundle-policy=max-bundle latency=80 ");
	g_autoptr(GError) err = NULL;
	if (e == NULL) {
		*ret_why = g_strdup("no encoder");
		return NULL;
	}
	uint32_t ssrcs[2] = { g_random_int() | 1, g_random_int() & ~1u };
	g_autofree char *sound = audio_caps(ssrcs[0]), *picture = video_caps(e, ssrcs[1]);
	put_audio(text, ssrcs[0]);
	put_video(text, conf, e, ssrcs[1]);
	GstElement *pipeline = gst_parse_launch(text->str, &err);
	if (err != NULL) {
		*ret_why = g_strdup(err->message);
		g_clear_pointer(&pipeline, gst_object_unref);
		return NULL;
	}
	set_caps(pipeline, "sound", sound);
	set_caps(pipeline, "picture", picture);
	g_autoptr(GstElement) title = gst_bin_get_by_name(GST_BIN(pipeline), "title");
	if (title != NULL) {
		g_object_set(title, "text", conf->name, "font-desc", conf->height < 480 ? "Sans Bold 11" : "Sans Bold 16", NULL);
	}
	return pipeline;
}

GstElement *pipeline_ear(void)
{
	return gst_parse_bin_from_description("rtpopusdepay ! opusdec ! audioconvert ! level name=ear interval=100000000 "
					      "! fakesink sync=false async=false", TRUE, NULL);
}
