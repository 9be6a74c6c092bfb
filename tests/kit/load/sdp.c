/* The little SDP that Janus wants: one video line, BUNDLE, rtcp-mux. Not a parser to build on: gateway/sdp is. */
#include <stdlib.h>
#include <string.h>

#include "tests/kit/load/load.h"

#define TWCC_URI "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

static void add_codec(GString *s, const struct load_peer *peer, bool answer)
{
	uint8_t pt = answer ? peer->remote.pt : LOAD_PT, rtx = answer ? peer->remote.rtx_pt : LOAD_RTX_PT;

	g_string_append_printf(s, "a=rtpmap:%u VP8/90000\r\n", pt);
	g_string_append_printf(s, "a=rtcp-fb:%u nack\r\na=rtcp-fb:%u nack pli\r\na=rtcp-fb:%u ccm fir\r\n", pt, pt, pt);
	g_string_append_printf(s, "a=rtcp-fb:%u goog-remb\r\na=rtcp-fb:%u transport-cc\r\n", pt, pt);
	if (rtx) {
		g_string_append_printf(s, "a=rtpmap:%u rtx/90000\r\na=fmtp:%u apt=%u\r\n", rtx, rtx, pt);
	}
}

static void add_sender(GString *s, const struct load_send *send)
{
	g_string_append_printf(s, "a=ssrc-group:FID %u %u\r\n", send->ssrc, send->rtx_ssrc);
	g_string_append_printf(s, "a=ssrc:%u cname:load\r\na=ssrc:%u cname:load\r\n", send->ssrc, send->rtx_ssrc);
}

/* A publisher offers, a subscriber answers. */
char *load_sdp_local(const struct load_peer *peer, bool answer)
{
	GString *s = g_string_new(NULL);
	const char *host = peer->load->conf.host;
	const char *family = strchr(host, ':') ? "IP6" : "IP4";
	uint8_t pt = answer ? peer->remote.pt : LOAD_PT, rtx = answer ? peer->remote.rtx_pt : LOAD_RTX_PT;
	uint8_t twcc = answer ? peer->remote.twcc_id : LOAD_TWCC_ID;

	g_string_append_printf(s, "v=0\r\no=- %d 1 IN %s %s\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n", peer->index + 1,
			       family, host);
	g_string_append_printf(s, rtx ? "m=video 9 UDP/TLS/RTP/SAVPF %u %u\r\n" : "m=video 9 UDP/TLS/RTP/SAVPF %u\r\n",
			       pt, rtx);
	g_string_append_printf(s, "c=IN %s %s\r\na=%s\r\na=mid:0\r\na=rtcp-mux\r\n", family, host,
			       peer->send ? "sendonly" : "recvonly");
	g_string_append_printf(s, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:%s\r\n",
			       peer->ufrag, peer->pwd, peer->load->fingerprint, answer ? "active" : "actpass");
	add_codec(s, peer, answer);
	if (twcc) {
		g_string_append_printf(s, "a=extmap:%u " TWCC_URI "\r\n", twcc);
	}
	if (peer->send) {
		add_sender(s, peer->send);
	}
	g_string_append_printf(s, "a=candidate:1 1 udp 2130706431 %s %u typ host\r\na=end-of-candidates\r\n", host,
			       load_peer_port(peer));
	return g_string_free(s, FALSE);
}

static const char *after(const char *line, const char *prefix)
{
	return g_str_has_prefix(line, prefix) ? line + strlen(prefix) : NULL;
}

/* The server's candidate on our own address if it has one: both stand on this machine. */
static void take_candidate(const struct load_peer *peer, const char *value, struct load_remote *ret)
{
	g_auto(GStrv) f = g_strsplit(value, " ", 0);
	struct sockaddr_storage addr;
	bool ours;

	if (g_strv_length(f) < 8 || !g_str_equal(f[1], "1") || g_ascii_strcasecmp(f[2], "udp") != 0 ||
	    !g_str_equal(f[7], "host") || !load_addr(f[4], (uint16_t)atoi(f[5]), &addr)) {
		return;
	}
	ours = g_str_equal(f[4], peer->load->conf.host);
	if (ours || (ret->addr.ss_family == 0 && (addr.ss_family == AF_INET6) == !!strchr(peer->load->conf.host, ':'))) {
		ret->addr = addr;
	}
}

static void take_line(const struct load_peer *peer, const char *line, struct load_remote *ret)
{
	const char *v;
	unsigned n, apt;
	char codec[16] = "";

	if ((v = after(line, "a=ice-ufrag:"))) {
		g_strlcpy(ret->ufrag, v, sizeof(ret->ufrag));
	} else if ((v = after(line, "a=ice-pwd:"))) {
		g_strlcpy(ret->pwd, v, sizeof(ret->pwd));
	} else if ((v = after(line, "a=fingerprint:sha-256 "))) {
		g_strlcpy(ret->fingerprint, v, sizeof(ret->fingerprint));
	} else if ((v = after(line, "a=setup:"))) {
		ret->dtls_client = !g_str_equal(v, "active");
	} else if ((v = after(line, "a=candidate:"))) {
		take_candidate(peer, v, ret);
	} else if ((v = after(line, "a=rtpmap:")) && sscanf(v, "%u %15[^/]", &n, codec) == 2) {
		ret->pt = g_ascii_strcasecmp(codec, "VP8") == 0 ? (uint8_t)n : ret->pt;
	} else if ((v = after(line, "a=fmtp:")) && sscanf(v, "%u apt=%u", &n, &apt) == 2) {
		ret->rtx_pt = (uint8_t)n;
	} else if ((v = after(line, "a=extmap:")) && strstr(v, TWCC_URI)) {
		ret->twcc_id = (uint8_t)atoi(v);
	}
}

bool load_sdp_remote(const struct load_peer *peer, const char *sdp, bool offer, struct load_remote *ret)
{
	g_auto(GStrv) lines = g_strsplit(sdp, "\r\n", 0);

	*ret = (struct load_remote){ .we_control = !offer };
	for (char **line = lines; *line; line++) {
		take_line(peer, *line, ret);
	}
	return ret->ufrag[0] && ret->pwd[0] && ret->fingerprint[0] && ret->addr.ss_family && ret->pt;
}
