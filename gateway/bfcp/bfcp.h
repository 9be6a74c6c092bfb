/* BFCP (RFC 8855; over SDP: RFC 8856): who may send the second picture. A floor of a conference is one token in the domain
 * (content_token); this folder speaks it to room systems, as floor control server or as client, over UDP, TCP, TLS and DTLS.
 * Loop thread. A link belongs to one SIP leg. Foreign bytes: at most 1,500 bytes a message, 64 attributes, depth 3.
 *
 * Closing: gw_bfcp_link_free() is silent; a connection that breaks is told once by on_gone, and is dialled or awaited anew
 * (TCP) until the link is freed. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct gw_bfcp gw_bfcp;
typedef struct gw_bfcp_link gw_bfcp_link;

enum gw_bfcp_transport { GW_BFCP_UDP, GW_BFCP_TCP, GW_BFCP_TLS,	/* "UDP/BFCP", "TCP/BFCP", "TCP/TLS/BFCP", */
			 GW_BFCP_DTLS };	/* "UDP/TLS/BFCP" */
enum gw_bfcp_status { GW_BFCP_PENDING = 1, GW_BFCP_ACCEPTED, GW_BFCP_GRANTED, GW_BFCP_DENIED, GW_BFCP_CANCELLED,
		      GW_BFCP_RELEASED, GW_BFCP_REVOKED };	/* RFC 8855 5.2.5 */

struct gw_bfcp_conf { const char *address;	/* literal, of the zone; "" = any */
		      const char *certificate, *key;	/* PEM files for TLS; NULL = no TLS */ };
struct gw_bfcp_ops {
	/* Server: the peer asks for the floor, or gives it back. Answer with gw_bfcp_link_grant/deny, now or later. */
	void (*on_request)(gw_bfcp_link *l, void *user_data);
	void (*on_release)(gw_bfcp_link *l, void *user_data);
	/* Client: what the peer's server says of our request, and whether somebody holds the floor there. */
	void (*on_status)(gw_bfcp_link *l, enum gw_bfcp_status status, void *user_data);
	void (*on_floor)(gw_bfcp_link *l, bool held, bool by_us, void *user_data);
	void (*on_gone)(gw_bfcp_link *l, const char *why, void *user_data);
};
gw_bfcp *gw_bfcp_new(GMainContext *context, const struct gw_bfcp_conf *conf, GError **err);
void gw_bfcp_free(gw_bfcp *b);	/* after its links */
const char *gw_bfcp_fingerprint(const gw_bfcp *b);	/* "AA:BB:..", SHA-256 of our certificate for a=fingerprint; NULL = no TLS */

struct gw_bfcp_link_conf {
	enum gw_bfcp_transport transport;
	bool server;		/* we are floor control server (a=floorctrl:s-only / c-s) */
	bool active;		/* TCP, TLS: we connect; DTLS: we begin (a=setup:active) */
	uint32_t conference, user;	/* a=confid, a=userid: of the peer when we serve, ours when we are client */
	uint16_t floor;		/* a=floorid */
	const char *fingerprint;	/* TLS, DTLS: SHA-256 of the peer's certificate as signalled; compared */
};
gw_bfcp_link *gw_bfcp_link_new(gw_bfcp *b, const struct gw_bfcp_link_conf *conf, const struct gw_bfcp_ops *ops,
			       void *user_data, GError **err);
void gw_bfcp_link_free(gw_bfcp_link *l);
uint16_t gw_bfcp_link_port(const gw_bfcp_link *l);	/* to put into the m-line; 9 when active */
/* Before connect: an offer leaves open who serves (a=floorctrl:c-s) and, with DTLS, who begins (a=setup:actpass); the answer tells. */
void gw_bfcp_link_set_role(gw_bfcp_link *l, bool server, uint32_t conference, uint32_t user, uint16_t floor);
void gw_bfcp_link_set_active(gw_bfcp_link *l, bool active);	/* DTLS only: a stream's listener is open already */
/* The peer's side as signalled, and again when it changes. Only this address is heard. */
bool gw_bfcp_link_connect(gw_bfcp_link *l, const char *ip, uint16_t port, const char *fingerprint, GError **err);
/* Server side. */
void gw_bfcp_link_grant(gw_bfcp_link *l);
void gw_bfcp_link_deny(gw_bfcp_link *l, const char *why);
void gw_bfcp_link_revoke(gw_bfcp_link *l, const char *why);
void gw_bfcp_link_tell(gw_bfcp_link *l, bool held);	/* FloorStatus: somebody else holds the floor, or nobody */
/* Client side. */
void gw_bfcp_link_request(gw_bfcp_link *l);
void gw_bfcp_link_release(gw_bfcp_link *l);
char *gw_bfcp_stats(const gw_bfcp *b);	/* counters as JSON object text, (transfer full) */
