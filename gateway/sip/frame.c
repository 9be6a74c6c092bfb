/* SIP messages in a stream of bytes, and their topmost Via. */
#include "gateway/sip/frame_priv.h"

#include <string.h>

struct span { const char *at; size_t len; };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- lines ---- */
static size_t head_len(const char *data, size_t len)	/* with the empty line at its end; 0 = not there yet */
{
	size_t max = MIN(len, (size_t)SIP_FRAME_MAX_HEAD);
	for (const char *p = data; (p = memchr(p, '\n', max - (size_t)(p - data))) != NULL; p++) {
		size_t at = (size_t)(p - data) + 1;
		if (at < max && data[at] == '\n') {
			return at + 1;
		}
		if (at + 1 < max && data[at] == '\r' && data[at + 1] == '\n') {
			return at + 2;
		}
	}
	return 0;
}

/* A header's value with its continuation lines, from `from` on; .at NULL = there is none. */
static struct span header(const char *head, size_t len, size_t from, const char *name, const char *brief)
{
	const char *end = head + len;
	for (const char *p = head + from; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		while (eol != NULL && eol + 1 < end && (eol[1] == ' ' || eol[1] == '\t')) {
			eol = memchr(eol + 1, '\n', (size_t)(end - eol - 1));
		}
		eol = eol != NULL ? eol : end;
		const char *colon = memchr(p, ':', (size_t)(eol - p));
		const char *stop = colon;
		while (stop != NULL && stop > p && is_blank(stop[-1])) {
			stop--;
		}
		size_t n = stop != NULL ? (size_t)(stop - p) : 0;
		if ((n == strlen(name) && g_ascii_strncasecmp(p, name, n) == 0) || (n == 1 && g_ascii_strncasecmp(p, brief, 1) == 0)) {
			return (struct span){ colon + 1, (size_t)(eol - colon - 1) };
		}
		p = eol < end ? eol + 1 : end;
	}
	return (struct span){ NULL, 0 };
}

static size_t first_line(const char *msg, size_t len)
{
	const char *eol = memchr(msg, '\n', len);
	return eol != NULL ? (size_t)(eol - msg) + 1 : len;
}

/* ---- framing ---- */
static bool read_number(struct span s, size_t *ret)
{
	size_t n = 0, value = 0;
	while (n < s.len && is_blank(s.at[n])) {
		n++;
	}
	size_t digits = n;
	for (; n < s.len && g_ascii_isdigit(s.at[n]) && value <= SIP_FRAME_MAX_BODY; n++) {
		value = value * 10 + (size_t)(s.at[n] - '0');
	}
	bool some = n > digits;
	while (n < s.len && is_blank(s.at[n])) {
		n++;
	}
	*ret = value;
	return some && n == s.len && value <= SIP_FRAME_MAX_BODY;
}

/* Two lengths that differ would let two readers see two messages: refused. None: no body (a stream must have it). */
static bool body_len(const char *head, size_t len, size_t *ret)
{
	size_t from = first_line(head, len);
	struct span s = header(head, len, from, "Content-Length", "l");
	*ret = 0;
	if (s.at == NULL) {
		return true;
	}
	if (!read_number(s, ret)) {
		return false;
	}
	struct span more = header(head, len, (size_t)(s.at + s.len - head), "Content-Length", "l");
	size_t other = *ret;
	return more.at == NULL || (read_number(more, &other) && other == *ret);
}

enum sip_frame sip_frame_next(const char *data, size_t len, size_t *ret_skip, size_t *ret_len)
{
	size_t skip = 0, body = 0;
	while (skip < len && (data[skip] == '\r' || data[skip] == '\n')) {
		skip++;
	}
	*ret_len = 0;
	*ret_skip = skip;
	if (skip >= 4 && memcmp(data, "\r\n\r\n", 4) == 0) {
		*ret_skip = 4;
		return SIP_FRAME_PING;
	}
	if (skip == len) {	/* half of a keep-alive is kept, a lone CR LF (the answer to one) goes with the next message */
		*ret_skip = 0;
		return SIP_FRAME_MORE;
	}
	size_t head = head_len(data + skip, len - skip);
	if (head == 0) {
		*ret_skip = 0;
		return len - skip >= SIP_FRAME_MAX_HEAD ? SIP_FRAME_BAD : SIP_FRAME_MORE;
	}
	if (!body_len(data + skip, head, &body)) {
		return SIP_FRAME_BAD;
	}
	*ret_len = head + body;
	return len - skip >= head + body ? SIP_FRAME_MESSAGE : (*ret_skip = 0, SIP_FRAME_MORE);
}

/* ---- the topmost Via ---- */
static struct span top_via(const char *msg, size_t len)	/* up to its comma or the end */
{
	size_t head = head_len(msg, len);
	struct span v = header(msg, head, MIN(first_line(msg, len), head), "Via", "v");
	for (size_t n = 0, quoted = 0; v.at != NULL && n < v.len; n++) {
		quoted ^= v.at[n] == '"';
		if (v.at[n] == ',' && quoted == 0) {
			v.len = n;
		}
	}
	while (v.len > 0 && is_blank(v.at[0])) {
		v.at++;
		v.len--;
	}
	while (v.len > 0 && is_blank(v.at[v.len - 1])) {
		v.len--;
	}
	return v;
}

static bool is_response(const char *msg, size_t len)
{
	return len > 8 && g_ascii_strncasecmp(msg, "SIP/2.0 ", 8) == 0;
}

static void put(GByteArray *out, const char *text, size_t len)
{
	g_byte_array_append(out, (const guint8 *)text, (guint)len);
}

static void put_text(GByteArray *out, const char *text)
{
	put(out, text, strlen(text));
}

/* "SIP / 2.0 / TLS host": where the transport's name stands; .at NULL = another shape or another transport */
static struct span transport_of(struct span via, const char *want)
{
	size_t n = 0;
	for (unsigned slashes = 0; n < via.len && slashes < 2; n++) {
		slashes += via.at[n] == '/';
	}
	while (n < via.len && is_blank(via.at[n])) {
		n++;
	}
	size_t k = strlen(want);
	bool good = n + k < via.len && g_ascii_strncasecmp(via.at + n, want, k) == 0 && is_blank(via.at[n + k]);
	return (struct span){ good ? via.at + n : NULL, k };
}

static bool swap_hop(struct span via, const char *from, const char *to, const char *msg, size_t len, GByteArray *out)
{
	size_t k = strlen(from);
	if (via.len < k || g_ascii_strncasecmp(via.at, from, k) != 0 || (via.len > k && via.at[k] != ';' && !is_blank(via.at[k]))) {
		return false;
	}
	put(out, msg, (size_t)(via.at - msg));
	put_text(out, to);
	put(out, via.at + k, len - (size_t)(via.at + k - msg));
	return true;
}

bool sip_frame_inward(const struct sip_hop *hop, const char *msg, size_t len, GByteArray *out)
{
	struct span via = top_via(msg, len);
	if (via.at == NULL) {
		return false;
	}
	if (is_response(msg, len)) {
		return swap_hop(via, hop->far_away, hop->near_by, msg, len, out);
	}
	struct span t = transport_of(via, "TLS");
	if (t.at == NULL) {
		return false;
	}
	put(out, msg, (size_t)(t.at - msg));
	put_text(out, "TCP");
	put(out, t.at + t.len, len - (size_t)(t.at + t.len - msg));
	return true;
}

/* RFC 3261 18.2.1, RFC 3581: what the stack took for the peer's address becomes what it is. */
static void put_params(const struct sip_hop *hop, const char *from, const char *end, GByteArray *out)
{
	g_autofree char *received = g_strdup_printf(";received=%s", hop->loop), *rport = g_strdup_printf(";rport=%u", hop->loop_port);
	g_autofree char *true_received = g_strdup_printf(";received=%s", hop->source), *true_rport = g_strdup_printf(";rport=%u", hop->port);
	while (from < end) {
		size_t n = 1, left = (size_t)(end - from);
		while (n < left && from[n] != ';') {
			n++;
		}
		bool is_received = n == strlen(received) && strncmp(from, received, n) == 0;
		bool is_rport = n == strlen(rport) && strncmp(from, rport, n) == 0;
		put(out, is_received ? true_received : is_rport ? true_rport : from,
		    is_received ? strlen(true_received) : is_rport ? strlen(true_rport) : n);
		from += n;
	}
}

static bool response_outward(const struct sip_hop *hop, struct span via, const char *msg, size_t len, GByteArray *out)
{
	struct span t = transport_of(via, "TCP");
	const char *end = via.at + via.len;
	if (t.at == NULL) {
		return false;
	}
	put(out, msg, (size_t)(t.at - msg));
	put_text(out, "TLS");
	const char *params = memchr(t.at, ';', (size_t)(end - t.at));
	params = params != NULL ? params : end;
	put(out, t.at + t.len, (size_t)(params - t.at) - t.len);
	put_params(hop, params, end, out);
	put(out, end, len - (size_t)(end - msg));
	return true;
}

bool sip_frame_outward(const struct sip_hop *hop, const char *msg, size_t len, GByteArray *out)
{
	struct span via = top_via(msg, len);
	if (via.at == NULL) {
		return false;
	}
	return is_response(msg, len) ? response_outward(hop, via, msg, len, out)
				     : swap_hop(via, hop->near_by, hop->far_away, msg, len, out);
}
