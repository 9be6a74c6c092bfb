/* H.264 in SDP (RFC 6184): profiles, levels, packetization modes, and the fmtp of an answer. */
#include <string.h>

#include "gateway/sdp/sdp_priv.h"

/* RFC 6184 8.1, table 5: the bits of profile-iop that make a profile of profile_idc. */
static const struct { uint8_t idc, mask, iop; char profile; } h264_rows[] = {
	{ 0x42, 0x4f, 0x40, 'C' }, { 0x4d, 0x8f, 0x80, 'C' }, { 0x58, 0xcf, 0xc0, 'C' },	/* constrained baseline */
	{ 0x42, 0x4f, 0x00, 'B' }, { 0x58, 0xcf, 0x80, 'B' },					/* baseline */
	{ 0x4d, 0xaf, 0x00, 'M' }, { 0x58, 0xcf, 0x00, 'E' },
	{ 0x64, 0xff, 0x00, 'H' }, { 0x64, 0xff, 0x0c, 'h' },					/* high, constrained high */
	{ 0x6e, 0xff, 0x00, 'T' }, { 0x7a, 0xff, 0x00, 'U' }, { 0xf4, 0xff, 0x00, 'V' },
};

/* Cisco SX10 writes "profile-level-id=428020profile-level-id=428020" (rtpengine issue 466): the first six digits count. */
unsigned sdp_h264_idc(const char *fmtp)
{
	size_t len = 0;
	const char *text = gw_sdp_fmtp_value(fmtp, "profile-level-id", &len);
	char digits[7] = { 0 };

	if (!text || len < 6) {
		return 0x42000a;	/* absent = baseline, level 1 (8.1) */
	}
	memcpy(digits, text, 6);
	return strspn(digits, "0123456789abcdefABCDEF") == 6 ? (unsigned)g_ascii_strtoull(digits, NULL, 16) : 0x42000a;
}

unsigned sdp_h264_profile(const char *fmtp)
{
	unsigned id = sdp_h264_idc(fmtp);

	for (size_t i = 0; i < G_N_ELEMENTS(h264_rows); i++) {
		if (h264_rows[i].idc == id >> 16 && (id >> 8 & h264_rows[i].mask) == h264_rows[i].iop) {
			return (unsigned)h264_rows[i].profile;
		}
	}
	return 0x100 | id >> 8;
}

char sdp_h264_mode(const char *fmtp)
{
	size_t len = 0;
	const char *text = gw_sdp_fmtp_value(fmtp, "packetization-mode", &len);

	return text && len == 1 ? *text : '0';
}

/* Level 1b is level_idc 11 with constraint_set3 in the profiles below high, else 9. */
unsigned sdp_h264_level(const char *fmtp)
{
	unsigned id = sdp_h264_idc(fmtp), profile = id >> 16, level = id & 0xff;

	return level == 11 && (id >> 8 & 0x10) && profile != 0x64 ? 9 : level;
}

bool sdp_h264_asymmetric(const char *fmtp)
{
	size_t len = 0;
	const char *text = gw_sdp_fmtp_value(fmtp, "level-asymmetry-allowed", &len);

	return text && len == 1 && *text == '1';
}

/* 8.2.2: the answer keeps profile and mode of the offer. The level is ours where both allow levels to differ, else the
 * lower one. */
char *sdp_h264_answer(const char *offered, const char *ours)
{
	unsigned id = sdp_h264_idc(offered), level = sdp_h264_idc(ours) & 0xff;
	bool asymmetric = sdp_h264_asymmetric(offered);

	if (!asymmetric && (id & 0xff) < level) {
		level = id & 0xff;
	}
	return g_strdup_printf("profile-level-id=%06x;packetization-mode=%c%s", (id & 0xffff00) | level, sdp_h264_mode(offered),
			       asymmetric ? ";level-asymmetry-allowed=1" : "");
}

/* An answer may name another profile than the offer did under that type (baresip 1.0 answers 42e01f to 640028): it is what
 * the peer sends. */
char *sdp_h264_received(const char *ours, const char *answered)
{
	unsigned id = sdp_h264_idc(answered);

	if (sdp_h264_profile(answered) == sdp_h264_profile(ours)) {
		return g_strdup(ours);
	}
	return g_strdup_printf("profile-level-id=%06x;packetization-mode=%c%s", (id & 0xffff00) | (sdp_h264_idc(ours) & 0xff),
			       sdp_h264_mode(ours), sdp_h264_asymmetric(ours) ? ";level-asymmetry-allowed=1" : "");
}

/* What baseline has beyond constrained baseline (FMO, ASO, redundant slices) no encoder of a room makes. */
char *gw_sdp_h264_constrained(const char *fmtp)
{
	if (sdp_h264_profile(fmtp) != 'B') {
		return g_strdup(fmtp);
	}
	return g_strdup_printf("profile-level-id=42e0%02x;packetization-mode=%c", sdp_h264_idc(fmtp) & 0xff, sdp_h264_mode(fmtp));
}
