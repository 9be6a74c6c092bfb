/* H.245 capabilities: rows of codecs, H.264 by H.241, the second video by H.239. */
#include "gateway/h323/caps.h"

#include <glib.h>
#include <string.h>

#define H264_OID	 "0.0.8.241.0.0.1"
#define PACKETIZATION	 "0.0.8.241.0.0.0."	/* + mode */
#define H239_CONTROL_OID "0.0.8.239.1.1"
#define H239_VIDEO_OID	 "0.0.8.239.1.2"
enum { P_PROFILE = 41, P_LEVEL = 42, P_MBPS = 3, P_FS = 4, BASELINE = 64, HIGH = 8, ROLE_PRESENTATION = 1, PT_H264 = 106,
       PT_SLIDES = 107, TABLE_SLIDES = 30, TABLE_H239 = 40 };

static const struct level { uint8_t code; const char *name; int64_t fs, mbps, kbps; } levels[] = {
#define X(...) { __VA_ARGS__ },
#include "gateway/h323/levels.def"
#undef X
};
/* In our order. Sound: the alternative of AudioCapability and the longest packet in ms that we take. */
static const struct sound { const char *name; enum mcu_codec_id id; uint8_t pt; int ms; } sounds[] = {
	{ "g722-64k", MCU_CODEC_G722, 9, 60 },
	{ "g711Alaw64k", MCU_CODEC_PCMA, 8, 60 },
	{ "g711Ulaw64k", MCU_CODEC_PCMU, 0, 60 },
};
/* Classes that we take, each honest about its rate: some rooms choose the picture by it (trap 3). Level codes. */
static const struct picture { uint16_t entry; uint8_t profile, level; int64_t mbps, fs, bps; } pictures[] = {
	{ 11, HIGH, 85, 0, 0, 4000000 },
	{ 12, BASELINE, 85, 0, 0, 4000000 },
	{ 13, BASELINE, 71, 0, 0, 2000000 },
	{ 14, BASELINE, 36, 0, 0, 768000 },
};

static const struct level *level_of(int64_t code)
{
	const struct level *found = &levels[0];
	for (size_t n = 0; n < G_N_ELEMENTS(levels); n++) {
		found = levels[n].code <= code ? &levels[n] : found;	/* an unknown code means the one below */
	}
	return found;
}

/* ---- ours ---- */
static json_t *parameter(int number, const char *kind, int64_t value)
{
	return json_pack("{s{si}s{sI}}", "parameterIdentifier", "standard", number, "parameterValue", kind, (json_int_t)value);
}

static json_t *h264(int64_t profile, int64_t level, int64_t fs, int64_t mbps, int64_t bps)
{
	json_t *list = json_array();
	json_array_append_new(list, parameter(P_PROFILE, "booleanArray", profile));
	json_array_append_new(list, parameter(P_LEVEL, "unsignedMin", level));
	if (fs > 0) {
		json_array_append_new(list, parameter(P_FS, "unsignedMin", (fs + 255) / 256));
	}
	if (mbps > 0) {
		json_array_append_new(list, parameter(P_MBPS, "unsignedMin", (mbps + 499) / 500));
	}
	return json_pack("{s{s{ss}sIso}}", "genericVideoCapability", "capabilityIdentifier", "standard", H264_OID, "maxBitRate",
			 (json_int_t)(bps / 100), "collapsing", list);
}

static json_t *slides_of(json_t *video)
{
	return json_pack("{s{s[o]s[{s{ss}s[o]}]}}", "extendedVideoCapability", "videoCapability", video, "videoCapabilityExtension",
			 "capabilityIdentifier", "standard", H239_VIDEO_OID, "collapsing",
			 parameter(1, "booleanArray", ROLE_PRESENTATION));
}

static void entry(json_t *table, json_t *set, int number, const char *kind, json_t *capability)
{
	json_array_append_new(table, json_pack("{sis{so}}", "capabilityTableEntryNumber", number, "capability", kind, capability));
	json_array_append_new(set, json_integer(number));
}

static json_t *multiplex(void)
{
	static const char *const multipoint[] = { "receiveMultipointCapability", "transmitMultipointCapability",
						  "receiveAndTransmitMultipointCapability" };
	json_t *rtp = json_array();
	for (int mode = 0; mode < 2; mode++) {
		g_autofree char *oid = g_strdup_printf(PACKETIZATION "%d", mode);
		json_array_append_new(rtp, json_pack("{s{ss}si}", "payloadDescriptor", "oid", oid, "payloadType", PT_H264));
	}
	json_t *h = json_pack("{sis{sbsb}sbs{sbso}sbsb}", "maximumAudioDelayJitter", 250, "mcCapability", "centralizedConferenceMC", 0,
			      "decentralizedConferenceMC", 0, "rtcpVideoControlCapability", 1, "mediaPacketizationCapability",
			      "h261aVideoPacketization", 0, "rtpPayloadType", rtp, "logicalChannelSwitchingCapability", 0,
			      "t120DynamicPortCapability", 0);
	for (size_t n = 0; n < G_N_ELEMENTS(multipoint); n++) {
		json_object_set_new(h, multipoint[n], json_pack("{sbsbs[{sbsbsbsbsbsb}]}", "multicastCapability", 0, "multiUniCastConference",
			0, "mediaDistributionCapability", "centralizedControl", 0, "distributedControl", 0, "centralizedAudio", 0,
			"distributedAudio", 0, "centralizedVideo", 0, "distributedVideo", 0));
	}
	return json_pack("{so}", "h2250Capability", h);
}

json_t *h323_caps_print(const struct h323_caps_conf *conf)
{
	json_t *table = json_array(), *at_once = json_array(), *sound = json_array(), *input = json_array();
	int64_t most = conf->max_bps > 0 ? conf->max_bps : INT64_MAX;

	for (size_t n = 0; n < G_N_ELEMENTS(sounds); n++) {
		entry(table, sound, 1 + (int)n, "receiveAudioCapability", json_pack("{si}", sounds[n].name, sounds[n].ms));
	}
	json_array_append_new(at_once, sound);
	if (conf->video) {
		json_t *set = json_array();
		for (size_t n = 0; n < G_N_ELEMENTS(pictures); n++) {
			const struct picture *p = &pictures[n];
			entry(table, set, p->entry, "receiveVideoCapability", h264(p->profile, p->level, p->fs, p->mbps, MIN(p->bps, most)));
		}
		json_array_append_new(at_once, set);
	}
	if (conf->video && conf->slides) {
		json_t *set = json_array(), *control = json_array();
		entry(table, set, TABLE_SLIDES, "receiveAndTransmitVideoCapability",
		      slides_of(h264(BASELINE, pictures[1].level, 0, 0, MIN(pictures[1].bps, most))));
		entry(table, control, TABLE_H239, "genericControlCapability",
		      json_pack("{s{ss}}", "capabilityIdentifier", "standard", H239_CONTROL_OID));
		json_array_append_new(at_once, set);
		json_array_append_new(at_once, control);
	}
	entry(table, input, TABLE_H239 + 1, "receiveUserInputCapability", json_pack("{sn}", "basicString"));
	json_array_append_new(at_once, input);
	return json_pack("{sosos[{siso}]}", "multiplexCapability", multiplex(), "capabilityTable", table, "capabilityDescriptors",
			 "capabilityDescriptorNumber", 1, "simultaneousCapabilities", at_once);
}

/* ---- the peer's ---- */
static int64_t parameter_of(const json_t *generic, int number)
{
	size_t n;
	json_t *p;
	json_array_foreach(json_object_get(generic, "collapsing"), n, p)
	{
		if (json_integer_value(json_object_get(json_object_get(p, "parameterIdentifier"), "standard")) == number) {
			json_t *value = json_object_get(p, "parameterValue");
			return json_integer_value(json_object_iter_value(json_object_iter(value)));
		}
	}
	return 0;
}

/* false: not H.264 */
static bool read_h264(const json_t *capability, struct h323_codec *ret, int64_t *ret_profile, int64_t *ret_level)
{
	const json_t *generic = json_object_get(capability, "genericVideoCapability");
	const char *oid = json_string_value(json_object_get(json_object_get(generic, "capabilityIdentifier"), "standard"));
	if (g_strcmp0(oid, H264_OID) != 0) {
		return false;
	}
	*ret_profile = parameter_of(generic, P_PROFILE);
	*ret_level = parameter_of(generic, P_LEVEL);
	const struct level *level = level_of(*ret_level);
	*ret = (struct h323_codec){ .id = MCU_CODEC_H264, .pt = PT_H264,
				    .max_bps = json_integer_value(json_object_get(generic, "maxBitRate")) * 100,
				    .max_fs = MAX(level->fs, parameter_of(generic, P_FS) * 256),
				    .max_mbps = MAX(level->mbps, parameter_of(generic, P_MBPS) * 500) };
	return true;
}

/* The role in the extension; 0 = this is not the second video. The list holds one capability, or the first counts. */
static int64_t slides_role(const json_t *extended, const json_t **ret_video)
{
	const json_t *generic = json_array_get(json_object_get(extended, "videoCapabilityExtension"), 0);
	const char *oid = json_string_value(json_object_get(json_object_get(generic, "capabilityIdentifier"), "standard"));
	*ret_video = json_array_get(json_object_get(extended, "videoCapability"), 0);
	return g_strcmp0(oid, H239_VIDEO_OID) == 0 ? parameter_of(generic, 1) : 0;
}

static bool mode_1_taken(const json_t *tcs)
{
	const json_t *h = json_object_get(json_object_get(tcs, "multiplexCapability"), "h2250Capability");
	size_t n;
	json_t *p;
	json_array_foreach(json_object_get(json_object_get(h, "mediaPacketizationCapability"), "rtpPayloadType"), n, p)
	{
		const char *oid = json_string_value(json_object_get(json_object_get(p, "payloadDescriptor"), "oid"));
		if (g_strcmp0(oid, PACKETIZATION "1") == 0) {
			return true;
		}
	}
	return false;
}

/* The capability of an entry that the peer receives: member of AudioCapability or VideoCapability, else NULL. */
static const json_t *received(const json_t *table_entry, bool sound)
{
	static const char *const names[2][2] = { { "receiveVideoCapability", "receiveAndTransmitVideoCapability" },
						 { "receiveAudioCapability", "receiveAndTransmitAudioCapability" } };
	const json_t *capability = json_object_get(table_entry, "capability");
	const json_t *found = json_object_get(capability, names[sound][0]);
	return found != NULL ? found : json_object_get(capability, names[sound][1]);
}

static bool choose_sound(const json_t *tcs, struct h323_codec *ret, json_t **ret_type)
{
	const json_t *table = json_object_get(tcs, "capabilityTable");
	for (size_t row = 0; row < G_N_ELEMENTS(sounds); row++) {
		size_t n;
		json_t *e;
		json_array_foreach(table, n, e)
		{
			const json_t *ms = json_object_get(received(e, true), sounds[row].name);
			if (ms != NULL) {
				int64_t packet = CLAMP(json_integer_value(ms), 1, 20);
				*ret = (struct h323_codec){ .id = sounds[row].id, .pt = sounds[row].pt, .packet_ms = packet };
				*ret_type = json_pack("{s{sI}}", "audioData", sounds[row].name, (json_int_t)packet);
				return true;
			}
		}
	}
	return false;
}

/* The largest picture that the peer takes in baseline: every profile's decoder reads that, and we encode nothing else. */
static bool choose_video(const json_t *tcs, bool slides, int64_t max_bps, struct h323_codec *ret, json_t **ret_type)
{
	int64_t best_level = -1;
	size_t n;
	json_t *e;
	json_array_foreach(json_object_get(tcs, "capabilityTable"), n, e)
	{
		struct h323_codec c;
		int64_t profile, level;
		const json_t *video = received(e, false), *inner = video;
		int64_t role = slides_role(json_object_get(video, "extendedVideoCapability"), &inner);
		if ((slides ? (role & ROLE_PRESENTATION) == 0 : role != 0) || !read_h264(slides ? inner : video, &c, &profile, &level)) {
			continue;
		}
		if (c.max_fs * 1000 + c.max_mbps > ret->max_fs * 1000 + ret->max_mbps || best_level < 0) {
			*ret = c;
			best_level = level;
		}
	}
	if (best_level < 0) {
		return false;
	}
	ret->mode = mode_1_taken(tcs);
	ret->pt = slides ? PT_SLIDES : PT_H264;
	ret->max_bps = max_bps > 0 && (ret->max_bps == 0 || max_bps < ret->max_bps) ? max_bps : ret->max_bps;
	json_t *video = h264(BASELINE, best_level, 0, 0, ret->max_bps);
	*ret_type = json_pack("{so}", "videoData", slides ? slides_of(video) : video);
	return true;
}

bool h323_caps_choose(const json_t *tcs, enum h323_kind media, int64_t max_bps, struct h323_codec *ret, json_t **ret_type)
{
	*ret = (struct h323_codec){ 0 };
	*ret_type = NULL;
	return media == H323_AUDIO ? choose_sound(tcs, ret, ret_type) : choose_video(tcs, media == H323_SLIDES, max_bps, ret, ret_type);
}

static bool read_sound(const json_t *audio, struct h323_codec *ret)
{
	for (size_t row = 0; row < G_N_ELEMENTS(sounds); row++) {
		const json_t *ms = json_object_get(audio, sounds[row].name);
		if (ms != NULL) {
			*ret = (struct h323_codec){ .id = sounds[row].id, .pt = sounds[row].pt, .packet_ms = json_integer_value(ms) };
			return true;
		}
	}
	return false;
}

bool h323_caps_read(const json_t *data_type, const char *packetization, enum h323_kind *ret_media, struct h323_codec *ret)
{
	const json_t *video = json_object_get(data_type, "videoData"), *audio = json_object_get(data_type, "audioData");
	const json_t *extended = json_object_get(video, "extendedVideoCapability"), *inner = video;
	int64_t profile, level;
	if (audio != NULL) {
		*ret_media = H323_AUDIO;
		return read_sound(audio, ret);
	}
	*ret_media = extended != NULL && slides_role(extended, &inner) != 0 ? H323_SLIDES : H323_VIDEO;
	if (!read_h264(inner, ret, &profile, &level)) {
		return false;
	}
	ret->mode = g_strcmp0(packetization, PACKETIZATION "1") == 0;	/* absent or cut short (trap 4): single NAL units */
	return true;
}

void h323_caps_size(const struct h323_codec *c, int64_t *ret_width, int64_t *ret_height, int64_t *ret_fps)
{
	static const struct { int64_t width, height, bps; } sizes[] = { { 1920, 1080, 1500000 }, { 1280, 720, 700000 }, { 640, 360, 200000 },
								       { 352, 288, 0 }, { 176, 144, 0 } };
	size_t n = 0;
	for (; n < G_N_ELEMENTS(sizes) - 1; n++) {
		int64_t fs = ((sizes[n].width + 15) / 16) * ((sizes[n].height + 15) / 16);
		if (fs <= c->max_fs && fs * 15 <= c->max_mbps && (c->max_bps == 0 || c->max_bps >= sizes[n].bps)) {
			break;
		}
	}
	int64_t fs = ((sizes[n].width + 15) / 16) * ((sizes[n].height + 15) / 16);
	*ret_width = sizes[n].width;
	*ret_height = sizes[n].height;
	*ret_fps = CLAMP(c->max_mbps / MAX(fs, 1), 1, 30);
}

bool h323_caps_has_h239(const json_t *tcs)
{
	size_t n;
	json_t *e;
	json_array_foreach(json_object_get(tcs, "capabilityTable"), n, e)
	{
		const json_t *generic = json_object_get(json_object_get(e, "capability"), "genericControlCapability");
		const char *oid = json_string_value(json_object_get(json_object_get(generic, "capabilityIdentifier"), "standard"));
		if (g_strcmp0(oid, H239_CONTROL_OID) == 0) {
			return true;
		}
	}
	return false;
}

json_t *h323_caps_open(enum h323_kind media, const struct h323_codec *c, json_t *data_type, uint8_t session, json_t *rtcp)
{
	json_t *p = json_pack("{siso}", "sessionID", session, "mediaControlChannel", rtcp);
	if (media != H323_AUDIO) {
		g_autofree char *oid = g_strdup_printf(PACKETIZATION "%u", c->mode);
		json_object_set_new(p, "dynamicRTPPayloadType", json_integer(c->pt));
		json_object_set_new(p, "mediaPacketization", json_pack("{s{s{ss}si}}", "rtpPayloadType", "payloadDescriptor", "oid", oid,
								       "payloadType", c->pt));
	}
	return json_pack("{s{sos{so}}}", "forwardLogicalChannelParameters", "dataType", data_type, "multiplexParameters",
			 "h2250LogicalChannelParameters", p);
}
