/* Inside of gateway/sip: what its files share. One nta agent a zone on one su_root, that runs on the gateway's loop.
 *
 *   stack.c     timers, life of the whole, dump            entry.c  requests outside of dialogs: table, rates, who may
 *   zone.c      agents, listeners                          way.c    next hops              front_priv.h  TLS
 *   call.c      a call's life, farewell to peers           uac.c    INVITEs of ours      uas.c  INVITEs of peers
 *   dialog.c    inside a dialog: re-INVITE, INFO ...       exchange.c  offers and answers between dialog and media
 *   registrar.c bindings        trunk.c  peers             session.c   session timers
 *   keep.c      what trunks' rows ask of calls   farewell.c  what is owed after the end   stun.c  none
 *   limit.c auth.c deaf.c digest.c uri.c frame.c: pure
 *
 * Life of a call: the application owns it (gw_leg_free); callbacks of the stack hold a reference while they run. `dead` is
 * set when the leg ends, by whichever side: from then on the call has no dialog, no transaction, no media and no timer, and
 * what is still owed to the peer (CANCEL's late 200, BYE) is a `farewell` of its own. */
#pragma once
struct zone;
struct call;
#define NTA_AGENT_MAGIC_T struct zone
#define NTA_LEG_MAGIC_T struct call
#define NTA_OUTGOING_MAGIC_T void
#define NTA_INCOMING_MAGIC_T void
#define NTA_RELIABLE_MAGIC_T struct call
#define SU_ROOT_MAGIC_T struct gw_sip

#include <gio/gio.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>

#include "gateway/sip/deaf_priv.h"
#include "gateway/sip/digest_priv.h"
#include "gateway/sip/front_priv.h"
#include "gateway/sip/limit_priv.h"
#include "gateway/sip/media_priv.h"
#include "gateway/sip/uri_priv.h"
#include "mcu/base/clock.h"
#include "mcu/base/log.h"

#define SIP_AGENT	"Ortoo/" ORT_VERSION
#define SIP_ALLOW	"INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO, REFER, NOTIFY"
#define SIP_PATH	"Ortoo-Path"	/* conferences on the way, to find loops of bridges; of ours, not registered */
#define SIP_SUPPORTED	"timer, 100rel, replaces, norefersub"

enum { SIP_UDP, SIP_TCP, SIP_TLS, SIP_TRANSPORT_N };
extern const char *const sip_transport_names[SIP_TRANSPORT_N];

struct sip_counters {
#define X(name, doc) uint64_t name;
#include "gateway/sip/counters.def"
#undef X
};

struct zone {
	gw_sip *sip;
	nta_agent_t *agent;
	struct gw_sip_zone conf;	/* strings owned */
	unsigned port[SIP_TRANSPORT_N];	/* tls: of the front */
	struct zone *base, *twin;	/* plain: itself, and the zone of its TLS or NULL; TLS: the plain one, NULL */
	struct sip_front *front;	/* of a TLS zone: what its agent speaks through; strings of conf are the base's */
	char *tls_why;			/* why there is no twin, though one is wanted */
};

struct binding {	/* one contact of a registered device */
	char *user, *contact, *route, *agent, *call_id;
	struct zone *zone;
	uint32_t cseq;
	int64_t until_us, since_us;
};

enum trunk_state { TRUNK_DOWN, TRUNK_UP, TRUNK_REFUSED };
struct trunk {
	gw_sip *sip;
	struct zone *zone;
	struct gw_sip_trunk conf;	/* strings owned */
	char *uri, *host;		/* address without user; its host */
	unsigned port;			/* its port, 0 = by its name */
	bool tls, tcp;
	GPtrArray *hops;		/* RFC 3263: URIs of its servers by literal address, best first; empty = by its address */
	unsigned hop, tried;		/* the one in use; how many this attempt has seen */
	bool looked;			/* its name was asked for once at least */
	char *route;			/* TLS: where its requests go */
	GPtrArray *literals;		/* what the host is, canonical texts: who comes from there is the trunk */
	enum trunk_state state;
	char *why;
	int64_t since_ms;
	unsigned failures, calls;
	nta_outgoing_t *asking;		/* REGISTER or OPTIONS under way */
	char *call_id, *from_tag;
	uint32_t cseq;
	struct sip_answer answer;
	bool challenged;		/* this attempt was answered once already */
	GSource *timer, *look_timer;
	GCancellable *looking;
};

struct gw_sip {
	GMainContext *context;
	su_root_t *root;
	GSource *source, *tick;
	GPtrArray *zones, *trunks;
	GHashTable *calls;		/* leg id -> call, borrowed */
	GHashTable *bindings;		/* user -> GPtrArray of binding */
	GHashTable *farewells;		/* set of struct farewell */
	struct gw_sip_ops ops;
	struct gw_leg_listener listener;
	void *user_data;
	char *realm, *room;
	struct sip_quirks *quirks;
	char *certificate, *key, *ca;
	struct sip_limit *limit;
	struct sip_auth *auth;
	struct sip_deaf *deaf;
	unsigned max_calls, max_registrations, n_registrations;
	uint64_t serial;
	gw_bfcp *bfcp;
	struct sip_counters counters;
};

/* Where the one offer/answer exchange of a dialog stands. */
enum exchange {
	X_IDLE,
	X_MAKING_OFFER,		/* media writes ours */
	X_OFFERED,		/* ours is with the peer */
	X_MAKING_ANSWER,	/* media reads the peer's */
	X_TAKING_ANSWER,	/* media reads the peer's answer */
};

struct call {
	gw_leg leg;		/* first */
	gw_sip *sip;		/* NULL: the stack is gone */
	struct zone *zone;
	struct trunk *trunk;	/* NULL = none */
	char *device, *agent, *peer, *call_id, *number;
	char *target, *route;	/* UAC: request URI; next hop that the URI does not tell (NAT, registered connection) */
	char *contact;		/* ours, with brackets */
	GQueue targets;		/* UAC: further char* to try: 302, more bindings */
	unsigned refs, redirects, transport, hops_tried;
	bool ours;		/* we opened the dialog */
	bool dead, freed;
	bool was_up, by_peer_end;
	bool late_offer;	/* UAC: INVITE without SDP */
	bool ice;		/* UAC: our offer has ICE */
	bool secure;		/* TLS on our hop */
	bool answering;		/* UAS: gw_leg_answer() came */
	bool replied;		/* UAS: 2xx is out, ACK is awaited */
	bool confirmed;		/* ACK sent or received */
	bool media_up, by_peer_hold, again;
	bool can_update;
	bool aimed;		/* the route is our choice, not the peer's or a registration's */
	bool redirected;	/* the target is not where the trunk's credentials belong */
	int64_t max_bps;
	struct sip_media *media;
	enum exchange exchange;
	nta_leg_t *dialog;
	nta_outgoing_t *invite;		/* ours under way */
	nta_outgoing_t *updating;	/* a session refresh of ours */
	nta_incoming_t *request;	/* the peer's INVITE or UPDATE that is not finished */
	uint32_t invite_cseq, last_rseq;
	char *early_answer;		/* SDP of a reliable 1xx */
	char *main_source;		/* what the leg is fed in "main" */
	char *offer;		/* SDP of our INVITE under way, to say it again */
	struct sip_answer answer;
	bool challenged;
	char *replaces;			/* leg id that ends when this one is answered */
	unsigned expires_s;		/* session timer, 0 = none */
	bool refresher;
	unsigned glares;
	GSource *timer, *glare, *ring, *dial_pad;
	const char *digits;		/* of the trunk's row that are still to dial */
	int64_t lost_us;		/* since when the call is tried again, 0 = it is not */
	nta_reliable_t *reliable;
};

/* ---- zone.c ---- */
#define ZONE_NOBODY "0.0.0.0"	/* source of a message that came by no connection of the front */
bool zone_add(gw_sip *sip, const struct gw_sip_zone *conf, GError **err);
void zone_free(gpointer z);
struct zone *zone_for(struct zone *z, unsigned transport);	/* of the same name; NULL: it has no TLS */
char *zone_flow(struct zone *z, msg_t *msg);	/* TLS: route back over the connection, (transfer full); else NULL */
void zone_know(struct zone *z, msg_t *msg);	/* its sender proved who it is */
json_t *zone_print(const struct zone *z);

/* ---- way.c: next hops ---- */
unsigned way_transport(const char *uri);
bool way_choose(struct call *c);	/* zone, transport and route for c->target; false: the call has ended, with the reason */
const char *way_tls(struct zone *z, const char *uri, const struct trunk *t, char **ret_why);	/* route; trunk: whose row says whom to believe */
void way_failed(gw_sip *sip, const char *route, const char *why);
void way_tick(gw_sip *sip);

/* ---- stack.c ---- */
GSource *sip_timer(gw_sip *sip, int64_t ms, GSourceFunc fn, void *user_data);	/* once; sip_timer_stop() it */
void sip_timer_stop(GSource **source);
char *zone_contact(const struct zone *z, unsigned transport, const char *user);	/* "<sip:..>", (transfer full) */
char *zone_uri(const struct zone *z, const char *user);				/* for From, (transfer full) */
void sip_no_stun(void);	/* stun.c; before the first socket */
struct zone *sip_zone(gw_sip *sip, const char *name);				/* NULL name: the first */
unsigned sip_transport_of(struct zone *z, nta_incoming_t *irq, msg_t *msg, char **ret_source, unsigned *ret_port);
char *sip_url_text(const url_t *url);	/* (transfer full) */

/* ---- entry.c ---- */
int sip_entry(struct zone *z, nta_agent_t *agent, msg_t *msg, sip_t *sip);
struct sip_identity { char *device; struct gw_sip_device record; struct trunk *trunk; };
char *sip_product(const sip_t *sip);	/* User-Agent or Server, clean; (transfer full), may be NULL */

/* ---- call.c ---- */
struct call *call_new(gw_sip *sip, const char *id, const char *party);
struct call *call_of(gw_leg *leg);
struct call *call_ref(struct call *c);
void call_unref(struct call *c);
bool call_media(struct call *c);	/* makes c->media for its zone and trunk */
/* The leg ends by itself: says why upward once, and good-bye to the peer with `status` when it still waits for a reply. */
void call_end(struct call *c, unsigned status, const char *why);
void call_strip(struct call *c, unsigned status);	/* without dialog and media as at the start, good-bye said; the leg lives on */
const char *said_path(const sip_t *sip);		/* borrowed of the message; NULL */
char *call_path(struct call *c);		/* header line for a trunk, (transfer full); NULL */
void call_heard_path(struct call *c, const sip_t *sip);
void call_check_up(struct call *c);
void call_peer_gone(struct call *c, const char *why);	/* as call_end, but the dialog is gone already: no BYE */

/* ---- exchange.c ---- */
void exchange_offer(struct call *c);		/* ours, first or again */
void exchange_peer_offer(struct call *c, const char *sdp, size_t len);
void exchange_peer_answer(struct call *c, const char *sdp, size_t len);
void call_reoffer(struct call *c);		/* when the dialog is idle, now or later */
void call_idle(struct call *c);			/* an exchange or request ended: start what waits */
const char *sip_sdp(msg_t *msg, const sip_t *sip, size_t *ret_len, bool *ret_other);	/* NULL = none; other: a type that is not SDP */

/* ---- uac.c / uas.c / dialog.c ---- */
int uac_dial(struct call *c, const struct gw_leg_dial *dial);
void uac_invite(struct call *c, const char *sdp);	/* NULL = without: initial or re-INVITE */
bool uac_next(struct call *c);			/* the INVITE got nowhere: to the next target, if there is one */
void uac_ack(struct call *c, const char *sdp);
char *uac_authorization(struct call *c, const char *method, const char *uri);	/* NULL = none to give */
void uas_invite(struct zone *z, msg_t *msg, sip_t *sip, struct sip_identity *who);
void uas_reply(struct call *c, unsigned status, const char *phrase, const char *sdp);	/* to c->request */
int uas_answer(struct call *c);
void uas_bind(struct call *c);			/* ACK, CANCEL and timeouts of c->request come to us */
int dialog_request(struct call *c, nta_leg_t *dialog, nta_incoming_t *irq, sip_t const *sip);
nta_outgoing_t *dialog_send(struct call *c, sip_method_t method, const char *name, nta_response_f *fn, const char *type,
			    const char *body);
void dialog_keyframe(struct call *c);
int dialog_dtmf(struct call *c, const char *digits);
void session_negotiated(struct call *c, const sip_t *sip, bool we_asked);
char *session_header(const struct call *c, bool request);	/* Session-Expires, NULL = none */
void session_refreshed(struct call *c);

/* ---- keep.c ---- */
void keep_up(struct call *c);		/* the call is up: what its trunk's row wants now */
bool keep_takes(struct call *c, unsigned status, const char *why);	/* true: lost, and made again; not ended */
bool uac_again(struct call *c);

/* ---- registrar.c ---- */
void registrar_register(struct zone *z, nta_incoming_t *irq, msg_t *msg, sip_t *sip, const char *user);
GPtrArray *registrar_find(gw_sip *sip, const char *user);	/* of binding, newest first, borrowed rows; free the array */
void registrar_flow_gone(gw_sip *sip, const char *route);	/* a phone's connection is no more: it is not to be reached */
void registrar_tick(gw_sip *sip, int64_t now_us);
void registrar_print(const gw_sip *sip, json_t *into);
void registrar_clear(gw_sip *sip);

/* ---- hops.c ---- */
void hops_look_up(struct trunk *t);
const char *trunk_hop(const struct trunk *t);		/* borrowed; NULL = by its address */
bool trunk_next_hop(struct trunk *t, unsigned *tried);	/* false: all were tried */

/* ---- trunk.c ---- */
void trunk_ask_now(struct trunk *t);
struct trunk *trunk_new(gw_sip *sip, const struct gw_sip_trunk *conf);
void trunk_free(struct trunk *t);
void trunk_start(struct trunk *t);
void trunk_stop(struct trunk *t);	/* unregister, if it has time */
struct trunk *trunk_find(gw_sip *sip, const char *name);
struct trunk *trunk_from(struct zone *z, const char *literal, const sip_t *sip);
void trunk_heard(struct trunk *t, bool well, const char *why);	/* a call went through or failed for the peer's sake */
void trunk_no_tls(struct trunk *t, const char *route, const char *why);
json_t *trunk_print(const struct trunk *t);

/* ---- farewell.c: what is owed to a peer after the leg has ended ---- */
void farewell_bye(struct call *c);		/* the dialog is established */
void farewell_cancel(struct call *c);		/* our INVITE has no final response: CANCEL, and BYE a late 2xx */
void farewell_ack(struct call *c);		/* our 2xx has no ACK: BYE after it, or after its time */
void farewell_clear(gw_sip *sip);
