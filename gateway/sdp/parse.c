/* Lines of an SDP text. What a line means to the session stands here; a= lines go to attr.c. Unknown lines and attributes
 * are kept in order, what is known but wrong is refused with its line number. */
#include <errno.h>
#include <string.h>

#include "gateway/sdp/sdp_priv.h"

struct gw_sdp_media *sdp_parser_media(struct sdp_parser *p)
{
	return p->sdp->n_media > 0 ? &p->sdp->media[p->sdp->n_media - 1] : NULL;
}

struct gw_sdp_level *sdp_parser_level(struct sdp_parser *p)
{
	struct gw_sdp_media *m = sdp_parser_media(p);
	return m ? &m->level : &p->sdp->level;
}

int sdp_refuse(struct sdp_parser *p, int err, const char *what, const char *fmt, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	p->why = g_strdup_printf("line %zu: %s%s%s", p->line, what ? what : "", what ? ": " : "", text);
	return err;
}

void sdp_keep(struct sdp_parser *p, const char *name, const char *value)
{
	struct gw_sdp_level *level = sdp_parser_level(p);
	struct gw_sdp_attr *attr = SDP_APPEND(level->attrs, level->n_attrs);

	attr->name = name;
	attr->value = value;
}

/* ---- m= ---- */

static bool is_rtp(const char *proto)
{
	return strstr(proto, "RTP/AVP") || strstr(proto, "RTP/SAVP");
}

static bool parse_port(char *text, struct gw_sdp_media *m)
{
	char *slash = strchr(text, '/');
	uint64_t port, n = 1;

	if (slash) {
		*slash = '\0';
	}
	if (!sdp_number(text, 65535, &port) || (slash && (!sdp_number(slash + 1, 65535, &n) || n == 0))) {
		return false;
	}
	m->port = (unsigned)port;
	m->n_ports = (unsigned)n;
	return true;
}

/* Payload types, or the words as they stand when one of them is none. */
static void parse_formats(struct gw_sdp_media *m)
{
	uint64_t pt;

	for (const char **f = m->formats; *f && m->is_rtp; f++) {
		m->is_rtp = sdp_number(*f, 127, &pt);
	}
	for (const char **f = m->formats; *f && m->is_rtp; f++) {
		if (!sdp_find_codec(m, *f) && sdp_number(*f, 127, &pt)) {
			struct gw_sdp_codec *codec = SDP_APPEND(m->codecs, m->n_codecs);

			codec->pt = (unsigned)pt;
			sdp_static_codec(codec);
		}
	}
	if (m->is_rtp) {
		g_free(g_steal_pointer(&m->formats));
	}
}

static int parse_media(struct sdp_parser *p, char *rest)
{
	char *type = sdp_word(&rest), *port = sdp_word(&rest), *proto = sdp_word(&rest), *format;
	struct gw_sdp_media *m;
	int index;

	if (p->sdp->n_media == GW_SDP_MEDIA_MAX) {
		return sdp_refuse(p, -EMSGSIZE, "m=", "more than %d m-lines", GW_SDP_MEDIA_MAX);
	}
	if (!proto) {
		return sdp_refuse(p, -EINVAL, "m=", "needs TYPE PORT PROTO FORMAT...");
	}
	m = SDP_APPEND(p->sdp->media, p->sdp->n_media);
	p->n_attrs = 0;
	index = sdp_name_index(sdp_type_names, type);
	m->type = index >= 0 ? (enum gw_sdp_type)index : GW_SDP_OTHER;
	m->type_name = type;
	m->proto = proto;
	m->is_rtp = is_rtp(proto);
	if (!parse_port(port, m)) {
		return sdp_refuse(p, -EINVAL, "m=", "bad port");
	}
	while ((format = sdp_word(&rest))) {
		sdp_strv_append(&m->formats, format);
	}
	if (!m->formats) {
		return sdp_refuse(p, -EINVAL, "m=", "needs TYPE PORT PROTO FORMAT...");
	}
	parse_formats(m);
	return 0;
}

/* ---- the other letters ---- */

static int parse_version(struct sdp_parser *p, char *value)
{
	if (p->seen_version || strcmp(value, "0") != 0) {
		return sdp_refuse(p, -EINVAL, "v=", p->seen_version ? "stands twice" : "must be 0");
	}
	p->seen_version = true;
	return 0;
}

static int once(struct sdp_parser *p, const char **at, const char *what, const char *value)
{
	if (*at) {
		return sdp_refuse(p, -EINVAL, what, "stands twice");
	}
	*at = value;
	return 0;
}

static int parse_origin(struct sdp_parser *p, char *value)
{
	return once(p, &p->sdp->origin, "o=", value);
}

static int parse_name(struct sdp_parser *p, char *value)
{
	return once(p, &p->sdp->name, "s=", value);
}

/* What stands once in our struct and more often in theirs (t=, c= of layered multicast): the rest is kept. */
static int first_or_keep(struct sdp_parser *p, const char **at, const char *name, const char *value)
{
	if (*at) {
		sdp_keep(p, name, value);
	} else {
		*at = value;
	}
	return 0;
}

static int parse_time(struct sdp_parser *p, char *value)
{
	return first_or_keep(p, &p->sdp->time, "t=", value);
}

static int parse_conn(struct sdp_parser *p, char *value)
{
	return first_or_keep(p, &sdp_parser_level(p)->conn, "c=", value);
}

static int parse_info(struct sdp_parser *p, char *value)
{
	return first_or_keep(p, &sdp_parser_level(p)->info, "i=", value);
}

static int parse_bandwidth(struct sdp_parser *p, char *value)
{
	struct gw_sdp_level *level = sdp_parser_level(p);
	char *colon = strchr(value, ':');
	struct gw_sdp_bandwidth *b;
	uint64_t n;

	if (!colon || colon == value || !sdp_number(colon + 1, UINT64_MAX, &n)) {
		sdp_keep(p, "b=", value);
		return 0;
	}
	b = SDP_APPEND(level->bandwidths, level->n_bandwidths);
	*colon = '\0';
	b->type = value;
	b->value = n;
	return 0;
}

static const struct line_row { char letter; bool session_only; int (*parse)(struct sdp_parser *p, char *value); } lines[] = {
	{ 'v', true, parse_version }, { 'o', true, parse_origin },    { 's', true, parse_name },
	{ 't', true, parse_time },    { 'c', false, parse_conn },     { 'i', false, parse_info },
	{ 'b', false, parse_bandwidth }, { 'a', false, sdp_parse_attr }, { 'm', false, parse_media },
};

static int parse_letter(struct sdp_parser *p, char letter, char *value)
{
	char name[] = { letter, '=', '\0' };

	if (!p->seen_version && letter != 'v') {
		return sdp_refuse(p, -EINVAL, NULL, "the first line must be v=0");
	}
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		if (lines[i].letter != letter) {
			continue;
		}
		if (lines[i].session_only && p->sdp->n_media > 0) {
			return sdp_refuse(p, -EINVAL, name, "belongs before the first m-line");
		}
		return lines[i].parse(p, value);
	}
	sdp_keep(p, gw_sdp_str(p->sdp, name), value);
	return 0;
}

static int parse_line(struct sdp_parser *p, const char *line, size_t len)
{
	bool counts = len > 0 && line[0] != 'm';

	if (len > GW_SDP_LINE_MAX) {
		return sdp_refuse(p, -EMSGSIZE, NULL, "longer than %d bytes", GW_SDP_LINE_MAX);
	}
	for (size_t i = 0; i < len; i++) {
		if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f) {
			return sdp_refuse(p, -EINVAL, NULL, "a control character");
		}
	}
	if (len < 2 || line[1] != '=' || !g_ascii_isalpha(line[0])) {
		return sdp_refuse(p, -EINVAL, NULL, "must be a letter, '=' and a value");
	}
	if (counts && ++p->n_attrs > GW_SDP_ATTRS_MAX) {
		return sdp_refuse(p, -EMSGSIZE, NULL, "more than %d attributes", GW_SDP_ATTRS_MAX);
	}
	return parse_letter(p, line[0], sdp_str_len(p->sdp, line + 2, len - 2));
}

static int parse_lines(struct sdp_parser *p, const char *text, size_t len)
{
	const char *end = text + len;
	int err = 0;

	while (len > 0 && (end[-1] == '\n' || end[-1] == '\r')) {	/* blank lines at the end are nobody's error */
		end--;
		len--;
	}
	while (text < end && err == 0) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		size_t line_len = (size_t)((eol ? eol : end) - text);

		p->line++;
		err = parse_line(p, text, line_len > 0 && text[line_len - 1] == '\r' ? line_len - 1 : line_len);
		text = eol ? eol + 1 : end;
	}
	return err;
}

static int check_whole(struct sdp_parser *p)
{
	if (p->sdp->origin && p->sdp->name) {
		return 0;
	}
	p->line++;
	return sdp_refuse(p, -EINVAL, NULL, "the text ends without %s", !p->sdp->origin ? "o=" : "s=");
}

int gw_sdp_parse(const char *text, size_t len, gw_sdp **ret, char **ret_why)
{
	struct sdp_parser p = { .sdp = gw_sdp_new() };
	int err = len > GW_SDP_TEXT_MAX ? -EMSGSIZE : 0;

	if (err < 0) {
		p.why = g_strdup_printf("longer than %d bytes", GW_SDP_TEXT_MAX);
	} else {
		err = parse_lines(&p, text, len);
	}
	if (err == 0) {
		err = check_whole(&p);
	}
	if (err == 0) {
		*ret = p.sdp;
		return 0;
	}
	gw_sdp_free(p.sdp);
	if (ret_why) {
		*ret_why = g_steal_pointer(&p.why);
	}
	g_free(p.why);
	return err;
}
