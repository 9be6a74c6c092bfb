/* What we offer and take: codecs, security, profiles, rates. Rows; quirks bend them. */
#include <string.h>

#include "gateway/sip/media_state_priv.h"

/* Our receiving side is a mixer that decodes 1080p30 (level 4.0): every profile it reads, the one that browsers take first. */
#define LEVEL_4_0 ";max-fs=8192;max-mbps=245760"
static const struct offer_row {
	enum mcu_codec_id id;
	uint8_t pt;
	const char *fmtp;
	bool extra;	/* not for peers that want one H.264 */
} rows[] = {
	{ MCU_CODEC_OPUS, 111, "minptime=10;useinbandfec=1", false },
	{ MCU_CODEC_G722, 9, NULL, false },
	{ MCU_CODEC_PCMA, 8, NULL, false },
	{ MCU_CODEC_PCMU, 0, NULL, false },
	{ MCU_CODEC_TELEPHONE_EVENT, 101, "0-15", false },
	{ MCU_CODEC_H264, 102, "profile-level-id=42e028;packetization-mode=1;level-asymmetry-allowed=1", false },
	{ MCU_CODEC_H264, 104, "profile-level-id=640028;packetization-mode=1;level-asymmetry-allowed=1", true },
	{ MCU_CODEC_H264, 106, "profile-level-id=42e028;packetization-mode=0;level-asymmetry-allowed=1", true },
	{ MCU_CODEC_VP8, 96, NULL, false },
	{ MCU_CODEC_H265, 103, NULL, false },
};

bool media_quirk(const struct sip_media *m, enum sip_quirk_id id)
{
	return (m->conf.quirks & 1u << id) != 0;
}

static void fill(const struct sip_media *m, const struct offer_row *row, struct mcu_codec_use *use)
{
	const struct mcu_codec_row *codec = &mcu_codecs[row->id];
	bool more = row->id == MCU_CODEC_H264 && media_quirk(m, SIP_QUIRK_MAX_FS), video = codec->kind == 'V';

	*use = (struct mcu_codec_use){ .name = g_strdup(codec->name), .pt = row->pt, .clock_hz = codec->clock_hz,
				       .channels = codec->channels, .nack = video, .pli = video, .fir = video };
	use->fmtp = row->fmtp ? g_strconcat(row->fmtp, more ? LEVEL_4_0 : NULL, NULL) : NULL;
}

void media_codecs(const struct sip_media *m, enum mcu_kind kind, struct ort_json_array *ret)
{
	struct mcu_codec_use *uses = g_new0(struct mcu_codec_use, G_N_ELEMENTS(rows));
	size_t n = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if ((mcu_codecs[rows[i].id].kind == 'V') == (kind == MCU_VIDEO) &&
		    !(rows[i].extra && media_quirk(m, SIP_QUIRK_ONE_H264))) {
			fill(m, &rows[i], &uses[n++]);
		}
	}
	*ret = (struct ort_json_array){ uses, n };
}

/* Old rooms send 384 kbit/s to who says nothing. */
#define VIDEO_BPS 4000000
#define SOUND_BPS 64000
int64_t media_bps(const struct sip_media *m, enum mcu_kind kind)
{
	if (kind == MCU_AUDIO) {
		return 0;
	}
	return m->conf.max_bps > 2 * SOUND_BPS ? m->conf.max_bps - SOUND_BPS : VIDEO_BPS;
}

/* ---- security ---- */

static const char *const words[] = { [GW_SDP_NO_KEYS] = "none", [GW_SDP_SDES] = "sdes", [GW_SDP_DTLS] = "dtls" };

bool media_may(const struct sip_media *m, enum gw_sdp_security security, const char **ret_why)
{
	const char *why = NULL;

	if (m->security && strcmp(m->security, words[security]) != 0) {
		why = "another security is configured";
	} else if (security == GW_SDP_SDES && !m->conf.secure_signalling) {
		why = "SDES keys outside of TLS";
	} else if (security == GW_SDP_NO_KEYS && !m->conf.zone->plain_rtp) {
		why = "plain RTP is not allowed in this zone";
	}
	if (ret_why && why) {
		*ret_why = why;
	}
	return why == NULL;
}

/* A first offer says one of them; 488 brings the next. Where signalling is secret, keys first. ICE has keys by DTLS. */
static enum gw_sdp_security nth_security(const struct sip_media *m, unsigned nth, bool *ret_found)
{
	static const enum gw_sdp_security open_order[] = { GW_SDP_NO_KEYS, GW_SDP_DTLS, GW_SDP_SDES };
	static const enum gw_sdp_security secret_order[] = { GW_SDP_SDES, GW_SDP_DTLS, GW_SDP_NO_KEYS };
	const enum gw_sdp_security *order = m->conf.secure_signalling ? secret_order : open_order;

	*ret_found = true;
	for (unsigned i = 0; i < 3; i++) {
		if (media_may(m, order[i], NULL) && (!m->conf.ice || order[i] == GW_SDP_DTLS) && nth-- == 0) {
			return order[i];
		}
	}
	*ret_found = false;
	return GW_SDP_DTLS;
}

enum gw_sdp_security media_offer_security(const struct sip_media *m)
{
	bool found;

	return nth_security(m, m->offer_at, &found);
}

bool sip_media_retry(struct sip_media *m)
{
	bool found;

	(void)nth_security(m, m->offer_at + 1, &found);
	m->offer_at += found && m->n_agreed == 0;
	return found && m->n_agreed == 0;
}

const char *media_proto(const struct sip_media *m, enum gw_sdp_security security)
{
	bool f = media_quirk(m, SIP_QUIRK_AVPF);

	switch (security) {
	case GW_SDP_NO_KEYS:
		return f ? "RTP/AVPF" : "RTP/AVP";
	case GW_SDP_SDES:
		return f ? "RTP/SAVPF" : "RTP/SAVP";
	case GW_SDP_DTLS:
		return media_quirk(m, SIP_QUIRK_DTLS_SAVP) ? "UDP/TLS/RTP/SAVP" : "UDP/TLS/RTP/SAVPF";
	}
	g_assert_not_reached();
}
