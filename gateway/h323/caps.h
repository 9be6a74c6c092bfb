/* H.245 capabilities and the engine's codecs: what we say that we take, what the peer takes, what a channel carries. Pure. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "mcu/proto/proto.h"

enum h323_kind { H323_AUDIO, H323_VIDEO, H323_SLIDES, H323_MEDIA_N };

struct h323_codec {		/* of one direction */
	enum mcu_codec_id id;
	uint8_t pt;		/* static, or our choice of a dynamic one */
	uint8_t mode;		/* H.264: packetization 0 or 1 */
	int64_t max_bps;	/* 0 = not said */
	int64_t max_fs, max_mbps;	/* H.264: macroblocks, macroblocks a second; 0 = other codecs */
	int64_t packet_ms;	/* sound: longest packet that the peer takes */
};

struct h323_caps_conf { bool video, slides; int64_t max_bps; };
/* multiplexCapability, capabilityTable, capabilityDescriptors; (transfer full) */
json_t *h323_caps_print(const struct h323_caps_conf *conf);
/* What we shall send: our best codec among the peer's. *ret_type: the dataType for openLogicalChannel, (transfer full). false =
 * nothing in common. `max_bps`: what we want to send at most. */
bool h323_caps_choose(const json_t *tcs, enum h323_kind media, int64_t max_bps, struct h323_codec *ret, json_t **ret_type);
/* What the peer's channel carries. false = nothing that we take. */
bool h323_caps_read(const json_t *data_type, const char *packetization, enum h323_kind *ret_media, struct h323_codec *ret);
/* Largest common picture that fits: width, height, frames a second (never more than 1920x1080 at 30). */
void h323_caps_size(const struct h323_codec *c, int64_t *ret_width, int64_t *ret_height, int64_t *ret_fps);
bool h323_caps_has_h239(const json_t *tcs);
json_t *h323_caps_open(enum h323_kind media, const struct h323_codec *c, json_t *data_type /* taken over */, uint8_t session,
		       json_t *rtcp /* 245:TransportAddress, taken over */);	/* openLogicalChannel without number */
