/* Session struct -> text. The order of lines is RFC 8866's, the order of attributes ours; the order within a kind is kept. */
#include <string.h>

#include "gateway/sdp/sdp_priv.h"

static void put(GString *out, const char *prefix, const char *value)
{
	if (value) {
		g_string_append_printf(out, "%s%s\r\n", prefix, value);
	}
}

static void put_flag(GString *out, const char *line, bool on)
{
	if (on) {
		g_string_append_printf(out, "%s\r\n", line);
	}
}

static bool is_letter_line(const struct gw_sdp_attr *attr)
{
	return attr->name[0] && attr->name[1] == '=';
}

static void put_lines(GString *out, const struct gw_sdp_level *level, const char *letters)
{
	for (size_t i = 0; i < level->n_attrs; i++) {
		if (is_letter_line(&level->attrs[i]) && strchr(letters, level->attrs[i].name[0])) {
			put(out, level->attrs[i].name, level->attrs[i].value);
		}
	}
}

/* Letters that RFC 8866 does not know (y=, f= of GB/T 28181) stand last, as their makers write them. */
static void put_other_lines(GString *out, const struct gw_sdp_level *level)
{
	for (size_t i = 0; i < level->n_attrs; i++) {
		if (is_letter_line(&level->attrs[i]) && !strchr("uepctrzkbi", level->attrs[i].name[0])) {
			put(out, level->attrs[i].name, level->attrs[i].value);
		}
	}
}

static void put_bandwidths(GString *out, const struct gw_sdp_level *level)
{
	for (size_t i = 0; i < level->n_bandwidths; i++) {
		g_string_append_printf(out, "b=%s:%" G_GUINT64_FORMAT "\r\n", level->bandwidths[i].type,
				       level->bandwidths[i].value);
	}
	put_lines(out, level, "b");
}

static void put_exts(GString *out, const struct gw_sdp_level *level)
{
	for (size_t i = 0; i < level->n_exts; i++) {
		const struct gw_sdp_ext *e = &level->exts[i];
		bool said = e->dir != GW_SDP_SENDRECV;

		g_string_append_printf(out, "a=extmap:%u%s%s %s%s%s\r\n", e->id, said ? "/" : "",
				       said ? sdp_dir_names[e->dir] : "", e->uri, e->config ? " " : "",
				       e->config ? e->config : "");
	}
}

static void put_level(GString *out, const struct gw_sdp_level *level)
{
	put(out, "a=ice-ufrag:", level->ice_ufrag);
	put(out, "a=ice-pwd:", level->ice_pwd);
	put(out, "a=ice-options:", level->ice_options);
	for (size_t i = 0; i < level->n_fingerprints; i++) {
		g_string_append_printf(out, "a=fingerprint:%s %s\r\n", level->fingerprints[i].hash,
				       level->fingerprints[i].value);
	}
	put(out, "a=setup:", level->setup ? sdp_setup_names[level->setup] : NULL);
	put_flag(out, "a=extmap-allow-mixed", level->extmap_allow_mixed);
	put_exts(out, level);
	put(out, "a=", level->has_dir ? sdp_dir_names[level->dir] : NULL);
}

static void put_attrs(GString *out, const struct gw_sdp_level *level)
{
	for (size_t i = 0; i < level->n_attrs; i++) {
		const struct gw_sdp_attr *a = &level->attrs[i];

		if (!is_letter_line(a)) {
			g_string_append_printf(out, "a=%s%s%s\r\n", a->name, a->value ? ":" : "", a->value ? a->value : "");
		}
	}
	put_other_lines(out, level);
}

/* ---- media ---- */

static void put_m_line(GString *out, const struct gw_sdp_media *m)
{
	g_string_append_printf(out, "m=%s %u", m->type_name, m->port);
	if (m->n_ports > 1) {
		g_string_append_printf(out, "/%u", m->n_ports);
	}
	g_string_append_printf(out, " %s", m->proto);
	for (size_t i = 0; m->is_rtp && i < m->n_codecs; i++) {
		g_string_append_printf(out, " %u", m->codecs[i].pt);
	}
	for (const char **f = m->formats; f && *f; f++) {
		g_string_append_printf(out, " %s", *f);
	}
	g_string_append(out, "\r\n");
}

static void put_codec(GString *out, const struct gw_sdp_codec *c)
{
	if (c->name) {
		g_string_append_printf(out, "a=rtpmap:%u %s/%u", c->pt, c->name, c->clock_hz);
		g_string_append_printf(out, c->channels ? "/%u\r\n" : "\r\n", c->channels);
	}
	for (const char **fb = c->fb; fb && *fb; fb++) {
		g_string_append_printf(out, "a=rtcp-fb:%u %s\r\n", c->pt, *fb);
	}
	if (c->fmtp) {
		g_string_append_printf(out, "a=fmtp:%u %s\r\n", c->pt, c->fmtp);
	}
}

static void put_candidate(GString *out, const struct gw_sdp_candidate *c)
{
	g_string_append_printf(out, "a=candidate:%s %u %s %u %s %u typ %s", c->foundation, c->component, c->protocol,
			       c->priority, c->ip, c->port, c->type);
	if (c->raddr) {
		g_string_append_printf(out, " raddr %s rport %u", c->raddr, c->rport);
	}
	if (c->tcptype) {
		g_string_append_printf(out, " tcptype %s", c->tcptype);
	}
	put(out, c->rest ? " " : "", c->rest ? c->rest : "");
}

static void put_streams(GString *out, const struct gw_sdp_media *m)
{
	for (const char **msid = m->msids; msid && *msid; msid++) {
		put(out, "a=msid:", *msid);
	}
	for (size_t i = 0; i < m->n_ssrc_groups; i++) {
		g_string_append_printf(out, "a=ssrc-group:%s", m->ssrc_groups[i].semantics);
		for (size_t j = 0; j < m->ssrc_groups[i].n_ssrcs; j++) {
			g_string_append_printf(out, " %u", m->ssrc_groups[i].ssrcs[j]);
		}
		g_string_append(out, "\r\n");
	}
	for (size_t i = 0; i < m->n_ssrcs; i++) {
		for (size_t j = 0; j < m->ssrcs[i].n_attrs; j++) {
			const struct gw_sdp_attr *a = &m->ssrcs[i].attrs[j];

			g_string_append_printf(out, "a=ssrc:%u %s%s%s\r\n", m->ssrcs[i].ssrc, a->name, a->value ? ":" : "",
					       a->value ? a->value : "");
		}
	}
	for (size_t i = 0; i < m->n_rids; i++) {
		g_string_append_printf(out, "a=rid:%s %s%s%s\r\n", m->rids[i].id,
				       m->rids[i].dir == GW_SDP_SEND ? "send" : "recv", m->rids[i].params ? " " : "",
				       m->rids[i].params ? m->rids[i].params : "");
	}
	put(out, "a=simulcast:", m->simulcast);
}

static void put_media_flags(GString *out, const struct gw_sdp_media *m)
{
	put(out, "a=mid:", m->mid);
	put(out, "a=rtcp:", m->rtcp);
	put_flag(out, "a=bundle-only", m->bundle_only);
	put_flag(out, "a=rtcp-mux", m->rtcp_mux);
	put_flag(out, "a=rtcp-rsize", m->rtcp_rsize);
	put(out, "a=content:", m->content);
	put(out, "a=label:", m->label);
	if (m->ptime) {
		g_string_append_printf(out, "a=ptime:%u\r\n", m->ptime);
	}
	if (m->maxptime) {
		g_string_append_printf(out, "a=maxptime:%u\r\n", m->maxptime);
	}
}

static void put_media(GString *out, const struct gw_sdp_media *m)
{
	put_m_line(out, m);
	put(out, "i=", m->level.info);
	put_lines(out, &m->level, "iuep");
	put(out, "c=", m->level.conn);
	put_lines(out, &m->level, "c");
	put_bandwidths(out, &m->level);
	put_lines(out, &m->level, "trzk");
	put_media_flags(out, m);
	put_level(out, &m->level);
	for (size_t i = 0; i < m->n_codecs; i++) {
		put_codec(out, &m->codecs[i]);
	}
	put_streams(out, m);
	for (size_t i = 0; i < m->n_candidates; i++) {
		put_candidate(out, &m->candidates[i]);
	}
	put_flag(out, "a=end-of-candidates", m->end_of_candidates);
	put_attrs(out, &m->level);
}

char *gw_sdp_print(const gw_sdp *sdp)
{
	GString *out = g_string_sized_new(4096);

	put(out, "v=", "0");
	put(out, "o=", sdp->origin);
	put(out, "s=", sdp->name);
	put(out, "i=", sdp->level.info);
	put_lines(out, &sdp->level, "iuep");
	put(out, "c=", sdp->level.conn);
	put_lines(out, &sdp->level, "c");
	put_bandwidths(out, &sdp->level);
	put(out, "t=", sdp->time ? sdp->time : "0 0");
	put_lines(out, &sdp->level, "trzk");
	put_flag(out, "a=ice-lite", sdp->ice_lite);
	for (size_t i = 0; i < sdp->n_groups; i++) {
		g_string_append_printf(out, "a=group:%s", sdp->groups[i].semantics);
		for (const char **mid = sdp->groups[i].mids; mid && *mid; mid++) {
			g_string_append_printf(out, " %s", *mid);
		}
		g_string_append(out, "\r\n");
	}
	put_level(out, &sdp->level);
	put_attrs(out, &sdp->level);
	for (size_t i = 0; i < sdp->n_media; i++) {
		put_media(out, &sdp->media[i]);
	}
	return g_string_free(out, FALSE);
}
