/* One m-line of a peer -> struct gw_sdp_peer: address, profile, keys, bandwidth. Its codecs are agree.c's. */
#include <arpa/inet.h>
#include <string.h>

#include "gateway/sdp/sdp_priv.h"

static const struct { const char *name; bool keyed, dtls, avpf; } protos[] = {
	{ "RTP/AVP", false, false, false },	    { "RTP/AVPF", false, false, true },
	{ "RTP/SAVP", true, false, false },	    { "RTP/SAVPF", true, false, true },
	{ "UDP/TLS/RTP/SAVP", true, true, false },  { "UDP/TLS/RTP/SAVPF", true, true, true },
};

static int find_proto(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(protos); i++) {
		if (g_ascii_strcasecmp(protos[i].name, name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

const char *sdp_attr(const struct gw_sdp_level *level, const char *name)
{
	for (size_t i = 0; i < level->n_attrs; i++) {
		if (strcmp(level->attrs[i].name, name) == 0) {
			return level->attrs[i].value;
		}
	}
	return NULL;
}

/* ---- address ---- */

/* A peer must not make us send to everybody. */
static bool is_single_host(int family, const void *bytes)
{
	const uint8_t *b = bytes;

	return family == AF_INET ? b[0] < 224 : b[0] != 0xff;
}

static bool is_unspecified(int family, const void *bytes)
{
	static const uint8_t zero[16];

	return memcmp(bytes, zero, family == AF_INET ? 4 : 16) == 0;
}

const char *sdp_address(const gw_sdp *sdp, const struct gw_sdp_media *m, char ret_ip[46])
{
	const char *conn = m->level.conn ? m->level.conn : sdp->level.conn, *ip;
	uint8_t bytes[16];
	int family;

	ret_ip[0] = '\0';
	if (!conn) {
		return "no address";
	}
	family = g_ascii_strncasecmp(conn, "IN IP4 ", 7) == 0 ? AF_INET : g_ascii_strncasecmp(conn, "IN IP6 ", 7) == 0 ? AF_INET6 : 0;
	ip = conn + 7;
	if (family == 0 || inet_pton(family, ip, bytes) != 1) {
		return "the address is no literal one";
	}
	if (!is_single_host(family, bytes)) {
		return "the address is that of a group";
	}
	if (!is_unspecified(family, bytes)) {
		(void)inet_ntop(family, bytes, ret_ip, 46);
	}
	return NULL;
}

/* RFC 3605: "5005" or "5005 IN IP4 192.0.2.1"; another host than c= is not believed. */
static unsigned rtcp_port(const struct gw_sdp_media *m)
{
	g_autofree char *word = m->rtcp ? g_strndup(m->rtcp, strcspn(m->rtcp, " ")) : NULL;
	uint64_t n;

	return word && sdp_number(word, 65535, &n) && n > 0 ? (unsigned)n : MIN(m->port + 1, 65535);
}

/* ---- keys ---- */

static void read_cryptos(const struct gw_sdp_media *m, struct gw_sdp_peer *ret)
{
	ret->crypto_why = "no a=crypto";
	for (size_t i = 0; i < m->level.n_attrs && ret->n_cryptos < GW_SDP_CRYPTO_MAX; i++) {
		const struct gw_sdp_attr *a = &m->level.attrs[i];
		const char *why = NULL;

		if (strcmp(a->name, "crypto") == 0 && gw_sdp_crypto_read(a->value, &ret->cryptos[ret->n_cryptos], &why)) {
			ret->n_cryptos++;
		}
		ret->crypto_why = why ? why : ret->crypto_why;
	}
	ret->crypto_why = ret->n_cryptos > 0 ? NULL : ret->crypto_why;
}

static void read_dtls(const gw_sdp *sdp, const struct gw_sdp_media *m, struct gw_sdp_peer *ret)
{
	const struct gw_sdp_level *own = &m->level, *all = &sdp->level;

	ret->ufrag = own->ice_ufrag ? own->ice_ufrag : all->ice_ufrag;
	ret->pwd = own->ice_pwd ? own->ice_pwd : all->ice_pwd;
	ret->ice = ret->ufrag && ret->pwd;
	ret->fingerprint = own->n_fingerprints > 0 ? sdp_sha256_of(own) : sdp_sha256_of(all);
	ret->setup = own->setup ? own->setup : all->setup;
}

/* ---- bandwidth ---- */

static int64_t bandwidth(const struct gw_sdp_level *level)
{
	static const struct { const char *type; int64_t unit; } rows[] = { { "TIAS", 1 }, { "AS", 1000 }, { "CT", 1000 } };

	for (size_t r = 0; r < G_N_ELEMENTS(rows); r++) {
		for (size_t i = 0; i < level->n_bandwidths; i++) {
			const struct gw_sdp_bandwidth *b = &level->bandwidths[i];

			if (strcmp(b->type, rows[r].type) == 0 && b->value > 0 && b->value < 1000000000 / (uint64_t)rows[r].unit) {
				return (int64_t)b->value * rows[r].unit;
			}
		}
	}
	return 0;
}

#define SOUND_BPS 64000
static int64_t line_bandwidth(const gw_sdp *sdp, const struct gw_sdp_media *m)
{
	int64_t own = bandwidth(&m->level), all = bandwidth(&sdp->level);

	if (own > 0 || m->type != GW_SDP_VIDEO) {
		return own;
	}
	return all > 2 * SOUND_BPS ? all - SOUND_BPS : all;	/* the session's counts the sound too */
}

/* ---- */

static const char *why_not(const struct gw_sdp_media *m, const struct gw_sdp_peer *peer, int proto)
{
	if (m->port == 0 && !m->bundle_only) {
		return "port 0";
	}
	if (m->type != GW_SDP_AUDIO && m->type != GW_SDP_VIDEO) {
		return "neither audio nor video";
	}
	if (!m->is_rtp || proto < 0) {
		return "unknown transport profile";
	}
	if (protos[proto].dtls && !peer->fingerprint) {
		return "no SHA-256 fingerprint";
	}
	return NULL;
}

void gw_sdp_read_peer(const gw_sdp *sdp, size_t index, struct gw_sdp_peer *ret)
{
	const struct gw_sdp_media *m = &sdp->media[index];
	int proto = find_proto(m->proto);
	const char *address;

	*ret = (struct gw_sdp_peer){ .kind = m->type == GW_SDP_VIDEO ? MCU_VIDEO : MCU_AUDIO, .content = gw_sdp_content(m),
				     .dir = gw_sdp_dir(sdp, m), .port = m->port, .rtcp_mux = m->rtcp_mux };
	ret->keyed = proto >= 0 && protos[proto].keyed;
	ret->avpf = proto >= 0 && protos[proto].avpf;
	ret->bundled = gw_sdp_is_bundled(sdp, m);
	ret->bps = line_bandwidth(sdp, m);
	ret->rtcp_port = m->rtcp_mux ? 0 : rtcp_port(m);
	read_dtls(sdp, m, ret);
	read_cryptos(m, ret);
	ret->why = why_not(m, ret, proto);
	address = sdp_address(sdp, m, ret->ip);
	if (!ret->why && !(m->bundle_only && m->port == 0)) {
		ret->why = address;
	}
	if (!ret->ip[0] && !ret->ice) {	/* trickling browsers write 0.0.0.0 and mean nothing by it */
		ret->dir = (enum gw_sdp_dir)(ret->dir & ~GW_SDP_RECV);
	}
}
