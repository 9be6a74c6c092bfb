/* m=application of BFCP (RFC 8856; RFC 4583 where it is older). */
#include <stdlib.h>
#include <string.h>

#include "gateway/sdp/sdp_priv.h"

/* Streams say who connects and datagrams which versions (5.6); what is secure says its certificate's hash. */
static const struct proto { const char *name; bool stream, secure; } protos[] = {
	{ "UDP/BFCP", false, false }, { "TCP/BFCP", true, false }, { "TCP/TLS/BFCP", true, true }, { "UDP/TLS/BFCP", false, true },
};

static const struct proto *proto_of(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(protos); i++) {
		if (g_ascii_strcasecmp(protos[i].name, name) == 0) {
			return &protos[i];
		}
	}
	return NULL;
}

bool gw_sdp_is_floor(const struct gw_sdp_media *m)
{
	return m->type == GW_SDP_APPLICATION && g_str_has_suffix(m->proto, "/BFCP");
}

/* 5.1: any of c-only, s-only, c-s; absent: an offerer asks, an answerer serves, the caller knows which. */
static void read_roles(const char *value, struct gw_sdp_floor *ret)
{
	g_auto(GStrv) words = g_strsplit(value ? value : "", " ", 8);

	for (char **w = words; *w; w++) {
		bool both = strcmp(*w, "c-s") == 0;

		ret->may_serve |= both || strcmp(*w, "s-only") == 0;
		ret->may_ask |= both || strcmp(*w, "c-only") == 0;
	}
}

static uint64_t number(const struct gw_sdp_level *level, const char *name, uint64_t max)
{
	const char *value = sdp_attr(level, name);
	uint64_t n;

	return value && sdp_number(value, max, &n) ? n : 0;
}

/* "2 mstrm:10 11", in old texts "1 m-stream:3" */
static void read_floor_id(const char *value, struct gw_sdp_floor *ret)
{
	g_autofree char *copy = g_strdup(value);
	char *rest = copy, *word = sdp_word(&rest), *colon;
	uint64_t n;

	if (!sdp_number(word, UINT16_MAX, &n)) {
		return;
	}
	ret->floor = (uint16_t)n;
	word = sdp_word(&rest);
	colon = word ? strchr(word, ':') : NULL;
	if (colon) {
		g_strlcpy(ret->stream, colon + 1, sizeof(ret->stream));
	}
}

void gw_sdp_read_floor(const gw_sdp *sdp, size_t index, struct gw_sdp_floor *ret)
{
	const struct gw_sdp_media *m = &sdp->media[index];
	const struct gw_sdp_level *own = &m->level;
	const char *address;
	const struct proto *proto = proto_of(m->proto);

	*ret = (struct gw_sdp_floor){ .port = m->port };
	read_roles(sdp_attr(own, "floorctrl"), ret);
	ret->conference = (uint32_t)number(own, "confid", UINT32_MAX);
	ret->user = (uint32_t)number(own, "userid", UINT16_MAX);
	read_floor_id(sdp_attr(own, "floorid"), ret);
	ret->setup = own->setup ? own->setup : sdp->level.setup;
	ret->fingerprint = own->n_fingerprints > 0 ? sdp_sha256_of(own) : sdp_sha256_of(&sdp->level);
	address = sdp_address(sdp, m, ret->ip);
	ret->proto = proto ? proto->name : NULL;
	ret->why = m->port == 0 ? "port 0" : !proto ? "unknown transport of BFCP" : address;
	if (!ret->why && !ret->ip[0]) {
		ret->why = "no address";
	}
	if (!ret->why && proto->secure && !ret->fingerprint) {
		ret->why = "no SHA-256 fingerprint";
	}
}

static void put(gw_sdp *sdp, struct gw_sdp_media *m, const char *name, char *value)
{
	struct gw_sdp_attr *a = SDP_APPEND(m->level.attrs, m->level.n_attrs);

	a->name = name;
	a->value = gw_sdp_str(sdp, value);
	g_free(value);
}

void sdp_put_floor(gw_sdp *sdp, struct gw_sdp_media *m, const struct gw_sdp_floor *f)
{
	put(sdp, m, "floorctrl", g_strdup(f->may_serve ? f->may_ask ? "c-s" : "s-only" : "c-only"));
	if (f->may_serve) {	/* 5.2, 5.3: ids come from the server */
		put(sdp, m, "confid", g_strdup_printf("%u", f->conference));
		put(sdp, m, "userid", g_strdup_printf("%u", f->user));
		put(sdp, m, "floorid", g_strdup_printf("%u mstrm:%s", f->floor, f->stream));
	}
	const struct proto *proto = proto_of(m->proto);

	if (proto && proto->stream) {
		put(sdp, m, "connection", g_strdup("new"));
	} else {
		put(sdp, m, "bfcpver", g_strdup("1 2"));	/* datagrams are version 2; old gear wants to read 1 */
	}
	if (proto && (proto->stream || proto->secure)) {
		m->level.setup = f->setup;
	}
	if (proto && proto->secure && f->fingerprint) {
		sdp_put_fingerprint(sdp, m, f->fingerprint);
	}
}
