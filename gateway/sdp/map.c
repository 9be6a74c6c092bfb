/* SDP <-> the media description of the control protocol. Knows codecs.def and the header extensions, no BUNDLE rules. */
#include <errno.h>
#include <string.h>

#include "gateway/sdp/sdp_priv.h"

/* Feedback that the control protocol can say, by the words of RFC 4585, RFC 5104 and the drafts. */
static const struct { const char *words; size_t offset; } fb_rows[] = {
	{ "nack", offsetof(struct mcu_codec_use, nack) },
	{ "nack pli", offsetof(struct mcu_codec_use, pli) },
	{ "ccm fir", offsetof(struct mcu_codec_use, fir) },
	{ "goog-remb", offsetof(struct mcu_codec_use, remb) },
	{ "transport-cc", offsetof(struct mcu_codec_use, twcc) },
};

void gw_sdp_array_clear(const struct ort_json_table *row, struct ort_json_array *array)
{
	for (size_t i = 0; i < array->n; i++) {
		ort_json_clear(row, (char *)array->items + i * row->size);
	}
	g_free(array->items);
	*array = (struct ort_json_array){ 0 };
}

enum mcu_content gw_sdp_content(const struct gw_sdp_media *m)
{
	return m->content && strstr(m->content, "slides") ? MCU_CONTENT_SLIDES : MCU_CONTENT_MAIN;
}

/* -1: not of codecs.def, or another clock, channels or kind under the same name. */
int sdp_known_codec(const struct gw_sdp_media *m, const struct gw_sdp_codec *c)
{
	int id = c->name ? mcu_codec_by_name(c->name) : -1;
	const struct mcu_codec_row *row = id >= 0 ? &mcu_codecs[id] : NULL;
	unsigned channels = c->channels ? c->channels : 1;

	if (!row || id == MCU_CODEC_RTX || row->clock_hz != c->clock_hz ||
	    (row->kind == 'A' && row->channels != channels) || (row->kind == 'A') != (m->type == GW_SDP_AUDIO)) {
		return -1;
	}
	return id;
}

static unsigned rtx_of(const struct gw_sdp_media *m, unsigned pt)
{
	for (size_t i = 0; i < m->n_codecs; i++) {
		const struct gw_sdp_codec *c = &m->codecs[i];
		size_t len;
		const char *apt = c->name && g_ascii_strcasecmp(c->name, "rtx") == 0 ?
					  gw_sdp_fmtp_value(c->fmtp, "apt", &len) : NULL;

		if (apt && len < 4 && (unsigned)g_ascii_strtoull(apt, NULL, 10) == pt) {
			return c->pt;
		}
	}
	return 0;
}

void sdp_use_codec(const struct gw_sdp_media *m, const struct gw_sdp_codec *c, int id, struct mcu_codec_use *use)
{
	use->name = g_strdup(mcu_codecs[id].name);
	use->pt = c->pt;
	use->clock_hz = c->clock_hz;
	use->channels = mcu_codecs[id].channels;
	use->fmtp = g_strdup(c->fmtp);
	use->rtx_pt = rtx_of(m, c->pt);
	for (size_t i = 0; c->fb && i < G_N_ELEMENTS(fb_rows); i++) {
		*(bool *)((char *)use + fb_rows[i].offset) = g_strv_contains(c->fb, fb_rows[i].words);
	}
}

void gw_sdp_codecs(const struct gw_sdp_media *m, struct ort_json_array *ret)
{
	struct mcu_codec_use *uses = g_new0(struct mcu_codec_use, m->n_codecs + 1);
	size_t n = 0;

	for (size_t i = 0; i < m->n_codecs; i++) {
		int id = sdp_known_codec(m, &m->codecs[i]);

		if (id >= 0) {
			sdp_use_codec(m, &m->codecs[i], id, &uses[n++]);
		}
	}
	*ret = (struct ort_json_array){ uses, n };
}

void sdp_put_codec(gw_sdp *sdp, struct gw_sdp_media *m, const struct mcu_codec_use *use)
{
	struct gw_sdp_codec *c = SDP_APPEND(m->codecs, m->n_codecs);

	*c = (struct gw_sdp_codec){ .pt = (unsigned)use->pt, .name = gw_sdp_str(sdp, use->name),
				    .clock_hz = (uint32_t)use->clock_hz, .fmtp = gw_sdp_str(sdp, use->fmtp) };
	c->channels = use->channels > 1 ? (unsigned)use->channels : 0;
	for (size_t i = 0; i < G_N_ELEMENTS(fb_rows); i++) {
		if (*(const bool *)((const char *)use + fb_rows[i].offset)) {
			sdp_strv_append(&c->fb, fb_rows[i].words);
		}
	}
	if (use->rtx_pt > 0) {
		g_autofree char *apt = g_strdup_printf("apt=%u", (unsigned)use->pt);
		struct gw_sdp_codec *rtx = SDP_APPEND(m->codecs, m->n_codecs);

		*rtx = (struct gw_sdp_codec){ .pt = (unsigned)use->rtx_pt, .name = "rtx",
					      .clock_hz = (uint32_t)use->clock_hz, .fmtp = gw_sdp_str(sdp, apt) };
	}
}

/* ---- header extensions ---- */

static const struct { const char *uri; bool audio, video; } ext_rows[] = {
	{ "urn:ietf:params:rtp-hdrext:sdes:mid", true, true },
	{ "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", false, true },
	{ "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", false, true },
	{ "urn:ietf:params:rtp-hdrext:ssrc-audio-level", true, false },
	{ "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", true, true },
	{ "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", true, true },
	{ "urn:3gpp:video-orientation", false, true },
	{ "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay", false, true },
};

static bool is_known_ext(const struct gw_sdp_ext *e, enum gw_sdp_type type)
{
	for (size_t i = 0; i < G_N_ELEMENTS(ext_rows); i++) {
		if (strcmp(ext_rows[i].uri, e->uri) == 0) {
			return type == GW_SDP_AUDIO ? ext_rows[i].audio : type == GW_SDP_VIDEO && ext_rows[i].video;
		}
	}
	return false;
}

static void add_exts(const struct gw_sdp_level *level, enum gw_sdp_type type, GArray *out)
{
	for (size_t i = 0; i < level->n_exts; i++) {
		const struct gw_sdp_ext *e = &level->exts[i];
		bool taken = e->id > 255 || e->dir == GW_SDP_INACTIVE || !is_known_ext(e, type);

		for (guint j = 0; j < out->len && !taken; j++) {
			const struct mcu_ext_use *have = &g_array_index(out, struct mcu_ext_use, j);

			taken = have->id == e->id || strcmp(have->uri, e->uri) == 0;
		}
		if (!taken) {
			struct mcu_ext_use use = { g_strdup(e->uri), e->id };

			g_array_append_val(out, use);
		}
	}
}

static void take_array(GArray *from, struct ort_json_array *ret)
{
	ret->n = from->len;
	ret->items = g_array_free(from, FALSE);
}

void gw_sdp_exts(const gw_sdp *sdp, const struct gw_sdp_media *m, struct ort_json_array *ret)
{
	GArray *out = g_array_new(FALSE, TRUE, sizeof(struct mcu_ext_use));

	add_exts(&m->level, m->type, out);
	add_exts(&sdp->level, m->type, out);
	take_array(out, ret);
}

/* ---- what the peer sends ---- */

/* The list behind "send " of a=simulcast (RFC 8853): "hi,~alt;lo". Each layer's first alternative, without '~'. */
char **sdp_simulcast_rids(const struct gw_sdp_media *m, const char *dir)
{
	g_auto(GStrv) words = g_strsplit(m->simulcast ? m->simulcast : "", " ", -1);
	char **layers = NULL;

	for (char **w = words; *w && w[1] && !layers; w++) {
		if (strcmp(*w, dir) == 0) {
			layers = g_strsplit(w[1], ";", -1);
		}
	}
	for (char **l = layers, **to = layers; l && *l; l++) {
		char *layer = *l, *rid = g_strdup(*layer == '~' ? layer + 1 : layer);

		rid[strcspn(rid, ",")] = '\0';
		*l = NULL;
		g_free(layer);
		if (*rid) {
			*to++ = rid;
		} else {
			g_free(rid);
		}
	}
	return layers;
}

static int64_t fid_partner(const struct gw_sdp_media *m, uint32_t ssrc)
{
	for (size_t i = 0; i < m->n_ssrc_groups; i++) {
		const struct gw_sdp_ssrc_group *g = &m->ssrc_groups[i];

		if (strcmp(g->semantics, "FID") == 0 && g->n_ssrcs == 2 && g->ssrcs[0] == ssrc) {
			return g->ssrcs[1];
		}
	}
	return 0;
}

void sdp_single_encoding(const struct gw_sdp_media *m, struct ort_json_array *ret)
{
	struct mcu_encoding *e = g_new0(struct mcu_encoding, 1);

	if (m->n_ssrcs > 0) {
		e->ssrc = m->ssrcs[0].ssrc;
		e->rtx_ssrc = fid_partner(m, m->ssrcs[0].ssrc);
	}
	*ret = (struct ort_json_array){ e, 1 };
}

void gw_sdp_encodings(const struct gw_sdp_media *m, struct ort_json_array *ret)
{
	g_auto(GStrv) rids = sdp_simulcast_rids(m, "send");
	size_t n = rids ? g_strv_length(rids) : 0;
	struct mcu_encoding *e;

	if (n == 0) {
		sdp_single_encoding(m, ret);
		return;
	}
	e = g_new0(struct mcu_encoding, n);
	for (size_t i = 0; i < n; i++) {
		e[i].rid = g_strdup(rids[i]);
	}
	*ret = (struct ort_json_array){ e, n };
}

/* ---- the peer's transport ---- */

const char *sdp_sha256_of(const struct gw_sdp_level *level)
{
	for (size_t i = 0; i < level->n_fingerprints; i++) {
		if (g_ascii_strcasecmp(level->fingerprints[i].hash, "sha-256") == 0) {
			return level->fingerprints[i].value;
		}
	}
	return NULL;
}

/* RFC 8843 7.3: the transport of a BUNDLE is that of its first m-line that is not rejected. */
static const struct gw_sdp_media *transport_media(const gw_sdp *sdp)
{
	const struct gw_sdp_media *first = NULL;

	for (size_t i = 0; i < sdp->n_groups; i++) {
		for (const char **mid = sdp->groups[i].mids; mid && *mid && strcmp(sdp->groups[i].semantics, "BUNDLE") == 0;
		     mid++) {
			int index = gw_sdp_find_mid(sdp, *mid);

			if (index >= 0 && sdp->media[index].port > 0) {
				return &sdp->media[index];
			}
		}
	}
	for (size_t i = 0; i < sdp->n_media && !first; i++) {
		first = sdp->media[i].port > 0 ? &sdp->media[i] : NULL;
	}
	return first;
}

int gw_sdp_remote(const gw_sdp *sdp, struct mcu_transport_connect *req, char **ret_why)
{
	static const struct gw_sdp_media none;
	const struct gw_sdp_media *m = transport_media(sdp);
	const struct gw_sdp_level *own = m ? &m->level : &none.level, *all = &sdp->level;
	const char *ufrag = own->ice_ufrag ? own->ice_ufrag : all->ice_ufrag;
	const char *pwd = own->ice_pwd ? own->ice_pwd : all->ice_pwd;
	const char *fingerprint = own->n_fingerprints > 0 ? sdp_sha256_of(own) : sdp_sha256_of(all);
	const char *why = !m ? "every m-line is rejected" : !ufrag || !pwd ? "no ICE user fragment and password" :
			  !fingerprint ? "no SHA-256 fingerprint" : NULL;

	if (why) {
		if (ret_why) {
			*ret_why = g_strdup(why);
		}
		return -EINVAL;
	}
	req->ice_ufrag = g_strdup(ufrag);
	req->ice_pwd = g_strdup(pwd);
	req->fingerprint = g_strdup(fingerprint);
	req->dtls_client = (own->setup ? own->setup : all->setup) == GW_SDP_PASSIVE;
	return 0;
}
