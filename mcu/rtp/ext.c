/* Header extensions: the URIs that we know and the two element forms of RFC 8285. */
#include "mcu/rtp/rtp.h"

#include "mcu/rtp/bytes_priv.h"

static const char *const uris[MCU_EXT_N] = {
	[MCU_EXT_MID] = "urn:ietf:params:rtp-hdrext:sdes:mid",						/* RFC 9143 */
	[MCU_EXT_RID] = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",				/* RFC 8852 */
	[MCU_EXT_REPAIRED_RID] = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",		/* RFC 8852 */
	[MCU_EXT_AUDIO_LEVEL] = "urn:ietf:params:rtp-hdrext:ssrc-audio-level",				/* RFC 6464 */
	[MCU_EXT_TWCC] = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
	[MCU_EXT_ABS_SEND_TIME] = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
	[MCU_EXT_ORIENTATION] = "urn:3gpp:video-orientation",						/* TS 26.114 7.4.5 */
	[MCU_EXT_PLAYOUT_DELAY] = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
	[MCU_EXT_DEPENDENCY] =
		"https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
};

const char *mcu_ext_uri(enum mcu_ext ext)
{
	return (unsigned)ext < MCU_EXT_N ? uris[ext] : NULL;
}

int mcu_ext_by_uri(const char *uri)
{
	for (int i = 0; uri && i < MCU_EXT_N; i++) {
		if (!strcmp(uris[i], uri)) {
			return i;
		}
	}
	return -1;
}

/* RFC 8285 4.2: id 0 is padding, id 15 ends the reading. */
static const uint8_t *find_one_byte(const uint8_t *p, const uint8_t *end, uint8_t id, uint8_t *ret_len)
{
	while (p < end) {
		uint8_t got = *p >> 4, len = (uint8_t)((*p & 0x0f) + 1);
		if (!*p) {
			p++;
			continue;
		}
		p++;
		if (got == 15 || len > end - p) {
			return NULL;
		}
		if (got == id) {
			*ret_len = len;
			return p;
		}
		p += len;
	}
	return NULL;
}

/* RFC 8285 4.3 */
static const uint8_t *find_two_bytes(const uint8_t *p, const uint8_t *end, uint8_t id, uint8_t *ret_len)
{
	while (p < end) {
		if (!*p) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] > end - p - 2) {
			return NULL;
		}
		if (*p == id) {
			*ret_len = p[1];
			return p + 2;
		}
		p += 2 + p[1];
	}
	return NULL;
}

const uint8_t *mcu_rtp_ext_find(const struct mcu_rtp *rtp, uint8_t id, uint8_t *ret_len)
{
	if (!rtp->ext || !id) {
		return NULL;
	}
	const uint8_t *end = rtp->ext + rtp->ext_len;
	if (rtp->ext_profile == 0xbede) {
		return find_one_byte(rtp->ext, end, id, ret_len);
	}
	if ((rtp->ext_profile & 0xfff0) == 0x1000) {
		return find_two_bytes(rtp->ext, end, id, ret_len);
	}
	return NULL;
}
