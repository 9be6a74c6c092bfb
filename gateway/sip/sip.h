/* SIP (RFC 3261) legs: rooms, soft phones, hardware MCUs. sofia-sip stays behind this wall. Loop thread (its GMainContext).
 *
 * One call is one gw_leg (slots "audio", "main", "content") and, in the engine, one transport an m-line: published streams
 * are "<party>.audio", "<party>.video", "<party>.slides". Legs come from gw_sip_call() or from ops->on_call. Everything that
 * decides (who may call, which conference a number is, what a floor request gets) is asked of the application by ops. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/leg/leg.h"
#include "mcu/proto/client.h"

typedef struct gw_sip gw_sip;

/* A zone (security.md): one set of listeners, one address told to peers. */
struct gw_sip_zone {
	const char *name;		/* "default" when there is one */
	const char *bind;		/* literal address or "*" */
	const char *announce;		/* address in Contact, Via and SDP; NULL = bind */
	uint16_t port, tls_port;	/* UDP and TCP; TLS. 0 = not served; tests: GW_SIP_ANY_PORT */
	bool plain_rtp;			/* RTP without keys may be offered and taken here */
	bool md5;			/* digest MD5 for devices whose record says so */
};
#define GW_SIP_ANY_PORT 65535	/* the kernel's choice: gw_sip_port() tells */

/* A peer system: hardware MCU, proxy, another Ortoo. A row of the configuration. */
struct gw_sip_trunk {
	const char *name, *zone;
	const char *address;		/* "sip:mcu.example;transport=tcp" */
	const char *user, *password;	/* digest, tied to this trunk and realm; NULL = none */
	bool enroll;			/* we register there (outbound registration) */
	const char *conference;		/* number there that we join, NULL = by caller */
	const char *dtmf;		/* digits after the answer (conference password), ',' = 1 s */
	const char *number;		/* conference of ours that its calls land in, NULL = the called number */
	const char *layout;		/* view that it is sent: "speaker", "program" .. */
	int64_t max_bps;
	const char *security;		/* "none", "sdes", "dtls", "ice" (dtls with ICE in our offers too); NULL = as offered */
	const char *ca;			/* TLS: PEM that its certificate must come from, with the address's name; NULL = of the stack */
	const char *fingerprint;	/* TLS: SHA-256 of its certificate in hex; name and authority do not count then */
	bool keep;			/* call again after a loss, in the same cell */
};
struct gw_sip_conf {
	const struct gw_sip_zone *zones;
	size_t n_zones;
	const struct gw_sip_trunk *trunks;
	size_t n_trunks;
	const char *certificate, *key;	/* PEM; NULL = no TLS */
	const char *ca;			/* PEM to check peers' certificates; NULL = system */
	const char *realm, *room;	/* engine room of the streams */
	const char *quirks;		/* folder of quirk rows (peers.d), NULL = built in only */
	unsigned max_calls, max_registrations;	/* 0 = 512, 4096 */
};
struct gw_sip_device { char *party, *name; char *ha1_sha256, *ha1_md5; bool allow_md5; };	/* HA1 of RFC 7616; NULL = none */
struct gw_sip_call_in {		/* an INVITE, authenticated or of a trunk; borrowed */
	const char *number;		/* user part that was called */
	const char *from, *name;	/* URI and display name of the caller */
	const char *device;		/* authenticated user, NULL = none */
	const char *trunk, *zone, *agent;
	const char *replaces;		/* leg that it takes over (RFC 3891), or NULL */
	const char *path;		/* of a trunk: its Ortoo-Path, NULL = it says none */
};
/* Floor control of a peer. We serve it: ASKED, GIVEN_BACK. The peer serves: PRESENTS (somebody there does, and it is not us),
 * ENDS; and of what we asked for: REFUSED, TAKEN_BACK. */
enum gw_sip_floor_news { GW_SIP_FLOOR_GIVEN_BACK, GW_SIP_FLOOR_ASKED, GW_SIP_FLOOR_ENDS, GW_SIP_FLOOR_PRESENTS, GW_SIP_FLOOR_REFUSED,
			 GW_SIP_FLOOR_TAKEN_BACK };
struct gw_sip_ops {
	void (*media)(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *user_data);
	/* Party name of an accepted caller (transfer full), or NULL and *ret_status (403, 404, 486 ..). The leg then exists:
	 * gw_leg_answer() or gw_leg_hangup() it, at once or later. */
	char *(*on_call)(const struct gw_sip_call_in *in, unsigned *ret_status, void *user_data);
	void (*on_leg)(gw_leg *leg, const struct gw_sip_call_in *in, void *user_data);
	bool (*device)(const char *user, struct gw_sip_device *ret, void *user_data);	/* false = unknown: same answer, same time */
	void (*on_registered)(const char *user, const char *contact, int64_t expires_s, void *user_data);	/* 0 = gone */
	void (*on_trunk)(const char *trunk, const char *state, const char *why, void *user_data);	/* up, down, refused .. */
	/* ASKED is answered by gw_sip_floor(), at once or later. */
	void (*on_floor)(gw_leg *leg, enum gw_sip_floor_news news, void *user_data);
	/* REFER: the peer wants to be moved to another number. true = taken. */
	bool (*on_refer)(gw_leg *leg, const char *to, void *user_data);
	/* Loops of trunks (header Ortoo-Path, both may be NULL): what is said to the peer, (transfer full), NULL = nothing; and
	 * what it says in its answer, false = a loop: the call ends. */
	char *(*path)(gw_leg *leg, void *user_data);
	bool (*on_path)(gw_leg *leg, const char *path, void *user_data);
	/* A phone of this account does not get in for a reason that somebody can mend (it knows MD5 only ..); may be NULL. */
	void (*on_unanswered)(const char *user, const char *why, void *user_data);
};
gw_sip *gw_sip_new(GMainContext *context, const struct gw_sip_conf *conf, const struct gw_sip_ops *ops,
		   const struct gw_leg_listener *listener, void *user_data, GError **err);
void gw_sip_free(gw_sip *sip);	/* BYE to all, unregister; waits at most 1 s in the loop */
unsigned gw_sip_port(const gw_sip *sip, const char *zone, const char *transport);	/* "udp", "tcp", "tls" */

/* A leg that has not dialled yet: gw_leg_dial() with "sip:..", "sips:..", "trunk:NAME/number" or "device:USER". */
gw_leg *gw_sip_call(gw_sip *sip, const char *id, const char *party, GError **err);
enum gw_sip_floor { GW_SIP_FLOOR_GRANT, GW_SIP_FLOOR_DENY, GW_SIP_FLOOR_REVOKE, GW_SIP_FLOOR_TAKEN, GW_SIP_FLOOR_FREE };
int gw_sip_floor(gw_leg *leg, enum gw_sip_floor what);	/* TAKEN, FREE: somebody else has or left it; -ENOTSUP without BFCP */
int gw_sip_refer(gw_leg *leg, const char *to);		/* ask the peer to call somebody else */
bool gw_sip_registered(gw_sip *sip, const char *user);	/* it has a contact now */
void gw_sip_forgive(gw_sip *sip, const char *user);	/* the account was changed: its phone may try again at once */
void gw_sip_foreach(gw_sip *sip, void (*fn)(gw_leg *leg, void *user_data), void *user_data);
gw_leg *gw_sip_find(gw_sip *sip, const char *id);

/* What the engine says. */
void gw_sip_transport_state(gw_sip *sip, const struct mcu_transport_state *state);
void gw_sip_transport_lost(gw_sip *sip, const char *transport, const char *why);	/* re-INVITE with new transports */
void gw_sip_dtmf(gw_sip *sip, const struct mcu_dtmf_event *event);
void gw_sip_keyframe(gw_sip *sip, const char *stream);	/* RFC 5168 for a peer without RTCP feedback */
char *gw_sip_dump(const gw_sip *sip);	/* listeners, trunks, registrations, calls, counters: JSON text, (transfer full) */
