/* a= lines by rows. A handler answers 0 (taken), KEEP (not a shape we read: kept as it stands) or refuses. */
#include <errno.h>
#include <string.h>

#include "gateway/sdp/sdp_priv.h"

#define KEEP 1

static const struct { unsigned pt; const char *name; uint32_t clock_hz; } static_codecs[] = {	/* RFC 3551 6 */
	{ 0, "PCMU", 8000 },   { 3, "GSM", 8000 },   { 4, "G723", 8000 },   { 8, "PCMA", 8000 },
	{ 9, "G722", 8000 },   { 13, "CN", 8000 },   { 15, "G728", 8000 },  { 18, "G729", 8000 },
	{ 26, "JPEG", 90000 }, { 31, "H261", 90000 }, { 32, "MPV", 90000 }, { 33, "MP2T", 90000 },
	{ 34, "H263", 90000 },
};

void sdp_static_codec(struct gw_sdp_codec *codec)
{
	for (size_t i = 0; i < G_N_ELEMENTS(static_codecs); i++) {
		if (static_codecs[i].pt == codec->pt) {
			codec->name = static_codecs[i].name;
			codec->clock_hz = static_codecs[i].clock_hz;
		}
	}
}

struct gw_sdp_codec *sdp_find_codec(const struct gw_sdp_media *m, const char *pt)
{
	uint64_t n;

	for (size_t i = 0; sdp_number(pt, 127, &n) && i < m->n_codecs; i++) {
		if (m->codecs[i].pt == n) {
			return &m->codecs[i];
		}
	}
	return NULL;
}

/* ---- codecs ---- */

static int parse_rtpmap(struct sdp_parser *p, char *value)
{
	struct gw_sdp_media *m = sdp_parser_media(p);
	char *pt = sdp_word(&value), *name = sdp_word(&value);
	char *clock = name ? strchr(name, '/') : NULL, *channels = clock ? strchr(clock + 1, '/') : NULL;
	struct gw_sdp_codec *codec = sdp_find_codec(m, pt);
	uint64_t hz, n = 0;

	if (!m->is_rtp || (name && !clock)) {	/* without a clock: AirPlay's AppleLossless; not for us */
		return KEEP;
	}
	if (clock) {
		*clock++ = '\0';
	}
	if (channels) {
		*channels++ = '\0';
	}
	if (!clock || !*name || !sdp_number(clock, UINT32_MAX, &hz) || hz == 0 ||
	    (channels && !sdp_number(channels, 255, &n))) {
		return sdp_refuse(p, -EINVAL, "a=rtpmap", "needs TYPE NAME/CLOCK");
	}
	if (!codec) {
		return KEEP;	/* a type that the m-line does not offer */
	}
	codec->name = name;
	codec->clock_hz = (uint32_t)hz;
	codec->channels = (unsigned)n;
	return 0;
}

static int parse_fmtp(struct sdp_parser *p, char *value)
{
	struct gw_sdp_codec *codec = sdp_find_codec(sdp_parser_media(p), sdp_word(&value));

	if (!codec || !value) {
		return KEEP;
	}
	value = g_strstrip(value);
	if (codec->fmtp) {
		g_autofree char *both = g_strconcat(codec->fmtp, ";", value, NULL);

		codec->fmtp = gw_sdp_str(p->sdp, both);
	} else {
		codec->fmtp = value;
	}
	return 0;
}

static void add_fb(struct gw_sdp_codec *codec, const char *fb)
{
	if (!codec->fb || !g_strv_contains(codec->fb, fb)) {
		sdp_strv_append(&codec->fb, fb);
	}
}

static int parse_rtcp_fb(struct sdp_parser *p, char *value)
{
	struct gw_sdp_media *m = sdp_parser_media(p);
	char *pt = sdp_word(&value);
	struct gw_sdp_codec *codec = sdp_find_codec(m, pt);
	bool all = pt && strcmp(pt, "*") == 0 && m->n_codecs > 0;

	if (!value || (!codec && !all)) {
		return KEEP;
	}
	value = g_strstrip(value);
	for (size_t i = 0; all && i < m->n_codecs; i++) {
		add_fb(&m->codecs[i], value);
	}
	if (codec) {
		add_fb(codec, value);
	}
	return 0;
}

/* ---- streams ---- */

static int parse_ssrc(struct sdp_parser *p, char *value)
{
	struct gw_sdp_media *m = sdp_parser_media(p);
	char *id = sdp_word(&value), *colon;
	struct gw_sdp_ssrc *ssrc = NULL;
	struct gw_sdp_attr *attr;
	uint64_t n;

	if (!sdp_number(id, UINT32_MAX, &n) || !value || !*value) {
		return sdp_refuse(p, -EINVAL, "a=ssrc", "needs SSRC ATTRIBUTE");
	}
	for (size_t i = 0; i < m->n_ssrcs && !ssrc; i++) {
		ssrc = m->ssrcs[i].ssrc == n ? &m->ssrcs[i] : NULL;
	}
	if (!ssrc) {
		ssrc = SDP_APPEND(m->ssrcs, m->n_ssrcs);
		ssrc->ssrc = (uint32_t)n;
	}
	attr = SDP_APPEND(ssrc->attrs, ssrc->n_attrs);
	colon = strchr(value, ':');
	if (colon) {
		*colon = '\0';
	}
	attr->name = value;
	attr->value = colon ? colon + 1 : NULL;
	return 0;
}

static int parse_ssrc_group(struct sdp_parser *p, char *value)
{
	struct gw_sdp_media *m = sdp_parser_media(p);
	struct gw_sdp_ssrc_group *group;
	char *semantics = sdp_word(&value), *word;
	uint64_t n;

	if (!semantics) {
		return sdp_refuse(p, -EINVAL, "a=ssrc-group", "needs SEMANTICS SSRC...");
	}
	group = SDP_APPEND(m->ssrc_groups, m->n_ssrc_groups);
	group->semantics = semantics;
	while ((word = sdp_word(&value))) {
		if (!sdp_number(word, UINT32_MAX, &n)) {
			return sdp_refuse(p, -EINVAL, "a=ssrc-group", "bad SSRC");
		}
		*SDP_APPEND(group->ssrcs, group->n_ssrcs) = (uint32_t)n;
	}
	return 0;
}

static int parse_rid(struct sdp_parser *p, char *value)
{
	struct gw_sdp_media *m = sdp_parser_media(p);
	char *id = sdp_word(&value), *dir = sdp_word(&value);
	struct gw_sdp_rid *rid;

	if (!dir || (strcmp(dir, "send") != 0 && strcmp(dir, "recv") != 0)) {
		return sdp_refuse(p, -EINVAL, "a=rid", "needs ID send or ID recv");
	}
	rid = SDP_APPEND(m->rids, m->n_rids);
	rid->id = id;
	rid->dir = strcmp(dir, "send") == 0 ? GW_SDP_SEND : GW_SDP_RECV;
	rid->params = value ? g_strstrip(value) : NULL;
	return 0;
}

static int parse_msid(struct sdp_parser *p, char *value)
{
	sdp_strv_append(&sdp_parser_media(p)->msids, value);
	return 0;
}

/* ---- transport ---- */

static bool is_hash(const char *hash)
{
	size_t n = strlen(hash);

	for (size_t i = 0; i < n; i++) {
		if (i % 3 == 2 ? hash[i] != ':' : !g_ascii_isxdigit(hash[i])) {
			return false;
		}
	}
	return n % 3 == 2;
}

static int parse_fingerprint(struct sdp_parser *p, char *value)
{
	struct gw_sdp_level *level = sdp_parser_level(p);
	char *hash = sdp_word(&value), *bytes = sdp_word(&value);
	struct gw_sdp_fingerprint *f;

	if (!bytes || !is_hash(bytes)) {
		return sdp_refuse(p, -EINVAL, "a=fingerprint", "needs HASH AA:BB:...");
	}
	f = SDP_APPEND(level->fingerprints, level->n_fingerprints);
	f->hash = hash;
	f->value = bytes;
	return 0;
}

static int parse_setup(struct sdp_parser *p, char *value)
{
	int index = sdp_name_index(sdp_setup_names, g_strstrip(value));

	if (index < 1) {
		return sdp_refuse(p, -EINVAL, "a=setup", "must be actpass, active, passive or holdconn");
	}
	sdp_parser_level(p)->setup = (enum gw_sdp_setup)index;
	return 0;
}

static void candidate_extensions(gw_sdp *sdp, char *rest, struct gw_sdp_candidate *c)
{
	GString *unknown = g_string_new(NULL);
	char *name, *value;
	uint64_t n;

	while ((name = sdp_word(&rest)) && (value = sdp_word(&rest))) {
		if (strcmp(name, "raddr") == 0 && !c->raddr) {
			c->raddr = value;
		} else if (strcmp(name, "rport") == 0 && sdp_number(value, 65535, &n)) {
			c->rport = (unsigned)n;
		} else if (strcmp(name, "tcptype") == 0 && !c->tcptype) {
			c->tcptype = value;
		} else {
			g_string_append_printf(unknown, "%s%s %s", unknown->len > 0 ? " " : "", name, value);
		}
	}
	c->rest = unknown->len > 0 ? gw_sdp_str(sdp, unknown->str) : NULL;
	g_string_free(unknown, TRUE);
}

/* RFC 8839 5.1; a shape that we cannot read may be a later one: kept, not used. */
static int parse_candidate(struct sdp_parser *p, char *value)
{
	struct gw_sdp_media *m = sdp_parser_media(p);
	char *text = sdp_str_len(p->sdp, value, strlen(value)), *word[8];
	struct gw_sdp_candidate *c;
	uint64_t component, priority, port;

	for (size_t i = 0; i < G_N_ELEMENTS(word); i++) {
		word[i] = sdp_word(&text);
	}
	if (!word[7] || strcmp(word[6], "typ") != 0 || !sdp_number(word[1], 256, &component) ||
	    !sdp_number(word[3], UINT32_MAX, &priority) || !sdp_number(word[5], 65535, &port)) {
		return KEEP;
	}
	c = SDP_APPEND(m->candidates, m->n_candidates);
	*c = (struct gw_sdp_candidate){ .foundation = word[0], .component = (unsigned)component, .protocol = word[2],
					.priority = (uint32_t)priority, .ip = word[4], .port = (unsigned)port,
					.type = word[7] };
	candidate_extensions(p->sdp, text, c);
	return 0;
}

/* ---- the rest ---- */

static int parse_extmap(struct sdp_parser *p, char *value)
{
	static const char *const names[] = { "inactive", "sendonly", "recvonly", "sendrecv", NULL };
	struct gw_sdp_level *level = sdp_parser_level(p);
	char *id = sdp_word(&value), *uri = sdp_word(&value), *dir = id ? strchr(id, '/') : NULL;
	int index = GW_SDP_SENDRECV;
	struct gw_sdp_ext *ext;
	uint64_t n;

	if (dir) {
		*dir = '\0';
		index = sdp_name_index(names, dir + 1);
	}
	if (!uri || index < 0 || !sdp_number(id, 65535, &n) || n == 0) {
		return sdp_refuse(p, -EINVAL, "a=extmap", "needs ID URI");
	}
	ext = SDP_APPEND(level->exts, level->n_exts);
	ext->id = (unsigned)n;
	ext->dir = (enum gw_sdp_dir)index;
	ext->uri = uri;
	ext->config = value ? g_strstrip(value) : NULL;
	return 0;
}

static int parse_group(struct sdp_parser *p, char *value)
{
	char *semantics = sdp_word(&value), *mid;
	struct gw_sdp_group *group;

	if (!semantics) {
		return sdp_refuse(p, -EINVAL, "a=group", "needs SEMANTICS MID...");
	}
	group = SDP_APPEND(p->sdp->groups, p->sdp->n_groups);
	group->semantics = semantics;
	while ((mid = sdp_word(&value))) {
		sdp_strv_append(&group->mids, mid);
	}
	return 0;
}

static int parse_dir(struct sdp_parser *p, enum gw_sdp_dir dir)
{
	struct gw_sdp_level *level = sdp_parser_level(p);
	level->has_dir = true;
	level->dir = dir;
	return 0;
}

enum where { LEVEL, MEDIA, SESSION };
enum shape { FLAG, TEXT, ONCE, NUMBER, SENSE, PARSE };	/* TEXT: a second one is kept aside; ONCE: refused */
#define L(m) LEVEL, offsetof(struct gw_sdp_level, m)
#define M(m) MEDIA, offsetof(struct gw_sdp_media, m)
static const struct attr_row {
	const char *name;
	enum shape shape;
	enum where where;
	size_t offset;	/* SENSE: the direction */
	int (*parse)(struct sdp_parser *p, char *value);
} attr_rows[] = {
	{ "bundle-only", FLAG, M(bundle_only), NULL },
	{ "candidate", PARSE, MEDIA, 0, parse_candidate },
	{ "content", TEXT, M(content), NULL },
	{ "end-of-candidates", FLAG, M(end_of_candidates), NULL },
	{ "extmap", PARSE, LEVEL, 0, parse_extmap },
	{ "extmap-allow-mixed", FLAG, L(extmap_allow_mixed), NULL },
	{ "fingerprint", PARSE, LEVEL, 0, parse_fingerprint },
	{ "fmtp", PARSE, MEDIA, 0, parse_fmtp },
	{ "group", PARSE, SESSION, 0, parse_group },
	{ "ice-lite", FLAG, SESSION, offsetof(gw_sdp, ice_lite), NULL },
	{ "ice-options", TEXT, L(ice_options), NULL },
	{ "ice-pwd", ONCE, L(ice_pwd), NULL },
	{ "ice-ufrag", ONCE, L(ice_ufrag), NULL },
	{ "inactive", SENSE, LEVEL, GW_SDP_INACTIVE, NULL },
	{ "label", TEXT, M(label), NULL },
	{ "maxptime", NUMBER, M(maxptime), NULL },
	{ "mid", ONCE, M(mid), NULL },
	{ "msid", PARSE, MEDIA, 0, parse_msid },
	{ "ptime", NUMBER, M(ptime), NULL },
	{ "recvonly", SENSE, LEVEL, GW_SDP_RECV, NULL },
	{ "rid", PARSE, MEDIA, 0, parse_rid },
	{ "rtcp", TEXT, M(rtcp), NULL },
	{ "rtcp-fb", PARSE, MEDIA, 0, parse_rtcp_fb },
	{ "rtcp-mux", FLAG, M(rtcp_mux), NULL },
	{ "rtcp-rsize", FLAG, M(rtcp_rsize), NULL },
	{ "rtpmap", PARSE, MEDIA, 0, parse_rtpmap },
	{ "sendonly", SENSE, LEVEL, GW_SDP_SEND, NULL },
	{ "sendrecv", SENSE, LEVEL, GW_SDP_SENDRECV, NULL },
	{ "setup", PARSE, LEVEL, 0, parse_setup },
	{ "simulcast", TEXT, M(simulcast), NULL },
	{ "ssrc", PARSE, MEDIA, 0, parse_ssrc },
	{ "ssrc-group", PARSE, MEDIA, 0, parse_ssrc_group },
};

static int set_text(struct sdp_parser *p, const struct attr_row *row, const char **at, char *value)
{
	g_autofree char *what = g_strconcat("a=", row->name, NULL);

	if (*at) {
		return row->shape == TEXT ? KEEP : sdp_refuse(p, -EINVAL, what, "stands twice");
	}
	*at = g_strstrip(value);
	return **at ? 0 : sdp_refuse(p, -EINVAL, what, "needs a value");
}

/* 20.0 is written by some for 20; the fraction of a millisecond is of no use. */
static int set_number(unsigned *at, char *value)
{
	uint64_t n;

	if (*at || !sdp_number(g_strstrip(value), 100000, &n) || n == 0) {
		return KEEP;
	}
	*at = (unsigned)n;
	return 0;
}

static int apply(struct sdp_parser *p, const struct attr_row *row, char *value)
{
	void *base = row->where == LEVEL ? (void *)sdp_parser_level(p)
		     : row->where == MEDIA ? (void *)sdp_parser_media(p)
					   : (void *)p->sdp;
	char *at = (char *)base + row->offset;

	if ((row->shape == FLAG || row->shape == SENSE) != !value) {
		g_autofree char *what = g_strconcat("a=", row->name, NULL);

		return sdp_refuse(p, -EINVAL, what, value ? "takes no value" : "needs a value");
	}
	switch (row->shape) {
	case FLAG:
		*(bool *)(void *)at = true;
		return 0;
	case TEXT:
	case ONCE:
		return set_text(p, row, (const char **)(void *)at, value);
	case NUMBER:
		return set_number((unsigned *)(void *)at, value);
	case SENSE:
		return parse_dir(p, (enum gw_sdp_dir)row->offset);
	case PARSE:
		return row->parse(p, value);
	}
	g_assert_not_reached();
}

static const struct attr_row *find_row(struct sdp_parser *p, const char *name)
{
	bool in_media = sdp_parser_media(p) != NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(attr_rows); i++) {
		const struct attr_row *row = &attr_rows[i];

		if (strcmp(row->name, name) == 0) {
			return row->where == LEVEL || (row->where == MEDIA) == in_media ? row : NULL;
		}
	}
	return NULL;
}

int sdp_parse_attr(struct sdp_parser *p, char *text)
{
	char *whole = sdp_str_len(p->sdp, text, strlen(text)), *value = strchr(text, ':');
	const struct attr_row *row;
	int err;

	if (value) {
		*value++ = '\0';
	}
	if (!*text || text[1] == '=') {
		return sdp_refuse(p, -EINVAL, "a=", "needs a name");
	}
	row = find_row(p, text);
	err = row ? apply(p, row, value) : KEEP;
	if (err == KEEP) {	/* from the copy: the handler may have cut words out of `value` */
		value = strchr(whole, ':');
		sdp_keep(p, text, value ? value + 1 : NULL);
		err = 0;
	}
	return err;
}
