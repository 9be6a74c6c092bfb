/* Offer + plans -> answer (RFC 3264, RFC 9429 5.3.1, RFC 8843). First each m-line is agreed or rejected, then the answer is
 * written from what was agreed: nothing is decided while writing. */
#include <errno.h>
#include <string.h>

#include "gateway/sdp/sdp_priv.h"

/* Profiles that we can carry, and what they demand of our side. */
static const struct proto_row { const char *name; bool dtls; } protos[] = {
	{ "UDP/TLS/RTP/SAVPF", true }, { "UDP/TLS/RTP/SAVP", true }, { "TCP/DTLS/RTP/SAVPF", true },
	{ "RTP/SAVPF", true },	       { "RTP/AVPF", false },	     { "RTP/AVP", false },
};

static const struct proto_row *find_proto(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(protos); i++) {
		if (g_ascii_strcasecmp(protos[i].name, name) == 0) {
			return &protos[i];
		}
	}
	return NULL;
}

/* ---- codecs ---- */

static const char *row_fmtp(const char *name)
{
	int id = mcu_codec_by_name(name);
	return id >= 0 ? mcu_codecs[id].fmtp : "";
}

/* The fmtp that we answer with: the plan's, else the codec row's. */
static const char *our_fmtp(const struct mcu_codec_use *allowed)
{
	return allowed->fmtp ? allowed->fmtp : row_fmtp(allowed->name);
}

static bool is_same_codec(const struct mcu_codec_use *offered, const struct mcu_codec_use *allowed)
{
	if (g_ascii_strcasecmp(offered->name, allowed->name) != 0) {
		return false;
	}
	return mcu_codec_by_name(offered->name) != MCU_CODEC_H264 ||
	       (sdp_h264_profile(offered->fmtp) == sdp_h264_profile(our_fmtp(allowed)) &&
		sdp_h264_mode(offered->fmtp) == sdp_h264_mode(our_fmtp(allowed)));
}

static const struct mcu_codec_use *find_allowed(const struct gw_sdp_plan *plan, const struct mcu_codec_use *offered)
{
	for (size_t i = 0; i < plan->n_codecs; i++) {
		if (is_same_codec(offered, &plan->codecs[i])) {
			return &plan->codecs[i];
		}
	}
	return NULL;
}

/* Cuts an offered codec down to what both do. */
static struct mcu_codec_use agree_codec(const struct mcu_codec_use *o, const struct mcu_codec_use *a, bool rtx)
{
	const char *fmtp = our_fmtp(a);

	return (struct mcu_codec_use){
		.name = g_strdup(a->name), .pt = o->pt, .clock_hz = o->clock_hz, .channels = o->channels,
		.fmtp = *fmtp ? g_strdup(fmtp) : NULL, .rtx_pt = rtx && o->nack && a->nack ? o->rtx_pt : 0,
		.nack = o->nack && a->nack, .pli = o->pli && a->pli, .fir = o->fir && a->fir,
		.remb = o->remb && a->remb, .twcc = o->twcc && a->twcc,
	};
}

/* All of codecs.def but dialled digits, which only who asks for them can use, with the feedback of its kind. Sound wants none but the transport's. */
static size_t every_codec(struct mcu_codec_use *out)
{
	size_t n = 0;

	for (int id = 0; id < MCU_CODEC_N; id++) {
		bool video = mcu_codecs[id].kind == 'V';

		if (id != MCU_CODEC_RTX && id != MCU_CODEC_TELEPHONE_EVENT) {
			out[n++] = (struct mcu_codec_use){ .name = (char *)mcu_codecs[id].name, .nack = video, .pli = video,
							   .fir = video, .remb = video, .twcc = true };
		}
	}
	return n;
}

/* With a plan the order is the plan's, without one the offerer's. */
static void agree_codecs(const struct ort_json_array *offered, const struct gw_sdp_plan *plan, bool rtx, GArray *out)
{
	struct mcu_codec_use every[MCU_CODEC_N];
	struct gw_sdp_plan all = { .codecs = every, .n_codecs = every_codec(every) };
	const struct mcu_codec_use *o = offered->items;

	for (size_t i = 0; !plan->codecs && i < offered->n; i++) {
		const struct mcu_codec_use *a = find_allowed(&all, &o[i]);

		if (a) {
			struct mcu_codec_use use = agree_codec(&o[i], a, rtx);

			g_array_append_val(out, use);
		}
	}
	for (size_t j = 0; plan->codecs && j < plan->n_codecs; j++) {
		for (size_t i = 0; i < offered->n; i++) {
			if (find_allowed(plan, &o[i]) == &plan->codecs[j]) {
				struct mcu_codec_use use = agree_codec(&o[i], &plan->codecs[j], rtx);

				g_array_append_val(out, use);
			}
		}
	}
}

static void take_array(GArray *from, struct ort_json_array *ret)
{
	ret->n = from->len;
	ret->items = g_array_free(from, FALSE);
}

/* Transport-wide numbers and their feedback go together or not at all. */
static void pair_twcc(struct gw_sdp_agreed *agreed)
{
	struct mcu_codec_use *codecs = agreed->codecs.items;
	struct mcu_ext_use *exts = agreed->exts.items;
	size_t at = agreed->exts.n;
	bool wanted = false;

	for (size_t i = 0; i < agreed->exts.n; i++) {
		at = strstr(exts[i].uri, "transport-wide-cc") ? i : at;
	}
	for (size_t i = 0; i < agreed->codecs.n; i++) {
		wanted = wanted || codecs[i].twcc;
		codecs[i].twcc = codecs[i].twcc && at < agreed->exts.n;
	}
	if (!wanted && at < agreed->exts.n) {
		ort_json_clear(&mcu_table_ext_use, &exts[at]);
		memmove(&exts[at], &exts[at + 1], (--agreed->exts.n - at) * sizeof(*exts));
	}
}

/* ---- agreeing ---- */

static const struct mcu_transport_reply *transport_of(const struct gw_sdp_plan *plan, const struct gw_sdp_ours *ours)
{
	return plan->transport ? plan->transport : ours->transport;
}

static const char *why_not(const struct gw_sdp_media *m, const struct gw_sdp_plan *plan)
{
	const struct proto_row *proto = find_proto(m->proto);

	return plan->reject				      ? "not wanted"
	       : m->port == 0 && !m->bundle_only	      ? "the offer has port 0"
	       : m->type != GW_SDP_AUDIO && m->type != GW_SDP_VIDEO ? "neither audio nor video"
	       : !m->is_rtp || !proto			      ? "unknown transport profile"
	       : proto->dtls && !m->rtcp_mux		      ? "no rtcp-mux"
							      : NULL;
}

static void agree_media(const gw_sdp *offer, const struct gw_sdp_media *m, const struct gw_sdp_plan *plan,
			struct gw_sdp_agreed *ret)
{
	GArray *codecs = g_array_new(FALSE, TRUE, sizeof(struct mcu_codec_use));
	struct ort_json_array offered;

	ret->dir = (enum gw_sdp_dir)(plan->dir & sdp_mirrored(gw_sdp_dir(offer, m)));
	gw_sdp_codecs(m, &offered);
	agree_codecs(&offered, plan, (ret->dir & GW_SDP_RECV) || plan->rtx_ssrc > 0, codecs);
	take_array(codecs, &ret->codecs);
	gw_sdp_array_clear(&mcu_table_codec_use, &offered);
	if (ret->codecs.n == 0) {
		ret->why = "no codec in common";
		return;
	}
	ret->accepted = true;
	gw_sdp_exts(offer, m, &ret->exts);
	pair_twcc(ret);
	if (ret->dir & GW_SDP_RECV) {
		if (plan->simulcast) {
			gw_sdp_encodings(m, &ret->encodings);
		} else {
			sdp_single_encoding(m, &ret->encodings);
		}
	}
}

/* Without BUNDLE two m-lines cannot share a transport. */
static bool is_taken(const gw_sdp *offer, const struct gw_sdp_ours *ours, const struct gw_sdp_plan *plans,
		     const struct gw_sdp_agreed *agreed, size_t index)
{
	bool bundled = gw_sdp_is_bundled(offer, &offer->media[index]);

	for (size_t i = 0; i < index; i++) {
		if (agreed[i].accepted && transport_of(&plans[i], ours) == transport_of(&plans[index], ours) &&
		    !(bundled && gw_sdp_is_bundled(offer, &offer->media[i]))) {
			return true;
		}
	}
	return false;
}

static void agree(const gw_sdp *offer, const struct gw_sdp_ours *ours, const struct gw_sdp_plan *plans,
		  const struct gw_sdp_plan *plan, struct gw_sdp_agreed *agreed, size_t index)
{
	const struct gw_sdp_media *m = &offer->media[index];
	struct gw_sdp_agreed *ret = &agreed[index];

	*ret = (struct gw_sdp_agreed){ .mid = m->mid, .content = gw_sdp_content(m),
				       .kind = m->type == GW_SDP_VIDEO ? MCU_VIDEO : MCU_AUDIO };
	ret->why = why_not(m, plan);
	if (!ret->why && is_taken(offer, ours, plans, agreed, index)) {
		ret->why = "outside of the BUNDLE";
	}
	if (!ret->why) {
		agree_media(offer, m, plan, ret);
	}
}

/* Chromium with max-bundle refuses an answer that rejects the m-line which carries the offered BUNDLE while others ride on
 * it ("Failed to setup RTCP mux", Chromium 156): such a line is answered inactive when a codec is there. */
static void keep_tagged(const gw_sdp *offer, const struct gw_sdp_ours *ours, const struct gw_sdp_plan *plans,
			struct gw_sdp_agreed *agreed)
{
	for (size_t i = 0; i < offer->n_groups; i++) {
		const char **mids = offer->groups[i].mids;
		int tagged = mids ? gw_sdp_find_mid(offer, mids[0]) : -1;
		bool used = false;

		for (const char **mid = mids; mid && *mid && strcmp(offer->groups[i].semantics, "BUNDLE") == 0; mid++) {
			int index = gw_sdp_find_mid(offer, *mid);

			used = used || (index >= 0 && agreed[index].accepted);
		}
		if (used && tagged >= 0 && !agreed[tagged].accepted && plans[tagged].reject) {
			struct gw_sdp_plan resting = plans[tagged];

			resting.reject = false;
			resting.dir = GW_SDP_INACTIVE;
			agree(offer, ours, plans, &resting, agreed, (size_t)tagged);
		}
	}
}

/* ---- writing ---- */

void sdp_put_candidates(gw_sdp *sdp, struct gw_sdp_media *m, const struct ort_json_array *candidates)
{
	const struct mcu_candidate_use *use = candidates->items;

	for (size_t i = 0; i < candidates->n; i++) {
		struct gw_sdp_candidate *c = SDP_APPEND(m->candidates, m->n_candidates);

		*c = (struct gw_sdp_candidate){ .foundation = gw_sdp_str(sdp, use[i].foundation), .component = 1,
						.protocol = gw_sdp_str(sdp, use[i].protocol),
						.priority = (uint32_t)use[i].priority, .ip = gw_sdp_str(sdp, use[i].ip),
						.port = (unsigned)use[i].port, .type = gw_sdp_str(sdp, use[i].type),
						.tcptype = gw_sdp_str(sdp, use[i].tcptype) };
	}
	m->end_of_candidates = candidates->n > 0;
}

void sdp_put_fingerprint(gw_sdp *sdp, struct gw_sdp_media *m, const char *text)
{
	const char *blank = strchr(text, ' ');
	struct gw_sdp_fingerprint *f = SDP_APPEND(m->level.fingerprints, m->level.n_fingerprints);

	f->hash = blank ? sdp_str_len(sdp, text, (size_t)(blank - text)) : "sha-256";
	f->value = gw_sdp_str(sdp, blank ? blank + 1 : text);
}

/* RFC 5763: the answerer chooses; passive lets the peer begin as soon as it has the answer. */
static enum gw_sdp_setup our_setup(const gw_sdp *offer, const struct gw_sdp_media *m, const struct gw_sdp_ours *ours)
{
	enum gw_sdp_setup theirs = m->level.setup ? m->level.setup : offer->level.setup;

	if (theirs == GW_SDP_PASSIVE || theirs == GW_SDP_ACTIVE) {
		return theirs == GW_SDP_PASSIVE ? GW_SDP_ACTIVE : GW_SDP_PASSIVE;
	}
	return ours->setup ? ours->setup : GW_SDP_PASSIVE;
}

/* ICE and DTLS stand in every m-line: RFC 8843 wants them in the first of the BUNDLE only, browsers write and read them in
 * all. Candidates stand once. */
static void put_transport(const gw_sdp *offer, const struct gw_sdp_media *o, const struct gw_sdp_ours *ours,
			  const struct mcu_transport_reply *t, bool tagged, gw_sdp *sdp, struct gw_sdp_media *m)
{
	const struct mcu_candidate_use *first = t->candidates.items;

	m->port = 9;
	m->level.conn = "IN IP4 0.0.0.0";
	m->level.ice_ufrag = gw_sdp_str(sdp, t->ice_ufrag);
	m->level.ice_pwd = gw_sdp_str(sdp, t->ice_pwd);
	if (t->fingerprint && find_proto(o->proto)->dtls) {
		sdp_put_fingerprint(sdp, m, t->fingerprint);
		m->level.setup = our_setup(offer, o, ours);
	}
	if (tagged) {
		sdp_put_candidates(sdp, m, &t->candidates);
	}
	if (!t->ice_ufrag && first) {	/* no ICE: the address is all there is */
		g_autofree char *conn = g_strdup_printf("IN %s %s", strchr(first->ip, ':') ? "IP6" : "IP4", first->ip);

		m->port = (unsigned)first->port;
		m->level.conn = gw_sdp_str(sdp, conn);
		m->n_candidates = 0;
		m->end_of_candidates = false;
	}
}

static void put_ssrc(gw_sdp *sdp, struct gw_sdp_media *m, uint32_t ssrc, const char *cname, const char *msid)
{
	struct gw_sdp_ssrc *row = SDP_APPEND(m->ssrcs, m->n_ssrcs);

	row->ssrc = ssrc;
	*SDP_APPEND(row->attrs, row->n_attrs) = (struct gw_sdp_attr){ "cname", gw_sdp_str(sdp, cname ? cname : "ortoo") };
	*SDP_APPEND(row->attrs, row->n_attrs) = (struct gw_sdp_attr){ "msid", msid };
}

static bool has_rtx(const struct ort_json_array *codecs)
{
	const struct mcu_codec_use *use = codecs->items;

	for (size_t i = 0; i < codecs->n; i++) {
		if (use[i].rtx_pt > 0) {
			return true;
		}
	}
	return false;
}

/* Without an rtx codec no FID group: Chromium refuses the whole answer for one in an audio m-line. */
static void put_sent(const struct gw_sdp_plan *plan, bool rtx, const char *cname, gw_sdp *sdp, struct gw_sdp_media *m)
{
	g_autofree char *text = g_strdup_printf("%s %s", plan->stream ? plan->stream : "-",
						plan->track ? plan->track : m->mid ? m->mid : "-");
	const char *msid = gw_sdp_str(sdp, text);

	sdp_strv_append(&m->msids, msid);
	if (plan->ssrc) {
		put_ssrc(sdp, m, plan->ssrc, cname, msid);
	}
	if (plan->ssrc && plan->rtx_ssrc && rtx) {
		struct gw_sdp_ssrc_group *group = SDP_APPEND(m->ssrc_groups, m->n_ssrc_groups);

		put_ssrc(sdp, m, plan->rtx_ssrc, cname, msid);
		group->semantics = "FID";
		*SDP_APPEND(group->ssrcs, group->n_ssrcs) = plan->ssrc;
		*SDP_APPEND(group->ssrcs, group->n_ssrcs) = plan->rtx_ssrc;
	}
}

static void put_simulcast(const struct ort_json_array *encodings, gw_sdp *sdp, struct gw_sdp_media *m)
{
	const struct mcu_encoding *e = encodings->items;
	GString *list = g_string_new("recv ");

	for (size_t i = 0; i < encodings->n && e[i].rid; i++) {
		struct gw_sdp_rid *rid = SDP_APPEND(m->rids, m->n_rids);

		rid->id = gw_sdp_str(sdp, e[i].rid);
		rid->dir = GW_SDP_RECV;
		g_string_append_printf(list, i > 0 ? ";%s" : "%s", e[i].rid);
	}
	m->simulcast = m->n_rids > 0 ? gw_sdp_str(sdp, list->str) : NULL;
	g_string_free(list, TRUE);
}

/* RFC 3264 6: a rejected m-line keeps its place, port 0, and a format of the offer. */
static void put_rejected(const struct gw_sdp_media *o, gw_sdp *sdp, struct gw_sdp_media *m)
{
	m->level.conn = "IN IP4 0.0.0.0";
	for (size_t i = 0; i < o->n_codecs; i++) {
		SDP_APPEND(m->codecs, m->n_codecs)->pt = o->codecs[i].pt;
	}
	for (const char **f = o->formats; f && *f; f++) {
		sdp_strv_append(&m->formats, gw_sdp_str(sdp, *f));
	}
}

static void put_accepted(const struct gw_sdp_media *o, const struct gw_sdp_plan *plan, const struct gw_sdp_agreed *agreed,
			 const char *cname, gw_sdp *sdp, struct gw_sdp_media *m)
{
	const struct mcu_codec_use *codecs = agreed->codecs.items;
	const struct mcu_ext_use *exts = agreed->exts.items;

	m->level.dir = agreed->dir;
	m->rtcp_mux = o->rtcp_mux;
	m->rtcp_rsize = o->rtcp_rsize && o->type == GW_SDP_VIDEO;
	m->level.extmap_allow_mixed = o->level.extmap_allow_mixed;
	m->content = gw_sdp_str(sdp, o->content);
	m->label = gw_sdp_str(sdp, o->label);
	for (size_t i = 0; i < agreed->codecs.n; i++) {
		sdp_put_codec(sdp, m, &codecs[i]);
	}
	for (size_t i = 0; i < agreed->exts.n; i++) {
		struct gw_sdp_ext *ext = SDP_APPEND(m->level.exts, m->level.n_exts);

		*ext = (struct gw_sdp_ext){ (unsigned)exts[i].id, GW_SDP_SENDRECV, gw_sdp_str(sdp, exts[i].uri), NULL };
	}
	if (agreed->dir & GW_SDP_SEND) {
		put_sent(plan, has_rtx(&agreed->codecs), cname, sdp, m);
	}
	put_simulcast(&agreed->encodings, sdp, m);
}

/* RFC 8843 7.3.3: the accepted m-lines of each offered BUNDLE, in the offer's order; the first carries the transport. */
static void put_groups(const gw_sdp *offer, const struct gw_sdp_agreed *agreed, gw_sdp *sdp)
{
	for (size_t i = 0; i < offer->n_groups; i++) {
		struct gw_sdp_group *group = NULL;

		for (const char **mid = offer->groups[i].mids; mid && *mid; mid++) {
			int index = gw_sdp_find_mid(offer, *mid);

			if (strcmp(offer->groups[i].semantics, "BUNDLE") != 0 || index < 0 || !agreed[index].accepted) {
				continue;
			}
			if (!group) {
				group = SDP_APPEND(sdp->groups, sdp->n_groups);
				group->semantics = "BUNDLE";
			}
			sdp_strv_append(&group->mids, gw_sdp_str(sdp, *mid));
		}
	}
}

static bool is_tagged(const gw_sdp *sdp, const struct gw_sdp_media *m)
{
	for (size_t i = 0; i < sdp->n_groups; i++) {
		if (m->mid && strcmp(sdp->groups[i].mids[0], m->mid) == 0) {
			return true;
		}
	}
	return !gw_sdp_is_bundled(sdp, m);
}

static void put_media(const gw_sdp *offer, const struct gw_sdp_ours *ours, const struct gw_sdp_plan *plan,
		      const struct gw_sdp_agreed *agreed, const struct gw_sdp_media *o, gw_sdp *sdp)
{
	struct gw_sdp_media *m = SDP_APPEND(sdp->media, sdp->n_media);

	m->type = o->type;
	m->type_name = gw_sdp_str(sdp, o->type_name);
	m->proto = gw_sdp_str(sdp, o->proto);
	m->mid = gw_sdp_str(sdp, o->mid);
	m->n_ports = 1;
	m->is_rtp = o->is_rtp;
	m->level.has_dir = true;
	if (!agreed->accepted) {
		put_rejected(o, sdp, m);
		return;
	}
	put_transport(offer, o, ours, transport_of(plan, ours), is_tagged(sdp, m), sdp, m);
	put_accepted(o, plan, agreed, ours->cname, sdp, m);
}

static gw_sdp *write_answer(const gw_sdp *offer, const struct gw_sdp_ours *ours, const struct gw_sdp_plan *plans,
			    const struct gw_sdp_agreed *agreed)
{
	gw_sdp *sdp = gw_sdp_new();
	g_autofree char *origin = g_strdup_printf("- %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " IN IP4 127.0.0.1",
						  ours->session_id, ours->version);

	sdp->origin = gw_sdp_str(sdp, origin);
	sdp->name = "-";
	sdp->time = "0 0";
	sdp->ice_lite = ours->transport->ice_lite;
	sdp->level.extmap_allow_mixed = offer->level.extmap_allow_mixed;
	put_groups(offer, agreed, sdp);
	for (size_t i = 0; i < offer->n_media; i++) {
		put_media(offer, ours, &plans[i], &agreed[i], &offer->media[i], sdp);
	}
	return sdp;
}

int gw_sdp_answer(const gw_sdp *offer, const struct gw_sdp_ours *ours, const struct gw_sdp_plan *plans, size_t n,
		  struct gw_sdp_agreed *agreed, gw_sdp **ret_answer, char **ret_why)
{
	memset(agreed, 0, n * sizeof(*agreed));
	g_assert(n == offer->n_media);
	for (size_t i = 0; i < n; i++) {
		if (offer->media[i].mid && gw_sdp_find_mid(offer, offer->media[i].mid) != (int)i) {
			if (ret_why) {
				*ret_why = g_strdup_printf("two m-lines have the mid %s", offer->media[i].mid);
			}
			return -EINVAL;
		}
	}
	for (size_t i = 0; i < n; i++) {
		agree(offer, ours, plans, &plans[i], agreed, i);
	}
	keep_tagged(offer, ours, plans, agreed);
	*ret_answer = write_answer(offer, ours, plans, agreed);
	return 0;
}

void gw_sdp_agreed_clear(struct gw_sdp_agreed *agreed, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		gw_sdp_array_clear(&mcu_table_codec_use, &agreed[i].codecs);
		gw_sdp_array_clear(&mcu_table_ext_use, &agreed[i].exts);
		gw_sdp_array_clear(&mcu_table_encoding, &agreed[i].encodings);
		gw_sdp_array_clear(&mcu_table_codec_use, &agreed[i].sends);
		agreed[i] = (struct gw_sdp_agreed){ 0 };
	}
}

void gw_sdp_agreed_exts(const struct gw_sdp_agreed *agreed, size_t n, struct ort_json_array *ret)
{
	GArray *out = g_array_new(FALSE, TRUE, sizeof(struct mcu_ext_use));

	for (size_t i = 0; i < n; i++) {
		const struct mcu_ext_use *exts = agreed[i].exts.items;

		for (size_t j = 0; j < agreed[i].exts.n; j++) {
			bool have = false;

			for (guint k = 0; k < out->len && !have; k++) {
				have = g_array_index(out, struct mcu_ext_use, k).id == exts[j].id;
			}
			if (!have) {
				struct mcu_ext_use use = { g_strdup(exts[j].uri), exts[j].id };

				g_array_append_val(out, use);
			}
		}
	}
	take_array(out, ret);
}
