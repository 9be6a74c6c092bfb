/* What the forwarding engine must know of a codec: where frames begin, what is a key frame, what can be dropped, how to
 * rewrite payload descriptors. One file a codec, one const row each. Pure, any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/proto/proto.h"

struct mcu_frame_info {
	bool start;		/* first packet of a frame (or of a NAL unit that begins one) */
	bool keyframe;		/* belongs to a frame that decodes alone (VP8 P=0, H.264 SPS/IDR/STAP-A with them) */
	bool discardable;	/* nothing later depends on it */
	int8_t temporal;	/* temporal layer, -1 = unknown */
	uint16_t width, height;	/* of a key frame where the payload says, else 0 */
};
/* State a forwarder keeps per sink so that switching sources or layers keeps descriptors continuous. Zero-init. */
struct mcu_codec_state { uint32_t w[8]; };

struct mcu_codec {
	enum mcu_codec_id id;
	/* 0 or -EBADMSG. */
	int (*inspect)(const uint8_t *payload, size_t len, struct mcu_frame_info *ret);
	/* Bytes of payload descriptor that `rewrite` replaces (VP8: 1-6), written to out[] (room >= 16). `switched` = first
	 * packet from a new source. NULL = payload goes as it is. Returns bytes taken from payload, *ret_out written. */
	unsigned (*rewrite)(struct mcu_codec_state *st, const uint8_t *payload, size_t len, bool switched, uint8_t *out,
			    unsigned *ret_out);
};
const struct mcu_codec *mcu_codec_get(enum mcu_codec_id id);	/* never NULL: codecs without knowledge have an empty row */

/* H.264 profile-level-id comparison: same profile (RFC 6184 8.1 table), level ignored when asymmetry is allowed. */
bool mcu_h264_same_profile(const char *fmtp_a, const char *fmtp_b);
unsigned mcu_h264_packetization_mode(const char *fmtp);
