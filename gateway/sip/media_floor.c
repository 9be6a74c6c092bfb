/* The floor of the second picture: which side serves, and what passes between the link and the application. */
#include <errno.h>
#include <string.h>

#include "gateway/sip/media_state_priv.h"

#define FLOOR 1	/* one conference, one floor: the ids mean nothing outside of the link */
#define CONFERENCE 1
#define USER 2

static void on_request(gw_bfcp_link *link, void *user_data)
{
	struct sip_media *m = user_data;

	m->ops.on_floor(m, GW_SIP_FLOOR_ASKED, m->user_data);
}

static void on_release(gw_bfcp_link *link, void *user_data)
{
	struct sip_media *m = user_data;

	m->ops.on_floor(m, GW_SIP_FLOOR_GIVEN_BACK, m->user_data);
}

/* The peer serves (a hardware MCU). To wait there means that somebody of theirs presents: its word is told again. A request that
 * nobody answered (CANCELLED) says nothing: what old equipment shows it shows without BFCP. */
static void on_status(gw_bfcp_link *link, enum gw_bfcp_status status, void *user_data)
{
	struct sip_media *m = user_data;

	if (status == GW_BFCP_DENIED) {
		m->ops.on_floor(m, GW_SIP_FLOOR_REFUSED, m->user_data);
	} else if (status == GW_BFCP_REVOKED) {
		m->ops.on_floor(m, GW_SIP_FLOOR_TAKEN_BACK, m->user_data);
	} else if (status == GW_BFCP_PENDING && m->mastered) {
		m->ops.on_floor(m, GW_SIP_FLOOR_PRESENTS, m->user_data);
	}
}

/* Who presents there presents here. */
static void on_floor(gw_bfcp_link *link, bool held, bool by_us, void *user_data)
{
	struct sip_media *m = user_data;
	bool theirs = held && !by_us;

	if (theirs != m->mastered) {
		m->mastered = theirs;
		m->ops.on_floor(m, theirs ? GW_SIP_FLOOR_PRESENTS : GW_SIP_FLOOR_ENDS, m->user_data);
	}
}

/* Whoever presented there is not known to any more; the floor is asked about again when the peer is back. */
static void on_gone(gw_bfcp_link *link, const char *why, void *user_data)
{
	on_floor(link, false, false, user_data);
}

static const struct gw_bfcp_ops ops = { on_request, on_release, on_status, on_floor, on_gone };

void floor_close(struct line *l)
{
	if (l->link) {
		gw_bfcp_link_free(g_steal_pointer(&l->link));
	}
}

static const struct { const char *proto; enum gw_bfcp_transport transport; } protos[] = {
	{ "UDP/BFCP", GW_BFCP_UDP }, { "TCP/BFCP", GW_BFCP_TCP }, { "TCP/TLS/BFCP", GW_BFCP_TLS }, { "UDP/TLS/BFCP", GW_BFCP_DTLS },
};

static void say(struct sip_media *m, struct line *l, bool may_serve, bool may_ask)
{
	bool secure = l->bfcp == GW_BFCP_TLS || l->bfcp == GW_BFCP_DTLS;

	l->floor = (struct gw_sdp_floor){ .may_serve = may_serve, .may_ask = may_ask, .conference = CONFERENCE, .user = USER,
					  .floor = FLOOR, .port = gw_bfcp_link_port(l->link), .setup = GW_SDP_PASSIVE,
					  .fingerprint = secure ? gw_bfcp_fingerprint(m->conf.bfcp) : NULL };
	g_strlcpy(l->floor.stream, "12", sizeof(l->floor.stream));
}

static bool open_link(struct sip_media *m, struct line *l, enum gw_bfcp_transport transport, bool server,
		      const struct gw_sdp_floor *peer)
{
	struct gw_bfcp_link_conf conf = { .transport = transport, .server = server, .conference = CONFERENCE, .user = USER,
					  .floor = FLOOR };
	g_autoptr(GError) err = NULL;

	if (peer && !server) {
		conf.conference = peer->conference;
		conf.user = peer->user;
		conf.floor = peer->floor;
	}
	conf.active = peer && peer->setup == GW_SDP_PASSIVE;
	conf.fingerprint = peer ? peer->fingerprint : NULL;
	l->bfcp = transport;
	l->serves = server;
	l->link = gw_bfcp_link_new(m->conf.bfcp, &conf, &ops, m, &err);
	if (!l->link) {
		g_free(l->why);
		l->why = g_strdup(err ? err->message : "no link");
	}
	return l->link != NULL;
}

/* Who serves is open (c-s): a hardware MCU takes the floor, a room system leaves it to us. */
void floor_offer(struct sip_media *m, struct line *l)
{
	bool dtls = media_quirk(m, SIP_QUIRK_BFCP_DTLS) && gw_bfcp_fingerprint(m->conf.bfcp);
	enum gw_bfcp_transport transport = dtls ? GW_BFCP_DTLS : media_quirk(m, SIP_QUIRK_BFCP_TCP) ? GW_BFCP_TCP : GW_BFCP_UDP;

	if (!l->link && !open_link(m, l, transport, true, NULL)) {
		return;
	}
	if (!l->on) {
		g_free(l->proto);
		l->proto = g_strdup(protos[transport].proto);
		say(m, l, true, true);
		l->floor.setup = dtls ? GW_SDP_ACTPASS : GW_SDP_PASSIVE;	/* RFC 5763 5; streams: our listener is open */
	}
}

static const char *connect_link(struct line *l, const struct gw_sdp_floor *peer)
{
	g_autoptr(GError) err = NULL;

	return gw_bfcp_link_connect(l->link, peer->ip, (uint16_t)peer->port, peer->fingerprint, &err) ? NULL :
		       "the floor's address cannot be used";
}

/* RFC 8856 5.1: who answers s-only serves; c-s in an answer is the old form of both, and we offered to serve. */
const char *floor_take_answer(struct sip_media *m, struct line *l, const struct gw_sdp_floor *peer)
{
	bool server = peer->may_ask || !peer->may_serve;

	if (!server && l->serves) {
		gw_bfcp_link_set_role(l->link, false, peer->conference, peer->user, peer->floor);
		l->serves = false;
	}
	l->floor.may_serve = l->serves;
	l->floor.may_ask = !l->serves;
	if (l->bfcp == GW_BFCP_DTLS) {
		l->floor.setup = peer->setup == GW_SDP_PASSIVE ? GW_SDP_ACTIVE : GW_SDP_PASSIVE;
		gw_bfcp_link_set_active(l->link, l->floor.setup == GW_SDP_ACTIVE);
	}
	return connect_link(l, peer);
}

const char *floor_take_offer(struct sip_media *m, struct line *l, const struct gw_sdp_floor *peer)
{
	bool server = peer->may_ask || !peer->may_serve;	/* absent: who offers asks */
	enum gw_bfcp_transport transport = GW_BFCP_UDP;

	if (!m->conf.bfcp) {
		return "no floor control";
	}
	for (size_t i = 0; i < G_N_ELEMENTS(protos); i++) {
		transport = strcmp(protos[i].proto, peer->proto) == 0 ? protos[i].transport : transport;
	}
	if (l->link && (l->bfcp != transport || l->serves != server)) {
		floor_close(l);
	}
	if (!l->link && !open_link(m, l, transport, server, peer)) {
		return "the floor's port cannot be opened";
	}
	say(m, l, server, !server);
	if (peer->setup == GW_SDP_PASSIVE) {
		l->floor.setup = GW_SDP_ACTIVE;
	}
	return connect_link(l, peer);
}

/* ---- the application's word ---- */

static struct line *floor_line(const struct sip_media *m)
{
	for (guint i = 0; i < m->lines->len; i++) {
		struct line *l = m->lines->pdata[i];

		if (l->on && l->link) {
			return l;
		}
	}
	return NULL;
}

static void serve(gw_bfcp_link *link, enum gw_sip_floor what)
{
	switch (what) {
	case GW_SIP_FLOOR_GRANT:
		gw_bfcp_link_grant(link);
		break;
	case GW_SIP_FLOOR_DENY:
		gw_bfcp_link_deny(link, "somebody else presents");
		break;
	case GW_SIP_FLOOR_REVOKE:
		gw_bfcp_link_revoke(link, "taken back");
		break;
	case GW_SIP_FLOOR_TAKEN:
	case GW_SIP_FLOOR_FREE:
		gw_bfcp_link_tell(link, what == GW_SIP_FLOOR_TAKEN);
		break;
	}
}

/* At the peer's server we are one that asks: for as long as somebody of ours presents. */
int sip_media_floor(struct sip_media *m, enum gw_sip_floor what)
{
	struct line *l = floor_line(m);

	if (!l) {
		return -ENOTSUP;
	}
	if (l->serves) {
		serve(l->link, what);
	} else if (what == GW_SIP_FLOOR_TAKEN) {
		gw_bfcp_link_request(l->link);
	} else if (what == GW_SIP_FLOOR_FREE) {
		gw_bfcp_link_release(l->link);
	}
	return 0;
}
