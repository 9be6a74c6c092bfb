/* Our m-lines -> an SDP session: offers, and answers in which each m-line has a transport of its own. Nothing is decided
 * here. */
#include <errno.h>
#include <string.h>

#include "gateway/sdp/sdp_priv.h"

static const char *conn_of(gw_sdp *sdp, const char *ip)
{
	g_autofree char *text = g_strdup_printf("IN %s %s", strchr(ip, ':') ? "IP6" : "IP4", ip);

	return gw_sdp_str(sdp, text);
}

static void put_attr(gw_sdp *sdp, struct gw_sdp_media *m, const char *name, const char *value)
{
	struct gw_sdp_attr *a = SDP_APPEND(m->level.attrs, m->level.n_attrs);

	a->name = name;
	a->value = gw_sdp_str(sdp, value);
}

/* RFC 3264 6: a rejected m-line keeps its place, port 0, and a format of the offer. */
static void put_rejected(const struct gw_sdp_media *o, gw_sdp *sdp, struct gw_sdp_media *m)
{
	m->level.conn = "IN IP4 0.0.0.0";
	for (size_t i = 0; o && i < o->n_codecs; i++) {
		SDP_APPEND(m->codecs, m->n_codecs)->pt = o->codecs[i].pt;
	}
	for (const char **f = o ? o->formats : NULL; f && *f; f++) {
		sdp_strv_append(&m->formats, gw_sdp_str(sdp, *f));
	}
	if (!m->n_codecs && !m->formats) {	/* ours, given up */
		sdp_strv_append(&m->formats, m->type == GW_SDP_APPLICATION ? "*" : "0");
	}
	m->is_rtp = m->n_codecs > 0;
}

static void put_bandwidth(struct gw_sdp_level *level, int64_t bps, bool tias)
{
	if (bps > 0) {
		*SDP_APPEND(level->bandwidths, level->n_bandwidths) =
			(struct gw_sdp_bandwidth){ "AS", (uint64_t)(bps + 999) / 1000 };
	}
	if (bps > 0 && tias) {
		*SDP_APPEND(level->bandwidths, level->n_bandwidths) = (struct gw_sdp_bandwidth){ "TIAS", (uint64_t)bps };
	}
}

static void put_transport(const struct gw_sdp_line *line, gw_sdp *sdp, struct gw_sdp_media *m)
{
	const struct mcu_transport_reply *t = line->transport;
	const struct mcu_candidate_use *first = t->candidates.n > 0 ? t->candidates.items : NULL;

	m->port = first ? (unsigned)first->port : 9;
	m->level.conn = first && first->ip ? conn_of(sdp, first->ip) : "IN IP4 0.0.0.0";
	m->rtcp_mux = line->rtcp_mux;
	if (t->ice_ufrag) {
		m->level.ice_ufrag = gw_sdp_str(sdp, t->ice_ufrag);
		m->level.ice_pwd = gw_sdp_str(sdp, t->ice_pwd);
		sdp_put_candidates(sdp, m, &t->candidates);
	} else if (!line->rtcp_mux && t->rtcp_port > 0 && t->rtcp_port != (int64_t)m->port + 1) {
		g_autofree char *port = g_strdup_printf("%d", (int)t->rtcp_port);

		m->rtcp = gw_sdp_str(sdp, port);
	}
	if (line->setup != GW_SDP_SETUP_NONE && t->fingerprint) {
		sdp_put_fingerprint(sdp, m, t->fingerprint);
		m->level.setup = line->setup;
	}
	for (size_t i = 0; i < line->n_cryptos; i++) {
		g_autofree char *value = gw_sdp_crypto_print(&line->cryptos[i]);

		put_attr(sdp, m, "crypto", value);
	}
}

static void put_codecs(const struct gw_sdp_line *line, gw_sdp *sdp, struct gw_sdp_media *m)
{
	const struct mcu_codec_use *use = line->codecs->items;

	for (size_t i = 0; i < line->codecs->n; i++) {
		struct mcu_codec_use said = use[i];

		if (!line->feedback) {
			said.nack = said.pli = said.fir = said.remb = said.twcc = false;
		}
		sdp_put_codec(sdp, m, &said);
	}
}

static void put_rtp(const struct gw_sdp_session *s, const struct gw_sdp_line *line, gw_sdp *sdp, struct gw_sdp_media *m)
{
	const struct mcu_ext_use *exts = line->exts ? line->exts->items : NULL;

	put_bandwidth(&m->level, line->bps, true);
	put_transport(line, sdp, m);
	m->level.has_dir = true;
	m->level.dir = line->dir;
	m->content = gw_sdp_str(sdp, line->content);
	m->label = gw_sdp_str(sdp, line->label);
	m->ptime = line->ptime;
	put_codecs(line, sdp, m);
	for (size_t i = 0; line->exts && i < line->exts->n; i++) {
		*SDP_APPEND(m->level.exts, m->level.n_exts) =
			(struct gw_sdp_ext){ (unsigned)exts[i].id, GW_SDP_SENDRECV, gw_sdp_str(sdp, exts[i].uri), NULL };
	}
	if (line->ssrc && (line->dir & GW_SDP_SEND)) {
		struct gw_sdp_ssrc *row = SDP_APPEND(m->ssrcs, m->n_ssrcs);

		row->ssrc = line->ssrc;
		*SDP_APPEND(row->attrs, row->n_attrs) =
			(struct gw_sdp_attr){ "cname", gw_sdp_str(sdp, s->cname ? s->cname : "ortoo") };
	}
}

static void put_line(const struct gw_sdp_session *s, const struct gw_sdp_line *line, gw_sdp *sdp)
{
	struct gw_sdp_media *m = SDP_APPEND(sdp->media, sdp->n_media);

	m->type = line->type;
	m->type_name = gw_sdp_str(sdp, line->offered ? line->offered->type_name : sdp_type_names[line->type]);
	m->proto = gw_sdp_str(sdp, line->offered ? line->offered->proto : line->proto);
	m->mid = gw_sdp_str(sdp, line->mid);
	m->n_ports = 1;
	if (line->reject) {
		put_rejected(line->offered, sdp, m);
	} else if (line->type == GW_SDP_APPLICATION) {
		m->port = line->floor->port;
		m->level.conn = conn_of(sdp, line->floor->ip);
		sdp_strv_append(&m->formats, "*");
		sdp_put_floor(sdp, m, line->floor);
	} else {
		m->is_rtp = true;
		put_rtp(s, line, sdp, m);
	}
}

gw_sdp *gw_sdp_offer(const struct gw_sdp_session *s, const struct gw_sdp_line *lines, size_t n)
{
	gw_sdp *sdp = gw_sdp_new();
	g_autofree char *origin = g_strdup_printf("- %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " IN %s %s", s->id, s->version,
						  strchr(s->ip, ':') ? "IP6" : "IP4", s->ip);

	sdp->origin = gw_sdp_str(sdp, origin);
	sdp->name = "-";
	sdp->time = "0 0";
	sdp->level.conn = conn_of(sdp, s->ip);
	sdp->ice_lite = s->ice_lite;
	put_bandwidth(&sdp->level, s->bps, false);
	if (s->bundle) {
		struct gw_sdp_group *group = SDP_APPEND(sdp->groups, sdp->n_groups);

		group->semantics = "BUNDLE";
		for (const char *const *mid = s->bundle; *mid; mid++) {
			sdp_strv_append(&group->mids, gw_sdp_str(sdp, *mid));
		}
	}
	for (size_t i = 0; i < n; i++) {
		put_line(s, &lines[i], sdp);
	}
	return sdp;
}

/* ---- the way back ---- */

static void take_line(const gw_sdp *answer, size_t i, const struct gw_sdp_line *line, const struct gw_sdp_peer *peer,
		      struct gw_sdp_agreed *ret)
{
	const struct gw_sdp_media *m = &answer->media[i];

	*ret = (struct gw_sdp_agreed){ .mid = m->mid, .kind = peer->kind, .content = peer->content, .why = peer->why };
	if (line->type == GW_SDP_APPLICATION || line->reject) {
		ret->why = ret->why ? ret->why : "not offered";
		return;
	}
	ret->dir = (enum gw_sdp_dir)(line->dir & sdp_mirrored(peer->dir));
	if (!ret->why && !gw_sdp_agree(m, line->codecs->items, line->codecs->n, false, &ret->codecs, &ret->sends)) {
		ret->why = "no codec in common";
	}
	ret->accepted = ret->why == NULL;
	if (ret->accepted && (ret->dir & GW_SDP_RECV)) {
		ret->encodings = (struct ort_json_array){ g_new0(struct mcu_encoding, 1), 1 };	/* SSRC: the first that comes */
	}
}

int gw_sdp_take_answer(const gw_sdp *answer, const struct gw_sdp_line *lines, size_t n, struct gw_sdp_peer *peers,
		       struct gw_sdp_agreed *agreed, char **ret_why)
{
	memset(agreed, 0, n * sizeof(*agreed));
	for (size_t i = 0; i < MAX(n, answer->n_media); i++) {
		if (i >= n || i >= answer->n_media || answer->media[i].type != lines[i].type) {
			*ret_why = g_strdup_printf("m-line %zu of the answer is not that of the offer", i + 1);
			return -EINVAL;
		}
	}
	for (size_t i = 0; i < n; i++) {
		gw_sdp_read_peer(answer, i, &peers[i]);
		take_line(answer, i, &lines[i], &peers[i], &agreed[i]);
	}
	return 0;
}
